#include "query/window_call.h"

#include "base/stop_watch.h"
#include "query/frame_stack.h"
#include "query/sort_key.h"

/* One call at work. */
struct over_run {
    struct stage *stage;
    const struct plan_over *over;
    const struct batch *in;
    int64_t rows;
    int32_t *order;                                     /* position -> row */
    int32_t *part_from, *part_to, *peer_from, *peer_to; /* per position */
    struct sort_keys keys;                              /* ORDER BY alone, per position */
    struct column *args; /* per position: the arguments, then the filter of an aggregate */
    int32_t arg_count;
    struct sort_keys low, high; /* RANGE bounds per position */
    int32_t *places, *ranks;    /* IGNORE NULLS: positions with a value, and how many stand before each position */
};

/* ---- sorting ---- */

static enum code compute(struct stage *stage, const struct expr *const *exprs, int32_t count, const struct batch *in,
                         struct column *out, struct error *err)
{
    struct computation computed = {0};
    enum code code = computation_open(&computed, stage, exprs, count, err);
    if (code == E_OK)
        code = computation_run(&computed, stage, in, err);
    for (int32_t i = 0; code == E_OK && i < count; i++)
        out[i] = column_take(&computed.columns[i]);
    computation_close(&computed);
    return code;
}

/* The columns in sorted order. */
static void by_position(const struct over_run *self, struct column *columns, int32_t count)
{
    for (int32_t i = 0; i < count; i++) {
        struct column sorted;
        column_gather(&sorted, &columns[i], self->order, self->rows);
        column_release(&columns[i]);
        columns[i] = sorted;
    }
}

/* Where runs of equal keys begin and end. */
static void find_runs(const struct sort_keys *keys, const int32_t *part_from, int64_t rows, int32_t *from, int32_t *to)
{
    for (int64_t i = 0; i < rows; i++) {
        bool same = i > 0 && (part_from == NULL || part_from[i] == part_from[i - 1]) && sort_keys_equal(keys, i, i - 1);
        from[i] = same ? from[i - 1] : (int32_t)i;
    }
    for (int64_t i = rows - 1; i >= 0; i--)
        to[i] = i + 1 < rows && from[i + 1] == from[i] ? to[i + 1] : (int32_t)i + 1;
}

static enum code sort_rows_of(struct over_run *self, struct error *err)
{
    const struct plan_over *over = self->over;
    int32_t count = over->partition_count + over->order_count;
    struct arena *arena = &self->stage->query->arena;
    const struct expr **exprs = arena_array(arena, const struct expr *, (size_t)count + 1);
    struct plan_order *orders = arena_array(arena, struct plan_order, (size_t)count + 1);
    struct column *columns = arena_array(arena, struct column, (size_t)count + 1);
    struct sort_keys all = {0}, partition = {0};
    for (int32_t i = 0; i < count; i++) {
        bool ordered = i >= over->partition_count;
        exprs[i] = ordered ? over->order[i - over->partition_count] : over->partition[i];
        if (ordered)
            orders[i] = over->orders[i - over->partition_count];
    }
    TRY(compute(self->stage, exprs, count, self->in, columns, err));
    enum code code = sort_keys_encode(&all, columns, orders, count, self->rows, err);
    if (code == E_OK) {
        sort_keys_order(&all, self->order);
        code = stop_check(0, err);
    }
    if (code == E_OK) {
        by_position(self, columns, count);
        code = sort_keys_encode(&partition, columns, orders, over->partition_count, self->rows, err);
    }
    if (code == E_OK)
        code = sort_keys_encode(&self->keys, columns + over->partition_count, over->orders, over->order_count,
                                self->rows, err);
    if (code == E_OK) {
        find_runs(&partition, NULL, self->rows, self->part_from, self->part_to);
        find_runs(&self->keys, self->part_from, self->rows, self->peer_from, self->peer_to);
    }
    for (int32_t i = 0; i < count; i++)
        column_release(&columns[i]);
    sort_keys_free(&all);
    sort_keys_free(&partition);
    return code;
}

/* ---- frames ---- */

/* The first position of the partition whose key is not below (or, `beyond`, is above) the bound's. */
static int64_t range_position(const struct over_run *self, int64_t at, struct bytes bound, bool beyond)
{
    int64_t from = self->part_from[at], to = self->part_to[at];
    while (from < to) {
        int64_t middle = from + (to - from) / 2;
        int order = sort_key_compare(sort_key(&self->keys, middle), bound);
        if (order < 0 || (beyond && order == 0))
            from = middle + 1;
        else
            to = middle;
    }
    return from;
}

static int64_t clipped(const struct over_run *self, int64_t at, int64_t position)
{
    int64_t from = self->part_from[at], to = self->part_to[at];
    return position < from ? from : position > to ? to : position;
}

static int64_t rows_away(int64_t at, int64_t rows)
{
    int64_t position;
    if (__builtin_add_overflow(at, rows, &position))
        return rows > 0 ? INT64_MAX : INT64_MIN;
    return position;
}

static int64_t frame_from(const struct over_run *self, int64_t at)
{
    const struct plan_bound *bound = &self->over->from;
    bool rows = self->over->by_rows;
    switch (bound->kind) {
    case BOUND_START: return self->part_from[at];
    case BOUND_END: return self->part_to[at];
    case BOUND_ROW: return rows ? at : self->peer_from[at];
    default: break;
    }
    if (!rows)
        return range_position(self, at, sort_key(&self->low, at), false);
    return clipped(self, at, rows_away(at, bound->kind == BOUND_BEFORE ? -bound->rows : bound->rows));
}

static int64_t frame_to(const struct over_run *self, int64_t at)
{
    const struct plan_bound *bound = &self->over->to;
    bool rows = self->over->by_rows;
    switch (bound->kind) {
    case BOUND_START: return self->part_from[at];
    case BOUND_END: return self->part_to[at];
    case BOUND_ROW: return rows ? at + 1 : self->peer_to[at];
    default: break;
    }
    if (!rows)
        return range_position(self, at, sort_key(&self->high, at), true);
    return clipped(self, at, rows_away(at + 1, bound->kind == BOUND_BEFORE ? -bound->rows : bound->rows));
}

static enum code bound_keys(struct over_run *self, const struct expr *value, struct sort_keys *out, struct error *err)
{
    struct column column = {0};
    if (value == NULL)
        return E_OK;
    TRY(compute(self->stage, &value, 1, self->in, &column, err));
    by_position(self, &column, 1);
    enum code code = sort_keys_encode(out, &column, self->over->orders, 1, self->rows, err);
    column_release(&column);
    return code;
}

/* ---- aggregates ---- */

struct running {
    const struct over_run *run;
    uint8_t *state;
    size_t heap_bytes;
    int64_t from, to; /* what is in the state */
};

static void state_add(struct running *self, int64_t from, int64_t to)
{
    const struct over_run *run = self->run;
    const struct aggregate_call *call = run->over->call;
    int64_t rows = to - from;
    if (rows <= 0 || stop_asked(rows))
        return;
    struct column *slices = mem_array(struct column, (size_t)run->arg_count + 1);
    uint32_t *slots = mem_array(uint32_t, (size_t)rows);
    uint8_t *active = mem_alloc(bit_bytes(rows) + 8);
    for (int32_t i = 0; i < run->arg_count; i++)
        column_append(&slices[i], &run->args[i], from, to);
    const struct column *filter = call->filter != NULL ? &slices[call->arg_count] : NULL;
    for (int64_t i = 0; i < rows; i++)
        bit_put(active, i, filter == NULL || (column_valid_at(filter, i) && bit_get(filter->values->data, i)));
    aggregate_add(&(struct aggregate_rows){.call = call,
                                           .args = slices,
                                           .rows = rows,
                                           .active = active,
                                           .base = self->state,
                                           .stride = call->state_size,
                                           .slots = slots,
                                           .rejects = &run->stage->query->rejects,
                                           .heap_bytes = &self->heap_bytes});
    for (int32_t i = 0; i < run->arg_count; i++)
        column_release(&slices[i]);
    mem_free(slices);
    mem_free(slots);
    mem_free(active);
}

static void state_move(struct running *self, int64_t from, int64_t to)
{
    const struct aggregate_call *call = self->run->over->call;
    if (from != self->from || to < self->to) {
        aggregate_drop(call, self->state, &self->heap_bytes);
        aggregate_init(call, self->state);
        self->from = self->to = from;
    }
    state_add(self, self->to, to);
    self->to = to > self->to ? to : self->to;
}

static size_t held_bytes(const struct buffer *buffer) { return buffer != NULL ? buffer->size : 0; }

static size_t column_held(const struct builder *builder)
{
    size_t bytes = held_bytes(builder->values) + held_bytes(builder->offsets);
    for (int32_t i = 0; i < builder->child_count; i++)
        bytes += column_held(&builder->children[i]);
    return bytes;
}

/* A value of a frame may be as long as the frame, and there is one a row. */
static enum code results_bound(const struct over_run *self, const struct builder *out, struct error *err)
{
    size_t limit = self->stage->query->spec.budget->limit_bytes;
    if (limit > COLUMN_BYTES_MAX)
        limit = COLUMN_BYTES_MAX;
    return column_held(out) <= limit
               ? E_OK
               : fail(err, E_MEMORY, "the values of a window function have more than %zu bytes", limit);
}

static enum code aggregate_run(struct over_run *self, struct builder *out, struct error *err)
{
    const struct aggregate_call *call = self->over->call;
    struct running running = {.run = self, .state = mem_zero(call->state_size + 8), .from = -1};
    struct frame_stack stack;
    bool slides = self->over->from.kind != BOUND_START && frame_stack_suits(call);
    enum code code = E_OK;
    frame_stack_open(&stack, call, self->args, self->arg_count, &self->stage->query->rejects);
    for (int64_t at = 0; at < self->rows && code == E_OK; at++) {
        int64_t from = frame_from(self, at), to = frame_to(self, at);
        to = to < from ? from : to;
        const uint8_t *state = running.state;
        if (slides && to - from <= FRAME_ROWS_MAX)
            state = frame_stack_state(&stack, from, to);
        else
            state_move(&running, from, to);
        code = stop_check(1, err);
        if (code == E_OK)
            code = stage_check(self->stage, NULL, NULL, err);
        if (code == E_OK)
            code = results_bound(self, out, err);
        if (code == E_OK && !aggregate_finish(call, state, out) && self->stage->query->spec.session->ansi) {
            self->stage->query->failed_at = call->at;
            code = aggregate_failed(call, NULL, err);
        }
    }
    aggregate_drop(call, running.state, &running.heap_bytes);
    mem_free(running.state);
    frame_stack_close(&stack);
    return code;
}

/* ---- the other functions ---- */

static void places_find(struct over_run *self)
{
    int32_t count = 0;
    self->places = mem_array(int32_t, 2 * (size_t)self->rows + 2);
    self->ranks = self->places + self->rows + 1;
    for (int64_t at = 0; at < self->rows; at++) {
        self->ranks[at] = count;
        self->places[count] = (int32_t)at;
        count += !column_is_null(&self->args[0], at);
    }
    self->ranks[self->rows] = count;
}

/* The n-th position from `from` on that counts, n from 0; -1: the rows end before. */
static int64_t place_from(const struct over_run *self, int64_t from, int64_t n)
{
    if (self->places == NULL)
        return rows_away(from, n);
    int64_t number = rows_away(self->ranks[from], n);
    return number < self->ranks[self->rows] ? self->places[number] : -1;
}

/* The n-th position before `to` that counts, going back from 0. */
static int64_t place_before(const struct over_run *self, int64_t to, int64_t n)
{
    if (self->places == NULL)
        return rows_away(to, -1 - n);
    int64_t number = self->ranks[to] - 1 - n;
    return number >= 0 ? self->places[number] : -1;
}

static void put_shift(const struct over_run *self, int64_t at, struct builder *out)
{
    int64_t from = self->part_from[at], to = self->part_to[at], rows = self->over->number, position = at;
    if (rows > 0)
        position = place_before(self, at, rows - 1);
    else if (rows < 0)
        position = place_from(self, at + 1, -1 - rows);
    if (position >= from && position < to)
        builder_copy(out, &self->args[0], position);
    else if (self->arg_count > 1)
        builder_copy(out, &self->args[1], at);
    else
        builder_null(out);
}

static void put_nth(const struct over_run *self, int64_t at, struct builder *out)
{
    int64_t from = frame_from(self, at), to = frame_to(self, at), number = self->over->number, position = -1;
    if (from < to)
        position = number > 0 ? place_from(self, from, number - 1) : place_before(self, to, 0);
    if (position >= from && position < to)
        builder_copy(out, &self->args[0], position);
    else
        builder_null(out);
}

/* Tiles of equal size, the first ones a row larger. */
static int64_t tile_of(int64_t index, int64_t count, int64_t tiles)
{
    int64_t size = count / tiles, larger = count % tiles, edge = larger * (size + 1);
    if (index < edge)
        return index / (size + 1) + 1;
    return larger + (size > 0 ? (index - edge) / size : 0) + 1;
}

static void put_rank(const struct over_run *self, int64_t at, int64_t *dense, struct builder *out)
{
    int64_t index = at - self->part_from[at], count = self->part_to[at] - self->part_from[at];
    int64_t before = self->peer_from[at] - self->part_from[at];
    *dense = index == 0 ? 1 : *dense + (self->peer_from[at] == at);
    switch (self->over->kind) {
    case OVER_ROW_NUMBER: builder_int(out, index + 1); break;
    case OVER_RANK: builder_int(out, before + 1); break;
    case OVER_DENSE_RANK: builder_int(out, *dense); break;
    case OVER_PERCENT_RANK: builder_double(out, count > 1 ? (double)before / (double)(count - 1) : 0); break;
    case OVER_CUME_DIST: builder_double(out, (double)(self->peer_to[at] - self->part_from[at]) / (double)count); break;
    case OVER_NTILE: builder_int(out, tile_of(index, count, self->over->number > 0 ? self->over->number : 1)); break;
    case OVER_SHIFT: put_shift(self, at, out); break;
    case OVER_NTH: put_nth(self, at, out); break;
    case OVER_AGGREGATE: break;
    }
}

/* ---- one call ---- */

static enum code over_compute(struct over_run *self, struct builder *out, struct error *err)
{
    const struct plan_over *over = self->over;
    const struct expr *exprs[8];
    const struct aggregate_call *call = over->call;
    int64_t dense = 0;
    TRY(sort_rows_of(self, err));
    self->arg_count = call != NULL ? call->arg_count : over->arg_count;
    for (int32_t i = 0; i < self->arg_count; i++)
        exprs[i] = call != NULL ? call->args[i] : over->args[i];
    if (call != NULL && call->filter != NULL)
        exprs[self->arg_count++] = call->filter;
    self->args = mem_array(struct column, (size_t)self->arg_count + 1);
    TRY(compute(self->stage, exprs, self->arg_count, self->in, self->args, err));
    by_position(self, self->args, self->arg_count);
    TRY(bound_keys(self, over->from.value, &self->low, err));
    TRY(bound_keys(self, over->to.value, &self->high, err));
    if (over->kind == OVER_AGGREGATE)
        return aggregate_run(self, out, err);
    if (over->ignore_nulls && self->arg_count > 0)
        places_find(self);
    for (int64_t at = 0; at < self->rows; at++) {
        TRY(stop_check(1, err));
        put_rank(self, at, &dense, out);
        TRY(results_bound(self, out, err));
    }
    return E_OK;
}

/* Back to the order in which the rows came. */
static void by_row(const struct over_run *self, struct builder *builder, struct column *out)
{
    struct column sorted;
    int32_t *positions = mem_array(int32_t, (size_t)self->rows + 1);
    builder_finish(builder, &sorted);
    for (int64_t at = 0; at < self->rows; at++)
        positions[self->order[at]] = (int32_t)at;
    column_gather(out, &sorted, positions, self->rows);
    column_release(&sorted);
    mem_free(positions);
}

enum code window_call_column(struct stage *stage, const struct plan_over *over, const struct batch *in,
                             struct column *out, struct error *err)
{
    size_t rows = (size_t)in->rows;
    int32_t *places = mem_array(int32_t, 5 * rows + 1);
    struct over_run run = {.stage = stage,
                           .over = over,
                           .in = in,
                           .rows = in->rows,
                           .order = places,
                           .part_from = places + rows,
                           .part_to = places + 2 * rows,
                           .peer_from = places + 3 * rows,
                           .peer_to = places + 4 * rows};
    struct builder builder;
    builder_init(&builder, over->type);
    enum code code = over_compute(&run, &builder, err);
    if (code == E_OK)
        by_row(&run, &builder, out);
    builder_release(&builder);
    for (int32_t i = 0; run.args != NULL && i < run.arg_count; i++)
        column_release(&run.args[i]);
    mem_free(run.args);
    mem_free(run.places);
    sort_keys_free(&run.keys);
    sort_keys_free(&run.low);
    sort_keys_free(&run.high);
    mem_free(places);
    return code;
}

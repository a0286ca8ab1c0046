/* aggregate_collect.c - collect_list, collect_set, and DISTINCT around any other aggregate: states that hold
 * all values.
 *
 * A set's item is the tuple of the arguments, so that count(DISTINCT a, b) is a set too. A group whose values
 * pass COLLECT_BYTES_MAX when they are merged has overflown: its result is NULL, whatever the order of
 * merging was.
 */
#include "expr/aggregate.h"
#include "expr/value_bytes.h"

enum {
    COLLECT_BYTES_MAX = 256 * 1024 * 1024, /* one group's values; a row past it is rejected as TOO_BIG */
    OVERFLOWN = -1,                        /* as count of a list, or of a set that is empty otherwise */
};

struct list_state {
    struct text *values; /* one value behind the other, as value_bytes.h has them */
    int64_t count;
};
struct set_state {
    struct value_set *set;
};

/* ---- lists ---- */

static size_t list_heap(const struct list_state *state)
{
    return state->values == NULL ? 0 : sizeof *state->values + state->values->capacity;
}

static void list_free(struct list_state *state, size_t *heap_bytes)
{
    *heap_bytes -= list_heap(state);
    if (state->values != NULL)
        text_free(state->values);
    mem_free(state->values);
    *state = (struct list_state){0};
}

static struct text *list_text(struct list_state *state)
{
    if (state->values == NULL)
        state->values = mem_new(struct text);
    return state->values;
}

static void list_add(const struct aggregate_rows *in)
{
    for (int64_t i = 0; i < in->rows; i++) {
        if ((in->active != NULL && !bit_get(in->active, i)) || column_is_null(&in->args[0], i))
            continue;
        struct list_state *state = STATE_AT(in, struct list_state);
        if (state->count == OVERFLOWN)
            continue;
        size_t heap = list_heap(state), before = list_text(state)->size;
        value_save(&in->args[0], i, false, state->values);
        if (state->values->size > COLLECT_BYTES_MAX) {
            state->values->size = before;
            rejects_add(in->rejects, i, -1, REJECT_TOO_BIG);
        } else {
            state->count++;
        }
        *in->heap_bytes += list_heap(state) - heap;
    }
}

static bool list_merge(__attribute__((unused)) const struct aggregate_call *call, void *into, const void *from,
                       size_t *heap_bytes)
{
    struct list_state *a = into;
    const struct list_state *b = from;
    if (b->count == 0 || a->count == OVERFLOWN)
        return true;
    size_t heap = list_heap(a);
    if (b->count == OVERFLOWN || list_text(a)->size + b->values->size > COLLECT_BYTES_MAX) {
        *heap_bytes += list_heap(a) - heap;
        list_free(a, heap_bytes);
        a->count = OVERFLOWN;
        return false;
    }
    text_add(a->values, b->values->data, b->values->size);
    a->count += b->count;
    *heap_bytes += list_heap(a) - heap;
    return true;
}

static bool list_finish(const struct aggregate_call *call, const void *state, struct builder *out)
{
    const struct list_state *s = state;
    struct bytes in = s->values != NULL ? text_view(s->values) : (struct bytes){0};
    if (s->count == OVERFLOWN) {
        builder_null(out);
        return true; // counted when it was merged
    }
    for (int64_t k = 0; k < s->count; k++)
        always(value_load(&in, call->arg_types[0], &out->children[0]));
    builder_close_list(out);
    return true;
}

static void list_save(__attribute__((unused)) const struct aggregate_call *call, const void *state, struct text *out)
{
    const struct list_state *s = state;
    save_u32(out, (uint32_t)s->count);
    save_u32(out, s->values != NULL ? (uint32_t)s->values->size : 0);
    if (s->values != NULL)
        text_add(out, s->values->data, s->values->size);
}

static enum code list_load(const struct aggregate_call *call, struct bytes *in, void *state, size_t *heap_bytes,
                           struct error *err)
{
    struct list_state *s = state;
    uint32_t count, size;
    struct bytes bytes;
    if (!load_u32(in, &count) || !load_u32(in, &size) || !load_bytes(in, size, &bytes))
        return fail(err, E_CORRUPT, "the state of %s is cut off", call->function->name);
    if (count == (uint32_t)OVERFLOWN && size == 0) {
        s->count = OVERFLOWN;
        return E_OK;
    }
    struct bytes rest = bytes;
    for (uint32_t k = 0; k < count; k++)
        if (!value_load(&rest, call->arg_types[0], NULL))
            return fail(err, E_CORRUPT, "the state of %s is not a list of its type", call->function->name);
    if (rest.size > 0)
        return fail(err, E_CORRUPT, "the state of %s has %zu bytes too many", call->function->name, rest.size);
    if (count > 0)
        text_add(list_text(s), bytes.data, bytes.size);
    s->count = count;
    *heap_bytes += list_heap(s);
    return E_OK;
}

static void list_drop(__attribute__((unused)) const struct aggregate_call *call, void *state, size_t *heap_bytes)
{
    list_free(state, heap_bytes);
}

static enum code bind_collect(struct aggregate_binding *binding, __attribute__((unused)) struct error *err)
{
    binding->type = type_array(binding->ctx->arena, binding->call->args[0]->type, false);
    return E_OK;
}

static const struct aggregate_heap list_callbacks = {list_merge, list_save, list_load, list_drop};
AGGREGATE(agg_collect_list, "collect_list array_agg", "(T) -> array<T>",
          "All values but NULLs, in the order they come.", "SELECT collect_list(c) FROM VALUES (1), (2), (1) AS t(c)",
          "[1,2,1]", .state_size = sizeof(struct list_state), .bind = bind_collect, .add = list_add,
          .finish = list_finish, .heap = &list_callbacks);

/* ---- sets ---- */

static bool set_overflown(const struct set_state *state)
{
    return state->set != NULL && state->set->count == (uint32_t)OVERFLOWN;
}

static size_t set_heap(const struct set_state *state)
{
    return state->set == NULL
               ? 0
               : sizeof *state->set + state->set->items.capacity + state->set->table_size * sizeof(uint32_t);
}

static void set_free(struct set_state *state, size_t *heap_bytes)
{
    *heap_bytes -= set_heap(state);
    if (state->set != NULL)
        value_set_free(state->set);
    mem_free(state->set);
    *state = (struct set_state){0};
}

static void set_overflow(struct set_state *state, size_t *heap_bytes)
{
    set_free(state, heap_bytes);
    state->set = mem_new(struct value_set);
    state->set->count = (uint32_t)OVERFLOWN;
    *heap_bytes += set_heap(state);
}

/* False when there is no room for the item. */
static bool set_put(struct set_state *state, struct bytes item, size_t *heap_bytes)
{
    size_t heap = set_heap(state);
    if (state->set == NULL)
        state->set = mem_new(struct value_set);
    bool fits = state->set->items.size + item.size <= COLLECT_BYTES_MAX;
    if (fits)
        value_set_add(state->set, item);
    *heap_bytes += set_heap(state) - heap;
    return fits;
}

/* False when an argument is NULL: the row does not count. */
static bool tuple_save(const struct aggregate_rows *in, int64_t row, struct text *out)
{
    text_clear(out);
    for (int32_t k = 0; k < in->call->arg_count; k++) {
        if (column_is_null(&in->args[k], row))
            return false;
        value_save(&in->args[k], row, true, out);
    }
    return true;
}

/* Steps over or builds the tuple's values; false when the bytes are not such a tuple. */
static bool tuple_load(const struct aggregate_call *call, struct bytes item, struct builder *const *outs)
{
    for (int32_t k = 0; k < call->arg_count; k++)
        if (!value_load(&item, call->arg_types[k], outs != NULL ? outs[k] : NULL))
            return false;
    return item.size == 0;
}

static void set_add(const struct aggregate_rows *in)
{
    struct text item = {0};
    for (int64_t i = 0; i < in->rows; i++) {
        if ((in->active != NULL && !bit_get(in->active, i)) || !tuple_save(in, i, &item))
            continue;
        struct set_state *state = STATE_AT(in, struct set_state);
        if (!set_overflown(state) && !set_put(state, text_view(&item), in->heap_bytes))
            rejects_add(in->rejects, i, -1, REJECT_TOO_BIG);
    }
    text_free(&item);
}

static bool set_merge(__attribute__((unused)) const struct aggregate_call *call, void *into, const void *from,
                      size_t *heap_bytes)
{
    struct set_state *a = into;
    const struct set_state *b = from;
    struct bytes item;
    if (set_overflown(a))
        return true;
    bool fits = !set_overflown(b);
    for (size_t at = 0; fits && b->set != NULL && value_set_next(b->set, &at, &item);)
        fits = set_put(a, item, heap_bytes);
    if (!fits)
        set_overflow(a, heap_bytes);
    return fits;
}

static bool set_finish(const struct aggregate_call *call, const void *state, struct builder *out)
{
    const struct set_state *s = state;
    struct bytes item;
    if (set_overflown(s)) {
        builder_null(out);
        return true; // counted when it was merged
    }
    for (size_t at = 0; s->set != NULL && value_set_next(s->set, &at, &item);)
        always(tuple_load(call, item, (struct builder *const[]){&out->children[0]}));
    builder_close_list(out);
    return true;
}

static void set_save(__attribute__((unused)) const struct aggregate_call *call, const void *state, struct text *out)
{
    const struct set_state *s = state;
    size_t size = s->set != NULL ? s->set->items.size : 0;
    save_u32(out, set_overflown(s) ? UINT32_MAX : (uint32_t)size);
    if (size > 0)
        text_add(out, s->set->items.data, size);
}

static enum code set_load(const struct aggregate_call *call, struct bytes *in, void *state, size_t *heap_bytes,
                          struct error *err)
{
    uint32_t size;
    struct bytes items, item;
    if (!load_u32(in, &size))
        return fail(err, E_CORRUPT, "the state of %s is cut off", call->function->name);
    if (size == UINT32_MAX) {
        set_overflow(state, heap_bytes);
        return E_OK;
    }
    if (!load_bytes(in, size, &items))
        return fail(err, E_CORRUPT, "the state of %s is cut off", call->function->name);
    while (items.size > 0) {
        bool fits = load_u32(&items, &size) && load_bytes(&items, size, &item);
        if (!fits || !tuple_load(call, item, NULL) || !set_put(state, item, heap_bytes))
            return fail(err, E_CORRUPT, "the state of %s is not a set of its type", call->function->name);
    }
    return E_OK;
}

static void set_drop(__attribute__((unused)) const struct aggregate_call *call, void *state, size_t *heap_bytes)
{
    set_free(state, heap_bytes);
}

static const struct aggregate_heap set_callbacks = {set_merge, set_save, set_load, set_drop};
AGGREGATE(agg_collect_set, "collect_set", "(T) -> array<T>", "The different values but NULL.",
          "SELECT collect_set(c) FROM VALUES (1), (2), (1) AS t(c)", "[1,2]", .state_size = sizeof(struct set_state),
          .bind = bind_collect, .add = set_add, .finish = set_finish, .heap = &set_callbacks);

/* ---- DISTINCT: collect the set, and let the inner aggregate see it once at the end ---- */

static bool distinct_fold(const struct aggregate_call *inner, const struct column *args, int64_t rows,
                          struct builder *out)
{
    struct rejects rejects = {0};
    size_t heap_bytes = 0;
    void *state = mem_zero(inner->state_size);
    uint32_t *slots = mem_array(uint32_t, (size_t)rows);
    aggregate_init(inner, state);
    aggregate_add(&(struct aggregate_rows){.call = inner,
                                           .args = args,
                                           .rows = rows,
                                           .base = state,
                                           .stride = inner->state_size,
                                           .slots = slots,
                                           .rejects = &rejects,
                                           .heap_bytes = &heap_bytes});
    bool fits = rejects.count == 0;
    if (!fits)
        builder_null(out);
    else
        fits = aggregate_finish(inner, state, out);
    aggregate_drop(inner, state, &heap_bytes);
    mem_free(slots);
    mem_free(state);
    rejects_free(&rejects);
    return fits;
}

static bool distinct_finish(const struct aggregate_call *call, const void *state, struct builder *out)
{
    const struct aggregate_call *inner = call->bound;
    const struct set_state *s = state;
    struct builder builders[AGGREGATE_ARGS_MAX], *outs[AGGREGATE_ARGS_MAX];
    struct column columns[AGGREGATE_ARGS_MAX] = {0};
    struct bytes item;
    if (set_overflown(s)) {
        builder_null(out);
        return true; // counted when it was merged
    }
    for (int32_t k = 0; k < call->arg_count; k++) {
        builder_init(&builders[k], call->arg_types[k]);
        outs[k] = &builders[k];
    }
    for (size_t at = 0; s->set != NULL && value_set_next(s->set, &at, &item);)
        always(tuple_load(call, item, outs));
    for (int32_t k = 0; k < call->arg_count; k++) {
        builder_finish(&builders[k], &columns[k]);
        builder_release(&builders[k]);
    }
    bool fits = distinct_fold(inner, columns, s->set != NULL ? s->set->count : 0, out);
    for (int32_t k = 0; k < call->arg_count; k++)
        column_release(&columns[k]);
    return fits;
}

const struct aggregate aggregate_distinct = {
    .name = "distinct",
    .state_size = sizeof(struct set_state),
    .add = set_add,
    .finish = distinct_finish,
    .heap = &set_callbacks,
};

const struct aggregate *const collect_aggregates[] = {&agg_collect_list, &agg_collect_set, NULL};

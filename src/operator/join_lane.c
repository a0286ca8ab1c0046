/* join_lane.c - a worker's batches to rows as bytes beside their keys, one run per shard and side.
 *
 * Per batch: the side's program computes keys and `only`; every row gets a fate; the rows that stay get
 * their size and their shard, so that each run makes room once, and then a column at a time is written to
 * wherever its rows go.
 */
#include "operator/join_stage.h"

#include "base/hash.h"

enum fate {
    FATE_JOIN,    /* kept under its key */
    FATE_WAIT,    /* matches nothing; kept until W lets it go */
    FATE_ALONE,   /* comes out with NULLs at once */
    FATE_DROPPED, /* counted when its fate was decided */
};

enum { RUN_SHRINK = 8 }; /* an epoch that fills less than an eighth of a run gives the run's memory back */

/* ---- life ---- */

void join_lane_init(const struct join_stage *self, struct join_lane *lane)
{
    for (int32_t s = 0; s < JOIN_SIDES; s++) {
        struct join_lane_side *side = &lane->sides[s];
        side->evaluator = evaluator_new(self->programs[s]);
        side->roots = mem_array(struct column, (size_t)self->root_counts[s]);
        side->runs = mem_array(struct join_run, (size_t)self->spec.shards);
        side->alone = mem_array(struct join_run, (size_t)self->spec.shards);
    }
    lane->room.key_columns = mem_array(struct column, (size_t)self->spec.key_count);
}

static void run_close(const struct join_stage *self, struct join_run *run)
{
    if (self->spec.budget != NULL)
        budget_give(self->spec.budget, run->charged_bytes);
    mem_free(run->rows);
    mem_free(run->keys);
    mem_free(run->hashes);
    mem_free(run->key_sizes);
    *run = (struct join_run){0};
}

static void room_close(struct join_room *room)
{
    mem_free(room->fates);
    mem_free(room->rows);
    mem_free(room->alone);
    mem_free(room->untils);
    mem_free(room->sizes);
    mem_free(room->ends);
    mem_free(room->shards);
    mem_free(room->to);
    mem_free(room->key_ends);
    mem_free(room->hashes);
    mem_free(room->key_columns);
    text_free(&room->keys);
    buffer_release(room->wanted);
}

void join_lane_close(const struct join_stage *self, struct join_lane *lane)
{
    for (int32_t s = 0; s < JOIN_SIDES; s++) {
        struct join_lane_side *side = &lane->sides[s];
        evaluator_free(side->evaluator);
        mem_free(side->roots);
        for (int32_t i = 0; side->runs != NULL && i < self->spec.shards; i++) {
            run_close(self, &side->runs[i]);
            run_close(self, &side->alone[i]);
        }
        mem_free(side->runs);
        mem_free(side->alone);
    }
    room_close(&lane->room);
    *lane = (struct join_lane){0};
}

static void run_clear(const struct join_stage *self, struct join_run *run)
{
    if (run->row_bytes < run->row_capacity / RUN_SHRINK)
        run_close(self, run);
    run->row_bytes = run->key_bytes = 0;
    run->count = 0;
}

void join_lanes_clear(struct stateful *base)
{
    struct join_stage *self = join_of(base);
    for (int32_t l = 0; l < base->lanes; l++) {
        struct join_lane *lane = &self->lanes[l];
        lane->started = false;
        for (int32_t i = 0; i < JOIN_SIDES * base->shards; i++) {
            run_clear(self, &lane->sides[i % JOIN_SIDES].runs[i / JOIN_SIDES]);
            run_clear(self, &lane->sides[i % JOIN_SIDES].alone[i / JOIN_SIDES]);
        }
    }
}

size_t join_lane_bytes(const struct stateful *base, int32_t lane)
{
    const struct join_stage *self = join_of(base);
    size_t bytes = 0;
    for (int32_t s = 0; s < JOIN_SIDES; s++)
        for (int32_t i = 0; i < base->shards; i++)
            bytes +=
                self->lanes[lane].sides[s].runs[i].charged_bytes + self->lanes[lane].sides[s].alone[i].charged_bytes;
    return bytes;
}

static void room_reserve(struct join_room *room, int64_t rows)
{
    if (rows <= room->capacity)
        return;
    size_t count = (size_t)rows;
    room->fates = mem_resize(room->fates, count * sizeof *room->fates);
    room->rows = mem_resize(room->rows, count * sizeof *room->rows);
    room->alone = mem_resize(room->alone, count * sizeof *room->alone);
    room->untils = mem_resize(room->untils, count * sizeof *room->untils);
    room->sizes = mem_resize(room->sizes, count * sizeof *room->sizes);
    room->ends = mem_resize(room->ends, count * sizeof *room->ends);
    room->shards = mem_resize(room->shards, count * sizeof *room->shards);
    room->to = mem_resize(room->to, count * sizeof *room->to);
    room->key_ends = mem_resize(room->key_ends, (count + 1) * sizeof *room->key_ends);
    room->hashes = mem_resize(room->hashes, count * sizeof *room->hashes);
    buffer_grow(&room->wanted, bit_bytes(rows));
    room->capacity = rows;
}

/* ---- fates ---- */

struct judging {
    const struct join_stage *self;
    const struct lane_call *call;
    const struct batch *in;
    const struct column *roots;
    struct join_room *room;
    int32_t side;
};

/* The event time in a column: a window's end, or the time itself. */
static const struct column *time_of(const struct column *col)
{
    return col->type->id == TYPE_STRUCT ? &col->children[1] : col;
}

static void judge_rejected(const struct judging *j, int32_t rejected_before)
{
    const struct rejects *rejects = j->call->rejects;
    for (int32_t i = rejected_before; i < rejects->count; i++)
        j->room->fates[rejects->items[i].row] = FATE_DROPPED;
    j->call->counts->rejected += rejects->count - rejected_before;
}

static void judge_late(const struct judging *j)
{
    const struct column *col = time_of(&j->in->columns[j->self->spec.sides[j->side].time_column]);
    const int64_t *times = column_values(col, const int64_t);
    for (int64_t i = 0; i < j->in->rows; i++) {
        if (times[i] > j->call->time->late_us || !column_valid_at(col, i) || j->room->fates[i] == FATE_DROPPED)
            continue;
        j->room->fates[i] = FATE_DROPPED;
        lane_call_drop(j->call, i, ROW_LATE);
    }
}

static void judge_only(const struct judging *j, const struct column *only)
{
    bool outer = j->self->outer[j->side];
    for (int64_t i = 0; i < j->in->rows; i++) {
        if ((bit_get(only->values->data, i) && column_valid_at(only, i)) || j->room->fates[i] == FATE_DROPPED)
            continue;
        j->room->fates[i] = outer ? FATE_ALONE : FATE_DROPPED;
        if (!outer)
            lane_call_drop(j->call, i, ROW_FILTERED);
    }
}

/* Rows whose time decides when they go, and have none. */
static void judge_null_time(const struct judging *j, const struct column *col)
{
    for (int64_t i = 0; i < j->in->rows; i++) {
        if (column_valid_at(col, i) || j->room->fates[i] != FATE_JOIN)
            continue;
        j->room->fates[i] = FATE_DROPPED;
        lane_call_drop(j->call, i, ROW_NULL_TIME);
    }
}

static void judge_null_key(const struct judging *j, const struct column *key)
{
    bool outer = j->self->outer[j->side];
    for (int64_t i = 0; i < j->in->rows; i++) {
        if (!column_is_null(key, i) || j->room->fates[i] != FATE_JOIN)
            continue;
        j->room->fates[i] = outer ? FATE_WAIT : FATE_DROPPED;
        if (!outer)
            lane_call_drop(j->call, i, ROW_FILTERED);
    }
}

/* The column that decides when the side's rows go, or NULL. */
static const struct column *until_column(const struct judging *j)
{
    const struct join_spec *spec = &j->self->spec;
    if (spec->time_key >= 0)
        return time_of(&j->roots[spec->time_key]);
    const struct join_side *side = &spec->sides[j->side];
    return side->bounded ? time_of(&j->in->columns[side->time_column]) : NULL;
}

static void judge(const struct judging *j, int32_t rejected_before)
{
    const struct join_spec *spec = &j->self->spec;
    const struct join_side *side = &spec->sides[j->side];
    memset(j->room->fates, FATE_JOIN, (size_t)j->in->rows);
    judge_rejected(j, rejected_before);
    if (side->time_column >= 0)
        judge_late(j);
    if (side->only != NULL)
        judge_only(j, &j->roots[spec->key_count]);
    const struct column *until = until_column(j);
    if (until != NULL && until->valid != NULL && (spec->time_key < 0 || !spec->null_safe[spec->time_key]))
        judge_null_time(j, until);
    for (int32_t k = 0; k < spec->key_count; k++)
        if (!spec->null_safe[k] && (j->roots[k].valid != NULL || j->roots[k].type->id == TYPE_NULL))
            judge_null_key(j, &j->roots[k]);
}

/* ---- keys ---- */

static int64_t rows_with_fate(const struct join_room *room, int64_t rows, bool alone, int32_t *out)
{
    int64_t count = 0;
    for (int64_t i = 0; i < rows; i++) {
        out[count] = (int32_t)i;
        count += alone ? room->fates[i] == FATE_ALONE : room->fates[i] <= FATE_WAIT;
    }
    return count;
}

static int64_t encode_keys(const struct judging *j, int64_t count)
{
    struct join_room *room = j->room;
    int32_t keys = j->self->spec.key_count;
    for (int32_t k = 0; k < keys; k++) {
        if (count == j->in->rows)
            column_share(&room->key_columns[k], &j->roots[k]);
        else
            column_gather(&room->key_columns[k], &j->roots[k], room->rows, count);
    }
    text_clear(&room->keys);
    int64_t too_long = state_key_encode(room->key_columns, keys, count, &room->keys, room->key_ends, room->hashes);
    for (int32_t k = 0; k < keys; k++)
        column_release(&room->key_columns[k]);
    return too_long;
}

static void row_too_big(const struct judging *j, int32_t row)
{
    j->room->fates[row] = FATE_DROPPED;
    j->call->counts->rejected++;
    rejects_add(j->call->rejects, row, -1, REJECT_TOO_BIG);
}

/* The rows that are kept, with keys and sizes. Rows that pass a limit fall out first. */
static int64_t prepare_kept(const struct judging *j)
{
    struct join_room *room = j->room;
    const struct row_layout *layout = &j->self->layouts[j->side];
    int64_t count = rows_with_fate(room, j->in->rows, false, room->rows), dropped = 0;
    if (count == 0)
        return 0;
    int64_t too_long = encode_keys(j, count);
    row_measure(layout, j->in->columns, room->rows, count, room->sizes);
    for (int64_t i = 0; i < count; i++) {
        bool long_key = too_long > 0 && room->key_ends[i] == room->key_ends[i + 1];
        if (!long_key && room->sizes[i] <= ROW_BYTES_MAX)
            continue;
        row_too_big(j, room->rows[i]);
        dropped++;
    }
    if (dropped == 0)
        return count;
    count = rows_with_fate(room, j->in->rows, false, room->rows);
    if (count > 0)
        encode_keys(j,
                    count); // what was too long is gone; a batch whose keys together were too long fits by now
    row_measure(layout, j->in->columns, room->rows, count, room->sizes);
    return count;
}

static int64_t prepare_alone(const struct judging *j)
{
    struct join_room *room = j->room;
    const struct row_layout *layout = &j->self->layouts[j->side];
    int64_t count = rows_with_fate(room, j->in->rows, true, room->alone), kept = 0;
    row_measure(layout, j->in->columns, room->alone, count, room->sizes);
    for (int64_t i = 0; i < count; i++) {
        if (room->sizes[i] > ROW_BYTES_MAX) {
            row_too_big(j, room->alone[i]);
            continue;
        }
        room->alone[kept] = room->alone[i];
        room->sizes[kept++] = room->sizes[i];
    }
    return kept;
}

/* When each row goes, in W's measure. */
static void find_untils(const struct judging *j, int64_t count)
{
    struct join_room *room = j->room;
    const struct column *col = until_column(j);
    if (col == NULL) {
        for (int64_t i = 0; i < count; i++)
            room->untils[i] = INT64_MAX;
        return;
    }
    int64_t shift_us = j->self->spec.time_key >= 0 ? 0 : j->self->spec.sides[j->side].shift_us;
    const int64_t *times = column_values(col, const int64_t);
    for (int64_t i = 0; i < count; i++) {
        int64_t until_us;
        bool never = __builtin_sub_overflow(times[room->rows[i]], shift_us, &until_us);
        if (never && shift_us > 0)
            until_us = INT64_MIN; // before all time: the sum with the shift is what overflows
        else if (never || !column_valid_at(col, room->rows[i]))
            until_us = INT64_MAX;
        room->untils[i] = until_us;
    }
}

/* ---- runs ---- */

static enum code run_charge(const struct join_stage *self, struct join_run *run, size_t more, struct error *err)
{
    if (self->spec.budget != NULL)
        TRY(budget_take(self->spec.budget, more, self->spec.name, err));
    run->charged_bytes += more;
    return E_OK;
}

static size_t grown(size_t capacity, size_t need)
{
    return capacity + capacity / 2 > need ? capacity + capacity / 2 : need + need / 4;
}

static enum code run_reserve(const struct join_stage *self, struct join_run *run, int64_t rows, size_t row_bytes,
                             size_t key_bytes, struct error *err)
{
    if (run->row_bytes + row_bytes > run->row_capacity) {
        size_t capacity = grown(run->row_capacity, run->row_bytes + row_bytes);
        TRY(run_charge(self, run, capacity - run->row_capacity, err));
        run->rows = mem_resize(run->rows, capacity + ROW_SLACK);
        run->row_capacity = capacity;
    }
    if (run->key_bytes + key_bytes >= run->key_capacity) { // with a byte to spare: empty keys have an address too
        size_t capacity = grown(run->key_capacity, run->key_bytes + key_bytes + 1);
        TRY(run_charge(self, run, capacity - run->key_capacity, err));
        run->keys = mem_resize(run->keys, capacity);
        run->key_capacity = capacity;
    }
    if (run->count + rows > run->capacity) {
        int64_t capacity = (int64_t)grown((size_t)run->capacity, (size_t)(run->count + rows));
        size_t entry = sizeof *run->hashes + sizeof *run->key_sizes;
        TRY(run_charge(self, run, (size_t)(capacity - run->capacity) * entry, err));
        run->hashes = mem_resize(run->hashes, (size_t)capacity * sizeof *run->hashes);
        run->key_sizes = mem_resize(run->key_sizes, (size_t)capacity * sizeof *run->key_sizes);
        run->capacity = capacity;
    }
    return E_OK;
}

static struct join_row *run_add(struct join_run *run, int64_t until_us, uint32_t size)
{
    struct join_row *row = (struct join_row *)(void *)(run->rows + run->row_bytes);
    *row = (struct join_row){.until_us = until_us, .units = (size / ROW_ALIGN) & 0xfffffff};
    run->row_bytes += size;
    return row;
}

static size_t key_size(const struct join_room *room, int64_t i)
{
    return room->fates[room->rows[i]] == FATE_WAIT ? 0 : (size_t)(room->key_ends[i + 1] - room->key_ends[i]);
}

/* Shards of the rows, and room for them there. */
static enum code find_shards(const struct judging *j, struct join_lane *lane, int64_t count, struct error *err)
{
    const struct join_stage *self = j->self;
    struct join_room *room = j->room;
    struct need {
        int64_t rows;
        size_t row_bytes, key_bytes;
    } *needs = mem_array(struct need, (size_t)self->spec.shards);
    for (int64_t i = 0; i < count; i++) {
        int32_t shard = join_shard_of(self, room->hashes[i]);
        if (room->fates[room->rows[i]] == FATE_WAIT)
            shard = (int32_t)(lane->next_shard++ % (uint32_t)self->spec.shards);
        room->shards[i] = shard;
        needs[shard].rows++;
        needs[shard].row_bytes += room->sizes[i];
        needs[shard].key_bytes += key_size(room, i);
    }
    enum code code = E_OK;
    for (int32_t s = 0; code == E_OK && s < self->spec.shards; s++)
        code = run_reserve(self, &lane->sides[j->side].runs[s], needs[s].rows, needs[s].row_bytes, needs[s].key_bytes,
                           err);
    mem_free(needs);
    return code;
}

static void add_rows(const struct judging *j, struct join_lane *lane, int64_t count)
{
    struct join_room *room = j->room;
    uint64_t no_key = hash_bytes(NULL, 0);
    for (int64_t i = 0; i < count; i++) {
        struct join_run *run = &lane->sides[j->side].runs[room->shards[i]];
        size_t size = key_size(room, i);
        if (size > 0)
            memcpy(run->keys + run->key_bytes, room->keys.data + room->key_ends[i], size);
        run->key_bytes += size;
        run->key_sizes[run->count] = (uint32_t)size;
        run->hashes[run->count++] = size == 0 ? no_key : room->hashes[i];
        room->to[i] = run_add(run, room->untils[i], room->sizes[i]);
    }
    row_write(&j->self->layouts[j->side], j->in->columns, room->rows, count, room->sizes, room->to, room->ends);
}

static enum code keep_rows(const struct judging *j, struct join_lane *lane, struct error *err)
{
    int64_t count = prepare_kept(j);
    if (count == 0)
        return E_OK;
    find_untils(j, count);
    TRY(find_shards(j, lane, count, err));
    add_rows(j, lane, count);
    j->call->counts->aggregated += count;
    return E_OK;
}

/* They come out of whichever shard: a batch's rows out of one. */
static enum code keep_alone(const struct judging *j, struct join_lane *lane, struct error *err)
{
    struct join_room *room = j->room;
    int64_t count = prepare_alone(j);
    if (count == 0)
        return E_OK;
    struct join_run *run = &lane->sides[j->side].alone[lane->next_shard++ % (uint32_t)j->self->spec.shards];
    size_t bytes = 0;
    for (int64_t i = 0; i < count; i++)
        bytes += room->sizes[i];
    TRY(run_reserve(j->self, run, 0, bytes, 0, err));
    for (int64_t i = 0; i < count; i++)
        room->to[i] = run_add(run, INT64_MAX, room->sizes[i]);
    run->count += count;
    row_write(&j->self->layouts[j->side], j->in->columns, room->alone, count, room->sizes, room->to, room->ends);
    j->call->counts->aggregated += count;
    return E_OK;
}

/* ---- a batch ---- */

enum code join_lane_batch(struct stateful *base, const struct lane_call *call, const struct batch *in,
                          struct error *err)
{
    struct join_stage *self = join_of(base);
    struct join_lane *lane = &self->lanes[call->lane];
    struct join_lane_side *side = &lane->sides[call->port];
    int32_t rejected_before = call->rejects->count;
    call->counts->in += in->rows;
    if (in->rows == 0)
        return E_OK;
    lane->session = *call->session;
    lane->started = true;
    TRY(evaluator_run(side->evaluator, call->session, in, side->roots, call->rejects, err));
    for (int32_t i = rejected_before; i < call->rejects->count; i++)
        if (call->rejects->items[i].step >= 0)
            call->rejects->items[i].step = call->rejects->items[i].step * JOIN_SIDES + call->port; // see join_position
    room_reserve(&lane->room, in->rows);
    const struct judging judging = {self, call, in, side->roots, &lane->room, call->port};
    judge(&judging, rejected_before);
    enum code code = keep_rows(&judging, lane, err);
    if (code == E_OK && self->outer[call->port] && self->spec.sides[call->port].only != NULL)
        code = keep_alone(&judging, lane, err);
    for (int32_t i = 0; i < self->root_counts[call->port]; i++)
        column_release(&side->roots[i]);
    return code;
}

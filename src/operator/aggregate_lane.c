/* aggregate_lane.c - fold a worker's batches into its own groups.
 *
 * Per batch: the program computes keys, time, arguments and filters as columns; rows get the end of their
 * window, late ones and those without a time fall out; keys become bytes, bytes become slots, and each
 * aggregate adds its column to the slots. A sliding window repeats all but the program for every window that
 * a row is in.
 */
#include "operator/aggregate_stage.h"

void aggregate_lane_init(struct aggregate_stage *self, struct aggregate_lane *lane)
{
    lane->evaluator = evaluator_new(self->program);
    lane->groups = state_new_keyed(&(struct state_spec){self->spec.name, self->slot_bytes, self->spec.budget},
                                   state_key_bytes(self->key_types, self->spec.key_count));
    lane->by_shard = mem_array(struct slot_list, (size_t)self->spec.shards);
    lane->roots = mem_array(struct column, (size_t)self->root_count);
    lane->keys = mem_array(struct column, (size_t)self->spec.key_count);
}

static void drop_one(void *context, uint32_t slot)
{
    void *const *both = context;
    const struct aggregate_stage *self = both[0];
    struct aggregate_lane *lane = both[1];
    group_drop(self, group_at(lane->groups, slot), &lane->heap);
}

static void lane_drop_groups(struct aggregate_stage *self, struct aggregate_lane *lane)
{
    if (self->flat)
        return;
    state_each(lane->groups, drop_one, (void *[]){self, lane});
    always(heap_settle(&lane->heap, &self->spec, NULL) == E_OK); // it gives
}

void aggregate_lane_close(struct aggregate_stage *self, struct aggregate_lane *lane)
{
    if (lane->groups != NULL)
        lane_drop_groups(self, lane);
    evaluator_free(lane->evaluator);
    state_free(lane->groups);
    for (int32_t i = 0; lane->by_shard != NULL && i < self->spec.shards; i++)
        mem_free(lane->by_shard[i].slots);
    mem_free(lane->by_shard);
    mem_free(lane->roots);
    mem_free(lane->keys);
    key_room_free(&lane->room);
    selection_free(&lane->kept);
    mem_free(lane->row_slots);
    buffer_release(lane->wanted);
    buffer_release(lane->active);
    buffer_release(lane->filtered);
    *lane = (struct aggregate_lane){0};
}

void aggregate_lanes_clear(struct stateful *base)
{
    struct aggregate_stage *self = aggregate_of(base);
    for (int32_t i = 0; i < self->spec.lanes; i++) {
        struct aggregate_lane *lane = &self->lanes[i];
        lane_drop_groups(self, lane);
        state_clear(lane->groups);
        for (int32_t s = 0; s < self->spec.shards; s++)
            lane->by_shard[s].count = 0;
    }
}

/* ---- which rows, and when their group ends ---- */

/* One pass over the batch: the window `back` slides before the last one that holds the row. */
struct pass {
    const struct epoch_time *time;
    int64_t rows;
    int64_t back;
    const uint8_t *wanted; /* rows that no expression rejected; NULL = all */
    int64_t late, null_time;
    struct selection *late_rows; /* who they are; or NULL */
    int64_t folded;            /* rows that are in their groups whole */
};

/* The last window start at or before the time. */
static int64_t window_start(const struct aggregate_spec *spec, int64_t time_us)
{
    int64_t since = (time_us - spec->start_us % spec->slide_us) % spec->slide_us;
    return time_us - since - (since < 0 ? spec->slide_us : 0);
}

/* Rare. A row is late when even the last window that holds it, the one of the first pass, has ended. */
static void row_late(struct pass *pass, int64_t row)
{
    pass->late++;
    if (pass->late_rows == NULL || pass->back > 0)
        return;
    mem_grow(pass->late_rows->rows, pass->late_rows->capacity, pass->late_rows->count + 1);
    pass->late_rows->rows[pass->late_rows->count++] = (int32_t)row;
}

/* Windows: kept rows and the ends of their windows. Neighbours in time share the division. */
static void keep_by_window(const struct aggregate_stage *self, struct aggregate_lane *lane, struct pass *pass,
                           struct rejects *rejects)
{
    const struct column *col = &lane->roots[self->time_root];
    const int64_t *times = column_values(col, const int64_t);
    const struct aggregate_spec *spec = &self->spec;
    int64_t shift = spec->size_us - pass->back * spec->slide_us, start = 0, kept = 0;
    bool started = false;
    for (int64_t i = 0; i < pass->rows; i++) {
        if (pass->wanted != NULL && !bit_get(pass->wanted, i))
            continue;
        if (!column_valid_at(col, i)) {
            pass->null_time++;
            continue;
        }
        int64_t time = times[i];
        if (time > EVENT_TIME_LIMIT_US || time < -EVENT_TIME_LIMIT_US) {
            if (pass->back == 0)
                rejects_add(rejects, i, -1, REJECT_DATETIME);
            continue;
        }
        if (!started || (uint64_t)(time - start) >= (uint64_t)spec->slide_us) {
            start = window_start(spec, time);
            started = true;
        }
        int64_t end = start + shift;
        bool late = end <= pass->time->late_us;
        if (late)
            row_late(pass, i);
        lane->kept.rows[kept] = (int32_t)i;
        lane->room.ends[kept] = end;
        kept += !late & (time < end);
    }
    lane->kept.count = kept;
}

/* The event time itself is a key: its rows are late when it is. */
static void keep_by_time(const struct aggregate_stage *self, struct aggregate_lane *lane, struct pass *pass)
{
    const struct column *col = &lane->roots[self->time_root];
    const int64_t *times = column_values(col, const int64_t);
    int64_t kept = 0;
    for (int64_t i = 0; i < pass->rows; i++) {
        if (pass->wanted != NULL && !bit_get(pass->wanted, i))
            continue;
        if (!column_valid_at(col, i)) { // Spark keeps such a group for ever and never emits it
            pass->null_time++;
            continue;
        }
        bool late = times[i] <= pass->time->late_us;
        if (late)
            row_late(pass, i);
        lane->kept.rows[kept] = (int32_t)i;
        lane->room.ends[kept] = times[i];
        kept += !late;
    }
    lane->kept.count = kept;
}

static void keep_all(struct aggregate_lane *lane, const struct pass *pass)
{
    int64_t kept = 0;
    for (int64_t i = 0; i < pass->rows; i++) {
        lane->kept.rows[kept] = (int32_t)i;
        lane->room.ends[kept] = INT64_MAX;
        kept += pass->wanted == NULL || bit_get(pass->wanted, i);
    }
    lane->kept.count = kept;
}

/* ---- rows to slots ---- */

static void window_ends_column(struct column *out, const struct type *type, const int64_t *ends, int64_t rows)
{
    *out = (struct column){.type = type, .rows = rows, .values = buffer_new((size_t)rows * sizeof *ends)};
    memcpy(out->values->data, ends, (size_t)rows * sizeof *ends);
}

/* Key columns of the kept rows to bytes. Returns how many keys were too long and became empty. */
static int64_t encode_keys(const struct aggregate_stage *self, struct aggregate_lane *lane,
                           int64_t batch_rows)
{
    int64_t rows = lane->kept.count;
    for (int32_t k = 0; k < self->spec.key_count; k++) {
        if (self->key_root[k] < 0)
            window_ends_column(&lane->keys[k], self->key_types[k], lane->room.ends, rows);
        else if (rows == batch_rows)
            column_share(&lane->keys[k], &lane->roots[self->key_root[k]]);
        else
            column_gather(&lane->keys[k], &lane->roots[self->key_root[k]], lane->kept.rows, rows);
    }
    text_clear(&lane->room.keys);
    int64_t too_long = state_key_encode(lane->keys, self->spec.key_count, rows, &lane->room.keys,
                                        lane->room.offsets, lane->room.hashes);
    for (int32_t k = 0; k < self->spec.key_count; k++)
        column_release(&lane->keys[k]);
    return too_long;
}

/* Leave the rows with empty keys out; the first pass tells. */
static void reject_long_keys(struct aggregate_lane *lane, const struct pass *pass, struct rejects *rejects)
{
    int64_t kept = 0;
    for (int64_t i = 0; i < lane->kept.count; i++) {
        if (lane->room.offsets[i] == lane->room.offsets[i + 1]) {
            if (pass->back == 0)
                rejects_add(rejects, lane->kept.rows[i], -1, REJECT_TOO_BIG);
            continue;
        }
        lane->kept.rows[kept] = lane->kept.rows[i];
        lane->room.ends[kept++] = lane->room.ends[i];
    }
    lane->kept.count = kept;
}

static void start_groups(const struct aggregate_stage *self, struct aggregate_lane *lane,
                         int64_t created_count)
{
    const struct key_room *room = &lane->room;
    int64_t created = 0;
    for (int64_t i = 0; created < created_count; i++) {
        if (room->slots[i] != room->created[created])
            continue; // `created` follows the order of the rows
        group_init(self, group_at(lane->groups, room->slots[i]), room->ends[i]);
        slot_list_add(&lane->by_shard[shard_of(self, room->hashes[i])], room->slots[i]);
        created++;
    }
}

static enum code find_groups(const struct aggregate_stage *self, struct aggregate_lane *lane,
                             struct error *err)
{
    struct key_room *room = &lane->room;
    int64_t created_count = 0;
    enum code code = state_upsert(lane->groups, (const uint8_t *)room->keys.data, room->offsets, room->hashes,
                                  lane->kept.count, room->slots, room->created, &created_count, err);
    start_groups(self, lane, created_count);
    return code;
}

/* ---- rows into states ---- */

static struct buffer *bits_reserve(struct buffer **bits, int64_t rows)
{
    buffer_grow(bits, bit_bytes(rows));
    return *bits;
}

/* The slot of every row of the batch; *active: the bits of those that have one, or NULL when all do. */
static const uint32_t *row_slots(struct aggregate_lane *lane, int64_t rows, const uint8_t **active)
{
    *active = NULL;
    if (lane->kept.count == rows)
        return lane->room.slots;
    mem_grow(lane->row_slots, lane->row_capacity, rows);
    memset(lane->row_slots, 0, (size_t)rows * sizeof *lane->row_slots);
    uint8_t *bits = bits_reserve(&lane->active, rows)->data;
    memset(bits, 0, bit_bytes(rows));
    for (int64_t i = 0; i < lane->kept.count; i++) {
        lane->row_slots[lane->kept.rows[i]] = lane->room.slots[i];
        bit_set(bits, lane->kept.rows[i]);
    }
    *active = bits;
    return lane->row_slots;
}

/* active AND condition is true. */
static const uint8_t *filter_bits(struct aggregate_lane *lane, const struct column *condition,
                                  const uint8_t *active)
{
    size_t bytes = bit_bytes(condition->rows);
    uint8_t *bits = bits_reserve(&lane->filtered, condition->rows)->data;
    memcpy(bits, condition->values->data, bytes);
    for (size_t i = 0; condition->valid != NULL && i < bytes; i++)
        bits[i] &= condition->valid->data[i];
    for (size_t i = 0; active != NULL && i < bytes; i++)
        bits[i] &= active[i];
    return bits;
}

static void add_rows(const struct aggregate_stage *self, struct aggregate_lane *lane, int64_t rows,
                     struct rejects *rejects)
{
    const uint8_t *active;
    const uint32_t *slots = row_slots(lane, rows, &active);
    uint8_t *base = state_base(lane->groups);
    size_t stride = state_stride(lane->groups);
    for (int32_t c = 0; c < self->spec.call_count; c++) {
        const uint8_t *bits = active;
        if (self->filter_root[c] >= 0)
            bits = filter_bits(lane, &lane->roots[self->filter_root[c]], active);
        aggregate_add(&(struct aggregate_rows){.call = self->spec.calls[c],
                                               .args = lane->roots + self->arg_root[c],
                                               .rows = rows,
                                               .active = bits,
                                               .base = base + self->state_at[c],
                                               .stride = stride,
                                               .slots = slots,
                                               .rejects = rejects,
                                               .heap_bytes = &lane->heap.bytes});
    }
}

/* ---- a batch ---- */

static enum code run_pass(const struct aggregate_stage *self, struct aggregate_lane *lane, struct pass *pass,
                          struct rejects *rejects, struct error *err)
{
    if (self->windows_per_row > 0)
        keep_by_window(self, lane, pass, rejects);
    else if (self->time_root >= 0)
        keep_by_time(self, lane, pass);
    else
        keep_all(lane, pass);
    if (lane->kept.count == 0)
        return E_OK;
    if (encode_keys(self, lane, pass->rows) > 0) {
        reject_long_keys(lane, pass, rejects);
        encode_keys(self, lane, pass->rows);
    }
    TRY(find_groups(self, lane, err));
    int32_t rejected_before = rejects->count;
    add_rows(self, lane, pass->rows, rejects);
    pass->folded = lane->kept.count - (rejects->count - rejected_before);
    return heap_settle(&lane->heap, &self->spec, err);
}

/* All windows of the rows. A row is late when even the last window that holds it has ended. */
static enum code run_passes(const struct aggregate_stage *self, struct aggregate_lane *lane,
                            struct pass *pass, struct rejects *rejects, struct operator_counts *counts,
                            struct error *err)
{
    key_room_reserve(&lane->room, pass->rows);
    mem_grow(lane->kept.rows, lane->kept.capacity, pass->rows);
    TRY(run_pass(self, lane, pass, rejects, err));
    counts->late += pass->late;
    counts->null_time += pass->null_time;
    counts->aggregated += pass->folded;
    for (pass->back = 1; pass->back < self->windows_per_row; pass->back++)
        TRY(run_pass(self, lane, pass, rejects, err));
    return E_OK;
}

enum code aggregate_lane_batch(struct stateful *base, const struct lane_call *call, const struct batch *in,
                               struct error *err)
{
    struct aggregate_stage *self = aggregate_of(base);
    struct aggregate_lane *lane = &self->lanes[call->lane];
    struct rejects *rejects = call->rejects;
    int32_t rejected_before = rejects->count;
    call->counts->in += in->rows;
    if (in->rows == 0)
        return E_OK;
    TRY(evaluator_run(lane->evaluator, call->session, in, lane->roots, rejects, err));
    struct pass pass = {.time = call->time, .rows = in->rows, .late_rows = call->late};
    if (rejects->count > rejected_before) {
        uint8_t *wanted = bits_reserve(&lane->wanted, in->rows)->data;
        unrejected_bits(wanted, in->rows, rejects, rejected_before);
        pass.wanted = wanted;
    }
    enum code code = run_passes(self, lane, &pass, rejects, call->counts, err);
    for (int32_t i = 0; i < self->root_count; i++)
        column_release(&lane->roots[i]);
    call->counts->rejected += rejects->count - rejected_before;
    return code;
}

/* aggregate_lane.c - fold a worker's batches into its own groups.
 *
 * Per batch: the program computes keys, time, arguments and filters as columns; rows get the time that their
 * group is known by, late ones and those without a time fall out; keys become bytes, bytes become slots, and
 * each aggregate adds its column to the slots.
 *
 * The time of a group is the end of the window that the row is in; of its pane, when windows slide. A row of
 * a session is put with the rows that it shares a session with for sure: with q, the largest power of two up
 * to its gap, those of the same q whose times are in the same stretch of q microseconds, since each is within
 * the gap of the others. That group is known by 2 * the stretch's start + q, which tells both. Its session
 * reaches from the first time to the last end.
 */
#include "operator/aggregate_stage.h"

#include "base/hash.h"
#include "operator/place.h"

void aggregate_lane_init(struct aggregate_stage *self, struct aggregate_lane *lane)
{
    lane->evaluator = evaluator_new(self->program);
    lane->groups =
        state_new_keyed(&(struct state_spec){self->spec.name, self->head_bytes + self->states_bytes, self->spec.budget},
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
    states_drop(self, group_states(self, group_at(lane->groups, slot)), &lane->heap);
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
    mem_free(lane->places);
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

struct pass {
    const struct lane_call *call;
    int64_t rows;
    const uint8_t *wanted; /* rows that no expression rejected; NULL = all */
};

static bool is_wanted(const struct pass *pass, int64_t row)
{
    return pass->wanted == NULL || bit_get(pass->wanted, row);
}

/* False, and said so, for a time that a window cannot be computed for. */
static bool time_fits(const struct pass *pass, int64_t row, int64_t time_us)
{
    if (time_us <= EVENT_TIME_LIMIT_US && time_us >= -EVENT_TIME_LIMIT_US)
        return true;
    rejects_add(pass->call->rejects, row, -1, REJECT_DATETIME);
    return false;
}

/* Windows: a row is late when even the last window that holds it has ended. Neighbours in time share the
 * divisions. */
static void keep_by_window(const struct aggregate_stage *self, struct aggregate_lane *lane, const struct pass *pass)
{
    const struct column *col = &lane->roots[self->time_root];
    const int64_t *times = column_values(col, const int64_t);
    struct pane pane = {0};
    int64_t kept = 0;
    bool late = false;
    for (int64_t i = 0; i < pass->rows; i++) {
        if (!is_wanted(pass, i))
            continue;
        if (!column_valid_at(col, i)) {
            lane_call_drop(pass->call, i, ROW_NULL_TIME);
            continue;
        }
        int64_t time = times[i];
        if ((uint64_t)time - (uint64_t)pane.start_us >= (uint64_t)(pane.end_us - pane.start_us)) {
            if (!time_fits(pass, i, time))
                continue;
            pane = pane_at(&self->grid, time);
            late = pane_last_end(&self->grid, pane) <= pass->call->time->late_us;
        }
        if (late)
            lane_call_drop(pass->call, i, ROW_LATE);
        lane->kept.rows[kept] = (int32_t)i;
        lane->room.ends[kept] = pane.end_us;
        kept += !late;
    }
    lane->kept.count = kept;
}

/* Sessions: a row is late when it alone would be a session that has ended. Without a gap it is no session. */
static void keep_by_session(const struct aggregate_stage *self, struct aggregate_lane *lane, const struct pass *pass)
{
    const struct column *col = &lane->roots[self->time_root], *gap_col = &lane->roots[self->gap_root];
    const int64_t *times = column_values(col, const int64_t), *gaps = column_values(gap_col, const int64_t);
    int64_t kept = 0;
    for (int64_t i = 0; i < pass->rows; i++) {
        if (!is_wanted(pass, i))
            continue;
        if (!column_valid_at(col, i)) {
            lane_call_drop(pass->call, i, ROW_NULL_TIME);
            continue;
        }
        if (!column_valid_at(gap_col, i) || gaps[i] <= 0) {
            lane_call_drop(pass->call, i, ROW_FILTERED);
            continue;
        }
        int64_t time = times[i], gap = gaps[i];
        if (!time_fits(pass, i, time) || !time_fits(pass, i, gap))
            continue;
        bool late = time + gap <= pass->call->time->late_us;
        if (late)
            lane_call_drop(pass->call, i, ROW_LATE);
        int64_t stretch = (int64_t)1 << (63 - __builtin_clzll((uint64_t)gap));
        lane->kept.rows[kept] = (int32_t)i;
        lane->room.ends[kept] = 2 * (time & -stretch) + stretch;
        kept += !late;
    }
    lane->kept.count = kept;
}

/* The event time itself is a key: its rows are late when it is. */
static void keep_by_time(const struct aggregate_stage *self, struct aggregate_lane *lane, const struct pass *pass)
{
    const struct column *key = &lane->roots[self->time_root]; // a window of an earlier aggregate counts by its end
    const struct column *col = key->type->id == TYPE_STRUCT ? &key->children[1] : key;
    const int64_t *times = column_values(col, const int64_t);
    int64_t kept = 0;
    for (int64_t i = 0; i < pass->rows; i++) {
        if (!is_wanted(pass, i))
            continue;
        if (!column_valid_at(col, i)) { // Spark keeps such a group for ever and never emits it
            lane_call_drop(pass->call, i, ROW_NULL_TIME);
            continue;
        }
        bool late = times[i] <= pass->call->time->late_us;
        if (late)
            lane_call_drop(pass->call, i, ROW_LATE);
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
        kept += is_wanted(pass, i);
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
static int64_t encode_keys(const struct aggregate_stage *self, struct aggregate_lane *lane, int64_t batch_rows)
{
    int64_t rows = lane->kept.count;
    for (int32_t i = 0; i < self->spec.key_count; i++) {
        int32_t k = self->key_order[i];
        if (self->key_root[k] < 0)
            window_ends_column(&lane->keys[i], self->key_types[k], lane->room.ends, rows);
        else if (rows == batch_rows)
            column_share(&lane->keys[i], &lane->roots[self->key_root[k]]);
        else
            column_gather(&lane->keys[i], &lane->roots[self->key_root[k]], lane->kept.rows, rows);
    }
    text_clear(&lane->room.keys);
    int64_t too_long = state_key_encode(lane->keys, self->spec.key_count, rows, &lane->room.keys, lane->room.offsets,
                                        lane->room.hashes);
    for (int32_t k = 0; k < self->spec.key_count; k++)
        column_release(&lane->keys[k]);
    return too_long;
}

/* Leave the rows with empty keys out. */
static void reject_long_keys(struct aggregate_lane *lane, struct rejects *rejects)
{
    int64_t kept = 0;
    for (int64_t i = 0; i < lane->kept.count; i++) {
        if (lane->room.offsets[i] == lane->room.offsets[i + 1]) {
            rejects_add(rejects, lane->kept.rows[i], -1, REJECT_TOO_BIG);
            continue;
        }
        lane->kept.rows[kept] = lane->kept.rows[i];
        lane->room.ends[kept++] = lane->room.ends[i];
    }
    lane->kept.count = kept;
}

/* All groups of a timeline are one shard's. */
static uint64_t shard_hash(const struct aggregate_stage *self, const struct key_room *room, int64_t row)
{
    if (self->timelines == NULL)
        return room->hashes[row];
    size_t size = (size_t)(room->offsets[row + 1] - room->offsets[row]);
    return hash_bytes(room->keys.data + room->offsets[row], size - KEY_TIME_BYTES);
}

static void start_groups(const struct aggregate_stage *self, struct aggregate_lane *lane, int64_t created_count)
{
    const struct key_room *room = &lane->room;
    int64_t created = 0;
    for (int64_t i = 0; created < created_count; i++) {
        if (room->slots[i] != room->created[created])
            continue; // `created` follows the order of the rows
        struct group *group = group_at(lane->groups, room->slots[i]);
        group->end_us = room->ends[i];
        if (self->kind == WINDOW_SESSION) {
            group->end_us = INT64_MIN;
            ((struct session_group *)(void *)group)->start_us = INT64_MAX;
        }
        states_init(self, group_states(self, group));
        slot_list_add(&lane->by_shard[shard_of(self, shard_hash(self, room, i))], room->slots[i]);
        created++;
    }
}

/* A session reaches from its first row's time to where the last gap ends. */
static void widen_sessions(const struct aggregate_stage *self, struct aggregate_lane *lane)
{
    const int64_t *times = column_values(&lane->roots[self->time_root], const int64_t);
    const int64_t *gaps = column_values(&lane->roots[self->gap_root], const int64_t);
    for (int64_t i = 0; i < lane->kept.count; i++) {
        int64_t time = times[lane->kept.rows[i]], end = time + gaps[lane->kept.rows[i]];
        struct session_group *group = (struct session_group *)(void *)group_at(lane->groups, lane->room.slots[i]);
        group->start_us = time < group->start_us ? time : group->start_us;
        group->group.end_us = end > group->group.end_us ? end : group->group.end_us;
    }
}

static enum code find_groups(const struct aggregate_stage *self, struct aggregate_lane *lane, struct error *err)
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
static const uint8_t *filter_bits(struct aggregate_lane *lane, const struct column *condition, const uint8_t *active)
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

static const struct row_place *row_places(struct aggregate_lane *lane, const struct batch *in)
{
    mem_grow(lane->places, lane->place_capacity, in->rows);
    places_find(in, lane->places);
    return lane->places;
}

static void add_rows(const struct aggregate_stage *self, struct aggregate_lane *lane, const struct batch *in,
                     struct rejects *rejects)
{
    int64_t rows = in->rows;
    const struct row_place *places = self->ordered ? row_places(lane, in) : NULL;
    const uint8_t *active;
    const uint32_t *slots = row_slots(lane, rows, &active);
    uint8_t *base = state_base(lane->groups) + self->head_bytes;
    size_t stride = state_stride(lane->groups);
    for (int32_t c = 0; c < self->spec.call_count; c++) {
        const uint8_t *bits = active;
        if (self->filter_root[c] >= 0)
            bits = filter_bits(lane, &lane->roots[self->filter_root[c]], active);
        aggregate_add(&(struct aggregate_rows){.call = self->spec.calls[c],
                                               .args = lane->roots + self->arg_root[c],
                                               .rows = rows,
                                               .active = bits,
                                               .places = places,
                                               .base = base + self->state_at[c],
                                               .stride = stride,
                                               .slots = slots,
                                               .rejects = rejects,
                                               .heap_bytes = &lane->heap.bytes});
    }
}

/* ---- a batch ---- */

static void keep_rows(const struct aggregate_stage *self, struct aggregate_lane *lane, const struct pass *pass)
{
    key_room_reserve(&lane->room, pass->rows);
    mem_grow(lane->kept.rows, lane->kept.capacity, pass->rows);
    if (self->kind == WINDOW_SESSION)
        keep_by_session(self, lane, pass);
    else if (self->kind != WINDOW_NONE)
        keep_by_window(self, lane, pass);
    else if (self->time_root >= 0)
        keep_by_time(self, lane, pass);
    else
        keep_all(lane, pass);
}

static enum code fold_rows(const struct aggregate_stage *self, struct aggregate_lane *lane,
                           const struct lane_call *call, const struct batch *in, struct error *err)
{
    if (lane->kept.count == 0)
        return E_OK;
    if (encode_keys(self, lane, in->rows) > 0) {
        reject_long_keys(lane, call->rejects);
        encode_keys(self, lane, in->rows);
    }
    TRY(find_groups(self, lane, err));
    if (self->kind == WINDOW_SESSION)
        widen_sessions(self, lane);
    int32_t rejected_before = call->rejects->count;
    add_rows(self, lane, in, call->rejects);
    call->counts->aggregated += lane->kept.count - (call->rejects->count - rejected_before);
    return heap_settle(&lane->heap, &self->spec, err);
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
    struct pass pass = {.call = call, .rows = in->rows};
    if (rejects->count > rejected_before) {
        uint8_t *wanted = bits_reserve(&lane->wanted, in->rows)->data;
        unrejected_bits(wanted, in->rows, rejects, rejected_before);
        pass.wanted = wanted;
    }
    keep_rows(self, lane, &pass);
    enum code code = fold_rows(self, lane, call, in, err);
    for (int32_t i = 0; i < self->root_count; i++)
        column_release(&lane->roots[i]);
    call->counts->rejected += rejects->count - rejected_before;
    return code;
}

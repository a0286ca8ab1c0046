/* distinct.c - rows that come once, and INTERSECT and EXCEPT: whole rows as keys, a count in each slot.
 *
 *   DISTINCT       a row goes on when its key is new
 *   INTERSECT      a left row goes on when the right side has its key: once, or (ALL) as often as the right side
 *   EXCEPT         .. when the right side lacks it: once, or (ALL) as often as the left side has it more
 */
#include "query/stage.h"

struct row_count {
    int64_t right; /* rows of the right side that are left to pair */
    int64_t given; /* left rows that went on */
};
struct distinct_stage {
    struct stage base;
    struct state_table *table;
    struct selection kept;
    bool counted;
};

static enum code distinct_open(struct stage *base, __attribute__((unused)) struct error *err)
{
    struct distinct_stage *self = (struct distinct_stage *)base;
    self->table = state_new(
        &(struct state_spec){"the distinct rows of a query", sizeof(struct row_count), base->query->spec.budget});
    return E_OK;
}

/* The slots of the rows; rows whose key is too long fail. `columns` NULL: all of the batch. */
static enum code row_slots(struct distinct_stage *self, const struct batch *in, uint32_t *slots, uint32_t *created,
                           int64_t *created_count, struct error *err)
{
    const struct plan *plan = self->base.plan;
    bool chosen = plan->kind == PLAN_DEDUPLICATE;
    int32_t count = chosen ? plan->deduplicate.column_count : in->column_count;
    struct column *columns = mem_array(struct column, (size_t)count + 1);
    for (int32_t i = 0; i < count; i++)
        columns[i] = in->columns[chosen ? plan->deduplicate.columns[i] : i]; // borrowed
    struct text keys = {0};
    int32_t *offsets = mem_array(int32_t, (size_t)in->rows + 1);
    uint64_t *hashes = mem_array(uint64_t, (size_t)in->rows + 1);
    enum code code = E_OK;
    if (state_key_encode(columns, count, in->rows, &keys, offsets, hashes) > 0)
        code = fail(err, E_UNSUPPORTED, "[UNSUPPORTED_FEATURE] a row to compare of more than STATE_KEY_MAX = %d bytes",
                    STATE_KEY_MAX);
    if (code == E_OK)
        code = state_upsert(self->table, (const uint8_t *)keys.data, offsets, hashes, in->rows, slots, created,
                            created_count, err);
    text_free(&keys);
    mem_free(offsets);
    mem_free(hashes);
    mem_free(columns);
    return code;
}

static struct row_count *count_at(struct distinct_stage *self, uint32_t slot)
{
    return (struct row_count *)(void *)(state_base(self->table) + slot * state_stride(self->table));
}

/* ---- which rows go on ---- */

static bool goes_on(const struct plan *plan, struct row_count *count)
{
    if (plan->kind == PLAN_DEDUPLICATE)
        return count->given == 0;
    if (!plan->set.all)
        return count->given == 0 && (count->right > 0) == !plan->set.except;
    if (count->right == 0)
        return plan->set.except;
    count->right--;
    return !plan->set.except;
}

static enum code select_rows(struct distinct_stage *self, const struct batch *in, struct error *err)
{
    uint32_t *slots = mem_array(uint32_t, 2 * (size_t)in->rows + 1), *created = slots + in->rows;
    int64_t created_count = 0;
    enum code code = row_slots(self, in, slots, created, &created_count, err);
    mem_grow(self->kept.rows, self->kept.capacity, in->rows);
    self->kept.count = 0;
    for (int64_t row = 0; code == E_OK && row < in->rows; row++) {
        struct row_count *count = count_at(self, slots[row]);
        if (!goes_on(self->base.plan, count))
            continue;
        count->given++;
        self->kept.rows[self->kept.count++] = (int32_t)row;
    }
    mem_free(slots);
    return code;
}

static enum code count_right(struct distinct_stage *self, struct error *err)
{
    for (;;) {
        struct batch in;
        TRY(stage_pull(&self->base, 1, &in, err));
        if (in.rows == 0)
            return E_OK;
        uint32_t *slots = mem_array(uint32_t, 2 * (size_t)in.rows + 1);
        int64_t created_count = 0;
        enum code code = row_slots(self, &in, slots, slots + in.rows, &created_count, err);
        for (int64_t row = 0; code == E_OK && row < in.rows; row++)
            count_at(self, slots[row])->right++;
        mem_free(slots);
        batch_release(&in);
        TRY(code);
    }
}

static enum code distinct_next(struct stage *base, struct batch *out, struct error *err)
{
    struct distinct_stage *self = (struct distinct_stage *)base;
    if (base->input_count == 2 && !self->counted)
        TRY(count_right(self, err));
    self->counted = true;
    for (;;) {
        struct batch in;
        TRY(stage_pull(base, 0, &in, err));
        if (in.rows == 0)
            return E_OK;
        enum code code = select_rows(self, &in, err);
        if (code == E_OK && self->kept.count > 0)
            batch_gather(out, &in, self->kept.rows, self->kept.count);
        batch_release(&in);
        TRY(code);
        if (self->kept.count > 0) {
            out->schema = base->plan->schema;
            return E_OK;
        }
    }
}

static void distinct_close(struct stage *base)
{
    struct distinct_stage *self = (struct distinct_stage *)base;
    if (self->table != NULL)
        state_free(self->table);
    selection_free(&self->kept);
}

const struct stage_type distinct_stage = {.name = "distinct",
                                          .size = sizeof(struct distinct_stage),
                                          .open = distinct_open,
                                          .next = distinct_next,
                                          .close = distinct_close};
const struct stage_type set_stage = {.name = "set operation",
                                     .size = sizeof(struct distinct_stage),
                                     .open = distinct_open,
                                     .next = distinct_next,
                                     .close = distinct_close};

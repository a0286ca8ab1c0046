/* distinct.c - rows that come once, and INTERSECT and EXCEPT: whole rows as keys, a count in each slot.
 *
 *   DISTINCT       a row goes on when its key is new
 *   INTERSECT      a left row goes on when the right side has its key: once, or (ALL) as often as the right side
 *   EXCEPT         .. when the right side lacks it: once, or (ALL) as often as the left side has it more
 *
 * Full           the table keeps the keys that it has; rows with others go to disk, those of both sides parted alike, and
 *                are compared part by part
 */
#include "query/row_keys.h"

struct row_count {
    int64_t right; /* rows of the right side that are left to pair */
    int64_t given; /* left rows that went on */
};
struct distinct_stage {
    struct stage base;
    struct state_table *table;
    struct selection kept;
    bool counted;
    struct partitions *partitions; /* of what the table has no room for */
    struct part_stack parts;
    struct part part; /* whose rows are taken; no file: those of the inputs */
    int32_t block;    /* of its left side, next */
    bool ended[2];    /* the inputs */
};
enum { LEFT_SIDE, RIGHT_SIDE }; /* as the inputs */

static enum code distinct_open(struct stage *base, __attribute__((unused)) struct error *err)
{
    struct distinct_stage *self = (struct distinct_stage *)base;
    self->table =
        state_new(&(struct state_spec){"the distinct rows of a query", sizeof(struct row_count), &base->budget});
    return E_OK;
}

/* ---- slots ---- */

static enum code keys_encode(const struct distinct_stage *self, const struct batch *in, struct row_keys *out,
                             struct error *err)
{
    const struct plan *plan = self->base.plan;
    bool chosen = plan->kind == PLAN_DEDUPLICATE;
    int32_t count = chosen ? plan->deduplicate.column_count : in->column_count;
    struct column *columns = mem_array(struct column, (size_t)count + 1);
    for (int32_t i = 0; i < count; i++)
        columns[i] = in->columns[chosen ? plan->deduplicate.columns[i] : i]; // borrowed
    bool long_keys = row_keys_encode(out, columns, count, in->rows) > 0;
    mem_free(columns);
    return long_keys
               ? fail(err, E_UNSUPPORTED,
                      "[UNSUPPORTED_FEATURE] a row to compare of more than STATE_KEY_MAX = %d bytes", STATE_KEY_MAX)
               : E_OK;
}

static enum code slots_upsert(struct distinct_stage *self, const struct batch *in, struct row_keys *keys,
                              struct error *err)
{
    uint32_t *created = mem_array(uint32_t, (size_t)in->rows + 1);
    int64_t created_count = 0;
    enum code code = row_keys_upsert(keys, self->table, in->rows, created, &created_count, err);
    mem_free(created);
    return code;
}

static enum code row_slots(struct distinct_stage *self, int32_t side, const struct batch *in, struct row_keys *keys,
                           struct error *err)
{
    TRY(keys_encode(self, in, keys, err));
    if (self->partitions == NULL) {
        enum code code = slots_upsert(self, in, keys, err);
        if (code != E_MEMORY)
            return code;
        error_clear(err);
        TRY(partitions_new(self->base.query, self->part.level, &self->partitions, err));
    }
    return row_keys_split(keys, self->table, in, self->partitions, side, err);
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
    struct row_keys keys = {0};
    enum code code = row_slots(self, LEFT_SIDE, in, &keys, err);
    mem_grow(self->kept.rows, self->kept.capacity, in->rows);
    self->kept.count = 0;
    for (int64_t row = 0; code == E_OK && row < in->rows; row++) {
        if (keys.slots[row] == UINT32_MAX)
            continue; // its turn will come
        struct row_count *count = count_at(self, keys.slots[row]);
        if (!goes_on(self->base.plan, count))
            continue;
        count->given++;
        self->kept.rows[self->kept.count++] = (int32_t)row;
    }
    row_keys_free(&keys);
    return code;
}

static enum code count_rows(struct distinct_stage *self, const struct batch *in, struct error *err)
{
    struct row_keys keys = {0};
    enum code code = row_slots(self, RIGHT_SIDE, in, &keys, err);
    for (int64_t row = 0; code == E_OK && row < in->rows; row++)
        if (keys.slots[row] != UINT32_MAX)
            count_at(self, keys.slots[row])->right++;
    row_keys_free(&keys);
    return code;
}

/* ---- rows in: of the inputs, then of one part after the other ---- */

static enum code side_next(struct distinct_stage *self, int32_t side, int32_t *block, struct batch *in,
                           struct error *err)
{
    return part_rows_next(&self->part, &self->base, side, block, &self->ended[side], in, err);
}

static enum code count_right(struct distinct_stage *self, struct error *err)
{
    for (int32_t block = 0;;) {
        struct batch in;
        TRY(side_next(self, RIGHT_SIDE, &block, &in, err));
        if (in.rows == 0)
            return E_OK;
        enum code code = count_rows(self, &in, err);
        batch_release(&in);
        TRY(code);
    }
}

/* False: all is done. */
static enum code part_begin(struct distinct_stage *self, bool *more, struct error *err)
{
    enum code code = self->partitions != NULL ? partitions_end(self->partitions, &self->parts, err) : E_OK;
    partitions_free(self->partitions);
    self->partitions = NULL;
    part_free(&self->part);
    state_clear(self->table);
    self->block = 0;
    self->counted = false;
    *more = code == E_OK && part_take(&self->parts, &self->part);
    return code;
}

/* Rows that come once are those of a group: zero has no sign in them. The columns are nobody else's. */
static void zeros_sign_off(struct column *col)
{
    if (col->type == NULL)
        return; // nobody needs it
    for (int64_t i = 0; col->type->id == TYPE_FLOAT && i < col->rows; i++)
        ((float *)(void *)col->values->data)[i] += 0.0f;
    for (int64_t i = 0; col->type->id == TYPE_DOUBLE && i < col->rows; i++)
        ((double *)(void *)col->values->data)[i] += 0.0;
    for (int32_t i = 0; i < col->child_count; i++)
        zeros_sign_off(&col->children[i]);
}

static void rows_give(const struct distinct_stage *self, const struct batch *in, struct batch *out)
{
    const struct plan *plan = self->base.plan;
    batch_gather(out, in, self->kept.rows, self->kept.count);
    for (int32_t i = 0; (plan->kind == PLAN_DEDUPLICATE || !plan->set.all) && i < out->column_count; i++)
        zeros_sign_off(&out->columns[i]);
    out->schema = plan->schema;
}

/* An INTERSECT whose right side has no rows: the left ones are not computed. Spark does so without ALL alone. */
static bool meets_nothing(const struct distinct_stage *self)
{
    const struct plan *plan = self->base.plan;
    return self->base.input_count == 2 && !plan->set.except && !plan->set.all && self->partitions == NULL &&
           self->part.file == NULL && state_count(self->table) == 0;
}

static enum code distinct_next(struct stage *base, struct batch *out, struct error *err)
{
    struct distinct_stage *self = (struct distinct_stage *)base;
    for (bool more = true; more;) {
        struct batch in;
        if (base->input_count == 2 && !self->counted)
            TRY(count_right(self, err));
        self->counted = true;
        if (meets_nothing(self))
            return E_OK;
        TRY(side_next(self, LEFT_SIDE, &self->block, &in, err));
        if (in.rows == 0) {
            TRY(part_begin(self, &more, err));
            continue;
        }
        enum code code = select_rows(self, &in, err);
        if (code == E_OK && self->kept.count > 0)
            rows_give(self, &in, out);
        batch_release(&in);
        TRY(code);
        if (self->kept.count > 0)
            return E_OK;
    }
    return E_OK;
}

static void distinct_close(struct stage *base)
{
    struct distinct_stage *self = (struct distinct_stage *)base;
    partitions_free(self->partitions);
    part_stack_free(&self->parts);
    part_free(&self->part);
    if (self->table != NULL)
        state_free(self->table);
    selection_free(&self->kept);
}

const struct stage_type distinct_stage = {.name = "distinct",
                                          .size = sizeof(struct distinct_stage),
                                          .open = distinct_open,
                                          .next = distinct_next,
                                          .close = distinct_close,
                                          .spills = true};
const struct stage_type set_stage = {.name = "set operation",
                                     .size = sizeof(struct distinct_stage),
                                     .open = distinct_open,
                                     .next = distinct_next,
                                     .close = distinct_close,
                                     .spills = true};

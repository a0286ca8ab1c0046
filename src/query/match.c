/* match.c - joins: one side is hashed, the rows of the other seek their partners (operator/lookup.c).
 *
 *   INNER, LEFT, SEMI, ANTI   the right side is hashed
 *   RIGHT                     the left one
 *   FULL                      LEFT, and then the right rows that found nobody (ANTI with the sides changed)
 *
 * Holds    the hashed side; FULL holds both
 * Full     when that does not fit, the rows of both sides go to disk, parted by their keys, and are joined part by part.
 *          Joins without an equality, and NOT IN, which asks about all rows at once, are not parted
 * Matches  of rows that find too many are thrown away, and half of the rows seek again
 */
#include "lower/lower.h"
#include "query/portion.h"
#include "query/row_keys.h"

struct match_side {
    struct lookup_spec spec;
    struct lookup_table *table;
    struct lookup *lookup;
};
struct match_stage {
    struct stage base;
    int32_t hashed;               /* input */
    struct match_side main, rest; /* rest: FULL only */
    struct stored_rows held[2];
    struct stored_rows ready;   /* matched and not yet given */
    struct budget ready_budget; /* of them: what one batch finds */
    int32_t ready_at;
    int32_t seek_at;            /* FULL: batch of the held side that seeks next; of a part: block */
    struct batch seeking;       /* rows that seek, */
    int64_t sought;             /* of which so many have, */
    int64_t seek_rows_max;      /* so many at a time; 0 = all */
    struct computation keys[2]; /* of the inputs */
    bool ended[2];              /* inputs that have no more rows */
    struct batch surplus;       /* of surplus_side, which did not fit any more */
    int32_t surplus_side;
    struct part_stack parts;
    struct part part; /* whose rows are joined; no file: those of the inputs */
    enum { MATCH_BUILD, MATCH_SEEK, MATCH_REST, MATCH_DONE } phase;
};

static enum code match_open(struct stage *base, struct error *err)
{
    struct match_stage *self = (struct match_stage *)base;
    const struct plan *plan = base->plan;
    self->hashed = plan->join.kind == JOIN_RIGHT ? 0 : 1;
    bool outer = plan->join.kind == JOIN_RIGHT || plan->join.kind == JOIN_FULL; // seen from the rows that seek
    self->main.spec = lookup_spec_of(plan, self->hashed, outer ? JOIN_TYPE_LEFT : join_type_of(plan->join.kind));
    TRY(lookup_new(&base->query->arena, &self->main.spec, &self->main.lookup, err));
    if (plan->join.kind != JOIN_FULL)
        return E_OK;
    self->rest.spec = lookup_spec_of(plan, 0, JOIN_TYPE_ANTI);
    self->rest.spec.schema = plan->inputs[1]->schema;
    return lookup_new(&base->query->arena, &self->rest.spec, &self->rest.lookup, err);
}

static struct position lookup_step(const void *lookup, int32_t step) { return lookup_position(lookup, step); }

static enum code keep(void *context, struct batch *out, struct error *err)
{
    struct match_stage *self = context;
    struct batch taken = batch_take(out);
    return stored_rows_add(&self->ready, &taken, &self->ready_budget, err);
}

static enum code seek(struct match_stage *self, const struct match_side *side, const struct batch *in,
                      struct error *err)
{
    struct query *query = self->base.query;
    const struct emit emit = {keep, self};
    TRY(lookup_batch(side->lookup, side->table, query->spec.session, in, &query->rejects, &query->counts, &emit, err));
    return stage_check(&self->base, lookup_step, side->lookup, err);
}

/* ---- the phases ---- */

static void tables_free(struct match_stage *self)
{
    struct match_side *sides[] = {&self->main, &self->rest};
    for (int i = 0; i < 2; i++) {
        lookup_table_free(sides[i]->table);
        sides[i]->table = NULL;
    }
}

static void held_free(struct match_stage *self)
{
    for (int i = 0; i < 2; i++)
        stored_rows_free(&self->held[i], &self->base.budget);
}

static enum code table_build(struct match_stage *self, struct match_side *side, int32_t hashed, struct error *err)
{
    struct query *query = self->base.query;
    struct stored_rows *rows = &self->held[hashed];
    return lookup_table_new(&side->spec, query->spec.session, rows->batches, rows->count, &self->base.budget,
                            &side->table, err);
}

/* The next rows of an input, or of the part at hand; none: the side has ended. */
static enum code side_next(struct match_stage *self, int32_t side, int32_t *block, struct batch *out, struct error *err)
{
    return part_rows_next(&self->part, &self->base, side, block, &self->ended[side], out, err);
}

/* All rows of a side. When they do not fit, the ones that came last are in `surplus`. */
static enum code side_hold(struct match_stage *self, int32_t side, struct error *err)
{
    struct budget *budget = &self->base.budget;
    for (int32_t block = 0;;) {
        struct batch rows;
        TRY(side_next(self, side, &block, &rows, err));
        if (rows.rows == 0)
            return E_OK;
        size_t size = batch_bytes(&rows);
        bool long_columns = self->held[side].charged_bytes + size > COLUMN_BYTES_MAX;
        enum code code = long_columns ? fail(err, E_MEMORY, "the rows of a join have more than COLUMN_BYTES_MAX bytes")
                                      : budget_take(budget, size, "the rows of a join", err);
        if (code != E_OK) {
            self->surplus = rows;
            self->surplus_side = side;
            return code;
        }
        TRY(stored_rows_put(&self->held[side], &rows, size, budget, err));
    }
}

static enum code tables_build(struct match_stage *self, struct error *err)
{
    TRY(side_hold(self, self->hashed, err));
    TRY(table_build(self, &self->main, self->hashed, err));
    if (self->base.plan->join.kind != JOIN_FULL) {
        stored_rows_free(&self->held[self->hashed], &self->base.budget); // the table has copies
        return E_OK;
    }
    TRY(side_hold(self, 0, err));
    return table_build(self, &self->rest, 0, err);
}

/* ---- parts ---- */

/* Those that are held, and those that are still to come. */
static enum code side_part(struct match_stage *self, struct partitions *to, int32_t side, struct error *err)
{
    struct stored_rows *held = &self->held[side];
    for (int32_t i = 0; i < held->count; i++)
        TRY(row_keys_part(&self->keys[side], &self->base, to, side, &held->batches[i], err));
    stored_rows_free(held, &self->base.budget);
    struct batch rows = {0};
    if (self->surplus_side == side)
        rows = batch_take(&self->surplus);
    for (int32_t block = 0;;) {
        enum code code = rows.rows > 0 ? row_keys_part(&self->keys[side], &self->base, to, side, &rows, err) : E_OK;
        batch_release(&rows);
        TRY(code);
        TRY(side_next(self, side, &block, &rows, err));
        if (rows.rows == 0)
            return E_OK;
    }
}

static bool can_part(const struct match_stage *self)
{
    return self->main.spec.key_count > 0 && !self->main.spec.null_aware;
}

/* The hashed side does not fit: all rows of both leave. */
static enum code sides_part(struct match_stage *self, struct error *err)
{
    struct partitions *to;
    TRY(partitions_new(self->base.query, self->part.level, &to, err));
    error_clear(err);
    if (self->part.file != NULL) { // its rows are all on disk
        held_free(self);
        batch_release(&self->surplus);
    }
    enum code code = E_OK;
    for (int32_t side = 0; side < 2 && code == E_OK; side++) {
        const struct plan_join *join = &self->base.plan->join;
        if (self->keys[side].columns == NULL)
            code = computation_open(&self->keys[side], &self->base, join->sides[side].keys, join->key_count, err);
        if (code == E_OK)
            code = side_part(self, to, side, err);
    }
    if (code == E_OK)
        code = partitions_end(to, &self->parts, err);
    partitions_free(to);
    return code;
}

/* The next part becomes the one at hand; without any, all is done. */
static void part_next(struct match_stage *self)
{
    tables_free(self);
    held_free(self);
    part_free(&self->part);
    self->seek_at = 0;
    self->phase = part_take(&self->parts, &self->part) ? MATCH_BUILD : MATCH_DONE;
}

static enum code build_next(struct match_stage *self, struct error *err)
{
    enum code code = tables_build(self, err);
    if (code != E_MEMORY || !can_part(self)) {
        self->phase = MATCH_SEEK;
        return code;
    }
    tables_free(self);
    TRY(sides_part(self, err));
    part_next(self);
    return E_OK;
}

/* ---- seeking ---- */

/* Some rows seek; fewer when they found more than there is room for. */
static enum code seek_some(struct match_stage *self, const struct match_side *side, struct error *err)
{
    int64_t left = self->seeking.rows - self->sought;
    int64_t rows = self->seek_rows_max > 0 && self->seek_rows_max < left ? self->seek_rows_max : left;
    struct batch some;
    batch_slice(&some, &self->seeking, self->sought, self->sought + rows);
    self->ready_budget.limit_bytes = rows > 1 ? room_of(self->base.query) : 0;
    self->ready_budget.of = rows > 1 ? NULL : self->base.query->spec.budget;
    enum code code = seek(self, side, &some, err);
    batch_release(&some);
    if (code == E_MEMORY && rows > 1) {
        error_clear(err);
        rejects_clear(&self->base.query->rejects);
        stored_rows_free(&self->ready, &self->ready_budget);
        self->seek_rows_max = rows / 2;
        return E_OK;
    }
    self->sought += rows;
    return code;
}

static enum code seeking_next(struct match_stage *self, struct error *err)
{
    batch_release(&self->seeking);
    self->sought = 0;
    if (self->base.plan->join.kind != JOIN_FULL)
        return side_next(self, 1 - self->hashed, &self->seek_at, &self->seeking, err);
    if (self->seek_at < self->held[0].count)
        batch_share(&self->seeking, &self->held[0].batches[self->seek_at++]);
    return E_OK;
}

static enum code seek_next(struct match_stage *self, struct error *err)
{
    if (self->sought == self->seeking.rows)
        TRY(seeking_next(self, err));
    if (self->seeking.rows > 0)
        return seek_some(self, &self->main, err);
    self->seek_at = 0;
    if (self->base.plan->join.kind == JOIN_FULL)
        self->phase = MATCH_REST;
    else
        part_next(self);
    return E_OK;
}

/* Right rows that nobody matched, behind NULLs of the left side. */
static void beside_nulls(struct match_stage *self, struct batch *rows)
{
    const struct plan *plan = self->base.plan;
    int32_t left = plan->inputs[0]->schema->field_count;
    struct batch wide;
    batch_init(&wide, plan->schema, rows->rows);
    for (int32_t c = 0; c < wide.column_count; c++) {
        if (c < left)
            column_all_null(&wide.columns[c], plan->schema->fields[c].type, rows->rows);
        else
            wide.columns[c] = column_take(&rows->columns[c - left]);
    }
    batch_release(rows);
    *rows = wide;
}

static enum code rest_next(struct match_stage *self, struct error *err)
{
    if (self->sought == self->seeking.rows) {
        batch_release(&self->seeking);
        self->sought = 0;
        if (self->seek_at == self->held[1].count) {
            part_next(self);
            return E_OK;
        }
        batch_share(&self->seeking, &self->held[1].batches[self->seek_at++]);
    }
    TRY(seek_some(self, &self->rest, err));
    for (int32_t i = 0; i < self->ready.count; i++)
        beside_nulls(self, &self->ready.batches[i]);
    return E_OK;
}

static enum code match_next(struct stage *base, struct batch *out, struct error *err)
{
    struct match_stage *self = (struct match_stage *)base;
    while (self->ready_at == self->ready.count) {
        stored_rows_free(&self->ready, &self->ready_budget);
        self->ready_at = 0;
        switch (self->phase) {
        case MATCH_BUILD: TRY(build_next(self, err)); break;
        case MATCH_SEEK: TRY(seek_next(self, err)); break;
        case MATCH_REST: TRY(rest_next(self, err)); break;
        case MATCH_DONE: return E_OK;
        }
    }
    *out = batch_take(&self->ready.batches[self->ready_at++]);
    return E_OK;
}

static void match_close(struct stage *base)
{
    struct match_stage *self = (struct match_stage *)base;
    tables_free(self);
    held_free(self);
    lookup_free(self->main.lookup);
    lookup_free(self->rest.lookup);
    stored_rows_free(&self->ready, &self->ready_budget);
    batch_release(&self->seeking);
    batch_release(&self->surplus);
    part_stack_free(&self->parts);
    part_free(&self->part);
    for (int side = 0; side < 2; side++)
        computation_close(&self->keys[side]);
}

const struct stage_type match_stage = {.name = "join",
                                       .size = sizeof(struct match_stage),
                                       .open = match_open,
                                       .next = match_next,
                                       .close = match_close,
                                       .spills = true};

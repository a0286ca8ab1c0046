/* match.c - joins: one side is hashed, the rows of the other seek their partners (operator/lookup.c).
 *
 *   INNER, LEFT, SEMI, ANTI   the right side is hashed
 *   RIGHT                     the left one
 *   FULL                      LEFT, and then the right rows that found nobody (ANTI with the sides changed)
 *
 * Holds    the hashed side; FULL holds both
 */
#include "lower/lower.h"
#include "query/stage.h"

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
    struct stored_rows ready; /* matched and not yet given */
    int32_t ready_at;
    int32_t seek_at; /* FULL: batch of the held side that seeks next */
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
    return stored_rows_add(&self->ready, &taken, self->base.query->spec.budget, err);
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

static enum code table_build(struct match_stage *self, struct match_side *side, int32_t hashed, struct error *err)
{
    struct query *query = self->base.query;
    struct stored_rows *rows = &self->held[hashed];
    return lookup_table_new(&side->spec, query->spec.session, rows->batches, rows->count, query->spec.budget,
                            &side->table, err);
}

static enum code build_tables(struct match_stage *self, struct error *err)
{
    struct stage *base = &self->base;
    bool full = base->plan->join.kind == JOIN_FULL;
    TRY(stage_hold(base, self->hashed, &self->held[self->hashed], err));
    TRY(table_build(self, &self->main, self->hashed, err));
    if (!full) {
        stored_rows_free(&self->held[self->hashed], base->query->spec.budget); // the table has copies
        return E_OK;
    }
    TRY(stage_hold(base, 0, &self->held[0], err));
    return table_build(self, &self->rest, 0, err);
}

static enum code seek_next(struct match_stage *self, struct error *err)
{
    struct batch in;
    if (self->base.plan->join.kind == JOIN_FULL) {
        if (self->seek_at < self->held[0].count)
            return seek(self, &self->main, &self->held[0].batches[self->seek_at++], err);
        self->seek_at = 0;
        self->phase = MATCH_REST;
        return E_OK;
    }
    TRY(stage_pull(&self->base, 1 - self->hashed, &in, err));
    if (in.rows == 0) {
        self->phase = MATCH_DONE;
        return E_OK;
    }
    enum code code = seek(self, &self->main, &in, err);
    batch_release(&in);
    return code;
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
    if (self->seek_at == self->held[1].count) {
        self->phase = MATCH_DONE;
        return E_OK;
    }
    TRY(seek(self, &self->rest, &self->held[1].batches[self->seek_at++], err));
    for (int32_t i = 0; i < self->ready.count; i++)
        beside_nulls(self, &self->ready.batches[i]);
    return E_OK;
}

static enum code match_next(struct stage *base, struct batch *out, struct error *err)
{
    struct match_stage *self = (struct match_stage *)base;
    while (self->ready_at == self->ready.count) {
        stored_rows_free(&self->ready, base->query->spec.budget);
        self->ready_at = 0;
        switch (self->phase) {
        case MATCH_BUILD:
            TRY(build_tables(self, err));
            self->phase = MATCH_SEEK;
            break;
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
    struct budget *budget = base->query->spec.budget;
    struct match_side *sides[] = {&self->main, &self->rest};
    for (int i = 0; i < 2; i++) {
        if (sides[i]->table != NULL)
            lookup_table_free(sides[i]->table);
        lookup_free(sides[i]->lookup);
        stored_rows_free(&self->held[i], budget);
    }
    stored_rows_free(&self->ready, budget);
}

const struct stage_type match_stage = {
    .name = "join", .size = sizeof(struct match_stage), .open = match_open, .next = match_next, .close = match_close};

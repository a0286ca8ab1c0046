/* projection.c - compute columns. Rows that an expression rejected are gathered away, so that their NULLs go
 * no further. */
#include "operator/operator.h"

#include "operator/selection.h"

struct project {
    const struct type *schema;
    struct program *program;
    struct evaluator *evaluator;
    struct selection kept;
};

enum code project_new(struct arena *arena, const struct expr *const *exprs, int32_t count, const struct type *schema,
                      struct project **out, struct error *err)
{
    struct project *self = arena_new(arena, struct project);
    self->schema = schema;
    TRY(program_compile(arena, exprs, count, &self->program, err));
    self->evaluator = evaluator_new(self->program);
    *out = self;
    return E_OK;
}

enum code project_batch(struct project *self, const struct session *session, const struct batch *in,
                        struct rejects *rejects, struct operator_counts *counts, struct batch *out, struct error *err)
{
    int32_t rejected_before = rejects->count;
    struct batch computed;
    batch_init(&computed, self->schema, in->rows);
    enum code code = evaluator_run(self->evaluator, session, in, computed.columns, rejects, err);
    if (code != E_OK) {
        batch_release(&computed);
        return code;
    }
    batch_share_origin(&computed, in);
    int64_t rejected = rejects->count - rejected_before;
    if (rejected == 0) {
        *out = batch_take(&computed);
    } else {
        selection_unrejected(&self->kept, in->rows, rejects, rejected_before);
        batch_gather(out, &computed, self->kept.rows, self->kept.count);
        batch_release(&computed);
    }
    counts->in += in->rows;
    counts->out += out->rows;
    counts->rejected += in->rows - out->rows;
    return E_OK;
}

struct position project_position(const struct project *self, int32_t step)
{
    return program_step_position(self->program, step);
}

void project_free(struct project *self)
{
    if (self == NULL)
        return;
    evaluator_free(self->evaluator);
    selection_free(&self->kept);
}

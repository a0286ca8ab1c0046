/* filter.c - keep the rows where the predicate is true. All rows: columns are shared. None: an empty batch.
 * Some: gathered. */
#include "operator/operator.h"

#include "operator/selection.h"

struct filter {
    struct program *program;
    struct evaluator *evaluator;
    struct selection kept;
};

enum code filter_new(struct arena *arena, const struct expr *predicate, struct filter **out, struct error *err)
{
    struct filter *self = arena_new(arena, struct filter);
    TRY(program_compile(arena, &predicate, 1, &self->program, err));
    self->evaluator = evaluator_new(self->program);
    *out = self;
    return E_OK;
}

enum code filter_batch(struct filter *self, const struct session *session, const struct batch *in,
                       struct rejects *rejects, struct operator_counts *counts, struct batch *out, struct error *err)
{
    int32_t rejected_before = rejects->count;
    struct column condition = {0};
    TRY(evaluator_run(self->evaluator, session, in, &condition, rejects, err));
    selection_true(&self->kept, &condition);
    column_release(&condition);
    if (self->kept.count == in->rows)
        batch_share(out, in);
    else if (self->kept.count == 0)
        batch_init(out, in->schema, 0);
    else
        batch_gather(out, in, self->kept.rows, self->kept.count);
    int64_t rejected = rejects->count - rejected_before;
    counts->in += in->rows;
    counts->out += self->kept.count;
    counts->rejected += rejected;
    counts->filtered += in->rows - self->kept.count - rejected;
    return E_OK;
}

struct position filter_position(const struct filter *self, int32_t step)
{
    return program_step_position(self->program, step);
}

void filter_free(struct filter *self)
{
    if (self == NULL)
        return;
    evaluator_free(self->evaluator);
    selection_free(&self->kept);
}

/* analyse_sample.c - TABLESAMPLE: a share of the rows, each drawn on its own as Spark draws it, or the first rows. */
#include "sql/analyser.h"

/* A constant of the sample as a DOUBLE; NULL is 0. */
static enum code sample_number(struct analyser *self, const struct ast *ast, double *out)
{
    struct rowset nothing = {.plan = plan_one_row(self, ast->at)};
    struct scope scope = {.rows = &nothing, .clause = "TABLESAMPLE"};
    const struct expr *value;
    TRY(analyse_expr(self, &scope, ast, &value));
    TRY(placed(self, expr_cast(&self->expr, value, type_of(TYPE_DOUBLE), false, ast->at, &value, self->err), ast->at));
    if (!expr_is_constant(value))
        return sql_error(self, ast->at, NULL, "[PARSE_SYNTAX_ERROR] TABLESAMPLE takes constants.");
    TRY(placed(self, expr_fold(&self->expr, value, &value, self->err), ast->at));
    *out = column_is_null(value->literal, 0) ? 0 : column_values(value->literal, double)[0];
    return E_OK;
}

static enum code sample_fraction(struct analyser *self, const struct ast_sample *sample, double *out)
{
    double of = 100;
    TRY(sample_number(self, sample->size, out));
    if (sample->kind == SAMPLE_BUCKET)
        TRY(sample_number(self, sample->buckets, &of));
    *out /= of;
    if (*out >= 0 && *out <= 1)
        return E_OK;
    return sql_error(self, sample->at, NULL,
                     "[_LEGACY_ERROR_TEMP_0064] Sampling fraction (%g) must be on interval [0, 1].", *out);
}

/* rand(seed) < fraction: the numbers that Spark's sampler draws for a partition. */
static enum code sample_filter(struct analyser *self, const struct ast_sample *sample, double fraction,
                               struct rowset *rows)
{
    const struct expr *args[2] = {NULL, expr_double(&self->expr, fraction, sample->at)}, *seed = NULL;
    struct rowset nothing = {.plan = plan_one_row(self, sample->at)};
    struct scope scope = {.rows = &nothing, .clause = "TABLESAMPLE"};
    if (sample->seed != NULL)
        TRY(analyse_expr(self, &scope, sample->seed, &seed));
    TRY(placed(self, expr_call(&self->expr, "rand", &seed, seed != NULL, sample->at, &args[0], self->err), sample->at));
    TRY(placed(self, expr_call(&self->expr, "<", args, 2, sample->at, &args[0], self->err), sample->at));
    rows->plan = plan_filter(self->arena, rows->plan, args[0], sample->at);
    return E_OK;
}

enum code analyse_sample(struct analyser *self, const struct ast_sample *sample, struct rowset *rows)
{
    double fraction;
    if (rows->plan->streaming)
        return sql_error(self, sample->at, "sample where the table is read",
                         "[UNSUPPORTED_OPERATION] TABLESAMPLE is not supported on a stream.");
    if (sample->kind == SAMPLE_ROWS) {
        const struct ast_query limit = {.limit = sample->size, .limit_at = sample->at};
        return analyse_limit(self, &limit, rows);
    }
    TRY(sample_fraction(self, sample, &fraction));
    return fraction < 1 ? sample_filter(self, sample, fraction, rows) : E_OK;
}

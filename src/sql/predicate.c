#include "sql/predicate.h"

void predicate_split(struct arena *arena, const struct expr *predicate, struct list *out)
{
    if (!expr_is_call(predicate, "and")) {
        list_add(arena, out, predicate);
        return;
    }
    for (int32_t i = 0; i < predicate->arg_count; i++)
        predicate_split(arena, predicate->args[i], out);
}

/* In halves: a list of thousands must not become a tree of thousands of levels. */
static const struct expr *all_of(struct expr_context *ctx, void *const *parts, int32_t count)
{
    struct error err = {0};
    if (count == 1)
        return parts[0];
    int32_t half = (count + 1) / 2;
    const struct expr *args[2] = {all_of(ctx, parts, half), all_of(ctx, parts + half, count - half)};
    const struct expr *both;
    // both are BOOLEAN, and lower than analyse_boolean() lets a condition be
    always(expr_call(ctx, "and", args, 2, args[0]->at, &both, &err) == E_OK);
    return both;
}

const struct expr *predicate_all(struct expr_context *ctx, const struct list *parts)
{
    return parts->count > 0 ? all_of(ctx, parts->items, parts->count) : NULL;
}

/* ---- what it reads ---- */

struct reading {
    int32_t left_count;
    int reads;
};

static void note_side(void *context, const struct expr *column)
{
    struct reading *self = context;
    if (column->index >= COLUMN_MARK)
        self->reads |= READS_MARKS;
    else
        self->reads |= column->index < self->left_count ? READS_LEFT : READS_RIGHT;
}

int predicate_reads(const struct expr *expr, int32_t left_count)
{
    struct reading reading = {.left_count = left_count};
    expr_each_column(expr, note_side, &reading);
    return reading.reads;
}

struct sought {
    int32_t column;
    bool found;
};

static void compare_column(void *context, const struct expr *column)
{
    struct sought *self = context;
    self->found = self->found || column->index == self->column;
}

bool predicate_reads_column(const struct expr *expr, int32_t column)
{
    struct sought sought = {column, false};
    expr_each_column(expr, compare_column, &sought);
    return sought.found;
}

/* ---- moving ---- */

struct shift {
    struct expr_context *ctx;
    int32_t by;
    const struct type *schema;
};

static const struct expr *shift_column(void *context, const struct expr *column)
{
    const struct shift *self = context;
    if (column->index >= COLUMN_MARK)
        return column;
    int32_t index = column->index + self->by;
    return expr_column(self->ctx, index, &self->schema->fields[index], column->at);
}

const struct expr *predicate_shift(struct expr_context *ctx, const struct expr *expr, int32_t shift,
                                   const struct type *schema)
{
    struct shift self = {ctx, shift, schema};
    return expr_rewrite(ctx->arena, expr, shift_column, &self);
}

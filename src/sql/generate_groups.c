/* generate_groups.c - generators in a SELECT list with groups: they stand over the groups, and read aggregates. */
#include "sql/select.h"

static bool has_aggregate(const struct ast *ast)
{
    if (ast->kind == AST_CALL && !ast->flag && (ast->call == NULL || ast->call->over == NULL) &&
        function_kind(ast->text) == FUNCTION_AGGREGATE)
        return true;
    for (int32_t i = 0; i < ast->arg_count; i++)
        if (has_aggregate(ast->args[i]))
            return true;
    return false;
}

bool select_has_groups(const struct ast_select *ast)
{
    bool groups = ast->grouped;
    for (int32_t i = 0; i < ast->item_count && !groups; i++)
        groups = has_aggregate(ast->items[i].expr);
    return groups;
}

enum code select_generator(struct analyser *self, struct select *select, const struct ast_item *item,
                           struct grouped_generator **out)
{
    const char *const *names = item->alias != NULL ? &item->alias : item->aliases;
    struct grouped_generator *grouped = arena_new(self->arena, struct grouped_generator);
    struct scope scope;
    int32_t overs = select->overs.count;
    select_scope(select, "the SELECT list", &scope);
    TRY(bind_generator(self, &scope, item->expr, names, item->alias != NULL ? 1 : item->alias_count,
                       &grouped->generator));
    if (select->overs.count > overs)
        return not_yet(self, item->expr->at, "a window function within a generator: compute it in a subquery");
    grouped->mark = select->generated;
    grouped->column = -1;
    grouped->at = item->expr->at;
    select->generated += grouped->generator.field_count;
    list_add(self->arena, &select->generators, grouped);
    *out = grouped;
    return E_OK;
}

const struct grouped_generator *generator_of(const struct select *select, const struct expr *expr)
{
    if (expr->kind != EXPR_COLUMN || expr->index < MARK_GENERATED || expr->index >= MARK_OUTER)
        return NULL;
    for (int32_t i = select->generators.count - 1; i >= 0; i--) {
        const struct grouped_generator *grouped = select->generators.items[i];
        if (expr->index - MARK_GENERATED >= grouped->mark)
            return grouped;
    }
    return NULL;
}

enum code select_generate(struct analyser *self, struct select *select)
{
    for (int32_t g = 0; g < select->generators.count; g++) {
        struct grouped_generator *grouped = select->generators.items[g];
        struct plan_generate *spec = &grouped->generator.spec;
        const struct expr **args = arena_array(self->arena, const struct expr *, (size_t)spec->arg_count + 1);
        for (int32_t i = 0; i < spec->arg_count; i++)
            TRY(select_lift(self, select, spec->args[i], &args[i]));
        spec->args = args;
        grouped->column = select->lifted->schema->field_count;
        select->lifted = generator_over(self, &grouped->generator, select->lifted, grouped->at);
    }
    return E_OK;
}

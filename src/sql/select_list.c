/* select_list.c - the SELECT list: names of columns, stars, generators. */
#include <stdlib.h>

#include "sql/select.h"

static struct target *add_target(struct analyser *self, struct select *select, const char *name, struct position at)
{
    struct target *target = array_add(self->arena, select->targets, select->target_count);
    target->name = name;
    target->at = at;
    return target;
}

/* |> SET a = 1: the column at its place, with another value. */
static enum code set_column(struct analyser *self, struct select *select, const struct ast *star, struct star *columns)
{
    struct scope scope;
    bool found = false;
    select_scope(select, "SET", &scope);
    for (int32_t i = 0; i < columns->count; i++)
        if (same_name(columns->columns[i].name, star->names[0])) {
            found = true;
            TRY(analyse_expr(self, &scope, star->args[0], &columns->columns[i].expr));
        }
    if (found)
        return E_OK;
    const struct ast name = {.kind = AST_NAME, .at = star->at, .parts = star->names, .part_count = 1};
    return scope_unresolved(self, &scope, &name);
}

static enum code expand_star(struct analyser *self, struct select *select, const struct ast *ast)
{
    struct scope scope;
    struct star star;
    select_scope(select, "the SELECT list", &scope);
    TRY(star_expand(self, &scope, ast, &star));
    if (ast->flag)
        TRY(set_column(self, select, ast, &star));
    for (int32_t i = 0; i < star.count; i++) {
        struct target *target = add_target(self, select, star.columns[i].name, ast->at);
        target->qualifier = star.columns[i].qualifier;
        target->expr = star.columns[i].expr;
    }
    return E_OK;
}

static enum code expand_grouped(struct analyser *self, struct select *select, const struct ast_item *item)
{
    struct grouped_generator *grouped;
    TRY(select_generator(self, select, item, &grouped));
    for (int32_t i = 0; i < grouped->generator.field_count; i++) {
        const struct field *field = &grouped->generator.fields[i];
        struct target *target = add_target(self, select, field->name, item->expr->at);
        target->alias = target->name;
        target->expr = expr_column(&self->expr, MARK_GENERATED + grouped->mark + i, field, item->expr->at);
    }
    return E_OK;
}

static enum code expand_generator(struct analyser *self, struct select *select, const struct ast_item *item)
{
    if (self->batch && select_has_groups(select->ast))
        return expand_grouped(self, select, item);
    struct scope scope = {.rows = select->rows, .aliases = select, .outer = select->outer, .clause = "the SELECT list"};
    const char *const *names = item->alias != NULL ? &item->alias : item->aliases;
    int32_t count, name_count = item->alias != NULL ? 1 : item->alias_count;
    TRY(analyse_generator(self, &scope, item->expr, false, names, name_count, &count));
    const struct type *schema = select->rows->plan->schema;
    for (int32_t c = schema->field_count - count; c < schema->field_count; c++) {
        struct target *target = add_target(self, select, schema->fields[c].name, item->expr->at);
        target->alias = target->name;
        target->expr = column_of(self, select->rows->plan, c, item->expr->at);
    }
    return E_OK;
}

bool is_ordinal(const struct ast *ast)
{
    return ast->kind == AST_NUMBER && strspn(ast->text, "-0123456789") == strlen(ast->text);
}

/* |> AGGREGATE .. GROUP BY 2: the second column of what comes in. */
static enum code input_column(struct analyser *self, struct select *select, const struct ast_item *item)
{
    long at = strlen(item->expr->text) < 8 ? strtol(item->expr->text, NULL, 10) : -1;
    int32_t visible = 0;
    for (int32_t i = 0; i < select->rows->column_count; i++) {
        const struct scope_column *col = &select->rows->columns[i];
        visible += !col->hidden;
        if (col->hidden || visible != at)
            continue;
        struct target *target = add_target(self, select, item->alias != NULL ? item->alias : col->name, item->expr->at);
        target->expr = column_of(self, select->rows->plan, col->index, item->expr->at);
        return E_OK;
    }
    return sql_error(self, item->expr->at, NULL,
                     "[GROUP_BY_POS_OUT_OF_RANGE] GROUP BY position %s is not in select list (valid range is [1, %d]).",
                     item->expr->text, visible);
}

static void add_expression(struct analyser *self, struct select *select, const struct ast_item *item)
{
    struct target *target = add_target(self, select, item->alias, item->expr->at);
    target->ast = item->expr;
    target->alias = item->alias;
    if (item->alias == NULL) {
        struct scope scope;
        select_scope(select, "the SELECT list", &scope);
        target->name = column_name_of(self, &scope, item->expr);
    }
}

enum code select_expand(struct analyser *self, struct select *select)
{
    bool generated = false;
    for (int32_t i = 0; i < select->ast->item_count; i++) {
        const struct ast_item *item = &select->ast->items[i];
        if (select->ast->aggregate && i < select->ast->group_count && is_ordinal(item->expr)) {
            TRY(input_column(self, select, item));
        } else if (item->expr->kind == AST_STAR) {
            TRY(expand_star(self, select, item->expr));
        } else if (is_generator(item->expr)) {
            if (generated && select_has_groups(select->ast))
                return sql_error(self, item->expr->at, "use LATERAL VIEW for the second one",
                                 "[UNSUPPORTED_GENERATOR.MULTI_GENERATOR] The generator is not supported: "
                                 "only one generator allowed per SELECT clause.");
            generated = true;
            TRY(expand_generator(self, select, item));
        } else if (item->alias_count > 0) {
            return sql_error(self, item->expr->at, NULL,
                             "[MULTI_ALIAS_WITHOUT_GENERATOR] Multi part aliasing is not supported with %s as "
                             "it is not a generator function.",
                             ast_name_of(self, item->expr));
        } else {
            add_expression(self, select, item);
        }
        if (select->target_count > SQL_COLUMNS_MAX)
            return sql_error(self, item->expr->at, NULL, "more than SQL_COLUMNS_MAX = %d columns", SQL_COLUMNS_MAX);
    }
    return E_OK;
}

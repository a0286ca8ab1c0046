/* select_list.c - the SELECT list: names of columns, stars, generators. */
#include "sql/select.h"

static struct target *add_target(struct analyser *self, struct select *select, const char *name,
                                 struct position at)
{
    struct target *target = array_add(self->arena, select->targets, select->target_count);
    target->name = name;
    target->at = at;
    return target;
}

static bool is_among(const char *name, const char *const *names, int32_t count, int32_t *at)
{
    for (int32_t i = 0; i < count; i++)
        if (same_name(names[i], name)) {
            *at = i;
            return true;
        }
    return false;
}

static enum code unknown_excepts(struct analyser *self, const struct select *select,
                                 const struct ast *star, int32_t from)
{
    for (int32_t i = 0; i < star->name_count; i++) {
        bool found = false;
        for (int32_t c = 0; c < select->rows->column_count; c++)
            found = found || same_name(select->rows->columns[c].name, star->names[i]);
        for (int32_t t = from; t < select->target_count; t++)
            found = found || same_name(select->targets[t].name, star->names[i]);
        if (!found && star->arg_count == 0 && star->part_count == 0)
            return sql_error(
                self, star->at, NULL,
                "[UNRESOLVED_COLUMN.WITHOUT_SUGGESTION] A column, variable, or function parameter "
                "with name `%s` cannot be resolved.",
                star->names[i]);
    }
    return E_OK;
}

/* One column of a star: left out, replaced (|> SET), or taken. */
static enum code star_column(struct analyser *self, struct select *select, const struct ast *star,
                             const char *name, const char *qualifier, const struct expr *expr)
{
    int32_t named;
    bool among = is_among(name, star->names, star->name_count, &named);
    if (among && !star->flag)
        return E_OK;
    struct target *target = add_target(self, select, name, star->at);
    target->qualifier = qualifier;
    target->expr = expr;
    if (among) {
        struct scope scope;
        select_scope(select, "SET", &scope);
        return analyse_expr(self, &scope, star->args[named], &target->expr);
    }
    return E_OK;
}

static enum code expand_struct(struct analyser *self, struct select *select, const struct ast *star,
                               const struct expr *of)
{
    if (of->type->id != TYPE_STRUCT)
        return sql_error(
            self, star->at, NULL,
            "[CANNOT_RESOLVE_STAR_EXPAND] Cannot resolve the star: \"%s\" is no struct.",
            type_text(self->arena, of->type));
    for (int32_t i = 0; i < of->type->field_count; i++) {
        const struct expr *field;
        const char *name = of->type->fields[i].name;
        TRY(placed(self, expr_field(&self->expr, of, name, star->at, &field, self->err), star->at));
        TRY(star_column(self, select, star, name, NULL, field));
    }
    return E_OK;
}

static enum code expand_star(struct analyser *self, struct select *select, const struct ast *star)
{
    struct rowset *rows = select->rows;
    int32_t before = select->target_count;
    bool found = star->part_count == 0 && (star->arg_count == 0 || star->flag);
    const char *qualifier = star->part_count > 0 ? star->parts[star->part_count - 1] : NULL;
    for (int32_t i = 0; i < rows->column_count; i++) {
        const struct scope_column *col = &rows->columns[i];
        bool fits = qualifier == NULL
                        ? !col->hidden && found
                        : col->qualifier != NULL && same_name(col->qualifier, qualifier);
        if (!fits)
            continue;
        found = true;
        TRY(star_column(self, select, star, col->name, col->qualifier,
                        column_of(self, rows->plan, col->index, star->at)));
    }
    if (found)
        return unknown_excepts(self, select, star, before);
    struct scope scope;
    select_scope(select, "the SELECT list", &scope);
    const struct expr *of;
    if (star->part_count == 0) {
        TRY(analyse_expr(self, &scope, star->args[0], &of));
        return expand_struct(self, select, star, of);
    }
    struct ast name = {
        .kind = AST_NAME, .at = star->at, .parts = star->parts, .part_count = star->part_count};
    bool resolved;
    TRY(scope_find(self, &scope, &name, &of, &resolved));
    if (!resolved)
        return sql_error(
            self, star->at, NULL,
            "[CANNOT_RESOLVE_STAR_EXPAND] Cannot resolve %s.* given input columns. Please check "
            "that the specified table or struct exists and is accessible in the input columns.",
            star->parts[0]);
    return expand_struct(self, select, star, of);
}

static enum code expand_generator(struct analyser *self, struct select *select,
                                  const struct ast_item *item)
{
    struct scope scope = {
        .rows = select->rows, .outer = select->outer, .clause = "the SELECT list"};
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

static void add_expression(struct analyser *self, struct select *select,
                           const struct ast_item *item)
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
        if (item->expr->kind == AST_STAR) {
            TRY(expand_star(self, select, item->expr));
        } else if (is_generator(item->expr)) {
            if (generated)
                return sql_error(
                    self, item->expr->at, "use LATERAL VIEW for the second one",
                    "[UNSUPPORTED_GENERATOR.MULTI_GENERATOR] The generator is not supported: "
                    "only one generator allowed per SELECT clause.");
            generated = true;
            TRY(expand_generator(self, select, item));
        } else if (item->alias_count > 0) {
            return sql_error(
                self, item->expr->at, NULL,
                "[MULTI_ALIAS_WITHOUT_GENERATOR] Multi part aliasing is not supported with %s as "
                "it is not a generator function.",
                ast_name_of(self, item->expr));
        } else {
            add_expression(self, select, item);
        }
        if (select->target_count > SQL_COLUMNS_MAX)
            return sql_error(self, item->expr->at, NULL, "more than SQL_COLUMNS_MAX = %d columns",
                             SQL_COLUMNS_MAX);
    }
    return E_OK;
}

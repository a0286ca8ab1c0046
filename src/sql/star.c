/* star.c - what a star stands for: *, t.*, s.*, * EXCEPT (a, s.f). */
#include "sql/select.h"

enum { EXCEPT_DEPTH_MAX = 32 };

struct except {     /* a column, or a field of a field .. of one */
    int32_t column; /* of the plan; of a star over a struct: its field */
    int32_t path[EXCEPT_DEPTH_MAX], depth;
    const struct ast *ast;
};
struct expansion {
    struct analyser *analyser;
    const struct scope *scope;
    const struct ast *star;
    struct star *out;
    struct except *excepts;
    int32_t except_count;
};

/* ---- EXCEPT ---- */

static enum code except_of(struct expansion *self, const struct ast *name, const struct expr *expr, struct except *out)
{
    int32_t path[EXCEPT_DEPTH_MAX], depth = 0;
    for (; expr->kind == EXPR_FIELD && depth < EXCEPT_DEPTH_MAX; expr = expr->args[0])
        path[depth++] = expr->index;
    if (expr->kind == EXPR_FIELD)
        return sql_error(self->analyser, name->at, NULL, "EXCEPT goes no deeper than %d fields", EXCEPT_DEPTH_MAX);
    *out = (struct except){.column = expr->index, .depth = depth, .ast = name};
    for (int32_t i = 0; i < depth; i++)
        out->path[i] = path[depth - 1 - i];
    return E_OK;
}

static bool within(const struct except *inner, const struct except *outer)
{
    if (inner->column != outer->column || inner->depth < outer->depth)
        return false;
    return memcmp(inner->path, outer->path, (size_t)outer->depth * sizeof outer->path[0]) == 0;
}

static enum code check_overlap(struct expansion *self)
{
    for (int32_t i = 0; i < self->except_count; i++)
        for (int32_t j = 0; j < self->except_count; j++)
            if (i != j && within(&self->excepts[i], &self->excepts[j]))
                return sql_error(self->analyser, self->excepts[i].ast->at, NULL,
                                 "[EXCEPT_OVERLAPPING_COLUMNS] Columns in an EXCEPT list must be distinct and "
                                 "non-overlapping, but got `%s`.",
                                 self->excepts[i].ast->parts[self->excepts[i].ast->part_count - 1]);
    return E_OK;
}

/* The names of EXCEPT among the columns of `rows`. */
static enum code find_excepts(struct expansion *self, struct rowset *rows)
{
    struct analyser *analyser = self->analyser;
    const struct scope here = {.rows = rows, .clause = "EXCEPT"};
    self->excepts = arena_array(analyser->arena, struct except, (size_t)self->star->except_count + 1);
    for (int32_t i = 0; i < self->star->except_count; i++) {
        const struct ast *name = self->star->excepts[i];
        const struct expr *expr;
        bool found;
        TRY(scope_find(analyser, &here, name, &expr, &found));
        if (!found)
            return scope_unresolved(analyser, &here, name);
        TRY(except_of(self, name, expr, &self->excepts[self->except_count++]));
    }
    return check_overlap(self);
}

/* The struct without the fields that EXCEPT names below it. */
static enum code without_fields(struct expansion *self, const struct expr *of, int32_t column, const int32_t *path,
                                int32_t depth, const struct expr **out)
{
    struct analyser *analyser = self->analyser;
    struct position at = self->star->at;
    struct except here = {.column = column, .depth = depth + 1};
    const struct expr **args = arena_array(analyser->arena, const struct expr *, 2 * (size_t)of->type->field_count + 1);
    int32_t count = 0;
    memcpy(here.path, path, (size_t)depth * sizeof *path);
    for (int32_t f = 0; f < of->type->field_count; f++) {
        bool gone = false, below = false;
        here.path[depth] = f;
        for (int32_t i = 0; i < self->except_count; i++) {
            gone = gone || within(&here, &self->excepts[i]);
            below = below || within(&self->excepts[i], &here);
        }
        if (gone)
            continue;
        const struct field *field = &of->type->fields[f];
        const struct expr *value;
        TRY(placed(analyser, expr_field(&analyser->expr, of, field->name, at, &value, analyser->err), at));
        if (below)
            TRY(without_fields(self, value, column, here.path, depth + 1, &value));
        args[count++] = expr_string(&analyser->expr, bytes_of_string(field->name), at);
        args[count++] = value;
    }
    TRY(placed(analyser, expr_call(&analyser->expr, "named_struct", args, count, at, out, analyser->err), at));
    if (!of->nullable)
        return E_OK;
    const struct expr *when[2] = {of, *out};
    TRY(placed(analyser, expr_call(&analyser->expr, "isnotnull", &of, 1, at, &when[0], analyser->err), at));
    return placed(analyser, expr_case(&analyser->expr, when, 2, at, out, analyser->err), at);
}

/* ---- columns ---- */

static enum code add_column(struct expansion *self, const char *name, const char *qualifier, int32_t column,
                            const struct expr *expr)
{
    for (int32_t i = 0; i < self->except_count; i++) {
        const struct except *except = &self->excepts[i];
        if (except->column != column)
            continue;
        if (except->depth == 0)
            return E_OK;
        TRY(without_fields(self, expr, column, except->path, 0, &expr));
        break;
    }
    *array_add(self->analyser->arena, self->out->columns, self->out->count) =
        (struct star_column){name, qualifier, expr};
    return E_OK;
}

static enum code expand_struct(struct expansion *self, const struct expr *of)
{
    struct analyser *analyser = self->analyser;
    if (of->type->id != TYPE_STRUCT)
        return sql_error(analyser, self->star->at, NULL,
                         "[CANNOT_RESOLVE_STAR_EXPAND] Cannot resolve the star: \"%s\" is no struct.",
                         type_text(analyser->arena, of->type));
    struct plan *fields = plan_new(analyser->arena, PLAN_VALUES, of->type, self->star->at);
    struct rowset rows;
    rowset_of_plan(analyser, fields, NULL, NULL, 0, &rows);
    TRY(find_excepts(self, &rows));
    for (int32_t i = 0; i < of->type->field_count; i++) {
        const struct expr *field;
        const char *name = of->type->fields[i].name;
        TRY(placed(analyser, expr_field(&analyser->expr, of, name, self->star->at, &field, analyser->err),
                   self->star->at));
        TRY(add_column(self, name, NULL, i, field));
    }
    return E_OK;
}

static bool has_qualifier(const struct rowset *rows, const char *qualifier)
{
    for (int32_t i = 0; i < rows->column_count; i++)
        if (rows->columns[i].qualifier != NULL && same_name(rows->columns[i].qualifier, qualifier))
            return true;
    return false;
}

/* Columns of a scope: of this query by their place, of one around by their names. */
static enum code expand_rows(struct expansion *self, const struct scope *of, const char *qualifier)
{
    struct analyser *analyser = self->analyser;
    struct rowset *rows = of->rows;
    TRY(find_excepts(self, rows));
    for (int32_t i = 0; i < rows->column_count; i++) {
        const struct scope_column *col = &rows->columns[i];
        if (!is_in_star(col, qualifier))
            continue;
        const struct expr *expr = column_of(analyser, rows->plan, col->index, self->star->at);
        if (of != self->scope) {
            const char *parts[2] = {qualifier, col->name};
            const struct ast name = {.kind = AST_NAME, .at = self->star->at, .parts = parts, .part_count = 2};
            bool found;
            TRY(scope_find(analyser, self->scope, &name, &expr, &found));
        }
        TRY(add_column(self, col->name, col->qualifier, col->index, expr));
    }
    return E_OK;
}

enum code star_expand(struct analyser *analyser, const struct scope *scope, const struct ast *star, struct star *out)
{
    struct expansion self = {.analyser = analyser, .scope = scope, .star = star, .out = out};
    const char *qualifier = star->part_count > 0 ? star->parts[star->part_count - 1] : NULL;
    const struct expr *of;
    bool found = false;
    *out = (struct star){0};
    if (star->part_count == 0 && (star->arg_count == 0 || star->flag))
        return expand_rows(&self, scope, NULL);
    if (star->part_count == 0) {
        TRY(analyse_expr(analyser, scope, star->args[0], &of));
        return expand_struct(&self, of);
    }
    for (const struct scope *at = scope; at != NULL; at = at->outer)
        if (has_qualifier(at->rows, qualifier))
            return expand_rows(&self, at, qualifier);
    const struct ast name = {.kind = AST_NAME, .at = star->at, .parts = star->parts, .part_count = star->part_count};
    TRY(scope_find(analyser, scope, &name, &of, &found));
    if (found)
        return expand_struct(&self, of);
    return sql_error(
        analyser, star->at, NULL,
        "[CANNOT_RESOLVE_STAR_EXPAND] Cannot resolve %s.* given input columns. Please check that the specified "
        "table or struct exists and is accessible in the input columns.",
        star->parts[0]);
}

/* ---- among the arguments of a call ---- */

/* count(*) counts rows: its star stays. */
static bool is_expanded(const struct ast *call, int32_t i)
{
    const struct ast *arg = call->args[i];
    if (arg->kind != AST_STAR || arg->flag)
        return false;
    if (call->kind == AST_CALL && call->flag) // of the operators only a IN (*) takes columns
        return i > 0 && same_name(call->text, "in");
    bool counts = call->kind == AST_CALL && !call->flag && same_name(call->text, "count") && call->arg_count == 1 &&
                  (call->call == NULL || !call->call->distinct);
    return !(counts && arg->part_count == 0);
}

bool star_among(const struct ast *ast)
{
    for (int32_t i = 0; (ast->kind == AST_CALL || ast->kind == AST_ROW) && i < ast->arg_count; i++)
        if (is_expanded(ast, i))
            return true;
    return false;
}

static struct ast *column_node(struct analyser *self, const struct ast *star, const struct star_column *column)
{
    struct ast *node = arena_new(self->arena, struct ast);
    *node = (struct ast){.kind = AST_NAME, .at = star->at, .height = 1};
    if (star->part_count > 0 && column->qualifier == NULL) { // s.*: s.a, s.b
        node->kind = AST_FIELD;
        node->text = column->name;
        node->args = arena_new(self->arena, struct ast *);
        node->args[0] = arena_new(self->arena, struct ast);
        *node->args[0] = (struct ast){
            .kind = AST_NAME, .at = star->at, .height = 1, .parts = star->parts, .part_count = star->part_count};
        node->arg_count = 1;
        node->height = 2;
        return node;
    }
    const char **parts = arena_array(self->arena, const char *, 2);
    parts[0] = column->qualifier != NULL ? column->qualifier : column->name;
    parts[1] = column->name;
    node->parts = parts;
    node->part_count = column->qualifier != NULL ? 2 : 1;
    return node;
}

enum code star_arguments(struct analyser *self, const struct scope *scope, const struct ast *ast,
                         const struct ast **out)
{
    struct ast *copy = arena_new(self->arena, struct ast);
    struct list args = {0};
    bool plain = ast->kind == AST_CALL && ast->arg_count == 1 && (ast->call == NULL || !ast->call->distinct);
    if (plain && same_name(ast->text, "count") && ast->args[0]->part_count > 0)
        return sql_error(
            self, ast->at, "count(*)",
            "[INVALID_USAGE_OF_STAR_WITH_TABLE_IDENTIFIER_IN_COUNT] count(`%s`.*) is not allowed. Please use "
            "count(*) or expand the columns manually, e.g. count(col1, col2).",
            ast->args[0]->parts[ast->args[0]->part_count - 1]);
    for (int32_t i = 0; i < ast->arg_count; i++) {
        struct star star;
        if (!is_expanded(ast, i)) {
            list_add(self->arena, &args, ast->args[i]);
            continue;
        }
        TRY(star_expand(self, scope, ast->args[i], &star));
        for (int32_t c = 0; c < star.count; c++)
            list_add(self->arena, &args, column_node(self, ast->args[i], &star.columns[c]));
    }
    *copy = *ast;
    copy->args = (struct ast **)args.items;
    copy->arg_count = args.count;
    *out = copy;
    return E_OK;
}

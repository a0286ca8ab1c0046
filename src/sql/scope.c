/* scope.c - names to columns: qualifiers, columns, fields of structs, columns of the query
 * around. */
#include <ctype.h>

#include "sql/sql_function.h"

#include <stdlib.h>

void rowset_add(struct analyser *self, struct rowset *rows, const char *name, const char *qualifier, int32_t index)
{
    *array_add(self->arena, rows->columns, rows->column_count) =
        (struct scope_column){.name = name, .qualifier = qualifier, .index = index};
}

void rowset_of_plan(struct analyser *self, struct plan *plan, const char *qualifier, const char *const *names,
                    int32_t name_count, struct rowset *out)
{
    *out = (struct rowset){.plan = plan};
    for (int32_t i = 0; i < plan->schema->field_count; i++)
        rowset_add(self, out, i < name_count ? names[i] : plan->schema->fields[i].name, qualifier, i);
}

bool is_in_star(const struct scope_column *column, const char *qualifier)
{
    if (qualifier == NULL)
        return !column->hidden;
    return !column->file && column->qualifier != NULL && same_name(column->qualifier, qualifier);
}

/* ---- looking up ---- */

struct match {
    int32_t count; /* columns that fit */
    int32_t index; /* the first of them */
    int32_t used;  /* parts of the name that it took */
};

/* Columns called `name` (under `qualifier`, when not NULL). */
static struct match find_column(const struct rowset *rows, const char *qualifier, const char *name)
{
    struct match match = {0};
    for (int32_t i = 0; i < rows->column_count; i++) {
        const struct scope_column *col = &rows->columns[i];
        if (!same_name(col->name, name))
            continue;
        if (qualifier == NULL ? col->hidden : col->qualifier == NULL || !same_name(col->qualifier, qualifier))
            continue;
        if (match.count > 0 && rows->columns[match.index].index == col->index)
            continue; // the same column in sight twice
        if (match.count++ == 0)
            match.index = i;
    }
    return match;
}

static struct match find_file(const struct rowset *rows, const char *name)
{
    struct match match = {0};
    for (int32_t i = 0; i < rows->column_count; i++)
        if (rows->columns[i].file && same_name(rows->columns[i].name, name) && match.count++ == 0)
            match.index = i;
    return match;
}

/* The longest qualifier wins: t.a is column a of t before it is field a of column t. */
static struct match find_parts(const struct rowset *rows, const char *const *parts, int32_t count)
{
    for (int32_t q = count - 2 > 2 ? 2 : count - 2; q >= 0; q--) {
        struct match match = find_column(rows, parts[q], parts[q + 1]);
        if (match.count > 0) {
            match.used = q + 2;
            return match;
        }
    }
    struct match match = find_column(rows, NULL, parts[0]);
    if (match.count == 0)
        match = find_file(rows, parts[0]);
    match.used = 1;
    return match;
}

static char *joined(struct arena *arena, const char *const *parts, int32_t count)
{
    struct text out = {0};
    for (int32_t i = 0; i < count; i++)
        text_printf(&out, "%s`%s`", i > 0 ? "." : "", parts[i]);
    char *copy = arena_strdup(arena, out.data);
    text_free(&out);
    return copy;
}

static enum code ambiguous(struct analyser *self, const struct rowset *rows, const struct ast *name)
{
    struct text could = {0};
    const char *last = name->parts[name->part_count - 1], *first = name->parts[0];
    for (int32_t i = 0; i < rows->column_count; i++) {
        const struct scope_column *col = &rows->columns[i];
        if ((col->hidden && !col->file) || !(same_name(col->name, last) || same_name(col->name, first)))
            continue;
        text_add_string(&could, could.size > 0 ? ", " : "");
        if (col->qualifier != NULL)
            text_printf(&could, "`%s`.", col->qualifier);
        text_printf(&could, "`%s`", col->name);
    }
    enum code code = sql_error(self, name->at, "put the table's name in front",
                               "[AMBIGUOUS_REFERENCE] Reference %s is ambiguous, could be: [%s].",
                               joined(self->arena, name->parts, name->part_count), could.data);
    text_free(&could);
    return code;
}

/* `level` subqueries further out; -1: here. */
static enum code find_in(struct analyser *self, const struct scope *scope, const struct ast *name, int32_t level,
                         const struct expr **out, bool *found)
{
    if (scope->frame != NULL)
        return frame_find(self, scope->frame, name, level, out, found);
    int32_t mark = level < 0 ? 0 : MARK_OUTER + level * COLUMN_MARK;
    struct match match = find_parts(scope->rows, name->parts, name->part_count);
    *found = match.count > 0;
    if (match.count == 0)
        return E_OK;
    if (match.count > 1)
        return ambiguous(self, scope->rows, name);
    const struct scope_column *col = &scope->rows->columns[match.index];
    int32_t index = col->index;
    struct field field = scope->rows->plan->schema->fields[index];
    field.name = col->name;
    const struct expr *expr = expr_column(&self->expr, index + mark, &field, name->at);
    for (int32_t i = match.used; i < name->part_count; i++)
        TRY(placed(self, expr_field(&self->expr, expr, name->parts[i], name->at, &expr, self->err), name->at));
    *out = expr;
    return E_OK;
}

enum code scope_find(struct analyser *self, const struct scope *scope, const struct ast *name, const struct expr **out,
                     bool *found)
{
    TRY(find_in(self, scope, name, -1, out, found));
    int32_t level = 0;
    for (scope = scope->outer; scope != NULL && !*found; scope = scope->outer, level++) {
        TRY(find_in(self, scope, name, level, out, found));
        self->outer_reads += *found && scope->frame == NULL;
        if (*found && level > 0 && !self->batch)
            return not_yet(self, name->at, "names of a query two levels up");
    }
    return E_OK;
}

/* ---- did you mean ---- */

enum { SUGGESTED_MAX = 5 };

struct suggestion {
    int distance;
    int32_t column;
};

static int nearer(const void *a, const void *b)
{
    const struct suggestion *x = a, *y = b;
    return x->distance != y->distance ? x->distance - y->distance : x->column - y->column;
}

/* `_c0`, `_c1`: what the columns of CSV files are called that have no header. */
static bool named_by_place(const struct rowset *rows)
{
    for (int32_t i = 0; i < rows->column_count; i++) {
        const char *name = rows->columns[i].name;
        if (!rows->columns[i].file && (strncmp(name, "_c", 2) != 0 || !isdigit((unsigned char)name[2])))
            return false;
    }
    return true;
}

enum code scope_unresolved(struct analyser *self, const struct scope *scope, const struct ast *name)
{
    const struct rowset *rows = scope->rows;
    const char *shown = joined(self->arena, name->parts, name->part_count);
    if (rows->column_count == 0)
        return sql_error(self, name->at, NULL,
                         "[UNRESOLVED_COLUMN.WITHOUT_SUGGESTION] A column, variable, or function parameter "
                         "with name %s cannot be resolved.",
                         shown);
    struct suggestion *all = arena_array(self->arena, struct suggestion, (size_t)rows->column_count);
    const char *last = name->parts[name->part_count - 1];
    int32_t count = 0;
    for (int32_t i = 0; i < rows->column_count; i++)
        if (!rows->columns[i].file)
            all[count++] = (struct suggestion){edit_distance(last, rows->columns[i].name), i};
    qsort(all, (size_t)count, sizeof *all, nearer);
    struct text names = {0};
    for (int32_t i = 0; i < count && i < SUGGESTED_MAX; i++) {
        const struct scope_column *col = &rows->columns[all[i].column];
        text_add_string(&names, i > 0 ? ", " : "");
        if (col->qualifier != NULL && name->part_count > 1)
            text_printf(&names, "`%s`.", col->qualifier);
        text_printf(&names, "`%s`", col->name);
    }
    enum code code =
        sql_error(self, name->at,
                  named_by_place(rows) ? "WITH (header = true) takes the names from the first line of the files" : NULL,
                  "[UNRESOLVED_COLUMN.WITH_SUGGESTION] A column, variable, or function parameter with name "
                  "%s cannot be resolved. Did you mean one of the following? [%s].",
                  shown, names.data);
    text_free(&names);
    return code;
}

/* analyse_file.c - which file a row came from: Spark's hidden column _metadata, and input_file_name().
 *
 * Column   FILE_COLUMN stands behind the columns of a relation of files, when the text asks for it somewhere; a star does not
 *          show it, and a query over it gives it only under a name (rowset_forget_files)
 * Call     input_file_name() is a field of that column, where FROM reads files once; over no file it is '' (and -1)
 * Project  a source of files has the column, for all its readers, when any of the texts asks: there is one source to read,
 *          and who does not ask gets it projected away
 * Limits   in a view or WITH it is not in sight around it, as on Spark; and not behind groups and sets of rows
 */
#include "sql/catalog.h"

#include "sql/source_schema.h"

/* ---- the column ---- */

bool plan_tells_file(const struct plan *plan)
{
    while (plan->kind != PLAN_SOURCE && plan->input_count > 0)
        plan = plan_input(plan, 0);
    return plan->kind == PLAN_SOURCE && plan->source->tells_file;
}

void rowset_hide_file(struct rowset *rows)
{
    struct scope_column *last = &rows->columns[rows->column_count - 1];
    last->hidden = last->file = true;
}

static int32_t kept_of(const struct rowset *rows, bool *gone)
{
    int32_t kept = rows->plan->schema->field_count;
    for (int32_t i = 0; i < rows->column_count; i++) {
        bool file = rows->columns[i].file && !gone[rows->columns[i].index];
        gone[rows->columns[i].index] |= file;
        kept -= file;
    }
    return kept;
}

void rowset_forget_files(struct analyser *self, struct rowset *rows)
{
    const struct type *schema = rows->plan->schema;
    bool *gone = arena_array(self->arena, bool, (size_t)schema->field_count + 1);
    if (kept_of(rows, gone) == schema->field_count)
        return;
    const struct expr **exprs = arena_array(self->arena, const struct expr *, (size_t)schema->field_count);
    const char **names = arena_array(self->arena, const char *, (size_t)schema->field_count);
    int32_t *places = arena_array(self->arena, int32_t, (size_t)schema->field_count);
    int32_t count = 0, columns = 0;
    for (int32_t i = 0; i < schema->field_count; i++) {
        if (gone[i])
            continue;
        places[i] = count;
        names[count] = schema->fields[i].name;
        exprs[count++] = column_of(self, rows->plan, i, rows->plan->at);
    }
    for (int32_t i = 0; i < rows->column_count; i++) {
        if (rows->columns[i].file)
            continue;
        rows->columns[columns] = rows->columns[i];
        rows->columns[columns].index = places[rows->columns[i].index];
        columns++;
    }
    rows->column_count = columns;
    rows->plan = plan_project(self->arena, rows->plan, exprs, names, count, rows->plan->at);
}

/* ---- the functions ---- */

static const struct {
    const char *function, *field;
} told[] = {{"input_file_name", "file_path"},
            {"input_file_block_start", "file_block_start"},
            {"input_file_block_length", "file_block_length"}};
enum { TOLD = sizeof told / sizeof *told };

static const char *field_of(const struct ast *ast)
{
    for (int i = 0; i < TOLD; i++)
        if (same_name(ast->text, told[i].function))
            return told[i].field;
    return NULL;
}

bool is_file_function(const struct ast *ast)
{
    return ast->kind == AST_CALL && !ast->flag && ast->arg_count == 0 && field_of(ast) != NULL;
}

static bool reads_files(struct analyser *self, struct plan *plan)
{
    struct plan_list nodes = {0};
    plan_collect(self->arena, &plan, 1, &nodes);
    for (int32_t i = 0; i < nodes.count; i++)
        if (nodes.nodes[i]->kind == PLAN_SOURCE && source_has_end(nodes.nodes[i]->source))
            return true;
    return false;
}

/* file:/data/a.json in the column, file:///data/a.json by the function. */
static enum code path_as_url(struct analyser *self, struct position at, const struct expr **path)
{
    const struct expr *local[2] = {*path, expr_string(&self->expr, bytes_of_string("file:"), at)};
    const struct expr *rest[2] = {*path, expr_int(&self->expr, type_of(TYPE_INT32), 6, at)};
    const struct expr *url[2] = {expr_string(&self->expr, bytes_of_string("file://"), at)}, *choice[3] = {0};
    TRY(placed(self, expr_call(&self->expr, "startswith", local, 2, at, &choice[0], self->err), at));
    TRY(placed(self, expr_call(&self->expr, "substring", rest, 2, at, &url[1], self->err), at));
    TRY(placed(self, expr_call(&self->expr, "concat", url, 2, at, &choice[1], self->err), at));
    choice[2] = *path;
    return placed(self, expr_case(&self->expr, choice, 3, at, path, self->err), at);
}

enum code analyse_file_function(struct analyser *self, const struct scope *scope, const struct ast *ast,
                                const struct expr **out)
{
    const struct rowset *rows = scope->rows;
    int32_t index = -1;
    *out = NULL;
    for (int32_t i = 0; rows != NULL && i < rows->column_count; i++) {
        const struct scope_column *column = &rows->columns[i];
        if (!column->file || column->index == index)
            continue;
        if (index >= 0)
            return sql_error(self, ast->at, "name the file by the relation's `" FILE_COLUMN "`",
                             "[MULTI_SOURCES_UNSUPPORTED_FOR_EXPRESSION] The expression \"%s()\" does not support more "
                             "than one source.",
                             ast->text);
        index = column->index;
    }
    if (index < 0 && rows != NULL && rows->plan != NULL && reads_files(self, rows->plan))
        return sql_error(self, ast->at, "call it in the query whose FROM names the files, and give it a name there",
                         "[UNSUPPORTED_FEATURE] leat cannot do this yet: %s() of files that a view, "
                         "a grouped query or a stream reads.",
                         ast->text);
    if (index < 0)
        return E_OK;
    const struct expr *file = column_of(self, rows->plan, index, ast->at);
    TRY(placed(self, expr_field(&self->expr, file, field_of(ast), ast->at, out, self->err), ast->at));
    return same_name(ast->text, "input_file_name") ? path_as_url(self, ast->at, out) : E_OK;
}

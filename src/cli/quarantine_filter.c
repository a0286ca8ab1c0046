#include <strings.h>

#include "cli/quarantine.h"
#include "expr/expr.h"

struct bytes quarantine_bytes(const struct batch *batch, enum quarantine_column column, int64_t row)
{
    const struct column *col = &batch->columns[column];
    return column_is_null(col, row) ? (struct bytes){0} : column_bytes_at(col, row);
}

int64_t quarantine_number(const struct batch *batch, enum quarantine_column column, int64_t row)
{
    const struct column *col = &batch->columns[column];
    if (column_is_null(col, row))
        return -1;
    return col->type->id == TYPE_INT32 ? column_values(col, const int32_t)[row]
                                       : column_values(col, const int64_t)[row];
}

void quarantine_tables(const struct batch *batch, int64_t row, struct text *out)
{
    const struct column *lists = &batch->columns[QUARANTINE_TABLES];
    if (column_is_null(lists, row))
        return;
    for (int32_t i = column_offsets(lists)[row], from = i; i < column_offsets(lists)[row + 1]; i++) {
        struct bytes name = column_bytes_at(&lists->children[0], i);
        text_add_string(out, i > from ? ", " : "");
        text_add(out, name.data, name.size);
    }
}

/* ---- the filter ---- */

enum code quarantine_filter_open(struct quarantine_filter *self, const struct quarantine_flags *flags,
                                 const struct session *session, struct error *err)
{
    *self = (struct quarantine_filter){.flags = flags, .session = session};
    if (flags->where == NULL)
        return E_OK;
    const struct expr *where;
    struct program *program;
    const struct type *view = quarantine_view_schema(&self->arena);
    enum code code = sql_expression(&self->arena, bytes_of_string(flags->where), view, session, &where, err);
    if (code != E_OK)
        return error_note(err, "--where");
    if (where->type->id != TYPE_BOOLEAN)
        return fail(err, E_USAGE, "--where %s: it must be true or false for a row", flags->where);
    TRY(program_compile(&self->arena, &where, 1, &program, err));
    self->evaluator = evaluator_new(program);
    return E_OK;
}

void quarantine_filter_close(struct quarantine_filter *self)
{
    evaluator_free(self->evaluator);
    arena_free(&self->arena);
}

static bool has_table(const struct batch *batch, int64_t row, const char *name)
{
    const struct column *lists = &batch->columns[QUARANTINE_TABLES];
    for (int32_t i = column_offsets(lists)[row]; i < column_offsets(lists)[row + 1]; i++) {
        struct bytes table = column_bytes_at(&lists->children[0], i);
        if (table.size == strlen(name) && strncasecmp((const char *)table.data, name, table.size) == 0)
            return true;
    }
    return false;
}

static enum code where_rows(struct quarantine_filter *self, const struct batch *batch, bool *wanted, struct error *err)
{
    struct column condition = {0};
    struct rejects rejects = {0};
    enum code code = evaluator_run(self->evaluator, self->session, batch, &condition, &rejects, err);
    if (code == E_OK && rejects.count > 0)
        code = fail(err, E_DATA, "--where: [%s] %s: use try_cast and the like", reject_condition(rejects.items[0].code),
                    reject_text(rejects.items[0].code));
    for (int64_t row = 0; code == E_OK && row < batch->rows; row++)
        wanted[row] &= column_valid_at(&condition, row) && bit_get(condition.values->data, row);
    column_release(&condition);
    rejects_free(&rejects);
    return code;
}

enum code quarantine_filter_rows(struct quarantine_filter *self, const struct batch *batch, bool *wanted,
                                 struct error *err)
{
    const struct quarantine_flags *flags = self->flags;
    for (int64_t row = 0; row < batch->rows; row++)
        wanted[row] = (flags->table == NULL || has_table(batch, row, flags->table)) &&
                      (flags->reason == NULL ||
                       bytes_equal_string(quarantine_bytes(batch, QUARANTINE_REASON, row), flags->reason));
    return self->evaluator == NULL ? E_OK : where_rows(self, batch, wanted, err);
}

/* ---- --table ---- */

static const struct pipeline_table *table_of(const struct project *project, const struct quarantine_flags *flags)
{
    const struct pipeline *pipeline = project->pipeline;
    for (int32_t i = 0; flags->table != NULL && i < pipeline->table_count; i++)
        if (strcasecmp(pipeline->tables[i]->name, flags->table) == 0)
            return pipeline->tables[i];
    return NULL;
}

enum code quarantine_table_check(const struct project *project, const struct quarantine_flags *flags, struct error *err)
{
    const struct pipeline *pipeline = project->pipeline;
    if (flags->table == NULL || table_of(project, flags) != NULL)
        return E_OK;
    const char **names = mem_array(const char *, (size_t)pipeline->table_count);
    for (int32_t i = 0; i < pipeline->table_count; i++)
        names[i] = pipeline->tables[i]->name;
    const char *near = nearest_word(flags->table, names, (size_t)pipeline->table_count);
    mem_free(names);
    return fail(err, E_USAGE, "--table %s: %s has no table or sink of that name%s%s%s", flags->table, pipeline->name,
                near != NULL ? "; did you mean " : "", near != NULL ? near : "", near != NULL ? "?" : "");
}

void quarantine_topics_print(const struct project *project, const struct quarantine_flags *flags, struct text *out)
{
    struct arena arena = {0};
    const char *const *topics;
    int32_t folders, count = quarantine_topics(&arena, project->pipeline, table_of(project, flags), &topics, &folders);
    for (int32_t i = 0; i < count; i++)
        text_printf(out, "%s%s",
                    i > 0        ? ", "
                    : count == 1 ? "rows go to the topic "
                                 : "rows go to the topics ",
                    topics[i]);
    if (count > 0)
        text_printf(
            out, "%s: leat neither lists nor replays a topic; with leat.quarantine set as well a folder keeps a copy\n",
            folders > 0 ? " too" : "");
    arena_free(&arena);
}

/* ---- all rows ---- */

struct visit {
    struct quarantine_filter filter;
    const struct quarantine_visitor *visitor;
};

static enum code visit_batch(void *context, const struct batch *batch, struct error *err)
{
    struct visit *self = context;
    bool *wanted = mem_array(bool, (size_t)batch->rows);
    enum code code = quarantine_filter_rows(&self->filter, batch, wanted, err);
    for (int64_t row = 0; code == E_OK && self->visitor->row != NULL && row < batch->rows; row++)
        if (wanted[row])
            code = self->visitor->row(self->visitor->context, batch, row, err);
    if (code == E_OK && self->visitor->batch != NULL)
        code = self->visitor->batch(self->visitor->context, batch, wanted, err);
    mem_free(wanted);
    return code;
}

enum code quarantine_visit(const struct project *project, const struct quarantine_flags *flags,
                           const struct quarantine_visitor *visitor, struct error *err)
{
    struct visit self = {.visitor = visitor};
    enum code code = quarantine_filter_open(&self.filter, flags, &project->session, err);
    if (code == E_OK)
        code = quarantine_read(project->pipeline, visit_batch, &self, err);
    quarantine_filter_close(&self.filter);
    return code;
}

#include "sql/catalog.h"

#include "sql/source_schema.h"

struct element *catalog_find(const struct catalog *catalog, const char *name)
{
    for (int32_t i = 0; i < catalog->elements.count; i++) {
        struct element *element = catalog->elements.items[i];
        if (same_name(element->name, name))
            return element;
    }
    return NULL;
}

/* ---- resolving ---- */

/* What is read has an error, which is in the list of problems already. */
static enum code known_failure(struct analyser *self, const struct element *element)
{
    self->notes->problem_count++;
    return fail(self->err, E_SQL, "`%s` has errors", element->name);
}

static enum code resolve_source(struct analyser *self, struct element *element)
{
    struct pipeline_source *source = arena_new(self->arena, struct pipeline_source);
    *source = *element->source;
    TRY(source_columns(self, source, &source->schema));
    source->tells_file =
        self->catalog->asks_file && source_has_end(source) && type_field_index(source->schema, FILE_COLUMN, true) < 0;
    TRY(source_relation(self, source, true, &element->plan));
    element->source = source;
    return E_OK;
}

/* A statement's query sees no WITH names of the query that reads it. */
static enum code analyse_apart(struct analyser *self, const struct ast_query *query, bool batch, struct plan **out)
{
    const struct cte_scope *ctes = self->ctes;
    bool batch_before = self->batch;
    struct rowset rows = {0};
    self->ctes = NULL;
    self->batch = batch;
    enum code code = analyse_query(self, query, NULL, &rows);
    self->ctes = ctes;
    self->batch = batch_before;
    *out = rows.plan;
    return code;
}

static enum code check_names(struct analyser *self, const struct type *schema, struct position at)
{
    for (int32_t i = 0; i < schema->field_count; i++)
        if (type_field_index(schema, schema->fields[i].name, true) != i)
            return sql_error(self, at, "give one of them another name with AS",
                             "[COLUMN_ALREADY_EXISTS] The column `%s` already exists. Choose another name or "
                             "rename the existing column.",
                             schema->fields[i].name);
    return E_OK;
}

/* CREATE VIEW v (a, b) AS ..: the columns under other names. */
static enum code rename_columns(struct analyser *self, const struct ast_statement *view, struct plan **plan)
{
    int32_t count = (*plan)->schema->field_count;
    if (view->column_count == 0)
        return E_OK;
    if (view->column_count != count)
        return sql_error(self, view->columns[0].at, NULL,
                         "[CREATE_VIEW_COLUMN_ARITY_MISMATCH] Cannot create view `%s`: %d names for %d columns.",
                         view->name, view->column_count, count);
    const struct expr **exprs = arena_array(self->arena, const struct expr *, (size_t)count);
    const char **names = arena_array(self->arena, const char *, (size_t)count);
    for (int32_t i = 0; i < count; i++) {
        exprs[i] = column_of(self, *plan, i, view->columns[i].at);
        names[i] = view->columns[i].name;
    }
    *plan = plan_project(self->arena, *plan, exprs, names, count, view->at);
    return E_OK;
}

static enum code resolve_view(struct analyser *self, struct element *element)
{
    const struct ast_statement *view = element->statement;
    if (element->source != NULL)
        return files_source(self, element->source, false, &element->plan);
    if (view->query == NULL)
        return files_statement(self, view, false, &element->plan);
    TRY(analyse_apart(self, view->query, self->batch || !view->streams, &element->plan));
    TRY(rename_columns(self, view, &element->plan));
    if (element->plan->streaming && !view->temporary)
        notes_warn(self->notes, view->name_at, "on Spark a view over a stream must be a TEMPORARY VIEW");
    return check_names(self, element->plan->schema, view->query->at);
}

static enum code read_sink_input(struct analyser *self, struct flow *flow)
{
    const char *parts[1] = {flow->from};
    struct ast_relation relation = {
        .kind = RELATION_NAME, .at = flow->at, .parts = parts, .part_count = 1, .stream = true};
    return catalog_relation(self, &relation, &flow->plan);
}

static enum code check_flow_type(struct analyser *self, const struct element *element, const struct flow *flow)
{
    bool materialized = element->statement != NULL && element->statement->materialized;
    if (materialized && flow->plan->streaming)
        return sql_error(self, flow->at, "CREATE STREAMING TABLE, or read the table without STREAM",
                         "[INVALID_FLOW_QUERY_TYPE.STREAMING_RELATION_FOR_MATERIALIZED_VIEW] Flow `%s` returns "
                         "an invalid relation type. Materialized views may only be defined by a batch relation.",
                         flow->name);
    if (!materialized && !flow->plan->streaming)
        return sql_error(self, flow->at, "read its input with STREAM",
                         "[INVALID_FLOW_QUERY_TYPE.BATCH_RELATION_FOR_STREAMING_TABLE] Flow `%s` returns an "
                         "invalid relation type. Streaming tables may only be defined by streaming relations.",
                         flow->name);
    return E_OK;
}

/* Reading a table is another query on Spark: the rows come from storage, without event time. */
static struct plan *table_read(struct analyser *self, const struct element *table, const struct flow *flow)
{
    struct plan *node = plan_over(self->arena, PLAN_TABLE, flow->plan, flow->plan->schema, table->at);
    node->table.name = table->name;
    return node;
}

static struct plan *union_of_flows(struct analyser *self, const struct element *element)
{
    int32_t count = element->flows.count;
    if (count == 1)
        return table_read(self, element, element->flows.items[0]);
    struct plan *node = plan_new(self->arena, PLAN_UNION, element->schema, element->at);
    node->more_inputs = arena_array(self->arena, struct plan *, (size_t)count);
    node->input_count = count;
    for (int32_t i = 0; i < count; i++) {
        struct plan *input = table_read(self, element, element->flows.items[i]);
        node->more_inputs[i] = input;
        node->streaming = node->streaming || input->streaming;
        node->height = input->height >= node->height ? input->height + 1 : node->height;
    }
    return node;
}

static enum code resolve_table(struct analyser *self, struct element *element)
{
    for (int32_t i = 0; i < element->flows.count; i++) {
        struct flow *flow = element->flows.items[i];
        if (flow->query != NULL)
            TRY(analyse_apart(self, flow->query, element->statement != NULL && element->statement->materialized,
                              &flow->plan));
        else
            TRY(read_sink_input(self, flow));
        TRY(check_flow_type(self, element, flow));
        TRY(flow_deduplicate(self, element, flow));
        TRY(check_names(self, flow->plan->schema, flow->at));
    }
    if (element->flows.count == 0)
        return sql_error(self, element->at,
                         element->kind == ELEMENT_SINK ? "name its view: sink.NAME.from"
                                                       : "write AS SELECT .., or CREATE FLOW f AS INSERT INTO ..",
                         "[PIPELINE_DATASET_WITHOUT_FLOW] Pipeline dataset `%s` does not have any defined "
                         "flows.",
                         element->name);
    TRY(table_schema(self, element, &element->schema));
    for (int32_t i = 0; i < element->flows.count; i++)
        TRY(flow_assign(self, element, element->flows.items[i], element->schema));
    element->plan = union_of_flows(self, element);
    return E_OK;
}

/* What cannot be found may be what a statement with a syntax error would have made: that one is told of already. */
static bool is_consequence(const struct analyser *self)
{
    return self->catalog != NULL && self->catalog->incomplete &&
           bytes_equal(sql_condition(self->err), bytes_of_string("TABLE_OR_VIEW_NOT_FOUND"));
}

enum code element_resolve(struct analyser *self, struct element *element)
{
    enum code code = E_OK;
    if (element->state == ELEMENT_DONE)
        return E_OK;
    if (element->state == ELEMENT_FAILED)
        return known_failure(self, element);
    int32_t depth = self->depth, noted = self->notes->problem_count;
    element->state = ELEMENT_VISITING;
    switch (element->kind) {
    case ELEMENT_SOURCE: code = resolve_source(self, element); break;
    case ELEMENT_VIEW: code = resolve_view(self, element); break;
    case ELEMENT_TABLE:
    case ELEMENT_SINK: code = resolve_table(self, element); break;
    }
    self->depth = depth;
    element->state = code == E_OK ? ELEMENT_DONE : ELEMENT_FAILED;
    bool told = self->notes->problem_count > noted; // it is the error of something that this one reads
    if (code != E_OK && !told && !is_consequence(self))
        notes_problem(self->notes, self->err);
    return code;
}

/* ---- reading ---- */

const char *catalog_hint(const struct catalog *catalog, struct arena *arena, const char *name)
{
    enum { LISTED_MAX = 8 };
    struct list names = {0};
    for (int32_t i = 0; i < catalog->elements.count; i++)
        list_add(arena, &names, ((const struct element *)catalog->elements.items[i])->name);
    const char *near = nearest_word(name, (const char *const *)names.items, (size_t)names.count);
    if (near != NULL)
        return arena_printf(arena, "did you mean `%s`?", near);
    const char *hint = NULL;
    for (int32_t i = 0; i < names.count && i < LISTED_MAX; i++)
        hint = hint == NULL ? arena_printf(arena, "there is `%s`", (const char *)names.items[i])
                            : arena_printf(arena, "%s, `%s`", hint, (const char *)names.items[i]);
    return names.count > LISTED_MAX ? arena_printf(arena, "%s, and %d more", hint, names.count - LISTED_MAX) : hint;
}

/* The format of what the project of a session has under this name, and a session cannot read; NULL: nothing. */
static const char *stream_format(const struct pipeline *project, const char *name)
{
    for (int32_t i = 0; project != NULL && i < project->source_count; i++)
        if (same_name(project->sources[i]->name, name))
            return project->sources[i]->format;
    for (int32_t i = 0; project != NULL && i < project->table_count; i++)
        if (same_name(project->tables[i]->name, name))
            return project->tables[i]->format;
    return NULL;
}

static const char *not_found_hint(const struct catalog *catalog, struct arena *arena, const char *name)
{
    const char *format = stream_format(catalog->project, name), *hint = catalog_hint(catalog, arena, name);
    if (format == NULL)
        return hint;
    return arena_printf(arena, "`%s` is of format %s: leat sql reads tables in files%s%s", name, format,
                        hint != NULL ? "; " : "", hint != NULL ? hint : "");
}

static enum code not_found(struct analyser *self, const struct ast_relation *relation, const char *name)
{
    const char *hint = self->catalog != NULL ? not_found_hint(self->catalog, self->arena, name) : NULL;
    if (self->catalog != NULL && self->catalog->files == NULL && relation->part_count == 2 &&
        is_files_format(relation->parts[0]))
        hint = arena_printf(
            self->arena, "a project reads files as FROM %sread_files('%s', format => '%s', schema => 'id BIGINT, ..')",
            relation->stream ? "STREAM " : "", relation->parts[1], relation->parts[0]);
    return sql_error(self, relation->at, hint,
                     "[TABLE_OR_VIEW_NOT_FOUND] The table or view `%s` cannot be found. Verify the spelling "
                     "and correctness of the schema and catalog.",
                     name);
}

const char *table_format(const struct catalog *catalog, const struct ast_statement *table)
{
    const char *format = table->format != NULL             ? table->format
                         : catalog->default_format != NULL ? catalog->default_format
                                                           : "parquet";
    for (int32_t i = 0; i < table->property_count; i++)
        if (same_name(table->properties[i].name, "leat.format"))
            format = table->properties[i].value;
    return format;
}

/* What the folders of a table of lines give; NULL: nothing. */
static const struct type *partition_columns(struct analyser *self, const struct element *table)
{
    const struct ast_statement *statement = table->statement;
    const struct type *schema = table->plan->schema;
    struct field *fields = arena_array(self->arena, struct field, (size_t)statement->partition_count + 1);
    int32_t count = 0;
    for (int32_t i = 0; i < statement->partition_count; i++) {
        int32_t at = type_field_index(schema, statement->partitions[i].name, true);
        if (at >= 0) // else it is an error of the table
            fields[count++] = schema->fields[at];
    }
    return count > 0 ? type_struct(self->arena, fields, count) : NULL;
}

/* The stored rows of a table. Its properties say how they were written, in the words that readers take. */
static enum code batch_read(struct analyser *self, struct element *table, struct position at, struct plan **out)
{
    const struct ast_statement *statement = table->statement;
    struct pipeline_source *source = arena_new(self->arena, struct pipeline_source);
    struct setting *options = arena_array(self->arena, struct setting, (size_t)statement->property_count);
    for (int32_t i = 0; i < statement->property_count; i++)
        options[i] = (struct setting){statement->properties[i].name, statement->properties[i].value,
                                      statement->properties[i].at};
    *source = (struct pipeline_source){.name = table->name,
                                       .format = table_format(self->catalog, statement),
                                       .of_table = true,
                                       .options = options,
                                       .option_count = statement->property_count,
                                       .schema = table->plan->schema,
                                       .at = at};
    bool lines = !same_name(source->format, "parquet") && !same_name(source->format, "delta");
    if (lines)
        source->path_columns = partition_columns(self, table);
    if (table->still == NULL)
        TRY(source_relation(self, source, false, &table->still));
    *out = table->still;
    if (lines && !same_name(source->format, "json") && !same_name(source->format, "csv"))
        (*out)->unsupported = "reading a table of this format without STREAM";
    return E_OK;
}

enum code catalog_still(struct analyser *self, struct element *source, struct position at, struct plan **out)
{
    if (!source_has_end(source->source))
        return sql_error(self, at, "write STREAM in front of it",
                         "[INCOMPATIBLE_STREAMING_VIEW_READ] View `%s` is a streaming view and must be "
                         "referenced as a stream.",
                         source->name);
    if (source->still == NULL)
        TRY(source_relation(self, source->source, false, &source->still));
    *out = source->still;
    return E_OK;
}

/* The columns of the source itself, for who does not ask for its files. */
static struct plan *without_file(struct analyser *self, struct plan *plan)
{
    int32_t count = plan->schema->field_count - 1;
    const struct expr **exprs = arena_array(self->arena, const struct expr *, (size_t)count + 1);
    const char **names = arena_array(self->arena, const char *, (size_t)count + 1);
    for (int32_t i = 0; i < count; i++) {
        exprs[i] = column_of(self, plan, i, plan->at);
        names[i] = plan->schema->fields[i].name;
    }
    return plan_project(self->arena, plan, exprs, names, count, plan->at);
}

enum code catalog_source(struct analyser *self, struct element *source, const struct ast_relation *relation,
                         struct plan **out)
{
    *out = source->plan;
    if (!relation->stream)
        TRY(catalog_still(self, source, relation->at, out));
    if (source->source->tells_file && !relation->tells_file)
        *out = without_file(self, *out);
    return E_OK;
}

static bool is_direct(const struct analyser *self, const struct ast_relation *relation, const struct element *element)
{
    return element == NULL && relation->part_count == 2 && !relation->stream && self->catalog != NULL &&
           self->catalog->files != NULL && is_files_format(relation->parts[0]);
}

static bool is_of_files(const struct element *element)
{
    return element != NULL && element->kind == ELEMENT_VIEW &&
           (element->source != NULL || element->statement->query == NULL);
}

bool catalog_is_files(const struct analyser *self, const struct ast_relation *relation)
{
    const char *name = relation->parts[relation->part_count - 1];
    const struct element *element = self->catalog != NULL ? catalog_find(self->catalog, name) : NULL;
    if (element != NULL && element->kind == ELEMENT_SOURCE)
        return source_has_end(element->source);
    return is_direct(self, relation, element) || is_table_path(self, relation) ||
           (!relation->stream && is_of_files(element));
}

/* With the column that says the file, for this reader alone. */
static enum code files_told(struct analyser *self, struct element *element, struct plan **out)
{
    element->used = true;
    return element->source != NULL ? files_source(self, element->source, true, out)
                                   : files_statement(self, element->statement, true, out);
}

enum code catalog_relation(struct analyser *self, const struct ast_relation *relation, struct plan **out)
{
    const char *name = relation->parts[relation->part_count - 1];
    struct element *element = self->catalog != NULL ? catalog_find(self->catalog, name) : NULL;
    if (is_direct(self, relation, element))
        return files_relation(self, relation, out);
    if (is_table_path(self, relation))
        return catalog_table_path(self, relation, out);
    if (element == NULL || element->kind == ELEMENT_SINK)
        return not_found(self, relation, name);
    if (element->state == ELEMENT_VISITING)
        return sql_error(self, relation->at, NULL,
                         "[PIPELINE_GRAPH_NOT_TOPOLOGICALLY_SORTED] There is a cycle: `%s` reads itself, at "
                         "least through others.",
                         name);
    if (relation->tells_file && !relation->stream && is_of_files(element))
        return files_told(self, element, out);
    TRY(element_resolve(self, element));
    element->used = true;
    bool view = element->kind == ELEMENT_TABLE && element->statement->materialized;
    if (element->kind == ELEMENT_TABLE && !relation->stream && !view) // a view is computed with its readers
        return batch_read(self, element, relation->at, out);
    if (view && relation->stream)
        return not_yet(self, relation->at, "reading a materialized view with STREAM");
    if (element->kind == ELEMENT_SOURCE)
        return catalog_source(self, element, relation, out);
    if (element->plan->streaming && !relation->stream)
        return sql_error(self, relation->at, "write STREAM in front of it",
                         "[INCOMPATIBLE_STREAMING_VIEW_READ] View `%s` is a streaming view and must be "
                         "referenced as a stream.",
                         name);
    if (!element->plan->streaming && relation->stream)
        return sql_error(
            self, relation->at,
            "leave STREAM out here; a view that is to be read as a stream has it in its own query: FROM STREAM ..",
            "[INCOMPATIBLE_BATCH_VIEW_READ] View `%s` is a batch view and must be referenced "
            "without STREAM.",
            name);
    *out = element->plan;
    return E_OK;
}

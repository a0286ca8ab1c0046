/* analyse_pipeline.c - statements to tables, views and flows; then everything that makes a struct
 * pipeline. */
#include <stdlib.h>
#include <strings.h>

#include "base/hash.h"
#include "sql/analyse.h"
#include "sql/catalog.h"
#include "sql/join.h"
#include "sql/optimise.h"
#include "sql/parse.h"

struct assembly {
    struct analyser analyser;
    struct catalog catalog;
    struct notes *notes;
    const struct project_text *text;
    struct list settings; /* const struct setting *, of SET */
    struct error later;   /* errors behind the first */
};

/* ---- names ---- */

static enum code add_element(struct assembly *self, enum element_kind kind, const char *name, struct position at,
                             struct element **out)
{
    static const char *const kinds[] = {"source", "view", "table", "sink"};
    struct analyser *analyser = &self->analyser;
    const struct element *taken = catalog_find(&self->catalog, name);
    if (taken != NULL)
        return sql_error(analyser, at, NULL,
                         "[PIPELINE_DUPLICATE_IDENTIFIERS.OUTPUT] A duplicate identifier was found: `%s` is a "
                         "%s already.",
                         name, kinds[taken->kind]);
    if (self->catalog.elements.count >= 4 * SQL_TABLES_MAX)
        return sql_error(analyser, at, NULL, "more than %d sources, views, tables and sinks", 4 * SQL_TABLES_MAX);
    struct element *element = arena_new(analyser->arena, struct element);
    *element = (struct element){.kind = kind, .name = name, .at = at};
    list_add(analyser->arena, &self->catalog.elements, element);
    *out = element;
    return E_OK;
}

static void add_flow(struct assembly *self, struct element *element, const char *name, const struct ast_query *query,
                     const char *from, struct position at)
{
    struct flow *flow = arena_new(self->analyser.arena, struct flow);
    *flow = (struct flow){.name = name, .query = query, .from = from, .at = at};
    list_add(self->analyser.arena, &element->flows, flow);
}

static enum code add_set(struct assembly *self, const struct ast_statement *statement)
{
    static const char *const fixed[] = {"spark.sql.session.timeZone", "spark.sql.ansi.enabled"};
    for (size_t i = 0; i < sizeof fixed / sizeof fixed[0]; i++)
        if (same_name(fixed[i], statement->name))
            return sql_error(&self->analyser, statement->at, "put it under `configuration` of spark-pipeline.yml",
                             "[CANNOT_MODIFY_CONFIG] %s is one for the whole pipeline.", fixed[i]);
    struct setting *setting = arena_new(self->analyser.arena, struct setting);
    *setting = (struct setting){statement->name, statement->value, statement->at};
    list_add(self->analyser.arena, &self->settings, setting);
    return E_OK;
}

static enum code declare(struct assembly *self, const struct ast_statement *statement)
{
    struct element *element;
    enum element_kind kind = statement->kind == STATEMENT_VIEW   ? ELEMENT_VIEW
                             : statement->kind == STATEMENT_SINK ? ELEMENT_SINK
                                                                 : ELEMENT_TABLE;
    switch (statement->kind) {
    case STATEMENT_SET: return add_set(self, statement);
    case STATEMENT_USE:
    case STATEMENT_FLOW: return E_OK;
    case STATEMENT_QUERY:
        return sql_error(&self->analyser, statement->query->at, "write CREATE STREAMING TABLE name AS in front of it",
                         "[UNSUPPORTED_PIPELINE_SPARK_SQL_COMMAND] a query alone defines nothing in a "
                         "pipeline.");
    default: break;
    }
    TRY(add_element(self, kind, statement->name, statement->name_at, &element));
    element->statement = statement;
    if (kind == ELEMENT_TABLE && statement->query != NULL)
        add_flow(self, element, statement->name, statement->query, NULL, statement->query->at);
    return E_OK;
}

/* CREATE FLOW: after all tables are known. */
static enum code declare_flow(struct assembly *self, const struct ast_statement *statement)
{
    struct analyser *analyser = &self->analyser;
    if (statement->kind != STATEMENT_FLOW)
        return E_OK;
    if (statement->auto_cdc)
        return not_yet(analyser, statement->at, "AUTO CDC flows");
    if (statement->once)
        return not_yet(analyser, statement->at, "INSERT ONCE flows");
    struct element *target = catalog_find(&self->catalog, statement->target);
    if (target == NULL || (target->kind != ELEMENT_TABLE && target->kind != ELEMENT_SINK))
        return sql_error(analyser, statement->target_at, NULL,
                         "[TABLE_OR_VIEW_NOT_FOUND] The table or view `%s` cannot be found: a flow writes into "
                         "a streaming table.",
                         statement->target);
    if (!statement->by_name)
        notes_warn(self->notes, statement->target_at,
                   "Spark takes only INSERT INTO .. BY NAME in a flow; columns are matched by name");
    for (int32_t i = 0; i < target->flows.count; i++) {
        const struct flow *flow = target->flows.items[i];
        if (same_name(flow->name, statement->name))
            return sql_error(analyser, statement->name_at, NULL,
                             "[PIPELINE_DUPLICATE_IDENTIFIERS.FLOW] `%s` has a flow of this name already.",
                             statement->target);
    }
    add_flow(self, target, statement->name, statement->query, NULL, statement->query->at);
    return E_OK;
}

/* Keep going: every statement's first error is told. The first of all stays in the caller's
 * error. */
static void note(struct assembly *self, enum code code, enum code *first)
{
    if (code == E_OK)
        return;
    notes_problem(self->notes, self->analyser.err);
    if (*first == E_OK)
        *first = code;
    self->analyser.err = &self->later;
}

static enum code declare_spec(struct assembly *self)
{
    struct element *element;
    for (int32_t i = 0; i < self->text->source_count; i++) {
        const struct pipeline_source *source = self->text->sources[i];
        TRY(add_element(self, ELEMENT_SOURCE, source->name, source->at, &element));
        element->source = source;
    }
    for (int32_t i = 0; i < self->text->sink_count; i++) {
        const struct sink_text *sink = &self->text->sinks[i];
        TRY(add_element(self, ELEMENT_SINK, sink->name, sink->at, &element));
        element->sink = sink;
        if (sink->from != NULL)
            add_flow(self, element, sink->name, NULL, sink->from, sink->at);
    }
    return E_OK;
}

static enum code declare_all(struct assembly *self)
{
    enum code first = E_OK;
    struct list statements = {0};
    note(self, declare_spec(self), &first);
    for (int32_t f = 0; f < self->text->file_count; f++) {
        struct ast_script script = {0};
        enum code code =
            parse_script(self->analyser.arena, &self->text->files[f], self->notes, &script, self->analyser.err);
        if (code != E_OK) {
            first = first == E_OK ? code : first;
            self->analyser.err = &self->later; // its problems are noted
            self->catalog.incomplete = true;
        }
        self->catalog.asks_file |= script.asks_file;
        for (int32_t i = 0; i < script.count; i++) {
            list_add(self->analyser.arena, &statements, script.statements[i]);
            note(self, declare(self, script.statements[i]), &first);
        }
    }
    for (int32_t i = 0; i < statements.count; i++)
        note(self, declare_flow(self, statements.items[i]), &first);
    return first;
}

static enum code resolve_all(struct assembly *self)
{
    enum code first = E_OK;
    for (int32_t i = 0; i < self->catalog.elements.count; i++) {
        struct element *element = self->catalog.elements.items[i];
        if (element->state != ELEMENT_NEW)
            continue;
        enum code code = element_resolve(&self->analyser, element);
        if (code != E_OK && first == E_OK)
            first = code;
        if (code != E_OK)
            self->analyser.err = &self->later;
    }
    return first;
}

/* ---- tables ---- */

static const char *property(const struct ast_statement *statement, const char *name)
{
    const char *value = NULL;
    for (int32_t i = 0; i < statement->property_count; i++)
        if (same_name(statement->properties[i].name, name))
            value = statement->properties[i].value;
    return value;
}

static const char *text_setting(const struct project_text *text, const char *name)
{
    const char *value = NULL;
    for (int32_t i = 0; i < text->setting_count; i++)
        if (strcmp(text->settings[i].name, name) == 0)
            value = text->settings[i].value;
    return value;
}

static const char *nearest_field(struct arena *arena, const struct type *schema, const char *name)
{
    const char **names = arena_array(arena, const char *, (size_t)schema->field_count + 1);
    for (int32_t i = 0; i < schema->field_count; i++)
        names[i] = schema->fields[i].name;
    const char *near = nearest_word(name, names, (size_t)schema->field_count);
    return near != NULL ? arena_printf(arena, "did you mean `%s`?", near) : NULL;
}

static enum code partition_names(struct assembly *self, const struct element *element, struct pipeline_table *table)
{
    const struct ast_statement *statement = element->statement;
    const char **names = arena_array(self->analyser.arena, const char *, (size_t)statement->partition_count);
    for (int32_t i = 0; i < statement->partition_count; i++) {
        const struct ast_column *col = &statement->partitions[i];
        int32_t index = type_field_index(table->schema, col->name, true);
        if (index < 0)
            return sql_error(&self->analyser, col->at, nearest_field(self->analyser.arena, table->schema, col->name),
                             "[UNRESOLVED_COLUMN.WITHOUT_SUGGESTION] the partition column `%s` is not "
                             "among the columns of `%s`.",
                             col->name, table->name);
        names[i] = table->schema->fields[index].name;
    }
    if (statement->partition_count >= table->schema->field_count && statement->partition_count > 0)
        return sql_error(&self->analyser, statement->partitions[0].at, NULL,
                         "[ALL_PARTITION_COLUMNS_NOT_ALLOWED] Cannot use all columns "
                         "for partition columns.");
    table->partition_columns = names;
    table->partition_count = statement->partition_count;
    return E_OK;
}

static enum code describe_created(struct assembly *self, const struct element *element, struct pipeline_table *table)
{
    const struct ast_statement *statement = element->statement;
    struct setting *properties = arena_array(self->analyser.arena, struct setting, (size_t)statement->property_count);
    for (int32_t i = 0; i < statement->property_count; i++)
        properties[i] = (struct setting){statement->properties[i].name, statement->properties[i].value,
                                         statement->properties[i].at};
    table->properties = properties;
    table->property_count = statement->property_count;
    table->format = table_format(&self->catalog, statement);
    table->path = property(statement, "leat.path");
    table->comment = statement->comment;
    table->materialized = statement->materialized;
    if (statement->format != NULL)
        notes_warn(self->notes, statement->name_at,
                   "USING breaks on Spark's second run: TBLPROPERTIES ('leat.format' = '%s') does not",
                   statement->format);
    if (statement->cluster_count > 0)
        notes_warn(self->notes, statement->name_at, "CLUSTER BY of `%s` is ignored", element->name);
    if (element->flows.count > 1)
        notes_warn(self->notes, statement->name_at,
                   "`%s` has %d flows: on Spark the second into a plain Parquet table loses its rows", element->name,
                   element->flows.count);
    return partition_names(self, element, table);
}

static enum code describe_table(struct assembly *self, const struct element *element, struct pipeline_table *table)
{
    struct arena *arena = self->analyser.arena;
    int32_t count = element->flows.count;
    struct plan **flows = arena_array(arena, struct plan *, (size_t)count);
    const char **names = arena_array(arena, const char *, (size_t)count);
    for (int32_t i = 0; i < count; i++) {
        const struct flow *flow = element->flows.items[i];
        flows[i] = flow->plan;
        names[i] = flow->name;
    }
    *table = (struct pipeline_table){.name = element->name,
                                     .is_sink = element->kind == ELEMENT_SINK,
                                     .schema = element->schema,
                                     .flows = flows,
                                     .flow_names = names,
                                     .flow_count = count,
                                     .at = element->at};
    table->streaming = element->plan->streaming;
    if (element->sink != NULL) {
        table->format = element->sink->format;
        table->properties = element->sink->options;
        table->property_count = element->sink->option_count;
        table->path = table_property(table, "path");
        return E_OK;
    }
    return describe_created(self, element, table);
}

/* ---- the pipeline ---- */

/* What runs here and there, but not to the same rows. */
static void warn_unportable(struct assembly *self)
{
    static const char zone[] = "spark.sql.session.timeZone";
    if (text_setting(self->text, zone) == NULL)
        notes_warn(self->notes, (struct position){0}, "%s is not set: leat takes UTC, Spark the machine's zone", zone);
    for (int32_t i = 0; i < self->catalog.elements.count; i++) {
        const struct element *element = self->catalog.elements.items[i];
        bool starts = false;
        if (element->kind != ELEMENT_SOURCE || !element->used || !same_name(element->source->format, "kafka"))
            continue;
        for (int32_t o = 0; o < element->source->option_count; o++)
            starts = starts || strncasecmp(element->source->options[o].name, "starting", 8) == 0;
        if (!starts)
            notes_warn(self->notes, element->at,
                       "the source `%s` does not say where it starts: without startingOffsets it begins "
                       "at what is latest when it runs first",
                       element->name);
    }
}

static enum code collect_tables(struct assembly *self, struct pipeline *pipeline)
{
    struct arena *arena = self->analyser.arena;
    struct list tables = {0}, sources = {0};
    warn_unportable(self);
    for (int32_t i = 0; i < self->catalog.elements.count; i++) {
        const struct element *element = self->catalog.elements.items[i];
        if (element->kind == ELEMENT_SOURCE && element->used)
            list_add(arena, &sources, element->source);
        else if (element->kind == ELEMENT_SOURCE)
            notes_warn(self->notes, element->at, "the source `%s` is not read by any table", element->name);
        if (element->kind != ELEMENT_TABLE && element->kind != ELEMENT_SINK)
            continue;
        struct pipeline_table *table = arena_new(arena, struct pipeline_table);
        TRY(describe_table(self, element, table));
        list_add(arena, &tables, table);
    }
    if (tables.count == 0)
        return sql_error(&self->analyser, (struct position){0},
                         "write CREATE STREAMING TABLE name AS SELECT .. into transformations/*.sql",
                         "[RUN_EMPTY_PIPELINE] Pipelines are expected to have at least one non-temporary "
                         "dataset defined.");
    if (tables.count > SQL_TABLES_MAX)
        return sql_error(&self->analyser, (struct position){0}, NULL, "more than SQL_TABLES_MAX = %d tables and sinks",
                         SQL_TABLES_MAX);
    pipeline->tables = (const struct pipeline_table *const *)tables.items;
    pipeline->table_count = tables.count;
    pipeline->sources = (const struct pipeline_source *const *)sources.items;
    pipeline->source_count = sources.count;
    return E_OK;
}

static void collect_settings(struct assembly *self, struct pipeline *pipeline)
{
    int32_t count = self->text->setting_count;
    struct setting *all = arena_array(self->analyser.arena, struct setting, (size_t)(count + self->settings.count));
    for (int32_t i = 0; i < count; i++)
        all[i] = self->text->settings[i];
    for (int32_t i = 0; i < self->settings.count; i++)
        all[count + i] = *(const struct setting *)self->settings.items[i];
    pipeline->settings = all;
    pipeline->setting_count = count + self->settings.count;
}

static int compare_numbers(const void *a, const void *b)
{
    int32_t x = *(const int32_t *)a, y = *(const int32_t *)b;
    return (x > y) - (x < y);
}

static void number_watermarks(struct arena *arena, struct pipeline *pipeline, const struct group_list *list)
{
    struct watermark_group *groups = arena_array(arena, struct watermark_group, (size_t)list->count);
    for (int32_t i = 0; i < pipeline->node_count; i++)
        if (pipeline->nodes[i]->kind == PLAN_WATERMARK)
            pipeline->nodes[i]->watermark.node = pipeline->watermark_count++;
    for (int32_t g = 0; g < list->count; g++) {
        const struct plan_list *watermarks = &list->watermarks[g];
        int32_t *numbers = arena_array(arena, int32_t, (size_t)watermarks->count);
        for (int32_t i = 0; i < watermarks->count; i++)
            numbers[i] = watermarks->nodes[i]->watermark.node;
        qsort(numbers, (size_t)watermarks->count, sizeof *numbers, compare_numbers);
        groups[g] = (struct watermark_group){numbers, watermarks->count};
    }
    pipeline->groups = groups;
    pipeline->group_count = list->count;
}

/* All flows of all tables as one graph. */
static void build_graph(struct assembly *self, struct pipeline *pipeline)
{
    struct list roots = {0};
    struct plan_list nodes;
    struct group_list groups;
    for (int32_t t = 0; t < pipeline->table_count; t++)
        for (int32_t f = 0; f < pipeline->tables[t]->flow_count; f++)
            list_add(self->analyser.arena, &roots, pipeline->tables[t]->flows[f]);
    optimise(&self->analyser.expr, (struct plan **)roots.items, roots.count, &nodes, &groups);
    int32_t next = 0;
    for (int32_t t = 0; t < pipeline->table_count; t++) {
        struct pipeline_table *table = (struct pipeline_table *)(uintptr_t)pipeline->tables[t];
        table->flows = (struct plan *const *)roots.items + next;
        next += table->flow_count;
    }
    pipeline->nodes = nodes.nodes;
    pipeline->node_count = nodes.count;
    number_watermarks(self->analyser.arena, pipeline, &groups);
    const char *policy = pipeline_setting(pipeline, "spark.sql.streaming.multipleWatermarkPolicy");
    pipeline->watermark_policy_max = policy != NULL && same_name(policy, "max");
    pipeline->fingerprint = plan_identify(pipeline);
}

/* Messages about the SQL need its lines. */
static void know_files(struct arena *arena, struct notes *notes, const struct project_text *text)
{
    struct sql_file *files = arena_array(arena, struct sql_file, (size_t)notes->file_count + (size_t)text->file_count);
    for (int32_t i = 0; i < notes->file_count; i++)
        files[i] = notes->files[i];
    for (int32_t i = 0; i < text->file_count; i++)
        files[notes->file_count + i] = text->files[i];
    notes->files = files;
    notes->file_count += text->file_count;
}

static uint64_t text_sum(const struct project_text *text)
{
    uint64_t sum = 0;
    for (int32_t i = 0; i < text->file_count; i++)
        sum = XXH64(text->files[i].text.data, text->files[i].text.size, sum);
    return sum;
}

enum code project_analyse(struct arena *arena, const struct project_text *text, const struct pipeline **out,
                          struct error *err)
{
    struct notes *notes = text->notes;
    struct assembly self = {.text = text, .notes = notes};
    struct pipeline *pipeline = arena_new(arena, struct pipeline);
    *pipeline = (struct pipeline){.name = text->name,
                                  .directory = text->directory,
                                  .storage = text->storage,
                                  .storage_at = text->storage_at,
                                  .session = text->session,
                                  .text_sum = text_sum(text)};
    know_files(arena, notes, text);
    self.analyser = (struct analyser){.arena = arena, .notes = notes, .err = err, .catalog = &self.catalog};
    self.analyser.expr = (struct expr_context){arena, &pipeline->session};
    self.catalog.tables = text->tables;
    self.catalog.default_format = text_setting(text, "spark.sql.sources.default");
    enum code declared = declare_all(&self);
    enum code resolved = resolve_all(&self);
    if (declared != E_OK || resolved != E_OK)
        return declared != E_OK ? declared : resolved;
    collect_settings(&self, pipeline);
    enum code code = collect_tables(&self, pipeline);
    if (code != E_OK) {
        notes_problem(notes, err);
        return code;
    }
    build_graph(&self, pipeline);
    code = joins_check_times(&self.analyser, pipeline->nodes, pipeline->node_count);
    if (code != E_OK) {
        notes_problem(notes, err);
        return code;
    }
    pipeline->warnings = (const char *const *)notes->warnings.items;
    pipeline->warning_count = notes->warnings.count;
    *out = pipeline;
    return E_OK;
}

/* ---- questions ---- */

const char *pipeline_setting(const struct pipeline *pipeline, const char *name)
{
    const char *value = NULL;
    for (int32_t i = 0; i < pipeline->setting_count; i++)
        if (strcmp(pipeline->settings[i].name, name) == 0)
            value = pipeline->settings[i].value;
    return value;
}

const char *table_property(const struct pipeline_table *table, const char *name)
{
    const char *value = NULL;
    for (int32_t i = 0; i < table->property_count; i++)
        if (same_name(table->properties[i].name, name))
            value = table->properties[i].value;
    return value;
}

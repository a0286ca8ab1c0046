#include "sql/sql_session.h"

#include "base/text_number.h"
#include "sql/failing_constant.h"
#include "sql/first_error.h"
#include "sql/optimise.h"

/* ---- the session ---- */

struct sql_session *sql_session_new(const struct session *initial)
{
    struct sql_session *self = mem_new(struct sql_session);
    self->settings = *initial;
    self->own_zone = initial->zone;
    return self;
}

const struct session *sql_session_settings(const struct sql_session *self) { return &self->settings; }

void sql_session_files(struct sql_session *self, const struct sql_files *files) { self->files = files; }

void sql_session_project(struct sql_session *self, const struct pipeline *project) { self->project = project; }

void sql_session_clock(struct sql_session *self, int64_t now_us) { self->settings.batch_time_us = now_us; }

static void relation_free(struct relation *relation)
{
    struct arena arena = relation->arena; // the relation lies in it
    arena_free(&arena);
}

/* Its rows must be gone, or somebody else's. */
static void relation_forget(struct sql_session *self, int32_t i)
{
    relation_free(self->relations[i]);
    self->relations[i] = self->relations[--self->relation_count];
}

void sql_session_free(struct sql_session *self, void (*drop)(void *context, struct stored_rows *rows), void *context)
{
    if (self == NULL)
        return;
    while (self->relation_count > 0) {
        struct relation *last = self->relations[self->relation_count - 1];
        if (last->rows != NULL)
            drop(context, last->rows);
        relation_forget(self, self->relation_count - 1);
    }
    mem_free(self->relations);
    session_variables_free(self);
    session_functions_free(self);
    arena_free(&self->parameter_arena);
    mem_free(self);
}

static int32_t relation_find(const struct sql_session *self, const char *name)
{
    for (int32_t i = 0; i < self->relation_count; i++)
        if (same_name(self->relations[i]->name, name))
            return i;
    return -1;
}

/* Takes the arena over; the relation moves into it. */
static struct relation *relation_add(struct sql_session *self, struct arena *arena, const char *name)
{
    struct relation *relation = arena_new(arena, struct relation);
    relation->name = arena_strdup(arena, name);
    relation->arena = *arena;
    *arena = (struct arena){0};
    mem_grow(self->relations, self->relation_capacity, self->relation_count + 1);
    self->relations[self->relation_count++] = relation;
    return relation;
}

void sql_session_relation(struct sql_session *self, const struct pipeline_source *source)
{
    struct arena arena = {0};
    int32_t existing = relation_find(self, source->name);
    if (existing >= 0)
        relation_forget(self, existing);
    relation_add(self, &arena, source->name)->source = source;
}

void sql_session_names(const struct sql_session *self, void (*each)(void *context, const char *name), void *context)
{
    for (int32_t i = 0; i < self->relation_count; i++)
        each(context, self->relations[i]->name);
}

/* ---- one statement ---- */

/* The session's relations as a catalog: each is analysed when, and where, it is read. */
static void catalog_fill(struct step *self)
{
    struct arena *arena = self->analyser.arena;
    self->catalog.files = self->session->files;
    self->catalog.project = self->session->project;
    for (int32_t i = 0; i < self->session->relation_count; i++) {
        const struct relation *relation = self->session->relations[i];
        struct element *element = arena_new(arena, struct element);
        element->kind = ELEMENT_VIEW;
        element->name = relation->name;
        element->statement = relation->view;
        element->source = relation->source;
        if (relation->rows != NULL) {
            element->state = ELEMENT_DONE;
            element->plan = plan_new(arena, PLAN_STORED, relation->schema, (struct position){0});
            element->plan->stored.rows = relation->rows;
        }
        list_add(arena, &self->catalog.elements, element);
    }
}

enum code step_analyse(struct step *self, const struct ast_query *query, struct plan **out)
{
    struct rowset rows;
    TRY(first_error(&self->analyser, query, analyse_query(&self->analyser, query, NULL, &rows)));
    *out = rows.plan;
    return E_OK;
}

static enum code name_error(struct step *self, const char *condition, const char *text)
{
    const struct ast_statement *statement = self->statement.statement;
    return sql_error(&self->analyser, statement->name_at, NULL, "[%s] %s `%s`.", condition, text, statement->name);
}

/* `text` says that the statement's table is not there, or that what is there holds no rows of the session. */
static enum code no_table(struct step *self, const char *text)
{
    const struct ast_statement *statement = self->statement.statement;
    const char *hint = relation_find(self->session, statement->name) >= 0
                           ? "it is a view, or files; leat sql only reads those, and a project's tables are written by "
                             "leat run"
                           : catalog_hint(&self->catalog, self->analyser.arena, statement->name);
    return sql_error(&self->analyser, statement->name_at, hint, "[TABLE_OR_VIEW_NOT_FOUND] %s `%s`.", text,
                     statement->name);
}

/* ---- views ---- */

/* The view's tree must outlive the statement: it is parsed once more, into the relation's own arena. */
static enum code view_keep(struct step *self, const struct ast_statement *written)
{
    struct arena arena = {0};
    struct session_statement again;
    struct notes notes = {.arena = &arena};
    struct bytes text =
        bytes_of(arena_strndup(&arena, (const char *)self->file.text.data, self->file.text.size), self->file.text.size);
    struct sql_file *file = arena_new(&arena, struct sql_file);
    *file = (struct sql_file){arena_printf(&arena, "view %s", written->name), text};
    enum code code = parse_session_statement(&arena, file, &notes, &self->identifiers, &again, self->analyser.err);
    if (code != E_OK) {
        arena_free(&arena);
        return code;
    }
    struct relation *relation = relation_add(self->session, &arena, written->name);
    relation->view = again.statement;
    relation->temporary = written->temporary;
    return E_OK;
}

/* CREATE .. USING csv OPTIONS (path ..): files under a name. Looked at now, for their errors, and whenever it is read. */
static enum code create_of_files(struct step *self)
{
    const struct ast_statement *statement = self->statement.statement;
    int32_t existing = relation_find(self->session, statement->name);
    struct plan *plan;
    TRY(files_statement(&self->analyser, statement, false, &plan));
    unheeded_of_files(&self->analyser, statement->format, statement->properties, statement->property_count);
    if (existing >= 0 && self->session->relations[existing]->rows == NULL)
        relation_forget(self->session, existing);
    return view_keep(self, statement);
}

static bool names_files(const struct ast_statement *statement)
{
    bool path = false;
    for (int32_t i = 0; statement->format != NULL && statement->query == NULL && i < statement->property_count; i++)
        path = path || same_name(statement->properties[i].name, "path");
    return path;
}

static enum code create_view(struct step *self)
{
    const struct ast_statement *view = self->statement.statement;
    int32_t existing = relation_find(self->session, view->name);
    struct plan *plan;
    if (existing >= 0 && view->if_not_exists)
        return E_OK;
    if (existing >= 0 && !self->statement.or_replace)
        return name_error(self, view->temporary ? "TEMP_TABLE_OR_VIEW_ALREADY_EXISTS" : "TABLE_OR_VIEW_ALREADY_EXISTS",
                          "There is a table or view already:");
    if (view->query == NULL)
        return create_of_files(self);
    TRY(step_analyse(self, view->query, &plan));
    if (view->column_count > 0 && view->column_count != plan->schema->field_count)
        return sql_error(&self->analyser, view->name_at, NULL,
                         "[CREATE_VIEW_COLUMN_ARITY_MISMATCH.%s] Cannot create view `%s`: %d names for %d columns.",
                         view->column_count < plan->schema->field_count ? "TOO_MANY_DATA_COLUMNS"
                                                                        : "NOT_ENOUGH_DATA_COLUMNS",
                         view->name, view->column_count, plan->schema->field_count);
    if (existing >= 0 && self->session->relations[existing]->rows == NULL)
        relation_forget(self->session, existing);
    return view_keep(self, view);
}

/* ---- tables ---- */

static const struct type *declared_schema(struct step *self, const struct ast_statement *table)
{
    struct arena *arena = self->analyser.arena;
    struct field *fields = arena_array(arena, struct field, (size_t)table->column_count);
    for (int32_t i = 0; i < table->column_count; i++)
        fields[i] = (struct field){table->columns[i].name, table->columns[i].type, !table->columns[i].not_null};
    return type_struct(arena, fields, table->column_count);
}

static struct relation *table_add(struct step *self, const char *name, const struct type *schema)
{
    struct arena arena = {0};
    struct relation *relation = relation_add(self->session, &arena, name);
    relation->schema = type_copy(&relation->arena, schema);
    relation->rows = self->rows_new();
    return relation;
}

static enum code create_table(struct step *self)
{
    const struct ast_statement *table = self->statement.statement;
    struct plan *plan = NULL;
    if (relation_find(self->session, table->name) >= 0) {
        if (table->if_not_exists)
            return E_OK;
        return name_error(self, "TABLE_OR_VIEW_ALREADY_EXISTS", "There is a table or view already:");
    }
    if (names_files(table))
        return create_of_files(self);
    if (table->query != NULL)
        TRY(step_analyse(self, table->query, &plan));
    if (plan == NULL && table->column_count == 0)
        return not_yet(&self->analyser, table->name_at, "CREATE TABLE without columns");
    struct relation *relation =
        table_add(self, table->name, plan != NULL ? plan->schema : declared_schema(self, table));
    if (plan != NULL)
        *self->out = (struct session_step){
            .action = SESSION_FILL, .plan = plan, .target = relation->rows, .schema = relation->schema};
    self->out->in_memory = true;
    return E_OK;
}

/* Which column of the query each column of the table gets; -1: NULL. */
static enum code insert_places(struct step *self, const struct type *schema, const struct type *given, int32_t *places)
{
    const struct session_statement *insert = &self->statement;
    bool named = insert->column_count > 0 || insert->statement->by_name;
    int32_t count = insert->column_count > 0 ? insert->column_count : schema->field_count;
    if (given->field_count != count)
        return sql_error(
            &self->analyser, insert->statement->name_at, NULL,
            "[INSERT_COLUMN_ARITY_MISMATCH.%s] Cannot write to `%s`: the table has %d columns, the data %d.",
            given->field_count < count ? "NOT_ENOUGH_DATA_COLUMNS" : "TOO_MANY_DATA_COLUMNS", insert->statement->name,
            count, given->field_count);
    for (int32_t i = 0; i < schema->field_count; i++)
        places[i] = named ? -1 : i;
    for (int32_t i = 0; named && i < count; i++) {
        const char *name = insert->column_count > 0 ? insert->columns[i] : given->fields[i].name;
        int32_t column = type_field_index(schema, name, true);
        if (column < 0)
            return sql_error(&self->analyser, insert->statement->name_at, NULL,
                             "[UNRESOLVED_COLUMN.WITH_SUGGESTION] The table `%s` has no column `%s`.",
                             insert->statement->name, name);
        places[column] = i;
    }
    return E_OK;
}

static enum code insert(struct step *self)
{
    struct analyser *analyser = &self->analyser;
    const struct ast_statement *statement = self->statement.statement;
    int32_t at = relation_find(self->session, statement->name);
    struct plan *plan;
    if (at < 0 || self->session->relations[at]->rows == NULL)
        return no_table(self, "There is no table of the session");
    struct relation *table = self->session->relations[at];
    size_t count = (size_t)table->schema->field_count;
    int32_t *places = arena_array(analyser->arena, int32_t, count);
    const struct expr **exprs = arena_array(analyser->arena, const struct expr *, count);
    const char **names = arena_array(analyser->arena, const char *, count);
    TRY(step_analyse(self, statement->query, &plan));
    TRY(insert_places(self, table->schema, plan->schema, places));
    for (int32_t i = 0; i < table->schema->field_count; i++) {
        const struct field *field = &table->schema->fields[i];
        names[i] = field->name;
        if (places[i] < 0) {
            exprs[i] = expr_null(&analyser->expr, field->type, statement->at);
            continue;
        }
        exprs[i] = column_of(analyser, plan, places[i], statement->at);
        if (!type_equal(exprs[i]->type, field->type))
            TRY(placed(
                analyser,
                expr_cast(&analyser->expr, exprs[i], field->type, false, statement->at, &exprs[i], analyser->err),
                statement->name_at));
    }
    plan = plan_project(analyser->arena, plan, exprs, names, table->schema->field_count, statement->at);
    *self->out = (struct session_step){.action = SESSION_FILL,
                                       .plan = plan,
                                       .target = table->rows,
                                       .schema = table->schema,
                                       .overwrite = self->statement.overwrite};
    return E_OK;
}

static enum code drop(struct step *self)
{
    int32_t at = relation_find(self->session, self->statement.statement->name);
    if (at < 0)
        return self->statement.if_exists ? E_OK : no_table(self, "There is no table or view");
    struct relation *relation = self->session->relations[at];
    if (relation->rows != NULL)
        *self->out = (struct session_step){.action = SESSION_DROP, .target = relation->rows};
    relation_forget(self->session, at);
    return E_OK;
}

/* No rows in the place of what is there. */
static enum code truncate(struct step *self)
{
    int32_t at = relation_find(self->session, self->statement.statement->name);
    if (at < 0 || self->session->relations[at]->rows == NULL)
        return no_table(self, "There is no table of the session");
    const struct relation *table = self->session->relations[at];
    struct plan *none = plan_new(self->analyser.arena, PLAN_VALUES, table->schema, (struct position){0});
    *self->out = (struct session_step){
        .action = SESSION_FILL, .plan = none, .target = table->rows, .schema = table->schema, .overwrite = true};
    return E_OK;
}

/* ---- SET ---- */

static enum code set_zone(struct step *self, const char *name)
{
    struct error err = {0};
    const struct zone *zone;
    if (zone_find(bytes_of_string(name), &zone, &err) != E_OK)
        return sql_error(
            &self->analyser, self->statement.statement->name_at, NULL,
            "[INVALID_CONF_VALUE.TIME_ZONE] The value '%s' in the config \"spark.sql.session.timeZone\" is "
            "invalid. Cannot resolve the given timezone.",
            name);
    self->session->settings.zone = zone;
    return E_OK;
}

/* INTERVAL 10 HOURS -> +10:00 */
static enum code interval_zone(struct step *self, const struct ast *interval, const char **out)
{
    enum { SECONDS_MOST = 18 * 3600 };
    const int64_t second_us = 1000000;
    int64_t months, us;
    TRY(analyse_interval(&self->analyser, interval, &months, &us));
    int64_t seconds = us / second_us, size = seconds < 0 ? -seconds : seconds;
    if (months != 0 || us % second_us != 0 || size > SECONDS_MOST)
        return sql_error(
            &self->analyser, interval->at, NULL,
            "[INVALID_INTERVAL_FORMAT.TIMEZONE_INTERVAL_OUT_OF_RANGE] The interval value must be in the range "
            "of [-18, +18] hours with second precision.");
    *out = arena_printf(self->analyser.arena, size % 60 == 0 ? "%c%02d:%02d" : "%c%02d:%02d:%02d",
                        seconds < 0 ? '-' : '+', (int)(size / 3600), (int)(size / 60 % 60), (int)(size % 60));
    return E_OK;
}

/* SET answers with the pair. */
static struct plan *pair_plan(struct step *self, const char *key, const char *value)
{
    struct analyser *analyser = &self->analyser;
    struct position at = self->statement.statement->at;
    struct field fields[2] = {{"key", type_of(TYPE_STRING), false}, {"value", type_of(TYPE_STRING), false}};
    struct plan *plan = plan_new(analyser->arena, PLAN_VALUES, type_struct(analyser->arena, fields, 2), at);
    const struct expr **cells = arena_array(analyser->arena, const struct expr *, 2);
    cells[0] = expr_string(&analyser->expr, bytes_of_string(key), at);
    cells[1] = expr_string(&analyser->expr, bytes_of_string(value), at);
    plan->exprs = cells;
    plan->expr_count = 2;
    return plan;
}

/* A number of levels or rows; what is no number changes nothing. */
static void set_limit(const char *set, const char *value, const char *name, int64_t *limit)
{
    const char *end = value + strlen(value);
    int64_t number = 0;
    bool overflow = false;
    if (same_name(set, name) && parse_int64(value, end, &number, &overflow) == end && !overflow && number != 0)
        *limit = number < 0 ? -1 : number;
}

static enum binary_style binary_style_named(const char *name)
{
    static const char *const names[] = {"UTF-8", "BASIC", "BASE64", "HEX", "HEX_DISCRETE"};
    for (int style = 0; style < 5; style++)
        if (same_name(name, names[style]))
            return (enum binary_style)style;
    return BINARY_AS_TEXT;
}

/* The flag is up while the setting has this value. */
static void set_flag(const char *set, const char *value, const char *name, const char *up, bool *flag)
{
    if (same_name(set, name))
        *flag = same_name(value, up);
}

/* Settings of Spark's older ways. */
static void set_legacy(struct session *settings, const char *name, const char *value)
{
    if (same_name(name, "spark.sql.binaryOutputStyle"))
        settings->binary = binary_style_named(value);
    set_flag(name, value, "spark.sql.legacy.interval.enabled", "true", &settings->calendar_intervals);
    set_flag(name, value, "spark.sql.decimalOperations.allowPrecisionLoss", "false", &settings->exact_decimals);
    set_flag(name, value, "spark.sql.legacy.javaCharsets", "true", &settings->java_charsets);
    set_flag(name, value, "spark.sql.legacy.codingErrorAction", "true", &settings->coding_replaces);
    set_flag(name, value, "spark.sql.legacy.negativeIndexInArrayInsert", "true", &settings->insert_before_last);
    set_flag(name, value, "spark.sql.function.concatBinaryAsString", "true", &settings->binary_concat_text);
    if (same_name(name, "spark.sql.legacy.timeParserPolicy"))
        settings->time_parser = same_name(value, "LEGACY")      ? TIME_PARSER_LEGACY
                                : same_name(value, "CORRECTED") ? TIME_PARSER_CORRECTED
                                                                : TIME_PARSER_EXCEPTION;
}

/* Settings without a meaning here are remembered by nobody. */
static enum code set(struct step *self)
{
    const struct ast_statement *statement = self->statement.statement;
    struct dialect *dialect = &self->session->dialect;
    const char *value = statement->value;
    if (same_name(statement->name, "spark.sql.session.timeZone")) {
        if (statement->interval != NULL)
            TRY(interval_zone(self, statement->interval, &value));
        value = value == NULL ? zone_name(self->session->own_zone) : value; // LOCAL
        TRY(set_zone(self, value));
    }
    set_limit(statement->name, value, "spark.sql.cteRecursionLevelLimit", &dialect->recursion_levels_max);
    set_limit(statement->name, value, "spark.sql.cteRecursionRowLimit", &dialect->recursion_rows_max);
    set_flag(statement->name, value, "spark.sql.groupByOrdinal", "false", &dialect->group_by_values);
    set_flag(statement->name, value, "spark.sql.orderByOrdinal", "false", &dialect->order_by_values);
    set_flag(statement->name, value, "spark.sql.legacy.ctePrecedencePolicy", "EXCEPTION",
             &dialect->nested_names_differ);
    set_flag(statement->name, value, "spark.sql.ansi.doubleQuotedIdentifiers", "true", &dialect->double_quoted_names);
    if (same_name(statement->name, "spark.sql.timestampType"))
        self->session->settings.ntz = same_name(value, "TIMESTAMP_NTZ");
    set_legacy(&self->session->settings, statement->name, value);
    if (same_name(statement->name, "spark.sql.ansi.enabled"))
        self->session->settings.ansi = same_name(value, "true");
    *self->out = (struct session_step){.action = SESSION_ROWS, .plan = pair_plan(self, statement->name, value)};
    return E_OK;
}

/* ---- all ---- */

enum code step_do(struct step *self)
{
    switch (self->statement.kind) {
    case DO_QUERY:
        self->out->action = SESSION_ROWS;
        return step_analyse(self, self->statement.statement->query, &self->out->plan);
    case DO_CREATE_VIEW: return create_view(self);
    case DO_CREATE_TABLE: return create_table(self);
    case DO_INSERT: return insert(self);
    case DO_DROP: return drop(self);
    case DO_SET: return set(self);
    case DO_TRUNCATE: return truncate(self);
    case DO_DECLARE: return session_declare(self);
    case DO_SET_VARIABLE: return session_set_variable(self);
    case DO_DROP_VARIABLE: return session_drop_variable(self);
    case DO_EXECUTE: return session_execute(self);
    case DO_DESCRIBE_FUNCTION: return session_describe_function(self);
    case DO_DESCRIBE_RELATION: return session_describe_relation(self);
    case DO_CREATE_FUNCTION: return session_create_function(self);
    case DO_DROP_FUNCTION: return session_drop_function(self);
    case DO_DESCRIBE_QUERY: return session_describe_query(self);
    case DO_SHOW_FUNCTIONS: return session_show_functions(self);
    case DO_SHOW_TABLES:
    case DO_SHOW_VIEWS: return session_show_relations(self);
    case DO_SHOW_COLUMNS: return session_show_columns(self);
    case DO_SHOW_SCHEMAS:
    case DO_SHOW_CATALOGS: return session_show_schemas(self);
    case DO_EXPLAIN: return session_explain(self);
    case DO_IGNORE: break;
    }
    return E_OK;
}

/* Columns that nobody reads are not read from the files, and filters stand next to them. */
enum code step_optimise(struct step *self, struct plan **plan)
{
    struct plan_list nodes;
    struct group_list groups;
    TRY(failing_time(&self->analyser, *plan));
    optimise(&self->analyser.expr, plan, 1, &nodes, &groups);
    return failing_constant(&self->analyser, &nodes);
}

static enum code read_identifier(void *context, const struct ast *ast, const char **out)
{
    struct step *self = context;
    return session_text(&self->analyser, ast, out);
}

enum code step_parse(struct step *self)
{
    return parse_session_statement(self->analyser.arena, &self->file, &self->notes, &self->identifiers,
                                   &self->statement, self->analyser.err);
}

enum code sql_session_step(struct sql_session *session, struct arena *arena, struct bytes text,
                           struct stored_rows *(*rows_new)(void), struct session_step *out, struct error *err)
{
    struct step *self = arena_new(arena, struct step);
    *out = (struct session_step){0};
    self->session = session;
    self->rows_new = rows_new;
    self->out = out;
    self->file = (struct sql_file){NULL, text};
    self->notes = (struct notes){.arena = arena, .files = &self->file, .file_count = 1};
    self->analyser = (struct analyser){.arena = arena,
                                       .notes = &self->notes,
                                       .expr = {arena, &session->settings},
                                       .err = err,
                                       .catalog = &self->catalog,
                                       .batch = true,
                                       .dialect = session->dialect,
                                       .session = session,
                                       .parameters = session->parameters,
                                       .parameter_count = session->parameter_count};
    catalog_fill(self);
    out->text = text;
    self->identifiers = (struct identifier_reader){read_identifier, self, session->dialect.double_quoted_names};
    enum code code = step_parse(self);
    if (code == E_OK)
        code = step_do(self);
    out->warnings = (const char *const *)self->notes.warnings.items;
    out->warning_count = self->notes.warnings.count;
    if (code == E_OK && out->plan != NULL)
        code = step_optimise(self, &out->plan);
    return code;
}

enum code sql_session_place(struct bytes text, struct position at, struct error *err)
{
    struct arena arena = {0};
    struct sql_file file = {NULL, text};
    struct notes notes = {.arena = &arena, .files = &file, .file_count = 1};
    enum code code = at.line > 0 ? message_at(&notes, at, NULL, err) : err->code;
    arena_free(&arena);
    return code;
}

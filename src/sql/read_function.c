/* read_function.c - sources that are declared inside a query: STREAM read_kafka(..) and STREAM read_files(..) as on Databricks,
 * and STREAM delta.`/data/in`.
 *
 * The call becomes a source of its own; equal calls share it. Names of options are those of
 * source.NAME.*, but for the few that Databricks calls otherwise.
 */
#include "sql/catalog.h"
#include "sql/source_schema.h"

#include <ctype.h>

bool is_read_function(const struct ast *call)
{
    return call->kind == AST_CALL && (same_name(call->text, "read_kafka") || same_name(call->text, "read_files"));
}

static const char *option_name(const char *name)
{
    static const char *const names[][2] = {{"bootstrapServers", "kafka.bootstrap.servers"}, {"schemaHints", "schema"}};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (same_name(names[i][0], name))
            return names[i][1];
    return name;
}

/* A constant of any type, as text. */
static enum code option_value(struct analyser *self, const struct scope *scope, const struct ast *ast, const char **out)
{
    const struct expr *value;
    TRY(analyse_expr(self, scope, ast, &value));
    if (!expr_is_constant(value))
        return sql_error(self, ast->at, NULL, "[NON_FOLDABLE_ARGUMENT] The option must be a constant.");
    TRY(placed(self, expr_cast(&self->expr, value, type_of(TYPE_STRING), false, ast->at, &value, self->err), ast->at));
    TRY(placed(self, expr_fold(&self->expr, value, &value, self->err), ast->at));
    struct bytes text = {0};
    if (column_valid_at(value->literal, 0))
        text = column_bytes_at(value->literal, 0);
    *out = arena_strndup(self->arena, (const char *)text.data, text.size);
    return E_OK;
}

static enum code read_options(struct analyser *self, const struct ast *call, struct pipeline_source *source)
{
    struct setting *options = arena_array(self->arena, struct setting, (size_t)call->arg_count);
    struct rowset nothing = {.plan = plan_one_row(self, call->at)};
    struct scope scope = {.rows = &nothing, .clause = call->text};
    bool files = same_name(call->text, "read_files");
    source->format = files ? NULL : "kafka";
    source->options = options;
    for (int32_t i = 0; i < call->arg_count; i++) {
        const struct ast *arg = call->args[i];
        const char *value, *name = arg->kind == AST_NAMED ? option_name(arg->text) : files && i == 0 ? "path" : NULL;
        if (name == NULL)
            return sql_error(self, arg->at, "name => 'value'",
                             "[UNEXPECTED_POSITIONAL_ARGUMENT] Cannot invoke routine `%s`: it takes "
                             "its options by name.",
                             call->text);
        TRY(option_value(self, &scope, arg->kind == AST_NAMED ? arg->args[0] : arg, &value));
        if (files && same_name(name, "format"))
            source->format = value;
        else
            options[source->option_count++] = (struct setting){name, value, arg->at};
    }
    if (source->format == NULL)
        return sql_error(self, call->at, "format => 'json'",
                         "[REQUIRED_PARAMETER_NOT_FOUND] Cannot invoke routine `%s` because the "
                         "parameter named `format` is required.",
                         call->text);
    return E_OK;
}

static bool same_source(const struct pipeline_source *a, const struct pipeline_source *b)
{
    if (!same_name(a->format, b->format) || a->option_count != b->option_count)
        return false;
    for (int32_t i = 0; i < a->option_count; i++)
        if (!same_name(a->options[i].name, b->options[i].name) || strcmp(a->options[i].value, b->options[i].value) != 0)
            return false;
    return true;
}

/* Its path or topics, as a part of a name. */
static const char *place_name(struct analyser *self, const struct pipeline_source *source)
{
    enum { LENGTH_MAX = 80 }; /* bytes: checkpoints have files of this name */
    static const char *const options[] = {"path", "subscribe", "subscribePattern", "assign"};
    const char *place = NULL;
    for (size_t i = 0; place == NULL && i < sizeof options / sizeof *options; i++)
        place = source_option(source, options[i]);
    if (place != NULL && strncmp(place, "file:", 5) == 0)
        place += 5;
    size_t size = place == NULL ? 0 : strlen(place), length = 0;
    char *name = arena_array(self->arena, char, LENGTH_MAX + 1);
    for (size_t i = size > LENGTH_MAX ? size - LENGTH_MAX : 0; i < size; i++) {
        if (isalnum((unsigned char)place[i]))
            name[length++] = place[i];
        else if (length > 0 && name[length - 1] != '_')
            name[length++] = '_';
    }
    name[length] = '\0';
    return name;
}

/* The source of an equal call, or a new one: read_kafka_orders, read_files_data_in, delta_data_in, and a number behind it
 * where the same is read in different ways. The checkpoint knows a source by its name: named by what is read, it stays with
 * its offsets and state when statements move. */
static struct element *source_element(struct analyser *self, const char *function, struct pipeline_source *source)
{
    struct list *elements = &self->catalog->elements;
    const char *base = arena_printf(self->arena, "%s_%s", function, place_name(self, source));
    struct element *taken;
    source->name = base;
    for (int32_t number = 2; (taken = catalog_find(self->catalog, source->name)) != NULL; number++) {
        if (taken->kind == ELEMENT_SOURCE && same_source(taken->source, source))
            return taken;
        source->name = arena_printf(self->arena, "%s_%d", base, number);
    }
    struct element *element = arena_new(self->arena, struct element);
    *element = (struct element){
        .kind = ELEMENT_SOURCE, .name = source->name, .at = source->at, .source = source, .used = true};
    list_add(self->arena, elements, element);
    return element;
}

enum code catalog_read_function(struct analyser *self, const struct ast_relation *relation, struct plan **out)
{
    const struct ast *call = relation->function;
    struct pipeline_source *source = arena_new(self->arena, struct pipeline_source);
    source->at = call->at;
    bool still = !relation->stream && same_name(call->text, "read_files");
    if (self->catalog == NULL || (!relation->stream && !still))
        return sql_error(self, relation->at, arena_printf(self->arena, "write STREAM %s(..)", call->text),
                         "[UNSUPPORTED_FEATURE] %s is read as a stream.", call->text);
    TRY(read_options(self, call, source));
    const char *function = same_name(call->text, "read_files") ? "read_files" : "read_kafka";
    struct element *element = source_element(self, function, source);
    notes_warn(self->notes, relation->at,
               "%s runs on Databricks only; Spark takes source.NAME.format and its options in the spec", call->text);
    TRY(element_resolve(self, element));
    return catalog_source(self, element, relation, out);
}

bool is_table_path(const struct analyser *self, const struct ast_relation *relation)
{
    return relation->part_count == 2 && same_name(relation->parts[0], "delta") && self->catalog != NULL &&
           self->catalog->tables != NULL && catalog_find(self->catalog, relation->parts[1]) == NULL;
}

enum code catalog_table_path(struct analyser *self, const struct ast_relation *relation, struct plan **out)
{
    struct pipeline_source *source = arena_new(self->arena, struct pipeline_source);
    struct setting *options = arena_array(self->arena, struct setting, (size_t)relation->option_count + 1);
    options[0] = (struct setting){"path", relation->parts[1], relation->at};
    for (int32_t i = 0; i < relation->option_count; i++)
        options[i + 1] =
            (struct setting){relation->options[i].name, relation->options[i].value, relation->options[i].at};
    *source = (struct pipeline_source){
        .format = "delta", .options = options, .option_count = relation->option_count + 1, .at = relation->at};
    struct element *element = source_element(self, "delta", source);
    TRY(element_resolve(self, element));
    return catalog_source(self, element, relation, out);
}

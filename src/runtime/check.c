#include <strings.h>

#include "format/format.h"
#include "query/query.h"
#include "runtime/dead_letters.h"
#include "runtime/outputs.h"
#include "runtime/plan_stage.h"
#include "runtime/quarantines.h"
#include "runtime/runtime.h"
#include "sink/sink.h"
#include "source/source.h"

enum { FOLDER_NAME_MAX = 200 }; /* bytes */

/* What the engine of streams executes; the rest is typed by sql/ and refused here, by name. */
static bool can_execute(enum plan_kind kind)
{
    switch (kind) {
    case PLAN_SOURCE:
    case PLAN_DECODE:
    case PLAN_FILTER:
    case PLAN_PROJECT:
    case PLAN_GENERATE:
    case PLAN_WATERMARK:
    case PLAN_TABLE:
    case PLAN_DEDUPLICATE:
    case PLAN_AGGREGATE:
    case PLAN_JOIN:
    case PLAN_UNION: return true;
    default: return false;
    }
}

static const char *plan_name(const struct plan *plan)
{
    return plan->unsupported != NULL ? plan->unsupported : plan_kind_name(plan->kind);
}

struct check {
    struct arena *arena;
    struct problems *problems;
    enum code code; /* of the first problem */
};

static void problem(struct check *check, enum code code, struct position at, const char *text)
{
    struct problems *problems = check->problems;
    mem_grow(problems->texts, problems->capacity, problems->count + 1);
    problems->texts[problems->count++] =
        at.line > 0
            ? arena_printf(check->arena, "%s:%d:%d: %s", at.file != NULL ? at.file : "", at.line, at.column, text)
            : arena_strdup(check->arena, text);
    check->code = check->code == E_OK ? code : check->code;
}

static void refuse(struct check *check, struct position at, const char *what, const char *name)
{
    problem(check, E_UNSUPPORTED, at, arena_printf(check->arena, "leat cannot execute %s yet: %s", what, name));
}

/* A lookup gives rows that seek, never ones that are sought: those are not asked for in any one epoch. */
static bool keeps_still_rows(const struct plan *plan)
{
    static const enum join_kind keeping[2] = {JOIN_LEFT, JOIN_RIGHT}; // by the input whose rows stay
    return plan->join.kind == JOIN_FULL || plan->join.kind == keeping[plan_still_input(plan)];
}

static void join_check(struct check *check, const struct plan *plan)
{
    if (plan_is_lookup(plan) && keeps_still_rows(plan))
        refuse(check, plan->at, "this part of the query", "an outer join that keeps the rows of what stands still");
}

/* Whether all of it can be read at once, or as a stream. */
static void source_use_check(struct check *check, const struct plan *plan)
{
    const struct source_type *type = source_find(plan->source->format);
    if (type != NULL && !plan->streaming && !type->ends)
        refuse(check, plan->at, "reading this source without STREAM", plan->source->name);
    if (type != NULL && plan->streaming && type->still)
        refuse(check, plan->at, "reading this source with STREAM", plan->source->name);
}

static void node_check(struct check *check, const struct plan *plan)
{
    bool source = plan->kind == PLAN_SOURCE && plan->unsupported != NULL;
    bool runs = plan->streaming ? can_execute(plan->kind) && plan->unsupported == NULL : query_can_run(plan);
    if (source || !runs) {
        refuse(check, plan->at, "this part of the query", plan_name(plan));
        return;
    }
    if (plan->kind == PLAN_JOIN)
        join_check(check, plan);
    if (plan->kind == PLAN_SOURCE)
        source_use_check(check, plan);
    if (plan->kind == PLAN_DECODE && decoder_find(plan->decode.format) == NULL)
        refuse(check, plan->at, "this payload format", plan->decode.format);
}

/* ---- options of sources, tables and sinks, as far as they can be judged without opening anything ---- */

/* Bytes of the struct that the table's offsets point into, or less: no option lies behind them. */
static size_t settings_size(const struct option *options)
{
    size_t last = 0;
    for (; options->name != NULL; options++)
        last = options->offset > last ? options->offset : last;
    return last + sizeof(int64_t);
}

static bool option_check(struct check *check, const struct option *options, const struct setting *setting,
                         const char *whose, const char *name)
{
    struct error err = {0};
    void *scratch = arena_alloc(check->arena, settings_size(options));
    if (setting->value[0] == '\0' || // "${env:NAME:-}": an empty option is one not set
        option_set(options, scratch, setting->name, setting->value, check->arena, &err) == E_OK)
        return true;
    problem(check, err.code, setting->at, arena_printf(check->arena, "%s %s: %s", whose, name, err.text));
    return false;
}

static bool starts_with(const char *name, const char *prefix) { return strncasecmp(name, prefix, strlen(prefix)) == 0; }

static void value_check(struct check *check, const struct source_type *type, const struct setting *setting,
                        const char *source)
{
    struct error err = {0};
    if (type->check != NULL && setting->value[0] != '\0' && type->check(setting->name, setting->value, &err) != E_OK)
        problem(check, err.code, setting->at, arena_printf(check->arena, "source %s: %s", source, err.text));
}

static void source_check(struct check *check, const struct pipeline_source *source)
{
    const struct source_type *type = source_find(source->format);
    if (type == NULL) {
        refuse(check, source->at, "a source of this format", source->format);
        return;
    }
    const struct decoder_type *decoder = decoder_find(source->format); // of lines of files
    for (int32_t i = 0; i < source->option_count; i++) {
        const struct setting *setting = &source->options[i];
        bool decoders = decoder != NULL && option_find(type->options, setting->name) == NULL &&
                        option_find(decoder->options, setting->name) != NULL;
        if (starts_with(setting->name, "kafka.")) // the client's own
            value_check(check, type, setting, source->name);
        else if (option_check(check, decoders ? decoder->options : type->options, setting, "source", source->name))
            value_check(check, type, setting, source->name);
    }
}

/* What others have read, or may keep in a table. */
static bool anybodys(const struct pipeline_table *table, const char *name)
{
    static const char *const read_elsewhere[] = {"path", "compression"};
    for (size_t i = 0; i < sizeof read_elsewhere / sizeof *read_elsewhere; i++)
        if (strcasecmp(name, read_elsewhere[i]) == 0)
            return true;
    return !table->is_sink && !starts_with(name, "leat.") && !starts_with(name, "parquet.");
}

static void property_check(struct check *check, const struct pipeline_table *table, const struct setting *property)
{
    const struct sink_type *type = sink_find(table->format);
    const struct option *options = type->options;
    if (type->client_options && starts_with(property->name, "kafka."))
        return; // the client's own: `validate`
    const struct encoder_type *encoder = sink_encoder(table->format);
    bool encoders =
        encoder != NULL && !starts_with(property->name, "leat.") && option_find(options, property->name) == NULL;
    if (encoders)
        options = encoder->options;
    const char *near = options_nearest((const struct option *const[]){options, table_options, NULL}, property->name);
    bool meant = option_find(options, property->name) == NULL && near != NULL && option_find(options, near) == NULL;
    if (meant || option_find(table_options, property->name) != NULL)
        options = table_options;
    if (option_find(options, property->name) != NULL || !anybodys(table, property->name))
        option_check(check, options, property, table->is_sink ? "sink" : "table", table->name);
}

/* `name` stands for itself below the folder of the tables. */
static bool is_folder_name(const char *name)
{
    return name[0] != '.' && strcmp(name, "_staging") != 0 && strlen(name) <= FOLDER_NAME_MAX &&
           strpbrk(name, "/\\\n\r\t") == NULL;
}

/* Of a table without leat.path the name is its folder's. */
static void table_name_check(struct check *check, const struct pipeline_table *table)
{
    const struct sink_type *type = sink_find(table->format);
    if (type == NULL || type->folderless || table->path != NULL)
        return;
    if (strcasecmp(table->name, QUARANTINE_DEFAULT) == 0)
        problem(check, E_SPEC, table->at,
                "`" QUARANTINE_DEFAULT "` is where rows go that fail: give the table another name");
    else if (!is_folder_name(table->name))
        problem(check, E_SPEC, table->at,
                arena_printf(check->arena,
                             "`%s` cannot be the name of a folder: give the table another one, or a leat.path",
                             table->name));
}

/* `<table>_late` is a folder beside the tables. */
static void late_name_check(struct check *check, const struct pipeline *pipeline, const struct pipeline_table *table)
{
    const char *name = arena_printf(check->arena, "%s_late", table->name);
    for (int32_t i = 0; table_keeps_late(table) && i < pipeline->table_count; i++)
        if (strcasecmp(pipeline->tables[i]->name, name) == 0)
            problem(check, E_SPEC, pipeline->tables[i]->at,
                    arena_printf(check->arena,
                                 "table %s has the name that the late rows of %s go to ('leat.late' = 'table')", name,
                                 table->name));
}

static bool is_taken(const struct pipeline *pipeline, const char *name)
{
    size_t size = strlen(name);
    for (int32_t i = 0; i < pipeline->table_count; i++) {
        const char *table = pipeline->tables[i]->name;
        size_t most = strlen(table);
        bool late = size == most + 5 && strncasecmp(name, table, most) == 0 && strcasecmp(name + most, "_late") == 0;
        if (strcasecmp(name, table) == 0 || late)
            return true;
    }
    return false;
}

/* A quarantine is a folder beside the tables. */
static void quarantine_check(struct check *check, const struct pipeline *pipeline, const char *name, struct position at)
{
    if (name == NULL || name[0] == '\0')
        return;
    if (!is_folder_name(name))
        problem(check, E_SPEC, at, arena_printf(check->arena, "leat.quarantine = %s: not the name of a folder", name));
    else if (is_taken(pipeline, name))
        problem(check, E_SPEC, at, arena_printf(check->arena, "leat.quarantine = %s: a table has this name", name));
}

static void topics_check(struct check *check, const struct pipeline *pipeline)
{
    struct quarantines quarantines;
    struct sink_spec spec;
    quarantines_find(check->arena, pipeline, &quarantines);
    for (int32_t q = quarantines.folder_count; check->code == E_OK && q < quarantines.count; q++) {
        const char *topic = quarantines.items[q].name;
        struct error err = {0};
        if (dead_letter_spec(check->arena, pipeline, topic, &spec, &err) != E_OK)
            problem(check, err.code, (struct position){0}, err.text);
        else if (sink_find("kafka")->validate(&spec, &err) != E_OK)
            problem(check, err.code, (struct position){0},
                    arena_printf(check->arena, "leat.quarantine.topic = %s: %s", topic, err.text));
    }
}

/* What only the sink knows of its schema and options; a problem with one of those was told already. */
static void validate(struct check *check, const struct pipeline_table *table, const struct sink_type *type)
{
    struct error err = {0};
    const char **names = arena_array(check->arena, const char *, (size_t)table->property_count);
    const char **values = arena_array(check->arena, const char *, (size_t)table->property_count);
    for (int32_t i = 0; i < table->property_count; i++) {
        names[i] = table->properties[i].name;
        values[i] = table->properties[i].value;
    }
    const struct sink_spec spec = {
        .name = table->name,
        .schema = table->schema,
        .partition_columns = table->partition_columns,
        .partition_count = table->partition_count,
        .option_names = names,
        .option_values = values,
        .option_count = table->property_count,
    };
    if (type->validate != NULL && type->validate(&spec, &err) != E_OK)
        problem(check, err.code, table->at,
                arena_printf(check->arena, "%s %s: %s", table->is_sink ? "sink" : "table", table->name, err.text));
}

static const char *format_meant(struct arena *arena, const char *format)
{
    enum { FORMATS_MAX = 16 };
    const char *names[FORMATS_MAX];
    size_t count = 0;
    for (; sink_types[count] != NULL && count < FORMATS_MAX; count++)
        names[count] = sink_types[count]->name;
    const char *near = nearest_word(format, names, count);
    return near != NULL ? arena_printf(arena, "%s; did you mean %s?", format, near) : format;
}

static void table_check(struct check *check, const struct pipeline *pipeline, const struct pipeline_table *table)
{
    table_name_check(check, table);
    late_name_check(check, pipeline, table);
    quarantine_check(check, pipeline, table_property(table, "leat.quarantine"), table->at);
    const struct sink_type *type = sink_find(table->format);
    if (type != NULL && table->materialized && type->replace == NULL)
        refuse(check, table->at, "a materialized view of this format", table->format);
    if (type == NULL)
        refuse(check, table->at, "a table of this format", format_meant(check->arena, table->format));
    for (int32_t i = 0; type != NULL && i < table->property_count; i++)
        property_check(check, table, &table->properties[i]);
    if (type != NULL && check->code == E_OK)
        validate(check, table, type);
}

/* A spec that Spark reads too may name a `storage` that leat does not use. */
static void folder_check(struct check *check, const char *what, const char *url, struct position at)
{
    struct error err = {0};
    if (strstr(url, "://") != NULL && store_check(url, &err) != E_OK)
        problem(check, err.code, at, arena_printf(check->arena, "%s: %s", what, err.text));
}

static void folders_check(struct check *check, const struct pipeline *pipeline)
{
    static const char *const names[] = {"leat.tables.path", "leat.checkpoint"};
    int set = 0;
    for (size_t n = 0; n < sizeof names / sizeof *names; n++)
        for (int32_t i = 0; i < pipeline->setting_count; i++) {
            const struct setting *setting = &pipeline->settings[i];
            if (strcasecmp(setting->name, names[n]) != 0 || setting->value[0] == '\0')
                continue;
            folder_check(check, names[n], setting->value, setting->at);
            set++;
        }
    if (pipeline->storage != NULL && set < (int)(sizeof names / sizeof *names))
        folder_check(check, "storage", pipeline->storage, pipeline->storage_at);
}

/* The next part of a path, without "/" and "."; its size, 0 at the end. */
static size_t path_part(const char **at)
{
    for (;;) {
        *at += strspn(*at, "/");
        size_t size = strcspn(*at, "/");
        if (size != 1 || (*at)[0] != '.')
            return size;
        *at += size;
    }
}

enum nesting { APART, SAME, WITHIN };

static enum nesting nesting_of(const char *path, const char *folder)
{
    for (;;) {
        size_t size = path_part(&path), wanted = path_part(&folder);
        if (wanted == 0)
            return size > 0 ? WITHIN : SAME;
        if (size != wanted || memcmp(path, folder, size) != 0)
            return APART;
        path += size;
        folder += size;
    }
}

/* NULL: it has none. */
static const char *folder_of(struct check *check, const struct pipeline_table *table,
                             const struct run_settings *settings)
{
    const struct sink_type *type = sink_find(table->format);
    if (type == NULL || type->folderless)
        return NULL;
    return table->path != NULL ? table->path : arena_printf(check->arena, "%s/%s", settings->tables_path, table->name);
}

/* Who reads, merges or vacuums the outer one's folder would take the inner one's files for its own. */
static void pair_check(struct check *check, const struct pipeline *pipeline, const char *const *folders, int32_t inner,
                       int32_t outer)
{
    const char *name = pipeline->tables[inner]->name, *other = pipeline->tables[outer]->name;
    enum nesting nesting = nesting_of(folders[inner], folders[outer]);
    if (nesting == WITHIN)
        problem(check, E_SPEC, pipeline->tables[inner]->at,
                arena_printf(check->arena, "the folder of table %s lies inside the folder of table %s: %s", name, other,
                             folders[inner]));
    if (nesting == SAME && inner > outer)
        problem(check, E_SPEC, pipeline->tables[inner]->at,
                arena_printf(check->arena, "table %s has the folder of table %s: %s", name, other, folders[inner]));
}

/* A vacuum would remove the checkpoint's files for those that no version has. */
static void checkpoint_check(struct check *check, const struct pipeline_table *table, const char *folder,
                             const char *checkpoint)
{
    static const char *const parts[] = {"chain", "state", "spill", "replay", "sources"};
    if (nesting_of(checkpoint, folder) != APART)
        problem(
            check, E_SPEC, table->at,
            arena_printf(check->arena, "the checkpoint %s lies in the folder of table %s", checkpoint, table->name));
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++)
        if (nesting_of(folder, arena_printf(check->arena, "%s/%s", checkpoint, parts[i])) != APART)
            problem(check, E_SPEC, table->at,
                    arena_printf(check->arena, "the folder of table %s lies among the files of the checkpoint: %s",
                                 table->name, folder));
}

static void nesting_check(struct check *check, const struct pipeline *pipeline, const struct run_settings *settings)
{
    const char **folders = arena_array(check->arena, const char *, (size_t)pipeline->table_count);
    for (int32_t i = 0; i < pipeline->table_count; i++)
        folders[i] = folder_of(check, pipeline->tables[i], settings);
    for (int32_t i = 0; i < pipeline->table_count; i++) {
        for (int32_t k = 0; k < pipeline->table_count; k++)
            if (i != k && folders[i] != NULL && folders[k] != NULL)
                pair_check(check, pipeline, folders, i, k);
        if (folders[i] != NULL)
            checkpoint_check(check, pipeline->tables[i], folders[i], settings->checkpoint);
    }
}

enum code runtime_check(struct arena *arena, const struct pipeline *pipeline, struct problems *problems,
                        struct error *err)
{
    struct check check = {arena, problems, E_OK};
    int32_t first = problems->count;
    for (int32_t i = 0; i < pipeline->source_count; i++)
        source_check(&check, pipeline->sources[i]);
    for (int32_t i = 0; i < pipeline->node_count; i++)
        node_check(&check, pipeline->nodes[i]);
    for (int32_t i = 0; i < pipeline->table_count; i++)
        table_check(&check, pipeline, pipeline->tables[i]);
    quarantine_check(&check, pipeline, pipeline_setting(pipeline, "leat.quarantine"), (struct position){0});
    topics_check(&check, pipeline);
    folders_check(&check, pipeline);
    if (check.code != E_OK)
        return fail(err, check.code, "%s", problems->texts[first]);
    struct run_settings settings;
    TRY(settings_read(arena, pipeline, &settings, err));
    nesting_check(&check, pipeline, &settings);
    return check.code == E_OK ? E_OK : fail(err, check.code, "%s", problems->texts[first]);
}

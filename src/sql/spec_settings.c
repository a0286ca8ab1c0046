/* spec_settings.c - what `configuration` means: leat.* checked by its table, source.* and sink.* grouped,
 * spark.* let through. Of an empty value there is nothing left, so that "${env:NAME:-}" can leave a setting
 * out. */
#include <strings.h>

#include "sql/spec.h"

static bool starts_with(const char *text, const char *prefix) { return strncmp(text, prefix, strlen(prefix)) == 0; }

/* ---- leat.* and spark.* ---- */

static const char *nearest_setting(struct arena *arena, const char *name)
{
    size_t count = 0;
    while (leat_settings[count].name != NULL)
        count++;
    const char **names = arena_array(arena, const char *, count);
    for (size_t i = 0; i < count; i++)
        names[i] = leat_settings[i].name;
    return nearest_word(name, names, count);
}

static void check_leat(struct spec_reader *reader, const struct setting *setting)
{
    const struct option *option = option_find(leat_settings, setting->name);
    if (starts_with(setting->name, "leat.quarantine.kafka.")) // the client's own, judged when it starts
        return;
    if (option == NULL) {
        spec_problem(reader, setting->at, spec_suggestion(reader->arena, nearest_setting(reader->arena, setting->name)),
                     "'%s' is not a setting of leat", setting->name);
        return;
    }
    struct run_settings scratch;
    struct error err = {0};
    if (option->offset != SIZE_MAX &&
        option_set(leat_settings, &scratch, setting->name, setting->value, reader->arena, &err) != E_OK)
        spec_problem(reader, setting->at, NULL, "%s", err.text);
}

static void check_spark(struct spec_reader *reader, const struct setting *setting)
{
    const struct zone *zone;
    struct error err = {0};
    if (strcmp(setting->name, "spark.sql.session.timeZone") == 0) {
        if (zone_find(bytes_of_string(setting->value), &zone, &err) != E_OK)
            spec_problem(reader, setting->at, "UTC, +02:00 or Europe/Berlin", "%s", err.text);
    } else if (strcmp(setting->name, "spark.sql.ansi.enabled") == 0) {
        if (strcasecmp(setting->value, "true") != 0 && strcasecmp(setting->value, "false") != 0)
            spec_problem(reader, setting->at, NULL, "%s takes true or false, not '%s'", setting->name, setting->value);
        else if (strcasecmp(setting->value, "false") == 0)
            spec_problem(reader, setting->at, "leave it out; try_cast, try_divide, try_add .. give NULL",
                         "leat runs in ANSI mode only: %s must be true", setting->name);
    } else if (strcmp(setting->name, "spark.sql.streaming.multipleWatermarkPolicy") == 0) {
        if (strcasecmp(setting->value, "min") != 0 && strcasecmp(setting->value, "max") != 0)
            spec_problem(reader, setting->at, NULL, "%s takes min or max, not '%s'", setting->name, setting->value);
    }
}

static bool known_prefix(const char *name)
{
    return starts_with(name, "leat.") || starts_with(name, "spark.") || starts_with(name, "source.") ||
           starts_with(name, "sink.");
}

/* Forget the settings of ours and Spark's that are empty; the others are the user's own, for ${key} in SQL. */
static void drop_empty(struct spec *spec)
{
    struct setting *settings = (struct setting *)spec->settings;
    int32_t kept = 0;
    for (int32_t i = 0; i < spec->setting_count; i++)
        if (settings[i].value[0] != '\0' || !known_prefix(settings[i].name))
            settings[kept++] = settings[i];
    spec->setting_count = kept;
}

/* ---- source.NAME.OPTION, sink.NAME.OPTION ---- */

/* All of one name: where they are in the order of the spec. */
struct endpoint {
    const char *name, *format, *from;
    struct setting *options;
    int32_t option_count;
    struct position at;
};
struct endpoints {
    struct endpoint *items;
    int32_t count;
};

static struct endpoint *endpoint_find(struct endpoints *all, const char *name, size_t size)
{
    for (int32_t i = 0; i < all->count; i++)
        if (strlen(all->items[i].name) == size && strncasecmp(all->items[i].name, name, size) == 0)
            return &all->items[i];
    return NULL;
}

static void endpoint_add(struct spec_reader *reader, const struct spec *spec, struct endpoints *all, const char *prefix,
                         const struct setting *setting)
{
    const char *name = setting->name + strlen(prefix);
    size_t size = strcspn(name, ".");
    const char *option = name + size + (name[size] == '.');
    if (size == 0 || option[0] == '\0') {
        spec_problem(reader, setting->at, NULL, "'%s' should be %sNAME.OPTION", setting->name, prefix);
        return;
    }
    struct endpoint *endpoint = endpoint_find(all, name, size);
    if (endpoint == NULL) {
        endpoint = &all->items[all->count++];
        endpoint->name = arena_strndup(reader->arena, name, size);
        endpoint->options = arena_array(reader->arena, struct setting, (size_t)spec->setting_count);
        endpoint->at = setting->at;
    }
    if (strcasecmp(option, "format") == 0)
        endpoint->format = setting->value;
    else if (strcasecmp(option, "from") == 0 && strcmp(prefix, "sink.") == 0)
        endpoint->from = setting->value;
    else
        endpoint->options[endpoint->option_count++] = (struct setting){option, setting->value, setting->at};
}

static struct endpoints endpoints_group(struct spec_reader *reader, const struct spec *spec, const char *prefix)
{
    struct endpoints all = {arena_array(reader->arena, struct endpoint, (size_t)spec->setting_count), 0};
    for (int32_t i = 0; i < spec->setting_count; i++)
        if (starts_with(spec->settings[i].name, prefix))
            endpoint_add(reader, spec, &all, prefix, &spec->settings[i]);
    for (int32_t i = 0; i < all.count; i++)
        if (all.items[i].format == NULL)
            spec_problem(reader, all.items[i].at,
                         arena_printf(reader->arena, "%s%s.format: %s", prefix, all.items[i].name,
                                      strcmp(prefix, "sink.") == 0 ? "console" : "kafka"),
                         "%s%s has no format", prefix, all.items[i].name);
    return all;
}

static void group_sources(struct spec_reader *reader, struct spec *spec)
{
    struct endpoints all = endpoints_group(reader, spec, "source.");
    const struct pipeline_source **sources =
        arena_array(reader->arena, const struct pipeline_source *, (size_t)all.count);
    for (int32_t i = 0; i < all.count; i++) {
        const struct endpoint *from = &all.items[i];
        struct pipeline_source *source = arena_new(reader->arena, struct pipeline_source);
        *source = (struct pipeline_source){.name = from->name,
                                           .format = from->format,
                                           .options = from->options,
                                           .option_count = from->option_count,
                                           .at = from->at};
        sources[i] = source;
    }
    spec->sources = sources;
    spec->source_count = all.count;
}

static void group_sinks(struct spec_reader *reader, struct spec *spec)
{
    struct endpoints all = endpoints_group(reader, spec, "sink.");
    struct sink_text *sinks = arena_array(reader->arena, struct sink_text, (size_t)all.count);
    for (int32_t i = 0; i < all.count; i++) {
        const struct endpoint *from = &all.items[i];
        sinks[i] =
            (struct sink_text){from->name, from->format, from->from, from->options, from->option_count, from->at};
        if (from->from == NULL)
            spec_problem(reader, from->at, arena_printf(reader->arena, "sink.%s.from: the_view_to_write", from->name),
                         "sink.%s does not say what it is written from", from->name);
    }
    spec->sinks = sinks;
    spec->sink_count = all.count;
}

void settings_group(struct spec_reader *reader, struct spec *spec)
{
    drop_empty(spec);
    for (int32_t i = 0; i < spec->setting_count; i++) {
        if (starts_with(spec->settings[i].name, "leat."))
            check_leat(reader, &spec->settings[i]);
        else if (starts_with(spec->settings[i].name, "spark."))
            check_spark(reader, &spec->settings[i]);
    }
    group_sources(reader, spec);
    group_sinks(reader, spec);
}

/* command_drift.c - `leat drift`: fields that the input has and no schema of the project names. */
#include <inttypes.h>
#include <stdio.h>

#include "cli/project_flags.h"
#include "cli/quantity.h"
#include "cli/state_entries.h"
#include "runtime/runtime.h"

enum { FORMAT_TABLE, FORMAT_JSON };

struct drift_flags {
    struct project_flags project;
    int format;
};
static const struct option drift_options[] = {
    {.name = "format",
     .kind = OPTION_ENUM,
     .choices = "table|json",
     .initial = "table",
     .help = "json: one object a line",
     .offset = offsetof(struct drift_flags, format)},
    PROJECT_FLAGS(struct drift_flags, project),
    {0},
};

struct listing {
    int format;
    int64_t fields;
    struct text out;
};

static void field_json(const struct drift_field *field, struct text *out)
{
    char at[TIMESTAMP_TEXT_MAX + 1];
    const char *const names[] = {"source", "path", "type", "example", "topic"};
    const char *const values[] = {field->source, field->path, field->type, field->example, field->topic};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        text_printf(out, "%s\"%s\":", i > 0 ? "," : "{", names[i]);
        quote_json(out, values[i]);
    }
    text_printf(out, ",\"partition\":%d,\"offset\":%" PRId64 ",\"first_seen\":\"%s\",\"count\":%" PRId64 "}\n",
                field->partition, field->offset, quantity_time(field->first_us, at), field->count);
}

static void field_row(const struct drift_field *field, struct text *out)
{
    char count[QUANTITY_TEXT_MAX], at[TIMESTAMP_TEXT_MAX + 1];
    text_printf(out, "%-16s %-28s %-16s %14s  %-26s  %s/%d/%" PRId64 "  %s\n", field->source, field->path, field->type,
                quantity_count(field->count, count), quantity_time(field->first_us, at), field->topic, field->partition,
                field->offset, field->example);
}

static void field_add(void *context, const struct drift_field *field)
{
    struct listing *self = context;
    if (self->format == FORMAT_JSON) {
        field_json(field, &self->out);
    } else {
        if (self->fields == 0)
            text_printf(&self->out, "%-16s %-28s %-16s %14s  %-26s  %s\n", "source", "field", "type", "values",
                        "first seen", "topic/partition/offset  example");
        field_row(field, &self->out);
    }
    self->fields++;
}

static int drift_show(const struct project *project, const void *settings)
{
    const struct drift_flags *flags = settings;
    struct listing listing = {.format = flags->format};
    struct error err = {0};
    enum code code = pipeline_drift(project->pipeline, &project->settings, field_add, &listing, &err);
    if (code == E_OK && listing.fields == 0 && flags->format == FORMAT_TABLE)
        text_add_string(&listing.out, "every field of the input that was met is in a schema\n");
    if (code == E_OK)
        fwrite(listing.out.data != NULL ? listing.out.data : "", 1, listing.out.size, stdout);
    text_free(&listing.out);
    return code == E_OK ? EXIT_OK : report(&err);
}

static int drift_run(const struct command_line *line)
{
    const struct drift_flags *flags = line->settings;
    return project_with(line, &flags->project, flags, drift_show);
}

const struct command drift_command = {
    .name = "drift",
    .arguments = "DIR",
    .help = "fields that the input has and no schema names: since when, how often, for example what",
    .examples = "  leat drift shop\n"
                "  leat drift shop --format json\n",
    .notes =
        "leat run warns of each once. Reads the checkpoint only, also beside a leat at work, whose counts are written every ten\n"
        "seconds. A field that a schema names by now is not listed.\n",
    .options = drift_options,
    .size = sizeof(struct drift_flags),
    .arguments_min = 0,
    .arguments_max = 1,
    .run = drift_run,
};

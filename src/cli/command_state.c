/* command_state.c - `leat state`: what a checkpoint remembers: offsets, watermarks, open windows, join buffers, keys. */
#include "cli/project_flags.h"
#include "cli/quantity.h"
#include "cli/state_entries.h"
#include "runtime/runtime.h"

#include <inttypes.h>
#include <stdio.h>

enum { FORMAT_TABLE, FORMAT_JSON };
enum { TRIES = 3, PATH_MAX_BYTES = 512 };

struct state_flags {
    struct project_flags project;
    const char *table;
    struct strings where;
    int64_t limit;
    int format;
};
static const struct option state_options[] = {
    {.name = "table",
     .kind = OPTION_STRING,
     .help = "only what this table's rows come from",
     .offset = offsetof(struct state_flags, table)},
    {.name = "where",
     .kind = OPTION_STRING,
     .choices = "*",
     .help = "COLUMN=VALUE of the entries to show; a.b goes into a struct; repeatable",
     .offset = offsetof(struct state_flags, where)},
    {.name = "limit",
     .kind = OPTION_INT,
     .initial = "20",
     .max = 1000000,
     .help = "entries shown of each operator; 0 = none",
     .offset = offsetof(struct state_flags, limit)},
    {.name = "format",
     .kind = OPTION_ENUM,
     .choices = "table|json",
     .initial = "table",
     .help = "json: one object a line, without what is not known",
     .offset = offsetof(struct state_flags, format)},
    PROJECT_FLAGS(struct state_flags, project),
    {0},
};

/* What is printed when all was read. */
struct printing {
    const struct state_flags *flags;
    const struct project *project;
    struct entry_filter filter;
    struct entries entries; /* of the operator being read */
    bool answered;          /* some operator has the columns of the filter */
    struct text asked;      /* the columns of those that have not, for a message */
    struct text head, operators, shown;
};

/* ---- as a table ---- */

static void offsets_print(const struct state_summary *s, struct text *out)
{
    char next[QUANTITY_TEXT_MAX];
    if (s->offset_count > 0)
        text_printf(out, "\n%-20s %-24s %9s  %16s\n", "source", "topic", "partition", "next offset");
    for (int32_t i = 0; i < s->offset_count; i++)
        text_printf(out, "%-20s %-24s %9d  %16s\n", s->offsets[i].source, s->offsets[i].topic, s->offsets[i].partition,
                    quantity_count(s->offsets[i].next, next));
}

static void summary_print(const struct state_summary *s, struct text *out)
{
    char at[TIMESTAMP_TEXT_MAX + 1];
    text_printf(out, "%s\npipeline %s, epoch %" PRId64 ", committed %s UTC\n", s->checkpoint, s->pipeline, s->epoch,
                quantity_time(s->batch_time_us, at));
    offsets_print(s, out);
    if (s->watermark_count > 0)
        text_printf(out, "\n%-45s %27s\n", "watermark", "stands at");
    for (int32_t i = 0; i < s->watermark_count; i++)
        text_printf(out, "%-45s %27s\n", s->watermarks[i].name, quantity_time(s->watermarks[i].at_us, at));
}

static void operator_print(const struct state_operator *about, struct text *out)
{
    char entries[QUANTITY_TEXT_MAX], size[QUANTITY_TEXT_MAX], at[TIMESTAMP_TEXT_MAX + 1];
    if (out->size == 0)
        text_printf(out, "\n%-32s %-16s %14s  %10s  %27s\n", "operator", "identity", "entries", "in memory",
                    "emitted up to");
    text_printf(out, "%-32s %016" PRIx64 " ", about->name, about->identity);
    if (about->schema == NULL)
        text_add_string(out, "nothing in the project takes it up: see leat plan\n");
    else
        text_printf(out, "%14s  %10s  %27s\n", quantity_count(about->entries, entries),
                    quantity_size(about->bytes, size), quantity_time(about->watermark_us, at));
}

static void operator_entries_print(struct printing *self, const struct state_operator *about)
{
    char total[QUANTITY_TEXT_MAX];
    if (!self->entries.open || self->flags->limit == 0)
        return;
    text_printf(&self->shown, "\n%s", about->name);
    if (self->filter.count > 0)
        text_printf(&self->shown, ": %s entr%s found", quantity_count(self->entries.matched, total),
                    self->entries.matched == 1 ? "y" : "ies");
    text_add_char(&self->shown, '\n');
    entries_print(&self->entries, &self->shown);
}

/* ---- as JSON ---- */

static void json_time(struct text *out, const char *name, int64_t us)
{
    char at[TIMESTAMP_TEXT_MAX + 1];
    if (us > 0)
        text_printf(out, ",\"%s\":\"%s\"", name, quantity_time(us, at));
}

static void summary_json(const struct state_summary *s, struct text *out)
{
    text_add_string(out, "{\"checkpoint\":");
    quote_json(out, s->checkpoint);
    text_add_string(out, ",\"pipeline\":");
    quote_json(out, s->pipeline);
    text_printf(out, ",\"epoch\":%" PRId64, s->epoch);
    json_time(out, "committed", s->batch_time_us);
    text_add_string(out, ",\"offsets\":[");
    for (int32_t i = 0; i < s->offset_count; i++) {
        text_add_string(out, i > 0 ? ",{\"source\":" : "{\"source\":");
        quote_json(out, s->offsets[i].source);
        text_add_string(out, ",\"topic\":");
        quote_json(out, s->offsets[i].topic);
        text_printf(out, ",\"partition\":%d,\"next\":%" PRId64 "}", s->offsets[i].partition, s->offsets[i].next);
    }
    text_add_string(out, "],\"watermarks\":[");
    for (int32_t i = 0; i < s->watermark_count; i++) {
        text_add_string(out, i > 0 ? ",{\"name\":" : "{\"name\":");
        quote_json(out, s->watermarks[i].name);
        json_time(out, "at", s->watermarks[i].at_us);
        text_add_char(out, '}');
    }
    text_add_string(out, "]}\n");
}

static void operator_json(const struct printing *self, const struct state_operator *about, struct text *out)
{
    text_add_string(out, "{\"operator\":");
    quote_json(out, about->name);
    text_printf(out, ",\"identity\":\"%016" PRIx64 "\",\"in_project\":%s", about->identity,
                about->schema != NULL ? "true" : "false");
    if (about->schema != NULL)
        text_printf(out, ",\"entries\":%" PRId64 ",\"bytes\":%" PRId64, about->entries, about->bytes);
    if (self->entries.open && self->filter.count > 0)
        text_printf(out, ",\"matched\":%" PRId64, self->entries.matched);
    json_time(out, "emitted_up_to", about->watermark_us);
    text_add_string(out, "}\n");
}

/* ---- what pipeline_state tells ---- */

static enum code on_summary(void *context, const struct state_summary *summary, struct error *err)
{
    (void)err;
    struct printing *self = context;
    text_clear(&self->head);
    text_clear(&self->operators);
    text_clear(&self->shown);
    text_clear(&self->asked);
    entries_close(&self->entries);
    if (self->flags->format == FORMAT_JSON)
        summary_json(summary, &self->head);
    else
        summary_print(summary, &self->head);
    return E_OK;
}

static void columns_list(const struct type *schema, const char *prefix, struct text *out)
{
    for (int32_t f = 0; f < schema->field_count; f++) {
        const struct field *field = &schema->fields[f];
        char path[PATH_MAX_BYTES];
        snprintf(path, sizeof path, "%s%s", prefix, field->name);
        text_printf(out, "%s%s", f > 0 || prefix[0] != '\0' ? ", " : "", path);
        snprintf(path, sizeof path, "%s%s.", prefix, field->name);
        if (field->type->id == TYPE_STRUCT)
            columns_list(field->type, path, out);
    }
}

static void columns_note(struct printing *self, const struct state_operator *about)
{
    text_printf(&self->asked, "%s%s has ", self->asked.size > 0 ? "; " : "", about->name);
    columns_list(about->schema, "", &self->asked);
}

/* Entries without a column that is asked for are none of those asked for. */
static enum code entries_begin(struct printing *self, const struct state_operator *about, struct error *err)
{
    if (entry_filter_missing(&self->filter, about->schema) != NULL) {
        columns_note(self, about);
        return E_OK;
    }
    self->answered = true;
    const struct entries_spec spec = {
        .name = about->name,
        .schema = about->schema,
        .zone = self->project->session.zone,
        .filter = &self->filter,
        .limit = self->flags->limit,
        .json = self->flags->format == FORMAT_JSON,
    };
    return entries_open(&self->entries, &spec, err);
}

static enum code on_entries(void *context, const struct state_operator *about, const struct batch *batch,
                            struct error *err)
{
    struct printing *self = context;
    if (!self->entries.open && entry_filter_missing(&self->filter, about->schema) == NULL)
        TRY(entries_begin(self, about, err));
    return self->entries.open ? entries_add(&self->entries, batch, err) : E_OK;
}

static enum code on_done(void *context, const struct state_operator *about, struct error *err)
{
    struct printing *self = context;
    if (about->schema != NULL && !self->entries.open)
        TRY(entries_begin(self, about, err));
    if (self->flags->format == FORMAT_JSON) {
        operator_json(self, about, &self->operators);
        if (self->entries.open)
            entries_print(&self->entries, &self->shown);
    } else {
        operator_print(about, &self->operators);
        operator_entries_print(self, about);
    }
    entries_close(&self->entries);
    return E_OK;
}

/* A leat at work may remove what is about to be read: then all is read again, from its newer head. */
static enum code read_state(struct printing *self, struct error *err)
{
    const struct state_reader reader = {on_summary, on_entries, on_done, self};
    bool again = true;
    enum code code = E_ABSENT;
    for (int attempt = 0; again && attempt < TRIES; attempt++) {
        error_clear(err);
        code =
            pipeline_state(self->project->pipeline, &self->project->session, self->flags->table, &reader, &again, err);
    }
    return code;
}

static int state_print(const struct project *project, const void *settings)
{
    const struct state_flags *flags = settings;
    struct error err = {0};
    struct printing printing = {.flags = flags, .project = project};
    enum code code = entry_filter_parse(&flags->where, &printing.filter, &err);
    if (code == E_OK)
        code = read_state(&printing, &err);
    if (code == E_OK && printing.filter.count > 0 && !printing.answered && printing.asked.size > 0)
        code = fail(&err, E_USAGE, "--where: no entries have the column%s asked for: %s",
                    printing.filter.count > 1 ? "s" : "", printing.asked.data);
    const struct text *parts[] = {&printing.head, &printing.operators, &printing.shown};
    for (size_t i = 0; code == E_OK && i < sizeof parts / sizeof *parts; i++)
        if (parts[i]->size > 0)
            fwrite(parts[i]->data, 1, parts[i]->size, stdout);
    entries_close(&printing.entries);
    entry_filter_free(&printing.filter);
    text_free(&printing.asked);
    text_free(&printing.head);
    text_free(&printing.operators);
    text_free(&printing.shown);
    return code == E_OK ? EXIT_OK : report(&err);
}

static int state_run(const struct command_line *line)
{
    const struct state_flags *flags = line->settings;
    return project_with(line, &flags->project, flags, state_print);
}

const struct command state_command = {
    .name = "state",
    .arguments = "[DIR]",
    .help = "show what a checkpoint remembers: offsets, watermarks, open windows, join buffers, keys",
    .examples = "  leat state examples/transactions\n"
                "  leat state shop --table gold --where card_id=card-0000000042\n"
                "  leat state shop --table gold --where window.start='2026-01-01 10:05:00' --limit 100\n"
                "  leat state shop --format json --limit 1000000 | jq 'select(.entry.txn_count > 100)'\n",
    .notes =
        "Shows the last commit. Reads only, also beside a leat at work; memory holds a 64th of the state at a time.\n"
        "An entry is a group of an aggregate, as it would come out now; a row that waits in a join; a key of a\n"
        "deduplication. VALUE is what a cell shows. A column that several structs have (left.id, right.id of a join)\n"
        "may be named without them.\n",
    .options = state_options,
    .size = sizeof(struct state_flags),
    .arguments_max = 1,
    .run = state_run,
};

/* command_audit.c - `leat audit`: is everything there that the commit records say, and nothing else? */
#include "cli/project_flags.h"
#include "cli/quantity.h"
#include "cli/state_entries.h" // quote_json
#include "runtime/runtime.h"

#include <inttypes.h>
#include <stdio.h>

enum { FORMAT_TABLE, FORMAT_JSON };

struct audit_flags {
    struct project_flags project;
    struct strings also;
    bool names_only;
    int format;
};
static const struct option audit_options[] = {
    {.name = "names-only",
     .kind = OPTION_BOOLEAN,
     .help = "look at names and sizes; do not read what is in the files",
     .offset = offsetof(struct audit_flags, names_only)},
    {.name = "also",
     .kind = OPTION_STRING,
     .choices = "*",
     .help = "QUERY whose files may lie in the tables' folders, as in their names; repeatable",
     .offset = offsetof(struct audit_flags, also)},
    {.name = "format",
     .kind = OPTION_ENUM,
     .choices = "table|json",
     .initial = "table",
     .help = "json: one object a line, the summary first",
     .offset = offsetof(struct audit_flags, format)},
    PROJECT_FLAGS(struct audit_flags, project),
    {0},
};

/* ---- as a table ---- */

/* -1: not known. */
static const char *number(int64_t value, char *out) { return value < 0 ? "?" : quantity_count(value, out); }

static void head_print(const struct audit_report *r, struct text *out)
{
    char at[TIMESTAMP_TEXT_MAX + 1];
    text_printf(out, "%s\npipeline %s, query %s", r->checkpoint, r->pipeline, r->query_id);
    if (r->head < 0)
        text_add_string(out, ", no epoch was committed yet\n");
    else
        text_printf(out, ", records of epochs %" PRId64 " to %" PRId64 ", the last of %s UTC\n", r->oldest, r->head,
                    quantity_time(r->batch_time_us, at));
    if (r->holder != 0)
        text_printf(out, "process %" PRId64 " is at work on it\n", r->holder);
}

static void ranges_print(const struct audit_report *r, struct text *out)
{
    char text[7][QUANTITY_TEXT_MAX];
    if (r->range_count > 0)
        text_printf(out, "\n%-16s %-20s %9s %14s %14s %14s %10s %8s %8s %8s\n", "source", "topic", "partition", "from",
                    "to", "records", "gaps", "lost", "missing", "double");
    for (int32_t i = 0; i < r->range_count; i++) {
        const struct audit_range *range = &r->ranges[i];
        text_printf(out, "%-16s %-20s %9" PRId32 " %14s %14s %14s %10s %8s %8s %8s\n", range->source, range->topic,
                    range->partition, number(range->from, text[0]), number(range->to, text[1]),
                    number(range->rows, text[2]), range->in_bytes ? "-" : number(range->gaps, text[3]),
                    number(range->lost, text[4]), number(range->missing, text[5]), number(range->doubled, text[6]));
    }
}

/* Few pipelines explode anything: only theirs have the column. */
static bool explodes(const struct audit_report *r)
{
    for (int32_t i = 0; i < r->table_count; i++)
        if (!r->tables[i].set_aside && r->tables[i].ledger.exploded != 0)
            return true;
    return false;
}

static void exploded_print(const struct audit_table *t, struct text *out)
{
    char count[QUANTITY_TEXT_MAX];
    text_printf(out, " %14s", t->set_aside ? "-" : quantity_count(t->ledger.exploded, count)); // rows less: below 0
}

static void tables_print(const struct audit_report *r, struct text *out)
{
    char text[10][QUANTITY_TEXT_MAX];
    bool exploded = explodes(r);
    if (r->table_count > 0)
        text_printf(out, "\n%-20s %14s%s %14s %14s %12s %10s %10s %12s %10s %8s %12s\n", "table", "in",
                    exploded ? "       exploded" : "", "out", "into state", "filtered", "late", "null time",
                    "quarantined", "duplicates", "files", "older files");
    for (int32_t i = 0; i < r->table_count; i++) {
        const struct audit_table *t = &r->tables[i];
        const struct ledger *l = &t->ledger;
        text_printf(out, "%-20s %14s", t->name, t->set_aside ? "-" : number(l->in + l->replayed, text[0]));
        if (exploded)
            exploded_print(t, out);
        text_printf(out, " %14s %14s %12s %10s %10s %12s %10s %8s %12s\n", number(l->out, text[1]),
                    number(l->aggregated, text[2]), number(l->filtered, text[3]), number(l->late, text[4]),
                    number(l->null_time, text[5]), number(l->quarantined, text[6]), number(l->duplicates, text[7]),
                    t->path != NULL ? number(t->files, text[8]) : "-",
                    t->path != NULL ? number(t->older_files, text[9]) : "-");
    }
}

static void states_print(const struct audit_report *r, struct text *out)
{
    char files[QUANTITY_TEXT_MAX], size[QUANTITY_TEXT_MAX];
    if (r->state_count > 0)
        text_printf(out, "\n%-40s %10s %12s\n", "state", "files", "size");
    for (int32_t i = 0; i < r->state_count; i++)
        text_printf(out, "%-40s %10s %12s\n", r->states[i].name, quantity_count(r->states[i].files, files),
                    quantity_size(r->states[i].bytes, size));
}

static void finding_print(const struct audit_finding *f, struct text *out)
{
    text_printf(out, "%s%s", f->note ? "note: " : "", f->kind);
    if (f->epoch >= 0)
        text_printf(out, "  epoch %" PRId64, f->epoch);
    text_printf(out, "%s%s%s%s\n    %s\n", f->subject[0] != '\0' ? "  " : "", f->subject,
                f->path[0] != '\0' ? "  " : "", f->path, f->detail);
}

static int64_t findings_of(const struct audit_report *r)
{
    return r->finding_count - r->note_count + r->findings_left_out;
}

static void report_print(const struct audit_report *r, bool names_only, struct text *out)
{
    char count[QUANTITY_TEXT_MAX];
    int64_t findings = findings_of(r);
    head_print(r, out);
    ranges_print(r, out);
    tables_print(r, out);
    states_print(r, out);
    if (r->finding_count > 0)
        text_add_char(out, '\n');
    for (int32_t i = 0; i < r->finding_count; i++)
        finding_print(&r->findings[i], out);
    if (r->findings_left_out > 0)
        text_printf(out, "and %s more\n", quantity_count(r->findings_left_out, count));
    if (findings == 0)
        text_printf(out, "\nnothing is missing, double or damaged%s\n", names_only ? ", by names and sizes" : "");
    else
        text_printf(out, "\n%s finding%s\n", quantity_count(findings, count), findings == 1 ? "" : "s");
}

/* ---- as JSON ---- */

static void json_member(struct text *out, const char *name, const char *value)
{
    text_printf(out, "\"%s\":", name);
    quote_json(out, value);
}

static void json_number(struct text *out, const char *name, int64_t value)
{
    if (value >= 0)
        text_printf(out, ",\"%s\":%" PRId64, name, value);
}

static void head_json(const struct audit_report *r, struct text *out)
{
    char at[TIMESTAMP_TEXT_MAX + 1];
    text_add_char(out, '{');
    json_member(out, "checkpoint", r->checkpoint);
    text_add_char(out, ',');
    json_member(out, "pipeline", r->pipeline);
    text_printf(out, ",\"query\":\"%s\",\"findings\":%" PRId64 ",\"notes\":%" PRId32, r->query_id, findings_of(r),
                r->note_count);
    json_number(out, "oldest_epoch", r->oldest);
    json_number(out, "epoch", r->head);
    if (r->batch_time_us > 0)
        text_printf(out, ",\"committed\":\"%s\"", quantity_time(r->batch_time_us, at));
    if (r->holder != 0)
        json_number(out, "holder", r->holder);
    text_add_string(out, "}\n");
}

static void range_json(const struct audit_range *range, struct text *out)
{
    text_add_char(out, '{');
    json_member(out, "source", range->source);
    text_add_char(out, ',');
    json_member(out, "topic", range->topic);
    json_number(out, "partition", range->partition);
    json_number(out, "from", range->from);
    json_number(out, "to", range->to);
    json_number(out, "records", range->rows);
    if (!range->in_bytes)
        json_number(out, "gaps", range->gaps);
    json_number(out, "lost", range->lost);
    json_number(out, "missing", range->missing);
    json_number(out, "double", range->doubled);
    text_add_string(out, "}\n");
}

static void table_json(const struct audit_table *t, struct text *out)
{
    const struct ledger *l = &t->ledger;
    text_add_char(out, '{');
    json_member(out, "table", t->name);
    if (!t->set_aside) {
        json_number(out, "in", l->in);
        json_number(out, "replayed", l->replayed);
        text_printf(out, ",\"exploded\":%" PRId64, l->exploded); // rows less, when lists are empty
    }
    json_number(out, "out", l->out);
    json_number(out, "state", l->aggregated);
    json_number(out, "filtered", l->filtered);
    json_number(out, "late", l->late);
    json_number(out, "null_time", l->null_time);
    json_number(out, "quarantined", l->quarantined);
    json_number(out, "duplicates", l->duplicates);
    if (t->path != NULL) {
        text_add_char(out, ',');
        json_member(out, "path", t->path);
        json_number(out, "files", t->files);
        json_number(out, "rows", t->rows);
        json_number(out, "bytes", t->bytes);
        json_number(out, "older_files", t->older_files);
        json_number(out, "older_rows", t->older_rows);
        json_number(out, "older_bytes", t->older_bytes);
    }
    text_add_string(out, "}\n");
}

static void finding_json(const struct audit_finding *f, struct text *out)
{
    text_add_char(out, '{');
    json_member(out, f->note ? "note" : "finding", f->kind);
    json_number(out, "epoch", f->epoch);
    text_add_char(out, ',');
    json_member(out, "subject", f->subject);
    text_add_char(out, ',');
    json_member(out, "path", f->path);
    text_add_char(out, ',');
    json_member(out, "detail", f->detail);
    text_add_string(out, "}\n");
}

static void report_json(const struct audit_report *r, struct text *out)
{
    head_json(r, out);
    for (int32_t i = 0; i < r->range_count; i++)
        range_json(&r->ranges[i], out);
    for (int32_t i = 0; i < r->table_count; i++)
        table_json(&r->tables[i], out);
    for (int32_t i = 0; i < r->state_count; i++) {
        text_add_char(out, '{');
        json_member(out, "state", r->states[i].name);
        json_number(out, "files", r->states[i].files);
        json_number(out, "bytes", r->states[i].bytes);
        text_add_string(out, "}\n");
    }
    for (int32_t i = 0; i < r->finding_count; i++)
        finding_json(&r->findings[i], out);
}

/* ---- the command ---- */

static enum code also_check(const struct strings *also, struct error *err)
{
    for (int32_t i = 0; i < also->count; i++)
        if (strspn(also->items[i], "0123456789abcdef") < 8)
            return fail(err, E_USAGE, "--also %s: a query is named by 8 hex digits or more, as in part-0a1b2c3d-..",
                        also->items[i]);
    return E_OK;
}

static int audit_print(const struct project *project, const void *settings)
{
    const struct audit_flags *flags = settings;
    struct arena arena = {0};
    struct error err = {0};
    struct audit_report found;
    struct text out = {0};
    const struct audit_request request = {flags->names_only, flags->also.items, flags->also.count};
    int status = EXIT_OK;
    enum code code = also_check(&flags->also, &err);
    if (code == E_OK)
        code = pipeline_audit(project->pipeline, &request, &arena, &found, &err);
    if (code != E_OK) {
        status = report(&err);
    } else {
        if (flags->format == FORMAT_JSON)
            report_json(&found, &out);
        else
            report_print(&found, flags->names_only, &out);
        fwrite(out.data, 1, out.size, stdout);
        status = findings_of(&found) > 0 ? EXIT_DATA : EXIT_OK;
    }
    text_free(&out);
    arena_free(&arena);
    return status;
}

static int audit_run(const struct command_line *line)
{
    const struct audit_flags *flags = line->settings;
    return project_with(line, &flags->project, flags, audit_print);
}

const struct command audit_command = {
    .name = "audit",
    .arguments = "[DIR]",
    .help = "check that all is there once: offsets, files, ledgers, states; exit code 3 when it is not",
    .examples = "  leat audit examples/transactions\n"
                "  leat audit shop --format json | jq 'select(.finding)'\n"
                "  leat audit shop --names-only               # a large one: do not read the files\n",
    .notes =
        "Reads only, also beside a leat at work. Checks the commit records that are kept, each file that they name (size,\n"
        "checksum, rows), and that no other file is in the tables' folders. A note is nothing wrong.\n",
    .options = audit_options,
    .size = sizeof(struct audit_flags),
    .arguments_max = 1,
    .run = audit_run,
};

#include <inttypes.h>
#include <stdio.h>

#include "base/log.h"
#include "base/os.h"
#include "base/fault.h"
#include "cli/cli.h"
#include "cli/project.h"
#include "cli/run.h"
#include "cli/run_summary.h"
#include "cli/status_line.h"
#include "cli/stop.h"
#include "cli/trouble_lines.h"
#include "runtime/runtime.h"

/* ---- a terminal: one line that refreshes itself ---- */

struct display {
    bool preview;
    struct commit_report last;
    struct table_commit *tables; /* of the last commit, for the summary at the end */
    int32_t table_count;
    int64_t epochs;
    struct trouble_lines troubles;
};

static void show_line(const struct run_status *s)
{
    static unsigned turn;
    struct text line = {0};
    int32_t columns = os_terminal_columns(); // each time: windows change their size
    status_line(s, runtime_stopping(), turn++, columns > 0 ? columns - 1 : 0, &line); // the last column would wrap
    log_status(line.data);
    text_free(&line);
}

static void show_status(void *context, const struct run_status *status)
{
    struct display *display = context;
    if (log_is_terminal())
        show_line(status);
    else
        trouble_line(&display->troubles, status);
}

static void remember(struct display *display, const struct commit_report *report)
{
    if (display->tables == NULL) {
        display->tables = mem_array(struct table_commit, (size_t)report->table_count);
        display->table_count = report->table_count;
    }
    memcpy(display->tables, report->tables, sizeof *display->tables * (size_t)report->table_count);
    display->last = *report;
    display->last.tables = NULL; // the observer's only while it is called
    display->last.states = NULL;
    display->epochs++;
}

static void show_preview(const struct commit_report *report)
{
    log_status(NULL);
    for (int32_t i = 0; i < report->table_count; i++) {
        const struct table_commit *t = &report->tables[i];
        if (t->preview[0] != '\0')
            printf("-- %s, epoch %" PRId64 ", %" PRId64 " rows --\n%s", t->name, report->epoch, t->epoch.out,
                   t->preview);
    }
    fflush(stdout);
}

/* ---- not a terminal: one JSON line a commit, and what is in trouble ---- */

static void json_ledger(struct text *out, const struct ledger *l)
{
    text_printf(out,
                "\"in\":%" PRId64 ",\"replayed\":%" PRId64 ",\"out\":%" PRId64 ",\"filtered\":%" PRId64
                ",\"late\":%" PRId64 ",\"null_time\":%" PRId64 ",\"quarantined\":%" PRId64 ",\"duplicates\":%" PRId64
                ",\"exploded\":%" PRId64 ",\"aggregated\":%" PRId64,
                l->in, l->replayed, l->out, l->filtered, l->late, l->null_time, l->quarantined, l->duplicates,
                l->exploded, l->aggregated);
}

static void json_cpu(struct text *out, const struct cpu_split *cpu)
{
    text_printf(out,
                "\"cpu_s\":{\"client\":%.3f,\"fetch\":%.3f,\"decode\":%.3f,\"expressions\":%.3f,\"aggregate\":%.3f,"
                "\"encode\":%.3f,\"commit\":%.3f}",
                (double)cpu->client / 1e6, (double)cpu->fetch / 1e6, (double)cpu->decode / 1e6,
                (double)cpu->expressions / 1e6, (double)cpu->aggregate / 1e6, (double)cpu->encode / 1e6,
                (double)cpu->commit / 1e6);
}

static void json_commit(const struct commit_report *r)
{
    struct text out = {0};
    text_printf(&out,
                "{\"epoch\":%" PRId64 ",\"records\":%" PRId64 ",\"records_total\":%" PRId64 ",\"bytes\":%" PRId64
                ",\"duration_ms\":%.1f,\"watermark_us\":%" PRId64 ",\"lag\":%" PRId64 ",\"groups\":%" PRId64
                ",\"state_bytes\":%" PRId64 ",\"rss_bytes\":%" PRId64 ",\"rss_peak_bytes\":%" PRId64 ",",
                r->epoch, r->records, r->records_total, r->bytes, (double)r->duration_us / 1e3, r->watermark_us,
                r->lag_records, r->groups, r->state_bytes, r->rss_bytes, r->rss_peak_bytes);
    if (r->drift_fields > 0)
        text_printf(&out, "\"drift\":{\"fields\":%" PRId64 ",\"values\":%" PRId64 "},", r->drift_fields,
                    r->drift_values);
    json_cpu(&out, &r->cpu);
    text_add_string(&out, ",\"states\":[");
    for (int32_t i = 0; i < r->state_count; i++) {
        const struct state_report *s = &r->states[i];
        text_printf(&out,
                    "%s{\"name\":\"%s\",\"entries\":%" PRId64 ",\"bytes\":%" PRId64 ",\"watermark_us\":%" PRId64 "}",
                    i > 0 ? "," : "", s->name, s->entries, s->bytes, s->watermark_us);
    }
    text_add_string(&out, "],\"tables\":{");
    for (int32_t i = 0; i < r->table_count; i++) {
        const struct table_commit *t = &r->tables[i];
        text_printf(&out, "%s\"%s\":{", i > 0 ? "," : "", t->name);
        json_ledger(&out, &t->epoch);
        text_printf(&out, ",\"files\":%" PRId64 ",\"bytes\":%" PRId64 "}", t->files, t->bytes);
    }
    text_add_string(&out, "}}");
    log_json(out.data);
    text_free(&out);
}

static void on_commit(void *context, const struct commit_report *report)
{
    struct display *display = context;
    remember(display, report);
    if (display->preview)
        show_preview(report);
    if (!log_is_terminal())
        json_commit(report);
}

/* ---- the end ---- */

/* Off a terminal; no member `epoch`, for this is no commit. */
static void json_end(const struct display *display)
{
    struct text out = {0};
    text_printf(&out, "{\"phase\":\"%s\",\"epochs\":%" PRId64 ",\"records_total\":%" PRId64 "}",
                runtime_stopping() ? "stopped" : "done", display->epochs, display->last.records_total);
    log_json(out.data);
    text_free(&out);
}

/* `ended`: nothing failed. */
static void summary(const struct display *display, bool ended, int64_t took_us, const char *directory)
{
    if (!log_is_terminal()) {
        if (ended)
            json_end(display);
        return;
    }
    if (display->tables == NULL) {
        if (ended)
            fprintf(stderr, "%s\n", runtime_stopping() ? "stopped; nothing was read" : "nothing new");
        return;
    }
    struct text text = {0};
    const struct run_end end = {
        .records = display->last.records_total,
        .epochs = display->epochs,
        .took_us = took_us,
        .rss_peak_bytes = display->last.rss_peak_bytes,
        .tables = display->tables,
        .table_count = display->table_count,
        .directory = directory,
    };
    run_summary(&end, os_terminal_columns(), &text);
    fputs(text.data, stderr);
    text_free(&text);
}

int run_project(const struct project *project, bool once, bool accept)
{
    struct error err = {0};
    struct display display = {.preview = project->settings.preview};
    const struct run_observer observer = {show_status, on_commit, &display};
    const struct run_options options = {
        .once = once, .accept = accept, .session = &project->session, .observer = &observer};
    if (fault_init(&err) != E_OK)
        return report(&err);
    stop_watch_begin(project->settings.stop_timeout_us);
    int64_t begun_us = os->clock_mono_us();
    enum code code = pipeline_run(project->pipeline, &options, &err);
    stop_watch_end();
    log_status(NULL);
    summary(&display, code == E_OK, os->clock_mono_us() - begun_us, project->pipeline->directory);
    mem_free(display.tables);
    if (code == E_OK)
        return EXIT_OK;
    int status = report(&err);
    return code == E_STOPPED ? EXIT_UNFINISHED : status;
}

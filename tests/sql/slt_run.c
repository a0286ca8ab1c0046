/* slt_run.c - the steps of a file in one world.
 *
 * Epochs   Feeds of different streams that stand together are one epoch; each stream gets a file
 *          for it, an empty one if need be, so that epochs are the same on every engine that takes
 *          a file a trigger. The epochs without input that follow (Spark's no-data batches) run at
 *          once, but not before a `then feed`
 * Crash    the engine is closed as a death would leave it: between epochs, and in a world with
 *          faults in the middle of every epoch, at another fail point each time. Then it is opened
 *          from its checkpoint
 * Kill     an engine lives in a child process for the epochs of one group of feeds, and the first
 *          children are killed at fail points (kill -9); the next one recovers. Tables are read
 *          from outside
 */
#include "slt.h"

#include <inttypes.h>
#include <stdio.h>
#include <strings.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fault.h"

enum {
    EPOCHS_MAX = 60 /* of one group of feeds */,
    DIFF_ROWS_MAX = 40,
    KILLS = 3 /* per group of feeds */
};

struct expected { /* what a table must hold so far */
    const char *table;
    struct slt_rows rows;
};
struct runner {
    struct slt_file *file;
    const struct slt_world *world;
    struct slt_project project;
    struct slt_outcome *out;
    bool update;
    struct arena arena;
    struct problems problems;
    const struct pipeline *pipeline;
    struct run_settings settings;
    struct run_options options;
    struct progress progress;
    struct engine engine;
    bool open;
    int32_t faults; /* armed so far */
    bool recovered; /* the last epoch failed: let it pass now */
    struct expected expected[SLT_STREAMS_MAX * 4];
    int32_t expected_count;
    struct error err;
};

void slt_world_name(const struct slt_world *world, char *out, size_t size)
{
    static const char *const troubles[] = {"", ", a crash after every epoch", ", a fault in every epoch",
                                           ", killed and killed again"};
    snprintf(out, size, "%d rows a batch, %d worker%s%s", world->batch_rows, world->workers,
             world->workers == 1 ? "" : "s", troubles[world->trouble]);
}

/* ---- failures ---- */

static void report_at(struct runner *self, int32_t line)
{
    char world[128];
    slt_world_name(self->world, world, sizeof world);
    self->out->failed = true;
    self->out->line = line + 1;
    text_printf(&self->out->report, "%s:%d: [%s] ", self->file->path, line + 1, world);
}

static enum code report_error(struct runner *self, int32_t line)
{
    report_at(self, line);
    text_printf(&self->out->report, "%s\n", self->err.text);
    return E_BUG;
}

/* ---- the engine ---- */

static void fault_next(struct runner *self)
{
#ifdef LEAT_FAULTS
    static const char *const faults[] = {
        "stage_open:1:eio",  "record_put:1:eio",  "stage_write:1:eio",  "publish_one:1:eio", "stage_fsync:1:eio",
        "record_put:1:lost", "stage_write:2:eio", "publish_one:1:lost", "stage_open:2:eio",  "gc_one:1:eio",
    };
    enum { COUNT = sizeof faults / sizeof *faults };
    if (self->world->trouble == SLT_FAULTS && !self->recovered)
        always(fault_arm(faults[(self->world->seed + self->faults++) % COUNT], &self->err) == E_OK);
#else
    (void)self;
#endif
}

static void fault_none(struct runner *self)
{
#ifdef LEAT_FAULTS
    always(fault_arm(NULL, &self->err) == E_OK);
#else
    (void)self;
#endif
}

static void engine_end(struct runner *self)
{
    if (self->open)
        engine_close(&self->engine);
    self->open = false;
}

static bool is_transient(const struct runner *self) { return error_class(self->err.code) == CLASS_transient; }

static enum code engine_start(struct runner *self)
{
    fault_next(self);
    enum code code = engine_open(&self->engine, self->pipeline, &self->options, &self->progress, &self->err);
    fault_none(self);
    if (code != E_OK && self->world->trouble == SLT_FAULTS && is_transient(self)) {
        error_clear(&self->err);
        code = engine_open(&self->engine, self->pipeline, &self->options, &self->progress, &self->err);
    }
    self->open = code == E_OK;
    return code;
}

static enum code engine_crash(struct runner *self)
{
    engine_end(self);
    return self->world->trouble == SLT_KILLS ? E_OK : engine_start(self); // there each group of feeds has its own
}

static enum code epoch_try(struct runner *self, bool *ran)
{
    fault_next(self);
    enum code code = epoch_run(&self->engine, false, ran, &self->err);
    fault_none(self);
    if (code != E_OK && self->world->trouble == SLT_FAULTS && is_transient(self)) {
        error_clear(&self->err);
        *ran = true;
        code = engine_crash(self);
        self->recovered = true;
        return code;
    }
    self->recovered = false;
    TRY(code);
    return *ran && self->world->trouble == SLT_CRASHES ? engine_crash(self) : E_OK;
}

/* All that was fed, and the epochs without input behind it. */
static enum code epochs_run(struct runner *self)
{
    bool ran = true;
    for (int32_t i = 0; i < self->engine.feed_count; i++)
        TRY(feed_discover(&self->engine.feeds[i], &self->err));
    for (int i = 0; ran; i++) {
        TRY(epoch_try(self, &ran));
        if (i == EPOCHS_MAX)
            return fail(&self->err, E_BUG, "epochs do not end");
    }
    return E_OK;
}

/* ---- killing ---- */

#ifdef LEAT_FAULTS
static void kill_arm(struct runner *self, int32_t number)
{
    static const char *const points[] = {"stage_open",   "record_temp",  "publish_one", "stage_write",
                                         "after_record", "stage_done",   "record_put",  "stage_fsync",
                                         "state_merge",  "publish_done", "gc_one",      "snapshot_put"};
    enum { POINTS = sizeof points / sizeof *points };
    char spec[64];
    snprintf(spec, sizeof spec, "%s:%d:kill", points[number % POINTS], 1 + number / POINTS % 3);
    always(fault_arm(spec, &self->err) == E_OK);
}
#endif

/* 0 when the epochs are done; else it was killed, or failed. */
static int run_child(struct runner *self, bool kill)
{
    fflush(stdout);
    pid_t child = fork();
    if (child == 0) {
#ifdef LEAT_FAULTS
        if (freopen("/dev/null", "w", stderr) == NULL) // the fail point says that it kills
            _exit(9);
        if (kill)
            kill_arm(self, self->world->seed + self->faults);
#endif
        enum code code = engine_open(&self->engine, self->pipeline, &self->options, &self->progress, &self->err);
        if (code == E_OK)
            code = epochs_run(self);
        if (code != E_OK)
            printf("%s\n", self->err.text);
        fflush(stdout);
        _exit(code == E_OK ? 0 : 1);
    }
    int status = 0;
    self->faults++;
    waitpid(child, &status, 0);
    (void)kill;
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

static enum code children_run(struct runner *self)
{
    for (int i = 0; i < KILLS; i++) {
        int ended = run_child(self, true);
        if (ended != 0 && ended < 128)
            return fail(&self->err, E_BUG, "a process that should have been killed failed");
    }
    return run_child(self, false) == 0 ? E_OK : fail(&self->err, E_BUG, "the process after a killed one failed");
}

/* ---- opening ---- */

static enum code project_read(struct runner *self)
{
    struct setting *sets = arena_array(&self->arena, struct setting, 2); // the pipeline keeps pointers to it
    struct session *session = arena_new(&self->arena, struct session);
    sets[0] =
        (struct setting){.name = "leat.batch.rows", .value = arena_printf(&self->arena, "%d", self->world->batch_rows)};
    sets[1] = (struct setting){.name = "leat.threads", .value = arena_printf(&self->arena, "%d", self->world->workers)};
    *session = (struct session){.zone = zone_utc(), .ansi = true};
    const struct project_environment environment = {.sets = sets, .set_count = 2, .session = session};
    TRY(project_load(&self->arena, self->project.folder, &environment, &self->pipeline, &self->problems, &self->err));
    TRY(runtime_check(&self->arena, self->pipeline, &self->problems, &self->err));
    self->options = (struct run_options){.once = true, .session = &self->pipeline->session};
    return settings_read(&self->arena, self->pipeline, &self->settings, &self->err);
}

static enum code pipeline_open(struct runner *self, const char *folder)
{
    enum code code = slt_project_make(&self->project, self->file, &self->file->sql, folder, &self->err);
    if (code == E_OK)
        code = project_read(self);
    if (code != E_OK)
        return report_error(self, 0);
    progress_init(&self->progress, self->pipeline);
    if (self->world->trouble == SLT_KILLS)
        return E_OK;
    return engine_start(self) == E_OK ? E_OK : report_error(self, 0);
}

/* ---- feed ---- */

static const struct slt_stream *stream_find(const struct runner *self, const char *name)
{
    for (int32_t i = 0; i < self->file->stream_count; i++)
        if (strcasecmp(self->file->streams[i].name, name) == 0)
            return &self->file->streams[i];
    return NULL;
}

/* Feeds [*at, ..) up to one of a stream that has its file already, or of another kind: the files of
 * one epoch. */
static enum code group_feed(struct runner *self, int32_t *at)
{
    bool fed[SLT_STREAMS_MAX] = {0};
    int32_t from = *at;
    for (; *at < self->file->step_count; (*at)++) {
        const struct slt_step *step = &self->file->steps[*at];
        if (step->kind != SLT_FEED || (step->backlog && *at > from))
            break;
        const struct slt_stream *stream = stream_find(self, step->name);
        if (stream == NULL)
            return fail(&self->err, E_SPEC, "no stream %s", step->name);
        bool *done = &fed[stream - self->file->streams];
        if (*done)
            break;
        *done = true;
        TRY(slt_project_feed(&self->project, self->file, stream, step->first, step->count, &self->err));
    }
    for (int32_t i = 0; i < self->file->stream_count; i++)
        if (!fed[i] && !self->file->streams[i].stands)
            TRY(slt_project_feed(&self->project, self->file, &self->file->streams[i], 0, 0, &self->err));
    return E_OK;
}

static enum code run_feed(struct runner *self, int32_t *at)
{
    enum code code = E_OK;
    do
        code = group_feed(self, at);
    while (code == E_OK && *at < self->file->step_count && self->file->steps[*at].backlog);
    TRY(code);
    return self->world->trouble == SLT_KILLS ? children_run(self) : epochs_run(self);
}

/* ---- expect ---- */

static struct slt_rows *expected_of(struct runner *self, const char *table)
{
    for (int32_t i = 0; i < self->expected_count; i++)
        if (strcasecmp(self->expected[i].table, table) == 0)
            return &self->expected[i].rows;
    always(self->expected_count < (int32_t)(sizeof self->expected / sizeof *self->expected));
    self->expected[self->expected_count].table = table;
    return &self->expected[self->expected_count++].rows;
}

/* Sorted `all` without sorted `some`. */
static void subtract(const struct slt_rows *all, const struct slt_rows *some, struct slt_rows *out)
{
    for (int32_t i = 0, k = 0; i < all->count; i++) {
        while (k < some->count && strcmp(some->items[k], all->items[i]) < 0)
            k++;
        if (k < some->count && strcmp(some->items[k], all->items[i]) == 0)
            k++;
        else
            slt_rows_add(out, all->items[i]);
    }
}

static void diff_print(struct text *out, const char *sign, const struct slt_rows *rows)
{
    for (int32_t i = 0; i < rows->count; i++)
        if (i < DIFF_ROWS_MAX)
            text_printf(out, "  %s %s\n", sign, rows->items[i]);
        else if (i == DIFF_ROWS_MAX)
            text_printf(out, "  %s .. and %d more\n", sign, rows->count - i);
}

static int32_t table_index(const struct runner *self, const char *name)
{
    for (int32_t i = 0; i < self->pipeline->table_count; i++)
        if (strcasecmp(self->pipeline->tables[i]->name, name) == 0)
            return i;
    return -1;
}

/* A materialized view's rows are replaced: what it had before counts no longer. */
static void forget_replaced(const struct runner *self, const char *table, struct slt_rows *expected)
{
    int32_t index = table_index(self, table);
    if (index < 0 || !self->pipeline->tables[index]->materialized)
        return;
    slt_rows_free(expected);
    *expected = (struct slt_rows){0};
}

/* Rows that came since the table's last `expect`; all earlier ones must still be there. */
static enum code run_expect(struct runner *self, const struct slt_step *step)
{
    struct slt_rows seen = {0}, came = {0}, missing = {0}, surplus = {0};
    struct slt_rows *expected = expected_of(self, step->name);
    forget_replaced(self, step->name, expected);
    enum code code = slt_rows_read(self->pipeline, self->settings.tables_path, step->name, &seen, &self->err);
    if (self->update && code == E_OK) {
        subtract(&seen, expected, &came);
        for (int32_t i = 0; i < came.count; i++)
            text_printf(&self->out->updated, "%s\n", came.items[i]);
    }
    for (int32_t i = 0; i < (self->update ? came.count : step->count); i++)
        slt_rows_add(expected, self->update ? came.items[i] : self->file->lines[step->first + i]);
    slt_rows_sort(expected);
    subtract(expected, &seen, &missing);
    subtract(&seen, expected, &surplus);
    if (code == E_OK && missing.count + surplus.count > 0) {
        report_at(self, step->line);
        text_printf(&self->out->report, "table %s: expected -, seen +\n", step->name);
        diff_print(&self->out->report, "-", &missing);
        diff_print(&self->out->report, "+", &surplus);
        code = E_BUG;
    }
    slt_rows_free(&seen);
    slt_rows_free(&came);
    slt_rows_free(&missing);
    slt_rows_free(&surplus);
    return code;
}

/* ---- watermark, late ---- */

static int32_t group_below(const struct plan *plan)
{
    int32_t group = plan->group;
    for (int32_t i = 0; group < 0 && i < plan->input_count; i++)
        group = group_below(plan_input(plan, i));
    return group;
}

static void watermark_text(const struct runner *self, int32_t table, char *out, size_t size)
{
    int32_t group = group_below(self->pipeline->tables[table]->flows[0]);
    char text[TIMESTAMP_TEXT_MAX + 1];
    if (group < 0 || group >= self->engine.watermarks.group_count) {
        snprintf(out, size, "none");
        return;
    }
    text[timestamp_print(self->engine.watermarks.groups[group].emit_us, zone_utc(), text)] = '\0';
    const char *day = strncmp(text, "2026-01-01 ", 11) == 0 ? text + 11 : text;
    snprintf(out, size, "%s", day);
    char *blank = strchr(out, ' ');
    if (blank != NULL)
        *blank = 'T';
}

static enum code run_number(struct runner *self, const struct slt_step *step)
{
    char seen[64] = "";
    if (self->world->trouble == SLT_KILLS) // the engine that knows is gone
        return E_OK;
    int32_t table = table_index(self, step->name);
    if (table < 0)
        return fail(&self->err, E_SPEC, "no table %s", step->name);
    if (step->kind == SLT_WATERMARK)
        watermark_text(self, table, seen, sizeof seen);
    else
        snprintf(seen, sizeof seen, "%" PRId64, self->progress.tables[table].total.late);
    if (self->update)
        text_printf(&self->out->updated, "%s %s %s\n", step->kind == SLT_LATE ? "late" : "watermark", step->name, seen);
    /* An epoch that failed after its record is counted by nobody: the next engine only publishes
     * it. */
    if (self->update || strcmp(seen, step->argument) == 0 ||
        (step->kind == SLT_LATE && self->world->trouble == SLT_FAULTS))
        return E_OK;
    report_at(self, step->line);
    text_printf(&self->out->report, "%s of %s is %s, expected %s\n", step->kind == SLT_LATE ? "late" : "watermark",
                step->name, seen, step->argument);
    return E_BUG;
}

/* ---- error ---- */

/* The statements, beside the streams but without the pipeline's others, must be refused with a
 * text. */
static enum code run_error(struct runner *self, const struct slt_step *step, const char *folder)
{
    struct runner other = {.file = self->file, .world = self->world};
    struct text sql = {0};
    char below[512];
    for (int32_t i = 0; i < step->count; i++)
        text_printf(&sql, "%s\n", self->file->lines[step->first + i]);
    snprintf(below, sizeof below, "%s/error%d", folder, step->line);
    enum code code = slt_project_make(&other.project, self->file, &sql, below, &self->err);
    enum code refused = code == E_OK ? project_read(&other) : E_OK;
    if (code == E_OK && (refused == E_OK || strstr(other.err.text, step->name) == NULL)) {
        report_at(self, step->line);
        text_printf(&self->out->report, "expected an error with %s, seen %s\n", step->name,
                    refused == E_OK ? "none" : other.err.text);
        code = E_BUG;
    }
    text_free(&sql);
    mem_free(other.problems.texts);
    arena_free(&other.arena);
    return code;
}

/* ---- the file ---- */

/* What stands between the steps that update rewrites is copied. */
static void copy_lines(struct runner *self, int32_t *from, int32_t to)
{
    for (; *from < to; (*from)++)
        text_printf(&self->out->updated, "%s\n", self->file->lines[*from]);
}

static enum code run_step(struct runner *self, int32_t *at, const char *folder)
{
    const struct slt_step *step = &self->file->steps[*at];
    switch (step->kind) {
    case SLT_FEED: return run_feed(self, at);
    case SLT_EXPECT: (*at)++; return run_expect(self, step);
    case SLT_WATERMARK:
    case SLT_LATE: (*at)++; return run_number(self, step);
    case SLT_CRASH: (*at)++; return engine_crash(self);
    default: (*at)++; return run_error(self, step, folder);
    }
}

static void run_steps(struct runner *self, const char *folder)
{
    int32_t copied = 0;
    for (int32_t at = 0; at < self->file->step_count && !self->out->failed;) {
        const struct slt_step *step = &self->file->steps[at];
        bool rewritten = step->kind == SLT_EXPECT || step->kind == SLT_WATERMARK || step->kind == SLT_LATE;
        if (self->update)
            copy_lines(self, &copied, step->line + (step->kind == SLT_EXPECT || !rewritten));
        if (run_step(self, &at, folder) != E_OK && !self->out->failed)
            (void)report_error(self, step->line);
        if (self->update && rewritten)
            copied = step->kind == SLT_EXPECT ? step->first + step->count : step->line + 1;
    }
    if (self->update)
        copy_lines(self, &copied, self->file->line_count);
}

/* Whatever the world did to it: the chain and the tables must agree. */
static void run_audit(struct runner *self)
{
    const struct audit_request request = {0};
    struct audit_report report;
    engine_end(self);
    if (self->out->failed || self->update || self->pipeline == NULL)
        return;
    enum code code = pipeline_audit(self->pipeline, &request, &self->arena, &report, &self->err);
    if (code == E_OK && report.finding_count == report.note_count)
        return;
    self->out->failed = true;
    if (code != E_OK)
        text_printf(&self->out->report, "audit: %s\n", self->err.text);
    else
        text_printf(&self->out->report, "audit: %s of epoch %" PRId64 ": %s %s: %s\n", report.findings[0].kind,
                    report.findings[0].epoch, report.findings[0].subject, report.findings[0].path,
                    report.findings[0].detail);
}

static bool only_errors(const struct slt_file *file)
{
    for (int32_t i = 0; i < file->step_count; i++)
        if (file->steps[i].kind != SLT_ERROR)
            return false;
    return true;
}

void slt_run(struct slt_file *file, const struct slt_world *world, const char *folder, bool update,
             struct slt_outcome *out)
{
    struct runner *self = mem_new(struct runner);
    *self = (struct runner){.file = file, .world = world, .out = out, .update = update};
    if (only_errors(file) || pipeline_open(self, folder) == E_OK)
        run_steps(self, folder);
    run_audit(self);
    for (int32_t i = 0; i < self->expected_count; i++)
        slt_rows_free(&self->expected[i].rows);
    mem_free(self->problems.texts);
    arena_free(&self->progress.arena);
    arena_free(&self->arena);
    mem_free(self);
}

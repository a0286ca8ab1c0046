#include "runtime/runtime.h"

#include <inttypes.h>
#include <stdatomic.h>
#include <stdio.h>

#include "base/log.h"
#include "base/os.h"
#include "runtime/change.h"
#include "runtime/engine.h"
#include "runtime/quarantines.h"
#include "runtime/tables_check.h"
#include "runtime/trouble.h"

enum {
    NAP_US = 50 * 1000,       /* how long a sleep takes to notice a stop */
    DISCOVER_US = 500 * 1000, /* how often epochs that take milliseconds look for partitions, files and the lag */
};

static atomic_bool stop_requested;

void runtime_stop(void) { atomic_store(&stop_requested, true); }

bool runtime_stopping(void) { return atomic_load_explicit(&stop_requested, memory_order_relaxed); }

static void sleep_until(struct engine *self, int64_t until_us)
{
    for (int64_t left_us; !runtime_stopping() && (left_us = until_us - os->clock_mono_us()) > 0;) {
        os->sleep_us(left_us < NAP_US ? left_us : NAP_US);
        report_status(self, false);
    }
}

/* ---- triggers ---- */

/* Opening the engine asked the sources: the first round need not. */
static enum code discover_again(struct engine *self, struct error *err)
{
    bool fresh = self->discovered;
    self->discovered = false;
    self->discovered_us = os->clock_mono_us();
    return fresh ? E_OK : engine_discover(self, err);
}

static enum code epoch_pass(struct engine *self, bool open, bool *ran, struct error *err)
{
    TRY(epoch_run(self, open, ran, err));
    trouble_passed(self->progress, *ran);
    return E_OK;
}

/* Work off what was there at the start, in bounded epochs; then epochs without input until the watermark stands. */
static enum code run_once(struct engine *self, struct error *err)
{
    for (int32_t i = 0; i < self->feed_count; i++)
        feed_fix_target(&self->feeds[i]);
    bool ran = true;
    while (ran && !runtime_stopping())
        TRY(epoch_pass(self, false, &ran, err));
    merging_finish(&self->merging, chain_oldest(self->chain));
    self->progress->worked_off = true;
    return relations_verdict(&self->relations, err);
}

static enum code run_interval(struct engine *self, struct error *err)
{
    int64_t next_us = os->clock_mono_us();
    while (!runtime_stopping()) {
        bool ran;
        TRY(discover_again(self, err));
        TRY(epoch_pass(self, false, &ran, err));
        next_us += self->settings.interval_us;
        int64_t now_us = os->clock_mono_us();
        if (next_us < now_us || self->shortened)
            next_us = now_us; // an epoch that took too long is followed at once by the next; nothing is caught up
        else if (!runtime_stopping())
            report_phase(self, "waiting");
        sleep_until(self, next_us);
    }
    return E_OK;
}

/* Short epochs do not each ask for ends: what is there comes by itself. */
static bool discover_due(const struct engine *self)
{
    return !self->prompt || os->clock_mono_us() - self->discovered_us >= DISCOVER_US;
}

static enum code run_continuous(struct engine *self, struct error *err)
{
    while (!runtime_stopping()) {
        bool ran;
        if (discover_due(self))
            TRY(discover_again(self, err));
        TRY(epoch_pass(self, true, &ran, err));
        if (!ran)
            report_phase(self, "waiting");
    }
    return E_OK;
}

static enum code run_trigger(struct engine *self, struct error *err)
{
    if (self->options->once || self->settings.trigger_kind == TRIGGER_ONCE)
        return run_once(self, err);
    return self->settings.trigger_kind == TRIGGER_INTERVAL ? run_interval(self, err) : run_continuous(self, err);
}

void progress_init(struct progress *progress, const struct pipeline *pipeline)
{
    int32_t count = pipeline->table_count;
    *progress = (struct progress){.started_us = os->clock_mono_us(), .phase = "starting"};
    progress->rate_us = progress->started_us;
    struct quarantines quarantines;
    quarantines_find(&progress->arena, pipeline, &quarantines);
    progress->table_count = count + quarantines.count;
    for (int32_t i = 0; i < count; i++)
        progress->table_count += table_keeps_late(pipeline->tables[i]);
    progress->tables = arena_array(&progress->arena, struct table_progress, (size_t)progress->table_count);
    for (int32_t i = 0; i < count; i++)
        ledger_map_init(&progress->tables[i].map, &progress->arena, pipeline, pipeline->tables[i]);
}

static void progress_free(struct progress *progress)
{
    dependencies_free(&progress->dependencies);
    disks_free(&progress->disks);
    arena_free(&progress->arena);
}

/* From recovery to the trigger's end or the next failure. */
static enum code attempt(const struct pipeline *pipeline, const struct run_options *options, struct progress *progress,
                         bool *opened, struct error *err)
{
    struct engine engine;
    TRY(engine_open(&engine, pipeline, options, progress, err));
    *opened = true;
    enum code code = run_trigger(&engine, err);
    engine_close(&engine);
    return code;
}

/* Asked to stop, and the open epoch could not be committed. */
static enum code stopped_without(struct error *err)
{
    char why[512];
    snprintf(why, sizeof why, "%s", err->text);
    return fail(err, E_STOPPED,
                "stopped as asked, but the open epoch could not be committed: %s. Nothing is lost: the next start "
                "reads it again",
                why);
}

enum code pipeline_run(const struct pipeline *pipeline, const struct run_options *options, struct error *err)
{
    struct progress progress;
    struct run_settings settings;
    progress_init(&progress, pipeline);
    bool opened = false;
    enum code code = settings_read(&progress.arena, pipeline, &settings, err);
    if (code == E_OK)
        trouble_init(&progress, &settings, options);
    while (code == E_OK) {
        code = attempt(pipeline, options, &progress, &opened, err);
        bool mistyped = !opened && code != E_FULL && code != E_BROKER; // a folder that could never be written, say
        if (code == E_OK || error_class(code) != CLASS_transient || mistyped || progress.worked_off ||
            runtime_stopping())
            break;
        code = trouble_wait(&progress, NULL, err);
    }
    if (runtime_stopping() &&
        error_class(code) == CLASS_transient) // what still fails then is no matter, but for an open epoch
        code = progress.dropped ? stopped_without(err) : E_OK;
    progress_free(&progress);
    return code;
}

/* ---- before a run ---- */

/* A leat that works on the checkpoint meanwhile is none of a plan's business. */
static enum code plan_check_folders(const struct pipeline *pipeline, const struct run_settings *settings,
                                    const struct chain *chain, struct error *err)
{
    enum code code = tables_check(pipeline, chain, settings->checkpoint, settings->tables_path, err);
    if (code != E_FENCED)
        return code;
    error_clear(err);
    return E_OK;
}

enum code pipeline_plan(const struct pipeline *pipeline, struct text *out, int32_t *lost, struct error *err)
{
    struct arena arena = {0};
    struct run_settings settings;
    struct store *store = NULL;
    struct chain *chain = NULL;
    struct chain_record head = {0};
    struct change change = {0};
    enum code code = settings_read(&arena, pipeline, &settings, err);
    if (code == E_OK)
        code = store_look(settings.checkpoint, &store, err);
    if (code == E_OK)
        code = chain_look(store, "0", &chain, err);
    if (code == E_OK && chain_head(chain) >= 0)
        code = chain_read(chain, chain_head(chain), &arena, &head, err);
    if (code == E_OK)
        change_find(&arena, pipeline, &head, &change);
    if (code == E_ABSENT || (code == E_OK && chain_head(chain) < 0)) {
        error_clear(err);
        code = E_OK;
        text_printf(out, "%s holds no commit yet: everything starts anew\n", settings.checkpoint);
    } else if (code == E_OK) {
        text_printf(out, "%s, at epoch %" PRId64 "\n\n", settings.checkpoint, head.epoch);
        change_print(&change, out);
        code = plan_check_folders(pipeline, &settings, chain, err);
    }
    if (code == E_OK)
        *lost = change.lost;
    chain_close(chain);
    store_close(store);
    arena_free(&arena);
    return code;
}

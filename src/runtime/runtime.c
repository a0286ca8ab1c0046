#include "runtime/runtime.h"

#include <inttypes.h>
#include <stdatomic.h>

#include "base/log.h"
#include "base/os.h"
#include "runtime/change.h"
#include "runtime/engine.h"
#include "runtime/quarantines.h"

enum {
    NAP_US = 50 * 1000,                    /* how long a sleep takes to notice a stop */
    BACKOFF_FIRST_US = 200 * 1000,
    BACKOFF_MAX_US = 15 * 1000 * 1000,
};

static atomic_bool stop_requested;

void runtime_stop(void) { atomic_store(&stop_requested, true); }

bool runtime_stopping(void) { return atomic_load_explicit(&stop_requested, memory_order_relaxed); }

static void sleep_until(struct engine *self, int64_t until_us)
{
    for (int64_t left_us; !runtime_stopping() && (left_us = until_us - os->clock_mono_us()) > 0;) {
        os->sleep_us(left_us < NAP_US ? left_us : NAP_US);
        if (self != NULL)
            report_status(self, false);
    }
}

/* ---- triggers ---- */

static enum code feeds_discover(struct engine *self, struct error *err)
{
    for (int32_t i = 0; i < self->feed_count; i++)
        TRY(feed_discover(&self->feeds[i], err));
    return E_OK;
}

/* Work off what was there at the start, in bounded epochs; then epochs without input until the watermark stands. */
static enum code run_once(struct engine *self, struct error *err)
{
    for (int32_t i = 0; i < self->feed_count; i++)
        feed_fix_target(&self->feeds[i]);
    bool ran = true;
    while (ran && !runtime_stopping())
        TRY(epoch_run(self, false, &ran, err));
    return E_OK;
}

static enum code run_interval(struct engine *self, struct error *err)
{
    int64_t next_us = os->clock_mono_us();
    while (!runtime_stopping()) {
        TRY(feeds_discover(self, err));
        bool ran;
        TRY(epoch_run(self, false, &ran, err));
        next_us += self->settings.interval_us;
        int64_t now_us = os->clock_mono_us();
        if (next_us < now_us)
            next_us = now_us;   // an epoch that took too long is followed at once by the next; nothing is caught up
        else if (!runtime_stopping())
            report_phase(self, "waiting");
        sleep_until(self, next_us);
    }
    return E_OK;
}

static enum code run_continuous(struct engine *self, struct error *err)
{
    while (!runtime_stopping()) {
        TRY(feeds_discover(self, err));
        bool ran;
        TRY(epoch_run(self, true, &ran, err));
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

/* ---- retries ---- */

struct retry {
    int64_t failing_since_us;   /* 0: the last attempt made progress */
    int64_t wait_us;
    int64_t epoch;              /* reached before the failure */
};

/* Exponential back-off with full jitter. False when it has gone on for too long. */
static bool retry_wait(struct retry *retry, int64_t limit_us, int64_t epoch, const struct error *err)
{
    int64_t now_us = os->clock_mono_us();
    if (retry->failing_since_us == 0 || epoch > retry->epoch)
        *retry = (struct retry){now_us, BACKOFF_FIRST_US, epoch};
    if (now_us - retry->failing_since_us > limit_us)
        return false;
    int64_t wait_us = (int64_t)(os_random() % (uint64_t)retry->wait_us) + 1;
    log_warn("%s; nothing of this epoch was committed, next attempt in %.1f s", err->text, (double)wait_us / 1e6);
    retry->wait_us = retry->wait_us * 2 < BACKOFF_MAX_US ? retry->wait_us * 2 : BACKOFF_MAX_US;
    sleep_until(NULL, now_us + wait_us);
    return true;
}

void progress_init(struct progress *progress, const struct pipeline *pipeline)
{
    int32_t count = pipeline->table_count;
    *progress = (struct progress){.started_us = os->clock_mono_us(), .phase = "starting"};
    progress->rate_us = progress->started_us;
    struct quarantines quarantines;
    quarantines_find(&progress->arena, pipeline, &quarantines);
    progress->table_count = count + quarantines.folder_count;
    for (int32_t i = 0; i < count; i++)
        progress->table_count += table_keeps_late(pipeline->tables[i]);
    progress->tables = arena_array(&progress->arena, struct table_progress, (size_t)progress->table_count);
    for (int32_t i = 0; i < count; i++)
        ledger_map_init(&progress->tables[i].map, &progress->arena, pipeline, pipeline->tables[i]);
}

enum code pipeline_run(const struct pipeline *pipeline, const struct run_options *options, struct error *err)
{
    struct progress progress;
    progress_init(&progress, pipeline);
    struct retry retry = {0};
    enum code code;
    int64_t limit_us = -1;   // known once an engine was opened: what fails before that fails at once
    for (;;) {
        struct engine engine;
        code = engine_open(&engine, pipeline, options, &progress, err);
        int64_t epoch = -1;
        if (code == E_OK) {
            limit_us = engine.settings.retry_limit_us;
            code = run_trigger(&engine, err);
            epoch = engine.epoch;
            engine_close(&engine);
        }
        if (code == E_OK || error_class(code) != CLASS_transient || runtime_stopping() || limit_us < 0)
            break;
        if (!retry_wait(&retry, limit_us, epoch, err) || runtime_stopping())
            break;
        error_clear(err);
    }
    arena_free(&progress.arena);
    return code == E_STOPPED ? E_OK : code;
}

/* ---- before a run ---- */

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
    }
    if (code == E_OK)
        *lost = change.lost;
    chain_close(chain);
    store_close(store);
    arena_free(&arena);
    return code;
}

#include "runtime/trouble.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "base/os.h"

enum {
    NAP_US = 50 * 1000,               /* how long a wait takes to notice a stop */
    TOLD_EVERY_US = 10 * 1000 * 1000, /* in the log, while a circuit is open */
    PROVED_US = 10 * 1000 * 1000,
    ANSWER_MIN_US = 1000 * 1000, /* the least and the most that one attempt waits for a broker */
    ANSWER_MAX_US = 20 * 1000 * 1000,
};

void trouble_init(struct progress *progress, const struct run_settings *settings, const struct run_options *options)
{
    bool once = options->once && settings->retry_limit == NULL;
    progress->options = options;
    progress->policy = (struct retry_policy){
        .initial_us = settings->retry_initial_us,
        .max_us = settings->retry_max_us,
        .limit_us = once ? RETRY_LIMIT_ONCE_US : settings->retry_limit_us,
        .attempts_max = (int32_t)settings->retry_attempts,
        .circuit_failures = (int32_t)settings->circuit_failures,
        .circuit_open_us = settings->circuit_open_us,
    };
}

/* ---- who is to blame ---- */

static struct disk *disk_of(const struct progress *progress, const struct error *err)
{
    if (err->code != E_IO && err->code != E_FULL)
        return NULL;
    if (err->about[0] == '/')
        return disks_find(&progress->disks, err->about);
    return err->about[0] == '\0' && progress->checkpoint != NULL ? disks_find(&progress->disks, progress->checkpoint)
                                                                 : NULL;
}

static struct dependency *blame(struct progress *progress, const struct disk *disk, const struct error *err)
{
    char name[DEPENDENCY_NAME_MAX];
    if (disk != NULL)
        snprintf(name, sizeof name, "disk %s", disk->folder);
    else if (err->code == E_MEMORY)
        snprintf(name, sizeof name, "memory");
    else
        snprintf(name, sizeof name, "%s%s", err->about[0] == '/' ? "disk " : "",
                 err->about[0] != '\0' ? err->about : "checkpoint");
    return dependency_of(&progress->dependencies, name);
}

/* ---- what the user is told ---- */

static double seconds(int64_t us) { return (double)us / 1e6; }

static void tell_failure(struct progress *progress, const struct dependency *d, int64_t now_us, bool opened)
{
    double wait_s = seconds(d->next_us - now_us);
    if (d->circuit == CIRCUIT_OPEN && !opened && now_us - progress->told_us < TOLD_EVERY_US)
        return;
    progress->told_us = now_us;
    if (opened)
        log_warn("%s; %s has failed %d times in a row: from now on it is only asked, every %.0f s at most, "
                 "until it answers; next attempt in %.1f s (attempt %d)",
                 d->error, d->name, d->failures, seconds(progress->policy.circuit_open_us), wait_s, d->failures + 1);
    else if (d->circuit == CIRCUIT_OPEN)
        log_warn("%s: still failing after %.0f s, next attempt in %.1f s (attempt %d): %s", d->name,
                 seconds(now_us - d->since_us), wait_s, d->failures + 1, d->error);
    else
        log_warn("%s; nothing of this was committed, next attempt in %.1f s (attempt %d)", d->error, wait_s,
                 d->failures + 1);
}

static void tell_works(const struct dependency *d, int64_t now_us)
{
    log_warn("%s: works again after %.1f s (%d failed attempt%s)", d->name, seconds(now_us - d->since_us), d->failures,
             d->failures == 1 ? "" : "s");
}

void trouble_list(const struct progress *progress, int64_t now_us, struct run_trouble *out, int32_t *count)
{
    *count = 0;
    for (int32_t i = 0; i < progress->dependencies.count && *count < RUN_TROUBLES_MAX; i++) {
        const struct dependency *d = &progress->dependencies.items[i];
        if (d->failures == 0)
            continue;
        out[(*count)++] = (struct run_trouble){
            .name = d->name,
            .circuit = circuit_name(d->circuit),
            .code = d->code,
            .error = d->error,
            .attempt = d->failures + 1,
            .since_us = now_us - d->since_us,
            .wait_us = d->next_us > now_us ? d->next_us - now_us : 0,
        };
    }
}

/* ---- the end of it ---- */

static const char *remedy(enum code code, const char *name)
{
    switch (code) {
    case E_BROKER:
        if (strncmp(name, "s3 ", 3) == 0)
            return "Check that the server runs and can be reached from here at the address that fs.s3a.endpoint gives";
        return "Check that the broker runs and can be reached from here at the address that the spec gives";
    case E_FULL: return "Make room on that disk";
    case E_IO: return "Check that disk: is it mounted, may leat write there, what does the kernel's log say";
    default: return "Raise leat.memory, or let an epoch read less with leat.epoch.max_records";
    }
}

static enum code give_up(struct progress *progress, const struct dependency *d, int64_t now_us, struct error *err)
{
    char why[sizeof d->error];
    progress->gave_up = true;
    if (err->code == E_ABSENT) // says itself what to do
        return err->code;
    snprintf(why, sizeof why, "%s", d->error);
    return fail(err, d->code,
                "%s. leat gave up after %d attempt%s in %.0f s; leat.retry.limit says how long it tries. Nothing is "
                "lost: the next start goes on where the last commit stands. %s",
                why, d->failures, d->failures == 1 ? "" : "s", seconds(now_us - d->since_us), remedy(d->code, d->name));
}

/* ---- waiting ---- */

static enum code wait_for_turn(struct progress *progress, struct engine *engine, struct dependency *d,
                               struct error *err)
{
    progress_phase(progress, engine, "retrying");
    while (!dependency_try(d, os->clock_mono_us())) {
        if (runtime_stopping())
            return fail(err, E_STOPPED, "asked to stop");
        int64_t left_us = d->next_us - os->clock_mono_us();
        if (left_us > 0)
            os->sleep_us(left_us < NAP_US ? left_us : NAP_US);
        progress_status(progress, engine, false);
    }
    progress_status(progress, engine, true);
    return E_OK;
}

enum code trouble_wait(struct progress *progress, struct engine *engine, struct error *err)
{
    enum code code = err->code;
    while (code != E_OK) {
        if (code == E_STOPPED || error_class(code) != CLASS_transient || progress->gave_up)
            return code;
        struct disk *disk = disk_of(progress, err);
        struct dependency *d = blame(progress, disk, err);
        d->asked_us = progress->asked_us;
        progress->asked_us = 0;
        bool was_open = d->circuit != CIRCUIT_CLOSED;
        int64_t now_us = os->clock_mono_us();
        enum retry_verdict verdict = dependency_failed(d, &progress->policy, now_us, os_random(), err);
        if (verdict == RETRY_NEVER)
            return code;
        if (verdict == RETRY_GIVE_UP)
            return give_up(progress, d, now_us, err);
        if (code == E_FULL && disk != NULL)
            disk_was_full(disk);
        tell_failure(progress, d, now_us, d->circuit == CIRCUIT_OPEN && !was_open);
        error_clear(err);
        TRY(wait_for_turn(progress, engine, d, err));
        code = disk != NULL ? disk_probe(disk, err) : E_OK;
    }
    progress->attempt_us = os->clock_mono_us();
    return E_OK;
}

int64_t trouble_wait_us(const struct progress *progress)
{
    static const struct dependency sound;
    int64_t now_us = os->clock_mono_us();
    int64_t wait_us = dependency_wait_us(&sound, &progress->policy, now_us, ANSWER_MIN_US, ANSWER_MAX_US);
    for (int32_t i = 0; i < progress->dependencies.count; i++) {
        const struct dependency *d = &progress->dependencies.items[i];
        int64_t left_us = dependency_wait_us(d, &progress->policy, now_us, ANSWER_MIN_US, ANSWER_MAX_US);
        wait_us = left_us < wait_us ? left_us : wait_us;
    }
    return wait_us;
}

static void works_since(struct progress *progress, struct engine *engine, int64_t since_us)
{
    bool any = false;
    for (int32_t i = 0; i < progress->dependencies.count; i++) {
        struct dependency *d = &progress->dependencies.items[i];
        if (d->failures == 0 || d->since_us < since_us)
            continue;
        tell_works(d, os->clock_mono_us());
        dependency_worked(d);
        any = true;
    }
    if (any)
        progress_phase(progress, engine, "reading");
}

void trouble_passed(struct progress *progress, bool ran)
{
    if (ran || os->clock_mono_us() - progress->attempt_us >= PROVED_US)
        works_since(progress, NULL, INT64_MIN);
}

/* ---- sources are asked with patience ---- */

/* A topic that stays away was read before, or its name is wrong. */
static enum code discover_failed(const struct feed *feed, enum code code, struct error *err)
{
    if (code == E_ABSENT)
        err->code = code = feed->ranges.count > 0 ? E_LOST : E_SPEC;
    return code;
}

/* While no broker answers nobody knows whether a topic is there: what was said about that no longer counts. */
static void absence_forget(struct progress *progress, const struct feed *feed, const struct error *err)
{
    char name[DEPENDENCY_NAME_MAX];
    snprintf(name, sizeof name, "source %s", feed->source->name);
    if (err->code == E_BROKER)
        dependency_worked(dependency_of(&progress->dependencies, name));
}

enum code engine_discover(struct engine *self, struct error *err)
{
    for (int32_t i = 0; i < self->feed_count; i++) {
        int64_t begun_us = os->clock_mono_us();
        while (feed_discover(&self->feeds[i], err) != E_OK) {
            absence_forget(self->progress, &self->feeds[i], err);
            enum code code = trouble_wait(self->progress, self, err);
            if (code != E_OK)
                return discover_failed(&self->feeds[i], code, err);
        }
        works_since(self->progress, self, begun_us);
    }
    return E_OK;
}

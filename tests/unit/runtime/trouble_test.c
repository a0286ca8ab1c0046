#include "runtime/trouble.h"

#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "base/os.h"
#include "kit.h"

/* A clock that only sleeping moves, and a disk that is full until `room_us`. */
enum { SECOND = 1000 * 1000, MIB = 1 << 20 };
static int64_t now_us, room_us;
static int asked;
static struct os fake;

static int64_t fake_clock(void) { return now_us; }

static void fake_sleep(int64_t wait_us) { now_us += wait_us; }

static enum code fake_free(const char *path, int64_t *out, struct error *err)
{
    (void)path;
    (void)err;
    asked++;
    *out = now_us < room_us ? 0 : 100 * MIB;
    return E_OK;
}

/* What the observer was told. */
static struct {
    int calls, opened;
    int64_t gap_us, last_us; /* longest time between two calls */
    struct run_status last;
    struct run_trouble trouble;
} told;

static void on_status(void *context, const struct run_status *status)
{
    (void)context;
    if (told.calls++ > 0 && now_us - told.last_us > told.gap_us)
        told.gap_us = now_us - told.last_us;
    told.last_us = now_us;
    told.last = *status;
    if (status->trouble_count == 0)
        return;
    told.trouble = status->troubles[0];
    told.opened += strcmp(told.trouble.circuit, "open") == 0;
}

static const struct run_observer observer = {.status = on_status};
static const struct run_options options = {.observer = &observer};

static void progress_begin(struct progress *progress, const char *limit, int64_t limit_us)
{
    const struct run_settings settings = {
        .retry_initial_us = SECOND / 5,
        .retry_max_us = 5 * SECOND,
        .retry_limit = limit,
        .retry_limit_us = limit_us,
        .circuit_failures = 5,
        .circuit_open_us = 5 * SECOND,
    };
    now_us = 1000;
    asked = 0;
    memset(&told, 0, sizeof told);
    fake = *os_system();
    fake.clock_mono_us = fake_clock;
    fake.sleep_us = fake_sleep;
    fake.free_bytes = fake_free;
    os_install(&fake);
    log_set_level(LOG_LEVEL_ERROR);
    *progress = (struct progress){.phase = "reading"};
    trouble_init(progress, &settings, &options);
}

static void progress_end(struct progress *progress)
{
    os_install(NULL);
    log_set_level(LOG_LEVEL_WARN);
    dependencies_free(&progress->dependencies);
    disks_free(&progress->disks);
    arena_free(&progress->arena);
}

static enum code full(const char *folder, struct error *err)
{
    fail(err, E_FULL, "write: No space left on device");
    return error_about(err, "%s/gold", folder);
}

TEST(trouble_waits_for_room_and_tells)
{
    struct progress progress;
    struct error err = {0};
    char folder[256], name[300];
    progress_begin(&progress, "never", 0);
    snprintf(folder, sizeof folder, "%s", kit_tmpdir());
    disks_add(&progress.disks, &progress.arena, folder);
    room_us = 60 * SECOND;
    full(folder, &err);
    CHECK_INT(trouble_wait(&progress, NULL, &err), E_OK);
    CHECK(now_us >= room_us && now_us <= room_us + 5 * SECOND);
    CHECK(asked < 80); // cheap, and few: two looks at the disk an attempt
    CHECK(told.opened > 0);
    CHECK(told.gap_us <= SECOND / 5);
    snprintf(name, sizeof name, "disk %s", folder);
    CHECK_STR(told.trouble.name, name);
    CHECK_STR(told.trouble.circuit, "half-open");
    CHECK_STR(told.last.phase, "retrying");
    trouble_passed(&progress, false); // nothing was to do: that proves nothing yet
    CHECK_INT(progress.dependencies.items[0].failures > 0, 1);
    trouble_passed(&progress, true);
    CHECK_INT(progress.dependencies.items[0].failures, 0);
    CHECK_INT(told.last.trouble_count, 0);
    CHECK_STR(told.last.phase, "reading");
    progress_end(&progress);
}

TEST(trouble_is_over_when_nothing_fails_for_long)
{
    struct progress progress;
    struct error err = {0};
    progress_begin(&progress, "never", 0);
    fail(&err, E_BROKER, "no answer");
    error_about(&err, "kafka b:1");
    CHECK_INT(trouble_wait(&progress, NULL, &err), E_OK);
    CHECK_STR(told.trouble.name, "kafka b:1");
    CHECK_INT(told.trouble.attempt, 2);
    now_us += 60 * (int64_t)SECOND;
    trouble_passed(&progress, false);
    CHECK_INT(told.last.trouble_count, 0);
    progress_end(&progress);
}

TEST(trouble_gives_up_once_and_says_what_to_do)
{
    struct progress progress;
    struct error err = {0};
    progress_begin(&progress, "10 seconds", 10 * SECOND);
    enum code code = E_OK;
    int attempts = 0;
    while (code == E_OK && ++attempts < 1000) {
        fail(&err, E_BROKER, "no answer");
        error_about(&err, "kafka b:1");
        code = trouble_wait(&progress, NULL, &err);
    }
    CHECK_INT(code, E_BROKER);
    CHECK_INT(now_us, 1000 + 10 * SECOND);
    CHECK(strstr(err.text, "no answer. leat gave up after") != NULL && strstr(err.text, "in 10 s") != NULL);
    CHECK(strstr(err.text, "leat.retry.limit") != NULL && strstr(err.text, "Check that the broker runs") != NULL);
    char text[sizeof err.text];
    memcpy(text, err.text, sizeof text);
    CHECK_INT(trouble_wait(&progress, NULL, &err), E_BROKER); // on its way out nobody begins anew
    CHECK_STR(err.text, text);
    progress_end(&progress);
}

TEST(trouble_leaves_alone_what_waiting_cannot_mend)
{
    static const enum code codes[] = {E_STOPPED, E_SPEC, E_LOST, E_FENCED, E_EXISTS, E_BUG};
    for (size_t i = 0; i < sizeof codes / sizeof codes[0]; i++) {
        struct progress progress;
        struct error err = {0};
        progress_begin(&progress, "never", 0);
        fail(&err, codes[i], "so it is");
        CHECK_INT(trouble_wait(&progress, NULL, &err), codes[i]);
        CHECK_STR(err.text, "so it is");
        CHECK_INT(now_us, 1000);
        progress_end(&progress);
    }
}

/* sim_main.c - sim [SEEDS]: many worlds, one after the other.
 *
 *   sim 10000                seeds 1 to 10000; or SIM_SEEDS=10000
 *   sim calls                fail every single call of a scenario, in every way (sim_calls.h)
 *   SIM_SEED=42 sim          this one alone, with its story; SIM_TRACE=1 prints every call
 *   SIM_TEMPLATE=join sim    only this pipeline
 *
 * Every REPEAT_EVERYth seed runs twice: both must be the same, call for call.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/log.h"
#include "base/os.h"
#include "sim_calls.h"
#include "sim_world.h"

enum { SEEDS_DEFAULT = 300, REPEAT_EVERY = 10, PROGRESS_EVERY = 500, FAILURES_SHOWN = 10 };

struct totals {
    int64_t seeds, failed, repeated, calls, rows, deaths, power_losses, failing, zombies, losses;
};

static uint64_t number_of(const char *name, uint64_t otherwise)
{
    const char *text = os_env(name);
    return text != NULL && *text != '\0' ? strtoull(text, NULL, 10) : otherwise;
}

static void failure_print(uint64_t seed, const struct sim_outcome *outcome)
{
    printf("seed %" PRIu64 " (%s): %s\n%s  repeat it: SIM_SEED=%" PRIu64 " sim\n", seed, outcome->template,
           outcome->wrong.data, outcome->story.data != NULL ? outcome->story.data : "", seed);
    fflush(stdout);
}

/* The same seed must give the same calls with the same answers. */
static void repeat(uint64_t seed, struct sim_outcome *outcome)
{
    struct sim_outcome again;
    world_run(seed, os_env("SIM_TEMPLATE"), &again);
    if (again.trace != outcome->trace && outcome->wrong.size == 0)
        text_printf(&outcome->wrong, "two runs differ: trace %016" PRIx64 ", then %016" PRIx64, outcome->trace,
                    again.trace);
    outcome_free(&again);
}

static void seed_run(uint64_t seed, bool alone, struct totals *totals)
{
    struct sim_outcome outcome;
    world_run(seed, os_env("SIM_TEMPLATE"), &outcome);
    if (alone || seed % REPEAT_EVERY == 0) {
        repeat(seed, &outcome);
        totals->repeated++;
    }
    totals->seeds++;
    totals->failed += outcome.wrong.size > 0;
    totals->calls += outcome.calls;
    totals->rows += outcome.rows;
    totals->deaths += outcome.deaths;
    totals->power_losses += outcome.power_losses;
    totals->failing += outcome.failing;
    totals->zombies += outcome.zombies;
    totals->losses += outcome.losses;
    if (outcome.wrong.size > 0 && totals->failed <= FAILURES_SHOWN)
        failure_print(seed, &outcome);
    else if (alone)
        printf("seed %" PRIu64 " (%s): well\n%strace %016" PRIx64 "\n", seed, outcome.template,
               outcome.story.data != NULL ? outcome.story.data : "", outcome.trace);
    outcome_free(&outcome);
}

static void totals_print(const struct totals *totals, int64_t elapsed_us)
{
    printf("%" PRId64 " seeds, %" PRId64 " of them twice: %" PRId64 " deaths, %" PRId64 " with power loss, %" PRId64
           " processes with failing calls, %" PRId64 " zombies, %" PRId64 " losses of input; %" PRId64
           " calls, %" PRId64 " rows, %.1f s\n",
           totals->seeds, totals->repeated, totals->deaths, totals->power_losses, totals->failing, totals->zombies,
           totals->losses, totals->calls, totals->rows, (double)elapsed_us / 1e6);
    printf("%" PRId64 " passed, %" PRId64 " failed\n", totals->seeds - totals->failed, totals->failed);
}

static int every_call(void)
{
    struct calls_report report = {0};
    calls_run(&report);
    calls_print(&report);
    printf("%" PRId64 " passed, %" PRId64 " failed\n", report.runs - report.wrong, report.wrong);
    text_free(&report.text);
    return report.wrong > 0;
}

int main(int count, char **arguments)
{
    struct totals totals = {0};
    int64_t begun_us = os->clock_mono_us();
    uint64_t one = number_of("SIM_SEED", 0), first = number_of("SIM_FIRST", 1);
    uint64_t seeds = count > 1 ? strtoull(arguments[1], NULL, 10) : number_of("SIM_SEEDS", SEEDS_DEFAULT);
    log_set_level(LOG_LEVEL_ERROR);
    if (count > 1 && strcmp(arguments[1], "calls") == 0)
        return every_call();
    if (one > 0) {
        seed_run(one, true, &totals);
    } else {
        for (uint64_t seed = first; seed < first + seeds; seed++) {
            seed_run(seed, false, &totals);
            if (totals.seeds % PROGRESS_EVERY == 0)
                fprintf(stderr, "sim: %" PRId64 " of %" PRIu64 " seeds, %" PRId64 " failed\n", totals.seeds, seeds,
                        totals.failed);
        }
    }
    totals_print(&totals, os->clock_mono_us() - begun_us);
    return totals.failed > 0;
}

#include "sim_calls.h"

#include <inttypes.h>
#include <stdio.h>

#include "sim_world.h"

enum { TEMPLATES_MAX = 3, SHOWN_MAX = 10 };

/* Between them they have every kind of file: several tables and formats, folders, a quarantine, state of two stages. */
static const char *const scenarios[TEMPLATES_MAX] = {"formats", "quarantine", "medallion"};

static void wrong_add(struct calls_report *report, const char *scenario, int64_t k, enum sim_failure failure,
                      const struct sim_outcome *outcome)
{
    if (report->wrong++ < SHOWN_MAX)
        text_printf(&report->text, "%s, call %" PRId64 " fails with %s: %s\n", scenario, k, sim_failure_name(failure),
                    outcome->wrong.data);
}

static struct single_failure call_fail(struct calls_report *report, const char *scenario, int64_t k,
                                       enum sim_failure failure)
{
    struct sim_outcome outcome;
    struct single_failure single = {.fail_at = k, .failure = failure};
    world_run_failing(scenario, &single, &outcome);
    report->runs++;
    if (single.reached) {
        report->failures++;
        report->failed[single.call][single.place][failure]++;
    }
    if (outcome.wrong.size > 0)
        wrong_add(report, scenario, k, failure, &outcome);
    outcome_free(&outcome);
    return single;
}

/* Any call can fail with EIO: that tells which one it is, and how else it can fail. */
void calls_run(struct calls_report *report)
{
    for (int32_t s = 0; s < TEMPLATES_MAX; s++)
        for (int64_t k = 1;; k++) {
            struct single_failure first = call_fail(report, scenarios[s], k, SIM_FAIL_EIO);
            if (!first.reached)
                break;
            for (int failure = SIM_FAIL_EIO + 1; failure < SIM_FAILURE_COUNT; failure++)
                if (sim_can_fail(first.call, (enum sim_failure)failure))
                    (void)call_fail(report, scenarios[s], k, (enum sim_failure)failure);
        }
}

void calls_print(const struct calls_report *report)
{
    printf("%-12s %-18s", "call", "on");
    for (int failure = SIM_FAIL_NONE + 1; failure < SIM_FAILURE_COUNT; failure++)
        printf(" %11s", sim_failure_name((enum sim_failure)failure));
    printf("\n");
    for (int call = 0; call < SIM_CALL_COUNT; call++)
        for (int place = 0; place < SIM_PLACE_COUNT; place++) {
            const int64_t *failed = report->failed[call][place];
            int64_t sum = 0;
            for (int failure = 0; failure < SIM_FAILURE_COUNT; failure++)
                sum += failed[failure];
            if (sum == 0)
                continue;
            printf("%-12s %-18s", sim_call_name((enum sim_call)call), sim_place_name((enum sim_place)place));
            for (int failure = SIM_FAIL_NONE + 1; failure < SIM_FAILURE_COUNT; failure++)
                printf(" %11" PRId64, failed[failure]);
            printf("\n");
        }
    printf("%" PRId64 " runs, %" PRId64 " calls were made to fail\n", report->runs, report->failures);
    if (report->wrong > 0)
        printf("%s", report->text.data);
}

#include "sim_world.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

#include "runtime/runtime.h"
#include "sim_project.h"
#include "sim_transaction.h"
#include "sim_witness.h"

enum { TROUBLES_MAX = 5 /* per phase */, KIND_RUNS_MAX = 20, LOSS_ONE_IN = 20 };

#define GRACE_US ((int64_t)3600 * 1000000)

struct world {
    uint64_t seed;
    struct sim *sim;
    struct sim_broker broker;
    struct sim_transactions transactions;
    struct sim_project *project;
    struct witness witness;
    struct run_options options;
    struct sim_chance chance; /* of troubles */
    int64_t calm_calls;       /* about as many as a process makes */
    int32_t released;         /* phases */
    struct sim_outcome *out;
};
/* One run of a pipeline, as one process. */
struct run {
    struct world *world;
    enum code code;
    struct error err;
};

static void tell(struct world *world, const char *format, ...) PRINTF(2, 3);
static void tell(struct world *world, const char *format, ...)
{
    char line[1200];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(line, sizeof line, format, arguments);
    va_end(arguments);
    sim_note(world->sim, "%s", line);
    text_printf(&world->out->story, "  %s\n", line);
}

/* ---- life of a world ---- */

static void world_open(struct world *world, uint64_t seed, struct sim_project *project, struct sim_outcome *out)
{
    *world = (struct world){.seed = seed, .project = project, .out = out, .chance = chance_of(seed, 5)};
    struct sim_hooks hooks = witness_hooks(&world->witness);
    const struct sim_plan kind = {0};
    witness_init(&world->witness);
    world->sim = sim_new(seed, &hooks);
    world->witness.sim = world->sim;
    sim_install(world->sim);
    sim_process_begin(world->sim, &kind);
    broker_init(&world->broker, world->sim, seed);
    project_topics(project, &world->broker);
    broker_install(&world->broker);
    transactions_init(&world->transactions, world->sim, seed);
    world->transactions.visible = witness_message;
    world->transactions.context = &world->witness;
    transactions_use(&world->transactions);
    world->options = (struct run_options){.once = true, .inline_workers = true};
}

static void world_close(struct world *world)
{
    broker_install(NULL);
    broker_close(&world->broker);
    transactions_use(NULL);
    transactions_close(&world->transactions);
    witness_close(&world->witness);
    sim_free(world->sim);
}

static void phase_release(struct world *world, bool slowly)
{
    project_release(world->project, &world->broker, world->released++, slowly);
}

static bool all_is_read(const struct world *world)
{
    for (int32_t t = 0; t < world->broker.topic_count; t++) {
        const struct sim_topic *topic = &world->broker.topics[t];
        for (int32_t p = 0; p < topic->partition_count; p++)
            if (witness_next(&world->witness, topic->name, p) < topic->partitions[p].next)
                return false;
    }
    return true;
}

/* ---- running ---- */

static void run_pipeline(void *argument)
{
    struct run *run = argument;
    struct world *world = run->world;
    world->options.session = &world->project->pipeline->session;
    run->err = (struct error){0};
    run->code = pipeline_run(world->project->pipeline, &world->options, &run->err);
}

static struct run run_planned(struct world *world, const struct sim_plan *plan)
{
    struct run run = {.world = world};
    sim_process_begin(world->sim, plan);
    run_pipeline(&run);
    return run;
}

/* How a process may end that met trouble. */
static void run_judge(struct world *world, const struct run *run, bool died, const char *who)
{
    tell(world, "%s: %s after %" PRId64 " calls%s%s", who,
         died                ? "died"
         : run->code == E_OK ? "done"
                             : code_name(run->code),
         sim_process_calls(world->sim), run->code == E_OK || died ? "" : ": ",
         run->code == E_OK || died ? "" : run->err.text);
    if (died || run->code == E_OK || error_class(run->code) == CLASS_transient)
        return;
    if (run->code == E_FENCED && who[0] == 'z')
        return;
    witness_wrong(&world->witness, "%s stops with %s: %s", who, code_name(run->code), run->err.text);
}

/* ---- trouble ---- */

static int64_t any_call(struct world *world) { return chance_between(&world->chance, 1, world->calm_calls + 20); }

static enum sim_failure outage_failure(struct world *world)
{
    return chance_one_in(&world->chance, 2) ? SIM_FAIL_ENOSPC : SIM_FAIL_EIO;
}

static void plan_errors(struct world *world, struct sim_plan *plan)
{
    switch (chance_below(&world->chance, 3)) {
    case 0: plan->fail_one_in = (int32_t)chance_between(&world->chance, 5, 200); break;
    case 1:
        plan->outage_from = any_call(world);
        plan->outage_to = plan->outage_from + any_call(world);
        plan->outage = outage_failure(world);
        break;
    default:
        plan->fail_at = any_call(world);
        plan->failure = (enum sim_failure)chance_between(&world->chance, 1, SIM_FAILURE_COUNT - 1);
    }
}

/* Anywhere, or around a commit: between the record of one epoch and the next one's most orders matter. */
static void plan_death(struct world *world, struct sim_plan *plan)
{
    if (chance_one_in(&world->chance, 2)) {
        plan->die_at = any_call(world);
    } else {
        plan->die_at_record = chance_between(&world->chance, 1, 2);
        plan->die_later = chance_between(&world->chance, 0, 24);
    }
    plan->die_after = chance_one_in(&world->chance, 2);
}

static void plan_print(const struct sim_plan *plan, char *out, size_t size)
{
    snprintf(out, size,
             "die %s%" PRId64 " or %" PRId64 " after record %" PRId64 ", freeze %" PRId64 ", fail %" PRId64
             " %s, one in %d, outage [%" PRId64 ", %" PRId64 ")",
             plan->die_after ? "after " : "", plan->die_at, plan->die_later, plan->die_at_record, plan->freeze_at,
             plan->fail_at, sim_failure_name(plan->failure), plan->fail_one_in, plan->outage_from, plan->outage_to);
}

static struct sim_plan plan_choose(struct world *world)
{
    char text[200];
    struct sim_plan plan = {0};
    if (chance_one_in(&world->chance, 2))
        plan_errors(world, &plan);
    if (plan.fail_one_in + plan.outage_to + plan.fail_at == 0 || chance_one_in(&world->chance, 3))
        plan_death(world, &plan);
    world->out->failing += plan.fail_one_in + plan.outage_to + plan.fail_at > 0;
    plan_print(&plan, text, sizeof text);
    tell(world, "plan: %s", text);
    return plan;
}

static void after_death(struct world *world)
{
    world->out->deaths++;
    if (!chance_one_in(&world->chance, 2))
        return;
    world->out->power_losses++;
    tell(world, "the power is gone");
    sim_power_loss(world->sim);
    witness_look_again(&world->witness);
}

static void trouble_run(struct world *world, const char *who)
{
    struct sim_plan plan = plan_choose(world);
    struct run run = run_planned(world, &plan);
    bool died = sim_process_died(world->sim);
    run_judge(world, &run, died, who);
    if (died)
        after_death(world);
}

/* One process freezes and its locks are lost; another takes over; then the first goes on. */
static void zombie_run(struct world *world)
{
    const struct sim_plan plan = {.freeze_at = any_call(world)}, kind = {0};
    struct run zombie = {.world = world};
    world->out->zombies++;
    bool froze = sim_zombie_run(world->sim, &plan, run_pipeline, &zombie);
    if (!froze) {
        run_judge(world, &zombie, false, "the process that was to freeze");
        return;
    }
    tell(world, "a process freezes at call %" PRId64 " and loses its locks", plan.freeze_at);
    sim_locks_release(world->sim);
    int64_t others = chance_between(&world->chance, 1, 2);
    for (int64_t i = 0; i < others; i++) {
        const struct sim_plan other = chance_one_in(&world->chance, 3) ? plan_choose(world) : kind;
        struct run run = run_planned(world, &other);
        run_judge(world, &run, sim_process_died(world->sim), "successor");
        sim_locks_release(world->sim);
    }
    sim_zombie_resume(world->sim, &kind);
    run_judge(world, &zombie, false, "zombie");
    sim_locks_release(world->sim);
}

/* Without trouble it has to finish: all read, and once more to tidy up after what came before. */
static bool kind_run(struct world *world)
{
    const struct sim_plan kind = {0};
    for (int i = 0; i < KIND_RUNS_MAX && world->witness.wrong.size == 0; i++) {
        struct run run = run_planned(world, &kind);
        if (run.code != E_OK) {
            witness_wrong(&world->witness, "a process without trouble ends with %s: %s", code_name(run.code),
                          run.err.text);
            return false;
        }
        if (all_is_read(world))
            return true;
        os->sleep_us(100 * 1000);
    }
    witness_wrong(&world->witness, "the input is not read after %d runs without trouble", KIND_RUNS_MAX);
    return false;
}

/* ---- input that is gone ---- */

/* A partition of which not all is read yet, or NULL. */
static struct sim_partition *unread_partition(struct world *world, int64_t *next)
{
    struct sim_topic *topic = &world->broker.topics[0];
    for (int32_t p = 0; p < topic->partition_count; p++) {
        *next = witness_next(&world->witness, topic->name, p);
        if (*next > 0 && topic->partitions[p].next > *next + 1)
            return &topic->partitions[p];
    }
    return NULL;
}

/* Takes input away; false when nothing is there to take. */
static bool input_lose(struct world *world)
{
    struct sim_topic *topic = &world->broker.topics[0];
    int64_t next;
    struct sim_partition *partition = unread_partition(world, &next);
    if (partition == NULL)
        return false;
    switch (chance_below(&world->chance, 3)) {
    case 0:
        tell(world, "retention overtakes the reader");
        broker_retain_from(partition, next + 1);
        break;
    case 1:
        tell(world, "an unclean leader has less than was read");
        broker_cut(partition, next - 1);
        break;
    default: tell(world, "the topic is made anew"); broker_recreate(topic);
    }
    return true;
}

/* It must stop and say so; what was committed before stays as it is. */
static bool loss_run(struct world *world)
{
    const struct sim_plan kind = {0};
    if (!input_lose(world))
        return false;
    world->out->losses++;
    struct run run = run_planned(world, &kind);
    tell(world, "then: %s", run.err.text);
    if (run.code != E_LOST)
        witness_wrong(&world->witness, "input is gone, and the process ends with %s: %s",
                      run.code == E_OK ? "success" : code_name(run.code), run.err.text);
    return true;
}

/* ---- one seed ---- */

static bool calm_run(struct world *world)
{
    struct error err = {0};
    if (project_write(world->project, &err) != E_OK || project_compile(world->project, &err) != E_OK) {
        witness_wrong(&world->witness, "the project: %s", err.text);
        return false;
    }
    const struct sim_plan kind = {0};
    sim_process_begin(world->sim, &kind);
    int64_t before = sim_calls_all(world->sim);
    for (int32_t phase = 0; phase < world->project->phases; phase++) {
        phase_release(world, false);
        if (!kind_run(world))
            return false;
    }
    world->calm_calls = (sim_calls_all(world->sim) - before) / world->project->phases;
    witness_finish(&world->witness, true);
    return world->witness.wrong.size == 0;
}

static void troubled_run(struct world *world)
{
    struct error err = {0};
    bool loses = chance_one_in(&world->chance, LOSS_ONE_IN);
    if (project_write(world->project, &err) != E_OK)
        witness_wrong(&world->witness, "the project: %s", err.text);
    sim_locks_release(world->sim);
    for (int32_t phase = 0; phase < world->project->phases; phase++) {
        phase_release(world, chance_one_in(&world->chance, 2));
        int64_t troubles = chance_between(&world->chance, 0, TROUBLES_MAX);
        for (int64_t i = 0; i < troubles && world->witness.wrong.size == 0; i++)
            if (chance_one_in(&world->chance, 6))
                zombie_run(world);
            else
                trouble_run(world, "a process");
        if (world->witness.wrong.size > 0 || (loses && loss_run(world)) || !kind_run(world))
            return;
    }
    os->sleep_us(GRACE_US); // what may be another's is left alone for so long
    if (!kind_run(world))
        return;
    witness_finish(&world->witness, true);
}

static void outcome_take(struct world *world, struct sim_outcome *out)
{
    out->trace = sim_trace(world->sim);
    out->calls += sim_calls_all(world->sim);
    out->rows = witness_rows(&world->witness);
    out->epochs = world->witness.record_count;
    if (world->witness.wrong.size > 0)
        text_add(&out->wrong, world->witness.wrong.data, world->witness.wrong.size);
}

void world_run(uint64_t seed, const char *template, struct sim_outcome *out)
{
    struct sim_project project;
    struct world calm, world;
    *out = (struct sim_outcome){0};
    project_choose(&project, seed, template);
    out->template = project.name;
    world_open(&calm, seed, &project, out);
    bool fine = calm_run(&calm);
    outcome_take(&calm, out);
    sim_install(NULL);
    broker_install(NULL);
    if (fine) {
        world_open(&world, seed, &project, out);
        world.calm_calls = calm.calm_calls;
        witness_expect(&world.witness, &calm.witness);
        troubled_run(&world);
        outcome_take(&world, out);
        world_close(&world);
    }
    world_close(&calm);
    project_close(&project);
}

/* ---- one call ---- */

/* A process for each phase; the one that makes call number fail_at meets the failure, and after it all is well again. */
static void failing_runs(struct world *world, struct single_failure *single)
{
    for (int32_t i = 0; i < world->project->phases; i++) {
        const struct sim_plan plan = {.fail_at = single->reached ? 0 : single->fail_at - single->calls,
                                      .failure = single->failure};
        phase_release(world, false);
        struct run run = run_planned(world, &plan);
        single->calls += sim_process_calls(world->sim);
        run_judge(world, &run, false, "a process");
        if (!single->reached)
            single->reached = sim_process_failed(world->sim, &single->call, &single->place);
        if (world->witness.wrong.size > 0 || (single->reached && !kind_run(world)))
            return;
    }
}

void world_run_failing(const char *template, struct single_failure *single, struct sim_outcome *out)
{
    struct sim_project project;
    struct world calm, world;
    struct error err = {0};
    uint64_t seed = 1;
    *out = (struct sim_outcome){0};
    for (project_choose(&project, seed, template); project.phases != 2; project_choose(&project, ++seed, template))
        project_close(&project);
    world_open(&calm, seed, &project, out);
    bool fine = calm_run(&calm);
    outcome_take(&calm, out);
    world_open(&world, seed, &project, out);
    witness_expect(&world.witness, &calm.witness);
    if (fine && project_write(&project, &err) == E_OK) {
        failing_runs(&world, single);
        os->sleep_us(GRACE_US);
        if (world.witness.wrong.size == 0 && kind_run(&world))
            witness_finish(&world.witness, true);
        outcome_take(&world, out);
    }
    world_close(&world);
    world_close(&calm);
    project_close(&project);
}

void outcome_free(struct sim_outcome *outcome)
{
    text_free(&outcome->wrong);
    text_free(&outcome->story);
    *outcome = (struct sim_outcome){0};
}

/* sim_world.h - one seed: a pipeline is run once without trouble, and once more with all the trouble that the seed holds;
 * the tables must be the same.
 *
 * Trouble  a process dies at a call, the power goes, calls fail singly, by chance or for a while, one freezes, another
 *          takes over, and the first goes on. After at most TROUBLES_MAX of them per phase the world is kind, and the
 *          pipeline has to finish
 * Loss     in one of LOSS_ONE_IN worlds input is gone before it was read: then the pipeline must stop with E_LOST
 * Thread   one world at a time
 */
#ifndef SIM_WORLD_H
#define SIM_WORLD_H

#include "base/bytes.h"
#include "sim_os.h"

struct sim_outcome {
    const char *template;
    struct text wrong; /* empty: all is well */
    struct text story; /* what happened, a line each */
    uint64_t trace;    /* the same for the same seed */
    int64_t calls, rows, epochs;
    int32_t deaths, power_losses, failing, zombies, losses;
};
void world_run(uint64_t seed, const char *template, struct sim_outcome *out);
/* The same scenario every time, in which one call fails. */
struct single_failure {
    int64_t fail_at; /* counted over the processes of the scenario, which all start, read and commit */
    enum sim_failure failure;
    bool reached;       /* out: it was a call that can fail so.. */
    enum sim_call call; /* ..this one */
    enum sim_place place;
    int64_t calls; /* out: of these processes */
};
void world_run_failing(const char *template, struct single_failure *single, struct sim_outcome *out);
void outcome_free(struct sim_outcome *outcome);

#endif

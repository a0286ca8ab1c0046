/* sim_os.h - struct os over a simulated disk: a clock that only the program's own doings advance, chance from a seed,
 * processes that die, freeze or meet errors at a call that is chosen beforehand.
 *
 * Calls    every call of struct os that touches the disk counts, from 1, per process; a plan says what happens at which.
 *          The source and the broker are simulated beside it and count as calls too (sim_call)
 * Death    is told to the program as an error of every further call, which does nothing: so it unwinds, frees its memory,
 *          and the world sees nothing of that. Its locks are gone and its open files too
 * Freeze   the process stops inside a call, another one runs, and it goes on later: a zombie. One of them runs at a time,
 *          handed over under a lock, so that two runs of one seed are the same
 * Trace    a hash over all calls, what they touched and how they ended; SIM_TRACE=1 in the environment prints them
 * Owns     one simulation at a time is installed
 * Thread   whoever the hand-over says
 */
#ifndef SIM_OS_H
#define SIM_OS_H

#include "base/os.h"
#include "sim_disk.h"

#define SIM_CALLS(X) /* call, name, changes something */ \
    X(OPEN, "open", true)                                \
    X(READ, "read", false)                               \
    X(WRITE, "write", true)                              \
    X(SYNC, "sync", true)                                \
    X(CLOSE, "close", false)                             \
    X(FOLDER_SYNC, "sync folder", true)                  \
    X(FOLDER_MAKE, "make folder", true)                  \
    X(LINK, "link", true)                                \
    X(RENAME, "rename", true)                            \
    X(RENAME_OVER, "rename over", true)                  \
    X(REMOVE, "remove", true)                            \
    X(STAT, "stat", false)                               \
    X(LIST, "list", false)                               \
    X(LOCK, "lock", true)                                \
    X(FETCH, "fetch", false)                             \
    X(BROKER, "broker", true)
enum sim_call {
#define X(call, name, changes) SIM_##call,
    SIM_CALLS(X)
#undef X
        SIM_CALL_COUNT
};
const char *sim_call_name(enum sim_call call);
bool sim_call_changes(enum sim_call call);

#define SIM_FAILURES(X) /* failure, name */                                                          \
    X(NONE, "none")                                                                                  \
    X(EIO, "EIO")          /* not done */                                                            \
    X(ENOSPC, "ENOSPC")    /* not done; a write is done in part */                                   \
    X(EINTR, "EINTR")      /* not done: what os->file_sync answers when a signal comes in between */ \
    X(EMFILE, "EMFILE")    /* not done */                                                            \
    X(SHORT, "short")      /* a write: part of it is done */                                         \
    X(LOST, "lost answer") /* done, but the answer is EIO */
enum sim_failure {
#define X(failure, name) SIM_FAIL_##failure,
    SIM_FAILURES(X)
#undef X
        SIM_FAILURE_COUNT
};
const char *sim_failure_name(enum sim_failure failure);
bool sim_can_fail(enum sim_call call, enum sim_failure failure);

/* What a process will meet. Zeroed: nothing. Calls are counted from 1; 0 = never. */
struct sim_plan {
    int64_t die_at;
    bool die_after;                   /* the call at which it dies is done */
    int64_t die_at_record, die_later; /* so many calls after the n-th record was put */
    int64_t freeze_at;
    int64_t fail_at; /* this one call fails */
    enum sim_failure failure;
    int32_t fail_one_in;            /* any call fails by chance; 0 = none does */
    int64_t outage_from, outage_to; /* all calls in [from, to) that change something fail */
    enum sim_failure outage;
};
/* Where calls went: a path by what it is for, not by its name. */
// clang-format off
#define SIM_PLACES(X)                                                                                               \
    X(PROJECT, "project") X(CHECKPOINT, "checkpoint folder") X(QUERY, "query.json") X(LOCKFILE, "lock")             \
    X(RECORD, "record") X(STATE, "state file") X(SPILL, "spill") X(SOURCES, "source's memory")                      \
    X(TEMPORARY, "temporary file") X(STAGED, "staged file") X(STAGING, "staging folder") X(TABLE, "table folder")   \
    X(PART, "table file") X(WORLD, "outside")
// clang-format on
enum sim_place {
#define X(place, name) SIM_PLACE_##place,
    SIM_PLACES(X)
#undef X
        SIM_PLACE_COUNT
};
const char *sim_place_name(enum sim_place place);
enum sim_place sim_place_of(const char *path);

struct sim;
struct sim_hooks {
    /* After a call that changed what readers see: `path` has now other content, or is new, or is gone. */
    void (*changed)(void *context, enum sim_call call, const char *path);
    void *context;
};
struct sim *sim_new(uint64_t seed, const struct sim_hooks *hooks);
void sim_free(struct sim *sim);
void sim_install(struct sim *sim); /* NULL: back to the real struct os */
struct sim_disk *sim_disk(struct sim *sim);
struct sim_chance *sim_chance(struct sim *sim); /* of what goes wrong */
int64_t sim_now_us(const struct sim *sim);
uint64_t sim_trace(const struct sim *sim); /* hash of all that happened */
int64_t sim_calls_all(const struct sim *sim);
void sim_note(struct sim *sim, const char *format, ...) PRINTF(2, 3); /* into the trace */
void sim_power_loss(struct sim *sim);

/* A process that begins now, as the one at work. */
void sim_process_begin(struct sim *sim, const struct sim_plan *plan);
bool sim_process_died(const struct sim *sim);
int64_t sim_process_calls(const struct sim *sim);
bool sim_process_failed(const struct sim *sim, enum sim_call *call, enum sim_place *place); /* fail_at was reached */
void sim_locks_release(struct sim *sim); /* of all processes: as after a death, or a lease that ran out */

/* Run as a process of its own until it returns or freezes; true when it froze. One at a time. */
bool sim_zombie_run(struct sim *sim, const struct sim_plan *plan, void (*run)(void *argument), void *argument);
void sim_zombie_resume(struct sim *sim, const struct sim_plan *plan); /* until it returns */

/* For what is simulated beside the disk: the call counts, costs time and may fail. E_OK: go on. After SIM_FAIL_LOST the
 * code is E_BROKER and *done says that it has to happen all the same. */
MUST_CHECK enum code sim_call_other(enum sim_call call, const char *what, bool *done, struct error *err);

#endif

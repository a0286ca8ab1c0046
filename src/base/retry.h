/* retry.h - what leat needs and does not rule: a broker, a disk, later a registry and S3. When it may be
 * tried again, when it is left alone, when leat gives up.
 *
 *               `circuit_failures` in a row
 *      CLOSED ------------------------------------> OPEN <-----------.
 *        ^  before: waits of a random length below    |              |
 *        |  a ceiling that doubles (full jitter)      | its pause    | fails
 *        |                                            v is over      |
 *        '--------------- works ------------------ HALF_OPEN --------'
 *                                                  one attempt, none beside it
 *
 * In       what came of each attempt, the time, a random number: no clock is read here, so that tests and the
 *          simulation drive it
 * Out      when the next attempt may begin, or that there is none
 * Bound    while the circuit is open attempts are at most circuit_open_us apart: what comes back is used
 *          again soon
 * Classes  only transient errors are tried again, and not all of them as long: see reactions in retry.c
 * Units    times are microseconds of one monotonic clock
 * Owns     all text is inline; a zeroed struct dependency works, a zeroed struct dependencies is empty
 * Thread   one
 * Limits   DEPENDENCIES_MAX
 * Spec     exactly-once.md, rule 11, cases 14, 15 and 27; M. Brooker, "Exponential backoff and jitter" (AWS,
 *          2015); M. Nygard, "Release It!", 2007 (circuit breaker)
 */
#ifndef BASE_RETRY_H
#define BASE_RETRY_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"

enum { DEPENDENCIES_MAX = 64, DEPENDENCY_NAME_MAX = 160, DEPENDENCY_ERROR_MAX = 400 };

#define CIRCUITS(X) /* state, name for people and machines */ \
    X(CLOSED, "closed")                                       \
    X(OPEN, "open")                                           \
    X(HALF_OPEN, "half-open")

enum circuit {
#define X(name, text) CIRCUIT_##name,
    CIRCUITS(X)
#undef X
};
const char *circuit_name(enum circuit circuit);

struct retry_policy {
    int64_t initial_us;       /* ceiling of the first wait */
    int64_t max_us;           /* ceiling of every wait while the circuit is closed */
    int64_t limit_us;         /* give up when it has failed for so long; 0 = never */
    int32_t attempts_max;     /* give up after so many in a row; 0 = any number */
    int32_t circuit_failures; /* so many in a row open the circuit */
    int64_t circuit_open_us;  /* the longest time without an attempt while it is open */
};

struct dependency {
    char name[DEPENDENCY_NAME_MAX]; /* "kafka 127.0.0.1:9092", "disk /data/tables" */
    enum circuit circuit;
    bool trying;      /* half-open: its attempt is under way */
    int32_t failures; /* in a row; 0 = it works, as far as anybody knows */
    int64_t asked_us; /* when the attempt began that now fails by having no answer; 0 = it fails at once */
    int64_t since_us; /* when the first of them began, or was seen */
    int64_t next_us;  /* no attempt before */
    enum code code;   /* of the last one */
    char error[DEPENDENCY_ERROR_MAX];
};

enum retry_verdict {
    RETRY_LATER,   /* at next_us */
    RETRY_GIVE_UP, /* it has failed for too long, or too often */
    RETRY_NEVER,   /* trying again cannot mend this error */
};
/* An attempt failed. */
enum retry_verdict dependency_failed(struct dependency *self, const struct retry_policy *policy, int64_t now_us,
                                     uint64_t random, const struct error *err);
/* How long an attempt may wait for an answer: `most_us`, but no longer than the limit leaves, so that a policy of seconds is
 * not outlasted by its first attempt. Never below `least_us`: the attempt at the limit is one, too. */
int64_t dependency_wait_us(const struct dependency *self, const struct retry_policy *policy, int64_t now_us,
                           int64_t least_us, int64_t most_us);
/* It works: the row of failures is over. */
void dependency_worked(struct dependency *self);
/* May an attempt begin now? If so it has begun: its end is dependency_failed or dependency_worked. */
bool dependency_try(struct dependency *self, int64_t now_us);

/* Everything a process depends on, by name. */
struct dependencies {
    struct dependency *items; /* DEPENDENCIES_MAX of them, so that pointers hold */
    int32_t count;
};
/* Found or added; never NULL. When there is no room a name that works is forgotten, else the last one. */
struct dependency *dependency_of(struct dependencies *self, const char *name);
void dependencies_worked(struct dependencies *self);
void dependencies_free(struct dependencies *self);

#endif

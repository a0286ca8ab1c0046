#include "base/retry.h"

#include <stdio.h>
#include <string.h>

#include "base/memory.h"

/* ---- which errors are tried again ---- */

struct reaction {
    bool again;
    int32_t attempts_max; /* 0: the policy's */
    int64_t limit_us;     /* 0: the policy's */
    int64_t without_us;   /* the limit when the policy has none; 0: none either */
};

enum { SECOND_US = 1000 * 1000 };

/* What is down or full comes back by itself, some day. A device that fails its calls does not
 * (exactly-once.md, case 14); the same work in the same memory fails again; what does not exist may be under
 * way, but more likely its name is wrong. */
static struct reaction reaction_to(enum code code)
{
    switch (code) {
    case E_BROKER:
    case E_FULL: return (struct reaction){.again = true};
    case E_IO: return (struct reaction){.again = true, .without_us = 120 * SECOND_US};
    case E_MEMORY: return (struct reaction){.again = true, .attempts_max = 3};
    case E_ABSENT: return (struct reaction){.again = true, .limit_us = 5 * SECOND_US};
    default: return (struct reaction){.again = false};
    }
}

static int64_t limit_of(const struct reaction *reaction, const struct retry_policy *policy)
{
    if (policy->limit_us == 0)
        return reaction->limit_us > 0 ? reaction->limit_us : reaction->without_us;
    return reaction->limit_us > 0 && reaction->limit_us < policy->limit_us ? reaction->limit_us : policy->limit_us;
}

static bool too_many(int32_t failures, int32_t most) { return most > 0 && failures >= most; }

/* ---- one dependency ---- */

const char *circuit_name(enum circuit circuit)
{
    static const char *const names[] = {
#define X(name, text) [CIRCUIT_##name] = text,
        CIRCUITS(X)
#undef X
    };
    return names[circuit];
}

/* The ceiling doubles with each failure and stands at max_us; the wait is anything below it. */
static int64_t closed_wait_us(const struct dependency *self, const struct retry_policy *policy, uint64_t random)
{
    int64_t ceiling_us = policy->initial_us;
    for (int32_t i = 1; i < self->failures && ceiling_us < policy->max_us; i++)
        if (__builtin_mul_overflow(ceiling_us, 2, &ceiling_us))
            ceiling_us = policy->max_us;
    if (ceiling_us > policy->max_us)
        ceiling_us = policy->max_us;
    return ceiling_us > 0 ? (int64_t)(random % (uint64_t)ceiling_us) + 1 : 0;
}

/* Between half and all of the pause: those who lost the same broker do not all come back at once. */
static int64_t open_wait_us(const struct retry_policy *policy, uint64_t random)
{
    int64_t half_us = policy->circuit_open_us / 2;
    return policy->circuit_open_us - (half_us > 0 ? (int64_t)(random % (uint64_t)half_us) : 0);
}

enum retry_verdict dependency_failed(struct dependency *self, const struct retry_policy *policy, int64_t now_us,
                                     uint64_t random, const struct error *err)
{
    struct reaction reaction = reaction_to(err->code);
    if (self->failures == 0)
        self->since_us = self->asked_us > 0 ? self->asked_us : now_us;
    if (self->failures < INT32_MAX)
        self->failures++;
    self->asked_us = 0;
    self->trying = false;
    self->code = err->code;
    snprintf(self->error, sizeof self->error, "%s", err->text);
    if (!reaction.again)
        return RETRY_NEVER;
    int64_t limit_us = limit_of(&reaction, policy), end_us = INT64_MAX;
    if (limit_us > 0 && __builtin_add_overflow(self->since_us, limit_us, &end_us))
        end_us = INT64_MAX;
    if (now_us >= end_us || too_many(self->failures, policy->attempts_max) ||
        too_many(self->failures, reaction.attempts_max))
        return RETRY_GIVE_UP;
    bool open = self->circuit != CIRCUIT_CLOSED || self->failures >= policy->circuit_failures;
    self->circuit = open ? CIRCUIT_OPEN : CIRCUIT_CLOSED;
    self->next_us = now_us + (open ? open_wait_us(policy, random) : closed_wait_us(self, policy, random));
    if (self->next_us > end_us)
        self->next_us = end_us; // the last attempt comes when the limit does, not after it
    return RETRY_LATER;
}

int64_t dependency_wait_us(const struct dependency *self, const struct retry_policy *policy, int64_t now_us,
                           int64_t least_us, int64_t most_us)
{
    if (policy->limit_us == 0)
        return most_us;
    int64_t left_us = policy->limit_us - (self->failures > 0 ? now_us - self->since_us : 0);
    return left_us < least_us ? least_us : left_us < most_us ? left_us : most_us;
}

void dependency_worked(struct dependency *self)
{
    self->circuit = CIRCUIT_CLOSED;
    self->trying = false;
    self->failures = 0;
    self->asked_us = self->since_us = self->next_us = 0;
    self->code = E_OK;
    self->error[0] = '\0';
}

bool dependency_try(struct dependency *self, int64_t now_us)
{
    if (now_us < self->next_us || self->trying)
        return false;
    if (self->circuit != CIRCUIT_CLOSED) {
        self->circuit = CIRCUIT_HALF_OPEN;
        self->trying = true;
    }
    return true;
}

/* ---- all of them ---- */

static struct dependency *room_for_one(struct dependencies *self)
{
    if (self->items == NULL)
        self->items = mem_array(struct dependency, DEPENDENCIES_MAX);
    if (self->count < DEPENDENCIES_MAX)
        return &self->items[self->count++];
    for (int32_t i = 0; i < self->count; i++)
        if (self->items[i].failures == 0)
            return &self->items[i];
    return &self->items[self->count - 1];
}

struct dependency *dependency_of(struct dependencies *self, const char *name)
{
    char known[DEPENDENCY_NAME_MAX]; // a name as long as a path may be cut
    snprintf(known, sizeof known, "%s", name);
    for (int32_t i = 0; i < self->count; i++)
        if (strcmp(self->items[i].name, known) == 0)
            return &self->items[i];
    struct dependency *added = room_for_one(self);
    *added = (struct dependency){0};
    memcpy(added->name, known, sizeof known);
    return added;
}

void dependencies_worked(struct dependencies *self)
{
    for (int32_t i = 0; i < self->count; i++)
        if (self->items[i].failures > 0)
            dependency_worked(&self->items[i]);
}

void dependencies_free(struct dependencies *self)
{
    mem_free(self->items);
    *self = (struct dependencies){0};
}

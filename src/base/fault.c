#include "base/fault.h"

#include <inttypes.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/os.h"

void fault_list(void)
{
#define X(name, text) printf("%-14s %s\n", #name, text);
    FAULT_POINTS(X)
#undef X
}

#ifdef LEAT_FAULTS

static const char *const point_names[FAULT_COUNT] = {
#define X(name, text) #name,
    FAULT_POINTS(X)
#undef X
};

enum action { ACTION_KILL, ACTION_EIO, ACTION_LOST, ACTION_STOP, ACTION_COUNT };
static const char *const action_names[ACTION_COUNT] = {"kill", "eio", "lost", "stop"};

static atomic_int armed_point = -1;   // the point that acts, or -1: the only thing an unarmed run reads
static atomic_int_fast64_t countdown; // acts when it falls from 1 to 0
static enum action armed_action;      // written before armed_point

/* The index of `word` in `names`, or -1. */
static int find(const char *const *names, int count, struct bytes word)
{
    for (int i = 0; i < count; i++)
        if (bytes_equal_string(word, names[i]))
            return i;
    return -1;
}

static struct bytes next_part(const char **at)
{
    size_t size = strcspn(*at, ":");
    struct bytes part = bytes_of(*at, size);
    *at += size + ((*at)[size] == ':');
    return part;
}

enum code fault_arm(const char *spec, struct error *err)
{
    atomic_store(&armed_point, -1);
    if (spec == NULL || *spec == '\0')
        return E_OK;
    const char *at = spec;
    struct bytes word = next_part(&at);
    int point = find(point_names, FAULT_COUNT, word);
    if (point < 0) {
        char name[64];
        snprintf(name, sizeof name, "%.*s", (int)(word.size < sizeof name ? word.size : sizeof name - 1), spec);
        const char *near = nearest_word(name, point_names, FAULT_COUNT);
        return fail(err, E_USAGE, "LEAT_FAIL=%s: no fail point %s%s%s", spec, name, near ? "; did you mean " : "",
                    near ? near : "");
    }
    char *end;
    word = next_part(&at);
    long long n = strtoll((const char *)word.data, &end, 10);
    if (word.size == 0 || end != (const char *)word.data + word.size || n < 1)
        return fail(err, E_USAGE, "LEAT_FAIL=%s: after the point comes ':' and a count from 1", spec);
    word = next_part(&at);
    int action = word.size == 0 ? ACTION_KILL : find(action_names, ACTION_COUNT, word);
    if (action < 0 || *at != '\0')
        return fail(err, E_USAGE, "LEAT_FAIL=%s: the action is kill, eio, lost or stop", spec);
    armed_action = (enum action)action;
    atomic_store(&countdown, n);
    atomic_store(&armed_point, point);
    return E_OK;
}

enum code fault_init(struct error *err) { return fault_arm(os_env("LEAT_FAIL"), err); }

enum fault_action fault_reached(enum fault_point point)
{
    if (atomic_load_explicit(&armed_point, memory_order_relaxed) != (int)point)
        return FAULT_NONE;
    atomic_thread_fence(memory_order_acquire);
    if (atomic_fetch_sub(&countdown, 1) != 1)
        return FAULT_NONE;
    if (armed_action == ACTION_KILL || armed_action == ACTION_STOP) // the others are told as errors
        fprintf(stderr, "leat: fail point %s: %s\n", point_names[point], action_names[armed_action]);
    switch (armed_action) {
    case ACTION_KILL: raise(SIGKILL); break;
    case ACTION_STOP: raise(SIGSTOP); break;
    case ACTION_EIO: return FAULT_EIO;
    case ACTION_LOST: return FAULT_LOST_ANSWER;
    case ACTION_COUNT: break;
    }
    return FAULT_NONE;
}

#else

enum code fault_init(struct error *err)
{
    const char *spec = os_env("LEAT_FAIL");
    if (spec != NULL && *spec != '\0')
        return fail(err, E_USAGE, "LEAT_FAIL=%s: this build has no fail points (LEAT_FAULTS=OFF)", spec);
    return E_OK;
}

#endif

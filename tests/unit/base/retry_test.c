#include "base/retry.h"

#include <stdio.h>

#include "kit.h"

enum { MS = 1000, SECOND = 1000 * 1000 };

static const struct retry_policy plain = {
    .initial_us = 200 * MS, .max_us = 5 * SECOND, .limit_us = 0, .circuit_failures = 5, .circuit_open_us = 5 * SECOND};

static struct error down(enum code code)
{
    struct error err = {.code = code};
    snprintf(err.text, sizeof err.text, "%s", code_name(code));
    return err;
}

TEST(retry_ceiling_doubles_until_the_circuit_opens)
{
    struct dependency d = {0};
    struct error err = down(E_BROKER);
    for (int i = 0; i < 4; i++) {
        CHECK_INT(dependency_failed(&d, &plain, 1000, UINT64_MAX, &err), RETRY_LATER);
        CHECK_INT(d.circuit, CIRCUIT_CLOSED);
        CHECK(d.next_us > 1000 && d.next_us <= 1000 + ((int64_t)(200 * MS) << i));
    }
    CHECK_INT(dependency_failed(&d, &plain, 1000, 0, &err), RETRY_LATER);
    CHECK_INT(d.circuit, CIRCUIT_OPEN);
    CHECK_INT(d.next_us, 1000 + 5 * SECOND);
    CHECK_STR(d.error, "BROKER");
}

TEST(retry_half_open_lets_one_through)
{
    struct dependency d = {0};
    struct error err = down(E_FULL);
    for (int i = 0; i < 5; i++)
        dependency_failed(&d, &plain, 0, 0, &err);
    CHECK(!dependency_try(&d, d.next_us - 1));
    CHECK_INT(d.circuit, CIRCUIT_OPEN);
    CHECK(dependency_try(&d, d.next_us));
    CHECK_INT(d.circuit, CIRCUIT_HALF_OPEN);
    CHECK(!dependency_try(&d, d.next_us + SECOND));
    CHECK_INT(dependency_failed(&d, &plain, 20 * SECOND, 0, &err), RETRY_LATER);
    CHECK_INT(d.circuit, CIRCUIT_OPEN); // one failure is enough now
    CHECK(dependency_try(&d, d.next_us));
    dependency_worked(&d);
    CHECK_INT(d.circuit, CIRCUIT_CLOSED);
    CHECK_INT(d.failures, 0);
    CHECK(dependency_try(&d, 0));
    CHECK(dependency_try(&d, 0)); // a closed circuit counts nobody
}

TEST(retry_gives_up_at_the_limit)
{
    struct retry_policy policy = plain;
    policy.limit_us = 4 * SECOND;
    struct dependency d = {0};
    struct error err = down(E_BROKER);
    int64_t now_us = 100;
    int attempts = 0;
    while (dependency_failed(&d, &policy, now_us, kit_random(), &err) == RETRY_LATER && ++attempts < 1000)
        now_us = d.next_us;
    CHECK_INT(now_us, 100 + 4 * SECOND); // the last attempt is made when the limit comes
    CHECK(attempts < 1000);
}

TEST(retry_no_answer_for_the_whole_limit)
{
    struct retry_policy policy = plain;
    struct dependency d = {0};
    struct error err = down(E_BROKER);
    CHECK_INT(dependency_wait_us(&d, &policy, 0, SECOND, 20 * SECOND), 20 * SECOND);
    policy.limit_us = 8 * SECOND;
    CHECK_INT(dependency_wait_us(&d, &policy, 0, SECOND, 20 * SECOND), 8 * SECOND);
    d.asked_us = 100 * SECOND; // since then it was waited for
    CHECK_INT(dependency_failed(&d, &policy, 105 * SECOND, 0, &err), RETRY_LATER);
    CHECK_INT(dependency_wait_us(&d, &policy, 105 * SECOND, SECOND, 20 * SECOND), 3 * SECOND);
    CHECK_INT(dependency_wait_us(&d, &policy, 108 * SECOND, SECOND, 20 * SECOND), SECOND);
    CHECK_INT(dependency_failed(&d, &policy, 108 * SECOND, 0, &err), RETRY_GIVE_UP);
}

TEST(retry_limits_by_error)
{
    static const struct {
        enum code code;
        enum retry_verdict first;
        int64_t after_us; /* without a limit of the policy it gives up after so long; 0 = never */
    } rows[] = {
        {E_BROKER, RETRY_LATER, 0},
        {E_FULL, RETRY_LATER, 0},
        {E_IO, RETRY_LATER, 120 * (int64_t)SECOND},
        {E_ABSENT, RETRY_LATER, 5 * SECOND},
        {E_EXISTS, RETRY_NEVER, 0},
        {E_STOPPED, RETRY_NEVER, 0},
        {E_SPEC, RETRY_NEVER, 0},
        {E_DATA, RETRY_NEVER, 0},
        {E_FENCED, RETRY_NEVER, 0},
        {E_LOST, RETRY_NEVER, 0},
        {E_BUG, RETRY_NEVER, 0},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct dependency d = {0};
        struct error err = down(rows[i].code);
        CHECK_INT(dependency_failed(&d, &plain, 5, 0, &err), rows[i].first);
        if (rows[i].first == RETRY_NEVER)
            continue;
        if (rows[i].after_us > 0) {
            CHECK_INT(dependency_failed(&d, &plain, 5 + rows[i].after_us - 1, 0, &err), RETRY_LATER);
            CHECK_INT(dependency_failed(&d, &plain, 5 + rows[i].after_us, 0, &err), RETRY_GIVE_UP);
        } else {
            CHECK_INT(dependency_failed(&d, &plain, INT64_C(1) << 50, 0, &err), RETRY_LATER);
        }
    }
}

TEST(retry_memory_is_tried_three_times)
{
    struct dependency d = {0};
    struct error err = down(E_MEMORY);
    CHECK_INT(dependency_failed(&d, &plain, 0, 0, &err), RETRY_LATER);
    CHECK_INT(dependency_failed(&d, &plain, 0, 0, &err), RETRY_LATER);
    CHECK_INT(dependency_failed(&d, &plain, 0, 0, &err), RETRY_GIVE_UP);
}

/* Any policy, any random numbers: waits keep their bounds, no attempt is made too early or too often, at most one at a
 * time while half open. */
static void property(void)
{
    const struct retry_policy policy = {
        .initial_us = 1 + (int64_t)(kit_random() % (2 * SECOND)),
        .max_us = 1 + (int64_t)(kit_random() % (10 * SECOND)),
        .limit_us = kit_random() % 2 == 0 ? 0 : 1 + (int64_t)(kit_random() % (100 * SECOND)),
        .attempts_max = (int32_t)(kit_random() % 30),
        .circuit_failures = 1 + (int32_t)(kit_random() % 10),
        .circuit_open_us = 1 + (int64_t)(kit_random() % (10 * SECOND)),
    };
    struct dependency d = {0};
    struct error err = down(E_BROKER);
    int64_t now_us = (int64_t)(kit_random() % SECOND), first_us = -1;
    int32_t row = 0;
    for (int step = 0; step < 200; step++) {
        if (!dependency_try(&d, now_us)) {
            CHECK(now_us < d.next_us);
            now_us = d.next_us;
            continue;
        }
        if (d.circuit == CIRCUIT_HALF_OPEN)
            CHECK(!dependency_try(&d, now_us + 1));
        now_us += (int64_t)(kit_random() % (3 * SECOND)); // what the attempt takes
        if (kit_random() % 8 == 0) {
            dependency_worked(&d);
            row = 0;
            continue;
        }
        if (row++ == 0)
            first_us = now_us;
        enum retry_verdict verdict = dependency_failed(&d, &policy, now_us, kit_random(), &err);
        CHECK_INT(d.failures, row);
        CHECK_INT(d.since_us, first_us);
        bool over = (policy.attempts_max > 0 && row >= policy.attempts_max) ||
                    (policy.limit_us > 0 && now_us - first_us >= policy.limit_us);
        CHECK_INT(verdict, over ? RETRY_GIVE_UP : RETRY_LATER);
        if (over)
            break;
        bool open = row >= policy.circuit_failures;
        CHECK_INT(d.circuit, open ? CIRCUIT_OPEN : CIRCUIT_CLOSED);
        CHECK(d.next_us > now_us || policy.limit_us > 0);
        CHECK(d.next_us - now_us <= (open ? policy.circuit_open_us : policy.max_us));
        CHECK(policy.limit_us == 0 || d.next_us <= first_us + policy.limit_us);
    }
}

TEST(retry_keeps_its_bounds)
{
    for (int i = 0; i < 2000; i++)
        property();
}

TEST(retry_jitter_is_full)
{
    int64_t least_us = INT64_MAX, most_us = 0;
    struct error err = down(E_BROKER);
    for (int i = 0; i < 1000; i++) {
        struct dependency d = {0};
        dependency_failed(&d, &plain, 0, kit_random(), &err);
        least_us = d.next_us < least_us ? d.next_us : least_us;
        most_us = d.next_us > most_us ? d.next_us : most_us;
    }
    CHECK(least_us < 20 * MS);
    CHECK(most_us > 180 * MS);
}

TEST(dependencies_are_found_by_name)
{
    struct dependencies all = {0};
    struct error err = down(E_BROKER);
    struct dependency *kafka = dependency_of(&all, "kafka 127.0.0.1:9092");
    CHECK(dependency_of(&all, "disk /data") != kafka);
    CHECK(dependency_of(&all, "kafka 127.0.0.1:9092") == kafka);
    dependency_failed(kafka, &plain, 1, 1, &err);
    for (int i = 0; i < 2 * DEPENDENCIES_MAX; i++) { // those that work make room, the failing one stays
        char name[32];
        snprintf(name, sizeof name, "s3 bucket-%d", i);
        CHECK_STR(dependency_of(&all, name)->name, name);
    }
    CHECK_INT(all.count, DEPENDENCIES_MAX);
    CHECK_INT(dependency_of(&all, "kafka 127.0.0.1:9092")->failures, 1);
    dependencies_worked(&all);
    CHECK_INT(kafka->failures, 0);
    dependencies_free(&all);
}

TEST(dependencies_cut_a_long_name)
{
    struct dependencies all = {0};
    char name[400];
    memset(name, 'x', sizeof name);
    name[sizeof name - 1] = '\0';
    struct dependency *one = dependency_of(&all, name);
    CHECK(dependency_of(&all, name) == one);
    CHECK_INT(strlen(one->name), DEPENDENCY_NAME_MAX - 1);
    dependencies_free(&all);
}

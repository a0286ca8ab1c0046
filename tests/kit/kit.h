/* kit.h - the test kit: self-registering tests, checks that print both values, one closing line.
 *
 * Use      TEST(name) { CHECK(x > 0); CHECK_INT(got, want); CHECK_STR(got, want); }
 * Run      program [FILTER]   runs the tests whose name contains FILTER; exit 1 when one failed
 * Output   a line per failure `file:line: test: what`, then `N passed, N failed[, N skipped]`
 * Seed     kit_seed() is printed on failure; LEAT_SEED=n repeats a run
 * Thread   one
 */
#ifndef KIT_H
#define KIT_H

#include <inttypes.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct kit_test {
    const char *name, *file;
    void (*run)(void);
    struct kit_test *next;
};
void kit_register(struct kit_test *test);
void kit_fail(const char *file, int line, const char *format, ...) __attribute__((format(printf, 3, 4)));
/* Mark the running test skipped, with its reason; return from the test after it. */
void kit_skip(const char *reason);
uint64_t kit_seed(void);
/* A pseudo random number of the run's seed (splitmix64). */
uint64_t kit_random(void);
/* Path below $CONFORMANCE_DIR, or NULL (then the test is marked skipped). Valid until the next call. */
const char *kit_conformance(const char *path);
/* A fresh empty folder for the running test, removed at exit. Valid until the next call. */
const char *kit_tmpdir(void);

#define TEST(name)                                                          \
    static void test_##name(void);                                          \
    __attribute__((constructor)) static void register_##name(void)          \
    {                                                                       \
        static struct kit_test self = {#name, __FILE__, test_##name, NULL}; \
        kit_register(&self);                                                \
    }                                                                       \
    static void test_##name(void)

#define CHECK(condition)                                    \
    do {                                                    \
        if (!(condition))                                   \
            kit_fail(__FILE__, __LINE__, "%s", #condition); \
    } while (0)
#define CHECK_INT(got, want)                                                                         \
    do {                                                                                             \
        int64_t got_ = (int64_t)(got), want_ = (int64_t)(want);                                      \
        if (got_ != want_)                                                                           \
            kit_fail(__FILE__, __LINE__, "%s is %" PRId64 ", expected %" PRId64, #got, got_, want_); \
    } while (0)
#define CHECK_STR(got, want)                                                                                    \
    do {                                                                                                        \
        const char *got_ = (got), *want_ = (want);                                                              \
        if (got_ == NULL || strcmp(got_, want_) != 0)                                                           \
            kit_fail(__FILE__, __LINE__, "%s is \"%s\", expected \"%s\"", #got, got_ ? got_ : "(null)", want_); \
    } while (0)

#endif

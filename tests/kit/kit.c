#include "kit.h"

#include <dirent.h>
#include <ftw.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

static struct kit_test *tests;
static struct kit_test *running;
static int failures_of_running;
static const char *skipped_because;
static uint64_t seed, random_state;
static char tmp_root[64];
static int tmp_count;

void kit_register(struct kit_test *test)
{
    struct kit_test **at = &tests;
    while (*at != NULL)
        at = &(*at)->next;
    *at = test;
}

void kit_fail(const char *file, int line, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    printf("%s:%d: %s: ", file, line, running->name);
    vprintf(format, args);
    printf("\n");
    va_end(args);
    failures_of_running++;
}

void kit_skip(const char *reason) { skipped_because = reason; }

uint64_t kit_seed(void) { return seed; }

uint64_t kit_random(void)
{
    uint64_t z = (random_state += 0x9e3779b97f4a7c15u);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

const char *kit_conformance(const char *path)
{
    static char full[512];
    const char *dir = getenv("CONFORMANCE_DIR");
    if (dir == NULL || *dir == '\0') {
        kit_skip("CONFORMANCE_DIR is not set");
        return NULL;
    }
    snprintf(full, sizeof full, "%s/%s", dir, path);
    return full;
}

static int remove_one(const char *path, const struct stat *st, int flag, struct FTW *ftw)
{
    (void)st, (void)flag, (void)ftw;
    return remove(path);
}

static void tmp_remove(void)
{
    if (tmp_root[0] != '\0')
        nftw(tmp_root, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

const char *kit_tmpdir(void)
{
    static char path[96];
    if (tmp_root[0] == '\0') {
        snprintf(tmp_root, sizeof tmp_root, "/tmp/leat-test-XXXXXX");
        if (mkdtemp(tmp_root) == NULL) {
            perror("mkdtemp");
            exit(1);
        }
        atexit(tmp_remove);
    }
    snprintf(path, sizeof path, "%s/%d", tmp_root, ++tmp_count);
    if (mkdir(path, 0700) != 0) {
        perror(path);
        exit(1);
    }
    return path;
}

int main(int argc, char **argv)
{
    int passed = 0, failed = 0, skipped = 0;
    const char *filter = argc > 1 ? argv[1] : "";
    const char *given = getenv("LEAT_SEED");
    seed = given != NULL ? strtoull(given, NULL, 0) : (uint64_t)time(NULL) * 1000003u + (uint64_t)getpid();
    setvbuf(stdout, NULL, _IOLBF, 0);
    for (struct kit_test *test = tests; test != NULL; test = test->next) {
        if (strstr(test->name, filter) == NULL)
            continue;
        running = test;
        failures_of_running = 0;
        skipped_because = NULL;
        random_state = seed;
        test->run();
        if (failures_of_running > 0) {
            printf("FAIL %s (LEAT_SEED=%" PRIu64 ")\n", test->name, seed);
            failed++;
        } else if (skipped_because != NULL) {
            printf("skip %s: %s\n", test->name, skipped_because);
            skipped++;
        } else {
            passed++;
        }
    }
    if (skipped > 0)
        printf("%d passed, %d failed, %d skipped\n", passed, failed, skipped);
    else
        printf("%d passed, %d failed\n", passed, failed);
    return failed > 0;
}

/* replay.c - drives a fuzz target without libFuzzer: every file of a folder, and damaged copies of it.
 *
 * Use      program FOLDER     calls LLVMFuzzerTestOneInput with each file, cut short and with flipped bits
 *          (the same ones in every run), and prints `N passed, 0 failed`; a crash or a sanitizer report ends
 *          the program
 * clang    with LEAT_LIBFUZZER libFuzzer brings its own main, and this file is left out
 */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FILE_MAX = 16 * 1024 * 1024, DAMAGED_COPIES = 200, PATH_BYTES = 4096 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A copy of exactly the size, so that a sanitizer sees the first byte read past it. */
static void run(const uint8_t *data, size_t size)
{
    uint8_t *copy = malloc(size > 0 ? size : 1);
    if (copy == NULL)
        abort();
    if (size > 0)
        memcpy(copy, data, size);
    LLVMFuzzerTestOneInput(copy, size);
    free(copy);
}

static uint64_t next_random(uint64_t *state)
{
    *state = *state * 6364136223846793005u + 1442695040888963407u;
    return *state >> 33;
}

static void run_damaged(uint8_t *data, size_t size)
{
    uint64_t random = size;
    for (int i = 0; size > 0 && i < DAMAGED_COPIES; i++) {
        size_t at = next_random(&random) % size;
        if (i % 4 == 0) {
            run(data, at);
            continue;
        }
        uint8_t good = data[at];
        data[at] = (uint8_t)(i % 4 == 1 ? next_random(&random) : good ^ (1u << next_random(&random) % 8));
        run(data, size);
        data[at] = good;
    }
}

static int run_file(const char *path)
{
    FILE *file = fopen(path, "rb");
    if (file == NULL) {
        perror(path);
        return 1;
    }
    uint8_t *data = malloc(FILE_MAX);
    if (data == NULL)
        abort();
    size_t size = fread(data, 1, FILE_MAX, file);
    fclose(file);
    run(data, size);
    run_damaged(data, size);
    free(data);
    return 0;
}

int main(int argc, char **argv)
{
    struct dirent **entries;
    int passed = 0, failed = 0;
    if (argc != 2) {
        fprintf(stderr, "usage: %s FOLDER\n", argv[0]);
        return 2;
    }
    int count = scandir(argv[1], &entries, NULL, alphasort);
    if (count < 0) {
        perror(argv[1]);
        return 2;
    }
    for (int i = 0; i < count; i++) {
        char path[PATH_BYTES];
        if (entries[i]->d_name[0] != '.') {
            snprintf(path, sizeof path, "%s/%s", argv[1], entries[i]->d_name);
            if (run_file(path) == 0)
                passed++;
            else
                failed++;
        }
        free(entries[i]);
    }
    free(entries);
    printf("%d passed, %d failed\n", passed, failed);
    return failed > 0 || passed == 0;
}

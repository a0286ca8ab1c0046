/* slt_main.c - golden_sql [--update] [--world N] FOLDER|FILE.slt .. [FILTER]
 *
 * Every file runs in every world; a file is passed when no world differs. --update runs the first
 * world and rewrites what is expected; read the difference before you commit it.
 */
#include "slt.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/log.h"
#include "base/os.h"

static const int32_t batch_rows[] = {4096, 3, 1}, workers[] = {1, 3};
enum {
    TROUBLES = 3,
    BATCHES = 3,
    WORKERS = 2,
    CROSSED = TROUBLES * BATCHES * WORKERS,
    TEST_FILES_MAX = 1000,
    JOBS = 2
};
static const struct slt_world killed[] = {{1, 3, SLT_KILLS, 0}, {4096, 1, SLT_KILLS, 0}};
#ifdef LEAT_FAULTS
enum { WORLDS = CROSSED + sizeof killed / sizeof *killed };
#else
enum { WORLDS = CROSSED };
#endif

static struct os quick; /* the system's, but nothing waits for a disk: no test here cuts the power */

static enum code no_sync(int handle, struct error *err)
{
    (void)handle, (void)err;
    return E_OK;
}

static enum code no_folder_sync(const char *path, struct error *err)
{
    (void)path, (void)err;
    return E_OK;
}

static void os_make_quick(void)
{
    quick = *os_system();
    quick.name = "without syncs";
    quick.file_sync = no_sync;
    quick.dir_sync = no_folder_sync;
    quick.file_write_behind = NULL;
    quick.file_direct = NULL;
    os_install(&quick);
}

struct tests {
    char *paths[TEST_FILES_MAX];
    int32_t count;
    const char *folder;
    bool update;
    int32_t only; /* this world, or -1 */
};

static void path_add(void *context, const char *name, bool is_dir)
{
    struct tests *tests = context;
    size_t size = strlen(name);
    char path[512];
    if (is_dir || size < 4 || strcmp(name + size - 4, ".slt") != 0 || tests->count == TEST_FILES_MAX)
        return;
    snprintf(path, sizeof path, "%s/%s", tests->folder, name);
    tests->paths[tests->count++] = mem_strdup(path);
}

static int by_name(const void *a, const void *b) { return strcmp(*(char *const *)a, *(char *const *)b); }

static void collect(struct tests *tests, const char *argument)
{
    struct error err = {0};
    struct os_stat stat;
    if (os->stat(argument, &stat, &err) == E_OK && stat.is_dir) {
        tests->folder = argument;
        if (os->list(argument, path_add, tests, &err) == E_OK)
            qsort(tests->paths, (size_t)tests->count, sizeof *tests->paths, by_name);
    } else if (tests->count < TEST_FILES_MAX) {
        tests->paths[tests->count++] = mem_strdup(argument);
    }
}

/* Keep the files with the word in their name. */
static void filter(struct tests *tests, const char *word)
{
    int32_t kept = 0;
    for (int32_t i = 0; i < tests->count; i++)
        if (strstr(tests->paths[i], word) != NULL)
            tests->paths[kept++] = tests->paths[i];
        else
            mem_free(tests->paths[i]);
    tests->count = kept;
}

static struct slt_world world_at(int32_t index, int32_t file)
{
    if (index >= CROSSED) {
        struct slt_world world = killed[index - CROSSED];
        world.seed = index + 5 * file;
        return world;
    }
    return (struct slt_world){
        .batch_rows = batch_rows[index / WORKERS % BATCHES],
        .workers = workers[index % WORKERS],
        .trouble = (enum slt_trouble)(index / (WORKERS * BATCHES)),
        .seed = index + file,
    };
}

static bool run_world(struct slt_file *file, const struct slt_world *world, bool update)
{
    char memory[] = "/dev/shm/leat-golden-XXXXXX", disk[] = "/tmp/leat-golden-XXXXXX";
    char *folder = access("/dev/shm", W_OK) == 0 ? memory : disk;
    struct slt_outcome outcome = {0};
    struct error err = {0};
    if (mkdtemp(folder) == NULL)
        return false;
    slt_run(file, world, folder, update, &outcome);
    if (outcome.failed)
        printf("%s", outcome.report.data);
    else if (update && os_replace_file(file->path, text_view(&outcome.updated), &err) != E_OK)
        printf("%s\n", err.text);
    slt_folder_remove(folder);
    text_free(&outcome.report);
    text_free(&outcome.updated);
    return !outcome.failed;
}

/* The worlds of one file, up to the first that fails. */
static bool run_file(const char *path, int32_t number, bool update, int32_t only)
{
    struct slt_file *file = mem_new(struct slt_file);
    struct error err = {0};
    bool good = slt_load(file, path, &err) == E_OK;
    if (!good)
        printf("%s\n", err.text);
    for (int32_t i = 0; good && i < (update ? 1 : WORLDS); i++) {
        const struct slt_world world = world_at(i, number);
        if (only < 0 || only == i)
            good = run_world(file, &world, update);
    }
    slt_close(file);
    mem_free(file);
    return good;
}

struct score {
    int32_t passed, failed;
};

/* Every `jobs`-th file from the `first` on. */
static struct score run_files(const struct tests *tests, int32_t first, int32_t jobs)
{
    struct score score = {0};
    for (int32_t i = first; i < tests->count; i += jobs) {
        bool good = run_file(tests->paths[i], i, tests->update, tests->only);
        score.passed += good;
        score.failed += !good;
    }
    return score;
}

/* Files side by side, in processes of their own: faults and kills belong to one. */
static struct score run_jobs(const struct tests *tests)
{
    struct score sum = {0};
    int pipes[JOBS][2];
    for (int32_t i = 0; i < JOBS; i++) {
        always(pipe(pipes[i]) == 0);
        if (fork() == 0) {
            struct score own = run_files(tests, i, JOBS);
            fflush(stdout);
            _exit(write(pipes[i][1], &own, sizeof own) == (ssize_t)sizeof own ? 0 : 1);
        }
        close(pipes[i][1]);
    }
    for (int32_t i = 0; i < JOBS; i++) {
        struct score own;
        bool ended = read(pipes[i][0], &own, sizeof own) == (ssize_t)sizeof own;
        sum.passed += ended ? own.passed : 0;
        sum.failed += ended ? own.failed : 1; // it died: what it printed says more
        close(pipes[i][0]);
        wait(NULL);
    }
    return sum;
}

int main(int argc, char **argv)
{
    struct tests *tests = mem_new(struct tests);
    tests->only = -1;
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--update") == 0)
            tests->update = true;
        else if (strcmp(argv[i], "--world") == 0 && i + 1 < argc)
            tests->only = (int32_t)strtol(argv[++i], NULL, 10);
        else if (access(argv[i], F_OK) == 0)
            collect(tests, argv[i]);
        else
            filter(tests, argv[i]);
    }
    setvbuf(stdout, NULL, _IOLBF, 0);
    log_set_level(LOG_LEVEL_ERROR);
    os_make_quick();
    struct score score = tests->count > 1 ? run_jobs(tests) : run_files(tests, 0, 1);
    printf("%d passed, %d failed\n", score.passed, score.failed);
    for (int32_t i = 0; i < tests->count; i++)
        mem_free(tests->paths[i]);
    mem_free(tests);
    return score.failed > 0;
}

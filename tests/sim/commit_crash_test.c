/* The commit protocol of chain, store and sink without the rest of leat: a child process commits epochs of
 * known rows, dies (or is told EIO, or loses an answer) at the n-th time a fail point is reached, and is
 * started again; then every row must be in the table once. Between death and restart a reader must see no
 * row twice and no file torn. */
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fault.h"
#include "base/memory.h"
#include "delta/delta.h"
#include "format/format.h"
#include "kit.h"
#include "runtime/chain.h"
#include "sink/sink.h"
#include "store/store.h"

#ifdef LEAT_FAULTS

enum { EPOCHS = 2, EPOCH_ROWS = 40, ALL_ROWS = EPOCHS * EPOCH_ROWS, RESTARTS_MAX = 4, ANSWERS_MAX = 4 };

static char checkpoint[256], table[256];
static const char *format = "json";

/* ---- the child: recover, then epoch after epoch ---- */

struct worker {
    struct arena arena;
    struct store *store;
    struct chain *chain;
    const struct sink_type *type;
    void *sink;
    const struct type *schema;
};

static enum code worker_open(struct worker *w, struct error *err)
{
    static const char *const day[] = {"day"};
    size_t position;
    TRY(type_parse_ddl(&w->arena, bytes_of_string("id BIGINT, day INT"), &w->schema, &position, err));
    TRY(store_open(checkpoint, &w->store, err));
    TRY(chain_open(w->store, "0", "crash test", &w->chain, err));
    struct sink_spec spec = {.name = "t",
                             .path = table,
                             .query_id = chain_query_id(w->chain),
                             .schema = w->schema,
                             .partition_columns = day,
                             .partition_count = 1,
                             .zone = zone_utc(),
                             .lanes = 2};
    w->type = sink_find(format);
    w->sink = mem_zero(w->type->size);
    return w->type->open(w->sink, &spec, err);
}

static enum code worker_recover(struct worker *w, struct error *err)
{
    int64_t head = chain_head(w->chain);
    if (head >= 0) {
        struct chain_record record;
        TRY(chain_read(w->chain, head, &w->arena, &record, err));
        TRY(w->type->commit(w->sink, head, bytes_of_string(record.sinks[0].token), err));
    }
    return w->type->collect(w->sink, err);
}

static enum code write_rows(struct worker *w, int64_t epoch, struct error *err)
{
    enum code code = E_OK;
    for (int32_t lane = 0; code == E_OK && lane < 2; lane++) {
        struct builder id, day;
        struct batch batch;
        builder_init(&id, type_of(TYPE_INT64));
        builder_init(&day, type_of(TYPE_INT32));
        for (int i = 0; i < EPOCH_ROWS / 2; i++) {
            builder_int(&id, epoch * EPOCH_ROWS + lane * EPOCH_ROWS / 2 + i);
            builder_int(&day, i % 2);
        }
        batch_init(&batch, w->schema, EPOCH_ROWS / 2);
        builder_finish(&id, &batch.columns[0]);
        builder_finish(&day, &batch.columns[1]);
        builder_release(&id);
        builder_release(&day);
        code = w->type->write(w->sink, lane, epoch, &batch, err);
        batch_release(&batch);
    }
    return code;
}

static enum code worker_epoch(struct worker *w, int64_t epoch, struct error *err)
{
    struct text token = {0};
    struct sink_totals totals;
    struct chain_sink sink = {.name = "t"};
    struct chain_record record = {.epoch = epoch, .timezone = "UTC", .sinks = &sink, .sink_count = 1};
    TRY(write_rows(w, epoch, err));
    TRY(w->type->prepare(w->sink, epoch, &token, &totals, err));
    FAULT(stage_done);
    sink.token = token.data;
    TRY(chain_append(w->chain, &record, err));
    TRY(w->type->commit(w->sink, epoch, text_view(&token), err));
    FAULT(publish_done);
    TRY(w->type->collect(w->sink, err));
    text_free(&token);
    return chain_trim(w->chain, epoch, err);
}

static enum code worker_run(const char *fault, struct error *err)
{
    struct worker w = {0};
    TRY(fault_arm(fault, err));
    TRY(worker_open(&w, err));
    TRY(worker_recover(&w, err));
    for (int64_t epoch = chain_head(w.chain) + 1; epoch < EPOCHS; epoch++)
        TRY(worker_epoch(&w, epoch, err));
    return E_OK;
}

/* 0: done; else it died or gave up. What it held is gone with the process, as after a crash. */
static int run_child(const char *fault)
{
    fflush(stdout);
    pid_t child = fork();
    if (child == 0) {
        struct error err = {0};
        if (freopen("/dev/null", "w", stderr) == NULL)
            _exit(9);
        enum code code = worker_run(fault, &err);
        if (code != E_OK && error_class(code) != CLASS_transient)
            printf("child: %s: %s\n", code_name(code), err.text);
        fflush(stdout);
        _exit(code == E_OK ? 0 : error_class(code) == CLASS_transient ? 3 : 4);
    }
    int status = 0;
    waitpid(child, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

/* ---- the reader ---- */

static enum code read_parquet(struct store *store, const char *path, int *seen, struct error *err)
{
    struct arena arena = {0};
    struct budget budget = {0};
    const struct field id = {"id", type_of(TYPE_INT64), true};
    struct store_file where = {store, path};
    struct parquet_input input = {path, 0, &where, store_file_read};
    struct parquet_reader *reader = NULL;
    TRY(store_size(store, path, &input.size_bytes, err));
    TRY(parquet_reader_new(&input, &budget, &reader, err));
    enum code code = parquet_reader_select(reader, type_struct(&arena, &id, 1), err);
    for (int64_t rows = 1; code == E_OK && rows > 0;) {
        struct batch batch = {0};
        code = parquet_reader_next(reader, BATCH_ROWS_MAX, &batch, err);
        rows = batch.rows;
        for (int64_t row = 0; row < rows; row++)
            seen[column_values(&batch.columns[0], int64_t)[row]]++;
        batch_release(&batch);
    }
    parquet_reader_free(reader);
    arena_free(&arena);
    return code;
}

/* The same by the log. */
static bool read_delta(int *seen)
{
    const struct delta_at newest = {.version = -1};
    struct budget budget = {0};
    struct error err = {0};
    struct store *store = NULL;
    struct delta_snapshot *snapshot = NULL;
    memset(seen, 0, ALL_ROWS * sizeof *seen);
    CHECK_INT(store_open(table, &store, &err), E_OK);
    enum code code = delta_snapshot_open(store, &newest, &budget, &snapshot, &err);
    for (int32_t i = 0; code == E_OK && i < snapshot->file_count; i++)
        code = read_parquet(store, snapshot->files[i].path, seen, &err);
    delta_snapshot_free(snapshot);
    store_close(store);
    if (code != E_OK && code != E_ABSENT)
        printf("reader: %s\n", err.text);
    return code == E_OK || code == E_ABSENT;
}

/* How often each id is in the files that a reader sees; false when a line is torn. */
static bool read_lines(int *seen)
{
    struct error err = {0};
    struct store *store = NULL;
    struct store_list list = {0};
    bool whole = true;
    memset(seen, 0, ALL_ROWS * sizeof *seen);
    CHECK_INT(store_open(table, &store, &err), E_OK);
    CHECK_INT(store_list(store, "", true, &list, &err), E_OK);
    for (int32_t i = 0; i < list.count; i++) {
        struct text text = {0};
        if (strncmp(list.entries[i].path, "_staging/", 9) == 0)
            continue;
        CHECK_INT(store_get(store, list.entries[i].path, 1 << 20, &text, &err), E_OK);
        whole = whole && text.size > 0 && text.data[text.size - 1] == '\n';
        for (char *line = text.data; line != NULL && *line != '\0'; line = strchr(line, '\n') + 1) {
            int id = -1;
            whole = whole && sscanf(line, "{\"id\":%d}", &id) == 1 && id >= 0 && id < ALL_ROWS;
            if (!whole)
                break;
            seen[id]++;
        }
        text_free(&text);
    }
    store_list_free(&list);
    store_close(store);
    return whole;
}

static void check_table(const char *when, bool complete)
{
    int seen[ALL_ROWS];
    if (!(strcmp(format, "delta") == 0 ? read_delta : read_lines)(seen))
        kit_fail(__FILE__, __LINE__, "%s: a file is torn", when);
    for (int i = 0; i < ALL_ROWS; i++)
        if (seen[i] > 1 || (complete && seen[i] == 0))
            kit_fail(__FILE__, __LINE__, "%s: row %d is there %d times", when, i, seen[i]);
}

/* True when the fault was reached. */
static bool try_fault(const char *spec)
{
    snprintf(checkpoint, sizeof checkpoint, "%s", kit_tmpdir());
    snprintf(table, sizeof table, "%s", kit_tmpdir());
    int first = run_child(spec), last = first;
    if (first != 0)
        check_table(spec, false);
    for (int i = 0; last != 0 && i < RESTARTS_MAX; i++)
        last = run_child(NULL);
    if (last != 0)
        kit_fail(__FILE__, __LINE__, "%s: a restart ends with %d", spec, last);
    check_table(spec, true);
    return first != 0;
}

static void try_point(const char *point, const char *action)
{
    bool kill = strcmp(action, "kill") == 0;
    for (int n = 1; kill || n <= ANSWERS_MAX; n++) {
        char spec[64];
        snprintf(spec, sizeof spec, "%s:%d:%s", point, n, action);
        if (!try_fault(spec) && kill) // the run was over before; an error or a lost answer may also have been mended
            return;
    }
}

TEST(killed_at_every_point_of_staging)
{
    try_point("stage_open", "kill");
    try_point("stage_write", "kill");
    try_point("stage_fsync", "kill");
    try_point("stage_done", "kill");
}

TEST(killed_at_every_point_of_the_record)
{
    try_point("record_temp", "kill");
    try_point("record_put", "kill");
    try_point("after_record", "kill");
}

TEST(killed_at_every_point_of_publishing)
{
    try_point("publish_one", "kill");
    try_point("publish_done", "kill");
    try_point("gc_one", "kill");
}

TEST(errors_and_lost_answers)
{
    static const char *const points[] = {"stage_open", "stage_write", "stage_fsync",
                                         "record_put", "publish_one", "gc_one"};
    for (size_t i = 0; i < sizeof points / sizeof *points; i++) {
        try_point(points[i], "eio");
        try_point(points[i], "lost");
    }
}

/* Files first, then the log. */
TEST(a_delta_table_killed_between_its_files_and_its_log)
{
    static const char *const points[] = {"stage_done",   "after_record", "publish_one",
                                         "delta_before", "delta_put",    "publish_done"};
    format = "delta";
    for (size_t i = 0; i < sizeof points / sizeof *points; i++)
        try_point(points[i], "kill");
    format = "json";
}

TEST(a_delta_commit_that_fails_or_whose_answer_is_lost)
{
    static const char *const points[] = {"record_put", "publish_one", "delta_before", "delta_put"};
    format = "delta";
    for (size_t i = 0; i < sizeof points / sizeof *points; i++) {
        try_point(points[i], "eio");
        try_point(points[i], "lost");
    }
    format = "json";
}

#endif

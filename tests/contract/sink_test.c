/* The contract of sink.h, for every sink in the table: nothing is visible before commit, commit is
 * idempotent and needs only the token, abort and collect leave nothing. Sinks without files (console, kafka) take
 * part with no files; Kafka's has a transaction that counts what it is sent. */
#include <stdio.h>
#include <stdlib.h>

#include "base/memory.h"
#include "kit.h"
#include "sink/sink.h"
#include "store/store.h"

static char folder[256];

struct fixture {
    const struct sink_type *type;
    void *sink;
    struct arena arena;
    const struct type *schema;
    struct store *store; /* to look into the folder */
    bool files;
};

/* What the rows of a sink without files go to: its commit is the transaction's, not the sink's. */
static enum code counting_send(void *self, const struct transaction_message *message, struct error *err)
{
    (void)err;
    CHECK(message->value.size > 0);
    ++*(int64_t *)self;
    return E_OK;
}
static const struct transaction_type counting = {.name = "counting", .size = sizeof(int64_t), .send = counting_send};
static int64_t sent;
static const struct transaction transaction = {&counting, &sent, "127.0.0.1:1"};
static const char *const option_names[] = {"kafka.bootstrap.servers", "topic"};
static const char *const option_values[] = {"127.0.0.1:1", "t"};

static void open_sink(struct fixture *f)
{
    struct error err = {0};
    bool kafka = strcmp(f->type->name, "kafka") == 0;
    struct sink_spec spec = {.name = "t",
                             .path = folder,
                             .query_id = "0123456789abcdef",
                             .schema = f->schema,
                             .zone = zone_utc(),
                             .transaction = &transaction,
                             .option_names = option_names,
                             .option_values = option_values,
                             .option_count = kafka ? 2 : 0,
                             .lanes = 2};
    f->sink = mem_zero(f->type->size);
    if (f->type->open(f->sink, &spec, &err) != E_OK)
        kit_fail(__FILE__, __LINE__, "%s: %s", f->type->name, err.text);
}

static void close_sink(struct fixture *f)
{
    f->type->close(f->sink);
    mem_free(f->sink);
    f->sink = NULL;
}

static struct fixture fixture_open(const struct sink_type *type)
{
    struct fixture f = {.type = type, .files = strcmp(type->name, "console") != 0 && strcmp(type->name, "kafka") != 0};
    struct error err = {0};
    size_t position;
    snprintf(folder, sizeof folder, "%s", kit_tmpdir());
    CHECK_INT(type_parse_ddl(&f.arena, bytes_of_string("id BIGINT, value STRING"), &f.schema, &position, &err), E_OK);
    CHECK_INT(store_open(folder, &f.store, &err), E_OK);
    open_sink(&f);
    return f;
}

static void fixture_close(struct fixture *f)
{
    close_sink(f);
    store_close(f->store);
    arena_free(&f->arena);
}

static void write_rows(struct fixture *f, int32_t lane, int64_t epoch, int rows)
{
    struct error err = {0};
    struct builder id, name;
    struct batch batch;
    builder_init(&id, type_of(TYPE_INT64));
    builder_init(&name, type_of(TYPE_STRING));
    for (int i = 0; i < rows; i++) {
        builder_int(&id, i);
        builder_bytes(&name, bytes_of_string("row"));
    }
    batch_init(&batch, f->schema, rows);
    builder_finish(&id, &batch.columns[0]);
    builder_finish(&name, &batch.columns[1]);
    builder_release(&id);
    builder_release(&name);
    int64_t before = sent;
    if (f->type->write(f->sink, lane, epoch, &batch, &err) != E_OK)
        kit_fail(__FILE__, __LINE__, "%s: %s", f->type->name, err.text);
    CHECK_INT(sent - before, strcmp(f->type->name, "kafka") == 0 ? rows : 0);
    batch_release(&batch);
}

static struct text prepare(struct fixture *f, int64_t epoch, int64_t want_rows)
{
    struct error err = {0};
    struct text token = {0};
    struct sink_totals totals = {0};
    if (f->type->prepare(f->sink, epoch, &token, &totals, &err) != E_OK)
        kit_fail(__FILE__, __LINE__, "%s: %s", f->type->name, err.text);
    CHECK_INT(totals.rows, want_rows);
    CHECK_INT(totals.files, f->files && want_rows > 0);
    CHECK(token.size > 1 && token.data[0] == '{');
    return token;
}

static enum code commit(struct fixture *f, int64_t epoch, const struct text *token)
{
    struct error err = {0};
    return f->type->commit(f->sink, epoch, text_view(token), &err);
}

/* Files a reader sees, and staged ones. */
static int count_files(struct fixture *f, bool staged)
{
    struct error err = {0};
    struct store_list list = {0};
    int count = 0;
    CHECK_INT(store_list(f->store, "", true, &list, &err), E_OK);
    for (int32_t i = 0; i < list.count; i++) {
        size_t size = strlen(list.entries[i].path);
        bool hidden = list.entries[i].path[0] == '_'; // what is staged, and the log of a Delta table
        bool staged_name = size > 7 && strcmp(list.entries[i].path + size - 7, ".staged") == 0;
        CHECK(hidden || !staged_name);
        count += staged ? staged_name : !hidden;
    }
    store_list_free(&list);
    return count;
}

#define EVERY_SINK(f)                                                                \
    for (const struct sink_type *const *type_ = sink_types; *type_ != NULL; type_++) \
        for (struct fixture f = fixture_open(*type_); f.type != NULL; fixture_close(&f), f.type = NULL)

TEST(rows_are_invisible_until_commit_and_stay_after)
{
    EVERY_SINK(f)
    {
        for (int64_t epoch = 0; epoch < 3; epoch++) {
            write_rows(&f, 0, epoch, 10);
            write_rows(&f, 1, epoch, 5);
            CHECK_INT(count_files(&f, false), f.files ? epoch : 0);
            struct text token = prepare(&f, epoch, 15);
            CHECK_INT(count_files(&f, false), f.files ? epoch : 0);
            CHECK_INT(commit(&f, epoch, &token), E_OK);
            CHECK_INT(count_files(&f, false), f.files ? epoch + 1 : 0);
            CHECK_INT(count_files(&f, true), 0);
            text_free(&token);
        }
    }
}

TEST(commit_can_be_repeated)
{
    EVERY_SINK(f)
    {
        write_rows(&f, 0, 0, 10);
        struct text token = prepare(&f, 0, 10);
        for (int i = 0; i < 3; i++)
            CHECK_INT(commit(&f, 0, &token), E_OK);
        CHECK_INT(count_files(&f, false), f.files);
        text_free(&token);
    }
}

TEST(an_epoch_without_rows_has_no_files)
{
    EVERY_SINK(f)
    {
        write_rows(&f, 0, 7, 0);
        struct text token = prepare(&f, 7, 0);
        CHECK_INT(commit(&f, 7, &token), E_OK);
        CHECK_INT(count_files(&f, false), 0);
        CHECK_INT(count_files(&f, true), 0);
        text_free(&token);
    }
}

TEST(abort_leaves_nothing)
{
    EVERY_SINK(f)
    {
        for (int prepared = 0; prepared < 2; prepared++) {
            write_rows(&f, 0, 0, 10);
            if (prepared) {
                struct text token = prepare(&f, 0, 10);
                text_free(&token);
            }
            f.type->abort(f.sink, 0);
            CHECK_INT(count_files(&f, false), 0);
            CHECK_INT(count_files(&f, true), 0);
        }
        write_rows(&f, 0, 0, 3); // the epoch can be tried again
        struct text token = prepare(&f, 0, 3);
        CHECK_INT(commit(&f, 0, &token), E_OK);
        CHECK_INT(count_files(&f, false), f.files);
        text_free(&token);
    }
}

TEST(a_new_process_commits_the_token)
{
    EVERY_SINK(f)
    {
        write_rows(&f, 1, 4, 10);
        struct text token = prepare(&f, 4, 10);
        close_sink(&f);
        CHECK_INT(count_files(&f, false), 0);
        open_sink(&f);
        CHECK_INT(commit(&f, 4, &token), E_OK);
        CHECK_INT(count_files(&f, false), f.files);
        close_sink(&f);
        open_sink(&f);
        CHECK_INT(commit(&f, 4, &token), E_OK);
        CHECK_INT(count_files(&f, false), f.files);
        text_free(&token);
    }
}

/* Its record may still come, from a process that is only frozen. */
TEST(what_an_attempt_staged_goes_when_another_one_is_committed)
{
    EVERY_SINK(f)
    {
        if (f.type->collect == NULL)
            continue;
        struct error err = {0};
        write_rows(&f, 0, 4, 10);
        struct text token = prepare(&f, 4, 10);
        close_sink(&f);
        CHECK_INT(count_files(&f, true), f.files);
        open_sink(&f);
        CHECK_INT(f.type->collect(f.sink, &err), E_OK);
        CHECK_INT(count_files(&f, true), f.files);
        text_free(&token);
        write_rows(&f, 0, 4, 10);
        token = prepare(&f, 4, 10);
        CHECK_INT(commit(&f, 4, &token), E_OK);
        CHECK_INT(f.type->collect(f.sink, &err), E_OK);
        CHECK_INT(count_files(&f, true), 0);
        text_free(&token);
    }
}

TEST(files_that_someone_deleted_are_missed)
{
    EVERY_SINK(f)
    {
        if (!f.files)
            continue;
        struct error err = {0};
        struct store_list list = {0};
        write_rows(&f, 0, 0, 10);
        struct text token = prepare(&f, 0, 10);
        CHECK_INT(store_list(f.store, "_staging", false, &list, &err), E_OK);
        for (int32_t i = 0; i < list.count; i++)
            CHECK_INT(store_remove(f.store, list.entries[i].path, &err), E_OK);
        store_list_free(&list);
        CHECK_INT(commit(&f, 0, &token), E_LOST);
        text_free(&token);
    }
}

TEST(a_token_that_is_none_is_refused)
{
    static const char *const bad[] = {
        "x",
        "{\"files\":7}",
        "{\"files\":[{}]}",
        "{\"files\":[{\"staged\":\"_staging/a.staged\",\"final\":\"a\","
        "\"size\":-1,\"rows\":1,\"checksum\":\"0123456789abcdef\"}]}",
        "{\"files\":[{\"staged\":\"../a\","
        "\"final\":\"a\",\"size\":1,\"rows\":1,\"checksum\":\"0123456789abcdef\"}]}",
        "{\"files\":[{\"staged\":\"_staging/a.staged\",\"final\":\"_staging/b\","
        "\"size\":1,\"rows\":1,\"checksum\":\"0\"}]}",
    };
    EVERY_SINK(f)
    {
        for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
            struct error err = {0};
            bool used =
                f.files || (i == 0 && strcmp(f.type->name, "kafka") != 0); // that one's transaction is its commit
            if (!used)
                continue;
            CHECK_INT(f.type->commit(f.sink, 0, bytes_of_string(bad[i]), &err), E_CORRUPT);
        }
    }
}

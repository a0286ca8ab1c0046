/* What recovery does with staged records, by what the broker says; with a broker of three lines. */
#include "runtime/epoch_transaction.h"

#include <stdio.h>

#include "failing_os.h"
#include "kit.h"

/* ---- a broker that remembers one mark ---- */

static struct {
    struct transaction_mark mark; /* what ask() answers */
    int32_t asked, begun, aborted, committed;
    int64_t next[4]; /* offsets of the last commit, by partition */
    int32_t offset_count;
    char asked_at[200]; /* topic/partition of each that was asked for */
    enum code commit_fails;
    bool commit_happens; /* although it fails */
    char options[400];
} broker;

static enum code fake_open(void *self, const struct transaction_spec *spec, struct error *err)
{
    (void)self, (void)err;
    struct text text = {0};
    for (int32_t i = 0; i < spec->option_count; i++)
        text_printf(&text, "%s=%s ", spec->option_names[i], spec->option_values[i]);
    text_printf(&text, "mark=%s", spec->mark_topic == NULL ? "" : spec->mark_topic);
    snprintf(broker.options, sizeof broker.options, "%s", text.data);
    text_free(&text);
    return E_OK;
}

static enum code fake_ask(void *self, const struct transaction_offset *marked, int32_t count,
                          struct transaction_mark *out, struct error *err)
{
    (void)self, (void)err;
    struct text text = {0};
    for (int32_t i = 0; i < count; i++)
        text_printf(&text, "%s/%d ", marked[i].topic, marked[i].partition);
    snprintf(broker.asked_at, sizeof broker.asked_at, "%s", count > 0 ? text.data : "");
    text_free(&text);
    broker.asked++;
    broker.offset_count = count;
    *out = broker.mark;
    return E_OK;
}

static enum code fake_begin(void *self, struct error *err)
{
    (void)self, (void)err;
    broker.begun++;
    return E_OK;
}

static enum code fake_commit(void *self, const struct transaction_offset *offsets, int32_t count,
                             const struct transaction_mark *mark, struct error *err)
{
    (void)self;
    broker.offset_count = count;
    for (int32_t i = 0; i < count; i++)
        broker.next[offsets[i].partition] = offsets[i].next;
    if (broker.commit_fails != E_OK && !broker.commit_happens)
        return fail(err, broker.commit_fails, "refused");
    broker.mark = *mark;
    broker.committed++;
    return broker.commit_fails == E_OK ? E_OK : fail(err, broker.commit_fails, "the answer never came");
}

static void fake_abort(void *self)
{
    (void)self;
    broker.aborted++;
}

static void fake_close(void *self) { (void)self; }

static const struct transaction_type fake = {
    .name = "fake",
    .size = 1,
    .open = fake_open,
    .ask = fake_ask,
    .begin = fake_begin,
    .commit = fake_commit,
    .abort = fake_abort,
    .close = fake_close,
};

/* ---- a pipeline from one topic to another, and its chain ---- */

static struct setting source_options[] = {{.name = "kafka.bootstrap.servers", .value = "b:2,A:1"}};
static struct setting sink_options[] = {{.name = "Kafka.Bootstrap.Servers", .value = "a:1"},
                                        {.name = "topic", .value = "out"},
                                        {.name = "kafka.linger.ms", .value = "7"}};
static struct setting second_options[] = {{.name = "kafka.bootstrap.servers", .value = "c:3, a:1"},
                                          {.name = "kafka.linger.ms", .value = "7"}};
static struct pipeline_source source = {.name = "s", .format = "kafka", .options = source_options, .option_count = 1};
static const struct pipeline_source *const sources[] = {&source};
static const struct pipeline_table first = {
    .name = "first", .format = "kafka", .properties = sink_options, .property_count = 3};
static const struct pipeline_table second = {
    .name = "second", .format = "KAFKA", .properties = second_options, .property_count = 2};
static const struct pipeline_table *const tables[] = {&first, &second};
static struct pipeline pipeline = {.sources = sources, .source_count = 1, .tables = tables, .table_count = 2};

struct world {
    struct store *store;
    struct chain *chain;
    struct epoch_transaction transaction;
    struct error err;
};

static void world_open(struct world *w, const char *folder)
{
    const struct epoch_transaction_spec spec = {.pipeline = &pipeline, .query_id = "0123456789abcdef", .task = "0"};
    *w = (struct world){0};
    transaction_install(&fake);
    CHECK(store_open(folder, &w->store, &w->err) == E_OK);
    CHECK(chain_open(w->store, "0", "p", &w->chain, &w->err) == E_OK);
    CHECK(epoch_transaction_open(&w->transaction, &spec, &w->err) == E_OK);
}

static void world_close(struct world *w)
{
    epoch_transaction_close(&w->transaction);
    chain_close(w->chain);
    store_close(w->store);
    transaction_install(NULL);
}

/* The process dies and another one starts. */
static void world_restart(struct world *w, const char *folder)
{
    world_close(w);
    world_open(w, folder);
}

static struct chain_record record_of(int64_t epoch, struct chain_range *ranges)
{
    ranges[0] = (struct chain_range){.source = "s",
                                     .topic = "in",
                                     .topic_id = "",
                                     .partition = 0,
                                     .from = epoch * 10,
                                     .to = epoch * 10 + 10,
                                     .rows = 10};
    ranges[1] = (struct chain_range){.source = "s", .topic = "in", .topic_id = "", .partition = 3, .from = 5, .to = 5};
    return (struct chain_record){
        .epoch = epoch, .timezone = "UTC", .ranges = ranges, .range_count = 2, .transaction = true};
}

static enum code record_go(struct world *w, const struct chain_record *record, int step)
{
    TRY(epoch_transaction_begin(&w->transaction, &w->err));
    TRY(chain_stage(w->chain, record, &w->err));
    if (step >= 2)
        TRY(epoch_transaction_commit(&w->transaction, record, chain_nonce(w->chain), &w->err));
    return step >= 3 ? chain_enter(w->chain, record, &w->err) : E_OK;
}

/* One epoch up to `step`: 1 staged, 2 committed at the broker, 3 in the chain. */
static enum code epoch_go(struct world *w, int64_t epoch, int step)
{
    struct arena arena = {0};
    struct chain_range ranges[2];
    struct chain_record record = record_of(epoch, ranges);
    record.place = epoch_transaction_place(&w->transaction, &record, &arena);
    enum code code = record_go(w, &record, step);
    arena_free(&arena);
    return code;
}

static int32_t staged_count(struct world *w)
{
    struct arena arena = {0};
    struct chain_staged *items;
    int32_t count = -1;
    CHECK(chain_staged(w->chain, &arena, &items, &count, &w->err) == E_OK);
    arena_free(&arena);
    return count;
}

static void settles_at(struct world *w, int64_t head)
{
    enum code code = epoch_transaction_settle(&w->transaction, w->chain, false, &w->err);
    CHECK_INT(code, E_OK);
    CHECK_INT(chain_head(w->chain), head);
    CHECK_INT(staged_count(w), 0);
}

static void broker_reset(void) { memset(&broker, 0, sizeof broker), broker.mark.epoch = -1; }

TEST(transaction_options_of_all_sinks_on_the_cluster)
{
    struct world w;
    broker_reset();
    world_open(&w, kit_tmpdir());
    CHECK_STR(broker.options, "kafka.bootstrap.servers=a:1 kafka.linger.ms=7 mark=out");
    CHECK(epoch_transaction_sender(&w.transaction) != NULL);
    CHECK(epoch_transaction_shows(&w.transaction, &source));
    world_close(&w);
    second_options[1].value = "8";
    const struct epoch_transaction_spec spec = {.pipeline = &pipeline, .query_id = "q", .task = "0"};
    struct error err = {0};
    CHECK(epoch_transaction_open(&w.transaction, &spec, &err) == E_SPEC);
    CHECK(strstr(err.text, "kafka.linger.ms") != NULL);
    second_options[1].value = "7";
}

TEST(transaction_carries_the_sources_offsets)
{
    struct world w;
    broker_reset();
    world_open(&w, kit_tmpdir());
    settles_at(&w, -1);
    CHECK_INT(broker.asked, 0); // nothing can have been committed
    CHECK(epoch_go(&w, 0, 3) == E_OK);
    CHECK_INT(broker.offset_count, 2);
    CHECK_INT(broker.next[0], 10);
    CHECK_INT(broker.next[3], 5);
    CHECK_INT(broker.mark.epoch, 0);
    epoch_transaction_abort(&w.transaction); // nothing is open
    CHECK_INT(broker.aborted, 0);
    CHECK(epoch_go(&w, 1, 1) == E_OK);
    epoch_transaction_abort(&w.transaction);
    CHECK_INT(broker.aborted, 1);
    world_close(&w);
}

TEST(settle_adopts_what_was_committed)
{
    struct world w;
    char folder[200];
    snprintf(folder, sizeof folder, "%s", kit_tmpdir());
    broker_reset();
    world_open(&w, folder);
    CHECK(epoch_go(&w, 0, 2) == E_OK);
    world_restart(&w, folder);
    settles_at(&w, 0);
    CHECK(epoch_go(&w, 1, 3) == E_OK);
    world_restart(&w, folder);
    settles_at(&w, 1);
    CHECK(epoch_go(&w, 2, 1) == E_OK);
    world_restart(&w, folder);
    settles_at(&w, 1); // never committed
    CHECK(epoch_go(&w, 2, 2) == E_OK);
    world_restart(&w, folder);
    settles_at(&w, 2);
    struct arena arena = {0};
    struct chain_record record;
    CHECK(chain_read(w.chain, 2, &arena, &record, &w.err) == E_OK);
    CHECK(record.transaction && record.range_count == 2 && record.nonce == broker.mark.nonce);
    arena_free(&arena);
    world_close(&w);
}

TEST(settle_after_a_lost_answer)
{
    struct world w;
    char folder[200];
    snprintf(folder, sizeof folder, "%s", kit_tmpdir());
    for (int happens = 0; happens < 2; happens++) {
        broker_reset();
        world_open(&w, folder);
        settles_at(&w, -1);
        broker.commit_fails = E_BROKER;
        broker.commit_happens = happens == 1;
        CHECK(epoch_go(&w, 0, 3) == E_BROKER);
        epoch_transaction_abort(&w.transaction); // only the broker knows: it must not be touched
        CHECK_INT(broker.aborted, 0);
        world_restart(&w, folder);
        settles_at(&w, happens - 1);
        world_close(&w);
    }
}

TEST(settle_stops_when_nobody_knows)
{
    struct world w;
    char folder[200];
    snprintf(folder, sizeof folder, "%s", kit_tmpdir());
    broker_reset();
    world_open(&w, folder);
    CHECK(epoch_go(&w, 0, 3) == E_OK);
    CHECK(epoch_go(&w, 1, 2) == E_OK);
    broker.mark = (struct transaction_mark){.epoch = -1}; // the group was deleted
    world_restart(&w, folder);
    CHECK(epoch_transaction_settle(&w.transaction, w.chain, false, &w.err) == E_LOST);
    CHECK(strstr(w.err.text, ".staged to 0000000000000001.json") != NULL);
    CHECK_INT(staged_count(&w), 1); // nothing was touched
    struct arena arena = {0};
    struct chain_staged *staged;
    int32_t count;
    CHECK(chain_staged(w.chain, &arena, &staged, &count, &w.err) == E_OK);
    CHECK(chain_unstage(w.chain, staged, count, &w.err) == E_OK);
    arena_free(&arena);
    settles_at(&w, 0); // deleted by hand: goes on, with a warning
    world_close(&w);
}

TEST(settle_refuses_an_older_checkpoint)
{
    struct world w;
    char folder[200];
    snprintf(folder, sizeof folder, "%s", kit_tmpdir());
    broker_reset();
    world_open(&w, folder);
    CHECK(epoch_go(&w, 0, 3) == E_OK);
    struct transaction_mark good = broker.mark;
    broker.mark.epoch = 7;
    CHECK(epoch_transaction_settle(&w.transaction, w.chain, false, &w.err) == E_LOST);
    CHECK(strstr(w.err.text, "older backup") != NULL);
    broker.mark = (struct transaction_mark){.epoch = 0, .nonce = good.nonce + 1}; // another process's epoch 0
    CHECK(epoch_transaction_settle(&w.transaction, w.chain, false, &w.err) == E_LOST);
    broker.mark = (struct transaction_mark){.epoch = 1, .nonce = 5}; // committed, but its record is gone
    CHECK(epoch_transaction_settle(&w.transaction, w.chain, false, &w.err) == E_LOST);
    CHECK(strstr(w.err.text, "0000000000000005.staged") != NULL);
    broker.mark = good;
    settles_at(&w, 0);
    world_close(&w);
}

TEST(a_staged_record_keeps_its_state_files)
{
    struct world w;
    char folder[200];
    snprintf(folder, sizeof folder, "%s", kit_tmpdir());
    broker_reset();
    world_open(&w, folder);
    CHECK(store_put_new(w.store, "state/0/0000000000000000-1", bytes_of_string("x"), &w.err) == E_OK);
    CHECK(epoch_go(&w, 0, 2) == E_OK);
    world_restart(&w, folder);
    int64_t size;
    CHECK(store_size(w.store, "state/0/0000000000000000-1", &size, &w.err) == E_OK);
    settles_at(&w, 0);
    world_close(&w);
}

/* ---- the project changes while a staged record waits ---- */

static enum code settle(struct world *w, bool accept)
{
    error_clear(&w->err);
    return epoch_transaction_settle(&w->transaction, w->chain, accept, &w->err);
}

TEST(settle_asks_where_the_record_says)
{
    struct world w;
    char folder[200];
    snprintf(folder, sizeof folder, "%s", kit_tmpdir());
    broker_reset();
    world_open(&w, folder);
    CHECK(epoch_go(&w, 0, 2) == E_OK);
    source.name = "renamed";
    world_restart(&w, folder);
    settles_at(&w, 0);
    CHECK_STR(broker.asked_at, "in/0 in/3 ");
    CHECK(epoch_go(&w, 1, 2) == E_OK); // nothing of the source is in it: the topic carries the mark
    sink_options[1].value = "other";
    world_restart(&w, folder);
    settles_at(&w, 1);
    CHECK_STR(broker.asked_at, "in/0 in/3 out/0 ");
    sink_options[1].value = "out";
    source.name = "s";
    world_close(&w);
}

/* Committed, or not: elsewhere nobody says so. */
static void refuses_elsewhere(struct world *w, const char *folder, const char *words)
{
    struct transaction_mark mark = broker.mark;
    broker.mark.epoch = -1;
    world_restart(w, folder);
    CHECK_INT(settle(w, false), E_CHANGED);
    CHECK(strstr(w->err.text, words) != NULL);
    CHECK(strstr(w->err.text, "--accept") != NULL);
    CHECK_INT(staged_count(w), 1);
    CHECK_INT(settle(w, true), E_OK);
    CHECK_INT(chain_head(w->chain), -1);
    CHECK_INT(staged_count(w), 1); // until a record of its epoch is in the chain
    broker.mark = mark;
}

TEST(settle_refuses_to_ask_elsewhere)
{
    struct world w;
    char folder[200];
    snprintf(folder, sizeof folder, "%s", kit_tmpdir());
    broker_reset();
    world_open(&w, folder);
    CHECK(epoch_go(&w, 0, 2) == E_OK);
    sink_options[0].value = "alias:1";
    refuses_elsewhere(&w, folder, "kafka.bootstrap.servers a:1, group leat-01234567");
    sink_options[0].value = "a:1";
    sink_options[2] = (struct setting){.name = "kafka.group.id", .value = "mine"};
    refuses_elsewhere(&w, folder, "The project now has: kafka.bootstrap.servers a:1, group mine");
    sink_options[2] = (struct setting){.name = "kafka.linger.ms", .value = "7"};
    pipeline.table_count = 0;
    refuses_elsewhere(&w, folder, "The project now has: no sink of format kafka");
    pipeline.table_count = 2;
    world_restart(&w, folder);
    settles_at(&w, 0); // put back
    sink_options[2] = (struct setting){.name = "kafka.group.id", .value = "mine"};
    CHECK(epoch_go(&w, 1, 3) == E_OK);
    broker.mark.epoch = -1;
    world_restart(&w, folder);
    settles_at(&w, 1); // nothing waits: it may be changed
    CHECK(epoch_go(&w, 2, 1) == E_OK);
    world_restart(&w, folder);
    settles_at(&w, 1); // the first one there was not committed, and the group was not deleted
    sink_options[2] = (struct setting){.name = "kafka.linger.ms", .value = "7"};
    world_close(&w);
}

TEST(a_given_up_epoch_does_not_come_back)
{
    struct world w;
    char folder[200];
    snprintf(folder, sizeof folder, "%s", kit_tmpdir());
    broker_reset();
    world_open(&w, folder);
    CHECK(epoch_go(&w, 0, 2) == E_OK);
    struct transaction_mark old = broker.mark;
    broker.mark.epoch = -1;
    sink_options[0].value = "alias:1";
    world_restart(&w, folder);
    CHECK_INT(settle(&w, true), E_OK);
    CHECK(epoch_go(&w, 0, 2) == E_OK);
    world_restart(&w, folder);
    settles_at(&w, 0); // the second attempt's
    CHECK(epoch_go(&w, 1, 3) == E_OK);
    sink_options[0].value = "a:1";
    broker.mark = old;
    world_restart(&w, folder);
    settles_at(&w, 1);
    world_close(&w);
}

TEST(settle_stops_when_others_use_the_group)
{
    struct world w;
    char folder[200];
    snprintf(folder, sizeof folder, "%s", kit_tmpdir());
    broker_reset();
    world_open(&w, folder);
    CHECK(epoch_go(&w, 0, 2) == E_OK);
    struct transaction_mark good = broker.mark;
    broker.mark = (struct transaction_mark){.epoch = -1, .foreign = true};
    world_restart(&w, folder);
    CHECK_INT(settle(&w, false), E_LOST);
    CHECK(strstr(w.err.text, "this query's own") != NULL);
    CHECK_INT(staged_count(&w), 1);
    broker.mark = good;
    settles_at(&w, 0);
    broker.mark = (struct transaction_mark){.epoch = -1, .foreign = true};
    settles_at(&w, 0); // nothing waits: only warned of
    world_close(&w);
}

TEST(the_transactions_group_gets_no_mirror)
{
    struct world w;
    struct setting options[] = {source_options[0], {.name = "kafka.group.id", .value = "mine"}};
    const struct pipeline_source own = {.name = "s", .format = "kafka", .options = options, .option_count = 2};
    broker_reset();
    world_open(&w, kit_tmpdir());
    CHECK(!epoch_transaction_shows(&w.transaction, &own));
    options[1].value = "leat-01234567";
    CHECK(epoch_transaction_shows(&w.transaction, &own));
    options[1] = (struct setting){.name = "groupIdPrefix", .value = "x"};
    CHECK(!epoch_transaction_shows(&w.transaction, &own));
    world_close(&w);
    sink_options[2] = (struct setting){.name = "kafka.group.id", .value = "x-leat-01234567"};
    world_open(&w, kit_tmpdir());
    CHECK(epoch_transaction_shows(&w.transaction, &own));
    sink_options[2] = (struct setting){.name = "kafka.linger.ms", .value = "7"};
    world_close(&w);
}

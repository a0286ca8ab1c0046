/* An audit of chains without tables: what the records say of themselves. Files and tables: tests/interop/audit_test.py. */
#include "kit.h"

#include <stdio.h>

#include "runtime/chain.h"
#include "runtime/replay_request.h"

static char folder[256];

struct world {
    struct arena arena;
    struct store *store;
    struct chain *chain;
    struct setting settings[2];
    struct pipeline pipeline;
    struct audit_report report;
};

static void world_open(struct world *self)
{
    struct error err = {0};
    *self = (struct world){0};
    snprintf(folder, sizeof folder, "%s", kit_tmpdir());
    self->settings[0] = (struct setting){.name = "leat.checkpoint", .value = folder};
    self->settings[1] = (struct setting){.name = "leat.tables.path", .value = folder};
    self->pipeline = (struct pipeline){.name = "p", .settings = self->settings, .setting_count = 2};
    CHECK_INT(store_open(folder, &self->store, &err), E_OK);
    CHECK_INT(chain_open(self->store, "0", "p", &self->chain, &err), E_OK);
}

static void world_close(struct world *self)
{
    chain_close(self->chain);
    store_close(self->store);
    arena_free(&self->arena);
}

/* The epoch after the head: one range, one ledger of its rows. */
static void append(struct world *self, struct chain_range range, struct ledger counts)
{
    struct error err = {0};
    struct chain_slot slot = {0, counts};
    struct chain_ledger ledger = {"t", counts, &slot, 1};
    range.source = "s";
    range.topic = "a";
    range.topic_id = "";
    const struct chain_record record = {
        .epoch = chain_head(self->chain) + 1,
        .timezone = "UTC",
        .records = range.rows,
        .ranges = &range,
        .range_count = 1,
        .ledgers = &ledger,
        .ledger_count = 1,
    };
    CHECK_INT(chain_append(self->chain, &record, &err), E_OK);
}

static void append_plain(struct world *self, int64_t from, int64_t to)
{
    append(self, (struct chain_range){.from = from, .to = to, .rows = to - from},
           (struct ledger){.in = to - from, .out = to - from});
}

/* Kinds of the findings, one after the other. */
static const char *audit(struct world *self)
{
    struct error err = {0};
    struct text kinds = {0};
    const struct audit_request request = {0};
    CHECK_INT(pipeline_audit(&self->pipeline, &request, &self->arena, &self->report, &err), E_OK);
    for (int32_t i = 0; i < self->report.finding_count - self->report.note_count; i++)
        text_printf(&kinds, "%s%s@%d", i > 0 ? " " : "", self->report.findings[i].kind,
                    (int)self->report.findings[i].epoch);
    const char *kept = arena_strdup(&self->arena, kinds.data != NULL ? kinds.data : "");
    text_free(&kinds);
    return kept;
}

TEST(a_chain_that_goes_on_is_clean)
{
    struct world world;
    world_open(&world);
    CHECK_STR(audit(&world), "");
    CHECK_INT(world.report.head, -1);
    append_plain(&world, 5, 10);
    append_plain(&world, 10, 10);
    append(&world, (struct chain_range){.from = 10, .to = 20, .rows = 7},
           (struct ledger){.in = 7, .out = 4, .filtered = 3});
    CHECK_STR(audit(&world), "");
    CHECK_INT(world.report.head, 2);
    CHECK_INT(world.report.range_count, 1);
    CHECK_INT(world.report.ranges[0].from, 5);
    CHECK_INT(world.report.ranges[0].to, 20);
    CHECK_INT(world.report.ranges[0].rows, 12);
    CHECK_INT(world.report.ranges[0].gaps, 3);
    world_close(&world);
}

TEST(holes_and_overlaps_of_offsets_are_found)
{
    struct world world;
    world_open(&world);
    append_plain(&world, 0, 10);
    append_plain(&world, 12, 20);
    append_plain(&world, 17, 30);
    append(&world, (struct chain_range){.from = 0, .to = 4, .rows = 4, .anew = true},
           (struct ledger){.in = 4, .out = 4});
    CHECK_STR(audit(&world), "offsets_missing@1 offsets_doubled@2 topic_anew@3");
    CHECK_INT(world.report.ranges[0].missing, 2);
    CHECK_INT(world.report.ranges[0].doubled, 3);
    world_close(&world);
}

TEST(losses_that_were_accepted_are_told)
{
    struct world world;
    world_open(&world);
    append_plain(&world, 0, 10);
    append(&world, (struct chain_range){.from = 10, .to = 100, .rows = 20, .lost = 60},
           (struct ledger){.in = 20, .out = 20});
    CHECK_STR(audit(&world), "offsets_lost@1");
    CHECK_INT(world.report.ranges[0].lost, 60);
    CHECK_INT(world.report.ranges[0].gaps, 10);
    world_close(&world);
}

TEST(counts_that_contradict_each_other_are_found)
{
    struct world world;
    world_open(&world);
    append(&world, (struct chain_range){.from = 0, .to = 10, .rows = 11}, (struct ledger){.in = 11, .out = 11});
    append(&world, (struct chain_range){.from = 10, .to = 20, .rows = 10}, (struct ledger){.in = 9, .out = 9});
    append(&world, (struct chain_range){.from = 20, .to = 30, .rows = 10},
           (struct ledger){.in = 10, .out = 8, .late = 1});
    append(&world, (struct chain_range){.from = 30, .to = 40, .rows = 10},
           (struct ledger){.in = 20, .out = 20}); // read twice
    CHECK_STR(audit(&world), "rows_too_many@0 ledger_differs@1 ledger_open@2 ledger_open@2");
    world_close(&world);
}

TEST(a_record_that_is_gone_is_missed)
{
    struct world world;
    struct error err = {0};
    world_open(&world);
    for (int i = 0; i < 5; i++)
        append_plain(&world, 10 * i, 10 * i + 10);
    CHECK_INT(store_remove(world.store, "chain/0/0000000000000002.json", &err), E_OK);
    CHECK_STR(audit(&world), "record_missing@2");
    CHECK_INT(
        store_put_over(world.store, "chain/0/0000000000000002.json", bytes_of_string("{}\n0123456789abcdef\n"), &err),
        E_OK);
    CHECK_STR(audit(&world), "record_damaged@2");
    CHECK_INT(store_remove(world.store, "chain/0/0000000000000002.json", &err), E_OK);
    CHECK_INT(store_remove(world.store, "chain/0/0000000000000001.json", &err), E_OK);
    CHECK_INT(store_remove(world.store, "chain/0/0000000000000000.json", &err), E_OK);
    CHECK_STR(audit(&world), ""); // as trimming leaves it
    world_close(&world);
}

/* Requests 0 to count - 1, empty ones. */
static void ask(struct world *self, int64_t count)
{
    struct error err = {0};
    struct batch none;
    batch_init(&none, replay_schema(&self->arena), 0);
    for (int32_t c = 0; c < none.schema->field_count; c++)
        column_all_null(&none.columns[c], none.schema->fields[c].type, 0);
    for (int64_t number = 0; number < count; number++)
        CHECK_INT(replay_write(self->store, number, &none, &err), E_OK);
    batch_release(&none);
}

TEST(requests_that_wait_are_read)
{
    struct world world;
    struct error err = {0};
    char path[REPLAY_PATH_MAX];
    world_open(&world);
    append_plain(&world, 0, 10);
    ask(&world, 3);
    CHECK_STR(audit(&world), "");
    replay_path(2, path);
    CHECK_INT(store_put_over(world.store, path, bytes_of_string("PAR1 no more"), &err), E_OK);
    CHECK_STR(audit(&world), "request_damaged@-1");
    replay_path(1, path);
    CHECK_INT(store_remove(world.store, path, &err), E_OK);
    CHECK_STR(audit(&world), "request_missing@-1 request_damaged@-1");
    world_close(&world);
}

TEST(a_staged_record_of_the_next_epoch_is_read)
{
    struct world world;
    struct error err = {0};
    struct chain_range range = {.source = "s", .topic = "a", .topic_id = "", .from = 10, .to = 20, .rows = 10};
    world_open(&world);
    append_plain(&world, 0, 10);
    const struct chain_record next = {.epoch = 1, .timezone = "UTC", .records = 10, .ranges = &range, .range_count = 1};
    CHECK_INT(chain_stage(world.chain, &next, &err), E_OK);
    CHECK_STR(audit(&world), "");
    struct chain_staged *staged;
    int32_t count;
    CHECK_INT(chain_staged(world.chain, &world.arena, &staged, &count, &err), E_OK);
    CHECK_INT(count, 1);
    CHECK_INT(store_put_over(world.store, staged[0].path, bytes_of_string("{\"version\":3"), &err), E_OK);
    CHECK_STR(audit(&world), "staged_damaged@1");
    world_close(&world);
}

#include "runtime/chain.h"

#include <stdio.h>

#include "base/fault.h"
#include "base/os.h"
#include "failing_os.h"
#include "kit.h"

/* ---- records ---- */

static uint64_t below(uint64_t n) { return kit_random() % n; }

static const char *random_text(struct arena *arena)
{
    static const char *const texts[] = {"", "transactions", "a \"b\" \\ \n\t", "caf\xc3\xa9 \xe2\x98\x83", "x/y=1"};
    return below(3) == 0 ? arena_printf(arena, "t%llu", (unsigned long long)kit_random()) : texts[below(5)];
}

static int64_t random_count(void) { return (int64_t)(kit_random() >> (below(62) + 1)); }

/* Of some of the ranges. */
static struct chain_slot *random_slots(struct arena *arena, int32_t range_count, int32_t *count)
{
    struct chain_slot *slots = arena_array(arena, struct chain_slot, (size_t)range_count);
    *count = 0;
    for (int32_t range = 0; range < range_count; range++)
        if (below(2) == 0)
            slots[(*count)++] = (struct chain_slot){range, {.in = random_count(), .duplicates = random_count()}};
    return slots;
}

static struct chain_record random_record(struct arena *arena)
{
    static const char *const tokens[] = {"{}", "{\"files\":[{\"staged\":\"_staging/a\",\"size\":12}]}", "[]",
                                         "not JSON at all", "7"};
    struct chain_record record = {.version = CHAIN_VERSION,
                                  .epoch = random_count(),
                                  .query_id = "0123456789abcdef",
                                  .task = "0",
                                  .nonce = kit_random(),
                                  .fingerprint = kit_random(),
                                  .batch_time_us = random_count(),
                                  .timezone = random_text(arena),
                                  .ansi = below(2),
                                  .records = random_count()};
    record.group_count = (int32_t)below(4);
    record.groups = arena_array(arena, struct watermark_time, (size_t)record.group_count);
    for (int32_t i = 0; i < record.group_count; i++)
        record.groups[i] = (struct watermark_time){-random_count(), random_count(), INT64_MIN + random_count()};
    record.watermark_count = (int32_t)below(4);
    record.watermarks = arena_array(arena, struct chain_watermark, (size_t)record.watermark_count);
    for (int32_t i = 0; i < record.watermark_count; i++)
        record.watermarks[i] = (struct chain_watermark){kit_random(), "at, delay 5 minutes", random_count()};
    record.range_count = (int32_t)below(5);
    record.ranges = arena_array(arena, struct chain_range, (size_t)record.range_count);
    for (int32_t i = 0; i < record.range_count; i++) {
        int64_t from = (int64_t)below(1000000);
        record.ranges[i] = (struct chain_range){
            .source = random_text(arena),
            .topic = random_text(arena),
            .topic_id = random_text(arena),
            .partition = (int32_t)below(100),
            .from = from,
            .to = from + 500 + (int64_t)below(1000),
            .rows = (int64_t)below(1000),
            .lost = (int64_t)below(2) * 250,
            .in_bytes = below(2) == 0,
            .anew = below(2) == 0,
        };
    }
    record.sink_count = (int32_t)below(4);
    record.sinks = arena_array(arena, struct chain_sink, (size_t)record.sink_count);
    for (int32_t i = 0; i < record.sink_count; i++)
        record.sinks[i] =
            (struct chain_sink){random_text(arena), tokens[below(5)], below(2) == 0 ? random_text(arena) : NULL};
    record.state_count = (int32_t)below(3);
    record.states = arena_array(arena, struct chain_state, (size_t)record.state_count);
    for (int32_t i = 0; i < record.state_count; i++)
        record.states[i] = (struct chain_state){.node = (int32_t)below(9),
                                                .identity = kit_random(),
                                                .name = random_text(arena),
                                                .what = random_text(arena),
                                                .entries = random_count(),
                                                .group = (int32_t)below(3) - 1,
                                                .shards = 4,
                                                .whole_from = 1,
                                                .whole_to = 1 + (int32_t)below(4),
                                                .path = random_text(arena),
                                                .size_bytes = random_count(),
                                                .checksum = kit_random()};
    record.ledger_count = (int32_t)below(3);
    record.ledgers = arena_array(arena, struct chain_ledger, (size_t)record.ledger_count);
    for (int32_t i = 0; i < record.ledger_count; i++) {
        struct chain_ledger *ledger = &record.ledgers[i];
        *ledger = (struct chain_ledger){
            random_text(arena), {.in = random_count(), .late = random_count(), .out = -1}, NULL, 0};
        ledger->slots = random_slots(arena, record.range_count, &ledger->slot_count);
    }
    record.transaction = below(2) == 0;
    if (!record.transaction || below(3) == 0) // none, or of the time when records did not say where
        return record;
    record.place = (struct chain_place){random_text(arena), random_text(arena), NULL, (int32_t)below(3)};
    record.place.marked = arena_array(arena, struct chain_marked, (size_t)record.place.marked_count);
    for (int32_t i = 0; i < record.place.marked_count; i++)
        record.place.marked[i] = (struct chain_marked){random_text(arena), (int32_t)below(100)};
    return record;
}

static void check_same_place(const struct chain_place *a, const struct chain_place *b)
{
    CHECK((a->bootstrap == NULL) == (b->bootstrap == NULL));
    CHECK_INT(a->marked_count, b->marked_count);
    if (a->bootstrap == NULL || b->bootstrap == NULL)
        return;
    CHECK_STR(a->bootstrap, b->bootstrap);
    CHECK_STR(a->group, b->group);
    for (int32_t i = 0; i < a->marked_count; i++) {
        CHECK_STR(a->marked[i].topic, b->marked[i].topic);
        CHECK_INT(a->marked[i].partition, b->marked[i].partition);
    }
}

static void check_same(const struct chain_record *a, const struct chain_record *b)
{
    CHECK_INT(a->epoch, b->epoch);
    CHECK_STR(a->query_id, b->query_id);
    CHECK_STR(a->task, b->task);
    CHECK(a->nonce == b->nonce && a->fingerprint == b->fingerprint);
    CHECK_INT(a->batch_time_us, b->batch_time_us);
    CHECK_INT(a->group_count, b->group_count);
    for (int32_t i = 0; i < a->group_count; i++) {
        const struct watermark_time *x = &a->groups[i], *y = &b->groups[i];
        CHECK(x->late_us == y->late_us && x->emit_us == y->emit_us && x->next_us == y->next_us);
    }
    CHECK_STR(a->timezone, b->timezone);
    CHECK(a->ansi == b->ansi && a->records == b->records);
    CHECK_INT(a->watermark_count, b->watermark_count);
    for (int32_t i = 0; i < a->watermark_count; i++) {
        const struct chain_watermark *x = &a->watermarks[i], *y = &b->watermarks[i];
        CHECK(x->identity == y->identity && x->at_us == y->at_us);
        CHECK_STR(x->name, y->name);
    }
    CHECK_INT(a->range_count, b->range_count);
    for (int32_t i = 0; i < a->range_count; i++) {
        const struct chain_range *x = &a->ranges[i], *y = &b->ranges[i];
        CHECK_STR(x->source, y->source);
        CHECK_STR(x->topic, y->topic);
        CHECK_STR(x->topic_id, y->topic_id);
        CHECK(x->partition == y->partition && x->from == y->from && x->to == y->to);
        CHECK(x->rows == y->rows && x->lost == y->lost && x->in_bytes == y->in_bytes && x->anew == y->anew);
    }
    CHECK_INT(a->sink_count, b->sink_count);
    for (int32_t i = 0; i < a->sink_count; i++) {
        CHECK_STR(a->sinks[i].name, b->sinks[i].name);
        CHECK_STR(a->sinks[i].token, b->sinks[i].token);
        CHECK((a->sinks[i].path == NULL) == (b->sinks[i].path == NULL));
        if (a->sinks[i].path != NULL && b->sinks[i].path != NULL)
            CHECK_STR(a->sinks[i].path, b->sinks[i].path);
    }
    CHECK_INT(a->state_count, b->state_count);
    for (int32_t i = 0; i < a->state_count; i++) {
        const struct chain_state *x = &a->states[i], *y = &b->states[i];
        CHECK_STR(x->path, y->path);
        CHECK_STR(x->name, y->name);
        CHECK_STR(x->what, y->what);
        CHECK_INT(x->entries, y->entries);
        CHECK(x->identity == y->identity && x->group == y->group);
        CHECK(x->node == y->node && x->shards == y->shards && x->whole_from == y->whole_from &&
              x->whole_to == y->whole_to && x->size_bytes == y->size_bytes && x->checksum == y->checksum);
    }
    CHECK_INT(a->ledger_count, b->ledger_count);
    for (int32_t i = 0; i < a->ledger_count; i++) {
        CHECK_STR(a->ledgers[i].table, b->ledgers[i].table);
        CHECK(memcmp(&a->ledgers[i].counts, &b->ledgers[i].counts, sizeof(struct ledger)) == 0);
        CHECK_INT(a->ledgers[i].slot_count, b->ledgers[i].slot_count);
        for (int32_t k = 0; k < a->ledgers[i].slot_count; k++)
            CHECK(memcmp(&a->ledgers[i].slots[k], &b->ledgers[i].slots[k], sizeof(struct chain_slot)) == 0);
    }
    CHECK(a->transaction == b->transaction);
    check_same_place(&a->place, &b->place);
}

TEST(a_record_survives_print_and_parse)
{
    struct arena arena = {0};
    for (int i = 0; i < 300; i++) {
        struct chain_record record = random_record(&arena), again;
        struct error err = {0};
        struct text text = {0};
        chain_record_print(&record, &text);
        if (chain_record_parse(text_view(&text), &arena, &again, &err) != E_OK)
            kit_fail(__FILE__, __LINE__, "%s: %s", err.text, text.data);
        else
            check_same(&again, &record);
        text_free(&text);
        arena_reset(&arena);
    }
    arena_free(&arena);
}

/* As leat 0.1 wrote it. */
TEST(a_record_of_version_1_is_read_as_one_group)
{
    static const char stored[] =
        "{\"version\":1,\"query_id\":\"0123456789abcdef\",\"task\":\"0\",\"epoch\":7,\"nonce\":\"00000000000000aa\","
        "\"fingerprint\":\"00000000000000bb\",\"batch_time_us\":5,\"records\":3,\"watermark\":{\"late_us\":10,\"emit_us\":20,"
        "\"next_us\":30,\"nodes\":[31,30]},\"settings\":{\"timezone\":\"UTC\",\"ansi\":true},\"ranges\":[],\"sinks\":[],"
        "\"states\":[{\"node\":4,\"whole\":true,\"path\":\"state/0/x\",\"size\":9,\"checksum\":\"00000000000000cc\"}],"
        "\"ledgers\":[{\"table\":\"gold\",\"in\":3,\"exploded\":0,\"filtered\":1,\"late\":0,\"null_time\":0,"
        "\"quarantined\":0,\"aggregated\":2,\"out\":1}]}";
    struct arena arena = {0};
    struct error err = {0};
    struct chain_record record;
    CHECK_INT(chain_record_parse(bytes_of_string(stored), &arena, &record, &err), E_OK);
    CHECK_INT(record.version, 1);
    CHECK_INT(record.group_count, 1);
    CHECK_INT(record.groups[0].late_us, 10);
    CHECK_INT(record.groups[0].emit_us, 20);
    CHECK_INT(record.groups[0].next_us, 30);
    CHECK_INT(record.watermark_count, 2);
    CHECK_INT(record.watermarks[0].at_us, 31);
    CHECK_INT((int64_t)record.watermarks[0].identity, 0);
    CHECK_INT(record.states[0].node, 4);
    CHECK_INT((int64_t)record.states[0].identity, 0);
    CHECK_INT(record.states[0].group, -1);
    CHECK_INT(record.ledgers[0].counts.aggregated, 2);
    CHECK_INT(record.ledgers[0].counts.duplicates, 0);
    arena_free(&arena);
}

/* A record of today's version with these ranges and this one ledger. */
static enum code parse_with(struct arena *arena, int version, const char *ranges, const char *partitions,
                            struct chain_record *out)
{
    struct error err = {0};
    const char *text = arena_printf(
        arena,
        "{\"version\":%d,\"query_id\":\"0123456789abcdef\",\"task\":\"0\",\"epoch\":7,\"nonce\":\"00000000000000aa\","
        "\"fingerprint\":\"00000000000000bb\",\"batch_time_us\":5,\"records\":3,\"watermarks\":{\"groups\":[],"
        "\"nodes\":[]},\"settings\":{\"timezone\":\"UTC\",\"ansi\":true},\"ranges\":[%s],\"sinks\":[],\"states\":[],"
        "\"ledgers\":[{\"table\":\"t\",\"in\":3,\"exploded\":0,\"filtered\":1,\"late\":0,\"null_time\":0,"
        "\"quarantined\":0,\"duplicates\":0,\"aggregated\":0,\"out\":2%s%s}]}",
        version, ranges, partitions[0] != '\0' ? ",\"partitions\":" : "", partitions);
    return chain_record_parse(bytes_of_string(text), arena, out, &err);
}

static const char two_ranges[] =
    "{\"source\":\"s\",\"topic\":\"a\",\"topic_id\":\"\",\"partition\":0,\"from\":10,\"to\":13},"
    "{\"source\":\"s\",\"topic\":\"a\",\"topic_id\":\"\",\"partition\":1,\"from\":5,\"to\":9,\"rows\":1,\"lost\":2}";

TEST(a_record_of_version_2_knows_no_rows_of_ranges)
{
    struct arena arena = {0};
    struct chain_record record;
    CHECK_INT(parse_with(&arena, 2, two_ranges, "", &record), E_OK);
    CHECK_INT(record.ranges[0].rows, -1);
    CHECK_INT(record.ledgers[0].slot_count, 0);
    CHECK_INT(parse_with(&arena, 3, two_ranges, "", &record), E_OK);
    CHECK_INT(record.ranges[0].rows, 3);
    CHECK_INT(record.ranges[1].rows, 1);
    CHECK_INT(record.ranges[1].lost, 2);
    arena_free(&arena);
}

TEST(partitions_of_a_ledger_are_columns)
{
    struct arena arena = {0};
    struct chain_record record;
    CHECK_INT(
        parse_with(&arena, 3, two_ranges, "{\"range\":[0,1],\"in\":[2,1],\"out\":[2,0],\"filtered\":[0,1]}", &record),
        E_OK);
    CHECK_INT(record.ledgers[0].slot_count, 2);
    CHECK_INT(record.ledgers[0].slots[1].range, 1);
    CHECK_INT(record.ledgers[0].slots[1].counts.in, 1);
    CHECK_INT(record.ledgers[0].slots[1].counts.filtered, 1);
    CHECK_INT(record.ledgers[0].slots[1].counts.late, 0);
    static const char *const bad[] = {
        "{}",
        "[]",
        "{\"range\":[0,2]}",
        "{\"range\":[1,0]}",
        "{\"range\":[0,0]}",
        "{\"range\":[-1]}",
        "{\"range\":[0,1,1]}",
        "{\"range\":[\"0\"]}",
        "{\"range\":[0],\"in\":[1,2]}",
        "{\"range\":[0],\"in\":[\"1\"]}",
        "{\"range\":[0],\"in\":1}",
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        CHECK_INT(parse_with(&arena, 3, two_ranges, bad[i], &record), E_CORRUPT);
    arena_free(&arena);
}

TEST(what_is_no_record_is_corrupt)
{
    static const char *const bad[] = {
        "",
        "{}",
        "[]",
        "null",
        "{\"version\":1}",
        "{\"version\":2}",
        "{\"version\":\"1\"}",
        "\xff",
        "{\"version\":1,\"query_id\":7}",
    };
    struct arena arena = {0};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct error err = {0};
        struct chain_record record;
        CHECK_INT(chain_record_parse(bytes_of_string(bad[i]), &arena, &record, &err), E_CORRUPT);
    }
    struct error err = {0};
    struct chain_record record;
    CHECK_INT(chain_record_parse(bytes_of_string("{\"version\":4}"), &arena, &record, &err), E_UNSUPPORTED);
    arena_free(&arena);
}

/* ---- the chain ---- */

static char root[256];
enum { PLAN = 0x1234 };

static struct store *store_fresh(void)
{
    struct error err = {0};
    struct store *store = NULL;
    snprintf(root, sizeof root, "%s", kit_tmpdir());
    CHECK_INT(store_open(root, &store, &err), E_OK);
    return store;
}

static struct store *store_again(void)
{
    struct error err = {0};
    struct store *store = NULL;
    CHECK_INT(store_open(root, &store, &err), E_OK);
    return store;
}

static struct chain *chain_or_fail(struct store *store)
{
    struct error err = {0};
    struct chain *chain = NULL;
    if (chain_open(store, "0", "orders", &chain, &err) != E_OK)
        kit_fail(__FILE__, __LINE__, "%s", err.text);
    return chain;
}

static struct chain_record record_of(struct arena *arena, int64_t epoch)
{
    struct chain_record record = {
        .epoch = epoch, .fingerprint = PLAN, .timezone = "UTC", .ansi = true, .records = epoch * 10};
    record.ranges = arena_new(arena, struct chain_range);
    record.ranges[0] = (struct chain_range){
        .source = "s", .topic = "t", .topic_id = "", .from = epoch * 10, .to = epoch * 10 + 10, .rows = 10};
    record.range_count = 1;
    record.states = arena_new(arena, struct chain_state);
    record.states[0] = (struct chain_state){.node = 3,
                                            .identity = 11,
                                            .name = "join of gold",
                                            .shards = 1,
                                            .whole_to = epoch % 3 == 0,
                                            .path = arena_printf(arena, "state/0/%d.delta", (int)epoch),
                                            .size_bytes = 5,
                                            .checksum = 7};
    record.state_count = 1;
    return record;
}

static void append_some(struct chain *chain, struct store *store, int count)
{
    struct arena arena = {0};
    for (int i = 0; i < count; i++) {
        struct error err = {0};
        struct chain_record record = record_of(&arena, chain_head(chain) + 1);
        CHECK_INT(store_put_over(store, record.states[0].path, bytes_of_string("delta"), &err), E_OK);
        CHECK_INT(chain_append(chain, &record, &err), E_OK);
    }
    arena_free(&arena);
}

static int files_below(struct store *store, const char *folder)
{
    struct error err = {0};
    struct store_list list = {0};
    CHECK_INT(store_list(store, folder, true, &list, &err), E_OK);
    int count = list.count;
    store_list_free(&list);
    return count;
}

TEST(a_chain_grows_and_is_found_again)
{
    struct store *store = store_fresh();
    struct chain *chain = chain_or_fail(store);
    char query_id[17];
    snprintf(query_id, sizeof query_id, "%s", chain_query_id(chain));
    CHECK_INT(strlen(query_id), 16);
    CHECK_INT(chain_head(chain), -1);
    CHECK_INT(chain_oldest(chain), -1);
    append_some(chain, store, 5);
    CHECK_INT(chain_head(chain), 4);
    chain_close(chain);
    store_close(store);

    struct arena arena = {0};
    struct error err = {0};
    struct chain_record record;
    store = store_again();
    chain = chain_or_fail(store);
    CHECK_STR(chain_query_id(chain), query_id);
    CHECK_INT(chain_head(chain), 4);
    CHECK_INT(chain_oldest(chain), 0);
    CHECK_INT(chain_read(chain, 3, &arena, &record, &err), E_OK);
    CHECK_INT(record.ranges[0].to, 40);
    CHECK_STR(record.query_id, query_id);
    CHECK_INT(chain_read(chain, 5, &arena, &record, &err), E_ABSENT);
    chain_close(chain);
    store_close(store);
    arena_free(&arena);
}

TEST(trimming_removes_records_and_the_state_only_they_name)
{
    struct error err = {0};
    struct store *store = store_fresh();
    struct chain *chain = chain_or_fail(store);
    append_some(chain, store, 6);
    CHECK_INT(files_below(store, "state"), 6);
    CHECK_INT(chain_trim(chain, 4, &err), E_OK);
    CHECK_INT(chain_oldest(chain), 4);
    CHECK_INT(files_below(store, "state"), 2);
    CHECK_INT(files_below(store, "chain"), 2);
    chain_close(chain);
    store_close(store);
    store = store_again();
    chain = chain_or_fail(store);
    CHECK_INT(chain_oldest(chain), 4);
    CHECK_INT(chain_head(chain), 5);
    CHECK_INT(chain_trim(chain, 5, &err), E_OK);
    CHECK_INT(files_below(store, "state"), 1);
    chain_close(chain);
    store_close(store);
}

TEST(another_process_is_refused)
{
    struct error err = {0};
    struct store *store = store_fresh(), *second = store_again();
    struct chain *chain = chain_or_fail(store), *other = NULL;
    char pid[32];
    snprintf(pid, sizeof pid, "%lld", (long long)os_process_id());
    CHECK_INT(chain_open(second, "0", "orders", &other, &err), E_EXISTS);
    CHECK(strstr(err.text, pid) != NULL && strstr(err.text, "another leat") != NULL);
    chain_close(chain);
    store_close(store);
    store_close(second);
}

/* Somebody who never took the lock wrote the next record. */
TEST(a_zombie_is_fenced)
{
    struct arena arena = {0};
    struct error err = {0};
    struct store *store = store_fresh();
    struct chain *chain = chain_or_fail(store);
    struct text theirs = {0};
    append_some(chain, store, 2);
    CHECK_INT(store_get(store, "chain/0/0000000000000001.json", 100000, &theirs, &err), E_OK);
    CHECK_INT(store_remove(store, "chain/0/0000000000000001.json", &err), E_OK);
    chain_close(chain);
    chain = chain_or_fail(store); // another nonce; head is 0 again
    CHECK_INT(store_put_new(store, "chain/0/0000000000000001.json", text_view(&theirs), &err), E_OK);
    struct chain_record record = record_of(&arena, 1);
    CHECK_INT(chain_append(chain, &record, &err), E_FENCED);
    CHECK_INT(chain_head(chain), 0);
    text_free(&theirs);
    chain_close(chain);
    store_close(store);
    arena_free(&arena);
}

static void overwrite(struct store *store, const char *path, struct bytes bytes)
{
    struct error err = {0};
    CHECK_INT(store_put_over(store, path, bytes, &err), E_OK);
}

TEST(every_flipped_byte_is_noticed)
{
    static const char path[] = "chain/0/0000000000000000.json";
    struct arena arena = {0};
    struct error err = {0};
    struct text file = {0};
    struct store *store = store_fresh();
    struct chain *chain = chain_or_fail(store), *again = NULL;
    struct chain_record record;
    append_some(chain, store, 1);
    CHECK_INT(store_get(store, path, 100000, &file, &err), E_OK);
    for (size_t i = 0; i < file.size; i += 1 + below(7)) {
        char good = file.data[i];
        file.data[i] = (char)(good ^ (1 << below(8)));
        overwrite(store, path, text_view(&file));
        CHECK_INT(chain_read(chain, 0, &arena, &record, &err), E_CORRUPT);
        CHECK(strstr(err.text, path) != NULL && strstr(err.text, "backup") != NULL);
        file.data[i] = good;
    }
    overwrite(store, path, text_view(&file));
    CHECK_INT(chain_read(chain, 0, &arena, &record, &err), E_OK);
    overwrite(store, path, bytes_of(file.data, file.size - 1));
    CHECK_INT(chain_open(store, "0", "orders", &again, &err), E_CORRUPT);
    overwrite(store, "query.json", bytes_of_string("{}"));
    CHECK_INT(chain_open(store, "0", "orders", &again, &err), E_CORRUPT);
    CHECK(strstr(err.text, "query.json") != NULL);
    chain_close(chain);
    text_free(&file);
    store_close(store);
    arena_free(&arena);
}

TEST(a_gap_or_a_lost_query_file_stops)
{
    struct error err = {0};
    struct store *store = store_fresh();
    struct chain *chain = chain_or_fail(store), *again = NULL;
    append_some(chain, store, 4);
    chain_close(chain);
    CHECK_INT(store_remove(store, "chain/0/0000000000000002.json", &err), E_OK);
    CHECK_INT(chain_open(store, "0", "orders", &again, &err), E_CORRUPT);
    CHECK(strstr(err.text, "epoch 2 is missing") != NULL);
    CHECK_INT(store_remove(store, "query.json", &err), E_OK);
    CHECK_INT(chain_open(store, "0", "orders", &again, &err), E_CORRUPT);
    CHECK(strstr(err.text, "no query.json") != NULL);
    store_close(store);
}

/* ---- faults ---- */

/* Whatever fails: E_OK means the record is there and ours; afterwards the next process finds a chain that
 * goes on. */
TEST(append_never_lies)
{
    for (int how = 0; how < FAILING_HOW_COUNT; how++) {
        for (int k = 1;; k++) {
            struct arena arena = {0};
            struct error err = {0};
            struct store *store = store_fresh();
            struct chain *chain = chain_or_fail(store);
            append_some(chain, store, 1);
            struct chain_record record = record_of(&arena, 1);
            failing_os_arm(k, (enum failing_how)how);
            enum code code = chain_append(chain, &record, &err);
            bool reached = failing_os_disarm();
            CHECK(code == E_OK || code == E_IO || code == E_FULL);
            CHECK(reached || code == E_OK);
            CHECK_INT(chain_head(chain), code == E_OK ? 1 : 0);
            chain_close(chain);
            store_close(store);
            store = store_again();
            chain = chain_or_fail(store);
            CHECK(chain_head(chain) == 1 || (code != E_OK && chain_head(chain) == 0));
            append_some(chain, store, 1);
            chain_close(chain);
            store_close(store);
            arena_free(&arena);
            if (!reached)
                break;
        }
    }
}

TEST(opening_never_lies)
{
    for (int how = 0; how < FAILING_HOW_COUNT; how++) {
        for (int k = 1;; k++) {
            struct error err = {0};
            struct store *store = store_fresh();
            struct chain *chain = NULL;
            failing_os_arm(k, (enum failing_how)how);
            enum code code = chain_open(store, "0", "orders", &chain, &err);
            bool reached = failing_os_disarm();
            CHECK(code == E_OK || code == E_IO || code == E_FULL);
            chain_close(chain);
            store_close(store);
            store = store_again();
            chain = chain_or_fail(store);
            append_some(chain, store, 2);
            chain_close(chain);
            store_close(store);
            if (!reached)
                break;
        }
    }
}

#ifdef LEAT_FAULTS
TEST(a_lost_answer_is_won_by_nonce)
{
    static const char *const specs[] = {"record_put:1:lost", "record_put:1:eio"};
    for (int i = 0; i < 2; i++) {
        struct arena arena = {0};
        struct error err = {0};
        struct store *store = store_fresh();
        struct chain *chain = chain_or_fail(store);
        struct chain_record record = record_of(&arena, 0);
        CHECK_INT(fault_arm(specs[i], &err), E_OK);
        CHECK_INT(chain_append(chain, &record, &err), E_OK);
        CHECK_INT(fault_arm(NULL, &err), E_OK);
        CHECK_INT(files_below(store, "chain"), 1);
        append_some(chain, store, 1);
        chain_close(chain);
        store_close(store);
        arena_free(&arena);
    }
}
#endif

/* Stored state: bytes that earlier versions wrote are still read, and what a shard wrote finds its way back, group by
 * group or shard by shard. */
#include "base/os.h"
#include "operator_kit.h"

#define MINUTE ((int64_t)60 * 1000000)
enum { SHARDS = 4, ROWS = 20000, STORED_MAX = 16 * 1024 * 1024 };

struct stored_test {
    struct bench_of_one base;
    const struct type *input;
    struct aggregate_spec spec;
    struct stateful *stage;
    struct text emitted;
    int64_t rows;
};

static const struct aggregate_call *bind(struct stored_test *test, const char *name, int32_t column, bool distinct)
{
    const struct aggregate_call *call = NULL;
    const struct expr *args[1];
    if (column >= 0)
        args[0] = column_expr(&test->base, test->input, column);
    CHECK_INT(aggregate_bind(&test->base.expr, name, args, column >= 0, distinct, NULL, (struct position){0}, &call,
                             &test->base.err),
              E_OK);
    return call;
}

/* card, window of a minute -> count(*), sum(amount), max(amount) and, when not flat, count(DISTINCT amount) */
static void stage_open(struct stored_test *test, bool flat)
{
    set_up(&test->base);
    test->input = schema_of(&test->base, "card STRING, ts TIMESTAMP, amount DECIMAL(12,2)");
    const struct expr **keys = arena_array(&test->base.arena, const struct expr *, 2);
    const struct aggregate_call **calls = arena_array(&test->base.arena, const struct aggregate_call *, 4);
    keys[0] = column_expr(&test->base, test->input, 0);
    calls[0] = bind(test, "count", -1, false);
    calls[1] = bind(test, "sum", 2, false);
    calls[2] = bind(test, "max", 2, false);
    if (!flat)
        calls[3] = bind(test, "count", 2, true);
    test->spec = (struct aggregate_spec){
        .name = "gold",
        .keys = keys,
        .key_count = 2,
        .calls = calls,
        .call_count = flat ? 3 : 4,
        .window_key = 1,
        .size_us = MINUTE,
        .slide_us = MINUTE,
        .window_time = column_expr(&test->base, test->input, 1),
        .watermark_key = -1,
        .schema = schema_of(&test->base, flat ? "card STRING, w STRUCT<start: TIMESTAMP, end: TIMESTAMP>, n BIGINT, "
                                                "s DECIMAL(22,2), m DECIMAL(12,2)"
                                              : "card STRING, w STRUCT<start: TIMESTAMP, end: TIMESTAMP>, n BIGINT, "
                                                "s DECIMAL(22,2), m DECIMAL(12,2), d BIGINT"),
        .lanes = 1,
        .shards = SHARDS,
    };
    CHECK_INT(aggregate_new(&test->base.arena, &test->spec, &test->stage, &test->base.err), E_OK);
}

static void stage_close(struct stored_test *test)
{
    test->stage->type->free(test->stage);
    text_free(&test->emitted);
    tear_down(&test->base);
}

static enum code remember(void *context, struct batch *out, __attribute__((unused)) struct error *err)
{
    struct stored_test *test = context;
    for (int64_t row = 0; row < out->rows; row++) {
        for (int32_t c = 0; c < out->column_count; c++) {
            text_add_char(&test->emitted, c > 0 ? ' ' : '\n');
            column_print(&out->columns[c], row, &test->emitted);
        }
        text_add_char(&test->emitted, ';');
    }
    test->rows += out->rows;
    return E_OK;
}

static void merge_all(struct stored_test *test, int64_t epoch, int64_t emit_us)
{
    const struct epoch_time time = {epoch, INT64_MIN, emit_us};
    const struct emit emit = {remember, test};
    for (int32_t s = 0; s < SHARDS; s++)
        CHECK_INT(test->stage->type->shard_merge(test->stage, s, &time, &emit, &test->base.counts, &test->base.err),
                  E_OK);
    test->stage->type->lanes_clear(test->stage);
}

static void feed(struct stored_test *test, int64_t rows, int64_t seed)
{
    char names[64];
    struct builder builders[3];
    struct batch batch;
    batch_init(&batch, test->input, rows);
    for (int c = 0; c < 3; c++)
        builder_init(&builders[c], test->input->fields[c].type);
    for (int64_t i = 0; i < rows; i++) {
        snprintf(names, sizeof names, i % 5 == 0 ? "a card whose number takes many bytes %lld" : "card %lld",
                 (long long)(i * seed % 7919));
        builder_bytes(&builders[0], bytes_of_string(names));
        builder_int(&builders[1], i % 3 * MINUTE);
        builder_int128(&builders[2], i % 1000);
    }
    for (int c = 0; c < 3; c++) {
        builder_finish(&builders[c], &batch.columns[c]);
        builder_release(&builders[c]);
    }
    const struct epoch_time time = {0, INT64_MIN, INT64_MIN};
    const struct lane_call call = {
        .session = &test->base.session, .time = &time, .rejects = &test->base.rejects, .counts = &test->base.counts};
    CHECK_INT(test->stage->type->lane_batch(test->stage, &call, &batch, &test->base.err), E_OK);
    batch_release(&batch);
}

/* Written by leat 0.1.0 before states were spread over 64 shards: two snapshots and two deltas of the stage above. A
 * change that cannot read them any longer must bring its own way to read them. */
TEST(state_of_version_1_is_read)
{
    struct stored_test test = {0};
    struct text stored = {0};
    stage_open(&test, false);
    CHECK_INT(os_read_file("tests/unit/operator/aggregate_v1.state", STORED_MAX, &stored, &test.base.err), E_OK);
    CHECK_INT(test.stage->type->restore(test.stage, text_view(&stored), &test.base.err), E_OK);
    CHECK_STR(test.base.err.text, "");
    CHECK_INT(stateful_entries(test.stage), 23);
    merge_all(&test, 2, INT64_MAX);
    CHECK_INT(test.rows, 23);
    static const char *const some[] = {" 1 0.57 0.57 1;", " 2 2.82 2.46 2;", " 1 -0.13 -0.13 1;", "\ncard 8 ",
                                       "\na card whose number takes many bytes 09 "};
    for (size_t i = 0; i < sizeof some / sizeof *some; i++)
        CHECK(strstr(test.emitted.data, some[i]) != NULL);
    text_free(&stored);
    stage_close(&test);
}

/* What each shard wrote, read back by all shards at once or shard by shard, is the same state. */
static void check_round_trip(bool flat, bool by_shard)
{
    struct stored_test from = {0}, to = {0};
    struct text stored[SHARDS] = {0};
    stage_open(&from, flat);
    stage_open(&to, flat);
    feed(&from, ROWS, 13);
    merge_all(&from, 0, INT64_MIN);
    for (int32_t s = 0; s < SHARDS; s++)
        CHECK_INT(from.stage->type->shard_snapshot(from.stage, s, &stored[s], &from.base.err), E_OK);
    feed(&from, ROWS / 10, 17);
    merge_all(&from, 1, MINUTE); // a third of the groups ends
    for (int32_t s = 0; s < SHARDS; s++) {
        CHECK_INT(from.stage->type->shard_delta(from.stage, s, &stored[s], &from.base.err), E_OK);
        CHECK_INT(by_shard ? to.stage->type->shard_restore(to.stage, s, text_view(&stored[s]), &to.base.err)
                           : to.stage->type->restore(to.stage, text_view(&stored[s]), &to.base.err),
                  E_OK);
        text_free(&stored[s]);
    }
    for (int32_t s = 0; s < SHARDS; s++)
        CHECK_INT(to.stage->type->shard_entries(to.stage, s), from.stage->type->shard_entries(from.stage, s));
    text_clear(&from.emitted);
    from.rows = 0;
    merge_all(&from, 2, INT64_MAX);
    merge_all(&to, 2, INT64_MAX);
    CHECK(from.rows > ROWS / 4);
    CHECK_INT(to.rows, from.rows);
    CHECK_INT(to.emitted.size, from.emitted.size);
    stage_close(&from);
    stage_close(&to);
}

TEST(flat_state_comes_back) { check_round_trip(true, false); }
TEST(flat_state_comes_back_by_shard) { check_round_trip(true, true); }
TEST(state_of_sets_comes_back) { check_round_trip(false, false); }
TEST(state_of_sets_comes_back_by_shard) { check_round_trip(false, true); }

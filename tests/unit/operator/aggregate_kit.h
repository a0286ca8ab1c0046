/* aggregate_kit.h - a windowed aggregate under test: rows in, lines of text out. */
#ifndef AGGREGATE_KIT_H
#define AGGREGATE_KIT_H

#include <stdlib.h>

#include "operator_kit.h"

/* ---- a stage under test ---- */

enum { LINES_MAX = 20000, LINE_MAX = 160 };
#define MINUTE ((int64_t)60 * 1000000)

struct lines {
    char (*items)[LINE_MAX];
    int64_t count;
};

static inline void lines_add(struct lines *lines, const char *text)
{
    always(lines->count < LINES_MAX);
    if (lines->items == NULL)
        lines->items = mem_zero((size_t)LINES_MAX * LINE_MAX);
    snprintf(lines->items[lines->count++], LINE_MAX, "%s", text);
}

static inline int by_text(const void *a, const void *b) { return strcmp(a, b); }

static inline void lines_sort(struct lines *lines)
{
    if (lines->count > 0)
        qsort(lines->items, (size_t)lines->count, LINE_MAX, by_text);
}

static inline void check_lines(struct lines *got, struct lines *want)
{
    lines_sort(got);
    lines_sort(want);
    CHECK_INT(got->count, want->count);
    for (int64_t i = 0; i < got->count && i < want->count; i++)
        CHECK_STR(got->items[i], want->items[i]);
    got->count = want->count = 0;
}

struct under_test {
    struct bench_of_one base;
    struct budget budget;
    const struct type *input, *schema;
    struct aggregate_spec spec;
    struct stateful *stage;
    struct lines emitted;
    int64_t largest_batch;
    int64_t last_end_us; /* of the windows that a shard emits: in order */
    bool showing;        /* in no order */
};

/* Rows as text; a window as its two ends in microseconds. */
static inline enum code remember(void *context, struct batch *out, __attribute__((unused)) struct error *err)
{
    struct under_test *test = context;
    batch_check(out);
    test->largest_batch = out->rows > test->largest_batch ? out->rows : test->largest_batch;
    for (int64_t row = 0; row < out->rows; row++) {
        struct text text = {0};
        for (int32_t c = 0; c < out->column_count; c++) {
            const struct column *col = &out->columns[c];
            column_check(col);
            text_add_char(&text, c > 0 ? ' ' : '#');
            if (c == test->spec.window_key) {
                int64_t end_us = column_values(&col->children[1], const int64_t)[row];
                CHECK(end_us >= test->last_end_us || test->spec.gap != NULL || test->showing);
                test->last_end_us = end_us;
                text_printf(&text, "%lld-%lld", (long long)column_values(&col->children[0], const int64_t)[row],
                            (long long)end_us);
            } else {
                column_print(col, row, &text);
            }
        }
        lines_add(&test->emitted, text.data);
        text_free(&text);
    }
    return E_OK;
}

static inline const struct aggregate_call *bind(struct under_test *test, const char *name, int32_t column,
                                                bool distinct, const struct expr *filter)
{
    const struct aggregate_call *call = NULL;
    const struct expr *args[1];
    if (column >= 0)
        args[0] = column_expr(&test->base, test->input, column);
    CHECK_INT(aggregate_bind(&test->base.expr, name, args, column >= 0, distinct, filter, (struct position){0}, &call,
                             &test->base.err),
              E_OK);
    return call;
}

static inline void stage_start(struct under_test *test, int32_t lanes, int32_t shards)
{
    test->spec.lanes = lanes;
    test->spec.shards = shards;
    test->spec.budget = &test->budget;
    CHECK_INT(aggregate_new(&test->base.arena, &test->spec, &test->stage, &test->base.err), E_OK);
}

static inline void stage_stop(struct under_test *test)
{
    test->stage->type->free(test->stage);
    CHECK_INT(test->budget.used_bytes, 0);
}

static inline void under_test_close(struct under_test *test)
{
    stage_stop(test);
    mem_free(test->emitted.items);
    tear_down(&test->base);
}

#define CARDS_INPUT "card STRING, ts TIMESTAMP, amount DECIMAL(12,2), gap INTERVAL DAY TO SECOND"

/* CARDS_INPUT -> card, window, count(*), sum, max, count(DISTINCT amount) */
static inline void cards(struct under_test *test, int64_t size_us, int64_t slide_us, int64_t start_us, bool distinct)
{
    set_up(&test->base);
    test->input = schema_of(&test->base, CARDS_INPUT);
    test->schema =
        schema_of(&test->base, distinct ? "card STRING, w STRUCT<start: TIMESTAMP, end: TIMESTAMP>, n BIGINT, "
                                          "s DECIMAL(22,2), m DECIMAL(12,2), d BIGINT"
                                        : "card STRING, w STRUCT<start: TIMESTAMP, end: TIMESTAMP>, n BIGINT, "
                                          "s DECIMAL(22,2), m DECIMAL(12,2)");
    const struct expr **keys = arena_array(&test->base.arena, const struct expr *, 2);
    keys[0] = column_expr(&test->base, test->input, 0);
    const struct aggregate_call **calls = arena_array(&test->base.arena, const struct aggregate_call *, 4);
    calls[0] = bind(test, "count", -1, false, NULL);
    calls[1] = bind(test, "sum", 2, false, NULL);
    calls[2] = bind(test, "max", 2, false, NULL);
    if (distinct)
        calls[3] = bind(test, "count", 2, true, NULL);
    test->spec = (struct aggregate_spec){.name = "gold",
                                         .keys = keys,
                                         .key_count = 2,
                                         .calls = calls,
                                         .call_count = distinct ? 4 : 3,
                                         .window_key = 1,
                                         .size_us = size_us,
                                         .slide_us = slide_us,
                                         .start_us = start_us,
                                         .window_time = column_expr(&test->base, test->input, 1),
                                         .watermark_key = -1,
                                         .schema = test->schema};
}

struct row {
    const char *card;
    int64_t time_us, amount, gap_us;
};

static inline enum code lane_batch(struct under_test *test, int32_t lane, const struct epoch_time *time,
                                   const struct batch *batch)
{
    const struct lane_call call = {.lane = lane,
                                   .session = &test->base.session,
                                   .time = time,
                                   .rejects = &test->base.rejects,
                                   .counts = &test->base.counts};
    return test->stage->type->lane_batch(test->stage, &call, batch, &test->base.err);
}

static inline void feed(struct under_test *test, int32_t lane, const struct epoch_time *time, const struct row *rows,
                        int64_t count)
{
    struct batch batch;
    const char **names = mem_array(const char *, (size_t)count);
    int64_t *times = mem_array(int64_t, (size_t)count), *amounts = mem_array(int64_t, (size_t)count);
    int64_t *gaps = mem_array(int64_t, (size_t)count);
    for (int64_t i = 0; i < count; i++) {
        names[i] = rows[i].card;
        times[i] = rows[i].time_us;
        amounts[i] = rows[i].amount;
        gaps[i] = rows[i].gap_us;
    }
    batch_init(&batch, test->input, count);
    put_strings(&batch.columns[0], names, count);
    put_ints(&batch.columns[1], test->input->fields[1].type, times, count);
    put_ints(&batch.columns[2], test->input->fields[2].type, amounts, count);
    put_ints(&batch.columns[3], test->input->fields[3].type, gaps, count);
    CHECK_INT(lane_batch(test, lane, time, &batch), E_OK);
    batch_release(&batch);
    mem_free(names);
    mem_free(times);
    mem_free(amounts);
    mem_free(gaps);
}

/* Merge all shards, collect rows, append the epoch's deltas. */
static inline void end_epoch(struct under_test *test, const struct epoch_time *time, struct text *delta)
{
    const struct emit emit = {remember, test};
    for (int32_t s = 0; s < test->spec.shards; s++) {
        test->last_end_us = INT64_MIN;
        CHECK_INT(test->stage->type->shard_merge(test->stage, s, time, &emit, &test->base.counts, &test->base.err),
                  E_OK);
    }
    for (int32_t s = 0; delta != NULL && s < test->spec.shards; s++)
        CHECK_INT(test->stage->type->shard_delta(test->stage, s, delta, &test->base.err), E_OK);
    test->stage->type->lanes_clear(test->stage);
}

static inline void check_emitted(struct under_test *test, const char *const *expected, int64_t count)
{
    struct lines want = {0};
    for (int64_t i = 0; i < count; i++)
        lines_add(&want, expected[i]);
    check_lines(&test->emitted, &want);
    mem_free(want.items);
}
#define CHECK_EMITTED(test, ...)                                                           \
    do {                                                                                   \
        const char *expected_[] = {__VA_ARGS__};                                           \
        check_emitted((test), expected_, (int64_t)(sizeof expected_ / sizeof *expected_)); \
    } while (0)

/* ---- random streams ---- */

enum { MODEL_VALUES = 40, CARDS = 23 };

static inline const char *card_name(int card)
{
    static char names[CARDS][64];
    if (card == 0)
        return NULL;
    snprintf(names[card], sizeof names[card], "card %d%s", card,
             card % 5 == 0 ? " with a name longer than an entry holds" : "");
    return names[card];
}

/* A stage as a crash leaves it behind: gone. A new one is made from what was stored, with other lanes and
 * shards. */
static inline void restore(struct under_test *test, const struct text *snapshot, const struct text *deltas)
{
    stage_stop(test);
    stage_start(test, 1 + (int32_t)(kit_random() % 3), 1 + (int32_t)(kit_random() % 5));
    CHECK_INT(test->stage->type->restore(test->stage, text_view(snapshot), &test->base.err), E_OK);
    CHECK_INT(test->stage->type->restore(test->stage, text_view(deltas), &test->base.err), E_OK);
}

/* A shard goes to disk and comes back. */
static inline void spill_some(struct under_test *test)
{
    struct text stored = {0};
    int32_t shard = (int32_t)(kit_random() % (uint64_t)test->spec.shards);
    const struct stateful_type *type = test->stage->type;
    int64_t entries = type->shard_entries(test->stage, shard);
    CHECK_INT(type->shard_snapshot(test->stage, shard, &stored, &test->base.err), E_OK);
    type->shard_spill(test->stage, shard);
    CHECK_INT(type->shard_entries(test->stage, shard), 0);
    CHECK_INT(type->shard_restore(test->stage, shard, text_view(&stored), &test->base.err), E_OK);
    CHECK_INT(type->shard_entries(test->stage, shard), entries);
    text_free(&stored);
}

/* What `leat state` would show, as lines in test->emitted. */
static inline void show_all(struct under_test *test)
{
    const struct emit emit = {remember, test};
    const struct type *shown = test->stage->type->shown(test->stage, &test->base.arena);
    CHECK(type_equal(shown, test->spec.schema));
    test->showing = true;
    for (int32_t s = 0; s < test->spec.shards; s++) {
        test->last_end_us = INT64_MIN;
        CHECK_INT(test->stage->type->shard_show(test->stage, s, &emit, &test->base.err), E_OK);
    }
    test->showing = false;
}

#endif

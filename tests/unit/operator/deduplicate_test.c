/* Deduplication: against a plain model over random epochs, lanes and shards, with restores on the way. */
#include "operator_kit.h"

enum { KEYS = 12, EPOCHS = 30, ROWS_MAX = 40 };

enum mode { FOR_EVER, TIME_IS_KEY, WITHIN };

struct under_test {
    struct bench_of_one base;
    struct budget budget;
    struct deduplicate_spec spec;
    struct stateful *stage;
    int64_t sum, rows; /* of what came out in this epoch: of `n`, and how many */
};

static enum code take_out(void *context, struct batch *out, __attribute__((unused)) struct error *err)
{
    struct under_test *test = context;
    batch_check(out);
    for (int64_t row = 0; row < out->rows; row++)
        test->sum += column_values(&out->columns[2], const int64_t)[row];
    test->rows += out->rows;
    return E_OK;
}

static void start(struct under_test *test, int32_t lanes, int32_t shards)
{
    test->spec.lanes = lanes;
    test->spec.shards = shards;
    test->spec.budget = &test->budget;
    CHECK_INT(deduplicate_new(&test->base.arena, &test->spec, &test->stage, &test->base.err), E_OK);
}

static void open_test(struct under_test *test, enum mode mode)
{
    static const int32_t columns[2] = {0, 1};
    *test = (struct under_test){0};
    set_up(&test->base);
    test->spec = (struct deduplicate_spec){
        .name = "once",
        .schema = schema_of(&test->base, "card STRING, at TIMESTAMP, n BIGINT"),
        .columns = columns,
        .column_count = mode == TIME_IS_KEY ? 2 : 1,
        .time_column = 1,
        .time_is_key = mode == TIME_IS_KEY,
        .within_watermark = mode == WITHIN,
        .delay_us = 100,
    };
}

static void close_test(struct under_test *test)
{
    test->stage->type->free(test->stage);
    CHECK_INT(test->budget.used_bytes, 0);
    tear_down(&test->base);
}

/* Records (card, at, n) of one partition from `offset` on, into one lane. */
static void feed(struct under_test *test, int32_t lane, const struct epoch_time *time, const char *const *cards,
                 const int64_t *ats, const int64_t *ns, int64_t offset, int64_t count)
{
    struct batch batch;
    batch_init(&batch, test->spec.schema, count);
    put_strings(&batch.columns[0], cards, count);
    put_ints(&batch.columns[1], type_of(TYPE_TIMESTAMP), ats, count);
    put_ints(&batch.columns[2], type_of(TYPE_INT64), ns, count);
    give_origin(&batch);
    const char **topics = mem_array(const char *, (size_t)count);
    int64_t *partitions = mem_array(int64_t, (size_t)count), *offsets = mem_array(int64_t, (size_t)count);
    for (int64_t i = 0; i < count; i++) {
        topics[i] = "t";
        offsets[i] = offset + i;
    }
    put_strings(&batch.source->topic, topics, count);
    put_ints(&batch.source->partition, type_of(TYPE_INT32), partitions, count);
    put_ints(&batch.source->offset, type_of(TYPE_INT64), offsets, count);
    const struct lane_call call = {.lane = lane,
                                   .session = &test->base.session,
                                   .time = time,
                                   .rejects = &test->base.rejects,
                                   .counts = &test->base.counts};
    CHECK_INT(test->stage->type->lane_batch(test->stage, &call, &batch, &test->base.err), E_OK);
    batch_release(&batch);
    mem_free(topics);
    mem_free(partitions);
    mem_free(offsets);
}

static void merge(struct under_test *test, const struct epoch_time *time)
{
    const struct emit emit = {take_out, test};
    for (int32_t s = 0; s < test->stage->shards; s++) {
        int64_t before = test->rows + stateful_entries(test->stage);
        bool idle = test->stage->type->shard_idle(test->stage, s, time);
        CHECK_INT(test->stage->type->shard_merge(test->stage, s, time, &emit, &test->base.counts, &test->base.err),
                  E_OK);
        CHECK(!idle || before == test->rows + stateful_entries(test->stage));
    }
    test->stage->type->lanes_clear(test->stage);
}

/* ---- the model ---- */

struct model {
    bool known[KEYS][2000];
    int64_t end[KEYS][2000];
};

static int64_t model_key(const struct under_test *test, int64_t at) { return test->spec.time_is_key ? at : 0; }

static void model_evict(struct model *model, int64_t now_us)
{
    for (int key = 0; key < KEYS; key++)
        for (int at = 0; at < 2000; at++)
            model->known[key][at] = model->known[key][at] && model->end[key][at] > now_us;
}

/* Whether the row comes out. */
static bool model_row(const struct under_test *test, struct model *model, int card, int64_t at, int64_t late_us)
{
    int64_t key = model_key(test, at);
    if (at <= late_us || model->known[card][key])
        return false;
    model->known[card][key] = true;
    model->end[card][key] = test->spec.within_watermark ? at + test->spec.delay_us
                            : test->spec.time_is_key    ? at
                                                        : INT64_MAX;
    return true;
}

static void restart(struct under_test *test, struct text *stored)
{
    test->stage->type->free(test->stage);
    start(test, 1 + (int32_t)(kit_random() % 3), 1 + (int32_t)(kit_random() % 5));
    CHECK_INT(test->stage->type->restore(test->stage, text_view(stored), &test->base.err), E_OK);
    text_clear(stored);
    for (int32_t s = 0; s < test->stage->shards; s++)
        CHECK_INT(test->stage->type->shard_snapshot(test->stage, s, stored, &test->base.err), E_OK);
}

static void spill_some(struct under_test *test)
{
    struct text bytes = {0};
    for (int32_t s = 0; s < test->stage->shards; s++) {
        if (kit_random() % 2 == 0)
            continue;
        text_clear(&bytes);
        CHECK_INT(test->stage->type->shard_snapshot(test->stage, s, &bytes, &test->base.err), E_OK);
        test->stage->type->shard_spill(test->stage, s);
        CHECK_INT(test->stage->type->shard_entries(test->stage, s), 0);
        CHECK_INT(test->stage->type->restore(test->stage, text_view(&bytes), &test->base.err), E_OK);
    }
    text_free(&bytes);
}

static void random_epoch(struct under_test *test, struct model *model, const struct epoch_time *time, int64_t *next)
{
    static const char *const names[KEYS] = {"a", "b", "c", "d", "e", "f",
                                            "g", "h", "i", "j", "k", "a card whose name is long enough to lie outside"};
    int64_t want_sum = 0, want_rows = 0, late_before = test->base.counts.late, late = 0;
    const char *cards[ROWS_MAX];
    int64_t ats[ROWS_MAX], ns[ROWS_MAX];
    int64_t starts[4], counts[4];
    const int batches = 4;
    static const char *all_cards[4][ROWS_MAX];
    static int64_t all_ats[4][ROWS_MAX], all_ns[4][ROWS_MAX];
    for (int b = 0; b < batches; b++) { // in the order of offsets: what the model sees
        starts[b] = *next;
        counts[b] = (int64_t)(kit_random() % ROWS_MAX);
        for (int64_t i = 0; i < counts[b]; i++) {
            int card = (int)(kit_random() % KEYS);
            int64_t at = time->late_us - 50 + (int64_t)(kit_random() % 300);
            at = at < 0 ? 0 : at > 1999 ? 1999 : at;
            all_cards[b][i] = names[card];
            all_ats[b][i] = at;
            all_ns[b][i] = (*next)++;
            late += at <= time->late_us;
            if (model_row(test, model, card, at, time->late_us)) {
                want_sum += all_ns[b][i];
                want_rows++;
            }
        }
    }
    for (int turn = 0; turn < batches; turn++) { // fed in another order, to any lane
        int b = (turn * 3 + 1) % batches;
        memcpy(cards, all_cards[b], sizeof cards);
        memcpy(ats, all_ats[b], sizeof ats);
        memcpy(ns, all_ns[b], sizeof ns);
        feed(test, (int32_t)(kit_random() % (uint64_t)test->spec.lanes), time, cards, ats, ns, starts[b], counts[b]);
    }
    test->sum = test->rows = 0;
    merge(test, time);
    model_evict(model, time->emit_us);
    CHECK_INT(test->sum, want_sum);
    CHECK_INT(test->rows, want_rows);
    CHECK_INT(test->base.counts.late - late_before, late);
}

static void against_the_model(enum mode mode)
{
    struct under_test test;
    struct model *model = mem_new(struct model);
    struct text stored = {0};
    int64_t next = 0;
    open_test(&test, mode);
    start(&test, 2, 3);
    struct epoch_time time = {0};
    for (int64_t epoch = 0; epoch < EPOCHS; epoch++) {
        time = (struct epoch_time){epoch, time.emit_us, time.emit_us + (int64_t)(kit_random() % 60)};
        random_epoch(&test, model, &time, &next);
        for (int32_t s = 0; s < test.stage->shards; s++)
            CHECK_INT(test.stage->type->shard_delta(test.stage, s, &stored, &test.base.err), E_OK);
        if (kit_random() % 4 == 0)
            restart(&test, &stored);
        if (kit_random() % 4 == 0)
            spill_some(&test);
    }
    const struct operator_counts *counts = &test.base.counts;
    CHECK_INT(counts->in, counts->out + counts->late + counts->duplicates);
    CHECK(counts->late > 0 || mode == FOR_EVER);
    CHECK(counts->duplicates > 0);
    text_free(&stored);
    mem_free(model);
    close_test(&test);
}

TEST(deduplicate_for_ever) { against_the_model(FOR_EVER); }

TEST(deduplicate_with_the_time_in_the_key) { against_the_model(TIME_IS_KEY); }

TEST(deduplicate_within_the_watermark) { against_the_model(WITHIN); }

TEST(deduplicate_takes_the_first_record_whoever_read_it)
{
    struct under_test test;
    const struct epoch_time time = {0, INT64_MIN, INT64_MIN};
    const char *const cards[] = {"a", "b"};
    const int64_t ats[] = {10, 10}, early[] = {1, 2}, late[] = {100, 200};
    open_test(&test, FOR_EVER);
    start(&test, 2, 1);
    feed(&test, 0, &time, cards, ats, late, 50, 2);
    feed(&test, 1, &time, cards, ats, early, 7, 2);
    merge(&test, &time);
    CHECK_INT(test.rows, 2);
    CHECK_INT(test.sum, 3);
    close_test(&test);
}

TEST(deduplicate_keeps_rows_without_a_time)
{
    struct under_test test;
    const struct epoch_time time = {0, 1000, 1000};
    const char *const cards[] = {"a", "a", "b", NULL, NULL};
    const int64_t ats[] = {NONE, 10, 2000, 2000, NONE}, ns[] = {1, 2, 4, 8, 16};
    open_test(&test, FOR_EVER);
    start(&test, 1, 2);
    feed(&test, 0, &time, cards, ats, ns, 0, 5);
    merge(&test, &time);
    CHECK_INT(test.sum, 1 + 4 + 8); // NULL equals NULL
    CHECK_INT(test.base.counts.late, 1);
    CHECK_INT(test.base.counts.duplicates, 1);
    close_test(&test);
}

TEST(deduplicate_refuses_broken_state)
{
    struct under_test test;
    struct text stored = {0};
    const struct epoch_time time = {0, INT64_MIN, INT64_MIN};
    const char *const cards[] = {"a", "b", "c"};
    const int64_t ats[] = {1, 2, 3}, ns[] = {1, 2, 3};
    open_test(&test, WITHIN);
    start(&test, 1, 1);
    feed(&test, 0, &time, cards, ats, ns, 0, 3);
    merge(&test, &time);
    CHECK_INT(test.stage->type->shard_snapshot(test.stage, 0, &stored, &test.base.err), E_OK);
    for (size_t cut = 1; cut < stored.size; cut++) {
        struct bytes part = bytes_of(stored.data, cut);
        CHECK_INT(test.stage->type->restore(test.stage, part, &test.base.err), E_CORRUPT);
    }
    text_free(&stored);
    close_test(&test);
}

/* The windowed aggregate: against a plain recomputation, across restores, and at each boundary of late and
 * emit. */
#include <stdlib.h>

#include "operator_kit.h"

/* ---- a stage under test ---- */

enum { LINES_MAX = 20000, LINE_MAX = 160 };
#define MINUTE ((int64_t)60 * 1000000)

struct lines {
    char (*items)[LINE_MAX];
    int64_t count;
};

static void lines_add(struct lines *lines, const char *text)
{
    always(lines->count < LINES_MAX);
    if (lines->items == NULL)
        lines->items = mem_zero((size_t)LINES_MAX * LINE_MAX);
    snprintf(lines->items[lines->count++], LINE_MAX, "%s", text);
}

static int by_text(const void *a, const void *b) { return strcmp(a, b); }

static void lines_sort(struct lines *lines)
{
    if (lines->count > 0)
        qsort(lines->items, (size_t)lines->count, LINE_MAX, by_text);
}

static void check_lines(struct lines *got, struct lines *want)
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
};

/* Rows as text; a window as its two ends in microseconds. */
static enum code remember(void *context, struct batch *out, __attribute__((unused)) struct error *err)
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
            if (c == test->spec.window_key)
                text_printf(&text, "%lld-%lld",
                            (long long)column_values(&col->children[0], const int64_t)[row],
                            (long long)column_values(&col->children[1], const int64_t)[row]);
            else
                column_print(col, row, &text);
        }
        lines_add(&test->emitted, text.data);
        text_free(&text);
    }
    return E_OK;
}

static const struct aggregate_call *bind(struct under_test *test, const char *name, int32_t column,
                                         bool distinct, const struct expr *filter)
{
    const struct aggregate_call *call = NULL;
    const struct expr *args[1];
    if (column >= 0)
        args[0] = column_expr(&test->base, test->input, column);
    CHECK_INT(aggregate_bind(&test->base.expr, name, args, column >= 0, distinct, filter,
                             (struct position){0}, &call, &test->base.err),
              E_OK);
    return call;
}

static void stage_start(struct under_test *test, int32_t lanes, int32_t shards)
{
    test->spec.lanes = lanes;
    test->spec.shards = shards;
    test->spec.budget = &test->budget;
    CHECK_INT(aggregate_new(&test->base.arena, &test->spec, &test->stage, &test->base.err), E_OK);
}

static void stage_stop(struct under_test *test)
{
    test->stage->type->free(test->stage);
    CHECK_INT(test->budget.used_bytes, 0);
}

static void under_test_close(struct under_test *test)
{
    stage_stop(test);
    mem_free(test->emitted.items);
    tear_down(&test->base);
}

/* card STRING, ts TIMESTAMP, amount DECIMAL(12,2) -> card, window, count(*), sum, max, count(DISTINCT amount) */
static void cards(struct under_test *test, int64_t size_us, int64_t slide_us, int64_t start_us, bool distinct)
{
    set_up(&test->base);
    test->input = schema_of(&test->base, "card STRING, ts TIMESTAMP, amount DECIMAL(12,2)");
    test->schema = schema_of(&test->base,
                             distinct ? "card STRING, w STRUCT<start: TIMESTAMP, end: TIMESTAMP>, n BIGINT, "
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
    int64_t time_us, amount;
};

static enum code lane_batch(struct under_test *test, int32_t lane, const struct epoch_time *time,
                            const struct batch *batch)
{
    const struct lane_call call = {.lane = lane,
                                   .session = &test->base.session,
                                   .time = time,
                                   .rejects = &test->base.rejects,
                                   .counts = &test->base.counts};
    return test->stage->type->lane_batch(test->stage, &call, batch, &test->base.err);
}

static void feed(struct under_test *test, int32_t lane, const struct epoch_time *time, const struct row *rows,
                 int64_t count)
{
    struct batch batch;
    const char **names = mem_array(const char *, (size_t)count);
    int64_t *times = mem_array(int64_t, (size_t)count), *amounts = mem_array(int64_t, (size_t)count);
    for (int64_t i = 0; i < count; i++) {
        names[i] = rows[i].card;
        times[i] = rows[i].time_us;
        amounts[i] = rows[i].amount;
    }
    batch_init(&batch, test->input, count);
    put_strings(&batch.columns[0], names, count);
    put_ints(&batch.columns[1], test->input->fields[1].type, times, count);
    put_ints(&batch.columns[2], test->input->fields[2].type, amounts, count);
    CHECK_INT(lane_batch(test, lane, time, &batch), E_OK);
    batch_release(&batch);
    mem_free(names);
    mem_free(times);
    mem_free(amounts);
}

/* Merge all shards, collect rows, append the epoch's deltas. */
static void end_epoch(struct under_test *test, const struct epoch_time *time, struct text *delta)
{
    const struct emit emit = {remember, test};
    for (int32_t s = 0; s < test->spec.shards; s++)
        CHECK_INT(test->stage->type->shard_merge(test->stage, s, time, &emit, &test->base.counts, &test->base.err),
                  E_OK);
    for (int32_t s = 0; delta != NULL && s < test->spec.shards; s++)
        CHECK_INT(test->stage->type->shard_delta(test->stage, s, delta, &test->base.err), E_OK);
    test->stage->type->lanes_clear(test->stage);
}

static void check_emitted(struct under_test *test, const char *const *expected, int64_t count)
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

/* ---- boundaries ---- */

TEST(window_is_emitted_when_the_watermark_reaches_its_end)
{
    struct under_test test = {0};
    cards(&test, MINUTE, MINUTE, 0, false);
    stage_start(&test, 1, 1);
    struct epoch_time time = {0, 0, 0};
    feed(&test, 0, &time,
         (struct row[]){{"a", 1, 100}, {"a", MINUTE - 1, 250}, {"a", MINUTE, 1}, {"b", 2 * MINUTE, 5}}, 4);
    end_epoch(&test, &time, NULL);
    check_emitted(&test, NULL, 0);
    time = (struct epoch_time){1, 0, MINUTE - 1}; // one microsecond too early
    end_epoch(&test, &time, NULL);
    check_emitted(&test, NULL, 0);
    CHECK_INT(stateful_entries(test.stage), 3);
    time = (struct epoch_time){2, MINUTE - 1, MINUTE};
    end_epoch(&test, &time, NULL);
    CHECK_EMITTED(&test, "#a 0-60000000 2 3.50 2.50");
    CHECK_INT(stateful_entries(test.stage), 2);
    time = (struct epoch_time){3, MINUTE, 3 * MINUTE};
    end_epoch(&test, &time, NULL);
    CHECK_EMITTED(&test, "#a 60000000-120000000 1 0.01 0.01", "#b 120000000-180000000 1 0.05 0.05");
    CHECK_INT(test.base.counts.in, 4);
    CHECK_INT(test.base.counts.out, 3);
    under_test_close(&test);
}

TEST(rows_are_late_when_their_window_has_ended_before)
{
    struct under_test test = {0};
    cards(&test, MINUTE, MINUTE, 0, false);
    stage_start(&test, 1, 1);
    // Late by W(N-1): [0, 1 min) has ended, [1, 2 min) has not, even for a row older than the watermark.
    struct epoch_time time = {5, MINUTE, 90 * 1000000};
    feed(&test, 0, &time, (struct row[]){{"a", MINUTE - 1, 1}, {"a", MINUTE, 2}, {"a", NONE, 4}}, 3);
    end_epoch(&test, &time, NULL);
    CHECK_INT(test.base.counts.late, 1);
    CHECK_INT(test.base.counts.null_time, 1);
    check_emitted(&test, NULL, 0);
    // A window that W(N) closes still takes the rows of epoch N, since they are judged by W(N-1).
    time = (struct epoch_time){6, 90 * 1000000, 2 * MINUTE};
    feed(&test, 0, &time, (struct row[]){{"a", MINUTE + 1, 8}}, 1);
    end_epoch(&test, &time, NULL);
    CHECK_EMITTED(&test, "#a 60000000-120000000 2 0.10 0.08");
    CHECK_INT(test.base.counts.late, 1);
    under_test_close(&test);
}

TEST(windows_floor_negative_times_and_keep_null_keys)
{
    struct under_test test = {0};
    cards(&test, MINUTE, MINUTE, 0, false);
    stage_start(&test, 1, 1);
    struct epoch_time time = {0, INT64_MIN, INT64_MAX};
    feed(&test, 0, &time,
         (struct row[]){{NULL, -1, 1}, {NULL, -MINUTE, 2}, {NULL, -MINUTE - 1, 4}, {"", 0, NONE}}, 4);
    end_epoch(&test, &time, NULL);
    CHECK_EMITTED(&test, "#NULL -60000000-0 2 0.03 0.02", "#NULL -120000000--60000000 1 0.04 0.04",
                  "# 0-60000000 1 NULL NULL");
    under_test_close(&test);
}

TEST(windows_may_start_off_the_epoch_and_slide)
{
    struct under_test test = {0};
    cards(&test, MINUTE, MINUTE, 15 * 1000000, false);
    stage_start(&test, 1, 1);
    struct epoch_time time = {0, 0, INT64_MAX};
    feed(&test, 0, &time, (struct row[]){{"a", 14999999, 1}, {"a", 15000000, 2}}, 2);
    end_epoch(&test, &time, NULL);
    CHECK_EMITTED(&test, "#a -45000000-15000000 1 0.01 0.01", "#a 15000000-75000000 1 0.02 0.02");
    under_test_close(&test);

    struct under_test sliding = {0};
    cards(&sliding, 50 * 1000000, 20 * 1000000, 0, false); // the size is no multiple of the slide
    stage_start(&sliding, 1, 2);
    time = (struct epoch_time){0, 25 * 1000000, INT64_MAX};
    feed(&sliding, 0, &time, (struct row[]){{"a", 5 * 1000000, 1}, {"a", 15 * 1000000, 2}}, 2);
    end_epoch(&sliding, &time, NULL);
    CHECK_EMITTED(&sliding, "#a -20000000-30000000 2 0.03 0.02", "#a 0-50000000 2 0.03 0.02");
    CHECK_INT(sliding.base.counts.late, 0); // [-40, 10) is late, but the rows count elsewhere
    under_test_close(&sliding);
}

TEST(times_no_calendar_reaches_are_rejected)
{
    struct under_test test = {0};
    cards(&test, MINUTE, MINUTE, 0, false);
    stage_start(&test, 1, 1);
    struct epoch_time time = {0, INT64_MIN, 0};
    feed(&test, 0, &time, (struct row[]){{"a", INT64_MAX, 1}, {"a", INT64_MIN + 1, 1}, {"a", 1, 1}}, 3);
    CHECK_INT(test.base.rejects.count, 2);
    CHECK_INT(test.base.rejects.items[0].code, REJECT_DATETIME);
    CHECK_INT(test.base.counts.rejected, 2);
    end_epoch(&test, &time, NULL);
    CHECK_INT(stateful_entries(test.stage), 1);
    under_test_close(&test);
}

TEST(keys_too_long_are_rejected)
{
    struct under_test test = {0};
    cards(&test, MINUTE, MINUTE, 0, false);
    stage_start(&test, 1, 1);
    char *large = mem_zero(STATE_KEY_MAX + 1);
    memset(large, 'x', STATE_KEY_MAX);
    struct epoch_time time = {0, 0, INT64_MAX};
    feed(&test, 0, &time, (struct row[]){{"a", 1, 1}, {large, 1, 2}, {"a", 2, 4}}, 3);
    end_epoch(&test, &time, NULL);
    CHECK_INT(test.base.rejects.count, 1);
    CHECK_INT(test.base.rejects.items[0].row, 1);
    CHECK_EMITTED(&test, "#a 0-60000000 2 0.05 0.04");
    mem_free(large);
    under_test_close(&test);
}

/* ---- keys without a window ---- */

static void by_time(struct under_test *test, int32_t watermark_key, const struct expr *filter)
{
    test->schema = schema_of(&test->base, "ts TIMESTAMP, n BIGINT, m DECIMAL(12,2)");
    const struct expr **keys = arena_array(&test->base.arena, const struct expr *, 1);
    keys[0] = column_expr(&test->base, test->input, 1);
    const struct aggregate_call **calls = arena_array(&test->base.arena, const struct aggregate_call *, 2);
    calls[0] = bind(test, "count", -1, false, filter);
    calls[1] = bind(test, "max", 2, false, filter);
    test->spec = (struct aggregate_spec){.name = "by time",
                                         .keys = keys,
                                         .key_count = 1,
                                         .calls = calls,
                                         .call_count = 2,
                                         .window_key = -1,
                                         .watermark_key = watermark_key,
                                         .schema = test->schema};
}

TEST(an_event_time_key_ends_at_itself)
{
    struct under_test test = {0};
    set_up(&test.base);
    test.input = schema_of(&test.base, "card STRING, ts TIMESTAMP, amount DECIMAL(12,2)");
    by_time(&test, 0, NULL);
    stage_start(&test, 1, 2);
    struct epoch_time time = {0, 100, 500};
    feed(&test, 0, &time,
         (struct row[]){{"", 100, 1}, {"", 101, 2}, {"", 500, 3}, {"", 501, 4}, {"", NONE, 5}, {"", 501, 6}},
         6);
    end_epoch(&test, &time, NULL);
    CHECK_INT(test.base.counts.late, 1);
    CHECK_INT(test.base.counts.null_time, 1);
    CHECK_EMITTED(&test, "#1970-01-01 00:00:00.000101 1 0.02", "#1970-01-01 00:00:00.0005 1 0.03");
    CHECK_INT(stateful_entries(test.stage), 1); // 501 is in the same bucket and stays
    time = (struct epoch_time){1, 500, 501};
    end_epoch(&test, &time, NULL);
    CHECK_EMITTED(&test, "#1970-01-01 00:00:00.000501 2 0.06");
    under_test_close(&test);
}

TEST(groups_without_time_end_with_the_input)
{
    struct under_test test = {0};
    set_up(&test.base);
    test.input = schema_of(&test.base, "card STRING, ts TIMESTAMP, amount DECIMAL(12,2)");
    const struct expr *filter =
        call_expr(&test.base, "isnotnull", column_expr(&test.base, test.input, 0), NULL);
    by_time(&test, -1, filter);
    stage_start(&test, 2, 2);
    struct epoch_time time = {0, INT64_MIN, INT64_MAX - 1};
    feed(&test, 0, &time, (struct row[]){{"x", 1, 1}, {NULL, 1, 9}, {NULL, 2, 9}}, 3);
    feed(&test, 1, &time, (struct row[]){{"x", NONE, 2}}, 1);
    end_epoch(&test, &time, NULL);
    check_emitted(&test, NULL, 0);
    time = (struct epoch_time){1, INT64_MIN, INT64_MAX};
    end_epoch(&test, &time, NULL);
    CHECK_EMITTED(&test, "#1970-01-01 00:00:00.000001 1 0.01", "#1970-01-01 00:00:00.000002 0 NULL",
                  "#NULL 1 0.02");
    under_test_close(&test);
}

TEST(the_budget_is_asked)
{
    struct under_test test = {0};
    cards(&test, MINUTE, MINUTE, 0, false);
    stage_start(&test, 1, 1);
    test.budget.limit_bytes = test.budget.used_bytes + 1000;
    struct batch batch;
    batch_init(&batch, test.input, 1);
    put_strings(&batch.columns[0], (const char *[]){"a"}, 1);
    put_ints(&batch.columns[1], test.input->fields[1].type, (int64_t[]){1}, 1);
    put_ints(&batch.columns[2], test.input->fields[2].type, (int64_t[]){1}, 1);
    struct epoch_time time = {0};
    CHECK_INT(lane_batch(&test, 0, &time, &batch), E_MEMORY);
    CHECK(strncmp(test.base.err.text, "gold needs ", 11) == 0);
    batch_release(&batch);
    under_test_close(&test);
}

TEST(windows_that_cannot_be_are_refused)
{
    struct under_test test = {0};
    cards(&test, MINUTE, 1, 0, false);
    test.spec.lanes = test.spec.shards = 1;
    CHECK_INT(aggregate_new(&test.base.arena, &test.spec, &test.stage, &test.base.err), E_UNSUPPORTED);
    CHECK_STR(test.base.err.text, "gold: a row would count in more than 1000 sliding windows");
    test.spec.slide_us = 2 * MINUTE;
    CHECK_INT(aggregate_new(&test.base.arena, &test.spec, &test.stage, &test.base.err), E_UNSUPPORTED);
    tear_down(&test.base);
}

/* ---- against a plain recomputation, with restores ---- */

enum { MODEL_GROUPS = 4000, MODEL_VALUES = 40, CARDS = 23 };

/* All groups in a list; what a reader can check at a glance. */
struct model_group {
    int card;
    int64_t start_us, count, sum, max;
    bool seen[MODEL_VALUES], live;
};
struct model {
    struct model_group groups[MODEL_GROUPS];
    int64_t group_count, late;
    int64_t size_us, slide_us, start_us;
};

static void model_add_to(struct model *model, int card, int64_t start_us, int64_t amount)
{
    struct model_group *group = NULL;
    for (int64_t g = 0; g < model->group_count && group == NULL; g++)
        if (model->groups[g].live && model->groups[g].card == card && model->groups[g].start_us == start_us)
            group = &model->groups[g];
    if (group == NULL) {
        always(model->group_count < MODEL_GROUPS);
        group = &model->groups[model->group_count++];
        *group = (struct model_group){.card = card, .start_us = start_us, .max = INT64_MIN, .live = true};
    }
    group->count++;
    if (amount == NONE)
        return;
    group->sum += amount;
    group->max = amount > group->max ? amount : group->max;
    group->seen[amount] = true;
}

static void model_add(struct model *model, int card, int64_t time_us, int64_t amount, int64_t late_us)
{
    bool counted = false;
    // Every window whose start is start_us + n * slide: look at all of them that could hold the time.
    int64_t first = (time_us - model->size_us - model->start_us) / model->slide_us - 1;
    for (int64_t n = first; model->start_us + n * model->slide_us <= time_us; n++) {
        int64_t start = model->start_us + n * model->slide_us, end = start + model->size_us;
        if (time_us < start || time_us >= end || end <= late_us)
            continue;
        model_add_to(model, card, start, amount);
        counted = true;
    }
    model->late += !counted;
}

static const char *card_name(int card)
{
    static char names[CARDS][64];
    if (card == 0)
        return NULL;
    snprintf(names[card], sizeof names[card], "card %d%s", card,
             card % 5 == 0 ? " with a name longer than an entry holds" : "");
    return names[card];
}

static void model_emit(struct model *model, int64_t emit_us, bool distinct, struct lines *out)
{
    for (int64_t g = 0; g < model->group_count; g++) {
        struct model_group *group = &model->groups[g];
        if (!group->live || group->start_us + model->size_us > emit_us)
            continue;
        group->live = false;
        char line[LINE_MAX];
        int64_t different = 0;
        for (int v = 0; v < MODEL_VALUES; v++)
            different += group->seen[v];
        int used = snprintf(line, sizeof line, "#%s %lld-%lld %lld ",
                            group->card == 0 ? "NULL" : card_name(group->card), (long long)group->start_us,
                            (long long)(group->start_us + model->size_us), (long long)group->count);
        if (different == 0)
            used += snprintf(line + used, sizeof line - (size_t)used, "NULL NULL");
        else
            used +=
                snprintf(line + used, sizeof line - (size_t)used, "%lld.%02lld 0.%02lld",
                         (long long)(group->sum / 100), (long long)(group->sum % 100), (long long)group->max);
        if (distinct)
            snprintf(line + used, sizeof line - (size_t)used, " %lld", (long long)different);
        lines_add(out, line);
    }
}

/* A stage as a crash leaves it behind: gone. A new one is made from what was stored, with other lanes and
 * shards. */
static void restore(struct under_test *test, const struct text *snapshot, const struct text *deltas)
{
    stage_stop(test);
    stage_start(test, 1 + (int32_t)(kit_random() % 3), 1 + (int32_t)(kit_random() % 5));
    CHECK_INT(test->stage->type->restore(test->stage, text_view(snapshot), &test->base.err), E_OK);
    CHECK_INT(test->stage->type->restore(test->stage, text_view(deltas), &test->base.err), E_OK);
}

static void run_epoch(struct under_test *test, struct model *model, const struct epoch_time *time,
                      struct text *deltas)
{
    struct row rows[300];
    int64_t batches = (int64_t)(kit_random() % 4), middle = time->emit_us;
    for (int64_t b = 0; b < batches; b++) {
        int64_t count = (int64_t)(kit_random() % 300);
        for (int64_t i = 0; i < count; i++) {
            int card = (int)(kit_random() % CARDS);
            int64_t amount = kit_random() % 9 == 0 ? NONE : (int64_t)(kit_random() % MODEL_VALUES);
            int64_t at = kit_random() % 50 == 0 ? NONE : middle + (int64_t)(kit_random() % 400) - 150;
            rows[i] = (struct row){card_name(card), at, amount};
            if (at != NONE)
                model_add(model, card, at, amount, time->late_us);
        }
        feed(test, (int32_t)(kit_random() % (uint64_t)test->spec.lanes), time, rows, count);
    }
    end_epoch(test, time, deltas);
}

static void check_against_model(int64_t size_us, int64_t slide_us, int64_t start_us, bool distinct,
                                int crash_every)
{
    struct under_test test = {0};
    static struct model model;
    struct lines want = {0};
    struct text snapshot = {0}, deltas = {0};
    model = (struct model){.size_us = size_us, .slide_us = slide_us, .start_us = start_us};
    cards(&test, size_us, slide_us, start_us, distinct);
    stage_start(&test, 2, 3);
    struct epoch_time time = {0, -100, -100};
    for (int epoch = 0; epoch < 60; epoch++) {
        time = (struct epoch_time){epoch, time.emit_us, time.emit_us + (int64_t)(kit_random() % 60)};
        run_epoch(&test, &model, &time, &deltas);
        model_emit(&model, time.emit_us, distinct, &want);
        check_lines(&test.emitted, &want);
        if (crash_every > 0 && epoch % crash_every == 0)
            restore(&test, &snapshot, &deltas);
        if (epoch % 7 == 6) {
            text_clear(&snapshot);
            text_clear(&deltas);
            for (int32_t s = 0; s < test.spec.shards; s++)
                CHECK_INT(test.stage->type->shard_snapshot(test.stage, s, &snapshot, &test.base.err), E_OK);
        }
    }
    time = (struct epoch_time){60, time.emit_us, INT64_MAX};
    end_epoch(&test, &time, NULL);
    model_emit(&model, INT64_MAX, distinct, &want);
    check_lines(&test.emitted, &want);
    CHECK_INT(test.base.counts.late, model.late);
    CHECK_INT(stateful_entries(test.stage), 0);
    text_free(&snapshot);
    text_free(&deltas);
    mem_free(want.items);
    under_test_close(&test);
}

TEST(tumbling_windows_equal_the_recomputation) { check_against_model(100, 100, 0, false, 0); }
TEST(tumbling_windows_off_the_epoch_equal_it) { check_against_model(70, 70, 13, false, 0); }
TEST(sliding_windows_equal_it) { check_against_model(100, 30, 7, false, 0); }
TEST(states_that_are_not_flat_equal_it) { check_against_model(100, 100, 0, true, 0); }
TEST(a_restore_after_every_epoch_changes_nothing) { check_against_model(100, 100, 0, false, 1); }
TEST(nor_does_one_of_states_that_are_not_flat) { check_against_model(90, 45, 0, true, 1); }
TEST(nor_one_now_and_then) { check_against_model(100, 100, 5, true, 5); }

TEST(a_large_window_comes_in_batches)
{
    struct under_test test = {0};
    cards(&test, MINUTE, MINUTE, 0, false);
    stage_start(&test, 1, 1);
    static char names[20000][12];
    static struct row rows[20000];
    struct epoch_time time = {0, 0, INT64_MAX};
    for (int i = 0; i < 20000; i++) {
        snprintf(names[i], sizeof names[i], "c%05d", i);
        rows[i] = (struct row){names[i], 1, 1};
    }
    for (int from = 0; from < 20000; from += 8000)
        feed(&test, 0, &time, rows + from, from == 16000 ? 4000 : 8000);
    end_epoch(&test, &time, NULL);
    CHECK_INT(test.base.counts.out, 20000);
    CHECK_INT(test.largest_batch, BATCH_ROWS_MAX);
    CHECK_STR(test.emitted.items[0], "#c00000 0-60000000 1 0.01 0.01"); // in the order they came
    CHECK_STR(test.emitted.items[19999], "#c19999 0-60000000 1 0.01 0.01");
    under_test_close(&test);
}

/* ---- stored bytes ---- */

TEST(an_epoch_without_change_stores_nothing)
{
    struct under_test test = {0};
    cards(&test, MINUTE, MINUTE, 0, false);
    stage_start(&test, 1, 2);
    struct text delta = {0};
    struct epoch_time time = {0, 0, 0};
    end_epoch(&test, &time, &delta);
    CHECK_INT(delta.size, 0);
    feed(&test, 0, &time, (struct row[]){{"a", 1, 1}}, 1);
    end_epoch(&test, &time, &delta);
    CHECK(delta.size > 0);
    text_clear(&delta);
    time = (struct epoch_time){1, 0, MINUTE - 1};
    end_epoch(&test, &time, &delta);
    CHECK_INT(delta.size, 0);
    time = (struct epoch_time){2, MINUTE - 1, MINUTE}; // an eviction alone is a change
    end_epoch(&test, &time, &delta);
    CHECK(delta.size > 0);
    text_free(&delta);
    under_test_close(&test);
}

TEST(stored_bytes_are_checked)
{
    struct under_test test = {0};
    cards(&test, MINUTE, MINUTE, 0, false);
    stage_start(&test, 1, 1);
    struct text stored = {0};
    struct epoch_time time = {0};
    feed(&test, 0, &time, (struct row[]){{"a", 1, 1}, {"b", 1, 2}}, 2);
    end_epoch(&test, &time, NULL);
    CHECK_INT(test.stage->type->shard_snapshot(test.stage, 0, &stored, &test.base.err), E_OK);
    for (size_t i = 0; i < stored.size; i++) {
        stored.data[i] ^= 1;
        CHECK_INT(test.stage->type->restore(test.stage, text_view(&stored), &test.base.err), E_CORRUPT);
        stored.data[i] ^= 1;
        CHECK_INT(test.stage->type->restore(test.stage, bytes_of(stored.data, i), &test.base.err),
                  i == 0 ? E_OK : E_CORRUPT);
    }
    CHECK_INT(stateful_entries(test.stage), 2);
    CHECK_INT(test.stage->type->restore(test.stage, text_view(&stored), &test.base.err),
              E_OK); // again: nothing changes
    CHECK_INT(stateful_entries(test.stage), 2);
    stage_stop(&test);
    test.spec.call_count = 2;
    stage_start(&test, 1, 1);
    CHECK_INT(test.stage->type->restore(test.stage, text_view(&stored), &test.base.err), E_CHANGED);
    CHECK_STR(
        test.base.err.text,
        "gold: the stored state belongs to other group keys or aggregates; start with a new checkpoint");
    text_free(&stored);
    under_test_close(&test);
}

/* The checksum guards against decay, not against intent: a body that lies must still not crash. */
TEST(hostile_bodies_fail_without_harm)
{
    struct under_test test = {0};
    cards(&test, MINUTE, MINUTE, 0, true);
    stage_start(&test, 1, 1);
    struct text stored = {0};
    struct epoch_time time = {0};
    feed(&test, 0, &time, (struct row[]){{"a", 1, 1}, {"b", 1, 2}, {"a", 3, 4}}, 3);
    end_epoch(&test, &time, NULL);
    CHECK_INT(test.stage->type->shard_snapshot(test.stage, 0, &stored, &test.base.err), E_OK);
    struct bytes in = text_view(&stored);
    struct state_frame frame;
    CHECK_INT(state_frame_read(&in, &frame, &test.base.err), E_OK);
    for (int round = 0; round < 2000; round++) {
        struct text hostile = {0};
        size_t start = state_frame_begin(&hostile, frame.kind, frame.layout), body = hostile.size;
        text_add(&hostile, frame.body.data,
                 kit_random() % 3 == 0 ? kit_random() % frame.body.size : frame.body.size);
        for (int flips = 0; flips < 3 && hostile.size > body; flips++)
            hostile.data[body + kit_random() % (hostile.size - body)] = (char)kit_random();
        state_frame_end(&hostile, start);
        stage_stop(&test);
        stage_start(&test, 1, 1);
        enum code code = test.stage->type->restore(test.stage, text_view(&hostile), &test.base.err);
        CHECK(code == E_OK || code == E_CORRUPT);
        text_free(&hostile);
    }
    text_free(&stored);
    under_test_close(&test);
}

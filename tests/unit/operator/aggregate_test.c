/* The windowed aggregate: against a plain recomputation, across restores, and at each boundary of late and
 * emit. */
#include "aggregate_kit.h"

/* ---- boundaries ---- */

TEST(window_is_emitted_when_the_watermark_reaches_its_end)
{
    struct under_test test = {0};
    cards(&test, MINUTE, MINUTE, 0, false);
    stage_start(&test, 1, 1);
    struct epoch_time time = {0, 0, 0};
    feed(&test, 0, &time,
         (struct row[]){{"a", 1, 100, 0}, {"a", MINUTE - 1, 250, 0}, {"a", MINUTE, 1, 0}, {"b", 2 * MINUTE, 5, 0}}, 4);
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
    feed(&test, 0, &time, (struct row[]){{"a", MINUTE - 1, 1, 0}, {"a", MINUTE, 2, 0}, {"a", NONE, 4, 0}}, 3);
    end_epoch(&test, &time, NULL);
    CHECK_INT(test.base.counts.late, 1);
    CHECK_INT(test.base.counts.null_time, 1);
    check_emitted(&test, NULL, 0);
    // A window that W(N) closes still takes the rows of epoch N, since they are judged by W(N-1).
    time = (struct epoch_time){6, 90 * 1000000, 2 * MINUTE};
    feed(&test, 0, &time, (struct row[]){{"a", MINUTE + 1, 8, 0}}, 1);
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
         (struct row[]){{NULL, -1, 1, 0}, {NULL, -MINUTE, 2, 0}, {NULL, -MINUTE - 1, 4, 0}, {"", 0, NONE, 0}}, 4);
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
    feed(&test, 0, &time, (struct row[]){{"a", 14999999, 1, 0}, {"a", 15000000, 2, 0}}, 2);
    end_epoch(&test, &time, NULL);
    CHECK_EMITTED(&test, "#a -45000000-15000000 1 0.01 0.01", "#a 15000000-75000000 1 0.02 0.02");
    under_test_close(&test);

    struct under_test sliding = {0};
    cards(&sliding, 50 * 1000000, 20 * 1000000, 0, false); // the size is no multiple of the slide
    stage_start(&sliding, 1, 2);
    time = (struct epoch_time){0, 25 * 1000000, INT64_MAX};
    feed(&sliding, 0, &time, (struct row[]){{"a", 5 * 1000000, 1, 0}, {"a", 15 * 1000000, 2, 0}}, 2);
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
    feed(&test, 0, &time, (struct row[]){{"a", INT64_MAX, 1, 0}, {"a", INT64_MIN + 1, 1, 0}, {"a", 1, 1, 0}}, 3);
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
    feed(&test, 0, &time, (struct row[]){{"a", 1, 1, 0}, {large, 1, 2, 0}, {"a", 2, 4, 0}}, 3);
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
    test.input = schema_of(&test.base, CARDS_INPUT);
    by_time(&test, 0, NULL);
    stage_start(&test, 1, 2);
    struct epoch_time time = {0, 100, 500};
    feed(&test, 0, &time,
         (struct row[]){
             {"", 100, 1, 0}, {"", 101, 2, 0}, {"", 500, 3, 0}, {"", 501, 4, 0}, {"", NONE, 5, 0}, {"", 501, 6, 0}},
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
    test.input = schema_of(&test.base, CARDS_INPUT);
    const struct expr *filter = call_expr(&test.base, "isnotnull", column_expr(&test.base, test.input, 0), NULL);
    by_time(&test, -1, filter);
    stage_start(&test, 2, 2);
    struct epoch_time time = {0, INT64_MIN, INT64_MAX - 1};
    feed(&test, 0, &time, (struct row[]){{"x", 1, 1, 0}, {NULL, 1, 9, 0}, {NULL, 2, 9, 0}}, 3);
    feed(&test, 1, &time, (struct row[]){{"x", NONE, 2, 0}}, 1);
    end_epoch(&test, &time, NULL);
    check_emitted(&test, NULL, 0);
    time = (struct epoch_time){1, INT64_MIN, INT64_MAX};
    end_epoch(&test, &time, NULL);
    CHECK_EMITTED(&test, "#1970-01-01 00:00:00.000001 1 0.01", "#1970-01-01 00:00:00.000002 0 NULL", "#NULL 1 0.02");
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
    put_ints(&batch.columns[3], test.input->fields[3].type, (int64_t[]){1}, 1);
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

TEST(open_groups_and_panes_are_shown)
{
    struct under_test test = {0};
    cards(&test, MINUTE, MINUTE, 0, false);
    stage_start(&test, 1, 3);
    struct epoch_time time = {0, 0, 0};
    feed(&test, 0, &time, (struct row[]){{"a", 1, 1, 0}, {"b", 2, 2, 0}, {"a", 2, 4, 0}}, 3);
    end_epoch(&test, &time, NULL);
    show_all(&test);
    CHECK_EMITTED(&test, "#a 0-60000000 2 0.05 0.04", "#b 0-60000000 1 0.02 0.02");
    under_test_close(&test);

    struct under_test sliding = {0};
    cards(&sliding, 50, 20, 0, false); // panes of 10 microseconds
    stage_start(&sliding, 1, 3);
    feed(&sliding, 0, &time, (struct row[]){{"a", 1, 1, 0}, {"a", 9, 2, 0}, {"a", 10, 4, 0}}, 3);
    end_epoch(&sliding, &time, NULL);
    show_all(&sliding);
    CHECK_EMITTED(&sliding, "#a 0-10 2 0.03 0.02", "#a 10-20 1 0.04 0.04");
    under_test_close(&sliding);
}

TEST(a_filter_guards_its_arguments)
{
    struct under_test test = {0};
    cards(&test, MINUTE, MINUTE, 0, false);
    const struct aggregate_call **calls = arena_array(&test.base.arena, const struct aggregate_call *, 3);
    const struct expr *amount = column_expr(&test.base, test.input, 2);
    const struct expr *quotient = call_expr(&test.base, "/", int_expr(&test.base, 1), amount);
    const struct expr *not_zero = call_expr(&test.base, "<>", amount, int_expr(&test.base, 0));
    calls[0] = test.spec.calls[0];
    CHECK_INT(aggregate_bind(&test.base.expr, "max", &quotient, 1, false, not_zero, (struct position){0}, &calls[1],
                             &test.base.err),
              E_OK);
    CHECK_INT(aggregate_bind(&test.base.expr, "count", &quotient, 1, true, not_zero, (struct position){0}, &calls[2],
                             &test.base.err),
              E_OK);
    test.spec.calls = calls;
    test.spec.schema = type_struct(&test.base.arena,
                                   (struct field[]){test.schema->fields[0],
                                                    test.schema->fields[1],
                                                    test.schema->fields[2],
                                                    {"m", calls[1]->type, true},
                                                    {"d", calls[2]->type, true}},
                                   5);
    stage_start(&test, 1, 1);
    struct epoch_time time = {0, 0, INT64_MAX};
    feed(&test, 0, &time, (struct row[]){{"a", 1, 100, 0}, {"a", 2, 0, 0}, {"a", 3, 200, 0}, {"a", 3, 200, 0}}, 4);
    end_epoch(&test, &time, NULL);
    CHECK_INT(test.base.rejects.count, 0);
    CHECK_EMITTED(&test, "#a 0-60000000 4 1.0000000000000 2");
    under_test_close(&test);
}

TEST(what_states_hold_is_charged)
{
    for (int kind = 0; kind < 3; kind++) { // tumbling, sliding, sessions
        struct under_test test = {0};
        cards(&test, MINUTE, kind == 1 ? MINUTE / 2 : MINUTE, 0, true);
        if (kind == 2)
            test.spec.gap = column_expr(&test.base, test.input, 3);
        stage_start(&test, 1, 1);
        struct row rows[4000];
        struct epoch_time time = {0, 0, 0};
        for (int i = 0; i < 4000; i++)
            rows[i] = (struct row){"a", 1, i, MINUTE};
        size_t before = test.budget.used_bytes;
        feed(&test, 0, &time, rows, 4000);
        CHECK(test.budget.used_bytes > before + 4000 * 10);
        CHECK(stateful_bytes(test.stage) > 4000 * 10);
        end_epoch(&test, &time, NULL);
        CHECK(test.stage->type->shard_bytes(test.stage, 0) > 4000 * 10);
        test.budget.limit_bytes = test.budget.used_bytes + 10000;
        struct batch batch;
        batch_init(&batch, test.input, 4000);
        const char *names[4000];
        int64_t times[4000], amounts[4000];
        for (int i = 0; i < 4000; i++) {
            names[i] = "b";
            times[i] = 1;
            amounts[i] = i;
        }
        put_strings(&batch.columns[0], names, 4000);
        put_ints(&batch.columns[1], test.input->fields[1].type, times, 4000);
        put_ints(&batch.columns[2], test.input->fields[2].type, amounts, 4000);
        put_ints(&batch.columns[3], test.input->fields[3].type, amounts, 4000);
        CHECK_INT(lane_batch(&test, 0, &time, &batch), E_MEMORY);
        batch_release(&batch);
        under_test_close(&test);
    }
}

/* ---- the first and the last row ---- */

/* Rows that stand at places 0, 1, .. of partition `partition`. */
static void feed_places(struct under_test *test, int32_t lane, int32_t partition, int64_t offset,
                        const int64_t *amounts, int64_t count)
{
    struct batch batch;
    const char *names[8] = {0}, *topics[8];
    int64_t times[8] = {0}, offsets[8], partitions[8];
    struct origin *origin = mem_new(struct origin);
    origin->count = 1;
    for (int64_t i = 0; i < count; i++) {
        topics[i] = "t";
        partitions[i] = partition;
        offsets[i] = offset + i;
    }
    put_strings(&origin->topic, topics, count);
    put_ints(&origin->partition, type_of(TYPE_INT32), partitions, count);
    put_ints(&origin->offset, type_of(TYPE_INT64), offsets, count);
    batch_init(&batch, test->input, count);
    batch.source = origin;
    put_strings(&batch.columns[0], names, count);
    put_ints(&batch.columns[1], test->input->fields[1].type, times, count);
    put_ints(&batch.columns[2], test->input->fields[2].type, amounts, count);
    put_ints(&batch.columns[3], test->input->fields[3].type, times, count);
    const struct epoch_time time = {0, INT64_MIN, INT64_MIN};
    CHECK_INT(lane_batch(test, lane, &time, &batch), E_OK);
    batch_release(&batch);
}

TEST(first_and_last_do_not_depend_on_workers)
{
    for (int order = 0; order < 6; order++) {
        struct under_test test = {0};
        cards(&test, MINUTE, MINUTE, 0, false);
        const struct aggregate_call *calls[] = {bind(&test, "first", 2, false, NULL),
                                                bind(&test, "last", 2, false, NULL),
                                                bind(&test, "first", 0, false, NULL)};
        test.spec.calls = calls;
        test.spec.schema = schema_of(&test.base, "card STRING, w STRUCT<start: TIMESTAMP, end: TIMESTAMP>, "
                                                 "f DECIMAL(12,2), l DECIMAL(12,2), c STRING");
        stage_start(&test, 2, 1);
        const struct epoch_time time = {order, INT64_MIN, 0}, last = {7, 0, INT64_MAX};
        for (int step = 0; step < 3; step++) {
            int which = (order / 2 + (order % 2 == 0 ? step : 3 - step)) % 3;
            if (which == 0)
                feed_places(&test, order % 2, 0, 5, (int64_t[]){10, 11, 12}, 3);
            else if (which == 1)
                feed_places(&test, 1, 0, 8, (int64_t[]){20}, 1);
            else
                feed_places(&test, step % 2, 1, 0, (int64_t[]){30, NONE}, 2);
            if (order == 4)
                end_epoch(&test, &time, NULL);
        }
        end_epoch(&test, &last, NULL);
        CHECK_EMITTED(&test, "#NULL 0-60000000 0.10 NULL NULL");
        under_test_close(&test);
    }
}

/* ---- against a plain recomputation, with restores ---- */

enum { MODEL_GROUPS = 20000 };

/* All groups in a list; what a reader can check at a glance. */
struct model_group {
    int card;
    int64_t start_us, count, sum, max;
    bool seen[MODEL_VALUES];
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
        if (model->groups[g].card == card && model->groups[g].start_us == start_us)
            group = &model->groups[g];
    if (group == NULL) {
        always(model->group_count < MODEL_GROUPS);
        group = &model->groups[model->group_count++];
        *group = (struct model_group){.card = card, .start_us = start_us, .max = INT64_MIN};
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

static void model_emit(struct model *model, int64_t emit_us, bool distinct, struct lines *out)
{
    for (int64_t g = 0; g < model->group_count;) {
        struct model_group *group = &model->groups[g];
        if (group->start_us + model->size_us > emit_us) {
            g++;
            continue;
        }
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
            used += snprintf(line + used, sizeof line - (size_t)used, "%lld.%02lld 0.%02lld",
                             (long long)(group->sum / 100), (long long)(group->sum % 100), (long long)group->max);
        if (distinct)
            snprintf(line + used, sizeof line - (size_t)used, " %lld", (long long)different);
        lines_add(out, line);
        *group = model->groups[--model->group_count];
    }
}

static void run_epoch(struct under_test *test, struct model *model, const struct epoch_time *time, struct text *deltas)
{
    struct row rows[300];
    int64_t batches = (int64_t)(kit_random() % 4), middle = time->emit_us;
    for (int64_t b = 0; b < batches; b++) {
        int64_t count = (int64_t)(kit_random() % 300);
        for (int64_t i = 0; i < count; i++) {
            int card = (int)(kit_random() % CARDS);
            int64_t amount = kit_random() % 9 == 0 ? NONE : (int64_t)(kit_random() % MODEL_VALUES);
            int64_t at = kit_random() % 50 == 0 ? NONE : middle + (int64_t)(kit_random() % 400) - 150;
            rows[i] = (struct row){card_name(card), at, amount, 0};
            if (at != NONE)
                model_add(model, card, at, amount, time->late_us);
        }
        feed(test, (int32_t)(kit_random() % (uint64_t)test->spec.lanes), time, rows, count);
    }
    end_epoch(test, time, deltas);
}

static void check_against_model(int64_t size_us, int64_t slide_us, int64_t start_us, bool distinct, int crash_every)
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
        if (epoch % 3 == 1)
            spill_some(&test);
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
TEST(sliding_windows_of_many_panes_equal_it) { check_against_model(240, 4, 1, false, 4); }
TEST(sliding_windows_of_unequal_panes_equal_it) { check_against_model(100, 7, -3, false, 2); }
TEST(sliding_windows_a_little_longer_than_the_slide_equal_it) { check_against_model(61, 60, 0, false, 1); }
TEST(sliding_windows_of_states_that_are_not_flat_equal_it) { check_against_model(90, 9, 0, true, 2); }
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
        rows[i] = (struct row){names[i], 1, 1, 0};
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
    feed(&test, 0, &time, (struct row[]){{"a", 1, 1, 0}}, 1);
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
    feed(&test, 0, &time, (struct row[]){{"a", 1, 1, 0}, {"b", 1, 2, 0}}, 2);
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
    CHECK_STR(test.base.err.text,
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
    feed(&test, 0, &time, (struct row[]){{"a", 1, 1, 0}, {"b", 1, 2, 0}, {"a", 3, 4, 0}}, 3);
    end_epoch(&test, &time, NULL);
    CHECK_INT(test.stage->type->shard_snapshot(test.stage, 0, &stored, &test.base.err), E_OK);
    struct bytes in = text_view(&stored);
    struct state_frame frame;
    CHECK_INT(state_frame_read(&in, &frame, &test.base.err), E_OK);
    for (int round = 0; round < 2000; round++) {
        struct text hostile = {0};
        size_t start = state_frame_begin(&hostile, frame.kind, frame.layout), body = hostile.size;
        text_add(&hostile, frame.body.data, kit_random() % 3 == 0 ? kit_random() % frame.body.size : frame.body.size);
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

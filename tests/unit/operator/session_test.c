/* Session windows: against a plain recomputation over random streams, across restores, and at their edges.
 * What Spark 4.2 does with the same streams was compared with the same recomputation. */
#include "aggregate_kit.h"

#define SECOND ((int64_t)1000000)

/* CARDS_INPUT -> card, session, count(*), sum, max, and with `distinct` count(DISTINCT amount) */
static void sessions(struct under_test *test, bool distinct)
{
    cards(test, 1, 1, 0, distinct);
    test->spec.size_us = test->spec.slide_us = 0;
    test->spec.gap = column_expr(&test->base, test->input, 3);
}

/* ---- edges ---- */

TEST(sessions_that_touch_are_one)
{
    struct under_test test = {0};
    sessions(&test, false);
    stage_start(&test, 2, 2);
    struct epoch_time time = {0, 0, 20};
    feed(&test, 0, &time, (struct row[]){{"a", 0, 1, 10}, {"b", 0, 1, 10}}, 2);
    feed(&test, 1, &time, (struct row[]){{"a", 10, 2, 10}, {"b", 11, 2, 10}}, 2);
    end_epoch(&test, &time, NULL);
    CHECK_EMITTED(&test, "#a 0-20 2 0.03 0.02", "#b 0-10 1 0.01 0.01");
    CHECK_INT(stateful_entries(test.stage), 1);
    time = (struct epoch_time){1, 20, 21};
    end_epoch(&test, &time, NULL);
    CHECK_EMITTED(&test, "#b 11-21 1 0.02 0.02");
    CHECK_INT(stateful_entries(test.stage), 0);
    under_test_close(&test);
}

TEST(a_late_row_is_judged_by_its_own_gap)
{
    struct under_test test = {0};
    sessions(&test, false);
    stage_start(&test, 1, 1);
    struct epoch_time time = {0, 0, 0};
    feed(&test, 0, &time, (struct row[]){{"a", 100, 1, 50}}, 1);
    end_epoch(&test, &time, NULL);
    // W is 110. A row that alone would have ended by then is late, though it touches an open session; a row before W whose
    // gap reaches past it is not, and joins what it reaches.
    time = (struct epoch_time){1, 110, 110};
    feed(&test, 0, &time, (struct row[]){{"a", 100, 2, 10}, {"a", 90, 4, 21}, {"a", 160, 8, 5}, {"a", 140, 16, 20}}, 4);
    end_epoch(&test, &time, NULL);
    CHECK_INT(test.base.counts.late, 1);
    CHECK_INT(stateful_entries(test.stage), 1); // the last row made one of two
    time = (struct epoch_time){2, 110, 165};
    end_epoch(&test, &time, NULL);
    CHECK_EMITTED(&test, "#a 90-165 4 0.29 0.16");
    under_test_close(&test);
}

TEST(rows_without_a_gap_or_a_time_fall_out)
{
    struct under_test test = {0};
    sessions(&test, false);
    stage_start(&test, 1, 1);
    struct epoch_time time = {0, INT64_MIN, INT64_MAX};
    feed(&test, 0, &time,
         (struct row[]){{"a", 0, 1, 0},
                        {"a", 0, 1, -1},
                        {"a", 0, 1, NONE},
                        {"a", NONE, 1, 5},
                        {NULL, -7, 1, 1},
                        {"a", INT64_MAX, 1, 1},
                        {"a", 0, 1, INT64_MAX},
                        {"a", -EVENT_TIME_LIMIT_US, 1, 1},
                        {"a", EVENT_TIME_LIMIT_US, 1, EVENT_TIME_LIMIT_US}},
         9);
    end_epoch(&test, &time, NULL);
    CHECK_INT(test.base.counts.filtered, 3);
    CHECK_INT(test.base.counts.null_time, 1);
    CHECK_INT(test.base.counts.rejected, 2);
    CHECK_INT(test.base.counts.aggregated, 3);
    CHECK_EMITTED(&test, "#NULL -7--6 1 0.01 0.01", "#a -2305843009213693951--2305843009213693950 1 0.01 0.01",
                  "#a 2305843009213693951-4611686018427387902 1 0.01 0.01");
    under_test_close(&test);
}

TEST(a_session_that_grows_is_emitted_once_when_it_ends)
{
    struct under_test test = {0};
    sessions(&test, false);
    stage_start(&test, 1, 1);
    struct text deltas = {0};
    for (int64_t i = 0; i < 50; i++) {
        struct epoch_time time = {i, i * SECOND - SECOND, i * SECOND};
        feed(&test, 0, &time, (struct row[]){{"a", i * SECOND, 1, 3 * SECOND / 2}}, 1);
        end_epoch(&test, &time, &deltas);
        check_emitted(&test, NULL, 0);
    }
    stage_stop(&test);
    stage_start(&test, 1, 3);
    CHECK_INT(test.stage->type->restore(test.stage, text_view(&deltas), &test.base.err), E_OK);
    CHECK_INT(stateful_entries(test.stage), 1);
    struct epoch_time time = {50, 49 * SECOND, 60 * SECOND};
    end_epoch(&test, &time, NULL);
    CHECK_EMITTED(&test, "#a 0-50500000 50 0.50 0.01");
    text_free(&deltas);
    under_test_close(&test);
}

TEST(open_sessions_are_shown)
{
    struct under_test test = {0};
    sessions(&test, true);
    stage_start(&test, 1, 3);
    struct epoch_time time = {0, INT64_MIN, 0};
    feed(&test, 0, &time, (struct row[]){{"a", 0, 1, 10}, {"a", 5, 3, 10}, {"a", 50, 2, 1}, {NULL, 7, NONE, 1}}, 4);
    end_epoch(&test, &time, NULL);
    for (int twice = 0; twice < 2; twice++) {
        show_all(&test);
        CHECK_EMITTED(&test, "#a 0-15 2 0.04 0.03 2", "#a 50-51 1 0.02 0.02 1", "#NULL 7-8 1 NULL NULL 0");
    }
    under_test_close(&test);
}

/* ---- one key with very many sessions ---- */

TEST(a_key_may_have_very_many_sessions)
{
    enum { SESSIONS = 200000, BATCH = 8000 };
    struct under_test test = {0};
    sessions(&test, false);
    stage_start(&test, 1, 2);
    struct epoch_time time = {0, INT64_MIN, INT64_MIN};
    struct row *rows = mem_array(struct row, BATCH);
    for (int round = 0; round < 2; round++) { // the even ones, then those between, in no order
        for (int64_t from = 0; from < SESSIONS / 2; from += BATCH) {
            int64_t count = SESSIONS / 2 - from < BATCH ? SESSIONS / 2 - from : BATCH;
            for (int64_t i = 0; i < count; i++)
                rows[i] = (struct row){"a", ((from + i) * 7919 % (SESSIONS / 2) * 2 + round) * 10, 1, 5};
            feed(&test, 0, &time, rows, count);
        }
        time.epoch = round;
        end_epoch(&test, &time, NULL);
    }
    CHECK_INT(stateful_entries(test.stage), SESSIONS);
    for (int64_t i = 0; i < BATCH; i++) // and all of a stretch become one
        rows[i] = (struct row){"a", i * 10 + 5, 1, 5};
    feed(&test, 0, &time, rows, BATCH);
    time = (struct epoch_time){2, INT64_MIN, BATCH * 10};
    end_epoch(&test, &time, NULL);
    CHECK_INT(stateful_entries(test.stage), SESSIONS - BATCH); // it touches the next one, which is open
    time = (struct epoch_time){3, BATCH * 10, 2 * BATCH * 10};
    end_epoch(&test, &time, NULL);
    CHECK_INT(stateful_entries(test.stage), SESSIONS - 2 * BATCH);
    CHECK_STR(test.emitted.items[0], "#a 0-80005 16001 160.01 0.01");
    mem_free(rows);
    under_test_close(&test);
}

/* ---- against a recomputation ---- */

enum { MODEL_SESSIONS = 6000 };

struct model_session {
    int card;
    int64_t start_us, end_us, count, sum, max;
    bool seen[MODEL_VALUES];
};
struct model {
    struct model_session sessions[MODEL_SESSIONS];
    int64_t count, late, filtered;
};

static void model_join(struct model_session *into, const struct model_session *from)
{
    into->start_us = from->start_us < into->start_us ? from->start_us : into->start_us;
    into->end_us = from->end_us > into->end_us ? from->end_us : into->end_us;
    into->count += from->count;
    into->sum += from->sum;
    into->max = from->max > into->max ? from->max : into->max;
    for (int v = 0; v < MODEL_VALUES; v++)
        into->seen[v] |= from->seen[v];
}

/* The row is a session of its own, then takes in all that it touches. */
static void model_add(struct model *model, int card, const struct row *row, int64_t late_us)
{
    if (row->gap_us == NONE || row->gap_us <= 0) {
        model->filtered++;
        return;
    }
    if (row->time_us + row->gap_us <= late_us) {
        model->late++;
        return;
    }
    struct model_session own = {card, row->time_us, row->time_us + row->gap_us, 1, 0, INT64_MIN, {false}};
    if (row->amount != NONE) {
        own.sum = own.max = row->amount;
        own.seen[row->amount] = true;
    }
    for (int64_t i = 0; i < model->count;) {
        struct model_session *other = &model->sessions[i];
        if (other->card != card || other->start_us > own.end_us || other->end_us < own.start_us) {
            i++;
            continue;
        }
        model_join(&own, other);
        *other = model->sessions[--model->count];
    }
    always(model->count < MODEL_SESSIONS);
    model->sessions[model->count++] = own;
}

static void model_emit(struct model *model, int64_t emit_us, bool distinct, struct lines *out)
{
    for (int64_t i = 0; i < model->count;) {
        struct model_session *session = &model->sessions[i];
        if (session->end_us > emit_us) {
            i++;
            continue;
        }
        int64_t different = 0;
        for (int v = 0; v < MODEL_VALUES; v++)
            different += session->seen[v];
        char line[LINE_MAX], numbers[LINE_MAX / 4] = "NULL NULL";
        if (different > 0)
            snprintf(numbers, sizeof numbers, "%lld.%02lld 0.%02lld", (long long)(session->sum / 100),
                     (long long)(session->sum % 100), (long long)session->max);
        int used =
            snprintf(line, sizeof line, "#%s %lld-%lld %lld %s", session->card == 0 ? "NULL" : card_name(session->card),
                     (long long)session->start_us, (long long)session->end_us, (long long)session->count, numbers);
        if (distinct)
            snprintf(line + used, sizeof line - (size_t)used, " %lld", (long long)different);
        lines_add(out, line);
        *session = model->sessions[--model->count];
    }
}

/* Gaps around `gap_us`; with `dynamic` of all sizes, and now and then none. */
static int64_t random_gap(int64_t gap_us, bool dynamic)
{
    if (!dynamic)
        return gap_us;
    if (kit_random() % 40 == 0)
        return kit_random() % 2 == 0 ? NONE : -(int64_t)(kit_random() % 3);
    return 1 + (int64_t)(kit_random() % (uint64_t)(kit_random() % 8 == 0 ? 10 * gap_us : gap_us));
}

static void run_epoch(struct under_test *test, struct model *model, const struct epoch_time *time, int64_t gap_us,
                      bool dynamic, struct text *deltas)
{
    struct row rows[300];
    int64_t batches = (int64_t)(kit_random() % 4), middle = time->emit_us;
    for (int64_t b = 0; b < batches; b++) {
        int64_t count = (int64_t)(kit_random() % 150);
        for (int64_t i = 0; i < count; i++) {
            int card = (int)(kit_random() % CARDS);
            int64_t amount = kit_random() % 9 == 0 ? NONE : (int64_t)(kit_random() % MODEL_VALUES);
            int64_t at = kit_random() % 50 == 0 ? NONE : middle + (int64_t)(kit_random() % 800) - 300;
            rows[i] = (struct row){card_name(card), at, amount, random_gap(gap_us, dynamic)};
            if (at != NONE)
                model_add(model, card, &rows[i], time->late_us);
        }
        feed(test, (int32_t)(kit_random() % (uint64_t)test->spec.lanes), time, rows, count);
    }
    end_epoch(test, time, deltas);
}

static void take_snapshot(struct under_test *test, struct text *snapshot, struct text *deltas)
{
    text_clear(snapshot);
    text_clear(deltas);
    for (int32_t s = 0; s < test->spec.shards; s++)
        CHECK_INT(test->stage->type->shard_snapshot(test->stage, s, snapshot, &test->base.err), E_OK);
}

static void check_against_model(int64_t gap_us, bool dynamic, bool distinct, int crash_every)
{
    struct under_test test = {0};
    static struct model model;
    struct lines want = {0};
    struct text snapshot = {0}, deltas = {0};
    model = (struct model){0};
    sessions(&test, distinct);
    stage_start(&test, 2, 3);
    struct epoch_time time = {0, -100, -100};
    for (int epoch = 0; epoch < 60; epoch++) {
        time = (struct epoch_time){epoch, time.emit_us, time.emit_us + (int64_t)(kit_random() % 100)};
        run_epoch(&test, &model, &time, gap_us, dynamic, &deltas);
        model_emit(&model, time.emit_us, distinct, &want);
        check_lines(&test.emitted, &want);
        CHECK_INT(stateful_entries(test.stage), model.count);
        if (crash_every > 0 && epoch % crash_every == 0)
            restore(&test, &snapshot, &deltas);
        if (epoch % 3 == 1)
            spill_some(&test);
        if (epoch % 7 == 6)
            take_snapshot(&test, &snapshot, &deltas);
    }
    time = (struct epoch_time){60, time.emit_us, INT64_MAX};
    end_epoch(&test, &time, NULL);
    model_emit(&model, INT64_MAX, distinct, &want);
    check_lines(&test.emitted, &want);
    CHECK_INT(test.base.counts.late, model.late);
    CHECK_INT(test.base.counts.filtered, model.filtered);
    CHECK_INT(stateful_entries(test.stage), 0);
    text_free(&snapshot);
    text_free(&deltas);
    mem_free(want.items);
    under_test_close(&test);
}

TEST(sessions_of_one_gap_equal_the_recomputation) { check_against_model(20, false, false, 0); }
TEST(sessions_of_many_gaps_equal_it) { check_against_model(40, true, false, 0); }
TEST(sessions_of_states_that_are_not_flat_equal_it) { check_against_model(15, true, true, 0); }
TEST(a_restore_after_every_epoch_changes_no_session) { check_against_model(33, true, false, 1); }
TEST(nor_one_now_and_then_without_flat_states) { check_against_model(25, true, true, 3); }

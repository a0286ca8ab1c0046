/* What a row costs in a windowed aggregate: card_id STRING of 100 k values, windows of one minute; count(*),
 * sum, avg and max of DECIMAL(12,2). One core, of which its own time counts. The rows' times walk through
 * `minutes` minutes, so there are 100 k * minutes groups. Beside it a plain C loop over the same columns:
 * hash card and minute, find the group, add. No types, no NULLs.
 *
 * Then streams: an epoch is a minute, the watermark follows a minute behind, and all of it counts: fold,
 * merge, delta, emit. Tumbling windows of a minute, windows of an hour every minute, and sessions of 20
 * seconds, as ratios. */
#include <inttypes.h>
#include <stdio.h>

#include "base/hash.h"
#include "base/thread.h"
#include "operator/operator.h"

enum { CARDS = 100000, BATCHES = 256, SHARDS = 64, CARD_BYTES = 16 };
#define MINUTE_US ((int64_t)60 * 1000000)

static struct arena arena;
static struct batch batches[BATCHES];

static uint64_t next_random(void)
{
    static uint64_t seed = 7;
    seed += 0x9e3779b97f4a7c15u;
    return hash_mix(seed, 0);
}

static void batch_fill(struct batch *batch, const struct type *schema, int minutes, uint64_t cards)
{
    struct builder builders[3];
    batch_init(batch, schema, BATCH_ROWS_MAX);
    for (int c = 0; c < 3; c++)
        builder_init(&builders[c], schema->fields[c].type);
    for (int i = 0; i < BATCH_ROWS_MAX; i++) {
        char card[CARD_BYTES + 1];
        snprintf(card, sizeof card, "card-%011" PRIu64, next_random() % cards);
        builder_bytes(&builders[0], bytes_of(card, CARD_BYTES));
        builder_int(&builders[1], (int64_t)(next_random() % (uint64_t)(minutes * MINUTE_US)));
        builder_int(&builders[2], (int64_t)(next_random() % 1000000));
    }
    for (int c = 0; c < 3; c++) {
        builder_finish(&builders[c], &batch->columns[c]);
        builder_release(&builders[c]);
    }
}

/* ---- the operator ---- */

enum window { TUMBLING, SLIDING, SESSION };

static struct stateful *stage_make(const struct type *schema, struct session *session, enum window window)
{
    struct error err = {0};
    struct expr_context ctx = {&arena, session};
    const struct aggregate_call **calls = arena_array(&arena, const struct aggregate_call *, 4);
    const struct expr **keys = arena_array(&arena, const struct expr *, 2);
    const struct expr *amount = expr_column(&ctx, 2, &schema->fields[2], (struct position){0});
    static const char *const names[] = {"count", "sum", "avg", "max"};
    for (int c = 0; c < 4; c++)
        if (aggregate_bind(&ctx, names[c], &amount, c > 0, false, NULL, (struct position){0}, &calls[c], &err) != E_OK)
            return NULL;
    keys[0] = expr_column(&ctx, 0, &schema->fields[0], (struct position){0});
    const struct type *out;
    size_t position;
    if (type_parse_ddl(&arena,
                       bytes_of_string("card STRING, w STRUCT<start: TIMESTAMP, end: TIMESTAMP>, n BIGINT, "
                                       "s DECIMAL(22,2), a DECIMAL(16,6), m DECIMAL(12,2)"),
                       &out, &position, &err) != E_OK)
        return NULL;
    const struct aggregate_spec spec = {
        .name = "gold",
        .keys = keys,
        .key_count = 2,
        .calls = calls,
        .call_count = 4,
        .window_key = 1,
        .size_us = window == SLIDING ? 60 * MINUTE_US : MINUTE_US,
        .slide_us = MINUTE_US,
        .watermark_key = -1,
        .schema = out,
        .lanes = 1,
        .shards = SHARDS,
        .window_time = expr_column(&ctx, 1, &schema->fields[1], (struct position){0}),
        .gap =
            window == SESSION ? expr_int(&ctx, type_of(TYPE_INTERVAL_DT), MINUTE_US / 3, (struct position){0}) : NULL,
    };
    struct stateful *stage = NULL;
    return aggregate_new(&arena, &spec, &stage, &err) == E_OK ? stage : NULL;
}

static enum code swallow(void *context, struct batch *out, __attribute__((unused)) struct error *err)
{
    *(int64_t *)context += out->rows;
    return E_OK;
}

static double since(int64_t start_us, double count) { return (double)(thread_cpu_us() - start_us) * 1e3 / count; }

static void run_stage(struct stateful *stage, const struct session *session)
{
    struct rejects rejects = {0};
    struct operator_counts counts = {0};
    struct error err = {0};
    struct epoch_time time = {0};
    const struct lane_call call = {.session = session, .time = &time, .rejects = &rejects, .counts = &counts};
    double rows = (double)BATCHES * BATCH_ROWS_MAX, fold[2];
    for (int round = 0; round < 2; round++) { // the first round makes the groups
        int64_t start = thread_cpu_us();
        for (int b = 0; b < BATCHES; b++)
            if (stage->type->lane_batch(stage, &call, &batches[b], &err) != E_OK)
                return;
        fold[round] = since(start, rows);
    }
    int64_t emitted = 0, start = thread_cpu_us();
    const struct emit emit = {swallow, &emitted};
    for (int32_t s = 0; s < SHARDS; s++)
        if (stage->type->shard_merge(stage, s, &time, &emit, &counts, &err) != E_OK)
            return;
    double groups = (double)stateful_entries(stage);
    double merge = since(start, groups), bytes = (double)stateful_bytes(stage) / groups;
    stage->type->lanes_clear(stage);
    struct text delta = {0};
    start = thread_cpu_us();
    for (int32_t s = 0; s < SHARDS; s++)
        if (stage->type->shard_delta(stage, s, &delta, &err) != E_OK)
            return;
    double store = since(start, groups);
    time.emit_us = INT64_MAX;
    start = thread_cpu_us();
    for (int32_t s = 0; s < SHARDS; s++)
        if (stage->type->shard_merge(stage, s, &time, &emit, &counts, &err) != E_OK)
            return;
    printf(
        "%9.0f groups: fold %5.1f ns/row (%5.1f while the groups are made), merge %5.1f ns/group, delta %5.1f ns and %4.0f "
        "bytes/group, emit %6.1f ns/group, %4.0f bytes of state/group in lane and shard\n",
        groups, fold[1], fold[0], merge, store, (double)delta.size / groups, since(start, groups), bytes);
    text_free(&delta);
}

/* ---- streams ---- */

enum { STREAM_BATCHES = 24, WARM_EPOCHS = 61, EPOCHS = 20 };

/* A minute later. */
static void batches_move(int64_t by_us)
{
    for (int b = 0; b < STREAM_BATCHES; b++) {
        int64_t *times = column_values(&batches[b].columns[1], int64_t);
        for (int i = 0; i < BATCH_ROWS_MAX; i++)
            times[i] += by_us;
    }
}

struct stream_cost {
    double fold, merge, delta; /* ns a row; merge with emit */
    int64_t emitted;
};

static enum code stream_epoch(struct stateful *stage, const struct session *session, int64_t epoch, struct text *delta,
                              struct stream_cost *cost, struct error *err)
{
    struct rejects rejects = {0};
    struct operator_counts counts = {0};
    const struct epoch_time time = {epoch, (epoch - 2) * MINUTE_US, (epoch - 1) * MINUTE_US};
    const struct lane_call call = {.session = session, .time = &time, .rejects = &rejects, .counts = &counts};
    const struct emit emit = {swallow, &cost->emitted};
    double rows = (double)STREAM_BATCHES * BATCH_ROWS_MAX;
    int64_t start = thread_cpu_us();
    for (int b = 0; b < STREAM_BATCHES; b++)
        TRY(stage->type->lane_batch(stage, &call, &batches[b], err));
    cost->fold += since(start, rows);
    start = thread_cpu_us();
    for (int32_t s = 0; s < SHARDS; s++)
        TRY(stage->type->shard_merge(stage, s, &time, &emit, &counts, err));
    stage->type->lanes_clear(stage);
    cost->merge += since(start, rows);
    start = thread_cpu_us();
    text_clear(delta);
    for (int32_t s = 0; s < SHARDS; s++)
        TRY(stage->type->shard_delta(stage, s, delta, err));
    cost->delta += since(start, rows);
    batches_move(MINUTE_US);
    return E_OK;
}

static double run_stream(const struct type *schema, struct session *session, enum window window, double tumbling)
{
    static const char *const names[] = {"tumbling 1 min", "sliding 1 h by 1 min", "session 20 s"};
    struct stateful *stage = stage_make(schema, session, window);
    struct text delta = {0};
    struct error err = {0};
    struct stream_cost cost = {0};
    enum code code = stage == NULL ? E_BUG : E_OK;
    for (int64_t epoch = 0; code == E_OK && epoch < WARM_EPOCHS + EPOCHS; epoch++) {
        if (epoch == WARM_EPOCHS)
            cost = (struct stream_cost){0};
        code = stream_epoch(stage, session, epoch, &delta, &cost, &err);
    }
    batches_move(-(WARM_EPOCHS + EPOCHS) * MINUTE_US);
    double all = (cost.fold + cost.merge + cost.delta) / EPOCHS;
    printf("  %-22s fold %5.1f, merge and emit %5.1f, delta %5.1f ns/row: %5.2f x tumbling; %8" PRId64
           " rows out, %6.1f MB of state\n",
           names[window], cost.fold / EPOCHS, cost.merge / EPOCHS, cost.delta / EPOCHS,
           all / (tumbling > 0 ? tumbling : all), cost.emitted / EPOCHS, (double)stateful_bytes(stage) / 1e6);
    stage->type->free(stage);
    text_free(&delta);
    return all;
}

static void run_streams(const struct type *schema, struct session *session, uint64_t cards)
{
    for (int b = 0; b < STREAM_BATCHES; b++)
        batch_fill(&batches[b], schema, 1, cards);
    printf("%" PRIu64 " keys, %d rows an epoch:\n", cards, STREAM_BATCHES * BATCH_ROWS_MAX);
    double tumbling = run_stream(schema, session, TUMBLING, 0);
    run_stream(schema, session, SLIDING, tumbling);
    run_stream(schema, session, SESSION, tumbling);
    for (int b = 0; b < STREAM_BATCHES; b++)
        batch_release(&batches[b]);
}

/* ---- the plain loop ---- */

struct plain_group {
    char card[CARD_BYTES];
    int64_t minute, count;
    __int128 sum;
    int64_t max;
};

static void run_plain(int64_t groups)
{
    size_t capacity = 1;
    while (capacity < (size_t)groups * 2)
        capacity *= 2;
    struct plain_group *table = mem_zero_array(capacity, sizeof *table);
    double rows = (double)BATCHES * BATCH_ROWS_MAX, took = 0;
    for (int round = 0; round < 2; round++) {
        int64_t start = thread_cpu_us();
        for (int b = 0; b < BATCHES; b++) {
            const uint8_t *cards = batches[b].columns[0].values->data;
            const int64_t *times = column_values(&batches[b].columns[1], const int64_t);
            const int64_t *amounts = column_values(&batches[b].columns[2], const int64_t);
            for (int i = 0; i < BATCH_ROWS_MAX; i++) {
                int64_t minute = times[i] / MINUTE_US + 1;
                size_t at = hash_mix(hash_bytes(cards + i * CARD_BYTES, CARD_BYTES), (uint64_t)minute) & (capacity - 1);
                while (table[at].minute != 0 &&
                       (table[at].minute != minute || memcmp(table[at].card, cards + i * CARD_BYTES, CARD_BYTES) != 0))
                    at = (at + 1) & (capacity - 1);
                struct plain_group *group = &table[at];
                memcpy(group->card, cards + i * CARD_BYTES, CARD_BYTES);
                group->minute = minute;
                group->count++;
                group->sum += amounts[i];
                group->max = amounts[i] > group->max ? amounts[i] : group->max;
            }
        }
        took = since(start, rows);
    }
    printf("%9s plain loop %5.1f ns/row\n", "", took);
    mem_free(table);
}

int main(void)
{
    static const int minutes[] = {1, 10, 40};
    struct session session = {.zone = zone_utc(), .ansi = true};
    struct error err = {0};
    const struct type *schema;
    size_t position;
    if (type_parse_ddl(&arena, bytes_of_string("card STRING, ts TIMESTAMP, amount DECIMAL(12,2)"), &schema, &position,
                       &err) != E_OK)
        return 1;
    for (size_t m = 0; m < sizeof minutes / sizeof *minutes; m++) {
        for (int b = 0; b < BATCHES; b++)
            batch_fill(&batches[b], schema, minutes[m], CARDS);
        struct stateful *stage = stage_make(schema, &session, TUMBLING);
        if (stage == NULL)
            return 1;
        run_stage(stage, &session);
        stage->type->free(stage);
        run_plain((int64_t)CARDS * minutes[m]);
        for (int b = 0; b < BATCHES; b++)
            batch_release(&batches[b]);
    }
    run_streams(schema, &session, 1000);
    run_streams(schema, &session, 10000);
    run_streams(schema, &session, 100000);
    arena_free(&arena);
    return 0;
}

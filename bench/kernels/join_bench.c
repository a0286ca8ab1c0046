/* What a row costs in a join of two streams: orders and their payments by an id of 16 characters, a payment
 * within a minute of its order (ts BETWEEN), each order paid once, some seconds later. Epochs of 100 k rows
 * a side at 100 k rows/s of event time, so a minute of orders and the delay's payments are the state. One
 * core, 1 lane, 2 shards. Beside it a plain C loop over the same rows that can do nothing else: one table
 * of orders by id, rows copied in and pairs copied out to columns; no types, no NULLs, nothing stored for a
 * crash. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/hash.h"
#include "base/thread.h"
#include "operator/operator.h"

enum { EPOCH_ROWS = 100000, ID_BYTES = 16, PAID_LATER = 500000, EPOCHS = 100, WARM_UP = 70 };
#define SECOND_US ((int64_t)1000000)
#define ROW_US (SECOND_US / EPOCH_ROWS)

static struct arena arena;
static const char *const ddl = "id STRING, ts TIMESTAMP, till TIMESTAMP, amount DECIMAL(12,2), city STRING";

static uint64_t scrambled(uint64_t value) { return hash_mix(value * 0x9e3779b97f4a7c15u, 0); }

static void id_of(int64_t order, char *out) { snprintf(out, ID_BYTES + 1, "%016" PRIx64, scrambled((uint64_t)order)); }

/* `count` rows from order `first` on; event time is when the order came. */
static void batch_fill(struct batch *batch, const struct type *schema, int64_t first, int64_t count, int64_t later_us)
{
    static const char *const cities[] = {"Athens", "Thessaloniki", "Patras", "Heraklion"};
    struct builder builders[5];
    batch_init(batch, schema, count);
    for (int c = 0; c < 5; c++)
        builder_init(&builders[c], schema->fields[c].type);
    for (int64_t i = first; i < first + count; i++) {
        char id[ID_BYTES + 1];
        id_of(i, id);
        builder_bytes(&builders[0], bytes_of(id, ID_BYTES));
        builder_int(&builders[1], i * ROW_US + later_us);
        builder_int(&builders[2], i * ROW_US + later_us + 60 * SECOND_US);
        builder_int(&builders[3], (int64_t)(scrambled((uint64_t)i) % 1000000));
        builder_bytes(&builders[4], bytes_of_string(cities[(uint64_t)i % 4]));
    }
    for (int c = 0; c < 5; c++) {
        builder_finish(&builders[c], &batch->columns[c]);
        builder_release(&builders[c]);
    }
}

/* ---- the operator ---- */

static const struct expr *call(struct expr_context *ctx, const char *name, const struct expr *a, const struct expr *b)
{
    struct error err = {0};
    const struct expr *args[] = {a, b}, *out = NULL;
    if (expr_call(ctx, name, args, 2, (struct position){0}, &out, &err) != E_OK)
        abort();
    return out;
}

static struct stateful *stage_make(const struct type *schema, const struct session *session, enum join_type type)
{
    static const bool null_safe[] = {false};
    struct error err = {0};
    struct expr_context ctx = {&arena, session};
    struct text both = {0};
    size_t position;
    struct join_spec spec = {
        .name = "paid", .type = type, .key_count = 1, .null_safe = null_safe, .time_key = -1, .lanes = 1, .shards = 2};
    text_printf(&both, "%s, %s", ddl, ddl);
    if (type_parse_ddl(&arena, text_view(&both), &spec.schema, &position, &err) != E_OK)
        abort();
    text_free(&both);
    const struct expr **key = arena_array(&arena, const struct expr *, 1);
    key[0] = expr_column(&ctx, 0, &schema->fields[0], (struct position){0});
    spec.sides[0] = (struct join_side){schema, key, NULL, 1, true, -60 * SECOND_US};
    spec.sides[1] = (struct join_side){schema, key, NULL, 1, true, -1000};
    const struct expr *paid = expr_column(&ctx, 6, &schema->fields[1], (struct position){0});
    spec.condition =
        call(&ctx, "and", call(&ctx, ">=", paid, expr_column(&ctx, 1, &schema->fields[1], (struct position){0})),
             call(&ctx, "<=", paid, expr_column(&ctx, 2, &schema->fields[2], (struct position){0})));
    struct stateful *stage = NULL;
    if (join_new(&arena, &spec, &stage, &err) != E_OK)
        abort();
    return stage;
}

static enum code swallow(void *context, struct batch *out, __attribute__((unused)) struct error *err)
{
    *(int64_t *)context += out->rows;
    return E_OK;
}

struct spent {
    double lane, merge, delta;
};

/* Of this thread: others may use the machine too. */
static double now_ns(void) { return (double)thread_cpu_us() * 1e3; }

static void run_epoch(struct stateful *stage, const struct type *schema, const struct session *session, int64_t epoch,
                      int64_t *out, struct text *stored, struct spent *spent)
{
    struct rejects rejects = {0};
    struct operator_counts counts = {0};
    struct error err = {0};
    int64_t first = epoch * EPOCH_ROWS, delay_us = 10 * SECOND_US;
    struct epoch_time time = {epoch, (first - EPOCH_ROWS) * ROW_US - delay_us, first * ROW_US - delay_us};
    for (int64_t from = 0; from < EPOCH_ROWS; from += BATCH_ROWS_MAX) {
        int64_t count = EPOCH_ROWS - from < BATCH_ROWS_MAX ? EPOCH_ROWS - from : BATCH_ROWS_MAX;
        for (int32_t side = 0; side < 2; side++) {
            struct batch in;
            int64_t order = first + from - (side == 1 ? PAID_LATER : 0);
            batch_fill(&in, schema, order, count, side == 1 ? PAID_LATER * ROW_US : 0);
            double start = now_ns();
            const struct lane_call call_ = {0, side, session, &time, &rejects, NULL, &counts};
            if (stage->type->lane_batch(stage, &call_, &in, &err) != E_OK)
                abort();
            spent->lane += now_ns() - start;
            batch_release(&in);
        }
    }
    const struct emit emit = {swallow, out};
    double start = now_ns();
    for (int32_t s = 0; s < stage->shards; s++)
        if (stage->type->shard_merge(stage, s, &time, &emit, &counts, &err) != E_OK)
            abort();
    stage->type->lanes_clear(stage);
    spent->merge += now_ns() - start;
    start = now_ns();
    text_clear(stored);
    for (int32_t s = 0; s < stage->shards; s++)
        if (stage->type->shard_delta(stage, s, stored, &err) != E_OK)
            abort();
    spent->delta += now_ns() - start;
}

static double run_stage(const struct type *schema, const struct session *session, enum join_type type, const char *name)
{
    struct stateful *stage = stage_make(schema, session, type);
    struct spent spent = {0};
    struct text stored = {0};
    int64_t out = 0, before = 0;
    for (int64_t epoch = 0; epoch < EPOCHS; epoch++) {
        if (epoch == WARM_UP) {
            spent = (struct spent){0};
            before = out;
        }
        run_epoch(stage, schema, session, epoch, &out, &stored, &spent);
    }
    double rows = 2.0 * EPOCH_ROWS * (EPOCHS - WARM_UP), entries = (double)stateful_entries(stage);
    printf("%-6s %9.0f rows of state, %5.2f out/row: lane %5.1f, merge %5.1f, delta %5.1f ns/row; %4.0f bytes "
           "of state and %4.0f of delta/row\n",
           name, entries, (double)(out - before) / rows, spent.lane / rows, spent.merge / rows, spent.delta / rows,
           (double)stateful_bytes(stage) / entries, (double)stored.size / (2.0 * EPOCH_ROWS));
    stage->type->free(stage);
    text_free(&stored);
    return (spent.lane + spent.merge) / rows;
}

/* ---- many rows of one key ---- */

static void run_hot(const struct type *schema, const struct session *session)
{
    enum { HOT_ROWS = 5000 };
    struct stateful *stage = stage_make(schema, session, JOIN_TYPE_FULL);
    struct rejects rejects = {0};
    struct operator_counts counts = {0};
    struct error err = {0};
    struct epoch_time time = {0, INT64_MIN, INT64_MIN};
    int64_t out = 0;
    const struct emit emit = {swallow, &out};
    for (int64_t i = 0; i < 2 * HOT_ROWS; i++) {
        struct batch in;
        batch_fill(&in, schema, 1, 1, 0);
        const struct lane_call call_ = {0, (int32_t)(i % 2), session, &time, &rejects, NULL, &counts};
        if (stage->type->lane_batch(stage, &call_, &in, &err) != E_OK)
            abort();
        batch_release(&in);
    }
    double start = now_ns();
    for (int32_t s = 0; s < stage->shards; s++)
        if (stage->type->shard_merge(stage, s, &time, &emit, &counts, &err) != E_OK)
            abort();
    printf("one key, %d rows a side: %.1f ns/pair of %" PRId64 " pairs\n", HOT_ROWS, (now_ns() - start) / (double)out,
           out);
    stage->type->free(stage);
}

/* ---- the plain loop ---- */

struct plain_row {
    char id[ID_BYTES];
    int64_t ts, till, amount;
    char city[16];
};
struct plain_out {
    struct plain_row *left, *right;
};

static double run_plain(const struct type *schema)
{
    enum { CELLS = 1 << 25, STATE_ROWS = 7000000 };
    struct plain_row *rows = mem_zero_array(STATE_ROWS, sizeof *rows);
    uint32_t *cells = mem_zero_array(CELLS, sizeof *cells);
    struct plain_out out = {mem_zero_array(EPOCH_ROWS, sizeof *rows), mem_zero_array(EPOCH_ROWS, sizeof *rows)};
    double took = 0;
    int64_t pairs = 0, next = 0;
    for (int64_t epoch = 0; epoch < EPOCHS; epoch++) {
        struct batch in[2];
        for (int s = 0; s < 2; s++)
            batch_fill(&in[s], schema, epoch * EPOCH_ROWS - (s == 1 ? PAID_LATER : 0), EPOCH_ROWS,
                       s == 1 ? PAID_LATER * ROW_US : 0);
        double start = now_ns();
        for (int s = 0; s < 2; s++) {
            const char *ids = (const char *)in[s].columns[0].values->data;
            const int64_t *ts = column_values(&in[s].columns[1], const int64_t);
            const int64_t *till = column_values(&in[s].columns[2], const int64_t);
            const int64_t *amount = column_values(&in[s].columns[3], const int64_t);
            int64_t found = 0;
            for (int64_t i = 0; i < EPOCH_ROWS; i++) {
                struct plain_row row = {.ts = ts[i], .till = till[i], .amount = amount[i]};
                memcpy(row.id, ids + i * ID_BYTES, ID_BYTES);
                struct bytes city = column_bytes_at(&in[s].columns[4], i);
                memcpy(row.city, city.data, city.size < 16 ? city.size : 16);
                size_t at = hash_bytes(row.id, ID_BYTES) & (CELLS - 1);
                while (cells[at] != 0 && memcmp(rows[cells[at] - 1].id, row.id, ID_BYTES) != 0)
                    at = (at + 1) & (CELLS - 1);
                if (s == 0) {
                    cells[at] = (uint32_t)(next % STATE_ROWS) + 1;
                    rows[next++ % STATE_ROWS] = row;
                } else if (cells[at] != 0 && row.ts >= rows[cells[at] - 1].ts && row.ts <= rows[cells[at] - 1].till) {
                    out.left[found] = rows[cells[at] - 1];
                    out.right[found++] = row;
                }
            }
            pairs += found;
        }
        took += epoch >= WARM_UP ? now_ns() - start : 0;
        batch_release(&in[0]);
        batch_release(&in[1]);
    }
    double each = took / (2.0 * EPOCH_ROWS * (EPOCHS - WARM_UP));
    printf("plain loop, %" PRId64 " pairs: %5.1f ns/row\n", pairs, each);
    mem_free(rows);
    mem_free(cells);
    mem_free(out.left);
    mem_free(out.right);
    return each;
}

int main(void)
{
    struct session session = {.zone = zone_utc(), .ansi = true};
    struct error err = {0};
    const struct type *schema;
    size_t position;
    mem_tune();
    if (type_parse_ddl(&arena, bytes_of_string(ddl), &schema, &position, &err) != E_OK)
        return 1;
    double plain = run_plain(schema);
    double inner = run_stage(schema, &session, JOIN_TYPE_INNER, "inner");
    run_stage(schema, &session, JOIN_TYPE_FULL, "full");
    printf("inner join: %.1f x the plain loop\n", inner / plain);
    run_hot(schema, &session);
    arena_free(&arena);
    return 0;
}

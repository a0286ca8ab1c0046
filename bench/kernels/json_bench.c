/* json_bench.c - reading and writing the workload's records: nanoseconds a record, beside memcpy
 * and jansson.
 *
 * Run      json_bench [seconds per line, default 1 [only lines whose name contains this]]
 */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "format/format.h"

enum { ROWS = 8192 };

static double now_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static uint64_t state = 42;
static uint64_t draw(uint64_t below)
{
    state += 0x9e3779b97f4a7c15u;
    uint64_t z = (state ^ (state >> 30)) * 0xbf58476d1ce4e5b9u;
    return (z ^ (z >> 27)) % below;
}

/* About 290 bytes and 13 fields, with the varied lengths of real ones. */
static size_t print_record(char *out, size_t size, int64_t row)
{
    static const char *const merchants[] = {"Blue Harbour Coffee", "Nordic Outdoor", "M-1042", "Corner Books", "Zed"};
    static const char *const categories[] = {"groceries", "travel", "fuel", "electronics", "restaurants"};
    static const char *const currencies[] = {"EUR", "USD", "GBP"}, *const states[] = {"approved", "declined",
                                                                                      "pending"};
    static const char *const cities[] = {"Berlin", "Amsterdam", "San Francisco", "Rome", "Oslo"};
    return (size_t)snprintf(
        out, size,
        "{\"txn_id\":\"%08x-%04x-4%03x-%04x-%012llx\",\"event_ts\":\"2026-11-21T10:%02d:%02d.%06d+00:00\","
        "\"user_id\":\"u-%06d\",\"card_id\":\"c-%07d\",\"merchant\":\"%s\",\"category\":\"%s\",\"amount\":%d.%02d,"
        "\"currency\":\"%s\",\"status\":\"%s\",\"city\":\"%s\",\"country\":\"DE\",\"lat\":%d.%06d,\"lon\":%d.%06d}",
        (unsigned)draw(UINT32_MAX), (unsigned)draw(65536), (unsigned)draw(4096), (unsigned)draw(65536),
        (unsigned long long)draw(1ull << 48), (int)(row / 60 % 60), (int)(row % 60), (int)draw(1000000),
        (int)draw(1000000), (int)draw(10000000), merchants[draw(5)], categories[draw(5)],
        (int)draw(draw(2) ? 100 : 2000), (int)draw(100), currencies[draw(3)], states[draw(3)], cities[draw(5)],
        (int)draw(60), (int)draw(1000000), (int)draw(30) - 10, (int)draw(1000000));
}

static struct column payloads(void)
{
    struct builder builder;
    struct column col;
    char record[1024];
    builder_init(&builder, type_of(TYPE_BINARY));
    for (int64_t row = 0; row < ROWS; row++)
        builder_bytes(&builder, bytes_of(record, print_record(record, sizeof record, row)));
    builder_finish(&builder, &col);
    builder_release(&builder);
    return col;
}

static double bench_s = 1;
static const char *filter = "";

static void report(const char *name, double best_ns, size_t bytes)
{
    printf("%-44s %8.1f ns/record %7.2f GB/s\n", name, best_ns / ROWS, (double)bytes / best_ns);
}

/* The best of the passes that fit into bench_s. */
#define MEASURE(name, bytes, ...)                           \
    do {                                                    \
        if (strstr(name, filter) == NULL)                   \
            break;                                          \
        double end = now_ns() + bench_s * 1e9, best = 1e18; \
        while (now_ns() < end) {                            \
            double start = now_ns();                        \
            __VA_ARGS__;                                    \
            double took = now_ns() - start;                 \
            best = took < best ? took : best;               \
        }                                                   \
        report(name, best, bytes);                          \
    } while (0)

static void bench_decode(const char *name, const struct type *schema, const bool *needed, int simd,
                         const struct column *payload)
{
    const struct decoder_type *type = decoder_find("json");
    struct decoder_spec spec = {.schema = schema, .needed = needed, .corrupt_column = "_corrupt_record", .simd = simd};
    struct rejects rejects = {0};
    struct error err = {0};
    void *decoder = mem_zero(type->size);
    always(type->open(decoder, &spec, &err) == E_OK);
    MEASURE(name, payload->values->size, {
        struct column out;
        always(type->decode(decoder, payload, &out, &rejects, &err) == E_OK);
        column_release(&out);
    });
    type->close(decoder);
    mem_free(decoder);
}

static void bench_jansson(const struct column *payload)
{
    MEASURE("jansson, to its tree", payload->values->size, {
        for (int64_t row = 0; row < ROWS; row++) {
            struct bytes record = column_bytes_at(payload, row);
            json_error_t error;
            json_t *tree = json_loadb((const char *)record.data, record.size, 0, &error);
            always(tree != NULL);
            json_decref(tree);
        }
    });
}

static void bench_encode(const char *name, const struct batch *batch)
{
    const struct encoder_type *type = encoder_find(name);
    struct encoder_spec spec = {.schema = batch->schema};
    struct error err = {0};
    char label[64];
    snprintf(label, sizeof label, "encode %s, %d columns", name, (int)batch->column_count);
    if (strstr(label, filter) == NULL)
        return;
    void *lane = mem_zero(type->lane_size);
    always(type->lane_open(lane, &spec, &err) == E_OK);
    size_t bytes = 0;
    double end = now_ns() + bench_s * 1e9, best = 1e18;
    while (now_ns() < end) {
        struct piece piece;
        double start = now_ns();
        always(type->lane_add(lane, batch, 0, batch->rows, &err) == E_OK);
        double took = now_ns() - start;
        best = took < best ? took : best;
        always(type->lane_take(lane, &piece, &err) == E_OK);
        bytes = piece.bytes.size;
        type->piece_close(&piece);
    }
    report(label, best, bytes);
    type->lane_close(lane);
    mem_free(lane);
}

/* The table that mirrors every record: key, value, topic, partition, offset, timestamp. */
static void bench_raw(struct arena *arena, const struct column *payload)
{
    const struct type *schema;
    size_t position;
    struct error err = {0};
    always(type_parse_ddl(
               arena,
               bytes_of_string("key STRING, value STRING, topic STRING, partition INT, offset BIGINT, ts TIMESTAMP"),
               &schema, &position, &err) == E_OK);
    struct builder builders[6];
    struct batch batch;
    for (int i = 0; i < 6; i++)
        builder_init(&builders[i], schema->fields[i].type);
    for (int64_t row = 0; row < ROWS; row++) {
        char key[32];
        builder_bytes(&builders[0], bytes_of(key, (size_t)snprintf(key, sizeof key, "u-%06d", (int)draw(1000000))));
        builder_bytes(&builders[1], column_bytes_at(payload, row));
        builder_bytes(&builders[2], bytes_of_string("transactions"));
        builder_int(&builders[3], (int64_t)draw(4));
        builder_int(&builders[4], 1000000 + row);
        builder_int(&builders[5], INT64_C(1795255200000000) + row * 1000);
    }
    batch_init(&batch, schema, ROWS);
    for (int i = 0; i < 6; i++) {
        builder_finish(&builders[i], &batch.columns[i]);
        builder_release(&builders[i]);
    }
    bench_encode("csv", &batch);
    bench_encode("json", &batch);
    batch_release(&batch);
}

int main(int argc, char **argv)
{
    struct arena arena = {0};
    struct error err = {0};
    const struct type *schema;
    size_t position;
    if (argc > 1)
        bench_s = strtod(argv[1], NULL);
    if (argc > 2)
        filter = argv[2];
    always(type_parse_ddl(
               &arena,
               bytes_of_string("txn_id STRING, event_ts TIMESTAMP, user_id STRING, card_id STRING, merchant STRING, "
                               "category STRING, amount DOUBLE, currency STRING, status STRING, city STRING, "
                               "country STRING, lat DOUBLE, lon DOUBLE"),
               &schema, &position, &err) == E_OK);
    struct column payload = payloads();
    uint8_t *copy = mem_alloc(payload.values->size);
    printf("%d records of %zu bytes\n", ROWS, payload.values->size / ROWS);
    MEASURE("memcpy", payload.values->size, memcpy(copy, payload.values->data, payload.values->size));
    bench_decode("decode 13 fields", schema, NULL, -1, &payload);
    bench_decode("decode 13 fields, portable", schema, NULL, 0, &payload);
    const bool three[13] = {[1] = true, [2] = true, [6] = true};
    bench_decode("decode 3 of 13 fields", schema, three, -1, &payload);
    bench_jansson(&payload);
    bench_raw(&arena, &payload);
    mem_free(copy);
    column_release(&payload);
    arena_free(&arena);
    return 0;
}

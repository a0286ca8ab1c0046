/* parquet_bench.c - what a row costs in the Parquet encoder, beside its limits: memcpy and plain snappy.
 *
 * Use      parquet_bench [OUT_DIR]    OUT_DIR: leave bronze.parquet and silver.parquet there
 * Shapes   bronze  key 12 bytes, raw JSON value of about 290 bytes, topic, partition, offset, timestamp
 *          silver  the 13 typed columns of examples/transactions
 * Output   one line per shape and codec: CPU ns a row, MB/s of column bytes, bytes a row in the file
 */
#include <inttypes.h>
#include <snappy-c.h>
#include <stdio.h>

#include "base/os.h"
#include "base/thread.h"
#include "data/data.h"
#include "format/format.h"

enum { BATCHES = 48, ROUNDS = 4, PARTITION_ROWS = BATCH_ROWS_MAX };

static uint64_t random_state = 42;

static uint64_t draw(uint64_t below)
{
    uint64_t z = (random_state += 0x9e3779b97f4a7c15u);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return (z ^ (z >> 31)) % below;
}

/* One record in both shapes. */
struct record {
    char txn_id[40], user_id[20], card_id[20], merchant[20], category[20], currency[4], status[12], city[16],
        country[4];
    int64_t amount_cents, event_us;
    double lat, lon;
};

static void record_make(struct record *record, int64_t number)
{
    static const char *const currencies[] = {"EUR", "USD", "GBP", "CHF"}, *const statuses[] = {"approved", "declined",
                                                                                               "pending"};
    snprintf(record->txn_id, sizeof record->txn_id, "txn-%016" PRIx64, draw(UINT64_MAX));
    snprintf(record->user_id, sizeof record->user_id, "user-%06" PRIu64, draw(200000));
    snprintf(record->card_id, sizeof record->card_id, "card-%06" PRIu64, draw(50000));
    snprintf(record->merchant, sizeof record->merchant, "merchant-%03" PRIu64, draw(300));
    snprintf(record->category, sizeof record->category, "category-%02" PRIu64, draw(12));
    snprintf(record->currency, sizeof record->currency, "%s", currencies[draw(4)]);
    snprintf(record->status, sizeof record->status, "%s", statuses[draw(10) < 8 ? 0 : 1 + draw(2)]);
    snprintf(record->city, sizeof record->city, "city-%02" PRIu64, draw(50));
    snprintf(record->country, sizeof record->country, "C%c", (char)('A' + draw(20)));
    record->amount_cents = (int64_t)draw(100000) + 100;
    record->event_us = INT64_C(1767322800000000) + number * 1000 + (int64_t)draw(2000000) / 1000 * 1000;
    record->lat = (double)draw(180000000) / 1e6 - 90;
    record->lon = (double)draw(360000000) / 1e6 - 180;
}

static struct bytes text_of(const char *string) { return bytes_of_string(string); }

static void bronze_put(struct builder *columns, const struct record *r, int64_t number)
{
    char json[512], time[TIMESTAMP_TEXT_MAX];
    size_t time_size = timestamp_print_iso(r->event_us, zone_utc(), time);
    int size = snprintf(
        json, sizeof json,
        "{\"txn_id\":\"%s\",\"event_ts\":\"%.*s\",\"user_id\":\"%s\",\"card_id\":\"%s\",\"merchant\":\"%s\","
        "\"category\":\"%s\",\"amount\":%" PRId64 ".%02" PRId64 ",\"currency\":\"%s\",\"status\":\"%s\","
        "\"city\":\"%s\",\"country\":\"%s\",\"lat\":%.6f,\"lon\":%.6f}",
        r->txn_id, (int)time_size, time, r->user_id, r->card_id, r->merchant, r->category, r->amount_cents / 100,
        r->amount_cents % 100, r->currency, r->status, r->city, r->country, r->lat, r->lon);
    builder_bytes(&columns[0], text_of(r->card_id));
    builder_bytes(&columns[1], bytes_of(json, (size_t)size));
    builder_bytes(&columns[2], text_of("transactions"));
    builder_int(&columns[3], number / PARTITION_ROWS % 6);
    builder_int(&columns[4], number);
    builder_int(&columns[5], r->event_us / 1000000 * 1000000);
}

static void silver_put(struct builder *columns, const struct record *r, int64_t number)
{
    (void)number;
    const char *const texts[] = {r->txn_id,   r->user_id, r->card_id, r->merchant, r->category,
                                 r->currency, r->status,  r->city,    r->country};
    for (int i = 0; i < 9; i++)
        builder_bytes(&columns[i], text_of(texts[i]));
    builder_int128(&columns[9], r->amount_cents);
    builder_double(&columns[10], r->lat);
    builder_double(&columns[11], r->lon);
    builder_int(&columns[12], r->event_us);
}

struct shape {
    const char *name, *ddl;
    void (*put)(struct builder *columns, const struct record *record, int64_t number);
};
static const struct shape shapes[] = {
    {"bronze", "key STRING, value BINARY, topic STRING, partition INT, offset BIGINT, timestamp TIMESTAMP", bronze_put},
    {"silver",
     "txn_id STRING, user_id STRING, card_id STRING, merchant STRING, category STRING, currency STRING, status STRING, "
     "city STRING, country STRING, amount DECIMAL(12,2), lat DOUBLE, lon DOUBLE, event_time TIMESTAMP",
     silver_put},
};

static void batch_make(struct batch *batch, const struct shape *shape, const struct type *schema, int64_t first)
{
    struct builder columns[16];
    for (int32_t i = 0; i < schema->field_count; i++)
        builder_init(&columns[i], schema->fields[i].type);
    for (int64_t row = 0; row < BATCH_ROWS_MAX; row++) {
        struct record record;
        record_make(&record, first + row);
        shape->put(columns, &record, first + row);
    }
    batch_init(batch, schema, BATCH_ROWS_MAX);
    for (int32_t i = 0; i < schema->field_count; i++)
        builder_finish(&columns[i], &batch->columns[i]);
}

static size_t column_bytes(const struct column *col)
{
    size_t size = 0;
    const struct buffer *buffers[] = {col->valid, col->offsets, col->values};
    for (size_t i = 0; i < 3; i++)
        size += buffers[i] != NULL ? buffers[i]->size : 0;
    return size;
}

static void report(const char *what, int64_t us, int64_t rows, size_t size, size_t out)
{
    printf("%-22s %7.1f ns/row %8.0f MB/s %8.1f bytes/row\n", what, (double)us * 1000 / (double)rows,
           (double)size / (double)us, (double)out / (double)rows);
}

/* What copying and compressing the same column bytes costs, in blocks of 256 KiB. */
static void limits(const struct batch *batches, size_t size)
{
    enum { BLOCK = 256 << 10 };
    char *copy = mem_alloc(BLOCK), *out = mem_alloc(snappy_max_compressed_length(BLOCK));
    for (int kind = 0; kind < 2; kind++) {
        int64_t best = INT64_MAX;
        size_t total = 0;
        for (int round = 0; round < ROUNDS; round++) {
            int64_t start = thread_cpu_us();
            total = 0;
            for (int b = 0; b < BATCHES; b++)
                for (int32_t c = 0; c < batches[b].column_count; c++) {
                    const struct buffer *values = batches[b].columns[c].values;
                    for (size_t at = 0; at < values->size; at += BLOCK) {
                        size_t block = values->size - at < BLOCK ? values->size - at : BLOCK,
                               packed = snappy_max_compressed_length(BLOCK);
                        if (kind == 0)
                            memcpy(copy, values->data + at, packed = block);
                        else
                            snappy_compress((const char *)values->data + at, block, out, &packed);
                        __asm__ volatile("" : : "r"(copy) : "memory");
                        total += packed;
                    }
                }
            int64_t us = thread_cpu_us() - start;
            best = us < best ? us : best;
        }
        report(kind == 0 ? "  memcpy" : "  snappy alone", best, (int64_t)BATCHES * BATCH_ROWS_MAX, size, total);
    }
    mem_free(copy);
    mem_free(out);
}

static void file_write(const char *dir, const char *name, const struct encoder_spec *spec, struct piece *piece)
{
    struct error err = {0};
    struct text path = {0}, content = {0};
    const struct encoder_type *type = encoder_find("parquet");
    void *file = mem_zero(type->file_size);
    text_printf(&path, "%s/%s.parquet", dir, name);
    always(type->file_open(file, spec, &content, &err) == E_OK);
    always(type->file_add(file, piece, (int64_t)content.size, &err) == E_OK);
    text_add(&content, piece->bytes.data, piece->bytes.size);
    always(type->file_finish(file, &content, &err) == E_OK);
    always(os_replace_file(path.data, text_view(&content), &err) == E_OK);
    type->file_close(file);
    mem_free(file);
    text_free(&path);
    text_free(&content);
}

static void encode(const struct shape *shape, const struct type *schema, const struct batch *batches, size_t size,
                   const char *codec, const char *dir)
{
    struct error err = {0};
    const struct encoder_type *type = encoder_find("parquet");
    struct encoder_spec spec = {
        .schema = schema, .compression = codec, .created_by = "leat bench", .row_group_bytes = 64 << 20};
    void *lane = mem_zero(type->lane_size);
    int64_t best = INT64_MAX;
    size_t packed = 0;
    always(type->lane_open(lane, &spec, &err) == E_OK);
    for (int round = 0; round < ROUNDS; round++) {
        struct piece piece;
        int64_t start = thread_cpu_us();
        for (int b = 0; b < BATCHES; b++)
            always(type->lane_add(lane, &batches[b], 0, BATCH_ROWS_MAX, &err) == E_OK);
        always(type->lane_take(lane, &piece, &err) == E_OK);
        int64_t us = thread_cpu_us() - start;
        best = us < best ? us : best;
        packed = piece.bytes.size;
        if (round == 0 && dir != NULL && strcmp(codec, "snappy") == 0)
            file_write(dir, shape->name, &spec, &piece);
        type->piece_close(&piece);
    }
    type->lane_close(lane);
    mem_free(lane);
    struct text what = {0};
    text_printf(&what, "  parquet %s", codec);
    report(what.data, best, (int64_t)BATCHES * BATCH_ROWS_MAX, size, packed);
    text_free(&what);
}

int main(int argc, char **argv)
{
    static const char *const codecs[] = {"none", "snappy", "lz4", "zstd"};
    for (size_t s = 0; s < sizeof shapes / sizeof *shapes; s++) {
        struct error err = {0};
        struct arena query = {0};
        const struct type *schema;
        size_t position, size = 0;
        struct batch batches[BATCHES];
        always(type_parse_ddl(&query, bytes_of_string(shapes[s].ddl), &schema, &position, &err) == E_OK);
        for (int b = 0; b < BATCHES; b++) {
            batch_make(&batches[b], &shapes[s], schema, (int64_t)b * BATCH_ROWS_MAX);
            for (int32_t c = 0; c < batches[b].column_count; c++)
                size += column_bytes(&batches[b].columns[c]);
        }
        printf("%s, %d rows\n", shapes[s].name, BATCHES * BATCH_ROWS_MAX);
        limits(batches, size);
        for (size_t c = 0; c < sizeof codecs / sizeof *codecs; c++)
            encode(&shapes[s], schema, batches, size, codecs[c], argc > 1 ? argv[1] : NULL);
        for (int b = 0; b < BATCHES; b++)
            batch_release(&batches[b]);
        arena_free(&query);
    }
    return 0;
}

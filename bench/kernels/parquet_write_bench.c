/* parquet_write_bench.c - what ./dev bench parquet measures of leat: the typed transactions to Parquet and back.
 *
 * Use      parquet_write_bench lines ROWS               the records of `leat produce transactions`, as JSON lines
 *          parquet_write_bench write IN OUT [NAME=VALUE ..]  rows of the Parquet file IN, written as the sink does
 *          parquet_write_bench read IN                  all columns into memory
 * Output   write, read: one line of JSON a round, {"rows", "cpu_s", "bytes"}
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/os.h"
#include "base/thread.h"
#include "format/format.h"
#include "source/source.h"

enum { ROUNDS = 3, FILE_MAX = 1 << 30, OPTIONS_MAX = 16, PIECE_BYTES = 16 << 20 };

static int lines(int64_t rows)
{
    struct generator_spec spec = {.kind = "transactions",
                                  .seed = 1,
                                  .keys = 100000,
                                  .start_us = INT64_C(1767225600000000),
                                  .events_per_second = 5000};
    struct generator *generator;
    struct error err = {0};
    struct text key = {0}, value = {0};
    always(generator_new(&spec, &generator, &err) == E_OK);
    for (int64_t i = 0; i < rows; i++) {
        text_clear(&key);
        text_clear(&value);
        generator_record(generator, i, &key, &value);
        text_add_char(&value, '\n');
        fwrite(value.data, 1, value.size, stdout);
    }
    text_free(&key);
    text_free(&value);
    generator_free(generator);
    return 0;
}

/* ---- reading ---- */

static enum code memory_read(void *context, int64_t offset, void *out, size_t size, struct error *err)
{
    const struct text *file = context;
    (void)err;
    memcpy(out, file->data + offset, size);
    return E_OK;
}

struct rows {
    struct arena arena;
    const struct type *schema;
    struct batch *batches;
    int32_t count, capacity;
    int64_t rows;
};

static void rows_read(struct text *file, struct rows *out)
{
    const struct parquet_input input = {"file", (int64_t)file->size, file, memory_read};
    struct budget budget = {0};
    struct parquet_reader *reader;
    struct error err = {0};
    always(parquet_reader_new(&input, &budget, &reader, &err) == E_OK);
    out->schema = type_copy(&out->arena, parquet_reader_schema(reader));
    always(parquet_reader_select(reader, out->schema, &err) == E_OK);
    for (struct batch batch = {0};; out->batches[out->count++] = batch, out->rows += batch.rows) {
        always(parquet_reader_next(reader, BATCH_ROWS_MAX, &batch, &err) == E_OK);
        if (batch.rows == 0)
            break;
        mem_grow(out->batches, out->capacity, out->count + 1);
    }
    parquet_reader_free(reader);
}

static void rows_free(struct rows *rows)
{
    for (int32_t i = 0; i < rows->count; i++)
        batch_release(&rows->batches[i]);
    mem_free(rows->batches);
    arena_free(&rows->arena);
    *rows = (struct rows){0};
}

static void report(int64_t rows, int64_t us, size_t size)
{
    printf("{\"rows\": %" PRId64 ", \"cpu_s\": %.6f, \"bytes\": %zu}\n", rows, (double)us / 1e6, size);
}

static int read_file(struct text *file)
{
    for (int round = 0; round < ROUNDS; round++) {
        struct rows rows = {0};
        int64_t start_us = thread_cpu_us();
        rows_read(file, &rows);
        report(rows.rows, thread_cpu_us() - start_us, file->size);
        rows_free(&rows);
    }
    return 0;
}

/* ---- writing ---- */

static void take(const struct encoder_type *type, void *lane, void *file, struct text *out)
{
    struct piece piece = {0};
    struct error err = {0};
    always(type->lane_take(lane, &piece, &err) == E_OK);
    always(type->file_add(file, &piece, (int64_t)out->size, &err) == E_OK);
    text_add(out, piece.bytes.data, piece.bytes.size);
    type->piece_close(&piece);
}

static void file_write(const struct rows *rows, const struct encoder_spec *spec, struct text *out)
{
    const struct encoder_type *type = encoder_find("parquet");
    void *lane = mem_zero(type->lane_size), *file = mem_zero(type->file_size);
    struct error err = {0};
    if (type->lane_open(lane, spec, &err) != E_OK || type->file_open(file, spec, out, &err) != E_OK) {
        fprintf(stderr, "%s\n", err.text);
        exit(2);
    }
    for (int32_t i = 0; i < rows->count; i++) {
        always(type->lane_add(lane, &rows->batches[i], 0, rows->batches[i].rows, &err) == E_OK);
        if (type->lane_bytes(lane) >= PIECE_BYTES)
            take(type, lane, file, out);
    }
    take(type, lane, file, out);
    always(type->file_finish(file, out, &err) == E_OK);
    type->lane_close(lane);
    type->file_close(file);
    mem_free(lane);
    mem_free(file);
}

static int write_file(struct text *input, const char *path, char **options, int count)
{
    const char *names[OPTIONS_MAX], *values[OPTIONS_MAX];
    struct rows rows = {0};
    struct error err = {0};
    rows_read(input, &rows);
    for (int i = 0; i < count && i < OPTIONS_MAX; i++) {
        char *sign = strchr(options[i], '=');
        always(sign != NULL);
        *sign = '\0';
        names[i] = options[i];
        values[i] = sign + 1;
    }
    struct encoder_spec spec = {.schema = rows.schema,
                                .created_by = "leat bench",
                                .option_names = names,
                                .option_values = values,
                                .option_count = count};
    for (int round = 0; round < ROUNDS; round++) {
        struct text out = {0};
        int64_t start_us = thread_cpu_us();
        file_write(&rows, &spec, &out);
        report(rows.rows, thread_cpu_us() - start_us, out.size);
        always(round > 0 || os_replace_file(path, text_view(&out), &err) == E_OK);
        text_free(&out);
    }
    rows_free(&rows);
    return 0;
}

int main(int argc, char **argv)
{
    const char *what = argc > 2 ? argv[1] : "";
    struct text file = {0};
    struct error err = {0};
    int code = 2;
    if (strcmp(what, "lines") == 0)
        return lines(atoll(argv[2]));
    if (argc > 2 && os_read_file(argv[2], FILE_MAX, &file, &err) != E_OK)
        fprintf(stderr, "%s\n", err.text);
    else if (strcmp(what, "read") == 0)
        code = read_file(&file);
    else if (strcmp(what, "write") == 0 && argc > 3)
        code = write_file(&file, argv[3], argv + 4, argc - 4);
    else
        fprintf(stderr, "parquet_write_bench lines ROWS | write IN OUT [NAME=VALUE ..] | read IN\n");
    text_free(&file);
    return code;
}

/* parquet_read_bench.c - what reading a Parquet file costs, of any writer.
 *
 * Use      parquet_read_bench FILE [COLUMN ..]
 * Output   per round: CPU seconds, rows/s, MB/s of the file and of the columns in memory
 */
#include <stdio.h>

#include "base/os.h"
#include "base/thread.h"
#include "format/format.h"

enum { ROUNDS = 5, COLUMNS_MAX = 64, FILE_MAX = 1 << 30 };

static enum code memory_read(void *context, int64_t offset, void *out, size_t size, struct error *err)
{
    const struct text *file = context;
    (void)err;
    memcpy(out, file->data + offset, size);
    return E_OK;
}

static const struct type *selected(struct arena *arena, const struct type *all, char **names, int count)
{
    struct field fields[COLUMNS_MAX];
    int32_t found = 0;
    for (int i = 0; i < count && i < COLUMNS_MAX; i++) {
        int32_t index = type_field_index(all, names[i], true);
        if (index >= 0)
            fields[found++] = all->fields[index];
    }
    return count > 0 ? type_struct(arena, fields, found) : all;
}

static void round_run(struct text *file, char **names, int count)
{
    const struct parquet_input input = {"file", (int64_t)file->size, file, memory_read};
    struct budget budget = {0};
    struct parquet_reader *reader;
    struct arena arena = {0};
    struct error err = {0};
    int64_t rows = 0, bytes = 0, started_us = thread_cpu_us();
    always(parquet_reader_new(&input, &budget, &reader, &err) == E_OK);
    always(parquet_reader_select(reader, selected(&arena, parquet_reader_schema(reader), names, count), &err) == E_OK);
    for (struct batch batch;; batch_release(&batch)) {
        if (parquet_reader_next(reader, BATCH_ROWS_MAX, &batch, &err) != E_OK) {
            fprintf(stderr, "%s\n", err.text);
            break;
        }
        if (batch.rows == 0)
            break;
        rows += batch.rows;
        bytes += (int64_t)batch_bytes(&batch);
    }
    parquet_reader_free(reader);
    arena_free(&arena);
    double seconds = (double)(thread_cpu_us() - started_us) / 1e6;
    printf("%.3f s  %.2f M rows/s  %.0f MB/s of the file  %.0f MB/s of columns\n", seconds,
           (double)rows / seconds / 1e6, (double)file->size / seconds / 1e6, (double)bytes / seconds / 1e6);
}

int main(int argc, char **argv)
{
    struct text file = {0};
    struct error err = {0};
    if (argc < 2 || os_read_file(argv[1], FILE_MAX, &file, &err) != E_OK) {
        fprintf(stderr, "parquet_read_bench FILE [COLUMN ..]\n%s\n", err.text);
        return 2;
    }
    for (int i = 0; i < ROUNDS; i++)
        round_run(&file, argv + 2, argc - 2);
    text_free(&file);
    return 0;
}

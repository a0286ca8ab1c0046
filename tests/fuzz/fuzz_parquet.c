/* fuzz_parquet.c - any bytes as a Parquet file: no crash, no more memory than the budget, sound columns;
 * and a column is the
 * same whether its neighbours are read or not, in batches of any size.
 */
#include "format/format.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { MEMORY_MAX = 64 << 20, ROWS_MAX = 100000, SOME_ROWS = 100 };

static enum code memory_read(void *context, int64_t offset, void *out, size_t size, struct error *err)
{
    const struct bytes *file = context;
    always(offset >= 0 && (size_t)offset <= file->size && size <= file->size - (size_t)offset);
    (void)err;
    memcpy(out, file->data + offset, size);
    return E_OK;
}

/* Column `only` (-1: all) of the first rows, one behind the other, in `out`; how it ended. */
static enum code read_some(struct bytes file, int32_t only, int64_t batch_rows, struct arena *arena, struct column *out)
{
    struct parquet_input input = {"file", (int64_t)file.size, &file, memory_read};
    struct budget budget = {.limit_bytes = MEMORY_MAX};
    struct parquet_reader *reader = NULL;
    struct error err = {0};
    enum code code = parquet_reader_new(&input, &budget, &reader, &err);
    const struct type *schema = code == E_OK ? type_copy(arena, parquet_reader_schema(reader)) : NULL;
    if (code == E_OK && only >= 0)
        schema = only < schema->field_count ? type_struct(arena, &schema->fields[only], 1) : NULL;
    if (code == E_OK)
        code = schema != NULL ? parquet_reader_select(reader, schema, &err) : E_ABSENT;
    int64_t total = 0;
    for (int64_t rows = 1; code == E_OK && rows > 0 && total < ROWS_MAX; total += rows) {
        struct batch batch = {0};
        code = parquet_reader_next(reader, batch_rows, &batch, &err);
        rows = batch.rows;
        if (code == E_OK && rows > 0)
            batch_check(&batch);
        if (code == E_OK && out != NULL && total < SOME_ROWS && rows > 0)
            column_append(out, &batch.columns[0], 0, rows);
        batch_release(&batch);
    }
    parquet_reader_free(reader);
    always(budget.used_bytes == 0);
    always(code == E_OK || err.text[0] != '\0' || code == E_ABSENT);
    return code;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena arena = {0};
    struct bytes file = bytes_of(data, size);
    struct column wide = {0}, alone = {0};
    enum code all = read_some(file, -1, BATCH_ROWS_MAX, &arena, NULL);
    enum code first = read_some(file, 0, SOME_ROWS, &arena, &wide), again = read_some(file, 0, 7, &arena, &alone);
    always((first == E_OK) == (again == E_OK) || all != E_OK);
    if (first == E_OK && again == E_OK)
        for (int64_t row = 0; row < wide.rows && row < alone.rows && row < SOME_ROWS; row++)
            always(column_equal_at(&wide, row, &alone, row));
    column_release(&wide);
    column_release(&alone);
    arena_free(&arena);
    return 0;
}

/* VARIANT columns through a Parquet file: alone, in lists, in structs, and with bytes that are none. */
#include "base/os.h"
#include "format/format.h"
#include "kit.h"

/* {} metadata; int8 `n`. */
static struct bytes small(uint8_t n, uint8_t *out)
{
    const uint8_t bytes[] = {0x01, 0, 0, 0x0c, n};
    memcpy(out, bytes, sizeof bytes);
    return bytes_of(out, sizeof bytes);
}

/* {"a": n}, in metadata with one name. */
static struct bytes object(uint8_t n, uint8_t *out)
{
    const uint8_t bytes[] = {0x01, 1, 0, 1, 'a', 0x02, 1, 0, 0, 2, 0x0c, n};
    memcpy(out, bytes, sizeof bytes);
    return bytes_of(out, sizeof bytes);
}

enum { ROWS = 3000 };

/* v VARIANT, vs ARRAY<VARIANT>, st STRUCT<v: VARIANT, n: INT> */
static void rows_make(struct arena *arena, const struct type **schema, struct batch *out)
{
    struct error err = {0};
    size_t position;
    struct builder columns[3];
    uint8_t room[16];
    CHECK_INT(type_parse_ddl(arena, bytes_of_string("v VARIANT, vs ARRAY<VARIANT>, st STRUCT<v: VARIANT, n: INT>"),
                             schema, &position, &err),
              E_OK);
    for (int i = 0; i < 3; i++)
        builder_init(&columns[i], (*schema)->fields[i].type);
    for (int row = 0; row < ROWS; row++) {
        if (row % 7 == 3)
            builder_null(&columns[0]);
        else
            builder_bytes(&columns[0], row % 2 ? object((uint8_t)row, room) : small((uint8_t)row, room));
        for (int i = 0; i < row % 4; i++)
            if (i == 1)
                builder_null(&columns[1].children[0]);
            else
                builder_bytes(&columns[1].children[0], small((uint8_t)(row + i), room));
        builder_close_list(&columns[1]);
        if (row % 5 == 0) {
            builder_null(&columns[2]);
            continue;
        }
        builder_bytes(&columns[2].children[0], object((uint8_t)row, room));
        builder_int(&columns[2].children[1], row);
        builder_close_struct(&columns[2]);
    }
    batch_init(out, *schema, ROWS);
    for (int i = 0; i < 3; i++)
        builder_finish(&columns[i], &out->columns[i]);
    for (int i = 0; i < 3; i++)
        builder_release(&columns[i]);
}

static enum code encode(const struct type *schema, const struct batch *batch, const char *sorting, struct text *out,
                        struct error *err)
{
    const struct encoder_type *type = encoder_find("parquet");
    const char *name = "parquet.sorting.columns";
    const struct encoder_spec spec = {.schema = schema,
                                      .zone = zone_utc(),
                                      .option_names = &name,
                                      .option_values = &sorting,
                                      .option_count = sorting != NULL};
    void *lane = mem_zero(type->lane_size), *file = mem_zero(type->file_size);
    struct piece piece = {0};
    CHECK_INT(type->lane_open(lane, &spec, err), E_OK);
    CHECK_INT(type->file_open(file, &spec, out, err), E_OK);
    enum code code = type->lane_add(lane, batch, 0, batch->rows, err);
    if (code == E_OK) {
        CHECK_INT(type->lane_take(lane, &piece, err), E_OK);
        CHECK_INT(type->file_add(file, &piece, (int64_t)out->size, err), E_OK);
        text_add(out, piece.bytes.data, piece.bytes.size);
        CHECK_INT(type->file_finish(file, out, err), E_OK);
    }
    type->piece_close(&piece);
    type->file_close(file);
    type->lane_close(lane);
    mem_free(file);
    mem_free(lane);
    return code;
}

static enum code memory_read(void *context, int64_t offset, void *out, size_t size, struct error *err)
{
    const struct text *file = context;
    if ((size_t)offset + size > file->size)
        return fail(err, E_CORRUPT, "past the end");
    memcpy(out, file->data + offset, size);
    return E_OK;
}

static void check_same(const struct type *schema, const struct batch *want, struct text *file)
{
    struct parquet_input input = {"file", (int64_t)file->size, file, memory_read};
    struct budget budget = {0};
    struct parquet_reader *reader = NULL;
    struct error err = {0};
    struct batch got;
    int64_t row = 0;
    CHECK_INT(parquet_reader_new(&input, &budget, &reader, &err), E_OK);
    CHECK(type_equal(parquet_reader_schema(reader), schema));
    CHECK_INT(parquet_reader_select(reader, schema, &err), E_OK);
    while (parquet_reader_next(reader, 1000, &got, &err) == E_OK && got.rows > 0) {
        for (int32_t c = 0; c < got.column_count; c++) {
            column_check(&got.columns[c]);
            for (int64_t i = 0; i < got.rows; i++)
                CHECK(column_equal_at(&got.columns[c], i, &want->columns[c], row + i));
        }
        row += got.rows;
        batch_release(&got);
    }
    CHECK_INT(err.code, E_OK);
    CHECK_INT(row, want->rows);
    parquet_reader_free(reader);
    CHECK_INT((int64_t)budget.used_bytes, 0);
}

TEST(variants_come_back)
{
    struct arena arena = {0};
    struct error err = {0};
    const struct type *schema;
    struct batch batch;
    struct text file = {0};
    rows_make(&arena, &schema, &batch);
    CHECK_INT(encode(schema, &batch, NULL, &file, &err), E_OK);
    check_same(schema, &batch, &file);
    const char *keep = os_env("LEAT_VARIANT_OUT"); // to look at it with other readers
    if (keep != NULL)
        CHECK_INT(os_replace_file(keep, text_view(&file), &err), E_OK);
    text_free(&file);
    batch_release(&batch);
    arena_free(&arena);
}

TEST(variants_that_are_none_are_refused)
{
    struct arena arena = {0};
    struct error err = {0};
    size_t position;
    const struct type *schema;
    struct batch batch;
    struct text file = {0};
    struct builder builder;
    CHECK_INT(type_parse_ddl(&arena, bytes_of_string("v VARIANT, n INT"), &schema, &position, &err), E_OK);
    batch_init(&batch, schema, 1);
    builder_init(&builder, type_of(TYPE_VARIANT));
    builder_bytes(&builder, bytes_of_string("xyz"));
    builder_finish(&builder, &batch.columns[0]);
    builder_release(&builder);
    column_all_null(&batch.columns[1], type_of(TYPE_INT32), 1);
    CHECK_INT(encode(schema, &batch, NULL, &file, &err), E_DATA);
    text_free(&file);
    batch_release(&batch);
    arena_free(&arena);
}

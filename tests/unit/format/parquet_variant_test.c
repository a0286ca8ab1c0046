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

/* ---- values in columns of their own ---- */

static const char shredded_type[] =
    "v STRUCT<metadata: BINARY, value: BINARY, typed_value: STRUCT<a: STRUCT<value: BINARY, typed_value: BIGINT>, "
    "l: STRUCT<value: BINARY, typed_value: ARRAY<STRUCT<value: BINARY, typed_value: STRING>>>>>";

static void put_or_null(struct builder *builder, const void *data, size_t size)
{
    if (data == NULL)
        builder_null(builder);
    else
        builder_bytes(builder, bytes_of(data, size));
}

/* {"a": 300, "l": ["x", 7]}; 5; {"a": 9, <name>: 3}; NULL; null */
static void shredded_rows(struct builder *v, char name)
{
    static const uint8_t none[] = {0x01, 0, 0}, five[] = {0x0c, 5}, seven[] = {0x0c, 7}, nine[] = {0x0c, 9};
    const uint8_t named[] = {0x01, 1, 0, 1, (uint8_t)name}, rest[] = {0x02, 1, 0, 0, 2, 0x0c, 3};
    struct builder *typed = &v->children[2], *a = &typed->children[0], *l = &typed->children[1];
    struct builder *element = &l->children[1].children[0];
    put_or_null(&v->children[0], none, sizeof none);
    put_or_null(&v->children[1], NULL, 0);
    builder_null(&a->children[0]);
    builder_int(&a->children[1], 300);
    builder_close_struct(a);
    builder_null(&l->children[0]);
    builder_null(&element->children[0]);
    builder_bytes(&element->children[1], bytes_of_string("x"));
    builder_close_struct(element);
    put_or_null(&element->children[0], seven, sizeof seven);
    builder_null(&element->children[1]);
    builder_close_struct(element);
    builder_close_list(&l->children[1]);
    builder_close_struct(l);
    builder_close_struct(typed);
    builder_close_struct(v);

    put_or_null(&v->children[0], none, sizeof none);
    put_or_null(&v->children[1], five, sizeof five);
    builder_null(typed);
    builder_close_struct(v);

    put_or_null(&v->children[0], named, sizeof named);
    put_or_null(&v->children[1], rest, sizeof rest);
    put_or_null(&a->children[0], nine, sizeof nine);
    builder_null(&a->children[1]);
    builder_close_struct(a);
    builder_null(l);
    builder_close_struct(typed);
    builder_close_struct(v);

    builder_null(v);

    put_or_null(&v->children[0], none, sizeof none);
    put_or_null(&v->children[1], NULL, 0);
    builder_null(typed);
    builder_close_struct(v);
}

/* The rows as JSON, one a line; or what is wrong. */
static void shredded_read(char name, struct text *out)
{
    struct arena arena = {0};
    struct error err = {0};
    const struct type *schema, *wanted;
    struct batch batch, got;
    struct text file = {0};
    struct builder builder;
    struct budget budget = {0};
    struct parquet_reader *reader = NULL;
    size_t position;
    CHECK_INT(type_parse_ddl(&arena, bytes_of_string(shredded_type), &schema, &position, &err), E_OK);
    CHECK_INT(type_parse_ddl(&arena, bytes_of_string("v VARIANT"), &wanted, &position, &err), E_OK);
    builder_init(&builder, schema->fields[0].type);
    shredded_rows(&builder, name);
    batch_init(&batch, schema, 5);
    builder_finish(&builder, &batch.columns[0]);
    builder_release(&builder);
    CHECK_INT(encode(schema, &batch, NULL, &file, &err), E_OK);
    struct parquet_input input = {"file", (int64_t)file.size, &file, memory_read};
    CHECK_INT(parquet_reader_new(&input, &budget, &reader, &err), E_OK);
    CHECK_INT(parquet_reader_select(reader, wanted, &err), E_OK);
    if (parquet_reader_next(reader, 100, &got, &err) == E_OK) {
        for (int64_t row = 0; row < got.rows; row++) {
            if (!column_valid_at(&got.columns[0], row))
                text_add_string(out, "NULL");
            else
                CHECK(variant_print(column_bytes_at(&got.columns[0], row), zone_utc(), out));
            text_add_char(out, '\n');
        }
        batch_release(&got);
    } else {
        text_add_string(out, code_name(err.code));
    }
    parquet_reader_free(reader);
    text_free(&file);
    batch_release(&batch);
    arena_free(&arena);
}

TEST(shredded_variants_are_put_together)
{
    struct text out = {0};
    shredded_read('k', &out);
    CHECK_STR(out.data, "{\"a\":300,\"l\":[\"x\",7]}\n5\n{\"a\":9,\"k\":3}\nNULL\nnull\n");
    text_clear(&out);
    shredded_read('a', &out); // a member that is in a column and in the rest
    CHECK_STR(out.data, code_name(E_CORRUPT));
    text_free(&out);
}

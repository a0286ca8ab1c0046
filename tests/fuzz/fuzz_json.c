/* fuzz_json.c - any bytes as JSON records: no crash, sound columns; both readers give the same, and a record alone
 * gives what it gives among others, whatever was learned from those.
 *
 * Input    records separated by a byte 0x1e
 */
#include "format/format.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char schema_ddl[] =
    "s STRING, i INT, l BIGINT, d DOUBLE, f FLOAT, p DECIMAL(10,2), w DECIMAL(38,10), t TIMESTAMP, n TIMESTAMP_NTZ, day DATE, "
    "x BINARY, b BOOLEAN, y TINYINT, r ARRAY<INT>, g STRUCT<x: INT, y: STRUCT<z: STRING>>, m MAP<STRING, ARRAY<STRING>>, "
    "z ARRAY<STRUCT<x: INT, m: MAP<STRING, INT>>>, _corrupt_record STRING";

static struct column split(const uint8_t *data, size_t size)
{
    struct builder builder;
    struct column col;
    builder_init(&builder, type_of(TYPE_BINARY));
    for (size_t from = 0; from <= size;) {
        const uint8_t *stop = size == from ? NULL : memchr(data + from, 0x1e, size - from);
        size_t to = stop == NULL ? size : (size_t)(stop - data);
        builder_bytes(&builder, bytes_of(data + from, to - from));
        from = to + 1;
    }
    builder_finish(&builder, &col);
    builder_release(&builder);
    return col;
}

static void decode(const struct type *schema, int simd, const struct column *payload, struct column *out)
{
    const struct decoder_type *type = decoder_find("json");
    struct decoder_spec spec = {.schema = schema, .corrupt_column = "_corrupt_record", .simd = simd};
    struct rejects rejects = {0};
    struct error err = {0};
    void *decoder = mem_zero(type->size);
    always(type->open(decoder, &spec, &err) == E_OK);
    always(type->decode(decoder, payload, out, &rejects, &err) == E_OK);
    column_check(out);
    type->close(decoder);
    mem_free(decoder);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena arena = {0};
    const struct type *schema;
    size_t position;
    struct error err = {0};
    always(type_parse_ddl(&arena, bytes_of_string(schema_ddl), &schema, &position, &err) == E_OK);
    struct column payload = split(data, size), wide, word;
    decode(schema, -1, &payload, &wide);
    decode(schema, 0, &payload, &word);
    struct text text = {0};
    for (int64_t row = 0; row < payload.rows; row++) {
        struct bytes record = column_bytes_at(&payload, row);
        struct column one = {0}, alone;
        always(column_equal_at(&wide, row, &word, row));
        column_append(&one, &payload, row, row + 1);
        always(bytes_equal(column_bytes_at(&one, 0), record));
        decode(schema, -1, &one, &alone);
        always(column_equal_at(&wide, row, &alone, 0));
        column_release(&one);
        column_release(&alone);
        json_write_value(&wide, row, zone_utc(), &text);
    }
    text_free(&text);
    column_release(&payload);
    column_release(&wide);
    column_release(&word);
    arena_free(&arena);
    return 0;
}

/* fuzz_csv.c - any bytes as lines of CSV: no crash, sound columns; a line alone gives what it gives
 * among others, and a column is the same whether its neighbours are read or not.
 *
 * Input    a byte that chooses the options, then lines separated by a byte 0x1e
 */
#include "format/format.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char schema_ddl[] =
    "s STRING, i INT, d DOUBLE, p DECIMAL(10,2), t TIMESTAMP, b BOOLEAN, x BINARY, f FLOAT, "
    "_corrupt_record STRING, day DATE, n TIMESTAMP_NTZ, l BIGINT, y TINYINT";
enum { FIELDS = 13, CHOICES = 6, OPTIONS = 3 };

static const char *const choices[CHOICES][2 * OPTIONS] = {
    {"sep", ",", "quote", "\"", "escape", "\\"},
    {"sep", ",", "quote", "\"", "escape", "\""},
    {"sep", "||", "quote", "'", "nullValue", "NA"},
    {"sep", "\\t", "quote", "", "emptyValue", "E"},
    {"sep", " ", "ignoreLeadingWhiteSpace", "true", "ignoreTrailingWhiteSpace", "true"},
    {"sep", "aa", "quote", "a", "escape", ""},
};

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

static void decode(const struct type *schema, int choice, const bool *needed, const struct column *payload,
                   struct column *out)
{
    const char *names[OPTIONS], *values[OPTIONS];
    const struct decoder_type *type = decoder_find("csv");
    struct decoder_spec spec = {.schema = schema,
                                .needed = needed,
                                .corrupt_column = "_corrupt_record",
                                .option_names = names,
                                .option_values = values,
                                .option_count = OPTIONS};
    struct rejects rejects = {0};
    struct error err = {0};
    void *decoder = mem_zero(type->size);
    for (int i = 0; i < OPTIONS; i++) {
        names[i] = choices[choice][2 * i];
        values[i] = choices[choice][2 * i + 1];
    }
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
    int choice = size > 0 ? data[0] % CHOICES : 0;
    bool every_other[FIELDS];
    for (int i = 0; i < FIELDS; i++)
        every_other[i] = i % 2 == 0;
    always(type_parse_ddl(&arena, bytes_of_string(schema_ddl), &schema, &position, &err) == E_OK);
    struct column payload = split(data + (size > 0), size - (size > 0)), all, some;
    decode(schema, choice, NULL, &payload, &all);
    decode(schema, choice, every_other, &payload, &some);
    for (int64_t row = 0; row < payload.rows; row++) {
        struct column one = {0}, alone;
        column_append(&one, &payload, row, row + 1);
        decode(schema, choice, NULL, &one, &alone);
        always(column_equal_at(&all, row, &alone, 0));
        column_release(&one);
        column_release(&alone);
        for (int i = 0; i < FIELDS; i += 2)
            always(i == 8 || column_equal_at(&all.children[i], row, &some.children[i], row));
    }
    column_release(&payload);
    column_release(&all);
    column_release(&some);
    arena_free(&arena);
    return 0;
}

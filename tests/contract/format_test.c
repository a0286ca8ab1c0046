/* The contract of format/format.h, walked over every encoder and decoder that formats.c lists:
 * null, empty, longest and extreme values of every type go through, lanes give pieces that can be
 * taken again and again, nothing leaks.
 */
#include "format/format.h"
#include "kit.h"

enum { LONGEST = 40000 }; /* bytes; a name in JSON may have 50,000 */

/* Types that each table is made of in turn; nested ones last, where an encoder may refuse them. */
static const char *const columns_ddl[] = {
    "BOOLEAN",
    "TINYINT",
    "SMALLINT",
    "INT",
    "BIGINT",
    "FLOAT",
    "DOUBLE",
    "DECIMAL(9,2)",
    "DECIMAL(18,0)",
    "DECIMAL(38,38)",
    "STRING",
    "BINARY",
    "DATE",
    "TIMESTAMP",
    "TIMESTAMP_NTZ",
    "ARRAY<INT>",
    "ARRAY<STRING>",
    "STRUCT<a: INT, b: STRING>",
    "MAP<STRING, DOUBLE>",
    "ARRAY<STRUCT<x: INT, y: ARRAY<STRING>>>",
};
enum { COLUMNS = sizeof columns_ddl / sizeof *columns_ddl };

enum shape { SHAPE_NULL, SHAPE_EMPTY, SHAPE_LOWEST, SHAPE_HIGHEST, SHAPES };

static struct bytes longest_text(void)
{
    static char text[LONGEST];
    memset(text, 'x', sizeof text);
    memset(text + sizeof text / 2, '"', 20);
    return bytes_of(text, sizeof text);
}

static void put_shape(struct builder *builder, enum shape shape);

static void put_children(struct builder *builder, enum shape shape)
{
    for (int32_t i = 0; i < builder->child_count; i++)
        put_shape(&builder->children[i], shape == SHAPE_NULL ? SHAPE_LOWEST : shape);
}

static void put_integer(struct builder *builder, enum shape shape)
{
    int bits = type_width(builder->type) * 8;
    int64_t highest = bits == 64 ? INT64_MAX : (INT64_C(1) << (bits - 1)) - 1;
    builder_int(builder, shape == SHAPE_EMPTY ? 0 : shape == SHAPE_LOWEST ? -highest - 1 : highest);
}

/* Times between the years 1 and 9999: what every format can hold. */
static void put_time(struct builder *builder, enum shape shape)
{
    int64_t day = shape == SHAPE_EMPTY    ? 0
                  : shape == SHAPE_LOWEST ? days_from_civil(1, 1, 1)
                                          : days_from_civil(9999, 12, 31);
    builder_int(builder, builder->type->id == TYPE_DATE
                             ? day
                             : day * INT64_C(86400000000) + (shape == SHAPE_HIGHEST ? 123456 : 0));
}

static void put_shape(struct builder *builder, enum shape shape)
{
    const struct type *type = builder->type;
    if (shape == SHAPE_NULL) {
        builder_null(builder);
        return;
    }
    switch (type->id) {
    case TYPE_BOOLEAN: builder_boolean(builder, shape == SHAPE_HIGHEST); break;
    case TYPE_FLOAT:
    case TYPE_DOUBLE:
        builder_double(builder, shape == SHAPE_EMPTY ? -0.0 : shape == SHAPE_LOWEST ? -1e38 : __builtin_inf());
        break;
    case TYPE_DECIMAL: {
        __int128 most = decimal_power10(type->precision) - 1;
        builder_int128(builder, shape == SHAPE_EMPTY ? 0 : shape == SHAPE_LOWEST ? -most : most);
        break;
    }
    case TYPE_STRING:
    case TYPE_BINARY:
        builder_bytes(builder, shape == SHAPE_HIGHEST ? longest_text() : bytes_of("\n", shape == SHAPE_LOWEST));
        break;
    case TYPE_DATE:
    case TYPE_TIMESTAMP:
    case TYPE_TIMESTAMP_NTZ: put_time(builder, shape); break;
    case TYPE_ARRAY:
    case TYPE_MAP:
        if (shape != SHAPE_EMPTY)
            put_children(builder, shape);
        builder_close_list(builder);
        break;
    case TYPE_STRUCT:
        put_children(builder, shape);
        builder_close_struct(builder);
        break;
    default: put_integer(builder, shape); break;
    }
}

struct table {
    struct arena arena;
    struct batch batch;
};

/* A column `id` that is never NULL, and one of the type in every shape. */
static struct table table_of(const char *type_ddl)
{
    struct table table = {0};
    struct error err = {0};
    struct text ddl = {0};
    const struct type *schema = NULL;
    size_t position;
    text_printf(&ddl, "id INT, v %s", type_ddl);
    if (type_parse_ddl(&table.arena, text_view(&ddl), &schema, &position, &err) != E_OK)
        kit_fail(__FILE__, __LINE__, "%s: %s", ddl.data, err.text);
    text_free(&ddl);
    batch_init(&table.batch, schema, SHAPES);
    struct builder builders[2];
    for (int i = 0; i < 2; i++)
        builder_init(&builders[i], schema->fields[i].type);
    for (int shape = 0; shape < SHAPES; shape++) {
        builder_int(&builders[0], shape);
        put_shape(&builders[1], (enum shape)shape);
    }
    for (int i = 0; i < 2; i++) {
        builder_finish(&builders[i], &table.batch.columns[i]);
        builder_release(&builders[i]);
    }
    return table;
}

static void table_close(struct table *table)
{
    batch_release(&table->batch);
    arena_free(&table->arena);
}

/* A file of `pieces` pieces, of which some are empty. Returns its bytes; empty when the encoder
 * refuses the schema. */
static struct text file_of(const struct encoder_type *type, const struct table *table, int pieces)
{
    struct encoder_spec spec = {.schema = table->batch.schema, .zone = zone_utc(), .created_by = "leat test"};
    struct error err = {0};
    struct text out = {0};
    void *lane = mem_zero(type->lane_size), *file = mem_zero(type->file_size);
    enum code code = type->lane_open(lane, &spec, &err);
    if (code == E_UNSUPPORTED) {
        CHECK(err.text[0] != 0 && type_is_nested(table->batch.schema->fields[1].type));
        type->lane_close(lane);
    } else {
        CHECK_INT(code, E_OK);
        CHECK_INT(type->file_open(file, &spec, &out, &err), E_OK);
        for (int i = 0; i < pieces; i++) {
            struct piece piece = {0};
            int64_t rows = i % 3 == 1 ? 0 : table->batch.rows;
            CHECK_INT(type->lane_rows(lane), 0);
            CHECK_INT(type->lane_add(lane, &table->batch, 0, rows, &err), E_OK);
            CHECK_INT(type->lane_rows(lane), rows);
            CHECK(rows == 0 || type->lane_bytes(lane) > 0);
            CHECK_INT(type->lane_take(lane, &piece, &err), E_OK);
            CHECK_INT(piece.rows, rows);
            CHECK_INT(type->file_add(file, &piece, (int64_t)out.size, &err), E_OK);
            text_add(&out, piece.bytes.data, piece.bytes.size);
            type->piece_close(&piece);
        }
        CHECK_INT(type->file_finish(file, &out, &err), E_OK);
        type->file_close(file);
        type->lane_close(lane);
    }
    mem_free(lane);
    mem_free(file);
    return out;
}

TEST(every_encoder_takes_every_value_of_every_type)
{
    for (size_t e = 0; encoder_types[e] != NULL; e++)
        for (size_t c = 0; c < COLUMNS; c++) {
            struct table table = table_of(columns_ddl[c]);
            struct text three = file_of(encoder_types[e], &table, 3), again = file_of(encoder_types[e], &table, 3);
            CHECK(bytes_equal(text_view(&three), text_view(&again))); /* the same rows, the same bytes */
            text_free(&three);
            text_free(&again);
            table_close(&table);
        }
}

TEST(encoders_are_found_by_name_and_described)
{
    for (size_t e = 0; encoder_types[e] != NULL; e++) {
        const struct encoder_type *type = encoder_types[e];
        CHECK(encoder_find(type->name) == type);
        CHECK(type->help[0] != 0 && type->suffix[0] == '.' && type->options != NULL);
        for (const struct option *option = type->options; option->name != NULL; option++)
            CHECK(option->help != NULL && option->help[0] != 0);
    }
    for (size_t d = 0; decoder_types[d] != NULL; d++) {
        CHECK(decoder_find(decoder_types[d]->name) == decoder_types[d]);
        CHECK(decoder_types[d]->help[0] != 0 && decoder_types[d]->options != NULL);
    }
    CHECK(encoder_find("none such") == NULL && decoder_find("none such") == NULL);
}

/* ---- what a decoder of the same name reads back ---- */

/* The lines of a text as payload rows. */
static struct column lines_of(const struct text *text)
{
    struct builder builder;
    struct column col;
    builder_init(&builder, type_of(TYPE_STRING));
    for (size_t from = 0; from < text->size;) {
        const char *stop = memchr(text->data + from, '\n', text->size - from);
        size_t to = stop == NULL ? text->size : (size_t)(stop - text->data);
        builder_bytes(&builder, bytes_of(text->data + from, to - from));
        from = to + 1;
    }
    builder_finish(&builder, &col);
    builder_release(&builder);
    return col;
}

static void decode(const struct decoder_type *type, const struct decoder_spec *spec, const struct column *payload,
                   struct column *out)
{
    struct rejects rejects = {0};
    struct error err = {0};
    void *decoder = mem_zero(type->size);
    CHECK_INT(type->open(decoder, spec, &err), E_OK);
    CHECK_INT(type->decode(decoder, payload, out, &rejects, &err), E_OK);
    column_check(out);
    CHECK_INT(out->rows, payload->rows);
    type->close(decoder);
    mem_free(decoder);
    rejects_free(&rejects);
}

/* Text formats keep milliseconds: the last three digits of a time are lost on the way. */
static bool same_value(const struct column *a, const struct column *b, int64_t row)
{
    if (a->type->id != TYPE_TIMESTAMP && a->type->id != TYPE_TIMESTAMP_NTZ)
        return column_equal_at(a, row, b, row);
    if (column_is_null(a, row) || column_is_null(b, row))
        return column_is_null(a, row) && column_is_null(b, row);
    int64_t us = column_values(a, int64_t)[row];
    return us - us % 1000 == column_values(b, int64_t)[row];
}

/* Of the formats that are lines of text. CSV cannot tell an empty text from NULL and has no bytes: csv_decode_test knows its
 * rules. */
static bool writes_lines_whole(const struct decoder_type *type) { return strcmp(type->name, "json") == 0; }

TEST(what_an_encoder_writes_the_decoder_of_its_name_reads)
{
    for (size_t d = 0; decoder_types[d] != NULL; d++) {
        if (!writes_lines_whole(decoder_types[d]))
            continue;
        const struct encoder_type *encoder = encoder_find(decoder_types[d]->name);
        for (size_t c = 0; encoder != NULL && c < COLUMNS; c++) {
            struct table table = table_of(columns_ddl[c]);
            struct text file = file_of(encoder, &table, 1);
            struct column payload = lines_of(&file), out;
            for (int simd = -1; simd <= 0; simd++) {
                struct decoder_spec spec = {.schema = table.batch.schema, .zone = zone_utc(), .simd = simd};
                decode(decoder_types[d], &spec, &payload, &out);
                CHECK_INT(out.rows, SHAPES);
                for (int64_t row = 0; row < out.rows; row++)
                    if (!same_value(&table.batch.columns[1], &out.children[1], row))
                        kit_fail(__FILE__, __LINE__, "%s: %s, shape %d", decoder_types[d]->name, columns_ddl[c],
                                 (int)row);
                column_release(&out);
            }
            column_release(&payload);
            text_free(&file);
            table_close(&table);
        }
    }
}

TEST(every_decoder_survives_nulls_nothing_and_noise)
{
    for (size_t d = 0; decoder_types[d] != NULL; d++)
        for (size_t c = 0; writes_lines_whole(decoder_types[d]) && c < COLUMNS; c++) {
            struct table table = table_of(columns_ddl[c]);
            struct builder builder;
            struct column payload, out;
            builder_init(&builder, type_of(TYPE_BINARY));
            for (int i = 0; i < 50; i++) {
                uint8_t noise[64];
                size_t size = kit_random() % sizeof noise;
                for (size_t b = 0; b < size; b++)
                    noise[b] = (uint8_t)kit_random();
                if (i % 5 == 0)
                    builder_null(&builder);
                else
                    builder_bytes(&builder, bytes_of(noise, i % 5 == 1 ? 0 : size));
            }
            builder_finish(&builder, &payload);
            builder_release(&builder);
            struct decoder_spec spec = {.schema = table.batch.schema, .corrupt_column = "_corrupt_record", .simd = -1};
            decode(decoder_types[d], &spec, &payload, &out);
            CHECK(column_is_null(&out, 0) && column_is_null(&out, 45)); /* no payload, no row */
            column_release(&out);
            column_release(&payload);
            table_close(&table);
        }
}

/* What Delta's log says of a file: bounds and NULLs over all row groups, nested columns as objects. */
#include "format/format.h"
#include "kit.h"

static void row_add(struct builder *builders, int i)
{
    builder_int(&builders[0], i * 10);
    if (i == 1)
        builder_null(&builders[1]);
    else
        builder_bytes(&builders[1], bytes_of_string(i == 0 ? "b\"\n" : "a"));
    builder_double(&builders[2], i == 2 ? 1.0 / 0.0 : 0.5);
    builder_int128(&builders[3], 125 - i);
    builder_int(&builders[4], (int64_t)i * 86400 * 1000000 + 1500);
    builder_int(&builders[5], i);
    builder_int(&builders[6].children[0], -i);
    builder_boolean(&builders[6].children[1], true);
    builder_close_struct(&builders[6]);
    builder_bytes(&builders[7].children[0], bytes_of_string("x"));
    builder_close_list(&builders[7]);
}

static void rows_add(const struct encoder_type *encoder, void *lane, const struct type *schema, int from, int to)
{
    struct builder builders[8];
    struct batch batch;
    struct error err = {0};
    for (int i = 0; i < 8; i++)
        builder_init(&builders[i], schema->fields[i].type);
    for (int row = from; row < to; row++)
        row_add(builders, row);
    batch_init(&batch, schema, to - from);
    for (int i = 0; i < 8; i++) {
        builder_finish(&builders[i], &batch.columns[i]);
        builder_release(&builders[i]);
    }
    CHECK_INT(encoder->lane_add(lane, &batch, 0, batch.rows, &err), E_OK);
    batch_release(&batch);
}

TEST(a_file_is_summed_up_over_its_row_groups)
{
    const struct encoder_type *encoder = encoder_find("parquet");
    struct arena arena = {0};
    struct encoder_spec spec = {.zone = zone_utc()};
    struct text bytes = {0}, summary = {0};
    struct error err = {0};
    size_t position;
    CHECK_INT(type_parse_ddl(&arena,
                             bytes_of_string("id BIGINT, t STRING, f DOUBLE, p DECIMAL(5,2), at TIMESTAMP, d DATE, "
                                             "s STRUCT<a: INT, b: BOOLEAN>, l ARRAY<STRING>"),
                             &spec.schema, &position, &err),
              E_OK);
    void *lane = mem_zero(encoder->lane_size), *file = mem_zero(encoder->file_size);
    CHECK_INT(encoder->lane_open(lane, &spec, &err), E_OK);
    CHECK_INT(encoder->file_open(file, &spec, &bytes, &err), E_OK);
    for (int i = 0; i < 3; i++) {
        struct piece piece = {0};
        rows_add(encoder, lane, spec.schema, i, i + 1);
        CHECK_INT(encoder->lane_take(lane, &piece, &err), E_OK);
        CHECK_INT(encoder->file_add(file, &piece, (int64_t)bytes.size, &err), E_OK);
        text_add(&bytes, piece.bytes.data, piece.bytes.size);
        encoder->piece_close(&piece);
    }
    CHECK_INT(encoder->file_finish(file, &bytes, &err), E_OK);
    encoder->file_summary(file, 32, &summary);
    CHECK_STR(
        summary.data,
        "{\"numRecords\":3,"
        "\"minValues\":{\"id\":0,\"t\":\"a\",\"f\":0.5,\"p\":1.23,\"at\":\"1970-01-01T00:00:00.0015Z\",\"d\":\"1970-01-01\",\"s\":{\"a\":-2}},"
        "\"maxValues\":{\"id\":20,\"t\":\"b\\\"\\u000a\",\"p\":1.25,\"at\":\"1970-01-03T00:00:00.0015Z\",\"d\":\"1970-01-03\",\"s\":{\"a\":0}},"
        "\"nullCount\":{\"id\":0,\"t\":1,\"f\":0,\"p\":0,\"at\":0,\"d\":0,\"s\":{\"a\":0,\"b\":0}}}");
    text_clear(&summary);
    encoder->file_summary(file, 1, &summary);
    CHECK_STR(summary.data,
              "{\"numRecords\":3,\"minValues\":{\"id\":0},\"maxValues\":{\"id\":20},\"nullCount\":{\"id\":0}}");
    encoder->lane_close(lane);
    encoder->file_close(file);
    mem_free(lane);
    mem_free(file);
    text_free(&bytes);
    text_free(&summary);
    arena_free(&arena);
}

/* csv.c - structs into lines of separated values, by the encoder of format/. */
#include <strings.h>

#include "expr/cast.h"
#include "expr/coerce.h"
#include "expr/reshape.h"
#include "expr/writer.h"
#include "format/format.h"

struct csv_encoding {
    struct encoder_spec spec;
    const struct encoder_type *encoder;
};

static bool holds_variant(const struct type *type)
{
    if (type->id == TYPE_VARIANT)
        return true;
    for (int32_t i = 0; i < type->field_count; i++)
        if (holds_variant(type->fields[i].type))
            return true;
    return false;
}

static enum code try_open(const struct csv_encoding *encoding, struct error *err)
{
    void *lane = mem_array(uint8_t, encoding->encoder->lane_size);
    enum code code = encoding->encoder->lane_open(lane, &encoding->spec, err);
    encoding->encoder->lane_close(lane);
    mem_free(lane);
    return code;
}

static enum code bind_to_csv(struct binding *binding, struct error *err)
{
    struct expr_context *ctx = binding->ctx;
    struct text_options options;
    struct reshape reshape = {.nested_as_text = true, .absent = ""};
    const struct type *type = binding->args[0]->type;
    TRY(bind_text_options(binding, 1, &options, err));
    if (type->id != TYPE_STRUCT || holds_variant(type))
        return fail(err, E_SQL,
                    "[DATATYPE_MISMATCH.UNSUPPORTED_INPUT_TYPE] The input of `to_csv` can't be \"%s\" type data.",
                    type_sql(ctx->arena, type));
    reshape_formats(&options, &reshape);
    if (text_option(&options, "nullValue") != NULL)
        reshape.absent = text_option(&options, "nullValue");
    TRY(reshape_print(ctx, &reshape, binding->args[0], &binding->args[0], err));
    struct csv_encoding *encoding = arena_new(ctx->arena, struct csv_encoding);
    encoding->encoder = encoder_find("csv");
    encoding->spec = (struct encoder_spec){.schema = binding->args[0]->type,
                                           .zone = ctx->session->zone,
                                           .option_names = options.names,
                                           .option_values = options.values,
                                           .option_count = options.count};
    TRY(try_open(encoding, err));
    binding->bound = encoding;
    return E_OK;
}

/* Ends of the rows' lines in the piece; a row that is left out, whose only value is nothing, gets no bytes. */
static void encode_rows(const struct csv_encoding *encoding, const struct call *call, const struct column *rows,
                        struct piece *out, int64_t *ends)
{
    struct encoder_spec spec = encoding->spec;
    struct error err = {0};
    struct batch batch = {
        .schema = rows->type, .rows = rows->rows, .column_count = rows->child_count, .columns = rows->children};
    void *lane = mem_array(uint8_t, encoding->encoder->lane_size);
    spec.zone = call->session->zone;
    always(encoding->encoder->lane_open(lane, &spec, &err) == E_OK);
    for (int64_t i = 0; i < call->rows; i++) {
        always(encoding->encoder->lane_add(lane, &batch, i, i + 1, &err) == E_OK);
        ends[i] = encoding->encoder->lane_bytes(lane);
    }
    always(encoding->encoder->lane_take(lane, out, &err) == E_OK);
    encoding->encoder->lane_close(lane);
    mem_free(lane);
}

SCALAR(fn_to_csv, "to_csv", "(any, any?) -> string",
       "The fields of a STRUCT as a line of separated values; options in map('sep', '|', ..).",
       "to_csv(named_struct('a', 1, 'b', 'x'))", "1,x", .bind = bind_to_csv)
{
    const struct csv_encoding *encoding = call->bound;
    struct piece piece = {0};
    struct writer writer;
    int64_t *ends = mem_array(int64_t, (size_t)call->rows + 1);
    encode_rows(encoding, call, args[0].col, &piece, ends);
    writer_open(&writer, call, out, (int64_t)piece.bytes.size);
    for (int64_t i; (i = writer_next(&writer)) >= 0;) {
        int64_t start = i > 0 ? ends[i - 1] : 0;
        if (ends[i] > start)
            writer_put(&writer,
                       bytes_of(piece.bytes.data + start, (size_t)(ends[i] - start) - 1)); // without the line end
        else
            writer_null(&writer);
    }
    writer_close(&writer);
    encoding->encoder->piece_close(&piece);
    mem_free(ends);
}

static enum code bind_nested(struct binding *binding, struct error *err)
{
    const struct expr *absent;
    TRY(binding_constant(binding, 1, &absent, err));
    struct bytes *text = arena_new(binding->ctx->arena, struct bytes);
    if (!literal_is_null(absent))
        *text = literal_bytes(absent);
    binding->bound = text;
    return E_OK;
}
SCALAR(fn_nested, "to_csv:nested", "(any, string) -> string",
       "An ARRAY, MAP or STRUCT within the line, and what stands for NULL in it.", NULL, NULL, .flags = FN_HIDDEN,
       .bind = bind_nested)
{
    nested_to_csv(call, &args[0], *(const struct bytes *)call->bound, out);
}

const struct function *const csv_functions[] = {&fn_to_csv, &fn_nested, NULL};

/* variant_make.c - values of any type as VARIANTs: CAST(x AS VARIANT) and to_variant_object().
 *
 * Types    CAST takes scalars, but for intervals and TIME, and arrays of them; to_variant_object STRUCTs and MAPs with text
 *          keys, too: a cast that forgot a STRUCT's order of fields would go unseen
 * Shape    one walk per value; fields and entries become members, a MAP's NULLs stay
 */
#include "data/data.h"
#include "expr/coerce.h"
#include "expr/loop.h"
#include "expr/writer.h"

bool variant_takes(const struct type *type, bool objects)
{
    switch (type->id) {
    case TYPE_STRUCT:
    case TYPE_MAP:
        if (!objects || (type->id == TYPE_MAP && type->fields[0].type->id != TYPE_STRING))
            return false;
        break;
    case TYPE_INTERVAL:
    case TYPE_INTERVAL_DT:
    case TYPE_INTERVAL_YM:
    case TYPE_TIME: return false;
    default: break;
    }
    for (int32_t i = 0; i < type->field_count; i++)
        if (!variant_takes(type->fields[i].type, objects))
            return false;
    return true;
}

static enum reject_code put_value(struct variant_builder *out, const struct column *col, int64_t row);

static enum reject_code put_array(struct variant_builder *out, const struct column *col, int64_t row)
{
    struct variant_mark mark = variant_open_list(out);
    const int32_t *offsets = column_offsets(col);
    enum reject_code wrong = REJECT_COUNT;
    for (int64_t i = offsets[row]; i < offsets[row + 1] && wrong == REJECT_COUNT; i++) {
        variant_item(out);
        wrong = put_value(out, &col->children[0], i);
    }
    variant_close_array(out, mark);
    return wrong;
}

static enum reject_code put_map(struct variant_builder *out, const struct column *col, int64_t row)
{
    struct variant_mark mark = variant_open_list(out);
    const int32_t *offsets = column_offsets(col);
    enum reject_code wrong = REJECT_COUNT;
    for (int64_t i = offsets[row]; i < offsets[row + 1] && wrong == REJECT_COUNT; i++) {
        variant_field(out, column_bytes_at(&col->children[0], i));
        wrong = put_value(out, &col->children[1], i);
    }
    if (!variant_close_object(out, mark) && wrong == REJECT_COUNT)
        wrong = REJECT_VARIANT_KEY;
    return wrong;
}

static enum reject_code put_struct(struct variant_builder *out, const struct column *col, int64_t row)
{
    struct variant_mark mark = variant_open_list(out);
    enum reject_code wrong = REJECT_COUNT;
    for (int32_t i = 0; i < col->child_count && wrong == REJECT_COUNT; i++) {
        variant_field(out, bytes_of_string(col->type->fields[i].name));
        wrong = put_value(out, &col->children[i], row);
    }
    if (!variant_close_object(out, mark) && wrong == REJECT_COUNT)
        wrong = REJECT_VARIANT_KEY;
    return wrong;
}

static enum reject_code put_value(struct variant_builder *out, const struct column *col, int64_t row)
{
    if (column_is_null(col, row)) {
        variant_put_null(out);
        return REJECT_COUNT;
    }
    struct variant inner;
    switch (col->type->id) {
    case TYPE_BOOLEAN: variant_put_boolean(out, bit_get(col->values->data, row)); break;
    case TYPE_INT8: variant_put_integer(out, column_values(col, int8_t)[row]); break;
    case TYPE_INT16: variant_put_integer(out, column_values(col, int16_t)[row]); break;
    case TYPE_INT32: variant_put_integer(out, column_values(col, int32_t)[row]); break;
    case TYPE_INT64: variant_put_integer(out, column_values(col, int64_t)[row]); break;
    case TYPE_FLOAT: variant_put_float(out, column_values(col, float)[row]); break;
    case TYPE_DOUBLE: variant_put_double(out, column_values(col, double)[row]); break;
    case TYPE_DECIMAL: variant_put_decimal(out, column_decimal_at(col, row), col->type->scale); break;
    case TYPE_STRING: variant_put_string(out, column_bytes_at(col, row)); break;
    case TYPE_BINARY: variant_put_binary(out, column_bytes_at(col, row)); break;
    case TYPE_DATE: variant_put_date(out, column_values(col, int32_t)[row]); break;
    case TYPE_TIMESTAMP:
    case TYPE_TIMESTAMP_NTZ:
        variant_put_timestamp(out, column_values(col, int64_t)[row], col->type->id == TYPE_TIMESTAMP);
        break;
    case TYPE_ARRAY: return put_array(out, col, row);
    case TYPE_MAP: return put_map(out, col, row);
    case TYPE_STRUCT: return put_struct(out, col, row);
    case TYPE_VARIANT:
        if (!variant_open_whole(column_bytes_at(col, row), &inner) || !variant_put_copy(out, &inner, 0))
            return REJECT_MALFORMED;
        break;
    default: never("variant_takes() refuses it");
    }
    return REJECT_COUNT;
}

static enum code bind_taken(struct binding *binding, struct error *err)
{
    return variant_takes(binding->args[0]->type, true) ? E_OK : binding_wrong_type(binding, 0, "VARIANT", err);
}

SCALAR(fn_variant_of, "variant:of", "(any) -> variant", "The value as a VARIANT.", NULL, NULL, .bind = bind_taken,
       .flags = FN_FAILS | FN_HIDDEN)
{
    struct variant_builder builder = {0};
    struct text whole = {0};
    struct writer writer;
    writer_open(&writer, call, out, call->rows * 16);
    for (int64_t i; (i = writer_next(&writer)) >= 0;) {
        variant_builder_clear(&builder);
        text_clear(&whole);
        enum reject_code wrong = put_value(&builder, args[0].col, i * args[0].step);
        if (wrong == REJECT_COUNT && builder.overflow)
            wrong = REJECT_TOO_BIG;
        if (wrong != REJECT_COUNT) {
            call_reject(call, i, wrong);
            writer_skip(&writer);
            continue;
        }
        variant_builder_take(&builder, &whole);
        writer_put(&writer, text_view(&whole));
    }
    writer_close(&writer);
    variant_builder_free(&builder);
    text_free(&whole);
}

static enum code bind_object(struct binding *binding, struct error *err)
{
    const struct type *type = binding->args[0]->type;
    if (!type_is_nested(type) || !variant_takes(type, true))
        return fail(
            err, E_SQL,
            "[DATATYPE_MISMATCH.CAST_WITHOUT_SUGGESTION] to_variant_object takes a struct, an array or a map with "
            "text keys, not \"%s\".",
            type_sql(binding->ctx->arena, type));
    return expr_call(binding->ctx, "variant:of", binding->args, 1, binding->at, &binding->rewritten, err);
}
SCALAR_SAME(fn_to_variant, "to_variant_object", "(any) -> variant", "A STRUCT, ARRAY or MAP as a VARIANT.",
            "to_json(to_variant_object(named_struct('a', 1)))", "{\"a\":1}", .bind = bind_object);

const struct function *const variant_make_functions[] = {&fn_variant_of, &fn_to_variant, NULL};

/* variant_nested.c - CAST of a VARIANT to ARRAY, MAP and STRUCT.
 *
 * A kernel takes the value apart, into an ARRAY, MAP or STRUCT of VARIANTs, and each part has a CAST of its own: of elements
 * and values in a lambda. So a part fails as it would alone, and with TRY_CAST it alone is NULL.
 */
#include "data/data.h"
#include "expr/coerce.h"
#include "expr/function.h"

/* ---- taken apart ---- */

static bool is_whole(const struct variant *value, const struct type *type)
{
    return value->kind == (type->id == TYPE_ARRAY ? VARIANT_ARRAY : VARIANT_OBJECT);
}

struct taking {
    struct variant_builder part;
    struct text whole;
};

static void put_part(struct taking *self, const struct variant *part, struct builder *out)
{
    variant_builder_clear(&self->part);
    text_clear(&self->whole);
    if (!variant_put_copy(&self->part, part, 0)) {
        builder_null(out);
        return;
    }
    variant_builder_take(&self->part, &self->whole);
    builder_bytes(out, text_view(&self->whole));
}

static void take_list(struct taking *self, const struct variant *value, struct builder *out)
{
    struct variant part;
    struct bytes name;
    bool map = out->type->id == TYPE_MAP;
    for (int32_t i = 0; i < value->count && variant_element(value, i, &part); i++) {
        if (map && !variant_name(value, i, &name))
            break;
        if (map)
            builder_bytes(&out->children[0], name);
        put_part(self, &part, &out->children[map]);
    }
    builder_close_list(out);
}

static void take_fields(struct taking *self, const struct variant *value, struct builder *out)
{
    struct variant part;
    for (int32_t i = 0; i < out->type->field_count; i++) {
        if (variant_member(value, bytes_of_string(out->type->fields[i].name), &part))
            put_part(self, &part, &out->children[i]);
        else
            builder_null(&out->children[i]);
    }
    builder_close_struct(out);
}

static bool open_row(const struct arg *arg, int64_t i, struct variant *out)
{
    return arg_valid(arg, i) && variant_open_whole(arg_bytes(arg, i), out) && out->kind != VARIANT_NULL;
}

SCALAR(fn_variant_parts, "variant:parts", "(variant) -> any", "The parts of a VARIANT.", NULL, NULL,
       .flags = FN_NULLS | FN_FAILS | FN_HIDDEN)
{
    struct taking taking = {0};
    struct builder builder;
    struct variant value;
    const struct type *type = out->type;
    builder_init(&builder, type);
    for (int64_t i = 0; i < call->rows; i++) {
        if (!open_row(&args[0], i, &value) || !is_whole(&value, type))
            builder_null(&builder);
        else if (type->id == TYPE_STRUCT)
            take_fields(&taking, &value, &builder);
        else
            take_list(&taking, &value, &builder);
    }
    column_release(out);
    builder_finish(&builder, out);
    for (int64_t i = 0; i < call->rows; i++) {
        if (!open_row(&args[0], i, &value) || is_whole(&value, type))
            continue;
        bit_set(call_validity(call), i); // rejecting does nothing to what is NULL already
        call_reject(call, i, REJECT_VARIANT_CAST);
    }
    builder_release(&builder);
    variant_builder_free(&taking.part);
    text_free(&taking.whole);
}
SCALAR_SAME(fn_try_variant_parts, "variant:try_parts", "(variant) -> any", "The same, NULL where there are none.", NULL,
            NULL, .run = fn_variant_parts_run, .flags = FN_NULLS | FN_FAILS | FN_HIDDEN | FN_TRY);

/* ---- and cast ---- */

struct casting {
    struct expr_context *ctx;
    bool try_cast;
    struct position at;
};

/* The type with VARIANTs in the place of its parts. */
static const struct type *of_variants(struct arena *arena, const struct type *type)
{
    const struct type *variant = type_of(TYPE_VARIANT);
    if (type->id == TYPE_ARRAY)
        return type_array(arena, variant, true);
    if (type->id == TYPE_MAP)
        return type_map(arena, type->fields[0].type, variant, true);
    struct field *fields = arena_array(arena, struct field, (size_t)type->field_count + 1);
    for (int32_t i = 0; i < type->field_count; i++)
        fields[i] = (struct field){type->fields[i].name, variant, true};
    return type_struct(arena, fields, type->field_count);
}

static enum code take_apart(const struct casting *self, const struct expr *of, const struct type *to,
                            const struct expr **out, struct error *err)
{
    struct expr_context *ctx = self->ctx;
    const struct expr **args = arena_array(ctx->arena, const struct expr *, 1);
    struct expr *parts = expr_new(ctx, EXPR_CALL, of_variants(ctx->arena, to), self->at);
    args[0] = of;
    parts->function = self->try_cast ? &fn_try_variant_parts : &fn_variant_parts;
    parts->nullable = true;
    TRY(expr_take_args(parts, args, 1, err));
    *out = parts;
    return E_OK;
}

static enum code cast_part(const struct casting *self, const struct expr *part, const struct type *to,
                           const struct expr **out, struct error *err)
{
    *out = part;
    return to->id == TYPE_VARIANT ? E_OK : expr_cast(self->ctx, part, to, self->try_cast, self->at, out, err);
}

/* transform(parts, part -> CAST(part AS ..)), or transform_values of a MAP's. */
static enum code cast_list(const struct casting *self, const struct expr *parts, const struct type *to,
                           const struct expr **out, struct error *err)
{
    bool map = to->id == TYPE_MAP;
    struct field part = {"part", type_of(TYPE_VARIANT), true};
    struct lambda lambda = {.variable_count = 1 + map};
    TRY(cast_part(self, expr_column(self->ctx, map, &part, self->at), to->fields[map].type, &lambda.body, err));
    return expr_lambda(self->ctx, map ? "transform_values" : "transform", &parts, 1, &lambda, 1, self->at, out, err);
}

static enum code cast_fields(const struct casting *self, const struct expr *parts, const struct type *to,
                             const struct expr **out, struct error *err)
{
    struct expr_context *ctx = self->ctx;
    const struct expr **args = arena_array(ctx->arena, const struct expr *, 2 * (size_t)to->field_count + 1), *row,
                      *null;
    for (int32_t i = 0; i < to->field_count; i++) {
        args[2 * i] = expr_string(ctx, bytes_of_string(to->fields[i].name), self->at);
        struct expr *field = expr_new(ctx, EXPR_FIELD, type_of(TYPE_VARIANT), self->at);
        field->args = arena_array(ctx->arena, const struct expr *, 1);
        field->args[0] = parts;
        field->arg_count = 1;
        field->index = i;
        field->nullable = true;
        TRY(cast_part(self, field, to->fields[i].type, &args[2 * i + 1], err));
    }
    TRY(expr_call(ctx, "named_struct", args, 2 * to->field_count, self->at, &row, err));
    TRY(expr_call(ctx, "isnull", &parts, 1, self->at, &null, err));
    const struct expr *const branches[] = {null, expr_null(ctx, row->type, self->at), row};
    return expr_case(ctx, branches, 3, self->at, out, err);
}

enum code variant_cast_nested(struct expr_context *ctx, const struct expr *of, const struct type *to, bool try_cast,
                              struct position at, const struct expr **out, struct error *err)
{
    const struct casting self = {ctx, try_cast, at};
    const struct expr *parts, *made;
    if (to->id == TYPE_MAP && to->fields[0].type->id != TYPE_STRING)
        return fail(
            err, E_SQL,
            "[DATATYPE_MISMATCH.CAST_WITHOUT_SUGGESTION] Cannot resolve the CAST due to data type mismatch: cannot "
            "cast \"VARIANT\" to \"%s\", whose keys are not STRINGs",
            type_sql(ctx->arena, to));
    TRY(take_apart(&self, of, to, &parts, err));
    TRY(to->id == TYPE_STRUCT ? cast_fields(&self, parts, to, &made, err) : cast_list(&self, parts, to, &made, err));
    *out = expr_cast_implicit(ctx, made, to);
    return E_OK;
}

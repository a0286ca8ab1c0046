/* array_edit.c - an element put into an array, and arrays side by side. */
#include "expr/coerce.h"
#include "expr/loop.h"

static bool row_null(const struct arg *arg, int64_t row) { return column_is_null(arg->col, row * arg->step); }

static void finish(struct builder *builder, struct column *out)
{
    struct buffer *before = out->valid;
    builder_finish(builder, out);
    buffer_release(before);
    builder_release(builder);
}

/* ---- array_insert ---- */

static enum code bind_insert(struct binding *binding, struct error *err)
{
    const struct type *list = binding->args[0]->type, *value = binding->args[2]->type;
    struct arena *arena = binding->ctx->arena;
    if (list->id == TYPE_NULL)
        list = type_array(arena, value, true);
    const struct type *common = list->id == TYPE_ARRAY ? type_common_lossy(arena, list->fields[0].type, value) : NULL;
    bool mixes = common != NULL && (common->id == TYPE_STRING) != (value->id == TYPE_STRING || value->id == TYPE_NULL);
    if (common == NULL || mixes || (value->id == TYPE_STRING && list->fields[0].type->id != TYPE_STRING))
        return fail(err, E_SQL,
                    "[DATATYPE_MISMATCH.ARRAY_FUNCTION_DIFF_TYPES] Input to `array_insert` should have been \"ARRAY\" "
                    "followed by a value with same element type, but it's [\"%s\", \"%s\"].",
                    type_sql(arena, list), type_sql(arena, value));
    binding->type = type_array(arena, common, true);
    TRY(binding_cast(binding, 0, binding->type, err));
    TRY(binding_cast(binding, 1, type_of(TYPE_INT32), err));
    return binding_cast(binding, 2, common, err);
}

enum { INSERT_SIZE_MAX = 1 << 24 }; /* elements of the result */

/* Places count from 1, negative ones from the end; what lies between is filled with NULLs. */
static void insert_one(struct call *call, const struct arg *args, int64_t row, struct builder *builder)
{
    const struct column *list = args[0].col;
    int64_t at = row * args[0].step, from = column_offsets(list)[at], size = column_offsets(list)[at + 1] - from;
    int64_t place = arg_values(&args[1], int32_t)[row * args[1].step];
    int64_t from_end = call->session->insert_before_last ? size + place : size + place + 1;
    int64_t before = place > 0 ? place - 1 : from_end, gap = 0, length = size + 1;
    if (place > 0 && before > size)
        length = place;
    if (place < 0 && before < 0) {
        gap = -before;
        length = size + 1 + gap;
        before = 0;
    }
    if (place == 0 || length > INSERT_SIZE_MAX) {
        call_reject(call, row, place == 0 ? REJECT_INDEX_ZERO : REJECT_TOO_BIG);
        builder_null(builder);
        return;
    }
    for (int64_t i = 0, read = 0; i < length; i++) {
        bool here = gap > 0 ? i == 0 : i == before;
        if (here)
            builder_copy(&builder->children[0], args[2].col, row * args[2].step);
        else if ((gap > 0 && i <= gap) || read >= size)
            builder_null(&builder->children[0]);
        else
            builder_copy(&builder->children[0], &list->children[0], from + read++);
    }
    builder_close_list(builder);
}

SCALAR(fn_array_insert, "array_insert", "(any, any, any) -> any",
       "With an element put at a place, counted from 1 or, negative, from the end.",
       "array_insert(array(1, 2, 4), 3, 3)", "[1,2,3,4]", .bind = bind_insert, .flags = FN_NULLS | FN_FAILS)
{
    struct builder builder;
    builder_init(&builder, out->type);
    for (int64_t i = 0; i < call->rows; i++) {
        if (row_null(&args[0], i) || row_null(&args[1], i))
            builder_null(&builder);
        else
            insert_one(call, args, i, &builder);
    }
    finish(&builder, out);
}

/* ---- arrays_zip ---- */

static enum code bind_zip(struct binding *binding, struct error *err)
{
    struct arena *arena = binding->ctx->arena;
    struct field *fields = arena_array(arena, struct field, (size_t)binding->count + 1);
    for (int32_t i = 0; i < binding->count; i++) {
        if (binding->args[i]->type->id == TYPE_NULL)
            TRY(binding_cast(binding, i, type_array(arena, type_of(TYPE_NULL), true), err));
        const struct expr *arg = binding->args[i];
        if (arg->type->id != TYPE_ARRAY)
            return fail(err, E_SQL,
                        "[DATATYPE_MISMATCH.UNEXPECTED_INPUT_TYPE] arrays_zip requires the \"ARRAY\" type, however an "
                        "argument has the type \"%s\".",
                        type_sql(arena, arg->type));
        bool named = arg->kind == EXPR_COLUMN && arg->bound != NULL;
        fields[i] = (struct field){named ? arg->bound : arena_printf(arena, "%d", i), arg->type->fields[0].type, true};
    }
    binding->type = type_array(arena, type_struct(arena, fields, binding->count), false);
    return E_OK;
}

SCALAR(fn_arrays_zip, "arrays_zip", "(any...) -> any",
       "Elements at the same place as structs; NULL stands for what a shorter array lacks.",
       "arrays_zip(array(1, 2), array('a'))", "[{\"0\":1,\"1\":\"a\"},{\"0\":2,\"1\":null}]", .bind = bind_zip,
       .flags = FN_NULLS)
{
    struct builder builder;
    builder_init(&builder, out->type);
    for (int64_t row = 0; row < call->rows; row++) {
        bool null = false;
        int32_t length = 0;
        for (int32_t k = 0; k < call->arg_count; k++) {
            const int32_t *offsets = column_offsets(args[k].col) + row * args[k].step;
            null = null || row_null(&args[k], row);
            length = offsets[1] - offsets[0] > length ? offsets[1] - offsets[0] : length;
        }
        for (int32_t i = 0; i < length && !null; i++) {
            for (int32_t k = 0; k < call->arg_count; k++) {
                const int32_t *offsets = column_offsets(args[k].col) + row * args[k].step;
                struct builder *field = &builder.children[0].children[k];
                if (offsets[0] + i < offsets[1])
                    builder_copy(field, &args[k].col->children[0], offsets[0] + i);
                else
                    builder_null(field);
            }
            builder_close_struct(&builder.children[0]);
        }
        if (null)
            builder_null(&builder);
        else
            builder_close_list(&builder);
    }
    finish(&builder, out);
}

const struct function *const array_edit_functions[] = {&fn_array_insert, &fn_arrays_zip, NULL};

/* collection.c - arrays, structs and maps: making them, their elements, keys and values. Algorithms over arrays are in
 * array.c, what makes maps of other things in map.c. */
#include "expr/coerce.h"
#include "expr/loop.h"
#include "expr/map_keys.h"
#include "expr/order.h"
#include "expr/pick.h"

/* ---- making ---- */

/* Children of call->out: every `stride`-th argument from `first` on, row after row. */
static void interleave(struct call *call, const struct arg *args, int32_t first, int32_t stride, struct column *out)
{
    struct column pool = {0};
    int32_t per_row = (call->arg_count - first + stride - 1) / stride;
    int64_t *starts = mem_array(int64_t, (size_t)per_row + 1);
    struct buffer *buffer = call_buffer(call, (size_t)call->rows * (size_t)per_row * sizeof(int32_t) + 16);
    int32_t *rows = (int32_t *)(void *)buffer->data;
    int64_t bytes = 0;
    for (int32_t k = 0; k < per_row; k++)
        bytes += column_range_bytes(args[first + k * stride].col, 0, args[first + k * stride].col->rows);
    for (int32_t k = 0; k < per_row && bytes <= COLUMN_BYTES_MAX; k++)
        starts[k] = pool_add(&pool, args[first + k * stride].col);
    for (int64_t i = 0; i < call->rows; i++)
        for (int32_t k = 0; k < per_row; k++)
            rows[i * per_row + k] = (int32_t)(starts[k] + i * args[first + k * stride].step);
    if (bytes <= COLUMN_BYTES_MAX) {
        gather_bounded(call, out, &pool, rows, call->rows * per_row);
    } else {
        call_reject_all(call);
        column_all_null(out, args[first].col->type, call->rows * per_row);
    }
    column_release(&pool);
    mem_free(starts);
    call_free(call, buffer);
}

static void even_offsets(struct call *call, struct column *out, int32_t per_row)
{
    out->offsets = call_buffer(call, ((size_t)call->rows + 1) * sizeof(int32_t));
    for (int64_t i = 0; i <= call->rows; i++)
        ((int32_t *)(void *)out->offsets->data)[i] = (int32_t)(i * per_row);
}

static bool any_nullable(struct expr_context *ctx, const struct expr *const *args, int32_t first, int32_t count,
                         int32_t stride)
{
    (void)ctx;
    for (int32_t i = first; i < count; i += stride)
        if (args[i]->nullable)
            return true;
    return false;
}

static enum code bind_array(struct binding *binding, __attribute__((unused)) struct error *err)
{
    const struct type *element = binding->count > 0 ? binding->args[0]->type : type_of(TYPE_NULL);
    binding->type =
        type_array(binding->ctx->arena, element, any_nullable(binding->ctx, binding->args, 0, binding->count, 1));
    binding->nullable = false;
    return E_OK;
}

SCALAR(fn_array, "array", "(T...) -> any", "An array of the arguments.", "array(1, 2, 3)", "[1,2,3]",
       .bind = bind_array, .flags = FN_NULLS)
{
    out->children = mem_new(struct column);
    out->child_count = 1;
    even_offsets(call, out, call->arg_count);
    if (call->arg_count > 0)
        interleave(call, args, 0, 1, &out->children[0]);
    else
        column_all_null(&out->children[0], out->type->fields[0].type, 0);
}

static enum code bind_map(struct binding *binding, struct error *err)
{
    struct expr_context *ctx = binding->ctx;
    const struct type *types[2] = {type_of(TYPE_NULL), type_of(TYPE_NULL)};
    if (binding->count % 2 != 0)
        return fail(err, E_SQL,
                    "[WRONG_NUM_ARGS.WITHOUT_SUGGESTION] The `map` requires 2n (n > 0) parameters but the "
                    "actual number is %d.",
                    binding->count);
    for (int32_t i = 0; i < binding->count; i++) {
        const struct type *common = expr_type_common(ctx, types[i % 2], binding->args[i]->type);
        if (common == NULL)
            return fail(err, E_SQL,
                        "[DATATYPE_MISMATCH.CREATE_MAP_%s_DIFF_TYPES] The %s of map() should have one type, "
                        "but there are \"%s\" and \"%s\".",
                        i % 2 == 0 ? "KEY" : "VALUE", i % 2 == 0 ? "keys" : "values",
                        type_sql(ctx->arena, types[i % 2]), type_sql(ctx->arena, binding->args[i]->type));
        types[i % 2] = common;
    }
    for (int32_t i = 0; i < binding->count; i++)
        binding->args[i] = expr_cast_implicit(ctx, binding->args[i], types[i % 2]);
    binding->type = type_map(ctx->arena, types[0], types[1], any_nullable(ctx, binding->args, 1, binding->count, 2));
    binding->nullable = false;
    return E_OK;
}

SCALAR(fn_map, "map", "(any...) -> any", "A map of keys and values in turn.", "map('a', 1, 'b', 2)",
       "{\"a\":1,\"b\":2}", .bind = bind_map, .flags = FN_NULLS | FN_FAILS)
{
    out->children = mem_array(struct column, 2);
    out->child_count = 2;
    even_offsets(call, out, call->arg_count / 2);
    for (int32_t k = 0; k < 2; k++) {
        if (call->arg_count > 0)
            interleave(call, args, k, 2, &out->children[k]);
        else
            column_all_null(&out->children[k], out->type->fields[k].type, 0);
    }
    map_check_keys(call, out);
}

static enum code bind_named_struct(struct binding *binding, struct error *err)
{
    struct expr_context *ctx = binding->ctx;
    struct field *fields = arena_array(ctx->arena, struct field, (size_t)binding->count + 1);
    if (binding->count % 2 != 0)
        return fail(err, E_SQL,
                    "[WRONG_NUM_ARGS.WITHOUT_SUGGESTION] The `named_struct` requires 2n (n > 0) parameters "
                    "but the actual number is %d.",
                    binding->count);
    for (int32_t i = 0; i < binding->count; i += 2) {
        const struct expr *name, *value = binding->args[i + 1];
        TRY(binding_constant(binding, i, &name, err));
        if (name->type->id != TYPE_STRING || literal_is_null(name))
            return fail(err, E_SQL,
                        "[DATATYPE_MISMATCH.CREATE_NAMED_STRUCT_WITHOUT_FOLDABLE_STRING] Field names must be "
                        "texts");
        struct bytes bytes = literal_bytes(name);
        fields[i / 2] = (struct field){arena_strndup(ctx->arena, (const char *)bytes.data, bytes.size), value->type,
                                       value->nullable};
    }
    binding->type = type_struct(ctx->arena, fields, binding->count / 2);
    binding->nullable = false;
    return E_OK;
}

static void share_or_repeat(struct call *call, const struct arg *arg, struct column *out)
{
    if (arg->step != 0 || call->rows == 1) {
        column_share(out, arg->col);
        return;
    }
    struct buffer *zeros = call_buffer(call, (size_t)call->rows * sizeof(int32_t));
    memset(zeros->data, 0, (size_t)call->rows * sizeof(int32_t));
    gather_bounded(call, out, arg->col, (const int32_t *)(const void *)zeros->data, call->rows);
    call_free(call, zeros);
}

SCALAR(fn_named_struct, "named_struct", "(any...) -> any", "A struct of names and values in turn.",
       "named_struct('a', 1, 'b', 'x')", "{\"a\":1,\"b\":\"x\"}", .bind = bind_named_struct, .flags = FN_NULLS)
{
    out->child_count = call->arg_count / 2;
    out->children = mem_array(struct column, (size_t)out->child_count);
    for (int32_t k = 0; k < out->child_count; k++)
        share_or_repeat(call, &args[2 * k + 1], &out->children[k]);
}

/* struct(a, b.c, 1): fields are named after columns and fields, the others col1, col2, ... */
static enum code bind_struct(struct binding *binding, struct error *err)
{
    struct expr_context *ctx = binding->ctx;
    const struct expr **args = arena_array(ctx->arena, const struct expr *, (size_t)binding->count * 2 + 1);
    for (int32_t i = 0; i < binding->count; i++) {
        const struct expr *arg = binding->args[i];
        const char *name = arena_printf(ctx->arena, "col%d", i + 1);
        if (arg->kind == EXPR_COLUMN && arg->bound != NULL)
            name = arg->bound;
        else if (arg->kind == EXPR_FIELD && arg->args[0]->type->id == TYPE_STRUCT)
            name = arg->args[0]->type->fields[arg->index].name;
        args[2 * i] = expr_string(ctx, bytes_of_string(name), binding->at);
        args[2 * i + 1] = arg;
    }
    return expr_call(ctx, "named_struct", args, binding->count * 2, binding->at, &binding->rewritten, err);
}
SCALAR_SAME(fn_struct, "struct", "(any...) -> any", "A struct of the arguments.", "struct(1, 'x')",
            "{\"col1\":1,\"col2\":\"x\"}", .bind = bind_struct);

/* ---- sizes ---- */

SCALAR(fn_array_size, "array_size", "(array) -> int", "How many elements.", "array_size(array(1, 2))", "2")
{
    const int32_t *offsets = column_offsets(args[0].col);
    for (int64_t i = 0; i < call->rows; i++)
        column_values(out, int32_t)[i] = offsets[i + 1] - offsets[i];
}
SCALAR_SAME(fn_size_or_null, "size:or_null", "(array) -> int | (map) -> int", "How many elements; NULL of NULL.", NULL,
            NULL, .run = fn_array_size_run, .flags = FN_HIDDEN);

/* Without ANSI NULL has -1 elements. */
static enum code bind_size(struct binding *binding, struct error *err)
{
    struct expr_context *ctx = binding->ctx;
    const struct expr *args[2] = {NULL, expr_int(ctx, type_of(TYPE_INT32), -1, binding->at)};
    TRY(expr_call(ctx, "size:or_null", binding->args, 1, binding->at, &args[0], err));
    binding->rewritten = args[0];
    return ctx->session->ansi ? E_OK : expr_call(ctx, "coalesce", args, 2, binding->at, &binding->rewritten, err);
}
SCALAR_SAME(fn_size, "size cardinality", "(array) -> int | (map) -> int",
            "How many elements. Without ANSI -1 for NULL.", "size(array(1, 2))", "2", .bind = bind_size);

/* ---- elements ---- */

enum missing { MISSING_NULL, MISSING_ERROR };

/* Fills out with pool rows; rows < 0 are NULL. out's validity from the kernel's call is dropped: gather makes it. */
static void take_gathered(struct call *call, struct column *out, const struct column *pool, const int32_t *rows)
{
    const struct type *type = out->type;
    column_release(out);
    gather_or_null(call, out, pool, rows, call->rows);
    out->type = type;
}

/* `base`: number of the first element; 1 also means that negative numbers count from the end. */
static void array_element(struct call *call, const struct arg *args, struct column *out, int32_t base,
                          enum missing missing)
{
    struct buffer *buffer = call_buffer(call, (size_t)call->rows * sizeof(int32_t));
    int32_t *rows = (int32_t *)(void *)buffer->data;
    for (int64_t i = 0; i < call->rows; i++) {
        int32_t first, last;
        int64_t place = arg_values(&args[1], int32_t)[i * args[1].step];
        list_range(&args[0], i, &first, &last);
        int64_t index = base == 1 && place < 0 ? (last - first) + place : place - base;
        bool inside = index >= 0 && index < last - first;
        rows[i] = inside && call_valid(call, i) ? first + (int32_t)index : -1;
        if (base == 1 && place == 0)
            call_reject(call, i, REJECT_INDEX_ZERO);
        else if (!inside && missing == MISSING_ERROR)
            call_reject(call, i, base == 1 ? REJECT_ELEMENT_INDEX : REJECT_ARRAY_INDEX);
    }
    take_gathered(call, out, &args[0].col->children[0], rows);
    call_free(call, buffer);
}

static void map_element(struct call *call, const struct arg *args, struct column *out)
{
    struct buffer *buffer = call_buffer(call, (size_t)call->rows * sizeof(int32_t));
    int32_t *rows = (int32_t *)(void *)buffer->data;
    const struct column *keys = &args[0].col->children[0];
    for (int64_t i = 0; i < call->rows; i++) {
        int32_t first, last;
        list_range(&args[0], i, &first, &last);
        rows[i] = -1;
        for (int32_t k = first; k < last && call_valid(call, i) && rows[i] < 0; k++)
            if (value_compare(keys, k, args[1].col, i * args[1].step) == 0)
                rows[i] = k;
    }
    take_gathered(call, out, &args[0].col->children[1], rows);
    call_free(call, buffer);
}

#define SUBSCRIPT(id, name_, array_, help_, example_, expected_, flags_, base, missing)      \
    SCALAR(id, name_, "(" array_ ", int) -> T", help_, example_, expected_, .flags = flags_) \
    {                                                                                        \
        array_element(call, args, out, base, missing);                                       \
    }
SUBSCRIPT(fn_subscript, "[]", "array<T>", "Element of an array, from 0; an error outside.", "array(1, 2)[0]", "1",
          FN_FAILS | FN_NULLABLE | FN_OPERATOR, 0, MISSING_ERROR)
SUBSCRIPT(fn_element_at, "element_at", "array<T>!!",
          "Element of an array, from 1, or from -1 backwards; an error outside.", "element_at(array(1, 2, 3), -1)", "3",
          FN_FAILS | FN_NULLABLE, 1, MISSING_ERROR)
SUBSCRIPT(fn_try_element_at, "try_element_at", "array<T>!!",
          "Element of an array, from 1, or from -1 backwards; NULL outside.", "try_element_at(array(1, 2, 3), 4)",
          "NULL", FN_FAILS | FN_NULLABLE, 1, MISSING_NULL)
SUBSCRIPT(fn_get, "get", "array<T>!!", "Element of an array, from 0; NULL outside.", "get(array(1, 2, 3), 3)", "NULL",
          FN_NULLABLE, 0, MISSING_NULL)

/* The key becomes what the map's keys are. */
static enum code bind_map_subscript(struct binding *binding, struct error *err)
{
    return binding_cast(binding, 1, binding->args[0]->type->fields[0].type, err);
}
SCALAR(fn_map_subscript, "[]", "(map<K, V>, any) -> V", "Value of a key; NULL when the map has none.",
       "map('a', 1)['a']", "1", .bind = bind_map_subscript, .flags = FN_NULLABLE | FN_OPERATOR)
{
    map_element(call, args, out);
}
SCALAR_SAME(fn_map_element_at, "element_at try_element_at", "(map<O, V>, O) -> V",
            "Value of a key; NULL when the map has none.", "element_at(map('a', 1), 'b')", "NULL",
            .run = fn_map_subscript_run, .flags = FN_NULLABLE);

/* ---- maps ---- */

/* The map's lists, over one of its children. */
static void map_side(const struct arg *args, struct column *out, int32_t child)
{
    out->offsets = buffer_retain(args[0].col->offsets);
    out->children = mem_new(struct column);
    out->child_count = 1;
    column_share(&out->children[0], &args[0].col->children[child]);
}

SCALAR(fn_map_keys, "map_keys", "(map<K, V>) -> array<K>", "The keys.", "map_keys(map('a', 1))", "[\"a\"]")
{
    map_side(args, out, 0);
}
SCALAR(fn_map_values, "map_values", "(map<K, V>) -> array<V>", "The values.", "map_values(map('a', 1))", "[1]")
{
    map_side(args, out, 1);
}

static enum code bind_entries(struct binding *binding, __attribute__((unused)) struct error *err)
{
    const struct field *fields = binding->args[0]->type->fields;
    struct field pair[] = {{"key", fields[0].type, false}, {"value", fields[1].type, fields[1].nullable}};
    binding->type = type_array(binding->ctx->arena, type_struct(binding->ctx->arena, pair, 2), false);
    return E_OK;
}
SCALAR(fn_map_entries, "map_entries", "(map<K, V>) -> any", "An array of structs of key and value.",
       "map_entries(map('a', 1))", "[{\"key\":\"a\",\"value\":1}]", .bind = bind_entries)
{
    const struct column *map = args[0].col;
    out->offsets = buffer_retain(map->offsets);
    out->children = mem_new(struct column);
    out->child_count = 1;
    struct column *pair = &out->children[0];
    *pair = (struct column){.type = out->type->fields[0].type, .rows = map->children[0].rows, .child_count = 2};
    pair->children = mem_array(struct column, 2);
    for (int32_t k = 0; k < 2; k++)
        column_share(&pair->children[k], &map->children[k]);
}

SCALAR(fn_map_contains_key, "map_contains_key", "(map<O, V>, O) -> boolean", "Whether the map has the key.",
       "map_contains_key(map('a', 1), 'a')", "true")
{
    const struct column *keys = &args[0].col->children[0];
    for (int64_t i = 0; i < call->rows; i++) {
        int32_t first, last;
        bool found = false;
        list_range(&args[0], i, &first, &last);
        for (int32_t k = first; k < last && !found; k++)
            found = value_compare(keys, k, args[1].col, i * args[1].step) == 0;
        bit_put(out->values->data, i, found);
    }
}

const struct function *const collection_functions[] = {
    &fn_array,
    &fn_map,
    &fn_named_struct,
    &fn_struct,
    &fn_size,
    &fn_array_size,
    &fn_size_or_null,
    &fn_subscript,
    &fn_map_subscript,
    &fn_element_at,
    &fn_map_element_at,
    &fn_try_element_at,
    &fn_get,
    &fn_map_keys,
    &fn_map_values,
    &fn_map_entries,
    &fn_map_contains_key,
    NULL,
};

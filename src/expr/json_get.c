/* json_get.c - parts of JSON texts: get_json_object, json_tuple, json_array_length, json_object_keys. */
#include "expr/coerce.h"
#include "expr/pick.h"
#include "expr/writer.h"
#include "format/format.h"

/* ---- get_json_object ---- */

/* Constant paths are read once; others when they differ from the row's before. */
struct path_reader {
    struct arena arena;
    struct bytes text;
    const struct json_path *path;
    bool read;
};

static const struct json_path *path_at(struct path_reader *reader, struct bytes text)
{
    if (reader->read && bytes_equal(reader->text, text))
        return reader->path;
    arena_reset(&reader->arena);
    reader->path = json_path_parse(&reader->arena, text);
    reader->text = text;
    reader->read = true;
    return reader->path;
}

SCALAR(fn_get_json_object, "get_json_object", "(string, string) -> string",
       "What a path like $.a.b[0] or $.list[*].x leads to in a JSON text; NULL when it leads nowhere.",
       "get_json_object('{\"a\":{\"b\":[1,2]}}', '$.a.b[1]')", "2", .flags = FN_FAILS | FN_NULLABLE)
{
    struct path_reader reader = {0};
    struct text found = {.limit = WRITER_ROW_MAX};
    struct writer writer;
    writer_open(&writer, call, out, arg_bytes_total(call, &args[0]) / 4);
    for (int64_t i; (i = writer_next(&writer)) >= 0;) {
        const struct json_path *path = path_at(&reader, arg_bytes(&args[1], i));
        text_clear(&found);
        if (path != NULL && json_path_get(path, arg_bytes(&args[0], i), &found))
            writer_put(&writer, text_view(&found));
        else
            writer_null(&writer);
    }
    writer_close(&writer);
    text_free(&found);
    arena_free(&reader.arena);
}

/* ---- json_tuple ---- */

/* All arguments must be STRINGs; the columns are called c0, c1, .. */
static enum code bind_json_tuple(struct binding *binding, struct error *err)
{
    struct arena *arena = binding->ctx->arena;
    struct field *fields = arena_array(arena, struct field, (size_t)binding->count);
    if (binding->count < 2)
        return fail(err, E_SQL,
                    "[WRONG_NUM_ARGS.WITHOUT_SUGGESTION] The `json_tuple` requires > 1 parameters but the actual "
                    "number is %d.",
                    binding->count);
    for (int32_t i = 0; i < binding->count; i++) {
        if (binding->args[i]->type->id != TYPE_STRING)
            return fail(err, E_SQL,
                        "[DATATYPE_MISMATCH.NON_STRING_TYPE] all arguments of the function `json_tuple` must be "
                        "strings, but one is a \"%s\".",
                        type_sql(arena, binding->args[i]->type));
        if (i > 0)
            fields[i - 1] = (struct field){arena_printf(arena, "c%d", i - 1), type_of(TYPE_STRING), true};
    }
    binding->type = type_array(arena, type_struct(arena, fields, binding->count - 1), false);
    binding->nullable = false;
    return E_OK;
}

/* An array of one struct, which the generator of that name takes apart. */
SCALAR(fn_json_tuple, "json_tuple", "(any...) -> any",
       "The members of a JSON object that have these names, as columns.", NULL, NULL, .bind = bind_json_tuple,
       .flags = FN_NULLS | FN_NEVER_NULL | FN_HIDDEN)
{
    int32_t count = call->arg_count - 1;
    struct bytes *names = mem_array(struct bytes, (size_t)count);
    struct text *values = mem_array(struct text, (size_t)count);
    bool *found = mem_array(bool, (size_t)count);
    struct builder builder;
    builder_init(&builder, out->type);
    for (int64_t i = 0; i < call->rows; i++) {
        for (int32_t k = 0; k < count; k++) {
            bool null = column_is_null(args[k + 1].col, i * args[k + 1].step);
            names[k] = null ? (struct bytes){0} : arg_bytes(&args[k + 1], i);
            found[k] = false;
        }
        if (!column_is_null(args[0].col, i * args[0].step))
            json_members_get(arg_bytes(&args[0], i), names, count, values, found);
        for (int32_t k = 0; k < count; k++) {
            struct builder *field = &builder.children[0].children[k];
            if (found[k])
                builder_bytes(field, text_view(&values[k]));
            else
                builder_null(field);
        }
        builder_close_struct(&builder.children[0]);
        builder_close_list(&builder);
    }
    builder_finish(&builder, out);
    builder_release(&builder);
    for (int32_t k = 0; k < count; k++)
        text_free(&values[k]);
    mem_free(names);
    mem_free(values);
    mem_free(found);
}

/* ---- what is in it ---- */

static enum code bind_json_text(struct binding *binding, struct error *err)
{
    enum type_id id = binding->args[0]->type->id;
    if (id == TYPE_NULL)
        return binding_cast(binding, 0, type_of(TYPE_STRING), err);
    return id == TYPE_STRING ? E_OK : binding_wrong_type(binding, 0, "STRING", err);
}

SCALAR(fn_json_array_length, "json_array_length", "(any) -> int",
       "How many elements a JSON array has; NULL for other texts.", "json_array_length('[1,2,[3]]')", "3",
       .bind = bind_json_text, .flags = FN_NULLABLE)
{
    for (int64_t i = 0; i < call->rows; i++) {
        int64_t count = call_valid(call, i) ? json_array_count(arg_bytes(&args[0], i)) : -1;
        column_values(out, int32_t)[i] = (int32_t)count;
        if (count < 0)
            call_null(call, i);
    }
}

static enum code bind_json_keys(struct binding *binding, struct error *err)
{
    binding->type = type_array(binding->ctx->arena, type_of(TYPE_STRING), true);
    return bind_json_text(binding, err);
}

SCALAR(fn_json_object_keys, "json_object_keys", "(any) -> array<string>",
       "The names of a JSON object's members; NULL for other texts.", "json_object_keys('{\"a\":1,\"b\":{\"c\":2}}')",
       "[\"a\",\"b\"]", .bind = bind_json_keys, .flags = FN_NULLABLE)
{
    struct builder builder;
    struct buffer *valid = out->valid;
    builder_init(&builder, out->type);
    for (int64_t i = 0; i < call->rows; i++) {
        if (call_valid(call, i) && json_object_names(arg_bytes(&args[0], i), &builder.children[0]))
            builder_close_list(&builder);
        else
            builder_null(&builder);
    }
    builder_finish(&builder, out);
    buffer_release(valid);
    builder_release(&builder);
}

const struct function *const json_get_functions[] = {
    &fn_get_json_object, &fn_json_tuple, &fn_json_array_length, &fn_json_object_keys, NULL,
};

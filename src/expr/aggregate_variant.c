/* aggregate_variant.c - schema_of_variant of one value, and schema_of_variant_agg of all of a group. */
#include "expr/aggregate.h"
#include "expr/value_bytes.h"
#include "expr/variant_schema.h"
#include "expr/writer.h"

static enum reject_code add_value(struct variant_schema *schema, struct bytes bytes, size_t *held_bytes)
{
    struct variant value;
    return variant_open_whole(bytes, &value) ? variant_schema_add(schema, &value, held_bytes) : REJECT_MALFORMED;
}

SCALAR(fn_schema_of_variant, "schema_of_variant", "(variant) -> string",
       "The type of a VARIANT, with OBJECT for a STRUCT; names that differ by case are two fields.",
       "schema_of_variant(parse_json('[{\"b\":true,\"a\":0}]'))", "ARRAY<OBJECT<a: BIGINT, b: BOOLEAN>>",
       .flags = FN_FAILS)
{
    struct variant_schema schema = {0};
    struct text text = {.limit = WRITER_ROW_MAX};
    struct writer writer;
    size_t bytes = 0;
    writer_open(&writer, call, out, call->rows * 16);
    for (int64_t i; (i = writer_next(&writer)) >= 0;) {
        text_clear(&text);
        enum reject_code wrong = add_value(&schema, arg_bytes(&args[0], i), &bytes);
        variant_schema_print(&schema, &text);
        variant_schema_free(&schema, &bytes);
        if (wrong == REJECT_COUNT && text.overflow)
            wrong = REJECT_TOO_BIG;
        if (wrong == REJECT_COUNT) {
            writer_put(&writer, text_view(&text));
        } else {
            call_reject(call, i, wrong);
            writer_skip(&writer);
        }
    }
    writer_close(&writer);
    text_free(&text);
}
const struct function *const variant_schema_functions[] = {&fn_schema_of_variant, NULL};

/* ---- of a group ---- */

struct schema_state {
    struct variant_schema schema;
    size_t bytes;
    int64_t overflown; /* while it was merged: its result is NULL */
};

static void schema_row(const struct aggregate_rows *in, struct schema_state *state, int64_t row)
{
    size_t before = state->bytes;
    enum reject_code wrong = add_value(&state->schema, column_bytes_at(&in->args[0], row), &state->bytes);
    if (wrong != REJECT_COUNT)
        rejects_add(in->rejects, row, -1, wrong);
    *in->heap_bytes += state->bytes - before;
}

static void schema_add(const struct aggregate_rows *in)
{
    EACH_ROW(in, in->args[0].valid, schema_row(in, STATE_AT(in, struct schema_state), i));
}

static void schema_drop(__attribute__((unused)) const struct aggregate_call *call, void *state, size_t *heap_bytes)
{
    struct schema_state *s = state;
    *heap_bytes -= s->bytes;
    variant_schema_free(&s->schema, &s->bytes);
}

static bool schema_merge(const struct aggregate_call *call, void *into, const void *from, size_t *heap_bytes)
{
    struct schema_state *a = into;
    const struct schema_state *b = from;
    size_t before = a->bytes;
    if (a->overflown)
        return true; // counted when it happened
    bool fits = !b->overflown && variant_schema_merge(&a->schema, &b->schema, &a->bytes);
    *heap_bytes += a->bytes - before;
    if (!fits) {
        schema_drop(call, a, heap_bytes);
        a->overflown = 1;
    }
    return fits;
}

static bool schema_finish(__attribute__((unused)) const struct aggregate_call *call, const void *state,
                          struct builder *out)
{
    const struct schema_state *s = state;
    struct text text = {.limit = WRITER_ROW_MAX};
    variant_schema_print(&s->schema, &text);
    bool fits = !text.overflow;
    if (fits && !s->overflown)
        builder_bytes(out, text_view(&text));
    else
        builder_null(out);
    text_free(&text);
    return fits;
}

static void schema_save(__attribute__((unused)) const struct aggregate_call *call, const void *state, struct text *out)
{
    const struct schema_state *s = state;
    save_u32(out, (uint32_t)s->overflown);
    variant_schema_save(&s->schema, out);
}

static enum code schema_load(const struct aggregate_call *call, struct bytes *in, void *state, size_t *heap_bytes,
                             struct error *err)
{
    struct schema_state *s = state;
    uint32_t overflown;
    if (!load_u32(in, &overflown) || overflown > 1 || !variant_schema_load(&s->schema, in, &s->bytes)) {
        variant_schema_free(&s->schema, &s->bytes);
        return fail(err, E_CORRUPT, "the state of %s is no type of variants", call->function->name);
    }
    s->overflown = overflown;
    *heap_bytes += s->bytes;
    return E_OK;
}

static const struct aggregate_heap schema_heap = {schema_merge, schema_save, schema_load, schema_drop};

AGGREGATE(agg_schema_of_variant, "schema_of_variant_agg", "(variant) -> string",
          "The type that all VARIANTs have between them, as schema_of_variant writes it; VOID when there is none.",
          "SELECT schema_of_variant_agg(parse_json(j)) FROM VALUES ('{\"a\": 1}'), ('{\"b\": true}') AS t(j)",
          "OBJECT<a: BIGINT, b: BOOLEAN>", .state_size = sizeof(struct schema_state), .add = schema_add,
          .finish = schema_finish, .failure = REJECT_TOO_BIG, .heap = &schema_heap);

const struct aggregate *const variant_aggregates[] = {&agg_schema_of_variant, NULL};

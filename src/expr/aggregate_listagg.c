/* aggregate_listagg.c - listagg: texts one behind the other, in the order they come or that of WITHIN GROUP.
 *
 * State    all texts, each with its keys behind it when there is an order; sorted when the group is finished
 * Bound    the separator, and the direction of every key (analyse_within.c says how they come in as arguments)
 */
#include <stdlib.h>

#include "base/hash.h"
#include "base/stop_watch.h"
#include "expr/aggregate.h"
#include "expr/coerce.h"
#include "expr/order.h"
#include "expr/value_bytes.h"

enum { LISTAGG_BYTES_MAX = 256 * 1024 * 1024, OVERFLOWN = -1 };

struct listing {
    struct bytes separator;
    const char *directions; /* two letters a key; NULL = the order they come in */
};
struct list {
    struct text *items; /* value, then keys, as value_bytes.h has them */
    int64_t count;
};

static const struct listing *listing_of(const struct aggregate_call *call) { return call->bound; }

static size_t list_heap(const struct list *list)
{
    return list->items == NULL ? 0 : sizeof *list->items + list->items->capacity;
}

static void list_free(struct list *list, size_t *heap_bytes)
{
    *heap_bytes -= list_heap(list);
    if (list->items != NULL)
        text_free(list->items);
    mem_free(list->items);
    *list = (struct list){0};
}

static bool list_put(struct list *list, const struct aggregate_rows *in, int64_t row)
{
    size_t heap = list_heap(list);
    if (list->items == NULL)
        list->items = mem_new(struct text);
    size_t before = list->items->size;
    for (int32_t k = 0; k < in->call->arg_count; k++)
        value_save(&in->args[k], row, false, list->items);
    bool fits = list->items->size <= LISTAGG_BYTES_MAX;
    if (fits)
        list->count++;
    else
        list->items->size = before;
    *in->heap_bytes += list_heap(list) - heap;
    return fits;
}

static void listagg_add(const struct aggregate_rows *in)
{
    for (int64_t i = 0; i < in->rows; i++) {
        if ((in->active != NULL && !bit_get(in->active, i)) || column_is_null(&in->args[0], i))
            continue;
        struct list *list = STATE_AT(in, struct list);
        if (list->count != OVERFLOWN && !list_put(list, in, i))
            rejects_add(in->rejects, i, -1, REJECT_TOO_BIG);
    }
}

static bool listagg_merge(__attribute__((unused)) const struct aggregate_call *call, void *into, const void *from,
                          size_t *heap_bytes)
{
    struct list *a = into;
    const struct list *b = from;
    if (b->count == 0 || a->count == OVERFLOWN)
        return true;
    size_t size = a->items != NULL ? a->items->size : 0;
    if (b->count == OVERFLOWN || size + b->items->size > LISTAGG_BYTES_MAX) {
        list_free(a, heap_bytes);
        a->count = OVERFLOWN;
        return false;
    }
    size_t heap = list_heap(a);
    if (a->items == NULL)
        a->items = mem_new(struct text);
    text_add(a->items, b->items->data, b->items->size);
    a->count += b->count;
    *heap_bytes += list_heap(a) - heap;
    return true;
}

/* ---- the text ---- */

struct sorting {
    const struct column *keys; /* a STRUCT */
    const char *directions;
};

static int by_keys(const void *a, const void *b, void *context)
{
    const struct sorting *sorting = context;
    int32_t i = *(const int32_t *)a, j = *(const int32_t *)b;
    if (stop_asked(1))
        return 0;
    for (int32_t k = 0; k < sorting->keys->child_count; k++) {
        const struct column *key = &sorting->keys->children[k];
        bool i_null = column_is_null(key, i), j_null = column_is_null(key, j);
        int order = 0;
        if (i_null || j_null)
            order = sorting->directions[2 * k + 1] == 'l' ? i_null - j_null : j_null - i_null;
        else
            order = value_compare(key, i, key, j) * (sorting->directions[2 * k] == 'd' ? -1 : 1);
        if (order != 0)
            return order;
    }
    return (i > j) - (i < j); // equal ones keep their order
}

static void columns_load(const struct aggregate_call *call, const struct list *list, struct column *out)
{
    struct builder builders[AGGREGATE_ARGS_MAX];
    struct bytes in = text_view(list->items);
    for (int32_t k = 0; k < call->arg_count; k++)
        builder_init(&builders[k], call->arg_types[k]);
    for (int64_t i = 0; i < list->count; i++)
        for (int32_t k = 0; k < call->arg_count; k++)
            always(value_load(&in, call->arg_types[k], &builders[k]));
    for (int32_t k = 0; k < call->arg_count; k++) {
        builder_finish(&builders[k], &out[k]);
        builder_release(&builders[k]);
    }
}

static bool put_joined(const struct listing *listing, const struct column *values, const int32_t *rows, int64_t count,
                       struct builder *out)
{
    struct text text = {.limit = LISTAGG_BYTES_MAX};
    for (int64_t i = 0; i < count && !text.overflow; i++) {
        struct bytes value = column_bytes_at(values, rows[i]);
        if (i > 0)
            text_add(&text, listing->separator.data, listing->separator.size);
        text_add(&text, value.data, value.size);
    }
    bool fits = !text.overflow;
    if (fits)
        builder_bytes(out, text_view(&text));
    else
        builder_null(out);
    text_free(&text);
    return fits;
}

static bool listagg_finish(const struct aggregate_call *call, const void *state, struct builder *out)
{
    const struct list *s = state;
    const struct listing *listing = listing_of(call);
    struct column columns[AGGREGATE_ARGS_MAX] = {0};
    if (s->count <= 0) {
        builder_null(out);
        return true; // an overflow was counted when it happened
    }
    int32_t *rows = mem_array(int32_t, (size_t)s->count);
    for (int64_t i = 0; i < s->count; i++)
        rows[i] = (int32_t)i;
    columns_load(call, s, columns);
    struct sorting sorting = {&columns[1], listing->directions};
    if (listing->directions != NULL)
        qsort_r(rows, (size_t)s->count, sizeof *rows, by_keys, &sorting);
    bool fits = put_joined(listing, &columns[0], rows, s->count, out);
    for (int32_t k = 0; k < call->arg_count; k++)
        column_release(&columns[k]);
    mem_free(rows);
    return fits;
}

/* ---- kept ---- */

static void listagg_save(__attribute__((unused)) const struct aggregate_call *call, const void *state, struct text *out)
{
    const struct list *s = state;
    save_u32(out, (uint32_t)s->count);
    save_u32(out, s->items != NULL ? (uint32_t)s->items->size : 0);
    if (s->items != NULL)
        text_add(out, s->items->data, s->items->size);
}

static enum code listagg_load(const struct aggregate_call *call, struct bytes *in, void *state, size_t *heap_bytes,
                              struct error *err)
{
    struct list *s = state;
    uint32_t count, size;
    struct bytes items;
    bool good = load_u32(in, &count) && load_u32(in, &size) && load_bytes(in, size, &items);
    if (good && count == (uint32_t)OVERFLOWN && size == 0) {
        s->count = OVERFLOWN;
        return E_OK;
    }
    struct bytes rest = good ? items : (struct bytes){0};
    for (uint32_t i = 0; good && i < count; i++)
        for (int32_t k = 0; good && k < call->arg_count; k++)
            good = value_load(&rest, call->arg_types[k], NULL);
    if (!good || rest.size > 0)
        return fail(err, E_CORRUPT, "the state of %s is no list of its types", call->function->name);
    if (count > 0) {
        s->items = mem_new(struct text);
        text_add(s->items, items.data, items.size);
    }
    s->count = count;
    *heap_bytes += list_heap(s);
    return E_OK;
}

static void listagg_drop(__attribute__((unused)) const struct aggregate_call *call, void *state, size_t *heap_bytes)
{
    list_free(state, heap_bytes);
}

static const struct aggregate_heap listagg_heap = {listagg_merge, listagg_save, listagg_load, listagg_drop};

/* ---- binding ---- */

static enum code bind_separator(struct aggregate_binding *binding, struct listing *listing, struct error *err)
{
    struct aggregate_call *call = binding->call;
    const struct expr *separator = call->args[1];
    const struct type *type = call->args[0]->type;
    if (!expr_is_foldable(separator))
        return fail(err, E_SQL,
                    "[DATATYPE_MISMATCH.NON_FOLDABLE_INPUT] the input `delimiter` should be a foldable \"%s\" "
                    "expression.",
                    type_sql(binding->ctx->arena, type));
    if (separator->type->id != TYPE_NULL && (separator->type->id == TYPE_BINARY) != (type->id == TYPE_BINARY))
        return fail(err, E_SQL,
                    "[DATATYPE_MISMATCH.DATA_DIFF_TYPES] Input to `listagg` should all be the same type, but it's "
                    "(\"%s\" or \"%s\").",
                    type_sql(binding->ctx->arena, type), type_sql(binding->ctx->arena, separator->type));
    TRY(expr_cast(binding->ctx, separator, type, false, call->at, &separator, err));
    TRY(expr_fold(binding->ctx, separator, &separator, err));
    if (!literal_is_null(separator))
        listing->separator = literal_bytes(separator);
    return E_OK;
}

static enum code bind_listagg(struct aggregate_binding *binding, struct error *err)
{
    struct aggregate_call *call = binding->call;
    struct listing *listing = arena_new(binding->ctx->arena, struct listing);
    const struct type *type = call->args[0]->type;
    if (type->id != TYPE_STRING && type->id != TYPE_BINARY)
        call->args[0] = expr_cast_implicit(binding->ctx, call->args[0], type_of(TYPE_STRING));
    call->arg_types[0] = call->args[0]->type;
    if (call->arg_count > 1)
        TRY(bind_separator(binding, listing, err));
    if (call->arg_count == 4) {
        struct bytes directions = literal_bytes(call->args[3]);
        listing->directions = arena_strndup(binding->ctx->arena, (const char *)directions.data, directions.size);
        call->args[1] = call->args[2];
        call->arg_types[1] = call->args[2]->type;
        call->variant = hash_bytes(directions.data, directions.size);
    }
    call->variant = hash_mix(call->variant, hash_bytes(listing->separator.data, listing->separator.size));
    call->arg_count = listing->directions != NULL ? 2 : 1;
    call->ordered = listing->directions == NULL;
    call->bound = listing;
    binding->type = call->arg_types[0];
    return E_OK;
}

AGGREGATE(
    agg_listagg, "listagg string_agg", "(text, any?, any?, any?) -> any",
    "The texts one behind the other with a separator between them, in the order of WITHIN GROUP or as they come; NULLs "
    "are left out.",
    "SELECT listagg(c, ', ') WITHIN GROUP (ORDER BY c DESC) FROM VALUES ('a'), ('b') AS t(c)", "b, a",
    .state_size = sizeof(struct list), .bind = bind_listagg, .add = listagg_add, .finish = listagg_finish,
    .heap = &listagg_heap);

const struct aggregate *const listagg_aggregates[] = {&agg_listagg, NULL};

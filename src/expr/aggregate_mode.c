/* aggregate_mode.c - mode: the value that is there most often.
 *
 * A set of the values, with the number of times that each came behind it.
 */
#include "expr/aggregate.h"
#include "expr/coerce.h"
#include "expr/order.h"
#include "expr/value_bytes.h"

enum { MODE_BYTES_MAX = 256 * 1024 * 1024 }; /* one group's values; a row past it is rejected as TOO_BIG */

struct tally {
    struct value_set *set; /* tail: int64 */
};
#define OVERFLOWN UINT32_MAX /* as count of an empty set */

static size_t tally_heap(const struct tally *tally)
{
    const struct value_set *set = tally->set;
    return set == NULL ? 0 : sizeof *set + set->items.capacity + set->table_size * sizeof(uint32_t);
}

static void tally_free(struct tally *tally, size_t *heap_bytes)
{
    *heap_bytes -= tally_heap(tally);
    if (tally->set != NULL)
        value_set_free(tally->set);
    mem_free(tally->set);
    *tally = (struct tally){0};
}

static bool is_overflown(const struct tally *tally) { return tally->set != NULL && tally->set->count == OVERFLOWN; }

static void tally_overflow(struct tally *tally, size_t *heap_bytes)
{
    tally_free(tally, heap_bytes);
    tally->set = mem_new(struct value_set);
    tally->set->count = OVERFLOWN;
    *heap_bytes += tally_heap(tally);
}

static int64_t times_of(const uint8_t *tail)
{
    int64_t times;
    memcpy(&times, tail, sizeof times);
    return times;
}

static bool tally_put(struct tally *tally, struct bytes item, int64_t times, size_t *heap_bytes)
{
    size_t heap = tally_heap(tally);
    if (tally->set == NULL) {
        tally->set = mem_new(struct value_set);
        tally->set->tail = sizeof times;
    }
    bool fits = tally->set->items.size + item.size <= MODE_BYTES_MAX;
    if (fits) {
        uint8_t *tail = value_set_put(tally->set, item);
        times += times_of(tail);
        memcpy(tail, &times, sizeof times);
    }
    *heap_bytes += tally_heap(tally) - heap;
    return fits;
}

static void mode_add(const struct aggregate_rows *in)
{
    struct text item = {0};
    for (int64_t i = 0; i < in->rows; i++) {
        if ((in->active != NULL && !bit_get(in->active, i)) || column_is_null(&in->args[0], i))
            continue;
        struct tally *tally = STATE_AT(in, struct tally);
        text_clear(&item);
        value_save(&in->args[0], i, true, &item);
        if (!is_overflown(tally) && !tally_put(tally, text_view(&item), 1, in->heap_bytes))
            rejects_add(in->rejects, i, -1, REJECT_TOO_BIG);
    }
    text_free(&item);
}

static bool mode_merge(__attribute__((unused)) const struct aggregate_call *call, void *into, const void *from,
                       size_t *heap_bytes)
{
    struct tally *a = into;
    const struct tally *b = from;
    struct bytes item;
    if (is_overflown(a) || b->set == NULL)
        return true;
    bool fits = !is_overflown(b);
    for (size_t at = 0; fits && value_set_next(b->set, &at, &item);)
        fits = tally_put(a, item, times_of(item.data + item.size), heap_bytes);
    if (!fits)
        tally_overflow(a, heap_bytes);
    return fits;
}

/* Of values that came as often the smallest one, or with `largest` that; of those without an order the one that came first. */
static bool is_better(const struct type *type, bool largest, struct bytes item, struct bytes best)
{
    if (!type_is_orderable(type))
        return false;
    struct builder builder;
    struct column both;
    builder_init(&builder, type);
    always(value_load(&item, type, &builder) && value_load(&best, type, &builder));
    builder_finish(&builder, &both);
    int order = value_compare(&both, 0, &both, 1);
    column_release(&both);
    builder_release(&builder);
    return largest ? order > 0 : order < 0;
}

static bool mode_finish(const struct aggregate_call *call, const void *state, struct builder *out)
{
    const struct tally *s = state;
    struct bytes item, best = {0};
    int64_t most = 0;
    for (size_t at = 0; s->set != NULL && value_set_next(s->set, &at, &item);) {
        int64_t times = times_of(item.data + item.size);
        if (times < most || (times == most && !is_better(call->type, call->bound != NULL, item, best)))
            continue;
        most = times;
        best = item;
    }
    if (most == 0)
        builder_null(out); // an overflow was counted when it happened
    else
        always(value_load(&best, call->type, out));
    return true;
}

static void mode_save(__attribute__((unused)) const struct aggregate_call *call, const void *state, struct text *out)
{
    const struct tally *s = state;
    struct bytes item;
    save_u32(out, s->set == NULL ? 0 : s->set->count);
    for (size_t at = 0; s->set != NULL && value_set_next(s->set, &at, &item);) {
        text_add(out, item.data + item.size, sizeof(int64_t));
        save_u32(out, (uint32_t)item.size);
        text_add(out, item.data, item.size);
    }
}

static enum code mode_load(const struct aggregate_call *call, struct bytes *in, void *state, size_t *heap_bytes,
                           struct error *err)
{
    struct tally *s = state;
    uint32_t count, size;
    bool fits = load_u32(in, &count);
    if (fits && count == OVERFLOWN) {
        tally_overflow(s, heap_bytes);
        return E_OK;
    }
    for (uint32_t i = 0; fits && i < count; i++) {
        struct bytes times, item, rest;
        int64_t value;
        fits = load_bytes(in, sizeof value, &times) && load_u32(in, &size) && load_bytes(in, size, &item);
        if (!fits)
            break;
        value = times_of(times.data);
        rest = item;
        fits = value > 0 && value_load(&rest, call->arg_types[0], NULL) && rest.size == 0 && item.data[0] == 1 &&
               tally_put(s, item, value, heap_bytes) && s->set->count == i + 1;
    }
    return fits ? E_OK : fail(err, E_CORRUPT, "the state of %s is no tally of its type", call->function->name);
}

static void mode_drop(__attribute__((unused)) const struct aggregate_call *call, void *state, size_t *heap_bytes)
{
    tally_free(state, heap_bytes);
}

static const struct aggregate_heap mode_heap = {mode_merge, mode_save, mode_load, mode_drop};

/* Whether ties are broken by value is the second argument: they always are. The third says whether WITHIN GROUP orders
 * from the largest value on. */
static enum code bind_mode(struct aggregate_binding *binding, struct error *err)
{
    static const char from_largest = 0;
    struct aggregate_call *call = binding->call;
    const struct expr *descending;
    for (int32_t i = 1; i < call->arg_count; i++) {
        if (call->args[i]->type->id != TYPE_BOOLEAN)
            return fail(err, E_SQL,
                        "[UNEXPECTED_INPUT_TYPE] The second parameter of function `mode` requires the \"BOOLEAN\" "
                        "type, however it has the type \"%s\".",
                        type_sql(binding->ctx->arena, call->args[i]->type));
        if (!expr_is_foldable(call->args[i]))
            return fail(err, E_SQL,
                        "[NON_FOLDABLE_ARGUMENT] The function `mode` requires the parameter `deterministic` to be a "
                        "foldable expression of the type \"BOOLEAN\".");
    }
    if (call->arg_count == 3) {
        TRY(expr_fold(binding->ctx, call->args[2], &descending, err));
        call->bound = bit_get(descending->literal->values->data, 0) ? &from_largest : NULL;
        call->variant = call->bound != NULL;
    }
    call->arg_count = 1;
    return E_OK;
}

AGGREGATE(agg_mode, "mode", "(T, any?, any?) -> T",
          "The value that is there most often; of several the smallest, with or without true as second argument.",
          "SELECT mode(c) FROM VALUES (1), (2), (2) AS t(c)", "2", .state_size = sizeof(struct tally),
          .bind = bind_mode, .add = mode_add, .finish = mode_finish, .heap = &mode_heap);

const struct aggregate *const mode_aggregates[] = {&agg_mode, NULL};

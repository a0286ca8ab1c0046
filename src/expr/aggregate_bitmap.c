/* aggregate_bitmap.c - bitmaps of 32768 bits, of single bits and of other bitmaps.
 *
 * State    4096 bytes. That of bitmap_and_agg holds what is not in the result, so that zeroed = no rows seen there too
 */
#include "expr/aggregate.h"
#include "expr/coerce.h"

enum { BITMAP_BYTES = 4096 };

static bool bitmap_merge(__attribute__((unused)) const struct aggregate_call *call, void *into, const void *from)
{
    uint64_t *a = into;
    const uint64_t *b = from;
    for (int i = 0; i < BITMAP_BYTES / 8; i++)
        a[i] |= b[i];
    return true;
}

static bool bitmap_finish(__attribute__((unused)) const struct aggregate_call *call, const void *state,
                          struct builder *out)
{
    builder_bytes(out, bytes_of(state, BITMAP_BYTES));
    return true;
}

static bool bitmap_finish_and(__attribute__((unused)) const struct aggregate_call *call, const void *state,
                              struct builder *out)
{
    uint8_t bits[BITMAP_BYTES];
    for (int i = 0; i < BITMAP_BYTES; i++)
        bits[i] = (uint8_t) ~((const uint8_t *)state)[i];
    builder_bytes(out, bytes_of(bits, BITMAP_BYTES));
    return true;
}

static void construct_row(const struct aggregate_rows *in, uint8_t *bits, int64_t row, int64_t position)
{
    if (position >= 0 && position < 8 * BITMAP_BYTES)
        bit_set(bits, position);
    else
        rejects_add(in->rejects, row, -1, REJECT_BITMAP_POSITION);
}

static void construct_add(const struct aggregate_rows *in)
{
    const int64_t *positions = column_values(&in->args[0], int64_t);
    EACH_ROW(in, in->args[0].valid, construct_row(in, STATE_AT(in, uint8_t), i, positions[i]));
}

static void or_row(uint8_t *bits, struct bytes value)
{
    for (size_t i = 0; i < value.size && i < BITMAP_BYTES; i++)
        bits[i] |= value.data[i];
}

static void or_add(const struct aggregate_rows *in)
{
    EACH_ROW(in, in->args[0].valid, or_row(STATE_AT(in, uint8_t), column_bytes_at(&in->args[0], i)));
}

/* Bits that a short value does not have are not set in it. */
static void and_row(uint8_t *missing, struct bytes value)
{
    for (size_t i = 0; i < BITMAP_BYTES; i++)
        missing[i] |= (uint8_t) ~(i < value.size ? value.data[i] : 0);
}

static void and_add(const struct aggregate_rows *in)
{
    EACH_ROW(in, in->args[0].valid, and_row(STATE_AT(in, uint8_t), column_bytes_at(&in->args[0], i)));
}

static enum code bind_binary(struct aggregate_binding *binding, struct error *err)
{
    const struct type *type = binding->call->arg_types[0];
    if (type->id == TYPE_BINARY)
        return E_OK;
    return fail(err, E_SQL,
                "[DATATYPE_MISMATCH.UNEXPECTED_INPUT_TYPE] The first parameter requires the \"BINARY\" type, "
                "however it has the type \"%s\".",
                type_sql(binding->ctx->arena, type));
}

AGGREGATE(agg_bitmap_construct, "bitmap_construct_agg", "(bigint) -> binary",
          "A bitmap in which the bits at these places are set.",
          "SELECT substring(hex(bitmap_construct_agg(c)), 0, 6) FROM VALUES (0), (1), (8) AS t(c)", "030100",
          .state_size = BITMAP_BYTES, .add = construct_add, .merge = bitmap_merge, .finish = bitmap_finish);
AGGREGATE(agg_bitmap_or, "bitmap_or_agg", "(text) -> binary", "The bits that are set in any of the bitmaps.",
          "SELECT substring(hex(bitmap_or_agg(c)), 0, 6) FROM VALUES (X'10'), (X'20') AS t(c)", "300000",
          .state_size = BITMAP_BYTES, .bind = bind_binary, .add = or_add, .merge = bitmap_merge,
          .finish = bitmap_finish);
AGGREGATE(agg_bitmap_and, "bitmap_and_agg", "(text) -> binary", "The bits that are set in all of the bitmaps.",
          "SELECT substring(hex(bitmap_and_agg(c)), 0, 6) FROM VALUES (X'F0'), (X'70') AS t(c)", "700000",
          .state_size = BITMAP_BYTES, .bind = bind_binary, .add = and_add, .merge = bitmap_merge,
          .finish = bitmap_finish_and);

const struct aggregate *const bitmap_aggregates[] = {&agg_bitmap_construct, &agg_bitmap_or, &agg_bitmap_and, NULL};

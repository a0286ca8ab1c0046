#include "query/sort_key.h"

#include <math.h>

#include "base/stop_watch.h"
#include "query/sort_items.h"

enum { NULL_FIRST = 0, PRESENT = 1, NULL_LAST = 2, ROWS_A_CHECK = 1024 };
#define SORT_BYTES_MAX ((size_t)16 << 30) /* of all keys */

static void put_big_endian(struct text *out, uint64_t value, int width)
{
    char *to = text_reserve(out, (size_t)width);
    for (int i = 0; i < width; i++)
        to[i] = (char)(value >> (8 * (width - 1 - i)));
    out->size += (size_t)width;
}

static void put_integer(struct text *out, int64_t value, int width)
{
    put_big_endian(out, (uint64_t)value ^ (UINT64_C(1) << (8 * width - 1)), width);
}

static void put_double(struct text *out, double value)
{
    uint64_t bits;
    value = isnan(value) ? NAN : value + 0.0; // -0.0 + 0.0 is 0.0
    memcpy(&bits, &value, sizeof bits);
    bits = isnan(value) ? UINT64_C(0x7ff8000000000000) : bits;
    put_big_endian(out, bits >> 63 ? ~bits : bits | UINT64_C(1) << 63, 8);
}

static void put_bytes(struct text *out, struct bytes value)
{
    for (size_t from = 0; from < value.size;) {
        const uint8_t *zero = memchr(value.data + from, 0, value.size - from);
        size_t to = zero == NULL ? value.size : (size_t)(zero - value.data);
        text_add(out, value.data + from, to - from);
        from = to;
        if (zero != NULL) {
            text_add(out, "\0\xff", 2);
            from++;
        }
    }
    text_add(out, "\0\0", 2);
}

static void put_value(struct text *out, const struct column *col, int64_t row, struct plan_order order);

static void put_decimal(struct text *out, const struct column *col, int64_t row)
{
    __int128 value = column_decimal_at(col, row);
    put_integer(out, (int64_t)(value >> 64), 8);
    put_big_endian(out, (uint64_t)value, 8);
}

static void put_nested(struct text *out, const struct column *col, int64_t row)
{
    static const struct plan_order ascending = {0};
    if (col->type->id == TYPE_STRUCT) {
        for (int32_t i = 0; i < col->child_count; i++)
            put_value(out, &col->children[i], row, ascending);
        return;
    }
    for (int32_t i = column_offsets(col)[row]; i < column_offsets(col)[row + 1]; i++) {
        text_add_char(out, PRESENT);
        for (int32_t c = 0; c < col->child_count; c++)
            put_value(out, &col->children[c], i, ascending);
    }
    text_add_char(out, 0);
}

static void put_present(struct text *out, const struct column *col, int64_t row)
{
    switch (col->type->id) {
    case TYPE_BOOLEAN: text_add_char(out, (char)bit_get(col->values->data, row)); break;
    case TYPE_INT8: put_integer(out, column_values(col, int8_t)[row], 1); break;
    case TYPE_INT16: put_integer(out, column_values(col, int16_t)[row], 2); break;
    case TYPE_INT32:
    case TYPE_DATE:
    case TYPE_INTERVAL_YM: put_integer(out, column_values(col, int32_t)[row], 4); break;
    case TYPE_FLOAT: put_double(out, (double)column_values(col, float)[row]); break;
    case TYPE_DOUBLE: put_double(out, column_values(col, double)[row]); break;
    case TYPE_DECIMAL: put_decimal(out, col, row); break;
    case TYPE_STRING:
    case TYPE_BINARY:
    case TYPE_VARIANT: put_bytes(out, column_bytes_at(col, row)); break;
    case TYPE_ARRAY:
    case TYPE_MAP:
    case TYPE_STRUCT: put_nested(out, col, row); break;
    case TYPE_NULL:
    case TYPE_COUNT: break;
    default: put_integer(out, column_values(col, int64_t)[row], 8); break;
    }
}

static void put_value(struct text *out, const struct column *col, int64_t row, struct plan_order order)
{
    if (column_is_null(col, row)) {
        text_add_char(out, order.nulls_last ? NULL_LAST : NULL_FIRST);
        return;
    }
    text_add_char(out, PRESENT);
    size_t start = out->size;
    put_present(out, col, row);
    for (size_t i = start; order.descending && i < out->size; i++)
        out->data[i] = (char)~out->data[i];
}

enum code sort_keys_encode(struct sort_keys *self, const struct column *cols, const struct plan_order *orders,
                           int32_t count, int64_t rows, struct error *err)
{
    static const struct plan_order ascending = {0};
    self->bytes.limit = SORT_BYTES_MAX;
    self->offsets = mem_array(size_t, (size_t)rows + 1);
    self->rows = rows;
    for (int64_t row = 0; row < rows; row++) {
        if (row % ROWS_A_CHECK == 0)
            TRY(stop_check(ROWS_A_CHECK * (int64_t)count, err));
        for (int32_t k = 0; k < count; k++)
            put_value(&self->bytes, &cols[k], row, orders != NULL ? orders[k] : ascending);
        self->offsets[row + 1] = self->bytes.size;
    }
    text_add_string(&self->bytes, ""); // keys of nothing have an address, too
    if (self->bytes.overflow)
        return fail(err, E_MEMORY, "the sort keys of %lld rows have more than SORT_BYTES_MAX = %zu bytes",
                    (long long)rows, SORT_BYTES_MAX);
    return E_OK;
}

void sort_keys_free(struct sort_keys *self)
{
    text_free(&self->bytes);
    mem_free(self->offsets);
    *self = (struct sort_keys){0};
}

/* ---- sorting ---- */

static void items_order(struct sort_item *items, int64_t rows, int32_t *order)
{
    sort_items(items, items + rows, rows);
    for (int64_t i = 0; i < rows; i++)
        order[i] = (int32_t)items[i].row;
    mem_free(items);
}

static struct sort_item *items_new(int64_t rows) { return mem_array(struct sort_item, 2 * (size_t)rows + 1); }

void sort_keys_order(const struct sort_keys *self, int32_t *order)
{
    struct sort_item *items = items_new(self->rows);
    for (int64_t i = 0; i < self->rows; i++)
        items[i] = sort_item_of(sort_key(self, i), (uint32_t)i);
    items_order(items, self->rows, order);
}

void sort_column_order(const struct column *keys, int32_t *order)
{
    struct sort_item *items = items_new(keys->rows);
    for (int64_t i = 0; i < keys->rows; i++)
        items[i] = sort_item_of(column_bytes_at(keys, i), (uint32_t)i);
    items_order(items, keys->rows, order);
}

bool sort_keys_column(const struct sort_keys *self, struct column *out)
{
    if (self->bytes.size > COLUMN_BYTES_MAX)
        return false;
    *out = (struct column){.type = type_of(TYPE_BINARY), .rows = self->rows};
    out->values = buffer_new(self->bytes.size);
    out->offsets = buffer_new(((size_t)self->rows + 1) * sizeof(int32_t));
    if (self->bytes.size > 0)
        memcpy(out->values->data, self->bytes.data, self->bytes.size);
    for (int64_t i = 0; i <= self->rows; i++)
        ((int32_t *)(void *)out->offsets->data)[i] = (int32_t)self->offsets[i];
    return true;
}

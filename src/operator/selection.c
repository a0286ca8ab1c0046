#include "operator/selection.h"

enum { WORD_BITS = 64 };

static void make_room(struct selection *self, int64_t rows)
{
    mem_grow(self->rows, self->capacity, rows);
    self->count = 0;
}

static uint64_t word_at(const uint8_t *bits, int64_t row)
{
    uint64_t word;
    memcpy(&word, bits + row / 8, sizeof word); // buffers may be read 64 bytes past their end
    return word;
}

void selection_true(struct selection *self, const struct column *condition)
{
    make_room(self, condition->rows);
    int64_t count = 0;
    for (int64_t row = 0; row < condition->rows; row += WORD_BITS) {
        uint64_t word = word_at(condition->values->data, row);
        if (condition->valid != NULL)
            word &= word_at(condition->valid->data, row);
        if (condition->rows - row < WORD_BITS)
            word &= ((uint64_t)1 << (condition->rows - row)) - 1;
        for (; word != 0; word &= word - 1)
            self->rows[count++] = (int32_t)(row + __builtin_ctzll(word));
    }
    self->count = count;
}

void unrejected_bits(uint8_t *bits, int64_t rows, const struct rejects *rejects, int32_t from)
{
    bit_fill(bits, rows, 1);
    for (int32_t i = from; i < rejects->count; i++)
        bit_clear(bits, rejects->items[i].row);
}

void selection_unrejected(struct selection *self, int64_t rows, const struct rejects *rejects, int32_t from)
{
    make_room(self, rows);
    uint8_t *bits = mem_alloc(bit_bytes(rows));
    unrejected_bits(bits, rows, rejects, from);
    for (int64_t row = 0; row < rows; row++) {
        self->rows[self->count] = (int32_t)row;
        self->count += bit_get(bits, row);
    }
    mem_free(bits);
}

void selection_free(struct selection *self)
{
    mem_free(self->rows);
    *self = (struct selection){0};
}

void batch_share(struct batch *out, const struct batch *in)
{
    batch_init(out, in->schema, in->rows);
    for (int32_t c = 0; c < in->column_count; c++)
        column_share(&out->columns[c], &in->columns[c]);
    batch_share_origin(out, in);
}

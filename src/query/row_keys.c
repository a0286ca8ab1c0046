#include "query/row_keys.h"

int64_t row_keys_encode(struct row_keys *self, const struct column *columns, int32_t count, int64_t rows)
{
    size_t room = (size_t)rows + 1;
    *self = (struct row_keys){
        .offsets = mem_array(int32_t, room), .hashes = mem_array(uint64_t, room), .slots = mem_array(uint32_t, room)};
    return state_key_encode(columns, count, rows, &self->data, self->offsets, self->hashes);
}

void row_keys_free(struct row_keys *self)
{
    text_free(&self->data);
    mem_free(self->offsets);
    mem_free(self->hashes);
    mem_free(self->slots);
    *self = (struct row_keys){0};
}

enum code row_keys_upsert(struct row_keys *self, struct state_table *table, int64_t rows, uint32_t *created,
                          int64_t *created_count, struct error *err)
{
    return state_upsert(table, (const uint8_t *)self->data.data, self->offsets, self->hashes, rows, self->slots,
                        created, created_count, err);
}

enum code row_keys_split(struct row_keys *self, const struct state_table *table, const struct batch *rows,
                         struct partitions *to, int32_t side, struct error *err)
{
    int32_t *away = mem_array(int32_t, (size_t)rows->rows + 1);
    int64_t count = 0;
    for (int64_t row = 0; row < rows->rows; row++) {
        struct bytes key =
            bytes_of(self->data.data + self->offsets[row], (size_t)(self->offsets[row + 1] - self->offsets[row]));
        self->slots[row] = state_find(table, key, self->hashes[row]);
        away[count] = (int32_t)row;
        count += self->slots[row] == UINT32_MAX;
    }
    enum code code = partitions_add(to, side, rows, self->hashes, away, count, err);
    mem_free(away);
    return code;
}

enum code row_keys_part(struct computation *computed, struct stage *stage, struct partitions *to, int32_t side,
                        const struct batch *rows, struct error *err)
{
    struct row_keys keys = {0};
    int32_t *numbers = mem_array(int32_t, (size_t)rows->rows + 1);
    enum code code = computation_run(computed, stage, rows, err);
    if (code == E_OK) {
        row_keys_encode(&keys, computed->columns, computed->count, rows->rows);
        for (int64_t i = 0; i < rows->rows; i++)
            numbers[i] = (int32_t)i;
        code = partitions_add(to, side, rows, keys.hashes, numbers, rows->rows, err);
    }
    row_keys_free(&keys);
    mem_free(numbers);
    return code;
}

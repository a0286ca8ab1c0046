/* How long finding a group takes: keys of a card id and a window, 8192 rows a batch, 1 k to 4 M groups.
 * Beside it what the machine needs at least: hashing the keys, and one dependent load per row from as much
 * memory. Then ten million keys of 64 bits with a sum and a count each, beside a plain open-addressing array
 * of {key, sum, count} that grows by doubling. */
#include <inttypes.h>
#include <stdio.h>

#include "base/hash.h"
#include "base/thread.h"
#include "state/state.h"

enum { ROWS = 8192, BATCHES = 200, SLOT_BYTES = 96 };

struct keys {
    char data[ROWS * 32];
    int32_t offsets[ROWS + 1];
    uint64_t hashes[ROWS];
    uint32_t slots[ROWS], created[ROWS];
};

static uint64_t next_random(uint64_t *seed)
{
    *seed += 0x9e3779b97f4a7c15u;
    return hash_mix(*seed, 0);
}

static void keys_fill(struct keys *keys, uint64_t *seed, uint64_t groups)
{
    for (int i = 0; i < ROWS; i++) {
        uint64_t group = next_random(seed) % groups;
        char *to = keys->data + keys->offsets[i];
        memcpy(to,
               "\x11"
               "card-00000000000\x01",
               18);
        for (uint64_t digits = group, at = 16; digits > 0; digits /= 10)
            to[at--] = (char)('0' + digits % 10);
        memset(to + 18, 7, 8);
        keys->offsets[i + 1] = keys->offsets[i] + 26;
    }
}

static double keys_hash(struct keys *keys)
{
    int64_t start = thread_cpu_us();
    for (int i = 0; i < ROWS; i++)
        keys->hashes[i] = hash_bytes(keys->data + keys->offsets[i], (size_t)(keys->offsets[i + 1] - keys->offsets[i]));
    return (double)(thread_cpu_us() - start);
}

static void measure(uint64_t groups)
{
    static struct keys keys;
    struct error err = {0};
    struct state_table *table = state_new(&(struct state_spec){.name = "bench", .slot_bytes = SLOT_BYTES});
    uint64_t seed = 42, sum = 0;
    double hash_us = 0, fill_us = 0, find_us = 0, touch_us = 0;
    int64_t fill_rows = 0;
    for (int64_t round = 0, find_from = (int64_t)(groups * 6 / ROWS) + 1; round < find_from + BATCHES; round++) {
        keys_fill(&keys, &seed, groups);
        bool fill = round < find_from;
        hash_us += keys_hash(&keys);
        int64_t created = 0, start = thread_cpu_us();
        if (state_upsert(table, (uint8_t *)keys.data, keys.offsets, keys.hashes, ROWS, keys.slots, keys.created,
                         &created, &err) != E_OK)
            return;
        *(fill ? &fill_us : &find_us) += (double)(thread_cpu_us() - start);
        fill_rows += fill ? ROWS : 0;
        start = thread_cpu_us();
        uint8_t *base = state_base(table);
        for (int i = 0; i < ROWS; i++)
            sum += ++*(uint64_t *)(void *)(base + keys.slots[i] * state_stride(table));
        touch_us += fill ? 0 : (double)(thread_cpu_us() - start);
    }
    double rows = (double)ROWS * BATCHES;
    printf("%8" PRIu64
           " groups  hash %5.1f  upsert %5.1f (while filling %5.1f)  touch the slot %5.1f ns/row, %5.1f bytes/group"
           " + %d of slot (%" PRIu64 ")\n",
           groups, hash_us * 1e3 / (rows + (double)fill_rows), find_us * 1e3 / rows, fill_us * 1e3 / (double)fill_rows,
           touch_us * 1e3 / rows, (double)state_bytes(table) / (double)state_count(table) - SLOT_BYTES, SLOT_BYTES,
           sum % 10);
    state_free(table);
}

/* ---- ten million keys ---- */

enum { MANY = 10000000, NUMBER_BYTES = 9, TOTALS_BYTES = 40 }; /* as aggregate_stage.h lays out a sum and a count */

struct totals {
    int64_t key, sum, count;
};
struct plain {
    struct totals *items;
    size_t capacity, used;
};

static void plain_grow(struct plain *self);

static struct totals *plain_find(struct plain *self, int64_t key)
{
    if (self->used * 2 >= self->capacity)
        plain_grow(self);
    size_t at = hash_bytes(&key, sizeof key) & (self->capacity - 1);
    while (self->items[at].count != 0 && self->items[at].key != key)
        at = (at + 1) & (self->capacity - 1);
    self->used += self->items[at].count == 0;
    self->items[at].key = key;
    return &self->items[at];
}

static void plain_grow(struct plain *self)
{
    struct plain old = *self;
    *self = (struct plain){.capacity = old.capacity == 0 ? 1024 : old.capacity * 2};
    self->items = mem_array(struct totals, self->capacity);
    for (size_t i = 0; i < old.capacity; i++)
        if (old.items[i].count != 0)
            *plain_find(self, old.items[i].key) = old.items[i];
    mem_free(old.items);
}

static int64_t number_at(int64_t i) { return (int64_t)hash_mix(42, (uint64_t)(i % MANY)); }

static double plain_round(struct plain *plain)
{
    int64_t start = thread_cpu_us();
    for (int64_t i = 0; i < MANY; i++) {
        struct totals *totals = plain_find(plain, number_at(i));
        totals->sum += i;
        totals->count++;
    }
    return (double)(thread_cpu_us() - start) * 1e3 / MANY;
}

static void numbers_fill(struct keys *keys, int64_t from)
{
    for (int i = 0; i < ROWS; i++) {
        int64_t number = number_at(from + i);
        char *to = keys->data + i * NUMBER_BYTES;
        *to = 1;
        memcpy(to + 1, &number, sizeof number);
        keys->offsets[i + 1] = (i + 1) * NUMBER_BYTES;
        keys->hashes[i] = hash_bytes(to, NUMBER_BYTES);
    }
}

static double table_round(struct state_table *table, size_t *peak_bytes)
{
    static struct keys keys;
    struct error err = {0};
    int64_t start = thread_cpu_us();
    for (int64_t from = 0; from < MANY; from += ROWS) {
        int64_t created = 0, rows = MANY - from < ROWS ? MANY - from : ROWS;
        numbers_fill(&keys, from);
        if (state_upsert(table, (uint8_t *)keys.data, keys.offsets, keys.hashes, rows, keys.slots, keys.created,
                         &created, &err) != E_OK)
            return 0;
        uint8_t *base = state_base(table);
        for (int64_t i = 0; i < rows; i++) {
            struct totals *totals = (void *)(base + keys.slots[i] * state_stride(table));
            totals->sum += from + i;
            totals->count++;
        }
        *peak_bytes = state_bytes(table) > *peak_bytes ? state_bytes(table) : *peak_bytes;
    }
    return (double)(thread_cpu_us() - start) * 1e3 / MANY;
}

static void measure_many(void)
{
    struct plain plain = {0};
    double plain_fill = plain_round(&plain), plain_find_ns = plain_round(&plain);
    double plain_bytes = (double)(plain.capacity * sizeof *plain.items) / MANY;
    mem_free(plain.items);
    struct state_table *table =
        state_new_keyed(&(struct state_spec){.name = "bench", .slot_bytes = TOTALS_BYTES}, NUMBER_BYTES);
    size_t peak_bytes = 0;
    double fill = table_round(table, &peak_bytes), find = table_round(table, &peak_bytes);
    printf("%8d numbers fill %5.1f  find and add %5.1f ns/key, %5.1f bytes/key (at most %5.1f)\n"
           "%8s plain array  %5.1f               %5.1f ns/key, %5.1f bytes/key (while growing %5.1f)\n"
           "%8s ratio        %5.2f               %5.2f         %5.2f\n",
           MANY, fill, find, (double)state_bytes(table) / MANY, (double)peak_bytes / MANY, "", plain_fill,
           plain_find_ns, plain_bytes, plain_bytes * 1.5, "", fill / plain_fill, find / plain_find_ns,
           (double)state_bytes(table) / MANY / plain_bytes);
    state_free(table);
}

int main(void)
{
    mem_tune();
    measure_many();
    for (uint64_t groups = 1000; groups <= 4000000; groups = groups < 1000000 ? groups * 10 : groups * 4)
        measure(groups);
    return 0;
}

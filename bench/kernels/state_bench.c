/* How long finding a group takes: keys of a card id and a window, 8192 rows a batch, 1 k to 4 M groups.
 * Beside it what the machine needs at least: hashing the keys, and one dependent load per row from as much
 * memory. */
#include <inttypes.h>
#include <stdio.h>

#include "base/hash.h"
#include "base/os.h"
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
    int64_t start = os->clock_mono_us();
    for (int i = 0; i < ROWS; i++)
        keys->hashes[i] =
            hash_bytes(keys->data + keys->offsets[i], (size_t)(keys->offsets[i + 1] - keys->offsets[i]));
    return (double)(os->clock_mono_us() - start);
}

static void measure(uint64_t groups)
{
    static struct keys keys;
    struct error err = {0};
    struct state_table *table = state_new(&(struct state_spec){.name = "bench", .slot_bytes = SLOT_BYTES});
    uint64_t seed = 42, sum = 0;
    double hash_us = 0, fill_us = 0, find_us = 0, touch_us = 0;
    int64_t fill_rows = 0;
    for (int64_t round = 0, find_from = (int64_t)(groups * 6 / ROWS) + 1; round < find_from + BATCHES;
         round++) {
        keys_fill(&keys, &seed, groups);
        bool fill = round < find_from;
        hash_us += keys_hash(&keys);
        int64_t created = 0, start = os->clock_mono_us();
        if (state_upsert(table, (uint8_t *)keys.data, keys.offsets, keys.hashes, ROWS, keys.slots,
                         keys.created, &created, &err) != E_OK)
            return;
        *(fill ? &fill_us : &find_us) += (double)(os->clock_mono_us() - start);
        fill_rows += fill ? ROWS : 0;
        start = os->clock_mono_us();
        uint8_t *base = state_base(table);
        for (int i = 0; i < ROWS; i++)
            sum += ++*(uint64_t *)(void *)(base + keys.slots[i] * state_stride(table));
        touch_us += fill ? 0 : (double)(os->clock_mono_us() - start);
    }
    double rows = (double)ROWS * BATCHES;
    printf(
        "%8" PRIu64
        " groups  hash %5.1f  upsert %5.1f (while filling %5.1f)  touch the slot %5.1f ns/row, %5.1f bytes/group"
        " + %d of slot (%" PRIu64 ")\n",
        groups, hash_us * 1e3 / (rows + (double)fill_rows), find_us * 1e3 / rows,
        fill_us * 1e3 / (double)fill_rows, touch_us * 1e3 / rows,
        (double)state_bytes(table) / (double)state_count(table) - SLOT_BYTES, SLOT_BYTES, sum % 10);
    state_free(table);
}

int main(void)
{
    for (uint64_t groups = 1000; groups <= 4000000; groups = groups < 1000000 ? groups * 10 : groups * 4)
        measure(groups);
    return 0;
}

/* table.c - the hash table: a small index in front of one flat array of records.
 *
 *   hash   63            32 31             0
 *          +---------------+---------------+
 *          |      tag      |  not used here|   (callers pick shards by the low half)
 *          +---------------+---------------+
 *   cells  [tag|slot + 1] [0] [tag|slot + 1] ...   8 bytes each, 0 = empty; a tag's home is its top `bits`
 *                                                  bits, the next free cell takes it (linear probing)
 *   records[slot]   an entry of 16, 32 or 48 bytes: the key's size, and the key itself when it has up to 12, 28 or
 *                   44 bytes, else where it lies in `long_keys`; then the caller's bytes, the slot. The size is
 *                   the one that suits the first keys that come
 *
 * So a probe goes to two places in memory, a line of cells and the start of a record, and upsert fetches both
 * for a block of rows before it looks: then the machine waits for many lines at once. Homes are the tag's top
 * bits: cells are nearly sorted by tag, growth is one pass from the old array to the new one that needs
 * neither keys nor hashes, and removal shifts later cells back, so there are no tombstones. Freed slots form
 * a list through their entries.
 *
 * Memory: records and long keys grow by an eighth once they are large, by moving page tables (mem_block_resize), so
 * that ten million keys leave little room unused and need no second copy on the way.
 */
#include "state/state.h"

#include "base/hash.h"
#include "base/stop_watch.h"

enum {
    CELL_BITS_MIN = 8,
    CELL_BITS_MAX = 32,
    BLOCK_ROWS = 128, /* rows whose cells and records are in flight at once: 24 KiB of lines, within L1 */
    ENTRY_STEP = 16,  /* bytes; entries have one to three of them */
    ENTRY_MAX = 3 * ENTRY_STEP,
    LONG_COST = 16, /* bytes that going to a long key is worth: a line more to wait for */
    LINE = 64,
    GROW_GENTLY = 1024 * 1024, /* bytes of an array from which on it grows by an eighth, not by half */
    SLOT_NONE = -1,            /* as uint32_t: absent, or the end of the free list */
};
#define SLOTS_MAX ((int64_t)1 << 31)
#define ENTRY_FREE UINT32_MAX

struct entry {
    uint32_t size; /* of the key; ENTRY_FREE = no key, `next_free` is set */
    union {
        uint8_t key[ENTRY_MAX - sizeof(uint32_t)]; /* as far as this table's entries reach */
        uint8_t offset[8]; /* of a long key: uint64 in long_keys; bytes, so that the entry needs no padding */
        uint32_t next_free;
    };
};
_Static_assert(sizeof(struct entry) == ENTRY_MAX, "no padding");

struct state_table {
    const char *name;
    size_t slot_bytes;  /* the caller's */
    size_t entry_bytes; /* 0 = not chosen yet */
    size_t key_short;   /* a key of so many bytes lies in its entry */
    size_t stride;      /* of a record: entry and slot, multiple of 16 */
    struct budget *budget;
    int64_t count;    /* live slots */
    int64_t expected; /* keys that come next: room for them is made with the first */
    uint64_t *cells;
    int cell_bits;                     /* 0 = no cells yet */
    uint8_t *records;                  /* a block (memory.h), as are cells and long_keys */
    uint32_t slot_capacity, slot_used; /* slots below slot_used are live or in the free list */
    uint32_t free_first, free_count;
    uint8_t *long_keys;
    size_t long_used, long_dead, long_capacity;
    size_t charged_bytes;
};

/* What a record takes on average with entries of so many bytes, long keys included. */
static size_t entry_cost(size_t entry_bytes, const int32_t *offsets, int64_t rows)
{
    size_t beside = 0;
    for (int64_t i = 0; i < rows; i++) {
        size_t size = (size_t)(offsets[i + 1] - offsets[i]);
        beside += size > entry_bytes - sizeof(uint32_t) ? size + LONG_COST : 0;
    }
    return entry_bytes + beside / (size_t)rows;
}

static void entry_choose(struct state_table *self, const int32_t *offsets, int64_t rows)
{
    size_t best = ENTRY_STEP;
    for (size_t size = ENTRY_STEP; size <= ENTRY_MAX; size += ENTRY_STEP)
        if (entry_cost(size, offsets, rows) < entry_cost(best, offsets, rows))
            best = size;
    self->entry_bytes = best;
    self->key_short = best - sizeof(uint32_t);
    self->stride = (best + self->slot_bytes + ENTRY_STEP - 1) & ~(size_t)(ENTRY_STEP - 1);
}

struct state_table *state_new(const struct state_spec *spec) { return state_new_keyed(spec, 0); }

struct state_table *state_new_keyed(const struct state_spec *spec, size_t key_bytes)
{
    always(spec->slot_bytes % 8 == 0);
    struct state_table *self = mem_new(struct state_table);
    self->name = spec->name;
    self->slot_bytes = spec->slot_bytes;
    if (key_bytes > 0)
        entry_choose(self, (const int32_t[]){0, (int32_t)key_bytes}, 1);
    self->budget = spec->budget;
    self->free_first = (uint32_t)SLOT_NONE;
    return self;
}

static size_t cells_bytes(int bits) { return bits == 0 ? 0 : sizeof(uint64_t) << bits; }

static void release_arrays(struct state_table *self)
{
    mem_block_free(self->cells, cells_bytes(self->cell_bits));
    mem_block_free(self->records, self->slot_capacity * self->stride);
    mem_block_free(self->long_keys, self->long_capacity);
    if (self->budget != NULL)
        budget_give(self->budget, self->charged_bytes);
    *self = (struct state_table){.name = self->name,
                                 .slot_bytes = self->slot_bytes,
                                 .entry_bytes = self->entry_bytes,
                                 .key_short = self->key_short,
                                 .stride = self->stride,
                                 .budget = self->budget,
                                 .free_first = (uint32_t)SLOT_NONE};
}

void state_free(struct state_table *self)
{
    if (self == NULL)
        return;
    release_arrays(self);
    mem_free(self);
}

void state_expect(struct state_table *self, int64_t keys) { self->expected = keys < SLOTS_MAX ? keys : SLOTS_MAX; }

int64_t state_count(const struct state_table *self) { return self->count; }

size_t state_bytes(const struct state_table *self) { return self->charged_bytes; }

uint8_t *state_base(struct state_table *self)
{
    return self->records == NULL ? NULL : self->records + self->entry_bytes;
}

size_t state_stride(const struct state_table *self) { return self->stride; }

static struct entry *entry_at(const struct state_table *self, uint32_t slot)
{
    return (struct entry *)(void *)(self->records + (size_t)slot * self->stride);
}

/* ---- growth ---- */

static enum code charge(struct state_table *self, size_t more, struct error *err)
{
    if (self->budget != NULL)
        TRY(budget_take(self->budget, more, self->name, err));
    self->charged_bytes += more;
    return E_OK;
}

static void discharge(struct state_table *self, size_t less)
{
    if (self->budget != NULL)
        budget_give(self->budget, less);
    self->charged_bytes -= less;
}

/* The size in bytes to grow an array to that now has `held` and needs `need`. */
static size_t grown(size_t held, size_t need)
{
    size_t more = held + held / (held >= GROW_GENTLY ? 8 : 2);
    return more > need ? more : need;
}

static enum code slots_reserve(struct state_table *self, int64_t more, struct error *err)
{
    int64_t need = (int64_t)self->slot_used + (more > self->free_count ? more - self->free_count : 0);
    if (need <= self->slot_capacity)
        return E_OK;
    int64_t capacity = (int64_t)(grown(self->slot_capacity * self->stride, (size_t)need * self->stride) / self->stride);
    if (capacity > SLOTS_MAX)
        return fail(err, E_MEMORY, "%s: more than %lld groups in one table", self->name, (long long)SLOTS_MAX);
    size_t held = self->slot_capacity * self->stride, wanted = (size_t)capacity * self->stride;
    TRY(charge(self, wanted - held, err));
    self->records = mem_block_resize(self->records, held, wanted);
    self->slot_capacity = (uint32_t)capacity;
    return E_OK;
}

static uint32_t cell_home(uint64_t cell, int bits) { return (uint32_t)(cell >> 32) >> (32 - bits); }

static void cells_move(const uint64_t *from, int from_bits, uint64_t *to, int to_bits)
{
    uint32_t mask = (uint32_t)(((uint64_t)1 << to_bits) - 1);
    for (uint64_t i = 0; i < (uint64_t)1 << from_bits; i++) {
        if (from[i] == 0)
            continue;
        uint32_t at = cell_home(from[i], to_bits);
        while (to[at] != 0)
            at = (at + 1) & mask;
        to[at] = from[i];
    }
}

/* At most 5/8 of the cells are taken: a miss then looks at four on average, a hit at two. */
static bool cells_suffice(int bits, int64_t count) { return bits > 0 && count <= ((int64_t)5 << bits) >> 3; }

static enum code cells_reserve(struct state_table *self, int64_t more, struct error *err)
{
    int64_t need = self->count + more;
    if (cells_suffice(self->cell_bits, need))
        return E_OK;
    int bits = self->cell_bits > CELL_BITS_MIN ? self->cell_bits : CELL_BITS_MIN;
    while (!cells_suffice(bits, need) && bits < CELL_BITS_MAX)
        bits++;
    TRY(charge(self, cells_bytes(bits), err));
    uint64_t *cells = mem_block_zero(cells_bytes(bits));
    if (self->cell_bits > 0) {
        cells_move(self->cells, self->cell_bits, cells, bits);
        discharge(self, cells_bytes(self->cell_bits));
    }
    mem_block_free(self->cells, cells_bytes(self->cell_bits));
    self->cells = cells;
    self->cell_bits = bits;
    return E_OK;
}

/* ---- long keys ---- */

static uint64_t long_offset(const struct entry *entry)
{
    uint64_t offset;
    memcpy(&offset, entry->offset, sizeof offset);
    return offset;
}

/* Close the gaps that removed keys left. */
static void long_keys_compact(struct state_table *self, uint8_t *to)
{
    size_t used = 0;
    for (uint32_t slot = 0; slot < self->slot_used; slot++) {
        struct entry *entry = entry_at(self, slot);
        if (entry->size == ENTRY_FREE || entry->size <= self->key_short)
            continue;
        memcpy(to + used, self->long_keys + long_offset(entry), entry->size);
        memcpy(entry->offset, &(uint64_t){used}, sizeof entry->offset);
        used += entry->size;
    }
    self->long_used = used;
    self->long_dead = 0;
}

/* Room for `more` bytes: a full array grows, unless a quarter of it is gaps: then a new one is taken without them. */
static enum code long_keys_reserve(struct state_table *self, size_t more, struct error *err)
{
    if (self->long_used + more <= self->long_capacity)
        return E_OK;
    size_t live = self->long_used - self->long_dead;
    bool gaps = self->long_dead > self->long_used / 4;
    size_t capacity = grown(gaps ? live : self->long_capacity, live + more);
    if (!gaps) {
        if (capacity < self->long_used + more)
            capacity = self->long_used + more;
        TRY(charge(self, capacity - self->long_capacity, err));
        self->long_keys = mem_block_resize(self->long_keys, self->long_capacity, capacity);
        self->long_capacity = capacity;
        return E_OK;
    }
    TRY(charge(self, capacity, err));
    uint8_t *keys = mem_block_resize(NULL, 0, capacity);
    long_keys_compact(self, keys);
    mem_block_free(self->long_keys, self->long_capacity);
    discharge(self, self->long_capacity);
    self->long_keys = keys;
    self->long_capacity = capacity;
    return E_OK;
}

/* ---- find and insert ---- */

static bool short_equal(const uint8_t *a, const uint8_t *b, size_t size)
{
    if (size < 8)
        return memcmp(a, b, size) == 0;
    uint64_t differ = 0, x, y;
    for (size_t i = 0; i + 8 <= size; i += 8) {
        memcpy(&x, a + i, 8);
        memcpy(&y, b + i, 8);
        differ |= x ^ y;
    }
    memcpy(&x, a + size - 8, 8);
    memcpy(&y, b + size - 8, 8);
    return (differ | (x ^ y)) == 0;
}

static bool key_equal(const struct state_table *self, const struct entry *entry, const uint8_t *key, size_t size)
{
    if (entry->size != size)
        return false;
    if (size <= self->key_short)
        return short_equal(entry->key, key, size);
    return memcmp(self->long_keys + long_offset(entry), key, size) == 0;
}

static void key_store(struct state_table *self, struct entry *entry, const uint8_t *key, size_t size)
{
    entry->size = (uint32_t)size;
    if (size <= self->key_short) {
        memcpy(entry->key, key, size);
        return;
    }
    memcpy(entry->offset, &(uint64_t){self->long_used}, sizeof entry->offset);
    memcpy(self->long_keys + self->long_used, key, size);
    self->long_used += size;
}

static uint32_t slot_take(struct state_table *self)
{
    uint32_t slot = self->free_first;
    if (slot == (uint32_t)SLOT_NONE)
        return self->slot_used++;
    self->free_first = entry_at(self, slot)->next_free;
    self->free_count--;
    return slot;
}

static uint32_t insert(struct state_table *self, uint32_t at, uint64_t hash, const uint8_t *key, size_t size)
{
    uint32_t slot = slot_take(self);
    self->cells[at] = (hash & ~(uint64_t)UINT32_MAX) | (slot + 1);
    struct entry *entry = entry_at(self, slot);
    key_store(self, entry, key, size);
    memset((uint8_t *)entry + self->entry_bytes, 0, self->slot_bytes);
    self->count++;
    return slot;
}

/* The cell that holds the key, or the empty one where it belongs; the search starts at cell `at`. */
static uint32_t cell_search(const struct state_table *self, uint32_t at, uint64_t hash, const uint8_t *key, size_t size)
{
    uint32_t mask = (uint32_t)(((uint64_t)1 << self->cell_bits) - 1);
    for (;; at = (at + 1) & mask) {
        uint64_t cell = self->cells[at];
        if (cell == 0)
            return at;
        if (cell >> 32 == hash >> 32 && key_equal(self, entry_at(self, (uint32_t)cell - 1), key, size))
            return at;
    }
}

/* Walk from each row's home to the first cell with its tag, or an empty one; fetch what lies behind it. */
static void block_probe(const struct state_table *self, const uint64_t *hashes, int64_t rows, uint32_t *at)
{
    uint32_t mask = (uint32_t)(((uint64_t)1 << self->cell_bits) - 1);
    const uint64_t *cells = self->cells;
    for (int64_t i = 0; i < rows; i++)
        __builtin_prefetch(&cells[cell_home(hashes[i], self->cell_bits)]);
    for (int64_t i = 0; i < rows; i++) {
        uint32_t c = cell_home(hashes[i], self->cell_bits);
        while (cells[c] != 0 && cells[c] >> 32 != hashes[i] >> 32)
            c = (c + 1) & mask;
        at[i] = c;
        if (cells[c] != 0) {
            const struct entry *entry = entry_at(self, (uint32_t)cells[c] - 1);
            __builtin_prefetch(entry, 1);
            __builtin_prefetch((const uint8_t *)entry + LINE, 1);
        }
    }
}

static size_t long_key_bytes(const struct state_table *self, const int32_t *offsets, int64_t rows)
{
    size_t total = 0;
    for (int64_t i = 0; i < rows; i++) {
        size_t size = (size_t)(offsets[i + 1] - offsets[i]);
        total += size > self->key_short ? size : 0;
    }
    return total;
}

static enum code block_reserve(struct state_table *self, const int32_t *offsets, int64_t rows, struct error *err)
{
    if (self->entry_bytes == 0)
        entry_choose(self, offsets, rows);
    int64_t more = self->expected > rows ? self->expected : rows;
    self->expected = 0;
    TRY(slots_reserve(self, more, err));
    TRY(cells_reserve(self, more, err));
    return long_keys_reserve(self, long_key_bytes(self, offsets, rows), err);
}

enum code state_upsert(struct state_table *self, const uint8_t *key_data, const int32_t *offsets,
                       const uint64_t *hashes, int64_t rows, uint32_t *slots, uint32_t *created, int64_t *created_count,
                       struct error *err)
{
    uint32_t at[BLOCK_ROWS];
    for (int64_t from = 0; from < rows; from += BLOCK_ROWS) {
        int64_t count = rows - from < BLOCK_ROWS ? rows - from : BLOCK_ROWS;
        TRY(stop_check(count, err));
        TRY(block_reserve(self, offsets + from, count, err));
        block_probe(self, hashes + from, count, at);
        for (int64_t i = 0; i < count; i++) {
            const uint8_t *key = key_data + offsets[from + i];
            size_t size = (size_t)(offsets[from + i + 1] - offsets[from + i]);
            // An earlier row of the block may have filled the cell since: the search goes on from there.
            uint32_t cell = cell_search(self, at[i], hashes[from + i], key, size);
            if (self->cells[cell] != 0) {
                slots[from + i] = (uint32_t)self->cells[cell] - 1;
                continue;
            }
            slots[from + i] = insert(self, cell, hashes[from + i], key, size);
            created[(*created_count)++] = slots[from + i];
        }
    }
    return E_OK;
}

uint32_t state_find(const struct state_table *self, struct bytes key, uint64_t hash)
{
    if (self->count == 0)
        return UINT32_MAX;
    uint32_t cell = cell_search(self, cell_home(hash, self->cell_bits), hash, key.data, key.size);
    return self->cells[cell] == 0 ? UINT32_MAX : (uint32_t)self->cells[cell] - 1;
}

struct bytes state_key(const struct state_table *self, uint32_t slot)
{
    const struct entry *entry = entry_at(self, slot);
    dassert(slot < self->slot_used && entry->size != ENTRY_FREE);
    return bytes_of(entry->size <= self->key_short ? entry->key : self->long_keys + long_offset(entry), entry->size);
}

/* ---- remove ---- */

/* Empty a cell, and move those behind it back that would no longer be found across the gap. */
static void cell_empty(struct state_table *self, uint32_t gap)
{
    uint32_t mask = (uint32_t)(((uint64_t)1 << self->cell_bits) - 1);
    for (uint32_t at = (gap + 1) & mask; self->cells[at] != 0; at = (at + 1) & mask) {
        uint32_t home = cell_home(self->cells[at], self->cell_bits);
        if (((at - home) & mask) >= ((at - gap) & mask)) {
            self->cells[gap] = self->cells[at];
            gap = at;
        }
    }
    self->cells[gap] = 0;
}

void state_remove(struct state_table *self, uint32_t slot)
{
    struct bytes key = state_key(self, slot);
    uint32_t mask = (uint32_t)(((uint64_t)1 << self->cell_bits) - 1);
    uint32_t at = cell_home(hash_bytes(key.data, key.size), self->cell_bits);
    while ((uint32_t)self->cells[at] != slot + 1) {
        always(self->cells[at] != 0);
        at = (at + 1) & mask;
    }
    cell_empty(self, at);
    struct entry *entry = entry_at(self, slot);
    if (entry->size > self->key_short)
        self->long_dead += entry->size;
    entry->size = ENTRY_FREE;
    entry->next_free = self->free_first;
    self->free_first = slot;
    self->free_count++;
    self->count--;
}

void state_each(struct state_table *self, void (*each)(void *context, uint32_t slot), void *context)
{
    for (uint32_t slot = 0; slot < self->slot_used; slot++)
        if (entry_at(self, slot)->size != ENTRY_FREE)
            each(context, slot);
}

/* Memory is kept for the next round, unless this round needed little of it. */
void state_clear(struct state_table *self)
{
    if (self->cell_bits > CELL_BITS_MIN + 2 && cells_suffice(self->cell_bits - 3, self->slot_used)) {
        release_arrays(self);
        return;
    }
    if (self->cell_bits > 0 && self->slot_used > 0)
        memset(self->cells, 0, cells_bytes(self->cell_bits));
    self->count = 0;
    self->slot_used = self->free_count = 0;
    self->free_first = (uint32_t)SLOT_NONE;
    self->long_used = self->long_dead = 0;
}

/* delta_set.c - the newest action of each logical file: a path with its deletion vector. */
#include "base/hash.h"
#include "delta/delta_internal.h"

enum { SLOTS_FIRST = 256, ENTRY_FRAME = 96 }; /* ENTRY_FRAME: bytes of blocks and slots around an entry */

static uint64_t file_hash(const struct delta_file *file)
{
    uint64_t hash = hash_bytes(file->path, strlen(file->path));
    if (file->vector.storage == '\0')
        return hash;
    return hash_mix(hash_mix(hash, hash_bytes(file->vector.text, strlen(file->vector.text))),
                    (uint64_t)file->vector.offset);
}

static bool same_file(const struct delta_file *a, const struct delta_file *b)
{
    return strcmp(a->path, b->path) == 0 && a->vector.storage == b->vector.storage &&
           (a->vector.storage == '\0' ||
            (a->vector.offset == b->vector.offset && strcmp(a->vector.text, b->vector.text) == 0));
}

static uint32_t slot_of(const struct delta_set *set, const struct delta_file *file)
{
    uint32_t mask = set->slot_count - 1, at = (uint32_t)file_hash(file) & mask;
    while (set->slots[at] != 0 && !same_file(&set->entries[set->slots[at] - 1].file, file))
        at = (at + 1) & mask;
    return at;
}

static void slots_grow(struct delta_set *set)
{
    set->slot_count = set->slot_count == 0 ? SLOTS_FIRST : set->slot_count * 2;
    mem_free(set->slots);
    set->slots = mem_array(int32_t, set->slot_count);
    for (int32_t i = 0; i < set->count; i++)
        set->slots[slot_of(set, &set->entries[i].file)] = i + 1;
}

static enum code charge(struct delta_set *set, size_t size, struct error *err)
{
    if (set->budget == NULL)
        return E_OK;
    TRY(budget_take(set->budget, size, "the log of a Delta table", err));
    set->charged += size;
    return E_OK;
}

enum code delta_set_put(struct delta_set *set, const struct delta_file *file, bool active, struct error *err)
{
    if ((uint32_t)set->count * 2 >= set->slot_count)
        slots_grow(set);
    uint32_t slot = slot_of(set, file);
    if (set->slots[slot] == 0) {
        if (set->count == DELTA_FILES_MAX)
            return fail(err, E_UNSUPPORTED, "a log that names more than %d files", DELTA_FILES_MAX);
        mem_grow(set->entries, set->capacity, set->count + 1);
        set->entries[set->count++] = (struct delta_entry){0};
        set->slots[slot] = set->count;
        TRY(charge(set, sizeof *set->entries + ENTRY_FRAME, err));
    }
    struct delta_entry *entry = &set->entries[set->slots[slot] - 1];
    size_t before = set->arena->used_bytes;
    *entry = (struct delta_entry){delta_file_copy(file, set->arena, true), active};
    return charge(set, set->arena->used_bytes - before, err);
}

const struct delta_entry *delta_set_find(const struct delta_set *set, const struct delta_file *file)
{
    if (set->slot_count == 0)
        return NULL;
    int32_t entry = set->slots[slot_of(set, file)];
    return entry == 0 ? NULL : &set->entries[entry - 1];
}

void delta_set_free(struct delta_set *set)
{
    mem_free(set->entries);
    mem_free(set->slots);
    if (set->budget != NULL)
        budget_give(set->budget, set->charged);
    *set = (struct delta_set){0};
}

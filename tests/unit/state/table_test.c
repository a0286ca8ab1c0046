/* The table against a plain model: a universe of keys, and for each the value its slot should hold. */
#include "kit.h"

#include "base/hash.h"
#include "state/state.h"

enum { UNIVERSE = 3000, BATCH = 500, SLOT_BYTES = 24 };

static struct bytes universe_key(int i, char *room)
{
    // Sizes around the borders between keys in place and long keys, and a few large ones.
    static const int sizes[] = {4, 5, 7, 8, 9, 16, 26, 27, 28, 29, 30, 64, 300};
    int size = sizes[i % 13];
    memset(room, 'a' + i % 7, (size_t)size);
    memcpy(room, &i, sizeof i);
    return bytes_of(room, (size_t)size);
}

struct batch_of_keys {
    struct text data;
    int32_t offsets[BATCH + 1];
    uint64_t hashes[BATCH];
    uint32_t slots[BATCH], created[BATCH];
    int64_t rows, created_count;
};

static void add_key(struct batch_of_keys *keys, struct bytes key, uint64_t hash)
{
    text_add(&keys->data, key.data, key.size);
    keys->hashes[keys->rows++] = hash;
    keys->offsets[keys->rows] = (int32_t)keys->data.size;
}

static enum code upsert(struct state_table *table, struct batch_of_keys *keys, struct error *err)
{
    keys->created_count = 0;
    return state_upsert(table, (uint8_t *)keys->data.data, keys->offsets, keys->hashes, keys->rows, keys->slots,
                        keys->created, &keys->created_count, err);
}

static int64_t *slot_value(struct state_table *table, uint32_t slot)
{
    return (int64_t *)(void *)(state_base(table) + slot * state_stride(table));
}

struct model {
    int64_t values[UNIVERSE]; /* -1 = absent */
    int64_t count;
};

static void random_upsert(struct state_table *table, struct model *model)
{
    struct batch_of_keys keys = {0};
    struct error err = {0};
    int picked[BATCH];
    char room[512];
    int range = 1 + (int)(kit_random() % UNIVERSE);
    for (int i = 0; i < BATCH; i++) {
        picked[i] = (int)(kit_random() % (uint64_t)range);
        struct bytes key = universe_key(picked[i], room);
        add_key(&keys, key, hash_bytes(key.data, key.size));
    }
    CHECK_INT(upsert(table, &keys, &err), E_OK);
    int64_t created = 0;
    for (int i = 0; i < BATCH; i++) {
        int64_t *value = slot_value(table, keys.slots[i]);
        if (model->values[picked[i]] < 0) {
            CHECK_INT(keys.created[created++], keys.slots[i]);
            CHECK_INT(*value, 0);
            model->values[picked[i]] = 0;
            model->count++;
        }
        CHECK_INT(*value, model->values[picked[i]]);
        *value = model->values[picked[i]] += 1 + (int64_t)(kit_random() % 5);
    }
    CHECK_INT(keys.created_count, created);
    text_free(&keys.data);
}

static void random_remove(struct state_table *table, struct model *model, int removals)
{
    char room[512];
    for (int i = 0; i < removals; i++) {
        int picked = (int)(kit_random() % UNIVERSE);
        struct bytes key = universe_key(picked, room);
        uint32_t slot = state_find(table, key, hash_bytes(key.data, key.size));
        CHECK_INT(slot == UINT32_MAX, model->values[picked] < 0);
        if (slot == UINT32_MAX)
            continue;
        state_remove(table, slot);
        model->values[picked] = -1;
        model->count--;
    }
}

static void check_all(struct state_table *table, const struct model *model)
{
    char room[512];
    CHECK_INT(state_count(table), model->count);
    for (int i = 0; i < UNIVERSE; i++) {
        struct bytes key = universe_key(i, room);
        uint32_t slot = state_find(table, key, hash_bytes(key.data, key.size));
        CHECK_INT(slot == UINT32_MAX, model->values[i] < 0);
        if (slot == UINT32_MAX || model->values[i] < 0)
            continue;
        CHECK_INT(*slot_value(table, slot), model->values[i]);
        CHECK(bytes_equal(state_key(table, slot), key));
    }
}

struct sweep {
    struct state_table *table;
    int64_t seen, sum;
    int64_t last_slot;
};

static void sweep_one(void *context, uint32_t slot)
{
    struct sweep *sweep = context;
    CHECK((int64_t)slot > sweep->last_slot);
    sweep->last_slot = slot;
    sweep->seen++;
    sweep->sum += *slot_value(sweep->table, slot);
    state_remove(sweep->table, slot);
}

static void check_against_model(size_t key_bytes)
{
    struct budget budget = {0};
    struct state_table *table =
        state_new_keyed(&(struct state_spec){.name = "test", .slot_bytes = SLOT_BYTES, .budget = &budget}, key_bytes);
    static struct model model;
    memset(&model, 0xff, sizeof model);
    model.count = 0;
    for (int round = 0; round < 120; round++) {
        random_upsert(table, &model);
        random_remove(table, &model, (int)(kit_random() % 700));
        if (round % 20 == 19)
            check_all(table, &model);
        if (round == 70) {
            state_clear(table);
            memset(model.values, 0xff, sizeof model.values);
            model.count = 0;
        }
    }
    struct sweep sweep = {.table = table, .last_slot = -1};
    int64_t sum = 0;
    for (int i = 0; i < UNIVERSE; i++)
        sum += model.values[i] > 0 ? model.values[i] : 0;
    state_each(table, sweep_one, &sweep);
    CHECK_INT(sweep.seen, model.count);
    CHECK_INT(sweep.sum, sum);
    CHECK_INT(state_count(table), 0);
    CHECK_INT(budget.used_bytes, state_bytes(table));
    state_free(table);
    CHECK_INT(budget.used_bytes, 0);
}

TEST(table_agrees_with_a_model) { check_against_model(0); }

TEST(table_of_small_entries_takes_long_keys_all_the_same) { check_against_model(8); }

/* Large enough that the arrays leave the heap and grow by moving pages. */
TEST(table_grows_in_pages)
{
    enum { KEYS = 400000 };
    struct budget budget = {0};
    struct state_table *table = state_new_keyed(
        &(struct state_spec){.name = "test", .slot_bytes = SLOT_BYTES, .budget = &budget}, sizeof(int64_t));
    struct error err = {0};
    size_t largest = 0;
    for (int64_t from = 0; from < KEYS; from += BATCH) {
        struct batch_of_keys keys = {0};
        for (int64_t i = from; i < from + BATCH; i++)
            add_key(&keys, bytes_of(&i, sizeof i), hash_bytes(&i, sizeof i));
        CHECK_INT(upsert(table, &keys, &err), E_OK);
        for (int64_t i = 0; i < BATCH; i++)
            *slot_value(table, keys.slots[i]) = from + i;
        text_free(&keys.data);
        largest = budget.used_bytes > largest ? budget.used_bytes : largest;
    }
    CHECK_INT(state_stride(table), 48);
    CHECK(largest < (size_t)KEYS * (48 + 48 / 8 + 3 * sizeof(uint64_t)));
    for (int64_t i = 0; i < KEYS; i += 7) {
        uint32_t slot = state_find(table, bytes_of(&i, sizeof i), hash_bytes(&i, sizeof i));
        CHECK_INT(*slot_value(table, slot), i);
    }
    state_free(table);
    CHECK_INT(budget.used_bytes, 0);
}

TEST(table_tells_keys_of_equal_hash_apart)
{
    struct state_table *table = state_new(&(struct state_spec){.name = "test", .slot_bytes = SLOT_BYTES});
    struct batch_of_keys keys = {0};
    struct error err = {0};
    char room[512];
    for (int i = 0; i < BATCH; i++) // one hash for all, and the home at the very end: probing wraps around
        add_key(&keys, universe_key(i % 100, room), UINT64_MAX);
    CHECK_INT(upsert(table, &keys, &err), E_OK);
    CHECK_INT(keys.created_count, 100);
    for (int i = 0; i < BATCH; i++) {
        CHECK_INT(keys.slots[i], i % 100);
        CHECK_INT(state_find(table, universe_key(i % 100, room), UINT64_MAX), i % 100);
    }
    state_free(table);
    text_free(&keys.data);
}

TEST(table_takes_the_empty_key)
{
    struct state_table *table = state_new(&(struct state_spec){.name = "test", .slot_bytes = SLOT_BYTES});
    struct batch_of_keys keys = {0};
    struct error err = {0};
    add_key(&keys, bytes_of("", 0), hash_bytes("", 0));
    add_key(&keys, bytes_of("", 0), hash_bytes("", 0));
    CHECK_INT(upsert(table, &keys, &err), E_OK);
    CHECK_INT(state_count(table), 1);
    CHECK_INT(keys.slots[0], keys.slots[1]);
    state_remove(table, 0);
    CHECK_INT(state_find(table, bytes_of("", 0), hash_bytes("", 0)), UINT32_MAX);
    state_free(table);
    text_free(&keys.data);
}

TEST(table_stops_at_its_budget)
{
    struct budget budget = {.limit_bytes = 200 * 1000};
    struct state_table *table =
        state_new(&(struct state_spec){.name = "gold", .slot_bytes = SLOT_BYTES, .budget = &budget});
    struct error err = {0};
    enum code code = E_OK;
    char room[512];
    for (int from = 0; code == E_OK && from < UNIVERSE; from += BATCH) {
        struct batch_of_keys keys = {0};
        for (int i = 0; i < BATCH; i++) {
            struct bytes key = universe_key(from + i, room);
            add_key(&keys, key, hash_bytes(key.data, key.size));
        }
        code = upsert(table, &keys, &err);
        text_free(&keys.data);
    }
    CHECK_INT(code, E_MEMORY);
    CHECK(strncmp(err.text, "gold needs ", 11) == 0);
    CHECK(budget.used_bytes <= budget.limit_bytes);
    struct bytes key = universe_key(0, room); // what was there before is still there
    CHECK(state_find(table, key, hash_bytes(key.data, key.size)) != UINT32_MAX);
    state_free(table);
    CHECK_INT(budget.used_bytes, 0);
}

TEST(table_gives_memory_back_after_a_small_round)
{
    struct budget budget = {0};
    struct state_table *table =
        state_new(&(struct state_spec){.name = "test", .slot_bytes = SLOT_BYTES, .budget = &budget});
    static struct model model;
    memset(&model, 0xff, sizeof model);
    for (int i = 0; i < 20; i++)
        random_upsert(table, &model);
    size_t large = budget.used_bytes;
    state_clear(table);
    CHECK_INT(budget.used_bytes, large); // the last round needed it
    state_clear(table);                  // this one needed nothing
    CHECK_INT(budget.used_bytes, 0);
    state_free(table);
}

TEST(expected_keys_find_their_room_made)
{
    struct budget budget = {0};
    struct state_table *table =
        state_new(&(struct state_spec){.name = "test", .slot_bytes = SLOT_BYTES, .budget = &budget});
    struct error err = {0};
    size_t first = 0;
    state_expect(table, UNIVERSE);
    CHECK_INT(budget.used_bytes, 0);
    for (int64_t from = 0; from < UNIVERSE; from += BATCH) {
        struct batch_of_keys keys = {0};
        for (int64_t i = from; i < from + BATCH; i++)
            add_key(&keys, bytes_of(&i, sizeof i), hash_bytes(&i, sizeof i));
        CHECK_INT(upsert(table, &keys, &err), E_OK);
        text_free(&keys.data);
        first = from == 0 ? budget.used_bytes : first;
        CHECK_INT(budget.used_bytes, first);
    }
    state_free(table);
}

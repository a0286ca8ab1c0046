#include "format/json_keys.h"

#include "base/hash.h"
#include "format/json_skip.h"
#include "format/json_text.h"

enum { KEY_START, KEY_OTHER, KEYS_FIRST };

void json_keys_init(struct json_keys *keys, int32_t field_count)
{
    size_t most = (size_t)field_count + KEYS_FIRST + JSON_STRANGERS_MAX;
    *keys = (struct json_keys){.count = KEYS_FIRST, .known = KEYS_FIRST, .slot_count = 256};
    while (keys->slot_count < 2 * most)
        keys->slot_count *= 2;
    keys->keys = mem_array(struct json_key, most);
    keys->slots = mem_array(int32_t, keys->slot_count);
    /* Names of strangers are short (a gap holds them); taken once, so that views of them stay. */
    text_reserve(&keys->stranger_names, JSON_STRANGERS_MAX * JSON_GAP_MAX);
}

/* The slot of the name, or the free one where it would be. */
static int32_t *find_slot(const struct json_keys *keys, struct bytes name)
{
    uint32_t at = (uint32_t)hash_bytes(name.data, name.size) & (keys->slot_count - 1);
    while (keys->slots[at] != 0 && !bytes_equal(keys->keys[keys->slots[at]].name, name))
        at = (at + 1) & (keys->slot_count - 1);
    return &keys->slots[at];
}

void json_keys_widen(struct json_keys *keys, int32_t more)
{
    size_t most = (size_t)keys->count + (size_t)more + JSON_STRANGERS_MAX;
    keys->keys = mem_resize(keys->keys, most * sizeof *keys->keys);
    memset(keys->keys + keys->count, 0, (most - (size_t)keys->count) * sizeof *keys->keys);
    if (keys->slot_count >= 2 * most)
        return;
    while (keys->slot_count < 2 * most)
        keys->slot_count *= 2;
    mem_free(keys->slots);
    keys->slots = mem_array(int32_t, keys->slot_count);
    for (int32_t i = KEYS_FIRST; i < keys->count; i++)
        *find_slot(keys, keys->keys[i].name) = i;
}

int32_t json_keys_strangers(const struct json_keys *keys)
{
    return keys->count == 0 ? 0 : keys->count - keys->known + (keys->keys[KEY_OTHER].met > 0);
}

void json_keys_each_stranger(const struct json_keys *keys, void (*each)(void *context, struct bytes name, int64_t met),
                             void *context)
{
    for (int32_t i = keys->known; i < keys->count; i++)
        each(context, keys->keys[i].name, keys->keys[i].met);
    if (keys->count > 0 && keys->keys[KEY_OTHER].met > 0)
        each(context, bytes_of_string("*"), keys->keys[KEY_OTHER].met);
}

void json_keys_close(struct json_keys *keys)
{
    mem_free(keys->keys);
    mem_free(keys->slots);
    text_free(&keys->stranger_names);
    *keys = (struct json_keys){0};
}

void json_keys_begin(struct json_keys *keys, int64_t rows)
{
    for (int32_t i = 0; i < keys->count; i++)
        keys->keys[i].habit.surprises = json_surprises(rows);
}

static struct json_key *add_key(struct json_keys *keys, int32_t *slot, struct bytes name, struct json_column *column)
{
    struct json_key *key = &keys->keys[keys->count];
    key->name = name;
    key->column = column;
    *slot = keys->count++;
    return key;
}

void json_keys_add(struct json_keys *keys, const char *name, struct json_column *column)
{
    struct bytes view = bytes_of_string(name);
    int32_t *slot = find_slot(keys, view);
    if (*slot == 0)
        add_key(keys, slot, view, column);
    keys->known = keys->count;
}

static struct json_key *find_key(struct json_keys *keys, struct bytes name)
{
    int32_t *slot = find_slot(keys, name);
    if (*slot != 0)
        return &keys->keys[*slot];
    if (name.size > JSON_GAP_MAX || keys->stranger_count == JSON_STRANGERS_MAX)
        return &keys->keys[KEY_OTHER];
    struct text *store = &keys->stranger_names;
    size_t at = store->size;
    text_add(store, name.data, name.size);
    keys->stranger_count++;
    return add_key(keys, slot, bytes_of(store->data + at, name.size), NULL);
}

static void learn(struct json_key *key, const uint8_t *gap, int64_t size, struct json_key *next)
{
    key->next = next;
    key->gap_size = size > JSON_GAP_MAX ? 0 : (int32_t)size;
    key->gap_mask = (uint32_t)(((uint64_t)1 << key->gap_size) - 1);
    memcpy(key->gap, gap, (size_t)key->gap_size);
}

/* The key of the name between first and last, which json_skip_name has checked. */
static struct json_key *resolve_name(struct json_keys *keys, const uint8_t *first, const uint8_t *last)
{
    struct bytes raw = bytes_of(first, (size_t)(last - first));
    if (memchr(raw.data, '\\', raw.size) == NULL)
        return find_key(keys, raw);
    struct text name = {0};
    struct json_key *key = &keys->keys[KEY_OTHER];
    if (json_text_string(first, last + 1, *last, &name) != NULL) {
        int32_t known = *find_slot(keys, text_view(&name));
        key = &keys->keys[known == 0 ? KEY_OTHER : known];
    }
    text_free(&name);
    return key;
}

const uint8_t *json_keys_next(struct json_keys *keys, const uint8_t *p, const uint8_t *end, struct json_key **key)
{
    const uint8_t *gap = p;
    p = json_blanks(p, end);
    if (p < end && *p == '}') {
        *key = NULL;
        return p + 1;
    }
    struct json_key *before = &keys->keys[*key - keys->keys];
    if (before != json_keys_start(keys)) {
        if (p == end || *p != ',')
            return NULL;
        p = json_blanks(p + 1, end);
    }
    const uint8_t *name = p + 1, *colon = json_skip_name(p, end);
    if (colon == NULL)
        return NULL;
    const uint8_t *last = colon - 2; // the closing quote, behind the blanks before the colon
    while (json_is_blank(*last))
        last--;
    p = json_blanks(colon, end);
    if (p == end)
        return NULL;
    *key = resolve_name(keys, name, last);
    learn(before, gap, p - gap, *key);
    return p;
}

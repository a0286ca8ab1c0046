#include "format/json_keys.h"

#include "base/hash.h"
#include "format/json_skip.h"
#include "format/json_text.h"

enum { KEYS_FIRST = 2 }; /* behind JSON_KEY_START and JSON_KEY_OTHER */

void json_keys_init(struct json_keys *keys, int32_t field_count)
{
    size_t most = (size_t)field_count + KEYS_FIRST + JSON_STRANGERS_MAX;
    *keys = (struct json_keys){.count = KEYS_FIRST, .slot_count = 256};
    while (keys->slot_count < 2 * most)
        keys->slot_count *= 2;
    keys->names = mem_array(struct bytes, most);
    keys->fields = mem_array(int32_t, most);
    keys->guesses = mem_array(struct json_guess, most);
    keys->slots = mem_array(int32_t, keys->slot_count);
    keys->fields[JSON_KEY_OTHER] = -1;
    /* Names of strangers are short (a gap holds them); taken once, so that views of them stay. */
    text_reserve(&keys->stranger_names, JSON_STRANGERS_MAX * JSON_GAP_MAX);
}

void json_keys_close(struct json_keys *keys)
{
    mem_free(keys->names);
    mem_free(keys->fields);
    mem_free(keys->guesses);
    mem_free(keys->slots);
    text_free(&keys->stranger_names);
    *keys = (struct json_keys){0};
}

/* The slot of the name, or the free one where it would be. */
static int32_t *find_slot(const struct json_keys *keys, struct bytes name)
{
    uint32_t at = (uint32_t)hash_bytes(name.data, name.size) & (keys->slot_count - 1);
    while (keys->slots[at] != 0 && !bytes_equal(keys->names[keys->slots[at]], name))
        at = (at + 1) & (keys->slot_count - 1);
    return &keys->slots[at];
}

static int32_t add_key(struct json_keys *keys, int32_t *slot, struct bytes name, int32_t field)
{
    keys->names[keys->count] = name;
    keys->fields[keys->count] = field;
    *slot = keys->count;
    return keys->count++;
}

void json_keys_add(struct json_keys *keys, const char *name, int32_t field)
{
    struct bytes view = bytes_of_string(name);
    int32_t *slot = find_slot(keys, view);
    if (*slot == 0)
        add_key(keys, slot, view, field);
}

static int32_t find_key(struct json_keys *keys, struct bytes name)
{
    int32_t *slot = find_slot(keys, name);
    if (*slot != 0)
        return *slot;
    struct text *store = &keys->stranger_names;
    if (name.size > JSON_GAP_MAX || keys->stranger_count == JSON_STRANGERS_MAX)
        return JSON_KEY_OTHER;
    keys->stranger_count++;
    size_t at = store->size;
    text_add(store, name.data, name.size);
    return add_key(keys, slot, bytes_of(store->data + at, name.size), -1);
}

static void learn(struct json_guess *guess, const uint8_t *gap, int64_t size, int32_t key)
{
    *guess = (struct json_guess){.key = key};
    if (size > JSON_GAP_MAX)
        return;
    guess->size = (int32_t)size;
    memcpy(guess->want, gap, (size_t)size);
    memset(guess->mask, 0xff, (size_t)size);
}

/* The key of the name between first and last, which json_skip_name has checked. */
static int32_t resolve_name(struct json_keys *keys, const uint8_t *first, const uint8_t *last)
{
    struct bytes raw = bytes_of(first, (size_t)(last - first));
    if (memchr(raw.data, '\\', raw.size) == NULL)
        return find_key(keys, raw);
    struct text name = {0};
    int32_t key = JSON_KEY_OTHER;
    if (json_text_string(first, last + 1, *last, &name) != NULL) {
        int32_t known = *find_slot(keys, text_view(&name));
        key = known == 0 ? JSON_KEY_OTHER : known;
    }
    text_free(&name);
    return key;
}

const uint8_t *json_keys_next(struct json_keys *keys, const uint8_t *p, const uint8_t *end, int32_t *key)
{
    const uint8_t *gap = p;
    p = json_blanks(p, end);
    if (p < end && *p == '}') {
        *key = -1;
        return p + 1;
    }
    if (*key != JSON_KEY_START) {
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
    int32_t found = resolve_name(keys, name, last);
    learn(&keys->guesses[*key], gap, p - gap, found);
    *key = found;
    return p;
}

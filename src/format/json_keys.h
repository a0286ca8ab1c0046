/* json_keys.h - from the names of an object to fields, mostly by guessing.
 *
 * Guess    records of a stream have their names in the same order and the same spelling. For each name the bytes from the
 *          end of the value before (or from behind the '{') to its own value are remembered: comma, blanks, quoted name, colon.
 *          When they are there again, the next name is known after two comparisons of 16 bytes
 * Shape    key 0 is "nothing read yet"; key 1 stands for all names not worth a key; then come the fields, and then names
 *          that the schema does not know, as they are met
 * Owns     its tables; the names of fields belong to the schema
 * Thread   one at a time
 * Limits   JSON_STRANGERS_MAX unknown names with a guess; a gap of at most JSON_GAP_MAX bytes
 */
#ifndef FORMAT_JSON_KEYS_H
#define FORMAT_JSON_KEYS_H

#include "base/bytes.h"
#include "format/json_scan.h"

enum { JSON_STRANGERS_MAX = 64, JSON_GAP_MAX = 32, JSON_KEY_START = 0, JSON_KEY_OTHER = 1 };

struct json_guess {
    uint64_t want[4], mask[4]; /* bytes of the gap; a mask of zeros where it is shorter */
    int32_t size;              /* 0: no guess */
    int32_t key;               /* which key this gap leads to */
};
struct json_keys {
    int32_t count;
    struct bytes *names;       /* names[0], names[1] unused */
    int32_t *fields;           /* child of the STRUCT, or -1 */
    struct json_guess *guesses;/* what follows each key */
    uint32_t slot_count;       /* power of two */
    int32_t *slots;            /* hash table of keys; 0 = free */
    int32_t stranger_count;
    struct text stranger_names;
};

/* Names come one by one with json_keys_add, before the first use. */
void json_keys_init(struct json_keys *keys, int32_t field_count);
void json_keys_add(struct json_keys *keys, const char *name, int32_t field);
void json_keys_close(struct json_keys *keys);

INLINE bool json_guess_holds(const struct json_guess *guess, const uint8_t *p)
{
    uint64_t differ = ((json_word(p) ^ guess->want[0]) & guess->mask[0]) | ((json_word(p + 8) ^ guess->want[1]) & guess->mask[1]);
    if (guess->size > 16)
        differ |= ((json_word(p + 16) ^ guess->want[2]) & guess->mask[2])
                  | ((json_word(p + 24) ^ guess->want[3]) & guess->mask[3]);
    return (differ == 0) & (guess->size > 0);
}

/* Read the gap at p behind key `*key` without guessing. Returns the value's first byte and sets *key, or NULL when broken; at
 * the end of the object *key is -1 and the byte behind '}' is returned. */
const uint8_t *json_keys_next(struct json_keys *keys, const uint8_t *p, const uint8_t *end, int32_t *key);

#endif

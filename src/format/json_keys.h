/* json_keys.h - from the names of an object to fields, mostly by guessing.
 *
 * Guess    records of a stream have their names in the same order and the same spelling. For each
 *          key the bytes from the end of its value to the next key's value are remembered: comma,
 *          blanks, quoted name, colon. When they are there again, the next key is known after one
 *          comparison of 32 bytes
 * Shape    keys[0] is "nothing read yet"; keys[1] stands for all names not worth a key; then come
 *          the fields, and then names that the schema does not know, as they are met
 * Owns     its tables; the names of fields belong to the schema
 * Thread   one at a time
 * Limits   JSON_STRANGERS_MAX unknown names with a guess; a gap of at most JSON_GAP_MAX bytes
 */
#ifndef FORMAT_JSON_KEYS_H
#define FORMAT_JSON_KEYS_H

#include "base/bytes.h"
#include "format/json_scan.h"

enum { JSON_STRANGERS_MAX = 64, JSON_GAP_MAX = 32 };

struct json_column;
struct json_key {
    uint8_t gap[JSON_GAP_MAX]; /* what stood between this key's value and the next key's */
    uint32_t gap_mask;         /* a bit for each of its bytes; 0 = no guess */
    int32_t gap_size;
    struct json_key *next;      /* the key that came then */
    struct json_column *column; /* where the value goes; NULL = nowhere */
    struct json_habit habit;    /* of values that go nowhere */
    struct bytes name;
    int64_t met; /* how often a value went nowhere */
};
struct json_keys {
    struct json_key *keys;
    int32_t count, stranger_count;
    int32_t known;       /* keys below it have names of the schema */
    uint32_t slot_count; /* power of two */
    int32_t *slots;      /* hash table of keys; 0 = free */
    struct text stranger_names;
};

/* Names come one by one with json_keys_add, before the first use. */
void json_keys_init(struct json_keys *keys, int32_t field_count);
void json_keys_add(struct json_keys *keys, const char *name, struct json_column *column);
/* A name of the schema that nobody reads: no stranger, its values go nowhere. Before the first use, and at most as many as
 * json_keys_widen made room for. */
void json_keys_widen(struct json_keys *keys, int32_t more);
/* Different names that the schema does not have, so far; those not worth a key are one. */
int32_t json_keys_strangers(const struct json_keys *keys);
/* How often they were met. Names that have no key of their own come as "*". */
void json_keys_each_stranger(const struct json_keys *keys, void (*each)(void *context, struct bytes name, int64_t met),
                             void *context);
void json_keys_close(struct json_keys *keys);
/* For a batch of `rows` records. */
void json_keys_begin(struct json_keys *keys, int64_t rows);
static inline struct json_key *json_keys_start(const struct json_keys *keys) { return &keys->keys[0]; }

/* Read the gap at p behind `*key` without guessing. Returns the next value's first byte and sets
 * *key, or NULL when broken; at the end of the object *key is NULL and the byte behind '}' is
 * returned. */
const uint8_t *json_keys_next(struct json_keys *keys, const uint8_t *p, const uint8_t *end, struct json_key **key);

#endif

/* The reader of json_rows.h for any machine (little endian): eight bytes in a word, a byte's high
 * bit as its mark. */
#include "format/json_records.h"

enum { JSON_BLOCK = 8 };

struct json_block {
    uint64_t special, high;
};

#define EACH_BYTE(b) ((uint64_t)(b)*0x0101010101010101u)
#define HIGH_BITS EACH_BYTE(0x80)

/* Bytes that are 0. A borrow can mark a byte above a true one as well, never one below the lowest.
 * */
INLINE uint64_t zero_bytes(uint64_t word) { return (word - EACH_BYTE(1)) & ~word & HIGH_BITS; }

INLINE struct json_block json_block_load(const uint8_t *p)
{
    uint64_t word = json_word(p);
    uint64_t control = (word - EACH_BYTE(0x20)) & ~word & HIGH_BITS;
    uint64_t special = control | zero_bytes(word ^ EACH_BYTE('"')) | zero_bytes(word ^ EACH_BYTE('\\'));
    return (struct json_block){special, word & HIGH_BITS};
}

INLINE struct json_block json_block_copy(const uint8_t *p, uint8_t *out)
{
    memcpy(out, p, JSON_BLOCK);
    return json_block_load(p);
}

INLINE int64_t json_block_index(uint64_t special) { return __builtin_ctzll(special) / 8; }

INLINE bool json_gap_holds(const struct json_key *key, const uint8_t *p)
{
    return key->gap_size > 0 && memcmp(p, key->gap, (size_t)key->gap_size) == 0;
}

#define JSON_RECORDS json_records_word
#include "format/json_rows.h"

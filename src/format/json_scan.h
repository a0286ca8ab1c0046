/* json_scan.h - the smallest pieces of reading JSON: blanks, words of eight bytes, digits.
 *
 * In       pointers into a payload that may be read 64 bytes past its end (data/buffer.h); `end` is
 *          the record's end
 * Rule     a pointer that comes back is never past `end`; NULL means the text is broken
 * Thread   any
 */
#ifndef FORMAT_JSON_SCAN_H
#define FORMAT_JSON_SCAN_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#define LIKELY(condition) __builtin_expect(!!(condition), 1)
#define UNLIKELY(condition) __builtin_expect(!!(condition), 0)
#define INLINE static inline __attribute__((always_inline))

enum {
    JSON_DEPTH_MAX = 1000,         /* objects and arrays inside each other, the record included: Jackson's limit */
    JSON_NUMBER_DIGITS_MAX = 1000, /* of one number, exponent included: Jackson's limit */
    JSON_NAME_MAX = 50000,         /* UTF-16 units of a name: Jackson's limit */
};

INLINE uint64_t json_word(const uint8_t *p)
{
    uint64_t word;
    memcpy(&word, p, 8);
    return word;
}

INLINE bool json_is_blank(uint8_t c) { return c == ' ' || c == '\n' || c == '\r' || c == '\t'; }
INLINE bool json_is_digit(uint8_t c) { return (uint8_t)(c - '0') < 10; }

INLINE const uint8_t *json_blanks(const uint8_t *p, const uint8_t *end)
{
    while (p < end && json_is_blank(*p))
        p++;
    return p;
}

/* Where the strings of one field use to end.
 *
 * Where a value starts depends on where the one before ends, and to find that takes the processor a
 * load, four vector operations and a bit scan, one waiting for the other: such chains, more than
 * the count of instructions, are what a record costs. But many fields (identifiers, times, codes)
 * have the same length in every record. So theirs is taken from the record before, as long as the
 * branch predictor agrees: the next value is begun at once, and the comparison comes in its own
 * time. A field that breaks the habit too often is left alone for the rest of the batch.
 */
struct json_habit {
    int64_t length;    /* in its last block */
    int64_t surprises; /* how many more are taken */
};
/* A wrong guess costs about half of what a right one saves. */
INLINE int64_t json_surprises(int64_t rows) { return rows / 8; }
INLINE int64_t json_habitual(struct json_habit *habit, int64_t length)
{
    if (habit->surprises <= 0)
        return length;
    int64_t guess = habit->length;
    if (LIKELY(length == guess)) {
        __asm__("" : "+r"(guess)); // or the compiler, knowing them equal, would take `length`
        return guess;
    }
    habit->surprises--;
    habit->length = length;
    return length;
}

/* The value of up to eight digits at p, and how many there are. Reads eight bytes. */
struct json_digits {
    uint64_t value;
    int count;
};
INLINE struct json_digits json_digits8(const uint8_t *p)
{
    uint64_t word = json_word(p) ^ 0x3030303030303030;
    uint64_t other = ((word + 0x7676767676767676) | word) & 0x8080808080808080;
    int bits = other == 0 ? 64 : __builtin_ctzll(other) - 7; // taken by the digits
    word = bits == 0 ? 0 : word << (64 - bits);              // leading zeros instead of what follows
    word = word * 10 + (word >> 8);
    word = (word & 0x000000ff000000ff) * 0x000f424000000064 + (word >> 16 & 0x000000ff000000ff) * 0x0000271000000001;
    return (struct json_digits){word >> 32, bits / 8};
}

#endif

/* utf8.h - inside expr/: steps over characters of UTF-8 text. Bytes that are no UTF-8 count as Spark counts them: the
 * first byte of a character says how many bytes it has, and a stray byte is a character of its own.
 */
#ifndef EXPR_UTF8_H
#define EXPR_UTF8_H

#include "base/bytes.h"

/* Bytes of the character at text[0], at most `left`. */
static inline size_t utf8_size(uint8_t first, size_t left)
{
    size_t size = first < 0xc2 ? 1 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : first < 0xf5 ? 4 : 1;
    return size < left ? size : left;
}
static inline bool utf8_is_ascii(struct bytes text)
{
    uint64_t high = 0;
    size_t at = 0;
    for (; at + 8 <= text.size; at += 8) {
        uint64_t word;
        memcpy(&word, text.data + at, 8);
        high |= word;
    }
    for (; at < text.size; at++)
        high |= (uint64_t)text.data[at] << 56;
    return (high & 0x8080808080808080u) == 0;
}
static inline int64_t utf8_count(struct bytes text)
{
    int64_t count = 0;
    if (utf8_is_ascii(text))
        return (int64_t)text.size;
    for (size_t at = 0; at < text.size; at += utf8_size(text.data[at], text.size - at))
        count++;
    return count;
}
/* Byte position of character `index` (0-based); text.size when the text is shorter. */
static inline size_t utf8_skip(struct bytes text, int64_t index)
{
    size_t at = 0;
    for (; index > 0 && at < text.size; index--)
        at += utf8_size(text.data[at], text.size - at);
    return at;
}
/* Byte position of `what` in text at or behind `from`; -1 when absent. */
static inline int64_t find_bytes(struct bytes text, struct bytes what, size_t from)
{
    if (from > text.size)
        return -1;
    if (what.size == 0)
        return (int64_t)from;
    const uint8_t *at = memmem(text.data + from, text.size - from, what.data, what.size);
    return at == NULL ? -1 : at - text.data;
}
/* Code point at `at` and its size; 0xfffd for bytes that are none. */
uint32_t utf8_decode(struct bytes text, size_t at, size_t *size);
size_t utf8_encode(uint32_t code, uint8_t out[4]);

#endif

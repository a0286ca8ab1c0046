/* buffer.h - counted memory of a batch: 64-byte aligned, written only while the count is 1.
 *
 * Owns     the header and the bytes are one allocation, freed at the last release
 * Thread   retain and release: any. Writing: only the single owner
 * Padding  capacity is a multiple of 64 and at least 64 bytes past `size` may be READ (not written) by SIMD kernels
 */
#ifndef DATA_BUFFER_H
#define DATA_BUFFER_H

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

struct buffer {
    uint8_t *data;   /* 64-byte aligned */
    size_t size;     /* bytes in use */
    size_t capacity; /* bytes that may be written */
    atomic_int count;
    /* For memory that is somebody else's: called instead of freeing. NULL for our own. */
    void (*release)(void *owner);
    void *owner;
};
/* size = capacity = `size` rounded up for capacity; contents undefined. */
struct buffer *buffer_new(size_t size);
struct buffer *buffer_zero(size_t size);
/* Make capacity at least `capacity`, keeping contents; the buffer may move, so *buffer is updated. Count must be 1.
 * *buffer may be NULL. */
void buffer_grow(struct buffer **buffer, size_t capacity);
struct buffer *buffer_retain(struct buffer *buffer); /* NULL in, NULL out */
void buffer_release(struct buffer *buffer);          /* NULL is fine */

/* ---- bits, least significant first ---- */
static inline int bit_get(const uint8_t *bits, int64_t i) { return (bits[i >> 3] >> (i & 7)) & 1; }
static inline void bit_set(uint8_t *bits, int64_t i) { bits[i >> 3] |= (uint8_t)(1u << (i & 7)); }
static inline void bit_clear(uint8_t *bits, int64_t i) { bits[i >> 3] &= (uint8_t) ~(1u << (i & 7)); }
static inline void bit_put(uint8_t *bits, int64_t i, int on)
{
    bits[i >> 3] = (uint8_t)((bits[i >> 3] & ~(1u << (i & 7))) | ((unsigned)(on != 0) << (i & 7)));
}
static inline size_t bit_bytes(int64_t count) { return (size_t)((count + 7) >> 3); }
int64_t bit_count(const uint8_t *bits, int64_t count); /* ones in [0, count) */
void bit_fill(uint8_t *bits, int64_t count, int on);   /* trailing bits of the last byte become 0 */
/* Copy count bits from bit `from` of src to bit `to` of dst; bits of dst outside stay. No overlap. */
void bit_copy(uint8_t *dst, int64_t to, const uint8_t *src, int64_t from, int64_t count);

#endif

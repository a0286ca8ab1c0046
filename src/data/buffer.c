#include "data/buffer.h"

#include <string.h>

#include "base/memory.h"
#include "data/room.h"

enum { ALIGNMENT = 64, READ_PAST = 64 }; /* READ_PAST: the slack that buffer.h promises to SIMD kernels */

/* Header and bytes in one allocation; the header takes the first cache line. */
static struct buffer *allocate(size_t size)
{
    _Static_assert(sizeof(struct buffer) <= ALIGNMENT, "the bytes start at the second cache line");
    size_t capacity;
    always(!__builtin_add_overflow(size, (size_t)(3 * ALIGNMENT), &capacity));
    capacity = (size + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
    struct buffer *buffer = mem_aligned(ALIGNMENT + capacity + READ_PAST);
    *buffer = (struct buffer){.data = (uint8_t *)buffer + ALIGNMENT, .size = size, .capacity = capacity};
    atomic_init(&buffer->count, 1);
    column_room.used_bytes += (int64_t)capacity;
    return buffer;
}

struct buffer *buffer_new(size_t size) { return allocate(size); }

struct buffer *buffer_zero(size_t size)
{
    struct buffer *buffer = allocate(size);
    memset(buffer->data, 0, buffer->capacity);
    return buffer;
}

void buffer_grow(struct buffer **buffer, size_t capacity)
{
    struct buffer *old = *buffer;
    if (old != NULL && old->capacity >= capacity && old->release == NULL)
        return;
    struct buffer *grown = allocate(old != NULL && old->size > capacity ? old->size : capacity);
    grown->size = 0;
    if (old != NULL) {
        dassert(atomic_load(&old->count) == 1);
        memcpy(grown->data, old->data, old->size);
        grown->size = old->size;
        buffer_release(old);
    }
    *buffer = grown;
}

struct buffer *buffer_retain(struct buffer *buffer)
{
    if (buffer != NULL)
        atomic_fetch_add_explicit(&buffer->count, 1, memory_order_relaxed);
    return buffer;
}

void buffer_release(struct buffer *buffer)
{
    if (buffer == NULL || atomic_fetch_sub_explicit(&buffer->count, 1, memory_order_acq_rel) != 1)
        return;
    if (buffer->release != NULL)
        buffer->release(buffer->owner);
    column_room.used_bytes -= (int64_t)buffer->capacity;
    mem_free(buffer);
}

int64_t bit_count(const uint8_t *bits, int64_t count)
{
    int64_t ones = 0, i = 0;
    for (; i + 64 <= count; i += 64) {
        uint64_t word;
        memcpy(&word, bits + (i >> 3), sizeof word);
        ones += __builtin_popcountll(word);
    }
    for (; i < count; i++)
        ones += bit_get(bits, i);
    return ones;
}

void bit_fill(uint8_t *bits, int64_t count, int on)
{
    memset(bits, on ? 0xff : 0, bit_bytes(count));
    if (on && (count & 7) != 0)
        bits[count >> 3] = (uint8_t)((1u << (count & 7)) - 1);
}

void bit_copy(uint8_t *dst, int64_t to, const uint8_t *src, int64_t from, int64_t count)
{
    for (; count > 0 && (to & 7) != 0; count--)
        bit_put(dst, to++, bit_get(src, from++));
    int shift = (int)(from & 7);
    uint8_t *out = dst + (to >> 3);
    const uint8_t *in = src + (from >> 3);
    int64_t whole = count >> 3;
    if (shift == 0 && whole > 0)
        memcpy(out, in, (size_t)whole);
    else
        for (int64_t i = 0; i < whole; i++)
            out[i] = (uint8_t)(in[i] >> shift | in[i + 1] << (8 - shift));
    for (int64_t i = whole * 8; i < count; i++)
        bit_put(dst, to + i, bit_get(src, from + i));
}

#include "format/snappy_encode.h"

#include <stdbool.h>
#include <string.h>

#include "format/thrift_write.h"

#ifdef __SSE2__
#include <emmintrin.h>
#endif

enum {
    WINDOW = 64, /* bytes compared at once with those one distance before */
    NEAR = 24,   /* a predicted match further ahead does not count: the rows are out of step */
    SHORT_MATCH = 4,
    LONG_MATCH = 8, /* a match from the table that beats a predicted one */
    COPY_MAX = 64,
    LITERAL_AT_ONCE = 16,
    MARGIN = WINDOW + 8 /* bytes at the end of the input that become a literal unread by the loops */
};

struct encoder {
    struct snappy_table *table;
    const uint8_t *start, *end, *limit; /* limit: the last place where a window fits */
    const uint8_t *at;                  /* next byte to look at */
    const uint8_t *literal;             /* first byte not yet written */
    uint8_t *out;
    uint32_t distance; /* of the prediction: that of the last match found by searching */
    uint32_t misses;   /* searches in a row that found nothing: go faster, the data is dense */
};

static inline uint64_t load64(const uint8_t *p)
{
    uint64_t word;
    memcpy(&word, p, sizeof word);
    return word;
}

static inline bool same4(const uint8_t *a, const uint8_t *b)
{
    uint32_t x, y;
    memcpy(&x, a, sizeof x);
    memcpy(&y, b, sizeof y);
    return x == y;
}

/* ---- writing ---- */

static uint8_t *write_long_literal(uint8_t *out, const uint8_t *from, size_t size)
{
    uint32_t rest = (uint32_t)(size - 1);
    if (rest < 60) {
        *out++ = (uint8_t)(rest << 2);
    } else {
        int bytes = rest < 1 << 8 ? 1 : rest < 1 << 16 ? 2 : rest < 1 << 24 ? 3 : 4;
        *out++ = (uint8_t)((59 + bytes) << 2);
        memcpy(out, &rest, sizeof rest);
        out += bytes;
    }
    memcpy(out, from, size);
    return out + size;
}

/* What lies between the last copy and `to`. Reads up to LITERAL_AT_ONCE bytes from its start. */
static inline void write_literal(struct encoder *self, const uint8_t *to)
{
    size_t size = (size_t)(to - self->literal);
    if (size == 0)
        return;
    if (size <= LITERAL_AT_ONCE) {
        *self->out = (uint8_t)((size - 1) << 2);
        memcpy(self->out + 1, self->literal, LITERAL_AT_ONCE);
        self->out += size + 1;
    } else {
        self->out = write_long_literal(self->out, self->literal, size);
    }
}

static inline uint8_t *write_copy64(uint8_t *out, uint32_t distance, uint32_t size)
{
    uint32_t near = 1 | (size - SHORT_MATCH) << 2 | distance >> 8 << 5 | (distance & 0xff) << 8;
    uint32_t far = 2 | (size - 1) << 2 | distance << 8;
    bool is_near = (size < 12) & (distance < 2048);
    uint32_t tag = is_near ? near : far; /* no branch: which one it will be is hard to foresee */
    memcpy(out, &tag, sizeof tag);
    return out + 3 - is_near;
}

/* A copy from `distance` before `from`, which becomes the place to go on from. */
static inline void write_copy(struct encoder *self, const uint8_t *from, uint32_t distance, size_t size)
{
    self->at = self->literal = from + size;
    while (size > COPY_MAX) {
        uint32_t part =
            size < COPY_MAX + SHORT_MATCH ? COPY_MAX - SHORT_MATCH : COPY_MAX; /* leave 4 or more */
        self->out = write_copy64(self->out, distance, part);
        size -= part;
    }
    self->out = write_copy64(self->out, distance, (uint32_t)size);
}

/* ---- matching ---- */

/* Bit i: a[i] == b[i]. */
static inline uint64_t equal_bytes(const uint8_t *a, const uint8_t *b)
{
    uint64_t mask = 0;
#ifdef __SSE2__
    for (int i = 0; i < WINDOW; i += 16) {
        __m128i x = _mm_loadu_si128((const __m128i *)(const void *)(a + i));
        __m128i y = _mm_loadu_si128((const __m128i *)(const void *)(b + i));
        mask |= (uint64_t)(uint32_t)_mm_movemask_epi8(_mm_cmpeq_epi8(x, y)) << i;
    }
#else
    for (int i = 0; i < WINDOW; i += 8) {
        const uint64_t low7 = 0x7f7f7f7f7f7f7f7fu;
        uint64_t differ = load64(a + i) ^ load64(b + i);
        uint64_t zero = ~(((differ & low7) + low7) | differ | low7); /* 0x80 where a byte is 0 */
        mask |= ((zero >> 7) * 0x0102040810204080u >> 56) << i;
    }
#endif
    return mask;
}

static inline size_t match_size(const uint8_t *a, const uint8_t *b, const uint8_t *end)
{
    const uint8_t *start = a;
    for (; a + 8 <= end; a += 8, b += 8) {
        uint64_t differ = load64(a) ^ load64(b);
        if (differ != 0)
            return (size_t)(a - start) + (size_t)__builtin_ctzll(differ) / 8;
    }
    while (a < end && *a == *b)
        a++, b++;
    return (size_t)(a - start);
}

/* Of five bytes: four-byte matches further off hardly save anything. */
static inline uint16_t *slot(struct encoder *self, const uint8_t *at)
{
    return &self->table->position[(load64(at) << 24) * 0x9e3779b97f4a7c15u >> (64 - SNAPPY_HASH_BITS)];
}

static inline void remember(struct encoder *self, const uint8_t *at)
{
    *slot(self, at) = (uint16_t)(at - self->start);
}

/* Distance to an earlier place with the same four bytes, or 0. Remembers this one. */
static inline uint32_t look_up(struct encoder *self, const uint8_t *at)
{
    uint16_t *seen = slot(self, at), position = (uint16_t)(at - self->start);
    uint16_t distance = (uint16_t)(position - *seen);
    *seen = position;
    if (distance == 0 || distance > at - self->start || !same4(at, at - distance))
        return 0;
    return distance;
}

/* ---- the two ways forward ---- */

/* The row before has the same bytes `ahead` bytes from here: unless the table knows a long match right here,
 * copy them. `equal` is the window's mask. */
static inline void copy_predicted(struct encoder *self, uint64_t equal, uint32_t ahead)
{
    if (ahead > 0) {
        uint32_t distance = look_up(self, self->at);
        size_t size = distance == 0 ? 0 : match_size(self->at, self->at - distance, self->end);
        if (size >= LONG_MATCH) {
            write_literal(self, self->at);
            write_copy(self, self->at, distance, size);
            return;
        }
    }
    const uint8_t *from = self->at + ahead;
    uint64_t ends = ~(equal >> ahead);
    size_t size = ends == 0 ? WINDOW : (size_t)__builtin_ctzll(ends);
    if (ahead + size >= WINDOW)
        size += match_size(from + size, from + size - self->distance, self->end);
    write_literal(self, from);
    remember(self, from);
    write_copy(self, from, self->distance, size);
}

/* Nothing predicted near: look at the next places one by one, more sparsely the longer nothing is found. */
static inline void search(struct encoder *self)
{
    const uint8_t *stop = self->at + NEAR < self->limit ? self->at + NEAR : self->limit;
    for (const uint8_t *at = self->at; at < stop; at += 1 + self->misses++ / 32) {
        uint32_t distance = look_up(self, at);
        if (distance == 0)
            continue;
        const uint8_t *from = at, *earlier = at - distance;
        size_t size = SHORT_MATCH + match_size(at + SHORT_MATCH, earlier + SHORT_MATCH, self->end);
        while (from > self->literal && earlier > self->start && from[-1] == earlier[-1])
            from--, earlier--, size++;
        write_literal(self, from);
        write_copy(self, from, distance, size);
        self->distance = distance;
        return;
    }
    self->at = stop + 1 + self->misses / 64 * 8;
}

size_t snappy_bound(size_t size)
{
    return 32 + size + size / 6;
}

size_t snappy_encode(struct snappy_table *table, const uint8_t *in, size_t size, uint8_t *out)
{
    struct encoder self = {.table = table,
                           .start = in,
                           .end = in + size,
                           .limit = in,
                           .at = in,
                           .literal = in,
                           .out = varint_write(out, size),
                           .distance = 1};
    if (size > MARGIN) {
        self.limit = self.end - MARGIN;
        self.at++; /* nothing stands before the first byte */
    }
    memset(table, 0, sizeof *table);
    while (self.at < self.limit) {
        uint64_t equal = equal_bytes(self.at, self.at - self.distance);
        uint64_t runs = equal & equal >> 1;
        runs &= runs >> 2; /* places where four or more equal bytes begin */
        const uint8_t *before = self.literal;
        if (runs << (WINDOW - NEAR) != 0)
            copy_predicted(&self, equal, (uint32_t)__builtin_ctzll(runs));
        else
            search(&self);
        if (self.literal != before) { /* there was a copy */
            self.misses = 0;
            if (self.at < self.limit)
                remember(&self, self.at - 2);
        }
    }
    if (self.literal < self.end)
        self.out = write_long_literal(self.out, self.literal, (size_t)(self.end - self.literal));
    return (size_t)(self.out - out);
}

#include "format/page_crc.h"

#include <zlib.h>

/* A CRC is the remainder of the page, read as a polynomial, so any 128 bits may be replaced by others further on
 * that leave the same remainder. With carry-less multiplication four such 128-bit sums run side by side over the
 * page (V. Gopal et al., "Fast CRC Computation for Generic Polynomials Using PCLMULQDQ", Intel 2009). What is left,
 * 16 bytes and the tail, goes through zlib, whose tables are slow on whole pages */

#if defined(__x86_64__)

#include <immintrin.h>

enum { LANE = 16, STRIDE = 4 * LANE };

/* Powers of x modulo the polynomial, bits reflected: what moves a sum 64 bytes on, and 16. */
#define MOVE_64 _mm_set_epi64x(0x1c6e41596, 0x154442bd4)
#define MOVE_16 _mm_set_epi64x(0x0ccaa009e, 0x1751997d0)

__attribute__((target("pclmul,sse4.1"))) static inline __m128i move(__m128i sum, __m128i by, __m128i next)
{
    __m128i low = _mm_clmulepi64_si128(sum, by, 0x00), high = _mm_clmulepi64_si128(sum, by, 0x11);
    return _mm_xor_si128(_mm_xor_si128(low, high), next);
}

static inline __m128i lane_at(const uint8_t *data) { return _mm_loadu_si128((const __m128i *)(const void *)data); }

/* Sums up whole strides, at least one, of a page; returns how many bytes. */
__attribute__((target("pclmul,sse4.1"))) static size_t sum_up(struct bytes page, uint8_t sum[LANE])
{
    const uint8_t *at = page.data;
    size_t strides = page.size / STRIDE;
    __m128i a = lane_at(at), b = lane_at(at + LANE), c = lane_at(at + 2 * LANE), d = lane_at(at + 3 * LANE);
    a = _mm_xor_si128(a, _mm_cvtsi32_si128(-1)); // the register begins as all ones
    for (size_t i = 1; i < strides; i++) {
        at += STRIDE;
        a = move(a, MOVE_64, lane_at(at));
        b = move(b, MOVE_64, lane_at(at + LANE));
        c = move(c, MOVE_64, lane_at(at + 2 * LANE));
        d = move(d, MOVE_64, lane_at(at + 3 * LANE));
    }
    b = move(a, MOVE_16, b);
    c = move(b, MOVE_16, c);
    d = move(c, MOVE_16, d);
    _mm_storeu_si128((__m128i *)(void *)sum, d);
    return strides * STRIDE;
}

uint32_t page_crc(struct bytes page)
{
    uint8_t sum[LANE];
    if (page.size < 2 * STRIDE || !__builtin_cpu_supports("pclmul") || !__builtin_cpu_supports("sse4.1"))
        return (uint32_t)crc32_z(0, page.data, page.size);
    size_t done = sum_up(page, sum);
    uLong crc = crc32_z(0xffffffff, sum, LANE); // the ones are in the sum already: begin with a register of 0
    return (uint32_t)crc32_z(crc, page.data + done, page.size - done);
}

#else

uint32_t page_crc(struct bytes page) { return (uint32_t)crc32_z(0, page.data, page.size); }

#endif

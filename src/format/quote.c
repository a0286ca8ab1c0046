#include "format/quote.h"

/* ---- any machine ---- */

static bool needs_quotes_bytewise(const struct quoter *self, const uint8_t *text, size_t size)
{
    for (size_t i = 0; i < size; i++)
        if (text[i] == self->separator || text[i] == self->quote || text[i] == '\n' || text[i] == '\r')
            return true;
    return false;
}

static bool is_plain_bytewise(const uint8_t *text, size_t size)
{
    for (size_t i = 0; i < size; i++)
        if (text[i] < 0x20 || text[i] >= 0x80)
            return false;
    return true;
}

static char *copy_escaped_bytewise(const struct quoter *self, const uint8_t *text, size_t size, char *out)
{
    for (size_t i = 0; i < size; i++) {
        if (text[i] == self->quote || text[i] == self->escape)
            *out++ = (char)self->escape;
        *out++ = (char)text[i];
    }
    return out;
}

#if defined(__x86_64__)

#include <immintrin.h>
#include <pthread.h>

/* ---- AVX2: 32 bytes at once; the last block reads past the text's end and forgets what it saw
 * there ---- */

static uint32_t bits_inside(size_t left) { return left >= 32 ? UINT32_MAX : ((uint32_t)1 << left) - 1; }

__attribute__((target("avx2"))) static bool needs_quotes_avx2(const struct quoter *self, const uint8_t *text,
                                                              size_t size)
{
    __m256i separator = _mm256_set1_epi8((char)self->separator), quote = _mm256_set1_epi8((char)self->quote);
    __m256i feed = _mm256_set1_epi8('\n'), back = _mm256_set1_epi8('\r');
    for (size_t i = 0; i < size; i += 32) {
        __m256i bytes = _mm256_loadu_si256((const __m256i *)(const void *)(text + i));
        __m256i one = _mm256_or_si256(_mm256_cmpeq_epi8(bytes, separator), _mm256_cmpeq_epi8(bytes, quote));
        __m256i two = _mm256_or_si256(_mm256_cmpeq_epi8(bytes, feed), _mm256_cmpeq_epi8(bytes, back));
        if (((uint32_t)_mm256_movemask_epi8(_mm256_or_si256(one, two)) & bits_inside(size - i)) != 0)
            return true;
    }
    return false;
}

__attribute__((target("avx2"))) static bool is_plain_avx2(const uint8_t *text, size_t size)
{
    __m256i low = _mm256_set1_epi8(0x1f); // bytes past ASCII are negative, so one comparison sees both
    for (size_t i = 0; i < size; i += 32) {
        __m256i bytes = _mm256_loadu_si256((const __m256i *)(const void *)(text + i));
        uint32_t good = (uint32_t)_mm256_movemask_epi8(_mm256_cmpgt_epi8(bytes, low));
        if ((~good & bits_inside(size - i)) != 0)
            return false;
    }
    return true;
}

/* ---- SSSE3: eight bytes spread out by one shuffle ----
 * A row of `spread` says, for eight bits "this byte needs an escape", where each of up to 16 output
 * bytes comes from: 0..7 a byte of the text, 8 the escape (the upper half of the shuffled register
 * is filled with it).
 */
static uint8_t spread[256][16];

static void spread_compute(void)
{
    for (int mask = 0; mask < 256; mask++) {
        int to = 0;
        for (uint8_t from = 0; from < 8; from++) {
            if (mask >> from & 1)
                spread[mask][to++] = 8;
            spread[mask][to++] = from;
        }
    }
}

__attribute__((target("ssse3,popcnt"))) static char *copy_escaped_ssse3(const struct quoter *self, const uint8_t *text,
                                                                        size_t size, char *out)
{
    __m128i quote = _mm_set1_epi8((char)self->quote), escape = _mm_set1_epi8((char)self->escape);
    for (size_t i = 0; i < size; i += 8) {
        size_t count = size - i < 8 ? size - i : 8;
        __m128i bytes = _mm_loadl_epi64((const __m128i *)(const void *)(text + i));
        __m128i special = _mm_or_si128(_mm_cmpeq_epi8(bytes, quote), _mm_cmpeq_epi8(bytes, escape));
        unsigned mask = (unsigned)_mm_movemask_epi8(special) & ((1u << count) - 1);
        __m128i source = _mm_unpacklo_epi64(bytes, escape);
        __m128i order = _mm_loadu_si128((const __m128i *)(const void *)spread[mask]);
        _mm_storeu_si128((__m128i *)(void *)out, _mm_shuffle_epi8(source, order));
        out += count + (unsigned)__builtin_popcount(mask);
    }
    return out;
}

#endif

void quoter_init(struct quoter *self, char separator, char quote, char escape, int simd)
{
    *self = (struct quoter){(uint8_t)separator,    (uint8_t)quote,    (uint8_t)escape,
                            needs_quotes_bytewise, is_plain_bytewise, copy_escaped_bytewise};
    (void)simd;
#if defined(__x86_64__)
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, spread_compute);
    if (simd != 0 && __builtin_cpu_supports("avx2")) {
        self->needs_quotes = needs_quotes_avx2;
        self->is_plain = is_plain_avx2;
    }
    if (simd != 0 && __builtin_cpu_supports("ssse3") && __builtin_cpu_supports("popcnt"))
        self->copy_escaped = copy_escaped_ssse3;
#endif
}

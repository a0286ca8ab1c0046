#include "format/csv_quote.h"

/* ---- any machine ---- */

static bool needs_quotes_bytewise(const struct csv_quoter *self, const uint8_t *text, size_t size)
{
    for (size_t i = 0; i < size; i++)
        if (text[i] == self->separator || text[i] == self->quote || text[i] == '\n' || text[i] == '\r')
            return true;
    return false;
}

static char *copy_escaped_bytewise(const struct csv_quoter *self, const uint8_t *text, size_t size, char *out)
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

/* ---- AVX2: 32 bytes at once ---- */

__attribute__((target("avx2"))) static bool needs_quotes_avx2(const struct csv_quoter *self, const uint8_t *text, size_t size)
{
    __m256i separator = _mm256_set1_epi8((char)self->separator), quote = _mm256_set1_epi8((char)self->quote);
    __m256i feed = _mm256_set1_epi8('\n'), back = _mm256_set1_epi8('\r');
    size_t i = 0;
    for (; i + 32 <= size; i += 32) {
        __m256i bytes = _mm256_loadu_si256((const __m256i *)(const void *)(text + i));
        __m256i one = _mm256_or_si256(_mm256_cmpeq_epi8(bytes, separator), _mm256_cmpeq_epi8(bytes, quote));
        __m256i two = _mm256_or_si256(_mm256_cmpeq_epi8(bytes, feed), _mm256_cmpeq_epi8(bytes, back));
        if (_mm256_movemask_epi8(_mm256_or_si256(one, two)) != 0)
            return true;
    }
    return needs_quotes_bytewise(self, text + i, size - i);
}

/* ---- SSSE3: eight bytes spread out by one shuffle ----
 * A row of `spread` says, for eight bits "this byte needs an escape", where each of up to 16 output bytes comes from:
 * 0..7 a byte of the text, 8 the escape (the upper half of the shuffled register is filled with it).
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

__attribute__((target("ssse3,popcnt"))) static char *copy_escaped_ssse3(const struct csv_quoter *self, const uint8_t *text,
                                                                        size_t size, char *out)
{
    __m128i quote = _mm_set1_epi8((char)self->quote), escape = _mm_set1_epi8((char)self->escape);
    size_t i = 0;
    for (; i + 8 <= size; i += 8) {
        __m128i bytes = _mm_loadl_epi64((const __m128i *)(const void *)(text + i));
        __m128i special = _mm_or_si128(_mm_cmpeq_epi8(bytes, quote), _mm_cmpeq_epi8(bytes, escape));
        unsigned mask = (unsigned)_mm_movemask_epi8(special) & 0xff;
        __m128i source = _mm_unpacklo_epi64(bytes, escape);
        __m128i order = _mm_loadu_si128((const __m128i *)(const void *)spread[mask]);
        _mm_storeu_si128((__m128i *)(void *)out, _mm_shuffle_epi8(source, order));
        out += 8 + __builtin_popcount(mask);
    }
    return copy_escaped_bytewise(self, text + i, size - i, out);
}

#endif

void csv_quoter_init(struct csv_quoter *self, char separator, char quote, char escape, int simd)
{
    *self = (struct csv_quoter){(uint8_t)separator, (uint8_t)quote, (uint8_t)escape, needs_quotes_bytewise, copy_escaped_bytewise};
    (void)simd;
#if defined(__x86_64__)
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, spread_compute);
    if (simd != 0 && __builtin_cpu_supports("avx2"))
        self->needs_quotes = needs_quotes_avx2;
    if (simd != 0 && __builtin_cpu_supports("ssse3") && __builtin_cpu_supports("popcnt"))
        self->copy_escaped = copy_escaped_ssse3;
#endif
}

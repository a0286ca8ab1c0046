/* The reader of json_rows.h for x86-64 machines with AVX2, which the caller has asked for: 32 bytes
 * at once. */
#include "format/json_records.h"

#if defined(__x86_64__)

#include <immintrin.h>

#include "format/json_skip.h"
#include "format/json_text.h"

#if defined(__clang__)
#pragma clang attribute push(__attribute__((target("avx2,bmi,lzcnt"))), apply_to = function)
#else
#pragma GCC push_options
#pragma GCC target("avx2,bmi,lzcnt")
#endif

enum { JSON_BLOCK = 32 };

struct json_block {
    uint64_t special, high;
};

INLINE struct json_block block_marks(__m256i bytes)
{
    __m256i quote = _mm256_cmpeq_epi8(bytes, _mm256_set1_epi8('"'));
    __m256i slash = _mm256_cmpeq_epi8(bytes, _mm256_set1_epi8('\\'));
    __m256i control = _mm256_cmpeq_epi8(_mm256_min_epu8(bytes, _mm256_set1_epi8(0x1f)), bytes);
    __m256i special = _mm256_or_si256(_mm256_or_si256(quote, slash), control);
    return (struct json_block){(uint32_t)_mm256_movemask_epi8(special), (uint32_t)_mm256_movemask_epi8(bytes)};
}

INLINE struct json_block json_block_load(const uint8_t *p)
{
    return block_marks(_mm256_loadu_si256((const __m256i *)(const void *)p));
}

INLINE struct json_block json_block_copy(const uint8_t *p, uint8_t *out)
{
    __m256i bytes = _mm256_loadu_si256((const __m256i *)(const void *)p);
    _mm256_storeu_si256((__m256i *)(void *)out, bytes);
    return block_marks(bytes);
}

INLINE int64_t json_block_index(uint64_t special) { return __builtin_ctzll(special); }

INLINE bool json_gap_holds(const struct json_key *key, const uint8_t *p)
{
    __m256i there = _mm256_loadu_si256((const __m256i *)(const void *)p);
    __m256i guess = _mm256_loadu_si256((const __m256i *)(const void *)key->gap);
    uint32_t equal = (uint32_t)_mm256_movemask_epi8(_mm256_cmpeq_epi8(there, guess));
    return key->gap_mask != 0 && (~equal & key->gap_mask) == 0;
}

#define JSON_RECORDS json_records_avx2
#include "format/json_rows.h"

#if defined(__clang__)
#pragma clang attribute pop
#else
#pragma GCC pop_options
#endif

#endif

/* hash.h - 64-bit hashes (XXH3) for tables, shards and checksums. Source: xxHash, Debian's libxxhash. */
#ifndef BASE_HASH_H
#define BASE_HASH_H

#include <stddef.h>
#include <stdint.h>

#define XXH_INLINE_ALL
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wundef"
#pragma GCC diagnostic ignored "-Wconversion"
#pragma GCC diagnostic ignored "-Wshadow"
#pragma GCC diagnostic ignored "-Wmissing-prototypes"
#include <xxhash.h>
#pragma GCC diagnostic pop

static inline uint64_t hash_bytes(const void *data, size_t size) { return XXH3_64bits(data, size); }
/* Mix a 64-bit value into a running hash (Stafford's mix 13). */
static inline uint64_t hash_mix(uint64_t hash, uint64_t value)
{
    uint64_t z = hash * 0x9e3779b97f4a7c15u + value;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

#endif

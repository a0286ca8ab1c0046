/* sim_chance.h - chance from a seed. Every part of the simulated world has a stream of its own, so that a change in one
 * does not turn all others round. Thread: one */
#ifndef SIM_CHANCE_H
#define SIM_CHANCE_H

#include <stdbool.h>
#include <stdint.h>

struct sim_chance {
    uint64_t state;
};
/* splitmix64 (Steele, Lea, Flood, 2014) */
static inline uint64_t chance_next(struct sim_chance *chance)
{
    uint64_t z = chance->state += 0x9e3779b97f4a7c15u;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}
static inline struct sim_chance chance_of(uint64_t seed, uint64_t stream)
{
    struct sim_chance chance = {seed * 0x2545f4914f6cdd1du + stream};
    (void)chance_next(&chance);
    return chance;
}
/* 0 .. count-1 */
static inline int64_t chance_below(struct sim_chance *chance, int64_t count)
{
    return (int64_t)(chance_next(chance) % (uint64_t)count);
}
static inline int64_t chance_between(struct sim_chance *chance, int64_t low, int64_t high) /* both included */
{
    return low + chance_below(chance, high - low + 1);
}
static inline bool chance_one_in(struct sim_chance *chance, int64_t count) { return chance_below(chance, count) == 0; }

#endif

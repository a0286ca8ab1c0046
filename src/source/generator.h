/* generator.h - what the generators share; private to source/.
 *
 * Shape    a kind writes one good record, or one with defect `defect` of its list. Defect 0 is
 *          always "malformed", which generator.c makes out of the good record
 * Speed    no snprintf and no allocation per record: text is reserved once and written by put_*
 *          (generator_text.h)
 */
#ifndef SOURCE_GENERATOR_H
#define SOURCE_GENERATOR_H

#include "source/generator_text.h"
#include "source/source.h"

/* Random numbers of one record (splitmix64): they follow from seed and index alone. */
struct draw {
    uint64_t state;
    int64_t index; /* which record it is */
};
static inline uint64_t draw_next(struct draw *draw)
{
    uint64_t z = draw->state += 0x9e3779b97f4a7c15u;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}
/* A number in [0, count), from the upper 32 bits of `random`; count <= 2^32. */
static inline uint32_t scale(uint64_t random, uint64_t count) { return (uint32_t)(((random >> 32) * count) >> 32); }
static inline uint32_t draw_below(struct draw *draw, uint64_t count) { return scale(draw_next(draw), count); }

enum { DEFECT_NONE = -1, DEFECT_MALFORMED = 0, GENERATOR_KEYS_MAX = 1000000000 };

struct generator_kind {
    const char *name;
    const char *const *defects; /* the first is "malformed" */
    int defect_count;
    void (*record)(struct generator *self, struct draw *draw, int defect, int64_t event_us, struct text *key,
                   struct text *value);
};
extern const struct generator_kind transactions_kind, events_kind, invoices_kind, nexmark_kind, impressions_kind,
    clicks_kind;

struct generator {
    struct generator_spec spec;
    const struct generator_kind *kind;
    uint64_t bad_below, late_below; /* of 2^32 */
    double us_per_record;
    struct day_text day;
};

/* A key number, the small ones a little more often. */
uint32_t generator_key(const struct generator *self, struct draw *draw);
/* "2026-01-01T02:00:00.123456+02:00" in one of several zones, quotes included. */
char *generator_time(struct generator *self, char *at, struct draw *draw, int64_t us);
/* "2026-01-01T00:00:00.123456Z", quotes included. */
char *generator_instant(struct generator *self, char *at, int64_t us);

#endif

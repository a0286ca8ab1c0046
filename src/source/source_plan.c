/* source_plan.c - how many records of each partition the next epoch takes. */
#include "source/source.h"

#include <math.h>

static int64_t left(const struct source_range *range)
{
    return range->latest > range->from ? range->latest - range->from : 0;
}

/* Spark's rule (KafkaMicroBatchStream.rateLimit), floating point included, so that both split a
 * backlog alike: each partition gets its share rounded down, but at least one record when it has
 * any. */
static int64_t share(int64_t rows_max, int64_t size, double total)
{
    double exact = (double)rows_max * ((double)size / total);
    return (int64_t)(exact < 1 ? ceil(exact) : floor(exact));
}

void source_plan(struct source_ranges *ranges, int64_t rows_max)
{
    int64_t total = 0;
    for (int32_t i = 0; i < ranges->count; i++)
        total += left(&ranges->items[i]);
    for (int32_t i = 0; i < ranges->count; i++) {
        struct source_range *range = &ranges->items[i];
        int64_t size = left(range);
        int64_t take = rows_max > 0 && size > 0 ? share(rows_max, size, (double)total) : size;
        range->to = range->from + (take < size ? take : size);
    }
}

/* source_ranges.c - the list of partitions and their places. */
#include "source/source.h"

void source_ranges_free(struct source_ranges *ranges)
{
    for (int32_t i = 0; i < ranges->count; i++)
        mem_free((void *)(uintptr_t)ranges->items[i].topic);
    mem_free(ranges->items);
    *ranges = (struct source_ranges){0};
}

struct source_range *source_ranges_add(struct source_ranges *ranges, const char *topic, int32_t partition)
{
    mem_grow(ranges->items, ranges->capacity, ranges->count + 1);
    struct source_range *range = &ranges->items[ranges->count++];
    *range = (struct source_range){.topic = mem_strdup(topic), .partition = partition, .to = -1};
    return range;
}

void source_ranges_copy(struct source_ranges *out, const struct source_ranges *ranges)
{
    source_ranges_free(out);
    for (int32_t i = 0; i < ranges->count; i++) {
        struct source_range *copy = source_ranges_add(out, ranges->items[i].topic, ranges->items[i].partition);
        const char *topic = copy->topic;
        *copy = ranges->items[i];
        copy->topic = topic;
    }
}

struct source_range *source_ranges_find(const struct source_ranges *ranges, const char *topic, int32_t partition)
{
    for (int32_t i = 0; i < ranges->count; i++) {
        struct source_range *range = &ranges->items[i];
        if (range->partition == partition && strcmp(range->topic, topic) == 0)
            return range;
    }
    return NULL;
}

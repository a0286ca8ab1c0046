#include "query/sort_items.h"

#include <string.h>

#include "base/stop_watch.h"

enum { WORD = 8, WORDS_MAX = 4, MERGED_MAX = 256, INSERTED_MAX = 12, BYTES_A_STEP = 64 };

/* The next word of what is left of a key. */
static void word_take(struct sort_item *item)
{
    uint32_t used = item->rest < WORD ? item->rest : WORD;
    uint64_t word = 0;
    memcpy(&word, item->data, used);
    item->word = __builtin_bswap64(word);
    item->data += used;
    item->rest -= used;
}

struct sort_item sort_item_of(struct bytes key, uint32_t row)
{
    uint64_t limit = (uint64_t)UINT32_MAX + WORD;
    uint64_t size = key.size < limit ? key.size : limit;
    struct sort_item item = {.data = key.data, .row = row};
    uint32_t used = size < WORD ? (uint32_t)size : WORD;
    item.rest = used;
    word_take(&item);
    item.rest = (uint32_t)(size - used);
    return item;
}

/* ---- by comparisons ---- */

static inline bool stands_before(const struct sort_item *x, const struct sort_item *y)
{
    if (x->word != y->word)
        return x->word < y->word;
    uint32_t common = x->rest < y->rest ? x->rest : y->rest;
    if (common > BYTES_A_STEP && stop_asked(common / BYTES_A_STEP))
        return false;
    int order = common > 0 ? memcmp(x->data, y->data, common) : 0;
    return order != 0 ? order < 0 : x->rest < y->rest;
}

static void insert_each(struct sort_item *items, int64_t count)
{
    for (int64_t i = 1; i < count; i++) {
        struct sort_item moved = items[i];
        int64_t at = i;
        for (; at > 0 && stands_before(&moved, &items[at - 1]); at--)
            items[at] = items[at - 1];
        items[at] = moved;
    }
}

static void merge_sort(struct sort_item *items, struct sort_item *scratch, int64_t count)
{
    if (count <= INSERTED_MAX) {
        insert_each(items, count);
        return;
    }
    int64_t half = count / 2, a = 0, b = half, at = 0;
    if (stop_asked(count))
        return;
    merge_sort(items, scratch, half);
    merge_sort(items + half, scratch, count - half);
    if (!stands_before(&items[half], &items[half - 1]))
        return; // they were in order
    memcpy(scratch, items, (size_t)half * sizeof *items);
    while (a < half && b < count)
        items[at++] = stands_before(&items[b], &scratch[a]) ? items[b++] : scratch[a++];
    memcpy(items + at, scratch + a, (size_t)(half - a) * sizeof *items);
}

/* ---- by words ---- */

/* How often each byte value comes at each place of the words. */
static void bytes_count(const struct sort_item *items, int64_t count, uint32_t counts[WORD][256])
{
    memset(counts, 0, sizeof(uint32_t[WORD][256]));
    for (int64_t i = 0; i < count; i++)
        for (int b = 0; b < WORD; b++)
            counts[b][items[i].word >> (8 * b) & 0xff]++;
}

static void words_sort(struct sort_item *items, struct sort_item *scratch, int64_t count)
{
    uint32_t counts[WORD][256];
    struct sort_item *from = items, *to = scratch;
    bytes_count(items, count, counts);
    for (int b = 0; b < WORD && !stop_asked(count); b++) {
        uint32_t *starts = counts[b], next = 0;
        if (starts[items[0].word >> (8 * b) & 0xff] == count)
            continue; // all have the same
        for (int value = 0; value < 256; value++) {
            uint32_t here = starts[value];
            starts[value] = next;
            next += here;
        }
        for (int64_t i = 0; i < count; i++)
            to[starts[from[i].word >> (8 * b) & 0xff]++] = from[i];
        struct sort_item *full = to;
        to = from;
        from = full;
    }
    if (from != items)
        memcpy(items, from, (size_t)count * sizeof *items);
}

static void words_follow(struct sort_item *items, struct sort_item *scratch, int64_t count, int words)
{
    if (count <= MERGED_MAX || words == WORDS_MAX) {
        merge_sort(items, scratch, count);
        return;
    }
    words_sort(items, scratch, count);
    for (int64_t i = 0, to; i < count && !stop_is_up(); i = to) {
        for (to = i + 1; to < count && items[to].word == items[i].word; to++)
            ;
        if (to == i + 1 || items[i].rest == 0)
            continue;
        for (int64_t k = i; k < to; k++)
            word_take(&items[k]);
        words_follow(items + i, scratch, to - i, words + 1);
    }
}

void sort_items(struct sort_item *items, struct sort_item *scratch, int64_t count)
{
    words_follow(items, scratch, count, 0);
}

/* sort_items.h - inside query/: keys in order, of which no one begins with another one (sort_key.h).
 *
 * Way      word by word: eight bytes of every key as a number, sorted byte by byte from the last (LSD radix; bytes that all
 *          have alike are passed over); those that are equal so far go on with their next word. Few items, and those that
 *          are still equal after WORDS_MAX words, are merged by comparisons
 * Stable   equal keys keep their order
 * Stops    when it is asked (base/stop_watch.h): the items are then in some order
 */
#ifndef QUERY_SORT_ITEMS_H
#define QUERY_SORT_ITEMS_H

#include "base/bytes.h"

struct sort_item {
    uint64_t word;       /* the key's next eight bytes, zeros behind its end */
    const uint8_t *data; /* of the key behind the word */
    uint32_t row;
    uint32_t rest; /* bytes behind the word, at most UINT32_MAX */
};
struct sort_item sort_item_of(struct bytes key, uint32_t row);
/* `scratch`: room for as many. */
void sort_items(struct sort_item *items, struct sort_item *scratch, int64_t count);

#endif

/* lookup_table.h - the still side of a lookup: its rows in one batch, and chains of them by key.
 *
 *   index   key -> first row of the key         (state table, slot = uint32 first)
 *   next    row -> next row with the same key   (LOOKUP_END ends a chain; rows ascend along it)
 *
 * Thread   built by one thread; read by all lanes at once
 */
#ifndef OPERATOR_LOOKUP_TABLE_H
#define OPERATOR_LOOKUP_TABLE_H

#include "operator/lookup_loop.h"

#define LOOKUP_END UINT32_MAX

struct lookup_table {
    struct batch rows;
    struct state_table *index;
    uint32_t *next;
    uint32_t first;          /* without keys: every row is in one chain */
    struct loop_blocks loop; /* the same rows, for an ON that can be computed in blocks */
    bool has_null;           /* a row whose key is NULL, for NOT IN */
    bool empty;              /* no rows at all, whatever their keys */
    struct budget *budget;
    size_t charged_bytes;
};
/* First row with the key, or LOOKUP_END. */
static inline uint32_t lookup_first(const struct lookup_table *table, struct bytes key, uint64_t hash)
{
    uint32_t slot = state_find(table->index, key, hash);
    if (slot == UINT32_MAX)
        return LOOKUP_END;
    uint32_t first;
    memcpy(&first, state_base(table->index) + slot * state_stride(table->index), sizeof first);
    return first;
}

/* Whether row has a NULL in a key that is compared with =. */
static inline bool lookup_key_null(const struct column *keys, int32_t count, const bool *null_safe, int64_t row)
{
    for (int32_t k = 0; k < count; k++)
        if ((null_safe == NULL || !null_safe[k]) && !column_valid_at(&keys[k], row))
            return true;
    return false;
}

#endif

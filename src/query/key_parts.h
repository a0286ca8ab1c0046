/* key_parts.h - inside query/: rows parted by their keys' hash on disk, so that each part fits where all did not.
 *
 * Level    a part that is still too large is parted again, by other bits of the hash. PARTITION_LEVELS_MAX levels in all:
 *          rows of one key stay together, and no level parts them
 * Sides    a partition has rows of one input, or of two that are to be brought together: equal keys, equal partition
 * Holds    a block's worth of rows of each partition
 */
#ifndef QUERY_KEY_PARTS_H
#define QUERY_KEY_PARTS_H

#include "query/rows_file.h"

enum { PARTITION_BITS = 4, PARTITIONS = 1 << PARTITION_BITS, PARTITION_LEVELS_MAX = 32 / PARTITION_BITS, SIDES = 2 };

/* Rows that wait. */
struct part {
    struct rows_file *file; /* a user of it */
    struct rows_list lists[SIDES];
    int32_t level; /* of the partitions that it becomes if it is too large */
};
struct part_stack {
    struct part *parts;
    int32_t count, capacity;
};
/* Takes the last one off; false: there are no more. */
bool part_take(struct part_stack *self, struct part *out);
void part_free(struct part *self);
/* The next rows of a side: of the part, *block counted on, or, when that has no file, of the stage's input until *ended. None:
 * the side has ended. */
MUST_CHECK enum code part_rows_next(const struct part *self, struct stage *stage, int32_t side, int32_t *block,
                                    bool *ended, struct batch *out, struct error *err);
void part_stack_free(struct part_stack *self);

struct partitions {
    struct query *query;
    int32_t level;
    struct rows_file *file;
    struct rows_list lists[PARTITIONS][SIDES];
    struct batch waiting[PARTITIONS][SIDES];
    int64_t waiting_bytes[PARTITIONS][SIDES];
    size_t block_bytes;
};
/* E_MEMORY: they have been parted as often as it goes. */
MUST_CHECK enum code partitions_new(struct query *query, int32_t level, struct partitions **out, struct error *err);
/* Rows of a batch, by number; `hashes` are of all its rows. */
MUST_CHECK enum code partitions_add(struct partitions *self, int32_t side, const struct batch *batch,
                                    const uint64_t *hashes, const int32_t *rows, int64_t count, struct error *err);
/* All rows are there: the partitions that have some become parts. */
MUST_CHECK enum code partitions_end(struct partitions *self, struct part_stack *out, struct error *err);
void partitions_free(struct partitions *self); /* NULL is fine */

#endif

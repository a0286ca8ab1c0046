/* group_stage.h - inside query/: GROUP BY's stage, of which group.c is the path of rows and groups in memory, group_parts.c
 * the way to disk and back.
 *
 * Full     when the table cannot grow, it keeps the groups that it has; rows of others go to disk, parted by key, and are
 *          grouped part by part. When its groups cannot grow (collect_list), they leave for the parts too
 * Memory   the table asks the query's budget itself; what states hold outside it is summed in heap_bytes, and asked for
 *          after each batch
 */
#ifndef QUERY_GROUP_STAGE_H
#define QUERY_GROUP_STAGE_H

#include "query/portion.h"
#include "query/row_keys.h"

struct group_call {
    const struct aggregate_call *call;
    size_t offset;  /* of its state in the slot */
    int32_t args;   /* first root */
    int32_t filter; /* root; -1 = none */
};
struct group_stage {
    struct stage base;
    struct portions portions;
    struct computation distinct;    /* the roots that differ, */
    int32_t *root_of;               /* and which of them each root is */
    struct column *roots;           /* of the batch at hand; borrowed */
    const struct type *rows_schema; /* of the distinct roots */
    const struct type *states_schema;
    int32_t root_count;
    struct partitions *partitions; /* of what the table has no room for */
    struct part_stack parts;
    int32_t level;
    struct group_call *calls; /* heap */
    size_t states_bytes;
    struct state_table *table;
    size_t heap_bytes, charged_bytes;
    uint32_t *slots; /* all groups in order */
    int64_t slot_count;
    size_t slot_capacity;
    int64_t given;
    bool grouped;
};

static inline uint8_t *group_state(const struct group_stage *self, int64_t group, const struct group_call *call)
{
    return state_base(self->table) + self->slots[group] * state_stride(self->table) + call->offset;
}

/* ---- group.c ---- */

/* Adds a batch of distinct roots to their groups. */
MUST_CHECK enum code group_take_rows(struct group_stage *self, const struct batch *rows, struct error *err);
/* Forgets all groups and what they hold. */
void group_clear(struct group_stage *self);

/* ---- group_parts.c ---- */

void group_parts_open(struct group_stage *self);
/* The table takes no new groups any more: rows of others leave. `here`: a bit per row, set for those of its groups. */
MUST_CHECK enum code group_part_rows(struct group_stage *self, struct row_keys *keys, const struct batch *rows,
                                     uint8_t *here, struct error *err);
/* Asks for what the states have grown by; where that is refused, all groups leave. */
MUST_CHECK enum code group_settle(struct group_stage *self, struct error *err);
/* The groups of the next part that has some; none: slot_count stays 0. The table must be clear. */
MUST_CHECK enum code group_next_part(struct group_stage *self, struct error *err);
void group_parts_close(struct group_stage *self);

#endif

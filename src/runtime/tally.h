/* tally.h - what became of the rows of each partition: the counts of the plan's nodes again, by slot (data/batch.h).
 *
 * Fast     a batch whose records are of one partition costs a subtraction a node: what the stage counted for it. Only a
 *          mixed batch is looked at row by row, and only where a stage dropped, added or took in rows
 * Shape    a row of operator_counts per slot that was met, one entry per plan node, and the rows that each table's sink
 *          took; made when a slot is first met, kept from epoch to epoch
 * Counted  out: for every node of batches that are of one partition, of mixed ones for nodes that the ledger asks for
 *          (tally_plan); exploded: out + filtered + rejected - in, of nodes that can explode; the others as the
 *          stages count them. Not `in` of other nodes
 * Not      what stands still, and rows that were born of state: they have no origin
 * Thread   one; each lane has its own, added up when the lanes are quiet
 */
#ifndef RUNTIME_TALLY_H
#define RUNTIME_TALLY_H

#include "operator/operator.h"
#include "runtime/runtime.h"

/* What depends on the plan alone. */
struct tally_plan {
    const struct pipeline *pipeline;
    bool *asks_out, *explodes; /* per plan node */
    bool deduplicates;         /* some node does */
};
void tally_plan_init(struct tally_plan *self, struct arena *arena, const struct pipeline *pipeline);

struct tally {
    const struct tally_plan *plan;
    int32_t slot_count; /* of the epoch: slots are below */
    int32_t *row_of;    /* per slot: its row, or -1 */
    int32_t slot_capacity;
    int32_t *slots;                /* per row: its slot; ascending only after tally_add */
    struct operator_counts *nodes; /* per row and plan node */
    int64_t *tables, *refused;     /* per row and table: rows that the sink took, and that it could not take */
    int32_t row_count, row_capacity;
    struct tally_stage *stages; /* per plan node: what its stage tells about rows of mixed batches */
    int64_t *in, *out;          /* scratch, per slot */
};
struct tally_stage {
    uint8_t *fates; /* per row of the batch at work */
    int64_t capacity;
    int64_t *duplicates; /* of a node that removes duplicates: per slot */
};
void tally_init(struct tally *self, const struct tally_plan *plan);
void tally_free(struct tally *self);
/* Everything is zero again. */
void tally_begin(struct tally *self, int32_t slot_count);
/* Where the node counts its duplicates, per slot; until the next begin. NULL when it removes none. */
int64_t *tally_duplicates(const struct tally *self, int32_t node);

/* Around one batch in one stage: begin, the stage, its rejects still listed, end. `out`: what the stage made of a batch at
 * once, or NULL when it takes rows in or delivers by itself. */
struct tally_step {
    struct operator_counts before;
    const struct batch *in;
    int32_t node;
};
void tally_step_begin(struct tally *self, struct tally_step *step, int32_t node, const struct batch *in,
                      struct operator_counts *counts);
void tally_step_end(struct tally *self, const struct tally_step *step, struct operator_counts *counts,
                    const struct rejects *rejects, const struct batch *out);
/* A batch leaves a node; a table's sink takes one. */
void tally_out(struct tally *self, int32_t node, const struct batch *batch);
void tally_table(struct tally *self, int32_t table, const struct batch *batch);
/* Rows of `all` that are not in `taken`: the table's sink cannot take them. */
void tally_refused(struct tally *self, int32_t table, const struct batch *all, const struct batch *taken);

/* Rows replayed into a node: `came` get there, and the node counts them in; the others were on their way. */
void tally_replayed(struct tally *self, int32_t slot, int32_t node, int64_t came, int64_t filtered, int64_t rejected);

/* The sum of lanes, by slot, ascending; exploded is computed. `into` was begun with as many slots. */
void tally_add(struct tally *into, const struct tally *lanes, int32_t lane_count);
static inline const struct operator_counts *tally_row(const struct tally *self, int32_t row)
{
    return self->nodes + (size_t)row * (size_t)self->plan->pipeline->node_count;
}
static inline const int64_t *tally_row_refused(const struct tally *self, int32_t row)
{
    return self->refused + (size_t)row * (size_t)self->plan->pipeline->table_count;
}
static inline const int64_t *tally_row_tables(const struct tally *self, int32_t row)
{
    return self->tables + (size_t)row * (size_t)self->plan->pipeline->table_count;
}

#endif

/* graph.h - the plan made executable: one set of stage instances per lane, batches pushed along the edges.
 *
 *     source batch -> push -> decode -> project -> +-> filter -> project -> table writer   (a lane = one worker's
 *                                                  +-> watermark -> aggregate lane           instances; no locks)
 *
 * In       batches at source nodes; at the end of an epoch, shard merges that emit into the nodes behind
 * Out      rows to outputs (tables), rejected rows to outputs' quarantine
 * Owns     stage instances and aggregate state; borrows the plan (arena) and the outputs
 * Thread   graph_push with different lanes in parallel; one thread per lane. All else with lanes quiet
 */
#ifndef RUNTIME_GRAPH_H
#define RUNTIME_GRAPH_H

#include "format/format.h"
#include "operator/operator.h"
#include "runtime/outputs.h"
#include "runtime/runtime.h"

enum cpu_bucket { CPU_FETCH, CPU_DECODE, CPU_EXPRESSIONS, CPU_AGGREGATE, CPU_ENCODE, CPU_COMMIT, CPU_BUCKETS };

/* CPU time of one thread by bucket; switching charges what ran since the last switch. */
struct cpu_meter {
    int64_t spent_us[CPU_BUCKETS];
    int64_t since_us;
    enum cpu_bucket now;
};
void cpu_meter_start(struct cpu_meter *meter, enum cpu_bucket bucket);
enum cpu_bucket cpu_meter_switch(struct cpu_meter *meter, enum cpu_bucket bucket); /* returns the one before */
void cpu_meter_stop(struct cpu_meter *meter);

struct graph;
struct graph_spec {
    const struct pipeline *pipeline;
    const struct session *session;
    struct outputs *outputs;
    struct budget *budget;
    int32_t lanes, shards;
    bool fail_on_error;                /* leat.on_error = fail */
};
MUST_CHECK enum code graph_open(const struct graph_spec *spec, struct graph **out, struct error *err);
void graph_close(struct graph *graph);

/* Fixed for the epoch: watermarks and batch time. Clears counts and what lanes saw. */
void graph_begin(struct graph *graph, const struct epoch_time *time, int64_t batch_time_us);
/* A fetched batch of source node `node` (plan id). The batch is borrowed. */
MUST_CHECK enum code graph_push(struct graph *graph, int32_t lane, int32_t node, const struct batch *batch, struct error *err);
/* Stateful nodes, in topological order; the runtime merges each one's shards (in parallel) before the next node's. */
int32_t graph_stateful_count(const struct graph *graph);
MUST_CHECK enum code graph_merge(struct graph *graph, int32_t stateful, int32_t shard, int32_t lane, struct error *err);
void graph_lanes_clear(struct graph *graph, int32_t stateful);
int32_t graph_shards(const struct graph *graph);
/* Bytes of one shard of a stateful node for the chain: its delta, or its whole state; appended to `out`. */
MUST_CHECK enum code graph_save(struct graph *graph, int32_t stateful, int32_t shard, bool whole, struct text *out,
                                struct error *err);
MUST_CHECK enum code graph_restore(struct graph *graph, int32_t stateful, struct bytes stored, struct error *err);
int32_t graph_stateful_node(const struct graph *graph, int32_t stateful);   /* its plan id */

/* Largest event time seen in this epoch by each watermark node, or INT64_MIN; watermark_count entries. */
void graph_seen(const struct graph *graph, int64_t *seen_us);
/* Counts of this epoch per plan node, summed over lanes; node_count entries. */
void graph_counts(const struct graph *graph, struct operator_counts *counts);
int64_t graph_groups(const struct graph *graph);
size_t graph_state_bytes(const struct graph *graph);
/* CPU time of all lanes since open, added to `into`. */
void graph_cpu(const struct graph *graph, int64_t *into);
struct cpu_meter *graph_meter(struct graph *graph, int32_t lane);

#endif

/* graph.h - the plan made executable: one set of stage instances per lane, batches pushed along the edges.
 *
 *     source batch -> push -> decode -> project -> +-> filter -> project -> table writer   (a lane = one worker's
 *                                                  +-> watermark -> aggregate lane           instances; no locks)
 *
 * In       batches at source nodes; at the end of an epoch, shard merges that emit into the nodes behind
 * Out      rows to outputs (tables), rejected rows to outputs' quarantine
 * Owns     stage instances and aggregate state; borrows the plan (arena) and the outputs
 * Guard    rows whose event time is more than leat.watermark.max_future ahead of their record's timestamp go to the
 *          quarantine before the watermark sees them: one clock gone wrong must not make everybody else late
 * Thread   graph_push with different lanes in parallel; one thread per lane. All else with lanes quiet
 */
#ifndef RUNTIME_GRAPH_H
#define RUNTIME_GRAPH_H

#include "format/format.h"
#include "operator/operator.h"
#include "runtime/cpu_meter.h"
#include "runtime/outputs.h"
#include "runtime/replay_route.h"
#include "runtime/runtime.h"
#include "runtime/sightings.h"
#include "runtime/tally.h"
#include "runtime/view_wait.h"

struct graph;
struct graph_spec {
    const struct pipeline *pipeline;
    const struct session *session;
    struct outputs *outputs;
    struct budget *budget;
    const char *tables_path; /* leat.tables.path */
    const char *spill_path;  /* leat.spill.path, or NULL */
    int32_t lanes, shards;
    bool fail_on_error;    /* leat.on_error = fail */
    int64_t max_future_us; /* leat.watermark.max_future; 0 = no limit */
};
MUST_CHECK enum code graph_open(const struct graph_spec *spec, struct graph **out, struct error *err);
void graph_close(struct graph *graph);

/* Fixed for the epoch: watermarks per plan node, batch time, and how many slots (data/batch.h) records may have. Clears
 * counts and what lanes saw. */
void graph_begin(struct graph *graph, const struct epoch_time *times, int64_t batch_time_us, int32_t slot_count);
/* A fetched batch of source node `node` (plan id). The batch is borrowed. */
MUST_CHECK enum code graph_push(struct graph *graph, int32_t lane, int32_t node, const struct batch *batch,
                                struct error *err);
/* Records out of a quarantine, in lane 0 with all lanes quiet, between begin and the first batch of a source. They
 * enter at the source's node and end where `route` says, or in the quarantine again. */
struct replay_rows {
    const struct replay_route *route;
    const struct plan *source;
    const struct batch *rows;      /* with an origin; row i is record i */
    const int64_t *lineages;       /* per row: which of its record's rows is meant */
    const struct rejection *about; /* what the quarantine says of them */
    int32_t slot;
};
MUST_CHECK enum code graph_replay(struct graph *graph, const struct replay_rows *replay, struct error *err);
/* Computes what stands still: what streams look up and, with write_views, the rows of materialized views. Before the epoch's
 * first batch; what was computed before is forgotten. A view whose query fails for its data keeps the rows it has, and so do
 * those that read it; with fail_on_error that is an error. */
bool graph_has_still(const struct graph *graph);
struct still_views {
    bool write;
    struct view_wait *waits; /* per table; NULL: none is left out, whatever failed before */
    int32_t written, failed; /* views */
    int32_t left_out;        /* those that wait */
    struct error failure;    /* of the first that failed */
};
MUST_CHECK enum code graph_still_compute(struct graph *graph, struct still_views *views, struct error *err);
/* Stateful nodes, in topological order; the runtime merges each one's shards (in parallel) before the next node's. */
int32_t graph_stateful_count(const struct graph *graph);
MUST_CHECK enum code graph_merge(struct graph *graph, int32_t stateful, int32_t shard, int32_t lane, struct error *err);
void graph_lanes_clear(struct graph *graph, int32_t stateful);
int32_t graph_shards(const struct graph *graph);
/* Its stage, to save and restore; and the times it works with in this epoch. */
struct stateful *graph_stateful(const struct graph *graph, int32_t stateful);
const struct epoch_time *graph_stateful_time(const struct graph *graph, int32_t stateful);
const struct plan *graph_stateful_plan(const struct graph *graph, int32_t stateful);
/* "aggregate of gold": what it does, and for which table. */
const char *graph_stateful_name(const struct graph *graph, int32_t stateful);
const char *graph_stateful_what(const struct graph *graph, int32_t stateful); /* change.h */

/* Largest event time seen in this epoch by each watermark node, or INT64_MIN; watermark_count entries. */
void graph_seen(const struct graph *graph, int64_t *seen_us);
/* Counts of this epoch per plan node, summed over lanes; node_count entries. */
void graph_counts(const struct graph *graph, struct operator_counts *counts);
/* The same by slot; once an epoch, before the next begins. */
const struct tally *graph_tally(struct graph *graph);
/* Fields of payloads that their decoder's schema does not name: whether there are any; those not told before; and how often
 * each was met by each lane, since the graph was opened. */
bool graph_has_strangers(const struct graph *graph);
void graph_sightings(struct graph *graph, void (*each)(void *context, const struct sighting *sighting), void *context);
void graph_strangers(const struct graph *graph,
                     void (*each)(void *context, const struct plan *plan, const char *path, int64_t met),
                     void *context);
int64_t graph_groups(const struct graph *graph);
size_t graph_state_bytes(const struct graph *graph);
/* CPU time of all lanes since open, added to `into`. */
void graph_cpu(const struct graph *graph, int64_t *into);
struct cpu_meter *graph_meter(struct graph *graph, int32_t lane);

#endif

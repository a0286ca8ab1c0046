/* graph_parts.h - private to graph*.c: what a graph is made of.
 *
 * Files    graph_build.c opens and closes it; graph_push.c sends batches through the lanes; graph_still.c computes what
 *          stands still; graph.c runs epochs: merging, saving, counting
 * Owns     see graph.h
 */
#ifndef RUNTIME_GRAPH_PARTS_H
#define RUNTIME_GRAPH_PARTS_H

#include "runtime/graph.h"
#include "runtime/plan_stage.h"
#include "runtime/tally.h"

/* Who takes a node's output. */
struct edge {
    bool to_table;
    int32_t target; /* plan id, or table index */
    int32_t port;   /* which input of the target */
};
/* Batches of an input that stands still. */
struct still_rows {
    struct batch *batches;
    int32_t count, capacity;
    size_t charged_bytes;
};
/* A stream's join with an input that stands still. */
struct lookup_stage {
    struct lookup_spec spec;
    int32_t still;          /* the input that is hashed */
    struct still_rows rows; /* of that input, until they are complete */
    struct lookup_table *table;
};
struct node {
    const struct plan *plan;
    struct edge *edges;
    int32_t edge_count, edge_capacity;
    struct stateful *stage;      /* of a node with state */
    struct lookup_stage *lookup; /* of a lookup */
    const char *name;            /* of a node that merges: "aggregate of gold" */
    const char *what;            /* of a stateful one: change.h */
    int32_t *late_tables;        /* tables behind it that keep late rows */
    int32_t late_count, late_capacity;
    bool meets_itself; /* of a UNION: two of its branches have a source in common */
};
/* One lane's instance of a node. */
struct instance {
    struct filter *filter;
    struct project *project; /* PROJECT; DECODE: computes the payload; WATERMARK, UNION: nothing */
    struct generate *generate;
    struct lookup *lookup;
    struct rejects lookup_rejects; /* its own: what it finds goes on while it is at work */
    const struct decoder_type *decoder_type;
    void *decoder;
    int32_t strangers; /* that the decoder had met when payloads were last looked at */
    struct sightings sightings;
    struct operator_counts counts;
    int64_t seen_us; /* WATERMARK: largest event time of the epoch */
};
/* Rows that are being replayed, until they have passed a gate. */
struct replaying {
    const struct replay_rows *what;
    struct rejected_again again;
    bool *rejected;      /* per record: on its way */
    int64_t **came;      /* per plan node: of a gate, per record: rows that passed */
    struct tally *tally; /* the lane's own, for what is behind the gates */
};
struct lane {
    struct replaying *replaying; /* or NULL */
    struct instance *instances;  /* by plan id */
    struct rejects rejects;
    struct selection late;
    struct tally *tally;
    struct cpu_meter meter;
    int32_t index;
    char padding[64]; /* lanes are written by different threads: no shared cache line */
};
struct graph {
    struct graph_spec spec;
    struct session session;   /* with the epoch's batch time */
    struct epoch_time *times; /* by plan id */
    struct arena arena;
    struct node *nodes;
    int32_t node_count;
    struct lane *lanes;
    struct tally_plan tally_plan;
    struct tally *tallies; /* per lane */
    struct tally tally;    /* their sum */
    int32_t *stateful;     /* plan ids of the stages whose state is in the chain, ascending */
    int32_t stateful_count;
};

/* graph_push.c */
/* Hand a node's output to everybody behind it. */
MUST_CHECK enum code node_deliver(struct graph *graph, struct lane *lane, const struct node *node,
                                  const struct batch *batch, struct error *err);
/* The same as a callback; `context` is what node_emit was given. */
struct emit_context {
    struct graph *graph;
    struct lane *lane;
    const struct node *node;
};
struct emit node_emit(struct emit_context *context);
/* Into the table, or into its quarantine what the table cannot take. */
MUST_CHECK enum code table_take(struct graph *graph, struct lane *lane, const struct node *node, int32_t table,
                                const struct batch *batch, struct error *err);

/* graph_replay.c */
/* The node's output, for those behind it that the replayed rows are meant for. */
MUST_CHECK enum code replay_deliver(struct graph *graph, struct lane *lane, const struct node *node,
                                    const struct batch *batch, struct error *err);
/* graph_push.c: a batch into input `port` of node `id`. */
MUST_CHECK enum code node_push(struct graph *graph, struct lane *lane, int32_t id, int32_t port, const struct batch *in,
                               struct error *err);

/* graph_still.c: what streams look up is forgotten. */
void still_close(struct graph *graph);

#endif

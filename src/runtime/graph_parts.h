/* graph_parts.h - private to graph*.c: what a graph is made of.
 *
 * Files    graph_build.c opens and closes it; graph_push.c sends batches through the lanes; graph.c runs epochs: merging,
 *          saving, counting
 * Owns     see graph.h
 */
#ifndef RUNTIME_GRAPH_PARTS_H
#define RUNTIME_GRAPH_PARTS_H

#include "runtime/graph.h"
#include "runtime/plan_stage.h"

/* Who takes a node's output. */
struct edge {
    bool to_table;
    int32_t target;              /* plan id, or table index */
    int32_t port;                /* which input of the target */
};
struct node {
    const struct plan *plan;
    struct edge *edges;
    int32_t edge_count, edge_capacity;
    int32_t stateful;            /* index in graph->stateful, or -1 */
    const char *name;            /* of a stateful node: "aggregate of gold" */
    int32_t *late_tables;        /* tables behind it that keep late rows */
    int32_t late_count, late_capacity;
};
/* One lane's instance of a node. */
struct instance {
    struct filter *filter;
    struct project *project;     /* PROJECT; DECODE: computes the payload; WATERMARK, UNION: nothing */
    struct generate *generate;
    const struct decoder_type *decoder_type;
    void *decoder;
    struct operator_counts counts;
    int64_t seen_us;             /* WATERMARK: largest event time of the epoch */
};
struct lane {
    struct instance *instances;  /* by plan id */
    struct rejects rejects;
    struct selection late;
    struct cpu_meter meter;
    int32_t index;
    char padding[64];            /* lanes are written by different threads: no shared cache line */
};
struct graph {
    struct graph_spec spec;
    struct session session;      /* with the epoch's batch time */
    struct epoch_time *times;    /* by plan id */
    struct arena arena;
    struct node *nodes;
    int32_t node_count;
    struct lane *lanes;
    struct stateful **stateful;
    int32_t *stateful_node;
    int32_t stateful_count;
};

/* graph_build.c */
MUST_CHECK enum code stateful_open(struct graph *graph, const struct plan *plan, struct stateful **out, struct error *err);

/* graph_push.c: hand a node's output to everybody behind it. */
MUST_CHECK enum code node_deliver(struct graph *graph, struct lane *lane, const struct node *node, const struct batch *batch,
                                  struct error *err);

#endif

/* stage.h - inside query/: one node of a running plan.
 *
 * Pull      next() gives a batch with rows, or rows 0 when there are no more; then it is not called again
 * Owns      a stage owns its members behind the head; open() starts with them zeroed, close() may find them half open
 * Errors    rows that an expression rejected fail the query: stage_check() says which and why
 * Add one   a struct stage_type in a file, its kind in the table of stages.c
 */
#ifndef QUERY_STAGE_H
#define QUERY_STAGE_H

#include "operator/operator.h"
#include "query/query.h"

struct stage;
struct stage_type {
    const char *name;
    size_t size;
    enum code (*open)(struct stage *self, struct error *err); /* its inputs are open */
    enum code (*next)(struct stage *self, struct batch *out, struct error *err);
    void (*close)(struct stage *self);
    bool spills; /* holds rows, charged to its own budget; what does not fit goes to disk (rows_file.h) */
};
/* First member of every stage. */
struct stage {
    const struct stage_type *type;
    struct query *query;
    struct plan *plan;
    struct stage **inputs; /* in the query's arena */
    int32_t input_count;
    struct budget budget; /* a part of the query's: of stages that hold rows */
};
struct query {
    struct query_spec spec;
    struct query_spill *spill, own_spill;
    struct budget held; /* of the stages that go to disk: three quarters, so that reading files goes on beside them */
    struct arena arena;
    struct stage *root;
    struct stage **stages; /* all of them, inputs first; heap */
    int32_t stage_count, stage_capacity;
    struct spool **spools; /* per plan id: of shared nodes; NULL else */
    int32_t plan_count;
    struct rejects rejects;
    struct reject_note note;       /* of them */
    struct operator_counts counts; /* operators count; a query does not look */
    struct position failed_at;
    const struct stage *full; /* that could not get the memory it asked for */
};

/* NULL: this engine cannot run such a node. */
const struct stage_type *stage_type_of(const struct plan *plan);
/* The next batch, empty ones skipped; one without a schema is the end. */
MUST_CHECK enum code stage_next(struct stage *self, struct batch *out, struct error *err);
/* The same of input i. */
MUST_CHECK enum code stage_pull(struct stage *self, int32_t input, struct batch *out, struct error *err);
/* E_DATA when rows were rejected since the last check. `position` finds where a step stands in the SQL. */
MUST_CHECK enum code stage_check(struct stage *self, struct position (*position)(const void *context, int32_t step),
                                 const void *context, struct error *err);
struct position program_position(const void *program, int32_t step);

/* Expressions over batches of one schema. */
struct computation {
    struct program *program;
    struct evaluator *evaluator;
    struct column *columns; /* of the last batch */
    int32_t count;
};
MUST_CHECK enum code computation_open(struct computation *self, struct stage *stage, const struct expr *const *exprs,
                                      int32_t count, struct error *err);
/* guards: as program_compile_guarded. */
MUST_CHECK enum code computation_open_guarded(struct computation *self, struct stage *stage,
                                              const struct expr *const *exprs, const int32_t *guards, int32_t count,
                                              struct error *err);
MUST_CHECK enum code computation_run(struct computation *self, struct stage *stage, const struct batch *in,
                                     struct error *err);
void computation_release(struct computation *self); /* the columns */
void computation_close(struct computation *self);

/* scan_files.c: adds what this files_stage reads. */
void files_progress(const struct stage *self, struct query_progress *out);

/* The rows as one batch. Empties them, though their bytes stay charged: column by column, so that no column is there twice
 * for long; when it is stopped, `out` has some of the columns. */
MUST_CHECK enum code stored_rows_join(struct stored_rows *rows, const struct type *schema, struct batch *out,
                                      struct error *err);
/* Rows [from, to) of a batch. */
void batch_slice(struct batch *out, const struct batch *in, int64_t from, int64_t to);

extern const struct stage_type values_stage, range_stage, stored_stage, filter_stage, project_stage, generate_stage,
    limit_stage, union_stage, sort_stage, group_stage, distinct_stage, set_stage, match_stage, expand_stage,
    spool_stage, files_stage, decode_stage, apply_stage, window_stage, recursion_stage, table_stage;

#endif

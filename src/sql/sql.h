/* sql.h - a project's text to a typed plan: spec, statements, one graph. Pure: no I/O but reading the project's files.
 *
 * In       a folder with spark-pipeline.yml and transformations (.sql files); settings (environment, .env, --set)
 * Out      struct pipeline: sources, one graph of plan nodes shared by all tables, tables, sinks, warnings
 * Graph    a DAG: views and streaming tables are fused, FROM STREAM bronze is an edge. A node used by several consumers
 *          is one node (same pointer), so it is executed once. Unused columns, struct fields and nodes are pruned away
 * Errors   E_SPEC and E_SQL with file:line:column, the source line, a caret, and "did you mean"; the SQL text starts with
 *          Spark's error condition in brackets. Several errors are collected; error text holds the first, `problems` all
 * Owns     everything lives in the arena given to project_load
 * Thread   one; the result is immutable and may be shared
 * Limits   SQL_* below
 * Spec     shared/design/language.md; Spark Declarative Pipelines 4.2
 */
#ifndef SQL_SQL_H
#define SQL_SQL_H

#include "base/options.h"
#include "data/data.h"
#include "expr/expr.h"

enum { SQL_TEXT_MAX = 4 * 1024 * 1024, SQL_NESTING_MAX = 200, SQL_TABLES_MAX = 500, SQL_COLUMNS_MAX = 4000 };
enum { SQL_HEIGHT_MAX = 1000 };   /* levels of one expression: a + b + c + .. has one per operator */
enum { SQL_WEIGHT_MAX = 100000 }; /* nodes of one expression, once aliases and views stand for themselves */
enum { SQL_GROUPING_KEYS_MAX = 64, SQL_GROUPING_SETS_MAX = 4096 }; /* of GROUPING SETS, ROLLUP, CUBE */
enum { SQL_PLAN_HEIGHT_MAX = 4000 };                               /* nodes in a row, through all views and tables */

/* ---- the typed graph ---- */

#define PLAN_KINDS(X)         /* kind, name in messages and `leat check` */                                       \
    X(SOURCE, "source")       /* records of a stream: `source` */                                                 \
    X(DECODE, "decode")       /* appends one STRUCT column parsed from `exprs[0]` */                              \
    X(FILTER, "filter")       /* keeps rows where exprs[0] is true */                                             \
    X(PROJECT, "project")     /* exprs -> columns of schema */                                                    \
    X(GENERATE, "generate")   /* explode, inline, ..: input columns, then the generated ones */                   \
    X(WATERMARK, "watermark") /* same columns; column `watermark.column` drives event time */                     \
    X(TABLE, "table")         /* same rows; they were read from a streaming table: what stands below is */        \
                              /* another query, with a watermark of its own */                                    \
    X(AGGREGATE, "aggregate") /* group keys and aggregates; `aggregate` */                                        \
    X(UNION, "union")         /* UNION ALL by position, casts inserted as projects */                             \
    X(JOIN, "join")                                                                                               \
    X(DEDUPLICATE, "distinct") /* SELECT DISTINCT, dropDuplicates */                                              \
    X(SORT, "sort")                                                                                               \
    X(LIMIT, "limit")                                                                                             \
    X(WINDOW, "window function")                                                                                  \
    X(SET_OPERATION, "set operation")                                                                             \
    X(VALUES, "values")        /* literal rows */                                                                 \
    X(RANGE, "range")          /* one BIGINT column: range.from, from + step, .. */                               \
    X(STORED, "stored rows")   /* a table of a session */                                                         \
    X(EXPAND, "grouping sets") /* every row once per set: input columns, keys or NULL, number of the set */       \
    X(APPLY, "subquery")       /* inputs[1] for each row of inputs[0], whose columns it reads by marks */         \
    X(RECURSION,                                                                                                  \
      "recursive query")     /* inputs[0], then inputs[1] over the rows of the level before, until it has none */ \
    X(LEVEL, "level before") /* in inputs[1] of a RECURSION: the rows of the level before; `recursion.number` */

enum plan_kind {
#define X(name, text) PLAN_##name,
    PLAN_KINDS(X)
#undef X
        PLAN_KIND_COUNT
};

/* window(time, size[, slide[, start]]) or session_window(time, gap) found among the group keys */
struct plan_window {
    int32_t key;                         /* which group key it is; -1 = none */
    int64_t size_us, slide_us, start_us; /* tumbling when slide = size; 0 for a session */
    const struct expr *gap;  /* session: INTERVAL DAY TO SECOND over the input (a literal, or per row); else NULL */
    const struct expr *time; /* over the input; TIMESTAMP or TIMESTAMP_NTZ */
};
struct plan_aggregate {
    const struct expr *const *keys; /* group keys; the window's key is a STRUCT<start,end> computed by the operator: */
    int32_t key_count;              /* keys[window.key] is then NULL */
    const struct aggregate_call *const *calls;
    int32_t call_count;
    struct plan_window window;
    int32_t watermark_key; /* group key that is an event-time column itself, or -1 */
    /* schema: key columns, then one per call */
};
enum join_kind { JOIN_INNER, JOIN_CROSS, JOIN_LEFT, JOIN_RIGHT, JOIN_FULL, JOIN_SEMI, JOIN_ANTI };
struct plan_join_side {
    const struct expr *const *keys; /* over this input; keys[i] of both sides have one type */
    const struct expr *only;        /* the part of ON that reads this side alone, or NULL: a row that fails it */
                                    /* matches nothing (where it may, it went into the input as a filter) */
    int32_t time_column;            /* event time among this input's columns (a window: its end), -1 = none. Once */
                                    /* pruned, -1 also when nothing reads the column: then no row of this side is */
                                    /* late, as on Spark */
    /* What the condition says about the two times. W is the watermark that reaches the join at the end of an epoch. A row
     * with time <= W + shift_us (inclusive) finds no match in rows that come later: none of the other side's have a time
     * <= W. In Spark's milliseconds: `this > other + c` gives c, `this >= other + c` gives c - 1 ms, rounded down to ms;
     * of several the smallest. Counts only while time_key is -1. */
    bool bounded;
    int64_t shift_us;
};
/* ON taken apart. One input may stand still (plan->inputs[i]->streaming is false): a lookup. No keys: every row meets
 * every row, as far as `only` and `condition` let it; never between two streams. */
struct plan_join {
    enum join_kind kind;
    struct plan_join_side sides[2]; /* left, right */
    int32_t key_count;
    const bool *null_safe;        /* per key: <=> */
    bool null_aware;              /* NOT IN (subquery): JOIN_ANTI where a NULL leaves no row sure; one key, no more */
    int32_t time_key;             /* key that is an event-time column of some side (a window, a time): rows of both */
                                  /* sides go at key <= W (a window: its end); -1 = none. Never a <=> key */
    const struct expr *condition; /* the rest of ON, over left columns then right columns; NULL = none */
    bool never;                   /* no row goes with another: the only keys are TRUE and FALSE */
    /* schema: left columns, then right ones; SEMI and ANTI: left ones */
};
struct plan_deduplicate {
    const int32_t *columns; /* of the input: equal in these = duplicates */
    int32_t column_count;
    int32_t time_column; /* event time of the input, -1 = none */
    bool time_is_key, within_watermark;
    int64_t delay_us; /* within_watermark: the watermark's delay */
};
enum generator_kind { GENERATE_EXPLODE, GENERATE_POSEXPLODE, GENERATE_INLINE, GENERATE_STACK };
struct plan_generate {
    enum generator_kind kind;
    bool outer;
    const struct expr *const *args; /* explode: one ARRAY or MAP; stack: count literal first */
    int32_t arg_count;
    int32_t generated; /* how many columns come last in schema */
    const bool *keep;  /* per input column: read later? others may come out as NULL; NULL = all read */
};
struct plan_watermark {
    int32_t column; /* of the input */
    int64_t delay_us;
    int32_t node; /* 0.. in the pipeline: which watermark in the chain record */
};
struct plan_table {
    const char *name;
    int32_t root; /* which flow writes the rows: the optimiser's business */
};
struct plan_decode {
    const char *format;        /* "json" */
    const struct type *schema; /* STRUCT as the user wrote it */
    const bool *needed;        /* per field, after pruning; NULL = all */
    const char *mode;          /* PERMISSIVE, FAILFAST */
    const char *corrupt_column;
    const char *const *option_names, *const *option_values;
    int32_t option_count;
    bool exact_texts; /* of JSON files: a value that is no string becomes a STRING as it stands */
};

/* Queries over rows that stand still only, from here to the plan: query/ runs them. */
struct plan_order {
    bool descending, nulls_last;
};
struct plan_sort {
    const struct plan_order *orders; /* per key: exprs[i] */
    int64_t rows_max;                /* a LIMIT above takes no more of the first rows; 0 = all are asked for */
};
struct plan_set { /* INTERSECT and EXCEPT of whole rows */
    bool except, all;
};
struct plan_range {
    int64_t from, to, step;
};
struct plan_expand { /* exprs: the keys, over the input */
    int32_t set_count;
    const bool *kept;   /* set_count times expr_count: the key keeps its value in the set */
    const int64_t *ids; /* per set: grouping_id() */
};
/* PLAN_WINDOW: the input's columns, then one per call. */
enum over_kind {
    OVER_AGGREGATE,
    OVER_ROW_NUMBER,
    OVER_RANK,
    OVER_DENSE_RANK,
    OVER_PERCENT_RANK,
    OVER_CUME_DIST,
    OVER_NTILE,
    OVER_SHIFT, /* lag and lead: args: value, [default] */
    OVER_NTH,   /* first_value, last_value, nth_value: the number-th of the frame, -1 = last */
};
enum bound_kind { BOUND_START, BOUND_BEFORE, BOUND_ROW, BOUND_AFTER, BOUND_END };
struct plan_bound {
    enum bound_kind kind;
    int64_t rows;             /* ROWS n PRECEDING, FOLLOWING */
    const struct expr *value; /* RANGE: the order key at the bound, per row */
};
struct plan_over {
    enum over_kind kind;
    const struct type *type;
    const struct aggregate_call *call; /* AGGREGATE */
    const struct expr *const *args;    /* others */
    int32_t arg_count;
    int64_t number; /* NTILE: tiles; SHIFT: rows back (lead: negative); NTH: which */
    bool ignore_nulls;
    const struct expr *const *partition, *const *order;
    const struct plan_order *orders;
    int32_t partition_count, order_count;
    bool by_rows;
    struct plan_bound from, to;
};
struct plan_overs {
    const struct plan_over *const *calls;
    int32_t count;
};
/* Marks in inputs[1] name columns of inputs[0], or of the rows around the query that the APPLY stands in, ..: sql/plan.h */
enum apply_kind {
    APPLY_SCALAR,  /* one value more: of the only row; NULL for none */
    APPLY_EXISTS,  /* one BOOLEAN more */
    APPLY_IN,      /* one BOOLEAN more: whether exprs are among the rows; NULL where that is not sure */
    APPLY_LATERAL, /* each row beside each of its rows */
};
struct plan_apply {
    enum apply_kind kind;
    bool outer; /* LATERAL: a row without rows comes out beside NULLs */
};
struct plan_recursion {
    int32_t number;               /* of the RECURSION and its LEVELs */
    int64_t levels_max, rows_max; /* -1 = no limit */
};
struct stored_rows; /* query/query.h */
struct plan_stored {
    const struct stored_rows *rows;
};

struct plan {
    enum plan_kind kind;
    int32_t id;                /* 0.. in pipeline->nodes, inputs before users: topological order */
    const struct type *schema; /* STRUCT */
    struct position at;
    struct plan *inputs[2];
    int32_t input_count;
    struct plan **more_inputs;       /* UNION: all inputs, input_count of them (inputs[] unused) */
    const struct expr *const *exprs; /* VALUES: row by row (no columns: one row); SORT: keys; LIMIT: limit, offset */
    int32_t expr_count;
    union {
        const struct pipeline_source *source;
        struct plan_aggregate aggregate;
        struct plan_generate generate;
        struct plan_watermark watermark;
        struct plan_decode decode;
        struct plan_table table;
        struct plan_join join;
        struct plan_deduplicate deduplicate;
        struct plan_sort sort;
        struct plan_set set;
        struct plan_range range;
        struct plan_expand expand;
        struct plan_stored stored;
        struct plan_overs overs;
        struct plan_apply apply;
        struct plan_recursion recursion;
    };
    int32_t group;           /* watermark group it works under (pipeline->groups), -1 = none */
    uint64_t identity;       /* of what a stateful node or watermark remembers: fingerprint.c; 0 for others */
    uint64_t stamp;          /* of what any node computes of which rows: tells it again after a change elsewhere */
    const char *unsupported; /* what the engine cannot run yet ("LEFT JOIN", "ORDER BY"), or NULL */
    bool streaming;
    int32_t user_count; /* consumers in the graph */
    int32_t height;     /* nodes on the longest way to a source */
};

/* Input i of a node, wherever its kind keeps them. */
static inline struct plan *plan_input(const struct plan *plan, int32_t i)
{
    return plan->more_inputs != NULL ? plan->more_inputs[i] : plan->inputs[i];
}

/* Numbers the nodes from `root` down (id: inputs first) and counts their users; returns how many there are. */
int32_t plan_number(struct arena *arena, struct plan *root);

/* The same nodes once more, one for one: numbers and users of the copy are its own. */
struct plan *plan_copy(struct arena *arena, struct plan *root);

/* A subquery's columns of the rows around it: used[i] is set for those it reads. */
void plan_outer_columns(struct plan *subquery, bool *used);
/* The subquery with values[i] for column i of the rows around it. */
struct plan *plan_bind_outer(struct arena *arena, struct plan *subquery, const struct expr *const *values);
/* inputs[1] of the RECURSION, reading `before` where it reads the level before. */
struct plan *plan_bind_level(struct arena *arena, const struct plan *recursion, const struct stored_rows *before);

/* ---- the pipeline ---- */

struct setting {
    const char *name, *value;
    struct position at;
};

/* Spark's hidden column of files: a STRUCT that says which file a row came from. */
#define FILE_COLUMN "_metadata"

struct pipeline_source {
    const char *name, *format;     /* kafka, rate, json, ... */
    bool of_table;                 /* the files of the table `name`, as they lie there: the runtime knows where */
    const struct setting *options; /* without "source.NAME." */
    int32_t option_count;
    const struct type *schema;    /* Kafka's seven columns (headers on request), or the `schema` option */
    const struct row_test *tests; /* of a session's files: what the filter over them lets through meets all of these */
    int32_t test_count;
    bool tells_file;    /* of files: the last column may be FILE_COLUMN, or be several called FILE_COLUMN ".x" */
    int64_t size_bytes; /* of a session's files, when they were looked at */
    const struct type
        *path_columns; /* of a session's files: columns of `schema` that folders name=value give; or NULL */
    struct position at;
};
struct pipeline_table { /* also sinks: anything rows are written to */
    const char *name;
    const char *format; /* parquet (default), csv, json, console, ... from leat.format, USING, sink.*.format */
    const char *path;   /* leat.path, or NULL = <leat.tables.path>/<name> */
    bool is_sink, streaming, materialized;
    const struct type *schema;
    const char *const *partition_columns;
    int32_t partition_count;
    const struct setting *properties; /* TBLPROPERTIES or sink options */
    int32_t property_count;
    struct plan *const *flows; /* what is written into it */
    const char *const *flow_names;
    int32_t flow_count;
    const char *comment;
    struct position at;
};
/* The flows whose watermark is one: in Spark each flow is a query with a watermark of its own. A stateful node that
 * two groups would share is there twice. */
struct watermark_group {
    const int32_t *nodes; /* plan_watermark.node numbers, ascending */
    int32_t count;
};
struct pipeline {
    const char *name, *directory, *storage;
    struct position storage_at;     /* in the spec */
    struct session session;         /* zone and ansi of spark.sql.*: what constants were folded with */
    const struct setting *settings; /* `configuration`, with ${..} replaced, plus --set; sources and sinks included */
    int32_t setting_count;
    const struct pipeline_source *const *sources;
    int32_t source_count;
    const struct pipeline_table *const *tables;
    int32_t table_count;
    struct plan *const *nodes;
    int32_t node_count;
    int32_t watermark_count;
    const struct watermark_group *groups;
    int32_t group_count;
    bool watermark_policy_max;   /* spark.sql.streaming.multipleWatermarkPolicy */
    const char *const *warnings; /* what leaves the portable subset, with positions */
    int32_t warning_count;
    uint64_t text_sum;    /* of all statements, as they are written */
    uint64_t fingerprint; /* of the stateful part of the graph and the settings that shape results */
};

struct problems { /* all errors found, in order of the text */
    char **texts; /* full caret messages, in the arena; the array is the caller's to mem_free */
    int32_t count, capacity;
};

/* leat.* of `configuration`, typed. The table (names, kinds, defaults, help) is in sql/settings.c. */
enum on_error { ON_ERROR_QUARANTINE, ON_ERROR_FAIL };
enum quarantine_format { QUARANTINE_PARQUET, QUARANTINE_JSON };
enum trigger_kind { TRIGGER_CONTINUOUS, TRIGGER_INTERVAL, TRIGGER_ONCE };
struct run_settings {
    const char *trigger;          /* "continuous", "once", "30 seconds" */
    const char *tables_path;      /* absolute folder; default <storage>/tables */
    const char *checkpoint;       /* absolute folder; default <storage>/checkpoint */
    const char *spill_path;       /* absolute folder of this machine, or NULL */
    int64_t memory_bytes;         /* ceiling of what grows with the data */
    int64_t threads;              /* workers; 0 = one per core */
    int on_error;                 /* enum on_error */
    int quarantine_format;        /* enum quarantine_format */
    int64_t quarantine_value_max; /* bytes of a key or value that a quarantine keeps */
    int64_t views_interval_us;    /* least time between two computations of the materialized views; 0 = none */
    int64_t epoch_records_max;    /* records of an epoch when maxOffsetsPerTrigger says nothing; 0 = no limit */
    int64_t max_staleness_us;     /* continuous trigger: the longest an epoch stays open */
    int64_t batch_rows;           /* most rows of a source's batch */
    int64_t buffer_bytes;         /* most bytes prefetched from a source */
    int64_t retry_initial_us, retry_max_us; /* ceilings of the first wait after a failure, and of any */
    const char *retry_limit;                /* "never", "2 minutes"; NULL: see retry_limit_us */
    int64_t retry_attempts;                 /* give up after so many in a row; 0 = any number */
    int64_t circuit_failures, circuit_open_us;
    int64_t stop_timeout_us; /* how long a stop may take to commit the open epoch; 0 = no limit */
    int64_t max_future_us;   /* event times further ahead of their record's timestamp are refused; 0 = none are */
    int64_t snapshot_epochs; /* full state at least every so many epochs */
    bool preview;            /* print a few rows of each epoch */
    /* derived */
    enum trigger_kind trigger_kind;
    int64_t interval_us;
    int64_t retry_limit_us; /* give up after failing for so long; 0 = never. Not set: never, but RETRY_LIMIT_ONCE_US */
                            /* when the trigger is `once` (`leat run --once` too) */
};
enum { RETRY_LIMIT_ONCE_US = 120 * 1000 * 1000 };
/* E_SPEC names the setting, what is wrong and what is allowed. */
MUST_CHECK enum code settings_read(struct arena *arena, const struct pipeline *pipeline, struct run_settings *out,
                                   struct error *err);
/* The leat.* table, for the spec's check of names, `leat run --help` and docs; ends with a NULL name. */
extern const struct option leat_settings[];

struct sql_files;
/* Settings known before the spec is read. Lookup order for ${env:NAME}: overrides, process environment, .env file. */
struct project_environment {
    const char *env_file;       /* NULL: DIR/.env when it exists */
    const struct setting *sets; /* --set K=V, wins over `configuration` */
    int32_t set_count;
    const struct session *session;
    /* Which columns Delta tables have whose source does not say it; NULL: every source must say it. Asked after `settle` was told
     * the spec's settings. */
    const struct sql_files *tables;
    void (*settle)(const struct setting *settings, int32_t count);
};

/* Read, parse, type, fuse, prune. E_SPEC, E_SQL, or E_IO. */
MUST_CHECK enum code project_load(struct arena *arena, const char *directory,
                                  const struct project_environment *environment, const struct pipeline **out,
                                  struct problems *problems, struct error *err);
const char *pipeline_setting(const struct pipeline *pipeline, const char *name);  /* NULL when unset */
const char *table_property(const struct pipeline_table *table, const char *name); /* NULL when unset */
/* The graph as text for `leat check`: one line a node, tables and what feeds them. */
void pipeline_print(const struct pipeline *pipeline, struct text *out);
/* What a node with state does, as there, without its number: "by city, window(at, 1 minute): count(1)". */
void plan_state_print(const struct plan *plan, struct text *out);
void duration_print(int64_t us, struct text *out); /* "5 minutes" */

/* One SELECT over literals (no tables), for `leat sql -c` and the golden tests: columns out, one batch. */
MUST_CHECK enum code sql_query(struct arena *arena, struct bytes text, const struct session *session, struct plan **out,
                               struct error *err);
/* The expression `text` over columns of `input`, for tests. */
MUST_CHECK enum code sql_expression(struct arena *arena, struct bytes text, const struct type *input,
                                    const struct session *session, const struct expr **out, struct error *err);

/* ---- a session: statements that share temporary views, tables and settings (leat sql) ----
 *
 * A statement is analysed against what the ones before it left. Reading rows is not the session's business: it says
 * what is to be done, and the caller, who has an engine, does it and tells. */
struct sql_session;
enum session_action {
    SESSION_NOTHING, /* it is done: CREATE VIEW, SET, DROP */
    SESSION_ROWS,    /* `plan` gives the answer */
    SESSION_FILL,    /* append the rows of `plan` to `target`; `overwrite`: they replace what is there */
    SESSION_DROP,    /* `target` is nobody's any more */
    SESSION_ASSIGN,  /* variables get the row of `plan`: sql_session_assign */
};
struct session_step {
    enum session_action action;
    struct plan *plan;
    struct bytes text; /* that the plan's positions are in: the statement, or what it executes */
    struct stored_rows *target;
    const struct type *schema; /* FILL: of the target; lives as long as it, as the plan's does not */
    bool overwrite;
    bool in_memory;              /* a table was created, whose rows are on no disk, whatever format it names */
    const char *const *warnings; /* with line:column and caret; also when the statement fails */
    int32_t warning_count;
};
struct sql_session *sql_session_new(const struct session *initial);
/* Tables' rows go back through `drop`, which owns how they are held. */
void sql_session_free(struct sql_session *self, void (*drop)(void *context, struct stored_rows *rows), void *context);
/* Settings as of now: SET changes them. */
const struct session *sql_session_settings(const struct sql_session *self);
void sql_session_clock(struct sql_session *self, int64_t now_us); /* current_timestamp() of the next statement */
/* Files that statements name, parquet.`/data/in`: who reads files says what they are. */
enum { SQL_FILES_TABLES_MAX = 4 };
struct sql_files {
    void *context;
    /* Sets source->schema and path_columns, in `arena`, by source->format and options; a schema that is set was declared. May
     * replace options. E_SQL with Spark's condition, E_UNSUPPORTED, E_IO. */
    enum code (*columns)(void *context, struct arena *arena, const struct session *session,
                         struct pipeline_source *source, struct error *err);
    /* The options that readers of the format heed; ends with NULL. */
    void (*options)(const char *format, const struct option *tables[SQL_FILES_TABLES_MAX]);
};
/* Borrowed, for the session's life. */
void sql_session_files(struct sql_session *self, const struct sql_files *files);
/* A relation called source->name, looked at when a statement reads it; schema NULL: the files say. Takes the place of one of
 * that name. Borrowed, for the session's life. */
void sql_session_relation(struct sql_session *self, const struct pipeline_source *source);
/* Whose sources and tables that are no relations are told when a statement names one. Borrowed, for the session's life. */
void sql_session_project(struct sql_session *self, const struct pipeline *project);
/* The relations' names, in the order in which they were made. */
void sql_session_names(const struct sql_session *self, void (*each)(void *context, const char *name), void *context);
/* One statement. The plan lives in `arena` and points into `text`; both must outlive its execution. `rows_new` makes
 * the empty rows of a new table. E_SQL, E_UNSUPPORTED with line:column, caret and hint. */
MUST_CHECK enum code sql_session_step(struct sql_session *self, struct arena *arena, struct bytes text,
                                      struct stored_rows *(*rows_new)(void), struct session_step *out,
                                      struct error *err);
/* The rows of an ASSIGN: one at most. */
MUST_CHECK enum code sql_session_assign(struct sql_session *self, const struct session_step *step,
                                        const struct batch *rows, int32_t count, struct error *err);
/* `:name` in the statements to come is the constant expression `text`. */
MUST_CHECK enum code sql_session_parameter(struct sql_session *self, const char *name, struct bytes text,
                                           struct error *err);
/* An error of running a plan gets its place in front and the line with a caret behind. */
enum code sql_session_place(struct bytes text, struct position at, struct error *err);
/* The next statement of a script, up to its `;`; false at the end. *text moves behind it. */
bool sql_statement_next(struct bytes *text, struct bytes *out);
/* Spark's error condition: what stands in the first brackets of the message; empty when there is none. */
struct bytes sql_condition(const struct error *err);

#endif

/* ast.h - the syntax tree: what was written, before names and types mean anything.
 *
 * Shape    expressions (struct ast), queries, relations, statements; every node knows its place in
 *          the text
 * Names    keep the case they were written in; operators and functions of AST_CALL are lower case
 *          in `text`
 * Height   of an expression counts its levels, so that recursion over it is bounded by
 *          SQL_HEIGHT_MAX
 * Owns     everything lives in the arena of the parser; immutable after parsing
 */
#ifndef SQL_AST_H
#define SQL_AST_H

#include "sql/sql.h"

struct ast_query;
struct ast;

/* ---- expressions ---- */

enum ast_kind {
    AST_NULL,
    AST_BOOLEAN,   /* flag */
    AST_NUMBER,    /* text: digits with sign and suffix */
    AST_STRING,    /* bytes */
    AST_TYPED,     /* DATE '..', X'..': text names the type, bytes */
    AST_INTERVAL,  /* args: value, value, ..; parts: their units; flag: parts[0] TO parts[1] */
    AST_NAME,      /* parts: a, b, c */
    AST_STAR,      /* parts: what it is a star of; excepts; flag: names are replaced by args, |> SET */
    AST_FIELD,     /* args[0].text */
    AST_CALL,      /* text(args); operators too */
    AST_CASE,      /* args: when, then, ..., [else]; CASE x WHEN is rewritten to x = .. */
    AST_CAST,      /* args[0] AS type; flag: try_cast */
    AST_LAMBDA,    /* parts -> args[0] */
    AST_NAMED,     /* text => args[0]; flag unset: args[0] AS text */
    AST_ROW,       /* (a, b); flag: as a key of GROUP BY it is one value */
    AST_PATH,      /* args[0]:text, a variant path */
    AST_SUBQUERY,  /* (SELECT ..) */
    AST_EXISTS,    /* EXISTS (query) */
    AST_IN,        /* args IN (query) */
    AST_PARAMETER, /* :text; text NULL: the question mark at `place` */
};

struct ast_sort {
    struct ast *expr;
    bool descending, nulls_given, nulls_last;
};
struct ast_bound { /* of a window frame */
    enum { BOUND_UNBOUNDED_PRECEDING, BOUND_PRECEDING, BOUND_CURRENT, BOUND_FOLLOWING, BOUND_UNBOUNDED_FOLLOWING } kind;
    struct ast *offset;
};
struct ast_window {
    const char *name; /* OVER name, or the name that WINDOW defines */
    struct ast **partition;
    int32_t partition_count;
    struct ast_sort *order;
    int32_t order_count;
    bool framed, by_rows;
    struct ast_bound from, to;
    struct position at;
};
/* What a function call may carry besides its arguments. */
struct ast_call {
    bool distinct, ignore_nulls;
    struct ast *filter;
    struct ast_window *over;
    struct ast_sort *within; /* WITHIN GROUP (ORDER BY ..) */
    int32_t within_count;
};
struct ast {
    enum ast_kind kind;
    struct position at;
    int32_t height;
    bool flag; /* BOOLEAN: its value; CAST: try; IN: negated; CALL: written as an operator */
    const char *text;
    struct bytes bytes;
    const char *const *parts;
    int32_t part_count;
    struct ast **args;
    int32_t arg_count;
    const struct type *type; /* CAST */
    const char *type_text;   /* CAST: as written, for "Unsupported data type" */
    struct ast_call *call;   /* CALL: NULL when it has nothing special */
    struct ast_query *query;
    const char *const *names; /* STAR of |> SET */
    int32_t name_count;
    int32_t place;        /* PARAMETER: 0.. */
    struct ast **excepts; /* STAR: EXCEPT (a, t.b, s.f), AST_NAMEs */
    int32_t except_count;
};

/* ---- relations ---- */

enum relation_kind {
    RELATION_NAME,
    RELATION_QUERY,
    RELATION_FUNCTION, /* table-valued: range(10), explode(array(1)), read_kafka(..) */
    RELATION_VALUES,
    RELATION_JOIN,
    RELATION_PIPED, /* the query so far, left of |>: its names stay visible */
    RELATION_PIVOT, /* PIVOT or UNPIVOT of `left` */
};
struct ast_option {
    const char *name, *value;
    struct position at;
};
struct ast_watermark {
    struct ast *expr;
    const char *alias; /* WATERMARK f(x) AS alias */
    struct ast *delay; /* AST_INTERVAL */
    struct position at;
};
struct ast_item {
    struct ast *expr;
    const char *alias;
    const char *const *aliases; /* explode(m) AS (k, v) */
    int32_t alias_count;
};
struct ast_unpivot_group { /* IN (a, b AS x), IN ((a, b) AS x): one row each */
    struct ast **columns;
    int32_t column_count;
    const char *alias;
    struct position at;
};
struct ast_pivot {
    bool unpivot;
    /* PIVOT (aggregates FOR columns IN (values)) */
    struct ast_item *aggregates, *values;
    int32_t aggregate_count, value_count;
    struct ast **columns;
    int32_t column_count;
    /* UNPIVOT (value_names FOR name IN (groups)) */
    bool include_nulls;
    const char *const *value_names;
    int32_t value_name_count;
    const char *name;
    struct ast_unpivot_group *groups;
    int32_t group_count;
};
struct ast_sample {
    enum { SAMPLE_PERCENT, SAMPLE_ROWS, SAMPLE_BUCKET } kind;
    struct ast *size, *buckets; /* buckets: BUCKET size OUT OF buckets */
    struct ast *seed;           /* REPEATABLE, or NULL */
    struct position at;
};
struct ast_relation {
    enum relation_kind kind;
    struct position at;
    const char *const *parts;
    int32_t part_count;
    bool stream, lateral;
    bool tells_file; /* the text asks somewhere which file a row came from */
    struct ast_option *options;
    int32_t option_count;
    const char *identified_by;
    struct ast_watermark *watermark;
    const char *alias;
    const char *const *column_aliases;
    int32_t column_alias_count;
    struct ast_query *query;
    struct ast *function;
    struct ast **rows;
    int32_t row_count;
    const char *unsupported; /* AS OF: parsed, named in "cannot execute" */
    struct ast_sample *sample;
    struct ast_pivot *pivot;
    struct ast_relation *left, *right;
    enum join_kind join;
    bool natural;
    struct ast *on;
    const char *const *using_names;
    int32_t using_count;
};

/* ---- queries ---- */

struct ast_lateral_view {
    struct ast *generator;
    bool outer;
    const char *alias;
    const char *const *columns;
    int32_t column_count;
    struct position at;
};
enum group_kind {
    GROUP_EXPRESSION,
    GROUP_ROLLUP,
    GROUP_CUBE,
    GROUP_SETS,
    GROUP_KEYS, /* of GROUP BY a, b GROUPING SETS (..): what the sets choose from */
};
struct ast_group {
    enum group_kind kind;
    struct ast **exprs; /* ROLLUP((a, b), c): AST_ROW for (a, b) */
    int32_t expr_count;
    struct position at;
};
struct ast_select {
    struct position at;
    bool distinct;
    struct ast_item *items;
    int32_t item_count;
    struct ast_relation *from; /* commas are cross joins; NULL: one row without columns */
    struct ast_lateral_view *views;
    int32_t view_count;
    struct ast *where;
    bool grouped, group_all, aggregate; /* aggregate: |> AGGREGATE, group keys come out first */
    bool extend;                        /* |> EXTEND */
    struct ast_group *groups;
    int32_t group_count;
    struct ast *having, *qualify;
    struct ast_window *windows;
    int32_t window_count;
};
enum body_kind { BODY_SELECT, BODY_VALUES, BODY_TABLE, BODY_QUERY, BODY_SET };
enum set_operation { SET_UNION, SET_INTERSECT, SET_EXCEPT };
struct ast_body {
    enum body_kind kind;
    struct position at;
    int32_t height;
    struct ast_select *select;
    struct ast_relation *relation; /* VALUES, TABLE */
    struct ast_query *query;
    struct ast_body *left, *right;
    enum set_operation operation;
    bool all, by_name;
};
struct ast_cte {
    const char *name;
    const char *const *columns;
    int32_t column_count;
    struct ast_query *query;
    struct ast *levels_max; /* MAX RECURSION LEVEL n, or NULL */
    struct position at;
};
struct ast_query {
    struct position at;
    struct ast_cte *ctes;
    int32_t cte_count;
    bool recursive;
    struct ast_body *body;
    struct ast_sort *order; /* ORDER BY, SORT BY, CLUSTER BY */
    int32_t order_count;
    struct position order_at;
    struct ast **distribute;
    int32_t distribute_count;
    struct ast *limit, *offset;
    bool limit_all; /* LIMIT ALL: no limit, and none of a recursion either */
    struct position limit_at;
};

/* ---- statements ---- */

enum statement_kind {
    STATEMENT_SET,
    STATEMENT_USE,
    STATEMENT_VIEW,
    STATEMENT_TABLE, /* streaming table or materialized view */
    STATEMENT_FLOW,  /* also INSERT INTO t inside CREATE FLOW */
    STATEMENT_SINK,  /* Databricks' CREATE SINK */
    STATEMENT_QUERY, /* a bare query, for leat sql */
};
struct ast_column {
    const char *name;
    const struct type *type; /* NULL in PARTITIONED BY (name) and column lists of views */
    bool not_null;
    const char *comment;
    struct position at;
};
struct ast_statement {
    enum statement_kind kind;
    struct position at, name_at;
    const char *name; /* last part; catalog and schema in `qualifier` */
    const char *qualifier;
    bool temporary, materialized, if_not_exists, or_refresh;
    bool streams; /* its query reads something with STREAM */
    struct ast_column *columns;
    int32_t column_count;
    const char *format; /* USING */
    struct ast_column *partitions;
    int32_t partition_count;
    const char *const *clusters;
    int32_t cluster_count;
    struct ast_option *properties; /* TBLPROPERTIES, OPTIONS */
    int32_t property_count;
    const char *comment;
    struct ast_query *query;
    const char *target; /* FLOW */
    struct position target_at;
    bool by_name, once, auto_cdc;
    const char *value;    /* SET, USE */
    struct ast *interval; /* SET TIME ZONE INTERVAL .. */
};

#endif

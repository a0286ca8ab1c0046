/* analyser.h - what the files of the analyser share: names in sight, and who types what.
 *
 * Shape    a rowset is a plan and the names of its columns. Expressions are typed over a rowset;
 *          some calls (from_json, generators) become columns of their own, appended to the rowset's
 *          plan, so indexes typed before stay right
 * Marks    in a SELECT with aggregates, expressions are first typed over the rows; an aggregate
 *          call, the window of GROUP BY and a window function stand in them as columns with marked
 *          indexes. select_lift() then moves the whole expression over the aggregate's output
 * Fails    E_SQL with a complete message (caret included) in analyser->err
 */
#ifndef SQL_ANALYSER_H
#define SQL_ANALYSER_H

#include "sql/ast.h"
#include "sql/list.h"
#include "sql/message.h"
#include "sql/plan.h"

struct element;
struct catalog;
struct variable;
struct parameter { /* :name, or a question mark */
    const char *name;
    const struct expr *value; /* a literal */
};
struct recursion {      /* of a WITH RECURSIVE name within its own query */
    struct plan *level; /* NULL: it may not be read here */
    int32_t reads;
};
struct cte_scope { /* WITH names in sight, inner first */
    const struct cte_scope *outer;
    const struct ast_cte *cte;
    struct plan *plan;
    struct recursion *recursion; /* NULL: its query is known */
};
/* Settings of a session that change what a query means. Zero is Spark's default. */
struct dialect {
    int64_t recursion_levels_max, recursion_rows_max; /* 0: RECURSION_*_MAX; -1: no limit */
    bool group_by_values, order_by_values;            /* GROUP BY 1, ORDER BY 1: the number, no column */
    bool nested_names_differ;                         /* a WITH name may not hide one of a query around */
    bool double_quoted_names;                         /* "a" is a name */
};
enum { RECURSION_LEVELS_MAX = 100, RECURSION_ROWS_MAX = 1000000 };
struct analyser {
    struct arena *arena;
    struct notes *notes;
    struct expr_context expr;
    struct error *err;
    struct catalog *catalog; /* tables, views and sources of the project; NULL: a query over literals */
    const struct cte_scope *ctes;
    struct list joins;   /* struct open_join *: joins of the FROM at hand (join.h) */
    int32_t outer_reads; /* names found in a query around, so far */
    int32_t depth;
    int32_t function_calls; /* of SQL functions, so far */
    bool batch; /* a query of a session, a materialized view, a view without STREAM: all its rows stand still */
    struct dialect dialect;
    int32_t recursion_count;
    const struct sql_session *session; /* whose variables names may be; NULL: none */
    const struct parameter *parameters;
    int32_t parameter_count;
    struct list
        subqueries_read; /* struct subquery_reads *: what correlated subqueries read, for the names of columns */
};

struct subquery_reads {
    const struct ast_query *query;
    const char *columns; /* "a, b": of the rows around, as often as they stand in it */
};

/* ---- names in sight ---- */

struct scope_column {
    const char *name;
    const char *qualifier; /* table name or alias, or NULL */
    int32_t index;         /* column of the rowset's plan */
    bool hidden;           /* found with its qualifier only: the other side of USING */
    bool file; /* FILE_COLUMN of files, hidden: without a qualifier found where no other column has its name */
};
struct decoded { /* a from_json() that is a column already */
    const struct expr *arg;
    const struct plan *node;
    int32_t column;
};
struct rowset {
    struct plan *plan;
    struct scope_column *columns;
    int32_t column_count;
    struct decoded *decoded;
    int32_t decoded_count;
};
void rowset_add(struct analyser *self, struct rowset *rows, const char *name, const char *qualifier, int32_t index);
/* `expr` as a new last column of the rows' plan, without a name in sight. */
const struct expr *rowset_append(struct analyser *self, struct rowset *rows, const struct expr *expr, const char *name);
/* All columns of the plan under one qualifier (may be NULL); `names` overrides the first name_count
 * names. */
void rowset_of_plan(struct analyser *self, struct plan *plan, const char *qualifier, const char *const *names,
                    int32_t name_count, struct rowset *out);
/* Whether a star, or the star of a qualifier, stands for it among others. */
bool is_in_star(const struct scope_column *column, const char *qualifier);

struct select;
struct lambda_scope;
struct frame;
struct scope {
    struct rowset *rows;
    struct select *select;       /* where aggregates and window functions go; NULL: not allowed here */
    struct select *aliases;      /* whose earlier aliases are in sight all the same; NULL: none */
    const struct scope *outer;   /* of a correlated subquery */
    const char *clause;          /* "WHERE", for messages */
    struct lambda_scope *lambda; /* its variables come first; NULL: none */
    const struct frame *frame;   /* of an SQL function's body: its parameters are the only names; NULL: none */
    bool inside_aggregate;
    bool aliases_first; /* HAVING, ORDER BY: a name of the SELECT list hides a column */
    bool keys_first;    /* HAVING: but not one of GROUP BY */
};

enum {                                               /* marked column indexes; each kind has COLUMN_MARK of them */
       MARK_CALL = COLUMN_MARK,                      /* aggregate call i */
       MARK_WINDOW = 2 * COLUMN_MARK,                /* the window among the group keys */
       MARK_SET = MARK_WINDOW + COLUMN_MARK / 2,     /* the number of the grouping set */
       MARK_SUBQUERY = MARK_WINDOW + 1,              /* subquery i of a SELECT, computed above its groups */
       MARK_OVER = 3 * COLUMN_MARK,                  /* window function i */
       MARK_GENERATED = MARK_OVER + COLUMN_MARK / 2, /* column i of the generators over the groups */
       MARK_OUTER = COLUMN_OUTER,                    /* column of the query around; see plan.h */
};

/* ---- scope.c ---- */

/* Resolve a.b.c: qualifiers, column, fields. *found is false when no column fits; errors are
 * ambiguity and bad fields. */
MUST_CHECK enum code scope_find(struct analyser *self, const struct scope *scope, const struct ast *name,
                                const struct expr **out, bool *found);
enum code scope_unresolved(struct analyser *self, const struct scope *scope, const struct ast *name);
bool same_name(const char *a, const char *b); /* case ignored */

/* ---- analyse_expr.c, analyse_literal.c, analyse_call.c ---- */

MUST_CHECK enum code analyse_expr(struct analyser *self, const struct scope *scope, const struct ast *ast,
                                  const struct expr **out);
MUST_CHECK enum code analyse_boolean(struct analyser *self, const struct scope *scope, const struct ast *ast,
                                     const struct expr **out);
MUST_CHECK enum code analyse_literal(struct analyser *self, const struct ast *ast, const struct expr **out);
MUST_CHECK enum code analyse_interval(struct analyser *self, const struct ast *ast, int64_t *months, int64_t *us);
MUST_CHECK enum code analyse_call(struct analyser *self, const struct scope *scope, const struct ast *ast,
                                  const struct expr **out);
MUST_CHECK enum code analyse_args(struct analyser *self, const struct scope *scope, const struct ast *ast,
                                  const struct expr ***out);
/* session_variables.c */
const struct variable *variable_find(const struct analyser *self, const struct ast *name, int32_t *used);
MUST_CHECK enum code analyse_parameter(struct analyser *self, const struct ast *ast, const struct expr **out);
/* star.c: f(*), (a, t.*) with columns in the star's place; count(*) is none of them. */
bool star_among(const struct ast *ast);
MUST_CHECK enum code star_arguments(struct analyser *self, const struct scope *scope, const struct ast *ast,
                                    const struct ast **out);
/* analyse_lambda.c */
bool is_lambda_call(const struct ast *ast);
MUST_CHECK enum code analyse_lambda_call(struct analyser *self, const struct scope *scope, const struct ast *ast,
                                         const struct expr **out);
MUST_CHECK enum code lambda_name(struct analyser *self, const struct scope *scope, const struct ast *name,
                                 const struct expr **out);
/* from_json(text, schema[, options]) -> a column of a DECODE node. */
/* unheeded.c: options of from_json and the like that nothing looks at become warnings. */
void unheeded_of_call(struct analyser *self, const struct ast *call);
MUST_CHECK enum code analyse_from_json(struct analyser *self, const struct scope *scope, const struct ast *ast,
                                       const struct expr **out);
/* A constant string; `what` names the argument in the message. */
MUST_CHECK enum code constant_string(struct analyser *self, const struct scope *scope, const struct ast *ast,
                                     const char *what, const char **out);
/* IN (SELECT ..), EXISTS (SELECT ..) or NOT of one: as a conjunct of WHERE it is a join over the rows. */
bool is_membership_condition(const struct ast *ast);
MUST_CHECK enum code analyse_membership(struct analyser *self, const struct scope *scope, const struct ast *ast);
/* Subqueries in expressions. */
bool is_not_in(const struct ast *ast); /* NOT (x IN (SELECT ..)) */
MUST_CHECK enum code analyse_not_in(struct analyser *self, const struct scope *scope, const struct ast *ast,
                                    const struct expr **out);
MUST_CHECK enum code analyse_subquery(struct analyser *self, const struct scope *scope, const struct ast *ast,
                                      const struct expr **out);

/* ---- analyse_select.c, analyse_group.c ---- */

MUST_CHECK enum code analyse_select(struct analyser *self, const struct ast_query *query, const struct ast_select *ast,
                                    const struct scope *outer, struct rowset *out);
/* WITHIN GROUP: its order as arguments of the aggregate; checks that the call may, or must, have it. */
MUST_CHECK enum code within_args(struct analyser *self, const struct scope *scope, const struct ast *ast,
                                 const struct expr ***args, int32_t *count);
MUST_CHECK enum code within_refused(struct analyser *self, const struct ast *ast, const char *syntax);
MUST_CHECK enum code select_aggregate(struct analyser *self, const struct scope *scope, const struct ast *ast,
                                      const struct expr **out);
MUST_CHECK enum code select_window(struct analyser *self, const struct scope *scope, const struct ast *ast,
                                   const struct expr **out);
MUST_CHECK enum code select_over(struct analyser *self, const struct scope *scope, const struct ast *ast,
                                 const struct expr **out);
/* Whether the name is that of a key of GROUP BY, or of a field of one. */
bool select_has_key(struct analyser *self, const struct scope *scope, const struct ast *name);
/* A name among the aliases of the SELECT list; *out NULL when there is none. */
MUST_CHECK enum code select_alias(struct analyser *self, const struct scope *scope, const char *name,
                                  const struct expr **out);

/* ---- analyse_query.c, analyse_from.c, analyse_generate.c ---- */

MUST_CHECK enum code analyse_query(struct analyser *self, const struct ast_query *query, const struct scope *outer,
                                   struct rowset *out);
/* The same for FROM, and a pipe's next step: FILE_COLUMN of files stays in sight. */
MUST_CHECK enum code query_rows(struct analyser *self, const struct ast_query *query, const struct scope *outer,
                                struct rowset *out);
/* analyse_file.c: which file a row came from. Without FILE_COLUMN of files, which is no column of a query: */
void rowset_forget_files(struct analyser *self, struct rowset *rows);
/* input_file_name() and the like, of the files in FROM; *out NULL when no file is read. */
bool is_file_function(const struct ast *ast);
MUST_CHECK enum code analyse_file_function(struct analyser *self, const struct scope *scope, const struct ast *ast,
                                           const struct expr **out);
MUST_CHECK enum code query_body(struct analyser *self, const struct ast_query *query, const struct ast_body *body,
                                const struct scope *outer, struct rowset *out);
/* left UNION, INTERSECT or EXCEPT right. */
MUST_CHECK enum code set_rows(struct analyser *self, const struct ast_body *body, struct plan *left, struct plan *right,
                              struct rowset *out);
/* The input with column places[i] at i, cast to the types of `schema`; the input itself when nothing changes. */
MUST_CHECK enum code aligned(struct analyser *self, struct plan *input, const struct type *schema,
                             const int32_t *places, struct position at, struct plan **out);
/* analyse_with.c: WITH; its names go on top of self->ctes. */
MUST_CHECK enum code analyse_ctes(struct analyser *self, const struct ast_query *query, const struct scope *outer);
/* The WITH name that the relation is; *out NULL when there is none. */
MUST_CHECK enum code find_cte(struct analyser *self, const struct ast_relation *relation, const struct ast_cte **cte,
                              struct plan **out);
/* The plan, of which LIMIT takes only some rows: a recursion at its bottom may have any number. */
struct plan *recursion_unlimited(struct analyser *self, struct plan *plan);
MUST_CHECK enum code analyse_relation(struct analyser *self, const struct ast_relation *relation,
                                      const struct scope *outer, struct rowset *out);
MUST_CHECK enum code analyse_values(struct analyser *self, const struct ast_relation *relation, struct rowset *out);
MUST_CHECK enum code analyse_limit(struct analyser *self, const struct ast_query *query, struct rowset *rows);
MUST_CHECK enum code analyse_sort(struct analyser *self, const struct ast_query *query, struct rowset *rows);
/* A SORT over the input; keys of ORDER BY ALL all go the way of its only entry. */
MUST_CHECK enum code sort_rows(struct analyser *self, const struct ast_query *query, struct plan *input,
                               const struct expr *const *keys, int32_t count, struct plan **out);
/* Whether rows of the schema can be told apart: DISTINCT, UNION, INTERSECT, EXCEPT take no MAP and no VARIANT. */
MUST_CHECK enum code check_comparable(struct analyser *self, const struct type *schema, struct position at);
/* Rows that come once; `what` names it where it cannot run. */
MUST_CHECK enum code distinct_rows(struct analyser *self, const char *what, struct position at, struct plan **plan);
/* analyse_pivot.c: PIVOT and UNPIVOT, with the relation below. analyse_sample.c: TABLESAMPLE over the rows. */
MUST_CHECK enum code analyse_pivot(struct analyser *self, const struct ast_relation *relation,
                                   const struct scope *outer, struct rowset *out);
MUST_CHECK enum code analyse_sample(struct analyser *self, const struct ast_sample *sample, struct rowset *rows);
/* Put a generator over the rows' plan: its columns are the last `*count` ones. `names` may be none
 * (defaults then). */
MUST_CHECK enum code analyse_generator(struct analyser *self, const struct scope *scope, const struct ast *call,
                                       bool outer, const char *const *names, int32_t name_count, int32_t *count);
struct bound_generator { /* a call, typed */
    struct plan_generate spec;
    struct field *fields; /* that it makes */
    int32_t field_count;
};
MUST_CHECK enum code bind_generator(struct analyser *self, const struct scope *scope, const struct ast *call,
                                    const char *const *names, int32_t name_count, struct bound_generator *out);
struct plan *generator_over(struct analyser *self, const struct bound_generator *generator, struct plan *input,
                            struct position at);
bool is_generator(const struct ast *ast);
bool call_takes_unit(const struct ast *ast); /* dateadd(DAY, n, t): its first argument is no column */
bool is_time_window(const struct ast *ast);  /* window(..), session_window(..) */
struct plan *plan_one_row(struct analyser *self, struct position at); /* one row without columns */

/* ---- catalog.c ---- */

/* What `name` means; NULL with the error set. `stream`: read as a stream. */
MUST_CHECK enum code catalog_relation(struct analyser *self, const struct ast_relation *relation, struct plan **out);

/* ---- analyser.c ---- */

/* Complete the message in err when the call failed. */
enum code placed(struct analyser *self, enum code code, struct position at);
enum code sql_error_report(struct analyser *self, struct position at, const char *hint, const char *format, ...)
    PRINTF(4, 5);
#define sql_error(...) error_never_ok(sql_error_report(__VA_ARGS__))
enum code not_yet_report(struct analyser *self, struct position at, const char *what);
#define not_yet(...) error_never_ok(not_yet_report(__VA_ARGS__))
MUST_CHECK enum code deeper(struct analyser *self, struct position at);
/* Name of an unnamed output column, as Spark derives it. `scope` tells columns from their
 * qualifiers; it may be NULL. */
char *column_name_of(struct analyser *self, const struct scope *scope, const struct ast *ast);
char *ast_name_of(struct analyser *self, const struct ast *ast);
bool is_bare_function(const char *name);                             /* current_date and friends need no parentheses */
const char *type_text(struct arena *arena, const struct type *type); /* upper case, for messages */
const struct expr *column_of(struct analyser *self, const struct plan *plan, int32_t index, struct position at);

#endif

/* expr.h - compute columns from columns: typed trees, the tables of functions, and flat programs.
 *
 * Tree       struct expr is immutable, typed, and lives in the query's arena. The analyser (sql/) builds it only
 *            through expr_* constructors below, which insert Spark's implicit casts and find overloads
 * Program    compiles trees into one flat array of steps with common sub-expressions shared; run() executes step after
 *            step over whole columns
 * Errors     ANSI runtime errors go to the reject list {row, step, code}, once per row; the result there is NULL.
 *            Steps under a CASE, COALESCE, AND, OR, IF are evaluated for all rows but reject only where active
 * Thread     a program is read-only and shared; each worker has its own evaluator
 * Add one    a SCALAR or AGGREGATE block in expr/<family>.c and its name in that file's table
 * Spec       Spark 4.2, ANSI on; docs/functions.md is generated from the tables
 */
#ifndef EXPR_EXPR_H
#define EXPR_EXPR_H

#include "data/data.h"

/* Where in the user's text; file may be NULL. Lines and columns count from 1, columns in characters. */
struct position {
    const char *file;
    int32_t line, column;
    int32_t length; /* characters to underline; 0 = 1 */
};

enum expr_kind {
    EXPR_COLUMN,  /* input column `index` */
    EXPR_FIELD,   /* field `index` of the STRUCT args[0] */
    EXPR_LITERAL, /* `literal`: a column of one row */
    EXPR_CALL,    /* function(args) */
    EXPR_CAST,    /* args[0] to type; try = try_cast */
    EXPR_CASE,    /* args: when1, then1, when2, then2, ..., [else]; arg_count odd = has else */
};
struct function;
struct expr {
    enum expr_kind kind;
    const struct type *type;
    bool nullable;
    bool try_cast;
    bool replaced; /* made by a function that Spark has in terms of others, or that takes lambdas */
    struct position at;
    int32_t index; /* COLUMN, FIELD; CAST: 1 = the user wrote it, 0 = implied; CALL, CASE: depth */
    struct column *literal;
    const struct function *function;
    const void *bound; /* what the function's bind() made of constant arguments, or NULL; COLUMN: its name */
    int32_t arg_count;
    const struct expr **args;
};

/* Settings that shape results; fixed per epoch, stored in the chain record. */
struct session {
    const struct zone *zone; /* spark.sql.session.timeZone */
    bool ansi;               /* spark.sql.ansi.enabled */
    int64_t batch_time_us;   /* current_timestamp() of the epoch */
    /* Of leat sql only: */
    bool ntz;                 /* spark.sql.timestampType: TIMESTAMP is TIMESTAMP_NTZ */
    bool calendar_intervals;  /* spark.sql.legacy.interval.enabled: literals and differences are INTERVALs */
    bool exact_decimals;      /* not spark.sql.decimalOperations.allowPrecisionLoss: digits before the point give way */
    enum binary_style binary; /* spark.sql.binaryOutputStyle: how answers show bytes */
    bool java_charsets;       /* spark.sql.legacy.javaCharsets: of Java's charsets windows-1252 is known, too */
    bool coding_replaces;     /* spark.sql.legacy.codingErrorAction: what a charset lacks becomes ? or U+FFFD */
    bool insert_before_last;  /* spark.sql.legacy.negativeIndexInArrayInsert: -1 is in front of the last element */
    bool binary_concat_text;  /* spark.sql.function.concatBinaryAsString */
    enum time_parser {        /* spark.sql.legacy.timeParserPolicy */
                       TIME_PARSER_EXCEPTION, /* patterns that meant something else to Spark 2 are refused */
                       TIME_PARSER_CORRECTED,
                       TIME_PARSER_LEGACY, /* Java's SimpleDateFormat */
    } time_parser;
};

/* ---- building typed trees; all fail with E_SQL and the error text of what is wrong (position is set by the caller's
 *      `at`; text starts with Spark's condition in brackets, e.g. "[DATATYPE_MISMATCH.UNEXPECTED_INPUT_TYPE] ...") ---- */
struct expr_context {
    struct arena *arena;
    const struct session *session;
};
const struct expr *expr_column(struct expr_context *ctx, int32_t index, const struct field *field, struct position at);
MUST_CHECK enum code expr_field(struct expr_context *ctx, const struct expr *of, const char *name, struct position at,
                                const struct expr **out, struct error *err); /* on ARRAY<STRUCT> gives an array */
const struct expr *expr_null(struct expr_context *ctx, const struct type *type, struct position at);
const struct expr *expr_boolean(struct expr_context *ctx, bool value, struct position at);
const struct expr *expr_int(struct expr_context *ctx, const struct type *type, int64_t value, struct position at);
const struct expr *expr_double(struct expr_context *ctx, double value, struct position at);
const struct expr *expr_string(struct expr_context *ctx, struct bytes value, struct position at);
const struct expr *expr_binary(struct expr_context *ctx, struct bytes value, struct position at);
const struct expr *expr_decimal(struct expr_context *ctx, __int128 unscaled, int precision, int scale,
                                struct position at);
const struct expr *expr_interval(struct expr_context *ctx, const struct calendar_interval *value, struct position at);
/* One value of a column, copied. */
const struct expr *expr_value(struct expr_context *ctx, const struct column *col, int64_t row, struct position at);
/* Explicit cast; E_SQL when Spark knows no such cast. */
MUST_CHECK enum code expr_cast(struct expr_context *ctx, const struct expr *of, const struct type *to, bool try_cast,
                               struct position at, const struct expr **out, struct error *err);
/* Any function or operator by Spark's name: "abs", "+", "=", "<=>", "and", "or", "not", "like", "in", "isnull", "[]"
 * (subscript), "-" with one argument. Unknown name: E_SQL with "did you mean". */
MUST_CHECK enum code expr_call(struct expr_context *ctx, const char *name, const struct expr *const *args,
                               int32_t count, struct position at, const struct expr **out, struct error *err);
MUST_CHECK enum code expr_case(struct expr_context *ctx, const struct expr *const *args, int32_t count,
                               struct position at, const struct expr **out, struct error *err);
/* Functions that take lambdas. A body is over its variables, then what is captured: the arguments behind the values. */
enum { LAMBDA_VARIABLES_MAX = 3 };
struct lambda {
    const struct expr *body;
    int32_t variable_count;
};
/* How many arguments stand in front of the lambdas; 0: `name` takes none. */
int32_t lambda_values(const char *name, int32_t *bodies_max);
/* Types that the variables of lambda `body` get; args may be cast. */
MUST_CHECK enum code lambda_variables(struct expr_context *ctx, const char *name, const struct expr **args,
                                      int32_t body, const struct type *out[LAMBDA_VARIABLES_MAX], int32_t *count,
                                      struct error *err);
MUST_CHECK enum code expr_lambda(struct expr_context *ctx, const char *name, const struct expr *const *args,
                                 int32_t arg_count, const struct lambda *bodies, int32_t body_count, struct position at,
                                 const struct expr **out, struct error *err);
bool type_has_text_keys(const struct type *type); /* all MAPs in it, as JSON's objects have */
/* Common type of several expressions (CASE, UNION, IN, coalesce); NULL when there is none. */
const struct type *type_common(struct arena *arena, const struct type *a, const struct type *b);
/* May be a key of ORDER BY; of GROUP BY. */
bool type_holds(const struct type *type, enum type_id id); /* is it, or has it within */
bool type_is_orderable(const struct type *type);
bool type_is_groupable(const struct type *type);
/* A MAP, or one within it: a key of GROUP BY has its entries in order, by the call "map:sorted". */
bool type_holds_map(const struct type *type);
/* The same by the session's rules: without ANSI beside a text all but BOOLEAN and BINARY are texts. */
const struct type *expr_type_common(const struct expr_context *ctx, const struct type *a, const struct type *b);
bool expr_is_constant(const struct expr *expr);      /* no columns, no non-deterministic call */
bool expr_is_deterministic(const struct expr *expr); /* the same for the same columns all through an epoch */
/* And constant already while Spark analyses a query: then what is `replaced` is not. */
bool expr_is_foldable(const struct expr *expr);
const struct expr *expr_replaced(struct expr_context *ctx, const struct expr *expr); /* the same, marked */
bool expr_is_strict(const struct expr *expr); /* a call that is NULL where an argument is */
/* NULL without a look at the other arguments where one is NULL: a cast, a field, nearly all strict calls. */
bool expr_passes_null(const struct expr *expr);
/* Whatever the row: it is NULL, or a strict call of something that is. */
bool expr_always_null(const struct expr *expr);
/* It may fail, but is never NULL, neither here nor to Spark's optimiser: who asks for its validity does not need it. */
bool expr_null_is_known(const struct expr *expr);
bool expr_equal(const struct expr *a, const struct expr *b);
struct bytes expr_function(const struct expr *expr); /* first name of the function of an EXPR_CALL; empty for others */
/* Whether it is a call of this function or operator; of synonyms, the first name: "and", "<=", "-", "isnull". */
bool expr_is_call(const struct expr *expr, const char *name);
/* A condition that no row can fulfil: false, NULL, or AND and OR of such. */
bool expr_never_true(struct expr_context *ctx, const struct expr *expr);
/* Fold a constant expression to a literal; E_SQL with the runtime error. */
MUST_CHECK enum code expr_fold(struct expr_context *ctx, const struct expr *expr, const struct expr **out,
                               struct error *err);
/* Spark's text of the expression, for column names and plans: "(a + 1)", "CAST(x AS INT)". */
void expr_print(const struct expr *expr, const struct type *input_schema, struct text *out);

/* ---- functions ---- */
enum function_kind { FUNCTION_NONE, FUNCTION_SCALAR, FUNCTION_AGGREGATE, FUNCTION_GENERATOR };
/* What `name` is, ignoring case. Generators (explode, posexplode, inline, stack, *_outer) are executed by the operator. */
enum function_kind function_kind(const char *name);
const char *function_nearest(const char *name); /* did you mean; ends at a blank or NUL; NULL: nothing is near */
void functions_print(struct text *out);         /* docs/functions.md */
enum { FUNCTION_OPTIONS_MAX = 3 };
struct function_options {
    int32_t place;                                     /* of map('name', 'value', ..) among the arguments */
    const struct option *tables[FUNCTION_OPTIONS_MAX]; /* ends with NULL */
};
/* Which options a function heeds (option_names.c); false: it takes none. */
bool function_options(const char *function, struct function_options *out);
/* What is known of a function: its names, set apart by blanks, and how it is called. */
struct function_note {
    const char *names, *signature, *help, *example, *expected;
}; /* example: NULL = none */
void functions_each(void (*each)(void *context, const struct function_note *note), void *context);
/* Calls each(context, name, example, expected) for every function's example, for the example test. */
void functions_each_example(void (*each)(void *context, const char *name, const char *example, const char *expected),
                            void *context);

/* ---- running ---- */
struct program;
struct evaluator;
MUST_CHECK enum code program_compile(struct arena *arena, const struct expr *const *roots, int32_t count,
                                     struct program **out, struct error *err);
/* guards[i]: an earlier root, a condition, of which root i is needed only where it is true: there alone its errors
 * count; -1 = everywhere. */
MUST_CHECK enum code program_compile_guarded(struct arena *arena, const struct expr *const *roots,
                                             const int32_t *guards, int32_t count, struct program **out,
                                             struct error *err);
struct evaluator *evaluator_new(const struct program *program);
/* out: `count` columns of in->rows rows, overwritten. A column of the input may come out shared, not copied. */
MUST_CHECK enum code evaluator_run(struct evaluator *evaluator, const struct session *session, const struct batch *in,
                                   struct column *out, struct rejects *rejects, struct error *err);
struct position program_step_position(const struct program *program, int32_t step); /* for a reject's message */
void evaluator_free(struct evaluator *evaluator);

/* ---- aggregates ---- */
/* A bound aggregate call: count(*), sum(x), avg(distinct x) filter (where p). Immutable, in the query's arena. */
struct aggregate;
struct aggregate_call {
    const struct aggregate *function;
    const struct type *type; /* of the result */
    bool distinct;
    int32_t arg_count;
    const struct expr **args;  /* over the aggregate's input; casts inserted */
    const struct expr *filter; /* or NULL */
    const struct type *arg_types[4];
    size_t state_size;  /* bytes, multiple of 8; states are zeroed before init */
    bool state_is_flat; /* the state's bytes are the whole state: save/load/merge may memcpy it */
    bool ordered;       /* its result depends on the order of the rows */
    const void *bound;  /* what the function made of its constant arguments, or NULL */
    uint64_t variant;   /* hash of what `bound` says: calls that differ in it alone differ */
    struct position at;
};
MUST_CHECK enum code aggregate_bind(struct expr_context *ctx, const char *name, const struct expr *const *args,
                                    int32_t count, bool distinct, const struct expr *filter, struct position at,
                                    const struct aggregate_call **out, struct error *err);
struct bytes aggregate_name(const struct aggregate_call *call); /* the first of its names */
void aggregate_init(const struct aggregate_call *call, void *state);
/* Where a row's record stands among all records. Files of a source are one partition, in the order they were found. */
struct row_place {
    int64_t offset;
    int32_t partition;
    uint32_t topic; /* hash */
};
static inline bool row_place_before(const struct row_place *a, const struct row_place *b)
{
    if (a->partition != b->partition)
        return a->partition < b->partition;
    return a->offset != b->offset ? a->offset < b->offset : a->topic < b->topic;
}
/* Rows to add: row i goes to the state at base + slots[i] * stride. */
struct aggregate_rows {
    const struct aggregate_call *call;
    const struct column *args;
    int64_t rows;
    const uint8_t *active;          /* bits; NULL = all */
    const struct row_place *places; /* per row; NULL: rows come in order. Asked for by call->ordered */
    uint8_t *base;
    size_t stride;
    const uint32_t *slots;
    struct rejects *rejects;
    size_t *heap_bytes; /* what the states at `base` hold outside of their slots; kept up to date */
};
void aggregate_add(const struct aggregate_rows *rows);
/* Fold `from` into `into`; false when the result does not fit (it is NULL then, for good). `from` is left valid. */
bool aggregate_merge(const struct aggregate_call *call, void *into, const void *from, size_t *heap_bytes);
/* One result per state, appended to the builder of call->type; false on overflow (result is NULL then). */
bool aggregate_finish(const struct aggregate_call *call, const void *state, struct builder *out);
/* E_DATA: what it means, in ANSI mode, that aggregate_finish was false. state NULL: a window's, where Spark does not keep sums
 * within their type's digits. */
enum code aggregate_failed(const struct aggregate_call *call, const void *state, struct error *err);
void aggregate_save(const struct aggregate_call *call, const void *state, struct text *out);
MUST_CHECK enum code aggregate_load(const struct aggregate_call *call, struct bytes *in, void *state,
                                    size_t *heap_bytes, struct error *err);
void aggregate_drop(const struct aggregate_call *call, void *state, size_t *heap_bytes);

#endif

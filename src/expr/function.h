/* function.h - inside expr/: what a function is, and what its kernel gets.
 *
 * Add one    SCALAR(fn_x, "x", "(bigint) -> bigint", "What it does.", "x(1)", "1") { body } and &fn_x in the table at
 *            the end of that file. Synonyms follow the name after a blank: "ceil ceiling". Several rows may have one
 *            name (overloads): the row that needs the fewest casts is taken, ties go to the first
 * Signature  signature.c; `type?` is optional, `type...` repeats
 * Kernel     computes out for all `call->rows` rows, garbage rows included, without a branch where it can.
 *            args[k].step is 1, or 0 when one row stands for all. Unless FN_NULLS, out->valid is already the AND of the
 *            arguments' validity (NULL arguments never reach the kernel as constants). Fixed-width out->values is there
 * Errors     call_reject(call, row, code): ANSI error, the row becomes NULL. call_null(call, row): just NULL
 * Thread     kernels are pure; scratch memory is the evaluator's
 */
#ifndef EXPR_FUNCTION_H
#define EXPR_FUNCTION_H

#include <inttypes.h>

#include "expr/expr.h"

typedef __int128 int128;
typedef unsigned __int128 uint128;

enum { EXPR_ARGS_MAX = 30000 }; /* arguments of one call; branches are picked by 16-bit numbers */

struct arg {
    const struct column *col;
    int64_t step;
};
static inline bool arg_valid(const struct arg *arg, int64_t row) { return column_valid_at(arg->col, row * arg->step); }
static inline struct bytes arg_bytes(const struct arg *arg, int64_t row)
{
    return column_bytes_at(arg->col, row * arg->step);
}
static inline bool arg_bit(const struct arg *arg, int64_t row)
{
    return bit_get(arg->col->values->data, row * arg->step);
}
#define arg_values(arg, ctype) column_values((arg)->col, const ctype)

struct evaluator;
struct call {
    const struct type *type;        /* of the result */
    const struct expr *const *args; /* the trees, for their types; evaluated ones are the kernel's `args` */
    int32_t arg_count;
    const void *bound;
    const struct session *session;
    int64_t rows;
    struct column *out;
    struct evaluator *evaluator;
    const uint8_t *active;  /* rows whose errors count; NULL = all */
    int32_t step;           /* in the program, for the reject's position */
    bool constant;          /* one row stands for all rows of the batch */
    bool quiet;             /* errors are NULL: try_... */
    bool strict;            /* errors count without ANSI, too */
    bool nested;            /* rows are elements of the rows: errors are only noted */
    bool failed;            /* an error is noted */
    enum reject_code noted; /* the last one, also when quiet */
};
/* ANSI error: the row becomes NULL, and is rejected where errors count. Does nothing when the row is NULL already. */
void call_reject(struct call *call, int64_t row, enum reject_code code);
void call_null(struct call *call, int64_t row);
/* The row is not NULL (yet). */
static inline bool call_valid(const struct call *call, int64_t row) { return column_valid_at(call->out, row); }
/* Own, writable validity bits, all ones when the column had none. */
uint8_t *call_validity(struct call *call);
/* Scratch or result memory from the evaluator's pool; contents undefined. */
struct buffer *call_buffer(struct call *call, size_t size);
void call_free(struct call *call, struct buffer *buffer);
/* Memory of this call that lasts as long as the evaluator; all zero at first. For what goes on from batch to batch. */
void *call_memory(struct call *call, size_t size);
/* A hash of where the batch's first row was read; 0 when its rows come from no source. */
uint64_t call_origin(const struct call *call);

/* ---- binding ---- */
struct binding {
    struct expr_context *ctx;
    const struct function *function;
    const struct expr **args; /* cast to the signature's types; bind may replace them */
    int32_t count;
    struct position at;
    const struct type *type; /* as the signature says; bind may replace it */
    bool nullable;
    const void *bound;            /* bind's own; in the arena */
    const struct expr *rewritten; /* set: stands for the whole call */
};

enum function_flags {
    FN_NULLS = 1,    /* the kernel sees NULL arguments and makes the validity itself */
    FN_FAILS = 2,    /* may reject rows */
    FN_NULLABLE = 4, /* gives NULL where no argument is NULL */
    FN_NEVER_NULL = 8,
    FN_TIME = 16,          /* depends on the epoch: never folded */
    FN_PER_ROW = 32,       /* differs from row to row without arguments: uuid() */
    FN_OPERATOR = 64,      /* its name is an operator */
    FN_HIDDEN = 128,       /* not in docs/functions.md */
    FN_TRY = 256,          /* what would be an error is NULL */
    FN_LAMBDA = 512,       /* called by expr_lambda() alone */
    FN_RIGHT_FIRST = 2048, /* the last argument is asked for first: a divisor */
    FN_IN_ORDER = 4096,    /* Spark asks for one argument after the other until one is NULL */
    FN_BOUND = 1024,       /* what is bound says more than the arguments: such calls are never the same */
};
/* Which arguments are evaluated for all rows but may fail only where they are needed. */
enum lazy { LAZY_NONE, LAZY_AND, LAZY_OR, LAZY_COALESCE, LAZY_IF };

struct function {
    const char *name, *signature, *help, *example, *expected;
    void (*run)(struct call *call, const struct arg *args, struct column *out);
    enum code (*bind)(struct binding *binding, struct error *err);
    unsigned flags;
    enum lazy lazy;
};
#define SCALAR(id, ...)                                                                                             \
    static void id##_run(struct call *call, const struct arg *args, struct column *out);                            \
    static const struct function id = {__VA_ARGS__, .run = id##_run};                                               \
    static void id##_run(__attribute__((unused)) struct call *call, __attribute__((unused)) const struct arg *args, \
                         __attribute__((unused)) struct column *out)
/* Another row with the kernel of an existing one, or one whose bind() rewrites every call into other functions. */
#define SCALAR_SAME(id, ...) static const struct function id = {__VA_ARGS__}

extern const struct function *const arithmetic_functions[];
extern const struct function *const math_functions[];
extern const struct function *const rounding_functions[];
extern const struct function *const compare_functions[];
extern const struct function *const logic_functions[];
extern const struct function *const conditional_functions[];
extern const struct function *const string_functions[];
extern const struct function *const string_parts_functions[];
extern const struct function *const text_functions[];
extern const struct function *const format_text_functions[];
extern const struct function *const number_text_functions[];
extern const struct function *const calendar_interval_functions[];
extern const struct function *const interval_scale_functions[];
extern const struct function *const time_sequence_functions[];
extern const struct function *const time_sum_functions[];
extern const struct function *const time_make_functions[];
extern const struct function *const pattern_functions[];
extern const struct function *const datetime_functions[];
extern const struct function *const calendar_functions[];
extern const struct function *const time_format_functions[];
extern const struct function *const time_window_functions[];
extern const struct function *const time_bucket_functions[];
extern const struct function *const collection_functions[];
extern const struct function *const map_functions[];
extern const struct function *const map_sort_functions[];
extern const struct function *const bitmap_functions[];
extern const struct function *const cipher_functions[];
extern const struct function *const url_functions[];
extern const struct function *const random_functions[];
extern const struct function *const shuffle_functions[];
extern const struct function *const array_functions[];
extern const struct function *const time_of_day_functions[];
extern const struct function *const array_edit_functions[];
extern const struct function *const vector_functions[];
extern const struct function *const mask_functions[];
extern const struct function *const text_bytes_functions[];
extern const struct function *const charset_functions[];
extern const struct function *const digest_functions[];
extern const struct function *const json_functions[];
extern const struct function *const json_get_functions[];
extern const struct function *const decode_functions[];
extern const struct function *const csv_functions[];
extern const struct function *const schema_functions[];
extern const struct function *const context_functions[];
extern const struct function *const variant_functions[];
extern const struct function *const variant_make_functions[];
extern const struct function *const variant_schema_functions[];
extern const struct function *const sentence_functions[];

/* Next row of `name` behind `after` (NULL: the first); NULL when there is none. */
const struct function *function_next(const char *name, const struct function *after);
const struct function *function_at(int32_t index); /* all rows, for contract tests; NULL behind the last */
bool function_has_name(const struct function *function, const char *name, size_t size);

/* Why a function of Spark's is not in the tables; NULL: nothing is known of that name. */
const char *function_absent(const char *name);
void functions_print_absent(struct text *out);

/* The literal's only value; call only when expr is a non-NULL literal of that shape. */
bool literal_is_null(const struct expr *expr);
int64_t literal_int(const struct expr *expr);
struct bytes literal_bytes(const struct expr *expr);
/* Folds a constant argument; E_SQL NON_FOLDABLE_INPUT when it is none. */
MUST_CHECK enum code binding_constant(struct binding *binding, int32_t index, const struct expr **out,
                                      struct error *err);

/* The same where Spark wants the constant while it analyses: see expr_is_foldable. */
MUST_CHECK enum code binding_foldable(struct binding *binding, int32_t index, const struct expr **out,
                                      struct error *err);

/* E_SQL DATATYPE_MISMATCH.UNEXPECTED_INPUT_TYPE for an argument that the signature leaves open: `wanted` is a type. */
MUST_CHECK enum code binding_wrong_type(struct binding *binding, int32_t index, const char *wanted, struct error *err);
/* Casts an argument that the signature leaves open; E_SQL when that cast is not implied. */
MUST_CHECK enum code binding_cast(struct binding *binding, int32_t index, const struct type *to, struct error *err);

/* E_SQL when the argument was cast to what the signature says: there nothing is cast but NULL. */
MUST_CHECK enum code binding_exact(struct binding *binding, int32_t index, struct error *err);

/* ---- trees ---- */
enum { EXPR_DEPTH_MAX = 3000 }; /* calls within calls: trees are walked by recursion */
/* Fills in args and depth of a CALL or CASE; E_SQL when it is too deep. */
MUST_CHECK enum code expr_take_args(struct expr *expr, const struct expr **args, int32_t count, struct error *err);
struct expr *expr_new(struct expr_context *ctx, enum expr_kind kind, const struct type *type, struct position at);
/* CAST of a VARIANT to a type that is not nested. */
MUST_CHECK enum code variant_cast(struct expr_context *ctx, const struct expr *of, const struct type *to, bool try_cast,
                                  struct position at, const struct expr **out, struct error *err);
/* The same to ARRAY, MAP or STRUCT. */
MUST_CHECK enum code variant_cast_nested(struct expr_context *ctx, const struct expr *of, const struct type *to,
                                         bool try_cast, struct position at, const struct expr **out, struct error *err);
/* CAST('today' AS DATE): what computes it for the batch; NULL when `of` is no such word. */
const struct expr *day_word_cast(struct expr_context *ctx, const struct expr *of, const struct type *to);
/* Whether a value of the type can be a VARIANT; objects: STRUCTs and MAPs, too. */
bool variant_takes(const struct type *type, bool objects);
/* Implicit: the same node when the type is right already, a NULL literal of the type for NULL. */
const struct expr *expr_cast_implicit(struct expr_context *ctx, const struct expr *of, const struct type *to);
/* Whether a step of this node (not its arguments) may reject a row. */
bool expr_node_fails(const struct expr *expr);

/* ---- running single nodes (evaluate.c calls, tests too) ---- */
void cast_run(struct call *call, const struct arg *arg, bool try_cast, struct column *out);
bool cast_fails(const struct type *from, const struct type *to);
void case_run(struct call *call, const struct arg *args, int32_t count, struct column *out);

#endif

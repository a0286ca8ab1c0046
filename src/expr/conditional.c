/* conditional.c - CASE, IF, COALESCE and their relatives: which branch a row takes, then one pass that picks. */
#include "expr/coerce.h"
#include "expr/loop.h"
#include "expr/pick.h"
#include "expr/writer.h"

/* ---- picking ---- */

enum { BRANCHES_ON_STACK = 64 };

/* Where branch k's row 0 lies and how far the next row is; the extra last branch is the NULL one. */
struct source {
    const uint8_t *values, *valid;
    int64_t step;
};

static void select_valid(struct call *call, const struct source *sources, const uint16_t *pick)
{
    uint8_t *valid = call_validity(call);
    TRUTH_LOOP(valid, call->rows, const struct source *from = &sources[pick[i]],
               from->values != NULL && (from->valid == NULL || bit_get(from->valid, i * from->step)));
}

/* Two branches, as in nearly every CASE: a blend without a table. */
#define SELECT_TWO(ctype)                                                 \
    do {                                                                  \
        const ctype *a = (const ctype *)(const void *)sources[0].values;  \
        const ctype *b = (const ctype *)(const void *)sources[1].values;  \
        const int64_t a_step = sources[0].step, b_step = sources[1].step; \
        for (int64_t i = 0; i < call->rows; i++) {                        \
            const ctype x = a[i * a_step], y = b[i * b_step];             \
            r[i] = pick[i] == 0 ? x : y;                                  \
        }                                                                 \
    } while (0)

static void select_fixed(struct call *call, const struct source *sources, int32_t count, bool has_none,
                         const uint16_t *pick, struct column *out)
{
    static const int128 nothing = 0;
    switch (type_shape(out->type)) {
#define FIXED(shape, ctype)                                                                                  \
    case shape: {                                                                                            \
        ctype *r = column_values(out, ctype);                                                                \
        if (count == 2 && sources[0].values != NULL && sources[1].values != NULL && !has_none) {             \
            SELECT_TWO(ctype);                                                                               \
            break;                                                                                           \
        }                                                                                                    \
        for (int64_t i = 0; i < call->rows; i++) {                                                           \
            const struct source *from = &sources[pick[i]];                                                   \
            const void *values = from->values != NULL ? (const void *)from->values : (const void *)&nothing; \
            r[i] = ((const ctype *)values)[i * from->step];                                                  \
        }                                                                                                    \
        break;                                                                                               \
    }
        SHAPES_FIXED(FIXED)
#undef FIXED
    default:
        for (int64_t i = 0; i < call->rows; i++) {
            const struct source *from = &sources[pick[i]];
            bit_put(out->values->data, i, from->values != NULL && bit_get(from->values, i * from->step));
        }
    }
}

static void select_bytes(struct call *call, const struct arg *branches, int32_t count, const uint16_t *pick,
                         struct column *out)
{
    struct writer writer;
    writer_open(&writer, call, out, call->rows * 16);
    for (int64_t i = 0; i < call->rows; i++) {
        if (pick[i] < count && arg_valid(&branches[pick[i]], i))
            writer_put(&writer, arg_bytes(&branches[pick[i]], i));
        else
            writer_skip(&writer);
    }
    writer_close(&writer);
}

/* Nested values: all branches behind one another, and one NULL row, then gathered by index. */
static void select_nested(struct call *call, const struct arg *branches, int32_t count, const uint16_t *pick,
                          struct column *out)
{
    struct column all = {0}, null;
    struct buffer *buffer =
        call_buffer(call, ((size_t)count + 1) * sizeof(int64_t) + (size_t)call->rows * sizeof(int32_t));
    int64_t *starts = (int64_t *)(void *)buffer->data;
    int32_t *rows = (int32_t *)(void *)(starts + count + 1);
    int64_t bytes = 0;
    for (int32_t k = 0; k < count; k++)
        bytes += column_range_bytes(branches[k].col, 0, branches[k].step == 0 ? 1 : call->rows);
    if (bytes > COLUMN_BYTES_MAX) {
        const struct type *type = out->type;
        call_reject_all(call);
        column_release(out);
        column_all_null(out, type, call->rows);
        call_free(call, buffer);
        return;
    }
    for (int32_t k = 0; k < count; k++) {
        starts[k] = all.rows;
        column_append(&all, branches[k].col, 0, branches[k].step == 0 ? 1 : call->rows);
    }
    starts[count] = all.rows;
    column_all_null(&null, out->type, 1);
    column_append(&all, &null, 0, 1);
    for (int64_t i = 0; i < call->rows; i++)
        rows[i] = (int32_t)(starts[pick[i]] + (pick[i] < count ? i * branches[pick[i]].step : 0));
    column_release(out);
    gather_bounded(call, out, &all, rows, call->rows);
    column_release(&all);
    column_release(&null);
    call_free(call, buffer);
}

static bool any_none(const struct call *call, int32_t count, const uint16_t *pick)
{
    uint16_t none = 0;
    for (int64_t i = 0; i < call->rows; i++)
        none |= pick[i] == count;
    return none != 0;
}
static bool any_nulls(const struct arg *branches, int32_t count)
{
    for (int32_t k = 0; k < count; k++)
        if (branches[k].col->valid != NULL)
            return true;
    return false;
}

void select_run(struct call *call, const struct arg *branches, int32_t count, const uint16_t *pick, struct column *out)
{
    if (type_is_nested(out->type)) {
        select_nested(call, branches, count, pick, out);
        return;
    }
    struct source stack[BRANCHES_ON_STACK];
    struct source *sources = count < BRANCHES_ON_STACK ? stack : mem_array(struct source, (size_t)count + 1);
    for (int32_t k = 0; k < count; k++)
        sources[k] =
            (struct source){branches[k].col->values != NULL ? branches[k].col->values->data : NULL,
                            branches[k].col->valid != NULL ? branches[k].col->valid->data : NULL, branches[k].step};
    sources[count] = (struct source){0};
    bool has_none = any_none(call, count, pick);
    if (has_none || any_nulls(branches, count))
        select_valid(call, sources, pick);
    if (type_is_varlen(out->type))
        select_bytes(call, branches, count, pick, out);
    else if (out->type->id != TYPE_NULL)
        select_fixed(call, sources, count, has_none, pick, out);
    if (sources != stack)
        mem_free(sources);
}

/* ---- CASE ---- */

enum { PICK_PADDING = 8 }; // picks are written eight at a time

static struct buffer *pick_new(struct call *call)
{
    return call_buffer(call, ((size_t)call->rows + PICK_PADDING) * sizeof(uint16_t));
}
static void pick_all(uint16_t *pick, uint16_t branch, int64_t rows)
{
    for (int64_t i = 0; i < rows; i++)
        pick[i] = branch;
}

/* pick[i] = branch where the bits of both are set (either may be NULL), else as it was. */
static void pick_bits(uint16_t *pick, const uint8_t *bits, const uint8_t *valid, uint16_t branch, int64_t rows)
{
    for (int64_t i = 0; i < rows; i += 8) {
        unsigned byte = (bits != NULL ? bits[i / 8] : 0xffu) & (valid != NULL ? valid[i / 8] : 0xffu);
        for (int k = 0; k < 8; k++) {
            uint16_t take = (uint16_t)(0 - ((byte >> k) & 1));
            pick[i + k] = (uint16_t)((branch & take) | (pick[i + k] & ~take));
        }
    }
}

static void pick_where(uint16_t *pick, const struct arg *condition, uint16_t branch, int64_t rows)
{
    const struct column *col = condition->col;
    if (condition->step != 0)
        pick_bits(pick, col->values->data, col->valid != NULL ? col->valid->data : NULL, branch, rows);
    else if (arg_valid(condition, 0) && arg_bit(condition, 0))
        pick_all(pick, branch, rows);
}

/* From the last condition to the first, so that the first one that holds wins; no row is looked at twice by a branch. */
void case_run(struct call *call, const struct arg *args, int32_t count, struct column *out)
{
    int32_t whens = count / 2, branches = whens + count % 2;
    struct arg on_stack[BRANCHES_ON_STACK];
    struct arg *results = branches <= BRANCHES_ON_STACK ? on_stack : mem_array(struct arg, (size_t)branches);
    for (int32_t k = 0; k < whens; k++)
        results[k] = args[2 * k + 1];
    if (count % 2 == 1)
        results[whens] = args[count - 1];
    struct buffer *buffer = pick_new(call);
    uint16_t *pick = (uint16_t *)(void *)buffer->data;
    pick_all(pick, (uint16_t)whens, call->rows);
    for (int32_t k = whens - 1; k >= 0; k--)
        pick_where(pick, &args[2 * k], (uint16_t)k, call->rows);
    select_run(call, results, branches, pick, out);
    call_free(call, buffer);
    if (results != on_stack)
        mem_free(results);
}

static enum code bind_if(struct binding *binding, struct error *err)
{
    const struct expr *condition = binding->args[0];
    if (condition->kind == EXPR_CAST && condition->index == 0)
        return fail(err, E_SQL,
                    "[DATATYPE_MISMATCH.UNEXPECTED_INPUT_TYPE] The first parameter of `if` requires the "
                    "\"BOOLEAN\" type, not \"%s\".",
                    type_sql(binding->ctx->arena, condition->args[0]->type));
    binding->nullable = binding->args[1]->nullable || binding->args[2]->nullable;
    return E_OK;
}

SCALAR(fn_if, "if", "(boolean, T, T) -> T", "The second argument where the first is true, else the third.",
       "if(1 < 2, 'a', 'b')", "a", .bind = bind_if, .flags = FN_NULLS, .lazy = LAZY_IF)
{
    case_run(call, args, 3, out);
}

/* ---- decode(subject, value, result, ..., default) ---- */

/* A CASE; the subject equals a value when both are NULL, too. */
static enum code bind_decode(struct binding *binding, struct error *err)
{
    const struct expr **cases = arena_array(binding->ctx->arena, const struct expr *, (size_t)binding->count);
    int32_t count = 0, at = 1;
    for (; at + 1 < binding->count; at += 2) {
        const struct expr *sides[2] = {binding->args[0], binding->args[at]};
        TRY(expr_call(binding->ctx, "<=>", sides, 2, binding->at, &cases[count++], err));
        cases[count++] = binding->args[at + 1];
    }
    if (at < binding->count)
        cases[count++] = binding->args[at];
    return expr_case(binding->ctx, cases, count, binding->at, &binding->rewritten, err);
}

SCALAR_SAME(fn_decode_case, "decode", "(any, any, any, any...) -> any",
            "The result behind the first value that the subject is, else the default.",
            "decode(2, 1, 'Southlake', 2, 'San Francisco', 'elsewhere')", "San Francisco", .bind = bind_decode);

/* ---- COALESCE ---- */

static enum code bind_coalesce(struct binding *binding, __attribute__((unused)) struct error *err)
{
    binding->nullable = true;
    for (int32_t i = 0; i < binding->count; i++)
        binding->nullable = binding->nullable && binding->args[i]->nullable;
    return E_OK;
}

SCALAR(fn_coalesce, "coalesce", "(T, T...) -> T", "The first argument that is not NULL.", "coalesce(NULL, 1)", "1",
       .bind = bind_coalesce, .flags = FN_NULLS, .lazy = LAZY_COALESCE)
{
    struct buffer *buffer = pick_new(call);
    uint16_t *pick = (uint16_t *)(void *)buffer->data;
    pick_all(pick, (uint16_t)call->arg_count, call->rows);
    for (int32_t k = call->arg_count - 1; k >= 0; k--) { // from the last, so that the first one wins
        const struct column *col = args[k].col;
        if (col->type->id == TYPE_NULL || (args[k].step == 0 && column_is_null(col, 0)))
            continue;
        if (args[k].step == 0 || col->valid == NULL)
            pick_all(pick, (uint16_t)k, call->rows);
        else
            pick_bits(pick, NULL, col->valid->data, (uint16_t)k, call->rows);
    }
    select_run(call, args, call->arg_count, pick, out);
    call_free(call, buffer);
}
SCALAR_SAME(fn_nvl, "nvl ifnull", "(T, T) -> T", "The first argument, or the second where it is NULL.", "nvl(NULL, 2)",
            "2", .run = fn_coalesce_run, .bind = bind_coalesce, .flags = FN_NULLS, .lazy = LAZY_COALESCE);

/* ---- rewritten ---- */

static enum code rewrite_if(struct binding *binding, const char *test, int32_t tested, const struct expr *yes,
                            const struct expr *no, struct error *err)
{
    const struct expr *condition;
    TRY(expr_call(binding->ctx, test, binding->args, tested, binding->at, &condition, err));
    const struct expr *args[] = {condition, yes, no};
    return expr_call(binding->ctx, "if", args, 3, binding->at, &binding->rewritten, err);
}

static enum code bind_nullif(struct binding *binding, struct error *err)
{
    const struct expr *first = binding->args[0];
    return rewrite_if(binding, "=", 2, expr_null(binding->ctx, first->type, binding->at), first, err);
}
SCALAR_SAME(fn_nullif, "nullif", "(any, any) -> any", "NULL where both are equal, else the first.", "nullif(2, 2)",
            "NULL", .bind = bind_nullif);

static enum code bind_nvl2(struct binding *binding, struct error *err)
{
    return rewrite_if(binding, "isnotnull", 1, binding->args[1], binding->args[2], err);
}
SCALAR_SAME(fn_nvl2, "nvl2", "(any, any, any) -> any",
            "The second argument where the first is not NULL, else the third.", "nvl2(NULL, 1, 2)", "2",
            .bind = bind_nvl2);

static enum code bind_nullifzero(struct binding *binding, struct error *err)
{
    const struct expr *args[] = {binding->args[0], expr_int(binding->ctx, type_of(TYPE_INT32), 0, binding->at)};
    return expr_call(binding->ctx, "nullif", args, 2, binding->at, &binding->rewritten, err);
}
SCALAR_SAME(fn_nullifzero, "nullifzero", "(any) -> any", "NULL where the number is 0.", "nullifzero(0)", "NULL",
            .bind = bind_nullifzero);

static enum code bind_zeroifnull(struct binding *binding, struct error *err)
{
    const struct expr *args[] = {binding->args[0], expr_int(binding->ctx, type_of(TYPE_INT32), 0, binding->at)};
    return expr_call(binding->ctx, "coalesce", args, 2, binding->at, &binding->rewritten, err);
}
SCALAR_SAME(fn_zeroifnull, "zeroifnull", "(any) -> any", "0 where the number is NULL.", "zeroifnull(NULL)", "0",
            .bind = bind_zeroifnull);

/* ---- errors on purpose ---- */

SCALAR(fn_raise_error, "raise_error", "(string) -> void", "Rejects the row.", NULL, NULL,
       .flags = FN_NULLS | FN_FAILS | FN_PER_ROW)
{
    for (int64_t i = 0; i < call->rows; i++)
        call_reject(call, i, REJECT_RAISED);
}

SCALAR(fn_assert_true, "assert_true", "(boolean, string?) -> void", "Rejects the row unless the argument is true.",
       "assert_true(true)", "NULL", .flags = FN_NULLS | FN_FAILS)
{
    for (int64_t i = 0; i < call->rows; i++)
        if (!arg_valid(&args[0], i) || !arg_bit(&args[0], i))
            call_reject(call, i, REJECT_RAISED);
}

const struct function *const conditional_functions[] = {
    &fn_if,         &fn_decode_case, &fn_coalesce,    &fn_nvl,         &fn_nullif, &fn_nvl2,
    &fn_nullifzero, &fn_zeroifnull,  &fn_raise_error, &fn_assert_true, NULL,
};

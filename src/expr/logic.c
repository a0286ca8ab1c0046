/* logic.c - AND OR NOT in three-valued logic, 64 rows at a time; IS NULL. */
#include "expr/loop.h"

/* Bits of an argument as words; a constant is the same word again and again. */
struct words {
    const uint64_t *data;
    uint64_t constant;
};
static struct words words_of(const struct buffer *bits, int64_t step)
{
    if (bits == NULL)
        return (struct words){NULL, ~(uint64_t)0};
    if (step == 0)
        return (struct words){NULL, bit_get(bits->data, 0) ? ~(uint64_t)0 : 0};
    return (struct words){(const uint64_t *)(const void *)bits->data, 0};
}
static inline uint64_t word_at(const struct words *words, int64_t i)
{
    return words->data != NULL ? words->data[i] : words->constant;
}

/* a AND b; a OR b is NOT (NOT a AND NOT b): `turn` is all ones then. */
static void and_run(struct call *call, const struct arg *args, struct column *out, uint64_t turn)
{
    struct words a = words_of(args[0].col->values, args[0].step), b = words_of(args[1].col->values, args[1].step);
    struct words a_valid = words_of(args[0].col->valid, args[0].step),
                 b_valid = words_of(args[1].col->valid, args[1].step);
    bool nulls = args[0].col->valid != NULL || args[1].col->valid != NULL;
    uint64_t *r = column_values(out, uint64_t), *valid = nulls ? (uint64_t *)(void *)call_validity(call) : NULL;
    for (int64_t i = 0; i * 64 < call->rows; i++) {
        uint64_t x = word_at(&a, i) ^ turn, y = word_at(&b, i) ^ turn;
        uint64_t p = word_at(&a_valid, i), q = word_at(&b_valid, i);
        uint64_t truth = x & p & y & q, lie = (~x & p) | (~y & q);
        r[i] = truth ^ turn;
        if (nulls)
            valid[i] = truth | lie;
    }
}

SCALAR(fn_and, "and", "(boolean, boolean) -> boolean", "Both; false AND NULL is false.", "true AND NULL", "NULL",
       .flags = FN_NULLS | FN_OPERATOR, .lazy = LAZY_AND)
{
    and_run(call, args, out, 0);
}

SCALAR(fn_or, "or", "(boolean, boolean) -> boolean", "At least one; true OR NULL is true.", "true OR NULL", "true",
       .flags = FN_NULLS | FN_OPERATOR, .lazy = LAZY_OR)
{
    and_run(call, args, out, ~(uint64_t)0);
}

SCALAR(fn_not, "not !", "(boolean) -> boolean", "The opposite.", "NOT true", "false", .flags = FN_OPERATOR)
{
    const uint64_t *a = arg_values(&args[0], uint64_t);
    uint64_t *r = column_values(out, uint64_t);
    for (int64_t i = 0; i * 64 < call->rows; i++)
        r[i] = ~a[i];
}

static void validity_run(struct call *call, const struct arg *args, struct column *out, uint64_t turn)
{
    struct words valid = words_of(args[0].col->valid, args[0].step);
    uint64_t *r = column_values(out, uint64_t);
    if (args[0].col->type->id == TYPE_NULL)
        valid = (struct words){NULL, 0};
    for (int64_t i = 0; i * 64 < call->rows; i++)
        r[i] = word_at(&valid, i) ^ turn;
}

SCALAR(fn_is_null, "isnull", "(any) -> boolean", "IS NULL.", "isnull(NULL)", "true", .flags = FN_NULLS | FN_NEVER_NULL)
{
    validity_run(call, args, out, ~(uint64_t)0);
}

SCALAR(fn_is_not_null, "isnotnull", "(any) -> boolean", "IS NOT NULL.", "isnotnull(NULL)", "false",
       .flags = FN_NULLS | FN_NEVER_NULL)
{
    validity_run(call, args, out, 0);
}
const struct function *const logic_functions[] = {
    &fn_and, &fn_or, &fn_not, &fn_is_null, &fn_is_not_null, NULL,
};

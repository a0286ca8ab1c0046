/* join_bounds.c - how long a row of one stream may still find matches in the other.
 *
 * Each inequality of the condition is brought into the form
 *
 *     other + shift < time        (or <=)
 *
 * where `time` is the event time of the side in question and `other` that of the other one. No row of the other side
 * comes with other <= W any more, so a row with time <= W + shift has found all its matches. Of several inequalities
 * the smallest shift counts. As in Spark the arithmetic is in milliseconds: the shift is rounded down to them, and <=
 * takes one off. Understood are + and - of the times and constant intervals, and times cast to numbers of seconds.
 *
 * Spark adds equal terms once (`b.at - INTERVAL 1 HOUR - INTERVAL 1 HOUR` is one hour there, too
 * early by one), and solves for any column: ON .. AND a.v > 0 keeps rows for ever, ON .. AND b.at <=
 * a.expires lets rows of a go by their a.at, before their matches come. Neither is copied.
 */
#include "sql/join.h"

enum { US_PER_MS = 1000, US_PER_SECOND = 1000000 };
enum { TERMS_DEPTH_MAX = 100 };

/* times[0] * left time + times[1] * right time + us */
struct terms {
    struct expr_context *ctx;
    const struct plan *node;
    int32_t times[2];
    int64_t us;
};

static bool add_us(struct terms *self, int64_t us, int sign)
{
    int64_t signed_us;
    return !__builtin_mul_overflow(us, sign, &signed_us) && !__builtin_add_overflow(self->us, signed_us, &self->us);
}

/* A constant: an interval, or a number of seconds beside a time that is cast to one. */
static bool add_constant(struct terms *self, const struct expr *expr, int sign)
{
    struct error err = {0};
    const struct expr *seconds, *literal;
    if (expr->type->id != TYPE_INTERVAL_DT && !type_is_numeric(expr->type))
        return false;
    if (expr_fold(self->ctx, expr, &literal, &err) != E_OK || !column_valid_at(literal->literal, 0))
        return false;
    if (expr->type->id == TYPE_INTERVAL_DT)
        return add_us(self, column_values(literal->literal, int64_t)[0], sign);
    if (expr_cast(self->ctx, literal, type_of(TYPE_DOUBLE), false, expr->at, &seconds, &err) != E_OK ||
        expr_fold(self->ctx, seconds, &literal, &err) != E_OK)
        return false;
    double us = column_values(literal->literal, double)[0] * US_PER_SECOND;
    return us > -(double)INT64_MAX / 4 && us < (double)INT64_MAX / 4 && add_us(self, (int64_t)us, sign);
}

static bool add_time(struct terms *self, const struct expr *column, int sign)
{
    int32_t count = self->node->inputs[0]->schema->field_count;
    int side = column->index >= count;
    if (column->index - (side == 1 ? count : 0) != self->node->join.sides[side].time_column)
        return false;
    self->times[side] += sign;
    return true;
}

/* Whether the time in it is still a time, or seconds since 1970. */
static bool keeps_time(const struct type *type)
{
    return type->id == TYPE_TIMESTAMP || type->id == TYPE_TIMESTAMP_NTZ || type_is_numeric(type);
}

static bool add_terms(struct terms *self, const struct expr *expr, int sign, int depth)
{
    if (depth > TERMS_DEPTH_MAX)
        return false;
    if (expr->kind == EXPR_COLUMN)
        return expr->index < COLUMN_MARK && keeps_time(expr->type) && add_time(self, expr, sign);
    if (expr_is_constant(expr))
        return add_constant(self, expr, sign);
    if (expr->kind == EXPR_CAST)
        return keeps_time(expr->type) && add_terms(self, expr->args[0], sign, depth + 1);
    bool minus = expr_is_call(expr, "-");
    if (!minus && !expr_is_call(expr, "+"))
        return false;
    // time - time is an interval: Spark does not look into it
    if (!keeps_time(expr->type))
        return false;
    if (expr->arg_count == 1)
        return add_terms(self, expr->args[0], minus ? -sign : sign, depth + 1);
    return add_terms(self, expr->args[0], sign, depth + 1) &&
           add_terms(self, expr->args[1], minus ? -sign : sign, depth + 1);
}

static int64_t floor_to_ms(int64_t us)
{
    int64_t rest = us % US_PER_MS;
    return us - (rest < 0 ? rest + US_PER_MS : rest);
}

/* low < high, or low <= high: bounds one of the sides. */
static void add_bound(struct terms *self, const struct expr *low, const struct expr *high, bool strict,
                      struct plan_join *join)
{
    self->times[0] = self->times[1] = 0;
    self->us = 0;
    if (!add_terms(self, low, 1, 0) || !add_terms(self, high, -1, 0))
        return;
    int side = self->times[0] == -1 ? 0 : 1;
    if (self->times[side] != -1 || self->times[1 - side] != 1 || self->us == INT64_MIN)
        return;
    struct plan_join_side *bounds = &join->sides[side];
    int64_t shift_us = floor_to_ms(self->us);
    if (!strict && __builtin_sub_overflow(shift_us, US_PER_MS, &shift_us))
        return;
    if (!bounds->bounded || shift_us < bounds->shift_us)
        bounds->shift_us = shift_us;
    bounds->bounded = true;
}

void join_find_bounds(struct expr_context *ctx, struct plan *node)
{
    struct plan_join *join = &node->join;
    struct terms terms = {.ctx = ctx, .node = node};
    struct list parts = {0};
    for (int side = 0; side < 2; side++) {
        join->sides[side].bounded = false;
        join->sides[side].shift_us = 0;
        if (join->sides[side].time_column < 0)
            return;
    }
    if (join->condition != NULL)
        predicate_split(ctx->arena, join->condition, &parts);
    for (int32_t i = 0; i < parts.count; i++) {
        const struct expr *part = parts.items[i];
        bool negated = expr_is_call(part, "not"); // NOT (a < b) is b <= a
        part = negated ? part->args[0] : part;
        bool less = expr_is_call(part, "<"), less_equal = expr_is_call(part, "<="), greater = expr_is_call(part, ">"),
             greater_equal = expr_is_call(part, ">=");
        if (!less && !less_equal && !greater && !greater_equal)
            continue;
        bool upward = (less || less_equal) != negated; // args[0] is the lower one
        bool strict = (less || greater) != negated;
        add_bound(&terms, part->args[upward ? 0 : 1], part->args[upward ? 1 : 0], strict, join);
    }
}

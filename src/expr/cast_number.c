/* cast_number.c - integers, floats, decimals and booleans among one another. Ranges are checked for the whole column
 * first; only when something is out of range are the rows looked for. */
#include <math.h>

#include "expr/cast.h"

/* ---- to integers ---- */

/* A float fits as Scala has it: floor(x) <= MAX and ceil(x) >= MIN, so 127.9 is 127; NaN fits nowhere. 2^63 itself
 * passes the test as the double that MAX rounds to, and saturates. */
#define FLOAT_FITS(x, type_min, type_max) \
    (floor((double)(x)) <= (double)(type_max) && ceil((double)(x)) >= (double)(type_min))

/* As Java has it: NaN is 0, what is out of range the nearest; shorter types take the low bits of 32. */
static int64_t float_to_int64(double x)
{
    if (!(x < 0x1p63))
        return x >= 0x1p63 ? INT64_MAX : 0;
    return x >= -0x1p63 ? (int64_t)x : INT64_MIN;
}
static int64_t float_to_int32(double x)
{
    if (!(x < 0x1p31))
        return x >= 0x1p31 ? INT32_MAX : 0;
    return x >= -0x1p31 ? (int64_t)x : INT32_MIN;
}
#define FLOAT_TO(x, high) ((high) == INT64_MAX ? float_to_int64(x) : float_to_int32(x))

/* Converts every row; the bad ones are found in a second pass when `bad` says that there are some. */
#define TO_INTEGER(stype, dtype, convert, fits)             \
    do {                                                    \
        const stype *s = arg_values(arg, stype);            \
        dtype *r = column_values(out, dtype);               \
        bool bad = false;                                   \
        for (int64_t i = 0; i < call->rows; i++) {          \
            const stype x = s[i];                           \
            bad |= !(fits);                                 \
            r[i] = (dtype)(convert);                        \
        }                                                   \
        for (int64_t i = 0; bad && i < call->rows; i++) {   \
            const stype x = s[i];                           \
            if (!(fits))                                    \
                call_reject(call, i, REJECT_CAST_OVERFLOW); \
        }                                                   \
    } while (0)

static void decimal_to_integer(struct call *call, const struct arg *arg, struct column *out, int64_t low, int64_t high)
{
    bool wide = type_is_wide_decimal(arg->col->type);
    int128 unit = decimal_power10(arg->col->type->scale);
    int32_t width = type_width(out->type);
    bool by_double =
        wide && high != INT64_MAX && (call->session->ansi || call->quiet); // as Spark: 0.99999999999999999999 is 1
    for (int64_t i = 0; i < call->rows; i++) {
        int128 whole = decimal_load(arg, wide, i) / unit;
        if (by_double && whole >= low && whole <= high)
            whole = (int128)decimal_to_double(decimal_load(arg, wide, i), arg->col->type->scale);
        if (whole < low || whole > high)
            call_reject(call, i, REJECT_CAST_OVERFLOW);
        int64_t value = (int64_t)whole;
        memcpy(out->values->data + i * width, &value,
               (size_t)width); // the low bytes: little-endian
    }
}

#define INTEGER_TARGET(dtype, type_min, type_max)                                                             \
    do {                                                                                                      \
        const int64_t low = type_min, high = type_max;                                                        \
        switch (type_shape(arg->col->type)) {                                                                 \
        case SHAPE_I8: TO_INTEGER(int8_t, dtype, x, x >= low && x <= high); break;                            \
        case SHAPE_I16: TO_INTEGER(int16_t, dtype, x, x >= low && x <= high); break;                          \
        case SHAPE_I32: TO_INTEGER(int32_t, dtype, x, x >= low && x <= high); break;                          \
        case SHAPE_I64: TO_INTEGER(int64_t, dtype, x, x >= low && x <= high); break;                          \
        case SHAPE_F32: TO_INTEGER(float, dtype, FLOAT_TO((double)x, high), FLOAT_FITS(x, low, high)); break; \
        case SHAPE_F64: TO_INTEGER(double, dtype, FLOAT_TO(x, high), FLOAT_FITS(x, low, high)); break;        \
        case SHAPE_BITS:                                                                                      \
            for (int64_t i = 0; i < call->rows; i++)                                                          \
                column_values(out, dtype)[i] = (dtype)arg_bit(arg, i);                                        \
            break;                                                                                            \
        default: never("a number");                                                                           \
        }                                                                                                     \
    } while (0)

static void to_integer(struct call *call, const struct arg *arg, struct column *out)
{
    static const int64_t lows[] = {INT8_MIN, INT16_MIN, INT32_MIN, INT64_MIN};
    static const int64_t highs[] = {INT8_MAX, INT16_MAX, INT32_MAX, INT64_MAX};
    int which = (int)out->type->id - (int)TYPE_INT8;
    if (arg->col->type->id == TYPE_DECIMAL) {
        decimal_to_integer(call, arg, out, lows[which], highs[which]);
        return;
    }
    switch (out->type->id) {
    case TYPE_INT8: INTEGER_TARGET(int8_t, INT8_MIN, INT8_MAX); break;
    case TYPE_INT16: INTEGER_TARGET(int16_t, INT16_MIN, INT16_MAX); break;
    case TYPE_INT32: INTEGER_TARGET(int32_t, INT32_MIN, INT32_MAX); break;
    default: INTEGER_TARGET(int64_t, INT64_MIN, INT64_MAX);
    }
}

/* ---- to floats and booleans ---- */

#define EACH_NUMBER(dtype, convert)                                \
    switch (type_shape(arg->col->type)) {                          \
        EACH_NUMBER_CASE(SHAPE_I8, int8_t, dtype, convert)         \
        EACH_NUMBER_CASE(SHAPE_I16, int16_t, dtype, convert)       \
        EACH_NUMBER_CASE(SHAPE_I32, int32_t, dtype, convert)       \
        EACH_NUMBER_CASE(SHAPE_I64, int64_t, dtype, convert)       \
        EACH_NUMBER_CASE(SHAPE_F32, float, dtype, convert)         \
        EACH_NUMBER_CASE(SHAPE_F64, double, dtype, convert)        \
    case SHAPE_BITS:                                               \
        for (int64_t i = 0; i < call->rows; i++)                   \
            column_values(out, dtype)[i] = (dtype)arg_bit(arg, i); \
        break;                                                     \
    default: never("a number");                                    \
    }
#define EACH_NUMBER_CASE(shape, stype, dtype, convert)       \
    case shape:                                              \
        for (int64_t i = 0; i < call->rows; i++) {           \
            const stype x = arg_values(arg, stype)[i];       \
            column_values(out, dtype)[i] = (dtype)(convert); \
        }                                                    \
        break;

static void to_float(struct call *call, const struct arg *arg, struct column *out)
{
    bool single = out->type->id == TYPE_FLOAT;
    const struct type *from = arg->col->type;
    if (from->id == TYPE_DECIMAL) {
        bool wide = type_is_wide_decimal(from);
        const double unit = (double)decimal_power10(from->scale);
        for (int64_t i = 0; i < call->rows; i++) {
            int128 unscaled = decimal_load(arg, wide, i);
            // Both are exact doubles then, so that one division rounds once.
            bool exact = from->scale <= 22 && unscaled > -((int64_t)1 << 53) && unscaled < (int64_t)1 << 53;
            double value = exact ? (double)(int64_t)unscaled / unit : decimal_to_double(unscaled, from->scale);
            if (single)
                column_values(out, float)[i] = (float)value;
            else
                column_values(out, double)[i] = value;
        }
    } else if (single) {
        EACH_NUMBER(float, x)
    } else {
        EACH_NUMBER(double, x)
    }
}

static void to_boolean(struct call *call, const struct arg *arg, struct column *out)
{
    uint8_t *bits = out->values->data;
    switch (type_shape(arg->col->type)) {
#define FIXED(shape, ctype) \
    case shape: TRUTH_LOOP(bits, call->rows, const ctype x = arg_values(arg, ctype)[i], x != 0); break;
        SHAPES_FIXED(FIXED)
#undef FIXED
    default: never("a number");
    }
}

/* ---- to decimals ---- */

static void decimal_to_decimal(struct call *call, const struct arg *arg, struct column *out)
{
    const struct type *from = arg->col->type, *to = out->type;
    bool from_wide = type_is_wide_decimal(from), to_wide = type_is_wide_decimal(to);
    int more = to->scale - from->scale;
    bool safe = more >= 0 && to->precision - to->scale >= from->precision - from->scale;
    if (safe && !from_wide && !to_wide) {
        const int64_t factor = (int64_t)decimal_power10(more), *s = arg_values(arg, int64_t);
        for (int64_t i = 0; i < call->rows; i++)
            column_values(out, int64_t)[i] = s[i] * factor;
        return;
    }
    for (int64_t i = 0; i < call->rows; i++) {
        int128 value = 0;
        if (!decimal_rescale(decimal_load(arg, from_wide, i), from->scale, to->precision, to->scale, &value))
            call_reject(call, i, REJECT_NUMERIC_RANGE);
        decimal_store(out, to_wide, i, value);
    }
}

static void float_to_decimal(struct call *call, const struct arg *arg, struct column *out)
{
    const struct type *to = out->type;
    bool wide = type_is_wide_decimal(to), single = arg->col->type->id == TYPE_FLOAT;
    for (int64_t i = 0; i < call->rows; i++) {
        double x = single ? (double)arg_values(arg, float)[i] : arg_values(arg, double)[i];
        int128 value = 0;
        if (!isfinite(x))
            call_null(call, i); // no error in Spark, even with ANSI on
        else if (!decimal_from_double(x, to->precision, to->scale, &value))
            call_reject(call, i, REJECT_NUMERIC_RANGE);
        decimal_store(out, wide, i, value);
    }
}

static int64_t integer_load(const struct arg *arg, int64_t row)
{
    switch (type_shape(arg->col->type)) {
    case SHAPE_I8: return arg_values(arg, int8_t)[row];
    case SHAPE_I16: return arg_values(arg, int16_t)[row];
    case SHAPE_I32: return arg_values(arg, int32_t)[row];
    case SHAPE_I64: return arg_values(arg, int64_t)[row];
    default: return arg_bit(arg, row);
    }
}

static void integer_to_decimal(struct call *call, const struct arg *arg, struct column *out)
{
    const struct type *to = out->type;
    bool wide = type_is_wide_decimal(to);
    for (int64_t i = 0; i < call->rows; i++) {
        int128 value = 0;
        if (!decimal_rescale(integer_load(arg, i), 0, to->precision, to->scale, &value))
            call_reject(call, i, REJECT_NUMERIC_RANGE);
        decimal_store(out, wide, i, value);
    }
}

void cast_number(struct call *call, const struct arg *arg, struct column *out)
{
    enum type_id from = arg->col->type->id, to = out->type->id;
    cast_values(call, out);
    if (to == TYPE_BOOLEAN)
        to_boolean(call, arg, out);
    else if (to == TYPE_FLOAT || to == TYPE_DOUBLE)
        to_float(call, arg, out);
    else if (to != TYPE_DECIMAL)
        to_integer(call, arg, out);
    else if (from == TYPE_DECIMAL)
        decimal_to_decimal(call, arg, out);
    else if (from == TYPE_FLOAT || from == TYPE_DOUBLE)
        float_to_decimal(call, arg, out);
    else
        integer_to_decimal(call, arg, out);
}

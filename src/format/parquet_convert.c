/* parquet_convert.c - a file's values as those of the type that is asked for.
 *
 * Allowed  what keeps every value: the type itself; integers into integers (checked, when the file's is
 *          wider), into DOUBLE (from 32 bits) and DECIMAL; FLOAT into DOUBLE; DECIMAL into one with no
 *          fewer digits on either side of the point; TIMESTAMP_NTZ into TIMESTAMP; STRING and BINARY into
 *          each other. Spark's vectorized reader allows these, and refuses the others
 */
#include <string.h>

#include "format/parquet_read.h"

/* INT96: nanoseconds of the day, then the Julian number of the day. */
enum { INT96_SIZE = 12, JULIAN_1970 = 2440588 };
#define DAY_US (86400LL * 1000 * 1000)

/* ---- what to do ---- */

enum code parquet_convert_refuse(const struct parquet_node *node, const struct type *type, struct error *err)
{
    struct text has = {0}, wants = {0};
    if (node->type != NULL)
        type_print(node->type, &has);
    type_print(type, &wants);
    enum code code = fail(err, E_UNSUPPORTED, "it is %s in the file, which cannot be read as %s",
                          node->type != NULL ? has.data : "of a type that leat does not have", wants.data);
    text_free(&has);
    text_free(&wants);
    return code;
}

static bool plan_integer(const struct parquet_node *leaf, const struct type *type, struct parquet_convert *out)
{
    const struct parquet_element *e = leaf->element;
    out->step = VALUE_INT;
    out->in_unsigned = e->logical == LOGICAL_INTEGER && !e->is_signed;
    out->out_width = type_width(type);
    int bits = out->out_width * 8;
    out->max = bits == 64 ? INT64_MAX : (INT64_C(1) << (bits - 1)) - 1;
    out->min = -out->max - 1;
    return true;
}

static int digits_of_integer(const struct type *type)
{
    static const int digits[TYPE_COUNT] = {[TYPE_INT8] = 3, [TYPE_INT16] = 5, [TYPE_INT32] = 10, [TYPE_INT64] = 20};
    return digits[type->id];
}

static bool plan_decimal(const struct parquet_node *leaf, const struct type *type, struct parquet_convert *out)
{
    const struct type *from = leaf->type;
    int precision = from->id == TYPE_DECIMAL ? from->precision : digits_of_integer(from);
    int scale = from->id == TYPE_DECIMAL ? from->scale : 0;
    if (type->scale < scale || type->precision - type->scale < precision - scale)
        return false;
    out->step = VALUE_DECIMAL;
    out->in_unsigned = leaf->element->logical == LOGICAL_INTEGER && !leaf->element->is_signed;
    out->out_width = type_width(type);
    out->wide_factor = decimal_power10(type->scale - scale);
    out->bound = decimal_power10(precision);
    return true;
}

static bool plan_time(const struct parquet_element *e, struct parquet_convert *out)
{
    out->step = e->physical == PARQUET_INT96 ? VALUE_INT96 : e->unit == UNIT_MICROS ? VALUE_COPY : VALUE_TIME;
    out->factor = e->unit == UNIT_MILLIS ? 1000 : 1;
    out->divisor = e->unit == UNIT_NANOS ? 1000 : 1;
    out->out_width = sizeof(int64_t);
    return true;
}

static bool plan_step(const struct parquet_node *leaf, const struct type *type, struct parquet_convert *out)
{
    enum type_id from = leaf->type->id, to = type->id;
    bool texts = (from == TYPE_STRING || from == TYPE_BINARY) && (to == TYPE_STRING || to == TYPE_BINARY);
    out->out_width = type_width(type);
    if (texts) {
        out->step = VALUE_BYTES;
        return true;
    }
    if (type_is_integer(leaf->type) && type_is_integer(type))
        return plan_integer(leaf, type, out);
    if (to == TYPE_DECIMAL && (from == TYPE_DECIMAL || type_is_integer(leaf->type)))
        return plan_decimal(leaf, type, out);
    if ((from == TYPE_TIMESTAMP || from == TYPE_TIMESTAMP_NTZ) && (to == TYPE_TIMESTAMP || to == from))
        return plan_time(leaf->element, out);
    if (from == TYPE_DATE && to == TYPE_TIMESTAMP_NTZ) { // a Delta column that was widened
        out->step = VALUE_TIME;
        out->factor = INT64_C(24) * 3600 * 1000000;
        out->divisor = 1;
        return true;
    }
    if (to == TYPE_DOUBLE &&
        (from == TYPE_FLOAT || (type_is_integer(leaf->type) && leaf->element->physical == PARQUET_INT32))) {
        out->step = from == TYPE_FLOAT ? VALUE_FLOAT_TO_DOUBLE : VALUE_INT_TO_DOUBLE;
        out->in_unsigned = from != TYPE_FLOAT && leaf->element->logical == LOGICAL_INTEGER && !leaf->element->is_signed;
        return true;
    }
    if (from == to && from == TYPE_BOOLEAN) {
        out->step = VALUE_BOOLEAN;
        out->out_width = 1;
        return true;
    }
    out->step = VALUE_COPY;
    return from == to && !type_is_nested(type) && from != TYPE_NULL;
}

static int width_of(const struct parquet_element *e)
{
    static const int widths[] = {
        [PARQUET_BOOLEAN] = 1, [PARQUET_INT32] = 4,  [PARQUET_INT64] = 8,      [PARQUET_INT96] = INT96_SIZE,
        [PARQUET_FLOAT] = 4,   [PARQUET_DOUBLE] = 8, [PARQUET_BYTE_ARRAY] = 0,
    };
    return e->physical == PARQUET_FIXED ? e->width : widths[e->physical];
}

enum code parquet_convert_plan(const struct parquet_node *leaf, const struct type *type, struct parquet_convert *out,
                               struct error *err)
{
    struct parquet_convert plan = {.in_width = 0};
    if (leaf->type == NULL || !plan_step(leaf, type, &plan))
        return parquet_convert_refuse(leaf, type, err);
    plan.in_width = width_of(leaf->element);
    plan.big_endian = leaf->element->physical == PARQUET_FIXED;
    if (plan.step == VALUE_INT && plan.in_width == plan.out_width && !plan.in_unsigned)
        plan.step = VALUE_COPY;
    *out = plan;
    return E_OK;
}

/* ---- doing it ---- */

static inline int64_t load_int(const uint8_t *at, int width, bool is_unsigned)
{
    int32_t narrow;
    int64_t wide;
    if (width == 8) {
        memcpy(&wide, at, sizeof wide);
        return wide;
    }
    memcpy(&narrow, at, sizeof narrow);
    return is_unsigned ? (int64_t)(uint32_t)narrow : narrow;
}

static bool run_int(const struct parquet_convert *c, const uint8_t *in, int64_t count, uint8_t *out)
{
    bool bad = false;
    for (int64_t i = 0; i < count; i++, in += c->in_width, out += c->out_width) {
        int64_t value = load_int(in, c->in_width, c->in_unsigned);
        bad |= value < c->min || value > c->max;
        memcpy(out, &value, (size_t)c->out_width); // little endian
    }
    return !bad;
}

static bool run_double(const struct parquet_convert *c, const uint8_t *in, int64_t count, uint8_t *out)
{
    for (int64_t i = 0; i < count; i++) {
        float narrow;
        memcpy(&narrow, in + i * 4, sizeof narrow);
        double value =
            c->step == VALUE_FLOAT_TO_DOUBLE ? (double)narrow : (double)load_int(in + i * 4, 4, c->in_unsigned);
        memcpy(out + i * 8, &value, sizeof value);
    }
    return true;
}

static bool run_time(const struct parquet_convert *c, const uint8_t *in, int64_t count, uint8_t *out)
{
    bool bad = false;
    for (int64_t i = 0; i < count; i++) {
        int64_t value = load_int(in + i * c->in_width, c->in_width, false), rest;
        bad |= __builtin_mul_overflow(value, c->factor, &value);
        rest = value % c->divisor;
        value = value / c->divisor - (rest < 0); // down, also before 1970
        memcpy(out + i * 8, &value, sizeof value);
    }
    return !bad;
}

/* Times that a long does not hold wrap around, as they do in Spark, which also writes them so. */
static bool run_int96(const uint8_t *in, int64_t count, uint8_t *out)
{
    for (int64_t i = 0; i < count; i++, in += INT96_SIZE) {
        int64_t nanos, rest;
        int32_t day;
        memcpy(&nanos, in, sizeof nanos);
        memcpy(&day, in + sizeof nanos, sizeof day);
        rest = nanos % 1000;
        uint64_t us = (uint64_t)(nanos / 1000 - (rest < 0));
        us += ((uint64_t)day - JULIAN_1970) * (uint64_t)DAY_US;
        memcpy(out + i * 8, &us, sizeof us);
    }
    return true;
}

static bool load_big_endian(const uint8_t *in, size_t size, __int128 *out)
{
    unsigned __int128 value = size > 0 && in[0] >= 0x80 ? ~(unsigned __int128)0 : 0;
    uint8_t sign = (uint8_t)value;
    while (size > sizeof value && *in == sign) { // bytes that only repeat the sign
        in++;
        size--;
    }
    if (size > sizeof value || (size == sizeof value && (*in ^ sign) >= 0x80))
        return false;
    for (size_t i = 0; i < size; i++)
        value = value << 8 | in[i];
    *out = (__int128)value;
    return true;
}

static inline bool store_decimal(const struct parquet_convert *c, __int128 value, uint8_t *out)
{
    bool good = value < c->bound && value > -c->bound;
    value = good ? value * c->wide_factor : 0;
    memcpy(out, &value, (size_t)c->out_width);
    return good;
}

/* INT32 and INT64 into the narrow form, unscaled: the common case. */
static bool run_narrow_decimal(const struct parquet_convert *c, const uint8_t *in, int64_t count, uint8_t *out)
{
    int64_t bound = (int64_t)c->bound, *values = (int64_t *)(void *)out;
    bool bad = false;
    for (int64_t i = 0; i < count; i++, in += c->in_width) {
        int64_t value = load_int(in, c->in_width, false);
        bad |= value >= bound || value <= -bound;
        values[i] = value;
    }
    return !bad;
}

static bool run_decimal(const struct parquet_convert *c, const uint8_t *in, int64_t count, uint8_t *out)
{
    bool good = true;
    for (int64_t i = 0; i < count; i++, in += c->in_width, out += c->out_width) {
        __int128 value = 0;
        if (c->big_endian) {
            good &= load_big_endian(in, (size_t)c->in_width, &value);
        } else {
            int64_t stored = load_int(in, c->in_width, c->in_unsigned);
            value = c->in_unsigned && c->in_width == 8 ? (__int128)(uint64_t)stored : (__int128)stored;
        }
        good &= store_decimal(c, value, out);
    }
    return good;
}

bool parquet_convert_run(const struct parquet_convert *c, const uint8_t *in, int64_t count, uint8_t *out)
{
    switch (c->step) {
    case VALUE_INT: return run_int(c, in, count, out);
    case VALUE_INT_TO_DOUBLE:
    case VALUE_FLOAT_TO_DOUBLE: return run_double(c, in, count, out);
    case VALUE_TIME: return run_time(c, in, count, out);
    case VALUE_INT96: return run_int96(in, count, out);
    case VALUE_DECIMAL:
        if (!c->big_endian && c->out_width == 8 && c->wide_factor == 1 && !c->in_unsigned && c->bound <= INT64_MAX)
            return run_narrow_decimal(c, in, count, out);
        return run_decimal(c, in, count, out);
    default:
        if (count > 0)
            memcpy(out, in, (size_t)count * (size_t)c->in_width);
        return true;
    }
}

bool parquet_convert_bytes(const struct parquet_convert *c, struct bytes in, uint8_t *out)
{
    __int128 value = 0;
    return load_big_endian(in.data, in.size, &value) && store_decimal(c, value, out);
}

#include "expr/aggregate_number.h"

double number_at(const struct column *col, int64_t row)
{
    switch (type_shape(col->type)) {
#define INTEGER(shape, ctype)                                                                                      \
    case shape:                                                                                                    \
        return col->type->id == TYPE_DECIMAL ? decimal_to_double(column_values(col, ctype)[row], col->type->scale) \
                                             : (double)column_values(col, ctype)[row];
        SHAPES_INTEGER(INTEGER)
#undef INTEGER
#define FLOATING(shape, ctype) \
    case shape: return (double)column_values(col, ctype)[row];
        SHAPES_FLOAT(FLOATING)
#undef FLOATING
    case SHAPE_I128: return decimal_to_double(column_values(col, int128)[row], col->type->scale);
    default: never("a number or a time");
    }
}

void number_put(struct builder *out, const struct type *type, double value)
{
    int128 unscaled;
    if (type->id == TYPE_DOUBLE || type->id == TYPE_FLOAT)
        builder_double(out, value);
    else if (type->id != TYPE_DECIMAL)
        builder_int(out, value >= 0x1p63 ? INT64_MAX : value <= -0x1p63 ? INT64_MIN : (int64_t)value);
    else if (decimal_from_double(value, type->precision, type->scale, &unscaled))
        builder_int128(out, unscaled);
    else
        builder_null(out);
}

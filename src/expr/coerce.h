/* coerce.h - inside expr/: Spark's type rules with ANSI on: which casts exist, which are implied, common types.
 *
 * Spec     Spark 4.2 AnsiTypeCoercion, Cast.canAnsiCast, DecimalPrecision; checked against PySpark 4.2.0
 * Thread   any; types come from the arena
 */
#ifndef EXPR_COERCE_H
#define EXPR_COERCE_H

#include "data/data.h"

/* The common type without ANSI: beside a FLOAT integers are FLOATs, although they may lose digits. */
const struct type *type_common_lossy(struct arena *arena, const struct type *a, const struct type *b);
/* That, where nothing is compared: beside a text all but BOOLEAN and BINARY are texts. */
const struct type *type_common_text(struct arena *arena, const struct type *a, const struct type *b);
/* Casts that Spark allows without ANSI alone: a whole number's bytes, a date as a number (NULL). */
bool cast_was_known(const struct type *from, const struct type *to);
/* Of nested types, some of whose parts are such; TRY_CAST has them, too. */
bool cast_was_known_within(const struct type *from, const struct type *to);
/* CAST(from AS to) exists. */
bool cast_known(const struct type *from, const struct type *to);
/* As an argument of a function whose parameter has the type `to`. */
bool cast_implied(const struct type *from, const struct type *to);
/* How far `from` is from `to` (0 = the same); used to rank overloads. Only for implied casts. */
int cast_cost(const struct type *from, const struct type *to);
/* No value of `from` fails or loses anything but digits of a float. */
bool cast_is_safe(const struct type *from, const struct type *to);

/* The narrowest DECIMAL that holds every value of a numeric type. */
const struct type *decimal_for(struct arena *arena, const struct type *numeric);
/* DECIMAL(precision, scale) cut to 38 digits as Spark does when it may lose fraction digits (not below 6). */
const struct type *decimal_adjusted(struct arena *arena, int precision, int scale);
/* The type without spark.sql.decimalOperations.allowPrecisionLoss: the fraction stays, digits in front of it may not fit. */
enum decimal_operation { DECIMAL_SUM, DECIMAL_PRODUCT, DECIMAL_QUOTIENT, DECIMAL_REMAINDER };
const struct type *decimal_exact_type(struct arena *arena, enum decimal_operation operation, const struct type *a,
                                      const struct type *b);
/* Types of a + b, a * b, a / b, a % b. */
const struct type *decimal_sum_type(struct arena *arena, const struct type *a, const struct type *b);
const struct type *decimal_product_type(struct arena *arena, const struct type *a, const struct type *b);
const struct type *decimal_quotient_type(struct arena *arena, const struct type *a, const struct type *b);
const struct type *decimal_remainder_type(struct arena *arena, const struct type *a, const struct type *b);

/* "ARRAY<INT>", "DECIMAL(10,2)": types as error messages show them. */
void type_print_sql(const struct type *type, struct text *out);
const char *type_sql(struct arena *arena, const struct type *type);

#endif

/* infer.h - the type that a record of JSON or CSV has, as Spark's schema_of_json and schema_of_csv find it.
 *
 * JSON     whole numbers BIGINT, or DECIMAL past it; others DOUBLE; times are texts; null is a STRING where nothing else says
 *          more; fields are in the order of their names, and those that are empty objects are left out
 * CSV      INT, BIGINT, DECIMAL past it, DOUBLE, DATE, TIMESTAMP, BOOLEAN or STRING: the first that reads the field; columns
 *          are _c0, _c1, ..
 * Fails    E_SQL when it is no JSON, or an option is wrong. Types live in the arena
 * Limits   JSON_DEPTH_MAX
 */
#ifndef FORMAT_INFER_H
#define FORMAT_INFER_H

#include "data/data.h"

struct infer_options {
    bool prefers_decimal, primitives_as_string, leading_zeros;
};
MUST_CHECK enum code json_infer(struct arena *arena, struct bytes json, const struct infer_options *options,
                                const struct type **out, struct error *err);
MUST_CHECK enum code csv_infer(struct arena *arena, struct bytes line, const struct zone *zone,
                               const char *const *names, const char *const *values, int32_t option_count,
                               const struct type **out, struct error *err);

#endif

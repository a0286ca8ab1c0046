/* variant_json.h - a JSON text as a VARIANT, as Spark's parse_json makes it: whole numbers, decimals up to 38 digits as they
 * are written, other numbers as DOUBLE.
 *
 * Thread   any; the builder is the caller's
 * Limits   VARIANT_DEPTH_MAX levels
 */
#ifndef FORMAT_VARIANT_JSON_H
#define FORMAT_VARIANT_JSON_H

#include "data/data.h"

enum variant_fault { VARIANT_FINE, VARIANT_NO_JSON, VARIANT_SAME_NAME, VARIANT_TOO_BIG };
/* The first value of the text into a cleared builder; what is behind it is not read, as in Spark. single_quotes: names and
 * strings may stand in them. */
enum variant_fault variant_from_json(struct bytes json, bool single_quotes, struct variant_builder *out);

#endif

/* json_encode.h - values as JSON text, as Spark's to_json writes them.
 *
 * Shape    NULL fields of structs are left out (kept with `keep_nulls`), NULL elements and map
 *          values are null; times with milliseconds and offset; BINARY in base64; NaN and
 *          infinities as strings
 * Thread   a writer: one at a time
 */
#ifndef FORMAT_JSON_ENCODE_H
#define FORMAT_JSON_ENCODE_H

#include "format/quote.h"
#include "format/value_text.h"

struct json_writer {
    struct value_printer printer;
    struct quoter quoter;
    bool keep_nulls;
};
void json_writer_init(struct json_writer *writer, const struct zone *zone, bool keep_nulls);
void json_write(struct json_writer *writer, const struct column *col, int64_t row, struct text *out);

#endif

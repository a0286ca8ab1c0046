/* csv_options.h - how separated values are written: the options of Spark's reader, and what they say of single values.
 *
 * Owns     the texts of the options live in the arena they were read into
 */
#ifndef FORMAT_CSV_OPTIONS_H
#define FORMAT_CSV_OPTIONS_H

#include "base/options.h"
#include "format/csv_fields.h"

struct csv_reader_options {
    struct csv_field_options fields;
    const char *null_value, *empty_value, *nan, *infinity, *minus_infinity;
    const char *mode, *corrupt_column, *timestamp_format, *date_format; /* sql/ has read these */
};

extern const struct option csv_reader_options[];
/* Names that are not in the table are somebody else's. */
MUST_CHECK enum code csv_options_read(const char *const *names, const char *const *values, int32_t count,
                                      struct arena *arena, struct csv_reader_options *out, struct error *err);
/* The value as a DOUBLE; narrow: a FLOAT, which is not rounded twice. False: it is none. */
bool csv_double(const struct csv_reader_options *options, struct bytes value, bool narrow, double *out);

#endif

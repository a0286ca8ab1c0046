/* csv_fields.h - a line into its fields.
 *
 * Fields   stand between separators; a line without separators has one. A field that begins with a
 *          quote ends at the quote before a separator or the line's end; blanks may stand between.
 *          Inside, escape + quote is a quote, escape + escape an escape (unless the quote is the
 *          escape), escape + else is both
 * Odd      a quote inside that is followed by something else is no end: then the field is a text as
 *          it stands, with its quotes, up to the next separator. But of several quotes in a row
 *          before a separator the last one ends the field, and the others belong to it. A field
 *          whose end is missing goes up to the line's end
 * Views    a field is a view into the line, or into the scratch of csv_fields, until the next call
 * Thread   one at a time
 */
#ifndef FORMAT_CSV_FIELDS_H
#define FORMAT_CSV_FIELDS_H

#include "base/bytes.h"

struct csv_field_options {
    const char *separator, *quote, *escape;
    bool trim_leading, trim_trailing;
};
struct csv_fields {
    char separator[8];
    size_t separator_size;
    int quote, escape; /* a byte, or -1 for none */
    bool trim_leading, trim_trailing;
    const uint8_t *at, *end; /* the rest of the line; at == NULL: the last field was taken */
    struct text scratch;
};
struct csv_field {
    struct bytes value;
    bool quoted;
};
/* E_SPEC when an option is not as long as it must be. */
MUST_CHECK enum code csv_fields_open(struct csv_fields *self, const struct csv_field_options *options,
                                     struct error *err);
void csv_fields_close(struct csv_fields *self);
static inline void csv_fields_start(struct csv_fields *self, struct bytes line)
{
    static const uint8_t nothing[1];
    self->at = line.size > 0 ? line.data : nothing;
    self->end = self->at + line.size;
}
/* False when there is no further field. */
bool csv_fields_next(struct csv_fields *self, struct csv_field *out);

#endif

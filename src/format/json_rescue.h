/* json_rescue.h - what of a record found no place in the decoded columns, as JSON: the rescued data column.
 *
 * Rescued  members that the schema does not name, in any spelling but the schema's own; values that are not of their field's
 *          type, so that it is NULL; of a list, the whole list when one of its elements has such a member
 * Shape    an object with the rescued members only, nested as in the record; values as they stand there
 * Thread   any
 */
#ifndef FORMAT_JSON_RESCUE_H
#define FORMAT_JSON_RESCUE_H

#include "data/data.h"

/* Appends the object; false, and nothing appended, when there is nothing to rescue, or the record is no whole object. `decoded`
 * has the fields of `schema`, row by row. */
bool json_rescue(struct bytes record, const struct type *schema, const struct column *decoded, int64_t row,
                 struct text *out);

#endif

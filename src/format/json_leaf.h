/* json_leaf.h - one JSON value into one column that has no children, whatever shapes both have.
 *
 * The fast readers of json_rows.h take the common shapes and leave every other value to
 * json_leaf_read, so that this file alone says what a value of each type may look like.
 *
 * Shape    returns the byte behind the value; NULL with reader->broken when the record is no JSON;
 *          NULL without it when the value is not of the column's type (nothing is put then)
 * Spec     docs/semantics.md; Spark's JacksonParser.makeConverter, observed on 4.2.0
 */
#ifndef FORMAT_JSON_LEAF_H
#define FORMAT_JSON_LEAF_H

#include "format/json_column.h"

struct json_reader {
    const uint8_t *end;      /* of the record */
    bool broken;             /* the record is no JSON */
    bool bad;                /* some field was not of its type: it is NULL, the others are kept */
    const struct zone *zone; /* for times without one */
    bool exact_texts;        /* what is no string goes into a STRING column as it stands, not rewritten */
    struct text scratch;     /* a string with its escapes undone */
};

const uint8_t *json_leaf_read(struct json_reader *reader, struct json_column *col, const uint8_t *p, int depth);

/* The text between two quotes, its first byte p. False: not a value of the column's type. */
bool json_leaf_put_text(struct json_reader *reader, struct json_column *col, struct bytes text);

#endif

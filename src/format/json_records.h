/* json_records.h - a column of payloads into the columns of a STRUCT, one record after the other.
 *
 * In       payload rows, STRING or BINARY; a row may be NULL
 * Out      a row in `root` for each; in `corrupt` the payload of records that were broken or had a
 *          bad field
 * Modes    PERMISSIVE keeps what can be kept; FAILFAST makes the row NULL and rejects it;
 *          DROPMALFORMED makes it NULL
 * Differs  from Spark when the text is broken inside the value of a field: Jackson goes on reading
 *          somewhere behind the break and Spark keeps what it has by then; here such a record is
 *          broken as a whole. In 6000 random records, a quarter of them damaged, nothing else did
 * Thread   one at a time
 * Two of   json_records_word works on any machine, eight bytes at a time; json_records_avx2 needs
 *          AVX2. Both are json_rows.h, around a different search for the end of a string, and give
 *          the same columns
 */
#ifndef FORMAT_JSON_RECORDS_H
#define FORMAT_JSON_RECORDS_H

#include "format/format.h"
#include "format/json_leaf.h"

struct json_records {
    struct json_reader reader;
    struct json_column root;     /* the fields that are read */
    struct json_column *corrupt; /* STRING, or NULL when nobody asks */
    enum decode_mode mode;
    struct rejects *rejects;
};

void json_records_word(struct json_records *self, const struct column *payload);
#if defined(__x86_64__)
void json_records_avx2(struct json_records *self, const struct column *payload);
#endif

/* The payload is NULL or blank. */
void json_record_absent(struct json_records *self);
/* `whole`: the fields are there, at least one is bad. Else nothing of the record is. */
void json_record_malformed(struct json_records *self, struct bytes record, bool whole);

#endif

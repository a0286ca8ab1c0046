/* quarantine_rows.h - rejected rows as rows of a quarantine: why, where in the query, where in the payload, and the
 * record itself, byte by byte.
 *
 * Shape     reason STRING       Spark's error condition: stable, to count and to filter by
 *           detail STRING       what is wrong, for people
 *           at STRING           file:line:column of the expression in the SQL
 *           tables ARRAY        of the names of the tables that lost the row
 *           field STRING        place in the payload (rejection.h), NULL = not known
 *           byte BIGINT         of the raw value: where the field's value begins, or where it stops being JSON
 *           row STRING          which of the record's rows it was (data/lineage.h), NULL = the record is one row
 *           source, topic STRING, partition INT, offset BIGINT, timestamp TIMESTAMP      of the record
 *           key, value BINARY   as they came, at most value_max bytes of each; of a row that came as columns `value` is the
 *                     row as JSON, from which a replay makes it again
 *           key_bytes, value_bytes BIGINT   how many they had
 *           schema_version STRING, node STRING   rejection.h
 *           attempts INT        1 = rejected for the first time
 *           epoch BIGINT, rejected_at TIMESTAMP   when: the epoch and its batch time
 * Text      files of lines have no bytes: there `key` and `value` are STRING, and what is no UTF-8 stands in key_base64 and
 *           value_base64 instead, so that nothing is lost either way
 * Born      a row that was made in leat has no record: source to value_bytes are NULL
 * Once      a row that several expressions of a node reject is there once, with the first
 * Owns      out is the caller's to release
 * Thread    any
 */
#ifndef RUNTIME_QUARANTINE_ROWS_H
#define RUNTIME_QUARANTINE_ROWS_H

#include "runtime/rejection.h"
#include "runtime/runtime.h"

/* Who rejected rows, and what it can say about them. */
struct rejecter {
    struct position (*position)(const void *stage, int32_t step);
    /* What is wrong with the row, appended; NULL: reject_text says enough. */
    void (*detail)(const void *stage, const struct batch *in, const struct reject *reject, struct text *out);
    const void *stage;
    const struct plan *plan;
    const struct rejected_again
        *again; /* of rows that are being replayed and did not get to where they were; or NULL */
};
/* They stay what they were, so that they can be replayed again: the same node, tables and place. */
struct rejected_again {
    const struct rejection *about;
    const int64_t *lineages; /* per record */
};
/* The first reject as an error: E_DATA with reason, field, record, place in the SQL, and what to set. */
enum code reject_fail(const struct rejection *about, const struct batch *in, const struct rejects *rejects,
                      const struct rejecter *by, struct error *err);

enum { /* behind enum quarantine_column, in the schema of lines */
       QUARANTINE_KEY_BASE64 = QUARANTINE_COLUMNS,
       QUARANTINE_VALUE_BASE64,
       QUARANTINE_TEXT_COLUMNS
};
const struct type *quarantine_schema(struct arena *arena, bool text);

struct quarantine_style {
    const struct type *schema; /* quarantine_schema(text) */
    bool text;
    int64_t value_max; /* bytes kept of key and of value */
    int64_t epoch, batch_time_us;
};
/* `about`: of the node that rejected them. */
void quarantine_rows(const struct quarantine_style *style, const struct rejection *about, const struct batch *in,
                     const struct rejects *rejects, const struct rejecter *by, struct batch *out);

#endif

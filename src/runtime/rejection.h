/* rejection.h - what is known of a node's rejects before there is one: made from the plan alone.
 *
 * Tables   those that lose a row which the node rejects: all that its rows can reach, also through stages with state
 * Node     its stamp as 16 hex digits: `leat quarantine replay` finds it again by it
 * Schema   the fingerprint of the payload's schema as 16 hex digits: of the nearest from_json above; NULL: none
 * Field    the place in the payload that an expression reads: `amount`, `items[3].price`; a column of the record itself by
 *          its name: `key`, `value`, `timestamp`
 * Owns     all in the arena
 * Thread   pure
 */
#ifndef RUNTIME_REJECTION_H
#define RUNTIME_REJECTION_H

#include "sql/sql.h"

enum { REJECTION_NODE_TEXT = 17, REJECTION_WORDS_MAX = 500 /* bytes */ };

struct rejection {
    const struct plan *plan;
    const char *const *tables;
    int32_t table_count;
    const char *schema_version;
    char node[REJECTION_NODE_TEXT];
};
/* node_count of them. */
const struct rejection *rejections_new(struct arena *arena, const struct pipeline *pipeline);
/* Which of the pipeline's tables rows of each node can reach, one table's flags: node_count entries, overwritten. */
void plan_reach(const struct pipeline *pipeline, const struct pipeline_table *table, bool *reaches);
/* What the expression at `at` reads, appended; several fields stand with ", " between. `lineage` (data/lineage.h) fills
 * in positions. Nothing: not known. */
void rejection_field(const struct plan *plan, struct position at, enum reject_code code, int64_t lineage,
                     struct text *out);
/* REJECT_RAISED: the constant text that raise_error or assert_true at `at` was given, appended. Nothing: it is computed. */
void rejection_words(const struct plan *plan, struct position at, struct text *out);
/* Of a PLAN_DECODE: where its payload stands, appended: `value`, or a path inside it. Nothing: not known. */
void rejection_payload(const struct plan *plan, struct text *out);

#endif

/* lineage.h - which of the rows that a record became a row is: a number that names the way from the record.
 *
 * Shape    0: the record's one row. A stage that makes several rows out of one adds a level of LINEAGE_BITS bits:
 *              explode     every row gets a level: its position, from 0
 *              lookup      a row's first match keeps the row's number, match k >= 1 gets the level "m<k>"
 *              union       of branches that share a source: the first keeps the number, branch k >= 1 gets "u<k>"
 *          As text the levels stand from the record on: "3", "3.0", "3.m1"; "" is 0
 * Limits   three levels, positions below 2^20, LINEAGE_OTHERS_MAX matches and branches; beyond: LINEAGE_UNKNOWN, "?"
 * Thread   pure
 */
#ifndef DATA_LINEAGE_H
#define DATA_LINEAGE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/bytes.h"

enum {
    LINEAGE_BITS = 21,
    LINEAGE_POSITIONS_MAX = 1 << 20,
    LINEAGE_OTHERS_MAX = 1 << 18,
    LINEAGE_MATCH = 1 << 20,     /* codes of a level: 1 + position, LINEAGE_MATCH + k, LINEAGE_BRANCH + k */
    LINEAGE_BRANCH = LINEAGE_MATCH + LINEAGE_OTHERS_MAX,
};
enum { LINEAGE_UNKNOWN = -1 };

int64_t lineage_position(int64_t of, int64_t position);
int64_t lineage_match(int64_t of, int64_t match);    /* 0 = the first */
int64_t lineage_branch(int64_t of, int64_t branch);  /* 0 = the first */
/* Whether `row` is `ancestor` or came out of it. Never for LINEAGE_UNKNOWN. */
bool lineage_is_of(int64_t row, int64_t ancestor);
void lineage_print(int64_t row, struct text *out);
/* False: not what lineage_print writes, or "?". */
bool lineage_parse(struct bytes text, int64_t *row);

#endif

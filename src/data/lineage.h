/* lineage.h - which of the rows that a record became a row is: a number that names the way from the record.
 *
 * Shape    0: the record's one row. A stage that may make several rows out of one adds a level to each of them:
 *              explode     its position, from 0
 *              lookup      m and which match, from 0; m0 also for a row without any
 *              union       u and which branch, from 0; only of branches that have a source in common
 *          As text the levels stand from the record on: "3", "3.m0", "u1.12"; "" is 0, "?" LINEAGE_UNKNOWN
 * Limits   63 bits: 3 for m0 and u0, 9 for positions below 64 and branches, 15 for other matches, 23 for other positions
 *          below 2^20; what does not fit is LINEAGE_UNKNOWN
 * Thread   pure
 */
#ifndef DATA_LINEAGE_H
#define DATA_LINEAGE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/bytes.h"

enum { LINEAGE_POSITIONS_MAX = 1 << 20, LINEAGE_MATCHES_MAX = 1 << 12, LINEAGE_BRANCHES_MAX = 1 << 6 };
enum { LINEAGE_UNKNOWN = -1 };

int64_t lineage_position(int64_t of, int64_t position);
int64_t lineage_match(int64_t of, int64_t match);
int64_t lineage_branch(int64_t of, int64_t branch);
/* Whether `row` is `ancestor` or came out of it. Never for LINEAGE_UNKNOWN. */
bool lineage_is_of(int64_t row, int64_t ancestor);
void lineage_print(int64_t row, struct text *out);
/* False: not what lineage_print writes, or "?". */
bool lineage_parse(struct bytes text, int64_t *row);

#endif

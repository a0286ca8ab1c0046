/* row_test.h - conditions that tell without reading rows that none of them is wanted.
 *
 * Use      a filter's parts that compare a column with a constant go along to who reads: what cannot meet all of them is
 *          passed over. Rows that are read are not tested, the filter stays
 * Rule     a doubt is a yes: values that cannot be compared may meet the test
 * NULL     meets none
 * Owns     nothing: names and values are the plan's
 */
#ifndef DATA_ROW_TEST_H
#define DATA_ROW_TEST_H

#include "data/column.h"

enum row_test_kind { ROW_EQUAL, ROW_LESS, ROW_LESS_EQUAL, ROW_GREATER, ROW_GREATER_EQUAL, ROW_NOT_NULL };
struct row_test {
    const char *column;
    enum row_test_kind kind;
    const struct column *value; /* one row, not NULL; ROW_NOT_NULL: NULL */
};

/* May the value meet the test? */
bool row_test_value(const struct row_test *test, const struct column *col, int64_t row);
/* May some value meet it that is neither below `min` nor above `max`, rows 0? NaN is in no such range, but may be there. */
bool row_test_range(const struct row_test *test, const struct column *min, const struct column *max);

#endif

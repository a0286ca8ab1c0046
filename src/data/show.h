/* show.h - rows as a table of text, as Spark's Dataset.show() prints them.
 *
 * In       batches, in any number; the first rows_max rows are kept as text
 * Out      +---+ borders, a header, one line a row; "only showing top N rows" when there were more
 * Cells    NULL, {1, x}, [1, 2], {k -> v}, [61 62] for BINARY; control characters are escaped, so that data
 *          cannot move the cursor. truncate > 0: cut to so many characters ("..." included) and
 *          right-aligned; 0: whole, left
 * Owns     the cells, in its arena; borrows schema and zone
 * Limits   SHOW_CELL_MAX bytes a cell
 * Thread   one at a time
 * Spec     Spark's Dataset.showString, ToPrettyString
 */
#ifndef DATA_SHOW_H
#define DATA_SHOW_H

#include "data/batch.h"
#include "data/timestamp.h"

enum { SHOW_CELL_MAX = 64 * 1024 };

struct show {
    const struct type *schema;
    const struct zone *zone;
    int64_t rows_max;
    int32_t truncate;
    struct arena arena;
    const char **cells; /* heap array: shown rows * fields */
    int64_t shown, total;
    size_t capacity;
};
void show_init(struct show *self, const struct type *schema, const struct zone *zone, int64_t rows_max,
               int32_t truncate);
void show_add(struct show *self, const struct batch *batch);
/* Appends the table; the rows stay. */
void show_print(const struct show *self, struct text *out);
/* Forget the rows. */
void show_clear(struct show *self);
void show_close(struct show *self);

/* One value as a cell, without cutting or escaping. */
void column_show(const struct column *col, int64_t row, const struct zone *zone, struct text *out);

#endif

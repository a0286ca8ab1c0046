/* column.h - one Arrow array; row 0 is always element 0.
 *
 * Shape    valid: bit i set = row i present; NULL = all present. offsets: int32, rows + 1 (STRING, BINARY, ARRAY,
 *          MAP). values: fixed width, bits (BOOLEAN) or bytes. children: STRUCT fields, ARRAY 1, MAP 2.
 *          A NULL row of a STRUCT has NULL in every child. A NULL row of a varlen or list has an empty range.
 *          The value bytes of a NULL row are defined (zero or left-over) but mean nothing.
 * Owns     counts on its buffers and, by heap, its children. Zeroed = empty. column_release() on an empty one is fine
 * Thread   a column belongs to one thread; its buffers may be shared
 */
#ifndef DATA_COLUMN_H
#define DATA_COLUMN_H

#include "data/buffer.h"
#include "data/type.h"

struct column {
    const struct type *type;
    int64_t rows, nulls; /* nulls: exact, or -1 when not yet counted */
    struct buffer *valid;
    struct buffer *offsets;
    struct buffer *values;
    struct column *children; /* heap array, owned */
    int32_t child_count;
};

void column_release(struct column *col);
/* A second owner of the same buffers. `out` is overwritten. */
void column_share(struct column *out, const struct column *col);
static inline struct column column_take(struct column *col)
{
    struct column taken = *col;
    *col = (struct column){0};
    return taken;
}
int64_t column_nulls(struct column *col); /* counts when needed */
bool column_is_null(const struct column *col, int64_t row);

#define column_values(col, ctype) ((ctype *)(void *)(col)->values->data)
/* Unscaled value of a DECIMAL, of 8 bytes or 16. */
static inline __int128 column_decimal_at(const struct column *col, int64_t row)
{
    return type_is_wide_decimal(col->type) ? column_values(col, __int128)[row] : column_values(col, int64_t)[row];
}
static inline const int32_t *column_offsets(const struct column *col)
{
    return (const int32_t *)(const void *)col->offsets->data;
}
static inline bool column_valid_at(const struct column *col, int64_t row)
{
    return col->valid == NULL || bit_get(col->valid->data, row);
}
static inline struct bytes column_bytes_at(const struct column *col, int64_t row)
{
    const int32_t *offsets = column_offsets(col);
    return (struct bytes){col->values->data + offsets[row], (size_t)(offsets[row + 1] - offsets[row])};
}

/* Rows picked by `rows` (indexes, any order, repeats allowed), copied into a new column. */
void column_gather(struct column *out, const struct column *col, const int32_t *rows, int64_t count);
/* What the rows [from, to) take, in bytes, without validity. */
int64_t column_range_bytes(const struct column *col, int64_t from, int64_t to);
enum { COLUMN_BYTES_MAX = 1 << 30 }; /* far enough below what int32 offsets reach */
/* Whether a gather of these rows stays within COLUMN_BYTES_MAX: asked where rows repeat. */
bool column_gather_fits(const struct column *col, const int32_t *rows, int64_t count);
/* A column of `rows` NULLs of the type. */
void column_all_null(struct column *out, const struct type *type, int64_t rows);
/* Append [from, to) of col behind out (same type; zeroed out is fine). */
void column_append(struct column *out, const struct column *col, int64_t from, int64_t to);
/* One value as text for messages, console and tests, in Hive's form: NULL, [1,2], {"a":1}, 2026-01-01 00:00:00. */
void column_print(const struct column *col, int64_t row, struct text *out);
/* The same, instants in this zone. */
struct zone;
void column_print_in(const struct column *col, int64_t row, const struct zone *zone, struct text *out);
/* The same, bytes in one of Spark's styles (spark.sql.binaryOutputStyle): as text, "[83, 112]", U3A, 5370, "[53 70]". */
enum binary_style { BINARY_AS_TEXT, BINARY_AS_NUMBERS, BINARY_AS_BASE64, BINARY_AS_HEX, BINARY_AS_HEX_PAIRS };
void column_print_as(const struct column *col, int64_t row, const struct zone *zone, enum binary_style binary,
                     struct text *out);
/* True when both rows hold the same value (NULL equals NULL). For tests and state. */
bool column_equal_at(const struct column *a, int64_t i, const struct column *b, int64_t j);
/* Asserts the invariants above; for tests and debug builds. */
void column_check(const struct column *col);

#endif

/* json_column.h - the columns that a JSON decoder fills, as a tree beside the schema.
 *
 * Rows     a column's next row is `rows`. A value is put there with json_put_*; a value that turns
 *          out bad is undone with json_column_truncate, whatever it left below
 * Room     fixed-width memory is reserved for whole batches (and for the elements of lists as they
 *          grow), so puts of fixed width check nothing; bytes are reserved before each string
 * NULLs    the bits are kept only from the first NULL on; rows to come count as present
 * Owns     its buffers until json_column_finish moves them out. Zeroed = empty
 * Thread   one at a time
 */
#ifndef FORMAT_JSON_COLUMN_H
#define FORMAT_JSON_COLUMN_H

#include "data/data.h"
#include "format/json_keys.h"
#include "format/json_scan.h"

struct json_column {
    const struct type *type;
    enum type_id id; /* type->id, one step nearer */
    int64_t rows;
    int64_t row_capacity;
    uint8_t *values;        /* fixed width, bits or bytes: the memory of `values_buffer` */
    int32_t *offsets;       /* STRING, BINARY, ARRAY, MAP */
    int64_t used, capacity; /* bytes of STRING and BINARY */
    const uint8_t *source;  /* where the current row's value stands, to take it back after a bad duplicate */
    struct json_habit habit;
    bool has_nulls;
    bool overflow; /* more than 2 GiB of bytes in one batch */
    int32_t child_count;
    struct json_column *children;
    struct json_keys keys; /* STRUCT: which child a name means */
    struct buffer *values_buffer, *offsets_buffer, *valid_buffer;
    int64_t used_hint; /* bytes of the last batch */
};

void json_column_init(struct json_column *col, const struct type *type);
void json_column_close(struct json_column *col);
/* Make room for `rows` rows in all, in STRUCT children too. */
void json_column_reserve(struct json_column *col, int64_t rows);
/* Move what was put into `out`; the column is empty afterwards. */
void json_column_finish(struct json_column *col, struct column *out);
/* Forget everything from `row` on, and what an unfinished row has left in children. */
void json_column_truncate(struct json_column *col, int64_t row);
void json_put_null(struct json_column *col);

/* Room for `more` bytes behind `used` (which may be past col->used). False past 2 GiB. */
bool json_column_grow(struct json_column *col, int64_t used, int64_t more);
INLINE bool json_column_room(struct json_column *col, int64_t used, int64_t more)
{
    return LIKELY(used + more <= col->capacity) || json_column_grow(col, used, more);
}

INLINE void json_put_end(struct json_column *col, int64_t used)
{
    col->used = used;
    col->offsets[++col->rows] = (int32_t)used;
}
/* False past 2 GiB. */
bool json_put_bytes(struct json_column *col, struct bytes value);

/* One element more in each child of a list; the children's room is made here. */
void json_column_reserve_element(struct json_column *col);

#define JSON_PUT(name, ctype)                                                             \
    INLINE void json_put_##name(struct json_column *col, ctype value)                     \
    {                                                                                     \
        memcpy(col->values + (size_t)col->rows++ * sizeof(ctype), &value, sizeof(ctype)); \
    }
JSON_PUT(int8, int8_t)
JSON_PUT(int16, int16_t)
JSON_PUT(int32, int32_t)
JSON_PUT(int64, int64_t)
JSON_PUT(int128, __int128)
JSON_PUT(float, float)
JSON_PUT(double, double)
#undef JSON_PUT
INLINE void json_put_boolean(struct json_column *col, bool value)
{
    bit_put(col->values, col->rows, value);
    col->rows++;
}

#endif

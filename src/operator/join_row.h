/* join_row.h - rows as bytes: what a join keeps of its inputs, and columns from them again.
 *
 * Layout   size    what
 *          32      struct join_row: chains, expiry, key, flags
 *          n / 8   a bit per field, set = NULL; n fields, rounded up to whole bytes
 *          ...     fixed part: a field of fixed width as it lies in its column (BOOLEAN a byte); one of
 *                  variable width as the end of its bytes, uint32 from the start of the row: they begin
 *                  where those of the one before it end, the first ones behind the fixed part
 *          ...     variable part: STRING, BINARY as they are; ARRAY, MAP as state/key.c writes a value
 *          ..7     zeros up to a multiple of 8
 *          A STRUCT is a field without bytes, for its NULLs, and then its fields: so a window is two times
 * Speed    a column is written or read at once for all rows. One row is one or two lines of memory, so that
 *          joining two rows waits for little, and a row goes to the chain's record by one copy
 * Units    sizes in bytes; ROW_SLACK bytes behind the last row of a block may be read
 * Limits   ROW_BYTES_MAX a row; ROW_FIELDS_MAX fields
 * Thread   a layout is read-only
 */
#ifndef OPERATOR_JOIN_ROW_H
#define OPERATOR_JOIN_ROW_H

#include "data/data.h"

enum {
    ROW_BYTES_MAX = 64 * 1024 * 1024,
    ROW_FIELDS_MAX = 4096,
    ROW_ALIGN = 8,
    ROW_SLACK = 32,
};
enum row_flags {
    ROW_MATCHED = 1, /* it came out joined */
    ROW_FRESH = 2,   /* came since the state was last stored */
    ROW_CHANGED = 4, /* matched since then, and stored before as not */
    ROW_DEAD = 8,    /* no longer in its chain */
};
struct join_row {
    struct join_row *next, *prev; /* of the same key and side: next came before this one */
    int64_t until_us;             /* it goes when W reaches this; INT64_MAX = never */
    uint32_t slot;                /* of its key */
    uint32_t units : 28;          /* of ROW_ALIGN bytes, this head included */
    uint32_t flags : 4;
};
_Static_assert(sizeof(struct join_row) == 32, "layout above");

static inline size_t row_bytes(const struct join_row *row) { return (size_t)row->units * ROW_ALIGN; }

struct row_field {
    const struct type *type;
    uint32_t at; /* from the start of the row; variable width: of its end */
    int32_t bit; /* its NULL bit */
};
struct row_layout {
    const struct type *schema;
    struct row_field *fields; /* structs before their fields */
    int32_t field_count;
    uint32_t null_bytes;
    uint32_t variable_at; /* where the variable part starts: the size of a row without one */
};
/* E_UNSUPPORTED when there are too many fields. */
MUST_CHECK enum code row_layout_init(struct arena *arena, const struct type *schema, struct row_layout *out,
                                     struct error *err);
/* Size of a row for each of `count` row numbers; more than ROW_BYTES_MAX for one that is too large. */
void row_measure(const struct row_layout *layout, const struct column *cols, const int32_t *rows, int64_t count,
                 uint32_t *sizes);
/* Everything behind the heads. Where a row goes is `sizes` long, and a multiple of ROW_ALIGN. ends:
 * scratch, one per row. */
void row_write(const struct row_layout *layout, const struct column *cols, const int32_t *rows, int64_t count,
               const uint32_t *sizes, struct join_row *const *to, uint32_t *ends);
/* Columns of the schema from rows. wanted: per column, others are left as they are; NULL = all. */
void row_read(const struct row_layout *layout, struct join_row *const *rows, int64_t count, const bool *wanted,
              struct column *out);
/* Whether bytes from outside are a row of this layout: its size, ends, values and NULLs. */
bool row_check(const struct row_layout *layout, const struct join_row *row, size_t size);

#endif

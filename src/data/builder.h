/* builder.h - grow a column row by row (decoders, tests, group keys).
 *
 * Use      builder_init; then for each row exactly one of the put functions or builder_null; builder_finish moves
 *          the column out. Nested: put into builder->children[i], then builder_close_list / builder_close_struct
 *          for the parent row
 * Full     passing the room that a column may take (room.h) makes all rows NULLs at builder_finish
 * Owns     its buffers until builder_finish; builder_release drops them. After finish it is empty and ready again
 * Thread   one at a time
 */
#ifndef DATA_BUILDER_H
#define DATA_BUILDER_H

#include "data/column.h"

struct builder {
    const struct type *type;
    int64_t rows, nulls;
    bool dropped;                            /* it has passed its room: its bytes mean nothing any more */
    struct buffer *valid, *offsets, *values; /* valid stays NULL until the first NULL */
    int32_t child_count;
    struct builder *children;
};
void builder_init(struct builder *builder, const struct type *type);
void builder_release(struct builder *builder);
void builder_finish(struct builder *builder, struct column *out);
void builder_null(struct builder *builder); /* children of a STRUCT get NULL too; a list gets an empty range */
void builder_boolean(struct builder *builder, bool value);
void builder_int(struct builder *builder, int64_t value);   /* INT8..64, DATE, TIMESTAMP*, INTERVAL_*, narrow DECIMAL */
void builder_double(struct builder *builder, double value); /* FLOAT, DOUBLE */
void builder_int128(struct builder *builder, __int128 value);    /* DECIMAL of any width; an INTERVAL's bytes */
void builder_bytes(struct builder *builder, struct bytes value); /* STRING, BINARY */
/* The list row ends where the children now end. */
void builder_close_list(struct builder *builder);
/* Every child must have got exactly one row more. */
void builder_close_struct(struct builder *builder);
/* Copy one row of a column of the same type. */
void builder_copy(struct builder *builder, const struct column *col, int64_t row);

#endif

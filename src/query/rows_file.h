/* rows_file.h - inside query/: rows that wait on disk until there is memory for them.
 *
 *   file    block, block, ..     written once, front to back; read at any place; unlinked as soon as it is open
 *   block   a frame (state/frame.c: kind, length, XXH64) around a batch:
 *             8       rows
 *             column  per column: 8 nulls (-1 = not counted), 8 + 8 + 8 bytes of validity, offsets, values (-1 = none),
 *                     those buffers, then its children in the same way
 *   list    blocks that belong together: a sorted run, a partition
 *
 * Numbers little endian, as they lie in memory; a file lives no longer than its query.
 *
 * Owns     the file's handles; a list owns its index
 * Fails    E_IO when the disk does; E_CORRUPT when bytes come back changed; E_MEMORY past the ceiling of bytes on disk
 * Units    bytes
 */
#ifndef QUERY_ROWS_FILE_H
#define QUERY_ROWS_FILE_H

#include "query/stage.h"

struct rows_block {
    int64_t at;
    int32_t rows;
    uint32_t size_bytes; /* a frame */
};
struct rows_list {
    struct rows_block *blocks; /* heap */
    int32_t count;
    size_t capacity;
    int64_t rows, size_bytes;
};
void rows_list_free(struct rows_list *self);

struct rows_file;
MUST_CHECK enum code rows_file_new(struct query *query, struct rows_file **out, struct error *err);
struct rows_file *rows_file_retain(struct rows_file *self);
void rows_file_release(struct rows_file *self); /* NULL is fine; at the last, the disk has its place back */
/* The batch behind what the list has; in several blocks when it is large. */
MUST_CHECK enum code rows_file_put(struct rows_file *self, struct rows_list *list, const struct batch *batch,
                                   struct error *err);
MUST_CHECK enum code rows_file_get(struct rows_file *self, const struct rows_block *block, const struct type *schema,
                                   struct batch *out, struct error *err);

#endif

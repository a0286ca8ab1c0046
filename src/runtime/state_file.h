/* state_file.h - what one epoch writes of a stateful node: parts of its shards, whole or changed, in one file.
 *
 *   offset   size   what
 *   0        4      "LESP"
 *   4        2      version of this table: 1
 *   6        2      1 = the shard whole, 0 = what the epoch changed of it
 *   8        4      shard
 *   12       4      shards there are
 *   16       8      n, bytes of the body
 *   24       8      XXH64, seed 0, of the 24 bytes before
 *   32       n      body: frames (state.h) as the stage wrote them, each with its own checksum
 *
 * Parts follow one another in any order; of one shard the change comes before the whole. Numbers are little endian.
 * A file is complete when its size is the one in the epoch's record.
 * Files    of chain records of version 1 hold frames without parts: state_file_parts says E_ABSENT
 * Thread   a writer: any; each part is written at once
 * Fails    E_CORRUPT names what is wrong
 */
#ifndef RUNTIME_STATE_FILE_H
#define RUNTIME_STATE_FILE_H

#include "base/bytes.h"
#include "store/store.h"

struct state_part {
    int32_t shard, shards;
    bool whole;
    int64_t offset, size_bytes; /* of the body in its file */
};
struct state_parts {
    struct state_part *items;
    int32_t count, capacity;
};

struct state_writer;
/* The file is created with the first part; what a failed attempt left at `path` is removed then. */
struct state_writer *state_writer_new(struct store *store, const char *path);
/* part->offset is not read; an empty body writes nothing. */
MUST_CHECK enum code state_writer_add(struct state_writer *self, const struct state_part *part, struct bytes body,
                                      struct error *err);
/* Durable but for its name, which needs a store_sync of the folder. *size_bytes 0: nothing was added, there is no
 * file. The writer is freed, whatever the outcome. */
MUST_CHECK enum code state_writer_finish(struct state_writer *self, int64_t *size_bytes, uint64_t *checksum,
                                         struct error *err);
void state_writer_abandon(struct state_writer *self);

/* The parts of a file of `size_bytes`, appended to `out`; reads the heads only. */
MUST_CHECK enum code state_file_parts(struct store *store, const char *path, int64_t size_bytes,
                                      struct state_parts *out, struct error *err);
void state_parts_free(struct state_parts *self);

#endif

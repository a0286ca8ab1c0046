/* files_place.h - a file that a source reads, by its whole name: of this machine, or an object. Private to source/.
 *
 * Names    "/data/in/a.json", "s3://bucket/in/a.json" (s3a:// is settled to s3:// when options are read)
 * Same     what is read is the file that was listed, from its first byte to its last: a local one is looked at by who reads it,
 *          of an object the store sees to it
 * Fails    E_ABSENT; E_LOST: it is another one by now. Credentials, networks: as store.h
 * Owns     a store_reader, or a handle
 */
#ifndef SOURCE_FILES_PLACE_H
#define SOURCE_FILES_PLACE_H

#include "format/format.h"
#include "source/files.h"

/* In S3? */
bool place_is_remote(const char *path);
/* The store of all that is in the bucket, and what of the path is the key. Who reads many files keeps one open: connections
 * and credentials are shared by all of a bucket, as long as there is one. */
MUST_CHECK enum code place_bucket(const char *path, struct store **out, const char **key, struct error *err);

/* size_bytes and modified_us as listed; -1 and 0 when they are not known. The budget is for what is read ahead. */
MUST_CHECK enum code place_open(struct place *place, const char *path, int64_t size_bytes, int64_t modified_us,
                                struct budget *budget, struct error *err);
/* Some bytes from `offset` on, at most `size`, none where a local file has become shorter. */
MUST_CHECK enum code place_read(struct place *place, int64_t offset, void *out, size_t size, size_t *got,
                                struct error *err);
/* Exactly `size`: the read of a parquet_input. */
MUST_CHECK enum code place_read_exactly(void *place, int64_t offset, void *out, size_t size, struct error *err);
/* Before parquet_reader_next: what its reader announces comes together. */
void place_announce(struct place *place, struct parquet_reader *reader);
void place_close(struct place *place);

/* Files in S3 that match `path`, as files_find: in the order of their names. */
MUST_CHECK enum code place_find(const struct files_settings *settings, const struct files_log *log,
                                struct found_files *out, struct error *err);

#endif

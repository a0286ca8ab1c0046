/* store.h - where files, chains and snapshots lie: one interface, whose type is chosen by the URL.
 *
 * Types    local.c: a path or file:///path; s3.c: s3://bucket/prefix, s3a:// as Spark's users write it. Add one: a
 *          `struct store_type` (store_type.h), a line in store.c
 * Names    paths are relative to the store's root, '/' between parts: no "." or "..", no empty part, no
 *          control characters, at most 255 bytes a part, at most STORE_PATH_MAX in all; else E_SPEC. Names
 *          that start with '.' and end with ".tmp" are the store's own: lists leave them out
 * Outcome  put_new ends as won (E_OK), lost (E_EXISTS) or unknown (E_IO): unknown is followed by a get
 * Durable  after E_OK from put_new and put_over the bytes and the name survive power loss: a local disk syncs the
 *          file, then renames, then syncs the folder (exactly-once.md, rule 6). Many files share one sync of
 *          their folder: the names of staged files are durable after store_sync of it, those of published
 *          ones after store_publish_sync
 * Staging  stage_open writes a file whose name nobody looks at yet; stage_open_final one that has no name that a
 *          reader matches until it is published: a local disk renames it (_staging/<name>.staged), an object store
 *          completes an upload, which the handle names. Publishing is idempotent and may be done by any process: a
 *          target of the right size is success; both missing is E_LOST; a file of another size is E_CORRUPT. A
 *          staged name is used once: an attempt that repeats an epoch takes new names
 * Fails    a failed sync abandons the file: it is never synced again and trusted (rule 5)
 * Thread   a store: any; a stage: one at a time
 * Faults   stage_open stage_write stage_fsync record_temp record_put publish_one gc_one swap_linked swap_done
 */
#ifndef STORE_STORE_H
#define STORE_STORE_H

#include "base/bytes.h"
#include "base/error.h"

enum { STORE_PATH_MAX = 1024, STORE_DEPTH_MAX = 32 }; /* bytes of a relative path; folders below the root */

struct store;
struct stage;

struct store_entry {
    char *path; /* relative to the root; owned by the list */
    int64_t size_bytes;
    int64_t modified_us;
};
struct store_list {
    struct store_entry *entries; /* sorted by path */
    int32_t count, capacity;
};
void store_list_free(struct store_list *list);

/* What stores must be told beside their URL: fs.s3a.* as Hadoop names it, with or without "spark.hadoop." in front; other
 * names are somebody else's. Copied; for stores that are opened from now on. What is wrong with a value, store_open says. */
struct store_option {
    const char *name, *value;
};
void store_configure(const struct store_option *options, int32_t count);

/* What store_open would refuse without asking anybody: the URL, and what it was told about it. */
MUST_CHECK enum code store_check(const char *url, struct error *err);
/* Creates the folder and proves that it can be written and that put_new refuses a second writer (rule 8);
 * leaves nothing behind. */
MUST_CHECK enum code store_open(const char *url, struct store **out, struct error *err);
/* To read only: creates and tries nothing. E_ABSENT when the folder is not there. */
MUST_CHECK enum code store_look(const char *url, struct store **out, struct error *err);
void store_close(struct store *store);
const char *store_root(const struct store *store); /* for messages and the user */
bool store_is_local(const struct store *store);    /* its root is a folder of this machine */

MUST_CHECK enum code store_put_new(struct store *store, const char *path, struct bytes content, struct error *err);
/* put_new of what already lies, synced, under another name: it moves. E_EXISTS when `to` is taken, then `from` stays. Durable
 * after store_sync of the folder, or the next put into it. */
MUST_CHECK enum code store_claim(struct store *store, const char *from, const char *to, struct error *err);
MUST_CHECK enum code store_put_over(struct store *store, const char *path, struct bytes content, struct error *err);
/* E_ABSENT; E_CORRUPT when larger than limit_bytes. */
MUST_CHECK enum code store_get(struct store *store, const char *path, size_t limit_bytes, struct text *out,
                               struct error *err);
/* `size` bytes from `offset` on, appended to `out`; E_ABSENT; E_CORRUPT when the file ends before. */
MUST_CHECK enum code store_read(struct store *store, const char *path, int64_t offset, size_t size, struct text *out,
                                struct error *err);
/* For who reads a file in place: the `read` of a parquet_input, with a struct store_file as its context. */
struct store_file {
    struct store *store;
    const char *path;
};
MUST_CHECK enum code store_file_read(void *file, int64_t offset, void *out, size_t size, struct error *err);
/* ---- a file that is read in place, here and there: the same bytes from the first read to the last ---- */

struct store_span {
    int64_t offset, size_bytes;
};
struct store_reader;
/* size_bytes, modified_us: as a list has them, then nothing is asked yet; size_bytes -1: not known. What is read ahead is
 * charged to the budget; when that has nothing left only what is asked for is read. NULL: there is none. */
MUST_CHECK enum code store_reader_open(struct store *store, const struct store_entry *file, struct budget *budget,
                                       struct store_reader **out, struct error *err);
int64_t store_reader_size(const struct store_reader *reader);
/* Exactly `size` bytes. E_LOST: it was removed, or is another file by now. The `read` of a parquet_input. */
MUST_CHECK enum code store_reader_read(void *reader, int64_t offset, void *out, size_t size, struct error *err);
/* These will be read, in any order, and nothing else for a while: they come together, those that lie close as one. The
 * `expect` of a parquet_input. */
MUST_CHECK enum code store_reader_expect(void *reader, const struct store_span *spans, int32_t count,
                                         struct error *err);
void store_reader_close(struct store_reader *reader);

/* XXH64 of a file of any size, read in blocks; E_ABSENT. */
MUST_CHECK enum code store_checksum(struct store *store, const char *path, uint64_t *out, struct error *err);
MUST_CHECK enum code store_size(struct store *store, const char *path, int64_t *out, struct error *err);
/* Files below `prefix` (a folder; "" = all), recursively when asked. An absent folder is an empty list. */
MUST_CHECK enum code store_list(struct store *store, const char *prefix, bool recursive, struct store_list *out,
                                struct error *err);
MUST_CHECK enum code store_remove(struct store *store, const char *path, struct error *err); /* absent is fine */
MUST_CHECK enum code store_remove_all(struct store *store, const char *const *paths, int32_t count, struct error *err);
/* Make the names in a folder durable: after a crash, before acting upon what a list shows. Absent is fine. */
MUST_CHECK enum code store_sync(struct store *store, const char *folder, struct error *err);
/* Remove what a crash inside put_new or put_over left in the folder. Only for who holds the folder alone. */
MUST_CHECK enum code store_sweep(struct store *store, const char *folder, struct error *err);
/* Exclusive use by this store object until its close, asked for once or more; E_EXISTS names the holder's
 * pid when known. One thread. */
MUST_CHECK enum code store_lock(struct store *store, const char *path, struct error *err);
/* The process that holds the lock, without trying for it; 0 = nobody, or it cannot be told. */
int64_t store_holder(struct store *store, const char *path);
MUST_CHECK enum code store_free_bytes(struct store *store, int64_t *out, struct error *err);

/* ---- staged files ---- */

/* A file that was written to be published. The strings are the caller's. */
struct staged {
    const char *path;   /* the name it was staged under; NULL: it has none (an upload) */
    const char *final;  /* the name it gets; NULL: not known to the store (a local file) */
    const char *handle; /* what stage_seal gave; NULL is "" */
    int64_t size_bytes; /* of store_publish only */
};

MUST_CHECK enum code stage_open(struct store *store, const char *path, struct stage **out, struct error *err);
/* The same of a file that gets its name, `final`, when it is published; ended with stage_seal. */
MUST_CHECK enum code stage_open_final(struct store *store, const char *staged, const char *final, struct stage **out,
                                      struct error *err);
MUST_CHECK enum code stage_write(struct stage *stage, struct bytes content, struct error *err);
int64_t stage_size(const struct stage *stage);
uint64_t stage_checksum(const struct stage *stage); /* XXH64 of all bytes so far */
/* Sync the bytes and close; the stage is freed, whatever the outcome. The name needs a store_sync of its
 * folder. */
MUST_CHECK enum code stage_finish(struct stage *stage, struct error *err);
/* The same for stage_open_final. What a publisher must be told beside the names is appended to `handle`, as text
 * without control characters; nothing on a local disk. */
MUST_CHECK enum code stage_seal(struct stage *stage, struct text *handle, struct error *err);
/* Many of one store, which an object store has under way together; handles[i] is for stages[i]. All are freed, whatever the
 * outcome. */
MUST_CHECK enum code stage_seal_all(struct stage *const *stages, int32_t count, struct text *handles,
                                    struct error *err);
void stage_abandon(struct stage *stage); /* close and remove; best effort */

MUST_CHECK enum code store_publish(struct store *store, const struct staged *file, struct error *err);
/* Many, together where the store can. After a failure some are published: any may be published again. */
MUST_CHECK enum code store_publish_all(struct store *store, const struct staged *files, int32_t count,
                                       struct error *err);
/* Sync the folders that publishes since the last call renamed into (one sync a folder, not one a file). */
MUST_CHECK enum code store_publish_sync(struct store *store, struct error *err);
/* Remove what was staged and will never be published; what is published already stays. Absent is fine. */
MUST_CHECK enum code store_discard(struct store *store, const struct staged *file, struct error *err);

/* Is it staged, and not published yet? */
MUST_CHECK enum code store_has_staged(struct store *store, const struct staged *file, bool *out, struct error *err);

/* All that is staged for files in the store and not published: by living, frozen and dead processes. */
struct staged_list {
    struct staged *items; /* strings owned; size_bytes 0 */
    int32_t count, capacity;
};
MUST_CHECK enum code store_list_staged(struct store *store, struct staged_list *out, struct error *err);
void staged_list_free(struct staged_list *list);

/* ---- files that take the place of others ---- */

struct store_swap {
    const char *folder;      /* the files lie in it, without folders; "": in the root and its folders of partitions */
    const char *const *gone; /* paths */
    int32_t gone_count;
    const struct staged *come; /* staged in this store, with final names in the folder */
    int32_t come_count;
    int64_t modified_us; /* the new files' time */
};
/* In one step for who lists the folder: he finds either all of `gone` or all of `come`. Who has listed it before finds that
 * `gone` have vanished. Durable. Only for who alone writes into the store. E_UNSUPPORTED: the store or its disk cannot. */
MUST_CHECK enum code store_swap(struct store *store, const struct store_swap *swap, struct error *err);
bool store_can_swap(const struct store *store);
/* Remove what a crash in store_swap left. The same caller. */
MUST_CHECK enum code store_swap_sweep(struct store *store, struct error *err);

/* One path part made from data, appended to out: what no name may hold, and what Hive escapes in partition
 * folders, is percent-encoded. */
void store_name_encode(struct bytes name, struct text *out);
/* What store_name_encode made, or Hive; in the arena. */
char *store_name_decode(struct arena *arena, const char *from, size_t size);
/* A path that readers of tables pass over: a part begins with '_' or '.' and is no folder name=value. */
bool store_name_hidden(const char *path);

#endif

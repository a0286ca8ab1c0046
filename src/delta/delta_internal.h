/* delta_internal.h - what the files of delta/ share. Private to delta/.
 *
 *   delta_list.c    names of the log -> which checkpoint, which commits
 *   delta_replay.c  -> actions, in order, to whoever asks
 *   delta_snapshot.c, delta_table.c, delta_checkpoint.c: who ask
 */
#ifndef DELTA_DELTA_INTERNAL_H
#define DELTA_DELTA_INTERNAL_H

#include <jansson.h>

#include "delta/delta.h"

#define DELTA_LOG "_delta_log"
#define DELTA_SCHEMA_EMPTY "{\"type\":\"struct\",\"fields\":[]}"

/* ---- delta_list.c ---- */

enum delta_checkpoint_kind {
    CHECKPOINT_CLASSIC, /* <version>.checkpoint.parquet */
    CHECKPOINT_PARTS,   /* <version>.checkpoint.<part>.<parts>.parquet, 10 digits each */
    CHECKPOINT_PARQUET, /* <version>.checkpoint.<uuid>.parquet, version 2 */
    CHECKPOINT_JSON,    /* the same in JSON */
};
struct delta_checkpoint_name {
    int64_t version;
    enum delta_checkpoint_kind kind;
    int32_t part, parts;
    const char *path; /* in the store */
    int64_t size_bytes, modified_us;
};
struct delta_commit_name {
    int64_t version, size_bytes, modified_us;
};
struct delta_listing {
    struct arena arena;
    struct delta_commit_name *commits; /* ascending */
    int32_t commit_count, commit_capacity;
    struct delta_checkpoint_name *checkpoints; /* ascending by version; of those in parts all parts, if all are there */
    int32_t checkpoint_count, checkpoint_capacity;
    int64_t newest;     /* version; -1: the log is empty */
    int64_t broken;     /* version of the checkpoint that a replay could not read; -1 */
    struct error first; /* what was wrong with the first one */
};
/* E_ABSENT: there is no log. */
MUST_CHECK enum code delta_listing_read(struct store *store, struct delta_listing *out, struct error *err);
void delta_listing_free(struct delta_listing *listing);
/* Is there another way to what has failed? Then the checkpoint that could not be read is out of the listing, and the
 * caller begins anew. Else *code and *err are what is to be told. */
bool delta_listing_retry(struct delta_listing *listing, struct store *store, enum code *code, struct error *err);
/* The files of the newest checkpoint that is not newer than `version`; NULL when there is none. */
const struct delta_checkpoint_name *delta_listing_checkpoint(const struct delta_listing *listing, int64_t version,
                                                             int32_t *count);
const struct delta_commit_name *delta_listing_commit(const struct delta_listing *listing, int64_t version);
void delta_commit_path(int64_t version, char *out, size_t size); /* _delta_log/<version>.json */
enum { DELTA_NAME_SIZE = 128 };

/* ---- delta_replay.c ---- */

/* Gets the actions; strings hold until it returns. */
struct delta_visitor {
    enum code (*visit)(void *context, int64_t version, const struct delta_action *action, struct error *err);
    void *context;
    bool no_files;    /* add and remove of checkpoints need not be read */
    bool whole_files; /* stats and tags are wanted */
};
/* One commit. E_ABSENT: it is not there. */
MUST_CHECK enum code delta_replay_commit(struct store *store, int64_t version, const struct delta_visitor *visitor,
                                         struct error *err);
/* The newest checkpoint up to `version`, then the commits behind it. E_LOST: one of them is missing. A failure may be the
 * checkpoint's alone: see delta_listing_retry. */
MUST_CHECK enum code delta_replay(struct store *store, struct delta_listing *listing, int64_t version,
                                  struct budget *budget, const struct delta_visitor *visitor, struct error *err);
MUST_CHECK enum code delta_lines_visit(struct bytes text, int64_t version, const struct delta_visitor *visitor,
                                       struct error *err);

/* ---- delta_rows.c: checkpoints as rows ---- */

const struct type *delta_rows_schema(struct arena *arena, bool no_files, bool whole_files);
/* The action of a row; kind DELTA_OTHER: none that counts. */
MUST_CHECK enum code delta_row_action(const struct batch *batch, int64_t row, struct arena *arena,
                                      struct delta_action *out, struct error *err);
/* A row more for the builders of delta_rows_schema with whole files, one per column; `version` is the checkpoint's. */
void delta_row_append(struct builder *builders, const struct type *schema, int64_t version,
                      const struct delta_action *action);
MUST_CHECK enum code delta_rows_visit(struct store *store, const char *path, int64_t size_bytes, int64_t version,
                                      struct budget *budget, const struct delta_visitor *visitor, struct error *err);

/* ---- delta_set.c: the files of a table, by path and deletion vector ---- */

struct delta_entry {
    struct delta_file file;
    bool active; /* the last action was an add */
};
struct delta_set {
    struct arena *arena; /* strings go there */
    struct budget *budget;
    size_t charged;
    struct delta_entry *entries;
    int32_t count, capacity;
    int32_t *slots;
    uint32_t slot_count;
};
MUST_CHECK enum code delta_set_put(struct delta_set *set, const struct delta_file *file, bool active,
                                   struct error *err);
const struct delta_entry *delta_set_find(const struct delta_set *set, const struct delta_file *file);
void delta_set_free(struct delta_set *set); /* gives the charge back; the arena is the owner's */

/* ---- delta_vector.c ---- */

/* Where its file lies, as delta_path says it; "" when it is inline. */
MUST_CHECK enum code delta_vector_path(const struct delta_vector *vector, const char *root, char *out,
                                       struct error *err);

/* ---- delta_table.c ---- */

struct delta_table {
    struct store *store;
    char *app_id, *nonce;
    struct arena arena; /* of protocol and metadata; given back when they change */
    struct delta_protocol protocol;
    struct delta_metadata metadata;
    int64_t version, transaction;
    int64_t in_commit_ms;       /* of the newest commit that said it; -1 */
    int64_t put_in_commit_ms;   /* of the commit that is being put; -1: it says none */
    int64_t checkpoint;         /* version of the newest checkpoint that is known; -1 */
    int64_t checkpoint_actions; /* in it */
    int64_t cleaned_us;         /* mono clock: when old commits were last looked for; 0 = never */
    /* What the commits read since delta_commit began have done. */
    bool changed_table, changed_rows, won;
    const struct delta_commit *commit; /* under way, or NULL */
    bool lost_file;                    /* a file that it removes is gone */
};

/* ---- delta_clean.c ---- */

/* Commits and checkpoints that nobody needs for a version younger than delta.logRetentionDuration. */
MUST_CHECK enum code delta_log_clean(struct delta_table *table, struct error *err);

/* ---- names and times ---- */

struct delta_file delta_file_copy(const struct delta_file *file, struct arena *arena, bool whole);
struct delta_protocol delta_protocol_copy(const struct delta_protocol *protocol, struct arena *arena);
struct delta_metadata delta_metadata_copy(const struct delta_metadata *metadata, struct arena *arena);
/* A property of the table, "interval 7 days" or "7 days"; `initial` when it is not set or no duration. */
int64_t delta_duration(const struct delta_metadata *metadata, const char *name, int64_t initial_us);
bool delta_flag(const struct delta_metadata *metadata, const char *name);
/* The same protocol with all that its versions stand for in lists, which have room for so many more. */
void delta_protocol_list(const struct delta_protocol *have, int32_t room, struct arena *arena,
                         struct delta_protocol *out);
/* 32 hex digits with dashes; out has 37 bytes. */
void delta_uuid(char *out);

#endif

/* delta.h - Delta tables: their log replayed, and commits added to it.
 *
 *   _delta_log/<version, 20 digits>.json      commit: a line of JSON per action
 *   _delta_log/<version>.checkpoint*          all actions up to that version (delta_list.c knows the names)
 *   anything.parquet                          data: in the table from the commit that adds it to the one that removes it
 *
 * Read     delta_snapshot_open: which files the table has, at a version or at a time
 * Write    delta_table_open, then delta_commit with any list of actions; between commits a writer knows what a
 *          commit needs (version, protocol, metadata, its own transaction), not the table's files: what a commit
 *          costs does not grow with the table
 * Outcome  a commit is the put-if-absent of the next version's name (exactly-once.md, section 6). Taken: the log is
 *          read on; what has happened there decides. Every commit carries a nonce (commitInfo.txnId), so that an
 *          answer that was lost is found out
 * Refuses  E_UNSUPPORTED by the feature's name: what a table needs of its readers, or of its writers (delta_feature.c)
 * Paths    in the log are URIs: relative to the table, or whole (delta_path.c)
 * Owns     what is returned lives in the arena of whoever holds it: an action in that of the call, a snapshot and a
 *          table in their own
 * Units    _ms: milliseconds since 1970 UTC, as the log has them
 * Limits   DELTA_COMMIT_MAX bytes of a commit, DELTA_FILES_MAX files of a snapshot; a snapshot charges its budget
 * Thread   one at a time
 * Faults   delta_before delta_put
 * Spec     delta-io/delta, PROTOCOL.md
 */
#ifndef DELTA_DELTA_H
#define DELTA_DELTA_H

#include "data/data.h"
#include "store/store.h"

enum {
    DELTA_COMMIT_MAX = 512 << 20, /* bytes */
    DELTA_FILES_MAX = 1 << 26,
    DELTA_PATH_SIZE = 4096, /* bytes of a file's path with its end, as delta_path writes it */
};

/* ---- actions ---- */

struct delta_pair {
    const char *name, *value; /* value NULL: null */
};
struct delta_map {
    struct delta_pair *items;
    int32_t count;
};
const char *delta_map_get(const struct delta_map *map, const char *name); /* NULL: absent or null */

struct delta_names {
    const char **items;
    int32_t count;
};
bool delta_names_have(const struct delta_names *names, const char *name);

/* Rows of a data file that are deleted; storage '\0': none. */
struct delta_vector {
    char storage;     /* 'u' file of the table, 'p' file, 'i' inline */
    const char *text; /* its name in base 85, its path, or the bytes in base 85 */
    int64_t offset;   /* in the file; -1: not given */
    int64_t size_bytes, cardinality;
};
struct delta_file {   /* add and remove */
    const char *path; /* as the log has it */
    struct delta_map partitions, tags;
    int64_t size_bytes; /* -1: not known */
    int64_t time_ms;    /* modificationTime; deletionTimestamp; -1: not known */
    bool data_change;
    const char *stats; /* JSON, or NULL */
    struct delta_vector vector;
    int64_t base_row_id, row_commit_version; /* -1: none */
    const char *clustering;                  /* or NULL */
};
struct delta_protocol {
    int32_t reader, writer; /* least versions; 0: no protocol seen */
    struct delta_names reader_features, writer_features;
};
struct delta_metadata {
    const char *id;                 /* NULL: no metadata seen */
    const char *name, *description; /* or NULL */
    const char *schema;             /* JSON */
    struct delta_names partition_columns;
    struct delta_map configuration;
    int64_t created_ms; /* -1: not known */
};
struct delta_transaction {
    const char *app_id;
    int64_t version, updated_ms; /* updated_ms -1: not known */
};
struct delta_domain {
    const char *domain, *configuration;
    bool removed;
};
struct delta_info {                /* commitInfo */
    int64_t time_ms, in_commit_ms; /* -1: not known */
    const char *nonce;             /* txnId, or NULL */
    const char *operation;         /* or NULL */
};
struct delta_sidecar {
    const char *path;
    int64_t size_bytes;
};

enum delta_kind {
    DELTA_OTHER, /* cdc, and what leat does not know: needs no care */
    DELTA_ADD,
    DELTA_REMOVE,
    DELTA_METADATA,
    DELTA_PROTOCOL,
    DELTA_TRANSACTION,
    DELTA_DOMAIN,
    DELTA_INFO,
    DELTA_SIDECAR, /* of a checkpoint, as the next one */
    DELTA_CHECKPOINT,
    DELTA_KIND_COUNT
};
struct delta_action {
    enum delta_kind kind;
    union {
        struct delta_file file;
        struct delta_metadata metadata;
        struct delta_protocol protocol;
        struct delta_transaction transaction;
        struct delta_domain domain;
        struct delta_info info;
        struct delta_sidecar sidecar;
    };
};
/* One line of a commit; strings go into the arena. E_CORRUPT. */
MUST_CHECK enum code delta_action_parse(struct bytes line, struct arena *arena, struct delta_action *out,
                                        struct error *err);
/* The line, without its end, appended. */
void delta_action_print(const struct delta_action *action, struct text *out);
struct delta_action delta_action_copy(const struct delta_action *action, struct arena *arena);

/* ---- reading ---- */

struct delta_at {    /* zeroed with version -1: the newest */
    int64_t version; /* -1: not asked */
    bool has_time;
    int64_t time_us; /* the newest version that is not younger */
};
struct delta_snapshot {
    struct arena arena;
    struct budget *budget;
    size_t charged;
    int64_t version;
    struct delta_protocol protocol;
    struct delta_metadata metadata;
    struct delta_file *files; /* in the table; without stats and tags */
    int32_t file_count;
};
/* The table at the root of the store. E_ABSENT: no table, or no such version; E_UNSUPPORTED names the feature;
 * E_CORRUPT; E_LOST: a commit is missing. */
MUST_CHECK enum code delta_snapshot_open(struct store *store, const struct delta_at *at, struct budget *budget,
                                         struct delta_snapshot **out, struct error *err);
void delta_snapshot_free(struct delta_snapshot *snapshot);
/* The newest version, from names alone; E_ABSENT: no table. *stamp differs when its commit was written anew: another table. */
MUST_CHECK enum code delta_version_newest(struct store *store, int64_t *out, uint64_t *stamp, struct error *err);

/* The actions of one commit, in its order; their strings hold until each() returns. E_ABSENT: there is no such commit. */
MUST_CHECK enum code delta_commit_read(struct store *store, int64_t version,
                                       enum code (*each)(void *context, int64_t version,
                                                         const struct delta_action *action, struct error *err),
                                       void *context, struct error *err);

struct delta_origin {
    const char *path; /* in: relative to the table */
    int64_t version;  /* that added it; -1: nothing that is left of the log names it */
    bool exact;       /* false: that version or one before, whose commit is gone */
};
/* Also of files that are in the table no more. `files` ascends by path. E_ABSENT: no log. Reads all of it. */
MUST_CHECK enum code delta_origins(struct store *store, struct delta_origin *files, int32_t count,
                                   struct budget *budget, struct error *err);

/* Where a file of the log lies: relative to the table's folder, or an absolute path; out has DELTA_PATH_SIZE bytes.
 * E_UNSUPPORTED: in another kind of store. */
MUST_CHECK enum code delta_path(const char *uri, const char *root, char *out, struct error *err);
/* The URI of a relative path, appended. */
void delta_uri(const char *path, struct text *out);

/* ---- schema ---- */

struct delta_column {
    const char *name, *physical;    /* physical: in the log, of partition values and statistics */
    const char *stored;             /* in data files: the physical name, or PARQUET_BY_ID with the column's id */
    const struct type *type;        /* NULL: of a kind that leat does not have */
    const struct type *stored_type; /* the same with the names in data files below; identical without column mapping */
    bool nullable;
    const char *rule; /* what a writer had to see to, by its key in the log: "delta.invariants"; or NULL */
};
struct delta_schema {
    struct delta_column *columns;
    int32_t count;
    bool mapped; /* by name or id: physical names count */
};
MUST_CHECK enum code delta_schema_parse(const struct delta_metadata *metadata, struct arena *arena,
                                        struct delta_schema *out, struct error *err);
const struct delta_column *delta_schema_find(const struct delta_schema *schema, const char *name); /* case ignored */
/* Deleted rows of a data file, ascending. */
MUST_CHECK enum code delta_vector_read(const struct delta_vector *vector, struct store *store, struct budget *budget,
                                       int64_t **rows, int64_t *count, struct error *err);

/* ---- features ---- */

MUST_CHECK enum code delta_readable(const struct delta_protocol *protocol, struct error *err);
/* By name, with what the metadata makes of them. */
MUST_CHECK enum code delta_writable(const struct delta_protocol *protocol, const struct delta_metadata *metadata,
                                    struct error *err);

/* ---- creating and widening ---- */

struct delta_wanted {   /* what a writer wants of its table */
    const char *name;   /* for a new one; or NULL */
    const char *schema; /* JSON, as spark_schema_write gives it */
    struct delta_names partition_columns;
    struct delta_map properties; /* delta.*, for a new one; others are passed over */
};
/* Could a table be made so? E_UNSUPPORTED names the column, or the property that needs a feature leat does not write. */
MUST_CHECK enum code delta_wanted_check(const struct delta_wanted *wanted, struct error *err);
/* The first actions of a new table. */
MUST_CHECK enum code delta_create(const struct delta_wanted *wanted, struct arena *arena,
                                  struct delta_protocol *protocol, struct delta_metadata *metadata, struct error *err);
/* The metadata of a table that also holds rows of the wanted schema: columns that it lacks are added behind the others,
 * nullable. *changed: `out` differs. That columns are NOT NULL is the caller's to see to. E_SPEC: a column has another type, or
 * is spelled otherwise, or the table is partitioned otherwise; E_UNSUPPORTED: a column has a rule that leat does not keep. */
MUST_CHECK enum code delta_widen(const struct delta_protocol *protocol, const struct delta_metadata *have,
                                 const struct delta_wanted *wanted, struct arena *arena, struct delta_metadata *out,
                                 bool *changed, struct error *err);
/* The same for a table all of whose rows are replaced: what does not fit is replaced too, as Spark's overwriteSchema does it. */
struct delta_reshaped {
    struct delta_protocol protocol; /* `raised`: another one than before */
    struct delta_metadata metadata; /* `changed`: another one than before */
    bool raised, changed;
};
MUST_CHECK enum code delta_reshape(const struct delta_protocol *protocol, const struct delta_metadata *have,
                                   const struct delta_wanted *wanted, struct arena *arena, struct delta_reshaped *out,
                                   struct error *err);

/* ---- writing ---- */

struct delta_table;
/* The table at the root of the store, as a writer with this app id sees it; also when there is none yet (version -1).
 * E_UNSUPPORTED when leat cannot write to it. `store` is borrowed. */
MUST_CHECK enum code delta_table_open(struct store *store, const char *app_id, struct delta_table **out,
                                      struct error *err);
void delta_table_free(struct delta_table *table);
/* Read what others have committed since. */
MUST_CHECK enum code delta_table_update(struct delta_table *table, struct error *err);
int64_t delta_table_version(const struct delta_table *table);     /* -1: there is none */
int64_t delta_table_transaction(const struct delta_table *table); /* of the app id; -1: none yet */
const struct delta_protocol *delta_table_protocol(const struct delta_table *table);
const struct delta_metadata *delta_table_metadata(const struct delta_table *table);

enum delta_isolation {
    DELTA_APPEND,  /* files are only added: others may add and remove */
    DELTA_REWRITE, /* rows are moved (dataChange false): nobody may have removed the files it removes */
    DELTA_REPLACE, /* what is removed is all there was: nobody may have changed the rows */
};
struct delta_commit {
    const char *operation;       /* "STREAMING UPDATE", "OPTIMIZE", .. for the history */
    struct delta_map parameters; /* the same */
    enum delta_isolation isolation;
    const struct delta_action *actions; /* all but commitInfo and txn */
    int32_t count;
    int64_t app_version; /* of the table's app id; -1: no txn */
};
/* Adds a version that is based on delta_table_version. E_OK: committed, or the table has a txn of that app version
 * or a later one already: *version is then -1. E_EXISTS: somebody has changed protocol or metadata, or what the isolation
 * forbids; the table is up to date now, nothing was committed: look, and ask again. E_IO: not known; ask again with the
 * same app version, or look. */
MUST_CHECK enum code delta_commit(struct delta_table *table, const struct delta_commit *commit, int64_t *version,
                                  struct error *err);

/* What is due after a commit: a checkpoint (delta.checkpointInterval), and old commits go (delta.logRetentionDuration).
 * Not needed for the table to be right. */
MUST_CHECK enum code delta_table_tidy(struct delta_table *table, struct budget *budget, struct error *err);
/* A checkpoint of the version, whether due or not. */
MUST_CHECK enum code delta_checkpoint_write(struct delta_table *table, struct budget *budget, struct error *err);

struct delta_vacuum {
    bool dry_run;
    int64_t keep_us; /* younger files stay; -1: delta.deletedFileRetentionDuration, 7 days */
    void (*each)(void *context, const char *path, int64_t size_bytes); /* what goes; may be NULL */
    /* Files that stay although the log does not name them yet; asked after the folder was listed, and before the log is read.
     * May be NULL. */
    enum code (*pending)(void *context, const char *const **paths, int32_t *count, struct error *err);
    void *context;
    int64_t files, bytes; /* out */
};
/* Removes files that are not in the table and older than keep_us. Never: files of the newest version, deletion vectors
 * of theirs, names that begin with '_' or '.', and what lies in a folder with a log of its own. */
MUST_CHECK enum code delta_vacuum(struct store *store, struct delta_vacuum *vacuum, struct budget *budget,
                                  struct error *err);

#endif

/* audit.h - private to audit*.c: what an audit knows, and how it says what it finds.
 *
 * Order    folders are listed before the chain is looked at: a file gets its final name only after its record is in the
 *          chain, so a file without a record is one too many, whoever is at work meanwhile. What a record names is then
 *          looked for one by one. What the chain no longer has (chain_trim) is read again, or not at all
 * Honest   records reach back to `oldest`. Of what older epochs wrote nobody remembers more than the names of the files
 *          say: they are counted, and whether they can be read is seen
 * Owns     everything is in the arena; chain and store are closed by pipeline_audit
 * Thread   one
 */
#ifndef RUNTIME_AUDIT_H
#define RUNTIME_AUDIT_H

#include "runtime/chain.h"
#include "sink/sink.h"

struct audit_finding_list {
    struct audit_finding *items;
    int32_t count, capacity;
};
/* What the pipeline writes into: mostly a folder with files. */
struct audit_folder {
    const char *name, *path; /* path NULL: no files */
    bool materialized;
    bool set_aside; /* rows that leat set aside: a quarantine, a topic of dead letters, `<table>_late` */
    bool parquet;
    bool delta;             /* a log says which of its files count */
    int64_t keep;           /* leat.files.keep; 0 = all */
    struct store *store;    /* NULL: the folder is not there */
    struct store_list list; /* taken before the chain was looked at */
    const char **live;      /* files that the newest version of a Delta table has; ascending, relative to the folder */
    int32_t live_count;
    bool log_read;                  /* else nobody knows of any */
    int64_t logged;                 /* newest epoch that the log has; -1: none that it remembers */
    struct sink_merge_list *merges; /* what files there were merged from; of the last audit_merges_read */
    int32_t merge_count, merge_capacity;
};
struct audit {
    const struct pipeline *pipeline;
    const struct audit_request *request;
    struct arena *arena;
    struct audit_report *report;
    struct run_settings settings;
    struct store *store; /* of the checkpoint */
    struct chain *chain;
    struct chain_record *records; /* of epochs from `first` on; epoch -1 = cannot be read */
    int64_t first;
    int32_t record_count;
    struct audit_folder *folders;
    int32_t folder_count;
    struct store_list leftovers; /* files of the checkpoint, listed before the chain was looked at */
    struct audit_finding_list findings, notes;
    int64_t left_out;
};

/* audit.c */
void audit_find(struct audit *self, bool note, const char *kind, int64_t epoch, const char *subject, const char *path,
                const char *format, ...) PRINTF(7, 8);
/* NULL: it cannot be read, or is not among those that are there. */
const struct chain_record *audit_record(const struct audit *self, int64_t epoch);
static inline bool audit_at_work(const struct audit *self) { return self->report->holder != 0; }

/* audit_chain.c: records follow one another, ranges too, ledgers close. Fills ranges. */
void audit_chain(struct audit *self);

/* audit_files.c: folders, their lists; then against the records. Fills tables. */
MUST_CHECK enum code audit_folders_list(struct audit *self, struct error *err);
void audit_folders_close(struct audit *self);
void audit_files(struct audit *self);

/* audit_merged.c: which files became which. */
void audit_merges_read(struct audit *self, struct audit_folder *folder);
/* As it was merged, and into what; NULL: it was not. */
const struct sink_file *audit_merged(const struct audit_folder *folder, const char *path,
                                     const struct sink_merge_list **into);
const struct sink_merge_list *audit_merge_of(const struct audit_folder *folder, const char *path); /* NULL: none */
void audit_merges_check(struct audit *self, struct audit_folder *folder);

/* audit_delta.c: the log of a Delta table, and its files. */
void audit_delta(struct audit *self, struct audit_folder *folder);
/* Whether the log still has that file. */
bool audit_delta_has(const struct audit_folder *folder, const char *path);
/* Entries of the folder's list that are asked for and that commits of others have brought into the table: a note, and
 * they are asked for no more. */
void audit_delta_others(struct audit *self, const struct audit_folder *folder, bool *asked);

/* audit_states.c: what recovery needs, and what a crash left in the checkpoint. Fills states. */
void audit_states(struct audit *self);

/* audit_waiting.c: staged records and requests for a replay. */
void audit_waiting(struct audit *self);

/* audit_broker.c: whether the broker's last transaction is the chain's last epoch. */
void audit_broker(struct audit *self);

#endif

/* chain.h - the chain of commit records: one per epoch, created by put-if-absent, the only truth about progress.
 *
 * Files        query.json                     who this checkpoint belongs to: id Q, pipeline, created, leat's version
 *              chain/<T>/<E as 16 digits>.json    one record: a JSON document, newline, XXH64 of it as 16 hex digits, newline
 *              chain/<T>/<E>.<nonce>.staged   a record whose Kafka transaction is about to decide (sink/transaction.h)
 *              state/...                      state deltas and snapshots that records name
 *              lock                           held by the process at work
 * Versions     3 is written. 2 had ledgers of tables only, and did not say how many rows a range gave. 1 had one watermark
 *              for all (read as one group), knew states by plan id only, and wrote all shards whole in one epoch
 * Valid        a record is valid when its checksum, query id, task and epoch fit its name; the head is the highest one
 * Outcome      chain_append: won (E_OK) also when the answer was lost but the record carries our nonce; another's
 *              nonce is E_FENCED (exactly-once.md, rules 2 and 3)
 * Owns         a record's strings live in the arena it was read into
 * Fails        E_CORRUPT names the file and what to try; E_EXISTS when another leat holds the lock
 * Thread       one
 * Faults       record_temp, record_put (store), after_record
 * Limits       CHAIN_RECORD_MAX
 */
#ifndef RUNTIME_CHAIN_H
#define RUNTIME_CHAIN_H

#include "runtime/runtime.h"
#include "runtime/watermarks.h"
#include "store/store.h"

enum { CHAIN_RECORD_MAX = 64 * 1024 * 1024, CHAIN_VERSION = 3, CHAIN_VERSION_OLDEST = 1 };

/* The source of rows out of quarantines: its offsets are numbers of requests (replay_request.h). */
#define REPLAY_SOURCE "_replay"

struct chain_range { /* what the epoch read of one partition, half open */
    const char *source, *topic, *topic_id;
    int32_t partition;
    int64_t from, to;
    int64_t rows;  /* records delivered; -1 = not known (before version 3) */
    int64_t lost;  /* offsets of it whose records were gone before they could be read, as accepted */
    bool in_bytes; /* offsets count bytes; else what is neither a row nor lost is a gap: no record was there */
    bool anew;     /* it does not go on where the epoch before ended: the topic was made anew, as accepted */
};
struct chain_sink {
    const char *name;  /* table */
    const char *token; /* the sink's JSON */
    const char *path;  /* the folder its files go to; NULL: no files, or not known (a record of before) */
};
struct chain_state {              /* one stateful operator */
    int32_t node;                 /* plan id, as the plan then was */
    uint64_t identity;            /* plan->identity: what finds the state again; 0 = not known, then `node` does */
    const char *name;             /* "aggregate of gold", for people */
    const char *what;             /* "by city, window(at, 1 minute): count(1)", for people; "" = not known */
    int64_t entries;              /* groups, waiting rows or keys at the epoch's end; -1 = not known */
    int32_t group;                /* whose watermark it followed, an index of `groups`; -1 = none */
    int32_t shards;               /* that its parts are of (state_file.h); 0: version 1, frames without parts */
    int32_t whole_from, whole_to; /* these shards are in it whole: nothing older of them is needed */
    const char *path;             /* in the checkpoint store; "" when nothing changed */
    int64_t size_bytes;
    uint64_t checksum; /* XXH64 of the file */
};
struct chain_slot {       /* what became of the rows of one range in a table */
    int32_t range;        /* index of `ranges` */
    struct ledger counts; /* out: without rows that were born of state */
};
struct chain_ledger {
    const char *table;
    struct ledger counts;
    const struct chain_slot *slots; /* ranges that had rows for the table, ascending; none before version 3 */
    int32_t slot_count;
};
struct chain_watermark {
    uint64_t identity; /* plan->identity; 0 = not known (version 1), then its place in the list tells */
    const char *name;  /* "event_time, delay 5 minutes", for people */
    int64_t at_us;     /* max(seen - delay) so far; 0 = nothing seen */
};
struct chain_marked {
    const char *topic;
    int32_t partition;
};
struct chain_place {               /* where the broker was told of the epoch: only there it can be asked */
    const char *bootstrap, *group; /* NULL: not known, the record does not say */
    struct chain_marked *marked;   /* whose offsets carry the mark */
    int32_t marked_count;
};
struct chain_record {
    int64_t version, epoch;
    const char *query_id, *task;
    uint64_t nonce, fingerprint;
    int64_t batch_time_us;
    struct watermark_time *groups; /* W(N-1), W(N): what the epoch worked with; W(N+1): what the next one will */
    int32_t group_count;
    struct chain_watermark *watermarks;
    int32_t watermark_count;
    const char *timezone;
    bool ansi;
    struct chain_range *ranges;
    int32_t range_count;
    struct chain_sink *sinks;
    int32_t sink_count;
    struct chain_state *states;
    int32_t state_count;
    struct chain_ledger *ledgers;
    int32_t ledger_count;
    int64_t records;          /* read in this epoch */
    bool transaction;         /* a Kafka transaction with the record's nonce was committed before it */
    struct chain_place place; /* of that transaction */
    uint64_t views;           /* what materialized views were computed from (relations.h); 0 = there are none */
};

struct chain;
/* Lock the checkpoint, create or read query.json. Whether the chain fits the pipeline is for change.h to say. */
MUST_CHECK enum code chain_open(struct store *store, const char *task, const char *pipeline_name, struct chain **out,
                                struct error *err);
/* To read only, also beside a leat at work: takes no lock, tidies nothing, fits any pipeline. E_ABSENT: no checkpoint. */
MUST_CHECK enum code chain_look(struct store *store, const char *task, struct chain **out, struct error *err);
/* The same of a chain that may have holes: chain_read says which records are not there. */
MUST_CHECK enum code chain_inspect(struct store *store, const char *task, struct chain **out, struct error *err);
void chain_close(struct chain *chain);
const char *chain_query_id(const struct chain *chain); /* 16 hex digits */
const char *chain_pipeline(const struct chain *chain); /* name of the pipeline that began it */
int64_t chain_head(const struct chain *chain);         /* epoch of the head, -1 when the chain is empty */
int64_t chain_oldest(const struct chain *chain);       /* epoch of the oldest record still there, -1 */
MUST_CHECK enum code chain_read(const struct chain *chain, int64_t epoch, struct arena *arena, struct chain_record *out,
                                struct error *err);
/* version, query_id, task and nonce are filled in here; epoch must be head + 1. */
MUST_CHECK enum code chain_append(struct chain *chain, const struct chain_record *record, struct error *err);
uint64_t chain_nonce(const struct chain *chain); /* of the records that this process writes */

/* ---- staged records: durable, but not in the chain (chain_append.c) ---- */
struct chain_staged {
    int64_t epoch;
    uint64_t nonce;
    const char *path;
    int64_t modified_us;
};
/* The record that chain_append would put, beside the chain. */
MUST_CHECK enum code chain_stage(struct chain *chain, const struct chain_record *record, struct error *err);
/* All there are, by epoch; in the arena. */
MUST_CHECK enum code chain_staged(const struct chain *chain, struct arena *arena, struct chain_staged **items,
                                  int32_t *count, struct error *err);
MUST_CHECK enum code chain_staged_read(const struct chain *chain, const struct chain_staged *staged,
                                       struct arena *arena, struct chain_record *out, struct error *err);
/* The record that this process has staged becomes the head. Durable with the next chain_stage or chain_sync; until then the
 * staged one may come back, and settling finds it (epoch_transaction.h). */
MUST_CHECK enum code chain_enter(struct chain *chain, const struct chain_record *record, struct error *err);
MUST_CHECK enum code chain_sync(struct chain *chain, struct error *err);
/* One that a dead process staged becomes the record after the head, durably. */
MUST_CHECK enum code chain_adopt(struct chain *chain, const struct chain_staged *staged, struct error *err);
/* Remove those of epochs that are in the chain, and `known`, of the one after the head, which are decided too. Others may be
 * those of a process that has overtaken this one. */
MUST_CHECK enum code chain_unstage(struct chain *chain, const struct chain_staged *known, int32_t count,
                                   struct error *err);
/* E_FENCED when another process has gone on with the chain since it was opened. */
MUST_CHECK enum code chain_overtaken(const struct chain *chain, struct error *err);
/* Remove records below `epoch` and state files that only they name. */
MUST_CHECK enum code chain_trim(struct chain *chain, int64_t epoch, struct error *err);

/* What the record says of a stateful node, or NULL. Plan ids shift when a query changes, identities do not; an older record,
 * or one of a plan without them, has ids only. */
const struct chain_state *chain_state_of(const struct chain_record *record, const struct plan *plan);

/* A record as JSON text and back; pure. */
void chain_record_print(const struct chain_record *record, struct text *out);
MUST_CHECK enum code chain_record_parse(struct bytes json, struct arena *arena, struct chain_record *out,
                                        struct error *err);

#endif

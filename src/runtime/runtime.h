/* runtime.h - build the graph from the plan and drive it: epochs, workers, commits, recovery.
 *
 * In       a typed pipeline (sql/sql.h) and run options
 * Out      rows in tables, exactly once; progress to an observer
 * Loop     recover from the chain -> [plan ranges -> process -> stage -> record -> publish] -> ... -> stop
 *          (exactly-once.md, section 4). A transient failure drops everything in memory, backs off, and recovers
 *          again: the path after an error and the path after a crash are the same
 * Trouble  what fails for now is waited for (base/retry.h); run_status says what, since when, and when it is tried again
 * Stop     runtime_stop() ends the open epoch where it stands, commits it and returns E_OK; waits end at once. E_STOPPED
 *          when that epoch could not be committed
 * Thread   pipeline_run: one at a time; it starts leat.threads workers. Observer callbacks come on the caller's thread.
 *          runtime_stop: any, also a signal handler
 * Limits   WORKERS_MAX; the memory budget `leat.memory`
 */
#ifndef RUNTIME_RUNTIME_H
#define RUNTIME_RUNTIME_H

#include "base/memory.h"
#include "sql/sql.h"

enum { WORKERS_MAX = 64 };

/* The ledger of one table and epoch: in + replayed + exploded = kept + filtered + late + null_time + quarantined + duplicates,
 * where replayed are rows that came back from a quarantine, and
 * kept is `out` for a plain table and `aggregated` (rows that state took in: groups, joins) for a windowed one. */
struct ledger {
    int64_t in, replayed, exploded, filtered, late, null_time, quarantined, duplicates, aggregated, out;
};
bool ledger_closes(const struct ledger *ledger, bool windowed);

struct table_commit {
    const char *name;                   /* of the folder: a table, a quarantine, `<table>_late` */
    const struct pipeline_table *table; /* NULL: rows that leat set aside */
    const char *path;                   /* where its files lie; NULL for a console */
    bool windowed;
    struct ledger epoch, total; /* total: since this process started */
    int64_t files, bytes;       /* of this epoch */
    int64_t files_total, bytes_total;
    const char *preview; /* text of a few rows of the epoch, or "" */
};
/* Where the CPU time of this process went since start, microseconds. */
struct cpu_split {
    int64_t fetch, decode, expressions, aggregate, encode, commit, client; /* client: librdkafka's own threads */
};
/* Something that leat needs and that does not work now. */
struct run_trouble {
    const char *name;    /* "kafka 127.0.0.1:9092", "disk /data/tables" */
    const char *circuit; /* closed, open, half-open */
    enum code code;      /* of the last attempt */
    const char *error;
    int32_t attempt;           /* the next one, or the one under way: 2, 3, .. */
    int64_t since_us, wait_us; /* failing for so long; the next attempt in so long, 0 = under way */
};
enum { RUN_TROUBLES_MAX = 8 }; /* shown */
struct run_status {
    int64_t epoch;                                     /* the next or running one */
    int64_t records_total, records_epoch, bytes_total; /* read from sources; bytes of keys and values */
    double records_per_second;                         /* over about the last second */
    int64_t lag_records;  /* behind the end of the source when last asked; -1 = not known */
    int64_t watermark_us; /* of the group furthest behind; 0 = none yet */
    int64_t quarantined_total, late_total, duplicates_total, files_total, groups, state_bytes, rss_bytes;
    int64_t elapsed_us;
    const char *phase;                  /* recovering, reading, merging, committing, waiting, retrying */
    const struct run_trouble *troubles; /* the observer's while it is called */
    int32_t trouble_count;
};
/* What one stage with state remembers. */
struct state_report {
    const char *name;       /* "aggregate of gold" */
    int64_t entries, bytes; /* in memory */
    int64_t watermark_us;   /* what it emitted by */
};
struct commit_report {
    int64_t epoch, records, bytes, duration_us, batch_time_us;
    int64_t watermark_us, lag_records, groups, state_bytes;
    const struct table_commit *tables;
    int32_t table_count;
    const struct state_report *states;
    int32_t state_count;
    struct cpu_split cpu;
    int64_t rss_bytes, rss_peak_bytes;
    int64_t records_total;
    int64_t drift_fields,
        drift_values; /* fields that no schema names (struct drift_field), and their values, up to the epoch before */
};
struct run_observer {
    void (*status)(void *context, const struct run_status *status); /* at most about ten times a second */
    void (*commit)(void *context, const struct commit_report *report);
    void *context;
};

struct run_options {
    bool once;           /* overrides leat.trigger */
    bool accept;         /* go on although a changed project loses something that the checkpoint remembers */
    bool inline_workers; /* no threads: their work is done in between, in an order drawn from os (workers.h) */
    const struct session *session; /* zone, ansi */
    const struct run_observer *observer;
};

/* TBLPROPERTIES of every table, whatever its format; ends with a NULL name. */
extern const struct option table_options[];

/* What this version cannot execute, and options that no source or sink takes, by name and position: E_UNSUPPORTED or
 * E_SPEC for the first, all in `problems`. Also refuses settings that do not parse. Pure. */
MUST_CHECK enum code runtime_check(struct arena *arena, const struct pipeline *pipeline, struct problems *problems,
                                   struct error *err);
/* Of a project that was checked: TBLPROPERTIES that are nearly an option's name, with their place and that name. The array
 * is the caller's to mem_free. */
void runtime_property_slips(struct arena *arena, const struct pipeline *pipeline, struct problems *out);
/* Run until the trigger's end (once), runtime_stop(), or an error that retrying cannot mend or has not mended. */
MUST_CHECK enum code pipeline_run(const struct pipeline *pipeline, const struct run_options *options,
                                  struct error *err);
/* What the project, as it is now, would keep, rebuild and lose of its checkpoint: a line each, as text. Reads only, also
 * beside a leat at work. *lost: how many things `pipeline_run` would refuse to lose without `accept`. */
MUST_CHECK enum code pipeline_plan(const struct pipeline *pipeline, struct text *out, int32_t *lost, struct error *err);

/* Folders beside the tables, for rows that leat sets aside: quarantines, and `<table>_late`. */
struct set_aside_folder {
    const char *name, *path;
    const char *format; /* parquet, json */
    const struct type *schema;
};
int32_t pipeline_set_aside(struct arena *arena, const struct pipeline *pipeline, const struct run_settings *settings,
                           struct set_aside_folder **out);

/* A field of a source's payloads that no schema of the project names (drift.h). */
struct drift_field {
    const char *source, *path; /* a.b; elements of arrays have no part of it */
    const char *topic;         /* where it was met first; of files, their path */
    int32_t partition;
    int64_t offset;
    const char *type, *example; /* what Spark would infer of that value, and its first bytes */
    int64_t first_us;           /* when leat met it first */
    int64_t count;              /* values met so far */
};
/* Those that the project as it is now still does not name, in the order in which they were met. Reads the checkpoint only, also
 * beside a leat at work. */
MUST_CHECK enum code pipeline_drift(const struct pipeline *pipeline, const struct run_settings *settings,
                                    void (*each)(void *context, const struct drift_field *field), void *context,
                                    struct error *err);

/* ---- what a checkpoint remembers, for `leat state` ---- */

struct state_offset {
    const char *source, *topic;
    int32_t partition;
    int64_t next; /* the first record not read yet */
};
struct state_watermark {
    const char *name; /* "event_time, delay 5 minutes" */
    int64_t at_us;    /* 0 = nothing seen */
};
struct state_summary {
    const char *checkpoint, *pipeline; /* where, and whose */
    int64_t epoch, batch_time_us;      /* of the last commit */
    const struct state_offset *offsets;
    int32_t offset_count;
    const struct state_watermark *watermarks;
    int32_t watermark_count;
};
struct state_operator {
    const char *name; /* "aggregate of gold" */
    uint64_t identity;
    const struct type *schema; /* of its entries as they are shown; NULL: no part of the project takes it up */
    int64_t watermark_us;      /* what it emitted by; 0 = none */
    int64_t entries, bytes;    /* in memory, when all of it is there; known when done */
};
/* Called in this order: summary; per operator entries any number of times, then done. */
struct state_reader {
    enum code (*summary)(void *context, const struct state_summary *summary, struct error *err);
    enum code (*entries)(void *context, const struct state_operator *about, const struct batch *batch,
                         struct error *err);
    enum code (*done)(void *context, const struct state_operator *about, struct error *err);
    void *context;
};
/* Read what the head of the chain remembers, of `table` (what its rows come from) or of all when it is NULL. Takes no lock
 * and changes nothing; memory holds one shard at a time. E_ABSENT: there is no commit, or a leat at work has meanwhile
 * removed what was to be read (then *again is set). E_USAGE: no such table. */
MUST_CHECK enum code pipeline_state(const struct pipeline *pipeline, const struct session *session, const char *table,
                                    const struct state_reader *reader, bool *again, struct error *err);

/* ---- is it all there? for `leat audit` ---- */

struct audit_finding {
    const char *kind;    /* stable: "file_missing"; docs/operations.md lists them */
    bool note;           /* nothing is wrong: said so that nobody wonders */
    int64_t epoch;       /* -1: of none, or of several */
    const char *subject; /* table, operator, "source, topic, partition"; or "" */
    const char *path;    /* of a file, or "" */
    const char *detail;  /* one line for people */
};
struct audit_range { /* of a partition, over the records that are there */
    const char *source, *topic;
    int32_t partition;
    bool in_bytes;
    int64_t from, to;
    int64_t rows, gaps, lost; /* rows + gaps + lost = to - from, but for offsets that count bytes; -1 = some of the
                                        * records are too old to say */
    int64_t missing, doubled; /* offsets that are in no record, or in two */
};
struct audit_table {
    const char *name, *path;                      /* path NULL: no files */
    bool set_aside;                               /* rows that leat set aside: of the ledger only `out` is known */
    struct ledger ledger;                         /* sum over the records that are there */
    int64_t files, rows, bytes;                   /* that those records name and that are in the folder */
    int64_t older_files, older_rows, older_bytes; /* of epochs before; rows -1 = not of Parquet, nobody counted */
};
struct audit_state {
    const char *name;     /* "aggregate of gold" */
    int64_t files, bytes; /* that recovery needs */
};
struct audit_report {
    const char *checkpoint, *pipeline, *query_id;
    int64_t oldest, head;  /* epochs; -1: nothing was committed */
    int64_t batch_time_us; /* of the head */
    int64_t holder;        /* process at work on the checkpoint; 0 = none */
    const struct audit_range *ranges;
    int32_t range_count;
    const struct audit_table *tables;
    int32_t table_count;
    const struct audit_state *states;
    int32_t state_count;
    const struct audit_finding *findings; /* notes too, last */
    int32_t finding_count, note_count;
    int64_t findings_left_out; /* beyond AUDIT_FINDINGS_MAX */
};
enum { AUDIT_FINDINGS_MAX = 1000 };

/* ---- merging small files by hand: compact.c ---- */

struct compact_table {
    const char *name, *path;
    int64_t inputs, files; /* so many became so many; in a dry run: would */
    int64_t bytes_before, bytes;
};
struct compact_report {
    struct compact_table *tables; /* those with files, whether there was something to merge or not */
    int32_t count;
};
struct compact_request {
    const char *table;                                   /* NULL: all */
    bool dry_run;                                        /* look, also beside a leat at work */
    void (*progress)(const struct compact_table *table); /* after each file; may be NULL */
};
/* Merge the small files of the tables up to leat.files.target_size, whether leat.compact is set or not. Memory is the arena's.
 * E_ABSENT: there is no checkpoint; E_EXISTS: a leat is at work on it. */
MUST_CHECK enum code pipeline_compact(const struct pipeline *pipeline, const struct compact_request *request,
                                      struct arena *arena, struct compact_report *out, struct error *err);

/* ---- files of Delta tables that nobody needs: vacuum.c ---- */

struct vacuum_request {
    bool dry_run;
    int64_t keep_us; /* delta_vacuum's: younger files stay; -1: what the table says */
    void (*each)(const char *path, int64_t size_bytes); /* what goes; may be NULL */
};
struct vacuum_report {
    int64_t files, bytes;
};
/* Remove the files of a Delta table of the project that no version within reach has, but for those of an epoch that the chain
 * has and the log has not yet. Also beside a leat at work. E_ABSENT: there is no table. */
MUST_CHECK enum code pipeline_vacuum(const struct pipeline *pipeline, const struct pipeline_table *table,
                                     const struct vacuum_request *request, struct vacuum_report *out,
                                     struct error *err);

struct audit_request {
    bool names_only;         /* do not read what is in the files */
    const char *const *also; /* 8 or more digits each: queries whose files may lie in the tables' folders */
    int32_t also_count;
};
/* Check the chain against itself, and the tables, states and leftovers against the chain. Reads only, also beside a leat at
 * work. Memory is the arena's. What is wrong is in the report; E_ABSENT: there is no checkpoint. */
MUST_CHECK enum code pipeline_audit(const struct pipeline *pipeline, const struct audit_request *request,
                                    struct arena *arena, struct audit_report *out, struct error *err);

/* ---- what quarantines hold, for `leat quarantine` ---- */

/* The columns of a quarantine (quarantine_rows.h says what they mean), and of what quarantine_read gives. */
enum quarantine_column {
    QUARANTINE_REASON,
    QUARANTINE_DETAIL,
    QUARANTINE_AT,
    QUARANTINE_TABLES,
    QUARANTINE_FIELD,
    QUARANTINE_BYTE,
    QUARANTINE_ROW,
    QUARANTINE_SOURCE,
    QUARANTINE_TOPIC,
    QUARANTINE_PARTITION,
    QUARANTINE_OFFSET,
    QUARANTINE_TIMESTAMP,
    QUARANTINE_KEY,
    QUARANTINE_VALUE,
    QUARANTINE_KEY_BYTES,
    QUARANTINE_VALUE_BYTES,
    QUARANTINE_SCHEMA_VERSION,
    QUARANTINE_NODE,
    QUARANTINE_ATTEMPTS,
    QUARANTINE_EPOCH,
    QUARANTINE_REJECTED_AT,
    QUARANTINE_COLUMNS,
    /* Only read: the folder; 16 hex digits that tell the row from all others; NULL, "waiting" (asked for) or "done". */
    QUARANTINE_NAME = QUARANTINE_COLUMNS,
    QUARANTINE_ID,
    QUARANTINE_REPLAY,
    QUARANTINE_VIEW_COLUMNS
};
const struct type *quarantine_view_schema(struct arena *arena);
/* All rows of all quarantine folders of the project, oldest first in each, also beside a leat at work. `rows` gets batches of
 * the view's schema, borrowed. */
MUST_CHECK enum code quarantine_read(const struct pipeline *pipeline,
                                     enum code (*rows)(void *context, const struct batch *batch, struct error *err),
                                     void *context, struct error *err);
/* The topics of dead letters that rows go to, of `table` or, NULL, of any; *folders: how many quarantine folders they go to.
 * Names are the pipeline's, the array is in the arena. */
int32_t quarantine_topics(struct arena *arena, const struct pipeline *pipeline, const struct pipeline_table *table,
                          const char *const **topics, int32_t *folders);
/* Ask for a replay. Rows come from quarantine_read, key and value repaired; those that cannot come back are left out. */
enum replay_refusal {
    REPLAY_FINE,
    REPLAY_ASKED,    /* it was replayed, or asked for, before */
    REPLAY_BORN,     /* it was made in leat: there is no record to replay */
    REPLAY_CUT,      /* the quarantine has only the beginning of its key or value */
    REPLAY_UNPLACED, /* which of its record's rows it was is not known */
    REPLAY_NO_WAY,   /* E_CHANGED of replay_route.h: `why` says it */
    REPLAY_REFUSALS
};
struct replay_ask;
MUST_CHECK enum code replay_ask_new(const struct pipeline *pipeline, struct replay_ask **out, struct error *err);
/* Row `row` of `batch`; `repaired`: its value is whole, whatever value_bytes says. */
MUST_CHECK enum code replay_ask_add(struct replay_ask *ask, const struct batch *batch, int64_t row, bool repaired,
                                    enum replay_refusal *out, struct error *err);
int64_t replay_ask_rows(const struct replay_ask *ask);
const char *replay_ask_why(const struct replay_ask *ask); /* of the last REPLAY_NO_WAY, or "" */
/* Write the requests: *first is the number of the first of *count. */
MUST_CHECK enum code replay_ask_commit(struct replay_ask *ask, int64_t *first, int64_t *count, struct error *err);
void replay_ask_free(struct replay_ask *ask);

void runtime_stop(void);
bool runtime_stopping(void);

#endif

/* engine.h - private to runtime/: what is alive between one recovery and the next failure. */
#ifndef RUNTIME_ENGINE_H
#define RUNTIME_ENGINE_H

#include "base/retry.h"
#include "runtime/chain.h"
#include "runtime/epoch_transaction.h"
#include "runtime/disks.h"
#include "runtime/drift.h"
#include "runtime/feed.h"
#include "runtime/few_files.h"
#include "runtime/graph.h"
#include "runtime/ledger.h"
#include "runtime/merging.h"
#include "runtime/pace.h"
#include "runtime/spill.h"
#include "runtime/state_log.h"
#include "runtime/relations.h"
#include "runtime/replay.h"
#include "runtime/watermarks.h"
#include "runtime/workers.h"

/* Of every stateful node, whatever the number of workers: small enough that merging one stays within the caches, and that
 * a few of them in memory are enough when state is larger than the budget. */
enum { STATE_SHARDS = 64 };

struct table_progress {
    struct ledger epoch, total;
    int64_t files_total, bytes_total;
    struct ledger_map map;      /* of a table */
    struct few_files few_files; /* of a table */
};
/* Lives as long as pipeline_run: totals survive a retry. */
struct progress {
    struct arena arena;
    struct table_progress *tables; /* per output: tables, quarantines, tables of late rows */
    int32_t table_count;
    int64_t records_total, bytes_total, quarantined_total;
    int64_t started_us, status_us, rate_us, rate_records;
    double records_per_second;
    int64_t groups, state_bytes; /* as of the last commit: workers change them meanwhile */
    struct cpu_split cpu_before; /* of engines already closed */
    const char *phase;
    const struct run_options *options;
    struct run_status status; /* as last told: what is shown while no engine is open */

    struct dependencies dependencies;
    struct retry_policy policy;
    struct disks disks;
    const char *checkpoint; /* its folder */
    int64_t asked_us;       /* since when an engine that opens waits for a broker; 0 = it does not */
    int64_t attempt_us;     /* when something that had failed was tried again */
    int64_t told_us;        /* of trouble, in the log */
    bool told_future;       /* that rows have event times of the far future, in the log */
    bool gave_up;
    bool dropped;    /* asked to stop, the open epoch could not be committed */
    bool worked_off; /* all that was there is committed: nothing is gained by trying again */
};
void progress_init(struct progress *progress, const struct pipeline *pipeline); /* free its arena */

struct engine {
    const struct pipeline *pipeline;
    const struct run_options *options;
    struct run_settings settings;
    struct progress *progress;
    struct arena arena;
    struct arena scratch; /* of one epoch */
    struct budget budget;
    struct store *store;
    struct store *spill_store; /* NULL: state that does not fit goes beside the checkpoint */
    struct chain *chain;
    struct epoch_transaction transaction;
    struct outputs *outputs;
    struct graph *graph;
    struct stateful **stages; /* of the graph */
    int32_t *stage_nodes;     /* their plan ids */
    struct spill *spill;      /* NULL: no stage has state */
    struct state_log *state_log;
    struct workers *workers;
    struct merging merging;
    struct feed *feeds;
    int32_t feed_count;
    struct relations relations;
    struct replay replay;
    struct drift drift;

    bool prompt;                  /* no table is made of files, which want to be filled: open epochs end at once */
    int64_t discovered_us;        /* when the sources were last asked */
    int64_t files_us;             /* when an epoch last made files */
    int64_t epoch;                /* the next one to run */
    struct watermarks watermarks; /* of the epoch to run or running */
    struct epoch_time *times;     /* per plan node, of this epoch */
    int64_t batch_time_us;
    int64_t records, bytes; /* read in this epoch */
    int64_t epoch_started_us;
    struct pace pace;
    bool catching_up;               /* an open epoch has a planned end */
    bool shortened;                 /* the epoch takes less than it might: its memory is full */
    int64_t quiet_since_us;         /* promised records are waited for since then; 0 = they are not */
    bool accepted;                  /* a loss (run_options.accept) that no record shows yet */
    bool discovered;                /* nothing was read since the sources were asked */
    struct operator_counts *counts; /* per plan node, of this epoch */
    struct cpu_meter meter;         /* of the runtime's own thread */
};

/* recover.c: open everything and bring it to the chain's head. */
MUST_CHECK enum code engine_open(struct engine *self, const struct pipeline *pipeline,
                                 const struct run_options *options, struct progress *progress, struct error *err);
void engine_close(struct engine *self);

/* epoch.c: one epoch from reading to publishing. open: without bounds, until max_staleness, the record limit or a stop.
 * *ran = false: there was nothing to do, nothing was committed. */
MUST_CHECK enum code epoch_run(struct engine *self, bool open, bool *ran, struct error *err);
bool engine_needs_empty_epoch(const struct engine *self);

/* epoch_merge.c: what the lanes took in becomes state, rows that are complete go on, changes are written to state files. */
MUST_CHECK enum code epoch_merge(struct engine *self, struct error *err);

/* commit.c: steps 2 to 5 of exactly-once.md, section 4. */
MUST_CHECK enum code epoch_commit(struct engine *self, struct error *err);

/* trouble.c: ask every source for its partitions and ends; one that does not answer is waited for. */
MUST_CHECK enum code engine_discover(struct engine *self, struct error *err);

/* report.c */
/* The same with and without an open engine (NULL): then what was told last, and what is in trouble. */
void progress_phase(struct progress *progress, struct engine *engine, const char *phase);
void progress_status(struct progress *progress, struct engine *engine, bool now);
void report_phase(struct engine *self, const char *phase);
void report_status(struct engine *self, bool now);
void report_commit(struct engine *self);
void report_future(struct engine *self); /* rows that the guard refused in this epoch; once in a run */
struct cpu_split engine_cpu(const struct engine *self);

#endif

/* sim_witness.h - a reader that knows nothing of leat looks at the tables after every call that changes something.
 *
 * Rows     every file that is visible (not below `_staging`) is read once, when it appears: JSON and CSV by the line,
 *          Parquet by leat's reader. Rows are counted by table and content
 * Checks   at any moment: a visible file can be read whole, stays, and keeps its bytes; no row is there more often than
 *          in the run without trouble
 *          of every commit record: its checksum, its place in the chain, its ranges follow from those before
 *          at the end: every row is there, nothing is staged, no file lies about that no record names, and what the ledgers
 *          say was put out is what is there
 * Power    a file that was visible may be invisible again after a power loss, until somebody finishes the epoch; then it
 *          must come back with the same bytes
 * Views    the files of a materialized view are replaced: only their rows at the end are compared
 * Owns     its copies. The first thing that is wrong is kept as text
 * Thread   whoever runs
 */
#ifndef SIM_WITNESS_H
#define SIM_WITNESS_H

#include "runtime/chain.h"
#include "sim_os.h"

struct row_count {
    uint64_t key;     /* 0 = free */
    const char *text; /* table: row */
    int32_t seen, expected;
};
struct witness_file {
    char *path;
    uint64_t hash;  /* of its bytes */
    uint64_t *rows; /* keys */
    int32_t row_count, row_capacity;
    bool visible;
};
struct witness_record {
    int64_t epoch;
    uint64_t hash;
    struct chain_record record; /* in the witness's arena */
    bool trimmed;
};
struct witness {
    struct sim *sim;
    struct arena arena;
    struct row_count *counts; /* hash table */
    int32_t count_slots, count_used;
    struct witness_file *files;
    int32_t file_count, file_capacity;
    struct witness_record *records; /* by epoch, ascending */
    int32_t record_count, record_capacity;
    bool compares;     /* there is an expectation */
    struct text wrong; /* the first thing that is */
};
void witness_init(struct witness *witness);
void witness_close(struct witness *witness);
/* What `calm` has seen is what must be seen. */
void witness_expect(struct witness *witness, const struct witness *calm);
struct sim_hooks witness_hooks(struct witness *witness);
/* After a power loss. */
void witness_look_again(struct witness *witness);
/* A message that readers of committed messages see from now on. */
void witness_message(void *witness, const char *text);
/* The offset after the last one committed of a partition; 0 when there is none. */
int64_t witness_next(const struct witness *witness, const char *topic, int32_t partition);
int64_t witness_rows(const struct witness *witness);
/* `complete`: everything was read, and somebody has tidied up. */
void witness_finish(struct witness *witness, bool complete);
void witness_wrong(struct witness *witness, const char *format, ...) PRINTF(2, 3);

#endif

/* replay_request.h - rows that are to come back out of a quarantine, as a file in the checkpoint.
 *
 * File      replay/<number as 16 digits>.parquet, numbers from 0 without a gap, created by put-if-absent: whoever asks for a
 *           replay adds one, the pipeline takes them up in order, one an epoch. They stay: they are the memory of what was
 *           replayed
 * Shape     id STRING          16 hex digits: which row of a quarantine it is (quarantine_id)
 *           source, topic STRING, partition INT, offset BIGINT, timestamp TIMESTAMP, key, value BINARY   the record, repaired
 *           row, node STRING, tables ARRAY, attempts INT    as the quarantine has them (quarantine_rows.h)
 * Once      a row's id depends on the record, its place, the node and the attempt, not on where the quarantine lies
 * Fails     E_CORRUPT when a file is none of these
 * Limits    REPLAY_ROWS_MAX rows, REPLAY_BYTES_MAX of keys and values a file
 */
#ifndef RUNTIME_REPLAY_REQUEST_H
#define RUNTIME_REPLAY_REQUEST_H

#include "data/data.h"
#include "store/store.h"

enum { REPLAY_ROWS_MAX = 8192, REPLAY_BYTES_MAX = 32 * 1024 * 1024, REPLAY_FILE_MAX = 256 * 1024 * 1024 };

enum replay_column {
    REPLAY_ID,
    REPLAY_SOURCE_NAME,
    REPLAY_TOPIC,
    REPLAY_PARTITION,
    REPLAY_OFFSET,
    REPLAY_TIMESTAMP,
    REPLAY_KEY,
    REPLAY_VALUE,
    REPLAY_ROW,
    REPLAY_NODE,
    REPLAY_TABLES,
    REPLAY_ATTEMPTS,
    REPLAY_COLUMNS
};
const struct type *replay_schema(struct arena *arena);

/* What tells one rejected row from all others. `row`, `topic` and `source` may be empty. */
struct quarantine_key {
    struct bytes source, topic, row, node;
    int64_t partition, offset, attempts;
};
uint64_t quarantine_id(const struct quarantine_key *key);

/* Where request `number` lies; out has room for REPLAY_PATH_MAX. */
enum { REPLAY_PATH_MAX = 48 };
void replay_path(int64_t number, char out[REPLAY_PATH_MAX]);
/* Create request `number`. E_EXISTS: there is one with it already. */
MUST_CHECK enum code replay_write(struct store *store, int64_t number, const struct batch *rows, struct error *err);
/* All rows of request `number`; E_ABSENT. `schema` is replay_schema's, and lives as long as the batch. */
MUST_CHECK enum code replay_read(struct store *store, int64_t number, const struct type *schema, struct budget *budget,
                                 struct batch *out, struct error *err);
bool replay_exists(struct store *store, int64_t number);
/* One more than the largest number in use; 0 when there is no request. */
MUST_CHECK enum code replay_end(struct store *store, int64_t *out, struct error *err);

#endif

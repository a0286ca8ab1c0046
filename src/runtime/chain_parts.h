/* chain_parts.h - what the files of the chain share. Private to chain.c and chain_append.c. */
#ifndef RUNTIME_CHAIN_PARTS_H
#define RUNTIME_CHAIN_PARTS_H

#include "runtime/chain.h"

enum { CHAIN_PATH_BYTES = 256, CHAIN_SEAL_BYTES = 18 }; /* seal: newline, 16 hex digits, newline */

/* A state file and the record that names it; kept in memory so that trimming reads nothing. */
struct state_name {
    int64_t epoch;
    char *path;
};
struct chain {
    struct store *store;
    char *task;
    char query_id[17];
    char *pipeline; /* name of the one that began it */
    uint64_t nonce;
    int64_t head, oldest;      /* -1 = none */
    struct state_name *states; /* by epoch, ascending */
    int32_t state_count, state_capacity;
    bool unread; /* a record is there that could not be read: what it names is not in states */
};

void chain_record_path(const struct chain *self, int64_t epoch, char *out); /* CHAIN_PATH_BYTES */
/* A document and its checksum; unseal gives the document alone. E_CORRUPT. */
void chain_seal(struct text *document);
MUST_CHECK enum code chain_unseal(struct bytes file, struct bytes *document, struct error *err);
/* E_CORRUPT when it is another query's, task's or epoch's. */
MUST_CHECK enum code chain_record_fits(const struct chain *self, int64_t epoch, const struct chain_record *record,
                                       struct error *err);
MUST_CHECK enum code chain_read_file(const struct chain *self, const char *path, int64_t epoch, struct arena *arena,
                                     struct chain_record *out, struct error *err);
/* The highest epoch that now has a record; -1 = none. */
MUST_CHECK enum code chain_newest(const struct chain *self, int64_t *epoch, struct error *err);
void chain_states_remember(struct chain *self, const struct chain_record *record);

#endif

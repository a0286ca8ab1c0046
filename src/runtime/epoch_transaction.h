/* epoch_transaction.h - the Kafka transaction that every epoch of a query commits, and what recovery learns from it.
 *
 * When     some table or sink has format kafka: its cluster (the first of them decides) is written exactly once. Tables on
 *          other clusters are on their own: at least once
 * Options  the `kafka.*` of all tables on that cluster, which must not contradict each other
 * Carries  the next offsets of the sources on the same cluster, so that lag tools show them, and Q/T/E/nonce
 * Settle   head: the chain's last epoch. The broker's mark says
 *              head + 1             the transaction was committed: its staged record enters the chain; E_LOST without one
 *              head                 it was not: staged records are garbage
 *              nothing              and the head had no transaction: not committed. And it had one: the group was deleted or
 *                                   its offsets expired; E_LOST when a staged record waits for an answer, else a warning
 *              anything else        E_LOST: the checkpoint is older than what was written
 * Place    a record says where its mark is: cluster, group, partitions. Those are asked, also after the project has changed. A
 *          staged record of another cluster or group, or without a Kafka sink now, is E_CHANGED: silence here says nothing
 *          of it. It stays until a record of its epoch is in the chain
 * Group    must be the query's own: an offset in it without our mark, and a staged record, is E_LOST
 * Thread   one
 */
#ifndef RUNTIME_EPOCH_TRANSACTION_H
#define RUNTIME_EPOCH_TRANSACTION_H

#include "runtime/chain.h"
#include "sink/sink.h"

struct epoch_transaction {
    struct transaction transaction; /* type NULL: the query has none */
    const struct pipeline *pipeline;
    struct arena arena;
    const char *query_id, *group, *mark_topic;
    bool begun;
    bool asked; /* its commit was asked for: only the broker knows now */
};
struct epoch_transaction_spec {
    const struct pipeline *pipeline;
    const char *query_id, *task;
    int64_t timeout_us;
    struct budget *budget;
};
MUST_CHECK enum code epoch_transaction_open(struct epoch_transaction *self, const struct epoch_transaction_spec *spec,
                                            struct error *err);
void epoch_transaction_close(struct epoch_transaction *self);
/* What sinks send with; NULL when there is none. */
const struct transaction *epoch_transaction_sender(const struct epoch_transaction *self);
/* Bring the chain up to what the broker has. accept: give up an epoch that can be asked for only elsewhere. */
MUST_CHECK enum code epoch_transaction_settle(struct epoch_transaction *self, struct chain *chain, bool accept,
                                              struct error *err);
/* Where the record's commit leaves its mark, to be staged with it; bootstrap NULL without a transaction. */
struct chain_place epoch_transaction_place(const struct epoch_transaction *self, const struct chain_record *record,
                                           struct arena *arena);
MUST_CHECK enum code epoch_transaction_begin(struct epoch_transaction *self, struct error *err);
/* The record is staged and everything it names is durable. When it fails, only settling tells whether it happened. */
MUST_CHECK enum code epoch_transaction_commit(struct epoch_transaction *self, const struct chain_record *record,
                                              uint64_t nonce, struct error *err);
/* Does nothing after a commit was asked for. */
void epoch_transaction_abort(struct epoch_transaction *self);
/* What the broker says of the query's last transaction, without touching it. */
struct transaction_sight {
    const char *bootstrap; /* NULL: the query has no transaction */
    struct transaction_mark mark;
    bool had;    /* the head was committed by a transaction at this cluster, in this group */
    bool staged; /* the checkpoint has the record that belongs to the mark, of the epoch after the head */
};
MUST_CHECK enum code epoch_transaction_look(const struct epoch_transaction_spec *spec, struct chain *chain,
                                            struct arena *arena, struct transaction_sight *out, struct error *err);
/* Whether it shows the source's progress in the group that a mirror would use. */
bool epoch_transaction_shows(const struct epoch_transaction *self, const struct pipeline_source *source);

#endif

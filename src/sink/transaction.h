/* transaction.h - one transaction of one Kafka cluster and epoch, shared by all sinks and dead-letter topics of a query there.
 *
 * Why      a commit at Kafka cannot be rolled forward by somebody else, so authority moves to it (exactly-once.md, section 6)
 * Order    begin -> send, from many lanes -> [every other sink is staged, the state and the record too, all durable] ->
 *          commit, with the source's offsets and the mark Q/T/E/nonce inside -> the record enters the chain -> publish
 *
 *          crash here                      recovery does
 *          before commit                   open() fences the dead process and aborts its work; the staged record is garbage
 *          in or after commit,             ask() says E: the staged record with that nonce enters the chain, nothing is
 *          before the record is in         computed again. ask() says E-1: it is garbage
 *          after the record                as with every other sink
 *
 *          An answer that never came is the same as a crash: the runtime closes everything, opens anew and asks
 * Epochs   every epoch of a query that has a transaction commits one, rows or not: ask() is the head or one more
 * Fails    E_BROKER transient; E_FENCED: another process has the query's transactional id; E_CORRUPT: the broker's mark is
 *          of no epoch that the chain could have
 * Thread   send, topic: lanes in parallel. All else: one thread, no send under way
 * Faults   kafka_offsets, kafka_commit, kafka_after
 * Add one  Kafka's is kafka_transaction.c; the simulation installs its own
 */
#ifndef SINK_TRANSACTION_H
#define SINK_TRANSACTION_H

#include "base/bytes.h"
#include "base/error.h"
#include "base/memory.h"

struct transaction_spec {
    const char *const *option_names, *const *option_values; /* `kafka.*` of the sinks on that cluster */
    int32_t option_count;
    const char *query_id, *task; /* Q and T: the transactional id leat-<Q>-<T>, and the group leat-<first 8 of Q> */
                                 /* unless `kafka.group.id` names one */
    const char *mark_topic;      /* keeps the mark, at its partition 0, when no offset is marked; NULL: none does */
    bool look;                   /* only to ask: fences nobody, begins nothing */
    int64_t timeout_us;          /* how long open, ask and commit may wait for a broker; the caller tries again */
    struct budget *budget;
    bool (*stopping)(void); /* asked while waiting; true = E_STOPPED; or NULL */
};
struct transaction_header {
    const char *name;
    struct bytes value;
    bool is_null;
};
struct transaction_message { /* borrowed for the call */
    const char *topic;
    int32_t partition; /* -1: by the hash of the key, as Java's producer does (murmur2) */
    struct bytes key, value;
    bool key_null, value_null;
    const struct transaction_header *headers;
    int32_t header_count;
    bool timestamp_given; /* else it is when the record is sent */
    int64_t timestamp_us;
};
struct transaction_offset { /* next record to read, of a source on the same cluster */
    const char *topic;
    int32_t partition;
    int64_t next;
};
struct transaction_mark {
    int64_t epoch;  /* -1: the broker knows of none */
    uint64_t nonce; /* of the record that was staged for it */
    bool foreign;   /* some partition asked for has an offset without a mark of ours: others use the group */
    bool undecided; /* who only looks is told so; `ask` else waits for the end, or fails */
};
struct transaction_topic {               /* what is not known is 0: nothing is refused for it */
    int32_t partitions;                  /* 0: there is no such topic */
    int64_t record_max;                  /* bytes of key, value, headers and their frame */
    int64_t record_sure;                 /* as record_max, also where records are compressed: what fits in any case */
    int64_t ahead_max_us, behind_max_us; /* how far a timestamp may be from now */
    bool needs_key;                      /* it is compacted */
};
struct transaction_type {
    const char *name;
    size_t size;
    /* Connect, fence older producers of the query, abort what they left open. */
    enum code (*open)(void *self, const struct transaction_spec *spec, struct error *err) MUST_CHECK;
    /* The last epoch that was committed, read with RequireStable. `marked`: the offsets that a commit would carry. */
    enum code (*ask)(void *self, const struct transaction_offset *marked, int32_t count, struct transaction_mark *out,
                     struct error *err) MUST_CHECK;
    enum code (*begin)(void *self, struct error *err) MUST_CHECK;
    /* What the topic takes; it is made by the broker where it may. Asked anew, now and then, while fewer than `wanted`
     * partitions are known. NULL: all are there, and take everything. */
    enum code (*topic)(void *self, const char *name, int32_t wanted, struct transaction_topic *out, struct error *err)
        MUST_CHECK;
    /* Most bytes of a record: key, value, headers and their frame. NULL: no limit. */
    int64_t (*record_max)(const void *self);
    enum code (*send)(void *self, const struct transaction_message *message, struct error *err) MUST_CHECK;
    /* All that was sent is acknowledged, or the first failure. */
    enum code (*flush)(void *self, struct error *err) MUST_CHECK;
    enum code (*commit)(void *self, const struct transaction_offset *offsets, int32_t count,
                        const struct transaction_mark *mark, struct error *err) MUST_CHECK;
    void (*abort)(void *self); /* also when nothing was begun */
    void (*close)(void *self);
};
extern const struct transaction_type kafka_transaction;
/* The one in use; Kafka's unless a test installed a fake. NULL: back to Kafka's. */
const struct transaction_type *transaction_type(void);
void transaction_install(const struct transaction_type *fake);

/* One that is open, for who sends. */
struct transaction {
    const struct transaction_type *type;
    void *self;
    const char *bootstrap; /* of its cluster */
};
/* Whether two values of kafka.bootstrap.servers name a server in common: then they are one cluster. */
bool transaction_same_cluster(const char *bootstrap, const char *other);
/* The consumer group of the transaction's offsets and mark. */
const char *transaction_group(const struct transaction_spec *spec, struct arena *arena);
/* The option's value, names' case ignored; NULL when it is not there or empty. */
const char *transaction_option(const char *const *names, const char *const *values, int32_t count, const char *name);

#endif

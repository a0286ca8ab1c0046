/* sim_transaction.h - Kafka's transactions in memory, behind struct transaction_type.
 *
 * Producers  one transactional id: open() takes it over, aborts what the one before had open, and fences it
 * Commit     what was sent becomes visible, and the mark is kept, in one step; or neither. When its answer is lost it has
 *            happened, or never will, or happens late: when the broker is spoken to next, before that is answered
 * Expiry     a transaction open for longer than EXPIRES_US is aborted by the broker, and its producer is fenced
 * Readers    see committed messages (read_committed), each once: `visible` is told of them
 * Thread     one at a time
 */
#ifndef SIM_TRANSACTION_H
#define SIM_TRANSACTION_H

#include "sim_os.h"
#include "sink/transaction.h"

struct sim_message {
    char *text; /* topic, key and value */
    int32_t producer;
};
struct sim_transactions {
    struct sim *sim;
    struct sim_chance chance;
    struct sim_message *open; /* sent, not decided */
    int32_t open_count, open_capacity;
    int32_t producer; /* who has the transactional id */
    int64_t begun_us;
    struct transaction_mark mark, late_mark;
    bool late; /* a commit is on its way */
    void (*visible)(void *context, const char *text);
    void *context;
};
void transactions_init(struct sim_transactions *self, struct sim *sim, uint64_t seed);
void transactions_close(struct sim_transactions *self);
void transactions_use(struct sim_transactions *self); /* NULL: Kafka again */

#endif

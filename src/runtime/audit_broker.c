/* audit_broker.c - of a query that writes to Kafka: whether the last transaction that the broker committed is the chain's last
 * epoch.
 *
 *   the broker's mark        then
 *   the head                 all is well
 *   the epoch after it       committed, its record is still staged: the next start takes it in; without a staged record, lost
 *   none                     the group was deleted, or its offsets have expired
 *   undecided                a transaction is open: of the leat at work, or of a dead one, which the next start ends
 *   anything else            the checkpoint and the topics are not of one history
 *
 * The chain was looked at before: beside a leat at work the mark may have gone on since, but never back.
 */
#include "runtime/audit.h"
#include "runtime/epoch_transaction.h"

#include <inttypes.h>

enum { ASK_US = 5 * 1000 * 1000 };

static void ahead_check(struct audit *self, const struct transaction_sight *sight)
{
    int64_t epoch = sight->mark.epoch;
    if (audit_at_work(self))
        return;
    if (epoch == self->report->head + 1 && sight->staged)
        audit_find(self, true, "transaction_unrecorded", epoch, "", "",
                   "committed at %s, and its record is still staged: the next start of leat takes it into the chain",
                   sight->bootstrap);
    else
        audit_find(self, false, "transaction_differs", epoch, "", "",
                   "%s has committed epoch %" PRId64 ", nonce %016" PRIx64 ", and the chain ends with %" PRId64
                   ": the checkpoint is "
                   "older than what was written, or the staged record is gone",
                   sight->bootstrap, epoch, sight->mark.nonce, self->report->head);
}

static void sight_check(struct audit *self, const struct transaction_sight *sight)
{
    const struct chain_record *head = audit_record(self, self->report->head);
    bool had = head != NULL && sight->had; // a head of another place cannot be asked for here
    if (sight->mark.undecided && !audit_at_work(self))
        audit_find(
            self, true, "transaction_open", self->report->head + 1, "", "",
            "a transaction at %s is not decided, and readers with read_committed wait for it: the next start of leat ends "
            "it at once, the broker after transaction.timeout.ms",
            sight->bootstrap);
    if (sight->mark.undecided)
        return;
    if (sight->mark.epoch > self->report->head)
        ahead_check(self, sight);
    else if (sight->mark.epoch < 0 && had)
        audit_find(self, true, "transaction_forgotten", self->report->head, "", "",
                   "the consumer group at %s has forgotten the last epoch: it was deleted, or its offsets have expired",
                   sight->bootstrap);
    else if (had && sight->mark.epoch >= 0 && (sight->mark.epoch < head->epoch || sight->mark.nonce != head->nonce))
        audit_find(self, false, "transaction_differs", self->report->head, "", "",
                   "%s has committed epoch %" PRId64 ", nonce %016" PRIx64 ", last; the chain's last is %" PRId64
                   ", nonce %016" PRIx64,
                   sight->bootstrap, sight->mark.epoch, sight->mark.nonce, head->epoch, head->nonce);
}

void audit_broker(struct audit *self)
{
    struct budget budget = {0};
    struct transaction_sight sight;
    struct error why = {0};
    const struct epoch_transaction_spec spec = {
        .pipeline = self->pipeline,
        .query_id = self->report->query_id,
        .task = "0",
        .timeout_us = ASK_US,
        .budget = &budget,
    };
    enum code code = epoch_transaction_look(&spec, self->chain, self->arena, &sight, &why);
    if (code != E_OK)
        audit_find(self, true, "broker_silent", -1, "", "", "the last transaction could not be asked for: %s",
                   why.text);
    else if (sight.bootstrap != NULL)
        sight_check(self, &sight);
}

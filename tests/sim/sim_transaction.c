#include "sim_transaction.h"

#include <stdio.h>

#define EXPIRES_US ((int64_t)60 * 1000000)

static struct sim_transactions *broker;

struct sim_producer {
    int32_t number;
};

/* ---- at the broker ---- */

void transactions_init(struct sim_transactions *self, struct sim *sim, uint64_t seed)
{
    *self = (struct sim_transactions){.sim = sim, .chance = chance_of(seed, 6), .mark = {.epoch = -1}};
}

static void messages_drop(struct sim_transactions *self)
{
    for (int32_t i = 0; i < self->open_count; i++)
        mem_free(self->open[i].text);
    self->open_count = 0;
}

void transactions_close(struct sim_transactions *self)
{
    messages_drop(self);
    mem_free(self->open);
}

static void commit_now(struct sim_transactions *self, const struct transaction_mark *mark)
{
    sim_note(self->sim, "the broker commits epoch %lld", (long long)mark->epoch);
    for (int32_t i = 0; i < self->open_count; i++)
        self->visible(self->context, self->open[i].text);
    messages_drop(self);
    self->mark = *mark;
    self->begun_us = 0;
}

/* What was on its way arrives, and what is too old is given up, before the broker hears anything else. */
static void catch_up(struct sim_transactions *self)
{
    if (self->late)
        commit_now(self, &self->late_mark);
    self->late = false;
    if (self->begun_us > 0 && sim_now_us(self->sim) - self->begun_us > EXPIRES_US) {
        messages_drop(self);
        self->begun_us = 0;
        self->producer++;
    }
}

static enum code speak(const struct sim_producer *producer, const char *what, bool *done, struct error *err)
{
    enum code code = sim_call_other(SIM_BROKER, what, done, err);
    if (!*done)
        return code;
    catch_up(broker);
    if (producer == NULL || producer->number == broker->producer)
        return code;
    *done = false;
    return code == E_OK ? fail(err, E_FENCED, "another producer has the transactional id") : code;
}

/* ---- struct transaction_type ---- */

static enum code producer_open(void *self_, const struct transaction_spec *spec, struct error *err)
{
    struct sim_producer *self = self_;
    bool done;
    enum code code = speak(NULL, "init of a producer", &done, err);
    if (done && !spec->look) {
        messages_drop(broker);
        broker->begun_us = 0;
        self->number = ++broker->producer;
    }
    return code;
}

static enum code producer_ask(void *self_, const struct transaction_offset *marked, int32_t count,
                              struct transaction_mark *out, struct error *err)
{
    bool done;
    (void)self_, (void)marked, (void)count;
    TRY(speak(NULL, "committed offsets", &done, err));
    *out = broker->mark;
    return E_OK;
}

static enum code producer_begin(void *self_, struct error *err)
{
    const struct sim_producer *self = self_;
    if (self->number != broker->producer)
        return fail(err, E_FENCED, "another producer has the transactional id");
    broker->begun_us = sim_now_us(broker->sim);
    return E_OK;
}

/* Into the client's buffer: that is no call. */
static enum code producer_send(void *self_, const struct transaction_message *message, struct error *err)
{
    const struct sim_producer *self = self_;
    struct text text = {0};
    if (self->number != broker->producer)
        return fail(err, E_FENCED, "another producer has the transactional id");
    text_printf(&text, "topic %s: %.*s %.*s", message->topic, (int)message->key.size, (const char *)message->key.data,
                (int)message->value.size, (const char *)message->value.data);
    mem_grow(broker->open, broker->open_capacity, broker->open_count + 1);
    broker->open[broker->open_count++] = (struct sim_message){text_take(&text), self->number};
    return E_OK;
}

static enum code producer_flush(void *self_, struct error *err)
{
    bool done;
    return speak(self_, "messages", &done, err);
}

static enum code producer_commit(void *self_, const struct transaction_offset *offsets, int32_t count,
                                 const struct transaction_mark *mark, struct error *err)
{
    bool done;
    (void)offsets, (void)count;
    TRY(speak(self_, "offsets of the transaction", &done, err));
    enum code code = speak(self_, "end of the transaction", &done, err);
    if (!done)
        return code;
    int64_t fate = code == E_OK ? 0 : chance_below(&broker->chance, 3);
    if (fate == 0) {
        commit_now(broker, mark);
    } else if (fate == 1) {
        broker->late = true;
        broker->late_mark = *mark;
    }
    return code;
}

static void producer_abort(void *self_)
{
    bool done;
    struct error ignored = {0};
    (void)!speak(self_, "abort of the transaction", &done, &ignored);
    if (!done)
        return;
    messages_drop(broker);
    broker->begun_us = 0;
}

static void producer_close(void *self) { (void)self; }

void transactions_use(struct sim_transactions *self)
{
    static const struct transaction_type type = {
        .name = "simulated",
        .size = sizeof(struct sim_producer),
        .open = producer_open,
        .ask = producer_ask,
        .begin = producer_begin,
        .send = producer_send,
        .flush = producer_flush,
        .commit = producer_commit,
        .abort = producer_abort,
        .close = producer_close,
    };
    broker = self;
    transaction_install(self != NULL ? &type : NULL);
}

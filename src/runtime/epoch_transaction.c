#include "runtime/epoch_transaction.h"

#include <inttypes.h>
#include <strings.h>

#include "base/log.h"
#include "base/os.h"

enum { SERVERS = 0 }; // place of the option in the list given to the transaction

static const char servers_option[] = "kafka.bootstrap.servers";
/* Offsets without a group at work expire after seven days, where nobody shortened it; a staged record is young before that. */
static const int64_t young_us = (int64_t)24 * 3600 * 1000000;

/* ---- whose options ---- */

static const char *option_of(const struct setting *settings, int32_t count, const char *name)
{
    for (int32_t i = 0; i < count; i++)
        if (strcasecmp(settings[i].name, name) == 0 && settings[i].value[0] != '\0')
            return settings[i].value;
    return NULL;
}

static const char *table_option(const struct pipeline_table *table, const char *name)
{
    return option_of(table->properties, table->property_count, name);
}

static bool is_kafka(const struct pipeline_table *table) { return strcasecmp(table->format, "kafka") == 0; }

static bool table_is_on(const struct pipeline_table *table, const char *bootstrap)
{
    const char *servers = is_kafka(table) ? table_option(table, servers_option) : NULL;
    return servers != NULL && transaction_same_cluster(servers, bootstrap);
}

static bool source_is_on(const struct pipeline_source *source, const char *bootstrap)
{
    if (strcasecmp(source->format, "kafka") != 0)
        return false;
    const char *servers = option_of(source->options, source->option_count, servers_option);
    return servers != NULL && transaction_same_cluster(servers, bootstrap);
}

struct options {
    const char **names, **values;
    int32_t count;
};

static enum code options_add(struct options *all, const struct pipeline_table *table, struct error *err)
{
    for (int32_t p = 0; p < table->property_count; p++) {
        const struct setting *option = &table->properties[p];
        if (strncasecmp(option->name, "kafka.", 6) != 0 || option->value[0] == '\0' ||
            strcasecmp(option->name, servers_option) == 0)
            continue;
        const char *given = transaction_option(all->names, all->values, all->count, option->name);
        if (given != NULL && strcmp(given, option->value) != 0)
            return fail(err, E_SPEC,
                        "%s %s: option %s differs from another table's on the same cluster; one transaction "
                        "writes to all of them, so they must be the same",
                        table->is_sink ? "sink" : "table", table->name, option->name);
        if (given != NULL)
            continue;
        all->names[all->count] = option->name;
        all->values[all->count++] = option->value;
    }
    return E_OK;
}

static enum code options_collect(struct epoch_transaction *self, const char *bootstrap, struct options *out,
                                 struct error *err)
{
    const struct pipeline *pipeline = self->pipeline;
    int32_t most = 1;
    for (int32_t t = 0; t < pipeline->table_count; t++)
        most += pipeline->tables[t]->property_count;
    *out = (struct options){arena_array(&self->arena, const char *, (size_t)most),
                            arena_array(&self->arena, const char *, (size_t)most), 1};
    out->names[SERVERS] = servers_option;
    out->values[SERVERS] = bootstrap;
    for (int32_t t = 0; t < pipeline->table_count; t++) {
        const struct pipeline_table *table = pipeline->tables[t];
        if (table_is_on(table, bootstrap))
            TRY(options_add(out, table, err));
        else if (is_kafka(table))
            log_warn(
                "%s is on another Kafka cluster than the query's transaction: it gets each row at least once, with "
                "headers that tell repeated ones",
                table->name);
    }
    return E_OK;
}

/* Where the mark goes when no source's offsets carry it. */
static const char *mark_topic(const struct pipeline *pipeline, const char *bootstrap)
{
    static const char *const options[] = {"leat.mark.topic", "topic"};
    for (size_t o = 0; o < 2; o++)
        for (int32_t t = 0; t < pipeline->table_count; t++)
            if (table_is_on(pipeline->tables[t], bootstrap) && table_option(pipeline->tables[t], options[o]) != NULL)
                return table_option(pipeline->tables[t], options[o]);
    return NULL;
}

static bool some_source_is_on(const struct pipeline *pipeline, const char *bootstrap)
{
    for (int32_t i = 0; i < pipeline->node_count; i++)
        if (pipeline->nodes[i]->kind == PLAN_SOURCE && pipeline->nodes[i]->streaming &&
            source_is_on(pipeline->nodes[i]->source, bootstrap))
            return true;
    return false;
}

static const char *first_bootstrap(const struct pipeline *pipeline)
{
    for (int32_t t = 0; t < pipeline->table_count; t++)
        if (is_kafka(pipeline->tables[t]) && table_option(pipeline->tables[t], servers_option) != NULL)
            return table_option(pipeline->tables[t], servers_option);
    return NULL;
}

/* ---- open and close ---- */

static enum code open_with(struct epoch_transaction *self, const struct epoch_transaction_spec *given,
                           const char *bootstrap, bool look, struct error *err)
{
    struct options options;
    TRY(options_collect(self, bootstrap, &options, err));
    const struct transaction_spec spec = {
        .option_names = options.names,
        .option_values = options.values,
        .option_count = options.count,
        .query_id = given->query_id,
        .task = given->task,
        .mark_topic = mark_topic(self->pipeline, bootstrap),
        .look = look,
        .timeout_us = given->timeout_us,
        .budget = given->budget,
        .stopping = runtime_stopping,
    };
    if (spec.mark_topic == NULL && !some_source_is_on(self->pipeline, bootstrap))
        return fail(err, E_SPEC,
                    "no source reads the cluster %s and no sink names its topic with the option topic: then "
                    "leat.mark.topic must name an existing topic, for the group to keep the last epoch at",
                    bootstrap);
    const struct transaction_type *type = transaction_type();
    self->transaction = (struct transaction){type, mem_zero(type->size), arena_strdup(&self->arena, bootstrap)};
    self->query_id = arena_strdup(&self->arena, given->query_id);
    self->group = transaction_group(&spec, &self->arena);
    self->mark_topic = spec.mark_topic == NULL ? NULL : arena_strdup(&self->arena, spec.mark_topic);
    return type->open(self->transaction.self, &spec, err);
}

enum code epoch_transaction_open(struct epoch_transaction *self, const struct epoch_transaction_spec *spec,
                                 struct error *err)
{
    *self = (struct epoch_transaction){.pipeline = spec->pipeline};
    const char *bootstrap = first_bootstrap(spec->pipeline);
    if (bootstrap == NULL) // no Kafka, or a sink without servers: that it will say itself
        return E_OK;
    enum code code = open_with(self, spec, bootstrap, false, err);
    if (code != E_OK)
        epoch_transaction_close(self);
    return code;
}

void epoch_transaction_close(struct epoch_transaction *self)
{
    if (self->transaction.type != NULL)
        self->transaction.type->close(self->transaction.self);
    mem_free(self->transaction.self);
    arena_free(&self->arena);
    *self = (struct epoch_transaction){0};
}

const struct transaction *epoch_transaction_sender(const struct epoch_transaction *self)
{
    return self->transaction.type == NULL ? NULL : &self->transaction;
}

bool epoch_transaction_shows(const struct epoch_transaction *self, const struct pipeline_source *source)
{
    if (self->transaction.type == NULL || !source_is_on(source, self->transaction.bootstrap))
        return false;
    const char *group = option_of(source->options, source->option_count, "kafka.group.id");
    const char *prefix = option_of(source->options, source->option_count, "groupIdPrefix");
    if (group != NULL)
        return strcmp(group, self->group) == 0;
    if (prefix == NULL)
        return true;
    size_t size = strlen(prefix);
    return strncmp(self->group, prefix, size) == 0 && strncmp(self->group + size, "-leat-", 6) == 0 &&
           strlen(self->group + size) == 6 + 8 && strncmp(self->group + size + 6, self->query_id, 8) == 0;
}

/* ---- offsets ---- */

static const struct pipeline_source *source_of(const struct pipeline *pipeline, const char *name)
{
    for (int32_t i = 0; i < pipeline->source_count; i++)
        if (strcmp(pipeline->sources[i]->name, name) == 0)
            return pipeline->sources[i];
    return NULL;
}

struct offsets {
    struct transaction_offset *items;
    int32_t count, capacity;
};

/* Two sources may read one partition; the group has one offset of it. One source has it once: the first `count` are others'. */
static struct transaction_offset *offsets_find(const struct offsets *offsets, int32_t count,
                                               const struct chain_range *range)
{
    for (int32_t i = 0; i < count; i++)
        if (offsets->items[i].partition == range->partition && strcmp(offsets->items[i].topic, range->topic) == 0)
            return &offsets->items[i];
    return NULL;
}

static void offsets_add(const struct epoch_transaction *self, const struct chain_record *record, struct offsets *out)
{
    int32_t others = out->count;
    for (int32_t i = 0; i < record->range_count; i++) {
        const struct chain_range *range = &record->ranges[i];
        const struct pipeline_source *source = source_of(self->pipeline, range->source);
        if (i > 0 && strcmp(range->source, range[-1].source) != 0)
            others = out->count;
        if (source == NULL || !source_is_on(source, self->transaction.bootstrap))
            continue;
        struct transaction_offset *known = offsets_find(out, others, range);
        if (known != NULL) {
            known->next = range->to < known->next ? range->to : known->next;
            continue;
        }
        mem_grow(out->items, out->capacity, out->count + 1);
        out->items[out->count++] = (struct transaction_offset){range->topic, range->partition, range->to};
    }
}

struct chain_place epoch_transaction_place(const struct epoch_transaction *self, const struct chain_record *record,
                                           struct arena *arena)
{
    struct offsets offsets = {0};
    struct chain_place place = {0};
    if (self->transaction.type == NULL)
        return place;
    offsets_add(self, record, &offsets);
    place = (struct chain_place){self->transaction.bootstrap, self->group,
                                 arena_array(arena, struct chain_marked, (size_t)offsets.count + 1), offsets.count};
    for (int32_t i = 0; i < offsets.count; i++)
        place.marked[i] = (struct chain_marked){offsets.items[i].topic, offsets.items[i].partition};
    if (offsets.count == 0 && self->mark_topic != NULL)
        place.marked[place.marked_count++] = (struct chain_marked){self->mark_topic, 0};
    mem_free(offsets.items);
    return place;
}

/* ---- an epoch ---- */

enum code epoch_transaction_begin(struct epoch_transaction *self, struct error *err)
{
    if (self->transaction.type == NULL || self->begun)
        return E_OK;
    TRY(self->transaction.type->begin(self->transaction.self, err));
    self->begun = true;
    return E_OK;
}

enum code epoch_transaction_commit(struct epoch_transaction *self, const struct chain_record *record, uint64_t nonce,
                                   struct error *err)
{
    struct offsets offsets = {0};
    const struct transaction_mark mark = {.epoch = record->epoch, .nonce = nonce};
    offsets_add(self, record, &offsets);
    self->asked = true;
    enum code code = self->transaction.type->commit(self->transaction.self, offsets.items, offsets.count, &mark, err);
    mem_free(offsets.items);
    TRY(code);
    self->begun = self->asked = false;
    return E_OK;
}

void epoch_transaction_abort(struct epoch_transaction *self)
{
    if (self->transaction.type == NULL || !self->begun || self->asked)
        return;
    self->transaction.type->abort(self->transaction.self);
    self->begun = false;
}

/* ---- recovery ---- */

struct question {
    struct arena arena;
    int64_t head; /* -1: the chain is empty */
    struct chain_record head_record;
    bool had;                    /* the head was committed by a transaction where this one is */
    struct chain_staged *staged; /* of epoch head + 1, told of where this transaction is */
    int32_t staged_count;
    struct chain_place elsewhere; /* of a staged record that was not: only there it can be asked for */
    bool has_elsewhere;
    struct offsets offsets;
};

/* A record that does not say where: as it is now. */
static bool place_is_here(const struct epoch_transaction *self, const struct chain_place *place)
{
    return self->transaction.type != NULL &&
           (place->bootstrap == NULL || (transaction_same_cluster(place->bootstrap, self->transaction.bootstrap) &&
                                         strcmp(place->group, self->group) == 0));
}

static void offsets_add_place(const struct chain_place *place, struct offsets *out)
{
    for (int32_t i = 0; i < place->marked_count; i++) {
        const struct chain_range range = {.topic = place->marked[i].topic, .partition = place->marked[i].partition};
        if (offsets_find(out, out->count, &range) != NULL)
            continue;
        mem_grow(out->items, out->capacity, out->count + 1);
        out->items[out->count++] = (struct transaction_offset){.topic = range.topic, .partition = range.partition};
    }
}

/* Sources may be others now: the record says what was marked, and what would be is asked too. */
static void question_add(const struct epoch_transaction *self, const struct chain_record *record, struct question *out)
{
    if (!place_is_here(self, &record->place))
        return;
    offsets_add(self, record, &out->offsets);
    offsets_add_place(&record->place, &out->offsets);
}

static enum code question_make(const struct epoch_transaction *self, const struct chain *chain, struct question *out,
                               struct error *err)
{
    struct chain_staged *all;
    int32_t count;
    out->head = chain_head(chain);
    if (out->head >= 0)
        TRY(chain_read(chain, out->head, &out->arena, &out->head_record, err));
    out->had = out->head_record.transaction && place_is_here(self, &out->head_record.place);
    question_add(self, &out->head_record, out);
    TRY(chain_staged(chain, &out->arena, &all, &count, err));
    out->staged = all;
    for (int32_t i = 0; i < count; i++) {
        struct chain_record record;
        if (all[i].epoch != out->head + 1)
            continue; // older than the head: it was adopted, or lost against another
        TRY(chain_staged_read(chain, &all[i], &out->arena, &record, err));
        question_add(self, &record, out);
        if (place_is_here(self, &record.place)) {
            out->staged[out->staged_count++] = all[i];
            continue;
        }
        out->elsewhere = record.place;
        out->has_elsewhere = true;
    }
    return E_OK;
}

static enum code adopt(struct chain *chain, const struct question *question, const struct transaction_mark *mark,
                       struct error *err)
{
    for (int32_t i = 0; i < question->staged_count; i++)
        if (question->staged[i].nonce == mark->nonce) {
            log_info("epoch %" PRId64 " was committed at the broker; its record enters the chain", mark->epoch);
            return chain_adopt(chain, &question->staged[i], err);
        }
    return fail(err, E_LOST,
                "the broker has committed epoch %" PRId64 " with nonce %016" PRIx64 ", but its staged record "
                "(chain/.../%016" PRId64 ".%016" PRIx64
                ".staged) is not in the checkpoint any more. Restore it from a backup, or "
                "start over with a new checkpoint and new topics",
                mark->epoch, mark->nonce, mark->epoch, mark->nonce);
}

static bool some_is_old(const struct question *question)
{
    int64_t now_us = os->clock_wall_us();
    for (int32_t i = 0; i < question->staged_count; i++)
        if (now_us - question->staged[i].modified_us > young_us)
            return true;
    return false;
}

/* Asked here, the broker knows nothing of it: that would be taken for "not committed", and its records written again. */
static enum code elsewhere_check(const struct epoch_transaction *self, const struct question *question, bool accept,
                                 struct error *err)
{
    int64_t epoch = question->head + 1;
    if (!question->has_elsewhere)
        return E_OK;
    if (accept) {
        log_warn("given up, as accepted: whether epoch %" PRId64
                 " was committed; it is computed again, so that its records may "
                 "be twice in the topics",
                 epoch);
        return E_OK;
    }
    struct text was = {0}, now = {0};
    if (question->elsewhere.bootstrap != NULL)
        text_printf(&was, "kafka.bootstrap.servers %s, group %s", question->elsewhere.bootstrap,
                    question->elsewhere.group);
    else
        text_printf(&was, "where the sink of format kafka was");
    if (self->transaction.type != NULL)
        text_printf(&now, "kafka.bootstrap.servers %s, group %s", self->transaction.bootstrap, self->group);
    else
        text_printf(&now, "no sink of format kafka");
    fail(err, E_CHANGED,
         "leat stopped while epoch %" PRId64 " was being committed, and only its broker knows whether it was: "
         "%s. The project now has: %s. Put that back for one start, then it may be changed. Or give the epoch up with "
         "`leat run --accept`: it is computed again, and its records may be twice in the topics",
         epoch, was.data, now.data);
    text_free(&was);
    text_free(&now);
    return err->code;
}

/* Only the newest mark is kept: who else commits offsets to the group overwrites it. */
static enum code foreign_check(const struct epoch_transaction *self, const struct question *question,
                               const struct transaction_mark *mark, struct error *err)
{
    if (!mark->foreign)
        return E_OK;
    if (question->staged_count > 0)
        return fail(
            err, E_LOST,
            "whether epoch %" PRId64 " was committed cannot be told: somebody else commits offsets to the "
            "consumer group %s (another query, or a source with the same kafka.group.id), and may have overwritten the "
            "answer. The group must be this query's own: give it another kafka.group.id afterwards. Look whether the "
            "epoch's rows are in the topics (read_committed). If they are, rename the checkpoint's %s to %016" PRId64
            ".json; if not, delete it. Then start again",
            question->head + 1, self->group, question->staged[0].path, question->head + 1);
    log_warn(
        "somebody else commits offsets to the consumer group %s: it must be this query's own, or a crash may leave leat "
        "unable to tell what was committed. Set another kafka.group.id",
        self->group);
    return E_OK;
}

/* The group knows nothing: was nothing committed, or was it forgotten? */
static enum code no_mark(const struct question *question, const struct transaction_mark *mark, struct error *err)
{
    bool had = question->had;
    if (question->staged_count > 0 && (had || some_is_old(question)))
        return fail(
            err, E_LOST,
            "whether epoch %" PRId64 " was committed cannot be told: the consumer group that would say so was "
            "deleted, or its offsets have expired. Look whether the epoch's rows are in the topics (read_committed). If "
            "they are, rename the checkpoint's %s to %016" PRId64 ".json; if not, delete it. Then start again",
            question->head + 1, question->staged[0].path, question->head + 1);
    if (had && !mark->foreign)
        log_warn("the consumer group has forgotten the last epoch, %" PRId64
                 " (deleted, or its offsets have expired); nothing is "
                 "open, so it goes on",
                 question->head);
    return E_OK;
}

static enum code decide(struct epoch_transaction *self, struct chain *chain, const struct question *question,
                        bool accept, struct error *err)
{
    struct transaction_mark asked = {.epoch = -1};
    const struct transaction_mark *mark = &asked;
    if (self->transaction.type != NULL)
        TRY(self->transaction.type->ask(self->transaction.self, question->offsets.items, question->offsets.count,
                                        &asked, err));
    if (mark->epoch == question->head + 1)
        return adopt(chain, question, mark, err);
    TRY(elsewhere_check(self, question, accept, err));
    TRY(foreign_check(self, question, mark, err));
    if (mark->epoch < 0)
        return no_mark(question, mark, err);
    bool had = question->had;
    if (mark->epoch == question->head && (!had || mark->nonce == question->head_record.nonce))
        return E_OK;
    if (mark->epoch < question->head && !had)
        return E_OK; // a Kafka sink came back after epochs without one
    return fail(err, E_LOST,
                "the broker says that epoch %" PRId64 " (nonce %016" PRIx64 ") was the last to be committed, the "
                "checkpoint ends with epoch %" PRId64
                ": it was restored from an older backup, or the group's offsets were set "
                "by hand. Restore the newest checkpoint, or start over with a new one and new topics",
                mark->epoch, mark->nonce, question->head);
}

static enum code lost_or_overtaken(const struct chain *chain, struct error *err)
{
    struct error overtaken = {0};
    if (chain_overtaken(chain, &overtaken) != E_OK)
        *err = overtaken;
    return err->code;
}

enum code epoch_transaction_settle(struct epoch_transaction *self, struct chain *chain, bool accept, struct error *err)
{
    struct question question = {0};
    TRY(chain_overtaken(
        chain, err)); // whoever was before us is fenced now: what it has done, the chain or a staged record says
    enum code code = question_make(self, chain, &question, err);
    bool empty =
        question.head < 0 && question.staged_count == 0 && !question.has_elsewhere; // nothing can have been committed
    if (code == E_OK && !empty)
        code = decide(self, chain, &question, accept, err);
    if (code == E_LOST) // what is missing may be what another process has used meanwhile
        code = lost_or_overtaken(chain, err);
    if (code == E_OK)
        code = chain_unstage(chain, question.staged, question.staged_count, err);
    mem_free(question.offsets.items);
    arena_free(&question.arena);
    return code;
}

/* ---- looking ---- */

static bool is_staged(const struct question *question, uint64_t nonce)
{
    bool staged = false;
    for (int32_t i = 0; i < question->staged_count; i++)
        staged |= question->staged[i].nonce == nonce;
    return staged;
}

enum code epoch_transaction_look(const struct epoch_transaction_spec *spec, struct chain *chain, struct arena *arena,
                                 struct transaction_sight *out, struct error *err)
{
    struct epoch_transaction self = {.pipeline = spec->pipeline};
    struct question question = {0};
    const char *bootstrap = first_bootstrap(spec->pipeline);
    *out = (struct transaction_sight){.mark.epoch = -1};
    if (bootstrap == NULL)
        return E_OK;
    out->bootstrap = arena_strdup(arena, bootstrap);
    enum code code = open_with(&self, spec, bootstrap, true, err);
    if (code == E_OK)
        code = question_make(&self, chain, &question, err);
    if (code == E_OK)
        code = self.transaction.type->ask(self.transaction.self, question.offsets.items, question.offsets.count,
                                          &out->mark, err);
    out->had = question.had;
    out->staged = code == E_OK && is_staged(&question, out->mark.nonce);
    mem_free(question.offsets.items);
    arena_free(&question.arena);
    epoch_transaction_close(&self);
    return code;
}

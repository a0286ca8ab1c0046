/* inspect.c - read what a checkpoint remembers, without running anything: offsets, watermarks, the entries of each operator.
 *
 * Everything is read at one head record. A leat at work goes on meanwhile, and keeps what two wholes of every shard need
 * (state_log.h), so that its files are there for many epochs; when one is gone all the same, the caller starts again.
 */
#include <inttypes.h>
#include <strings.h>

#include "runtime/change.h"
#include "runtime/engine.h"
#include "runtime/state_history.h"

struct inspection {
    const struct pipeline *pipeline;
    const struct state_reader *reader;
    const struct pipeline_table *table; /* NULL: all */
    struct arena arena;
    struct run_settings settings;
    struct budget budget;
    struct store *store;
    struct chain *chain;
    struct graph *graph;
    struct chain_record head;
};

/* ---- what the head record says ---- */

static enum code summarize(struct inspection *self, struct error *err)
{
    const struct chain_record *head = &self->head;
    struct state_offset *offsets = arena_array(&self->arena, struct state_offset, (size_t)head->range_count);
    struct state_watermark *watermarks =
        arena_array(&self->arena, struct state_watermark, (size_t)head->watermark_count);
    for (int32_t i = 0; i < head->range_count; i++)
        offsets[i] = (struct state_offset){head->ranges[i].source, head->ranges[i].topic, head->ranges[i].partition,
                                           head->ranges[i].to};
    for (int32_t i = 0; i < head->watermark_count; i++)
        watermarks[i] = (struct state_watermark){head->watermarks[i].name, head->watermarks[i].at_us};
    const struct state_summary summary = {
        .checkpoint = store_root(self->store),
        .pipeline = chain_pipeline(self->chain),
        .epoch = head->epoch,
        .batch_time_us = head->batch_time_us,
        .offsets = offsets,
        .offset_count = head->range_count,
        .watermarks = watermarks,
        .watermark_count = head->watermark_count,
    };
    return self->reader->summary(self->reader->context, &summary, err);
}

static int64_t emitted_us(const struct chain_record *head, const struct chain_state *state)
{
    bool known = state != NULL && state->group >= 0 && state->group < head->group_count;
    return known ? head->groups[state->group].emit_us : 0;
}

/* ---- an operator's entries ---- */

struct showing {
    const struct inspection *self;
    const struct state_operator *about;
};

static enum code show_batch(void *context, struct batch *out, struct error *err)
{
    const struct showing *showing = context;
    const struct state_reader *reader = showing->self->reader;
    return reader->entries(reader->context, showing->about, out, err);
}

static enum code shard_show(const struct inspection *self, struct stateful *stage, int32_t shard,
                            struct state_operator *about, struct error *err)
{
    struct showing showing = {self, about};
    const struct emit emit = {show_batch, &showing};
    about->entries += stage->type->shard_entries(stage, shard);
    about->bytes += (int64_t)stage->type->shard_bytes(stage, shard);
    return stage->type->shard_show(stage, shard, &emit, err);
}

static enum code shards_show(const struct inspection *self, const struct state_history *history, struct stateful *stage,
                             struct state_operator *about, struct error *err)
{
    bool by_shard = state_history_by_shard(history, stage);
    if (!by_shard)
        TRY(state_history_load_all(history, stage, err));
    for (int32_t shard = 0; shard < stage->shards; shard++) {
        if (by_shard)
            TRY(state_history_load(history, stage, shard, err));
        TRY(shard_show(self, stage, shard, about, err));
        stage->type->shard_spill(stage, shard);
    }
    return E_OK;
}

static enum code operator_show(struct inspection *self, int32_t stateful, struct error *err)
{
    const struct plan *plan = graph_stateful_plan(self->graph, stateful);
    struct stateful *stage = graph_stateful(self->graph, stateful);
    struct state_operator about = {
        .name = graph_stateful_name(self->graph, stateful),
        .identity = plan->identity,
        .schema = stage->type->shown(stage, &self->arena),
        .watermark_us = emitted_us(&self->head, chain_state_of(&self->head, plan)),
    };
    struct state_history history;
    TRY(state_history_read(self->chain, self->store, plan, &history, err));
    enum code code = shards_show(self, &history, stage, &about, err);
    state_history_free(&history);
    TRY(code);
    return self->reader->done(self->reader->context, &about, err);
}

static bool concerns(const struct inspection *self, const struct plan *plan)
{
    if (self->table == NULL)
        return true;
    int64_t *paths = mem_array(int64_t, (size_t)self->pipeline->node_count);
    ledger_paths(self->pipeline, self->table, paths);
    bool above = paths[plan->id] > 0;
    mem_free(paths);
    return above;
}

/* States of the record that no node of the project takes up. */
static enum code unclaimed_show(struct inspection *self, struct error *err)
{
    for (int32_t i = 0; i < self->head.state_count; i++) {
        const struct chain_state *state = &self->head.states[i];
        bool claimed = false;
        for (int32_t s = 0; s < graph_stateful_count(self->graph); s++)
            claimed |= chain_state_of(&self->head, graph_stateful_plan(self->graph, s)) == state;
        const struct state_operator about = {
            .name = state->name, .identity = state->identity, .watermark_us = emitted_us(&self->head, state)};
        if (!claimed)
            TRY(self->reader->done(self->reader->context, &about, err));
    }
    return E_OK;
}

/* ---- all of it ---- */

static enum code table_choose(struct inspection *self, const char *name, struct error *err)
{
    if (name == NULL)
        return E_OK;
    const char **names = arena_array(&self->arena, const char *, (size_t)self->pipeline->table_count);
    for (int32_t i = 0; i < self->pipeline->table_count; i++) {
        names[i] = self->pipeline->tables[i]->name;
        if (strcasecmp(names[i], name) == 0)
            self->table = self->pipeline->tables[i];
    }
    const char *near = self->table != NULL ? NULL : nearest_word(name, names, (size_t)self->pipeline->table_count);
    if (self->table == NULL)
        return fail(err, E_USAGE, "the project has no table %s%s%s%s", name, near != NULL ? "; did you mean " : "",
                    near != NULL ? near : "", near != NULL ? "?" : "");
    return E_OK;
}

static enum code chain_open_head(struct inspection *self, struct error *err)
{
    TRY(settings_read(&self->arena, self->pipeline, &self->settings, err));
    TRY(store_look(self->settings.checkpoint, &self->store, err));
    TRY(chain_look(self->store, "0", &self->chain, err));
    if (chain_head(self->chain) < 0)
        return fail(err, E_ABSENT, "no epoch was committed yet");
    return chain_read(self->chain, chain_head(self->chain), &self->arena, &self->head, err);
}

static enum code operators_show(struct inspection *self, const struct session *session, struct error *err)
{
    const struct graph_spec spec = {
        .pipeline = self->pipeline, .session = session, .budget = &self->budget, .lanes = 1, .shards = STATE_SHARDS};
    TRY(graph_open(&spec, &self->graph, err));
    for (int32_t s = 0; s < graph_stateful_count(self->graph); s++)
        if (concerns(self, graph_stateful_plan(self->graph, s)))
            TRY(operator_show(self, s, err));
    return self->table == NULL ? unclaimed_show(self, err) : E_OK;
}

enum code pipeline_state(const struct pipeline *pipeline, const struct session *session, const char *table,
                         const struct state_reader *reader, bool *again, struct error *err)
{
    struct inspection self = {.pipeline = pipeline, .reader = reader};
    *again = false;
    enum code code = table_choose(&self, table, err);
    if (code == E_OK) {
        code = chain_open_head(&self, err);
        if (code == E_ABSENT)
            error_note(err, "%s holds nothing to show", self.settings.checkpoint);
    }
    if (code == E_OK)
        code = summarize(&self, err);
    if (code == E_OK) {
        code = operators_show(&self, session, err);
        *again = code == E_ABSENT;
    }
    graph_close(self.graph);
    chain_close(self.chain);
    store_close(self.store);
    arena_free(&self.arena);
    return code;
}

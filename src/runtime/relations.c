#include "runtime/relations.h"

#include "base/hash.h"
#include "base/log.h"
#include "base/os.h"

enum { READ_TRIES = 5, READ_WAIT_US = 100 * 1000 };

enum code relations_open(struct relations *self, const struct pipeline *pipeline, const struct run_settings *settings,
                         struct budget *budget, struct error *err)
{
    *self = (struct relations){.pipeline = pipeline, .settings = settings, .budget = budget};
    self->nodes = mem_array(const struct plan *, (size_t)pipeline->node_count);
    self->signatures = mem_array(uint64_t, (size_t)pipeline->node_count);
    self->waits = mem_array(struct view_wait, (size_t)pipeline->table_count);
    for (int32_t i = 0; i < pipeline->node_count; i++) {
        const struct plan *node = pipeline->nodes[i];
        if (node->kind != PLAN_SOURCE || node->streaming)
            continue;
        const struct source_type *type = source_find(node->source->format);
        if (type == NULL || !type->ends)
            return fail(err, E_UNSUPPORTED, "source %s: format %s can only be read as a stream", node->source->name,
                        node->source->format);
        self->nodes[self->count++] = node;
    }
    return E_OK;
}

void relations_close(struct relations *self)
{
    mem_free(self->nodes);
    mem_free(self->signatures);
    mem_free(self->waits);
    *self = (struct relations){0};
}

/* ---- one source ---- */

/* A new instance each time: one that lives on would only look for what was added. */
static enum code source_list(const struct relations *self, int32_t i, struct feed *feed, struct error *err)
{
    const struct feed_spec spec = {
        .pipeline = self->pipeline,
        .node = self->nodes[i],
        .settings = self->settings,
        .query_id = "",
        .budget = self->budget,
    };
    TRY(feed_open(feed, &spec, err));
    feed->rows_max = 0;
    return feed_discover(feed, err);
}

static uint64_t signature_of(const struct source_ranges *ranges)
{
    uint64_t sum = 1; // 0 is "never read"
    for (int32_t i = 0; i < ranges->count; i++) {
        const struct source_range *range = &ranges->items[i];
        sum = XXH64(range->topic, strlen(range->topic), sum);
        sum = XXH64(range->topic_id, strlen(range->topic_id), sum);
        sum = XXH64(&range->latest, sizeof range->latest, sum);
    }
    return sum;
}

/* ---- all of them ---- */

static enum code look(const struct relations *self, uint64_t *signatures, struct error *err)
{
    for (int32_t i = 0; i < self->count; i++) {
        struct feed feed = {0};
        enum code code = source_list(self, i, &feed, err);
        signatures[i] = code == E_OK ? signature_of(&feed.ranges) : 0;
        feed_close(&feed);
        TRY(code);
    }
    return E_OK;
}

/* What changes while it is read is seen by the next look. */
static enum code read_all(struct relations *self, struct graph *graph, struct still_views *views, struct error *err)
{
    TRY(look(self, self->signatures, err));
    return graph_still_compute(graph, views, err);
}

static enum code read_settled(struct relations *self, struct graph *graph, bool write_views, struct still_views *views,
                              struct error *err)
{
    enum code code = E_LOST;
    for (int attempt = 0; code == E_LOST && attempt < READ_TRIES; attempt++) {
        if (attempt > 0) {
            log_info("%s; listing it again", err->text); // it was replaced while it was being read
            error_clear(err);
            os->sleep_us(READ_WAIT_US);
        }
        *views = (struct still_views){.write = write_views, .waits = self->once ? NULL : self->waits};
        code = read_all(self, graph, views, err);
    }
    return code;
}

/* ---- materialized views ---- */

static bool has_views(const struct pipeline *pipeline)
{
    for (int32_t t = 0; t < pipeline->table_count; t++)
        if (pipeline->tables[t]->materialized)
            return true;
    return false;
}

/* Of the queries and of all that they read. */
static uint64_t views_sign(const struct relations *self, const uint64_t *signatures)
{
    if (!has_views(self->pipeline))
        return 0;
    uint64_t sum = XXH64(signatures, (size_t)self->count * sizeof *signatures, self->pipeline->text_sum);
    return sum != 0 ? sum : 1;
}

/* ---- when ---- */

uint64_t relations_views(const struct relations *self) { return self->failure.code == E_OK ? self->views : 0; }

enum code relations_verdict(const struct relations *self, struct error *err)
{
    if (self->failure.code == E_OK)
        return E_OK;
    *err = self->failure;
    return err->code;
}

static enum code compute(struct relations *self, struct graph *graph, bool write_views, struct error *err)
{
    struct still_views written;
    self->computed = false;
    TRY(read_settled(self, graph, write_views, &written, err));
    uint64_t views = views_sign(self, self->signatures);
    self->computed = true;
    if (write_views) {
        self->views = views;
        self->views_us = os->clock_mono_us();
        if (written.failed > 0 || written.left_out == 0)
            self->failure = written.failure;
    }
    self->renewed = written.written > 0;
    return E_OK;
}

/* Not again so soon: a view is computed whole. What was put off is seen by its signature, epoch for epoch. */
static bool views_due(const struct relations *self)
{
    int64_t interval_us = self->settings->views_interval_us;
    return interval_us == 0 || self->once || self->views_us == 0 || os->clock_mono_us() - self->views_us >= interval_us;
}

static bool wait_is_over(const struct relations *self)
{
    int64_t now_us = os->clock_mono_us();
    for (int32_t t = 0; t < self->pipeline->table_count; t++)
        if (view_wait_over(&self->waits[t], now_us))
            return true;
    return false;
}

enum code relations_refresh(struct relations *self, struct graph *graph, struct error *err)
{
    self->renewed = false;
    if (!graph_has_still(graph))
        return E_OK;
    uint64_t *now = mem_array(uint64_t, (size_t)self->count);
    enum code code = look(self, now, err);
    bool changed = !self->computed || memcmp(now, self->signatures, (size_t)self->count * sizeof *now) != 0;
    bool write_views = code == E_OK && (views_sign(self, now) != self->views || wait_is_over(self)) && views_due(self);
    mem_free(now);
    TRY(code);
    return changed || write_views ? compute(self, graph, write_views, err) : E_OK;
}

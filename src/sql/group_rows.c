/* group_rows.c - the AGGREGATE node, for GROUP BY and DISTINCT, and what Spark asks of one over a stream. */
#include "sql/select.h"

/* ---- over a stream ---- */

/* The group keys that carry event time: how many, and one of them. */
static int32_t timed_keys(const struct plan *node, int32_t *key)
{
    int32_t count = 0;
    for (int32_t i = 0; i < node->aggregate.key_count; i++)
        if (plan_event_time(node, i)) {
            *key = i;
            count++;
        }
    return count;
}

static const char *untimed_hint(struct analyser *self, struct plan *input)
{
    struct plan_list below;
    bool table = false;
    if (plan_watermarked(self->arena, input))
        return "group by window(time, '1 minute') of the watermark's column, or by that column "
               "itself: a cast, a sum, a field of a window are no event time";
    plan_collect_query(self->arena, input, &below);
    for (int32_t i = 0; i < below.count; i++)
        table = table || below.nodes[i]->kind == PLAN_TABLE;
    return table ? "put WATERMARK time DELAY OF INTERVAL 5 MINUTES behind the stream: that of the "
                   "table's own query ends there; group by window(time, '1 minute')"
                 : "put WATERMARK time DELAY OF INTERVAL 5 MINUTES behind the stream and group by "
                   "window(time, '1 minute')";
}

static enum code untimed(struct analyser *self, struct plan *input, struct position at)
{
    return sql_error(self, at, untimed_hint(self, input),
                     "[STREAMING_OUTPUT_MODE.UNSUPPORTED_OPERATION] Invalid streaming output mode: append. "
                     "This output mode is not supported for streaming aggregations without watermark: a group "
                     "would never be complete.");
}

/* A streaming group ends when the watermark passes the one key that tells its time. */
static enum code check_streaming(struct analyser *self, struct plan *node)
{
    struct plan_aggregate *aggregate = &node->aggregate;
    int32_t key = -1;
    if (!node->streaming)
        return E_OK;
    int32_t count = timed_keys(node, &key);
    if (count == 0)
        return untimed(self, node->inputs[0], node->at);
    if (count > 1)
        return sql_error(self, node->at, "keep one: the others can be taken with max(..) or min(..)",
                         "[STREAM_FAILED] More than one event time columns are available. Please ensure there "
                         "is at most one event time column per stream.");
    if (aggregate->window.key >= 0 && key != aggregate->window.key)
        return not_yet(self, node->at, "a window over another time beside the event time");
    if (aggregate->window.gap != NULL && aggregate->key_count == 1)
        return sql_error(self, node->at, "group by a key too: session_window(..), user",
                         "[STREAM_FAILED] Global aggregation with session window in "
                         "streaming query is not supported.");
    aggregate->watermark_key = key == aggregate->window.key ? -1 : key;
    return E_OK;
}

static void warn_distinct(struct analyser *self, const struct plan *node)
{
    for (int32_t i = 0; node->streaming && i < node->aggregate.call_count; i++)
        if (node->aggregate.calls[i]->distinct)
            notes_warn(self->notes, node->aggregate.calls[i]->at,
                       "Spark refuses DISTINCT inside aggregates of a stream: "
                       "approx_count_distinct(..) runs on both");
}

/* ---- the node ---- */

/* Grouping by sessions merges those that touch: each counts from its start, and is as long as it is. */
static enum code session_of_sessions(struct analyser *self, const struct expr *session, struct plan_window *window)
{
    const struct expr *bounds[2];
    TRY(placed(self, expr_field(&self->expr, session, "end", session->at, &bounds[0], self->err), session->at));
    TRY(placed(self, expr_field(&self->expr, session, "start", session->at, &bounds[1], self->err), session->at));
    window->time = bounds[1];
    return placed(self, expr_call(&self->expr, "-", bounds, 2, session->at, &window->gap, self->err), session->at);
}

static enum code find_session(struct analyser *self, const struct plan *input, const struct expr *const *keys,
                              int32_t count, struct plan_window *window)
{
    for (int32_t i = 0; i < count; i++) {
        bool session =
            keys[i]->kind == EXPR_COLUMN && keys[i]->index < COLUMN_MARK && plan_is_session(input, keys[i]->index);
        if (!session)
            continue;
        if (window->key >= 0)
            return not_yet(self, keys[i]->at, "a session beside another window among the keys");
        window->key = i;
        TRY(session_of_sessions(self, keys[i], window));
    }
    return E_OK;
}

/* Maps with equal entries are one key, whatever their order. */
static enum code group_key(struct analyser *self, const struct expr *key, const struct expr **out)
{
    *out = key;
    if (!type_holds_map(key->type))
        return E_OK;
    return placed(self, expr_call(&self->expr, "map:sorted", &key, 1, key->at, out, self->err), key->at);
}

enum code group_rows(struct analyser *self, struct plan *input, const struct group *group, struct position at,
                     struct plan **out)
{
    if (!input->streaming && group->window.key >= 0)
        return group_by_windows(self, input, group, at, out);
    struct plan *node = plan_over(self->arena, PLAN_AGGREGATE, input, group->schema, at);
    struct plan_aggregate *aggregate = &node->aggregate;
    const struct expr **keys = arena_array(self->arena, const struct expr *, (size_t)group->key_count);
    *aggregate = (struct plan_aggregate){.keys = keys,
                                         .key_count = group->key_count,
                                         .calls = group->calls,
                                         .call_count = group->call_count,
                                         .window = group->window,
                                         .watermark_key = -1};
    if (!self->batch)
        TRY(find_session(self, input, group->keys, group->key_count, &aggregate->window));
    for (int32_t i = 0; i < group->key_count; i++)
        if (i != aggregate->window.key)
            TRY(group_key(self, group->keys[i], &keys[i]));
    warn_distinct(self, node);
    *out = node;
    return check_streaming(self, node);
}

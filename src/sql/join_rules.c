/* join_rules.c - which joins of streams have a result, by Spark's rules, and what to write instead. */
#include "sql/join.h"

/* Spark gives these messages no condition of their own. */
#define UNNAMED "[_LEGACY_ERROR_TEMP_3102] "

static const char *spark_name(enum join_kind kind)
{
    static const char *const names[] = {"Inner",     "Cross",    "LeftOuter", "RightOuter",
                                        "FullOuter", "LeftSemi", "LeftAnti"};
    return names[kind];
}

/* One side is a stream, the other stands still: rows of the still side cannot wait for the stream's end. */
static enum code check_still(struct analyser *self, const struct plan *node)
{
    enum join_kind kind = node->join.kind;
    bool left = node->inputs[0]->streaming;
    const char *hint = left ? "only the stream's rows can be kept: LEFT JOIN" : "put the stream on the left";
    switch (kind) {
    case JOIN_INNER:
    case JOIN_CROSS: return E_OK;
    case JOIN_FULL:
        return sql_error(self, node->at, left ? hint : "only the stream's rows can be kept: RIGHT JOIN",
                         UNNAMED "FullOuter joins with streaming DataFrames/Datasets on the %s and a static "
                                 "DataFrame/Dataset on the %s is not supported.",
                         left ? "left" : "right", left ? "right" : "left");
    case JOIN_RIGHT:
        if (!left)
            return E_OK;
        return sql_error(self, node->at, hint,
                         UNNAMED "RightOuter join with a streaming DataFrame/Dataset on the left and a static "
                                 "DataFrame/DataSet on the right not supported.");
    case JOIN_ANTI:
        if (left)
            return E_OK;
        return sql_error(self, node->at, hint,
                         UNNAMED "LeftAnti joins with a streaming DataFrame/Dataset on the right are not supported.");
    case JOIN_LEFT:
    case JOIN_SEMI: break;
    }
    if (left)
        return E_OK;
    return sql_error(self, node->at, kind == JOIN_LEFT ? "RIGHT JOIN keeps the stream's rows" : hint,
                     UNNAMED "%s join with a streaming DataFrame/Dataset on the right and a static DataFrame/Dataset "
                             "on the left is not supported.",
                     spark_name(kind));
}

static enum code refuse_unbounded(struct analyser *self, const struct plan *node, const char *hint)
{
    return sql_error(self, node->at, hint,
                     UNNAMED "Stream-stream %s join between two streaming DataFrame/Datasets is not supported without "
                             "a watermark in the join keys, or a watermark on the nullable side and an appropriate "
                             "range condition: it would never be known that no match comes.",
                     spark_name(node->join.kind));
}

/* The rows of these sides wait for matches until the watermark says that none comes. */
static enum code check_waiting(struct analyser *self, const struct plan *node)
{
    const struct plan_join *join = &node->join;
    const struct plan_join_side *sides = join->sides;
    static const char *const no_watermark[] = {
        "put WATERMARK time DELAY OF INTERVAL .. behind the left stream too: its rows wait for matches",
        "put WATERMARK time DELAY OF INTERVAL .. behind the right stream too: its rows wait for matches"};
    bool waits[2] = {join->kind != JOIN_RIGHT, join->kind == JOIN_RIGHT || join->kind == JOIN_FULL};
    if (join->time_key >= 0)
        return E_OK;
    if (sides[0].time_column < 0 && sides[1].time_column < 0)
        return refuse_unbounded(self, node,
                                "put WATERMARK time DELAY OF INTERVAL .. behind both streams and bound the time in ON");
    for (int side = 0; side < 2; side++)
        if (sides[side].time_column < 0)
            return refuse_unbounded(self, node, no_watermark[side]);
    if ((waits[0] && sides[0].bounded) || (waits[1] && sides[1].bounded))
        return E_OK;
    return refuse_unbounded(self, node,
                            waits[0] ? "bound the time in ON: left.time >= right.time - INTERVAL .. (as such: not a "
                                       "difference of times)"
                                     : "bound the time in ON: right.time >= left.time - INTERVAL .. (as such: not a "
                                       "difference of times)");
}

static void warn_growing(struct analyser *self, const struct plan *node)
{
    const struct plan_join *join = &node->join;
    bool left = !join->sides[0].bounded, right = !join->sides[1].bounded;
    if (join->time_key >= 0 || (!left && !right))
        return;
    notes_warn(self->notes, node->at,
               "the %s keeps every row of its %s for ever: with watermarks on both sides and the time bounded in ON "
               "(%s.time >= %s.time - INTERVAL ..) old ones go",
               join_kind_text(join->kind),
               left && right ? "two sides"
               : left        ? "left side"
                             : "right side",
               left ? "left" : "right", left ? "right" : "left");
}

static enum code check_streams(struct analyser *self, const struct plan *node)
{
    const struct plan_join *join = &node->join;
    if (join->kind == JOIN_ANTI)
        return sql_error(self, node->at, "LEFT JOIN with the time bounded in ON, and WHERE right.key IS NULL above it",
                         UNNAMED "LeftAnti joins with a streaming DataFrame/Dataset on the right are not supported.");
    if (join->kind != JOIN_INNER && join->kind != JOIN_CROSS)
        TRY(check_waiting(self, node));
    if (join->key_count == 0)
        return sql_error(self, node->at, "name equal columns: ON left.key = right.key AND ..",
                         "[_LEGACY_ERROR_TEMP_1181] Stream-stream join without equality predicate is not supported.");
    warn_growing(self, node);
    return E_OK;
}

enum code join_check_rules(struct analyser *self, const struct plan *node)
{
    bool left = node->inputs[0]->streaming, right = node->inputs[1]->streaming;
    if (node->unsupported != NULL || (!left && !right))
        return E_OK;
    return left && right ? check_streams(self, node) : check_still(self, node);
}

/* ---- after pruning ---- */

/* Which of two times makes a row late? Spark gives up on this at run time, once columns that nobody reads are gone. */
static enum code check_times(struct analyser *self, const struct plan *node, const struct plan *input)
{
    struct text names = {0};
    if (plan_time_column(input) != -2)
        return E_OK;
    for (int32_t i = 0; i < input->schema->field_count; i++)
        if (plan_event_time(input, i))
            text_printf(&names, "%s%s", names.size > 0 ? ", " : "", input->schema->fields[i].name);
    enum code code = sql_error(
        self, node->at, "keep one time, and of the other its value only: at + INTERVAL 0 SECONDS AS other_at",
        "[_LEGACY_ERROR_TEMP_3077] More than one event time columns are available. Please ensure there is at most "
        "one event time column per stream. event time columns: (%s)",
        names.data);
    text_free(&names);
    return code;
}

enum code joins_check_times(struct analyser *self, struct plan *const *nodes, int32_t count)
{
    for (int32_t i = 0; i < count; i++)
        for (int side = 0; side < 2 && nodes[i]->kind == PLAN_JOIN && plan_keeps_state(nodes[i]); side++)
            TRY(check_times(self, nodes[i], nodes[i]->inputs[side]));
    return E_OK;
}

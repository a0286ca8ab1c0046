#include "runtime/replay_route.h"

#include <inttypes.h>
#include <stdio.h>

#include "runtime/plan_stage.h"
#include "runtime/rejection.h"

const struct plan *plan_find(const struct pipeline *pipeline, struct bytes stamp)
{
    char text[REJECTION_NODE_TEXT];
    for (int32_t i = 0; i < pipeline->node_count; i++) {
        snprintf(text, sizeof text, "%016" PRIx64, pipeline->nodes[i]->stamp);
        if (bytes_equal_string(stamp, text))
            return pipeline->nodes[i];
    }
    return NULL;
}

static bool makes_other_rows(const struct plan *plan)
{
    return plan_is_stateful(plan) && plan->kind != PLAN_DEDUPLICATE;
}

static bool is_reached(const struct plan *node, const struct replay_route *route)
{
    bool reached = false;
    for (int32_t j = 0; j < node->input_count; j++)
        reached |= route->passed[plan_input(node, j)->id];
    return reached;
}

/* Everything above the gates that a record can come through as itself. A gate behind another one is none: what stands
 * between the two is no way from a source. */
static void way_find(const struct pipeline *pipeline, struct replay_route *out)
{
    for (int32_t i = pipeline->node_count - 1; i >= 0; i--) {
        const struct plan *plan = pipeline->nodes[i];
        for (int32_t j = 0; (out->passed[i] || out->gate[i]) && j < plan->input_count; j++)
            if (plan_input(plan, j)->streaming && !out->gate[plan_input(plan, j)->id] &&
                !makes_other_rows(plan_input(plan, j)))
                out->passed[plan_input(plan, j)->id] = true;
    }
    for (int32_t i = 0; i < pipeline->node_count; i++) {
        out->passed[i] &= pipeline->nodes[i]->kind == PLAN_SOURCE || is_reached(pipeline->nodes[i], out);
        out->gate[i] &= is_reached(pipeline->nodes[i], out);
        out->gate_count += out->gate[i];
    }
}

static bool is_lost(const struct pipeline_table *table, const struct bytes *tables, int32_t count)
{
    for (int32_t i = 0; i < count; i++)
        if (bytes_equal_string(tables[i], table->name))
            return true;
    return false;
}

/* ---- the node is gone ---- */

/* The nodes that rows of the lost tables go through. */
static int32_t lost_reach(const struct pipeline *pipeline, const struct bytes *tables, int32_t count, bool lost,
                          bool *reach)
{
    bool *one = mem_array(bool, (size_t)pipeline->node_count);
    int32_t found = 0;
    for (int32_t t = 0; t < pipeline->table_count; t++) {
        if (is_lost(pipeline->tables[t], tables, count) != lost)
            continue;
        found++;
        plan_reach(pipeline, pipeline->tables[t], one);
        for (int32_t i = 0; i < pipeline->node_count; i++)
            reach[i] |= one[i];
    }
    mem_free(one);
    return found;
}

static bool ends_in(const struct pipeline *pipeline, const struct plan *plan, const struct bytes *tables, int32_t count)
{
    for (int32_t t = 0; t < pipeline->table_count; t++)
        for (int32_t f = 0; is_lost(pipeline->tables[t], tables, count) && f < pipeline->tables[t]->flow_count; f++)
            if (pipeline->tables[t]->flows[f] == plan)
                return true;
    return false;
}

/* Below a stage with state rows have no record any more: the first of them, or the end, is where one arrives. */
static enum code gates_of_tables(const struct pipeline *pipeline, const struct bytes *tables, int32_t count,
                                 struct replay_route *out, struct error *err)
{
    bool *lost = mem_array(bool, (size_t)pipeline->node_count), *others = mem_array(bool, (size_t)pipeline->node_count);
    bool *born = mem_array(bool, (size_t)pipeline->node_count);
    enum code code = E_OK;
    if (lost_reach(pipeline, tables, count, true, lost) == 0)
        code = fail(err, E_CHANGED,
                    "neither what rejected the row nor a table that lost it is part of the project any more");
    lost_reach(pipeline, tables, count, false, others);
    for (int32_t i = 0; i < pipeline->node_count; i++)
        for (int32_t j = 0; j < pipeline->nodes[i]->input_count; j++)
            born[i] |=
                born[plan_input(pipeline->nodes[i], j)->id] || plan_is_stateful(plan_input(pipeline->nodes[i], j));
    for (int32_t i = 0; code == E_OK && i < pipeline->node_count; i++) {
        const struct plan *plan = pipeline->nodes[i];
        bool last = plan_is_stateful(plan) || ends_in(pipeline, plan, tables, count);
        if (!lost[i] || !plan->streaming || !last || born[i])
            continue;
        if (plan->kind == PLAN_DEDUPLICATE)
            code = fail(err, E_CHANGED,
                        "the node that rejected the row is no longer part of the project, and its tables "
                        "remove duplicates: nobody can tell whether the row is remembered as one");
        else if (others[i])
            code = fail(err, E_CHANGED,
                        "the node that rejected the row is no longer part of the project, and the row could "
                        "reach its tables only together with others that did not lose it");
        else if (plan->kind == PLAN_SOURCE)
            code = fail(err, E_CHANGED,
                        "the node that rejected the row is no longer part of the project, and nothing is "
                        "left between source and table");
        out->gate[i] = true;
    }
    mem_free(lost);
    mem_free(others);
    mem_free(born);
    return code;
}

enum code replay_route_find(struct arena *arena, const struct pipeline *pipeline, struct bytes stamp,
                            const struct bytes *tables, int32_t table_count, struct replay_route *out,
                            struct error *err)
{
    *out = (struct replay_route){
        .node = plan_find(pipeline, stamp),
        .passed = arena_array(arena, bool, (size_t)pipeline->node_count),
        .gate = arena_array(arena, bool, (size_t)pipeline->node_count),
    };
    if (out->node == NULL)
        TRY(gates_of_tables(pipeline, tables, table_count, out, err));
    else
        out->gate[out->node->id] = true;
    way_find(pipeline, out);
    return out->gate_count > 0 ? E_OK
                               : fail(err, E_CHANGED, "no way leads from a source to what rejected the row any more");
}

#include <stdio.h>

#include "format/format.h"
#include "runtime/runtime.h"
#include "sink/sink.h"
#include "source/source.h"

/* What the engine executes; the rest is typed by sql/ and refused here, by name. */
static bool can_execute(enum plan_kind kind)
{
    switch (kind) {
    case PLAN_SOURCE:
    case PLAN_DECODE:
    case PLAN_FILTER:
    case PLAN_PROJECT:
    case PLAN_GENERATE:
    case PLAN_WATERMARK:
    case PLAN_AGGREGATE:
    case PLAN_UNION:
        return true;
    default:
        return false;
    }
}

static const char *plan_name(const struct plan *plan)
{
    static const char *const names[] = {
#define X(name, text) [PLAN_##name] = text,
        PLAN_KINDS(X)
#undef X
    };
    bool typed_only = !can_execute(plan->kind);
    return typed_only && plan->unsupported != NULL ? plan->unsupported : names[plan->kind];
}

struct check {
    struct arena *arena;
    struct problems *problems;
    int32_t found;
};

static void refuse(struct check *check, struct position at, const char *what, const char *name)
{
    struct problems *problems = check->problems;
    mem_grow(problems->texts, problems->capacity, problems->count + 1);
    problems->texts[problems->count++] =
        at.line > 0 ? arena_printf(check->arena, "%s:%d:%d: leat cannot execute %s yet: %s", at.file != NULL ? at.file : "",
                                   at.line, at.column, what, name)
                    : arena_printf(check->arena, "leat cannot execute %s yet: %s", what, name);
    check->found++;
}

static void node_check(struct check *check, const struct plan *plan)
{
    if (!can_execute(plan->kind)) {
        refuse(check, plan->at, "this part of the query", plan_name(plan));
        return;
    }
    if (!plan->streaming)
        refuse(check, plan->at, "a query over tables that are not streams", plan_name(plan));
    if (plan->kind == PLAN_DECODE && decoder_find(plan->decode.format) == NULL)
        refuse(check, plan->at, "this payload format", plan->decode.format);
    if (plan->kind != PLAN_AGGREGATE)
        return;
    for (int32_t i = 0; i < plan->aggregate.call_count; i++)
        if (plan->aggregate.calls[i]->distinct)
            refuse(check, plan->aggregate.calls[i]->at, "an aggregate", "DISTINCT");
}

static void table_check(struct check *check, const struct pipeline_table *table)
{
    if (table->materialized)
        refuse(check, table->at, "materialized views", table->name);
    if (sink_find(table->format) == NULL)
        refuse(check, table->at, "a table of this format", table->format);
}

enum code runtime_check(struct arena *arena, const struct pipeline *pipeline, struct problems *problems, struct error *err)
{
    struct check check = {arena, problems, 0};
    int32_t first = problems->count;
    for (int32_t i = 0; i < pipeline->source_count; i++)
        if (source_find(pipeline->sources[i]->format) == NULL)
            refuse(&check, pipeline->sources[i]->at, "a source of this format", pipeline->sources[i]->format);
    for (int32_t i = 0; i < pipeline->node_count; i++)
        node_check(&check, pipeline->nodes[i]);
    for (int32_t i = 0; i < pipeline->table_count; i++)
        table_check(&check, pipeline->tables[i]);
    if (check.found > 0)
        return fail(err, E_UNSUPPORTED, "%s", problems->texts[first]);
    struct run_settings settings;
    return settings_read(arena, pipeline, &settings, err);
}

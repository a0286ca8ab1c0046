/* SQL is written by a user, or by somebody who wants to harm one: any bytes must end in a pipeline
 * or in a message, and a pipeline must be sound: inputs before users, expressions over columns that
 * are there. The same bytes are tried as a project's file and as a single query. */
#include <stdlib.h>

#include "sql/analyse.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct setting schema_option = {
    "schema", "k STRING, v INT, at TIMESTAMP, s STRUCT<x: INT, y: ARRAY<STRING>>", {0}};
static const struct pipeline_source source_src = {.name = "src", .format = "kafka"};
static const struct pipeline_source source_a = {
    .name = "a", .format = "json", .options = &schema_option, .option_count = 1};
static const struct pipeline_source *const sources[] = {&source_src, &source_a};

static void check_expr(const struct expr *expr, const struct type *schema)
{
    if (expr->kind == EXPR_COLUMN && (expr->index < 0 || (expr->index >= schema->field_count && expr->index < 1 << 20)))
        abort();
    for (int32_t i = 0; i < expr->arg_count; i++)
        check_expr(expr->args[i], schema);
}

static void check_node(const struct plan *node, int32_t at)
{
    if (node->id != at)
        abort();
    for (int32_t i = 0; i < node->input_count; i++)
        if ((node->more_inputs != NULL ? node->more_inputs[i] : node->inputs[i])->id >= at)
            abort();
    bool of_input = node->kind == PLAN_PROJECT || node->kind == PLAN_FILTER || node->kind == PLAN_DECODE;
    for (int32_t i = 0; of_input && i < node->expr_count; i++)
        check_expr(node->exprs[i], node->inputs[0]->schema);
}

static void try_project(struct bytes sql)
{
    struct arena arena = {0};
    struct problems problems = {0};
    struct error err = {0};
    struct sql_file file = {"t.sql", sql};
    struct notes notes = {.arena = &arena, .problems = &problems};
    struct project_text text = {.name = "p",
                                .directory = ".",
                                .storage = "file:///s",
                                .files = &file,
                                .file_count = 1,
                                .sources = sources,
                                .source_count = 2,
                                .session = {.zone = zone_utc(), .ansi = true},
                                .notes = &notes};
    const struct pipeline *pipeline;
    if (project_analyse(&arena, &text, &pipeline, &err) == E_OK) {
        struct text shown = {0};
        for (int32_t i = 0; i < pipeline->node_count; i++)
            check_node(pipeline->nodes[i], i);
        pipeline_print(pipeline, &shown);
        text_free(&shown);
    } else if (err.text[0] == '\0' || problems.count == 0) {
        abort();
    }
    mem_free(problems.texts);
    arena_free(&arena);
}

static void try_query(struct bytes sql)
{
    struct arena arena = {0};
    struct error err = {0};
    struct session session = {.zone = zone_utc(), .ansi = true};
    struct plan *plan;
    if (sql_query(&arena, sql, &session, &plan, &err) != E_OK && err.text[0] == '\0')
        abort();
    arena_free(&arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    try_project(bytes_of(data, size));
    try_query(bytes_of(data, size));
    return 0;
}

#include "runtime/rejection.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/hash.h"

enum { PATH_MAX_BYTES = 512, FIELDS_MAX = 3, TRACE_DEPTH_MAX = 1000 };

/* ---- what the plan says ---- */

void plan_reach(const struct pipeline *pipeline, const struct pipeline_table *table, bool *reaches)
{
    for (int32_t i = 0; i < pipeline->node_count; i++)
        reaches[i] = false;
    for (int32_t f = 0; f < table->flow_count; f++)
        reaches[table->flows[f]->id] = true;
    for (int32_t i = pipeline->node_count - 1; i >= 0; i--) // topological order: users come after their inputs
        for (int32_t j = 0; reaches[i] && j < pipeline->nodes[i]->input_count; j++)
            reaches[plan_input(pipeline->nodes[i], j)->id] = true;
}

static void tables_note(struct arena *arena, const struct pipeline *pipeline, struct rejection *out)
{
    bool *reaches = mem_array(bool, (size_t)pipeline->node_count);
    const char **names = arena_array(arena, const char *, (size_t)pipeline->node_count *(size_t)pipeline->table_count);
    for (int32_t i = 0; i < pipeline->node_count; i++)
        out[i].tables = names + (size_t)i * (size_t)pipeline->table_count;
    for (int32_t t = 0; t < pipeline->table_count; t++) {
        plan_reach(pipeline, pipeline->tables[t], reaches);
        for (int32_t i = 0; i < pipeline->node_count; i++)
            if (reaches[i])
                names[(size_t)i * (size_t)pipeline->table_count + (size_t)out[i].table_count++] =
                    pipeline->tables[t]->name;
    }
    mem_free(reaches);
}

static const char *schema_version(struct arena *arena, const struct type *schema)
{
    struct text text = {0};
    type_print(schema, &text);
    const char *version = arena_printf(arena, "%016" PRIx64, hash_bytes(text.data, text.size));
    text_free(&text);
    return version;
}

const struct rejection *rejections_new(struct arena *arena, const struct pipeline *pipeline)
{
    struct rejection *all = arena_array(arena, struct rejection, (size_t)pipeline->node_count);
    for (int32_t i = 0; i < pipeline->node_count; i++) {
        const struct plan *plan = pipeline->nodes[i];
        all[i].plan = plan;
        snprintf(all[i].node, sizeof all[i].node, "%016" PRIx64, plan->stamp);
        if (plan->kind == PLAN_DECODE)
            all[i].schema_version = schema_version(arena, plan->decode.schema);
        for (int32_t j = 0; all[i].schema_version == NULL && j < plan->input_count; j++)
            all[i].schema_version = all[plan_input(plan, j)->id].schema_version;
    }
    tables_note(arena, pipeline, all);
    return all;
}

/* ---- which field an expression reads ---- */

/* A path as it is put together: from the payload's root on. */
struct path {
    char text[PATH_MAX_BYTES];
    size_t size;
};
static bool path_add(struct path *path, const char *format, const char *name)
{
    int size = snprintf(path->text + path->size, sizeof path->text - path->size, format, name);
    if (size < 0 || (size_t)size >= sizeof path->text - path->size)
        return false;
    path->size += (size_t)size;
    return true;
}

static bool path_field(struct path *path, const char *name)
{
    return path_add(path, path->size > 0 ? ".%s" : "%s", name);
}

static bool trace(const struct plan *input, const struct expr *expr, int depth, struct path *out);

/* The generated columns of explode are what the list holds. */
static bool trace_generated(const struct plan *plan, int32_t column, int depth, struct path *out)
{
    const struct plan_generate *generate = &plan->generate;
    int32_t first = plan->schema->field_count - generate->generated;
    if (generate->kind == GENERATE_STACK || (generate->kind == GENERATE_POSEXPLODE && column == first))
        return false;
    if (!trace(plan_input(plan, 0), generate->args[0], depth, out) || !path_add(out, "%s", "[]"))
        return false;
    return generate->kind != GENERATE_INLINE || path_field(out, plan->schema->fields[column].name);
}

static bool trace_joined(const struct plan *plan, int32_t column, int32_t *side, int32_t *index)
{
    int32_t left = plan->inputs[0]->schema->field_count;
    *side = column >= left;
    *index = column >= left ? column - left : column;
    return plan_input(plan, *side)->streaming;
}

/* Column `column` of what `plan` gives. */
static bool trace_column(const struct plan *plan, int32_t column, int depth, struct path *out)
{
    int32_t passed = plan->input_count > 0 ? plan_input(plan, 0)->schema->field_count : 0, side;
    if (depth > TRACE_DEPTH_MAX || column >= plan->schema->field_count)
        return false;
    switch (plan->kind) {
    case PLAN_SOURCE: return path_field(out, plan->schema->fields[column].name);
    case PLAN_DECODE: // the payload's root is nothing before its fields
        return column >= passed || trace_column(plan_input(plan, 0), column, depth + 1, out);
    case PLAN_PROJECT: return trace(plan_input(plan, 0), plan->exprs[column], depth + 1, out);
    case PLAN_GENERATE:
        return column >= passed ? trace_generated(plan, column, depth + 1, out)
                                : trace_column(plan_input(plan, 0), column, depth + 1, out);
    case PLAN_JOIN:
        return trace_joined(plan, column, &side, &column) &&
               trace_column(plan_input(plan, side), column, depth + 1, out);
    case PLAN_FILTER:
    case PLAN_WATERMARK:
    case PLAN_TABLE: return trace_column(plan_input(plan, 0), column, depth + 1, out);
    default: return false; // a row of several, or of nobody knows which branch
    }
}

static bool trace(const struct plan *input, const struct expr *expr, int depth, struct path *out)
{
    if (depth > TRACE_DEPTH_MAX)
        return false;
    if (expr->kind == EXPR_COLUMN)
        return trace_column(input, expr->index, depth + 1, out);
    if (expr->kind == EXPR_CAST)
        return trace(input, expr->args[0], depth + 1, out);
    if (expr->kind != EXPR_FIELD)
        return false;
    const struct type *of = expr->args[0]->type;
    bool list = of->id == TYPE_ARRAY; // the field of every element
    const struct type *row = list ? of->fields[0].type : of;
    return trace(input, expr->args[0], depth + 1, out) && (!list || path_add(out, "%s", "[]")) &&
           path_field(out, row->fields[expr->index].name);
}

/* ---- which expression it is ---- */

static bool same_place(struct position a, struct position b)
{
    return a.line == b.line && a.column == b.column && a.file == b.file;
}

/* Reading a column never fails, and those that the analyser adds may have another's place. */
static bool can_fail(const struct expr *expr)
{
    return expr->kind == EXPR_CALL || expr->kind == EXPR_CAST || expr->kind == EXPR_CASE;
}

static const struct expr *find_at(const struct expr *expr, struct position at)
{
    if (expr == NULL)
        return NULL;
    if (same_place(expr->at, at) && can_fail(expr))
        return expr;
    for (int32_t i = 0; i < expr->arg_count; i++) {
        const struct expr *found = find_at(expr->args[i], at);
        if (found != NULL)
            return found;
    }
    return NULL;
}

static const struct expr *find_among(const struct expr *const *exprs, int32_t count, struct position at)
{
    const struct expr *found = NULL;
    for (int32_t i = 0; found == NULL && i < count; i++)
        found = find_at(exprs[i], at);
    return found;
}

static const struct expr *find_in_aggregate(const struct plan_aggregate *aggregate, struct position at)
{
    const struct expr *found = find_among(aggregate->keys, aggregate->key_count, at);
    for (int32_t i = 0; found == NULL && i < aggregate->call_count; i++)
        found = find_among(aggregate->calls[i]->args, aggregate->calls[i]->arg_count, at);
    return found;
}

/* *input: whose columns it reads. */
static const struct expr *find_in_plan(const struct plan *plan, struct position at, const struct plan **input)
{
    const struct expr *found = NULL;
    *input = plan_input(plan, 0);
    switch (plan->kind) {
    case PLAN_AGGREGATE: return find_in_aggregate(&plan->aggregate, at);
    case PLAN_GENERATE: return find_among(plan->generate.args, plan->generate.arg_count, at);
    case PLAN_JOIN:
        for (int side = 0; found == NULL && side < 2; side++) {
            *input = plan_input(plan, side);
            found = find_among(plan->join.sides[side].keys, plan->join.key_count, at);
            found = found != NULL ? found : find_at(plan->join.sides[side].only, at);
        }
        return found;
    default: return find_among(plan->exprs, plan->expr_count, at);
    }
}

/* ---- the fields, as text ---- */

/* "items[].price" and the row "3" are items[3].price; positions that are not known stay out. */
static void path_print(const struct path *path, int64_t lineage, struct text *out)
{
    struct text levels = {0};
    text_reserve(&levels, 1)[0] = '\0';
    lineage_print(lineage, &levels);
    const char *level = levels.data;
    for (size_t i = 0; i < path->size; i++) {
        text_add_char(out, path->text[i]);
        size_t digits = strspn(level, "0123456789");
        if (path->text[i] != '[' || digits == 0)
            continue;
        text_add(out, level, digits);
        level += digits + (level[digits] == '.');
    }
    text_free(&levels);
}

struct fields {
    const struct plan *input;
    struct path paths[FIELDS_MAX];
    int32_t count;
};

static void fields_add(struct fields *self, const struct path *path)
{
    for (int32_t i = 0; i < self->count; i++)
        if (strcmp(self->paths[i].text, path->text) == 0)
            return;
    if (path->size > 0 && self->count < FIELDS_MAX)
        self->paths[self->count++] = *path;
}

/* All that the expression reads, in the order of the text. */
static void fields_collect(struct fields *self, const struct expr *expr)
{
    struct path path = {0};
    if (trace(self->input, expr, 0, &path)) {
        fields_add(self, &path);
        return;
    }
    for (int32_t i = 0; i < expr->arg_count; i++)
        fields_collect(self, expr->args[i]);
}

void rejection_field(const struct plan *plan, struct position at, enum reject_code code, int64_t lineage,
                     struct text *out)
{
    if (at.line <= 0 || plan->input_count == 0)
        return;
    struct fields *fields = mem_new(struct fields);
    const struct expr *expr = plan->kind == PLAN_WATERMARK ? NULL : find_in_plan(plan, at, &fields->input);
    bool divisor = code == REJECT_DIVIDE_BY_ZERO || code == REJECT_REMAINDER_BY_ZERO || code == REJECT_INTERVAL_DIVISOR;
    if (expr != NULL && divisor && expr->arg_count == 2)
        expr = expr->args[1]; // the divisor alone is to blame
    if (expr != NULL)
        fields_collect(fields, expr);
    if (plan->kind == PLAN_WATERMARK && trace_column(plan_input(plan, 0), plan->watermark.column, 0, &fields->paths[0]))
        fields->count = fields->paths[0].size > 0;
    for (int32_t i = 0; i < fields->count; i++) {
        if (i > 0)
            text_add_string(out, ", ");
        path_print(&fields->paths[i], lineage, out);
    }
    mem_free(fields);
}

void rejection_words(const struct plan *plan, struct position at, struct text *out)
{
    const struct plan *input;
    if (at.line <= 0 || plan->input_count == 0 || plan->kind == PLAN_WATERMARK)
        return;
    const struct expr *call = find_in_plan(plan, at, &input);
    while (call != NULL && call->kind == EXPR_CAST) // of VOID, to what the column is
        call = call->args[0];
    const struct expr *last = call != NULL && call->arg_count > 0 ? call->args[call->arg_count - 1] : NULL;
    if (last == NULL || last->kind != EXPR_LITERAL || last->type->id != TYPE_STRING ||
        !column_valid_at(last->literal, 0))
        return;
    struct bytes words = column_bytes_at(last->literal, 0);
    text_add(out, words.data, words.size < REJECTION_WORDS_MAX ? words.size : REJECTION_WORDS_MAX);
}

void rejection_payload(const struct plan *plan, struct text *out)
{
    struct path path = {0};
    if (plan->kind == PLAN_DECODE && trace(plan_input(plan, 0), plan->exprs[0], 0, &path))
        text_add(out, path.text, path.size);
}

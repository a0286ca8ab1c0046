/* fingerprint.c - does a checkpoint still fit the pipeline?
 *
 * State is kept by aggregates and watermarks. The fingerprint says what they are made of, all the
 * way down to the sources:
 *
 *     rows(node)         which rows: source, filters, generators, watermarks, groups on the way
 *     column(node, i)    which value: the expression, with the columns it reads replaced by what
 *     they are
 *
 * It does not change with names of views and columns in between, with columns that only other
 * tables read, or with tables that keep no state: a user may add a table and go on. It changes with
 * the order of the stateful nodes, because the chain knows them by it.
 */
#include <inttypes.h>
#include <stdio.h>

#include "base/hash.h"
#include "sql/optimise.h"

struct identity {
    uint64_t rows;
    uint64_t *columns;
};
struct fingerprint {
    struct arena arena;     /* scratch */
    struct identity *nodes; /* by plan id */
};

static uint64_t hash_text(const char *text)
{
    return hash_bytes(text, strlen(text));
}

static uint64_t hash_expr(struct fingerprint *self, const struct expr *expr,
                          const struct identity *input);

/* The node alone: its arguments are columns whose names are what they are. So it does not matter
 * which part of an expression a projection further down computes. */
static uint64_t hash_node(struct fingerprint *self, const struct expr *expr,
                          const struct identity *input)
{
    struct field *fields = arena_array(&self->arena, struct field, (size_t)expr->arg_count);
    struct expr *args = arena_array(&self->arena, struct expr, (size_t)expr->arg_count),
                alone = *expr;
    alone.args = arena_array(&self->arena, const struct expr *, (size_t)expr->arg_count + 1);
    for (int32_t i = 0; i < expr->arg_count; i++) {
        const struct expr *arg = expr->args[i];
        const char *name = arena_printf(&self->arena, "%016" PRIx64, hash_expr(self, arg, input));
        fields[i] = (struct field){name, arg->type, arg->nullable};
        args[i] = (struct expr){.kind = EXPR_COLUMN, .type = arg->type, .index = i};
        alone.args[i] = &args[i];
    }
    struct text shown = {0};
    expr_print(&alone, type_struct(&self->arena, fields, expr->arg_count), &shown);
    text_add_char(&shown, ':');
    type_print(expr->type, &shown);
    uint64_t hash = hash_bytes(shown.data, shown.size);
    text_free(&shown);
    return hash;
}

static uint64_t hash_expr(struct fingerprint *self, const struct expr *expr,
                          const struct identity *input)
{
    if (expr == NULL)
        return 0;
    if (expr->kind == EXPR_COLUMN)
        return expr->index < COLUMN_MARK ? input->columns[expr->index] : (uint64_t)expr->index;
    return hash_node(self, expr, input);
}

static uint64_t hash_exprs(struct fingerprint *self, uint64_t hash, const struct expr *const *exprs,
                           int32_t count, const struct identity *input)
{
    for (int32_t i = 0; i < count; i++)
        hash = hash_mix(hash, hash_expr(self, exprs[i], input));
    return hash;
}

static uint64_t hash_type(const struct type *type)
{
    struct text shown = {0};
    type_print(type, &shown);
    uint64_t hash = hash_bytes(shown.data, shown.size);
    text_free(&shown);
    return hash;
}

/* ---- nodes ---- */

static void identify_source(const struct plan *node, struct identity *out)
{
    out->rows = hash_mix(hash_text(node->source->name), hash_text(node->source->format));
    for (int32_t i = 0; i < node->schema->field_count; i++)
        out->columns[i] = hash_mix(out->rows, hash_text(node->schema->fields[i].name));
}

static void identify_aggregate(struct fingerprint *self, const struct plan *node,
                               const struct identity *input, struct identity *out)
{
    const struct plan_aggregate *aggregate = &node->aggregate;
    const struct plan_window *window = &aggregate->window;
    uint64_t hash = hash_exprs(self, out->rows, aggregate->keys, aggregate->key_count, input);
    hash = hash_mix(hash_mix(hash, (uint64_t)(int64_t)window->key), (uint64_t)window->size_us);
    hash = hash_mix(hash_mix(hash, (uint64_t)window->slide_us), (uint64_t)window->start_us);
    hash = hash_mix(hash, hash_expr(self, window->time, input));
    for (int32_t i = 0; i < aggregate->call_count; i++) {
        const struct aggregate_call *call = aggregate->calls[i];
        const char *name = node->schema->fields[aggregate->key_count + i].name;
        hash = hash_mix(hash,
                        hash_bytes(name, strcspn(name, "("))); // the function; its arguments follow
        hash = hash_mix(hash_mix(hash, call->distinct), hash_type(call->type));
        hash = hash_exprs(self, hash, call->args, call->arg_count, input);
        hash = hash_mix(hash, hash_expr(self, call->filter, input));
        if (call->variant != 0)
            hash = hash_mix(hash, call->variant);
    }
    out->rows = hash;
    for (int32_t i = 0; i < node->schema->field_count; i++)
        out->columns[i] = hash_mix(hash, (uint64_t)i);
}

static uint64_t hash_decode(struct fingerprint *self, const struct plan *node,
                            const struct identity *input)
{
    const struct plan_decode *decode = &node->decode;
    uint64_t hash = hash_mix(hash_type(decode->schema), hash_text(decode->mode));
    hash = hash_mix(hash, hash_text(decode->corrupt_column));
    for (int32_t i = 0; i < decode->option_count; i++)
        hash = hash_mix(hash_mix(hash, hash_text(decode->option_names[i])),
                        hash_text(decode->option_values[i]));
    return hash_exprs(self, hash, node->exprs, 1, input);
}

/* Columns of the input pass; added ones follow from `hash` and their place. */
static void pass_columns(const struct fingerprint *self, const struct plan *node, uint64_t hash,
                         struct identity *out)
{
    const struct plan *input = plan_input(node, 0);
    int32_t passed = input->schema->field_count;
    for (int32_t i = 0; i < node->schema->field_count; i++)
        out->columns[i] =
            i < passed ? self->nodes[input->id].columns[i] : hash_mix(hash, (uint64_t)(i - passed));
}

/* What the condition reads: left columns, then right ones. The same column of both sides is told apart. */
static struct identity both_sides(struct fingerprint *self, const struct plan *node)
{
    const struct plan *left = node->inputs[0], *right = node->inputs[1];
    int32_t count = left->schema->field_count, more = right->schema->field_count;
    struct identity both = {.columns = arena_array(&self->arena, uint64_t, (size_t)count + (size_t)more)};
    for (int32_t i = 0; i < count + more; i++)
        both.columns[i] = i < count ? self->nodes[left->id].columns[i]
                                    : hash_mix(self->nodes[right->id].columns[i - count], 1);
    return both;
}

static void identify_join(struct fingerprint *self, const struct plan *node, struct identity *out)
{
    const struct plan_join *join = &node->join;
    struct identity both = both_sides(self, node);
    uint64_t hash = hash_mix((uint64_t)join->kind, join->null_aware);
    for (int side = 0; side < 2; side++) {
        const struct identity *input = &self->nodes[node->inputs[side]->id];
        hash = hash_exprs(self, hash_mix(hash, input->rows), join->sides[side].keys, join->key_count, input);
        hash = hash_mix(hash, hash_expr(self, join->sides[side].only, input));
        hash = hash_mix(hash, node->inputs[side]->streaming);
    }
    for (int32_t i = 0; i < join->key_count; i++)
        hash = hash_mix(hash, join->null_safe[i]);
    out->rows = hash_mix(hash, hash_expr(self, join->condition, &both));
    for (int32_t i = 0; i < node->schema->field_count; i++)
        out->columns[i] = both.columns[i];
}

/* UNION, and what cannot run yet: everything that is there, in order. */
static void identify_other(const struct fingerprint *self, const struct plan *node,
                           struct identity *out)
{
    uint64_t hash = (uint64_t)node->kind;
    for (int32_t j = 0; j < node->input_count; j++) {
        const struct plan *input = plan_input(node, j);
        hash = hash_mix(hash, self->nodes[input->id].rows);
    }
    out->rows = hash;
    for (int32_t i = 0; i < node->schema->field_count; i++) {
        out->columns[i] = hash_mix(hash, (uint64_t)node->kind);
        for (int32_t j = 0; j < node->input_count; j++) {
            const struct plan *input = plan_input(node, j);
            uint64_t column =
                i < input->schema->field_count ? self->nodes[input->id].columns[i] : (uint64_t)i;
            out->columns[i] = hash_mix(out->columns[i], column);
        }
    }
}

static void identify(struct fingerprint *self, const struct plan *node)
{
    struct identity *out = &self->nodes[node->id];
    out->columns = arena_array(&self->arena, uint64_t, (size_t)node->schema->field_count);
    const struct plan *input = node->input_count > 0 ? plan_input(node, 0) : NULL;
    const struct identity *from = input != NULL ? &self->nodes[input->id] : NULL;
    uint64_t below = from != NULL ? from->rows : 0, hash;
    out->rows = below;
    switch (node->kind) {
    case PLAN_SOURCE: identify_source(node, out); break;
    case PLAN_PROJECT:
        for (int32_t i = 0; i < node->expr_count; i++)
            out->columns[i] = hash_expr(self, node->exprs[i], from);
        break;
    case PLAN_DECODE: pass_columns(self, node, hash_decode(self, node, from), out); break;
    case PLAN_FILTER:
        out->rows = hash_exprs(self, below, node->exprs, 1, from);
        pass_columns(self, node, 0, out);
        break;
    case PLAN_WATERMARK:
        hash = hash_mix(from->columns[node->watermark.column], (uint64_t)node->watermark.delay_us);
        out->rows = hash_mix(below, hash);
        pass_columns(self, node, 0, out);
        break;
    case PLAN_GENERATE:
        hash = hash_mix((uint64_t)node->generate.kind, node->generate.outer);
        hash = hash_exprs(self, hash, node->generate.args, node->generate.arg_count, from);
        out->rows = hash_mix(below, hash);
        pass_columns(self, node, hash, out);
        break;
    case PLAN_AGGREGATE: identify_aggregate(self, node, from, out); break;
    case PLAN_JOIN:
        if (node->unsupported == NULL)
            identify_join(self, node, out);
        else
            identify_other(self, node, out);
        break;
    default: identify_other(self, node, out);
    }
}

uint64_t plan_fingerprint(const struct plan_list *nodes, const struct session *session,
                          bool watermark_policy_max)
{
    struct fingerprint self = {.nodes = mem_array(struct identity, (size_t)nodes->count)};
    uint64_t hash = hash_mix(hash_text(zone_name(session->zone)),
                             (uint64_t)session->ansi * 2 + watermark_policy_max);
    for (int32_t i = 0; i < nodes->count; i++) {
        const struct plan *node = nodes->nodes[i];
        identify(&self, node);
        bool keeps_state = node->kind == PLAN_AGGREGATE || node->kind == PLAN_WATERMARK ||
                           node->kind == PLAN_DEDUPLICATE || node->kind == PLAN_JOIN;
        if (keeps_state)
            hash = hash_mix(hash, self.nodes[i].rows);
    }
    mem_free(self.nodes);
    arena_free(&self.arena);
    return hash;
}

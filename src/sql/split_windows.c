/* split_windows.c - window functions that have no key of PARTITION BY in common, in nodes one above the other: each node can then
 * part its rows by its own keys when they do not fit (query/window.c). */
#include "sql/optimise.h"

enum { WINDOW_NODES_MAX = 8 }; /* of one SELECT: each holds its rows. Calls beyond them share the last node */

/* Calls of one node, and what all of them are parted by. */
struct alike {
    const struct plan_over **calls;
    int32_t *columns; /* of the node as it was: where the calls' values stood */
    int32_t count;
    const struct expr **keys;
    int32_t key_count;
};

static bool parts_by(const struct plan_over *over, const struct expr *key)
{
    for (int32_t i = 0; i < over->partition_count; i++)
        if (expr_equal(over->partition[i], key))
            return true;
    return false;
}

static bool belongs(const struct alike *alike, const struct plan_over *over)
{
    bool common = alike->key_count == 0 && over->partition_count == 0;
    for (int32_t k = 0; k < alike->key_count && !common; k++)
        common = parts_by(over, alike->keys[k]);
    return common;
}

static void alike_add(struct alike *alike, const struct plan_over *over, int32_t column)
{
    int32_t kept = 0;
    for (int32_t k = 0; k < alike->key_count; k++)
        if (parts_by(over, alike->keys[k]))
            alike->keys[kept++] = alike->keys[k];
    alike->key_count = kept;
    alike->calls[alike->count] = over;
    alike->columns[alike->count++] = column;
}

static void alike_begin(struct arena *arena, struct alike *alike, const struct plan_over *over, int32_t calls)
{
    *alike = (struct alike){.key_count = over->partition_count};
    alike->calls = arena_array(arena, const struct plan_over *, (size_t)calls);
    alike->columns = arena_array(arena, int32_t, (size_t)calls);
    alike->keys = arena_array(arena, const struct expr *, (size_t)over->partition_count + 1);
    for (int32_t k = 0; k < over->partition_count; k++)
        alike->keys[k] = over->partition[k];
}

static int32_t find_alike(struct arena *arena, const struct plan *node, struct alike *sets)
{
    int32_t count = 0, first = node->inputs[0]->schema->field_count;
    for (int32_t i = 0; i < node->overs.count; i++) {
        const struct plan_over *over = node->overs.calls[i];
        int32_t at = 0;
        while (at < count && at < WINDOW_NODES_MAX - 1 && !belongs(&sets[at], over))
            at++;
        if (at == count)
            alike_begin(arena, &sets[count++], over, node->overs.count);
        alike_add(&sets[at], over, first + i);
    }
    return count;
}

/* A node of these calls above the input. `places`: which of its columns has the value of which one of the node as it was. */
static struct plan *window_over(struct arena *arena, const struct plan *node, struct plan *input,
                                const struct alike *alike, int32_t *places)
{
    struct field *fields = arena_array(arena, struct field, (size_t)alike->count);
    for (int32_t i = 0; i < alike->count; i++) {
        fields[i] = node->schema->fields[alike->columns[i]];
        places[alike->columns[i]] = input->schema->field_count + i;
    }
    const struct type *schema = schema_append(arena, input->schema, fields, alike->count);
    struct plan *window = plan_over(arena, PLAN_WINDOW, input, schema, node->at);
    window->overs = (struct plan_overs){alike->calls, alike->count};
    window->unsupported = node->unsupported;
    return window;
}

/* The node becomes the projection that has the columns where its users look for them. */
static void split(struct expr_context *ctx, struct plan *node, const struct alike *sets, int32_t count)
{
    int32_t columns = node->schema->field_count;
    int32_t *places = arena_array(ctx->arena, int32_t, (size_t)columns);
    const struct expr **exprs = arena_array(ctx->arena, const struct expr *, (size_t)columns);
    struct plan *top = node->inputs[0];
    for (int32_t c = 0; c < columns; c++)
        places[c] = c;
    for (int32_t i = 0; i < count; i++)
        top = window_over(ctx->arena, node, top, &sets[i], places);
    for (int32_t c = 0; c < columns; c++)
        exprs[c] = expr_column(ctx, places[c], &node->schema->fields[c], node->at);
    node->kind = PLAN_PROJECT;
    node->overs = (struct plan_overs){0};
    node->exprs = exprs;
    node->expr_count = columns;
    node->inputs[0] = top;
    node->height = top->height + 1;
    node->unsupported = NULL;
}

void split_windows(struct optimiser *self)
{
    for (int32_t i = 0; i < self->nodes.count; i++) {
        struct plan *node = self->nodes.nodes[i];
        struct alike sets[WINDOW_NODES_MAX];
        if (node->kind != PLAN_WINDOW)
            continue;
        int32_t count = find_alike(self->expr->arena, node, sets);
        if (count > 1)
            split(self->expr, node, sets, count);
    }
    optimiser_collect(self);
}

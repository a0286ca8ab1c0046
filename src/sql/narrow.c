/* narrow.c - each node narrowed to what is read of it, inputs first. */
#include "sql/prune.h"

static void keep_all(const struct pruner *self, const struct plan *node)
{
    for (int32_t i = 0; i < node->schema->field_count; i++)
        slot_add(self, narrowed_of(self, node), i, -1, node->schema->field_count);
}

/* What a node takes from its input: the first columns of its own that are read, and what its
 * expressions read. Fields apart where the struct itself is not read. */
static void reading_slots(const struct pruner *self, const struct plan *node, const struct type *was,
                          const struct expr *const *exprs, int32_t expr_count, struct narrowed *out)
{
    struct narrowed reading = {.needs = arena_array(self->arena, struct need, (size_t)was->field_count)};
    struct pruner alone = *self;
    struct plan input = {.id = 0, .schema = was};
    alone.nodes = &reading;
    for (int32_t i = 0; i < was->field_count; i++)
        need_same(self, &reading.needs[i], &narrowed_of(self, node)->needs[i], was->fields[i].type);
    for (int32_t i = 0; i < expr_count; i++)
        need_expr(&alone, &input, exprs[i]);
    slots_of_needs(self, reading.needs, was, out);
}

/* Stand on a projection that gives the slots. The projection has no id: until the expressions are
 * moved, the node's own slots are those of its input. */
static void stand_on(const struct pruner *self, struct plan *node, const struct type *was, const struct narrowed *slots,
                     const struct expr *extra)
{
    struct narrowed *own = narrowed_of(self, node);
    struct plan *picked = slots_pick(self, node->inputs[0], was, slots, extra, node->at);
    own->slots = slots->slots;
    own->slot_count = slots->slot_count;
    if (picked != NULL)
        node->inputs[0] = picked;
    node->schema = node->inputs[0]->schema;
}

static void narrow_filter(const struct pruner *self, struct plan *node)
{
    const struct type *was = node->schema;
    struct narrowed all = {0}, passed = {0};
    reading_slots(self, node, was, node->exprs, 1, &all);
    reading_slots(self, node, was, NULL, 0, &passed);
    if (slots_same(&all, &passed)) {
        stand_on(self, node, was, &all, NULL);
        node->exprs = narrow_list(self, node, node->exprs, 1);
        return;
    }
    const struct expr **predicate = arena_new(self->arena, const struct expr *);
    stand_on(self, node, was, &passed, narrow_expr(self, node->inputs[0], node->exprs[0]));
    int32_t last = node->schema->field_count - 1;
    predicate[0] = expr_column(self->optimiser->expr, last, &node->schema->fields[last], node->at);
    node->exprs = predicate;
    slot_add(self, narrowed_of(self, node), -1, -1, 0);
}

/* The keys' columns pass, too: they are held while rows are sorted, whoever reads them. */
static void narrow_sort(const struct pruner *self, struct plan *node)
{
    struct narrowed all = {0};
    reading_slots(self, node, node->schema, node->exprs, node->expr_count, &all);
    stand_on(self, node, node->schema, &all, NULL);
    node->exprs = narrow_list(self, node, node->exprs, node->expr_count);
}

/* A struct of which the input gives only fields, those that are read: so does the projection. */
static int32_t narrow_fields(const struct pruner *self, const struct plan *node, int32_t column,
                             const struct expr **exprs, const char **names, int32_t capacity)
{
    const struct plan *input = node->inputs[0];
    const struct expr *expr = node->exprs[column];
    const bool *fields = narrowed_of(self, node)->needs[column].fields;
    int32_t count = 0;
    for (int32_t f = 0; f < expr->type->field_count; f++) {
        if (!fields[f])
            continue;
        int32_t slot = slot_find(narrowed_of(self, input), expr->index, f);
        slot_add(self, narrowed_of(self, node), column, f, capacity);
        exprs[count] = slot_column(self, expr, input->schema, slot);
        names[count++] = expr->type->fields[f].name;
    }
    return count;
}

/* Whether the column is a struct that passes as it is, and comes in as fields. */
static bool comes_in_fields(const struct pruner *self, const struct plan *node, int32_t column)
{
    const struct need *need = &narrowed_of(self, node)->needs[column];
    const struct expr *expr = node->exprs[column];
    return expr->kind == EXPR_COLUMN && expr->index < COLUMN_MARK && need->fields != NULL &&
           slot_find(narrowed_of(self, node->inputs[0]), expr->index, -1) < 0;
}

static void narrow_project(struct pruner *self, struct plan *node)
{
    const struct plan *input = node->inputs[0];
    int32_t capacity = 0, count = 0;
    for (int32_t i = 0; i < node->expr_count; i++)
        capacity += 1 + node->exprs[i]->type->field_count;
    const struct expr **exprs = arena_array(self->arena, const struct expr *, (size_t)capacity);
    const char **names = arena_array(self->arena, const char *, (size_t)capacity);
    for (int32_t i = 0; i < node->expr_count; i++) {
        if (!is_needed(&narrowed_of(self, node)->needs[i]))
            continue;
        if (comes_in_fields(self, node, i)) {
            count += narrow_fields(self, node, i, exprs + count, names + count, capacity);
            continue;
        }
        slot_add(self, narrowed_of(self, node), i, -1, capacity);
        exprs[count] = narrow_expr(self, input, node->exprs[i]);
        names[count++] = node->schema->fields[i].name;
    }
    struct plan *fresh = plan_project(self->arena, node->inputs[0], exprs, names, count, node->at);
    node->exprs = fresh->exprs;
    node->expr_count = count;
    node->schema = fresh->schema;
}

enum { FILE_FIELDS_MAX = 7 };

/* What is read of FILE_COLUMN: its fields apart, where it is not read itself. */
static void file_slots(const struct pruner *self, struct narrowed *own, int32_t column, const struct type *file)
{
    const struct need *need = &own->needs[column];
    int32_t capacity = column + 1 + FILE_FIELDS_MAX;
    if (need->whole || need->validity)
        slot_add(self, own, column, -1, capacity);
    else
        for (int32_t f = 0; need->fields != NULL && f < file->field_count; f++)
            if (need->fields[f])
                slot_add(self, own, column, f, capacity);
}

/* No column of the files is called so. */
static const struct type *file_fields_named(const struct pruner *self, const struct type *schema,
                                            const struct narrowed *own)
{
    struct field *fields = arena_array(self->arena, struct field, (size_t)schema->field_count);
    for (int32_t i = 0; i < schema->field_count; i++) {
        fields[i] = schema->fields[i];
        if (own->slots[i].field >= 0)
            fields[i].name = arena_printf(self->arena, FILE_COLUMN ".%s", fields[i].name);
    }
    return type_struct(self->arena, fields, schema->field_count);
}

/* At least one column stays, so that a batch has rows to count: the narrowest. */
static void narrow_source(struct pruner *self, struct plan *node)
{
    const struct type *was = node->schema;
    struct narrowed *own = narrowed_of(self, node);
    int32_t last = was->field_count - 1;
    bool told = last >= 0 && node->source->tells_file && strcmp(was->fields[last].name, FILE_COLUMN) == 0;
    for (int32_t i = 0; i < was->field_count - told; i++)
        if (is_needed(&own->needs[i]))
            slot_add(self, own, i, -1, was->field_count + FILE_FIELDS_MAX);
    if (told)
        file_slots(self, own, last, was->fields[last].type);
    int32_t narrowest = 0;
    for (int32_t i = 0; i < was->field_count - told; i++) {
        int32_t width = type_width(was->fields[i].type), best = type_width(was->fields[narrowest].type);
        if (width > 0 && (best == 0 || width < best))
            narrowest = i;
    }
    if (own->slot_count == 0 && was->field_count > 0)
        slot_add(self, own, narrowest, -1, was->field_count);
    node->schema = slots_schema(self, was, own);
    if (told)
        node->schema = file_fields_named(self, node->schema, own);
}

static void narrow_decode(struct pruner *self, struct plan *node)
{
    struct plan *input = node->inputs[0];
    int32_t last = node->schema->field_count - 1;
    const struct need *need = &narrowed_of(self, node)->needs[last];
    struct plan_decode *decode = &node->decode;
    struct field field = node->schema->fields[last];
    slots_pass(self, node, input, last, 1);
    node->exprs = narrow_list(self, input, node->exprs, 1);
    node->schema = schema_append(self->arena, input->schema, &field, 1);
    if (need->whole || decode->schema->id != TYPE_STRUCT)
        return;
    bool *needed = arena_array(self->arena, bool, (size_t)decode->schema->field_count);
    for (int32_t f = 0; f < decode->schema->field_count; f++)
        needed[f] = need->fields != NULL && need->fields[f];
    decode->needed = needed;
}

/* Nobody reads what it adds: the node becomes a plain projection of its input. */
static void pass_through(struct pruner *self, struct plan *node)
{
    struct plan *input = node->inputs[0];
    const struct expr **exprs = arena_array(self->arena, const struct expr *, (size_t)input->schema->field_count);
    const char **names = arena_array(self->arena, const char *, (size_t)input->schema->field_count);
    slots_pass(self, node, input, 0, 0);
    for (int32_t i = 0; i < input->schema->field_count; i++) {
        exprs[i] = expr_column(self->optimiser->expr, i, &input->schema->fields[i], node->at);
        names[i] = input->schema->fields[i].name;
    }
    struct plan *project = plan_project(self->arena, input, exprs, names, input->schema->field_count, node->at);
    project->id = node->id;
    *node = *project;
}

/* Every input column is repeated for every element, unless `keep` says that nobody reads it any
 * more. */
static void narrow_generate(const struct pruner *self, struct plan *node)
{
    struct plan_generate *generate = &node->generate;
    int32_t first = node->schema->field_count - generate->generated;
    const struct field *fields = node->schema->fields + first;
    struct field *before = arena_array(self->arena, struct field, (size_t)first);
    for (int32_t i = 0; i < first; i++)
        before[i] = node->schema->fields[i];
    const struct type *was = type_struct(self->arena, before, first);
    struct narrowed all = {0}, passed = {0};
    reading_slots(self, node, was, generate->args, generate->arg_count, &all);
    reading_slots(self, node, was, NULL, 0, &passed);
    stand_on(self, node, was, &all, NULL);
    generate->args = narrow_list(self, node, generate->args, generate->arg_count);
    bool *keep = arena_array(self->arena, bool, (size_t)all.slot_count);
    for (int32_t i = 0; i < all.slot_count; i++)
        keep[i] = slot_find(&passed, all.slots[i].column, all.slots[i].field) >= 0;
    generate->keep = keep;
    struct narrowed *own = narrowed_of(self, node);
    own->slots = NULL;
    own->slot_count = 0;
    for (int32_t i = 0; i < all.slot_count; i++)
        slot_add(self, own, all.slots[i].column, all.slots[i].field, all.slot_count + generate->generated);
    for (int32_t i = 0; i < generate->generated; i++)
        slot_add(self, own, first + i, -1, all.slot_count + generate->generated);
    node->schema = schema_append(self->arena, node->inputs[0]->schema, fields, generate->generated);
}

static void narrow_watermark(struct pruner *self, struct plan *node)
{
    const struct plan *input = node->inputs[0];
    slots_pass(self, node, input, 0, 0);
    node->watermark.column = slot_find(narrowed_of(self, input), node->watermark.column, -1);
    node->schema = input->schema;
}

static void narrow_deduplicate(struct pruner *self, struct plan *node)
{
    struct plan_deduplicate *keys = &node->deduplicate;
    const struct narrowed *input = narrowed_of(self, node->inputs[0]);
    int32_t *columns = arena_array(self->arena, int32_t, (size_t)keys->column_count);
    slots_pass(self, node, node->inputs[0], 0, 0);
    for (int32_t i = 0; i < keys->column_count; i++)
        columns[i] = slot_find(input, keys->columns[i], -1);
    keys->columns = columns;
    if (keys->time_column >= 0)
        keys->time_column = slot_find(input, keys->time_column, -1);
    node->schema = node->inputs[0]->schema;
}

static const struct aggregate_call *narrow_call(const struct pruner *self, const struct plan *input,
                                                const struct aggregate_call *call)
{
    struct aggregate_call *copy = arena_new(self->arena, struct aggregate_call);
    *copy = *call;
    copy->args = (const struct expr **)(uintptr_t)narrow_list(self, input, call->args, call->arg_count);
    if (call->filter != NULL)
        copy->filter = narrow_expr(self, input, call->filter);
    return copy;
}

static void narrow_aggregate(struct pruner *self, struct plan *node)
{
    struct plan_aggregate *aggregate = &node->aggregate;
    const struct plan *input = node->inputs[0];
    const struct aggregate_call **calls =
        arena_array(self->arena, const struct aggregate_call *, (size_t)aggregate->call_count);
    int32_t count = 0;
    for (int32_t i = 0; i < aggregate->key_count; i++)
        slot_add(self, narrowed_of(self, node), i, -1, node->schema->field_count);
    for (int32_t i = 0; i < aggregate->call_count; i++) {
        if (!is_needed(&narrowed_of(self, node)->needs[aggregate->key_count + i]))
            continue;
        slot_add(self, narrowed_of(self, node), aggregate->key_count + i, -1, node->schema->field_count);
        calls[count++] = narrow_call(self, input, aggregate->calls[i]);
    }
    aggregate->keys = narrow_list(self, input, aggregate->keys, aggregate->key_count);
    aggregate->calls = calls;
    aggregate->call_count = count;
    if (aggregate->window.time != NULL)
        aggregate->window.time = narrow_expr(self, input, aggregate->window.time);
    if (aggregate->window.gap != NULL)
        aggregate->window.gap = narrow_expr(self, input, aggregate->window.gap);
    node->schema = slots_schema(self, node->schema, narrowed_of(self, node));
}

static void narrow_union(struct pruner *self, struct plan *node)
{
    struct narrowed *own = narrowed_of(self, node);
    const struct type *was = node->schema;
    for (int32_t i = 0; i < was->field_count; i++)
        if (is_needed(&own->needs[i]))
            slot_add(self, own, i, -1, was->field_count);
    for (int32_t j = 0; j < node->input_count; j++) {
        struct plan *picked = slots_pick(self, plan_input(node, j), was, own, NULL, node->at);
        if (picked != NULL)
            *plan_input_place(node, j) = picked;
    }
    node->schema = slots_schema(self, was, own);
}

static const struct plan_over *narrow_over(const struct pruner *self, const struct plan *input,
                                           const struct plan_over *over)
{
    struct plan_over *copy = arena_new(self->arena, struct plan_over);
    *copy = *over;
    if (over->call != NULL)
        copy->call = narrow_call(self, input, over->call);
    copy->args = narrow_list(self, input, over->args, over->arg_count);
    copy->partition = narrow_list(self, input, over->partition, over->partition_count);
    copy->order = narrow_list(self, input, over->order, over->order_count);
    if (over->from.value != NULL)
        copy->from.value = narrow_expr(self, input, over->from.value);
    if (over->to.value != NULL)
        copy->to.value = narrow_expr(self, input, over->to.value);
    return copy;
}

static void narrow_window(const struct pruner *self, struct plan *node)
{
    const struct plan *input = node->inputs[0];
    const struct narrowed *below = narrowed_of(self, input);
    struct narrowed *own = narrowed_of(self, node);
    int32_t calls = node->overs.count, first = node->schema->field_count - calls, kept = 0;
    struct field *fields = arena_array(self->arena, struct field, (size_t)calls + 1);
    const struct plan_over **overs = arena_array(self->arena, const struct plan_over *, (size_t)calls + 1);
    for (int32_t i = 0; i < below->slot_count; i++)
        slot_add(self, own, below->slots[i].column, below->slots[i].field, below->slot_count + calls);
    for (int32_t i = 0; i < calls; i++) {
        if (!is_needed(&own->needs[first + i]))
            continue;
        slot_add(self, own, first + i, -1, below->slot_count + calls);
        fields[kept] = node->schema->fields[first + i];
        overs[kept++] = narrow_over(self, input, node->overs.calls[i]);
    }
    node->overs = (struct plan_overs){overs, kept};
    node->schema = schema_append(self->arena, input->schema, fields, kept);
}

/* The value comes last. */
static void narrow_apply(const struct pruner *self, struct plan *node)
{
    struct plan *input = node->inputs[0];
    int32_t last = node->schema->field_count - 1;
    slots_pass(self, node, input, last, 1);
    node->exprs = narrow_list(self, input, node->exprs, node->expr_count);
    node->schema = schema_append(self->arena, input->schema, &node->schema->fields[last], 1);
}

static bool reads_call(const struct pruner *self, const struct plan *window)
{
    bool reads = false;
    for (int32_t i = window->schema->field_count - window->overs.count; i < window->schema->field_count; i++)
        reads = reads || is_needed(&narrowed_of(self, window)->needs[i]);
    return reads;
}

/* Nodes that keep everything: their inputs do too, but may have other slots in front of more
 * users. */
static void narrow_whole(struct pruner *self, struct plan *node)
{
    for (int32_t j = 0; j < node->input_count; j++) {
        struct plan *input = plan_input(node, j);
        const struct narrowed *below = narrowed_of(self, input);
        for (int32_t i = 0; i < below->slot_count; i++)
            always(below->slots[i].column == i && below->slots[i].field == -1);
    }
    keep_all(self, node);
}

void narrow_node(struct pruner *self, struct plan *node)
{
    switch (node->kind) {
    case PLAN_SOURCE: narrow_source(self, node); break;
    case PLAN_PROJECT: narrow_project(self, node); break;
    case PLAN_FILTER: narrow_filter(self, node); break;
    case PLAN_DECODE:
        if (is_needed(&narrowed_of(self, node)->needs[node->schema->field_count - 1]))
            narrow_decode(self, node);
        else
            pass_through(self, node);
        break;
    case PLAN_GENERATE: narrow_generate(self, node); break;
    case PLAN_WATERMARK: narrow_watermark(self, node); break;
    case PLAN_SORT: narrow_sort(self, node); break;
    case PLAN_LIMIT: // how many is constant
    case PLAN_TABLE:
        slots_pass(self, node, node->inputs[0], 0, 0);
        node->schema = node->inputs[0]->schema;
        break;
    case PLAN_AGGREGATE: narrow_aggregate(self, node); break;
    case PLAN_DEDUPLICATE: narrow_deduplicate(self, node); break;
    case PLAN_UNION: narrow_union(self, node); break;
    case PLAN_WINDOW:
        if (reads_call(self, node))
            narrow_window(self, node);
        else
            pass_through(self, node);
        break;
    case PLAN_JOIN:
        if (is_plain_join(node))
            narrow_join(self, node);
        else
            narrow_whole(self, node);
        break;
    case PLAN_APPLY:
        if (is_plain_apply(node))
            narrow_apply(self, node);
        else
            narrow_whole(self, node);
        break;
    default: narrow_whole(self, node);
    }
}

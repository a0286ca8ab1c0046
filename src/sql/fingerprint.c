/* fingerprint.c - what a stateful node remembers, as a number: does stored state still fit the pipeline?
 *
 *     rows(node)         which rows: source, filters, generators, joins, groups on the way
 *     column(node, i)    which value: the expression, with the columns it reads replaced by what they are
 *     state(node)        what is kept of them: the node's identity
 *
 * Changes with  the source, what filters and expressions compute, keys, windows, aggregates, the columns
 *               that a join keeps, the watermarks that the flow's W is made of, the session's zone and
 *               ANSI mode
 * Not with      names of views and columns, other tables, columns that only others read (a field is
 *               known by its path and own type, not by the structs around it), the order of nodes, filters
 *               and conjuncts, the watermark's delay, how expressions are printed
 * Watermark     is known by its column and delay
 * Shape         an AND is the sum of its parts and a filter is added to the rows below, so neither order
 *               nor the place of a filter matters; everything else is mixed in order
 * Fingerprint   of the pipeline: all of them in the order of the graph, and the policy of several
 *               watermarks
 */
#include "sql/identity.h"
#include "sql/optimise.h"

struct fingerprint {
    struct arena arena;     /* scratch */
    struct identity *nodes; /* by plan id */
};

/* ---- nodes ---- */

static const struct identity *below(const struct fingerprint *self, const struct plan *node, int32_t i)
{
    return &self->nodes[plan_input(node, i)->id];
}

static void identify_source(const struct plan *node, struct identity *out)
{
    uint64_t hash = hash_mix(OF_SOURCE, hash_text(node->source->name));
    out->rows = hash_mix(hash, hash_text(node->source->format));
    for (int32_t i = 0; i < node->schema->field_count; i++) {
        const struct field *field = &node->schema->fields[i];
        uint64_t name = hash_mix(out->rows, hash_text(field->name));
        out->columns[i] = type_has_parts(field->type) ? name : hash_mix(name, hash_type(field->type));
    }
}

/* As a whole: with the types of structs, arrays and maps. */
static uint64_t whole_column(const struct fingerprint *self, const struct plan *node, int32_t side, int32_t column)
{
    return hash_whole(below(self, node, side)->columns[column], plan_input(node, side)->schema->fields[column].type);
}

/* Columns of the input pass; added ones follow from `hash` and their place. */
static void pass_columns(const struct fingerprint *self, const struct plan *node, uint64_t hash, struct identity *out)
{
    int32_t passed = plan_input(node, 0)->schema->field_count;
    for (int32_t i = 0; i < node->schema->field_count; i++)
        out->columns[i] = i < passed ? below(self, node, 0)->columns[i] : hash_number(hash, i - passed);
}

static void identify_project(const struct fingerprint *self, const struct plan *node, struct identity *out)
{
    for (int32_t i = 0; i < node->expr_count; i++)
        out->columns[i] = hash_carrier(node->exprs[i], below(self, node, 0));
}

/* Without its schema: what is read of it says name and type. */
static uint64_t hash_decode(const struct plan *node, const struct identity *input)
{
    const struct plan_decode *decode = &node->decode;
    uint64_t hash = hash_mix(OF_DECODE, hash_text(decode->format));
    hash = hash_mix(hash_mix(hash, hash_text(decode->mode)), hash_text(decode->corrupt_column));
    for (int32_t i = 0; i < decode->option_count; i++)
        hash = hash_mix(hash_mix(hash, hash_text(decode->option_names[i])), hash_text(decode->option_values[i]));
    return hash_exprs(hash, node->exprs, node->expr_count, input);
}

/* A struct out of a list is read by its fields; `inline` knows them by their places. */
static uint64_t hash_generate(const struct plan *node, const struct identity *input)
{
    const struct plan_generate *generate = &node->generate;
    uint64_t hash = hash_number(hash_number(OF_GENERATE, generate->kind), generate->outer);
    bool explodes = generate->kind == GENERATE_EXPLODE || generate->kind == GENERATE_POSEXPLODE;
    const struct type *list = explodes ? generate->args[0]->type : NULL;
    if (explodes && list->id == TYPE_ARRAY && list->fields[0].type->id == TYPE_STRUCT)
        return hash_mix(hash, hash_carrier(generate->args[0], input));
    return hash_exprs(hash, generate->args, generate->arg_count, input);
}

static uint64_t hash_call(const struct aggregate_call *call, const struct identity *input)
{
    struct bytes name = aggregate_name(call);
    uint64_t hash = hash_mix(OF_CALL, hash_bytes(name.data, name.size));
    hash = hash_mix(hash_number(hash, call->distinct), hash_type(call->type));
    hash = hash_exprs(hash_mix(hash, call->variant), call->args, call->arg_count, input);
    return hash_mix(hash, hash_expr(call->filter, input));
}

static uint64_t hash_window(const struct plan_window *window, const struct identity *input)
{
    uint64_t hash = hash_number(hash_number(OF_GROUP, window->key), window->size_us);
    hash = hash_number(hash_number(hash, window->slide_us), window->start_us);
    return hash_mix(hash_mix(hash, hash_expr(window->time, input)), hash_expr(window->gap, input));
}

/* Which groups there are does not depend on what is computed of them: a new aggregate is no news to a
 * node above. */
static void identify_aggregate(const struct fingerprint *self, const struct plan *node, struct identity *out)
{
    const struct plan_aggregate *aggregate = &node->aggregate;
    const struct identity *input = below(self, node, 0);
    uint64_t window = hash_window(&aggregate->window, input);
    uint64_t hash = hash_number(hash_mix(input->rows, window), aggregate->watermark_key);
    out->rows = hash_exprs(hash, aggregate->keys, aggregate->key_count, input);
    out->state = out->rows;
    for (int32_t i = 0; i < aggregate->key_count; i++)
        out->columns[i] =
            hash_mix(out->rows, aggregate->keys[i] == NULL ? window : hash_expr(aggregate->keys[i], input));
    for (int32_t i = 0; i < aggregate->call_count; i++) {
        uint64_t call = hash_call(aggregate->calls[i], input);
        out->columns[aggregate->key_count + i] = hash_mix(out->rows, call);
        out->state = hash_mix(out->state, call);
    }
}

static void identify_duplicates(const struct fingerprint *self, const struct plan *node, struct identity *out)
{
    const struct plan_deduplicate *keys = &node->deduplicate;
    const struct identity *input = below(self, node, 0);
    uint64_t hash = hash_number(hash_mix(OF_DUPLICATES, input->rows), keys->within_watermark);
    for (int32_t i = 0; i < keys->column_count; i++)
        hash = hash_mix(hash, whole_column(self, node, 0, keys->columns[i]));
    out->rows = hash_mix(hash, keys->time_column < 0 ? 0 : input->columns[keys->time_column]);
    out->state = out->rows;
    pass_columns(self, node, 0, out);
}

/* Both sides' columns, one after the other, as an input: a column of the left is none of the right. */
static struct identity both_sides(struct fingerprint *self, const struct plan *node)
{
    int32_t left = node->inputs[0]->schema->field_count, count = left + node->inputs[1]->schema->field_count;
    struct identity both = {.columns = arena_array(&self->arena, uint64_t, (size_t)count)};
    for (int32_t i = 0; i < count; i++)
        both.columns[i] =
            hash_number(OF_SIDE, i >= left) + below(self, node, i >= left)->columns[i >= left ? i - left : i];
    return both;
}

static const struct type *side_type(const struct plan *node, int32_t column, int32_t left)
{
    int32_t side = column >= left;
    return node->inputs[side]->schema->fields[side == 1 ? column - left : column].type;
}

/* The state holds the rows of both sides, with all columns that they still have. */
static void identify_join(struct fingerprint *self, const struct plan *node, struct identity *out)
{
    const struct plan_join *join = &node->join;
    struct identity both = both_sides(self, node);
    int32_t left = node->inputs[0]->schema->field_count, count = left + node->inputs[1]->schema->field_count;
    uint64_t hash = hash_number(hash_number(OF_JOIN, join->kind), join->null_aware);
    for (int32_t side = 0; side < 2; side++) {
        const struct identity *input = below(self, node, side);
        hash = hash_exprs(hash_mix(hash, input->rows), join->sides[side].keys, join->key_count, input);
        hash = hash_mix(hash, hash_expr(join->sides[side].only, input));
    }
    for (int32_t i = 0; i < join->key_count; i++)
        hash = hash_number(hash, join->null_safe[i]);
    out->rows = hash_mix(hash, hash_expr(join->condition, &both));
    out->state = hash_number(out->rows, join->time_key);
    for (int32_t i = 0; i < count; i++)
        out->state = hash_mix(out->state, hash_whole(both.columns[i], side_type(node, i, left)));
    for (int32_t i = 0; i < node->schema->field_count; i++)
        out->columns[i] = i < count ? both.columns[i] : hash_number(out->rows, i);
}

static void identify_union(const struct fingerprint *self, const struct plan *node, struct identity *out)
{
    out->rows = OF_UNION;
    memset(out->columns, 0, (size_t)node->schema->field_count * sizeof *out->columns);
    for (int32_t j = 0; j < node->input_count; j++) {
        const struct identity *input = below(self, node, j);
        out->rows += hash_mix(OF_UNION, input->rows);
        for (int32_t i = 0; i < node->schema->field_count; i++)
            out->columns[i] += hash_mix(input->rows, input->columns[i]);
    }
}

/* Literal rows, and what cannot run yet: everything that is there, in order. */
static void identify_other(const struct fingerprint *self, const struct plan *node, struct identity *out)
{
    uint64_t hash = hash_number(OF_OTHER, (int64_t)node->kind);
    const struct identity *input = node->input_count > 0 ? below(self, node, 0) : NULL;
    for (int32_t j = 0; j < node->input_count; j++)
        hash = hash_mix(hash, below(self, node, j)->rows);
    out->rows = hash_exprs(hash, node->exprs, node->expr_count, input);
    for (int32_t i = 0; i < node->schema->field_count; i++)
        out->columns[i] = hash_number(out->rows, i);
}

static void identify(struct fingerprint *self, const struct plan *node)
{
    struct identity *out = &self->nodes[node->id];
    out->columns = arena_array(&self->arena, uint64_t, (size_t)node->schema->field_count);
    const struct identity *input = node->input_count > 0 ? below(self, node, 0) : NULL;
    uint64_t hash;
    out->rows = input != NULL ? input->rows : 0;
    switch (node->kind) {
    case PLAN_SOURCE: identify_source(node, out); break;
    case PLAN_PROJECT: identify_project(self, node, out); break;
    case PLAN_DECODE: pass_columns(self, node, hash_decode(node, input), out); break;
    case PLAN_TABLE: pass_columns(self, node, 0, out); break;
    case PLAN_FILTER:
        out->rows += hash_expr(node->exprs[0], input);
        pass_columns(self, node, 0, out);
        break;
    case PLAN_WATERMARK:
        out->state = hash_mix(OF_WATERMARK, input->columns[node->watermark.column]);
        pass_columns(self, node, 0, out);
        break;
    case PLAN_GENERATE:
        hash = hash_generate(node, input);
        out->rows += hash;
        pass_columns(self, node, hash, out);
        break;
    case PLAN_AGGREGATE: identify_aggregate(self, node, out); break;
    case PLAN_DEDUPLICATE: identify_duplicates(self, node, out); break;
    case PLAN_JOIN: identify_join(self, node, out); break;
    case PLAN_UNION: identify_union(self, node, out); break;
    default: identify_other(self, node, out);
    }
}

/* ---- the pipeline ---- */

/* Which watermarks make the W of a group, in any order. Where a filter stands, above or below one,
 * depends on who else reads it: a watermark is known by its column. */
static uint64_t hash_group(const struct fingerprint *self, const struct pipeline *pipeline, int32_t group, bool delays)
{
    const struct watermark_group *set = &pipeline->groups[group];
    uint64_t hash = 0;
    for (int32_t i = 0; i < pipeline->node_count; i++) {
        const struct plan *node = pipeline->nodes[i];
        for (int32_t k = 0; node->kind == PLAN_WATERMARK && k < set->count; k++)
            if (set->nodes[k] == node->watermark.node)
                hash += delays ? hash_number(self->nodes[i].state, node->watermark.delay_us) : self->nodes[i].state;
    }
    return hash;
}

static bool is_twice(const struct pipeline *pipeline, int32_t node)
{
    for (int32_t i = 0; i < pipeline->node_count; i++)
        if (i != node && pipeline->nodes[i]->identity == pipeline->nodes[node]->identity)
            return true;
    return false;
}

/* Versions of a node for groups that differ in their delays alone. */
static void tell_versions_apart(const struct fingerprint *self, const struct pipeline *pipeline)
{
    bool *twice = mem_array(bool, (size_t)pipeline->node_count);
    for (int32_t i = 0; i < pipeline->node_count; i++)
        twice[i] = pipeline->nodes[i]->group >= 0 && is_twice(pipeline, i);
    for (int32_t i = 0; i < pipeline->node_count; i++) {
        struct plan *node = pipeline->nodes[i];
        if (twice[i])
            node->identity = hash_mix(node->identity, hash_group(self, pipeline, node->group, true));
    }
    mem_free(twice);
}

/* Two nodes that remember the same under the same W are interchangeable: the first stays as it is. */
static void tell_twins_apart(const struct pipeline *pipeline)
{
    for (int32_t i = 0; i < pipeline->node_count; i++) {
        struct plan *node = pipeline->nodes[i];
        for (int32_t j = 0; node->identity != 0 && j < i; j++)
            if (pipeline->nodes[j]->identity == node->identity) {
                node->identity = hash_mix(node->identity, OF_OTHER);
                j = -1;
            }
    }
}

/* ---- stamps ---- */

/* With everything that the node computes, since that is what may fail: a quarantined row goes back to the
 * node that rejected it, and to no other that a change has put into its place. */
static void stamp(const struct fingerprint *self, struct plan *node)
{
    const struct identity *own = &self->nodes[node->id];
    uint64_t hash = hash_mix(hash_number(OF_OTHER, (int64_t)node->kind), hash_mix(own->rows, own->state));
    if (node->input_count > 0)
        hash = hash_exprs(hash, node->exprs, node->expr_count, below(self, node, 0));
    for (int32_t i = 0; i < node->schema->field_count; i++)
        hash = hash_mix(hash, own->columns[i]);
    for (int32_t i = 0; node->kind == PLAN_SOURCE && i < node->schema->field_count; i++)
        hash = hash_whole(hash, node->schema->fields[i].type);
    if (node->kind == PLAN_DECODE)
        hash = hash_mix(hash, hash_type(node->decode.schema));
    node->stamp = hash;
}

static void tell_stamps_apart(const struct pipeline *pipeline)
{
    for (int32_t i = 0; i < pipeline->node_count; i++)
        for (int32_t j = 0; j < i; j++)
            if (pipeline->nodes[j]->stamp == pipeline->nodes[i]->stamp) {
                pipeline->nodes[i]->stamp = hash_mix(pipeline->nodes[i]->stamp, OF_OTHER);
                j = -1;
            }
}

uint64_t plan_identify(struct pipeline *pipeline)
{
    struct fingerprint self = {.nodes = mem_array(struct identity, (size_t)pipeline->node_count)};
    uint64_t session = hash_mix(hash_text(zone_name(pipeline->session.zone)), pipeline->session.ansi);
    for (int32_t i = 0; i < pipeline->node_count; i++)
        identify(&self, pipeline->nodes[i]);
    for (int32_t i = 0; i < pipeline->node_count; i++) {
        struct plan *node = pipeline->nodes[i];
        uint64_t state = hash_mix(self.nodes[i].state, session);
        if (node->kind == PLAN_WATERMARK)
            node->identity = hash_number(state, node->watermark.delay_us);
        else if (node->group >= 0)
            node->identity = hash_mix(state, hash_group(&self, pipeline, node->group, false));
    }
    for (int32_t i = 0; i < pipeline->node_count; i++)
        stamp(&self, pipeline->nodes[i]);
    tell_stamps_apart(pipeline);
    tell_versions_apart(&self, pipeline);
    tell_twins_apart(pipeline);
    uint64_t fingerprint = hash_number(session, pipeline->watermark_policy_max);
    for (int32_t i = 0; i < pipeline->node_count; i++)
        if (pipeline->nodes[i]->identity != 0)
            fingerprint = hash_mix(fingerprint, pipeline->nodes[i]->identity);
    mem_free(self.nodes);
    arena_free(&self.arena);
    return fingerprint;
}

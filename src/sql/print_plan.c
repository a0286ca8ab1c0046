/* print_plan.c - the graph as text, for `leat check`: tables, and below each what feeds it.
 *
 *     silver: streaming table, parquet
 *       project #5 txn_id = t.txn_id, amount = t.amount
 *         filter #4 (reason IS NULL)
 *           project #3 ..
 *     quarantine: streaming table, parquet
 *       filter #6 (reason IS NOT NULL)
 *         #3 project (above)
 */
#include "sql/plan.h"

enum { SHOWN_EXPR_MAX = 100 }; // characters of one expression

static void indent(struct text *out, int32_t depth)
{
    for (int32_t i = 0; i < depth && i < 40; i++)
        text_add_string(out, "  ");
}

static void print_expr(const struct expr *expr, const struct type *schema, struct text *out)
{
    struct text shown = {0};
    expr_print(expr, schema, &shown);
    if (shown.size <= SHOWN_EXPR_MAX)
        text_add(out, shown.data, shown.size);
    else
        text_printf(out, "%.*s..", SHOWN_EXPR_MAX - 2, shown.data);
    text_free(&shown);
}

static void print_exprs(const struct plan *node, struct text *out)
{
    const struct type *input = node->input_count > 0 ? plan_input(node, 0)->schema : NULL;
    for (int32_t i = 0; i < node->expr_count; i++) {
        text_add_string(out, i > 0 ? ", " : " ");
        print_expr(node->exprs[i], input, out);
    }
}

/* name, or name = expression. */
static void print_project(const struct plan *node, struct text *out)
{
    const struct type *input = node->inputs[0]->schema;
    for (int32_t i = 0; i < node->expr_count; i++) {
        const char *name = node->schema->fields[i].name;
        const struct expr *expr = node->exprs[i];
        text_printf(out, "%s%s", i > 0 ? ", " : " ", name);
        if (expr->kind == EXPR_COLUMN && expr->index < input->field_count &&
            strcmp(input->fields[expr->index].name, name) == 0)
            continue;
        text_add_string(out, " = ");
        print_expr(expr, input, out);
    }
}

/* The predicate; where the optimiser moved it into the projection below, the one that stands
 * there. */
static void print_filter(const struct plan *node, struct text *out)
{
    const struct plan *below = node->inputs[0];
    const struct expr *predicate = node->exprs[0];
    text_add_char(out, ' ');
    if (predicate->kind == EXPR_COLUMN && below->kind == PLAN_PROJECT && predicate->index < below->expr_count)
        print_expr(below->exprs[predicate->index], below->inputs[0]->schema, out);
    else
        print_expr(predicate, below->schema, out);
}

void duration_print(int64_t us, struct text *out)
{
    static const struct {
        int64_t us;
        const char *name;
    } units[] = {{86400000000, "day"}, {3600000000, "hour"}, {60000000, "minute"},
                 {1000000, "second"},  {1000, "ms"},         {1, "us"}};
    for (size_t i = 0; i < sizeof units / sizeof units[0]; i++)
        if (us % units[i].us == 0 && (us != 0 || units[i].us == 1000000)) {
            text_printf(out, "%lld %s%s", (long long)(us / units[i].us), units[i].name,
                        us / units[i].us == 1 || i > 3 ? "" : "s");
            return;
        }
}

static void print_window(const struct plan_window *window, const struct type *input, struct text *out)
{
    text_add_string(out, window->gap != NULL ? "session_window(" : "window(");
    print_expr(window->time, input, out);
    text_add_string(out, ", ");
    if (window->gap != NULL && window->gap->kind == EXPR_LITERAL)
        duration_print(column_values(window->gap->literal, int64_t)[0], out);
    else if (window->gap != NULL)
        print_expr(window->gap, input, out);
    else
        duration_print(window->size_us, out);
    if (window->slide_us != window->size_us) {
        text_add_string(out, ", ");
        duration_print(window->slide_us, out);
    }
    text_add_char(out, ')');
}

static void print_aggregate(const struct plan *node, struct text *out)
{
    const struct plan_aggregate *aggregate = &node->aggregate;
    const struct type *input = node->inputs[0]->schema;
    text_add_string(out, " by");
    for (int32_t i = 0; i < aggregate->key_count; i++) {
        text_add_string(out, i > 0 ? ", " : " ");
        if (i == aggregate->window.key)
            print_window(&aggregate->window, input, out);
        else
            print_expr(aggregate->keys[i], input, out);
    }
    text_add_string(out, aggregate->key_count == 0 ? " nothing:" : aggregate->call_count == 0 ? "" : ":");
    for (int32_t i = 0; i < aggregate->call_count; i++)
        text_printf(out, "%s %s", i > 0 ? "," : "", node->schema->fields[aggregate->key_count + i].name);
}

static void print_deduplicate(const struct plan *node, struct text *out)
{
    const struct plan_deduplicate *keys = &node->deduplicate;
    text_add_string(out, " by");
    for (int32_t i = 0; i < keys->column_count; i++)
        text_printf(out, "%s %s", i > 0 ? "," : "", node->schema->fields[keys->columns[i]].name);
    if (keys->within_watermark) {
        text_add_string(out, " within ");
        duration_print(keys->delay_us, out);
    } else if (!keys->time_is_key && node->streaming) {
        text_add_string(out, " for ever");
    }
}

static void print_columns(const struct type *schema, struct text *out)
{
    for (int32_t i = 0; i < schema->field_count; i++)
        text_printf(out, "%s%s", i > 0 ? ", " : " ", schema->fields[i].name);
}

static void print_decode(const struct plan *node, struct text *out)
{
    const struct plan_decode *decode = &node->decode;
    print_exprs(node, out);
    text_printf(out, " as %s:", decode->format);
    bool all = decode->needed == NULL || decode->schema->id != TYPE_STRUCT;
    for (int32_t i = 0; !all && i < decode->schema->field_count; i++)
        if (decode->needed[i])
            text_printf(out, " %s", decode->schema->fields[i].name);
    if (all)
        text_add_string(out, " everything");
}

static void print_generate(const struct plan *node, struct text *out)
{
    static const char *const names[] = {"explode", "posexplode", "inline", "stack"};
    text_printf(out, " %s%s(", names[node->generate.kind], node->generate.outer ? "_outer" : "");
    for (int32_t i = 0; i < node->generate.arg_count; i++) {
        text_add_string(out, i > 0 ? ", " : "");
        print_expr(node->generate.args[i], node->inputs[0]->schema, out);
    }
    text_add_string(out, ") ->");
    for (int32_t i = node->schema->field_count - node->generate.generated; i < node->schema->field_count; i++)
        text_printf(out, " %s", node->schema->fields[i].name);
}

/* One expression after a word; nothing when there is none. */
static void print_part(const char *word, const struct expr *expr, const struct type *schema, struct text *out)
{
    if (expr == NULL)
        return;
    text_printf(out, ", %s ", word);
    print_expr(expr, schema, out);
}

/* Both inputs' columns, told apart. */
static const struct type *named_sides(struct arena *arena, const struct type *left, const struct type *right)
{
    int32_t count = left->field_count + right->field_count;
    struct field *fields = arena_array(arena, struct field, (size_t)count);
    for (int32_t i = 0; i < count; i++) {
        bool is_left = i < left->field_count;
        fields[i] = is_left ? left->fields[i] : right->fields[i - left->field_count];
        fields[i].name = arena_printf(arena, "%s.%s", is_left ? "left" : "right", fields[i].name);
    }
    return type_struct(arena, fields, count);
}

static void print_bound(const struct plan *node, int side, struct text *out)
{
    const struct plan_join_side *bound = &node->join.sides[side];
    static const char *const sides[] = {"left", "right"};
    if (!bound->bounded || bound->time_column < 0 || node->join.time_key >= 0)
        return;
    int64_t shift_us = bound->shift_us < 0 ? -bound->shift_us : bound->shift_us;
    text_printf(out, ", %s until %s <= W", sides[side], node->inputs[side]->schema->fields[bound->time_column].name);
    if (shift_us != 0) {
        text_add_string(out, bound->shift_us < 0 ? " - " : " + ");
        duration_print(shift_us, out);
    }
}

/* join #7 left: k = k, right only (v > 0), if (left.at >= right.at), left until at <= W - 1 ms */
static void print_join(const struct plan *node, struct text *out)
{
    static const char *const kinds[] = {"inner", "cross", "left", "right", "full", "semi", "anti"};
    const struct plan_join *join = &node->join;
    const struct type *left = node->inputs[0]->schema, *right = node->inputs[1]->schema;
    struct arena arena = {0};
    text_printf(out, " %s%s", kinds[join->kind], join->null_aware ? " (NOT IN)" : "");
    for (int32_t i = 0; i < join->key_count; i++) {
        text_add_string(out, i > 0 ? ", " : ": ");
        print_expr(join->sides[0].keys[i], left, out);
        text_add_string(out, join->null_safe[i] ? " <=> " : " = ");
        print_expr(join->sides[1].keys[i], right, out);
        text_add_string(out, i == join->time_key ? " (time)" : "");
    }
    print_part("left only", join->sides[0].only, left, out);
    print_part("right only", join->sides[1].only, right, out);
    print_part("if", join->condition, named_sides(&arena, left, right), out);
    for (int side = 0; side < 2; side++)
        print_bound(node, side, out);
    if (!node->inputs[0]->streaming || !node->inputs[1]->streaming)
        text_printf(out, "; still: %s",
                    node->inputs[0]->streaming   ? "right"
                    : node->inputs[1]->streaming ? "left"
                                                 : "both");
    arena_free(&arena);
}

static const char *kind_name(enum plan_kind kind)
{
    static const char *const names[PLAN_KIND_COUNT] = {
#define X(name, text) text,
        PLAN_KINDS(X)
#undef X
    };
    return names[kind];
}

static void print_node(const struct plan *node, struct text *out)
{
    text_printf(out, "%s #%d", kind_name(node->kind), node->id);
    switch (node->kind) {
    case PLAN_SOURCE:
        text_printf(out, " %s (%s):", node->source->name, node->source->format);
        print_columns(node->schema, out);
        break;
    case PLAN_TABLE: text_printf(out, " %s", node->table.name); break;
    case PLAN_PROJECT: print_project(node, out); break;
    case PLAN_FILTER: print_filter(node, out); break;
    case PLAN_DECODE: print_decode(node, out); break;
    case PLAN_AGGREGATE: print_aggregate(node, out); break;
    case PLAN_GENERATE: print_generate(node, out); break;
    case PLAN_DEDUPLICATE: print_deduplicate(node, out); break;
    case PLAN_WATERMARK:
        text_printf(out, " %s, delay ", node->schema->fields[node->watermark.column].name);
        duration_print(node->watermark.delay_us, out);
        break;
    case PLAN_JOIN: print_join(node, out); break;
    case PLAN_VALUES: text_printf(out, " of %d columns", node->schema->field_count); break;
    default: print_exprs(node, out);
    }
    if (node->unsupported != NULL && (node->streaming || node->kind == PLAN_SOURCE))
        text_printf(out, "  (cannot run yet: %s)", node->unsupported);
}

void plan_state_print(const struct plan *plan, struct text *out)
{
    struct text line = {0};
    if (plan->kind == PLAN_AGGREGATE)
        print_aggregate(plan, &line);
    else if (plan->kind == PLAN_DEDUPLICATE)
        print_deduplicate(plan, &line);
    else if (plan->kind == PLAN_JOIN)
        print_join(plan, &line);
    if (line.size > 0)
        text_add_string(out, line.data + 1); // each begins with the blank behind its number
    text_free(&line);
}

static void print_tree(const struct plan *node, int32_t depth, bool *printed, struct text *out)
{
    indent(out, depth);
    if (printed[node->id]) {
        text_printf(out, "#%d %s (above)\n", node->id, kind_name(node->kind));
        return;
    }
    printed[node->id] = true;
    print_node(node, out);
    text_add_char(out, '\n');
    for (int32_t i = 0; i < node->input_count; i++)
        print_tree(plan_input(node, i), depth + 1, printed, out);
}

void plan_print(struct arena *arena, struct plan *root, struct text *out)
{
    struct plan_list nodes;
    plan_collect(arena, &root, 1, &nodes);
    bool *printed = arena_array(arena, bool, (size_t)nodes.count + 1);
    for (int32_t i = 0; i < nodes.count; i++)
        nodes.nodes[i]->unsupported = NULL; // that is what streams cannot do
    print_tree(root, 0, printed, out);
}

static void print_table(const struct pipeline_table *table, bool *printed, struct text *out)
{
    const char *kind = table->is_sink ? "sink" : table->materialized ? "materialized view" : "streaming table";
    text_printf(out, "%s: %s, %s\n", table->name, kind, table->format);
    for (int32_t i = 0; i < table->flow_count; i++) {
        if (table->flow_count > 1)
            text_printf(out, "  flow %s\n", table->flow_names[i]);
        print_tree(table->flows[i], table->flow_count > 1 ? 2 : 1, printed, out);
    }
}

void pipeline_print(const struct pipeline *pipeline, struct text *out)
{
    bool *printed = mem_array(bool, (size_t)pipeline->node_count);
    for (int32_t i = 0; i < pipeline->table_count; i++)
        print_table(pipeline->tables[i], printed, out);
    mem_free(printed);
}

/* source_tests.c - parts of a filter that compare a column of files with a constant, told to who reads the files
 * (data/row_test.h). The filter stays.
 */
#include "sql/optimise.h"
#include "sql/predicate.h"

enum { TESTS_MAX = 64 }; /* of one filter; more are not told */

struct tests {
    struct arena *arena;
    const struct type *schema;
    struct row_test *items;
    int32_t count;
};

static void test_add(struct tests *self, const struct expr *column, enum row_test_kind kind, const struct expr *literal)
{
    if (self->count == TESTS_MAX || (literal != NULL && column_is_null(literal->literal, 0)))
        return;
    self->items[self->count++] = (struct row_test){.column = self->schema->fields[column->index].name,
                                                   .kind = kind,
                                                   .value = literal != NULL ? literal->literal : NULL};
}

/* The column, also where it is read as a wider integer: its values stay the same. */
static const struct expr *column_under(const struct expr *expr)
{
    while (expr->kind == EXPR_CAST && type_is_integer(expr->type) && type_is_integer(expr->args[0]->type) &&
           type_width(expr->type) >= type_width(expr->args[0]->type))
        expr = expr->args[0];
    return expr->kind == EXPR_COLUMN && expr->index < COLUMN_MARK ? expr : NULL;
}

static void comparison_add(struct tests *self, const struct expr *left, enum row_test_kind kind,
                           const struct expr *right)
{
    static const enum row_test_kind turned[] = {[ROW_EQUAL] = ROW_EQUAL,
                                                [ROW_LESS] = ROW_GREATER,
                                                [ROW_LESS_EQUAL] = ROW_GREATER_EQUAL,
                                                [ROW_GREATER] = ROW_LESS,
                                                [ROW_GREATER_EQUAL] = ROW_LESS_EQUAL};
    const struct expr *column = column_under(left);
    if (column != NULL && right->kind == EXPR_LITERAL)
        test_add(self, column, kind, right);
    else if ((column = column_under(right)) != NULL && left->kind == EXPR_LITERAL)
        test_add(self, column, turned[kind], left);
}

static void part_add(struct tests *self, const struct expr *part)
{
    static const struct {
        const char *name;
        enum row_test_kind kind;
    } comparisons[] = {{"=", ROW_EQUAL},       {"<=>", ROW_EQUAL}, {"<", ROW_LESS},
                       {"<=", ROW_LESS_EQUAL}, {">", ROW_GREATER}, {">=", ROW_GREATER_EQUAL}};
    if (part->kind != EXPR_CALL)
        return;
    for (size_t i = 0; i < sizeof comparisons / sizeof *comparisons; i++)
        if (part->arg_count == 2 && expr_is_call(part, comparisons[i].name))
            comparison_add(self, part->args[0], comparisons[i].kind, part->args[1]);
    if (part->arg_count == 3 && expr_is_call(part, "between")) {
        comparison_add(self, part->args[0], ROW_GREATER_EQUAL, part->args[1]);
        comparison_add(self, part->args[0], ROW_LESS_EQUAL, part->args[2]);
    }
    const struct expr *column = part->arg_count == 1 ? column_under(part->args[0]) : NULL;
    if (column != NULL && expr_is_call(part, "isnotnull"))
        test_add(self, column, ROW_NOT_NULL, NULL);
}

static void source_test(struct optimiser *self, const struct expr *predicate, struct plan *node)
{
    struct arena *arena = self->expr->arena;
    struct list parts = {0};
    struct tests tests = {
        .arena = arena, .schema = node->schema, .items = arena_array(arena, struct row_test, TESTS_MAX)};
    predicate_split(arena, predicate, &parts);
    for (int32_t i = 0; i < parts.count; i++)
        part_add(&tests, parts.items[i]);
    if (tests.count == 0)
        return;
    struct pipeline_source *source = arena_new(arena, struct pipeline_source);
    *source = *node->source; // another filter over the same files asks for other rows
    source->tests = tests.items;
    source->test_count = tests.count;
    node->source = source;
}

void test_sources(struct optimiser *self)
{
    optimiser_collect(self);
    for (int32_t i = 0; i < self->nodes.count; i++) {
        const struct plan *filter = self->nodes.nodes[i];
        struct plan *node = filter->kind == PLAN_FILTER ? filter->inputs[0] : NULL;
        bool files = node != NULL && node->kind == PLAN_SOURCE && !node->streaming && node->source->size_bytes > 0;
        if (files && node->user_count == 1)
            source_test(self, filter->exprs[0], node);
    }
}

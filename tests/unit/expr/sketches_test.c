/* sketches_test.c - approx_count_distinct says what Spark says at every size, and quantiles are exact while
 * they promise it and near enough beyond. */
#include <math.h>
#include <stdlib.h>

#include "expr/aggregate.h"
#include "trees.h"

struct fixture {
    struct arena arena;
    struct session session;
    struct expr_context ctx;
    struct rejects rejects;
    size_t heap_bytes;
};

static void fixture_open(struct fixture *test)
{
    *test = (struct fixture){.session = {.zone = zone_utc(), .ansi = true}};
    test->ctx = (struct expr_context){&test->arena, &test->session};
}

static void fixture_close(struct fixture *test)
{
    CHECK_INT(test->heap_bytes, 0);
    CHECK_INT(test->rejects.count, 0);
    rejects_free(&test->rejects);
    arena_free(&test->arena);
}

static const struct aggregate_call *bind(struct fixture *test, const char *name, const struct type *type,
                                         const struct expr *second, const struct expr *third)
{
    struct error err;
    const struct field field = {"c", type, true};
    const struct expr *args[] = {expr_column(&test->ctx, 0, &field, (struct position){0}), second, third};
    const struct aggregate_call *call = NULL;
    CHECK_INT(aggregate_bind(&test->ctx, name, args, 1 + (second != NULL) + (third != NULL), false, NULL,
                             (struct position){0}, &call, &err),
              E_OK);
    return call;
}

static void add(struct fixture *test, const struct aggregate_call *call, const struct column *col, void *state)
{
    uint32_t *slots = mem_array(uint32_t, (size_t)col->rows);
    aggregate_add(&(struct aggregate_rows){.call = call,
                                           .args = col,
                                           .rows = col->rows,
                                           .base = state,
                                           .stride = call->state_size,
                                           .slots = slots,
                                           .rejects = &test->rejects,
                                           .heap_bytes = &test->heap_bytes});
    mem_free(slots);
}

/* from, from + 1, .. as BIGINT, INT or DOUBLE */
static void put_range(struct column *col, enum type_id id, int64_t from, int64_t count)
{
    struct builder builder;
    builder_init(&builder, type_of(id));
    for (int64_t i = 0; i < count; i++)
        id == TYPE_DOUBLE ? builder_double(&builder, (double)(from + i)) : builder_int(&builder, from + i);
    builder_finish(&builder, col);
    builder_release(&builder);
}

static void finish(const struct aggregate_call *call, const void *state, struct column *out)
{
    struct builder builder;
    builder_init(&builder, call->type);
    CHECK(aggregate_finish(call, state, &builder));
    builder_finish(&builder, out);
    builder_release(&builder);
}

/* ---- different values ---- */

/* Spark 4.2: SELECT approx_count_distinct(id), (id, 0.01), (CAST(id AS INT), 0.2), (CAST(id AS DOUBLE)), (id,
 * 0.39) FROM range(n) */
static const struct {
    int64_t rows, says[5];
} counted[] = {
    {1, {1, 1, 1, 1, 1}},
    {2, {2, 2, 2, 2, 2}},
    {10, {10, 10, 11, 10, 13}},
    {100, {103, 100, 89, 97, 80}},
    {300, {296, 301, 324, 298, 302}},
    {390, {392, 391, 387, 394, 339}},
    {400, {397, 401, 431, 405, 339}},
    {410, {403, 410, 438, 419, 350}},
    {500, {484, 500, 581, 510, 374}},
    {700, {698, 697, 792, 722, 441}},
    {1000, {1026, 996, 910, 1115, 979}},
    {1500, {1400, 1507, 1275, 1484, 1505}},
    {2000, {1947, 2013, 2148, 1925, 2442}},
    {2500, {2378, 2495, 2755, 2346, 2548}},
    {2600, {2483, 2592, 2798, 2460, 2548}},
    {3000, {2770, 2991, 2992, 2837, 3016}},
    {5000, {4671, 4957, 5306, 4558, 5387}},
    {20000, {19522, 19867, 16343, 18487, 24816}},
    {100000, {95546, 100425, 83826, 93425, 78139}},
};

TEST(approximate_counts_are_sparks)
{
    struct fixture test;
    fixture_open(&test);
    static const struct {
        enum type_id type;
        double deviation;
    } kinds[] = {{TYPE_INT64, 0}, {TYPE_INT64, 0.01}, {TYPE_INT32, 0.2}, {TYPE_DOUBLE, 0}, {TYPE_INT64, 0.39}};
    for (int k = 0; k < 5; k++) {
        const struct expr *deviation =
            kinds[k].deviation > 0 ? expr_double(&test.ctx, kinds[k].deviation, (struct position){0}) : NULL;
        const struct aggregate_call *call =
            bind(&test, "approx_count_distinct", type_of(kinds[k].type), deviation, NULL);
        void *state = mem_zero(call->state_size), *other = mem_zero(call->state_size);
        int64_t done = 0;
        for (size_t i = 0; i < sizeof counted / sizeof *counted; i++) {
            struct column col, out;
            put_range(&col, kinds[k].type, done, counted[i].rows - done);
            add(&test, call, &col, i % 2 == 0 ? state : other);
            CHECK(aggregate_merge(call, state, other, &test.heap_bytes));
            finish(call, state, &out);
            if (column_values(&out, const int64_t)[0] != counted[i].says[k])
                kit_fail(__FILE__, __LINE__, "kind %d of %lld: %lld, Spark says %lld", k, (long long)counted[i].rows,
                         (long long)column_values(&out, const int64_t)[0], (long long)counted[i].says[k]);
            done = counted[i].rows;
            column_release(&col);
            column_release(&out);
        }
        aggregate_drop(call, state, &test.heap_bytes);
        aggregate_drop(call, other, &test.heap_bytes);
        mem_free(state);
        mem_free(other);
    }
    fixture_close(&test);
}

/* ---- quantiles ---- */

enum { FRACTIONS = 7 };
static const char *const fractions_text = "(array 0.0d 0.1d 0.25d 0.5d 0.9d 0.99d 1.0d)";
static const double fractions[FRACTIONS] = {0, 0.1, 0.25, 0.5, 0.9, 0.99, 1};

/* The numbers 0 .. rows - 1 in no order, by `lanes` states that are merged, saved and loaded on the way. */
static void quantiles_of(struct fixture *test, const struct aggregate_call *call, int64_t rows, int lanes,
                         struct column *out)
{
    uint8_t *states = mem_zero(call->state_size * (size_t)lanes);
    for (int64_t done = 0, step; done < rows; done += step) {
        step = rows - done < 1000 ? rows - done : 1000;
        struct builder builder;
        struct column col;
        builder_init(&builder, type_of(TYPE_INT64));
        for (int64_t i = 0; i < step; i++)
            builder_int(&builder, (done + i) * 7919 % rows); // 7919 is prime
        builder_finish(&builder, &col);
        builder_release(&builder);
        add(test, call, &col, states + (size_t)(done / 1000 % lanes) * call->state_size);
        column_release(&col);
    }
    struct text saved = {0};
    for (int lane = 0; lane < lanes; lane++) {
        uint8_t *state = states + (size_t)lane * call->state_size;
        struct error err;
        text_clear(&saved);
        aggregate_save(call, state, &saved);
        struct bytes in = text_view(&saved);
        aggregate_drop(call, state, &test->heap_bytes);
        CHECK_INT(aggregate_load(call, &in, state, &test->heap_bytes, &err), E_OK);
        if (lane > 0)
            CHECK(aggregate_merge(call, states, state, &test->heap_bytes));
    }
    finish(call, states, out);
    for (int lane = 0; lane < lanes; lane++)
        aggregate_drop(call, states + (size_t)lane * call->state_size, &test->heap_bytes);
    text_free(&saved);
    mem_free(states);
}

/* The largest distance, in places, from the right rank. */
static double worst_of(const struct column *list, int64_t rows)
{
    double worst = 0;
    for (int k = 0; k < FRACTIONS; k++) {
        double rank = ceil(fractions[k] * (double)rows) - 1;
        double got = (double)column_values(&list->children[0], const int64_t)[k];
        worst = fmax(worst, fabs(got - (rank < 0 ? 0 : rank)));
    }
    return worst;
}

TEST(quantiles_are_exact_or_near)
{
    struct fixture test;
    fixture_open(&test);
    trees_open();
    const struct expr *wanted = tree(fractions_text);
    for (int lanes = 1; lanes <= 5; lanes += 2) {
        static const struct {
            int64_t rows, accuracy;
            double off; /* places */
        } cases[] = {{1, 10000, 0},     {10, 10000, 0},      {99, 10000, 0},      {4999, 10000, 0},
                     {20000, 10000, 0}, {200000, 10000, 20}, {100000, 100, 1000}, {30000, 1000, 30}};
        for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
            struct column out;
            const struct expr *accuracy =
                expr_int(&test.ctx, type_of(TYPE_INT32), cases[i].accuracy, (struct position){0});
            const struct aggregate_call *call = bind(&test, "percentile_approx", type_of(TYPE_INT64), wanted, accuracy);
            quantiles_of(&test, call, cases[i].rows, lanes, &out);
            double worst = worst_of(&out, cases[i].rows);
            if (worst > cases[i].off)
                kit_fail(__FILE__, __LINE__, "%lld rows, accuracy %lld, %d lanes: off by %g places",
                         (long long)cases[i].rows, (long long)cases[i].accuracy, lanes, worst);
            column_release(&out);
        }
    }
    trees_close();
    fixture_close(&test);
}

TEST(percentiles_are_exact)
{
    struct fixture test;
    fixture_open(&test);
    const struct aggregate_call *call =
        bind(&test, "percentile", type_of(TYPE_INT64), expr_double(&test.ctx, 0.3, (struct position){0}), NULL);
    static const struct { // Spark 4.2: percentile(id, 0.3) FROM range(n)
        int64_t rows;
        double value;
    } cases[] = {
        {1, 0}, {2, 0.3}, {3, 0.6}, {10, 2.6999999999999997}, {99, 29.4}, {1000, 299.7}, {4999, 1499.3999999999999}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct column out;
        quantiles_of(&test, call, cases[i].rows, 3, &out);
        CHECK(column_values(&out, const double)[0] == cases[i].value);
        column_release(&out);
    }
    fixture_close(&test);
}

TEST(constants_of_sketches_are_checked)
{
    static const struct {
        const char *name, *second, *third, *says;
    } cases[] = {
        {"percentile_approx", "1.5d", NULL, "The percentage must be between"},
        {"percentile_approx", "null", NULL, "UNEXPECTED_NULL"},
        {"percentile_approx", "0.5d", "0", "The accuracy must be between"},
        {"percentile_approx", "0.5d", "null", "UNEXPECTED_NULL"},
        {"percentile_approx", "#0", NULL, "NON_FOLDABLE_INPUT"},
        {"percentile", "-0.1d", NULL, "The percentage must be between"},
        {"approx_count_distinct", "0.4d", NULL, "at most 0.39"},
        {"approx_count_distinct", "0.0001d", NULL, "1 MiB"},
        {"approx_count_distinct", "0d", NULL, "above 0"},
    };
    struct expr_context *ctx = trees_open();
    tree_columns(tree_type("c BIGINT"));
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct error err = {0};
        const struct aggregate_call *call;
        const struct expr *args[] = {tree("#0"), tree(cases[i].second),
                                     cases[i].third == NULL ? NULL : tree(cases[i].third)};
        enum code code = aggregate_bind(ctx, cases[i].name, args, cases[i].third == NULL ? 2 : 3, false, NULL,
                                        (struct position){0}, &call, &err);
        if (code != E_SQL || strstr(err.text, cases[i].says) == NULL)
            kit_fail(__FILE__, __LINE__, "%s %s: %d %s", cases[i].name, cases[i].second, (int)code, err.text);
    }
    trees_close();
}

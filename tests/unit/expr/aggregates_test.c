/* aggregates_test.c - every aggregate over a small table against Spark's answers, in one go, merged from lanes, and saved
 * and loaded in between; and that all of them are in the table. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "expr/aggregate.h"
#include "trees.h"

enum { ROWS = 6, GROUPS = 2, LANES = 3 };

static const char *const rows[ROWS][8] = {
    {"1", "10", "1.5", "1.10", "a", "true", "2026-01-01", "0"},
    {NULL, "20", NULL, "2.25", NULL, "false", "2026-01-03", "0"},
    {"5", NULL, "-2.0", NULL, "z", NULL, NULL, "1"},
    {"3", "30", "2.5", "-0.35", "b", "true", "2025-01-01", "0"},
    {"7", "9", "NaN", "99.99", "", "true", "2026-05-05", "1"},
    {"1", "10", "1.5", "1.10", "a", "true", "2026-01-02", "0"},
};
static const char schema_text[] = "i INT, b BIGINT, d DOUBLE, m DECIMAL(12,2), s STRING, t BOOLEAN, k DATE, g INT";

#define I "#0"
#define B "#1"
#define D "#2"
#define M "#3"
#define S "#4"
#define T "#5"
#define K "#6"
static const struct expected {
    const char *name, *args[4];
    bool distinct;
    const char *type, *values[GROUPS];
} cases[] = {
    {"count", {NULL}, false, "bigint", {"4", "2"}},
    {"count", {I}, false, "bigint", {"3", "2"}},
    {"count", {I, S}, false, "bigint", {"3", "2"}},
    {"sum", {I}, false, "bigint", {"5", "12"}},
    {"sum", {B}, false, "bigint", {"70", "9"}},
    {"sum", {D}, false, "double", {"5.5", "NaN"}},
    {"sum", {M}, false, "decimal(22,2)", {"4.10", "99.99"}},
    {"sum", {"(cast tinyint " I ")"}, false, "bigint", {"5", "12"}},
    {"sum", {"(cast decimal(38,2) " M ")"}, false, "decimal(38,2)", {"4.10", "99.99"}},
    {"avg", {I}, false, "double", {"1.6666666666666667", "6.0"}},
    {"avg", {B}, false, "double", {"17.5", "9.0"}},
    {"avg", {D}, false, "double", {"1.8333333333333333", "NaN"}},
    {"avg", {M}, false, "decimal(16,6)", {"1.025000", "99.990000"}},
    {"avg", {"(cast decimal(38,10) " M ")"}, false, "decimal(38,14)", {"1.02500000000000", "99.99000000000000"}},
    {"min", {I}, false, "int", {"1", "5"}},
    {"max", {I}, false, "int", {"3", "7"}},
    {"min", {D}, false, "double", {"1.5", "-2.0"}},
    {"max", {D}, false, "double", {"2.5", "NaN"}},
    {"min", {M}, false, "decimal(12,2)", {"-0.35", "99.99"}},
    {"max", {M}, false, "decimal(12,2)", {"2.25", "99.99"}},
    {"min", {S}, false, "string", {"a", ""}},
    {"max", {S}, false, "string", {"b", "z"}},
    {"min", {T}, false, "boolean", {"false", "true"}},
    {"max", {T}, false, "boolean", {"true", "true"}},
    {"min", {K}, false, "date", {"2025-01-01", "2026-05-05"}},
    {"max", {K}, false, "date", {"2026-01-03", "2026-05-05"}},
    {"first", {I}, false, "int", {"1", "5"}},
    {"last", {I}, false, "int", {"1", "7"}},
    {"first", {S}, false, "string", {"a", "z"}},
    {"last", {S}, false, "string", {"a", ""}},
    {"first", {I, "true"}, false, "int", {"1", "5"}},
    {"last", {S, "true"}, false, "string", {"a", ""}},
    {"any_value", {D}, false, "double", {"1.5", "-2.0"}},
    {"bool_and", {T}, false, "boolean", {"false", "true"}},
    {"bool_or", {T}, false, "boolean", {"true", "true"}},
    {"every", {T}, false, "boolean", {"false", "true"}},
    {"some", {T}, false, "boolean", {"true", "true"}},
    {"count_if", {T}, false, "bigint", {"3", "1"}},
    {"stddev", {D}, false, "double", {"0.5773502691896258", "NaN"}},
    {"stddev", {I}, false, "double", {"1.1547005383792517", "1.4142135623730951"}},
    {"stddev_pop", {I}, false, "double", {"0.9428090415820634", "1.0"}},
    {"variance", {B}, false, "double", {"91.66666666666667", "NULL"}},
    {"var_samp", {I}, false, "double", {"1.3333333333333335", "2.0"}},
    {"var_pop", {I}, false, "double", {"0.888888888888889", "1.0"}},
    {"max_by", {S, I}, false, "string", {"b", ""}},
    {"min_by", {S, I}, false, "string", {"a", "z"}},
    {"max_by", {I, S}, false, "int", {"3", "5"}},
    {"min_by", {I, D}, false, "int", {"1", "5"}},
    {"collect_list", {I}, false, "array<int>", {"[1, 3, 1]", "[5, 7]"}},
    {"collect_list", {S}, false, "array<string>", {"[a, b, a]", "[z, ]"}},
    {"collect_set", {I}, false, "array<int>", {"[1, 3]", "[5, 7]"}},
    {"sum", {I}, true, "bigint", {"4", "12"}},
    {"count", {I}, true, "bigint", {"2", "2"}},
    {"count", {I, S}, true, "bigint", {"2", "2"}},
    {"avg", {M}, true, "decimal(16,6)", {"1.000000", "99.990000"}},
    {"max", {M}, true, "decimal(12,2)", {"2.25", "99.99"}},
    {"bit_and", {I}, false, "int", {"1", "5"}},
    {"bit_or", {I}, false, "int", {"3", "7"}},
    {"bit_xor", {I}, false, "int", {"3", "2"}},
    {"corr", {I, B}, false, "double", {"1.0", "NULL"}},
    {"regr_count", {I, B}, false, "bigint", {"3", "1"}},
    {"regr_avgx", {I, B}, false, "double", {"16.666666666666668", "9.0"}},
    {"regr_avgy", {I, B}, false, "double", {"1.6666666666666667", "7.0"}},
    {"regr_sxx", {I, B}, false, "double", {"266.6666666666667", "0.0"}},
    {"regr_syy", {I, B}, false, "double", {"2.666666666666667", "0.0"}},
    {"regr_sxy", {I, B}, false, "double", {"26.666666666666668", "0.0"}},
    {"regr_slope", {B, I}, false, "double", {"10.0", "NULL"}},
    {"regr_intercept", {I, B}, false, "double", {"0.0", "NULL"}},
    {"regr_r2", {I, B}, false, "double", {"1.0", "NULL"}},
    {"covar_pop", {I, B}, false, "double", {"8.88888888888889", "0.0"}},
    {"covar_samp", {I, B}, false, "double", {"13.333333333333334", "NULL"}},
    {"max", {"(array " I ")"}, false, "array<int>", {"[3]", "[7]"}},
    {"min", {"(named_struct 'x' " I ")"}, false, "struct<x:int>", {"{null}", "{5}"}},
    {"array_agg", {D}, false, "array<double>", {"[1.5, 2.5, 1.5]", "[-2.0, NaN]"}},
    {"sum",
     {"(make_dt_interval " I ")"},
     false,
     "interval day to second",
     {"INTERVAL '5 00:00:00' DAY TO SECOND", "INTERVAL '12 00:00:00' DAY TO SECOND"}},
    {"avg",
     {"(make_dt_interval " I ")"},
     false,
     "interval day to second",
     {"INTERVAL '1 16:00:00' DAY TO SECOND", "INTERVAL '6 00:00:00' DAY TO SECOND"}},
    {"std", {I}, false, "double", {"1.1547005383792517", "1.4142135623730951"}},
    {"max", {"(cast decimal(30,2) " M ")"}, false, "decimal(30,2)", {"2.25", "99.99"}},
    {"max", {"(cast float " D ")"}, false, "float", {"2.5", "NaN"}},
    {"try_sum", {B}, false, "bigint", {"70", "9"}},
    {"try_avg", {B}, false, "double", {"17.5", "9.0"}},
    {"skewness", {I}, false, "double", {"0.7071067811865475", "0.0"}},
    {"skewness", {B}, false, "double", {"0.49338220021815865", "NULL"}},
    {"kurtosis", {I}, false, "double", {"-1.5000000000000004", "-2.0"}},
    {"kurtosis", {B}, false, "double", {"-1.371900826446281", "NULL"}},
    {"approx_count_distinct", {I}, false, "bigint", {"2", "2"}},
    {"approx_count_distinct", {S}, false, "bigint", {"2", "2"}},
    {"approx_count_distinct", {D, "0.3d"}, false, "bigint", {"2", "2"}},
    {"approx_count_distinct", {M}, false, "bigint", {"3", "1"}},
    {"percentile_approx", {I, "0.5"}, false, "int", {"1", "5"}},
    {"percentile_approx", {M, "0.5"}, false, "decimal(12,2)", {"1.10", "99.99"}},
    {"percentile_approx", {K, "0.5d"}, false, "date", {"2026-01-01", "2026-05-05"}},
    {"percentile_approx", {B, "(array 0.0 0.5 1.0)"}, false, "array<bigint>", {"[10, 10, 30]", "[9, 9, 9]"}},
    {"percentile_approx",
     {"(make_dt_interval " I ")", "0.5"},
     false,
     "interval day to second",
     {"INTERVAL '1 00:00:00' DAY TO SECOND", "INTERVAL '5 00:00:00' DAY TO SECOND"}},
    {"percentile_approx",
     {"(cast timestamp " K ")", "0.9"},
     false,
     "timestamp",
     {"2026-01-03 00:00:00", "2026-05-05 00:00:00"}},
    {"percentile", {B, "0.3"}, false, "double", {"10.0", "9.0"}},
    {"percentile", {I, "0.1"}, false, "double", {"1.0", "5.2"}},
    {"percentile", {M, "0.5"}, false, "double", {"1.1", "99.99"}},
    {"percentile", {B, "(array 0.25 0.75)"}, false, "array<double>", {"[10.0, 22.5]", "[9.0, 9.0]"}},
    {"percentile_cont", {B, "0.5", "false"}, false, "double", {"15.0", "9.0"}},
    {"percentile_cont", {B, "0.25", "true"}, false, "double", {"22.5", "9.0"}},
    {"percentile_disc", {B, "0.5", "false"}, false, "double", {"10.0", "9.0"}},
    {"percentile_disc", {B, "0.5", "true"}, false, "double", {"20.0", "9.0"}},
    {"listagg", {S}, false, "string", {"aba", "z"}},
    {"listagg", {S, "', '"}, false, "string", {"a, b, a", "z, "}},
    {"listagg", {S, "'-'", "(struct " I ")", "'dl'"}, false, "string", {"b-a-a", "-z"}},
    {"listagg", {S, "'-'", "(struct " S " " I ")", "'alaf'"}, false, "string", {"a-a-b", "-z"}},
    {"histogram_numeric",
     {I, "5"},
     false,
     "array<struct<x:int,y:double>>",
     {"[{1, 2.0}, {3, 1.0}]", "[{5, 1.0}, {7, 1.0}]"}},
    {"bitmap_construct_agg", {I}, false, "binary", {"\n", "\xa0"}}, // up to the first zero byte
    {"bitmap_or_agg", {"(cast binary " S ")"}, false, "binary", {"c", "z"}},
    {"bitmap_and_agg", {"(cast binary " S ")"}, false, "binary", {"`", ""}},
    {"schema_of_variant_agg", {"(variant:of " D ")"}, false, "string", {"DOUBLE", "DOUBLE"}},
    {"schema_of_variant_agg", {"(variant:of " M ")"}, false, "string", {"DECIMAL(3,2)", "DECIMAL(4,2)"}},
    {"schema_of_variant_agg",
     {"(variant:of (named_struct 'x' " I " 'a b' (array " S ")))"},
     false,
     "string",
     {"OBJECT<`a b`: ARRAY<STRING>, x: BIGINT>", "OBJECT<`a b`: ARRAY<STRING>, x: BIGINT>"}},
    {"vector_sum", {"(array (cast float " D "))"}, false, "array<float>", {"[5.5]", "[NaN]"}},
    {"vector_avg", {"(array (cast float 2))"}, false, "array<float>", {"[2.0]", "[2.0]"}},
    {"median", {B}, false, "double", {"15.0", "9.0"}},
    {"median", {D}, false, "double", {"1.5", "NaN"}},
    {"median",
     {"(make_dt_interval " I ")"},
     false,
     "interval day to second",
     {"INTERVAL '1 00:00:00' DAY TO SECOND", "INTERVAL '6 00:00:00' DAY TO SECOND"}},
    {"mode", {I}, false, "int", {"1", "5"}}, // of as many the smallest; Spark takes any
    {"mode", {S}, false, "string", {"a", ""}},
    {"mode", {T}, false, "boolean", {"true", "true"}},
    {"mode", {M}, false, "decimal(12,2)", {"1.10", "99.99"}},
    {"mode", {"(array " I ")"}, false, "array<int>", {"[1]", "[5]"}},
    {"mode", {D}, false, "double", {"1.5", "-2.0"}},
    {"mode", {I, "true", "true"}, false, "int", {"1", "7"}},
    {"median", {I}, true, "double", {"2.0", "6.0"}},
    {"collect_list", {I}, true, "array<int>", {"[1, 3]", "[5, 7]"}},
};

/* ---- the table ---- */

static struct batch table;

static void table_open(void)
{
    struct error err;
    trees_open();
    const struct type *schema = tree_type(schema_text);
    tree_columns(schema);
    batch_init(&table, schema, ROWS);
    for (int32_t c = 0; c < schema->field_count; c++) {
        struct builder builder;
        builder_init(&builder, type_of(TYPE_STRING));
        for (int r = 0; r < ROWS; r++)
            rows[r][c] == NULL ? builder_null(&builder) : builder_bytes(&builder, bytes_of_string(rows[r][c]));
        struct column text;
        builder_finish(&builder, &text);
        builder_release(&builder);
        struct field field = {"c", type_of(TYPE_STRING), true};
        struct batch in = {
            .schema = type_struct(trees_arena(), &field, 1), .rows = ROWS, .column_count = 1, .columns = &text};
        struct expr_context ctx = {trees_arena(), trees_session()};
        const struct expr *cast;
        struct program *program;
        struct rejects rejects = {0};
        CHECK(expr_cast(&ctx, expr_column(&ctx, 0, &field, (struct position){0}), schema->fields[c].type, false,
                        (struct position){0}, &cast, &err) == E_OK);
        CHECK(program_compile(trees_arena(), &cast, 1, &program, &err) == E_OK);
        struct evaluator *evaluator = evaluator_new(program);
        CHECK(evaluator_run(evaluator, trees_session(), &in, &table.columns[c], &rejects, &err) == E_OK);
        CHECK_INT(rejects.count, 0);
        evaluator_free(evaluator);
        column_release(&text);
    }
}

static void table_close(void)
{
    batch_release(&table);
    trees_close();
}

/* ---- one call ---- */

static const struct aggregate_call *bind_case(const struct expected *c)
{
    struct expr_context ctx = {trees_arena(), trees_session()};
    const struct expr *args[4];
    const struct aggregate_call *call = NULL;
    struct error err;
    int32_t count = 0;
    for (; count < 4 && c->args[count] != NULL; count++)
        args[count] = tree(c->args[count]);
    if (aggregate_bind(&ctx, c->name, args, count, c->distinct, NULL, (struct position){0}, &call, &err) != E_OK)
        kit_fail(__FILE__, __LINE__, "%s: %s", c->name, err.text);
    return call;
}

/* Arguments as columns of the table. */
static void eval_args(const struct aggregate_call *call, struct column *out)
{
    struct program *program;
    struct error err;
    struct rejects rejects = {0};
    CHECK(program_compile(trees_arena(), call->args, call->arg_count, &program, &err) == E_OK);
    struct evaluator *evaluator = evaluator_new(program);
    CHECK(evaluator_run(evaluator, trees_session(), &table, out, &rejects, &err) == E_OK);
    evaluator_free(evaluator);
}

enum mode { IN_ONE_GO, FROM_LANES, SAVED_AND_LOADED };

/* Through bytes and back. */
static void reload(const struct aggregate_call *call, uint8_t *state, size_t *heap_bytes)
{
    struct text saved = {0};
    struct error err = {0};
    aggregate_save(call, state, &saved);
    aggregate_drop(call, state, heap_bytes);
    for (size_t cut = 0; cut < saved.size; cut++) { // cut off anywhere it is refused, and nothing leaks or breaks
        struct bytes part = bytes_of(saved.data, cut);
        if (aggregate_load(call, &part, state, heap_bytes, &err) == E_OK)
            CHECK(part.size == 0 && cut == saved.size);
        aggregate_drop(call, state, heap_bytes);
    }
    struct bytes in = text_view(&saved);
    CHECK(aggregate_load(call, &in, state, heap_bytes, &err) == E_OK);
    CHECK_INT(in.size, 0);
    text_free(&saved);
}

static void run_mode(const struct aggregate_call *call, const struct column *args, enum mode mode, struct column *out)
{
    int lanes = mode == FROM_LANES ? LANES : 1;
    size_t stride = call->state_size;
    uint8_t *states = mem_zero(stride * GROUPS * LANES);
    uint32_t slots[ROWS];
    size_t heap_bytes = 0;
    struct rejects rejects = {0};
    struct builder builder;
    for (int r = 0; r < ROWS; r++)
        slots[r] = (uint32_t)(rows[r][7][0] - '0');
    for (int lane = 0; lane < lanes; lane++) {
        uint8_t active = 0;
        for (int r = 0; r < ROWS; r++)
            active |= (uint8_t)((r * lanes / ROWS == lane) << r);
        aggregate_add(&(struct aggregate_rows){.call = call,
                                               .args = args,
                                               .rows = ROWS,
                                               .active = lanes == 1 ? NULL : &active,
                                               .base = states + (size_t)lane * GROUPS * stride,
                                               .stride = stride,
                                               .slots = slots,
                                               .rejects = &rejects,
                                               .heap_bytes = &heap_bytes});
    }
    CHECK_INT(rejects.count, 0);
    builder_init(&builder, call->type);
    for (int g = 0; g < GROUPS; g++) {
        uint8_t *state = states + (size_t)g * stride;
        for (int lane = 1; lane < lanes; lane++)
            CHECK(aggregate_merge(call, state, state + (size_t)lane * GROUPS * stride, &heap_bytes));
        if (mode == SAVED_AND_LOADED)
            reload(call, state, &heap_bytes);
        CHECK(aggregate_finish(call, state, &builder));
    }
    for (int k = 0; k < GROUPS * LANES; k++)
        aggregate_drop(call, states + (size_t)k * stride, &heap_bytes);
    CHECK_INT(heap_bytes, 0);
    builder_finish(&builder, out);
    builder_release(&builder);
    mem_free(states);
}

static void check_values(const struct expected *c, const struct column *out, enum mode mode)
{
    for (int g = 0; g < GROUPS; g++) {
        struct field field = {"c", out->type, true};
        struct column col = *out;
        struct batch in = {
            .schema = type_struct(trees_arena(), &field, 1), .rows = GROUPS, .column_count = 1, .columns = &col};
        struct expr_context ctx = {trees_arena(), trees_session()};
        const struct expr *cast;
        struct program *program;
        struct rejects rejects = {0};
        struct column text = {0};
        struct error err;
        CHECK(expr_cast(&ctx, expr_column(&ctx, 0, &field, (struct position){0}), type_of(TYPE_STRING), false,
                        (struct position){0}, &cast, &err) == E_OK);
        CHECK(program_compile(trees_arena(), &cast, 1, &program, &err) == E_OK);
        struct evaluator *evaluator = evaluator_new(program);
        CHECK(evaluator_run(evaluator, trees_session(), &in, &text, &rejects, &err) == E_OK);
        evaluator_free(evaluator);
        char got[256] = "NULL";
        if (!column_is_null(&text, g))
            snprintf(got, sizeof got, "%.*s", (int)column_bytes_at(&text, g).size,
                     (const char *)column_bytes_at(&text, g).data);
        double a = strtod(got, NULL), b = strtod(c->values[g], NULL);
        bool near = mode == FROM_LANES && out->type->id == TYPE_DOUBLE &&
                    fabs(a - b) < 1e-12 * fabs(b); // another order of sums
        if (!near && strcmp(got, c->values[g]) != 0)
            kit_fail(__FILE__, __LINE__, "%s(%s) of group %d is %s in mode %d, Spark says %s", c->name,
                     c->args[0] == NULL ? "" : c->args[0], g, got, mode, c->values[g]);
        column_release(&text);
    }
}

TEST(aggregates_give_sparks_values_however_they_are_put_together)
{
    table_open();
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const struct aggregate_call *call = bind_case(&cases[i]);
        struct column args[4] = {0};
        if (call == NULL)
            continue;
        struct text type = {0};
        type_print(call->type, &type);
        CHECK_STR(type.data, cases[i].type);
        text_free(&type);
        eval_args(call, args);
        for (int mode = IN_ONE_GO; mode <= SAVED_AND_LOADED; mode++) {
            struct column out = {0};
            run_mode(call, args, (enum mode)mode, &out);
            column_check(&out);
            check_values(&cases[i], &out, (enum mode)mode);
            column_release(&out);
        }
        for (int k = 0; k < call->arg_count; k++)
            column_release(&args[k]);
    }
    table_close();
}

TEST(every_aggregate_has_a_case)
{
    for (int32_t i = 0; aggregate_at(i) != NULL; i++) {
        bool found = false;
        for (size_t k = 0; k < sizeof cases / sizeof cases[0]; k++)
            found = found || aggregate_find(cases[k].name) == aggregate_find(aggregate_at(i)->name) ||
                    strncmp(aggregate_at(i)->name, cases[k].name, strlen(cases[k].name)) == 0;
        if (!found)
            kit_fail(__FILE__, __LINE__, "%s has no case", aggregate_at(i)->name);
    }
}

/* All rows into one state. */
static void add_all(const struct aggregate_call *call, const struct column *args, int64_t count, void *state,
                    struct rejects *rejects, size_t *heap_bytes)
{
    uint32_t *slots = mem_array(uint32_t, (size_t)count);
    aggregate_add(&(struct aggregate_rows){.call = call,
                                           .args = args,
                                           .rows = count,
                                           .base = state,
                                           .stride = call->state_size,
                                           .slots = slots,
                                           .rejects = rejects,
                                           .heap_bytes = heap_bytes});
    mem_free(slots);
}

TEST(a_sum_overflows_by_its_total_not_by_the_way_to_it)
{
    table_open();
    struct expr_context ctx = {trees_arena(), trees_session()};
    const struct aggregate_call *call;
    const struct expr *arg = tree("(cast bigint #1)");
    struct error err;
    CHECK(aggregate_bind(&ctx, "sum", &arg, 1, false, NULL, (struct position){0}, &call, &err) == E_OK);
    struct builder builder;
    struct column col;
    builder_init(&builder, type_of(TYPE_INT64));
    builder_int(&builder, INT64_MAX);
    builder_int(&builder, 1);
    builder_int(&builder, -1);
    builder_finish(&builder, &col);
    size_t heap_bytes = 0;
    uint64_t state[4] = {0}, other[4] = {0};
    struct rejects rejects = {0};
    struct builder results;
    builder_init(&results, call->type);
    add_all(call, &col, 3, state, &rejects, &heap_bytes);
    CHECK_INT(rejects.count, 0);
    CHECK(aggregate_finish(call, state, &results)); // max + 1 - 1
    add_all(call, &col, 1, other, &rejects, &heap_bytes);
    CHECK(aggregate_merge(call, other, state, &heap_bytes));
    CHECK(!aggregate_finish(call, other, &results)); // max + max
    struct column sums;
    builder_finish(&results, &sums);
    CHECK_INT(column_values(&sums, const int64_t)[0], INT64_MAX);
    CHECK(column_is_null(&sums, 1));
    column_release(&sums);
    builder_release(&results);
    column_release(&col);
    builder_release(&builder);
    rejects_free(&rejects);
    CHECK(aggregate_bind(&ctx, "sum", (const struct expr *[]){tree("#5")}, 1, false, NULL, (struct position){0}, &call,
                         &err) == E_SQL);
    CHECK(aggregate_bind(&ctx, "sum", NULL, 0, false, NULL, (struct position){0}, &call, &err) == E_SQL);
    CHECK(aggregate_bind(&ctx, "summ", &arg, 1, false, NULL, (struct position){0}, &call, &err) == E_SQL);
    table_close();
}

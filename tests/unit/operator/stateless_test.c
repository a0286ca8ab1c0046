/* filter, project, generate, watermark. */
#include "operator_kit.h"

static void three_rows(struct bench_of_one *test, struct batch *batch, const char *ddl)
{
    batch_init(batch, schema_of(test, ddl), 3);
    put_ints(&batch->columns[0], type_of(TYPE_INT32), (int64_t[]){1, NONE, 3}, 3);
    put_strings(&batch->columns[1], (const char *[]){"x", "y", NULL}, 3);
    give_origin(batch);
}

static void check_filter(int64_t limit, const char *expected, int64_t filtered)
{
    struct bench_of_one test;
    set_up(&test);
    struct batch in, out;
    three_rows(&test, &in, "a INT, b STRING");
    struct filter *filter;
    const struct expr *predicate = call_expr(&test, ">", column_expr(&test, in.schema, 0), int_expr(&test, limit));
    if (limit == 0) // all rows: a IS NULL OR a > 0
        predicate =
            call_expr(&test, "or", predicate, call_expr(&test, "isnull", column_expr(&test, in.schema, 0), NULL));
    CHECK_INT(filter_new(&test.arena, predicate, &filter, &test.err), E_OK);
    CHECK_INT(filter_batch(filter, &test.session, &in, &test.rejects, &test.counts, &out, &test.err), E_OK);
    CHECK_STR(batch_text(&test, &out), expected);
    CHECK_INT(test.counts.in, 3);
    CHECK_INT(test.counts.filtered, filtered);
    CHECK_INT(test.counts.out, out.rows);
    if (out.rows == 1)
        CHECK_INT(batch_origin(&out, 0), 2);
    if (out.rows == 3)
        CHECK(out.columns[0].values == in.columns[0].values); // shared, not copied
    batch_release(&out);
    batch_release(&in);
    filter_free(filter);
    tear_down(&test);
}

TEST(filter_has_three_outcomes)
{
    check_filter(0, "1,x;NULL,y;3,NULL", 0);
    check_filter(1, "3,NULL", 2);
    check_filter(9, "", 3);
}

TEST(filter_counts_rejected_rows_apart)
{
    struct bench_of_one test;
    set_up(&test);
    struct batch in, out;
    batch_init(&in, schema_of(&test, "a INT"), 3);
    put_ints(&in.columns[0], type_of(TYPE_INT32), (int64_t[]){0, 1, 5}, 3);
    const struct expr *one = int_expr(&test, 1),
                      *quotient = call_expr(&test, "/", one, column_expr(&test, in.schema, 0));
    struct filter *filter;
    CHECK_INT(filter_new(&test.arena, call_expr(&test, ">=", quotient, one), &filter, &test.err), E_OK);
    CHECK_INT(filter_batch(filter, &test.session, &in, &test.rejects, &test.counts, &out, &test.err), E_OK);
    CHECK_STR(batch_text(&test, &out), "1");
    CHECK_INT(test.counts.rejected, 1);
    CHECK_INT(test.counts.filtered, 1);
    CHECK_INT(test.rejects.items[0].row, 0);
    batch_release(&out);
    batch_release(&in);
    filter_free(filter);
    tear_down(&test);
}

TEST(project_leaves_rejected_rows_out)
{
    struct bench_of_one test;
    set_up(&test);
    struct batch in, out;
    batch_init(&in, schema_of(&test, "a INT"), 4);
    put_ints(&in.columns[0], type_of(TYPE_INT32), (int64_t[]){4, 0, NONE, 1}, 4);
    give_origin(&in);
    const struct expr *a = column_expr(&test, in.schema, 0);
    const struct expr *exprs[] = {a, call_expr(&test, "div", int_expr(&test, 8), a)};
    struct project *project;
    CHECK_INT(project_new(&test.arena, exprs, 2, schema_of(&test, "a INT, q BIGINT"), &project, &test.err), E_OK);
    CHECK_INT(project_batch(project, &test.session, &in, &test.rejects, &test.counts, &out, &test.err), E_OK);
    CHECK_STR(batch_text(&test, &out), "4,2;NULL,NULL;1,8");
    CHECK_INT(test.counts.rejected, 1);
    CHECK_INT(test.rejects.count, 1);
    CHECK_INT(test.rejects.items[0].row, 1);
    CHECK_INT(batch_origin(&out, 0), 0);
    CHECK_INT(batch_origin(&out, 1), 2);
    CHECK_INT(batch_origin(&out, 2), 3);
    batch_release(&out);
    batch_release(&in);
    project_free(project);
    tear_down(&test);
}

/* ---- generate ---- */

/* id, list: 10 [1,2], 20 NULL, 30 [], 40 [NULL] */
static void lists(struct bench_of_one *test, struct batch *batch, const char *element)
{
    char ddl[100];
    snprintf(ddl, sizeof ddl, "id INT, list %s", element);
    batch_init(batch, schema_of(test, ddl), 4);
    put_ints(&batch->columns[0], type_of(TYPE_INT32), (int64_t[]){10, 20, 30, 40}, 4);
    give_origin(batch);
}

static void generate(struct bench_of_one *test, struct batch *in, enum generate_kind kind, bool outer, const char *ddl,
                     int32_t generated, const char *expected)
{
    const struct expr *args[] = {column_expr(test, in->schema, 1)};
    struct generate_spec spec = {.kind = kind,
                                 .outer = outer,
                                 .args = args,
                                 .arg_count = 1,
                                 .generated = generated,
                                 .schema = schema_of(test, ddl),
                                 .keep = (const bool[]){true, false}};
    struct generate *self;
    struct batch out;
    test->counts = (struct operator_counts){0};
    CHECK_INT(generate_new(&test->arena, &spec, &self, &test->err), E_OK);
    CHECK_INT(generate_batch(self, &test->session, in, &test->rejects, &test->counts, &out, &test->err), E_OK);
    for (int32_t c = 0; c < out.column_count; c++)
        column_check(&out.columns[c]);
    CHECK_STR(batch_text(test, &out), expected);
    CHECK_INT(test->counts.exploded, out.rows);
    for (int64_t i = 0; i < out.rows; i++)
        CHECK_INT(column_values(&out.columns[0], const int32_t)[i], 10 * (batch_origin(&out, i) + 1));
    batch_release(&out);
    generate_free(self);
}

TEST(generate_explodes_arrays)
{
    struct bench_of_one test;
    set_up(&test);
    struct batch in;
    lists(&test, &in, "ARRAY<INT>");
    struct builder builder;
    builder_init(&builder, in.schema->fields[1].type);
    builder_int(&builder.children[0], 1);
    builder_int(&builder.children[0], 2);
    builder_close_list(&builder);
    builder_null(&builder);
    builder_close_list(&builder);
    builder_null(&builder.children[0]);
    builder_close_list(&builder);
    builder_finish(&builder, &in.columns[1]);
    builder_release(&builder);
    generate(&test, &in, EXPLODE, false, "id INT, list ARRAY<INT>, col INT", 1, "10,NULL,1;10,NULL,2;40,NULL,NULL");
    generate(&test, &in, EXPLODE, true, "id INT, list ARRAY<INT>, col INT", 1,
             "10,NULL,1;10,NULL,2;20,NULL,NULL;30,NULL,NULL;40,NULL,NULL");
    generate(&test, &in, POSEXPLODE, false, "id INT, list ARRAY<INT>, pos INT, col INT", 2,
             "10,NULL,0,1;10,NULL,1,2;40,NULL,0,NULL");
    generate(&test, &in, POSEXPLODE, true, "id INT, list ARRAY<INT>, pos INT, col INT", 2,
             "10,NULL,0,1;10,NULL,1,2;20,NULL,NULL,NULL;30,NULL,NULL,NULL;40,NULL,0,NULL");
    batch_release(&in);
    tear_down(&test);
}

TEST(generate_inlines_structs)
{
    struct bench_of_one test;
    set_up(&test);
    struct batch in;
    lists(&test, &in, "ARRAY<STRUCT<a: INT, b: STRING>>");
    struct builder builder;
    builder_init(&builder, in.schema->fields[1].type);
    for (int i = 1; i <= 2; i++) {
        builder_int(&builder.children[0].children[0], i);
        builder_bytes(&builder.children[0].children[1], bytes_of("abc", (size_t)i));
        builder_close_struct(&builder.children[0]);
    }
    builder_close_list(&builder);
    builder_null(&builder);
    builder_close_list(&builder);
    builder_null(&builder.children[0]);
    builder_close_list(&builder);
    builder_finish(&builder, &in.columns[1]);
    builder_release(&builder);
    const char *ddl = "id INT, list ARRAY<STRUCT<a: INT, b: STRING>>, a INT, b STRING";
    generate(&test, &in, INLINE, false, ddl, 2, "10,NULL,1,a;10,NULL,2,ab;40,NULL,NULL,NULL");
    generate(&test, &in, INLINE, true, ddl, 2,
             "10,NULL,1,a;10,NULL,2,ab;20,NULL,NULL,NULL;30,NULL,NULL,NULL;40,NULL,NULL,NULL");
    batch_release(&in);
    tear_down(&test);
}

TEST(generate_explodes_maps)
{
    struct bench_of_one test;
    set_up(&test);
    struct batch in;
    lists(&test, &in, "MAP<STRING, INT>");
    struct builder builder;
    builder_init(&builder, in.schema->fields[1].type);
    builder_bytes(&builder.children[0], bytes_of("k", 1));
    builder_int(&builder.children[1], 7);
    builder_bytes(&builder.children[0], bytes_of("l", 1));
    builder_null(&builder.children[1]);
    builder_close_list(&builder);
    for (int i = 0; i < 3; i++)
        builder_null(&builder);
    builder_finish(&builder, &in.columns[1]);
    builder_release(&builder);
    const char *ddl = "id INT, list MAP<STRING, INT>, key STRING, value INT";
    generate(&test, &in, EXPLODE, false, ddl, 2, "10,NULL,k,7;10,NULL,l,NULL");
    generate(&test, &in, EXPLODE, true, ddl, 2,
             "10,NULL,k,7;10,NULL,l,NULL;20,NULL,NULL,NULL;30,NULL,NULL,NULL;40,NULL,NULL,NULL");
    batch_release(&in);
    tear_down(&test);
}

TEST(generate_stacks)
{
    struct bench_of_one test;
    set_up(&test);
    struct batch in, out;
    batch_init(&in, schema_of(&test, "a INT, b INT"), 2);
    put_ints(&in.columns[0], type_of(TYPE_INT32), (int64_t[]){1, 2}, 2);
    put_ints(&in.columns[1], type_of(TYPE_INT32), (int64_t[]){NONE, 4}, 2);
    give_origin(&in);
    const struct expr *a = column_expr(&test, in.schema, 0), *b = column_expr(&test, in.schema, 1);
    const struct expr *args[] = {int_expr(&test, 2), a, b, b}; // two rows of two columns, the last one missing
    struct generate_spec spec = {.kind = STACK,
                                 .args = args,
                                 .arg_count = 4,
                                 .generated = 2,
                                 .schema = schema_of(&test, "a INT, b INT, x INT, y INT")};
    struct generate *self;
    CHECK_INT(generate_new(&test.arena, &spec, &self, &test.err), E_OK);
    CHECK_INT(generate_batch(self, &test.session, &in, &test.rejects, &test.counts, &out, &test.err), E_OK);
    CHECK_STR(batch_text(&test, &out), "1,NULL,1,NULL;1,NULL,NULL,NULL;2,4,2,4;2,4,4,NULL");
    CHECK_INT(batch_origin(&out, 1), 0);
    CHECK_INT(batch_origin(&out, 2), 1);
    batch_release(&out);
    batch_release(&in);
    generate_free(self);
    tear_down(&test);
}

TEST(generate_refuses_to_copy_without_end)
{
    struct bench_of_one test;
    set_up(&test);
    struct batch in, out;
    batch_init(&in, schema_of(&test, "text STRING, list ARRAY<INT>"), 2);
    char *large = mem_zero(3 * 1000 * 1000 + 1); // 3 MB, a hundred times: too much
    memset(large, 'x', 3 * 1000 * 1000);
    put_strings(&in.columns[0], (const char *[]){large, "small"}, 2);
    struct builder builder;
    builder_init(&builder, in.schema->fields[1].type);
    for (int row = 0; row < 2; row++) {
        for (int i = 0; i < (row == 0 ? 100 : 2); i++)
            builder_int(&builder.children[0], i);
        builder_close_list(&builder);
    }
    builder_finish(&builder, &in.columns[1]);
    builder_release(&builder);
    const struct expr *args[] = {column_expr(&test, in.schema, 1)};
    struct generate_spec spec = {.kind = EXPLODE,
                                 .args = args,
                                 .arg_count = 1,
                                 .generated = 1,
                                 .schema = schema_of(&test, "text STRING, list ARRAY<INT>, col INT"),
                                 .keep = (const bool[]){true, false}};
    struct generate *self;
    CHECK_INT(generate_new(&test.arena, &spec, &self, &test.err), E_OK);
    CHECK_INT(generate_batch(self, &test.session, &in, &test.rejects, &test.counts, &out, &test.err), E_OK);
    CHECK_STR(batch_text(&test, &out), "small,NULL,0;small,NULL,1");
    CHECK_INT(test.rejects.count, 1);
    CHECK_INT(test.rejects.items[0].code, REJECT_TOO_BIG);
    CHECK_INT(test.counts.rejected, 1);
    mem_free(large);
    batch_release(&out);
    batch_release(&in);
    generate_free(self);
    tear_down(&test);
}

/* ---- watermark ---- */

static int64_t seen(const int64_t *values, int64_t count)
{
    struct column col;
    put_ints(&col, type_of(TYPE_TIMESTAMP), values, count);
    int64_t max = watermark_seen(&col);
    column_release(&col);
    return max;
}

TEST(watermark_sees_the_latest_millisecond)
{
    CHECK_INT(seen(NULL, 0), INT64_MIN);
    CHECK_INT(seen((int64_t[]){NONE, NONE}, 2), INT64_MIN);
    CHECK_INT(seen((int64_t[]){1999}, 1), 1000);
    CHECK_INT(seen((int64_t[]){-1}, 1), -1000);
    CHECK_INT(seen((int64_t[]){-2000, NONE, -3000}, 3), -2000);
    int64_t values[300];
    for (int nulls = 0; nulls < 2; nulls++) {
        for (int round = 0; round < 50; round++) {
            int64_t max = INT64_MIN, count = (int64_t)(kit_random() % 300) + 1;
            for (int64_t i = 0; i < count; i++) {
                values[i] = nulls && kit_random() % 3 == 0 ? NONE : (int64_t)(kit_random() % 2000) * 1000 - 1000000;
                max = values[i] > max ? values[i] : max;
            }
            CHECK_INT(seen(values, count), max);
        }
    }
}

/* evaluate_test.c - programs: errors count only where a branch is taken, equal expressions are one step, columns are shared
 * and not copied, and constants stay one row. */
#include "expr/program.h"
#include "trees.h"

static struct batch batch;

/* a: 0..9 with NULL at 3; b: 9..0; s: texts, "x" at 5. */
static void open_batch(void)
{
    trees_open();
    const struct type *schema =
        tree_type("a INT, b INT, s STRING, l ARRAY<STRUCT<x: INT, y: STRING>>, r STRUCT<x: INT>");
    tree_columns(schema);
    batch_init(&batch, schema, 10);
    for (int32_t c = 0; c < batch.column_count; c++) {
        struct builder builder;
        builder_init(&builder, schema->fields[c].type);
        for (int i = 0; i < 10; i++) {
            char text[2] = {i == 5 ? 'x' : (char)('0' + i), 0};
            if (c == 0 && i == 3)
                builder_null(&builder);
            else if (c < 2)
                builder_int(&builder, c == 0 ? i : 9 - i);
            else if (c == 2)
                builder_bytes(&builder, bytes_of_string(text));
            else if (c == 4) {
                builder_int(&builder.children[0], i);
                builder_close_struct(&builder);
            } else {
                for (int k = 0; k < i % 3; k++) {
                    builder_int(&builder.children[0].children[0], k);
                    builder_bytes(&builder.children[0].children[1], bytes_of_string(text));
                    builder_close_struct(&builder.children[0]);
                }
                builder_close_list(&builder);
            }
        }
        builder_finish(&builder, &batch.columns[c]);
        builder_release(&builder);
    }
}

static void close_batch(void)
{
    batch_release(&batch);
    trees_close();
}

/* Values of the root and, behind a bar, the rejected rows: "0 1 NULL | 3 7". */
static const char *result(const char *text)
{
    static struct text shown;
    const struct expr *root = tree(text);
    struct program *program;
    struct error err = {0};
    struct column out = {0};
    struct rejects rejects = {0};
    text_clear(&shown);
    if (root == NULL || program_compile(trees_arena(), &root, 1, &program, &err) != E_OK)
        return tree_error();
    struct evaluator *evaluator = evaluator_new(program);
    CHECK(evaluator_run(evaluator, trees_session(), &batch, &out, &rejects, &err) == E_OK);
    column_check(&out);
    for (int64_t i = 0; i < out.rows; i++) {
        column_print(&out, i, &shown);
        text_add_char(&shown, ' ');
    }
    text_add_char(&shown, '|');
    for (int32_t i = 0; i < rejects.count; i++)
        text_printf(&shown, " %d", rejects.items[i].row);
    column_release(&out);
    rejects_free(&rejects);
    evaluator_free(evaluator);
    return shown.data;
}

TEST(errors_count_only_where_the_branch_is_taken)
{
    open_batch();
    CHECK_STR(result("(div #0 #1)"), "0 0 0 NULL 0 1 2 3 8 NULL | 9");
    CHECK_STR(result("(if (> #1 0) (div #0 #1) -1)"), "0 0 0 NULL 0 1 2 3 8 -1 |");
    CHECK_STR(result("(case (= #1 0) -1 (div #0 #1))"), "0 0 0 NULL 0 1 2 3 8 -1 |");
    CHECK_STR(result("(case (> #1 5) 1 (> (div 10 #1) 4) 2 3)"), "1 1 1 1 3 3 3 2 2 3 | 9");
    CHECK_STR(result("(and (<> #1 0) (> (div 9 #1) 2))"), "false false false false false false true true true false |");
    CHECK_STR(result("(or (= #1 0) (> (div 9 #1) 2))"), "false false false false false false true true true true |");
    CHECK_STR(result("(coalesce #0 (div 1 (- #0 #0)))"), "0 1 2 NULL 4 5 6 7 8 9 |");
    CHECK_STR(result("(coalesce (cast int #2) 7)"), "0 1 2 3 4 7 6 7 8 9 | 5");
    CHECK_STR(result("(if (<> #2 'x') (cast int #2) 7)"), "0 1 2 3 4 7 6 7 8 9 |");
    CHECK_STR(result("(try_cast int #2)"), "0 1 2 3 4 NULL 6 7 8 9 |");
    CHECK_STR(result("(if (> #0 8) (/ 1 0) 0d)"), "0.0 0.0 0.0 0.0 0.0 0.0 0.0 0.0 0.0 NULL | 9");
    CHECK_STR(result("(if false (/ 1 0) 2d)"), "2.0 2.0 2.0 2.0 2.0 2.0 2.0 2.0 2.0 2.0 |");
    CHECK_STR(result("(if (> #0 7) (if (> #1 0) (div 8 #1) 5) 0)"), "0 0 0 0 0 0 0 0 8 5 |");
    CHECK_STR(result("(if (> #0 8) (raise_error 'no') null)"), "NULL NULL NULL NULL NULL NULL NULL NULL NULL NULL | 9");
    close_batch();
}

/* One division is in both branches of an IF and needs two steps: neither branch covers the other. */
TEST(a_shared_step_rejects_for_all_its_users)
{
    open_batch();
    CHECK_STR(result("(if (> #0 4) (+ (div 9 #1) 1) (- (div 9 #1) 1))"), "0 0 0 0 0 3 4 5 10 NULL | 9");
    CHECK_STR(result("(+ (div 9 #1) (if (> #0 4) (div 9 #1) 0))"), "1 1 1 1 1 4 6 8 18 NULL | 9");
    CHECK_STR(result("(+ (if (> #0 4) (div 9 #1) 0) (div 9 #1))"), "1 1 1 1 1 4 6 8 18 NULL | 9");
    close_batch();
}

static int32_t steps_of(const char *const *texts, int32_t count)
{
    const struct expr *roots[4];
    struct program *program;
    struct error err;
    for (int32_t i = 0; i < count; i++)
        roots[i] = tree(texts[i]);
    CHECK(program_compile(trees_arena(), roots, count, &program, &err) == E_OK);
    return program->step_count;
}

TEST(equal_expressions_are_one_step)
{
    open_batch();
    CHECK_INT(steps_of((const char *const[]){"(upper #2)"}, 1), 2);
    CHECK_INT(steps_of((const char *const[]){"(concat (upper #2) (upper #2))"}, 1), 3);
    CHECK_INT(steps_of((const char *const[]){"(upper #2)", "(concat (upper #2) '!')", "#2"}, 3), 4);
    CHECK_INT(steps_of((const char *const[]){"(uuid)", "(uuid)"}, 2), 2);
    CHECK_INT(steps_of((const char *const[]){"(cast int #0)"}, 1), 1);
    close_batch();
}

TEST(columns_and_fields_are_shared)
{
    open_batch();
    const struct expr *roots[] = {tree("#2"), tree("(cast binary #2)"), tree("(field x #4)"), tree("(field y #3)")};
    struct program *program;
    struct column out[4] = {0};
    struct rejects rejects = {0};
    struct error err;
    CHECK(program_compile(trees_arena(), roots, 4, &program, &err) == E_OK);
    struct evaluator *evaluator = evaluator_new(program);
    CHECK(evaluator_run(evaluator, trees_session(), &batch, out, &rejects, &err) == E_OK);
    CHECK(out[0].values == batch.columns[2].values);
    CHECK(out[1].values == batch.columns[2].values);
    CHECK(out[2].values == batch.columns[4].children[0].values);
    CHECK(out[3].children[0].values == batch.columns[3].children[0].children[1].values);
    CHECK(out[3].offsets == batch.columns[3].offsets);
    for (int i = 0; i < 4; i++) {
        column_check(&out[i]);
        column_release(&out[i]);
    }
    evaluator_free(evaluator);
    close_batch();
}

TEST(an_empty_batch_gives_empty_columns)
{
    open_batch();
    struct batch empty = {0};
    const struct expr *root = tree("(concat (upper #2) (cast string (/ 1 0)))");
    struct program *program;
    struct column out = {0};
    struct rejects rejects = {0};
    struct error err;
    batch_gather(&empty, &batch, NULL, 0);
    CHECK(program_compile(trees_arena(), &root, 1, &program, &err) == E_OK);
    struct evaluator *evaluator = evaluator_new(program);
    CHECK(evaluator_run(evaluator, trees_session(), &empty, &out, &rejects, &err) == E_OK);
    CHECK_INT(out.rows, 0);
    CHECK_INT(rejects.count, 0);
    column_check(&out);
    column_release(&out);
    evaluator_free(evaluator);
    batch_release(&empty);
    close_batch();
}

TEST(expressions_print_as_spark_names_columns)
{
    static const char *const cases[][2] = {
        {"(+ #0 1)", "(a + 1)"},
        {"(= #2 1)", "(s = 1)"},
        {"(cast bigint #0)", "CAST(a AS BIGINT)"},
        {"(case (> #0 1) 'p' 'q')", "CASE WHEN (a > 1) THEN p ELSE q END"},
        {"(not (isnull #0))", "(NOT (a IS NULL))"},
        {"(and (> #0 1) (<> #1 2))", "((a > 1) AND (b != 2))"},
        {"(like #2 'x%')", "s LIKE x%"},
        {"(in #0 1 2)", "(a IN (1, 2))"},
        {"(field x #4)", "r.x"},
        {"([] #3 0)", "l[0]"},
        {"(upper #2)", "upper(s)"},
        {"(if (> #0 1) 1 2)", "(IF((a > 1), 1, 2))"},
        {"(coalesce #0 null)", "coalesce(a, NULL)"},
    };
    open_batch();
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct text text = {0};
        const struct expr *expr = tree(cases[i][0]);
        if (expr == NULL) {
            kit_fail(__FILE__, __LINE__, "%s: %s", cases[i][0], tree_error());
            continue;
        }
        expr_print(expr, NULL, &text);
        CHECK_STR(text.data, cases[i][1]);
        text_free(&text);
    }
    close_batch();
}

TEST(names_are_found_whatever_their_case)
{
    CHECK(function_kind("UPPER") == FUNCTION_SCALAR);
    CHECK(function_kind("Ceiling") == FUNCTION_SCALAR);
    CHECK(function_kind("SUM") == FUNCTION_AGGREGATE);
    CHECK(function_kind("explode_outer") == FUNCTION_GENERATOR);
    CHECK(function_kind("no_such") == FUNCTION_NONE);
    CHECK(strncmp(function_nearest("substrng"), "substring", 9) == 0);
    CHECK(function_nearest("qqqqqqqqqqqq") == NULL);
}

TEST(a_tree_that_is_too_deep_is_refused)
{
    struct expr_context *ctx = trees_open();
    const struct expr *expr = tree("true"), *next = expr;
    struct error err = {0};
    enum code code = E_OK;
    int depth = 0;
    for (; code == E_OK && depth < 100000; depth++) {
        const struct expr *args[] = {next, expr};
        code = expr_call(ctx, "and", args, 2, (struct position){0}, &next, &err);
    }
    CHECK(code == E_SQL);
    CHECK(depth > 2000);
    CHECK_STR(tree_value(next), "true");
    trees_close();
}

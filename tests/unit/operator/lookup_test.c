/* Joins with rows that stand still: each kind of join, NULL keys, the parts of ON, many matches. */
#include "operator_kit.h"

struct under_test {
    struct bench_of_one base;
    struct budget budget;
    struct lookup_spec spec;
    struct lookup_table *table;
    struct lookup *lookup;
    struct text out;
    int64_t rows, batches;
};

static enum code take_out(void *context, struct batch *out, __attribute__((unused)) struct error *err)
{
    struct under_test *test = context;
    batch_check(out);
    if (test->out.size > 0)
        text_add_char(&test->out, ';');
    const char *text = batch_text(&test->base, out);
    if (out->rows < 100)
        text_add(&test->out, text, strlen(text));
    test->rows += out->rows;
    test->batches++;
    return E_OK;
}

static const struct type *both(struct under_test *test, bool still_first)
{
    return still_first ? schema_of(&test->base, "code STRING, name STRING, card STRING, n BIGINT")
                       : schema_of(&test->base, "card STRING, n BIGINT, code STRING, name STRING");
}

static void open_test(struct under_test *test, enum join_type type)
{
    *test = (struct under_test){0};
    set_up(&test->base);
    const struct expr **keys = arena_array(&test->base.arena, const struct expr *, 2);
    struct lookup_spec *spec = &test->spec;
    spec->type = type;
    spec->stream_schema = schema_of(&test->base, "card STRING, n BIGINT");
    spec->still_schema = schema_of(&test->base, "code STRING, name STRING");
    keys[0] = column_expr(&test->base, spec->stream_schema, 0);
    keys[1] = column_expr(&test->base, spec->still_schema, 0);
    spec->stream_keys = &keys[0];
    spec->still_keys = &keys[1];
    spec->key_count = 1;
    spec->schema = type == JOIN_TYPE_SEMI || type == JOIN_TYPE_ANTI ? spec->stream_schema : both(test, false);
}

static void stand_still(struct under_test *test, const char *const *codes, const char *const *names, int64_t count)
{
    struct batch still[2];
    int64_t cuts[3] = {0, count / 2, count};
    for (int b = 0; b < 2; b++) {
        int64_t from = cuts[b], rows = cuts[b + 1] - cuts[b];
        batch_init(&still[b], test->spec.still_schema, rows);
        put_strings(&still[b].columns[0], codes + from, rows);
        put_strings(&still[b].columns[1], names + from, rows);
    }
    CHECK_INT(
        lookup_table_new(&test->spec, &test->base.session, still, 2, &test->budget, &test->table, &test->base.err),
        E_OK);
    CHECK_INT(lookup_new(&test->base.arena, &test->spec, &test->lookup, &test->base.err), E_OK);
    batch_release(&still[0]);
    batch_release(&still[1]);
}

static const char *look_up(struct under_test *test, const char *const *cards, const int64_t *ns, int64_t count)
{
    struct batch batch;
    const struct emit emit = {take_out, test};
    batch_init(&batch, test->spec.stream_schema, count);
    put_strings(&batch.columns[0], cards, count);
    put_ints(&batch.columns[1], type_of(TYPE_INT64), ns, count);
    give_origin(&batch);
    test->base.counts = (struct operator_counts){0};
    text_clear(&test->out);
    CHECK_INT(lookup_batch(test->lookup, test->table, &test->base.session, &batch, &test->base.rejects,
                           &test->base.counts, &emit, &test->base.err),
              E_OK);
    const struct operator_counts *counts = &test->base.counts;
    CHECK_INT(counts->in + counts->exploded, counts->out + counts->filtered + counts->rejected);
    batch_release(&batch);
    return test->out.data == NULL ? "" : test->out.data;
}

static void close_test(struct under_test *test)
{
    lookup_free(test->lookup);
    lookup_table_free(test->table);
    CHECK_INT(test->budget.used_bytes, 0);
    text_free(&test->out);
    tear_down(&test->base);
}

static const char *const codes[] = {"a", "b", NULL, "b"};
static const char *const names[] = {"Ann", "Bob", "nobody", "Ben"};
static const char *const cards[] = {"b", "x", NULL, "a"};
static const int64_t ns[] = {1, 2, 3, 4};

static void check_join(enum join_type type, const char *want)
{
    struct under_test test;
    open_test(&test, type);
    stand_still(&test, codes, names, 4);
    CHECK_STR(look_up(&test, cards, ns, 4), want);
    close_test(&test);
}

TEST(lookup_inner) { check_join(JOIN_TYPE_INNER, "b,1,b,Bob;b,1,b,Ben;a,4,a,Ann"); }

TEST(lookup_left) { check_join(JOIN_TYPE_LEFT, "b,1,b,Bob;b,1,b,Ben;a,4,a,Ann;x,2,NULL,NULL;NULL,3,NULL,NULL"); }

TEST(lookup_semi) { check_join(JOIN_TYPE_SEMI, "b,1;a,4"); }

TEST(lookup_anti) { check_join(JOIN_TYPE_ANTI, "x,2;NULL,3"); }

TEST(lookup_null_safe_keys_match_null)
{
    static const bool safe[] = {true};
    struct under_test test;
    open_test(&test, JOIN_TYPE_INNER);
    test.spec.null_safe = safe;
    stand_still(&test, codes, names, 4);
    CHECK_STR(look_up(&test, cards, ns, 4), "b,1,b,Bob;b,1,b,Ben;NULL,3,NULL,nobody;a,4,a,Ann");
    close_test(&test);
}

TEST(lookup_not_in_is_sure_of_nothing_beside_null)
{
    static const char *const whole[] = {"a", "b"};
    struct under_test test;
    open_test(&test, JOIN_TYPE_ANTI);
    test.spec.null_aware = true;
    stand_still(&test, codes, names, 4);
    CHECK_STR(look_up(&test, cards, ns, 4), "");
    close_test(&test);
    open_test(&test, JOIN_TYPE_ANTI);
    test.spec.null_aware = true;
    stand_still(&test, whole, names, 2);
    CHECK_STR(look_up(&test, cards, ns, 4), "x,2");
    close_test(&test);
    open_test(&test, JOIN_TYPE_ANTI);
    test.spec.null_aware = true;
    stand_still(&test, whole, names, 0); // NULL NOT IN (nothing) is true
    CHECK_STR(look_up(&test, cards, ns, 4), "b,1;x,2;NULL,3;a,4");
    close_test(&test);
}

TEST(lookup_still_columns_may_come_first)
{
    struct under_test test;
    open_test(&test, JOIN_TYPE_LEFT);
    test.spec.still_first = true;
    test.spec.schema = both(&test, true);
    stand_still(&test, codes, names, 4);
    CHECK_STR(look_up(&test, cards, ns, 2), "b,Bob,b,1;b,Ben,b,1;NULL,NULL,x,2");
    close_test(&test);
}

/* ON card = code AND name > 'Bn' AND n < 4 */
TEST(lookup_other_parts_of_on)
{
    struct under_test test;
    open_test(&test, JOIN_TYPE_LEFT);
    const struct expr *text = expr_string(&test.base.expr, bytes_of_string("Bn"), (struct position){0});
    test.spec.condition = call_expr(&test.base, ">", column_expr(&test.base, test.spec.schema, 3), text);
    test.spec.stream_only =
        call_expr(&test.base, "<", column_expr(&test.base, test.spec.stream_schema, 1), int_expr(&test.base, 4));
    stand_still(&test, codes, names, 4);
    CHECK_STR(look_up(&test, cards, ns, 4), "b,1,b,Bob;x,2,NULL,NULL;NULL,3,NULL,NULL;a,4,NULL,NULL");
    close_test(&test);
}

TEST(lookup_semi_with_a_condition_counts_each_row_once)
{
    struct under_test test;
    open_test(&test, JOIN_TYPE_SEMI);
    const struct expr *text = expr_string(&test.base.expr, bytes_of_string("Ba"), (struct position){0});
    test.spec.condition = call_expr(&test.base, ">", column_expr(&test.base, both(&test, false), 3), text);
    stand_still(&test, codes, names, 4);
    CHECK_STR(look_up(&test, cards, ns, 4), "b,1");
    close_test(&test);
}

TEST(lookup_without_keys_is_every_pair)
{
    struct under_test test;
    open_test(&test, JOIN_TYPE_INNER);
    test.spec.key_count = 0;
    stand_still(&test, codes, names, 2);
    CHECK_STR(look_up(&test, cards, ns, 2), "b,1,a,Ann;b,1,b,Bob;x,2,a,Ann;x,2,b,Bob");
    close_test(&test);
}

TEST(lookup_one_key_with_many_rows_goes_out_in_batches)
{
    enum { MANY = 30000 };
    struct under_test test;
    const char **same = mem_array(const char *, MANY);
    for (int i = 0; i < MANY; i++)
        same[i] = "a";
    open_test(&test, JOIN_TYPE_INNER);
    stand_still(&test, same, same, MANY);
    look_up(&test, (const char *const[]){"a", "a"}, ns, 2);
    CHECK_INT(test.rows, 2 * MANY);
    CHECK(test.batches >= 2 * MANY / BATCH_ROWS_MAX);
    mem_free(same);
    close_test(&test);
}

TEST(lookup_keeps_to_the_budget)
{
    struct under_test test;
    struct batch still;
    open_test(&test, JOIN_TYPE_INNER);
    test.budget.limit_bytes = 200;
    batch_init(&still, test.spec.still_schema, 4);
    put_strings(&still.columns[0], codes, 4);
    put_strings(&still.columns[1], names, 4);
    CHECK_INT(lookup_table_new(&test.spec, &test.base.session, &still, 1, &test.budget, &test.table, &test.base.err),
              E_MEMORY);
    batch_release(&still);
    close_test(&test);
}

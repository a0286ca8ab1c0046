/* functions_test.c - every function of the registry over random columns: the kernel over many rows must say what it says
 * for each row alone, whether arguments are columns or constants; values at the edges must not break it. */
#include <stdio.h>
#include <stdlib.h>

#include "expr/function.h"
#include "format/format.h"
#include "trees.h"

enum { ROWS = 70, ATTEMPTS = 2400, ATTEMPTS_MOST = 40000, WANTED = 4, ARGS_MAX = 7 };

/* ---- random columns ---- */

static const char *const schema_text =
    "a TINYINT, b SMALLINT, c INT, d BIGINT, e FLOAT, f DOUBLE, g DECIMAL(9,2), h DECIMAL(38,4), i STRING, j BINARY, k DATE, "
    "l TIMESTAMP, m TIMESTAMP_NTZ, n BOOLEAN, o ARRAY<INT>, p ARRAY<STRING>, q MAP<STRING, INT>, r STRUCT<x: INT, y: STRING>, "
    "s ARRAY<ARRAY<BIGINT>>, t INT, u STRING, v INTERVAL DAY TO SECOND, w INTERVAL YEAR TO MONTH, "
    "x STRUCT<start: TIMESTAMP, end: TIMESTAMP>, y ARRAY<FLOAT>, z INTERVAL, "
    "aa ARRAY<STRUCT<k: STRING, v: INT>>, bb VARIANT";
static const struct type *schema;

static int64_t random_below(int64_t limit) { return (int64_t)(kit_random() % (uint64_t)limit); }

static const char *const texts[] = {
    "",      "a",        "abc",   " 12 ",       "-7",  "1.5",   "true",  "2026-01-05 10:00:00",
    "é日本", "\xff\xfe", "a,b,,", "MONTH",      "UTC", "UTF-8", "%a_",   "(a)(b)?",
    "[",     "\\",       "x%",    "yyyy-MM-dd", "ff",  "NaN",   "%d %s", "Asia/Tokyo"};
enum { TEXT_COUNT = sizeof texts / sizeof texts[0] };

static void put_text(struct builder *builder)
{
    static char longest[3000];
    if (random_below(60) == 0) {
        memset(longest, 'z', sizeof longest);
        builder_bytes(builder, bytes_of(longest, sizeof longest));
        return;
    }
    builder_bytes(builder, bytes_of_string(texts[random_below(TEXT_COUNT)]));
}

static int64_t random_int(int bits)
{
    int64_t most = bits == 64 ? INT64_MAX : ((int64_t)1 << (bits - 1)) - 1;
    switch (random_below(8)) {
    case 0: return most;
    case 1: return -most - 1;
    case 2: return 0;
    case 3: return -1;
    case 4: return (int64_t)(kit_random() >> (64 - bits)) >> 1;
    default: return random_below(20) - 5;
    }
}

static double random_double(void)
{
    static const double values[] = {0.0, -0.0, 1.5, -2.5, 1e300, -1e300, 1e-300, 12345.678, 9.3e18};
    switch (random_below(12)) {
    case 0: return __builtin_nan("");
    case 1: return __builtin_inf();
    case 2: return -__builtin_inf();
    default: return values[random_below(9)];
    }
}

static void put_value(struct builder *builder);

/* Every third one is cut off, and no variant. */
static void put_variant(struct builder *builder)
{
    static const char *const jsons[] = {"null", "1.50", "\"text\"", "[1,null,{\"a\":true}]",
                                        "{\"k1\":{\"b\":[2.5e3]},\"a\":-7}"};
    struct variant_builder made = {0};
    struct text whole = {0};
    variant_builder_clear(&made);
    CHECK(variant_from_json(bytes_of_string(jsons[random_below(5)]), false, &made) == VARIANT_FINE);
    variant_builder_take(&made, &whole);
    if (random_below(3) == 0)
        whole.size = (size_t)random_below((int64_t)whole.size);
    builder_bytes(builder, text_view(&whole));
    variant_builder_free(&made);
    text_free(&whole);
}

static void put_list(struct builder *builder)
{
    for (int64_t n = random_below(4); n > 0; n--)
        for (int32_t child = 0; child < builder->child_count; child++) {
            if (builder->type->id == TYPE_MAP && child == 0) {
                char key[8];
                int size = snprintf(key, sizeof key, "k%d", (int)n);
                builder_bytes(&builder->children[0], bytes_of(key, (size_t)size));
            } else {
                put_value(&builder->children[child]);
            }
        }
    builder_close_list(builder);
}

static void put_value(struct builder *builder)
{
    const struct type *type = builder->type;
    if (random_below(5) == 0) {
        builder_null(builder);
        return;
    }
    switch (type->id) {
    case TYPE_BOOLEAN: builder_boolean(builder, random_below(2)); break;
    case TYPE_FLOAT:
    case TYPE_DOUBLE: builder_double(builder, random_double()); break;
    case TYPE_DECIMAL: {
        __int128 most = decimal_power10(type->precision) - 1;
        builder_int128(builder, random_below(4) == 0   ? most
                                : random_below(4) == 0 ? -most
                                                       : random_below(100000) - 5000);
        break;
    }
    case TYPE_STRING:
    case TYPE_BINARY: put_text(builder); break;
    case TYPE_VARIANT: put_variant(builder); break;
    case TYPE_DATE: builder_int(builder, random_below(5) == 0 ? random_int(32) : random_below(50000) - 10000); break;
    case TYPE_TIMESTAMP:
    case TYPE_TIMESTAMP_NTZ:
    case TYPE_INTERVAL_DT:
        builder_int(builder, random_below(8) == 0 ? random_int(64) : random_below(4102444800000000) - 1000000000000000);
        break;
    case TYPE_INTERVAL: {
        struct calendar_interval interval = {(int32_t)random_below(40) - 20, (int32_t)random_below(100) - 50,
                                             random_below(5) == 0 ? random_int(64) : random_below(200000000000)};
        __int128 bytes;
        memcpy(&bytes, &interval, sizeof bytes);
        builder_int128(builder, bytes);
        break;
    }
    case TYPE_ARRAY:
    case TYPE_MAP: put_list(builder); break;
    case TYPE_STRUCT:
        for (int32_t child = 0; child < builder->child_count; child++)
            put_value(&builder->children[child]);
        builder_close_struct(builder);
        break;
    default: builder_int(builder, random_int(8 * type_width(type))); break;
    }
}

static void fill_batch(struct batch *batch)
{
    batch_init(batch, schema, ROWS);
    for (int32_t i = 0; i < batch->column_count; i++) {
        struct builder builder;
        builder_init(&builder, schema->fields[i].type);
        for (int r = 0; r < ROWS; r++)
            put_value(&builder);
        builder_finish(&builder, &batch->columns[i]);
        builder_release(&builder);
        column_check(&batch->columns[i]);
    }
}

/* ---- running ---- */

struct answer {
    struct column col;
    struct rejects rejects;
};

static void run(const struct expr *expr, const struct batch *batch, struct answer *out)
{
    struct program *program;
    struct error err = {0};
    if (program_compile(trees_arena(), &expr, 1, &program, &err) != E_OK) {
        kit_fail(__FILE__, __LINE__, "%s", err.text);
        return;
    }
    struct evaluator *evaluator = evaluator_new(program);
    CHECK(evaluator_run(evaluator, trees_session(), batch, &out->col, &out->rejects, &err) == E_OK);
    if (batch->rows > 1) { // a second run works on used buffers
        struct answer again = {0};
        CHECK(evaluator_run(evaluator, trees_session(), batch, &again.col, &again.rejects, &err) == E_OK);
        for (int64_t i = 0; i < batch->rows; i++)
            CHECK(column_equal_at(&out->col, i, &again.col, i));
        CHECK_INT(again.rejects.count, out->rejects.count);
        column_release(&again.col);
        rejects_free(&again.rejects);
    }
    column_check(&out->col);
    evaluator_free(evaluator);
}

static void answer_free(struct answer *answer)
{
    column_release(&answer->col);
    rejects_free(&answer->rejects);
}

static bool rejected(const struct rejects *rejects, int64_t row)
{
    for (int32_t i = 0; i < rejects->count; i++)
        if (rejects->items[i].row == row)
            return true;
    return false;
}

static const char *printed(const struct expr *expr)
{
    static struct text text;
    text_clear(&text);
    expr_print(expr, NULL, &text);
    return text.data;
}

/* What each row gives alone. */
static void check_rows(const struct expr *expr, const struct batch *batch)
{
    struct answer all = {0};
    run(expr, batch, &all);
    for (int32_t row = 0; row < ROWS; row++) {
        struct batch one = {0};
        struct answer single = {0};
        batch_gather(&one, batch, &row, 1);
        run(expr, &one, &single);
        bool same =
            column_equal_at(&all.col, row, &single.col, 0) && rejected(&all.rejects, row) == (single.rejects.count > 0);
        if (!same) {
            struct text a = {0}, b = {0};
            column_print(&all.col, row, &a);
            column_print(&single.col, 0, &b);
            kit_fail(__FILE__, __LINE__, "%s row %d: %.200s (rejects %d) in the batch, %.200s (rejects %d) alone",
                     printed(expr), row, a.data, rejected(&all.rejects, row), b.data, single.rejects.count);
            text_free(&a);
            text_free(&b);
            row = ROWS;
        }
        answer_free(&single);
        batch_release(&one);
    }
    answer_free(&all);
}

/* ---- choosing arguments ---- */

static const struct expr *random_literal(void)
{
    static const char *const literals[] = {
        "0",     "1",       "2",     "-1",      "3L",           "1.5",     "2.5d",          "true",
        "null",  "'a'",     "'%a%'", "'MONTH'", "'yyyy-MM-dd'", "'UTF-8'", "'([a-z])(b)?'", "','",
        "'UTC'", "X'6162'", "100",   "'HH:mm'", "'a INT'",      "'[1]'"};
    return tree(literals[random_below((int64_t)(sizeof literals / sizeof literals[0]))]);
}

static const struct expr *random_arg(struct expr_context *ctx)
{
    if (random_below(3) == 0)
        return random_literal();
    int32_t column = (int32_t)random_below(schema->field_count);
    return expr_column(ctx, column, &schema->fields[column], (struct position){0});
}

/* A column of the type that the signature's word asks for; anything when it asks for anything. */
static const struct expr *wanted_arg(struct expr_context *ctx, const char *word, size_t size)
{
    int32_t start = (int32_t)random_below(schema->field_count);
    for (int32_t k = 0; size > 1 && k < schema->field_count; k++) {
        int32_t column = (start + k) % schema->field_count;
        struct text name = {0};
        type_print(schema->fields[column].type, &name);
        static const char *const words[] = {"interval_dt", "interval_ym", "time", "interval"};
        enum type_id id = schema->fields[column].type->id;
        bool fits = strncmp(name.data, word, size) == 0;
        if (strncmp(word, "interval", 8) == 0)
            fits = id >= TYPE_INTERVAL_DT && id <= TYPE_INTERVAL && size == strlen(words[id - TYPE_INTERVAL_DT]) &&
                   strncmp(words[id - TYPE_INTERVAL_DT], word, size) == 0;
        text_free(&name);
        if (fits)
            return expr_column(ctx, column, &schema->fields[column], (struct position){0});
    }
    return random_arg(ctx);
}

/* Arguments for a random overload of the signature; returns their count. */
static int32_t random_args(struct expr_context *ctx, const char *signature, const struct expr **args)
{
    int32_t count = 0;
    int64_t overload = random_below(3);
    for (const char *next; overload > 0 && (next = strstr(signature, " | ")) != NULL; overload--)
        signature = next + 3;
    for (const char *at = strchr(signature, '(') + 1; *at != ')' && count < ARGS_MAX;) {
        size_t size = strspn(at, "abcdefghijklmnopqrstuvwxyz_0123456789");
        bool random = random_below(4) == 0;
        args[count++] = random ? random_arg(ctx) : wanted_arg(ctx, at, size);
        const char *end = at;
        for (int depth = 0; *end != '\0' && (depth > 0 || (*end != ',' && *end != ')')); end++)
            depth += (*end == '<') - (*end == '>');
        if (end[-1] == '?' && random_below(2) == 0)
            count--;
        if (end[-1] == '.' && random_below(2) == 0)
            continue;
        at = *end == ',' ? end + 2 : end;
    }
    return count;
}

/* Calls exactly this row of the registry, when it is the one that is chosen. */
static const struct expr *random_call(struct expr_context *ctx, const struct function *function, const char *name)
{
    const struct expr *args[ARGS_MAX + 4], *out;
    struct error err;
    int32_t count = random_args(ctx, function->signature, args);
    if (expr_call(ctx, name, args, count, (struct position){0}, &out, &err) != E_OK)
        return NULL;
    return function->bind == NULL && (out->kind != EXPR_CALL || out->function != function) ? NULL : out;
}

static int exercise(const struct function *function, const struct batch *batch)
{
    char name[64];
    snprintf(name, sizeof name, "%.*s", (int)strcspn(function->name, " "), function->name);
    int found = 0; // some take few arguments only, such as the name of a field of time
    for (int attempt = 0; attempt < (found > 0 ? ATTEMPTS : ATTEMPTS_MOST) && found < WANTED; attempt++) {
        struct expr_context *ctx = trees_open();
        schema = tree_type(schema_text);
        const struct expr *expr = random_call(ctx, function, name);
        if (expr == NULL)
            continue;
        found++;
        check_rows(expr, batch);
    }
    return found;
}

TEST(every_function_says_the_same_for_one_row_and_for_many)
{
    struct arena kept = {0};
    trees_open();
    schema = type_copy(&kept, tree_type(schema_text));
    const struct type *own = schema;
    struct batch batch;
    fill_batch(&batch);
    for (int32_t i = 0; function_at(i) != NULL; i++) {
        const struct function *function = function_at(i);
        bool wants_size =
            strcmp(function->name, "time_bucket") == 0; // a constant interval, which tree() has no words for
        if ((function->flags & (FN_PER_ROW | FN_LAMBDA)) == 0 && !wants_size && exercise(function, &batch) == 0)
            kit_fail(__FILE__, __LINE__, "no arguments found for %s %s", function->name, function->signature);
    }
    schema = own;
    batch_release(&batch);
    trees_close();
    arena_free(&kept);
}

TEST(every_function_is_documented)
{
    struct text docs = {0};
    functions_print(&docs);
    for (int32_t i = 0; function_at(i) != NULL; i++) {
        const struct function *function = function_at(i);
        if ((function->flags & FN_HIDDEN) != 0)
            continue;
        size_t size = strcspn(function->name, " ");
        char name[64];
        snprintf(name, sizeof name, "`%.*s`", (int)size, function->name);
        CHECK(strstr(docs.data, name) != NULL);
        CHECK(function->help != NULL && function->help[strlen(function->help) - 1] == '.');
        CHECK((function->example == NULL) == (function->expected == NULL));
    }
    text_free(&docs);
}

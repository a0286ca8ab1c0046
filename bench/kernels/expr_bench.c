/* expr_bench.c - nanoseconds per row of the hot kernels, batches of 8192 rows, best of many runs.
 *
 *     expr_bench [name]     cases whose name contains it
 */
#include <stdio.h>
#include <string.h>

#include "base/os.h"
#include "expr/expr.h"

enum { ROWS = BATCH_ROWS_MAX, RUNS = 300, GROUPS = 100000, GROUP_BATCHES = 64 };

static struct arena arena;
static struct session session;
static struct expr_context ctx = {&arena, &session};
static struct batch batch;
static const char *wanted = "";
static const struct position nowhere;

static uint64_t random_state = 1;
static uint64_t next_random(void)
{
    random_state += 0x9e3779b97f4a7c15u;
    uint64_t z = random_state;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

/* ---- input: like the transactions of the demo ---- */

enum { AMOUNT, STATUS, TIME_TEXT, CARD, SCORE, COUNT_OPT, PAYLOAD, COLUMNS };

static void fill(void)
{
    const struct field fields[COLUMNS] = {
        {"amount", type_decimal(&arena, 12, 2), true}, {"status", type_of(TYPE_STRING), true},
        {"time_text", type_of(TYPE_STRING), true},     {"card", type_of(TYPE_INT64), true},
        {"score", type_of(TYPE_DOUBLE), true},         {"count_opt", type_of(TYPE_INT32), true},
        {"payload", type_of(TYPE_BINARY), true},
    };
    static const char *const statuses[] = {"OK", "DECLINED", "PENDING"};
    batch_init(&batch, type_struct(&arena, fields, COLUMNS), ROWS);
    struct builder builders[COLUMNS];
    for (int c = 0; c < COLUMNS; c++)
        builder_init(&builders[c], fields[c].type);
    for (int i = 0; i < ROWS; i++) {
        char text[64];
        int size = snprintf(text, sizeof text, "2026-%02d-%02dT%02d:%02d:%02d.%03dZ", 1 + (int)(next_random() % 12),
                            1 + (int)(next_random() % 28), (int)(next_random() % 24), (int)(next_random() % 60),
                            (int)(next_random() % 60), (int)(next_random() % 1000));
        builder_int(&builders[AMOUNT], (int64_t)(next_random() % 1000000) - 1000);
        builder_bytes(&builders[STATUS], bytes_of_string(statuses[next_random() % 3]));
        builder_bytes(&builders[TIME_TEXT], bytes_of(text, (size_t)size));
        builder_int(&builders[CARD], (int64_t)(next_random() % GROUPS));
        builder_double(&builders[SCORE], (double)(next_random() % 1000) / 7);
        if (next_random() % 10 == 0)
            builder_null(&builders[COUNT_OPT]);
        else
            builder_int(&builders[COUNT_OPT], (int64_t)(next_random() % 100));
        builder_bytes(&builders[PAYLOAD], bytes_of(text, (size_t)size));
    }
    for (int c = 0; c < COLUMNS; c++) {
        builder_finish(&builders[c], &batch.columns[c]);
        builder_release(&builders[c]);
    }
}

/* ---- trees ---- */

static const struct expr *must(enum code code, const struct expr *expr, const struct error *err)
{
    if (code != E_OK)
        fprintf(stderr, "%s\n", err->text);
    always(code == E_OK);
    return expr;
}
static const struct expr *column(int index) { return expr_column(&ctx, index, &batch.schema->fields[index], nowhere); }
static const struct expr *number(int64_t value) { return expr_int(&ctx, type_of(TYPE_INT32), value, nowhere); }
static const struct expr *string(const char *value) { return expr_string(&ctx, bytes_of_string(value), nowhere); }
static const struct expr *call2(const char *name, const struct expr *a, const struct expr *b)
{
    struct error err;
    const struct expr *out = NULL, *args[] = {a, b};
    enum code code = expr_call(&ctx, name, args, b == NULL ? 1 : 2, nowhere, &out, &err);
    return must(code, out, &err);
}
static const struct expr *cast(const struct expr *of, const struct type *to, bool try_cast)
{
    struct error err;
    const struct expr *out = NULL;
    enum code code = expr_cast(&ctx, of, to, try_cast, nowhere, &out, &err);
    return must(code, out, &err);
}
static const struct expr *case_of(const struct expr *const *args, int32_t count)
{
    struct error err;
    const struct expr *out = NULL;
    enum code code = expr_case(&ctx, args, count, nowhere, &out, &err);
    return must(code, out, &err);
}

/* ---- measuring ---- */

static void measure(const char *name, const struct expr *expr)
{
    struct program *program;
    struct error err;
    struct rejects rejects = {0};
    int64_t best = INT64_MAX;
    if (strstr(name, wanted) == NULL)
        return;
    always(program_compile(&arena, &expr, 1, &program, &err) == E_OK);
    struct evaluator *evaluator = evaluator_new(program);
    for (int run = 0; run < RUNS / 20; run++) {
        int64_t start = os->clock_mono_us();
        for (int k = 0; k < 20; k++) {
            struct column out = {0};
            always(evaluator_run(evaluator, &session, &batch, &out, &rejects, &err) == E_OK);
            column_release(&out);
            rejects_clear(&rejects);
        }
        int64_t took = os->clock_mono_us() - start;
        best = took < best ? took : best;
    }
    printf("%-36s %7.2f ns/row\n", name, (double)best * 1000 / (20.0 * ROWS));
    evaluator_free(evaluator);
    rejects_free(&rejects);
}

static void measure_aggregate(const char *name, const char *function, const struct expr *arg, bool active)
{
    struct error err;
    const struct aggregate_call *call;
    struct rejects rejects = {0};
    size_t heap_bytes = 0;
    struct column col = {0};
    if (strstr(name, wanted) == NULL)
        return;
    always(aggregate_bind(&ctx, function, &arg, arg != NULL, false, NULL, nowhere, &call, &err) == E_OK);
    if (arg != NULL)
        column_share(&col, &batch.columns[arg->index]);
    uint8_t *states = mem_zero((size_t)GROUPS * call->state_size), *bits = mem_zero(ROWS / 8 + 8);
    memset(bits, 0x7f, ROWS / 8);
    uint32_t *slots = mem_array(uint32_t, (size_t)ROWS * GROUP_BATCHES);
    for (int i = 0; i < ROWS * GROUP_BATCHES; i++)
        slots[i] = (uint32_t)(next_random() % GROUPS);
    int64_t best = INT64_MAX;
    for (int run = 0; run < 8; run++) {
        int64_t start = os->clock_mono_us();
        for (int k = 0; k < GROUP_BATCHES; k++)
            aggregate_add(&(struct aggregate_rows){.call = call,
                                                   .args = &col,
                                                   .rows = ROWS,
                                                   .active = active ? bits : NULL,
                                                   .base = states,
                                                   .stride = call->state_size,
                                                   .slots = slots + (size_t)k * ROWS,
                                                   .rejects = &rejects,
                                                   .heap_bytes = &heap_bytes});
        int64_t took = os->clock_mono_us() - start;
        best = took < best ? took : best;
    }
    printf("%-36s %7.2f ns/row\n", name, (double)best * 1000 / ((double)ROWS * GROUP_BATCHES));
    column_release(&col);
    mem_free(states);
    mem_free(slots);
    mem_free(bits);
}

int main(int argc, char **argv)
{
    wanted = argc > 1 ? argv[1] : "";
    session = (struct session){.zone = zone_utc(), .ansi = true};
    fill();
    const struct expr *amount = column(AMOUNT), *card = column(CARD), *score = column(SCORE), *status = column(STATUS);
    const struct expr *time = cast(column(TIME_TEXT), type_of(TYPE_TIMESTAMP), true);
    const struct expr *positive = call2(">", amount, number(0));
    measure("bigint > constant", call2(">", card, number(500)));
    measure("bigint = bigint", call2("=", card, card));
    measure("decimal(12,2) > 0", positive);
    measure("double < constant", call2("<", score, number(50)));
    measure("string = short constant", call2("=", status, string("OK")));
    measure("string = string", call2("=", status, column(TIME_TEXT)));
    measure("int + int, 10% NULL", call2("+", column(COUNT_OPT), number(1)));
    measure("bigint * bigint", call2("*", card, number(3)));
    measure("decimal + decimal", call2("+", amount, amount));
    measure("decimal * decimal (wide result)", call2("*", amount, amount));
    measure("double / double", call2("/", score, number(3)));
    measure("a AND b", call2("and", positive, call2("<", score, number(50))));
    measure("try_cast(string AS TIMESTAMP)", time);
    measure("CAST(binary AS STRING)", cast(column(PAYLOAD), type_of(TYPE_STRING), false));
    measure("CAST(int AS STRING)", cast(column(COUNT_OPT), type_of(TYPE_STRING), false));
    measure("CAST(decimal AS DOUBLE)", cast(amount, type_of(TYPE_DOUBLE), false));
    measure("CASE to bigint", case_of((const struct expr *[]){positive, card, number(0)}, 3));
    measure("CASE 3 branches to text",
            case_of((const struct expr *[]){call2("<", amount, number(0)), string("negative"),
                                            call2("isnull", column(COUNT_OPT), NULL), string("no count"), string("ok")},
                    5));
    measure("coalesce(int, 0)", call2("coalesce", column(COUNT_OPT), number(0)));
    measure("upper(string)", call2("upper", status, NULL));
    measure("string LIKE 'D%'", call2("like", status, string("D%")));
    measure("date_trunc(hour, try_cast)", call2("date_trunc", string("hour"), time));
    measure_aggregate("count(*), 100k groups", "count", NULL, false);
    measure_aggregate("sum(decimal(12,2)), 100k groups", "sum", amount, false);
    measure_aggregate("sum(bigint), 100k groups", "sum", card, false);
    measure_aggregate("avg(double), 100k groups", "avg", score, false);
    measure_aggregate("max(bigint), 100k groups", "max", card, false);
    measure_aggregate("sum(int) with NULLs, 100k groups", "sum", column(COUNT_OPT), false);
    measure_aggregate("sum(decimal) with mask, 100k groups", "sum", amount, true);
    batch_release(&batch);
    arena_free(&arena);
    return 0;
}

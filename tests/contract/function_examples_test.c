/* function_examples_test.c - every example of the catalogue, run as leat sql runs it, gives what the page says. */
#include <math.h>
#include <stdlib.h>

#include "cli/sql_run.h"
#include "kit.h"

struct seen {
    struct text rows;
    const struct zone *zone;
};

static void take_schema(void *context, const struct type *schema, const struct zone *zone)
{
    struct seen *self = context;
    (void)schema;
    self->zone = zone;
}

static void take_rows(void *context, const struct batch *batch)
{
    struct seen *self = context;
    const struct column *col = &batch->columns[0];
    for (int64_t row = 0; row < batch->rows; row++) {
        text_add_string(&self->rows, self->rows.size > 0 ? "\n" : "");
        if (type_is_interval(col->type))
            column_show(col, row, self->zone, &self->rows); // as SQL writes it
        else
            column_print_in(col, row, self->zone, &self->rows);
    }
}

/* Sums of powers round as the rows were split; 15 digits agree. */
static bool nearly(const char *shown, const char *expected)
{
    char *a, *b;
    double x = strtod(shown, &a), y = strtod(expected, &b);
    return *shown != '\0' && *a == '\0' && *b == '\0' && fabs(x - y) <= 1e-14 * fabs(y) * 10;
}

static void run_example(void *context, const char *name, const char *example, const char *expected)
{
    struct sql_run *run = context;
    struct seen seen = {0};
    struct error err = {0};
    struct text sql = {0};
    const struct sql_sink sink = {.schema = take_schema, .rows = take_rows, .context = &seen};
    text_printf(&sql, strncmp(example, "SELECT", 6) == 0 ? "%s" : "SELECT %s", example);
    enum code code = sql_run_statement(run, text_view(&sql), &sink, &err);
    const char *shown = seen.rows.data != NULL ? seen.rows.data : "";
    if (code != E_OK)
        kit_fail(__FILE__, __LINE__, "%s: %s: %s", name, example, err.text);
    else if (strcmp(shown, expected) != 0 && !nearly(shown, expected))
        kit_fail(__FILE__, __LINE__, "%s: %s is %s, not %s", name, example, shown, expected);
    text_free(&seen.rows);
    text_free(&sql);
}

TEST(every_example_gives_what_it_says)
{
    const struct session session = {.zone = zone_utc(), .ansi = true};
    struct sql_run run;
    sql_run_open(&run, &session, 64 * 1024 * 1024);
    functions_each_example(run_example, &run);
    sql_run_close(&run);
}

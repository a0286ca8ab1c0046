/* Statements of a session, run: whatever the bytes say, each ends in rows or in a message, within its memory. */
#include <stdlib.h>

#include "cli/sql_run.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { PULLS_MAX = 2000, MEMORY_BYTES = 32 * 1024 * 1024, STATEMENTS_MAX = 20 };

static bool enough(void *context)
{
    int *pulls = context;
    return ++*pulls > PULLS_MAX;
}

static void see_schema(void *context, const struct type *schema, const struct zone *zone)
{
    struct text *shown = context;
    (void)zone;
    text_clear(shown);
    type_print(schema, shown);
}

static void see_rows(void *context, const struct batch *batch)
{
    struct text *shown = context;
    batch_check(batch);
    for (int64_t row = 0; row < batch->rows && row < 10; row++)
        for (int32_t c = 0; c < batch->column_count; c++) {
            text_clear(shown);
            column_print_in(&batch->columns[c], row, zone_utc(), shown);
        }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct session session = {.zone = zone_utc(), .ansi = size % 2 == 0};
    struct bytes script = bytes_of(data, size), statement;
    struct text shown = {0};
    struct sql_run run;
    int pulls = 0;
    const struct sql_sink sink = {.schema = see_schema, .rows = see_rows, .context = &shown};
    sql_run_open(&run, &session, MEMORY_BYTES);
    run.stopped = enough;
    run.stopped_context = &pulls;
    for (int i = 0; i < STATEMENTS_MAX && sql_statement_next(&script, &statement); i++) {
        struct error err = {0};
        if (sql_run_statement(&run, statement, &sink, &err) != E_OK && err.text[0] == '\0')
            abort();
    }
    sql_run_close(&run);
    text_free(&shown);
    return 0;
}

/* functions_bench.c - queries over a table in memory, nanoseconds of CPU a row: what a function costs where users call it.
 *
 *     functions_bench FILE.parquet < queries     a line is NAME <tab> QUERY; the file's rows are the table t
 *
 * Out      a line a query: NAME <tab> ns/row of the best round
 * Shape    the query runs whole: scan of the table's batches, projection or aggregation, rows handed out and dropped
 */
#include <stdio.h>
#include <string.h>

#include "base/thread.h"
#include "cli/sql_run.h"

enum { ROUNDS = 5, LINE_MAX_BYTES = 4096, PATH_MAX_BYTES = 1024 };
static const size_t memory_bytes = (size_t)4 << 30;

static void see_schema(void *context, const struct type *schema, const struct zone *zone)
{
    (void)context;
    (void)schema;
    (void)zone;
}

static void see_rows(void *context, const struct batch *batch) { *(int64_t *)context += batch->rows; }

static int64_t run(struct sql_run *session, const char *statement)
{
    struct error err = {0};
    int64_t rows = 0;
    if (sql_run_statement(session, bytes_of_string(statement),
                          &(struct sql_sink){.schema = see_schema, .rows = see_rows, .context = &rows}, &err) != E_OK) {
        fprintf(stderr, "%s\n%s\n", statement, err.text);
        return -1;
    }
    return rows;
}

static int64_t best_us(struct sql_run *session, const char *query)
{
    int64_t best = INT64_MAX;
    for (int round = 0; round < ROUNDS; round++) {
        int64_t start = thread_cpu_us();
        if (run(session, query) < 0)
            return -1;
        int64_t took = thread_cpu_us() - start;
        best = took < best ? took : best;
    }
    return best;
}

int main(int argc, char **argv)
{
    static const struct session settings = {.ansi = true};
    struct session session = settings;
    struct sql_run self;
    char text[PATH_MAX_BYTES], line[LINE_MAX_BYTES];
    if (argc != 2 || strlen(argv[1]) > PATH_MAX_BYTES / 2) {
        fprintf(stderr, "usage: %s FILE.parquet < queries\n", argv[0]);
        return 2;
    }
    session.zone = zone_utc();
    sql_run_open(&self, &session, memory_bytes);
    snprintf(text, sizeof text, "CREATE TABLE t AS SELECT * FROM parquet.`%s`", argv[1]);
    int64_t rows = run(&self, text) < 0 ? -1 : run(&self, "SELECT i FROM t");
    while (rows > 0 && fgets(line, sizeof line, stdin) != NULL) {
        line[strcspn(line, "\n")] = '\0';
        char *query = strchr(line, '\t');
        if (query == NULL)
            continue;
        *query++ = '\0';
        int64_t us = best_us(&self, query);
        printf("%s\t%.3f\n", line, us < 0 ? -1 : (double)us * 1000 / (double)rows);
    }
    sql_run_close(&self);
    return rows > 0 ? 0 : 1;
}

/* How much of Spark's own test queries is understood. The thresholds only grow. */
#include "kit.h"
#include "sql/parse.h"
#include "sql/sql.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

enum { LINE_BYTES_MAX = 1 << 20 };

/* Of the statements that begin like a query: Spark parses these, leat parses at least so many of
 * 10,800. */
enum { PARSED_MIN = 10600, REFUSED_MIN = 55, SAME_SCHEMA_MIN = 2600 }; // refused: less IDENTIFIER(..) of older Sparks

struct tally {
    int parsed, parsable, refused, refusable, same_schema;
};

static bool is_query(const char *sql)
{
    static const char *const words[] = {"SELECT", "WITH", "VALUES", "FROM", "TABLE"};
    for (;;) {
        sql += strspn(sql, " \t\r\n(");
        if (strncmp(sql, "--", 2) == 0)
            sql += strcspn(sql, "\n");
        else if (strncmp(sql, "/*", 2) == 0 && strstr(sql, "*/") != NULL)
            sql = strstr(sql, "*/") + 2;
        else
            break;
    }
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
        if (strncasecmp(sql, words[i], strlen(words[i])) == 0)
            return true;
    return false;
}

static void count_statement(const json_t *line, struct tally *tally)
{
    const char *sql = json_string_value(json_object_get(line, "sql")),
               *error = json_string_value(json_object_get(line, "error"));
    struct arena arena = {0};
    struct error err = {0};
    struct sql_file file = {NULL, bytes_of_string(sql)};
    struct notes notes = {.arena = &arena, .files = &file, .file_count = 1};
    struct ast_query *query;
    if (!is_query(sql))
        return;
    bool syntax = error != NULL && (strncmp(error, "PARSE_SYNTAX", 12) == 0 || strncmp(error, "UNCLOSED", 8) == 0);
    bool parsed = parse_query_text(&arena, &file, &notes, &query, &err) == E_OK;
    tally->parsable += !syntax;
    tally->refusable += syntax;
    tally->parsed += !syntax && parsed;
    tally->refused += syntax && !parsed;
    if (error == NULL && json_is_true(json_object_get(line, "self_contained"))) {
        struct session session = {.zone = zone_utc(), .ansi = true};
        struct plan *plan;
        struct text shown = {0};
        if (sql_query(&arena, bytes_of_string(sql), &session, &plan, &err) == E_OK) {
            type_print(plan->schema, &shown);
            tally->same_schema += strcmp(shown.data, json_string_value(json_object_get(line, "schema"))) == 0;
        }
        text_free(&shown);
    }
    arena_free(&arena);
}

TEST(spark_queries)
{
    const char *path = kit_conformance("spark-golden/queries.jsonl");
    if (path == NULL)
        return;
    FILE *in = fopen(path, "r");
    CHECK(in != NULL);
    if (in == NULL)
        return;
    struct tally tally = {0};
    char *text = mem_alloc(LINE_BYTES_MAX);
    while (fgets(text, LINE_BYTES_MAX, in) != NULL) {
        json_t *line = json_loads(text, JSON_ALLOW_NUL, NULL);
        CHECK(line != NULL);
        if (line != NULL)
            count_statement(line, &tally);
        json_decref(line);
    }
    mem_free(text);
    fclose(in);
    printf("spark_queries: parsed %d of %d, refused %d of %d, same schema %d\n", tally.parsed, tally.parsable,
           tally.refused, tally.refusable, tally.same_schema);
    CHECK(tally.parsed >= PARSED_MIN);
    CHECK(tally.refused >= REFUSED_MIN);
    CHECK(tally.same_schema >= SAME_SCHEMA_MIN);
}

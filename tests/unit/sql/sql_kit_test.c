#include "sql_kit.h"

#include "kit.h"

static const struct setting schema_option = {"schema", "k STRING, v INT, at TIMESTAMP", {0}};
static const struct pipeline_source source_src = {.name = "src", .format = "kafka"};
static const struct pipeline_source source_a = {
    .name = "a", .format = "parquet", .options = &schema_option, .option_count = 1};
static const struct pipeline_source source_b = {
    .name = "b", .format = "parquet", .options = &schema_option, .option_count = 1};
static const struct pipeline_source *const sources[] = {&source_src, &source_a, &source_b};

void fixture_open(struct fixture *self) { *self = (struct fixture){.session = {.zone = zone_utc(), .ansi = true}}; }

void fixture_close(struct fixture *self)
{
    mem_free(self->problems.texts);
    text_free(&self->shown);
    arena_free(&self->arena);
    *self = (struct fixture){0};
}

enum code fixture_analyse(struct fixture *self, const char *sql)
{
    struct sql_file file = {"t.sql", bytes_of_string(sql)};
    struct sql_file *files = arena_new(&self->arena, struct sql_file);
    *files = file;
    self->problems.count = 0;
    self->notes = (struct notes){.arena = &self->arena, .problems = &self->problems};
    struct project_text text = {.name = "p",
                                .directory = ".",
                                .storage = "file:///s",
                                .files = files,
                                .file_count = 1,
                                .sources = sources,
                                .source_count = 3,
                                .session = self->session,
                                .notes = &self->notes};
    self->err = (struct error){0};
    return project_analyse(&self->arena, &text, &self->pipeline, &self->err);
}

const char *fixture_graph(struct fixture *self, const char *sql)
{
    text_clear(&self->shown);
    if (fixture_analyse(self, sql) != E_OK) {
        kit_fail(__FILE__, __LINE__, "%s\n%s", sql, self->err.text);
        return "";
    }
    pipeline_print(self->pipeline, &self->shown);
    return self->shown.data;
}

void check_graph(const char *file, int line, const char *sql, const char *want)
{
    struct fixture fixture;
    fixture_open(&fixture);
    const char *got = fixture_graph(&fixture, sql);
    if (strcmp(got, want) != 0)
        kit_fail(file, line, "the graph of\n%s\nis\n%s\nexpected\n%s", sql, got, want);
    fixture_close(&fixture);
}

const char *query_schema(struct fixture *self, const char *sql)
{
    struct plan *plan;
    text_clear(&self->shown);
    self->err = (struct error){0};
    if (sql_query(&self->arena, bytes_of_string(sql), &self->session, &plan, &self->err) != E_OK)
        return self->err.text;
    type_print(plan->schema, &self->shown);
    return self->shown.data;
}

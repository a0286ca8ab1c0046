/* A folder to a pipeline: the example, and what a folder can lack. */
#include "kit.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/os.h"
#include "sql/sql.h"

struct loaded {
    struct arena arena;
    struct problems problems;
    struct error err;
    const struct pipeline *pipeline;
    enum code code;
};

static void load_with(struct loaded *self, const char *directory, const char *env_file, const struct setting *sets,
                      int32_t count)
{
    *self = (struct loaded){0};
    const struct project_environment environment = {.env_file = env_file, .sets = sets, .set_count = count};
    self->code = project_load(&self->arena, directory, &environment, &self->pipeline, &self->problems, &self->err);
}

static void loaded_close(struct loaded *self)
{
    mem_free(self->problems.texts);
    arena_free(&self->arena);
}

static void put(const char *directory, const char *path, const char *text)
{
    char full[600];
    struct error err = {0};
    snprintf(full, sizeof full, "%s/%s", directory, path);
    char *slash = strrchr(full, '/');
    *slash = '\0';
    CHECK_INT(os->dir_make(full, &err), E_OK);
    *slash = '/';
    CHECK_INT(os_replace_file(full, bytes_of_string(text), &err), E_OK);
}

static const char SPEC[] = "name: p\n"
                           "storage: file:///s\n"
                           "libraries: [{glob: {include: transformations/**}}]\n"
                           "configuration:\n"
                           "  source.ticks.format: rate\n"
                           "  leat.preview: \"${env:LEAT_TEST_PREVIEW:-}\"\n"
                           "  spark.sql.session.timeZone: Europe/Berlin\n"
                           "  column: value\n";
static const char SQL[] = "CREATE STREAMING TABLE t AS SELECT ${column} AS v FROM STREAM ticks;\n";

TEST(project_becomes_a_pipeline)
{
    char directory[400];
    snprintf(directory, sizeof directory, "%s", kit_tmpdir());
    put(directory, "spark-pipeline.yml", SPEC);
    put(directory, "transformations/t.sql", SQL);
    put(directory, ".env", "LEAT_TEST_PREVIEW=true\n");
    struct loaded loaded;
    const struct setting sets[] = {{"leat.memory", "2g", {0}}};
    load_with(&loaded, directory, NULL, sets, 1);
    CHECK_STR(loaded.err.text, "");
    CHECK_INT(loaded.code, E_OK);
    if (loaded.code == E_OK) {
        CHECK_STR(loaded.pipeline->name, "p");
        CHECK_STR(loaded.pipeline->storage, "file:///s");
        CHECK_STR(loaded.pipeline->directory, directory);
        CHECK_STR(pipeline_setting(loaded.pipeline, "leat.preview"), "true");
        CHECK_STR(pipeline_setting(loaded.pipeline, "leat.memory"), "2g");
        CHECK_STR(zone_name(loaded.pipeline->session.zone), "Europe/Berlin");
        CHECK(loaded.pipeline->session.ansi);
        CHECK_INT(loaded.pipeline->source_count, 1);
        CHECK_INT(loaded.pipeline->table_count, 1);
        CHECK_STR(loaded.pipeline->tables[0]->name, "t");
        CHECK_STR(loaded.pipeline->tables[0]->schema->fields[0].name, "v");
    }
    loaded_close(&loaded);
    put(directory, "other.env", "LEAT_TEST_PREVIEW=false\n");
    char other[500];
    snprintf(other, sizeof other, "%s/other.env", directory);
    load_with(&loaded, directory, other, NULL, 0);
    CHECK_STR(loaded.code == E_OK ? pipeline_setting(loaded.pipeline, "leat.preview") : NULL, "false");
    loaded_close(&loaded);
}

TEST(problems_of_spec_and_sql_show_their_lines)
{
    char directory[400], expected[1000];
    snprintf(directory, sizeof directory, "%s", kit_tmpdir());
    put(directory, "spark-pipeline.yml", SPEC);
    put(directory, "transformations/t.sql", "SELECT\n  ${colum}\n");
    struct loaded loaded;
    load_with(&loaded, directory, NULL, NULL, 0);
    CHECK_INT(loaded.code, E_SPEC);
    snprintf(expected, sizeof expected,
             "%s/transformations/t.sql:2:3: 'colum' is not in `configuration`\n   2 |   ${colum}\n     |   ^^^^^^^^\n"
             "hint: did you mean column?",
             directory);
    CHECK_STR(loaded.err.text, expected);
    CHECK_INT(loaded.problems.count, 1);
    loaded_close(&loaded);

    put(directory, "transformations/t.sql",
        "CREATE STREAMING TABLE t AS SELECT valu FROM STREAM ticks;\nCREATE TABEL x;\n");
    load_with(&loaded, directory, NULL, NULL, 0);
    CHECK_INT(loaded.code, E_SQL);
    CHECK(loaded.problems.count >= 2);
    loaded_close(&loaded);

    put(directory, ".env", "what is this\n");
    load_with(&loaded, directory, NULL, NULL, 0);
    snprintf(expected, sizeof expected, "%s/.env:1:6: a line here is NAME=value", directory); // the line is a secret
    CHECK_STR(loaded.err.text, expected);
    loaded_close(&loaded);
}

/* A statement that cannot be read makes no table, and all that read it would lack it. */
TEST(a_syntax_error_is_told_once)
{
    char directory[400];
    snprintf(directory, sizeof directory, "%s", kit_tmpdir());
    put(directory, "spark-pipeline.yml", SPEC);
    put(directory, "transformations/t.sql",
        "CREATE STREAMNG TABLE a AS SELECT value FROM STREAM ticks;\n"
        "CREATE STREAMING TABLE b AS SELECT value FROM STREAM a;\n"
        "CREATE STREAMING TABLE c AS SELECT valu FROM STREAM ticks;\n");
    struct loaded loaded;
    load_with(&loaded, directory, NULL, NULL, 0);
    CHECK_INT(loaded.code, E_SQL);
    CHECK_INT(loaded.problems.count, 2);
    CHECK(strstr(loaded.problems.texts[0], "did you mean STREAMING?") != NULL);
    CHECK(strstr(loaded.problems.texts[1], "`valu`") != NULL);
    loaded_close(&loaded);
}

TEST(what_a_folder_can_lack)
{
    char directory[400], expected[1000];
    snprintf(directory, sizeof directory, "%s", kit_tmpdir());
    struct loaded loaded;
    load_with(&loaded, directory, NULL, NULL, 0);
    CHECK_INT(loaded.code, E_SPEC);
    snprintf(expected, sizeof expected,
             "[PIPELINE_SPEC_FILE_NOT_FOUND] there is no spark-pipeline.yml in %s\n"
             "hint: leat init NAME makes a project; leat run DIR takes the folder that holds the spec",
             directory);
    CHECK_STR(loaded.err.text, expected);
    CHECK(loaded.problems.count == 1 && strcmp(loaded.problems.texts[0], expected) == 0);
    loaded_close(&loaded);

    put(directory, "spark-pipeline.yml", SPEC);
    put(directory, "spark-pipeline.yaml", SPEC);
    load_with(&loaded, directory, NULL, NULL, 0);
    snprintf(expected, sizeof expected,
             "[MULTIPLE_PIPELINE_SPEC_FILES_FOUND] %s/spark-pipeline.yml and %s/spark-pipeline.yaml: remove one",
             directory, directory);
    CHECK_STR(loaded.err.text, expected);
    loaded_close(&loaded);

    char path[500];
    struct error err = {0};
    snprintf(path, sizeof path, "%s/spark-pipeline.yaml", directory);
    CHECK_INT(os->remove(path, &err), E_OK);
    snprintf(path, sizeof path, "%s/none.env", directory);
    load_with(&loaded, directory, path, NULL, 0);
    CHECK(loaded.code != E_OK && strstr(loaded.err.text, "none.env") != NULL);
    loaded_close(&loaded);
}

TEST(the_examples_load)
{
    static const char *const examples[] = {"examples/transactions", "examples/events"};
    for (size_t i = 0; i < sizeof examples / sizeof *examples; i++) {
        struct loaded loaded;
        load_with(&loaded, examples[i], NULL, NULL, 0);
        CHECK_STR(loaded.err.text, "");
        CHECK_INT(loaded.code, E_OK);
        for (int32_t w = 0; loaded.code == E_OK && w < loaded.pipeline->warning_count; w++)
            CHECK_STR(loaded.pipeline->warnings[w], "");
        loaded_close(&loaded);
    }
}

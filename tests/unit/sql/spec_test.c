/* The spec: what is read, and every message it can give, word for word. */
#include "kit.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/os.h"
#include "sql/spec.h"

#define LIBRARIES "libraries: [{glob: {include: transformations/**}}]\n"
#define HEAD "name: p\nstorage: file:///s\n" LIBRARIES

struct read {
    struct arena arena;
    struct problems problems;
    struct notes notes;
    struct sql_file file;
    struct dotenv dotenv;
    struct spec spec;
    struct error err;
    enum code code;
};

static void read_with(struct read *read, const char *text, const char *dotenv, const struct setting *sets,
                      int32_t set_count)
{
    *read = (struct read){.file = {"p.yml", bytes_of_string(text)}};
    read->notes =
        (struct notes){.arena = &read->arena, .files = &read->file, .file_count = 1, .problems = &read->problems};
    if (dotenv != NULL) {
        struct sql_file file = {".env", bytes_of_string(dotenv)};
        CHECK_INT(dotenv_parse(&read->arena, &file, &read->notes, &read->dotenv, &read->err), E_OK);
    }
    read->code =
        spec_parse(&read->arena, &read->file, &read->dotenv, sets, set_count, &read->notes, &read->spec, &read->err);
}

static void read_close(struct read *read)
{
    mem_free(read->problems.texts);
    arena_free(&read->arena);
}

static const char *setting_of(const struct read *read, const char *name)
{
    for (int32_t i = 0; i < read->spec.setting_count; i++)
        if (strcmp(read->spec.settings[i].name, name) == 0)
            return read->spec.settings[i].value;
    return NULL;
}

static const char *option_of(const struct setting *options, int32_t count, const char *name)
{
    for (int32_t i = 0; i < count; i++)
        if (strcmp(options[i].name, name) == 0)
            return options[i].value;
    return NULL;
}

TEST(spec_reads_every_key)
{
    struct read read;
    read_with(&read,
              "# comment\n"
              "name: transactions\n"
              "storage: \"file:///tmp/x\"\n"
              "catalog: cat\n"
              "schema: db\n"
              "libraries:\n"
              "  - glob:\n"
              "      include: transformations/**\n"
              "  - glob: {include: extra/one.sql}\n"
              "configuration:\n"
              "  source.tx.format: kafka\n"
              "  source.tx.kafka.bootstrap.servers: 'h:9092'\n"
              "  source.tx.subscribe: \"t\"\n"
              "  sink.screen.format: console\n"
              "  sink.screen.from: parsed\n"
              "  sink.screen.numRows: \"10\"\n"
              "  leat.trigger: 10 seconds\n"
              "  spark.sql.session.timeZone: UTC\n"
              "  spark.what.ever: x\n"
              "  mine: my value\n",
              NULL, NULL, 0);
    CHECK_INT(read.code, E_OK);
    CHECK_STR(read.err.text, "");
    CHECK_STR(read.spec.name, "transactions");
    CHECK_STR(read.spec.storage, "file:///tmp/x");
    CHECK_STR(read.spec.catalog, "cat");
    CHECK_STR(read.spec.database, "db");
    CHECK_INT(read.spec.glob_count, 2);
    CHECK_STR(read.spec.globs[0].pattern, "transformations/**");
    CHECK_STR(read.spec.globs[1].pattern, "extra/one.sql");
    CHECK_INT(read.spec.globs[0].at.line, 8);
    CHECK_INT(read.spec.globs[0].at.column, 16);
    CHECK_INT(read.spec.source_count, 1);
    CHECK_STR(read.spec.sources[0]->name, "tx");
    CHECK_STR(read.spec.sources[0]->format, "kafka");
    CHECK_INT(read.spec.sources[0]->option_count, 2);
    CHECK_STR(option_of(read.spec.sources[0]->options, 2, "kafka.bootstrap.servers"), "h:9092");
    CHECK_STR(option_of(read.spec.sources[0]->options, 2, "subscribe"), "t");
    CHECK_INT(read.spec.sink_count, 1);
    CHECK_STR(read.spec.sinks[0].name, "screen");
    CHECK_STR(read.spec.sinks[0].format, "console");
    CHECK_STR(read.spec.sinks[0].from, "parsed");
    CHECK_STR(option_of(read.spec.sinks[0].options, 1, "numRows"), "10");
    CHECK_STR(setting_of(&read, "leat.trigger"), "10 seconds");
    CHECK_STR(setting_of(&read, "spark.what.ever"), "x");
    CHECK_STR(setting_of(&read, "mine"), "my value");
    CHECK_INT(read.notes.warnings.count, 0);
    read_close(&read);
}

TEST(spec_replaces_environment_variables)
{
    struct read read;
    setenv("LEAT_TEST_A", "from process", 1);
    setenv("LEAT_TEST_EMPTY", "", 1);
    unsetenv("LEAT_TEST_NONE");
    read_with(&read,
              HEAD "configuration:\n"
                   "  a: \"${env:LEAT_TEST_A}\"\n"
                   "  b: ${env:LEAT_TEST_B}\n"
                   "  c: \"<${env:LEAT_TEST_NONE:-de fault}>\"\n"
                   "  d: \"${env:LEAT_TEST_NONE:-${env:LEAT_TEST_A:-x}!}\"\n"
                   "  e: \"${env:LEAT_TEST_EMPTY:-instead}${env:LEAT_TEST_EMPTY}\"\n"
                   "  f: \"${other} $ {} ${env:LEAT_TEST_NONE:-}\"\n"
                   "  leat.preview: \"${env:LEAT_TEST_NONE:-}\"\n",
              "LEAT_TEST_A=file\nLEAT_TEST_B=from file\n", NULL, 0);
    CHECK_STR(read.err.text, "");
    CHECK_STR(setting_of(&read, "a"), "from process");
    CHECK_STR(setting_of(&read, "b"), "from file");
    CHECK_STR(setting_of(&read, "c"), "<de fault>");
    CHECK_STR(setting_of(&read, "d"), "from process!");
    CHECK_STR(setting_of(&read, "e"), "instead");
    CHECK_STR(setting_of(&read, "f"), "${other} $ {} ");
    CHECK(setting_of(&read, "leat.preview") == NULL); // empty = not set
    read_close(&read);
}

TEST(set_wins_over_configuration)
{
    struct read read;
    const struct setting sets[] = {{"leat.trigger", "once", {0}},
                                   {"source.tx.subscribe", "first", {0}},
                                   {"source.tx.subscribe", "other", {0}},
                                   {"new", "1", {0}}};
    read_with(&read,
              HEAD "configuration:\n"
                   "  leat.trigger: \"${env:LEAT_TEST_NONE}\"\n" // overridden: its variable need not exist
                   "  source.tx.format: kafka\n"
                   "  source.tx.subscribe: t\n",
              NULL, sets, 4);
    CHECK_STR(read.err.text, "");
    CHECK_STR(setting_of(&read, "leat.trigger"), "once");
    CHECK_STR(setting_of(&read, "new"), "1");
    CHECK_INT(read.spec.sources[0]->option_count, 1);
    CHECK_STR(read.spec.sources[0]->options[0].value, "other");
    read_close(&read);
}

TEST(spec_warns_of_what_spark_refuses)
{
    struct read read;
    read_with(&read,
              "name: p\nstorage: /plain/path\nlibraries: [{glob: {include: '*.sql'}}]\n"
              "configuration:\n  a: 10\n  b: yes\n  c: null\n  d: 1.5e3\n  e: 10 seconds\n",
              NULL, NULL, 0);
    CHECK_STR(read.err.text, "");
    CHECK_STR(setting_of(&read, "a"), "10");
    CHECK_STR(setting_of(&read, "b"), "yes");
    CHECK_STR(setting_of(&read, "c"), "");
    CHECK_INT(read.notes.warnings.count, 5);
    static const char *const expected[] = {
        "p.yml:2:10: Spark takes only a URI here: write file:///plain/path\n   2 | storage: /plain/path\n     |          ^^^^^^^^^^^",
        "p.yml:5:6: [PIPELINE_SPEC_DICT_VALUE_NOT_STRING] Spark takes only texts here: write \"10\"\n"
        "   5 |   a: 10\n     |      ^^",
        "p.yml:6:6: [PIPELINE_SPEC_DICT_VALUE_NOT_STRING] Spark takes only texts here: write \"yes\"\n"
        "   6 |   b: yes\n     |      ^^^",
        "p.yml:8:6: [PIPELINE_SPEC_DICT_VALUE_NOT_STRING] Spark takes only texts here: write \"1.5e3\"\n"
        "   8 |   d: 1.5e3\n     |      ^^^^^",
        "p.yml:3:30: [PIPELINE_SPEC_INVALID_GLOB_PATTERN] Spark takes only a file or FOLDER/** here, not '*.sql'\n"
        "   3 | libraries: [{glob: {include: '*.sql'}}]\n     |                              ^^^^^^^",
    };
    for (int32_t i = 0; i < read.notes.warnings.count && i < 5; i++)
        CHECK_STR(((const char **)read.notes.warnings.items)[i], expected[i]);
    read_close(&read);
}

static const struct {
    const char *text, *message;
} ERRORS[] = {
    {"", "p.yml:1:1: the spec is empty\n   1 | \n     | ^\nhint: name: my_pipeline"},
    {"- a\n", "p.yml:1:1: the spec must be a mapping of keys to values\n   1 | - a\n     | ^\nhint: name: my_pipeline"},
    {"name: [a\n",
     "p.yml:2:1: this is no YAML: did not find expected ',' or ']' while parsing a flow sequence\n   2 | \n     | ^"},
    {"name: \"\xff\"\n", "p.yml:1:1: this is no YAML: invalid leading UTF-8 octet\n   1 | name: \"\xff\"\n     | ^"},
    {HEAD "librares: 1\n", "p.yml:4:1: [PIPELINE_SPEC_UNEXPECTED_FIELD] 'librares' is not a key of the spec\n"
                           "   4 | librares: 1\n     | ^^^^^^^^\nhint: did you mean libraries?"},
    {HEAD "zzzzzzzzzz: 1\n", "p.yml:4:1: [PIPELINE_SPEC_UNEXPECTED_FIELD] 'zzzzzzzzzz' is not a key of the spec\n"
                             "   4 | zzzzzzzzzz: 1\n     | ^^^^^^^^^^"},
    {HEAD "name: q\n", "p.yml:4:1: 'name' is there twice\n   4 | name: q\n     | ^^^^"},
    {HEAD "? [a]\n: b\n", "p.yml:4:3: a key must be a text, not a list\n   4 | ? [a]\n     |   ^^^"},
    {"storage: file:///s\n" LIBRARIES, "p.yml:1:1: [PIPELINE_SPEC_MISSING_REQUIRED_FIELD] the spec has no 'name'\n"
                                       "   1 | storage: file:///s\n     | ^\nhint: name: my_pipeline"},
    {"name: p\n" LIBRARIES, "p.yml:1:1: [PIPELINE_SPEC_MISSING_REQUIRED_FIELD] the spec has no 'storage'\n"
                            "   1 | name: p\n     | ^\nhint: storage: file:///absolute/folder for the checkpoints"},
    {"name: p\nstorage:\n" LIBRARIES,
     "p.yml:1:1: [PIPELINE_SPEC_MISSING_REQUIRED_FIELD] the spec has no 'storage'\n"
     "   1 | name: p\n     | ^\nhint: storage: file:///absolute/folder for the checkpoints"},
    {"name: p\nstorage: file:///s\n",
     "p.yml:1:1: [PIPELINE_SPEC_MISSING_REQUIRED_FIELD] the spec has no 'libraries': it names no SQL\n"
     "   1 | name: p\n     | ^\nhint: libraries: [{glob: {include: transformations/**}}]"},
    {"name: {a: b}\nstorage: file:///s\n" LIBRARIES,
     "p.yml:1:7: name must be a text, not a mapping\n   1 | name: {a: b}\n     |       ^^^^^^"},
    {"name: p\nstorage: here\n" LIBRARIES,
     "p.yml:2:10: storage must be an absolute URI, not 'here'\n"
     "   2 | storage: here\n     |          ^^^^\nhint: storage: file:///absolute/folder"},
    {"name: p\nstorage: file:///s\nlibraries: x\n",
     "p.yml:3:12: 'libraries' must be a list that names the SQL files\n   3 | libraries: x\n     |            ^\n"
     "hint: libraries: [{glob: {include: transformations/**}}]"},
    {"name: p\nstorage: file:///s\nlibraries: [x]\n",
     "p.yml:3:13: an entry of libraries is  - glob: {include: transformations/**}\n   3 | libraries: [x]\n     |             ^"},
    {"name: p\nstorage: file:///s\nlibraries: [{blob: {include: x}}]\n",
     "p.yml:3:14: 'blob' is not known here, only glob is\n   3 | libraries: [{blob: {include: x}}]\n"
     "     |              ^^^^\nhint: did you mean glob?"},
    {"name: p\nstorage: file:///s\nlibraries: [{glob: {include: ../x/**}}]\n",
     "p.yml:3:30: [PIPELINE_SPEC_INVALID_GLOB_PATTERN] '../x/**' is not a path inside the project's folder\n"
     "   3 | libraries: [{glob: {include: ../x/**}}]\n     |                              ^^^^^^^\n"
     "hint: transformations/** names all files below that folder"},
    {HEAD "configuration: [a]\n",
     "p.yml:4:16: [PIPELINE_SPEC_FIELD_NOT_DICT] 'configuration' must be a mapping, not a list\n"
     "   4 | configuration: [a]\n     |                ^^^\nhint: write key: value lines below it, indented"},
    {HEAD "configuration:\n  a: [1]\n", "p.yml:5:6: a must be a text, not a list\n   5 |   a: [1]\n     |      ^^^"},
    {HEAD "configuration:\n  a: \"x\\0y\"\n",
     "p.yml:5:6: a has a NUL character in it\n   5 |   a: \"x\\0y\"\n     |      ^^^^^^"},
    {HEAD "configuration:\n  a: 'x'\n  a: 'y'\n", "p.yml:6:3: 'a' is there twice\n   6 |   a: 'y'\n     |   ^"},
    {HEAD "configuration:\n  leat.triger: once\n",
     "p.yml:5:3: 'leat.triger' is not a setting of leat\n   5 |   leat.triger: once\n     |   ^^^^^^^^^^^^^^^^^\n"
     "hint: did you mean leat.trigger?"},
    {HEAD "configuration:\n  leat.on_error: explode\n",
     "p.yml:5:3: option leat.on_error = explode must be one of quarantine|fail\n   5 |   leat.on_error: explode\n"
     "     |   ^^^^^^^^^^^^^^^^^^^^^^"},
    {HEAD "configuration:\n  leat.memory: 1k\n",
     "p.yml:5:3: option leat.memory = 1k must lie from 32m to 16t\n   5 |   leat.memory: 1k\n     |   ^^^^^^^^^^^^^^^"},
    {HEAD "configuration:\n  leat.retry.max: 2 hours\n",
     "p.yml:5:3: option leat.retry.max = 2 hours must lie from 1 ms to 1 h\n   5 |   leat.retry.max: 2 hours\n"
     "     |   ^^^^^^^^^^^^^^^^^^^^^^^"},
    {HEAD "configuration:\n  spark.sql.ansi.enabled: \"false\"\n",
     "p.yml:5:3: leat runs in ANSI mode only: spark.sql.ansi.enabled must be true\n"
     "   5 |   spark.sql.ansi.enabled: \"false\"\n     |   ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^\n"
     "hint: leave it out; try_cast, try_divide, try_add .. give NULL"},
    {HEAD "configuration:\n  spark.sql.ansi.enabled: maybe\n",
     "p.yml:5:3: spark.sql.ansi.enabled takes true or false, not 'maybe'\n   5 |   spark.sql.ansi.enabled: maybe\n"
     "     |   ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^"},
    {HEAD "configuration:\n  spark.sql.streaming.multipleWatermarkPolicy: avg\n",
     "p.yml:5:3: spark.sql.streaming.multipleWatermarkPolicy takes min or max, not 'avg'\n"
     "   5 |   spark.sql.streaming.multipleWatermarkPolicy: avg\n"
     "     |   ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^"},
    {HEAD "configuration:\n  source.tx.subscribe: t\n",
     "p.yml:5:3: source.tx has no format\n   5 |   source.tx.subscribe: t\n     |   ^^^^^^^^^^^^^^^^^^^^^^\n"
     "hint: source.tx.format: kafka"},
    {HEAD "configuration:\n  source.tx: kafka\n",
     "p.yml:5:3: 'source.tx' should be source.NAME.OPTION\n   5 |   source.tx: kafka\n     |   ^^^^^^^^^^^^^^^^"},
    {HEAD "configuration:\n  sink.out.format: console\n",
     "p.yml:5:3: sink.out does not say what it is written from\n   5 |   sink.out.format: console\n"
     "     |   ^^^^^^^^^^^^^^^^^^^^^^^^\nhint: sink.out.from: the_view_to_write"},
    {HEAD "configuration:\n  a: \"b ${env:LEAT_TEST_NONE} c\"\n",
     "p.yml:5:9: the environment variable LEAT_TEST_NONE is not set\n   5 |   a: \"b ${env:LEAT_TEST_NONE} c\"\n"
     "     |         ^^^^^^^^^^^^^^^^^^^^^\n"
     "hint: export LEAT_TEST_NONE=.., or write LEAT_TEST_NONE=.. into .env beside the spec, or ${env:LEAT_TEST_NONE:-default} here"},
    {HEAD
     "configuration:\n  a: \"\xc3\xa4 ${x} \\t ${env:LEAT_TEST_NONE} c\"\n", // the place survives escapes and other ${
     "p.yml:5:17: the environment variable LEAT_TEST_NONE is not set\n   5 |   a: \"\xc3\xa4 ${x} \\t ${env:LEAT_TEST_NONE} c\"\n"
     "     |                 ^^^^^^^^^^^^^^^^^^^^^\n"
     "hint: export LEAT_TEST_NONE=.., or write LEAT_TEST_NONE=.. into .env beside the spec, or ${env:LEAT_TEST_NONE:-default} here"},
    {HEAD "configuration:\n  a: >\n    one\n    ${env:LEAT_TEST_NONE}\n",
     "p.yml:7:5: the environment variable LEAT_TEST_NONE is not set\n   7 |     ${env:LEAT_TEST_NONE}\n"
     "     |     ^^^^^^^^^^^^^^^^^^^^^\n"
     "hint: export LEAT_TEST_NONE=.., or write LEAT_TEST_NONE=.. into .env beside the spec, or ${env:LEAT_TEST_NONE:-default} here"},
    {HEAD "configuration:\n  a: \"${env:LEAT_TEST_NONE\"\n",
     "p.yml:5:7: this ${env:.. has no closing }\n   5 |   a: \"${env:LEAT_TEST_NONE\"\n     |       ^^^^^^"},
    {HEAD "configuration:\n  a: \"${env:}\"\n",
     "p.yml:5:7: a variable is ${env:NAME} or ${env:NAME:-default}\n   5 |   a: \"${env:}\"\n     |       ^^^^^^^"},
    {HEAD "configuration:\n  a: \"${env:A-b}\"\n",
     "p.yml:5:7: a variable is ${env:NAME} or ${env:NAME:-default}\n   5 |   a: \"${env:A-b}\"\n     |       ^^^^^^^^^^"},
    {HEAD "---\nname: q\n", "p.yml:4:1: a second document: the spec is one\n   4 | ---\n     | ^"},
};

TEST(every_message_word_for_word)
{
    for (size_t i = 0; i < sizeof ERRORS / sizeof *ERRORS; i++) {
        struct read read;
        read_with(&read, ERRORS[i].text, NULL, NULL, 0);
        CHECK_INT(read.code, E_SPEC);
        CHECK_STR(read.err.text, ERRORS[i].message);
        CHECK(read.problems.count > 0);
        if (read.problems.count > 0)
            CHECK_STR(read.problems.texts[0], ERRORS[i].message);
        read_close(&read);
    }
}

/* The line of a mistake is shown, but no secret that stands there. */
TEST(no_message_shows_a_secret)
{
    static const char *const lines[] = {
        "  source.evv.kafka.sasl.password: canary\n",
        "  leat.kafka.sasl.password: canary\n",
        "  source.ev.SASL.PASSWORD: canary\n  source.ev.SASL.PASSWORD: canary\n",
        "  source.ev.kafka.sasl.password: [canary]\n",
        "  source.ev.kafka.sasl.password:\n    - canary\n",
        "  source.ev.kafka.sasl.password:\n  - canary\n",
        "  source.ev.kafka.sasl.password: ${env:NOPE-canary}\n",
        "  source.ev.user: ${env:MY_TOKEN-canary}\n",
        "  source.ev.kafka.sasl.password: \"canary\" canary\n",
        "  source.ev.kafka.sasl.password: x: canary\n",
        "  source.evv.kafka.sasl.jaas.config: Login password=\"canary\";\n",
        "  source.evv.kafka.ssl.keystore.key: canary\n",
        "  x: 1\n  {a: 1, credentials:\n  canary}\n",
    };
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
        struct read read;
        struct text spec = {0};
        text_printf(&spec, HEAD "configuration:\n%s", lines[i]);
        read_with(&read, spec.data, NULL, NULL, 0);
        CHECK(read.code == E_SPEC);
        for (int32_t p = 0; p < read.problems.count; p++)
            CHECK(strstr(read.problems.texts[p], "canary") == NULL);
        read_close(&read);
        text_free(&spec);
    }
}

TEST(all_problems_are_collected)
{
    struct read read;
    read_with(&read, "nam: p\nconfiguration:\n  leat.x: 1\n  source.a.b: c\n", NULL, NULL, 0);
    CHECK_INT(read.problems.count, 6); // nam, no name, no storage, no libraries, leat.x, no format
    read_close(&read);
}

/* ---- .env ---- */

TEST(dotenv_reads_what_shells_write)
{
    struct arena arena = {0};
    struct notes notes = {.arena = &arena};
    struct dotenv dotenv;
    struct error err = {0};
    struct sql_file file = {".env", bytes_of_string("# comment\n\nA=1\r\n  export B = two words  # tail\nC='a # b'\n"
                                                    "D=\"x\\n\\\"y\\\" \\$z \\q\"\nE=\nF=a#b\nA=again\n_9=ok")};
    CHECK_INT(dotenv_parse(&arena, &file, &notes, &dotenv, &err), E_OK);
    CHECK_STR(dotenv_find(&dotenv, "A"), "again");
    CHECK_STR(dotenv_find(&dotenv, "B"), "two words");
    CHECK_STR(dotenv_find(&dotenv, "C"), "a # b");
    CHECK_STR(dotenv_find(&dotenv, "D"), "x\n\"y\" $z \\q");
    CHECK_STR(dotenv_find(&dotenv, "E"), "");
    CHECK_STR(dotenv_find(&dotenv, "F"), "a#b");
    CHECK_STR(dotenv_find(&dotenv, "_9"), "ok");
    CHECK(dotenv_find(&dotenv, "G") == NULL);
    arena_free(&arena);
}

TEST(dotenv_says_where_it_is_wrong)
{
    static const struct {
        const char *text, *message;
    } cases[] = {
        {"A=1\n9=2\n", ".env:2:1: a line here is NAME=value\n   2 | 9=2\n     | ^"},
        {"export A\n", ".env:1:9: a line here is NAME=value\n   1 | export A\n     |         ^"},
        {"A='x\n", ".env:1:3: the quote is not closed on this line\n   1 | A='x\n     |   ^"},
        {"A=\"x\" y\n",
         ".env:1:7: nothing but a # comment may follow the closing quote\n   1 | A=\"x\" y\n     |       ^"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct arena arena = {0};
        struct sql_file file = {".env", bytes_of_string(cases[i].text)};
        struct notes notes = {.arena = &arena, .files = &file, .file_count = 1};
        struct dotenv dotenv;
        struct error err = {0};
        CHECK_INT(dotenv_parse(&arena, &file, &notes, &dotenv, &err), E_SPEC);
        CHECK_STR(err.text, cases[i].message);
        arena_free(&arena);
    }
}

/* ---- ${key} in SQL ---- */

static void check_sql(const char *sql, const char *replaced, const char *message)
{
    struct arena arena = {0};
    struct sql_file file = {"a.sql", bytes_of_string(sql)};
    struct notes notes = {.arena = &arena, .files = &file, .file_count = 1};
    struct spec_reader reader = {.arena = &arena, .notes = &notes};
    const struct setting settings[] = {{"size", "1 minute", {0}}, {"table.name", "gold", {0}}, {"empty", "", {0}}};
    struct spec spec = {.settings = settings, .setting_count = 3};
    CHECK_INT(sql_replace(&reader, &spec, &file), message == NULL);
    if (message == NULL)
        CHECK(bytes_equal_string(file.text, replaced));
    else
        CHECK_STR(reader.first.text, message);
    arena_free(&arena);
}

TEST(sql_sees_the_configuration)
{
    check_sql("SELECT 1", "SELECT 1", NULL);
    check_sql("window(t, '${size}') FROM ${table.name}${empty};", "window(t, '1 minute') FROM gold;", NULL);
    check_sql("-- ${nothing} here\nSELECT '--${size}' /* ${no} */ ${table.name}",
              "-- ${nothing} here\nSELECT '--1 minute' /* ${no} */ gold", NULL);
    check_sql("'it\\'s -- ${size}' `--` ${size}", "'it\\'s -- 1 minute' `--` 1 minute", NULL);
    check_sql(
        "SELECT\n  ${sise}", NULL,
        "a.sql:2:3: 'sise' is not in `configuration`\n   2 |   ${sise}\n     |   ^^^^^^^\nhint: did you mean size?");
    check_sql("${whatever}", NULL,
              "a.sql:1:1: 'whatever' is not in `configuration`\n   1 | ${whatever}\n     | ^^^^^^^^^^^\n"
              "hint: add it to `configuration` of the spec, or pass --set");
    check_sql("${env:HOME}", NULL,
              "a.sql:1:1: 'env:HOME' is not in `configuration`\n   1 | ${env:HOME}\n     | ^^^^^^^^^^^\n"
              "hint: SQL sees only `configuration`: write key: \"${env:NAME}\" there and ${key} here");
    check_sql("SELECT ${size\n}", NULL,
              "a.sql:1:8: this ${ has no closing } on its line\n   1 | SELECT ${size\n     |        ^^");
}

/* ---- libraries ---- */

TEST(globs_match_as_paths)
{
    CHECK(glob_matches("**", "a.sql"));
    CHECK(glob_matches("**", "x/y/a.sql"));
    CHECK(glob_matches("t/**", "t/a.sql"));
    CHECK(glob_matches("t/**", "t/x/a.sql"));
    CHECK(!glob_matches("t/**", "ta/a.sql"));
    CHECK(glob_matches("*.sql", "a.sql"));
    CHECK(!glob_matches("*.sql", "t/a.sql"));
    CHECK(glob_matches("**/*.sql", "a.sql"));
    CHECK(glob_matches("**/*.sql", "t/u/a.sql"));
    CHECK(glob_matches("t/**/b?.sql", "t/x/y/b1.sql"));
    CHECK(!glob_matches("t/**/b?.sql", "t/x/y/b12.sql"));
    CHECK(glob_matches("t/a.sql", "t/a.sql"));
    CHECK(!glob_matches("t/a.sql", "t/a.sqlx"));
    CHECK(glob_matches("*a*b*", "xxaxxbxx"));
    CHECK(!glob_matches("*a*b*", "xxbxxaxx"));
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

static enum code find_files(struct read *read, const char *directory, const char *pattern,
                            const struct sql_file **files, int32_t *count)
{
    static char text[200];
    snprintf(text, sizeof text,
             "name: p\nstorage: file:///s\nlibraries: [{glob: {include: '%s'}}]\nconfiguration: {n: '7'}\n", pattern);
    read_with(read, text, NULL, NULL, 0);
    CHECK_STR(read->err.text, "");
    return spec_files(&read->arena, directory, &read->spec, &read->notes, files, count, &read->err);
}

TEST(libraries_name_the_sql_files)
{
    char directory[400];
    snprintf(directory, sizeof directory, "%s", kit_tmpdir());
    put(directory, "t/b.sql", "SELECT ${n}");
    put(directory, "t/a.sql", "\xef\xbb\xbfSELECT 1");
    put(directory, "t/deep/er/c.sql", "");
    put(directory, "t/.hidden/d.sql", "");
    put(directory, "t/bridge.py", "");
    put(directory, "t/other.py", "");
    put(directory, "t/notes.txt", "");
    put(directory, "top.sql", "");
    struct read read;
    const struct sql_file *files = NULL;
    int32_t count = 0;
    CHECK_INT(find_files(&read, directory, "t/**", &files, &count), E_OK);
    CHECK_INT(count, 3);
    for (int i = 0; i < 3 && count == 3; i++) {
        static const char *const names[] = {"t/a.sql", "t/b.sql", "t/deep/er/c.sql"};
        CHECK_STR(files[i].name + strlen(directory) + 1, names[i]);
    }
    CHECK(count == 3 && bytes_equal_string(files[0].text, "SELECT 1"));
    CHECK(count == 3 && bytes_equal_string(files[1].text, "SELECT 7"));
    CHECK_INT(read.notes.warnings.count, 2);
    read_close(&read);

    CHECK_INT(find_files(&read, directory, "*.sql", &files, &count), E_OK);
    CHECK_INT(count, 1);
    read_close(&read);
    CHECK_INT(find_files(&read, directory, "t/b.sql", &files, &count), E_OK);
    CHECK_INT(count, 1);
    read_close(&read);

    char expected[800];
    CHECK_INT(find_files(&read, directory, "nowhere/**", &files, &count), E_SPEC);
    snprintf(expected, sizeof expected,
             "p.yml:3:30: no .sql file is named by 'nowhere/**' in %s\n"
             "   3 | libraries: [{glob: {include: 'nowhere/**'}}]\n     |                              ^^^^^^^^^^^^",
             directory);
    CHECK_STR(read.err.text, expected);
    read_close(&read);
    CHECK_INT(find_files(&read, directory, "t/none.sql", &files, &count), E_SPEC);
    CHECK(strstr(read.err.text, "none.sql") != NULL);
    read_close(&read);
}

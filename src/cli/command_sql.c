/* command_sql.c - `leat sql`: statements from the command line, a file, stdin or a terminal, over files and a project's
 * tables; rows as a table, JSON or CSV. */
#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>

#include "base/os.h"
#include "cli/project_flags.h"
#include "cli/sql_project.h"
#include "cli/sql_shell.h"

struct sql_settings {
    struct project_flags project;
    struct strings parameters;
    const char *statement, *zone;
    int ansi, format;
    int64_t memory_bytes;
    bool lines, timing;
};
static const struct option sql_options[] = {
    {"c", OPTION_STRING, NULL, NULL, 0, 0, "the statements, instead of a file",
     offsetof(struct sql_settings, statement), false},
    {"tz", OPTION_STRING, NULL, NULL, 0, 0, "time zone of the session; default: the project's, else UTC",
     offsetof(struct sql_settings, zone), false},
    {"ansi", OPTION_ENUM, "on", "on|off", 0, 0, "errors for bad casts and overflows (on), or NULL (off)",
     offsetof(struct sql_settings, ansi), false},
    {"format", OPTION_ENUM, "table", "table|json|csv", 0, 0, "how rows are printed",
     offsetof(struct sql_settings, format), false},
    {"memory", OPTION_BYTES, "1GiB", NULL, 0, 0, "ceiling of what queries and tables hold",
     offsetof(struct sql_settings, memory_bytes), false},
    {"timing", OPTION_BOOLEAN, NULL, NULL, 0, 0, "tell on stderr how long each statement takes",
     offsetof(struct sql_settings, timing), false},
    {.name = "param",
     .kind = OPTION_STRING,
     .choices = "*",
     .help = "NAME=EXPRESSION, a constant that :NAME stands for in the statements; repeatable",
     .offset = offsetof(struct sql_settings, parameters)},
    {"jsonl", OPTION_BOOLEAN, NULL, NULL, 0, 0, "a statement a line in, an answer a line out, as JSON",
     offsetof(struct sql_settings, lines), false},
    PROJECT_FLAGS(struct sql_settings, project),
    {0},
};

/* ---- the command ---- */

/* What the positional words are: a folder with a project, then a file of statements. */
struct sql_words {
    const char *directory, *file; /* NULL: none */
};

/* A statement where a file should be: the -c was forgotten. */
static bool is_statement(const char *word) { return strpbrk(word, " \t\n;") != NULL; }

static enum code file_missing(const char *word, bool statements, struct error *err)
{
    if (is_statement(word))
        return fail(err, E_USAGE, "there is no file \"%s\"; write -c in front of a statement", word);
    return fail(err, E_USAGE, statements ? "there is no folder \"%s\"" : "there is no folder or file \"%s\"", word);
}

/* `statements`: they come with -c, not from a file. */
static enum code words_read(const struct command_line *line, bool statements, struct sql_words *out, struct error *err)
{
    struct os_stat stat;
    struct error ignored = {0};
    *out = (struct sql_words){0};
    for (int32_t i = 0; i < line->argument_count; i++) {
        const char *word = line->arguments[i];
        if (os->stat(word, &stat, &ignored) != E_OK)
            return file_missing(word, statements, err);
        if (stat.is_dir && i == 0)
            out->directory = word;
        else if (stat.is_dir || out->file != NULL)
            return fail(err, E_USAGE, "%s: a folder comes before the file", word);
        else if (statements)
            return fail(err, E_USAGE, "%s: statements come from -c or from a file, not from both", word);
        else
            out->file = word;
    }
    return E_OK;
}

static enum code script_read(const struct sql_settings *settings, const struct sql_words *words, struct text *out,
                             struct error *err)
{
    if (settings->statement != NULL) {
        text_add_string(out, settings->statement);
        return E_OK;
    }
    if (words->file != NULL)
        return os_read_file(words->file, SQL_TEXT_MAX, out, err);
    out->limit = SQL_TEXT_MAX + 1;
    for (int c = fgetc(stdin); c != EOF; c = fgetc(stdin))
        text_add_char(out, (char)c);
    return E_OK;
}

static int lines_run(struct sql_run *run, const struct sql_settings *settings, const struct sql_words *words)
{
    struct error err = {0};
    struct text lines = {0};
    enum code code = E_OK;
    if (settings->statement == NULL && words->file == NULL)
        return sql_lines_run(run, stdin);
    if (settings->statement != NULL)
        code = fail(&err, E_USAGE, "--jsonl takes its lines from a file or from stdin, not from -c");
    else
        code = os_read_file(words->file, SQL_TEXT_MAX, &lines, &err);
    if (code == E_OK)
        sql_lines_script(run, text_view(&lines));
    text_free(&lines);
    return code == E_OK ? 0 : report(&err);
}

static int statements_run(struct sql_run *run, const struct sql_settings *settings, const struct sql_words *words)
{
    struct sql_shell shell = {.run = run, .format = (enum sql_format)settings->format, .timing = settings->timing};
    struct error err = {0};
    struct text script = {0};
    bool talks = settings->statement == NULL && words->file == NULL && isatty(STDIN_FILENO) == 1;
    if (settings->lines)
        return lines_run(run, settings, words);
    enum code code = talks ? E_OK : script_read(settings, words, &script, &err);
    progress_open(&shell.progress, run, talks);
    if (talks)
        return shell_talk(&shell, stdin);
    int status = code == E_OK ? shell_script(&shell, text_view(&script)) : report(&err);
    text_free(&script);
    return status;
}

static enum code parameters_give(struct sql_run *run, const struct strings *parameters, struct error *err)
{
    for (int32_t i = 0; i < parameters->count; i++) {
        const char *text = parameters->items[i];
        size_t size = strcspn(text, "=");
        char name[128];
        if (text[size] == '\0' || size == 0 || size >= sizeof name)
            return fail(err, E_USAGE, "--param %s: write NAME=EXPRESSION", text);
        memcpy(name, text, size);
        name[size] = '\0';
        TRY(sql_session_parameter(run->session, name, bytes_of_string(text + size + 1), err));
    }
    return E_OK;
}

/* Nothing fits below: whoever gives so little left out the unit. */
static enum code memory_check(int64_t memory_bytes, struct error *err)
{
    enum { LEAST_BYTES = 64 * 1024 };
    if (memory_bytes == 0 || memory_bytes >= LEAST_BYTES)
        return E_OK;
    return fail(err, E_USAGE, "--memory %" PRId64 " is %" PRId64 " bytes; did you mean --memory %" PRId64 "m?",
                memory_bytes, memory_bytes, memory_bytes);
}

/* project NULL: none was named. */
static int session_run(const struct project *project, const struct sql_settings *settings,
                       const struct sql_words *words)
{
    struct session session = {.zone = zone_utc(), .ansi = true};
    struct error err = {0};
    struct arena arena = {0};
    struct sql_run run;
    if (project != NULL)
        session = project->session;
    session.ansi = settings->ansi == 0 && session.ansi;
    if (settings->zone != NULL && zone_find(bytes_of_string(settings->zone), &session.zone, &err) != E_OK)
        return report(&err);
    sql_run_open(&run, &session, (size_t)settings->memory_bytes);
    if (project != NULL)
        sql_project_relations(run.session, &arena, project);
    int status = parameters_give(&run, &settings->parameters, &err) == E_OK ? statements_run(&run, settings, words)
                                                                            : report(&err);
    sql_run_close(&run);
    arena_free(&arena);
    return status;
}

struct with_words {
    const struct sql_settings *settings;
    struct sql_words words;
};

static int project_run(const struct project *project, const void *context)
{
    const struct with_words *self = context;
    return session_run(project, self->settings, &self->words);
}

static int sql_run(const struct command_line *line)
{
    struct with_words self = {.settings = line->settings};
    struct error err = {0};
    if (memory_check(self.settings->memory_bytes, &err) != E_OK ||
        words_read(line, self.settings->statement != NULL, &self.words, &err) != E_OK)
        return report(&err);
    if (self.words.directory == NULL)
        return session_run(NULL, self.settings, &self.words);
    return project_with(line, &self.settings->project, &self, project_run);
}

const struct command sql_command = {
    .name = "sql",
    .arguments = "[DIR] [FILE]",
    .help = "ask a project's tables, or files, in Spark SQL: statements of -c, a file, stdin or a terminal",
    .examples = "  leat sql -c \"SELECT day, count(*) FROM VALUES ('mon'), ('tue'), ('mon') AS t(day) GROUP BY day\"\n"
                "  leat sql -c 'SELECT * FROM parquet.`/data/in`, csv.`/data/names.csv` WITH (header = true)'\n"
                "  leat sql shop -c \"SELECT category, sum(amount) FROM silver GROUP BY ALL\" --timing\n"
                "  leat sql report.sql --param since=\"date'2026-01-01'\"   # WHERE day >= :since\n"
                "  leat sql report.sql --format csv --tz Europe/Berlin\n"
                "  echo '{\"id\": 1, \"sql\": \"SELECT 1 AS one\"}' | leat sql --jsonl\n",
    .notes =
        "Statements end with `;` and share a session: temporary views, tables, SET. DIR is a project: its tables, materialized\n"
        "views, `_quarantine` and `TABLE_late` are there under their names.\n"
        "--jsonl reads FILE or stdin, and answers {\"id\", \"schema\", \"rows\", \"error\"}: rows as text, columns joined by tabs, as Spark's\n"
        "own tests write them; error is Spark's condition, or null.\n",
    .options = sql_options,
    .size = sizeof(struct sql_settings),
    .arguments_min = 0,
    .arguments_max = 2,
    .run = sql_run,
};

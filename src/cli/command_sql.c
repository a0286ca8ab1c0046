/* command_sql.c - `leat sql`: statements from the command line, a file or stdin; rows as a table, JSON or CSV. */
#include <stdio.h>

#include "base/os.h"
#include "cli/cli.h"
#include "cli/sql_run.h"
#include "format/format.h"

enum { SHOWN_ROWS = 1000 };

enum sql_format { SHOW_TABLE, SHOW_JSON, SHOW_CSV };
struct sql_settings {
    const char *statement, *zone;
    int ansi, format;
    int64_t memory_bytes;
    bool lines;
};
static const struct option sql_options[] = {
    {"c", OPTION_STRING, NULL, NULL, 0, 0, "the statements, instead of a file", offsetof(struct sql_settings, statement), false},
    {"tz", OPTION_STRING, "UTC", NULL, 0, 0, "time zone of the session", offsetof(struct sql_settings, zone), false},
    {"ansi", OPTION_ENUM, "on", "on|off", 0, 0, "errors for bad casts and overflows (on), or NULL (off)",
     offsetof(struct sql_settings, ansi), false},
    {"format", OPTION_ENUM, "table", "table|json|csv", 0, 0, "how rows are printed", offsetof(struct sql_settings, format),
     false},
    {"memory", OPTION_BYTES, "1GiB", NULL, 0, 0, "ceiling of what queries and tables hold",
     offsetof(struct sql_settings, memory_bytes), false},
    {"jsonl", OPTION_BOOLEAN, NULL, NULL, 0, 0, "a statement a line in, an answer a line out, as JSON",
     offsetof(struct sql_settings, lines), false},
    {0},
};

/* ---- rows for people ---- */

struct printer {
    struct arena arena; /* of the schema, which outlives its statement */
    enum sql_format format;
    const struct type *schema;
    const struct zone *zone;
    struct show show;
    struct text out;
};

static void print_flush(struct printer *self)
{
    if (self->out.size > 0)
        fwrite(self->out.data, 1, self->out.size, stdout);
    text_clear(&self->out);
}

/* As Spark quotes CSV: where a separator, quote or line end stands in the text. */
static void csv_cell(struct text *out, struct bytes cell)
{
    bool quote = false;
    for (size_t i = 0; i < cell.size; i++)
        quote = quote || strchr(",\"\r\n", cell.data[i]) != NULL;
    if (!quote) {
        text_add(out, cell.data, cell.size);
        return;
    }
    text_add_char(out, '"');
    for (size_t i = 0; i < cell.size; i++) {
        if (cell.data[i] == '"')
            text_add_char(out, '"');
        text_add_char(out, (char)cell.data[i]);
    }
    text_add_char(out, '"');
}

static void csv_header(struct printer *self)
{
    for (int32_t i = 0; i < self->schema->field_count; i++) {
        text_add_string(&self->out, i > 0 ? "," : "");
        csv_cell(&self->out, bytes_of_string(self->schema->fields[i].name));
    }
    text_add_char(&self->out, '\n');
}

static void csv_row(struct printer *self, const struct batch *batch, int64_t row)
{
    struct text cell = {0};
    for (int32_t c = 0; c < batch->column_count; c++) {
        text_add_string(&self->out, c > 0 ? "," : "");
        text_clear(&cell);
        if (!column_is_null(&batch->columns[c], row))
            column_print_in(&batch->columns[c], row, self->zone, &cell);
        csv_cell(&self->out, text_view(&cell));
    }
    text_add_char(&self->out, '\n');
    text_free(&cell);
}

static void json_row(struct printer *self, const struct batch *batch, int64_t row)
{
    struct column whole = {.type = self->schema, .rows = batch->rows, .children = batch->columns,
                           .child_count = batch->column_count}; // borrowed
    json_write_value(&whole, row, self->zone, &self->out);
    text_add_char(&self->out, '\n');
}

static void printer_schema(void *context, const struct type *schema, const struct zone *zone)
{
    struct printer *self = context;
    self->schema = type_copy(&self->arena, schema);
    self->zone = zone;
    if (self->format == SHOW_TABLE)
        show_init(&self->show, self->schema, zone, SHOWN_ROWS, 0);
    if (self->format == SHOW_CSV)
        csv_header(self);
}

static void printer_rows(void *context, const struct batch *batch)
{
    struct printer *self = context;
    if (self->format == SHOW_TABLE) {
        show_add(&self->show, batch);
        return;
    }
    for (int64_t row = 0; row < batch->rows; row++)
        self->format == SHOW_CSV ? csv_row(self, batch, row) : json_row(self, batch, row);
    print_flush(self);
}

static void printer_finish(struct printer *self, bool complete)
{
    if (self->schema != NULL && self->format == SHOW_TABLE) {
        if (complete)
            show_print(&self->show, &self->out);
        show_close(&self->show);
    }
    print_flush(self);
    text_free(&self->out);
    arena_free(&self->arena);
}

static enum code statement_print(struct sql_run *run, struct bytes statement, enum sql_format format, struct error *err)
{
    struct printer printer = {.format = format};
    const struct sql_sink sink = {printer_schema, printer_rows, &printer};
    enum code code = sql_run_statement(run, statement, &sink, err);
    printer_finish(&printer, code == E_OK);
    return code;
}

static int script_run(struct sql_run *run, struct bytes script, enum sql_format format)
{
    struct bytes statement;
    struct error err = {0};
    while (sql_statement_next(&script, &statement))
        if (statement_print(run, statement, format, &err) != E_OK)
            return report(&err);
    return EXIT_OK;
}

/* ---- the command ---- */

static enum code script_read(const struct command_line *line, struct text *out, struct error *err)
{
    const struct sql_settings *settings = line->settings;
    if (settings->statement != NULL) {
        text_add_string(out, settings->statement);
        return E_OK;
    }
    if (line->argument_count > 0)
        return os_read_file(line->arguments[0], SQL_TEXT_MAX, out, err);
    out->limit = SQL_TEXT_MAX + 1;
    for (int c = fgetc(stdin); c != EOF; c = fgetc(stdin))
        text_add_char(out, (char)c);
    return E_OK;
}

static int sql_run(const struct command_line *line)
{
    const struct sql_settings *settings = line->settings;
    struct session session = {.ansi = settings->ansi == 0};
    struct error err = {0};
    struct text script = {0};
    struct sql_run run;
    int status;
    if (zone_find(bytes_of_string(settings->zone), &session.zone, &err) != E_OK)
        return report(&err);
    sql_run_open(&run, &session, (size_t)settings->memory_bytes);
    if (settings->lines)
        status = sql_lines_run(&run, stdin);
    else if (script_read(line, &script, &err) != E_OK)
        status = report(&err);
    else
        status = script_run(&run, text_view(&script), (enum sql_format)settings->format);
    text_free(&script);
    sql_run_close(&run);
    return status;
}

const struct command sql_command = {
    .name = "sql",
    .arguments = "[FILE]",
    .help = "run Spark SQL over constants and files: statements of -c, a file or stdin",
    .examples = "  leat sql -c \"SELECT day, count(*) FROM VALUES ('mon'), ('tue'), ('mon') AS t(day) GROUP BY day\"\n"
                "  leat sql report.sql --format csv --tz Europe/Berlin\n"
                "  echo '{\"id\": 1, \"sql\": \"SELECT 1 AS one\"}' | leat sql --jsonl\n",
    .notes = "Statements end with `;` and share a session: temporary views, tables, SET.\n"
             "--jsonl answers {\"id\", \"schema\", \"rows\", \"error\"}: rows as text, columns joined by tabs, as Spark's\n"
             "own tests write them; error is Spark's condition, or null.\n",
    .options = sql_options,
    .size = sizeof(struct sql_settings),
    .arguments_min = 0,
    .arguments_max = 1,
    .run = sql_run,
};

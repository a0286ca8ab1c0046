#include "cli/sql_print.h"

#include <stdio.h>

#include "format/format.h"

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
    struct column whole = {.type = self->schema,
                           .rows = batch->rows,
                           .children = batch->columns,
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
    self->rows += batch->rows;
    if (self->format == SHOW_TABLE) {
        show_add(&self->show, batch);
        return;
    }
    for (int64_t row = 0; row < batch->rows; row++)
        self->format == SHOW_CSV ? csv_row(self, batch, row) : json_row(self, batch, row);
    print_flush(self);
}

static void printer_warning(void *context, const char *text)
{
    (void)context;
    fprintf(stderr, "warning: %s\n", text);
}

struct sql_sink printer_sink(struct printer *self)
{
    return (struct sql_sink){printer_schema, printer_rows, printer_warning, self};
}

/* A line of more characters than the terminal has columns would be wrapped, and the table no longer be one. */
static void lines_cut(struct printer *self)
{
    struct text cut = {0};
    bool some = false;
    int32_t column = 0;
    for (size_t i = 0; i < self->out.size; i++) {
        char byte = self->out.data[i];
        column = byte == '\n' ? 0 : column + (((unsigned char)byte & 0xc0) != 0x80);
        some |= column > self->width;
        if (column <= self->width)
            text_add_char(&cut, byte);
    }
    if (some)
        text_printf(&cut, "lines end where the terminal does: .mode json prints all\n");
    text_free(&self->out);
    self->out = cut;
}

void printer_finish(struct printer *self, bool complete)
{
    if (self->schema != NULL && self->format == SHOW_TABLE) {
        if (complete)
            show_print(&self->show, &self->out);
        if (complete && self->width > 0)
            lines_cut(self);
        show_close(&self->show);
    }
    print_flush(self);
    text_free(&self->out);
    arena_free(&self->arena);
}

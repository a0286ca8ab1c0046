#include "format/json_encode.h"

#include <math.h>

#include "format/formats_internal.h"
#include "format/json_text.h"
#include "format/value_text.h"

static void write_value(struct json_writer *writer, const struct column *col, int64_t row, struct text *out);

/* ---- strings ---- */

/* Control characters and broken UTF-8 are rare and take the long way. */
static __attribute__((noinline)) void write_odd_string(struct bytes string, struct text *out)
{
    if (utf8_valid(string.data, string.size)) {
        json_text_quote(string, false, out);
        return;
    }
    struct text repaired = {0};
    json_text_repair(string, &repaired);
    json_text_quote(text_view(&repaired), false, out);
    text_free(&repaired);
}

/* `string` may be read 32 bytes past its end. */
static void write_string(struct json_writer *writer, struct bytes string, struct text *out)
{
    if (!writer->quoter.is_plain(string.data, string.size)) {
        write_odd_string(string, out);
        return;
    }
    char *start = text_reserve(out, 2 * string.size + 32), *p = start;
    *p++ = '"';
    p = writer->quoter.copy_escaped(&writer->quoter, string.data, string.size, p);
    *p++ = '"';
    out->size += (size_t)(p - start);
}

static void write_base64(struct bytes bytes, struct text *out)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    size_t size = (bytes.size + 2) / 3 * 4;
    char *p = text_reserve(out, size + 2);
    *p++ = '"';
    for (size_t i = 0; i < bytes.size; i += 3) {
        size_t left = bytes.size - i;
        uint32_t group = (uint32_t)bytes.data[i] << 16;
        group |= left > 1 ? (uint32_t)bytes.data[i + 1] << 8 : 0;
        group |= left > 2 ? bytes.data[i + 2] : 0;
        *p++ = digits[group >> 18];
        *p++ = digits[group >> 12 & 63];
        *p++ = left > 1 ? digits[group >> 6 & 63] : '=';
        *p++ = left > 2 ? digits[group & 63] : '=';
    }
    *p = '"';
    out->size += size + 2;
}

/* ---- nested ---- */

static void write_array(struct json_writer *writer, const struct column *col, int64_t row, struct text *out)
{
    const int32_t *offsets = column_offsets(col);
    text_add_char(out, '[');
    for (int64_t i = offsets[row]; i < offsets[row + 1]; i++) {
        if (i > offsets[row])
            text_add_char(out, ',');
        write_value(writer, &col->children[0], i, out);
    }
    text_add_char(out, ']');
}

static void write_key(struct json_writer *writer, const struct column *key, int64_t row, struct text *out)
{
    if (type_is_varlen(key->type)) {
        write_string(writer, column_bytes_at(key, row), out);
        return;
    }
    text_add_char(out, '"');
    if (type_is_nested(key->type)) {
        write_value(writer, key, row, out);
    } else {
        char text[VALUE_TEXT_MAX];
        text_add(out, text,
                 writer->printer.exact ? value_text(&writer->printer, key, row, text) : value_text_raw(key, row, text));
    }
    text_add_char(out, '"');
}

static void write_map(struct json_writer *writer, const struct column *col, int64_t row, struct text *out)
{
    const int32_t *offsets = column_offsets(col);
    text_add_char(out, '{');
    for (int64_t i = offsets[row]; i < offsets[row + 1]; i++) {
        if (i > offsets[row])
            text_add_char(out, ',');
        write_key(writer, &col->children[0], i, out);
        text_add_char(out, ':');
        write_value(writer, &col->children[1], i, out);
    }
    text_add_char(out, '}');
}

static void write_struct(struct json_writer *writer, const struct column *col, int64_t row, struct text *out)
{
    bool first = true;
    text_add_char(out, '{');
    for (int32_t i = 0; i < col->child_count; i++) {
        if (!writer->keep_nulls && column_is_null(&col->children[i], row))
            continue;
        if (!first)
            text_add_char(out, ',');
        first = false;
        write_odd_string(bytes_of_string(col->type->fields[i].name), out);
        text_add_char(out, ':');
        write_value(writer, &col->children[i], row, out);
    }
    text_add_char(out, '}');
}

/* ---- any value ---- */

static bool needs_quotes(const struct column *col, int64_t row)
{
    switch (col->type->id) {
    case TYPE_FLOAT: return !isfinite(column_values(col, float)[row]);
    case TYPE_DOUBLE: return !isfinite(column_values(col, double)[row]);
    default: return col->type->id >= TYPE_DATE && col->type->id <= TYPE_INTERVAL;
    }
}

static void write_value(struct json_writer *writer, const struct column *col, int64_t row, struct text *out)
{
    if (column_is_null(col, row)) {
        text_add(out, "null", 4);
        return;
    }
    switch (col->type->id) {
    case TYPE_STRING: write_string(writer, column_bytes_at(col, row), out); return;
    case TYPE_BINARY: write_base64(column_bytes_at(col, row), out); return;
    case TYPE_ARRAY: write_array(writer, col, row, out); return;
    case TYPE_STRUCT: write_struct(writer, col, row, out); return;
    case TYPE_MAP: write_map(writer, col, row, out); return;
    case TYPE_VARIANT: variant_print(column_bytes_at(col, row), writer->printer.zone, out); return;
    default: break;
    }
    bool quotes = needs_quotes(col, row);
    char *p = text_reserve(out, VALUE_TEXT_MAX + 2);
    *p = '"';
    size_t size = value_text(&writer->printer, col, row, p + quotes);
    p[quotes + size] = '"';
    out->size += size + 2 * (size_t)quotes;
}

void json_writer_init(struct json_writer *writer, const struct zone *zone, bool keep_nulls)
{
    *writer = (struct json_writer){.printer.zone = zone, .keep_nulls = keep_nulls};
    quoter_init(&writer->quoter, ',', '"', '\\', -1);
}

void json_write(struct json_writer *writer, const struct column *col, int64_t row, struct text *out)
{
    write_value(writer, col, row, out);
    text_add(out, NULL, 0); // the terminating NUL that a text always has
}

void json_write_value(const struct column *col, int64_t row, const struct zone *zone, struct text *out)
{
    struct json_writer writer;
    json_writer_init(&writer, zone, false);
    json_write(&writer, col, row, out);
}

void json_write_exact(const struct column *col, int64_t row, struct text *out)
{
    struct json_writer writer;
    json_writer_init(&writer, NULL, false);
    writer.printer.exact = true;
    json_write(&writer, col, row, out);
}

struct json_printer {
    struct json_writer writer;
};

struct json_printer *json_printer_new(const struct zone *zone, bool keep_nulls)
{
    struct json_printer *self = mem_new(struct json_printer);
    json_writer_init(&self->writer, zone, keep_nulls);
    return self;
}

void json_printer_free(struct json_printer *self) { mem_free(self); }

void json_print(struct json_printer *self, const struct column *col, int64_t row, struct text *out)
{
    json_write(&self->writer, col, row, out);
}

/* ---- the encoder: a line for each row ---- */

struct json_lane {
    struct text_lane out; /* first: see formats_internal.h */
    struct json_writer writer;
    int32_t column_count;
    struct bytes *names; /* ,"name": with its quotes, escaped once */
    struct text names_text;
};

static enum code lane_open(void *lane, const struct encoder_spec *spec, struct error *err)
{
    struct json_lane *self = lane;
    (void)err;
    *self = (struct json_lane){.column_count = spec->schema->field_count};
    json_writer_init(&self->writer, spec->zone, false);
    self->names = mem_array(struct bytes, (size_t)self->column_count + 1);
    for (int32_t i = 0; i < self->column_count; i++) {
        size_t before = self->names_text.size;
        text_add_char(&self->names_text, ',');
        write_odd_string(bytes_of_string(spec->schema->fields[i].name), &self->names_text);
        text_add_char(&self->names_text, ':');
        self->names[i].size = self->names_text.size - before;
    }
    const uint8_t *at = (const uint8_t *)self->names_text.data;
    for (int32_t i = 0; i < self->column_count; at += self->names[i++].size)
        self->names[i].data = at;
    return E_OK;
}

static enum code lane_add(void *lane, const struct batch *batch, int64_t from, int64_t to, struct error *err)
{
    struct json_lane *self = lane;
    (void)err;
    for (int64_t row = from; row < to; row++) {
        size_t start = self->out.lines.size;
        for (int32_t i = 0; i < batch->column_count; i++) {
            if (column_is_null(&batch->columns[i], row))
                continue;
            text_add(&self->out.lines, self->names[i].data, self->names[i].size);
            write_value(&self->writer, &batch->columns[i], row, &self->out.lines);
        }
        if (self->out.lines.size == start)
            text_add(&self->out.lines, ",", 1);
        self->out.lines.data[start] = '{'; // instead of the first comma
        text_add(&self->out.lines, "}\n", 2);
    }
    self->out.rows += to - from;
    return E_OK;
}

static void lane_close(void *lane)
{
    struct json_lane *self = lane;
    mem_free(self->names);
    text_free(&self->names_text);
    text_free(&self->out.lines);
    *self = (struct json_lane){0};
}

static const struct option no_options[] = {{0}};

const struct encoder_type json_encoder = {
    .name = "json",
    .help = "a JSON object per line, NULL fields left out, as Spark writes it",
    .suffix = ".json",
    .options = no_options,
    .lane_size = sizeof(struct json_lane),
    .lane_open = lane_open,
    .lane_add = lane_add,
    .lane_rows = text_lane_rows,
    .lane_bytes = text_lane_bytes,
    .lane_take = text_lane_take,
    .lane_close = lane_close,
    .file_size = sizeof(struct plain_file),
    .file_open = plain_file_open,
    .file_add = plain_file_add,
    .file_finish = plain_file_finish,
    .file_close = plain_file_close,
    .piece_close = plain_piece_close,
};

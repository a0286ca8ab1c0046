#include "format/formats_internal.h"
#include "format/quote.h"
#include "format/texts_repair.h"
#include "format/value_text.h"

/* As Spark's CSV writer (univocity) does with its defaults, observed on 4.2.0:
 *
 *   NULL      nullValue, by default nothing; a row whose only column comes out empty is left out
 *             altogether
 *   ''        emptyValue, by default ""; blanks around a text are cut off first
 *   quotes    around a text with a separator, a quote or a line end, and around a first column that
 *             starts with #
 *   escape    in front of a quote or an escape, inside quotes only
 *   BINARY    [41 42]; times as 2026-01-02T03:04:05.678Z; ARRAY, STRUCT and MAP are refused
 */

struct csv_options {
    const char *separator, *quote, *escape, *null_value, *empty_value;
    bool header, quote_all, escape_quotes, trim_leading, trim_trailing;
};

static const struct option csv_options[] = {
    {.name = "sep",
     .kind = OPTION_STRING,
     .initial = ",",
     .help = "between two columns",
     .offset = offsetof(struct csv_options, separator)},
    {.name = "delimiter",
     .kind = OPTION_STRING,
     .help = "the same as sep",
     .offset = offsetof(struct csv_options, separator)},
    {.name = "quote",
     .kind = OPTION_STRING,
     .initial = "\"",
     .help = "one byte around texts that need it",
     .offset = offsetof(struct csv_options, quote)},
    {.name = "escape",
     .kind = OPTION_STRING,
     .initial = "\\",
     .help = "one byte in front of a quote inside quotes",
     .offset = offsetof(struct csv_options, escape)},
    {.name = "header",
     .kind = OPTION_BOOLEAN,
     .initial = "false",
     .help = "the names of the columns as first line",
     .offset = offsetof(struct csv_options, header)},
    {.name = "nullValue",
     .kind = OPTION_STRING,
     .initial = "",
     .help = "what stands for NULL",
     .offset = offsetof(struct csv_options, null_value)},
    {.name = "emptyValue",
     .kind = OPTION_STRING,
     .initial = "\"\"",
     .help = "what stands for an empty text",
     .offset = offsetof(struct csv_options, empty_value)},
    {.name = "quoteAll",
     .kind = OPTION_BOOLEAN,
     .initial = "false",
     .help = "quotes around every value",
     .offset = offsetof(struct csv_options, quote_all)},
    {.name = "escapeQuotes",
     .kind = OPTION_BOOLEAN,
     .initial = "true",
     .help = "a quote inside a text makes it need quotes",
     .offset = offsetof(struct csv_options, escape_quotes)},
    {.name = "ignoreLeadingWhiteSpace",
     .kind = OPTION_BOOLEAN,
     .initial = "true",
     .help = "cut blanks off the front",
     .offset = offsetof(struct csv_options, trim_leading)},
    {.name = "ignoreTrailingWhiteSpace",
     .kind = OPTION_BOOLEAN,
     .initial = "true",
     .help = "cut blanks off the end",
     .offset = offsetof(struct csv_options, trim_trailing)},
    {0},
};

/* What lane and file both are: how one value becomes text. */
struct csv_writer {
    struct csv_options options;
    struct arena arena; /* the texts of the options */
    struct quoter quoter;
    struct value_printer printer;
    size_t separator_size, null_size, empty_size;
    size_t edge_size;   /* the three together */
    bool numbers_plain; /* no number and no time can need quotes */
};

static enum code one_byte(const char *name, const char *value, struct error *err)
{
    return strlen(value) == 1 ? E_OK : fail(err, E_SPEC, "csv: %s must be one byte, not \"%s\"", name, value);
}

/* A copy that may be read 32 bytes past its end. */
static const char *padded(struct arena *arena, const char *text)
{
    size_t size = strlen(text);
    char *copy = arena_alloc(arena, size + 33);
    memcpy(copy, text, size);
    return copy;
}

static enum code writer_open(struct csv_writer *self, const struct encoder_spec *spec, struct error *err)
{
    *self = (struct csv_writer){.printer.zone = spec->zone};
    options_defaults(csv_options, &self->options, &self->arena);
    self->options.separator = ",";
    for (int32_t i = 0; i < spec->option_count; i++)
        if (option_find(csv_options, spec->option_names[i]) != NULL)
            TRY(option_set(csv_options, &self->options, spec->option_names[i], spec->option_values[i], &self->arena,
                           err));
    for (int32_t i = 0; i < spec->schema->field_count; i++)
        if (type_is_nested(spec->schema->fields[i].type) || spec->schema->fields[i].type->id == TYPE_VARIANT)
            return fail(err, E_UNSUPPORTED, "csv: column %s is an array, a struct, a map or a variant",
                        spec->schema->fields[i].name);
    if (self->options.separator[0] == 0)
        return fail(err, E_SPEC, "csv: sep must not be empty");
    TRY(one_byte("quote", self->options.quote, err));
    TRY(one_byte("escape", self->options.escape, err));
    self->options.separator = padded(&self->arena, self->options.separator);
    self->options.null_value = padded(&self->arena, self->options.null_value);
    self->options.empty_value = padded(&self->arena, self->options.empty_value);
    self->separator_size = strlen(self->options.separator);
    self->null_size = strlen(self->options.null_value);
    self->empty_size = strlen(self->options.empty_value);
    self->edge_size = self->separator_size + self->null_size + self->empty_size;
    quoter_init(&self->quoter, self->options.separator[0], self->options.quote[0], self->options.escape[0], -1);
    self->numbers_plain =
        !self->options.quote_all && strchr("+-.:'0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz ",
                                           self->options.separator[0]) == NULL;
    return E_OK;
}

static void writer_close(struct csv_writer *self)
{
    arena_free(&self->arena);
    *self = (struct csv_writer){0};
}

/* ---- texts ---- */

static struct bytes trim(const struct csv_writer *self, struct bytes text)
{
    while (self->options.trim_leading && text.size > 0 && text.data[0] <= ' ')
        text.data++, text.size--;
    while (self->options.trim_trailing && text.size > 0 && text.data[text.size - 1] <= ' ')
        text.size--;
    return text;
}

/* The quoter looks for the separator's first byte; here the rest is compared, and what the options
 * take back. */
static bool needs_quotes_closely(const struct csv_writer *self, struct bytes text)
{
    for (size_t i = 0; i < text.size; i++) {
        uint8_t c = text.data[i];
        if (c == '\n' || c == '\r')
            return true;
        if (c == self->quoter.quote && (self->options.escape_quotes || i == 0))
            return true;
        if (text.size - i >= self->separator_size &&
            memcmp(text.data + i, self->options.separator, self->separator_size) == 0)
            return true;
    }
    return false;
}

static bool needs_quotes(const struct csv_writer *self, struct bytes text, bool first)
{
    if (self->options.quote_all || (first && text.data[0] == '#'))
        return true;
    if (!self->quoter.needs_quotes(&self->quoter, text.data, text.size))
        return false;
    return (self->separator_size == 1 && self->options.escape_quotes) || needs_quotes_closely(self, text);
}

/* ---- values ----
 * Room is made once a row, as for a text that is all quotes; then values are put at p without
 * another look.
 */

enum { BINARY_TEXT_FACTOR = 3 }; /* "41 " */

/* Bytes that put_text may touch for a text of `size` bytes. */
static size_t text_room(const struct csv_writer *self, size_t size) { return 2 * size + self->edge_size + 64; }

static char *put_text(const struct csv_writer *self, struct bytes text, bool first, char *p)
{
    text = trim(self, text);
    if (text.size == 0)
        return quote_copy((const uint8_t *)self->options.empty_value, self->empty_size, p);
    if (!needs_quotes(self, text, first))
        return quote_copy(text.data, text.size, p);
    *p++ = (char)self->quoter.quote;
    p = self->quoter.copy_escaped(&self->quoter, text.data, text.size, p);
    *p++ = (char)self->quoter.quote;
    return p;
}

/* [41 42] */
static char *put_binary(const struct csv_writer *self, struct bytes bytes, char *p)
{
    static const char hex[] = "0123456789ABCDEF";
    struct text shown = {0};
    char *to = text_reserve(&shown, BINARY_TEXT_FACTOR * bytes.size + 64);
    *to++ = '[';
    for (size_t i = 0; i < bytes.size; i++) {
        *to++ = hex[bytes.data[i] >> 4];
        *to++ = hex[bytes.data[i] & 15];
        *to++ = ' ';
    }
    to -= bytes.size > 0;
    *to++ = ']';
    p = put_text(self, bytes_of(shown.data, (size_t)(to - shown.data)), false, p);
    text_free(&shown);
    return p;
}

static char *put_null(const struct csv_writer *self, char *p)
{
    /* With quoteAll even nothing stands in quotes. */
    if (self->options.quote_all && self->null_size == 0)
        return quote_copy((const uint8_t *)self->options.empty_value, self->empty_size, p);
    return quote_copy((const uint8_t *)self->options.null_value, self->null_size, p);
}

static char *put_value(struct csv_writer *self, const struct column *col, int64_t row, bool first, char *p)
{
    if (column_is_null(col, row))
        return put_null(self, p);
    if (col->type->id == TYPE_STRING)
        return put_text(self, column_bytes_at(col, row), first, p);
    if (col->type->id == TYPE_BINARY)
        return put_binary(self, column_bytes_at(col, row), p);
    if (self->numbers_plain)
        return p + value_text(&self->printer, col, row, p);
    char value[VALUE_TEXT_MAX + 32];
    return put_text(self, bytes_of(value, value_text(&self->printer, col, row, value)), first, p);
}

static size_t row_room(const struct csv_writer *self, const struct batch *batch, int64_t row)
{
    size_t room = 64;
    for (int32_t i = 0; i < batch->column_count; i++) {
        const struct column *col = &batch->columns[i];
        size_t size = VALUE_TEXT_MAX;
        if (type_is_varlen(col->type))
            size = column_bytes_at(col, row).size * (col->type->id == TYPE_BINARY ? BINARY_TEXT_FACTOR : 1) + 2;
        room += text_room(self, size);
    }
    return room;
}

/* ---- a lane: lines ---- */

struct csv_lane {
    struct text_lane out; /* first: see formats_internal.h */
    struct csv_writer writer;
};

static enum code lane_open(void *lane, const struct encoder_spec *spec, struct error *err)
{
    struct csv_lane *self = lane;
    *self = (struct csv_lane){0};
    return writer_open(&self->writer, spec, err);
}

static void lines_add(struct csv_lane *self, const struct batch *batch, int64_t from, int64_t to)
{
    struct text *out = &self->out.lines;
    const struct csv_writer *writer = &self->writer;
    for (int64_t row = from; row < to; row++) {
        char *start = text_reserve(out, row_room(writer, batch, row)), *p = start;
        for (int32_t i = 0; i < batch->column_count; i++) {
            if (i > 0)
                p = quote_copy((const uint8_t *)writer->options.separator, writer->separator_size, p);
            p = put_value(&self->writer, &batch->columns[i], row, i == 0, p);
        }
        if (p > start)
            *p++ = '\n';
        out->size += (size_t)(p - start);
    }
    text_add(out, NULL, 0); // the terminating NUL that a text always has
    self->out.rows += to - from;
}

static enum code lane_add(void *lane, const struct batch *batch, int64_t from, int64_t to, struct error *err)
{
    struct batch valid = {0};
    (void)err;
    texts_repair(&valid, batch, from, to);
    lines_add(lane, &valid, from, to);
    batch_release(&valid);
    return E_OK;
}

static void lane_close(void *lane)
{
    struct csv_lane *self = lane;
    writer_close(&self->writer);
    text_free(&self->out.lines);
}

/* ---- a file: the header ---- */

static void add_name(const struct csv_writer *writer, struct bytes name, bool first, struct text *out)
{
    struct text padded = {0}; // the quoter may read 32 bytes past the end
    text_add(&padded, name.data, name.size);
    text_reserve(&padded, 32);
    char *p = text_reserve(out, text_room(writer, name.size));
    out->size += (size_t)(put_text(writer, text_view(&padded), first, p) - p);
    text_free(&padded);
}

static enum code file_open(void *file, const struct encoder_spec *spec, struct text *header, struct error *err)
{
    struct csv_writer writer;
    enum code code = writer_open(&writer, spec, err);
    if (code == E_OK && writer.options.header) {
        for (int32_t i = 0; i < spec->schema->field_count; i++) {
            if (i > 0)
                text_add(header, writer.options.separator, writer.separator_size);
            add_name(&writer, bytes_of_string(spec->schema->fields[i].name), i == 0, header);
        }
        text_add(header, "\n", 1);
    }
    writer_close(&writer);
    *(struct plain_file *)file = (struct plain_file){0};
    return code;
}

const struct encoder_type csv_encoder = {
    .name = "csv",
    .help = "comma separated values, as Spark writes them",
    .suffix = ".csv",
    .options = csv_options,
    .lane_size = sizeof(struct csv_lane),
    .lane_open = lane_open,
    .lane_add = lane_add,
    .lane_rows = text_lane_rows,
    .lane_bytes = text_lane_bytes,
    .lane_take = text_lane_take,
    .lane_close = lane_close,
    .file_size = sizeof(struct plain_file),
    .file_open = file_open,
    .file_add = plain_file_add,
    .file_finish = plain_file_finish,
    .file_close = plain_file_close,
    .piece_close = plain_piece_close,
};

/* csv_decode.c - a line of separated values into the columns of a STRUCT, as Spark's CSV reader
 * does it.
 *
 * The rules were observed on Spark 4.2.0 (which uses univocity, in its mode STOP_AT_DELIMITER);
 * csv_fields.h has those of fields. A value is NULL when it is nullValue, or nothing and not
 * quoted. What is not of its column's type is NULL, and makes the record a bad one: _corrupt_record
 * gets the line. So does another count of fields than the schema has, but only when every column is
 * read: Spark does not look at fields that nobody needs.
 */
#include "format/csv_fields.h"
#include "format/formats_internal.h"
#include "format/json_text.h"

#include "base/text_number.h"

#include <strings.h>

enum { NO_COLUMN = -1 };

struct csv_reader_options {
    struct csv_field_options fields;
    const char *null_value, *empty_value, *nan, *infinity, *minus_infinity;
    const char *mode, *corrupt_column, *timestamp_format, *date_format; /* sql/ has read these */
};

#define AT(member) offsetof(struct csv_reader_options, member)
static const struct option csv_reader_options[] = {
    {.name = "sep",
     .kind = OPTION_STRING,
     .initial = ",",
     .help = "between two fields",
     .offset = AT(fields.separator)},
    {.name = "delimiter",
     .kind = OPTION_STRING,
     .initial = ",",
     .help = "the same as sep",
     .offset = AT(fields.separator)},
    {.name = "quote",
     .kind = OPTION_STRING,
     .initial = "\"",
     .help = "one byte around fields that hold separators; empty: none",
     .offset = AT(fields.quote)},
    {.name = "escape",
     .kind = OPTION_STRING,
     .initial = "\\",
     .help = "one byte in front of a quote inside quotes; \" for RFC 4180",
     .offset = AT(fields.escape)},
    {.name = "ignoreLeadingWhiteSpace",
     .kind = OPTION_BOOLEAN,
     .initial = "false",
     .help = "blanks before a field are no part of it",
     .offset = AT(fields.trim_leading)},
    {.name = "ignoreTrailingWhiteSpace",
     .kind = OPTION_BOOLEAN,
     .initial = "false",
     .help = "blanks behind a field without quotes are no part of it",
     .offset = AT(fields.trim_trailing)},
    {.name = "nullValue",
     .kind = OPTION_STRING,
     .initial = "",
     .help = "what stands for NULL",
     .offset = AT(null_value)},
    {.name = "emptyValue",
     .kind = OPTION_STRING,
     .initial = "",
     .help = "what an empty field in quotes means",
     .offset = AT(empty_value)},
    {.name = "nanValue",
     .kind = OPTION_STRING,
     .initial = "NaN",
     .help = "what stands for NaN",
     .offset = AT(nan)},
    {.name = "positiveInf",
     .kind = OPTION_STRING,
     .initial = "Inf",
     .help = "what stands for infinity",
     .offset = AT(infinity)},
    {.name = "negativeInf",
     .kind = OPTION_STRING,
     .initial = "-Inf",
     .help = "what stands for minus infinity",
     .offset = AT(minus_infinity)},
    {.name = "timestampFormat",
     .kind = OPTION_STRING,
     .help = "pattern of timestamps; without it they are read as by CAST",
     .offset = AT(timestamp_format)},
    {.name = "dateFormat",
     .kind = OPTION_STRING,
     .help = "pattern of dates; without it they are read as by CAST",
     .offset = AT(date_format)},
    {.name = "mode",
     .kind = OPTION_STRING,
     .initial = "PERMISSIVE",
     .help = DECODE_MODE_HELP,
     .offset = AT(mode)},
    {.name = "columnNameOfCorruptRecord",
     .kind = OPTION_STRING,
     .initial = "_corrupt_record",
     .help = DECODE_CORRUPT_HELP,
     .offset = AT(corrupt_column)},
    {0},
};
#undef AT

struct csv_decoder {
    struct arena arena; /* the texts of the options */
    struct csv_reader_options options;
    struct csv_fields fields;
    const struct type *schema;
    const struct zone *zone;
    const bool *needed; /* per field of the schema; NULL = all */
    enum decode_mode mode;
    int32_t corrupt;      /* field of the schema, or NO_COLUMN */
    int32_t data_columns; /* all but that */
    int32_t last_needed;  /* data columns behind it need not be looked at */
    bool check_count;
    struct builder *builders; /* per field of the schema */
    struct text scratch;      /* a value with its broken UTF-8 repaired, or its commas taken out */
};

static bool is_needed(const struct csv_decoder *self, int32_t field)
{
    return self->needed == NULL || self->needed[field];
}

/* ---- one value ---- */

static bool is(struct bytes value, const char *text)
{
    return bytes_equal_string(value, text);
}

static bool is_word(struct bytes value, const char *lower)
{
    return value.size == strlen(lower) &&
           strncasecmp((const char *)value.data, lower, value.size) == 0;
}

static bool put_integer(struct builder *out, struct bytes value, int64_t min, int64_t max)
{
    int64_t number;
    bool overflow = false;
    const char *text = (const char *)value.data, *end = text + value.size;
    if (parse_int64(text, end, &number, &overflow) != end || overflow || number < min ||
        number > max)
        return false;
    builder_int(out, number);
    return true;
}

/* A FLOAT is not read by way of a double, which would round twice. NULL: no number. */
static const char *parse_digits(bool narrow, const char *text, const char *end, double *out)
{
    float number = 0;
    if (!narrow)
        return parse_double(text, end, out);
    const char *stop = parse_float(text, end, &number);
    *out = (double)number;
    return stop;
}

/* As Java's Double.parseDouble: blanks around, a literal's suffix; hexadecimal numbers are left
 * out. */
static bool parse_java_double(struct bytes value, bool narrow, double *out)
{
    const char *text = (const char *)value.data, *end = text + value.size;
    while (text < end && (uint8_t)*text <= ' ')
        text++;
    while (text < end && (uint8_t)end[-1] <= ' ')
        end--;
    if (text < end && memchr("dDfF", end[-1], 4) != NULL)
        end--;
    bool minus = text < end && *text == '-';
    const char *digits = text + (minus || (text < end && *text == '+'));
    if (end - digits == 8 && memcmp(digits, "Infinity", 8) == 0) {
        *out = minus ? -__builtin_inf() : __builtin_inf();
        return true;
    }
    return digits < end && *digits != '-' &&
           parse_digits(narrow, minus ? text : digits, end, out) == end;
}

static bool put_double(const struct csv_reader_options *options, struct builder *out,
                       struct bytes value)
{
    double number = 0;
    if (is(value, options->nan))
        number = __builtin_nan("");
    else if (is(value, options->infinity))
        number = __builtin_inf();
    else if (is(value, options->minus_infinity))
        number = -__builtin_inf();
    else if (!parse_java_double(value, out->type->id == TYPE_FLOAT, &number))
        return false;
    builder_double(out, number);
    return true;
}

/* Commas between digits are passed over, wherever they stand. */
static bool put_decimal(struct csv_decoder *self, struct builder *out, struct bytes value)
{
    __int128 number;
    if (memchr(value.data, ',', value.size) != NULL) {
        text_clear(&self->scratch);
        for (size_t i = 0; i < value.size; i++)
            if (value.data[i] != ',')
                text_add_char(&self->scratch, (char)value.data[i]);
        value = text_view(&self->scratch);
    }
    if (!decimal_parse(value, out->type->precision, out->type->scale, &number))
        return false;
    builder_int128(out, number);
    return true;
}

static bool put_boolean(struct builder *out, struct bytes value)
{
    bool yes = is_word(value, "true");
    if (!yes && !is_word(value, "false"))
        return false;
    builder_boolean(out, yes);
    return true;
}

static bool put_time(struct csv_decoder *self, struct builder *out, struct bytes value)
{
    int64_t us;
    int32_t days;
    bool had_zone = false, good;
    if (out->type->id == TYPE_DATE) {
        good = date_parse(value, &days);
        us = good ? days : 0;
    } else if (out->type->id == TYPE_TIMESTAMP) {
        good = timestamp_parse(value, self->zone, &us);
    } else {
        good = timestamp_ntz_parse(value, &us, &had_zone) && !had_zone;
    }
    if (good)
        builder_int(out, us);
    return good;
}

static void put_text(struct csv_decoder *self, struct builder *out, struct bytes value)
{
    if (!utf8_valid(value.data, value.size)) {
        text_clear(&self->scratch);
        json_text_repair(value, &self->scratch);
        value = text_view(&self->scratch);
    }
    builder_bytes(out, value);
}

/* False: not a value of the column's type; nothing was put. ORDER TYPE */
static bool put_value(struct csv_decoder *self, struct builder *out, struct bytes value)
{
    switch (out->type->id) {
    case TYPE_BOOLEAN: return put_boolean(out, value);
    case TYPE_INT8: return put_integer(out, value, INT8_MIN, INT8_MAX);
    case TYPE_INT16: return put_integer(out, value, INT16_MIN, INT16_MAX);
    case TYPE_INT32: return put_integer(out, value, INT32_MIN, INT32_MAX);
    case TYPE_INT64: return put_integer(out, value, INT64_MIN, INT64_MAX);
    case TYPE_FLOAT:
    case TYPE_DOUBLE: return put_double(&self->options, out, value);
    case TYPE_DECIMAL: return put_decimal(self, out, value);
    case TYPE_DATE:
    case TYPE_TIMESTAMP:
    case TYPE_TIMESTAMP_NTZ: return put_time(self, out, value);
    case TYPE_BINARY: builder_bytes(out, value); return true;
    default: put_text(self, out, value); return true;
    }
}

/* ---- one line ---- */

static bool is_null(const struct csv_decoder *self, const struct csv_field *field)
{
    return (field->value.size == 0 && !field->quoted) || is(field->value, self->options.null_value);
}

/* False when the field is not of its column's type. */
static bool put_field(struct csv_decoder *self, struct builder *out, const struct csv_field *field)
{
    struct csv_field read = *field;
    if (read.quoted && read.value.size == 0)
        read.value = bytes_of_string(self->options.empty_value);
    if (!is_null(self, &read) && put_value(self, out, read.value))
        return true;
    builder_null(out);
    return is_null(self, &read);
}

/* All data columns of the line; false when the record is a bad one. */
static bool put_line(struct csv_decoder *self, struct bytes line)
{
    struct csv_field field;
    bool good = true, more = true;
    int32_t column = 0;
    csv_fields_start(&self->fields, line);
    for (int32_t i = 0; i < self->schema->field_count; i++) {
        if (i == self->corrupt)
            continue;
        more = column <= self->last_needed && more && csv_fields_next(&self->fields, &field);
        column++;
        if (!is_needed(self, i))
            continue;
        if (more)
            good &= put_field(self, &self->builders[i], &field);
        else
            builder_null(&self->builders[i]);
        good &= more || !self->check_count;
    }
    return good && !(self->check_count && csv_fields_next(&self->fields, &field));
}

static void put_null_line(struct csv_decoder *self)
{
    for (int32_t i = 0; i < self->schema->field_count; i++)
        if (i != self->corrupt && is_needed(self, i))
            builder_null(&self->builders[i]);
}

static void put_corrupt(struct csv_decoder *self, bool good, struct bytes line)
{
    if (self->corrupt == NO_COLUMN || !is_needed(self, self->corrupt))
        return;
    if (good)
        builder_null(&self->builders[self->corrupt]);
    else
        put_text(self, &self->builders[self->corrupt], line);
}

/* ---- the decoder ---- */

static enum code options_read(struct csv_decoder *self, const struct decoder_spec *spec,
                              struct error *err)
{
    options_defaults(csv_reader_options, &self->options, &self->arena);
    for (int32_t i = 0; i < spec->option_count; i++)
        if (option_find(csv_reader_options, spec->option_names[i]) != NULL)
            TRY(option_set(csv_reader_options, &self->options, spec->option_names[i],
                           arena_strdup(&self->arena, spec->option_values[i]), &self->arena, err));
    return csv_fields_open(&self->fields, &self->options.fields, err);
}

static enum code columns_open(struct csv_decoder *self, const struct decoder_spec *spec,
                              struct error *err)
{
    int32_t count = spec->schema->field_count;
    self->check_count = true;
    self->last_needed = NO_COLUMN;
    self->builders = mem_array(struct builder, (size_t)count + 1);
    for (int32_t i = 0; i < count; i++) {
        const struct field *field = &spec->schema->fields[i];
        if (type_is_nested(field->type) || field->type->id == TYPE_INTERVAL_DT ||
            field->type->id == TYPE_INTERVAL_YM || field->type->id == TYPE_TIME || field->type->id == TYPE_NULL)
            return fail(err, E_UNSUPPORTED, "csv: column %s is of a type that a field cannot hold",
                        field->name);
        builder_init(&self->builders[i], field->type);
        if (spec->corrupt_column != NULL && field->type->id == TYPE_STRING &&
            strcmp(field->name, spec->corrupt_column) == 0) {
            self->corrupt = i;
            continue;
        }
        self->check_count &= is_needed(self, i);
        if (is_needed(self, i))
            self->last_needed = self->data_columns;
        self->data_columns++;
    }
    return E_OK;
}

static void decoder_close(void *decoder)
{
    struct csv_decoder *self = decoder;
    for (int32_t i = 0; self->builders != NULL && i < self->schema->field_count; i++)
        builder_release(&self->builders[i]);
    mem_free(self->builders);
    csv_fields_close(&self->fields);
    text_free(&self->scratch);
    arena_free(&self->arena);
    *self = (struct csv_decoder){0};
}

static enum code decoder_open(void *decoder, const struct decoder_spec *spec, struct error *err)
{
    struct csv_decoder *self = decoder;
    if (spec->schema->id != TYPE_STRUCT)
        return fail(err, E_SPEC, "csv: the schema must be a STRUCT");
    *self = (struct csv_decoder){.schema = spec->schema,
                                 .needed = spec->needed,
                                 .mode = spec->mode,
                                 .zone = spec->zone != NULL ? spec->zone : zone_utc(),
                                 .corrupt = NO_COLUMN};
    enum code code = options_read(self, spec, err);
    if (code == E_OK)
        code = columns_open(self, spec, err);
    if (code != E_OK)
        decoder_close(self);
    return code;
}

/* Rows without a payload are NULL structs, and so are their children. */
static void finish(struct csv_decoder *self, const struct column *payload, struct column *out)
{
    int32_t count = self->schema->field_count;
    *out = (struct column){.type = self->schema, .rows = payload->rows, .nulls = payload->nulls};
    out->valid = buffer_retain(payload->valid);
    out->children = count > 0 ? mem_array(struct column, (size_t)count) : NULL;
    out->child_count = count;
    for (int32_t i = 0; i < count; i++)
        if (is_needed(self, i))
            builder_finish(&self->builders[i], &out->children[i]);
        else
            column_all_null(&out->children[i], self->schema->fields[i].type, payload->rows);
}

static enum code decoder_decode(void *decoder, const struct column *payload, struct column *out,
                                struct rejects *rejects, struct error *err)
{
    struct csv_decoder *self = decoder;
    if (!type_is_varlen(payload->type))
        return fail(err, E_BUG, "csv: payloads must be STRING or BINARY");
    for (int64_t row = 0; row < payload->rows; row++) {
        bool good = true;
        struct bytes line = {0};
        if (column_valid_at(payload, row)) {
            line = column_bytes_at(payload, row);
            good = put_line(self, line);
        } else {
            put_null_line(self);
        }
        put_corrupt(self, good, line);
        if (!good && self->mode == DECODE_FAILFAST)
            rejects_add(rejects, row, -1, REJECT_MALFORMED);
    }
    finish(self, payload, out);
    return E_OK;
}

const struct decoder_type csv_decoder = {
    .name = "csv",
    .help = "separated values, a record a line, as Spark's CSV reader reads them",
    .options = csv_reader_options,
    .size = sizeof(struct csv_decoder),
    .open = decoder_open,
    .decode = decoder_decode,
    .close = decoder_close,
};

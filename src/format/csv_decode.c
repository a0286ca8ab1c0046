/* csv_decode.c - a line of separated values into the columns of a STRUCT, as Spark's CSV reader
 * does it.
 *
 * The rules were observed on Spark 4.2.0 (which uses univocity, in its mode STOP_AT_DELIMITER);
 * csv_fields.h has those of fields. A value is NULL when it is nullValue, or nothing and not
 * quoted. What is not of its column's type is NULL, and makes the record a bad one: _corrupt_record
 * gets the line. So does another count of fields than the schema has, but only when every column is
 * read: Spark does not look at fields that nobody needs.
 */
#include "format/csv_options.h"
#include "format/formats_internal.h"
#include "format/json_text.h"

#include "base/text_number.h"

#include <strings.h>

enum { NO_COLUMN = -1 };

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

static bool is(struct bytes value, const char *text) { return bytes_equal_string(value, text); }

static bool is_word(struct bytes value, const char *lower)
{
    return value.size == strlen(lower) && strncasecmp((const char *)value.data, lower, value.size) == 0;
}

static bool put_integer(struct builder *out, struct bytes value, int64_t min, int64_t max)
{
    int64_t number;
    bool overflow = false;
    const char *text = (const char *)value.data, *end = text + value.size;
    if (parse_int64(text, end, &number, &overflow) != end || overflow || number < min || number > max)
        return false;
    builder_int(out, number);
    return true;
}

static bool put_double(const struct csv_reader_options *options, struct builder *out, struct bytes value)
{
    double number = 0;
    if (!csv_double(options, value, out->type->id == TYPE_FLOAT, &number))
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
    } else if (out->type->id == TYPE_TIME) {
        good = time_of_day_parse(value, &us);
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
    case TYPE_TIME:
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

static enum code options_read(struct csv_decoder *self, const struct decoder_spec *spec, struct error *err)
{
    TRY(csv_options_read(spec->option_names, spec->option_values, spec->option_count, &self->arena, &self->options,
                         err));
    return csv_fields_open(&self->fields, &self->options.fields, err);
}

static enum code columns_open(struct csv_decoder *self, const struct decoder_spec *spec, struct error *err)
{
    int32_t count = spec->schema->field_count;
    self->check_count = true;
    self->last_needed = NO_COLUMN;
    self->builders = mem_array(struct builder, (size_t)count + 1);
    for (int32_t i = 0; i < count; i++) {
        const struct field *field = &spec->schema->fields[i];
        if (type_is_nested(field->type) || field->type->id == TYPE_INTERVAL_DT || field->type->id == TYPE_INTERVAL_YM ||
            field->type->id == TYPE_NULL || field->type->id == TYPE_VARIANT)
            return fail(err, E_UNSUPPORTED, "csv: column %s is of a type that a field cannot hold", field->name);
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

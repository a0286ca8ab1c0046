#include <stdio.h>
#include <strings.h>

#include "base/text_number.h"
#include "format/csv_options.h"
#include "format/infer.h"

static bool is_word(struct bytes value, const char *lower)
{
    return value.size == strlen(lower) && strncasecmp((const char *)value.data, lower, value.size) == 0;
}

/* A whole number of any size: its digits, or 0. */
static size_t whole_digits(struct bytes value)
{
    size_t start = value.size > 0 && (value.data[0] == '-' || value.data[0] == '+');
    for (size_t i = start; i < value.size; i++)
        if (value.data[i] < '0' || value.data[i] > '9')
            return 0;
    return value.size - start;
}

static const struct type *field_type(struct arena *arena, const struct csv_reader_options *options,
                                     const struct zone *zone, struct bytes value)
{
    int64_t number;
    int32_t days;
    double fraction;
    bool overflow = false;
    size_t digits = whole_digits(value);
    const char *text = (const char *)value.data, *end = text + value.size;
    if (digits > 0 && parse_int64(text, end, &number, &overflow) == end && !overflow)
        return type_of(number >= INT32_MIN && number <= INT32_MAX ? TYPE_INT32 : TYPE_INT64);
    if (digits > 0 && digits <= 38)
        return type_decimal(arena, (int)digits, 0);
    if (csv_double(options, value, false, &fraction))
        return type_of(TYPE_DOUBLE);
    if (value.size == strlen("2026-01-01") && date_parse(value, &days))
        return type_of(TYPE_DATE);
    bool dated = value.size > strlen("2026-01-01") && memchr(value.data, '-', value.size) != NULL;
    bool clock = value.size > 0 && end[-1] >= '0' && end[-1] <= '9'; // not 1:02 PM
    if ((dated && timestamp_parse(value, zone, &number)) ||
        (clock && time_of_day_parse(value, &number))) // a time alone is today's
        return type_of(TYPE_TIMESTAMP);
    return type_of(is_word(value, "true") || is_word(value, "false") ? TYPE_BOOLEAN : TYPE_STRING);
}

static const struct type *line_type(struct arena *arena, struct csv_fields *fields,
                                    const struct csv_reader_options *options, const struct zone *zone)
{
    struct field *columns = NULL;
    int64_t count = 0, capacity = 0;
    struct csv_field field;
    while (csv_fields_next(fields, &field)) {
        bool null = (field.value.size == 0 && !field.quoted) || bytes_equal_string(field.value, options->null_value);
        mem_grow(columns, capacity, count + 1);
        columns[count] = (struct field){arena_printf(arena, "_c%d", (int)count), type_of(TYPE_STRING), true};
        if (!null)
            columns[count].type = field_type(arena, options, zone, field.value);
        count++;
    }
    const struct type *type = type_struct(arena, columns, (int32_t)count);
    mem_free(columns);
    return type;
}

enum code csv_infer(struct arena *arena, struct bytes line, const struct zone *zone, const char *const *names,
                    const char *const *values, int32_t option_count, const struct type **out, struct error *err)
{
    struct csv_reader_options options = {0};
    struct csv_fields fields = {0};
    TRY(csv_options_read(names, values, option_count, arena, &options, err));
    TRY(csv_fields_open(&fields, &options.fields, err));
    csv_fields_start(&fields, line);
    *out = line_type(arena, &fields, &options, zone);
    csv_fields_close(&fields);
    return E_OK;
}

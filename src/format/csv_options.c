#include "format/csv_options.h"

#include "base/text_number.h"
#include "format/formats_internal.h"

#define AT(member) offsetof(struct csv_reader_options, member)
const struct option csv_reader_options[] = {
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
    {.name = "nanValue", .kind = OPTION_STRING, .initial = "NaN", .help = "what stands for NaN", .offset = AT(nan)},
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
    {.name = "mode", .kind = OPTION_STRING, .initial = "PERMISSIVE", .help = DECODE_MODE_HELP, .offset = AT(mode)},
    {.name = "columnNameOfCorruptRecord",
     .kind = OPTION_STRING,
     .initial = "_corrupt_record",
     .help = DECODE_CORRUPT_HELP,
     .offset = AT(corrupt_column)},
    {0},
};
#undef AT

enum code csv_options_read(const char *const *names, const char *const *values, int32_t count, struct arena *arena,
                           struct csv_reader_options *out, struct error *err)
{
    struct csv_reader_options options = {0};
    options_defaults(csv_reader_options, &options, arena);
    for (int32_t i = 0; i < count; i++)
        if (option_find(csv_reader_options, names[i]) != NULL)
            TRY(option_set(csv_reader_options, &options, names[i], arena_strdup(arena, values[i]), arena, err));
    *out = options;
    return E_OK;
}

/* ---- numbers ---- */

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
    return digits < end && *digits != '-' && parse_digits(narrow, minus ? text : digits, end, out) == end;
}

bool csv_double(const struct csv_reader_options *options, struct bytes value, bool narrow, double *out)
{
    if (bytes_equal_string(value, options->nan))
        *out = __builtin_nan("");
    else if (bytes_equal_string(value, options->infinity))
        *out = __builtin_inf();
    else if (bytes_equal_string(value, options->minus_infinity))
        *out = -__builtin_inf();
    else
        return parse_java_double(value, narrow, out);
    return true;
}

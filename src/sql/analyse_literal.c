/* analyse_literal.c - literals to typed constants: numbers with suffixes, DATE '..', X'..',
 * intervals. */
#include <ctype.h>
#include <stdlib.h>
#include <strings.h>

#include "base/text_number.h"
#include "sql/analyser.h"

/* ---- numbers ---- */

static enum code out_of_range(struct analyser *self, const struct ast *ast, const char *digits, const char *type,
                              const char *least, const char *most)
{
    return sql_error(self, ast->at, NULL,
                     "[INVALID_NUMERIC_LITERAL_RANGE] Numeric literal %s is outside the valid range for %s "
                     "with minimum value of %s and maximum value of %s. Please adjust the value accordingly.",
                     digits, type, least, most);
}

static enum code integer_literal(struct analyser *self, const struct ast *ast, const char *digits, enum type_id id,
                                 const struct expr **out)
{
    static const struct {
        enum type_id id;
        int64_t least, most;
        const char *name, *least_text, *most_text;
    } ranges[] = {
        {TYPE_INT8, INT8_MIN, INT8_MAX, "tinyint", "-128", "127"},
        {TYPE_INT16, INT16_MIN, INT16_MAX, "smallint", "-32768", "32767"},
        {TYPE_INT64, INT64_MIN, INT64_MAX, "bigint", "-9223372036854775808", "9223372036854775807"},
    };
    int64_t value = 0;
    bool overflow = false;
    parse_int64(digits, digits + strlen(digits), &value, &overflow);
    for (int i = 0; i < 3; i++)
        if (ranges[i].id == id && (overflow || value < ranges[i].least || value > ranges[i].most))
            return out_of_range(self, ast, digits, ranges[i].name, ranges[i].least_text, ranges[i].most_text);
    *out = expr_int(&self->expr, type_of(id), value, ast->at);
    return E_OK;
}

/* Digits with an optional fraction: DECIMAL with just enough precision, as Java's BigDecimal counts
 * it. */
static enum code decimal_literal(struct analyser *self, const struct ast *ast, const char *digits,
                                 const struct expr **out)
{
    const char *point = strchr(digits, '.');
    int scale = point != NULL ? (int)strlen(point + 1) : 0, precision = 0;
    bool leading = true;
    for (const char *c = digits; *c != '\0'; c++) {
        leading = leading && (*c == '0' || *c == '.' || *c == '-');
        precision += !leading && isdigit((unsigned char)*c);
    }
    precision = precision > scale ? precision : scale;
    precision = precision > 0 ? precision : 1;
    __int128 value;
    if (precision > 38 || !decimal_parse(bytes_of_string(digits), precision, scale, &value))
        return sql_error(self, ast->at, NULL,
                         "[DECIMAL_PRECISION_EXCEEDS_MAX_PRECISION] Decimal precision %d exceeds max precision "
                         "38.",
                         precision);
    *out = expr_decimal(&self->expr, value, precision, scale, ast->at);
    return E_OK;
}

static enum code double_literal(struct analyser *self, const struct ast *ast, const char *digits, bool is_float,
                                const struct expr **out)
{
    double value = 0;
    float narrow = 0;
    if (is_float) {
        parse_float(digits, digits + strlen(digits), &narrow);
        value = (double)narrow;
    } else {
        parse_double(digits, digits + strlen(digits), &value);
    }
    if (value - value != 0)
        return out_of_range(self, ast, digits, is_float ? "float" : "double",
                            is_float ? "-3.4028234663852886E+38" : "-1.7976931348623157E+308",
                            is_float ? "3.4028234663852886E+38" : "1.7976931348623157E+308");
    const struct expr *number = expr_double(&self->expr, value, ast->at);
    if (!is_float) {
        *out = number;
        return E_OK;
    }
    TRY(placed(self, expr_cast(&self->expr, number, type_of(TYPE_FLOAT), false, ast->at, &number, self->err), ast->at));
    return placed(self, expr_fold(&self->expr, number, out, self->err), ast->at);
}

/* 1e3BD: written out, so that the decimal rules apply. */
static enum code big_decimal_literal(struct analyser *self, const struct ast *ast, char *digits,
                                     const struct expr **out)
{
    char *e = strpbrk(digits, "eE");
    if (e == NULL)
        return decimal_literal(self, ast, digits, out);
    long exponent = strtol(e + 1, NULL, 10), scale;
    *e = '\0';
    const char *point = strchr(digits, '.');
    long places = point != NULL ? (long)strlen(point + 1) : 0;
    if (__builtin_sub_overflow(places, exponent, &scale) || scale < -38 || scale > 38)
        return sql_error(self, ast->at, NULL,
                         "[DECIMAL_PRECISION_EXCEEDS_MAX_PRECISION] Decimal precision exceeds max precision "
                         "38.");
    struct text plain = {0};
    for (const char *c = digits; *c != '\0'; c++)
        if (*c != '.')
            text_add_char(&plain, *c);
    for (long i = scale; i < 0; i++)
        text_add_char(&plain, '0');
    struct text padded = {0};
    bool negative = plain.data[0] == '-';
    size_t count = plain.size - negative;
    text_add_string(&padded, negative ? "-" : "");
    for (size_t i = count; scale > 0 && i <= (size_t)scale; i++)
        text_add_char(&padded, '0');
    text_add_string(&padded, plain.data + negative);
    char *written = arena_strdup(self->arena, padded.data);
    if (scale > 0) {
        size_t whole = strlen(written) - (size_t)scale;
        written = arena_printf(self->arena, "%.*s.%s", (int)whole, written, written + whole);
    }
    text_free(&plain);
    text_free(&padded);
    return decimal_literal(self, ast, written, out);
}

static enum code number_literal(struct analyser *self, const struct ast *ast, const struct expr **out)
{
    size_t size = strlen(ast->text);
    char *digits = arena_strdup(self->arena, ast->text);
    char last = (char)toupper((unsigned char)digits[size - 1]);
    if (last == 'D' && size > 1 && toupper((unsigned char)digits[size - 2]) == 'B') {
        digits[size - 2] = '\0';
        return big_decimal_literal(self, ast, digits, out);
    }
    if (!isdigit((unsigned char)last) && last != '.')
        digits[size - 1] = '\0';
    switch (last) {
    case 'L': return integer_literal(self, ast, digits, TYPE_INT64, out);
    case 'S': return integer_literal(self, ast, digits, TYPE_INT16, out);
    case 'Y': return integer_literal(self, ast, digits, TYPE_INT8, out);
    case 'F': return double_literal(self, ast, digits, true, out);
    case 'D': return double_literal(self, ast, digits, false, out);
    default: break;
    }
    if (strpbrk(digits, "eE") != NULL)
        return double_literal(self, ast, digits, false, out);
    if (strchr(digits, '.') != NULL)
        return decimal_literal(self, ast, digits, out);
    int64_t value = 0;
    bool overflow = false;
    parse_int64(digits, digits + strlen(digits), &value, &overflow);
    if (overflow)
        return decimal_literal(self, ast, digits, out);
    bool fits = value >= INT32_MIN && value <= INT32_MAX;
    *out = expr_int(&self->expr, type_of(fits ? TYPE_INT32 : TYPE_INT64), value, ast->at);
    return E_OK;
}

/* ---- DATE '..', TIMESTAMP '..', X'..' ---- */

static enum code hex_literal(struct analyser *self, const struct ast *ast, const struct expr **out)
{
    struct bytes text = ast->bytes;
    uint8_t *bytes = arena_alloc(self->arena, text.size / 2 + 1);
    size_t odd = text.size % 2, count = text.size / 2 + odd;
    for (size_t i = 0; i < text.size; i++) {
        int c = tolower(text.data[i]);
        if (!isxdigit(c))
            return sql_error(self, ast->at, NULL,
                             "[INVALID_TYPED_LITERAL] The value of the typed literal \"X\" is invalid: '%.*s'.",
                             (int)(text.size > 40 ? 40 : text.size), (const char *)text.data);
        int digit = isdigit(c) ? c - '0' : c - 'a' + 10;
        uint8_t *to = &bytes[(i + odd) / 2];
        *to = (uint8_t)(*to << 4 | digit);
    }
    *out = expr_binary(&self->expr, bytes_of(bytes, count), ast->at);
    return E_OK;
}

/* Days that have names: 'today', 'tomorrow'; 'now' and 'epoch'. False: it is none. */
static bool named_instant(const struct session *session, struct bytes text, const struct zone *zone, int64_t *us)
{
    static const char *const names[] = {"epoch", "now", "yesterday", "today", "tomorrow"};
    size_t size = 0, name = 0;
    while (size < text.size && isalpha(text.data[size]))
        size++;
    while (name < 5 && (size != strlen(names[name]) || strncasecmp(names[name], (const char *)text.data, size) != 0))
        name++;
    struct bytes rest = bytes_of(text.data + size, text.size - size);
    while (rest.size > 0 && isspace(rest.data[0]))
        rest = bytes_of(rest.data + 1, rest.size - 1);
    struct error ignored = {0};
    if (name == 5 || (rest.size > 0 && zone_find(rest, &zone, &ignored) != E_OK))
        return false;
    const int64_t day_us = INT64_C(86400000000), now = session->batch_time_us;
    int64_t local = now + (zone == NULL ? 0 : zone_offset_us(zone, now)),
            midnight = local - ((local % day_us) + day_us) % day_us + ((int64_t)name - 3) * day_us;
    *us = name == 0 ? 0 : name == 1 ? now : zone == NULL ? midnight : zone_local_to_utc(zone, midnight);
    return true;
}

/* DATE 'today', TIMESTAMP 'now': the day in the session's zone. */
static bool named_literal(const struct session *session, struct bytes text, enum type_id id, int64_t *out)
{
    int64_t us;
    text = bytes_trim(text);
    if (!named_instant(session, text, session->zone, &us))
        return false;
    bool epoch = us == 0;
    if (id == TYPE_TIMESTAMP || epoch) {
        *out = us;
        return true;
    }
    us += zone_offset_us(session->zone, us);
    *out = id == TYPE_DATE ? us / INT64_C(86400000000) - (us % INT64_C(86400000000) < 0) : us;
    return true;
}

static enum code typed_literal(struct analyser *self, const struct ast *ast, const struct expr **out)
{
    struct expr_context *ctx = &self->expr;
    int64_t us = 0;
    int32_t days = 0;
    bool zoned = false, ok = false;
    enum type_id id = TYPE_TIMESTAMP;
    if (strcasecmp(ast->text, "x") == 0)
        return hex_literal(self, ast, out);
    if (strcasecmp(ast->text, "date") == 0) {
        id = TYPE_DATE;
        ok = date_parse(ast->bytes, &days);
        us = days;
    } else if (strcasecmp(ast->text, "timestamp_ntz") == 0) {
        id = TYPE_TIMESTAMP_NTZ;
        ok = timestamp_ntz_parse(ast->bytes, &us, &zoned) && !zoned;
    } else if (strcasecmp(ast->text, "time") == 0) {
        id = TYPE_TIME;
        ok = time_of_day_parse(ast->bytes, &us);
    } else if (strcasecmp(ast->text, "timestamp") != 0 && strcasecmp(ast->text, "timestamp_ltz") != 0) {
        return sql_error(self, ast->at, NULL,
                         "[UNSUPPORTED_TYPED_LITERAL] Literals of the type \"%s\" are not supported. Supported "
                         "types are \"DATE\", \"TIMESTAMP_NTZ\", \"TIMESTAMP_LTZ\", \"TIMESTAMP\", "
                         "\"INTERVAL\", \"X\", \"TIME\".",
                         ast->text);
    } else if (ctx->session->ntz && strcasecmp(ast->text, "timestamp") == 0 &&
               timestamp_ntz_parse(ast->bytes, &us, &zoned) && !zoned) {
        id = TYPE_TIMESTAMP_NTZ;
        ok = true;
    } else {
        ok = timestamp_parse(ast->bytes, ctx->session->zone, &us);
    }
    ok = ok || (id != TYPE_TIME && named_literal(ctx->session, ast->bytes, id, &us));
    if (!ok)
        return sql_error(self, ast->at, NULL,
                         "[INVALID_TYPED_LITERAL] The value of the typed literal \"%s\" is invalid: '%.*s'.",
                         type_text(self->arena, type_of(id)), (int)(ast->bytes.size > 60 ? 60 : ast->bytes.size),
                         (const char *)ast->bytes.data);
    *out = expr_int(ctx, type_of(id), us, ast->at);
    return E_OK;
}

/* ---- intervals ---- */

static enum code bad_interval(struct analyser *self, const struct ast *ast, const char *condition)
{
    return sql_error(self, ast->at, "write INTERVAL '1' DAY, INTERVAL 5 MINUTES, INTERVAL '1 02:03:04.5' DAY TO SECOND",
                     "[%s] The interval is not valid.", condition);
}

enum { FRACTION_DIGITS_MAX = 9 }; /* of a second, in a literal */

static const struct interval_unit *unit_named(const char *name) { return interval_unit_find(bytes_of_string(name)); }

/* Which field of an interval's type a unit counts in. */
static enum interval_field unit_field(const struct interval_unit *unit)
{
    if (unit->months != 0)
        return unit->months == 12 ? INTERVAL_YEAR : INTERVAL_MONTH;
    for (enum interval_field field = INTERVAL_DAY; field < INTERVAL_SECOND; field++)
        if (unit->us >= interval_field_units(field))
            return field;
    return INTERVAL_SECOND;
}

/* '1-2' YEAR TO MONTH, '1 02:03:04.5' DAY TO SECOND */
static enum code interval_range(struct analyser *self, const struct ast *ast, int64_t *months, int64_t *us)
{
    const struct interval_unit *from = unit_named(ast->parts[0]), *to = unit_named(ast->parts[1]);
    const struct ast *value = ast->args[0];
    if (value->kind != AST_STRING)
        return bad_interval(self, ast, "_LEGACY_ERROR_TEMP_0027");
    if (from == NULL || to == NULL || from >= to || (from->months != 0) != (to->months != 0))
        return bad_interval(self, ast, "INVALID_INTERVAL_FORMAT.UNSUPPORTED_FROM_TO_EXPRESSION");
    const struct type *type = type_interval(unit_field(from), unit_field(to));
    int64_t *into = from->months != 0 ? months : us;
    switch (interval_value_read(value->bytes, type, value->flag, into)) {
    case INTERVAL_READ: return E_OK;
    case INTERVAL_TOO_LARGE:
        return bad_interval(self, ast,
                            from->months != 0 ? "INVALID_INTERVAL_FORMAT.INTERVAL_PARSING" : "_LEGACY_ERROR_TEMP_0063");
    case INTERVAL_NO_MATCH: break;
    }
    return bad_interval(self, ast,
                        from->months != 0 ? "INVALID_INTERVAL_FORMAT.UNMATCHED_FORMAT_STRING"
                                          : "INVALID_INTERVAL_FORMAT.UNMATCHED_FORMAT_STRING_WITH_NOTICE");
}

/* The whole of a literal as a text of units. */
static bool literal_as_units(const struct ast *ast, struct calendar_interval *out)
{
    struct text text = {0};
    for (int32_t i = 0; i < ast->arg_count; i++) {
        struct bytes number = ast->args[i]->bytes;
        bool minus = ast->args[i]->flag, signed_already = number.size > 0 && number.data[0] == '-';
        if (minus && signed_already)
            number = bytes_of(number.data + 1, number.size - 1);
        text_printf(&text, "%s%.*s %s ", minus && !signed_already ? "-" : "", (int)number.size,
                    (const char *)number.data, ast->parts[i]);
    }
    bool read = text.size > 0 && calendar_interval_parse(text_view(&text), out);
    text_free(&text);
    return read;
}

/* Why a number with a unit is none, in the words of Spark's reader of texts like '1 day'. */
static const char *unit_condition(struct bytes number, const struct interval_unit *unit)
{
    number = bytes_trim(number);
    size_t at = number.size > 0 && (number.data[0] == '-' || number.data[0] == '+'), digits = 0, start;
    while (at < number.size && isspace(number.data[at]))
        at++;
    if (at == number.size || (!isdigit(number.data[at]) && number.data[at] != '.'))
        return "INVALID_INTERVAL_FORMAT.UNRECOGNIZED_NUMBER";
    for (start = at; at < number.size && isdigit(number.data[at]);)
        at++;
    digits = at - start;
    if (at < number.size && number.data[at] == '.') {
        for (start = ++at; at < number.size && isdigit(number.data[at]);)
            at++;
        if (at == number.size && unit->us != 1000000)
            return "INVALID_INTERVAL_FORMAT.INVALID_FRACTION";
    }
    return at == number.size && digits > 0 ? "INVALID_INTERVAL_FORMAT.ARITHMETIC_EXCEPTION"
                                           : "INVALID_INTERVAL_FORMAT.INVALID_VALUE";
}

/* More digits of a second than nanoseconds. */
static bool too_precise(struct bytes number)
{
    number = bytes_trim(number);
    const uint8_t *point = number.size > 0 ? memchr(number.data, '.', number.size) : NULL;
    return point != NULL && number.size - (size_t)(point - number.data) - 1 > FRACTION_DIGITS_MAX;
}

static bool has_letters(struct bytes text)
{
    for (size_t i = 0; i < text.size; i++)
        if (isalpha(text.data[i]))
            return true;
    return false;
}

enum code analyse_interval(struct analyser *self, const struct ast *ast, int64_t *months, int64_t *us)
{
    *months = *us = 0;
    struct calendar_interval calendar;
    const struct ast *first = ast->args[0];
    if (ast->part_count == 0)
        return interval_parse(first->bytes, first->flag, months, us) ? E_OK
                                                                     : bad_interval(self, ast, "INVALID_TYPED_LITERAL");
    if (ast->flag)
        return interval_range(self, ast, months, us);
    for (int32_t i = 0; i < ast->arg_count; i++) {
        const struct interval_unit *unit = unit_named(ast->parts[i]);
        if (unit == NULL)
            return bad_interval(self, ast, "INVALID_INTERVAL_FORMAT.INVALID_UNIT");
        if (has_letters(ast->args[i]->bytes))
            return bad_interval(self, ast, "_LEGACY_ERROR_TEMP_0026");
        if (too_precise(ast->args[i]->bytes))
            return bad_interval(self, ast, "INVALID_INTERVAL_FORMAT.INVALID_PRECISION");
        if (!interval_add(ast->args[i]->bytes, ast->args[i]->flag, unit, months, us))
            return bad_interval(self, ast,
                                literal_as_units(ast, &calendar) ? "INTERVAL_ARITHMETIC_OVERFLOW.WITHOUT_SUGGESTION"
                                                                 : unit_condition(ast->args[i]->bytes, unit));
    }
    return E_OK;
}

struct unit_range {
    enum interval_field from, to;
};

static void range_add(struct unit_range *range, struct bytes word)
{
    const struct interval_unit *unit = interval_unit_find(word);
    if (unit == NULL)
        return;
    enum interval_field field = unit_field(unit);
    range->from = field < range->from ? field : range->from;
    range->to = field > range->to ? field : range->to;
}

/* INTERVAL '1 day 2 hours': the units stand in the text. */
static void range_of_text(struct unit_range *range, struct bytes text)
{
    for (size_t at = 0; at < text.size;) {
        size_t start = at;
        while (at < text.size && isalpha(text.data[at]))
            at++;
        range_add(range, bytes_of(text.data + start, at - start));
        at += at == start;
    }
}

/* From the largest unit named to the smallest. */
static const struct type *interval_type(const struct ast *ast)
{
    struct unit_range range = {INTERVAL_SECOND, INTERVAL_YEAR};
    for (int32_t i = 0; i < ast->part_count; i++)
        range_add(&range, bytes_of_string(ast->parts[i]));
    if (ast->part_count == 0)
        range_of_text(&range, ast->args[0]->bytes);
    return type_interval(range.from, range.to);
}

static bool mixes_families(const struct ast *ast)
{
    bool months = false, days = false;
    for (int32_t i = 0; i < ast->part_count; i++) {
        const struct interval_unit *unit = unit_named(ast->parts[i]);
        months = months || (unit != NULL && unit->months != 0);
        days = days || (unit != NULL && unit->months == 0);
    }
    return months && days;
}

/* Spark's older literals: months, days and microseconds, whatever the units. */
static enum code calendar_literal(struct analyser *self, const struct ast *ast, const struct expr **out)
{
    struct calendar_interval value = {0};
    const struct ast *first = ast->args[0];
    int64_t months = 0, us = 0;
    bool read = true;
    if (ast->flag) {
        TRY(interval_range(self, ast, &months, &us));
        value = (struct calendar_interval){(int32_t)months, (int32_t)(us / INT64_C(86400000000)),
                                           us % INT64_C(86400000000)};
    } else {
        read = ast->part_count == 0 ? calendar_interval_parse(first->bytes, &value) : literal_as_units(ast, &value);
    }
    if (!read)
        return bad_interval(self, ast, "INVALID_TYPED_LITERAL");
    *out = expr_interval(&self->expr, &value, ast->at);
    return E_OK;
}

static enum code interval_literal(struct analyser *self, const struct ast *ast, const struct expr **out)
{
    int64_t months, us;
    if (self->expr.session->calendar_intervals)
        return calendar_literal(self, ast, out);
    TRY(analyse_interval(self, ast, &months, &us));
    if (mixes_families(ast) || (months != 0 && us != 0))
        return sql_error(self, ast->at, "write two intervals: + INTERVAL 1 MONTH + INTERVAL 1 DAY",
                         "[_LEGACY_ERROR_TEMP_0029] Cannot mix year-month and day-time fields in one interval.");
    const struct type *type = interval_type(ast);
    if (months > INT32_MAX || months < INT32_MIN)
        return bad_interval(self, ast, "INVALID_INTERVAL_FORMAT.ARITHMETIC_EXCEPTION");
    *out = expr_int(&self->expr, type, type->id == TYPE_INTERVAL_YM ? months : us, ast->at);
    return E_OK;
}

enum code analyse_literal(struct analyser *self, const struct ast *ast, const struct expr **out)
{
    switch (ast->kind) {
    case AST_NULL: *out = expr_null(&self->expr, type_of(TYPE_NULL), ast->at); return E_OK;
    case AST_BOOLEAN: *out = expr_boolean(&self->expr, ast->flag, ast->at); return E_OK;
    case AST_STRING: *out = expr_string(&self->expr, ast->bytes, ast->at); return E_OK;
    case AST_NUMBER: return number_literal(self, ast, out);
    case AST_INTERVAL: return interval_literal(self, ast, out);
    default: return typed_literal(self, ast, out);
    }
}

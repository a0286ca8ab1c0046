#include "expr/number_format.h"

#include <ctype.h>

enum { NUMBER_TOKENS_MAX = 200 };

enum token_kind {
    TOKEN_OPEN,  /* the < of PR */
    TOKEN_MINUS, /* MI */
    TOKEN_SIGN,  /* S */
    TOKEN_DOLLAR,
    TOKEN_DIGITS,  /* at most so many */
    TOKEN_EXACTLY, /* digits, no fewer */
    TOKEN_COMMA,
    TOKEN_POINT,
    TOKEN_CLOSE, /* the > of PR */
    TOKEN_UNKNOWN,
};
struct token {
    enum token_kind kind;
    int digits;
};
struct number_format {
    int count, precision, scale;
    struct token tokens[NUMBER_TOKENS_MAX];
};

int number_format_precision(const struct number_format *format) { return format->precision; }
int number_format_scale(const struct number_format *format) { return format->scale; }

static bool is_digits(const struct token *token) { return token->kind == TOKEN_DIGITS || token->kind == TOKEN_EXACTLY; }
static bool is_group(const struct token *token) { return is_digits(token) || token->kind == TOKEN_COMMA; }

/* ---- reading ---- */

/* 0 and 9 in one run: the first says whether digits may be missing. Behind the point they always may. */
static size_t read_digits(struct bytes text, size_t at, bool fraction, struct token *token)
{
    size_t start = at;
    token->kind = text.data[at] == '0' && !fraction ? TOKEN_EXACTLY : TOKEN_DIGITS;
    while (at < text.size && (text.data[at] == '0' || text.data[at] == '9'))
        at++;
    token->digits = (int)(at - start);
    return at;
}

static enum token_kind token_of(char c, char next)
{
    switch (c) {
    case '.':
    case 'D': return TOKEN_POINT;
    case ',':
    case 'G': return TOKEN_COMMA;
    case '$': return TOKEN_DOLLAR;
    case 'S': return TOKEN_SIGN;
    case 'M': return next == 'I' ? TOKEN_MINUS : TOKEN_UNKNOWN;
    case 'P': return next == 'R' ? TOKEN_CLOSE : TOKEN_UNKNOWN;
    default: return TOKEN_UNKNOWN;
    }
}

static char upper_at(struct bytes text, size_t at) { return at < text.size ? (char)toupper(text.data[at]) : '\0'; }

/* False when there are too many pieces. */
static bool read_tokens(struct bytes text, struct number_format *format)
{
    bool fraction = false;
    for (size_t at = 0; at < text.size;) {
        if (format->count + 1 >= NUMBER_TOKENS_MAX || text.size > NUMBER_TOKENS_MAX)
            return false;
        struct token *token = &format->tokens[format->count++];
        char c = upper_at(text, at);
        if (c == '0' || c == '9') {
            at = read_digits(text, at, fraction, token);
            format->precision += token->digits;
            format->scale += fraction ? token->digits : 0;
            continue;
        }
        token->kind = token_of(c, upper_at(text, at + 1));
        fraction = fraction || token->kind == TOKEN_POINT;
        at += token->kind == TOKEN_MINUS || token->kind == TOKEN_CLOSE ? 2 : 1;
        if (token->kind != TOKEN_CLOSE)
            continue;
        memmove(format->tokens + 1, format->tokens, (size_t)format->count * sizeof *token);
        format->tokens[0] = (struct token){.kind = TOKEN_OPEN};
        format->count++;
    }
    return true;
}

/* ---- checking: the first rule that is broken names the error ---- */

/* Index of the first such token, -1 when there is none; all pieces of digits and commas are one kind here. */
static int first_of(const struct number_format *format, enum token_kind kind)
{
    for (int i = 0; i < format->count; i++)
        if (format->tokens[i].kind == kind || (kind == TOKEN_DIGITS && is_group(&format->tokens[i])))
            return i;
    return -1;
}

/* Commas in front of the point stand between digits. */
static bool commas_between(const struct number_format *format, int point)
{
    int end = point < 0 ? format->count : point;
    for (int i = 0; i < end; i++)
        if (format->tokens[i].kind == TOKEN_COMMA &&
            (i == 0 || i + 1 == end || !is_digits(&format->tokens[i - 1]) || !is_digits(&format->tokens[i + 1])))
            return false;
    return true;
}

static bool commas_behind(const struct number_format *format, int point)
{
    for (int i = point + 1; point >= 0 && i < format->count; i++)
        if (format->tokens[i].kind == TOKEN_COMMA)
            return true;
    return false;
}

static bool twice(const struct number_format *format)
{
    static const enum token_kind once[] = {TOKEN_POINT, TOKEN_SIGN, TOKEN_MINUS, TOKEN_DOLLAR, TOKEN_CLOSE};
    for (size_t k = 0; k < sizeof once / sizeof once[0]; k++) {
        int seen = 0;
        for (int i = 0; i < format->count; i++)
            seen += format->tokens[i].kind == once[k];
        if (seen > 1)
            return true;
    }
    return false;
}

/* [<] [MI|S] [$] digits [.] digits [$] [MI|S|>] */
static bool in_order(const struct number_format *format)
{
    static const unsigned places[] = {1u << TOKEN_OPEN,   1u << TOKEN_MINUS | 1u << TOKEN_SIGN,
                                      1u << TOKEN_DOLLAR, 1u << TOKEN_DIGITS,
                                      1u << TOKEN_POINT,  1u << TOKEN_DIGITS,
                                      1u << TOKEN_DOLLAR, 1u << TOKEN_MINUS | 1u << TOKEN_SIGN | 1u << TOKEN_CLOSE};
    int at = 0;
    for (size_t place = 0; place < sizeof places / sizeof places[0] && at < format->count; place++) {
        bool digits = places[place] == 1u << TOKEN_DIGITS && is_group(&format->tokens[at]);
        if ((places[place] & 1u << format->tokens[at].kind) == 0 && !digits)
            continue;
        at++;
        while (digits && at < format->count && is_group(&format->tokens[at]))
            at++;
    }
    return at == format->count;
}

static const char *format_fault(const struct number_format *format)
{
    int dollar = first_of(format, TOKEN_DOLLAR), digits = first_of(format, TOKEN_DIGITS),
        point = first_of(format, TOKEN_POINT);
    return format->count == 0               ? "EMPTY"
           : digits < 0                     ? "WRONG_NUM_DIGIT"
           : digits < dollar                ? "CUR_MUST_BEFORE_DIGIT"
           : point >= 0 && point < dollar   ? "CUR_MUST_BEFORE_DEC"
           : !commas_between(format, point) ? "CONT_THOUSANDS_SEPS"
           : commas_behind(format, point)   ? "THOUSANDS_SEPS_MUST_BEFORE_DEC"
           : twice(format)                  ? "WRONG_NUM_TOKEN"
           : !in_order(format)              ? "UNEXPECTED_TOKEN"
                                            : NULL;
}

enum code number_format_compile(struct arena *arena, struct bytes text, const struct number_format **out,
                                struct error *err)
{
    struct number_format *format = arena_new(arena, struct number_format);
    const char *fault = read_tokens(text, format) ? format_fault(format) : "UNEXPECTED_TOKEN";
    if (fault != NULL)
        return fail(err, E_SQL, "[INVALID_FORMAT.%s] The format is invalid: '%.*s'.", fault,
                    (int)(text.size < NUMBER_TOKENS_MAX ? text.size : NUMBER_TOKENS_MAX), (const char *)text.data);
    if (format->precision > NUMBER_DIGITS_MAX)
        return fail(err, E_SQL,
                    "[DECIMAL_PRECISION_EXCEEDS_MAX_PRECISION] Decimal precision %d exceeds max precision 38.",
                    format->precision);
    *out = format;
    return E_OK;
}

/* ---- parsing ---- */

struct reading {
    struct bytes text;
    size_t at;
    int128 value;
    int fraction_digits, digits;
    bool behind_point, negative, opened, closed;
};

static bool take(struct reading *r, char c)
{
    if (r->at == r->text.size || (char)r->text.data[r->at] != c)
        return false;
    r->at++;
    return true;
}

/* Digits and commas, blanks stepped over. Sizes of the groups, the last one first; -1: more groups than the format has. */
static int take_groups(struct reading *r, int sizes[NUMBER_TOKENS_MAX], int most)
{
    int groups = 1;
    sizes[0] = 0;
    for (; r->at < r->text.size; r->at++) {
        uint8_t c = r->text.data[r->at];
        if (c == ',') {
            if (groups++ == most)
                return -1;
            memmove(sizes + 1, sizes, (size_t)(groups - 1) * sizeof sizes[0]);
            sizes[0] = 0;
        } else if (isdigit(c)) {
            if (r->digits++ == NUMBER_DIGITS_MAX)
                return -1;
            r->value = r->value * 10 + (c - '0');
            r->fraction_digits += r->behind_point;
            sizes[0]++;
        } else if (!isspace(c)) {
            break;
        }
    }
    return groups;
}

/* The pieces from..to are compared from the last on: leading ones may be missing. */
static bool parse_group(struct reading *r, const struct token *from, const struct token *to)
{
    int sizes[NUMBER_TOKENS_MAX], wanted = 0, k = 0;
    for (const struct token *token = from; token < to; token++)
        wanted += is_digits(token);
    int groups = take_groups(r, sizes, wanted);
    if (groups < 0)
        return false;
    for (const struct token *token = to - 1; token >= from; token--) {
        if (!is_digits(token))
            continue;
        int had = k < groups ? sizes[k] : 0;
        if (had > token->digits || (token->kind == TOKEN_EXACTLY && had != token->digits))
            return false;
        k++;
    }
    return true;
}

static bool parse_token(struct reading *r, const struct token *token)
{
    bool at_end = r->at == r->text.size;
    switch (token->kind) {
    case TOKEN_POINT: r->behind_point |= take(r, '.'); break;
    case TOKEN_DOLLAR: return take(r, '$') || at_end;
    case TOKEN_SIGN:
    case TOKEN_MINUS: {
        bool plus = token->kind == TOKEN_SIGN && take(r, '+');
        r->negative ^= !plus && take(r, '-');
        break;
    }
    case TOKEN_OPEN: r->opened = take(r, '<'); break;
    default: r->closed = take(r, '>'); r->negative ^= r->closed;
    }
    return true;
}

bool number_format_parse(const struct number_format *format, struct bytes text, int128 *value)
{
    struct reading r = {.text = text};
    const struct token *end = format->tokens + format->count;
    for (const struct token *token = format->tokens; token < end;) {
        const struct token *next = token + 1;
        if (is_group(token)) {
            while (next < end && is_group(next))
                next++;
            if (!parse_group(&r, token, next))
                return false;
        } else if (!parse_token(&r, token)) {
            return false;
        }
        token = next;
    }
    if (r.at < text.size || r.opened != r.closed || r.digits == 0 || r.fraction_digits > format->scale)
        return false;
    *value = (r.negative ? -r.value : r.value) * decimal_power10(format->scale - r.fraction_digits);
    return true;
}

/* ---- printing ---- */

struct printing {
    struct text *out;
    size_t start;
    char before[NUMBER_DIGITS_MAX], behind[NUMBER_DIGITS_MAX]; /* a character for each digit of the format */
    int before_at, behind_at;
    bool behind_point, negative;
};

static char last_of(const struct printing *p)
{
    return p->out->size > p->start ? p->out->data[p->out->size - 1] : '\0';
}

/* The value's digits over those of the format: blanks in front, zeros behind; # when they are too few. */
static void lay_digits(const struct number_format *format, int128 value, int scale, struct printing *p)
{
    char digits[2 * NUMBER_DIGITS_MAX];
    int before = format->precision - format->scale, count = 0;
    uint128 left = value < 0 ? -(uint128)value : (uint128)value;
    for (; left != 0 || count < scale; left /= 10)
        digits[count++] = (char)('0' + (int)(left % 10)); // the last one first
    int cut = 0;                                          // zeros at the end
    while (cut < scale && digits[cut] == '0')
        cut++;
    bool fits = count - scale <= before && scale - cut <= format->scale;
    for (int i = 0; i < before; i++) { // i places in front of the point
        bool there = scale + i < count;
        p->before[before - 1 - i] = !fits ? '#' : there ? digits[scale + i] : ' ';
    }
    for (int i = 0; i < format->scale; i++)
        p->behind[i] = !fits ? '#' : i < scale ? digits[scale - 1 - i] : '0';
}

/* A mark that stands before blanks moves behind them, and a sign at the end moves before them. */
static void put_blank(struct printing *p)
{
    text_add_char(p->out, ' ');
    for (size_t i = p->out->size - 1; i > p->start && strchr("+-<", p->out->data[i - 1]) != NULL; i--) {
        p->out->data[i] = p->out->data[i - 1];
        p->out->data[i - 1] = ' ';
    }
}
static void put_mark(struct printing *p, char mark)
{
    text_add_char(p->out, mark);
    for (size_t i = p->out->size - 1; i > p->start && p->out->data[i - 1] == ' '; i--) {
        p->out->data[i] = ' ';
        p->out->data[i - 1] = mark;
    }
}

/* A point without digits behind it is a blank. */
static void blank_lone_point(struct printing *p)
{
    char *from = p->out->data + p->start, *end = p->out->data + p->out->size;
    char *point = from < end ? memchr(from, '.', (size_t)(end - from)) : NULL;
    if (point != NULL && (point + 1 == end || point[1] == ' '))
        *point = ' ';
}

static void print_digits(struct printing *p, const struct token *token)
{
    for (int k = 0; k < token->digits; k++) {
        char c = p->behind_point ? p->behind[p->behind_at++] : p->before[p->before_at++];
        if (c == ' ' && token->kind != TOKEN_EXACTLY)
            put_blank(p);
        else
            text_add_char(p->out, c == ' ' ? '0' : c);
    }
}

static void print_token(struct printing *p, const struct token *token)
{
    if (token->kind == TOKEN_SIGN || token->kind == TOKEN_CLOSE || (token->kind == TOKEN_MINUS && p->negative))
        blank_lone_point(p);
    switch (token->kind) {
    case TOKEN_COMMA:
        if (isdigit((unsigned char)last_of(p)))
            text_add_char(p->out, ',');
        else
            put_blank(p);
        break;
    case TOKEN_POINT:
        if (last_of(p) == ' ')
            p->out->data[p->out->size - 1] = '0';
        text_add_char(p->out, '.');
        p->behind_point = true;
        break;
    case TOKEN_DOLLAR: text_add_char(p->out, '$'); break;
    case TOKEN_SIGN: put_mark(p, p->negative ? '-' : '+'); break;
    case TOKEN_MINUS: p->negative ? put_mark(p, '-') : text_add_char(p->out, ' '); break;
    case TOKEN_OPEN: text_add_string(p->out, p->negative ? "<" : ""); break;
    case TOKEN_CLOSE: p->negative ? put_mark(p, '>') : text_add_string(p->out, "  "); break;
    default: print_digits(p, token);
    }
}

void number_format_print(const struct number_format *format, int128 value, int scale, struct text *out)
{
    struct printing p = {.out = out, .start = out->size, .negative = value < 0};
    lay_digits(format, value, scale, &p);
    for (int i = 0; i < format->count; i++)
        print_token(&p, &format->tokens[i]);
    blank_lone_point(&p);
    size_t size = out->size - p.start;
    bool bare = size == 0 || (size == 1 && strchr("+-", out->data[p.start]) != NULL);
    if (!bare)
        return;
    out->size = p.start;
    text_add_char(out, '0');
}

#include "format/variant_json.h"

#include "base/text_number.h"
#include "data/data.h"
#include "format/json_skip.h"
#include "format/json_text.h"

struct walk {
    const uint8_t *end;
    bool single_quotes;
    struct variant_builder *out;
    struct text text; /* a string with its escapes undone */
    enum variant_fault fault;
};

/* Each takes the first byte of a value and returns the first behind it, NULL with `fault` set. */
static const uint8_t *put_value(struct walk *walk, const uint8_t *p, int depth);

static const uint8_t *stop(struct walk *walk, enum variant_fault fault)
{
    walk->fault = fault;
    return NULL;
}

static bool is_quote(const struct walk *walk, const uint8_t *p)
{
    return p < walk->end && (*p == '"' || (walk->single_quotes && *p == '\''));
}

static const uint8_t *put_string(struct walk *walk, const uint8_t *p)
{
    text_clear(&walk->text);
    const uint8_t *behind = json_text_string(p + 1, walk->end, *p, &walk->text);
    if (behind == NULL)
        return stop(walk, VARIANT_NO_JSON);
    variant_put_string(walk->out, text_view(&walk->text));
    return behind;
}

/* The next item of a list, or *last behind its end. */
static const uint8_t *next_item(struct walk *walk, const uint8_t *p, uint8_t close, bool first, bool *last)
{
    p = json_blanks(p, walk->end);
    *last = p < walk->end && *p == close;
    if (*last)
        return p + 1;
    if (!first)
        p = p < walk->end && *p == ',' ? json_blanks(p + 1, walk->end) : NULL;
    return p == NULL ? stop(walk, VARIANT_NO_JSON) : p;
}

static const uint8_t *put_object(struct walk *walk, const uint8_t *p, int depth)
{
    struct variant_mark mark = variant_open_list(walk->out);
    bool last;
    for (bool first = true;; first = false) {
        p = next_item(walk, p, '}', first, &last);
        if (p == NULL || last)
            break;
        const uint8_t *name = p;
        p = is_quote(walk, p) ? json_skip_name(p, walk->end) : NULL;
        if (p == NULL)
            return stop(walk, VARIANT_NO_JSON);
        text_clear(&walk->text);
        json_text_string(name + 1, walk->end, *name, &walk->text);
        variant_field(walk->out, text_view(&walk->text));
        p = put_value(walk, json_blanks(p, walk->end), depth);
        if (p == NULL)
            return NULL;
    }
    return p == NULL || variant_close_object(walk->out, mark) ? p : stop(walk, VARIANT_SAME_NAME);
}

static const uint8_t *put_array(struct walk *walk, const uint8_t *p, int depth)
{
    struct variant_mark mark = variant_open_list(walk->out);
    bool last;
    for (bool first = true;; first = false) {
        p = next_item(walk, p, ']', first, &last);
        if (p == NULL || last)
            break;
        variant_item(walk->out);
        p = put_value(walk, p, depth);
        if (p == NULL)
            return NULL;
    }
    if (p != NULL)
        variant_close_array(walk->out, mark);
    return p;
}

/* Digits and a point, at most 38 of them: exactly that number. */
static bool put_decimal(struct walk *walk, const uint8_t *p, const uint8_t *behind)
{
    __int128 unscaled;
    int scale = 0, digits = 0;
    bool point = false;
    for (const uint8_t *c = p; c < behind; c++) {
        if ((*c | 0x20) == 'e')
            return false;
        point = point || *c == '.';
        digits += json_is_digit(*c);
        scale += point && *c != '.';
    }
    if (digits > 38 || scale > 38 || !decimal_parse(bytes_of(p, (size_t)(behind - p)), 38, scale, &unscaled))
        return false;
    variant_put_decimal(walk->out, unscaled, scale);
    return true;
}

static const uint8_t *put_number(struct walk *walk, const uint8_t *p)
{
    enum json_number kind;
    const uint8_t *behind = json_skip_number(p, walk->end, &kind);
    int64_t integer;
    double number;
    bool overflow = false;
    if (behind == NULL || kind > JSON_FRACTION)
        return stop(walk, VARIANT_NO_JSON);
    const char *text = (const char *)p, *end = (const char *)behind;
    if (kind == JSON_INTEGER && parse_int64(text, end, &integer, &overflow) == end && !overflow)
        variant_put_integer(walk->out, integer);
    else if (!put_decimal(walk, p, behind)) {
        if (parse_double(text, end, &number) != end)
            return stop(walk, VARIANT_NO_JSON);
        variant_put_double(walk->out, number);
    }
    return behind;
}

static const uint8_t *put_word(struct walk *walk, const uint8_t *p, int depth)
{
    const uint8_t *behind = json_skip(p, walk->end, depth);
    if (behind == NULL)
        return stop(walk, VARIANT_NO_JSON);
    if (*p == 'n')
        variant_put_null(walk->out);
    else
        variant_put_boolean(walk->out, *p == 't');
    return behind;
}

static const uint8_t *put_value(struct walk *walk, const uint8_t *p, int depth)
{
    if (p >= walk->end)
        return stop(walk, VARIANT_NO_JSON);
    if (depth >= VARIANT_DEPTH_MAX)
        return stop(walk, VARIANT_TOO_BIG);
    if (is_quote(walk, p))
        return put_string(walk, p);
    switch (*p) {
    case '{': return put_object(walk, p + 1, depth + 1);
    case '[': return put_array(walk, p + 1, depth + 1);
    case 't':
    case 'f':
    case 'n': return put_word(walk, p, depth);
    default: return put_number(walk, p);
    }
}

enum variant_fault variant_from_json(struct bytes json, bool single_quotes, struct variant_builder *out)
{
    struct walk walk = {.end = json.data + json.size, .single_quotes = single_quotes, .out = out};
    const uint8_t *p = put_value(&walk, json_blanks(json.data, walk.end), 0);
    text_free(&walk.text);
    if (p == NULL)
        return walk.fault;
    return out->overflow || out->value.overflow || out->names.overflow ? VARIANT_TOO_BIG : VARIANT_FINE;
}

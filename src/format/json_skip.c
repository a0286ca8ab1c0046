#include "format/json_skip.h"

const uint8_t *json_skip_string(const uint8_t *p, const uint8_t *end, uint8_t quote, bool *plain)
{
    *plain = true;
    for (; p < end && *p != quote; p++) {
        if (*p < 0x20)
            return NULL;
        if (*p >= 0x80)
            *plain = false;
        if (*p != '\\')
            continue;
        *plain = false;
        p++;
        if (p == end)
            return NULL;
        if (*p == 'u') {
            for (int i = 0; i < 4; i++) {
                p++;
                if (p == end || !(json_is_digit(*p) || ((*p | 0x20) >= 'a' && (*p | 0x20) <= 'f')))
                    return NULL;
            }
        } else if (*p == 0 || strchr("\"\\/bfnrt'", *p) == NULL) {
            return NULL;
        }
    }
    return p == end ? NULL : p + 1;
}

/* The words that stand for numbers, with the sign in front that each may have. */
static const uint8_t *skip_number_word(const uint8_t *p, const uint8_t *end, enum json_number *kind)
{
    static const struct {
        const char *word;
        enum json_number kind;
    } words[] = {
        {"NaN", JSON_NAN},       {"Infinity", JSON_INFINITY},           {"+Infinity", JSON_INFINITY},
        {"+INF", JSON_INFINITY}, {"-Infinity", JSON_NEGATIVE_INFINITY}, {"-INF", JSON_NEGATIVE_INFINITY},
    };
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        size_t size = strlen(words[i].word);
        if ((size_t)(end - p) >= size && memcmp(p, words[i].word, size) == 0) {
            *kind = words[i].kind;
            return p + size;
        }
    }
    return NULL;
}

static const uint8_t *skip_digits(const uint8_t *p, const uint8_t *end)
{
    while (p < end && json_is_digit(*p))
        p++;
    return p;
}

const uint8_t *json_skip_number(const uint8_t *p, const uint8_t *end, enum json_number *kind)
{
    const uint8_t *first = p + (p < end && *p == '-'), *last = skip_digits(first, end);
    int64_t digits = last - first;
    if (digits == 0)
        return skip_number_word(p, end, kind);
    if (*first == '0' && digits > 1)
        return NULL;
    *kind = JSON_INTEGER;
    if (last < end && *last == '.') {
        first = last + 1;
        last = skip_digits(first, end);
        if (last == first)
            return NULL;
        digits += last - first;
        *kind = JSON_FRACTION;
    }
    if (last < end && (*last == 'e' || *last == 'E')) {
        first = last + 1;
        first += first < end && (*first == '+' || *first == '-');
        last = skip_digits(first, end);
        if (last == first)
            return NULL;
        digits += last - first;
        *kind = JSON_FRACTION;
    }
    return digits > JSON_NUMBER_DIGITS_MAX ? NULL : last;
}

static bool name_too_long(const uint8_t *p, const uint8_t *last)
{
    if (last - p <= JSON_NAME_MAX)
        return false;
    int64_t units = 0;
    for (; p < last; p++)
        units += (*p & 0xc0) != 0x80; // near enough: one for each character
    return units > JSON_NAME_MAX;
}

const uint8_t *json_skip_name(const uint8_t *p, const uint8_t *end)
{
    bool plain;
    if (p >= end || (*p != '"' && *p != '\''))
        return NULL;
    const uint8_t *last = json_skip_string(p + 1, end, *p, &plain);
    if (last == NULL || name_too_long(p + 1, last - 1))
        return NULL;
    last = json_blanks(last, end);
    return last < end && *last == ':' ? last + 1 : NULL;
}

static const uint8_t *skip_word(const uint8_t *p, const uint8_t *end, const char *word, size_t size)
{
    return (size_t)(end - p) >= size && memcmp(p, word, size) == 0 ? p + size : NULL;
}

/* Anything but an object or an array. */
static const uint8_t *skip_scalar(const uint8_t *p, const uint8_t *end)
{
    bool plain;
    enum json_number kind;
    switch (*p) {
    case '"':
    case '\'': return json_skip_string(p + 1, end, *p, &plain);
    case 't': return skip_word(p, end, "true", 4);
    case 'f': return skip_word(p, end, "false", 5);
    case 'n': return skip_word(p, end, "null", 4);
    default: return json_skip_number(p, end, &kind);
    }
}

const uint8_t *json_skip(const uint8_t *p, const uint8_t *end, int depth)
{
    uint64_t objects[JSON_DEPTH_MAX / 64 + 1]; // a bit a level: object or array
    int level = 0;
    for (;;) {
        p = json_blanks(p, end);
        if (p == end)
            return NULL;
        if (*p == '{' || *p == '[') {
            uint64_t object = *p == '{';
            level++;
            if (level + depth > JSON_DEPTH_MAX)
                return NULL;
            objects[level / 64] = (objects[level / 64] & ~((uint64_t)1 << level % 64)) | object << level % 64;
            p = json_blanks(p + 1, end);
            if (p == end || *p != (object ? '}' : ']')) {
                if (object && (p = json_skip_name(p, end)) == NULL)
                    return NULL;
                continue;
            }
            p++;
            level--;
        } else if ((p = skip_scalar(p, end)) == NULL) {
            return NULL;
        }
        /* Behind a value: close what ends here, then the next element or name. */
        for (; level > 0; level--, p++) {
            bool object = objects[level / 64] >> level % 64 & 1;
            p = json_blanks(p, end);
            if (p == end)
                return NULL;
            if (*p == ',') {
                p++;
                if (object && (p = json_skip_name(json_blanks(p, end), end)) == NULL)
                    return NULL;
                break;
            }
            if (*p != (object ? '}' : ']'))
                return NULL;
        }
        if (level == 0)
            return p;
    }
}

#include "format/json_text.h"

#include "base/text_number.h"
#include "format/json_skip.h"

/* ---- UTF-8 ---- */

static bool is_tail(uint8_t c) { return (c & 0xc0) == 0x80; }

/* Bytes of the character at p; 0 when it is broken. */
static int utf8_size(const uint8_t *p, size_t left)
{
    uint8_t a = p[0], b = left > 1 ? p[1] : 0;
    if (a < 0x80)
        return 1;
    if (a < 0xc2 || a > 0xf4 || !is_tail(b))
        return 0;
    if (a < 0xe0)
        return 2;
    if (left < 3 || !is_tail(p[2]) || (a == 0xe0 && b < 0xa0) || (a == 0xed && b >= 0xa0))
        return 0;
    if (a < 0xf0)
        return 3;
    return left < 4 || !is_tail(p[3]) || (a == 0xf0 && b < 0x90) || (a == 0xf4 && b >= 0x90) ? 0 : 4;
}

/* Bytes that Java's decoder replaces by one U+FFFD at the broken character p (sun.nio.cs.UTF_8,
 * malformedN). */
static size_t utf8_broken_size(const uint8_t *p, size_t left)
{
    uint8_t a = p[0], b = left > 1 ? p[1] : 0, c = left > 2 ? p[2] : 0;
    if (a < 0xe0 || a > 0xf4 || !is_tail(b))
        return 1;
    if (a < 0xf0) {
        if (a == 0xe0 && b < 0xa0)
            return 1;
        return is_tail(c) ? 3 : 2; // three: a surrogate
    }
    if ((a == 0xf0 && b < 0x90) || (a == 0xf4 && b >= 0x90))
        return 1;
    return is_tail(c) ? 3 : 2;
}

bool utf8_valid(const uint8_t *p, size_t size)
{
    const uint64_t highs = 0x8080808080808080;
    for (size_t i = 0; i < size;) {
        while (i + 32 <= size &&
               ((json_word(p + i) | json_word(p + i + 8) | json_word(p + i + 16) | json_word(p + i + 24)) & highs) == 0)
            i += 32;
        if (i + 8 <= size && (json_word(p + i) & highs) == 0) {
            i += 8;
            continue;
        }
        if (i == size)
            break;
        int step = utf8_size(p + i, size - i);
        if (step == 0)
            return false;
        i += (size_t)step;
    }
    return true;
}

static void add_codepoint(struct text *out, uint32_t c)
{
    char bytes[4];
    if (c < 0x80) {
        text_add_char(out, (char)c);
    } else if (c < 0x800) {
        bytes[0] = (char)(0xc0 | c >> 6);
        bytes[1] = (char)(0x80 | (c & 0x3f));
        text_add(out, bytes, 2);
    } else if (c < 0x10000) {
        bytes[0] = (char)(0xe0 | c >> 12);
        bytes[1] = (char)(0x80 | (c >> 6 & 0x3f));
        bytes[2] = (char)(0x80 | (c & 0x3f));
        text_add(out, bytes, 3);
    } else {
        bytes[0] = (char)(0xf0 | c >> 18);
        bytes[1] = (char)(0x80 | (c >> 12 & 0x3f));
        bytes[2] = (char)(0x80 | (c >> 6 & 0x3f));
        bytes[3] = (char)(0x80 | (c & 0x3f));
        text_add(out, bytes, 4);
    }
}

static void add_repaired(struct text *out, const uint8_t *p, size_t size)
{
    while (size > 0) {
        size_t good = 0;
        while (good < size) {
            int step = utf8_size(p + good, size - good);
            if (step == 0)
                break;
            good += (size_t)step;
        }
        text_add(out, p, good);
        p += good, size -= good;
        if (size > 0) {
            size_t broken = utf8_broken_size(p, size);
            broken = broken < size ? broken : size;
            add_codepoint(out, 0xfffd);
            p += broken, size -= broken;
        }
    }
}

void json_text_repair(struct bytes bytes, struct text *out) { add_repaired(out, bytes.data, bytes.size); }

/* ---- strings ---- */

static uint32_t hex4(const uint8_t *p)
{
    uint32_t value = 0;
    for (int i = 0; i < 4; i++)
        value = value << 4 | (uint32_t)(json_is_digit(p[i]) ? p[i] - '0' : (p[i] | 0x20) - 'a' + 10);
    return value;
}

static bool is_high_surrogate(uint32_t c) { return c >= 0xd800 && c < 0xdc00; }
static bool is_low_surrogate(uint32_t c) { return c >= 0xdc00 && c < 0xe000; }

/* p is at a backslash of a checked string. Lone surrogates go out in three bytes, for the caller to
 * see. */
static const uint8_t *add_escape(const uint8_t *p, const uint8_t *last, struct text *out)
{
    static const char from[] = "bfnrt", to[] = "\b\f\n\r\t";
    if (p[1] != 'u') {
        const char *simple = strchr(from, p[1]);
        text_add_char(out, simple != NULL ? to[simple - from] : (char)p[1]);
        return p + 2;
    }
    uint32_t c = hex4(p + 2);
    p += 6;
    if (is_high_surrogate(c) && last - p >= 6 && p[0] == '\\' && p[1] == 'u' && is_low_surrogate(hex4(p + 2))) {
        c = 0x10000 + ((c - 0xd800) << 10) + (hex4(p + 2) - 0xdc00);
        p += 6;
    }
    add_codepoint(out, c);
    return p;
}

/* The string's text, in which only surrogates may still be wrong. */
static const uint8_t *add_string(const uint8_t *p, const uint8_t *end, uint8_t quote, struct text *out)
{
    bool plain;
    const uint8_t *behind = json_skip_string(p, end, quote, &plain);
    if (behind == NULL)
        return NULL;
    const uint8_t *last = behind - 1;
    if (plain) {
        text_add(out, p, (size_t)(last - p));
        return behind;
    }
    while (p < last) {
        const uint8_t *slash = memchr(p, '\\', (size_t)(last - p));
        add_repaired(out, p, (size_t)((slash == NULL ? last : slash) - p));
        p = slash == NULL ? last : add_escape(slash, last, out);
    }
    return behind;
}

/* A surrogate that add_escape left. */
static bool is_surrogate_at(const uint8_t *p, size_t left) { return left >= 3 && p[0] == 0xed && p[1] >= 0xa0; }

const uint8_t *json_text_string(const uint8_t *p, const uint8_t *end, uint8_t quote, struct text *out)
{
    size_t first = out->size;
    p = add_string(p, end, quote, out);
    if (p == NULL || out->overflow)
        return p;
    uint8_t *text = (uint8_t *)out->data;
    size_t to = first;
    for (size_t from = first; from < out->size; to++) {
        bool lone = is_surrogate_at(text + from, out->size - from);
        text[to] = lone ? '?' : text[from];
        from += lone ? 3 : 1;
    }
    if (to < out->size) {
        out->size = to;
        out->data[to] = 0;
    }
    return p;
}

static void add_unit_escape(struct text *out, uint32_t unit)
{
    static const char hex[] = "0123456789ABCDEF";
    char escape[6] = {'\\', 'u', hex[unit >> 12], hex[unit >> 8 & 15], hex[unit >> 4 & 15], hex[unit & 15]};
    text_add(out, escape, sizeof escape);
}

/* What the byte needs: 0 nothing, 1 an escape with \, 2 \u00XX, 3 the start of a wide character, 4
 * maybe a surrogate. */
static int escape_kind(uint8_t c)
{
    if (c == '"' || c == '\\')
        return 1;
    if (c < 0x20)
        return strchr("\b\f\n\r\t", c) != NULL && c != 0 ? 1 : 2;
    return c >= 0xf0 ? 3 : c == 0xed ? 4 : 0;
}

/* ASCII without quote, backslash and control characters. A byte may be taken for one of these,
 * never the other way. */
static bool word_is_plain(uint64_t word)
{
    const uint64_t ones = 0x0101010101010101, highs = ones * 0x80;
    uint64_t quote = word ^ ones * '"', slash = word ^ ones * '\\';
    return ((word | (word - ones * 0x20) | (quote - ones) | (slash - ones)) & highs) == 0;
}

static size_t add_escaped(struct bytes string, size_t at, int kind, struct text *out)
{
    const uint8_t *p = string.data + at;
    size_t left = string.size - at;
    if (kind == 1) {
        static const char from[] = "\b\f\n\r\t", to[] = "bfnrt";
        const char *simple = strchr(from, *p);
        text_add_char(out, '\\');
        text_add_char(out, simple != NULL ? to[simple - from] : (char)*p);
        return 1;
    }
    if (kind == 2) {
        add_unit_escape(out, *p);
        return 1;
    }
    if (kind == 3 && left >= 4) {
        uint32_t c =
            (uint32_t)(p[0] & 7) << 18 | (uint32_t)(p[1] & 63) << 12 | (uint32_t)(p[2] & 63) << 6 | (p[3] & 63);
        add_unit_escape(out, 0xd800 + ((c - 0x10000) >> 10));
        add_unit_escape(out, 0xdc00 + ((c - 0x10000) & 0x3ff));
        return 4;
    }
    if (kind == 4 && is_surrogate_at(p, left)) {
        add_unit_escape(out, 0xd000 | (uint32_t)(p[1] & 63) << 6 | (p[2] & 63));
        return 3;
    }
    text_add_char(out, (char)*p);
    return 1;
}

void json_text_quote(struct bytes string, bool wide_escapes, struct text *out)
{
    text_add_char(out, '"');
    size_t clean = 0, i = 0;
    while (i < string.size) {
        if (i + 8 <= string.size && word_is_plain(json_word(string.data + i))) {
            i += 8;
            continue;
        }
        int kind = escape_kind(string.data[i]);
        if (kind == 0 || (kind >= 3 && !wide_escapes)) {
            i++;
            continue;
        }
        text_add(out, string.data + clean, i - clean);
        i += add_escaped(string, i, kind, out);
        clean = i;
    }
    text_add(out, string.data + clean, string.size - clean);
    text_add_char(out, '"');
}

/* ---- values ---- */

static const uint8_t *add_number(const uint8_t *p, const uint8_t *end, struct text *out)
{
    enum json_number kind;
    const uint8_t *behind = json_skip_number(p, end, &kind);
    if (behind == NULL)
        return NULL;
    double value;
    char text[DOUBLE_TEXT_MAX];
    if (kind == JSON_NAN) {
        text_add_string(out, "\"NaN\"");
    } else if (kind == JSON_INTEGER) {
        bool minus_zero = behind - p == 2 && p[0] == '-' && p[1] == '0';
        text_add(out, p + minus_zero, (size_t)(behind - p) - minus_zero);
    } else {
        value = kind == JSON_INFINITY ? __builtin_inf() : -__builtin_inf();
        if (kind == JSON_FRACTION && parse_double((const char *)p, (const char *)behind, &value) == NULL)
            return NULL;
        size_t size = print_double(value, text);
        bool infinite = __builtin_isinf(value);
        if (infinite)
            text_add_char(out, '"');
        text_add(out, text, size);
        if (infinite)
            text_add_char(out, '"');
    }
    return behind;
}

static const uint8_t *add_quoted(const uint8_t *p, const uint8_t *end, struct text *out)
{
    struct text string = {.limit = out->limit};
    const uint8_t *behind = add_string(p + 1, end, *p, &string);
    if (behind != NULL)
        json_text_quote(text_view(&string), true, out);
    out->overflow |= string.overflow;
    text_free(&string);
    return behind;
}

/* p is at an object or array that json_skip has checked, so only its separators tell what is what.
 * */
static const uint8_t *add_container(const uint8_t *p, const uint8_t *end, struct text *out)
{
    int level = 0;
    do {
        p = json_blanks(p, end);
        uint8_t c = *p;
        if (c == '"' || c == '\'') {
            p = add_quoted(p, end, out);
        } else if (c == '{' || c == '[' || c == '}' || c == ']' || c == ',' || c == ':') {
            level += (c == '{' || c == '[') - (c == '}' || c == ']');
            text_add_char(out, (char)c);
            p++;
        } else if (c == 't' || c == 'f' || c == 'n') {
            size_t size = c == 'f' ? 5 : 4;
            text_add(out, p, size);
            p += size;
        } else {
            p = add_number(p, end, out);
        }
    } while (p != NULL && level > 0);
    return p;
}

const uint8_t *json_text_value(const uint8_t *p, const uint8_t *end, int depth, struct text *out)
{
    if (*p == '"' || *p == '\'')
        return json_text_string(p + 1, end, *p, out);
    const uint8_t *behind = json_skip(p, end, depth);
    if (behind == NULL)
        return NULL;
    if (*p == '{' || *p == '[')
        return add_container(p, end, out);
    if (*p == 't' || *p == 'f' || *p == 'n') {
        text_add(out, p, (size_t)(behind - p));
        return behind;
    }
    return add_number(p, end, out);
}

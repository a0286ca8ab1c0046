#include "data/variant.h"

#include "base/text_number.h"
#include "data/decimal.h"
#include "data/timestamp.h"

#include <inttypes.h>
#include <math.h>

/* Numbers of VariantEncoding.md. */
enum { BASIC_PRIMITIVE, BASIC_SHORT_STRING, BASIC_OBJECT, BASIC_ARRAY };
enum {
    STORED_NULL,
    STORED_TRUE,
    STORED_FALSE,
    STORED_INT8,
    STORED_INT16,
    STORED_INT32,
    STORED_INT64,
    STORED_DOUBLE,
    STORED_DECIMAL4,
    STORED_DECIMAL8,
    STORED_DECIMAL16,
    STORED_DATE,
    STORED_TIMESTAMP,
    STORED_TIMESTAMP_NTZ,
    STORED_FLOAT,
    STORED_BINARY,
    STORED_STRING,
    STORED_TIME,
    STORED_TIMESTAMP_NANOS,
    STORED_TIMESTAMP_NTZ_NANOS,
    STORED_UUID,
    STORED_COUNT
};

/* Little endian, 1 to 4 bytes. */
static uint32_t unsigned_at(const uint8_t *p, size_t width)
{
    uint32_t value = 0;
    for (size_t i = 0; i < width; i++)
        value |= (uint32_t)p[i] << (8 * i);
    return value;
}

/* Little endian, 1 to 16 bytes, with its sign. */
static __int128 signed_at(const uint8_t *p, size_t width)
{
    unsigned __int128 value = 0;
    for (size_t i = 0; i < width; i++)
        value |= (unsigned __int128)p[i] << (8 * i);
    size_t unused = 128 - 8 * width;
    return (__int128)(value << unused) >> unused;
}

/* The first `size` bytes of `in` go to `out`. */
static bool take(struct bytes *in, uint64_t size, struct bytes *out)
{
    if (size > in->size)
        return false;
    *out = bytes_of(in->data, (size_t)size);
    *in = bytes_of(in->data + size, in->size - (size_t)size);
    return true;
}

/* ---- metadata: header, count, count + 1 offsets, names ---- */

struct dictionary {
    struct bytes offsets, names;
    uint32_t count;
    uint8_t width;
};

/* `rest`: what stands behind it. */
static bool dictionary_open(struct bytes in, struct dictionary *out, struct bytes *rest)
{
    struct bytes head, count;
    if (!take(&in, 1, &head) || (head.data[0] & 0x0f) != VARIANT_METADATA_VERSION)
        return false;
    out->width = (uint8_t)((head.data[0] >> 6) + 1);
    if (!take(&in, out->width, &count))
        return false;
    out->count = unsigned_at(count.data, out->width);
    if (!take(&in, ((uint64_t)out->count + 1) * out->width, &out->offsets))
        return false;
    *rest = in;
    return take(rest, unsigned_at(out->offsets.data + (size_t)out->count * out->width, out->width), &out->names);
}

bool variant_split(struct bytes whole, struct bytes *metadata, struct bytes *value)
{
    struct dictionary dictionary;
    struct bytes rest;
    if (!dictionary_open(whole, &dictionary, &rest))
        return false;
    *metadata = bytes_of(whole.data, whole.size - rest.size);
    *value = rest;
    return true;
}

static bool dictionary_name(struct bytes metadata, uint32_t id, struct bytes *out)
{
    struct dictionary dictionary;
    struct bytes rest;
    if (!dictionary_open(metadata, &dictionary, &rest) || id >= dictionary.count)
        return false;
    const uint8_t *at = dictionary.offsets.data + (size_t)id * dictionary.width;
    uint32_t from = unsigned_at(at, dictionary.width), to = unsigned_at(at + dictionary.width, dictionary.width);
    if (from > to || to > dictionary.names.size)
        return false;
    *out = bytes_of(dictionary.names.data + from, to - from);
    return true;
}

/* ---- one value ---- */

static bool open_text(struct variant *out, enum variant_kind kind, struct bytes in)
{
    struct bytes size;
    out->kind = kind;
    return take(&in, 4, &size) && take(&in, unsigned_at(size.data, 4), &out->bytes);
}

static bool open_whole(struct variant *out, enum variant_kind kind, struct bytes in, uint8_t width)
{
    struct bytes digits;
    out->kind = kind;
    out->width = width;
    if (!take(&in, width, &digits))
        return false;
    out->integer = (int64_t)signed_at(digits.data, width);
    return true;
}

static bool open_decimal(struct variant *out, struct bytes in, uint8_t width)
{
    enum { SCALE_MAX = 38 };
    struct bytes scale, digits;
    if (!take(&in, 1, &scale) || !take(&in, width, &digits) || scale.data[0] > SCALE_MAX)
        return false;
    out->kind = VARIANT_DECIMAL;
    out->width = width;
    out->scale = scale.data[0];
    out->unscaled = signed_at(digits.data, width);
    for (; out->scale > 0 && out->unscaled % 10 == 0; out->scale--) // Spark shows 1.10 as 1.1
        out->unscaled /= 10;
    return true;
}

static bool open_float(struct variant *out, struct bytes in, bool wide)
{
    struct bytes bits;
    float narrow;
    out->kind = wide ? VARIANT_DOUBLE : VARIANT_FLOAT;
    if (!take(&in, wide ? sizeof out->number : sizeof narrow, &bits))
        return false;
    if (wide) {
        memcpy(&out->number, bits.data, sizeof out->number);
    } else {
        memcpy(&narrow, bits.data, sizeof narrow);
        out->number = (double)narrow;
    }
    return true;
}

static bool open_nanos(struct variant *out, enum variant_kind kind, struct bytes in)
{
    if (!open_whole(out, kind, in, 8))
        return false;
    out->integer = out->integer / 1000 - (out->integer % 1000 < 0); // microseconds are what leat has
    return true;
}

static bool open_primitive(struct variant *out, uint8_t stored, struct bytes in)
{
    switch (stored) {
    case STORED_NULL: out->kind = VARIANT_NULL; return true;
    case STORED_TRUE:
    case STORED_FALSE:
        out->kind = VARIANT_BOOLEAN;
        out->integer = stored == STORED_TRUE;
        return true;
    case STORED_INT8: return open_whole(out, VARIANT_INTEGER, in, 1);
    case STORED_INT16: return open_whole(out, VARIANT_INTEGER, in, 2);
    case STORED_INT32: return open_whole(out, VARIANT_INTEGER, in, 4);
    case STORED_INT64: return open_whole(out, VARIANT_INTEGER, in, 8);
    case STORED_DOUBLE: return open_float(out, in, true);
    case STORED_FLOAT: return open_float(out, in, false);
    case STORED_DECIMAL4: return open_decimal(out, in, 4);
    case STORED_DECIMAL8: return open_decimal(out, in, 8);
    case STORED_DECIMAL16: return open_decimal(out, in, 16);
    case STORED_DATE: return open_whole(out, VARIANT_DATE, in, 4);
    case STORED_TIMESTAMP: return open_whole(out, VARIANT_TIMESTAMP, in, 8);
    case STORED_TIMESTAMP_NTZ: return open_whole(out, VARIANT_TIMESTAMP_NTZ, in, 8);
    case STORED_TIME: return open_whole(out, VARIANT_TIME, in, 8);
    case STORED_TIMESTAMP_NANOS: return open_nanos(out, VARIANT_TIMESTAMP, in);
    case STORED_TIMESTAMP_NTZ_NANOS: return open_nanos(out, VARIANT_TIMESTAMP_NTZ, in);
    case STORED_BINARY: return open_text(out, VARIANT_BINARY, in);
    case STORED_STRING: return open_text(out, VARIANT_STRING, in);
    case STORED_UUID: out->kind = VARIANT_UUID; return take(&in, 16, &out->bytes);
    default: return false;
    }
}

/* header: bits 0, 1 width of offsets; an object's 2, 3 width of ids; then whether the count has 4 bytes */
static bool open_nested(struct variant *out, uint8_t header, bool object, struct bytes in)
{
    struct bytes count;
    size_t count_width = (header >> (object ? 4 : 2) & 1) != 0 ? 4 : 1;
    out->kind = object ? VARIANT_OBJECT : VARIANT_ARRAY;
    out->offset_width = (uint8_t)((header & 3) + 1);
    out->id_width = object ? (uint8_t)((header >> 2 & 3) + 1) : 0;
    if (!take(&in, count_width, &count))
        return false;
    uint64_t parts = unsigned_at(count.data, count_width);
    if (parts >= INT32_MAX || !take(&in, parts * out->id_width, &out->ids) ||
        !take(&in, (parts + 1) * out->offset_width, &out->offsets))
        return false;
    out->count = (int32_t)parts;
    return take(&in, unsigned_at(out->offsets.data + parts * out->offset_width, out->offset_width), &out->items);
}

bool variant_open(struct bytes metadata, struct bytes value, struct variant *out)
{
    struct bytes in = value, head;
    *out = (struct variant){.metadata = metadata, .value = value};
    if (!take(&in, 1, &head))
        return false;
    uint8_t header = head.data[0] >> 2;
    switch (head.data[0] & 3) {
    case BASIC_PRIMITIVE: return open_primitive(out, header, in);
    case BASIC_SHORT_STRING: out->kind = VARIANT_STRING; return take(&in, header, &out->bytes);
    case BASIC_OBJECT: return open_nested(out, header, true, in);
    default: return open_nested(out, header, false, in);
    }
}

bool variant_open_whole(struct bytes whole, struct variant *out)
{
    struct bytes metadata, value;
    return variant_split(whole, &metadata, &value) && variant_open(metadata, value, out);
}

bool variant_element(const struct variant *self, int32_t index, struct variant *out)
{
    uint32_t from = unsigned_at(self->offsets.data + (size_t)index * self->offset_width, self->offset_width);
    if (from >= self->items.size)
        return false;
    struct bytes metadata = self->metadata; // `out` may be `self`
    return variant_open(metadata, bytes_of(self->items.data + from, self->items.size - from), out);
}

bool variant_name(const struct variant *self, int32_t index, struct bytes *out)
{
    return dictionary_name(self->metadata, unsigned_at(self->ids.data + (size_t)index * self->id_width, self->id_width),
                           out);
}

static int bytes_order(struct bytes a, struct bytes b)
{
    size_t least = a.size < b.size ? a.size : b.size;
    int order = least > 0 ? memcmp(a.data, b.data, least) : 0;
    return order != 0 ? order : (a.size > b.size) - (a.size < b.size);
}

bool variant_member(const struct variant *self, struct bytes name, struct variant *out)
{
    int32_t from = 0, to = self->count;
    while (from < to) {
        int32_t middle = from + (to - from) / 2;
        struct bytes here;
        if (!variant_name(self, middle, &here))
            return false;
        int order = bytes_order(here, name);
        if (order == 0)
            return variant_element(self, middle, out);
        if (order < 0)
            from = middle + 1;
        else
            to = middle;
    }
    return false;
}

/* ---- as JSON ---- */

static void print_quoted(struct bytes string, struct text *out)
{
    static const char letters[] = "btn\0fr"; // of 8 to 13
    text_add_char(out, '"');
    for (size_t i = 0; i < string.size; i++) {
        uint8_t c = string.data[i];
        if (c == '"' || c == '\\')
            text_printf(out, "\\%c", c);
        else if (c >= 8 && c <= 13 && letters[c - 8] != '\0')
            text_printf(out, "\\%c", letters[c - 8]);
        else if (c < ' ')
            text_printf(out, "\\u%04X", c);
        else
            text_add_char(out, (char)c);
    }
    text_add_char(out, '"');
}

static void print_base64(struct bytes bytes, struct text *out)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    text_add_char(out, '"');
    for (size_t i = 0; i < bytes.size; i += 3) {
        size_t have = bytes.size - i < 3 ? bytes.size - i : 3;
        uint32_t word = (uint32_t)bytes.data[i] << 16;
        word |= have > 1 ? (uint32_t)bytes.data[i + 1] << 8 : 0;
        word |= have > 2 ? bytes.data[i + 2] : 0;
        for (size_t digit = 0; digit < 4; digit++)
            text_add_char(out, digit <= have ? digits[word >> (18 - 6 * digit) & 63] : '=');
    }
    text_add_char(out, '"');
}

static void print_uuid(struct bytes bytes, struct text *out)
{
    text_add_char(out, '"');
    for (size_t i = 0; i < bytes.size; i++)
        text_printf(out, "%s%02x", i == 4 || i == 6 || i == 8 || i == 10 ? "-" : "", bytes.data[i]);
    text_add_char(out, '"');
}

static void print_number(const struct variant *self, struct text *out)
{
    bool wide = self->kind == VARIANT_DOUBLE;
    const char *quote = isfinite(self->number) ? "" : "\"";
    char digits[DOUBLE_TEXT_MAX];
    text_add_string(out, quote);
    text_add(out, digits, wide ? print_double(self->number, digits) : print_float((float)self->number, digits));
    text_add_string(out, quote);
}

/* Spark writes the offset of an instant behind it, +00:00 for UTC. */
static void print_time(const struct variant *self, const struct zone *zone, struct text *out)
{
    char digits[TIMESTAMP_TEXT_MAX];
    size_t size;
    if (self->kind == VARIANT_DATE)
        size = date_print((int32_t)self->integer, digits);
    else if (self->kind == VARIANT_TIME)
        size = time_of_day_print(self->integer, digits);
    else
        size = timestamp_print(self->integer, self->kind == VARIANT_TIMESTAMP ? zone : zone_utc(), digits);
    text_printf(out, "\"%.*s", (int)size, digits);
    if (self->kind == VARIANT_TIMESTAMP) {
        int64_t minutes = zone_offset_us(zone, self->integer) / 60000000, ahead = minutes < 0 ? -minutes : minutes;
        text_printf(out, "%c%02d:%02d", minutes < 0 ? '-' : '+', (int)(ahead / 60), (int)(ahead % 60));
    }
    text_add_char(out, '"');
}

struct printing {
    const struct zone *zone;
    size_t left; /* values that may still come: without bytes shared there is one a byte at most */
    struct text *out;
};
static bool print_value(struct printing *to, const struct variant *self, int32_t depth);

static bool print_parts(struct printing *to, const struct variant *self, int32_t depth)
{
    bool object = self->kind == VARIANT_OBJECT;
    text_add_char(to->out, object ? '{' : '[');
    for (int32_t i = 0; i < self->count; i++) {
        struct variant part;
        struct bytes name;
        if (i > 0)
            text_add_char(to->out, ',');
        if (object && !variant_name(self, i, &name))
            return false;
        if (object) {
            print_quoted(name, to->out);
            text_add_char(to->out, ':');
        }
        if (!variant_element(self, i, &part) || !print_value(to, &part, depth + 1))
            return false;
    }
    text_add_char(to->out, object ? '}' : ']');
    return true;
}

static bool print_value(struct printing *to, const struct variant *self, int32_t depth)
{
    char digits[DECIMAL_TEXT_MAX];
    struct text *out = to->out;
    if (to->left-- == 0)
        return false;
    switch (self->kind) {
    case VARIANT_NULL: text_add_string(out, "null"); break;
    case VARIANT_BOOLEAN: text_add_string(out, self->integer != 0 ? "true" : "false"); break;
    case VARIANT_INTEGER: text_printf(out, "%" PRId64, self->integer); break;
    case VARIANT_DECIMAL: text_add(out, digits, decimal_print(self->unscaled, self->scale, digits)); break;
    case VARIANT_FLOAT:
    case VARIANT_DOUBLE: print_number(self, out); break;
    case VARIANT_DATE:
    case VARIANT_TIMESTAMP:
    case VARIANT_TIMESTAMP_NTZ:
    case VARIANT_TIME: print_time(self, to->zone, out); break;
    case VARIANT_STRING: print_quoted(self->bytes, out); break;
    case VARIANT_BINARY: print_base64(self->bytes, out); break;
    case VARIANT_UUID: print_uuid(self->bytes, out); break;
    case VARIANT_OBJECT:
    case VARIANT_ARRAY: return depth < VARIANT_DEPTH_MAX && print_parts(to, self, depth);
    }
    return true;
}

bool variant_print(struct bytes whole, const struct zone *zone, struct text *out)
{
    struct variant self;
    struct printing to = {zone, whole.size, out};
    return variant_open_whole(whole, &self) && print_value(&to, &self, 0);
}

#include "expr/variant_schema.h"

#include <ctype.h>
#include <stdlib.h>

#include "expr/order.h"
#include "expr/value_bytes.h"

enum schema_kind {
    SCHEMA_VOID,
    SCHEMA_BOOLEAN,
    SCHEMA_LONG,
    SCHEMA_DECIMAL,
    SCHEMA_FLOAT,
    SCHEMA_DOUBLE,
    SCHEMA_DATE,
    SCHEMA_TIMESTAMP_NTZ,
    SCHEMA_TIMESTAMP,
    SCHEMA_TIME,
    SCHEMA_STRING,
    SCHEMA_BINARY,
    SCHEMA_UUID,
    SCHEMA_OBJECT,
    SCHEMA_ARRAY,
    SCHEMA_VARIANT,
    SCHEMA_KINDS
};
enum { PRECISION_MAX = 38, LONG_DIGITS = 20 /* Spark's DECIMAL of a BIGINT */ };

/* ---- widening ---- */

static void parts_free(struct variant_schema *self, size_t *bytes)
{
    for (uint32_t i = 0; i < self->count; i++)
        variant_schema_free(&self->parts[i], bytes);
    *bytes -= self->capacity * sizeof *self->parts;
    mem_free(self->parts);
    self->parts = NULL;
    self->count = self->capacity = 0;
}

void variant_schema_free(struct variant_schema *self, size_t *bytes)
{
    parts_free(self, bytes);
    *bytes -= self->name_size;
    mem_free(self->name);
    *self = (struct variant_schema){0};
}

static void become(struct variant_schema *self, enum schema_kind kind, size_t *bytes)
{
    parts_free(self, bytes);
    self->kind = (uint8_t)kind;
    self->precision = self->scale = 0;
}

static bool is_number(enum schema_kind kind) { return kind >= SCHEMA_LONG && kind <= SCHEMA_DOUBLE; }
static bool is_date_or_time(enum schema_kind kind) { return kind >= SCHEMA_DATE && kind <= SCHEMA_TIMESTAMP; }

/* What holds numbers of both kinds; they are not the same. A FLOAT takes whole numbers as Spark's coercion has it. */
static enum schema_kind wider_number(enum schema_kind a, enum schema_kind b)
{
    enum schema_kind low = a < b ? a : b, high = a < b ? b : a;
    return low == SCHEMA_DECIMAL ? SCHEMA_DOUBLE : high;
}

static void widen_decimal(struct variant_schema *self, int precision, int scale, size_t *bytes)
{
    int own_precision = self->kind == SCHEMA_LONG ? LONG_DIGITS : self->precision;
    int whole = own_precision - self->scale > precision - scale ? own_precision - self->scale : precision - scale;
    int fraction = self->scale > scale ? self->scale : scale;
    if (whole + fraction > PRECISION_MAX) {
        become(self, SCHEMA_DOUBLE, bytes);
        return;
    }
    self->kind = SCHEMA_DECIMAL;
    self->precision = (uint8_t)(whole + fraction);
    self->scale = (uint8_t)fraction;
}

/* To hold values of the other kind too; the parts of objects and arrays are the caller's. */
static void widen(struct variant_schema *self, enum schema_kind kind, int precision, int scale, size_t *bytes)
{
    enum schema_kind own = self->kind;
    if (own == SCHEMA_VOID) {
        self->kind = (uint8_t)kind;
        self->precision = (uint8_t)precision;
        self->scale = (uint8_t)scale;
    } else if (kind == SCHEMA_DECIMAL && (own == SCHEMA_DECIMAL || own == SCHEMA_LONG)) {
        widen_decimal(self, precision, scale, bytes);
    } else if (kind == SCHEMA_LONG && own == SCHEMA_DECIMAL) {
        widen_decimal(self, LONG_DIGITS, 0, bytes);
    } else if (kind == SCHEMA_VOID || kind == own) {
        return;
    } else if (is_number(kind) && is_number(own)) {
        become(self, wider_number(own, kind), bytes);
    } else if (is_date_or_time(kind) && is_date_or_time(own)) {
        self->kind = (uint8_t)(own > kind ? own : kind);
    } else {
        become(self, SCHEMA_VARIANT, bytes);
    }
}

/* ---- objects ---- */

static bool grow(struct variant_schema *self, uint32_t capacity, size_t *bytes)
{
    if (capacity <= self->capacity)
        return true;
    size_t more = (capacity - self->capacity) * sizeof *self->parts;
    if (*bytes + more > VARIANT_SCHEMA_BYTES_MAX)
        return false;
    *bytes += more;
    self->parts = mem_resize(self->parts, capacity * sizeof *self->parts);
    self->capacity = capacity;
    return true;
}

/* A new member behind the others; NULL: too big. */
static struct variant_schema *append(struct variant_schema *self, struct bytes name, size_t *bytes)
{
    enum { FIRST = 4 };
    if (self->count == self->capacity && !grow(self, self->capacity == 0 ? FIRST : 2 * self->capacity, bytes))
        return NULL;
    if (*bytes + name.size > VARIANT_SCHEMA_BYTES_MAX)
        return NULL;
    struct variant_schema *part = &self->parts[self->count++];
    *part = (struct variant_schema){.name_size = (uint32_t)name.size};
    if (name.size > 0) {
        part->name = mem_array(char, name.size);
        memcpy(part->name, name.data, name.size);
        *bytes += name.size;
    }
    return part;
}

static struct bytes name_of(const struct variant_schema *part) { return bytes_of(part->name, part->name_size); }

static int by_name(const void *a, const void *b) { return bytes_compare(name_of(a), name_of(b)); }

/* The member of that name, made when there is none. Names are asked for in their order: *at steps through the first
 * `sorted` members, behind which new ones are put. */
static struct variant_schema *member(struct variant_schema *self, struct bytes name, uint32_t sorted, uint32_t *at,
                                     size_t *bytes)
{
    int order = 1;
    while (*at < sorted && (order = bytes_compare(name_of(&self->parts[*at]), name)) < 0)
        (*at)++;
    return *at < sorted && order == 0 ? &self->parts[*at] : append(self, name, bytes);
}

static void sort_members(struct variant_schema *self, uint32_t sorted)
{
    if (self->count > sorted && self->count > 1)
        qsort(self->parts, self->count, sizeof *self->parts, by_name);
}

static struct variant_schema *element(struct variant_schema *self, size_t *bytes)
{
    return self->count > 0 ? self->parts : append(self, (struct bytes){0}, bytes);
}

/* ---- values ---- */

static enum reject_code add_members(struct variant_schema *self, const struct variant *value, size_t *bytes)
{
    uint32_t sorted = self->count, at = 0;
    struct bytes last = {0};
    enum reject_code wrong = REJECT_COUNT;
    for (int32_t i = 0; wrong == REJECT_COUNT && i < value->count; i++) {
        struct variant inner;
        struct bytes name;
        if (!variant_element(value, i, &inner) || !variant_name(value, i, &name) ||
            (i > 0 && bytes_compare(last, name) >= 0)) {
            wrong = REJECT_MALFORMED;
            break;
        }
        struct variant_schema *part = member(self, name, sorted, &at, bytes);
        wrong = part != NULL ? variant_schema_add(part, &inner, bytes) : REJECT_TOO_BIG;
        last = name;
    }
    sort_members(self, sorted);
    return wrong;
}

static enum reject_code add_elements(struct variant_schema *self, const struct variant *value, size_t *bytes)
{
    struct variant_schema *part = element(self, bytes);
    enum reject_code wrong = part != NULL ? REJECT_COUNT : REJECT_TOO_BIG;
    for (int32_t i = 0; wrong == REJECT_COUNT && i < value->count; i++) {
        struct variant inner;
        wrong = variant_element(value, i, &inner) ? variant_schema_add(part, &inner, bytes) : REJECT_MALFORMED;
    }
    return wrong;
}

static int digits(__int128 value)
{
    int count = 1;
    while (value /= 10)
        count++;
    return count;
}

static enum schema_kind kind_of(const struct variant *value)
{
    static const uint8_t kinds[] = {
        [VARIANT_NULL] = SCHEMA_VOID,     [VARIANT_BOOLEAN] = SCHEMA_BOOLEAN,
        [VARIANT_INTEGER] = SCHEMA_LONG,  [VARIANT_DECIMAL] = SCHEMA_DECIMAL,
        [VARIANT_FLOAT] = SCHEMA_FLOAT,   [VARIANT_DOUBLE] = SCHEMA_DOUBLE,
        [VARIANT_DATE] = SCHEMA_DATE,     [VARIANT_TIMESTAMP] = SCHEMA_TIMESTAMP,
        [VARIANT_TIME] = SCHEMA_TIME,     [VARIANT_TIMESTAMP_NTZ] = SCHEMA_TIMESTAMP_NTZ,
        [VARIANT_STRING] = SCHEMA_STRING, [VARIANT_BINARY] = SCHEMA_BINARY,
        [VARIANT_UUID] = SCHEMA_UUID,     [VARIANT_OBJECT] = SCHEMA_OBJECT,
        [VARIANT_ARRAY] = SCHEMA_ARRAY,
    };
    return kinds[value->kind];
}

enum reject_code variant_schema_add(struct variant_schema *self, const struct variant *value, size_t *bytes)
{
    enum schema_kind kind = kind_of(value);
    int precision = 0, scale = 0;
    if (kind == SCHEMA_DECIMAL) {
        scale = value->scale;
        precision = digits(value->unscaled);
        precision = precision > scale ? precision : scale;
    }
    widen(self, kind, precision, scale, bytes);
    if (self->kind == SCHEMA_OBJECT && kind == SCHEMA_OBJECT)
        return add_members(self, value, bytes);
    if (self->kind == SCHEMA_ARRAY && kind == SCHEMA_ARRAY)
        return add_elements(self, value, bytes);
    return REJECT_COUNT;
}

bool variant_schema_merge(struct variant_schema *self, const struct variant_schema *other, size_t *bytes)
{
    widen(self, other->kind, other->precision, other->scale, bytes);
    if (self->kind != other->kind)
        return true;
    uint32_t sorted = self->count, at = 0;
    bool good = true;
    for (uint32_t i = 0; good && i < other->count; i++) {
        const struct variant_schema *from = &other->parts[i];
        struct variant_schema *part =
            self->kind == SCHEMA_ARRAY ? element(self, bytes) : member(self, name_of(from), sorted, &at, bytes);
        good = part != NULL && variant_schema_merge(part, from, bytes);
    }
    sort_members(self, sorted);
    return good;
}

/* ---- printed ---- */

static bool is_plain_name(struct bytes name)
{
    for (size_t i = 0; i < name.size; i++)
        if (name.data[i] >= 0x80 || (!isalnum(name.data[i]) && name.data[i] != '_') ||
            (i == 0 && isdigit(name.data[i])))
            return false;
    return name.size > 0;
}

void ddl_print_name(struct bytes name, struct text *out)
{
    bool plain = is_plain_name(name);
    text_add_string(out, plain ? "" : "`");
    for (size_t i = 0; i < name.size; i++) {
        if (name.data[i] == '`')
            text_add_char(out, '`');
        text_add_char(out, (char)name.data[i]);
    }
    text_add_string(out, plain ? "" : "`");
}

static void print_members(const struct variant_schema *self, struct text *out)
{
    text_add_string(out, "OBJECT<");
    for (uint32_t i = 0; i < self->count; i++) {
        text_add_string(out, i > 0 ? ", " : "");
        ddl_print_name(name_of(&self->parts[i]), out);
        text_add_string(out, ": ");
        variant_schema_print(&self->parts[i], out);
    }
    text_add_char(out, '>');
}

void variant_schema_print(const struct variant_schema *self, struct text *out)
{
    static const char *const names[SCHEMA_KINDS] = {
        [SCHEMA_VOID] = "VOID",           [SCHEMA_BOOLEAN] = "BOOLEAN",
        [SCHEMA_LONG] = "BIGINT",         [SCHEMA_FLOAT] = "FLOAT",
        [SCHEMA_DOUBLE] = "DOUBLE",       [SCHEMA_DATE] = "DATE",
        [SCHEMA_TIMESTAMP] = "TIMESTAMP", [SCHEMA_TIMESTAMP_NTZ] = "TIMESTAMP_NTZ",
        [SCHEMA_TIME] = "TIME(6)",        [SCHEMA_STRING] = "STRING",
        [SCHEMA_BINARY] = "BINARY",       [SCHEMA_UUID] = "UUID",
        [SCHEMA_VARIANT] = "VARIANT",
    };
    if (self->kind == SCHEMA_OBJECT) {
        print_members(self, out);
    } else if (self->kind == SCHEMA_ARRAY) {
        text_add_string(out, "ARRAY<");
        variant_schema_print(self->count > 0 ? self->parts : &(struct variant_schema){0}, out);
        text_add_char(out, '>');
    } else if (self->kind == SCHEMA_DECIMAL) {
        text_printf(out, "DECIMAL(%d,%d)", self->precision, self->scale);
    } else {
        text_add_string(out, names[self->kind]);
    }
}

/* ---- kept ---- */

void variant_schema_save(const struct variant_schema *self, struct text *out)
{
    text_add_char(out, (char)self->kind);
    text_add_char(out, (char)self->precision);
    text_add_char(out, (char)self->scale);
    save_u32(out, self->count);
    for (uint32_t i = 0; i < self->count; i++) {
        save_u32(out, self->parts[i].name_size);
        text_add(out, self->parts[i].name, self->parts[i].name_size);
        variant_schema_save(&self->parts[i], out);
    }
}

static bool load_kind(struct variant_schema *self, struct bytes *in, uint32_t *count)
{
    enum { HEAD = 3 };
    struct bytes head;
    if (!load_bytes(in, HEAD, &head) || !load_u32(in, count))
        return false;
    self->kind = head.data[0];
    self->precision = head.data[1];
    self->scale = head.data[2];
    bool takes_parts = self->kind == SCHEMA_OBJECT || (self->kind == SCHEMA_ARRAY && *count == 1);
    return self->kind < SCHEMA_KINDS && self->precision <= PRECISION_MAX && self->scale <= self->precision &&
           (takes_parts || (*count == 0 && self->kind != SCHEMA_ARRAY));
}

static bool load_below(struct variant_schema *self, struct bytes *in, int depth, size_t *bytes)
{
    uint32_t count = 0, name_size;
    bool good = depth <= VARIANT_DEPTH_MAX && load_kind(self, in, &count);
    for (uint32_t i = 0; good && i < count; i++) {
        struct bytes name;
        good = load_u32(in, &name_size) && load_bytes(in, name_size, &name) &&
               (i == 0 || bytes_compare(name_of(&self->parts[i - 1]), name) < 0);
        struct variant_schema *part = good ? append(self, name, bytes) : NULL;
        good = part != NULL && load_below(part, in, depth + 1, bytes);
    }
    return good;
}

bool variant_schema_load(struct variant_schema *self, struct bytes *in, size_t *bytes)
{
    return load_below(self, in, 0, bytes);
}

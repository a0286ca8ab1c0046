#include "format/infer.h"

#include <stdlib.h>

#include "format/json_skip.h"
#include "format/json_text.h"

enum { FIELDS_MAX = 100000 };

struct inference {
    struct arena *arena;
    const struct infer_options *options;
    const uint8_t *end;
    struct text name;
};

/* ---- types together ---- */

static const struct type *decimal_of(struct arena *arena, int whole, int scale)
{
    return whole + scale > 38 ? type_of(TYPE_DOUBLE) : type_decimal(arena, whole + scale, scale);
}

static const struct type *common(struct arena *arena, const struct type *a, const struct type *b);

/* Both in the order of their names. */
static const struct type *common_struct(struct arena *arena, const struct type *a, const struct type *b)
{
    struct field *fields = arena_array(arena, struct field, (size_t)a->field_count + (size_t)b->field_count + 1);
    int32_t count = 0;
    for (int32_t i = 0, k = 0; i < a->field_count || k < b->field_count;) {
        int order = i == a->field_count ? 1 : k == b->field_count ? -1 : strcmp(a->fields[i].name, b->fields[k].name);
        fields[count] = order <= 0 ? a->fields[i] : b->fields[k];
        if (order == 0)
            fields[count].type = common(arena, a->fields[i].type, b->fields[k].type);
        i += order <= 0;
        k += order >= 0;
        count++;
    }
    return type_struct(arena, fields, count);
}

static const struct type *common(struct arena *arena, const struct type *a, const struct type *b)
{
    if (a->id == TYPE_NULL || type_equal(a, b))
        return b;
    if (b->id == TYPE_NULL)
        return a;
    if (type_is_numeric(a) && type_is_numeric(b)) {
        if (a->id == TYPE_DOUBLE || b->id == TYPE_DOUBLE)
            return type_of(TYPE_DOUBLE);
        int a_scale = a->id == TYPE_DECIMAL ? a->scale : 0, b_scale = b->id == TYPE_DECIMAL ? b->scale : 0;
        int a_whole = a->id == TYPE_DECIMAL ? a->precision - a_scale : 20,
            b_whole = b->id == TYPE_DECIMAL ? b->precision - b_scale : 20;
        return decimal_of(arena, a_whole > b_whole ? a_whole : b_whole, a_scale > b_scale ? a_scale : b_scale);
    }
    if (a->id == TYPE_STRUCT && b->id == TYPE_STRUCT)
        return common_struct(arena, a, b);
    if (a->id == TYPE_ARRAY && b->id == TYPE_ARRAY)
        return type_array(arena, common(arena, a->fields[0].type, b->fields[0].type), true);
    return type_of(TYPE_STRING);
}

/* ---- values ---- */

static const uint8_t *infer_value(struct inference *self, const uint8_t *p, int depth, const struct type **out);

static int field_order(const void *a, const void *b)
{
    return strcmp(((const struct field *)a)->name, ((const struct field *)b)->name);
}

static const uint8_t *infer_object(struct inference *self, const uint8_t *p, int depth, const struct type **out)
{
    struct field *fields = NULL;
    int64_t count = 0, capacity = 0;
    bool closed = false;
    for (bool first = true; p != NULL && !closed; first = false) {
        p = json_blanks(p, self->end);
        closed = p < self->end && *p == '}';
        if (!closed && !first)
            p = p < self->end && *p == ',' ? json_blanks(p + 1, self->end) : NULL;
        if (closed || p == NULL || count == FIELDS_MAX)
            break;
        const uint8_t *name = p;
        p = json_skip_name(p, self->end);
        if (p == NULL)
            break;
        text_clear(&self->name);
        json_text_string(name + 1, self->end, *name, &self->name);
        mem_grow(fields, capacity, count + 1);
        fields[count] = (struct field){arena_strndup(self->arena, self->name.data, self->name.size), NULL, true};
        p = infer_value(self, json_blanks(p, self->end), depth, &fields[count].type);
        count++;
    }
    if (closed) {
        qsort(fields, (size_t)count, sizeof *fields, field_order);
        *out = type_struct(self->arena, fields, (int32_t)count);
    }
    mem_free(fields);
    return closed ? p + 1 : NULL;
}

static const uint8_t *infer_array(struct inference *self, const uint8_t *p, int depth, const struct type **out)
{
    const struct type *element = type_of(TYPE_NULL), *one;
    for (bool first = true;; first = false) {
        p = json_blanks(p, self->end);
        if (p < self->end && *p == ']')
            break;
        if (!first)
            p = p < self->end && *p == ',' ? json_blanks(p + 1, self->end) : NULL;
        if (p == NULL || (p = infer_value(self, p, depth, &one)) == NULL)
            return NULL;
        element = common(self->arena, element, one);
    }
    *out = type_array(self->arena, element, true);
    return p + 1;
}

/* Cut off where it matters no more. */
static int exponent_of(const uint8_t *p, const uint8_t *end)
{
    bool negative = p < end && *p == '-';
    int value = 0;
    for (p += p < end && (*p == '-' || *p == '+'); p < end && value < 10000; p++)
        value = value * 10 + *p - '0';
    return negative ? -value : value;
}

/* Digits before and behind the point, without zeros in front; an exponent moves the point. */
static const struct type *decimal_digits(struct arena *arena, const uint8_t *p, const uint8_t *end)
{
    int whole = 0, scale = 0, exponent = 0;
    bool point = false, leading = true;
    for (p += *p == '-'; p < end && (*p | 0x20) != 'e'; p++) {
        point = point || *p == '.';
        leading = leading && (*p == '0' || *p == '.');
        if (*p == '.')
            continue;
        scale += point;
        whole += !point && !leading;
    }
    if (p < end)
        exponent = exponent_of(p + 1, end);
    whole = whole + exponent < 0 ? 0 : whole + exponent;
    scale = scale - exponent < 0 ? 0 : scale - exponent;
    if (whole + scale > 38 || whole < 0 || scale < 0)
        return type_of(TYPE_DOUBLE);
    return type_decimal(arena, whole + scale == 0 ? 1 : whole + scale, scale);
}

static const uint8_t *infer_number(struct inference *self, const uint8_t *p, const struct type **out)
{
    enum json_number kind;
    const uint8_t *start = p;
    if (self->options->leading_zeros)
        while (self->end - p > 1 && p[0] == '0' && json_is_digit(p[1]))
            p++;
    const uint8_t *behind = json_skip_number(p, self->end, &kind);
    if (behind == NULL)
        return NULL;
    bool negative = *p == '-';
    int64_t digits = behind - p - negative;
    *out = type_of(TYPE_DOUBLE);
    if (self->options->primitives_as_string)
        *out = type_of(TYPE_STRING);
    else if (kind == JSON_INTEGER &&
             (digits < 19 || (digits == 19 &&
                              memcmp(p + negative, negative ? "9223372036854775808" : "9223372036854775807", 19) <= 0)))
        *out = type_of(TYPE_INT64);
    else if (kind == JSON_INTEGER || (kind == JSON_FRACTION && self->options->prefers_decimal))
        *out = decimal_digits(self->arena, start, behind);
    return behind;
}

static const uint8_t *infer_value(struct inference *self, const uint8_t *p, int depth, const struct type **out)
{
    if (p >= self->end || depth >= JSON_DEPTH_MAX)
        return NULL;
    bool text = self->options->primitives_as_string;
    switch (*p) {
    case '{': return infer_object(self, p + 1, depth + 1, out);
    case '[': return infer_array(self, p + 1, depth + 1, out);
    case '"':
    case '\'': *out = type_of(TYPE_STRING); break;
    case 't':
    case 'f': *out = type_of(text ? TYPE_STRING : TYPE_BOOLEAN); break;
    case 'n': *out = type_of(TYPE_NULL); break;
    default: return infer_number(self, p, out);
    }
    return json_skip(p, self->end, depth);
}

/* ---- what is left open ---- */

/* NULLs are STRINGs; NULL for an object of nothing. */
static const struct type *settled(struct arena *arena, const struct type *type)
{
    if (type->id == TYPE_NULL)
        return type_of(TYPE_STRING);
    if (type->id == TYPE_ARRAY) {
        const struct type *element = settled(arena, type->fields[0].type);
        return element == NULL ? NULL : type_array(arena, element, true);
    }
    if (type->id != TYPE_STRUCT)
        return type;
    struct field *fields = arena_array(arena, struct field, (size_t)type->field_count + 1);
    int32_t count = 0;
    for (int32_t i = 0; i < type->field_count; i++) {
        const struct type *field = settled(arena, type->fields[i].type);
        if (field != NULL && type->fields[i].name[0] != '\0')
            fields[count++] = (struct field){type->fields[i].name, field, true};
    }
    return count == 0 ? NULL : type_struct(arena, fields, count);
}

enum code json_infer(struct arena *arena, struct bytes json, const struct infer_options *options,
                     const struct type **out, struct error *err)
{
    struct inference self = {.arena = arena, .options = options, .end = json.data + json.size};
    const uint8_t *p = json_blanks(json.data, self.end);
    const struct type *found = type_of(TYPE_NULL);
    bool good = p == self.end || infer_value(&self, p, 0, &found) != NULL;
    text_free(&self.name);
    if (!good)
        return fail(err, E_SQL, "[MALFORMED_RECORD_IN_PARSING] the text is no JSON");
    *out = settled(arena, found);
    if (*out == NULL && found->id == TYPE_STRUCT)
        *out = type_struct(arena, NULL, 0);
    else if (*out == NULL)
        *out = type_array(arena, type_struct(arena, NULL, 0), true);
    return E_OK;
}

/* json_shape.c - what records of JSON look like together: the schema that Spark infers of files.
 *
 * Merge    NULL gives way to anything; integers that BIGINT does not hold are DECIMAL(p,0), together with smaller ones at
 *          least DECIMAL(20,0); with a fraction DOUBLE; objects and arrays merge by their parts; whatever else meets is
 *          a STRING
 * Finish   fields by name; what was never more than NULL is a STRING; objects without fields, and arrays of them, are left
 *          out
 * Broken   a payload that is neither an object nor an array of objects is told apart, not merged
 */
#include "base/text_number.h"
#include "format/format.h"
#include "format/json_skip.h"
#include "format/json_text.h"

enum { SHAPE_FIELDS_MAX = 10000, SHAPE_NODES_MAX = 200000 }; /* of one object; of all of them */
enum { LONG_AS_DECIMAL = 20 };                               /* digits that Spark gives a BIGINT */

enum shape_kind {
    SHAPE_NULL,
    SHAPE_BOOLEAN,
    SHAPE_LONG,
    SHAPE_DECIMAL,
    SHAPE_DOUBLE,
    SHAPE_STRING,
    SHAPE_ARRAY,
    SHAPE_OBJECT
};
struct shape;
struct shape_field {
    struct bytes name;
    struct shape *shape;
};
struct shape {
    enum shape_kind kind;
    int32_t digits;             /* DECIMAL */
    struct shape *element;      /* ARRAY */
    struct shape_field *fields; /* OBJECT: heap, by name */
    int32_t field_count, field_capacity;
};
struct json_shape {
    struct arena arena;
    struct shape record;
    struct shape **objects; /* those with fields: heap that goes with them */
    int32_t object_count, object_capacity, node_count;
    struct text name;
    bool broken, too_many;
};

struct json_shape *json_shape_new(void)
{
    struct json_shape *self = mem_new(struct json_shape);
    self->record.kind = SHAPE_OBJECT;
    return self;
}

void json_shape_free(struct json_shape *self)
{
    if (self == NULL)
        return;
    for (int32_t i = 0; i < self->object_count; i++)
        mem_free(self->objects[i]->fields);
    mem_free(self->objects);
    text_free(&self->name);
    arena_free(&self->arena);
    mem_free(self);
}

/* ---- merging ---- */

static int32_t larger(int32_t a, int32_t b) { return a > b ? a : b; }

/* A value of that kind was met. */
static void shape_meet(struct shape *self, enum shape_kind kind, int32_t digits)
{
    enum shape_kind was = self->kind;
    if (kind == SHAPE_NULL || was == SHAPE_STRING)
        return;
    if (was == SHAPE_NULL || was == kind) {
        self->kind = kind;
        self->digits = larger(self->digits, digits);
        return;
    }
    bool numbers = was >= SHAPE_LONG && was <= SHAPE_DOUBLE && kind >= SHAPE_LONG && kind <= SHAPE_DOUBLE;
    if (!numbers) {
        self->kind = SHAPE_STRING;
        return;
    }
    self->kind = was > kind ? was : kind;
    self->digits = larger(larger(self->digits, digits), LONG_AS_DECIMAL);
}

static int name_compare(struct bytes a, struct bytes b)
{
    size_t size = a.size < b.size ? a.size : b.size;
    int order = size > 0 ? memcmp(a.data, b.data, size) : 0;
    return order != 0 ? order : (a.size > b.size) - (a.size < b.size);
}

/* The place of the name, or where it belongs. */
static int32_t field_place(const struct shape *object, struct bytes name, bool *found)
{
    int32_t low = 0, high = object->field_count;
    while (low < high) {
        int32_t middle = low + (high - low) / 2;
        int order = name_compare(object->fields[middle].name, name);
        if (order == 0) {
            *found = true;
            return middle;
        }
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    *found = false;
    return low;
}

static struct shape *node_new(struct json_shape *self)
{
    self->node_count++;
    return arena_new(&self->arena, struct shape);
}

/* NULL: there are too many. */
static struct shape *field_shape(struct json_shape *self, struct shape *object, struct bytes name)
{
    bool found;
    int32_t place = field_place(object, name, &found);
    if (found)
        return object->fields[place].shape;
    if (object->field_count == SHAPE_FIELDS_MAX || self->node_count >= SHAPE_NODES_MAX) {
        self->too_many = true;
        return NULL;
    }
    if (object->field_count == 0) {
        mem_grow(self->objects, self->object_capacity, self->object_count + 1);
        self->objects[self->object_count++] = object;
    }
    mem_grow(object->fields, object->field_capacity, object->field_count + 1);
    struct shape_field *at = object->fields + place;
    memmove(at + 1, at, (size_t)(object->field_count - place) * sizeof *at);
    object->field_count++;
    *at = (struct shape_field){bytes_of(arena_strndup(&self->arena, (const char *)name.data, name.size), name.size),
                               node_new(self)};
    return at->shape;
}

/* ---- one value: it was checked before, so nothing here can be broken ---- */

static const uint8_t *value_add(struct json_shape *self, struct shape *shape, const uint8_t *p, const uint8_t *end);

static void number_meet(struct shape *shape, struct bytes text, enum json_number kind)
{
    enum { DIGITS_MAX = 38 };
    int64_t value;
    bool overflow = false;
    const char *first = (const char *)text.data;
    int32_t digits = (int32_t)text.size - (text.size > 0 && text.data[0] == '-');
    if (kind == JSON_INTEGER) {
        bool small = digits < 19 || (parse_int64(first, first + text.size, &value, &overflow) != NULL && !overflow);
        if (small || digits <= DIGITS_MAX) {
            shape_meet(shape, small ? SHAPE_LONG : SHAPE_DECIMAL, small ? 0 : digits);
            return;
        }
    }
    shape_meet(shape, SHAPE_DOUBLE, 0);
}

static const uint8_t *array_add(struct json_shape *self, struct shape *shape, const uint8_t *p, const uint8_t *end)
{
    struct shape ignored = {0};
    shape_meet(shape, SHAPE_ARRAY, 0);
    if (shape->kind == SHAPE_ARRAY && shape->element == NULL)
        shape->element = node_new(self);
    struct shape *element = shape->kind == SHAPE_ARRAY ? shape->element : &ignored;
    for (p = json_blanks(p + 1, end); *p != ']'; p = json_blanks(p, end))
        p = *p == ',' ? p + 1 : value_add(self, element, p, end);
    return p + 1;
}

/* The name at p, unescaped, and what stands behind its colon. */
static const uint8_t *name_take(struct json_shape *self, const uint8_t *p, const uint8_t *end, struct bytes *name)
{
    const uint8_t *behind = json_skip_name(p, end);
    text_clear(&self->name);
    json_text_string(p + 1, end, *p, &self->name);
    *name = text_view(&self->name);
    return json_blanks(behind, end);
}

static const uint8_t *object_add(struct json_shape *self, struct shape *shape, const uint8_t *p, const uint8_t *end)
{
    shape_meet(shape, SHAPE_OBJECT, 0);
    bool merge = shape->kind == SHAPE_OBJECT;
    for (p = json_blanks(p + 1, end); *p != '}'; p = json_blanks(p, end)) {
        struct bytes name;
        if (*p == ',') {
            p++;
            continue;
        }
        p = name_take(self, p, end, &name);
        struct shape ignored = {.kind = SHAPE_STRING};
        struct shape *field = merge ? field_shape(self, shape, name) : NULL;
        p = value_add(self, field != NULL ? field : &ignored, p, end);
    }
    return p + 1;
}

static const uint8_t *value_add(struct json_shape *self, struct shape *shape, const uint8_t *p, const uint8_t *end)
{
    enum json_number kind;
    switch (*p) {
    case '{':
        if (shape->kind != SHAPE_STRING)
            return object_add(self, shape, p, end);
        break;
    case '[':
        if (shape->kind != SHAPE_STRING)
            return array_add(self, shape, p, end);
        break;
    case '"':
    case '\'': shape_meet(shape, SHAPE_STRING, 0); break;
    case 't':
    case 'f': shape_meet(shape, SHAPE_BOOLEAN, 0); break;
    case 'n': break;
    default: {
        const uint8_t *behind = json_skip_number(p, end, &kind);
        number_meet(shape, bytes_of(p, (size_t)(behind - p)), kind);
        return behind;
    }
    }
    return json_skip(p, end, 0);
}

/* ---- records ---- */

void json_shape_add(struct json_shape *self, struct bytes json)
{
    const uint8_t *end = json.data + json.size, *p = json_blanks(json.data, end);
    if (p == end || self->too_many)
        return;
    if (json_skip(p, end, 0) == NULL || (*p != '{' && *p != '[')) {
        self->broken = true;
        return;
    }
    if (*p == '{') {
        object_add(self, &self->record, p, end);
        return;
    }
    for (p = json_blanks(p + 1, end); *p != ']'; p = json_blanks(p, end)) {
        if (*p == ',') {
            p++;
        } else if (*p == '{') {
            p = object_add(self, &self->record, p, end);
        } else {
            self->broken = true;
            p = json_skip(p, end, 1);
        }
    }
}

/* ---- as a type ---- */

/* NULL: it has no fields. */
static const struct type *shape_type(struct arena *arena, const struct shape *shape)
{
    const struct type *element;
    switch (shape->kind) {
    case SHAPE_BOOLEAN: return type_of(TYPE_BOOLEAN);
    case SHAPE_LONG: return type_of(TYPE_INT64);
    case SHAPE_DECIMAL: return type_decimal(arena, shape->digits, 0);
    case SHAPE_DOUBLE: return type_of(TYPE_DOUBLE);
    case SHAPE_ARRAY:
        element = shape_type(arena, shape->element);
        return element != NULL ? type_array(arena, element, true) : NULL;
    case SHAPE_OBJECT: {
        struct field *fields = arena_array(arena, struct field, (size_t)shape->field_count + 1);
        int32_t count = 0;
        for (int32_t i = 0; i < shape->field_count; i++) {
            const struct shape_field *field = &shape->fields[i];
            const struct type *type = shape_type(arena, field->shape);
            if (type != NULL)
                fields[count++] =
                    (struct field){arena_strndup(arena, (const char *)field->name.data, field->name.size), type, true};
        }
        return count > 0 ? type_struct(arena, fields, count) : NULL;
    }
    case SHAPE_NULL:
    case SHAPE_STRING: break;
    }
    return type_of(TYPE_STRING);
}

static enum code fields_check(const struct type *type, struct error *err)
{
    for (int32_t i = 0; i < type->field_count; i++)
        if (type_field_index(type, type->fields[i].name, true) != i)
            return fail(
                err, E_SQL,
                "[COLUMN_ALREADY_EXISTS] The column `%s` already exists. Choose another name or rename the existing "
                "column.",
                type->fields[i].name);
    return E_OK;
}

enum code json_shape_type(struct json_shape *self, const char *corrupt_column, struct arena *arena,
                          const struct type **out, struct error *err)
{
    if (self->too_many)
        return fail(err, E_UNSUPPORTED, "the records have more than %d different fields in an object, or %d in all",
                    SHAPE_FIELDS_MAX, SHAPE_NODES_MAX);
    if (self->broken) {
        struct shape *corrupt = field_shape(self, &self->record, bytes_of_string(corrupt_column));
        if (corrupt != NULL)
            corrupt->kind = SHAPE_STRING;
    }
    const struct type *type = shape_type(arena, &self->record);
    if (type == NULL)
        type = type_struct(arena, NULL, 0);
    TRY(fields_check(type, err));
    *out = type;
    return E_OK;
}

/* json_strangers.c - members of one payload that the schema does not name; no speed is needed here: it looks at records in
 * which a new one was met, and at those whose unknown fields are wanted.
 */
#include "format/format.h"
#include "format/json_skip.h"
#include "format/json_text.h"

struct search {
    const uint8_t *end;
    void (*each)(void *context, const char *path, struct bytes value);
    void *context;
    struct text path, name;
};

/* The value was checked to be whole. */
static const uint8_t *value_search(struct search *self, const struct type *type, const uint8_t *p);

static const uint8_t *array_search(struct search *self, const struct type *element, const uint8_t *p)
{
    for (p = json_blanks(p + 1, self->end); *p != ']'; p = json_blanks(p, self->end))
        p = *p == ',' ? p + 1 : value_search(self, element, p);
    return p + 1;
}

static const uint8_t *member_search(struct search *self, const struct type *type, const uint8_t *p)
{
    const uint8_t *value = json_blanks(json_skip_name(p, self->end), self->end);
    size_t size = self->path.size;
    text_clear(&self->name);
    json_text_string(p + 1, self->end, *p, &self->name);
    text_add(&self->path, self->name.data, self->name.size);
    int32_t field = self->name.size > 0 ? type_field_index(type, self->name.data, false) : -1;
    if (field >= 0) {
        text_add_char(&self->path, '.');
        p = value_search(self, type->fields[field].type, value);
    } else {
        p = json_skip(value, self->end, 0);
        self->each(self->context, self->path.data != NULL ? self->path.data : "", bytes_of(value, (size_t)(p - value)));
    }
    text_cut(&self->path, size);
    return p;
}

/* In a map every name is known: it is data. */
static const uint8_t *map_search(struct search *self, const struct type *type, const uint8_t *p)
{
    for (p = json_blanks(p + 1, self->end); *p != '}'; p = json_blanks(p, self->end)) {
        if (*p == ',')
            p++;
        else
            p = value_search(self, type->fields[1].type, json_blanks(json_skip_name(p, self->end), self->end));
    }
    return p + 1;
}

static const uint8_t *value_search(struct search *self, const struct type *type, const uint8_t *p)
{
    if (*p == '[' && type->id == TYPE_ARRAY)
        return array_search(self, type->fields[0].type, p);
    if (*p == '{' && type->id == TYPE_MAP)
        return map_search(self, type, p);
    if (*p != '{' || type->id != TYPE_STRUCT)
        return json_skip(p, self->end, 0);
    for (p = json_blanks(p + 1, self->end); *p != '}'; p = json_blanks(p, self->end))
        p = *p == ',' ? p + 1 : member_search(self, type, p);
    return p + 1;
}

void json_strangers_find(struct bytes json, const struct type *schema,
                         void (*each)(void *context, const char *path, struct bytes value), void *context)
{
    struct search self = {.end = json.data + json.size, .each = each, .context = context};
    const uint8_t *p = json_blanks(json.data, self.end);
    if (p < self.end && *p == '{' && json_skip(p, self.end, 0) != NULL)
        value_search(&self, schema, p);
    text_free(&self.path);
    text_free(&self.name);
}

const struct type *json_value_type(struct bytes value, struct arena *arena)
{
    struct json_shape *shape = json_shape_new();
    struct text record = {0};
    const struct type *type = type_of(TYPE_STRING);
    struct error ignored = {0};
    text_add_string(&record, "{\"v\":");
    text_add(&record, value.data, value.size);
    text_add_char(&record, '}');
    json_shape_add(shape, text_view(&record));
    if (json_shape_type(shape, "corrupt", arena, &type, &ignored) == E_OK)
        type = type->field_count > 0 ? type->fields[0].type : type_struct(arena, NULL, 0);
    json_shape_free(shape);
    text_free(&record);
    return type;
}

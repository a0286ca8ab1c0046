#include "format/json_rescue.h"

#include "format/format.h"
#include "format/json_skip.h"
#include "format/json_text.h"

struct rescue {
    const uint8_t *end;
    struct text name; /* of the member at hand, unescaped */
    struct text *out;
};

static void note_any(void *context, const char *path, struct bytes value)
{
    (void)path, (void)value;
    *(bool *)context = true;
}

/* A list some element of which has a member that the schema does not name. */
static bool list_has_strangers(struct bytes list, const struct type *type)
{
    const struct field field = {"v", type, true};
    const struct type schema = {.id = TYPE_STRUCT, .field_count = 1, .fields = &field};
    struct text record = {0};
    bool any = false;
    text_add_string(&record, "{\"v\":");
    text_add(&record, list.data, list.size);
    text_add_char(&record, '}');
    json_strangers_find(text_view(&record), &schema, note_any, &any);
    text_free(&record);
    return any;
}

static bool object_rescue(struct rescue *self, const struct type *type, const struct column *col, int64_t row,
                          const uint8_t *p, const uint8_t **behind);

static bool is_lost(const struct type *type, const struct column *col, int64_t row, struct bytes value)
{
    bool null = value.size == 4 && memcmp(value.data, "null", 4) == 0;
    if (column_is_null(col, row))
        return !null;
    return (type->id == TYPE_ARRAY || type->id == TYPE_MAP) && list_has_strangers(value, type);
}

/* The value of a field of the schema. */
static bool field_rescue(struct rescue *self, const struct type *type, const struct column *col, int64_t row,
                         const uint8_t *p, const uint8_t **behind)
{
    if (type->id == TYPE_STRUCT && *p == '{' && !column_is_null(col, row))
        return object_rescue(self, type, col, row, p, behind);
    *behind = json_skip(p, self->end, 0);
    struct bytes value = bytes_of(p, (size_t)(*behind - p));
    if (!is_lost(type, col, row, value))
        return false;
    text_add(self->out, value.data, value.size);
    return true;
}

static bool object_rescue(struct rescue *self, const struct type *type, const struct column *col, int64_t row,
                          const uint8_t *p, const uint8_t **behind)
{
    size_t before = self->out->size;
    bool any = false;
    text_add_char(self->out, '{');
    for (p = json_blanks(p + 1, self->end); *p != '}'; p = json_blanks(p, self->end)) {
        if (*p == ',') {
            p++;
            continue;
        }
        size_t member = self->out->size;
        const uint8_t *value = json_blanks(json_skip_name(p, self->end), self->end);
        text_clear(&self->name);
        json_text_string(p + 1, self->end, *p, &self->name);
        int32_t field = type_field_index(type, self->name.data != NULL ? self->name.data : "", false);
        bool rescued = field < 0;
        text_add_string(self->out, any ? "," : "");
        json_text_quote(text_view(&self->name), false, self->out);
        text_add_char(self->out, ':');
        if (field >= 0) {
            rescued = field_rescue(self, type->fields[field].type, &col->children[field], row, value, &p);
        } else {
            p = json_skip(value, self->end, 0);
            text_add(self->out, value, (size_t)(p - value));
        }
        if (!rescued)
            text_cut(self->out, member);
        any = any || rescued;
    }
    text_add_char(self->out, '}');
    if (!any)
        text_cut(self->out, before);
    *behind = p + 1;
    return any;
}

bool json_rescue(struct bytes record, const struct type *schema, const struct column *decoded, int64_t row,
                 struct text *out)
{
    struct rescue self = {.end = record.data + record.size, .out = out};
    const uint8_t *p = json_blanks(record.data, self.end), *behind;
    bool whole = p < self.end && *p == '{' && json_skip(p, self.end, 0) != NULL;
    bool any = whole && object_rescue(&self, schema, decoded, row, p, &behind);
    text_free(&self.name);
    return any;
}

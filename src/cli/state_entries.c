#include "cli/state_entries.h"

#include <stdio.h>
#include <strings.h>

#include "format/format.h"

/* ---- the filter ---- */

enum code entry_filter_parse(const struct strings *where, struct entry_filter *out, struct error *err)
{
    *out = (struct entry_filter){.conditions = mem_array(struct entry_condition, (size_t)where->count)};
    for (int32_t i = 0; i < where->count; i++) {
        const char *equals = strchr(where->items[i], '=');
        if (equals == NULL || equals == where->items[i])
            return fail(err, E_USAGE, "--where %s: expected COLUMN=VALUE", where->items[i]);
        struct entry_condition *condition = &out->conditions[out->count++];
        condition->column = mem_strdup(where->items[i]);
        condition->column[equals - where->items[i]] = '\0';
        condition->value = mem_strdup(equals + 1);
    }
    return E_OK;
}

void entry_filter_free(struct entry_filter *self)
{
    for (int32_t i = 0; i < self->count; i++) {
        mem_free(self->conditions[i].column);
        mem_free(self->conditions[i].value);
    }
    mem_free(self->conditions);
    *self = (struct entry_filter){0};
}

/* The field `name` begins with: the whole of it, or up to a dot; *rest is what follows the dot, or NULL. */
static bool begins_with_field(const char *name, const char *field, const char **rest)
{
    size_t size = strlen(field);
    if (strncasecmp(name, field, size) != 0 || (name[size] != '\0' && name[size] != '.'))
        return false;
    *rest = name[size] == '.' ? name + size + 1 : NULL;
    return true;
}

/* Some column called `name`, here or in a struct below. */
static bool has_column(const struct type *schema, const char *name)
{
    for (int32_t i = 0; i < schema->field_count; i++) {
        const struct type *type = schema->fields[i].type;
        const char *rest;
        bool inside = type->id == TYPE_STRUCT;
        if (begins_with_field(name, schema->fields[i].name, &rest) &&
            (rest == NULL || (inside && has_column(type, rest))))
            return true;
        if (inside && has_column(type, name))
            return true;
    }
    return false;
}

const char *entry_filter_missing(const struct entry_filter *self, const struct type *schema)
{
    for (int32_t i = 0; i < self->count; i++)
        if (!has_column(schema, self->conditions[i].column))
            return self->conditions[i].column;
    return NULL;
}

static bool cell_equals(const struct column *col, int64_t row, const char *value, const struct zone *zone)
{
    struct text cell = {0};
    column_show(col, row, zone, &cell);
    bool equal = bytes_equal_string(text_view(&cell), value);
    text_free(&cell);
    return equal;
}

/* A field of this name here hides those in structs below. */
static bool any_equals(const struct type *schema, const struct column *columns, int64_t row, const char *name,
                       const char *value, const struct zone *zone)
{
    const char *rest;
    for (int32_t i = 0; i < schema->field_count; i++) {
        const struct type *type = schema->fields[i].type;
        if (!begins_with_field(name, schema->fields[i].name, &rest))
            continue;
        if (rest == NULL)
            return cell_equals(&columns[i], row, value, zone);
        if (type->id == TYPE_STRUCT && has_column(type, rest))
            return !column_is_null(&columns[i], row) && any_equals(type, columns[i].children, row, rest, value, zone);
    }
    for (int32_t i = 0; i < schema->field_count; i++) {
        const struct type *type = schema->fields[i].type;
        if (type->id == TYPE_STRUCT && !column_is_null(&columns[i], row) &&
            any_equals(type, columns[i].children, row, name, value, zone))
            return true;
    }
    return false;
}

bool entry_matches(const struct entry_filter *self, const struct batch *batch, int64_t row, const struct zone *zone)
{
    for (int32_t i = 0; i < self->count; i++)
        if (!any_equals(batch->schema, batch->columns, row, self->conditions[i].column, self->conditions[i].value,
                        zone))
            return false;
    return true;
}

/* ---- the entries ---- */

enum code entries_open(struct entries *self, const struct entries_spec *spec, struct error *err)
{
    *self = (struct entries){.spec = *spec, .open = true};
    show_init(&self->show, spec->schema, spec->zone, spec->limit, 0);
    if (!spec->json)
        return E_OK;
    const struct encoder_type *encoder = encoder_find("json");
    const struct encoder_spec encoding = {.schema = spec->schema, .zone = spec->zone, .created_by = "leat"};
    self->encoder = encoder;
    self->lane = mem_zero(encoder->lane_size);
    return encoder->lane_open(self->lane, &encoding, err);
}

/* The encoder's lines, each as {"operator":"..","entry":{..}}. */
static void lines_wrap(struct entries *self, struct bytes lines)
{
    while (lines.size > 0) {
        const uint8_t *end = memchr(lines.data, '\n', lines.size);
        size_t size = end == NULL ? lines.size : (size_t)(end - lines.data);
        text_add_string(&self->lines, "{\"operator\":");
        quote_json(&self->lines, self->spec.name);
        text_add_string(&self->lines, ",\"entry\":");
        text_add(&self->lines, lines.data, size);
        text_add_string(&self->lines, "}\n");
        size += end != NULL;
        lines = bytes_of(lines.data + size, lines.size - size);
    }
}

static enum code json_add(struct entries *self, const struct batch *rows, int64_t count, struct error *err)
{
    const struct encoder_type *encoder = self->encoder;
    struct piece piece = {0};
    TRY(encoder->lane_add(self->lane, rows, 0, count, err));
    TRY(encoder->lane_take(self->lane, &piece, err));
    lines_wrap(self, text_view(&piece.bytes));
    encoder->piece_close(&piece);
    return E_OK;
}

enum code entries_add(struct entries *self, const struct batch *batch, struct error *err)
{
    int32_t *rows = mem_array(int32_t, (size_t)batch->rows);
    int64_t count = 0, room = self->spec.limit - self->matched;
    for (int64_t row = 0; row < batch->rows; row++)
        if (entry_matches(self->spec.filter, batch, row, self->spec.zone))
            rows[count++] = (int32_t)row;
    self->matched += count;
    room = room < 0 ? 0 : room < count ? room : count;
    struct batch shown = {0};
    enum code code = E_OK;
    if (self->spec.json && room > 0) {
        batch_gather(&shown, batch, rows, room);
        code = json_add(self, &shown, room, err);
    } else if (!self->spec.json && count > 0) {
        batch_gather(&shown, batch, rows, count); // the table says whether there are more than it shows
        show_add(&self->show, &shown);
    }
    batch_release(&shown);
    mem_free(rows);
    return code;
}

void entries_print(const struct entries *self, struct text *out)
{
    if (self->spec.json)
        text_add(out, self->lines.data, self->lines.size);
    else
        show_print(&self->show, out);
}

void entries_close(struct entries *self)
{
    if (!self->open)
        return;
    if (self->lane != NULL)
        ((const struct encoder_type *)self->encoder)->lane_close(self->lane);
    mem_free(self->lane);
    show_close(&self->show);
    text_free(&self->lines);
    *self = (struct entries){0};
}

void quote_json(struct text *out, const char *value) { text_add_json(out, bytes_of_string(value)); }

/* delta_schema.c - schemaString as types of leat; names in data files; rules that columns have.
 *
 * A type that leat does not have is NULL: the table can be read without that column.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

#include "delta/delta_internal.h"
#include "format/format.h"

enum { NESTING_MAX = 64, FIELDS_MAX = 100000 };

enum naming { NAMED_LOGICALLY, NAMED_PHYSICALLY, NAMED_BY_ID };
struct reading {
    struct arena *arena;
    enum naming naming; /* of fields */
    int depth;
};

static const struct type *type_read(struct reading *self, const json_t *json);

/* ---- types ---- */

static const struct type *decimal_read(struct reading *self, const char *name)
{
    int precision = 10, scale = 0, end = 0;
    if (strcmp(name, "decimal") != 0 &&
        (sscanf(name, "decimal(%d,%d)%n", &precision, &scale, &end) != 2 || name[end] != '\0'))
        return NULL;
    bool fits = precision >= 1 && precision <= 38 && scale >= 0 && scale <= precision;
    return fits ? type_decimal(self->arena, precision, scale) : NULL;
}

static const struct type *simple_read(struct reading *self, const char *name)
{
    static const struct {
        const char *name;
        enum type_id id;
    } types[] = {{"string", TYPE_STRING},       {"long", TYPE_INT64},
                 {"integer", TYPE_INT32},       {"short", TYPE_INT16},
                 {"byte", TYPE_INT8},           {"float", TYPE_FLOAT},
                 {"double", TYPE_DOUBLE},       {"boolean", TYPE_BOOLEAN},
                 {"binary", TYPE_BINARY},       {"date", TYPE_DATE},
                 {"timestamp", TYPE_TIMESTAMP}, {"timestamp_ntz", TYPE_TIMESTAMP_NTZ},
                 {"variant", TYPE_VARIANT},     {"void", TYPE_NULL}};
    if (strncmp(name, "decimal", 7) == 0)
        return decimal_read(self, name);
    for (size_t i = 0; i < sizeof types / sizeof *types; i++)
        if (strcmp(types[i].name, name) == 0)
            return type_of(types[i].id);
    return NULL;
}

static const char *name_of(const json_t *field, enum naming naming, struct arena *arena)
{
    const char *name = json_string_value(json_object_get(field, "name"));
    const json_t *metadata = json_object_get(field, "metadata");
    const char *mapped = json_string_value(json_object_get(metadata, "delta.columnMapping.physicalName"));
    if (name != NULL && naming == NAMED_BY_ID)
        return arena_printf(arena, PARQUET_BY_ID "%" PRId64,
                            (int64_t)json_integer_value(json_object_get(metadata, "delta.columnMapping.id")));
    return naming != NAMED_LOGICALLY && mapped != NULL ? mapped : name;
}

static bool is_nullable(const json_t *json, const char *member)
{
    return !json_is_false(json_object_get(json, member));
}

static const struct type *struct_read(struct reading *self, const json_t *json)
{
    const json_t *fields = json_object_get(json, "fields"), *field;
    size_t count = json_array_size(fields), i;
    if (!json_is_array(fields) || count > FIELDS_MAX)
        return NULL;
    struct field *out = arena_array(self->arena, struct field, count);
    json_array_foreach(fields, i, field)
    {
        const char *name = name_of(field, self->naming, self->arena);
        const struct type *type = type_read(self, json_object_get(field, "type"));
        if (name == NULL || type == NULL)
            return NULL;
        out[i] = (struct field){arena_strdup(self->arena, name), type, is_nullable(field, "nullable")};
    }
    return type_struct(self->arena, out, (int32_t)count);
}

static const struct type *nested_read(struct reading *self, const json_t *json)
{
    const char *kind = json_string_value(json_object_get(json, "type"));
    if (kind == NULL)
        return NULL;
    if (strcmp(kind, "struct") == 0)
        return struct_read(self, json);
    bool map = strcmp(kind, "map") == 0;
    if (!map && strcmp(kind, "array") != 0)
        return NULL;
    const struct type *first = type_read(self, json_object_get(json, map ? "keyType" : "elementType"));
    if (first == NULL || !map)
        return first == NULL ? NULL : type_array(self->arena, first, is_nullable(json, "containsNull"));
    const struct type *value = type_read(self, json_object_get(json, "valueType"));
    return value == NULL ? NULL : type_map(self->arena, first, value, is_nullable(json, "valueContainsNull"));
}

static const struct type *type_read(struct reading *self, const json_t *json)
{
    if (json_is_string(json))
        return simple_read(self, json_string_value(json));
    if (self->depth == NESTING_MAX)
        return NULL;
    self->depth++;
    const struct type *type = nested_read(self, json);
    self->depth--;
    return type;
}

/* ---- columns ---- */

/* What writers have to see to, in the column or below it. */
static const char *rule_find(const json_t *field, int depth)
{
    static const char *const rules[] = {"delta.invariants",     "delta.generationExpression",
                                        "delta.identity.start", "delta.identity.step",
                                        "CURRENT_DEFAULT",      "__CHAR_VARCHAR_TYPE_STRING"};
    const json_t *metadata = json_object_get(field, "metadata"), *type = json_object_get(field, "type"), *child;
    size_t i;
    for (size_t k = 0; k < sizeof rules / sizeof *rules; k++)
        if (json_object_get(metadata, rules[k]) != NULL)
            return rules[k];
    const json_t *fields = json_object_get(type, "fields");
    const char *found = NULL;
    json_array_foreach(fields, i, child) if (found == NULL && depth < NESTING_MAX) found = rule_find(child, depth + 1);
    return found;
}

static enum code column_read(const json_t *field, enum naming naming, struct arena *arena, struct delta_column *out,
                             struct error *err)
{
    struct reading logical = {.arena = arena}, stored = {.arena = arena, .naming = naming};
    const char *name = name_of(field, NAMED_LOGICALLY, arena);
    if (name == NULL)
        return fail(err, E_CORRUPT, "the schema has a column without a name");
    *out = (struct delta_column){
        .name = arena_strdup(arena, name),
        .physical = arena_strdup(arena, name_of(field, naming != NAMED_LOGICALLY ? NAMED_PHYSICALLY : naming, arena)),
        .stored = arena_strdup(arena, name_of(field, naming, arena)),
        .type = type_read(&logical, json_object_get(field, "type")),
        .nullable = is_nullable(field, "nullable"),
        .rule = rule_find(field, 0),
    };
    out->stored_type = naming != NAMED_LOGICALLY ? type_read(&stored, json_object_get(field, "type")) : out->type;
    return E_OK;
}

enum code delta_schema_parse(const struct delta_metadata *metadata, struct arena *arena, struct delta_schema *out,
                             struct error *err)
{
    const char *mode = delta_map_get(&metadata->configuration, "delta.columnMapping.mode");
    struct delta_schema schema = {.mapped = mode != NULL && strcasecmp(mode, "none") != 0};
    enum naming naming = !schema.mapped                ? NAMED_LOGICALLY
                         : strcasecmp(mode, "id") == 0 ? NAMED_BY_ID
                                                       : NAMED_PHYSICALLY;
    json_t *json = metadata->schema != NULL ? json_loads(metadata->schema, 0, NULL) : NULL;
    json_t *fields = json_object_get(json, "fields"), *field;
    enum code code = E_OK;
    size_t i;
    if (!json_is_array(fields) || json_array_size(fields) > FIELDS_MAX)
        code = fail(err, E_CORRUPT, "the log has no schema");
    schema.columns = arena_array(arena, struct delta_column, json_array_size(fields));
    json_array_foreach(fields, i, field) if (code == E_OK) code =
        column_read(field, naming, arena, &schema.columns[schema.count++], err);
    json_decref(json);
    if (code == E_OK)
        *out = schema;
    return code;
}

const struct delta_column *delta_schema_find(const struct delta_schema *schema, const char *name)
{
    for (int32_t i = 0; i < schema->count; i++)
        if (strcasecmp(schema->columns[i].name, name) == 0)
            return &schema->columns[i];
    return NULL;
}

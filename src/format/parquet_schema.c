#include "format/parquet_internal.h"

/* Types to leaves, and to the SchemaElements of the footer. Lists and maps have the three levels that the
 * specification asks for:
 *     optional group tags (LIST) { repeated group list { optional T element } }
 *     optional group m (MAP) { repeated group key_value { required K key; optional V value } } */

/* ConvertedType: what readers from before LogicalType look at. */
enum {
    CONVERTED_UTF8 = 0,
    CONVERTED_MAP = 1,
    CONVERTED_LIST = 3,
    CONVERTED_DECIMAL = 5,
    CONVERTED_DATE = 6,
    CONVERTED_TIMESTAMP_MICROS = 10,
    CONVERTED_INT_8 = 15,
    CONVERTED_INT_16 = 16
};
enum { REPETITION_REQUIRED = 0, REPETITION_OPTIONAL = 1, REPETITION_REPEATED = 2 };

/* Field ids of SchemaElement. */
enum {
    ELEMENT_TYPE = 1,
    ELEMENT_TYPE_LENGTH = 2,
    ELEMENT_REPETITION = 3,
    ELEMENT_NAME = 4,
    ELEMENT_NUM_CHILDREN = 5,
    ELEMENT_CONVERTED = 6,
    ELEMENT_SCALE = 7,
    ELEMENT_PRECISION = 8,
    ELEMENT_LOGICAL = 10
};
/* Members of the union LogicalType. */
enum {
    LOGICAL_STRING = 1,
    LOGICAL_MAP = 2,
    LOGICAL_LIST = 3,
    LOGICAL_DECIMAL = 5,
    LOGICAL_DATE = 6,
    LOGICAL_TIMESTAMP = 8,
    LOGICAL_INTEGER = 10,
    LOGICAL_VARIANT = 16
};

/* ---- leaves ---- */

/* ORDER TYPE. False: Parquet has no place for it. */
static bool physical_of(const struct type *type, enum parquet_physical *physical, int32_t *width)
{
    static const struct {
        enum parquet_physical physical;
        int32_t width;
    } plain[TYPE_COUNT] = {
        [TYPE_BOOLEAN] = {PARQUET_BOOLEAN, 0},   [TYPE_INT8] = {PARQUET_INT32, 4},
        [TYPE_INT16] = {PARQUET_INT32, 4},       [TYPE_INT32] = {PARQUET_INT32, 4},
        [TYPE_INT64] = {PARQUET_INT64, 8},       [TYPE_FLOAT] = {PARQUET_FLOAT, 4},
        [TYPE_DOUBLE] = {PARQUET_DOUBLE, 8},     [TYPE_STRING] = {PARQUET_BYTE_ARRAY, 0},
        [TYPE_BINARY] = {PARQUET_BYTE_ARRAY, 0}, [TYPE_DATE] = {PARQUET_INT32, 4},
        [TYPE_TIMESTAMP] = {PARQUET_INT64, 8},   [TYPE_TIMESTAMP_NTZ] = {PARQUET_INT64, 8},
        [TYPE_INTERVAL_DT] = {PARQUET_INT64, 8}, [TYPE_INTERVAL_YM] = {PARQUET_INT32, 4},
    };
    if (type->id == TYPE_NULL || type->id == TYPE_VARIANT || type_is_nested(type))
        return false;
    *physical = plain[type->id].physical;
    *width = plain[type->id].width;
    if (type->id == TYPE_DECIMAL) {
        *physical = type->precision <= 9 ? PARQUET_INT32 : type->precision <= 18 ? PARQUET_INT64 : PARQUET_FIXED;
        *width = *physical == PARQUET_INT32 ? 4 : 8;
        /* Least size whose signed range holds 10^precision - 1. */
        while (*physical == PARQUET_FIXED && (decimal_power10(type->precision) - 1) >> (*width * 8 - 1) != 0)
            (*width)++;
    }
    return true;
}

/* Where the walk through the schema is. */
struct walk {
    struct parquet_schema *schema;
    struct arena *arena;
    int32_t column, step_count, path_count, leaf_capacity;
    struct parquet_step steps[PARQUET_NESTING_MAX];
    const char *path[PARQUET_NESTING_MAX];
};

static enum code walk_refuse(const struct walk *walk, const struct type *type, struct error *err)
{
    struct text path = {0}, name = {0};
    for (int32_t i = 0; i < walk->path_count; i++)
        text_printf(&path, "%s%s", i > 0 ? "." : "", walk->path[i]);
    type_print(type, &name);
    const char *why = type->id == TYPE_STRUCT && type->field_count == 0 ? "a struct without fields"
                      : type_is_nested(type)                            ? "deeper nesting than leat allows"
                                                                        : name.data;
    enum code code = fail(err, E_UNSUPPORTED, "parquet: column %s: %s has no place in a Parquet file", path.data, why);
    text_free(&path);
    text_free(&name);
    return code;
}

static enum code leaf_add(struct walk *walk, const struct type *type, struct error *err)
{
    struct parquet_leaf leaf = {.type = type, .column = walk->column};
    if (!physical_of(type, &leaf.physical, &leaf.width))
        return walk_refuse(walk, type, err);
    struct parquet_step *steps = arena_array(walk->arena, struct parquet_step, (size_t)walk->step_count);
    const char **path = arena_array(walk->arena, const char *, (size_t)walk->path_count);
    memcpy(steps, walk->steps, (size_t)walk->step_count * sizeof *steps);
    memcpy(path, walk->path, (size_t)walk->path_count * sizeof *path);
    for (int32_t i = 0; i < walk->step_count; i++) {
        if (steps[i].kind == STEP_OPTIONAL || steps[i].kind == STEP_REPEATED)
            leaf.definition_max++;
        if (steps[i].kind == STEP_REPEATED)
            leaf.repetition_max++;
    }
    leaf.steps = steps;
    leaf.step_count = walk->step_count;
    leaf.path = path;
    leaf.path_count = walk->path_count;

    struct parquet_schema *schema = walk->schema;
    if (schema->leaf_count == walk->leaf_capacity) {
        int32_t capacity = walk->leaf_capacity * 2 + 16;
        struct parquet_leaf *leaves = arena_array(walk->arena, struct parquet_leaf, (size_t)capacity);
        if (schema->leaf_count > 0)
            memcpy(leaves, schema->leaves, (size_t)schema->leaf_count * sizeof *leaves);
        schema->leaves = leaves;
        walk->leaf_capacity = capacity;
    }
    schema->leaves[schema->leaf_count++] = leaf;
    return E_OK;
}

static enum code walk_field(struct walk *walk, const char *name, const struct type *type, bool required,
                            struct error *err);

static enum code walk_children(struct walk *walk, const struct type *type, struct error *err)
{
    static const char *const names_of_list[] = {"element"}, *const names_of_map[] = {"key", "value"};
    for (int32_t i = 0; i < type->field_count; i++) {
        bool repeated = type->id != TYPE_STRUCT;
        const char *name = type->fields[i].name;
        if (repeated) {
            walk->path[walk->path_count++] = type->id == TYPE_MAP ? "key_value" : "list";
            name = type->id == TYPE_MAP ? names_of_map[i] : names_of_list[i];
        }
        walk->steps[walk->step_count++] = (struct parquet_step){repeated ? STEP_REPEATED : STEP_FIELD, i};
        TRY(walk_field(walk, name, type->fields[i].type, type->id == TYPE_MAP && i == 0, err));
        walk->step_count--;
        walk->path_count -= repeated;
    }
    return E_OK;
}

static enum code walk_variant(struct walk *walk, struct error *err)
{
    const struct type *group = parquet_variant_group();
    for (int32_t i = 0; i < group->field_count; i++) {
        walk->steps[walk->step_count++] = (struct parquet_step){STEP_FIELD, i};
        TRY(walk_field(walk, group->fields[i].name, group->fields[i].type, true, err));
        walk->step_count--;
    }
    return E_OK;
}

static enum code walk_field(struct walk *walk, const char *name, const struct type *type, bool required,
                            struct error *err)
{
    walk->path[walk->path_count++] = name;
    walk->steps[walk->step_count++] = (struct parquet_step){required ? STEP_REQUIRED : STEP_OPTIONAL, 0};
    enum code code;
    if (!type_is_nested(type) && type->id != TYPE_VARIANT)
        code = leaf_add(walk, type, err);
    else if ((type->field_count == 0 && type->id != TYPE_VARIANT) || walk->path_count + 2 > PARQUET_NESTING_MAX ||
             walk->step_count + 2 > PARQUET_NESTING_MAX)
        code = walk_refuse(walk, type, err);
    else if (type->id == TYPE_VARIANT)
        code = walk_variant(walk, err);
    else
        code = walk_children(walk, type, err);
    walk->path_count--;
    walk->step_count--;
    return code;
}

enum code parquet_schema_init(struct parquet_schema *schema, const struct type *type, struct arena *arena,
                              struct error *err)
{
    *schema = (struct parquet_schema){.type = type};
    struct walk walk = {.schema = schema, .arena = arena};
    if (type->field_count == 0)
        return fail(err, E_UNSUPPORTED, "parquet: a file needs at least one column");
    for (int32_t i = 0; i < type->field_count; i++) {
        walk.column = i;
        TRY(walk_field(&walk, type->fields[i].name, type->fields[i].type, false, err));
    }
    return E_OK;
}

/* ---- elements of the footer ---- */

static int32_t count_elements(const struct type *type)
{
    int32_t count = 1 + (type->id == TYPE_ARRAY || type->id == TYPE_MAP) + 2 * (type->id == TYPE_VARIANT);
    for (int32_t i = 0; i < type->field_count; i++)
        count += count_elements(type->fields[i].type);
    return count;
}

/* LogicalType is a union: a struct with one member, which is a struct again. */
static void logical_begin(struct thrift *thrift, int16_t member)
{
    thrift_struct(thrift, ELEMENT_LOGICAL);
    thrift_struct(thrift, member);
}

static void logical_end(struct thrift *thrift)
{
    thrift_end(thrift);
    thrift_end(thrift);
}

static void annotate(struct thrift *thrift, int32_t converted, int16_t member)
{
    thrift_i32(thrift, ELEMENT_CONVERTED, converted);
    logical_begin(thrift, member);
    logical_end(thrift);
}

static void annotate_variant(struct thrift *thrift)
{
    logical_begin(thrift, LOGICAL_VARIANT);
    thrift_i8(thrift, 1, 1); /* version of the specification */
    logical_end(thrift);
}

static void annotate_decimal(struct thrift *thrift, const struct type *type)
{
    thrift_i32(thrift, ELEMENT_CONVERTED, CONVERTED_DECIMAL);
    thrift_i32(thrift, ELEMENT_SCALE, type->scale);
    thrift_i32(thrift, ELEMENT_PRECISION, type->precision);
    logical_begin(thrift, LOGICAL_DECIMAL);
    thrift_i32(thrift, 1, type->scale);
    thrift_i32(thrift, 2, type->precision);
    logical_end(thrift);
}

static void annotate_integer(struct thrift *thrift, int8_t bits)
{
    thrift_i32(thrift, ELEMENT_CONVERTED, bits == 8 ? CONVERTED_INT_8 : CONVERTED_INT_16);
    logical_begin(thrift, LOGICAL_INTEGER);
    thrift_i8(thrift, 1, bits);
    thrift_bool(thrift, 2, true); /* signed */
    logical_end(thrift);
}

/* No converted type exists for local timestamps. */
static void annotate_timestamp(struct thrift *thrift, bool utc)
{
    enum { UNIT = 2, UNIT_MICROS = 2 };
    if (utc)
        thrift_i32(thrift, ELEMENT_CONVERTED, CONVERTED_TIMESTAMP_MICROS);
    logical_begin(thrift, LOGICAL_TIMESTAMP);
    thrift_bool(thrift, 1, utc);
    thrift_struct(thrift, UNIT);
    thrift_struct(thrift, UNIT_MICROS);
    thrift_end(thrift);
    thrift_end(thrift);
    logical_end(thrift);
}

/* ORDER TYPE. Types not listed need no annotation. */
static void annotate_leaf(struct thrift *thrift, const struct type *type)
{
    if (type->id == TYPE_INT8)
        annotate_integer(thrift, 8);
    else if (type->id == TYPE_INT16)
        annotate_integer(thrift, 16);
    else if (type->id == TYPE_DECIMAL)
        annotate_decimal(thrift, type);
    else if (type->id == TYPE_STRING)
        annotate(thrift, CONVERTED_UTF8, LOGICAL_STRING);
    else if (type->id == TYPE_DATE)
        annotate(thrift, CONVERTED_DATE, LOGICAL_DATE);
    else if (type->id == TYPE_TIMESTAMP || type->id == TYPE_TIMESTAMP_NTZ)
        annotate_timestamp(thrift, type->id == TYPE_TIMESTAMP);
}

static void element_group(struct thrift *thrift, int32_t repetition, const char *name, int32_t children)
{
    thrift_item_struct(thrift);
    thrift_i32(thrift, ELEMENT_REPETITION, repetition);
    thrift_binary(thrift, ELEMENT_NAME, bytes_of_string(name));
    thrift_i32(thrift, ELEMENT_NUM_CHILDREN, children);
}

static void element_leaf(struct thrift *thrift, int32_t repetition, const char *name, const struct type *type)
{
    enum parquet_physical physical;
    int32_t width;
    always(physical_of(type, &physical, &width));
    thrift_item_struct(thrift);
    thrift_i32(thrift, ELEMENT_TYPE, (int32_t)physical);
    if (physical == PARQUET_FIXED)
        thrift_i32(thrift, ELEMENT_TYPE_LENGTH, width);
    thrift_i32(thrift, ELEMENT_REPETITION, repetition);
    thrift_binary(thrift, ELEMENT_NAME, bytes_of_string(name));
    annotate_leaf(thrift, type);
    thrift_end(thrift);
}

static void element(struct thrift *thrift, int32_t repetition, const char *name, const struct type *type)
{
    switch (type->id) {
    case TYPE_STRUCT:
        element_group(thrift, repetition, name, type->field_count);
        thrift_end(thrift);
        for (int32_t i = 0; i < type->field_count; i++)
            element(thrift, REPETITION_OPTIONAL, type->fields[i].name, type->fields[i].type);
        break;
    case TYPE_ARRAY:
        element_group(thrift, repetition, name, 1);
        annotate(thrift, CONVERTED_LIST, LOGICAL_LIST);
        thrift_end(thrift);
        element_group(thrift, REPETITION_REPEATED, "list", 1);
        thrift_end(thrift);
        element(thrift, REPETITION_OPTIONAL, "element", type->fields[0].type);
        break;
    case TYPE_MAP:
        element_group(thrift, repetition, name, 1);
        annotate(thrift, CONVERTED_MAP, LOGICAL_MAP);
        thrift_end(thrift);
        element_group(thrift, REPETITION_REPEATED, "key_value", 2);
        thrift_end(thrift);
        element(thrift, REPETITION_REQUIRED, "key", type->fields[0].type);
        element(thrift, REPETITION_OPTIONAL, "value", type->fields[1].type);
        break;
    case TYPE_VARIANT:
        element_group(thrift, repetition, name, 2);
        annotate_variant(thrift);
        thrift_end(thrift);
        for (int32_t i = 0; i < 2; i++)
            element(thrift, REPETITION_REQUIRED, parquet_variant_group()->fields[i].name, type_of(TYPE_BINARY));
        break;
    default: element_leaf(thrift, repetition, name, type); break;
    }
}

void parquet_schema_write(const struct parquet_schema *schema, struct thrift *thrift, int16_t id)
{
    thrift_list(thrift, id, THRIFT_STRUCT, (size_t)count_elements(schema->type));
    thrift_item_struct(thrift);
    thrift_binary(thrift, ELEMENT_NAME, bytes_of_string("schema"));
    thrift_i32(thrift, ELEMENT_NUM_CHILDREN, schema->type->field_count);
    thrift_end(thrift);
    for (int32_t i = 0; i < schema->type->field_count; i++)
        element(thrift, REPETITION_OPTIONAL, schema->type->fields[i].name, schema->type->fields[i].type);
}

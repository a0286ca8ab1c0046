/* parquet_shredded.c - a VARIANT whose values are in columns of their own, put together again.
 *
 *   group v (VARIANT) {                            neither value nor typed_value: nothing is there (a member that is missing)
 *       binary metadata;                           value: the value is no T
 *       binary value;                              typed_value: it is a T
 *       T typed_value;                             both: an object, whose other members are in `value`
 *   }                                              T: a type; a list of such groups, a group of them: members by name
 *
 * Out      rows with a metadata of their own: the file's may name what a row has not, and Spark's readers look only at a row's
 * Spec     github.com/apache/parquet-format: VariantShredding.md
 */
#include "format/parquet_read.h"

#include <string.h>

struct shredded {
    struct variant_builder builder;
    struct bytes metadata; /* of the row */
};
/* One row of a group. */
struct part {
    const struct column *value, *typed; /* NULL: not there */
};

static bool part_put(struct shredded *self, const struct column *group, int64_t row);

static const struct column *child_find(const struct column *group, const char *name)
{
    for (int32_t i = 0; i < group->child_count; i++)
        if (strcmp(group->type->fields[i].name, name) == 0)
            return &group->children[i];
    return NULL;
}

static struct part part_at(const struct column *group, int64_t row)
{
    struct part part = {child_find(group, "value"), child_find(group, "typed_value")};
    if (part.value != NULL && !column_valid_at(part.value, row))
        part.value = NULL;
    if (part.typed != NULL && !column_valid_at(part.typed, row))
        part.typed = NULL;
    return part;
}

static void number_put(struct variant_builder *builder, const struct column *col, int64_t row)
{
    switch (col->type->id) {
    case TYPE_INT8: variant_put_integer(builder, column_values(col, int8_t)[row]); break;
    case TYPE_INT16: variant_put_integer(builder, column_values(col, int16_t)[row]); break;
    case TYPE_INT32: variant_put_integer(builder, column_values(col, int32_t)[row]); break;
    case TYPE_INT64: variant_put_integer(builder, column_values(col, int64_t)[row]); break;
    case TYPE_DATE: variant_put_date(builder, column_values(col, int32_t)[row]); break;
    case TYPE_TIMESTAMP: variant_put_timestamp(builder, column_values(col, int64_t)[row], true); break;
    default: variant_put_timestamp(builder, column_values(col, int64_t)[row], false); break;
    }
}

/* False: VARIANT has no such type. */
static bool scalar_put(struct variant_builder *builder, const struct column *col, int64_t row)
{
    const struct type *type = col->type;
    switch (type->id) {
    case TYPE_BOOLEAN: variant_put_boolean(builder, bit_get(col->values->data, row)); return true;
    case TYPE_FLOAT: variant_put_float(builder, column_values(col, float)[row]); return true;
    case TYPE_DOUBLE: variant_put_double(builder, column_values(col, double)[row]); return true;
    case TYPE_STRING: variant_put_string(builder, column_bytes_at(col, row)); return true;
    case TYPE_BINARY: variant_put_binary(builder, column_bytes_at(col, row)); return true;
    case TYPE_DECIMAL: variant_put_decimal(builder, column_decimal_at(col, row), type->scale); return true;
    case TYPE_INT8:
    case TYPE_INT16:
    case TYPE_INT32:
    case TYPE_INT64:
    case TYPE_DATE:
    case TYPE_TIMESTAMP:
    case TYPE_TIMESTAMP_NTZ: number_put(builder, col, row); return true;
    default: return false;
    }
}

static bool array_put(struct shredded *self, const struct column *list, int64_t row)
{
    const int32_t *offsets = column_offsets(list);
    struct variant_mark mark = variant_open_list(&self->builder);
    for (int32_t i = offsets[row]; i < offsets[row + 1]; i++) {
        variant_item(&self->builder);
        if (!part_put(self, &list->children[0], i))
            return false;
    }
    variant_close_array(&self->builder, mark);
    return true;
}

/* Members that no column has. */
static bool rest_put(struct shredded *self, const struct column *value, int64_t row)
{
    struct variant rest, member;
    struct bytes name;
    if (!variant_open(self->metadata, column_bytes_at(value, row), &rest) || rest.kind != VARIANT_OBJECT)
        return false;
    for (int32_t i = 0; i < rest.count; i++) {
        if (!variant_name(&rest, i, &name) || !variant_element(&rest, i, &member))
            return false;
        variant_field(&self->builder, name);
        if (!variant_put_copy(&self->builder, &member, 0))
            return false;
    }
    return true;
}

static bool object_put(struct shredded *self, struct part part, int64_t row)
{
    struct variant_mark mark = variant_open_list(&self->builder);
    for (int32_t i = 0; i < part.typed->child_count; i++) {
        const struct column *member = &part.typed->children[i];
        struct part at = part_at(member, row);
        if (at.value == NULL && at.typed == NULL)
            continue;
        variant_field(&self->builder, bytes_of_string(part.typed->type->fields[i].name));
        if (!part_put(self, member, row))
            return false;
    }
    if (part.value != NULL && !rest_put(self, part.value, row))
        return false;
    return variant_close_object(&self->builder, mark);
}

static bool part_put(struct shredded *self, const struct column *group, int64_t row)
{
    struct part part = part_at(group, row);
    struct variant value;
    if (part.typed != NULL && part.typed->type->id == TYPE_STRUCT)
        return object_put(self, part, row);
    if (part.typed != NULL && part.value != NULL)
        return false;
    if (part.typed != NULL && part.typed->type->id == TYPE_ARRAY)
        return array_put(self, part.typed, row);
    if (part.typed != NULL)
        return scalar_put(&self->builder, part.typed, row);
    if (part.value != NULL)
        return variant_open(self->metadata, column_bytes_at(part.value, row), &value) &&
               variant_put_copy(&self->builder, &value, 0);
    variant_put_null(&self->builder); // where something must be
    return true;
}

/* ---- the shape ---- */

static bool group_fits(const struct type *group);

/* Is it what a typed_value may be? */
static bool typed_fits(const struct type *type)
{
    if (type->id == TYPE_ARRAY)
        return group_fits(type->fields[0].type);
    for (int32_t i = 0; type->id == TYPE_STRUCT && i < type->field_count; i++)
        if (!group_fits(type->fields[i].type))
            return false;
    return type->id != TYPE_MAP && type->id != TYPE_VARIANT;
}

static bool group_fits(const struct type *group)
{
    bool has_part = false;
    for (int32_t i = 0; group->id == TYPE_STRUCT && i < group->field_count; i++) {
        const struct field *field = &group->fields[i];
        bool is_typed = strcmp(field->name, "typed_value") == 0;
        bool is_binary = field->type->id == TYPE_BINARY;
        if (is_typed ? !typed_fits(field->type) : !is_binary)
            return false;
        if (!is_typed && strcmp(field->name, "value") != 0 && strcmp(field->name, "metadata") != 0)
            return false;
        has_part |= strcmp(field->name, "metadata") != 0;
    }
    return has_part;
}

bool parquet_shredded_fits(const struct type *group)
{
    bool has_metadata = false;
    for (int32_t i = 0; group->id == TYPE_STRUCT && i < group->field_count; i++)
        has_metadata |= strcmp(group->fields[i].name, "metadata") == 0;
    return has_metadata && group_fits(group);
}

/* ---- a column ---- */

static bool row_put(struct shredded *self, const struct column *group, const struct column *metadata, int64_t row)
{
    struct bytes none;
    variant_builder_clear(&self->builder);
    return column_valid_at(metadata, row) && variant_split(column_bytes_at(metadata, row), &self->metadata, &none) &&
           part_put(self, group, row) && !self->builder.overflow;
}

enum code parquet_shredded_join(const struct column *group, struct builder *out, struct error *err)
{
    const struct column *metadata = child_find(group, "metadata");
    struct shredded self = {0};
    struct text whole = {0};
    enum code code = E_OK;
    for (int64_t row = 0; code == E_OK && row < group->rows; row++) {
        if (!column_valid_at(group, row)) {
            builder_null(out);
            continue;
        }
        if (!row_put(&self, group, metadata, row)) {
            code = fail(err, E_CORRUPT, "a shredded VARIANT does not fit together");
            continue;
        }
        text_clear(&whole);
        variant_builder_take(&self.builder, &whole);
        builder_bytes(out, text_view(&whole));
    }
    text_free(&whole);
    variant_builder_free(&self.builder);
    return code;
}

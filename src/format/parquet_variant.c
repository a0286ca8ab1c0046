/* parquet_variant.c - VARIANT is a group of two BINARY columns in a file, and one run of bytes in a batch (data/variant.h).
 *
 *   optional group v (VARIANT(1)) { required binary value; required binary metadata; }      as Spark writes it
 *
 * Read     a group that says so; or, where VARIANT is asked for, any group with these two, or with those of a shredded one
 *          (parquet_shredded.c)
 */
#include "format/parquet_internal.h"
#include "format/parquet_read.h"

#include <string.h>

const struct type *parquet_variant_group(void)
{
    static const struct type binary = {.id = TYPE_BINARY};
    static const struct field fields[] = {{"value", &binary, false}, {"metadata", &binary, false}};
    static const struct type group = {.id = TYPE_STRUCT, .field_count = 2, .fields = fields};
    return &group;
}

/* ---- writing ---- */

static bool has_variant(const struct type *type)
{
    bool has = type->id == TYPE_VARIANT;
    for (int32_t i = 0; i < type->field_count; i++)
        has |= has_variant(type->fields[i].type);
    return has;
}

static enum code split_rows(const struct column *col, struct builder *value, struct builder *metadata,
                            struct error *err)
{
    for (int64_t row = 0; row < col->rows; row++) {
        struct bytes parts[2];
        if (!column_valid_at(col, row)) {
            builder_null(value);
            builder_null(metadata);
            continue;
        }
        if (!variant_split(column_bytes_at(col, row), &parts[0], &parts[1]))
            return fail(err, E_DATA, "parquet: the bytes of a VARIANT are broken");
        builder_bytes(metadata, parts[0]);
        builder_bytes(value, parts[1]);
    }
    return E_OK;
}

/* Two columns below it, in place of its bytes. */
static enum code variant_apart(const struct column *col, struct column *out, struct error *err)
{
    struct builder value, metadata;
    *out =
        (struct column){.type = col->type, .rows = col->rows, .nulls = col->nulls, .valid = buffer_retain(col->valid)};
    out->children = mem_array(struct column, 2);
    out->child_count = 2;
    builder_init(&value, type_of(TYPE_BINARY));
    builder_init(&metadata, type_of(TYPE_BINARY));
    enum code code = split_rows(col, &value, &metadata, err);
    builder_finish(&value, &out->children[0]);
    builder_finish(&metadata, &out->children[1]);
    builder_release(&value);
    builder_release(&metadata);
    return code;
}

static enum code apart(const struct column *col, struct column *out, struct error *err)
{
    if (!has_variant(col->type)) {
        column_share(out, col);
        return E_OK;
    }
    if (col->type->id == TYPE_VARIANT)
        return variant_apart(col, out, err);
    *out = (struct column){.type = col->type,
                           .rows = col->rows,
                           .nulls = col->nulls,
                           .valid = buffer_retain(col->valid),
                           .offsets = buffer_retain(col->offsets)};
    out->children = mem_array(struct column, (size_t)col->child_count);
    out->child_count = col->child_count;
    for (int32_t i = 0; i < col->child_count; i++)
        TRY(apart(&col->children[i], &out->children[i], err));
    return E_OK;
}

bool parquet_has_variants(const struct type *schema) { return has_variant(schema); }

enum code parquet_variants_apart(const struct batch *in, struct batch *out, struct error *err)
{
    batch_init(out, in->schema, in->rows);
    for (int32_t i = 0; i < in->column_count; i++)
        TRY(apart(&in->columns[i], &out->columns[i], err));
    return E_OK;
}

/* ---- reading ---- */

static bool is_part(const struct parquet_node *node, const char *name)
{
    return node->kind == TYPE_NULL && node->element->physical == PARQUET_BYTE_ARRAY &&
           node->element->repetition == FIELD_REQUIRED && strcmp(node->name, name) == 0;
}

const struct type *parquet_variant_of(const struct parquet_node *node, const struct type *group)
{
    const struct parquet_node *parts = node->children;
    if (node->child_count == 2 && ((is_part(&parts[0], "value") && is_part(&parts[1], "metadata")) ||
                                   (is_part(&parts[1], "value") && is_part(&parts[0], "metadata"))))
        return parquet_variant_group();
    return group != NULL && parquet_shredded_fits(group) ? group : NULL;
}

static enum code join_rows(const struct column *group, struct builder *out, struct error *err)
{
    struct text whole = {0};
    enum code code = E_OK;
    for (int64_t row = 0; code == E_OK && row < group->rows; row++) {
        struct bytes metadata, value;
        if (!column_valid_at(group, row)) {
            builder_null(out);
            continue;
        }
        text_clear(&whole);
        struct bytes stored = column_bytes_at(&group->children[1], row);
        struct bytes bytes = column_bytes_at(&group->children[0], row);
        text_add(&whole, stored.data, stored.size);
        if (!variant_split(text_view(&whole), &metadata, &value))
            code = fail(err, E_CORRUPT, "the metadata of a VARIANT is broken");
        whole.size = code == E_OK ? metadata.size : 0; // what stands behind it means nothing
        text_add(&whole, bytes.data, bytes.size);
        builder_bytes(out, text_view(&whole));
    }
    text_free(&whole);
    return code;
}

enum code parquet_variant_join(struct column *group, struct column *out, struct error *err)
{
    struct builder builder;
    builder_init(&builder, type_of(TYPE_VARIANT));
    enum code code = group->type == parquet_variant_group() ? join_rows(group, &builder, err)
                                                            : parquet_shredded_join(group, &builder, err);
    column_release(group);
    if (code == E_OK)
        builder_finish(&builder, out);
    builder_release(&builder);
    return code;
}

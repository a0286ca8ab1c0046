/* parquet_tree.c - schema elements, a flat list in the footer, as a tree of leat's types.
 *
 * Lists    were written in several ways over the years; the specification's rules for telling them apart
 *          are in element_is_repeated. A repeated field that no LIST stands around is a list of its own
 */
#include <string.h>

#include "format/parquet_read.h"

enum { DEPTH_MAX = PARQUET_NESTING_MAX };

struct build {
    const struct parquet_meta *meta;
    struct arena *arena;
    int32_t next; /* element to come */
    int32_t leaf;
    struct error *err;
};
/* Levels above a node. */
struct above {
    uint8_t definition, list_definition, repetition;
    int depth;
    const char *path;
};

/* ---- leaves ---- */

static const struct type *integer_type(struct arena *arena, const struct parquet_element *e)
{
    bool wide = e->physical == PARQUET_INT64;
    int bits = e->logical == LOGICAL_INTEGER ? e->bits : wide ? 64 : 32;
    bool is_signed = e->logical != LOGICAL_INTEGER || e->is_signed;
    if (wide || bits > 32)
        return is_signed ? type_of(TYPE_INT64) : type_decimal(arena, 20, 0);
    if (bits == 32)
        return type_of(is_signed ? TYPE_INT32 : TYPE_INT64);
    if (bits == 16)
        return type_of(is_signed ? TYPE_INT16 : TYPE_INT32);
    return type_of(is_signed ? TYPE_INT8 : TYPE_INT16);
}

/* Most digits that so many bytes hold. */
static int digits_of(int32_t width)
{
    if (width >= 16)
        return 38;
    int digits = 0;
    while (digits < 38 && width > 0 && (decimal_power10(digits + 1) - 1) >> (width * 8 - 1) == 0)
        digits++;
    return digits;
}

static const struct type *decimal_type(struct arena *arena, const struct parquet_element *e)
{
    int digits = e->physical == PARQUET_INT32   ? 9
                 : e->physical == PARQUET_INT64 ? 18
                 : e->physical == PARQUET_FIXED ? digits_of(e->width)
                                                : 38;
    if (e->precision < 1 || e->precision > digits || e->scale > e->precision || e->physical == PARQUET_BOOLEAN ||
        e->physical == PARQUET_FLOAT || e->physical == PARQUET_DOUBLE || e->physical == PARQUET_INT96)
        return NULL;
    return type_decimal(arena, e->precision, e->scale);
}

/* As Spark reads it; NULL: leat has no type for it. */
static const struct type *leaf_type(struct arena *arena, const struct parquet_element *e)
{
    if (e->logical == LOGICAL_DECIMAL)
        return decimal_type(arena, e);
    switch (e->physical) {
    case PARQUET_BOOLEAN: return e->logical == LOGICAL_OTHER ? NULL : type_of(TYPE_BOOLEAN);
    case PARQUET_INT32:
        if (e->logical == LOGICAL_DATE)
            return type_of(TYPE_DATE);
        return e->logical == LOGICAL_NONE || e->logical == LOGICAL_INTEGER || e->logical == LOGICAL_UNKNOWN
                   ? integer_type(arena, e)
                   : NULL;
    case PARQUET_INT64:
        if (e->logical == LOGICAL_TIMESTAMP)
            return type_of(e->utc ? TYPE_TIMESTAMP : TYPE_TIMESTAMP_NTZ);
        return e->logical == LOGICAL_NONE || e->logical == LOGICAL_INTEGER || e->logical == LOGICAL_UNKNOWN
                   ? integer_type(arena, e)
                   : NULL;
    case PARQUET_INT96: return type_of(TYPE_TIMESTAMP);
    case PARQUET_FLOAT: return type_of(TYPE_FLOAT);
    case PARQUET_DOUBLE: return type_of(TYPE_DOUBLE);
    case PARQUET_BYTE_ARRAY:
        return type_of(e->logical == LOGICAL_STRING || e->logical == LOGICAL_ENUM || e->logical == LOGICAL_JSON
                           ? TYPE_STRING
                           : TYPE_BINARY);
    default: return e->logical == LOGICAL_NONE ? type_of(TYPE_BINARY) : NULL; // FIXED
    }
}

/* ---- the walk ---- */

static enum code node_build(struct build *b, struct above above, struct parquet_node *out);
/* What stands in `e` itself: a leaf, a list, a map, or a group's fields as a STRUCT. Its levels are set. */
static enum code body_build(struct build *b, const struct parquet_element *e, struct parquet_node *out, int depth);

static enum code element_next(struct build *b, const struct parquet_element **out)
{
    if (b->next >= b->meta->element_count)
        return fail(b->err, E_CORRUPT, "the schema ends in the middle");
    *out = &b->meta->elements[b->next++];
    return E_OK;
}

static void node_begin(struct build *b, const struct parquet_element *e, struct above above, struct parquet_node *out)
{
    *out = (struct parquet_node){
        .name = e->name,
        .path = above.path != NULL ? arena_printf(b->arena, "%s.%s", above.path, e->name) : e->name,
        .element = e,
        .definition = (uint8_t)(above.definition + (e->repetition == FIELD_OPTIONAL)),
        .list_definition = above.list_definition,
        .repetition = above.repetition,
    };
}

/* Levels of what stands below a repeated field under `list`. */
static struct above below_repeated(const struct parquet_node *list, int depth)
{
    uint8_t definition = (uint8_t)(list->definition + 1);
    return (struct above){definition, definition, (uint8_t)(list->repetition + 1), depth, list->path};
}

static enum code struct_build(struct build *b, const struct parquet_element *e, struct parquet_node *out, int depth)
{
    struct above above = {out->definition, out->list_definition, out->repetition, depth + 1, out->path};
    bool readable = true;
    out->kind = TYPE_STRUCT;
    if (e->children > b->meta->element_count - b->next || depth >= DEPTH_MAX)
        return fail(b->err, E_CORRUPT, "schema: group %s has more fields than the schema, or is nested too deep",
                    e->name);
    if (e->children == 0)
        return fail(b->err, E_UNSUPPORTED, "schema: group %s has no fields", e->name);
    out->children = arena_array(b->arena, struct parquet_node, (size_t)e->children);
    out->child_count = e->children;
    struct field *fields = arena_array(b->arena, struct field, (size_t)e->children);
    for (int32_t i = 0; i < e->children; i++) {
        TRY(node_build(b, above, &out->children[i]));
        fields[i] = (struct field){out->children[i].name, out->children[i].type, true};
        readable &= out->children[i].type != NULL;
    }
    out->leaf = out->children[0].leaf;
    out->type = readable ? type_struct(b->arena, fields, e->children) : NULL;
    out->variant_group = parquet_variant_of(out, out->type);
    return E_OK;
}

/* The group inside a LIST may be the element itself, or only be around it. */
static bool element_is_repeated(const struct build *b, const struct parquet_element *list,
                                const struct parquet_element *repeated)
{
    size_t size = strlen(list->name);
    if (repeated->physical >= 0 || repeated->children != 1)
        return true;
    if (strcmp(repeated->name, "array") == 0 ||
        (strncmp(repeated->name, list->name, size) == 0 && strcmp(repeated->name + size, "_tuple") == 0))
        return true;
    return b->next < b->meta->element_count && b->meta->elements[b->next].repetition == FIELD_REPEATED;
}

static const struct type *list_type(struct build *b, const struct parquet_node *element)
{
    return element->type != NULL ? type_array(b->arena, element->type, true) : NULL;
}

static enum code list_build(struct build *b, const struct parquet_element *e, struct parquet_node *out, int depth)
{
    const struct parquet_element *repeated;
    TRY(element_next(b, &repeated));
    if (depth >= DEPTH_MAX)
        return fail(b->err, E_UNSUPPORTED, "schema: field %s is nested deeper than %d", e->name, DEPTH_MAX);
    struct above above = below_repeated(out, depth + 1);
    out->kind = TYPE_ARRAY;
    out->children = arena_new(b->arena, struct parquet_node);
    out->child_count = 1;
    if (element_is_repeated(b, e, repeated)) {
        node_begin(b, repeated, above, out->children);
        TRY(body_build(b, repeated, out->children, depth + 1));
    } else {
        TRY(node_build(b, above, out->children));
    }
    out->leaf = out->children->leaf;
    out->type = list_type(b, out->children);
    return E_OK;
}

static enum code map_build(struct build *b, struct parquet_node *out, int depth)
{
    const struct parquet_element *pair;
    TRY(element_next(b, &pair));
    struct above above = below_repeated(out, depth + 1);
    out->kind = TYPE_MAP;
    out->children = arena_array(b->arena, struct parquet_node, 2);
    out->child_count = 2;
    TRY(node_build(b, above, &out->children[0]));
    TRY(node_build(b, above, &out->children[1]));
    out->leaf = out->children[0].leaf;
    const struct parquet_node *key = &out->children[0], *value = &out->children[1];
    if (key->type != NULL && value->type != NULL)
        out->type = type_map(b->arena, key->type, value->type, true);
    return E_OK;
}

/* A repeated field that stands for itself. */
static enum code repeated_build(struct build *b, const struct parquet_element *e, struct above above,
                                struct parquet_node *out)
{
    node_begin(b, e, above, out);
    out->kind = TYPE_ARRAY;
    out->children = arena_new(b->arena, struct parquet_node);
    out->child_count = 1;
    node_begin(b, e, below_repeated(out, above.depth), out->children);
    TRY(body_build(b, e, out->children, above.depth + 1));
    out->leaf = out->children->leaf;
    out->type = list_type(b, out->children);
    return E_OK;
}

/* A group that says it is a list or a map, and has the shape of one. */
static bool has_shape(const struct build *b, const struct parquet_element *e, int32_t inner)
{
    if (e->physical >= 0 || e->children != 1 || b->next >= b->meta->element_count)
        return false;
    const struct parquet_element *repeated = &b->meta->elements[b->next];
    return repeated->repetition == FIELD_REPEATED &&
           (inner == 0 || (repeated->physical < 0 && repeated->children == inner));
}

static enum code body_build(struct build *b, const struct parquet_element *e, struct parquet_node *out, int depth)
{
    if (e->logical == LOGICAL_LIST && has_shape(b, e, 0))
        return list_build(b, e, out, depth);
    if (e->logical == LOGICAL_MAP && has_shape(b, e, 2))
        return map_build(b, out, depth);
    if (e->physical < 0 && e->logical == LOGICAL_VARIANT) {
        TRY(struct_build(b, e, out, depth));
        out->type = out->variant_group != NULL ? type_of(TYPE_VARIANT) : NULL;
        return E_OK;
    }
    if (e->physical < 0)
        return struct_build(b, e, out, depth);
    out->leaf = b->leaf++;
    out->type = leaf_type(b->arena, e);
    return E_OK;
}

static enum code node_build(struct build *b, struct above above, struct parquet_node *out)
{
    const struct parquet_element *e;
    TRY(element_next(b, &e));
    if (above.depth >= DEPTH_MAX)
        return fail(b->err, E_UNSUPPORTED, "schema: field %s is nested deeper than %d", e->name, DEPTH_MAX);
    if (e->repetition == FIELD_REPEATED)
        return repeated_build(b, e, above, out);
    node_begin(b, e, above, out);
    return body_build(b, e, out, above.depth);
}

enum code parquet_tree_build(const struct parquet_meta *meta, struct arena *arena, struct parquet_node *root,
                             struct error *err)
{
    struct build build = {.meta = meta, .arena = arena, .next = 1, .err = err};
    const struct parquet_element *top = &meta->elements[0];
    *root = (struct parquet_node){.name = "", .element = top};
    if (top->children > meta->element_count - 1)
        return fail(err, E_CORRUPT, "the schema has fewer fields than it says");
    root->children = arena_array(arena, struct parquet_node, (size_t)top->children);
    root->child_count = top->children;
    for (int32_t i = 0; i < top->children; i++)
        TRY(node_build(&build, (struct above){0}, &root->children[i]));
    if (build.leaf != meta->leaf_count)
        return fail(err, E_CORRUPT, "the schema has %d columns in groups, and %d in all", build.leaf, meta->leaf_count);
    return E_OK;
}

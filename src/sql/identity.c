#include "sql/identity.h"

uint64_t hash_type(const struct type *type)
{
    struct text shown = {0};
    type_print(type, &shown);
    uint64_t hash = hash_bytes(shown.data, shown.size);
    text_free(&shown);
    return hash;
}

/* ---- values ---- */

static uint64_t hash_value(const struct column *col, int64_t row);

static uint64_t hash_list(const struct column *col, int64_t row)
{
    const int32_t *offsets = column_offsets(col);
    uint64_t hash = hash_number(OF_LITERAL, offsets[row + 1] - offsets[row]);
    for (int32_t i = offsets[row]; i < offsets[row + 1]; i++)
        for (int32_t c = 0; c < col->child_count; c++)
            hash = hash_mix(hash, hash_value(&col->children[c], i));
    return hash;
}

static uint64_t hash_value(const struct column *col, int64_t row)
{
    size_t width = (size_t)type_width(col->type);
    uint64_t hash = OF_LITERAL;
    if (column_is_null(col, row))
        return OF_NULL;
    switch (col->type->id) {
    case TYPE_BOOLEAN: return hash_number(hash, bit_get(col->values->data, row));
    case TYPE_STRING:
    case TYPE_BINARY: {
        struct bytes bytes = column_bytes_at(col, row);
        return hash_mix(hash, hash_bytes(bytes.data, bytes.size));
    }
    case TYPE_STRUCT:
        for (int32_t c = 0; c < col->child_count; c++)
            hash = hash_mix(hash, hash_value(&col->children[c], row));
        return hash;
    case TYPE_ARRAY:
    case TYPE_MAP: return hash_list(col, row);
    default: return hash_mix(hash, hash_bytes(col->values->data + (size_t)row * width, width));
    }
}

/* ---- expressions ---- */

bool type_has_parts(const struct type *type)
{
    return type->id == TYPE_STRUCT || type->id == TYPE_ARRAY || type->id == TYPE_MAP;
}

uint64_t hash_whole(uint64_t carrier, const struct type *type)
{
    return type_has_parts(type) ? hash_mix(carrier, hash_type(type)) : carrier;
}

uint64_t hash_exprs(uint64_t hash, const struct expr *const *exprs, int32_t count, const struct identity *input)
{
    for (int32_t i = 0; i < count; i++)
        hash = hash_mix(hash, hash_expr(exprs[i], input));
    return hash;
}

static const struct type *struct_of(const struct type *type)
{
    return type->id == TYPE_ARRAY ? type->fields[0].type : type;
}

/* By its name and by what it is a field of: what else there is around it says nothing about it. */
static uint64_t carry_field(const struct expr *expr, const struct identity *input)
{
    const struct field *field = &struct_of(expr->args[0]->type)->fields[expr->index];
    uint64_t hash = hash_mix(OF_FIELD, hash_carrier(expr->args[0], input));
    hash = hash_mix(hash, hash_text(field->name));
    return type_has_parts(expr->type) ? hash : hash_mix(hash, hash_type(expr->type));
}

static bool takes_element(const struct expr *expr)
{
    return expr_is_call(expr, "[]") || expr_is_call(expr, "get") || expr_is_call(expr, "element_at") ||
           expr_is_call(expr, "try_element_at");
}

/* A struct out of a list or a map. */
static uint64_t carry_element(const struct expr *expr, const struct identity *input)
{
    struct bytes name = expr_function(expr);
    uint64_t hash = hash_mix(OF_CALL, hash_bytes(name.data, name.size));
    return hash_mix(hash_mix(hash, hash_carrier(expr->args[0], input)), hash_expr(expr->args[1], input));
}

uint64_t hash_carrier(const struct expr *expr, const struct identity *input)
{
    if (expr->kind == EXPR_FIELD)
        return carry_field(expr, input);
    if (expr->type->id == TYPE_STRUCT && takes_element(expr))
        return carry_element(expr, input);
    if (expr->kind != EXPR_COLUMN)
        return hash_expr(expr, input);
    return expr->index < COLUMN_MARK ? input->columns[expr->index] : (uint64_t)expr->index;
}

uint64_t hash_expr(const struct expr *expr, const struct identity *input)
{
    uint64_t type;
    if (expr == NULL)
        return 0;
    if (expr_is_call(expr, "and"))
        return hash_expr(expr->args[0], input) + hash_expr(expr->args[1], input);
    switch (expr->kind) {
    case EXPR_COLUMN:
    case EXPR_FIELD: return hash_whole(hash_carrier(expr, input), expr->type);
    case EXPR_LITERAL: return hash_mix(hash_value(expr->literal, 0), hash_type(expr->type));
    case EXPR_CALL: {
        struct bytes name = expr_function(expr);
        type = hash_mix(hash_bytes(name.data, name.size), hash_type(expr->type));
        if (expr_is_call(expr, "isnull") || expr_is_call(expr, "isnotnull"))
            return hash_mix(hash_mix(OF_CALL, type), hash_carrier(expr->args[0], input));
        return hash_exprs(hash_mix(OF_CALL, type), expr->args, expr->arg_count, input);
    }
    case EXPR_CAST:
        type = hash_mix(hash_type(expr->type), expr->try_cast);
        return hash_exprs(hash_mix(OF_CAST, type), expr->args, expr->arg_count, input);
    case EXPR_CASE: break;
    }
    return hash_exprs(hash_number(OF_CASE, expr->arg_count), expr->args, expr->arg_count, input);
}

/* tree.c - the constructors of typed trees: leaves, casts, CASE, field access, equality. Calls are in functions.c. */
#include "expr/coerce.h"
#include "expr/function.h"
#include "expr/lambda.h"

struct expr *expr_new(struct expr_context *ctx, enum expr_kind kind, const struct type *type, struct position at)
{
    struct expr *expr = arena_new(ctx->arena, struct expr);
    expr->kind = kind;
    expr->type = type;
    expr->at = at;
    return expr;
}

static int32_t expr_depth(const struct expr *expr)
{
    int32_t casts = 0;
    for (; expr->kind == EXPR_CAST || expr->kind == EXPR_FIELD; expr = expr->args[0])
        casts++;
    return casts + (expr->kind == EXPR_CALL || expr->kind == EXPR_CASE ? expr->index : 0);
}

enum code expr_take_args(struct expr *expr, const struct expr **args, int32_t count, struct error *err)
{
    expr->args = args;
    expr->arg_count = count;
    for (int32_t i = 0; i < count; i++) {
        int32_t depth = expr_depth(args[i]) + 1;
        expr->index = depth > expr->index ? depth : expr->index;
    }
    if (expr->index > EXPR_DEPTH_MAX)
        return fail(err, E_SQL, "the expression is nested more than %d calls deep", EXPR_DEPTH_MAX);
    return E_OK;
}

/* The only argument of a CAST or FIELD. */
static void expr_take_one(struct expr_context *ctx, struct expr *expr, const struct expr *arg)
{
    expr->arg_count = 1;
    expr->args = arena_array(ctx->arena, const struct expr *, 1);
    expr->args[0] = arg;
}

const struct expr *expr_column(struct expr_context *ctx, int32_t index, const struct field *field, struct position at)
{
    struct expr *expr = expr_new(ctx, EXPR_COLUMN, field->type, at);
    expr->index = index;
    expr->nullable = field->nullable;
    expr->bound = field->name != NULL ? arena_strdup(ctx->arena, field->name) : NULL;
    return expr;
}

/* ---- literals: columns of one row whose buffers lie in the arena ---- */

static void keep(__attribute__((unused)) void *owner) {}

static struct buffer *arena_buffer(struct arena *arena, const void *data, size_t size)
{
    struct buffer *buffer = arena_new(arena, struct buffer);
    // SIMD kernels may read 64 bytes past the end, and want 64-byte alignment.
    uint8_t *memory = arena_alloc(arena, size + 192);
    buffer->data = memory + (64 - ((uintptr_t)memory & 63));
    if (size > 0 && data != NULL)
        memcpy(buffer->data, data, size);
    buffer->size = size;
    buffer->capacity = size;
    atomic_init(&buffer->count, 1);
    buffer->release = keep;
    return buffer;
}

static struct expr *literal_new(struct expr_context *ctx, const struct type *type, const void *values, size_t size,
                                struct position at)
{
    struct expr *expr = expr_new(ctx, EXPR_LITERAL, type, at);
    struct column *col = arena_new(ctx->arena, struct column);
    *col = (struct column){.type = type, .rows = 1, .values = arena_buffer(ctx->arena, values, size)};
    if (type_is_varlen(type)) {
        int32_t offsets[2] = {0, (int32_t)size};
        col->offsets = arena_buffer(ctx->arena, offsets, sizeof offsets);
    }
    expr->literal = col;
    return expr;
}

/* Any column of one row as an arena literal, children too. */
static void column_into_arena(struct arena *arena, struct column *out, const struct column *col)
{
    *out = *col;
    size_t entries = col->offsets != NULL ? (size_t)col->rows + 1 : 0;
    size_t width = (size_t)type_width(col->type);
    size_t size = col->values == NULL ? 0 : col->values->size;
    if (col->type->id == TYPE_BOOLEAN)
        size = bit_bytes(col->rows);
    else if (width > 0)
        size = width * (size_t)col->rows;
    else if (type_is_varlen(col->type))
        size = (size_t)column_offsets(col)[col->rows];
    out->valid = col->valid == NULL ? NULL : arena_buffer(arena, col->valid->data, bit_bytes(col->rows));
    out->offsets = col->offsets == NULL ? NULL : arena_buffer(arena, col->offsets->data, entries * sizeof(int32_t));
    out->values = col->values == NULL ? NULL : arena_buffer(arena, col->values->data, size);
    out->children = col->child_count == 0 ? NULL : arena_array(arena, struct column, (size_t)col->child_count);
    for (int32_t i = 0; i < col->child_count; i++)
        column_into_arena(arena, &out->children[i], &col->children[i]);
}

static const struct expr *literal_of_column(struct expr_context *ctx, const struct column *col, struct position at)
{
    struct expr *expr = expr_new(ctx, EXPR_LITERAL, col->type, at);
    expr->literal = arena_new(ctx->arena, struct column);
    column_into_arena(ctx->arena, expr->literal, col);
    expr->nullable = column_is_null(col, 0);
    return expr;
}

const struct expr *expr_null(struct expr_context *ctx, const struct type *type, struct position at)
{
    struct column col;
    column_all_null(&col, type, 1);
    const struct expr *expr = literal_of_column(ctx, &col, at);
    column_release(&col);
    return expr;
}

const struct expr *expr_value(struct expr_context *ctx, const struct column *col, int64_t row, struct position at)
{
    struct column one = {0};
    column_append(&one, col, row, row + 1);
    const struct expr *expr = literal_of_column(ctx, &one, at);
    column_release(&one);
    return expr;
}

const struct expr *expr_boolean(struct expr_context *ctx, bool value, struct position at)
{
    uint8_t bits = value;
    return literal_new(ctx, type_of(TYPE_BOOLEAN), &bits, 1, at);
}

const struct expr *expr_int(struct expr_context *ctx, const struct type *type, int64_t value, struct position at)
{
    int8_t narrow8 = (int8_t)value;
    int16_t narrow16 = (int16_t)value;
    int32_t narrow32 = (int32_t)value;
    switch (type_width(type)) {
    case 1: return literal_new(ctx, type, &narrow8, 1, at);
    case 2: return literal_new(ctx, type, &narrow16, 2, at);
    case 4: return literal_new(ctx, type, &narrow32, 4, at);
    default: return literal_new(ctx, type, &value, 8, at);
    }
}

const struct expr *expr_double(struct expr_context *ctx, double value, struct position at)
{
    return literal_new(ctx, type_of(TYPE_DOUBLE), &value, 8, at);
}

const struct expr *expr_string(struct expr_context *ctx, struct bytes value, struct position at)
{
    return literal_new(ctx, type_of(TYPE_STRING), value.data, value.size, at);
}

const struct expr *expr_binary(struct expr_context *ctx, struct bytes value, struct position at)
{
    return literal_new(ctx, type_of(TYPE_BINARY), value.data, value.size, at);
}

const struct expr *expr_decimal(struct expr_context *ctx, __int128 unscaled, int precision, int scale,
                                struct position at)
{
    const struct type *type = type_decimal(ctx->arena, precision, scale);
    int64_t narrow = (int64_t)unscaled;
    return type_is_wide_decimal(type) ? literal_new(ctx, type, &unscaled, 16, at)
                                      : literal_new(ctx, type, &narrow, 8, at);
}

const struct expr *expr_interval(struct expr_context *ctx, const struct calendar_interval *value, struct position at)
{
    return literal_new(ctx, type_of(TYPE_INTERVAL), value, sizeof *value, at);
}

bool literal_is_null(const struct expr *expr) { return expr->kind == EXPR_LITERAL && column_is_null(expr->literal, 0); }

int64_t literal_int(const struct expr *expr)
{
    switch (type_width(expr->type)) {
    case 1: return column_values(expr->literal, int8_t)[0];
    case 2: return column_values(expr->literal, int16_t)[0];
    case 4: return column_values(expr->literal, int32_t)[0];
    case 8: return column_values(expr->literal, int64_t)[0];
    default: return bit_get(expr->literal->values->data, 0);
    }
}

struct bytes literal_bytes(const struct expr *expr) { return column_bytes_at(expr->literal, 0); }

/* ---- casts ---- */

static const struct expr *cast_new(struct expr_context *ctx, const struct expr *of, const struct type *to,
                                   bool try_cast, struct position at)
{
    const struct expr *day = day_word_cast(ctx, of, to);
    if (day != NULL)
        return day;
    struct expr *expr = expr_new(ctx, EXPR_CAST, to, at);
    expr->try_cast = try_cast;
    expr->nullable = of->nullable || (try_cast && cast_fails(of->type, to));
    expr_take_one(ctx, expr, of);
    return expr;
}

/* A map's key must not become NULL. */
static bool keys_cast_safely(const struct type *from, const struct type *to)
{
    if (from->id == TYPE_MAP && to->id == TYPE_MAP && cast_fails(from->fields[0].type, to->fields[0].type))
        return false;
    for (int32_t i = 0; type_is_nested(to) && i < from->field_count && i < to->field_count; i++)
        if (!keys_cast_safely(from->fields[i].type, to->fields[i].type))
            return false;
    return true;
}

/* What Spark's error says helps: a function, a setting, or nothing. */
static const char *cast_suggestion(bool ansi, bool try_cast, const struct type *from, const struct type *to)
{
    if (ansi && !try_cast && cast_was_known_within(from, to))
        return "CAST_WITH_FUNC_SUGGESTION";
    bool days = (from->id == TYPE_DATE && type_is_numeric(to)) || (type_is_numeric(from) && to->id == TYPE_DATE);
    if (days && (ansi || try_cast))
        return "CAST_WITH_FUNC_SUGGESTION";
    return !try_cast && ansi && cast_was_known(from, to) ? "CAST_WITH_CONF_SUGGESTION" : "CAST_WITHOUT_SUGGESTION";
}

static bool type_holds_interval(const struct type *type)
{
    return type_holds(type, TYPE_INTERVAL_DT) || type_holds(type, TYPE_INTERVAL_YM) || type_holds(type, TYPE_INTERVAL);
}

enum code expr_cast(struct expr_context *ctx, const struct expr *of, const struct type *to, bool try_cast,
                    struct position at, const struct expr **out, struct error *err)
{
    bool interval = type_is_any_interval(to); // which no VARIANT can hold
    if (of->type->id == TYPE_VARIANT && type_is_nested(to) && !type_holds_interval(to))
        return variant_cast_nested(ctx, of, to, try_cast, at, out, err);
    if (of->type->id == TYPE_VARIANT && to->id != TYPE_VARIANT && !type_is_nested(to) && !interval)
        return variant_cast(ctx, of, to, try_cast, at, out, err);
    if (to->id == TYPE_VARIANT && of->type->id != TYPE_VARIANT && of->type->id != TYPE_NULL &&
        variant_takes(of->type, false))
        return expr_call(ctx, "variant:of", &of, 1, at, out, err);
    bool ansi = ctx->session->ansi;
    bool known = cast_known(of->type, to) || (!ansi && !try_cast && cast_was_known(of->type, to)) ||
                 ((!ansi || try_cast) && cast_was_known_within(of->type, to));
    if (!known || (try_cast && !keys_cast_safely(of->type, to))) {
        struct text shown = {0};
        expr_print(of, NULL, &shown);
        enum code code =
            fail(err, E_SQL,
                 "[DATATYPE_MISMATCH.%s] Cannot resolve \"%sCAST(%s AS %s)\" due to "
                 "data type mismatch: cannot cast \"%s\" to \"%s\"",
                 cast_suggestion(ctx->session->ansi, try_cast, of->type, to), try_cast ? "TRY_" : "", shown.data,
                 type_sql(ctx->arena, to), type_sql(ctx->arena, of->type), type_sql(ctx->arena, to));
        text_free(&shown);
        return code;
    }
    struct expr *cast = (struct expr *)(uintptr_t)cast_new(ctx, of, to, try_cast, at);
    if (cast->kind == EXPR_CAST)
        cast->index = 1; // written by the user: expr_print shows it
    *out = cast;
    return E_OK;
}

const struct expr *expr_cast_implicit(struct expr_context *ctx, const struct expr *of, const struct type *to)
{
    if (type_equal(of->type, to))
        return of;
    if (literal_is_null(of))
        return expr_null(ctx, to, of->at);
    return cast_new(ctx, of, to, false, of->at);
}

const struct type *expr_type_common(const struct expr_context *ctx, const struct type *a, const struct type *b)
{
    return ctx->session->ansi ? type_common(ctx->arena, a, b) : type_common_text(ctx->arena, a, b);
}

/* ---- CASE ---- */

static enum code case_error(struct expr_context *ctx, const struct expr *when, struct error *err)
{
    struct text shown = {0};
    expr_print(when, NULL, &shown);
    enum code code = fail(err, E_SQL,
                          "[DATATYPE_MISMATCH.UNEXPECTED_INPUT_TYPE] a WHEN condition requires the \"BOOLEAN\" type, "
                          "however \"%s\" has the type \"%s\"",
                          shown.data, type_sql(ctx->arena, when->type));
    text_free(&shown);
    return code;
}

/* args[i] is a result, not a condition. */
static bool is_branch(int32_t i, int32_t count) { return i % 2 == 1 || i == count - 1; }

enum code expr_case(struct expr_context *ctx, const struct expr *const *args, int32_t count, struct position at,
                    const struct expr **out, struct error *err)
{
    if (count > EXPR_ARGS_MAX)
        return fail(err, E_SQL, "CASE has %d parts, more than %d", count, EXPR_ARGS_MAX);
    const struct type *type = type_of(TYPE_NULL);
    bool nullable = count % 2 == 0;
    for (int32_t i = 0; i < count; i++) {
        if (!is_branch(i, count))
            continue;
        const struct type *common = expr_type_common(ctx, type, args[i]->type);
        if (common == NULL)
            return fail(err, E_SQL,
                        "[DATATYPE_MISMATCH.DATA_DIFF_TYPES] the branches of CASE should all have the same type, "
                        "but there are \"%s\" and \"%s\"",
                        type_sql(ctx->arena, type), type_sql(ctx->arena, args[i]->type));
        type = common;
        nullable = nullable || args[i]->nullable;
    }
    for (int32_t i = 0; i < count; i++)
        if (!is_branch(i, count) && args[i]->type->id != TYPE_BOOLEAN)
            return case_error(ctx, args[i], err);
    struct expr *expr = expr_new(ctx, EXPR_CASE, type, at);
    expr->nullable = nullable;
    const struct expr **own = arena_array(ctx->arena, const struct expr *, (size_t)count + 1);
    for (int32_t i = 0; i < count; i++)
        own[i] = expr_cast_implicit(ctx, args[i], is_branch(i, count) ? type : type_of(TYPE_BOOLEAN));
    TRY(expr_take_args(expr, own, count, err));
    *out = expr;
    return E_OK;
}

/* ---- fields ---- */

static enum code field_unknown(const struct type *type, const char *name, struct error *err)
{
    struct text known = {0};
    const char *near = NULL;
    for (int32_t i = 0, least = (int32_t)strlen(name); i < type->field_count; i++) {
        const char *field = type->fields[i].name;
        int32_t distance = edit_distance(name, field);
        text_printf(&known, "%s`%s`", i > 0 ? ", " : "", field);
        if (distance < least && nearest_word(name, &field, 1) != NULL)
            least = distance, near = field;
    }
    enum code code = fail(err, E_SQL, "[FIELD_NOT_FOUND] No such struct field `%s` in %s.%s%s%s", name,
                          known.data != NULL ? known.data : "an empty struct", near != NULL ? " Did you mean `" : "",
                          near != NULL ? near : "", near != NULL ? "`?" : "");
    text_free(&known);
    return code;
}

enum code expr_field(struct expr_context *ctx, const struct expr *of, const char *name, struct position at,
                     const struct expr **out, struct error *err)
{
    if (of->type->id == TYPE_MAP) {
        const struct expr *args[] = {of, expr_string(ctx, bytes_of_string(name), at)};
        return expr_call(ctx, "[]", args, 2, at, out, err);
    }
    bool of_array = of->type->id == TYPE_ARRAY && of->type->fields[0].type->id == TYPE_STRUCT;
    const struct type *parent = of_array ? of->type->fields[0].type : of->type;
    if (parent->id == TYPE_NULL) {
        *out = expr_null(ctx, parent, at);
        return E_OK;
    }
    if (parent->id != TYPE_STRUCT)
        return fail(err, E_SQL,
                    "[INVALID_EXTRACT_BASE_FIELD_TYPE] Can't extract the field `%s`. Need a complex type [STRUCT, "
                    "ARRAY, MAP] but got \"%s\".",
                    name, type_sql(ctx->arena, of->type));
    int32_t index = type_field_index(parent, name, true);
    if (index < 0)
        return field_unknown(parent, name, err);
    const struct field *field = &parent->fields[index];
    bool element_null = of_array && of->type->fields[0].nullable;
    struct expr *expr =
        expr_new(ctx, EXPR_FIELD,
                 of_array ? type_array(ctx->arena, field->type, element_null || field->nullable) : field->type, at);
    expr->index = index;
    expr->nullable = of->nullable || (!of_array && field->nullable);
    expr_take_one(ctx, expr, of);
    *out = expr;
    return E_OK;
}

/* ---- questions ---- */

bool expr_is_constant(const struct expr *expr)
{
    if (expr->kind == EXPR_COLUMN)
        return false;
    if (expr->kind == EXPR_CALL && (expr->function->flags & (FN_TIME | FN_PER_ROW)) != 0)
        return false;
    for (int32_t i = 0; i < expr->arg_count; i++)
        if (!expr_is_constant(expr->args[i]))
            return false;
    return true;
}

bool expr_is_deterministic(const struct expr *expr)
{
    bool same = expr->kind != EXPR_CALL || (expr->function->flags & FN_PER_ROW) == 0;
    for (int32_t i = 0; same && i < expr->arg_count; i++)
        same = expr_is_deterministic(expr->args[i]);
    return same;
}

bool expr_is_foldable(const struct expr *expr)
{
    if (expr->replaced || !expr_is_constant(expr))
        return false;
    for (int32_t i = 0; i < expr->arg_count; i++)
        if (!expr_is_foldable(expr->args[i]))
            return false;
    return true;
}

const struct expr *expr_replaced(struct expr_context *ctx, const struct expr *expr)
{
    struct expr *copy = arena_new(ctx->arena, struct expr);
    *copy = *expr;
    copy->replaced = true;
    return copy;
}

bool expr_is_call(const struct expr *expr, const char *name)
{
    size_t size = strlen(name);
    if (expr->kind != EXPR_CALL || strncmp(expr->function->name, name, size) != 0)
        return false;
    return expr->function->name[size] == '\0' || expr->function->name[size] == ' ';
}

/* 0.0 equals -0.0 as a value, but is another literal. */
static bool literals_equal(const struct expr *a, const struct expr *b)
{
    const struct type *type = a->type;
    bool real = type->id == TYPE_FLOAT || type->id == TYPE_DOUBLE;
    if (real && !column_is_null(a->literal, 0) && !column_is_null(b->literal, 0))
        return memcmp(a->literal->values->data, b->literal->values->data, (size_t)type_width(type)) == 0;
    if (type_is_nested(type) && (type_holds(type, TYPE_FLOAT) || type_holds(type, TYPE_DOUBLE)))
        return false;
    return column_equal_at(a->literal, 0, b->literal, 0);
}

bool expr_equal(const struct expr *a, const struct expr *b)
{
    if (a == b)
        return true;
    if (a->kind != b->kind || a->index != b->index || a->try_cast != b->try_cast || a->function != b->function ||
        a->arg_count != b->arg_count || !type_equal(a->type, b->type))
        return false;
    if (a->kind == EXPR_CALL && (a->function->flags & (FN_PER_ROW | FN_BOUND)) != 0)
        return false;
    if (a->kind == EXPR_CALL && (a->function->flags & FN_LAMBDA) != 0 && !lambda_calls_equal(a, b))
        return false;
    if (a->kind == EXPR_LITERAL && !literals_equal(a, b))
        return false;
    for (int32_t i = 0; i < a->arg_count; i++)
        if (!expr_equal(a->args[i], b->args[i]))
            return false;
    return true;
}

bool expr_is_strict(const struct expr *expr)
{
    enum { OTHERS = FN_NULLS | FN_NEVER_NULL | FN_PER_ROW | FN_LAMBDA };
    return expr->kind == EXPR_CALL && (expr->function->flags & OTHERS) == 0 && expr->function->lazy == LAZY_NONE;
}

bool expr_passes_null(const struct expr *expr)
{
    if (expr->kind == EXPR_CAST || expr->kind == EXPR_FIELD)
        return true;
    return expr_is_strict(expr) && (expr->function->flags & FN_IN_ORDER) == 0;
}

bool expr_always_null(const struct expr *expr)
{
    if (!expr_passes_null(expr))
        return literal_is_null(expr);
    for (int32_t i = 0; i < expr->arg_count; i++)
        if (expr_always_null(expr->args[i]))
            return true;
    return false;
}

bool expr_never_true(struct expr_context *ctx, const struct expr *expr)
{
    bool both = expr_is_call(expr, "and");
    if (both || expr_is_call(expr, "or")) {
        for (int32_t i = 0; i < expr->arg_count; i++)
            if (expr_never_true(ctx, expr->args[i]) == both)
                return both;
        return !both;
    }
    if (expr->type->id != TYPE_BOOLEAN || expr_always_null(expr))
        return expr_always_null(expr);
    struct error ignored = {0}; // one that fails may be true: whoever evaluates it for a row says so
    const struct expr *value;
    return expr_is_constant(expr) && expr_fold(ctx, expr, &value, &ignored) == E_OK &&
           (literal_is_null(value) || literal_int(value) == 0);
}

bool expr_node_fails(const struct expr *expr)
{
    if (expr->kind == EXPR_CAST)
        return !expr->try_cast && cast_fails(expr->args[0]->type, expr->type);
    return expr->kind == EXPR_CALL && (expr->function->flags & FN_FAILS) != 0;
}

/* ---- folding ---- */

enum {
    FOLD_BYTES_MAX = 64 << 20
}; /* what folding may make: larger values are left to who runs the query, with a budget */

static enum code fold_run(struct expr_context *ctx, const struct program *program, const struct expr *expr,
                          const struct expr **out, struct error *err)
{
    struct evaluator *evaluator = evaluator_new(program);
    struct batch one = {.rows = 1};
    struct column col = {0};
    struct rejects rejects = {0};
    bool watches = !column_room.watched;
    if (watches)
        room_watch(FOLD_BYTES_MAX);
    enum code code = evaluator_run(evaluator, ctx->session, &one, &col, &rejects, err);
    if (watches && room_unwatch())
        code = fail(err, E_SQL, "[RECORD_TOO_BIG] a constant of more than FOLD_BYTES_MAX = %d bytes", FOLD_BYTES_MAX);
    if (code == E_OK && rejects.count > 0) {
        struct text shown = {0};
        expr_print(expr, NULL, &shown);
        code = fail(err, E_SQL, "[%s] %s: %s", reject_condition_full(rejects.items[0].code), shown.data,
                    reject_text(rejects.items[0].code));
        text_free(&shown);
    }
    if (code == E_OK)
        *out = literal_of_column(ctx, &col, expr->at);
    column_release(&col);
    rejects_free(&rejects);
    evaluator_free(evaluator);
    return code;
}

enum code expr_fold(struct expr_context *ctx, const struct expr *expr, const struct expr **out, struct error *err)
{
    if (expr->kind == EXPR_LITERAL) {
        *out = expr;
        return E_OK;
    }
    if (!expr_is_constant(expr))
        return fail(err, E_SQL, "the expression is not a constant");
    struct program *program;
    TRY(program_compile(ctx->arena, &expr, 1, &program, err));
    return fold_run(ctx, program, expr, out, err);
}

static enum code not_foldable(const struct binding *binding, int32_t index, struct error *err)
{
    return fail(err, E_SQL,
                "[DATATYPE_MISMATCH.NON_FOLDABLE_INPUT] Cannot resolve \"%s\" due to data type mismatch: argument "
                "%d should be a foldable expression",
                binding->function->name, index + 1);
}

enum code binding_constant(struct binding *binding, int32_t index, const struct expr **out, struct error *err)
{
    return expr_is_constant(binding->args[index]) ? expr_fold(binding->ctx, binding->args[index], out, err)
                                                  : not_foldable(binding, index, err);
}

enum code binding_foldable(struct binding *binding, int32_t index, const struct expr **out, struct error *err)
{
    return expr_is_foldable(binding->args[index]) ? expr_fold(binding->ctx, binding->args[index], out, err)
                                                  : not_foldable(binding, index, err);
}

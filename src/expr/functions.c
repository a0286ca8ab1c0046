/* functions.c - the registry: names to rows, overloads to types, calls to trees, rows to docs. */
#include <stdio.h>
#include <strings.h>

#include "expr/aggregate.h"
#include "expr/coerce.h"
#include "expr/function.h"
#include "expr/lambda.h"
#include "expr/misfit.h"
#include "expr/refusal.h"
#include "expr/signature.h"

static const struct family {
    const char *title; /* NULL: none of them is for users */
    const struct function *const *functions;
} families[] = {
    {"Arithmetic", arithmetic_functions},
    {"Comparison", compare_functions},
    {"Logic", logic_functions},
    {"Conditions", conditional_functions},
    {"Mathematics", math_functions},
    {"Rounding", rounding_functions},
    {"Strings", string_functions},
    {"Parts of strings", string_parts_functions},
    {"Text", text_functions},
    {"Formatted text", format_text_functions},
    {"Formatted numbers", number_text_functions},
    {"Patterns", pattern_functions},
    {"Dates", calendar_functions},
    {"Times", datetime_functions},
    {"Times and intervals", time_sum_functions},
    {"Times made", time_make_functions},
    {"Intervals of the calendar", calendar_interval_functions},
    {"Intervals scaled", interval_scale_functions},
    {"Sequences of times", time_sequence_functions},
    {"Times of the day", time_of_day_functions},
    {"Conversions and patterns of time", time_format_functions},
    {"Windows of time", time_window_functions},
    {"Buckets of time", time_bucket_functions},
    {"Collections", collection_functions},
    {"Maps", map_functions},
    {"Maps in order", map_sort_functions},
    {"Bits and bitmaps", bitmap_functions},
    {"Encryption", cipher_functions},
    {"Parts of URLs", url_functions},
    {"Chance", random_functions},
    {"Arrays by chance", shuffle_functions},
    {"Arrays", array_functions},
    {"JSON", json_functions},
    {"Parts of JSON", json_get_functions},
    {"JSON and CSV read", decode_functions},
    {"CSV", csv_functions},
    {"Schemas of records", schema_functions},
    {"Where a query runs", context_functions},
    {"Variants", variant_functions},
    {"Making variants", variant_make_functions},
    {"Schemas of variants", variant_schema_functions},
    {"Sentences", sentence_functions},
    {"Arrays changed", array_edit_functions},
    {"Functions of functions", lambda_functions},
    {NULL, lambda_sort_functions},
    {"Vectors", vector_functions},
    {"Hidden texts", mask_functions},
    {"Texts and bytes", text_bytes_functions},
    {"Charsets", charset_functions},
    {"Hashes", digest_functions},
};
enum { FAMILY_COUNT = sizeof families / sizeof families[0], NAMES_MAX = 1024, NAME_SIZE = 40 };

static const struct function_note generators[] = {
    {"explode", "(array<any>|map<any, any>) -> rows", "A row for each element, or for each key with its value.", NULL,
     NULL},
    {"explode_outer", "(array<any>|map<any, any>) -> rows", "The same; a row of NULL when there is none.", NULL, NULL},
    {"posexplode", "(array<any>|map<any, any>) -> rows", "A row for each element with its position from 0.", NULL,
     NULL},
    {"posexplode_outer", "(array<any>|map<any, any>) -> rows", "The same; a row of NULLs when there is none.", NULL,
     NULL},
    {"inline", "(array<struct>) -> rows", "A row for each struct, a column for each of its fields.", NULL, NULL},
    {"inline_outer", "(array<struct>) -> rows", "The same; a row of NULLs when there is none.", NULL, NULL},
    {"stack", "(int, any...) -> rows", "The values, shared out to this many rows.", NULL, NULL},
    {"json_tuple", "(string, string...) -> row", "The members of a JSON object that have these names, as columns.",
     NULL, NULL},
    {"variant_explode", "(variant) -> rows", "A row for each element or field: pos, key and value.", NULL, NULL},
    {"variant_explode_outer", "(variant) -> rows", "The same; a row of NULLs when there is none.", NULL, NULL},
};
enum { GENERATOR_COUNT = sizeof generators / sizeof generators[0] };

bool function_has_name(const struct function *function, const char *name, size_t size)
{
    for (const char *at = function->name; *at != '\0';) {
        size_t length = strcspn(at, " ");
        if (length == size && strncasecmp(at, name, size) == 0)
            return true;
        at += length;
        at += strspn(at, " ");
    }
    return false;
}

struct bytes expr_function(const struct expr *expr)
{
    if (expr->kind != EXPR_CALL)
        return (struct bytes){0};
    return bytes_of(expr->function->name, strcspn(expr->function->name, " "));
}

const struct function *function_next(const char *name, const struct function *after)
{
    size_t size = strlen(name);
    for (int i = 0; i < FAMILY_COUNT; i++)
        for (const struct function *const *at = families[i].functions; *at != NULL; at++) {
            if (after == *at)
                after = NULL;
            else if (after == NULL && function_has_name(*at, name, size))
                return *at;
        }
    return NULL;
}

const struct function *function_at(int32_t index)
{
    for (int i = 0; i < FAMILY_COUNT; i++)
        for (const struct function *const *at = families[i].functions; *at != NULL; at++)
            if (index-- == 0)
                return *at;
    return NULL;
}

enum function_kind function_kind(const char *name)
{
    for (int i = 0; i < GENERATOR_COUNT; i++)
        if (strcasecmp(name, generators[i].names) == 0)
            return FUNCTION_GENERATOR;
    if (aggregate_find(name) != NULL)
        return FUNCTION_AGGREGATE;
    return function_next(name, NULL) != NULL ? FUNCTION_SCALAR : FUNCTION_NONE;
}

/* Every name and synonym as a word of its own. */
struct words {
    size_t count;
    char texts[NAMES_MAX][NAME_SIZE];
    const char *items[NAMES_MAX];  /* the texts */
    const char *places[NAMES_MAX]; /* where in the tables: the word, perhaps with synonyms behind it */
};

static void words_add(struct words *words, const char *names)
{
    while (*names != '\0' && words->count < NAMES_MAX) {
        size_t size = strcspn(names, " "), i = words->count++;
        snprintf(words->texts[i], NAME_SIZE, "%.*s", (int)size, names);
        words->items[i] = words->texts[i];
        words->places[i] = names;
        names += size;
        names += strspn(names, " ");
    }
}

const char *function_nearest(const char *name)
{
    struct words words = {.count = 0};
    for (int i = 0; i < GENERATOR_COUNT; i++)
        words_add(&words, generators[i].names);
    for (int i = 0; i < FAMILY_COUNT; i++)
        for (const struct function *const *at = families[i].functions; *at != NULL; at++)
            if (((*at)->flags & (FN_OPERATOR | FN_HIDDEN)) == 0)
                words_add(&words, (*at)->name);
    for (int32_t i = 0; aggregate_at(i) != NULL; i++)
        words_add(&words, aggregate_at(i)->name);
    const char *nearest = nearest_word(name, words.items, words.count);
    return nearest == NULL ? NULL : words.places[(size_t)(nearest - words.texts[0]) / NAME_SIZE];
}

char function_operation(const struct function *function)
{
    static const char *const tries[] = {"try_add", "try_subtract", "try_multiply", "try_divide", "try_mod"};
    for (int i = 0; i < 5; i++)
        if (strcmp(function->name, tries[i]) == 0)
            return "+-*/%"[i];
    return (function->flags & FN_OPERATOR) != 0 ? function->name[0] : 0;
}

enum code binding_wrong_type(struct binding *binding, int32_t index, const char *wanted, struct error *err)
{
    struct fit fit = {.misfit = index, .wanted = wanted};
    return misfit_types(binding->ctx, binding->function, &fit, binding->args, binding->count, err);
}

enum { EXPR_EXACT_MAX = 8 };

enum code binding_cast(struct binding *binding, int32_t index, const struct type *to, struct error *err)
{
    const struct expr *arg = binding->args[index];
    struct expr_context *ctx = binding->ctx;
    if (!cast_implied(arg->type, to))
        return binding_wrong_type(binding, index, type_sql(ctx->arena, to), err);
    binding->args[index] = expr_cast_implicit(ctx, arg, to);
    return E_OK;
}

enum code binding_exact(struct binding *binding, int32_t index, struct error *err)
{
    const struct expr *arg = binding->args[index];
    if (arg->kind != EXPR_CAST || arg->index != 0 || arg->try_cast || arg->args[0]->type->id == TYPE_NULL)
        return E_OK;
    const struct expr *given[EXPR_EXACT_MAX];
    int32_t count = binding->count < EXPR_EXACT_MAX ? binding->count : EXPR_EXACT_MAX;
    for (int32_t i = 0; i < count; i++) {
        const struct expr *own = binding->args[i];
        given[i] = own->kind == EXPR_CAST && own->index == 0 ? own->args[0] : own;
    }
    struct fit fit = {.misfit = index, .wanted = type_sql(binding->ctx->arena, arg->type)};
    return misfit_types(binding->ctx, binding->function, &fit, given, count, err);
}

/* ---- calls ---- */

/* '1' - '2' is an error in Spark, although two texts could be cast to many things; so is '1' - NULL with ANSI. */
static bool both_text(const struct expr_context *ctx, const struct function *row, const struct expr *const *args,
                      int32_t count, const struct fit *fit)
{
    bool text = count == 2 && (args[0]->type->id == TYPE_STRING || args[1]->type->id == TYPE_STRING);
    bool null = count == 2 && (args[0]->type->id == TYPE_NULL || args[1]->type->id == TYPE_NULL);
    const char operation = function_operation(row);
    if (text && null && ctx->session->ansi && operation != 0 && strchr("+-*/%d", operation) != NULL)
        return true;
    return operation != 0 && count == 2 && args[0]->type->id == TYPE_STRING && args[1]->type->id == TYPE_STRING &&
           fit->types[0]->id != TYPE_STRING && fit->types[0]->id != TYPE_BOOLEAN;
}

/* No operator makes a DATE of a TIMESTAMP or a whole number of a fraction: TIMESTAMP + 1 and DATE + 1.5 are errors. */
static bool narrows(const struct expr_context *ctx, const struct function *row, const struct expr *const *args,
                    int32_t count, const struct fit *fit)
{
    const char operation = function_operation(row);
    for (int32_t i = 0; operation != 0 && i < count; i++) {
        const struct type *from = args[i]->type, *to = fit->types[i];
        bool fraction = type_is_numeric(from) && !type_is_integer(from);
        bool instant = from->id == TYPE_TIMESTAMP || from->id == TYPE_TIMESTAMP_NTZ;
        if ((fraction && type_is_integer(to)) || (instant && to->id == TYPE_DATE))
            return true;
        bool days = count == 2 && from->id == TYPE_STRING && type_is_integer(to) && args[1 - i]->type->id == TYPE_DATE;
        if (days) // DATE + '1' is an error, too
            return true;
        if (count == 2 && from->id == TYPE_INT64 && args[1 - i]->type->id == TYPE_DATE) // and so is DATE + 1L
            return true;
        bool time = to->id == TYPE_DATE || to->id == TYPE_TIMESTAMP || to->id == TYPE_TIMESTAMP_NTZ;
        bool months = count == 2 && args[1 - i]->type->id == TYPE_INTERVAL_YM;
        bool sum = operation == '+' || operation == '-';
        bool of_text = i == 0 && operation == '-' && to->id == TYPE_DATE; // '2026-01-01' - DATE
        if (from->id == TYPE_STRING && time && sum && (months || (!ctx->session->ansi && !of_text)))
            return true;
        if (sum && to->id == TYPE_STRING && from->id != TYPE_STRING)
            return true;
        bool scaled = (operation == '*' || operation == '/') && type_is_any_interval(to);
        if (scaled && from->id == TYPE_NULL) // NULL * 5 is a number
            return true;
    }
    return false;
}

static enum code choose(struct expr_context *ctx, const char *name, const struct expr *const *args, int32_t count,
                        const struct function **out, struct fit *best, struct error *err)
{
    const struct function *found = NULL, *nearest = NULL;
    struct fit misfit = {.wrong_count = true, .misfit = -1};
    int32_t least = INT32_MAX, most = 0;
    for (const struct function *row = function_next(name, NULL); row != NULL; row = function_next(name, row)) {
        struct fit fit;
        int32_t row_least, row_most;
        if ((row->flags & FN_LAMBDA) != 0)
            continue; // expr_lambda()'s
        signature_counts(row->signature, &row_least, &row_most);
        least = row_least < least ? row_least : least;
        most = row_most > most ? row_most : most;
        bool text_wins = !ctx->session->ansi && ((row->flags & FN_OPERATOR) == 0 || strcmp(row->name, "in") == 0);
        if (signature_fit(ctx->arena, row->signature, args, count, ctx->session->ansi, text_wins, &fit) &&
            !both_text(ctx, row, args, count, &fit) && !narrows(ctx, row, args, count, &fit)) {
            if (found == NULL || fit.cost < best->cost) {
                found = row;
                *best = fit;
            }
        } else if (nearest == NULL || (misfit.wrong_count && !fit.wrong_count)) {
            nearest = row;
            misfit = fit;
        }
    }
    struct refusal refusal;
    if (found == NULL && nearest == NULL)
        return misfit_unknown(name, err);
    if ((found != NULL || !misfit.wrong_count) && arguments_refused(name, args, count, &refusal))
        return misfit_refused(ctx, found != NULL ? found : nearest, &refusal, args, count, err);
    if (found == NULL)
        return misfit.wrong_count ? misfit_count(name, least, most, count, err)
                                  : misfit_types(ctx, nearest, &misfit, args, count, err);
    *out = found;
    return E_OK;
}

static bool any_nullable(const struct binding *binding)
{
    for (int32_t i = 0; i < binding->count; i++)
        if (binding->args[i]->nullable)
            return true;
    return false;
}

/* The call is NULL whatever its other arguments are: they are not even computed, so they cannot fail (Spark's NullPropagation). */
static bool null_for_sure(const struct binding *binding)
{
    if ((binding->function->flags & (FN_NULLS | FN_NEVER_NULL)) != 0)
        return false;
    for (int32_t i = 0; i < binding->count; i++)
        if (literal_is_null(binding->args[i]))
            return true;
    return false;
}

static enum code call_new(struct binding *binding, const struct expr **out, struct error *err)
{
    unsigned flags = binding->function->flags;
    binding->nullable =
        (flags & FN_NEVER_NULL) == 0 && ((flags & (FN_NULLABLE | FN_NULLS)) != 0 || any_nullable(binding));
    if (binding->function->bind != NULL)
        TRY(binding->function->bind(binding, err));
    if (binding->rewritten != NULL) {
        *out = binding->rewritten;
        return E_OK;
    }
    always(binding->type != NULL);
    if (null_for_sure(binding)) {
        *out = expr_null(binding->ctx, binding->type, binding->at);
        return E_OK;
    }
    struct expr *expr = expr_new(binding->ctx, EXPR_CALL, binding->type, binding->at);
    expr->function = binding->function;
    expr->bound = binding->bound;
    expr->nullable = binding->nullable;
    TRY(expr_take_args(expr, binding->args, binding->count, err));
    *out = expr;
    return E_OK;
}

/* What NULL stands for beside a time: an interval in a sum, a time of the same kind in a difference. */
static const struct type *null_beside(char sign, const struct type *other)
{
    bool time = (other->id >= TYPE_DATE && other->id <= TYPE_TIMESTAMP_NTZ) || other->id == TYPE_TIME;
    return !time ? NULL : sign == '+' ? type_of(TYPE_INTERVAL_DT) : other;
}

/* Beside a DECIMAL it is a DECIMAL of the same kind; NULL divided by a DECIMAL is a quotient of DOUBLEs. */
static const struct type *null_beside_decimal(const char *name, int place, const struct type *other)
{
    static const char *const names[] = {
        "+", "-", "*", "%", "mod", "pmod", "try_add", "try_subtract", "try_multiply", "try_mod"};
    if (other->id != TYPE_DECIMAL)
        return NULL;
    if (strcmp(name, "/") == 0 || strcasecmp(name, "try_divide") == 0)
        return place == 0 ? type_of(TYPE_DOUBLE) : other;
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (strcasecmp(names[i], name) == 0)
            return other;
    return NULL;
}

/* Without ANSI a text is a DOUBLE wherever numbers are summed, multiplied or divided. */
static bool promotes_text(const struct expr_context *ctx, const char *name, const struct type *other)
{
    static const char *const names[] = {
        "+",          "-",      "*",   "/",    "%",       "div",          "&",
        "|",          "^",      "mod", "pmod", "try_add", "try_subtract", "try_multiply",
        "try_divide", "try_mod"};
    if (ctx->session->ansi || !(type_is_numeric(other) || other->id == TYPE_STRING || other->id == TYPE_NULL))
        return false;
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (strcasecmp(names[i], name) == 0)
            return true;
    return false;
}

/* Without ANSI a BOOLEAN is 1 or 0 of the number's type where the two are equal or not. */
static bool equals_number(const struct expr_context *ctx, const char *name, const struct type *type,
                          const struct type *other)
{
    const struct function equality = {.name = "= == <=> <> !="};
    return !ctx->session->ansi && type->id == TYPE_BOOLEAN && type_is_numeric(other) &&
           function_has_name(&equality, name, strlen(name));
}

/* Operands that a binary operator sees as something else than they are; `own` is for two. */
static const struct expr *const *operands_meant(struct expr_context *ctx, const char *name,
                                                const struct expr *const *args, const struct expr *own[2])
{
    bool sum = (name[0] == '+' || name[0] == '-') && name[1] == '\0';
    for (int i = 0; i < 2; i++) {
        const struct type *to = NULL, *other = args[1 - i]->type;
        if (args[i]->type->id == TYPE_NULL && sum)
            to = null_beside(name[0], other);
        if (args[i]->type->id == TYPE_NULL && to == NULL)
            to = null_beside_decimal(name, i, other);
        else if (args[i]->type->id == TYPE_STRING && promotes_text(ctx, name, other))
            to = type_of(TYPE_DOUBLE);
        else if (equals_number(ctx, name, args[i]->type, other))
            to = other;
        own[i] = to == NULL ? args[i] : expr_cast_implicit(ctx, args[i], to);
    }
    return own;
}

/* try_add of two numbers is NULL on overflow; of anything else, and try_.. of an error in an argument, it is NULL. */
static bool swallows_errors(const struct function *function, const struct expr *const *args, int32_t count)
{
    const struct function swallowing = {.name = "try_add try_subtract try_multiply try_divide try_mod"};
    const struct function always_swallowing = {.name = "try_to_time try_to_binary"};
    if (function_has_name(&always_swallowing, function->name, strcspn(function->name, " ")))
        return true;
    return count == 2 && function_has_name(&swallowing, function->name, strcspn(function->name, " ")) &&
           (!type_is_numeric(args[0]->type) || !type_is_numeric(args[1]->type));
}

/* Among texts intervals are texts, too. */
static enum code concat_intervals(struct expr_context *ctx, const struct expr *const **args, int32_t count,
                                  struct error *err)
{
    const struct expr **texts = arena_array(ctx->arena, const struct expr *, (size_t)count + 1);
    bool nested = false, interval = false;
    for (int32_t i = 0; i < count; i++) {
        texts[i] = (*args)[i];
        nested = nested || type_is_nested(texts[i]->type);
        interval = interval || type_is_any_interval(texts[i]->type);
    }
    if (nested || !interval)
        return E_OK;
    for (int32_t i = 0; i < count; i++)
        if (type_is_any_interval(texts[i]->type))
            TRY(expr_cast(ctx, texts[i], type_of(TYPE_STRING), false, texts[i]->at, &texts[i], err));
    *args = texts;
    return E_OK;
}

enum code expr_call(struct expr_context *ctx, const char *name, const struct expr *const *args, int32_t count,
                    struct position at, const struct expr **out, struct error *err)
{
    if (count > EXPR_ARGS_MAX)
        return fail(err, E_SQL, "`%s` has %d arguments, more than %d", name, count, EXPR_ARGS_MAX);
    if (count == 2 && strcmp(name, "[]") == 0 && args[0]->type->id == TYPE_NULL) {
        *out = expr_null(ctx, args[0]->type, at); // whatever stands in the brackets
        return E_OK;
    }
    struct fit fit = {0};
    struct binding binding = {.ctx = ctx, .count = count, .at = at};
    const struct expr *own[2];
    if (count == 2)
        args = operands_meant(ctx, name, args, own);
    if (strcasecmp(name, "concat") == 0 || strcmp(name, "||") == 0)
        TRY(concat_intervals(ctx, &args, count, err));
    TRY(choose(ctx, name, args, count, &binding.function, &fit, err));
    binding.type = fit.result;
    binding.args = arena_array(ctx->arena, const struct expr *, (size_t)count + 1);
    for (int32_t i = 0; i < count; i++)
        binding.args[i] = expr_cast_implicit(ctx, args[i], fit.types[i]);
    TRY(call_new(&binding, out, err));
    if (swallows_errors(binding.function, args, count) && (*out)->kind == EXPR_CALL)
        ((struct expr *)(uintptr_t)*out)->try_cast = true;
    return E_OK;
}

/* ---- documentation ---- */

static void print_row(const char *name, const char *signature, const char *help, const char *example,
                      const char *expected, struct text *out)
{
    text_add_string(out, "| ");
    for (const char *at = name; *at != '\0'; at += strspn(at, " ")) {
        size_t size = strcspn(at, " ");
        text_printf(out, "%s`%.*s`", at == name ? "" : ", ", (int)size, at);
        at += size;
    }
    text_printf(out, " | `");
    for (const char *at = signature; *at != '\0'; at++) {
        if (*at == '|')
            text_add_char(out, '\\'); // a bar would end the cell
        text_add_char(out, *at);
    }
    text_printf(out, "` | %s | ", help);
    if (example != NULL)
        text_printf(out, "`%s` is `%s`", example, expected);
    text_add_string(out, " |\n");
}

void functions_print(struct text *out)
{
    static const char head[] = "| name | signature | what it does | example |\n|---|---|---|---|\n";
    text_add_string(
        out,
        "# Functions\n\nGenerated from the tables in src/expr; every example is run as a test. In signatures a capital letter "
        "is one type wherever it stands; what ends in `?` may be missing, in `...` may come any number of "
        "times, and in `!` is not cast.\n");
    for (int i = 0; i < FAMILY_COUNT; i++) {
        if (families[i].title == NULL)
            continue;
        text_printf(out, "\n## %s\n\n%s", families[i].title, head);
        for (const struct function *const *at = families[i].functions; *at != NULL; at++)
            if (((*at)->flags & FN_HIDDEN) == 0)
                print_row((*at)->name, (*at)->signature, (*at)->help, (*at)->example, (*at)->expected, out);
    }
    text_printf(out, "\n## Aggregates\n\n%s", head);
    for (int32_t i = 0; aggregate_at(i) != NULL; i++) {
        const struct aggregate *row = aggregate_at(i);
        print_row(row->name, row->signature, row->help, row->example, row->expected, out);
    }
    functions_print_absent(out);
}

void functions_each(void (*each)(void *context, const struct function_note *note), void *context)
{
    for (int i = 0; i < GENERATOR_COUNT; i++)
        each(context, &generators[i]);
    for (int i = 0; i < FAMILY_COUNT; i++)
        for (const struct function *const *at = families[i].functions; *at != NULL; at++) {
            const struct function_note note = {(*at)->name, (*at)->signature, (*at)->help, (*at)->example,
                                               (*at)->expected};
            if (((*at)->flags & FN_HIDDEN) == 0)
                each(context, &note);
        }
    for (int32_t i = 0; aggregate_at(i) != NULL; i++) {
        const struct aggregate *row = aggregate_at(i);
        const struct function_note note = {row->name, row->signature, row->help, row->example, row->expected};
        each(context, &note);
    }
}

void functions_each_example(void (*each)(void *context, const char *name, const char *example, const char *expected),
                            void *context)
{
    for (int i = 0; i < FAMILY_COUNT; i++)
        for (const struct function *const *at = families[i].functions; *at != NULL; at++)
            if ((*at)->example != NULL)
                each(context, (*at)->name, (*at)->example, (*at)->expected);
    for (int32_t i = 0; aggregate_at(i) != NULL; i++)
        if (aggregate_at(i)->example != NULL)
            each(context, aggregate_at(i)->name, aggregate_at(i)->example, aggregate_at(i)->expected);
}

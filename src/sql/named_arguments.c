/* named_arguments.c - mask(lowerChar => 'q', str => 'AbC'): arguments by name, put in their places by the parser. */
#include "sql/analyser.h"
#include "sql/parser.h"

enum { PARAMETERS_MAX = 5 };

struct parameters {
    const char *function;
    const char *names[PARAMETERS_MAX];
    const char *defaults[PARAMETERS_MAX]; /* NULL: it must be given; "": NULL */
};
static const struct parameters functions[] = {
    {"mask", {"str", "upperChar", "lowerChar", "digitChar", "otherChar"}, {NULL, "X", "x", "n", ""}},
    {"explode", {"collection"}, {NULL}},
    {"explode_outer", {"collection"}, {NULL}},
    {"posexplode", {"collection"}, {NULL}},
    {"posexplode_outer", {"collection"}, {NULL}},
    {"inline", {"input"}, {NULL}},
    {"inline_outer", {"input"}, {NULL}},
};

static const struct parameters *parameters_of(const char *function)
{
    for (size_t i = 0; i < sizeof functions / sizeof functions[0]; i++)
        if (same_name(functions[i].function, function))
            return &functions[i];
    return NULL;
}

static int32_t parameter_index(const struct parameters *parameters, const char *name)
{
    for (int32_t i = 0; i < PARAMETERS_MAX && parameters->names[i] != NULL; i++)
        if (same_name(parameters->names[i], name))
            return i;
    return -1;
}

static bool is_named(const struct ast *arg) { return arg->kind == AST_NAMED && arg->flag; }

static enum code place_named(struct parser *self, const struct parameters *parameters, const struct ast *arg,
                             int32_t positional, struct ast **places)
{
    int32_t at = parameter_index(parameters, arg->text);
    if (at < 0)
        return parse_error(
            self, arg->at,
            "[UNRECOGNIZED_PARAMETER_NAME] Cannot invoke routine `%s` because the routine call included a named "
            "argument reference for the argument named `%s`, but this routine does not include any signature "
            "containing an argument with this name.",
            parameters->function, arg->text);
    if (places[at] != NULL)
        return parse_error(
            self, arg->at,
            "[DUPLICATE_ROUTINE_PARAMETER_ASSIGNMENT.%s] Call to routine `%s` is invalid because it includes "
            "multiple argument assignments to the same parameter name `%s`.",
            at < positional ? "BOTH_POSITIONAL_AND_NAMED" : "DOUBLE_NAMED_ARGUMENT_REFERENCE", parameters->function,
            arg->text);
    places[at] = arg->args[0];
    return E_OK;
}

static struct ast *default_value(struct parser *self, const char *text, struct position at)
{
    struct ast *node = ast_new(self, text[0] == '\0' ? AST_NULL : AST_STRING, at);
    node->bytes = bytes_of_string(text);
    return node;
}

enum code place_arguments(struct parser *self, struct ast *call, struct list *args)
{
    const struct parameters *parameters = parameters_of(call->text);
    struct ast *places[PARAMETERS_MAX] = {NULL};
    int32_t positional = 0, count = 0, last = 0;
    while (positional < args->count && !is_named(args->items[positional]))
        positional++;
    if (positional == args->count || parameters == NULL || positional > PARAMETERS_MAX)
        return E_OK;
    for (int32_t i = 0; i < positional; i++)
        places[i] = args->items[i];
    for (int32_t i = positional; i < args->count; i++) {
        const struct ast *arg = args->items[i];
        if (!is_named(arg))
            return parse_error(
                self, arg->at,
                "[UNEXPECTED_POSITIONAL_ARGUMENT] Cannot invoke routine `%s` because it contains positional "
                "argument(s) following the named argument assigned to `%s`; please rearrange them so the "
                "positional arguments come first.",
                call->text, ((const struct ast *)args->items[positional])->text);
        TRY(place_named(self, parameters, arg, positional, places));
    }
    while (count < PARAMETERS_MAX && parameters->names[count] != NULL)
        count++;
    for (int32_t i = 0; i < count; i++) {
        if (places[i] == NULL && parameters->defaults[i] == NULL)
            return parse_error(
                self, call->at,
                "[REQUIRED_PARAMETER_NOT_FOUND] Cannot invoke routine `%s` because the parameter named `%s` is "
                "required, but the routine call did not supply a value.",
                call->text, parameters->names[i]);
        if (places[i] == NULL)
            places[i] = default_value(self, parameters->defaults[i], call->at);
        last = i + 1;
    }
    *args = (struct list){0};
    for (int32_t i = 0; i < last; i++)
        list_add(self->arena, args, places[i]);
    return E_OK;
}

/* analyse_generate.c - explode and its kin: one row in, several rows and columns out. */
#include "sql/analyser.h"

static void set_fields(struct analyser *self, struct bound_generator *out, const struct field *fields, int32_t count)
{
    bool position = out->spec.kind == GENERATE_POSEXPLODE;
    out->field_count = count + position;
    out->fields = arena_array(self->arena, struct field, (size_t)out->field_count);
    if (position)
        out->fields[0] = (struct field){"pos", type_of(TYPE_INT32), out->spec.outer};
    for (int32_t i = 0; i < count; i++) {
        out->fields[i + position] = fields[i];
        out->fields[i + position].nullable = fields[i].nullable || out->spec.outer;
    }
}

static enum code wrong_input(struct analyser *self, const struct ast *call, const char *wanted, const struct type *got)
{
    return sql_error(self, call->args[0]->at, NULL,
                     "[DATATYPE_MISMATCH.UNEXPECTED_INPUT_TYPE] Cannot resolve \"%s\" due to data type "
                     "mismatch: The first parameter requires the %s type, however \"%s\" has the type \"%s\".",
                     ast_name_of(self, call), wanted, ast_name_of(self, call->args[0]), type_text(self->arena, got));
}

static enum code type_explode(struct analyser *self, const struct ast *call, const struct type *input,
                              struct bound_generator *out)
{
    if (input->id == TYPE_ARRAY) {
        struct field field = {"col", input->fields[0].type, input->fields[0].nullable};
        set_fields(self, out, &field, 1);
        return E_OK;
    }
    if (input->id != TYPE_MAP)
        return wrong_input(self, call, "(\"ARRAY\" or \"MAP\")", input);
    struct field fields[2] = {{"key", input->fields[0].type, false},
                              {"value", input->fields[1].type, input->fields[1].nullable}};
    set_fields(self, out, fields, 2);
    return E_OK;
}

static enum code type_inline(struct analyser *self, const struct ast *call, const struct type *input,
                             struct bound_generator *out)
{
    if (input->id != TYPE_ARRAY || input->fields[0].type->id != TYPE_STRUCT)
        return wrong_input(self, call, "\"ARRAY<STRUCT>\"", input);
    const struct type *element = input->fields[0].type;
    struct field *fields = arena_array(self->arena, struct field, (size_t)element->field_count);
    for (int32_t i = 0; i < element->field_count; i++) {
        fields[i] = element->fields[i];
        fields[i].nullable = fields[i].nullable || input->fields[0].nullable;
    }
    set_fields(self, out, fields, element->field_count);
    return E_OK;
}

/* Types are never cast to each other; intervals of other fields go together. NULL: they differ. */
static const struct type *stacked_type(struct analyser *self, const struct type *a, const struct type *b)
{
    bool null = a->id == TYPE_NULL || b->id == TYPE_NULL;
    return null || a->id == b->id ? type_common(self->arena, a, b) : NULL;
}

/* stack(n, a, b, c, ..): n rows; each column has one type in all of them. */
static enum code type_stack(struct analyser *self, const struct ast *call, const struct expr **args,
                            struct bound_generator *out)
{
    const struct expr *count;
    if (call->arg_count > 1 && args[0]->type->id != TYPE_INT32)
        return sql_error(self, call->at, NULL,
                         "[DATATYPE_MISMATCH.UNEXPECTED_INPUT_TYPE] The first parameter of stack requires the \"INT\" "
                         "type, however it has the type \"%s\".",
                         type_text(self->arena, args[0]->type));
    if (call->arg_count < 2 || !expr_is_constant(args[0]))
        return sql_error(self, call->at, NULL,
                         "[DATATYPE_MISMATCH.NON_FOLDABLE_INPUT] stack(n, ..) takes a constant INT n and "
                         "values.");
    TRY(placed(self, expr_fold(&self->expr, args[0], &count, self->err), call->at));
    int32_t rows = column_valid_at(count->literal, 0) ? column_values(count->literal, int32_t)[0] : 0;
    int32_t values = call->arg_count - 1;
    if (rows < 1)
        return sql_error(self, call->at, NULL,
                         "[DATATYPE_MISMATCH.VALUE_OUT_OF_RANGE] The first argument of stack must be above 0.");
    int32_t columns = rows >= values ? 1 : (values + rows - 1) / rows;
    struct field *fields = arena_array(self->arena, struct field, (size_t)columns);
    for (int32_t c = 0; c < columns; c++) {
        const struct type *type = type_of(TYPE_NULL);
        for (int32_t i = c; i < values && type != NULL; i += columns)
            type = stacked_type(self, type, args[i + 1]->type);
        if (type == NULL)
            return sql_error(self, call->at, NULL,
                             "[DATATYPE_MISMATCH.STACK_COLUMN_DIFF_TYPES] The data types of column %d of stack "
                             "do not have the same type.",
                             c);
        fields[c] = (struct field){arena_printf(self->arena, "col%d", c), type, true};
        for (int32_t i = c; i < values; i += columns)
            if (!type_equal(args[i + 1]->type, type))
                TRY(placed(self, expr_cast(&self->expr, args[i + 1], type, false, call->at, &args[i + 1], self->err),
                           call->at));
    }
    args[0] = count;
    set_fields(self, out, fields, columns);
    return E_OK;
}

/* Functions that give an array of structs, one for each row that the generator of their name makes. */
static bool is_list_generator(const char *name)
{
    return same_name(name, "json_tuple") || same_name(name, "variant_explode") ||
           same_name(name, "variant_explode_outer");
}

static enum code type_list(struct analyser *self, const struct ast *call, const struct expr **args,
                           struct bound_generator *out)
{
    int32_t count = call->arg_count;
    TRY(placed(self, expr_call(&self->expr, call->text, args, count, call->at, &args[0], self->err), call->at));
    out->spec.kind = GENERATE_INLINE;
    out->spec.arg_count = 1;
    return type_inline(self, call, args[0]->type, out);
}

static enum code type_generator(struct analyser *self, const struct ast *call, const struct expr **args,
                                struct bound_generator *out)
{
    const char *name = call->text;
    size_t size = strlen(name);
    out->spec.arg_count = call->arg_count;
    if (size > 6 && strcmp(name + size - 6, "_outer") == 0) {
        out->spec.outer = true;
        size -= 6;
    }
    if (strncmp(name, "stack", size) == 0) {
        out->spec.kind = GENERATE_STACK;
        return type_stack(self, call, args, out);
    }
    if (is_list_generator(name))
        return type_list(self, call, args, out);
    if (call->arg_count != 1)
        return sql_error(self, call->at, NULL,
                         "[WRONG_NUM_ARGS.WITHOUT_SUGGESTION] The `%s` requires 1 parameters but the actual "
                         "number is %d.",
                         name, call->arg_count);
    if (strncmp(name, "inline", size) == 0) {
        out->spec.kind = GENERATE_INLINE;
        return type_inline(self, call, args[0]->type, out);
    }
    out->spec.kind = name[0] == 'p' ? GENERATE_POSEXPLODE : GENERATE_EXPLODE;
    return type_explode(self, call, args[0]->type, out);
}

enum code bind_generator(struct analyser *self, const struct scope *scope, const struct ast *call,
                         const char *const *names, int32_t name_count, struct bound_generator *out)
{
    const struct expr **args;
    if (!is_generator(call))
        return sql_error(self, call->at, NULL,
                         "[UNSUPPORTED_GENERATOR.NOT_GENERATOR] The generator is not supported: %s is expected "
                         "to be a generator.",
                         ast_name_of(self, call));
    TRY(analyse_args(self, scope, call, &args));
    TRY(type_generator(self, call, args, out));
    if (name_count > 0 && name_count != out->field_count)
        return sql_error(self, call->at, NULL,
                         "[UDTF_ALIAS_NUMBER_MISMATCH] The number of aliases supplied in the AS clause does "
                         "not match the number of columns output by the UDTF. Expected %d aliases, but got %d.",
                         out->field_count, name_count);
    for (int32_t i = 0; i < name_count; i++)
        out->fields[i].name = names[i];
    out->spec.args = args;
    out->spec.generated = out->field_count;
    return E_OK;
}

struct plan *generator_over(struct analyser *self, const struct bound_generator *generator, struct plan *input,
                            struct position at)
{
    const struct type *schema = schema_append(self->arena, input->schema, generator->fields, generator->field_count);
    struct plan *node = plan_over(self->arena, PLAN_GENERATE, input, schema, at);
    node->generate = generator->spec;
    return node;
}

enum code analyse_generator(struct analyser *self, const struct scope *scope, const struct ast *call, bool outer,
                            const char *const *names, int32_t name_count, int32_t *count)
{
    struct bound_generator generator = {.spec = {.outer = outer}};
    TRY(bind_generator(self, scope, call, names, name_count, &generator));
    scope->rows->plan = generator_over(self, &generator, scope->rows->plan, call->at);
    *count = generator.field_count;
    return E_OK;
}

/* session_show.c - what DESCRIBE, SHOW and EXPLAIN tell: rows of texts. */
#include <ctype.h>
#include <stdlib.h>

#include "sql/sql_session.h"

struct told { /* rows so far */
    struct step *step;
    const char *const *columns;
    int32_t column_count;
    struct list cells; /* const struct expr * */
};

static void tell_text(struct told *self, const char *text)
{
    struct expr_context *ctx = &self->step->analyser.expr;
    const struct expr *cell = text != NULL ? expr_string(ctx, bytes_of_string(text), (struct position){0})
                                           : expr_null(ctx, type_of(TYPE_STRING), (struct position){0});
    list_add(ctx->arena, &self->cells, cell);
}

/* A row per line: a table shows no line ends. */
static void tell_lines(struct told *self, const char *text)
{
    struct arena *arena = self->step->analyser.arena;
    while (*text != '\0') {
        size_t size = strcspn(text, "\n");
        tell_text(self, arena_strndup(arena, text, size));
        text += size + (text[size] == '\n');
    }
}

static void tell_flag(struct told *self, bool flag)
{
    struct expr_context *ctx = &self->step->analyser.expr;
    list_add(ctx->arena, &self->cells, expr_boolean(ctx, flag, (struct position){0}));
}

/* The rows as VALUES; a column whose name begins with "is" is a BOOLEAN. */
static enum code tell(struct told *self)
{
    struct arena *arena = self->step->analyser.arena;
    struct field *fields = arena_array(arena, struct field, (size_t)self->column_count);
    for (int32_t i = 0; i < self->column_count; i++) {
        bool flag = strncmp(self->columns[i], "is", 2) == 0;
        fields[i] = (struct field){self->columns[i], type_of(flag ? TYPE_BOOLEAN : TYPE_STRING), true};
    }
    const struct type *schema = type_struct(arena, fields, self->column_count);
    struct plan *plan = plan_new(arena, PLAN_VALUES, schema, (struct position){0});
    plan->exprs = (const struct expr *const *)self->cells.items;
    plan->expr_count = self->cells.count;
    self->step->out->action = SESSION_ROWS;
    self->step->out->plan = plan;
    return E_OK;
}

/* ---- patterns: a*|b*, case ignored ---- */

/* After a mismatch, the last star takes a character more: earlier stars need not move. */
static bool matches_one(const char *pattern, size_t size, const char *name)
{
    const char *end = pattern + size, *star = NULL, *taken = NULL;
    while (*name != '\0') {
        if (pattern < end && *pattern == '*') {
            star = ++pattern;
            taken = name;
        } else if (pattern < end && tolower((unsigned char)*pattern) == tolower((unsigned char)*name)) {
            pattern++;
            name++;
        } else if (star != NULL) {
            pattern = star;
            name = ++taken;
        } else {
            return false;
        }
    }
    while (pattern < end && *pattern == '*')
        pattern++;
    return pattern == end;
}

static bool matches(const char *pattern, const char *name)
{
    if (pattern == NULL)
        return true;
    for (;;) {
        size_t size = strcspn(pattern, "|");
        if (matches_one(pattern, size, name))
            return true;
        if (pattern[size] == '\0')
            return false;
        pattern += size + 1;
    }
}

/* ---- functions ---- */

struct known { /* names of functions, or one of them */
    struct step *step;
    const char *wanted, *pattern;
    struct list names;
    const struct function_note *found;
    struct function_note note;
};

static void know(void *context, const struct function_note *note)
{
    struct known *self = context;
    struct arena *arena = self->step->analyser.arena;
    for (const char *at = note->names; *at != '\0'; at += strspn(at, " ")) {
        size_t size = strcspn(at, " ");
        char *name = arena_strndup(arena, at, size);
        at += size;
        if (self->wanted != NULL && same_name(name, self->wanted)) {
            self->note = *note;
            self->found = &self->note;
        } else if (self->wanted == NULL && matches(self->pattern, name)) {
            list_add(arena, &self->names, name);
        }
    }
}

static int by_name(const void *a, const void *b) { return strcmp(*(const char *const *)a, *(const char *const *)b); }

enum code session_show_functions(struct step *self)
{
    static const char *const columns[] = {"function"};
    struct told told = {.step = self, .columns = columns, .column_count = 1};
    struct known known = {.step = self, .pattern = self->statement.pattern};
    if (!self->statement.user_only)
        functions_each(know, &known);
    for (int32_t i = 0; i < self->session->function_count; i++)
        if (matches(self->statement.pattern, self->session->functions[i]->name))
            list_add(self->analyser.arena, &known.names, (void *)(uintptr_t)self->session->functions[i]->name);
    if (known.names.count > 0)
        qsort(known.names.items, (size_t)known.names.count, sizeof known.names.items[0], by_name);
    for (int32_t i = 0; i < known.names.count; i++)
        if (i == 0 || strcmp(known.names.items[i], known.names.items[i - 1]) != 0)
            tell_text(&told, known.names.items[i]);
    return tell(&told);
}

/* Function, type, input with a line a parameter, what it returns; Spark's layout. */
static enum code describe_own(struct step *self, const struct sql_function *function, struct told *told)
{
    struct arena *arena = self->analyser.arena;
    tell_text(told, arena_printf(arena, "Function: %s%s", function->temporary ? "" : "spark_catalog.default.",
                                 function->name));
    tell_text(told, arena_printf(arena, "Type:     %s", function->query != NULL ? "TABLE" : "SCALAR"));
    if (function->parameter_count == 0)
        tell_text(told, "Input:    ()");
    for (int32_t i = 0; i < function->parameter_count; i++)
        tell_text(told, arena_printf(arena, "%s%s %s", i == 0 ? "Input:    " : "          ",
                                     function->parameters[i].name, type_text(arena, function->parameters[i].type)));
    const struct type *columns = function->query != NULL ? function->returns : NULL;
    for (int32_t i = 0; columns != NULL && i < columns->field_count; i++)
        tell_text(told, arena_printf(arena, "%s%s %s", i == 0 ? "Returns:  " : "          ", columns->fields[i].name,
                                     type_text(arena, columns->fields[i].type)));
    if (function->query == NULL)
        tell_text(told, arena_printf(arena, "Returns:  %s", type_text(arena, function->returns)));
    return tell(told);
}

enum code session_describe_function(struct step *self)
{
    static const char *const columns[] = {"function_desc"};
    struct arena *arena = self->analyser.arena;
    const char *name = self->statement.statement->name;
    struct told told = {.step = self, .columns = columns, .column_count = 1};
    struct known known = {.step = self, .wanted = name};
    functions_each(know, &known);
    const struct sql_function *own = known.found == NULL ? function_find(&self->analyser, name) : NULL;
    if (own != NULL)
        return describe_own(self, own, &told);
    if (known.found == NULL)
        return sql_error(&self->analyser, self->statement.statement->name_at, NULL,
                         "[UNRESOLVED_ROUTINE] Cannot resolve routine `%s` on search path [`system`.`builtin`, "
                         "`system`.`session`, `spark_catalog`.`default`].",
                         name);
    tell_text(&told, arena_printf(arena, "Function: %s", name));
    tell_text(&told, arena_printf(arena, "Signature: %s", known.note.signature));
    tell_text(&told, arena_printf(arena, "Usage: %s", known.note.help));
    if (self->statement.extended && known.note.example != NULL)
        tell_lines(&told, arena_printf(arena, "Extended Usage:\n    Examples:\n      > SELECT %s;\n       %s\n",
                                       known.note.example, known.note.expected));
    return tell(&told);
}

/* ---- relations ---- */

static enum code tell_columns(struct step *self, const struct type *schema)
{
    static const char *const columns[] = {"col_name", "data_type", "comment"};
    struct told told = {.step = self, .columns = columns, .column_count = 3};
    for (int32_t i = 0; i < schema->field_count; i++) {
        struct text type = {0};
        type_print(schema->fields[i].type, &type);
        tell_text(&told, schema->fields[i].name);
        tell_text(&told, arena_strndup(self->analyser.arena, type.data, type.size));
        tell_text(&told, NULL);
        text_free(&type);
    }
    return tell(&told);
}

static enum code relation_plan(struct step *self, struct plan **out)
{
    const struct ast_statement *statement = self->statement.statement;
    const char *parts[1] = {statement->name};
    const struct ast_relation relation = {
        .kind = RELATION_NAME, .at = statement->name_at, .parts = parts, .part_count = 1};
    return catalog_relation(&self->analyser, &relation, out);
}

enum code session_describe_relation(struct step *self)
{
    struct plan *plan;
    TRY(relation_plan(self, &plan));
    return tell_columns(self, plan->schema);
}

enum code session_describe_query(struct step *self)
{
    struct plan *plan;
    TRY(step_analyse(self, self->statement.statement->query, &plan));
    return tell_columns(self, plan->schema);
}

enum code session_show_columns(struct step *self)
{
    static const char *const columns[] = {"col_name"};
    struct told told = {.step = self, .columns = columns, .column_count = 1};
    struct plan *plan;
    TRY(relation_plan(self, &plan));
    for (int32_t i = 0; i < plan->schema->field_count; i++)
        tell_text(&told, plan->schema->fields[i].name);
    return tell(&told);
}

enum code session_show_relations(struct step *self)
{
    static const char *const tables[] = {"namespace", "tableName", "isTemporary"};
    static const char *const views[] = {"namespace", "viewName", "isTemporary"};
    bool only_views = self->statement.kind == DO_SHOW_VIEWS;
    struct told told = {.step = self, .columns = only_views ? views : tables, .column_count = 3};
    for (int32_t i = 0; i < self->session->relation_count; i++) {
        const struct relation *relation = self->session->relations[i];
        if ((only_views && relation->view == NULL) || !matches(self->statement.pattern, relation->name))
            continue;
        tell_text(&told, relation->temporary ? "" : "default");
        tell_text(&told, relation->name);
        tell_flag(&told, relation->temporary);
    }
    return tell(&told);
}

enum code session_show_schemas(struct step *self)
{
    static const char *const schemas[] = {"namespace"}, *const catalogs[] = {"catalog"};
    bool catalog = self->statement.kind == DO_SHOW_CATALOGS;
    struct told told = {.step = self, .columns = catalog ? catalogs : schemas, .column_count = 1};
    const char *name = catalog ? "spark_catalog" : "default";
    if (matches(self->statement.pattern, name))
        tell_text(&told, name);
    return tell(&told);
}

/* ---- EXPLAIN ---- */

enum code session_explain(struct step *self)
{
    static const char *const columns[] = {"plan"};
    struct told told = {.step = self, .columns = columns, .column_count = 1};
    struct plan *plan;
    struct text shown = {0};
    TRY(step_analyse(self, self->statement.statement->query, &plan));
    TRY(step_optimise(self, &plan));
    plan_print(self->analyser.arena, plan, &shown);
    tell_lines(&told, arena_strndup(self->analyser.arena, shown.size > 0 ? shown.data : "", shown.size));
    text_free(&shown);
    return tell(&told);
}

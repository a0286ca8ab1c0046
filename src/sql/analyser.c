#include "sql/analyser.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <strings.h>

enum code placed(struct analyser *self, enum code code, struct position at)
{
    return code == E_OK ? E_OK : message_at(self->notes, at, NULL, self->err);
}

enum code sql_error_report(struct analyser *self, struct position at, const char *hint, const char *format, ...)
{
    char said[768];
    va_list args;
    va_start(args, format);
    vsnprintf(said, sizeof said, format, args);
    va_end(args);
    fail(self->err, E_SQL, "%s", said);
    return message_at(self->notes, at, hint, self->err);
}

enum code not_yet_report(struct analyser *self, struct position at, const char *what)
{
    fail(self->err, E_UNSUPPORTED, "[UNSUPPORTED_FEATURE] leat cannot do this yet: %s", what);
    return message_at(self->notes, at, NULL, self->err);
}

enum code deeper(struct analyser *self, struct position at)
{
    if (++self->depth <= 4 * SQL_NESTING_MAX)
        return E_OK;
    return sql_error(self, at, NULL, "[PARSE_SYNTAX_ERROR] the query nests too deep through its views and subqueries");
}

bool same_name(const char *a, const char *b) { return strcasecmp(a, b) == 0; }

const char *type_text(struct arena *arena, const struct type *type)
{
    struct text shown = {0};
    type_print(type, &shown);
    char *copy = arena_strdup(arena, shown.data);
    text_free(&shown);
    for (char *c = copy; *c != '\0'; c++)
        *c = (char)toupper((unsigned char)*c);
    return copy;
}

const struct expr *column_of(struct analyser *self, const struct plan *plan, int32_t index, struct position at)
{
    return expr_column(&self->expr, index, &plan->schema->fields[index], at);
}

const struct expr *rowset_append(struct analyser *self, struct rowset *rows, const struct expr *expr, const char *name)
{
    int32_t count = rows->plan->schema->field_count;
    const struct expr **exprs = arena_array(self->arena, const struct expr *, (size_t)count + 1);
    const char **names = arena_array(self->arena, const char *, (size_t)count + 1);
    for (int32_t i = 0; i < count; i++) {
        exprs[i] = column_of(self, rows->plan, i, expr->at);
        names[i] = rows->plan->schema->fields[i].name;
    }
    exprs[count] = expr;
    names[count] = name;
    rows->plan = plan_project(self->arena, rows->plan, exprs, names, count + 1, expr->at);
    return column_of(self, rows->plan, count, expr->at);
}

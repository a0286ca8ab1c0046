#include "trees.h"

#include <stdio.h>

static struct arena arena;
static struct session session;
static struct expr_context ctx;
static struct error error;
static char shown[4096];

struct expr_context *trees_open(void)
{
    struct error ignored;
    trees_close();
    session.ansi = true;
    session.batch_time_us = 1767225600000000;  // 2026-01-01 00:00:00 UTC
    if (zone_find(bytes_of_string("America/Los_Angeles"), &session.zone, &ignored) != E_OK)
        session.zone = zone_utc();
    ctx = (struct expr_context){&arena, &session};
    return &ctx;
}

void trees_close(void) { arena_free(&arena); }

const struct type *tree_type(const char *ddl)
{
    const struct type *type = NULL;
    size_t at;
    if (type_parse_ddl(&arena, bytes_of_string(ddl), &type, &at, &error) != E_OK)
        kit_fail(__FILE__, __LINE__, "type %s: %s", ddl, error.text);
    return type;
}

const struct expr *tree_int(int64_t value)
{
    bool small = value == (int32_t)value;
    return expr_int(&ctx, type_of(small ? TYPE_INT32 : TYPE_INT64), value, (struct position){0});
}

const struct expr *tree_string(const char *value)
{
    return expr_string(&ctx, bytes_of_string(value), (struct position){0});
}

const struct expr *tree_cast(const char *value, const char *ddl)
{
    const struct expr *out = NULL;
    if (value == NULL)
        return expr_null(&ctx, tree_type(ddl), (struct position){0});
    if (expr_cast(&ctx, tree_string(value), tree_type(ddl), false, (struct position){0}, &out, &error) != E_OK)
        kit_fail(__FILE__, __LINE__, "cast %s to %s: %s", value, ddl, error.text);
    return out;
}

const struct expr *tree_call(const char *name, const struct expr *const *args, int32_t count)
{
    const struct expr *out = NULL;
    for (int32_t i = 0; i < count; i++)
        if (args[i] == NULL)
            return NULL;
    return expr_call(&ctx, name, args, count, (struct position){0}, &out, &error) == E_OK ? out : NULL;
}

const char *tree_error(void) { return error.text; }

const char *tree_value(const struct expr *expr)
{
    const struct expr *text, *folded;
    if (expr == NULL) {
        snprintf(shown, sizeof shown, "!%.*s", (int)strcspn(error.text + 1, "]"), error.text + 1);
        return shown;
    }
    if (expr_cast(&ctx, expr, type_of(TYPE_STRING), false, (struct position){0}, &text, &error) != E_OK ||
        expr_fold(&ctx, text, &folded, &error) != E_OK) {
        snprintf(shown, sizeof shown, "!%.*s", (int)strcspn(error.text + 1, "]"), error.text + 1);
        return shown;
    }
    if (column_is_null(folded->literal, 0))
        return "NULL";
    struct bytes bytes = column_bytes_at(folded->literal, 0);
    snprintf(shown, sizeof shown, "%.*s", (int)bytes.size, (const char *)bytes.data);
    return shown;
}

const char *tree_type_of(const struct expr *expr)
{
    struct text text = {0};
    type_print(expr->type, &text);
    snprintf(shown, sizeof shown, "%s", text.data);
    text_free(&text);
    return shown;
}

TEST(constants_fold_through_casts_and_calls)
{
    trees_open();
    CHECK_STR(tree_value(CALL("+", tree_int(1), tree_int(2))), "3");
    CHECK_STR(tree_value(CALL("/", tree_int(5), tree_int(2))), "2.5");
    CHECK_STR(tree_value(CALL("=", tree_string("1"), tree_int(1))), "true");
    CHECK_STR(tree_value(CALL("/", tree_int(1), tree_int(0))), "!DIVIDE_BY_ZERO");
    CHECK_STR(tree_value(tree_cast("abc", "INT")), "!CAST_INVALID_INPUT");
    CHECK_STR(tree_value(CALL("coalesce", tree_cast(NULL, "INT"), tree_int(7))), "7");
    CHECK_STR(tree_value(CALL("if", CALL("<", tree_int(1), tree_int(2)), tree_string("a"), tree_string("b"))), "a");
    CHECK_STR(tree_value(CALL("if", CALL("=", tree_int(1), tree_int(2)), CALL("/", tree_int(1), tree_int(0)), tree_int(3))),
              "3.0");
    CHECK_STR(tree_value(CALL("abss", tree_int(1))), "!UNRESOLVED_ROUTINE");
    CHECK_STR(tree_value(tree_cast("1.005", "DECIMAL(5,2)")), "1.01");
    CHECK_STR(tree_value(tree_cast("2026-01-01 10:00:00", "TIMESTAMP")), "2026-01-01 10:00:00");
    trees_close();
}

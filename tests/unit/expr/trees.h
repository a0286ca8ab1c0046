/* trees.h - short hands of the expression tests: an arena, literals, calls, and one value as text. */
#ifndef TESTS_EXPR_TREES_H
#define TESTS_EXPR_TREES_H

#include "expr/expr.h"
#include "kit.h"

/* A context in America/Los_Angeles (UTC when the machine has no zoneinfo), ANSI on. Freed by trees_close. */
struct expr_context *trees_open(void);
void trees_close(void);

/* One type in DDL: "INT", "ARRAY<INT>". */
const struct type *tree_type(const char *ddl);
const struct expr *tree_int(int64_t value);
const struct expr *tree_string(const char *value);
/* CAST(value AS ddl); NULL value = a NULL of the type. */
const struct expr *tree_cast(const char *value, const char *ddl);
/* NULL when the call is refused; the error's text is then in tree_error(). */
const struct expr *tree_call(const char *name, const struct expr *const *args, int32_t count);
const char *tree_error(void);
#define CALL(name, ...)                                                                                        \
    tree_call((name), (const struct expr *const[]){__VA_ARGS__},                                               \
              (int32_t)(sizeof((const struct expr *const[]){__VA_ARGS__}) / sizeof(struct expr *)))

/* The constant's value as CAST AS STRING shows it, "NULL", or "!CONDITION" of its error. Valid until the next call. */
const char *tree_value(const struct expr *expr);
const char *tree_type_of(const struct expr *expr);

#endif

/* name_printer.h - inside sql/: printing an expression as Spark names it.
 *
 * Leaf pieces and the whole   ast_name.c
 * a + b, a LIKE b             ast_name_operator.c
 * f(a, b)                     ast_name_call.c
 * .. OVER (..)                ast_name_over.c
 */
#ifndef SQL_NAME_PRINTER_H
#define SQL_NAME_PRINTER_H

#include "sql/select.h"

struct name_printer {
    struct analyser *analyser;         /* for the values of typed literals */
    const struct scope *scope;         /* or NULL */
    const struct lambda_names *lambda; /* or NULL: of the lambdas around */
    struct text text;
};

void name_put(struct name_printer *out, const char *text);
void name_print(struct name_printer *out, const struct ast *ast);
void name_print_list(struct name_printer *out, struct ast *const *args, int32_t count);
void name_print_sorts(struct name_printer *out, const struct ast_sort *sorts, int32_t count);

/* The type of a part of the name; NULL when it is not to be found out, or too deep to look. */
const struct type *name_type_of(struct name_printer *out, const struct ast *ast);

void name_print_operator(struct name_printer *out, const struct ast *ast);
void name_print_call(struct name_printer *out, const struct ast *ast);
void name_print_over(struct name_printer *out, const struct ast *call, const struct ast_window *window);

/* Text around the arguments of an operator or call: pieces[0] arg pieces[1] arg .. */
struct name_shape {
    const char *name;
    int32_t count; /* of arguments */
    const char *pieces[4];
};
/* False: none of the shapes, the last of which has no name, is of that operator or call. */
bool name_print_shaped(struct name_printer *out, const struct name_shape *shapes, const struct ast *ast,
                       int32_t arg_count);

#endif

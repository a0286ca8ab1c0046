/* ast_name_over.c - OVER (..) in the names of columns: the frame as Spark shows it, written or not. */
#include "sql/name_printer.h"

/* RANGE n PRECEDING with a cast of n to the type of the order: Spark shows what it computes. */
static bool is_cast_bound(struct name_printer *out, const struct ast_window *window, const struct ast_bound *bound)
{
    if (window->by_rows || bound->kind != BOUND_PRECEDING || bound->offset == NULL || window->order_count != 1)
        return false;
    const struct type *a = name_type_of(out, window->order[0].expr), *b = name_type_of(out, bound->offset);
    return a != NULL && b != NULL && type_is_numeric(a) && !type_equal(a, b);
}

static void print_bound(struct name_printer *out, const struct ast_window *window, const struct ast_bound *bound)
{
    if (is_cast_bound(out, window, bound)) {
        name_put(out, "(- ");
        name_print(out, bound->offset);
        name_put(out, ") FOLLOWING");
        return;
    }
    static const char *const words[] = {"UNBOUNDED PRECEDING", " PRECEDING", "CURRENT ROW", " FOLLOWING",
                                        "UNBOUNDED FOLLOWING"};
    if (bound->offset != NULL)
        name_print(out, bound->offset);
    name_put(out, words[bound->kind]);
}

/* OVER w: what WINDOW says of it. */
static const struct ast_window *window_meant(const struct name_printer *out, const struct ast_window *window)
{
    const struct ast_select *ast = out->scope != NULL && out->scope->select != NULL ? out->scope->select->ast : NULL;
    for (int32_t i = 0; window->name != NULL && ast != NULL && i < ast->window_count; i++)
        if (same_name(ast->windows[i].name, window->name))
            return &ast->windows[i];
    return window;
}

/* Functions that have a frame of their own show it. */
static bool print_own_frame(struct name_printer *out, const struct ast *call)
{
    static const char *const ranks[] = {"row_number", "rank", "dense_rank", "percent_rank", "ntile", NULL};
    for (int i = 0; ranks[i] != NULL; i++)
        if (strcmp(ranks[i], call->text) == 0) {
            name_put(out, "ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW");
            return true;
        }
    bool back = strcmp(call->text, "lag") == 0;
    const struct ast *offset = call->arg_count > 1 ? call->args[1] : NULL;
    if ((!back && strcmp(call->text, "lead") != 0) || (offset != NULL && offset->kind != AST_NUMBER))
        return false;
    const char *digits = offset != NULL ? offset->text : "1", *sign = back ? "-" : "";
    text_printf(&out->text, "ROWS BETWEEN %s%s FOLLOWING AND %s%s FOLLOWING", sign, digits, sign, digits);
    return true;
}

void name_print_over(struct name_printer *out, const struct ast *call, const struct ast_window *window)
{
    window = window_meant(out, window);
    name_put(out, " OVER (");
    if (window->partition_count > 0) {
        name_put(out, "PARTITION BY ");
        name_print_list(out, window->partition, window->partition_count);
        name_put(out, window->order_count > 0 ? " " : "");
    }
    if (window->order_count > 0)
        name_put(out, "ORDER BY ");
    name_print_sorts(out, window->order, window->order_count);
    if (window->partition_count + window->order_count > 0)
        name_put(out, " ");
    if (window->framed) {
        text_printf(&out->text, "%s BETWEEN ", window->by_rows ? "ROWS" : "RANGE");
        print_bound(out, window, &window->from);
        name_put(out, " AND ");
        print_bound(out, window, &window->to);
    } else if (!print_own_frame(out, call)) {
        name_put(out, window->order_count > 0 ? "RANGE BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW"
                                              : "ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING");
    }
    text_add_char(&out->text, ')');
}

/* grouping_sets.c - GROUPING SETS, ROLLUP and CUBE: which keys each set keeps, and the rows once per set.
 *
 *     GROUP BY a, ROLLUP(b, c)      sets (a, b, c), (a, b), (a)
 *
 * Groups multiply: a set is one of each group's, put together. The number of a set has a bit per key, the first key's
 * the highest; it is 1 where the set leaves the key out.
 */
#include "sql/select.h"

/* ---- the sets of one group ---- */

static enum code set_add(struct analyser *self, struct list *sets, const struct group_set *set, struct position at)
{
    if (sets->count >= SQL_GROUPING_SETS_MAX)
        return sql_error(self, at, NULL, "[UNSUPPORTED_FEATURE] more than SQL_GROUPING_SETS_MAX = %d grouping sets",
                         SQL_GROUPING_SETS_MAX);
    struct group_set *kept = arena_new(self->arena, struct group_set);
    *kept = *set;
    list_add(self->arena, sets, kept);
    return E_OK;
}

static void set_join(struct group_set *into, const struct group_set *more)
{
    for (int32_t i = 0; i < more->count; i++) {
        bool known = false;
        for (int32_t j = 0; j < into->count; j++)
            known = known || into->keys[j] == more->keys[i];
        if (!known && into->count < SQL_GROUPING_KEYS_MAX)
            into->keys[into->count++] = more->keys[i];
    }
}

/* (), (a), (a, b), ..: the longest first. */
static enum code rollup(struct analyser *self, const struct group_set *parts, int32_t count, struct list *sets,
                        struct position at)
{
    for (int32_t kept = count; kept >= 0; kept--) {
        struct group_set set = {0};
        for (int32_t i = 0; i < kept; i++)
            set_join(&set, &parts[i]);
        TRY(set_add(self, sets, &set, at));
    }
    return E_OK;
}

static enum code cube(struct analyser *self, const struct group_set *parts, int32_t count, struct list *sets,
                      struct position at)
{
    if (count > 12)
        return sql_error(self, at, NULL, "[UNSUPPORTED_FEATURE] CUBE of more than 12 keys");
    for (int32_t left_out = 0; left_out < 1 << count; left_out++) {
        struct group_set set = {0};
        for (int32_t i = 0; i < count; i++)
            if ((left_out >> (count - 1 - i) & 1) == 0)
                set_join(&set, &parts[i]);
        TRY(set_add(self, sets, &set, at));
    }
    return E_OK;
}

static enum code group_sets(struct analyser *self, struct select *select, enum group_kind kind,
                            struct ast *const *exprs, int32_t count, struct list *sets, struct position at);

static bool nested_kind(const struct ast *ast, enum group_kind *kind)
{
    static const struct {
        const char *name;
        enum group_kind kind;
    } kinds[] = {{"rollup", GROUP_ROLLUP}, {"cube", GROUP_CUBE}, {"grouping sets", GROUP_SETS}};
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++)
        if (ast->kind == AST_CALL && !ast->flag && same_name(kinds[i].name, ast->text)) {
            *kind = kinds[i].kind;
            return true;
        }
    return false;
}

static enum code group_sets(struct analyser *self, struct select *select, enum group_kind kind,
                            struct ast *const *exprs, int32_t count, struct list *sets, struct position at)
{
    struct group_set *parts = arena_array(self->arena, struct group_set, (size_t)count + 1);
    enum group_kind inner;
    for (int32_t i = 0; i < count; i++) {
        bool nested = nested_kind(exprs[i], &inner);
        if (nested && kind == GROUP_SETS)
            TRY(group_sets(self, select, inner, exprs[i]->args, exprs[i]->arg_count, sets, at));
        else
            TRY(select_key(self, select, exprs[i], &parts[i]));
        if (!nested && kind == GROUP_SETS)
            TRY(set_add(self, sets, &parts[i], at));
        if (select->keys.count > SQL_GROUPING_KEYS_MAX)
            return sql_error(self, at, NULL,
                             "[GROUPING_SIZE_LIMIT_EXCEEDED] Grouping sets size cannot be greater than %d.",
                             SQL_GROUPING_KEYS_MAX);
    }
    if (kind == GROUP_ROLLUP)
        return rollup(self, parts, count, sets, at);
    if (kind == GROUP_CUBE)
        return cube(self, parts, count, sets, at);
    struct group_set all = {0};
    for (int32_t i = 0; i < count && kind == GROUP_EXPRESSION; i++)
        set_join(&all, &parts[i]);
    return kind == GROUP_EXPRESSION || kind == GROUP_KEYS ? set_add(self, sets, &all, at) : E_OK;
}

/* ---- all groups ---- */

/* A set that stands there twice gives its groups twice: which time it is goes above the bits of grouping_id(). */
enum { REPEATS_SHIFT = 48 };

static bool same_set(const struct group_set *a, const struct group_set *b)
{
    if (a->count != b->count)
        return false;
    for (int32_t i = 0; i < a->count; i++) {
        bool found = false;
        for (int32_t j = 0; j < b->count; j++)
            found = found || a->keys[i] == b->keys[j];
        if (!found)
            return false;
    }
    return true;
}

static int64_t times_before(const struct list *sets, int32_t at)
{
    int64_t times = 0;
    for (int32_t i = 0; i < at; i++)
        times += same_set(sets->items[i], sets->items[at]);
    return times;
}

static bool has_repeats(const struct list *sets)
{
    for (int32_t i = 1; i < sets->count; i++)
        if (times_before(sets, i) > 0)
            return true;
    return false;
}

enum code select_sets(struct analyser *self, struct select *select)
{
    const struct ast_select *ast = select->ast;
    struct list sets = {0};
    TRY(set_add(self, &sets, &(struct group_set){0}, ast->at));
    for (int32_t g = 0; g < ast->group_count; g++) {
        const struct ast_group *group = &ast->groups[g];
        struct list own = {0}, product = {0};
        TRY(group_sets(self, select, group->kind, group->exprs, group->expr_count, &own, group->at));
        for (int32_t i = 0; i < sets.count; i++)
            for (int32_t j = 0; j < own.count; j++) {
                struct group_set set = *(const struct group_set *)sets.items[i];
                set_join(&set, own.items[j]);
                TRY(set_add(self, &product, &set, group->at));
            }
        sets = product;
    }
    if (sets.count == 1 && ((const struct group_set *)sets.items[0])->count == 0) {
        select->one_empty_set = true; // GROUPING SETS (()): one group, also of no rows
        return E_OK;
    }
    select->sets = sets;
    select->sets_repeat = has_repeats(&sets);
    if (select->sets_repeat && select->keys.count > REPEATS_SHIFT)
        return not_yet(self, ast->at, "the same grouping set twice, with more than 48 keys");
    return E_OK;
}

struct plan *expand_sets(struct analyser *self, const struct select *select)
{
    struct plan *input = select->rows->plan;
    int32_t keys = select->keys.count, sets = select->sets.count;
    struct field *fields = arena_array(self->arena, struct field, (size_t)keys + 1);
    bool *kept = arena_array(self->arena, bool, (size_t)keys *(size_t)sets + 1);
    int64_t *ids = arena_array(self->arena, int64_t, (size_t)sets);
    for (int32_t k = 0; k < keys; k++)
        fields[k] = (struct field){"key", ((const struct expr *)select->keys.items[k])->type, true};
    fields[keys] = (struct field){"spark_grouping_id", type_of(TYPE_INT64), false};
    for (int32_t s = 0; s < sets; s++) {
        const struct group_set *set = select->sets.items[s];
        for (int32_t i = 0; i < set->count; i++)
            kept[s * keys + set->keys[i]] = true;
        for (int32_t k = 0; k < keys; k++)
            ids[s] = (int64_t)((uint64_t)ids[s] << 1 | !kept[s * keys + k]);
        if (select->sets_repeat)
            ids[s] |= times_before(&select->sets, s) << REPEATS_SHIFT;
    }
    struct plan *node = plan_over(self->arena, PLAN_EXPAND, input,
                                  schema_append(self->arena, input->schema, fields, keys + 1), select->ast->at);
    node->exprs = (const struct expr *const *)select->keys.items;
    node->expr_count = keys;
    node->expand = (struct plan_expand){sets, kept, ids};
    return node;
}

/* ---- grouping(key), grouping_id() ---- */

static enum code one_bit(struct analyser *self, const struct ast *ast, int32_t shift, const struct expr **out)
{
    const struct expr *args[2] = {*out, expr_int(&self->expr, type_of(TYPE_INT32), shift, ast->at)};
    TRY(placed(self, expr_call(&self->expr, "shiftright", args, 2, ast->at, &args[0], self->err), ast->at));
    args[1] = expr_int(&self->expr, type_of(TYPE_INT64), 1, ast->at);
    TRY(placed(self, expr_call(&self->expr, "&", args, 2, ast->at, &args[0], self->err), ast->at));
    return placed(self, expr_cast(&self->expr, args[0], type_of(TYPE_INT8), false, ast->at, out, self->err), ast->at);
}

enum code select_grouping(struct analyser *self, const struct scope *scope, const struct ast *ast,
                          const struct expr **out)
{
    struct select *select = scope->select;
    struct field field = {"spark_grouping_id", type_of(TYPE_INT64), false};
    if (select != NULL && select->one_empty_set && same_name(ast->text, "grouping_id") && ast->arg_count == 0) {
        *out = expr_int(&self->expr, type_of(TYPE_INT64), 0, ast->at);
        return E_OK;
    }
    bool nothing = select != NULL && select->keys.count == 0 && strcmp(scope->clause, "the SELECT list") != 0;
    if (select == NULL || select->sets.count == 0 || nothing)
        return sql_error(self, ast->at, NULL,
                         "[UNSUPPORTED_GROUPING_EXPRESSION] grouping()/grouping_id() can only be used with "
                         "GroupingSets/Cube/Rollup.");
    *out = expr_column(&self->expr, MARK_SET, &field, ast->at);
    if (select->sets_repeat) {
        const struct expr *low[2] = {
            *out, expr_int(&self->expr, type_of(TYPE_INT64), (INT64_C(1) << REPEATS_SHIFT) - 1, ast->at)};
        TRY(placed(self, expr_call(&self->expr, "&", low, 2, ast->at, out, self->err), ast->at));
    }
    if (same_name(ast->text, "grouping_id"))
        return E_OK;
    const struct expr *key;
    struct scope rows = *scope;
    rows.aliases_first = false;
    if (ast->arg_count != 1)
        return sql_error(
            self, ast->at, NULL,
            "[WRONG_NUM_ARGS.WITHOUT_SUGGESTION] The `grouping` requires 1 parameters but the actual number "
            "is %d.",
            ast->arg_count);
    TRY(analyse_expr(self, &rows, ast->args[0], &key));
    for (int32_t i = 0; i < select->keys.count; i++)
        if (expr_equal(select->keys.items[i], key))
            return one_bit(self, ast, select->keys.count - 1 - i, out);
    return sql_error(self, ast->at, NULL,
                     "[GROUPING_COLUMN_MISMATCH] Column of grouping (%s) can't be found in grouping columns.",
                     ast_name_of(self, ast->args[0]));
}

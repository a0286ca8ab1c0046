/* batch_windows.c - GROUP BY window(..) and session_window(..) where all rows are there: no watermark closes anything.
 *
 * window     every row gets its window as a column (or is repeated for each of several), which is a key like any other
 * session    every row begins as a session of its own, [time, time + gap). In the order of their times, per the other
 *            keys, a row that begins behind the end of all before it begins a new session: how many have begun is the
 *            key, the session's bounds are the smallest start and the largest end of its rows
 *
 *     rows -> WINDOW max(end) of the rows before -> PROJECT begins? -> WINDOW how many have begun -> AGGREGATE -> PROJECT
 */
#include "sql/select.h"

struct sessions {
    struct analyser *analyser;
    const struct group *group;
    struct position at;
    struct plan *plan;
    const struct expr **others; /* the keys beside the session */
    int32_t other_count;
    const struct expr *start, *end; /* of a row's own session */
};

static enum code bind(struct sessions *self, const char *name, const struct expr *arg,
                      const struct aggregate_call **out)
{
    struct analyser *analyser = self->analyser;
    return placed(analyser, aggregate_bind(&analyser->expr, name, &arg, 1, false, NULL, self->at, out, analyser->err),
                  self->at);
}

static enum code call(struct sessions *self, const char *name, const struct expr *const *args, int32_t count,
                      const struct expr **out)
{
    struct analyser *analyser = self->analyser;
    return placed(analyser, expr_call(&analyser->expr, name, args, count, self->at, out, analyser->err), self->at);
}

/* One column more: the aggregate over the rows up to the bound, in the order of their starts. */
static enum code add_over(struct sessions *self, const char *name, const struct expr *arg, enum bound_kind to,
                          const struct expr **out)
{
    struct analyser *analyser = self->analyser;
    struct plan_over *over = arena_new(analyser->arena, struct plan_over);
    const struct plan_over **calls = arena_new(analyser->arena, const struct plan_over *);
    const struct expr **order = arena_new(analyser->arena, const struct expr *);
    order[0] = self->start;
    *over = (struct plan_over){.kind = OVER_AGGREGATE,
                               .partition = self->others,
                               .partition_count = self->other_count,
                               .order = order,
                               .order_count = 1,
                               .orders = arena_new(analyser->arena, struct plan_order),
                               .by_rows = true,
                               .from = {.kind = BOUND_START},
                               .to = {.kind = to, .rows = to == BOUND_BEFORE}};
    TRY(bind(self, name, arg, &over->call));
    over->type = over->call->type;
    calls[0] = over;
    struct field field = {name, over->type, true};
    const struct type *schema = schema_append(analyser->arena, self->plan->schema, &field, 1);
    self->plan = plan_over(analyser->arena, PLAN_WINDOW, self->plan, schema, self->at);
    self->plan->overs = (struct plan_overs){calls, 1};
    *out = column_of(analyser, self->plan, schema->field_count - 1, self->at);
    return E_OK;
}

/* 1 where a row begins behind all before it, else 0; as a last column. */
static enum code add_begins(struct sessions *self, const struct expr *end_before, const struct expr **out)
{
    struct analyser *analyser = self->analyser;
    const struct expr *touches[2] = {self->start, end_before};
    struct rowset rows = {.plan = self->plan};
    TRY(call(self, "<=", touches, 2, &touches[0]));
    const struct expr *when[3] = {touches[0], expr_int(&analyser->expr, type_of(TYPE_INT64), 0, self->at),
                                  expr_int(&analyser->expr, type_of(TYPE_INT64), 1, self->at)};
    TRY(placed(analyser, expr_case(&analyser->expr, when, 3, self->at, out, analyser->err), self->at));
    *out = rowset_append(analyser, &rows, *out, "begins");
    self->plan = rows.plan;
    return E_OK;
}

/* The group's columns: the session in its place among the keys, from the bounds behind the calls. */
static enum code session_columns(struct sessions *self, struct plan **out)
{
    struct analyser *analyser = self->analyser;
    const struct group *group = self->group;
    int32_t count = group->key_count + group->call_count;
    const struct expr **exprs = arena_array(analyser->arena, const struct expr *, (size_t)count + 1);
    const char **names = arena_array(analyser->arena, const char *, (size_t)count + 1);
    for (int32_t i = 0; i < count; i++) {
        names[i] = group->schema->fields[i].name;
        exprs[i] = column_of(analyser, *out, i, self->at);
    }
    const struct expr *bounds[4] = {
        expr_string(&analyser->expr, bytes_of_string("start"), self->at), column_of(analyser, *out, count, self->at),
        expr_string(&analyser->expr, bytes_of_string("end"), self->at), column_of(analyser, *out, count + 1, self->at)};
    TRY(call(self, "named_struct", bounds, 4, &exprs[group->window.key]));
    *out = plan_project(analyser->arena, *out, exprs, names, count, self->at);
    return E_OK;
}

static enum code group_sessions(struct sessions *self, const struct expr *session, struct plan **out)
{
    struct analyser *analyser = self->analyser;
    const struct group *group = self->group;
    int32_t columns = group->key_count + group->call_count;
    const struct expr *before, *begins, *number;
    const struct expr **keys = arena_array(analyser->arena, const struct expr *, (size_t)group->key_count + 1);
    const struct aggregate_call **calls =
        arena_array(analyser->arena, const struct aggregate_call *, (size_t)group->call_count + 2);
    struct field *fields = arena_array(analyser->arena, struct field, (size_t)columns + 2);
    TRY(placed(analyser, expr_field(&analyser->expr, session, "start", self->at, &self->start, analyser->err),
               self->at));
    TRY(placed(analyser, expr_field(&analyser->expr, session, "end", self->at, &self->end, analyser->err), self->at));
    self->others = arena_array(analyser->arena, const struct expr *, (size_t)group->key_count + 1);
    for (int32_t i = 0; i < group->key_count; i++)
        if (i != group->window.key)
            self->others[self->other_count++] = group->keys[i];
    TRY(add_over(self, "max", self->end, BOUND_BEFORE, &before));
    TRY(add_begins(self, before, &begins));
    TRY(add_over(self, "sum", begins, BOUND_ROW, &number));
    for (int32_t i = 0; i < columns; i++)
        fields[i] = group->schema->fields[i];
    for (int32_t i = 0; i < group->key_count; i++)
        keys[i] = i == group->window.key ? number : group->keys[i];
    for (int32_t i = 0; i < group->call_count; i++)
        calls[i] = group->calls[i];
    TRY(bind(self, "min", self->start, &calls[group->call_count]));
    TRY(bind(self, "max", self->end, &calls[group->call_count + 1]));
    fields[group->window.key].type = number->type;
    fields[columns] = (struct field){"start", self->start->type, true};
    fields[columns + 1] = (struct field){"end", self->end->type, true};
    const struct group by_number = {.schema = type_struct(analyser->arena, fields, columns + 2),
                                    .keys = keys,
                                    .key_count = group->key_count,
                                    .calls = calls,
                                    .call_count = group->call_count + 2,
                                    .window = {.key = -1}};
    TRY(group_rows(analyser, self->plan, &by_number, self->at, out));
    return session_columns(self, out);
}

enum code group_by_windows(struct analyser *self, struct plan *input, const struct group *group, struct position at,
                           struct plan **out)
{
    struct rowset rows = {.plan = input};
    const struct expr *window;
    TRY(window_column(self, &rows, &group->window, at, &window));
    if (group->window.gap != NULL) {
        struct sessions sessions = {.analyser = self, .group = group, .at = at, .plan = rows.plan};
        return group_sessions(&sessions, window, out);
    }
    const struct expr **keys = arena_array(self->arena, const struct expr *, (size_t)group->key_count + 1);
    for (int32_t i = 0; i < group->key_count; i++)
        keys[i] = i == group->window.key ? window : group->keys[i];
    struct group plain = *group;
    plain.keys = keys;
    plain.window = (struct plan_window){.key = -1};
    return group_rows(self, rows.plan, &plain, at, out);
}

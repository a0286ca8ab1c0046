/* lambda_elements.c - the elements of many rows' lists in one column, and a lambda's body run over them.
 *
 * A body is a program of its own. What it captures is repeated beside the elements, and the program runs once over all.
 */
#include "expr/lambda.h"
#include "expr/pick.h"

enum { ELEMENTS_MAX = 1 << 24 }; // of the lists of one batch: they stand beside one another

static int64_t elements_bytes(const struct arg *list, int64_t row)
{
    const int32_t *offsets = column_offsets(list->col) + list_row(list, row);
    int64_t bytes = 0;
    for (int32_t c = 0; c < list->col->child_count; c++)
        bytes += column_range_bytes(&list->col->children[c], offsets[0], offsets[1]);
    return bytes;
}

/* Rejects the lists that do not fit beside those before them; returns how many elements the others have. */
static int64_t elements_bound(struct call *call, const struct arg *list)
{
    const int32_t *offsets = column_offsets(list->col);
    int64_t count = 0, bytes = 0;
    for (int64_t i = 0; i < call->rows; i++) {
        if (!column_valid_at(call->out, i))
            continue;
        int64_t size = offsets[list_row(list, i) + 1] - offsets[list_row(list, i)], more = elements_bytes(list, i);
        if (count + size > ELEMENTS_MAX || bytes + more > COLUMN_BYTES_MAX) {
            call_reject(call, i, REJECT_TOO_BIG);
            continue;
        }
        count += size;
        bytes += more;
    }
    return count;
}

void elements_find(struct elements *self, struct call *call, const struct arg *list)
{
    const int32_t *offsets = column_offsets(list->col);
    int64_t count = elements_bound(call, list);
    if (!room_fits(2 * count * (int64_t)sizeof(int32_t)))
        return; // no elements: the column will not be looked at
    self->parents = mem_array(int32_t, 2 * (size_t)count + 1);
    self->places = self->parents + count;
    for (int64_t i = 0; i < call->rows; i++)
        for (int32_t at = offsets[list_row(list, i)];
             column_valid_at(call->out, i) && at < offsets[list_row(list, i) + 1]; at++) {
            self->parents[self->count] = (int32_t)i;
            self->places[self->count++] = at;
        }
}

void elements_free(struct elements *self) { mem_free(self->parents); }

void lambda_repeat(struct call *call, const struct arg *arg, const int32_t *parents, int64_t count, struct column *out)
{
    int32_t *rows = mem_array(int32_t, (size_t)count + 1);
    for (int64_t i = 0; i < count; i++)
        rows[i] = (int32_t)list_row(arg, parents[i]);
    gather_bounded(call, out, arg->col, rows, count);
    mem_free(rows);
}

void lambda_run(struct call *call, const struct arg *args, int32_t which, struct column *variables, int32_t given,
                const int32_t *parents, int64_t count, struct column *out)
{
    const struct lambda_call *lambda = call->bound;
    const struct lambda *body = &lambda->bodies[which];
    int32_t captured = call->arg_count - lambda->value_count;
    struct column *columns = mem_array(struct column, (size_t)(body->variable_count + captured) + 1);
    struct rejects rejects = {0};
    struct error err = {0};
    for (int32_t v = 0; v < body->variable_count; v++)
        columns[v] = column_take(&variables[v]);
    for (int32_t v = body->variable_count; v < given; v++)
        column_release(&variables[v]);
    for (int32_t c = 0; c < captured; c++)
        lambda_repeat(call, &args[lambda->value_count + c], parents, count, &columns[body->variable_count + c]);
    struct batch in = {.rows = count, .columns = columns, .column_count = body->variable_count + captured};
    struct evaluator *evaluator = evaluator_new(lambda->programs[which]);
    if (count == 0)
        column_all_null(out, body->body->type, 0);
    else if (evaluator_run(evaluator, call->session, &in, out, &rejects, &err) != E_OK)
        column_all_null(out, body->body->type, count);
    for (int32_t i = 0; i < rejects.count; i++)
        call_reject(call, parents[rejects.items[i].row], rejects.items[i].code);
    if (count > 0) {
        struct column own = {0}; // the evaluator's memory goes with it
        column_append(&own, out, 0, count);
        column_release(out);
        *out = own;
    }
    evaluator_free(evaluator);
    rejects_free(&rejects);
    for (int32_t c = 0; c < in.column_count; c++)
        column_release(&columns[c]);
    mem_free(columns);
}

static void index_column(const struct elements *elements, const struct arg *list, struct column *out)
{
    const int32_t *offsets = column_offsets(list->col);
    *out = (struct column){.type = type_of(TYPE_INT32), .rows = elements->count};
    out->values = buffer_new((size_t)elements->count * sizeof(int32_t) + 1);
    for (int64_t i = 0; i < elements->count; i++)
        column_values(out, int32_t)[i] = elements->places[i] - offsets[list_row(list, elements->parents[i])];
}

void elements_variables(const struct call *call, const struct elements *elements, const struct arg *list,
                        struct column *variables)
{
    const struct lambda_call *lambda = call->bound;
    bool map = list->col->type->id == TYPE_MAP;
    column_gather(&variables[0], &list->col->children[0], elements->places, elements->count);
    if (map)
        column_gather(&variables[1], &list->col->children[1], elements->places, elements->count);
    else if (lambda->bodies[0].variable_count > 1)
        index_column(elements, list, &variables[1]);
}

void elements_offsets(struct call *call, const int32_t *parents, int64_t count, struct column *out)
{
    out->offsets = call_buffer(call, ((size_t)call->rows + 1) * sizeof(int32_t));
    int32_t *offsets = (int32_t *)(void *)out->offsets->data;
    int64_t at = 0;
    for (int64_t i = 0; i <= call->rows; i++) {
        while (at < count && parents[at] < i)
            at++;
        offsets[i] = (int32_t)at;
    }
}

void elements_put(struct column *out, struct column *children, int32_t count)
{
    out->children = mem_array(struct column, (size_t)count);
    out->child_count = count;
    for (int32_t c = 0; c < count; c++)
        out->children[c] = column_take(&children[c]);
}

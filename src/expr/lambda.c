/* lambda.c - transform, filter, aggregate and the like: functions that take a function.
 *
 * A body is a program of its own. The elements of all rows' lists are put into one column, what the body captures is
 * repeated beside them, and the program runs once over all; only aggregate() runs once for each place in the lists.
 * An error in an element is one of its row.
 */
#include "expr/lambda.h"

#include <strings.h>

#include "base/stop_watch.h"
#include "expr/coerce.h"
#include "expr/order.h"
#include "expr/pick.h"

/* ---- elements of all rows ---- */

struct elements {
    int32_t *parents, *places; /* per element: row; index in the list's child */
    int64_t count;
};

static int64_t row_of(const struct arg *arg, int64_t row) { return row * arg->step; }

enum { ELEMENTS_MAX = 1 << 24 }; // of the lists of one batch: they stand beside one another

static int64_t elements_bytes(const struct arg *list, int64_t row)
{
    const int32_t *offsets = column_offsets(list->col) + row_of(list, row);
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
        int64_t size = offsets[row_of(list, i) + 1] - offsets[row_of(list, i)], more = elements_bytes(list, i);
        if (count + size > ELEMENTS_MAX || bytes + more > COLUMN_BYTES_MAX) {
            call_reject(call, i, REJECT_TOO_BIG);
            continue;
        }
        count += size;
        bytes += more;
    }
    return count;
}

static void elements_find(struct elements *self, struct call *call, const struct arg *list)
{
    const int32_t *offsets = column_offsets(list->col);
    int64_t count = elements_bound(call, list);
    if (!room_fits(2 * count * (int64_t)sizeof(int32_t)))
        return; // no elements: the column will not be looked at
    self->parents = mem_array(int32_t, 2 * (size_t)count + 1);
    self->places = self->parents + count;
    for (int64_t i = 0; i < call->rows; i++)
        for (int32_t at = offsets[row_of(list, i)]; column_valid_at(call->out, i) && at < offsets[row_of(list, i) + 1];
             at++) {
            self->parents[self->count] = (int32_t)i;
            self->places[self->count++] = at;
        }
}

static void elements_free(struct elements *self) { mem_free(self->parents); }

static void captured_column(struct call *call, const struct arg *arg, const int32_t *parents, int64_t count,
                            struct column *out)
{
    int32_t *rows = mem_array(int32_t, (size_t)count + 1);
    for (int64_t i = 0; i < count; i++)
        rows[i] = (int32_t)row_of(arg, parents[i]);
    gather_bounded(call, out, arg->col, rows, count);
    mem_free(rows);
}

/* Runs body `which` over `count` rows; takes the `given` variables over, of which the lambda may name fewer. Errors
 * reject the parents. */
static void body_run(struct call *call, const struct arg *args, int32_t which, struct column *variables, int32_t given,
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
        captured_column(call, &args[lambda->value_count + c], parents, count, &columns[body->variable_count + c]);
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
        column_values(out, int32_t)[i] = elements->places[i] - offsets[row_of(list, elements->parents[i])];
}

/* The elements, and beside them their index when the lambda asks for it; of a map, keys and values. */
static void variables_of(const struct call *call, const struct elements *elements, const struct arg *list,
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

/* Offsets of `out` from the parents of its elements. */
static void offsets_put(struct call *call, const int32_t *parents, int64_t count, struct column *out)
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

static void children_put(struct column *out, struct column *children, int32_t count)
{
    out->children = mem_array(struct column, (size_t)count);
    out->child_count = count;
    for (int32_t c = 0; c < count; c++)
        out->children[c] = column_take(&children[c]);
}

static bool is_true(const struct column *col, int64_t row)
{
    return column_valid_at(col, row) && bit_get(col->values->data, row);
}

/* ---- transform, filter ---- */

SCALAR(fn_transform, "transform", "(array<T>, T -> U) -> array<U>", "The lambda's value for each element.",
       "transform(array(1, 2, 3), x -> x + 1)", "[2,3,4]", .flags = FN_LAMBDA | FN_FAILS)
{
    struct elements elements = {0};
    struct column variables[2] = {0}, result;
    elements_find(&elements, call, &args[0]);
    variables_of(call, &elements, &args[0], variables);
    body_run(call, args, 0, variables, 2, elements.parents, elements.count, &result);
    offsets_put(call, elements.parents, elements.count, out);
    children_put(out, &result, 1);
    elements_free(&elements);
}

/* Elements where the lambda is true; of a map, entries. */
static void keep_true(struct call *call, const struct arg *args, struct column *out)
{
    struct elements elements = {0};
    struct column variables[2] = {0}, result, kept[2] = {0};
    elements_find(&elements, call, &args[0]);
    variables_of(call, &elements, &args[0], variables);
    body_run(call, args, 0, variables, 2, elements.parents, elements.count, &result);
    int64_t count = 0;
    for (int64_t i = 0; i < elements.count; i++) {
        elements.parents[count] = elements.parents[i];
        elements.places[count] = elements.places[i];
        count += is_true(&result, i);
    }
    offsets_put(call, elements.parents, count, out);
    for (int32_t c = 0; c < args[0].col->child_count; c++)
        column_gather(&kept[c], &args[0].col->children[c], elements.places, count);
    children_put(out, kept, args[0].col->child_count);
    column_release(&result);
    elements_free(&elements);
}
SCALAR(fn_filter, "filter", "(array<T>, T -> boolean) -> array<T>", "The elements that the lambda is true for.",
       "filter(array(1, 2, 3), x -> x % 2 = 1)", "[1,3]", .flags = FN_LAMBDA | FN_FAILS)
{
    keep_true(call, args, out);
}
SCALAR(fn_map_filter, "map_filter", "(map<K,V>, (K, V) -> boolean) -> map<K,V>",
       "The entries that the lambda is true for.", "map_filter(map(1, 0, 2, 2), (k, v) -> k > v)", "{1:0}",
       .flags = FN_LAMBDA | FN_FAILS)
{
    keep_true(call, args, out);
}

/* ---- exists, forall ---- */

/* `wanted` in any element decides; else a NULL leaves it open. */
static void decide(struct call *call, const struct arg *args, struct column *out, bool wanted)
{
    struct elements elements = {0};
    struct column variables[2] = {0}, result;
    elements_find(&elements, call, &args[0]);
    variables_of(call, &elements, &args[0], variables);
    body_run(call, args, 0, variables, 2, elements.parents, elements.count, &result);
    for (int64_t i = 0, at = 0; i < call->rows; i++) {
        bool found = false, open = false;
        for (; at < elements.count && elements.parents[at] == i; at++) {
            bool valid = column_valid_at(&result, at);
            found = found || (valid && (bit_get(result.values->data, at) != 0) == wanted);
            open = open || !valid;
        }
        bit_put(out->values->data, i, found ? wanted : !wanted);
        if (!found && open)
            call_null(call, i);
    }
    column_release(&result);
    elements_free(&elements);
}
SCALAR(fn_exists, "exists", "(array<T>, T -> boolean) -> boolean", "Whether the lambda is true for an element.",
       "exists(array(1, 2, 3), x -> x % 2 = 0)", "true", .flags = FN_LAMBDA | FN_FAILS | FN_NULLABLE)
{
    decide(call, args, out, true);
}
SCALAR(fn_forall, "forall", "(array<T>, T -> boolean) -> boolean", "Whether the lambda is true for all elements.",
       "forall(array(1, 2, 3), x -> x % 2 = 0)", "false", .flags = FN_LAMBDA | FN_FAILS | FN_NULLABLE)
{
    decide(call, args, out, false);
}

/* ---- aggregate ---- */

/* Sums of the rows whose lists go on, and of those whose lists have ended. */
struct running_sums {
    int32_t *rows, *ended_rows; /* per sum */
    struct column sums, ended;
    int64_t count, ended_count;
};

/* Lists that have no element at `place` have ended; `next` are the others' elements. */
static void sums_part(struct running_sums *self, const struct arg *list, int32_t place, int32_t *next)
{
    const int32_t *offsets = column_offsets(list->col);
    int32_t *numbers = mem_array(int32_t, 2 * (size_t)self->count + 1), *ended = numbers + self->count;
    int64_t count = 0, ended_count = 0;
    for (int64_t i = 0; i < self->count; i++) {
        int64_t row = row_of(list, self->rows[i]);
        bool on = column_valid_at(list->col, row) && offsets[row] + place < offsets[row + 1];
        self->ended_rows[self->ended_count + ended_count] = self->rows[i];
        next[count] = on ? offsets[row] + place : 0;
        numbers[count] = ended[ended_count] = (int32_t)i;
        self->rows[count] = self->rows[i];
        count += on;
        ended_count += !on;
    }
    if (ended_count > 0) {
        struct column left, gone;
        column_gather(&gone, &self->sums, ended, ended_count);
        column_append(&self->ended, &gone, 0, ended_count);
        column_release(&gone);
        column_gather(&left, &self->sums, numbers, count);
        column_release(&self->sums);
        self->sums = left;
    }
    self->count = count;
    self->ended_count += ended_count;
    mem_free(numbers);
}

/* Each row's last sum, in the rows' order. */
static void sums_final(struct running_sums *self, int64_t rows, struct column *out)
{
    int32_t *numbers = mem_array(int32_t, (size_t)rows + 1);
    column_append(&self->ended, &self->sums, 0, self->count); // none, but when it was stopped
    for (int64_t i = 0; i < self->count; i++)
        self->ended_rows[self->ended_count++] = self->rows[i];
    for (int64_t i = 0; i < rows; i++)
        numbers[self->ended_rows[i]] = (int32_t)i;
    column_gather(out, &self->ended, numbers, rows);
    column_release(&self->sums);
    column_release(&self->ended);
    mem_free(numbers);
}

/* The lists' first elements, then their second ones, ..: as many lists at once as have one. */
static void sums_run(struct call *call, const struct arg *args, const int32_t *all, struct column *out)
{
    size_t rows = (size_t)call->rows;
    int32_t *memory = mem_array(int32_t, 3 * rows + 1), *next = memory + 2 * rows;
    struct running_sums self = {.rows = memory, .ended_rows = memory + rows, .count = call->rows};
    memcpy(self.rows, all, rows * sizeof *all);
    captured_column(call, &args[1], all, call->rows, &self.sums);
    for (int32_t place = 0; !stop_asked(self.count); place++) {
        struct column variables[2], result;
        sums_part(&self, &args[0], place, next);
        if (self.count == 0)
            break;
        variables[0] = column_take(&self.sums);
        column_gather(&variables[1], &args[0].col->children[0], next, self.count);
        body_run(call, args, 0, variables, 2, self.rows, self.count, &result);
        self.sums = result;
    }
    sums_final(&self, call->rows, out);
    mem_free(memory);
}

SCALAR(fn_aggregate, "aggregate reduce", "(array<T>, A, (A, T) -> A, A -> R?) -> R",
       "From a start, the lambda's value of what there is so far and the next element.",
       "aggregate(array(1, 2, 3), 0, (acc, x) -> acc + x)", "6", .flags = FN_LAMBDA | FN_FAILS | FN_NULLS)
{
    const struct lambda_call *lambda = call->bound;
    int32_t *all = mem_array(int32_t, (size_t)call->rows + 1);
    struct column sums, result;
    for (int64_t i = 0; i < call->rows; i++)
        all[i] = (int32_t)i;
    sums_run(call, args, all, &sums);
    if (lambda->body_count > 1) {
        body_run(call, args, 1, &sums, 1, all, call->rows, &result);
        sums = result;
    }
    for (int64_t i = 0; i < call->rows; i++)
        if (!arg_valid(&args[0], i) || !call_valid(call, i))
            all[i] = -1; // its start is no answer
    gather_or_null(call, &result, &sums, all, call->rows);
    column_release(&sums);
    result.type = out->type;
    result.nulls = -1;
    column_release(out); // what was made ready for numbers
    *out = result;
    mem_free(all);
}

/* ---- zip_with ---- */

struct pairing {
    int32_t *parents, *left, *right; /* -1: the list has ended */
    int64_t count;
};

/* NULL for places behind a list's end: one row more behind the child. */
static void gather_padded(struct call *call, const struct column *child, const int32_t *places, int64_t count,
                          struct column *out)
{
    struct column nothing, padded = {0};
    int32_t *rows = mem_array(int32_t, (size_t)count + 1);
    column_all_null(&nothing, child->type, 1);
    column_append(&padded, child, 0, child->rows);
    column_append(&padded, &nothing, 0, 1);
    for (int64_t i = 0; i < count; i++)
        rows[i] = places[i] < 0 ? (int32_t)child->rows : places[i];
    gather_bounded(call, out, &padded, rows, count);
    column_release(&padded);
    column_release(&nothing);
    mem_free(rows);
}

SCALAR(fn_zip_with, "zip_with", "(array<T>, array<U>, (T, U) -> R) -> array<R>",
       "The lambda's value for elements at the same place; NULL stands for what the shorter list lacks.",
       "zip_with(array(1, 2), array(3, 4), (x, y) -> x + y)", "[4,6]", .flags = FN_LAMBDA | FN_FAILS)
{
    const int32_t *a = column_offsets(args[0].col), *b = column_offsets(args[1].col);
    struct column variables[2], result;
    int64_t room = 0, count = 0;
    for (int64_t i = 0; i < call->rows; i++) {
        int64_t x = row_of(&args[0], i), y = row_of(&args[1], i);
        room += (a[x + 1] - a[x]) + (b[y + 1] - b[y]);
    }
    int32_t *parents = mem_array(int32_t, 3 * (size_t)room + 1), *left = parents + room, *right = left + room;
    for (int64_t i = 0; i < call->rows; i++) {
        int64_t x = row_of(&args[0], i), y = row_of(&args[1], i);
        int32_t size = a[x + 1] - a[x] > b[y + 1] - b[y] ? a[x + 1] - a[x] : b[y + 1] - b[y];
        for (int32_t at = 0; column_valid_at(out, i) && at < size; at++, count++) {
            parents[count] = (int32_t)i;
            left[count] = a[x] + at < a[x + 1] ? a[x] + at : -1;
            right[count] = b[y] + at < b[y + 1] ? b[y] + at : -1;
        }
    }
    gather_padded(call, &args[0].col->children[0], left, count, &variables[0]);
    gather_padded(call, &args[1].col->children[0], right, count, &variables[1]);
    body_run(call, args, 0, variables, 2, parents, count, &result);
    offsets_put(call, parents, count, out);
    children_put(out, &result, 1);
    mem_free(parents);
}

/* ---- transform_keys, transform_values ---- */

static bool key_repeats(const struct column *keys, int64_t from, int64_t at)
{
    if (stop_asked(at - from))
        return false;
    for (int64_t i = from; i < at; i++)
        if (column_equal_at(keys, i, keys, at))
            return true;
    return false;
}

static void transform_map(struct call *call, const struct arg *args, struct column *out, int32_t changed)
{
    struct elements elements = {0};
    struct column variables[2] = {0}, children[2] = {0};
    elements_find(&elements, call, &args[0]);
    variables_of(call, &elements, &args[0], variables);
    column_share(&children[1 - changed], &variables[1 - changed]);
    body_run(call, args, 0, variables, 2, elements.parents, elements.count, &children[changed]);
    for (int64_t i = 0, from = 0; changed == 0 && i < elements.count; i++) {
        from = i > 0 && elements.parents[i] == elements.parents[i - 1] ? from : i;
        if (column_is_null(&children[0], i))
            call_reject(call, elements.parents[i], REJECT_NULL_MAP_KEY);
        else if (key_repeats(&children[0], from, i))
            call_reject(call, elements.parents[i], REJECT_DUPLICATED_KEY);
    }
    offsets_put(call, elements.parents, elements.count, out);
    children_put(out, children, 2);
    elements_free(&elements);
}
SCALAR(fn_transform_keys, "transform_keys", "(map<K,V>, (K, V) -> R) -> map<R,V>",
       "A map with the lambda's value for each key.", "transform_keys(map(1, 5), (k, v) -> k + 1)", "{2:5}",
       .flags = FN_LAMBDA | FN_FAILS)
{
    transform_map(call, args, out, 0);
}
SCALAR(fn_transform_values, "transform_values", "(map<K,V>, (K, V) -> R) -> map<K,R>",
       "A map with the lambda's value for each value.", "transform_values(map(1, 5), (k, v) -> k + v)", "{1:6}",
       .flags = FN_LAMBDA | FN_FAILS)
{
    transform_map(call, args, out, 1);
}

/* ---- map_zip_with ---- */

static int32_t key_place(const struct column *map, int64_t row, const struct column *keys, int64_t at)
{
    const int32_t *offsets = column_offsets(map);
    if (stop_asked(offsets[row + 1] - offsets[row]))
        return -1;
    for (int32_t i = offsets[row]; i < offsets[row + 1]; i++)
        if (column_equal_at(&map->children[0], i, keys, at))
            return i;
    return -1;
}

SCALAR(fn_map_zip_with, "map_zip_with", "(map<K,V>, map<K,W>, (K, V, W) -> R) -> map<K,R>",
       "The lambda's value for each key of either map and its values.",
       "map_zip_with(map(1, 2), map(1, 3), (k, a, b) -> a + b)", "{1:5}", .flags = FN_LAMBDA | FN_FAILS)
{
    const struct column *maps[2] = {args[0].col, args[1].col};
    int64_t room = 0, count = 0;
    for (int64_t i = 0; i < call->rows; i++)
        for (int m = 0; m < 2; m++) {
            int64_t row = row_of(&args[m], i);
            room += column_offsets(maps[m])[row + 1] - column_offsets(maps[m])[row];
        }
    int32_t *parents = mem_array(int32_t, 3 * (size_t)room + 1), *left = parents + room, *right = left + room;
    struct builder keys;
    struct column children[2] = {0}, variables[3] = {0};
    builder_init(&keys, maps[0]->type->fields[0].type);
    for (int64_t i = 0; i < call->rows; i++)
        for (int m = 0; column_valid_at(out, i) && m < 2; m++) {
            int64_t row = row_of(&args[m], i), other = row_of(&args[1 - m], i);
            for (int32_t at = column_offsets(maps[m])[row]; at < column_offsets(maps[m])[row + 1]; at++) {
                int32_t partner = key_place(maps[1 - m], other, &maps[m]->children[0], at);
                if (m == 1 && partner >= 0)
                    continue; // it came with the first map
                parents[count] = (int32_t)i;
                left[count] = m == 0 ? at : -1;
                right[count++] = m == 0 ? partner : at;
                builder_copy(&keys, &maps[m]->children[0], at);
            }
        }
    builder_finish(&keys, &variables[0]);
    builder_release(&keys);
    column_share(&children[0], &variables[0]);
    gather_padded(call, &maps[0]->children[1], left, count, &variables[1]);
    gather_padded(call, &maps[1]->children[1], right, count, &variables[2]);
    body_run(call, args, 0, variables, 3, parents, count, &children[1]);
    offsets_put(call, parents, count, out);
    children_put(out, children, 2);
    mem_free(parents);
}

/* ---- array_sort with a lambda ---- */

/* Merging in passes over all lists: at first each element is a run, then two neighbours of a list become one. Where an
 * element of the left run belongs in the right one is sought by halves: a step compares one pair for each of them, all at
 * once. */
struct lambda_sort {
    struct call *call;
    const struct arg *args;
    const struct elements *elements; /* their places are what is sorted */
    int32_t *merged;                 /* the places after the pass */
    int32_t *low, *high;             /* per element of a left run: it belongs in front of one of these; equal: known */
    int32_t *asked;                  /* elements whose pairs are compared */
};
enum { PAIRS_MAX = BATCH_ROWS_MAX };
#define PAIR_BYTES_MAX ((int64_t)4 << 20) /* of a side: long texts are compared few at a time */

/* Halves what is left for the asked elements. */
static void pairs_compare(struct lambda_sort *self, int64_t count)
{
    const struct column *child = &self->args[0].col->children[0];
    const struct elements *elements = self->elements;
    struct column variables[2], result;
    int32_t *memory = mem_array(int32_t, 3 * (size_t)count + 1), *a = memory, *b = a + count, *parents = b + count;
    for (int64_t i = 0; i < count; i++) {
        int32_t at = self->asked[i];
        a[i] = elements->places[at];
        b[i] = elements->places[self->low[at] + (self->high[at] - self->low[at]) / 2];
        parents[i] = elements->parents[at];
    }
    column_gather(&variables[0], child, a, count);
    column_gather(&variables[1], child, b, count);
    body_run(self->call, self->args, 0, variables, 2, parents, count, &result);
    for (int64_t i = 0; i < count; i++) {
        int32_t at = self->asked[i], middle = self->low[at] + (self->high[at] - self->low[at]) / 2;
        bool null = column_is_null(&result, i);
        if (null)
            call_reject(self->call, parents[i], REJECT_NULL_COMPARISON);
        if (null || column_values(&result, int32_t)[i] <= 0) // equal ones keep their order
            self->high[at] = middle;
        else
            self->low[at] = middle + 1;
    }
    column_release(&result);
    mem_free(memory);
}

/* One step of all searches; false: there is nothing left to seek. */
static bool places_seek(struct lambda_sort *self)
{
    const struct column *child = &self->args[0].col->children[0];
    int64_t count = 0, bytes = 0, all = 0;
    for (int32_t i = 0; i < self->elements->count; i++) {
        if (self->low[i] == self->high[i])
            continue;
        int32_t middle = self->elements->places[self->low[i] + (self->high[i] - self->low[i]) / 2];
        int32_t place = self->elements->places[i];
        bytes += column_range_bytes(child, place, place + 1) + column_range_bytes(child, middle, middle + 1);
        self->asked[count++] = i;
        all++;
        if (count == PAIRS_MAX || bytes > PAIR_BYTES_MAX) {
            pairs_compare(self, count);
            count = bytes = 0;
        }
    }
    if (count > 0)
        pairs_compare(self, count);
    return all > 0 && !stop_asked(all);
}

/* Calls for each pair of runs of so many elements; the right one may be shorter, or not be there. */
static void runs_each(struct lambda_sort *self, int64_t size,
                      void (*each)(struct lambda_sort *self, int64_t from, int64_t middle, int64_t to))
{
    const struct elements *elements = self->elements;
    for (int64_t from = 0, end; from < elements->count; from = end) {
        for (end = from; end < elements->count && elements->parents[end] == elements->parents[from]; end++)
            ;
        for (int64_t at = from; at < end; at += 2 * size) {
            int64_t middle = at + size < end ? at + size : end;
            each(self, at, middle, middle + size < end ? middle + size : end);
        }
    }
}

static void run_seeks(struct lambda_sort *self, int64_t from, int64_t middle, int64_t to)
{
    for (int64_t i = from; i < to; i++) {
        self->low[i] = (int32_t)(i < middle ? middle : i);
        self->high[i] = (int32_t)(i < middle ? to : i);
    }
}

static void runs_merge(struct lambda_sort *self, int64_t from, int64_t middle, int64_t to)
{
    const int32_t *places = self->elements->places;
    int64_t right = middle, at = from;
    for (int64_t left = from; left < middle; left++) {
        while (right <
               self->low[left]) // a lambda that contradicts itself may send one back: it comes as early as it can
            self->merged[at++] = places[right++];
        self->merged[at++] = places[left];
    }
    memcpy(self->merged + at, places + right, (size_t)(to - right) * sizeof *places);
}

static int64_t longest_list(const struct elements *elements)
{
    int64_t longest = 0;
    for (int64_t i = 0, from = 0; i < elements->count; i++) {
        from = i > 0 && elements->parents[i] == elements->parents[i - 1] ? from : i;
        longest = i + 1 - from > longest ? i + 1 - from : longest;
    }
    return longest;
}

static void elements_sort(struct call *call, const struct arg *args, struct elements *elements)
{
    size_t count = (size_t)elements->count;
    int64_t longest = longest_list(elements);
    int32_t *memory = mem_array(int32_t, 4 * count + 1);
    struct lambda_sort self = {.call = call,
                               .args = args,
                               .elements = elements,
                               .merged = memory,
                               .low = memory + count,
                               .high = memory + 2 * count,
                               .asked = memory + 3 * count};
    for (int64_t size = 1; size < longest && !stop_is_up() && !room_full(); size *= 2) {
        runs_each(&self, size, run_seeks);
        while (places_seek(&self))
            ;
        runs_each(&self, size, runs_merge);
        memcpy(elements->places, self.merged, count * sizeof *self.merged);
    }
    mem_free(memory);
}

SCALAR(fn_array_sort_by, "array_sort_by", "(array<T>, (T, T) -> int) -> array<T>",
       "In the order that the lambda gives.", NULL, NULL, .flags = FN_LAMBDA | FN_FAILS | FN_HIDDEN)
{
    struct elements elements = {0};
    struct column sorted;
    elements_find(&elements, call, &args[0]);
    elements_sort(call, args, &elements);
    column_gather(&sorted, &args[0].col->children[0], elements.places, elements.count);
    offsets_put(call, elements.parents, elements.count, out);
    children_put(out, &sorted, 1);
    elements_free(&elements);
}

const struct function *const lambda_functions[] = {
    &fn_transform,      &fn_filter,           &fn_exists,     &fn_forall,       &fn_aggregate,     &fn_zip_with,
    &fn_transform_keys, &fn_transform_values, &fn_map_filter, &fn_map_zip_with, &fn_array_sort_by, NULL};

/* ---- making calls ---- */

static const struct lambda_shape {
    const char *name;
    int32_t values, bodies_max;
} shapes[] = {{"transform", 1, 1},      {"filter", 1, 1},           {"exists", 1, 1},       {"forall", 1, 1},
              {"aggregate", 2, 2},      {"reduce", 2, 2},           {"zip_with", 2, 1},     {"map_filter", 1, 1},
              {"transform_keys", 1, 1}, {"transform_values", 1, 1}, {"map_zip_with", 2, 1}, {"array_sort_by", 1, 1}};

static const struct lambda_shape *shape_of(const char *name)
{
    for (size_t i = 0; i < sizeof shapes / sizeof shapes[0]; i++)
        if (strcasecmp(shapes[i].name, name) == 0)
            return &shapes[i];
    return NULL;
}

int32_t lambda_values(const char *name, int32_t *bodies_max)
{
    const struct lambda_shape *shape = shape_of(name);
    if (shape == NULL)
        return 0;
    *bodies_max = shape->bodies_max;
    return shape->values;
}

static enum code wrong_value(struct expr_context *ctx, const char *name, const struct expr *arg, const char *wanted,
                             struct error *err)
{
    return fail(
        err, E_SQL,
        "[DATATYPE_MISMATCH.UNEXPECTED_INPUT_TYPE] `%s` requires the \"%s\" type, however an argument has the type "
        "\"%s\".",
        name, wanted, type_sql(ctx->arena, arg->type));
}

enum code lambda_variables(struct expr_context *ctx, const char *name, const struct expr **args, int32_t body,
                           const struct type *out[LAMBDA_VARIABLES_MAX], int32_t *count, struct error *err)
{
    const struct lambda_shape *shape = shape_of(name);
    bool map = strncasecmp(name, "map_", 4) == 0 || strncasecmp(name, "transform_", 10) == 0;
    enum type_id wanted = map ? TYPE_MAP : TYPE_ARRAY;
    for (int32_t i = 0; i < shape->values; i++) {
        if (i == 1 && shape->bodies_max == 2)
            break; // what aggregate starts from
        if (args[i]->type->id != wanted)
            return wrong_value(ctx, name, args[i], map ? "MAP" : "ARRAY", err);
    }
    const struct field *fields = args[0]->type->fields;
    out[0] = fields[0].type;
    out[1] = map ? fields[1].type : type_of(TYPE_INT32);
    *count = 2;
    if (strcasecmp(name, "exists") == 0 || strcasecmp(name, "forall") == 0)
        *count = 1;
    if (shape->bodies_max == 2) {
        out[0] = args[1]->type;
        out[1] = fields[0].type;
        *count = body == 0 ? 2 : 1;
    } else if (strcasecmp(name, "zip_with") == 0) {
        out[1] = args[1]->type->fields[0].type;
    } else if (strcasecmp(name, "array_sort_by") == 0) {
        out[1] = fields[0].type;
    } else if (strcasecmp(name, "map_zip_with") == 0) {
        const struct type *key = type_common(ctx->arena, fields[0].type, args[1]->type->fields[0].type);
        if (key == NULL)
            return fail(err, E_SQL,
                        "[DATATYPE_MISMATCH.MAP_ZIP_WITH_DIFF_TYPES] Input to the `map_zip_with` should have "
                        "been two maps with key type the same, but it's [\"%s\", \"%s\"].",
                        type_sql(ctx->arena, fields[0].type), type_sql(ctx->arena, args[1]->type->fields[0].type));
        for (int i = 0; i < 2; i++)
            args[i] = expr_cast_implicit(
                ctx, args[i],
                type_map(ctx->arena, key, args[i]->type->fields[1].type, args[i]->type->fields[1].nullable));
        out[0] = key;
        out[1] = args[0]->type->fields[1].type;
        out[2] = args[1]->type->fields[1].type;
        *count = 3;
    }
    return E_OK;
}

static bool is_no_key(const struct type *type) { return type_holds(type, TYPE_MAP) || type_holds(type, TYPE_VARIANT); }

static enum code result_type(struct expr_context *ctx, const char *name, const struct expr *const *args,
                             const struct lambda_call *call, const struct type **out, struct error *err)
{
    const struct expr *body = call->bodies[0].body, *last = call->bodies[call->body_count - 1].body;
    const struct type *list = args[0]->type;
    bool truth = strcasecmp(name, "exists") == 0 || strcasecmp(name, "forall") == 0;
    bool keeps = strcasecmp(name, "filter") == 0 || strcasecmp(name, "map_filter") == 0;
    if ((truth || keeps) && body->type->id != TYPE_BOOLEAN && body->type->id != TYPE_NULL)
        return fail(
            err, E_SQL,
            "[DATATYPE_MISMATCH.UNEXPECTED_INPUT_TYPE] the lambda of `%s` requires the \"BOOLEAN\" type, however it "
            "has the type \"%s\".",
            name, type_sql(ctx->arena, body->type));
    if (strcasecmp(name, "transform_keys") == 0 && is_no_key(body->type))
        return fail(err, E_SQL,
                    "[DATATYPE_MISMATCH.INVALID_MAP_KEY_TYPE] The key of a map cannot be or contain \"%s\".",
                    type_sql(ctx->arena, body->type));
    if (truth)
        *out = type_of(TYPE_BOOLEAN);
    else if (keeps || strcasecmp(name, "array_sort_by") == 0)
        *out = list;
    else if (strcasecmp(name, "transform_keys") == 0)
        *out = type_map(ctx->arena, body->type, list->fields[1].type, list->fields[1].nullable);
    else if (strcasecmp(name, "transform_values") == 0 || strcasecmp(name, "map_zip_with") == 0)
        *out = type_map(ctx->arena, list->fields[0].type, body->type, body->nullable);
    else if (shape_of(name)->bodies_max == 2)
        *out = last->type;
    else
        *out = type_array(ctx->arena, body->type, body->nullable);
    return E_OK;
}

static bool is_condition(const char *name)
{
    return strcasecmp(name, "exists") == 0 || strcasecmp(name, "forall") == 0 || strcasecmp(name, "filter") == 0 ||
           strcasecmp(name, "map_filter") == 0;
}

/* The same but for the names of fields. */
static bool has_shape_of(const struct type *a, const struct type *b)
{
    if (a->id != b->id || a->precision != b->precision || a->scale != b->scale || a->field_count != b->field_count)
        return false;
    for (int32_t i = 0; i < a->field_count; i++)
        if (!has_shape_of(a->fields[i].type, b->fields[i].type))
            return false;
    return true;
}

/* aggregate's sum has the type that it starts with; a comparison gives INT; conditions BOOLEAN. */
static enum code body_cast(struct expr_context *ctx, const char *name, const struct expr *const *args,
                           struct lambda *body, int32_t which, struct error *err)
{
    const struct type *to = NULL;
    if (shape_of(name)->bodies_max == 2 && which == 0)
        to = args[1]->type;
    if (strcasecmp(name, "array_sort_by") == 0) {
        to = type_of(TYPE_INT32);
        if (body->body->type->id != TYPE_INT32)
            return fail(
                err, E_SQL,
                "[DATATYPE_MISMATCH.UNEXPECTED_RETURN_TYPE] The `array_sort` requires return \"INT\" type, but the "
                "actual is \"%s\" type.",
                type_sql(ctx->arena, body->body->type));
    }
    if (body->body->type->id == TYPE_NULL && is_condition(name))
        to = type_of(TYPE_BOOLEAN);
    if (to == NULL || type_equal(body->body->type, to))
        return E_OK;
    if (!is_condition(name) && !has_shape_of(body->body->type, to))
        return fail(
            err, E_SQL,
            "[DATATYPE_MISMATCH.UNEXPECTED_INPUT_TYPE] the lambda of `%s` requires the \"%s\" type, however it has "
            "the type \"%s\".",
            name, type_sql(ctx->arena, to), type_sql(ctx->arena, body->body->type));
    body->body = expr_cast_implicit(ctx, body->body, to);
    return E_OK;
}

enum code expr_lambda(struct expr_context *ctx, const char *name, const struct expr *const *args, int32_t arg_count,
                      const struct lambda *bodies, int32_t body_count, struct position at, const struct expr **out,
                      struct error *err)
{
    const struct function *function = function_next(name, NULL);
    struct lambda_call *call = arena_new(ctx->arena, struct lambda_call);
    call->body_count = body_count;
    call->value_count = shape_of(name)->values;
    for (int32_t i = 0; i < body_count; i++) {
        call->bodies[i] = bodies[i];
        TRY(body_cast(ctx, name, args, &call->bodies[i], i, err));
        TRY(program_compile(ctx->arena, &call->bodies[i].body, 1, &call->programs[i], err));
    }
    const struct type *type;
    TRY(result_type(ctx, name, args, call, &type, err));
    struct expr *expr = expr_new(ctx, EXPR_CALL, type, at);
    const struct expr **own = arena_array(ctx->arena, const struct expr *, (size_t)arg_count + 1);
    memcpy(own, args, (size_t)arg_count * sizeof *own);
    expr->function = function;
    expr->bound = call;
    expr->nullable = true;
    TRY(expr_take_args(expr, own, arg_count, err));
    *out = expr;
    return E_OK;
}

int32_t lambda_value_count(const struct expr *call)
{
    const struct lambda_call *bound = call->bound;
    return bound->value_count;
}

bool lambda_calls_equal(const struct expr *a, const struct expr *b)
{
    const struct lambda_call *x = a->bound, *y = b->bound;
    if (x == y)
        return true;
    if (x->body_count != y->body_count || x->value_count != y->value_count)
        return false;
    for (int32_t i = 0; i < x->body_count; i++)
        if (x->bodies[i].variable_count != y->bodies[i].variable_count ||
            !expr_equal(x->bodies[i].body, y->bodies[i].body))
            return false;
    return true;
}

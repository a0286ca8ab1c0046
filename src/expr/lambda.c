/* lambda.c - transform, filter, aggregate and the like: functions that take a function.
 *
 * The lambda runs once over the elements of all rows' lists (lambda_elements.c); only aggregate()'s runs once for each
 * place in the lists. An error in an element is one of its row.
 */
#include "expr/lambda.h"

#include "base/stop_watch.h"
#include "expr/order.h"
#include "expr/pick.h"

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
    elements_variables(call, &elements, &args[0], variables);
    lambda_run(call, args, 0, variables, 2, elements.parents, elements.count, &result);
    elements_offsets(call, elements.parents, elements.count, out);
    elements_put(out, &result, 1);
    elements_free(&elements);
}

/* Elements where the lambda is true; of a map, entries. */
static void keep_true(struct call *call, const struct arg *args, struct column *out)
{
    struct elements elements = {0};
    struct column variables[2] = {0}, result, kept[2] = {0};
    elements_find(&elements, call, &args[0]);
    elements_variables(call, &elements, &args[0], variables);
    lambda_run(call, args, 0, variables, 2, elements.parents, elements.count, &result);
    int64_t count = 0;
    for (int64_t i = 0; i < elements.count; i++) {
        elements.parents[count] = elements.parents[i];
        elements.places[count] = elements.places[i];
        count += is_true(&result, i);
    }
    elements_offsets(call, elements.parents, count, out);
    for (int32_t c = 0; c < args[0].col->child_count; c++)
        column_gather(&kept[c], &args[0].col->children[c], elements.places, count);
    elements_put(out, kept, args[0].col->child_count);
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
    elements_variables(call, &elements, &args[0], variables);
    lambda_run(call, args, 0, variables, 2, elements.parents, elements.count, &result);
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
        int64_t row = list_row(list, self->rows[i]);
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
    lambda_repeat(call, &args[1], all, call->rows, &self.sums);
    for (int32_t place = 0; !stop_asked(self.count); place++) {
        struct column variables[2], result;
        sums_part(&self, &args[0], place, next);
        if (self.count == 0)
            break;
        variables[0] = column_take(&self.sums);
        column_gather(&variables[1], &args[0].col->children[0], next, self.count);
        lambda_run(call, args, 0, variables, 2, self.rows, self.count, &result);
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
        lambda_run(call, args, 1, &sums, 1, all, call->rows, &result);
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
        int64_t x = list_row(&args[0], i), y = list_row(&args[1], i);
        room += (a[x + 1] - a[x]) + (b[y + 1] - b[y]);
    }
    int32_t *parents = mem_array(int32_t, 3 * (size_t)room + 1), *left = parents + room, *right = left + room;
    for (int64_t i = 0; i < call->rows; i++) {
        int64_t x = list_row(&args[0], i), y = list_row(&args[1], i);
        int32_t size = a[x + 1] - a[x] > b[y + 1] - b[y] ? a[x + 1] - a[x] : b[y + 1] - b[y];
        for (int32_t at = 0; column_valid_at(out, i) && at < size; at++, count++) {
            parents[count] = (int32_t)i;
            left[count] = a[x] + at < a[x + 1] ? a[x] + at : -1;
            right[count] = b[y] + at < b[y + 1] ? b[y] + at : -1;
        }
    }
    gather_padded(call, &args[0].col->children[0], left, count, &variables[0]);
    gather_padded(call, &args[1].col->children[0], right, count, &variables[1]);
    lambda_run(call, args, 0, variables, 2, parents, count, &result);
    elements_offsets(call, parents, count, out);
    elements_put(out, &result, 1);
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
    elements_variables(call, &elements, &args[0], variables);
    column_share(&children[1 - changed], &variables[1 - changed]);
    lambda_run(call, args, 0, variables, 2, elements.parents, elements.count, &children[changed]);
    for (int64_t i = 0, from = 0; changed == 0 && i < elements.count; i++) {
        from = i > 0 && elements.parents[i] == elements.parents[i - 1] ? from : i;
        if (column_is_null(&children[0], i))
            call_reject(call, elements.parents[i], REJECT_NULL_MAP_KEY);
        else if (key_repeats(&children[0], from, i))
            call_reject(call, elements.parents[i], REJECT_DUPLICATED_KEY);
    }
    elements_offsets(call, elements.parents, elements.count, out);
    elements_put(out, children, 2);
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
            int64_t row = list_row(&args[m], i);
            room += column_offsets(maps[m])[row + 1] - column_offsets(maps[m])[row];
        }
    int32_t *parents = mem_array(int32_t, 3 * (size_t)room + 1), *left = parents + room, *right = left + room;
    struct builder keys;
    struct column children[2] = {0}, variables[3] = {0};
    builder_init(&keys, maps[0]->type->fields[0].type);
    for (int64_t i = 0; i < call->rows; i++)
        for (int m = 0; column_valid_at(out, i) && m < 2; m++) {
            int64_t row = list_row(&args[m], i), other = list_row(&args[1 - m], i);
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
    lambda_run(call, args, 0, variables, 3, parents, count, &children[1]);
    elements_offsets(call, parents, count, out);
    elements_put(out, children, 2);
    mem_free(parents);
}

const struct function *const lambda_functions[] = {
    &fn_transform,      &fn_filter,           &fn_exists,     &fn_forall,       &fn_aggregate, &fn_zip_with,
    &fn_transform_keys, &fn_transform_values, &fn_map_filter, &fn_map_zip_with, NULL,
};

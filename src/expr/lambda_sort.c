/* lambda_sort.c - array_sort with a lambda that compares.
 *
 * Merging in passes over all lists: at first each element is a run, then two neighbours of a list become one. Where an
 * element of the left run belongs in the right one is sought by halves: a step compares one pair for each of them, all
 * at once.
 */
#include "base/stop_watch.h"
#include "expr/lambda.h"
#include "expr/pick.h"

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
    lambda_run(self->call, self->args, 0, variables, 2, parents, count, &result);
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
        // a lambda that contradicts itself may send one back: it comes as early as it can
        while (right < self->low[left])
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
    elements_offsets(call, elements.parents, elements.count, out);
    elements_put(out, &sorted, 1);
    elements_free(&elements);
}

const struct function *const lambda_sort_functions[] = {&fn_array_sort_by, NULL};

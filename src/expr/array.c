/* array.c - algorithms over arrays. Nearly all make their result from elements they pick (pick.h). */
#include <stdlib.h>

#include "base/stop_watch.h"
#include "expr/coerce.h"
#include "expr/loop.h"
#include "expr/order.h"
#include "expr/pick.h"
#include "expr/value_bytes.h"
#include "expr/writer.h"

#define ELEMENTS(k) (&args[k].col->children[0])
#define INT_AT(k, i) (arg_values(&args[k], int32_t)[args[k].step * (i)])

/* Elements are equal; NULL is equal to NULL. */
static bool same(const struct column *a, int64_t i, const struct column *b, int64_t j)
{
    return value_compare(a, i, b, j) == 0;
}

/* ---- searching ---- */

/* Index in the row's list of the first element equal to argument 1; -1 when there is none. */
static int64_t find_element(const struct arg *args, int64_t row, bool *null_seen)
{
    int32_t first, last;
    list_range(&args[0], row, &first, &last);
    *null_seen = false;
    for (int32_t k = first; k < last; k++) {
        if (column_is_null(ELEMENTS(0), k))
            *null_seen = true;
        else if (same(ELEMENTS(0), k, args[1].col, row * args[1].step))
            return k - first;
    }
    return -1;
}

SCALAR(fn_array_contains, "array_contains", "(array<O>!!, O) -> boolean",
       "Whether an element is equal; NULL when none is and one is NULL.", "array_contains(array(1, 2), 2)", "true",
       .flags = FN_NULLABLE)
{
    for (int64_t i = 0; i < call->rows; i++) {
        bool null_seen;
        bool found = find_element(args, i, &null_seen) >= 0;
        bit_put(out->values->data, i, found);
        if (!found && null_seen)
            call_null(call, i);
    }
}

SCALAR(fn_array_position, "array_position", "(array<O>!!, O) -> bigint",
       "Number of the first element that is equal; 0 when none is.", "array_position(array(3, 2, 1), 1)", "3")
{
    for (int64_t i = 0; i < call->rows; i++) {
        bool null_seen;
        column_values(out, int64_t)[i] = find_element(args, i, &null_seen) + 1;
    }
}

enum { SHORT_LISTS = 32 }; // elements of both; so few are compared one with the other
enum { ELEMENT_OTHER = 1, ELEMENT_DONE = 2 };

/* What is known of pool row k's value. */
static uint8_t *element_note(struct value_set *set, struct text *bytes, const struct column *pool, int64_t k)
{
    text_clear(bytes);
    value_save(pool, k, true, bytes);
    return value_set_put(set, text_view(bytes));
}

/* Whether a value that is not NULL stands in both lists. */
static bool long_overlap(const struct column *first, int64_t a, int64_t a_end, const struct column *second, int64_t b,
                         int64_t b_end)
{
    struct value_set set = {.tail = 1};
    struct text bytes = {0};
    bool found = false;
    for (int64_t k = a; k < a_end; k++)
        if (!column_is_null(first, k))
            *element_note(&set, &bytes, first, k) = ELEMENT_OTHER;
    for (int64_t k = b; k < b_end && !found; k++)
        found = !column_is_null(second, k) && *element_note(&set, &bytes, second, k) == ELEMENT_OTHER;
    value_set_free(&set);
    text_free(&bytes);
    return found;
}

static bool any_null(const struct column *col, int64_t from, int64_t to)
{
    while (from < to && !column_is_null(col, from))
        from++;
    return from < to;
}

SCALAR(fn_arrays_overlap, "arrays_overlap", "(array<O>!!, array<O>!!) -> boolean",
       "Whether both have an element in common; NULL when none but a NULL is in one.",
       "arrays_overlap(array(1, 2), array(2, 3))", "true", .flags = FN_NULLABLE)
{
    for (int64_t i = 0; i < call->rows; i++) {
        int32_t a, a_end, b, b_end;
        bool found = false, null_seen = false;
        list_range(&args[0], i, &a, &a_end);
        list_range(&args[1], i, &b, &b_end);
        bool both = a < a_end && b < b_end;
        bool many = a_end - a + (b_end - b) > SHORT_LISTS;
        if (both)
            null_seen = any_null(ELEMENTS(0), a, a_end) || any_null(ELEMENTS(1), b, b_end);
        if (both && many)
            found = long_overlap(ELEMENTS(0), a, a_end, ELEMENTS(1), b, b_end);
        for (int32_t p = a; p < a_end && !many && !found; p++)
            for (int32_t q = b; q < b_end && !found; q++)
                found = !column_is_null(ELEMENTS(0), p) && !column_is_null(ELEMENTS(1), q) &&
                        same(ELEMENTS(0), p, ELEMENTS(1), q);
        bit_put(out->values->data, i, found);
        if (!found && null_seen)
            call_null(call, i);
    }
}

static void extreme_element(struct call *call, const struct arg *args, struct column *out, int sign)
{
    struct buffer *buffer = call_buffer(call, (size_t)call->rows * sizeof(int32_t));
    int32_t *rows = (int32_t *)(void *)buffer->data;
    for (int64_t i = 0; i < call->rows; i++) {
        int32_t first, last;
        list_range(&args[0], i, &first, &last);
        rows[i] = -1;
        for (int32_t k = first; k < last && call_valid(call, i); k++)
            if (!column_is_null(ELEMENTS(0), k) &&
                (rows[i] < 0 || sign * value_compare(ELEMENTS(0), k, ELEMENTS(0), rows[i]) > 0))
                rows[i] = k;
    }
    column_release(out);
    gather_or_null(call, out, ELEMENTS(0), rows, call->rows);
    call_free(call, buffer);
}
SCALAR(fn_array_max, "array_max", "(array<O>) -> O", "Largest element; NULLs are skipped.",
       "array_max(array(1, NULL, 3))", "3", .flags = FN_NULLABLE)
{
    extreme_element(call, args, out, 1);
}
SCALAR(fn_array_min, "array_min", "(array<O>) -> O", "Smallest element; NULLs are skipped.",
       "array_min(array(1, NULL, 3))", "1", .flags = FN_NULLABLE)
{
    extreme_element(call, args, out, -1);
}

/* ---- sorting ---- */

struct sort_order {
    const struct column *elements;
    int sign;
    bool nulls_last;
};

static int element_order(const void *a, const void *b, void *context)
{
    const struct sort_order *order = context;
    int32_t i = *(const int32_t *)a, j = *(const int32_t *)b;
    if (stop_asked(1))
        return 0; // what is left to compare is nothing then
    bool i_null = column_is_null(order->elements, i), j_null = column_is_null(order->elements, j);
    if (i_null || j_null)
        return order->nulls_last ? (int)i_null - (int)j_null : (int)j_null - (int)i_null;
    int compared = order->sign * value_compare(order->elements, i, order->elements, j);
    return compared != 0 ? compared : (i > j) - (i < j); // equal ones keep their order
}

static void sort_lists(struct call *call, const struct arg *args, struct column *out, bool array_sort)
{
    struct picks picks;
    (void)out;
    picks_open(&picks, call);
    for (int64_t i; (i = picks_next(&picks)) >= 0;) {
        int32_t first, last;
        list_range(&args[0], i, &first, &last);
        bool ascending = array_sort || call->arg_count == 1 || arg_bit(&args[1], i);
        struct sort_order order = {
            .elements = ELEMENTS(0), .sign = ascending ? 1 : -1, .nulls_last = array_sort || !ascending};
        int64_t start = picks.count;
        for (int32_t k = first; k < last; k++)
            picks_add(&picks, k);
        if (picks.count > start)
            qsort_r(picks.rows + start, (size_t)(picks.count - start), sizeof *picks.rows, element_order, &order);
        picks_end(&picks);
    }

    picks_close(&picks, ELEMENTS(0), 1);
}

SCALAR(fn_sort_array, "sort_array", "(array<O>, boolean!?) -> array<O>",
       "Sorted; NULLs first, and last when descending (second argument false).", "sort_array(array(3, NULL, 1))",
       "[null,1,3]")
{
    sort_lists(call, args, out, false);
}
SCALAR(fn_array_sort, "array_sort", "(array<O>) -> array<O>", "Sorted, NULLs last.", "array_sort(array(3, NULL, 1))",
       "[1,3,null]")
{
    sort_lists(call, args, out, true);
}

/* ---- picking from one array ---- */

SCALAR(fn_array_reverse, "reverse", "(array<T>) -> array<T>", "The elements backwards.", "reverse(array(1, 2, 3))",
       "[3,2,1]")
{
    struct picks picks;
    picks_open(&picks, call);
    for (int64_t i; (i = picks_next(&picks)) >= 0;) {
        int32_t first, last;
        list_range(&args[0], i, &first, &last);
        for (int32_t k = last - 1; k >= first; k--)
            picks_add(&picks, k);
        picks_end(&picks);
    }

    picks_close(&picks, ELEMENTS(0), 1);
}

SCALAR(fn_slice, "slice", "(array<T>, int, int) -> array<T>",
       "So many elements from a position on (from 1, or from -1 backwards).", "slice(array(1, 2, 3, 4), 2, 2)", "[2,3]",
       .flags = FN_FAILS)
{
    struct picks picks;
    for (int64_t i = 0; i < call->rows; i++)
        if (INT_AT(1, i) == 0 || INT_AT(2, i) < 0)
            call_reject(call, i, INT_AT(1, i) == 0 ? REJECT_SLICE_START : REJECT_SLICE_LENGTH);
    picks_open(&picks, call);
    for (int64_t i; (i = picks_next(&picks)) >= 0;) {
        int32_t first, last;
        list_range(&args[0], i, &first, &last);
        int64_t start = INT_AT(1, i) > 0 ? (int64_t)first + INT_AT(1, i) - 1 : (int64_t)last + INT_AT(1, i);
        int64_t end = start + INT_AT(2, i);
        for (int64_t k = start; k >= first && k < last && k < end; k++)
            picks_add(&picks, k);
        picks_end(&picks);
    }

    picks_close(&picks, ELEMENTS(0), 1);
}

SCALAR(fn_array_compact, "array_compact", "(array<T>) -> array<T>", "Without the NULLs.",
       "array_compact(array(1, NULL, 2))", "[1,2]")
{
    struct picks picks;
    picks_open(&picks, call);
    for (int64_t i; (i = picks_next(&picks)) >= 0;) {
        int32_t first, last;
        list_range(&args[0], i, &first, &last);
        for (int32_t k = first; k < last; k++)
            if (!column_is_null(ELEMENTS(0), k))
                picks_add(&picks, k);
        picks_end(&picks);
    }

    picks_close(&picks, ELEMENTS(0), 1);
}

SCALAR(fn_array_remove, "array_remove", "(array<O>, O) -> array<O>", "Without the elements that are equal.",
       "array_remove(array(1, 2, NULL, 2), 2)", "[1,null]")
{
    struct picks picks;
    picks_open(&picks, call);
    for (int64_t i; (i = picks_next(&picks)) >= 0;) {
        int32_t first, last;
        list_range(&args[0], i, &first, &last);
        for (int32_t k = first; k < last; k++)
            if (!same(ELEMENTS(0), k, args[1].col, i * args[1].step))
                picks_add(&picks, k);
        picks_end(&picks);
    }

    picks_close(&picks, ELEMENTS(0), 1);
}

/* ---- sets: the pool holds the elements of both arrays ---- */

/* The row's list has an element equal to pool row k. */
static bool picked(const struct picks *picks, const struct column *pool, int64_t k)
{
    for (int64_t at = picks->count - picks_size(picks); at < picks->count; at++)
        if (same(pool, picks->rows[at], pool, k))
            return true;
    return false;
}

static bool within(const struct column *pool, int64_t k, int64_t first, int64_t last)
{
    for (int64_t at = first; at < last; at++)
        if (same(pool, at, pool, k))
            return true;
    return false;
}

enum set_kind { SET_UNION, SET_INTERSECT, SET_EXCEPT };
static void long_lists(struct picks *picks, const struct column *pool, int64_t first, int64_t last, int64_t other,
                       int64_t other_end, enum set_kind kind)
{
    struct value_set set = {.tail = 1};
    struct text bytes = {0};
    uint8_t wanted = kind == SET_INTERSECT ? ELEMENT_OTHER : 0;
    for (int64_t k = other; k < other_end && kind != SET_UNION; k++)
        *element_note(&set, &bytes, pool, k) = ELEMENT_OTHER;
    int64_t all = last - first + (kind == SET_UNION ? other_end - other : 0);
    for (int64_t i = 0; i < all; i++) {
        int64_t k = i < last - first ? first + i : other + i - (last - first);
        uint8_t *note = element_note(&set, &bytes, pool, k);
        if (*note != wanted)
            continue;
        *note = ELEMENT_DONE;
        picks_add(picks, k);
    }
    value_set_free(&set);
    text_free(&bytes);
}

static void short_lists(struct picks *picks, const struct column *pool, int64_t first, int64_t last, int64_t other,
                        int64_t other_end, enum set_kind kind)
{
    for (int64_t k = first; k < last; k++) {
        bool wanted = kind == SET_UNION || within(pool, k, other, other_end) == (kind == SET_INTERSECT);
        if (wanted && !picked(picks, pool, k))
            picks_add(picks, k);
    }
    for (int64_t k = other; k < other_end && kind == SET_UNION; k++)
        if (!picked(picks, pool, k))
            picks_add(picks, k);
}

static void set_of_lists(struct picks *picks, const struct column *pool, int64_t first, int64_t last, int64_t other,
                         int64_t other_end, enum set_kind kind)
{
    if (last - first + other_end - other > SHORT_LISTS)
        long_lists(picks, pool, first, last, other, other_end, kind);
    else
        short_lists(picks, pool, first, last, other, other_end, kind);
}

SCALAR(fn_array_distinct, "array_distinct", "(array<O>) -> array<O>", "Without repeated elements.",
       "array_distinct(array(1, 2, 1))", "[1,2]")
{
    struct picks picks;
    picks_open(&picks, call);
    for (int64_t i; (i = picks_next(&picks)) >= 0;) {
        int32_t first, last;
        list_range(&args[0], i, &first, &last);
        set_of_lists(&picks, ELEMENTS(0), first, last, 0, 0, SET_UNION);
        picks_end(&picks);
    }

    picks_close(&picks, ELEMENTS(0), 1);
}

static void set_of_arrays(struct call *call, const struct arg *args, enum set_kind kind)
{
    struct picks picks;
    struct column pool = {0};
    pool_add(&pool, ELEMENTS(0));
    const int64_t base = pool_add(&pool, ELEMENTS(1));
    picks_open(&picks, call);
    for (int64_t i; (i = picks_next(&picks)) >= 0;) {
        int32_t first, last, from, to;
        list_range(&args[0], i, &first, &last);
        list_range(&args[1], i, &from, &to);
        set_of_lists(&picks, &pool, first, last, base + from, base + to, kind);
        picks_end(&picks);
    }
    picks_close(&picks, &pool, 1);
    column_release(&pool);
}

SCALAR(fn_array_union, "array_union", "(array<O>!!, array<O>!!) -> array<O>", "Elements of either, none repeated.",
       "array_union(array(1, 2, 2), array(2, 3))", "[1,2,3]")
{
    set_of_arrays(call, args, SET_UNION);
}
SCALAR(fn_array_intersect, "array_intersect", "(array<O>!!, array<O>!!) -> array<O>",
       "Elements of both, none repeated.", "array_intersect(array(1, 2, 2), array(2, 3))", "[2]")
{
    set_of_arrays(call, args, SET_INTERSECT);
}
SCALAR(fn_array_except, "array_except", "(array<O>!!, array<O>!!) -> array<O>",
       "Elements of the first that the second has not, none repeated.", "array_except(array(1, 2, 2), array(2, 3))",
       "[1]")
{
    set_of_arrays(call, args, SET_EXCEPT);
}

/* ---- joining and growing ---- */

SCALAR(fn_array_concat, "concat ||", "(array<T>!!, array<T>!!...) -> array<T>", "One array behind the other.",
       "concat(array(1), array(2))", "[1,2]", .flags = FN_IN_ORDER)
{
    struct picks picks;
    struct column pool = {0};
    int64_t *starts = mem_array(int64_t, (size_t)call->arg_count);
    for (int32_t k = 0; k < call->arg_count; k++)
        starts[k] = pool_add(&pool, ELEMENTS(k));
    picks_open(&picks, call);
    for (int64_t i; (i = picks_next(&picks)) >= 0;) {
        int32_t first, last;
        list_range(&args[0], i, &first, &last);
        for (int32_t a = 0; a < call->arg_count; a++) {
            list_range(&args[a], i, &first, &last);
            for (int32_t k = first; k < last; k++)
                picks_add(&picks, starts[a] + k);
        }
        picks_end(&picks);
    }

    picks_close(&picks, &pool, 1);
    column_release(&pool);
    mem_free(starts);
}

static void grow_lists(struct call *call, const struct arg *args, bool front)
{
    struct picks picks;
    struct column pool = {0};
    pool_add(&pool, ELEMENTS(0));
    int64_t base = pool_add(&pool, args[1].col);
    if (args[0].col->valid != NULL) {
        for (int64_t i = 0; i < call->rows; i++)
            if (!arg_valid(&args[0], i))
                call_null(call, i);
    }
    picks_open(&picks, call);
    for (int64_t i; (i = picks_next(&picks)) >= 0;) {
        int32_t first, last;
        list_range(&args[0], i, &first, &last);
        const int64_t added = base + i * args[1].step;
        if (front)
            picks_add(&picks, added);
        for (int32_t k = first; k < last; k++)
            picks_add(&picks, k);
        if (!front)
            picks_add(&picks, added);
        picks_end(&picks);
    }

    picks_close(&picks, &pool, 1);
    column_release(&pool);
}
SCALAR(fn_array_append, "array_append", "(array<T>!!, T) -> array<T>", "With one element more at the end.",
       "array_append(array(1), 2)", "[1,2]", .flags = FN_NULLS)
{
    grow_lists(call, args, false);
}
SCALAR(fn_array_prepend, "array_prepend", "(array<T>!!, T) -> array<T>", "With one element more at the start.",
       "array_prepend(array(1), 2)", "[2,1]", .flags = FN_NULLS)
{
    grow_lists(call, args, true);
}

static enum code bind_repeat(struct binding *binding, __attribute__((unused)) struct error *err)
{
    binding->type = type_array(binding->ctx->arena, binding->args[0]->type, binding->args[0]->nullable);
    binding->nullable = binding->args[1]->nullable;
    return E_OK;
}
SCALAR(fn_array_repeat, "array_repeat", "(T, int) -> array<T>", "An array of the same element so many times.",
       "array_repeat('a', 2)", "[\"a\",\"a\"]", .bind = bind_repeat, .flags = FN_NULLS)
{
    struct picks picks;
    picks_open(&picks, call);
    for (int64_t i = 0; i < call->rows; i++) {
        if (!arg_valid(&args[1], i))
            call_null(call, i);
        for (int32_t k = 0; call_valid(call, i) && k < INT_AT(1, i); k++)
            picks_add(&picks, i * args[0].step);
        picks_end(&picks);
    }
    picks_close(&picks, args[0].col, 1);
}

static bool list_has_null(const struct column *lists, int32_t first, int32_t last)
{
    for (int32_t k = first; k < last; k++)
        if (column_is_null(lists, k))
            return true;
    return false;
}
SCALAR(fn_flatten, "flatten", "(array<array<T>>!!) -> array<T>",
       "The elements of the elements; NULL when an element is NULL.", "flatten(array(array(1, 2), array(3)))",
       "[1,2,3]", .flags = FN_NULLABLE)
{
    struct picks picks;
    const struct column *lists = ELEMENTS(0);
    const int32_t *inner = column_offsets(lists);
    picks_open(&picks, call);
    for (int64_t i; (i = picks_next(&picks)) >= 0;) {
        int32_t first, last;
        list_range(&args[0], i, &first, &last);
        if (list_has_null(lists, first, last))
            call_null(call, i);
        else
            for (int32_t k = inner[first]; k < inner[last]; k++)
                picks_add(&picks, k);
        picks_end(&picks);
    }

    picks_close(&picks, &lists->children[0], 1);
}

SCALAR(fn_array_join, "array_join", "(array<string>, string!, string!?) -> string",
       "The elements with a text between them; NULLs are skipped, or stand as the third text.",
       "array_join(array('a', NULL, 'b'), ',')", "a,b")
{
    struct writer writer;
    struct text text = {.limit = WRITER_ROW_MAX};
    writer_open(&writer, call, out, call->rows * 16);
    for (int64_t i; (i = writer_next(&writer)) >= 0;) {
        int32_t first;
        int32_t last;
        list_range(&args[0], i, &first, &last);
        text_clear(&text);
        bool any = false;
        for (int32_t k = first; k < last; k++) {
            bool null = column_is_null(ELEMENTS(0), k);
            if (null && call->arg_count < 3)
                continue;
            struct bytes gap = arg_bytes(&args[1], i);
            struct bytes element = null ? arg_bytes(&args[2], i) : column_bytes_at(ELEMENTS(0), k);
            text_add(&text, gap.data, any ? gap.size : 0);
            text_add(&text, element.data, element.size);
            any = true;
        }
        writer_put(&writer, text_view(&text));
    }
    writer_close(&writer);
    text_free(&text);
}

/* ---- sequences ---- */

enum { SEQUENCE_MAX = 1 << 20 }; // elements of one row

static void sequence_row(struct call *call, int64_t row, int64_t from, int64_t to, int64_t step, struct builder *out)
{
    int128 count = step == 0 ? (from == to ? 1 : -1) : ((int128)to - from) / step + 1;
    if (from == to)
        count = 1;
    if (count <= 0 || count > SEQUENCE_MAX) {
        call_reject(call, row, count <= 0 ? REJECT_ARGUMENT : REJECT_TOO_BIG);
        builder_null(out);
        return;
    }
    for (int64_t k = 0; k < (int64_t)count && !stop_asked(1); k++)
        builder_int(&out->children[0], from + k * step);
    builder_close_list(out);
}

SCALAR(fn_sequence, "sequence", "(bigint, bigint, bigint?) -> array<bigint> | (int, int, int?) -> array<int>",
       "Whole numbers from the first to the second, by the third or by 1 or -1.", "sequence(1, 5)", "[1,2,3,4,5]",
       .flags = FN_FAILS)
{
    struct builder builder;
    bool wide = args[0].col->type->id == TYPE_INT64;
    builder_init(&builder, out->type);
    for (int64_t i = 0; i < call->rows; i++) {
        int64_t values[3];
        for (int32_t k = 0; k < call->arg_count; k++)
            values[k] = wide ? arg_values(&args[k], int64_t)[i * args[k].step] : INT_AT(k, i);
        if (!call_valid(call, i) || room_full()) {
            builder_null(&builder);
            continue;
        }
        int64_t step = call->arg_count == 3 ? values[2] : values[0] <= values[1] ? 1 : -1;
        if (step != 0 && values[0] != values[1] && (values[1] > values[0]) != (step > 0))
            step = 0; // never gets there
        sequence_row(call, i, values[0], values[1], step, &builder);
    }
    column_release(out);
    builder_finish(&builder, out);
    builder_release(&builder);
}

const struct function *const array_functions[] = {
    &fn_array_contains,
    &fn_array_position,
    &fn_arrays_overlap,
    &fn_array_max,
    &fn_array_min,
    &fn_sort_array,
    &fn_array_sort,
    &fn_array_reverse,
    &fn_slice,
    &fn_array_compact,
    &fn_array_remove,
    &fn_array_distinct,
    &fn_array_union,
    &fn_array_intersect,
    &fn_array_except,
    &fn_array_concat,
    &fn_array_append,
    &fn_array_prepend,
    &fn_array_repeat,
    &fn_flatten,
    &fn_array_join,
    &fn_sequence,
    NULL,
};

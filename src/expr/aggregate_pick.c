/* aggregate_pick.c - first, last, any_value, min_by, max_by: the value of one row.
 *
 * Rows are ordered by where their records stand in the source, so the row picked does not depend on how many
 * workers there were or which batch came first. Rows without a place come in the order in which they are
 * added.
 */
#include "expr/aggregate_box.h"
#include "expr/coerce.h"
#include "expr/value_bytes.h"

struct fixed_pick {
    struct fixed kept;
    struct row_place place;
};
struct box_pick {
    struct box box;
    struct row_place place;
};
struct pair_pick {
    struct box boxes[2]; /* the value, and what it is ordered by */
    struct row_place place;
};

static struct row_place row_place(const struct aggregate_rows *in, int64_t row)
{
    return in->places != NULL ? in->places[row] : (struct row_place){0};
}

static void place_save(const struct row_place *place, struct text *out) { text_add(out, place, sizeof *place); }

static enum code place_load(const struct aggregate_call *call, struct bytes *in, struct row_place *place,
                            struct error *err)
{
    struct bytes bytes;
    if (!load_bytes(in, sizeof *place, &bytes))
        return fail(err, E_CORRUPT, "the state of %s is cut off", call->function->name);
    memcpy(place, bytes.data, sizeof *place);
    return E_OK;
}

/* ---- first and last ---- */

enum { FIRST = 1, LAST = 2, SKIP_NULLS = 4 };

/* Whether the row at `place` takes the place of the one kept. Of the same place the first row stays first. */
static bool picks(unsigned which, const struct row_place *kept, const struct row_place *place)
{
    return (which & FIRST) != 0 ? row_place_before(place, kept) : !row_place_before(place, kept);
}

static void fixed_pick_add(const struct aggregate_rows *in, unsigned which)
{
    const struct column *col = &in->args[0];
    for (int64_t i = 0; i < in->rows; i++) {
        struct fixed_pick *state = STATE_AT(in, struct fixed_pick);
        struct row_place place = row_place(in, i);
        if ((in->active != NULL && !bit_get(in->active, i)) ||
            (state->kept.seen != SEEN_NOTHING && !picks(which, &state->place, &place)) ||
            ((which & SKIP_NULLS) != 0 && column_is_null(col, i)))
            continue;
        fixed_set(&state->kept, col, i);
        state->place = place;
    }
}

static bool fixed_pick_merge(void *into, const void *from, unsigned which)
{
    struct fixed_pick *a = into;
    const struct fixed_pick *b = from;
    if (b->kept.seen != SEEN_NOTHING && (a->kept.seen == SEEN_NOTHING || picks(which, &a->place, &b->place)))
        *a = *b;
    return true;
}

static bool fixed_pick_finish(const struct aggregate_call *call, const void *state, struct builder *out)
{
    fixed_build(&((const struct fixed_pick *)state)->kept, call->type, out);
    return true;
}

static void box_pick_add(const struct aggregate_rows *in, unsigned which)
{
    const struct column *col = &in->args[0];
    for (int64_t i = 0; i < in->rows; i++) {
        struct box_pick *state = STATE_AT(in, struct box_pick);
        struct row_place place = row_place(in, i);
        if ((in->active != NULL && !bit_get(in->active, i)) ||
            (state->box.data != NULL && !picks(which, &state->place, &place)) ||
            ((which & SKIP_NULLS) != 0 && column_is_null(col, i)))
            continue;
        box_set(&state->box, col, i, in->heap_bytes);
        state->place = place;
    }
}

static bool box_pick_merge(void *into, const void *from, unsigned which, size_t *heap_bytes)
{
    struct box_pick *a = into;
    const struct box_pick *b = from;
    if (b->box.data == NULL || (a->box.data != NULL && !picks(which, &a->place, &b->place)))
        return true;
    box_put(&a->box, bytes_of(b->box.data, b->box.size), heap_bytes);
    a->place = b->place;
    return true;
}

static bool box_pick_finish(const struct aggregate_call *call, const void *state, struct builder *out)
{
    box_build(&((const struct box_pick *)state)->box, call->type, out);
    return true;
}

static void box_pick_save(__attribute__((unused)) const struct aggregate_call *call, const void *state,
                          struct text *out)
{
    const struct box_pick *s = state;
    boxes_save(&s->box, 1, out);
    place_save(&s->place, out);
}

static enum code box_pick_load(const struct aggregate_call *call, struct bytes *in, void *state, size_t *heap_bytes,
                               struct error *err)
{
    struct box_pick *s = state;
    TRY(boxes_load(call, 1, in, &s->box, heap_bytes, err));
    return place_load(call, in, &s->place, err);
}

static void box_pick_drop(__attribute__((unused)) const struct aggregate_call *call, void *state, size_t *heap_bytes)
{
    boxes_drop(&((struct box_pick *)state)->box, 1, heap_bytes);
}

#define PICK_ROWS(id, name_, which)                                                                                    \
    static void id##_fixed_add(const struct aggregate_rows *in) { fixed_pick_add(in, which); }                         \
    static bool id##_fixed_merge(__attribute__((unused)) const struct aggregate_call *call, void *into,                \
                                 const void *from)                                                                     \
    {                                                                                                                  \
        return fixed_pick_merge(into, from, which);                                                                    \
    }                                                                                                                  \
    static void id##_box_add(const struct aggregate_rows *in) { box_pick_add(in, which); }                             \
    static bool id##_box_merge(__attribute__((unused)) const struct aggregate_call *call, void *into,                  \
                               const void *from, size_t *heap_bytes)                                                   \
    {                                                                                                                  \
        return box_pick_merge(into, from, which, heap_bytes);                                                          \
    }                                                                                                                  \
    static const struct aggregate_heap id##_heap = {id##_box_merge, box_pick_save, box_pick_load, box_pick_drop};      \
    AGGREGATE(id##_fixed, name_, "(T) -> T", "", NULL, NULL, .state_size = sizeof(struct fixed_pick),                  \
              .add = id##_fixed_add, .merge = id##_fixed_merge, .finish = fixed_pick_finish);                          \
    AGGREGATE(id##_box, name_, "(T) -> T", "", NULL, NULL, .state_size = sizeof(struct box_pick), .add = id##_box_add, \
              .finish = box_pick_finish, .heap = &id##_heap)

PICK_ROWS(agg_first_any, "first", FIRST);
PICK_ROWS(agg_first_known, "first", FIRST | SKIP_NULLS);
PICK_ROWS(agg_last_any, "last", LAST);
PICK_ROWS(agg_last_known, "last", LAST | SKIP_NULLS);

/* The second argument says whether to skip NULLs; it is needed only here. */
static enum code bind_pick(struct aggregate_binding *binding, const struct aggregate *const rows[4], struct error *err)
{
    struct aggregate_call *call = binding->call;
    bool skip = false;
    if (call->arg_count == 2) {
        const struct expr *literal;
        TRY(expr_fold(binding->ctx, call->args[1], &literal, err));
        skip = !literal_is_null(literal) && literal_int(literal) != 0;
        call->arg_count = 1;
    }
    call->function = rows[(skip ? 2 : 0) + type_is_boxed(call->args[0]->type)];
    call->ordered = true;
    return E_OK;
}

static enum code bind_first(struct aggregate_binding *binding, struct error *err)
{
    static const struct aggregate *const rows[] = {&agg_first_any_fixed, &agg_first_any_box, &agg_first_known_fixed,
                                                   &agg_first_known_box};
    return bind_pick(binding, rows, err);
}
static enum code bind_last(struct aggregate_binding *binding, struct error *err)
{
    static const struct aggregate *const rows[] = {&agg_last_any_fixed, &agg_last_any_box, &agg_last_known_fixed,
                                                   &agg_last_known_box};
    return bind_pick(binding, rows, err);
}

AGGREGATE(agg_first, "first first_value any_value", "(T, boolean?) -> T",
          "Value of the first row by partition and offset; with true as second argument the first that is not NULL.",
          "SELECT first(c, true) FROM VALUES (NULL), (1), (2) AS t(c)", "1", .bind = bind_first);
AGGREGATE(agg_last, "last last_value", "(T, boolean?) -> T",
          "Value of the last row by partition and offset; with true as second argument the last that is not NULL.",
          "SELECT last(c) FROM VALUES (1), (2) AS t(c)", "2", .bind = bind_last);

/* ---- max_by and min_by ---- */

/* Of equals the later one wins, as in Spark. */
static bool by_takes(int order, int sign, const struct row_place *kept, const struct row_place *place)
{
    return order != 0 ? sign * order < 0 : !row_place_before(place, kept);
}

static void by_add(const struct aggregate_rows *in, int sign)
{
    for (int64_t i = 0; i < in->rows; i++) {
        if ((in->active != NULL && !bit_get(in->active, i)) || column_is_null(&in->args[1], i))
            continue;
        struct pair_pick *state = STATE_AT(in, struct pair_pick);
        struct row_place place = row_place(in, i);
        if (state->boxes[1].data != NULL &&
            !by_takes(box_compare(&state->boxes[1], &in->args[1], i), sign, &state->place, &place))
            continue;
        box_set(&state->boxes[0], &in->args[0], i, in->heap_bytes);
        box_set(&state->boxes[1], &in->args[1], i, in->heap_bytes);
        state->place = place;
    }
}

static bool by_merge(const struct aggregate_call *call, void *into, const void *from, int sign, size_t *heap_bytes)
{
    struct pair_pick *a = into;
    const struct pair_pick *b = from;
    if (b->boxes[1].data == NULL ||
        (a->boxes[1].data != NULL &&
         !by_takes(boxes_compare(&a->boxes[1], &b->boxes[1], call->arg_types[1]), sign, &a->place, &b->place)))
        return true;
    for (int k = 0; k < 2; k++)
        box_put(&a->boxes[k], bytes_of(b->boxes[k].data, b->boxes[k].size), heap_bytes);
    a->place = b->place;
    return true;
}

static bool by_finish(const struct aggregate_call *call, const void *state, struct builder *out)
{
    box_build(&((const struct pair_pick *)state)->boxes[0], call->type, out);
    return true;
}

static void by_save(__attribute__((unused)) const struct aggregate_call *call, const void *state, struct text *out)
{
    const struct pair_pick *s = state;
    boxes_save(s->boxes, 2, out);
    place_save(&s->place, out);
}

static enum code by_load(const struct aggregate_call *call, struct bytes *in, void *state, size_t *heap_bytes,
                         struct error *err)
{
    struct pair_pick *s = state;
    TRY(boxes_load(call, 2, in, s->boxes, heap_bytes, err));
    if ((s->boxes[0].data == NULL) != (s->boxes[1].data == NULL) ||
        (s->boxes[1].data != NULL && box_is_null(&s->boxes[1])))
        return fail(err, E_CORRUPT, "the state of %s is half a pair", call->function->name);
    return place_load(call, in, &s->place, err);
}

static void by_drop(__attribute__((unused)) const struct aggregate_call *call, void *state, size_t *heap_bytes)
{
    boxes_drop(((struct pair_pick *)state)->boxes, 2, heap_bytes);
}

static enum code bind_by(struct aggregate_binding *binding, __attribute__((unused)) struct error *err)
{
    binding->call->ordered = true;
    return E_OK;
}

#define BY(id, name_, help_, expected_, sign)                                                                      \
    static void id##_add(const struct aggregate_rows *in) { by_add(in, sign); }                                    \
    static bool id##_merge(const struct aggregate_call *call, void *into, const void *from, size_t *heap_bytes)    \
    {                                                                                                              \
        return by_merge(call, into, from, sign, heap_bytes);                                                       \
    }                                                                                                              \
    static const struct aggregate_heap id##_heap = {id##_merge, by_save, by_load, by_drop};                        \
    AGGREGATE(id, name_, "(T, O) -> T", help_, "SELECT " name_ "(x, y) FROM VALUES ('a', 1), ('b', 2) AS t(x, y)", \
              expected_, .state_size = sizeof(struct pair_pick), .bind = bind_by, .add = id##_add,                 \
              .finish = by_finish, .heap = &id##_heap)
BY(agg_max_by, "max_by", "The first argument where the second is largest.", "b", 1);
BY(agg_min_by, "min_by", "The first argument where the second is smallest.", "a", -1);

const struct aggregate *const pick_aggregates[] = {&agg_first, &agg_last, &agg_max_by, &agg_min_by, NULL};

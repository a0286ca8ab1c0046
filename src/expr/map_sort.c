/* map_sort.c - maps with their entries in order of their keys, also those within other values: GROUP BY takes two maps for one
 * value when their entries are equal, whatever the order they were made in. */
#include <stdlib.h>

#include "base/stop_watch.h"
#include "expr/function.h"
#include "expr/order.h"

static int key_order(const void *a, const void *b, void *context)
{
    const struct column *keys = context;
    if (stop_asked(1))
        return 0;
    return value_compare(keys, *(const int32_t *)a, keys, *(const int32_t *)b);
}

static void sort_maps(struct column *col);

/* The children are sorted already. */
static void sort_entries(struct column *map)
{
    const int32_t *offsets = column_offsets(map);
    int64_t count = map->children[0].rows;
    int32_t *order = mem_array(int32_t, (size_t)count + 1);
    bool moved = false;
    for (int64_t k = 0; k < count; k++)
        order[k] = (int32_t)k;
    for (int64_t i = 0; i < map->rows; i++) {
        bool sorted = true;
        for (int32_t k = offsets[i] + 1; k < offsets[i + 1] && sorted; k++)
            sorted = value_compare(&map->children[0], k - 1, &map->children[0], k) <= 0;
        if (!sorted)
            qsort_r(order + offsets[i], (size_t)(offsets[i + 1] - offsets[i]), sizeof *order, key_order,
                    &map->children[0]);
        moved = moved || !sorted;
    }
    for (int32_t side = 0; side < 2 && moved; side++) {
        struct column gathered;
        column_gather(&gathered, &map->children[side], order, count);
        column_release(&map->children[side]);
        map->children[side] = gathered;
    }
    mem_free(order);
}

/* Of a column that nobody else sees; its buffers may be shared. */
static void sort_maps(struct column *col)
{
    for (int32_t i = 0; i < col->child_count; i++)
        if (type_holds_map(col->children[i].type))
            sort_maps(&col->children[i]);
    if (col->type->id == TYPE_MAP)
        sort_entries(col);
}

bool type_holds_map(const struct type *type)
{
    bool holds = type->id == TYPE_MAP;
    for (int32_t i = 0; i < type->field_count && !holds; i++)
        holds = type_holds_map(type->fields[i].type);
    return holds;
}

bool type_is_groupable(const struct type *type)
{
    bool groups = type->id != TYPE_VARIANT;
    for (int32_t i = 0; i < type->field_count && groups; i++)
        groups = type_is_groupable(type->fields[i].type);
    return groups;
}

static enum code bind_same(struct binding *binding, __attribute__((unused)) struct error *err)
{
    binding->type = binding->args[0]->type;
    return E_OK;
}

SCALAR(fn_map_sorted, "map:sorted", "(any) -> any", "Maps in order of their keys.", NULL, NULL, .bind = bind_same,
       .flags = FN_NULLS | FN_HIDDEN)
{
    column_release(out); // what was made ready for numbers
    if (args[0].step == 0) {
        int32_t *first = mem_array(int32_t, (size_t)call->rows + 1);
        for (int64_t i = 0; i < call->rows; i++)
            first[i] = 0;
        column_gather(out, args[0].col, first, call->rows);
        mem_free(first);
    } else {
        column_share(out, args[0].col);
    }
    sort_maps(out);
}

const struct function *const map_sort_functions[] = {&fn_map_sorted, NULL};

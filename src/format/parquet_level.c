#include "format/parquet_internal.h"

/* Shredding: from the rows of a nested column to the levels of one leaf.
 *
 * One slot per row to begin with; each step of the path from the column to the leaf either raises the
 * definition level of the slots that are still alive, ends those that meet a NULL or an empty list, or
 * replaces a slot by one slot per list element. The first element keeps the repetition level of its list, the
 * others take the list's own. A slot that has ended (index -1) stays as it is: it is what a reader needs to
 * rebuild the gap. */

void parquet_shredder_close(struct parquet_shredder *shredder)
{
    struct parquet_slots *both[] = {&shredder->slots, &shredder->next};
    for (size_t i = 0; i < 2; i++) {
        mem_free(both[i]->definition);
        mem_free(both[i]->repetition);
        mem_free(both[i]->index);
    }
    *shredder = (struct parquet_shredder){0};
}

static void reserve(struct parquet_slots *slots, int64_t need)
{
    if (need <= slots->capacity)
        return;
    int64_t capacity = need > slots->capacity * 2 ? need : slots->capacity * 2;
    slots->definition = mem_resize(slots->definition, (size_t)capacity);
    slots->repetition = mem_resize(slots->repetition, (size_t)capacity);
    slots->index = mem_resize(slots->index, (size_t)capacity * sizeof *slots->index);
    slots->capacity = capacity;
}

static void start(struct parquet_slots *slots, int64_t from, int64_t to)
{
    reserve(slots, to - from);
    slots->count = to - from;
    memset(slots->definition, 0, (size_t)slots->count);
    memset(slots->repetition, 0, (size_t)slots->count);
    for (int64_t i = 0; i < slots->count; i++)
        slots->index[i] = (int32_t)(from + i);
}

static void step_optional(struct parquet_slots *slots, const struct column *col)
{
    for (int64_t i = 0; i < slots->count; i++) {
        int32_t row = slots->index[i];
        bool present = row >= 0 && column_valid_at(col, row);
        slots->definition[i] = (uint8_t)(slots->definition[i] + present);
        slots->index[i] = present ? row : -1;
    }
}

static enum code step_required(const struct parquet_slots *slots, const struct parquet_leaf *leaf,
                               const struct column *col, struct error *err)
{
    for (int64_t i = 0; i < slots->count; i++) {
        if (slots->index[i] >= 0 && !column_valid_at(col, slots->index[i]))
            return fail(err, E_DATA, "parquet: NULL as the key of a map in column %s", leaf->path[0]);
    }
    return E_OK;
}

/* `repetition` is the level of this list. */
static void step_repeated(struct parquet_slots *slots, struct parquet_slots *next, const struct column *list,
                          uint8_t repetition)
{
    const int32_t *offsets = column_offsets(list);
    int64_t need = slots->count;
    for (int64_t i = 0; i < slots->count; i++) {
        if (slots->index[i] >= 0)
            need += offsets[slots->index[i] + 1] - offsets[slots->index[i]];
    }
    reserve(next, need);
    int64_t count = 0;
    for (int64_t i = 0; i < slots->count; i++) {
        int32_t row = slots->index[i];
        int32_t first = row >= 0 ? offsets[row] : 0, end = row >= 0 ? offsets[row + 1] : 0;
        if (first == end) {
            next->definition[count] = slots->definition[i];
            next->repetition[count] = slots->repetition[i];
            next->index[count++] = -1;
        }
        for (int32_t element = first; element < end; element++, count++) {
            next->definition[count] = (uint8_t)(slots->definition[i] + 1);
            next->repetition[count] = element == first ? slots->repetition[i] : repetition;
            next->index[count] = element;
        }
    }
    next->count = count;
}

enum code parquet_shred(struct parquet_shredder *shredder, const struct parquet_leaf *leaf, const struct column *col,
                        int64_t from, int64_t to, struct error *err)
{
    uint8_t repetition = 0;
    start(&shredder->slots, from, to);
    for (int32_t i = 0; i < leaf->step_count; i++) {
        const struct parquet_step *step = &leaf->steps[i];
        if (step->kind == STEP_OPTIONAL) {
            step_optional(&shredder->slots, col);
        } else if (step->kind == STEP_REQUIRED) {
            TRY(step_required(&shredder->slots, leaf, col, err));
        } else {
            if (step->kind == STEP_REPEATED) {
                step_repeated(&shredder->slots, &shredder->next, col, ++repetition);
                struct parquet_slots swap = shredder->slots;
                shredder->slots = shredder->next;
                shredder->next = swap;
            }
            col = &col->children[step->child];
        }
    }
    return E_OK;
}

const struct column *parquet_leaf_column(const struct parquet_leaf *leaf, const struct column *col)
{
    for (int32_t i = 0; i < leaf->step_count; i++) {
        if (leaf->steps[i].kind == STEP_REPEATED || leaf->steps[i].kind == STEP_FIELD)
            col = &col->children[leaf->steps[i].child];
    }
    return col;
}

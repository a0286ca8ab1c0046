#include "query/frame_stack.h"

/* Sums of FLOAT and DOUBLE depend on the order of their additions, down to the last bit; so does all that is computed in
 * them. Of these types only what picks a value, or counts, merges exactly. */
bool frame_stack_suits(const struct aggregate_call *call)
{
    static const char *const exact[] = {"count", "min", "max"};
    static const char *const whole[] = {"sum",     "avg",     "count_if", "bool_and",
                                        "bool_or", "bit_and", "bit_or",   "bit_xor"};
    struct bytes name = aggregate_name(call);
    bool suits = false, floats = false;
    for (int32_t i = 0; i < call->arg_count; i++)
        floats = floats || call->arg_types[i]->id == TYPE_FLOAT || call->arg_types[i]->id == TYPE_DOUBLE;
    for (size_t i = 0; i < sizeof exact / sizeof *exact; i++)
        suits = suits || bytes_equal_string(name, exact[i]);
    for (size_t i = 0; i < sizeof whole / sizeof *whole && !floats; i++)
        suits = suits || bytes_equal_string(name, whole[i]);
    return suits && call->state_is_flat && !call->distinct;
}

void frame_stack_open(struct frame_stack *self, const struct aggregate_call *call, const struct column *args,
                      int32_t arg_count, struct rejects *rejects)
{
    *self = (struct frame_stack){.call = call, .args = args, .arg_count = arg_count, .rejects = rejects};
    self->back = mem_zero(call->state_size);
    self->result = mem_zero(call->state_size);
    aggregate_init(call, self->back);
}

void frame_stack_close(struct frame_stack *self)
{
    mem_free(self->front);
    mem_free(self->back);
    mem_free(self->result);
    *self = (struct frame_stack){0};
}

/* The rows to one state, or each to one of its own. */
static void rows_add(struct frame_stack *self, uint8_t *base, bool each_its_own, int64_t from, int64_t to)
{
    const struct aggregate_call *call = self->call;
    int64_t rows = to - from;
    struct column *slices = mem_array(struct column, (size_t)self->arg_count + 1);
    uint32_t *slots = mem_array(uint32_t, (size_t)rows + 1);
    uint8_t *active = mem_alloc(bit_bytes(rows) + 8);
    for (int32_t i = 0; i < self->arg_count; i++)
        column_append(&slices[i], &self->args[i], from, to);
    const struct column *filter = call->filter != NULL ? &slices[call->arg_count] : NULL;
    for (int64_t i = 0; i < rows; i++) {
        slots[i] = each_its_own ? (uint32_t)i : 0;
        bit_put(active, i, filter == NULL || (column_valid_at(filter, i) && bit_get(filter->values->data, i)));
    }
    aggregate_add(&(struct aggregate_rows){.call = call,
                                           .args = slices,
                                           .rows = rows,
                                           .active = active,
                                           .base = base,
                                           .stride = call->state_size,
                                           .slots = slots,
                                           .rejects = self->rejects,
                                           .heap_bytes = &self->heap_bytes});
    for (int32_t i = 0; i < self->arg_count; i++)
        column_release(&slices[i]);
    mem_free(slices);
    mem_free(slots);
    mem_free(active);
}

static uint8_t *front_at(const struct frame_stack *self, int64_t row)
{
    return self->front + (size_t)(row - self->front_from) * self->call->state_size;
}

static void back_clear(struct frame_stack *self, int64_t at)
{
    memset(self->back, 0, self->call->state_size);
    aggregate_init(self->call, self->back);
    self->middle = self->to = at;
}

/* Rows [from, to) become the front. */
static void front_build(struct frame_stack *self, int64_t from, int64_t to)
{
    const struct aggregate_call *call = self->call;
    size_t size = call->state_size;
    int64_t rows = to - from;
    if (rows > self->front_capacity) {
        self->front = mem_resize(self->front, (size_t)rows * 2 * size);
        self->front_capacity = rows * 2;
    }
    memset(self->front, 0, (size_t)rows * size);
    self->front_from = from;
    for (int64_t row = from; row < to; row++)
        aggregate_init(call, front_at(self, row));
    rows_add(self, self->front, true, from, to);
    for (int64_t row = to - 2; row >= from; row--)
        (void)aggregate_merge(call, front_at(self, row), front_at(self, row + 1), &self->heap_bytes); // finish tells
    back_clear(self, to);
}

const uint8_t *frame_stack_state(struct frame_stack *self, int64_t from, int64_t to)
{
    if (from >= self->to || from < self->from || to < self->to)
        back_clear(self, from);
    else if (from >= self->middle)
        front_build(self, from, self->to);
    self->from = from;
    if (to > self->to) {
        rows_add(self, self->back, false, self->to, to);
        self->to = to;
    }
    if (from >= self->middle)
        return self->back;
    memcpy(self->result, front_at(self, from), self->call->state_size);
    (void)aggregate_merge(self->call, self->result, self->back, &self->heap_bytes);
    return self->result;
}

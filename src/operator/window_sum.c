#include "operator/window_sum.h"

struct window_sum { /* then the states of the back, then the checks in order of time */
    int64_t middle_us, done_us;
    uint32_t check_first, check_count; /* those before check_first are behind the window */
    uint32_t capacity;                 /* checks */
    uint32_t unused;
};
struct check { /* then the states */
    int64_t start_us;
};

static size_t check_bytes(const struct aggregate_stage *self) { return sizeof(struct check) + self->states_bytes; }

static size_t sum_bytes(const struct aggregate_stage *self, uint32_t capacity)
{
    return sizeof(struct window_sum) + self->states_bytes + capacity * check_bytes(self);
}

static uint8_t *back_states(struct window_sum *sum) { return (uint8_t *)(sum + 1); }

static struct check *check_at(const struct aggregate_stage *self, struct window_sum *sum, uint32_t index)
{
    return (struct check *)(void *)(back_states(sum) + self->states_bytes + index * check_bytes(self));
}

static uint8_t *check_states(struct check *check) { return (uint8_t *)(check + 1); }

static void pane_add(const struct aggregate_stage *self, struct timeline_shard *shard, const struct timeline *timeline,
                     uint32_t index, uint8_t *into)
{
    int64_t overflown = states_merge(self, into, span_states(span_at(self, timeline, index)), &shard->heap);
    dassert(overflown == 0); // flat states tell when they are finished
    (void)overflown;
}

static void reserve(const struct aggregate_stage *self, struct timeline_shard *shard, struct timeline *timeline,
                    uint32_t checks)
{
    struct window_sum *sum = timeline->sum;
    if (sum != NULL && sum->capacity >= checks && sum->capacity / 4 <= checks)
        return;
    window_sum_free(self, shard, sum);
    timeline->sum = sum = mem_alloc(sum_bytes(self, checks));
    *sum = (struct window_sum){.capacity = checks};
    shard->heap.bytes += sum_bytes(self, checks);
}

/* The middle moves to the window's end: checks of all its panes, from the last to the first. `window`
 * receives all. */
static void turn(const struct aggregate_stage *self, struct timeline_shard *shard, struct timeline *timeline,
                 int64_t end_us, uint32_t from, uint32_t to, uint8_t *window)
{
    uint32_t checks = (to - from - 1) / WINDOW_CHECK; // at from + WINDOW_CHECK, from + 2 * WINDOW_CHECK, ...
    reserve(self, shard, timeline, checks);
    struct window_sum *sum = timeline->sum;
    sum->middle_us = sum->done_us = end_us;
    sum->check_first = 0;
    sum->check_count = checks;
    states_init(self, back_states(sum));
    for (uint32_t i = to; i-- > from;) {
        pane_add(self, shard, timeline, i, window);
        if (i == from || (i - from) % WINDOW_CHECK != 0)
            continue;
        struct check *check = check_at(self, sum, (i - from) / WINDOW_CHECK - 1);
        check->start_us = span_at(self, timeline, i)->start_us;
        memcpy(check_states(check), window, self->states_bytes);
    }
}

static void merge_into(const struct aggregate_stage *self, struct timeline_shard *shard, uint8_t *into,
                       const uint8_t *states)
{
    int64_t overflown = states_merge(self, into, states, &shard->heap);
    dassert(overflown == 0);
    (void)overflown;
}

static void sum_up(const struct aggregate_stage *self, struct timeline_shard *shard, struct timeline *timeline,
                   struct pane window, uint32_t from, uint32_t to, uint8_t *out)
{
    struct window_sum *sum = timeline->sum;
    uint32_t done = to;
    while (done > from && span_at(self, timeline, done - 1)->start_us >= sum->done_us)
        done--;
    for (uint32_t i = done; i < to; i++)
        pane_add(self, shard, timeline, i, back_states(sum));
    sum->done_us = window.end_us;
    while (sum->check_first < sum->check_count && check_at(self, sum, sum->check_first)->start_us < window.start_us)
        sum->check_first++;
    if (sum->check_first == sum->check_count) { // the last panes of the front are few: time to turn
        turn(self, shard, timeline, window.end_us, from, to, out);
        return;
    }
    struct check *check = check_at(self, sum, sum->check_first);
    for (uint32_t i = from; i < to && span_at(self, timeline, i)->start_us < check->start_us; i++)
        pane_add(self, shard, timeline, i, out);
    merge_into(self, shard, out, check_states(check));
    merge_into(self, shard, out, back_states(sum));
}

const uint8_t *window_sum(const struct aggregate_stage *self, struct timeline_shard *shard, struct timeline *timeline,
                          struct pane window, uint32_t from, uint32_t to, int64_t *overflown)
{
    if (to - from == 1)
        return span_states(span_at(self, timeline, from));
    if (shard->window == NULL)
        shard->window = mem_alloc(self->states_bytes + 1);
    states_init(self, shard->window);
    if (self->flat && to - from > 2 * WINDOW_CHECK) {
        if (timeline->sum == NULL)
            turn(self, shard, timeline, window.end_us, from, to, shard->window);
        else
            sum_up(self, shard, timeline, window, from, to, shard->window);
        return shard->window;
    }
    window_sum_free(self, shard, timeline->sum);
    timeline->sum = NULL;
    for (uint32_t i = from; i < to; i++)
        *overflown += states_merge(self, shard->window, span_states(span_at(self, timeline, i)), &shard->heap);
    return shard->window;
}

void window_sum_add(const struct aggregate_stage *self, struct timeline_shard *shard, struct window_sum *sum,
                    int64_t start_us, const uint8_t *states)
{
    if (start_us >= sum->done_us)
        return;
    if (start_us >= sum->middle_us)
        merge_into(self, shard, back_states(sum), states);
    for (uint32_t c = sum->check_first; start_us < sum->middle_us && c < sum->check_count; c++) {
        struct check *check = check_at(self, sum, c);
        if (check->start_us > start_us)
            break;
        merge_into(self, shard, check_states(check), states);
    }
}

void window_sum_free(const struct aggregate_stage *self, struct timeline_shard *shard, struct window_sum *sum)
{
    if (sum != NULL)
        shard->heap.bytes -= sum_bytes(self, sum->capacity);
    mem_free(sum);
}

#include "operator/window_sum.h"

/* ---- room ---- */

/* Room for `more` spans behind the last one. */
static void reserve(const struct aggregate_stage *self, struct timeline_shard *shard, struct timeline *timeline,
                    uint32_t more)
{
    uint64_t need = (uint64_t)timeline->count + more, capacity = need + need / 4 + 2;
    if (timeline->spans == NULL ? need <= 1 : timeline->first + need <= timeline->capacity)
        return;
    always(need <= TIMELINE_SPANS_MAX);
    size_t bytes = timeline->count * span_bytes(self);
    if (timeline->spans != NULL && need + need / 8 <= timeline->capacity) { // what was forgotten in front is enough
        memmove(timeline->spans, span_at(self, timeline, 0), bytes);
        timeline->first = 0;
        return;
    }
    uint8_t *spans = mem_alloc((size_t)capacity * span_bytes(self));
    memcpy(spans, span_at(self, timeline, 0), bytes);
    mem_free(timeline->spans);
    shard->heap.bytes += (capacity - timeline->capacity) * span_bytes(self);
    timeline->spans = spans;
    timeline->first = 0;
    timeline->capacity = (uint32_t)capacity;
}

/* Mostly it is one of the last. */
uint32_t timeline_search(const struct aggregate_stage *self, const struct timeline *timeline, int64_t time_us)
{
    enum { NEAR = 4 };
    uint32_t from = 0, to = timeline->count;
    for (int i = 0; i < NEAR && to > 0; i++, to--)
        if (span_at(self, timeline, to - 1)->end_us <= time_us)
            return to;
    while (from < to) {
        uint32_t middle = from + (to - from) / 2;
        if (span_at(self, timeline, middle)->end_us > time_us)
            to = middle;
        else
            from = middle + 1;
    }
    return from;
}

void timeline_forget(const struct aggregate_stage *self, struct timeline_shard *shard, struct timeline *timeline,
                     uint32_t count)
{
    for (uint32_t i = 0; !self->flat && i < count; i++)
        states_drop(self, span_states(span_at(self, timeline, i)), &shard->heap);
    timeline->count -= count;
    shard->spans -= count;
    if (timeline->spans != NULL)
        timeline->first += count;
    if (timeline->count > 0)
        return;
    shard->heap.bytes -= timeline->capacity * span_bytes(self);
    mem_free(timeline->spans);
    window_sum_free(self, shard, timeline->sum);
    timeline->spans = NULL;
    timeline->sum = NULL;
    timeline->first = timeline->capacity = 0;
}

/* ---- merging fragments into spans ----
 *
 *   spans     [kept .. ][ gap ][old .. ]
 *                       ^out   ^in     ^end
 *
 * Fragments and old spans are walked together in order of time. A fragment that needs a place of its own
 * takes it from the gap; when there is none it is made as large as all fragments left, so that spans move
 * once however many come. */
struct walk {
    const struct aggregate_stage *self;
    struct timeline_shard *shard;
    struct timeline *timeline;
    uint32_t out, in, end;
    bool touching, replaces;
    int64_t overflown;
};

static struct span *walk_span(const struct walk *walk, uint32_t index)
{
    return span_at(walk->self, walk->timeline, index);
}

static bool is_before(const struct walk *walk, int64_t end_us, int64_t start_us)
{
    return end_us < start_us || (end_us == start_us && !walk->touching);
}

static bool belongs(const struct walk *walk, const struct span *span, const struct fragment *fragment)
{
    return !is_before(walk, span->end_us, fragment->start_us) && !is_before(walk, fragment->end_us, span->start_us);
}

static void span_changed(const struct walk *walk, struct span *span)
{
    span->changed = walk->shard->merge;
    if (span->start_us < walk->timeline->changed_from_us)
        walk->timeline->changed_from_us = span->start_us;
}

static void keep_next(struct walk *walk)
{
    if (walk->out != walk->in)
        memcpy(walk_span(walk, walk->out), walk_span(walk, walk->in), span_bytes(walk->self));
    walk->out++;
    walk->in++;
}

static void drop_next(struct walk *walk)
{
    states_drop(walk->self, span_states(walk_span(walk, walk->in)), &walk->shard->heap);
    walk->shard->spans--;
    walk->in++;
}

static void span_grow(const struct walk *walk, struct span *span, int64_t start_us, int64_t end_us)
{
    span->start_us = start_us < span->start_us ? start_us : span->start_us;
    span->end_us = end_us > span->end_us ? end_us : span->end_us;
    span_changed(walk, span);
}

/* The fragment goes into the last span kept, and with it the next ones that it reaches. */
static void span_merge(struct walk *walk, const struct fragment *fragment)
{
    struct span *span = walk_span(walk, walk->out - 1);
    span_grow(walk, span, fragment->start_us, fragment->end_us);
    walk->overflown += states_merge(walk->self, span_states(span), fragment->states, &walk->shard->heap);
    if (walk->timeline->sum != NULL)
        window_sum_add(walk->self, walk->shard, walk->timeline->sum, fragment->start_us, fragment->states);
    while (walk->in < walk->end && !is_before(walk, span->end_us, walk_span(walk, walk->in)->start_us)) {
        struct span *next = walk_span(walk, walk->in);
        span_grow(walk, span, next->start_us, next->end_us);
        walk->overflown += states_merge(walk->self, span_states(span), span_states(next), &walk->shard->heap);
        drop_next(walk);
    }
}

static void gap_open(struct walk *walk, uint32_t count)
{
    walk->timeline->count = walk->end;
    reserve(walk->self, walk->shard, walk->timeline, count);
    if (walk->in < walk->end)
        memmove(walk_span(walk, walk->in + count), walk_span(walk, walk->in),
                (walk->end - walk->in) * span_bytes(walk->self));
    walk->in += count;
    walk->end += count;
}

static void span_place(struct walk *walk, const struct fragment *fragment, int64_t left)
{
    if (walk->out == walk->in)
        gap_open(walk, walk->in == walk->end ? 1 : (uint32_t)left);
    struct span *span = walk_span(walk, walk->out++);
    *span = (struct span){.start_us = fragment->start_us, .end_us = fragment->end_us};
    walk->shard->spans++;
    if (fragment->moved || walk->self->flat) {
        memcpy(span_states(span), fragment->states, walk->self->states_bytes);
    } else {
        states_init(walk->self, span_states(span));
        walk->overflown += states_merge(walk->self, span_states(span), fragment->states, &walk->shard->heap);
    }
    span_changed(walk, span);
    if (walk->timeline->sum != NULL)
        window_sum_add(walk->self, walk->shard, walk->timeline->sum, fragment->start_us, fragment->states);
}

static void walk_fragment(struct walk *walk, const struct fragment *fragment, int64_t left)
{
    while (walk->in < walk->end && is_before(walk, walk_span(walk, walk->in)->end_us, fragment->start_us))
        keep_next(walk);
    while (walk->replaces && walk->in < walk->end && belongs(walk, walk_span(walk, walk->in), fragment))
        drop_next(walk);
    bool last = !walk->replaces && walk->out > 0 && belongs(walk, walk_span(walk, walk->out - 1), fragment);
    if (!last && !walk->replaces && walk->in < walk->end && belongs(walk, walk_span(walk, walk->in), fragment)) {
        keep_next(walk);
        last = true;
    }
    if (last)
        span_merge(walk, fragment);
    else
        span_place(walk, fragment, left);
}

static void walk_all(struct walk *walk, const struct fragment *fragments, int64_t count)
{
    struct timeline *timeline = walk->timeline;
    walk->end = timeline->count;
    walk->in = walk->out = timeline_search(walk->self, timeline, fragments[0].start_us - walk->touching);
    for (int64_t i = 0; i < count; i++)
        walk_fragment(walk, &fragments[i], count - i);
    if (walk->out != walk->in && walk->in < walk->end)
        memmove(walk_span(walk, walk->out), walk_span(walk, walk->in), (walk->end - walk->in) * span_bytes(walk->self));
    timeline->count = walk->out + (walk->end - walk->in);
}

void timeline_fold(const struct aggregate_stage *self, struct timeline_shard *shard, struct timeline *timeline,
                   const struct fragment *fragments, int64_t count, int64_t *overflown)
{
    struct walk walk = {self, shard, timeline, .touching = span_rule_of(self)->touching};
    walk_all(&walk, fragments, count);
    *overflown += walk.overflown;
}

void timeline_replace(const struct aggregate_stage *self, struct timeline_shard *shard, struct timeline *timeline,
                      const struct fragment *fragments, int64_t count)
{
    struct walk walk = {self, shard, timeline, .touching = span_rule_of(self)->touching, .replaces = true};
    walk_all(&walk, fragments, count);
}

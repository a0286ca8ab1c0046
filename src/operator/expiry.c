#include "operator/expiry.h"

#include "base/hash.h"

struct bucket {
    uint32_t first; /* slot + 1; 0 = new */
    uint32_t unused;
};

void expiry_init(struct expiry *self, int64_t width_us, int64_t origin_us, struct budget *budget)
{
    *self =
        (struct expiry){.width_us = width_us, .origin_us = origin_us % width_us, .last_slot = (uint32_t)EXPIRY_NONE};
    self->buckets = state_new(&(struct state_spec){"window ends", sizeof(struct bucket), budget});
}

void expiry_close(struct expiry *self)
{
    state_free(self->buckets);
    mem_free(self->heap);
    *self = (struct expiry){0};
}

/* ---- heap of bucket numbers ---- */

static void heap_push(struct expiry *self, int64_t bucket)
{
    mem_grow(self->heap, self->heap_capacity, self->heap_count + 1);
    int64_t at = self->heap_count++;
    for (; at > 0 && self->heap[(at - 1) / 2] > bucket; at = (at - 1) / 2)
        self->heap[at] = self->heap[(at - 1) / 2];
    self->heap[at] = bucket;
}

static int64_t heap_pop(struct expiry *self)
{
    int64_t top = self->heap[0], last = self->heap[--self->heap_count], at = 0;
    for (int64_t child = 1; child < self->heap_count; child = 2 * at + 1) {
        if (child + 1 < self->heap_count && self->heap[child + 1] < self->heap[child])
            child++;
        if (self->heap[child] >= last)
            break;
        self->heap[at] = self->heap[child];
        at = child;
    }
    self->heap[at] = last;
    return top;
}

/* ---- buckets ---- */

static int64_t bucket_of(const struct expiry *self, int64_t end_us)
{
    // A quarter of the range away from its ends nothing overflows below; no real time is there.
    int64_t end = end_us > INT64_MAX / 2 ? INT64_MAX / 2 : end_us < INT64_MIN / 2 ? INT64_MIN / 2 : end_us;
    int64_t since = end - self->origin_us;
    return since / self->width_us - (since % self->width_us < 0);
}

static struct bucket *bucket_at(struct expiry *self, uint32_t slot)
{
    return (struct bucket *)(void *)(state_base(self->buckets) + slot * state_stride(self->buckets));
}

static enum code bucket_find(struct expiry *self, int64_t number, struct error *err)
{
    uint64_t hash = hash_bytes(&number, sizeof number);
    uint32_t slot, created;
    int64_t created_count = 0;
    const int32_t offsets[2] = {0, sizeof number};
    TRY(state_upsert(self->buckets, (const uint8_t *)&number, offsets, &hash, 1, &slot, &created, &created_count, err));
    if (created_count > 0)
        heap_push(self, number);
    self->last_bucket = number;
    self->last_slot = slot;
    return E_OK;
}

enum code expiry_add(struct expiry *self, int64_t end_us, uint32_t slot, uint32_t *link, struct error *err)
{
    int64_t number = bucket_of(self, end_us);
    if (self->last_slot == (uint32_t)EXPIRY_NONE || self->last_bucket != number)
        TRY(bucket_find(self, number, err));
    struct bucket *bucket = bucket_at(self, self->last_slot);
    *link = bucket->first - 1;
    bucket->first = slot + 1;
    return E_OK;
}

uint32_t expiry_peek(struct expiry *self, int64_t end_us)
{
    int64_t number = bucket_of(self, end_us);
    uint32_t slot = state_find(self->buckets, bytes_of(&number, sizeof number), hash_bytes(&number, sizeof number));
    return slot == UINT32_MAX ? (uint32_t)EXPIRY_NONE : bucket_at(self, slot)->first - 1;
}

int64_t expiry_first_us(const struct expiry *self)
{
    return self->heap_count == 0 ? INT64_MAX : self->heap[0] * self->width_us + self->origin_us;
}

bool expiry_take(struct expiry *self, int64_t now_us, uint32_t *first)
{
    if (self->heap_count == 0 || self->heap[0] > bucket_of(self, now_us))
        return false;
    int64_t number = heap_pop(self);
    uint32_t slot = state_find(self->buckets, bytes_of(&number, sizeof number), hash_bytes(&number, sizeof number));
    *first = bucket_at(self, slot)->first - 1;
    state_remove(self->buckets, slot);
    self->last_slot = (uint32_t)EXPIRY_NONE;
    return true;
}

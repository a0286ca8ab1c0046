#include "query/portion.h"

enum { TRY_MORE_AFTER = 16 }; /* portions that fitted: rows may have become smaller */
#define ROOM_BYTES_MAX ((size_t)32 << 20)
#define ROOM_BYTES_MIN ((size_t)64 << 10)

size_t room_of(const struct query *query)
{
    size_t limit = query->spec.budget->limit_bytes, part = limit / 8;
    if (limit == 0 || part > ROOM_BYTES_MAX)
        return ROOM_BYTES_MAX;
    return part < ROOM_BYTES_MIN ? ROOM_BYTES_MIN : part;
}

/* For one row: all that nobody else has. */
static size_t room_left(const struct query *query)
{
    const struct budget *budget = query->spec.budget;
    size_t used = atomic_load(&budget->used_bytes), least = room_of(query);
    if (budget->limit_bytes == 0)
        return 0;
    return budget->limit_bytes > used + least ? budget->limit_bytes - used : least;
}

/* *passed: the work has to be done again. */
static enum code portion_try(struct stage *stage, const struct batch *in, size_t room_bytes, portion_work *work,
                             struct batch *out, bool *passed, struct error *err)
{
    struct batch made = {0};
    room_watch(room_bytes);
    enum code code = work(stage, in, &made, err);
    *passed = room_unwatch();
    if (*passed) {
        batch_release(&made);
        rejects_clear(&stage->query->rejects);
        text_clear(&stage->query->note.text);
        error_clear(err);
        return E_OK;
    }
    if (code != E_OK)
        batch_release(&made);
    else
        *out = made;
    return code;
}

static enum code portion_do(struct stage *stage, const struct batch *in, portion_work *work, struct batch *out,
                            bool *passed, struct error *err)
{
    TRY(portion_try(stage, in, room_of(stage->query), work, out, passed, err));
    if (!*passed || in->rows > 1)
        return E_OK;
    TRY(portion_try(stage, in, room_left(stage->query), work, out, passed, err));
    return *passed ? fail(err, E_MEMORY, "what comes of one row does not fit") : E_OK;
}

enum code portions_next(struct portions *self, struct stage *stage, int32_t input, portion_work *work,
                        struct batch *out, struct error *err)
{
    if (self->at == self->whole.rows) {
        batch_release(&self->whole);
        self->at = 0;
        TRY(stage_pull(stage, input, &self->whole, err));
    }
    while (self->at < self->whole.rows) {
        int64_t left = self->whole.rows - self->at;
        int64_t rows = self->rows_max > 0 && self->rows_max < left ? self->rows_max : left;
        struct batch portion;
        bool passed = false;
        batch_slice(&portion, &self->whole, self->at, self->at + rows);
        enum code code = portion_do(stage, &portion, work, out, &passed, err);
        batch_release(&portion);
        if (!passed) {
            self->at += rows;
            if (++self->fitted % TRY_MORE_AFTER == 0)
                self->rows_max = self->rows_max < BATCH_ROWS_MAX ? self->rows_max * 2 : 0;
            return code;
        }
        TRY(code);
        self->rows_max = rows / 2;
    }
    return E_OK;
}

void portions_close(struct portions *self) { batch_release(&self->whole); }

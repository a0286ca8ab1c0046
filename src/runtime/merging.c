#include "runtime/merging.h"

#include <inttypes.h>

#include "base/log.h"
#include "base/os.h"

struct merging_output {
    int64_t not_before_us; /* after a failure */
    bool told;             /* of the failure */
};

static enum code slice_run(struct job *job, int32_t lane, struct error *err);

static void slice_discard(struct job *job)
{
    struct merging *self = (struct merging *)job;
    atomic_store(&self->busy, false);
}

void merging_init(struct merging *self, struct outputs *outputs, struct workers *workers)
{
    *self = (struct merging){
        .job = {slice_run, slice_discard},
        .outputs = outputs,
        .workers = workers,
        .count = outputs_count(outputs),
        .each = mem_array(struct merging_output, (size_t)outputs_count(outputs)),
        .more = true,
    };
}

void merging_close(struct merging *self)
{
    mem_free(self->each);
    *self = (struct merging){0};
}

static void failed(struct merging *self, int32_t i, const struct error *err)
{
    struct merging_output *each = &self->each[i];
    each->not_before_us = os->clock_mono_us() + MERGING_RETRY_US;
    if (!each->told)
        log_warn("table %s: its small files are not merged: %s", outputs_name(self->outputs, i), err->text);
    each->told = true;
}

/* One after the other, each as long as it has something to do. */
static void slice(struct merging *self)
{
    int64_t now_us = os->clock_mono_us(), until_us = now_us + MERGING_SLICE_US;
    for (int32_t idle = 0; idle < self->count && now_us < until_us; now_us = os->clock_mono_us()) {
        struct error err = {0};
        bool more = false;
        int32_t i = self->at;
        if (self->each[i].not_before_us <= now_us &&
            outputs_merge_work(self->outputs, i, &self->request, &more, &err) != E_OK)
            failed(self, i, &err);
        idle = more ? 0 : idle + 1;
        self->at = more ? i : (i + 1) % self->count;
        self->more = more || idle < self->count;
    }
}

static enum code slice_run(struct job *job, int32_t lane, struct error *err)
{
    struct merging *self = (struct merging *)job;
    (void)lane, (void)err;
    slice(self);
    atomic_store(&self->busy, false);
    return E_OK;
}

void merging_offer(struct merging *self, int64_t oldest)
{
    if (self->count == 0 || atomic_load(&self->busy) || !self->more)
        return;
    self->request.oldest_epoch = oldest;
    atomic_store(&self->busy, true);
    workers_submit(self->workers, &self->job);
}

void merging_commit(struct merging *self)
{
    for (int32_t i = 0; i < self->count; i++) {
        struct error err = {0};
        struct sink_merged merged = {0};
        if (outputs_merge_commit(self->outputs, i, &merged, &err) != E_OK)
            failed(self, i, &err);
        else if (merged.inputs > 0)
            log_debug("table %s: %" PRId64 " files of together %" PRId64 " bytes are now %" PRId64 " of %" PRId64,
                      outputs_name(self->outputs, i), merged.inputs, merged.bytes_before, merged.files, merged.bytes);
    }
    self->more = true;
}

void merging_finish(struct merging *self, int64_t oldest)
{
    self->request.oldest_epoch = oldest;
    for (self->more = true; self->more && !runtime_stopping();) {
        slice(self);
        bool more = self->more;
        merging_commit(self);
        self->more = more;
    }
}

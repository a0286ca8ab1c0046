#include "runtime/engine.h"

#include "base/log.h"
#include "base/os.h"

#include <inttypes.h>

enum {
    FETCH_WAIT_US = 100 * 1000,
    FIRST_WAIT_US = 200 * 1000,
    QUIET_US = 5 * 1000 * 1000,
    PROMPT_READ_US = 50 * 1000,   // longest reading of an epoch without files, when it has a backlog
    FILES_EVERY_US = 1000 * 1000, // an epoch without files that had some after all is followed by a longer one
    SIDE_WAIT_US = 1000,          // on one feed of several, before the next is looked at
};

/* ---- reading ---- */

struct push_job {
    struct job job;
    struct graph *graph;
    int32_t node;
    struct batch batch;
};

static void push_discard(struct job *job)
{
    struct push_job *self = (struct push_job *)job;
    batch_release(&self->batch);
    mem_free(self);
}

static enum code push_run(struct job *job, int32_t lane, struct error *err)
{
    struct push_job *self = (struct push_job *)job;
    enum code code = graph_push(self->graph, lane, self->node, &self->batch, err);
    push_discard(job);
    return code;
}

static int64_t batch_payload(const struct batch *batch)
{
    int64_t size = 0;
    for (int32_t i = 0; i < batch->column_count; i++)
        if (type_is_varlen(batch->columns[i].type) && batch->columns[i].rows > 0)
            size += column_offsets(&batch->columns[i])[batch->rows];
    return size;
}

static void submit(struct engine *self, const struct feed *feed, struct batch *batch)
{
    self->records += batch->rows;
    self->progress->records_total += batch->rows;
    int64_t payload = batch_payload(batch);
    self->bytes += payload;
    self->progress->bytes_total += payload;
    struct push_job *job = mem_new(struct push_job);
    job->job = (struct job){push_run, push_discard};
    job->graph = self->graph;
    job->node = feed->node;
    job->batch = batch_take(batch);
    workers_submit(self->workers, &job->job);
}

static bool feeds_done(const struct engine *self)
{
    for (int32_t i = 0; i < self->feed_count; i++)
        if (!self->feeds[i].done)
            return false;
    return true;
}

static void feeds_cut(struct engine *self)
{
    for (int32_t i = 0; i < self->feed_count; i++)
        feed_cut(&self->feeds[i]);
}

static size_t resident_bytes(const struct engine *self)
{
    return self->spill != NULL ? spill_resident_bytes(self->spill) : 0;
}

/* An epoch that wrote files after all (a quarantine, late rows) is followed by a longer one: bad input must not make a file
 * every few milliseconds. */
static bool is_prompt(const struct engine *self)
{
    return self->prompt && !self->catching_up && os->clock_mono_us() - self->files_us >= FILES_EVERY_US;
}

static int64_t staleness_us(const struct engine *self)
{
    int64_t most_us = !self->prompt || self->catching_up ? INT64_MAX
                      : is_prompt(self)                  ? PROMPT_READ_US
                                                         : FILES_EVERY_US;
    return self->settings.max_staleness_us < most_us ? self->settings.max_staleness_us : most_us;
}

/* An open epoch ends when a record would wait too long, when it is large enough, or when we are asked to stop. */
static bool time_to_cut(const struct engine *self, bool open)
{
    if (runtime_stopping() || pace_full(&self->pace, &self->budget, resident_bytes(self)))
        return true;
    if (!open)
        return false;
    int64_t most = self->settings.epoch_records_max;
    return os->clock_mono_us() - self->epoch_started_us >= staleness_us(self) || (most > 0 && self->records >= most);
}

/* One batch of each feed that still has some; meanwhile small files are merged. */
static enum code read_round(struct engine *self, int64_t wait_us, struct error *err)
{
    merging_offer(&self->merging, chain_oldest(self->chain));
    for (int32_t i = 0; i < self->feed_count; i++) {
        struct feed *feed = &self->feeds[i];
        if (feed->done)
            continue;
        struct batch batch = {0};
        TRY(feed_fetch(feed, wait_us, &batch, err));
        if (batch.rows > 0) {
            submit(self, feed, &batch);
            self->quiet_since_us = 0;
        }
        batch_release(&batch);
    }
    return E_OK;
}

/* The first feed that has not delivered what a broker promised. */
static const struct feed *feed_behind(const struct engine *self)
{
    for (int32_t i = 0; i < self->feed_count; i++)
        if (!self->feeds[i].done && feed_dependency(&self->feeds[i]) != NULL)
            return &self->feeds[i];
    return NULL;
}

/* A broker that went away in mid-epoch: what it delivered is committed, then it is asked anew. Nothing at all for so long is a
 * failure. */
static enum code quiet_check(struct engine *self, struct error *err)
{
    int64_t now_us = os->clock_mono_us();
    if (self->quiet_since_us == 0)
        self->quiet_since_us = now_us;
    const struct feed *feed = feed_behind(self);
    if (feed == NULL || now_us - self->quiet_since_us < QUIET_US)
        return E_OK;
    const char *who = feed_dependency(feed);
    if (self->records == 0) {
        fail(err, E_BROKER, "source %s: no record came for %d s, although %s promised some", feed->source->name,
             QUIET_US / 1000000, who);
        return error_about(err, "%s", who);
    }
    log_warn("source %s: no more records came for %d s, although %s promised some; the epoch ends where it stands",
             feed->source->name, QUIET_US / 1000000, who);
    feeds_cut(self);
    return E_OK;
}

static enum code read_all(struct engine *self, bool open, struct error *err)
{
    report_phase(self, "reading");
    self->quiet_since_us = 0;
    while (!feeds_done(self) && !workers_failed(self->workers)) {
        int64_t before = self->records;
        bool prompt = open && is_prompt(self);
        if (time_to_cut(self, open))
            feeds_cut(self);
        else
            TRY(read_round(self, prompt ? 0 : FETCH_WAIT_US, err));
        if (prompt && self->records == before) // all that was there is in
            feeds_cut(self);
        if (!open) // else nothing was promised
            TRY(quiet_check(self, err));
        report_status(self, false);
    }
    return E_OK;
}

/* ---- the watermark ---- */

static void watermarks_look(struct engine *self)
{
    int64_t *seen_us = mem_array(int64_t, (size_t)self->watermarks.node_count);
    graph_seen(self->graph, seen_us);
    watermarks_advance(&self->watermarks, seen_us);
    mem_free(seen_us);
}

bool engine_needs_empty_epoch(const struct engine *self)
{
    return self->accepted || (self->epoch > 0 && watermarks_moved(&self->watermarks));
}

/* ---- one epoch ---- */

/* The place of a record's range in the commit record is its slot. */
static int32_t slots_assign(struct engine *self)
{
    int32_t count = 0;
    for (int32_t i = 0; i < self->feed_count; i++) {
        self->feeds[i].first_slot = count;
        count += self->feeds[i].ranges.count;
    }
    return count + replay_begin(&self->replay, count);
}

static void epoch_begin(struct engine *self)
{
    int64_t now_us = os->clock_wall_us();
    self->batch_time_us = now_us > self->batch_time_us ? now_us : self->batch_time_us + 1;
    self->epoch_started_us = os->clock_mono_us();
    self->records = self->bytes = 0;
    if (self->spill != NULL && self->budget.limit_bytes > 0)
        pace_begin(&self->pace, &self->budget, resident_bytes(self));
    watermarks_times(&self->watermarks, self->epoch, self->times);
    graph_begin(self->graph, self->times, self->batch_time_us, slots_assign(self));
    outputs_begin(self->outputs, self->epoch, self->batch_time_us);
}

/* What the epoch wrote, and so about what the next one will. */
static void disks_account(struct engine *self)
{
    for (int32_t i = 0; i < outputs_count(self->outputs); i++)
        if (outputs_path(self->outputs, i) != NULL)
            disks_wrote(&self->progress->disks, outputs_path(self->outputs, i), outputs_totals(self->outputs, i).bytes);
    disks_committed(&self->progress->disks);
}

static enum code epoch_work(struct engine *self, bool open, struct error *err)
{
    TRY(disks_room(&self->progress->disks, err));
    enum code code = read_all(self, open, err);
    struct error later = {0};
    enum code drained = workers_drain(self->workers, &later);
    if (code == E_OK && drained != E_OK) {
        *err = later;
        code = drained;
    }
    TRY(code);
    pace_learn(&self->pace, &self->budget, resident_bytes(self), self->records);
    TRY(epoch_merge(self, err));
    watermarks_look(self);
    graph_counts(self->graph, self->counts);
    TRY(epoch_commit(self, err));
    drift_collect(&self->drift, self->pipeline, self->graph, self->store);
    report_future(self);
    disks_account(self);
    self->accepted = false;
    return E_OK;
}

/* Rows out of a quarantine come first: then all lanes are quiet. */
static enum code replay_work(struct engine *self, struct error *err)
{
    TRY(replay_take(&self->replay, err));
    self->records += self->replay.rows;
    self->progress->records_total += self->replay.rows;
    return E_OK;
}

/* An open epoch waits for its first records, so that an idle pipeline commits nothing. */
static enum code wait_for_first(struct engine *self, struct error *err)
{
    int64_t until_us = os->clock_mono_us() + FIRST_WAIT_US;
    while (self->records == 0 && !runtime_stopping() && os->clock_mono_us() < until_us) {
        if (feeds_done(self)) // folders without new files: only discover finds more
            os->sleep_us(FIRST_WAIT_US / 4);
        TRY(read_round(self, self->prompt && self->feed_count > 1 ? SIDE_WAIT_US : FIRST_WAIT_US / 4, err));
    }
    self->epoch_started_us = os->clock_mono_us();
    return E_OK;
}

/* What was read for an epoch that was not committed is read again, and must not count twice. */
static void records_forget(struct engine *self)
{
    struct progress *progress = self->progress;
    if (chain_head(self->chain) >= self->epoch)
        return;
    progress->records_total -= self->records;
    progress->bytes_total -= self->bytes;
    progress->rate_records = progress->records_total;
}

/* ---- how much an epoch takes ---- */

/* Most records of an epoch, over all feeds; 0 = no limit. */
static int64_t records_most(const struct engine *self)
{
    int64_t most = self->settings.epoch_records_max, fit = pace_records(&self->pace);
    return most > 0 && (fit == 0 || most < fit) ? most : fit;
}

/* More is waiting than one epoch takes: its end is planned, or the partition that comes first would run ahead of the others. */
static bool is_behind(const struct engine *self)
{
    int64_t most = records_most(self), waiting = 0;
    for (int32_t i = 0; i < self->feed_count; i++)
        waiting += feed_bounded(&self->feeds[i]) ? 0 : feed_lag(&self->feeds[i]);
    return most > 0 && waiting > most;
}

/* Returns the number of offsets in the epoch. */
static int64_t feeds_plan(struct engine *self, bool open)
{
    int64_t planned = 0, narrowed = 0, records = 0, fit = pace_records(&self->pace);
    for (int32_t i = 0; i < self->feed_count; i++) {
        int64_t offsets = feed_plan(&self->feeds[i], open);
        planned += offsets;
        records += feed_bounded(&self->feeds[i]) ? 0 : offsets;
    }
    self->shortened = fit > 0 && records > fit;
    if (!self->shortened)
        return planned;
    for (int32_t i = 0; i < self->feed_count; i++)
        narrowed += feed_narrow(&self->feeds[i], (double)fit / (double)records);
    return narrowed;
}

/* No record is there: what was merged takes its place now. */
static enum code epoch_idle(struct engine *self, struct error *err)
{
    TRY(workers_drain(self->workers, err));
    merging_commit(&self->merging);
    return E_OK;
}

enum code epoch_run(struct engine *self, bool open, bool *ran, struct error *err)
{
    *ran = false;
    epoch_begin(self);
    self->catching_up = open && is_behind(self);
    int64_t planned = feeds_plan(self, open && !self->catching_up);
    enum code code = epoch_transaction_begin(&self->transaction, err);
    if (code == E_OK)
        code = relations_refresh(&self->relations, self->graph, err);
    if (code == E_OK)
        code = replay_work(self, err);
    planned += self->replay.rows;
    if (code == E_OK && open) {
        code = wait_for_first(self, err);
        planned = self->records;
        if (planned == 0)
            feeds_cut(self);
    }
    if (code == E_OK && planned == 0 && !self->relations.renewed && !engine_needs_empty_epoch(self))
        return epoch_idle(self, err);
    if (code == E_OK)
        code = epoch_work(self, open && planned > 0, err);
    if (code != E_OK) {
        struct error later = {0};
        if (workers_drain(self->workers, &later) != E_OK)
            log_debug("and then: %s", later.text);
        epoch_transaction_abort(&self->transaction);
        records_forget(self);
        self->progress->dropped = runtime_stopping();
        return error_note(err, "epoch %" PRId64, self->epoch);
    }
    *ran = true;
    return E_OK;
}

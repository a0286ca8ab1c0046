#include "runtime/engine.h"

#include <inttypes.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/log.h"
#include "base/os.h"
#include "runtime/trouble.h"

enum { STATUS_EVERY_US = 100 * 1000, RATE_OVER_US = 1000 * 1000, PROC_STATUS_MAX = 16 * 1024 };

static int64_t rss_now(void)
{
    struct text statm = {0};
    struct error err = {0};
    int64_t pages = 0;
    if (os_read_file("/proc/self/statm", 256, &statm, &err) == E_OK) {
        char *end = NULL;
        strtoll(statm.data, &end, 10);
        pages = strtoll(end, NULL, 10);
    }
    text_free(&statm);
    return pages * sysconf(_SC_PAGESIZE);
}

/* Of this program alone: getrusage() begins with what the process was before it became leat. */
static int64_t rss_peak(void)
{
    struct text status = {0};
    struct error err = {0};
    const char *line = NULL;
    if (os_read_file("/proc/self/status", PROC_STATUS_MAX, &status, &err) == E_OK)
        line = strstr(status.data, "\nVmHWM:");
    int64_t peak_kib = line == NULL ? 0 : strtoll(line + sizeof "\nVmHWM:" - 1, NULL, 10);
    text_free(&status);
    return peak_kib * 1024;
}

static int64_t process_cpu_us(void)
{
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    return (int64_t)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1000000 + usage.ru_utime.tv_usec +
           usage.ru_stime.tv_usec;
}

struct cpu_split engine_cpu(const struct engine *self)
{
    int64_t spent[CPU_BUCKETS] = {0};
    graph_cpu(self->graph, spent);
    for (int b = 0; b < CPU_BUCKETS; b++)
        spent[b] += self->meter.spent_us[b];
    const struct cpu_split *before = &self->progress->cpu_before;
    struct cpu_split split = {
        .fetch = before->fetch + spent[CPU_FETCH],
        .decode = before->decode + spent[CPU_DECODE],
        .expressions = before->expressions + spent[CPU_EXPRESSIONS],
        .aggregate = before->aggregate + spent[CPU_AGGREGATE],
        .encode = before->encode + spent[CPU_ENCODE],
        .commit = before->commit + spent[CPU_COMMIT],
    };
    // What no thread of ours accounts for was spent by the client library's threads.
    split.client = process_cpu_us() - split.fetch - split.decode - split.expressions - split.aggregate - split.encode -
                   split.commit;
    return split;
}

static int64_t lag(const struct engine *self)
{
    int64_t sum = 0;
    for (int32_t i = 0; i < self->feed_count; i++) {
        int64_t behind = feed_lag(&self->feeds[i]);
        if (behind < 0)
            return -1;
        sum += behind;
    }
    return sum;
}

static void rate_update(struct progress *progress, int64_t now_us)
{
    int64_t passed_us = now_us - progress->rate_us;
    if (passed_us < RATE_OVER_US)
        return;
    progress->records_per_second = (double)(progress->records_total - progress->rate_records) * 1e6 / (double)passed_us;
    progress->rate_us = now_us;
    progress->rate_records = progress->records_total;
}

static void status_fill(const struct engine *self, struct run_status *status)
{
    const struct progress *progress = self->progress;
    status->epoch = self->epoch;
    status->records_epoch = self->records;
    status->lag_records = self->feed_count > 0 ? lag(self) : -1;
    status->watermark_us = watermarks_smallest(&self->watermarks);
    status->quarantined_total = progress->quarantined_total;
    status->files_total = status->late_total = status->duplicates_total = 0;
    for (int32_t i = 0; i < progress->table_count; i++) {
        status->files_total += progress->tables[i].files_total;
        status->late_total += progress->tables[i].total.late;
        status->duplicates_total += progress->tables[i].total.duplicates;
    }
}

void progress_status(struct progress *progress, struct engine *engine, bool now)
{
    const struct run_observer *observer = progress->options != NULL ? progress->options->observer : NULL;
    int64_t now_us = os->clock_mono_us();
    rate_update(progress, now_us);
    if (observer == NULL || observer->status == NULL || (!now && now_us - progress->status_us < STATUS_EVERY_US))
        return;
    progress->status_us = now_us;
    struct run_status *status = &progress->status;
    struct run_trouble troubles[RUN_TROUBLES_MAX];
    if (engine != NULL)
        status_fill(engine, status);
    status->records_total = progress->records_total;
    status->bytes_total = progress->bytes_total;
    status->records_per_second = progress->records_per_second;
    status->groups = progress->groups;
    status->state_bytes = progress->state_bytes;
    status->rss_bytes = rss_now();
    status->elapsed_us = now_us - progress->started_us;
    status->phase = progress->phase;
    trouble_list(progress, now_us, troubles, &status->trouble_count);
    status->troubles = troubles;
    observer->status(observer->context, status);
    status->troubles = NULL;
}

void progress_phase(struct progress *progress, struct engine *engine, const char *phase)
{
    progress->phase = phase;
    progress_status(progress, engine, true);
}

void report_status(struct engine *self, bool now) { progress_status(self->progress, self, now); }

void report_phase(struct engine *self, const char *phase) { progress_phase(self->progress, self, phase); }

static void table_report(const struct engine *self, int32_t i, struct table_commit *out)
{
    const struct table_progress *table = &self->progress->tables[i];
    struct sink_totals totals = outputs_totals(self->outputs, i);
    *out = (struct table_commit){
        .name = outputs_name(self->outputs, i),
        .table = i < self->pipeline->table_count ? self->pipeline->tables[i] : NULL,
        .path = outputs_path(self->outputs, i),
        .windowed = table->map.windowed,
        .epoch = table->epoch,
        .total = table->total,
        .files = totals.files,
        .bytes = totals.bytes,
        .files_total = table->files_total,
        .bytes_total = table->bytes_total,
        .preview = outputs_preview(self->outputs, i),
    };
}

static void state_report(const struct engine *self, int32_t i, struct state_report *out)
{
    const struct stateful *stage = graph_stateful(self->graph, i);
    *out = (struct state_report){
        .name = graph_stateful_name(self->graph, i),
        .entries = stateful_entries(stage),
        .bytes = (int64_t)stateful_bytes(stage),
        .watermark_us = graph_stateful_time(self->graph, i)->emit_us,
    };
}

void report_commit(struct engine *self)
{
    const struct run_observer *observer = self->options->observer;
    self->progress->groups = graph_groups(self->graph) + (self->spill != NULL ? spill_totals(self->spill).entries : 0);
    self->progress->state_bytes = (int64_t)graph_state_bytes(self->graph);
    if (observer == NULL || observer->commit == NULL)
        return;
    int32_t count = self->progress->table_count;
    struct table_commit *tables = mem_array(struct table_commit, (size_t)count);
    for (int32_t i = 0; i < count; i++)
        table_report(self, i, &tables[i]);
    int32_t state_count = graph_stateful_count(self->graph);
    struct state_report *states = mem_array(struct state_report, (size_t)state_count);
    for (int32_t i = 0; i < state_count; i++)
        state_report(self, i, &states[i]);
    cpu_meter_stop(&self->meter);
    const struct commit_report report = {
        .epoch = self->epoch,
        .records = self->records,
        .bytes = self->bytes,
        .duration_us = os->clock_mono_us() - self->epoch_started_us,
        .batch_time_us = self->batch_time_us,
        .watermark_us = watermarks_smallest_next(&self->watermarks),
        .lag_records = lag(self),
        .groups = self->progress->groups,
        .state_bytes = self->progress->state_bytes,
        .tables = tables,
        .table_count = count,
        .states = states,
        .state_count = state_count,
        .cpu = engine_cpu(self),
        .rss_bytes = rss_now(),
        .rss_peak_bytes = rss_peak(),
        .records_total = self->progress->records_total,
        .drift_fields = self->drift.count,
        .drift_values = drift_values(&self->drift),
    };
    observer->commit(observer->context, &report);
    mem_free(tables);
    mem_free(states);
}

void report_future(struct engine *self)
{
    int64_t rows = 0;
    const struct plan *first = NULL;
    for (int32_t i = 0; i < self->pipeline->node_count; i++) {
        const struct plan *plan = self->pipeline->nodes[i];
        if (plan->kind != PLAN_WATERMARK || self->counts[plan->id].rejected == 0)
            continue;
        first = first == NULL ? plan : first;
        rows += self->counts[plan->id].rejected;
    }
    if (rows == 0 || self->progress->told_future)
        return;
    self->progress->told_future = true;
    log_warn(
        "%s:%d:%d: [FUTURE_EVENT_TIME] event times more than leat.watermark.max_future ahead of their records: %" PRId64
        " row%s so far, in the quarantine; docs/semantics.md, The far future. Told once in a run",
        first->at.file != NULL ? first->at.file : "", first->at.line, first->at.column, rows, rows == 1 ? "" : "s");
}

/* audit.c - look at everything a checkpoint promises, and say what is not as promised.
 *
 * A leat at work trims the chain meanwhile. Findings of a chain that has moved are looked for once more, from the start: what
 * is wrong stays wrong.
 */
#include "runtime/audit.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

enum { ATTEMPTS = 4, RECORDS_MAX = 1000000, DETAIL_BYTES = 1024 };

/* ---- findings ---- */

void audit_find(struct audit *self, bool note, const char *kind, int64_t epoch, const char *subject, const char *path,
                const char *format, ...)
{
    struct audit_finding_list *list = note ? &self->notes : &self->findings;
    if (list->count == AUDIT_FINDINGS_MAX) {
        self->left_out++;
        return;
    }
    char detail[DETAIL_BYTES];
    va_list args;
    va_start(args, format);
    vsnprintf(detail, sizeof detail, format, args);
    va_end(args);
    mem_grow(list->items, list->capacity, list->count + 1);
    list->items[list->count++] = (struct audit_finding){
        .kind = kind,
        .note = note,
        .epoch = epoch,
        .subject = arena_strdup(self->arena, subject),
        .path = arena_strdup(self->arena, path),
        .detail = arena_strdup(self->arena, detail),
    };
}

/* ---- the records ---- */

const struct chain_record *audit_record(const struct audit *self, int64_t epoch)
{
    int64_t place = epoch - self->first;
    bool there = place >= 0 && place < self->record_count && self->records[place].epoch == epoch;
    return there ? &self->records[place] : NULL;
}

static bool was_trimmed(const struct audit *self, int64_t epoch)
{
    struct error ignored = {0};
    struct chain *now;
    if (chain_inspect(self->store, "0", &now, &ignored) != E_OK)
        return false;
    bool gone = chain_oldest(now) > epoch;
    chain_close(now);
    return gone;
}

static void record_read(struct audit *self, int64_t epoch)
{
    struct chain_record *record = &self->records[epoch - self->first];
    struct error why = {0};
    char path[64];
    enum code code = chain_read(self->chain, epoch, self->arena, record, &why);
    if (code == E_OK)
        return;
    *record = (struct chain_record){.epoch = -1};
    snprintf(path, sizeof path, "chain/0/%016" PRId64 ".json", epoch);
    if (code == E_ABSENT && !was_trimmed(self, epoch))
        audit_find(self, false, "record_missing", epoch, "", path,
                   "epoch %" PRId64
                   " has no commit record, although later ones have: which records it took in, and which "
                   "files are its, nobody can say",
                   epoch);
    else if (code != E_ABSENT)
        audit_find(self, false, "record_damaged", epoch, "", path, "%s", why.text);
}

static enum code records_read(struct audit *self, struct error *err)
{
    TRY(chain_inspect(self->store, "0", &self->chain, err));
    int64_t oldest = chain_oldest(self->chain), head = chain_head(self->chain);
    self->report->oldest = oldest;
    self->report->head = head;
    if (head < 0)
        return E_OK;
    if (head - oldest >= RECORDS_MAX)
        return fail(err, E_UNSUPPORTED, "%s has records of %" PRId64 " epochs; at most %d are audited",
                    store_root(self->store), head - oldest + 1, RECORDS_MAX);
    self->first = oldest;
    self->record_count = (int32_t)(head - oldest + 1);
    self->records = arena_array(self->arena, struct chain_record, (size_t)self->record_count);
    for (int64_t epoch = oldest; epoch <= head; epoch++)
        record_read(self, epoch);
    const struct chain_record *last = audit_record(self, head);
    self->report->batch_time_us = last != NULL ? last->batch_time_us : 0;
    return E_OK;
}

/* ---- one attempt ---- */

static enum code look(struct audit *self, struct error *err)
{
    TRY(audit_folders_list(self, err));
    self->report->holder = store_holder(self->store, "lock");
    TRY(store_list(self->store, "", true, &self->leftovers, err));
    TRY(records_read(self, err));
    self->report->pipeline = arena_strdup(self->arena, chain_pipeline(self->chain));
    self->report->query_id = arena_strdup(self->arena, chain_query_id(self->chain));
    audit_chain(self);
    audit_files(self);
    audit_states(self);
    audit_waiting(self);
    audit_broker(self);
    return E_OK;
}

/* Findings first, notes behind them. */
static void findings_give(struct audit *self)
{
    struct audit_report *report = self->report;
    size_t count = (size_t)(self->findings.count + self->notes.count);
    struct audit_finding *all = arena_array(self->arena, struct audit_finding, count);
    for (int32_t i = 0; i < self->findings.count; i++)
        all[report->finding_count++] = self->findings.items[i];
    for (int32_t i = 0; i < self->notes.count; i++)
        all[report->finding_count++] = self->notes.items[i];
    report->note_count = self->notes.count;
    report->findings = all;
    report->findings_left_out = self->left_out;
}

static bool has_moved(const struct audit *self)
{
    struct error ignored = {0};
    struct chain *now;
    if (chain_inspect(self->store, "0", &now, &ignored) != E_OK)
        return false;
    bool moved = chain_oldest(now) != self->report->oldest || chain_head(now) != self->report->head;
    chain_close(now);
    return moved;
}

static enum code attempt(const struct pipeline *pipeline, const struct audit_request *request, struct arena *arena,
                         struct audit_report *out, bool *again, struct error *err)
{
    struct audit self = {.pipeline = pipeline, .request = request, .arena = arena, .report = out};
    *out = (struct audit_report){.oldest = -1, .head = -1};
    enum code code = settings_read(arena, pipeline, &self.settings, err);
    if (code == E_OK)
        code = store_look(self.settings.checkpoint, &self.store, err);
    if (code == E_OK) {
        out->checkpoint = arena_strdup(arena, store_root(self.store));
        code = look(&self, err);
    }
    if (code == E_OK)
        findings_give(&self);
    *again = code == E_OK && self.findings.count > 0 && has_moved(&self);
    audit_folders_close(&self);
    store_list_free(&self.leftovers);
    chain_close(self.chain);
    store_close(self.store);
    mem_free(self.findings.items);
    mem_free(self.notes.items);
    return code;
}

enum code pipeline_audit(const struct pipeline *pipeline, const struct audit_request *request, struct arena *arena,
                         struct audit_report *out, struct error *err)
{
    bool again = true;
    enum code code = E_OK;
    for (int i = 0; again && i < ATTEMPTS; i++)
        code = attempt(pipeline, request, arena, out, &again, err);
    return code;
}

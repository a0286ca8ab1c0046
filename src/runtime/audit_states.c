/* audit_states.c - what recovery would load is there as it was written; and what a crash left behind in the checkpoint. */
#include "runtime/audit.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- what recovery needs ---- */

static const struct chain_state *same_state(const struct chain_record *record, const struct chain_state *state)
{
    for (int32_t i = 0; record != NULL && i < record->state_count; i++) {
        const struct chain_state *other = &record->states[i];
        bool known = other->identity != 0 && state->identity != 0;
        if (known ? other->identity == state->identity : other->node == state->node)
            return other;
    }
    return NULL;
}

/* The oldest epoch of which recovery needs a file: going back from the head, that by which each shard was written whole. */
static int64_t needed_from(const struct audit *self, const struct chain_state *state)
{
    int32_t shards = state->shards > 0 ? state->shards : 1, wholes = 0;
    bool *whole = mem_array(bool, (size_t)shards);
    int64_t epoch = self->report->head;
    for (; epoch >= self->first; epoch--) {
        const struct chain_state *one = same_state(audit_record(self, epoch), state);
        if (one == NULL || (one->shards > 0 ? one->shards : 1) != shards)
            break;
        for (int32_t s = one->whole_from; s < one->whole_to && s < shards; s++) {
            wholes += !whole[s];
            whole[s] = true;
        }
        if (wholes == shards)
            break;
    }
    mem_free(whole);
    return epoch > self->first ? epoch : self->first;
}

/* ---- one file ---- */

static bool record_stays(const struct audit *self, int64_t epoch)
{
    char path[64];
    int64_t size_bytes;
    struct error ignored = {0};
    snprintf(path, sizeof path, "chain/0/%016" PRId64 ".json", epoch);
    return store_size(self->store, path, &size_bytes, &ignored) == E_OK;
}

/* Trimming removes a record's states before the record, the oldest first: there it may have been interrupted. */
static void state_absent(struct audit *self, int64_t epoch, const struct chain_state *state, bool needed)
{
    if (!record_stays(self, epoch) || (!needed && epoch == self->first))
        return;
    audit_find(self, false, "state_missing", epoch, state->name, state->path,
               needed ? "recovery needs this file" : "recovery would need this file if a newer one were damaged");
}

static void state_check(struct audit *self, int64_t epoch, const struct chain_state *state, bool needed)
{
    int64_t size_bytes = 0;
    uint64_t checksum = state->checksum;
    struct error why = {0};
    enum code code = store_size(self->store, state->path, &size_bytes, &why);
    if (code == E_OK && size_bytes == state->size_bytes && !self->request->names_only)
        code = store_checksum(self->store, state->path, &checksum, &why);
    if (code == E_ABSENT)
        state_absent(self, epoch, state, needed);
    else if (code != E_OK)
        audit_find(self, false, "state_damaged", epoch, state->name, state->path, "%s", why.text);
    else if (size_bytes != state->size_bytes)
        audit_find(self, false, "state_damaged", epoch, state->name, state->path,
                   "it has %" PRId64 " bytes, the record says %" PRId64, size_bytes, state->size_bytes);
    else if (checksum != state->checksum)
        audit_find(self, false, "state_damaged", epoch, state->name, state->path,
                   "its bytes are not those that were written: checksum %016" PRIx64 ", the record says %016" PRIx64,
                   checksum, state->checksum);
}

static void state_follow(struct audit *self, const struct chain_state *state, struct audit_state *out)
{
    int64_t from = needed_from(self, state);
    *out = (struct audit_state){.name = state->name};
    for (int64_t epoch = self->first; epoch <= self->report->head; epoch++) {
        const struct chain_state *one = same_state(audit_record(self, epoch), state);
        if (one == NULL || one->path[0] == '\0')
            continue;
        state_check(self, epoch, one, epoch >= from);
        out->files += epoch >= from;
        out->bytes += epoch >= from ? one->size_bytes : 0;
    }
}

/* ---- leftovers ---- */

static int by_text(const void *a, const void *b) { return strcmp(*(char *const *)a, *(char *const *)b); }

/* All state files that records name, sorted. */
static const char **named_states(const struct audit *self, size_t *count)
{
    size_t most = 0;
    for (int32_t i = 0; i < self->record_count; i++)
        most += (size_t)self->records[i].state_count;
    const char **names = arena_array(self->arena, const char *, most + 1);
    *count = 0;
    for (int32_t i = 0; i < self->record_count; i++)
        for (int32_t s = 0; s < self->records[i].state_count; s++)
            names[(*count)++] = self->records[i].states[s].path;
    qsort(names, *count, sizeof *names, by_text);
    return names;
}

static void leftover_note(struct audit *self, const char *what, const char *folder, int64_t files)
{
    if (files > 0)
        audit_find(self, true, "leftovers", -1, "", folder,
                   "%" PRId64 " %s%s that no record names: the next start of leat sees to %s", files, what,
                   files == 1 ? "" : "s", files == 1 ? "it" : "them");
}

/* While a leat is at work such files are its own. */
static void leftovers_note(struct audit *self)
{
    size_t named_count;
    const char **named = named_states(self, &named_count);
    int64_t states = 0, records = 0, spilled = 0;
    for (int32_t i = 0; !audit_at_work(self) && i < self->leftovers.count; i++) {
        const char *path = self->leftovers.entries[i].path;
        size_t size = strlen(path);
        if (strncmp(path, "state/", 6) == 0)
            states += bsearch(&path, named, named_count, sizeof *named, by_text) == NULL;
        else if (strncmp(path, "chain/", 6) == 0)
            records += size > 7 && strcmp(path + size - 7, ".staged") == 0;
        else if (strncmp(path, "spill/", 6) == 0)
            spilled++;
    }
    leftover_note(self, "state file", "state", states);
    leftover_note(self, "staged record", "chain", records);
    leftover_note(self, "spilled shard", "spill", spilled);
}

void audit_states(struct audit *self)
{
    const struct chain_record *head = audit_record(self, self->report->head);
    int32_t count = head != NULL ? head->state_count : 0;
    struct audit_state *states = arena_array(self->arena, struct audit_state, (size_t)count);
    for (int32_t i = 0; i < count; i++)
        state_follow(self, &head->states[i], &states[i]);
    self->report->states = states;
    self->report->state_count = count;
    leftovers_note(self);
}

/* audit_waiting.c - what lies in the checkpoint for the next start or the next epoch to take: staged records, and requests for a
 * replay. One that is damaged stops a start that may be far away; so it is read now.
 *
 *   staged record of the epoch after the head   must be readable: the broker may have committed it
 *   request the chain has taken                 must be there and readable: it is the memory of what came back
 *   request that waits                          the same; those behind one that is missing are never taken
 */
#include "runtime/audit.h"
#include "runtime/replay_request.h"

#include <inttypes.h>

/* ---- staged records ---- */

static void staged_check(struct audit *self)
{
    struct chain_staged *staged;
    int32_t count = 0;
    struct error why = {0};
    if (chain_staged(self->chain, self->arena, &staged, &count, &why) != E_OK) {
        audit_find(self, false, "staged_damaged", -1, "", "chain", "%s", why.text);
        return;
    }
    for (int32_t i = 0; i < count; i++) {
        struct chain_record record;
        struct error bad = {0};
        if (staged[i].epoch != self->report->head + 1)
            continue; // decided: the next start removes it
        enum code code = chain_staged_read(self->chain, &staged[i], self->arena, &record, &bad);
        if (code != E_OK && code != E_ABSENT)
            audit_find(self, false, "staged_damaged", staged[i].epoch, "", staged[i].path,
                       "the broker may have committed this epoch, and its record cannot be read: %s", bad.text);
    }
}

/* ---- requests for a replay ---- */

/* Requests below are in the chain. */
static int64_t requests_taken(const struct audit *self)
{
    const struct chain_record *head = audit_record(self, self->report->head);
    int64_t taken = 0;
    for (int32_t i = 0; head != NULL && i < head->range_count; i++)
        if (strcmp(head->ranges[i].source, REPLAY_SOURCE) == 0)
            taken = head->ranges[i].to;
    return taken;
}

static void request_missing(struct audit *self, const char *path, bool taken)
{
    audit_find(self, false, "request_missing", -1, "", path,
               taken ? "it was taken, and is the memory of which rows came back: without it nobody may ask for a "
                       "replay. Put it back"
                     : "later requests for a replay wait for it, and are not taken. Put it back");
}

static void request_read(struct audit *self, int64_t number, const char *path)
{
    struct arena arena = {0};
    struct budget budget = {0};
    struct batch rows = {0};
    struct error why = {0};
    enum code code = replay_read(self->store, number, replay_schema(&arena), &budget, &rows, &why);
    if (code != E_OK)
        audit_find(self, false, "request_damaged", -1, "", path, "a request for a replay cannot be read: %s", why.text);
    batch_release(&rows);
    arena_free(&arena);
}

static void requests_check(struct audit *self)
{
    struct error why = {0};
    int64_t taken = requests_taken(self), end = 0;
    if (replay_end(self->store, &end, &why) != E_OK) {
        audit_find(self, false, "request_damaged", -1, "", "replay", "%s", why.text);
        return;
    }
    end = end > taken ? end : taken;
    for (int64_t number = 0; number < end; number++) {
        char path[REPLAY_PATH_MAX];
        replay_path(number, path);
        if (!replay_exists(self->store, number))
            request_missing(self, path, number < taken);
        else if (!self->request->names_only)
            request_read(self, number, path);
    }
}

void audit_waiting(struct audit *self)
{
    staged_check(self);
    requests_check(self);
}

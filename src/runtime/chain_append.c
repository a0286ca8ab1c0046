/* chain_append.c - extend the chain by one record, at once or from one that was staged.
 *
 *   put_new answers       then
 *   E_OK                  won
 *   E_EXISTS              the record is read: our nonce, won (an earlier answer was lost); another's, E_FENCED
 *   anything else         unknown: the same, and when no record is there, the same bytes are put again, APPEND_TRIES times
 *                         in all; then the error goes up, and recovery reads what is true
 *
 * Staged    a record's bytes under a name that is no record's, durable before a Kafka transaction that decides about them is
 *           committed (sink/transaction.h). Then it only changes its name, and no sync waits for that: when power fails and
 *           the old name comes back, the broker still says that it is a record. The next staging syncs the folder
 */
#include "runtime/chain_parts.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/fault.h"
#include "base/log.h"
#include "base/os.h"

enum { APPEND_TRIES = 4, RETRY_WAIT_US = 20000 };

enum code chain_sync(struct chain *self, struct error *err)
{
    char folder[CHAIN_PATH_BYTES];
    snprintf(folder, sizeof folder, "chain/%s", self->task);
    return store_sync(self->store, folder, err);
}

/* What is in the chain at `epoch`: E_OK the record with that nonce, E_FENCED another's, E_ABSENT nothing. */
static enum code who_won(struct chain *self, int64_t epoch, uint64_t nonce, struct error *err)
{
    struct arena scratch = {0};
    struct chain_record record;
    enum code code = chain_read(self, epoch, &scratch, &record, err);
    if (code == E_OK && record.nonce != nonce)
        code =
            fail(err, E_FENCED,
                 "epoch %" PRId64 " of %s was committed by another leat process (nonce %016" PRIx64 "); this one stops",
                 epoch, store_root(self->store), record.nonce);
    arena_free(&scratch);
    if (code != E_OK)
        return code;
    return chain_sync(self, err); // seen is not yet durable
}

/* A record on its way into the chain: its bytes, or the name it is staged under. */
struct entry {
    int64_t epoch;
    uint64_t nonce;
    struct bytes file;
    const char *staged; /* NULL: `file` */
};

static enum code put_decided(struct chain *self, const char *path, const struct entry *entry, struct error *err)
{
    enum code code = E_OK;
    for (int attempt = 0; attempt < APPEND_TRIES; attempt++) {
        if (attempt > 0)
            os->sleep_us((int64_t)RETRY_WAIT_US << attempt);
        code = entry->staged != NULL ? store_claim(self->store, entry->staged, path, err)
                                     : store_put_new(self->store, path, entry->file, err);
        if (code == E_OK)
            return E_OK;
        struct error answer = {0};
        enum code found = who_won(self, entry->epoch, entry->nonce, &answer);
        if (found == E_OK) {
            error_clear(err);
            return E_OK;
        }
        if (found != E_ABSENT) {
            *err = answer;
            return found;
        }
        if (code != E_IO && code != E_EXISTS)
            break; // a full disk, for one, does not get better in a moment
        log_warn("commit record: %s; trying again", err->text);
    }
    return code;
}

/* A record that could not be read back must never get its name. */
static enum code check_document(const struct chain *self, const struct chain_record *record, struct bytes document,
                                struct error *err)
{
    struct arena scratch = {0};
    struct chain_record again;
    enum code code = document.size + CHAIN_SEAL_BYTES > CHAIN_RECORD_MAX
                         ? fail(err, E_UNSUPPORTED, "the record of epoch %" PRId64 " has %zu bytes, more than %d",
                                record->epoch, document.size, CHAIN_RECORD_MAX)
                         : chain_record_parse(document, &scratch, &again, err);
    if (code == E_CORRUPT)
        code = fail(err, E_BUG, "the record of epoch %" PRId64 " cannot be written as JSON", record->epoch);
    if (code == E_OK)
        code = chain_record_fits(self, record->epoch, &again, err);
    arena_free(&scratch);
    return code;
}

/* A name that was never taken and one that was trimmed look alike to put-if-absent. Whoever trimmed the record of this epoch
 * trimmed the one before it first, and nobody trims the head: so an epoch may enter the chain only behind its predecessor. */
static enum code overtaken_check(const struct chain *self, struct error *err)
{
    int64_t found = -1;
    if (self->head >= 0) {
        char path[CHAIN_PATH_BYTES];
        int64_t size_bytes;
        chain_record_path(self, self->head, path);
        enum code code = store_size(self->store, path, &size_bytes, err);
        if (code != E_ABSENT)
            return code;
    } else {
        TRY(chain_newest(self, &found, err));
        if (found <= 0) // empty, or the first record: whose it is, its nonce tells
            return E_OK;
    }
    return fail(err, E_FENCED,
                "epoch %" PRId64 " of %s was committed and tidied away by another leat process; this one stops",
                self->head + 1, store_root(self->store));
}

/* There is a record behind this one. */
static enum code is_followed(const struct chain *self, int64_t epoch, bool *out, struct error *err)
{
    char path[CHAIN_PATH_BYTES];
    int64_t size_bytes;
    chain_record_path(self, epoch + 1, path);
    enum code code = store_size(self->store, path, &size_bytes, err);
    *out = code == E_OK;
    return code == E_ABSENT ? E_OK : code;
}

/* Asked again after the record is in, since we may have stood still in between: then it is taken back, unless others have gone
 * on from it. (One that was put after its namesake had been trimmed stays then too: it is below the head, and nobody needs it.) */
static enum code put_behind_head(struct chain *self, const struct entry *entry, struct error *err)
{
    char path[CHAIN_PATH_BYTES];
    chain_record_path(self, entry->epoch, path);
    TRY(overtaken_check(self, err));
    TRY(put_decided(self, path, entry, err));
    bool followed = false;
    enum code code = overtaken_check(self, err);
    struct error second = {0};
    if (code == E_FENCED && is_followed(self, entry->epoch, &followed, &second) == E_OK && !followed &&
        store_remove(self->store, path, &second) != E_OK)
        log_warn("%s/%s is left behind: %s", store_root(self->store), path, second.text);
    return code;
}

/* Sealed, as it will lie in the chain. */
static enum code record_print(const struct chain *self, struct chain_record *record, struct text *file,
                              struct error *err)
{
    always(record->epoch == self->head + 1 || (self->head < 0 && record->epoch == 0));
    record->version = CHAIN_VERSION;
    record->query_id = self->query_id;
    record->task = self->task;
    record->nonce = self->nonce;
    chain_record_print(record, file);
    TRY(check_document(self, record, text_view(file), err));
    chain_seal(file);
    return E_OK;
}

static void head_move(struct chain *self, const struct chain_record *record)
{
    self->head = record->epoch;
    self->oldest = self->oldest < 0 ? record->epoch : self->oldest;
    chain_states_remember(self, record);
}

enum code chain_append(struct chain *self, const struct chain_record *given, struct error *err)
{
    struct chain_record record = *given;
    struct text file = {0};
    enum code code = record_print(self, &record, &file, err);
    const struct entry entry = {record.epoch, record.nonce, text_view(&file), NULL};
    if (code == E_OK)
        code = put_behind_head(self, &entry, err);
    text_free(&file);
    TRY(code);
    FAULT(after_record);
    head_move(self, &record);
    return E_OK;
}

/* ---- staged records ---- */

static void staged_path(const struct chain *self, int64_t epoch, uint64_t nonce, char *out)
{
    snprintf(out, CHAIN_PATH_BYTES, "chain/%s/%016" PRId64 ".%016" PRIx64 ".staged", self->task, epoch, nonce);
}

/* False: not the name of one. */
static bool staged_parse(const char *path, struct chain_staged *out)
{
    const char *name = strrchr(path, '/') + 1;
    enum { DIGITS = 16, SIZE = DIGITS + 1 + DIGITS + 7 };
    if (strlen(name) != SIZE || strspn(name, "0123456789") != DIGITS || name[DIGITS] != '.' ||
        strspn(name + DIGITS + 1, "0123456789abcdef") != DIGITS || strcmp(name + SIZE - 7, ".staged") != 0)
        return false;
    out->epoch = strtoll(name, NULL, 10);
    out->nonce = strtoull(name + DIGITS + 1, NULL, 16);
    return true;
}

uint64_t chain_nonce(const struct chain *self) { return self->nonce; }

enum code chain_stage(struct chain *self, const struct chain_record *given, struct error *err)
{
    struct chain_record record = *given;
    struct text file = {0};
    char path[CHAIN_PATH_BYTES];
    enum code code = record_print(self, &record, &file, err);
    staged_path(self, record.epoch, self->nonce, path);
    if (code == E_OK)
        code = store_put_new(self->store, path, text_view(&file), err);
    text_free(&file);
    return code;
}

static enum code staged_list(const struct chain *self, struct store_list *out, struct error *err)
{
    char folder[CHAIN_PATH_BYTES];
    snprintf(folder, sizeof folder, "chain/%s", self->task);
    return store_list(self->store, folder, false, out, err);
}

enum code chain_staged(const struct chain *self, struct arena *arena, struct chain_staged **items, int32_t *count,
                       struct error *err)
{
    struct store_list list;
    TRY(staged_list(self, &list, err));
    struct chain_staged *found = arena_array(arena, struct chain_staged, (size_t)list.count);
    int32_t n = 0;
    for (int32_t i = 0; i < list.count; i++) {
        struct chain_staged staged = {.modified_us = list.entries[i].modified_us};
        if (!staged_parse(list.entries[i].path, &staged))
            continue;
        staged.path = arena_strdup(arena, list.entries[i].path);
        found[n++] = staged;
    }
    store_list_free(&list);
    *items = found;
    *count = n;
    return E_OK;
}

enum code chain_staged_read(const struct chain *self, const struct chain_staged *staged, struct arena *arena,
                            struct chain_record *out, struct error *err)
{
    struct chain_record record;
    TRY(chain_read_file(self, staged->path, staged->epoch, arena, &record, err));
    if (record.nonce != staged->nonce)
        return fail(err, E_CORRUPT, "%s/%s has nonce %016" PRIx64, store_root(self->store), staged->path, record.nonce);
    *out = record;
    return E_OK;
}

enum code chain_enter(struct chain *self, const struct chain_record *record, struct error *err)
{
    char path[CHAIN_PATH_BYTES];
    staged_path(self, record->epoch, self->nonce, path);
    const struct entry entry = {record->epoch, self->nonce, {0}, path};
    always(record->epoch == self->head + 1);
    TRY(put_behind_head(self, &entry, err));
    FAULT(after_record);
    head_move(self, record);
    return E_OK;
}

enum code chain_adopt(struct chain *self, const struct chain_staged *staged, struct error *err)
{
    struct arena scratch = {0};
    struct chain_record record;
    const struct entry entry = {staged->epoch, staged->nonce, {0}, staged->path};
    always(staged->epoch == self->head + 1);
    enum code code = chain_staged_read(self, staged, &scratch, &record, err);
    if (code == E_OK)
        code = put_behind_head(self, &entry, err);
    if (code == E_OK)
        code = chain_sync(self, err);
    if (code == E_OK) {
        FAULT(after_record);
        head_move(self, &record);
    }
    arena_free(&scratch);
    return code;
}

enum code chain_unstage(struct chain *self, const struct chain_staged *known, int32_t count, struct error *err)
{
    struct store_list list;
    struct chain_staged staged;
    TRY(staged_list(self, &list, err));
    enum code code = E_OK;
    for (int32_t i = 0; code == E_OK && i < list.count; i++)
        if (staged_parse(list.entries[i].path, &staged) && staged.epoch <= self->head)
            code = store_remove(self->store, list.entries[i].path, err);
    for (int32_t i = 0; code == E_OK && i < count; i++)
        code = store_remove(self->store, known[i].path, err);
    store_list_free(&list);
    return code;
}

enum code chain_overtaken(const struct chain *self, struct error *err)
{
    int64_t newest;
    TRY(chain_newest(self, &newest, err));
    if (newest > self->head)
        return fail(err, E_FENCED, "another leat process has gone on with %s, up to epoch %" PRId64 "; this one stops",
                    store_root(self->store), newest);
    return E_OK;
}

/* chain.c - the chain on a store.
 *
 *   crash here                                  recovery
 *   record's temporary file written             ignored: the store's names for those match no record
 *   record linked, process dead                 the epoch is committed; roll forward (recover.c)
 *   answer of put_new lost                      read the name: our nonce = won, another's = fenced, absent = put again
 */
#include "runtime/chain.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/fault.h"
#include "base/hash.h"
#include "base/log.h"
#include "base/os.h"

enum { PATH_BYTES = 160, CHECKSUM_LINE = 17, PUT_ATTEMPTS = 5, QUERY_FILE_MAX = 64 * 1024 };

struct chain {
    struct store *store;
    char task[32];
    char query_id[17];
    uint64_t nonce;              /* of this process: "was that mine?" */
    uint64_t fingerprint;
    int64_t head, oldest;        /* -1 when empty */
};

static void record_path(const struct chain *self, int64_t epoch, char out[PATH_BYTES])
{
    snprintf(out, PATH_BYTES, "chain/%s/%016" PRId64 ".json", self->task, epoch);
}

/* ---- query.json ---- */

static enum code query_create(struct chain *self, const char *pipeline_name, struct error *err)
{
    snprintf(self->query_id, sizeof self->query_id, "%016" PRIx64, os_random());
    json_t *json = json_pack("{s:i, s:s, s:s, s:I, s:s}", "version", CHAIN_VERSION, "query_id", self->query_id,
                             "pipeline", pipeline_name, "created_us",
                             (json_int_t)os->clock_wall_us(), "leat", LEAT_VERSION);
    char fingerprint[17];
    snprintf(fingerprint, sizeof fingerprint, "%016" PRIx64, self->fingerprint);
    json_object_set_new(json, "fingerprint", json_string(fingerprint));
    char *text = json_dumps(json, JSON_INDENT(2));
    enum code code = store_put_new(self->store, "query.json", bytes_of_string(text), err);
    free(text); /* tidy: allow free - jansson's own allocation */
    json_decref(json);
    return code;
}

static enum code query_check(struct chain *self, const char *pipeline_name, struct bytes text, struct error *err)
{
    json_error_t problem;
    json_t *json = json_loadb((const char *)text.data, text.size, 0, &problem);
    const char *id = json_string_value(json_object_get(json, "query_id"));
    const char *stored = json_string_value(json_object_get(json, "fingerprint"));
    const char *name = json_string_value(json_object_get(json, "pipeline"));
    enum code code = E_OK;
    if (id == NULL || stored == NULL || strlen(id) != 16)
        code = fail(err, E_CORRUPT, "%s/query.json cannot be read; restore it from a backup, or use a new leat.checkpoint folder",
                    store_root(self->store));
    else if (strtoull(stored, NULL, 16) != self->fingerprint)
        code = fail(err, E_CHANGED, "the checkpoint %s belongs to another query: pipeline %s with fingerprint %s; this is %s "
                    "with %016" PRIx64 ". The stateful part of the query or the settings that shape its result changed. Undo "
                    "the change, or start over with a new leat.checkpoint and a new leat.tables.path",
                    store_root(self->store), name != NULL ? name : "?", stored, pipeline_name, self->fingerprint);
    else
        snprintf(self->query_id, sizeof self->query_id, "%s", id);
    json_decref(json);
    return code;
}

static enum code query_open(struct chain *self, const char *pipeline_name, struct error *err)
{
    struct text text = {0};
    enum code code = store_get(self->store, "query.json", QUERY_FILE_MAX, &text, err);
    if (code == E_OK)
        code = query_check(self, pipeline_name, text_view(&text), err);
    else if (code == E_ABSENT)
        code = query_create(self, pipeline_name, err);
    text_free(&text);
    return code;
}

/* ---- head ---- */

static enum code head_find(struct chain *self, struct error *err)
{
    char folder[64];
    snprintf(folder, sizeof folder, "chain/%s", self->task);
    struct store_list list = {0};
    TRY(store_list(self->store, folder, false, &list, err));
    for (int32_t i = 0; i < list.count; i++) {
        int64_t epoch;
        char expected[PATH_BYTES];
        const char *file = strrchr(list.entries[i].path, '/');
        if (file == NULL || sscanf(file, "/%" SCNd64, &epoch) != 1)
            continue;
        record_path(self, epoch, expected);
        if (strcmp(expected, list.entries[i].path) != 0)
            continue;   // a temporary file of a put that never finished
        if (self->oldest < 0 || epoch < self->oldest)
            self->oldest = epoch;
        if (epoch > self->head)
            self->head = epoch;
    }
    store_list_free(&list);
    return E_OK;
}

enum code chain_open(struct store *store, const char *task, uint64_t fingerprint, const char *pipeline_name,
                     struct chain **out, struct error *err)
{
    TRY(store_lock(store, "lock", err));
    struct chain *self = mem_new(struct chain);
    *self = (struct chain){.store = store, .nonce = os_random(), .fingerprint = fingerprint, .head = -1, .oldest = -1};
    snprintf(self->task, sizeof self->task, "%s", task);
    enum code code = query_open(self, pipeline_name, err);
    if (code == E_OK)
        code = head_find(self, err);
    if (code != E_OK) {
        mem_free(self);
        return code;
    }
    *out = self;
    return E_OK;
}

void chain_close(struct chain *self) { mem_free(self); }

const char *chain_query_id(const struct chain *self) { return self->query_id; }

int64_t chain_head(const struct chain *self) { return self->head; }

int64_t chain_oldest(const struct chain *self) { return self->oldest; }

/* ---- records ---- */

/* The JSON without its checksum line. */
static enum code checksum_check(struct bytes file, struct bytes *json, struct error *err)
{
    if (file.size < CHECKSUM_LINE + 1 || file.data[file.size - 1] != '\n' || file.data[file.size - CHECKSUM_LINE - 1] != '\n')
        return fail(err, E_CORRUPT, "it does not end in a line with its checksum");
    *json = bytes_of(file.data, file.size - CHECKSUM_LINE - 1);
    char expected[CHECKSUM_LINE + 1];
    snprintf(expected, sizeof expected, "%016" PRIx64 "\n", (uint64_t)XXH64(json->data, json->size, 0));
    if (memcmp(expected, file.data + file.size - CHECKSUM_LINE, CHECKSUM_LINE) != 0)
        return fail(err, E_CORRUPT, "its checksum does not fit its content");
    return E_OK;
}

static enum code record_check(const struct chain *self, int64_t epoch, const struct chain_record *record, struct error *err)
{
    if (strcmp(record->query_id, self->query_id) != 0 || strcmp(record->task, self->task) != 0 || record->epoch != epoch)
        return fail(err, E_CORRUPT, "it is the record of query %s, task %s, epoch %" PRId64, record->query_id, record->task,
                    record->epoch);
    return E_OK;
}

enum code chain_read(const struct chain *self, int64_t epoch, struct arena *arena, struct chain_record *out, struct error *err)
{
    char path[PATH_BYTES];
    record_path(self, epoch, path);
    struct text file = {0};
    struct bytes json;
    enum code code = store_get(self->store, path, CHAIN_RECORD_MAX, &file, err);
    if (code == E_OK)
        code = checksum_check(text_view(&file), &json, err);
    if (code == E_OK)
        code = chain_record_parse(json, arena, out, err);
    if (code == E_OK)
        code = record_check(self, epoch, out, err);
    text_free(&file);
    if (code == E_CORRUPT || code == E_ABSENT) {
        error_note(err, "commit record %s/%s", store_root(self->store), path);
        size_t used = strlen(err->text);
        snprintf(err->text + used, sizeof err->text - used, ". Restore the file from a backup, or start over with a new "
                 "leat.checkpoint and a new leat.tables.path: nothing was changed");
        err->code = code = E_CORRUPT;
    }
    return code;
}

/* Whose record is under that name? E_ABSENT, E_OK (ours), E_FENCED. */
static enum code record_owner(const struct chain *self, int64_t epoch, struct error *err)
{
    char path[PATH_BYTES];
    record_path(self, epoch, path);
    int64_t size;
    struct error absent = {0};
    enum code code = store_size(self->store, path, &size, &absent);
    if (code != E_OK) {
        *err = absent;
        return code;
    }
    struct arena scratch = {0};
    struct chain_record there = {0};
    code = chain_read(self, epoch, &scratch, &there, err);
    if (code == E_OK && there.nonce != self->nonce)
        code = fail(err, E_FENCED, "epoch %" PRId64 " of %s was committed by another leat; this one stops", epoch,
                    store_root(self->store));
    arena_free(&scratch);
    return code;
}

static enum code record_put(struct chain *self, int64_t epoch, struct bytes content, struct error *err)
{
    char path[PATH_BYTES];
    record_path(self, epoch, path);
    for (int attempt = 1;; attempt++) {
        enum code code = store_put_new(self->store, path, content, err);
        if (code == E_OK)
            return E_OK;
        if (code != E_EXISTS && code != E_IO)
            return code;
        struct error put = *err;
        code = record_owner(self, epoch, err);
        if (code != E_ABSENT)
            return code;
        *err = put;
        if (attempt == PUT_ATTEMPTS)
            return put.code;
        log_warn("commit record of epoch %" PRId64 ": %s; trying again", epoch, put.text);
        os->sleep_us(10000 << attempt);
    }
}

enum code chain_append(struct chain *self, const struct chain_record *record, struct error *err)
{
    always(record->epoch == self->head + 1);
    struct chain_record whole = *record;
    whole.version = CHAIN_VERSION;
    whole.query_id = self->query_id;
    whole.task = self->task;
    whole.nonce = self->nonce;
    struct text text = {0};
    chain_record_print(&whole, &text);
    text_printf(&text, "\n%016" PRIx64 "\n", (uint64_t)XXH64(text.data, text.size, 0));
    enum code code = record_put(self, record->epoch, text_view(&text), err);
    text_free(&text);
    TRY(code);
    FAULT(after_record);
    self->head = record->epoch;
    if (self->oldest < 0)
        self->oldest = record->epoch;
    return E_OK;
}

/* State files carry their epoch in the name, as records do: state/<T>/<E>-<node>.<kind>. */
static enum code state_trim(struct chain *self, int64_t epoch, struct error *err)
{
    char folder[64];
    snprintf(folder, sizeof folder, "state/%s", self->task);
    struct store_list list = {0};
    TRY(store_list(self->store, folder, false, &list, err));
    enum code code = E_OK;
    for (int32_t i = 0; code == E_OK && i < list.count; i++) {
        const char *file = strrchr(list.entries[i].path, '/');
        int64_t of;
        if (file != NULL && sscanf(file, "/%" SCNd64, &of) == 1 && of < epoch)
            code = store_remove(self->store, list.entries[i].path, err);
    }
    store_list_free(&list);
    return code;
}

enum code chain_trim(struct chain *self, int64_t epoch, struct error *err)
{
    if (self->oldest < 0 || self->oldest >= epoch)
        return E_OK;
    for (; self->oldest < epoch && self->oldest < self->head; self->oldest++) {
        char path[PATH_BYTES];
        record_path(self, self->oldest, path);
        TRY(store_remove(self->store, path, err));
    }
    return state_trim(self, epoch, err);
}

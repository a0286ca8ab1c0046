/* chain.c - open, read and shorten the chain of commit records. It is extended in chain_append.c.
 *
 * Ordering that this relies on (store.h): put_new is durable when it answers E_OK, and lets one writer in.
 * An open chain first syncs its folder: a record that a dead process linked but did not sync must be durable
 * before anything is published because of it.
 *
 *   crash in trim         state files go before the record that names them, oldest record first: the chain
 *                         has no gaps, and records that lost their state are below what recovery needs
 */
#include "runtime/chain_parts.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/fault.h"
#include "base/hash.h"
#include "base/log.h"
#include "base/os.h"

enum { QUERY_FILE_MAX = 64 * 1024 };

const char *chain_query_id(const struct chain *self) { return self->query_id; }

const char *chain_pipeline(const struct chain *self) { return self->pipeline; }

int64_t chain_head(const struct chain *self) { return self->head; }

int64_t chain_oldest(const struct chain *self) { return self->oldest; }

void chain_record_path(const struct chain *self, int64_t epoch, char *out)
{
    snprintf(out, CHAIN_PATH_BYTES, "chain/%s/%016" PRId64 ".json", self->task, epoch);
}

/* ---- a document and its checksum ---- */

void chain_seal(struct text *document)
{
    text_printf(document, "\n%016" PRIx64 "\n", (uint64_t)XXH64(document->data, document->size, 0));
}

enum code chain_unseal(struct bytes file, struct bytes *document, struct error *err)
{
    char expected[CHAIN_SEAL_BYTES + 1];
    if (file.size < CHAIN_SEAL_BYTES)
        return fail(err, E_CORRUPT, "the file has %zu bytes, too few for a checksum", file.size);
    size_t size = file.size - CHAIN_SEAL_BYTES;
    snprintf(expected, sizeof expected, "\n%016" PRIx64 "\n", (uint64_t)XXH64(file.data, size, 0));
    if (memcmp(expected, file.data + size, CHAIN_SEAL_BYTES) != 0)
        return fail(err, E_CORRUPT, "the bytes do not fit their checksum");
    *document = bytes_of(file.data, size);
    return E_OK;
}

static enum code corrupt_note(const struct chain *self, const char *path, struct error *err)
{
    if (err->code != E_CORRUPT)
        return err->code;
    struct error cause = *err;
    return fail(err, E_CORRUPT,
                "%s/%s: %.600s. Restore the file from a backup, or start over with a new checkpoint folder; "
                "tables already written stay",
                store_root(self->store), path, cause.text);
}

/* ---- reading ---- */

enum code chain_record_fits(const struct chain *self, int64_t epoch, const struct chain_record *record,
                            struct error *err)
{
    if (strcmp(record->query_id, self->query_id) != 0)
        return fail(err, E_CORRUPT, "the record belongs to query %s, this checkpoint to %s", record->query_id,
                    self->query_id);
    if (strcmp(record->task, self->task) != 0 || record->epoch != epoch)
        return fail(err, E_CORRUPT, "the record is of task %s, epoch %" PRId64, record->task, record->epoch);
    return E_OK;
}

enum code chain_read_file(const struct chain *self, const char *path, int64_t epoch, struct arena *arena,
                          struct chain_record *out, struct error *err)
{
    struct text file = {0};
    struct bytes document;
    struct chain_record record;
    TRY(store_get(self->store, path, CHAIN_RECORD_MAX, &file, err));
    enum code code = chain_unseal(text_view(&file), &document, err);
    if (code == E_OK)
        code = chain_record_parse(document, arena, &record, err);
    if (code == E_OK)
        code = chain_record_fits(self, epoch, &record, err);
    text_free(&file);
    if (code != E_OK)
        return corrupt_note(self, path, err);
    *out = record;
    return E_OK;
}

enum code chain_read(const struct chain *self, int64_t epoch, struct arena *arena, struct chain_record *out,
                     struct error *err)
{
    char path[CHAIN_PATH_BYTES];
    chain_record_path(self, epoch, path);
    return chain_read_file(self, path, epoch, arena, out, err);
}

const struct chain_state *chain_state_of(const struct chain_record *record, const struct plan *plan)
{
    for (int32_t i = 0; i < record->state_count; i++) {
        const struct chain_state *state = &record->states[i];
        bool named = state->identity != 0 && plan->identity != 0;
        if (named ? state->identity == plan->identity : state->node == plan->id)
            return state;
    }
    return NULL;
}

void chain_states_remember(struct chain *self, const struct chain_record *record)
{
    for (int32_t i = 0; i < record->state_count; i++) {
        if (record->states[i].path[0] == '\0')
            continue;
        mem_grow(self->states, self->state_capacity, self->state_count + 1);
        self->states[self->state_count++] = (struct state_name){record->epoch, mem_strdup(record->states[i].path)};
    }
}

/* ---- opening ---- */

static void query_print(const struct chain *self, struct text *out)
{
    json_t *json =
        json_pack("{s:i, s:s, s:s, s:I, s:s}", "version", CHAIN_VERSION, "query_id", self->query_id, "pipeline",
                  self->pipeline, "created_us", (json_int_t)os->clock_wall_us(), "leat", LEAT_VERSION);
    char *dump = json_dumps(json, JSON_COMPACT);
    json_decref(json);
    always(dump != NULL);
    text_add_string(out, dump);
    mem_free(dump);
    chain_seal(out);
}

static enum code query_take(struct chain *self, const json_t *json, struct error *err)
{
    const char *query_id = json_string_value(json_object_get(json, "query_id"));
    const char *pipeline = json_string_value(json_object_get(json, "pipeline"));
    json_int_t version = json_integer_value(json_object_get(json, "version"));
    if (version != 0 && (version < CHAIN_VERSION_OLDEST || version > CHAIN_VERSION))
        return fail(err, E_UNSUPPORTED, "%s/query.json has format %lld; this leat reads formats %d to %d",
                    store_root(self->store), (long long)version, CHAIN_VERSION_OLDEST, CHAIN_VERSION);
    if (version == 0 || query_id == NULL || strlen(query_id) != 16 || pipeline == NULL)
        return fail(err, E_CORRUPT, "a member is missing");
    snprintf(self->query_id, sizeof self->query_id, "%s", query_id);
    self->pipeline = mem_strdup(pipeline);
    return E_OK;
}

static enum code query_read(struct chain *self, struct error *err)
{
    struct text file = {0};
    struct bytes document;
    TRY(store_get(self->store, "query.json", QUERY_FILE_MAX, &file, err));
    enum code code = chain_unseal(text_view(&file), &document, err);
    if (code == E_OK) {
        json_error_t where;
        json_t *json = json_loadb((const char *)document.data, document.size, 0, &where);
        code = json == NULL ? fail(err, E_CORRUPT, "%s", where.text) : query_take(self, json, err);
        json_decref(json);
    }
    text_free(&file);
    return code == E_OK ? E_OK : corrupt_note(self, "query.json", err);
}

/* Before the checkpoint is made nothing may be there that a lost query.json could have owned. */
static enum code query_create(struct chain *self, const char *pipeline_name, struct error *err)
{
    struct store_list records;
    TRY(store_list(self->store, "chain", true, &records, err));
    int32_t count = records.count;
    store_list_free(&records);
    if (count > 0) {
        enum code again = query_read(self, err);
        if (again != E_ABSENT) // another process has begun it since we looked
            return again;
        return fail(err, E_CORRUPT,
                    "%s has commit records but no query.json. Restore query.json from a backup, or start "
                    "over with a new checkpoint folder",
                    store_root(self->store));
    }
    struct text file = {0};
    snprintf(self->query_id, sizeof self->query_id, "%016" PRIx64, os_random());
    self->pipeline = mem_strdup(pipeline_name);
    query_print(self, &file);
    enum code code = store_put_new(self->store, "query.json", text_view(&file), err);
    text_free(&file);
    return code;
}

/* The epoch in a record's name, or -1. */
static int64_t epoch_of(const char *path)
{
    const char *name = strrchr(path, '/') + 1;
    if (strlen(name) != 21 || strspn(name, "0123456789") != 16 || strcmp(name + 16, ".json") != 0)
        return -1;
    return strtoll(name, NULL, 10);
}

enum code chain_newest(const struct chain *self, int64_t *epoch, struct error *err)
{
    char folder[CHAIN_PATH_BYTES];
    struct store_list list;
    snprintf(folder, sizeof folder, "chain/%s", self->task);
    TRY(store_list(self->store, folder, false, &list, err));
    *epoch = -1;
    for (int32_t i = 0; i < list.count; i++)
        if (epoch_of(list.entries[i].path) > *epoch)
            *epoch = epoch_of(list.entries[i].path);
    store_list_free(&list);
    return E_OK;
}

/* E_CORRUPT when one is missing, after all that are there were seen. */
static enum code records_list(struct chain *self, struct error *err)
{
    char folder[CHAIN_PATH_BYTES];
    struct store_list list;
    snprintf(folder, sizeof folder, "chain/%s", self->task);
    TRY(store_list(self->store, folder, false, &list, err));
    int64_t missing = -1;
    self->head = self->oldest = -1;
    for (int32_t i = 0; i < list.count; i++) { // sorted: the epochs ascend
        int64_t epoch = epoch_of(list.entries[i].path);
        if (epoch < 0)
            continue;
        if (self->head >= 0 && epoch != self->head + 1)
            missing = self->head + 1;
        self->oldest = self->oldest < 0 ? epoch : self->oldest;
        self->head = epoch;
    }
    store_list_free(&list);
    if (missing >= 0)
        return fail(err, E_CORRUPT,
                    "%s/%s: the record of epoch %" PRId64 " is missing. Restore it from a backup, or start over with a "
                    "new checkpoint folder",
                    store_root(self->store), folder, missing);
    return E_OK;
}

/* A list that is taken while another leat trims may have holes: the next one says whether there are any. */
static enum code records_find(struct chain *self, struct error *err)
{
    enum code code = records_list(self, err);
    if (code != E_CORRUPT)
        return code;
    error_clear(err);
    return records_list(self, err);
}

/* Only the head must be readable now; an older one may be past all use, and who needs it will say so. */
static enum code records_scan(struct chain *self, struct error *err)
{
    struct arena scratch = {0};
    enum code code = E_OK;
    for (int64_t epoch = self->oldest; code == E_OK && epoch >= 0 && epoch <= self->head; epoch++) {
        struct chain_record record;
        struct error why = {0};
        if (chain_read(self, epoch, &scratch, &record, &why) == E_OK) {
            chain_states_remember(self, &record);
        } else if (epoch == self->head) {
            *err = why;
            code = why.code;
        } else {
            log_warn("%s", why.text);
            self->unread = true;
        }
        arena_reset(&scratch);
    }
    arena_free(&scratch);
    return code;
}

static bool named_from(const struct chain *self, const char *path, int64_t epoch);

/* Files of attempts at epochs that others have decided. What is above the head stays: a process that is only frozen may wake up
 * and put the record that names it. */
static enum code states_sweep(const struct chain *self, struct error *err)
{
    char folder[CHAIN_PATH_BYTES];
    struct store_list list;
    if (self->unread)
        return E_OK;
    snprintf(folder, sizeof folder, "state/%s", self->task);
    TRY(store_list(self->store, folder, false, &list, err));
    enum code code = E_OK;
    for (int32_t i = 0; code == E_OK && i < list.count; i++) {
        const char *path = list.entries[i].path;
        if (strtoll(strrchr(path, '/') + 1, NULL, 10) <= self->head && !named_from(self, path, -1))
            code = store_remove(self->store, path, err);
    }
    store_list_free(&list);
    return code;
}

static enum code open_all(struct chain *self, const char *pipeline_name, struct error *err)
{
    enum code code = store_lock(self->store, "lock", err);
    if (code == E_EXISTS)
        return error_note(err, "another leat works on this checkpoint");
    TRY(code);
    TRY(store_sweep(self->store, "", err));
    TRY(store_sync(self->store, "", err));
    code = query_read(self, err);
    if (code == E_ABSENT) {
        error_clear(err);
        code = query_create(self, pipeline_name, err);
    }
    TRY(code);
    char folder[CHAIN_PATH_BYTES];
    snprintf(folder, sizeof folder, "chain/%s", self->task);
    TRY(store_sweep(self->store, folder, err));
    TRY(store_sync(self->store, folder, err));
    TRY(records_find(self, err));
    TRY(records_scan(self, err));
    return states_sweep(self, err);
}

static struct chain *chain_new(struct store *store, const char *task)
{
    struct chain *self = mem_new(struct chain);
    self->store = store;
    self->task = mem_strdup(task);
    self->nonce = os_random();
    self->head = self->oldest = -1;
    return self;
}

enum code chain_open(struct store *store, const char *task, const char *pipeline_name, struct chain **out,
                     struct error *err)
{
    struct chain *self = chain_new(store, task);
    enum code code = open_all(self, pipeline_name, err);
    if (code != E_OK) {
        chain_close(self);
        return code;
    }
    *out = self;
    return E_OK;
}

enum code chain_look(struct store *store, const char *task, struct chain **out, struct error *err)
{
    struct chain *self = chain_new(store, task);
    enum code code = query_read(self, err);
    if (code == E_OK)
        code = records_find(self, err);
    if (code != E_OK) {
        chain_close(self);
        return code;
    }
    *out = self;
    return E_OK;
}

enum code chain_inspect(struct store *store, const char *task, struct chain **out, struct error *err)
{
    struct chain *self = chain_new(store, task);
    struct error hole = {0};
    enum code code = query_read(self, err);
    if (code == E_OK)
        code = records_find(self, &hole);
    if (code == E_CORRUPT && hole.code == E_CORRUPT)
        code = E_OK;
    else if (hole.code != E_OK)
        *err = hole;
    if (code != E_OK) {
        chain_close(self);
        return code;
    }
    *out = self;
    return E_OK;
}

void chain_close(struct chain *self)
{
    if (self == NULL)
        return;
    for (int32_t i = 0; i < self->state_count; i++)
        mem_free(self->states[i].path);
    mem_free(self->states);
    mem_free(self->task);
    mem_free(self->pipeline);
    mem_free(self);
}

/* ---- trimming ---- */

static bool named_from(const struct chain *self, const char *path, int64_t epoch)
{
    for (int32_t i = self->state_count; i-- > 0 && self->states[i].epoch >= epoch;)
        if (strcmp(self->states[i].path, path) == 0)
            return true;
    return false;
}

static enum code states_remove(struct chain *self, int64_t epoch, int64_t keep_from, struct error *err)
{
    for (int32_t i = 0; i < self->state_count && self->states[i].epoch <= epoch; i++)
        if (self->states[i].epoch == epoch && !named_from(self, self->states[i].path, keep_from))
            TRY(store_remove(self->store, self->states[i].path, err));
    return E_OK;
}

static void states_forget(struct chain *self)
{
    int32_t gone = 0;
    while (gone < self->state_count && self->states[gone].epoch < self->oldest)
        mem_free(self->states[gone++].path);
    self->state_count -= gone;
    if (gone > 0)
        memmove(self->states, self->states + gone, (size_t)self->state_count * sizeof *self->states);
}

enum code chain_trim(struct chain *self, int64_t epoch, struct error *err)
{
    always(epoch <= self->head);
    while (self->oldest >= 0 && self->oldest < epoch) {
        char path[CHAIN_PATH_BYTES];
        TRY(states_remove(self, self->oldest, epoch, err));
        chain_record_path(self, self->oldest, path);
        TRY(store_remove(self->store, path, err));
        self->oldest++;
    }
    states_forget(self);
    return E_OK;
}

#include "runtime/replay_request.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/hash.h"
#include "format/format.h"

const struct type *replay_schema(struct arena *arena)
{
    const struct type *text = type_of(TYPE_STRING), *bytes = type_of(TYPE_BINARY);
    const struct field fields[REPLAY_COLUMNS] = {
        [REPLAY_ID] = {"id", text, true},
        [REPLAY_SOURCE_NAME] = {"source", text, true},
        [REPLAY_TOPIC] = {"topic", text, true},
        [REPLAY_PARTITION] = {"partition", type_of(TYPE_INT32), true},
        [REPLAY_OFFSET] = {"offset", type_of(TYPE_INT64), true},
        [REPLAY_TIMESTAMP] = {"timestamp", type_of(TYPE_TIMESTAMP), true},
        [REPLAY_KEY] = {"key", bytes, true},
        [REPLAY_VALUE] = {"value", bytes, true},
        [REPLAY_ROW] = {"row", text, true},
        [REPLAY_NODE] = {"node", text, true},
        [REPLAY_TABLES] = {"tables", type_array(arena, text, true), true},
        [REPLAY_ATTEMPTS] = {"attempts", type_of(TYPE_INT32), true},
    };
    return type_struct(arena, fields, REPLAY_COLUMNS);
}

static uint64_t mix_bytes(uint64_t hash, struct bytes bytes)
{
    return hash_mix(hash_mix(hash, bytes.size), hash_bytes(bytes.data, bytes.size));
}

uint64_t quarantine_id(const struct quarantine_key *key)
{
    uint64_t hash = mix_bytes(mix_bytes(1, key->source), key->topic);
    hash = mix_bytes(mix_bytes(hash, key->row), key->node);
    return hash_mix(hash_mix(hash_mix(hash, (uint64_t)key->partition), (uint64_t)key->offset), (uint64_t)key->attempts);
}

void replay_path(int64_t number, char out[REPLAY_PATH_MAX])
{
    snprintf(out, REPLAY_PATH_MAX, "replay/%016" PRId64 ".parquet", number);
}

/* ---- writing ---- */

struct encoding {
    const struct encoder_type *type;
    void *lane, *file;
    struct piece piece;
    struct text header, footer;
};

static enum code encode(struct encoding *self, const struct batch *rows, struct text *out, struct error *err)
{
    const struct encoder_spec spec = {
        .schema = rows->schema, .zone = zone_utc(), .created_by = "leat version " LEAT_VERSION};
    self->lane = mem_zero(self->type->lane_size);
    TRY(self->type->lane_open(self->lane, &spec, err));
    TRY(self->type->lane_add(self->lane, rows, 0, rows->rows, err));
    TRY(self->type->lane_take(self->lane, &self->piece, err));
    self->file = mem_zero(self->type->file_size);
    TRY(self->type->file_open(self->file, &spec, &self->header, err));
    text_add(out, self->header.data, self->header.size);
    TRY(self->type->file_add(self->file, &self->piece, (int64_t)out->size, err));
    text_add(out, self->piece.bytes.data, self->piece.bytes.size);
    TRY(self->type->file_finish(self->file, &self->footer, err));
    text_add(out, self->footer.data, self->footer.size);
    return E_OK;
}

static enum code encoded(const struct batch *rows, struct text *out, struct error *err)
{
    struct encoding self = {.type = encoder_find("parquet")};
    enum code code = encode(&self, rows, out, err);
    self.type->piece_close(&self.piece);
    if (self.file != NULL)
        self.type->file_close(self.file);
    self.type->lane_close(self.lane);
    mem_free(self.file);
    mem_free(self.lane);
    text_free(&self.header);
    text_free(&self.footer);
    return code;
}

enum code replay_write(struct store *store, int64_t number, const struct batch *rows, struct error *err)
{
    char path[REPLAY_PATH_MAX];
    struct text file = {0};
    replay_path(number, path);
    enum code code = encoded(rows, &file, err);
    if (code == E_OK)
        code = store_put_new(store, path, text_view(&file), err);
    text_free(&file);
    return code;
}

/* ---- reading ---- */

bool replay_exists(struct store *store, int64_t number)
{
    char path[REPLAY_PATH_MAX];
    struct error ignored = {0};
    int64_t size;
    replay_path(number, path);
    return store_size(store, path, &size, &ignored) == E_OK;
}

/* The number of a name that replay_path gives, or -1. */
static int64_t path_number(const char *path)
{
    char again[REPLAY_PATH_MAX];
    const char *name = strrchr(path, '/');
    int64_t number = strtoll(name == NULL ? path : name + 1, NULL, 10);
    replay_path(number, again);
    return number >= 0 && strcmp(strrchr(again, '/'), name == NULL ? "" : name) == 0 ? number : -1;
}

enum code replay_end(struct store *store, int64_t *out, struct error *err)
{
    struct store_list list = {0};
    int64_t last = -1;
    TRY(store_list(store, "replay", false, &list, err));
    for (int32_t i = 0; i < list.count; i++) {
        int64_t number = path_number(list.entries[i].path);
        last = number > last ? number : last;
    }
    store_list_free(&list);
    *out = last + 1;
    return E_OK;
}

static enum code memory_read(void *context, int64_t offset, void *out, size_t size, struct error *err)
{
    const struct text *file = context;
    if (offset < 0 || (uint64_t)offset > file->size || size > file->size - (size_t)offset)
        return fail(err, E_CORRUPT, "it ends before what it says it holds");
    memcpy(out, file->data + offset, size);
    return E_OK;
}

/* All of it as one batch: a request is small. */
static enum code rows_read(struct parquet_reader *reader, const struct type *schema, struct batch *out,
                           struct error *err)
{
    struct batch all;
    batch_init(&all, schema, 0);
    for (;;) {
        struct batch part = {0};
        enum code code = parquet_reader_next(reader, BATCH_ROWS_MAX, &part, err);
        for (int32_t c = 0; code == E_OK && part.rows > 0 && c < schema->field_count; c++)
            column_append(&all.columns[c], &part.columns[c], 0, part.rows);
        bool more = code == E_OK && part.rows > 0;
        all.rows += part.rows;
        batch_release(&part);
        if (code == E_OK && all.rows > REPLAY_ROWS_MAX)
            code = fail(err, E_CORRUPT, "it has more than %d rows", REPLAY_ROWS_MAX);
        if (more && code == E_OK)
            continue;
        if (code == E_OK)
            *out = all;
        else
            batch_release(&all);
        return code;
    }
}

enum code replay_read(struct store *store, int64_t number, const struct type *schema, struct budget *budget,
                      struct batch *out, struct error *err)
{
    char path[REPLAY_PATH_MAX];
    struct text file = {0};
    struct parquet_reader *reader = NULL;
    replay_path(number, path);
    enum code code = store_get(store, path, REPLAY_FILE_MAX, &file, err);
    if (code == E_OK) {
        const struct parquet_input input = {path, (int64_t)file.size, &file, memory_read};
        code = parquet_reader_new(&input, budget, &reader, err);
    }
    if (code == E_OK)
        code = parquet_reader_select(reader, schema, err);
    if (code == E_OK)
        code = rows_read(reader, schema, out, err);
    parquet_reader_free(reader);
    text_free(&file);
    return code == E_OK || code == E_ABSENT ? code : error_note(err, "%s/%s", store_root(store), path);
}

/* quarantine_read.c - the rows of a project's quarantines, from Parquet files and from lines of JSON, and which of them
 * were asked back. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "format/format.h"
#include "runtime/chain.h"
#include "runtime/quarantine_rows.h"
#include "runtime/quarantines.h"
#include "runtime/replayed.h"
#include "store/store.h"

enum { LINES_FILE_MAX = 1 << 30, LINES_BATCH_BYTES = 64 << 20 };

struct reading {
    struct arena arena;
    const struct pipeline *pipeline;
    const struct type *schema, *lines_schema, *view;
    struct store *store; /* of the tables' folder; NULL: there is none yet */
    struct budget budget;
    struct replayed replayed;
    const char *name; /* of the quarantine being read */
    enum code (*rows)(void *context, const struct batch *batch, struct error *err);
    void *context;
};

const struct type *quarantine_view_schema(struct arena *arena)
{
    struct field fields[QUARANTINE_VIEW_COLUMNS];
    const struct type *schema = quarantine_schema(arena, false);
    for (int32_t i = 0; i < QUARANTINE_COLUMNS; i++)
        fields[i] = schema->fields[i];
    fields[QUARANTINE_NAME] = (struct field){"quarantine", type_of(TYPE_STRING), true};
    fields[QUARANTINE_ID] = (struct field){"id", type_of(TYPE_STRING), true};
    fields[QUARANTINE_REPLAY] = (struct field){"replay", type_of(TYPE_STRING), true};
    return type_struct(arena, fields, QUARANTINE_VIEW_COLUMNS);
}

/* ---- what is added to a row ---- */

static struct bytes text_at(const struct batch *batch, enum quarantine_column column, int64_t row)
{
    const struct column *col = &batch->columns[column];
    return column_is_null(col, row) ? (struct bytes){0} : column_bytes_at(col, row);
}

static int64_t number_at(const struct batch *batch, enum quarantine_column column, int64_t row)
{
    const struct column *col = &batch->columns[column];
    if (column_is_null(col, row))
        return -1;
    return col->type->id == TYPE_INT32 ? column_values(col, const int32_t)[row]
                                       : column_values(col, const int64_t)[row];
}

static uint64_t id_of(const struct batch *batch, int64_t row)
{
    const struct quarantine_key key = {
        .source = text_at(batch, QUARANTINE_SOURCE, row),
        .topic = text_at(batch, QUARANTINE_TOPIC, row),
        .row = text_at(batch, QUARANTINE_ROW, row),
        .node = text_at(batch, QUARANTINE_NODE, row),
        .partition = number_at(batch, QUARANTINE_PARTITION, row),
        .offset = number_at(batch, QUARANTINE_OFFSET, row),
        .attempts = number_at(batch, QUARANTINE_ATTEMPTS, row),
    };
    return quarantine_id(&key);
}

static void added_put(const struct reading *self, const struct batch *batch, struct batch *out)
{
    struct builder added[QUARANTINE_VIEW_COLUMNS - QUARANTINE_COLUMNS];
    char id[REPLAYED_ID_TEXT];
    for (int i = 0; i < QUARANTINE_VIEW_COLUMNS - QUARANTINE_COLUMNS; i++)
        builder_init(&added[i], type_of(TYPE_STRING));
    for (int64_t row = 0; row < batch->rows; row++) {
        uint64_t number = id_of(batch, row);
        snprintf(id, sizeof id, "%016" PRIx64, number);
        builder_bytes(&added[QUARANTINE_NAME - QUARANTINE_COLUMNS], bytes_of_string(self->name));
        builder_bytes(&added[QUARANTINE_ID - QUARANTINE_COLUMNS], bytes_of_string(id));
        const char *state = replayed_state(&self->replayed, number);
        if (state == NULL)
            builder_null(&added[QUARANTINE_REPLAY - QUARANTINE_COLUMNS]);
        else
            builder_bytes(&added[QUARANTINE_REPLAY - QUARANTINE_COLUMNS], bytes_of_string(state));
    }
    for (int i = 0; i < QUARANTINE_VIEW_COLUMNS - QUARANTINE_COLUMNS; i++) {
        builder_finish(&added[i], &out->columns[QUARANTINE_COLUMNS + i]);
        builder_release(&added[i]);
    }
}

static enum code batch_give(struct reading *self, const struct batch *batch, struct error *err)
{
    struct batch out;
    batch_init(&out, self->view, batch->rows);
    for (int32_t c = 0; c < QUARANTINE_COLUMNS; c++)
        column_share(&out.columns[c], &batch->columns[c]);
    added_put(self, batch, &out);
    enum code code = self->rows(self->context, &out, err);
    batch_release(&out);
    return code;
}

/* ---- Parquet ---- */

static enum code parquet_read(struct reading *self, const struct store_entry *entry, struct error *err)
{
    struct store_file file = {self->store, entry->path};
    const struct parquet_input input = {entry->path, entry->size_bytes, &file, store_file_read};
    struct parquet_reader *reader = NULL;
    enum code code = parquet_reader_new(&input, &self->budget, &reader, err);
    if (code == E_OK)
        code = parquet_reader_select(reader, self->schema, err);
    for (bool more = true; code == E_OK && more;) {
        struct batch batch = {0};
        code = parquet_reader_next(reader, BATCH_ROWS_MAX, &batch, err);
        more = code == E_OK && batch.rows > 0;
        if (more)
            code = batch_give(self, &batch, err);
        batch_release(&batch);
    }
    parquet_reader_free(reader);
    return code;
}

/* ---- lines ---- */

/* The text, or what was no text. */
static void bytes_join(const struct column *text, const struct column *bytes, struct column *out)
{
    struct builder joined;
    builder_init(&joined, type_of(TYPE_BINARY));
    for (int64_t row = 0; row < text->rows; row++) {
        const struct column *from = column_is_null(text, row) ? bytes : text;
        if (column_is_null(from, row))
            builder_null(&joined);
        else
            builder_bytes(&joined, column_bytes_at(from, row));
    }
    builder_finish(&joined, out);
    builder_release(&joined);
}

static enum code lines_give(struct reading *self, struct builder *lines, const struct decoder_type *type, void *decoder,
                            struct error *err)
{
    struct column payload, decoded = {0};
    struct rejects rejects = {0};
    struct batch batch;
    builder_finish(lines, &payload);
    enum code code = type->decode(decoder, &payload, &decoded, &rejects, err);
    if (code == E_OK) {
        batch_init(&batch, self->schema, payload.rows);
        for (int32_t c = 0; c < QUARANTINE_COLUMNS; c++)
            if (c != QUARANTINE_KEY && c != QUARANTINE_VALUE)
                column_share(&batch.columns[c], &decoded.children[c]);
        bytes_join(&decoded.children[QUARANTINE_KEY], &decoded.children[QUARANTINE_KEY_BASE64],
                   &batch.columns[QUARANTINE_KEY]);
        bytes_join(&decoded.children[QUARANTINE_VALUE], &decoded.children[QUARANTINE_VALUE_BASE64],
                   &batch.columns[QUARANTINE_VALUE]);
        code = batch_give(self, &batch, err);
        batch_release(&batch);
    }
    column_release(&payload);
    column_release(&decoded);
    rejects_free(&rejects);
    return code;
}

static enum code lines_split(struct reading *self, struct bytes text, const struct decoder_type *type, void *decoder,
                             struct error *err)
{
    struct builder lines;
    enum code code = E_OK;
    size_t held = 0;
    builder_init(&lines, type_of(TYPE_STRING));
    for (size_t at = 0; code == E_OK && at < text.size;) {
        const uint8_t *end = memchr(text.data + at, '\n', text.size - at);
        size_t size = end != NULL ? (size_t)(end - text.data) - at : text.size - at;
        builder_bytes(&lines, bytes_of(text.data + at, size));
        held += size;
        at += size + 1;
        if (lines.rows < BATCH_ROWS_MAX && held < LINES_BATCH_BYTES && at < text.size)
            continue;
        code = lines_give(self, &lines, type, decoder, err);
        held = 0;
    }
    builder_release(&lines);
    return code;
}

static enum code lines_read(struct reading *self, const struct store_entry *entry, struct error *err)
{
    const struct decoder_type *type = decoder_find("json");
    const struct decoder_spec spec = {.schema = self->lines_schema, .zone = zone_utc(), .simd = -1};
    struct text text = {0};
    void *decoder = mem_zero(type->size);
    enum code code = store_get(self->store, entry->path, LINES_FILE_MAX, &text, err);
    if (code == E_OK)
        code = type->open(decoder, &spec, err);
    if (code == E_OK) {
        code = lines_split(self, text_view(&text), type, decoder, err);
        type->close(decoder);
    }
    mem_free(decoder);
    text_free(&text);
    return code;
}

/* ---- folders ---- */

static bool ends_with(const char *text, const char *end)
{
    size_t size = strlen(text), most = strlen(end);
    return size >= most && strcmp(text + size - most, end) == 0;
}

static enum code folder_read(struct reading *self, struct error *err)
{
    struct store_list list = {0};
    enum code code = store_list(self->store, self->name, false, &list, err);
    for (int32_t i = 0; code == E_OK && i < list.count; i++) {
        const struct store_entry *entry = &list.entries[i];
        if (ends_with(entry->path, ".parquet"))
            code = parquet_read(self, entry, err);
        else if (ends_with(entry->path, ".json"))
            code = lines_read(self, entry, err);
        if (code != E_OK)
            error_note(err, "%s/%s", store_root(self->store), entry->path);
    }
    store_list_free(&list);
    return code;
}

static enum code folders_read(struct reading *self, struct error *err)
{
    struct run_settings settings;
    struct quarantines quarantines;
    TRY(settings_read(&self->arena, self->pipeline, &settings, err));
    TRY(replayed_read(&self->replayed, settings.checkpoint, err));
    enum code code = store_look(settings.tables_path, &self->store, err);
    if (code == E_ABSENT) {
        error_clear(err);
        return E_OK; // nothing was written yet
    }
    quarantines_find(&self->arena, self->pipeline, &quarantines);
    for (int32_t q = 0; code == E_OK && q < quarantines.folder_count; q++) {
        self->name = quarantines.items[q].name;
        code = folder_read(self, err);
    }
    return code;
}

enum code quarantine_read(const struct pipeline *pipeline,
                          enum code (*rows)(void *context, const struct batch *batch, struct error *err), void *context,
                          struct error *err)
{
    struct reading self = {.pipeline = pipeline, .rows = rows, .context = context};
    self.schema = quarantine_schema(&self.arena, false);
    self.lines_schema = quarantine_schema(&self.arena, true);
    self.view = quarantine_view_schema(&self.arena);
    enum code code = folders_read(&self, err);
    if (self.store != NULL)
        store_close(self.store);
    replayed_close(&self.replayed);
    arena_free(&self.arena);
    return code;
}

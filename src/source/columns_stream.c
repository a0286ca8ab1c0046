/* columns_stream.c - files of columns as a stream: each row once, in the order in which the files were found.
 *
 * Offsets  files stand one after the other in the log of files (files_log.c), and a file takes as many offsets as it has rows,
 *          which its footer says when it is found. So a range may end after any row
 * Again    a start in the midst of a file passes over whole row groups, and reads and drops what lies before the offset in one
 * Files    appear whole and stay as they are until they were read, as files of lines do (files.h)
 */
#include "source/columns.h"

#include <inttypes.h>

#include "source/files_place.h"

/* Of a Delta table, without files that were added: then the log says how far they were read. */
enum { VERSIONS_UNTOLD = 20 };

enum code columns_stream_open(struct columns_source *self, const struct source_spec *spec, struct error *err)
{
    const struct field places[PLACE_COUNT] = {
        // ORDER PLACE
        {"topic", type_of(TYPE_STRING), false},
        {"partition", type_of(TYPE_INT32), false},
        {"offset", type_of(TYPE_INT64), false},
        {"timestamp", type_of(TYPE_TIMESTAMP), false},
    };
    int32_t count = spec->schema->field_count;
    struct field *fields = arena_array(&self->arena, struct field, (size_t)count + PLACE_COUNT);
    memcpy(fields, spec->schema->fields, (size_t)count * sizeof *fields);
    memcpy(fields + count, places, sizeof places);
    self->placed = type_struct(&self->arena, fields, count + PLACE_COUNT);
    self->seen = -1;
    if (self->settings.version != NULL || self->settings.time != NULL)
        return fail(err, E_SPEC,
                    "versionAsOf and timestampAsOf are for what is read without STREAM; a stream may have a "
                    "startingVersion");
    const char *folder = spec->store != NULL ? arena_strdup(&self->arena, spec->folder) : NULL;
    return files_log_open(&self->log, spec->store, folder, err);
}

/* ---- what there is ---- */

static enum code rows_count(struct columns_source *self, struct found_file *found, struct error *err)
{
    struct parquet_reader *reader;
    const struct column_file file = {
        .name = found->name, .size_bytes = found->size_bytes, .modified_us = found->modified_us};
    TRY(columns_check_stop(self, err));
    TRY(columns_reader_open(self, &file, &reader, err));
    found->rows = parquet_reader_rows(reader);
    parquet_reader_free(reader);
    place_close(&self->place);
    return E_OK;
}

/* Files of a folder that are not what was listed any more are looked for again by the next discover. */
static enum code rows_count_all(struct columns_source *self, struct found_files *found, struct error *err)
{
    int32_t kept = 0;
    enum code code = E_OK;
    columns_file_shut(self); // one file is open at a time; fetch comes back to it
    for (int32_t i = 0; i < found->count; i++) {
        struct found_file *file = &found->items[i];
        if (code == E_OK)
            code = rows_count(self, file, err);
        if (code == E_LOST && !self->delta) {
            error_clear(err);
            code = E_OK;
            mem_free(file->name);
            continue;
        }
        found->items[kept++] = *file;
    }
    found->count = kept;
    return code;
}

enum code columns_stream_discover(struct columns_source *self, const struct source_ranges *known,
                                  struct source_ranges *out, struct error *err)
{
    struct found_files found = {0};
    int64_t version = self->log.version;
    enum code code = self->delta ? delta_stream_find(self, &found, &version, err)
                                 : files_find(&self->settings, &self->log, &found, err);
    if (code == E_OK && found.count > 0)
        code = rows_count_all(self, &found, err);
    bool far = version - self->log.version >= VERSIONS_UNTOLD || (version >= 0 && self->log.version < 0);
    if (code == E_OK && (found.count > 0 || far))
        code = files_log_append(&self->log, &found, version, err);
    if (code == E_OK)
        self->seen = version;
    found_files_free(&found);
    TRY(code);
    struct source_range *range;
    return files_log_range(&self->log, self->name, self->settings.path, known, out, &range, err);
}

/* ---- reading ---- */

static enum code cut_short(const struct columns_source *self, const struct file_entry *entry, struct error *err)
{
    return fail(err, E_CORRUPT, "source %s: %s has fewer rows than its footer says, %" PRId64, self->name, entry->name,
                entry->rows);
}

/* Pass over the first rows of the open file. */
static enum code rows_pass(struct columns_source *self, const struct file_entry *entry, int64_t rows, struct error *err)
{
    self->read_rows = parquet_reader_skip(self->reader, rows);
    while (self->gone_next < self->gone_count && self->gone[self->gone_next] < self->read_rows)
        self->gone_next++;
    while (self->read_rows < rows) {
        struct batch dropped = {0};
        int64_t left = rows - self->read_rows, passed;
        TRY(columns_check_stop(self, err));
        enum code code = columns_read(self, left < self->rows_max ? left : self->rows_max, &dropped, &passed, err);
        batch_release(&dropped);
        TRY(code);
        if (passed == 0)
            return cut_short(self, entry, err);
    }
    return E_OK;
}

/* Be in the file that has `offset`, right there. */
static enum code offset_enter(struct columns_source *self, const struct file_entry *entry, int64_t offset,
                              struct error *err)
{
    if (self->reader != NULL && self->offset == offset)
        return E_OK;
    columns_file_shut(self);
    column_files_clear(&self->files);
    self->next = 0;
    self->read_rows = 0;
    if (self->delta)
        TRY(delta_stream_file(self, entry, err));
    else
        partition_of_path(&self->files,
                          column_files_add(&self->files, entry->name, entry->size_bytes, entry->modified_us),
                          self->settings.path);
    TRY(columns_file_enter(self, err));
    self->offset = offset;
    return rows_pass(self, entry, offset - entry->start, err);
}

static void numbers_put(struct column *out, const struct type *type, int64_t rows)
{
    *out = (struct column){.type = type, .rows = rows};
    out->values = buffer_new((size_t)rows * (size_t)type_width(type));
}

static void name_put(struct column *out, const struct type *type, const char *name, int64_t rows)
{
    size_t size = strlen(name);
    *out = (struct column){.type = type, .rows = rows};
    out->values = buffer_new((size_t)rows * size);
    out->offsets = buffer_new((size_t)(rows + 1) * sizeof(int32_t));
    int32_t *offsets = (int32_t *)(void *)out->offsets->data;
    for (int64_t i = 0; i < rows; i++) {
        offsets[i] = (int32_t)((size_t)i * size);
        memcpy(out->values->data + (size_t)i * size, name, size);
    }
    offsets[rows] = (int32_t)((size_t)rows * size);
}

/* The columns of `read` go over into *out, and behind them stands where the rows are from. */
static void places_add(const struct columns_source *self, const struct file_entry *entry, struct batch *read,
                       struct batch *out)
{
    int32_t count = self->schema->field_count;
    batch_init(out, self->placed, read->rows);
    for (int32_t i = 0; i < count; i++)
        out->columns[i] = column_take(&read->columns[i]);
    struct column *place = out->columns + count;
    const struct field *fields = self->placed->fields + count;
    name_put(&place[PLACE_TOPIC], fields[PLACE_TOPIC].type, entry->name, read->rows);
    for (int32_t p = PLACE_PARTITION; p < PLACE_COUNT; p++)
        numbers_put(&place[p], fields[p].type, read->rows);
    memset(place[PLACE_PARTITION].values->data, 0, (size_t)read->rows * sizeof(int32_t));
    for (int64_t i = 0; i < read->rows; i++) {
        column_values(&place[PLACE_OFFSET], int64_t)[i] = entry->start + self->numbers[i];
        column_values(&place[PLACE_TIMESTAMP], int64_t)[i] = entry->modified_us;
    }
}

static enum code batch_read(struct columns_source *self, int64_t *offset, int64_t end, struct batch *out,
                            struct error *err)
{
    const struct file_entry *entry = files_log_at(&self->log, *offset);
    struct batch read = {0};
    int64_t most = end - *offset, passed;
    if (entry == NULL)
        return fail(err, E_LOST, "source %s: no file has offset %" PRId64 " any more", self->name, *offset);
    TRY(offset_enter(self, entry, *offset, err));
    enum code code = columns_read(self, most < self->rows_max ? most : self->rows_max, &read, &passed, err);
    if (code == E_OK && passed == 0)
        code = cut_short(self, entry, err);
    if (code == E_OK) {
        self->offset = *offset += passed;
        if (read.rows > 0)
            places_add(self, entry, &read, out);
    }
    batch_release(&read);
    if (code != E_OK || *offset == file_entry_end(entry))
        columns_file_shut(self); // its name may go
    return code;
}

enum code columns_stream_fetch(struct columns_source *self, struct source_range *range, struct batch *out, bool *done,
                               struct error *err)
{
    struct batch batch = {0};
    int64_t offset = range->from;
    while (batch.rows == 0 && offset < range->to) {
        TRY(columns_check_stop(self, err));
        TRY(batch_read(self, &offset, range->to, &batch, err));
    }
    *out = batch;
    range->from = offset;
    *done = offset >= range->to;
    return E_OK;
}

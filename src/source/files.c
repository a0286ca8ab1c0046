/* files.c - the lines of files in a folder as a stream: json, csv and text differ in which lines
 * are records. */
#include "source/files_place.h"

#include <inttypes.h>
#include <stdio.h>

#include "base/hash.h"

static enum code check_stop(const struct files_source *self, struct error *err)
{
    if (!atomic_load(&self->stopped))
        return E_OK;
    return fail(err, E_STOPPED, "source %s was asked to stop", self->name);
}

/* ---- life ---- */

static const struct type *lines_schema(struct arena *arena)
{
    const struct field fields[SOURCE_HEADERS] = {
        // ORDER SOURCE_COLUMN; no source of files has headers
        {"key", type_of(TYPE_BINARY), true},          {"value", type_of(TYPE_BINARY), true},
        {"topic", type_of(TYPE_STRING), true},        {"partition", type_of(TYPE_INT32), true},
        {"offset", type_of(TYPE_INT64), true},        {"timestamp", type_of(TYPE_TIMESTAMP), true},
        {"timestampType", type_of(TYPE_INT32), true},
    };
    return type_struct(arena, fields, SOURCE_HEADERS);
}

static enum code files_open(struct files_source *self, const struct source_spec *spec, const struct option *options,
                            struct error *err)
{
    self->name = arena_strdup(&self->arena, spec->name);
    self->lines.budget = self->budget = spec->budget;
    self->columns.schema = lines_schema(&self->arena);
    memcpy(self->columns.needed, spec->needed, sizeof self->columns.needed);
    self->columns.rows_max =
        spec->batch_rows > 0 && spec->batch_rows < BATCH_ROWS_MAX ? spec->batch_rows : BATCH_ROWS_MAX;
    TRY(files_settings_read(options, spec, &self->arena, &self->settings, err));
    self->settings.may_lack = spec->may_lack;
    self->settings.partitioned = spec->partitioned;
    self->zone = spec->zone != NULL ? spec->zone : zone_utc();
    self->tests = spec->tests;
    self->test_count = spec->test_count;
    const char *ignored;
    if (place_is_remote(self->settings.path))
        TRY(place_bucket(self->settings.path, &self->bucket, &ignored, err));
    const char *folder = spec->store != NULL ? arena_strdup(&self->arena, spec->folder) : NULL;
    return files_log_open(&self->log, spec->store, folder, err);
}

static enum code json_open(void *self_, const struct source_spec *spec, struct error *err)
{
    struct files_source *self = self_;
    self->skip_blank = true;
    return files_open(self, spec, json_files_options, err);
}

static enum code csv_open(void *self_, const struct source_spec *spec, struct error *err)
{
    struct files_source *self = self_;
    self->skip_blank = true;
    return files_open(self, spec, csv_files_options, err);
}

static enum code text_open(void *self_, const struct source_spec *spec, struct error *err)
{
    return files_open(self_, spec, text_files_options, err);
}

static void files_stop(void *self_)
{
    struct files_source *self = self_;
    atomic_store(&self->stopped, true);
}

static void files_close(void *self_)
{
    struct files_source *self = self_;
    lines_close(&self->lines);
    files_log_close(&self->log);
    store_close(self->bucket);
    batch_release(&self->columns.batch);
    arena_free(&self->arena);
    *self = (struct files_source){0};
}

/* ---- ranges ---- */

/* Who reads the folder whole wants to know whether it is still what it was. */
static void log_sign(const struct files_log *log, struct source_range *range)
{
    uint64_t sum = 0;
    for (int32_t i = 0; i < log->count; i++) {
        const struct file_entry *entry = &log->entries[i];
        sum = XXH64(entry->name, strlen(entry->name), sum);
        sum = XXH64(&entry->size_bytes, sizeof entry->size_bytes, sum);
        sum = XXH64(&entry->modified_us, sizeof entry->modified_us, sum);
    }
    snprintf(range->topic_id, sizeof range->topic_id, "%016" PRIx64, sum);
}

/* Only the files whose folders leave rows to be wanted. */
static void found_choose(const struct files_source *self, struct found_files *found)
{
    int32_t kept = 0;
    for (int32_t i = 0; i < found->count; i++) {
        if (source_path_may_meet(self->settings.path, found->items[i].name, self->zone, self->tests, self->test_count))
            found->items[kept++] = found->items[i];
        else
            mem_free(found->items[i].name);
    }
    found->count = kept;
}

static enum code files_discover(void *self_, const struct source_ranges *known, struct source_ranges *out,
                                struct error *err)
{
    struct files_source *self = self_;
    struct found_files found = {0};
    TRY(check_stop(self, err));
    enum code code = files_find(&self->settings, &self->log, &found, err);
    if (self->test_count > 0)
        found_choose(self, &found);
    if (code == E_OK && found.count > 0)
        code = files_log_append(&self->log, &found, -1, err);
    found_files_free(&found);
    TRY(code);
    struct source_range *range;
    TRY(files_log_range(&self->log, self->name, self->settings.path, known, out, &range, err));
    if (self->log.store == NULL)
        log_sign(&self->log, range);
    return E_OK;
}

static enum code files_describe(void *self_, struct arena *arena, struct source_shape *out, struct error *err)
{
    const struct files_source *self = self_;
    const struct files_log *log = &self->log;
    const char **paths = mem_array(const char *, (size_t)log->count + 1);
    struct source_shape shape = {.files = log->count};
    for (int32_t i = 0; i < log->count; i++) {
        paths[i] = log->entries[i].name;
        shape.size_bytes += log->entries[i].size_bytes;
    }
    enum code code = source_path_columns(arena, self->settings.path, paths, log->count, &shape.path_columns, err);
    mem_free(paths);
    if (code == E_OK)
        *out = shape;
    return code;
}

/* Without limits an epoch takes all files that are there, as on Spark. What comes during an epoch
 * belongs to a later one: only discover looks. */
static void files_plan(void *self_, struct source_ranges *ranges)
{
    const struct files_source *self = self_;
    ranges->items[0].to = files_log_epoch(&self->log, &self->settings, &ranges->items[0]);
}

static enum code files_seek(void *self_, const struct source_ranges *ranges, struct error *err)
{
    struct files_source *self = self_;
    (void)ranges;
    TRY(check_stop(self, err));
    lines_shut(&self->lines);
    return E_OK;
}

/* ---- fetching ---- */

static bool is_blank(struct bytes line)
{
    size_t i = 0;
    while (i < line.size && line.data[i] <= ' ')
        i++;
    return i == line.size;
}

static bool is_record(const struct files_source *self, struct bytes line)
{
    const char *comment = self->settings.comment;
    return !(self->skip_blank && is_blank(line)) &&
           !(comment != NULL && line.size > 0 && line.data[0] == (uint8_t)comment[0]);
}

/* The next line that is a record, and where it begins. */
static enum code record_next(struct files_source *self, struct bytes *line, int64_t *offset, bool *more,
                             struct error *err)
{
    do {
        *offset = lines_at(&self->lines);
        TRY(lines_next(&self->lines, line, more, err));
    } while (*more && !is_record(self, *line));
    return E_OK;
}

/* Be in the file that has `offset`, right there. A header is passed together with what stands
 * before it, so no range ends between the two. */
static enum code file_enter(struct files_source *self, int64_t offset, struct error *err)
{
    if (self->lines.path != NULL && self->reading.start + lines_at(&self->lines) == offset)
        return E_OK;
    const struct file_entry *entry = files_log_at(&self->log, offset);
    if (entry == NULL)
        return fail(err, E_LOST, "source %s: no file has offset %" PRId64 " any more", self->name, offset);
    self->reading = *entry;
    TRY(lines_open(&self->lines, &self->reading, offset - entry->start, err));
    struct bytes header;
    int64_t at;
    bool more;
    if (self->settings.header && offset == entry->start)
        TRY(record_next(self, &header, &at, &more, err));
    return E_OK;
}

/* Lines of one file, until it ends or the batch is full. Returns with *offset at what comes next. */
static enum code file_read(struct files_source *self, int64_t *offset, struct error *err)
{
    struct bytes line;
    int64_t at;
    bool more = true;
    while (!line_columns_full(&self->columns)) {
        TRY(record_next(self, &line, &at, &more, err));
        if (!more) {
            lines_shut(&self->lines);
            *offset = file_entry_end(&self->reading);
            return E_OK;
        }
        line_columns_add(&self->columns, line, &self->reading, self->reading.start + at);
    }
    *offset = self->reading.start + lines_at(&self->lines);
    return E_OK;
}

static enum code fill(struct files_source *self, int64_t *offset, int64_t end, struct error *err)
{
    line_columns_begin(&self->columns);
    while (*offset < end && !line_columns_full(&self->columns)) {
        TRY(check_stop(self, err));
        TRY(file_enter(self, *offset, err));
        TRY(file_read(self, offset, err));
    }
    return E_OK;
}

static enum code files_fetch(void *self_, struct source_ranges *ranges, int64_t wait_us, struct batch *out, bool *done,
                             struct error *err)
{
    struct files_source *self = self_;
    struct source_range *range = &ranges->items[0];
    TRY(check_stop(self, err));
    (void)wait_us; // all there is to read is there
    int64_t offset = range->from;
    enum code code = fill(self, &offset, range->to, err);
    struct batch batch = {0};
    line_columns_finish(&self->columns, &batch);
    if (code != E_OK) {
        batch_release(&batch);
        lines_shut(&self->lines);
        return code;
    }
    *out = batch;
    range->from = offset;
    *done = offset >= range->to;
    return E_OK;
}

/* There is no broker to tell; but what is committed need not be remembered for ever. */
static enum code files_mirror(void *self_, const struct source_ranges *committed, struct error *err)
{
    struct files_source *self = self_;
    int64_t offset = committed->count > 0 ? committed->items[0].from : 0;
    if (self->lines.path != NULL && file_entry_end(&self->reading) <= offset)
        lines_shut(&self->lines); // its name may go
    return files_log_compact(&self->log, offset, self->settings.age_us, err);
}

static bool files_file_of(const void *self_, const char *path, struct source_file *out)
{
    const struct files_source *self = self_;
    const struct file_entry *entry = files_log_find(&self->log, path);
    if (entry != NULL)
        *out = (struct source_file){entry->name, entry->size_bytes, entry->modified_us, NULL};
    return entry != NULL;
}

#define FILES_TYPE(name_, help_, options_, open_)                                                                      \
    {                                                                                                                  \
        .name = name_, .help = help_, .options = options_, .size = sizeof(struct files_source),                        \
        .offsets_in_bytes = true, .ends = true, .open = open_, .discover = files_discover, .describe = files_describe, \
        .file_of = files_file_of, .plan = files_plan, .seek = files_seek, .fetch = files_fetch,                        \
        .mirror = files_mirror, .stop = files_stop, .close = files_close,                                              \
    }

const struct source_type json_source_type =
    FILES_TYPE("json", "files of a folder, a JSON object a line", json_files_options, json_open);
const struct source_type csv_source_type =
    FILES_TYPE("csv", "files of a folder, separated values, a record a line", csv_files_options, csv_open);
const struct source_type text_source_type =
    FILES_TYPE("text", "files of a folder, a record a line", text_files_options, text_open);

/* columns.c - Parquet files and Delta tables, read whole; columns_stream.c reads them in epochs. */
#include "source/columns.h"

#include <inttypes.h>
#include <stdio.h>

#include "base/hash.h"
#include "source/files_place.h"

enum code columns_check_stop(const struct columns_source *self, struct error *err)
{
    if (!atomic_load(&self->stopped))
        return E_OK;
    return fail(err, E_STOPPED, "source %s was asked to stop", self->name);
}

/* ---- life ---- */

static enum code columns_begin(struct columns_source *self, const struct source_spec *spec, struct error *err)
{
    self->name = arena_strdup(&self->arena, spec->name);
    self->schema = self->files.schema = spec->schema;
    self->zone = spec->zone != NULL ? spec->zone : zone_utc();
    self->files.tells_file = spec->tells_file;
    self->stream = spec->stream;
    self->asks_row = spec->stream || (spec->tells_file && source_asks_row(spec->schema));
    self->budget = spec->budget;
    self->tests = spec->tests;
    self->test_count = spec->test_count;
    self->file_tests = arena_array(&self->arena, struct row_test, (size_t)spec->test_count + 1);
    self->rows_max = spec->batch_rows > 0 && spec->batch_rows < BATCH_ROWS_MAX ? spec->batch_rows : BATCH_ROWS_MAX;
    if (self->asks_row)
        self->numbers = arena_array(&self->arena, int64_t, (size_t)self->rows_max);
    TRY(files_settings_read(self->delta ? delta_options : parquet_files_options, spec, &self->arena, &self->settings,
                            err));
    self->settings.partitioned = true;
    self->settings.may_lack = spec->may_lack;
    const char *ignored;
    if (place_is_remote(self->settings.path))
        TRY(place_bucket(self->settings.path, &self->bucket, &ignored, err));
    return spec->stream ? columns_stream_open(self, spec, err) : E_OK;
}

void columns_file_shut(struct columns_source *self)
{
    if (self->reader == NULL)
        return;
    parquet_reader_free(self->reader);
    self->reader = NULL;
    mem_free(self->gone);
    self->gone = NULL;
    self->gone_count = self->gone_next = 0;
    place_close(&self->place);
    arena_reset(&self->file_arena);
}

static void columns_stop(void *self_)
{
    struct columns_source *self = self_;
    atomic_store(&self->stopped, true);
}

static void columns_close(void *self_)
{
    struct columns_source *self = self_;
    columns_file_shut(self);
    column_files_clear(&self->files);
    files_log_close(&self->log);
    arena_free(&self->table_arena);
    store_close(self->bucket);
    arena_free(&self->file_arena);
    arena_free(&self->arena);
    *self = (struct columns_source){0};
}

/* Who could not open it does not close it. */
static enum code columns_open(struct columns_source *self, const struct source_spec *spec, struct error *err)
{
    enum code code = columns_begin(self, spec, err);
    if (code != E_OK)
        columns_close(self);
    return code;
}

static enum code parquet_open(void *self_, const struct source_spec *spec, struct error *err)
{
    return columns_open(self_, spec, err);
}

static enum code delta_open(void *self_, const struct source_spec *spec, struct error *err)
{
    struct columns_source *self = self_;
    self->delta = true;
    return columns_open(self, spec, err);
}

/* ---- what there is ---- */

static enum code parquet_list(struct columns_source *self, uint64_t *sum, struct error *err)
{
    struct files_log none = {0};
    struct found_files found = {0};
    enum code code = files_find(&self->settings, &none, &found, err);
    column_files_clear(&self->files);
    for (int32_t i = 0; code == E_OK && i < found.count; i++) {
        const struct found_file *file = &found.items[i];
        partition_of_path(&self->files, column_files_add(&self->files, file->name, file->size_bytes, file->modified_us),
                          self->settings.path);
        *sum = XXH64(file->name, strlen(file->name), *sum);
        *sum = hash_mix(hash_mix(*sum, (uint64_t)file->size_bytes), (uint64_t)file->modified_us);
    }
    found_files_free(&found);
    self->listed = code == E_OK;
    return code;
}

/* The log is replayed when its files are read, not at every look. */
static enum code table_look(struct columns_source *self, uint64_t *sum, struct error *err)
{
    uint64_t stamp = 0;
    TRY(delta_look(&self->settings, &self->version, &stamp, err));
    self->listed = false;
    *sum = hash_mix(hash_mix(*sum, (uint64_t)self->version), stamp);
    return E_OK;
}

/* ---- which columns there are ---- */

static const struct column_file *first_file(const struct column_files *files)
{
    const struct column_file *first = NULL;
    for (int32_t i = 0; i < files->count; i++)
        if (first == NULL || strcmp(files->items[i].name, first->name) < 0)
            first = &files->items[i];
    return first;
}

static enum code cannot_merge(const struct field *a, const struct field *b, const char *name, struct error *err)
{
    struct text one = {0}, other = {0};
    type_print(a->type, &one);
    type_print(b->type, &other);
    enum code code = fail(err, E_DATA, "[CANNOT_MERGE_SCHEMAS] %s: column %s is %s, in another file %s", name, b->name,
                          other.data, one.data);
    text_free(&one);
    text_free(&other);
    return code;
}

/* Columns of `found` that are not known yet come last. */
static enum code columns_merge(struct arena *arena, const struct type *found, const char *name, const struct type **out,
                               struct error *err)
{
    const struct type *known = *out;
    struct field *fields = arena_array(arena, struct field, (size_t)(known->field_count + found->field_count) + 1);
    int32_t count = known->field_count;
    for (int32_t i = 0; i < count; i++)
        fields[i] = known->fields[i];
    for (int32_t i = 0; i < found->field_count; i++) {
        int32_t at = type_field_index(known, found->fields[i].name, true);
        if (at < 0)
            fields[count++] = found->fields[i];
        else if (!type_equal(known->fields[at].type, found->fields[i].type))
            return cannot_merge(&known->fields[at], &found->fields[i], name, err);
    }
    *out = type_struct(arena, fields, count);
    return E_OK;
}

static enum code file_columns(struct columns_source *self, const struct column_file *file, struct arena *arena,
                              const struct type **out, struct error *err);

/* Those of the first file by name, as Spark has it; with mergeSchema those of all. */
static enum code parquet_columns(struct columns_source *self, struct arena *arena, const struct type **out,
                                 struct error *err)
{
    const struct column_file *first = first_file(&self->files);
    const struct type *columns = type_struct(arena, NULL, 0), *found;
    if (first != NULL) {
        TRY(file_columns(self, first, arena, &found, err));
        TRY(columns_merge(arena, found, first->name, &columns, err));
    }
    for (int32_t i = 0; i < self->files.count && self->settings.merge_schema; i++) {
        TRY(columns_check_stop(self, err));
        TRY(file_columns(self, &self->files.items[i], arena, &found, err));
        TRY(columns_merge(arena, found, self->files.items[i].name, &columns, err));
    }
    *out = columns;
    return E_OK;
}

static enum code parquet_describe(void *self_, struct arena *arena, struct source_shape *out, struct error *err)
{
    struct columns_source *self = self_;
    struct source_shape shape = {.files = self->files.count};
    const char **paths = mem_array(const char *, (size_t)self->files.count + 1);
    for (int32_t i = 0; i < self->files.count; i++) {
        paths[i] = self->files.items[i].name;
        shape.size_bytes += self->files.items[i].size_bytes;
    }
    enum code code =
        source_path_columns(arena, self->settings.path, paths, self->files.count, &shape.path_columns, err);
    mem_free(paths);
    TRY(code);
    TRY(parquet_columns(self, arena, &shape.columns, err));
    shape.columns = source_with_path(arena, shape.columns, shape.path_columns);
    *out = shape;
    return E_OK;
}

static enum code delta_describe(void *self_, struct arena *arena, struct source_shape *out, struct error *err)
{
    struct columns_source *self = self_;
    return delta_shape(&self->settings, self->version, self->budget, arena, out, err);
}

static enum code columns_discover(void *self_, const struct source_ranges *known, struct source_ranges *out,
                                  struct error *err)
{
    struct columns_source *self = self_;
    uint64_t sum = 0;
    TRY(columns_check_stop(self, err));
    if (self->stream)
        return columns_stream_discover(self, known, out, err);
    TRY(self->delta ? table_look(self, &sum, err) : parquet_list(self, &sum, err));
    struct source_range *range = source_ranges_add(out, self->settings.path, 0);
    range->from = known->count > 0 ? known->items[0].from : 0;
    range->latest = 1;
    snprintf(range->topic_id, sizeof range->topic_id, "%016" PRIx64, sum);
    return E_OK;
}

static enum code columns_seek(void *self_, const struct source_ranges *ranges, struct error *err)
{
    struct columns_source *self = self_;
    (void)ranges;
    TRY(columns_check_stop(self, err));
    columns_file_shut(self);
    self->next = 0;
    self->read_bytes = self->read_rows = 0;
    return E_OK;
}

/* ---- reading ---- */

static enum code lost(const struct columns_source *self, const struct column_file *file, struct error *err)
{
    const char *why = self->delta ? ", or by a vacuum before, which leaves the files of young versions alone" : "";
    return fail(err, E_LOST, "source %s: %s was changed or removed while the source was read%s", self->name, file->name,
                why);
}

/* One that is not what was listed is lost: who reads relations lists again then. */
static enum code place_enter(struct columns_source *self, const struct column_file *file, struct error *err)
{
    struct error why = {0};
    int64_t modified_us = self->stream && !self->delta ? file->modified_us : 0; // a log's times are the writer's
    enum code code = place_open(&self->place, file->name, file->size_bytes, modified_us, self->budget, &why);
    if (code == E_ABSENT || code == E_LOST)
        return lost(self, file, err);
    if (code != E_OK)
        *err = why;
    return code;
}

/* The file is open as long as its reader. */
enum code columns_reader_open(struct columns_source *self, const struct column_file *file, struct parquet_reader **out,
                              struct error *err)
{
    TRY(place_enter(self, file, err));
    const struct parquet_input input = {file->name, self->place.size_bytes, &self->place, place_read_exactly};
    enum code code = parquet_reader_new(&input, self->budget, out, err);
    if (code == E_OK)
        place_announce(&self->place, *out);
    else
        place_close(&self->place);
    return code;
}

/* False: what all its rows share says that none is wanted. Leaves the tests that the file itself must answer. */
static bool file_may_meet(struct columns_source *self, const struct column_file *file, int32_t *left)
{
    struct error ignored = {0};
    bool may = true;
    *left = 0;
    for (int32_t t = 0; may && t < self->test_count; t++) {
        int32_t index = type_field_index(self->schema, self->tests[t].column, true);
        struct column one = {0};
        bool counts = file->gone != NULL || self->asks_row; // rows, from the file's first
        if (index < 0 || (counts && !file->fixed[index].given) || file->fixed[index].of_file)
            continue;
        if (!file->fixed[index].given) {
            struct row_test *test = &self->file_tests[(*left)++];
            *test = self->tests[t];
            if (self->files.stored != NULL)
                test->column = self->files.stored->fields[index].name;
        } else if (partition_column(&self->schema->fields[index], &file->fixed[index], self->zone, 1, &one, &ignored) ==
                   E_OK)
            may = row_test_value(&self->tests[t], &one, 0);
        column_release(&one);
    }
    return may;
}

enum code columns_file_enter(struct columns_source *self, struct error *err)
{
    const struct column_file *file = &self->files.items[self->next];
    int32_t left;
    if (!file_may_meet(self, file, &left)) {
        self->read_bytes += file->size_bytes > 0 ? file->size_bytes : 0;
        self->next++;
        return E_OK;
    }
    TRY(columns_reader_open(self, file, &self->reader, err));
    self->next++;
    TRY(parquet_reader_select(self->reader, partition_rest(&self->file_arena, &self->files, file), err));
    parquet_reader_filter(self->reader, self->file_tests, left);
    return file->gone == NULL
               ? E_OK
               : delta_gone_rows(&self->settings, file, self->budget, &self->gone, &self->gone_count, err);
}

static enum code file_columns(struct columns_source *self, const struct column_file *file, struct arena *arena,
                              const struct type **out, struct error *err)
{
    struct parquet_reader *reader;
    TRY(columns_reader_open(self, file, &reader, err));
    *out = type_copy(arena, parquet_reader_schema(reader));
    parquet_reader_free(reader);
    place_close(&self->place);
    return E_OK;
}

/* The columns have the types that were asked for, whatever their fields are called in the file. */
static void column_rename(struct column *col, const struct type *type)
{
    col->type = type;
    for (int32_t i = 0; i < col->child_count; i++)
        column_rename(&col->children[i], type->fields[i].type);
}

/* Rows of the file that are deleted go; they were read from `first` on. */
static void gone_drop(struct columns_source *self, struct batch *read, int64_t first)
{
    int64_t end = first + read->rows;
    int32_t *kept = mem_array(int32_t, (size_t)read->rows), count = 0;
    struct batch rest;
    for (int64_t row = first; row < end; row++)
        if (self->gone_next < self->gone_count && self->gone[self->gone_next] == row)
            self->gone_next++;
        else
            kept[count++] = (int32_t)(row - first);
    if (count < read->rows) {
        batch_gather(&rest, read, kept, count);
        batch_release(read);
        *read = rest;
    }
    for (int32_t i = 0; i < count && self->asks_row; i++)
        self->numbers[i] = first + kept[i];
    mem_free(kept);
}

/* The file's columns, and those that all its rows share, in the order that is asked for. */
static enum code columns_join(const struct columns_source *self, struct batch *read, struct batch *out,
                              struct error *err)
{
    const struct column_file *file = &self->files.items[self->next - 1];
    struct source_file told = column_file_source(file);
    int32_t from = 0;
    told.row_numbers = self->numbers;
    batch_init(out, self->schema, read->rows);
    for (int32_t i = 0; i < self->schema->field_count; i++) {
        if (!file->fixed[i].given) {
            out->columns[i] = column_take(&read->columns[from++]);
            if (self->files.stored != NULL)
                column_rename(&out->columns[i], self->schema->fields[i].type);
        } else if (file->fixed[i].of_file) {
            source_file_column(&told, &self->schema->fields[i], read->rows, &out->columns[i]);
        } else if (partition_column(&self->schema->fields[i], &file->fixed[i], self->zone, read->rows, &out->columns[i],
                                    err) != E_OK) {
            return error_note(err, "%s", file->name);
        }
    }
    return E_OK;
}

/* It is read. */
static void file_pass(struct columns_source *self)
{
    int64_t size_bytes = self->files.items[self->next - 1].size_bytes;
    self->read_bytes += size_bytes > 0 ? size_bytes : 0;
    self->read_rows = 0;
    columns_file_shut(self);
}

enum code columns_read(struct columns_source *self, int64_t rows_max, struct batch *out, int64_t *passed,
                       struct error *err)
{
    struct batch read = {0};
    TRY(parquet_reader_next(self->reader, rows_max, &read, err));
    int64_t first = self->read_rows;
    *passed = read.rows;
    self->read_rows += read.rows;
    for (int64_t i = 0; i < read.rows && self->asks_row; i++)
        self->numbers[i] = first + i;
    if (read.rows > 0 && self->gone_next < self->gone_count)
        gone_drop(self, &read, first);
    enum code code = read.rows > 0 ? columns_join(self, &read, out, err) : E_OK;
    batch_release(&read);
    return code;
}

static enum code batch_next(struct columns_source *self, struct batch *out, struct error *err)
{
    while (out->rows == 0) {
        int64_t passed;
        if (self->reader == NULL) {
            if (self->next == self->files.count)
                return E_OK;
            TRY(columns_file_enter(self, err));
            continue;
        }
        TRY(columns_read(self, self->rows_max, out, &passed, err));
        if (passed == 0)
            file_pass(self);
    }
    return E_OK;
}

static enum code columns_fetch(void *self_, struct source_ranges *ranges, int64_t wait_us, struct batch *out,
                               bool *done, struct error *err)
{
    struct columns_source *self = self_;
    struct source_range *range = &ranges->items[0];
    struct batch batch = {0};
    (void)wait_us; // all there is to read is there
    TRY(columns_check_stop(self, err));
    if (self->stream)
        return columns_stream_fetch(self, range, out, done, err);
    if (!self->listed) {
        column_files_clear(&self->files);
        TRY(delta_files(&self->settings, self->version, self->budget, &self->files, err));
        self->listed = true;
    }
    enum code code = batch_next(self, &batch, err);
    if (code != E_OK) {
        batch_release(&batch);
        return code;
    }
    *done = batch.rows == 0;
    range->from = *done ? range->latest : range->from;
    *out = batch;
    return E_OK;
}

static int64_t columns_read_bytes(const void *self_)
{
    const struct columns_source *self = self_;
    if (self->reader == NULL)
        return self->read_bytes;
    int64_t rows = parquet_reader_rows(self->reader), size_bytes = self->files.items[self->next - 1].size_bytes;
    double share = rows > 0 ? (double)self->read_rows / (double)rows : 0;
    return self->read_bytes + (int64_t)(share * (double)(size_bytes > 0 ? size_bytes : 0));
}

static void columns_plan(void *self_, struct source_ranges *ranges)
{
    const struct columns_source *self = self_;
    struct source_range *range = &ranges->items[0];
    range->to = self->stream ? files_log_epoch(&self->log, &self->settings, range) : range->latest;
}

static enum code columns_mirror(void *self_, const struct source_ranges *committed, struct error *err)
{
    struct columns_source *self = self_;
    int64_t offset = committed->count > 0 ? committed->items[0].from : 0;
    return self->stream ? files_log_compact(&self->log, offset, self->settings.age_us, err) : E_OK;
}

#define COLUMNS_TYPE(name_, help_, options_, open_, describe_)                                                     \
    {                                                                                                              \
        .name = name_, .help = help_, .options = options_, .size = sizeof(struct columns_source), .columns = true, \
        .ends = true, .open = open_, .discover = columns_discover, .describe = describe_,                          \
        .read_bytes = columns_read_bytes, .plan = columns_plan, .seek = columns_seek, .fetch = columns_fetch,      \
        .mirror = columns_mirror, .stop = columns_stop, .close = columns_close,                                    \
    }

const struct source_type parquet_source_type =
    COLUMNS_TYPE("parquet", "Parquet files of a folder, as a stream or standing still", parquet_files_options,
                 parquet_open, parquet_describe);
const struct source_type delta_source_type =
    COLUMNS_TYPE("delta", "a Delta table, as a stream or standing still", delta_options, delta_open, delta_describe);

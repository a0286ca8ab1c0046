/* delta_files.c - a Delta table as files of columns: which of them, with which values, under which names.
 *
 * Names    with column mapping (by name or id) a column has another name in the files and in the values of partitions
 * Files    of the table lie on the local disk, in its folder or with a whole path
 */
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/text_number.h"
#include "source/columns.h"

/* ---- the version ---- */

enum code delta_look(const struct files_settings *settings, int64_t *version, uint64_t *stamp, struct error *err)
{
    struct store *store = NULL;
    struct error absent = {0};
    enum code code = store_look(settings->path, &store, &absent);
    if (code == E_OK)
        code = delta_version_newest(store, version, stamp, &absent);
    store_close(store);
    if (code == E_ABSENT && settings->may_lack) {
        *version = -1;
        *stamp = 0;
        return E_OK;
    }
    if (code == E_ABSENT && store == NULL)
        return fail(err, E_ABSENT, "[DELTA_TABLE_NOT_FOUND] %s is no Delta table: there is no such folder",
                    settings->path);
    if (code != E_OK)
        *err = absent;
    return code;
}

static enum code at_of(const struct files_settings *settings, int64_t version, struct delta_at *out, struct error *err)
{
    struct delta_at at = {.version = version};
    bool overflow = false;
    if (settings->version != NULL && settings->time != NULL)
        return fail(err, E_SPEC, "versionAsOf and timestampAsOf: only one of them can be asked for");
    if (settings->version != NULL) {
        const char *end = settings->version + strlen(settings->version);
        if (parse_int64(settings->version, end, &at.version, &overflow) != end || overflow || at.version < 0)
            return fail(err, E_SPEC, "versionAsOf: %s is no version", settings->version);
    }
    if (settings->time != NULL) {
        at.has_time = true;
        if (!timestamp_parse(bytes_of_string(settings->time), zone_utc(), &at.time_us))
            return fail(err, E_SPEC, "timestampAsOf: %s is no timestamp", settings->time);
    }
    *out = at;
    return E_OK;
}

enum code delta_table_look(const struct files_settings *settings, int64_t version, struct budget *budget,
                           struct store **store, struct delta_snapshot **snapshot, struct error *err)
{
    struct delta_at at;
    TRY(at_of(settings, version, &at, err));
    TRY(store_look(settings->path, store, err));
    enum code code = delta_snapshot_open(*store, &at, budget, snapshot, err);
    if (code != E_OK)
        store_close(*store);
    return code;
}

/* ---- columns ---- */

static enum code no_type(const struct delta_column *column, struct error *err)
{
    return fail(err, E_UNSUPPORTED, "column %s of the table has a type that leat does not have", column->name);
}

/* Columns that are asked for must be the table's: a slip in a name would be NULL in silence. Only a table of the project may
 * lack what its query has now: the next epoch adds it. */
enum code delta_columns_match(const struct delta_schema *schema, bool may_lack, struct column_files *out,
                              struct error *err)
{
    const struct type *wanted = out->schema;
    struct field *fields = arena_array(&out->arena, struct field, (size_t)wanted->field_count);
    for (int32_t i = 0; i < wanted->field_count; i++) {
        const struct delta_column *column = delta_schema_find(schema, wanted->fields[i].name);
        if (out->tells_file && source_is_file_column(&wanted->fields[i])) {
            fields[i] = wanted->fields[i]; // in no file
            continue;
        }
        if (column == NULL && may_lack) {
            fields[i] = (struct field){PARQUET_BY_ID "4294967296", wanted->fields[i].type, true}; // larger than any id
            continue;
        }
        if (column == NULL)
            return fail(err, E_SPEC, "the table has no column %s", wanted->fields[i].name);
        if (column->type == NULL)
            return no_type(column, err);
        bool same = type_equal(column->type, wanted->fields[i].type);
        fields[i] = (struct field){
            arena_strdup(&out->arena, column->stored),
            schema->mapped && same ? type_copy(&out->arena, column->stored_type) : wanted->fields[i].type, true};
        if (schema->mapped && !same && type_is_nested(column->type))
            return fail(err, E_UNSUPPORTED,
                        "column %s: with column mapping it can only be read with the table's own type", column->name);
    }
    out->stored = schema->mapped ? type_struct(&out->arena, fields, wanted->field_count) : NULL;
    return E_OK;
}

enum code delta_shape(const struct files_settings *settings, int64_t version, struct budget *budget,
                      struct arena *arena, struct source_shape *out, struct error *err)
{
    struct delta_snapshot *snapshot = NULL;
    struct delta_schema schema;
    struct store *store;
    struct arena scratch = {0};
    struct source_shape shape = {.path_columns = type_struct(arena, NULL, 0)};
    TRY(delta_table_look(settings, version, budget, &store, &snapshot, err));
    enum code code = delta_schema_parse(&snapshot->metadata, &scratch, &schema, err);
    struct field *fields = arena_array(arena, struct field, code == E_OK ? (size_t)schema.count : 0);
    for (int32_t i = 0; code == E_OK && i < schema.count; i++) {
        const struct delta_column *column = &schema.columns[i];
        if (column->type == NULL)
            code = no_type(column, err);
        else
            fields[i] = (struct field){arena_strdup(arena, column->name), type_copy(arena, column->type), true};
    }
    if (code == E_OK) {
        shape.columns = type_struct(arena, fields, schema.count);
        shape.files = snapshot->file_count;
        for (int32_t i = 0; i < snapshot->file_count; i++)
            shape.size_bytes += snapshot->files[i].size_bytes > 0 ? snapshot->files[i].size_bytes : 0;
        *out = shape;
    }
    arena_free(&scratch);
    delta_snapshot_free(snapshot);
    store_close(store);
    return code;
}

/* ---- files ---- */

enum code delta_file_path(const struct files_settings *settings, const char *uri, char out[PATH_MAX], struct error *err)
{
    char path[DELTA_PATH_SIZE];
    TRY(delta_path(uri, settings->path, path, err));
    int size =
        path[0] == '/' ? snprintf(out, PATH_MAX, "%s", path) : snprintf(out, PATH_MAX, "%s/%s", settings->path, path);
    return size > 0 && size < PATH_MAX ? E_OK : fail(err, E_UNSUPPORTED, "%s: the path is too long", uri);
}

enum code delta_file_add(const struct files_settings *settings, const struct delta_names *partitions,
                         const struct delta_schema *schema, const struct delta_file *file, struct column_files *out,
                         struct error *err)
{
    char whole[PATH_MAX];
    TRY(delta_file_path(settings, file->path, whole, err));
    struct column_file *given = column_files_add(out, whole, file->size_bytes, file->time_ms * 1000);
    for (int32_t i = 0; i < partitions->count; i++) {
        const char *name = partitions->items[i];
        const struct delta_column *column = delta_schema_find(schema, name);
        const char *value = delta_map_get(&file->partitions, column != NULL ? column->physical : name);
        partition_set(out, given, name, value);
    }
    if (file->vector.storage != '\0') {
        struct delta_vector *gone = arena_new(&out->arena, struct delta_vector);
        *gone = file->vector;
        gone->text = arena_strdup(&out->arena, file->vector.text);
        given->gone = gone;
    }
    return E_OK;
}

enum code delta_files(const struct files_settings *settings, int64_t version, struct budget *budget,
                      struct column_files *out, struct error *err)
{
    struct delta_snapshot *snapshot = NULL;
    struct delta_schema schema;
    struct store *store;
    struct arena scratch = {0};
    if (version < 0)
        return E_OK;
    TRY(delta_table_look(settings, version, budget, &store, &snapshot, err));
    enum code code = delta_schema_parse(&snapshot->metadata, &scratch, &schema, err);
    if (code == E_OK)
        code = delta_columns_match(&schema, settings->may_lack, out, err);
    for (int32_t i = 0; code == E_OK && i < snapshot->file_count; i++)
        code = delta_file_add(settings, &snapshot->metadata.partition_columns, &schema, &snapshot->files[i], out, err);
    arena_free(&scratch);
    delta_snapshot_free(snapshot);
    store_close(store);
    return code == E_OK ? E_OK : error_note(err, "Delta table %s", settings->path);
}

enum code delta_gone_rows(const struct files_settings *settings, const struct column_file *file, struct budget *budget,
                          int64_t **rows, int64_t *count, struct error *err)
{
    struct store *store;
    TRY(store_look(settings->path, &store, err));
    enum code code = delta_vector_read(file->gone, store, budget, rows, count, err);
    store_close(store);
    return code == E_OK ? E_OK : error_note(err, "%s", file->name);
}

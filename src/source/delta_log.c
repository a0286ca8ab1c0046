/* delta_log.c - which files a Delta table has: its log, replayed up to the newest version.
 *
 *   _delta_log/<version, 20 digits>.json                commit: a line per action
 *   _delta_log/<version, 20 digits>.checkpoint.parquet  all actions up to that version, a row each
 *
 * Replay   the newest checkpoint, then the commits behind it, all of which must be there. A file is in
 *          the table when the last action that names it adds it. _last_checkpoint only saves a listing,
 *          so it is not read
 * Refuses  by name: deletion vectors (of a file that has one), column mapping, checkpoints of version 2
 *          or in parts (when the commits before them are gone), reader features that are not known
 * Limits   FILES_MAX files; COMMIT_MAX bytes of a commit
 * Spec     delta-io/delta PROTOCOL.md
 */
#include <ctype.h>
#include <inttypes.h>
#include <jansson.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

#include "base/hash.h"
#include "base/os.h"
#include "source/columns.h"

enum { COMMIT_MAX = 512 << 20, VERSION_DIGITS = 20, READER_MAX = 3 };

/* ---- the newest version ---- */

struct listing {
    struct delta_version *version;
    bool any, other_checkpoint; /* other: in parts, or of version 2 */
    int64_t other, oldest;
};

static void name_look(void *context, const char *name, bool is_dir)
{
    struct listing *listing = context;
    size_t digits = strspn(name, "0123456789");
    if (is_dir || digits != VERSION_DIGITS || name[0] != '0') // 19 digits are all that fit
        return;
    int64_t version = strtoll(name, NULL, 10);
    const char *rest = name + digits;
    struct delta_version *out = listing->version;
    if (strcmp(rest, ".json") == 0) {
        out->newest = version > out->newest ? version : out->newest;
        listing->oldest = !listing->any || version < listing->oldest ? version : listing->oldest;
        listing->any = true;
    } else if (strcmp(rest, ".checkpoint.parquet") == 0) {
        out->newest = version > out->newest ? version : out->newest;
        out->checkpoint = version > out->checkpoint ? version : out->checkpoint;
    } else if (strncmp(rest, ".checkpoint.", 12) == 0) {
        listing->other_checkpoint = true;
        listing->other = version > listing->other ? version : listing->other;
    }
}

static void commit_path(const char *table, int64_t version, const char *suffix, char *out)
{
    snprintf(out, PATH_MAX, "%s/_delta_log/%020" PRId64 "%s", table, version, suffix);
}

enum code delta_version_find(const char *path, struct delta_version *out, struct error *err)
{
    struct delta_version version = {.newest = -1, .checkpoint = -1};
    struct listing listing = {.version = &version};
    char name[PATH_MAX];
    struct os_stat stat;
    snprintf(name, sizeof name, "%s/_delta_log", path);
    if (os->stat(name, &stat, err) != E_OK)
        return err->code == E_ABSENT
                   ? fail(err, E_ABSENT,
                          "[DELTA_TABLE_NOT_FOUND] %s is no Delta table: it has no _delta_log",
                          path)
                   : err->code;
    TRY(os->list(name, name_look, &listing, err));
    if (version.newest < 0)
        return fail(err, E_ABSENT, "[DELTA_TABLE_NOT_FOUND] %s is no Delta table: its log is empty",
                    path);
    if (version.checkpoint < 0 && listing.oldest > 0 && listing.other_checkpoint)
        return fail(err, E_UNSUPPORTED,
                    "%s: a checkpoint in parts or of version 2 (%" PRId64 ") is not supported",
                    path, listing.other);
    commit_path(path, version.newest,
                version.newest == version.checkpoint ? ".checkpoint.parquet" : ".json", name);
    TRY(os->stat(name, &stat, err));
    version.size_bytes = stat.size_bytes;
    version.modified_us = stat.modified_us;
    *out = version;
    return E_OK;
}

/* ---- replay ---- */

struct delta_file {
    char *path;         /* as the log has it; owned */
    json_t *partitions; /* or NULL */
    bool active;
    const char *vector; /* "deletion vectors" when it has one */
};
struct replay {
    const char *table;
    struct budget *budget;
    size_t charged;
    struct delta_file *files;
    int32_t count, capacity;
    int32_t *slots, slot_count; /* by path: index + 1 */
    json_t *metadata;           /* newest metaData */
    struct error *err;
};

static int32_t slot_of(const struct replay *self, const char *path)
{
    uint32_t mask = (uint32_t)self->slot_count - 1,
             at = (uint32_t)hash_bytes(path, strlen(path)) & mask;
    while (self->slots[at] != 0 && strcmp(self->files[self->slots[at] - 1].path, path) != 0)
        at = (at + 1) & mask;
    return (int32_t)at;
}

static void slots_grow(struct replay *self)
{
    self->slot_count = self->slot_count == 0 ? 256 : self->slot_count * 2;
    mem_free(self->slots);
    self->slots = mem_array(int32_t, (size_t)self->slot_count);
    for (int32_t i = 0; i < self->count; i++)
        self->slots[slot_of(self, self->files[i].path)] = i + 1;
}

static enum code file_named(struct replay *self, const char *path, struct delta_file **out)
{
    if (self->count * 2 >= self->slot_count)
        slots_grow(self);
    int32_t slot = slot_of(self, path);
    if (self->slots[slot] == 0) {
        size_t size = strlen(path) + sizeof **out + 64; // and the values of its partition
        if (self->count == FILES_MAX)
            return fail(self->err, E_UNSUPPORTED, "a log that names more than %d files", FILES_MAX);
        TRY(budget_take(self->budget, size, "the log of a Delta table", self->err));
        self->charged += size;
        mem_grow(self->files, self->capacity, self->count + 1);
        self->files[self->count++] = (struct delta_file){.path = mem_strdup(path)};
        self->slots[slot] = self->count;
    }
    *out = &self->files[self->slots[slot] - 1];
    return E_OK;
}

static enum code file_set(struct replay *self, const char *path, bool active, json_t *partitions,
                          bool vector)
{
    struct delta_file *file = NULL;
    if (path == NULL)
        return fail(self->err, E_CORRUPT, "a file without a path");
    TRY(file_named(self, path, &file));
    json_decref(file->partitions);
    file->partitions = json_incref(partitions);
    file->active = active;
    file->vector = vector ? "deletion vectors" : NULL;
    return E_OK;
}

/* Features that do not change how files are read, or that Parquet's own schema tells. */
static bool feature_known(const char *name)
{
    static const char *const known[] = {
        "timestampNtz",  "vacuumProtocolCheck", "typeWidening", "typeWidening-preview",
        "columnMapping", "deletionVectors",     "v2Checkpoint"}; // these are looked for
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (strcmp(known[i], name) == 0)
            return true;
    return false;
}

static enum code protocol_check(struct replay *self, int64_t reader, json_t *features)
{
    size_t i;
    json_t *feature;
    if (reader > READER_MAX)
        return fail(self->err, E_UNSUPPORTED,
                    "the table wants a reader of version %lld; leat has %d", (long long)reader,
                    READER_MAX);
    json_array_foreach(features, i, feature)
    {
        const char *name = json_string_value(feature);
        if (name != NULL && !feature_known(name))
            return fail(self->err, E_UNSUPPORTED, "the table uses the feature %s", name);
    }
    return E_OK;
}

/* ---- commits ---- */

static enum code action_apply(struct replay *self, json_t *action)
{
    json_t *add = json_object_get(action, "add"), *removed = json_object_get(action, "remove");
    json_t *metadata = json_object_get(action, "metaData"),
           *protocol = json_object_get(action, "protocol");
    if (json_is_object(add)) {
        json_t *vector = json_object_get(add, "deletionVector");
        return file_set(self, json_string_value(json_object_get(add, "path")), true,
                        json_object_get(add, "partitionValues"), json_is_object(vector));
    }
    if (json_is_object(removed))
        return file_set(self, json_string_value(json_object_get(removed, "path")), false, NULL,
                        false);
    if (json_is_object(metadata)) {
        json_decref(self->metadata);
        self->metadata = json_incref(metadata);
    }
    if (json_is_object(protocol))
        return protocol_check(self,
                              json_integer_value(json_object_get(protocol, "minReaderVersion")),
                              json_object_get(protocol, "readerFeatures"));
    return E_OK;
}

static enum code commit_apply(struct replay *self, int64_t version)
{
    char path[PATH_MAX];
    struct text text = {0};
    commit_path(self->table, version, ".json", path);
    if (os_read_file(path, COMMIT_MAX, &text, self->err) != E_OK)
        return self->err->code == E_ABSENT
                   ? fail(self->err, E_LOST, "version %" PRId64 " of the log is missing", version)
                   : self->err->code;
    enum code code = E_OK;
    int line = 1;
    for (size_t from = 0; code == E_OK && from < text.size; line++) {
        const char *stop = memchr(text.data + from, '\n', text.size - from);
        size_t end = stop != NULL ? (size_t)(stop - text.data) : text.size;
        json_t *action = json_loadb(text.data + from, end - from, JSON_REJECT_DUPLICATES, NULL);
        bool blank = end == from || strspn(text.data + from, " \t\r\n") >= end - from;
        if (action != NULL)
            code = action_apply(self, action);
        else if (!blank)
            code = fail(self->err, E_CORRUPT, "_delta_log: version %" PRId64 ", line %d is no JSON",
                        version, line);
        json_decref(action);
        from = end + 1;
    }
    text_free(&text);
    return code;
}

/* ---- checkpoints ---- */

static const char checkpoint_ddl[] =
    "add STRUCT<path: STRING, partitionValues: MAP<STRING, STRING>, deletionVector: STRUCT<storageType: STRING>>, "
    "metaData STRUCT<schemaString: STRING, partitionColumns: ARRAY<STRING>, configuration: MAP<STRING, STRING>>, "
    "protocol STRUCT<minReaderVersion: INT, readerFeatures: ARRAY<STRING>>";
enum { CHECKPOINT_ADD, CHECKPOINT_METADATA, CHECKPOINT_PROTOCOL };

static json_t *text_json(const struct column *col, int64_t row)
{
    if (!column_valid_at(col, row))
        return json_null();
    struct bytes text = column_bytes_at(col, row);
    json_t *value = json_stringn((const char *)text.data, text.size);
    return value != NULL ? value : json_null();
}

static json_t *map_json(const struct column *col, int64_t row)
{
    json_t *object = json_object();
    const int32_t *offsets = column_offsets(col);
    for (int32_t i = offsets[row]; i < offsets[row + 1]; i++) {
        json_t *key = text_json(&col->children[0], i);
        if (json_is_string(key))
            json_object_set_new(object, json_string_value(key), text_json(&col->children[1], i));
        json_decref(key);
    }
    return object;
}

static json_t *list_json(const struct column *col, int64_t row)
{
    json_t *array = json_array();
    const int32_t *offsets = column_offsets(col);
    for (int32_t i = offsets[row]; i < offsets[row + 1]; i++)
        json_array_append_new(array, text_json(&col->children[0], i));
    return array;
}

static enum code checkpoint_row(struct replay *self, const struct batch *batch, int64_t row)
{
    const struct column *add = &batch->columns[CHECKPOINT_ADD],
                        *metadata = &batch->columns[CHECKPOINT_METADATA];
    const struct column *protocol = &batch->columns[CHECKPOINT_PROTOCOL];
    enum code code = E_OK;
    if (column_valid_at(add, row)) {
        json_t *path = text_json(&add->children[0], row),
               *partitions = map_json(&add->children[1], row);
        code = file_set(self, json_string_value(path), true, partitions,
                        column_valid_at(&add->children[2], row));
        json_decref(path);
        json_decref(partitions);
    }
    if (column_valid_at(metadata, row)) {
        json_decref(self->metadata);
        self->metadata =
            json_pack("{s:o, s:o, s:o}", "schemaString", text_json(&metadata->children[0], row),
                      "partitionColumns", list_json(&metadata->children[1], row), "configuration",
                      map_json(&metadata->children[2], row));
    }
    if (code == E_OK && column_valid_at(protocol, row)) {
        const struct column *reader = &protocol->children[0];
        json_t *features = list_json(&protocol->children[1], row);
        code = protocol_check(
            self, column_valid_at(reader, row) ? column_values(reader, int32_t)[row] : 1, features);
        json_decref(features);
    }
    return code;
}

static enum code handle_read(void *context, int64_t offset, void *out, size_t size,
                             struct error *err)
{
    size_t got;
    TRY(os->file_read(*(const int *)context, offset, out, size, &got, err));
    return got == size ? E_OK : fail(err, E_LOST, "the file became shorter while it was read");
}

static enum code checkpoint_rows(struct replay *self, const struct parquet_input *input)
{
    struct arena arena = {0};
    struct parquet_reader *reader = NULL;
    const struct type *schema;
    size_t position;
    always(type_parse_ddl(&arena, bytes_of_string(checkpoint_ddl), &schema, &position, self->err) ==
           E_OK);
    enum code code = parquet_reader_new(input, self->budget, &reader, self->err);
    if (code == E_OK)
        code = parquet_reader_select(reader, schema, self->err);
    for (int64_t rows = 1; code == E_OK && rows > 0;) {
        struct batch batch = {0};
        code = parquet_reader_next(reader, BATCH_ROWS_MAX, &batch, self->err);
        rows = batch.rows;
        for (int64_t row = 0; code == E_OK && row < rows; row++)
            code = checkpoint_row(self, &batch, row);
        batch_release(&batch);
    }
    parquet_reader_free(reader);
    arena_free(&arena);
    return code;
}

static enum code checkpoint_apply(struct replay *self, int64_t version)
{
    char path[PATH_MAX];
    struct os_stat stat;
    struct error ignored = {0};
    int handle;
    commit_path(self->table, version, ".checkpoint.parquet", path);
    TRY(os->stat(path, &stat, self->err));
    TRY(os->file_open(path, OS_READ, &handle, self->err));
    const struct parquet_input input = {path, stat.size_bytes, &handle, handle_read};
    enum code code = checkpoint_rows(self, &input);
    (void)!os->file_close(handle, &ignored);
    return code;
}

/* ---- what it comes to ---- */

/* Columns that are asked for must be the table's: a slip in a name would be NULL in silence. */
static enum code schema_check(const struct replay *self, const struct type *wanted)
{
    const char *text = json_string_value(json_object_get(self->metadata, "schemaString"));
    json_t *schema = text != NULL ? json_loads(text, 0, NULL) : NULL,
           *fields = json_object_get(schema, "fields");
    enum code code = E_OK;
    if (!json_is_array(fields))
        code = fail(self->err, E_CORRUPT, "_delta_log has no schema");
    for (int32_t i = 0; code == E_OK && i < wanted->field_count; i++) {
        size_t at;
        json_t *field;
        bool found = false;
        json_array_foreach(fields, at, field)
        {
            const char *name = json_string_value(json_object_get(field, "name"));
            found |= name != NULL && strcasecmp(name, wanted->fields[i].name) == 0;
        }
        if (!found)
            code =
                fail(self->err, E_SPEC, "the table has no column %s, which the schema option names",
                     wanted->fields[i].name);
    }
    json_decref(schema);
    return code;
}

static enum code mapping_check(const struct replay *self)
{
    const char *mode = json_string_value(json_object_get(
        json_object_get(self->metadata, "configuration"), "delta.columnMapping.mode"));
    if (mode != NULL && strcasecmp(mode, "none") != 0)
        return fail(self->err, E_UNSUPPORTED,
                    "column mapping (delta.columnMapping.mode = %s) is not supported", mode);
    return E_OK;
}

/* Paths are URIs: relative to the table, or whole. */
static enum code file_path(const struct replay *self, const char *uri, char *out)
{
    char plain[PATH_MAX];
    size_t size = 0;
    const char *at = strncmp(uri, "file://", 7) == 0 ? uri + 7
                     : strncmp(uri, "file:", 5) == 0 ? uri + 5
                                                     : uri;
    const char *colon = strchr(at, ':'), *slash = strchr(at, '/');
    if (colon != NULL && slash == colon + 1)
        return fail(self->err, E_UNSUPPORTED, "%s: leat reads local files only", uri);
    for (; *at != '\0' && size + 1 < sizeof plain; at++) {
        unsigned byte;
        if (at[0] == '%' && isxdigit((unsigned char)at[1]) && isxdigit((unsigned char)at[2]) &&
            sscanf(at + 1, "%2x", &byte) == 1) {
            plain[size++] = (char)byte;
            at += 2;
        } else {
            plain[size++] = *at;
        }
    }
    plain[size] = '\0';
    int need = plain[0] == '/' ? snprintf(out, PATH_MAX, "%s", plain)
                               : snprintf(out, PATH_MAX, "%s/%s", self->table, plain);
    return need < PATH_MAX && *at == '\0'
               ? E_OK
               : fail(self->err, E_UNSUPPORTED, "%s: the path is too long", uri);
}

static enum code files_give(const struct replay *self, struct column_files *out)
{
    char path[PATH_MAX];
    json_t *columns = json_object_get(self->metadata, "partitionColumns");
    for (int32_t i = 0; i < self->count; i++) {
        const struct delta_file *file = &self->files[i];
        size_t at;
        json_t *name;
        if (!file->active)
            continue;
        if (file->vector != NULL)
            return fail(self->err, E_UNSUPPORTED, "%s: %s are not supported", file->path,
                        file->vector);
        TRY(file_path(self, file->path, path));
        struct column_file *given = column_files_add(out, path, -1);
        json_array_foreach(columns, at, name)
        {
            const char *text = json_string_value(name);
            if (text != NULL)
                partition_set(out, given, text,
                              json_string_value(json_object_get(file->partitions, text)));
        }
    }
    return E_OK;
}

static enum code replay_run(struct replay *self, const struct delta_version *version,
                            struct column_files *out)
{
    if (version->checkpoint >= 0)
        TRY(checkpoint_apply(self, version->checkpoint));
    for (int64_t v = version->checkpoint + 1; v <= version->newest; v++)
        TRY(commit_apply(self, v));
    TRY(mapping_check(self));
    TRY(schema_check(self, out->schema));
    return files_give(self, out);
}

enum code delta_files(const char *path, const struct delta_version *version, struct budget *budget,
                      struct column_files *out, struct error *err)
{
    struct replay replay = {.table = path, .budget = budget, .err = err};
    enum code code = replay_run(&replay, version, out);
    for (int32_t i = 0; i < replay.count; i++) {
        mem_free(replay.files[i].path);
        json_decref(replay.files[i].partitions);
    }
    mem_free(replay.files);
    mem_free(replay.slots);
    json_decref(replay.metadata);
    budget_give(budget, replay.charged);
    return code == E_OK ? E_OK : error_note(err, "Delta table %s", path);
}

/* delta_rows.c - the rows of a checkpoint: one action each, in one of these columns.
 *
 * Read     what is missing in the file is NULL. stats_parsed and partitionValues_parsed say again what stats and
 *          partitionValues say; they are not read
 * Limits   a batch of the reader at a time
 */
#include "delta/delta_internal.h"

#include <stddef.h>

#include "format/format.h"

#define VECTOR_DDL                                                                                       \
    "deletionVector STRUCT<storageType: STRING, pathOrInlineDv: STRING, offset: INT, sizeInBytes: INT, " \
    "cardinality: BIGINT>"
#define MAP_DDL "MAP<STRING, STRING>"

static const char few_ddl[] =
    "metaData STRUCT<id: STRING, name: STRING, description: STRING, "
    "format: STRUCT<provider: STRING, options: " MAP_DDL ">, schemaString: STRING, "
    "partitionColumns: ARRAY<STRING>, createdTime: BIGINT, configuration: " MAP_DDL ">, "
    "protocol STRUCT<minReaderVersion: INT, minWriterVersion: INT, readerFeatures: ARRAY<STRING>, "
    "writerFeatures: ARRAY<STRING>>, "
    "txn STRUCT<appId: STRING, version: BIGINT, lastUpdated: BIGINT>, "
    "domainMetadata STRUCT<domain: STRING, configuration: STRING, removed: BOOLEAN>, "
    "sidecar STRUCT<path: STRING, sizeInBytes: BIGINT, modificationTime: BIGINT, tags: " MAP_DDL ">, "
    "checkpointMetadata STRUCT<version: BIGINT, tags: " MAP_DDL ">";
static const char files_ddl[] =
    ", add STRUCT<path: STRING, partitionValues: " MAP_DDL ", size: BIGINT, modificationTime: BIGINT, "
    "dataChange: BOOLEAN, " VECTOR_DDL ">"
    ", remove STRUCT<path: STRING, deletionTimestamp: BIGINT, dataChange: BOOLEAN, " VECTOR_DDL ">";
static const char whole_ddl[] =
    ", add STRUCT<path: STRING, partitionValues: " MAP_DDL ", size: BIGINT, modificationTime: BIGINT, "
    "dataChange: BOOLEAN, " VECTOR_DDL ", stats: STRING, tags: " MAP_DDL ", baseRowId: BIGINT, "
    "defaultRowCommitVersion: BIGINT, clusteringProvider: STRING>"
    ", remove STRUCT<path: STRING, deletionTimestamp: BIGINT, dataChange: BOOLEAN, " VECTOR_DDL
    ", extendedFileMetadata: BOOLEAN, partitionValues: " MAP_DDL ", size: BIGINT, baseRowId: BIGINT, "
    "defaultRowCommitVersion: BIGINT>";

const struct type *delta_rows_schema(struct arena *arena, bool no_files, bool whole_files)
{
    const struct type *schema = NULL;
    struct error err = {0};
    size_t position;
    const char *ddl = arena_printf(arena, "%s%s", few_ddl, no_files ? "" : whole_files ? whole_ddl : files_ddl);
    always(type_parse_ddl(arena, bytes_of_string(ddl), &schema, &position, &err) == E_OK);
    return schema;
}

/* ---- fields of a row ---- */

/* A struct of a row, whose fields are asked for by name: columns differ with what was read. */
struct row {
    const struct column *col;
    int64_t at;
    struct arena *arena;
};

static const struct column *field_of(const struct row *row, const char *name)
{
    int32_t i = type_field_index(row->col->type, name, false);
    return i >= 0 && column_valid_at(&row->col->children[i], row->at) ? &row->col->children[i] : NULL;
}

static const char *bytes_text(const struct column *col, int64_t at, struct arena *arena)
{
    if (!column_valid_at(col, at))
        return NULL;
    struct bytes bytes = column_bytes_at(col, at);
    return arena_strndup(arena, (const char *)bytes.data, bytes.size);
}

static const char *text_of(const struct row *row, const char *name)
{
    const struct column *col = field_of(row, name);
    return col != NULL ? bytes_text(col, row->at, row->arena) : NULL;
}

static int64_t int_of(const struct row *row, const char *name, int64_t absent)
{
    const struct column *col = field_of(row, name);
    if (col == NULL)
        return absent;
    return col->type->id == TYPE_INT32 ? column_values(col, int32_t)[row->at] : column_values(col, int64_t)[row->at];
}

static bool flag_of(const struct row *row, const char *name, bool absent)
{
    const struct column *col = field_of(row, name);
    return col != NULL ? bit_get(col->values->data, row->at) : absent;
}

static struct delta_map map_of(const struct row *row, const char *name)
{
    const struct column *col = field_of(row, name);
    if (col == NULL)
        return (struct delta_map){0};
    const int32_t *offsets = column_offsets(col);
    int32_t from = offsets[row->at], to = offsets[row->at + 1];
    struct delta_map out = {.items = arena_array(row->arena, struct delta_pair, (size_t)(to - from))};
    for (int32_t i = from; i < to; i++) {
        const char *key = bytes_text(&col->children[0], i, row->arena);
        if (key != NULL)
            out.items[out.count++] = (struct delta_pair){key, bytes_text(&col->children[1], i, row->arena)};
    }
    return out;
}

static struct delta_names names_of(const struct row *row, const char *name)
{
    const struct column *col = field_of(row, name);
    if (col == NULL)
        return (struct delta_names){0};
    const int32_t *offsets = column_offsets(col);
    int32_t from = offsets[row->at], to = offsets[row->at + 1];
    struct delta_names out = {.items = arena_array(row->arena, const char *, (size_t)(to - from))};
    for (int32_t i = from; i < to; i++) {
        const char *item = bytes_text(&col->children[0], i, row->arena);
        if (item != NULL)
            out.items[out.count++] = item;
    }
    return out;
}

/* ---- actions ---- */

static struct delta_vector vector_of(const struct row *row)
{
    const struct column *col = field_of(row, "deletionVector");
    struct delta_vector out = {.offset = -1};
    if (col == NULL)
        return out;
    const struct row vector = {col, row->at, row->arena};
    const char *storage = text_of(&vector, "storageType"), *text = text_of(&vector, "pathOrInlineDv");
    out.storage = storage != NULL ? storage[0] : '\0';
    out.text = text != NULL ? text : "";
    out.offset = int_of(&vector, "offset", -1);
    out.size_bytes = int_of(&vector, "sizeInBytes", 0);
    out.cardinality = int_of(&vector, "cardinality", 0);
    return out;
}

static struct delta_file file_of(const struct row *row, const char *time)
{
    return (struct delta_file){
        .path = text_of(row, "path"),
        .partitions = map_of(row, "partitionValues"),
        .tags = map_of(row, "tags"),
        .size_bytes = int_of(row, "size", -1),
        .time_ms = int_of(row, time, -1),
        .data_change = flag_of(row, "dataChange", true),
        .stats = text_of(row, "stats"),
        .vector = vector_of(row),
        .base_row_id = int_of(row, "baseRowId", -1),
        .row_commit_version = int_of(row, "defaultRowCommitVersion", -1),
        .clustering = text_of(row, "clusteringProvider"),
    };
}

static struct delta_metadata metadata_of(const struct row *row)
{
    const char *id = text_of(row, "id"), *schema = text_of(row, "schemaString");
    return (struct delta_metadata){
        .id = id != NULL ? id : "",
        .name = text_of(row, "name"),
        .description = text_of(row, "description"),
        .schema = schema != NULL ? schema : DELTA_SCHEMA_EMPTY,
        .partition_columns = names_of(row, "partitionColumns"),
        .configuration = map_of(row, "configuration"),
        .created_ms = int_of(row, "createdTime", -1),
    };
}

static bool kind_of(const char *name, enum delta_kind *out)
{
    static const struct {
        const char *name;
        enum delta_kind kind;
    } kinds[] = {{"add", DELTA_ADD},           {"remove", DELTA_REMOVE},
                 {"metaData", DELTA_METADATA}, {"protocol", DELTA_PROTOCOL},
                 {"txn", DELTA_TRANSACTION},   {"domainMetadata", DELTA_DOMAIN},
                 {"sidecar", DELTA_SIDECAR},   {"checkpointMetadata", DELTA_CHECKPOINT}};
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        if (strcmp(kinds[i].name, name) == 0) {
            *out = kinds[i].kind;
            return true;
        }
    return false;
}

static bool action_fill(const struct row *row, struct delta_action *out)
{
    switch (out->kind) {
    case DELTA_ADD: out->file = file_of(row, "modificationTime"); return out->file.path != NULL;
    case DELTA_REMOVE: out->file = file_of(row, "deletionTimestamp"); return out->file.path != NULL;
    case DELTA_METADATA: out->metadata = metadata_of(row); return true;
    case DELTA_PROTOCOL:
        out->protocol = (struct delta_protocol){(int32_t)int_of(row, "minReaderVersion", 0),
                                                (int32_t)int_of(row, "minWriterVersion", 0),
                                                names_of(row, "readerFeatures"), names_of(row, "writerFeatures")};
        return out->protocol.reader > 0 && out->protocol.writer > 0;
    case DELTA_TRANSACTION:
        out->transaction = (struct delta_transaction){text_of(row, "appId"), int_of(row, "version", -1),
                                                      int_of(row, "lastUpdated", -1)};
        return out->transaction.app_id != NULL;
    case DELTA_DOMAIN:
        out->domain = (struct delta_domain){text_of(row, "domain"), text_of(row, "configuration"),
                                            flag_of(row, "removed", false)};
        return out->domain.domain != NULL;
    case DELTA_SIDECAR:
        out->sidecar = (struct delta_sidecar){text_of(row, "path"), int_of(row, "sizeInBytes", -1)};
        return out->sidecar.path != NULL;
    default: return true;
    }
}

enum code delta_row_action(const struct batch *batch, int64_t row, struct arena *arena, struct delta_action *out,
                           struct error *err)
{
    struct delta_action action = {.kind = DELTA_OTHER};
    for (int32_t i = 0; i < batch->column_count; i++) {
        const struct row at = {&batch->columns[i], row, arena};
        if (!column_valid_at(at.col, row) || !kind_of(batch->schema->fields[i].name, &action.kind))
            continue;
        if (!action_fill(&at, &action))
            return fail(err, E_CORRUPT, "row %lld: %s lacks what it must have", (long long)row,
                        batch->schema->fields[i].name);
        break;
    }
    *out = action;
    return E_OK;
}

/* ---- reading ---- */

static enum code rows_read(struct parquet_reader *reader, int64_t version, const struct delta_visitor *visitor,
                           struct error *err)
{
    struct arena arena = {0};
    enum code code = E_OK;
    for (int64_t rows = 1; code == E_OK && rows > 0;) {
        struct batch batch = {0};
        code = parquet_reader_next(reader, BATCH_ROWS_MAX, &batch, err);
        rows = batch.rows;
        for (int64_t row = 0; code == E_OK && row < rows; row++) {
            struct delta_action action;
            code = delta_row_action(&batch, row, &arena, &action, err);
            if (code == E_OK && action.kind != DELTA_OTHER)
                code = visitor->visit(visitor->context, version, &action, err);
            arena_reset(&arena);
        }
        batch_release(&batch);
    }
    arena_free(&arena);
    return code;
}

enum code delta_rows_visit(struct store *store, const char *path, int64_t size_bytes, int64_t version,
                           struct budget *budget, const struct delta_visitor *visitor, struct error *err)
{
    struct arena arena = {0};
    struct store_file where = {store, path};
    const struct parquet_input input = {path, size_bytes, &where, store_file_read};
    struct parquet_reader *reader = NULL;
    struct budget none = {0};
    const struct type *schema = delta_rows_schema(&arena, visitor->no_files, visitor->whole_files);
    enum code code = parquet_reader_new(&input, budget != NULL ? budget : &none, &reader, err);
    if (code == E_OK)
        code = parquet_reader_select(reader, schema, err);
    if (code == E_OK)
        code = rows_read(reader, version, visitor, err);
    parquet_reader_free(reader);
    arena_free(&arena);
    return code;
}

/* ---- writing ---- */

static void put_text(struct builder *builder, const char *text)
{
    if (text != NULL)
        builder_bytes(builder, bytes_of_string(text));
    else
        builder_null(builder);
}

static void put_int(struct builder *builder, int64_t value)
{
    if (value >= 0)
        builder_int(builder, value);
    else
        builder_null(builder);
}

static void put_map(struct builder *builder, const struct delta_map *map)
{
    for (int32_t i = 0; i < map->count; i++) {
        put_text(&builder->children[0], map->items[i].name);
        put_text(&builder->children[1], map->items[i].value);
    }
    builder_close_list(builder);
}

static void put_names(struct builder *builder, const struct delta_names *names, bool given)
{
    if (!given) {
        builder_null(builder);
        return;
    }
    for (int32_t i = 0; i < names->count; i++)
        put_text(&builder->children[0], names->items[i]);
    builder_close_list(builder);
}

static void put_vector(struct builder *builder, const struct delta_vector *vector)
{
    const char storage[] = {vector->storage, '\0'};
    if (vector->storage == '\0') {
        builder_null(builder);
        return;
    }
    put_text(&builder->children[0], storage);
    put_text(&builder->children[1], vector->text);
    put_int(&builder->children[2], vector->offset);
    builder_int(&builder->children[3], vector->size_bytes);
    builder_int(&builder->children[4], vector->cardinality);
    builder_close_struct(builder);
}

/* The fields in the order of whole_ddl. */
static void put_add(struct builder *builder, const struct delta_file *file)
{
    struct builder *field = builder->children;
    put_text(field++, file->path);
    put_map(field++, &file->partitions);
    builder_int(field++, file->size_bytes);
    builder_int(field++, file->time_ms);
    builder_boolean(field++, false); // in a checkpoint nothing is new
    put_vector(field++, &file->vector);
    put_text(field++, file->stats);
    if (file->tags.count > 0)
        put_map(field++, &file->tags);
    else
        builder_null(field++);
    put_int(field++, file->base_row_id);
    put_int(field++, file->row_commit_version);
    put_text(field, file->clustering);
    builder_close_struct(builder);
}

static void put_remove(struct builder *builder, const struct delta_file *file)
{
    struct builder *field = builder->children;
    bool extended = file->size_bytes >= 0;
    put_text(field++, file->path);
    put_int(field++, file->time_ms);
    builder_boolean(field++, false);
    put_vector(field++, &file->vector);
    builder_boolean(field++, extended);
    if (extended)
        put_map(field++, &file->partitions);
    else
        builder_null(field++);
    put_int(field++, file->size_bytes);
    put_int(field++, file->base_row_id);
    put_int(field, file->row_commit_version);
    builder_close_struct(builder);
}

static void put_metadata(struct builder *builder, const struct delta_metadata *metadata)
{
    struct builder *field = builder->children;
    put_text(field++, metadata->id);
    put_text(field++, metadata->name);
    put_text(field++, metadata->description);
    put_text(&field->children[0], "parquet");
    put_map(&field->children[1], &(struct delta_map){0});
    builder_close_struct(field++);
    put_text(field++, metadata->schema);
    put_names(field++, &metadata->partition_columns, true);
    put_int(field++, metadata->created_ms);
    put_map(field, &metadata->configuration);
    builder_close_struct(builder);
}

static void put_protocol(struct builder *builder, const struct delta_protocol *protocol)
{
    builder_int(&builder->children[0], protocol->reader);
    builder_int(&builder->children[1], protocol->writer);
    put_names(&builder->children[2], &protocol->reader_features, protocol->reader >= 3);
    put_names(&builder->children[3], &protocol->writer_features, protocol->writer >= 7);
    builder_close_struct(builder);
}

static void put_action(struct builder *builder, const struct delta_action *action, int64_t version)
{
    struct builder *field = builder->children;
    switch (action->kind) {
    case DELTA_ADD: put_add(builder, &action->file); break;
    case DELTA_REMOVE: put_remove(builder, &action->file); break;
    case DELTA_METADATA: put_metadata(builder, &action->metadata); break;
    case DELTA_PROTOCOL: put_protocol(builder, &action->protocol); break;
    case DELTA_TRANSACTION:
        put_text(&field[0], action->transaction.app_id);
        builder_int(&field[1], action->transaction.version);
        put_int(&field[2], action->transaction.updated_ms);
        builder_close_struct(builder);
        break;
    case DELTA_DOMAIN:
        put_text(&field[0], action->domain.domain);
        put_text(&field[1], action->domain.configuration != NULL ? action->domain.configuration : "");
        builder_boolean(&field[2], action->domain.removed);
        builder_close_struct(builder);
        break;
    default:
        always(action->kind == DELTA_CHECKPOINT);
        builder_int(&field[0], version);
        put_map(&field[1], &(struct delta_map){0});
        builder_close_struct(builder);
        break;
    }
}

void delta_row_append(struct builder *builders, const struct type *schema, int64_t version,
                      const struct delta_action *action)
{
    for (int32_t i = 0; i < schema->field_count; i++) {
        enum delta_kind kind;
        if (kind_of(schema->fields[i].name, &kind) && kind == action->kind)
            put_action(&builders[i], action, version);
        else
            builder_null(&builders[i]);
    }
}

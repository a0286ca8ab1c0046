/* delta_action.c - a line of the log as an action. What is not known is passed over, as the protocol asks. */
#include "delta/delta_internal.h"

enum { LINE_SHOWN = 80 }; /* bytes of a line in a message */

/* ---- values ---- */

static const char *text_of(const json_t *object, const char *name, struct arena *arena)
{
    const json_t *value = json_object_get(object, name);
    return json_is_string(value) ? arena_strndup(arena, json_string_value(value), json_string_length(value)) : NULL;
}

static int64_t int_of(const json_t *object, const char *name, int64_t absent)
{
    const json_t *value = json_object_get(object, name);
    return json_is_integer(value) ? json_integer_value(value) : absent;
}

static struct delta_map map_of(json_t *object, const char *name, struct arena *arena)
{
    json_t *map = json_object_get(object, name), *value;
    const char *key;
    struct delta_map out = {.items = arena_array(arena, struct delta_pair, json_object_size(map))};
    json_object_foreach(map, key, value) out.items[out.count++] = (struct delta_pair){
        arena_strdup(arena, key), json_is_string(value) ? arena_strdup(arena, json_string_value(value)) : NULL};
    return out;
}

static struct delta_names names_of(const json_t *object, const char *name, struct arena *arena)
{
    const json_t *array = json_object_get(object, name), *value;
    struct delta_names out = {.items = arena_array(arena, const char *, json_array_size(array))};
    size_t i;
    json_array_foreach(array, i, value) if (json_is_string(value)) out.items[out.count++] =
        arena_strdup(arena, json_string_value(value));
    return out;
}

/* ---- actions ---- */

static struct delta_vector vector_of(const json_t *file, struct arena *arena)
{
    const json_t *vector = json_object_get(file, "deletionVector");
    const char *storage = json_string_value(json_object_get(vector, "storageType"));
    struct delta_vector out = {.offset = -1};
    if (storage == NULL)
        return out;
    const char *text = text_of(vector, "pathOrInlineDv", arena);
    out.storage = storage[0];
    out.text = text != NULL ? text : "";
    out.offset = int_of(vector, "offset", -1);
    out.size_bytes = int_of(vector, "sizeInBytes", 0);
    out.cardinality = int_of(vector, "cardinality", 0);
    return out;
}

static bool file_parse(json_t *json, const char *time, struct arena *arena, struct delta_file *out)
{
    *out = (struct delta_file){
        .path = text_of(json, "path", arena),
        .partitions = map_of(json, "partitionValues", arena),
        .tags = map_of(json, "tags", arena),
        .size_bytes = int_of(json, "size", -1),
        .time_ms = int_of(json, time, -1),
        .data_change = !json_is_false(json_object_get(json, "dataChange")),
        .stats = text_of(json, "stats", arena),
        .vector = vector_of(json, arena),
        .base_row_id = int_of(json, "baseRowId", -1),
        .row_commit_version = int_of(json, "defaultRowCommitVersion", -1),
        .clustering = text_of(json, "clusteringProvider", arena),
    };
    return out->path != NULL;
}

static void metadata_parse(json_t *json, struct arena *arena, struct delta_metadata *out)
{
    *out = (struct delta_metadata){
        .id = text_of(json, "id", arena),
        .name = text_of(json, "name", arena),
        .description = text_of(json, "description", arena),
        .schema = text_of(json, "schemaString", arena),
        .partition_columns = names_of(json, "partitionColumns", arena),
        .configuration = map_of(json, "configuration", arena),
        .created_ms = int_of(json, "createdTime", -1),
    };
    out->id = out->id != NULL ? out->id : "";
    out->schema = out->schema != NULL ? out->schema : DELTA_SCHEMA_EMPTY;
}

static bool version_fits(int64_t version) { return version >= 1 && version <= INT32_MAX; }

static bool protocol_parse(json_t *json, struct arena *arena, struct delta_protocol *out)
{
    int64_t reader = int_of(json, "minReaderVersion", 0), writer = int_of(json, "minWriterVersion", 0);
    if (!version_fits(reader) || !version_fits(writer))
        return false;
    *out = (struct delta_protocol){
        .reader = (int32_t)reader,
        .writer = (int32_t)writer,
        .reader_features = names_of(json, "readerFeatures", arena),
        .writer_features = names_of(json, "writerFeatures", arena),
    };
    return true;
}

static bool small_parse(json_t *json, struct arena *arena, struct delta_action *out)
{
    switch (out->kind) {
    case DELTA_TRANSACTION:
        out->transaction = (struct delta_transaction){text_of(json, "appId", arena), int_of(json, "version", -1),
                                                      int_of(json, "lastUpdated", -1)};
        return out->transaction.app_id != NULL;
    case DELTA_DOMAIN:
        out->domain = (struct delta_domain){text_of(json, "domain", arena), text_of(json, "configuration", arena),
                                            json_is_true(json_object_get(json, "removed"))};
        return out->domain.domain != NULL;
    case DELTA_SIDECAR:
        out->sidecar = (struct delta_sidecar){text_of(json, "path", arena), int_of(json, "sizeInBytes", -1)};
        return out->sidecar.path != NULL;
    case DELTA_INFO:
        out->info = (struct delta_info){int_of(json, "timestamp", -1), int_of(json, "inCommitTimestamp", -1),
                                        text_of(json, "txnId", arena), text_of(json, "operation", arena)};
        return true;
    default: return true;
    }
}

static bool body_parse(json_t *json, struct arena *arena, struct delta_action *out)
{
    if (!json_is_object(json))
        return false;
    switch (out->kind) {
    case DELTA_ADD: return file_parse(json, "modificationTime", arena, &out->file);
    case DELTA_REMOVE: return file_parse(json, "deletionTimestamp", arena, &out->file);
    case DELTA_METADATA: metadata_parse(json, arena, &out->metadata); return true;
    case DELTA_PROTOCOL: return protocol_parse(json, arena, &out->protocol);
    default: return small_parse(json, arena, out);
    }
}

enum code delta_action_parse(struct bytes line, struct arena *arena, struct delta_action *out, struct error *err)
{
    static const char *const names[DELTA_KIND_COUNT] = {
        [DELTA_ADD] = "add",           [DELTA_REMOVE] = "remove",   [DELTA_METADATA] = "metaData",
        [DELTA_PROTOCOL] = "protocol", [DELTA_TRANSACTION] = "txn", [DELTA_DOMAIN] = "domainMetadata",
        [DELTA_INFO] = "commitInfo",   [DELTA_SIDECAR] = "sidecar", [DELTA_CHECKPOINT] = "checkpointMetadata"};
    json_t *json = json_loadb((const char *)line.data, line.size, JSON_REJECT_DUPLICATES, NULL);
    struct delta_action action = {.kind = DELTA_OTHER};
    bool fine = json_is_object(json);
    for (int kind = DELTA_ADD; fine && kind < DELTA_KIND_COUNT && action.kind == DELTA_OTHER; kind++) {
        json_t *body = json_object_get(json, names[kind]);
        if (body == NULL || json_is_null(body))
            continue;
        action.kind = (enum delta_kind)kind;
        fine = body_parse(body, arena, &action);
    }
    json_decref(json);
    if (!fine)
        return fail(err, E_CORRUPT, "no action of a Delta log: %.*s",
                    (int)(line.size < LINE_SHOWN ? line.size : LINE_SHOWN), (const char *)line.data);
    *out = action;
    return E_OK;
}

/* ---- looking up ---- */

const char *delta_map_get(const struct delta_map *map, const char *name)
{
    for (int32_t i = 0; i < map->count; i++)
        if (strcmp(map->items[i].name, name) == 0)
            return map->items[i].value;
    return NULL;
}

bool delta_names_have(const struct delta_names *names, const char *name)
{
    for (int32_t i = 0; i < names->count; i++)
        if (strcmp(names->items[i], name) == 0)
            return true;
    return false;
}

/* ---- copies ---- */

static const char *text_copy(const char *text, struct arena *arena)
{
    return text != NULL ? arena_strdup(arena, text) : NULL;
}

static struct delta_map map_copy(const struct delta_map *map, struct arena *arena)
{
    struct delta_map out = {arena_array(arena, struct delta_pair, (size_t)map->count), map->count};
    for (int32_t i = 0; i < map->count; i++)
        out.items[i] = (struct delta_pair){text_copy(map->items[i].name, arena), text_copy(map->items[i].value, arena)};
    return out;
}

static struct delta_names names_copy(const struct delta_names *names, struct arena *arena)
{
    struct delta_names out = {arena_array(arena, const char *, (size_t)names->count), names->count};
    for (int32_t i = 0; i < names->count; i++)
        out.items[i] = text_copy(names->items[i], arena);
    return out;
}

struct delta_file delta_file_copy(const struct delta_file *file, struct arena *arena, bool whole)
{
    struct delta_file out = *file;
    out.path = text_copy(file->path, arena);
    out.partitions = map_copy(&file->partitions, arena);
    out.tags = whole ? map_copy(&file->tags, arena) : (struct delta_map){0};
    out.stats = whole ? text_copy(file->stats, arena) : NULL;
    out.vector.text = text_copy(file->vector.text, arena);
    out.clustering = text_copy(file->clustering, arena);
    return out;
}

struct delta_protocol delta_protocol_copy(const struct delta_protocol *protocol, struct arena *arena)
{
    return (struct delta_protocol){protocol->reader, protocol->writer, names_copy(&protocol->reader_features, arena),
                                   names_copy(&protocol->writer_features, arena)};
}

struct delta_metadata delta_metadata_copy(const struct delta_metadata *metadata, struct arena *arena)
{
    return (struct delta_metadata){
        .id = text_copy(metadata->id, arena),
        .name = text_copy(metadata->name, arena),
        .description = text_copy(metadata->description, arena),
        .schema = text_copy(metadata->schema, arena),
        .partition_columns = names_copy(&metadata->partition_columns, arena),
        .configuration = map_copy(&metadata->configuration, arena),
        .created_ms = metadata->created_ms,
    };
}

struct delta_action delta_action_copy(const struct delta_action *action, struct arena *arena)
{
    struct delta_action out = *action;
    switch (action->kind) {
    case DELTA_ADD:
    case DELTA_REMOVE: out.file = delta_file_copy(&action->file, arena, true); break;
    case DELTA_METADATA: out.metadata = delta_metadata_copy(&action->metadata, arena); break;
    case DELTA_PROTOCOL: out.protocol = delta_protocol_copy(&action->protocol, arena); break;
    case DELTA_TRANSACTION: out.transaction.app_id = text_copy(action->transaction.app_id, arena); break;
    case DELTA_DOMAIN:
        out.domain.domain = text_copy(action->domain.domain, arena);
        out.domain.configuration = text_copy(action->domain.configuration, arena);
        break;
    case DELTA_INFO:
        out.info.nonce = text_copy(action->info.nonce, arena);
        out.info.operation = text_copy(action->info.operation, arena);
        break;
    case DELTA_SIDECAR: out.sidecar.path = text_copy(action->sidecar.path, arena); break;
    default: break;
    }
    return out;
}

/* delta_print.c - an action as a line of the log. What is not known is left out, not null. */
#include <inttypes.h>

#include "delta/delta_internal.h"

/* ---- JSON ---- */

static void quote(const char *text, struct text *out) { text_add_json(out, bytes_of_string(text)); }

static void quote_or_null(const char *text, struct text *out)
{
    if (text != NULL)
        quote(text, out);
    else
        text_add_string(out, "null");
}

/* A member behind others. */
static void put_text(const char *name, const char *value, struct text *out)
{
    if (value == NULL)
        return;
    text_printf(out, ",\"%s\":", name);
    quote(value, out);
}

static void put_int(const char *name, int64_t value, struct text *out)
{
    if (value >= 0)
        text_printf(out, ",\"%s\":%" PRId64, name, value);
}

static void put_map(const char *name, const struct delta_map *map, struct text *out)
{
    text_printf(out, ",\"%s\":{", name);
    for (int32_t i = 0; i < map->count; i++) {
        if (i > 0)
            text_add_char(out, ',');
        quote(map->items[i].name, out);
        text_add_char(out, ':');
        quote_or_null(map->items[i].value, out);
    }
    text_add_char(out, '}');
}

static void put_names(const char *name, const struct delta_names *names, struct text *out)
{
    text_printf(out, ",\"%s\":[", name);
    for (int32_t i = 0; i < names->count; i++) {
        if (i > 0)
            text_add_char(out, ',');
        quote(names->items[i], out);
    }
    text_add_char(out, ']');
}

/* ---- actions ---- */

static void vector_print(const struct delta_vector *vector, struct text *out)
{
    if (vector->storage == '\0')
        return;
    text_printf(out, ",\"deletionVector\":{\"storageType\":\"%c\"", vector->storage);
    put_text("pathOrInlineDv", vector->text, out);
    put_int("offset", vector->offset, out);
    put_int("sizeInBytes", vector->size_bytes, out);
    put_int("cardinality", vector->cardinality, out);
    text_add_char(out, '}');
}

static void file_print(const struct delta_file *file, bool add, struct text *out)
{
    text_add_string(out, add ? "{\"add\":{\"path\":" : "{\"remove\":{\"path\":");
    quote(file->path, out);
    put_int(add ? "modificationTime" : "deletionTimestamp", file->time_ms, out);
    text_printf(out, ",\"dataChange\":%s", file->data_change ? "true" : "false");
    if (!add && file->size_bytes >= 0)
        text_add_string(out, ",\"extendedFileMetadata\":true");
    if (add || file->size_bytes >= 0)
        put_map("partitionValues", &file->partitions, out);
    put_int("size", file->size_bytes, out);
    if (add)
        put_text("stats", file->stats, out);
    if (file->tags.count > 0)
        put_map("tags", &file->tags, out);
    vector_print(&file->vector, out);
    put_int("baseRowId", file->base_row_id, out);
    put_int("defaultRowCommitVersion", file->row_commit_version, out);
    if (add)
        put_text("clusteringProvider", file->clustering, out);
    text_add_string(out, "}}");
}

static void metadata_print(const struct delta_metadata *metadata, struct text *out)
{
    text_add_string(out, "{\"metaData\":{\"id\":");
    quote(metadata->id, out);
    put_text("name", metadata->name, out);
    put_text("description", metadata->description, out);
    text_add_string(out, ",\"format\":{\"provider\":\"parquet\",\"options\":{}}");
    put_text("schemaString", metadata->schema, out);
    put_names("partitionColumns", &metadata->partition_columns, out);
    put_map("configuration", &metadata->configuration, out);
    put_int("createdTime", metadata->created_ms, out);
    text_add_string(out, "}}");
}

static void protocol_print(const struct delta_protocol *protocol, struct text *out)
{
    text_printf(out, "{\"protocol\":{\"minReaderVersion\":%d,\"minWriterVersion\":%d", protocol->reader,
                protocol->writer);
    if (protocol->reader >= 3)
        put_names("readerFeatures", &protocol->reader_features, out);
    if (protocol->writer >= 7)
        put_names("writerFeatures", &protocol->writer_features, out);
    text_add_string(out, "}}");
}

static void domain_print(const struct delta_domain *domain, struct text *out)
{
    text_add_string(out, "{\"domainMetadata\":{\"domain\":");
    quote(domain->domain, out);
    put_text("configuration", domain->configuration != NULL ? domain->configuration : "", out);
    text_printf(out, ",\"removed\":%s}}", domain->removed ? "true" : "false");
}

void delta_action_print(const struct delta_action *action, struct text *out)
{
    switch (action->kind) {
    case DELTA_ADD: file_print(&action->file, true, out); break;
    case DELTA_REMOVE: file_print(&action->file, false, out); break;
    case DELTA_METADATA: metadata_print(&action->metadata, out); break;
    case DELTA_PROTOCOL: protocol_print(&action->protocol, out); break;
    case DELTA_DOMAIN: domain_print(&action->domain, out); break;
    case DELTA_TRANSACTION:
        text_add_string(out, "{\"txn\":{\"appId\":");
        quote(action->transaction.app_id, out);
        text_printf(out, ",\"version\":%" PRId64, action->transaction.version);
        put_int("lastUpdated", action->transaction.updated_ms, out);
        text_add_string(out, "}}");
        break;
    default: always(false); // commitInfo is delta_table.c's, the others are a checkpoint's
    }
}

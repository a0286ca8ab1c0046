#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

#include "sink/directory.h"

void parts_add(struct parts *parts, const struct part *part)
{
    mem_grow(parts->items, parts->capacity, parts->count + 1);
    parts->items[parts->count++] = *part;
}

void parts_free(struct parts *parts)
{
    for (int32_t i = 0; i < parts->count; i++) {
        mem_free(parts->items[i].staged);
        mem_free(parts->items[i].final);
        mem_free(parts->items[i].summary);
        mem_free(parts->items[i].handle);
    }
    mem_free(parts->items);
    *parts = (struct parts){0};
}

struct staged part_staged(const struct part *part)
{
    return (struct staged){part->staged, part->final, part->handle, part->size_bytes};
}

enum code token_print(const struct parts *parts, struct text *out, struct error *err)
{
    json_t *files = json_array();
    for (int32_t i = 0; i < parts->count; i++) {
        const struct part *part = &parts->items[i];
        char checksum[17];
        snprintf(checksum, sizeof checksum, "%016" PRIx64, part->checksum);
        json_array_append_new(files, json_pack("{s:s, s:s, s:I, s:I, s:s, s:s*, s:s*}", "staged", part->staged, "final",
                                               part->final, "size", (json_int_t)part->size_bytes, "rows",
                                               (json_int_t)part->rows, "checksum", checksum, "handle", part->handle,
                                               "summary", part->summary));
    }
    json_t *json = json_pack("{s:o}", "files", files);
    if (parts->replace)
        json_object_set_new(json, "replace", json_true());
    char *dump = json_dumps(json, JSON_COMPACT);
    bool whole = (int32_t)json_array_size(files) == parts->count;
    json_decref(json);
    if (dump == NULL || !whole) {
        mem_free(dump);
        return fail(err, E_DATA, "a partition value is not UTF-8 text and cannot name a folder");
    }
    enum code code = E_OK;
    if (strlen(dump) > SINK_TOKEN_MAX)
        code = fail(err, E_UNSUPPORTED,
                    "one epoch wrote %d files, more than its record can hold; partition by fewer values", parts->count);
    else
        text_add_string(out, dump);
    mem_free(dump);
    return code;
}

static const char STAGING[] = "_staging/";

/* The store refuses paths that leave it; here only the roles of the two names are checked. */
static bool part_parse(const json_t *file, struct part *out)
{
    const char *staged = json_string_value(json_object_get(file, "staged"));
    const char *final = json_string_value(json_object_get(file, "final"));
    const char *checksum = json_string_value(json_object_get(file, "checksum"));
    const char *handle = json_string_value(json_object_get(file, "handle"));
    const char *summary = json_string_value(json_object_get(file, "summary"));
    json_t *size = json_object_get(file, "size"), *rows = json_object_get(file, "rows");
    char *end = NULL;
    if (staged == NULL || final == NULL || checksum == NULL || !json_is_integer(size) || !json_is_integer(rows) ||
        strncmp(staged, STAGING, sizeof STAGING - 1) != 0 || strncmp(final, STAGING, sizeof STAGING - 1) == 0)
        return false;
    uint64_t sum = strtoull(checksum, &end, 16);
    if (strlen(checksum) != 16 || *end != '\0' || json_integer_value(size) < 0 || json_integer_value(rows) < 0)
        return false;
    *out = (struct part){.staged = mem_strdup(staged),
                         .final = mem_strdup(final),
                         .handle = handle != NULL ? mem_strdup(handle) : NULL,
                         .summary = summary != NULL ? mem_strdup(summary) : NULL,
                         .size_bytes = json_integer_value(size),
                         .rows = json_integer_value(rows),
                         .checksum = sum};
    return true;
}

enum code token_parse(struct bytes token, struct parts *out, struct error *err)
{
    struct parts parts = {0};
    if (token.size == 0) {
        *out = parts;
        return E_OK;
    }
    json_error_t where;
    json_t *json = json_loadb((const char *)token.data, token.size, JSON_REJECT_DUPLICATES, &where);
    if (json == NULL)
        return fail(err, E_CORRUPT, "the token in the commit record is no JSON: %s", where.text);
    json_t *files = json_object_get(json, "files");
    bool fine = json_is_object(json) && (files == NULL || json_is_array(files));
    for (size_t i = 0; fine && i < json_array_size(files); i++) {
        struct part part;
        fine = part_parse(json_array_get(files, i), &part);
        if (fine)
            parts_add(&parts, &part);
    }
    parts.replace = json_is_true(json_object_get(json, "replace"));
    json_decref(json);
    if (!fine) {
        parts_free(&parts);
        return fail(err, E_CORRUPT, "the token in the commit record does not list files");
    }
    *out = parts;
    return E_OK;
}

/* merge_list.c - what a merged file was made of, as JSON beside it: `_merged-<...>.list`. Readers skip names that begin with
 * '_', and it changes places with the files that it is about (store_swap), so there is no time at which it is not true.
 */
#include "sink/merge.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LIST_VERSION = 1 };

static json_t *file_pack(const struct sink_file *file)
{
    char checksum[17];
    snprintf(checksum, sizeof checksum, "%016" PRIx64, file->checksum);
    return json_pack("{s:s, s:I, s:I, s:s}", "final", file->final, "size", (json_int_t)file->size_bytes, "rows",
                     (json_int_t)file->rows, "checksum", checksum);
}

enum code merge_list_print(const struct sink_file *file, const struct sink_file *inputs, int32_t count,
                           struct text *out, struct error *err)
{
    json_t *list = json_array();
    for (int32_t i = 0; i < count; i++)
        json_array_append_new(list, file_pack(&inputs[i]));
    bool whole = (int32_t)json_array_size(list) == count;
    json_t *json = json_pack("{s:i, s:o, s:o}", "version", LIST_VERSION, "file", file_pack(file), "inputs", list);
    char *dump = json == NULL ? NULL : json_dumps(json, JSON_COMPACT);
    json_decref(json);
    if (dump != NULL && whole)
        text_printf(out, "%s\n", dump);
    enum code code = dump != NULL && whole ? E_OK : fail(err, E_DATA, "the names of files are not UTF-8 text");
    mem_free(dump);
    return code;
}

static bool file_parse(const json_t *json, struct arena *arena, struct sink_file *out)
{
    const char *final = json_string_value(json_object_get(json, "final"));
    const char *checksum = json_string_value(json_object_get(json, "checksum"));
    const json_t *size = json_object_get(json, "size"), *rows = json_object_get(json, "rows");
    char *end = NULL;
    if (final == NULL || checksum == NULL || strlen(checksum) != 16 || !json_is_integer(size) ||
        !json_is_integer(rows) || json_integer_value(size) < 0)
        return false;
    *out = (struct sink_file){
        .final = arena_strdup(arena, final),
        .size_bytes = json_integer_value(size),
        .rows = json_integer_value(rows),
        .checksum = strtoull(checksum, &end, 16),
    };
    return *end == '\0';
}

enum code sink_merge_parse(struct bytes text, struct arena *arena, struct sink_merge_list *out, struct error *err)
{
    json_error_t where;
    json_t *json = json_loadb((const char *)text.data, text.size, JSON_REJECT_DUPLICATES, &where);
    const json_t *inputs = json_object_get(json, "inputs");
    struct sink_merge_list list = {.input_count = (int32_t)json_array_size(inputs)};
    bool fine = json_integer_value(json_object_get(json, "version")) == LIST_VERSION && json_is_array(inputs) &&
                json_array_size(inputs) <= MERGE_INPUTS_MAX &&
                file_parse(json_object_get(json, "file"), arena, &list.file);
    list.inputs = arena_array(arena, struct sink_file, fine ? (size_t)list.input_count : 0);
    for (int32_t i = 0; fine && i < list.input_count; i++)
        fine = file_parse(json_array_get(inputs, (size_t)i), arena, &list.inputs[i]);
    json_decref(json);
    if (!fine)
        return fail(err, E_CORRUPT, "it does not say what was merged");
    *out = list;
    return E_OK;
}

#include <jansson.h>

#include "sink/delta_publish.h"

/* ---- printing ---- */

static json_t *names_json(const struct delta_names *names)
{
    json_t *array = json_array();
    for (int32_t i = 0; i < names->count; i++)
        json_array_append_new(array, json_string(names->items[i]));
    return array;
}

static json_t *map_json(const struct delta_map *map)
{
    json_t *object = json_object();
    for (int32_t i = 0; i < map->count; i++)
        json_object_set_new(object, map->items[i].name, json_string(map->items[i].value));
    return object;
}

enum code delta_token_print(struct bytes files, const char *app_id, const struct delta_wanted *wanted, struct text *out,
                            struct error *err)
{
    json_t *json = json_loadb((const char *)files.data, files.size, 0, NULL);
    always(json != NULL);
    json_object_set_new(json, "delta",
                        json_pack("{s:s, s:s*, s:s, s:o, s:o}", "app", app_id, "name", wanted->name, "schema",
                                  wanted->schema, "partitions", names_json(&wanted->partition_columns), "properties",
                                  map_json(&wanted->properties)));
    char *dump = json_dumps(json, JSON_COMPACT);
    json_decref(json);
    enum code code = dump != NULL && strlen(dump) <= SINK_TOKEN_MAX
                         ? E_OK
                         : fail(err, E_UNSUPPORTED,
                                "one epoch wrote more files than its record can hold; partition by fewer values");
    if (code == E_OK)
        text_add_string(out, dump);
    mem_free(dump);
    return code;
}

/* ---- parsing ---- */

static const char *text_of(const json_t *json, const char *name, struct arena *arena)
{
    const char *text = json_string_value(json_object_get(json, name));
    return text != NULL ? arena_strdup(arena, text) : NULL;
}

static void wanted_read(json_t *json, struct delta_token *out)
{
    const json_t *partitions = json_object_get(json, "partitions"), *item;
    json_t *properties = json_object_get(json, "properties"), *value;
    const char *key;
    size_t i;
    struct delta_wanted *wanted = &out->wanted;
    wanted->name = text_of(json, "name", &out->arena);
    wanted->schema = text_of(json, "schema", &out->arena);
    wanted->partition_columns.items = arena_array(&out->arena, const char *, json_array_size(partitions));
    json_array_foreach(partitions, i, item) if (json_is_string(item))
        wanted->partition_columns.items[wanted->partition_columns.count++] =
        arena_strdup(&out->arena, json_string_value(item));
    wanted->properties.items = arena_array(&out->arena, struct delta_pair, json_object_size(properties));
    json_object_foreach(properties, key, value) if (json_is_string(value))
        wanted->properties.items[wanted->properties.count++] =
        (struct delta_pair){arena_strdup(&out->arena, key), arena_strdup(&out->arena, json_string_value(value))};
    out->app_id = text_of(json, "app", &out->arena);
}

enum code delta_token_parse(struct bytes token, struct delta_token *out, struct error *err)
{
    struct delta_token parsed = {0};
    TRY(token_parse(token, &parsed.parts, err));
    json_t *json = json_loadb((const char *)token.data, token.size, 0, NULL), *delta = json_object_get(json, "delta");
    if (delta != NULL)
        wanted_read(delta, &parsed);
    json_decref(json);
    if (delta != NULL && (parsed.app_id == NULL || parsed.wanted.schema == NULL)) {
        delta_token_free(&parsed);
        return fail(err, E_CORRUPT, "the token in the commit record does not say what a Delta commit needs");
    }
    *out = parsed;
    return E_OK;
}

void delta_token_free(struct delta_token *token)
{
    parts_free(&token->parts);
    arena_free(&token->arena);
    *token = (struct delta_token){0};
}

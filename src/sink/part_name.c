/* part_name.c - what the names of files and the tokens of file sinks say; part_files.c and token.c make them. */
#include "sink/directory.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

/* Digits from *at on, at most 18, as a number; -1 when there are none. */
static int64_t digits_take(const char **at)
{
    int64_t value = 0;
    const char *p = *at;
    while (isdigit((unsigned char)*p) && p - *at < 18)
        value = 10 * value + (*p++ - '0');
    bool some = p > *at;
    *at = p;
    return some ? value : -1;
}

/* 8 hex digits and '-'. */
static bool query_take(const char **at, char *query8)
{
    if (strspn(*at, "0123456789abcdef") != 8 || (*at)[8] != '-')
        return false;
    memcpy(query8, *at, 8);
    query8[8] = '\0';
    *at += 9;
    return true;
}

/* <Q8>-<E>-<n>-<attempt>.staged */
static bool staged_parse(const char *at, struct sink_part_name *out)
{
    if (!query_take(&at, out->query8))
        return false;
    out->epoch = digits_take(&at);
    if (out->epoch < 0 || *at++ != '-')
        return false;
    int64_t number = digits_take(&at);
    out->number = (int32_t)number;
    return number >= 0 && number <= INT32_MAX && *at == '-' && strlen(at) == 16 && strcmp(at + 9, ".staged") == 0;
}

/* part-<Q8>-<T>-<E>-<n><suffix> */
static bool final_parse(const char *at, struct sink_part_name *out)
{
    if (strncmp(at, "part-", 5) != 0)
        return false;
    at += 5;
    if (!query_take(&at, out->query8) || digits_take(&at) < 0 || *at++ != '-')
        return false;
    out->epoch = digits_take(&at);
    if (out->epoch < 0 || *at++ != '-')
        return false;
    int64_t number = digits_take(&at);
    out->number = (int32_t)number;
    return number >= 0 && number <= INT32_MAX && *at == '.';
}

/* merged-<Q8>-<first E>-<E>-<attempt><suffix> */
static bool merged_parse(const char *at, struct sink_part_name *out)
{
    if (strncmp(at, "merged-", 7) != 0)
        return false;
    at += 7;
    if (!query_take(&at, out->query8))
        return false;
    out->first_epoch = digits_take(&at);
    if (out->first_epoch < 0 || *at++ != '-')
        return false;
    out->epoch = digits_take(&at);
    out->merged = true;
    return out->epoch >= out->first_epoch && *at == '-' && strspn(at + 1, "0123456789abcdef") == 8 && at[9] == '.';
}

static const char *base_name(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash != NULL ? slash + 1 : path;
}

bool sink_merge_is_list(const char *path)
{
    const char *name = base_name(path);
    size_t size = strlen(name);
    return strncmp(name, "_merged-", 8) == 0 && size > 5 && strcmp(name + size - 5, ".list") == 0;
}

bool sink_part_parse(const char *path, struct sink_part_name *out)
{
    struct sink_part_name name = {.staged = strncmp(path, "_staging/", 9) == 0};
    if (name.staged ? !staged_parse(path + 9, &name)
                    : !final_parse(base_name(path), &name) && !merged_parse(base_name(path), &name))
        return false;
    name.first_epoch = name.merged ? name.first_epoch : name.epoch;
    *out = name;
    return true;
}

void sink_part_columns(const char *path, struct text *out)
{
    struct arena arena = {0};
    size_t start = out->size;
    for (const char *slash; (slash = strchr(path, '/')) != NULL; path = slash + 1) {
        const char *equals = memchr(path, '=', (size_t)(slash - path));
        if (equals == NULL)
            continue;
        text_add_string(out, out->size > start ? ", " : "");
        text_add_string(out, store_name_decode(&arena, path, (size_t)(equals - path)));
    }
    arena_free(&arena);
}

/* kafka_sink.c: {"records":12} */
static int64_t records_of(struct bytes token)
{
    static const char member[] = "{\"records\":";
    enum { DIGITS_MAX = 18 };
    int64_t records = 0;
    size_t at = sizeof member - 1;
    if (token.size < at || memcmp(token.data, member, at) != 0)
        return 0;
    for (size_t end = at + DIGITS_MAX; at < token.size && at < end && token.data[at] >= '0' && token.data[at] <= '9';
         at++)
        records = records * 10 + (token.data[at] - '0');
    return records;
}

enum code sink_token_files(struct bytes token, struct arena *arena, struct sink_files *out, struct error *err)
{
    struct parts parts = {0};
    static const char member[] = "\"files\"", delta_member[] = ",\"delta\":{\"app\":"; // delta_token.c
    *out = (struct sink_files){.known = token.size >= sizeof member &&
                                        memmem(token.data, token.size, member, sizeof member - 1) != NULL};
    if (!out->known) {
        out->records = records_of(token);
        return E_OK;
    }
    TRY(token_parse(token, &parts, err));
    out->items = arena_array(arena, struct sink_file, (size_t)parts.count);
    out->count = parts.count;
    out->replace = parts.replace;
    out->delta = memmem(token.data, token.size, delta_member, sizeof delta_member - 1) != NULL;
    for (int32_t i = 0; i < parts.count; i++)
        out->items[i] = (struct sink_file){
            .staged = arena_strdup(arena, parts.items[i].staged),
            .final = arena_strdup(arena, parts.items[i].final),
            .handle = parts.items[i].handle != NULL ? arena_strdup(arena, parts.items[i].handle) : NULL,
            .size_bytes = parts.items[i].size_bytes,
            .rows = parts.items[i].rows,
            .checksum = parts.items[i].checksum,
        };
    parts_free(&parts);
    return E_OK;
}

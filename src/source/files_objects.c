/* files_objects.c - which objects match a path.
 *
 * A bucket has no folders to walk: all below the part of the path without * ? [ are listed, a thousand a request, and each
 * name is held against the rest, part by part, by the rules of files_list.c.
 */
#include <fnmatch.h>

#include "source/files_place.h"

enum { PARTS_MAX = 64 };

struct finding {
    const struct files_settings *settings;
    const struct files_log *log;
    struct found_files *found;
    const char *bucket; /* "s3://bucket/" */
    const char *patterns[PARTS_MAX + 1];
    int32_t pattern_count, prefix_parts;
};

/* The name's next part; false: there is none. */
static bool part_next(const char **at, const char **part, size_t *size)
{
    if (**at == '\0')
        return false;
    *part = *at;
    *size = strcspn(*at, "/");
    *at += *size + ((*at)[*size] == '/');
    return true;
}

static bool part_matches(const char *pattern, const char *part, size_t size)
{
    char name[256];
    if (size >= sizeof name)
        return false;
    memcpy(name, part, size);
    name[size] = '\0';
    return fnmatch(pattern, name, FNM_PERIOD) == 0 && (strpbrk(pattern, "*?[") == NULL || !files_hidden(name));
}

static enum code no_folders(const struct finding *self, const char *path, struct error *err)
{
    return fail(err, E_UNSUPPORTED,
                "%s%s is below a folder name=value; this version reads folders of files: name them with a pattern, and "
                "take the value from the file's lines",
                self->bucket, path);
}

/* Behind the pattern: folders name=value, and then the file. */
static enum code rest_fits(const struct finding *self, const char *path, const char *rest, bool *fits,
                           struct error *err)
{
    const char *part;
    size_t size;
    *fits = false;
    while (part_next(&rest, &part, &size)) {
        bool is_file = *rest == '\0';
        if (part[0] == '_' || part[0] == '.' || (is_file && files_hidden(part)) ||
            (!is_file && memchr(part, '=', size) == NULL))
            return E_OK;
        if (!is_file && !self->settings->partitioned)
            return no_folders(self, path, err);
    }
    *fits = true;
    return E_OK;
}

/* `log` is where a part of `path` begins: is it a Delta table's log? */
static enum code no_delta(const struct finding *self, const char *path, const char *log, struct error *err)
{
    size_t size = sizeof FILES_DELTA_LOG - 1;
    if (strncmp(log, FILES_DELTA_LOG, size) != 0 || log[size] != '/')
        return E_OK;
    struct text root = {0};
    text_printf(&root, "%s%.*s", self->bucket, (int)(log > path ? log - path - 1 : 0), path);
    enum code code = files_refuse_delta(self->settings, root.data, err);
    text_free(&root);
    return code;
}

static enum code entry_look(const struct finding *self, const struct store_entry *entry, struct error *err)
{
    const char *at = entry->path, *part;
    size_t size;
    bool fits = false;
    for (int32_t i = 0; i < self->prefix_parts; i++)
        (void)part_next(&at, &part, &size);
    for (int32_t i = 0; i < self->pattern_count; i++) {
        TRY(no_delta(self, entry->path, at, err));
        if (!part_next(&at, &part, &size) || !part_matches(self->patterns[i], part, size))
            return E_OK;
    }
    TRY(no_delta(self, entry->path, at, err));
    TRY(rest_fits(self, entry->path, at, &fits, err));
    if (!fits)
        return E_OK;
    struct text name = {0};
    text_printf(&name, "%s%s", self->bucket, entry->path);
    enum code code =
        found_files_add(self->found, self->settings, self->log, name.data, entry->size_bytes, entry->modified_us, err);
    text_free(&name);
    return code;
}

/* The path may be that of a file. */
static enum code file_look(const struct finding *self, struct store *store, const char *key, struct error *err)
{
    struct store_list list;
    char folder[STORE_PATH_MAX];
    const char *slash = strrchr(key, '/');
    bool there = false;
    size_t size = slash != NULL ? (size_t)(slash - key) : 0;
    memcpy(folder, key, size);
    folder[size] = '\0';
    TRY(store_list(store, folder, false, &list, err));
    enum code code = E_OK;
    for (int32_t i = 0; code == E_OK && i < list.count; i++)
        if (strcmp(list.entries[i].path, key) == 0) {
            there = true;
            code = entry_look(self, &list.entries[i], err);
        }
    store_list_free(&list);
    if (code == E_OK && !there && !self->settings->may_lack)
        return fail(err, E_ABSENT, "[PATH_NOT_FOUND] Path does not exist: %s", self->settings->path);
    return code;
}

static enum code entries_look(const struct finding *self, struct store *store, const char *prefix, struct error *err)
{
    struct store_list list;
    TRY(store_list(store, prefix, true, &list, err));
    bool maybe_file = list.count == 0 && self->pattern_count == 0 && prefix[0] != '\0';
    enum code code = maybe_file ? file_look(self, store, prefix, err) : E_OK;
    for (int32_t i = 0; code == E_OK && i < list.count; i++)
        code = entry_look(self, &list.entries[i], err);
    store_list_free(&list);
    return code;
}

/* The folder that all are below, and the patterns of what comes after it. */
static enum code key_split(struct finding *self, char *key, struct text *prefix, struct error *err)
{
    char *rest = NULL;
    for (char *part = strtok_r(key, "/", &rest); part != NULL; part = strtok_r(NULL, "/", &rest)) {
        if (self->prefix_parts + self->pattern_count == PARTS_MAX)
            return fail(err, E_SPEC, "path %s has more than %d parts", self->settings->path, PARTS_MAX);
        if (self->pattern_count > 0 || strpbrk(part, "*?[") != NULL) {
            self->patterns[self->pattern_count++] = part;
        } else {
            text_printf(prefix, "%s%s", self->prefix_parts++ > 0 ? "/" : "", part);
        }
    }
    text_add_string(prefix, "");
    return prefix->size < STORE_PATH_MAX ? E_OK : fail(err, E_SPEC, "path %s is too long", self->settings->path);
}

enum code place_find(const struct files_settings *settings, const struct files_log *log, struct found_files *out,
                     struct error *err)
{
    struct finding self = {.settings = settings, .log = log, .found = out};
    struct store *store = NULL;
    const char *key;
    struct text prefix = {0}, bucket = {0};
    TRY(place_bucket(settings->path, &store, &key, err));
    text_printf(&bucket, "%s/", store_root(store));
    self.bucket = bucket.data;
    char *copy = mem_strdup(key);
    enum code code = key_split(&self, copy, &prefix, err);
    if (code == E_OK)
        code = entries_look(&self, store, prefix.data, err);
    mem_free(copy);
    text_free(&prefix);
    text_free(&bucket);
    store_close(store);
    return code;
}

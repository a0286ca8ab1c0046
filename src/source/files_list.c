/* files_list.c - which files lie there now.
 *
 * A path is walked part by part: a part without * ? [ is just entered, another one is matched with
 * what its folder has. Names that begin with _ or . are left out, as Spark does: they are
 * unfinished, or no data.
 */
#include "source/files_place.h"

#include <errno.h>
#include <fnmatch.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/os.h"

enum { PARTS_MAX = 64 }; /* of a path */

void found_files_free(struct found_files *found)
{
    for (int32_t i = 0; i < found->count; i++) {
        mem_free(found->items[i].name);
        mem_free(found->items[i].add);
    }
    mem_free(found->items);
    *found = (struct found_files){0};
}

struct walk {
    const struct files_settings *settings;
    const struct files_log *log;
    struct found_files *found;
    int32_t folders; /* listed so far */
    struct error *err;
};

/* What a folder has. */
struct names {
    struct arena arena;
    const char **items;
    bool *folders; /* per item: name=value */
    int32_t count, capacity, folder_capacity;
    bool partitions; /* a folder like day=1 is among them */
    bool delta;      /* a Delta table's log is */
};

static void names_close(struct names *names)
{
    mem_free(names->items);
    mem_free(names->folders);
    arena_free(&names->arena);
}

bool files_hidden(const char *name)
{
    static const char copying[] = "._COPYING_";
    size_t size = strlen(name), tail = sizeof copying - 1;
    return name[0] == '_' || name[0] == '.' || (size >= tail && strcmp(name + size - tail, copying) == 0);
}

static void name_add(void *context, const char *name, bool is_dir)
{
    struct names *names = context;
    names->delta |= is_dir && strcmp(name, FILES_DELTA_LOG) == 0;
    if (files_hidden(name))
        return;
    bool partition = is_dir && strchr(name, '=') != NULL;
    names->partitions |= partition;
    mem_grow(names->items, names->capacity, names->count + 1);
    mem_grow(names->folders, names->folder_capacity, names->count + 1);
    names->folders[names->count] = partition;
    names->items[names->count++] = arena_strdup(&names->arena, name);
}

enum code files_refuse_delta(const struct files_settings *settings, const char *root, struct error *err)
{
    return fail(
        err, E_SPEC,
        "[DELTA_INVALID_FORMAT] Incompatible format detected. A transaction log of Delta is at %s/" FILES_DELTA_LOG
        ", so files below it may have left the table: read %s as delta",
        root, settings->path);
}

static enum code names_read(struct walk *walk, const char *folder, struct names *out)
{
    if (++walk->folders > FILE_FOLDERS_MAX)
        return fail(walk->err, E_SPEC, "path %s matches more than %d folders", walk->settings->path, FILE_FOLDERS_MAX);
    TRY(os->list(folder, name_add, out, walk->err));
    return out->delta ? files_refuse_delta(walk->settings, folder, walk->err) : E_OK;
}

static enum code refuse_compressed(const char *name, struct error *err)
{
    static const char *const endings[] = {".gz", ".bz2", ".zst", ".lz4", ".snappy", ".deflate", ".xz", ".zip"};
    const char *dot = strrchr(name, '.');
    for (size_t i = 0; dot != NULL && i < sizeof endings / sizeof *endings; i++)
        if (strcmp(dot, endings[i]) == 0)
            return fail(err, E_UNSUPPORTED, "%s: this version reads no compressed files", name);
    return E_OK;
}

enum code found_files_add(struct found_files *found, const struct files_settings *settings, const struct files_log *log,
                          const char *path, int64_t size_bytes, int64_t modified_us, struct error *err)
{
    const char *name = strrchr(path, '/') + 1, *filter = settings->name_filter;
    if (files_log_knows(log, path) || modified_us < log->aged_us || (filter != NULL && fnmatch(filter, name, 0) != 0))
        return E_OK;
    TRY(refuse_compressed(path, err));
    if (log->count + found->count >= FILES_MAX)
        return fail(err, E_UNSUPPORTED,
                    "path %s: more than %d files to remember; a smaller maxFileAge forgets them earlier",
                    settings->path, FILES_MAX);
    mem_grow(found->items, found->capacity, found->count + 1);
    found->items[found->count++] = (struct found_file){mem_strdup(path), size_bytes, modified_us, -1, NULL};
    return E_OK;
}

/* A file that is gone between the listing and here is not there. */
static enum code file_found(struct walk *walk, const char *path)
{
    struct os_stat stat;
    struct error err = {0};
    if (files_log_knows(walk->log, path))
        return E_OK;
    enum code code = os->stat(path, &stat, &err);
    if (code == E_ABSENT || (code == E_OK && stat.is_dir))
        return E_OK;
    if (code != E_OK) {
        *walk->err = err;
        return code;
    }
    return found_files_add(walk->found, walk->settings, walk->log, path, stat.size_bytes, stat.modified_us, walk->err);
}

static enum code join_path(char *out, const char *folder, const char *name, struct error *err)
{
    int size = snprintf(out, PATH_MAX, "%s/%s", strcmp(folder, "/") == 0 ? "" : folder, name);
    return size < PATH_MAX ? E_OK : fail(err, E_SPEC, "%s/%s: the path is too long", folder, name);
}

static enum code folder_files(struct walk *walk, const char *folder)
{
    struct names names = {0};
    char path[PATH_MAX];
    enum code code = names_read(walk, folder, &names);
    if (code == E_OK && names.partitions && !walk->settings->partitioned)
        code = fail(walk->err, E_UNSUPPORTED,
                    "%s has partition folders (name=value); this version reads folders of files: name them with a "
                    "pattern, and take the value from the file's lines",
                    folder);
    for (int32_t i = 0; code == E_OK && i < names.count; i++) {
        code = join_path(path, folder, names.items[i], walk->err);
        if (code == E_OK)
            code = names.folders[i] ? folder_files(walk, path) : file_found(walk, path);
    }
    names_close(&names);
    return code;
}

/* A file is taken as it is, a folder with what lies in it. */
static enum code path_end(struct walk *walk, const char *path, bool must_exist)
{
    struct os_stat stat;
    struct error err = {0};
    enum code code = os->stat(path, &stat, &err);
    if (!must_exist && (code == E_ABSENT || (code != E_OK && err.sys == ENOTDIR)))
        return E_OK;
    if (code == E_ABSENT)
        return fail(walk->err, E_ABSENT, "[PATH_NOT_FOUND] Path does not exist: %s", path);
    if (code != E_OK) {
        *walk->err = err;
        return code;
    }
    return stat.is_dir ? folder_files(walk, path) : file_found(walk, path);
}

static enum code walk_parts(struct walk *walk, const char *base, char **parts, bool matched);

static enum code walk_matches(struct walk *walk, const char *base, char **parts)
{
    struct names names = {0};
    struct os_stat stat;
    struct error ignored = {0};
    char path[PATH_MAX];
    enum code code = E_OK;
    if (os->stat(base, &stat, &ignored) == E_OK && stat.is_dir)
        code = names_read(walk, base, &names);
    for (int32_t i = 0; code == E_OK && i < names.count; i++) {
        if (fnmatch(parts[0], names.items[i], FNM_PERIOD) != 0)
            continue;
        code = join_path(path, base, names.items[i], walk->err);
        if (code == E_OK)
            code = walk_parts(walk, path, parts + 1, true);
    }
    names_close(&names);
    return code;
}

/* Of folders that are only passed, and not listed. */
static enum code no_delta(const struct walk *walk, const char *folder)
{
    char log[PATH_MAX];
    struct os_stat stat;
    struct error ignored = {0};
    TRY(join_path(log, folder, FILES_DELTA_LOG, walk->err));
    bool there = os->stat(log, &stat, &ignored) == E_OK && stat.is_dir;
    return there ? files_refuse_delta(walk->settings, folder, walk->err) : E_OK;
}

/* parts ends with NULL. matched: a pattern came before, so that what follows need not be there. */
static enum code walk_parts(struct walk *walk, const char *base, char **parts, bool matched)
{
    char path[PATH_MAX];
    if (parts[0] == NULL)
        return path_end(walk, base, !matched && !walk->settings->may_lack);
    if (strpbrk(parts[0], "*?[") != NULL)
        return walk_matches(walk, base, parts);
    TRY(no_delta(walk, base));
    TRY(join_path(path, base, parts[0], walk->err));
    return walk_parts(walk, path, parts + 1, matched);
}

static int by_age(const void *a_, const void *b_)
{
    const struct found_file *a = a_, *b = b_;
    if (a->modified_us != b->modified_us)
        return a->modified_us < b->modified_us ? -1 : 1;
    return strcmp(a->name, b->name);
}

static enum code local_find(const struct files_settings *settings, const struct files_log *log, struct found_files *out,
                            struct error *err)
{
    struct walk walk = {settings, log, out, 0, err};
    char *copy = mem_strdup(settings->path), *parts[PARTS_MAX + 1] = {0}, *rest = NULL;
    int count = 0;
    enum code code = E_OK;
    for (char *part = strtok_r(copy, "/", &rest); part != NULL; part = strtok_r(NULL, "/", &rest)) {
        if (count == PARTS_MAX) {
            code = fail(err, E_SPEC, "path %s has more than %d parts", settings->path, PARTS_MAX);
            break;
        }
        parts[count++] = part;
    }
    if (code == E_OK)
        code = walk_parts(&walk, "/", parts, false);
    mem_free(copy);
    return code;
}

enum code files_find(const struct files_settings *settings, const struct files_log *log, struct found_files *out,
                     struct error *err)
{
    enum code code =
        place_is_remote(settings->path) ? place_find(settings, log, out, err) : local_find(settings, log, out, err);
    if (code == E_OK && out->count > 1)
        qsort(out->items, (size_t)out->count, sizeof *out->items, by_age);
    return code;
}

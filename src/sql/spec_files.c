/* spec_files.c - find and read the SQL files that `libraries` names.
 *
 * The folder in front of a pattern's first wildcard is walked, hidden entries and __pycache__ left out; every
 * file is compared with the pattern. Files come in the order of their paths, each once.
 */
#include <stdlib.h>

#include "base/os.h"
#include "sql/spec.h"

/* ---- patterns ---- */

static bool segment_matches(const char *pattern, const char *pattern_end, const char *name, const char *name_end)
{
    const char *star = NULL, *retry = NULL;
    while (name < name_end) {
        if (pattern < pattern_end && *pattern == '*') {
            star = pattern++;
            retry = name;
        } else if (pattern < pattern_end && (*pattern == '?' || *pattern == *name)) {
            pattern++;
            name++;
        } else if (star != NULL) {
            pattern = star + 1;
            name = ++retry;
        } else {
            return false;
        }
    }
    while (pattern < pattern_end && *pattern == '*')
        pattern++;
    return pattern == pattern_end;
}

bool glob_matches(const char *pattern, const char *path)
{
    for (;;) {
        const char *pattern_end = pattern + strcspn(pattern, "/"), *path_end = path + strcspn(path, "/");
        if (pattern_end - pattern == 2 && memcmp(pattern, "**", 2) == 0) {
            if (*pattern_end == '\0')
                return true; // everything below
            for (const char *at = path;; at += strcspn(at, "/") + 1) {
                if (glob_matches(pattern_end + 1, at))
                    return true;
                if (at[strcspn(at, "/")] == '\0')
                    return false;
            }
        }
        if (!segment_matches(pattern, pattern_end, path, path_end))
            return false;
        if (*pattern_end == '\0' || *path_end == '\0')
            return *pattern_end == *path_end;
        pattern = pattern_end + 1;
        path = path_end + 1;
    }
}

/* ---- the walk ---- */

struct found {
    const char **paths; /* below the project's folder; heap */
    size_t count, capacity;
};

struct walk {
    struct arena *arena;
    const char *directory, *folder; /* folder: below directory; "" = itself */
    struct found files, folders;    /* of `folder` alone */
};

static void see_entry(void *context, const char *name, bool is_dir)
{
    struct walk *walk = context;
    if (name[0] == '.' || strcmp(name, "__pycache__") == 0)
        return;
    struct found *found = is_dir ? &walk->folders : &walk->files;
    if (found->count >= SPEC_FILES_MAX)
        return;
    mem_grow(found->paths, found->capacity, found->count + 1);
    found->paths[found->count++] = walk->folder[0] == '\0' ? arena_strdup(walk->arena, name)
                                                           : arena_printf(walk->arena, "%s/%s", walk->folder, name);
}

static void found_add(struct found *found, const char *path)
{
    mem_grow(found->paths, found->capacity, found->count + 1);
    found->paths[found->count++] = path;
}

/* All files below `folder`. */
static enum code walk_folder(struct arena *arena, const char *directory, const char *folder, int depth,
                             struct found *out, struct error *err)
{
    if (depth > SPEC_FOLDER_DEPTH_MAX)
        return fail(err, E_SPEC, "%s/%s: folders nest deeper than %d", directory, folder, SPEC_FOLDER_DEPTH_MAX);
    struct walk walk = {arena, directory, folder, {0}, {0}};
    enum code code = os->list(arena_printf(arena, "%s/%s", directory, folder), see_entry, &walk, err);
    for (size_t i = 0; code == E_OK && i < walk.files.count; i++)
        found_add(out, walk.files.paths[i]);
    if (code == E_OK && out->count > SPEC_FILES_MAX)
        code = fail(err, E_SPEC, "%s/%s: more than %d files", directory, folder, SPEC_FILES_MAX);
    for (size_t i = 0; code == E_OK && i < walk.folders.count; i++)
        code = walk_folder(arena, directory, walk.folders.paths[i], depth + 1, out, err);
    mem_free(walk.files.paths);
    mem_free(walk.folders.paths);
    return code;
}

/* The folder in front of the first wildcard: "a/b" of "a/b/x*.sql". A pattern without one is a file itself. */
static const char *fixed_folder(struct arena *arena, const char *pattern)
{
    size_t size = strcspn(pattern, "*?[");
    while (size > 0 && pattern[size - 1] != '/')
        size--;
    return arena_strndup(arena, pattern, size > 0 ? size - 1 : 0);
}

/* ---- files ---- */

static bool ends_with(const char *text, const char *ending)
{
    size_t size = strlen(text), ending_size = strlen(ending);
    return size >= ending_size && strcmp(text + size - ending_size, ending) == 0;
}

static const char *base_name(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash == NULL ? path : slash + 1;
}

/* What is not SQL: Spark reads Python, and refuses the rest. */
static void warn_about(struct notes *notes, const struct spec_glob *glob, const char *path)
{
    if (strcmp(base_name(path), "bridge.py") == 0)
        return;
    if (ends_with(path, ".py"))
        notes_warn(notes, glob->at, "leat runs SQL only; %s is ignored", path);
    else
        notes_warn(notes, glob->at,
                   "[PIPELINE_UNSUPPORTED_DEFINITIONS_FILE_EXTENSION] Spark refuses %s in this folder; leat ignores it",
                   path);
}

static void glob_files(struct spec_reader *reader, const char *directory, const struct spec_glob *glob,
                       struct found *out)
{
    struct found all = {0};
    struct error err = {0};
    size_t before = out->count;
    if (strpbrk(glob->pattern, "*?[") == NULL)
        found_add(&all, glob->pattern);
    else if (walk_folder(reader->arena, directory, fixed_folder(reader->arena, glob->pattern), 0, &all, &err) != E_OK &&
             err.code != E_ABSENT)
        spec_problem(reader, glob->at, NULL, "%s", err.text);
    for (size_t i = 0; i < all.count; i++) {
        if (!glob_matches(glob->pattern, all.paths[i]))
            continue;
        if (ends_with(all.paths[i], ".sql"))
            found_add(out, all.paths[i]);
        else
            warn_about(reader->notes, glob, all.paths[i]);
    }
    mem_free(all.paths);
    if (out->count == before && (err.code == E_OK || err.code == E_ABSENT))
        spec_problem(reader, glob->at, NULL, "no .sql file is named by '%s' in %s", glob->pattern, directory);
}

static int by_text(const void *a, const void *b) { return strcmp(*(const char *const *)a, *(const char *const *)b); }

static void drop_repeated(struct found *files)
{
    size_t kept = 0;
    qsort(files->paths, files->count, sizeof *files->paths, by_text);
    for (size_t i = 0; i < files->count; i++)
        if (kept == 0 || strcmp(files->paths[kept - 1], files->paths[i]) != 0)
            files->paths[kept++] = files->paths[i];
    files->count = kept;
}

static bool read_file(struct spec_reader *reader, const char *directory, const char *path, const struct spec *spec,
                      struct sql_file *out)
{
    struct text text = {0};
    struct error err = {0};
    const char *full = strcmp(directory, ".") == 0 ? path : arena_printf(reader->arena, "%s/%s", directory, path);
    if (os_read_file(full, SQL_TEXT_MAX, &text, &err) != E_OK) {
        spec_problem(reader, spec->at, NULL, "%s", err.text);
        return false;
    }
    *out = (struct sql_file){
        full, bytes_of(arena_strndup(reader->arena, text.data == NULL ? "" : text.data, text.size), text.size)};
    text_free(&text);
    if (out->text.size >= 3 && memcmp(out->text.data, "\xef\xbb\xbf", 3) == 0) // a byte order mark
        out->text = bytes_of(out->text.data + 3, out->text.size - 3);
    return true;
}

enum code spec_files(struct arena *arena, const char *directory, const struct spec *spec, struct notes *notes,
                     const struct sql_file **out, int32_t *count, struct error *err)
{
    struct spec_reader reader = {.arena = arena, .notes = notes};
    struct found found = {0};
    for (int32_t i = 0; i < spec->glob_count; i++)
        glob_files(&reader, directory, &spec->globs[i], &found);
    if (found.count > 0)
        drop_repeated(&found);
    // The spec's file comes first, so that positions in it and in SQL can both be shown.
    struct sql_file *files = arena_array(arena, struct sql_file, found.count + (size_t)notes->file_count);
    int32_t read = notes->file_count;
    for (int32_t i = 0; i < read; i++)
        files[i] = notes->files[i];
    notes->files = files;
    int32_t first = read;
    for (size_t i = 0; i < found.count; i++) {
        if (!read_file(&reader, directory, found.paths[i], spec, &files[read]))
            continue;
        notes->file_count = ++read; // so that problems in it can show its lines
        sql_replace(&reader, spec, &files[read - 1]);
    }
    mem_free(found.paths);
    if (reader.first.code != E_OK) {
        *err = reader.first;
        return err->code;
    }
    *out = files + first;
    *count = read - first;
    return E_OK;
}

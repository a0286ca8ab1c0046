/* local_swap.c - files take the place of others at once: the folder is made anew beside the old one, and both change names.
 *
 *   1  <parent>/.<table>.swap-<16 hex>   a new folder: a link to every file of the old one that stays, and to the staged
 *                                        ones under their final names; the same for _staging. fsync of both
 *   2  renameat2(RENAME_EXCHANGE)        of the two folders. Readers now find the new one
 *   3  fsync of both parents; the old folder, under the name of 1, is emptied and removed. A file that somebody put into it
 *      since 1 gets a name in the new one first
 *
 * Why not rename files one by one: between two renames a reader who lists sees rows twice, or not at all, and readdir is no
 * snapshot: it may show a name that came while it ran, and miss one that went. Here nothing is ever changed in a folder that
 * a reader may have open: it stays what it was.
 *
 * Assumed  A1, A3, A4 of local.c, and A6: RENAME_EXCHANGE is atomic, as RENAME_NOREPLACE is. A lock held on a file of _staging
 *          is one of its inode, and a link has the same
 *
 *   crash here         what is left                                what follows
 *   in 1               a folder of links beside the table          local_swap_sweep removes it: no file has a name less
 *   between 2 and 3    the old folder, under that name             the same; after a power loss perhaps 1 again
 */
#include <inttypes.h>
#include <stdio.h>

#include "base/fault.h"
#include "base/os.h"
#include "store/local.h"

#define SWAP_MARK ".swap-"
enum { SWAP_DIGITS = 16 };

struct swap {
    struct local_store *store;
    const struct store_swap *what;
    char old[PATH_MAX];   /* the folder that readers see */
    char new[PATH_MAX];   /* the one that takes its place; afterwards what was the old one */
    struct path_set gone; /* names in the folder */
};

/* Entries of a folder, so that it is not changed while it is listed. */
struct names {
    struct path_set files, folders;
};

static void name_add(void *context, const char *name, bool is_dir)
{
    struct names *self = context;
    path_set_add(is_dir ? &self->folders : &self->files, name);
}

static void names_free(struct names *self)
{
    path_set_free(&self->files);
    path_set_free(&self->folders);
}

static enum code join(const char *folder, const char *name, char *out, struct error *err)
{
    int size = snprintf(out, PATH_MAX, "%s/%s", folder, name);
    return size > 0 && size < PATH_MAX ? E_OK : fail(err, E_SPEC, "%s/%s: the path is too long", folder, name);
}

/* The folder of the table's folder, and the start of names beside it; both PATH_MAX. */
static void beside(const struct local_store *store, char *parent, char *start)
{
    const char *root = store->base.root, *slash = strrchr(root, '/');
    int64_t above = slash == NULL ? 0 : slash == root ? 1 : slash - root;
    snprintf(parent, PATH_MAX, "%.*s", slash == NULL ? 1 : (int)above, slash == NULL ? "." : root);
    snprintf(start, PATH_MAX, ".%s" SWAP_MARK, slash == NULL ? root : slash + 1);
}

static const char *base_name(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash != NULL ? slash + 1 : path;
}

/* ---- 1: the new folder ---- */

static enum code link_into(const char *from_folder, const char *to_folder, const char *name, struct error *err)
{
    char from[PATH_MAX], to[PATH_MAX];
    TRY(join(from_folder, name, from, err));
    TRY(join(to_folder, name, to, err));
    return os->link_new(from, to, err);
}

/* The files that stay; of the root, those in _staging too. */
static enum code link_kept(struct swap *self, const char *old, const char *new, struct error *err)
{
    struct names names = {0};
    enum code code = os->list(old, name_add, &names, err);
    for (int32_t i = 0; code == E_OK && i < names.files.count; i++)
        if (!path_set_has(&self->gone, names.files.items[i]))
            code = link_into(old, new, names.files.items[i], err);
    for (int32_t i = 0; code == E_OK && i < names.folders.count; i++) {
        char old_inside[PATH_MAX], new_inside[PATH_MAX];
        const char *name = names.folders.items[i];
        if (strcmp(name, "_staging") != 0 || old != self->old)
            code = fail(err, E_UNSUPPORTED, "%s/%s: a folder in a folder of data; it cannot take part", old, name);
        if (code == E_OK)
            code = join(old, name, old_inside, err);
        if (code == E_OK)
            code = join(new, name, new_inside, err);
        if (code == E_OK)
            code = os->dir_make_like(new_inside, old_inside, err);
        if (code == E_OK)
            code = link_kept(self, old_inside, new_inside, err);
    }
    names_free(&names);
    return code == E_OK ? os->dir_sync(new, err) : code;
}

static enum code link_come(struct swap *self, struct error *err)
{
    for (int32_t i = 0; i < self->what->come_count; i++) {
        const struct staged *file = &self->what->come[i];
        char from[PATH_MAX], to[PATH_MAX];
        TRY(local_path(self->store, file->path, from, err));
        TRY(join(self->new, base_name(file->final), to, err));
        TRY(os->file_dated(from, self->what->modified_us, err));
        TRY(os->link_new(from, to, err));
    }
    return E_OK;
}

static enum code folder_build(struct swap *self, struct error *err)
{
    TRY(os->dir_make_like(self->new, self->old, err));
    TRY(link_come(self, err));
    return link_kept(self, self->old, self->new, err);
}

/* ---- 3: what is left ---- */

static enum code folder_remove(const char *full, int depth, struct error *err)
{
    struct names names = {0};
    char path[PATH_MAX];
    enum code code = os->list(full, name_add, &names, err);
    for (int32_t i = 0; code == E_OK && i < names.files.count; i++) {
        code = join(full, names.files.items[i], path, err);
        if (code == E_OK)
            code = os->remove(path, err);
    }
    for (int32_t i = 0; code == E_OK && i < names.folders.count; i++) {
        code = join(full, names.folders.items[i], path, err);
        if (code == E_OK && depth == 0)
            code = folder_remove(path, depth + 1, err);
    }
    names_free(&names);
    return code == E_OK ? os->remove(full, err) : code;
}

static enum code parent_sync(const char *full, struct error *err)
{
    char parent[PATH_MAX];
    snprintf(parent, sizeof parent, "%s", full);
    char *slash = strrchr(parent, '/');
    if (slash == NULL)
        return os->dir_sync(".", err);
    slash[slash == parent] = '\0';
    return os->dir_sync(parent, err);
}

/* The staged names of files that have come. Those in the root's _staging went with it or are here again. */
static enum code come_discard(struct swap *self, struct error *err)
{
    for (int32_t i = 0; i < self->what->come_count; i++)
        TRY(store_remove(&self->store->base, self->what->come[i].path, err));
    return E_OK;
}

/* Nobody else should write here; who copies a file in all the same must not lose it. */
static enum code late_link(struct swap *self, struct error *err)
{
    struct names names = {0};
    enum code code = os->list(self->new, name_add, &names, err);
    for (int32_t i = 0; code == E_OK && i < names.files.count; i++) {
        if (path_set_has(&self->gone, names.files.items[i]))
            continue;
        code = link_into(self->new, self->old, names.files.items[i], err);
        if (code == E_EXISTS) {
            error_clear(err);
            code = E_OK;
        }
    }
    names_free(&names);
    return code;
}

static enum code exchange(struct swap *self, struct error *err)
{
    TRY(os->exchange(self->old, self->new, err));
    TRY(parent_sync(self->old, err));
    TRY(parent_sync(self->new, err));
    FAULT(swap_done);
    TRY(come_discard(self, err));
    TRY(late_link(self, err));
    return folder_remove(self->new, 0, err);
}

static enum code swap_run(struct swap *self, struct error *err)
{
    enum code code = folder_build(self, err);
    if (code == E_OK)
        code = parent_sync(self->new, err);
    if (code != E_OK) {
        struct error ignored = {0};
        (void)folder_remove(self->new, 0, &ignored); // else the sweep does
        return code;
    }
    FAULT(swap_linked);
    return exchange(self, err);
}

enum code local_swap(struct store *base, const struct store_swap *what, struct error *err)
{
    struct swap self = {.store = local_of(base), .what = what};
    char parent[PATH_MAX], start[PATH_MAX];
    if (os->exchange == NULL || os->dir_make_like == NULL || os->file_dated == NULL)
        return fail(err, E_UNSUPPORTED, "%s: folders cannot be exchanged there", base->root);
    TRY(local_path(self.store, what->folder, self.old, err));
    beside(self.store, parent, start);
    int size = snprintf(self.new, sizeof self.new, "%s/%.200s%0*" PRIx64, parent, start, SWAP_DIGITS, os_random());
    if (size < 0 || (size_t)size >= sizeof self.new)
        return fail(err, E_SPEC, "%s: the path is too long", base->root);
    for (int32_t i = 0; i < what->gone_count; i++)
        path_set_add(&self.gone, base_name(what->gone[i]));
    enum code code = swap_run(&self, err);
    path_set_free(&self.gone);
    return code == E_OK ? E_OK : error_note(err, "%s", base->root);
}

enum code local_swap_sweep(struct store *base, struct error *err)
{
    char parent[PATH_MAX], start[PATH_MAX], full[PATH_MAX];
    struct names names = {0};
    beside(local_of(base), parent, start);
    enum code code = os->list(parent, name_add, &names, err);
    size_t size = strlen(start);
    for (int32_t i = 0; code == E_OK && i < names.folders.count; i++) {
        const char *name = names.folders.items[i];
        if (strncmp(name, start, size) != 0 || strlen(name) != size + SWAP_DIGITS ||
            strspn(name + size, "0123456789abcdef") != SWAP_DIGITS)
            continue;
        code = join(parent, name, full, err);
        if (code == E_OK)
            code = folder_remove(full, 0, err);
    }
    names_free(&names);
    return code;
}

/* local_swap.c - files take the place of others at once: the folder is made anew beside the old one, and both change names.
 *
 *   1  <parent>/.<table>.swap-<16 hex>   a new folder: a link to every file of the old one that stays, and to the staged
 *                                        ones under their final names; the same for _staging and, in the root, for folders
 *                                        of partitions, without those that would be empty. fsync of all
 *   2  renameat2(RENAME_EXCHANGE)        of the two folders. Readers now find the new one
 *   3  fsync of both parents. A file that somebody put into the old folder since 1 gets a name in the new one
 *   4  the old folder, under the name of 1, is emptied and removed by a swap that comes at least LEFT_US later, or when the
 *      store is closed: who opened it before 2 may still be listing it
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
 *   between 2 and 4    the old folder, under that name             the same; after a power loss perhaps 1 again
 */
#include <inttypes.h>
#include <stdio.h>

#include "base/fault.h"
#include "base/os.h"
#include "store/local.h"

#define SWAP_MARK ".swap-"
enum { SWAP_DIGITS = 16, LEFT_US = 10 * 1000 * 1000 };

struct swap {
    struct local_store *store;
    const struct store_swap *what;
    char old[PATH_MAX];   /* the folder that readers see */
    char new[PATH_MAX];   /* the one that takes its place; afterwards what was the old one */
    struct path_set gone; /* paths in the folder */
};

static enum code join(const char *folder, const char *name, char *out, struct error *err)
{
    int size = snprintf(out, PATH_MAX, "%s/%s", folder, name);
    return size > 0 && size < PATH_MAX ? E_OK : fail(err, E_SPEC, "%s/%s: the path is too long", folder, name);
}

/* `inside` "" is the folder itself. */
static enum code place(const char *folder, const char *inside, char *out, struct error *err)
{
    if (inside[0] != '\0')
        return join(folder, inside, out, err);
    snprintf(out, PATH_MAX, "%s", folder);
    return E_OK;
}

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

/* The folder of the table's folder, and the start of names beside it; both PATH_MAX. */
static void beside(const struct local_store *store, char *parent, char *start)
{
    const char *root = store->base.root, *slash = strrchr(root, '/');
    int64_t above = slash == NULL ? 0 : slash == root ? 1 : slash - root;
    snprintf(parent, PATH_MAX, "%.*s", slash == NULL ? 1 : (int)above, slash == NULL ? "." : root);
    snprintf(start, PATH_MAX, ".%s" SWAP_MARK, slash == NULL ? root : slash + 1);
}

/* The part of a path of the store that lies within the folder. */
static const char *within(const struct swap *self, const char *path)
{
    size_t size = strlen(self->what->folder);
    return size > 0 && strlen(path) > size ? path + size + 1 : path;
}

static enum code path_below(const char *inside, const char *name, char *out, struct error *err)
{
    return inside[0] == '\0' ? place(name, "", out, err) : join(inside, name, out, err);
}

static bool is_gone(const struct swap *self, const char *inside, const char *name)
{
    char path[PATH_MAX];
    int size = snprintf(path, sizeof path, "%s%s%s", inside, inside[0] != '\0' ? "/" : "", name);
    return size > 0 && size < PATH_MAX && path_set_has(&self->gone, path);
}

/* ---- 1: the new folder ---- */

static enum code link_into(const char *from_folder, const char *to_folder, const char *name, struct error *err)
{
    char from[PATH_MAX], to[PATH_MAX];
    TRY(join(from_folder, name, from, err));
    TRY(join(to_folder, name, to, err));
    return os->link_new(from, to, err);
}

/* Made before, perhaps, for a file that comes. */
static enum code folder_make(const struct swap *self, const char *path, enum code *made, struct error *err)
{
    struct error taken = {0};
    *made = os->dir_make_like(path, self->old, &taken);
    if (*made == E_OK || *made == E_EXISTS)
        return E_OK;
    *err = taken;
    return err->code;
}

static enum code link_kept(struct swap *self, const char *inside, int depth, struct error *err);

/* A folder of the old one, which nothing may be left of. */
static enum code link_folder(struct swap *self, const char *inside, const char *name, int depth, struct error *err)
{
    char path[PATH_MAX], new[PATH_MAX];
    struct error full = {0};
    enum code made;
    bool staging = inside[0] == '\0' && strcmp(name, "_staging") == 0;
    if (!staging && (self->what->folder[0] != '\0' || depth >= STORE_DEPTH_MAX))
        return fail(err, E_UNSUPPORTED, "%s/%s: a folder in a folder of data; it cannot take part", self->old, name);
    TRY(path_below(inside, name, path, err));
    TRY(join(self->new, path, new, err));
    TRY(folder_make(self, new, &made, err));
    TRY(link_kept(self, path, depth + 1, err));
    if (!staging && made == E_OK)
        (void)os->remove(new, &full); // it is not empty: it stays
    return E_OK;
}

/* The files that stay, in the folder and in those below. */
static enum code link_kept(struct swap *self, const char *inside, int depth, struct error *err)
{
    struct names names = {0};
    char old[PATH_MAX], new[PATH_MAX];
    TRY(place(self->old, inside, old, err));
    TRY(place(self->new, inside, new, err));
    enum code code = os->list(old, name_add, &names, err);
    for (int32_t i = 0; code == E_OK && i < names.files.count; i++)
        if (!is_gone(self, inside, names.files.items[i]))
            code = link_into(old, new, names.files.items[i], err);
    for (int32_t i = 0; code == E_OK && i < names.folders.count; i++)
        code = link_folder(self, inside, names.folders.items[i], depth, err);
    names_free(&names);
    return code;
}

/* The folders that lie above a file in the new one. */
static enum code folders_above(const struct swap *self, const char *path, struct error *err)
{
    char folder[PATH_MAX];
    enum code made;
    for (const char *slash = strchr(path, '/'); slash != NULL; slash = strchr(slash + 1, '/')) {
        int size = snprintf(folder, sizeof folder, "%s/%.*s", self->new, (int)(slash - path), path);
        if (size < 0 || (size_t)size >= sizeof folder)
            return fail(err, E_SPEC, "%s/%s: the path is too long", self->new, path);
        TRY(folder_make(self, folder, &made, err));
    }
    return E_OK;
}

static enum code link_come(struct swap *self, struct error *err)
{
    for (int32_t i = 0; i < self->what->come_count; i++) {
        const struct staged *file = &self->what->come[i];
        const char *final = within(self, file->final);
        char from[PATH_MAX], to[PATH_MAX];
        TRY(local_path(self->store, file->path, from, err));
        TRY(folders_above(self, final, err));
        TRY(join(self->new, final, to, err));
        TRY(os->file_dated(from, self->what->modified_us, err));
        TRY(os->link_new(from, to, err));
    }
    return E_OK;
}

static enum code folders_sync(const char *full, struct error *err)
{
    struct names names = {0};
    char path[PATH_MAX];
    enum code code = os->list(full, name_add, &names, err);
    for (int32_t i = 0; code == E_OK && i < names.folders.count; i++) {
        code = join(full, names.folders.items[i], path, err);
        if (code == E_OK)
            code = folders_sync(path, err);
    }
    names_free(&names);
    return code == E_OK ? os->dir_sync(full, err) : code;
}

static enum code folder_build(struct swap *self, struct error *err)
{
    TRY(os->dir_make_like(self->new, self->old, err));
    TRY(link_come(self, err));
    TRY(link_kept(self, "", 0, err));
    return folders_sync(self->new, err);
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
        if (code == E_OK && depth < STORE_DEPTH_MAX)
            code = folder_remove(path, depth + 1, err);
    }
    names_free(&names);
    return code == E_OK ? os->remove(full, err) : code;
}

static void left_remove(struct path_set *left)
{
    struct error ignored = {0};
    for (int32_t i = 0; i < left->count; i++)
        (void)folder_remove(left->items[i], 0, &ignored); // else the sweep does
    path_set_free(left);
}

/* In two sets, so that each folder stays for LEFT_US at least. */
static void left_add(struct local_store *store, const char *full)
{
    int64_t now_us = os->clock_mono_us();
    if (store->left.count > 0 && now_us - store->left_since_us > LEFT_US) {
        left_remove(&store->left_before);
        store->left_before = store->left;
        store->left = (struct path_set){0};
    }
    if (store->left.count == 0)
        store->left_since_us = now_us;
    path_set_add(&store->left, full);
}

void local_swap_close(struct local_store *store)
{
    left_remove(&store->left_before);
    left_remove(&store->left);
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

static enum code link_late(const struct swap *self, const char *left, const char *now, const char *name,
                           struct error *err)
{
    struct error taken = {0};
    enum code made, code;
    TRY(folder_make(self, now, &made, err)); // the partition may have gone
    code = link_into(left, now, name, &taken);
    if (code == E_OK || code == E_EXISTS)
        return E_OK;
    *err = taken;
    return code;
}

/* Nobody else should write here; who copies a file in all the same must not lose it. */
static enum code late_link(struct swap *self, const char *inside, struct error *err)
{
    struct names names = {0};
    char left[PATH_MAX], now[PATH_MAX], path[PATH_MAX];
    TRY(place(self->new, inside, left, err));
    TRY(place(self->old, inside, now, err));
    enum code code = os->list(left, name_add, &names, err);
    for (int32_t i = 0; code == E_OK && i < names.files.count; i++) {
        const char *name = names.files.items[i];
        if (!is_gone(self, inside, name))
            code = link_late(self, left, now, name, err);
    }
    for (int32_t i = 0; code == E_OK && i < names.folders.count; i++) {
        const char *name = names.folders.items[i];
        if (inside[0] == '\0' && strcmp(name, "_staging") == 0)
            continue;
        code = path_below(inside, name, path, err);
        if (code == E_OK)
            code = late_link(self, path, err);
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
    lock_take(&self->store->lock); // a partition's folder may have gone
    path_set_free(&self->store->ready);
    lock_give(&self->store->lock);
    TRY(come_discard(self, err));
    TRY(late_link(self, "", err));
    left_add(self->store, self->new);
    return E_OK;
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
        path_set_add(&self.gone, within(&self, what->gone[i]));
    enum code code = swap_run(&self, err);
    path_set_free(&self.gone);
    return code == E_OK ? E_OK : error_note(err, "%s", base->root);
}

enum code local_swap_sweep(struct store *base, struct error *err)
{
    char parent[PATH_MAX], start[PATH_MAX], full[PATH_MAX];
    struct names names = {0};
    beside(local_of(base), parent, start);
    path_set_free(&local_of(base)->left_before); // they are among them
    path_set_free(&local_of(base)->left);
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

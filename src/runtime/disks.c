#include "runtime/disks.h"

#include <string.h>

#include "base/os.h"
#include "store/store.h"

enum { ROOM_LEAST_BYTES = 1 << 20 };

void disks_free(struct disks *self)
{
    mem_free(self->items);
    mem_free(self->folders);
    *self = (struct disks){0};
}

static int32_t disk_of_device(struct disks *self, uint64_t device, const char *folder)
{
    for (int32_t i = 0; i < self->count; i++)
        if (self->items[i].device == device)
            return i;
    mem_grow(self->items, self->capacity, self->count + 1);
    self->items[self->count] = (struct disk){.folder = folder, .device = device, .need_bytes = ROOM_LEAST_BYTES};
    return self->count++;
}

void disks_add(struct disks *self, struct arena *arena, const char *folder)
{
    struct os_stat found;
    struct error ignored = {0};
    for (int32_t i = 0; i < self->folder_count; i++)
        if (strcmp(self->folders[i].path, folder) == 0)
            return;
    if (os->stat(folder, &found, &ignored) != E_OK)
        return;
    const char *path = arena_strdup(arena, folder);
    mem_grow(self->folders, self->folder_capacity, self->folder_count + 1);
    self->folders[self->folder_count++] = (struct disk_folder){path, disk_of_device(self, found.device, path)};
}

/* One folder may lie in another, on another disk: the longest name that fits is the right one. */
struct disk *disks_find(const struct disks *self, const char *path)
{
    size_t best = 0;
    struct disk *found = NULL;
    for (int32_t i = 0; i < self->folder_count; i++) {
        size_t size = strlen(self->folders[i].path);
        bool inside = strncmp(self->folders[i].path, path, size) == 0 && (path[size] == '/' || path[size] == '\0');
        if (inside && size > best) {
            best = size;
            found = &self->items[self->folders[i].disk];
        }
    }
    return found;
}

static enum code disk_room(const struct disk *self, struct error *err)
{
    int64_t free_bytes;
    if (os->free_bytes(self->folder, &free_bytes, err) != E_OK)
        return error_about(err, "%s", self->folder);
    if (free_bytes >= self->need_bytes)
        return E_OK;
    fail(err, E_FULL, "No space left on the disk of %s: %.1f MB are free, an epoch takes about %.1f MB", self->folder,
         (double)free_bytes / 1e6, (double)self->need_bytes / 1e6);
    return error_about(err, "%s", self->folder);
}

enum code disks_room(const struct disks *self, struct error *err)
{
    for (int32_t i = 0; i < self->count; i++)
        TRY(disk_room(&self->items[i], err));
    return E_OK;
}

void disks_wrote(struct disks *self, const char *path, int64_t bytes)
{
    struct disk *disk = disks_find(self, path);
    if (disk != NULL)
        disk->wrote_bytes += bytes;
}

void disks_committed(struct disks *self)
{
    for (int32_t i = 0; i < self->count; i++) {
        struct disk *disk = &self->items[i];
        int64_t need_bytes = disk->wrote_bytes + disk->wrote_bytes / 4;
        disk->need_bytes = need_bytes > ROOM_LEAST_BYTES ? need_bytes : ROOM_LEAST_BYTES;
        disk->wrote_bytes = 0;
    }
}

/* Never more than a byte above what is free now: who makes room sees that it helps. */
void disk_was_full(struct disk *self)
{
    int64_t free_bytes;
    struct error ignored = {0};
    if (os->free_bytes(self->folder, &free_bytes, &ignored) != E_OK || free_bytes < self->need_bytes)
        return;
    self->need_bytes = self->need_bytes > free_bytes / 2 ? free_bytes + 1 : 2 * self->need_bytes;
}

enum code disk_probe(const struct disk *self, struct error *err)
{
    struct store *store = NULL;
    TRY(disk_room(self, err));
    if (store_open(self->folder, &store, err) != E_OK)
        return error_about(err, "%s", self->folder);
    store_close(store);
    return E_OK;
}

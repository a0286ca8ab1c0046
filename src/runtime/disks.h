/* disks.h - private to runtime/: the file systems that a run writes to, and whether there is room for another
 * epoch.
 *
 * Disk     folders on one file system are one disk; it is named after the first of them that was added
 * Room     an epoch needs what the last one wrote there and a quarter more, at least ROOM_LEAST_BYTES. A disk
 *          that was full in spite of that is thought to need twice as much, until a commit says better: so
 *          what is written again and again in vain ends soon
 * Owns     copies of the folders' names, in the arena given
 * Thread   one
 * Spec     exactly-once.md, case 15
 */
#ifndef RUNTIME_DISKS_H
#define RUNTIME_DISKS_H

#include "base/memory.h"

struct disk {
    const char *folder; /* its name for people */
    uint64_t device;
    int64_t need_bytes;  /* of the next epoch */
    int64_t wrote_bytes; /* by this epoch, so far */
};
struct disk_folder {
    const char *path;
    int32_t disk;
};
struct disks {
    struct disk *items;
    int32_t count, capacity;
    struct disk_folder *folders;
    int32_t folder_count, folder_capacity;
};
/* Known already, or not there: nothing happens. */
void disks_add(struct disks *self, struct arena *arena, const char *folder);
void disks_free(struct disks *self);
/* The disk of a file or folder in a folder that was added; NULL: none. */
struct disk *disks_find(const struct disks *self, const char *path);
/* Is there room for an epoch on all of them? E_FULL, about the folder. */
MUST_CHECK enum code disks_room(const struct disks *self, struct error *err);
/* The epoch wrote there; it was committed, and what it wrote is what the next one needs; the disk was full
 * all the same. */
void disks_wrote(struct disks *self, const char *path, int64_t bytes);
void disks_committed(struct disks *self);
void disk_was_full(struct disk *self);
/* The cheap question: room, and a small file can be written. */
MUST_CHECK enum code disk_probe(const struct disk *self, struct error *err);

#endif

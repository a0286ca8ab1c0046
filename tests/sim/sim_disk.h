/* sim_disk.h - a file system in memory that forgets, at a power loss, whatever POSIX lets a disk forget.
 *
 * Two truths  what programs see (the page cache), and what is on the disk. They differ by what was not synced
 *
 *   D1  A file's bytes are durable when disk_sync answered 0. Of what was appended since, any block of DISK_BLOCK bytes is
 *       there or is zeros, and the file ends anywhere in between
 *   D2  A failed sync drops what was dirty: each block was written, or never will be; a later sync that succeeds changes
 *       nothing about that. Until the power goes readers see the cache (as on ext4) or the disk (as on btrfs), by chance
 *   D3  A name (created, removed, linked, renamed) is durable after a sync of a folder that it concerns. Of names that
 *       were not synced any subset survives; what was done to one and the same name survives as a prefix
 *   D4  A rename is one operation, also from folder to folder: it survives in both or in none (journals do that; ext2
 *       does not)
 *   D5  A folder whose own name did not survive is gone, with all that was in it, synced or not
 *   D6  A failed sync of a folder changes nothing and may be asked for again (names go through a journal)
 *   D7  Whatever is dirty may be written at any time without being asked for
 *
 * Spec     Pillai et al., "All file systems are not created equal", OSDI 2014; Rebello et al., "Can applications recover
 *          from fsync failures?", ATC 2020
 * Shape    functions answer 0 or an errno. Paths are absolute
 * Owns     everything until sim_disk_free
 * Thread   one
 */
#ifndef SIM_DISK_H
#define SIM_DISK_H

#include "base/bytes.h"
#include "base/os.h"
#include "sim_chance.h"

enum { DISK_BLOCK = 512 /* bytes */, DISK_DIRTY_NAMES_MAX = 200 /* then the oldest are written, D7 */ };

struct sim_disk;
struct sim_disk *sim_disk_new(uint64_t seed);
void sim_disk_free(struct sim_disk *disk);

/* Files are known by their number, which stays when names change. `now_us`: what stat will show. */
int disk_open(struct sim_disk *disk, const char *path, unsigned flags, int64_t now_us, int32_t *file);
void disk_append(struct sim_disk *disk, int32_t file, const void *data, size_t size, int64_t now_us);
size_t disk_read(const struct sim_disk *disk, int32_t file, int64_t offset, void *out, size_t size);
void disk_sync(struct sim_disk *disk, int32_t file);
void disk_sync_failed(struct sim_disk *disk, int32_t file);
struct bytes disk_content(const struct sim_disk *disk, int32_t file);

int disk_folder_sync(struct sim_disk *disk, const char *path);
int disk_folder_make(struct sim_disk *disk, const char *path); /* parents too */
int disk_link(struct sim_disk *disk, const char *from, const char *to);
int disk_rename(struct sim_disk *disk, const char *from, const char *to, bool over);
int disk_remove(struct sim_disk *disk, const char *path);
int disk_stat(const struct sim_disk *disk, const char *path, struct os_stat *out);
/* -1 when there is no such file. */
int32_t disk_find(const struct sim_disk *disk, const char *path);
/* Entries in an order of chance: nobody may rely on any. */
int disk_list(struct sim_disk *disk, const char *path, void (*each)(void *context, const char *name, bool is_dir),
              void *context);
/* Every file below `path`, with its whole path. */
void disk_walk(const struct sim_disk *disk, const char *path,
               void (*each)(void *context, const char *path, int32_t file), void *context);

/* What was not durable may be gone. All file numbers of open files are void. */
void disk_power_loss(struct sim_disk *disk);

#endif

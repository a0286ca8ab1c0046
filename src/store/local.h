/* local.h - what the files of the local store share. Private to store/. */
#ifndef STORE_LOCAL_H
#define STORE_LOCAL_H

#include <limits.h>

#include "base/path_set.h"
#include "base/thread.h"
#include "store/store_type.h"

struct held_lock {
    char *path;
    int handle;
};
struct local_store {
    struct store base;        /* its root: absolute or as given */
    struct lock lock;         /* guards the two sets */
    struct path_set ready;    /* folders this process has made durable, with all their parents */
    struct path_set unsynced; /* folders that files were published into since the last store_publish_sync */
    struct held_lock *held;   /* lock files, until close */
    int32_t held_count, held_capacity;
    struct path_set left, left_before; /* folders that swaps took the place of; the second ones go next */
    int64_t left_since_us;             /* monotonic: when the first one of `left` came */
};
static inline struct local_store *local_of(struct store *store) { return (struct local_store *)store; }

/* root/path into out (PATH_MAX bytes); E_SPEC when the path breaks store.h's rules. */
MUST_CHECK enum code local_path(const struct local_store *store, const char *path, char *out, struct error *err);
/* The folder part of a relative path, "" for the root; out has STORE_PATH_MAX bytes. */
void local_folder(const char *path, char *out);
/* Make the folder and its parents and sync every folder that names one of them. Once per folder. */
MUST_CHECK enum code local_folder_ready(struct local_store *store, const char *folder, struct error *err);
MUST_CHECK enum code local_folder_sync(struct local_store *store, const char *folder, struct error *err);
/* Give the file `from` the name `to`, if that is free (E_EXISTS); full paths. */
MUST_CHECK enum code local_rename_new(const char *from, const char *to, struct error *err);
/* ---- local_lock.c ---- */
MUST_CHECK enum code local_lock(struct store *base, const char *path, struct error *err);
int64_t local_holder(struct store *base, const char *path);

/* ---- local_stage.c ---- */
MUST_CHECK enum code local_stage_open(struct store *base, const char *path, const char *final, struct stage **out,
                                      struct error *err);
MUST_CHECK enum code local_stage_write(struct stage *base, struct bytes content, struct error *err);
MUST_CHECK enum code local_stage_finish(struct stage *base, struct text *handle, struct error *err);
void local_stage_abandon(struct stage *base);
MUST_CHECK enum code local_publish(struct store *base, const struct staged *file, struct error *err);
MUST_CHECK enum code local_publish_sync(struct store *base, struct error *err);

/* ---- local_swap.c ---- */
MUST_CHECK enum code local_swap(struct store *base, const struct store_swap *swap, struct error *err);
MUST_CHECK enum code local_swap_sweep(struct store *base, struct error *err);
/* Remove the folders that swaps have left. Best effort: else the sweep of a later run does. */
void local_swap_close(struct local_store *store);

/* Best effort: after another error, which is the one to tell. */
void local_discard(const char *full);

#endif

/* local.h - what the files of the local store share. Private to store/. */
#ifndef STORE_LOCAL_H
#define STORE_LOCAL_H

#include <limits.h>

#include "base/thread.h"
#include "store/store.h"

/* A sorted set of strings, owned. */
struct path_set {
    char **items;
    int32_t count, capacity;
};
bool path_set_has(const struct path_set *set, const char *path);
void path_set_add(struct path_set *set, const char *path);
void path_set_free(struct path_set *set);

struct held_lock {
    char *path;
    int handle;
};
struct store {
    char *root;                 /* absolute or as given, without a trailing '/' */
    struct lock lock;           /* guards the two sets */
    struct path_set ready;      /* folders this process has made durable, with all their parents */
    struct path_set unsynced;   /* folders that files were published into since the last store_publish_sync */
    struct held_lock *held;     /* lock files, until close */
    int32_t held_count, held_capacity;
};

/* root/path into out (PATH_MAX bytes); E_SPEC when the path breaks store.h's rules. */
MUST_CHECK enum code local_path(const struct store *store, const char *path, char *out, struct error *err);
/* The folder part of a relative path, "" for the root; out has STORE_PATH_MAX bytes. */
void local_folder(const char *path, char *out);
/* Make the folder and its parents and sync every folder that names one of them. Once per folder. */
MUST_CHECK enum code local_folder_ready(struct store *store, const char *folder, struct error *err);
MUST_CHECK enum code local_folder_sync(struct store *store, const char *folder, struct error *err);
/* Give the file `from` the name `to`, if that is free (E_EXISTS); full paths. */
MUST_CHECK enum code local_claim(const char *from, const char *to, struct error *err);
/* Best effort: after another error, which is the one to tell. */
void local_discard(const char *full);

#endif

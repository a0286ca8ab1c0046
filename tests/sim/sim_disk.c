#include "sim_disk.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>

enum { NAME_BYTES = 256, ROOT = 0, NONE = -1 };

struct entry {
    char *name;
    int32_t node;
};
struct entries {
    struct entry *items;
    int32_t count, capacity;
};
struct node {
    bool is_dir;
    int64_t modified_us;
    /* a file */
    struct text content; /* what programs see */
    size_t synced_bytes; /* of it: on the disk, but for the blocks that were dropped */
    struct text dropped; /* per block of the synced part: 1 = a failed sync lost it (D2); shorter = no */
    struct text old;     /* what the disk has of a file that was cut since */
    bool cut;
    /* a folder */
    struct entries seen, durable;
};
/* Something that was done to names and is not durable yet: `from` goes, `to` comes; one of them may be NULL. */
struct name_op {
    int32_t from_dir, to_dir;
    char *from, *to;
    int32_t node;
};
struct sim_disk {
    struct sim_chance chance;
    struct node *nodes;
    int32_t node_count, node_capacity;
    struct name_op *ops; /* oldest first */
    int32_t op_count, op_capacity;
};

/* ---- entries ---- */

static int32_t entries_at(const struct entries *entries, const char *name)
{
    for (int32_t i = 0; i < entries->count; i++)
        if (strcmp(entries->items[i].name, name) == 0)
            return i;
    return NONE;
}

static int32_t entries_get(const struct entries *entries, const char *name)
{
    int32_t at = entries_at(entries, name);
    return at < 0 ? NONE : entries->items[at].node;
}

static void entries_set(struct entries *entries, const char *name, int32_t node)
{
    int32_t at = entries_at(entries, name);
    if (at < 0) {
        mem_grow(entries->items, entries->capacity, entries->count + 1);
        at = entries->count++;
        entries->items[at].name = mem_strdup(name);
    }
    entries->items[at].node = node;
}

static void entries_unset(struct entries *entries, const char *name)
{
    int32_t at = entries_at(entries, name);
    if (at < 0)
        return;
    mem_free(entries->items[at].name);
    entries->items[at] = entries->items[--entries->count];
}

static void entries_clear(struct entries *entries)
{
    for (int32_t i = 0; i < entries->count; i++)
        mem_free(entries->items[i].name);
    entries->count = 0;
}

static void entries_copy(struct entries *to, const struct entries *from)
{
    entries_clear(to);
    for (int32_t i = 0; i < from->count; i++)
        entries_set(to, from->items[i].name, from->items[i].node);
}

/* ---- nodes ---- */

static int32_t node_new(struct sim_disk *disk, bool is_dir, int64_t now_us)
{
    mem_grow(disk->nodes, disk->node_capacity, disk->node_count + 1);
    disk->nodes[disk->node_count] = (struct node){.is_dir = is_dir, .modified_us = now_us};
    return disk->node_count++;
}

static void node_clear(struct node *node)
{
    text_free(&node->content);
    text_free(&node->dropped);
    text_free(&node->old);
    entries_clear(&node->seen);
    entries_clear(&node->durable);
    mem_free(node->seen.items);
    mem_free(node->durable.items);
}

struct sim_disk *sim_disk_new(uint64_t seed)
{
    struct sim_disk *disk = mem_new(struct sim_disk);
    disk->chance = chance_of(seed, 0xd15c);
    (void)node_new(disk, true, 0);
    return disk;
}

static void op_free(struct name_op *op)
{
    mem_free(op->from);
    mem_free(op->to);
}

void sim_disk_free(struct sim_disk *disk)
{
    if (disk == NULL)
        return;
    for (int32_t i = 0; i < disk->node_count; i++)
        node_clear(&disk->nodes[i]);
    for (int32_t i = 0; i < disk->op_count; i++)
        op_free(&disk->ops[i]);
    mem_free(disk->nodes);
    mem_free(disk->ops);
    mem_free(disk);
}

/* ---- paths ---- */

/* A name and the folder it is in; the name itself need not exist. */
struct place {
    int32_t dir;
    char name[NAME_BYTES];
};

static int place_of(const struct sim_disk *disk, const char *path, struct place *out)
{
    out->dir = ROOT;
    out->name[0] = '\0';
    for (const char *at = path; *(at += strspn(at, "/")) != '\0';) {
        size_t size = strcspn(at, "/");
        if (size >= NAME_BYTES)
            return ENAMETOOLONG;
        if (out->name[0] != '\0')
            out->dir = entries_get(&disk->nodes[out->dir].seen, out->name);
        if (out->dir < 0)
            return ENOENT;
        if (!disk->nodes[out->dir].is_dir)
            return ENOTDIR;
        memcpy(out->name, at, size);
        out->name[size] = '\0';
        at += size;
    }
    return 0;
}

static int32_t place_node(const struct sim_disk *disk, const struct place *place)
{
    return place->name[0] == '\0' ? ROOT : entries_get(&disk->nodes[place->dir].seen, place->name);
}

static int32_t node_of(const struct sim_disk *disk, const char *path)
{
    struct place place;
    return place_of(disk, path, &place) == 0 ? place_node(disk, &place) : NONE;
}

/* ---- names: done now, durable later ---- */

static bool op_touches(const struct name_op *op, int32_t dir, const char *name)
{
    return (op->from != NULL && op->from_dir == dir && (name == NULL || strcmp(op->from, name) == 0)) ||
           (op->to != NULL && op->to_dir == dir && (name == NULL || strcmp(op->to, name) == 0));
}

/* One of them cannot be on the disk as if the other, which came before, had not been. */
static bool ops_conflict(const struct name_op *a, const struct name_op *b)
{
    return (b->from != NULL && op_touches(a, b->from_dir, b->from)) ||
           (b->to != NULL && op_touches(a, b->to_dir, b->to));
}

static void op_settle(struct sim_disk *disk, const struct name_op *op)
{
    if (op->from != NULL)
        entries_unset(&disk->nodes[op->from_dir].durable, op->from);
    if (op->to != NULL)
        entries_set(&disk->nodes[op->to_dir].durable, op->to, op->node);
}

/* Settle the ops that are marked, and those before them that they cannot do without. */
static void ops_settle(struct sim_disk *disk, bool *marked)
{
    int32_t kept = 0;
    for (int32_t i = disk->op_count - 1; i >= 0; i--)
        for (int32_t j = 0; marked[i] && j < i; j++)
            marked[j] = marked[j] || ops_conflict(&disk->ops[j], &disk->ops[i]);
    for (int32_t i = 0; i < disk->op_count; i++) {
        if (marked[i]) {
            op_settle(disk, &disk->ops[i]);
            op_free(&disk->ops[i]);
        } else {
            disk->ops[kept++] = disk->ops[i];
        }
    }
    disk->op_count = kept;
}

static void op_add(struct sim_disk *disk, const struct place *from, const struct place *to, int32_t node)
{
    if (disk->op_count == DISK_DIRTY_NAMES_MAX) {
        bool marked[DISK_DIRTY_NAMES_MAX] = {0};
        for (int32_t i = 0; i < DISK_DIRTY_NAMES_MAX / 2; i++)
            marked[i] = true;
        ops_settle(disk, marked);
    }
    mem_grow(disk->ops, disk->op_capacity, disk->op_count + 1);
    disk->ops[disk->op_count++] = (struct name_op){
        .from_dir = from != NULL ? from->dir : NONE,
        .from = from != NULL ? mem_strdup(from->name) : NULL,
        .to_dir = to != NULL ? to->dir : NONE,
        .to = to != NULL ? mem_strdup(to->name) : NULL,
        .node = node,
    };
    if (from != NULL)
        entries_unset(&disk->nodes[from->dir].seen, from->name);
    if (to != NULL)
        entries_set(&disk->nodes[to->dir].seen, to->name, node);
}

int disk_folder_sync(struct sim_disk *disk, const char *path)
{
    bool marked[DISK_DIRTY_NAMES_MAX];
    int32_t dir = node_of(disk, path);
    if (dir < 0)
        return ENOENT;
    for (int32_t i = 0; i < disk->op_count; i++)
        marked[i] = op_touches(&disk->ops[i], dir, NULL);
    ops_settle(disk, marked);
    return 0;
}

int disk_folder_make(struct sim_disk *disk, const char *path)
{
    char part[PATH_MAX];
    size_t size = strlen(path);
    if (size >= sizeof part)
        return ENAMETOOLONG;
    for (size_t end = 1; end <= size; end++) {
        if (path[end] != '/' && path[end] != '\0')
            continue;
        memcpy(part, path, end);
        part[end] = '\0';
        struct place place;
        int sys = place_of(disk, part, &place);
        if (sys != 0)
            return sys;
        int32_t node = place_node(disk, &place);
        if (node >= 0 && !disk->nodes[node].is_dir)
            return ENOTDIR;
        if (node < 0)
            op_add(disk, NULL, &place, node_new(disk, true, 0));
    }
    return 0;
}

int disk_link(struct sim_disk *disk, const char *from, const char *to)
{
    struct place place;
    int32_t node = node_of(disk, from);
    int sys = place_of(disk, to, &place);
    if (node < 0)
        return ENOENT;
    if (sys != 0)
        return sys;
    if (place_node(disk, &place) >= 0)
        return EEXIST;
    op_add(disk, NULL, &place, node);
    return 0;
}

int disk_rename(struct sim_disk *disk, const char *from, const char *to, bool over)
{
    struct place old, new;
    int sys = place_of(disk, from, &old);
    if (sys == 0)
        sys = place_of(disk, to, &new);
    if (sys != 0)
        return sys;
    int32_t node = place_node(disk, &old);
    if (node < 0)
        return ENOENT;
    if (place_node(disk, &new) >= 0 && !over)
        return EEXIST;
    op_add(disk, &old, &new, node);
    return 0;
}

int disk_remove(struct sim_disk *disk, const char *path)
{
    struct place place;
    int sys = place_of(disk, path, &place);
    if (sys != 0)
        return sys;
    int32_t node = place_node(disk, &place);
    if (node < 0)
        return ENOENT;
    if (disk->nodes[node].is_dir && disk->nodes[node].seen.count > 0)
        return ENOTEMPTY;
    op_add(disk, &place, NULL, node);
    return 0;
}

/* ---- files ---- */

int disk_open(struct sim_disk *disk, const char *path, unsigned flags, int64_t now_us, int32_t *file)
{
    struct place place;
    int sys = place_of(disk, path, &place);
    if (sys != 0)
        return sys;
    int32_t node = place_node(disk, &place);
    if (node >= 0 && (flags & OS_CREATE_NEW))
        return EEXIST;
    if (node >= 0 && disk->nodes[node].is_dir)
        return EISDIR;
    if (node < 0 && !(flags & OS_WRITE))
        return ENOENT;
    if (node < 0) {
        node = node_new(disk, false, now_us);
        op_add(disk, NULL, &place, node);
    }
    struct node *opened = &disk->nodes[node];
    if ((flags & OS_TRUNCATE) && opened->content.size > 0) {
        if (!opened->cut && opened->synced_bytes > 0) {
            opened->old.size = 0;
            text_add(&opened->old, opened->content.data, opened->synced_bytes);
            opened->cut = true;
        }
        text_clear(&opened->content);
        text_clear(&opened->dropped);
        opened->synced_bytes = 0;
    }
    *file = node;
    return 0;
}

void disk_append(struct sim_disk *disk, int32_t file, const void *data, size_t size, int64_t now_us)
{
    text_add(&disk->nodes[file].content, data, size);
    disk->nodes[file].modified_us = now_us;
}

size_t disk_read(const struct sim_disk *disk, int32_t file, int64_t offset, void *out, size_t size)
{
    const struct text *content = &disk->nodes[file].content;
    if (offset >= (int64_t)content->size)
        return 0;
    size_t left = content->size - (size_t)offset;
    size = size < left ? size : left;
    if (size > 0)
        memcpy(out, content->data + offset, size);
    return size;
}

struct bytes disk_content(const struct sim_disk *disk, int32_t file) { return text_view(&disk->nodes[file].content); }

void disk_sync(struct sim_disk *disk, int32_t file)
{
    struct node *node = &disk->nodes[file];
    node->synced_bytes = node->content.size;
    node->cut = false;
    text_clear(&node->old);
}

static void zero_dropped(struct node *node)
{
    for (size_t block = 0; block < node->dropped.size; block++) {
        size_t from = block * DISK_BLOCK;
        if (node->dropped.data[block] == 0 || from >= node->content.size)
            continue;
        size_t left = node->content.size - from;
        memset(node->content.data + from, 0, left < DISK_BLOCK ? left : DISK_BLOCK);
    }
}

void disk_sync_failed(struct sim_disk *disk, int32_t file)
{
    struct node *node = &disk->nodes[file];
    size_t first = node->synced_bytes / DISK_BLOCK, end = (node->content.size + DISK_BLOCK - 1) / DISK_BLOCK;
    while (node->dropped.size < end)
        text_add_char(&node->dropped, 0);
    for (size_t block = first; block < end; block++)
        if (chance_below(&disk->chance, 2) == 0)
            node->dropped.data[block] = 1;
    disk_sync(disk, file); // nothing is dirty any more
    if (chance_below(&disk->chance, 2) == 0)
        zero_dropped(node);
}

/* ---- looking ---- */

int disk_stat(const struct sim_disk *disk, const char *path, struct os_stat *out)
{
    int32_t node = node_of(disk, path);
    if (node < 0)
        return ENOENT;
    *out = (struct os_stat){.size_bytes = (int64_t)disk->nodes[node].content.size,
                            .modified_us = disk->nodes[node].modified_us,
                            .device = 1,
                            .is_dir = disk->nodes[node].is_dir};
    return 0;
}

int32_t disk_find(const struct sim_disk *disk, const char *path)
{
    int32_t node = node_of(disk, path);
    return node >= 0 && !disk->nodes[node].is_dir ? node : NONE;
}

int disk_list(struct sim_disk *disk, const char *path, void (*each)(void *context, const char *name, bool is_dir),
              void *context)
{
    int32_t node = node_of(disk, path);
    if (node < 0)
        return ENOENT;
    if (!disk->nodes[node].is_dir)
        return ENOTDIR;
    struct entries *entries = &disk->nodes[node].seen;
    for (int32_t i = entries->count - 1; i > 0; i--) {
        int32_t other = (int32_t)chance_below(&disk->chance, i + 1);
        struct entry swapped = entries->items[i];
        entries->items[i] = entries->items[other];
        entries->items[other] = swapped;
    }
    for (int32_t i = 0; i < entries->count; i++)
        each(context, entries->items[i].name, disk->nodes[entries->items[i].node].is_dir);
    return 0;
}

void disk_walk(const struct sim_disk *disk, const char *path,
               void (*each)(void *context, const char *path, int32_t file), void *context)
{
    int32_t node = node_of(disk, path);
    if (node < 0 || !disk->nodes[node].is_dir)
        return;
    const struct entries *entries = &disk->nodes[node].seen;
    for (int32_t i = 0; i < entries->count; i++) {
        char below[PATH_MAX];
        snprintf(below, sizeof below, "%s/%s", path, entries->items[i].name);
        if (disk->nodes[entries->items[i].node].is_dir)
            disk_walk(disk, below, each, context);
        else
            each(context, below, entries->items[i].node);
    }
}

/* ---- power ---- */

/* How much luck the names have: none, half of them, nearly all. An op without one that it needs is lost too. */
static void names_lose(struct sim_disk *disk)
{
    static const int32_t lucky_of_8[] = {0, 4, 7, 8};
    int32_t lucky = lucky_of_8[chance_below(&disk->chance, 4)];
    bool kept[DISK_DIRTY_NAMES_MAX];
    for (int32_t i = 0; i < disk->op_count; i++) {
        kept[i] = chance_below(&disk->chance, 8) < lucky;
        for (int32_t j = 0; kept[i] && j < i; j++)
            kept[i] = kept[j] || !ops_conflict(&disk->ops[j], &disk->ops[i]);
    }
    for (int32_t i = 0; i < disk->op_count; i++) {
        if (kept[i])
            op_settle(disk, &disk->ops[i]);
        op_free(&disk->ops[i]);
    }
    disk->op_count = 0;
}

static void file_lose(struct sim_disk *disk, struct node *node)
{
    zero_dropped(node);
    text_clear(&node->dropped);
    if (node->cut && chance_below(&disk->chance, 2) == 0) { // the disk never heard of the cut
        text_clear(&node->content);
        text_add(&node->content, node->old.data, node->old.size);
        node->synced_bytes = node->content.size;
    }
    size_t dirty = node->content.size - node->synced_bytes;
    if (dirty > 0)
        node->content.size = node->synced_bytes + (size_t)chance_below(&disk->chance, (int64_t)dirty + 1);
    for (size_t at = node->synced_bytes; at < node->content.size; at += DISK_BLOCK) {
        size_t left = node->content.size - at;
        if (chance_below(&disk->chance, 2) == 0)
            memset(node->content.data + at, 0, left < DISK_BLOCK ? left : DISK_BLOCK);
    }
    disk_sync(disk, (int32_t)(node - disk->nodes));
}

void disk_power_loss(struct sim_disk *disk)
{
    names_lose(disk);
    for (int32_t i = 0; i < disk->node_count; i++)
        if (disk->nodes[i].is_dir)
            entries_copy(&disk->nodes[i].seen, &disk->nodes[i].durable);
        else
            file_lose(disk, &disk->nodes[i]);
}

/* delta_list.c - what lies in _delta_log, by its names.
 *
 *   <v>.json                                  commit
 *   <v>.checkpoint.parquet                    checkpoint, in one file
 *   <v>.checkpoint.<part>.<parts>.parquet     in parts, of 10 digits: it counts when all are there
 *   <v>.checkpoint.<uuid>.json or .parquet    version 2, with sidecars perhaps
 *   <v>.<w>.compacted.json, <v>.crc, _*       not needed
 *
 * _last_checkpoint only saves a listing and may be old, so it is not read.
 */
#include "delta/delta_internal.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/hash.h"
#include "base/log.h"

enum { VERSION_DIGITS = 20, PART_DIGITS = 10, UUID_SIZE = 36, PARTS_MAX = 100000 };

void delta_commit_path(int64_t version, char *out, size_t size)
{
    snprintf(out, size, DELTA_LOG "/%020" PRId64 ".json", version);
}

/* ---- names ---- */

/* `count` digits followed by `stop`. */
static bool digits_take(const char **at, size_t count, char stop, int64_t *out)
{
    const char *text = *at;
    size_t digits = strspn(text, "0123456789");
    if (digits != count || text[digits] != stop || (count == VERSION_DIGITS && text[0] != '0')) // 19 are all that fit
        return false;
    *out = strtoll(text, NULL, 10);
    *at = text + digits + 1;
    return true;
}

static bool checkpoint_parse(const char *rest, struct delta_checkpoint_name *out)
{
    int64_t part, parts;
    const char *at = rest;
    if (strcmp(rest, "parquet") == 0) {
        out->kind = CHECKPOINT_CLASSIC;
        return true;
    }
    if (digits_take(&at, PART_DIGITS, '.', &part) && digits_take(&at, PART_DIGITS, '.', &parts)) {
        out->kind = CHECKPOINT_PARTS;
        out->part = (int32_t)part;
        out->parts = (int32_t)parts;
        return strcmp(at, "parquet") == 0 && part >= 1 && part <= parts && parts <= PARTS_MAX;
    }
    if (strlen(rest) <= UUID_SIZE || rest[UUID_SIZE] != '.')
        return false;
    bool json = strcmp(rest + UUID_SIZE + 1, "json") == 0;
    out->kind = json ? CHECKPOINT_JSON : CHECKPOINT_PARQUET;
    return json || strcmp(rest + UUID_SIZE + 1, "parquet") == 0;
}

static void entry_look(struct delta_listing *listing, const struct store_entry *entry)
{
    const char *at = entry->path + sizeof DELTA_LOG;
    int64_t version;
    if (!digits_take(&at, VERSION_DIGITS, '.', &version))
        return;
    if (strcmp(at, "json") == 0) {
        mem_grow(listing->commits, listing->commit_capacity, listing->commit_count + 1);
        listing->commits[listing->commit_count++] =
            (struct delta_commit_name){version, entry->size_bytes, entry->modified_us};
        return;
    }
    struct delta_checkpoint_name name = {
        .version = version, .size_bytes = entry->size_bytes, .modified_us = entry->modified_us};
    if (strncmp(at, "checkpoint.", 11) != 0 || !checkpoint_parse(at + 11, &name))
        return;
    name.path = arena_strdup(&listing->arena, entry->path);
    mem_grow(listing->checkpoints, listing->checkpoint_capacity, listing->checkpoint_count + 1);
    listing->checkpoints[listing->checkpoint_count++] = name;
}

/* ---- checkpoints that are whole ---- */

/* Listed by name: the parts of one checkpoint stand together, and in order. */
static int32_t whole_at(const struct delta_listing *listing, int32_t first)
{
    const struct delta_checkpoint_name *name = &listing->checkpoints[first];
    if (name->kind != CHECKPOINT_PARTS)
        return 1;
    int32_t found = 0;
    for (int32_t i = first; i < listing->checkpoint_count; i++) {
        const struct delta_checkpoint_name *other = &listing->checkpoints[i];
        if (other->version != name->version || other->parts != name->parts || other->part != found + 1)
            break;
        found++;
    }
    return found == name->parts ? found : 0;
}

/* Parts of different divisions of the same version: keep those of the first whole one. */
static int by_place(const void *a, const void *b)
{
    const struct delta_checkpoint_name *left = a, *right = b;
    if (left->version != right->version)
        return left->version < right->version ? -1 : 1;
    if (left->kind != right->kind)
        return left->kind < right->kind ? -1 : 1;
    if (left->parts != right->parts)
        return left->parts < right->parts ? -1 : 1;
    return left->part < right->part ? -1 : left->part > right->part;
}

static void torn_drop(struct delta_listing *listing)
{
    int32_t kept = 0;
    if (listing->checkpoint_count > 1)
        qsort(listing->checkpoints, (size_t)listing->checkpoint_count, sizeof *listing->checkpoints, by_place);
    for (int32_t i = 0; i < listing->checkpoint_count;) {
        int32_t whole = whole_at(listing, i), step = whole > 0 ? whole : 1;
        for (int32_t k = 0; k < whole; k++)
            listing->checkpoints[kept++] = listing->checkpoints[i + k];
        i += step;
    }
    listing->checkpoint_count = kept;
}

/* ---- the listing ---- */

enum code delta_listing_read(struct store *store, struct delta_listing *out, struct error *err)
{
    struct store_list list = {0};
    struct delta_listing listing = {.newest = -1, .broken = -1};
    TRY(store_list(store, DELTA_LOG, false, &list, err));
    for (int32_t i = 0; i < list.count; i++)
        entry_look(&listing, &list.entries[i]);
    store_list_free(&list);
    torn_drop(&listing);
    if (listing.commit_count > 0)
        listing.newest = listing.commits[listing.commit_count - 1].version;
    if (listing.checkpoint_count > 0 && listing.checkpoints[listing.checkpoint_count - 1].version > listing.newest)
        listing.newest = listing.checkpoints[listing.checkpoint_count - 1].version;
    if (listing.newest < 0) {
        delta_listing_free(&listing);
        return fail(err, E_ABSENT, "[DELTA_TABLE_NOT_FOUND] %s is no Delta table: it has no _delta_log with a commit",
                    store_root(store));
    }
    *out = listing;
    return E_OK;
}

void delta_listing_free(struct delta_listing *listing)
{
    mem_free(listing->commits);
    mem_free(listing->checkpoints);
    arena_free(&listing->arena);
    *listing = (struct delta_listing){.newest = -1};
}

bool delta_listing_retry(struct delta_listing *listing, struct store *store, enum code *code, struct error *err)
{
    int32_t kept = 0;
    if (*code == E_OK)
        return false;
    if (listing->broken < 0) {
        if (listing->first.code != E_OK) { // without a checkpoint commits are missing: that is what is wrong
            *err = listing->first;
            *code = err->code;
        }
        return false;
    }
    log_warn("Delta table %s is read without one of its checkpoints: %s", store_root(store), err->text);
    if (listing->first.code == E_OK)
        listing->first = *err;
    for (int32_t i = 0; i < listing->checkpoint_count; i++)
        if (listing->checkpoints[i].version != listing->broken)
            listing->checkpoints[kept++] = listing->checkpoints[i];
    listing->checkpoint_count = kept;
    listing->broken = -1;
    error_clear(err);
    return true;
}

const struct delta_checkpoint_name *delta_listing_checkpoint(const struct delta_listing *listing, int64_t version,
                                                             int32_t *count)
{
    int32_t last = listing->checkpoint_count - 1;
    while (last >= 0 && listing->checkpoints[last].version > version)
        last--;
    if (last < 0)
        return NULL;
    const struct delta_checkpoint_name *name = &listing->checkpoints[last];
    *count = name->kind == CHECKPOINT_PARTS ? name->parts : 1;
    return name - (*count - 1);
}

const struct delta_commit_name *delta_listing_commit(const struct delta_listing *listing, int64_t version)
{
    int32_t low = 0, high = listing->commit_count;
    while (low < high) {
        int32_t middle = low + (high - low) / 2;
        if (listing->commits[middle].version < version)
            low = middle + 1;
        else
            high = middle;
    }
    return low < listing->commit_count && listing->commits[low].version == version ? &listing->commits[low] : NULL;
}

enum code delta_version_newest(struct store *store, int64_t *out, uint64_t *stamp, struct error *err)
{
    struct delta_listing listing;
    TRY(delta_listing_read(store, &listing, err));
    const struct delta_commit_name *commit = delta_listing_commit(&listing, listing.newest);
    *out = listing.newest;
    *stamp = commit == NULL ? 0 : hash_mix((uint64_t)commit->size_bytes, (uint64_t)commit->modified_us);
    delta_listing_free(&listing);
    return E_OK;
}

#include "runtime/spill.h"

#include <stdio.h>

#include "base/log.h"
#include "base/os.h"
#include "base/thread.h"

enum {
    SPILL_PATH_MAX = 4096,
    WORTH_BYTES = 64 * 1024, /* a shard smaller than this frees too little to be written out */
    ROOMS_MAX = 8,           /* buffers kept for the next shard; more threads than that make their own */
};

enum place { HERE, LEAVING, AWAY, COMING };
struct shard_place {
    enum place place;
    bool pinned, wanted;
    int64_t used;                /* number of its last unpin */
    size_t bytes;                /* in memory, as of its last unpin */
    int64_t entries, file_bytes; /* while it is away */
};
struct spill {
    struct spill_spec spec;
    char *folder;
    struct shard_place **shards; /* [stage][shard] */
    struct lock lock; /* guards all below, and the places; woken when a shard arrives, leaves or is unpinned */
    int64_t unpins;
    int32_t pinned, waiting, leaving;
    size_t resident_bytes;
    struct spill_totals totals;
    struct text rooms[ROOMS_MAX]; /* for a shard's bytes: to fault fresh pages in costs more than to write them */
    int32_t room_count;
};

static void file_path(const struct spill *self, int32_t stage, int32_t shard, char *out)
{
    snprintf(out, SPILL_PATH_MAX, "%s/%d-%d", self->folder, stage, shard);
}

/* ---- room for the bytes of a shard ---- */

static struct text room_take(struct spill *self)
{
    struct text room = {0};
    lock_take(&self->lock);
    if (self->room_count > 0)
        room = self->rooms[--self->room_count];
    lock_give(&self->lock);
    return room;
}

static void room_give(struct spill *self, struct text *room)
{
    text_clear(room);
    lock_take(&self->lock);
    bool kept = self->room_count < ROOMS_MAX;
    if (kept)
        self->rooms[self->room_count++] = *room;
    lock_give(&self->lock);
    if (!kept)
        text_free(room);
}

/* ---- to disk and back: nobody else touches the shard meanwhile ---- */

static enum code file_write(const char *path, struct bytes content, struct error *err)
{
    int handle;
    TRY(os->file_open(path, OS_WRITE | OS_TRUNCATE, &handle, err));
    enum code code = os->file_write(handle, content.data, content.size, err);
    struct error closing = {0};
    if (os->file_close(handle, &closing) != E_OK && code == E_OK) {
        *err = closing;
        code = closing.code;
    }
    return code;
}

/* Append all `size` bytes of a file. */
static enum code file_read(const char *path, size_t size, struct text *out, struct error *err)
{
    int handle;
    size_t done = 0, got = 1;
    TRY(os->file_open(path, OS_READ, &handle, err));
    char *to = text_reserve(out, size);
    enum code code = E_OK;
    while (code == E_OK && done < size && got > 0) {
        code = os->file_read(handle, (int64_t)done, to + done, size - done, &got, err);
        done += code == E_OK ? got : 0;
    }
    struct error ignored = {0};
    (void)os->file_close(handle, &ignored); // nothing was written
    if (code == E_OK && done < size)
        code = fail(err, E_LOST, "%s: %zu of %zu bytes are gone", path, size - done, size);
    out->size += code == E_OK ? size : 0;
    to[code == E_OK ? size : 0] = '\0';
    return code;
}

static enum code shard_write(struct spill *self, int32_t stage, int32_t shard, struct shard_place *at,
                             struct error *err)
{
    struct stateful *stateful = self->spec.stages[stage];
    char path[SPILL_PATH_MAX];
    struct text bytes = room_take(self);
    file_path(self, stage, shard, path);
    enum code code = stateful->type->shard_snapshot(stateful, shard, &bytes, err);
    if (code == E_OK)
        code = file_write(path, text_view(&bytes), err);
    if (code == E_OK) {
        at->entries = stateful->type->shard_entries(stateful, shard);
        at->file_bytes = (int64_t)bytes.size;
        stateful->type->shard_spill(stateful, shard);
    }
    room_give(self, &bytes);
    return code;
}

static enum code shard_load(struct spill *self, int32_t stage, int32_t shard, int64_t file_bytes, struct error *err)
{
    struct stateful *stateful = self->spec.stages[stage];
    char path[SPILL_PATH_MAX];
    struct text bytes = room_take(self);
    file_path(self, stage, shard, path);
    enum code code = file_read(path, (size_t)file_bytes, &bytes, err);
    if (code == E_OK)
        code = stateful_shard_restore(stateful, shard, text_view(&bytes), err);
    room_give(self, &bytes);
    if (code != E_OK) {
        stateful->type->shard_spill(stateful, shard); // what of it had come
        return error_note(err, "state on disk, %s", path);
    }
    struct error ignored = {0};
    (void)os->remove(path, &ignored);
    return E_OK;
}

/* ---- who leaves ---- */

/* The better one to part with. */
static bool leaves_before(const struct shard_place *a, const struct shard_place *b)
{
    return a->wanted != b->wanted ? !a->wanted : a->used < b->used;
}

static struct shard_place *choose(struct spill *self, int32_t *stage, int32_t *shard)
{
    struct shard_place *best = NULL;
    for (int32_t s = 0; s < self->spec.stage_count; s++)
        for (int32_t i = 0; i < self->spec.stages[s]->shards; i++) {
            struct shard_place *at = &self->shards[s][i];
            if (at->place != HERE || at->pinned || at->bytes < WORTH_BYTES ||
                (best != NULL && !leaves_before(at, best)))
                continue;
            best = at;
            *stage = s;
            *shard = i;
        }
    return best;
}

/* Called with the lock, which is given while the shard is written. */
static bool leave(struct spill *self, struct shard_place *at, int32_t stage, int32_t shard)
{
    struct error err = {0};
    at->place = LEAVING;
    self->leaving++;
    lock_give(&self->lock);
    enum code code = shard_write(self, stage, shard, at, &err);
    lock_take(&self->lock);
    self->leaving--;
    at->place = code == E_OK ? AWAY : HERE;
    if (code == E_OK) {
        self->resident_bytes -= at->bytes;
        at->bytes = 0;
        self->totals.shards++;
        self->totals.entries += at->entries;
        self->totals.file_bytes += at->file_bytes;
        self->totals.written_bytes += at->file_bytes;
    } else {
        log_warn("state cannot be written out to make room: %s", err.text);
    }
    lock_wake(&self->lock);
    return code == E_OK;
}

/* Somebody else is at work on a shard and will give it back: by then there may be room. The last one who still works
 * must not wait for the others. */
static bool wait_for_others(struct spill *self)
{
    if (self->leaving == 0 && self->waiting + 1 >= self->pinned)
        return false;
    self->waiting++;
    lock_wait(&self->lock, -1);
    self->waiting--;
    return true;
}

static bool relieve(void *context, size_t need)
{
    struct spill *self = context;
    int32_t stage = 0, shard = 0;
    (void)need; // one shard at a time: the budget asks again
    lock_take(&self->lock);
    struct shard_place *at = choose(self, &stage, &shard);
    bool relieved = at != NULL ? leave(self, at, stage, shard) : wait_for_others(self);
    lock_give(&self->lock);
    return relieved;
}

/* ---- who comes ---- */

/* Called with the lock, which is given while the shard is read. */
static enum code come(struct spill *self, struct shard_place *at, int32_t stage, int32_t shard, struct error *err)
{
    at->place = COMING;
    lock_give(&self->lock);
    enum code code = shard_load(self, stage, shard, at->file_bytes, err);
    lock_take(&self->lock);
    at->place = code == E_OK ? HERE : AWAY;
    if (code == E_OK) {
        self->totals.shards--;
        self->totals.entries -= at->entries;
        self->totals.file_bytes -= at->file_bytes;
        self->totals.read_bytes += at->file_bytes;
        at->entries = at->file_bytes = 0;
    }
    return code;
}

enum code spill_pin(struct spill *self, int32_t stage, int32_t shard, struct error *err)
{
    struct shard_place *at = &self->shards[stage][shard];
    enum code code = E_OK;
    lock_take(&self->lock);
    while (at->place == LEAVING)
        lock_wait(&self->lock, -1);
    at->pinned = true;
    self->pinned++;
    if (at->place == AWAY)
        code = come(self, at, stage, shard, err);
    if (code != E_OK) {
        at->pinned = false;
        self->pinned--;
        lock_wake(&self->lock);
    }
    lock_give(&self->lock);
    return code;
}

void spill_unpin(struct spill *self, int32_t stage, int32_t shard)
{
    struct shard_place *at = &self->shards[stage][shard];
    const struct stateful *stateful = self->spec.stages[stage];
    size_t bytes = stateful->type->shard_bytes(stateful, shard);
    lock_take(&self->lock);
    self->resident_bytes += bytes - at->bytes;
    at->bytes = bytes;
    at->used = ++self->unpins;
    at->pinned = at->wanted = false;
    self->pinned--;
    lock_wake(&self->lock);
    lock_give(&self->lock);
}

void spill_want(struct spill *self, int32_t stage, int32_t shard) { self->shards[stage][shard].wanted = true; }

bool spill_is_away(const struct spill *self, int32_t stage, int32_t shard)
{
    return self->shards[stage][shard].place == AWAY;
}

/* The copy must not come and go meanwhile: like a pin, but without what is pinned being in memory. */
enum code spill_snapshot(struct spill *self, int32_t stage, int32_t shard, struct text *out, struct error *err)
{
    struct shard_place *at = &self->shards[stage][shard];
    struct stateful *stateful = self->spec.stages[stage];
    char path[SPILL_PATH_MAX];
    lock_take(&self->lock);
    while (at->place == LEAVING)
        lock_wait(&self->lock, -1);
    bool away = at->place == AWAY;
    at->pinned = true;
    self->pinned++;
    lock_give(&self->lock);
    file_path(self, stage, shard, path);
    enum code code = away ? file_read(path, (size_t)at->file_bytes, out, err)
                          : stateful->type->shard_snapshot(stateful, shard, out, err);
    lock_take(&self->lock);
    at->pinned = false;
    self->pinned--;
    lock_wake(&self->lock);
    lock_give(&self->lock);
    return code;
}

/* ---- open, close, totals ---- */

struct leftover {
    char name[256];
};

static void leftover_look(void *context, const char *name, bool is_dir)
{
    struct leftover *leftover = context;
    if (!is_dir)
        snprintf(leftover->name, sizeof leftover->name, "%s", name);
}

/* One at a time: a listing may not change under its reader. */
static enum code folder_empty(const char *folder, struct error *err)
{
    for (;;) {
        struct leftover leftover = {0};
        char path[SPILL_PATH_MAX];
        TRY(os->list(folder, leftover_look, &leftover, err));
        if (leftover.name[0] == '\0')
            return E_OK;
        snprintf(path, sizeof path, "%s/%s", folder, leftover.name);
        TRY(os->remove(path, err));
    }
}

enum code spill_open(const struct spill_spec *spec, struct spill **out, struct error *err)
{
    TRY(os->dir_make(spec->folder, err));
    TRY(folder_empty(spec->folder, err));
    struct spill *self = mem_new(struct spill);
    self->spec = *spec;
    self->folder = mem_strdup(spec->folder);
    self->shards = mem_array(struct shard_place *, (size_t)spec->stage_count);
    for (int32_t s = 0; s < spec->stage_count; s++)
        self->shards[s] = mem_array(struct shard_place, (size_t)spec->stages[s]->shards);
    lock_init(&self->lock);
    spec->budget->relieve = relieve;
    spec->budget->relieve_context = self;
    *out = self;
    return E_OK;
}

void spill_close(struct spill *self)
{
    if (self == NULL)
        return;
    self->spec.budget->relieve = NULL;
    struct error ignored = {0};
    if (folder_empty(self->folder, &ignored) == E_OK)
        (void)os->remove(self->folder, &ignored);
    for (int32_t s = 0; s < self->spec.stage_count; s++)
        mem_free(self->shards[s]);
    mem_free(self->shards);
    for (int32_t i = 0; i < self->room_count; i++)
        text_free(&self->rooms[i]);
    lock_close(&self->lock);
    mem_free(self->folder);
    mem_free(self);
}

size_t spill_resident_bytes(struct spill *self)
{
    lock_take(&self->lock);
    size_t bytes = self->resident_bytes;
    lock_give(&self->lock);
    return bytes;
}

int64_t spill_stage_entries(struct spill *self, int32_t stage)
{
    int64_t entries = 0;
    lock_take(&self->lock);
    for (int32_t shard = 0; shard < self->spec.stages[stage]->shards; shard++)
        entries += self->shards[stage][shard].place == AWAY ? self->shards[stage][shard].entries : 0;
    lock_give(&self->lock);
    return entries;
}

struct spill_totals spill_totals(struct spill *self)
{
    lock_take(&self->lock);
    struct spill_totals totals = self->totals;
    lock_give(&self->lock);
    return totals;
}

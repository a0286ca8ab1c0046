#include "runtime/state_history.h"

#include <inttypes.h>

#include "base/hash.h"
#include "base/log.h"

#define OLD_FILE_MAX ((size_t)2000000000) /* bytes */
enum { SHARDS_MAX = 1 << 16 };

/* ---- which files ---- */

/* How often each shard was met whole; all shards at once in old files. */
struct cover {
    uint8_t *times;
    int32_t shards;
};

static bool cover_twice(const struct cover *self)
{
    for (int32_t s = 0; s < self->shards; s++)
        if (self->times[s] < 2)
            return false;
    return self->shards > 0;
}

static void cover_add(struct cover *self, int32_t from, int32_t to)
{
    for (int32_t s = from; s < to && s < self->shards; s++)
        self->times[s] = self->times[s] < 2 ? self->times[s] + 1 : 2;
}

static enum code source_add(struct state_history *self, int64_t epoch, const struct chain_state *state,
                            struct error *err)
{
    mem_grow(self->sources, self->capacity, self->count + 1);
    struct state_source *source = &self->sources[self->count++];
    *source = (struct state_source){
        .epoch = epoch,
        .path = arena_strdup(&self->arena, state->path),
        .size_bytes = state->size_bytes,
        .checksum = state->checksum,
        .whole = state->shards == 0 && state->whole_to > 0,
        .whole_from = state->shards == 0 ? 0 : state->whole_from,
        .whole_to = state->shards == 0 ? 0 : state->whole_to,
    };
    if (state->shards == 0 || state->path[0] == '\0')
        return E_OK;
    if (state_file_parts(self->store, source->path, source->size_bytes, &source->parts, err) != E_OK)
        return error_note(err, "state file %s/%s", store_root(self->store), source->path);
    return E_OK;
}

/* One node's history while the chain is read from its head backwards. */
struct reading {
    struct state_history *history;
    const struct plan *plan;
    struct cover cover;
    bool done;
};

static enum code reading_step(struct reading *self, const struct chain_record *record, struct error *err)
{
    const struct chain_state *state = chain_state_of(record, self->plan);
    struct cover *cover = &self->cover;
    self->history->from_start = state == NULL || record->epoch == 0;
    self->done = state == NULL;
    if (state == NULL)
        return E_OK;
    TRY(source_add(self->history, record->epoch, state, err));
    if (cover->shards == 0 && state->shards > 0 && state->shards <= SHARDS_MAX) {
        cover->shards = self->history->shards = state->shards;
        cover->times = mem_array(uint8_t, (size_t)state->shards);
    }
    if (state->shards > 0)
        cover_add(cover, state->whole_from, state->whole_to);
    self->done = cover_twice(cover) || (state->shards == 0 && state->whole_to > 0);
    return E_OK;
}

/* Every record is read once for all nodes: it grows with their number. */
static enum code records_read(struct reading *readings, int32_t count, const struct chain *chain, struct error *err)
{
    struct arena scratch = {0};
    enum code code = E_OK;
    int32_t open = count;
    for (int64_t epoch = chain_head(chain); code == E_OK && open > 0 && epoch >= 0 && epoch >= chain_oldest(chain);
         epoch--) {
        struct chain_record record = {0};
        arena_reset(&scratch);
        code = chain_read(chain, epoch, &scratch, &record, err);
        open = 0;
        for (int32_t i = 0; code == E_OK && i < count; i++) {
            if (!readings[i].done)
                code = reading_step(&readings[i], &record, err);
            open += !readings[i].done;
        }
    }
    arena_free(&scratch);
    return code;
}

enum code state_histories_read(const struct chain *chain, struct store *store, const struct plan *const *plans,
                               int32_t count, struct state_history *out, struct error *err)
{
    struct reading *readings = mem_array(struct reading, (size_t)count);
    for (int32_t i = 0; i < count; i++) {
        out[i] = (struct state_history){.store = store};
        readings[i] = (struct reading){.history = &out[i], .plan = plans[i]};
    }
    enum code code = records_read(readings, count, chain, err);
    for (int32_t i = 0; i < count; i++) {
        mem_free(readings[i].cover.times);
        if (code != E_OK)
            state_history_free(&out[i]);
    }
    mem_free(readings);
    return code;
}

enum code state_history_read(const struct chain *chain, struct store *store, const struct plan *plan,
                             struct state_history *out, struct error *err)
{
    return state_histories_read(chain, store, &plan, 1, out, err);
}

void state_history_free(struct state_history *self)
{
    for (int32_t i = 0; i < self->count; i++)
        state_parts_free(&self->sources[i].parts);
    mem_free(self->sources);
    arena_free(&self->arena);
    *self = (struct state_history){0};
}

static bool is_old(const struct state_source *source) { return source->parts.count == 0 && source->size_bytes > 0; }

static bool has_old(const struct state_history *self)
{
    return self->count > 0 && is_old(&self->sources[self->count - 1]);
}

static bool whole_in(const struct state_source *source, int32_t shard)
{
    return source->whole || (shard >= source->whole_from && shard < source->whole_to);
}

void state_history_wholes(const struct state_history *self, int32_t shard, int64_t *newest, int64_t *before)
{
    *newest = *before = -1;
    for (int32_t i = 0; i < self->count && *before < 0; i++)
        if (whole_in(&self->sources[i], shard))
            *(*newest < 0 ? newest : before) = self->sources[i].epoch;
}

/* ---- loading ---- */

static enum code load_note(const struct state_history *self, const struct state_source *source, struct error *err)
{
    return error_note(err, "state file %s/%s", store_root(self->store), source->path);
}

static enum code part_load(const struct state_history *self, const struct state_source *source,
                           const struct state_part *part, struct stateful *stage, int32_t shard, struct text *bytes,
                           struct error *err)
{
    text_clear(bytes);
    enum code code = store_read(self->store, source->path, part->offset, (size_t)part->size_bytes, bytes, err);
    if (code == E_OK)
        code = shard >= 0 ? stateful_shard_restore(stage, shard, text_view(bytes), err)
                          : stage->type->restore(stage, text_view(bytes), err);
    return code == E_OK ? E_OK : load_note(self, source, err);
}

/* The parts of written shard `from`, from the whole of sources[base] on (count: from the beginning on), oldest first. */
static enum code load_since(const struct state_history *self, struct stateful *stage, int32_t from, int32_t shard,
                            int32_t base, struct error *err)
{
    struct text bytes = {0};
    enum code code = E_OK;
    if (base == self->count && !self->from_start && !has_old(self))
        return fail(err, E_CORRUPT, "the chain does not go back to where shard %d was stored whole", from);
    for (int32_t i = base < self->count ? base : self->count - 1; code == E_OK && i >= 0; i--) {
        const struct state_source *source = &self->sources[i];
        for (int32_t p = 0; code == E_OK && p < source->parts.count; p++) {
            const struct state_part *part = &source->parts.items[p];
            bool wanted = part->shard == from && part->whole == (i == base);
            code = wanted ? part_load(self, source, part, stage, shard, &bytes, err) : E_OK;
        }
    }
    text_free(&bytes);
    return code;
}

static int32_t whole_before(const struct state_history *self, int32_t from, int32_t newer)
{
    for (int32_t i = newer + 1; i < self->count; i++)
        if (!is_old(&self->sources[i]) && whole_in(&self->sources[i], from))
            return i;
    return self->count;
}

enum code state_history_load(const struct state_history *self, struct stateful *stage, int32_t shard, struct error *err)
{
    int32_t base = whole_before(self, shard, -1);
    enum code code = load_since(self, stage, shard, shard, base, err);
    while (code == E_CORRUPT && base < self->count) {
        struct error why = *err, again = {0};
        base = whole_before(self, shard, base);
        stage->type->shard_spill(stage, shard);
        if (load_since(self, stage, shard, shard, base, &again) != E_OK)
            continue;
        log_warn("%s; what was stored before it says the same", why.text);
        error_clear(err);
        code = E_OK;
    }
    return code;
}

bool state_history_by_shard(const struct state_history *self, const struct stateful *stage)
{
    return !has_old(self) && (self->shards == 0 || self->shards == stage->shards);
}

static enum code old_load(const struct state_history *self, const struct state_source *source, struct stateful *stage,
                          struct error *err)
{
    struct text bytes = {0};
    enum code code = store_get(self->store, source->path, OLD_FILE_MAX, &bytes, err);
    if (code == E_OK &&
        ((int64_t)bytes.size != source->size_bytes || XXH64(bytes.data, bytes.size, 0) != source->checksum))
        code = fail(err, E_CORRUPT,
                    "its bytes do not fit their checksum. Restore it from a backup, or start over with a "
                    "new leat.checkpoint folder");
    if (code == E_OK)
        code = stage->type->restore(stage, text_view(&bytes), err);
    text_free(&bytes);
    return code == E_OK ? E_OK : load_note(self, source, err);
}

enum code state_history_load_all(const struct state_history *self, struct stateful *stage, struct error *err)
{
    for (int32_t i = self->count - 1; i >= 0; i--)
        if (is_old(&self->sources[i]))
            TRY(old_load(self, &self->sources[i], stage, err));
    for (int32_t from = 0; from < self->shards; from++) {
        int32_t base = whole_before(self, from, -1), shard = self->shards == stage->shards ? from : -1;
        if (base < self->count && has_old(self) && shard >= 0)
            stage->type->shard_spill(stage, shard); // what the old files said of it
        TRY(load_since(self, stage, from, shard, base, err));
    }
    return E_OK;
}

#include "runtime/state_file.h"

#include "base/hash.h"
#include "base/thread.h"

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "numbers are stored as they lie in memory");

enum { PART_VERSION = 1, SHARDS_MAX = 1 << 16 };
static const char MAGIC[4] = {'L', 'E', 'S', 'P'};

struct part_head {
    char magic[4];
    uint16_t version, whole;
    uint32_t shard, shards;
    uint64_t body_bytes, check;
};
_Static_assert(sizeof(struct part_head) == 32, "no padding");

static uint64_t head_check(const struct part_head *head) { return XXH64(head, offsetof(struct part_head, check), 0); }

/* ---- writing ---- */

struct state_writer {
    struct store *store;
    char *path;
    struct lock lock;
    struct stage *stage; /* NULL until something is written */
};

struct state_writer *state_writer_new(struct store *store, const char *path)
{
    struct state_writer *self = mem_new(struct state_writer);
    self->store = store;
    self->path = mem_strdup(path);
    lock_init(&self->lock);
    return self;
}

/* Called with the lock. */
static enum code part_write(struct state_writer *self, const struct part_head *head, struct bytes body,
                            struct error *err)
{
    if (self->stage == NULL)
        TRY(stage_open(self->store, self->path, &self->stage, err));
    TRY(stage_write(self->stage, bytes_of(head, sizeof *head), err));
    return stage_write(self->stage, body, err);
}

enum code state_writer_add(struct state_writer *self, const struct state_part *part, struct bytes body,
                           struct error *err)
{
    if (body.size == 0)
        return E_OK;
    struct part_head head = {
        .version = PART_VERSION,
        .whole = part->whole,
        .shard = (uint32_t)part->shard,
        .shards = (uint32_t)part->shards,
        .body_bytes = body.size,
    };
    memcpy(head.magic, MAGIC, sizeof MAGIC);
    head.check = head_check(&head);
    lock_take(&self->lock);
    enum code code = part_write(self, &head, body, err);
    lock_give(&self->lock);
    return code;
}

static void writer_free(struct state_writer *self)
{
    lock_close(&self->lock);
    mem_free(self->path);
    mem_free(self);
}

enum code state_writer_finish(struct state_writer *self, int64_t *size_bytes, uint64_t *checksum, struct error *err)
{
    struct stage *stage = self->stage;
    writer_free(self);
    *size_bytes = stage == NULL ? 0 : stage_size(stage);
    *checksum = stage == NULL ? 0 : stage_checksum(stage);
    return stage == NULL ? E_OK : stage_finish(stage, err);
}

void state_writer_abandon(struct state_writer *self)
{
    if (self == NULL)
        return;
    if (self->stage != NULL)
        stage_abandon(self->stage);
    writer_free(self);
}

/* ---- reading ---- */

static enum code head_read(const struct part_head *head, int64_t offset, int64_t size_bytes, struct state_part *out,
                           struct error *err)
{
    if (memcmp(head->magic, MAGIC, sizeof MAGIC) != 0)
        return offset == 0 ? fail(err, E_ABSENT, "the file has no parts")
                           : fail(err, E_CORRUPT, "at byte %lld no part begins", (long long)offset);
    if (head->check != head_check(head))
        return fail(err, E_CORRUPT, "the part at byte %lld fails its checksum", (long long)offset);
    if (head->version != PART_VERSION)
        return fail(err, E_UNSUPPORTED, "a part of version %u; this leat reads version %d", head->version,
                    PART_VERSION);
    if (head->shards > SHARDS_MAX || head->shard >= head->shards || head->whole > 1 ||
        head->body_bytes > (uint64_t)(size_bytes - offset) - sizeof *head)
        return fail(err, E_CORRUPT, "the part at byte %lld does not fit the file", (long long)offset);
    *out = (struct state_part){(int32_t)head->shard, (int32_t)head->shards, head->whole == 1,
                               offset + (int64_t)sizeof *head, (int64_t)head->body_bytes};
    return E_OK;
}

enum code state_file_parts(struct store *store, const char *path, int64_t size_bytes, struct state_parts *out,
                           struct error *err)
{
    int64_t have_bytes;
    TRY(store_size(store, path, &have_bytes, err));
    if (have_bytes != size_bytes)
        return fail(err, E_CORRUPT, "the file has %lld bytes, its record says %lld", (long long)have_bytes,
                    (long long)size_bytes);
    struct text bytes = {0};
    enum code code = E_OK;
    for (int64_t at = 0; code == E_OK && at < size_bytes;) {
        struct part_head head;
        struct state_part part;
        text_clear(&bytes);
        if (size_bytes - at < (int64_t)sizeof head)
            code = fail(err, at == 0 ? E_ABSENT : E_CORRUPT, "%lld bytes cannot hold a part",
                        (long long)(size_bytes - at));
        if (code == E_OK)
            code = store_read(store, path, at, sizeof head, &bytes, err);
        if (code != E_OK)
            break;
        memcpy(&head, bytes.data, sizeof head);
        code = head_read(&head, at, size_bytes, &part, err);
        if (code != E_OK)
            break;
        mem_grow(out->items, out->capacity, out->count + 1);
        out->items[out->count++] = part;
        at = part.offset + part.size_bytes;
    }
    text_free(&bytes);
    return code;
}

void state_parts_free(struct state_parts *self)
{
    mem_free(self->items);
    *self = (struct state_parts){0};
}

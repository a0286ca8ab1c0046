/* frame.c - how state lies in a snapshot or in a chain record. All numbers little endian.
 *
 *   offset   size   what
 *   0        4      "LEST"
 *   4        2      version of this table: 1
 *   6        2      kind, the writer's
 *   8        8      layout, the writer's fingerprint of what the body means
 *   16       8      n, bytes of the body
 *   24       n      body
 *   24 + n   8      XXH64, seed 0, of everything before it
 *
 * A frame is valid when all of it is there, magic and version are known, and the checksum agrees. Frames may
 * follow one another: a snapshot of several shards is their frames in any order.
 */
#include "state/state.h"

#include "base/hash.h"

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "numbers are stored as they lie in memory");

enum { HEAD_BYTES = 24, TAIL_BYTES = 8, FRAME_VERSION = 1 };
static const char MAGIC[4] = {'L', 'E', 'S', 'T'};

struct head {
    char magic[4];
    uint16_t version, kind;
    uint64_t layout, body_bytes;
};
_Static_assert(sizeof(struct head) == HEAD_BYTES, "no padding");

size_t state_frame_begin(struct text *out, uint16_t kind, uint64_t layout)
{
    struct head head = {.version = FRAME_VERSION, .kind = kind, .layout = layout};
    memcpy(head.magic, MAGIC, sizeof head.magic);
    size_t start = out->size;
    text_add(out, &head, sizeof head);
    return start;
}

void state_frame_end(struct text *out, size_t start)
{
    if (out->overflow)
        return; // The owner of `out` sees it; such a frame is never valid.
    uint64_t body_bytes = out->size - start - HEAD_BYTES;
    memcpy(out->data + start + offsetof(struct head, body_bytes), &body_bytes, sizeof body_bytes);
    uint64_t check = XXH64(out->data + start, out->size - start, 0);
    text_add(out, &check, sizeof check);
}

enum code state_frame_read(struct bytes *in, struct state_frame *out, struct error *err)
{
    struct head head;
    if (in->size < HEAD_BYTES + TAIL_BYTES)
        return fail(err, E_CORRUPT, "stored state: %zu bytes cannot hold a frame", in->size);
    memcpy(&head, in->data, sizeof head);
    if (memcmp(head.magic, MAGIC, sizeof head.magic) != 0)
        return fail(err, E_CORRUPT, "stored state: does not start with LEST");
    if (head.version != FRAME_VERSION)
        return fail(err, E_CORRUPT, "stored state: version %u, this leat reads version %d", head.version,
                    FRAME_VERSION);
    if (head.body_bytes > in->size - HEAD_BYTES - TAIL_BYTES)
        return fail(err, E_CORRUPT, "stored state: a body of %llu bytes is cut off at %zu",
                    (unsigned long long)head.body_bytes, in->size - HEAD_BYTES - TAIL_BYTES);
    size_t checked = HEAD_BYTES + (size_t)head.body_bytes;
    uint64_t check;
    memcpy(&check, in->data + checked, sizeof check);
    if (XXH64(in->data, checked, 0) != check)
        return fail(err, E_CORRUPT, "stored state: the checksum of %zu bytes does not agree", checked);
    *out = (struct state_frame){head.kind, head.layout, bytes_of(in->data + HEAD_BYTES, (size_t)head.body_bytes)};
    *in = bytes_of(in->data + checked + TAIL_BYTES, in->size - checked - TAIL_BYTES);
    return E_OK;
}

/* stored.h - read what a stage stored: one frame after the other, and the fields of a frame's body.
 *
 * Frame    state/frame.c: version, kind, layout, checksum. Of kind `snapshot` or `delta`, as the stage numbers them
 * Fails    E_CORRUPT when bytes are missing, too many or of an unknown kind; E_CHANGED when they are of another layout.
 *          Both with the stage's name in front
 */
#ifndef OPERATOR_STORED_H
#define OPERATOR_STORED_H

#include "operator/operator.h"

struct stored_spec {
    const char *name;         /* of the stage */
    uint16_t snapshot, delta; /* kinds of its frames */
    uint64_t layout;
    const char *others; /* what bytes of another layout belong to: "other group keys or aggregates" */
};
/* Load one frame: for the shard `shard`, or for whatever shards its keys belong to when that is -1. */
typedef enum code (*stored_load)(struct stateful *stage, int32_t shard, const struct state_frame *frame,
                                 struct error *err);
MUST_CHECK enum code stored_frames(const struct stored_spec *spec, struct stateful *stage, int32_t shard,
                                   struct bytes stored, stored_load load, struct error *err);

/* Take a field (out NULL: pass over it), or a key behind its 4 bytes of size, off the front of `in`. */
MUST_CHECK enum code stored_take(struct bytes *in, void *out, size_t size, struct error *err);
MUST_CHECK enum code stored_take_key(struct bytes *in, struct bytes *key, struct error *err);

#endif

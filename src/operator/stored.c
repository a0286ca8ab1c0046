#include "operator/stored.h"

static enum code frame_check(const struct stored_spec *spec, const struct state_frame *frame, struct error *err)
{
    if (frame->kind != spec->snapshot && frame->kind != spec->delta)
        return fail(err, E_CORRUPT, "%s: stored state of unknown kind %u", spec->name, frame->kind);
    if (frame->layout != spec->layout)
        return fail(err, E_CHANGED, "%s: the stored state belongs to %s; start with a new checkpoint", spec->name,
                    spec->others);
    return E_OK;
}

enum code stored_frames(const struct stored_spec *spec, struct stateful *stage, int32_t shard, struct bytes stored,
                        stored_load load, struct error *err)
{
    while (stored.size > 0) {
        struct state_frame frame;
        if (state_frame_read(&stored, &frame, err) != E_OK)
            return error_note(err, "%s", spec->name);
        TRY(frame_check(spec, &frame, err));
        if (load(stage, shard, &frame, err) != E_OK)
            return error_note(err, "%s", spec->name);
    }
    return E_OK;
}

enum code stored_take(struct bytes *in, void *out, size_t size, struct error *err)
{
    if (in->size < size)
        return fail(err, E_CORRUPT, "stored state: breaks off, %zu bytes of %zu are left", in->size, size);
    if (out != NULL)
        memcpy(out, in->data, size);
    *in = bytes_of(in->data + size, in->size - size);
    return E_OK;
}

enum code stored_take_key(struct bytes *in, struct bytes *key, struct error *err)
{
    uint32_t size;
    TRY(stored_take(in, &size, sizeof size, err));
    if (size > STATE_KEY_MAX || size > in->size)
        return fail(err, E_CORRUPT, "stored state: a key of %u bytes", size);
    *key = bytes_of(in->data, size);
    return stored_take(in, NULL, size, err);
}

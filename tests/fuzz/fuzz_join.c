/* Stored rows of a join with a right checksum and a body of any bytes: restore must take it or refuse it,
 * and what it took must match, come out and be stored again. The first byte says which kind of frame, which
 * join, and whether there are rows before. */
#include <stdlib.h>

#include "operator/operator.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static enum code check_rows(void *context, struct batch *out, struct error *err)
{
    (void)context, (void)err;
    batch_check(out);
    return E_OK;
}

static struct stateful *stage_make(struct arena *arena, const struct session *session, enum join_type type)
{
    static const char columns[] =
        "k STRING, t TIMESTAMP, v ARRAY<INT>, s STRUCT<a: BOOLEAN, b: STRING>, d DECIMAL(20,2)";
    static const char twice[] =
        "k STRING, t TIMESTAMP, v ARRAY<INT>, s STRUCT<a: BOOLEAN, b: STRING>, d DECIMAL(20,2), "
        "k STRING, t TIMESTAMP, v ARRAY<INT>, s STRUCT<a: BOOLEAN, b: STRING>, d DECIMAL(20,2)";
    static const bool null_safe[] = {false};
    struct error err = {0};
    struct expr_context ctx = {arena, session};
    const struct type *in;
    size_t position;
    struct join_spec spec = {
        .name = "fuzz", .type = type, .key_count = 1, .null_safe = null_safe, .time_key = -1, .lanes = 1, .shards = 2};
    if (type_parse_ddl(arena, bytes_of_string(columns), &in, &position, &err) != E_OK ||
        type_parse_ddl(arena, bytes_of_string(type == JOIN_TYPE_SEMI ? columns : twice), &spec.schema, &position,
                       &err) != E_OK)
        abort();
    const struct expr **key = arena_array(arena, const struct expr *, 1);
    key[0] = expr_column(&ctx, 0, &in->fields[0], (struct position){0});
    for (int32_t s = 0; s < JOIN_SIDES; s++)
        spec.sides[s] = (struct join_side){.schema = in, .keys = key, .time_column = 1, .bounded = true};
    struct stateful *stage;
    if (join_new(arena, &spec, &stage, &err) != E_OK)
        abort();
    return stage;
}

/* The body between the head and the checksum that this stage would have written. */
static void frame_around(struct stateful *stage, uint16_t kind, struct bytes body, struct text *out)
{
    struct text empty = {0};
    struct error err = {0};
    struct state_frame frame;
    if (stage->type->shard_snapshot(stage, 0, &empty, &err) != E_OK)
        abort();
    struct bytes in = text_view(&empty);
    if (state_frame_read(&in, &frame, &err) != E_OK)
        abort();
    size_t start = state_frame_begin(out, kind, frame.layout);
    text_add(out, body.data, body.size);
    state_frame_end(out, start);
    text_free(&empty);
}

/* New rows of both sides meet what was restored. */
static enum code feed(struct stateful *stage, const struct session *session, const struct epoch_time *time,
                      struct operator_counts *counts, struct error *err)
{
    struct rejects rejects = {0};
    struct arena arena = {0};
    const struct type *schema;
    size_t position;
    enum code code = type_parse_ddl(
        &arena,
        bytes_of_string("k STRING, t TIMESTAMP, v ARRAY<INT>, s STRUCT<a: BOOLEAN, b: STRING>, d DECIMAL(20,2)"),
        &schema, &position, err);
    for (int32_t side = 0; code == E_OK && side < JOIN_SIDES; side++) {
        struct batch in;
        batch_init(&in, schema, 1);
        for (int32_t c = 0; c < in.column_count; c++) {
            struct builder builder;
            builder_init(&builder, schema->fields[c].type);
            if (c == 0)
                builder_bytes(&builder, bytes_of_string("a"));
            else if (c == 1)
                builder_int(&builder, 7000000);
            else
                builder_null(&builder);
            builder_finish(&builder, &in.columns[c]);
            builder_release(&builder);
        }
        const struct lane_call call = {0, side, session, time, &rejects, NULL, counts};
        code = stage->type->lane_batch(stage, &call, &in, err);
        batch_release(&in);
    }
    rejects_free(&rejects);
    arena_free(&arena);
    return code;
}

static enum code run_epoch(struct stateful *stage, const struct session *session, int64_t epoch, struct error *err)
{
    struct operator_counts counts = {0};
    struct text stored = {0};
    const struct epoch_time time = {.epoch = epoch, .late_us = INT64_MIN, .emit_us = 6000000};
    const struct emit emit = {check_rows, NULL};
    enum code code = feed(stage, session, &time, &counts, err);
    for (int32_t shard = 0; code == E_OK && shard < 2; shard++) {
        code = stage->type->shard_merge(stage, shard, &time, &emit, &counts, err);
        if (code == E_OK)
            code = stage->type->shard_delta(stage, shard, &stored, err);
        if (code == E_OK)
            code = stage->type->shard_show(stage, shard, &emit, err);
    }
    stage->type->lanes_clear(stage);
    text_free(&stored);
    return code;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena arena = {0};
    struct session session = {.zone = zone_utc(), .ansi = true};
    struct error err = {0};
    struct text stored = {0};
    uint8_t choice = size > 0 ? data[0] : 0;
    struct stateful *stage = stage_make(&arena, &session, choice & 2 ? JOIN_TYPE_SEMI : JOIN_TYPE_FULL);
    frame_around(stage, 1 + choice % 2, bytes_of(data + (size > 0), size - (size > 0)), &stored);
    if ((choice & 4) && run_epoch(stage, &session, 0, &err) != E_OK) // the frame comes upon rows
        abort();
    enum code code = stage->type->restore(stage, bytes_of(data, size), &err); // no frame at all, most likely
    code = stage->type->restore(stage, text_view(&stored), &err);
    if (code == E_OK)
        code = run_epoch(stage, &session, 2, &err);
    if (code != E_OK && code != E_CORRUPT)
        abort();
    stage->type->free(stage);
    text_free(&stored);
    arena_free(&arena);
    return 0;
}

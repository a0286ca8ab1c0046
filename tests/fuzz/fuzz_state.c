/* Stored state with a right checksum and a body of any bytes: restore must take it or refuse it, and what it
 * took must come out again as rows. Of tumbling and sliding windows and of sessions. */
#include <stdlib.h>

#include "operator/operator.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static enum code check_rows(void *context, struct batch *out, struct error *err)
{
    (void)context, (void)err;
    batch_check(out);
    return E_OK;
}

enum { TUMBLING, SLIDING, SESSIONS, KINDS };

static struct stateful *stage_make(struct arena *arena, const struct session *session, int kind)
{
    struct error err = {0};
    struct expr_context ctx = {arena, session};
    const struct type *in, *out;
    size_t position;
    if (type_parse_ddl(arena, bytes_of_string("k STRING, v ARRAY<INT>, t TIMESTAMP, n BIGINT"), &in, &position, &err) !=
            E_OK ||
        type_parse_ddl(
            arena,
            bytes_of_string("k STRING, v ARRAY<INT>, w STRUCT<start: TIMESTAMP, end: TIMESTAMP>, c BIGINT, s BIGINT, "
                            "l ARRAY<STRING>, m STRING, d BIGINT, q BIGINT, o STRING, f STRING, b STRING"),
            &out, &position, &err) != E_OK)
        abort();
    const struct expr *cols[4];
    for (int32_t i = 0; i < 4; i++)
        cols[i] = expr_column(&ctx, i, &in->fields[i], (struct position){0});
    static const struct {
        const char *name;
        int32_t column;
        bool distinct;
    } wanted[] = {{"count", 3, true},
                  {"sum", 3, false},
                  {"collect_list", 0, false},
                  {"max", 0, false},
                  {"approx_count_distinct", 3, false},
                  {"percentile_approx", 3, false},
                  {"mode", 0, false},
                  {"first", 0, false},
                  {"max_by", 0, false}};
    enum { CALLS = sizeof wanted / sizeof *wanted };
    const struct aggregate_call **calls = arena_array(arena, const struct aggregate_call *, CALLS);
    const struct expr *half = expr_double(&ctx, 0.5, (struct position){0});
    for (int i = 0; i < CALLS; i++) {
        const struct expr *args[] = {cols[wanted[i].column], i == 5 ? half : cols[3]};
        if (aggregate_bind(&ctx, wanted[i].name, args, 1 + (i == 5 || i == 8), wanted[i].distinct, NULL,
                           (struct position){0}, &calls[i], &err) != E_OK)
            abort();
    }
    const struct expr **keys = arena_array(arena, const struct expr *, 3);
    keys[0] = cols[0];
    keys[1] = cols[1];
    const struct aggregate_spec spec = {
        .name = "fuzz",
        .keys = keys,
        .key_count = 3,
        .calls = calls,
        .call_count = CALLS,
        .window_key = 2,
        .size_us = kind == SLIDING ? 150000000 : 60000000,
        .slide_us = 60000000,
        .window_time = cols[2],
        .gap = kind == SESSIONS ? expr_int(&ctx, type_of(TYPE_INTERVAL_DT), 60000000, (struct position){0}) : NULL,
        .watermark_key = -1,
        .schema = out,
        .lanes = 1,
        .shards = 2};
    struct stateful *stage;
    if (aggregate_new(arena, &spec, &stage, &err) != E_OK)
        abort();
    return stage;
}

/* The body between the head and the checksum that this stage would have written. */
static void frame_around(struct stateful *stage, struct bytes body, struct text *out)
{
    struct text empty = {0};
    struct error err = {0};
    struct state_frame frame;
    if (stage->type->shard_snapshot(stage, 0, &empty, &err) != E_OK)
        abort();
    struct bytes in = text_view(&empty);
    if (state_frame_read(&in, &frame, &err) != E_OK)
        abort();
    uint16_t kind = body.size > 0 ? (uint16_t)(1 + body.data[0] % 2) : frame.kind; // snapshot or delta
    size_t start = state_frame_begin(out, kind, frame.layout);
    if (body.size > 1)
        text_add(out, body.data + 1, body.size - 1);
    state_frame_end(out, start);
    text_free(&empty);
}

static void restore_once(int kind, struct bytes body)
{
    struct arena arena = {0};
    struct session session = {.zone = zone_utc(), .ansi = true};
    struct error err = {0};
    struct text stored = {0};
    struct operator_counts counts = {0};
    struct stateful *stage = stage_make(&arena, &session, kind);
    frame_around(stage, body, &stored);
    enum code code = stage->type->restore(stage, body, &err); // no frame at all, most likely
    code = stage->type->restore(stage, text_view(&stored), &err);
    if (code != E_OK && code != E_CORRUPT)
        abort();
    const struct epoch_time time = {.emit_us = INT64_MAX};
    const struct emit emit = {check_rows, NULL};
    for (int32_t shard = 0; code == E_OK && shard < 2; shard++)
        code = stage->type->shard_show(stage, shard, &emit, &err);
    for (int32_t shard = 0; code == E_OK && shard < 2; shard++)
        code = stage->type->shard_merge(stage, shard, &time, &emit, &counts, &err);
    if (code != E_OK && code != E_CORRUPT)
        abort();
    stage->type->free(stage);
    text_free(&stored);
    arena_free(&arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    for (int kind = 0; kind < KINDS; kind++)
        restore_once(kind, bytes_of(data, size));
    return 0;
}

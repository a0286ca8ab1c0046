/* join_show.c - the rows that a join keeps, for people to look at: one row each.
 *
 * Shape    side ("left", "right"), key1.. (NULL: matches nothing, or a NULL that <=> takes), until (the
 *          watermark that lets it go; NULL = none does), matched, left, right (the columns; NULL on the
 *          other side)
 */
#include "operator/join_stage.h"

enum { SHOWN_AROUND = 5 }; /* columns beside the keys */

const struct type *join_shown_type(const struct join_spec *spec, struct arena *arena)
{
    int32_t count = 0;
    struct field *fields = arena_array(arena, struct field, (size_t)spec->key_count + SHOWN_AROUND);
    fields[count++] = (struct field){"side", type_of(TYPE_STRING), false};
    for (int32_t k = 0; k < spec->key_count; k++)
        fields[count++] =
            (struct field){arena_printf(arena, "key%d", (int)k + 1), spec->sides[JOIN_LEFT_SIDE].keys[k]->type, true};
    fields[count++] = (struct field){"until", type_of(TYPE_TIMESTAMP), true};
    fields[count++] = (struct field){"matched", type_of(TYPE_BOOLEAN), false};
    fields[count++] = (struct field){"left", spec->sides[JOIN_LEFT_SIDE].schema, true};
    fields[count++] = (struct field){"right", spec->sides[JOIN_RIGHT_SIDE].schema, true};
    return type_struct(arena, fields, count);
}

const struct type *join_shown(const struct stateful *base, struct arena *arena)
{
    (void)arena;
    return join_of(base)->shown;
}

struct showing {
    const struct join_stage *self;
    struct join_shard *shard;
    const struct emit *emit;
    struct join_row *rows[BATCH_ROWS_MAX];
    int64_t count;
    size_t bytes;
    int32_t side;
    enum code code;
    struct error *err;
};

static enum code show_keys(const struct showing *showing, struct builder *builders)
{
    int32_t keys = showing->self->spec.key_count;
    for (int64_t i = 0; i < showing->count; i++) {
        struct bytes key = state_key(showing->shard->keys, showing->rows[i]->slot);
        for (int32_t k = 0; key.size == 0 && k < keys; k++)
            builder_null(&builders[k]);
        if (key.size > 0)
            TRY(state_key_decode(key, builders, keys, showing->err));
    }
    return E_OK;
}

static void show_heads(const struct showing *showing, struct builder *side, struct builder *until,
                       struct builder *matched)
{
    for (int64_t i = 0; i < showing->count; i++) {
        const struct join_row *row = showing->rows[i];
        builder_bytes(side, bytes_of_string(showing->side == JOIN_LEFT_SIDE ? "left" : "right"));
        if (row->until_us == INT64_MAX)
            builder_null(until);
        else
            builder_int(until, row->until_us);
        builder_boolean(matched, row->flags & ROW_MATCHED);
    }
}

static void show_columns(const struct showing *showing, int32_t side, struct column *out)
{
    const struct row_layout *layout = &showing->self->layouts[side];
    if (side != showing->side) {
        column_all_null(out, layout->schema, showing->count);
        return;
    }
    *out = (struct column){.type = layout->schema, .rows = showing->count, .child_count = layout->schema->field_count};
    out->children = mem_array(struct column, (size_t)out->child_count);
    row_read(layout, showing->rows, showing->count, NULL, out->children);
}

static enum code show_batch(struct showing *showing)
{
    int32_t keys = showing->self->spec.key_count, plain = keys + SHOWN_AROUND - JOIN_SIDES;
    struct builder *builders = mem_array(struct builder, (size_t)plain);
    struct batch out;
    batch_init(&out, showing->self->shown, showing->count);
    for (int32_t c = 0; c < plain; c++)
        builder_init(&builders[c], showing->self->shown->fields[c].type);
    show_heads(showing, &builders[0], &builders[keys + 1], &builders[keys + 2]);
    enum code code = show_keys(showing, builders + 1);
    for (int32_t c = 0; c < plain; c++) {
        if (code == E_OK)
            builder_finish(&builders[c], &out.columns[c]);
        builder_release(&builders[c]);
    }
    for (int32_t s = 0; code == E_OK && s < JOIN_SIDES; s++)
        show_columns(showing, s, &out.columns[plain + s]);
    if (code == E_OK)
        code = showing->emit->batch(showing->emit->context, &out, showing->err);
    showing->count = 0;
    showing->bytes = 0;
    batch_release(&out);
    mem_free(builders);
    return code;
}

static void show_key(void *context, uint32_t slot)
{
    struct showing *showing = context;
    struct join_row *row = join_key_at(showing->shard->keys, slot)->first[showing->side];
    for (; showing->code == E_OK && row != NULL; row = row->next) {
        showing->rows[showing->count++] = row;
        showing->bytes += row_bytes(row);
        if (showing->count == BATCH_ROWS_MAX || showing->bytes >= JOIN_BATCH_BYTES_MAX)
            showing->code = show_batch(showing);
    }
}

enum code join_shard_show(struct stateful *base, int32_t shard, const struct emit *emit, struct error *err)
{
    struct join_stage *self = join_of(base);
    struct showing *showing = mem_new(struct showing);
    *showing = (struct showing){.self = self, .shard = &self->shards[shard], .emit = emit, .err = err};
    for (showing->side = 0; showing->code == E_OK && showing->side < JOIN_SIDES; showing->side++) {
        state_each(showing->shard->keys, show_key, showing);
        if (showing->code == E_OK && showing->count > 0)
            showing->code = show_batch(showing);
    }
    enum code code = showing->code;
    mem_free(showing);
    return code;
}

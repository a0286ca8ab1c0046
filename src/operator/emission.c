#include "operator/emission.h"

#include "operator/aggregate_stage.h"

void emission_open(struct emission *self, const struct aggregate_stage *stage, const struct emit *emit)
{
    *self = (struct emission){.stage = stage, .emit = emit};
}

/* Nothing is allocated for a shard that has nothing to say. */
static void builders_open(struct emission *self)
{
    const struct aggregate_stage *stage = self->stage;
    const struct aggregate_spec *spec = &stage->spec;
    self->builders = mem_array(struct builder, (size_t)spec->schema->field_count);
    for (int32_t k = 0; k < spec->key_count; k++)
        builder_init(&self->builders[k], stage->key_types[stage->key_order[k]]);
    for (int32_t c = 0; c < spec->call_count; c++)
        builder_init(&self->builders[spec->key_count + c], spec->calls[c]->type);
    if (spec->window_key >= 0)
        builder_init(&self->start, stage->key_types[spec->window_key]);
}

static void builders_close(struct emission *self)
{
    for (int32_t c = 0; self->builders != NULL && c < self->stage->spec.schema->field_count; c++)
        builder_release(&self->builders[c]);
    mem_free(self->builders);
    builder_release(&self->start);
}

/* The end, which stands for the window, becomes STRUCT<start, end>. */
static void window_column(struct emission *self, struct column *out)
{
    struct column end = column_take(out);
    *out = (struct column){.type = self->stage->spec.schema->fields[self->stage->spec.window_key].type,
                           .rows = end.rows,
                           .child_count = 2,
                           .children = mem_array(struct column, 2)};
    builder_finish(&self->start, &out->children[0]);
    out->children[1] = end;
}

static enum code send(struct emission *self, struct error *err)
{
    const struct aggregate_spec *spec = &self->stage->spec;
    struct batch batch;
    batch_init(&batch, spec->schema, self->rows);
    for (int32_t k = 0; k < spec->key_count; k++)
        builder_finish(&self->builders[k], &batch.columns[self->stage->key_order[k]]);
    for (int32_t c = spec->key_count; c < spec->schema->field_count; c++)
        builder_finish(&self->builders[c], &batch.columns[c]);
    if (spec->window_key >= 0)
        window_column(self, &batch.columns[spec->window_key]);
    self->out += self->rows;
    self->rows = 0;
    enum code code = self->emit->batch(self->emit->context, &batch, err);
    batch_release(&batch);
    return code;
}

enum code emission_row(struct emission *self, struct bytes key, int64_t start_us, int64_t end_us, const void *states,
                       struct error *err)
{
    const struct aggregate_stage *stage = self->stage;
    const struct aggregate_spec *spec = &stage->spec;
    if (self->builders == NULL)
        builders_open(self);
    int32_t in_key = stage->timelines == NULL ? spec->key_count : spec->key_count - 1;
    TRY(state_key_decode(key, self->builders, in_key, err));
    if (in_key < spec->key_count)
        builder_int(&self->builders[in_key], end_us);
    if (spec->window_key >= 0)
        builder_int(&self->start, start_us);
    for (int32_t c = 0; c < spec->call_count; c++)
        self->overflown += !aggregate_finish(spec->calls[c], (const uint8_t *)states + stage->state_at[c],
                                             &self->builders[spec->key_count + c]);
    return ++self->rows < BATCH_ROWS_MAX ? E_OK : send(self, err);
}

enum code emission_close(struct emission *self, enum code code, struct error *err)
{
    if (code == E_OK && self->rows > 0)
        code = send(self, err);
    builders_close(self);
    self->builders = NULL;
    return code;
}

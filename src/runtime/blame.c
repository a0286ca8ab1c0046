#include "runtime/blame.h"

static const struct decoder_type *json_type(void) { return decoder_find("json"); }

static bool decoders_open(struct blame *self, const struct plan *plan)
{
    const struct type *schema = plan->decode.schema;
    struct error ignored = {0};
    self->plan = plan;
    self->decoders = mem_array(void *, (size_t)schema->field_count);
    for (; self->count < schema->field_count; self->count++) {
        const struct decoder_spec spec = {
            .schema = type_struct(&self->arena, &schema->fields[self->count], 1),
            .mode = DECODE_FAILFAST,
            .zone = zone_utc(),
            .simd = -1,
            .option_names = plan->decode.option_names,
            .option_values = plan->decode.option_values,
            .option_count = plan->decode.option_count,
        };
        void *decoder = mem_zero(json_type()->size);
        if (json_type()->open(decoder, &spec, &ignored) != E_OK) {
            mem_free(decoder);
            return false;
        }
        self->decoders[self->count] = decoder;
    }
    return true;
}

void blame_close(struct blame *self)
{
    for (int32_t i = 0; i < self->count; i++) {
        json_type()->close(self->decoders[i]);
        mem_free(self->decoders[i]);
    }
    mem_free(self->decoders);
    arena_free(&self->arena);
    *self = (struct blame){0};
}

static bool refuses(void *decoder, const struct column *payload)
{
    struct rejects rejects = {0};
    struct column decoded = {0};
    struct error ignored = {0};
    bool refused = json_type()->decode(decoder, payload, &decoded, &rejects, &ignored) == E_OK && rejects.count > 0;
    column_release(&decoded);
    rejects_free(&rejects);
    return refused;
}

const char *blame_field(struct blame *self, const struct plan *plan, struct bytes payload)
{
    if (plan->kind != PLAN_DECODE || strcmp(plan->decode.format, json_type()->name) != 0)
        return NULL;
    if (self->plan != plan) {
        blame_close(self);
        if (!decoders_open(self, plan))
            return NULL;
    }
    struct builder builder;
    struct column column;
    const char *name = NULL;
    builder_init(&builder, type_of(TYPE_BINARY));
    builder_bytes(&builder, payload);
    builder_finish(&builder, &column);
    for (int32_t i = 0; name == NULL && i < self->count; i++)
        if (refuses(self->decoders[i], &column))
            name = plan->decode.schema->fields[i].name;
    column_release(&column);
    builder_release(&builder);
    return name;
}

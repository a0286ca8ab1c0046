#include "runtime/sightings.h"

#include <string.h>

#include "format/format.h"

struct look {
    struct sightings *sightings;
    const struct batch *in;
    int64_t row;
};

static bool is_known(const struct sightings *self, const char *path)
{
    for (int32_t i = 0; i < self->count; i++)
        if (strcmp(self->items[i].path, path) == 0)
            return true;
    return false;
}

static const char *bytes_kept(struct arena *arena, struct bytes bytes)
{
    return arena_strndup(arena, bytes.size > 0 ? (const char *)bytes.data : "", bytes.size);
}

/* Which record it was. Rows that were born in leat have none. */
static void record_note(struct arena *arena, const struct batch *in, int64_t row, struct sighting *out)
{
    const struct origin *origin = in->source;
    if (origin == NULL)
        return;
    int64_t record = batch_origin(in, row);
    out->source = origin->name != NULL ? arena_strdup(arena, origin->name) : "";
    if (origin->topic.type != NULL && !column_is_null(&origin->topic, record))
        out->topic = bytes_kept(arena, column_bytes_at(&origin->topic, record));
    if (origin->partition.type != NULL)
        out->partition = column_values(&origin->partition, int32_t)[record];
    if (origin->offset.type != NULL)
        out->offset = column_values(&origin->offset, int64_t)[record];
}

static const char *type_name(struct arena *arena, struct bytes value)
{
    struct text text = {0};
    type_print(json_value_type(value, arena), &text);
    const char *name = arena_strdup(arena, text.data);
    text_free(&text);
    return name;
}

static void member_note(void *context, const char *path, struct bytes value)
{
    const struct look *look = context;
    struct sightings *self = look->sightings;
    if (self->count == SIGHTINGS_MAX || is_known(self, path))
        return;
    struct bytes shown = bytes_of(value.data, value.size < EXAMPLE_MAX ? value.size : EXAMPLE_MAX);
    while (shown.size > 0 && shown.size < value.size && (value.data[shown.size] & 0xc0) == 0x80)
        shown.size--; // not through a character
    struct sighting sighting = {
        .path = arena_strdup(&self->arena, path),
        .source = "",
        .topic = "",
        .type = type_name(&self->arena, value),
        .example = bytes_kept(&self->arena, shown),
        .partition = -1,
        .offset = -1,
    };
    record_note(&self->arena, look->in, look->row, &sighting);
    mem_grow(self->items, self->capacity, self->count + 1);
    self->items[self->count++] = sighting;
}

void sightings_look(struct sightings *self, const struct plan *plan, const struct batch *in,
                    const struct column *payload)
{
    struct look look = {self, in, 0};
    for (; look.row < payload->rows && self->count < SIGHTINGS_MAX; look.row++)
        if (!column_is_null(payload, look.row))
            json_strangers_find(column_bytes_at(payload, look.row), plan->decode.schema, member_note, &look);
}

void sightings_close(struct sightings *self)
{
    mem_free(self->items);
    arena_free(&self->arena);
    *self = (struct sightings){0};
}

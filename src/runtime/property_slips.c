/* property_slips.c - properties of a table that leat does not know and whose names are nearly an option's: 'haeder'. A table may
 * have any properties, as on Spark, so they are told, not refused.
 */
#include "format/format.h"
#include "runtime/runtime.h"
#include "sink/sink.h"

static void property_tell(struct arena *arena, const struct pipeline_table *table, const struct setting *property,
                          const struct option *const *tables, struct problems *out)
{
    const char *near = options_have(tables, property->name) ? NULL : options_nearest(tables, property->name);
    const struct position *at = &property->at;
    if (near == NULL)
        return;
    mem_grow(out->texts, out->capacity, out->count + 1);
    out->texts[out->count++] =
        arena_printf(arena, "%s:%d:%d: table %s: %s has no effect; did you mean %s?", at->file != NULL ? at->file : "",
                     at->line, at->column, table->name, property->name, near);
}

void runtime_property_slips(struct arena *arena, const struct pipeline *pipeline, struct problems *out)
{
    for (int32_t t = 0; t < pipeline->table_count; t++) {
        const struct pipeline_table *table = pipeline->tables[t];
        const struct encoder_type *encoder = sink_encoder(table->format);
        const struct option *tables[] = {sink_find(table->format)->options, table_options,
                                         encoder != NULL ? encoder->options : NULL, NULL};
        for (int32_t i = 0; i < table->property_count && !table->is_sink; i++)
            property_tell(arena, table, &table->properties[i], tables, out);
    }
}

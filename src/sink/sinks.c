#include "sink/sinks.h"

#include <strings.h>

#include "format/format.h"

const struct sink_type *const sink_types[] = {&parquet_sink, &csv_sink,   &json_sink, &delta_sink,
                                              &console_sink, &kafka_sink, NULL};

const struct sink_type *sink_find(const char *name)
{
    for (const struct sink_type *const *type = sink_types; *type != NULL; type++)
        if (strcasecmp((*type)->name, name) == 0)
            return *type;
    return NULL;
}

const struct encoder_type *sink_encoder(const char *format)
{
    return encoder_find(strcasecmp(format, delta_sink.name) == 0 ? parquet_sink.name : format);
}

enum code sink_options(const struct sink_spec *spec, const struct option *options, const char *prefix, void *settings,
                       struct arena *arena, struct error *err)
{
    options_defaults(options, settings, arena);
    for (int32_t i = 0; i < spec->option_count; i++) {
        const char *name = spec->option_names[i];
        bool ours = prefix != NULL && strncasecmp(name, prefix, strlen(prefix)) == 0;
        if (ours || option_find(options, name) != NULL)
            TRY(option_set(options, settings, name, spec->option_values[i], arena, err));
    }
    return E_OK;
}

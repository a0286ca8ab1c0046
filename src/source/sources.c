/* sources.c - the list of sources. A new one is a file and a line here. */
#include "source/source.h"

#include <strings.h>

#include "source/files.h"
#include "source/kafka.h"

const struct source_type *const source_types[] = {
    &kafka_source_type,
    &json_source_type,
    &csv_source_type,
    &text_source_type,
    &parquet_source_type,
    &delta_source_type,
    NULL,
};

static const struct source_type *installed;

void source_install(const struct source_type *fake) { installed = fake; }

const struct source_type *source_find(const char *name)
{
    if (installed != NULL && strcasecmp(installed->name, name) == 0)
        return installed;
    for (const struct source_type *const *type = source_types; *type != NULL; type++)
        if (strcasecmp((*type)->name, name) == 0)
            return *type;
    return NULL;
}

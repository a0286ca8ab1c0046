/* option_names.c - which options a function heeds in its map('name', 'value', ..): those of the format's reader or writer, and
 * what expr/ does itself.
 */
#include <strings.h>

#include "expr/expr.h"
#include "format/format.h"

#define NAMED(option)  \
    {                  \
        .name = option \
    }
static const struct option of_times[] = {
    NAMED("dateFormat"), NAMED("timestampFormat"), NAMED("timestampNTZFormat"), NAMED("timeFormat"), {0}};
static const struct option of_to_json[] = {
    NAMED("dateFormat"), NAMED("timestampFormat"), NAMED("timestampNTZFormat"),
    NAMED("timeFormat"), NAMED("timeZone"),        NAMED("ignoreNullFields"),
    NAMED("sortKeys"),   NAMED("pretty"),          {0},
};
static const struct option of_json_schema[] = {
    NAMED("prefersDecimal"), NAMED("primitivesAsString"), NAMED("allowNumericLeadingZeros"), {0}};

static const struct taker {
    const char *function;
    int32_t place;
    const char *reads, *writes; /* a format, whose options it heeds too; or NULL */
    const struct option *own;   /* or NULL */
} takers[] = {
    {"from_json", 2, "json", NULL, of_times},
    {"from_csv", 2, "csv", NULL, of_times},
    {"to_json", 1, NULL, NULL, of_to_json},
    {"to_csv", 1, NULL, "csv", of_times},
    {"schema_of_json", 1, NULL, NULL, of_json_schema},
    {"schema_of_csv", 1, "csv", NULL, NULL},
};

static void options_collect(const struct taker *taker, struct function_options *out)
{
    const struct option **next = out->tables;
    *out = (struct function_options){.place = taker->place};
    if (taker->reads != NULL)
        *next++ = decoder_find(taker->reads)->options;
    if (taker->writes != NULL)
        *next++ = encoder_find(taker->writes)->options;
    *next = taker->own;
}

bool function_options(const char *function, struct function_options *out)
{
    for (size_t i = 0; i < sizeof takers / sizeof *takers; i++) {
        if (strcasecmp(takers[i].function, function) != 0)
            continue;
        options_collect(&takers[i], out);
        return true;
    }
    return false;
}

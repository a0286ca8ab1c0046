/* table_options.c - properties of a table that do not depend on its format: what they are, for checks and docs. */
#include <strings.h>

#include "runtime/outputs.h"

struct table_settings {
    const char *format, *path, *dedup, *quarantine, *quarantine_topic;
    int within_watermark, late;
};
#define AT(member) offsetof(struct table_settings, member)

// clang-format off
const struct option table_options[] = {
    {.name = "leat.format", .kind = OPTION_STRING, .initial = "parquet", .offset = AT(format),
     .help = "what its files are: one of the sinks below"},
    {.name = "leat.path", .kind = OPTION_STRING, .offset = AT(path), .help = "its folder; default <leat.tables.path>/<table>"},
    {.name = "leat.dedup", .kind = OPTION_STRING, .offset = AT(dedup),
     .help = "columns, separated by commas: only the first row of each combination goes into the table"},
    {.name = "leat.dedup.within_watermark", .kind = OPTION_BOOLEAN, .initial = "false", .offset = AT(within_watermark),
     .help = "remember a combination only until the watermark has passed its first row by the delay"},
    {.name = "leat.late", .kind = OPTION_ENUM, .initial = "drop", .choices = "drop|table", .offset = AT(late),
     .help = "what becomes of rows that come too late for the table's windows, joins and deduplication: counted and dropped, "
             "or written as JSON lines to <table>_late as well"},
    {.name = "leat.quarantine", .kind = OPTION_STRING, .offset = AT(quarantine),
     .help = "folder beside the tables for rows that this table lost to errors; tables that name the same share it. Default: "
             "the setting leat.quarantine, else _quarantine"},
    {.name = "leat.quarantine.topic", .kind = OPTION_STRING, .offset = AT(quarantine_topic),
     .help = "Kafka topic for rows that this table lost to errors: instead of the folder, or beside it when leat.quarantine is "
             "set as well"},
    {.name = NULL},
};
// clang-format on

bool table_keeps_late(const struct pipeline_table *table)
{
    const char *late = table_property(table, "leat.late");
    return late != NULL && strcasecmp(late, "table") == 0;
}

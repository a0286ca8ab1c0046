/* analyse.h - from the texts of a project to its pipeline; called by the spec's reader.
 *
 * In       the SQL files with ${key} already replaced, the sources and sinks of the spec, the
 *          settings
 * Out      struct pipeline: analysed, fused, pruned, numbered, with its fingerprint
 * Errors   all that are found go to notes->problems; err holds the first
 * Owns     the result lives in the arena and points into the texts, which must live as long
 */
#ifndef SQL_ANALYSE_H
#define SQL_ANALYSE_H

#include "sql/message.h"
#include "sql/sql.h"

struct sink_text { /* sink.NAME.* of the spec */
    const char *name, *format;
    const char *from;              /* view or table that feeds it; may be NULL when a CREATE FLOW does */
    const struct setting *options; /* without "sink.NAME.", format and from */
    int32_t option_count;
    struct position at;
};
struct project_text {
    const char *name, *directory, *storage;
    struct position storage_at;
    const struct sql_file *files;
    int32_t file_count;
    const struct pipeline_source *const *sources; /* without schema: the analyser finds it */
    int32_t source_count;
    const struct sink_text *sinks;
    int32_t sink_count;
    const struct setting *settings;
    int32_t setting_count;
    struct session session;
    const struct sql_files *tables; /* asked for the columns of Delta tables; or NULL */
    struct notes *notes;            /* problems and warnings so far; knows the spec's own files */
};
MUST_CHECK enum code project_analyse(struct arena *arena, const struct project_text *text, const struct pipeline **out,
                                     struct error *err);

#endif

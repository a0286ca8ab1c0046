/* quarantines.h - where rejected rows go: which folders and topics there are, and which of them each table names.
 *
 * Named     by the table: 'leat.quarantine' (a folder beside the tables), 'leat.quarantine.topic' (a Kafka topic), or both;
 *           by the project: the settings of the same names, for tables that say neither; else the folder `_quarantine`
 * Shared    two tables that name the same have the same one: a row that both lost is in it once
 * Owns      all in the arena
 * Thread    pure
 */
#ifndef RUNTIME_QUARANTINES_H
#define RUNTIME_QUARANTINES_H

#include "runtime/rejection.h"

#define QUARANTINE_DEFAULT "_quarantine"

struct quarantine {
    const char *name; /* of the folder, or of the topic */
    bool is_topic;
};
struct quarantines {
    struct quarantine *items; /* folders first */
    int32_t count, folder_count;
    int32_t **of_node; /* per plan node: those that a row it rejects goes to */
    int32_t *of_node_count;
    int32_t **of_table; /* per table: those that a row goes to which its sink cannot take */
    int32_t *of_table_count;
};
void quarantines_find(struct arena *arena, const struct pipeline *pipeline, struct quarantines *out);

#endif

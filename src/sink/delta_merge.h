/* delta_merge.h - small files of a Delta table become large ones: its log says which files there are, and changes them. Private
 * to sink/.
 *
 * Files    those that this query has added and that still are in the table, without deleted rows
 * Change   one commit with dataChange false: the new file comes, the old ones go. Nobody who reads a version sees rows twice
 *          or not at all; who streams from the table sees nothing. The old files stay on disk until a vacuum
 * Races    somebody else has removed one of them: the merge is dropped, and its file is what a vacuum removes
 * Thread   delta_merge_files: beside the sink's writes; the change: when nothing else is under way
 */
#ifndef SINK_DELTA_MERGE_H
#define SINK_DELTA_MERGE_H

#include "delta/delta.h"
#include "sink/merge.h"

struct delta_merge {
    struct arena arena; /* of the files that were found last */
    struct store *store;
    struct delta_table *table;
    struct budget *budget;
    char query8[9];
    struct delta_action *files; /* adds */
    int32_t count;
};
struct merge_table delta_merge_table(struct delta_merge *self);
void delta_merge_close(struct delta_merge *self);

#endif

/* sort_run.h - inside query/: sorted runs on disk, merged to one order.
 *
 * Shape    a run is a list of blocks (rows_file.h), sorted; the last column of its rows is their sort key (sort_key.h).
 *          Runs are numbered in the order their rows came, so equal keys keep theirs
 * Holds    a block of each run; of more than SORT_RUNS_MAX runs, some are merged to one first
 */
#ifndef QUERY_SORT_RUN_H
#define QUERY_SORT_RUN_H

#include "query/rows_file.h"

enum { SORT_RUNS_MAX = 64 };

struct sort_run {
    struct rows_file *file; /* a user of it */
    struct rows_list list;
    int32_t next;       /* block */
    struct batch block; /* the one at hand, */
    int64_t row;        /* up to this row */
};
struct sort_runs {
    struct query *query;
    const struct type *schema; /* of the rows, with the key */
    struct rows_file *file;    /* of the runs that were not merged */
    struct sort_run *runs;
    int32_t count, capacity;
    int32_t *heap; /* runs by their next key, the smallest first */
    int32_t heap_count;
};
/* One run more: the rows, in `order`. */
MUST_CHECK enum code sort_runs_add(struct sort_runs *self, const struct batch *rows, const int32_t *order,
                                   struct error *err);
/* All runs are there. */
MUST_CHECK enum code sort_runs_begin(struct sort_runs *self, struct error *err);
/* The next rows in order, with their keys; rows 0: there are no more. */
MUST_CHECK enum code sort_runs_next(struct sort_runs *self, struct batch *out, struct error *err);
void sort_runs_free(struct sort_runs *self);

#endif

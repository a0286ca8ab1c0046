/* merge.h - many small files of a table become few: which ones, and rewriting them bit by bit. Private to sink/.
 *
 *   merge_plan.c    which files: small ones of one folder, so that a row is rewritten a few times at most
 *   merge_write.c   their rows into one staged file
 *   merge_list.c    what became of what, beside the new file: how an audit finds the rows again
 *   merger.c        a plain directory: plan, write, take their place
 *
 * Beside    merge_write works while lanes write the next epoch, and is asked for little pieces of work
 * Inputs    only files that this query wrote in epochs before the newest one with files: the newest one's are what recovery
 *           looks for
 * Crash     until the files change places, what was written is garbage that the next merge removes
 */
#ifndef SINK_MERGE_H
#define SINK_MERGE_H

#include "sink/directory.h"

enum {
    MERGE_FAN_IN = 12, /* so many new files are worth rewriting, of any size */
    MERGE_INPUTS_MAX = 4096,
    MERGE_NAME_MAX = 128,
};

/* ---- merge_plan.c ---- */

struct merge_file {
    const char *path; /* in the store; borrowed */
    int64_t size_bytes, modified_us;
    int64_t first_epoch, epoch; /* what is in it */
    int32_t number;             /* of its epoch */
};
struct merge_group {
    int32_t from, count; /* of the files that merge_plan has put there */
    int64_t size_bytes;
};
/* Sort the files by folder and age, and find the first that are to become one: true, then they stand together. `all`: every
 * small file, as by hand; else only when enough have come together. */
bool merge_plan(struct merge_file *files, int32_t count, int64_t target_bytes, bool all, struct merge_group *out);
/* A file smaller than this is small. */
int64_t merge_small_bytes(int64_t target_bytes);

/* Whose files they are when a log says so and not the folder. */
struct merge_table {
    void *context;
    /* What can be merged; good until the next call. */
    enum code (*files)(void *context, struct merge_file **out, int32_t *count, struct error *err);
    /* The staged file takes the place of these. */
    enum code (*change)(void *context, const struct part *part, const struct merge_file *inputs, int32_t count,
                        struct error *err);
};

/* ---- merge_write.c ---- */

struct merge_spec {
    struct store *store;
    const struct encoder_type *encoder;
    const struct encoder_spec *encoder_spec;
    struct budget *budget;
    int64_t piece_bytes;
    int32_t summary_columns; /* of the result's summary; 0 = none */
    const char *staged, *final;
    const struct merge_file *inputs; /* borrowed */
    int32_t input_count;
};
struct merge;
MUST_CHECK enum code merge_open(const struct merge_spec *spec, struct merge **out, struct error *err);
/* A few thousand rows. *done: the file is synced under its staged name. E_CORRUPT, E_UNSUPPORTED, E_ABSENT: input
 * `merge_input_at` cannot take part. */
MUST_CHECK enum code merge_step(struct merge *self, bool *done, struct error *err);
int32_t merge_input_at(const struct merge *self);
/* After *done: the file (the caller's strings), and what each input had. */
const struct part *merge_result(const struct merge *self);
const struct sink_file *merge_inputs(const struct merge *self);
void merge_free(struct merge *self); /* unfinished: the staged file goes */

/* ---- merge_list.c ---- */

/* {"file":{"final","size","rows","checksum"},"inputs":[...]} */
MUST_CHECK enum code merge_list_print(const struct sink_file *file, const struct sink_file *inputs, int32_t count,
                                      struct text *out, struct error *err);

/* ---- merger.c ---- */

struct merger_spec {
    struct store *store;
    const struct encoder_type *encoder;
    const struct encoder_spec *encoder_spec;
    struct budget *budget;
    const char *query8, *suffix;
    int64_t piece_bytes, target_bytes;
    int32_t summary_columns;
    struct merge_table table; /* zeroed: a plain directory */
};
struct merger;
struct merger *merger_new(const struct merger_spec *spec);
void merger_free(struct merger *self);
/* So many files have come: worth a look at the folder? */
void merger_told(struct merger *self, int64_t files);
/* Of epochs up to `below`, but not `newest`. */
MUST_CHECK enum code merger_work(struct merger *self, const struct sink_merge *request, const struct parts *newest,
                                 int64_t below, bool *more, struct error *err);
MUST_CHECK enum code merger_commit(struct merger *self, struct sink_merged *out, struct error *err);

#endif

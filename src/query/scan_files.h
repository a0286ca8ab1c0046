/* scan_files.h - inside query/: one source of files, opened, looked at, read whole.
 *
 * Use      files_reader_open, then files_reader_next until a batch has no rows
 * Shape    files of columns give `schema`; files of lines Kafka's columns, of which value and topic (the file) are filled
 * Fails    E_ABSENT [PATH_NOT_FOUND]; E_LOST: a file was changed or removed meanwhile; what the format fails with
 * Owns     the source; batches are the caller's
 */
#ifndef QUERY_SCAN_FILES_H
#define QUERY_SCAN_FILES_H

#include "query/query.h"
#include "source/source.h"

struct files_reader {
    const struct source_type *type;
    void *source; /* NULL: not open */
    struct source_ranges ranges;
    bool done;
};
struct files_reader_spec {
    const struct pipeline_source *source;
    const struct type *schema; /* of a type with columns */
    const struct zone *zone;
    struct budget *budget;
    const char *without; /* an option that the source is not to see; or NULL */
    const char *path;    /* where the files are; NULL: an option says it */
    bool unset_empty;    /* an option that is empty is one not set: "${env:NAME:-}" */
    bool flat;           /* folders name=value are refused: nobody asked what they give */
};
MUST_CHECK enum code files_reader_open(struct files_reader *self, const struct files_reader_spec *spec,
                                       struct error *err);
MUST_CHECK enum code files_reader_describe(struct files_reader *self, struct arena *arena, struct source_shape *out,
                                           struct error *err);
/* out->rows 0: all is read. */
MUST_CHECK enum code files_reader_next(struct files_reader *self, struct batch *out, struct error *err);
/* Bytes of the files that are read. */
int64_t files_reader_bytes(const struct files_reader *self);
void files_reader_close(struct files_reader *self);
/* The option's value; NULL: not set. */
const char *files_option(const struct pipeline_source *source, const char *name);

#endif

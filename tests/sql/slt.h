/* slt.h - golden streaming tests: a file says what is fed and what tables hold then, the runner
 * makes it true in many worlds. README.md has the form of the files.
 *
 * Parts    slt_parse.c    a file into declarations and steps
 *          slt_project.c  the project folder of a world, and the files that are fed
 *          slt_rows.c     rows: as written in a test, as fed, as tables hold them
 *          slt_run.c      the steps of a file in one world, on an engine in this process
 *          slt_main.c     files x worlds, --update, the closing line
 * World    how many rows a batch has, how many workers there are, and what is made to fail. No
 *          world may change a row
 * Time     comes from the rows alone
 */
#ifndef SLT_H
#define SLT_H

#include "base/memory.h"
#include "runtime/engine.h"
#include "sql/sql.h"

enum { SLT_STREAMS_MAX = 16, SLT_STEPS_MAX = 400, SLT_SETTINGS_MAX = 32, SLT_OPTIONS_MAX = 8 };

enum slt_kind { SLT_FEED, SLT_EXPECT, SLT_WATERMARK, SLT_LATE, SLT_CRASH, SLT_ERROR };

struct slt_stream {
    const char *name, *columns, *format;
    const char *watermark, *delay; /* "watermark at - 5 seconds": a view of the name over the source */
    const char *options[SLT_OPTIONS_MAX], *values[SLT_OPTIONS_MAX];
    int32_t option_count;
    bool stands; /* `table`: a source that is read without STREAM */
    const struct type *schema;
    int32_t first, count; /* rows of a `table`, in lines */
};
struct slt_step {
    enum slt_kind kind;
    int32_t line;         /* from 0 */
    const char *name;     /* stream or table; condition of an error */
    const char *argument; /* watermark, late: what is expected */
    int32_t first, count; /* its block, in lines */
    bool backlog;         /* then feed: it is there before the epoch before it runs */
};
struct slt_file {
    struct arena arena;
    const char *path;
    char **lines;
    int32_t line_count, line_capacity;
    struct slt_stream streams[SLT_STREAMS_MAX];
    int32_t stream_count;
    struct setting settings[SLT_SETTINGS_MAX];
    int32_t setting_count;
    struct slt_step steps[SLT_STEPS_MAX];
    int32_t step_count;
    struct text sql; /* all statements of the pipeline */
};
MUST_CHECK enum code slt_load(struct slt_file *file, const char *path, struct error *err);
void slt_close(struct slt_file *file);

/* ---- worlds ---- */
enum slt_trouble { SLT_CALM, SLT_CRASHES, SLT_FAULTS, SLT_KILLS };
struct slt_world {
    int32_t batch_rows, workers;
    enum slt_trouble trouble;
    int32_t seed; /* where in the list of faults it begins */
};
void slt_world_name(const struct slt_world *world, char *out, size_t size);

/* ---- projects ---- */
struct slt_project {
    char folder[256];
    int32_t files; /* fed so far, of all streams: names and times go up */
};
/* A fresh folder; `sql` is all statements. */
MUST_CHECK enum code slt_project_make(struct slt_project *project, const struct slt_file *file, const struct text *sql,
                                      const char *folder, struct error *err);
MUST_CHECK enum code slt_project_feed(struct slt_project *project, const struct slt_file *file,
                                      const struct slt_stream *stream, int32_t first, int32_t count, struct error *err);
void slt_folder_remove(const char *folder);

/* ---- rows ---- */
/* One row as written in a test, as a line of the stream's file. E_SPEC. */
MUST_CHECK enum code slt_row_feed(const struct slt_stream *stream, const char *row, struct text *out,
                                  struct error *err);
struct slt_rows {
    struct arena arena;
    char **items;
    int32_t count, capacity;
};
void slt_rows_add(struct slt_rows *rows, const char *row);
void slt_rows_sort(struct slt_rows *rows);
void slt_rows_clear(struct slt_rows *rows);
void slt_rows_free(struct slt_rows *rows);
/* All rows that readers of the table's folder see, in the form of tests. */
MUST_CHECK enum code slt_rows_read(const struct pipeline *pipeline, const char *tables, const char *table,
                                   struct slt_rows *out, struct error *err);

/* ---- running ---- */
struct slt_outcome {
    bool failed;
    int32_t line; /* of the step that failed, from 1 */
    struct text report;
    struct text updated; /* the file with what was seen in it, when asked for */
};
void slt_run(struct slt_file *file, const struct slt_world *world, const char *folder, bool update,
             struct slt_outcome *out);

#endif

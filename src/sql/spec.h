/* spec.h - spark-pipeline.yml, read and checked: names, settings, sources, sinks, and the SQL files it points
 * to.
 *
 * In       the spec's text; the environment for ${env:NAME} and ${env:NAME:-default}; --set over
 *          `configuration`
 * Out      struct spec; positions point into `file`
 * Errors   E_SPEC with file:line:column, the line, a caret, and "did you mean"; all of them go to
 *          notes->problems, the returned one is the first. Texts start with Spark's condition where Spark has
 *          one
 * Warnings what Spark would refuse and leat takes: values that are no strings, other globs, files of other
 * kinds
 * Owns     everything lives in the arena
 * Thread   one
 * Limits   SPEC_* and SQL_TEXT_MAX
 * Spec     shared/design/language.md section 1; pyspark/pipelines/cli.py of Spark 4.2
 */
#ifndef SQL_SPEC_H
#define SQL_SPEC_H

#include "sql/analyse.h"
#include "sql/message.h"
#include "sql/sql.h"

enum {
    SPEC_TEXT_MAX = 1024 * 1024,
    SPEC_SETTINGS_MAX = 10000,
    SPEC_VALUE_MAX = 64 * 1024,  /* bytes of a value after ${env:..} */
    SPEC_VARIABLE_DEPTH_MAX = 8, /* ${env:A:-${env:B:-..}} */
    SPEC_FILES_MAX = 2000,       /* files looked at below a library's folder */
    SPEC_FOLDER_DEPTH_MAX = 32,
    SPEC_BRACKETS_MAX = 500, /* open at once: libyaml's time grows with their square, */
    SPEC_ANCHORS_MAX = 1000, /* and with that of these */
};

/* Where ${env:NAME} looks: the process's environment, then the names of a .env file. */
struct dotenv {
    const char *file; /* for messages; NULL = there is none */
    const struct setting *names;
    int32_t count;
};
/* KEY=VALUE lines; # comments; export in front; '..' as it is, ".." with \n \t \" \\ \$. E_SPEC with
 * file:line. */
MUST_CHECK enum code dotenv_parse(struct arena *arena, const struct sql_file *file, struct notes *notes,
                                  struct dotenv *out, struct error *err);
const char *dotenv_find(const struct dotenv *dotenv, const char *name); /* NULL when unset */

struct spec_glob {
    const char *pattern;
    struct position at;
};
struct spec {
    const char *name, *storage, *catalog, *database;
    struct position at, storage_at; /* at: the spec's first line, for what is missing */
    const struct setting
        *settings; /* `configuration` and --set, replaced; an empty value of ours or Spark's is unset */
    int32_t setting_count;
    const struct pipeline_source *const *sources; /* without schema: the analyser finds it */
    int32_t source_count;
    const struct sink_text *sinks;
    int32_t sink_count;
    const struct spec_glob *globs;
    int32_t glob_count;
};
/* Text to spec: no I/O but the process's environment. */
MUST_CHECK enum code spec_parse(struct arena *arena, const struct sql_file *file, const struct dotenv *dotenv,
                                const struct setting *sets, int32_t set_count, struct notes *notes, struct spec *out,
                                struct error *err);

/* The .sql files that the globs name, below `directory`, in the order of their paths, with ${key} replaced. */
MUST_CHECK enum code spec_files(struct arena *arena, const char *directory, const struct spec *spec,
                                struct notes *notes, const struct sql_file **out, int32_t *count, struct error *err);
/* Whether a path below the project's folder is named by a glob: *, ? within a folder; ** any folders. */
bool glob_matches(const char *pattern, const char *path);

/* ---- inside the spec's files ---- */

/* Problems in the order they are found; the first is what the caller gets. */
struct spec_reader {
    struct arena *arena;
    struct notes *notes;
    struct error first;
};
void spec_problem(struct spec_reader *reader, struct position at, const char *hint, const char *format, ...)
    PRINTF(4, 5);
/* "did you mean X?" in the arena, or NULL. */
const char *spec_suggestion(struct arena *arena, const char *nearest);

/* ${env:NAME[:-default]} in `value` -> *out; reports problems at `place(context, offset)`. False when one was
 * found. */
struct variable_place {
    struct position (*at)(const void *context, size_t offset, size_t size);
    const void *context;
};
bool env_replace(struct spec_reader *reader, const struct dotenv *dotenv, const char *value,
                 const struct variable_place *place, const char **out);
/* ${key} in the text of a .sql file, outside comments -> file->text. */
bool sql_replace(struct spec_reader *reader, const struct spec *spec, struct sql_file *file);

/* Check names and values of all settings, and group source.* and sink.*. */
void settings_group(struct spec_reader *reader, struct spec *spec);

#endif

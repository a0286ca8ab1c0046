/* options.h - options are a table with offsets (style.md E8).
 *
 * A plug-in lists its options once: name, kind, default, range, help, offset into its settings struct.
 * Parsing, defaults, range checks, "did you mean", --help and docs/connectors.md all come from the table.
 *
 * Owns     string values point into the arena given to options_set/options_defaults
 * Fails    E_SPEC names the option, the value, the allowed range and the nearest known name
 * Thread   tables are constants; a settings struct belongs to its owner
 */
#ifndef BASE_OPTIONS_H
#define BASE_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/error.h"

enum option_kind {
    OPTION_STRING,   /* const char *            */
    OPTION_BOOLEAN,  /* bool: true/false        */
    OPTION_INT,      /* int64_t in [min, max]   */
    OPTION_BYTES,    /* int64_t: 128MB, 64k, 1g, 1 GiB */
    OPTION_DURATION, /* int64_t microseconds: "30 seconds", "5 minutes", "100 ms", "1 hour" */
    OPTION_ENUM,     /* int: index into `choices` (a|b|c) */
};
struct option {
    const char *name;
    enum option_kind kind;
    const char *initial; /* text of the default; NULL = NULL/0/false */
    const char *choices; /* for OPTION_ENUM: "a|b|c" */
    int64_t min, max;    /* for INT, BYTES, DURATION; both 0 = any not negative */
    const char *help;    /* one line, unit included */
    size_t offset;
    bool secret; /* never printed */
};
/* `options` ends with a row whose name is NULL. */
void options_defaults(const struct option *options, void *settings, struct arena *arena);
/* Find by name (ASCII case ignored, as Spark does); NULL when unknown. A row "name#COLUMN" is found by name#anything:
 * an option of one column, whichever its name is. */
const struct option *option_find(const struct option *options, const char *name);
/* Of several tables, the list of which ends with NULL: whether one has an option of this name, and which name that one of
 * them has was meant, or NULL. */
bool options_have(const struct option *const *tables, const char *name);
const char *options_nearest(const struct option *const *tables, const char *name);
MUST_CHECK enum code option_set(const struct option *options, void *settings, const char *name, const char *value,
                                struct arena *arena, struct error *err);
MUST_CHECK enum code parse_duration(const char *text, int64_t *out_us, struct error *err);
MUST_CHECK enum code parse_size(const char *text, int64_t *out_bytes, struct error *err);
/* 33554432 -> 32m: what parse_size() takes, exact when it is a whole number of k, m or g. */
enum { SIZE_TEXT_MAX = 32 };
const char *print_size(size_t bytes, char out[SIZE_TEXT_MAX]);
/* What a value looks like: "number", "duration", or the choices "a|b|c". */
const char *option_kind_text(const struct option *option);
/* "--name  kind  default  help" lines for --help; -c of names that are one letter. */
void options_print(const struct option *options, struct text *out);

#endif

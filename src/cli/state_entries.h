/* state_entries.h - entries of an operator's state: which ones to show, and how.
 *
 * Filter   COLUMN=VALUE, all of which must hold. COLUMN is a top-level column, a path a.b into structs, or the name of a
 *          field of any struct: then one of them must be equal. VALUE is compared with the cell's text
 * Owns     what is shown, until close
 */
#ifndef CLI_STATE_ENTRIES_H
#define CLI_STATE_ENTRIES_H

#include "cli/cli.h"
#include "data/data.h"

struct entry_condition {
    char *column, *value;
};
struct entry_filter {
    struct entry_condition *conditions;
    int32_t count;
};
MUST_CHECK enum code entry_filter_parse(const struct strings *where, struct entry_filter *out, struct error *err);
void entry_filter_free(struct entry_filter *self);
/* The first column that entries of this schema do not have, or NULL. */
const char *entry_filter_missing(const struct entry_filter *self, const struct type *schema);
/* Does the row meet all conditions? */
bool entry_matches(const struct entry_filter *self, const struct batch *batch, int64_t row, const struct zone *zone);

struct entries_spec {
    const char *name; /* of the operator */
    const struct type *schema;
    const struct zone *zone;
    const struct entry_filter *filter;
    int64_t limit;
    bool json;
};
struct entries {
    struct entries_spec spec;
    bool open;
    int64_t matched;
    struct show show;    /* as a table */
    struct text lines;   /* as JSON */
    const void *encoder; /* of JSON: struct encoder_type and its lane */
    void *lane;
};
MUST_CHECK enum code entries_open(struct entries *self, const struct entries_spec *spec, struct error *err);
MUST_CHECK enum code entries_add(struct entries *self, const struct batch *batch, struct error *err);
void entries_print(const struct entries *self, struct text *out);
void entries_close(struct entries *self);

/* A JSON string with its quotes. */
void quote_json(struct text *out, const char *value);

#endif

/* reshape.h - inside expr/: the times of a STRUCT as texts by a pattern, and back; intervals out of texts; and other changes
 * field by field that options of from_json, to_json, from_csv and to_csv ask for.
 *
 * Shape    an expression over the struct that makes a new one; fields of structs, elements of arrays and values of maps
 *          within it too, keys of maps not
 * Options  constant map('name', 'value', ..) of STRINGs
 * Thread   any; everything lives in the arena
 */
#ifndef EXPR_RESHAPE_H
#define EXPR_RESHAPE_H

#include "expr/function.h"

struct text_options {
    const char **names, **values;
    int32_t count;
};
/* Argument `index`, if it is there. E_SQL INVALID_OPTIONS when it is no such map. */
MUST_CHECK enum code bind_text_options(struct binding *binding, int32_t index, struct text_options *out,
                                       struct error *err);
/* NULL: not given. Case does not matter. */
const char *text_option(const struct text_options *options, const char *name);

struct reshape {
    const char *date_format, *timestamp_format, *ntz_format, *time_format; /* NULL: as they are */
    bool intervals;                                                        /* are texts in the source */
    const struct expr *record; /* the whole text as a VARIANT, where its fields are VARIANTs; or NULL */
    bool sort_keys;
    bool nested_as_text; /* arrays, maps, structs and bytes within the struct are texts */
    const char *absent;  /* what stands for a NULL in them */
};
void reshape_formats(const struct text_options *options, struct reshape *out);
/* Whether it changes a value of the type at all. */
bool reshape_changes(const struct reshape *reshape, const struct type *type);

/* Values to texts. */
MUST_CHECK enum code reshape_print(struct expr_context *ctx, const struct reshape *reshape, const struct expr *of,
                                   const struct expr **out, struct error *err);
/* The type with texts where times have a pattern; then an expression of that type as one of the wanted type. */
const struct type *reshape_source(struct arena *arena, const struct reshape *reshape, const struct type *wanted);
MUST_CHECK enum code reshape_parse(struct expr_context *ctx, const struct reshape *reshape, const struct expr *of,
                                   const struct type *wanted, const struct expr **out, struct error *err);

#endif

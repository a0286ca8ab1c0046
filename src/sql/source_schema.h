/* source_schema.h - the columns of a source, and the plan that reads them.
 *
 * In       format and options of source.NAME.*
 * Fails    E_SQL at the source's place in the spec: a file format without `schema`, or a bad one
 */
#ifndef SQL_SOURCE_SCHEMA_H
#define SQL_SOURCE_SCHEMA_H

#include "sql/analyser.h"

MUST_CHECK enum code source_columns(struct analyser *self, const struct pipeline_source *source,
                                    const struct type **out);
/* The rows of source->schema: the source itself; over files of lines, what decodes them (source_decode.c). */
MUST_CHECK enum code source_relation(struct analyser *self, const struct pipeline_source *source, bool streaming,
                                     struct plan **out);
/* Files can also be read as they lie there, without STREAM. */
bool source_has_end(const struct pipeline_source *source);
/* NULL when it is not set. */
const char *source_option(const struct pipeline_source *source, const char *name);

#endif

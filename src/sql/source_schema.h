/* source_schema.h - the columns of a source.
 *
 * In       format and options of source.NAME.*
 * Fails    E_SQL at the source's place in the spec: a file format without `schema`, or a bad one
 */
#ifndef SQL_SOURCE_SCHEMA_H
#define SQL_SOURCE_SCHEMA_H

#include "sql/analyser.h"

MUST_CHECK enum code source_columns(struct analyser *self, const struct pipeline_source *source,
                                    const struct type **out);

#endif

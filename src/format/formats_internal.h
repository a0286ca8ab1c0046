/* formats_internal.h - the plug-ins that formats.c lists. */
#ifndef FORMAT_FORMATS_INTERNAL_H
#define FORMAT_FORMATS_INTERNAL_H

#include "format/format.h"

extern const struct encoder_type parquet_encoder;

#endif

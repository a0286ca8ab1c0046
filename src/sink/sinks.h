/* sinks.h - the plug-ins that sinks.c lists. Private to sink/. */
#ifndef SINK_SINKS_H
#define SINK_SINKS_H

#include "sink/sink.h"

extern const struct sink_type parquet_sink, csv_sink, json_sink, delta_sink, console_sink, kafka_sink;

/* Read the options of a table into settings. Names outside the table are another's (TBLPROPERTIES carry
 * anything), but one that starts with `prefix` is a slip: E_SPEC with the nearest name. */
MUST_CHECK enum code sink_options(const struct sink_spec *spec, const struct option *options, const char *prefix,
                                  void *settings, struct arena *arena, struct error *err);

#endif

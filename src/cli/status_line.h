/* status_line.h - what a run does now, as one row of a terminal.
 *
 * Out     | epoch 14  49,871/s  lag 0  failed 2  late 7  watermark 2026-01-01 00:21:01  1,315,299 records  files 71
 *         memory 280.6 MB  waiting
 * Order   what matters most comes first: fields that do not fit are left out, from the right
 * Limits  never wider than `columns`, for a row that wraps cannot be wiped; 0 columns: as wide as it is
 */
#ifndef CLI_STATUS_LINE_H
#define CLI_STATUS_LINE_H

#include "runtime/runtime.h"

/* Appends to `out`. `turn` counts refreshes. */
void status_line(const struct run_status *status, bool stopping, unsigned turn, int32_t columns, struct text *out);

#endif

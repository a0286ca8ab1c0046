/* pane.h - the pieces that windows are made of, and which windows a piece is in.
 *
 * Shape    windows [start, start + size) start every `slide`. Between two neighbouring edges of windows,
 *          starts or ends, lies a pane: all its rows are in the same windows. A slide has one pane, or two
 *          when the size is no multiple of it, so a window of n slides is at most 2 n + 1 panes and a row is
 *          in exactly one of them
 *
 *          window 1  [--------------)
 *          window 2        [--------------)
 *          panes     [-----|--|-----|--|--...
 * Units    microseconds; panes and windows are half open
 * Limits   times within EVENT_TIME_LIMIT_US and sizes within an eighth of the range: nothing overflows
 * Spec     Krishnamurthy, Wu, Franklin: On-the-fly sharing for streamed aggregation, SIGMOD 2006, section 4
 */
#ifndef OPERATOR_PANE_H
#define OPERATOR_PANE_H

#include <stdint.h>

struct pane_grid {
    int64_t size_us, slide_us;
    int64_t origin_us; /* a window starts there */
    int64_t cut_us;    /* from a window's start to the next window's end: size % slide */
};
struct pane {
    int64_t start_us, end_us;
};
struct pane_grid pane_grid_of(int64_t size_us, int64_t slide_us, int64_t start_us);
struct pane pane_at(const struct pane_grid *grid, int64_t time_us);
/* Ends of the first and the last window that hold the pane; those between lie a slide apart. */
int64_t pane_first_end(const struct pane_grid *grid, struct pane pane);
int64_t pane_last_end(const struct pane_grid *grid, struct pane pane);
/* The first of these ends past `after_us`; INT64_MAX when there is none. */
int64_t pane_next_end(const struct pane_grid *grid, struct pane pane, int64_t after_us);

#endif

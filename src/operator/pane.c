#include "operator/pane.h"

struct pane_grid pane_grid_of(int64_t size_us, int64_t slide_us, int64_t start_us)
{
    return (struct pane_grid){size_us, slide_us, start_us % slide_us, size_us % slide_us};
}

/* The last window start at or before the time. */
static int64_t window_start(const struct pane_grid *grid, int64_t time_us)
{
    int64_t since = (time_us - grid->origin_us) % grid->slide_us;
    return time_us - since - (since < 0 ? grid->slide_us : 0);
}

struct pane pane_at(const struct pane_grid *grid, int64_t time_us)
{
    int64_t start = window_start(grid, time_us), cut = start + grid->cut_us, end = start + grid->slide_us;
    return time_us < cut ? (struct pane){start, cut} : (struct pane){cut, end};
}

int64_t pane_first_end(const struct pane_grid *grid, struct pane pane)
{
    int64_t start = window_start(grid, pane.start_us);
    return pane.start_us == start ? pane.end_us : pane.end_us + grid->cut_us;
}

int64_t pane_last_end(const struct pane_grid *grid, struct pane pane)
{
    return window_start(grid, pane.start_us) + grid->size_us;
}

int64_t pane_next_end(const struct pane_grid *grid, struct pane pane, int64_t after_us)
{
    int64_t first = pane_first_end(grid, pane), last = pane_last_end(grid, pane);
    if (after_us < first)
        return first;
    if (after_us >= last)
        return INT64_MAX;
    return first + ((after_us - first) / grid->slide_us + 1) * grid->slide_us;
}

/* window_sum.h - inside operator/: the next window of a key from a few states, however many panes it has.
 *
 *   panes    ...[p][p][p][p][p][p][p][p][p][p][p][p][p][p][p][p]
 *   window          ^start                 ^middle         ^done
 *   checks            [--------------------)                   merged from there to the middle,
 *                             [------------)                   every WINDOW_CHECK panes
 *   back                                   [---------------)   merged from there to the last window's end
 *
 * A window is the panes up to the first check, that check, the back, and the panes since the last window,
 * which go into the back. When the window has left the last check behind, the middle moves to its end and the
 * checks are made anew, from its panes: one merge for each pane in all. A row that comes late for earlier
 * windows changes a pane that is merged already; it is merged into what holds the pane.
 *
 * Owns     its memory, counted in the shard's heap; nothing of it is stored, a restored key makes it anew
 * Limits   flat states only
 * Spec     Tangwongsan, Hirzel, Schneider: Low-latency sliding-window aggregation, DEBS 2017, two stacks
 */
#ifndef OPERATOR_WINDOW_SUM_H
#define OPERATOR_WINDOW_SUM_H

#include "operator/timeline.h"

enum { WINDOW_CHECK = 8 };

/* The states of the window [start_us, end_us), merged from the timeline's panes [from, to), in the shard's
 * scratch or in the only pane. Windows of a key are asked for in order. */
const uint8_t *window_sum(const struct aggregate_stage *self, struct timeline_shard *shard, struct timeline *timeline,
                          struct pane window, uint32_t from, uint32_t to, int64_t *overflown);
/* `states` were merged into the pane that starts at start_us. */
void window_sum_add(const struct aggregate_stage *self, struct timeline_shard *shard, struct window_sum *sum,
                    int64_t start_us, const uint8_t *states);
void window_sum_free(const struct aggregate_stage *self, struct timeline_shard *shard, struct window_sum *sum);

#endif

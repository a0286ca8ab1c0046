/* change.h - what a changed project means for its checkpoint, before anything runs.
 *
 * Method   what the chain's head record remembers (positions of sources, watermarks, states of operators, tables) is
 *          found again in the pipeline by its identity (plan->identity), sources and tables by their names
 * Kept     goes on as if nothing had changed: other names, columns downstream, tables, sinks, threads, a watermark's delay
 * Rebuilt  has nothing in the checkpoint: an operator that is new. It starts empty, with the next record
 * Reset    is in the checkpoint by its name, and remembers something else than before: what it had is lost, and it starts
 *          empty
 * Lost     is in the checkpoint, and nothing in the pipeline takes it up: windows that were open are never written, a
 *          source that comes back starts anew. `leat run` refuses to lose anything without --accept
 * Owns     texts live in the arena; the record is borrowed
 * Thread   one; pure
 */
#ifndef RUNTIME_CHANGE_H
#define RUNTIME_CHANGE_H

#include "runtime/chain.h"
#include "runtime/runtime.h"
#include "runtime/watermarks.h"

enum change_fate { CHANGE_KEPT, CHANGE_REBUILT, CHANGE_RESET, CHANGE_LOST };
enum change_kind { CHANGE_SOURCE, CHANGE_WATERMARK, CHANGE_OPERATOR, CHANGE_TABLE };

struct change_item {
    enum change_kind kind;
    enum change_fate fate;
    const char *name;
    const char *detail; /* what follows from it */
};
struct change {
    struct change_item *items;
    int32_t count, capacity;
    int32_t lost; /* items that lose something */
};
static inline bool change_loses(enum change_fate fate) { return fate == CHANGE_RESET || fate == CHANGE_LOST; }

void change_find(struct arena *arena, const struct pipeline *pipeline, const struct chain_record *head,
                 struct change *out);
/* What the pipeline's watermarks continue with: a group goes on where the states that it keeps were, and never falls. */
void change_watermarks(const struct pipeline *pipeline, const struct chain_record *head, struct watermarks *out);
/* One line an item, in columns. */
void change_print(const struct change *change, struct text *out);

/* "event_time, delay 5 minutes" */
const char *watermark_name(struct arena *arena, const struct plan *plan);
/* "aggregate of gold", after the first table that the node's rows reach; "aggregate 2 of gold" when it is not the only one. */
const char *stateful_name(struct arena *arena, const struct pipeline *pipeline, const struct plan *plan);
/* "by city, window(at, 1 minute): count(1)": what it remembers; a long one is cut. */
const char *stateful_what(struct arena *arena, const struct plan *plan);

#endif

/* room.h - how much the columns that this thread is making may take.
 *
 * A kernel computes a column for all rows of a batch and cannot fail half way. So whoever lets rows pass watches: when
 * the buffers made since then would pass the limit, or a column what int32 offsets reach, the flag goes up and the column
 * becomes NULLs, as the flags of floating point arithmetic stand for a result that is no number. The watcher throws away
 * what was computed and does it again with fewer rows:
 *
 *     room_watch(limit)  compute  room_unwatch() ? halve the rows : go on
 *
 * Unwatched  a column that passes what offsets reach is a bug and asserts: nothing may become NULL that nobody looks at
 * Units      bytes of buffers (data/buffer.h) alive now, less those alive at the watch
 * Thread     each has its own; a buffer freed by another thread than the one that made it is counted wrongly, so a watch
 *            ends where the thread hands its columns on
 */
#ifndef DATA_ROOM_H
#define DATA_ROOM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct room {
    int64_t used_bytes, limit_bytes; /* 0 = only what offsets reach */
    bool watched, full;
};
extern _Thread_local struct room column_room;

/* Not nested. */
void room_watch(size_t limit_bytes);
/* Whether the limit was passed since room_watch. */
bool room_unwatch(void);
/* Raise the flag; asserts when nobody watches. */
void room_pass(void);
static inline bool room_full(void) { return column_room.watched && column_room.full; }
/* Whether so many bytes more fit; raises the flag when not. For what is not a buffer, too. */
static inline bool room_fits(int64_t more_bytes)
{
    const struct room *room = &column_room;
    if (!room->watched || room->limit_bytes == 0 || room->used_bytes + more_bytes <= room->limit_bytes)
        return true;
    column_room.full = true;
    return false;
}

#endif

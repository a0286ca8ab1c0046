#include "data/room.h"

#include "base/error.h"

_Thread_local struct room column_room;

void room_watch(size_t limit_bytes)
{
    always(!column_room.watched);
    column_room = (struct room){.limit_bytes = (int64_t)limit_bytes, .watched = true};
}

bool room_unwatch(void)
{
    bool full = column_room.full;
    column_room = (struct room){0};
    return full;
}

void room_pass(void)
{
    always(column_room.watched); // else a value would be lost and nobody told
    column_room.full = true;
}

#include "runtime/pace.h"

enum {
    RECORD_GUESS_BYTES = 4096,
    ROOM_SHARE = 4,    // a quarter of the budget is room, however much was taken before
    SURE_PERCENT = 80, // of the lanes' half is planned for: records differ
    KEPT_PERCENT = 75, // of a large record's size is still reckoned with an epoch later
};

void pace_begin(struct pace *pace, const struct budget *budget, size_t resident_bytes)
{
    size_t used = budget->used_bytes, limit = budget->limit_bytes;
    pace->base_bytes = used > resident_bytes ? used - resident_bytes : 0;
    size_t least = limit / ROOM_SHARE, left = limit > pace->base_bytes ? limit - pace->base_bytes : 0;
    pace->room_bytes = left > least ? left : least;
}

static size_t lanes_bytes(const struct pace *pace, const struct budget *budget, size_t resident_bytes)
{
    size_t used = budget->used_bytes, other = pace->base_bytes + resident_bytes;
    return used > other ? used - other : 0;
}

bool pace_full(const struct pace *pace, const struct budget *budget, size_t resident_bytes)
{
    return pace->room_bytes > 0 && lanes_bytes(pace, budget, resident_bytes) > pace->room_bytes / 2;
}

void pace_learn(struct pace *pace, const struct budget *budget, size_t resident_bytes, int64_t records)
{
    if (pace->room_bytes == 0 || records == 0)
        return;
    int64_t seen = (int64_t)(lanes_bytes(pace, budget, resident_bytes) / (size_t)records) + 1;
    int64_t kept = pace->record_bytes * KEPT_PERCENT / 100;
    pace->record_bytes = seen > kept ? seen : kept;
}

int64_t pace_records(const struct pace *pace)
{
    if (pace->room_bytes == 0)
        return 0;
    int64_t each = pace->record_bytes > 0 ? pace->record_bytes : RECORD_GUESS_BYTES;
    int64_t records = (int64_t)(pace->room_bytes / 2) / each * SURE_PERCENT / 100;
    return records > 0 ? records : 1;
}

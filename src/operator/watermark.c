#include "operator/operator.h"

enum { WORD_BITS = 64, MILLISECOND_US = 1000 };

/* Four maxima at once, so that the loop does not wait for itself. */
static int64_t largest(const int64_t *times, int64_t count)
{
    int64_t max[4] = {INT64_MIN, INT64_MIN, INT64_MIN, INT64_MIN};
    int64_t i = 0;
    for (; i + 4 <= count; i += 4)
        for (int lane = 0; lane < 4; lane++)
            max[lane] = times[i + lane] > max[lane] ? times[i + lane] : max[lane];
    for (; i < count; i++)
        max[0] = times[i] > max[0] ? times[i] : max[0];
    max[0] = max[0] > max[1] ? max[0] : max[1];
    max[2] = max[2] > max[3] ? max[2] : max[3];
    return max[0] > max[2] ? max[0] : max[2];
}

static int64_t largest_valid(const struct column *col)
{
    const int64_t *times = column_values(col, const int64_t);
    int64_t max = INT64_MIN;
    for (int64_t from = 0; from < col->rows; from += WORD_BITS) {
        int64_t count = col->rows - from < WORD_BITS ? col->rows - from : WORD_BITS;
        uint64_t word;
        memcpy(&word, col->valid->data + from / 8, sizeof word);
        word &= UINT64_MAX >> (WORD_BITS - count);
        if (word == UINT64_MAX >> (WORD_BITS - count)) {
            int64_t part = largest(times + from, count);
            max = part > max ? part : max;
            continue;
        }
        for (; word != 0; word &= word - 1) {
            int64_t time = times[from + __builtin_ctzll(word)];
            max = time > max ? time : max;
        }
    }
    return max;
}

/* Spark keeps its watermarks in milliseconds. */
static int64_t floor_to_millisecond(int64_t time_us)
{
    int64_t past = time_us % MILLISECOND_US;
    past += past < 0 ? MILLISECOND_US : 0;
    return time_us < INT64_MIN + past ? time_us : time_us - past;
}

/* Rare: some time is out of bounds, so the others are looked at one by one. */
static int64_t largest_within_limit(const struct column *col)
{
    const int64_t *times = column_values(col, const int64_t);
    int64_t max = INT64_MIN;
    for (int64_t i = 0; i < col->rows; i++)
        if (times[i] <= EVENT_TIME_LIMIT_US && times[i] > max && column_valid_at(col, i))
            max = times[i];
    return max;
}

int64_t watermark_seen(const struct column *event_time)
{
    if (event_time->rows == 0 || event_time->values == NULL)
        return INT64_MIN;
    int64_t max = event_time->valid == NULL ? largest(column_values(event_time, const int64_t), event_time->rows)
                                            : largest_valid(event_time);
    if (max > EVENT_TIME_LIMIT_US)
        max = largest_within_limit(event_time);
    return max == INT64_MIN ? max : floor_to_millisecond(max);
}

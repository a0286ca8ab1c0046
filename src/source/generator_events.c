/* generator_events.c - sensor readings:
 * {"event_id":"evt-0123456789abcdef","ts":"..","value":21.503421,"source":"sensor-00000017"} */
#include "source/generator.h"

enum defect { MALFORMED, MISSING_EVENT_ID, MISSING_TS, BAD_VALUE, DEFECTS };
static const char *const defects[DEFECTS] = {"malformed", "missing_event_id", "missing_ts", "bad_value"};
enum { RECORD_MAX = 256, VALUE_SPAN = 100000000 };

static void record(struct generator *self, struct draw *draw, int defect, int64_t event_us, struct text *key,
                   struct text *value)
{
    char *source = text_reserve(key, RECORD_MAX);
    put_8(PUT(source, "sensor-"), generator_key(self, draw));
    key->size += 15;
    source[15] = '\0';

    char *start = text_reserve(value, RECORD_MAX), *at = start;
    at = PUT(at, "{");
    if (defect != MISSING_EVENT_ID)
        at = PUT(put_hex16(PUT(at, "\"event_id\":\"evt-"), draw_next(draw)), "\",");
    at = PUT(at, "\"ts\":");
    at = defect == MISSING_TS ? PUT(at, "null") : generator_time(self, at, draw, event_us);
    at = PUT(at, ",\"value\":");
    at = defect == BAD_VALUE ? PUT(at, "\"n/a\"")
                             : put_millionths(at, (int64_t)draw_below(draw, VALUE_SPAN) - VALUE_SPAN / 5);
    at = PUT(put_bytes(PUT(at, ",\"source\":\""), source, 15), "\"}");
    *at = '\0';
    value->size += (size_t)(at - start);
}

const struct generator_kind events_kind = {"events", defects, DEFECTS, record};

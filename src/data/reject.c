#include "data/reject.h"

void rejects_add(struct rejects *rejects, int64_t row, int32_t step, enum reject_code code)
{
    mem_grow(rejects->items, rejects->capacity, rejects->count + 1);
    rejects->items[rejects->count++] = (struct reject){.row = (int32_t)row, .step = step, .code = code};
}

void rejects_free(struct rejects *rejects)
{
    mem_free(rejects->items);
    *rejects = (struct rejects){0};
}

const char *reject_condition(enum reject_code code)
{
    static const char *const conditions[REJECT_COUNT] = {
#define X(name, condition, text) condition,
        REJECT_CODES(X)
#undef X
    };
    return code < REJECT_COUNT ? conditions[code] : "?";
}

const char *reject_condition_full(enum reject_code code)
{
    return code == REJECT_NUMERIC_RANGE ? "NUMERIC_VALUE_OUT_OF_RANGE.WITH_SUGGESTION" : reject_condition(code);
}

const char *reject_text(enum reject_code code)
{
    static const char *const texts[REJECT_COUNT] = {
#define X(name, condition, text) text,
        REJECT_CODES(X)
#undef X
    };
    return code < REJECT_COUNT ? texts[code] : "?";
}

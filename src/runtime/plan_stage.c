#include "runtime/plan_stage.h"

const char *plan_kind_name(enum plan_kind kind)
{
    static const char *const names[] = {
#define X(name, text) [PLAN_##name] = text,
        PLAN_KINDS(X)
#undef X
    };
    return names[kind];
}

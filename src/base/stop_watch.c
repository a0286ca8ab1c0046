#include "base/stop_watch.h"

#include <stddef.h>

_Thread_local struct stop_watch stop_current;

void stop_begin(bool (*asked)(void *context), void *context, struct stop_watch *before)
{
    *before = stop_current;
    stop_current = (struct stop_watch){.asked = asked, .context = context};
}

void stop_end(const struct stop_watch *before) { stop_current = *before; }

bool stop_asked_now(void)
{
    struct stop_watch *self = &stop_current;
    self->steps = 0;
    self->up = self->up || (self->asked != NULL && self->asked(self->context));
    return self->up;
}

enum code stop_check(int64_t steps, struct error *err)
{
    return stop_asked(steps) ? fail(err, E_STOPPED, "the query was stopped") : E_OK;
}

#include "runtime/view_wait.h"

void view_wait_failed(struct view_wait *self, int64_t now_us)
{
    int64_t wait_us = VIEW_WAIT_FIRST_US;
    for (int32_t i = 0; i < self->failures && wait_us < VIEW_WAIT_MOST_US; i++)
        wait_us *= 2;
    self->until_us = now_us + (wait_us < VIEW_WAIT_MOST_US ? wait_us : VIEW_WAIT_MOST_US);
    self->failures++;
    self->missed = false;
}

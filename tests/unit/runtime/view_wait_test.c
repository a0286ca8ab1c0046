#include "runtime/view_wait.h"

#include "kit.h"

TEST(a_view_that_starves_is_tried_ever_more_rarely)
{
    struct view_wait wait = {0};
    int64_t now_us = 5, before_us = 0;
    CHECK(!view_waits(&wait, now_us));
    for (int i = 0; i < 20; i++) {
        view_wait_failed(&wait, now_us);
        int64_t took_us = wait.until_us - now_us;
        CHECK(took_us >= before_us);
        CHECK(took_us <= VIEW_WAIT_MOST_US);
        CHECK(view_waits(&wait, wait.until_us - 1));
        CHECK(!view_waits(&wait, wait.until_us));
        before_us = took_us;
        now_us = wait.until_us;
    }
    CHECK_INT(before_us, VIEW_WAIT_MOST_US);
    CHECK_INT(wait.failures, 20);
}

TEST(a_view_is_tried_again_for_what_it_missed)
{
    struct view_wait wait = {0};
    view_wait_failed(&wait, 0);
    CHECK_INT(wait.until_us, VIEW_WAIT_FIRST_US);
    CHECK(!view_wait_over(&wait, VIEW_WAIT_FIRST_US)); // nothing has changed since
    wait.missed = true;
    CHECK(!view_wait_over(&wait, VIEW_WAIT_FIRST_US - 1));
    CHECK(view_wait_over(&wait, VIEW_WAIT_FIRST_US));
}

/* Panes: each time is in one, and all times of a pane are in the same windows, which are what pane_first_end
 * and pane_last_end say. */
#include "kit.h"
#include "operator/operator.h"
#include "operator/pane.h"

/* Ends of the windows that hold the time: looked for one by one. */
static void windows_of(const struct pane_grid *grid, int64_t start_us, int64_t time_us, int64_t *first, int64_t *last,
                       int64_t *count)
{
    *count = 0;
    for (int64_t end = time_us + 1; end <= time_us + grid->size_us; end++) {
        if ((end - grid->size_us - start_us) % grid->slide_us != 0)
            continue;
        *first = *count == 0 ? end : *first;
        *last = end;
        ++*count;
    }
}

TEST(all_times_of_a_pane_are_in_the_same_windows)
{
    for (int round = 0; round < 20000; round++) {
        int64_t slide = 1 + (int64_t)(kit_random() % 12), size = slide + (int64_t)(kit_random() % 40);
        int64_t start = (int64_t)(kit_random() % 100) - 50, time = (int64_t)(kit_random() % 400) - 200;
        struct pane_grid grid = pane_grid_of(size, slide, start);
        struct pane pane = pane_at(&grid, time);
        CHECK(pane.start_us <= time && time < pane.end_us);
        const int64_t times[] = {pane.start_us, time, pane.end_us - 1};
        for (int i = 0; i < 3; i++) {
            int64_t first = 0, last = 0, count = 0;
            windows_of(&grid, start, times[i], &first, &last, &count);
            CHECK_INT(pane_first_end(&grid, pane), first);
            CHECK_INT(pane_last_end(&grid, pane), last);
            CHECK_INT((last - first) / slide + 1, count);
        }
        int64_t after = pane.start_us + (int64_t)(kit_random() % (uint64_t)(2 * size)) - size / 2;
        int64_t next = pane_next_end(&grid, pane, after), want = pane_first_end(&grid, pane);
        while (want <= after)
            want += slide;
        CHECK_INT(next, want <= pane_last_end(&grid, pane) ? want : INT64_MAX);
    }
}

TEST(panes_far_out_do_not_overflow)
{
    const int64_t sizes[] = {1, 2, 60000000, INT64_MAX / 8};
    for (int s = 0; s < 4; s++)
        for (int side = 0; side < 2; side++) {
            struct pane_grid grid = pane_grid_of(sizes[s], sizes[s] / 3 + 1, 7);
            int64_t time = side == 0 ? EVENT_TIME_LIMIT_US : -EVENT_TIME_LIMIT_US;
            struct pane pane = pane_at(&grid, time);
            CHECK(pane.start_us <= time && time < pane.end_us);
            CHECK(pane_first_end(&grid, pane) > time && pane_last_end(&grid, pane) <= time + grid.size_us);
            CHECK_INT(pane_next_end(&grid, pane, INT64_MIN), pane_first_end(&grid, pane));
            CHECK_INT(pane_next_end(&grid, pane, INT64_MAX), INT64_MAX);
        }
}

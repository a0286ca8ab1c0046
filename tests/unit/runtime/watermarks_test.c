#include "kit.h"

#include "runtime/watermarks.h"

#define MINUTE_US INT64_C(60000000)

/* a, b -> watermarks -> join of streams -> aggregate ;  b's watermark -> distinct (another group)
 * 0 source a   1 watermark 0   2 source b   3 watermark 1   4 join(1, 3)   5 aggregate   6 distinct(3)
 * 7 table(5): another query   8 watermark 2   9 aggregate over 8   10 aggregate over 7, without a watermark */
static struct plan a = {.kind = PLAN_SOURCE, .id = 0, .group = -1, .streaming = true};
static struct plan a_mark = {.kind = PLAN_WATERMARK,
                             .id = 1,
                             .group = -1,
                             .streaming = true,
                             .inputs = {&a},
                             .input_count = 1,
                             .watermark = {.node = 0}};
static struct plan b = {.kind = PLAN_SOURCE, .id = 2, .group = -1, .streaming = true};
static struct plan b_mark = {.kind = PLAN_WATERMARK,
                             .id = 3,
                             .group = -1,
                             .streaming = true,
                             .inputs = {&b},
                             .input_count = 1,
                             .watermark = {.node = 1, .delay_us = 5 * MINUTE_US}};
static struct plan join = {.kind = PLAN_JOIN,
                           .id = 4,
                           .group = 0,
                           .streaming = true,
                           .inputs = {&a_mark, &b_mark},
                           .input_count = 2,
                           .join = {.time_key = -1}};
static struct plan grouped = {
    .kind = PLAN_AGGREGATE, .id = 5, .group = 0, .streaming = true, .inputs = {&join}, .input_count = 1};
static struct plan distinct = {
    .kind = PLAN_DEDUPLICATE, .id = 6, .group = 1, .streaming = true, .inputs = {&b_mark}, .input_count = 1};
static struct plan table = {
    .kind = PLAN_TABLE, .id = 7, .group = -1, .streaming = true, .inputs = {&grouped}, .input_count = 1};
static struct plan table_mark = {.kind = PLAN_WATERMARK,
                                 .id = 8,
                                 .group = -1,
                                 .streaming = true,
                                 .inputs = {&table},
                                 .input_count = 1,
                                 .watermark = {.node = 2}};
static struct plan again = {
    .kind = PLAN_AGGREGATE, .id = 9, .group = 2, .streaming = true, .inputs = {&table_mark}, .input_count = 1};
static struct plan unmarked = {
    .kind = PLAN_AGGREGATE, .id = 10, .group = 2, .streaming = true, .inputs = {&table}, .input_count = 1};
static struct plan *nodes[] = {&a,        &a_mark, &b,          &b_mark, &join,    &grouped,
                               &distinct, &table,  &table_mark, &again,  &unmarked};
enum { NODES = sizeof nodes / sizeof *nodes };

static const int32_t both[] = {0, 1}, second[] = {1}, third[] = {2};
static const struct watermark_group groups[] = {{both, 2}, {second, 1}, {third, 1}};

static struct pipeline pipeline_of(bool policy_max)
{
    return (struct pipeline){.nodes = nodes,
                             .node_count = NODES,
                             .watermark_count = 3,
                             .groups = groups,
                             .group_count = 3,
                             .watermark_policy_max = policy_max};
}

static void epoch(struct watermarks *marks, int64_t a_us, int64_t b_us, int64_t table_us)
{
    const int64_t seen_us[] = {a_us, b_us, table_us};
    watermarks_advance(marks, seen_us);
    watermarks_step(marks);
}

TEST(each_group_follows_its_own_watermarks)
{
    struct pipeline pipeline = pipeline_of(false);
    struct watermarks marks;
    watermarks_init(&marks, &pipeline);
    CHECK(!watermarks_moved(&marks));
    epoch(&marks, 10 * MINUTE_US, 12 * MINUTE_US, INT64_MIN);
    CHECK_INT(marks.groups[0].emit_us, 7 * MINUTE_US);
    CHECK_INT(marks.groups[1].emit_us, 7 * MINUTE_US);
    CHECK_INT(marks.groups[2].emit_us, 0);
    CHECK(watermarks_moved(&marks));
    CHECK_INT(watermarks_smallest(&marks), 0);
    epoch(&marks, 11 * MINUTE_US, 30 * MINUTE_US, 3 * MINUTE_US);
    CHECK_INT(marks.groups[0].emit_us, 11 * MINUTE_US);
    CHECK_INT(marks.groups[0].late_us, 7 * MINUTE_US);
    CHECK_INT(marks.groups[1].emit_us, 25 * MINUTE_US);
    CHECK_INT(marks.groups[2].emit_us, 3 * MINUTE_US);
    watermarks_close(&marks);
}

TEST(the_policy_may_take_the_largest)
{
    struct pipeline pipeline = pipeline_of(true);
    struct watermarks marks;
    watermarks_init(&marks, &pipeline);
    epoch(&marks, 10 * MINUTE_US, 12 * MINUTE_US, INT64_MIN);
    CHECK_INT(marks.groups[0].emit_us, 10 * MINUTE_US);
    watermarks_close(&marks);
}

TEST(a_watermark_never_falls_and_then_stands)
{
    struct pipeline pipeline = pipeline_of(false);
    struct watermarks marks;
    watermarks_init(&marks, &pipeline);
    epoch(&marks, 10 * MINUTE_US, 12 * MINUTE_US, INT64_MIN);
    epoch(&marks, -MINUTE_US, MINUTE_US, INT64_MIN);
    CHECK_INT(marks.groups[0].emit_us, 7 * MINUTE_US);
    CHECK(!watermarks_moved(&marks));
    watermarks_close(&marks);
}

/* W is over all rows: partitions have no watermarks of their own that an idle one could hold back. */
TEST(an_idle_partition_holds_nothing_back)
{
    struct pipeline pipeline = pipeline_of(false);
    struct watermarks marks;
    watermarks_init(&marks, &pipeline);
    for (int i = 1; i < 5; i++) {
        // What graph_seen() reports of a source whose second partition is empty: the largest time of the first.
        epoch(&marks, i * 10 * MINUTE_US, i * 10 * MINUTE_US, INT64_MIN);
        CHECK_INT(marks.groups[0].emit_us, (i * 10 - 5) * MINUTE_US);
    }
    watermarks_close(&marks);
}

TEST(a_watermark_travels_through_stages)
{
    struct pipeline pipeline = pipeline_of(false);
    struct epoch_time times[NODES];
    struct watermarks marks;
    watermarks_init(&marks, &pipeline);
    marks.groups[0] = (struct watermark_time){10 * MINUTE_US, 20 * MINUTE_US, 0};
    marks.groups[1] = (struct watermark_time){3 * MINUTE_US, 4 * MINUTE_US, 0};
    marks.groups[2] = (struct watermark_time){MINUTE_US, 2 * MINUTE_US, 0};
    watermarks_times(&marks, 7, times);
    CHECK_INT(times[4].epoch, 7);
    CHECK_INT(times[4].late_us, 10 * MINUTE_US);
    CHECK_INT(times[5].emit_us, 20 * MINUTE_US);
    CHECK_INT(times[6].late_us, 3 * MINUTE_US);
    CHECK_INT(times[6].emit_us, 4 * MINUTE_US);
    CHECK_INT(times[9].emit_us, 2 * MINUTE_US);
    CHECK_INT(times[10].emit_us, 0);
    watermarks_close(&marks);
}

/* The left side may still match rows 15 minutes old: what comes out of the join may be that old. */
TEST(behind_a_join_the_state_holds_the_watermark_back)
{
    struct pipeline pipeline = pipeline_of(false);
    struct epoch_time times[NODES];
    struct watermarks marks;
    watermarks_init(&marks, &pipeline);
    marks.groups[0] = (struct watermark_time){10 * MINUTE_US, 20 * MINUTE_US, 0};
    join.join.sides[0].bounded = true;
    join.join.sides[0].shift_us = -15 * MINUTE_US;
    join.join.sides[1].bounded = true;
    join.join.sides[1].shift_us = MINUTE_US;
    watermarks_times(&marks, 1, times);
    CHECK_INT(times[4].emit_us, 20 * MINUTE_US);
    CHECK_INT(times[5].emit_us, 5 * MINUTE_US);
    CHECK_INT(times[5].late_us, 0);
    join.join.time_key = 0;
    watermarks_times(&marks, 1, times);
    CHECK_INT(times[5].emit_us, 20 * MINUTE_US);
    join.join = (struct plan_join){.time_key = -1};
    watermarks_close(&marks);
}

/* As Spark decides on a batch without data: by the stages' own watermarks, not by the group's. */
TEST(what_never_forgets_needs_no_empty_epoch)
{
    static struct plan *joined[] = {&a, &a_mark, &b, &b_mark, &join};
    struct pipeline pipeline = {
        .nodes = joined, .node_count = 5, .watermark_count = 2, .groups = groups, .group_count = 1};
    struct watermarks marks;
    watermarks_init(&marks, &pipeline);
    marks.groups[0] = (struct watermark_time){10 * MINUTE_US, 20 * MINUTE_US, 0};
    CHECK(!watermarks_moved(&marks));
    join.join.sides[1] = (struct plan_join_side){.bounded = true};
    CHECK(watermarks_moved(&marks));
    join.join = (struct plan_join){.time_key = -1};
    watermarks_close(&marks);
}

TEST(times_at_the_edge_do_not_wrap)
{
    struct pipeline pipeline = pipeline_of(false);
    struct epoch_time times[NODES];
    struct watermarks marks;
    watermarks_init(&marks, &pipeline);
    b_mark.watermark.delay_us = INT64_MAX;
    epoch(&marks, INT64_MAX / 4, INT64_MIN + 1, INT64_MIN);
    CHECK_INT(marks.groups[0].emit_us, 0);
    b_mark.watermark.delay_us = 5 * MINUTE_US;
    join.join.sides[0] = (struct plan_join_side){.bounded = true, .shift_us = INT64_MIN};
    watermarks_times(&marks, 1, times);
    CHECK_INT(times[5].emit_us, 0);
    join.join = (struct plan_join){.time_key = -1};
    watermarks_close(&marks);
}

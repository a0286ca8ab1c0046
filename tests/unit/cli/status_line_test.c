/* What a run shows at a terminal, at its width. */
#include "cli/status_line.h"

#include <stdio.h>

#include "cli/run_summary.h"
#include "kit.h"

static const struct run_status busy = {
    .epoch = 14,
    .records_total = 1315299,
    .records_per_second = 49871,
    .lag_records = 1200,
    .watermark_us = 1767226861088000,
    .quarantined_total = 3,
    .late_total = 7,
    .files_total = 71,
    .rss_bytes = 280600000,
    .phase = "waiting",
};

static bool line_is(const struct run_status *status, bool stopping, int32_t columns, const char *expected)
{
    struct text out = {0};
    status_line(status, stopping, 0, columns, &out);
    bool same = strcmp(out.data, expected) == 0;
    if (!same)
        printf("%d columns: %s\n", columns, out.data);
    text_free(&out);
    return same;
}

TEST(status_line_leaves_out_from_the_right_what_does_not_fit)
{
    CHECK(line_is(&busy, false, 0,
                  "| epoch 14  49,871/s  lag 1,200  failed 3  late 7  watermark 2026-01-01 00:21:01  "
                  "1,315,299 records  files 71  memory 280.6 MB  waiting"));
    CHECK(line_is(&busy, false, 119,
                  "| epoch 14  49,871/s  lag 1,200  failed 3  late 7  watermark 2026-01-01 00:21:01  "
                  "1,315,299 records  files 71"));
    CHECK(
        line_is(&busy, false, 80, "| epoch 14  49,871/s  lag 1,200  failed 3  late 7  watermark 2026-01-01 00:21:01"));
    CHECK(line_is(&busy, false, 79, "| epoch 14  49,871/s  lag 1,200  failed 3  late 7"));
    CHECK(line_is(&busy, false, 40, "| epoch 14  49,871/s  lag 1,200"));
    CHECK(line_is(&busy, false, 6, "| epoc"));
    CHECK(line_is(&busy, true, 50, "| epoch 14  stopping: waiting  49,871/s  lag 1,200"));
}

TEST(status_line_cuts_a_trouble_between_characters)
{
    const struct run_trouble trouble = {.name = "k\xC3\xA4"
                                                "fka",
                                        .code = E_BROKER,
                                        .since_us = 12000000,
                                        .attempt = 6};
    struct run_status status = busy;
    status.troubles = &trouble;
    status.trouble_count = 1;
    CHECK(line_is(&status, false, 14, "| epoch 14  k\xC3\xA4"));
    CHECK(line_is(&status, false, 37,
                  "| epoch 14  k\xC3\xA4"
                  "fka: no answer for 12 s"));
}

static bool fits(const char *text, size_t columns)
{
    for (const char *at = text; *at != '\0';) {
        size_t size = strcspn(at, "\n");
        if (size > columns)
            return false;
        at += size + (at[size] == '\n');
    }
    return true;
}

TEST(run_summary_leaves_out_zeros_and_shortens_what_is_wide)
{
    static const struct pipeline_table *const some = (const void *)""; // compared with NULL only
    struct table_commit tables[] = {
        {.name = "silver",
         .table = some,
         .total = {.in = 1000000, .out = 999998, .quarantined = 2},
         .files_total = 1,
         .bytes_total = 30100000},
        {.name = "_quarantine", .total = {.out = 2}, .files_total = 1, .bytes_total = 800},
        {.name = "silver_late"},
    };
    struct run_end end = {.records = 1000000,
                          .epochs = 1,
                          .took_us = 2000000,
                          .rss_peak_bytes = 171200000,
                          .tables = tables,
                          .table_count = 3,
                          .directory = "shop"};
    struct text out = {0};
    run_summary(&end, 80, &out);
    CHECK(strcmp(out.data, "1,000,000 records in 1 epoch, 2.0 s, 500,000 records/s, peak memory 171.2 MB\n\n"
                           "  table               in      out  failed  files     size\n"
                           "  silver       1,000,000  999,998       2      1  30.1 MB\n"
                           "  _quarantine                   2       0      1    800 B\n"
                           "\n2 failed; see why: leat quarantine shop\n\n") == 0);
    tables[0].total.filtered = tables[0].total.late = tables[0].total.duplicates = 123456789;
    tables[0].name = "a_table_with_a_rather_long_name";
    for (int32_t columns = 80; columns <= 200; columns += 10) {
        text_clear(&out);
        run_summary(&end, columns, &out);
        CHECK(fits(out.data, (size_t)columns));
        CHECK(columns > 80 || strstr(out.data, "123.5M") != NULL);
        CHECK(columns < 200 || strstr(out.data, "123,456,789") != NULL);
    }
    text_free(&out);
}

#include "kit.h"

#include "runtime/ledger.h"

/* source -> filter -> aggregate -> filter (HAVING) -> gold;   source + source -> union -> twice */
static struct plan source = {.kind = PLAN_SOURCE, .id = 0, .streaming = true};
static struct plan filter = {.kind = PLAN_FILTER, .id = 1, .streaming = true, .inputs = {&source}, .input_count = 1};
static struct plan aggregate = {.kind = PLAN_AGGREGATE, .id = 2, .streaming = true, .inputs = {&filter}, .input_count = 1};
static struct plan having = {.kind = PLAN_FILTER, .id = 3, .streaming = true, .inputs = {&aggregate}, .input_count = 1};
static struct plan *both[] = {&source, &filter};
static struct plan twice = {.kind = PLAN_UNION, .id = 4, .streaming = true, .more_inputs = both, .input_count = 2};

static struct plan *nodes[] = {&source, &filter, &aggregate, &having, &twice};
static const struct pipeline pipeline = {.nodes = nodes, .node_count = 5};
static struct plan *gold_flows[] = {&having}, *twice_flows[] = {&twice};
static const struct pipeline_table gold = {.name = "gold", .flows = gold_flows, .flow_count = 1};
static const struct pipeline_table doubled = {.name = "doubled", .flows = twice_flows, .flow_count = 1};

/* 100 records: 10 filtered, 90 aggregated of which 4 late and 1 without time; 30 groups emitted, 20 pass HAVING. */
static const struct operator_counts counts[] = {
    {.out = 100}, {.in = 100, .out = 90, .filtered = 10}, {.in = 90, .late = 4, .null_time = 1, .aggregated = 85, .out = 30},
    {.in = 30, .out = 20, .filtered = 10}, {0}};

TEST(a_windowed_table_closes_before_its_aggregate)
{
    int64_t paths[5];
    ledger_paths(&pipeline, &gold, paths);
    struct ledger l = ledger_of(&pipeline, paths, counts, 20);
    CHECK_INT(l.in, 100);
    CHECK_INT(l.filtered, 10);
    CHECK_INT(l.late, 4);
    CHECK_INT(l.null_time, 1);
    CHECK_INT(l.aggregated, 85);
    CHECK_INT(l.out, 20);
    CHECK(ledger_closes(&l, true));
}

TEST(a_union_of_branches_counts_every_path)
{
    int64_t paths[5];
    ledger_paths(&pipeline, &doubled, paths);
    CHECK_INT(paths[0], 2);
    struct ledger l = ledger_of(&pipeline, paths, counts, 190);
    CHECK_INT(l.in, 200);
    CHECK_INT(l.filtered, 10);
    CHECK(ledger_closes(&l, false));
}

TEST(a_row_that_an_aggregate_forgets_is_seen)
{
    int64_t paths[5];
    struct operator_counts forgetful[5];
    memcpy(forgetful, counts, sizeof forgetful);
    forgetful[2].aggregated--;
    ledger_paths(&pipeline, &gold, paths);
    struct ledger l = ledger_of(&pipeline, paths, forgetful, 20);
    CHECK(!ledger_closes(&l, true));
}

TEST(a_row_that_vanishes_is_seen)
{
    int64_t paths[5];
    ledger_paths(&pipeline, &doubled, paths);
    struct ledger l = ledger_of(&pipeline, paths, counts, 189);
    CHECK(!ledger_closes(&l, false));
}

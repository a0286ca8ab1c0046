#include "kit.h"

#include "runtime/ledger.h"

/* 0 source -> 1 filter -> 2 aggregate -> 3 filter (HAVING) -> gold
 * 4 union(source, filter) -> twice
 * 5 union(having, filter) -> mixed: groups and plain rows in one table
 * 6 distinct(filter) -> unique
 * 7 source that stands still;  8 lookup(filter, still) -> named */
static struct plan source = {.kind = PLAN_SOURCE, .id = 0, .streaming = true};
static struct plan filter = {.kind = PLAN_FILTER, .id = 1, .streaming = true, .inputs = {&source}, .input_count = 1};
static struct plan aggregate = {
    .kind = PLAN_AGGREGATE, .id = 2, .streaming = true, .inputs = {&filter}, .input_count = 1};
static struct plan having = {.kind = PLAN_FILTER, .id = 3, .streaming = true, .inputs = {&aggregate}, .input_count = 1};
static struct plan *both[] = {&source, &filter}, *unlike[] = {&having, &filter};
static struct plan twice = {.kind = PLAN_UNION, .id = 4, .streaming = true, .more_inputs = both, .input_count = 2};
static struct plan mixed = {.kind = PLAN_UNION, .id = 5, .streaming = true, .more_inputs = unlike, .input_count = 2};
static struct plan distinct = {
    .kind = PLAN_DEDUPLICATE, .id = 6, .streaming = true, .inputs = {&filter}, .input_count = 1};
static struct plan still = {.kind = PLAN_SOURCE, .id = 7};
static struct plan lookup = {
    .kind = PLAN_JOIN, .id = 8, .streaming = true, .inputs = {&filter, &still}, .input_count = 2};
static struct plan *nodes[] = {&source, &filter, &aggregate, &having, &twice, &mixed, &distinct, &still, &lookup};
enum { NODES = sizeof nodes / sizeof *nodes };
static const struct pipeline pipeline = {.nodes = nodes, .node_count = NODES};

/* 100 records: 10 filtered, 90 go on. The aggregate: 4 late, 1 without time; 30 groups given, 20 pass HAVING. */
static const struct operator_counts counts[NODES] = {
    {.in = 100, .out = 100},
    {.in = 100, .out = 90, .filtered = 10},
    {.in = 90, .late = 4, .null_time = 1, .aggregated = 85, .out = 30},
    {.in = 30, .out = 20, .filtered = 10},
    {.in = 190, .out = 190},
    {.in = 110, .out = 110},
    {.in = 90, .out = 60, .late = 5, .duplicates = 25},
    {.in = 7, .out = 7},
    {.in = 90, .out = 130, .filtered = 10, .exploded = 50},
};

/* The ledger of a table with these flows, whose sink took `written` rows. */
static struct ledger ledger_for(struct plan *const *flows, int32_t flow_count, const struct operator_counts *of,
                                int64_t written, bool *closes)
{
    struct arena arena = {0};
    struct ledger_map map;
    const struct pipeline_table table = {.name = "t", .flows = flows, .flow_count = flow_count};
    ledger_map_init(&map, &arena, &pipeline, &table);
    struct ledger l = ledger_of(&map, of, written);
    *closes = ledger_closes(&l, map.windowed);
    arena_free(&arena);
    return l;
}

TEST(a_windowed_table_closes_before_its_aggregate)
{
    bool closes;
    struct ledger l = ledger_for((struct plan *[]){&having}, 1, counts, 20, &closes);
    CHECK(closes);
    CHECK_INT(l.in, 100);
    CHECK_INT(l.filtered, 10);
    CHECK_INT(l.late, 4);
    CHECK_INT(l.null_time, 1);
    CHECK_INT(l.aggregated, 85);
    CHECK_INT(l.out, 20);
}

TEST(a_union_of_branches_counts_every_path)
{
    bool closes;
    struct ledger l = ledger_for((struct plan *[]){&twice}, 1, counts, 190, &closes);
    CHECK(closes);
    CHECK_INT(l.in, 200);
    CHECK_INT(l.filtered, 10);
}

TEST(rows_that_join_groups_in_a_union_count_as_kept)
{
    bool closes;
    struct ledger l = ledger_for((struct plan *[]){&mixed}, 1, counts, 110, &closes);
    CHECK(closes);
    CHECK_INT(l.in, 200);
    CHECK_INT(l.aggregated, 85 + 90);
    CHECK_INT(l.out, 110);
}

TEST(a_table_with_a_plain_and_a_windowed_flow_closes)
{
    bool closes;
    struct ledger l = ledger_for((struct plan *[]){&having, &filter}, 2, counts, 110, &closes);
    CHECK(closes);
    CHECK_INT(l.aggregated, 85 + 90);
}

TEST(a_deduplication_gives_the_rows_it_took)
{
    bool closes;
    struct ledger l = ledger_for((struct plan *[]){&distinct}, 1, counts, 60, &closes);
    CHECK(closes);
    CHECK_INT(l.out, 60);
    CHECK_INT(l.late, 5);
    CHECK_INT(l.duplicates, 25);
    ledger_for((struct plan *[]){&distinct}, 1, counts, 59, &closes);
    CHECK(!closes);
}

TEST(what_stands_still_is_no_input)
{
    bool closes;
    struct ledger l = ledger_for((struct plan *[]){&lookup}, 1, counts, 130, &closes);
    CHECK(closes);
    CHECK_INT(l.in, 100);
    CHECK_INT(l.exploded, 50);
    CHECK_INT(l.filtered, 20);
}

TEST(a_row_that_an_aggregate_forgets_is_seen)
{
    bool closes;
    struct error err = {0};
    struct operator_counts forgetful[NODES];
    CHECK_INT(ledger_nodes_check(&pipeline, counts, &err), E_OK);
    memcpy(forgetful, counts, sizeof forgetful);
    forgetful[2].aggregated--;
    ledger_for((struct plan *[]){&having}, 1, forgetful, 20, &closes);
    CHECK(!closes);
    CHECK_INT(ledger_nodes_check(&pipeline, forgetful, &err), E_BUG);
}

TEST(a_row_that_vanishes_is_seen)
{
    bool closes;
    struct error err = {0};
    struct operator_counts leaky[NODES];
    ledger_for((struct plan *[]){&twice}, 1, counts, 189, &closes);
    CHECK(!closes);
    memcpy(leaky, counts, sizeof leaky);
    leaky[3] =
        (struct operator_counts){.in = 29, .out = 19, .filtered = 10}; // behind the aggregate: no table's sum sees it
    CHECK_INT(ledger_nodes_check(&pipeline, leaky, &err), E_BUG);
}

/* Two partitions of the source: what each node counted for either, and what sink of `unique` took. */
static void split(const struct operator_counts *all, struct operator_counts *first, struct operator_counts *second)
{
    for (int32_t i = 0; i < NODES; i++) {
        const struct operator_counts *c = &all[i];
        int64_t taken = c->aggregated > 0 ? c->in / 2 - c->late / 2 : 0; // null_time is all of the second's
        first[i] = (struct operator_counts){
            .in = c->in / 2, .out = c->out / 2, .filtered = c->filtered / 2, .late = c->late / 2, .aggregated = taken};
        second[i] = (struct operator_counts){.in = c->in - c->in / 2,
                                             .out = c->out - c->out / 2,
                                             .filtered = c->filtered - c->filtered / 2,
                                             .late = c->late - c->late / 2,
                                             .aggregated = c->aggregated - taken,
                                             .null_time = c->null_time,
                                             .duplicates = c->duplicates};
    }
}

static const struct chain_range two[] = {{.source = "s", .topic = "a", .rows = 50},
                                         {.source = "s", .topic = "a", .partition = 1, .rows = 50}};

/* The ledger of a windowed table from partitions that `bend` has changed. */
static enum code ledger_with(void (*bend)(struct operator_counts *first, struct operator_counts *second),
                             struct chain_ledger *out, struct arena *arena, struct error *err)
{
    const struct pipeline_table table = {.name = "t", .flows = (struct plan *[]){&having}, .flow_count = 1};
    const struct pipeline_table *const tables[] = {&table};
    const struct pipeline one = {.nodes = nodes, .node_count = NODES, .tables = tables, .table_count = 1};
    struct operator_counts rows[2 * NODES];
    int64_t written[2] = {0}, refused[2] = {0};
    int32_t slots[2] = {0, 1};
    struct tally_plan plan;
    struct ledger_map map;
    split(counts, rows, rows + NODES);
    bend(rows, rows + NODES);
    tally_plan_init(&plan, arena, &one);
    ledger_map_init(&map, arena, &one, &table);
    const struct tally tally = {
        .plan = &plan, .slots = slots, .nodes = rows, .tables = written, .refused = refused, .row_count = 2};
    const struct ledger_counts of = {&one, counts, &tally, two, 2};
    enum code code = ledger_ranges_check(&of, err);
    return code == E_OK ? ledger_table(&of, 0, &map, 20, arena, out, err) : code;
}

static void as_it_is(struct operator_counts *first, struct operator_counts *second)
{
    (void)first;
    (void)second;
}
static void one_forgotten(struct operator_counts *first, struct operator_counts *second)
{
    (void)second;
    first[2].aggregated--;
}
/* Both partitions close, but one row more was filtered than the filter says. */
static void one_made_up(struct operator_counts *first, struct operator_counts *second)
{
    (void)second;
    first[1].filtered++;
    first[2].late--;
}
static void one_not_worked_on(struct operator_counts *first, struct operator_counts *second)
{
    first[0].out--;
    second[0].out++;
}

TEST(partitions_close_and_are_the_table)
{
    struct arena arena = {0};
    struct error err = {0};
    struct chain_ledger ledger;
    CHECK_INT(ledger_with(as_it_is, &ledger, &arena, &err), E_OK);
    CHECK_INT(ledger.slot_count, 2);
    CHECK_INT(ledger.slots[0].counts.in + ledger.slots[1].counts.in, 100);
    CHECK_INT(ledger.slots[1].counts.null_time, 1);
    CHECK_INT(ledger_with(one_forgotten, &ledger, &arena, &err), E_BUG);
    CHECK(strstr(err.text, "topic a partition 0") != NULL);
    CHECK_INT(ledger_with(one_made_up, &ledger, &arena, &err), E_BUG);
    CHECK(strstr(err.text, "partitions of table t are not the table") != NULL);
    CHECK_INT(ledger_with(one_not_worked_on, &ledger, &arena, &err), E_BUG);
    CHECK(strstr(err.text, "gave 50 records, and 49 were worked on") != NULL);
    arena_free(&arena);
}

/* Views that are united with themselves double the paths at each step; the nodes are looked at once. */
TEST(many_paths_cost_no_time)
{
    enum { STEPS = 60 };
    struct arena arena = {0};
    static struct plan steps[STEPS];
    static struct plan *pointers[STEPS], *pairs[STEPS][2];
    steps[0] = (struct plan){.kind = PLAN_SOURCE, .streaming = true};
    pointers[0] = &steps[0];
    for (int i = 1; i < STEPS; i++) {
        pairs[i][0] = pairs[i][1] = &steps[i - 1];
        steps[i] =
            (struct plan){.kind = PLAN_UNION, .id = i, .streaming = true, .more_inputs = pairs[i], .input_count = 2};
        pointers[i] = &steps[i];
    }
    const struct pipeline deep = {.nodes = pointers, .node_count = STEPS};
    const struct pipeline_table table = {.name = "t", .flows = &pointers[STEPS - 1], .flow_count = 1};
    struct ledger_map map;
    ledger_map_init(&map, &arena, &deep, &table);
    CHECK_INT(map.paths[0], INT64_C(1) << (STEPS - 1));
    CHECK(!map.windowed);
    arena_free(&arena);
}

/* Mixed batches must be counted as if each partition had come alone. */
#include "kit.h"

#include "runtime/tally.h"

/* 0 source -> 1 filter -> 2 generate -> 3 aggregate;  4 deduplicate */
static struct plan source = {.kind = PLAN_SOURCE, .id = 0, .streaming = true};
static struct plan filter = {.kind = PLAN_FILTER, .id = 1, .streaming = true, .inputs = {&source}, .input_count = 1};
static struct plan generate = {
    .kind = PLAN_GENERATE, .id = 2, .streaming = true, .inputs = {&filter}, .input_count = 1};
static struct plan aggregate = {
    .kind = PLAN_AGGREGATE, .id = 3, .streaming = true, .inputs = {&generate}, .input_count = 1};
static struct plan distinct = {
    .kind = PLAN_DEDUPLICATE, .id = 4, .streaming = true, .inputs = {&source}, .input_count = 1};
static struct plan *nodes[] = {&source, &filter, &generate, &aggregate, &distinct};
enum { NODES = 5, SLOTS = 4 };
static const struct pipeline_table table = {.name = "t", .flows = (struct plan *[]){&aggregate}, .flow_count = 1};
static const struct pipeline_table *const tables[] = {&table};
static const struct pipeline pipeline = {.nodes = nodes, .node_count = NODES, .tables = tables, .table_count = 1};

struct world {
    struct arena arena;
    struct tally_plan plan;
    struct tally lanes[2], sum;
    struct rejects rejects;
};

static void world_open(struct world *self)
{
    *self = (struct world){0};
    tally_plan_init(&self->plan, &self->arena, &pipeline);
    for (int l = 0; l < 2; l++) {
        tally_init(&self->lanes[l], &self->plan);
        tally_begin(&self->lanes[l], SLOTS);
    }
    tally_init(&self->sum, &self->plan);
    tally_begin(&self->sum, SLOTS);
}

static void world_close(struct world *self)
{
    for (int l = 0; l < 2; l++)
        tally_free(&self->lanes[l]);
    tally_free(&self->sum);
    rejects_free(&self->rejects);
    arena_free(&self->arena);
}

/* Of `slot`, what the node counted. */
static struct operator_counts counted(const struct world *self, int32_t slot, int32_t node)
{
    for (int32_t row = 0; row < self->sum.row_count; row++)
        if (self->sum.slots[row] == slot)
            return tally_row(&self->sum, row)[node];
    return (struct operator_counts){0};
}

/* A batch without columns whose records have these slots; NULL: all are of slot 2. */
static struct batch batch_of(struct arena *arena, const int32_t *slots, int64_t rows)
{
    struct batch batch;
    batch_init(&batch, type_struct(arena, NULL, 0), rows);
    batch.source = mem_new(struct origin);
    batch.source->count = 1;
    batch.source->slot = 2;
    if (slots != NULL) {
        batch.source->slots = mem_array(int32_t, (size_t)rows);
        memcpy(batch.source->slots, slots, (size_t)rows * sizeof *slots);
    }
    return batch;
}

TEST(a_batch_of_one_partition_is_counted_as_the_stage_counts_it)
{
    struct world world;
    world_open(&world);
    struct batch batch = batch_of(&world.arena, NULL, 10);
    struct operator_counts counts = {.in = 100, .filtered = 7};
    struct tally_step step;
    tally_out(&world.lanes[0], 0, &batch);
    tally_step_begin(&world.lanes[0], &step, 1, &batch, &counts);
    CHECK(counts.fates == NULL);
    counts.filtered += 3;
    counts.rejected += 1;
    tally_step_end(&world.lanes[0], &step, &counts, &world.rejects, &batch);
    tally_table(&world.lanes[1], 0, &batch);
    tally_add(&world.sum, world.lanes, 2);
    CHECK_INT(world.sum.row_count, 1);
    CHECK_INT(counted(&world, 2, 0).out, 10);
    CHECK_INT(counted(&world, 2, 1).filtered, 3);
    CHECK_INT(counted(&world, 2, 1).rejected, 1);
    CHECK_INT(tally_row_tables(&world.sum, 0)[0], 10);
    batch_release(&batch);
    world_close(&world);
}

/* Six rows of slots 0 0 1 1 3 3: the filter drops one of 0 and both of 3, and an expression fails for one of 1. */
TEST(what_a_filter_dropped_of_a_mixed_batch_goes_to_its_partitions)
{
    static const int32_t slots[] = {0, 0, 1, 1, 3, 3}, kept[] = {1, 2};
    struct world world;
    world_open(&world);
    struct batch in = batch_of(&world.arena, slots, 6), out;
    struct operator_counts counts = {0};
    struct tally_step step;
    batch_gather(&out, &in, kept, 2);
    tally_step_begin(&world.lanes[0], &step, 1, &in, &counts);
    rejects_add(&world.rejects, 3, -1, REJECT_CAST);
    counts.filtered = 3;
    counts.rejected = 1;
    tally_step_end(&world.lanes[0], &step, &counts, &world.rejects, &out);
    tally_add(&world.sum, world.lanes, 2);
    CHECK_INT(counted(&world, 0, 1).filtered, 1);
    CHECK_INT(counted(&world, 1, 1).filtered, 0);
    CHECK_INT(counted(&world, 1, 1).rejected, 1);
    CHECK_INT(counted(&world, 3, 1).filtered, 2);
    batch_release(&in);
    batch_release(&out);
    world_close(&world);
}

/* Row 0 becomes three rows, row 1 none, row 2 one; row 3 is rejected. */
TEST(what_a_generator_made_of_a_mixed_batch_adds_up)
{
    static const int32_t slots[] = {0, 0, 1, 1}, made[] = {0, 0, 0, 2};
    struct world world;
    world_open(&world);
    struct batch in = batch_of(&world.arena, slots, 4), out;
    struct operator_counts counts = {0};
    struct tally_step step;
    batch_gather(&out, &in, made, 4);
    tally_step_begin(&world.lanes[1], &step, 2, &in, &counts);
    rejects_add(&world.rejects, 3, -1, REJECT_TOO_BIG);
    counts.rejected = 1;
    tally_step_end(&world.lanes[1], &step, &counts, &world.rejects, &out);
    tally_out(&world.lanes[1], 2, &out);
    tally_add(&world.sum, world.lanes, 2);
    CHECK_INT(counted(&world, 0, 2).exploded, 1); // 2 in, 3 out
    CHECK_INT(counted(&world, 1, 2).exploded, 0); // 2 in, 1 out, 1 rejected
    batch_release(&in);
    batch_release(&out);
    world_close(&world);
}

TEST(fates_of_rows_go_to_their_partitions)
{
    static const int32_t slots[] = {3, 0, 3, 0, 3};
    struct world world;
    world_open(&world);
    struct batch in = batch_of(&world.arena, slots, 5);
    struct operator_counts counts = {0};
    struct tally_step step;
    tally_step_begin(&world.lanes[0], &step, 3, &in, &counts);
    CHECK(counts.fates != NULL);
    const struct lane_call call = {.counts = &counts};
    lane_call_drop(&call, 0, ROW_LATE);
    lane_call_drop(&call, 1, ROW_NULL_TIME);
    rejects_add(&world.rejects, 4, -1, REJECT_CAST);
    counts.rejected = 1;
    counts.aggregated = 2;
    tally_step_end(&world.lanes[0], &step, &counts, &world.rejects, NULL);
    tally_add(&world.sum, world.lanes, 2);
    CHECK_INT(counted(&world, 3, 3).late, 1);
    CHECK_INT(counted(&world, 3, 3).rejected, 1);
    CHECK_INT(counted(&world, 3, 3).aggregated, 1);
    CHECK_INT(counted(&world, 0, 3).null_time, 1);
    CHECK_INT(counted(&world, 0, 3).aggregated, 1);
    batch_release(&in);
    world_close(&world);
}

TEST(lanes_add_up_in_the_order_of_slots_and_are_zero_again)
{
    static const int32_t slots[] = {3, 1};
    struct world world;
    world_open(&world);
    struct batch mixed = batch_of(&world.arena, slots, 2), one = batch_of(&world.arena, NULL, 8), born = {.rows = 5};
    tally_out(&world.lanes[0], 0, &one);
    tally_out(&world.lanes[1], 0, &mixed);
    tally_out(&world.lanes[1], 0, &one);
    tally_out(&world.lanes[1], 0, &born);
    tally_duplicates(&world.lanes[0], 4)[0] = 6;
    CHECK(tally_duplicates(&world.lanes[0], 3) == NULL);
    tally_add(&world.sum, world.lanes, 2);
    CHECK_INT(world.sum.row_count, 4);
    for (int32_t row = 0; row < 4; row++)
        CHECK_INT(world.sum.slots[row], row);
    CHECK_INT(counted(&world, 0, 4).duplicates, 6);
    CHECK_INT(counted(&world, 1, 0).out, 1);
    CHECK_INT(counted(&world, 2, 0).out, 16);
    CHECK_INT(counted(&world, 3, 0).out, 1);
    for (int l = 0; l < 2; l++)
        tally_begin(&world.lanes[l], SLOTS + 100);
    tally_begin(&world.sum, SLOTS + 100);
    tally_add(&world.sum, world.lanes, 2);
    CHECK_INT(world.sum.row_count, 0);
    batch_release(&mixed);
    batch_release(&one);
    world_close(&world);
}

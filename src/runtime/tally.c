#include "runtime/tally.h"

#include "runtime/plan_stage.h"

/* ---- the plan's part ---- */

static bool can_explode(const struct plan *plan)
{
    return plan->kind == PLAN_GENERATE || (plan->kind == PLAN_JOIN && plan_is_lookup(plan));
}

/* The ledger asks what a node gave where rows that have met state come together with rows that have not (ledger.h): in a
 * UNION, or in a table. */
void tally_plan_init(struct tally_plan *self, struct arena *arena, const struct pipeline *pipeline)
{
    size_t count = (size_t)pipeline->node_count;
    bool births = false;
    *self = (struct tally_plan){
        .pipeline = pipeline, .asks_out = arena_array(arena, bool, count), .explodes = arena_array(arena, bool, count)};
    for (int32_t i = 0; i < pipeline->node_count; i++) {
        const struct plan *plan = pipeline->nodes[i];
        self->explodes[i] = can_explode(plan);
        self->asks_out[i] = plan->kind == PLAN_SOURCE || self->explodes[i];
        self->deduplicates |= plan->kind == PLAN_DEDUPLICATE;
        births |= plan_is_stateful(plan);
    }
    for (int32_t i = 0; births && i < pipeline->node_count; i++)
        for (int32_t j = 0; j < pipeline->nodes[i]->input_count; j++)
            self->asks_out[plan_input(pipeline->nodes[i], j)->id] |= pipeline->nodes[i]->input_count > 1;
    for (int32_t t = 0; births && t < pipeline->table_count; t++)
        for (int32_t f = 0; f < pipeline->tables[t]->flow_count; f++)
            self->asks_out[pipeline->tables[t]->flows[f]->id] = true;
}

/* ---- rows of slots ---- */

void tally_init(struct tally *self, const struct tally_plan *plan)
{
    *self = (struct tally){.plan = plan, .stages = mem_array(struct tally_stage, (size_t)plan->pipeline->node_count)};
}

void tally_free(struct tally *self)
{
    for (int32_t i = 0; self->stages != NULL && i < self->plan->pipeline->node_count; i++) {
        mem_free(self->stages[i].fates);
        mem_free(self->stages[i].duplicates);
    }
    mem_free(self->stages);
    mem_free(self->row_of);
    mem_free(self->slots);
    mem_free(self->nodes);
    mem_free(self->tables);
    mem_free(self->refused);
    mem_free(self->in);
    mem_free(self->out);
    *self = (struct tally){0};
}

static void slots_reserve(struct tally *self, int32_t count)
{
    if (count <= self->slot_capacity)
        return;
    size_t size = (size_t)count;
    self->row_of = mem_resize(self->row_of, size * sizeof *self->row_of);
    self->in = mem_resize(self->in, size * sizeof *self->in);
    self->out = mem_resize(self->out, size * sizeof *self->out);
    for (int32_t slot = self->slot_capacity; slot < count; slot++) {
        self->row_of[slot] = -1;
        self->in[slot] = self->out[slot] = 0;
    }
    for (int32_t i = 0; i < self->plan->pipeline->node_count; i++)
        if (self->plan->pipeline->nodes[i]->kind == PLAN_DEDUPLICATE)
            self->stages[i].duplicates = mem_resize(self->stages[i].duplicates, size * sizeof(int64_t));
    self->slot_capacity = count;
}

void tally_begin(struct tally *self, int32_t slot_count)
{
    for (int32_t row = 0; row < self->row_count; row++)
        self->row_of[self->slots[row]] = -1;
    self->row_count = 0;
    slots_reserve(self, slot_count);
    self->slot_count = slot_count;
    for (int32_t i = 0; i < self->plan->pipeline->node_count; i++)
        if (self->stages[i].duplicates != NULL)
            memset(self->stages[i].duplicates, 0, (size_t)slot_count * sizeof(int64_t));
}

int64_t *tally_duplicates(const struct tally *self, int32_t node) { return self->stages[node].duplicates; }

/* All rows grow together. */
static void rows_reserve(struct tally *self)
{
    size_t nodes = (size_t)self->plan->pipeline->node_count, tables = (size_t)self->plan->pipeline->table_count;
    if (self->row_count < self->row_capacity)
        return;
    size_t rows = self->row_capacity == 0 ? 4 : 2 * (size_t)self->row_capacity;
    self->slots = mem_resize(self->slots, rows * sizeof *self->slots);
    self->nodes = mem_resize(self->nodes, rows * nodes * sizeof *self->nodes);
    self->tables = mem_resize(self->tables, rows * tables * sizeof *self->tables);
    self->refused = mem_resize(self->refused, rows * tables * sizeof *self->refused);
    self->row_capacity = (int32_t)rows;
}

static int32_t row_for(struct tally *self, int32_t slot)
{
    always(slot >= 0 && slot < self->slot_count);
    if (self->row_of[slot] >= 0)
        return self->row_of[slot];
    size_t nodes = (size_t)self->plan->pipeline->node_count, tables = (size_t)self->plan->pipeline->table_count;
    rows_reserve(self);
    int32_t row = self->row_count++;
    memset(self->nodes + (size_t)row * nodes, 0, nodes * sizeof *self->nodes);
    memset(self->tables + (size_t)row * tables, 0, tables * sizeof *self->tables);
    memset(self->refused + (size_t)row * tables, 0, tables * sizeof *self->refused);
    self->slots[row] = slot;
    self->row_of[slot] = row;
    return row;
}

static struct operator_counts *counts_for(struct tally *self, int32_t slot, int32_t node)
{
    int32_t row = row_for(self, slot); // which may move the nodes
    return &self->nodes[(size_t)row * (size_t)self->plan->pipeline->node_count + (size_t)node];
}

static size_t table_place(struct tally *self, int32_t slot, int32_t table)
{
    int32_t row = row_for(self, slot); // which may move the tables
    return (size_t)row * (size_t)self->plan->pipeline->table_count + (size_t)table;
}

static int64_t *written_for(struct tally *self, int32_t slot, int32_t table)
{
    size_t place = table_place(self, slot, table);
    return &self->tables[place];
}

static int64_t *refused_for(struct tally *self, int32_t slot, int32_t table)
{
    size_t place = table_place(self, slot, table);
    return &self->refused[place];
}

static bool is_mixed(const struct batch *batch) { return batch->source->slots != NULL; }

/* Rows from `row` on that have its slot: neighbours mostly share it. */
static int64_t run_end(const struct batch *batch, int64_t row)
{
    int32_t slot = batch_slot(batch, row);
    while (++row < batch->rows && batch_slot(batch, row) == slot)
        continue;
    return row;
}

static void slots_count(const struct batch *batch, int64_t *by_slot)
{
    for (int64_t row = 0, end; row < batch->rows; row = end) {
        end = run_end(batch, row);
        by_slot[batch_slot(batch, row)] += end - row;
    }
}

/* ---- what leaves ---- */

void tally_out(struct tally *self, int32_t node, const struct batch *batch)
{
    if (batch->source == NULL)
        return;
    if (!is_mixed(batch)) {
        counts_for(self, batch->source->slot, node)->out += batch->rows;
        return;
    }
    for (int64_t row = 0, end; self->plan->asks_out[node] && row < batch->rows; row = end) {
        end = run_end(batch, row);
        counts_for(self, batch_slot(batch, row), node)->out += end - row;
    }
}

void tally_table(struct tally *self, int32_t table, const struct batch *batch)
{
    if (batch->source == NULL)
        return;
    if (!is_mixed(batch)) {
        *written_for(self, batch->source->slot, table) += batch->rows;
        return;
    }
    for (int64_t row = 0, end; row < batch->rows; row = end) {
        end = run_end(batch, row);
        *written_for(self, batch_slot(batch, row), table) += end - row;
    }
}

static void refused_add(struct tally *self, int32_t table, const struct batch *batch, int64_t sign)
{
    for (int64_t row = 0; row < batch->rows; row++)
        *refused_for(self, is_mixed(batch) ? batch_slot(batch, row) : batch->source->slot, table) += sign;
}

void tally_refused(struct tally *self, int32_t table, const struct batch *all, const struct batch *taken)
{
    if (all->source == NULL)
        return;
    refused_add(self, table, all, 1);
    if (taken->rows > 0)
        refused_add(self, table, taken, -1);
}

void tally_replayed(struct tally *self, int32_t slot, int32_t node, int64_t came, int64_t filtered, int64_t rejected)
{
    struct operator_counts *to = counts_for(self, slot, node);
    to->replayed += came + filtered + rejected;
    to->in += filtered + rejected;
    to->filtered += filtered;
    to->rejected += rejected;
}

/* ---- one batch in one stage ---- */

void tally_step_begin(struct tally *self, struct tally_step *step, int32_t node, const struct batch *in,
                      struct operator_counts *counts)
{
    step->in = in;
    step->node = node;
    step->before = *counts;
    counts->fates = NULL;
    if (in->source == NULL || !is_mixed(in))
        return;
    const struct plan *plan = self->plan->pipeline->nodes[node];
    struct tally_stage *stage = &self->stages[node];
    if (!plan_is_stateful(plan) && plan->kind != PLAN_JOIN)
        return;
    mem_grow(stage->fates, stage->capacity, in->rows);
    memset(stage->fates, ROW_TAKEN, (size_t)in->rows);
    counts->fates = stage->fates;
}

/* Of a batch of one partition: what the stage counted, but for what is counted elsewhere (tally.h). */
static void whole_count(struct tally *self, const struct tally_step *step, const struct operator_counts *now)
{
    struct operator_counts *to = counts_for(self, step->in->source->slot, step->node);
    to->in += step->in->rows;
    to->filtered += now->filtered - step->before.filtered;
    to->late += now->late - step->before.late;
    to->rejected += now->rejected - step->before.rejected;
    to->null_time += now->null_time - step->before.null_time;
    to->aggregated += now->aggregated - step->before.aggregated;
}

static void rejects_count(struct tally *self, const struct tally_step *step, const struct rejects *rejects)
{
    for (int32_t i = 0; i < rejects->count; i++)
        counts_for(self, batch_slot(step->in, rejects->items[i].row), step->node)->rejected++;
}

/* `in` and `out` tell what is gone; the list of rejects, when there is another reason too, which of it was rejected. */
static void gone_count(struct tally *self, const struct tally_step *step, const struct operator_counts *now,
                       const struct rejects *rejects, const struct batch *out)
{
    bool filtered = now->filtered > step->before.filtered, rejected = now->rejected > step->before.rejected;
    if (!filtered && !rejected)
        return;
    slots_count(step->in, self->in);
    slots_count(out, self->out);
    for (int32_t slot = 0; slot < self->slot_count; slot++) {
        int64_t gone = self->in[slot] - self->out[slot];
        self->in[slot] = self->out[slot] = 0;
        if (gone != 0)
            *(filtered ? &counts_for(self, slot, step->node)->filtered
                       : &counts_for(self, slot, step->node)->rejected) += gone;
    }
    for (int32_t i = 0; filtered && rejected && i < rejects->count; i++)
        counts_for(self, batch_slot(step->in, rejects->items[i].row), step->node)->filtered--;
    if (filtered && rejected)
        rejects_count(self, step, rejects);
}

/* Rows that went in; those of them that fell out have a fate. */
static void fates_count(struct tally *self, const struct tally_step *step, const struct operator_counts *now,
                        const struct rejects *rejects)
{
    bool takes = now->aggregated > step->before.aggregated;
    rejects_count(self, step, rejects);
    for (int32_t i = 0; takes && i < rejects->count; i++)
        counts_for(self, batch_slot(step->in, rejects->items[i].row), step->node)->aggregated--;
    for (int64_t row = 0, end; row < step->in->rows; row = end) {
        struct operator_counts *to = counts_for(self, batch_slot(step->in, row), step->node);
        end = run_end(step->in, row);
        to->in += end - row;
        for (int64_t i = row; i < end && now->fates != NULL; i++) {
            enum row_fate fate = now->fates[i];
            to->late += fate == ROW_LATE;
            to->null_time += fate == ROW_NULL_TIME;
            to->filtered += fate == ROW_FILTERED;
            to->aggregated += takes && fate == ROW_TAKEN;
        }
    }
}

void tally_step_end(struct tally *self, const struct tally_step *step, struct operator_counts *counts,
                    const struct rejects *rejects, const struct batch *out)
{
    if (step->in->source != NULL && step->in->rows > 0) {
        if (!is_mixed(step->in))
            whole_count(self, step, counts);
        else if (out != NULL && !self->plan->explodes[step->node])
            gone_count(self, step, counts, rejects, out);
        else
            fates_count(self, step, counts, rejects);
    }
    counts->fates = NULL;
}

/* ---- the sum ---- */

static void counts_add(struct operator_counts *to, const struct operator_counts *from)
{
    to->in += from->in;
    to->replayed += from->replayed;
    to->out += from->out;
    to->filtered += from->filtered;
    to->late += from->late;
    to->rejected += from->rejected;
    to->null_time += from->null_time;
    to->aggregated += from->aggregated;
}

static void row_add(struct tally *into, const struct tally *lane, int32_t row)
{
    const struct pipeline *pipeline = into->plan->pipeline;
    int32_t slot = lane->slots[row];
    for (int32_t i = 0; i < pipeline->node_count; i++)
        counts_add(counts_for(into, slot, i), tally_row(lane, row) + i);
    for (int32_t t = 0; t < pipeline->table_count; t++) {
        *written_for(into, slot, t) += tally_row_tables(lane, row)[t];
        *refused_for(into, slot, t) += tally_row_refused(lane, row)[t];
    }
}

static void duplicates_add(struct tally *into, const struct tally *lane, int32_t slot)
{
    for (int32_t i = 0; i < into->plan->pipeline->node_count; i++)
        if (lane->stages[i].duplicates != NULL && lane->stages[i].duplicates[slot] > 0)
            counts_for(into, slot, i)->duplicates += lane->stages[i].duplicates[slot];
}

void tally_add(struct tally *into, const struct tally *lanes, int32_t lane_count)
{
    const struct tally_plan *plan = into->plan;
    for (int32_t slot = 0; slot < into->slot_count; slot++)
        for (int32_t l = 0; l < lane_count; l++) {
            if (lanes[l].row_of[slot] >= 0)
                row_add(into, &lanes[l], lanes[l].row_of[slot]);
            if (plan->deduplicates)
                duplicates_add(into, &lanes[l], slot);
        }
    for (int32_t row = 0; row < into->row_count; row++)
        for (int32_t i = 0; i < plan->pipeline->node_count; i++) {
            struct operator_counts *c = &into->nodes[(size_t)row * (size_t)plan->pipeline->node_count + (size_t)i];
            if (plan->explodes[i])
                c->exploded = c->out + c->filtered + c->rejected - c->in;
        }
}

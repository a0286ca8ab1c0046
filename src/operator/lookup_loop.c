#include "operator/lookup_loop.h"

#include "base/stop_watch.h"

enum { STREAM, STILL, SIDES };
enum { READS_STREAM = 1 << STREAM, READS_STILL = 1 << STILL, READS_CHANCE = 4 };
enum {
    BLOCK_BYTES_MAX = 4 << 20,
    TEXT_BYTES_MAX = 4096
}; /* of a block; of a value of the stream that stands beside it */

/* ---- ON, taken apart ---- */

struct parts {
    struct arena *arena;
    const struct lookup_spec *spec;
    const struct expr **exprs[SIDES]; /* columns are those of the side */
    int32_t counts[SIDES];
};

static int32_t side_at(const struct parts *self, int side)
{
    bool first = (side == STILL) == self->spec->still_first;
    const struct type *before = side == STILL ? self->spec->stream_schema : self->spec->still_schema;
    return first ? 0 : before->field_count;
}

static int side_of(const struct parts *self, int32_t column)
{
    int second = self->spec->still_first ? STREAM : STILL;
    return column >= side_at(self, second) ? second : 1 - second;
}

/* Bits: which sides it reads; whether it reads nothing and is no constant. */
static int reads(const struct parts *self, const struct expr *expr)
{
    int found = 0;
    if (expr->kind == EXPR_COLUMN)
        return 1 << side_of(self, expr->index);
    for (int32_t i = 0; i < expr->arg_count; i++)
        found |= reads(self, expr->args[i]);
    return found == 0 && !expr_is_constant(expr) ? READS_CHANCE : found;
}

static bool is_part(int found) { return found == READS_STREAM || found == READS_STILL; }

static int32_t expr_nodes(const struct expr *expr)
{
    int32_t nodes = 1;
    for (int32_t i = 0; i < expr->arg_count; i++)
        nodes += expr_nodes(expr->args[i]);
    return nodes;
}

/* A copy whose args are what `change` makes of them. */
static const struct expr *with_args(struct parts *self, const struct expr *expr,
                                    const struct expr *(*change)(struct parts *self, const struct expr *arg))
{
    struct expr *copy = arena_new(self->arena, struct expr);
    *copy = *expr;
    copy->args = arena_array(self->arena, const struct expr *, (size_t)expr->arg_count + 1);
    for (int32_t i = 0; i < expr->arg_count; i++)
        copy->args[i] = change(self, expr->args[i]);
    return copy;
}

/* Columns of the pair as columns of their side. */
static const struct expr *of_side(struct parts *self, const struct expr *expr)
{
    struct expr *copy = (struct expr *)with_args(self, expr, of_side);
    if (copy->kind == EXPR_COLUMN)
        copy->index -= side_at(self, side_of(self, expr->index));
    return copy;
}

static int32_t part_find(const struct parts *self, int side, const struct expr *part)
{
    int32_t at = 0;
    while (at < self->counts[side] && !expr_equal(self->exprs[side][at], part))
        at++;
    return at;
}

static void parts_collect(struct parts *self, const struct expr *expr)
{
    int found = reads(self, expr), side = found == READS_STREAM ? STREAM : STILL;
    if (is_part(found)) {
        const struct expr *part = of_side(self, expr);
        int32_t at = part_find(self, side, part);
        self->exprs[side][at] = part;
        self->counts[side] += at == self->counts[side];
    }
    for (int32_t i = 0; i < expr->arg_count && !is_part(found); i++)
        parts_collect(self, expr->args[i]);
}

/* Over the parts: the stream's, then the still ones. */
static const struct expr *over_parts(struct parts *self, const struct expr *expr)
{
    struct expr_context ctx = {.arena = self->arena};
    int found = reads(self, expr);
    if (found == 0)
        return expr;
    if (!is_part(found))
        return with_args(self, expr, over_parts);
    int side = found == READS_STREAM ? STREAM : STILL;
    int32_t at = part_find(self, side, of_side(self, expr));
    struct field field = {"part", expr->type, true};
    return expr_column(&ctx, side == STILL ? self->counts[STREAM] + at : at, &field, expr->at);
}

/* False: there is nothing to take apart. */
static bool parts_take(struct arena *arena, const struct lookup_spec *spec, struct parts *out)
{
    *out = (struct parts){.arena = arena, .spec = spec};
    if (spec->key_count > 0 || spec->condition == NULL || reads(out, spec->condition) != (READS_STREAM | READS_STILL))
        return false;
    for (int side = 0; side < SIDES; side++)
        out->exprs[side] = arena_array(arena, const struct expr *, (size_t)expr_nodes(spec->condition));
    parts_collect(out, spec->condition);
    return true;
}

static const struct type *parts_schema(const struct parts *self)
{
    int32_t count = self->counts[STREAM] + self->counts[STILL];
    struct field *fields = arena_array(self->arena, struct field, (size_t)count);
    for (int32_t i = 0; i < count; i++) {
        bool still = i >= self->counts[STREAM];
        const struct expr *part = still ? self->exprs[STILL][i - self->counts[STREAM]] : self->exprs[STREAM][i];
        fields[i] = (struct field){"part", part->type, true};
    }
    return type_struct(self->arena, fields, count);
}

/* ---- blocks ---- */

static void columns_free(struct column *columns, int32_t count)
{
    for (int32_t i = 0; columns != NULL && i < count; i++)
        column_release(&columns[i]);
    mem_free(columns);
}

void loop_blocks_free(struct loop_blocks *self)
{
    for (int32_t b = 0; b < self->count; b++)
        columns_free(self->blocks[b].columns, self->part_count);
    mem_free(self->blocks);
    mem_free(self->still_rows);
    *self = (struct loop_blocks){0};
}

static int64_t block_rows_max(const struct column *columns, int32_t count, int64_t rows)
{
    int64_t size = 0;
    for (int32_t i = 0; i < count; i++)
        size += column_range_bytes(&columns[i], 0, rows);
    int64_t most = BLOCK_BYTES_MAX / (size / rows + 1);
    return most < 1 ? 1 : most < BATCH_ROWS_MAX ? most : BATCH_ROWS_MAX;
}

static void block_fill(struct loop_blocks *self, struct loop_block *block, const struct column *columns)
{
    int64_t rows = block->count * self->tiles;
    int32_t *picked = mem_array(int32_t, (size_t)rows);
    for (int64_t i = 0; i < rows; i++)
        picked[i] = block->still_rows[i % block->count];
    block->columns = mem_array(struct column, (size_t)self->part_count);
    for (int32_t c = 0; c < self->part_count; c++) {
        column_gather(&block->columns[c], &columns[c], picked, rows);
        self->size_bytes += (size_t)column_range_bytes(&block->columns[c], 0, rows);
    }
    mem_free(picked);
}

/* Blocks of much the same length: a short one would cost as much as a long one. */
static void blocks_cut(struct loop_blocks *self, const struct column *columns, int64_t rows_max,
                       const struct selection *may)
{
    int64_t count = (may->count + rows_max - 1) / rows_max, each = (may->count + count - 1) / count;
    self->blocks = mem_array(struct loop_block, (size_t)count);
    self->tiles = rows_max / each;
    self->size_bytes = (size_t)may->count * sizeof *may->rows;
    self->still_rows = mem_array(int32_t, (size_t)may->count);
    memcpy(self->still_rows, may->rows, self->size_bytes);
    for (int64_t from = 0; from < may->count; from += each) {
        struct loop_block *block = &self->blocks[self->count++];
        block->still_rows = self->still_rows + from;
        block->count = may->count - from < each ? may->count - from : each;
        block_fill(self, block, columns);
    }
}

enum code loop_blocks_build(const struct lookup_spec *spec, const struct session *session, const struct batch *still,
                            const struct selection *may, struct loop_blocks *out, struct error *err)
{
    struct arena arena = {0};
    struct parts parts;
    struct program *program;
    struct rejects failed = {0};
    struct column *columns = NULL;
    struct evaluator *evaluator = NULL;
    enum code code = E_OK;
    if (may->count == 0 || !parts_take(&arena, spec, &parts))
        goto done;
    code = program_compile(&arena, parts.exprs[STILL], parts.counts[STILL], &program, err);
    if (code != E_OK)
        goto done;
    columns = mem_array(struct column, (size_t)parts.counts[STILL]);
    evaluator = evaluator_new(program);
    code = evaluator_run(evaluator, session, still, columns, &failed, err);
    out->part_count = parts.counts[STILL];
    if (code == E_OK && failed.count == 0)
        blocks_cut(out, columns, block_rows_max(columns, out->part_count, still->rows), may);
done:
    columns_free(columns, parts.counts[STILL]);
    evaluator_free(evaluator);
    rejects_free(&failed);
    arena_free(&arena);
    return code;
}

/* ---- one lane ---- */

struct loop {
    int32_t counts[SIDES];
    const struct type *schema; /* of pairs of parts */
    struct program *stream, *pairs;
    struct evaluator *stream_evaluator, *pairs_evaluator;
    struct column *parts;                                  /* of the stream's batch at hand */
    int32_t *stream_rows, *matched_stream, *matched_still; /* of the pairs of a block; of those that ON holds for */
    struct selection kept;
};

enum code loop_new(struct arena *arena, const struct lookup_spec *spec, struct loop **out, struct error *err)
{
    struct parts parts;
    *out = NULL;
    if (!parts_take(arena, spec, &parts))
        return E_OK;
    const struct expr *pairs = over_parts(&parts, spec->condition);
    struct loop *self = arena_new(arena, struct loop);
    for (int side = 0; side < SIDES; side++)
        self->counts[side] = parts.counts[side];
    self->schema = parts_schema(&parts);
    TRY(program_compile(arena, parts.exprs[STREAM], parts.counts[STREAM], &self->stream, err));
    TRY(program_compile(arena, &pairs, 1, &self->pairs, err));
    self->stream_evaluator = evaluator_new(self->stream);
    self->pairs_evaluator = evaluator_new(self->pairs);
    self->parts = mem_array(struct column, (size_t)parts.counts[STREAM]);
    self->stream_rows = mem_array(int32_t, 3 * (size_t)BATCH_ROWS_MAX);
    self->matched_stream = self->stream_rows + BATCH_ROWS_MAX;
    self->matched_still = self->matched_stream + BATCH_ROWS_MAX;
    *out = self;
    return E_OK;
}

void loop_free(struct loop *self)
{
    if (self == NULL)
        return;
    evaluator_free(self->stream_evaluator);
    evaluator_free(self->pairs_evaluator);
    mem_free(self->parts);
    mem_free(self->stream_rows);
    selection_free(&self->kept);
}

struct position loop_position(const struct loop *self, int32_t step)
{
    return program_step_position(self->pairs, step - LOOP_FIRST_STEP);
}

void loop_reject(const struct rejects *failed, int32_t first_step, const int32_t *stream_rows, uint8_t *wanted,
                 struct rejects *out)
{
    for (int32_t i = 0; i < failed->count; i++) {
        int32_t row = stream_rows[failed->items[i].row];
        if (bit_get(wanted, row))
            rejects_add(out, row, first_step + failed->items[i].step, failed->items[i].code);
        bit_clear(wanted, row);
    }
}

/* A value stands beside each row of a block. */
static bool values_are_short(const struct loop *self, int64_t rows)
{
    for (int32_t i = 0; i < self->counts[STREAM]; i++) {
        const struct column *part = &self->parts[i];
        bool long_ones = column_range_bytes(part, 0, rows) > TEXT_BYTES_MAX;
        for (int64_t row = 0; row < rows && long_ones && (part->child_count > 0 || type_is_varlen(part->type)); row++)
            if (column_range_bytes(part, row, row + 1) > TEXT_BYTES_MAX)
                return false;
    }
    return true;
}

/* Rows of the stream beside those of a block, as parts. */
static void pairs_fill(struct loop *self, const struct loop_block *block, const int32_t *rows, int64_t count,
                       int64_t tiles, struct batch *out)
{
    int64_t pairs = count * block->count;
    int32_t *at = self->stream_rows;
    for (int64_t i = 0; i < count; i++) {
        int32_t row = rows[i];
        for (int64_t k = 0; k < block->count; k++)
            at[k] = row;
        at += block->count;
    }
    batch_init(out, self->schema, pairs);
    for (int32_t c = 0; c < self->counts[STREAM]; c++)
        column_gather(&out->columns[c], &self->parts[c], self->stream_rows, pairs);
    for (int32_t c = 0; c < self->counts[STILL]; c++) {
        struct column *column = &out->columns[self->counts[STREAM] + c];
        if (count == tiles)
            column_share(column, &block->columns[c]);
        else
            column_append(column, &block->columns[c], 0, pairs);
    }
}

static enum code block_run(struct loop *self, const struct loop_call *call, const struct loop_block *block,
                           const int32_t *rows, int64_t count, struct error *err)
{
    struct batch pairs;
    struct column condition = {0};
    struct rejects failed = {0};
    TRY(stop_check(count * block->count, err));
    pairs_fill(self, block, rows, count, call->blocks->tiles, &pairs);
    enum code code = evaluator_run(self->pairs_evaluator, call->session, &pairs, &condition, &failed, err);
    batch_release(&pairs);
    if (code == E_OK) {
        loop_reject(&failed, LOOP_FIRST_STEP, self->stream_rows, call->wanted, call->rejects);
        selection_true(&self->kept, &condition);
        for (int64_t i = 0; i < self->kept.count; i++) {
            int32_t pair = self->kept.rows[i];
            self->matched_stream[i] = self->stream_rows[pair];
            self->matched_still[i] = block->still_rows[pair % block->count];
        }
        code = call->pairs(call->context, self->matched_stream, self->matched_still, self->kept.count, err);
    }
    column_release(&condition);
    rejects_free(&failed);
    return code;
}

static enum code rows_run(struct loop *self, const struct loop_call *call, struct error *err)
{
    const struct loop_blocks *blocks = call->blocks;
    for (int64_t from = 0; from < call->rows->count; from += blocks->tiles) {
        const int32_t *rows = call->rows->rows + from;
        int64_t left = call->rows->count - from, count = left < blocks->tiles ? left : blocks->tiles;
        for (int32_t b = 0; b < blocks->count; b++) {
            bool seeks = bit_get(call->wanted, rows[0]) && (call->matched == NULL || !bit_get(call->matched, rows[0]));
            if (b > 0 && !seeks) // several blocks: then it is one row
                break;
            TRY(block_run(self, call, &blocks->blocks[b], rows, count, err));
        }
    }
    return E_OK;
}

enum code loop_run(struct loop *self, const struct loop_call *call, bool *done, struct error *err)
{
    struct rejects failed = {0};
    enum code code = evaluator_run(self->stream_evaluator, call->session, call->in, self->parts, &failed, err);
    *done = code == E_OK && failed.count == 0 && values_are_short(self, call->in->rows);
    if (*done)
        code = rows_run(self, call, err);
    for (int32_t i = 0; i < self->counts[STREAM]; i++)
        column_release(&self->parts[i]);
    rejects_free(&failed);
    return code;
}

/* lookup.c - join a stream's batches with rows that stand still.
 *
 * Per batch: keys and the stream's own part of ON as columns; rows that may match walk the chain of their key and
 * become pairs; full blocks of pairs are put side by side, the rest of ON is computed over them, and what holds goes
 * on. Without a key, ON is computed before pairs are put side by side (lookup_loop.h). Which stream rows found a match is
 * remembered as bits: LEFT, SEMI and ANTI are decided at the end of the batch.
 *
 * Ledger   in + exploded = out + filtered + rejected: a row with n matches is 1 in, n - 1 exploded, n out. One of that
 *          nothing goes on is filtered, whatever the others of its batch do
 */
#include "operator/lookup_table.h"

#include "base/hash.h"
#include "base/stop_watch.h"

/* Steps of the rest of ON, in rejects: behind those of keys and stream_only. */
enum { CONDITION_FIRST_STEP = LOOP_FIRST_STEP / 2 };

struct lookup {
    struct lookup_spec spec;
    struct program *program, *condition; /* keys and stream_only; the rest of ON, or NULL */
    struct loop *loop;                   /* the rest of ON in blocks of pairs, or NULL */
    struct evaluator *evaluator, *condition_evaluator;
    struct column *roots;
    int32_t root_count;
    const struct type *pair_schema; /* both sides, as `condition` reads them */
    struct text key_text;
    int32_t *offsets;
    uint64_t *hashes;
    int64_t capacity;
    uint8_t *wanted, *matched;         /* bits per input row */
    int32_t *stream_rows, *still_rows; /* of the pairs */
    int64_t pair_count;
    int32_t last_row; /* of the pair numbered last, -1 before a batch's first */
    int64_t last_match;
    struct selection kept;
};

/* One batch at work. */
struct probe {
    struct lookup *self;
    const struct lookup_table *table;
    const struct session *session;
    const struct batch *in;
    struct rejects *rejects;
    struct operator_counts *counts;
    const struct emit *emit;
    int64_t out;
    bool decided; /* the rest of ON holds for all pairs */
};

static const struct type *pair_schema(struct arena *arena, const struct lookup_spec *spec)
{
    const struct type *first = spec->still_first ? spec->still_schema : spec->stream_schema;
    const struct type *second = spec->still_first ? spec->stream_schema : spec->still_schema;
    struct field *fields = arena_array(arena, struct field, (size_t)(first->field_count + second->field_count));
    for (int32_t i = 0; i < first->field_count; i++)
        fields[i] = first->fields[i];
    for (int32_t i = 0; i < second->field_count; i++)
        fields[first->field_count + i] = second->fields[i];
    return type_struct(arena, fields, first->field_count + second->field_count);
}

enum code lookup_new(struct arena *arena, const struct lookup_spec *spec, struct lookup **out, struct error *err)
{
    struct lookup *self = arena_new(arena, struct lookup);
    self->spec = *spec;
    self->root_count = spec->key_count + (spec->stream_only != NULL);
    const struct expr **exprs = arena_array(arena, const struct expr *, (size_t)self->root_count + 1);
    for (int32_t k = 0; k < spec->key_count; k++)
        exprs[k] = spec->stream_keys[k];
    exprs[spec->key_count] = spec->stream_only;
    TRY(program_compile(arena, exprs, self->root_count, &self->program, err));
    if (spec->condition != NULL)
        TRY(program_compile(arena, &spec->condition, 1, &self->condition, err));
    TRY(loop_new(arena, spec, &self->loop, err));
    self->pair_schema = pair_schema(arena, spec);
    self->evaluator = evaluator_new(self->program);
    if (self->condition != NULL)
        self->condition_evaluator = evaluator_new(self->condition);
    self->roots = mem_array(struct column, (size_t)self->root_count);
    self->stream_rows = mem_array(int32_t, BATCH_ROWS_MAX);
    self->still_rows = mem_array(int32_t, BATCH_ROWS_MAX);
    *out = self;
    return E_OK;
}

void lookup_free(struct lookup *self)
{
    if (self == NULL)
        return;
    evaluator_free(self->evaluator);
    evaluator_free(self->condition_evaluator);
    loop_free(self->loop);
    mem_free(self->roots);
    mem_free(self->stream_rows);
    mem_free(self->still_rows);
    text_free(&self->key_text);
    mem_free(self->offsets);
    mem_free(self->hashes);
    mem_free(self->wanted);
    mem_free(self->matched);
    selection_free(&self->kept);
}

struct position lookup_position(const struct lookup *self, int32_t step)
{
    if (step >= LOOP_FIRST_STEP)
        return loop_position(self->loop, step);
    if (step >= CONDITION_FIRST_STEP)
        return program_step_position(self->condition, step - CONDITION_FIRST_STEP);
    return program_step_position(self->program, step);
}

/* ---- pairs ---- */

static bool keeps_pairs(const struct lookup *self)
{
    return self->spec.type == JOIN_TYPE_INNER || self->spec.type == JOIN_TYPE_LEFT;
}

/* `still` NULL: the stream's rows with NULLs beside them. */
static void side_by_side(const struct lookup *self, const struct batch *in, const int32_t *stream_rows,
                         const struct batch *still, const int32_t *still_rows, int64_t count, const struct type *schema,
                         struct batch *out)
{
    struct batch stream = {0};
    int32_t still_at = self->spec.still_first ? 0 : in->column_count;
    int32_t stream_at = self->spec.still_first ? self->spec.still_schema->field_count : 0;
    batch_gather(&stream, in, stream_rows, count);
    batch_init(out, schema, count);
    for (int32_t c = 0; c < in->column_count; c++)
        out->columns[stream_at + c] = column_take(&stream.columns[c]);
    for (int32_t c = 0; c < self->spec.still_schema->field_count; c++) {
        if (still != NULL)
            column_gather(&out->columns[still_at + c], &still->columns[c], still_rows, count);
        else
            column_all_null(&out->columns[still_at + c], self->spec.still_schema->fields[c].type, count);
    }
    batch_share_origin(out, &stream);
    batch_release(&stream);
}

/* A row's matches stand together, but may be spread over several blocks. `rows` are all of this block; of rows without any
 * match there is one each. */
static void rows_number(struct lookup *self, struct batch *rows, bool matched)
{
    int64_t match = self->last_match;
    if (rows->source == NULL)
        return;
    struct buffer *places = buffer_new((size_t)rows->rows * sizeof(int64_t));
    for (int64_t i = 0; i < rows->rows; i++) {
        if (matched) {
            match = self->stream_rows[i] == self->last_row ? match + 1 : 0;
            self->last_row = self->stream_rows[i];
        }
        ((int64_t *)(void *)places->data)[i] = lineage_match(batch_place(rows, i), matched ? match : 0);
    }
    self->last_match = match;
    buffer_release(rows->place);
    rows->place = places;
}

static enum code send(struct probe *probe, struct batch *out, struct error *err)
{
    probe->out += out->rows;
    return out->rows == 0 ? E_OK : probe->emit->batch(probe->emit->context, out, err);
}

/* Of the pairs those that the rest of ON holds for. A pair that it fails for costs the stream's row its place. */
static enum code pairs_filter(struct probe *probe, struct batch *pairs, struct error *err)
{
    struct lookup *self = probe->self;
    struct column condition = {0};
    struct rejects failed = {0};
    TRY(evaluator_run(self->condition_evaluator, probe->session, pairs, &condition, &failed, err));
    loop_reject(&failed, CONDITION_FIRST_STEP, self->stream_rows, self->wanted, probe->rejects);
    rejects_free(&failed);
    selection_true(&self->kept, &condition);
    column_release(&condition);
    if (self->kept.count == pairs->rows)
        return E_OK;
    struct batch kept = {0};
    batch_gather(&kept, pairs, self->kept.rows, self->kept.count);
    for (int64_t i = 0; i < self->kept.count; i++)
        self->stream_rows[i] = self->stream_rows[self->kept.rows[i]];
    batch_release(pairs);
    *pairs = kept;
    return E_OK;
}

static bool columns_fit(const struct batch *rows, const int32_t *picked, int64_t count)
{
    for (int32_t c = 0; c < rows->column_count; c++)
        if (rows->columns[c].type != NULL && !column_gather_fits(&rows->columns[c], picked, count))
            return false;
    return true;
}

/* How many of the pairs one batch may hold: long texts stand in it once a pair. */
static int64_t pairs_that_fit(const struct probe *probe)
{
    const struct lookup *self = probe->self;
    int64_t count = self->pair_count;
    while (count > 1 && (!columns_fit(probe->in, self->stream_rows, count) ||
                         !columns_fit(&probe->table->rows, self->still_rows, count)))
        count /= 2;
    return count;
}

static enum code pairs_send(struct probe *probe, int64_t count, struct error *err)
{
    struct lookup *self = probe->self;
    struct batch pairs = {0};
    const struct type *schema = keeps_pairs(self) ? self->spec.schema : self->pair_schema;
    side_by_side(self, probe->in, self->stream_rows, &probe->table->rows, self->still_rows, count, schema, &pairs);
    if (keeps_pairs(self))
        rows_number(self, &pairs, true);
    enum code code = self->condition == NULL || probe->decided ? E_OK : pairs_filter(probe, &pairs, err);
    for (int64_t i = 0; code == E_OK && i < pairs.rows; i++)
        bit_set(self->matched, self->stream_rows[i]);
    if (code == E_OK && keeps_pairs(self))
        code = send(probe, &pairs, err);
    batch_release(&pairs);
    return code;
}

static enum code pairs_flush(struct probe *probe, struct error *err)
{
    struct lookup *self = probe->self;
    while (self->pair_count > 0) {
        TRY(stop_check(self->pair_count, err));
        int64_t count = pairs_that_fit(probe), rest = self->pair_count - count;
        TRY(pairs_send(probe, count, err));
        memmove(self->stream_rows, self->stream_rows + count, (size_t)rest * sizeof *self->stream_rows);
        memmove(self->still_rows, self->still_rows + count, (size_t)rest * sizeof *self->still_rows);
        self->pair_count = rest;
    }
    return E_OK;
}

/* Of a loop: ON holds for them. */
static enum code pairs_take(void *context, const int32_t *stream_rows, const int32_t *still_rows, int64_t count,
                            struct error *err)
{
    struct probe *probe = context;
    struct lookup *self = probe->self;
    for (int64_t i = 0; i < count && !keeps_pairs(self); i++)
        bit_set(self->matched, stream_rows[i]);
    for (int64_t i = 0; i < count && keeps_pairs(self); i++) {
        self->stream_rows[self->pair_count] = stream_rows[i];
        self->still_rows[self->pair_count++] = still_rows[i];
        if (self->pair_count == BATCH_ROWS_MAX)
            TRY(pairs_flush(probe, err));
    }
    return E_OK;
}

/* SEMI and ANTI without a further condition only ask whether there is a match. */
static enum code row_probe(struct probe *probe, int64_t row, uint32_t first, struct error *err)
{
    struct lookup *self = probe->self;
    if (!keeps_pairs(self) && self->condition == NULL) {
        if (first != LOOKUP_END)
            bit_set(self->matched, row);
        return E_OK;
    }
    for (uint32_t still = first; still != LOOKUP_END; still = probe->table->next[still]) {
        self->stream_rows[self->pair_count] = (int32_t)row;
        self->still_rows[self->pair_count++] = (int32_t)still;
        if (self->pair_count == BATCH_ROWS_MAX)
            TRY(pairs_flush(probe, err));
    }
    return E_OK;
}

/* ---- rows ---- */

static void reserve(struct lookup *self, int64_t rows)
{
    if (rows > self->capacity) {
        self->offsets = mem_resize(self->offsets, (size_t)(rows + 1) * sizeof *self->offsets);
        self->hashes = mem_resize(self->hashes, (size_t)rows * sizeof *self->hashes);
        self->wanted = mem_resize(self->wanted, bit_bytes(rows));
        self->matched = mem_resize(self->matched, bit_bytes(rows));
        self->capacity = rows;
    }
    bit_fill(self->matched, rows, 0);
    self->pair_count = 0;
    self->last_row = -1;
}

static bool row_seeks(const struct lookup *self, int64_t row)
{
    const struct lookup_spec *spec = &self->spec;
    const struct column *only = spec->stream_only != NULL ? &self->roots[spec->key_count] : NULL;
    return bit_get(self->wanted, row) &&
           (only == NULL || (column_valid_at(only, row) && bit_get(only->values->data, row))) &&
           !lookup_key_null(self->roots, spec->key_count, spec->null_safe, row);
}

static enum code rows_loop(struct probe *probe, bool *done, struct error *err)
{
    struct lookup *self = probe->self;
    mem_grow(self->kept.rows, self->kept.capacity, probe->in->rows);
    self->kept.count = 0;
    for (int64_t row = 0; row < probe->in->rows; row++) {
        self->kept.rows[self->kept.count] = (int32_t)row;
        self->kept.count += row_seeks(self, row);
    }
    const struct loop_call call = {.blocks = &probe->table->loop,
                                   .session = probe->session,
                                   .in = probe->in,
                                   .rows = &self->kept,
                                   .wanted = self->wanted,
                                   .matched = keeps_pairs(self) ? NULL : self->matched,
                                   .rejects = probe->rejects,
                                   .pairs = pairs_take,
                                   .context = probe};
    probe->decided = true;
    TRY(loop_run(self->loop, &call, done, err));
    TRY(pairs_flush(probe, err));
    probe->decided = false;
    return E_OK;
}

static enum code rows_probe(struct probe *probe, struct error *err)
{
    struct lookup *self = probe->self;
    const struct lookup_spec *spec = &self->spec;
    bool done = false;
    if (self->loop != NULL && probe->table->loop.count > 0)
        TRY(rows_loop(probe, &done, err));
    if (done)
        return E_OK;
    text_clear(&self->key_text);
    if (spec->key_count > 0)
        state_key_encode(self->roots, spec->key_count, probe->in->rows, &self->key_text, self->offsets, self->hashes);
    for (int64_t row = 0; row < probe->in->rows; row++) {
        if (!row_seeks(self, row))
            continue;
        struct bytes key = {0};
        if (spec->key_count > 0)
            key = bytes_of(self->key_text.data + self->offsets[row],
                           (size_t)(self->offsets[row + 1] - self->offsets[row]));
        TRY(row_probe(probe, row,
                      spec->key_count > 0 ? lookup_first(probe->table, key, self->hashes[row]) : probe->table->first,
                      err));
    }
    return pairs_flush(probe, err);
}

/* NOT IN: beside any NULL nothing is sure to be absent. */
static bool surely_absent(const struct probe *probe, int64_t row)
{
    const struct lookup *self = probe->self;
    if (!self->spec.null_aware || probe->table->empty)
        return true;
    return !probe->table->has_null && !lookup_key_null(self->roots, self->spec.key_count, NULL, row);
}

/* Whether rows of this one go on, if no expression fails for it. */
static bool goes_on(const struct probe *probe, int64_t row)
{
    const struct lookup *self = probe->self;
    bool matched = bit_get(self->matched, row);
    switch (self->spec.type) {
    case JOIN_TYPE_LEFT: return true;
    case JOIN_TYPE_ANTI: return !matched && surely_absent(probe, row);
    default: return matched;
    }
}

/* Rows that go on because they found a match (SEMI), or because they found none (LEFT, ANTI). */
static enum code rows_decide(struct probe *probe, struct error *err)
{
    struct lookup *self = probe->self;
    enum join_type type = self->spec.type;
    if (type == JOIN_TYPE_INNER)
        return E_OK;
    mem_grow(self->kept.rows, self->kept.capacity, probe->in->rows);
    self->kept.count = 0;
    for (int64_t row = 0; row < probe->in->rows; row++) {
        bool matched = bit_get(self->matched, row), wanted = bit_get(self->wanted, row);
        self->kept.rows[self->kept.count] = (int32_t)row;
        self->kept.count += wanted && (type == JOIN_TYPE_LEFT ? !matched : goes_on(probe, row));
    }
    struct batch out = {0};
    if (self->kept.count == 0)
        return E_OK;
    if (type == JOIN_TYPE_LEFT)
        side_by_side(self, probe->in, self->kept.rows, NULL, NULL, self->kept.count, self->spec.schema, &out);
    if (type == JOIN_TYPE_LEFT)
        rows_number(self, &out, false);
    else
        batch_gather(&out, probe->in, self->kept.rows, self->kept.count);
    enum code code = send(probe, &out, err);
    batch_release(&out);
    return code;
}

static void count(struct probe *probe, int64_t rejected)
{
    const struct lookup *self = probe->self;
    struct operator_counts *counts = probe->counts;
    int64_t rows = probe->in->rows, filtered = 0;
    for (int64_t row = 0; row < rows && self->spec.type != JOIN_TYPE_LEFT; row++) {
        bool gone = bit_get(self->wanted, row) && !goes_on(probe, row);
        filtered += gone;
        if (gone && counts->fates != NULL)
            counts->fates[row] = ROW_FILTERED;
    }
    counts->in += rows;
    counts->out += probe->out;
    counts->rejected += rejected;
    counts->filtered += filtered;
    counts->exploded += probe->out + rejected + filtered - rows;
}

enum code lookup_batch(struct lookup *self, const struct lookup_table *table, const struct session *session,
                       const struct batch *in, struct rejects *rejects, struct operator_counts *counts,
                       const struct emit *emit, struct error *err)
{
    struct probe probe = {
        .self = self, .table = table, .session = session, .in = in, .rejects = rejects, .counts = counts, .emit = emit};
    int32_t rejected_before = rejects->count;
    if (in->rows == 0)
        return E_OK;
    TRY(evaluator_run(self->evaluator, session, in, self->roots, rejects, err));
    reserve(self, in->rows);
    unrejected_bits(self->wanted, in->rows, rejects, rejected_before);
    enum code code = rows_probe(&probe, err);
    if (code == E_OK)
        code = rows_decide(&probe, err);
    for (int32_t i = 0; i < self->root_count; i++)
        column_release(&self->roots[i]);
    if (code == E_OK)
        count(&probe, rejects->count - rejected_before);
    return code;
}

/* evaluate.c - executes a program over a batch: registers, the buffer pool, rejects.
 *
 * Register  `col` is where the value is: the input's column, a literal, a field of another register, or `own`.
 *           step 0: one row stands for all. Constants that nothing can change are computed once and kept
 * Pool      buffers of registers that died are used for later ones while they are still warm in the cache
 * Rejects   once per row and run: `rejected` has the bits
 * Room      what does not fit (data/room.h) is computed again with fewer rows: by whoever watches, or else here
 */
#include "base/hash.h"
#include "base/stop_watch.h"
#include "expr/coerce.h"
#include "expr/lambda.h"
#include "expr/loop.h"
#include "expr/program.h"
#include "expr/writer.h"

enum { POOL_BUFFERS = 32, POOL_BYTES_MAX = 8 * 1024 * 1024, NOTED_BYTES = 100 };

struct slot {
    const struct column *col;
    int64_t step;
    struct column own;
    bool kept; /* a constant: survives the run */
};
struct evaluator {
    const struct program *program;
    struct slot *slots;
    struct arg *args;
    struct buffer *pool[POOL_BUFFERS];
    int32_t pool_count;
    size_t pool_bytes;
    struct buffer *rejected; /* bits, made when the first row is rejected */
    const struct session *session;
    const struct batch *in;
    struct rejects *rejects;
    struct call_memory *memories; /* per step, made when first asked for */
};
struct call_memory {
    void *data;
    size_t size_bytes;
};

/* ---- memory ---- */

struct buffer *call_buffer(struct call *call, size_t size)
{
    struct evaluator *self = call->evaluator;
    for (int32_t i = self->pool_count - 1; i >= 0; i--) {
        struct buffer *buffer = self->pool[i];
        if (buffer->capacity < size || buffer->capacity / 8 > size + 4096)
            continue; // too small, or a waste
        self->pool[i] = self->pool[--self->pool_count];
        self->pool_bytes -= buffer->capacity;
        buffer->size = size;
        return buffer;
    }
    return buffer_new(size);
}

static void pool_put(struct evaluator *self, struct buffer *buffer)
{
    if (buffer == NULL)
        return;
    if (self->pool_count == POOL_BUFFERS || buffer->release != NULL ||
        self->pool_bytes + buffer->capacity > POOL_BYTES_MAX ||
        atomic_load_explicit(&buffer->count, memory_order_acquire) != 1) {
        buffer_release(buffer);
        return;
    }
    self->pool_bytes += buffer->capacity;
    self->pool[self->pool_count++] = buffer;
}

void call_free(struct call *call, struct buffer *buffer) { pool_put(call->evaluator, buffer); }

void *call_memory(struct call *call, size_t size)
{
    struct evaluator *self = call->evaluator;
    if (self->memories == NULL)
        self->memories = mem_array(struct call_memory, (size_t)self->program->step_count);
    struct call_memory *memory = &self->memories[call->step];
    if (memory->data == NULL)
        *memory = (struct call_memory){mem_zero(size), size};
    return memory->data;
}

static void memories_free(struct call_memory *memories, int32_t count)
{
    for (int32_t i = 0; memories != NULL && i < count; i++)
        mem_free(memories[i].data);
    mem_free(memories);
}

/* What goes on from batch to batch, as it is before a run that may have to be done again. NULL: nothing. */
static struct call_memory *memories_copy(const struct evaluator *self)
{
    if (self->memories == NULL)
        return NULL;
    struct call_memory *copies = mem_array(struct call_memory, (size_t)self->program->step_count);
    for (int32_t i = 0; i < self->program->step_count; i++)
        if (self->memories[i].data != NULL) {
            copies[i] = (struct call_memory){mem_alloc(self->memories[i].size_bytes), self->memories[i].size_bytes};
            memcpy(copies[i].data, self->memories[i].data, copies[i].size_bytes);
        }
    return copies;
}

static void memories_restore(struct evaluator *self, struct call_memory **copies)
{
    memories_free(self->memories, self->program->step_count);
    self->memories = *copies;
    *copies = NULL;
}

uint64_t call_origin(const struct call *call)
{
    const struct batch *in = call->evaluator->in;
    if (in->source == NULL || in->source->offset.rows == 0)
        return 0;
    int64_t record = batch_origin(in, 0);
    uint64_t hash =
        hash_mix((uint64_t)batch_slot(in, 0) + 1, (uint64_t)column_values(&in->source->offset, int64_t)[record]);
    return hash_mix(hash, (uint64_t)batch_place(in, 0));
}

static void slot_clear(struct evaluator *self, struct slot *slot)
{
    if (slot->own.child_count == 0) {
        pool_put(self, slot->own.values);
        pool_put(self, slot->own.offsets);
        pool_put(self, slot->own.valid);
    } else {
        column_release(&slot->own);
    }
    *slot = (struct slot){0};
}

/* ---- what kernels may call ---- */

uint8_t *call_validity(struct call *call)
{
    struct column *out = call->out;
    size_t size = bit_bytes(call->rows);
    if (out->valid != NULL && atomic_load_explicit(&out->valid->count, memory_order_relaxed) == 1)
        return out->valid->data;
    struct buffer *valid = call_buffer(call, size);
    if (out->valid != NULL)
        memcpy(valid->data, out->valid->data, size);
    else
        bit_fill(valid->data, call->rows, 1);
    buffer_release(out->valid);
    out->valid = valid;
    return valid->data;
}

void call_null(struct call *call, int64_t row)
{
    bit_clear(call_validity(call), row);
    call->out->nulls = -1;
}

/* A long or hostile text is not for a message as it is. */
static void add_shown(struct text *out, struct bytes value)
{
    size_t size = value.size < NOTED_BYTES ? value.size : NOTED_BYTES;
    while (size < value.size && size > 0 && ((unsigned char)value.data[size] & 0xC0) == 0x80)
        size--; // not within a character
    for (size_t i = 0; i < size; i++)
        text_add_char(out, (unsigned char)value.data[i] < 0x20 ? '?' : (char)value.data[i]);
    if (size < value.size)
        text_add_string(out, "..");
}

/* The text that argument `arg` has in the row, while it is still there; false: nobody asks for it. */
static bool note_begin(struct evaluator *self, int64_t row, int32_t step, int32_t arg, struct text *value)
{
    struct reject_note *note = self->rejects->note;
    const struct step *of = &self->program->steps[step];
    if (of->expr->args[arg]->type->id != TYPE_STRING || (note->text.size > 0 && note->row <= row))
        return false;
    const struct slot *slot = &self->slots[of->args[arg]];
    column_print(slot->col, slot->step == 0 ? 0 : row, value);
    text_clear(&note->text);
    note->row = (int32_t)row;
    note->step = step;
    return true;
}

/* What a cast of text could not read. */
static void note_cast(struct evaluator *self, int64_t row, int32_t step)
{
    struct reject_note *note = self->rejects->note;
    const struct step *of = &self->program->steps[step];
    struct text value = {0};
    if (of->expr == NULL || of->expr->kind != EXPR_CAST || !note_begin(self, row, step, 0, &value))
        return;
    text_add_string(&note->text, "The value '");
    add_shown(&note->text, text_view(&value));
    text_add_string(&note->text, "' of the type \"STRING\" cannot be cast to \"");
    type_print_sql(of->expr->type, &note->text);
    text_add_string(&note->text, "\" because it is malformed; try_cast gives NULL instead");
    text_free(&value);
}

/* The own words of raise_error and assert_true: their last argument, when it is a text. */
static void note_raised(struct evaluator *self, int64_t row, int32_t step)
{
    const struct step *of = &self->program->steps[step];
    struct text value = {0};
    if (of->expr == NULL || of->expr->kind != EXPR_CALL ||
        !note_begin(self, row, step, of->expr->arg_count - 1, &value))
        return;
    add_shown(&self->rejects->note->text, text_view(&value));
    text_free(&value);
}

static void reject_row(struct evaluator *self, int64_t row, int32_t step, enum reject_code code)
{
    if (self->rejected == NULL)
        self->rejected = buffer_zero(bit_bytes(self->in->rows));
    if (bit_get(self->rejected->data, row))
        return;
    bit_set(self->rejected->data, row);
    if (code == REJECT_CAST && self->rejects->note != NULL)
        note_cast(self, row, step);
    if (code == REJECT_RAISED && self->rejects->note != NULL)
        note_raised(self, row, step);
    rejects_add(self->rejects, row, step, code);
}

/* What ANSI mode alone calls an error. */
static bool is_ansi_error(enum reject_code code)
{
    switch (code) {
    case REJECT_CAST:
    case REJECT_CAST_OVERFLOW:
    case REJECT_ARITHMETIC_OVERFLOW:
    case REJECT_NUMERIC_RANGE:
    case REJECT_NUMERIC_SUPPORTED:
    case REJECT_DIVIDE_BY_ZERO:
    case REJECT_REMAINDER_BY_ZERO:
    case REJECT_ARRAY_INDEX:
    case REJECT_ELEMENT_INDEX:
    case REJECT_SHORT_OVERFLOW:
    case REJECT_MAP_KEY:
    case REJECT_DATETIME:
    case REJECT_URL:
    case REJECT_FIELD_BOUNDS:
    case REJECT_FIELD_BOUNDS_PLAIN:
    case REJECT_SECOND_FRACTION:
    case REJECT_WEEKDAY: return true;
    default: return false;
    }
}

/* Without ANSI whole numbers wrap: the kernels have put the low bits there already. */
static bool wraps(const struct call *call, enum reject_code code)
{
    return (code == REJECT_ARITHMETIC_OVERFLOW || code == REJECT_SHORT_OVERFLOW || code == REJECT_CAST_OVERFLOW) &&
           type_is_integer(call->out->type);
}

void call_reject(struct call *call, int64_t row, enum reject_code code)
{
    if (!call_valid(call, row))
        return;
    if (code == REJECT_TOO_BIG && column_room.watched && call->evaluator->in->rows > 1) {
        room_pass(); // fewer rows may fit
        call_null(call, row);
        return;
    }
    if (!call->quiet && !call->strict && !call->session->ansi && is_ansi_error(code)) {
        if (!wraps(call, code))
            call_null(call, row);
        return;
    }
    call_null(call, row);
    call->noted = code;
    call->failed = true;
    if (call->quiet || call->nested)
        return;
    int64_t from = call->constant ? 0 : row, to = call->constant ? call->evaluator->in->rows : row + 1;
    for (int64_t i = from; i < to; i++)
        if (call->active == NULL || bit_get(call->active, i))
            reject_row(call->evaluator, i, call->step, code);
}

/* ---- validity ---- */

static const uint64_t *valid_words(const struct column *col)
{
    return (const uint64_t *)(const void *)col->valid->data;
}

/* out->valid = rows where no argument is NULL. Constants that are NULL never get here. */
static void combine_validity(struct call *call, const struct arg *args, int32_t count, struct column *out)
{
    const struct column *first = NULL;
    struct buffer *both = NULL;
    for (int32_t i = 0; i < count; i++) {
        const struct column *col = args[i].col;
        if (args[i].step == 0 || col->valid == NULL || col == first || (first != NULL && col->valid == first->valid))
            continue;
        if (first == NULL) {
            first = col;
            continue;
        }
        const uint64_t *a = both != NULL ? (const uint64_t *)(const void *)both->data : valid_words(first);
        const uint64_t *b = valid_words(col);
        if (both == NULL)
            both = call_buffer(call, bit_bytes(call->rows));
        uint64_t *r = (uint64_t *)(void *)both->data;
        for (int64_t w = 0; w * 64 < call->rows; w++)
            r[w] = a[w] & b[w];
    }
    out->valid = both != NULL ? both : first != NULL ? buffer_retain(first->valid) : NULL;
    out->nulls = out->valid == NULL ? 0 : -1;
}

static bool constant_null(const struct arg *args, int32_t count)
{
    for (int32_t i = 0; i < count; i++)
        if ((args[i].step == 0 && column_is_null(args[i].col, 0)) || args[i].col->type->id == TYPE_NULL)
            return true;
    return false;
}

/* ---- steps ---- */

static void prepare_values(struct call *call, struct column *out)
{
    size_t width = (size_t)type_width(out->type);
    if (out->type->id == TYPE_BOOLEAN)
        out->values = call_buffer(call, bit_bytes(call->rows));
    else if (width > 0)
        out->values = call_buffer(call, (size_t)call->rows * width);
}

static void run_null(struct slot *slot, const struct type *type)
{
    column_all_null(&slot->own, type, 1);
    slot->step = 0;
}

static void run_call(struct call *call, const struct expr *expr, const struct arg *args, struct slot *slot)
{
    const struct function *function = expr->function;
    bool nulls_too = (function->flags & FN_NULLS) != 0;
    // What a lambda captures may be NULL: only the lists themselves decide.
    int32_t deciding = (function->flags & FN_LAMBDA) != 0 ? lambda_value_count(expr) : expr->arg_count;
    if (!nulls_too && constant_null(args, deciding)) {
        run_null(slot, expr->type);
        return;
    }
    call->quiet = (function->flags & FN_TRY) != 0;
    if (!nulls_too)
        combine_validity(call, args, deciding, call->out);
    prepare_values(call, call->out);
    function->run(call, args, call->out);
}

static void run_cast(struct call *call, const struct expr *expr, const struct arg *arg, struct slot *slot)
{
    if (constant_null(arg, 1)) {
        run_null(slot, expr->type);
        return;
    }
    call->quiet = expr->try_cast;
    cast_run(call, arg, expr->try_cast, call->out);
}

static void run_case(struct call *call, const struct arg *args, int32_t count)
{
    prepare_values(call, call->out);
    case_run(call, args, count, call->out);
}

/* A field of an ARRAY<STRUCT>: the same lists over the field's column. */
static void run_field_of_list(const struct expr *expr, const struct column *list, struct slot *slot)
{
    struct column *out = &slot->own;
    *out = (struct column){.type = expr->type,
                           .rows = list->rows,
                           .nulls = list->nulls,
                           .valid = buffer_retain(list->valid),
                           .offsets = buffer_retain(list->offsets),
                           .children = mem_new(struct column),
                           .child_count = 1};
    column_share(&out->children[0], &list->children[0].children[expr->index]);
    slot->col = out;
}

static void run_field(const struct expr *expr, const struct arg *of, struct slot *slot)
{
    slot->step = of->step;
    if (of->col->type->id == TYPE_ARRAY)
        run_field_of_list(expr, of->col, slot);
    else
        slot->col = &of->col->children[expr->index];
}

/* The program's answer has one row only when nothing in it differs from row to row. */
static bool is_constant(const struct expr *expr, const struct arg *args, int32_t count)
{
    if (expr->kind == EXPR_CALL && (expr->function->flags & FN_PER_ROW) != 0)
        return false;
    for (int32_t i = 0; i < count; i++)
        if (args[i].step != 0)
            return false;
    return true;
}

static void run_node(struct evaluator *self, const struct step *step, const struct arg *args, struct slot *slot)
{
    const struct expr *expr = step->expr;
    bool constant = is_constant(expr, args, step->arg_count);
    struct call call = {
        .type = expr->type,
        .args = expr->args,
        .arg_count = expr->arg_count,
        .bound = expr->bound,
        .session = self->session,
        .rows = constant ? 1 : self->in->rows,
        .out = &slot->own,
        .evaluator = self,
        .active = step->mask >= 0 ? self->slots[step->mask].own.values->data : NULL,
        .step = (int32_t)(step - self->program->steps),
        .constant = constant,
    };
    int32_t rejects_before = self->rejects->count;
    slot->step = constant ? 0 : 1;
    slot->col = &slot->own;
    slot->own = (struct column){.type = expr->type, .rows = call.rows};
    if (expr->kind == EXPR_CALL)
        run_call(&call, expr, args, slot);
    else if (expr->kind == EXPR_CAST)
        run_cast(&call, expr, args, slot);
    else
        run_case(&call, args, step->arg_count);
    if (expr->type->id == TYPE_NULL) {
        buffer_release(slot->own.valid);
        slot->own.valid = NULL;
    }
    slot->own.type = expr->type;
    slot->own.nulls = slot->own.valid == NULL && expr->type->id != TYPE_NULL ? 0 : -1;
    slot->kept = constant && step->mask < 0 && self->rejects->count == rejects_before && expr_is_constant(expr);
}

/* ---- masks ---- */

static uint64_t mask_word(enum step_kind kind, uint64_t truth, uint64_t valid)
{
    switch (kind) {
    case STEP_MASK_TRUE: return truth & valid;
    case STEP_MASK_NOT_TRUE: return ~(truth & valid);
    case STEP_MASK_NOT_FALSE: return truth | ~valid;
    case STEP_MASK_NOT_NULL: return valid;
    default: return ~valid;
    }
}

static void run_mask(struct evaluator *self, const struct step *step, const struct arg *condition, struct slot *slot)
{
    struct call call = {.rows = self->in->rows, .evaluator = self};
    slot->own.values = call_buffer(&call, bit_bytes(call.rows));
    slot->col = &slot->own;
    slot->step = 1;
    const struct column *col = condition->col;
    bool boolean = col->type->id == TYPE_BOOLEAN, fixed = condition->step == 0;
    uint64_t fixed_truth = fixed && boolean && bit_get(col->values->data, 0) ? ~(uint64_t)0 : 0;
    uint64_t fixed_valid = column_is_null(col, 0) ? 0 : ~(uint64_t)0;
    const uint64_t *truth = fixed || !boolean ? NULL : column_values(col, const uint64_t);
    const uint64_t *valid = col->valid == NULL ? NULL : valid_words(col);
    const uint64_t *parent = step->mask < 0 ? NULL : column_values(&self->slots[step->mask].own, const uint64_t);
    uint64_t *r = column_values(&slot->own, uint64_t);
    for (int64_t w = 0; w * 64 < call.rows; w++) {
        uint64_t t = truth != NULL ? truth[w] : fixed_truth;
        uint64_t v = fixed || col->type->id == TYPE_NULL ? fixed_valid : valid != NULL ? valid[w] : ~(uint64_t)0;
        r[w] = mask_word(step->kind, t, v) & (parent != NULL ? parent[w] : ~(uint64_t)0);
    }
}

/* ---- running ---- */

static void run_step(struct evaluator *self, int32_t index)
{
    const struct step *step = &self->program->steps[index];
    struct slot *slot = &self->slots[index];
    if (slot->kept)
        return;
    for (int32_t i = 0; i < step->arg_count; i++)
        self->args[i] = (struct arg){self->slots[step->args[i]].col, self->slots[step->args[i]].step};
    if (step->kind != STEP_EXPR) {
        run_mask(self, step, self->args, slot);
        return;
    }
    switch (step->expr->kind) {
    case EXPR_COLUMN:
        always(step->expr->index < self->in->column_count);
        slot->col = &self->in->columns[step->expr->index];
        slot->step = 1;
        break;
    case EXPR_LITERAL:
        slot->col = step->expr->literal;
        slot->step = 0;
        break;
    case EXPR_FIELD: run_field(step->expr, self->args, slot); break;
    default: run_node(self, step, self->args, slot);
    }
}

static void free_dead(struct evaluator *self, int32_t index)
{
    const struct step *step = &self->program->steps[index];
    for (int32_t i = 0; i < step->arg_count; i++) {
        int32_t arg = step->args[i];
        if (self->program->steps[arg].last_use == index && !self->slots[arg].kept)
            slot_clear(self, &self->slots[arg]);
    }
    if (step->mask >= 0 && self->program->steps[step->mask].last_use == index)
        slot_clear(self, &self->slots[step->mask]);
}

/* One row to `rows` equal ones. */
static void column_repeat(struct evaluator *self, int32_t step, struct column *out, const struct column *one,
                          int64_t rows)
{
    struct call call = {.rows = rows, .evaluator = self};
    struct buffer *zeros = call_buffer(&call, (size_t)rows * sizeof(int32_t));
    memset(zeros->data, 0, (size_t)rows * sizeof(int32_t));
    if (column_gather_fits(one, (const int32_t *)(const void *)zeros->data, rows)) {
        column_gather(out, one, (const int32_t *)(const void *)zeros->data, rows);
    } else {
        column_all_null(out, one->type, rows);
        if (rows > 1)
            room_pass(); // fewer may fit
        else
            reject_row(self, 0, step, REJECT_TOO_BIG);
    }
    pool_put(self, zeros);
}

/* What there is means nothing: it did not fit, or nobody waits for it any more. */
static bool left_off(int64_t steps) { return room_full() || stop_asked(steps); }

static void take_root(struct evaluator *self, int32_t root, struct column *out)
{
    if (left_off(0) || self->in->rows == 0) {
        column_all_null(out, self->program->steps[self->program->roots[root]].expr->type, self->in->rows);
        return;
    }
    struct slot *slot = &self->slots[self->program->roots[root]];
    if (slot->step == 0)
        column_repeat(self, self->program->roots[root], out, slot->col, self->in->rows);
    else
        column_share(out, slot->col);
}

/* All rows at once. When they do not fit, the flag of the room is up and the columns mean nothing. */
static void run_rows(struct evaluator *self, const struct batch *in, struct column *out, struct rejects *rejects)
{
    const struct program *program = self->program;
    int32_t rejects_before = rejects->count;
    struct call_memory *before = memories_copy(self);
    self->in = in;
    self->rejects = rejects;
    for (int32_t i = 0; in->rows > 0 && i < program->step_count && room_fits(0) && !left_off(in->rows); i++) {
        run_step(self, i);
        free_dead(self, i);
    }
    for (int32_t i = 0; i < program->root_count; i++)
        take_root(self, i, &out[i]);
    for (int32_t i = 0; i < program->step_count; i++)
        if (!self->slots[i].kept || left_off(0))
            slot_clear(self, &self->slots[i]);
    buffer_release(self->rejected);
    self->rejected = NULL;
    if (room_full()) {
        rejects->count = rejects_before;
        memories_restore(self, &before);
    }
    memories_free(before, program->step_count);
}

static void run_watched(struct evaluator *self, const struct batch *in, struct column *out, struct rejects *rejects);

/* Rows that hold more than a column may: one, or those of a half that does not fit behind the other. */
static void reject_rows(struct evaluator *self, int64_t from, int64_t to, int32_t rejects_before, struct column *out,
                        struct rejects *rejects)
{
    struct buffer *known = buffer_zero(bit_bytes(to));
    for (int32_t i = rejects_before; i < rejects->count; i++)
        bit_set(known->data, rejects->items[i].row);
    for (int64_t row = from; row < to; row++)
        if (!bit_get(known->data, row))
            rejects_add(rejects, row, self->program->roots[0], REJECT_TOO_BIG);
    buffer_release(known);
    for (int32_t i = 0; i < self->program->root_count; i++)
        column_all_null(&out[i], self->program->steps[self->program->roots[i]].expr->type, to - from);
}

static void run_half(struct evaluator *self, const struct batch *in, int64_t from, int64_t to, struct column *out,
                     struct rejects *rejects)
{
    struct batch half;
    int32_t *rows = mem_array(int32_t, (size_t)(to - from)), rejects_before = rejects->count;
    for (int64_t i = from; i < to; i++)
        rows[i - from] = (int32_t)i;
    batch_gather(&half, in, rows, to - from);
    run_watched(self, &half, out, rejects);
    for (int32_t i = rejects_before; i < rejects->count; i++)
        rejects->items[i].row += (int32_t)from;
    batch_release(&half);
    mem_free(rows);
}

static void run_halves(struct evaluator *self, const struct batch *in, struct column *out, struct rejects *rejects)
{
    int32_t count = self->program->root_count, rejects_before = rejects->count;
    int64_t middle = in->rows / 2;
    struct column *more = mem_array(struct column, (size_t)count + 1);
    bool fits = true;
    run_half(self, in, 0, middle, out, rejects);
    run_half(self, in, middle, in->rows, more, rejects);
    for (int32_t i = 0; i < count; i++)
        fits = fits && column_range_bytes(&out[i], 0, middle) + column_range_bytes(&more[i], 0, in->rows - middle) <=
                           COLUMN_BYTES_MAX;
    for (int32_t i = 0; i < count && !fits; i++)
        column_release(&more[i]);
    if (!fits)
        reject_rows(self, middle, in->rows, rejects_before, more, rejects);
    for (int32_t i = 0; i < count; i++) {
        struct column whole = {0}; // the first half may be a column of the input
        column_append(&whole, &out[i], 0, middle);
        column_append(&whole, &more[i], 0, in->rows - middle);
        column_release(&out[i]);
        column_release(&more[i]);
        out[i] = whole;
    }
    mem_free(more);
}

/* Rows that do not fit in halves; one that does not is rejected. */
static void run_watched(struct evaluator *self, const struct batch *in, struct column *out, struct rejects *rejects)
{
    room_watch(0);
    run_rows(self, in, out, rejects);
    if (!room_unwatch())
        return;
    for (int32_t i = 0; i < self->program->root_count; i++)
        column_release(&out[i]);
    if (in->rows > 1)
        run_halves(self, in, out, rejects);
    else
        reject_rows(self, 0, 1, rejects->count, out, rejects);
}

enum code evaluator_run(struct evaluator *self, const struct session *session, const struct batch *in,
                        struct column *out, struct rejects *rejects, struct error *err)
{
    (void)err; // nothing here fails as a whole
    self->session = session;
    if (column_room.watched)
        run_rows(self, in, out, rejects);
    else
        run_watched(self, in, out, rejects);
    return E_OK;
}

struct evaluator *evaluator_new(const struct program *program)
{
    struct evaluator *self = mem_new(struct evaluator);
    self->program = program;
    self->slots = mem_array(struct slot, (size_t)program->step_count + 1);
    self->args = mem_array(struct arg, (size_t)program->args_max + 1);
    return self;
}

void evaluator_free(struct evaluator *self)
{
    if (self == NULL)
        return;
    for (int32_t i = 0; i < self->program->step_count; i++)
        column_release(&self->slots[i].own);
    for (int32_t i = 0; i < self->pool_count; i++)
        buffer_release(self->pool[i]);
    memories_free(self->memories, self->program->step_count);
    buffer_release(self->rejected);
    mem_free(self->slots);
    mem_free(self->args);
    mem_free(self);
}

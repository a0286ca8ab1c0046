/* generate.c - explode, posexplode, inline, stack: several rows out of one.
 *
 * For every output row, `parent` is the input row and `element` the row of the generated columns' source it
 * shows. Input columns are repeated by gathering `parent`. The generated ones are gathered by `element` from
 * the child column of the ARRAY or MAP; when no list was left out and none needed a NULL row, that column
 * goes out as it is. OUTER adds one NULL row behind the child for lists that are empty or NULL.
 */
#include "operator/operator.h"

#include "operator/selection.h"

enum {
    COPY_BYTES_MAX = 256 * 1024 * 1024, /* of one repeated column: rows that would copy more are rejected */
    ARGS_MAX = 4096,
};

struct generate {
    struct generate_spec spec;
    int32_t kept_columns; /* input columns: all but the generated ones of the schema */
    struct program *program;
    struct evaluator *evaluator;
    int32_t *parent, *element, *position;
    size_t parent_capacity, element_capacity, position_capacity;
    int64_t rows; /* of the output */
};

enum code generate_new(struct arena *arena, const struct generate_spec *spec, struct generate **out, struct error *err)
{
    if (spec->arg_count < 1 || spec->arg_count > ARGS_MAX)
        return fail(err, E_UNSUPPORTED, "a generator of %d arguments; at most %d", spec->arg_count, ARGS_MAX);
    struct generate *self = arena_new(arena, struct generate);
    self->spec = *spec;
    self->kept_columns = spec->schema->field_count - spec->generated;
    TRY(program_compile(arena, spec->args, spec->arg_count, &self->program, err));
    self->evaluator = evaluator_new(self->program);
    *out = self;
    return E_OK;
}

struct position generate_position(const struct generate *self, int32_t step)
{
    return program_step_position(self->program, step);
}

void generate_free(struct generate *self)
{
    if (self == NULL)
        return;
    evaluator_free(self->evaluator);
    mem_free(self->parent);
    mem_free(self->element);
    mem_free(self->position);
    self->parent = self->element = self->position = NULL;
}

/* ---- how often a row may be repeated ---- */

/* Most bytes, or list elements, that one buffer of the column's tree holds. */
static int64_t copied_per_repeat(const struct column *col)
{
    int64_t most = 0;
    if (col->offsets != NULL && col->rows > 0)
        most = column_offsets(col)[col->rows] - column_offsets(col)[0];
    for (int32_t c = 0; c < col->child_count; c++) {
        int64_t child = copied_per_repeat(&col->children[c]);
        most = child > most ? child : most;
    }
    return most;
}

/* So many repeats of every row keep each copied buffer below COPY_BYTES_MAX, and its int32 offsets from
 * overflowing. */
static int64_t repeats_max(const struct generate *self, const struct batch *in)
{
    int64_t most = 1;
    for (int32_t c = 0; c < self->kept_columns; c++) {
        if (self->spec.keep != NULL && !self->spec.keep[c])
            continue;
        int64_t column = copied_per_repeat(&in->columns[c]);
        most = column > most ? column : most;
    }
    return COPY_BYTES_MAX / most;
}

/* A row that would be repeated too often; beside others it may only be they that are too large. */
static void too_big(struct rejects *rejects, int64_t row, int64_t rows)
{
    if (column_room.watched && rows > 1)
        room_pass();
    else
        rejects_add(rejects, row, -1, REJECT_TOO_BIG);
}

/* ---- lists: explode, posexplode, inline ---- */

/* Fill parent, element and position. A list that may not be repeated so often is rejected. Returns whether
 * the child column can go out as it is. */
static bool lists_unfold(struct generate *self, const struct column *list, int64_t most, const uint8_t *wanted,
                         struct rejects *rejects)
{
    const int32_t *offsets = column_offsets(list);
    int64_t elements = offsets[list->rows] - offsets[0], room = elements + list->rows;
    int32_t nothing = (int32_t)list->children[0].rows; // the NULL row that OUTER puts behind the child
    mem_grow(self->parent, self->parent_capacity, room);
    mem_grow(self->element, self->element_capacity, room);
    mem_grow(self->position, self->position_capacity, room);
    int64_t count = 0;
    bool padded = false;
    for (int64_t row = 0; row < list->rows; row++) {
        int32_t from = offsets[row], to = offsets[row + 1];
        if (!bit_get(wanted, row))
            continue;
        if (to - from > most) {
            too_big(rejects, row, list->rows);
            continue;
        }
        for (int32_t i = from; i < to; i++, count++) {
            self->parent[count] = (int32_t)row;
            self->element[count] = i;
            self->position[count] = i - from;
        }
        if (from == to && self->spec.outer) {
            self->parent[count] = (int32_t)row;
            self->element[count] = nothing;
            self->position[count++] = -1;
            padded = true;
        }
    }
    self->rows = count;
    return !padded && count == elements && elements == list->children[0].rows;
}

static void positions_put(const struct generate *self, struct column *out)
{
    struct builder builder;
    builder_init(&builder, type_of(TYPE_INT32));
    for (int64_t i = 0; i < self->rows; i++) {
        if (self->position[i] < 0)
            builder_null(&builder);
        else
            builder_int(&builder, self->position[i]);
    }
    builder_finish(&builder, out);
    builder_release(&builder);
}

/* The child with a NULL row behind it. */
static void child_pad(struct column *out, const struct column *child)
{
    struct column nothing;
    column_all_null(&nothing, child->type, 1);
    *out = (struct column){0};
    column_append(out, child, 0, child->rows);
    column_append(out, &nothing, 0, 1);
    column_release(&nothing);
}

static void elements_put(const struct generate *self, const struct column *child, bool as_is, struct column *out)
{
    if (as_is) {
        column_share(out, child);
    } else if (self->spec.outer) {
        struct column padded;
        child_pad(&padded, child);
        column_gather(out, &padded, self->element, self->rows);
        column_release(&padded);
    } else {
        column_gather(out, child, self->element, self->rows);
    }
}

static void lists_put(const struct generate *self, const struct column *list, bool as_is, struct column *out)
{
    if (self->spec.kind == POSEXPLODE)
        positions_put(self, out++);
    if (self->spec.kind != INLINE) {
        for (int32_t c = 0; c < list->child_count; c++)
            elements_put(self, &list->children[c], as_is, out++);
        return;
    }
    struct column structs;
    elements_put(self, &list->children[0], as_is, &structs);
    for (int32_t c = 0; c < structs.child_count; c++)
        out[c] = column_take(&structs.children[c]);
    column_release(&structs);
}

/* ---- stack(n, a, b, c, ..): args row by row ---- */

static int32_t stack_height(const struct generate *self)
{
    const struct expr *count = self->spec.args[0];
    always(count->kind == EXPR_LITERAL && count->literal->type->id == TYPE_INT32);
    return column_values(count->literal, const int32_t)[0];
}

static void stack_unfold(struct generate *self, int64_t rows, int64_t most, const uint8_t *wanted,
                         struct rejects *rejects)
{
    int32_t height = stack_height(self);
    int64_t room = height > most ? 0 : rows * height;
    mem_grow(self->parent, self->parent_capacity, room);
    mem_grow(self->element, self->element_capacity, room);
    self->rows = 0;
    for (int64_t row = 0; row < rows; row++) {
        if (!bit_get(wanted, row))
            continue;
        if (height > most) {
            too_big(rejects, row, rows);
            continue;
        }
        for (int32_t line = 0; line < height; line++, self->rows++) {
            self->parent[self->rows] = (int32_t)row;
            self->element[self->rows] = (int32_t)(line * rows + row);
        }
    }
}

/* Generated column c shows args 1 + c, 1 + c + width, ..: they are put one below the other, then gathered in
 * turns. */
static void stack_put(const struct generate *self, const struct column *args, int64_t rows, struct column *out)
{
    int32_t height = stack_height(self), width = self->spec.generated;
    for (int32_t c = 0; c < width; c++) {
        struct column tall = {0};
        if (self->rows == 0) {
            column_all_null(&out[c], self->spec.schema->fields[self->kept_columns + c].type, 0);
            continue;
        }
        for (int32_t line = 0; line < height; line++) {
            int32_t arg = 1 + line * width + c;
            struct column missing = {0};
            if (arg >= self->spec.arg_count)
                column_all_null(&missing, self->spec.schema->fields[self->kept_columns + c].type, rows);
            column_append(&tall, arg < self->spec.arg_count ? &args[arg] : &missing, 0, rows);
            column_release(&missing);
        }
        column_gather(&out[c], &tall, self->element, self->rows);
        column_release(&tall);
    }
}

/* ---- both ---- */

/* Rows of one parent stand together. */
static void places_put(const struct generate *self, const struct batch *in, struct batch *out)
{
    out->place = buffer_new((size_t)self->rows * sizeof(int64_t));
    int64_t *place = (int64_t *)(void *)out->place->data, position = 0;
    for (int64_t i = 0; i < self->rows; i++) {
        position = i > 0 && self->parent[i] == self->parent[i - 1] ? position + 1 : 0;
        place[i] = lineage_position(batch_place(in, self->parent[i]), position);
    }
}

static void inputs_put(const struct generate *self, const struct batch *in, struct batch *out)
{
    for (int32_t c = 0; c < self->kept_columns; c++) {
        if (in->columns[c].type == NULL)
            continue; // not there either
        if (self->spec.keep == NULL || self->spec.keep[c])
            column_gather(&out->columns[c], &in->columns[c], self->parent, self->rows);
        else
            column_all_null(&out->columns[c], in->columns[c].type, self->rows);
    }
    if (in->source == NULL)
        return;
    out->source = origin_retain(in->source);
    out->origin = buffer_new((size_t)self->rows * sizeof(int32_t));
    for (int64_t i = 0; i < self->rows; i++)
        ((int32_t *)(void *)out->origin->data)[i] = (int32_t)batch_origin(in, self->parent[i]);
    places_put(self, in, out);
}

enum code generate_batch(struct generate *self, const struct session *session, const struct batch *in,
                         struct rejects *rejects, struct operator_counts *counts, struct batch *out, struct error *err)
{
    int32_t rejected_before = rejects->count;
    struct column *args = mem_array(struct column, (size_t)self->spec.arg_count);
    uint8_t *wanted = mem_alloc(bit_bytes(in->rows));
    enum code code = evaluator_run(self->evaluator, session, in, args, rejects, err);
    if (code != E_OK)
        goto done;
    unrejected_bits(wanted, in->rows, rejects, rejected_before);
    int64_t most = repeats_max(self, in);
    bool as_is = false;
    if (self->spec.kind == STACK)
        stack_unfold(self, in->rows, most, wanted, rejects);
    else
        as_is = lists_unfold(self, &args[0], most, wanted, rejects);
    batch_init(out, self->spec.schema, self->rows);
    inputs_put(self, in, out);
    if (self->spec.kind == STACK)
        stack_put(self, args, in->rows, out->columns + self->kept_columns);
    else
        lists_put(self, &args[0], as_is, out->columns + self->kept_columns);
    counts->in += in->rows;
    counts->out += self->rows;
    counts->exploded += self->rows;
    counts->rejected += rejects->count - rejected_before;
done:
    for (int32_t c = 0; c < self->spec.arg_count; c++)
        column_release(&args[c]);
    mem_free(args);
    mem_free(wanted);
    return code;
}

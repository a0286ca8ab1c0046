/* gather.c - pick rows of a column, and append a range of rows: the two ways columns are copied.
 *
 * Speed    column_gather is on the path of every filtered row. Fixed widths are plain indexed loops; bits are
 *          assembled 64 at a time; text is sized exactly in a first pass, then copied in runs of
 *          neighbouring rows, short runs by a fixed-size copy that may touch the padding (buffer.h: 64 bytes
 *          past the end are readable, and a buffer made here is that much longer than its size). When nearly
 *          all rows stay, as behind most filters, the rows come in long runs, and each run is one append:
 *          that is as fast as copying gets
 * Limits   a text or list column holds at most INT32_MAX bytes or elements (Arrow's int32 offsets), and what the thread's
 *          room (room.h) leaves: what passes that comes out as NULLs, and the flag is up. Who makes more rows of few asks
 *          column_gather_fits first
 */
#include "base/memory.h"
#include "data/column.h"
#include "data/room.h"

/* ---- gather ---- */

#define GATHER_FIXED(name, ctype)                                                                          \
    static void name(void *restrict out, const void *restrict in, const int32_t *restrict rows, int64_t n) \
    {                                                                                                      \
        ctype *restrict to = out;                                                                          \
        const ctype *restrict from = in;                                                                   \
        for (int64_t i = 0; i < n; i++)                                                                    \
            to[i] = from[rows[i]];                                                                         \
    }
GATHER_FIXED(gather_1, uint8_t)
GATHER_FIXED(gather_2, uint16_t)
GATHER_FIXED(gather_4, uint32_t)
GATHER_FIXED(gather_8, uint64_t)
GATHER_FIXED(gather_16, __int128)

static struct buffer *gather_fixed(const struct column *col, int32_t width, const int32_t *rows, int64_t count)
{
    struct buffer *out = buffer_new((size_t)count * (size_t)width);
    const uint8_t *in = col->values->data;
    switch (width) {
    case 1: gather_1(out->data, in, rows, count); break;
    case 2: gather_2(out->data, in, rows, count); break;
    case 4: gather_4(out->data, in, rows, count); break;
    case 8: gather_8(out->data, in, rows, count); break;
    default: gather_16(out->data, in, rows, count); break;
    }
    return out;
}

/* *ones receives how many of the picked bits are set. */
static struct buffer *gather_bits(const uint8_t *bits, const int32_t *rows, int64_t count, int64_t *ones)
{
    struct buffer *out = buffer_new(bit_bytes(count));
    int64_t set = 0;
    for (int64_t i = 0; i < count; i += 64) {
        uint64_t word = 0;
        int n = count - i < 64 ? (int)(count - i) : 64;
        for (int j = 0; j < n; j++)
            word |= (uint64_t)bit_get(bits, rows[i + j]) << j;
        set += __builtin_popcountll(word);
        memcpy(out->data + (i >> 3), &word, bit_bytes(n));
    }
    *ones = set;
    return out;
}

/* New offsets; returns the sum of all sizes, -1 when that is too much. */
static int32_t gather_offsets(const int32_t *offsets, const int32_t *rows, int64_t count, int32_t *out)
{
    int64_t end = 0;
    out[0] = 0;
    for (int64_t i = 0; i < count; i++) {
        end += offsets[rows[i] + 1] - offsets[rows[i]];
        out[i + 1] = (int32_t)end;
    }
    if (end > INT32_MAX)
        room_pass();
    return end <= INT32_MAX && room_fits(end) ? (int32_t)end : -1;
}

enum { SHORT_COPY = 32 }; // at most the 64 bytes of padding

/* False: it does not fit. */
static bool gather_text(struct column *out, const struct column *col, const int32_t *rows, int64_t count)
{
    const int32_t *offsets = column_offsets(col);
    const uint8_t *from = col->values->data;
    out->offsets = buffer_new(((size_t)count + 1) * sizeof(int32_t));
    int32_t *ends = (int32_t *)(void *)out->offsets->data;
    int32_t size = gather_offsets(offsets, rows, count, ends);
    if (size < 0)
        return false;
    out->values = buffer_new((size_t)size + SHORT_COPY);
    out->values->size = (size_t)size;
    uint8_t *to = out->values->data;
    for (int64_t i = 0; i < count;) {
        int64_t first = i++;
        while (i < count && rows[i] == rows[i - 1] + 1)
            i++;
        size_t run = (size_t)(ends[i] - ends[first]);
        const uint8_t *at = from + offsets[rows[first]];
        if (run <= SHORT_COPY)
            memcpy(to, at, SHORT_COPY);
        else
            memcpy(to, at, run);
        to += run;
    }
    return true;
}

/* Lists: the picked ranges become a list of child rows, and the children are gathered by it. */
static bool gather_list(struct column *out, const struct column *col, const int32_t *rows, int64_t count)
{
    const int32_t *offsets = column_offsets(col);
    out->offsets = buffer_new(((size_t)count + 1) * sizeof(int32_t));
    int32_t total = gather_offsets(offsets, rows, count, (int32_t *)(void *)out->offsets->data);
    if (total < 0 || !room_fits((int64_t)total * (int64_t)sizeof(int32_t)))
        return false;
    int32_t *picked = mem_alloc((size_t)total * sizeof *picked + 1);
    int32_t *at = picked;
    for (int64_t i = 0; i < count; i++)
        for (int32_t j = offsets[rows[i]]; j < offsets[rows[i] + 1]; j++)
            *at++ = j;
    for (int32_t i = 0; i < col->child_count; i++)
        column_gather(&out->children[i], &col->children[i], picked, total);
    mem_free(picked);
    return true;
}

int64_t column_range_bytes(const struct column *col, int64_t from, int64_t to)
{
    const struct type *type = col->type;
    int64_t bytes = (to - from) * (int64_t)sizeof(int32_t), first = from, last = to;
    if (type_is_varlen(type) || type->id == TYPE_ARRAY || type->id == TYPE_MAP) {
        first = column_offsets(col)[from];
        last = column_offsets(col)[to];
        if (col->child_count == 0)
            return bytes + last - first;
    } else if (type->id != TYPE_STRUCT) {
        return (to - from) * type_width(type);
    }
    for (int32_t i = 0; i < col->child_count; i++)
        bytes += column_range_bytes(&col->children[i], first, last);
    return bytes;
}

bool column_gather_fits(const struct column *col, const int32_t *rows, int64_t count)
{
    int64_t sum = 0;
    if (count == 0 || (col->child_count == 0 && !type_is_varlen(col->type)) ||
        column_range_bytes(col, 0, col->rows) <= COLUMN_BYTES_MAX / count)
        return true;
    if (type_is_varlen(col->type) && col->child_count == 0) {
        const int32_t *offsets = column_offsets(col);
        for (int64_t i = 0; i < count; i++)
            sum += offsets[rows[i] + 1] - offsets[rows[i]];
        return sum <= COLUMN_BYTES_MAX;
    }
    for (int64_t i = 0; i < count && sum <= COLUMN_BYTES_MAX; i++)
        sum += column_range_bytes(col, rows[i], rows[i] + 1);
    return sum <= COLUMN_BYTES_MAX;
}

static void gather_valid(struct column *out, const struct column *col, const int32_t *rows, int64_t count)
{
    if (col->valid == NULL || col->nulls == 0)
        return;
    int64_t present;
    out->valid = gather_bits(col->valid->data, rows, count, &present);
    out->nulls = count - present;
    if (out->nulls == 0) {
        buffer_release(out->valid);
        out->valid = NULL;
    }
}

enum { LONG_RUN = 32 }; // rows in a run from which on appending beats picking, as measured

static bool comes_in_long_runs(const int32_t *rows, int64_t count)
{
    int64_t breaks = 0;
    for (int64_t i = 1; i < count; i++)
        breaks += rows[i] != rows[i - 1] + 1;
    return count > LONG_RUN && breaks < count / LONG_RUN;
}

/* Where the run that starts at `first` ends. */
static int64_t run_end(const int32_t *rows, int64_t first, int64_t count)
{
    int64_t end = first + 1;
    while (end < count && rows[end] == rows[end - 1] + 1)
        end++;
    return end;
}

/* The buffers that the appends will fill, at their final size. */
static void gather_reserve(struct column *out, const struct column *col, const int32_t *rows, int64_t count)
{
    if (type_width(col->type) > 0)
        buffer_grow(&out->values, (size_t)count * (size_t)type_width(col->type));
    if (!type_is_varlen(col->type))
        return;
    const int32_t *offsets = column_offsets(col);
    size_t size = 0;
    for (int64_t i = 0, end; i < count; i = end) {
        end = run_end(rows, i, count);
        size += (size_t)(offsets[rows[i] + (end - i)] - offsets[rows[i]]);
    }
    buffer_grow(&out->values, size);
    out->offsets = buffer_new(((size_t)count + 1) * sizeof(int32_t));
    out->offsets->size = sizeof(int32_t);
    memset(out->offsets->data, 0, sizeof(int32_t));
}

static void gather_runs(struct column *out, const struct column *col, const int32_t *rows, int64_t count)
{
    struct column picked = {.type = col->type, .child_count = col->child_count};
    if (col->child_count > 0)
        picked.children = mem_array(struct column, (size_t)col->child_count);
    gather_reserve(&picked, col, rows, count);
    for (int64_t i = 0, end; i < count; i = end) {
        end = run_end(rows, i, count);
        column_append(&picked, col, rows[i], rows[i] + (end - i));
    }
    if (column_nulls(&picked) == 0) {
        buffer_release(picked.valid);
        picked.valid = NULL;
    }
    *out = picked;
}

void column_gather(struct column *out, const struct column *col, const int32_t *rows, int64_t count)
{
    const struct type *type = col->type;
    if (type->id == TYPE_NULL) {
        column_all_null(out, type, count);
        return;
    }
    if (comes_in_long_runs(rows, count)) {
        gather_runs(out, col, rows, count);
        return;
    }
    struct column picked = {.type = type, .rows = count, .child_count = col->child_count};
    bool fits = true;
    if (col->child_count > 0)
        picked.children = mem_array(struct column, (size_t)col->child_count);
    gather_valid(&picked, col, rows, count);
    if (type->id == TYPE_BOOLEAN) {
        int64_t ones;
        picked.values = gather_bits(col->values->data, rows, count, &ones);
    } else if (type_is_varlen(type)) {
        fits = gather_text(&picked, col, rows, count);
    } else if (type->id == TYPE_STRUCT) {
        for (int32_t i = 0; i < col->child_count; i++)
            column_gather(&picked.children[i], &col->children[i], rows, count);
    } else if (type_is_nested(type)) {
        fits = gather_list(&picked, col, rows, count);
    } else {
        picked.values = gather_fixed(col, type_width(type), rows, count);
    }
    if (!fits) {
        column_release(&picked);
        column_all_null(&picked, type, count);
    }
    *out = picked;
}

/* ---- append ---- */

/* Make *buffer writable and at least `size` bytes long: copied when shared, doubled when full. */
static void make_room(struct buffer **buffer, size_t size)
{
    struct buffer *old = *buffer;
    if (old != NULL && (atomic_load(&old->count) > 1 || old->release != NULL)) {
        *buffer = buffer_new(old->size > size ? old->size : size);
        (*buffer)->size = old->size;
        memcpy((*buffer)->data, old->data, old->size);
        buffer_release(old);
    }
    if (*buffer == NULL || (*buffer)->capacity < size)
        buffer_grow(buffer, *buffer == NULL || size > (*buffer)->capacity * 2 ? size : (*buffer)->capacity * 2);
}

static void append_bits(struct buffer **buffer, int64_t at, const uint8_t *bits, int64_t from, int64_t count)
{
    size_t used = *buffer == NULL ? 0 : (*buffer)->size, need = bit_bytes(at + count);
    make_room(buffer, need);
    if (need > used)
        memset((*buffer)->data + used, 0, need - used);
    (*buffer)->size = need;
    bit_copy((*buffer)->data, at, bits, from, count);
}

static void append_valid(struct column *out, const struct column *col, int64_t from, int64_t count)
{
    if (out->valid == NULL && col->valid == NULL)
        return;
    if (out->valid == NULL) {
        out->valid = buffer_new(bit_bytes(out->rows));
        bit_fill(out->valid->data, out->rows, 1);
    }
    if (col->valid != NULL) {
        append_bits(&out->valid, out->rows, col->valid->data, from, count);
        out->nulls = -1;
        return;
    }
    make_room(&out->valid, bit_bytes(out->rows + count));
    out->valid->size = bit_bytes(out->rows + count);
    for (int64_t i = 0; i < count; i++)
        bit_set(out->valid->data, out->rows + i);
}

static void append_bytes(struct buffer **buffer, const uint8_t *data, size_t size)
{
    size_t used = *buffer == NULL ? 0 : (*buffer)->size;
    make_room(buffer, used + size);
    memcpy((*buffer)->data + used, data, size);
    (*buffer)->size = used + size;
}

static void append_offsets(struct column *out, const struct column *col, int64_t from, int64_t count)
{
    const int32_t *in = column_offsets(col) + from;
    if (out->offsets == NULL)
        out->offsets = buffer_zero(sizeof(int32_t));
    size_t need = ((size_t)(out->rows + count) + 1) * sizeof(int32_t);
    make_room(&out->offsets, need);
    out->offsets->size = need;
    int32_t *ends = (int32_t *)(void *)out->offsets->data + out->rows;
    int32_t shift = ends[0] - in[0];
    for (int64_t i = 1; i <= count; i++)
        ends[i] = in[i] + shift;
}

/* Whether what the rows have behind their offsets finds a place behind out. */
static bool append_fits(const struct column *out, const struct column *col, int64_t from, int64_t to)
{
    if (col->offsets == NULL)
        return true;
    int64_t more = column_offsets(col)[to] - column_offsets(col)[from];
    int64_t used = out->offsets == NULL ? 0 : column_offsets(out)[out->rows];
    if (used + more > INT32_MAX)
        room_pass();
    return used + more <= INT32_MAX && room_fits(more);
}

static void append_rows(struct column *out, const struct column *col, int64_t from, int64_t to);

void column_append(struct column *out, const struct column *col, int64_t from, int64_t to)
{
    if (append_fits(out, col, from, to)) {
        append_rows(out, col, from, to);
        return;
    }
    struct column nothing;
    column_all_null(&nothing, col->type, to - from);
    append_rows(out, &nothing, 0, to - from);
    column_release(&nothing);
}

static void append_rows(struct column *out, const struct column *col, int64_t from, int64_t to)
{
    const struct type *type = col->type;
    int64_t count = to - from, first = from, last = to;
    if (out->type == NULL) {
        *out = (struct column){.type = type, .child_count = col->child_count};
        if (col->child_count > 0)
            out->children = mem_array(struct column, (size_t)col->child_count);
    }
    append_valid(out, col, from, count);
    size_t width = (size_t)type_width(type);
    if (type->id == TYPE_BOOLEAN) {
        append_bits(&out->values, out->rows, col->values->data, from, count);
    } else if (type_is_varlen(type) || type->id == TYPE_ARRAY || type->id == TYPE_MAP) {
        append_offsets(out, col, from, count);
        first = column_offsets(col)[from];
        last = column_offsets(col)[to];
        if (type_is_varlen(type))
            append_bytes(&out->values, col->values->data + first, (size_t)(last - first));
    } else if (width > 0) {
        append_bytes(&out->values, col->values->data + (size_t)from * width, (size_t)count * width);
    }
    for (int32_t i = 0; i < col->child_count; i++)
        column_append(&out->children[i], &col->children[i], first, last);
    if (type->id == TYPE_NULL)
        out->nulls = out->rows + count;
    out->rows += count;
}

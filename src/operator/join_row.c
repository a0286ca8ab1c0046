#include "operator/join_row.h"

#include "state/state.h"

enum { WORD_BITS = 64 };

static bool is_list(const struct type *type) { return type->id == TYPE_ARRAY || type->id == TYPE_MAP; }
static bool is_variable(const struct type *type) { return type_is_varlen(type) || is_list(type); }

/* ---- layout ---- */

static uint32_t fixed_width(const struct type *type)
{
    if (type->id == TYPE_BOOLEAN)
        return 1;
    return is_variable(type) ? (uint32_t)sizeof(uint32_t) : (uint32_t)type_width(type);
}

static int64_t count_fields(const struct type *type)
{
    int64_t count = 0;
    for (int32_t f = 0; f < type->field_count; f++) {
        const struct type *field = type->fields[f].type;
        count += 1 + (field->id == TYPE_STRUCT ? count_fields(field) : 0);
    }
    return count;
}

static void add_fields(struct row_layout *layout, const struct type *type)
{
    for (int32_t f = 0; f < type->field_count; f++) {
        const struct type *field = type->fields[f].type;
        int32_t index = layout->field_count++;
        layout->fields[index] = (struct row_field){field, layout->variable_at, index};
        if (field->id == TYPE_STRUCT)
            add_fields(layout, field);
        else
            layout->variable_at += fixed_width(field);
    }
}

enum code row_layout_init(struct arena *arena, const struct type *schema, struct row_layout *out, struct error *err)
{
    int64_t count = count_fields(schema);
    if (count > ROW_FIELDS_MAX)
        return fail(err, E_UNSUPPORTED, "a join of more than %d columns and fields a side", ROW_FIELDS_MAX);
    *out = (struct row_layout){.schema = schema,
                               .fields = arena_array(arena, struct row_field, (size_t)count),
                               .null_bytes = (uint32_t)bit_bytes(count)};
    out->variable_at = (uint32_t)sizeof(struct join_row) + out->null_bytes;
    add_fields(out, schema);
    return E_OK;
}

/* ---- columns and fields side by side ---- */

typedef void visit_fn(void *context, const struct row_field *field, const struct column *col);

/* Every field with its column, in the order of the layout. Returns the field behind the last one. */
static const struct row_field *visit(const struct row_field *field, const struct column *cols, int32_t count,
                                     visit_fn *each, void *context)
{
    for (int32_t c = 0; c < count; c++) {
        each(context, field, &cols[c]);
        bool nested = field->type->id == TYPE_STRUCT;
        field++;
        if (nested)
            field = visit(field, cols[c].children, cols[c].child_count, each, context);
    }
    return field;
}

/* ---- measure ---- */

struct measuring {
    const int32_t *rows;
    int64_t count;
    uint32_t *sizes;
};

/* A sum that stays above every limit once it is. */
static uint32_t size_add(uint32_t size, size_t more)
{
    size_t sum = size + more;
    return sum > INT32_MAX ? INT32_MAX : (uint32_t)sum;
}

static void measure_field(void *context, const struct row_field *field, const struct column *col)
{
    struct measuring *m = context;
    if (type_is_varlen(field->type)) {
        const int32_t *offsets = column_offsets(col);
        for (int64_t i = 0; i < m->count; i++)
            m->sizes[i] = size_add(m->sizes[i], (size_t)(offsets[m->rows[i] + 1] - offsets[m->rows[i]]));
    } else if (is_list(field->type)) {
        for (int64_t i = 0; i < m->count; i++)
            m->sizes[i] =
                size_add(m->sizes[i], column_valid_at(col, m->rows[i]) ? state_value_size(col, m->rows[i]) : 0);
    }
}

void row_measure(const struct row_layout *layout, const struct column *cols, const int32_t *rows, int64_t count,
                 uint32_t *sizes)
{
    for (int64_t i = 0; i < count; i++)
        sizes[i] = layout->variable_at;
    visit(layout->fields, cols, layout->schema->field_count, measure_field, &(struct measuring){rows, count, sizes});
    for (int64_t i = 0; i < count; i++)
        sizes[i] = (sizes[i] + ROW_ALIGN - 1) & ~(uint32_t)(ROW_ALIGN - 1);
}

/* ---- write ---- */

struct writing {
    const int32_t *rows;
    int64_t count;
    struct join_row *const *to;
    uint32_t *ends; /* of what is written of the variable part */
};

static inline uint8_t *byte_at(struct join_row *row, uint32_t at) { return (uint8_t *)row + at; }

static void write_nulls(const struct writing *w, int32_t bit, const struct column *col)
{
    uint32_t at = (uint32_t)sizeof(struct join_row) + (uint32_t)bit / 8;
    for (int64_t i = 0; i < w->count; i++) {
        int present = bit_get(col->valid->data, w->rows[i]);
        uint8_t *byte = byte_at(w->to[i], at);
        *byte = (uint8_t)(*byte | ((present ^ 1) << (bit & 7)));
    }
}

#define WRITE_FIXED(name, ctype)                                                                       \
    static void name(const struct writing *w, uint32_t at, const uint8_t *values)                      \
    {                                                                                                  \
        for (int64_t i = 0; i < w->count; i++)                                                         \
            memcpy(byte_at(w->to[i], at), values + (size_t)w->rows[i] * sizeof(ctype), sizeof(ctype)); \
    }
WRITE_FIXED(write_1, uint8_t)
WRITE_FIXED(write_2, uint16_t)
WRITE_FIXED(write_4, uint32_t)
WRITE_FIXED(write_8, uint64_t)
WRITE_FIXED(write_16, __int128)

static void write_bits(const struct writing *w, uint32_t at, const uint8_t *bits)
{
    for (int64_t i = 0; i < w->count; i++)
        *byte_at(w->to[i], at) = (uint8_t)bit_get(bits, w->rows[i]);
}

static void write_text(const struct writing *w, uint32_t at, const struct column *col)
{
    const int32_t *offsets = column_offsets(col);
    for (int64_t i = 0; i < w->count; i++) {
        int32_t from = offsets[w->rows[i]];
        size_t size = (size_t)(offsets[w->rows[i] + 1] - from);
        if (size > 0)
            memcpy(byte_at(w->to[i], w->ends[i]), col->values->data + from, size);
        w->ends[i] += (uint32_t)size;
        memcpy(byte_at(w->to[i], at), &w->ends[i], sizeof w->ends[i]);
    }
}

static void write_list(const struct writing *w, uint32_t at, const struct column *col)
{
    for (int64_t i = 0; i < w->count; i++) {
        if (column_valid_at(col, w->rows[i])) {
            uint8_t *end = state_value_put(byte_at(w->to[i], w->ends[i]), col, w->rows[i]);
            w->ends[i] = (uint32_t)(end - (uint8_t *)w->to[i]);
        }
        memcpy(byte_at(w->to[i], at), &w->ends[i], sizeof w->ends[i]);
    }
}

static void write_field(void *context, const struct row_field *field, const struct column *col)
{
    const struct writing *w = context;
    if (col->valid != NULL && field->type->id != TYPE_NULL)
        write_nulls(w, field->bit, col);
    if (field->type->id == TYPE_BOOLEAN) {
        write_bits(w, field->at, col->values->data);
    } else if (type_is_varlen(field->type)) {
        write_text(w, field->at, col);
    } else if (is_list(field->type)) {
        write_list(w, field->at, col);
    } else {
        switch (type_width(field->type)) {
        case 0: break;
        case 1: write_1(w, field->at, col->values->data); break;
        case 2: write_2(w, field->at, col->values->data); break;
        case 4: write_4(w, field->at, col->values->data); break;
        case 8: write_8(w, field->at, col->values->data); break;
        default: write_16(w, field->at, col->values->data); break;
        }
    }
}

void row_write(const struct row_layout *layout, const struct column *cols, const int32_t *rows, int64_t count,
               const uint32_t *sizes, struct join_row *const *to, uint32_t *ends)
{
    for (int64_t i = 0; i < count; i++) {
        memset(byte_at(to[i], sizes[i] - ROW_ALIGN), 0, ROW_ALIGN);
        memset(to[i] + 1, 0, layout->null_bytes);
        ends[i] = layout->variable_at;
    }
    struct writing writing = {rows, count, to, ends};
    visit(layout->fields, cols, layout->schema->field_count, write_field, &writing);
}

/* ---- read ---- */

struct reading {
    const struct row_layout *layout;
    struct join_row *const *rows;
    int64_t count;
    uint8_t any_null[ROW_FIELDS_MAX / 8]; /* fields that are NULL in some row */
};

static inline uint32_t end_at(const struct join_row *row, uint32_t at)
{
    uint32_t end;
    memcpy(&end, (const uint8_t *)row + at, sizeof end);
    return end;
}

static void find_nulls(struct reading *r)
{
    uint32_t bytes = r->layout->null_bytes;
    memset(r->any_null, 0, bytes);
    for (int64_t i = 0; i < r->count; i++) {
        const uint8_t *nulls = (const uint8_t *)(r->rows[i] + 1);
        for (uint32_t b = 0; b < bytes; b++)
            r->any_null[b] |= nulls[b];
    }
}

static void read_valid(const struct reading *r, int32_t bit, struct column *out)
{
    if (!bit_get(r->any_null, bit))
        return;
    out->valid = buffer_new(bit_bytes(r->count));
    uint32_t at = (uint32_t)sizeof(struct join_row) + (uint32_t)bit / 8;
    int64_t present = 0;
    for (int64_t from = 0; from < r->count; from += WORD_BITS) {
        int n = r->count - from < WORD_BITS ? (int)(r->count - from) : WORD_BITS;
        uint64_t word = 0;
        for (int i = 0; i < n; i++)
            word |= (uint64_t)(~*byte_at(r->rows[from + i], at) >> (bit & 7) & 1) << i;
        present += __builtin_popcountll(word);
        memcpy(out->valid->data + from / 8, &word, bit_bytes(n));
    }
    out->nulls = r->count - present;
}

#define READ_FIXED(name, ctype)                                                                 \
    static void name(const struct reading *r, uint32_t at, uint8_t *values)                     \
    {                                                                                           \
        for (int64_t i = 0; i < r->count; i++)                                                  \
            memcpy(values + (size_t)i * sizeof(ctype), byte_at(r->rows[i], at), sizeof(ctype)); \
    }
READ_FIXED(read_1, uint8_t)
READ_FIXED(read_2, uint16_t)
READ_FIXED(read_4, uint32_t)
READ_FIXED(read_8, uint64_t)
READ_FIXED(read_16, __int128)

static void read_fixed(const struct reading *r, const struct row_field *field, struct column *out)
{
    size_t width = (size_t)type_width(field->type);
    out->values = buffer_new((size_t)r->count * width);
    switch (width) {
    case 1: read_1(r, field->at, out->values->data); break;
    case 2: read_2(r, field->at, out->values->data); break;
    case 4: read_4(r, field->at, out->values->data); break;
    case 8: read_8(r, field->at, out->values->data); break;
    default: read_16(r, field->at, out->values->data); break;
    }
}

static void read_bits(const struct reading *r, const struct row_field *field, struct column *out)
{
    out->values = buffer_new(bit_bytes(r->count));
    for (int64_t from = 0; from < r->count; from += WORD_BITS) {
        int n = r->count - from < WORD_BITS ? (int)(r->count - from) : WORD_BITS;
        uint64_t word = 0;
        for (int i = 0; i < n; i++)
            word |= (uint64_t)(*byte_at(r->rows[from + i], field->at) & 1) << i;
        memcpy(out->values->data + from / 8, &word, bit_bytes(n));
    }
}

/* Where a field's end tells where this one starts; 0: at the variable part. */
static uint32_t previous_end(const struct row_layout *layout, const struct row_field *field)
{
    while (field-- > layout->fields)
        if (is_variable(field->type))
            return field->at;
    return 0;
}

static struct bytes variable_at(const struct reading *r, int64_t i, uint32_t start_at, uint32_t at)
{
    uint32_t start = start_at == 0 ? r->layout->variable_at : end_at(r->rows[i], start_at);
    return bytes_of(byte_at(r->rows[i], start), end_at(r->rows[i], at) - start);
}

static void read_text(const struct reading *r, const struct row_field *field, struct column *out)
{
    uint32_t start_at = previous_end(r->layout, field);
    out->offsets = buffer_new(((size_t)r->count + 1) * sizeof(int32_t));
    int32_t *ends = (int32_t *)(void *)out->offsets->data;
    int64_t end = 0;
    ends[0] = 0;
    for (int64_t i = 0; i < r->count; i++) {
        end += (int64_t)variable_at(r, i, start_at, field->at).size;
        ends[i + 1] = (int32_t)end;
    }
    always(end <= INT32_MAX); // whoever gathers rows stops far before
    out->values = buffer_new((size_t)end + ROW_SLACK);
    out->values->size = (size_t)end;
    for (int64_t i = 0; i < r->count; i++) {
        struct bytes text = variable_at(r, i, start_at, field->at);
        uint8_t *to = out->values->data + ends[i];
        if (text.size <= ROW_SLACK)
            memcpy(to, text.data,
                   ROW_SLACK); // one copy of a known size; what is too much is overwritten
        else
            memcpy(to, text.data, text.size);
    }
}

static void read_list(const struct reading *r, const struct row_field *field, struct column *out)
{
    uint32_t start_at = previous_end(r->layout, field);
    struct builder builder;
    builder_init(&builder, field->type);
    for (int64_t i = 0; i < r->count; i++) {
        struct bytes list = variable_at(r, i, start_at, field->at);
        if (list.size == 0)
            builder_null(&builder);
        else
            always(state_value_take(&list, &builder)); // as row_write wrote it, or row_check let it in
    }
    builder_finish(&builder, out);
    builder_release(&builder);
}

static const struct row_field *behind(const struct row_field *field)
{
    return field + 1 + (field->type->id == TYPE_STRUCT ? count_fields(field->type) : 0);
}

static void read_field(const struct reading *r, const struct row_field *field, struct column *out)
{
    const struct type *type = field->type;
    if (type->id == TYPE_NULL) {
        column_all_null(out, type, r->count);
        return;
    }
    *out = (struct column){.type = type, .rows = r->count};
    if (is_list(type)) {
        read_list(r, field, out);
        return;
    }
    read_valid(r, field->bit, out);
    if (type->id == TYPE_BOOLEAN) {
        read_bits(r, field, out);
    } else if (type_is_varlen(type)) {
        read_text(r, field, out);
    } else if (type->id != TYPE_STRUCT) {
        read_fixed(r, field, out);
    } else {
        out->child_count = type->field_count;
        out->children = mem_array(struct column, (size_t)type->field_count);
        const struct row_field *child = field + 1;
        for (int32_t c = 0; c < type->field_count; c++, child = behind(child))
            read_field(r, child, &out->children[c]);
    }
}

void row_read(const struct row_layout *layout, struct join_row *const *rows, int64_t count, const bool *wanted,
              struct column *out)
{
    struct reading reading;
    reading.layout = layout;
    reading.rows = rows;
    reading.count = count;
    find_nulls(&reading);
    const struct row_field *field = layout->fields;
    for (int32_t c = 0; c < layout->schema->field_count; c++, field = behind(field))
        if (wanted == NULL || wanted[c])
            read_field(&reading, field, &out[c]);
}

/* ---- check ---- */

static bool list_fits(struct bytes list, const struct type *type)
{
    struct builder builder;
    builder_init(&builder, type);
    bool fits = state_value_take(&list, &builder) && list.size == 0 && builder.nulls == 0;
    builder_release(&builder);
    return fits;
}

/* NULL structs have NULL fields, NULLs of variable width have no bytes: columns rely on it (data/column.h).
 * */
static bool field_fits(const struct row_layout *layout, const struct row_field *field, const struct join_row *row,
                       uint32_t *end, size_t size)
{
    const uint8_t *nulls = (const uint8_t *)(row + 1);
    bool null = bit_get(nulls, field->bit);
    if (field->type->id == TYPE_STRUCT) {
        for (const struct row_field *f = field + 1; null && f < behind(field); f++)
            if (!bit_get(nulls, f->bit) && f->type->id != TYPE_NULL)
                return false;
        return true;
    }
    if (!is_variable(field->type))
        return true;
    uint32_t start = *end;
    *end = end_at(row, field->at);
    if (*end < start || *end > size || (null && *end > start))
        return false;
    dassert(field < layout->fields + layout->field_count);
    return null || !is_list(field->type) ||
           list_fits(bytes_of((const uint8_t *)row + start, *end - start), field->type);
}

bool row_check(const struct row_layout *layout, const struct join_row *row, size_t size)
{
    if (size < layout->variable_at || size > ROW_BYTES_MAX || size % ROW_ALIGN != 0)
        return false;
    uint32_t end = layout->variable_at;
    for (int32_t f = 0; f < layout->field_count; f++)
        if (!field_fits(layout, &layout->fields[f], row, &end, size))
            return false;
    return size - end < ROW_ALIGN;
}

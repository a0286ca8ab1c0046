/* parquet_assemble.c - levels and dense values as columns.
 *
 * Order    a node reads the levels of one leaf below it, then its children are put together; a leaf,
 *          which comes last, drops the slots that are no entries of its own and may overwrite its levels
 * In place values move from where they are dense to their rows, last one first, in the buffers that
 * become the column
 */
#include "format/parquet_read.h"

static enum code uneven(const struct parquet_pick *pick, struct error *err)
{
    return fail(err, E_CORRUPT, "column %s: its parts have different numbers of rows", pick->node->path);
}

/* ---- leaves ---- */

/* Levels of the slots that are entries, moved together; returns how many. */
static int64_t entries_keep(struct parquet_leaf_read *leaf)
{
    uint8_t least = leaf->node->list_definition, *levels = leaf->definitions;
    int64_t kept = 0;
    if (least == 0)
        return leaf->slots;
    for (int64_t i = 0; i < leaf->slots; i++) {
        levels[kept] = levels[i];
        kept += levels[i] >= least;
    }
    return kept;
}

/* Bit i: level i is `present`. */
static struct buffer *valid_bits(const uint8_t *levels, uint8_t present, int64_t rows)
{
    struct buffer *bits = buffer_zero(bit_bytes(rows));
    int64_t i = 0;
    for (; i + 8 <= rows; i += 8) {
        unsigned byte = 0;
        for (int k = 0; k < 8; k++)
            byte |= (unsigned)(levels[i + k] == present) << k;
        bits->data[i >> 3] = (uint8_t)byte;
    }
    for (; i < rows; i++)
        bit_put(bits->data, i, levels[i] == present);
    return bits;
}

#define SPREAD(name, ctype)                                                                              \
    static void name(uint8_t *data, const uint8_t *levels, uint8_t present, int64_t rows, int64_t count) \
    {                                                                                                    \
        ctype *values = (ctype *)(void *)data;                                                           \
        for (int64_t i = rows - 1; i >= 0; i--) {                                                        \
            bool here = levels[i] == present;                                                            \
            count -= here;                                                                               \
            values[i] = here ? values[count] : (ctype)0;                                                 \
        }                                                                                                \
    }
SPREAD(spread_1, uint8_t)
SPREAD(spread_2, uint16_t)
SPREAD(spread_4, uint32_t)
SPREAD(spread_8, uint64_t)
SPREAD(spread_16, unsigned __int128)

static void spread_fixed(uint8_t *data, int width, const uint8_t *levels, uint8_t present, int64_t rows, int64_t count)
{
    switch (width) {
    case 1: spread_1(data, levels, present, rows, count); break;
    case 2: spread_2(data, levels, present, rows, count); break;
    case 4: spread_4(data, levels, present, rows, count); break;
    case 8: spread_8(data, levels, present, rows, count); break;
    default: spread_16(data, levels, present, rows, count); break;
    }
}

static void spread_offsets(int32_t *offsets, const uint8_t *levels, uint8_t present, int64_t rows, int64_t count)
{
    offsets[rows] = offsets[count];
    for (int64_t i = rows - 1; i >= 0; i--) {
        count -= levels[i] == present;
        offsets[i] = offsets[count];
    }
}

static struct buffer *boolean_bits(const uint8_t *values, int64_t rows) { return valid_bits(values, 1, rows); }

static void leaf_column(struct parquet_leaf_read *leaf, const struct type *type, int64_t rows, struct column *out)
{
    struct parquet_values *values = &leaf->values;
    const uint8_t *levels = leaf->definitions;
    uint8_t present = leaf->node->definition;
    int64_t count = values->count;
    bool gaps = count < rows, texts = leaf->convert.step == VALUE_BYTES;
    if (gaps) // room for all rows
        parquet_values_reserve(values, &leaf->convert, rows - count);
    *out = (struct column){.type = type, .rows = rows, .nulls = rows - count};
    if (gaps)
        out->valid = valid_bits(levels, present, rows);
    if (texts) {
        int32_t *offsets = (int32_t *)(void *)values->offsets->data;
        if (gaps)
            spread_offsets(offsets, levels, present, rows, count);
        values->offsets->size = (size_t)(rows + 1) * sizeof *offsets;
        if (values->bytes == NULL)
            values->bytes = buffer_new(0);
        values->bytes->size = (size_t)offsets[rows];
        out->offsets = values->offsets;
        out->values = values->bytes;
    } else {
        int width = leaf->convert.out_width;
        if (gaps)
            spread_fixed(values->fixed->data, width, levels, present, rows, count);
        values->fixed->size = (size_t)rows * (size_t)width;
        out->values = type->id == TYPE_BOOLEAN ? boolean_bits(values->fixed->data, rows) : buffer_retain(values->fixed);
        buffer_release(values->fixed);
    }
    *values = (struct parquet_values){0};
}

static enum code leaf_assemble(const struct parquet_pick *pick, struct parquet_leaf_read *leaf, int64_t rows,
                               struct column *out, struct error *err)
{
    if (entries_keep(leaf) != rows)
        return uneven(pick, err);
    leaf_column(leaf, pick->type, rows, out);
    return E_OK;
}

/* ---- nested ---- */

static enum code children_assemble(const struct parquet_pick *pick, struct parquet_leaf_read *leaves, int64_t rows,
                                   struct column *out, struct error *err)
{
    out->child_count = pick->type->field_count;
    out->children = mem_array(struct column, (size_t)out->child_count);
    for (int32_t i = 0; i < out->child_count; i++)
        TRY(parquet_assemble(&pick->children[i], leaves, rows, &out->children[i], err));
    return E_OK;
}

/* Which of the node's entries are there. */
static enum code entries_valid(const struct parquet_pick *pick, const struct parquet_leaf_read *leaf, int64_t rows,
                               struct column *out, struct error *err)
{
    const struct parquet_node *node = pick->node;
    int64_t entries = 0, present = 0;
    out->valid = buffer_zero(bit_bytes(rows));
    for (int64_t i = 0; i < leaf->slots; i++) {
        uint8_t level = leaf->definitions != NULL ? leaf->definitions[i] : 0;
        uint8_t repetition = leaf->node->repetition > 0 ? leaf->repetitions[i] : 0;
        if (repetition > node->repetition || level < node->list_definition)
            continue;
        if (entries == rows)
            return uneven(pick, err);
        if (level >= node->definition) {
            bit_set(out->valid->data, entries);
            present++;
        }
        entries++;
    }
    out->nulls = rows - present;
    return entries == rows ? E_OK : uneven(pick, err);
}

/* Where each entry's elements begin. A slot that goes on with a list must be in it, as the slot before
 * was. */
static enum code list_offsets(const struct parquet_pick *pick, const struct parquet_leaf_read *leaf, int32_t *offsets,
                              int64_t *count, struct error *err)
{
    const struct parquet_node *node = pick->node;
    int64_t entries = 0, elements = 0;
    int in_list = node->definition + 1, before = 0;
    bool broken = false;
    for (int64_t i = 0; i < leaf->slots; i++) {
        int level = leaf->definitions[i], repetition = leaf->repetitions[i];
        if (repetition <= node->repetition && level >= node->list_definition)
            offsets[entries++] = (int32_t)elements;
        elements += repetition <= node->repetition + 1 && level >= in_list;
        broken |= repetition > node->repetition && (level < in_list || before < in_list);
        before = level;
    }
    offsets[entries] = (int32_t)elements;
    *count = elements;
    return broken ? fail(err, E_CORRUPT, "column %s: a list goes on that has not begun", node->path) : E_OK;
}

static void valid_settle(struct column *out)
{
    if (out->nulls == 0) {
        buffer_release(out->valid);
        out->valid = NULL;
    }
}

static enum code variant_assemble(const struct parquet_pick *pick, struct parquet_leaf_read *leaves, int64_t rows,
                                  struct column *out, struct error *err)
{
    struct parquet_pick group = *pick;
    struct column columns = {0};
    group.type = pick->node->variant_group;
    enum code code = parquet_assemble(&group, leaves, rows, &columns, err);
    if (code == E_OK)
        return parquet_variant_join(&columns, out, err);
    column_release(&columns);
    return code;
}

enum code parquet_assemble(const struct parquet_pick *pick, struct parquet_leaf_read *leaves, int64_t rows,
                           struct column *out, struct error *err)
{
    if (pick->node == NULL) {
        column_all_null(out, pick->type, rows);
        return E_OK;
    }
    struct parquet_leaf_read *leaf = &leaves[pick->leaf];
    if (pick->node->kind == TYPE_NULL)
        return leaf_assemble(pick, leaf, rows, out, err);
    if (pick->type->id == TYPE_VARIANT)
        return variant_assemble(pick, leaves, rows, out, err);
    *out = (struct column){.type = pick->type, .rows = rows};
    TRY(entries_valid(pick, leaf, rows, out, err));
    valid_settle(out);
    int64_t below = rows;
    if (pick->node->kind != TYPE_STRUCT) {
        out->offsets = buffer_new((size_t)(rows + 1) * sizeof(int32_t));
        TRY(list_offsets(pick, leaf, (int32_t *)(void *)out->offsets->data, &below, err));
    }
    return children_assemble(pick, leaves, below, out, err);
}

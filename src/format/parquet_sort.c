#include <ctype.h>
#include <stdlib.h>
#include <strings.h>

#include "format/parquet_internal.h"

/* Rows on their way into a row group that shall be sorted: gathered until it is full, then given out in order.
 *
 * Order    Spark's: NULLs first when ascending and last when descending, unless told otherwise; NaN is greater than
 *          all numbers, 0.0 = -0.0; texts by their bytes. Rows that are equal stay in the order they came in
 * Speed    the first column's values become words that compare as they do, as far as 8 bytes reach; only rows with
 *          equal words are compared by value */

enum { WORD_MAX = 64 }; /* bytes of a word of the option */

void parquet_sorter_close(struct parquet_sorter *sorter)
{
    for (int32_t i = 0; sorter->columns != NULL && i < sorter->schema->type->field_count; i++)
        column_release(&sorter->columns[i]);
    mem_free(sorter->columns);
    mem_free(sorter->order);
    *sorter = (struct parquet_sorter){0};
}

/* ---- the option ---- */

/* The next word, moved behind; empty at the end or at a comma. */
static struct bytes word_next(const char **at)
{
    while (isspace((unsigned char)**at))
        ++*at;
    const char *start = *at;
    while (**at != '\0' && **at != ',' && !isspace((unsigned char)**at))
        ++*at;
    return bytes_of(start, (size_t)(*at - start));
}

static bool word_is(struct bytes word, const char *text)
{
    return word.size == strlen(text) && strncasecmp((const char *)word.data, text, word.size) == 0;
}

static enum code column_find(const struct parquet_schema *schema, struct bytes word, struct parquet_sorting *out,
                             struct error *err)
{
    for (int32_t i = 0; i < schema->leaf_count; i++) {
        const struct parquet_leaf *leaf = &schema->leaves[i];
        if (leaf->path_count == 1 && word_is(word, leaf->path[0])) {
            *out = (struct parquet_sorting){.leaf = i, .nulls_first = true};
            return E_OK;
        }
    }
    return fail(err, E_SPEC, "option parquet.sorting.columns: the files have no column %.*s that rows can be sorted by",
                (int)(word.size < WORD_MAX ? word.size : WORD_MAX), (const char *)word.data);
}

static enum code direction_parse(const char **at, struct parquet_sorting *out, struct error *err)
{
    struct bytes word = word_next(at);
    if (word_is(word, "ASC") || word_is(word, "DESC")) {
        out->descending = word_is(word, "DESC");
        out->nulls_first = !out->descending;
        word = word_next(at);
    }
    bool nulls = word_is(word, "NULLS");
    if (nulls) {
        word = word_next(at);
        out->nulls_first = word_is(word, "FIRST");
        nulls = !out->nulls_first && !word_is(word, "LAST"); // still to come
        word = nulls ? word : word_next(at);
    }
    if (word.size == 0 && !nulls)
        return E_OK;
    return fail(err, E_SPEC, "option parquet.sorting.columns: \"%.*s\" instead of ASC, DESC, NULLS FIRST or NULLS LAST",
                (int)(word.size < WORD_MAX ? word.size : WORD_MAX), (const char *)word.data);
}

enum code parquet_sortings_parse(const struct parquet_schema *schema, const char *text, struct arena *arena,
                                 struct parquet_sortings *out, struct error *err)
{
    struct parquet_sortings sortings = {0};
    sortings.items = arena_array(arena, struct parquet_sorting, strlen(text) / 2 + 1); // more than there are columns
    for (const char *at = text; text[0] != '\0'; at++) {
        struct parquet_sorting *item = &sortings.items[sortings.count++];
        TRY(column_find(schema, word_next(&at), item, err));
        TRY(direction_parse(&at, item, err));
        if (*at == '\0')
            break;
    }
    *out = sortings;
    return E_OK;
}

/* ---- values ---- */

static double double_at(const struct column *col, int64_t row)
{
    return col->type->id == TYPE_FLOAT ? (double)column_values(col, float)[row] : column_values(col, double)[row];
}

static __int128 number_at(const struct column *col, int64_t row)
{
    if (col->type->id == TYPE_BOOLEAN)
        return bit_get(col->values->data, row);
    switch (type_width(col->type)) {
    case 1: return column_values(col, int8_t)[row];
    case 2: return column_values(col, int16_t)[row];
    case 4: return column_values(col, int32_t)[row];
    case 8: return column_values(col, int64_t)[row];
    default: return column_values(col, __int128)[row];
    }
}

static bool is_floating(const struct column *col)
{
    return col->type->id == TYPE_FLOAT || col->type->id == TYPE_DOUBLE;
}

/* Two present values: < 0, 0, > 0. */
static int compare_at(const struct column *col, int64_t a, int64_t b)
{
    if (type_is_varlen(col->type)) {
        struct bytes left = column_bytes_at(col, a), right = column_bytes_at(col, b);
        size_t size = left.size < right.size ? left.size : right.size;
        int order = size > 0 ? memcmp(left.data, right.data, size) : 0;
        return order != 0 ? order : left.size < right.size ? -1 : left.size > right.size;
    }
    if (is_floating(col)) {
        double left = double_at(col, a), right = double_at(col, b);
        if (left != left || right != right)
            return (left != left) - (right != right);
        return left < right ? -1 : left > right;
    }
    __int128 left = number_at(col, a), right = number_at(col, b);
    return left < right ? -1 : left > right;
}

static uint64_t text_word(struct bytes text)
{
    uint64_t word = 0;
    memcpy(&word, text.data, text.size < sizeof word ? text.size : sizeof word);
    return __builtin_bswap64(word);
}

static uint64_t double_word(double value)
{
    uint64_t bits, sign = (uint64_t)1 << 63;
    value = value == 0 ? 0 : value;
    memcpy(&bits, &value, sizeof bits);
    if (value != value)
        return UINT64_MAX;
    return bits & sign ? ~bits : bits | sign;
}

/* A word that is less when the value is; equal words tell nothing. */
static uint64_t word_at(const struct column *col, int64_t row)
{
    if (type_is_varlen(col->type)) {
        struct bytes text = column_bytes_at(col, row);
        return text.size > 0 ? text_word(text) : 0;
    }
    if (is_floating(col))
        return double_word(double_at(col, row));
    __int128 number = number_at(col, row);
    int64_t high = type_is_wide_decimal(col->type) ? (int64_t)(number >> 64) : (int64_t)number;
    return (uint64_t)high ^ (uint64_t)1 << 63;
}

/* ---- rows ---- */

static const struct column *column_of(const struct parquet_sorter *sorter, int32_t sorting)
{
    return &sorter->columns[sorter->schema->leaves[sorter->sortings->items[sorting].leaf].column];
}

static int compare_rows(const struct parquet_sorter *sorter, int32_t a, int32_t b)
{
    for (int32_t i = 0; i < sorter->sortings->count; i++) {
        const struct parquet_sorting *sorting = &sorter->sortings->items[i];
        const struct column *col = column_of(sorter, i);
        bool left = column_valid_at(col, a), right = column_valid_at(col, b);
        if (left != right)
            return left == sorting->nulls_first ? 1 : -1;
        int order = left ? compare_at(col, a, b) : 0;
        if (order != 0)
            return sorting->descending ? -order : order;
    }
    return a < b ? -1 : 1;
}

static int compare_order(const void *a, const void *b, void *context)
{
    const struct parquet_sort_row *left = a, *right = b;
    if (left->rank != right->rank)
        return left->rank < right->rank ? -1 : 1;
    if (left->word != right->word)
        return left->word < right->word ? -1 : 1;
    return compare_rows(context, left->row, right->row);
}

/* rank: NULLs of the first column before or behind all others. */
static void order_init(struct parquet_sorter *sorter)
{
    const struct parquet_sorting *first = &sorter->sortings->items[0];
    const struct column *col = column_of(sorter, 0);
    sorter->order = mem_array(struct parquet_sort_row, (size_t)sorter->rows);
    for (int32_t row = 0; row < sorter->rows; row++) {
        struct parquet_sort_row *at = &sorter->order[row];
        bool valid = column_valid_at(col, row);
        at->row = row;
        at->rank = valid ? 1 : first->nulls_first ? 0 : 2;
        at->word = valid ? word_at(col, row) : 0;
        at->word = first->descending && valid ? ~at->word : at->word;
    }
}

void parquet_sorter_init(struct parquet_sorter *sorter, const struct parquet_schema *schema,
                         const struct parquet_sortings *sortings)
{
    *sorter = (struct parquet_sorter){.schema = schema, .sortings = sortings};
    sorter->columns = mem_array(struct column, (size_t)schema->type->field_count);
}

static size_t bytes_of_column(const struct column *col)
{
    size_t size = (col->valid != NULL ? col->valid->size : 0) + (col->offsets != NULL ? col->offsets->size : 0) +
                  (col->values != NULL ? col->values->size : 0);
    for (int32_t i = 0; i < col->child_count; i++)
        size += bytes_of_column(&col->children[i]);
    return size;
}

void parquet_sorter_add(struct parquet_sorter *sorter, const struct batch *batch, int64_t from, int64_t to)
{
    sorter->bytes = 0;
    for (int32_t i = 0; i < batch->column_count; i++) {
        column_append(&sorter->columns[i], &batch->columns[i], from, to);
        sorter->bytes += (int64_t)bytes_of_column(&sorter->columns[i]);
    }
    sorter->rows += to - from;
}

void parquet_sorter_sort(struct parquet_sorter *sorter)
{
    order_init(sorter);
    qsort_r(sorter->order, (size_t)sorter->rows, sizeof *sorter->order, compare_order, sorter);
}

void parquet_sorter_rows(const struct parquet_sorter *sorter, int64_t from, int64_t to, struct batch *out)
{
    int32_t *rows = mem_array(int32_t, (size_t)(to - from));
    for (int64_t i = from; i < to; i++)
        rows[i - from] = sorter->order[i].row;
    batch_init(out, sorter->schema->type, to - from);
    for (int32_t i = 0; i < out->column_count; i++)
        column_gather(&out->columns[i], &sorter->columns[i], rows, to - from);
    mem_free(rows);
}

void parquet_sorter_clear(struct parquet_sorter *sorter)
{
    for (int32_t i = 0; i < sorter->schema->type->field_count; i++) {
        column_release(&sorter->columns[i]);
        sorter->columns[i] = (struct column){0};
    }
    mem_free(sorter->order);
    sorter->order = NULL;
    sorter->rows = sorter->bytes = 0;
}

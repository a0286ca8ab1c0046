/* parquet_prune.c - row groups in which no row can be wanted, by what the footer says of their columns.
 *
 * Bounds   of a column of the file's own type, converted as its values are. None are believed of INT96, BOOLEAN and lists, nor
 *          when they were cut (STATISTIC_MAX bytes) or are of the deprecated fields, whose order nobody wrote down
 */
#include "format/parquet_read.h"

static size_t stored_width(const struct parquet_element *element)
{
    switch (element->physical) {
    case PARQUET_INT32:
    case PARQUET_FLOAT: return 4;
    case PARQUET_INT64:
    case PARQUET_DOUBLE: return 8;
    case PARQUET_FIXED: return (size_t)element->width;
    default: return 0;
    }
}

/* One bound as a column of one row; false: it is none to rely on. */
static bool bound_column(const struct parquet_node *node, const struct parquet_convert *convert, struct bytes bound,
                         struct column *out)
{
    const struct type *type = node->type;
    if (bound.data == NULL)
        return false;
    if (convert->step == VALUE_BYTES) {
        struct builder builder;
        builder_init(&builder, type);
        builder_bytes(&builder, bound);
        builder_finish(&builder, out);
        builder_release(&builder);
        return true;
    }
    bool fixed = convert->step == VALUE_COPY || convert->step == VALUE_INT || convert->step == VALUE_TIME ||
                 (convert->step == VALUE_DECIMAL && node->element->physical != PARQUET_BYTE_ARRAY);
    if (!fixed || type_width(type) == 0 || bound.size != stored_width(node->element) || bound.size == 0)
        return false;
    uint8_t value[sizeof(__int128)] __attribute__((aligned(16))) = {0};
    if (convert->out_width != type_width(type) || !parquet_convert_run(convert, bound.data, 1, value))
        return false;
    *out = (struct column){.type = type, .rows = 1};
    out->values = buffer_new((size_t)type_width(type));
    memcpy(out->values->data, value, (size_t)type_width(type));
    return true;
}

static bool chunk_may_meet(const struct parquet_node *node, const struct parquet_place *place, int64_t rows,
                           const struct row_test *test)
{
    struct parquet_convert convert = {0};
    struct error ignored = {0};
    struct column min = {0}, max = {0};
    if (place->null_count == rows)
        return false;
    if (parquet_convert_plan(node, node->type, &convert, &ignored) != E_OK)
        return true;
    bool may = !bound_column(node, &convert, place->min, &min) || !bound_column(node, &convert, place->max, &max) ||
               row_test_range(test, &min, &max);
    column_release(&min);
    column_release(&max);
    return may;
}

bool parquet_group_may_meet(const struct parquet_meta *meta, const struct parquet_node *root, int32_t group,
                            const struct row_test *tests, int32_t test_count)
{
    const struct parquet_row_group *at = &meta->groups[group];
    for (int32_t i = 0; i < test_count; i++) {
        const struct parquet_node *node = parquet_node_find(root, tests[i].column);
        if (node == NULL)
            return false; // a column that the file lacks is NULL
        bool plain = node->kind == TYPE_NULL && node->type != NULL && node->repetition == 0;
        if (plain && !chunk_may_meet(node, &at->chunks[node->leaf], at->rows, &tests[i]))
            return false;
    }
    return true;
}

/* parquet_summary.c - what a whole file has, as Delta's log keeps it of each file (PROTOCOL.md, Per-file Statistics):
 *
 *   {"numRecords":3,"minValues":{"a":1,"s":{"t":"x"}},"maxValues":{..},"nullCount":{"a":0,"s":{"t":1}}}
 *
 * From     the statistics of the row groups; texts are cut there, greatest ones rounded up
 * Without  what repeats (lists, maps), variants; bounds of booleans and bytes, and of a column with a NaN
 * Times    ISO 8601 in UTC, to the microsecond
 */
#include <inttypes.h>
#include <math.h>

#include "base/text_number.h"
#include "format/parquet_internal.h"

struct column_summary {
    const struct parquet_leaf *leaf;
    int64_t nulls;
    bool bounded;          /* min and max hold for all row groups */
    struct bytes min, max; /* in the form of the footer */
};

/* ---- over all row groups ---- */

static void chunk_merge(struct column_summary *self, const struct parquet_chunk_meta *chunk)
{
    const struct parquet_statistics *s = &chunk->statistics;
    self->nulls += chunk->nulls;
    if (chunk->slots == chunk->nulls)
        return; // no value: it bounds nothing
    struct bytes min = bytes_of(s->min, s->min_size), max = bytes_of(s->max, s->max_size);
    self->bounded &= s->present;
    if (!self->bounded)
        return;
    if (self->min.data == NULL || parquet_bound_order(self->leaf, min, self->min) < 0)
        self->min = min;
    if (self->max.data == NULL || parquet_bound_order(self->leaf, max, self->max) > 0)
        self->max = max;
}

/* Not inside of lists, maps and variants: their values are no rows. */
static bool is_plain(const struct parquet_schema *schema, const struct parquet_leaf *leaf)
{
    const struct type *type = schema->type->fields[leaf->column].type;
    for (int32_t i = 0; i < leaf->step_count && type != NULL; i++)
        if (leaf->steps[i].kind == STEP_FIELD)
            type = type->id == TYPE_STRUCT ? type->fields[leaf->steps[i].child].type : NULL;
    return leaf->repetition_max == 0 && type == leaf->type;
}

/* ---- values ---- */

static int64_t int_of(struct bytes bound)
{
    uint64_t value = 0;
    memcpy(&value, bound.data, bound.size);
    int spare = 64 - (int)bound.size * 8;
    return (int64_t)(value << spare) >> spare;
}

static __int128 wide_of(const struct parquet_leaf *leaf, struct bytes bound)
{
    if (leaf->physical != PARQUET_FIXED)
        return int_of(bound);
    __int128 value = (int8_t)bound.data[0];
    for (size_t i = 1; i < bound.size; i++)
        value = value * 256 + bound.data[i];
    return value;
}

static bool print_number(const struct parquet_leaf *leaf, struct bytes bound, struct text *out)
{
    char text[DOUBLE_TEXT_MAX];
    double wide = 0;
    float narrow = 0;
    if (leaf->physical == PARQUET_DOUBLE)
        memcpy(&wide, bound.data, sizeof wide);
    else
        memcpy(&narrow, bound.data, sizeof narrow);
    if (!isfinite(wide) || !isfinite(narrow))
        return false;
    text_add(out, text, leaf->physical == PARQUET_DOUBLE ? print_double(wide, text) : print_float(narrow, text));
    return true;
}

static void print_time(const struct parquet_leaf *leaf, int64_t value, struct text *out)
{
    char text[TIMESTAMP_TEXT_MAX];
    bool date = leaf->type->id == TYPE_DATE;
    size_t size = date ? date_print((int32_t)value, text) : timestamp_print(value, zone_utc(), text);
    char *blank = memchr(text, ' ', size);
    if (blank != NULL)
        *blank = 'T';
    text_printf(out, "\"%.*s%s\"", (int)size, text, leaf->type->id == TYPE_TIMESTAMP ? "Z" : "");
}

/* False: nothing that JSON can say. */
static bool print_bound(const struct parquet_leaf *leaf, struct bytes bound, struct text *out)
{
    char text[DECIMAL_TEXT_MAX];
    switch (leaf->type->id) {
    case TYPE_INT8:
    case TYPE_INT16:
    case TYPE_INT32:
    case TYPE_INT64: text_printf(out, "%" PRId64, int_of(bound)); return true;
    case TYPE_FLOAT:
    case TYPE_DOUBLE: return print_number(leaf, bound, out);
    case TYPE_DECIMAL: text_add(out, text, decimal_print(wide_of(leaf, bound), leaf->type->scale, text)); return true;
    case TYPE_DATE:
    case TYPE_TIMESTAMP:
    case TYPE_TIMESTAMP_NTZ: print_time(leaf, int_of(bound), out); return true;
    case TYPE_STRING: text_add_json(out, bound); return true;
    default: return false;
    }
}

/* ---- the three objects ---- */

enum part { PART_MIN, PART_MAX, PART_NULLS };

static bool print_value(const struct column_summary *self, enum part part, struct text *out)
{
    if (part == PART_NULLS) {
        text_printf(out, "%" PRId64, self->nulls);
        return true;
    }
    if (!self->bounded || self->min.data == NULL)
        return false;
    return print_bound(self->leaf, part == PART_MIN ? self->min : self->max, out);
}

/* The columns as they nest. `open`: the path of the objects that are open now. */
static void print_columns(const struct column_summary *columns, int32_t count, enum part part, struct text *out)
{
    const char *const *open = NULL;
    int32_t depth = 0;
    struct text value = {0};
    text_add_char(out, '{');
    for (int32_t i = 0; i < count; i++) {
        const struct parquet_leaf *leaf = columns[i].leaf;
        int32_t shared = 0;
        text_clear(&value);
        if (!print_value(&columns[i], part, &value))
            continue;
        while (shared < depth && shared + 1 < leaf->path_count && strcmp(open[shared], leaf->path[shared]) == 0)
            shared++;
        for (; depth > shared; depth--)
            text_add_char(out, '}');
        if (out->data[out->size - 1] != '{')
            text_add_char(out, ',');
        for (; depth < leaf->path_count; depth++) {
            text_add_json(out, bytes_of_string(leaf->path[depth]));
            text_add_string(out, depth + 1 < leaf->path_count ? ":{" : ":");
        }
        text_add(out, value.data, value.size);
        depth = leaf->path_count - 1;
        open = leaf->path;
    }
    for (; depth >= 0; depth--)
        text_add_char(out, '}');
    text_free(&value);
}

void parquet_summary_print(const struct parquet_schema *schema, const struct parquet_groups *groups,
                           int32_t columns_max, struct text *out)
{
    struct column_summary *columns = mem_array(struct column_summary, (size_t)schema->leaf_count);
    int32_t count = 0;
    int64_t rows = 0;
    for (int32_t g = 0; g < groups->count; g++)
        rows += groups->items[g].rows;
    for (int32_t i = 0; i < schema->leaf_count && i < columns_max; i++) {
        if (!is_plain(schema, &schema->leaves[i]))
            continue;
        struct column_summary *column = &columns[count++];
        *column = (struct column_summary){.leaf = &schema->leaves[i], .bounded = true};
        for (int32_t g = 0; g < groups->count; g++)
            chunk_merge(column, &groups->items[g].chunks[i]);
    }
    text_printf(out, "{\"numRecords\":%" PRId64 ",\"minValues\":", rows);
    print_columns(columns, count, PART_MIN, out);
    text_add_string(out, ",\"maxValues\":");
    print_columns(columns, count, PART_MAX, out);
    text_add_string(out, ",\"nullCount\":");
    print_columns(columns, count, PART_NULLS, out);
    text_add_char(out, '}');
    mem_free(columns);
}

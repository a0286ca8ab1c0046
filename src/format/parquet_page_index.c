#include "format/parquet_internal.h"

/* Where the pages of a chunk are (OffsetIndex) and what lies in each (ColumnIndex), so that readers can leave
 * pages out. A ColumnIndex is a struct of lists, one item a page; the items are gathered as they will stand there.
 *
 * Without   a page with a NaN, or with bytes that have no bound of the size asked for, has no place in a
 *           ColumnIndex: then the chunk has none, but still an OffsetIndex
 * Order     of the bounds as written, since cutting may change which is greater: a reader may search them
 *           binarily
 * Spec      parquet-format/PageIndex.md */

/* Field ids of both structs, and of PageLocation. */
enum { COLUMN_NULL_PAGES = 1, COLUMN_MINS = 2, COLUMN_MAXS = 3, COLUMN_ORDER = 4, COLUMN_NULL_COUNTS = 5 };
enum { OFFSET_PLACES = 1 };
enum { PLACE_OFFSET = 1, PLACE_SIZE = 2, PLACE_FIRST_ROW = 3 };
enum boundary_order { ORDER_NONE = 0, ORDER_ASCENDING = 1, ORDER_DESCENDING = 2 };

void parquet_page_index_clear(struct parquet_page_index *index)
{
    index->count = 0;
    index->unbounded = false;
    index->rises = index->falls = true;
    index->last.present = false;
    struct text *texts[] = {&index->empty, &index->mins, &index->maxs, &index->nulls};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        text_clear(texts[i]);
}

void parquet_page_index_close(struct parquet_page_index *index)
{
    struct text *texts[] = {&index->empty, &index->mins, &index->maxs, &index->nulls};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        text_free(texts[i]);
    mem_free(index->places);
    *index = (struct parquet_page_index){0};
}

static struct bytes least_of(const struct parquet_statistics *s) { return bytes_of(s->min, s->min_size); }
static struct bytes greatest_of(const struct parquet_statistics *s) { return bytes_of(s->max, s->max_size); }

static void order_follow(struct parquet_page_index *index, const struct parquet_leaf *leaf,
                         const struct parquet_statistics *now)
{
    if (index->last.present) {
        int least = parquet_bound_order(leaf, least_of(&index->last), least_of(now));
        int greatest = parquet_bound_order(leaf, greatest_of(&index->last), greatest_of(now));
        index->rises &= least <= 0 && greatest <= 0;
        index->falls &= least >= 0 && greatest >= 0;
    }
    index->last = *now;
}

/* Appends list items: a struct that is open but has no field yet. */
static struct thrift items_of(struct text *out)
{
    struct thrift thrift;
    thrift_begin(&thrift, out);
    return thrift;
}

void parquet_page_index_add(struct parquet_page_index *index, const struct parquet_leaf *leaf,
                            struct parquet_page_place place, const struct parquet_range *range, int64_t cut,
                            int64_t values, int64_t nulls)
{
    struct parquet_statistics now = {0};
    mem_grow(index->places, index->capacity, index->count + 1);
    index->places[index->count++] = place;
    if (values > 0) {
        parquet_range_finish(range, leaf, cut, &now);
        index->unbounded |= !now.present;
    }
    if (index->unbounded)
        return;
    if (values > 0)
        order_follow(index, leaf, &now);
    text_add_char(&index->empty, values > 0 ? THRIFT_FALSE : THRIFT_TRUE);
    struct thrift mins = items_of(&index->mins), maxs = items_of(&index->maxs), counts = items_of(&index->nulls);
    thrift_item_binary(&mins, least_of(&now));
    thrift_item_binary(&maxs, greatest_of(&now));
    thrift_item_i64(&counts, nulls);
}

static void list_write(struct thrift *thrift, int16_t id, enum thrift_kind kind, int32_t count,
                       const struct text *items)
{
    thrift_list(thrift, id, kind, (size_t)count);
    text_add(thrift->out, items->data, items->size);
}

void parquet_column_index_write(const struct parquet_page_index *index, struct text *out)
{
    struct thrift thrift;
    if (index->unbounded)
        return;
    enum boundary_order order = index->rises ? ORDER_ASCENDING : index->falls ? ORDER_DESCENDING : ORDER_NONE;
    thrift_begin(&thrift, out);
    list_write(&thrift, COLUMN_NULL_PAGES, THRIFT_TRUE, index->count, &index->empty);
    list_write(&thrift, COLUMN_MINS, THRIFT_BINARY, index->count, &index->mins);
    list_write(&thrift, COLUMN_MAXS, THRIFT_BINARY, index->count, &index->maxs);
    thrift_i32(&thrift, COLUMN_ORDER, (int32_t)order);
    list_write(&thrift, COLUMN_NULL_COUNTS, THRIFT_I64, index->count, &index->nulls);
    thrift_end(&thrift);
}

void parquet_offset_index_write(const struct parquet_page_place *places, int32_t count, struct text *out)
{
    struct thrift thrift;
    thrift_begin(&thrift, out);
    thrift_list(&thrift, OFFSET_PLACES, THRIFT_STRUCT, (size_t)count);
    for (int32_t i = 0; i < count; i++) {
        thrift_item_struct(&thrift);
        thrift_i64(&thrift, PLACE_OFFSET, places[i].start);
        thrift_i32(&thrift, PLACE_SIZE, places[i].size_bytes);
        thrift_i64(&thrift, PLACE_FIRST_ROW, places[i].first_row);
        thrift_end(&thrift);
    }
    thrift_end(&thrift);
}

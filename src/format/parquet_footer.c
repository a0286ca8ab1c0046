#include "format/parquet_internal.h"

/* FileMetaData: what a reader reads first. Field ids are those of parquet.thrift. */

enum {
    FILE_VERSION = 1,
    FILE_SCHEMA = 2,
    FILE_NUM_ROWS = 3,
    FILE_ROW_GROUPS = 4,
    FILE_KEY_VALUES = 5,
    FILE_CREATED_BY = 6,
    FILE_COLUMN_ORDERS = 7
};
enum {
    GROUP_COLUMNS = 1,
    GROUP_TOTAL_BYTES = 2,
    GROUP_NUM_ROWS = 3,
    GROUP_FILE_OFFSET = 5,
    GROUP_COMPRESSED = 6
};
enum { CHUNK_FILE_OFFSET = 2, CHUNK_META = 3 };
enum {
    COLUMN_TYPE = 1,
    COLUMN_ENCODINGS = 2,
    COLUMN_PATH = 3,
    COLUMN_CODEC = 4,
    COLUMN_NUM_VALUES = 5,
    COLUMN_UNCOMPRESSED = 6,
    COLUMN_COMPRESSED = 7,
    COLUMN_DATA_OFFSET = 9,
    COLUMN_DICTIONARY_OFFSET = 11,
    COLUMN_STATISTICS = 12,
    COLUMN_ENCODING_STATS = 13
};
enum {
    STATISTICS_NULLS = 3,
    STATISTICS_MAX = 5,
    STATISTICS_MIN = 6,
    STATISTICS_MAX_EXACT = 7,
    STATISTICS_MIN_EXACT = 8
};
enum { PAGE_DATA = 0, PAGE_DICTIONARY = 2 };

void parquet_groups_free(struct parquet_groups *groups)
{
    for (int32_t i = 0; i < groups->count; i++)
        mem_free(groups->items[i].chunks);
    mem_free(groups->items);
    *groups = (struct parquet_groups){0};
}

/* CompressionCodec of parquet.thrift. */
static int32_t codec_number(enum codec codec)
{
    static const int32_t numbers[] = {
        [CODEC_NONE] = 0, [CODEC_SNAPPY] = 1, [CODEC_ZSTD] = 6, [CODEC_GZIP] = 2, [CODEC_LZ4_RAW] = 7};
    return numbers[codec];
}

static void write_statistics(const struct parquet_chunk_meta *chunk, struct thrift *thrift)
{
    const struct parquet_statistics *s = &chunk->statistics;
    thrift_struct(thrift, COLUMN_STATISTICS);
    thrift_i64(thrift, STATISTICS_NULLS, chunk->nulls);
    if (s->present) {
        thrift_binary(thrift, STATISTICS_MAX, bytes_of(s->max, s->max_size));
        thrift_binary(thrift, STATISTICS_MIN, bytes_of(s->min, s->min_size));
        thrift_bool(thrift, STATISTICS_MAX_EXACT, s->max_exact);
        thrift_bool(thrift, STATISTICS_MIN_EXACT, s->min_exact);
    }
    thrift_end(thrift);
}

static void write_encodings(const struct parquet_chunk_meta *chunk, struct thrift *thrift)
{
    bool plain = chunk->plain_pages > 0 || chunk->dictionary;
    size_t count = 1 + (size_t)plain + (size_t)(chunk->delta_pages > 0) + (size_t)chunk->dictionary;
    thrift_list(thrift, COLUMN_ENCODINGS, THRIFT_I32, count);
    thrift_item_i32(thrift, PARQUET_RLE); /* of the levels */
    if (plain)
        thrift_item_i32(thrift, PARQUET_PLAIN);
    if (chunk->delta_pages > 0)
        thrift_item_i32(thrift, PARQUET_DELTA);
    if (chunk->dictionary)
        thrift_item_i32(thrift, PARQUET_RLE_DICTIONARY);
}

/* From this a reader knows whether all values stand in the dictionary. */
static void write_encoding_stats(const struct parquet_chunk_meta *chunk, struct thrift *thrift)
{
    const struct {
        int32_t page, encoding, count;
    } stats[] = {{PAGE_DICTIONARY, PARQUET_PLAIN, chunk->dictionary},
                 {PAGE_DATA, PARQUET_RLE_DICTIONARY, chunk->dictionary_pages},
                 {PAGE_DATA, PARQUET_PLAIN, chunk->plain_pages},
                 {PAGE_DATA, PARQUET_DELTA, chunk->delta_pages}};
    size_t kinds = sizeof stats / sizeof *stats, count = 0;
    for (size_t i = 0; i < kinds; i++)
        count += stats[i].count > 0;
    thrift_list(thrift, COLUMN_ENCODING_STATS, THRIFT_STRUCT, count);
    for (size_t i = 0; i < kinds; i++) {
        if (stats[i].count == 0)
            continue;
        thrift_item_struct(thrift);
        thrift_i32(thrift, 1, stats[i].page);
        thrift_i32(thrift, 2, stats[i].encoding);
        thrift_i32(thrift, 3, stats[i].count);
        thrift_end(thrift);
    }
}

static void write_chunk(const struct parquet_leaf *leaf, const struct parquet_chunk_meta *chunk,
                        struct thrift *thrift)
{
    thrift_item_struct(thrift);
    thrift_i64(thrift, CHUNK_FILE_OFFSET, 0); /* only for metadata outside the footer */
    thrift_struct(thrift, CHUNK_META);
    thrift_i32(thrift, COLUMN_TYPE, (int32_t)leaf->physical);
    write_encodings(chunk, thrift);
    thrift_list(thrift, COLUMN_PATH, THRIFT_BINARY, (size_t)leaf->path_count);
    for (int32_t i = 0; i < leaf->path_count; i++)
        thrift_item_binary(thrift, bytes_of_string(leaf->path[i]));
    thrift_i32(thrift, COLUMN_CODEC, codec_number(chunk->codec));
    thrift_i64(thrift, COLUMN_NUM_VALUES, chunk->slots);
    thrift_i64(thrift, COLUMN_UNCOMPRESSED, chunk->uncompressed_bytes);
    thrift_i64(thrift, COLUMN_COMPRESSED, chunk->compressed_bytes);
    thrift_i64(thrift, COLUMN_DATA_OFFSET, chunk->data_start);
    if (chunk->dictionary)
        thrift_i64(thrift, COLUMN_DICTIONARY_OFFSET, chunk->start);
    write_statistics(chunk, thrift);
    write_encoding_stats(chunk, thrift);
    thrift_end(thrift);
    thrift_end(thrift);
}

static void write_group(const struct parquet_schema *schema, const struct parquet_group *group,
                        struct thrift *thrift)
{
    int64_t uncompressed = 0, compressed = 0;
    thrift_item_struct(thrift);
    thrift_list(thrift, GROUP_COLUMNS, THRIFT_STRUCT, (size_t)schema->leaf_count);
    for (int32_t i = 0; i < schema->leaf_count; i++) {
        write_chunk(&schema->leaves[i], &group->chunks[i], thrift);
        uncompressed += group->chunks[i].uncompressed_bytes;
        compressed += group->chunks[i].compressed_bytes;
    }
    thrift_i64(thrift, GROUP_TOTAL_BYTES, uncompressed);
    thrift_i64(thrift, GROUP_NUM_ROWS, group->rows);
    thrift_i64(thrift, GROUP_FILE_OFFSET, group->chunks[0].start);
    thrift_i64(thrift, GROUP_COMPRESSED, compressed);
    thrift_end(thrift);
}

/* Spark restores its own types (byte, interval, ...) from here. */
static void write_key_values(const struct parquet_schema *schema, struct thrift *thrift)
{
    struct text json = {0};
    spark_schema_write(schema->type, true, &json);
    thrift_list(thrift, FILE_KEY_VALUES, THRIFT_STRUCT, 1);
    thrift_item_struct(thrift);
    thrift_binary(thrift, 1, bytes_of_string("org.apache.spark.sql.parquet.row.metadata"));
    thrift_binary(thrift, 2, text_view(&json));
    thrift_end(thrift);
    text_free(&json);
}

/* Without this list readers must ignore minima and maxima. */
static void write_column_orders(const struct parquet_schema *schema, struct thrift *thrift)
{
    enum { TYPE_ORDER = 1 };
    thrift_list(thrift, FILE_COLUMN_ORDERS, THRIFT_STRUCT, (size_t)schema->leaf_count);
    for (int32_t i = 0; i < schema->leaf_count; i++) {
        thrift_item_struct(thrift);
        thrift_struct(thrift, TYPE_ORDER);
        thrift_end(thrift);
        thrift_end(thrift);
    }
}

void parquet_footer_write(const struct parquet_schema *schema, const struct parquet_groups *groups,
                          const char *created_by, struct text *out)
{
    struct thrift thrift;
    size_t start = out->size;
    int64_t rows = 0;
    for (int32_t i = 0; i < groups->count; i++)
        rows += groups->items[i].rows;
    thrift_begin(&thrift, out);
    thrift_i32(&thrift, FILE_VERSION, 2);
    parquet_schema_write(schema, &thrift, FILE_SCHEMA);
    thrift_i64(&thrift, FILE_NUM_ROWS, rows);
    thrift_list(&thrift, FILE_ROW_GROUPS, THRIFT_STRUCT, (size_t)groups->count);
    for (int32_t i = 0; i < groups->count; i++)
        write_group(schema, &groups->items[i], &thrift);
    write_key_values(schema, &thrift);
    thrift_binary(&thrift, FILE_CREATED_BY, bytes_of_string(created_by));
    write_column_orders(schema, &thrift);
    thrift_end(&thrift);
    uint32_t size = (uint32_t)(out->size - start);
    text_add(out, &size, sizeof size);
    text_add(out, "PAR1", 4);
}

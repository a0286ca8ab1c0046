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
    GROUP_SORTING = 4,
    GROUP_FILE_OFFSET = 5,
    GROUP_COMPRESSED = 6
};
enum {
    CHUNK_FILE_OFFSET = 2,
    CHUNK_META = 3,
    CHUNK_OFFSET_INDEX = 4,
    CHUNK_OFFSET_INDEX_BYTES = 5,
    CHUNK_COLUMN_INDEX = 6,
    CHUNK_COLUMN_INDEX_BYTES = 7
};
enum { SORTING_COLUMN = 1, SORTING_DESCENDING = 2, SORTING_NULLS_FIRST = 3 };
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
    COLUMN_ENCODING_STATS = 13,
    COLUMN_BLOOM_OFFSET = 14,
    COLUMN_BLOOM_BYTES = 15
};
enum {
    STATISTICS_NULLS = 3,
    STATISTICS_MAX = 5,
    STATISTICS_MIN = 6,
    STATISTICS_MAX_EXACT = 7,
    STATISTICS_MIN_EXACT = 8
};
enum { PAGE_DATA = 0, PAGE_DICTIONARY = 2, PAGE_DATA_V2 = 3 };

/* Where the two parts of a chunk's page index stand. */
struct index_place {
    int64_t column, offset;
    int32_t column_bytes, offset_bytes;
};

void parquet_chunk_meta_close(struct parquet_chunk_meta *meta)
{
    mem_free(meta->places);
    text_free(&meta->column_index);
    text_free(&meta->bloom);
}

void parquet_groups_free(struct parquet_groups *groups)
{
    for (int32_t i = 0; i < groups->count; i++) {
        for (int32_t k = 0; k < groups->items[i].leaf_count; k++)
            parquet_chunk_meta_close(&groups->items[i].chunks[k]);
        mem_free(groups->items[i].chunks);
    }
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

/* Is this encoding somewhere in the chunk? PLAIN is also that of a dictionary, RLE that of the levels. */
static bool has_encoding(const struct parquet_chunk_meta *chunk, int encoding)
{
    return chunk->pages[encoding] > 0 || encoding == PARQUET_RLE || (encoding == PARQUET_PLAIN && chunk->dictionary);
}

static void write_encodings(const struct parquet_chunk_meta *chunk, struct thrift *thrift)
{
    size_t count = 0;
    for (int e = 0; e < PARQUET_ENCODING_COUNT; e++)
        count += has_encoding(chunk, e);
    thrift_list(thrift, COLUMN_ENCODINGS, THRIFT_I32, count);
    for (int e = 0; e < PARQUET_ENCODING_COUNT; e++)
        if (has_encoding(chunk, e))
            thrift_item_i32(thrift, e);
}

static void write_encoding_stat(struct thrift *thrift, int32_t page, int32_t encoding, int32_t count)
{
    thrift_item_struct(thrift);
    thrift_i32(thrift, 1, page);
    thrift_i32(thrift, 2, encoding);
    thrift_i32(thrift, 3, count);
    thrift_end(thrift);
}

/* From this a reader knows whether all values stand in the dictionary. */
static void write_encoding_stats(const struct parquet_chunk_meta *chunk, struct thrift *thrift)
{
    int32_t data = chunk->version == PARQUET_VERSION_2 ? PAGE_DATA_V2 : PAGE_DATA;
    size_t count = chunk->dictionary;
    for (int e = 0; e < PARQUET_ENCODING_COUNT; e++)
        count += chunk->pages[e] > 0;
    thrift_list(thrift, COLUMN_ENCODING_STATS, THRIFT_STRUCT, count);
    if (chunk->dictionary)
        write_encoding_stat(thrift, PAGE_DICTIONARY, PARQUET_PLAIN, 1);
    for (int e = 0; e < PARQUET_ENCODING_COUNT; e++)
        if (chunk->pages[e] > 0)
            write_encoding_stat(thrift, data, e, chunk->pages[e]);
}

static void write_index_place(const struct index_place *place, struct thrift *thrift)
{
    thrift_i64(thrift, CHUNK_OFFSET_INDEX, place->offset);
    thrift_i32(thrift, CHUNK_OFFSET_INDEX_BYTES, place->offset_bytes);
    if (place->column_bytes == 0)
        return;
    thrift_i64(thrift, CHUNK_COLUMN_INDEX, place->column);
    thrift_i32(thrift, CHUNK_COLUMN_INDEX_BYTES, place->column_bytes);
}

static void write_bloom_place(const struct parquet_chunk_meta *chunk, struct thrift *thrift)
{
    if (chunk->bloom_bytes == 0)
        return;
    thrift_i64(thrift, COLUMN_BLOOM_OFFSET, chunk->bloom_start);
    thrift_i32(thrift, COLUMN_BLOOM_BYTES, chunk->bloom_bytes);
}

static void write_chunk(const struct parquet_leaf *leaf, const struct parquet_chunk_meta *chunk,
                        const struct index_place *place, struct thrift *thrift)
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
    write_bloom_place(chunk, thrift);
    thrift_end(thrift);
    write_index_place(place, thrift);
    thrift_end(thrift);
}

static void write_sortings(const struct parquet_sortings *sortings, struct thrift *thrift)
{
    if (sortings->count == 0)
        return;
    thrift_list(thrift, GROUP_SORTING, THRIFT_STRUCT, (size_t)sortings->count);
    for (int32_t i = 0; i < sortings->count; i++) {
        thrift_item_struct(thrift);
        thrift_i32(thrift, SORTING_COLUMN, sortings->items[i].leaf);
        thrift_bool(thrift, SORTING_DESCENDING, sortings->items[i].descending);
        thrift_bool(thrift, SORTING_NULLS_FIRST, sortings->items[i].nulls_first);
        thrift_end(thrift);
    }
}

static void write_group(const struct parquet_file *file, const struct parquet_group *group,
                        const struct index_place *places, struct thrift *thrift)
{
    const struct parquet_schema *schema = file->schema;
    int64_t uncompressed = 0, compressed = 0;
    thrift_item_struct(thrift);
    thrift_list(thrift, GROUP_COLUMNS, THRIFT_STRUCT, (size_t)schema->leaf_count);
    for (int32_t i = 0; i < schema->leaf_count; i++) {
        write_chunk(&schema->leaves[i], &group->chunks[i], &places[i], thrift);
        uncompressed += group->chunks[i].uncompressed_bytes;
        compressed += group->chunks[i].compressed_bytes;
    }
    thrift_i64(thrift, GROUP_TOTAL_BYTES, uncompressed);
    thrift_i64(thrift, GROUP_NUM_ROWS, group->rows);
    write_sortings(&file->sortings, thrift);
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

/* Places that say where each chunk's part stands, once the page index is written behind the file's `offset`. */
static void write_page_index(const struct parquet_file *file, int64_t offset, struct index_place *places,
                             struct text *out)
{
    size_t begin = out->size;
    int32_t leaves = file->schema->leaf_count, chunks = file->groups->count * leaves;
    for (int32_t i = 0; i < chunks; i++) {
        const struct parquet_chunk_meta *chunk = &file->groups->items[i / leaves].chunks[i % leaves];
        places[i].column = offset + (int64_t)(out->size - begin);
        places[i].column_bytes = (int32_t)chunk->column_index.size;
        text_add(out, chunk->column_index.data, chunk->column_index.size);
    }
    for (int32_t i = 0; i < chunks; i++) {
        const struct parquet_chunk_meta *chunk = &file->groups->items[i / leaves].chunks[i % leaves];
        size_t start = out->size;
        places[i].offset = offset + (int64_t)(start - begin);
        parquet_offset_index_write(chunk->places, chunk->place_count, out);
        places[i].offset_bytes = (int32_t)(out->size - start);
    }
}

static void write_file(const struct parquet_file *file, const struct index_place *places, struct text *out)
{
    struct thrift thrift;
    int64_t rows = 0;
    for (int32_t i = 0; i < file->groups->count; i++)
        rows += file->groups->items[i].rows;
    thrift_begin(&thrift, out);
    thrift_i32(&thrift, FILE_VERSION, 2);
    parquet_schema_write(file->schema, &thrift, FILE_SCHEMA);
    thrift_i64(&thrift, FILE_NUM_ROWS, rows);
    thrift_list(&thrift, FILE_ROW_GROUPS, THRIFT_STRUCT, (size_t)file->groups->count);
    for (int32_t i = 0; i < file->groups->count; i++)
        write_group(file, &file->groups->items[i], places + (size_t)i * (size_t)file->schema->leaf_count, &thrift);
    write_key_values(file->schema, &thrift);
    thrift_binary(&thrift, FILE_CREATED_BY, bytes_of_string(file->created_by));
    write_column_orders(file->schema, &thrift);
    thrift_end(&thrift);
}

void parquet_footer_write(const struct parquet_file *file, int64_t offset, struct text *out)
{
    size_t chunks = (size_t)file->groups->count * (size_t)file->schema->leaf_count;
    struct index_place *places = mem_array(struct index_place, chunks);
    write_page_index(file, offset, places, out);
    size_t start = out->size;
    write_file(file, places, out);
    uint32_t size = (uint32_t)(out->size - start);
    text_add(out, &size, sizeof size);
    text_add(out, "PAR1", 4);
    mem_free(places);
}

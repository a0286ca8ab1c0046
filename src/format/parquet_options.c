#include <stddef.h>
#include <stdlib.h>
#include <strings.h>

#include "format/parquet_internal.h"

/* The properties of a table that say how its Parquet files are written, by the names that parquet-java and Spark
 * know. NAME#COLUMN is for one column, or for all below it when it is nested; it wins over NAME.
 *
 * Wide     a table of many columns has many pages and dictionaries open at once. Both shrink so that those of all
 *          columns together are about as large as a row group */

enum { WIDE_PAGE_MIN = 8 << 10, WIDE_DICTIONARY_MIN = 16 << 10 };

#define COMPRESSIONS "none|uncompressed|snappy|zstd|gzip|lz4|lz4_raw"
#define VERSIONS "auto|v1|v2|PARQUET_1_0|PARQUET_2_0"
#define AT(field) offsetof(struct parquet_options, field)

const struct option parquet_option_table[] = {
    {"parquet.compression", OPTION_ENUM, "snappy", COMPRESSIONS, 0, 0,
     "codec of the pages; lz4 means lz4_raw, which all readers know", AT(codec_choice), false},
    {"parquet.compression#COLUMN", OPTION_ENUM, "snappy", COMPRESSIONS, 0, 0, "the same for one column",
     AT(codec_choice), false},
    {"parquet.compression.codec.zstd.level", OPTION_INT, "3", NULL, 1, 22, "zstd's effort", AT(zstd_level), false},
    {"parquet.block.size", OPTION_BYTES, "16MB", NULL, 64 << 10, 1 << 30, "size of a row group, bytes as written",
     AT(row_group_bytes), false},
    {"parquet.block.row.count.limit", OPTION_INT, "1048576", NULL, 1, 1 << 24, "most rows of a row group",
     AT(row_group_rows), false},
    {"parquet.page.size", OPTION_BYTES, "256kB", NULL, 1 << 10, 16 << 20,
     "size of a page before compression, bytes; less in tables of many columns", AT(page_bytes), false},
    {"parquet.page.row.count.limit", OPTION_INT, "20000", NULL, 1, 1 << 20, "most rows of a page", AT(page_rows),
     false},
    {"parquet.dictionary.page.size", OPTION_BYTES, "1MB", NULL, 1 << 10, 16 << 20,
     "most bytes of a dictionary; less in tables of many columns", AT(dictionary_bytes), false},
    {"parquet.enable.dictionary", OPTION_BOOLEAN, "true", NULL, 0, 0, "use dictionaries where they save space",
     AT(dictionary), false},
    {"parquet.enable.dictionary#COLUMN", OPTION_BOOLEAN, "true", NULL, 0, 0, "the same for one column", AT(dictionary),
     false},
    {"parquet.enable.delta", OPTION_BOOLEAN, "true", NULL, 0, 0,
     "use DELTA_BINARY_PACKED, DELTA_LENGTH_BYTE_ARRAY and DELTA_BYTE_ARRAY where they save space", AT(delta), false},
    {"parquet.enable.delta#COLUMN", OPTION_BOOLEAN, "true", NULL, 0, 0, "the same for one column", AT(delta), false},
    {"parquet.enable.bytestreamsplit", OPTION_BOOLEAN, "false", NULL, 0, 0,
     "use BYTE_STREAM_SPLIT for FLOAT and DOUBLE where it saves space; Spark 4.2 reads it only with "
     "spark.sql.parquet.enableVectorizedReader = false",
     AT(split), false},
    {"parquet.enable.bytestreamsplit#COLUMN", OPTION_BOOLEAN, "false", NULL, 0, 0, "the same for one column", AT(split),
     false},
    {"parquet.writer.version", OPTION_ENUM, "auto", VERSIONS, 0, 0,
     "v1: only PLAIN and dictionaries; v2: pages of version 2 and all encodings; auto: pages of version 1, all "
     "encodings",
     AT(version_choice), false},
    {"parquet.page.write-checksum.enabled", OPTION_BOOLEAN, "true", NULL, 0, 0, "a CRC-32 for each page", AT(checksum),
     false},
    {"parquet.statistics.truncate.length", OPTION_INT, "64", NULL, 1, PARQUET_BOUND_BYTES_MAX,
     "most bytes of the least and greatest text of a row group; longer ones are cut", AT(statistics_cut), false},
    {"parquet.columnindex.truncate.length", OPTION_INT, "64", NULL, 1, PARQUET_BOUND_BYTES_MAX,
     "the same for those of a page", AT(index_cut), false},
    {"parquet.bloom.filter.enabled", OPTION_BOOLEAN, "false", NULL, 0, 0,
     "a Bloom filter for each column of each row group, to look up single values", AT(bloom), false},
    {"parquet.bloom.filter.enabled#COLUMN", OPTION_BOOLEAN, "false", NULL, 0, 0, "the same for one column", AT(bloom),
     false},
    {"parquet.bloom.filter.expected.ndv#COLUMN", OPTION_INT, "0", NULL, 0, 0,
     "different values to expect in a row group; 0 = as many as come", AT(bloom_ndv), false},
    {"parquet.bloom.filter.fpp", OPTION_STRING, "0.01", NULL, 0, 0,
     "share of absent values that a filter may take for present", AT(bloom_fpp_text), false},
    {"parquet.bloom.filter.fpp#COLUMN", OPTION_STRING, "0.01", NULL, 0, 0, "the same for one column",
     AT(bloom_fpp_text), false},
    {"parquet.bloom.filter.max.bytes", OPTION_BYTES, "1MB", NULL, 32, 16 << 20, "most bytes of a filter",
     AT(bloom_bytes), false},
    {"parquet.sorting.columns", OPTION_STRING, "", NULL, 0, 0,
     "sort the rows of each row group: COLUMN [ASC|DESC] [NULLS FIRST|LAST], ...", AT(sorting), false},
    {NULL, OPTION_STRING, NULL, NULL, 0, 0, NULL, 0, false},
};

/* ---- what follows from the texts ---- */

static enum code complete(struct parquet_options *options, struct error *err)
{
    static const enum codec codecs[] = {CODEC_NONE, CODEC_NONE,    CODEC_SNAPPY, CODEC_ZSTD,
                                        CODEC_GZIP, CODEC_LZ4_RAW, CODEC_LZ4_RAW}; // as COMPRESSIONS
    static const enum parquet_version versions[] = {PARQUET_VERSION_ANY, PARQUET_VERSION_1, PARQUET_VERSION_2,
                                                    PARQUET_VERSION_1, PARQUET_VERSION_2}; // as VERSIONS
    char *end;
    options->codec = codecs[options->codec_choice];
    options->version = versions[options->version_choice];
    options->bloom_fpp = strtod(options->bloom_fpp_text, &end);
    if (end == options->bloom_fpp_text || *end != '\0' || !(options->bloom_fpp >= 1e-9 && options->bloom_fpp < 1))
        return fail(err, E_SPEC, "option parquet.bloom.filter.fpp = %s must be a number from 1e-9 to below 1",
                    options->bloom_fpp_text);
    if (options->version == PARQUET_VERSION_1)
        options->delta = options->split = false;
    return E_OK;
}

static int64_t share(int64_t total, int32_t parts, int64_t least, int64_t most)
{
    int64_t part = total / parts;
    part = part > least ? part : least;
    return part < most ? part : most;
}

static void fit_to_width(struct parquet_options *options, int32_t leaf_count)
{
    int64_t total = options->row_group_bytes;
    options->page_bytes = share(total, leaf_count, WIDE_PAGE_MIN, options->page_bytes);
    options->dictionary_bytes = share(total, leaf_count, WIDE_DICTIONARY_MIN, options->dictionary_bytes);
}

/* ---- columns ---- */

static const char *column_of(const char *name)
{
    const char *mark = strchr(name, '#');
    return mark != NULL ? mark + 1 : NULL;
}

/* Is `column` the leaf's path, or that of something above it? */
static bool leaf_is_below(const struct parquet_leaf *leaf, const char *column)
{
    for (int32_t i = 0; i < leaf->path_count; i++) {
        size_t size = strlen(leaf->path[i]);
        if (strncasecmp(leaf->path[i], column, size) != 0)
            return false;
        if (column[size] == '\0')
            return true;
        if (column[size] != '.')
            return false;
        column += size + 1;
    }
    return false;
}

static enum code column_set(const struct parquet_schema *schema, struct parquet_options *leaves, const char *name,
                            const char *value, struct arena *arena, struct error *err)
{
    bool found = false;
    for (int32_t i = 0; i < schema->leaf_count; i++) {
        if (!leaf_is_below(&schema->leaves[i], column_of(name)))
            continue;
        found = true;
        TRY(option_set(parquet_option_table, &leaves[i], name, value, arena, err));
    }
    return found ? E_OK : fail(err, E_SPEC, "option %s: the files have no column %s", name, column_of(name));
}

enum code parquet_options_read(const struct encoder_spec *spec, const struct parquet_schema *schema,
                               struct arena *arena, struct parquet_options *lane, struct parquet_options **leaves,
                               struct error *err)
{
    options_defaults(parquet_option_table, lane, arena);
    for (int32_t i = 0; i < spec->option_count; i++)
        if (column_of(spec->option_names[i]) == NULL)
            TRY(option_set(parquet_option_table, lane, spec->option_names[i], spec->option_values[i], arena, err));
    if (spec->compression != NULL)
        TRY(option_set(parquet_option_table, lane, "parquet.compression", spec->compression, arena, err));
    if (spec->row_group_bytes > 0)
        lane->row_group_bytes = spec->row_group_bytes;
    fit_to_width(lane, schema->leaf_count);
    *leaves = arena_array(arena, struct parquet_options, (size_t)schema->leaf_count);
    for (int32_t i = 0; i < schema->leaf_count; i++)
        (*leaves)[i] = *lane;
    for (int32_t i = 0; i < spec->option_count; i++)
        if (column_of(spec->option_names[i]) != NULL)
            TRY(column_set(schema, *leaves, spec->option_names[i], spec->option_values[i], arena, err));
    for (int32_t i = 0; i < schema->leaf_count; i++) {
        TRY(complete(&(*leaves)[i], err));
        (*leaves)[i].bloom &= schema->leaves[i].physical != PARQUET_BOOLEAN;
    }
    return complete(lane, err);
}

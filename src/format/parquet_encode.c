#include <stddef.h>

#include "format/formats_internal.h"
#include "format/parquet_internal.h"
#include "format/texts_repair.h"

/* The encoder_type: lanes that build row groups, and files that put them one behind the other. */

enum { LANE_STEP_ROWS = 8192 }; /* rows between two looks at the size of the row group */

static const struct option option_table[] = {
    {"parquet.compression", OPTION_ENUM, "snappy", "none|uncompressed|snappy|zstd|gzip|lz4|lz4_raw", 0, 0,
     "codec of the pages; lz4 means lz4_raw, which all readers know", offsetof(struct parquet_options, codec),
     false},
    {"parquet.compression.codec.zstd.level", OPTION_INT, "3", NULL, 1, 22, "zstd's effort",
     offsetof(struct parquet_options, zstd_level), false},
    {"parquet.block.size", OPTION_BYTES, "64MB", NULL, 64 << 10, 1 << 30,
     "size of a row group, bytes as written", offsetof(struct parquet_options, row_group_bytes), false},
    {"parquet.page.size", OPTION_BYTES, "256kB", NULL, 4 << 10, 16 << 20,
     "size of a page before compression, bytes", offsetof(struct parquet_options, page_bytes), false},
    {"parquet.enable.dictionary", OPTION_BOOLEAN, "true", NULL, 0, 0,
     "use dictionaries where they save space", offsetof(struct parquet_options, dictionary), false},
    {"parquet.enable.delta", OPTION_BOOLEAN, "true", NULL, 0, 0,
     "use DELTA_BINARY_PACKED for 64-bit integers and timestamps where it saves space",
     offsetof(struct parquet_options, delta), false},
    {NULL, OPTION_STRING, NULL, NULL, 0, 0, NULL, 0, false},
};

static enum code options_read(const struct encoder_spec *spec, struct arena *arena,
                              struct parquet_options *options, struct error *err)
{
    options_defaults(option_table, options, arena);
    for (int32_t i = 0; i < spec->option_count; i++)
        TRY(option_set(option_table, options, spec->option_names[i], spec->option_values[i], arena, err));
    if (spec->compression != NULL)
        TRY(option_set(option_table, options, "parquet.compression", spec->compression, arena, err));
    if (spec->row_group_bytes > 0)
        options->row_group_bytes = spec->row_group_bytes;
    return E_OK;
}

/* ---- lanes ---- */

struct lane {
    struct arena arena;
    struct parquet_options options;
    struct parquet_schema schema;
    struct parquet_scratch scratch;
    struct parquet_chunk *chunks;  /* of the row group being built */
    int64_t rows;                  /* in it */
    struct text done;              /* finished row groups */
    struct parquet_groups *groups; /* their description; NULL when there are none */
    int64_t done_rows;
};

static enum code lane_open(void *self, const struct encoder_spec *spec, struct error *err)
{
    struct lane *lane = self;
    *lane = (struct lane){0};
    enum code code = options_read(spec, &lane->arena, &lane->options, err);
    if (code == E_OK)
        code = parquet_schema_init(&lane->schema, spec->schema, &lane->arena, err);
    if (code != E_OK) {
        arena_free(&lane->arena);
        return code;
    }
    static const enum codec codecs[] = {
        CODEC_NONE, CODEC_NONE,    CODEC_SNAPPY, CODEC_ZSTD,
        CODEC_GZIP, CODEC_LZ4_RAW, CODEC_LZ4_RAW}; /* as the option's choices */
    parquet_scratch_init(&lane->scratch, &lane->options, codecs[lane->options.codec]);
    lane->chunks = arena_array(&lane->arena, struct parquet_chunk, (size_t)lane->schema.leaf_count);
    for (int32_t i = 0; i < lane->schema.leaf_count; i++)
        parquet_chunk_init(&lane->chunks[i], &lane->schema.leaves[i], &lane->scratch);
    return E_OK;
}

static int64_t lane_rows(const void *self)
{
    const struct lane *lane = self;
    return lane->done_rows + lane->rows;
}

static int64_t group_bytes(const struct lane *lane)
{
    int64_t size = 0;
    for (int32_t i = 0; i < lane->schema.leaf_count; i++)
        size += parquet_chunk_bytes(&lane->chunks[i]);
    return size;
}

static int64_t lane_bytes(const void *self)
{
    const struct lane *lane = self;
    return (int64_t)lane->done.size + group_bytes(lane);
}

/* Close the row group. */
static enum code lane_cut(struct lane *lane, struct error *err)
{
    if (lane->rows == 0)
        return E_OK;
    if (lane->groups == NULL)
        lane->groups = mem_new(struct parquet_groups);
    struct parquet_groups *groups = lane->groups;
    mem_grow(groups->items, groups->capacity, groups->count + 1);
    struct parquet_group *group = &groups->items[groups->count++];
    *group = (struct parquet_group){lane->rows,
                                    mem_array(struct parquet_chunk_meta, (size_t)lane->schema.leaf_count)};
    text_reserve(&lane->done, (size_t)group_bytes(lane));
    for (int32_t i = 0; i < lane->schema.leaf_count; i++)
        TRY(parquet_chunk_finish(&lane->chunks[i], &lane->scratch, &lane->done, &group->chunks[i], err));
    lane->done_rows += lane->rows;
    lane->rows = 0;
    return E_OK;
}

/* A caller that takes a piece at the size it asked for gets one row group; one that waits gets several. */
static enum code rows_add(struct lane *lane, const struct batch *batch, int64_t from, int64_t to, struct error *err)
{
    always(batch->column_count == lane->schema.type->field_count && from >= 0 && to <= batch->rows);
    while (from < to) {
        int64_t rows = to - from < LANE_STEP_ROWS ? to - from : LANE_STEP_ROWS;
        for (int32_t i = 0; i < lane->schema.leaf_count; i++) {
            const struct column *col = &batch->columns[lane->schema.leaves[i].column];
            TRY(parquet_chunk_add(&lane->chunks[i], &lane->scratch, col, from, from + rows, err));
        }
        from += rows;
        lane->rows += rows;
        if (lane->rows >= PARQUET_ROW_GROUP_ROWS_MAX || group_bytes(lane) >= lane->options.row_group_bytes)
            TRY(lane_cut(lane, err));
    }
    return E_OK;
}

static enum code lane_add(void *self, const struct batch *batch, int64_t from, int64_t to, struct error *err)
{
    struct batch valid = {0};
    texts_repair(&valid, batch, from, to);
    enum code code = rows_add(self, &valid, from, to, err);
    batch_release(&valid);
    return code;
}

static enum code lane_take(void *self, struct piece *out, struct error *err)
{
    struct lane *lane = self;
    TRY(lane_cut(lane, err));
    *out = (struct piece){.bytes = lane->done, .rows = lane->done_rows, .detail = lane->groups};
    lane->done = (struct text){0};
    lane->groups = NULL;
    lane->done_rows = 0;
    return E_OK;
}

static void groups_drop(struct parquet_groups *groups)
{
    if (groups != NULL)
        parquet_groups_free(groups);
    mem_free(groups);
}

static void lane_close(void *self)
{
    struct lane *lane = self;
    for (int32_t i = 0; lane->chunks != NULL && i < lane->schema.leaf_count; i++)
        parquet_chunk_close(&lane->chunks[i]);
    parquet_scratch_close(&lane->scratch);
    groups_drop(lane->groups);
    text_free(&lane->done);
    arena_free(&lane->arena);
    *lane = (struct lane){0};
}

static void piece_close(struct piece *piece)
{
    text_free(&piece->bytes);
    groups_drop(piece->detail);
    *piece = (struct piece){0};
}

/* ---- files ---- */

struct file {
    struct arena arena;
    struct parquet_schema schema;
    struct parquet_groups groups; /* with offsets in the file */
    const char *created_by;
};

static enum code file_open(void *self, const struct encoder_spec *spec, struct text *header,
                           struct error *err)
{
    struct file *file = self;
    *file = (struct file){0};
    enum code code = parquet_schema_init(&file->schema, spec->schema, &file->arena, err);
    if (code != E_OK) {
        arena_free(&file->arena);
        return code;
    }
    file->created_by = arena_strdup(&file->arena, spec->created_by != NULL ? spec->created_by : "leat");
    text_add(header, "PAR1", 4);
    return E_OK;
}

static enum code file_add(void *self, struct piece *piece, int64_t offset, struct error *err)
{
    (void)err;
    struct file *file = self;
    struct parquet_groups *groups = piece->detail;
    if (groups == NULL)
        return E_OK;
    mem_grow(file->groups.items, file->groups.capacity, file->groups.count + groups->count);
    for (int32_t i = 0; i < groups->count; i++) {
        struct parquet_group *group = &groups->items[i];
        for (int32_t k = 0; k < file->schema.leaf_count; k++) {
            group->chunks[k].start += offset;
            group->chunks[k].data_start += offset;
        }
        file->groups.items[file->groups.count++] = *group;
    }
    groups->count = 0; /* the chunks have moved */
    groups_drop(groups);
    piece->detail = NULL;
    return E_OK;
}

static enum code file_finish(void *self, struct text *footer, struct error *err)
{
    (void)err;
    const struct file *file = self;
    parquet_footer_write(&file->schema, &file->groups, file->created_by, footer);
    return E_OK;
}

static void file_close(void *self)
{
    struct file *file = self;
    parquet_groups_free(&file->groups);
    arena_free(&file->arena);
    *file = (struct file){0};
}

const struct encoder_type parquet_encoder = {
    .name = "parquet",
    .help = "Parquet files: snappy pages, dictionaries, statistics; Spark restores its types",
    .suffix = ".parquet",
    .options = option_table,
    .lane_size = sizeof(struct lane),
    .lane_open = lane_open,
    .lane_add = lane_add,
    .lane_rows = lane_rows,
    .lane_bytes = lane_bytes,
    .lane_take = lane_take,
    .lane_close = lane_close,
    .file_size = sizeof(struct file),
    .file_open = file_open,
    .file_add = file_add,
    .file_finish = file_finish,
    .file_close = file_close,
    .piece_close = piece_close,
};

#include <stddef.h>

#include "format/formats_internal.h"
#include "format/parquet_internal.h"
#include "format/texts_repair.h"

/* The encoder_type: lanes that build row groups, and files that put them one behind the other. */

enum {
    LANE_STEP_ROWS = 8192, /* rows between two looks at the size of the row group */
    WIDE_LEAVES = 256,     /* tables of more give memory back after each row group */
    SORTED_RAW_MAX = 4,    /* gathered columns may take so many times the aim, however well they compress */
};

/* ---- lanes ---- */

struct lane {
    struct arena arena;
    struct parquet_options options, *leaf_options;
    struct parquet_schema schema;
    struct parquet_scratch scratch;
    struct parquet_chunk *chunks; /* of the row group being built */
    int64_t rows;                 /* in it */
    bool variants;                /* some column is one, or has one in it */
    struct parquet_sortings sortings;
    struct parquet_sorter sorter;  /* rows that are not in it yet */
    double shrinks;                /* bytes of the last row group in the file by those of its columns */
    struct text done;              /* finished row groups */
    struct parquet_groups *groups; /* their description; NULL when there are none */
    int64_t done_rows;
};

static enum code settings_read(struct lane *lane, const struct encoder_spec *spec, struct error *err)
{
    TRY(parquet_schema_init(&lane->schema, spec->schema, &lane->arena, err));
    TRY(parquet_options_read(spec, &lane->schema, &lane->arena, &lane->options, &lane->leaf_options, err));
    return parquet_sortings_parse(&lane->schema, lane->options.sorting, &lane->arena, &lane->sortings, err);
}

static enum code lane_open(void *self, const struct encoder_spec *spec, struct error *err)
{
    struct lane *lane = self;
    *lane = (struct lane){.shrinks = 0.5}; // a guess
    enum code code = settings_read(lane, spec, err);
    if (code != E_OK) {
        arena_free(&lane->arena);
        return code;
    }
    if (lane->sortings.count > 0)
        parquet_sorter_init(&lane->sorter, &lane->schema, &lane->sortings);
    lane->variants = parquet_has_variants(spec->schema);
    lane->chunks = arena_array(&lane->arena, struct parquet_chunk, (size_t)lane->schema.leaf_count);
    for (int32_t i = 0; i < lane->schema.leaf_count; i++)
        parquet_chunk_init(&lane->chunks[i], &lane->schema.leaves[i], &lane->leaf_options[i]);
    return E_OK;
}

static int64_t lane_rows(const void *self)
{
    const struct lane *lane = self;
    return lane->done_rows + lane->rows + lane->sorter.rows;
}

static int64_t group_bytes(const struct lane *lane)
{
    int64_t size = 0;
    for (int32_t i = 0; i < lane->schema.leaf_count; i++)
        size += parquet_chunk_bytes(&lane->chunks[i]);
    return size;
}

static int64_t group_held(const struct lane *lane)
{
    int64_t size = 0;
    for (int32_t i = 0; i < lane->schema.leaf_count; i++)
        size += parquet_chunk_held(&lane->chunks[i]);
    return size;
}

static int64_t sorter_bytes(const struct lane *lane) { return (int64_t)((double)lane->sorter.bytes * lane->shrinks); }

static int64_t lane_bytes(const void *self)
{
    const struct lane *lane = self;
    return (int64_t)lane->done.size + group_bytes(lane) + sorter_bytes(lane);
}

static void blooms_append(struct lane *lane, struct parquet_group *group)
{
    for (int32_t i = 0; i < group->leaf_count; i++) {
        struct parquet_chunk_meta *chunk = &group->chunks[i];
        chunk->bloom_start = (int64_t)lane->done.size;
        chunk->bloom_bytes = (int32_t)chunk->bloom.size;
        text_add(&lane->done, chunk->bloom.data, chunk->bloom.size);
        text_free(&chunk->bloom);
    }
}

static enum code group_append(struct lane *lane, struct parquet_group *group, struct error *err)
{
    bool wide = lane->schema.leaf_count > WIDE_LEAVES;
    text_reserve(&lane->done, (size_t)group_bytes(lane));
    for (int32_t i = 0; i < lane->schema.leaf_count; i++) {
        TRY(parquet_chunk_finish(&lane->chunks[i], &lane->scratch, &lane->done, &group->chunks[i], err));
        group->leaf_count++;
        if (wide) /* what many columns keep for the next row group would add up */
            parquet_chunk_shrink(&lane->chunks[i]);
    }
    blooms_append(lane, group);
    return E_OK;
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
    *group =
        (struct parquet_group){lane->rows, mem_array(struct parquet_chunk_meta, (size_t)lane->schema.leaf_count), 0};
    TRY(group_append(lane, group, err));
    lane->done_rows += lane->rows;
    lane->rows = 0;
    return E_OK;
}

static bool group_is_full(const struct lane *lane)
{
    int64_t aim = lane->options.row_group_bytes;
    return lane->rows >= lane->options.row_group_rows || group_bytes(lane) >= aim || group_held(lane) >= 2 * aim;
}

/* A caller that takes a piece at the size it asked for gets one row group; one that waits gets several. */
static enum code columns_add(struct lane *lane, const struct batch *batch, int64_t from, int64_t to, struct error *err)
{
    always(batch->column_count == lane->schema.type->field_count && from >= 0 && to <= batch->rows);
    while (from < to) {
        int64_t room = lane->options.row_group_rows - lane->rows;
        int64_t rows = to - from < LANE_STEP_ROWS ? to - from : LANE_STEP_ROWS;
        rows = rows < room ? rows : room;
        for (int32_t i = 0; i < lane->schema.leaf_count; i++) {
            const struct column *col = &batch->columns[lane->schema.leaves[i].column];
            TRY(parquet_chunk_add(&lane->chunks[i], &lane->scratch, col, from, from + rows, err));
        }
        from += rows;
        lane->rows += rows;
        if (group_is_full(lane))
            TRY(lane_cut(lane, err));
    }
    return E_OK;
}

static enum code rows_add(struct lane *lane, const struct batch *given, int64_t from, int64_t to, struct error *err)
{
    struct batch split = {0};
    const struct batch *batch = lane->variants ? &split : given;
    enum code code = lane->variants ? parquet_variants_apart(given, &split, err) : E_OK;
    if (code == E_OK)
        code = columns_add(lane, batch, from, to, err);
    batch_release(&split);
    return code;
}

/* ---- sorted lanes ---- */

static enum code sorted_rows_add(struct lane *lane, int64_t from, int64_t to, struct error *err)
{
    struct batch sorted, split = {0};
    parquet_sorter_rows(&lane->sorter, from, to, &sorted);
    const struct batch *batch = lane->variants ? &split : &sorted;
    enum code code = lane->variants ? parquet_variants_apart(&sorted, &split, err) : E_OK;
    for (int32_t i = 0; code == E_OK && i < lane->schema.leaf_count; i++) {
        const struct column *col = &batch->columns[lane->schema.leaves[i].column];
        code = parquet_chunk_add(&lane->chunks[i], &lane->scratch, col, 0, to - from, err);
    }
    batch_release(&split);
    batch_release(&sorted);
    lane->rows += to - from;
    return code;
}

/* One row group of what was gathered, in order. */
static enum code sorted_cut(struct lane *lane, struct error *err)
{
    struct parquet_sorter *sorter = &lane->sorter;
    if (sorter->rows == 0)
        return E_OK;
    size_t before = lane->done.size;
    parquet_sorter_sort(sorter);
    for (int64_t from = 0; from < sorter->rows; from += LANE_STEP_ROWS) {
        int64_t to = sorter->rows - from < LANE_STEP_ROWS ? sorter->rows : from + LANE_STEP_ROWS;
        TRY(sorted_rows_add(lane, from, to, err));
    }
    TRY(lane_cut(lane, err));
    lane->shrinks = (double)(lane->done.size - before) / (double)(sorter->bytes + 1);
    parquet_sorter_clear(sorter);
    return E_OK;
}

static enum code gather(struct lane *lane, const struct batch *batch, int64_t from, int64_t to, struct error *err)
{
    const struct parquet_sorter *sorter = &lane->sorter;
    int64_t aim = lane->options.row_group_bytes;
    while (from < to) {
        int64_t room = lane->options.row_group_rows - sorter->rows;
        int64_t rows = to - from < LANE_STEP_ROWS ? to - from : LANE_STEP_ROWS;
        rows = rows < room ? rows : room;
        parquet_sorter_add(&lane->sorter, batch, from, from + rows);
        from += rows;
        if (sorter->rows >= lane->options.row_group_rows || sorter_bytes(lane) >= aim ||
            sorter->bytes >= SORTED_RAW_MAX * aim)
            TRY(sorted_cut(lane, err));
    }
    return E_OK;
}

static enum code lane_add(void *self, const struct batch *batch, int64_t from, int64_t to, struct error *err)
{
    struct lane *lane = self;
    struct batch valid = {0};
    texts_repair(&valid, batch, from, to);
    enum code code = (lane->sortings.count > 0 ? gather : rows_add)(lane, &valid, from, to, err);
    batch_release(&valid);
    return code;
}

static enum code lane_take(void *self, struct piece *out, struct error *err)
{
    struct lane *lane = self;
    TRY(sorted_cut(lane, err));
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
    if (lane->sortings.count > 0)
        parquet_sorter_close(&lane->sorter);
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
    struct parquet_sortings sortings;
    const char *created_by;
    int64_t end; /* of the pieces */
};

static enum code file_settings(struct file *file, const struct encoder_spec *spec, struct error *err)
{
    struct parquet_options options, *leaf_options;
    TRY(parquet_schema_init(&file->schema, spec->schema, &file->arena, err));
    TRY(parquet_options_read(spec, &file->schema, &file->arena, &options, &leaf_options, err));
    return parquet_sortings_parse(&file->schema, options.sorting, &file->arena, &file->sortings, err);
}

static enum code file_open(void *self, const struct encoder_spec *spec, struct text *header, struct error *err)
{
    struct file *file = self;
    *file = (struct file){0};
    enum code code = file_settings(file, spec, err);
    if (code != E_OK) {
        arena_free(&file->arena);
        return code;
    }
    file->created_by = arena_strdup(&file->arena, spec->created_by != NULL ? spec->created_by : "leat");
    text_add(header, "PAR1", 4);
    file->end = 4;
    return E_OK;
}

static void group_move(struct parquet_group *group, int64_t offset)
{
    for (int32_t k = 0; k < group->leaf_count; k++) {
        struct parquet_chunk_meta *chunk = &group->chunks[k];
        chunk->start += offset;
        chunk->data_start += offset;
        chunk->bloom_start += offset;
        for (int32_t p = 0; p < chunk->place_count; p++)
            chunk->places[p].start += offset;
    }
}

static enum code file_add(void *self, struct piece *piece, int64_t offset, struct error *err)
{
    (void)err;
    struct file *file = self;
    struct parquet_groups *groups = piece->detail;
    int64_t end = offset + (int64_t)piece->bytes.size;
    file->end = end > file->end ? end : file->end;
    if (groups == NULL)
        return E_OK;
    mem_grow(file->groups.items, file->groups.capacity, file->groups.count + groups->count);
    for (int32_t i = 0; i < groups->count; i++) {
        struct parquet_group *group = &groups->items[i];
        group_move(group, offset);
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
    struct parquet_file what = {&file->schema, &file->groups, file->sortings, file->created_by};
    parquet_footer_write(&what, file->end, footer);
    return E_OK;
}

static void file_summary(const void *self, int32_t columns_max, struct text *out)
{
    const struct file *file = self;
    parquet_summary_print(&file->schema, &file->groups, columns_max, out);
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
    .help = "Parquet files: snappy pages, dictionaries, statistics, page index; Spark restores its types",
    .suffix = ".parquet",
    .options = parquet_option_table,
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
    .file_summary = file_summary,
    .file_close = file_close,
    .piece_close = piece_close,
};

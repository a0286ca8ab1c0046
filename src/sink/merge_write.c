/* merge_write.c - the rows of several files as one staged file.
 *
 * Parquet  rows are decoded and encoded again: small row groups become large ones. A file takes part when its columns are
 *          columns of the table as it is now, of the same types; columns that it lacks become NULL, as readers see them
 * Text     bytes are copied; what every file of the format begins with (CSV's header) stands there once. A file that has
 *          none where the table wants one, or one where it wants none, does not take part
 * Memory   the reader's is charged to the budget; one piece of the encoder
 */
#include "sink/merge.h"

#include <string.h>
#include <strings.h>

enum {
    STEP_ROWS = 8192,
    STEP_BYTES = 1 << 20,
};

struct merge {
    struct arena arena;
    struct merge_spec spec;
    struct stage *stage;
    void *file;            /* the encoder's */
    void *lane;            /* the encoder's; NULL: bytes are copied */
    struct text header;    /* what each file begins with */
    struct text no_header; /* without one: what no file may begin with */
    struct sink_file *inputs;
    int32_t at;              /* input under way */
    struct store_file input; /* it, for the reader */
    struct parquet_reader *reader;
    int64_t offset; /* of it, when bytes are copied */
    struct part result;
    bool sealed;
};

static const struct merge_file *input_of(const struct merge *self) { return &self->spec.inputs[self->at]; }

/* ---- the new file ---- */

static enum code piece_put(struct merge *self, struct piece *piece, struct error *err)
{
    enum code code = E_OK;
    if (piece->rows > 0)
        code = self->spec.encoder->file_add(self->file, piece, stage_size(self->stage), err);
    if (code == E_OK)
        code = stage_write(self->stage, text_view(&piece->bytes), err);
    self->result.rows += piece->rows;
    self->spec.encoder->piece_close(piece);
    return code;
}

static enum code lane_flush(struct merge *self, struct error *err)
{
    struct piece piece = {0};
    if (self->lane == NULL || self->spec.encoder->lane_rows(self->lane) == 0)
        return E_OK;
    TRY(self->spec.encoder->lane_take(self->lane, &piece, err));
    return piece_put(self, &piece, err);
}

static enum code seal(struct merge *self, struct error *err)
{
    struct text footer = {0}, handle = {0};
    TRY(lane_flush(self, err));
    enum code code = self->spec.encoder->file_finish(self->file, &footer, err);
    if (code == E_OK)
        code = stage_write(self->stage, text_view(&footer), err);
    text_free(&footer);
    TRY(code);
    if (self->spec.summary_columns > 0 && self->spec.encoder->file_summary != NULL) {
        struct text summary = {0};
        self->spec.encoder->file_summary(self->file, self->spec.summary_columns, &summary);
        self->result.summary = arena_strdup(&self->arena, summary.data);
        text_free(&summary);
    }
    self->result.size_bytes = stage_size(self->stage);
    self->result.checksum = stage_checksum(self->stage);
    struct stage *stage = self->stage;
    self->stage = NULL;
    code = stage_seal(stage, &handle, err);
    if (code == E_OK && handle.size > 0)
        self->result.handle = arena_strdup(&self->arena, handle.data);
    text_free(&handle);
    self->sealed = code == E_OK;
    return code == E_OK ? store_sync(self->spec.store, "_staging", err) : code;
}

/* ---- rows ---- */

static enum code columns_check(const struct type *file, const struct type *table, struct error *err)
{
    for (int32_t i = 0; i < file->field_count; i++) {
        int32_t column = type_field_index(table, file->fields[i].name, false);
        if (column < 0 || !type_equal(table->fields[column].type, file->fields[i].type))
            return fail(err, E_UNSUPPORTED, "column %s is not one of the table's, as it is now", file->fields[i].name);
    }
    return E_OK;
}

static enum code rows_open(struct merge *self, struct error *err)
{
    const struct merge_file *input = input_of(self);
    self->input = (struct store_file){self->spec.store, input->path};
    const struct parquet_input file = {input->path, input->size_bytes, &self->input, store_file_read};
    const struct type *schema = self->spec.encoder_spec->schema;
    TRY(parquet_reader_new(&file, self->spec.budget, &self->reader, err));
    self->inputs[self->at].rows = parquet_reader_rows(self->reader);
    TRY(columns_check(parquet_reader_schema(self->reader), schema, err));
    return parquet_reader_select(self->reader, schema, err);
}

static enum code rows_step(struct merge *self, bool *end, struct error *err)
{
    struct batch batch = {0};
    if (self->reader == NULL)
        TRY(rows_open(self, err));
    TRY(parquet_reader_next(self->reader, STEP_ROWS, &batch, err));
    enum code code = E_OK;
    *end = batch.rows == 0;
    if (!*end)
        code = self->spec.encoder->lane_add(self->lane, &batch, 0, batch.rows, err);
    batch_release(&batch);
    if (code == E_OK && self->spec.encoder->lane_bytes(self->lane) >= self->spec.piece_bytes)
        code = lane_flush(self, err);
    return code;
}

/* ---- bytes ---- */

/* What the files of the table would begin with, had they a header; nothing for formats that have none. A file of a table that
 * had one once is known by it: by its first line alone, so that a first row of the columns' own names keeps its file as it is. */
static enum code other_header(const struct merge *self, struct text *out, struct error *err)
{
    const struct encoder_spec *spec = self->spec.encoder_spec;
    struct arena arena = {0};
    struct encoder_spec with = *spec;
    if (strcmp(self->spec.encoder->name, "csv") != 0)
        return E_OK;
    const char **names = arena_array(&arena, const char *, (size_t)spec->option_count + 1);
    const char **values = arena_array(&arena, const char *, (size_t)spec->option_count + 1);
    with.option_count = 0;
    for (int32_t i = 0; i < spec->option_count; i++)
        if (strcasecmp(spec->option_names[i], "header") != 0) {
            names[with.option_count] = spec->option_names[i];
            values[with.option_count++] = spec->option_values[i];
        }
    names[with.option_count] = "header";
    values[with.option_count++] = "true";
    with.option_names = names;
    with.option_values = values;
    void *file = mem_zero(self->spec.encoder->file_size);
    enum code code = self->spec.encoder->file_open(file, &with, out, err);
    if (code == E_OK)
        self->spec.encoder->file_close(file);
    mem_free(file);
    arena_free(&arena);
    return code;
}

static enum code starts_with(const struct merge *self, struct bytes with, bool *out, struct error *err)
{
    struct text start = {0};
    *out = false;
    if (input_of(self)->size_bytes < (int64_t)with.size)
        return E_OK;
    enum code code = store_read(self->spec.store, input_of(self)->path, 0, with.size, &start, err);
    *out = code == E_OK && memcmp(start.data, with.data, with.size) == 0;
    text_free(&start);
    return code;
}

static enum code header_check(struct merge *self, struct error *err)
{
    bool wanted = self->header.size > 0, found = false;
    const struct text *looked_for = wanted ? &self->header : &self->no_header;
    if (looked_for->size > 0)
        TRY(starts_with(self, text_view(looked_for), &found, err));
    if (wanted && !found)
        return fail(err, E_UNSUPPORTED, "its header is not that of the table, as it is now");
    if (!wanted && found)
        return fail(err, E_UNSUPPORTED, "it has a header, which files of the table, as it is now, have not");
    self->offset = (int64_t)self->header.size;
    return E_OK;
}

static enum code bytes_step(struct merge *self, bool *end, struct error *err)
{
    struct text bytes = {0};
    if (self->offset < 0)
        TRY(header_check(self, err));
    int64_t left = input_of(self)->size_bytes - self->offset, size = left < STEP_BYTES ? left : STEP_BYTES;
    self->inputs[self->at].rows = -1; // lines are not rows
    enum code code =
        size == 0 ? E_OK : store_read(self->spec.store, input_of(self)->path, self->offset, (size_t)size, &bytes, err);
    if (code == E_OK)
        code = stage_write(self->stage, text_view(&bytes), err);
    text_free(&bytes);
    self->offset += size;
    *end = size == left;
    return code;
}

/* ---- the merge ---- */

static void input_end(struct merge *self)
{
    parquet_reader_free(self->reader);
    self->reader = NULL;
    self->offset = -1;
}

static enum code input_begin(struct merge *self, struct error *err)
{
    const struct merge_file *input = input_of(self);
    struct sink_file *known = &self->inputs[self->at];
    *known = (struct sink_file){.final = input->path, .size_bytes = input->size_bytes};
    return store_checksum(self->spec.store, input->path, &known->checksum, err);
}

enum code merge_step(struct merge *self, bool *done, struct error *err)
{
    bool end = false;
    *done = false;
    if (self->reader == NULL && self->offset < 0)
        TRY(input_begin(self, err));
    TRY(self->lane != NULL ? rows_step(self, &end, err) : bytes_step(self, &end, err));
    if (!end)
        return E_OK;
    input_end(self);
    if (++self->at < self->spec.input_count)
        return E_OK;
    TRY(seal(self, err));
    *done = true;
    return E_OK;
}

static enum code open_all(struct merge *self, struct error *err)
{
    const struct merge_spec *spec = &self->spec;
    bool columns = strcmp(spec->encoder->name, "parquet") == 0;
    if (columns) {
        void *lane = mem_zero(spec->encoder->lane_size);
        enum code code = spec->encoder->lane_open(lane, spec->encoder_spec, err);
        if (code != E_OK) {
            mem_free(lane);
            return code;
        }
        self->lane = lane;
    }
    TRY(stage_open_final(spec->store, spec->staged, spec->final, &self->stage, err));
    void *file = mem_zero(spec->encoder->file_size);
    enum code code = spec->encoder->file_open(file, spec->encoder_spec, &self->header, err);
    if (code != E_OK) {
        mem_free(file);
        return code;
    }
    self->file = file;
    self->result.rows = columns ? 0 : -1;
    if (self->header.size == 0)
        TRY(other_header(self, &self->no_header, err));
    return stage_write(self->stage, text_view(&self->header), err);
}

enum code merge_open(const struct merge_spec *spec, struct merge **out, struct error *err)
{
    struct merge *self = mem_new(struct merge);
    self->spec = *spec;
    self->offset = -1;
    self->inputs = arena_array(&self->arena, struct sink_file, (size_t)spec->input_count);
    self->result.staged = arena_strdup(&self->arena, spec->staged);
    self->result.final = arena_strdup(&self->arena, spec->final);
    self->spec.staged = self->result.staged;
    self->spec.final = self->result.final;
    enum code code = open_all(self, err);
    if (code != E_OK)
        merge_free(self);
    else
        *out = self;
    return code;
}

int32_t merge_input_at(const struct merge *self) { return self->at; }

const struct part *merge_result(const struct merge *self) { return &self->result; }

const struct sink_file *merge_inputs(const struct merge *self) { return self->inputs; }

void merge_free(struct merge *self)
{
    if (self == NULL)
        return;
    parquet_reader_free(self->reader);
    if (self->lane != NULL)
        self->spec.encoder->lane_close(self->lane);
    if (self->file != NULL)
        self->spec.encoder->file_close(self->file);
    mem_free(self->lane);
    mem_free(self->file);
    stage_abandon(self->stage);
    text_free(&self->header);
    text_free(&self->no_header);
    arena_free(&self->arena);
    mem_free(self);
}

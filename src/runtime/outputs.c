#include "runtime/outputs.h"

#include <stdio.h>

enum { PREVIEW_TEXT_MAX = 16 * 1024 }; /* bytes a table and epoch */

struct output {
    const char *name;
    char *path;
    const struct sink_type *type;
    void *sink;
    struct sink_totals totals;
    struct text preview;
    atomic_int preview_rows;
};
struct outputs {
    struct outputs_spec spec;
    struct arena arena;
    struct output *all;          /* tables in the pipeline's order, then the quarantine */
    int32_t count;
    const struct type *quarantine_schema;
    struct lock preview_lock;
    int64_t epoch;
};

static const struct field quarantine_fields[] = {
    {"reason", NULL, true},    {"detail", NULL, true},    {"at", NULL, true},    {"topic", NULL, true},
    {"partition", NULL, true}, {"offset", NULL, true},    {"timestamp", NULL, true}, {"key", NULL, true},
    {"value", NULL, true},
};
enum { Q_REASON, Q_DETAIL, Q_AT, Q_TOPIC, Q_PARTITION, Q_OFFSET, Q_TIMESTAMP, Q_KEY, Q_VALUE, Q_COUNT };

static const struct type *quarantine_type(struct arena *arena)
{
    static const enum type_id ids[Q_COUNT] = {TYPE_STRING, TYPE_STRING, TYPE_STRING,    TYPE_STRING, TYPE_INT32,
                                              TYPE_INT64,  TYPE_TIMESTAMP, TYPE_STRING, TYPE_STRING};
    struct field fields[Q_COUNT];
    for (int i = 0; i < Q_COUNT; i++) {
        fields[i] = quarantine_fields[i];
        fields[i].type = type_of(ids[i]);
    }
    return type_struct(arena, fields, Q_COUNT);
}

/* ---- opening ---- */

/* Options of a table: its own properties, and the pipeline's leat.files.* where the table says nothing. */
static void options_collect(struct outputs *self, const struct pipeline_table *table, const struct sink_type *type,
                            struct sink_spec *spec)
{
    int32_t most = (table != NULL ? table->property_count : 0) + self->spec.pipeline->setting_count;
    const char **names = arena_array(&self->arena, const char *, (size_t)most);
    const char **values = arena_array(&self->arena, const char *, (size_t)most);
    int32_t count = 0;
    for (int32_t i = 0; i < self->spec.pipeline->setting_count; i++) {
        const struct setting *s = &self->spec.pipeline->settings[i];
        if (strncmp(s->name, "leat.files.", 11) != 0 || option_find(type->options, s->name) == NULL ||
            s->value[0] == '\0' || (table != NULL && table_property(table, s->name) != NULL))
            continue;
        names[count] = s->name;
        values[count++] = s->value;
    }
    for (int32_t i = 0; table != NULL && i < table->property_count; i++) {
        names[count] = table->properties[i].name;
        values[count++] = table->properties[i].value;
    }
    spec->option_names = names;
    spec->option_values = values;
    spec->option_count = count;
}

static enum code output_open(struct outputs *self, struct output *output, const struct pipeline_table *table,
                             struct sink_spec *spec, struct error *err)
{
    output->path = output->type == sink_find("console") ? NULL : mem_strdup(spec->path);
    spec->query_id = self->spec.query_id;
    spec->zone = self->spec.zone;
    spec->lanes = self->spec.lanes;
    spec->budget = self->spec.budget;
    options_collect(self, table, output->type, spec);
    void *sink = mem_zero(output->type->size);
    enum code code = output->type->open(sink, spec, err);
    if (code != E_OK) {
        mem_free(sink);
        return error_note(err, "%s %s", table != NULL && table->is_sink ? "sink" : "table", output->name);
    }
    output->sink = sink;
    return E_OK;
}

static enum code table_open(struct outputs *self, struct output *output, const struct pipeline_table *table,
                            struct error *err)
{
    output->name = table->name;
    output->type = sink_find(table->format);
    if (output->type == NULL)
        return fail(err, E_UNSUPPORTED, "table %s: this version cannot write format %s", table->name, table->format);
    struct sink_spec spec = {
        .name = table->name,
        .path = table->path != NULL ? table->path
                                    : arena_printf(&self->arena, "%s/%s", self->spec.tables_path, table->name),
        .schema = table->schema,
        .partition_columns = table->partition_columns,
        .partition_count = table->partition_count,
    };
    return output_open(self, output, table, &spec, err);
}

static enum code quarantine_open(struct outputs *self, struct output *output, struct error *err)
{
    output->name = "_quarantine";
    output->type = sink_find("json");
    always(output->type != NULL);
    struct sink_spec spec = {
        .name = output->name,
        .path = arena_printf(&self->arena, "%s/_quarantine", self->spec.tables_path),
        .schema = self->quarantine_schema,
    };
    return output_open(self, output, NULL, &spec, err);
}

enum code outputs_open(const struct outputs_spec *spec, struct outputs **out, struct error *err)
{
    struct outputs *self = mem_new(struct outputs);
    self->spec = *spec;
    lock_init(&self->preview_lock);
    self->quarantine_schema = quarantine_type(&self->arena);
    self->count = spec->pipeline->table_count + 1;
    self->all = mem_array(struct output, (size_t)self->count);
    enum code code = E_OK;
    for (int32_t i = 0; code == E_OK && i < spec->pipeline->table_count; i++)
        code = table_open(self, &self->all[i], spec->pipeline->tables[i], err);
    if (code == E_OK)
        code = quarantine_open(self, &self->all[self->count - 1], err);
    if (code != E_OK) {
        outputs_close(self);
        return code;
    }
    *out = self;
    return E_OK;
}

void outputs_close(struct outputs *self)
{
    if (self == NULL)
        return;
    for (int32_t i = 0; i < self->count; i++) {
        struct output *output = &self->all[i];
        if (output->sink != NULL)
            output->type->close(output->sink);
        mem_free(output->sink);
        mem_free(output->path);
        text_free(&output->preview);
    }
    lock_close(&self->preview_lock);
    mem_free(self->all);
    arena_free(&self->arena);
    mem_free(self);
}

int32_t outputs_count(const struct outputs *self) { return self->count; }

const char *outputs_name(const struct outputs *self, int32_t i) { return self->all[i].name; }

const char *outputs_path(const struct outputs *self, int32_t i) { return self->all[i].path; }

int32_t outputs_find(const struct outputs *self, const char *name)
{
    for (int32_t i = 0; i < self->count; i++)
        if (strcmp(self->all[i].name, name) == 0)
            return i;
    return -1;
}

/* ---- writing ---- */

void outputs_begin(struct outputs *self, int64_t epoch)
{
    self->epoch = epoch;
    for (int32_t i = 0; i < self->count; i++) {
        text_clear(&self->all[i].preview);
        atomic_store(&self->all[i].preview_rows, 0);
        self->all[i].totals = (struct sink_totals){0};
    }
}

/* The first rows of an epoch as lines of text; later batches only pay for one load. */
static void preview_take(struct outputs *self, struct output *output, const struct batch *batch)
{
    if (atomic_load_explicit(&output->preview_rows, memory_order_relaxed) >= OUTPUTS_PREVIEW_ROWS)
        return;
    lock_take(&self->preview_lock);
    int have = atomic_load(&output->preview_rows);
    output->preview.limit = PREVIEW_TEXT_MAX;
    for (int64_t row = 0; row < batch->rows && have < OUTPUTS_PREVIEW_ROWS; row++, have++) {
        for (int32_t c = 0; c < batch->column_count; c++) {
            if (c > 0)
                text_add_string(&output->preview, " | ");
            column_print(&batch->columns[c], row, &output->preview);
        }
        text_add_char(&output->preview, '\n');
    }
    atomic_store(&output->preview_rows, have);
    lock_give(&self->preview_lock);
}

enum code outputs_write(struct outputs *self, int32_t lane, int32_t table, const struct batch *batch, struct error *err)
{
    struct output *output = &self->all[table];
    if (self->spec.preview)
        preview_take(self, output, batch);
    enum code code = output->type->write(output->sink, lane, self->epoch, batch, err);
    return code == E_OK ? E_OK : error_note(err, "table %s", output->name);
}

/* ---- rejects ---- */

static void copy_origin(struct builder *into, const struct column *from, int64_t row)
{
    if (from->type == NULL || row >= from->rows || column_is_null(from, row))
        builder_null(into);
    else if (type_is_varlen(from->type))
        builder_bytes(into, column_bytes_at(from, row));
    else
        builder_copy(into, from, row);
}

static void reject_row(struct builder *row, const struct batch *in, const struct reject *reject, struct position at)
{
    char place[160] = "";
    if (at.line > 0)
        snprintf(place, sizeof place, "%s:%d:%d", at.file != NULL ? at.file : "", at.line, at.column);
    builder_bytes(&row[Q_REASON], bytes_of_string(reject_condition(reject->code)));
    builder_bytes(&row[Q_DETAIL], bytes_of_string(reject_text(reject->code)));
    if (place[0] != '\0')
        builder_bytes(&row[Q_AT], bytes_of_string(place));
    else
        builder_null(&row[Q_AT]);
    if (in->source == NULL) {
        for (int i = Q_TOPIC; i < Q_COUNT; i++)
            builder_null(&row[i]);
        return;
    }
    int64_t record = batch_origin(in, reject->row);
    copy_origin(&row[Q_TOPIC], &in->source->topic, record);
    copy_origin(&row[Q_PARTITION], &in->source->partition, record);
    copy_origin(&row[Q_OFFSET], &in->source->offset, record);
    copy_origin(&row[Q_TIMESTAMP], &in->source->timestamp, record);
    copy_origin(&row[Q_KEY], &in->source->key, record);
    copy_origin(&row[Q_VALUE], &in->source->value, record);
}

static enum code reject_stops(const struct batch *in, const struct reject *reject, struct position at, struct error *err)
{
    struct text place = {0};
    if (in->source != NULL) {
        int64_t record = batch_origin(in, reject->row);
        text_add_string(&place, " at topic ");
        column_print(&in->source->topic, record, &place);
        text_add_string(&place, " partition ");
        column_print(&in->source->partition, record, &place);
        text_add_string(&place, " offset ");
        column_print(&in->source->offset, record, &place);
    }
    enum code code = fail(err, E_DATA, "[%s] %s%s (%s:%d:%d); leat.on_error is fail", reject_condition(reject->code),
                          reject_text(reject->code), place.data != NULL ? place.data : "", at.file != NULL ? at.file : "", at.line,
                          at.column);
    text_free(&place);
    return code;
}

enum code outputs_reject(struct outputs *self, int32_t lane, const struct batch *in, const struct rejects *rejects,
                         struct position (*position)(const void *stage, int32_t step), const void *stage,
                         struct error *err)
{
    if (self->spec.fail_on_error)
        return reject_stops(in, &rejects->items[0], position(stage, rejects->items[0].step), err);
    struct builder rows[Q_COUNT];
    for (int i = 0; i < Q_COUNT; i++)
        builder_init(&rows[i], self->quarantine_schema->fields[i].type);
    for (int32_t i = 0; i < rejects->count; i++)
        reject_row(rows, in, &rejects->items[i], position(stage, rejects->items[i].step));
    struct batch batch = {0};
    batch_init(&batch, self->quarantine_schema, rejects->count);
    for (int i = 0; i < Q_COUNT; i++) {
        builder_finish(&rows[i], &batch.columns[i]);
        builder_release(&rows[i]);
    }
    enum code code = outputs_write(self, lane, self->count - 1, &batch, err);
    batch_release(&batch);
    return code;
}

/* ---- the commit protocol, passed on to every sink ---- */

enum code outputs_prepare_one(struct outputs *self, int32_t i, struct text *token, struct error *err)
{
    struct output *output = &self->all[i];
    enum code code = output->type->prepare(output->sink, self->epoch, token, &output->totals, err);
    return code == E_OK ? E_OK : error_note(err, "table %s", output->name);
}

enum code outputs_commit_one(struct outputs *self, int32_t i, int64_t epoch, struct bytes token, struct error *err)
{
    struct output *output = &self->all[i];
    enum code code = output->type->commit(output->sink, epoch, token, err);
    return code == E_OK ? E_OK : error_note(err, "table %s", output->name);
}

void outputs_abort(struct outputs *self)
{
    for (int32_t i = 0; i < self->count; i++)
        if (self->all[i].type->abort != NULL)
            self->all[i].type->abort(self->all[i].sink, self->epoch);
}

enum code outputs_collect(struct outputs *self, int64_t head_epoch, struct error *err)
{
    for (int32_t i = 0; i < self->count; i++)
        if (self->all[i].type->collect != NULL)
            TRY(self->all[i].type->collect(self->all[i].sink, head_epoch, err));
    return E_OK;
}

struct sink_totals outputs_totals(const struct outputs *self, int32_t i) { return self->all[i].totals; }

const char *outputs_preview(const struct outputs *self, int32_t i)
{
    return self->all[i].preview.data != NULL ? self->all[i].preview.data : "";
}

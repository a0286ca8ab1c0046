#include "runtime/outputs.h"

#include "runtime/dead_letters.h"
#include "runtime/quarantines.h"

enum { PREVIEW_TEXT_MAX = 16 * 1024 }; /* bytes a table and epoch */

struct output {
    const char *name;
    char *path;
    const struct sink_type *type;
    void *sink;
    struct sink_totals totals;
    struct text preview;
    atomic_int preview_rows;
    const struct pipeline_table *table; /* NULL: leat itself adds it */
    struct rejection refusal;           /* of rows that the sink cannot take */
    atomic_int_fast64_t refused;
};
struct outputs {
    struct outputs_spec spec;
    struct arena arena;
    struct output *all; /* tables in the pipeline's order, quarantines, tables of late rows */
    int32_t count;
    int32_t *late; /* per table: the output of its late rows, or -1 */
    const struct type *late_schema;
    struct quarantines quarantines;
    const struct rejection *rejections;          /* per plan node */
    struct quarantine_style style, letter_style; /* of folders, of topics */
    const struct type *letter_schema;
    struct rejects *refused; /* per lane: of the batch at work */
    struct lock preview_lock;
    int64_t epoch;
};

/* ---- opening ---- */

static bool is_of_files(const char *setting)
{
    return strncmp(setting, "leat.files.", 11) == 0 || strcmp(setting, "leat.compact") == 0;
}

/* Options of a table: its own properties, and the pipeline's leat.files.* and leat.compact where the table says nothing. */
static void options_collect(struct outputs *self, const struct pipeline_table *table, const struct sink_type *type,
                            struct sink_spec *spec)
{
    int32_t most =
        (table != NULL ? table->property_count : 0) + self->spec.pipeline->setting_count + spec->option_count;
    const char **names = arena_array(&self->arena, const char *, (size_t)most);
    const char **values = arena_array(&self->arena, const char *, (size_t)most);
    int32_t count = 0;
    for (int32_t i = 0; i < self->spec.pipeline->setting_count; i++) {
        const struct setting *s = &self->spec.pipeline->settings[i];
        bool forgets = table == NULL && strcmp(s->name, "leat.files.keep") == 0; // what is set aside stays
        if (forgets || !is_of_files(s->name) || option_find(type->options, s->name) == NULL || s->value[0] == '\0' ||
            (table != NULL && table_property(table, s->name) != NULL))
            continue;
        names[count] = s->name;
        values[count++] = s->value;
    }
    for (int32_t i = 0; table != NULL && i < table->property_count; i++) {
        names[count] = table->properties[i].name;
        values[count++] = table->properties[i].value;
    }
    for (int32_t i = 0; i < spec->option_count; i++) {
        names[count] = spec->option_names[i];
        values[count++] = spec->option_values[i];
    }
    spec->option_names = names;
    spec->option_values = values;
    spec->option_count = count;
}

static enum code output_open(struct outputs *self, struct output *output, const struct pipeline_table *table,
                             struct sink_spec *spec, struct error *err)
{
    if (self->spec.files_only && output->type->folderless)
        return E_OK;
    output->path = output->type->folderless ? NULL : mem_strdup(spec->path);
    spec->query_id = self->spec.query_id;
    spec->zone = self->spec.zone;
    spec->lanes = self->spec.lanes;
    spec->budget = self->spec.budget;
    spec->transaction = self->spec.transaction;
    spec->task = self->spec.task;
    spec->timeout_us = self->spec.timeout_us;
    spec->stopping = runtime_stopping;
    options_collect(self, table, output->type, spec);
    void *sink = mem_zero(output->type->size);
    enum code code = output->type->open(sink, spec, err);
    if (code != E_OK) {
        mem_free(sink);
        if (code == E_FULL && output->path != NULL)
            error_about(err, "%s", output->path);
        return error_note(err, "%s %s", table != NULL && table->is_sink ? "sink" : "table", output->name);
    }
    output->sink = sink;
    return E_OK;
}

static const char *table_path(struct outputs *self, const struct pipeline_table *table)
{
    return table->path != NULL ? table->path : arena_printf(&self->arena, "%s/%s", self->spec.tables_path, table->name);
}

static enum code table_open(struct outputs *self, struct output *output, const struct pipeline_table *table,
                            struct error *err)
{
    output->name = table->name;
    output->table = table;
    if (table->flow_count > 0)
        output->refusal = self->rejections[table->flows[0]->id];
    output->refusal.tables = &table->name; // whatever else the flow's rows reach, only this table's sink said no
    output->refusal.table_count = 1;
    output->refusal.node[0] = '\0'; // so a replay goes by the table, not by a node
    output->type = sink_find(table->format);
    if (output->type == NULL)
        return fail(err, E_UNSUPPORTED, "table %s: this version cannot write format %s", table->name, table->format);
    struct sink_spec spec = {
        .name = table->name,
        .path = table_path(self, table),
        .schema = table->schema,
        .partition_columns = table->partition_columns,
        .partition_count = table->partition_count,
        .replaced = table->materialized,
    };
    return output_open(self, output, table, &spec, err);
}

/* A table that leat itself adds. */
static enum code added_open(struct outputs *self, struct output *output, const char *format, const char *name,
                            const char *path, const struct type *schema, struct error *err)
{
    output->name = name;
    output->type = sink_find(format);
    always(output->type != NULL);
    struct sink_spec spec = {.name = name, .path = path, .schema = schema};
    return output_open(self, output, NULL, &spec, err);
}

static enum code late_open(struct outputs *self, int32_t t, struct error *err)
{
    const struct pipeline_table *table = self->spec.pipeline->tables[t];
    self->late[t] = self->count;
    struct output *output = &self->all[self->count++];
    return added_open(self, output, "json", arena_printf(&self->arena, "%s_late", table->name),
                      arena_printf(&self->arena, "%s_late", table_path(self, table)), self->late_schema, err);
}

static enum code topic_open(struct outputs *self, struct output *output, const char *topic, struct error *err)
{
    struct sink_spec spec;
    output->name = arena_printf(&self->arena, "topic %s", topic);
    output->type = sink_find("kafka");
    always(output->type != NULL);
    TRY(dead_letter_spec(&self->arena, self->spec.pipeline, topic, &spec, err));
    return output_open(self, output, NULL, &spec, err);
}

static enum code quarantines_open(struct outputs *self, struct error *err)
{
    const char *format = self->style.text ? "json" : "parquet";
    for (int32_t q = 0; q < self->quarantines.folder_count; q++) {
        const char *name = self->quarantines.items[q].name;
        const char *path = arena_printf(&self->arena, "%s/%s", self->spec.tables_path, name);
        TRY(added_open(self, &self->all[self->count++], format, name, path, self->style.schema, err));
    }
    for (int32_t q = self->quarantines.folder_count; q < self->quarantines.count; q++)
        TRY(topic_open(self, &self->all[self->count++], self->quarantines.items[q].name, err));
    return E_OK;
}

static enum code all_open(struct outputs *self, struct error *err)
{
    const struct pipeline *pipeline = self->spec.pipeline;
    for (int32_t t = 0; t < pipeline->table_count; t++)
        TRY(table_open(self, &self->all[self->count++], pipeline->tables[t], err));
    TRY(quarantines_open(self, err));
    for (int32_t t = 0; t < pipeline->table_count; t++) {
        self->late[t] = -1;
        if (table_keeps_late(pipeline->tables[t]))
            TRY(late_open(self, t, err));
    }
    return E_OK;
}

enum code outputs_open(const struct outputs_spec *spec, struct outputs **out, struct error *err)
{
    size_t tables = (size_t)spec->pipeline->table_count;
    struct outputs *self = mem_new(struct outputs);
    self->spec = *spec;
    lock_init(&self->preview_lock);
    self->late_schema = late_schema(&self->arena);
    quarantines_find(&self->arena, spec->pipeline, &self->quarantines);
    self->rejections = rejections_new(&self->arena, spec->pipeline);
    self->style = (struct quarantine_style){
        .schema = quarantine_schema(&self->arena, spec->quarantine_as_lines),
        .text = spec->quarantine_as_lines,
        .value_max = spec->quarantine_value_max,
    };
    self->letter_style = self->style;
    self->letter_style.schema = quarantine_schema(&self->arena, false);
    self->letter_style.text = false;
    self->letter_schema = dead_letter_schema(&self->arena);
    self->all = mem_array(struct output, 2 * tables + (size_t)self->quarantines.count);
    self->late = mem_array(int32_t, tables);
    self->refused = mem_array(struct rejects, (size_t)spec->lanes);
    enum code code = all_open(self, err);
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
    for (int32_t i = 0; i < self->spec.lanes; i++)
        rejects_free(&self->refused[i]);
    mem_free(self->refused);
    lock_close(&self->preview_lock);
    mem_free(self->all);
    mem_free(self->late);
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

void outputs_begin(struct outputs *self, int64_t epoch, int64_t batch_time_us)
{
    self->epoch = self->style.epoch = self->letter_style.epoch = epoch;
    self->style.batch_time_us = self->letter_style.batch_time_us = batch_time_us;
    for (int32_t i = 0; i < self->count; i++) {
        text_clear(&self->all[i].preview);
        atomic_store(&self->all[i].preview_rows, 0);
        self->all[i].totals = (struct sink_totals){0};
        atomic_store(&self->all[i].refused, 0);
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

/* The disk of its folder, when a disk it is. */
static enum code output_blame(const struct output *output, struct error *err)
{
    if (output->path != NULL && (err->code == E_IO || err->code == E_FULL))
        error_about(err, "%s", output->path);
    return error_note(err, "table %s", output->name);
}

enum code outputs_write(struct outputs *self, int32_t lane, int32_t table, const struct batch *batch, struct error *err)
{
    struct output *output = &self->all[table];
    if (self->spec.preview)
        preview_take(self, output, batch);
    enum code code = output->type->write(output->sink, lane, self->epoch, batch, err);
    return code == E_OK ? E_OK : output_blame(output, err);
}

void outputs_keep(struct outputs *self, int32_t table)
{
    struct output *output = &self->all[table];
    text_clear(&output->preview);
    atomic_store(&output->preview_rows, 0);
    output->type->abort(output->sink, self->epoch);
}

void outputs_replace(struct outputs *self, int32_t table)
{
    struct output *output = &self->all[table];
    outputs_keep(self, table);
    output->type->replace(output->sink, self->epoch);
}

/* ---- quarantines ---- */

/* Rejected rows, each into all of these quarantines. */
struct set_aside {
    const int32_t *quarantines;
    int32_t count;
    const struct rejection *about;
    const struct batch *in;
    const struct rejects *rejects;
    const struct rejecter *by;
};

/* As large as that topic takes them. */
static void letters_make(struct outputs *self, int32_t topic, const struct batch *rows, struct batch *out)
{
    const struct output *output = &self->all[topic];
    struct sink_record_limits limits = {0};
    if (output->type->record_limits != NULL)
        output->type->record_limits(output->sink, &limits);
    dead_letters_make(self->letter_schema, self->spec.pipeline->name, &limits, rows, out);
}

/* Into the folders, or into the topics, among them. */
static enum code rows_to(struct outputs *self, int32_t lane, const struct set_aside *what,
                         const struct quarantine_style *style, bool topics, struct error *err)
{
    struct batch rows = {0}, letters = {0};
    enum code code = E_OK;
    for (int32_t i = 0; code == E_OK && i < what->count; i++) {
        int32_t quarantine = what->quarantines[i];
        if (self->quarantines.items[quarantine].is_topic != topics)
            continue;
        if (rows.columns == NULL)
            quarantine_rows(style, what->about, what->in, what->rejects, what->by, &rows);
        int32_t at = self->spec.pipeline->table_count + quarantine;
        if (topics)
            letters_make(self, at, &rows, &letters);
        code = outputs_write(self, lane, at, topics ? &letters : &rows, err);
        batch_release(&letters);
    }
    batch_release(&rows);
    return code;
}

static enum code set_aside(struct outputs *self, int32_t lane, const struct set_aside *what, struct error *err)
{
    if (self->spec.fail_on_error)
        return reject_fail(what->about, what->in, what->rejects, what->by, err);
    TRY(rows_to(self, lane, what, &self->style, false, err));
    return rows_to(self, lane, what, &self->letter_style, true, err);
}

enum code outputs_reject(struct outputs *self, int32_t lane, const struct batch *in, const struct rejects *rejects,
                         const struct rejecter *by, struct error *err)
{
    const struct rejection *about = by->again != NULL ? by->again->about : &self->rejections[by->plan->id];
    int32_t node = about->plan->id;
    const struct set_aside what = {
        self->quarantines.of_node[node], self->quarantines.of_node_count[node], about, in, rejects, by};
    return set_aside(self, lane, &what, err);
}

/* ---- rows that a sink cannot take ---- */

static struct position refused_at(const void *stage, int32_t step)
{
    (void)step;
    const struct output *output = stage;
    return output->table->at;
}

static void refused_detail(const void *stage, const struct batch *in, const struct reject *reject, struct text *out)
{
    const struct output *output = stage;
    output->type->check_detail(output->sink, in, reject, out);
}

static enum code refused_write(struct outputs *self, int32_t lane, int32_t table, const struct batch *batch,
                               const struct rejects *rejects, struct error *err)
{
    const struct output *output = &self->all[table];
    const struct rejecter by = {refused_at, refused_detail, output, .plan = output->refusal.plan};
    const struct set_aside what = {self->quarantines.of_table[table],
                                   self->quarantines.of_table_count[table],
                                   &output->refusal,
                                   batch,
                                   rejects,
                                   &by};
    return set_aside(self, lane, &what, err);
}

/* The rows that no reject names; they are in the order of rows. */
static void rest_gather(const struct batch *batch, const struct rejects *rejects, struct batch *out)
{
    int32_t *rows = mem_array(int32_t, (size_t)batch->rows), next = 0;
    int64_t count = 0;
    for (int32_t row = 0; row < batch->rows; row++) {
        bool bad = next < rejects->count && rejects->items[next].row == row;
        next += bad;
        if (!bad)
            rows[count++] = row;
    }
    batch_gather(out, batch, rows, count);
    mem_free(rows);
}

enum code outputs_refuse(struct outputs *self, int32_t lane, int32_t table, const struct batch *batch,
                         struct batch *taken, struct error *err)
{
    struct output *output = &self->all[table];
    struct rejects *rejects = &self->refused[lane];
    if (output->type->check == NULL)
        return E_OK;
    rejects_clear(rejects);
    enum code code = output->type->check(output->sink, lane, batch, rejects, err);
    if (code == E_OK && rejects->count > 0)
        code = refused_write(self, lane, table, batch, rejects, err);
    if (code != E_OK)
        return error_note(err, "table %s", output->name);
    if (rejects->count == 0)
        return E_OK;
    rest_gather(batch, rejects, taken);
    atomic_fetch_add(&output->refused, rejects->count);
    return E_OK;
}

int64_t outputs_refused(const struct outputs *self, int32_t i) { return atomic_load(&self->all[i].refused); }

enum code outputs_late(struct outputs *self, int32_t lane, int32_t table, const struct late_rows *late,
                       struct error *err)
{
    struct batch lines = {0};
    always(self->late[table] >= 0);
    late_rows_print(self->late_schema, late, &lines);
    enum code code = outputs_write(self, lane, self->late[table], &lines, err);
    batch_release(&lines);
    return code;
}

/* ---- the commit protocol, passed on to every sink ---- */

enum code outputs_prepare_one(struct outputs *self, int32_t i, struct text *token, struct error *err)
{
    struct output *output = &self->all[i];
    enum code code = output->type->prepare(output->sink, self->epoch, token, &output->totals, err);
    return code == E_OK ? E_OK : output_blame(output, err);
}

enum code outputs_commit_one(struct outputs *self, int32_t i, int64_t epoch, struct bytes token, struct error *err)
{
    struct output *output = &self->all[i];
    enum code code = output->type->commit(output->sink, epoch, token, err);
    return code == E_OK ? E_OK : output_blame(output, err);
}

void outputs_abort(struct outputs *self)
{
    for (int32_t i = 0; i < self->count; i++)
        if (self->all[i].type->abort != NULL)
            self->all[i].type->abort(self->all[i].sink, self->epoch);
}

enum code outputs_collect(struct outputs *self, struct error *err)
{
    for (int32_t i = 0; i < self->count; i++)
        if (self->all[i].type->collect != NULL)
            TRY(self->all[i].type->collect(self->all[i].sink, err));
    return E_OK;
}

enum code outputs_merge_work(struct outputs *self, int32_t i, const struct sink_merge *request, bool *more,
                             struct error *err)
{
    const struct output *output = &self->all[i];
    *more = false;
    return output->type->merge_work == NULL ? E_OK : output->type->merge_work(output->sink, request, more, err);
}

enum code outputs_merge_commit(struct outputs *self, int32_t i, struct sink_merged *out, struct error *err)
{
    const struct output *output = &self->all[i];
    *out = (struct sink_merged){0};
    return output->type->merge_commit == NULL ? E_OK : output->type->merge_commit(output->sink, out, err);
}

struct sink_totals outputs_totals(const struct outputs *self, int32_t i) { return self->all[i].totals; }

const char *outputs_preview(const struct outputs *self, int32_t i)
{
    return self->all[i].preview.data != NULL ? self->all[i].preview.data : "";
}

/* scan_files.c - rows of files, one batch after the other: no file is held whole. */
#include "query/scan_files.h"

#include <strings.h>

#include "query/stage.h"

enum { WAIT_US = 100 * 1000 }; // all there is to read is there: nobody waits so long

const char *files_option(const struct pipeline_source *source, const char *name)
{
    for (int32_t i = 0; i < source->option_count; i++)
        if (strcasecmp(source->options[i].name, name) == 0)
            return source->options[i].value;
    return NULL;
}

/* ---- reading ---- */

static enum code source_open(struct files_reader *self, const struct files_reader_spec *spec, struct error *err)
{
    const struct pipeline_source *source = spec->source;
    struct arena scratch = {0};
    const char **names = arena_array(&scratch, const char *, (size_t)source->option_count + 2);
    const char **values = arena_array(&scratch, const char *, (size_t)source->option_count + 2);
    struct source_spec config = {
        .name = source->name,
        .schema = spec->schema,
        .zone = spec->zone,
        .budget = spec->budget,
        .option_names = names,
        .option_values = values,
        .partitioned = !spec->flat,
        .tests = source->tests,
        .test_count = source->test_count,
        .may_lack = source->of_table, // before its first epoch
        .tells_file = source->tells_file,
        .needed = {[SOURCE_VALUE] = true, [SOURCE_TOPIC] = true},
    };
    for (int32_t i = 0; i < source->option_count; i++) {
        const struct setting *option = &source->options[i];
        bool without = spec->without != NULL && strcasecmp(option->name, spec->without) == 0;
        if (without || (spec->unset_empty && option->value[0] == '\0'))
            continue;
        names[config.option_count] = option->name;
        values[config.option_count++] = option->value;
    }
    if (spec->path != NULL) {
        names[config.option_count] = "path";
        values[config.option_count++] = spec->path;
    }
    self->source = mem_zero(self->type->size);
    enum code code = self->type->open(self->source, &config, err);
    arena_free(&scratch);
    return code;
}

static enum code source_look(struct files_reader *self, struct error *err)
{
    const struct source_ranges nothing = {0};
    TRY(self->type->discover(self->source, &nothing, &self->ranges, err));
    for (int32_t i = 0; i < self->ranges.count; i++)
        self->ranges.items[i].to = self->ranges.items[i].latest;
    return self->type->seek(self->source, &self->ranges, err);
}

enum code files_reader_open(struct files_reader *self, const struct files_reader_spec *spec, struct error *err)
{
    *self = (struct files_reader){.type = source_find(spec->source->format)};
    if (self->type == NULL || !self->type->ends)
        return fail(err, E_UNSUPPORTED, "[UNSUPPORTED_FEATURE] leat cannot do this yet: reading files of format %s",
                    spec->source->format);
    enum code code = source_open(self, spec, err);
    if (code == E_OK)
        code = source_look(self, err);
    if (code != E_OK)
        files_reader_close(self);
    return code;
}

enum code files_reader_describe(struct files_reader *self, struct arena *arena, struct source_shape *out,
                                struct error *err)
{
    if (self->type->describe == NULL)
        return fail(err, E_UNSUPPORTED,
                    "[UNSUPPORTED_FEATURE] leat cannot do this yet: the columns of files of format %s",
                    self->type->name);
    return self->type->describe(self->source, arena, out, err);
}

enum code files_reader_next(struct files_reader *self, struct batch *out, struct error *err)
{
    *out = (struct batch){0};
    while (!self->done && out->rows == 0) {
        batch_release(out);
        TRY(self->type->fetch(self->source, &self->ranges, WAIT_US, out, &self->done, err));
    }
    return E_OK;
}

int64_t files_reader_bytes(const struct files_reader *self)
{
    int64_t bytes = 0;
    if (self->source == NULL)
        return 0;
    if (self->type->read_bytes != NULL)
        return self->type->read_bytes(self->source);
    for (int32_t i = 0; i < self->ranges.count; i++)
        bytes += self->ranges.items[i].from;
    return bytes;
}

void files_reader_close(struct files_reader *self)
{
    if (self->source != NULL)
        self->type->close(self->source);
    mem_free(self->source);
    source_ranges_free(&self->ranges);
    *self = (struct files_reader){0};
}

/* ---- the stage ---- */

struct files_scan {
    struct stage base;
    struct files_reader reader;
    const char *path; /* folder, file or pattern */
    int64_t size_bytes;
};

static enum code files_open(struct stage *base, struct error *err)
{
    struct files_scan *self = (struct files_scan *)base;
    const struct query_spec *query = &base->query->spec;
    const struct pipeline_source *source = base->plan->source;
    const struct query_project *project = query->project;
    bool of_table = project != NULL && source->of_table;
    self->path = of_table ? project->table_path(project->context, source->name) : files_option(source, "path");
    const struct files_reader_spec spec = {.source = source,
                                           .path = of_table ? self->path : NULL,
                                           .unset_empty = project != NULL,
                                           .schema = base->plan->schema,
                                           .zone = query->session->zone,
                                           .budget = query->budget,
                                           .flat = source->path_columns == NULL && source->size_bytes == 0};
    self->size_bytes = source->size_bytes;
    return files_reader_open(&self->reader, &spec, err);
}

/* A column that says the file. */
static bool is_told(const struct stage *base, const struct field *field)
{
    return base->plan->source->tells_file && source_is_file_column(field);
}

struct file_value {
    const struct files_scan *scan;
    const struct field *field;
};

/* What the file of `rows` lines gives. */
static enum code file_value(void *context, const char *path, int64_t rows, struct column *out, struct error *err)
{
    const struct file_value *what = context;
    const struct files_scan *self = what->scan;
    const struct zone *zone = self->base.query->spec.session->zone;
    struct source_file file;
    if (!is_told(&self->base, what->field))
        return source_path_column(self->path, path, what->field, zone, rows, out, err);
    if (!self->reader.type->file_of(self->reader.source, path, &file))
        return fail(err, E_LOST, "%s is not among the files any more", path);
    source_file_column(&file, what->field, rows, out);
    return E_OK;
}

/* Lines, and what the folders of their files give. */
static enum code lines_next(struct files_scan *self, struct batch *out, struct error *err)
{
    const struct type *schema = self->base.plan->schema;
    struct batch lines, made;
    TRY(files_reader_next(&self->reader, &lines, err));
    if (lines.rows == 0)
        return E_OK;
    enum code code = E_OK;
    batch_init(&made, schema, lines.rows);
    for (int32_t i = 0; code == E_OK && i < schema->field_count; i++) {
        const struct field *field = &schema->fields[i];
        const struct type *path = self->base.plan->source->path_columns;
        if (is_told(&self->base, field) || (path != NULL && type_field_index(path, field->name, true) >= 0))
            code = source_each_file(&lines.columns[SOURCE_TOPIC], lines.rows, file_value,
                                    &(struct file_value){self, field}, &made.columns[i], err);
        else
            column_share(&made.columns[i], &lines.columns[SOURCE_VALUE]);
    }
    batch_release(&lines);
    if (code == E_OK)
        *out = made;
    else
        batch_release(&made);
    return code;
}

static enum code files_next(struct stage *base, struct batch *out, struct error *err)
{
    struct files_scan *self = (struct files_scan *)base;
    return self->reader.type->columns ? files_reader_next(&self->reader, out, err) : lines_next(self, out, err);
}

void files_progress(const struct stage *base, struct query_progress *out)
{
    const struct files_scan *self = (const struct files_scan *)base;
    int64_t read = files_reader_bytes(&self->reader);
    out->size_bytes += self->size_bytes;
    out->read_bytes += read < self->size_bytes ? read : self->size_bytes;
}

static void files_close(struct stage *base) { files_reader_close(&((struct files_scan *)base)->reader); }

const struct stage_type files_stage = {
    .name = "files", .size = sizeof(struct files_scan), .open = files_open, .next = files_next, .close = files_close};

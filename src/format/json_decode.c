#include "format/formats_internal.h"
#include "format/json_records.h"
#include "format/json_rescue.h"

#include <strings.h>

/* Where a field of the user's schema comes from; else the index of a child of `records.root`. */
enum { FROM_NOWHERE = -1, FROM_CORRUPT = -2, FROM_RESCUED = -3 };

struct json_decoder {
    struct json_records records;
    struct json_column corrupt;
    const struct type *schema; /* the user's */
    const bool *needed;
    struct type read; /* the fields that are read, in the user's order */
    struct field *read_fields;
    int32_t *sources; /* per field of `schema` */
    bool rescues;     /* somebody reads the rescued data */
    void (*decode_rows)(struct json_records *self, const struct column *payload);
};

static bool field_needed(const struct decoder_spec *spec, int32_t field)
{
    return spec->needed == NULL || spec->needed[field];
}

static bool is_corrupt_field(const struct decoder_spec *spec, int32_t field)
{
    const struct field *f = &spec->schema->fields[field];
    return spec->corrupt_column != NULL && f->type->id == TYPE_STRING && strcmp(f->name, spec->corrupt_column) == 0;
}

/* The option's value: which column gets what found no place elsewhere; or NULL. */
static const char *rescued_column(const struct decoder_spec *spec)
{
    for (int32_t i = 0; i < spec->option_count; i++)
        if (strcasecmp(spec->option_names[i], "rescuedDataColumn") == 0 && spec->option_values[i][0] != '\0')
            return spec->option_values[i];
    return NULL;
}

static bool is_rescued_field(const struct decoder_spec *spec, int32_t field)
{
    const struct field *f = &spec->schema->fields[field];
    const char *column = rescued_column(spec);
    return column != NULL && f->type->id == TYPE_STRING && strcmp(f->name, column) == 0;
}

/* Fields that nobody needs are read all the same when their being wrong makes a difference. */
static void choose_fields(struct json_decoder *self, const struct decoder_spec *spec)
{
    int32_t count = spec->schema->field_count;
    bool check_all = spec->mode != DECODE_PERMISSIVE;
    for (int32_t i = 0; i < count; i++)
        check_all |= (is_corrupt_field(spec, i) || is_rescued_field(spec, i)) && field_needed(spec, i);
    self->sources = mem_array(int32_t, (size_t)count + 1);
    self->read_fields = mem_array(struct field, (size_t)count + 1);
    for (int32_t i = 0; i < count; i++) {
        self->sources[i] = FROM_NOWHERE;
        if (is_corrupt_field(spec, i)) {
            self->sources[i] = field_needed(spec, i) ? FROM_CORRUPT : FROM_NOWHERE;
        } else if (is_rescued_field(spec, i)) {
            self->sources[i] = field_needed(spec, i) ? FROM_RESCUED : FROM_NOWHERE;
            self->rescues |= field_needed(spec, i);
        } else if (check_all || field_needed(spec, i)) {
            self->sources[i] = self->read.field_count;
            self->read_fields[self->read.field_count++] = spec->schema->fields[i];
        }
    }
    self->read.id = TYPE_STRUCT;
    self->read.fields = self->read_fields;
}

/* Fields of the schema that nobody reads are no strangers. */
static void know_unread(struct json_decoder *self, const struct decoder_spec *spec)
{
    struct json_keys *keys = &self->records.root.keys;
    json_keys_widen(keys, spec->schema->field_count - self->read.field_count);
    for (int32_t i = 0; i < spec->schema->field_count; i++)
        if (self->sources[i] < 0 && !is_corrupt_field(spec, i) && !is_rescued_field(spec, i))
            json_keys_add(keys, spec->schema->fields[i].name, NULL);
}

static enum code decoder_open(void *decoder, const struct decoder_spec *spec, struct error *err)
{
    struct json_decoder *self = decoder;
    if (spec->schema->id != TYPE_STRUCT)
        return fail(err, E_SPEC, "json: the schema must be a STRUCT");
    *self = (struct json_decoder){.schema = spec->schema, .needed = spec->needed};
    choose_fields(self, spec);
    json_column_init(&self->records.root, &self->read);
    know_unread(self, spec);
    for (int32_t i = 0; i < spec->schema->field_count; i++)
        if (self->sources[i] == FROM_CORRUPT)
            self->records.corrupt = &self->corrupt;
    json_column_init(&self->corrupt, type_of(TYPE_STRING));
    self->records.mode = spec->mode;
    self->records.reader.exact_texts = spec->exact_texts;
    self->records.reader.zone = spec->zone != NULL ? spec->zone : zone_utc();
    self->decode_rows = json_records_word;
#if defined(__x86_64__)
    if (spec->simd != 0 && __builtin_cpu_supports("avx2") && __builtin_cpu_supports("bmi"))
        self->decode_rows = json_records_avx2;
#endif
    return E_OK;
}

/* The read columns in the places where the user wants them. */
static void arrange(struct json_decoder *self, struct column *read, struct column *corrupt, struct column *rescued,
                    struct column *out)
{
    const struct type *schema = self->schema;
    *out = (struct column){.type = schema,
                           .rows = read->rows,
                           .nulls = read->nulls,
                           .valid = read->valid,
                           .child_count = schema->field_count};
    read->valid = NULL;
    if (schema->field_count > 0)
        out->children = mem_array(struct column, (size_t)schema->field_count);
    for (int32_t i = 0; i < schema->field_count; i++) {
        int32_t source = self->sources[i];
        if (source == FROM_CORRUPT)
            out->children[i] = column_take(corrupt);
        else if (source == FROM_RESCUED)
            out->children[i] = column_take(rescued);
        else if (source != FROM_NOWHERE && (self->needed == NULL || self->needed[i]))
            out->children[i] = column_take(&read->children[source]);
        else
            column_all_null(&out->children[i], schema->fields[i].type, out->rows);
    }
}

/* Each record once more, beside what became of it. */
static void rescue_rows(const struct json_decoder *self, const struct column *payload, const struct column *read,
                        struct column *out)
{
    struct builder builder;
    struct text text = {0};
    builder_init(&builder, type_of(TYPE_STRING));
    for (int64_t row = 0; row < payload->rows; row++) {
        text_clear(&text);
        if (!column_is_null(payload, row) && !column_is_null(read, row) &&
            json_rescue(column_bytes_at(payload, row), &self->read, read, row, &text))
            builder_bytes(&builder, text_view(&text));
        else
            builder_null(&builder);
    }
    builder_finish(&builder, out);
    builder_release(&builder);
    text_free(&text);
}

static enum code decoder_decode(void *decoder, const struct column *payload, struct column *out,
                                struct rejects *rejects, struct error *err)
{
    struct json_decoder *self = decoder;
    struct column read, corrupt, rescued = {0};
    if (!type_is_varlen(payload->type))
        return fail(err, E_BUG, "json: payloads must be STRING or BINARY");
    self->records.rejects = rejects;
    json_column_reserve(&self->records.root, payload->rows);
    json_column_reserve(&self->corrupt, self->records.corrupt != NULL ? payload->rows : 0);
    self->decode_rows(&self->records, payload);
    json_column_finish(&self->records.root, &read);
    json_column_finish(&self->corrupt, &corrupt);
    if (self->rescues)
        rescue_rows(self, payload, &read, &rescued);
    arrange(self, &read, &corrupt, &rescued, out);
    column_release(&read);
    column_release(&corrupt);
    column_release(&rescued);
    return E_OK;
}

static void decoder_close(void *decoder)
{
    struct json_decoder *self = decoder;
    json_column_close(&self->records.root);
    json_column_close(&self->corrupt);
    text_free(&self->records.reader.scratch);
    mem_free(self->sources);
    mem_free(self->read_fields);
    *self = (struct json_decoder){0};
}

/* ---- fields that the schema does not have ---- */

static int32_t strangers_below(const struct json_column *col)
{
    int32_t count = col->id == TYPE_STRUCT ? json_keys_strangers(&col->keys) : 0;
    for (int32_t i = 0; i < col->child_count; i++)
        if (type_is_nested(col->children[i].type))
            count += strangers_below(&col->children[i]);
    return count;
}

static int32_t decoder_stranger_count(const void *decoder)
{
    return strangers_below(&((const struct json_decoder *)decoder)->records.root);
}

struct stranger_walk {
    void (*each)(void *context, const char *path, int64_t met);
    void *context;
    struct text path;
};

static void stranger_tell(void *context, struct bytes name, int64_t met)
{
    struct stranger_walk *self = context;
    size_t size = self->path.size;
    if (met == 0)
        return;
    text_add(&self->path, name.data, name.size);
    self->each(self->context, self->path.data != NULL ? self->path.data : "", met);
    text_cut(&self->path, size);
}

static void strangers_walk(struct stranger_walk *self, const struct json_column *col)
{
    size_t size = self->path.size;
    if (col->id == TYPE_STRUCT)
        json_keys_each_stranger(&col->keys, stranger_tell, self);
    for (int32_t i = 0; i < col->child_count; i++) {
        if (!type_is_nested(col->children[i].type))
            continue;
        if (col->id == TYPE_STRUCT)
            text_printf(&self->path, "%s.", col->type->fields[i].name);
        strangers_walk(self, &col->children[i]);
        text_cut(&self->path, size);
    }
}

static void decoder_strangers(const void *decoder, void (*each)(void *context, const char *path, int64_t met),
                              void *context)
{
    struct stranger_walk walk = {each, context, {0}};
    strangers_walk(&walk, &((const struct json_decoder *)decoder)->records.root);
    text_free(&walk.path);
}

/* Read by sql/ already; listed so that they are known. */
struct json_reader_options {
    const char *mode, *corrupt_column, *rescued_column;
};
static const struct option json_reader_options[] = {
    {.name = "mode",
     .kind = OPTION_STRING,
     .initial = "PERMISSIVE",
     .help = DECODE_MODE_HELP,
     .offset = offsetof(struct json_reader_options, mode)},
    {.name = "columnNameOfCorruptRecord",
     .kind = OPTION_STRING,
     .initial = "_corrupt_record",
     .help = DECODE_CORRUPT_HELP,
     .offset = offsetof(struct json_reader_options, corrupt_column)},
    {.name = "rescuedDataColumn",
     .kind = OPTION_STRING,
     .help = "STRING column that gets, as JSON, members that the schema does not name and values of another type",
     .offset = offsetof(struct json_reader_options, rescued_column)},
    {0},
};

const struct decoder_type json_decoder = {
    .name = "json",
    .help = "a JSON object per record, as Spark's from_json reads it",
    .options = json_reader_options,
    .size = sizeof(struct json_decoder),
    .open = decoder_open,
    .decode = decoder_decode,
    .stranger_count = decoder_stranger_count,
    .strangers = decoder_strangers,
    .close = decoder_close,
};

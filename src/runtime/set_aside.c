#include "runtime/set_aside.h"

#include "format/format.h"

/* ---- the record a row came from ---- */

enum { RECORD_TOPIC, RECORD_PARTITION, RECORD_OFFSET, RECORD_TIMESTAMP, RECORD_KEY, RECORD_VALUE, RECORD_FIELDS };
static const struct {
    const char *name;
    enum type_id type;
} record_fields[RECORD_FIELDS] = {
    {"topic", TYPE_STRING},        {"partition", TYPE_INT32}, {"offset", TYPE_INT64},
    {"timestamp", TYPE_TIMESTAMP}, {"key", TYPE_STRING},      {"value", TYPE_STRING},
};

static void field_copy(struct builder *into, const struct column *from, int64_t row)
{
    if (from->type == NULL || row >= from->rows || column_is_null(from, row))
        builder_null(into);
    else if (type_is_varlen(from->type))
        builder_bytes(into, column_bytes_at(from, row));
    else
        builder_copy(into, from, row);
}

static void value_copy(struct builder *into, const struct origin *from, int64_t record)
{
    if (from->row.type == NULL) {
        field_copy(into, &from->value, record);
        return;
    }
    struct text row = {0};
    json_write_exact(&from->row, record, &row);
    builder_bytes(into, text_view(&row));
    text_free(&row);
}

static void record_copy(struct builder *into, const struct batch *in, int64_t row)
{
    if (in->source == NULL) {
        for (int i = 0; i < RECORD_FIELDS; i++)
            builder_null(&into[i]);
        return;
    }
    int64_t record = batch_origin(in, row);
    field_copy(&into[RECORD_TOPIC], &in->source->topic, record);
    field_copy(&into[RECORD_PARTITION], &in->source->partition, record);
    field_copy(&into[RECORD_OFFSET], &in->source->offset, record);
    field_copy(&into[RECORD_TIMESTAMP], &in->source->timestamp, record);
    field_copy(&into[RECORD_KEY], &in->source->key, record);
    value_copy(&into[RECORD_VALUE], in->source, record);
}

/* ---- lines: what is said of the row, then its record ---- */

enum { SAID_FIELDS = 3, LINE_FIELDS = SAID_FIELDS + RECORD_FIELDS };
enum { LATE_REASON, LATE_WATERMARK, LATE_TIME };

static const struct type *line_schema(struct arena *arena, const struct field *said)
{
    struct field fields[LINE_FIELDS];
    for (int i = 0; i < SAID_FIELDS; i++)
        fields[i] = said[i];
    for (int i = 0; i < RECORD_FIELDS; i++)
        fields[SAID_FIELDS + i] = (struct field){record_fields[i].name, type_of(record_fields[i].type), true};
    return type_struct(arena, fields, LINE_FIELDS);
}

const struct type *late_schema(struct arena *arena)
{
    const struct field said[SAID_FIELDS] = {
        [LATE_REASON] = {"reason", type_of(TYPE_STRING), true},
        [LATE_WATERMARK] = {"watermark", type_of(TYPE_TIMESTAMP), true},
        [LATE_TIME] = {"event_time", type_of(TYPE_TIMESTAMP), true},
    };
    return line_schema(arena, said);
}

static void lines_begin(struct builder *lines, const struct type *schema)
{
    for (int i = 0; i < LINE_FIELDS; i++)
        builder_init(&lines[i], schema->fields[i].type);
}

static void lines_finish(struct builder *lines, const struct type *schema, int64_t count, struct batch *out)
{
    batch_init(out, schema, count);
    for (int i = 0; i < LINE_FIELDS; i++) {
        builder_finish(&lines[i], &out->columns[i]);
        builder_release(&lines[i]);
    }
}

/* ---- late rows ---- */

void late_rows_print(const struct type *schema, const struct late_rows *late, struct batch *out)
{
    struct builder lines[LINE_FIELDS];
    const struct column *times = late->time_column >= 0 ? &late->in->columns[late->time_column] : NULL;
    lines_begin(lines, schema);
    for (int64_t i = 0; i < late->count; i++) {
        int32_t row = late->rows[i];
        builder_bytes(&lines[LATE_REASON], bytes_of_string("LATE"));
        builder_int(&lines[LATE_WATERMARK], late->watermark_us);
        if (times == NULL || column_is_null(times, row))
            builder_null(&lines[LATE_TIME]);
        else
            builder_int(&lines[LATE_TIME], column_values(times, const int64_t)[row]);
        record_copy(lines + SAID_FIELDS, late->in, row);
    }
    lines_finish(lines, schema, late->count, out);
}

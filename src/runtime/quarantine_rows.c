#include "runtime/quarantine_rows.h"

#include <stdio.h>
#include <string.h>

#include "format/format.h"
#include "runtime/blame.h"

enum { DETAIL_VALUE_MAX = 80 }; /* bytes of the value at fault that `detail` shows */

/* ---- shape ---- */

static const struct {
    const char *name;
    enum type_id type;
} columns[QUARANTINE_TEXT_COLUMNS] = {
    [QUARANTINE_REASON] = {"reason", TYPE_STRING},
    [QUARANTINE_DETAIL] = {"detail", TYPE_STRING},
    [QUARANTINE_AT] = {"at", TYPE_STRING},
    [QUARANTINE_TABLES] = {"tables", TYPE_ARRAY},
    [QUARANTINE_FIELD] = {"field", TYPE_STRING},
    [QUARANTINE_BYTE] = {"byte", TYPE_INT64},
    [QUARANTINE_ROW] = {"row", TYPE_STRING},
    [QUARANTINE_SOURCE] = {"source", TYPE_STRING},
    [QUARANTINE_TOPIC] = {"topic", TYPE_STRING},
    [QUARANTINE_PARTITION] = {"partition", TYPE_INT32},
    [QUARANTINE_OFFSET] = {"offset", TYPE_INT64},
    [QUARANTINE_TIMESTAMP] = {"timestamp", TYPE_TIMESTAMP},
    [QUARANTINE_KEY] = {"key", TYPE_BINARY},
    [QUARANTINE_VALUE] = {"value", TYPE_BINARY},
    [QUARANTINE_KEY_BYTES] = {"key_bytes", TYPE_INT64},
    [QUARANTINE_VALUE_BYTES] = {"value_bytes", TYPE_INT64},
    [QUARANTINE_SCHEMA_VERSION] = {"schema_version", TYPE_STRING},
    [QUARANTINE_NODE] = {"node", TYPE_STRING},
    [QUARANTINE_ATTEMPTS] = {"attempts", TYPE_INT32},
    [QUARANTINE_EPOCH] = {"epoch", TYPE_INT64},
    [QUARANTINE_REJECTED_AT] = {"rejected_at", TYPE_TIMESTAMP},
    [QUARANTINE_KEY_BASE64] = {"key_base64", TYPE_BINARY}, // as lines of JSON write BINARY
    [QUARANTINE_VALUE_BASE64] = {"value_base64", TYPE_BINARY},
};

const struct type *quarantine_schema(struct arena *arena, bool text)
{
    struct field fields[QUARANTINE_TEXT_COLUMNS];
    int32_t count = text ? QUARANTINE_TEXT_COLUMNS : QUARANTINE_COLUMNS;
    for (int32_t i = 0; i < count; i++) {
        bool bytes = i == QUARANTINE_KEY || i == QUARANTINE_VALUE;
        const struct type *type = columns[i].type == TYPE_ARRAY ? type_array(arena, type_of(TYPE_STRING), true)
                                  : bytes && text               ? type_of(TYPE_STRING)
                                                                : type_of(columns[i].type);
        fields[i] = (struct field){columns[i].name, type, true};
    }
    return type_struct(arena, fields, count);
}

/* ---- one row ---- */

struct writing {
    const struct quarantine_style *style;
    const struct rejection *about;
    const struct batch *in;
    const struct rejecter *by;
    struct builder columns[QUARANTINE_TEXT_COLUMNS];
    struct text scratch, row_text;
    struct blame blame;
};

static void text_put(struct writing *self, enum quarantine_column column, const struct text *text)
{
    if (text->size > 0)
        builder_bytes(&self->columns[column], text_view(text));
    else
        builder_null(&self->columns[column]);
}

static void string_put(struct writing *self, enum quarantine_column column, const char *text)
{
    if (text != NULL)
        builder_bytes(&self->columns[column], bytes_of_string(text));
    else
        builder_null(&self->columns[column]);
}

static bool given(const struct column *col, int64_t row)
{
    return col->type != NULL && row < col->rows && !column_is_null(col, row);
}

static void copy_put(struct writing *self, enum quarantine_column column, const struct column *from, int64_t record)
{
    if (given(from, record))
        builder_copy(&self->columns[column], from, record);
    else
        builder_null(&self->columns[column]);
}

/* A text is cut between characters, so that it stays one. */
static size_t cut_at(struct bytes value, size_t most, bool text)
{
    if (value.size <= most)
        return value.size;
    while (text && most > 0 && (value.data[most] & 0xc0) == 0x80)
        most--;
    return most;
}

static void bytes_put(struct writing *self, enum quarantine_column column, enum quarantine_column size, int base64,
                      struct bytes value)
{
    bool is_given = value.data != NULL, split = self->style->text;
    bool text = is_given && utf8_valid(value.data, value.size);
    struct bytes kept = bytes_of(value.data, cut_at(value, (size_t)self->style->value_max, text));
    if (!is_given || (split && !text))
        builder_null(&self->columns[column]);
    else
        builder_bytes(&self->columns[column], kept);
    if (split && is_given && !text)
        builder_bytes(&self->columns[base64], kept);
    else if (split)
        builder_null(&self->columns[base64]);
    if (is_given)
        builder_int(&self->columns[size], (int64_t)value.size);
    else
        builder_null(&self->columns[size]);
}

/* Its data is NULL where there is none. */
static struct bytes bytes_given(const struct column *from, int64_t record)
{
    return given(from, record) ? column_bytes_at(from, record) : (struct bytes){0};
}

/* What came, or the row that came as columns in JSON. */
static struct bytes value_of(struct writing *self, const struct reject *reject)
{
    const struct origin *from = self->in->source;
    if (from == NULL)
        return (struct bytes){0};
    int64_t record = batch_origin(self->in, reject->row);
    if (from->row.type == NULL)
        return bytes_given(&from->value, record);
    text_clear(&self->row_text);
    json_write_exact(&from->row, record, &self->row_text);
    return text_view(&self->row_text);
}

static void record_put(struct writing *self, const struct reject *reject, struct bytes value)
{
    static const struct origin nowhere = {0};
    const struct origin *from = self->in->source != NULL ? self->in->source : &nowhere;
    int64_t record = self->in->source != NULL ? batch_origin(self->in, reject->row) : 0;
    string_put(self, QUARANTINE_SOURCE, from->name);
    copy_put(self, QUARANTINE_TOPIC, &from->topic, record);
    copy_put(self, QUARANTINE_PARTITION, &from->partition, record);
    copy_put(self, QUARANTINE_OFFSET, &from->offset, record);
    copy_put(self, QUARANTINE_TIMESTAMP, &from->timestamp, record);
    bytes_put(self, QUARANTINE_KEY, QUARANTINE_KEY_BYTES, QUARANTINE_KEY_BASE64, bytes_given(&from->key, record));
    bytes_put(self, QUARANTINE_VALUE, QUARANTINE_VALUE_BYTES, QUARANTINE_VALUE_BASE64, value);
    int64_t before = given(&from->attempts, record) ? column_values(&from->attempts, const int32_t)[record] : 0;
    builder_int(&self->columns[QUARANTINE_ATTEMPTS], before + 1);
}

static void detail_write(const struct batch *in, const struct reject *reject, const struct rejecter *by,
                         struct text *out)
{
    text_clear(out);
    if (reject->code == REJECT_RAISED)
        rejection_words(by->plan, by->position(by->stage, reject->step), out);
    if (by->detail != NULL)
        by->detail(by->stage, in, reject, out);
    else if (out->size == 0)
        text_add_string(out, reject_text(reject->code));
}

/* A decoder refused the record: where it stops being JSON, or else which field it is. The payload is the record's value, or
 * a text inside it. */
static bool malformed_find(struct writing *self, struct bytes value, struct text *field, struct bytes *found)
{
    const struct plan *plan = self->by->plan;
    bool is_row = self->in->source->row.type != NULL; // of which `value` is a column like any
    rejection_payload(plan, field);
    if (field->size > 0 && (is_row || !bytes_equal_string(text_view(field), "value")))
        return json_path_find(value, field->data, found);
    text_clear(field);
    if (json_fault_find(value, field, found))
        return true;
    const char *name = blame_field(&self->blame, plan, value);
    if (name != NULL)
        text_add_string(field, name);
    return name != NULL && json_path_find(value, name, found);
}

/* Where the field's value stands in the record's, when that is JSON; its text belongs to the detail. */
static void field_put(struct writing *self, const struct reject *reject, struct position at, struct bytes value,
                      struct text *detail)
{
    const struct batch *in = self->in;
    struct text *field = &self->scratch;
    struct bytes found = {0};
    bool known = false;
    text_clear(field);
    if (reject->code == REJECT_MALFORMED) {
        known = value.size > 0 && malformed_find(self, value, field, &found);
    } else {
        rejection_field(self->by->plan, at, reject->code, batch_place(in, reject->row), field);
        known = value.size > 0 && field->size > 0 && json_path_find(value, field->data, &found);
    }
    text_put(self, QUARANTINE_FIELD, field);
    if (!known) {
        builder_null(&self->columns[QUARANTINE_BYTE]);
        return;
    }
    builder_int(&self->columns[QUARANTINE_BYTE], found.data - value.data);
    size_t shown = cut_at(found, DETAIL_VALUE_MAX, true);
    if (found.size > 0 && utf8_valid(found.data, shown)) {
        text_add_string(detail, ": ");
        text_add(detail, found.data, shown);
        text_add_string(detail, shown < found.size ? ".." : "");
    }
}

static void place_put(struct writing *self, struct position at)
{
    text_clear(&self->scratch);
    if (at.line > 0)
        text_printf(&self->scratch, "%s:%d:%d", at.file != NULL ? at.file : "", at.line, at.column);
    text_put(self, QUARANTINE_AT, &self->scratch);
}

static void tables_put(struct writing *self)
{
    struct builder *tables = &self->columns[QUARANTINE_TABLES];
    for (int32_t t = 0; t < self->about->table_count; t++)
        builder_bytes(&tables->children[0], bytes_of_string(self->about->tables[t]));
    builder_close_list(tables);
}

static void row_put(struct writing *self, const struct reject *reject, struct text *detail)
{
    struct position at = self->by->position(self->by->stage, reject->step);
    const struct rejected_again *again = self->by->again;
    struct bytes value = value_of(self, reject);
    string_put(self, QUARANTINE_REASON, reject_condition(reject->code));
    detail_write(self->in, reject, self->by, detail);
    field_put(self, reject, at, value, detail);
    text_put(self, QUARANTINE_DETAIL, detail);
    place_put(self, at);
    tables_put(self);
    text_clear(&self->scratch);
    lineage_print(again != NULL ? again->lineages[batch_origin(self->in, reject->row)]
                                : batch_place(self->in, reject->row),
                  &self->scratch);
    text_put(self, QUARANTINE_ROW, &self->scratch);
    record_put(self, reject, value);
    string_put(self, QUARANTINE_SCHEMA_VERSION, self->about->schema_version);
    string_put(self, QUARANTINE_NODE, self->about->node);
    builder_int(&self->columns[QUARANTINE_EPOCH], self->style->epoch);
    builder_int(&self->columns[QUARANTINE_REJECTED_AT], self->style->batch_time_us);
}

/* ---- all of them ---- */

void quarantine_rows(const struct quarantine_style *style, const struct rejection *about, const struct batch *in,
                     const struct rejects *rejects, const struct rejecter *by, struct batch *out)
{
    struct writing self = {.style = style, .about = about, .in = in, .by = by};
    struct text detail = {0};
    int32_t count = style->schema->field_count;
    int64_t rows = 0;
    uint8_t *done = mem_zero(bit_bytes(in->rows));
    for (int32_t i = 0; i < count; i++)
        builder_init(&self.columns[i], style->schema->fields[i].type);
    for (int32_t i = 0; i < rejects->count; i++) {
        const struct reject *reject = &rejects->items[i];
        if (bit_get(done, reject->row))
            continue;
        bit_set(done, reject->row);
        row_put(&self, reject, &detail);
        rows++;
    }
    batch_init(out, style->schema, rows);
    for (int32_t i = 0; i < count; i++) {
        builder_finish(&self.columns[i], &out->columns[i]);
        builder_release(&self.columns[i]);
    }
    mem_free(done);
    blame_close(&self.blame);
    text_free(&self.scratch);
    text_free(&self.row_text);
    text_free(&detail);
}

/* ---- the first of them, as an error ---- */

static const struct pipeline_source *source_named(const struct plan *plan, const char *name)
{
    const struct pipeline_source *found = NULL;
    if (plan->kind == PLAN_SOURCE)
        return plan->source != NULL && strcmp(plan->source->name, name) == 0 ? plan->source : NULL;
    for (int32_t i = 0; found == NULL && i < plan->input_count; i++)
        found = source_named(plan_input(plan, i), name);
    return found;
}

/* Lines of files are found by their first byte, rows of files with columns by their number. */
static void record_print(const struct origin *from, int64_t record, const struct plan *plan, struct text *out)
{
    const struct pipeline_source *source = from->name != NULL ? source_named(plan, from->name) : NULL;
    bool file = source != NULL && strcmp(source->format, "kafka") != 0;
    if (!given(&from->topic, record) || !given(&from->offset, record))
        return;
    text_add_string(out, file ? ", in file " : ", in topic ");
    column_print(&from->topic, record, out);
    if (!file && given(&from->partition, record)) {
        text_add_string(out, " partition ");
        column_print(&from->partition, record, out);
    }
    text_add_string(out, !file ? " offset " : from->row.type == NULL ? " the line at byte " : " row ");
    column_print(&from->offset, record, out);
}

enum code reject_fail(const struct rejection *about, const struct batch *in, const struct rejects *rejects,
                      const struct rejecter *by, struct error *err)
{
    struct arena arena = {0};
    const struct quarantine_style style = {.schema = quarantine_schema(&arena, false)};
    const struct rejects first = {.items = rejects->items, .count = 1};
    const struct reject *reject = &rejects->items[0];
    struct batch row;
    struct text what = {0};
    quarantine_rows(&style, about, in, &first, by, &row);
    column_print(&row.columns[QUARANTINE_DETAIL], 0, &what);
    if (!column_is_null(&row.columns[QUARANTINE_FIELD], 0)) {
        text_add_string(&what, ", field ");
        column_print(&row.columns[QUARANTINE_FIELD], 0, &what);
    }
    if (in->source != NULL)
        record_print(in->source, batch_origin(in, reject->row), by->plan, &what);
    if (!column_is_null(&row.columns[QUARANTINE_AT], 0)) {
        text_add_string(&what, " (");
        column_print(&row.columns[QUARANTINE_AT], 0, &what);
        text_add_char(&what, ')');
    }
    fail(err, E_DATA,
         "[%s] %s. leat.on_error is fail: with leat.on_error: quarantine such rows are set aside, and the others go on",
         reject_condition(reject->code), what.data);
    text_free(&what);
    batch_release(&row);
    arena_free(&arena);
    return err->code;
}

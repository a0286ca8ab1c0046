/* files_columns.c - lines into the columns of a batch: each byte is copied once more, from the
 * block. */
#include "source/files.h"

/* ORDER SOURCE_COLUMN */
static bool is_varlen(int column) { return column == SOURCE_VALUE || column == SOURCE_TOPIC; }

static bool is_fixed(int column)
{
    return column == SOURCE_PARTITION || column == SOURCE_OFFSET || column == SOURCE_TIMESTAMP;
}

void line_columns_begin(struct line_columns *self)
{
    batch_init(&self->batch, self->schema, 0);
    self->value_bytes = 0;
    for (int i = 0; i < self->schema->field_count; i++) {
        struct column *col = &self->batch.columns[i];
        if (!self->needed[i])
            continue;
        col->type = self->schema->fields[i].type;
        if (is_varlen(i)) {
            col->offsets = buffer_new((size_t)(self->rows_max + 1) * sizeof(int32_t));
            *(int32_t *)(void *)col->offsets->data = 0;
            col->values = buffer_new(i == SOURCE_VALUE ? self->value_expected : 0);
            col->values->size = 0;
        } else if (is_fixed(i)) {
            col->values = buffer_new((size_t)self->rows_max * (size_t)type_width(col->type));
        }
    }
}

static void varlen_add(struct column *col, struct bytes value)
{
    struct buffer *values = col->values;
    size_t size = values->size + value.size;
    if (size > values->capacity)
        buffer_grow(&col->values, size > 2 * values->size ? size : 2 * values->size);
    if (value.size > 0)
        memcpy(col->values->data + col->values->size, value.data, value.size);
    col->values->size = size;
    ((int32_t *)(void *)col->offsets->data)[++col->rows] = (int32_t)size;
}

static void fixed_add(struct column *col, int64_t value)
{
    if (type_width(col->type) == sizeof(int32_t))
        column_values(col, int32_t)[col->rows++] = (int32_t)value;
    else
        column_values(col, int64_t)[col->rows++] = value;
}

void line_columns_add(struct line_columns *self, struct bytes line, const struct file_entry *entry, int64_t offset)
{
    struct column *cols = self->batch.columns;
    if (self->needed[SOURCE_VALUE])
        varlen_add(&cols[SOURCE_VALUE], line);
    if (self->needed[SOURCE_TOPIC])
        varlen_add(&cols[SOURCE_TOPIC], bytes_of_string(entry->name));
    if (self->needed[SOURCE_PARTITION])
        fixed_add(&cols[SOURCE_PARTITION], 0);
    if (self->needed[SOURCE_OFFSET])
        fixed_add(&cols[SOURCE_OFFSET], offset);
    if (self->needed[SOURCE_TIMESTAMP])
        fixed_add(&cols[SOURCE_TIMESTAMP], entry->modified_us);
    self->batch.rows++;
    self->value_bytes += line.size;
}

void line_columns_finish(struct line_columns *self, struct batch *out)
{
    for (int i = 0; i < self->schema->field_count; i++) {
        struct column *col = &self->batch.columns[i];
        if (col->type == NULL)
            continue;
        if (is_varlen(i))
            col->offsets->size = (size_t)(col->rows + 1) * sizeof(int32_t);
        else if (is_fixed(i))
            col->values->size = (size_t)col->rows * (size_t)type_width(col->type);
        else
            column_all_null(col, col->type, self->batch.rows); // files have no keys and no headers
    }
    if (self->batch.rows > self->rows_max / 2)
        self->value_expected = self->value_bytes + self->value_bytes / 16;
    *out = batch_take(&self->batch);
}

#include <string.h>

#include "base/hash.h"
#include "sink/directory.h"

static const char HIVE_NULL[] = "__HIVE_DEFAULT_PARTITION__"; // NULL and '', as in Hive and Spark

enum {
    FOLDER_NAME_MAX = 255,                  // bytes, what file systems take
    FOLDERS_MAX = STORE_PATH_MAX - 2 * 120, // bytes of all of them: a file's name and _staging/ come on top
    ESCAPED = 3                             // bytes at most that one becomes: %2F
};

/* ---- the columns ---- */

static bool is_key(const struct partitioner *self, int32_t column)
{
    for (int32_t i = 0; i < self->key_count; i++)
        if (self->key_columns[i] == column)
            return true;
    return false;
}

static enum code add_key(struct partitioner *self, const char *name, struct error *err)
{
    int32_t column = type_field_index(self->schema, name, true);
    if (column < 0)
        return fail(err, E_SPEC, "PARTITIONED BY (%s): the table has no such column", name);
    const struct type *type = self->schema->fields[column].type;
    if (type_is_nested(type) || type->id == TYPE_BINARY || type->id == TYPE_VARIANT)
        return fail(err, E_SPEC, "PARTITIONED BY (%s): a nested, binary or variant column cannot name a folder", name);
    if (is_key(self, column))
        return fail(err, E_SPEC, "PARTITIONED BY (%s): the column is there twice", name);
    self->key_columns[self->key_count++] = column;
    return E_OK;
}

enum code partitioner_init(struct partitioner *self, const struct sink_spec *spec, struct arena *arena,
                           struct error *err)
{
    const struct type *schema = spec->schema;
    *self = (struct partitioner){.schema = schema, .zone = spec->zone};
    self->key_columns = arena_array(arena, int32_t, (size_t)spec->partition_count);
    for (int32_t i = 0; i < spec->partition_count; i++)
        TRY(add_key(self, spec->partition_columns[i], err));
    struct field *fields = arena_array(arena, struct field, (size_t)schema->field_count);
    self->file_columns = arena_array(arena, int32_t, (size_t)schema->field_count);
    int32_t count = 0;
    for (int32_t i = 0; i < schema->field_count; i++) {
        if (is_key(self, i))
            continue;
        self->file_columns[count] = i;
        fields[count++] = schema->fields[i];
    }
    if (count == 0)
        return fail(err, E_SPEC, "all columns are partition columns: nothing is left for the files");
    self->file_schema = self->key_count == 0 ? schema : type_struct(arena, fields, count);
    return E_OK;
}

void partitioner_project(const struct partitioner *self, const struct batch *batch, struct column *columns,
                         struct batch *out)
{
    for (int32_t i = 0; i < self->file_schema->field_count; i++)
        columns[i] = batch->columns[self->file_columns[i]];
    *out = (struct batch){.schema = self->file_schema,
                          .rows = batch->rows,
                          .columns = columns,
                          .column_count = self->file_schema->field_count};
}

/* ---- rows to groups ---- */

static void hash_column(const struct column *col, int64_t rows, uint64_t *hashes)
{
    size_t width = (size_t)type_width(col->type);
    for (int64_t row = 0; row < rows; row++) {
        uint64_t value = 0;
        if (!column_valid_at(col, row) || col->type->id == TYPE_NULL)
            value = 0x6e756c6c; // any constant: equality decides
        else if (col->type->id == TYPE_BOOLEAN)
            value = (uint64_t)bit_get(col->values->data, row);
        else if (type_is_varlen(col->type))
            value = hash_bytes(column_bytes_at(col, row).data, column_bytes_at(col, row).size);
        else if (width <= sizeof value)
            memcpy(&value, col->values->data + (size_t)row * width, width);
        else
            value = hash_bytes(col->values->data + (size_t)row * width, width);
        hashes[row] = hash_mix(hashes[row], value);
    }
}

static bool same_keys(const struct partitioner *self, const struct batch *batch, int64_t a, int64_t b)
{
    for (int32_t i = 0; i < self->key_count; i++) {
        const struct column *col = &batch->columns[self->key_columns[i]];
        if (!column_equal_at(col, a, col, b))
            return false;
    }
    return true;
}

static void groups_reserve(struct row_groups *groups, int64_t rows)
{
    if (rows <= groups->row_capacity)
        return;
    size_t count = (size_t)rows;
    groups->rows = mem_resize(groups->rows, count * sizeof *groups->rows);
    groups->group_of = mem_resize(groups->group_of, count * sizeof *groups->group_of);
    groups->hashes = mem_resize(groups->hashes, count * sizeof *groups->hashes);
    groups->row_capacity = rows;
    uint32_t slots = 16;
    while (slots < count * 2)
        slots *= 2;
    groups->slots = mem_resize(groups->slots, slots * sizeof *groups->slots);
    groups->slot_count = slots;
}

static int32_t group_add(struct row_groups *groups, int64_t row)
{
    if (groups->count == groups->capacity) {
        groups->capacity = groups->capacity * 2 + 8;
        groups->first_row = mem_resize(groups->first_row, (size_t)groups->capacity * sizeof *groups->first_row);
        groups->ends = mem_resize(groups->ends, (size_t)groups->capacity * sizeof *groups->ends);
    }
    groups->first_row[groups->count] = (int32_t)row;
    groups->ends[groups->count] = 0;
    return groups->count++;
}

static int32_t group_find(const struct partitioner *self, const struct batch *batch, struct row_groups *groups,
                          int64_t row)
{
    uint32_t mask = groups->slot_count - 1, slot = (uint32_t)(groups->hashes[row] >> 32) & mask;
    for (;; slot = (slot + 1) & mask) {
        int32_t group = groups->slots[slot] - 1;
        if (group < 0) {
            group = group_add(groups, row);
            groups->slots[slot] = group + 1;
            return group;
        }
        int32_t first = groups->first_row[group];
        if (groups->hashes[first] == groups->hashes[row] && same_keys(self, batch, first, row))
            return group;
    }
}

void partitioner_split(const struct partitioner *self, const struct batch *batch, struct row_groups *groups)
{
    groups_reserve(groups, batch->rows);
    groups->count = 0;
    memset(groups->slots, 0, groups->slot_count * sizeof *groups->slots);
    memset(groups->hashes, 0, (size_t)batch->rows * sizeof *groups->hashes);
    for (int32_t i = 0; i < self->key_count; i++)
        hash_column(&batch->columns[self->key_columns[i]], batch->rows, groups->hashes);
    for (int64_t row = 0; row < batch->rows; row++) {
        int32_t group = group_find(self, batch, groups, row);
        groups->group_of[row] = group;
        groups->ends[group]++;
    }
    int32_t start = 0; // counts become starts, and starts become ends while the rows are dealt out
    for (int32_t group = 0; group < groups->count; group++) {
        int32_t size = groups->ends[group];
        groups->ends[group] = start;
        start += size;
    }
    for (int64_t row = 0; row < batch->rows; row++)
        groups->rows[groups->ends[groups->group_of[row]]++] = (int32_t)row;
}

void row_groups_free(struct row_groups *groups)
{
    mem_free(groups->rows);
    mem_free(groups->group_of);
    mem_free(groups->hashes);
    mem_free(groups->first_row);
    mem_free(groups->ends);
    mem_free(groups->slots);
    *groups = (struct row_groups){0};
}

/* ---- a row's folder ---- */

static void value_print(const struct column *col, int64_t row, const struct zone *zone, struct text *out)
{
    char text[TIMESTAMP_TEXT_MAX];
    if (col->type->id == TYPE_TIMESTAMP)
        text_add(out, text, timestamp_print(column_values(col, int64_t)[row], zone, text));
    else
        column_print(col, row, out);
}

/* ---- rows that have none ---- */

/* Only texts can be long. */
static bool may_be_long(const struct partitioner *self, const struct batch *batch)
{
    size_t all = 0;
    for (int32_t i = 0; i < self->key_count; i++) {
        const struct column *col = &batch->columns[self->key_columns[i]];
        size_t name = strlen(self->schema->fields[self->key_columns[i]].name), most = 64;
        if (type_is_varlen(col->type) && batch->rows > 0) {
            const int32_t *offsets = column_offsets(col);
            int32_t longest = 0;
            for (int64_t row = 0; row < batch->rows; row++)
                longest = offsets[row + 1] - offsets[row] > longest ? offsets[row + 1] - offsets[row] : longest;
            most = (size_t)longest;
        }
        if (ESCAPED * (name + most) + 2 > FOLDER_NAME_MAX)
            return true;
        all += ESCAPED * (name + most) + 2;
    }
    return all > FOLDERS_MAX;
}

/* The column whose folder's name is too long; -1: it is none, -2: all of them together. */
static int32_t too_long(const struct partitioner *self, const struct batch *batch, int64_t row)
{
    struct text folder = {0};
    size_t all = 0;
    int32_t found = -1;
    for (int32_t i = 0; found < 0 && i < self->key_count; i++) {
        const struct column *col = &batch->columns[self->key_columns[i]];
        text_clear(&folder);
        store_name_encode(bytes_of_string(self->schema->fields[self->key_columns[i]].name), &folder);
        text_add_char(&folder, '=');
        if (type_is_varlen(col->type) && !column_is_null(col, row))
            store_name_encode(column_bytes_at(col, row), &folder);
        all += folder.size + 1;
        found = folder.size > FOLDER_NAME_MAX ? self->key_columns[i] : -1;
    }
    text_free(&folder);
    return found < 0 && all > FOLDERS_MAX ? -2 : found;
}

void partitioner_check(const struct partitioner *self, const struct batch *batch, struct rejects *rejects)
{
    if (self->key_count == 0 || !may_be_long(self, batch))
        return;
    for (int64_t row = 0; row < batch->rows; row++)
        if (too_long(self, batch, row) != -1)
            rejects_add(rejects, row, -1, REJECT_PARTITION_VALUE);
}

void partitioner_check_detail(const struct partitioner *self, const struct batch *batch, int64_t row, struct text *out)
{
    int32_t column = too_long(self, batch, row);
    if (column < 0)
        text_add_string(out, "the values of the partition columns together are longer than a path can be");
    else
        text_printf(out, "the value of partition column %s has %zu bytes, more than a folder's name can have",
                    self->schema->fields[column].name, column_bytes_at(&batch->columns[column], row).size);
}

enum code partitioner_folder(const struct partitioner *self, const struct batch *batch, int64_t row, struct text *out,
                             struct error *err)
{
    struct text value = {0};
    enum code code = E_OK;
    for (int32_t i = 0; code == E_OK && i < self->key_count; i++) {
        const char *name = self->schema->fields[self->key_columns[i]].name;
        const struct column *col = &batch->columns[self->key_columns[i]];
        size_t start = out->size + (i > 0);
        text_clear(&value);
        if (!column_is_null(col, row))
            value_print(col, row, self->zone, &value);
        if (i > 0)
            text_add_char(out, '/');
        store_name_encode(bytes_of_string(name), out);
        text_add_char(out, '=');
        store_name_encode(value.size > 0 ? text_view(&value) : bytes_of_string(HIVE_NULL), out);
        if (out->size - start > FOLDER_NAME_MAX)
            code = fail(err, E_DATA, "a value of partition column %s has %zu bytes, more than a folder's name can have",
                        name, value.size);
    }
    text_free(&value);
    return code;
}

/* parquet_reader.c - Parquet files: open, select columns, next rows. */
#include <stdlib.h>
#include <strings.h>

#include "format/parquet_read.h"

enum { /* of row groups that are announced together: from as few as a request is worth, for who wants the first rows only */
       EXPECT_LEAST_BYTES = 1 << 20,
       EXPECT_MOST_BYTES = 16 << 20,
       EXPECT_SPANS_MAX = 4096
};

struct parquet_reader {
    struct parquet_input input;
    enum code (*expect)(void *context, const struct parquet_span *spans, int32_t count, struct error *err);
    int32_t expected;     /* row groups before this one are announced */
    int64_t expect_bytes; /* with the next ones */
    struct budget *budget;
    size_t charged;
    struct arena arena;
    struct parquet_meta meta;
    struct parquet_node root;
    const struct type *schema, *selected;
    struct parquet_pick *picks; /* per selected column */
    struct parquet_leaf_read *leaves;
    int32_t leaf_count, leaf_capacity;
    struct decompressor decompressor;
    const struct row_test *tests;
    int32_t test_count;
    int32_t group; /* being read; -1 before the first */
    int64_t group_left, batch_rows;
};

/* ---- opening ---- */

static enum code no_parquet(struct error *err) { return fail(err, E_CORRUPT, "it is no Parquet file"); }

static enum code tail_read(const struct parquet_input *input, uint32_t *footer_bytes, struct error *err)
{
    uint8_t tail[PARQUET_TAIL_SIZE];
    if (input->size_bytes < PARQUET_MAGIC_SIZE + PARQUET_TAIL_SIZE)
        return no_parquet(err);
    TRY(input->read(input->context, input->size_bytes - PARQUET_TAIL_SIZE, tail, sizeof tail, err));
    if (memcmp(tail + 4, "PARE", PARQUET_MAGIC_SIZE) == 0)
        return fail(err, E_UNSUPPORTED, "the file is encrypted");
    if (memcmp(tail + 4, "PAR1", PARQUET_MAGIC_SIZE) != 0)
        return no_parquet(err);
    memcpy(footer_bytes, tail, sizeof *footer_bytes);
    if (*footer_bytes > input->size_bytes - PARQUET_MAGIC_SIZE - PARQUET_TAIL_SIZE)
        return fail(err, E_CORRUPT, "a footer of %u bytes, in a file of %lld", *footer_bytes,
                    (long long)input->size_bytes);
    if (*footer_bytes > PARQUET_FOOTER_MAX)
        return fail(err, E_UNSUPPORTED, "a footer of %u bytes, more than %d", *footer_bytes, PARQUET_FOOTER_MAX);
    return E_OK;
}

static enum code charge(struct parquet_reader *self, size_t size, struct error *err)
{
    TRY(budget_take(self->budget, size, "the footer of a Parquet file", err));
    self->charged += size;
    return E_OK;
}

static const struct type *readable_columns(struct arena *arena, const struct parquet_node *root)
{
    struct field *fields = arena_array(arena, struct field, (size_t)root->child_count);
    int32_t count = 0;
    for (int32_t i = 0; i < root->child_count; i++)
        if (root->children[i].type != NULL)
            fields[count++] = (struct field){root->children[i].name, root->children[i].type, true};
    return type_struct(arena, fields, count);
}

static enum code footer_read(struct parquet_reader *self, struct error *err)
{
    uint32_t size = 0;
    TRY(tail_read(&self->input, &size, err));
    TRY(charge(self, size, err));
    uint8_t *footer = mem_alloc((size_t)size + 1);
    enum code code =
        self->input.read(self->input.context, self->input.size_bytes - PARQUET_TAIL_SIZE - size, footer, size, err);
    if (code == E_OK)
        code = parquet_meta_read(bytes_of(footer, size), self->input.size_bytes, &self->arena, &self->meta, err);
    mem_free(footer);
    TRY(code);
    TRY(charge(self, self->arena.used_bytes, err));
    return parquet_tree_build(&self->meta, &self->arena, &self->root, err);
}

enum code parquet_reader_new(const struct parquet_input *input, struct budget *budget, struct parquet_reader **out,
                             struct error *err)
{
    struct parquet_reader *self = mem_new(struct parquet_reader);
    self->input = *input;
    self->budget = budget;
    self->group = -1;
    if (footer_read(self, err) != E_OK) {
        parquet_reader_free(self);
        return error_note(err, "%s", input->name);
    }
    self->schema = readable_columns(&self->arena, &self->root);
    *out = self;
    return E_OK;
}

void parquet_reader_free(struct parquet_reader *self)
{
    if (self == NULL)
        return;
    for (int32_t i = 0; i < self->leaf_count; i++)
        parquet_leaf_close(&self->leaves[i]);
    mem_free(self->leaves);
    decompressor_close(&self->decompressor);
    budget_give(self->budget, self->charged);
    arena_free(&self->arena);
    mem_free(self);
}

const struct type *parquet_reader_schema(const struct parquet_reader *self) { return self->schema; }
int64_t parquet_reader_rows(const struct parquet_reader *self) { return self->meta.rows; }

/* ---- selecting ---- */

static enum code leaf_add(struct parquet_reader *self, const struct parquet_node *node, const struct type *type,
                          int32_t *index, struct error *err)
{
    struct parquet_leaf_read leaf = {
        .input = &self->input, .budget = self->budget, .decompressor = &self->decompressor, .node = node};
    if (parquet_convert_plan(node, type, &leaf.convert, err) != E_OK)
        return error_note(err, "column %s", node->path);
    mem_grow(self->leaves, self->leaf_capacity, self->leaf_count + 1);
    self->leaves[self->leaf_count] = leaf;
    *index = self->leaf_count++;
    return E_OK;
}

const struct parquet_node *parquet_node_find(const struct parquet_node *node, const char *name)
{
    static const char by_id[] = PARQUET_BY_ID;
    bool asks_id = strncmp(name, by_id, sizeof by_id - 1) == 0;
    long id = asks_id ? strtol(name + sizeof by_id - 1, NULL, 10) : 0;
    for (int32_t i = 0; i < node->child_count; i++)
        if (asks_id ? node->children[i].element->field_id == id : strcasecmp(node->children[i].name, name) == 0)
            return &node->children[i];
    return NULL;
}

static enum code pick_build(struct parquet_reader *self, const struct parquet_node *node, const struct type *type,
                            struct parquet_pick *out, struct error *err);

/* None of a struct's fields is asked for, but whether it is there: some leaf tells. */
static enum code witness_add(struct parquet_reader *self, const struct parquet_node *node, int32_t *index,
                             struct error *err)
{
    const struct parquet_node *leaf = node;
    while (leaf->kind != TYPE_NULL)
        leaf = &leaf->children[0];
    return leaf_add(self, leaf, leaf->type != NULL ? leaf->type : type_of(TYPE_NULL), index, err);
}

static enum code fields_build(struct parquet_reader *self, const struct parquet_node *node, const struct type *type,
                              struct parquet_pick *out, struct error *err)
{
    out->leaf = -1;
    for (int32_t i = 0; i < type->field_count; i++) {
        const struct parquet_node *child =
            node->kind == TYPE_STRUCT ? parquet_node_find(node, type->fields[i].name) : &node->children[i];
        TRY(pick_build(self, child, type->fields[i].type, &out->children[i], err));
        if (out->leaf < 0 && child != NULL)
            out->leaf = out->children[i].leaf;
    }
    return out->leaf < 0 ? witness_add(self, node, &out->leaf, err) : E_OK;
}

static enum code pick_build(struct parquet_reader *self, const struct parquet_node *node, const struct type *type,
                            struct parquet_pick *out, struct error *err)
{
    *out = (struct parquet_pick){.type = type, .node = node, .leaf = -1};
    if (node == NULL)
        return E_OK;
    if (node->kind == TYPE_NULL)
        return leaf_add(self, node, type, &out->leaf, err);
    const struct type *group = type->id == TYPE_VARIANT && node->variant_group != NULL ? node->variant_group : type;
    if (node->kind != group->id) {
        enum code code = parquet_convert_refuse(node, type, err);
        error_note(err, "column %s", node->path);
        return code;
    }
    out->children = arena_array(&self->arena, struct parquet_pick, (size_t)group->field_count);
    return fields_build(self, node, group, out, err);
}

enum code parquet_reader_select(struct parquet_reader *self, const struct type *schema, struct error *err)
{
    always(self->selected == NULL);
    self->selected = schema;
    self->picks = arena_array(&self->arena, struct parquet_pick, (size_t)schema->field_count);
    for (int32_t i = 0; i < schema->field_count; i++) {
        const struct parquet_node *node = parquet_node_find(&self->root, schema->fields[i].name);
        if (pick_build(self, node, schema->fields[i].type, &self->picks[i], err) != E_OK)
            return error_note(err, "%s", self->input.name);
    }
    return E_OK;
}

void parquet_reader_filter(struct parquet_reader *self, const struct row_test *tests, int32_t count)
{
    self->tests = tests;
    self->test_count = count;
}

void parquet_reader_announce(struct parquet_reader *self,
                             enum code (*expect)(void *context, const struct parquet_span *spans, int32_t count,
                                                 struct error *err))
{
    self->expect = expect;
    self->expect_bytes = EXPECT_LEAST_BYTES;
}

/* ---- reading ---- */

static enum code leaf_note(const struct parquet_reader *self, const struct parquet_leaf_read *leaf, struct error *err)
{
    return error_note(err, "%s: row group %d, column %s", self->input.name, self->group, leaf->node->path);
}

/* The chunks of the selected columns, appended; INT64_MAX: their sizes cannot be. */
static int64_t spans_add(const struct parquet_reader *self, int32_t group, struct parquet_span *spans)
{
    int64_t bytes = 0;
    for (int32_t i = 0; i < self->leaf_count; i++) {
        const struct parquet_place *place = &self->meta.groups[group].chunks[self->leaves[i].node->leaf];
        spans[i] = (struct parquet_span){place->offset, place->size_bytes};
        if (place->size_bytes < 0 || __builtin_add_overflow(bytes, place->size_bytes, &bytes))
            return INT64_MAX;
    }
    return bytes;
}

static bool is_wanted(const struct parquet_reader *self, int32_t group)
{
    return self->meta.groups[group].rows > 0 &&
           parquet_group_may_meet(&self->meta, &self->root, group, self->tests, self->test_count);
}

/* Who reads by the network asks for the row group at once, and for as many of the next ones as belong to it in size. */
static enum code groups_expect(struct parquet_reader *self, struct error *err)
{
    if (self->expect == NULL || self->group < self->expected)
        return E_OK;
    int32_t leaves = self->leaf_count, groups = 0, next = self->group;
    int32_t most = leaves > 0 && leaves < EXPECT_SPANS_MAX ? EXPECT_SPANS_MAX / leaves : 1;
    struct parquet_span *spans = mem_array(struct parquet_span, (size_t)most * (size_t)leaves + 1);
    for (int64_t left = self->expect_bytes; next < self->meta.group_count; next++) {
        if (!is_wanted(self, next))
            continue;
        if (groups == most)
            break;
        int64_t bytes = spans_add(self, next, spans + (size_t)groups * (size_t)leaves);
        if (groups > 0 && bytes > left)
            break;
        left = bytes < left ? left - bytes : 0;
        groups++;
    }
    enum code code = groups > 0 ? self->expect(self->input.context, spans, groups * leaves, err) : E_OK;
    mem_free(spans);
    self->expected = next;
    self->expect_bytes = 2 * self->expect_bytes < EXPECT_MOST_BYTES ? 2 * self->expect_bytes : EXPECT_MOST_BYTES;
    return code == E_OK ? E_OK : error_note(err, "%s: row group %d", self->input.name, self->group);
}

static enum code group_begin(struct parquet_reader *self, struct error *err)
{
    const struct parquet_row_group *group = &self->meta.groups[++self->group];
    int64_t rows = BATCH_ROWS_MAX;
    TRY(groups_expect(self, err));
    self->group_left = group->rows;
    for (int32_t i = 0; i < self->leaf_count && group->rows > 0; i++) {
        struct parquet_leaf_read *leaf = &self->leaves[i];
        if (parquet_leaf_begin(leaf, &group->chunks[leaf->node->leaf], err) != E_OK)
            return leaf_note(self, leaf, err);
        int64_t most = parquet_leaf_rows(leaf, group->rows);
        rows = most < rows ? most : rows;
    }
    self->batch_rows = rows;
    return E_OK;
}

static enum code group_end(const struct parquet_reader *self, struct error *err)
{
    for (int32_t i = 0; i < self->leaf_count; i++)
        if (self->leaves[i].chunk_slots != 0) {
            fail(err, E_CORRUPT, "it has more values than the row group has rows");
            return leaf_note(self, &self->leaves[i], err);
        }
    return E_OK;
}

static enum code batch_read(struct parquet_reader *self, int64_t rows, struct batch *out, struct error *err)
{
    for (int32_t i = 0; i < self->leaf_count; i++)
        if (parquet_leaf_next(&self->leaves[i], rows, err) != E_OK)
            return leaf_note(self, &self->leaves[i], err);
    batch_init(out, self->selected, rows);
    for (int32_t i = 0; i < out->column_count; i++)
        if (parquet_assemble(&self->picks[i], self->leaves, rows, &out->columns[i], err) != E_OK)
            return error_note(err, "%s: row group %d", self->input.name, self->group);
    return E_OK;
}

int64_t parquet_reader_skip(struct parquet_reader *self, int64_t rows)
{
    int64_t passed = 0;
    while (self->group + 1 < self->meta.group_count && self->meta.groups[self->group + 1].rows <= rows - passed)
        passed += self->meta.groups[++self->group].rows;
    return passed;
}

enum code parquet_reader_next(struct parquet_reader *self, int64_t rows_max, struct batch *out, struct error *err)
{
    struct batch batch = {0};
    while (self->group_left == 0) {
        if (self->group + 1 >= self->meta.group_count) {
            *out = batch;
            return E_OK;
        }
        if (!parquet_group_may_meet(&self->meta, &self->root, self->group + 1, self->tests, self->test_count))
            self->group++;
        else
            TRY(group_begin(self, err));
    }
    int64_t rows = rows_max < self->batch_rows ? rows_max : self->batch_rows;
    rows = rows < self->group_left ? rows : self->group_left;
    enum code code = batch_read(self, rows, &batch, err);
    if (code == E_OK && (self->group_left -= rows) == 0)
        code = group_end(self, err);
    if (code != E_OK) {
        batch_release(&batch);
        return code;
    }
    *out = batch;
    return E_OK;
}

/* replay_ask.c - gather rows of quarantines that are to come back, and write them as requests. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "runtime/chain.h"
#include "runtime/replay_route.h"
#include "runtime/replayed.h"
#include "runtime/runtime.h"

struct replay_ask {
    struct arena arena;
    const struct pipeline *pipeline;
    const char *checkpoint;
    struct store *store; /* of it, once there is something to write */
    const struct type *schema;
    struct replayed replayed;
    struct builder columns[REPLAY_COLUMNS];
    int64_t rows, bytes;    /* in them */
    struct batch *requests; /* that are full, and at last the rest */
    int32_t request_count, request_capacity;
    uint64_t *asked; /* ids in this ask: a table of asked_slots places, 0 = free */
    int64_t asked_count, asked_slots;
    char node[17]; /* the way that was looked for last, */
    struct text tables;
    bool has_way; /* and whether there is one; if not, */
    struct error why;
};

enum code replay_ask_new(const struct pipeline *pipeline, struct replay_ask **out, struct error *err)
{
    struct replay_ask *self = mem_new(struct replay_ask);
    struct run_settings settings = {0};
    self->pipeline = pipeline;
    self->schema = replay_schema(&self->arena);
    for (int i = 0; i < REPLAY_COLUMNS; i++)
        builder_init(&self->columns[i], self->schema->fields[i].type);
    enum code code = settings_read(&self->arena, pipeline, &settings, err);
    self->checkpoint = settings.checkpoint;
    if (code == E_OK)
        code = replayed_read(&self->replayed, settings.checkpoint, err);
    if (code == E_OK && self->replayed.missing >= 0) {
        char path[REPLAY_PATH_MAX];
        replay_path(self->replayed.missing, path);
        code = fail(err, E_CORRUPT,
                    "%s/%s is not there: without it nobody can tell which rows came back already. Put it back",
                    self->checkpoint, path);
    }
    if (code == E_OK)
        *out = self;
    else
        replay_ask_free(self);
    return code;
}

void replay_ask_free(struct replay_ask *self)
{
    if (self == NULL)
        return;
    for (int i = 0; i < REPLAY_COLUMNS; i++)
        builder_release(&self->columns[i]);
    for (int32_t i = 0; i < self->request_count; i++)
        batch_release(&self->requests[i]);
    if (self->store != NULL)
        store_close(self->store);
    replayed_close(&self->replayed);
    text_free(&self->tables);
    mem_free(self->requests);
    mem_free(self->asked);
    arena_free(&self->arena);
    mem_free(self);
}

const char *replay_ask_why(const struct replay_ask *self) { return self->has_way ? "" : self->why.text; }

/* ---- may this row come back? ---- */

static struct bytes text_at(const struct batch *batch, enum quarantine_column column, int64_t row)
{
    const struct column *col = &batch->columns[column];
    return column_is_null(col, row) ? (struct bytes){0} : column_bytes_at(col, row);
}

static bool is_cut(const struct batch *batch, enum quarantine_column value, enum quarantine_column size, int64_t row)
{
    const struct column *sizes = &batch->columns[size];
    return !column_is_null(sizes, row) && !column_is_null(&batch->columns[value], row) &&
           column_values(sizes, const int64_t)[row] > (int64_t)text_at(batch, value, row).size;
}

static void way_look(struct replay_ask *self, const struct batch *batch, int64_t row)
{
    struct arena arena = {0};
    const struct column *lists = &batch->columns[QUARANTINE_TABLES];
    struct bytes node = text_at(batch, QUARANTINE_NODE, row);
    struct replay_route route;
    struct text shown = {0};
    column_print(lists, row, &shown);
    if (self->tables.data != NULL && bytes_equal_string(node, self->node) &&
        bytes_equal(text_view(&shown), text_view(&self->tables))) {
        text_free(&shown);
        return; // neighbours mostly go the same way
    }
    int32_t from = column_offsets(lists)[row], count = column_offsets(lists)[row + 1] - from;
    struct bytes *tables = arena_array(&arena, struct bytes, (size_t)count);
    for (int32_t i = 0; i < count; i++)
        tables[i] = column_bytes_at(&lists->children[0], from + i);
    error_clear(&self->why);
    self->has_way = replay_route_find(&arena, self->pipeline, node, tables, count, &route, &self->why) == E_OK;
    snprintf(self->node, sizeof self->node, "%.*s", (int)node.size, (const char *)node.data);
    text_free(&self->tables);
    self->tables = shown;
    arena_free(&arena);
}

static uint64_t *asked_place(uint64_t *table, int64_t slots, uint64_t id)
{
    uint64_t at = id & (uint64_t)(slots - 1); // an id is a hash
    while (table[at] != 0 && table[at] != id)
        at = (at + 1) & (uint64_t)(slots - 1);
    return &table[at];
}

static void asked_add(struct replay_ask *self, uint64_t id)
{
    if (2 * (self->asked_count + 1) > self->asked_slots) {
        int64_t slots = self->asked_slots > 0 ? 2 * self->asked_slots : 64;
        uint64_t *table = mem_array(uint64_t, (size_t)slots);
        for (int64_t i = 0; i < self->asked_slots; i++)
            if (self->asked[i] != 0)
                *asked_place(table, slots, self->asked[i]) = self->asked[i];
        mem_free(self->asked);
        self->asked = table;
        self->asked_slots = slots;
    }
    *asked_place(self->asked, self->asked_slots, id) = id;
    self->asked_count++;
}

/* The same row may lie in two quarantines. */
static bool asked_before(const struct replay_ask *self, uint64_t id)
{
    bool here = self->asked_slots > 0 && *asked_place(self->asked, self->asked_slots, id) == id;
    return here || replayed_state(&self->replayed, id) != NULL;
}

static enum replay_refusal judge(struct replay_ask *self, const struct batch *batch, int64_t row, uint64_t id,
                                 bool repaired)
{
    int64_t lineage;
    if (column_is_null(&batch->columns[QUARANTINE_SOURCE], row))
        return REPLAY_BORN;
    if (asked_before(self, id))
        return REPLAY_ASKED;
    if (is_cut(batch, QUARANTINE_KEY, QUARANTINE_KEY_BYTES, row) ||
        (!repaired && is_cut(batch, QUARANTINE_VALUE, QUARANTINE_VALUE_BYTES, row)))
        return REPLAY_CUT;
    if (!lineage_parse(text_at(batch, QUARANTINE_ROW, row), &lineage))
        return REPLAY_UNPLACED;
    way_look(self, batch, row);
    return self->has_way ? REPLAY_FINE : REPLAY_NO_WAY;
}

/* ---- gathering ---- */

static void request_close(struct replay_ask *self)
{
    if (self->rows == 0)
        return;
    mem_grow(self->requests, self->request_capacity, self->request_count + 1);
    struct batch *request = &self->requests[self->request_count++];
    batch_init(request, self->schema, self->rows);
    for (int i = 0; i < REPLAY_COLUMNS; i++)
        builder_finish(&self->columns[i], &request->columns[i]);
    self->rows = self->bytes = 0;
}

static void row_add(struct replay_ask *self, const struct batch *batch, int64_t row)
{
    static const enum quarantine_column from[REPLAY_COLUMNS] = {
        [REPLAY_ID] = QUARANTINE_ID,         [REPLAY_SOURCE_NAME] = QUARANTINE_SOURCE,
        [REPLAY_TOPIC] = QUARANTINE_TOPIC,   [REPLAY_PARTITION] = QUARANTINE_PARTITION,
        [REPLAY_OFFSET] = QUARANTINE_OFFSET, [REPLAY_TIMESTAMP] = QUARANTINE_TIMESTAMP,
        [REPLAY_KEY] = QUARANTINE_KEY,       [REPLAY_VALUE] = QUARANTINE_VALUE,
        [REPLAY_ROW] = QUARANTINE_ROW,       [REPLAY_NODE] = QUARANTINE_NODE,
        [REPLAY_TABLES] = QUARANTINE_TABLES, [REPLAY_ATTEMPTS] = QUARANTINE_ATTEMPTS,
    };
    for (int i = 0; i < REPLAY_COLUMNS; i++)
        builder_copy(&self->columns[i], &batch->columns[from[i]], row);
    self->rows++;
    self->bytes += (int64_t)(text_at(batch, QUARANTINE_KEY, row).size + text_at(batch, QUARANTINE_VALUE, row).size);
    if (self->rows == REPLAY_ROWS_MAX || self->bytes >= REPLAY_BYTES_MAX)
        request_close(self);
}

enum code replay_ask_add(struct replay_ask *self, const struct batch *batch, int64_t row, bool repaired,
                         enum replay_refusal *out, struct error *err)
{
    char id[REPLAYED_ID_TEXT] = {0};
    struct bytes text = text_at(batch, QUARANTINE_ID, row);
    if (text.size != sizeof id - 1)
        return fail(err, E_CORRUPT, "a row of the quarantine has no id");
    memcpy(id, text.data, text.size);
    uint64_t number = strtoull(id, NULL, 16);
    number += number == 0;
    *out = judge(self, batch, row, number, repaired);
    if (*out != REPLAY_FINE)
        return E_OK;
    asked_add(self, number);
    row_add(self, batch, row);
    return E_OK;
}

int64_t replay_ask_rows(const struct replay_ask *self) { return self->asked_count; }

/* ---- asking ---- */

/* Each number is one's alone. Who comes second has not seen what the first one asked for: he must look again. */
static enum code request_write(struct replay_ask *self, const struct batch *rows, struct error *err)
{
    enum code code = replay_write(self->store, self->replayed.next, rows, err);
    if (code == E_EXISTS)
        return fail(err, E_EXISTS,
                    "somebody else has asked for a replay at the same time: look at leat quarantine list, and "
                    "ask again");
    self->replayed.next += code == E_OK;
    return code;
}

enum code replay_ask_commit(struct replay_ask *self, int64_t *first, int64_t *count, struct error *err)
{
    request_close(self);
    *first = self->replayed.next;
    *count = 0;
    if (self->request_count > 0)
        TRY(store_open(self->checkpoint, &self->store, err));
    for (int32_t i = 0; i < self->request_count; i++) {
        TRY(request_write(self, &self->requests[i], err));
        ++*count;
    }
    return E_OK;
}

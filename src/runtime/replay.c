#include "runtime/replay.h"

#include <stdlib.h>

#include "base/log.h"
#include "format/format.h"
#include "runtime/rejection.h"

#define REPLAY_TOPIC_NAME "requests"

/* ---- when ---- */

static void hole_tell(const struct replay *self)
{
    int64_t end = 0;
    char path[REPLAY_PATH_MAX];
    struct error ignored = {0}; // the epoch will say what is wrong with the store
    if (replay_end(self->store, &end, &ignored) != E_OK || end <= self->next)
        return;
    replay_path(self->next, path);
    log_warn(
        "%s/%s is not there, and later requests for a replay wait for it: put it back, from a backup of the checkpoint",
        store_root(self->store), path);
}

bool replay_begin(struct replay *self, int32_t slot)
{
    bool waits = replay_exists(self->store, self->next);
    if (!waits && !self->looked)
        hole_tell(self);
    self->looked = true;
    self->taken = self->rows = 0;
    self->slot = waits ? slot : -1;
    return waits;
}

bool replay_range(const struct replay *self, struct chain_range *out)
{
    *out = (struct chain_range){
        .source = REPLAY_SOURCE,
        .topic = REPLAY_TOPIC_NAME,
        .topic_id = "",
        .from = self->next,
        .to = self->next + self->taken,
        .rows = self->rows,
    };
    return out->to > 0;
}

void replay_resume(struct replay *self, const struct chain_record *head)
{
    for (int32_t i = 0; i < head->range_count; i++)
        if (strcmp(head->ranges[i].source, REPLAY_SOURCE) == 0)
            self->next = head->ranges[i].to;
}

void replay_recorded(struct replay *self)
{
    self->next += self->taken;
    self->taken = self->rows = 0;
}

/* ---- rows that go the same way ---- */

/* Some rows of the request. */
struct group {
    const struct batch *request;
    const int32_t *rows;
    int32_t count;
    struct column columns; /* STRUCT: what their values say, where the source gives columns; else zeroed */
};

static struct bytes text_at(const struct batch *request, enum replay_column column, int64_t row)
{
    const struct column *col = &request->columns[column];
    return column_is_null(col, row) ? (struct bytes){0} : column_bytes_at(col, row);
}

static bool same_way(const struct batch *request, int64_t a, int64_t b)
{
    return bytes_equal(text_at(request, REPLAY_SOURCE_NAME, a), text_at(request, REPLAY_SOURCE_NAME, b)) &&
           bytes_equal(text_at(request, REPLAY_NODE, a), text_at(request, REPLAY_NODE, b)) &&
           column_equal_at(&request->columns[REPLAY_TABLES], a, &request->columns[REPLAY_TABLES], b);
}

static const struct feed *feed_find(const struct replay *self, struct bytes source)
{
    for (int32_t i = 0; i < self->feed_count; i++)
        if (bytes_equal_string(source, self->feeds[i].source->name))
            return &self->feeds[i];
    return NULL;
}

/* ---- the records ---- */

static void column_fill(enum source_column which, const struct type *type, const struct origin *origin, int64_t rows,
                        struct column *out)
{
    const struct column *const from[] = {
        [SOURCE_KEY] = &origin->key,       [SOURCE_VALUE] = &origin->value,
        [SOURCE_TOPIC] = &origin->topic,   [SOURCE_PARTITION] = &origin->partition,
        [SOURCE_OFFSET] = &origin->offset, [SOURCE_TIMESTAMP] = &origin->timestamp,
    };
    if (which <= SOURCE_TIMESTAMP)
        column_share(out, from[which]);
    else
        column_all_null(out, type, rows); // a quarantine keeps neither headers nor the kind of the timestamp
}

static enum code records_make(const struct replay *self, const struct group *group, const struct feed *feed,
                              const struct type *schema, struct batch *out, struct error *err)
{
    enum code code = E_OK;
    static const enum replay_column columns[] = {REPLAY_KEY,       REPLAY_VALUE,  REPLAY_TOPIC,
                                                 REPLAY_PARTITION, REPLAY_OFFSET, REPLAY_TIMESTAMP};
    struct origin *origin = mem_new(struct origin);
    struct column *const to[] = {&origin->key,       &origin->value,  &origin->topic,
                                 &origin->partition, &origin->offset, &origin->timestamp};
    atomic_store(&origin->count, 1);
    origin->name = feed->source->name;
    origin->slot = self->slot;
    for (size_t i = 0; i < sizeof columns / sizeof *columns; i++)
        column_gather(to[i], &group->request->columns[columns[i]], group->rows, group->count);
    column_share(&origin->row, &group->columns);
    column_gather(&origin->attempts, &group->request->columns[REPLAY_ATTEMPTS], group->rows, group->count);
    batch_init(out, schema, group->count);
    out->source = origin;
    for (int32_t c = 0; code == E_OK && c < schema->field_count; c++) {
        const struct field *field = &schema->fields[c];
        if (group->columns.type != NULL)
            column_share(&out->columns[c], &group->columns.children[c]);
        else if (feed->own != NULL) // they were no rows
            column_all_null(&out->columns[c], field->type, group->count);
        else if (feed->columns[c] == FEED_FILE_COLUMN)
            code = feed_file_column(feed, &origin->topic, group->count, field, &out->columns[c], err);
        else
            column_fill((enum source_column)feed->columns[c], field->type, origin, group->count, &out->columns[c]);
    }
    if (code != E_OK)
        batch_release(out);
    return code;
}

/* What the quarantine said of them, in case they end there again. */
static void about_make(struct arena *arena, const struct group *group, const struct plan *plan, struct rejection *out)
{
    const struct column *lists = &group->request->columns[REPLAY_TABLES];
    int64_t row = group->rows[0];
    struct bytes node = text_at(group->request, REPLAY_NODE, row);
    int32_t from = column_offsets(lists)[row], count = column_offsets(lists)[row + 1] - from;
    const char **tables = arena_array(arena, const char *, (size_t)count);
    *out = (struct rejection){.plan = plan, .tables = tables};
    memcpy(out->node, node.data, node.size < sizeof out->node ? node.size : sizeof out->node - 1);
    for (int32_t i = from; i < from + count; i++) {
        struct bytes name = column_bytes_at(&lists->children[0], i);
        tables[out->table_count++] = arena_strndup(arena, (const char *)name.data, name.size);
    }
}

static struct bytes *tables_of(struct arena *arena, const struct rejection *about)
{
    struct bytes *tables = arena_array(arena, struct bytes, (size_t)about->table_count);
    for (int32_t i = 0; i < about->table_count; i++)
        tables[i] = bytes_of_string(about->tables[i]);
    return tables;
}

/* ---- rows that find no way, or are no rows ---- */

static struct position nowhere(const void *stage, int32_t step)
{
    (void)stage, (void)step;
    return (struct position){0};
}

static void why_back(const void *stage, const struct batch *in, const struct reject *reject, struct text *out)
{
    (void)in, (void)reject;
    text_add_string(out, stage);
}

/* The first node of the plan stands in for the one that is gone: its quarantine is the tables' or the project's. */
static const struct plan *stand_in(const struct pipeline *pipeline, const struct rejection *about)
{
    for (int32_t t = 0; t < pipeline->table_count; t++)
        for (int32_t i = 0; i < about->table_count; i++)
            if (strcmp(pipeline->tables[t]->name, about->tables[i]) == 0)
                return pipeline->tables[t]->flows[0];
    return pipeline->tables[0]->flows[0];
}

static enum code rows_return(struct replay *self, const struct batch *rows, const int64_t *lineages,
                             struct rejection *about, enum reject_code reason, const char *why, struct error *err)
{
    struct rejects rejects = {0};
    const struct plan *plan = stand_in(self->pipeline, about);
    const struct rejected_again again = {about, lineages};
    const struct rejecter by = {nowhere, why_back, why, plan, &again};
    about->plan = plan;
    for (int64_t row = 0; row < rows->rows; row++)
        rejects_add(&rejects, row, -1, reason);
    enum code code = outputs_reject(self->outputs, 0, rows, &rejects, &by, err);
    rejects_free(&rejects);
    return code;
}

/* ---- one group, one request ---- */

static enum code lineages_read(struct arena *arena, const struct group *group, int64_t **out, struct error *err)
{
    *out = arena_array(arena, int64_t, (size_t)group->count);
    for (int32_t i = 0; i < group->count; i++)
        if (!lineage_parse(text_at(group->request, REPLAY_ROW, group->rows[i]), &(*out)[i]))
            return fail(err, E_CORRUPT, "a replay request has a row that cannot be read");
    return E_OK;
}

static enum code group_return(struct replay *self, struct arena *arena, const struct group *group,
                              const struct feed *feed, enum reject_code reason, const char *why, struct error *err)
{
    struct rejection about;
    struct batch rows;
    int64_t *lineages;
    about_make(arena, group, NULL, &about);
    TRY(lineages_read(arena, group, &lineages, err));
    TRY(records_make(self, group, feed, self->pipeline->nodes[feed->node]->schema, &rows, err));
    enum code code = rows_return(self, &rows, lineages, &about, reason, why, err);
    batch_release(&rows);
    return code;
}

static enum code group_send(struct replay *self, struct arena *arena, const struct group *group,
                            const struct feed *feed, struct error *err)
{
    struct rejection about;
    struct replay_route route;
    struct error why = {0};
    struct batch rows;
    int64_t *lineages;
    const struct plan *start = self->pipeline->nodes[feed->node];
    about_make(arena, group, NULL, &about);
    if (replay_route_find(arena, self->pipeline, bytes_of_string(about.node), tables_of(arena, &about),
                          about.table_count, &route, &why) != E_OK)
        return group_return(self, arena, group, feed, REJECT_REPLAY_GONE, why.text, err);
    TRY(lineages_read(arena, group, &lineages, err));
    TRY(records_make(self, group, feed, start->schema, &rows, err));
    for (int32_t i = 0; about.plan == NULL && i < self->pipeline->node_count; i++)
        about.plan = route.gate[i] ? self->pipeline->nodes[i] : NULL;
    const struct replay_rows replay = {&route, start, &rows, lineages, &about, self->slot};
    enum code code = graph_replay(self->graph, &replay, err);
    batch_release(&rows);
    return code;
}

/* Of a source of columns the values are rows in JSON. `whole` gets those that are, with their columns, `broken` the
 * others. */
static enum code values_read(struct arena *arena, const struct feed *feed, const struct group *group,
                             struct group *whole, struct group *broken, struct error *err)
{
    const struct decoder_type *json = decoder_find("json");
    const struct decoder_spec spec = {.schema = feed->own, .mode = DECODE_FAILFAST, .zone = zone_utc(), .simd = -1};
    int32_t *rows = arena_array(arena, int32_t, (size_t)group->count), count = 0, left = group->count;
    int32_t *places = arena_array(arena, int32_t, (size_t)group->count);
    struct column values, read = {0};
    struct rejects rejects = {0};
    void *decoder = arena_alloc(arena, json->size);
    TRY(json->open(decoder, &spec, err));
    column_gather(&values, &group->request->columns[REPLAY_VALUE], group->rows, group->count);
    enum code code = json->decode(decoder, &values, &read, &rejects, err);
    for (int32_t i = 0; code == E_OK && i < group->count; i++) {
        bool is_row = !column_is_null(&read, i);
        places[is_row ? count : left - 1] = i;
        rows[is_row ? count++ : --left] = group->rows[i];
    }
    if (code == E_OK) {
        *whole = (struct group){.request = group->request, .rows = rows, .count = count};
        column_gather(&whole->columns, &read, places, count);
        *broken = (struct group){.request = group->request, .rows = rows + count, .count = group->count - count};
    }
    json->close(decoder);
    rejects_free(&rejects);
    column_release(&values);
    column_release(&read);
    return code;
}

static enum code columns_replay(struct replay *self, struct arena *arena, const struct group *group,
                                const struct feed *feed, struct error *err)
{
    struct group whole, broken;
    enum code code = E_OK;
    const char *why = arena_printf(arena, "the value is no row of the source %s as JSON", feed->source->name);
    TRY(values_read(arena, feed, group, &whole, &broken, err));
    if (broken.count > 0)
        code = group_return(self, arena, &broken, feed, REJECT_MALFORMED, why, err);
    if (code == E_OK && whole.count > 0)
        code = group_send(self, arena, &whole, feed, err);
    column_release(&whole.columns);
    return code;
}

static enum code group_replay(struct replay *self, struct arena *arena, const struct group *group, struct error *err)
{
    struct bytes source = text_at(group->request, REPLAY_SOURCE_NAME, group->rows[0]);
    const struct feed *feed = feed_find(self, source);
    if (feed != NULL)
        return feed->own != NULL ? columns_replay(self, arena, group, feed, err)
                                 : group_send(self, arena, group, feed, err);
    const char *why =
        arena_printf(arena, "the project no longer reads the source %.*s", (int)source.size, (const char *)source.data);
    return group_return(self, arena, group, &self->feeds[0], REJECT_REPLAY_GONE, why, err);
}

/* Rows of one way after the other, each way's in the order of the request. */
static enum code request_replay(struct replay *self, const struct batch *request, struct error *err)
{
    struct arena arena = {0};
    bool *done = arena_array(&arena, bool, (size_t)request->rows);
    int32_t *rows = arena_array(&arena, int32_t, (size_t)request->rows);
    enum code code = E_OK;
    for (int64_t first = 0; code == E_OK && first < request->rows; first++) {
        struct group group = {.request = request, .rows = rows};
        for (int64_t row = first; !done[first] && row < request->rows; row++) {
            if (done[row] || (row > first && !same_way(request, first, row)))
                continue;
            done[row] = row > first;
            rows[group.count++] = (int32_t)row;
        }
        if (group.count > 0)
            code = group_replay(self, &arena, &group, err);
    }
    arena_free(&arena);
    return code;
}

enum code replay_take(struct replay *self, struct error *err)
{
    struct arena arena = {0};
    struct batch request = {0};
    if (self->slot < 0 || self->feed_count == 0)
        return E_OK;
    enum code code = replay_read(self->store, self->next, replay_schema(&arena), self->budget, &request, err);
    if (code == E_OK)
        code = request_replay(self, &request, err);
    if (code == E_OK) {
        self->taken = 1;
        self->rows = request.rows;
        log_info("replay request %lld: %lld rows came back out of the quarantine", (long long)self->next,
                 (long long)request.rows);
    }
    batch_release(&request);
    arena_free(&arena);
    return code;
}

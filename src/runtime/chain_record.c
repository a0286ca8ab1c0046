/* chain_record.c - a commit record as JSON and back.
 *
 *   {"version":3, "query_id":"<16 hex>", "task":"0", "epoch":7, "nonce":"<16 hex>", "fingerprint":"<16 hex>",
 *    "batch_time_us":N, "records":N,
 *    "watermarks":{"groups":[{"late_us":N, "emit_us":N, "next_us":N}, ...],
 *                  "nodes":[{"identity":"<16 hex>", "name":"event_time, delay 5 minutes", "at_us":N}, ...]},
 *    "settings":{"timezone":"UTC", "ansi":true},
 *    "ranges":[{"source":"..", "topic":"..", "topic_id":"..", "partition":N, "from":N, "to":N, "rows":N}, ...],
 *    "sinks":[{"name":"..", "path":"<folder>", "token":{...}}, ...],
 *    "states":[{"identity":"<16 hex>", "name":"aggregate of gold", "node":N, "group":N, "shards":64, "whole_from":N,
 *               "whole_to":N, "path":"..", "size":N, "checksum":"<16 hex>", "entries":N, "what":"by city: count(1)"}, ...],
 *    "ledgers":[{"table":"..", "in":N, ..., "out":N, "partitions":{"range":[N, ...], "in":[N, ...], ...}}, ...],
 *    "views":"<16 hex>", "transaction":true,
 *    "transaction_at":{"bootstrap":"..", "group":"..", "marked":[{"topic":"..", "partition":N}, ...]}}
 *
 * A sink without files has no path. A range's "rows" is left out when it is to - from; it may have "lost":N,
 * "in_bytes":true, "anew":true. A ledger's partitions are columns: which ranges, and the counts that some of them has.
 *
 * Version 2 had no rows and no partitions.
 * Version 1 had "watermark":{"late_us":N, "emit_us":N, "next_us":N, "nodes":[N, ...]} for all of the pipeline, and
 * states without identity, name, group and shards, but "whole":true when all of them was in the file.
 *
 * A token is the sink's own JSON, put in as it is, so that a record can be read by eye. Unknown members are
 * ignored. 64-bit values without sign are hex texts, because JSON numbers are read as signed.
 */
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

#include "runtime/chain.h"

enum { RARELY = INT32_MAX };
static const struct {
    const char *name;
    size_t offset;
    int since; /* version of the record; 0 = from the first on; RARELY: left out when zero */
} ledger_counts[] = {
    {"in", offsetof(struct ledger, in), 0},
    {"replayed", offsetof(struct ledger, replayed), RARELY},
    {"exploded", offsetof(struct ledger, exploded), 0},
    {"filtered", offsetof(struct ledger, filtered), 0},
    {"late", offsetof(struct ledger, late), 0},
    {"null_time", offsetof(struct ledger, null_time), 0},
    {"quarantined", offsetof(struct ledger, quarantined), 0},
    {"duplicates", offsetof(struct ledger, duplicates), 2},
    {"aggregated", offsetof(struct ledger, aggregated), 0},
    {"out", offsetof(struct ledger, out), 0},
};
enum { LEDGER_COUNTS = sizeof ledger_counts / sizeof *ledger_counts };
_Static_assert(sizeof(struct ledger) == LEDGER_COUNTS * sizeof(int64_t), "every count of the ledger is in the table");

/* ---- printing ---- */

static json_t *hex_json(uint64_t value)
{
    char text[17];
    snprintf(text, sizeof text, "%016" PRIx64, value);
    return json_string(text);
}

static json_t *ranges_json(const struct chain_record *record)
{
    json_t *array = json_array();
    for (int32_t i = 0; i < record->range_count; i++) {
        const struct chain_range *range = &record->ranges[i];
        json_t *json = json_pack("{s:s, s:s, s:s, s:i, s:I, s:I}", "source", range->source, "topic", range->topic,
                                 "topic_id", range->topic_id, "partition", range->partition, "from",
                                 (json_int_t)range->from, "to", (json_int_t)range->to);
        if (range->rows != range->to - range->from)
            json_object_set_new(json, "rows", json_integer(range->rows));
        if (range->lost != 0)
            json_object_set_new(json, "lost", json_integer(range->lost));
        if (range->in_bytes)
            json_object_set_new(json, "in_bytes", json_true());
        if (range->anew)
            json_object_set_new(json, "anew", json_true());
        json_array_append_new(array, json);
    }
    return array;
}

static json_t *sinks_json(const struct chain_record *record)
{
    json_t *array = json_array();
    for (int32_t i = 0; i < record->sink_count; i++) {
        json_t *token = json_loads(record->sinks[i].token, JSON_DECODE_ANY, NULL);
        if (token == NULL)
            token = json_string(record->sinks[i].token);
        json_t *json = json_pack("{s:s, s:o}", "name", record->sinks[i].name, "token", token);
        if (record->sinks[i].path != NULL)
            json_object_set_new(json, "path", json_string(record->sinks[i].path));
        json_array_append_new(array, json);
    }
    return array;
}

static json_t *states_json(const struct chain_record *record)
{
    json_t *array = json_array();
    for (int32_t i = 0; i < record->state_count; i++) {
        const struct chain_state *state = &record->states[i];
        json_t *json =
            json_pack("{s:o, s:s, s:i, s:i, s:i, s:i, s:i, s:s, s:I, s:o}", "identity", hex_json(state->identity),
                      "name", state->name, "node", state->node, "group", state->group, "shards", state->shards,
                      "whole_from", state->whole_from, "whole_to", state->whole_to, "path", state->path, "size",
                      (json_int_t)state->size_bytes, "checksum", hex_json(state->checksum));
        json_t *what = state->what != NULL && state->what[0] != '\0' ? json_string(state->what) : NULL;
        if (what != NULL) // not when a literal in it is no UTF-8
            json_object_set_new(json, "what", what);
        if (state->entries >= 0)
            json_object_set_new(json, "entries", json_integer(state->entries));
        json_array_append_new(array, json);
    }
    return array;
}

static int64_t count_of(const struct ledger *ledger, int k)
{
    int64_t count;
    memcpy(&count, (const char *)ledger + ledger_counts[k].offset, sizeof count);
    return count;
}

static json_t *slots_json(const struct chain_ledger *ledger)
{
    json_t *columns = json_object(), *ranges = json_array();
    for (int32_t i = 0; i < ledger->slot_count; i++)
        json_array_append_new(ranges, json_integer(ledger->slots[i].range));
    json_object_set_new(columns, "range", ranges);
    for (int k = 0; k < LEDGER_COUNTS; k++) {
        bool some = false;
        for (int32_t i = 0; i < ledger->slot_count; i++)
            some |= count_of(&ledger->slots[i].counts, k) != 0;
        json_t *column = some ? json_array() : NULL;
        for (int32_t i = 0; some && i < ledger->slot_count; i++)
            json_array_append_new(column, json_integer(count_of(&ledger->slots[i].counts, k)));
        if (some)
            json_object_set_new(columns, ledger_counts[k].name, column);
    }
    return columns;
}

static json_t *ledgers_json(const struct chain_record *record)
{
    json_t *array = json_array();
    for (int32_t i = 0; i < record->ledger_count; i++) {
        json_t *ledger = json_pack("{s:s}", "table", record->ledgers[i].table);
        for (int k = 0; k < LEDGER_COUNTS; k++) {
            int64_t count = count_of(&record->ledgers[i].counts, k);
            if (count != 0 || ledger_counts[k].since != RARELY)
                json_object_set_new(ledger, ledger_counts[k].name, json_integer(count));
        }
        if (record->ledgers[i].slot_count > 0)
            json_object_set_new(ledger, "partitions", slots_json(&record->ledgers[i]));
        json_array_append_new(array, ledger);
    }
    return array;
}

static json_t *watermarks_json(const struct chain_record *record)
{
    json_t *nodes = json_array(), *groups = json_array();
    for (int32_t i = 0; i < record->watermark_count; i++) {
        const struct chain_watermark *node = &record->watermarks[i];
        json_array_append_new(nodes, json_pack("{s:o, s:s, s:I}", "identity", hex_json(node->identity), "name",
                                               node->name, "at_us", (json_int_t)node->at_us));
    }
    for (int32_t i = 0; i < record->group_count; i++) {
        const struct watermark_time *time = &record->groups[i];
        json_array_append_new(groups, json_pack("{s:I, s:I, s:I}", "late_us", (json_int_t)time->late_us, "emit_us",
                                                (json_int_t)time->emit_us, "next_us", (json_int_t)time->next_us));
    }
    return json_pack("{s:o, s:o}", "groups", groups, "nodes", nodes);
}

static json_t *place_json(const struct chain_place *place)
{
    json_t *marked = json_array();
    for (int32_t i = 0; i < place->marked_count; i++)
        json_array_append_new(
            marked, json_pack("{s:s, s:i}", "topic", place->marked[i].topic, "partition", place->marked[i].partition));
    return json_pack("{s:s, s:s, s:o}", "bootstrap", place->bootstrap, "group", place->group, "marked", marked);
}

void chain_record_print(const struct chain_record *record, struct text *out)
{
    json_t *json =
        json_pack("{s:I, s:s, s:s, s:I, s:o, s:o, s:I, s:I}", "version", (json_int_t)CHAIN_VERSION, "query_id",
                  record->query_id, "task", record->task, "epoch", (json_int_t)record->epoch, "nonce",
                  hex_json(record->nonce), "fingerprint", hex_json(record->fingerprint), "batch_time_us",
                  (json_int_t)record->batch_time_us, "records", (json_int_t)record->records);
    json_object_set_new(json, "watermarks", watermarks_json(record));
    json_object_set_new(json, "settings", json_pack("{s:s, s:b}", "timezone", record->timezone, "ansi", record->ansi));
    json_object_set_new(json, "ranges", ranges_json(record));
    json_object_set_new(json, "sinks", sinks_json(record));
    json_object_set_new(json, "states", states_json(record));
    json_object_set_new(json, "ledgers", ledgers_json(record));
    if (record->views != 0)
        json_object_set_new(json, "views", hex_json(record->views));
    if (record->transaction)
        json_object_set_new(json, "transaction", json_true());
    if (record->place.bootstrap != NULL)
        json_object_set_new(json, "transaction_at", place_json(&record->place));
    char *dump = json_dumps(json, JSON_COMPACT);
    json_decref(json);
    if (dump != NULL)
        text_add_string(out, dump);
    mem_free(dump);
}

/* ---- parsing ---- */

struct reader {
    struct arena *arena;
    json_int_t version;
    int32_t range_count; /* known once the ranges are read */
    struct error *err;
};

static enum code bad(struct reader *self, const char *member, const char *what)
{
    return fail(self->err, E_CORRUPT, "commit record: %s: %s", member, what);
}

static enum code read_hex(struct reader *self, const char *member, const char *text, uint64_t *out)
{
    if (strlen(text) != 16 || strspn(text, "0123456789abcdef") != 16)
        return bad(self, member, "not 16 hex digits");
    *out = strtoull(text, NULL, 16);
    return E_OK;
}

/* Calls each(self, element, i) for the array `member`; *count and *items are set up before. */
static enum code read_array(struct reader *self, const json_t *json, const char *member, size_t item_size, void **items,
                            int32_t *count)
{
    const json_t *array = json_object_get(json, member);
    if (!json_is_array(array))
        return bad(self, member, "not an array");
    size_t size = json_array_size(array);
    if (size > INT32_MAX)
        return bad(self, member, "too long");
    *items = arena_alloc_array(self->arena, size, item_size);
    *count = (int32_t)size;
    return E_OK;
}

static enum code read_range(struct reader *self, json_t *json, struct chain_range *out)
{
    json_error_t where;
    json_int_t from, to, rows = -1, lost = 0;
    int in_bytes = 0, anew = 0;
    if (json_unpack_ex(json, &where, 0, "{s:s, s:s, s:s, s:i, s:I, s:I, s?I, s?I, s?b, s?b}", "source", &out->source,
                       "topic", &out->topic, "topic_id", &out->topic_id, "partition", &out->partition, "from", &from,
                       "to", &to, "rows", &rows, "lost", &lost, "in_bytes", &in_bytes, "anew", &anew) != 0)
        return bad(self, "ranges", where.text);
    if (out->partition < 0 || from < 0 || to < from)
        return bad(self, "ranges", "a partition or an offset is out of order");
    if (rows == -1 && self->version >= 3)
        rows = to - from;
    if (rows < -1 || lost < 0 || lost > to - from)
        return bad(self, "ranges", "a count is out of order");
    *out = (struct chain_range){
        .source = arena_strdup(self->arena, out->source),
        .topic = arena_strdup(self->arena, out->topic),
        .topic_id = arena_strdup(self->arena, out->topic_id),
        .partition = out->partition,
        .from = from,
        .to = to,
        .rows = rows,
        .lost = lost,
        .in_bytes = in_bytes != 0,
        .anew = anew != 0,
    };
    return E_OK;
}

static enum code read_sink(struct reader *self, json_t *json, struct chain_sink *out)
{
    json_error_t where;
    json_t *token;
    const char *path = NULL;
    if (json_unpack_ex(json, &where, 0, "{s:s, s:o, s?s}", "name", &out->name, "token", &token, "path", &path) != 0)
        return bad(self, "sinks", where.text);
    out->name = arena_strdup(self->arena, out->name);
    out->path = path == NULL ? NULL : arena_strdup(self->arena, path);
    if (json_is_string(token)) {
        out->token = arena_strdup(self->arena, json_string_value(token));
        return E_OK;
    }
    char *dump = json_dumps(token, JSON_COMPACT | JSON_ENCODE_ANY);
    if (dump == NULL)
        return bad(self, "sinks", "the token cannot be read");
    out->token = arena_strdup(self->arena, dump);
    mem_free(dump);
    return E_OK;
}

static enum code read_state(struct reader *self, json_t *json, struct chain_state *out)
{
    json_error_t where;
    const char *path, *checksum, *identity = "0000000000000000", *name = "", *what = "";
    json_int_t size, entries = -1;
    int whole = 0;
    out->group = -1;
    if (json_unpack_ex(json, &where, 0, "{s:i, s?b, s:s, s:I, s:s, s?s, s?s, s?i, s?i, s?i, s?i, s?s, s?I}", "node",
                       &out->node, "whole", &whole, "path", &path, "size", &size, "checksum", &checksum, "identity",
                       &identity, "name", &name, "group", &out->group, "shards", &out->shards, "whole_from",
                       &out->whole_from, "whole_to", &out->whole_to, "what", &what, "entries", &entries) != 0)
        return bad(self, "states", where.text);
    if (out->shards < 0 || out->whole_from < 0 || out->whole_from > out->whole_to ||
        out->whole_to > (out->shards > 0 ? out->shards : 1))
        return bad(self, "states", "a range of shards is out of order");
    if (size < 0)
        return bad(self, "states", "a size is negative");
    TRY(read_hex(self, "states", checksum, &out->checksum));
    TRY(read_hex(self, "states", identity, &out->identity));
    out->name = arena_strdup(self->arena, name);
    out->what = arena_strdup(self->arena, what);
    out->entries = entries < 0 ? -1 : entries;
    out->whole_to = whole ? 1 : out->whole_to; // version 1
    out->path = arena_strdup(self->arena, path);
    out->size_bytes = size;
    return E_OK;
}

/* One column of a ledger's partitions, into the member of each slot at `offset`. */
static enum code read_column(struct reader *self, const json_t *column, struct chain_slot *slots, int32_t count,
                             size_t offset)
{
    if (!json_is_array(column) || json_array_size(column) != (size_t)count)
        return bad(self, "ledgers", "the columns of the partitions differ in length");
    for (int32_t i = 0; i < count; i++) {
        const json_t *item = json_array_get(column, (size_t)i);
        int64_t value = json_integer_value(item);
        if (!json_is_integer(item))
            return bad(self, "ledgers", "a count is no number");
        memcpy((char *)&slots[i].counts + offset, &value, sizeof value);
    }
    return E_OK;
}

static enum code read_slots(struct reader *self, const json_t *columns, struct chain_ledger *out)
{
    const json_t *ranges = json_object_get(columns, "range");
    if (columns == NULL)
        return E_OK;
    if (!json_is_array(ranges) || json_array_size(ranges) > (size_t)self->range_count)
        return bad(self, "ledgers", "not as many partitions as ranges");
    int32_t count = (int32_t)json_array_size(ranges);
    struct chain_slot *slots = arena_array(self->arena, struct chain_slot, (size_t)count);
    for (int32_t i = 0; i < count; i++) {
        const json_t *item = json_array_get(ranges, (size_t)i);
        json_int_t range = json_integer_value(item);
        if (!json_is_integer(item) || range < 0 || range >= self->range_count || (i > 0 && range <= slots[i - 1].range))
            return bad(self, "ledgers", "the ranges of the partitions are out of order");
        slots[i].range = (int32_t)range;
    }
    for (int k = 0; k < LEDGER_COUNTS; k++) {
        const json_t *column = json_object_get(columns, ledger_counts[k].name);
        if (column != NULL)
            TRY(read_column(self, column, slots, count, ledger_counts[k].offset));
    }
    out->slots = slots;
    out->slot_count = count;
    return E_OK;
}

static enum code read_ledger(struct reader *self, json_t *json, struct chain_ledger *out)
{
    const char *table = json_string_value(json_object_get(json, "table"));
    if (table == NULL)
        return bad(self, "ledgers", "no table");
    out->table = arena_strdup(self->arena, table);
    for (int k = 0; k < LEDGER_COUNTS; k++) {
        const json_t *count = json_object_get(json, ledger_counts[k].name);
        if (count == NULL && ledger_counts[k].since > self->version)
            continue;
        if (!json_is_integer(count))
            return bad(self, "ledgers", "a count is missing");
        int64_t value = json_integer_value(count);
        memcpy((char *)&out->counts + ledger_counts[k].offset, &value, sizeof value);
    }
    return read_slots(self, json_object_get(json, "partitions"), out);
}

#define READ_ARRAY(member, items, count, read_one)                                                        \
    do {                                                                                                  \
        void *array_;                                                                                     \
        TRY(read_array(self, json, member, sizeof *(items), &array_, &(count)));                          \
        (items) = array_;                                                                                 \
        for (int32_t i_ = 0; i_ < (count); i_++)                                                          \
            TRY(read_one(self, json_array_get(json_object_get(json, member), (size_t)i_), &(items)[i_])); \
    } while (0)

static enum code read_node(struct reader *self, json_t *json, struct chain_watermark *out)
{
    json_error_t where;
    const char *identity, *name;
    json_int_t at;
    if (self->version == 1 && json_is_integer(json)) {
        *out = (struct chain_watermark){.name = "", .at_us = json_integer_value(json)};
        return E_OK;
    }
    if (json_unpack_ex(json, &where, 0, "{s:s, s:s, s:I}", "identity", &identity, "name", &name, "at_us", &at) != 0)
        return bad(self, "watermarks", where.text);
    *out = (struct chain_watermark){.name = arena_strdup(self->arena, name), .at_us = at};
    return read_hex(self, "watermarks", identity, &out->identity);
}

static enum code read_group(struct reader *self, json_t *json, struct watermark_time *out)
{
    json_error_t where;
    json_int_t late, emit, next;
    if (json_unpack_ex(json, &where, 0, "{s:I, s:I, s:I}", "late_us", &late, "emit_us", &emit, "next_us", &next) != 0)
        return bad(self, "watermarks", where.text);
    *out = (struct watermark_time){late, emit, next};
    return E_OK;
}

static enum code read_watermarks(struct reader *self, json_t *record, struct chain_record *out)
{
    if (self->version == 1) {
        json_t *json = json_object_get(record, "watermark");
        out->groups = arena_new(self->arena, struct watermark_time);
        out->group_count = 1;
        TRY(read_group(self, json, out->groups));
        READ_ARRAY("nodes", out->watermarks, out->watermark_count, read_node);
        return E_OK;
    }
    json_t *json = json_object_get(record, "watermarks");
    READ_ARRAY("groups", out->groups, out->group_count, read_group);
    READ_ARRAY("nodes", out->watermarks, out->watermark_count, read_node);
    return E_OK;
}

static enum code read_marked(struct reader *self, json_t *json, struct chain_marked *out)
{
    json_error_t where;
    const char *topic;
    int partition;
    if (json_unpack_ex(json, &where, 0, "{s:s, s:i}", "topic", &topic, "partition", &partition) != 0)
        return bad(self, "transaction_at", where.text);
    if (partition < 0)
        return bad(self, "transaction_at", "a partition is out of order");
    *out = (struct chain_marked){arena_strdup(self->arena, topic), partition};
    return E_OK;
}

static enum code read_place(struct reader *self, json_t *json, struct chain_place *out)
{
    json_error_t where;
    const char *bootstrap, *group;
    if (json == NULL)
        return E_OK;
    if (json_unpack_ex(json, &where, 0, "{s:s, s:s}", "bootstrap", &bootstrap, "group", &group) != 0)
        return bad(self, "transaction_at", where.text);
    out->bootstrap = arena_strdup(self->arena, bootstrap);
    out->group = arena_strdup(self->arena, group);
    READ_ARRAY("marked", out->marked, out->marked_count, read_marked);
    return E_OK;
}

static enum code read_head(struct reader *self, json_t *json, struct chain_record *out)
{
    json_error_t where;
    json_int_t version, epoch, batch_time, records;
    const char *query_id, *task, *nonce, *fingerprint, *timezone;
    int ansi;
    if (json_unpack_ex(json, &where, 0, "{s:I}", "version", &version) != 0)
        return bad(self, "version", where.text);
    if (version < CHAIN_VERSION_OLDEST || version > CHAIN_VERSION)
        return fail(self->err, E_UNSUPPORTED, "commit record of format %lld; this leat reads formats %d to %d",
                    (long long)version, CHAIN_VERSION_OLDEST, CHAIN_VERSION);
    self->version = version;
    if (json_unpack_ex(json, &where, 0, "{s:s, s:s, s:I, s:s, s:s, s:I, s:I, s:{s:s, s:b}}", "query_id", &query_id,
                       "task", &task, "epoch", &epoch, "nonce", &nonce, "fingerprint", &fingerprint, "batch_time_us",
                       &batch_time, "records", &records, "settings", "timezone", &timezone, "ansi", &ansi) != 0)
        return bad(self, "members", where.text);
    if (epoch < 0)
        return bad(self, "epoch", "is negative");
    TRY(read_hex(self, "nonce", nonce, &out->nonce));
    TRY(read_hex(self, "fingerprint", fingerprint, &out->fingerprint));
    out->version = version;
    out->epoch = epoch;
    out->query_id = arena_strdup(self->arena, query_id);
    out->task = arena_strdup(self->arena, task);
    out->batch_time_us = batch_time;
    out->records = records;
    out->timezone = arena_strdup(self->arena, timezone);
    out->ansi = ansi != 0;
    return E_OK;
}

static enum code read_record(struct reader *self, json_t *json, struct chain_record *out)
{
    if (!json_is_object(json))
        return bad(self, "document", "not an object");
    TRY(read_head(self, json, out));
    TRY(read_watermarks(self, json, out));
    READ_ARRAY("ranges", out->ranges, out->range_count, read_range);
    self->range_count = out->range_count;
    READ_ARRAY("sinks", out->sinks, out->sink_count, read_sink);
    READ_ARRAY("states", out->states, out->state_count, read_state);
    READ_ARRAY("ledgers", out->ledgers, out->ledger_count, read_ledger);
    out->transaction = json_is_true(json_object_get(json, "transaction"));
    TRY(read_place(self, json_object_get(json, "transaction_at"), &out->place));
    json_t *views = json_object_get(json, "views");
    if (views != NULL)
        TRY(read_hex(self, "views", json_is_string(views) ? json_string_value(views) : "", &out->views));
    return E_OK;
}

enum code chain_record_parse(struct bytes text, struct arena *arena, struct chain_record *out, struct error *err)
{
    json_error_t where;
    struct reader reader = {.arena = arena, .err = err};
    struct chain_record record = {0};
    json_t *json = json_loadb((const char *)text.data, text.size, JSON_REJECT_DUPLICATES, &where);
    if (json == NULL)
        return fail(err, E_CORRUPT, "commit record: %s at byte %d", where.text, where.position);
    enum code code = read_record(&reader, json, &record);
    json_decref(json);
    if (code == E_OK)
        *out = record;
    return code;
}

/* chain_record.c - a commit record as JSON text and back.
 *
 * Integers are JSON integers; 64-bit identities (nonce, fingerprint, checksum) are 16 hex digits, since JSON readers of other
 * languages lose bits above 2^53. Unknown members are ignored, so that an older leat can name the version it lacks.
 */
#include "runtime/chain.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdlib.h>

/* ---- printing ---- */

static void put_string(struct text *out, const char *name, const char *value)
{
    json_t *string = json_string(value != NULL ? value : "");
    char *quoted = string != NULL ? json_dumps(string, JSON_ENCODE_ANY) : NULL;
    text_printf(out, "\"%s\":%s", name, quoted != NULL ? quoted : "\"\"");
    free(quoted); /* tidy: allow free - jansson's own allocation */
    json_decref(string);
}

static void put_int(struct text *out, const char *name, int64_t value) { text_printf(out, ",\"%s\":%" PRId64, name, value); }

static void put_hex(struct text *out, const char *name, uint64_t value)
{
    text_printf(out, ",\"%s\":\"%016" PRIx64 "\"", name, value);
}

static void print_ranges(const struct chain_record *record, struct text *out)
{
    text_add_string(out, ",\"ranges\":[");
    for (int32_t i = 0; i < record->range_count; i++) {
        const struct chain_range *range = &record->ranges[i];
        text_add_string(out, i > 0 ? ",{" : "{");
        put_string(out, "source", range->source);
        text_add_char(out, ',');
        put_string(out, "topic", range->topic);
        text_add_char(out, ',');
        put_string(out, "topic_id", range->topic_id);
        put_int(out, "partition", range->partition);
        put_int(out, "from", range->from);
        put_int(out, "to", range->to);
        text_add_char(out, '}');
    }
    text_add_char(out, ']');
}

static void print_states(const struct chain_record *record, struct text *out)
{
    text_add_string(out, ",\"states\":[");
    for (int32_t i = 0; i < record->state_count; i++) {
        const struct chain_state *state = &record->states[i];
        text_add_string(out, i > 0 ? ",{" : "{");
        put_string(out, "path", state->path);
        put_int(out, "node", state->node);
        text_printf(out, ",\"whole\":%s", state->whole ? "true" : "false");
        put_int(out, "size", state->size_bytes);
        put_hex(out, "checksum", state->checksum);
        text_add_char(out, '}');
    }
    text_add_char(out, ']');
}

static void print_ledgers(const struct chain_record *record, struct text *out)
{
    text_add_string(out, ",\"ledgers\":[");
    for (int32_t i = 0; i < record->ledger_count; i++) {
        const struct ledger *l = &record->ledgers[i].counts;
        text_add_string(out, i > 0 ? ",{" : "{");
        put_string(out, "table", record->ledgers[i].table);
        put_int(out, "in", l->in);
        put_int(out, "exploded", l->exploded);
        put_int(out, "filtered", l->filtered);
        put_int(out, "late", l->late);
        put_int(out, "null_time", l->null_time);
        put_int(out, "quarantined", l->quarantined);
        put_int(out, "aggregated", l->aggregated);
        put_int(out, "out", l->out);
        text_add_char(out, '}');
    }
    text_add_char(out, ']');
}

static void print_sinks(const struct chain_record *record, struct text *out)
{
    text_add_string(out, ",\"sinks\":[");
    for (int32_t i = 0; i < record->sink_count; i++) {
        text_add_string(out, i > 0 ? ",{" : "{");
        put_string(out, "name", record->sinks[i].name);
        text_add_char(out, ',');
        put_string(out, "token", record->sinks[i].token);
        text_add_char(out, '}');
    }
    text_add_char(out, ']');
}

void chain_record_print(const struct chain_record *record, struct text *out)
{
    text_printf(out, "{\"version\":%" PRId64 ",", record->version);
    put_string(out, "query_id", record->query_id);
    text_add_char(out, ',');
    put_string(out, "task", record->task);
    put_int(out, "epoch", record->epoch);
    put_hex(out, "nonce", record->nonce);
    put_hex(out, "fingerprint", record->fingerprint);
    put_int(out, "batch_time_us", record->batch_time_us);
    put_int(out, "late_us", record->late_us);
    put_int(out, "emit_us", record->emit_us);
    put_int(out, "next_us", record->next_us);
    text_add_string(out, ",\"node_us\":[");
    for (int32_t i = 0; i < record->node_count; i++)
        text_printf(out, "%s%" PRId64, i > 0 ? "," : "", record->node_us[i]);
    text_add_string(out, "],");
    put_string(out, "timezone", record->timezone);
    text_printf(out, ",\"ansi\":%s", record->ansi ? "true" : "false");
    put_int(out, "records", record->records);
    print_ranges(record, out);
    print_sinks(record, out);
    print_states(record, out);
    print_ledgers(record, out);
    text_add_char(out, '}');
}

/* ---- parsing ---- */

struct reading {
    struct arena *arena;
    struct error *err;
    bool failed;             /* the first problem is in err */
};

static void bad(struct reading *in, const char *name, const char *what)
{
    if (!in->failed)
        fail(in->err, E_CORRUPT, "the commit record's member %s is not %s", name, what);
    in->failed = true;
}

static int64_t get_int(struct reading *in, const json_t *object, const char *name)
{
    const json_t *value = json_object_get(object, name);
    if (!json_is_integer(value))
        bad(in, name, "an integer");
    return json_integer_value(value);
}

static const char *get_string(struct reading *in, const json_t *object, const char *name)
{
    const json_t *value = json_object_get(object, name);
    if (!json_is_string(value)) {
        bad(in, name, "a string");
        return "";
    }
    return arena_strdup(in->arena, json_string_value(value));
}

static uint64_t get_hex(struct reading *in, const json_t *object, const char *name)
{
    const char *text = get_string(in, object, name);
    char *end = NULL;
    uint64_t value = strtoull(text, &end, 16);
    if (strlen(text) != 16 || *end != '\0')
        bad(in, name, "16 hex digits");
    return value;
}

static bool get_boolean(struct reading *in, const json_t *object, const char *name)
{
    const json_t *value = json_object_get(object, name);
    if (!json_is_boolean(value))
        bad(in, name, "true or false");
    return json_is_true(value);
}

/* The array's length; 0 when it is none. */
static int32_t get_array(struct reading *in, const json_t *object, const char *name, const json_t **out)
{
    *out = json_object_get(object, name);
    if (!json_is_array(*out))
        bad(in, name, "an array");
    return (int32_t)json_array_size(*out);
}

static void parse_ranges(struct reading *in, const json_t *root, struct chain_record *out)
{
    const json_t *array;
    out->range_count = get_array(in, root, "ranges", &array);
    out->ranges = arena_array(in->arena, struct chain_range, (size_t)out->range_count);
    for (int32_t i = 0; i < out->range_count; i++) {
        const json_t *item = json_array_get(array, (size_t)i);
        out->ranges[i] = (struct chain_range){
            .source = get_string(in, item, "source"),
            .topic = get_string(in, item, "topic"),
            .topic_id = get_string(in, item, "topic_id"),
            .partition = (int32_t)get_int(in, item, "partition"),
            .from = get_int(in, item, "from"),
            .to = get_int(in, item, "to"),
        };
    }
}

static void parse_sinks(struct reading *in, const json_t *root, struct chain_record *out)
{
    const json_t *array;
    out->sink_count = get_array(in, root, "sinks", &array);
    out->sinks = arena_array(in->arena, struct chain_sink, (size_t)out->sink_count);
    for (int32_t i = 0; i < out->sink_count; i++) {
        const json_t *item = json_array_get(array, (size_t)i);
        out->sinks[i] = (struct chain_sink){get_string(in, item, "name"), get_string(in, item, "token")};
    }
}

static void parse_states(struct reading *in, const json_t *root, struct chain_record *out)
{
    const json_t *array;
    out->state_count = get_array(in, root, "states", &array);
    out->states = arena_array(in->arena, struct chain_state, (size_t)out->state_count);
    for (int32_t i = 0; i < out->state_count; i++) {
        const json_t *item = json_array_get(array, (size_t)i);
        out->states[i] = (struct chain_state){
            .path = get_string(in, item, "path"),
            .node = (int32_t)get_int(in, item, "node"),
            .whole = get_boolean(in, item, "whole"),
            .size_bytes = get_int(in, item, "size"),
            .checksum = get_hex(in, item, "checksum"),
        };
    }
}

static void parse_ledgers(struct reading *in, const json_t *root, struct chain_record *out)
{
    const json_t *array;
    out->ledger_count = get_array(in, root, "ledgers", &array);
    out->ledgers = arena_array(in->arena, struct chain_ledger, (size_t)out->ledger_count);
    for (int32_t i = 0; i < out->ledger_count; i++) {
        const json_t *item = json_array_get(array, (size_t)i);
        out->ledgers[i] = (struct chain_ledger){
            .table = get_string(in, item, "table"),
            .counts = {
                .in = get_int(in, item, "in"),
                .exploded = get_int(in, item, "exploded"),
                .filtered = get_int(in, item, "filtered"),
                .late = get_int(in, item, "late"),
                .null_time = get_int(in, item, "null_time"),
                .quarantined = get_int(in, item, "quarantined"),
                .aggregated = get_int(in, item, "aggregated"),
                .out = get_int(in, item, "out"),
            },
        };
    }
}

static void parse_times(struct reading *in, const json_t *root, struct chain_record *out)
{
    out->batch_time_us = get_int(in, root, "batch_time_us");
    out->late_us = get_int(in, root, "late_us");
    out->emit_us = get_int(in, root, "emit_us");
    out->next_us = get_int(in, root, "next_us");
    const json_t *array;
    out->node_count = get_array(in, root, "node_us", &array);
    out->node_us = arena_array(in->arena, int64_t, (size_t)out->node_count);
    for (int32_t i = 0; i < out->node_count; i++)
        out->node_us[i] = json_integer_value(json_array_get(array, (size_t)i));
}

static void parse_root(struct reading *in, const json_t *root, struct chain_record *out)
{
    out->version = get_int(in, root, "version");
    if (!in->failed && out->version != CHAIN_VERSION)
        bad(in, "version", "1; a newer leat wrote this checkpoint");
    out->query_id = get_string(in, root, "query_id");
    out->task = get_string(in, root, "task");
    out->epoch = get_int(in, root, "epoch");
    out->nonce = get_hex(in, root, "nonce");
    out->fingerprint = get_hex(in, root, "fingerprint");
    out->timezone = get_string(in, root, "timezone");
    out->ansi = get_boolean(in, root, "ansi");
    out->records = get_int(in, root, "records");
    parse_times(in, root, out);
    parse_ranges(in, root, out);
    parse_sinks(in, root, out);
    parse_states(in, root, out);
    parse_ledgers(in, root, out);
}

enum code chain_record_parse(struct bytes json, struct arena *arena, struct chain_record *out, struct error *err)
{
    json_error_t problem;
    json_t *root = json_loadb((const char *)json.data, json.size, JSON_REJECT_DUPLICATES, &problem);
    if (root == NULL)
        return fail(err, E_CORRUPT, "the commit record is not JSON: %s at byte %d", problem.text, problem.position);
    struct reading in = {arena, err, false};
    struct chain_record record = {0};
    parse_root(&in, root, &record);
    json_decref(root);
    if (in.failed)
        return err->code;
    *out = record;
    return E_OK;
}

/* delta_evolve.c - tables that leat makes, tables that get columns, and tables that get other ones.
 *
 * New      reader 1 and writer 2, as Spark's; 3 and 7 with the features that a type or a property needs, no others
 * Widened  schemaString keeps all it says; what it lacks is put behind, in structs too
 * Replaced as Spark's overwriteSchema: schema and partition columns are new, id, name and properties stay. A feature that a new
 *          type needs is added to the protocol
 */
#include <stdio.h>
#include <strings.h>

#include "base/os.h"
#include "delta/delta_internal.h"

enum { NESTING_MAX = 64, FEATURES_MAX = 16 };

/* ---- features of a new table ---- */

static const struct {
    const char *property, *value, *feature; /* feature NULL: leat makes no such table */
    bool reader;
} by_property[] = {
    {"delta.enableChangeDataFeed", "true", "changeDataFeed", false},
    {"delta.enableInCommitTimestamps", "true", "inCommitTimestamp", false},
    {"delta.enableDeletionVectors", "true", "deletionVectors", true},
    {"delta.checkpointPolicy", "v2", "v2Checkpoint", true},
    {"delta.columnMapping.mode", "name", NULL, true},
    {"delta.columnMapping.mode", "id", NULL, true},
    {"delta.enableRowTracking", "true", NULL, false},
    {"delta.enableTypeWidening", "true", NULL, true},
    {"delta.enableIcebergCompatV1", "true", NULL, false},
    {"delta.enableIcebergCompatV2", "true", NULL, false},
    {"delta.enableVariantShredding", "true", NULL, true},
};
enum { PROPERTIES = sizeof by_property / sizeof *by_property };

static bool starts_with(const char *text, const char *prefix) { return strncmp(text, prefix, strlen(prefix)) == 0; }

static enum code property_check(const struct delta_pair *property, struct error *err)
{
    if (starts_with(property->name, "delta.constraints.") || starts_with(property->name, "delta.feature."))
        return fail(err, E_UNSUPPORTED, "%s: leat makes no tables with it", property->name);
    for (int i = 0; i < PROPERTIES; i++)
        if (by_property[i].feature == NULL && strcasecmp(property->name, by_property[i].property) == 0 &&
            strcasecmp(property->value, by_property[i].value) == 0)
            return fail(err, E_UNSUPPORTED, "%s = %s: leat makes no tables with that feature", property->name,
                        property->value);
    return E_OK;
}

/* The types of a schema that ask for something. */
struct asking {
    bool ntz, variant;
    const char *column; /* at the top */
    struct error *err;
};

static enum code type_ask(struct asking *self, const json_t *type, int depth)
{
    static const char *const known[] = {"string",    "long",          "integer", "short",  "byte",
                                        "float",     "double",        "boolean", "binary", "date",
                                        "timestamp", "timestamp_ntz", "variant"};
    static const char *const below[] = {"elementType", "keyType", "valueType"};
    const json_t *field;
    size_t i;
    if (json_is_string(type)) {
        const char *name = json_string_value(type);
        bool found = starts_with(name, "decimal(");
        for (size_t k = 0; !found && k < sizeof known / sizeof *known; k++)
            found = strcmp(known[k], name) == 0;
        self->ntz |= strcmp(name, "timestamp_ntz") == 0;
        self->variant |= strcmp(name, "variant") == 0;
        return found ? E_OK : fail(self->err, E_UNSUPPORTED, "column %s: Delta has no type %s", self->column, name);
    }
    if (depth == NESTING_MAX)
        return fail(self->err, E_UNSUPPORTED, "column %s is nested deeper than %d", self->column, NESTING_MAX);
    for (size_t k = 0; k < sizeof below / sizeof *below; k++)
        if (json_object_get(type, below[k]) != NULL)
            TRY(type_ask(self, json_object_get(type, below[k]), depth + 1));
    json_array_foreach(json_object_get(type, "fields"), i, field)
    {
        self->column = depth == 0 ? json_string_value(json_object_get(field, "name")) : self->column;
        TRY(type_ask(self, json_object_get(field, "type"), depth + 1));
    }
    return E_OK;
}

static enum code schema_ask(const char *schema, struct asking *out, struct error *err)
{
    json_t *json = json_loads(schema, 0, NULL);
    *out = (struct asking){.err = err};
    enum code code = json_is_object(json) ? type_ask(out, json, 0) : fail(err, E_CORRUPT, "the schema is no JSON");
    json_decref(json);
    out->column = NULL; // it went with the JSON
    return code;
}

enum code delta_wanted_check(const struct delta_wanted *wanted, struct error *err)
{
    struct asking asking;
    for (int32_t i = 0; i < wanted->properties.count; i++)
        TRY(property_check(&wanted->properties.items[i], err));
    return schema_ask(wanted->schema, &asking, err);
}

static void feature_add(struct delta_names *names, const char *feature)
{
    always(names->count < FEATURES_MAX);
    names->items[names->count++] = feature;
}

static void protocol_make(const struct delta_wanted *wanted, const struct asking *asking, struct arena *arena,
                          struct delta_protocol *out)
{
    struct delta_protocol protocol = {.reader = 1, .writer = 2};
    protocol.reader_features.items = arena_array(arena, const char *, FEATURES_MAX);
    protocol.writer_features.items = arena_array(arena, const char *, FEATURES_MAX);
    struct delta_names *readers = &protocol.reader_features, *writers = &protocol.writer_features;
    if (asking->ntz)
        feature_add(readers, "timestampNtz");
    if (asking->variant)
        feature_add(readers, "variantType");
    for (int i = 0; i < PROPERTIES; i++) {
        const char *value = delta_map_get(&wanted->properties, by_property[i].property);
        if (value != NULL && by_property[i].feature != NULL && strcasecmp(value, by_property[i].value) == 0)
            feature_add(by_property[i].reader ? readers : writers, by_property[i].feature);
    }
    if (readers->count + writers->count > 0) {
        feature_add(writers, "appendOnly");
        feature_add(writers, "invariants");
        protocol.writer = 7;
    }
    for (int32_t i = 0; i < readers->count; i++)
        feature_add(writers, readers->items[i]);
    protocol.reader = readers->count > 0 ? 3 : 1;
    *out = protocol;
}

enum code delta_create(const struct delta_wanted *wanted, struct arena *arena, struct delta_protocol *protocol,
                       struct delta_metadata *metadata, struct error *err)
{
    struct asking asking;
    char id[37];
    TRY(delta_wanted_check(wanted, err));
    TRY(schema_ask(wanted->schema, &asking, err));
    protocol_make(wanted, &asking, arena, protocol);
    delta_uuid(id);
    struct delta_map configuration = {.items = arena_array(arena, struct delta_pair, (size_t)wanted->properties.count)};
    for (int32_t i = 0; i < wanted->properties.count; i++)
        if (starts_with(wanted->properties.items[i].name, "delta."))
            configuration.items[configuration.count++] = wanted->properties.items[i];
    const struct delta_metadata made = {
        .id = id,
        .name = wanted->name,
        .schema = wanted->schema,
        .partition_columns = wanted->partition_columns,
        .configuration = configuration,
        .created_ms = os->clock_wall_us() / 1000,
    };
    *metadata = delta_metadata_copy(&made, arena);
    return E_OK;
}

/* ---- widening ---- */

struct widening {
    bool changed;     /* it got fields */
    bool narrow;      /* it has fields that are not wanted */
    struct text path; /* of the column at work */
    struct error *err;
};

static enum code differs(struct widening *self, const json_t *have, const json_t *want)
{
    char *theirs = json_dumps(have, JSON_ENCODE_ANY | JSON_COMPACT),
         *ours = json_dumps(want, JSON_ENCODE_ANY | JSON_COMPACT);
    enum code code = fail(self->err, E_SPEC, "column %s is %.120s in the table, and %.120s in the query: CAST it there",
                          self->path.data, theirs, ours);
    mem_free(theirs);
    mem_free(ours);
    return code;
}

static enum code type_widen(struct widening *self, json_t *have, const json_t *want, int depth);

static enum code rule_check(struct widening *self, const json_t *field, bool given, bool top)
{
    static const char *const rules[] = {"delta.invariants", "delta.generationExpression", "delta.identity.start",
                                        "delta.identity.step", "__CHAR_VARCHAR_TYPE_STRING"};
    const json_t *metadata = json_object_get(field, "metadata");
    for (size_t i = 0; i < sizeof rules / sizeof *rules; i++)
        if (json_object_get(metadata, rules[i]) != NULL)
            return fail(self->err, E_UNSUPPORTED, "column %s of the table has %s, which leat does not see to",
                        self->path.data, rules[i]);
    if (!given && json_object_get(metadata, "CURRENT_DEFAULT") != NULL)
        return fail(self->err, E_UNSUPPORTED,
                    "column %s of the table has a default, and the query does not give the column", self->path.data);
    if (json_is_true(json_object_get(field, "nullable")) || (top && given)) // whoever writes the rows sees to that
        return E_OK;
    return fail(self->err, E_UNSUPPORTED, "column %s of the table is NOT NULL%s", self->path.data,
                given ? ", which leat checks of columns, not of what is in them" : ", and the query does not give it");
}

static json_t *field_find(const json_t *fields, const char *name, bool *spelled)
{
    size_t i;
    json_t *field, *near = NULL;
    json_array_foreach(fields, i, field)
    {
        const char *other = json_string_value(json_object_get(field, "name"));
        if (other != NULL && strcmp(other, name) == 0) {
            *spelled = true;
            return field;
        }
        near = other != NULL && strcasecmp(other, name) == 0 ? field : near;
    }
    *spelled = false;
    return near;
}

static enum code have_check(struct widening *self, const json_t *have, const json_t *want, bool top)
{
    size_t i, start = self->path.size;
    json_t *field;
    bool spelled;
    json_array_foreach(have, i, field)
    {
        const char *name = json_string_value(json_object_get(field, "name"));
        self->path.size = start;
        text_printf(&self->path, "%s%s", start > 0 ? "." : "", name != NULL ? name : "");
        bool given = name != NULL && field_find(want, name, &spelled) != NULL;
        self->narrow |= !given;
        TRY(rule_check(self, field, given, top));
    }
    self->path.size = start;
    return E_OK;
}

static enum code fields_widen(struct widening *self, json_t *have, const json_t *want, int depth)
{
    size_t i, start = self->path.size;
    json_t *field;
    TRY(have_check(self, have, want, depth == 0));
    json_array_foreach(want, i, field)
    {
        const char *name = json_string_value(json_object_get(field, "name"));
        bool spelled;
        json_t *there = field_find(have, name, &spelled);
        self->path.size = start;
        text_printf(&self->path, "%s%s", start > 0 ? "." : "", name);
        if (there == NULL) {
            json_array_append(have, field);
            self->changed = true;
        } else if (!spelled) {
            return fail(self->err, E_SPEC, "column %s is spelled %s in the table: name it so in the query",
                        self->path.data, json_string_value(json_object_get(there, "name")));
        } else {
            json_t *type = json_object_get(there, "type"), *wanted = json_object_get(field, "type");
            TRY(json_is_string(type) && !json_equal(type, wanted) ? differs(self, type, wanted)
                                                                  : type_widen(self, type, wanted, depth + 1));
        }
    }
    self->path.size = start;
    return E_OK;
}

/* Objects are changed in place; names of types must be the same. */
static enum code type_widen(struct widening *self, json_t *have, const json_t *want, int depth)
{
    static const char *const below[] = {"elementType", "keyType", "valueType"};
    const json_t *kind = json_object_get(have, "type");
    if (json_is_string(have))
        return json_equal(have, want) ? E_OK : differs(self, have, want);
    if (depth == NESTING_MAX || !json_is_object(have) || !json_equal(kind, json_object_get(want, "type")))
        return differs(self, have, want);
    if (strcmp(json_string_value(kind), "struct") == 0)
        return fields_widen(self, json_object_get(have, "fields"), json_object_get(want, "fields"), depth);
    for (size_t k = 0; k < sizeof below / sizeof *below; k++) {
        json_t *inner = json_object_get(have, below[k]);
        if (inner != NULL)
            TRY(type_widen(self, inner, json_object_get(want, below[k]), depth + 1));
    }
    return E_OK;
}

static enum code partitions_check(const struct delta_names *have, const struct delta_names *want, struct error *err)
{
    bool same = have->count == want->count;
    for (int32_t i = 0; same && i < have->count; i++)
        same = strcmp(have->items[i], want->items[i]) == 0;
    if (same)
        return E_OK;
    return fail(err, E_SPEC, "the table is partitioned by %d column%s (%s), the query asks for %d (%s)", have->count,
                have->count == 1 ? "" : "s", have->count > 0 ? have->items[0] : "none", want->count,
                want->count > 0 ? want->items[0] : "none");
}

/* What a type needs that the table has not had; NULL: nothing. */
static const char *feature_missing(const struct delta_protocol *protocol, const struct asking *asking)
{
    const struct delta_names *have = &protocol->writer_features;
    if (asking->ntz && !delta_names_have(have, "timestampNtz"))
        return "timestampNtz";
    bool variant = delta_names_have(have, "variantType") || delta_names_have(have, "variantType-preview");
    return asking->variant && !variant ? "variantType" : NULL;
}

static enum code schema_widen(const struct delta_metadata *have, const struct delta_wanted *wanted, struct arena *arena,
                              struct widening *self, struct delta_metadata *out)
{
    json_t *theirs = json_loads(have->schema, 0, NULL), *ours = json_loads(wanted->schema, 0, NULL);
    text_add_string(&self->path, "");
    enum code code = theirs != NULL && ours != NULL ? type_widen(self, theirs, ours, 0)
                                                    : fail(self->err, E_CORRUPT, "the log has no schema");
    if (code == E_OK) {
        *out = *have;
        char *schema = json_dumps(theirs, JSON_COMPACT);
        out->schema = self->changed ? arena_strdup(arena, schema) : have->schema;
        mem_free(schema);
    }
    json_decref(theirs);
    json_decref(ours);
    text_free(&self->path);
    return code;
}

enum code delta_widen(const struct delta_protocol *protocol, const struct delta_metadata *have,
                      const struct delta_wanted *wanted, struct arena *arena, struct delta_metadata *out, bool *changed,
                      struct error *err)
{
    struct widening widening = {.err = err};
    struct asking asking;
    TRY(partitions_check(&have->partition_columns, &wanted->partition_columns, err));
    TRY(schema_ask(wanted->schema, &asking, err));
    const char *feature = feature_missing(protocol, &asking);
    if (feature != NULL)
        return fail(err, E_UNSUPPORTED, "a column needs the feature %s, which the table does not have", feature);
    TRY(schema_widen(have, wanted, arena, &widening, out));
    *changed = widening.changed;
    return E_OK;
}

/* ---- replacing ---- */

static void protocol_raise(const struct delta_protocol *have, const struct asking *asking, struct arena *arena,
                           struct delta_protocol *out)
{
    struct delta_protocol raised;
    delta_protocol_list(have, 2, arena, &raised);
    const struct {
        bool asked;
        const char *feature;
    } needs[] = {{asking->ntz, "timestampNtz"}, {asking->variant, "variantType"}};
    for (size_t i = 0; i < sizeof needs / sizeof *needs; i++)
        if (needs[i].asked && !delta_names_have(&raised.writer_features, needs[i].feature)) {
            raised.reader_features.items[raised.reader_features.count++] = needs[i].feature;
            raised.writer_features.items[raised.writer_features.count++] = needs[i].feature;
        }
    *out = raised;
}

enum code delta_reshape(const struct delta_protocol *protocol, const struct delta_metadata *have,
                        const struct delta_wanted *wanted, struct arena *arena, struct delta_reshaped *out,
                        struct error *err)
{
    struct error differs = {0};
    struct widening widening = {.err = &differs};
    struct delta_reshaped made = {.protocol = *protocol};
    struct asking asking;
    TRY(schema_ask(wanted->schema, &asking, err));
    bool fits = partitions_check(&have->partition_columns, &wanted->partition_columns, &differs) == E_OK &&
                schema_widen(have, wanted, arena, &widening, &made.metadata) == E_OK && !widening.narrow;
    made.changed = fits ? widening.changed : true;
    if (!fits) {
        made.metadata = *have;
        made.metadata.schema = wanted->schema;
        made.metadata.partition_columns = wanted->partition_columns;
    }
    if (!fits && delta_names_have(&protocol->writer_features, "clustering"))
        return fail(err, E_UNSUPPORTED, "the table is clustered (CLUSTER BY), and its columns would change: %s",
                    differs.text[0] != '\0' ? differs.text : "the query lacks one");
    made.raised = feature_missing(protocol, &asking) != NULL;
    if (made.raised)
        protocol_raise(protocol, &asking, arena, &made.protocol);
    *out = made;
    return E_OK;
}

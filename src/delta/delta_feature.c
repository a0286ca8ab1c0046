/* delta_feature.c - what a table needs of those who read it, and of those who write to it.
 *
 * Below versions 3 and 7 the version itself stands for features; from there on they are listed. A feature that is
 * listed may lie idle: then what would make it active is looked for in the metadata.
 */
#include <inttypes.h>
#include <stdio.h>
#include <strings.h>

#include "base/options.h"
#include "delta/delta_internal.h"

enum { READER_OF_MAPPING = 2, READER_MAX = 3, WRITER_MAX = 7 };

/* ---- readers ---- */

enum code delta_readable(const struct delta_protocol *protocol, struct error *err)
{
    static const char *const known[] = {"columnMapping",    "deletionVectors",         "timestampNtz",
                                        "typeWidening",     "typeWidening-preview",    "v2Checkpoint",
                                        "variantType",      "variantType-preview",     "vacuumProtocolCheck",
                                        "variantShredding", "variantShredding-preview"};
    if (protocol->reader == 0)
        return fail(err, E_CORRUPT, "the log has no protocol");
    if (protocol->reader > READER_MAX)
        return fail(err, E_UNSUPPORTED, "the table wants a reader of version %d; leat has %d", protocol->reader,
                    READER_MAX);
    if (protocol->reader < READER_MAX && protocol->reader_features.count > 0)
        return fail(err, E_UNSUPPORTED, "the protocol lists features of readers (%s), but asks for version %d",
                    protocol->reader_features.items[0], protocol->reader);
    for (int32_t i = 0; i < protocol->reader_features.count; i++) {
        bool found = false;
        for (size_t k = 0; !found && k < sizeof known / sizeof *known; k++)
            found = strcmp(protocol->reader_features.items[i], known[k]) == 0;
        if (!found)
            return fail(err, E_UNSUPPORTED, "the table uses the feature %s, which leat cannot read",
                        protocol->reader_features.items[i]);
    }
    return E_OK;
}

/* ---- writers ---- */

/* When a feature keeps leat from appending. */
enum care {
    CARE_NONE,        /* appends keep to it, or what does is written here */
    CARE_RULES,       /* when a column has such a rule: writable_schema */
    CARE_CONSTRAINTS, /* when the table has constraints */
    CARE_MAPPING,     /* when columns are mapped */
};
static const struct {
    const char *name;
    enum care care;
    int32_t since; /* the writer version that stands for it; 0: it must be listed */
} writer_features[] = {
    {"appendOnly", CARE_NONE, 2},
    {"invariants", CARE_RULES, 2},
    {"checkConstraints", CARE_CONSTRAINTS, 3},
    {"changeDataFeed", CARE_NONE, 4}, // commits that only add, or only remove whole files, need no change files
    {"generatedColumns", CARE_RULES, 4},
    {"columnMapping", CARE_MAPPING, 5},
    {"identityColumns", CARE_RULES, 6},
    {"allowColumnDefaults", CARE_RULES, 0},
    {"clustering", CARE_NONE, 0},
    {"deletionVectors", CARE_NONE, 0},
    {"domainMetadata", CARE_NONE, 0},
    {"inCommitTimestamp", CARE_NONE, 0},
    {"timestampNtz", CARE_NONE, 0},
    {"typeWidening", CARE_NONE, 0},
    {"typeWidening-preview", CARE_NONE, 0},
    {"v2Checkpoint", CARE_NONE, 0},
    {"vacuumProtocolCheck", CARE_NONE, 0},
    {"variantType", CARE_NONE, 0},
    {"variantType-preview", CARE_NONE, 0},
};
enum { WRITER_FEATURES = sizeof writer_features / sizeof *writer_features };

void delta_protocol_list(const struct delta_protocol *have, int32_t room, struct arena *arena,
                         struct delta_protocol *out)
{
    struct delta_protocol listed = {.reader = READER_MAX, .writer = WRITER_MAX};
    struct delta_names *readers = &listed.reader_features, *writers = &listed.writer_features;
    readers->items = arena_array(arena, const char *, (size_t)(have->reader_features.count + 1 + room));
    writers->items = arena_array(arena, const char *, (size_t)(have->writer_features.count + WRITER_FEATURES + room));
    for (int32_t i = 0; i < have->reader_features.count; i++)
        readers->items[readers->count++] = have->reader_features.items[i];
    for (int32_t i = 0; i < have->writer_features.count; i++)
        writers->items[writers->count++] = have->writer_features.items[i];
    if (have->reader == READER_OF_MAPPING)
        readers->items[readers->count++] = "columnMapping";
    for (int i = 0; i < WRITER_FEATURES && have->writer < WRITER_MAX; i++)
        if (writer_features[i].since > 0 && writer_features[i].since <= have->writer)
            writers->items[writers->count++] = writer_features[i].name;
    *out = listed;
}

static bool has_constraints(const struct delta_metadata *metadata, const char **name)
{
    static const char prefix[] = "delta.constraints.";
    for (int32_t i = 0; i < metadata->configuration.count; i++)
        if (strncmp(metadata->configuration.items[i].name, prefix, sizeof prefix - 1) == 0) {
            *name = metadata->configuration.items[i].name + sizeof prefix - 1;
            return true;
        }
    return false;
}

static bool is_mapped(const struct delta_metadata *metadata)
{
    const char *mode = delta_map_get(&metadata->configuration, "delta.columnMapping.mode");
    return mode != NULL && strcasecmp(mode, "none") != 0;
}

static enum code feature_check(enum care care, const struct delta_metadata *metadata, struct error *err)
{
    const char *constraint;
    if (care == CARE_CONSTRAINTS && has_constraints(metadata, &constraint))
        return fail(err, E_UNSUPPORTED, "the table uses the feature checkConstraints (%s): leat does not check it",
                    constraint);
    if (care == CARE_MAPPING && is_mapped(metadata))
        return fail(err, E_UNSUPPORTED,
                    "the table uses the feature columnMapping: leat reads such tables, but does not write to them");
    return E_OK;
}

static enum code listed_check(const struct delta_names *listed, const struct delta_metadata *metadata,
                              struct error *err)
{
    for (int32_t i = 0; i < listed->count; i++) {
        int k = 0;
        while (k < WRITER_FEATURES && strcmp(listed->items[i], writer_features[k].name) != 0)
            k++;
        if (k == WRITER_FEATURES)
            return fail(err, E_UNSUPPORTED, "the table uses the feature %s: leat cannot write to it", listed->items[i]);
        TRY(feature_check(writer_features[k].care, metadata, err));
    }
    return E_OK;
}

enum code delta_writable(const struct delta_protocol *protocol, const struct delta_metadata *metadata,
                         struct error *err)
{
    TRY(delta_readable(protocol, err));
    if (protocol->writer > WRITER_MAX)
        return fail(err, E_UNSUPPORTED, "the table wants a writer of version %d; leat has %d", protocol->writer,
                    WRITER_MAX);
    if (protocol->writer == WRITER_MAX)
        return listed_check(&protocol->writer_features, metadata, err);
    for (int k = 0; k < WRITER_FEATURES; k++)
        if (writer_features[k].since > 0 && writer_features[k].since <= protocol->writer)
            TRY(feature_check(writer_features[k].care, metadata, err));
    return E_OK;
}

/* ---- properties ---- */

bool delta_flag(const struct delta_metadata *metadata, const char *name)
{
    const char *value = delta_map_get(&metadata->configuration, name);
    return value != NULL && strcasecmp(value, "true") == 0;
}

int64_t delta_duration(const struct delta_metadata *metadata, const char *name, int64_t initial_us)
{
    static const int64_t day_us = (int64_t)24 * 3600 * 1000000;
    const char *value = delta_map_get(&metadata->configuration, name);
    struct error ignored = {0};
    int64_t us, count;
    bool overflow = false;
    char unit[16];
    if (value == NULL)
        return initial_us;
    if (strncasecmp(value, "interval ", 9) == 0)
        value += 9;
    if (sscanf(value, "%" SCNd64 " %15[a-zA-Z]", &count, unit) != 2)
        return parse_duration(value, &us, &ignored) == E_OK ? us : initial_us;
    bool weeks = strncasecmp(unit, "week", 4) == 0, days = strncasecmp(unit, "day", 3) == 0;
    if (weeks || days)
        overflow = __builtin_mul_overflow(count, weeks ? 7 * day_us : day_us, &us);
    else if (parse_duration(value, &us, &ignored) != E_OK)
        return initial_us;
    return overflow || us < 0 ? initial_us : us;
}

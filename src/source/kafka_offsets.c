/* kafka_offsets.c - partitions and offsets as Spark writes them in JSON.
 *
 * Shape    offsets {"topic":{"0":23,"1":-1,"2":-2}}   assign {"topic":[0,1]}
 * Limits   PARTITIONS_MAX entries
 */
#include "source/kafka.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdlib.h>

static enum code object_parse(const char *option, const char *text, json_t **out, struct error *err)
{
    json_error_t problem;
    json_t *root = json_loads(text, JSON_REJECT_DUPLICATES, &problem);
    if (root == NULL)
        return fail(err, E_SPEC, "option %s must be JSON: %s at character %d", option, problem.text, problem.column);
    if (!json_is_object(root)) {
        json_decref(root);
        return fail(err, E_SPEC, "option %s must be a JSON object of topics", option);
    }
    *out = root;
    return E_OK;
}

static bool partition_number(const char *text, int32_t *out)
{
    char *end;
    long number = strtol(text, &end, 10);
    if (*text < '0' || *text > '9' || *end != '\0' || number < 0 || number > INT32_MAX)
        return false;
    *out = (int32_t)number;
    return true;
}

static enum code topic_offsets(const char *option, const char *topic, json_t *partitions, struct source_ranges *out,
                               struct error *err)
{
    const char *name;
    json_t *value;
    if (!json_is_object(partitions))
        return fail(err, E_SPEC, "option %s: topic %s needs an object like {\"0\":23}", option, topic);
    json_object_foreach(partitions, name, value)
    {
        int32_t partition;
        if (!partition_number(name, &partition))
            return fail(err, E_SPEC, "option %s: \"%s\" of topic %s is no partition number", option, name, topic);
        if (!json_is_integer(value) || json_integer_value(value) < OFFSET_EARLIEST)
            return fail(err, E_SPEC, "option %s: partition %s of topic %s needs a number; -1 means latest, -2 earliest",
                        option, name, topic);
        if (out->count == PARTITIONS_MAX)
            return fail(err, E_SPEC, "option %s names more than %d partitions", option, PARTITIONS_MAX);
        source_ranges_add(out, topic, partition)->from = json_integer_value(value);
    }
    return E_OK;
}

enum code kafka_offsets_parse(const char *option, const char *json, struct source_ranges *out, struct error *err)
{
    json_t *root, *partitions;
    const char *topic;
    enum code code = E_OK;
    TRY(object_parse(option, json, &root, err));
    json_object_foreach(root, topic, partitions) if (code == E_OK) code =
        topic_offsets(option, topic, partitions, out, err);
    json_decref(root);
    return code;
}

static enum code topic_assign(const char *topic, json_t *partitions, struct source_ranges *out, struct error *err)
{
    size_t i;
    json_t *value;
    if (!json_is_array(partitions))
        return fail(err, E_SPEC, "option assign: topic %s needs an array of partitions like [0,1]", topic);
    json_array_foreach(partitions, i, value)
    {
        json_int_t number = json_is_integer(value) ? json_integer_value(value) : -1;
        if (number < 0 || number > INT32_MAX)
            return fail(err, E_SPEC, "option assign: entry %zu of topic %s is no partition number", i + 1, topic);
        if (out->count == PARTITIONS_MAX)
            return fail(err, E_SPEC, "option assign names more than %d partitions", PARTITIONS_MAX);
        if (source_ranges_find(out, topic, (int32_t)number) == NULL)
            source_ranges_add(out, topic, (int32_t)number);
    }
    return E_OK;
}

enum code kafka_assign_parse(const char *json, struct source_ranges *out, struct error *err)
{
    json_t *root, *partitions;
    const char *topic;
    enum code code = E_OK;
    TRY(object_parse("assign", json, &root, err));
    json_object_foreach(root, topic, partitions) if (code == E_OK) code = topic_assign(topic, partitions, out, err);
    json_decref(root);
    return code;
}

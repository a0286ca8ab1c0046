#include "lower/lower.h"

#include <strings.h>

enum join_type join_type_of(enum join_kind kind)
{
    static const enum join_type types[] = {
        [JOIN_INNER] = JOIN_TYPE_INNER, [JOIN_CROSS] = JOIN_TYPE_INNER, [JOIN_LEFT] = JOIN_TYPE_LEFT,
        [JOIN_RIGHT] = JOIN_TYPE_RIGHT, [JOIN_FULL] = JOIN_TYPE_FULL,   [JOIN_SEMI] = JOIN_TYPE_SEMI,
        [JOIN_ANTI] = JOIN_TYPE_ANTI,
    };
    return types[kind];
}

struct lookup_spec lookup_spec_of(const struct plan *plan, int32_t hashed, enum join_type type)
{
    const struct plan_join *j = &plan->join;
    int32_t sought = 1 - hashed;
    return (struct lookup_spec){
        .type = type,
        .stream_schema = plan->inputs[sought]->schema,
        .still_schema = plan->inputs[hashed]->schema,
        .stream_keys = j->sides[sought].keys,
        .still_keys = j->sides[hashed].keys,
        .key_count = j->key_count,
        .null_safe = j->null_safe,
        .null_aware = j->null_aware,
        .stream_only = j->sides[sought].only,
        .still_only = j->sides[hashed].only,
        .condition = j->condition,
        .still_first = hashed == 0,
        .schema = plan->schema,
    };
}

struct generate_spec generate_spec_of(const struct plan *plan)
{
    static const enum generate_kind kinds[] = {[GENERATE_EXPLODE] = EXPLODE,
                                               [GENERATE_POSEXPLODE] = POSEXPLODE,
                                               [GENERATE_INLINE] = INLINE,
                                               [GENERATE_STACK] = STACK};
    return (struct generate_spec){
        .kind = kinds[plan->generate.kind],
        .outer = plan->generate.outer,
        .args = plan->generate.args,
        .arg_count = plan->generate.arg_count,
        .generated = plan->generate.generated,
        .keep = plan->generate.keep,
        .schema = plan->schema,
    };
}

struct decoder_spec decoder_spec_of(const struct plan *plan, const struct zone *zone)
{
    const struct plan_decode *d = &plan->decode;
    return (struct decoder_spec){
        .schema = d->schema,
        .needed = d->needed,
        .mode = d->mode != NULL && strcasecmp(d->mode, "FAILFAST") == 0 ? DECODE_FAILFAST : DECODE_PERMISSIVE,
        .corrupt_column = d->corrupt_column,
        .zone = zone,
        .simd = -1,
        .option_names = d->option_names,
        .option_values = d->option_values,
        .option_count = d->option_count,
        .exact_texts = d->exact_texts,
    };
}

/* produce.h - send generated records to a topic, fast, and say what was sent.
 *
 * In       a generator, a topic, a count or until SIGINT, a rate or as fast as it goes
 * Out      records with the generator's keys, placed by murmur2 as Java producers do; a progress
 *          line on a terminal; the summary on stderr
 * Topic    created when it is absent; an existing one is used as it is
 * Once     the producer is idempotent: a repeated request does not repeat records. Any record that
 *          cannot be delivered makes the run fail
 * Thread   one, and librdkafka's own. One is enough: a record costs about 0.12 us to make and 0.3
 *          us to hand over
 */
#ifndef CLI_PRODUCE_H
#define CLI_PRODUCE_H

#include "cli/cli.h"
#include "source/source.h"

struct produce_request {
    struct generator_spec generator;
    const char *bootstrap, *topic;
    const char *compression;
    int64_t count;         /* 0 = until SIGINT */
    int64_t rate;          /* records per second; 0 = as fast as it goes */
    int64_t partitions;    /* of a new topic */
    struct strings client; /* NAME=VALUE of Java's client options */
};
MUST_CHECK enum code produce(const struct produce_request *request, struct error *err);

#endif

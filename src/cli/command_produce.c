/* command_produce.c - `leat produce`: flags to a request. */
#include "cli/produce.h"

#include <strings.h>

#include "base/os.h"
#include "base/text_number.h"

struct produce_flags {
    const char *bootstrap, *topic;
    int64_t count, rate, seed, keys, partitions;
    const char *bad_ratio, *late_ratio, *speed;
    int64_t late_max_us, event_rate;
    const char *start;
    int compression;
    struct strings client;
};
#define AT(field) offsetof(struct produce_flags, field)

static const struct option produce_options[] = {
    {.name = "bootstrap",
     .kind = OPTION_STRING,
     .initial = "127.0.0.1:9092",
     .help = "brokers, host:port, separated by commas",
     .offset = AT(bootstrap)},
    {.name = "topic",
     .kind = OPTION_STRING,
     .help = "default: the kind's name; created when absent",
     .offset = AT(topic)},
    {.name = "count", .kind = OPTION_INT, .initial = "0", .help = "records; 0 = until Ctrl-C", .offset = AT(count)},
    {.name = "rate",
     .kind = OPTION_INT,
     .initial = "0",
     .help = "records per second; 0 = as fast as it goes",
     .offset = AT(rate)},
    {.name = "seed", .kind = OPTION_INT, .initial = "1", .help = "same seed, same records", .offset = AT(seed)},
    {.name = "keys",
     .kind = OPTION_INT,
     .initial = "100000",
     .min = 1,
     .max = 100000000,
     .help = "distinct cards, sources or stores",
     .offset = AT(keys)},
    {.name = "bad-ratio",
     .kind = OPTION_STRING,
     .initial = "0",
     .help = "share of defective records, 0 to 1",
     .offset = AT(bad_ratio)},
    {.name = "late-ratio",
     .kind = OPTION_STRING,
     .initial = "0",
     .help = "share of late records, 0 to 1",
     .offset = AT(late_ratio)},
    {.name = "late-max",
     .kind = OPTION_DURATION,
     .initial = "10 minutes",
     .help = "how late a late record is at most",
     .offset = AT(late_max_us)},
    {.name = "start",
     .kind = OPTION_STRING,
     .initial = "2026-01-01T00:00:00Z",
     .help = "event time of the first record, or now",
     .offset = AT(start)},
    {.name = "event-rate",
     .kind = OPTION_INT,
     .initial = "0",
     .help = "records per second of event time; default: --rate (or 1000) / --speed",
     .offset = AT(event_rate)},
    {.name = "speed",
     .kind = OPTION_STRING,
     .initial = "1",
     .help = "how many times faster than the clock event time runs",
     .offset = AT(speed)},
    {.name = "partitions",
     .kind = OPTION_INT,
     .initial = "4",
     .min = 1,
     .max = 10000,
     .help = "of a topic that has to be created",
     .offset = AT(partitions)},
    {.name = "compression",
     .kind = OPTION_ENUM,
     .initial = "none",
     .choices = "none|gzip|snappy|lz4|zstd",
     .help = "of record batches",
     .offset = AT(compression)},
    {.name = "client",
     .kind = OPTION_STRING,
     .choices = "*",
     .help = "NAME=VALUE of the Kafka client, like security.protocol=SASL_SSL; repeatable",
     .offset = AT(client)},
    {0},
};
static const char *const compressions[] = {"none", "gzip", "snappy", "lz4",
                                           "zstd"}; /* ORDER of --compression's choices */
enum { EVENT_RATE_DEFAULT = 1000 };

static enum code number(const char *flag, const char *text, double *out, struct error *err)
{
    const char *end = text + strlen(text);
    if (parse_double(text, end, out) != end || text == end)
        return fail(err, E_USAGE, "--%s %s is not a number", flag, text);
    return E_OK;
}

static enum code start_time(const char *text, int64_t *out_us, struct error *err)
{
    if (strcasecmp(text, "now") == 0) {
        *out_us = os->clock_wall_us();
        return E_OK;
    }
    if (!timestamp_parse(bytes_of_string(text), zone_utc(), out_us))
        return fail(err, E_USAGE, "--start %s is no time like 2026-01-01T00:00:00Z", text);
    return E_OK;
}

static enum code request_of(const struct command_line *line, struct produce_request *out, struct error *err)
{
    const struct produce_flags *flags = line->settings;
    double bad_ratio, late_ratio, speed;
    int64_t start_us;
    TRY(number("bad-ratio", flags->bad_ratio, &bad_ratio, err));
    TRY(number("late-ratio", flags->late_ratio, &late_ratio, err));
    TRY(number("speed", flags->speed, &speed, err));
    TRY(start_time(flags->start, &start_us, err));
    if (!(speed > 0))
        return fail(err, E_USAGE, "--speed %s must be more than 0", flags->speed);
    double per_second = (double)(flags->rate > 0 ? flags->rate : EVENT_RATE_DEFAULT) / speed;
    *out = (struct produce_request){
        .generator = {.kind = line->arguments[0],
                      .seed = (uint64_t)flags->seed,
                      .keys = flags->keys,
                      .bad_ratio = bad_ratio,
                      .late_ratio = late_ratio,
                      .start_us = start_us,
                      .late_max_us = flags->late_max_us,
                      .events_per_second = flags->event_rate > 0 ? (double)flags->event_rate : per_second},
        .bootstrap = flags->bootstrap,
        .topic = flags->topic == NULL ? line->arguments[0] : flags->topic,
        .compression = compressions[flags->compression],
        .count = flags->count,
        .rate = flags->rate,
        .partitions = flags->partitions,
        .client = flags->client,
    };
    return E_OK;
}

static int produce_run(const struct command_line *line)
{
    struct produce_request request;
    struct error err = {0};
    if (request_of(line, &request, &err) != E_OK || produce(&request, &err) != E_OK)
        return report(&err);
    return EXIT_OK;
}

const struct command produce_command = {
    .name = "produce",
    .arguments = "KIND",
    .help = "send plausible records to a topic: transactions, events, invoices, nexmark, impressions or clicks",
    .examples =
        "  leat produce transactions --count 1000000\n"
        "  leat produce transactions --rate 5000 --speed 60 --bad-ratio 0.005 --late-ratio 0.01\n"
        "  leat produce invoices --topic invoices --count 10000 --keys 50 --seed 7\n"
        "  leat produce events --bootstrap broker:9093 --client security.protocol=SASL_SSL --client sasl.mechanism=PLAIN \\\n"
        "       --client sasl.username=me --client sasl.password=\"$PASSWORD\"\n",
    .notes =
        "Event time of record i is start + i / event-rate. With --rate 1000 --speed 60 an hour of event time passes in a\n"
        "minute. Click i is on impression i: give both topics the same --count and --event-rate. Defects of transactions: malformed, missing_txn_id, missing_event_ts, missing_card_id, bad_amount.\n",
    .options = produce_options,
    .size = sizeof(struct produce_flags),
    .arguments_min = 1,
    .arguments_max = 1,
    .run = produce_run,
};

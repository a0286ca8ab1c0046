/* latency.c - how long a record takes from a producer's send to a read_committed consumer, for ./dev bench latency.
 *
 *   latency BOOTSTRAP IN OUT RATE SECONDS WARM_UP
 *
 * One thread sends RATE records a second to topic IN, each with the time of its sending in its value; the other reads topic
 * OUT, where something in between puts a record with the same text at_us":<microseconds> for each of them. IN = OUT is the
 * limit: nothing in between. Records sent in the first WARM_UP seconds are not counted. The answer is a line of JSON.
 *
 * One process, one clock. Buckets of 10 us up to 10 s, so that nothing is sorted or kept.
 */
#define _GNU_SOURCE // memmem
#include <librdkafka/rdkafka.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { BUCKET_US = 10, BUCKETS = 1000000, CHUNK = 2000, QUIET_US = 10 * 1000 * 1000, TICK_US = 1000 };

static const char *bootstrap, *topic_in, *topic_out;
static int64_t rate, seconds, warm_up;
static int64_t buckets[BUCKETS + 1];
static atomic_int_fast64_t sent, counted_from_us, failures;

static int64_t now_us(void)
{
    struct timespec t;
    clock_gettime(CLOCK_REALTIME, &t);
    return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

static rd_kafka_conf_t *conf_new(const char *const pairs[][2])
{
    char text[256];
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    for (; (*pairs)[0] != NULL; pairs++)
        if (rd_kafka_conf_set(conf, (*pairs)[0], (*pairs)[1], text, sizeof text) != RD_KAFKA_CONF_OK) {
            fprintf(stderr, "%s\n", text);
            exit(1);
        }
    return conf;
}

static void on_delivery(rd_kafka_t *client, const rd_kafka_message_t *message, void *opaque)
{
    (void)client, (void)opaque;
    failures += message->err != 0;
}

/* Every millisecond what is due by then: sending waits for nothing but the clock. */
static void *produce(void *unused)
{
    (void)unused;
    const char *const pairs[][2] = {{"bootstrap.servers", bootstrap},
                                    {"linger.ms", "1"},
                                    {"socket.nagle.disable", "true"},
                                    {"acks", "1"},
                                    {"queue.buffering.max.messages", "1000000"},
                                    {NULL, NULL}};
    char text[256];
    rd_kafka_conf_t *conf = conf_new(pairs);
    rd_kafka_conf_set_dr_msg_cb(conf, on_delivery);
    rd_kafka_t *client = rd_kafka_new(RD_KAFKA_PRODUCER, conf, text, sizeof text);
    rd_kafka_topic_t *topic = rd_kafka_topic_new(client, topic_in, NULL);
    const struct rd_kafka_metadata *metadata;
    if (rd_kafka_metadata(client, 0, topic, &metadata, 10000) == 0)
        rd_kafka_metadata_destroy(metadata);
    int64_t start_us = now_us(), count = 0;
    counted_from_us = start_us + warm_up * 1000000;
    for (int64_t at_us; (at_us = now_us()) < start_us + seconds * 1000000;) {
        for (int64_t due = (at_us - start_us) * rate / 1000000; count < due; count++) {
            int size = snprintf(text, sizeof text,
                                "{\"id\":%lld,\"at_us\":%lld,\"card\":\"card-%06lld\",\"amount\":\"%lld.%02lld\","
                                "\"kind\":\"payment\"}",
                                (long long)count, (long long)now_us(), (long long)(count * 7919 % 100000),
                                (long long)(count % 500), (long long)(count % 100));
            while (rd_kafka_produce(topic, RD_KAFKA_PARTITION_UA, RD_KAFKA_MSG_F_COPY, text, (size_t)size, NULL, 0,
                                    NULL) != 0)
                rd_kafka_poll(client, 1);
        }
        rd_kafka_poll(client, 0);
        struct timespec nap = {0, TICK_US * 1000};
        nanosleep(&nap, NULL);
    }
    rd_kafka_flush(client, 30000);
    sent = count;
    rd_kafka_topic_destroy(topic);
    rd_kafka_destroy(client);
    return NULL;
}

static int64_t at_of(const rd_kafka_message_t *message)
{
    static const char key[] = "at_us\":";
    const char *found = memmem(message->payload, message->len, key, sizeof key - 1);
    return found == NULL ? 0 : strtoll(found + sizeof key - 1, NULL, 10);
}

static int64_t quantile_us(int64_t count, double q)
{
    int64_t rank = (int64_t)((double)count * q), seen = 0;
    for (int i = 0; i <= BUCKETS; i++)
        if ((seen += buckets[i]) > rank)
            return (int64_t)i * BUCKET_US;
    return (int64_t)BUCKETS * BUCKET_US;
}

int main(int argc, char **argv)
{
    if (argc != 7)
        return fprintf(stderr, "latency BOOTSTRAP IN OUT RATE SECONDS WARM_UP\n"), 2;
    bootstrap = argv[1], topic_in = argv[2], topic_out = argv[3];
    rate = strtoll(argv[4], NULL, 10), seconds = strtoll(argv[5], NULL, 10), warm_up = strtoll(argv[6], NULL, 10);
    const char *const pairs[][2] = {{"bootstrap.servers", bootstrap},
                                    {"group.id", "latency"},
                                    {"isolation.level", "read_committed"},
                                    {"socket.nagle.disable", "true"},
                                    {"enable.auto.commit", "false"},
                                    {"fetch.wait.max.ms", "20"},
                                    {"queued.min.messages", "1000000"},
                                    {"fetch.error.backoff.ms", "5"},
                                    {"topic.metadata.refresh.interval.ms", "-1"},
                                    {NULL, NULL}};
    char text[256];
    rd_kafka_t *client = rd_kafka_new(RD_KAFKA_CONSUMER, conf_new(pairs), text, sizeof text);
    rd_kafka_topic_t *topic = rd_kafka_topic_new(client, topic_out, NULL);
    rd_kafka_queue_t *queue = rd_kafka_queue_new(client);
    const struct rd_kafka_metadata *metadata;
    if (rd_kafka_metadata(client, 0, topic, &metadata, 10000) != 0 || metadata->topics[0].partition_cnt == 0)
        return fprintf(stderr, "topic %s is not there\n", topic_out), 1;
    for (int32_t p = 0; p < metadata->topics[0].partition_cnt; p++)
        rd_kafka_consume_start_queue(topic, p, RD_KAFKA_OFFSET_END, queue);
    struct timespec settle = {1, 0};
    nanosleep(&settle, NULL);
    pthread_t producer;
    pthread_create(&producer, NULL, produce, NULL);

    static rd_kafka_message_t *messages[CHUNK];
    int64_t received = 0, counted = 0, largest_us = 0, last_us = now_us();
    double sum_us = 0;
    while ((sent == 0 || received < sent) && now_us() - last_us < QUIET_US) {
        ssize_t count = rd_kafka_consume_batch_queue(queue, 5, messages, CHUNK);
        int64_t at_us = now_us();
        for (ssize_t i = 0; i < count; i++) {
            int64_t from_us = messages[i]->err == 0 ? at_of(messages[i]) : 0;
            rd_kafka_message_destroy(messages[i]);
            if (from_us == 0)
                continue;
            received++;
            last_us = at_us;
            if (from_us < counted_from_us)
                continue;
            int64_t wait_us = at_us > from_us ? at_us - from_us : 0;
            buckets[wait_us / BUCKET_US < BUCKETS ? wait_us / BUCKET_US : BUCKETS]++;
            largest_us = wait_us > largest_us ? wait_us : largest_us;
            sum_us += (double)wait_us;
            counted++;
        }
    }
    pthread_join(producer, NULL);
    printf(
        "{\"sent\": %lld, \"received\": %lld, \"failures\": %lld, \"counted\": %lld, \"mean_ms\": %.2f, \"p50_ms\": %.2f, "
        "\"p95_ms\": %.2f, \"p99_ms\": %.2f, \"p999_ms\": %.2f, \"max_ms\": %.2f}\n",
        (long long)sent, (long long)received, (long long)failures, (long long)counted,
        counted > 0 ? sum_us / (double)counted / 1e3 : 0.0, (double)quantile_us(counted, 0.5) / 1e3,
        (double)quantile_us(counted, 0.95) / 1e3, (double)quantile_us(counted, 0.99) / 1e3,
        (double)quantile_us(counted, 0.999) / 1e3, (double)largest_us / 1e3);
    return received == sent ? 0 : 1;
}

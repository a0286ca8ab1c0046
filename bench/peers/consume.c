/* consume.c - how fast librdkafka alone can read a topic: the ceiling that leat is measured
 * against.
 *
 * Use      consume BOOTSTRAP TOPIC     reads every partition from its start to the end it had at
 * the start Prints   one JSON line: records, bytes, seconds, records_per_s, cpu_s (user + system,
 * all threads) Build    cc -O2 -o consume consume.c $(pkg-config --cflags --libs rdkafka)
 */
#include <inttypes.h>
#include <librdkafka/rdkafka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

enum { BATCH = 10000, POLL_MS = 10, ANSWER_MS = 10000, SILENCE_MAX = 3000 };

struct total {
    int64_t records, bytes;
};

static void die(const char *what, const char *why)
{
    fprintf(stderr, "consume: %s: %s\n", what, why);
    exit(1);
}

static double clock_s(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static double cpu_s(void)
{
    struct rusage u;
    getrusage(RUSAGE_SELF, &u);
    return (double)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) + (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec) * 1e-6;
}

static rd_kafka_t *consumer_new(const char *bootstrap)
{
    static const char *const options[][2] = {
        {"group.id", "bench-consume"},          {"enable.auto.commit", "false"},
        {"enable.partition.eof", "true"},       {"queued.max.messages.kbytes", "262144"},
        {"queued.min.messages", "1000000"},     {"fetch.max.bytes", "67108864"},
        {"fetch.message.max.bytes", "8388608"},
    };
    char text[256];
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    rd_kafka_conf_set(conf, "bootstrap.servers", bootstrap, text, sizeof text);
    for (size_t i = 0; i < sizeof options / sizeof options[0]; i++)
        if (rd_kafka_conf_set(conf, options[i][0], options[i][1], text, sizeof text) != RD_KAFKA_CONF_OK)
            die(options[i][0], text);
    rd_kafka_t *kafka = rd_kafka_new(RD_KAFKA_CONSUMER, conf, text, sizeof text);
    if (kafka == NULL)
        die("librdkafka", text);
    rd_kafka_poll_set_consumer(kafka);
    return kafka;
}

/* Assigns all partitions of the topic from their start; the number of partitions. */
static int assign(rd_kafka_t *kafka, const char *topic_name)
{
    const struct rd_kafka_metadata *metadata;
    rd_kafka_topic_t *topic = rd_kafka_topic_new(kafka, topic_name, NULL);
    rd_kafka_resp_err_t code = rd_kafka_metadata(kafka, 0, topic, &metadata, ANSWER_MS);
    if (code != RD_KAFKA_RESP_ERR_NO_ERROR)
        die(topic_name, rd_kafka_err2str(code));
    int count = metadata->topics[0].partition_cnt;
    if (count == 0)
        die(topic_name, "no such topic");
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(count);
    for (int i = 0; i < count; i++)
        rd_kafka_topic_partition_list_add(list, topic_name, i)->offset = RD_KAFKA_OFFSET_BEGINNING;
    code = rd_kafka_assign(kafka, list);
    if (code != RD_KAFKA_RESP_ERR_NO_ERROR)
        die("assign", rd_kafka_err2str(code));
    rd_kafka_topic_partition_list_destroy(list);
    rd_kafka_metadata_destroy(metadata);
    rd_kafka_topic_destroy(topic);
    return count;
}

/* Reads until each partition has said once that it is at its end. */
static struct total drain(rd_kafka_t *kafka, int partitions)
{
    static rd_kafka_message_t *batch[BATCH];
    rd_kafka_queue_t *queue = rd_kafka_queue_get_consumer(kafka);
    struct total total = {0, 0};
    int silent = 0;
    while (partitions > 0) {
        ssize_t count = rd_kafka_consume_batch_queue(queue, POLL_MS, batch, BATCH);
        silent = count > 0 ? 0 : silent + 1;
        if (silent == SILENCE_MAX)
            die("consume", "no answer from the broker");
        for (ssize_t i = 0; i < count; i++) {
            if (batch[i]->err == RD_KAFKA_RESP_ERR__PARTITION_EOF) {
                partitions--;
            } else if (batch[i]->err != RD_KAFKA_RESP_ERR_NO_ERROR) {
                die("consume", rd_kafka_message_errstr(batch[i]));
            } else {
                total.records++;
                total.bytes += (int64_t)batch[i]->len;
            }
            rd_kafka_message_destroy(batch[i]);
        }
    }
    rd_kafka_queue_destroy(queue);
    return total;
}

int main(int argc, char **argv)
{
    if (argc != 3)
        die("usage", "consume BOOTSTRAP TOPIC");
    rd_kafka_t *kafka = consumer_new(argv[1]);
    double start = clock_s();
    int partitions = assign(kafka, argv[2]);
    struct total total = drain(kafka, partitions);
    double seconds = clock_s() - start;
    printf("{\"records\": %" PRId64 ", \"bytes\": %" PRId64 ", \"seconds\": %.3f, \"records_per_s\": %.0f, "
           "\"cpu_s\": %.3f}\n",
           total.records, total.bytes, seconds, (double)total.records / seconds, cpu_s());
    rd_kafka_consumer_close(kafka);
    rd_kafka_destroy(kafka);
    return 0;
}

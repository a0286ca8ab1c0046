/* kafka_read.c - how fast the Kafka source alone reads a topic to its end: records/s, and CPU of
 * the fetching thread. Use: kafka_read BOOTSTRAP TOPIC [buffer size, default 128m] [ns of
 * pretended work per record, default 0] */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>

#include "base/os.h"
#include "base/thread.h"
#include "source/source.h"

static void die(const struct error *err)
{
    fprintf(stderr, "kafka_read: %s\n", err->text);
    exit(1);
}

static double cpu_s(void)
{
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
           (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
}

static void work(int64_t wait_us)
{
    int64_t end_us = os->clock_mono_us() + wait_us;
    while (os->clock_mono_us() < end_us)
        ;
}

int main(int argc, char **argv)
{
    struct error err = {0};
    if (argc < 3)
        return 2;
    int64_t buffer = 128 << 20, work_ns = argc > 4 ? atoll(argv[4]) : 0;
    if (argc > 3 && parse_size(argv[3], &buffer, &err) != E_OK)
        die(&err);
    const char *names[] = {"kafka.bootstrap.servers", "subscribe", "startingOffsets"};
    const char *values[] = {argv[1], argv[2], "earliest"};
    const struct source_spec spec = {.name = "bench",
                                     .option_names = names,
                                     .option_values = values,
                                     .option_count = 3,
                                     .needed = {[SOURCE_KEY] = true,
                                                [SOURCE_VALUE] = true,
                                                [SOURCE_TOPIC] = true,
                                                [SOURCE_PARTITION] = true,
                                                [SOURCE_OFFSET] = true,
                                                [SOURCE_TIMESTAMP] = true},
                                     .group_id = "leat-bench",
                                     .buffer_bytes = buffer};
    const struct source_type *type = source_find("kafka");
    void *source = mem_zero(type->size);
    struct source_ranges known = {0}, ranges = {0};
    if (type->open(source, &spec, &err) != E_OK || type->discover(source, &known, &ranges, &err) != E_OK)
        die(&err);
    source_plan(&ranges, 0);
    int64_t start_us = os->clock_mono_us(), cpu_us = thread_cpu_us(), rows = 0, bytes = 0, batches = 0, gap_us = 0,
            last_us = start_us;
    if (type->seek(source, &ranges, &err) != E_OK)
        die(&err);
    for (bool done = false; !done;) {
        struct batch batch;
        if (type->fetch(source, &ranges, 1000000, &batch, &done, &err) != E_OK)
            die(&err);
        rows += batch.rows;
        batches++;
        bytes += batch.rows > 0 ? (int64_t)batch.columns[SOURCE_VALUE].values->size : 0;
        int64_t now_us = os->clock_mono_us();
        gap_us = batches > 1 && now_us - last_us > gap_us ? now_us - last_us : gap_us;
        if (work_ns > 0)
            work(batch.rows * work_ns / 1000);
        last_us = os->clock_mono_us();
        batch_release(&batch);
    }
    double seconds = (double)(os->clock_mono_us() - start_us) / 1e6,
           thread_s = (double)(thread_cpu_us() - cpu_us) / 1e6;
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    printf("%" PRId64 " records, %.1f MB in %.2f s: %.0f records/s; %" PRId64
           " batches of %.0f; fetch thread %.0f ns a record, all "
           "threads %.0f; longest wait for a batch %.1f ms; peak %ld MB\n",
           rows, (double)bytes / 1e6, seconds, (double)rows / seconds, batches, (double)rows / (double)batches,
           thread_s * 1e9 / (double)rows, cpu_s() * 1e9 / (double)rows, (double)gap_us / 1e3, usage.ru_maxrss / 1024);
    type->close(source);
    mem_free(source);
    source_ranges_free(&ranges);
    return 0;
}

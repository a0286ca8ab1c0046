/* generate.c - nanoseconds per generated record. Use: generate [KIND [COUNT]] */
#include <stdio.h>
#include <stdlib.h>

#include "base/os.h"
#include "source/source.h"

int main(int argc, char **argv)
{
    struct error err = {0};
    struct generator *generator;
    struct text key = {0}, value = {0};
    int64_t count = argc > 2 ? atoll(argv[2]) : 2000000, bytes = 0;
    struct generator_spec spec = {.kind = argc > 1 ? argv[1] : "transactions",
                                  .seed = 1,
                                  .keys = 100000,
                                  .bad_ratio = 0.002,
                                  .late_ratio = 0.01,
                                  .start_us = 1767225600000000,
                                  .events_per_second = 1000,
                                  .late_max_us = 600000000};
    if (generator_new(&spec, &generator, &err) != E_OK) {
        fprintf(stderr, "%s\n", err.text);
        return 2;
    }
    int64_t start_us = os->clock_mono_us();
    for (int64_t i = 0; i < count; i++) {
        text_clear(&key);
        text_clear(&value);
        generator_record(generator, i, &key, &value);
        bytes += (int64_t)value.size;
    }
    double seconds = (double)(os->clock_mono_us() - start_us) / 1e6;
    printf("%s: %.1f ns a record, %.1f bytes a record, %s\n", spec.kind, seconds * 1e9 / (double)count,
           (double)bytes / (double)count, value.data);
    text_free(&key);
    text_free(&value);
    generator_free(generator);
    return 0;
}

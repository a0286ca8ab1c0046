/* Option texts of the Kafka source: login configuration, offsets and assignments in JSON. */
#include "source/kafka.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena arena = {0};
    struct error err = {0};
    struct jaas jaas;
    struct source_ranges ranges = {0};
    const char *text = arena_strndup(&arena, (const char *)data, size);
    if (jaas_parse(text, &arena, &jaas, &err) == E_OK)
        always(jaas.module != NULL);
    if (kafka_offsets_parse("startingOffsets", text, &ranges, &err) == E_OK)
        for (int32_t i = 0; i < ranges.count; i++)
            always(ranges.items[i].partition >= 0 && ranges.items[i].from >= OFFSET_EARLIEST);
    source_ranges_free(&ranges);
    if (kafka_assign_parse(text, &ranges, &err) == E_OK)
        always(ranges.count <= PARTITIONS_MAX);
    source_ranges_free(&ranges);
    arena_free(&arena);
    return 0;
}

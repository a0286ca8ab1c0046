/* Whatever we compress, libsnappy gives back. */
#include <snappy-c.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "format/snappy_encode.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct snappy_table table;
    uint8_t *out = mem_alloc(snappy_bound(size));
    char *back = mem_alloc(size + 1);
    size_t got = size + 1;
    size_t packed = snappy_encode(&table, data, size, out);
    if (snappy_uncompress((const char *)out, packed, back, &got) != SNAPPY_OK || got != size)
        abort();
    if (size > 0 && memcmp(back, data, size) != 0)
        abort();
    mem_free(out);
    mem_free(back);
    return 0;
}

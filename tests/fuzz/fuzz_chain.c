/* Commit records and sink tokens are read back after a crash: any bytes must end in a record or a clean
 * error, and a record that was read must print and read again. */
#include <stdlib.h>

#include "runtime/chain.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena arena = {0};
    struct error err = {0};
    struct chain_record record, again;
    struct text text = {0};
    if (chain_record_parse(bytes_of(data, size), &arena, &record, &err) == E_OK) {
        chain_record_print(&record, &text);
        if (chain_record_parse(text_view(&text), &arena, &again, &err) != E_OK || again.epoch != record.epoch ||
            again.sink_count != record.sink_count)
            abort();
    }
    text_free(&text);
    arena_free(&arena);
    return 0;
}

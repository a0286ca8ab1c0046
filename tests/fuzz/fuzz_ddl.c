/* Schema texts come from users and options: any bytes must end in a type or in an error with a position
 * inside. */
#include <stdlib.h>

#include "data/data.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena arena = {0};
    struct error err = {0};
    struct text text = {0};
    const struct type *type;
    size_t position = 0;
    if (type_parse_ddl(&arena, bytes_of(data, size), &type, &position, &err) == E_OK)
        type_print(type, &text);
    else if (position > size)
        abort();
    text_free(&text);
    arena_free(&arena);
    return 0;
}

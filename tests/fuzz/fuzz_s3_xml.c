/* Bytes are an answer of an S3 server: read whole or refused; paths and text stay within their limits. */
#include <stdint.h>
#include <stdlib.h>

#include "store/s3_xml.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void see(void *context, const char *path, struct bytes text)
{
    size_t *seen = context;
    always(strlen(path) < XML_PATH_MAX && path[0] != '\0');
    for (size_t i = 0; i < text.size; i++)
        *seen += text.data[i];
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct error err = {0};
    size_t seen = 0;
    enum code code = xml_walk(bytes_of(data, size), see, &seen, &err);
    always(code == E_OK || code == E_CORRUPT);
    return 0;
}

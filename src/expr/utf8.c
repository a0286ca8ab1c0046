#include "expr/utf8.h"

uint32_t utf8_decode(struct bytes text, size_t at, size_t *size)
{
    static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    uint8_t first = text.data[at];
    size_t want = first < 0x80 ? 1 : first < 0xc2 ? 0 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : first < 0xf5 ? 4 : 0;
    *size = 1;
    if (want == 1)
        return first;
    if (want == 0 || want > text.size - at)
        return 0xfffd;
    uint32_t code = first & (0xffu >> (want + 1));
    for (size_t k = 1; k < want; k++) {
        if ((text.data[at + k] & 0xc0) != 0x80)
            return 0xfffd;
        code = code << 6 | (text.data[at + k] & 0x3fu);
    }
    if (code < least[want] || code > 0x10ffff || (code >= 0xd800 && code < 0xe000))
        return 0xfffd;
    *size = want;
    return code;
}

size_t utf8_encode(uint32_t code, uint8_t out[4])
{
    if (code < 0x80) {
        out[0] = (uint8_t)code;
        return 1;
    }
    size_t size = code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
    for (size_t k = size; k-- > 1; code >>= 6)
        out[k] = (uint8_t)(0x80 | (code & 0x3f));
    out[0] = (uint8_t)((0xf00u >> size) | code);
    return size;
}

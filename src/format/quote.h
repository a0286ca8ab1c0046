/* quote.h - the byte loops of writing text formats: is quoting needed, and copying with escapes.
 *
 * In       texts that may be read 32 bytes past their end, as the values of columns may
 * Two of   each loop has a form for any machine and one for x86-64 with the right instructions;
 *          quoter_init chooses
 * Thread   any
 */
#ifndef FORMAT_QUOTE_H
#define FORMAT_QUOTE_H

#include "base/bytes.h"

struct quoter {
    uint8_t separator, quote, escape;
    /* Does the text hold a separator's first byte, a quote or a line end? */
    bool (*needs_quotes)(const struct quoter *self, const uint8_t *text, size_t size);
    /* Is it all printable ASCII? */
    bool (*is_plain)(const uint8_t *text, size_t size);
    /* Copy with `escape` in front of each quote and escape; out has room for 2 * size + 16 bytes.
     * Returns the end. */
    char *(*copy_escaped)(const struct quoter *self, const uint8_t *text, size_t size, char *out);
};
/* simd 0: the form for any machine (tests); -1: the best there is. */
void quoter_init(struct quoter *self, char separator, char quote, char escape, int simd);

/* Copy of a short text in one move; out has room for size + 32 bytes. */
static inline char *quote_copy(const uint8_t *text, size_t size, char *out)
{
    if (size <= 32)
        memcpy(out, text, 32);
    else
        memcpy(out, text, size);
    return out + size;
}

#endif

/* csv_quote.h - the two byte loops of writing CSV: is quoting needed, and quoting.
 *
 * Both have a form for any machine and one for x86-64 with the right instructions, chosen once by csv_quoter_init.
 * Thread   any
 */
#ifndef FORMAT_CSV_QUOTE_H
#define FORMAT_CSV_QUOTE_H

#include "base/bytes.h"

struct csv_quoter {
    uint8_t separator, quote, escape;
    /* Does the text hold a separator's first byte, a quote or a line end? */
    bool (*needs_quotes)(const struct csv_quoter *self, const uint8_t *text, size_t size);
    /* Copy with `escape` in front of each quote and escape; out has room for 2 * size + 16 bytes. Returns the end. */
    char *(*copy_escaped)(const struct csv_quoter *self, const uint8_t *text, size_t size, char *out);
};
/* simd 0: the form for any machine (tests); -1: the best there is. */
void csv_quoter_init(struct csv_quoter *self, char separator, char quote, char escape, int simd);

#endif

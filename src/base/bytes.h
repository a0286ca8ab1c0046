/* bytes.h - a borrowed run of bytes, and a growing one.
 *
 * struct bytes   a view: never NUL terminated, never owned; {NULL, 0} is empty
 * struct text    a growing byte string with a ceiling. Invariant: when data is not NULL,
 *                data[size] is 0, so data is also a C string. Zeroed = empty, without ceiling
 * Take           text_take() moves the memory out (free it with mem_free) and leaves the text empty
 * Fails          passing the ceiling sets `overflow` and drops what does not fit; check it once at the end
 * Thread         one at a time
 */
#ifndef BASE_BYTES_H
#define BASE_BYTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/error.h"
#include "base/memory.h"

struct bytes {
    const uint8_t *data;
    size_t size;
};
static inline struct bytes bytes_of(const void *data, size_t size)
{
    return (struct bytes){(const uint8_t *)data, size};
}
static inline struct bytes bytes_of_string(const char *string)
{
    return (struct bytes){(const uint8_t *)string, strlen(string)};
}
static inline bool bytes_equal(struct bytes a, struct bytes b)
{
    return a.size == b.size && (a.size == 0 || memcmp(a.data, b.data, a.size) == 0);
}
static inline bool bytes_equal_string(struct bytes a, const char *b) { return bytes_equal(a, bytes_of_string(b)); }

struct text {
    char *data;
    size_t size, capacity;
    size_t limit;  /* most bytes it may hold; 0 = no ceiling */
    bool overflow; /* something was dropped at the ceiling */
};
/* Make room for `more` bytes behind data[size] and return that place; size is the caller's to raise. */
char *text_reserve(struct text *text, size_t more);
void text_add(struct text *text, const void *data, size_t size);
void text_add_string(struct text *text, const char *string);
void text_add_char(struct text *text, char c);
void text_printf(struct text *text, const char *format, ...) PRINTF(2, 3);
void text_clear(struct text *text);            /* keeps the memory */
void text_cut(struct text *text, size_t size); /* down to its first `size` bytes; it has as many */
void text_free(struct text *text);
char *text_take(struct text *text); /* never NULL */
static inline struct bytes text_view(const struct text *text) { return bytes_of(text->data, text->size); }

/* As a JSON string, quotes included; bytes are copied as they are. */
void text_add_json(struct text *text, struct bytes string);
/* Without the white space (isspace) at both ends. */
struct bytes bytes_trim(struct bytes bytes);

/* Distance of two words (Damerau-Levenshtein, case ignored), for "did you mean". */
int edit_distance(const char *a, const char *b);
/* The candidate nearest to `word` when it is near enough to be a typing slip, else NULL. */
const char *nearest_word(const char *word, const char *const *candidates, size_t count);

#endif

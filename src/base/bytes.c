#include "base/bytes.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>

char *text_reserve(struct text *text, size_t more)
{
    size_t need = text->size + more + 1;
    if (need > text->capacity) {
        size_t capacity = text->capacity * 2 > need ? text->capacity * 2 : need + 32;
        text->data = mem_resize(text->data, capacity);
        text->capacity = capacity;
        text->data[text->size] = '\0';
    }
    return text->data + text->size;
}

void text_add(struct text *text, const void *data, size_t size)
{
    if (text->limit != 0 && text->size + size > text->limit) {
        text->overflow = true;
        size = text->limit > text->size ? text->limit - text->size : 0;
    }
    char *at = text_reserve(text, size);
    if (size > 0)
        memcpy(at, data, size);
    text->size += size;
    text->data[text->size] = '\0';
}

void text_add_string(struct text *text, const char *string) { text_add(text, string, strlen(string)); }

void text_add_char(struct text *text, char c) { text_add(text, &c, 1); }

void text_add_json(struct text *text, struct bytes string)
{
    text_add_char(text, '"');
    for (size_t i = 0; i < string.size; i++) {
        uint8_t c = string.data[i];
        if (c == '"' || c == '\\')
            text_printf(text, "\\%c", c);
        else if (c < 0x20)
            text_printf(text, "\\u%04x", c);
        else
            text_add_char(text, (char)c);
    }
    text_add_char(text, '"');
}

struct bytes bytes_trim(struct bytes bytes)
{
    while (bytes.size > 0 && isspace(bytes.data[0]))
        bytes = bytes_of(bytes.data + 1, bytes.size - 1);
    while (bytes.size > 0 && isspace(bytes.data[bytes.size - 1]))
        bytes.size--;
    return bytes;
}

void text_printf(struct text *text, const char *format, ...)
{
    va_list args, again;
    va_start(args, format);
    va_copy(again, args);
    int size = vsnprintf(NULL, 0, format, args);
    va_end(args);
    if (size > 0 && text->limit != 0 && text->size + (size_t)size > text->limit) {
        text->overflow = true;
    } else if (size > 0) {
        vsnprintf(text_reserve(text, (size_t)size), (size_t)size + 1, format, again);
        text->size += (size_t)size;
    }
    va_end(again);
}

void text_cut(struct text *text, size_t size)
{
    always(size <= text->size);
    text->size = size;
    if (text->data != NULL)
        text->data[size] = '\0';
}

void text_clear(struct text *text)
{
    text->size = 0;
    text->overflow = false;
    if (text->data != NULL)
        text->data[0] = '\0';
}

void text_free(struct text *text)
{
    mem_free(text->data);
    *text = (struct text){.limit = text->limit};
}

char *text_take(struct text *text)
{
    text_reserve(text, 0);
    char *data = text->data;
    *text = (struct text){.limit = text->limit};
    return data;
}

enum { WORD_MAX = 64 };

int edit_distance(const char *a, const char *b)
{
    size_t a_size = strlen(a), b_size = strlen(b);
    if (a_size >= WORD_MAX || b_size >= WORD_MAX)
        return WORD_MAX;
    int rows[3][WORD_MAX + 1]; // the last two rows and the current one, used in turn
    for (size_t j = 0; j <= b_size; j++)
        rows[0][j] = (int)j;
    for (size_t i = 1; i <= a_size; i++) {
        int *now = rows[i % 3], *last = rows[(i + 2) % 3], *before = rows[(i + 1) % 3];
        now[0] = (int)i;
        for (size_t j = 1; j <= b_size; j++) {
            int ca = tolower((unsigned char)a[i - 1]), cb = tolower((unsigned char)b[j - 1]);
            int best = last[j - 1] + (ca != cb);
            best = last[j] + 1 < best ? last[j] + 1 : best;
            best = now[j - 1] + 1 < best ? now[j - 1] + 1 : best;
            if (i > 1 && j > 1 && ca == tolower((unsigned char)b[j - 2]) && cb == tolower((unsigned char)a[i - 2]) &&
                before[j - 2] + 1 < best)
                best = before[j - 2] + 1;
            now[j] = best;
        }
    }
    return rows[a_size % 3][b_size];
}

const char *nearest_word(const char *word, const char *const *candidates, size_t count)
{
    const char *best = NULL;
    int best_distance = WORD_MAX;
    for (size_t i = 0; i < count; i++) {
        int distance = edit_distance(word, candidates[i]);
        if (distance < best_distance) {
            best_distance = distance;
            best = candidates[i];
        }
    }
    int allowed = (int)(strlen(word) + 2) / 3;
    return best_distance <= (allowed < 4 ? allowed : 4) ? best : NULL;
}

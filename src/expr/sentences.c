/* sentences.c - a text as sentences of words.
 *
 * Words      are runs of letters and digits. Between two letters stand ' " . _ and hyphens, between two digits ' " . and ,
 *            A number takes the % & or the like behind it; with a . # or the sign of a currency in front it is no word.
 *            These are the rules of Java's BreakIterator
 * Sentences  end at . ! ? behind which, after blanks, something else than a small letter follows, and at the ideographic stop
 */
#include <ctype.h>

#include "expr/function.h"
#include "expr/utf8.h"

static bool is_digit(uint32_t c) { return c < 0x80 && isdigit((int)c); }
static bool is_hyphen(uint32_t c) { return c == '-' || c == 0xad || (c >= 0x2010 && c <= 0x2015); }
static bool is_percent(uint32_t c)
{
    return c == '%' || c == '&' || c == 0xa2 || c == 0x2030 || c == 0x2031 || c == 0x66a;
}

static bool is_word_char(uint32_t c)
{
    if (c < 0x80)
        return isalnum((int)c);
    bool symbol = (c >= 0x20a0 && c <= 0x20cf) || (c >= 0x2190 && c <= 0x2bff) || (c >= 0x1f000 && c <= 0x1faff);
    return c >= 0xc0 && !symbol && !is_percent(c) && !(c >= 0x2000 && c <= 0x206f) && !(c >= 0x3000 && c <= 0x303f) &&
           !(c >= 0xff00 && c <= 0xff0f) && !(c >= 0xff1a && c <= 0xff20);
}

/* In front of a number. */
static bool is_prefix(uint32_t c)
{
    return c == '.' || c == '#' || c == '$' || (c >= 0xa3 && c <= 0xa5) || (c >= 0x20a0 && c <= 0x20cf);
}

static bool is_stop(uint32_t c)
{
    return c == '.' || c == '!' || c == '?' || c == 0x3002 || c == 0xff01 || c == 0xff1f;
}

/* The character behind the one at `at`; 0 at the end. */
static uint32_t next_char(struct bytes text, size_t at)
{
    size_t next = at + utf8_size(text.data[at], text.size - at), size;
    return next < text.size ? utf8_decode(text, next, &size) : 0;
}

/* Whether the character between two others holds them together. */
static bool joins(uint32_t before, uint32_t c, uint32_t after)
{
    if (is_digit(before) && is_digit(after))
        return c == '.' || c == ',' || c == '\'' || c == '"';
    bool letters = is_word_char(before) && is_word_char(after) && !is_digit(before) && !is_digit(after);
    return letters && (c == '.' || c == '\'' || c == '"' || c == '_' || c == 0x2019 || is_hyphen(c));
}

/* Behind a stop: whether a new sentence begins, or the text ends. Stops that follow one another are one. */
static bool sentence_ends(struct bytes text, size_t at, uint32_t stop)
{
    size_t next = at, size;
    while (next < text.size && isspace(text.data[next]))
        next++;
    if (next == text.size)
        return true;
    uint32_t c = utf8_decode(text, next, &size);
    if (next == at && is_stop(c))
        return false;
    return stop != '.' || (next > at && !is_stop(c) && c != '-' && !(c < 0x80 && islower((int)c)));
}

struct word {
    size_t start;
    bool inside;
    bool hidden; /* begins with what is neither letter nor digit: not shown */
    bool closed; /* nothing goes behind its last character */
    uint32_t before;
};

static void word_end(struct word *self, struct bytes text, size_t at, struct builder *words)
{
    if (self->inside && !self->hidden)
        builder_bytes(words, bytes_of(text.data + self->start, at - self->start));
    self->inside = self->hidden = self->closed = false;
}

/* Whether the character belongs to the word, or begins one. */
static bool word_takes(struct word *self, struct bytes text, size_t at, uint32_t c, struct builder *words)
{
    if (self->inside && is_digit(self->before) && is_percent(c)) {
        self->closed = true;
        return true;
    }
    uint32_t after = next_char(text, at);
    bool part = is_word_char(c) || (self->inside && joins(self->before, c, after));
    bool prefix = !part && is_prefix(c) && is_digit(after);
    if (prefix)
        word_end(self, text, at, words);
    if ((part || prefix) && !self->inside)
        *self = (struct word){.start = at, .inside = true, .hidden = prefix};
    return part || prefix;
}

static void split_sentences(struct bytes text, struct builder *sentences)
{
    struct builder *words = &sentences->children[0];
    struct word word = {0};
    bool none = true, open = false; // open: a sentence has begun, be it of words or not
    for (size_t at = 0, size = 1; at <= text.size; at += size) {
        bool end = at == text.size;
        uint32_t c = end ? 0 : utf8_decode(text, at, &size);
        if (word.closed)
            word_end(&word, text, at, words);
        bool taken = !end && word_takes(&word, text, at, c, words);
        if (!taken)
            word_end(&word, text, at, words);
        word.before = c;
        open = open || (!end && !(c < 0x80 && isspace((int)c)));
        if (open && (end || (is_stop(c) && !taken && sentence_ends(text, at + size, c)))) {
            builder_close_list(sentences);
            open = none = false;
        }
        size = end ? 1 : size;
    }
    if (none && text.size > 0) // one sentence without words
        builder_close_list(sentences);
}

static enum code bind_sentences(struct binding *binding, __attribute__((unused)) struct error *err)
{
    struct arena *arena = binding->ctx->arena;
    binding->type = type_array(arena, type_array(arena, type_of(TYPE_STRING), false), false);
    binding->nullable = binding->args[0]->nullable;
    return E_OK;
}

SCALAR(fn_sentences, "sentences", "(string, string?, string?) -> any",
       "The words of a text, sentence by sentence; language and country make no difference.",
       "sentences('Hi there! Good morning.')", "[[\"Hi\",\"there\"],[\"Good\",\"morning\"]]", .bind = bind_sentences,
       .flags = FN_NULLS)
{
    struct builder builder;
    builder_init(&builder, out->type);
    for (int64_t i = 0; i < call->rows; i++) {
        if (column_is_null(args[0].col, i * args[0].step)) {
            builder_null(&builder);
            continue;
        }
        split_sentences(arg_bytes(&args[0], i), &builder.children[0]);
        builder_close_list(&builder);
    }
    builder_finish(&builder, out);
    builder_release(&builder);
}

const struct function *const sentence_functions[] = {&fn_sentences, NULL};

/* sentences.c - a text as sentences of words.
 *
 * Words      are runs of letters and digits, and _ ' . , between two of them: as the rules of Unicode (UAX 29) have it for
 *            Latin text, of which Java's BreakIterator is an implementation
 * Sentences  end at . ! ? behind which, after blanks, something else than a small letter follows, and at the ideographic stop
 */
#include <ctype.h>

#include "expr/function.h"
#include "expr/utf8.h"

static bool is_word_char(uint32_t c)
{
    if (c < 0x80)
        return isalnum((int)c) || c == '_';
    bool symbol = (c >= 0x2190 && c <= 0x2bff) || (c >= 0x1f000 && c <= 0x1faff);
    return c >= 0xc0 && !symbol && !(c >= 0x2000 && c <= 0x206f) && !(c >= 0x3000 && c <= 0x303f) &&
           !(c >= 0xff00 && c <= 0xff0f) && !(c >= 0xff1a && c <= 0xff20);
}

static bool is_stop(uint32_t c)
{
    return c == '.' || c == '!' || c == '?' || c == 0x3002 || c == 0xff01 || c == 0xff1f;
}

/* Whether the character at `at`, between two of a word, belongs to it. */
static bool joins(struct bytes text, size_t at, uint32_t before, uint32_t c)
{
    size_t size;
    if ((c != '\'' && c != '.' && c != ',' && c != 0x2019) || at + 1 >= text.size)
        return false;
    size_t own = utf8_size(text.data[at], text.size - at);
    if (at + own >= text.size)
        return false;
    uint32_t after = utf8_decode(text, at + own, &size);
    bool numbers = before < 0x80 && after < 0x80 && isdigit((int)before) && isdigit((int)after);
    bool letters = is_word_char(before) && is_word_char(after) && !(before < 0x80 && isdigit((int)before)) &&
                   !(after < 0x80 && isdigit((int)after));
    return c == ',' ? numbers : c == '.' ? numbers || letters : letters;
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

static void split_sentences(struct bytes text, struct builder *sentences)
{
    struct builder *words = &sentences->children[0];
    size_t start = 0, at = 0, size;
    bool inside = false, none = true, open = false; // open: a sentence has begun, be it of words or not
    uint32_t before = 0;
    for (; at <= text.size; at += size) {
        uint32_t c = at < text.size ? utf8_decode(text, at, &size) : 0;
        if (at == text.size)
            size = 1;
        bool part = at < text.size && (is_word_char(c) || (inside && joins(text, at, before, c)));
        if (part && !inside)
            start = at;
        if (!part && inside)
            builder_bytes(words, bytes_of(text.data + start, at - start));
        open = open || (at < text.size && !(c < 0x80 && isspace((int)c)));
        inside = part;
        before = c;
        if (open && (at == text.size || (is_stop(c) && !part && sentence_ends(text, at + size, c)))) {
            builder_close_list(sentences);
            open = none = false;
        }
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

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
    return c >= 0xc0 && !(c >= 0x2000 && c <= 0x206f) && !(c >= 0x3000 && c <= 0x303f) &&
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

/* Behind a stop: whether a new sentence begins. */
static bool sentence_ends(struct bytes text, size_t at, uint32_t stop)
{
    bool blank = false;
    for (; at < text.size; at++) {
        uint8_t c = text.data[at];
        if (isspace(c)) {
            blank = true;
            continue;
        }
        if (stop != '.')
            return true;
        return blank && !(c < 0x80 && islower(c));
    }
    return true;
}

static void split_sentences(struct bytes text, struct builder *sentences)
{
    struct builder *words = &sentences->children[0];
    int64_t count = 0;
    size_t start = 0, at = 0, size;
    bool inside = false, none = true;
    uint32_t before = 0;
    for (; at <= text.size; at += size) {
        uint32_t c = at < text.size ? utf8_decode(text, at, &size) : 0;
        if (at == text.size)
            size = 1;
        bool part = at < text.size && (is_word_char(c) || (inside && joins(text, at, before, c)));
        if (part && !inside)
            start = at;
        if (!part && inside) {
            builder_bytes(words, bytes_of(text.data + start, at - start));
            count++;
        }
        inside = part;
        before = c;
        if (count > 0 && (at == text.size || (is_stop(c) && !part && sentence_ends(text, at + size, c)))) {
            builder_close_list(sentences);
            count = 0;
            none = false;
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

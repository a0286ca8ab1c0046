/* day_word.c - constant texts that are words for days: CAST('today' AS DATE) follows the batch, as current_date() does. */
#include "expr/function.h"

enum day_word { WORD_EPOCH, WORD_NOW, WORD_YESTERDAY, WORD_TODAY, WORD_TOMORROW, WORDS };

static enum day_word word_of(struct bytes text)
{
    static const char *const words[WORDS] = {"epoch", "now", "yesterday", "today", "tomorrow"};
    enum day_word word = WORD_EPOCH;
    while (word < WORDS &&
           (text.size != strlen(words[word]) || strncasecmp(words[word], (const char *)text.data, text.size) != 0))
        word++;
    return word;
}

const struct expr *day_word_cast(struct expr_context *ctx, const struct expr *of, const struct type *to)
{
    bool day = to->id == TYPE_DATE || to->id == TYPE_TIMESTAMP || to->id == TYPE_TIMESTAMP_NTZ;
    if (!day || of->kind != EXPR_LITERAL || of->type->id != TYPE_STRING || literal_is_null(of))
        return NULL;
    enum day_word word = word_of(bytes_trim(literal_bytes(of)));
    if (word == WORDS)
        return NULL;
    if (word == WORD_EPOCH)
        return expr_int(ctx, to, 0, of->at);
    struct error ignored = {0};
    const struct expr *found;
    const char *name = word == WORD_NOW ? "current_timestamp" : "current_date";
    if (expr_call(ctx, name, NULL, 0, of->at, &found, &ignored) != E_OK)
        return NULL;
    const struct expr *sum[] = {found, expr_int(ctx, type_of(TYPE_INT32), (int)word - WORD_TODAY, of->at)};
    if (word != WORD_NOW && expr_call(ctx, "date_add", sum, 2, of->at, &found, &ignored) != E_OK)
        return NULL;
    return expr_cast_implicit(ctx, found, to);
}

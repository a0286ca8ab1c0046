#include "sql/lex.h"

#include <ctype.h>
#include <strings.h>

#include "sql/sql.h"

static const char *const keyword_texts[KW_COUNT] = {"",
#define X(word) #word,
                                                    KEYWORDS(X)
#undef X
};

const char *keyword_text(enum keyword keyword) { return keyword_texts[keyword]; }

const char *keyword_nearest(const char *word) { return nearest_word(word, keyword_texts + 1, KW_COUNT - 1); }

struct lexer {
    struct arena *arena;
    struct bytes text;
    const char *file;
    uint32_t at;
    int32_t line, column;
    struct token *tokens;
    int32_t count, capacity;
    int32_t types_open; /* words ARRAY, MAP and STRUCT whose `>` has not come */
    struct position *fail_at;
    struct error *err;
};

static int peek(const struct lexer *self, uint32_t ahead)
{
    size_t at = (size_t)self->at + ahead;
    return at < self->text.size ? self->text.data[at] : -1;
}

/* Move over one byte. Only first bytes of UTF-8 characters count as columns. */
static void step(struct lexer *self)
{
    uint8_t byte = self->text.data[self->at++];
    if (byte == '\n') {
        self->line++;
        self->column = 1;
    } else if ((byte & 0xc0) != 0x80) {
        self->column++;
    }
}

static void skip(struct lexer *self, uint32_t count)
{
    while (count-- > 0 && self->at < self->text.size)
        step(self);
}

static struct position here(const struct lexer *self, int32_t length)
{
    return (struct position){self->file, self->line, self->column, length};
}

static bool word_byte(int c) { return c >= 0x80 || isalnum(c) || c == '_'; }

/* ---- comments and blanks ---- */

static void skip_line_comment(struct lexer *self)
{
    while (self->at < self->text.size && peek(self, 0) != '\n')
        step(self);
}

static enum code skip_block_comment(struct lexer *self)
{
    struct position start = here(self, 2);
    int depth = 0;
    do {
        if (peek(self, 0) == '/' && peek(self, 1) == '*') {
            depth++;
            skip(self, 2);
        } else if (peek(self, 0) == '*' && peek(self, 1) == '/') {
            depth--;
            skip(self, 2);
        } else if (self->at >= self->text.size) {
            *self->fail_at = start;
            return fail(self->err, E_SQL,
                        "[UNCLOSED_BRACKETED_COMMENT] Found an unclosed bracketed comment; "
                        "append */ at the end of the comment");
        } else {
            step(self);
        }
    } while (depth > 0);
    return E_OK;
}

static enum code skip_blanks(struct lexer *self)
{
    for (;;) {
        int c = peek(self, 0);
        if (c == '-' && peek(self, 1) == '-')
            skip_line_comment(self);
        else if (c == '/' && peek(self, 1) == '*')
            TRY(skip_block_comment(self));
        else if (c == ' ' || (c >= '\t' && c <= '\r'))
            step(self);
        else if (c == 0xc2 && peek(self, 1) == 0xa0) // no-break space, as pasted from documents
            skip(self, 2);
        else if (c == 0xef && peek(self, 1) == 0xbb && peek(self, 2) == 0xbf) // byte order mark
            skip(self, 3);
        else
            return E_OK;
    }
}

/* ---- tokens ---- */

static enum code scan_quoted(struct lexer *self, char quote, bool escapes)
{
    struct position start = here(self, 1);
    step(self);
    for (;;) {
        int c = peek(self, 0);
        if (c < 0) {
            *self->fail_at = start;
            return fail(self->err, E_SQL, "[PARSE_SYNTAX_ERROR] Syntax error at or near '%c': %s", quote,
                        quote == '`' ? "the quoted name has no end" : "the string has no end");
        }
        step(self);
        if (c == '\\' && escapes && peek(self, 0) >= 0)
            step(self);
        else if (c == quote && peek(self, 0) == quote && (escapes || quote == '`'))
            step(self);
        else if (c == quote)
            return E_OK;
    }
}

static bool scan_exponent(struct lexer *self)
{
    int c = peek(self, 0);
    if (c != 'e' && c != 'E')
        return false;
    uint32_t digits = peek(self, 1) == '+' || peek(self, 1) == '-' ? 2 : 1;
    if (!isdigit(peek(self, digits)))
        return false;
    skip(self, digits);
    while (isdigit(peek(self, 0)))
        step(self);
    return true;
}

static void scan_suffix(struct lexer *self)
{
    int c = toupper(peek(self, 0)), next = toupper(peek(self, 1));
    if (c == 'B' && next == 'D' && !word_byte(peek(self, 2)))
        skip(self, 2);
    else if (c > 0 && strchr("LSYDF", c) != NULL && !word_byte(peek(self, 1)))
        step(self);
}

/* A number, or a name that starts with digits (`1st`): the letter after the digits decides. */
static enum token_kind scan_number(struct lexer *self)
{
    while (isdigit(peek(self, 0)))
        step(self);
    bool fraction =
        peek(self, 0) == '.' && !(peek(self, 1) == '.' || (word_byte(peek(self, 1)) && !isdigit(peek(self, 1)) &&
                                                           strchr("eEdDfFbB", peek(self, 1)) == NULL));
    if (fraction) {
        step(self);
        while (isdigit(peek(self, 0)))
            step(self);
    }
    scan_exponent(self);
    scan_suffix(self);
    if (fraction || !word_byte(peek(self, 0)))
        return TOKEN_NUMBER;
    while (word_byte(peek(self, 0)))
        step(self);
    return TOKEN_WORD;
}

static enum keyword keyword_find(const uint8_t *word, size_t size)
{
    static const uint8_t longest = 13; // TBLPROPERTIES
    if (size > longest)
        return KW_NONE;
    int low = 1, high = KW_COUNT - 1; // KEYWORDS is in alphabetical order
    while (low <= high) {
        int middle = (low + high) / 2;
        const char *text = keyword_texts[middle];
        size_t i = 0;
        while (i < size && toupper(word[i]) == text[i])
            i++;
        int order = (i < size ? toupper(word[i]) : 0) - (unsigned char)text[i];
        if (order == 0)
            return (enum keyword)middle;
        if (order < 0)
            high = middle - 1;
        else
            low = middle + 1;
    }
    return KW_NONE;
}

static const struct {
    const char *text;
    size_t size;
} symbol_texts[SYM_COUNT] = {{"", 0},
#define X(name, text) {text, sizeof text - 1},
                             SYMBOLS(X)
#undef X
};

static enum symbol symbol_find(struct bytes rest)
{
    for (int i = 1; i < SYM_COUNT; i++)
        if (symbol_texts[i].size <= rest.size && memcmp(rest.data, symbol_texts[i].text, symbol_texts[i].size) == 0)
            return (enum symbol)i;
    return SYM_NONE;
}

/* Behind array, map or struct `>>` is the end of two types. Spark's lexer counts the words, whatever they stand for: so
 * array(1)[0] >> 1 is no expression. */
static enum symbol end_of_type(struct lexer *self, enum symbol symbol)
{
    if (self->types_open > 0 && (symbol == SYM_SHIFT_RIGHT || symbol == SYM_SHIFT_RIGHT_ZERO))
        symbol = SYM_GREATER;
    if (symbol == SYM_SEMICOLON)
        self->types_open = 0;
    self->types_open -= symbol == SYM_GREATER && self->types_open > 0;
    return symbol;
}

static bool starts_type(const struct lexer *self, const struct token *token)
{
    static const char *const words[] = {"array", "map", "struct"};
    const char *word = (const char *)self->text.data + token->start;
    size_t size = self->at - token->start;
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (size == strlen(words[i]) && strncasecmp(word, words[i], size) == 0)
            return true;
    return false;
}

static enum code scan_symbol(struct lexer *self, struct token *token)
{
    struct bytes rest = bytes_of(self->text.data + self->at, self->text.size - self->at);
    token->kind = TOKEN_SYMBOL;
    token->symbol = end_of_type(self, symbol_find(rest));
    if (token->symbol == SYM_NONE) {
        *self->fail_at = here(self, 1);
        return fail(self->err, E_SQL, "[PARSE_SYNTAX_ERROR] Syntax error at or near '%c': no such character in SQL",
                    isprint(rest.data[0]) ? rest.data[0] : '?');
    }
    skip(self, (uint32_t)symbol_texts[token->symbol].size);
    return E_OK;
}

static enum code scan_token(struct lexer *self, struct token *token)
{
    int c = peek(self, 0), next = peek(self, 1);
    if (c == '\'' || c == '"') {
        token->kind = TOKEN_STRING;
        return scan_quoted(self, (char)c, true);
    }
    if (c == '`') {
        token->kind = TOKEN_QUOTED;
        return scan_quoted(self, '`', false);
    }
    if ((c == 'r' || c == 'R') && (next == '\'' || next == '"')) {
        token->kind = TOKEN_STRING;
        step(self);
        return scan_quoted(self, (char)next, false);
    }
    if (isdigit(c) || (c == '.' && isdigit(next))) {
        token->kind = scan_number(self);
    } else if (word_byte(c)) {
        token->kind = TOKEN_WORD;
        while (word_byte(peek(self, 0)))
            step(self);
    } else {
        return scan_symbol(self, token);
    }
    if (token->kind == TOKEN_WORD) {
        token->keyword = keyword_find(self->text.data + token->start, self->at - token->start);
        self->types_open += starts_type(self, token);
    }
    return E_OK;
}

static void push(struct lexer *self, const struct token *token)
{
    if (self->count == self->capacity) {
        int32_t capacity = self->capacity * 2 + 64;
        struct token *tokens = arena_array(self->arena, struct token, (size_t)capacity);
        if (self->count > 0)
            memcpy(tokens, self->tokens, (size_t)self->count * sizeof *tokens);
        self->tokens = tokens;
        self->capacity = capacity;
    }
    self->tokens[self->count++] = *token;
}

static int32_t character_count(struct bytes text, uint32_t from, uint32_t to)
{
    int32_t count = 0;
    for (uint32_t i = from; i < to; i++)
        count += (text.data[i] & 0xc0) != 0x80;
    return count;
}

enum code lex_text(struct arena *arena, const char *file, struct bytes text, struct token **out, int32_t *count,
                   struct position *at, struct error *err)
{
    struct lexer self = {.arena = arena, .text = text, .file = file, .line = 1, .column = 1, .fail_at = at, .err = err};
    if (text.size > SQL_TEXT_MAX) {
        *at = here(&self, 1);
        return fail(err, E_SQL, "the text has %zu bytes, the most is SQL_TEXT_MAX = %d", text.size, SQL_TEXT_MAX);
    }
    for (;;) {
        TRY(skip_blanks(&self));
        struct token token = {.start = self.at, .line = self.line, .column = self.column};
        if (self.at < text.size)
            TRY(scan_token(&self, &token));
        token.end = self.at;
        token.length = character_count(text, token.start, token.end);
        push(&self, &token);
        if (token.kind == TOKEN_END)
            break;
    }
    *out = self.tokens;
    *count = self.count;
    return E_OK;
}

/* ---- values ---- */

void lex_double_quoted(struct bytes text, struct token *tokens, int32_t count)
{
    for (int32_t i = 0; i < count; i++)
        if (tokens[i].kind == TOKEN_STRING && text.data[tokens[i].start] == '"')
            tokens[i].kind = TOKEN_QUOTED;
}

char *lex_name_value(struct arena *arena, struct bytes text, const struct token *token)
{
    const char *start = (const char *)text.data + token->start;
    size_t size = token->end - token->start;
    if (token->kind != TOKEN_QUOTED)
        return arena_strndup(arena, start, size);
    char *name = arena_alloc(arena, size);
    size_t used = 0;
    for (size_t i = 1; i + 1 < size; i++) {
        name[used++] = start[i];
        if (start[i] == start[0])
            i++;
    }
    return name;
}

static uint8_t *put_utf8(uint8_t *to, uint32_t c)
{
    if (c < 0x80) {
        *to++ = (uint8_t)c;
    } else if (c < 0x800) {
        *to++ = (uint8_t)(0xc0 | c >> 6);
        *to++ = (uint8_t)(0x80 | (c & 0x3f));
    } else if (c < 0x10000) {
        *to++ = (uint8_t)(0xe0 | c >> 12);
        *to++ = (uint8_t)(0x80 | (c >> 6 & 0x3f));
        *to++ = (uint8_t)(0x80 | (c & 0x3f));
    } else {
        *to++ = (uint8_t)(0xf0 | (c >> 18 & 7));
        *to++ = (uint8_t)(0x80 | (c >> 12 & 0x3f));
        *to++ = (uint8_t)(0x80 | (c >> 6 & 0x3f));
        *to++ = (uint8_t)(0x80 | (c & 0x3f));
    }
    return to;
}

/* `count` digits of the base at `from`; false when they are not all there. */
static bool read_digits(const uint8_t *from, const uint8_t *end, int count, uint32_t base, uint32_t *out)
{
    if (end - from < count)
        return false;
    uint32_t value = 0;
    for (int i = 0; i < count; i++) {
        int c = tolower(from[i]);
        uint32_t digit = isdigit(c) ? (uint32_t)(c - '0') : c >= 'a' && c <= 'f' ? (uint32_t)(c - 'a' + 10) : 99;
        if (digit >= base)
            return false;
        value = value * base + digit;
    }
    *out = value;
    return true;
}

/* One escape: `from` is behind the backslash. Returns what follows it. */
static const uint8_t *unescape(const uint8_t *from, const uint8_t *end, uint8_t **to)
{
    static const char letters[] = "0bnrtZ", values[] = "\0\b\n\r\t\x1a";
    uint32_t code;
    if (*from == 'u' && read_digits(from + 1, end, 4, 16, &code)) {
        *to = put_utf8(*to, code);
        return from + 5;
    }
    if (*from == 'U' && read_digits(from + 1, end, 8, 16, &code) && code <= 0x10ffff) {
        *to = put_utf8(*to, code);
        return from + 9;
    }
    if ((*from == '0' || *from == '1') && read_digits(from, end, 3, 8, &code)) {
        *to = put_utf8(*to, code);
        return from + 3;
    }
    const char *letter = *from != '\0' ? strchr(letters, *from) : NULL;
    if (*from == '%' || *from == '_') // LIKE's own escapes keep their backslash
        *(*to)++ = '\\';
    *(*to)++ = letter != NULL ? (uint8_t)values[letter - letters] : *from;
    return from + 1;
}

struct bytes lex_string_value(struct arena *arena, struct bytes text, const struct token *token)
{
    const uint8_t *from = text.data + token->start, *end = text.data + token->end - 1;
    bool raw = *from == 'r' || *from == 'R';
    from += raw;
    uint8_t quote = *from++;
    uint8_t *out = arena_alloc(arena, (size_t)(end - from) + 1), *to = out;
    while (from < end) {
        if (*from == '\\' && !raw && from + 1 < end) {
            from = unescape(from + 1, end, &to);
            continue;
        }
        if (*from == quote && !raw)
            from++; // the first of a doubled quote
        *to++ = *from++;
    }
    return bytes_of(out, (size_t)(to - out));
}

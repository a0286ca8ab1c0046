/* lex.h - SQL text to tokens, Spark's way.
 *
 * In       one file's text (UTF-8), at most SQL_TEXT_MAX bytes
 * Out      an array of tokens that ends with TOKEN_END; comments, blanks and hints are gone
 * Shape    a word keeps its text and, when it is one of KEYWORDS, its number. No keyword is
 *          reserved here: the parser decides where a word may be a name
 * Units    offsets are bytes; lines and columns count from 1, columns in characters
 * Fails    E_SQL: a string, quoted name or comment without an end, or a character that SQL does not
 *          know
 * Owns     tokens live in the arena and point into the text by offset
 * Spec     Spark 4.2 SqlBaseLexer: '' inside '..' is a quote, "..": a string, r'..': raw, names may
 *          start with a digit
 */
#ifndef SQL_LEX_H
#define SQL_LEX_H

#include "base/bytes.h"
#include "expr/expr.h"

// clang-format off
#define KEYWORDS(X)                                                                                \
    X(ALL) X(AND) X(ANTI) X(ANY) X(APPLY) X(AS) X(ASC) X(AT) X(AUTO) X(BETWEEN) X(BUCKETS) X(BY)   \
    X(CASE) X(CAST) X(CDC) X(CHANGES) X(CLUSTER) X(COLLATE) X(COLUMNS) X(COMMENT) X(CONSTRAINT)    \
    X(CREATE) X(CROSS) X(CUBE) X(CURRENT) X(DAY) X(DAYS) X(DEFAULT) X(DELAY) X(DELETE) X(DESC)     \
    X(DISTINCT) X(DISTRIBUTE) X(DIV) X(DROP) X(ELSE) X(END) X(ESCAPE) X(EXCEPT) X(EXCLUDE)         \
    X(EXISTS) X(EXPECT) X(EXTEND) X(EXTRACT) X(FALSE) X(FILTER) X(FIRST) X(FLOW) X(FOLLOWING)      \
    X(FOR) X(FROM) X(FULL) X(GROUP) X(GROUPING) X(HAVING) X(IDENTIFIED) X(IDENTIFIER) X(IF)        \
    X(IGNORE) X(ILIKE) X(IN) X(INNER) X(INSERT) X(INTERSECT) X(INTERVAL) X(INTO) X(IS) X(JOIN)     \
    X(KEYS) X(LAST) X(LATERAL) X(LEFT) X(LIKE) X(LIMIT) X(LOCATION) X(MATERIALIZED) X(MINUS)       \
    X(NAME) X(NATURAL) X(NOT) X(NULL) X(NULLS) X(OF) X(OFFSET) X(ON) X(OR) X(ORDER) X(OUTER)       \
    X(OVER) X(OVERLAY) X(PARTITION) X(PARTITIONED) X(PIVOT) X(PLACING) X(POSITION) X(PRECEDING)    \
    X(QUALIFY) X(RANGE) X(RECURSIVE) X(REFRESH) X(REGEXP) X(RENAME) X(REPEATABLE) X(REPLACE)       \
    X(RESPECT) X(RIGHT) X(RLIKE) X(ROLLUP) X(ROW) X(ROWS) X(SCD) X(SELECT) X(SEMI) X(SEQUENCE)     \
    X(SET) X(SETS) X(SINK) X(SOME) X(SORT) X(STORED) X(STREAM) X(STREAMING) X(STRUCT) X(SUBSTR)    \
    X(SUBSTRING) X(TABLE) X(TABLESAMPLE) X(TBLPROPERTIES) X(TEMP) X(TEMPORARY) X(THEN)             \
    X(TIMESTAMPADD) X(TO) X(TRIM) X(TRUE) X(TRUNCATE) X(TRY_CAST) X(TYPE) X(UNBOUNDED) X(UNION)    \
    X(UNKNOWN) X(UNPIVOT) X(USE) X(USING) X(VALUES) X(VIEW) X(VIOLATION) X(WATERMARK) X(WHEN)      \
    X(WHERE) X(WINDOW) X(WITH) X(WITHIN) X(ZONE)
// clang-format on

enum keyword {
    KW_NONE,
#define X(word) KW_##word,
    KEYWORDS(X)
#undef X
        KW_COUNT
};

enum token_kind {
    TOKEN_END,
    TOKEN_WORD,   /* name or keyword */
    TOKEN_QUOTED, /* `name` */
    TOKEN_STRING, /* 'text', "text", r'text' */
    TOKEN_NUMBER, /* with its suffix */
    TOKEN_SYMBOL, /* operators and punctuation */
};
/* Operators and punctuation, longest first where one starts another. */
// clang-format off
#define SYMBOLS(X)                                                                                 \
    X(EQUAL_NULL_SAFE, "<=>") X(SHIFT_RIGHT_ZERO, ">>>") X(EQUAL_EQUAL, "==") X(NOT_EQUAL, "<>")   \
    X(BANG_EQUAL, "!=") X(LESS_EQUAL, "<=") X(GREATER_EQUAL, ">=") X(BANG_GREATER, "!>")           \
    X(BANG_LESS, "!<") X(SHIFT_LEFT, "<<") X(SHIFT_RIGHT, ">>") X(CONCAT, "||") X(PIPE_TO, "|>")   \
    X(ARROW, "->") X(FAT_ARROW, "=>") X(CAST_TO, "::") X(EQUAL, "=") X(LESS, "<") X(GREATER, ">")  \
    X(PLUS, "+") X(MINUS_SIGN, "-") X(STAR, "*") X(SLASH, "/") X(PERCENT, "%") X(TILDE, "~")       \
    X(AMPERSAND, "&") X(PIPE, "|") X(HAT, "^") X(COLON, ":") X(OPEN, "(") X(CLOSE, ")")          \
    X(OPEN_SQUARE, "[") X(CLOSE_SQUARE, "]") X(OPEN_CURLY, "{") X(CLOSE_CURLY, "}") X(COMMA, ",")  \
    X(DOT, ".") X(SEMICOLON, ";") X(QUESTION, "?") X(BANG, "!") X(AT_SIGN, "@")
// clang-format on

enum symbol {
    SYM_NONE,
#define X(name, text) SYM_##name,
    SYMBOLS(X)
#undef X
        SYM_COUNT
};

struct token {
    enum token_kind kind;
    enum keyword keyword; /* WORD, or KW_NONE */
    enum symbol symbol;   /* SYMBOL */
    uint32_t start, end;  /* bytes [start, end) of the text */
    int32_t line, column;
    int32_t length; /* characters */
};

/* `file` names the text in positions. On failure err holds "[CONDITION] text" and *at the place. */
MUST_CHECK enum code lex_text(struct arena *arena, const char *file, struct bytes text, struct token **out,
                              int32_t *count, struct position *at, struct error *err);
/* The value of a STRING token: quotes stripped, escapes replaced. */
struct bytes lex_string_value(struct arena *arena, struct bytes text, const struct token *token);
/* The name of a WORD or QUOTED token. */
/* Texts in double quotes become quoted names. */
void lex_double_quoted(struct bytes text, struct token *tokens, int32_t count);
char *lex_name_value(struct arena *arena, struct bytes text, const struct token *token);
const char *keyword_text(enum keyword keyword);
/* The keyword that the word was probably meant to be, or NULL. */
const char *keyword_nearest(const char *word);

#endif

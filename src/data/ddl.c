/* ddl.c - Spark's schema texts to types: "a INT, b STRUCT<c: STRING> NOT NULL", or one type: "ARRAY<INT>".
 *
 * Grammar  schema: field {, field}      field: name [:] type {NOT NULL | COMMENT 'text'}
 *          type: word [(n [, n])] | ARRAY<type> | MAP<type, type> | STRUCT<[field {, field}]>
 * Choice   as Spark does, the text is first read as one type and, when that fails, as a schema; the error
 *          told is the one of the reading that got further
 * Limits   DDL_DEPTH_MAX nested types, DDL_FIELDS_MAX fields of one struct
 */
#include <ctype.h>
#include <strings.h>

#include "base/memory.h"
#include "data/type.h"

enum { DDL_DEPTH_MAX = 64, DDL_FIELDS_MAX = 4096 };

struct ddl {
    struct arena *arena;
    struct bytes text;
    size_t at;
    int depth;
    struct error *err;
};

static enum code ddl_type(struct ddl *self, const struct type **out);

static int peek(const struct ddl *self) { return self->at < self->text.size ? self->text.data[self->at] : 0; }

static void skip_blanks(struct ddl *self)
{
    while (isspace(peek(self)))
        self->at++;
}

static bool take_char(struct ddl *self, char c)
{
    skip_blanks(self);
    if (peek(self) != c)
        return false;
    self->at++;
    return true;
}

static bool is_word(int c) { return isalnum(c) || c == '_'; }

/* The unquoted word at the place, without moving; empty when there is none. */
static struct bytes peek_word(struct ddl *self)
{
    skip_blanks(self);
    size_t end = self->at;
    while (end < self->text.size && is_word(self->text.data[end]))
        end++;
    return bytes_of(self->text.data + self->at, end - self->at);
}

static bool word_is(struct bytes word, const char *name)
{
    return word.size == strlen(name) && strncasecmp((const char *)word.data, name, word.size) == 0;
}

static bool take_word(struct ddl *self, const char *name)
{
    struct bytes word = peek_word(self);
    if (!word_is(word, name))
        return false;
    self->at += word.size;
    return true;
}

static enum code expected(struct ddl *self, const char *what)
{
    skip_blanks(self);
    if (self->at >= self->text.size)
        return fail(self->err, E_SQL, "schema: expected %s at the end", what);
    return fail(self->err, E_SQL, "schema: expected %s, found '%.*s'", what,
                (int)(self->text.size - self->at < 20 ? self->text.size - self->at : 20),
                (const char *)self->text.data + self->at);
}

static enum code need_char(struct ddl *self, char c)
{
    char what[] = {'\'', c, '\'', '\0'};
    return take_char(self, c) ? E_OK : expected(self, what);
}

/* `a``b` is the name a`b. */
static enum code quoted_name(struct ddl *self, const char **out)
{
    char *name = arena_alloc(self->arena, self->text.size - self->at + 1);
    size_t size = 0;
    self->at++;
    for (;;) {
        int c = peek(self);
        if (c == 0)
            return expected(self, "the end of the name in backquotes");
        self->at++;
        if (c == '`' && peek(self) != '`')
            break;
        self->at += c == '`';
        name[size++] = (char)c;
    }
    if (size == 0)
        return fail(self->err, E_SQL, "schema: the name in backquotes is empty");
    *out = name;
    return E_OK;
}

static enum code field_name(struct ddl *self, const char **out)
{
    skip_blanks(self);
    if (peek(self) == '`')
        return quoted_name(self, out);
    struct bytes word = peek_word(self);
    if (word.size == 0)
        return expected(self, "a column name");
    *out = arena_strndup(self->arena, (const char *)word.data, word.size);
    self->at += word.size;
    return E_OK;
}

/* 'text' or "text"; a doubled quote or a backslash takes the next byte as it is. */
static enum code skip_comment(struct ddl *self)
{
    skip_blanks(self);
    int quote = peek(self);
    if (quote != '\'' && quote != '"')
        return expected(self, "a text in quotes");
    for (self->at++; self->at < self->text.size; self->at++) {
        int c = peek(self);
        bool doubled = c == quote && self->at + 1 < self->text.size && self->text.data[self->at + 1] == quote;
        if (c == quote && !doubled) {
            self->at++;
            return E_OK;
        }
        self->at += doubled || (c == '\\' && self->at + 1 < self->text.size);
    }
    return expected(self, "the end of the comment");
}

static enum code ddl_field(struct ddl *self, struct field *out)
{
    struct field field = {.nullable = true};
    TRY(field_name(self, &field.name));
    take_char(self, ':');
    TRY(ddl_type(self, &field.type));
    for (;;) {
        if (take_word(self, "NOT")) {
            if (!take_word(self, "NULL"))
                return expected(self, "NULL");
            field.nullable = false;
        } else if (take_word(self, "COMMENT")) {
            TRY(skip_comment(self));
        } else {
            *out = field;
            return E_OK;
        }
    }
}

/* Fields up to `end` ('>', or 0 for the end of the text), which is not taken. */
static enum code ddl_fields(struct ddl *self, const struct type **out)
{
    struct field *fields = NULL;
    int32_t count = 0, capacity = 0;
    enum code code;
    do {
        mem_grow(fields, capacity, count + 1);
        code = count < DDL_FIELDS_MAX
                   ? ddl_field(self, &fields[count])
                   : fail(self->err, E_SQL, "schema: more than %d columns in one struct", DDL_FIELDS_MAX);
        count++;
    } while (code == E_OK && take_char(self, ','));
    if (code == E_OK)
        *out = type_struct(self->arena, fields, count);
    mem_free(fields);
    return code;
}

static enum code ddl_number(struct ddl *self, int most, int *out)
{
    struct bytes word = peek_word(self);
    int64_t number = 0;
    for (size_t i = 0; i < word.size; i++) {
        if (!isdigit(word.data[i]) || number > INT32_MAX / 10)
            return expected(self, "a number");
        number = number * 10 + (word.data[i] - '0');
    }
    if (word.size == 0)
        return expected(self, "a number");
    if (number > most)
        return fail(self->err, E_SQL, "schema: %lld is more than %d", (long long)number, most);
    self->at += word.size;
    *out = (int)number;
    return E_OK;
}

static enum code ddl_decimal(struct ddl *self, const struct type **out)
{
    int precision = 10, scale = 0;
    if (take_char(self, '(')) {
        TRY(ddl_number(self, 38, &precision));
        if (precision == 0)
            return fail(self->err, E_SQL, "schema: a decimal has at least 1 digit");
        if (take_char(self, ','))
            TRY(ddl_number(self, precision, &scale));
        TRY(need_char(self, ')'));
    }
    *out = type_decimal(self->arena, precision, scale);
    return E_OK;
}

/* CHAR(n) and VARCHAR(n) are read as STRING, as Spark does for schemas of files and from_json. */
static enum code ddl_char(struct ddl *self, const struct type **out)
{
    int length;
    TRY(need_char(self, '('));
    TRY(ddl_number(self, INT32_MAX, &length));
    TRY(need_char(self, ')'));
    *out = type_of(TYPE_STRING);
    return E_OK;
}

/* INTERVAL unit [TO unit]; the word INTERVAL is behind us. */
static enum code ddl_interval(struct ddl *self, const struct type **out)
{
    static const char *const units[] = {"YEAR", "MONTH", "DAY", "HOUR", "MINUTE", "SECOND"};
    int first = -1, last = -1;
    for (int i = 0; i < 6 && first < 0; i++)
        if (take_word(self, units[i]))
            first = last = i;
    if (first < 0) { // months, days and microseconds
        *out = type_of(TYPE_INTERVAL);
        return E_OK;
    }
    if (take_word(self, "TO")) {
        for (last = first + 1; last < 6; last++)
            if (take_word(self, units[last]))
                break;
        if (last == 6)
            return expected(self, "a smaller unit");
    }
    if ((first < 2) != (last < 2))
        return fail(self->err, E_SQL, "schema: an interval of months cannot hold days");
    *out = type_interval((enum interval_field)first, (enum interval_field)last);
    return E_OK;
}

/* TIME, TIME(p); the word is behind us. */
static enum code ddl_time(struct ddl *self, const struct type **out)
{
    int digits = 6;
    if (take_char(self, '(')) {
        TRY(ddl_number(self, 6, &digits));
        TRY(need_char(self, ')'));
    }
    *out = type_time(digits);
    return E_OK;
}

static enum code ddl_nested(struct ddl *self, enum type_id id, const struct type **out)
{
    const struct type *first, *second;
    TRY(need_char(self, '<'));
    if (id == TYPE_STRUCT) {
        skip_blanks(self);
        if (peek(self) == '>')
            *out = type_struct(self->arena, NULL, 0);
        else
            TRY(ddl_fields(self, out));
        return need_char(self, '>');
    }
    TRY(ddl_type(self, &first));
    if (id == TYPE_ARRAY) {
        *out = type_array(self->arena, first, true);
        return need_char(self, '>');
    }
    TRY(need_char(self, ','));
    TRY(ddl_type(self, &second));
    *out = type_map(self->arena, first, second, true);
    return need_char(self, '>');
}

static const struct {
    const char *name;
    enum type_id id;
} words[] = {
    {"BOOLEAN", TYPE_BOOLEAN},
    {"TINYINT", TYPE_INT8},
    {"BYTE", TYPE_INT8},
    {"SMALLINT", TYPE_INT16},
    {"SHORT", TYPE_INT16},
    {"INT", TYPE_INT32},
    {"INTEGER", TYPE_INT32},
    {"BIGINT", TYPE_INT64},
    {"LONG", TYPE_INT64},
    {"FLOAT", TYPE_FLOAT},
    {"REAL", TYPE_FLOAT},
    {"DOUBLE", TYPE_DOUBLE},
    {"DATE", TYPE_DATE},
    {"TIMESTAMP", TYPE_TIMESTAMP},
    {"TIMESTAMP_LTZ", TYPE_TIMESTAMP},
    {"TIMESTAMP_NTZ", TYPE_TIMESTAMP_NTZ},
    {"STRING", TYPE_STRING},
    {"BINARY", TYPE_BINARY},
    {"VOID", TYPE_NULL},
    {"ARRAY", TYPE_ARRAY},
    {"STRUCT", TYPE_STRUCT},
    {"MAP", TYPE_MAP},
    {"DECIMAL", TYPE_DECIMAL},
    {"DEC", TYPE_DECIMAL},
    {"NUMERIC", TYPE_DECIMAL},
    {"VARIANT", TYPE_VARIANT},
};

static enum code ddl_type_inside(struct ddl *self, const struct type **out)
{
    struct bytes word = peek_word(self);
    if (take_word(self, "TIME"))
        return ddl_time(self, out);
    if (take_word(self, "INTERVAL"))
        return ddl_interval(self, out);
    if (take_word(self, "CHAR") || take_word(self, "CHARACTER") || take_word(self, "VARCHAR"))
        return ddl_char(self, out);
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        if (!word_is(word, words[i].name))
            continue;
        self->at += word.size;
        if (words[i].id == TYPE_DECIMAL)
            return ddl_decimal(self, out);
        if (words[i].id >= TYPE_ARRAY && words[i].id <= TYPE_MAP)
            return ddl_nested(self, words[i].id, out);
        *out = type_of(words[i].id);
        return E_OK;
    }
    return expected(self, "a type");
}

static enum code ddl_type(struct ddl *self, const struct type **out)
{
    if (++self->depth > DDL_DEPTH_MAX)
        return fail(self->err, E_SQL, "schema: types are nested deeper than %d", DDL_DEPTH_MAX);
    TRY(ddl_type_inside(self, out));
    self->depth--;
    return E_OK;
}

static enum code ddl_end(struct ddl *self)
{
    skip_blanks(self);
    return self->at >= self->text.size ? E_OK : expected(self, "',' or the end");
}

enum code type_parse_ddl(struct arena *arena, struct bytes ddl, const struct type **out, size_t *position,
                         struct error *err)
{
    const struct type *type;
    struct error one_err = {0}, schema_err = {0};
    struct ddl one = {.arena = arena, .text = ddl, .err = &one_err};
    if (ddl_type(&one, &type) == E_OK && ddl_end(&one) == E_OK) {
        *out = type;
        return E_OK;
    }
    struct ddl schema = {.arena = arena, .text = ddl, .err = &schema_err};
    if (ddl_fields(&schema, &type) == E_OK && ddl_end(&schema) == E_OK) {
        *out = type;
        return E_OK;
    }
    bool one_further = one.at > schema.at;
    *position = one_further ? one.at : schema.at;
    *err = one_further ? one_err : schema_err;
    return err->code;
}

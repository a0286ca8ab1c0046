/* pattern.c - LIKE, and the functions of regular expressions (regex.h). A constant pattern is compiled when the call is
 * bound; one that differs from row to row is compiled for each row. */
#include "expr/coerce.h"
#include "expr/loop.h"
#include "expr/pick.h"
#include "expr/regex.h"
#include "expr/utf8.h"
#include "expr/writer.h"

#define INT_AT(k, i) (arg_values(&args[k], int32_t)[args[k].step * (i)])

/* ---- LIKE: a pattern as pieces between % ---- */

enum like_kind { LIKE_GENERAL, LIKE_EQUAL, LIKE_PREFIX, LIKE_SUFFIX, LIKE_CONTAINS };
/* Codes of the pattern; ANY_TEXT is %, ANY_CHAR is _. */
enum { ANY_TEXT = 0x110000, ANY_CHAR = 0x110001 };
struct like {
    enum like_kind kind;
    struct bytes literal; /* all but GENERAL */
    uint32_t *codes;
    int32_t count;
};

/* False when an escape stands before anything but % _ and itself, as Spark has it. */
static bool like_read(struct arena *arena, struct bytes pattern, uint32_t escape, struct like *out)
{
    out->codes = arena_array(arena, uint32_t, pattern.size + 1);
    for (size_t at = 0, size; at < pattern.size; at += size) {
        uint32_t c = utf8_decode(pattern, at, &size);
        if (c == escape) {
            at += size;
            if (at >= pattern.size)
                return false;
            c = utf8_decode(pattern, at, &size);
            if (c != '%' && c != '_' && c != escape)
                return false;
        } else if (c == '%' || c == '_') {
            c = c == '%' ? ANY_TEXT : ANY_CHAR;
        }
        out->codes[out->count++] = c;
    }
    return true;
}

/* 'text', 'text%', '%text' and '%text%' need no matcher. */
static void like_simplify(struct arena *arena, struct like *like)
{
    int32_t from = like->count > 0 && like->codes[0] == ANY_TEXT, to = like->count;
    bool open_end = to > from && like->codes[to - 1] == ANY_TEXT;
    uint8_t *bytes = arena_alloc(arena, (size_t)like->count * 4 + 1);
    size_t size = 0;
    to -= open_end;
    for (int32_t i = from; i < to; i++) {
        if (like->codes[i] >= ANY_TEXT)
            return;
        size += utf8_encode(like->codes[i], bytes + size);
    }
    like->literal = bytes_of(bytes, size);
    like->kind = from && open_end ? LIKE_CONTAINS : from ? LIKE_SUFFIX : open_end ? LIKE_PREFIX : LIKE_EQUAL;
}

/* On a mismatch behind a %, that % takes one character more: only the last % is ever tried again. */
static bool like_general(const struct like *like, struct bytes text)
{
    size_t at = 0, retry = 0, size;
    int32_t code = 0, star = -1;
    while (at < text.size) {
        uint32_t want = code < like->count ? like->codes[code] : 0;
        if (code < like->count && want == ANY_TEXT) {
            star = code++;
            retry = at;
            continue;
        }
        uint32_t c = utf8_decode(text, at, &size);
        if (code < like->count && (want == ANY_CHAR || want == c)) {
            code++;
            at += size;
        } else if (star >= 0) {
            utf8_decode(text, retry, &size);
            retry += size;
            at = retry;
            code = star + 1;
        } else {
            return false;
        }
    }
    while (code < like->count && like->codes[code] == ANY_TEXT)
        code++;
    return code == like->count;
}

static bool like_matches(const struct like *like, struct bytes text)
{
    size_t size = like->literal.size;
    switch (like->kind) {
    case LIKE_EQUAL: return bytes_equal(text, like->literal);
    case LIKE_PREFIX: return text.size >= size && (size == 0 || memcmp(text.data, like->literal.data, size) == 0);
    case LIKE_SUFFIX:
        return text.size >= size && (size == 0 || memcmp(text.data + text.size - size, like->literal.data, size) == 0);
    case LIKE_CONTAINS: return size == 0 || memmem(text.data, text.size, like->literal.data, size) != NULL;
    case LIKE_GENERAL: break;
    }
    return like_general(like, text);
}

static bool like_make(struct arena *arena, struct bytes pattern, uint32_t escape, const struct like **out)
{
    struct like *like = arena_new(arena, struct like);
    if (!like_read(arena, pattern, escape, like))
        return false;
    like_simplify(arena, like);
    *out = like;
    return true;
}

struct like_bound {
    const struct like *like; /* NULL: compiled per row */
    uint32_t escape;
};

static enum code bind_like(struct binding *binding, struct error *err)
{
    struct like_bound *bound = arena_new(binding->ctx->arena, struct like_bound);
    const struct expr *literal;
    bound->escape = '\\';
    binding->bound = bound;
    if (binding->count == 3) {
        TRY(binding_constant(binding, 2, &literal, err));
        if (literal_is_null(literal) || utf8_count(literal_bytes(literal)) != 1)
            return fail(err, E_SQL, "[INVALID_ESCAPE_CHAR] the escape of LIKE must be one character");
        size_t size;
        bound->escape = utf8_decode(literal_bytes(literal), 0, &size);
    }
    if (!expr_is_constant(binding->args[1]))
        return E_OK;
    TRY(binding_constant(binding, 1, &literal, err));
    if (!literal_is_null(literal) &&
        !like_make(binding->ctx->arena, literal_bytes(literal), bound->escape, &bound->like))
        return fail(err, E_SQL,
                    "[INVALID_FORMAT.ESC_IN_THE_MIDDLE] the escape of LIKE must stand before %%, _ or itself");
    return E_OK;
}

SCALAR(fn_like, "like", "(string, string, string?) -> boolean",
       "Whether the whole text fits a pattern: % is any text, _ any character, \\ takes the next one as it is.",
       "'Spark' LIKE '_park%'", "true", .bind = bind_like, .flags = FN_OPERATOR | FN_FAILS)
{
    const struct like_bound *bound = call->bound;
    struct arena arena = {0};
    if (bound->like != NULL) {
        TRUTH_LOOP(out->values->data, call->rows, (void)0, like_matches(bound->like, arg_bytes(&args[0], i)));
        return;
    }
    for (int64_t i = 0; i < call->rows; i++) {
        const struct like *like = NULL;
        arena_reset(&arena);
        if (!like_make(&arena, arg_bytes(&args[1], i), bound->escape, &like))
            call_reject(call, i, REJECT_ARGUMENT);
        bit_put(out->values->data, i, like != NULL && like_matches(like, arg_bytes(&args[0], i)));
    }
    arena_free(&arena);
}

static enum code bind_ilike(struct binding *binding, struct error *err)
{
    struct expr_context *ctx = binding->ctx;
    const struct expr *args[3] = {NULL, NULL, binding->count == 3 ? binding->args[2] : NULL};
    for (int32_t i = 0; i < 2; i++)
        TRY(expr_call(ctx, "lower", &binding->args[i], 1, binding->at, &args[i], err));
    return expr_call(ctx, "like", args, binding->count, binding->at, &binding->rewritten, err);
}
SCALAR_SAME(fn_ilike, "ilike", "(string, string, string?) -> boolean", "LIKE in any case.", "'Spark' ILIKE '_PARK%'",
            "true", .bind = bind_ilike, .flags = FN_OPERATOR);

/* ---- regular expressions: compiled once or per row ---- */

struct search {
    struct call *call;
    const struct arg *pattern;
    struct arena arena; /* of the row's own pattern */
    const struct regex *regex;
    struct regex_matcher *matcher;
    int64_t spans[2 * (REGEX_GROUPS_MAX + 1)];
};

static enum code bind_regex(struct binding *binding, struct error *err)
{
    const struct expr *literal;
    const struct regex *regex;
    if (!expr_is_constant(binding->args[1]))
        return E_OK;
    TRY(binding_constant(binding, 1, &literal, err));
    if (literal_is_null(literal))
        return E_OK;
    TRY(regex_compile(binding->ctx->arena, literal_bytes(literal), &regex, err));
    binding->bound = regex;
    return E_OK;
}

static void search_open(struct search *search, struct call *call, const struct arg *pattern)
{
    search->call = call;
    search->pattern = pattern;
    search->arena = (struct arena){0};
    search->regex = call->bound;
    search->matcher = call->bound != NULL ? regex_matcher_new(call->bound) : NULL;
}

/* False when the row has no pattern that can be used; it is rejected then. */
static bool search_row(struct search *search, int64_t row)
{
    struct error ignored;
    if (search->call->bound != NULL)
        return true;
    regex_matcher_free(search->matcher);
    search->matcher = NULL;
    arena_reset(&search->arena);
    if (regex_compile(&search->arena, arg_bytes(search->pattern, row), &search->regex, &ignored) != E_OK) {
        call_reject(search->call, row, REJECT_ARGUMENT);
        return false;
    }
    search->matcher = regex_matcher_new(search->regex);
    return true;
}

static bool search_next(struct search *search, struct bytes text, size_t *from)
{
    if (*from > text.size || !regex_find(search->matcher, text, *from, search->spans))
        return false;
    *from = (size_t)search->spans[1];
    if (search->spans[0] == search->spans[1]) // behind an empty match the next one starts a character later
        *from += *from < text.size ? utf8_size(text.data[*from], text.size - *from) : 1;
    return true;
}

static struct bytes search_group(const struct search *search, struct bytes text, int64_t group)
{
    int64_t start = search->spans[2 * group], end = search->spans[2 * group + 1];
    return start < 0 || end < 0 ? bytes_of(text.data, 0) : bytes_of(text.data + start, (size_t)(end - start));
}

static void search_close(struct search *search)
{
    regex_matcher_free(search->matcher);
    arena_free(&search->arena);
}

SCALAR(fn_rlike, "rlike regexp regexp_like", "(string, string) -> boolean", "Whether a part of the text matches.",
       "regexp_like('Spark', '^S.*k$')", "true", .bind = bind_regex, .flags = FN_OPERATOR | FN_FAILS)
{
    struct search search;
    search_open(&search, call, &args[1]);
    for (int64_t i = 0; i < call->rows; i++)
        bit_put(out->values->data, i,
                call_valid(call, i) && search_row(&search, i) &&
                    regex_find(search.matcher, arg_bytes(&args[0], i), 0, search.spans));
    search_close(&search);
}

static void count_matches(struct call *call, const struct arg *args, struct column *out, bool position)
{
    struct search search;
    search_open(&search, call, &args[1]);
    for (int64_t i = 0; i < call->rows; i++) {
        int32_t value = 0;
        size_t from = 0;
        struct bytes text = arg_bytes(&args[0], i);
        if (!call_valid(call, i) || !search_row(&search, i)) {
            column_values(out, int32_t)[i] = 0;
            continue;
        }
        if (position)
            value = search_next(&search, text, &from)
                        ? (int32_t)utf8_count(bytes_of(text.data, (size_t)search.spans[0])) + 1
                        : 0;
        else
            while (search_next(&search, text, &from))
                value++;
        column_values(out, int32_t)[i] = value;
    }
    search_close(&search);
}
SCALAR(fn_regexp_count, "regexp_count", "(string, string) -> int", "How many matches there are.",
       "regexp_count('Steven Jones and Stephen Smith', 'Ste(v|ph)en')", "2", .bind = bind_regex, .flags = FN_FAILS)
{
    count_matches(call, args, out, false);
}
SCALAR(fn_regexp_instr, "regexp_instr", "(string, string) -> int",
       "Where the first match begins; 0 when there is none.", "regexp_instr('Spark', 'ar')", "3", .bind = bind_regex,
       .flags = FN_FAILS)
{
    count_matches(call, args, out, true);
}

SCALAR(fn_regexp_extract, "regexp_extract", "(string, string, int?) -> string",
       "A group (1 when not said, 0 = all) of the first match; empty when there is none.",
       "regexp_extract('100-200', '([0-9]+)-([0-9]+)', 2)", "200", .bind = bind_regex, .flags = FN_FAILS)
{
    struct search search;
    struct writer writer;
    search_open(&search, call, &args[1]);
    writer_open(&writer, call, out, call->rows * 8);
    for (int64_t i; (i = writer_next(&writer)) >= 0;) {
        struct bytes text = arg_bytes(&args[0], i);
        int32_t group = call->arg_count == 3 ? INT_AT(2, i) : 1;
        if (!search_row(&search, i)) {
            writer_skip(&writer);
            continue;
        }
        bool found = regex_find(search.matcher, text, 0, search.spans);
        if (found && (group < 0 || group > regex_groups(search.regex))) { // only what is found has groups
            call_reject(call, i, REJECT_REGEX_GROUP);
            writer_skip(&writer);
            continue;
        }
        writer_put(&writer, found ? search_group(&search, text, group) : (struct bytes){text.data, 0});
    }
    writer_close(&writer);
    search_close(&search);
}

SCALAR(fn_regexp_substr, "regexp_substr", "(string, string) -> string",
       "The first match; NULL when there is none, or it is empty.", "regexp_substr('Steven Jones', 'Ste(v|ph)en')",
       "Steven", .bind = bind_regex, .flags = FN_FAILS | FN_NULLABLE)
{
    struct search search;
    struct writer writer;
    search_open(&search, call, &args[1]);
    writer_open(&writer, call, out, call->rows * 8);
    for (int64_t i; (i = writer_next(&writer)) >= 0;) {
        struct bytes text = arg_bytes(&args[0], i);
        if (!search_row(&search, i)) {
            writer_skip(&writer);
            continue;
        }
        bool found = regex_find(search.matcher, text, 0, search.spans);
        struct bytes match = found ? search_group(&search, text, 0) : (struct bytes){0};
        if (match.size > 0)
            writer_put(&writer, match);
        else
            writer_null(&writer);
    }
    writer_close(&writer);
    search_close(&search);
}

/* Appends the replacement of one match: $1 and ${name} are groups, \ takes the next character as it is. */
static bool add_replacement(const struct search *search, struct bytes text, struct bytes with, struct text *out)
{
    for (size_t at = 0; at < with.size; at++) {
        uint8_t c = with.data[at];
        int group = -1;
        if (c == '\\') {
            if (++at == with.size)
                return false;
            text_add_char(out, (char)with.data[at]);
            continue;
        }
        if (c != '$') {
            text_add_char(out, (char)c);
            continue;
        }
        at++;
        if (at < with.size && with.data[at] == '{') {
            size_t start = at + 1;
            while (at < with.size && with.data[at] != '}')
                at++;
            group = regex_group_named(search->regex, bytes_of(with.data + start, at - start));
        } else if (at < with.size && with.data[at] >= '0' && with.data[at] <= '9') {
            group = with.data[at] - '0'; // more digits belong to it while there is such a group
            while (at + 1 < with.size && with.data[at + 1] >= '0' && with.data[at + 1] <= '9' &&
                   group * 10 + with.data[at + 1] - '0' <= regex_groups(search->regex))
                group = group * 10 + with.data[++at] - '0';
        }
        if (group < 0 || group > regex_groups(search->regex))
            return false;
        struct bytes part = search_group(search, text, group);
        text_add(out, part.data, part.size);
    }
    return true;
}

static bool replace_all(struct search *search, struct bytes text, struct bytes with, size_t from, struct text *out)
{
    size_t copied = 0;
    while (search_next(search, text, &from)) {
        text_add(out, text.data + copied, (size_t)search->spans[0] - copied);
        if (!add_replacement(search, text, with, out))
            return false;
        copied = (size_t)search->spans[1];
    }
    text_add(out, text.data + copied, text.size - copied);
    return true;
}

static enum code bind_regexp_replace(struct binding *binding, struct error *err)
{
    const struct expr *at;
    if (binding->count == 4 && expr_is_constant(binding->args[3])) {
        TRY(binding_constant(binding, 3, &at, err));
        if (!literal_is_null(at) && literal_int(at) < 1)
            return fail(err, E_SQL,
                        "[DATATYPE_MISMATCH.VALUE_OUT_OF_RANGE] The position must be between (0, 2147483647] (current "
                        "value = %lld).",
                        (long long)literal_int(at));
    }
    return bind_regex(binding, err);
}
SCALAR(fn_regexp_replace, "regexp_replace", "(string, string, string, int?) -> string",
       "All matches, from a position on, replaced; $1 is a group.",
       "regexp_replace('100-200', '([0-9]+)-([0-9]+)', '$2-$1')", "200-100", .bind = bind_regexp_replace,
       .flags = FN_FAILS)
{
    struct search search;
    struct writer writer;
    struct text made = {.limit = WRITER_ROW_MAX};
    search_open(&search, call, &args[1]);
    writer_open(&writer, call, out, arg_bytes_total(call, &args[0]));
    for (int64_t i; (i = writer_next(&writer)) >= 0;) {
        struct bytes text = arg_bytes(&args[0], i);
        int32_t position = call->arg_count == 4 ? INT_AT(3, i) : 1;
        text_clear(&made);
        if (!search_row(&search, i)) {
            writer_skip(&writer);
            continue;
        }
        bool fits =
            position > 0 && replace_all(&search, text, arg_bytes(&args[2], i), utf8_skip(text, position - 1), &made);
        if (fits) {
            writer_put(&writer, text_view(&made));
            continue;
        }
        call_reject(call, i, position <= 0 ? REJECT_ARGUMENT : made.overflow ? REJECT_TOO_BIG : REJECT_REGEXP_REPLACE);
        writer_skip(&writer);
    }
    writer_close(&writer);
    text_free(&made);
    search_close(&search);
}

/* ---- lists of texts ---- */

static enum code bind_texts(struct binding *binding, struct error *err)
{
    binding->type = type_array(binding->ctx->arena, type_of(TYPE_STRING), false);
    return bind_regex(binding, err);
}

SCALAR(fn_regexp_extract_all, "regexp_extract_all", "(string, string, int?) -> any",
       "A group (1 when not said, 0 = all) of every match.",
       "regexp_extract_all('100-200, 300-400', '([0-9]+)-([0-9]+)', 1)", "[\"100\",\"300\"]", .bind = bind_texts,
       .flags = FN_FAILS)
{
    struct search search;
    struct builder builder;
    builder_init(&builder, out->type);
    search_open(&search, call, &args[1]);
    for (int64_t i = 0; i < call->rows; i++) {
        struct bytes text = arg_bytes(&args[0], i);
        int32_t group = call->arg_count == 3 ? INT_AT(2, i) : 1;
        if (call_valid(call, i) && search_row(&search, i) && (group < 0 || group > regex_groups(search.regex)) &&
            regex_find(search.matcher, text, 0, search.spans))
            call_reject(call, i, REJECT_REGEX_GROUP);
        if (!call_valid(call, i)) {
            builder_null(&builder);
            continue;
        }
        for (size_t from = 0; search_next(&search, text, &from);)
            builder_bytes(&builder.children[0], search_group(&search, text, group));
        builder_close_list(&builder);
    }
    search_close(&search);
    column_release(out);
    builder_finish(&builder, out);
    builder_release(&builder);
}

/* Java's split: an empty match at the start gives no empty part; limit > 0 is the most parts. */
static void split_row(struct search *search, struct bytes text, int32_t limit, struct builder *out)
{
    size_t from = 0, copied = 0;
    int32_t parts = 1;
    while ((limit <= 0 || parts < limit) && search_next(search, text, &from)) {
        if (search->spans[1] == 0 || (search->spans[0] == search->spans[1] && (size_t)search->spans[0] == text.size))
            continue;
        builder_bytes(out, bytes_of(text.data + copied, (size_t)search->spans[0] - copied));
        copied = (size_t)search->spans[1];
        parts++;
    }
    builder_bytes(out, bytes_of(text.data + copied, text.size - copied));
}

SCALAR(fn_split, "split", "(string, string, int?) -> any",
       "The parts between the matches of a regular expression, at most so many.", "split('a,b,c', ',')",
       "[\"a\",\"b\",\"c\"]", .bind = bind_texts, .flags = FN_FAILS)
{
    struct search search;
    struct builder builder;
    builder_init(&builder, out->type);
    search_open(&search, call, &args[1]);
    for (int64_t i = 0; i < call->rows; i++) {
        if (!call_valid(call, i) || !search_row(&search, i)) {
            builder_null(&builder);
            continue;
        }
        split_row(&search, arg_bytes(&args[0], i), call->arg_count == 3 ? INT_AT(2, i) : -1, &builder.children[0]);
        builder_close_list(&builder);
    }
    search_close(&search);
    column_release(out);
    builder_finish(&builder, out);
    builder_release(&builder);
}

const struct function *const pattern_functions[] = {
    &fn_like,
    &fn_ilike,
    &fn_rlike,
    &fn_regexp_count,
    &fn_regexp_instr,
    &fn_regexp_extract,
    &fn_regexp_substr,
    &fn_regexp_replace,
    &fn_regexp_extract_all,
    &fn_split,
    NULL,
};

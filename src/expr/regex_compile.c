/* regex_compile.c - the text of a regular expression to instructions: recursive descent to a tree, then code. */
#include <ctype.h>

#include "expr/regex_code.h"
#include "expr/utf8.h"

enum node_kind { NODE_EMPTY, NODE_STEP, NODE_CONCAT, NODE_OR, NODE_REPEAT, NODE_GROUP };
struct node {
    enum node_kind kind;
    struct regex_step step;
    struct node *left, *right;
    int32_t least, most, group; /* most -1 = no limit; group -1 = does not capture */
    bool lazy;
};
enum { FLAG_CASE = 1, FLAG_LINES = 2, FLAG_DOT_ALL = 4, REPEAT_MAX = 1000 };

struct parser {
    struct arena *arena;
    struct bytes text;
    size_t at;
    int depth;
    unsigned flags;
    struct regex *regex;
    int32_t step_capacity, class_capacity;
    const char *problem; /* NULL: all is well */
};

static struct node *node_new(struct parser *p, enum node_kind kind, struct node *left, struct node *right)
{
    struct node *node = arena_new(p->arena, struct node);
    *node = (struct node){.kind = kind, .left = left, .right = right, .group = -1};
    return node;
}

static struct node *problem(struct parser *p, const char *what)
{
    if (p->problem == NULL)
        p->problem = what;
    p->at = p->text.size;
    return node_new(p, NODE_EMPTY, NULL, NULL);
}

static bool more(const struct parser *p) { return p->at < p->text.size; }
static uint8_t peek(const struct parser *p) { return more(p) ? p->text.data[p->at] : 0; }
static bool skip(struct parser *p, const char *what)
{
    size_t size = strlen(what);
    if (p->text.size - p->at < size || memcmp(p->text.data + p->at, what, size) != 0)
        return false;
    p->at += size;
    return true;
}
static uint32_t next_code(struct parser *p)
{
    size_t size;
    uint32_t c = utf8_decode(p->text, p->at, &size);
    p->at += size;
    return c;
}

static struct node *step_node(struct parser *p, enum regex_step_kind kind, uint32_t value)
{
    struct node *node = node_new(p, NODE_STEP, NULL, NULL);
    node->step = (struct regex_step){.kind = kind, .value = value};
    return node;
}

static struct node *char_node(struct parser *p, uint32_t c)
{
    bool letter = (p->flags & FLAG_CASE) != 0 && c < 128 && isalpha((int)c);
    return letter ? step_node(p, REGEX_CHAR_ANY_CASE, regex_fold(c)) : step_node(p, REGEX_CHAR, c);
}

/* ---- classes ---- */

static void class_add(struct parser *p, struct regex_class *class, uint32_t from, uint32_t to, bool in)
{
    for (uint32_t c = from; c <= to && c < 128; c++) {
        if (in)
            class->ascii[c >> 6] |= (uint64_t)1 << (c & 63);
        else
            class->ascii[c >> 6] &= ~((uint64_t)1 << (c & 63));
    }
    if (to < 128)
        return;
    if (class->range_count == class->range_capacity) {
        struct regex_range *grown = arena_array(p->arena, struct regex_range, (size_t) class->range_capacity * 2 + 4);
        if (class->range_count > 0)
            memcpy(grown, class->ranges, (size_t) class->range_count * sizeof *grown);
        class->ranges = grown;
        class->range_capacity = class->range_capacity * 2 + 4;
    }
    class->ranges[class->range_count++] = (struct regex_range){from < 128 ? 128 : from, to, in};
}

/* Adds a named set or, when `turned`, all that is not in it. Only ASCII has members, as in Java without (?U). */
static void class_add_set(struct parser *p, struct regex_class *class, const char *members, bool turned)
{
    for (uint32_t c = 0; c < 128; c++)
        if ((c != 0 && strchr(members, (int)c) != NULL) != turned)
            class_add(p, class, c, c, true);
    if (turned)
        class_add(p, class, 128, 0x10ffff, true);
}

#define DIGITS "0123456789"
#define LOWER "abcdefghijklmnopqrstuvwxyz"
#define UPPER "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
#define PUNCTUATION "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~"
#define SPACES " \t\n\x0b\f\r"

/* \d and the like; false when the letter is none of them. */
static bool class_add_letter(struct parser *p, struct regex_class *class, uint8_t letter)
{
    bool turned = isupper(letter) != 0;
    switch (tolower(letter)) {
    case 'd': class_add_set(p, class, DIGITS, turned); return true;
    case 'w': class_add_set(p, class, DIGITS LOWER UPPER "_", turned); return true;
    case 's': class_add_set(p, class, SPACES, turned); return true;
    case 'h': class_add_set(p, class, " \t", turned); return true;
    default: return false;
    }
}

static bool class_add_property(struct parser *p, struct regex_class *class, bool turned)
{
    static const struct {
        const char *name, *members;
        bool beyond; /* letters beyond ASCII count as members: \p{L} and \p{IsAlphabetic} */
    } properties[] = {
        {"Lower", LOWER, false},
        {"Upper", UPPER, false},
        {"Alpha", LOWER UPPER, false},
        {"Digit", DIGITS, false},
        {"Alnum", LOWER UPPER DIGITS, false},
        {"Punct", PUNCTUATION, false},
        {"Space", SPACES, false},
        {"Blank", " \t", false},
        {"XDigit", DIGITS "abcdefABCDEF", false},
        {"Graph", LOWER UPPER DIGITS PUNCTUATION, false},
        {"Print", LOWER UPPER DIGITS PUNCTUATION " ", false},
        {"L", LOWER UPPER, true},
        {"IsAlphabetic", LOWER UPPER, true},
        {"Lu", UPPER, false},
        {"Ll", LOWER, false},
        {"N", DIGITS, false},
        {"Nd", DIGITS, false},
        {"P", PUNCTUATION, false},
    };
    size_t start = p->at + 1, end = start;
    while (end < p->text.size && p->text.data[end] != '}')
        end++;
    if (peek(p) != '{' || end == p->text.size)
        return false;
    struct bytes name = bytes_of(p->text.data + start, end - start);
    p->at = end + 1;
    for (size_t i = 0; i < sizeof properties / sizeof properties[0]; i++)
        if (bytes_equal_string(name, properties[i].name)) {
            class_add_set(p, class, properties[i].members, turned);
            if (properties[i].beyond)
                class_add(p, class, 128, 0x10ffff, !turned);
            return true;
        }
    return false;
}

/* Hexadecimal digits; -1 when there are fewer than `least`. */
static int64_t read_hex(struct parser *p, int least, int most)
{
    int64_t value = 0;
    int count = 0;
    for (; count < most && more(p) && isxdigit(peek(p)); count++, p->at++) {
        uint8_t c = peek(p);
        value = value * 16 + (isdigit(c) ? c - '0' : (c | 0x20) - 'a' + 10);
    }
    return count < least ? -1 : value;
}

/* The character behind a backslash; UINT32_MAX when it is none. */
static uint32_t escaped_char(struct parser *p)
{
    int64_t code;
    uint8_t c = peek(p);
    if (!more(p))
        return UINT32_MAX;
    if (c >= 128 || !isalnum(c))
        return next_code(p);
    p->at++;
    switch (c) {
    case 't': return '\t';
    case 'n': return '\n';
    case 'r': return '\r';
    case 'f': return '\f';
    case 'a': return 7;
    case 'e': return 27;
    case 'x':
        if (skip(p, "{")) {
            code = read_hex(p, 1, 6);
            return skip(p, "}") && code >= 0 && code <= 0x10ffff ? (uint32_t)code : UINT32_MAX;
        }
        code = read_hex(p, 2, 2);
        return code < 0 ? UINT32_MAX : (uint32_t)code;
    case 'u': code = read_hex(p, 4, 4); return code < 0 ? UINT32_MAX : (uint32_t)code;
    default: return UINT32_MAX;
    }
}

static struct regex_class *class_new(struct parser *p, uint32_t *index)
{
    struct regex *regex = p->regex;
    if (regex->class_count == p->class_capacity) {
        struct regex_class *grown = arena_array(p->arena, struct regex_class, (size_t)p->class_capacity * 2 + 4);
        if (regex->class_count > 0)
            memcpy(grown, regex->classes, (size_t)regex->class_count * sizeof *grown);
        regex->classes = grown;
        p->class_capacity = p->class_capacity * 2 + 4;
    }
    *index = (uint32_t)regex->class_count++;
    return &regex->classes[*index];
}

static void class_add_range(struct parser *p, struct regex_class *class, uint32_t from, uint32_t to)
{
    class_add(p, class, from, to, true);
    for (uint32_t c = from; (p->flags & FLAG_CASE) != 0 && c <= to && c < 128; c++)
        if (isalpha((int)c))
            class_add(p, class, c ^ 32, c ^ 32, true);
}

/* One member of [..]: a character (then *c is it), or a whole set. */
static bool class_member(struct parser *p, struct regex_class *class, uint32_t *c)
{
    *c = UINT32_MAX;
    if (!skip(p, "\\")) {
        *c = next_code(p);
        return true;
    }
    uint8_t letter = peek(p);
    if (letter == 'p' || letter == 'P') {
        p->at++;
        return class_add_property(p, class, letter == 'P');
    }
    if (class_add_letter(p, class, letter)) {
        p->at++;
        return true;
    }
    *c = escaped_char(p);
    return *c != UINT32_MAX;
}

static void class_body(struct parser *p, struct regex_class *class)
{
    bool first = true;
    class->negated = skip(p, "^");
    while (more(p) && (peek(p) != ']' || first)) {
        uint32_t from, to;
        first = false;
        if (skip(p, "&&")) {
            problem(p, "class intersection && is not supported");
            return;
        }
        if (peek(p) == '[') {
            problem(p, "a class in a class is not supported");
            return;
        }
        if (!class_member(p, class, &from)) {
            problem(p, "illegal escape in a class");
            return;
        }
        bool range = from != UINT32_MAX && peek(p) == '-' && p->at + 1 < p->text.size && p->text.data[p->at + 1] != ']';
        to = from;
        if (range) {
            p->at++;
            if (!class_member(p, class, &to) || to == UINT32_MAX || to < from) {
                problem(p, "illegal range in a class");
                return;
            }
        }
        if (from != UINT32_MAX)
            class_add_range(p, class, from, to);
    }
    if (!skip(p, "]"))
        problem(p, "a class is not closed");
}

/* ---- atoms ---- */

static struct node *parse_or(struct parser *p);

/* Sequences and alternatives are chains: left is an item, right the rest, NULL at the end. */
static struct node **chain_add(struct parser *p, struct node **end, enum node_kind kind, struct node *item)
{
    *end = node_new(p, kind, item, NULL);
    return &(*end)->right;
}

static struct node *parse_quoted(struct parser *p)
{
    struct node *all = node_new(p, NODE_CONCAT, node_new(p, NODE_EMPTY, NULL, NULL), NULL), **end = &all->right;
    while (more(p) && !skip(p, "\\E"))
        end = chain_add(p, end, NODE_CONCAT, char_node(p, next_code(p)));
    return all;
}

static struct node *parse_escape(struct parser *p)
{
    static const struct {
        char letter;
        enum regex_assertion assertion;
    } assertions[] = {{'b', ASSERT_WORD_EDGE},
                      {'B', ASSERT_NO_WORD_EDGE},
                      {'A', ASSERT_TEXT_START},
                      {'z', ASSERT_TEXT_END},
                      {'Z', ASSERT_LAST_LINE_END}};
    uint8_t letter = peek(p);
    uint32_t index;
    if (skip(p, "Q"))
        return parse_quoted(p);
    for (size_t i = 0; i < sizeof assertions / sizeof assertions[0]; i++)
        if (letter == (uint8_t)assertions[i].letter) {
            p->at++;
            return step_node(p, REGEX_ASSERT, assertions[i].assertion);
        }
    if (letter != 0 && strchr("dDwWsShH", letter) != NULL) {
        struct regex_class *class = class_new(p, &index);
        class_add_letter(p, class, letter);
        p->at++;
        return step_node(p, REGEX_CLASS, index);
    }
    if (letter == 'p' || letter == 'P') {
        p->at++;
        struct regex_class *class = class_new(p, &index);
        return class_add_property(p, class, letter == 'P') ? step_node(p, REGEX_CLASS, index)
                                                           : problem(p, "unknown character property");
    }
    if (isdigit(letter) || letter == 'k')
        return problem(p, "back references are not supported");
    uint32_t c = escaped_char(p);
    return c == UINT32_MAX ? problem(p, "illegal escape") : char_node(p, c);
}

static struct node *parse_group_body(struct parser *p, int32_t group)
{
    struct node *node = node_new(p, NODE_GROUP, parse_or(p), NULL);
    node->group = group;
    return skip(p, ")") ? node : problem(p, "a group is not closed");
}

static struct node *parse_capture(struct parser *p, struct bytes name)
{
    if (p->regex->groups == REGEX_GROUPS_MAX)
        return problem(p, "too many groups");
    int32_t group = ++p->regex->groups;
    p->regex->names[group] = name;
    return parse_group_body(p, group);
}

static bool read_flags(struct parser *p)
{
    bool on = true;
    for (; more(p) && peek(p) != ')' && peek(p) != ':'; p->at++) {
        unsigned flag = 0;
        switch (peek(p)) {
        case '-': on = false; continue;
        case 'i': flag = FLAG_CASE; break;
        case 'm': flag = FLAG_LINES; break;
        case 's': flag = FLAG_DOT_ALL; break;
        case 'u': break;
        default: return false;
        }
        p->flags = on ? p->flags | flag : p->flags & ~flag;
    }
    return more(p);
}

static struct node *parse_group(struct parser *p)
{
    unsigned flags = p->flags;
    struct node *node;
    if (!skip(p, "?"))
        node = parse_capture(p, (struct bytes){0});
    else if (skip(p, ":"))
        node = parse_group_body(p, -1);
    else if (peek(p) == '=' || peek(p) == '!' || peek(p) == '>' ||
             (peek(p) == '<' && p->at + 1 < p->text.size && strchr("=!", p->text.data[p->at + 1]) != NULL))
        return problem(p, "look-around and atomic groups are not supported");
    else if (skip(p, "<")) {
        size_t start = p->at;
        while (more(p) && peek(p) != '>')
            p->at++;
        struct bytes name = bytes_of(p->text.data + start, p->at - start);
        node = skip(p, ">") ? parse_capture(p, name) : problem(p, "a group's name is not closed");
    } else if (!read_flags(p)) {
        return problem(p, "unknown flag");
    } else if (skip(p, ")")) {
        return node_new(p, NODE_EMPTY, NULL,
                        NULL); // the flags hold until the surrounding group ends
    } else {
        p->at++;
        node = parse_group_body(p, -1);
    }
    p->flags = flags;
    return node;
}

static struct node *parse_atom(struct parser *p)
{
    uint32_t index;
    if (skip(p, "("))
        return parse_group(p);
    if (skip(p, "[")) {
        struct regex_class made = {0};
        class_body(p, &made);
        *class_new(p, &index) = made;
        return step_node(p, REGEX_CLASS, index);
    }
    if (skip(p, "."))
        return step_node(p, (p->flags & FLAG_DOT_ALL) != 0 ? REGEX_EVERY : REGEX_ANY, 0);
    if (skip(p, "^"))
        return step_node(p, REGEX_ASSERT, (p->flags & FLAG_LINES) != 0 ? ASSERT_LINE_START : ASSERT_TEXT_START);
    if (skip(p, "$"))
        return step_node(p, REGEX_ASSERT, (p->flags & FLAG_LINES) != 0 ? ASSERT_LINE_END : ASSERT_LAST_LINE_END);
    if (skip(p, "\\"))
        return parse_escape(p);
    if (strchr("*+?", peek(p)) != NULL)
        return problem(p, "a quantifier stands behind nothing");
    return char_node(p, next_code(p));
}

/* ---- quantifiers, sequences, alternatives ---- */

static bool read_count(struct parser *p, int32_t *out)
{
    int64_t value = 0;
    size_t start = p->at;
    while (more(p) && isdigit(peek(p)) && value <= REPEAT_MAX)
        value = value * 10 + (p->text.data[p->at++] - '0');
    *out = (int32_t)value;
    return p->at > start && value <= REPEAT_MAX;
}

static bool read_quantifier(struct parser *p, int32_t *least, int32_t *most)
{
    *least = 0;
    *most = -1;
    if (skip(p, "*"))
        return true;
    if (skip(p, "+")) {
        *least = 1;
        return true;
    }
    if (skip(p, "?")) {
        *most = 1;
        return true;
    }
    if (!skip(p, "{"))
        return false;
    if (!read_count(p, least)) {
        problem(p, "illegal repetition");
        return false;
    }
    *most = *least;
    if (skip(p, ",")) {
        *most = -1;
        if (peek(p) != '}' && (!read_count(p, most) || *most < *least))
            problem(p, "illegal repetition");
    }
    if (p->problem == NULL && !skip(p, "}"))
        problem(p, "illegal repetition");
    return p->problem == NULL;
}

static struct node *parse_repeat(struct parser *p)
{
    struct node *node = parse_atom(p);
    int32_t least, most;
    while (p->problem == NULL && read_quantifier(p, &least, &most)) {
        struct node *repeat = node_new(p, NODE_REPEAT, node, NULL);
        repeat->least = least;
        repeat->most = most;
        repeat->lazy = skip(p, "?");
        if (!repeat->lazy && peek(p) == '+')
            return problem(p, "possessive quantifiers are not supported");
        node = repeat;
    }
    return node;
}

static struct node *parse_concat(struct parser *p)
{
    struct node *all = node_new(p, NODE_CONCAT, node_new(p, NODE_EMPTY, NULL, NULL), NULL), **end = &all->right;
    while (more(p) && peek(p) != '|' && peek(p) != ')')
        end = chain_add(p, end, NODE_CONCAT, parse_repeat(p));
    return all;
}

static struct node *parse_or(struct parser *p)
{
    if (++p->depth > REGEX_NESTING_MAX)
        return problem(p, "groups are nested too deep");
    struct node *all = NULL, **end = chain_add(p, &all, NODE_OR, parse_concat(p));
    while (skip(p, "|"))
        end = chain_add(p, end, NODE_OR, parse_concat(p));
    p->depth--;
    return all;
}

/* ---- code ---- */

static int32_t emit(struct parser *p, struct regex_step step)
{
    struct regex *regex = p->regex;
    if (regex->count >= REGEX_STEPS_MAX) {
        problem(p, "it is too large");
        return regex->count - 1;
    }
    if (regex->count == p->step_capacity) {
        struct regex_step *grown = arena_array(p->arena, struct regex_step, (size_t)p->step_capacity * 2 + 32);
        if (regex->count > 0)
            memcpy(grown, regex->steps, (size_t)regex->count * sizeof *grown);
        regex->steps = grown;
        p->step_capacity = p->step_capacity * 2 + 32;
    }
    regex->steps[regex->count] = step;
    return regex->count++;
}

static void emit_node(struct parser *p, const struct node *node);

/* A fork whose preferred way is the step behind it, or the other way when lazy; the way out is filled in later. */
static int32_t emit_fork(struct parser *p) { return emit(p, (struct regex_step){.kind = REGEX_SPLIT}); }
static void set_fork(struct parser *p, int32_t fork, int32_t in, int32_t out, bool lazy)
{
    p->regex->steps[fork].to = lazy ? out : in;
    p->regex->steps[fork].other = lazy ? in : out;
}

static void emit_repeat(struct parser *p, const struct node *node)
{
    for (int32_t k = 0; k < node->least && p->problem == NULL; k++)
        emit_node(p, node->left);
    if (node->most < 0) {
        int32_t fork = emit_fork(p);
        emit_node(p, node->left);
        emit(p, (struct regex_step){.kind = REGEX_JUMP, .to = fork});
        set_fork(p, fork, fork + 1, p->regex->count, node->lazy);
        return;
    }
    int32_t optional = node->most - node->least, *forks = arena_array(p->arena, int32_t, (size_t)optional + 1);
    for (int32_t k = 0; k < optional && p->problem == NULL; k++) {
        forks[k] = emit_fork(p);
        emit_node(p, node->left);
    }
    for (int32_t k = 0; k < optional && p->problem == NULL; k++)
        set_fork(p, forks[k], forks[k] + 1, p->regex->count, node->lazy);
}

static void emit_or(struct parser *p, const struct node *node)
{
    int32_t last_jump = -1; // jumps to the end are chained through `to` until the end is known
    for (; node->right != NULL && p->problem == NULL; node = node->right) {
        int32_t fork = emit_fork(p);
        emit_node(p, node->left);
        last_jump = emit(p, (struct regex_step){.kind = REGEX_JUMP, .to = last_jump});
        set_fork(p, fork, fork + 1, p->regex->count, false);
    }
    emit_node(p, node->left);
    while (last_jump >= 0 && p->problem == NULL) {
        int32_t before = p->regex->steps[last_jump].to;
        p->regex->steps[last_jump].to = p->regex->count;
        last_jump = before;
    }
}

static void emit_node(struct parser *p, const struct node *node)
{
    if (p->problem != NULL)
        return;
    switch (node->kind) {
    case NODE_EMPTY: break;
    case NODE_STEP: emit(p, node->step); break;
    case NODE_CONCAT:
        for (; node != NULL; node = node->right)
            emit_node(p, node->left);
        break;
    case NODE_OR: emit_or(p, node); break;
    case NODE_REPEAT: emit_repeat(p, node); break;
    case NODE_GROUP:
        if (node->group >= 0)
            emit(p, (struct regex_step){.kind = REGEX_SAVE, .value = (uint32_t)node->group * 2});
        emit_node(p, node->left);
        if (node->group >= 0)
            emit(p, (struct regex_step){.kind = REGEX_SAVE, .value = (uint32_t)node->group * 2 + 1});
        break;
    }
}

/* ---- what a match begins with ---- */

static void first_byte(struct regex *regex, uint32_t c)
{
    uint8_t bytes[4];
    utf8_encode(c, bytes);
    regex->first[bytes[0] >> 6] |= (uint64_t)1 << (bytes[0] & 63);
}

static void first_of_step(struct regex *regex, const struct regex_step *step)
{
    if (step->kind == REGEX_CHAR || step->kind == REGEX_CHAR_ANY_CASE) {
        first_byte(regex, step->value);
        if (step->kind == REGEX_CHAR_ANY_CASE && step->value < 128 && isalpha((int)step->value))
            first_byte(regex, step->value - 32);
        return;
    }
    for (int k = 2; k < 4; k++)
        regex->first[k] = ~(uint64_t)0; // bytes beyond ASCII begin any character there
    for (int k = 0; k < 2; k++) {
        const struct regex_class *class = step->kind == REGEX_CLASS ? &regex->classes[step->value] : NULL;
        regex->first[k] |= class == NULL ? ~(uint64_t)0 : class->negated ? ~class->ascii[k] : class->ascii[k];
    }
}

/* Follows the steps that take nothing; false when a match may be empty. */
static bool find_first(struct regex *regex, int32_t step, uint8_t *seen)
{
    for (; !seen[step]; step++) {
        const struct regex_step *s = &regex->steps[step];
        seen[step] = 1;
        switch (s->kind) {
        case REGEX_MATCH: return false;
        case REGEX_SAVE:
        case REGEX_ASSERT: break;
        case REGEX_JUMP: step = s->to - 1; break;
        case REGEX_SPLIT:
            if (!find_first(regex, s->to, seen))
                return false;
            step = s->other - 1;
            break;
        default: first_of_step(regex, s); return true;
        }
    }
    return true;
}

/* Bytes that every match begins with: characters in a row, groups looked through. */
static void find_literal(struct parser *p, struct regex *regex)
{
    uint8_t *bytes = arena_alloc(p->arena, (size_t)regex->count * 4 + 1);
    size_t size = 0;
    for (int32_t i = 0; i < regex->count; i++) {
        if (regex->steps[i].kind == REGEX_CHAR)
            size += utf8_encode(regex->steps[i].value, bytes + size);
        else if (regex->steps[i].kind != REGEX_SAVE)
            break;
    }
    regex->literal = bytes_of(bytes, size);
}

static bool is_anchored(const struct regex *regex)
{
    int32_t i = 0;
    while (regex->steps[i].kind == REGEX_SAVE)
        i++;
    return regex->steps[i].kind == REGEX_ASSERT && regex->steps[i].value == ASSERT_TEXT_START;
}

enum code regex_compile(struct arena *arena, struct bytes pattern, const struct regex **out, struct error *err)
{
    if (pattern.size > REGEX_TEXT_MAX)
        return fail(err, E_SQL, "[INVALID_PARAMETER_VALUE.PATTERN] a regular expression of %zu bytes, more than %d",
                    pattern.size, REGEX_TEXT_MAX);
    struct parser p = {.arena = arena, .text = pattern, .regex = arena_new(arena, struct regex)};
    struct node *tree = parse_or(&p);
    if (p.problem == NULL && more(&p))
        p.problem = "a closing parenthesis is too many";
    emit(&p, (struct regex_step){.kind = REGEX_SAVE, .value = 0});
    emit_node(&p, tree);
    emit(&p, (struct regex_step){.kind = REGEX_SAVE, .value = 1});
    emit(&p, (struct regex_step){.kind = REGEX_MATCH});
    if (p.problem != NULL)
        return fail(err, E_SQL, "[INVALID_PARAMETER_VALUE.PATTERN] '%.*s' is no regular expression here: %s",
                    (int)pattern.size, (const char *)pattern.data, p.problem);
    find_literal(&p, p.regex);
    p.regex->anchored = is_anchored(p.regex);
    uint8_t *seen = arena_alloc(arena, (size_t)p.regex->count + 1);
    p.regex->has_first = find_first(p.regex, 0, seen);
    *out = p.regex;
    return E_OK;
}

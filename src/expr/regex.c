/* regex.c - the matcher: all alternatives are followed side by side, one character at a time, the preferred first. */
#include "expr/regex.h"

#include "base/stop_watch.h"
#include "expr/regex_code.h"
#include "expr/utf8.h"

struct thread_list {
    int32_t count;
    int32_t *steps;
    int64_t *spans; /* count * slots */
    uint32_t *seen; /* per step: the round in which it was added */
};
struct regex_matcher {
    const struct regex *regex;
    int32_t slots;
    uint32_t round;
    struct thread_list now, next;
    int64_t *best;
    int32_t *stack; /* steps still to be followed, and spans to be restored */
    int64_t *saved;
};

static void list_init(struct thread_list *list, const struct regex *regex, int32_t slots)
{
    list->steps = mem_array(int32_t, (size_t)regex->count);
    list->spans = mem_array(int64_t, (size_t)regex->count * (size_t)slots);
    list->seen = mem_array(uint32_t, (size_t)regex->count);
}

static void list_free(struct thread_list *list)
{
    mem_free(list->steps);
    mem_free(list->spans);
    mem_free(list->seen);
}

struct regex_matcher *regex_matcher_new(const struct regex *regex)
{
    struct regex_matcher *matcher = mem_new(struct regex_matcher);
    matcher->regex = regex;
    matcher->slots = 2 * (regex->groups + 1);
    list_init(&matcher->now, regex, matcher->slots);
    list_init(&matcher->next, regex, matcher->slots);
    matcher->best = mem_array(int64_t, (size_t)matcher->slots);
    matcher->stack = mem_array(int32_t, (size_t)regex->count * 3 + 8);
    matcher->saved = mem_array(int64_t, (size_t)regex->count * 3 + 8);
    return matcher;
}

void regex_matcher_free(struct regex_matcher *matcher)
{
    if (matcher == NULL)
        return;
    list_free(&matcher->now);
    list_free(&matcher->next);
    mem_free(matcher->best);
    mem_free(matcher->stack);
    mem_free(matcher->saved);
    mem_free(matcher);
}

/* ---- conditions between two characters ---- */

static bool is_line_end(uint32_t c) { return c == '\n' || c == '\r' || c == 0x85 || c == 0x2028 || c == 0x2029; }

static uint32_t code_before(struct bytes text, size_t at, bool *none)
{
    size_t start = at, size;
    *none = at == 0;
    if (*none)
        return 0;
    do
        start--;
    while (start > 0 && (text.data[start] & 0xc0) == 0x80);
    return utf8_decode(text, start, &size);
}

static bool is_word(uint32_t c)
{
    return c < 128 && ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_');
}

/* At the end, or before a line end that is the last thing of the text. */
static bool before_last_line_end(struct bytes text, size_t at)
{
    size_t size;
    if (at == text.size)
        return true;
    uint32_t c = utf8_decode(text, at, &size);
    if (c == '\r' && at + 2 == text.size && text.data[at + 1] == '\n')
        return true;
    bool none, inside_pair = c == '\n' && code_before(text, at, &none) == '\r' && !none;
    return is_line_end(c) && at + size == text.size && !inside_pair;
}

static bool holds(enum regex_assertion assertion, struct bytes text, size_t at)
{
    bool first, last = at == text.size;
    size_t size;
    uint32_t before = code_before(text, at, &first), after = last ? 0 : utf8_decode(text, at, &size);
    switch (assertion) {
    case ASSERT_TEXT_START: return first;
    case ASSERT_LINE_START: return first || (is_line_end(before) && !last && !(before == '\r' && after == '\n'));
    case ASSERT_TEXT_END: return last;
    case ASSERT_LAST_LINE_END: return before_last_line_end(text, at);
    case ASSERT_LINE_END: return last || (is_line_end(after) && !(after == '\n' && !first && before == '\r'));
    case ASSERT_WORD_EDGE: return (!first && is_word(before)) != (!last && is_word(after));
    case ASSERT_NO_WORD_EDGE: return (!first && is_word(before)) == (!last && is_word(after));
    }
    return false;
}

/* ---- following steps that take no character ---- */

enum { RESTORE = -1 }; // on the stack before a slot's number: put its old value back

/* Adds the thread at `step`, and all it leads to, in order of preference. spans is left as it was. */
static void follow(struct regex_matcher *m, struct thread_list *list, int32_t step, struct bytes text, size_t at,
                   int64_t *spans)
{
    int32_t depth = 0, *stack = m->stack;
    stack[depth++] = step;
    while (depth > 0) {
        int32_t top = stack[--depth];
        if (top < 0) {
            spans[RESTORE - top] = m->saved[depth];
            continue;
        }
        if (list->seen[top] == m->round)
            continue;
        list->seen[top] = m->round;
        const struct regex_step *s = &m->regex->steps[top];
        switch (s->kind) {
        case REGEX_JUMP: stack[depth++] = s->to; break;
        case REGEX_SPLIT:
            stack[depth++] = s->other;
            stack[depth++] = s->to;
            break;
        case REGEX_SAVE:
            m->saved[depth] = spans[s->value];
            stack[depth++] = RESTORE - (int32_t)s->value;
            spans[s->value] = (int64_t)at;
            stack[depth++] = top + 1;
            break;
        case REGEX_ASSERT:
            if (holds((enum regex_assertion)s->value, text, at))
                stack[depth++] = top + 1;
            break;
        default:
            memcpy(list->spans + (size_t)list->count * (size_t)m->slots, spans, (size_t)m->slots * sizeof *spans);
            list->steps[list->count++] = top;
        }
    }
}

/* ---- one character ---- */

static bool class_has(const struct regex_class *class, uint32_t c)
{
    bool found = c < 128 ? (class->ascii[c >> 6] >> (c & 63)) & 1 : class->other_all;
    for (int32_t i = 0; c >= 128 && i < class->range_count; i++)
        if (c >= class->ranges[i].from && c <= class->ranges[i].to)
            found = class->ranges[i].in;
    return found != class->negated;
}

static bool takes(const struct regex *regex, const struct regex_step *step, uint32_t c)
{
    switch (step->kind) {
    case REGEX_CHAR: return step->value == c;
    case REGEX_CHAR_ANY_CASE: return step->value == regex_fold(c);
    case REGEX_ANY: return !is_line_end(c);
    case REGEX_EVERY: return true;
    case REGEX_CLASS: return class_has(&regex->classes[step->value], c);
    default: return false;
    }
}

/* Moves every thread over the character; true when one reached the end (the others after it are worse). */
static bool advance(struct regex_matcher *m, struct bytes text, size_t at, uint32_t c, size_t size, bool at_end)
{
    m->next.count = 0;
    m->round++;
    for (int32_t i = 0; i < m->now.count; i++) {
        const struct regex_step *step = &m->regex->steps[m->now.steps[i]];
        int64_t *spans = m->now.spans + (size_t)i * (size_t)m->slots;
        if (step->kind == REGEX_MATCH) {
            memcpy(m->best, spans, (size_t)m->slots * sizeof *spans);
            return true;
        }
        if (!at_end && takes(m->regex, step, c))
            follow(m, &m->next, m->now.steps[i] + 1, text, at + size, spans);
    }
    return false;
}

static size_t skip_to_first(const struct regex *regex, struct bytes text, size_t at)
{
    if (regex->literal.size > 0) {
        const uint8_t *found = memmem(text.data + at, text.size - at, regex->literal.data, regex->literal.size);
        return found == NULL ? text.size : (size_t)(found - text.data);
    }
    while (regex->has_first && at < text.size && !((regex->first[text.data[at] >> 6] >> (text.data[at] & 63)) & 1))
        at++;
    return at;
}

bool regex_find(struct regex_matcher *m, struct bytes text, size_t from, int64_t *spans)
{
    bool matched = false, begun = false;
    m->now.count = 0;
    if (stop_asked((int64_t)(text.size - from)))
        return false;
    for (size_t at = from, size = 0; at <= text.size; at += size) {
        if (m->now.count == 0) {
            if (matched || (begun && m->regex->anchored))
                break;
            at = skip_to_first(m->regex, text, at);
            if (at == text.size && (m->regex->has_first || m->regex->literal.size > 0))
                break;
        }
        if (!matched && !(begun && m->regex->anchored)) {
            for (int32_t k = 0; k < m->slots; k++)
                spans[k] = -1;
            if (m->now.count == 0)
                m->round++;
            follow(m, &m->now, 0, text, at, spans);
        }
        begun = true;
        bool at_end = at == text.size;
        uint32_t c = at_end ? 0 : utf8_decode(text, at, &size);
        if (at_end)
            size = 1;
        matched = advance(m, text, at, c, size, at_end) || matched;
        struct thread_list swapped = m->now;
        m->now = m->next;
        m->next = swapped;
    }
    if (matched)
        memcpy(spans, m->best, (size_t)m->slots * sizeof *spans);
    return matched;
}

int regex_groups(const struct regex *regex) { return regex->groups; }

int regex_group_named(const struct regex *regex, struct bytes name)
{
    for (int group = 1; group <= regex->groups; group++)
        if (regex->names[group].size > 0 && bytes_equal(regex->names[group], name))
            return group;
    return -1;
}

#include "format/json_extract.h"

#include "format/json_skip.h"
#include "format/json_text.h"

enum step_kind { STEP_NAME, STEP_INDEX, STEP_ELEMENTS, STEP_MEMBERS };
struct path_step {
    enum step_kind kind;
    struct bytes name;
    int64_t index;
};
struct json_path {
    int32_t count;
    struct path_step steps[JSON_PATH_STEPS_MAX];
};

/* ---- paths ---- */

static bool starts_with(struct bytes text, const char *start)
{
    size_t size = strlen(start);
    return text.size >= size && memcmp(text.data, start, size) == 0;
}

static void pass(struct bytes *text, size_t size)
{
    text->data += size;
    text->size -= size;
}

static bool read_name(struct bytes *text, struct path_step *step)
{
    bool quoted = starts_with(*text, "['");
    pass(text, quoted ? 2 : 1);
    size_t size = 0;
    while (size < text->size &&
           (quoted ? text->data[size] != '\'' : text->data[size] != '.' && text->data[size] != '['))
        size++;
    *step = (struct path_step){.kind = STEP_NAME, .name = bytes_of(text->data, size)};
    if (size == 1 && text->data[0] == '*')
        step->kind = STEP_MEMBERS;
    pass(text, size);
    if (!quoted)
        return size > 0;
    if (size == 0 || !starts_with(*text, "']"))
        return false;
    pass(text, 2);
    return true;
}

static bool read_index(struct bytes *text, struct path_step *step)
{
    pass(text, 1);
    if (starts_with(*text, "*]")) {
        *step = (struct path_step){.kind = STEP_ELEMENTS};
        pass(text, 2);
        return true;
    }
    int64_t index = 0;
    size_t digits = 0;
    for (; digits < text->size && json_is_digit(text->data[digits]); digits++)
        if (__builtin_mul_overflow(index, 10, &index) ||
            __builtin_add_overflow(index, text->data[digits] - '0', &index))
            return false;
    if (digits == 0 || digits == text->size || text->data[digits] != ']')
        return false;
    *step = (struct path_step){.kind = STEP_INDEX, .index = index};
    pass(text, digits + 1);
    return true;
}

const struct json_path *json_path_parse(struct arena *arena, struct bytes text)
{
    struct json_path *path = arena_new(arena, struct json_path);
    if (!starts_with(text, "$"))
        return NULL;
    for (pass(&text, 1); text.size > 0; path->count++) {
        if (path->count == JSON_PATH_STEPS_MAX)
            return NULL;
        struct path_step *step = &path->steps[path->count];
        bool named = text.data[0] == '.' || starts_with(text, "['");
        if (!named && text.data[0] != '[')
            return NULL;
        if (!(named ? read_name(&text, step) : read_index(&text, step)))
            return NULL;
    }
    return path;
}

/* ---- walking ----
 * Spark walks a stream of tokens: a function takes the first byte of a value and returns the first byte behind it, NULL
 * when the text is broken there.
 */

/* How a value is written: RAW a string without quotes; QUOTED as JSON; FLAT as JSON, arrays without their brackets. */
enum style { RAW, QUOTED, FLAT };
struct walk {
    const uint8_t *end;
    struct text *out;
    struct text name; /* a member's name with its escapes undone */
};

/* Jackson reads no NaN and no Infinity here. */
static const uint8_t *value_skip(const uint8_t *p, const uint8_t *end, int depth)
{
    if (p < end && (*p == 'N' || *p == 'I' || *p == '+' || (*p == '-' && (p + 1 == end || !json_is_digit(p[1])))))
        return NULL;
    return json_skip(p, end, depth);
}

/* Behind the opening bracket or a comma: the first byte of the next item, or *last at the closing bracket. */
static const uint8_t *item_start(const uint8_t *p, const uint8_t *end, uint8_t close, bool first, bool *last)
{
    p = json_blanks(p, end);
    *last = p < end && *p == close;
    if (*last)
        return p + 1;
    if (first)
        return p;
    return p < end && *p == ',' ? json_blanks(p + 1, end) : NULL;
}

/* What stands in a list is kept apart by commas, at every level. */
static void separate(struct text *out)
{
    if (out->size > 0 && out->data[out->size - 1] != '[')
        text_add_char(out, ',');
}

static const uint8_t *value_write(struct walk *walk, const uint8_t *p, enum style style, int depth, bool *found)
{
    size_t start = walk->out->size;
    const uint8_t *behind = value_skip(p, walk->end, depth);
    if (behind == NULL)
        return NULL;
    if (style != RAW)
        separate(walk->out);
    size_t before = walk->out->size;
    if (*p == '"' || *p == '\'') {
        struct text string = {0};
        json_text_string(p + 1, walk->end, *p, style == RAW ? walk->out : &string);
        if (style != RAW)
            json_text_quote(text_view(&string), true, walk->out);
        text_free(&string);
    } else {
        json_text_value(p, walk->end, depth, walk->out);
    }
    if (style == FLAT && *p == '[') { // the elements join those of the array around
        size_t size = walk->out->size - before - 2;
        memmove(walk->out->data + before, walk->out->data + before + 1, size);
        walk->out->size = before + size;
        if (size == 0)
            walk->out->size = start;
        *found = size > 0;
        return behind;
    }
    *found = true;
    return behind;
}

static const uint8_t *walk_value(struct walk *walk, const uint8_t *p, const struct path_step *steps, int32_t count,
                                 enum style style, int depth, bool *found);

/* The member of the name that comes first and leads somewhere. */
static const uint8_t *walk_member(struct walk *walk, const uint8_t *p, const struct path_step *steps, int32_t count,
                                  enum style style, int depth, bool *found)
{
    bool last;
    for (bool first = true;; first = false) {
        p = item_start(p, walk->end, '}', first, &last);
        if (p == NULL || last)
            return p;
        const uint8_t *name = p;
        p = json_skip_name(p, walk->end);
        if (p == NULL)
            return NULL;
        p = json_blanks(p, walk->end);
        text_clear(&walk->name);
        json_text_string(name + 1, walk->end, *name, &walk->name);
        bool here = !*found && bytes_equal(text_view(&walk->name), steps[0].name);
        bool null = walk->end - p >= 4 && memcmp(p, "null", 4) == 0;
        if (here && !null)
            p = walk_value(walk, p, steps + 1, count - 1, style, depth, found);
        else
            p = value_skip(p, walk->end, depth);
        if (p == NULL)
            return NULL;
    }
}

/* All elements (index -1) or one of them; *matches counts what was written. */
static const uint8_t *walk_elements(struct walk *walk, const uint8_t *p, const struct path_step *steps, int32_t count,
                                    enum style style, int64_t index, int depth, int64_t *matches)
{
    bool last;
    for (int64_t at = 0;; at++) {
        p = item_start(p, walk->end, ']', at == 0, &last);
        if (p == NULL || last)
            return p;
        bool found = false;
        if (index < 0 || at == index)
            p = walk_value(walk, p, steps, count, style, depth, &found);
        else
            p = value_skip(p, walk->end, depth);
        if (p == NULL)
            return NULL;
        *matches += found;
    }
}

/* [*]: what the elements lead to, as an array unless it is one value that nothing else stands beside. */
static const uint8_t *walk_list(struct walk *walk, const uint8_t *p, const struct path_step *steps, int32_t count,
                                enum style style, int depth, bool *found)
{
    int64_t matches = 0;
    bool flatten = count > 1 && steps[1].kind == STEP_ELEMENTS;
    int32_t passed = flatten ? 2 : 1;
    enum style inner = flatten || style == FLAT ? FLAT : QUOTED;
    size_t start = walk->out->size;
    if (style != RAW)
        separate(walk->out);
    size_t bracket = walk->out->size;
    text_add_char(walk->out, '[');
    p = walk_elements(walk, p, steps + passed, count - passed, inner, -1, depth, &matches);
    if (p == NULL)
        return NULL;
    *found = matches > 0;
    bool bare = !flatten && style != QUOTED && matches <= 1;
    if (bare) {
        memmove(walk->out->data + bracket, walk->out->data + bracket + 1, walk->out->size - bracket - 1);
        walk->out->size--;
    } else {
        text_add_char(walk->out, ']');
    }
    if (matches == 0)
        walk->out->size = start;
    return p;
}

static const uint8_t *walk_value(struct walk *walk, const uint8_t *p, const struct path_step *steps, int32_t count,
                                 enum style style, int depth, bool *found)
{
    if (count == 0)
        return value_write(walk, p, style, depth, found);
    if (p >= walk->end || depth >= JSON_DEPTH_MAX)
        return NULL;
    if (*p == '{' && steps[0].kind == STEP_NAME)
        return walk_member(walk, p + 1, steps, count, style, depth + 1, found);
    if (*p == '[' && steps[0].kind == STEP_ELEMENTS)
        return walk_list(walk, p + 1, steps, count, style, depth + 1, found);
    if (*p == '[' && steps[0].kind == STEP_INDEX) {
        int64_t matches = 0;
        bool list_next = count > 1 && steps[1].kind == STEP_ELEMENTS;
        p = walk_elements(walk, p + 1, steps + 1, count - 1, list_next ? QUOTED : style, steps[0].index, depth + 1,
                          &matches);
        *found = matches > 0;
        return p;
    }
    return value_skip(p, walk->end, depth);
}

bool json_path_get(const struct json_path *path, struct bytes json, struct text *out)
{
    struct walk walk = {.end = json.data + json.size, .out = out};
    bool found = false;
    size_t start = out->size;
    const uint8_t *p = json_blanks(json.data, walk.end);
    bool whole = p < walk.end && walk_value(&walk, p, path->steps, path->count, RAW, 0, &found) != NULL;
    text_free(&walk.name);
    if (!whole || !found)
        out->size = start;
    return whole && found;
}

/* ---- counts and names ---- */

struct bytes json_first_value(struct bytes json)
{
    const uint8_t *end = json.data + json.size, *p = json_blanks(json.data, end);
    const uint8_t *behind = p < end ? json_skip(p, end, 0) : NULL;
    return bytes_of(p, (size_t)((behind != NULL ? behind : end) - p));
}

int64_t json_array_count(struct bytes json)
{
    const uint8_t *end = json.data + json.size, *p = json_blanks(json.data, end);
    bool last;
    if (p == end || *p != '[')
        return -1;
    p++;
    for (int64_t count = 0;; count++) {
        p = item_start(p, end, ']', count == 0, &last);
        if (p == NULL || last)
            return p == NULL ? -1 : count;
        p = value_skip(p, end, 1);
        if (p == NULL)
            return -1;
    }
}

/* Calls nothing for what is no object: the first byte of its first member, or NULL. */
static const uint8_t *object_start(struct bytes json)
{
    const uint8_t *end = json.data + json.size, *p = json_blanks(json.data, end);
    return p < end && *p == '{' ? p + 1 : NULL;
}

/* The next member: its name into `name`, *value its value; returns what is behind it. NULL: broken, or *last. */
static const uint8_t *member_next(const uint8_t *p, const uint8_t *end, bool first, struct text *name,
                                  const uint8_t **value, bool *last)
{
    p = item_start(p, end, '}', first, last);
    if (p == NULL || *last)
        return NULL;
    const uint8_t *quote = p;
    p = json_skip_name(p, end);
    if (p == NULL)
        return NULL;
    text_clear(name);
    json_text_string(quote + 1, end, *quote, name);
    *value = json_blanks(p, end);
    return value_skip(*value, end, 1);
}

bool json_object_names(struct bytes json, struct builder *out)
{
    struct text name = {0};
    const uint8_t *end = json.data + json.size, *value, *start = object_start(json);
    bool last = false;
    if (start == NULL)
        return false;
    for (int pass_number = 0; pass_number < 2; pass_number++) { // a builder takes nothing back, so look first
        const uint8_t *p = start;
        last = false;
        for (bool first = true; (p = member_next(p, end, first, &name, &value, &last)) != NULL; first = false)
            if (pass_number == 1)
                builder_bytes(out, text_view(&name));
        if (!last)
            break;
    }
    text_free(&name);
    return last;
}

bool json_members_get(struct bytes json, const struct bytes *names, int32_t count, struct text *values, bool *found)
{
    struct text name = {0};
    const uint8_t *end = json.data + json.size, *value, *p = object_start(json);
    bool last = false;
    if (p == NULL)
        return false;
    for (bool first = true; (p = member_next(p, end, first, &name, &value, &last)) != NULL; first = false) {
        if (*value == 'n')
            continue;
        for (int32_t i = 0; i < count; i++) {
            if (names[i].data == NULL || !bytes_equal(text_view(&name), names[i]))
                continue;
            text_clear(&values[i]);
            json_text_value(value, end, 1, &values[i]);
            found[i] = true;
        }
    }
    for (int32_t i = 0; i < count && !last; i++)
        found[i] = false;
    text_free(&name);
    return true;
}

/* json_locate.c - where in a payload something stands, for messages about single records; no speed is needed here. */
#include <stdio.h>

#include "format/format.h"
#include "format/json_scan.h"
#include "format/json_skip.h"

enum { PATH_LEVELS = 32 }; /* that a path shows */

/* An object or array that is open. */
struct level {
    bool list;
    int64_t index;     /* of the element, in an array */
    struct bytes name; /* of the member, in an object */
};
struct walk {
    struct bytes json;
    const uint8_t *p, *end;
    struct level levels[JSON_DEPTH_MAX];
    int32_t depth;
    const char *wanted;   /* the path looked for, or NULL */
    const uint8_t *found; /* its value's first byte */
    int32_t found_depth;
};

static void blanks_pass(struct walk *self)
{
    while (self->p < self->end && (*self->p == ' ' || *self->p == '\t' || *self->p == '\n' || *self->p == '\r'))
        self->p++;
}

static void path_print(const struct walk *self, int32_t depth, struct text *out)
{
    for (int32_t i = 0; i < depth; i++) {
        if (i == PATH_LEVELS) {
            text_add_string(out, "..");
            return;
        }
        const struct level *level = &self->levels[i];
        if (level->list) {
            text_printf(out, "[%lld]", (long long)level->index);
            continue;
        }
        if (out->size > 0)
            text_add_char(out, '.');
        text_add(out, level->name.data, level->name.size);
    }
}

static bool is_wanted(const struct walk *self)
{
    struct text path = {0};
    if (self->wanted == NULL || self->found != NULL)
        return false;
    path_print(self, self->depth, &path);
    bool same = path.size > 0 && strcmp(path.data, self->wanted) == 0;
    text_free(&path);
    return same;
}

/* False where the member's name or colon is broken. */
static bool name_read(struct walk *self)
{
    const uint8_t *from = self->p, *behind = json_skip_name(self->p, self->end);
    if (behind == NULL)
        return false;
    const uint8_t *quote = behind - 1;
    while (*quote != *from)
        quote--;
    self->levels[self->depth - 1].name = bytes_of(from + 1, (size_t)(quote - from) - 1);
    self->p = behind;
    return true;
}

static bool scalar_pass(struct walk *self)
{
    const uint8_t *behind = json_skip(self->p, self->end, self->depth);
    if (behind == NULL)
        return false;
    self->p = behind;
    return true;
}

/* At a value's first byte. A container is entered: its first member is next. *whole: the value is passed already. */
static bool value_begin(struct walk *self, bool *whole)
{
    *whole = true;
    if (is_wanted(self)) {
        self->found = self->p;
        self->found_depth = self->depth;
    }
    if (self->p == self->end)
        return false;
    bool list = *self->p == '[';
    if (!list && *self->p != '{')
        return scalar_pass(self);
    if (self->depth == JSON_DEPTH_MAX)
        return false;
    self->p++;
    blanks_pass(self);
    if (self->p < self->end && *self->p == (list ? ']' : '}')) {
        self->p++;
        return true;
    }
    *whole = false;
    self->levels[self->depth++] = (struct level){.list = list};
    return list || name_read(self);
}

static bool is_found(const struct walk *self) { return self->found != NULL && self->depth == self->found_depth; }

/* Behind a value: the next member, or out of the container. */
static bool value_end(struct walk *self)
{
    for (; self->depth > 0 && !is_found(self);) {
        struct level *level = &self->levels[self->depth - 1];
        blanks_pass(self);
        if (self->p == self->end)
            return false;
        if (*self->p == ',') {
            self->p++;
            blanks_pass(self);
            level->index++;
            return level->list || name_read(self);
        }
        if (*self->p != (level->list ? ']' : '}'))
            return false;
        self->p++;
        self->depth--;
    }
    return true;
}

/* Until the first value is passed, or found, or something is broken: then self->p is where. */
static bool walk(struct walk *self)
{
    bool whole;
    blanks_pass(self);
    do {
        blanks_pass(self);
        if (!value_begin(self, &whole))
            return false;
        if (whole && !value_end(self))
            return false;
    } while (self->depth > 0 && !is_found(self));
    return true;
}

static void walk_begin(struct walk *self, struct bytes json)
{
    self->json = json;
    self->p = json.data;
    self->end = json.data + json.size;
}

bool json_path_find(struct bytes json, const char *path, struct bytes *value)
{
    struct walk *self = mem_new(struct walk);
    walk_begin(self, json);
    self->wanted = path;
    bool found = walk(self) && self->found != NULL;
    if (found)
        *value = bytes_of(self->found, (size_t)(self->p - self->found));
    mem_free(self);
    return found;
}

bool json_fault_find(struct bytes json, struct text *path, struct bytes *rest)
{
    struct walk *self = mem_new(struct walk);
    walk_begin(self, json);
    bool broken = !walk(self);
    if (broken) {
        path_print(self, self->depth, path);
        *rest = bytes_of(self->p, (size_t)(self->end - self->p));
    }
    mem_free(self);
    return broken;
}

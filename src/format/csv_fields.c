#include "format/csv_fields.h"

/* "\t" and "\\" may be written with a backslash in front, as on Spark. */
static const char *unescaped(const char *text)
{
    if (strcmp(text, "\\t") == 0)
        return "\t";
    return strcmp(text, "\\\\") == 0 ? "\\" : text;
}

static enum code one_byte(const char *name, const char *value, int *out, struct error *err)
{
    value = unescaped(value);
    if (strlen(value) > 1)
        return fail(err, E_SPEC, "csv: %s must be one byte, not \"%s\"", name, value);
    *out = value[0] != '\0' ? (uint8_t)value[0] : -1;
    return E_OK;
}

enum code csv_fields_open(struct csv_fields *self, const struct csv_field_options *options, struct error *err)
{
    const char *separator = unescaped(options->separator);
    size_t size = strlen(separator);
    *self = (struct csv_fields){.trim_leading = options->trim_leading, .trim_trailing = options->trim_trailing};
    if (size == 0 || size >= sizeof self->separator)
        return fail(err, E_SPEC, "csv: sep must have from 1 to %zu bytes", sizeof self->separator - 1);
    memcpy(self->separator, separator, size + 1);
    self->separator_size = size;
    TRY(one_byte("quote", options->quote, &self->quote, err));
    return one_byte("escape", options->escape, &self->escape, err);
}

void csv_fields_close(struct csv_fields *self) { text_free(&self->scratch); }

static bool separator_at(const struct csv_fields *self, const uint8_t *p)
{
    return *p == (uint8_t)self->separator[0] && (size_t)(self->end - p) >= self->separator_size &&
           memcmp(p, self->separator, self->separator_size) == 0;
}

/* The next separator, or the line's end. */
static const uint8_t *separator_find(const struct csv_fields *self, const uint8_t *p)
{
    while (p < self->end) {
        p = memchr(p, self->separator[0], (size_t)(self->end - p));
        if (p == NULL)
            break;
        if (separator_at(self, p))
            return p;
        p++;
    }
    return self->end;
}

/* The field ends at `p`: a separator, or the line's end. */
static void field_end(struct csv_fields *self, const uint8_t *p)
{
    self->at = p < self->end ? p + self->separator_size : NULL;
}

static struct bytes trimmed(const struct csv_fields *self, const uint8_t *from, const uint8_t *to)
{
    while (self->trim_trailing && to > from && to[-1] <= ' ')
        to--;
    return bytes_of(from, (size_t)(to - from));
}

static void plain_field(struct csv_fields *self, struct csv_field *out)
{
    const uint8_t *stop = separator_find(self, self->at);
    *out = (struct csv_field){trimmed(self, self->at, stop), false};
    field_end(self, stop);
}

/* Where a quote's field would end when the quote closes it: behind blanks. NULL: the quote closes
 * nothing. */
static const uint8_t *closing(const struct csv_fields *self, const uint8_t *behind)
{
    while (behind < self->end && *behind <= ' ' && !separator_at(self, behind))
        behind++;
    return behind == self->end || separator_at(self, behind) ? behind : NULL;
}

/* A quote that closes nothing: the field is a text as it stands from there on, with the quotes
 * around what was read. */
static void odd_field(struct csv_fields *self, const uint8_t *quote, struct csv_field *out)
{
    const uint8_t *stop = separator_find(self, quote);
    struct bytes rest = trimmed(self, quote, stop);
    size_t size = self->scratch.size;
    text_add_char(&self->scratch, (char)self->quote);
    memmove(self->scratch.data + 1, self->scratch.data, size);
    self->scratch.data[0] = (char)self->quote;
    text_add(&self->scratch, rest.data, rest.size);
    *out = (struct csv_field){text_view(&self->scratch), true};
    field_end(self, stop);
}

/* Bytes from `p` on that are neither quote nor escape. */
static const uint8_t *plain_run(const struct csv_fields *self, const uint8_t *p)
{
    while (p < self->end && *p != self->quote && *p != self->escape)
        p++;
    return p;
}

/* p is behind the opening quote; most fields have nothing to undo and are views into the line. */
static void quoted_field(struct csv_fields *self, const uint8_t *p, struct csv_field *out)
{
    const uint8_t *run = plain_run(self, p), *stop;
    if (run < self->end && *run == self->quote && (stop = closing(self, run + 1)) != NULL) {
        *out = (struct csv_field){bytes_of(p, (size_t)(run - p)), true};
        field_end(self, stop);
        return;
    }
    text_clear(&self->scratch);
    for (;;) {
        text_add(&self->scratch, p, (size_t)(run - p));
        p = run;
        if (p == self->end) // the closing quote is missing
            break;
        bool pair = p + 1 < self->end && *p == self->escape;
        if (pair && (p[1] == self->quote || p[1] == self->escape)) {
            text_add_char(&self->scratch, (char)p[1]);
            p += 2;
        } else if (*p == self->quote && (stop = closing(self, p + 1)) != NULL) {
            break;
        } else if (*p == self->quote && p + 1 < self->end && p[1] == self->quote) {
            text_add_char(&self->scratch, (char)*p++); // one of several; the last one decides
        } else if (*p == self->quote) {
            odd_field(self, p, out);
            return;
        } else {
            text_add_char(&self->scratch, (char)*p++);
        }
        run = plain_run(self, p);
    }
    *out = (struct csv_field){text_view(&self->scratch), true};
    field_end(self, p == self->end ? p : stop);
}

bool csv_fields_next(struct csv_fields *self, struct csv_field *out)
{
    if (self->at == NULL)
        return false;
    while (self->trim_leading && self->at < self->end && *self->at <= ' ' && !separator_at(self, self->at))
        self->at++;
    if (self->at < self->end && *self->at == self->quote)
        quoted_field(self, self->at + 1, out);
    else
        plain_field(self, out);
    return true;
}

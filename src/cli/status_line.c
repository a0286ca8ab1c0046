#include "cli/status_line.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "cli/quantity.h"
#include "cli/trouble_lines.h"

enum { GAP = 2 };

/* A row that is being filled from the left. */
struct row {
    struct text *text;
    size_t begin;    /* where it begins in `text` */
    int32_t columns; /* INT32_MAX: no limit */
    bool full;       /* a field did not fit: nor may those that matter less */
};

static int32_t width_of(const char *text, size_t size)
{
    int32_t width = 0;
    for (size_t i = 0; i < size; i++)
        width += ((unsigned char)text[i] & 0xC0) != 0x80; // a character, not a byte
    return width;
}

static void field_add(struct row *self, const char *format, ...) PRINTF(2, 3);
static void field_add(struct row *self, const char *format, ...)
{
    char field[160];
    va_list args;
    va_start(args, format);
    vsnprintf(field, sizeof field, format, args);
    va_end(args);
    int32_t used = width_of(self->text->data + self->begin, self->text->size - self->begin);
    self->full = self->full || used + GAP + width_of(field, strlen(field)) > self->columns;
    if (!self->full)
        text_printf(self->text, "%*s%s", GAP, "", field);
}

static void row_cut(struct row *self)
{
    int32_t width = 0;
    for (size_t i = self->begin; i < self->text->size; i++) {
        width += ((unsigned char)self->text->data[i] & 0xC0) != 0x80;
        if (width > self->columns) {
            self->text->size = i;
            self->text->data[i] = '\0';
            return;
        }
    }
}

static void fields_add(struct row *row, const struct run_status *s)
{
    char count[QUANTITY_TEXT_MAX], time[TIMESTAMP_TEXT_MAX + 1];
    field_add(row, "%s/s", quantity_count((int64_t)s->records_per_second, count));
    field_add(row, "lag %s", s->lag_records < 0 ? "?" : quantity_count(s->lag_records, count));
    if (s->quarantined_total > 0)
        field_add(row, "failed %s", quantity_count(s->quarantined_total, count));
    if (s->late_total > 0)
        field_add(row, "late %s", quantity_count(s->late_total, count));
    quantity_time(s->watermark_us - s->watermark_us % 1000000, time); // a person reads seconds
    field_add(row, "watermark %s", time);
    field_add(row, "%s records", quantity_count(s->records_total, count));
    field_add(row, "files %s", quantity_count(s->files_total, count));
}

void status_line(const struct run_status *s, bool stopping, unsigned turn, int32_t columns, struct text *out)
{
    static const char spinner[] = "|/-\\";
    char size[QUANTITY_TEXT_MAX];
    struct row row = {out, out->size, columns > 0 ? columns : INT32_MAX, false};
    text_printf(out, "%c epoch %" PRId64, spinner[turn % 4], s->epoch);
    if (stopping)
        field_add(&row, "stopping: %s", s->phase);
    if (s->trouble_count > 0) {
        text_printf(out, "%*s", GAP, "");
        trouble_words(s, out); // cut rather than left out: it is what one looks for
    } else {
        fields_add(&row, s);
    }
    field_add(&row, "memory %s", quantity_size(s->rss_bytes, size));
    if (!stopping)
        field_add(&row, "%s", s->phase);
    row_cut(&row);
}

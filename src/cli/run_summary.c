#include "cli/run_summary.h"

#include <inttypes.h>

#include "cli/quantity.h"

enum {
    COLUMN_NAME,
    COLUMN_IN,
    COLUMN_OUT,
    COLUMN_STATE,
    COLUMN_FILTERED,
    COLUMN_LATE,
    COLUMN_DUPLICATES,
    COLUMN_FAILED,
    COLUMN_FILES,
    COLUMN_SIZE,
    COLUMN_COUNT
};
enum { INDENT = 2, GAP = 2, NAME_MIN = 8 };

static const char *const heads[COLUMN_COUNT] = {"table", "in",         "out",    "into state", "filtered",
                                                "late",  "duplicates", "failed", "files",      "size"};

static int64_t value_of(const struct table_commit *t, int column)
{
    const struct ledger *l = &t->total;
    switch (column) {
    case COLUMN_IN: return l->in + l->replayed + l->exploded;
    case COLUMN_OUT: return l->out;
    case COLUMN_STATE: return l->aggregated;
    case COLUMN_FILTERED: return l->filtered;
    case COLUMN_LATE: return l->late + l->null_time;
    case COLUMN_DUPLICATES: return l->duplicates;
    case COLUMN_FAILED: return l->quarantined;
    case COLUMN_FILES: return t->files_total;
    default: return t->bytes_total;
    }
}

/* Rows that leat set aside are told of when there are any. */
static bool is_told(const struct table_commit *t) { return t->table != NULL || t->total.out > 0; }

static void cell(const struct table_commit *t, int column, bool brief, char out[QUANTITY_TEXT_MAX])
{
    out[0] = '\0';
    if (column == COLUMN_SIZE)
        quantity_size(t->bytes_total, out);
    else if (column == COLUMN_IN && t->table == NULL)
        return;
    else if (brief)
        quantity_brief(value_of(t, column), out);
    else
        quantity_count(value_of(t, column), out);
}

struct layout {
    int32_t width[COLUMN_COUNT]; /* 0: left out */
    bool brief;                  /* counts as 1.2M */
};

static int32_t layout_width(const struct layout *self)
{
    int32_t sum = INDENT - GAP;
    for (int c = 0; c < COLUMN_COUNT; c++)
        sum += self->width[c] > 0 ? GAP + self->width[c] : 0;
    return sum;
}

static void layout_measure(struct layout *self, const struct run_end *end, bool brief)
{
    *self = (struct layout){.brief = brief};
    for (int c = 0; c < COLUMN_COUNT; c++) {
        bool shown = c <= COLUMN_OUT || c > COLUMN_FAILED;
        int32_t width = (int32_t)strlen(heads[c]);
        for (int32_t i = 0; i < end->table_count; i++) {
            const struct table_commit *t = &end->tables[i];
            char text[QUANTITY_TEXT_MAX];
            if (!is_told(t))
                continue;
            shown = shown || value_of(t, c) != 0;
            cell(t, c, brief, text);
            int32_t size = (int32_t)strlen(c == COLUMN_NAME ? t->name : text);
            width = size > width ? size : width;
        }
        self->width[c] = shown ? width : 0;
    }
}

static void layout_fit(struct layout *self, const struct run_end *end, int32_t columns)
{
    layout_measure(self, end, false);
    if (columns <= 0 || layout_width(self) <= columns)
        return;
    layout_measure(self, end, true);
    int32_t over = layout_width(self) - columns, name = self->width[COLUMN_NAME];
    if (over > 0 && name > NAME_MIN)
        self->width[COLUMN_NAME] = name - over > NAME_MIN ? name - over : NAME_MIN;
}

/* `t` NULL: the heads. */
static void row_print(const struct layout *layout, const struct table_commit *t, struct text *out)
{
    int32_t width = layout->width[COLUMN_NAME];
    const char *name = t != NULL ? t->name : heads[COLUMN_NAME];
    if ((int32_t)strlen(name) > width)
        text_printf(out, "%*s%.*s..", INDENT, "", width - 2, name);
    else
        text_printf(out, "%*s%-*s", INDENT, "", width, name);
    for (int c = COLUMN_NAME + 1; c < COLUMN_COUNT; c++) {
        char text[QUANTITY_TEXT_MAX];
        if (layout->width[c] == 0)
            continue;
        if (t != NULL)
            cell(t, c, layout->brief, text);
        text_printf(out, "%*s%*s", GAP, "", layout->width[c], t != NULL ? text : heads[c]);
    }
    text_add_char(out, '\n');
}

static int64_t failed_of(const struct run_end *end)
{
    int64_t sum = 0;
    for (int32_t i = 0; i < end->table_count; i++)
        sum += end->tables[i].total.quarantined;
    return sum;
}

void run_summary(const struct run_end *end, int32_t columns, struct text *out)
{
    char records[QUANTITY_TEXT_MAX], rate[QUANTITY_TEXT_MAX], rss[QUANTITY_TEXT_MAX];
    struct layout layout;
    double took_s = (double)(end->took_us > 0 ? end->took_us : 1) / 1e6;
    text_printf(out, "%s record%s in %" PRId64 " epoch%s, %.1f s, %s records/s, peak memory %s\n\n",
                quantity_count(end->records, records), end->records == 1 ? "" : "s", end->epochs,
                end->epochs == 1 ? "" : "s", took_s, quantity_count((int64_t)((double)end->records / took_s), rate),
                quantity_size(end->rss_peak_bytes, rss));
    layout_fit(&layout, end, columns);
    row_print(&layout, NULL, out);
    for (int32_t i = 0; i < end->table_count; i++)
        if (is_told(&end->tables[i]))
            row_print(&layout, &end->tables[i], out);
    int64_t failed = failed_of(end);
    if (failed > 0)
        text_printf(out, "\n%s failed; see why: leat quarantine %s\n", quantity_count(failed, records), end->directory);
    text_add_char(out, '\n');
}

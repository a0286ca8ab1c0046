/* quarantine_list.c - `leat quarantine DIR list`: how many rows, why, of which tables and topics, since when. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "cli/quantity.h"
#include "cli/quarantine.h"
#include "cli/state_entries.h"

enum { WORDS = 4, WORD_SHOWN_MAX = 28 };
enum { OF_QUARANTINE, OF_REASON, OF_TABLES, OF_TOPIC };
static const char *const word_names[WORDS] = {"quarantine", "reason", "tables", "topic"};

/* Rows that have all these words in common. */
struct heap {
    const char *words[WORDS];
    int64_t rows, done, waiting;
    int64_t first_us, last_us;
};
struct heaps {
    struct arena arena;
    struct heap *items;
    int32_t count, capacity, last;
    struct text tables;
};
enum { HEAPS_MAX = 10000 };

static const char *word_of(struct heaps *self, struct bytes word)
{
    return arena_strndup(&self->arena, (const char *)word.data, word.size);
}

static bool same_words(const struct heap *heap, const struct bytes *words)
{
    for (int i = 0; i < WORDS; i++)
        if (!bytes_equal_string(words[i], heap->words[i]))
            return false;
    return true;
}

static struct heap *heap_of(struct heaps *self, const struct bytes *words, struct error *err)
{
    for (int32_t i = 0; i < self->count; i++) {
        int32_t at = (self->last + i) % self->count; // neighbours mostly share theirs
        if (!same_words(&self->items[at], words))
            continue;
        self->last = at;
        return &self->items[at];
    }
    if (self->count == HEAPS_MAX) {
        fail(err, E_UNSUPPORTED, "more than %d combinations of reason, tables and topic; narrow it with --where",
             HEAPS_MAX);
        return NULL;
    }
    mem_grow(self->items, self->capacity, self->count + 1);
    struct heap *heap = &self->items[self->count++];
    *heap = (struct heap){.first_us = INT64_MAX, .last_us = INT64_MIN};
    for (int i = 0; i < WORDS; i++)
        heap->words[i] = word_of(self, words[i]);
    return heap;
}

static enum code row_count(void *context, const struct batch *batch, int64_t row, struct error *err)
{
    struct heaps *self = context;
    text_clear(&self->tables);
    quarantine_tables(batch, row, &self->tables);
    const struct bytes words[WORDS] = {
        [OF_QUARANTINE] = quarantine_bytes(batch, QUARANTINE_NAME, row),
        [OF_REASON] = quarantine_bytes(batch, QUARANTINE_REASON, row),
        [OF_TABLES] = text_view(&self->tables),
        [OF_TOPIC] = quarantine_bytes(batch, QUARANTINE_TOPIC, row),
    };
    struct heap *heap = heap_of(self, words, err);
    if (heap == NULL)
        return err->code;
    struct bytes replay = quarantine_bytes(batch, QUARANTINE_REPLAY, row);
    int64_t at_us = quarantine_number(batch, QUARANTINE_REJECTED_AT, row);
    heap->rows++;
    heap->done += bytes_equal_string(replay, "done");
    heap->waiting += bytes_equal_string(replay, "waiting");
    heap->first_us = at_us < heap->first_us ? at_us : heap->first_us;
    heap->last_us = at_us > heap->last_us ? at_us : heap->last_us;
    return E_OK;
}

/* Quarantines in the order of the project, in each the largest heap first. */
static int by_size(const void *a, const void *b)
{
    const struct heap *x = a, *y = b;
    int name = strcmp(x->words[OF_QUARANTINE], y->words[OF_QUARANTINE]);
    return name != 0 ? name : (x->rows < y->rows) - (x->rows > y->rows);
}

/* ---- as a table ---- */

static const char *until_second(int64_t us, char out[TIMESTAMP_TEXT_MAX + 1])
{
    quantity_time(us, out);
    char *fraction = strchr(out, '.');
    if (fraction != NULL)
        *fraction = '\0';
    return out;
}

/* The end of a long word says more: topics of files are paths. */
static void word_print(const char *word, int width, struct text *out)
{
    size_t size = strlen(word);
    bool cut = size > (size_t)width;
    text_printf(out, "%s%-*s  ", cut ? ".." : "", cut ? width - 2 : width,
                word[0] == '\0' ? "-"
                : cut           ? word + size - (size_t)width + 2
                                : word);
}

static int count_width(int64_t most, const char *name)
{
    char text[QUANTITY_TEXT_MAX];
    int width = (int)strlen(quantity_count(most, text)), least = (int)strlen(name);
    return width > least ? width : least;
}

static void count_print(int64_t count, int width, struct text *out)
{
    char text[QUANTITY_TEXT_MAX];
    text_printf(out, "%*s  ", width, count > 0 ? quantity_count(count, text) : "-");
}

struct widths {
    int words[WORDS], rows, done, waiting; /* waiting 0: nothing waits, no column */
};

static void widths_find(const struct heaps *self, struct widths *out)
{
    int64_t rows = 0, done = 0, waiting = 0;
    for (int w = 0; w < WORDS; w++) {
        int width = (int)strlen(word_names[w]);
        for (int32_t i = 0; i < self->count; i++) {
            int size = (int)strlen(self->items[i].words[w]);
            width = size > width ? size : width;
        }
        out->words[w] = width > WORD_SHOWN_MAX ? WORD_SHOWN_MAX : width;
    }
    for (int32_t i = 0; i < self->count; i++) {
        rows = self->items[i].rows > rows ? self->items[i].rows : rows;
        done = self->items[i].done > done ? self->items[i].done : done;
        waiting = self->items[i].waiting > waiting ? self->items[i].waiting : waiting;
    }
    out->rows = count_width(rows, "rows");
    out->done = count_width(done, "replayed");
    out->waiting = waiting > 0 ? count_width(waiting, "waiting") : 0;
}

static void heaps_print(const struct heaps *self, struct text *out)
{
    struct widths widths;
    char first[TIMESTAMP_TEXT_MAX + 1], last[TIMESTAMP_TEXT_MAX + 1];
    widths_find(self, &widths);
    for (int w = 0; w < WORDS; w++)
        text_printf(out, "%-*s  ", widths.words[w], word_names[w]);
    text_printf(out, "%*s  %*s  ", widths.rows, "rows", widths.done, "replayed");
    if (widths.waiting > 0)
        text_printf(out, "%*s  ", widths.waiting, "waiting");
    text_printf(out, "%-19s  %s\n", "first (UTC)", "last");
    for (int32_t i = 0; i < self->count; i++) {
        const struct heap *heap = &self->items[i];
        for (int w = 0; w < WORDS; w++)
            word_print(heap->words[w], widths.words[w], out);
        count_print(heap->rows, widths.rows, out);
        count_print(heap->done, widths.done, out);
        if (widths.waiting > 0)
            count_print(heap->waiting, widths.waiting, out);
        text_printf(out, "%s  %s\n", until_second(heap->first_us, first), until_second(heap->last_us, last));
    }
}

/* ---- as JSON ---- */

static void heap_json(const struct heap *heap, struct text *out)
{
    char at[TIMESTAMP_TEXT_MAX + 1];
    for (int w = 0; w < WORDS; w++) {
        text_printf(out, "%s\"%s\":", w == 0 ? "{" : ",", word_names[w]);
        quote_json(out, heap->words[w]);
    }
    text_printf(out, ",\"rows\":%" PRId64 ",\"replayed\":%" PRId64 ",\"waiting\":%" PRId64, heap->rows, heap->done,
                heap->waiting);
    text_printf(out, ",\"first\":\"%s\"", quantity_time(heap->first_us, at));
    text_printf(out, ",\"last\":\"%s\"}\n", quantity_time(heap->last_us, at));
}

static void none_print(const struct project *project, const struct quarantine_flags *flags, struct text *out)
{
    text_printf(out, "%s: no rows are in quarantine%s\n", project->settings.tables_path,
                flags->where != NULL || flags->table != NULL || flags->reason != NULL ? " that are asked for" : "");
    quarantine_topics_print(project, flags, out);
}

enum code quarantine_list(const struct project *project, const struct quarantine_flags *flags, struct error *err)
{
    struct heaps self = {0};
    struct text out = {0};
    const struct quarantine_visitor visitor = {.row = row_count, .context = &self};
    enum code code = quarantine_visit(project, flags, &visitor, err);
    if (code == E_OK && self.count == 0)
        code = quarantine_table_check(project, flags, err);
    if (code == E_OK && self.count > 1)
        qsort(self.items, (size_t)self.count, sizeof *self.items, by_size);
    if (code == E_OK && flags->format == QUARANTINE_AS_JSON)
        for (int32_t i = 0; i < self.count; i++)
            heap_json(&self.items[i], &out);
    else if (code == E_OK && self.count > 0)
        heaps_print(&self, &out);
    else if (code == E_OK)
        none_print(project, flags, &out);
    if (out.size > 0)
        fwrite(out.data, 1, out.size, stdout);
    text_free(&out);
    text_free(&self.tables);
    mem_free(self.items);
    arena_free(&self.arena);
    return code;
}

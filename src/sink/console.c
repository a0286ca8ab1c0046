/* console.c - a sink that prints each epoch as a table on stdout. Also the template for a new sink.
 *
 * write     lanes hand in batches under a lock; the first numRows rows are kept as text
 * prepare   the finished text becomes the token: it is in the chain record before anything is printed
 * commit    prints the token's text. A terminal cannot be asked what it has shown, so a crash between
 *           printing and the next record prints the epoch again: at least once, the only sink that is not
 *           exactly once
 * Owns      nothing outside memory; abort forgets the rows
 */
#include <inttypes.h>
#include <jansson.h>
#include <stddef.h>
#include <stdio.h>

#include "base/thread.h"
#include "sink/sinks.h"

enum { TEXT_MAX = 1024 * 1024 }; // bytes of one epoch's table; the rest is cut

struct console {
    struct arena arena;
    struct {
        int64_t rows;
        bool truncate;
    } settings;
    struct lock lock;
    struct show show;
};

static const struct option console_options[] = {
    {"numRows", OPTION_INT, "20", NULL, 0, 100000, "rows shown of each epoch", offsetof(struct console, settings.rows),
     false},
    {"truncate", OPTION_BOOLEAN, "true", NULL, 0, 0, "cut cells to 20 characters",
     offsetof(struct console, settings.truncate), false},
    {0},
};

static enum code console_open(void *instance, const struct sink_spec *spec, struct error *err)
{
    struct console *self = instance;
    *self = (struct console){0};
    enum code code = sink_options(spec, console_options, NULL, self, &self->arena, err);
    if (code != E_OK) {
        arena_free(&self->arena);
        return code;
    }
    lock_init(&self->lock);
    show_init(&self->show, spec->schema, spec->zone, self->settings.rows, self->settings.truncate ? 20 : 0);
    return E_OK;
}

static enum code console_write(void *instance, int32_t lane, int64_t epoch, const struct batch *batch,
                               struct error *err)
{
    (void)lane, (void)epoch, (void)err;
    struct console *self = instance;
    lock_take(&self->lock);
    show_add(&self->show, batch);
    lock_give(&self->lock);
    return E_OK;
}

static enum code console_prepare(void *instance, int64_t epoch, struct text *token, struct sink_totals *totals,
                                 struct error *err)
{
    struct console *self = instance;
    struct text text = {.limit = TEXT_MAX};
    if (self->show.total > 0) {
        text_printf(&text,
                    "-------------------------------------------\nBatch: %" PRId64
                    "\n-------------------------------------------\n",
                    epoch);
        show_print(&self->show, &text);
        text_add_char(&text, '\n');
    }
    while (text.overflow && text.size > 0 && text.data[text.size - 1] != '\n')
        text.size--;
    *totals = (struct sink_totals){.rows = self->show.total, .bytes = (int64_t)text.size};
    show_clear(&self->show);
    json_t *json = json_pack("{s:s%}", "text", text.data != NULL ? text.data : "", text.size);
    text_free(&text);
    char *dump = json_dumps(json, JSON_COMPACT);
    json_decref(json);
    if (dump == NULL)
        return fail(err, E_BUG, "console: the token cannot be written");
    text_add_string(token, dump);
    mem_free(dump);
    return E_OK;
}

static enum code console_commit(void *instance, int64_t epoch, struct bytes token, struct error *err)
{
    (void)instance;
    json_t *json = token.size == 0 ? json_object() : json_loadb((const char *)token.data, token.size, 0, NULL);
    if (json == NULL)
        return fail(err, E_CORRUPT, "console: the token of epoch %" PRId64 " is no JSON", epoch);
    const char *text = json_string_value(json_object_get(json, "text"));
    bool printed = text == NULL || (fputs(text, stdout) >= 0 && fflush(stdout) == 0);
    json_decref(json);
    return printed ? E_OK : fail(err, E_IO, "console: stdout cannot be written");
}

static void console_abort(void *instance, int64_t epoch)
{
    (void)epoch;
    struct console *self = instance;
    show_clear(&self->show);
}

static void console_close(void *instance)
{
    struct console *self = instance;
    show_close(&self->show);
    lock_close(&self->lock);
    arena_free(&self->arena);
}

const struct sink_type console_sink = {
    .name = "console",
    .help = "print each epoch as a table on stdout, at least once",
    .folderless = true,
    .options = console_options,
    .size = sizeof(struct console),
    .open = console_open,
    .write = console_write,
    .prepare = console_prepare,
    .commit = console_commit,
    .abort = console_abort,
    .close = console_close,
};

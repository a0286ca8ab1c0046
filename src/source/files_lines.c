/* files_lines.c - the lines of one file, a block at a time.
 *
 * A line ends with \n, \r\n or \r, or where the file ends. A byte order mark at the file's start is
 * no part of it. No more than the promised size is read: what somebody appends meanwhile is
 * noticed, not delivered.
 */
#include "source/files_place.h"

#include <inttypes.h>

#include "base/os.h"

static const uint8_t order_mark[] = {0xef, 0xbb, 0xbf};

static enum code file_lost(const char *path, const char *what, struct error *err)
{
    return fail(err, E_LOST,
                "file %s %s after it was found and before it was read. Files must appear whole (write them elsewhere "
                "and rename them into the folder) and stay as they are: restore it, or start over with new folders "
                "for leat.checkpoint and leat.tables.path",
                path, what);
}

static enum code stat_check(const struct lines *lines, struct error *err)
{
    struct os_stat stat;
    if (place_is_remote(lines->path))
        return E_OK; // its bytes are those of one object
    enum code code = os->stat(lines->path, &stat, err);
    if (code == E_ABSENT)
        return file_lost(lines->path, "was removed", err);
    TRY(code);
    if (stat.size_bytes != lines->size_bytes || stat.modified_us != lines->modified_us)
        return file_lost(lines->path, "was changed", err);
    return E_OK;
}

void lines_shut(struct lines *lines)
{
    place_close(&lines->place);
    lines->path = NULL;
    lines->first = lines->last = 0;
}

void lines_close(struct lines *lines)
{
    lines_shut(lines);
    mem_free(lines->block);
    if (lines->budget != NULL)
        budget_give(lines->budget, lines->capacity);
    *lines = (struct lines){.budget = lines->budget};
}

/* ---- the block ---- */

/* Room behind `last`: what was delivered makes place; a line that fills the block needs a larger
 * one. */
static enum code block_reserve(struct lines *lines, struct error *err)
{
    size_t held = lines->last - lines->first, capacity = lines->capacity;
    if (held > 0 && lines->first > 0)
        memmove(lines->block, lines->block + lines->first, held);
    lines->first = 0;
    lines->last = held;
    if (held < capacity)
        return E_OK;
    size_t more = capacity == 0 ? FILE_BLOCK : capacity;
    if (capacity >= FILE_LINE_MAX)
        return fail(err, E_UNSUPPORTED, "file %s, byte %" PRId64 ": a line of more than %d bytes", lines->path,
                    lines_at(lines), FILE_LINE_MAX);
    if (lines->budget != NULL)
        TRY(budget_take(lines->budget, more, "a block of a file", err));
    lines->capacity += more;
    lines->block = mem_resize(lines->block, lines->capacity);
    return E_OK;
}

static bool is_read(const struct lines *lines) { return lines->read_bytes == lines->size_bytes; }

static enum code block_read(struct lines *lines, struct error *err)
{
    TRY(block_reserve(lines, err));
    size_t room = lines->capacity - lines->last, got = 0;
    int64_t left = lines->size_bytes - lines->read_bytes;
    if ((int64_t)room > left)
        room = (size_t)left;
    enum code code = place_read(&lines->place, lines->read_bytes, lines->block + lines->last, room, &got, err);
    if (code == E_LOST)
        return file_lost(lines->path, "was changed or removed", err);
    TRY(code);
    if (got == 0)
        return file_lost(lines->path, "was cut", err);
    lines->read_bytes += (int64_t)got;
    lines->last += got;
    return is_read(lines) ? stat_check(lines, err) : E_OK;
}

static enum code mark_skip(struct lines *lines, struct error *err)
{
    while (!is_read(lines) && lines->last < sizeof order_mark)
        TRY(block_read(lines, err));
    if (lines->last >= sizeof order_mark && memcmp(lines->block, order_mark, sizeof order_mark) == 0)
        lines->first = sizeof order_mark;
    return E_OK;
}

enum code lines_open(struct lines *lines, const struct file_entry *entry, int64_t from, struct error *err)
{
    lines_shut(lines);
    enum code code = place_open(&lines->place, entry->name, entry->size_bytes, entry->modified_us, lines->budget, err);
    if (code == E_ABSENT || code == E_LOST)
        return file_lost(entry->name, code == E_ABSENT ? "was removed" : "was changed", err);
    TRY(code);
    lines->path = entry->name;
    lines->size_bytes = entry->size_bytes;
    lines->modified_us = entry->modified_us;
    lines->read_bytes = from;
    code = stat_check(lines, err);
    if (code == E_OK && from == 0)
        code = mark_skip(lines, err);
    if (code != E_OK)
        lines_shut(lines);
    return code;
}

/* ---- lines ---- */

/* Where the line that begins at `begin` ends, and how many bytes end it. False: not in [begin,
 * end). A \r that comes last may be half of \r\n, unless nothing follows. */
static bool line_end(const char *begin, const char *end, bool last, const char **stop, size_t *size)
{
    const char *feed = memchr(begin, '\n', (size_t)(end - begin));
    const char *limit = feed != NULL ? feed : end;
    const char *back = memchr(begin, '\r', (size_t)(limit - begin));
    if (back != NULL && (back + 1 < end || last)) {
        *stop = back;
        *size = back + 1 == feed ? 2 : 1;
        return true;
    }
    *stop = feed;
    *size = 1;
    return back == NULL && feed != NULL;
}

enum code lines_next(struct lines *lines, struct bytes *line, bool *more, struct error *err)
{
    for (;;) {
        const char *begin = lines->block + lines->first, *end = lines->block + lines->last, *stop;
        size_t ending, size = lines->last - lines->first;
        if (size > 0 && line_end(begin, end, is_read(lines), &stop, &ending)) {
            *line = bytes_of(begin, (size_t)(stop - begin));
            lines->first += line->size + ending;
            *more = true;
            return E_OK;
        }
        if (is_read(lines)) { // the last line needs no end
            *line = bytes_of(begin, size);
            *more = size > 0;
            lines->first = lines->last;
            return E_OK;
        }
        TRY(block_read(lines, err));
    }
}

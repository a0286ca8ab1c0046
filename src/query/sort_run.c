#include "query/sort_run.h"

#include "base/stop_watch.h"
#include "query/sort_key.h"

static void run_free(struct sort_run *run)
{
    rows_file_release(run->file);
    rows_list_free(&run->list);
    batch_release(&run->block);
    *run = (struct sort_run){0};
}

void sort_runs_free(struct sort_runs *self)
{
    for (int32_t i = 0; i < self->count; i++)
        run_free(&self->runs[i]);
    rows_file_release(self->file);
    mem_free(self->runs);
    mem_free(self->heap);
    *self = (struct sort_runs){0};
}

enum code sort_runs_add(struct sort_runs *self, const struct batch *rows, const int32_t *order, struct error *err)
{
    if (self->file == NULL)
        TRY(rows_file_new(self->query, &self->file, err));
    mem_grow(self->runs, self->capacity, self->count + 1);
    struct sort_run *run = &self->runs[self->count++];
    *run = (struct sort_run){.file = rows_file_retain(self->file)};
    for (int64_t from = 0; from < rows->rows; from += BATCH_ROWS_MAX) {
        TRY(stop_check(STOP_STEPS, err));
        int64_t count = rows->rows - from < BATCH_ROWS_MAX ? rows->rows - from : BATCH_ROWS_MAX;
        struct batch part;
        batch_gather(&part, rows, order + from, count);
        enum code code = rows_file_put(run->file, &run->list, &part, err);
        batch_release(&part);
        TRY(code);
    }
    return E_OK;
}

/* ---- which run is next ---- */

static const struct column *keys_of(const struct sort_run *run)
{
    return &run->block.columns[run->block.column_count - 1];
}

static bool stands_before(const struct sort_runs *self, int32_t a, int32_t b)
{
    const struct sort_run *x = &self->runs[a], *y = &self->runs[b];
    int order = sort_key_compare(column_bytes_at(keys_of(x), x->row), column_bytes_at(keys_of(y), y->row));
    return order != 0 ? order < 0 : a < b;
}

static void heap_sink(struct sort_runs *self, int32_t at)
{
    int32_t *heap = self->heap, moved = heap[at];
    for (int32_t child; (child = 2 * at + 1) < self->heap_count; at = child) {
        if (child + 1 < self->heap_count && stands_before(self, heap[child + 1], heap[child]))
            child++;
        if (!stands_before(self, heap[child], moved))
            break;
        heap[at] = heap[child];
    }
    heap[at] = moved;
}

/* The next block of a run; one without rows: the run has ended. */
static enum code run_read(struct sort_runs *self, struct sort_run *run, struct error *err)
{
    batch_release(&run->block);
    run->row = 0;
    if (run->next == run->list.count)
        return E_OK;
    return rows_file_get(run->file, &run->list.blocks[run->next++], self->schema, &run->block, err);
}

static enum code heap_build(struct sort_runs *self, int32_t runs, struct error *err)
{
    mem_free(self->heap);
    self->heap = mem_array(int32_t, (size_t)runs + 1);
    self->heap_count = 0;
    for (int32_t i = 0; i < runs; i++) {
        TRY(run_read(self, &self->runs[i], err));
        if (self->runs[i].block.rows > 0)
            self->heap[self->heap_count++] = i;
    }
    for (int32_t i = self->heap_count / 2 - 1; i >= 0; i--)
        heap_sink(self, i);
    return E_OK;
}

/* ---- rows ---- */

/* The rows at hand in order: which run each comes from, and how many of each. They end where a block does, since the next
 * one takes its place. Returns the run whose block has ended, -1: none. */
static int32_t rows_pick(struct sort_runs *self, int32_t *from, int64_t *count)
{
    int64_t picked = 0;
    int32_t ended = -1;
    while (picked < BATCH_ROWS_MAX && ended < 0) {
        int32_t first = self->heap[0];
        struct sort_run *run = &self->runs[first];
        from[picked++] = first;
        if (++run->row == run->block.rows)
            ended = first;
        else
            heap_sink(self, 0);
    }
    *count = picked;
    return ended;
}

/* Each run's rows stand together in its block: they are put one below the other, then gathered in turns. */
static void rows_weave(struct sort_runs *self, const int32_t *from, int64_t count, struct batch *out)
{
    int64_t *starts = mem_array(int64_t, 2 * (size_t)self->count + 2), *sizes = starts + self->count + 1;
    int32_t *places = mem_array(int32_t, (size_t)count);
    struct batch below;
    for (int64_t i = 0; i < count; i++)
        sizes[from[i]]++;
    for (int32_t r = 0; r < self->count; r++)
        starts[r + 1] = starts[r] + sizes[r];
    batch_init(&below, self->schema, count);
    for (int32_t r = 0; r < self->count; r++)
        for (int32_t c = 0; sizes[r] > 0 && c < below.column_count; c++)
            if (self->runs[r].block.columns[c].type != NULL) // else nobody needs it
                column_append(&below.columns[c], &self->runs[r].block.columns[c], self->runs[r].row - sizes[r],
                              self->runs[r].row);
    for (int64_t i = 0; i < count; i++)
        places[i] = (int32_t)starts[from[i]]++;
    batch_gather(out, &below, places, count);
    batch_release(&below);
    mem_free(starts);
    mem_free(places);
}

enum code sort_runs_next(struct sort_runs *self, struct batch *out, struct error *err)
{
    int64_t count;
    if (self->heap_count == 0)
        return E_OK;
    int32_t *from = mem_array(int32_t, BATCH_ROWS_MAX);
    int32_t ended = rows_pick(self, from, &count);
    rows_weave(self, from, count, out);
    mem_free(from);
    if (ended < 0)
        return E_OK;
    enum code code = run_read(self, &self->runs[ended], err);
    if (code != E_OK) {
        batch_release(out);
        return code;
    }
    if (self->runs[ended].block.rows == 0)
        self->heap[0] = self->heap[--self->heap_count];
    if (self->heap_count > 0)
        heap_sink(self, 0);
    return E_OK;
}

/* The first SORT_RUNS_MAX runs become one, which stays the first. */
static enum code runs_merge(struct sort_runs *self, struct error *err)
{
    struct sort_run merged = {0};
    TRY(rows_file_new(self->query, &merged.file, err));
    enum code code = heap_build(self, SORT_RUNS_MAX, err);
    for (bool more = code == E_OK; more;) {
        struct batch rows = {0};
        code = stop_check(STOP_STEPS, err);
        if (code == E_OK)
            code = sort_runs_next(self, &rows, err);
        more = code == E_OK && rows.rows > 0;
        if (more)
            code = rows_file_put(merged.file, &merged.list, &rows, err);
        more = more && code == E_OK;
        batch_release(&rows);
    }
    if (code != E_OK) {
        run_free(&merged);
        return code;
    }
    for (int32_t i = 0; i < SORT_RUNS_MAX; i++)
        run_free(&self->runs[i]);
    self->count -= SORT_RUNS_MAX - 1;
    memmove(self->runs + 1, self->runs + SORT_RUNS_MAX, (size_t)(self->count - 1) * sizeof *self->runs);
    self->runs[0] = merged;
    return E_OK;
}

enum code sort_runs_begin(struct sort_runs *self, struct error *err)
{
    rows_file_release(self->file); // the runs keep it
    self->file = NULL;
    while (self->count > SORT_RUNS_MAX)
        TRY(runs_merge(self, err));
    return heap_build(self, self->count, err);
}

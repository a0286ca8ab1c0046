/* part_files.c - the staged files of one epoch, shared by all lanes of a table.
 *
 * Staged   _staging/<Q8>-<E>-<n>-<attempt>.staged   attempt: 8 random hex digits, new for each try
 * Final    [<col>=<value>/...]part-<Q8>-0-<E %010d>-<n %05d><suffix>     0 is the task: a query has one chain
 * File     opened with its first piece, so no file is ever empty; finished when records_max or target_bytes
 *          is reached, when too many are open, or by part_files_finish
 * Limits   FILES_OPEN_MAX open files, of a local disk, which has a block of each in memory; FILES_SENDING_MAX of another
 *          store. The largest is finished first when another is needed
 * Memory   blocks, footers and encoders of open files are charged to the budget: at most a share of it, and BLOCKS_MAX. Where it
 *          has nothing left, files are finished until few are open
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/hash.h"
#include "base/log.h"
#include "base/os.h"
#include "sink/directory.h"

enum { FILES_OPEN_MAX = 4096, FILES_SENDING_MAX = 128, HANDLES_SHARE = 4, NAME_MAX_BYTES = 128 };
/* Bytes in memory: of a file that wait to be written, of what its footer says of a column of a piece, of what its encoder needs
 * from the start, of all files. */
enum {
    BLOCK_BYTES = 1 << 20,
    BLOCK_FIRST_BYTES = 4 << 10,
    FOOTER_COLUMN_BYTES = 768,
    ENCODER_BYTES = 24 << 10,
    BLOCKS_MAX = 128 << 20,
};
enum { BLOCKS_SHARE = 2, BLOCKS_OPEN_MIN = 128 }; // one part in so many of the budget; so many files may always be open

struct part_file {
    struct stage *stage;
    char *staged, *final;
    int64_t rows;
    int64_t footer_bytes; /* about what its footer takes by now */
    void *encoder_file;   /* the encoder's own; NULL when not opened */
};

void part_files_init(struct part_files *self) { lock_init(&self->lock); }

void part_files_limit(struct part_files *self)
{
    int64_t handles = os_handles_max() / HANDLES_SHARE;
    int64_t most = store_is_local(self->store) && handles > FILES_SENDING_MAX ? handles : FILES_SENDING_MAX;
    self->open_max = (int32_t)(most < FILES_OPEN_MAX ? most : FILES_OPEN_MAX);
}

bool part_files_charge(struct budget *budget, size_t *charged_bytes, size_t size)
{
    struct error full = {0};
    if (budget == NULL || size == *charged_bytes)
        return true;
    if (size > *charged_bytes) {
        size_t more = size - *charged_bytes;
        if (budget->limit_bytes > 0 && budget->used_bytes + more > budget->limit_bytes)
            return false; // nobody's state goes to disk for that
        if (budget_take(budget, more, "rows on their way into files", &full) != E_OK)
            return false;
    } else {
        budget_give(budget, *charged_bytes - size);
    }
    *charged_bytes = size;
    return true;
}

void part_files_begin(struct part_files *self, int64_t epoch)
{
    lock_take(&self->lock);
    if (self->epoch != epoch || self->attempt == 0) {
        always(self->open_count == 0);
        parts_free(&self->done);
        self->epoch = epoch;
        self->attempt = (uint32_t)os_random() | 1;
        self->next = 0;
    }
    lock_give(&self->lock);
}

/* ---- folders ---- */

static void folders_rehash(struct part_files *self)
{
    mem_free(self->folder_slots);
    self->folder_slot_count = self->folder_slot_count == 0 ? 64 : self->folder_slot_count * 2;
    self->folder_slots = mem_array(int32_t, self->folder_slot_count);
    for (int32_t i = 0; i < self->folder_count; i++) {
        const char *path = self->folders[i].path;
        uint32_t slot = (uint32_t)hash_bytes(path, strlen(path)) & (self->folder_slot_count - 1);
        while (self->folder_slots[slot] != 0)
            slot = (slot + 1) & (self->folder_slot_count - 1);
        self->folder_slots[slot] = i + 1;
    }
}

int32_t part_files_folder(struct part_files *self, const char *path)
{
    lock_take(&self->lock);
    if ((uint32_t)self->folder_count * 2 >= self->folder_slot_count)
        folders_rehash(self);
    uint32_t slot = (uint32_t)hash_bytes(path, strlen(path)) & (self->folder_slot_count - 1);
    int32_t folder;
    while ((folder = self->folder_slots[slot] - 1) >= 0 && strcmp(self->folders[folder].path, path) != 0)
        slot = (slot + 1) & (self->folder_slot_count - 1);
    if (folder < 0) {
        mem_grow(self->folders, self->folder_capacity, self->folder_count + 1);
        folder = self->folder_count++;
        self->folders[folder] =
            (struct part_folder){mem_strdup(path), mem_array(struct part_file *, (size_t)self->slots)};
        self->folder_slots[slot] = folder + 1;
    }
    lock_give(&self->lock);
    return folder;
}

/* ---- one file ---- */

static void file_free(struct part_files *self, struct part_file *file)
{
    if (file->encoder_file != NULL)
        self->encoder->file_close(file->encoder_file);
    mem_free(file->encoder_file);
    stage_abandon(file->stage);
    mem_free(file->staged);
    mem_free(file->final);
    mem_free(file);
}

static void file_name(struct part_files *self, const struct part_folder *folder, struct part_file *file)
{
    struct text final = {0};
    char staged[NAME_MAX_BYTES];
    snprintf(staged, sizeof staged, "_staging/%s-%" PRId64 "-%d-%08" PRIx32 ".staged", self->query8, self->epoch,
             self->next, self->attempt);
    text_printf(&final, "%s%spart-%s-0-%010" PRId64 "-%05d%s", folder->path, folder->path[0] != '\0' ? "/" : "",
                self->query8, self->epoch, self->next, self->suffix);
    file->staged = mem_strdup(staged);
    file->final = text_take(&final);
    self->next++;
}

bool part_files_staged_name(const struct part_files *self, const char *path, int64_t *epoch, uint32_t *attempt)
{
    char query8[9], end[8];
    int n;
    return sscanf(path, "_staging/%8[^-]-%" SCNd64 "-%d-%8" SCNx32 "%7s", query8, epoch, &n, attempt, end) == 5 &&
           strcmp(query8, self->query8) == 0 && strcmp(end, ".staged") == 0;
}

static enum code file_begin(struct part_files *self, struct part_file *file, struct error *err)
{
    TRY(stage_open_final(self->store, file->staged, file->final, &file->stage, err));
    void *encoder_file = mem_zero(self->encoder->file_size);
    struct text header = {0};
    enum code code = self->encoder->file_open(encoder_file, self->encoder_spec, &header, err);
    if (code != E_OK) {
        mem_free(encoder_file);
        return code;
    }
    file->encoder_file = encoder_file;
    code = stage_write(file->stage, text_view(&header), err);
    text_free(&header);
    return code;
}

/* About so much of it is in memory: a block doubles as it grows. */
static int64_t block_of(const struct part_file *file)
{
    int64_t size = stage_size(file->stage), block = BLOCK_FIRST_BYTES;
    while (block < size && block < BLOCK_BYTES)
        block *= 2;
    return block + file->footer_bytes + ENCODER_BYTES;
}

static enum code file_open_new(struct part_files *self, const struct part_folder *folder, struct part_file **out,
                               struct error *err)
{
    struct part_file *file = mem_new(struct part_file);
    file_name(self, folder, file);
    enum code code = file_begin(self, file, err);
    if (code != E_OK) {
        file_free(self, file);
        return code;
    }
    self->open_count++;
    self->block_bytes += block_of(file);
    *out = file;
    return E_OK;
}

static enum code file_append(struct part_files *self, struct part_file *file, struct piece *piece, struct error *err)
{
    if (piece->detail != NULL)
        file->footer_bytes += (int64_t)self->encoder_spec->schema->field_count * FOOTER_COLUMN_BYTES;
    TRY(self->encoder->file_add(file->encoder_file, piece, stage_size(file->stage), err));
    TRY(stage_write(file->stage, text_view(&piece->bytes), err));
    file->rows += piece->rows;
    return E_OK;
}

/* Whole, but for what the store does at its end. */
static enum code file_complete(struct part_files *self, struct part_file *file, struct part *out, struct error *err)
{
    struct text footer = {0};
    enum code code = self->encoder->file_finish(file->encoder_file, &footer, err);
    if (code == E_OK)
        code = stage_write(file->stage, text_view(&footer), err);
    text_free(&footer);
    TRY(code);
    *out = (struct part){
        .size_bytes = stage_size(file->stage), .rows = file->rows, .checksum = stage_checksum(file->stage)};
    if (self->summary_columns > 0 && self->encoder->file_summary != NULL) {
        struct text summary = {0};
        self->encoder->file_summary(file->encoder_file, self->summary_columns, &summary);
        out->summary = text_take(&summary);
    }
    return E_OK;
}

/* Files that are being finished together. */
struct finishing {
    struct part_file **files;
    struct part *parts;
    struct stage **stages;
    struct text *handles;
    int32_t count;
};

static enum code stages_seal(struct finishing *self, struct error *err)
{
    for (int32_t i = 0; i < self->count; i++) {
        self->stages[i] = self->files[i]->stage;
        self->files[i]->stage = NULL;
    }
    return stage_seal_all(self->stages, self->count, self->handles, err);
}

static void part_done(struct part_files *self, struct part_file *file, struct part *part, struct text *handle)
{
    part->handle = handle->size > 0 ? text_take(handle) : NULL;
    part->staged = file->staged;
    part->final = file->final;
    file->staged = file->final = NULL;
    parts_add(&self->done, part);
}

/* Footer, sync, and on to the done list. The files are gone afterwards, whatever the outcome. */
static enum code files_finish(struct part_files *self, struct part_file **files, int32_t count, struct error *err)
{
    struct finishing all = {
        .files = files,
        .parts = mem_array(struct part, (size_t)count + 1),
        .stages = mem_array(struct stage *, (size_t)count + 1),
        .handles = mem_array(struct text, (size_t)count + 1),
        .count = count,
    };
    enum code code = E_OK;
    for (int32_t i = 0; code == E_OK && i < count; i++)
        code = file_complete(self, files[i], &all.parts[i], err);
    if (code == E_OK)
        code = stages_seal(&all, err);
    for (int32_t i = 0; i < count; i++) {
        if (code == E_OK)
            part_done(self, files[i], &all.parts[i], &all.handles[i]);
        else
            mem_free(all.parts[i].summary);
        text_free(&all.handles[i]);
        file_free(self, files[i]);
    }
    mem_free(all.parts);
    mem_free(all.stages);
    mem_free(all.handles);
    return code;
}

/* It is no longer open. */
static struct part_file *file_take(struct part_files *self, struct part_file **place)
{
    struct part_file *file = *place;
    *place = NULL;
    self->block_bytes -= block_of(file);
    self->open_count--;
    return file;
}

static enum code file_finish(struct part_files *self, struct part_file **place, struct error *err)
{
    struct part_file *file = file_take(self, place);
    return files_finish(self, &file, 1, err);
}

/* ---- all files ---- */

static enum code finish_largest(struct part_files *self, struct error *err)
{
    struct part_file **largest = NULL;
    for (int32_t i = 0; i < self->folder_count; i++)
        for (int32_t slot = 0; slot < self->slots; slot++) {
            struct part_file **file = &self->folders[i].files[slot];
            if (*file != NULL && (largest == NULL || stage_size((*file)->stage) > stage_size((*largest)->stage)))
                largest = file;
        }
    always(largest != NULL);
    return file_finish(self, largest, err);
}

/* Files are finished until the open ones hold no more than they may. */
static enum code blocks_settle(struct part_files *self, struct error *err)
{
    size_t limit = self->budget != NULL ? self->budget->limit_bytes / BLOCKS_SHARE : 0;
    int64_t most = limit > 0 && limit < BLOCKS_MAX ? (int64_t)limit : BLOCKS_MAX;
    while (self->block_bytes > most ||
           !part_files_charge(self->budget, &self->charged_bytes, (size_t)self->block_bytes)) {
        if (self->open_count <= BLOCKS_OPEN_MIN)
            return E_OK;
        TRY(finish_largest(self, err));
    }
    return E_OK;
}

static enum code append_locked(struct part_files *self, struct part_folder *folder, struct part_file **place,
                               struct piece *piece, struct error *err)
{
    if (*place != NULL && self->records_max > 0 && (*place)->rows + piece->rows > self->records_max)
        TRY(file_finish(self, place, err));
    if (*place == NULL && self->open_count >= self->open_max)
        TRY(finish_largest(self, err));
    if (*place == NULL)
        TRY(file_open_new(self, folder, place, err));
    int64_t before = block_of(*place);
    enum code code = file_append(self, *place, piece, err);
    self->block_bytes += block_of(*place) - before;
    TRY(code);
    if (self->target_bytes > 0 && stage_size((*place)->stage) >= self->target_bytes)
        TRY(file_finish(self, place, err));
    return blocks_settle(self, err);
}

enum code part_files_append(struct part_files *self, int32_t folder, int32_t lane, struct piece *piece,
                            struct error *err)
{
    enum code code = E_OK;
    if (piece->rows > 0) {
        lock_take(&self->lock);
        struct part_folder *at = &self->folders[folder];
        code = append_locked(self, at, &at->files[lane % self->slots], piece, err);
        lock_give(&self->lock);
    }
    self->encoder->piece_close(piece);
    return code;
}

void part_files_fail(struct part_files *self)
{
    lock_take(&self->lock);
    self->failed = true;
    lock_give(&self->lock);
}

static enum code open_finish(struct part_files *self, struct error *err)
{
    struct part_file **files = mem_array(struct part_file *, (size_t)self->open_count + 1);
    int32_t count = 0;
    for (int32_t i = 0; i < self->folder_count; i++)
        for (int32_t slot = 0; slot < self->slots; slot++)
            if (self->folders[i].files[slot] != NULL)
                files[count++] = file_take(self, &self->folders[i].files[slot]);
    enum code code = files_finish(self, files, count, err);
    mem_free(files);
    return code;
}

enum code part_files_finish(struct part_files *self, struct error *err)
{
    lock_take(&self->lock);
    enum code code = self->failed ? fail(err, E_IO, "rows of this epoch could not be staged") : E_OK;
    if (code == E_OK)
        code = open_finish(self, err);
    if (code == E_OK && self->done.count > 0)
        code = store_sync(self->store, "_staging", err); // one sync for the names of all files
    self->failed = code != E_OK;
    if (self->open_count == 0)
        always(part_files_charge(self->budget, &self->charged_bytes, 0));
    lock_give(&self->lock);
    return code;
}

void part_files_drop(struct part_files *self, bool all)
{
    lock_take(&self->lock);
    for (int32_t i = 0; i < self->folder_count; i++) {
        for (int32_t slot = 0; slot < self->slots; slot++)
            if (self->folders[i].files[slot] != NULL)
                file_free(self, self->folders[i].files[slot]);
        mem_free(self->folders[i].files);
        mem_free(self->folders[i].path);
    }
    self->folder_count = 0;
    self->open_count = 0;
    self->block_bytes = 0;
    always(part_files_charge(self->budget, &self->charged_bytes, 0));
    if (self->folder_slots != NULL)
        memset(self->folder_slots, 0, self->folder_slot_count * sizeof *self->folder_slots);
    for (int32_t i = 0; all && i < self->done.count; i++) {
        struct error err = {0};
        const struct staged file = part_staged(&self->done.items[i]);
        if (store_discard(self->store, &file, &err) != E_OK)
            log_debug("a staged file stays until it is collected: %s", err.text);
    }
    if (all) {
        parts_free(&self->done);
        self->attempt = 0;
        self->failed = false;
    }
    lock_give(&self->lock);
}

void part_files_close(struct part_files *self)
{
    part_files_drop(self, false);
    parts_free(&self->done);
    mem_free(self->folders);
    mem_free(self->folder_slots);
    lock_close(&self->lock);
}

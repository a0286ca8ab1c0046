/* directory.c - a table as a plain directory of files, for any encoder: parquet, csv, json.
 *
 * Path      [<col>=<value>/...]part-<Q8>-0-<E>-<n>.<suffix>; partition columns are not in the file
 * Staged    below _staging/, with names no reader matches (part_files.c), synced before prepare returns
 * Token     what to rename to what, with size and checksum (token.c)
 * Lanes     every lane has an encoder per folder; what it has encoded is appended to a file that lanes
 *           share
 * Memory    a lane holds encoders, and rows of many folders that wait: charged to the budget, at most a share of it, and
 *           LANE_HELD_MAX. Past that the largest encoder goes first. Where the budget has nothing left, a lane goes on
 *           with LANE_HELD_MIN and short row groups. Open files: part_files.c
 *
 *   crash here                         recovery does
 *   in write or prepare                collect: removed once another attempt at that epoch is committed
 *   after the record, in commit        commit(token): what is still staged is renamed, what is in place is
 *                                      checked by checksum; both missing is E_LOST
 *   in collect (leat.files.keep)       only files of older epochs are removed, so the head's token can be
 *                                      committed again
 *
 * Replace   a materialized view's rows are all of it: the folder changes in one step (store_swap), by recovery too. Where
 *           the store cannot, the files of before are removed once the new ones are in place: in between a reader sees both
 * Keep      counts the table's files by age, newest first. Those of the newest committed epoch always stay
 * Lock      _staging/<Q8>.lock: two tables of a query, or two processes, must not write the same names
 * Spec      exactly-once.md, section 6
 */
#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

#include "base/log.h"
#include "base/os.h"
#include "sink/directory.h"
#include "sink/merge.h"
#include "sink/sinks.h"
#include "sink/waiting_rows.h"

enum {
    LANE_FOLDERS_MAX = 128,
    LANE_IDLE_MAX = 8,                  // encoders kept for the next epoch
    LANE_HELD_MAX = 128 * 1024 * 1024,  // bytes
    LANE_HELD_MIN = 1024 * 1024,        // bytes
    LANE_SHARE = 4,                     // the lanes of a table hold one part in so many of the budget
    COLUMN_BYTES = 48 * 1024,           // about what an encoder of a format with row groups takes for a column
    FOLDERS_AT_ONCE = 32,               // rows of a batch with more folders wait for others
    ROW_GROUP_BYTES = 16 * 1024 * 1024, // a piece of a format with row groups, unless parquet.block.size says
    TEXT_PIECE_BYTES = 4 * 1024 * 1024, // a piece of others: large enough for one write
};

struct open_encoder {
    int32_t folder;
    void *lane; /* the encoder's own */
};
struct directory_lane {
    struct open_encoder *open;
    int32_t open_count, open_capacity;
    void *idle[LANE_IDLE_MAX]; /* encoders without rows, to be used again */
    int32_t idle_count;
    struct row_groups groups;
    struct waiting_rows waiting;
    size_t charged_bytes;
    struct column *columns; /* scratch of projections */
    struct text folder;     /* scratch */
};
struct directory {
    struct arena arena;
    struct {
        int64_t records_max, per_partition, keep, target_bytes;
        bool compact;
    } settings;
    const struct encoder_type *encoder;
    struct encoder_spec encoder_spec;
    struct store *store;
    struct partitioner partitioner;
    struct part_files files;
    struct directory_lane lanes[SINK_LANES_MAX];
    int32_t lane_count;
    int64_t piece_bytes;
    int64_t committed;     /* newest epoch committed by this instance, -1 */
    struct parts newest;   /* its files, which keep and replace spare */
    struct merger *merger; /* of small files; NULL until it is asked for */
    struct budget *budget;
    size_t lane_bytes, encoder_bytes; /* a lane holds at most; an encoder without rows takes about */
    int32_t encoders_max;             /* of a lane */
    struct merge_table merge_table;
    int32_t summary_columns;
    bool replacing; /* the epoch's rows are all rows of the table */
    bool told;      /* that it has no step for that */
};

static const struct option directory_options[] = {
    {"leat.files.max_records", OPTION_INT, "0", NULL, 0, 0, "most rows of a file; 0 = no limit",
     offsetof(struct directory, settings.records_max), false},
    {"leat.files.per_partition", OPTION_INT, "1", NULL, 1, SINK_LANES_MAX, "files an epoch writes into one folder",
     offsetof(struct directory, settings.per_partition), false},
    {"leat.files.target_size", OPTION_BYTES, "256m", NULL, 64 * 1024, (int64_t)1 << 40,
     "a file is finished when it is so large; small ones are merged up to it",
     offsetof(struct directory, settings.target_bytes), false},
    {"leat.files.keep", OPTION_INT, "0", NULL, 0, 0,
     "newest files of the table that stay, older ones are deleted; 0 = all", offsetof(struct directory, settings.keep),
     false},
    {"leat.compact", OPTION_BOOLEAN, "false", NULL, 0, 0,
     "merge small files into large ones while leat runs; `leat compact` does it by hand",
     offsetof(struct directory, settings.compact), false},
    {0},
};

/* ---- opening ---- */

/* The table's options that the encoder knows; the others are another's. */
static void encoder_options(struct directory *self, const struct sink_spec *spec)
{
    struct encoder_spec *out = &self->encoder_spec;
    const char **names = arena_array(&self->arena, const char *, (size_t)spec->option_count);
    const char **values = arena_array(&self->arena, const char *, (size_t)spec->option_count);
    for (int32_t i = 0; i < spec->option_count; i++) {
        if (option_find(self->encoder->options, spec->option_names[i]) == NULL)
            continue;
        names[out->option_count] = arena_strdup(&self->arena, spec->option_names[i]);
        values[out->option_count++] = arena_strdup(&self->arena, spec->option_values[i]);
    }
    out->option_names = names;
    out->option_values = values;
    out->schema = self->partitioner.file_schema;
    out->zone = spec->zone;
    out->created_by = "leat version " LEAT_VERSION;
}

static const char *option_given(const struct sink_spec *spec, const char *name)
{
    for (int32_t i = 0; i < spec->option_count; i++)
        if (strcasecmp(spec->option_names[i], name) == 0)
            return spec->option_values[i];
    return NULL;
}

/* `.snappy.parquet`: readers do not care, people do. */
static enum code suffix_choose(struct directory *self, const struct sink_spec *spec, struct error *err)
{
    const struct option *codec = option_find(self->encoder->options, "parquet.compression");
    const char *given = option_given(spec, "compression"), *own = option_given(spec, "parquet.compression");
    bool plain = given == NULL || strcasecmp(given, "none") == 0 || strcasecmp(given, "uncompressed") == 0;
    self->files.suffix = self->encoder->suffix;
    if (codec == NULL && option_find(self->encoder->options, "compression") == NULL && !plain)
        return fail(err, E_UNSUPPORTED, "compression = %s: this version writes %s files uncompressed", given,
                    self->encoder->name);
    if (codec == NULL)
        return E_OK;
    self->encoder_spec.compression = own == NULL ? given : NULL; // the more specific name wins, as in Spark
    const char *name = own != NULL ? own : given != NULL ? given : codec->initial;
    if (strcasecmp(name, "none") != 0 && strcasecmp(name, "uncompressed") != 0)
        self->files.suffix = arena_printf(&self->arena, ".%s%s", name, self->encoder->suffix);
    return E_OK;
}

static enum code piece_size_choose(struct directory *self, const struct sink_spec *spec, struct error *err)
{
    const char *given = option_given(spec, "parquet.block.size");
    bool groups = option_find(self->encoder->options, "parquet.block.size") != NULL;
    self->piece_bytes = groups ? ROW_GROUP_BYTES : TEXT_PIECE_BYTES;
    self->encoder_bytes = groups ? (size_t)self->partitioner.file_schema->field_count * COLUMN_BYTES : 0;
    return groups && given != NULL ? parse_size(given, &self->piece_bytes, err) : E_OK;
}

static enum code encoder_new(struct directory *self, void **out, struct error *err)
{
    void *lane = mem_zero(self->encoder->lane_size);
    enum code code = self->encoder->lane_open(lane, &self->encoder_spec, err);
    if (code == E_OK)
        *out = lane;
    else
        mem_free(lane);
    return code;
}

/* Options that the encoder refuses are told now, not with the first row. */
static enum code encoder_probe(struct directory *self, struct error *err)
{
    void *lane;
    TRY(encoder_new(self, &lane, err));
    self->encoder->lane_close(lane);
    mem_free(lane);
    return E_OK;
}

static enum code lock_names(struct directory *self, struct error *err)
{
    char name[64];
    snprintf(name, sizeof name, "_staging/%s.lock", self->files.query8);
    enum code code = store_lock(self->store, name, err);
    if (code == E_EXISTS)
        return error_note(err, "two tables of a pipeline, or two leat processes, write into the same folder");
    return code;
}

/* What a lane may hold. */
static void share_choose(struct directory *self)
{
    size_t limit = self->budget == NULL ? 0 : self->budget->limit_bytes;
    size_t share = limit / LANE_SHARE / (size_t)self->lane_count;
    size_t encoders = LANE_FOLDERS_MAX;
    share = limit == 0 || share > LANE_HELD_MAX ? LANE_HELD_MAX : share < LANE_HELD_MIN ? LANE_HELD_MIN : share;
    if (self->encoder_bytes > 0 && share / self->encoder_bytes < encoders)
        encoders = share / self->encoder_bytes;
    self->lane_bytes = share;
    self->encoders_max = encoders > 2 ? (int32_t)encoders : 2;
}

static enum code open_all(struct directory *self, const struct sink_spec *spec, struct error *err)
{
    TRY(sink_options(spec, directory_options, "leat.files.", self, &self->arena, err));
    TRY(partitioner_init(&self->partitioner, spec, &self->arena, err));
    encoder_options(self, spec);
    TRY(suffix_choose(self, spec, err));
    TRY(piece_size_choose(self, spec, err));
    TRY(encoder_probe(self, err));
    TRY(store_open(spec->path, &self->store, err));
    snprintf(self->files.query8, sizeof self->files.query8, "%s", spec->query_id);
    self->budget = spec->budget;
    share_choose(self);
    self->summary_columns = spec->summary_columns;
    self->files.encoder = self->encoder;
    self->files.encoder_spec = &self->encoder_spec;
    self->files.store = self->store;
    self->files.budget = self->budget;
    part_files_limit(&self->files);
    self->files.records_max = self->settings.records_max;
    self->files.target_bytes = self->settings.target_bytes;
    self->files.slots = (int32_t)self->settings.per_partition;
    self->files.summary_columns = spec->summary_columns;
    return lock_names(self, err);
}

static void directory_close(void *instance);

static enum code directory_open(struct directory *self, const char *format, const struct sink_spec *spec,
                                struct error *err)
{
    *self = (struct directory){.lane_count = spec->lanes > 0 ? spec->lanes : 1, .committed = -1};
    always(self->lane_count <= SINK_LANES_MAX && strlen(spec->query_id) >= 8);
    part_files_init(&self->files);
    self->encoder = encoder_find(format);
    always(self->encoder != NULL);
    enum code code = open_all(self, spec, err);
    if (code != E_OK)
        directory_close(self);
    return code;
}

/* ---- lanes ---- */

static void encoder_free(struct directory *self, void *lane)
{
    self->encoder->lane_close(lane);
    mem_free(lane);
}

static bool lane_charge(struct directory *self, struct directory_lane *lane, size_t size)
{
    return part_files_charge(self->budget, &lane->charged_bytes, size);
}

/* Encoders whose rows were not taken are dropped with them. */
static void lane_reset(struct directory *self, struct directory_lane *lane)
{
    for (int32_t i = 0; i < lane->open_count; i++)
        encoder_free(self, lane->open[i].lane);
    lane->open_count = 0;
    waiting_free(&lane->waiting);
    always(lane_charge(self, lane, 0));
}

static void lane_close(struct directory *self, struct directory_lane *lane)
{
    lane_reset(self, lane);
    for (int32_t i = 0; i < lane->idle_count; i++)
        encoder_free(self, lane->idle[i]);
    row_groups_free(&lane->groups);
    text_free(&lane->folder);
    mem_free(lane->open);
    mem_free(lane->columns);
    *lane = (struct directory_lane){0};
}

/* What the encoder holds goes into a file of its folder. */
static enum code flush(struct directory *self, int32_t lane, const struct open_encoder *open, struct error *err)
{
    struct piece piece = {0};
    if (self->encoder->lane_rows(open->lane) == 0)
        return E_OK;
    TRY(self->encoder->lane_take(open->lane, &piece, err));
    return part_files_append(&self->files, open->folder, lane, &piece, err);
}

static enum code flush_and_idle(struct directory *self, int32_t index, int32_t open, struct error *err)
{
    struct directory_lane *lane = &self->lanes[index];
    TRY(flush(self, index, &lane->open[open], err));
    if (lane->idle_count < LANE_IDLE_MAX)
        lane->idle[lane->idle_count++] = lane->open[open].lane;
    else
        encoder_free(self, lane->open[open].lane);
    lane->open[open] = lane->open[--lane->open_count];
    return E_OK;
}

static int32_t largest_of(const struct directory *self, const struct directory_lane *lane, size_t *held_bytes)
{
    int32_t largest = 0;
    int64_t most = -1;
    *held_bytes = (size_t)lane->open_count * self->encoder_bytes + lane->waiting.bytes;
    for (int32_t i = 0; i < lane->open_count; i++) {
        int64_t size = self->encoder->lane_bytes(lane->open[i].lane);
        *held_bytes += (size_t)size;
        if (size > most) {
            most = size;
            largest = i;
        }
    }
    return largest;
}

/* Encoders go until the lane holds no more than it may. */
static enum code lane_settle(struct directory *self, int32_t index, struct error *err)
{
    struct directory_lane *lane = &self->lanes[index];
    for (;;) {
        size_t held_bytes;
        int32_t largest = largest_of(self, lane, &held_bytes);
        bool fits = held_bytes <= self->lane_bytes && lane_charge(self, lane, held_bytes);
        if (fits || held_bytes <= LANE_HELD_MIN || lane->open_count == 0)
            return E_OK;
        TRY(flush_and_idle(self, index, largest, err));
    }
}

static enum code encoder_for(struct directory *self, int32_t index, int32_t folder, struct open_encoder **out,
                             struct error *err)
{
    struct directory_lane *lane = &self->lanes[index];
    for (int32_t i = 0; i < lane->open_count; i++)
        if (lane->open[i].folder == folder) {
            *out = &lane->open[i];
            return E_OK;
        }
    size_t held_bytes;
    if (lane->open_count >= self->encoders_max)
        TRY(flush_and_idle(self, index, largest_of(self, lane, &held_bytes), err));
    mem_grow(lane->open, lane->open_capacity, lane->open_count + 1);
    struct open_encoder open = {.folder = folder};
    if (lane->idle_count > 0)
        open.lane = lane->idle[--lane->idle_count];
    else
        TRY(encoder_new(self, &open.lane, err));
    lane->open[lane->open_count] = open;
    *out = &lane->open[lane->open_count++];
    return E_OK;
}

static enum code add_rows(struct directory *self, int32_t index, int32_t folder, const struct batch *batch,
                          struct error *err)
{
    struct open_encoder *open = NULL;
    TRY(encoder_for(self, index, folder, &open, err));
    int64_t records_max = self->settings.records_max;
    for (int64_t from = 0; from < batch->rows;) {
        int64_t to = batch->rows;
        if (records_max > 0 && to - from > records_max - self->encoder->lane_rows(open->lane))
            to = from + records_max - self->encoder->lane_rows(open->lane);
        TRY(self->encoder->lane_add(open->lane, batch, from, to, err));
        from = to;
        bool full = records_max > 0 && self->encoder->lane_rows(open->lane) >= records_max;
        if (full || self->encoder->lane_bytes(open->lane) >= self->piece_bytes)
            TRY(flush(self, index, open, err));
    }
    return E_OK;
}

/* ---- one epoch ---- */

static enum code write_group(struct directory *self, int32_t index, const struct batch *batch,
                             const struct batch *projected, int32_t group, struct error *err)
{
    struct directory_lane *lane = &self->lanes[index];
    int32_t first = group == 0 ? 0 : lane->groups.ends[group - 1], count = lane->groups.ends[group] - first;
    text_clear(&lane->folder);
    TRY(partitioner_folder(&self->partitioner, batch, lane->groups.first_row[group], &lane->folder, err));
    int32_t folder = part_files_folder(&self->files, lane->folder.data);
    if (lane->groups.count == 1)
        return add_rows(self, index, folder, projected, err);
    struct batch picked;
    batch_gather(&picked, projected, lane->groups.rows + first, count);
    enum code code = add_rows(self, index, folder, &picked, err);
    batch_release(&picked);
    return code;
}

static enum code write_partitioned(struct directory *self, int32_t index, const struct batch *batch, struct error *err)
{
    struct directory_lane *lane = &self->lanes[index];
    struct batch projected;
    if (lane->columns == NULL)
        lane->columns = mem_array(struct column, (size_t)self->partitioner.file_schema->field_count);
    partitioner_project(&self->partitioner, batch, lane->columns, &projected);
    for (int32_t group = 0; group < lane->groups.count; group++)
        TRY(write_group(self, index, batch, &projected, group, err));
    return lane_settle(self, index, err);
}

static enum code write_waiting(struct directory *self, int32_t index, struct error *err)
{
    struct directory_lane *lane = &self->lanes[index];
    struct batch all;
    if (lane->waiting.count == 0)
        return E_OK;
    waiting_take(&lane->waiting, &all);
    partitioner_split(&self->partitioner, &all, &lane->groups);
    enum code code = write_partitioned(self, index, &all, err);
    batch_release(&all);
    return code;
}

/* A few rows for each of many folders would make row groups of a few rows. */
static enum code write_or_wait(struct directory *self, int32_t index, const struct batch *batch, struct error *err)
{
    struct directory_lane *lane = &self->lanes[index];
    size_t held_bytes;
    partitioner_split(&self->partitioner, batch, &lane->groups);
    if (lane->waiting.count == 0 && lane->groups.count <= FOLDERS_AT_ONCE)
        return write_partitioned(self, index, batch, err);
    waiting_add(&lane->waiting, batch);
    largest_of(self, lane, &held_bytes);
    if (lane->waiting.bytes < self->lane_bytes && lane_charge(self, lane, held_bytes))
        return E_OK;
    return write_waiting(self, index, err);
}

static enum code directory_write(void *instance, int32_t lane, int64_t epoch, const struct batch *batch,
                                 struct error *err)
{
    struct directory *self = instance;
    always(lane >= 0 && lane < self->lane_count);
    if (batch->rows == 0)
        return E_OK;
    part_files_begin(&self->files, epoch);
    enum code code = self->partitioner.key_count == 0
                         ? add_rows(self, lane, part_files_folder(&self->files, ""), batch, err)
                         : write_or_wait(self, lane, batch, err);
    if (code == E_OK && self->partitioner.key_count == 0)
        code = lane_settle(self, lane, err);
    if (code != E_OK)
        part_files_fail(&self->files);
    return code;
}

static enum code flush_all(struct directory *self, struct error *err)
{
    for (int32_t lane = 0; lane < self->lane_count; lane++) {
        TRY(write_waiting(self, lane, err));
        while (self->lanes[lane].open_count > 0)
            TRY(flush_and_idle(self, lane, self->lanes[lane].open_count - 1, err));
        always(lane_charge(self, &self->lanes[lane], 0));
    }
    return part_files_finish(&self->files, err);
}

static enum code directory_prepare(void *instance, int64_t epoch, struct text *token, struct sink_totals *totals,
                                   struct error *err)
{
    struct directory *self = instance;
    part_files_begin(&self->files, epoch);
    TRY(flush_all(self, err));
    self->files.done.replace = self->replacing;
    TRY(token_print(&self->files.done, token, err));
    self->replacing = false;
    *totals = (struct sink_totals){.files = self->files.done.count};
    for (int32_t i = 0; i < self->files.done.count; i++) {
        totals->rows += self->files.done.items[i].rows;
        totals->bytes += self->files.done.items[i].size_bytes;
    }
    part_files_drop(&self->files, false);
    return E_OK;
}

static void directory_replace(void *instance, int64_t epoch)
{
    struct directory *self = instance;
    part_files_begin(&self->files, epoch);
    self->replacing = true;
}

static enum code remove_others(struct directory *self, struct error *err);
static enum code take_place(struct directory *self, int64_t epoch, const struct parts *parts, struct error *err);

/* In S3, once: nobody would look for it. */
static void side_by_side_tell(struct directory *self)
{
    if (store_can_swap(self->store) || self->told)
        return;
    self->told = true;
    log_warn(
        "%s: files there cannot take the place of others in one step: while a view is replaced readers may see the rows of "
        "both; make it a Delta table",
        store_root(self->store));
}

static enum code directory_commit(void *instance, int64_t epoch, struct bytes token, struct error *err)
{
    struct directory *self = instance;
    struct parts parts;
    TRY(token_parse(token, &parts, err));
    bool recovering = self->files.attempt == 0 || self->files.epoch != epoch;
    enum code code = E_OK;
    if (parts.replace && recovering)
        code = parts_check(self->store, &parts, err);
    if (code == E_OK)
        code = parts.replace ? take_place(self, epoch, &parts, err) : E_UNSUPPORTED;
    if (code == E_UNSUPPORTED && parts.replace)
        side_by_side_tell(self);
    if (code == E_UNSUPPORTED)
        code = parts_publish(self->store, &parts, recovering, err);
    if (code != E_OK) {
        parts_free(&parts);
        return error_note(err, "epoch %" PRId64, epoch);
    }
    parts_free(&self->newest);
    self->newest = parts;
    self->committed = epoch;
    if (self->merger != NULL)
        merger_told(self->merger, parts.count);
    return parts.replace ? remove_others(self, err) : E_OK;
}

static void directory_abort(void *instance, int64_t epoch)
{
    (void)epoch;
    struct directory *self = instance;
    self->replacing = false;
    for (int32_t lane = 0; lane < self->lane_count; lane++)
        lane_reset(self, &self->lanes[lane]);
    part_files_drop(&self->files, true);
}

/* ---- collecting ---- */

/* False: it is another query's, or of the attempt that is under way. */
static bool staged_epoch(const struct directory *self, const struct staged *file, int64_t *epoch)
{
    uint32_t attempt;
    struct sink_part_name name;
    if (file->path != NULL)
        return part_files_staged_name(&self->files, file->path, epoch, &attempt) &&
               (attempt != self->files.attempt || *epoch != self->files.epoch || *epoch == self->committed);
    if (!sink_part_parse(file->final, &name) || strcmp(name.query8, self->files.query8) != 0 ||
        (name.merged && self->merger != NULL)) // a merge under way
        return false;
    *epoch = name.epoch;
    return true;
}

/* Staged files that no record can ever need: those of failed attempts at epochs that are committed. What is
 * staged above the head stays, whoever left it: a process that is only frozen may wake up and win that epoch. */
static enum code collect_staged(struct directory *self, struct error *err)
{
    struct staged_list list;
    TRY(store_list_staged(self->store, &list, err));
    enum code code = E_OK;
    for (int32_t i = 0; code == E_OK && i < list.count; i++) {
        int64_t epoch;
        if (staged_epoch(self, &list.items[i], &epoch) && epoch <= self->committed)
            code = store_discard(self->store, &list.items[i], err);
    }
    staged_list_free(&list);
    return code;
}

static bool is_part(const struct directory *self, const char *path)
{
    const char *slash = strrchr(path, '/'), *name = slash != NULL ? slash + 1 : path;
    size_t size = strlen(name), suffix = strlen(self->encoder->suffix);
    return strncmp(path, "_staging/", 9) != 0 && size > suffix &&
           (strncmp(name, "part-", 5) == 0 || strncmp(name, "merged-", 7) == 0) &&
           strcmp(name + size - suffix, self->encoder->suffix) == 0;
}

static int by_age(const void *a, const void *b)
{
    const struct store_entry *left = a, *right = b;
    if (left->modified_us != right->modified_us)
        return left->modified_us < right->modified_us ? -1 : 1;
    return strcmp(left->path, right->path);
}

/* Of an epoch above the one at hand: another process has committed it, which has overtaken us. */
static bool is_ahead(const struct directory *self, const char *path, int64_t epoch)
{
    struct sink_part_name name;
    return sink_part_parse(path, &name) && strcmp(name.query8, self->files.query8) == 0 && name.epoch > epoch;
}

static enum code remove_others(struct directory *self, struct error *err)
{
    struct store_list list;
    TRY(store_list(self->store, "", true, &list, err));
    const char **gone = mem_array(const char *, (size_t)list.count + 1);
    int32_t count = 0;
    for (int32_t i = 0; i < list.count; i++) {
        const char *path = list.entries[i].path;
        if (is_part(self, path) && !parts_have(&self->newest, path) && !is_ahead(self, path, self->committed))
            gone[count++] = path;
    }
    enum code code = store_remove_all(self->store, gone, count, err);
    mem_free(gone);
    store_list_free(&list);
    return code;
}

/* None of them has its name yet: after a crash some may. */
static bool all_staged(const struct store_list *list, const struct parts *parts)
{
    for (int32_t i = 0; i < list->count; i++)
        if (parts_have(parts, list->entries[i].path))
            return false;
    return true;
}

/* The folder changes in one step, so that no reader who lists it sees both old and new rows, or some of them. E_UNSUPPORTED: the
 * store cannot, or it is done: then the new files come first, and the old ones go after. */
static enum code take_place(struct directory *self, int64_t epoch, const struct parts *parts, struct error *err)
{
    struct store_list list;
    struct error cannot = {0};
    TRY(store_list(self->store, "", true, &list, err));
    const char **gone = mem_array(const char *, (size_t)list.count + 1);
    struct staged *come = mem_array(struct staged, (size_t)parts->count + 1);
    struct store_swap swap = {
        .folder = "", .gone = gone, .come = come, .come_count = parts->count, .modified_us = os->clock_wall_us()};
    for (int32_t i = 0; i < list.count; i++) {
        const char *path = list.entries[i].path;
        if (is_part(self, path) && !is_ahead(self, path, epoch))
            gone[swap.gone_count++] = path;
    }
    for (int32_t i = 0; i < parts->count; i++)
        come[i] = part_staged(&parts->items[i]);
    bool one_step = all_staged(&list, parts) && swap.gone_count + swap.come_count > 1; // else there is but one step
    enum code code = store_swap_sweep(self->store, &cannot);
    if (code == E_OK)
        code = one_step ? store_swap(self->store, &swap, &cannot) : E_UNSUPPORTED;
    if (code != E_OK && code != E_UNSUPPORTED)
        *err = cannot;
    mem_free(gone);
    mem_free(come);
    store_list_free(&list);
    return code;
}

static enum code collect_old(struct directory *self, struct error *err)
{
    struct store_list list;
    enum code code = store_list(self->store, "", true, &list, err);
    TRY(code);
    int64_t excess = -self->settings.keep;
    for (int32_t i = 0; i < list.count; i++)
        excess += is_part(self, list.entries[i].path);
    if (excess > 0)
        qsort(list.entries, (size_t)list.count, sizeof *list.entries, by_age);
    for (int32_t i = 0; code == E_OK && excess > 0 && i < list.count; i++) {
        const char *path = list.entries[i].path;
        if (!is_part(self, path) || parts_have(&self->newest, path))
            continue;
        code = store_remove(self->store, path, err);
        excess--;
    }
    store_list_free(&list);
    return code;
}

static enum code directory_collect(void *instance, struct error *err)
{
    struct directory *self = instance;
    TRY(collect_staged(self, err));
    return self->settings.keep > 0 && self->committed >= 0 ? collect_old(self, err) : E_OK;
}

/* ---- merging ---- */

static enum code directory_merge_work(void *instance, const struct sink_merge *request, bool *more, struct error *err)
{
    struct directory *self = instance;
    *more = false;
    bool asked = self->settings.compact || request->all || self->merge_table.files != NULL;
    if (!asked || self->committed < 0 || self->newest.replace)
        return E_OK;
    const struct merger_spec spec = {
        .store = self->store,
        .encoder = self->encoder,
        .encoder_spec = &self->encoder_spec,
        .budget = self->budget,
        .query8 = self->files.query8,
        .suffix = self->files.suffix,
        .piece_bytes = self->piece_bytes,
        .target_bytes = self->settings.target_bytes,
        .summary_columns = self->summary_columns,
        .table = self->merge_table,
    };
    if (self->merger == NULL)
        self->merger = merger_new(&spec);
    return merger_work(self->merger, request, &self->newest, self->committed, more, err);
}

void directory_merge_by(void *instance, const struct merge_table *table)
{
    struct directory *self = instance;
    self->merge_table = *table;
}

static enum code directory_merge_commit(void *instance, struct sink_merged *out, struct error *err)
{
    struct directory *self = instance;
    *out = (struct sink_merged){0};
    return self->merger == NULL ? E_OK : merger_commit(self->merger, out, err);
}

/* Prepared files stay where they are: a record may name them. */
static void directory_close(void *instance)
{
    struct directory *self = instance;
    for (int32_t lane = 0; lane < self->lane_count; lane++)
        lane_close(self, &self->lanes[lane]);
    merger_free(self->merger);
    part_files_close(&self->files);
    parts_free(&self->newest);
    store_close(self->store);
    arena_free(&self->arena);
    *self = (struct directory){0};
}

/* ---- rows that have no folder ---- */

static enum code directory_check(void *self_, int32_t lane, const struct batch *batch, struct rejects *rejects,
                                 struct error *err)
{
    const struct directory *self = self_;
    (void)lane, (void)err;
    partitioner_check(&self->partitioner, batch, rejects);
    return E_OK;
}

static void directory_check_detail(const void *self_, const struct batch *batch, const struct reject *reject,
                                   struct text *out)
{
    const struct directory *self = self_;
    partitioner_check_detail(&self->partitioner, batch, reject->row, out);
}

/* ---- the plug-ins ---- */

#define DIRECTORY_SINK(format, help_)                                                           \
    static enum code format##_open(void *self, const struct sink_spec *spec, struct error *err) \
    {                                                                                           \
        return directory_open(self, #format, spec, err);                                        \
    }                                                                                           \
    const struct sink_type format##_sink = {                                                    \
        .name = #format,                                                                        \
        .help = help_,                                                                          \
        .options = directory_options,                                                           \
        .size = sizeof(struct directory),                                                       \
        .open = format##_open,                                                                  \
        .check = directory_check,                                                               \
        .check_detail = directory_check_detail,                                                 \
        .write = directory_write,                                                               \
        .replace = directory_replace,                                                           \
        .prepare = directory_prepare,                                                           \
        .commit = directory_commit,                                                             \
        .abort = directory_abort,                                                               \
        .collect = directory_collect,                                                           \
        .merge_work = directory_merge_work,                                                     \
        .merge_commit = directory_merge_commit,                                                 \
        .close = directory_close,                                                               \
    };
DIRECTORY_SINK(parquet, "a directory of Parquet files, exactly once")
DIRECTORY_SINK(csv, "a directory of CSV files, exactly once")
DIRECTORY_SINK(json, "a directory of files of JSON lines, exactly once")

#include "sim_witness.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/hash.h"
#include "data/data.h"
#include "data/show.h"
#include "format/format.h"

#define TABLES "/sim/tables"
#define CHECKPOINT "/sim/checkpoint"
enum { SEAL_BYTES = 18, ROWS_AT_ONCE = 1000 };

void witness_wrong(struct witness *self, const char *format, ...)
{
    char line[1024];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(line, sizeof line, format, arguments);
    va_end(arguments);
    sim_note(self->sim, "WRONG: %s", line);
    if (self->wrong.size == 0)
        text_add_string(&self->wrong, line);
}

/* ---- counting rows ---- */

static struct row_count *slot_of(const struct witness *self, uint64_t key)
{
    uint32_t mask = (uint32_t)self->count_slots - 1, slot = (uint32_t)key & mask;
    while (self->counts[slot].key != 0 && self->counts[slot].key != key)
        slot = (slot + 1) & mask;
    return &self->counts[slot];
}

static void counts_grow(struct witness *self)
{
    struct row_count *old = self->counts;
    int32_t slots = self->count_slots;
    self->count_slots = slots == 0 ? 256 : slots * 2;
    self->counts = mem_array(struct row_count, (size_t)self->count_slots);
    for (int32_t i = 0; i < slots; i++)
        if (old[i].key != 0)
            *slot_of(self, old[i].key) = old[i];
    mem_free(old);
}

static struct row_count *count_of(struct witness *self, uint64_t key, const char *text)
{
    if (self->count_used * 2 >= self->count_slots)
        counts_grow(self);
    struct row_count *count = slot_of(self, key);
    if (count->key == 0) {
        *count = (struct row_count){.key = key, .text = arena_strdup(&self->arena, text)};
        self->count_used++;
    }
    return count;
}

/* ---- reading a file ---- */

struct reading {
    struct witness *witness;
    struct witness_file *file;
    struct text row;
    const char *table;
    int32_t table_size;
    char folders[512]; /* values of partition columns */
};

static void row_end(struct reading *reading)
{
    uint64_t key = hash_bytes(reading->row.data, reading->row.size) | 1;
    struct witness_file *file = reading->file;
    mem_grow(file->rows, file->row_capacity, file->row_count + 1);
    file->rows[file->row_count++] = key;
    (void)count_of(reading->witness, key, reading->row.data);
}

static void row_begin(struct reading *reading)
{
    text_clear(&reading->row);
    text_printf(&reading->row, "%.*s: %s", reading->table_size, reading->table, reading->folders);
}

/* "name":value of a line of JSON that leat wrote, as it stands there. */
static void member_add(const char *line, const char *end, const char *name, struct text *out)
{
    char key[32];
    int size = snprintf(key, sizeof key, "\"%s\":", name);
    const char *at = memmem(line, (size_t)(end - line), key, (size_t)size);
    if (at != NULL)
        text_add(out, at, strcspn(at, ",}"));
}

/* Of a bad record only what cannot depend on the number of attempts. */
static const char *const aside_names[] = {"reason", "topic", "partition", "offset"};
enum { ASIDE_NAMES = sizeof aside_names / sizeof *aside_names };

static bool is_aside(const struct reading *reading) { return reading->table[0] == '_'; }

static void aside_row(const char *line, const char *end, struct text *out)
{
    for (size_t i = 0; i < ASIDE_NAMES; i++)
        member_add(line, end, aside_names[i], out);
}

static bool column_counts(const struct reading *reading, const char *name)
{
    bool named = !is_aside(reading);
    for (size_t i = 0; i < ASIDE_NAMES; i++)
        named |= strcmp(aside_names[i], name) == 0;
    return named;
}

static enum code lines_read(struct reading *reading, struct bytes content, bool json, struct error *err)
{
    const char *at = (const char *)content.data, *end = at + content.size;
    if (content.size == 0 || end[-1] != '\n')
        return fail(err, E_CORRUPT, "the last line is not whole");
    for (const char *line_end; at < end; at = line_end + 1) {
        line_end = memchr(at, '\n', (size_t)(end - at));
        if (json && (*at != '{' || line_end[-1] != '}'))
            return fail(err, E_CORRUPT, "a line is no JSON object");
        if (memchr(at, '\0', (size_t)(line_end - at)) != NULL)
            return fail(err, E_CORRUPT, "a line has NUL bytes");
        row_begin(reading);
        if (is_aside(reading))
            aside_row(at, line_end, &reading->row);
        else
            text_add(&reading->row, at, (size_t)(line_end - at));
        row_end(reading);
    }
    return E_OK;
}

static enum code bytes_read(void *context, int64_t offset, void *out, size_t size, struct error *err)
{
    const struct bytes *content = context;
    if (offset < 0 || (size_t)offset + size > content->size)
        return fail(err, E_CORRUPT, "the file ends at %zu", content->size);
    memcpy(out, content->data + offset, size);
    return E_OK;
}

static void batch_rows(struct reading *reading, const struct batch *batch)
{
    for (int64_t row = 0; row < batch->rows; row++) {
        row_begin(reading);
        for (int32_t c = 0; c < batch->column_count; c++) {
            if (!column_counts(reading, batch->schema->fields[c].name))
                continue;
            text_add_char(&reading->row, '|');
            column_show(&batch->columns[c], row, zone_utc(), &reading->row);
        }
        row_end(reading);
    }
}

static enum code parquet_rows(struct reading *reading, struct bytes content, struct error *err)
{
    struct budget budget = {0};
    struct parquet_reader *reader;
    const struct parquet_input input = {reading->file->path, (int64_t)content.size, &content, bytes_read};
    TRY(parquet_reader_new(&input, &budget, &reader, err));
    enum code code = parquet_reader_select(reader, parquet_reader_schema(reader), err);
    for (int64_t rows = 1; code == E_OK && rows > 0;) {
        struct batch batch = {0};
        code = parquet_reader_next(reader, ROWS_AT_ONCE, &batch, err);
        rows = batch.rows;
        if (code == E_OK)
            batch_rows(reading, &batch);
        batch_release(&batch);
    }
    parquet_reader_free(reader);
    return code;
}

static bool ends_with(const char *text, const char *end)
{
    size_t size = strlen(text), tail = strlen(end);
    return size >= tail && strcmp(text + size - tail, end) == 0;
}

static void file_read(struct witness *self, struct witness_file *file, struct bytes content)
{
    struct error err = {0};
    const char *table = file->path + sizeof TABLES, *last = strrchr(file->path, '/');
    struct reading reading = {
        .witness = self, .file = file, .table = table, .table_size = (int32_t)strcspn(table, "/")};
    const char *folders = table + reading.table_size;
    if (folders < last)
        snprintf(reading.folders, sizeof reading.folders, "%.*s ", (int)(last - folders), folders);
    enum code code = ends_with(file->path, ".parquet") ? parquet_rows(&reading, content, &err)
                     : ends_with(file->path, ".json")  ? lines_read(&reading, content, true, &err)
                     : ends_with(file->path, ".csv")   ? lines_read(&reading, content, false, &err)
                                                       : fail(&err, E_CORRUPT, "a name that no reader knows");
    text_free(&reading.row);
    if (code != E_OK)
        witness_wrong(self, "%s is visible and cannot be read: %s", file->path, err.text);
}

/* ---- what is visible ---- */

static struct witness_file *file_of(struct witness *self, const char *path)
{
    for (int32_t i = 0; i < self->file_count; i++)
        if (strcmp(self->files[i].path, path) == 0)
            return &self->files[i];
    mem_grow(self->files, self->file_capacity, self->file_count + 1);
    self->files[self->file_count] = (struct witness_file){.path = mem_strdup(path)};
    return &self->files[self->file_count++];
}

static void rows_add(struct witness *self, const struct witness_file *file, int32_t sign)
{
    for (int32_t i = 0; i < file->row_count; i++) {
        struct row_count *count = slot_of(self, file->rows[i]);
        count->seen += sign;
        if (sign > 0 && self->compares && count->seen > count->expected)
            witness_wrong(self, "a row is visible %d times, expected %d: %s (last in %s)", count->seen, count->expected,
                          count->text, file->path);
    }
}

static void file_appears(struct witness *self, const char *path, int32_t number)
{
    struct witness_file *file = file_of(self, path);
    struct bytes content = disk_content(sim_disk(self->sim), number);
    uint64_t hash = hash_bytes(content.data, content.size);
    if (file->hash != 0 && file->hash != hash)
        witness_wrong(self, "%s has other bytes than when it was visible first", path);
    if (file->hash == 0) {
        file->hash = hash;
        file_read(self, file, content);
    }
    if (!file->visible)
        rows_add(self, file, 1);
    file->visible = true;
}

static void part_changed(struct witness *self, const char *path)
{
    int32_t number = disk_find(sim_disk(self->sim), path);
    if (number >= 0) {
        file_appears(self, path, number);
        return;
    }
    struct witness_file *file = file_of(self, path);
    if (file->visible)
        witness_wrong(self, "%s was visible and is removed", path);
}

void witness_message(void *context, const char *text)
{
    struct witness *self = context;
    struct row_count *count = count_of(self, hash_bytes(text, strlen(text)) | 1, text);
    count->seen++;
    if (self->compares && count->seen > count->expected)
        witness_wrong(self, "a message is visible %d times, expected %d: %s", count->seen, count->expected, text);
}

/* ---- the chain ---- */

static const struct chain_range *range_before(const struct witness *self, int32_t record,
                                              const struct chain_range *range)
{
    for (int32_t r = record - 1; r >= 0; r--)
        for (int32_t i = 0; i < self->records[r].record.range_count; i++) {
            const struct chain_range *other = &self->records[r].record.ranges[i];
            if (other->partition == range->partition && strcmp(other->source, range->source) == 0 &&
                strcmp(other->topic, range->topic) == 0)
                return other;
        }
    return NULL;
}

static void ranges_check(struct witness *self, int32_t at)
{
    const struct chain_record *record = &self->records[at].record;
    for (int32_t i = 0; i < record->range_count; i++) {
        const struct chain_range *range = &record->ranges[i], *before = range_before(self, at, range);
        int64_t from = before != NULL ? before->to : 0;
        if (range->from != from || range->to < range->from)
            witness_wrong(self,
                          "epoch %" PRId64 " read [%" PRId64 ", %" PRId64 ") of %s/%d, where %" PRId64 " was next",
                          record->epoch, range->from, range->to, range->topic, range->partition, from);
    }
}

static void record_read(struct witness *self, const char *path, struct bytes content)
{
    char seal[SEAL_BYTES + 1];
    struct error err = {0};
    struct witness_record entry = {.hash = hash_bytes(content.data, content.size)};
    size_t size = content.size > SEAL_BYTES ? content.size - SEAL_BYTES : 0;
    snprintf(seal, sizeof seal, "\n%016" PRIx64 "\n", (uint64_t)XXH64(content.data, size, 0));
    if (size == 0 || memcmp(seal, content.data + size, SEAL_BYTES) != 0) {
        witness_wrong(self, "%s fails its checksum", path);
        return;
    }
    if (chain_record_parse(bytes_of(content.data, size), &self->arena, &entry.record, &err) != E_OK) {
        witness_wrong(self, "%s: %s", path, err.text);
        return;
    }
    entry.epoch = entry.record.epoch;
    int64_t next = self->record_count > 0 ? self->records[self->record_count - 1].epoch + 1 : 0;
    if (entry.epoch != next) {
        witness_wrong(self, "%s is of epoch %" PRId64 ", expected %" PRId64, path, entry.epoch, next);
        return;
    }
    mem_grow(self->records, self->record_capacity, self->record_count + 1);
    self->records[self->record_count++] = entry;
    ranges_check(self, self->record_count - 1);
}

static struct witness_record *record_known(struct witness *self, const char *path)
{
    int64_t epoch = strtoll(strrchr(path, '/') + 1, NULL, 10);
    for (int32_t i = 0; i < self->record_count; i++)
        if (self->records[i].epoch == epoch)
            return &self->records[i];
    return NULL;
}

static void record_changed(struct witness *self, const char *path)
{
    int32_t number = disk_find(sim_disk(self->sim), path);
    struct witness_record *known = record_known(self, path);
    if (known == NULL && number >= 0)
        record_read(self, path, disk_content(sim_disk(self->sim), number));
    else if (known != NULL && number < 0 && known->epoch == self->records[self->record_count - 1].epoch)
        witness_wrong(self, "the head %s is removed", path);
    else if (known != NULL && number < 0)
        known->trimmed = true;
}

static void changed(void *context, enum sim_call call, const char *path)
{
    struct witness *self = context;
    enum sim_place place = sim_place_of(path);
    if (place == SIM_PLACE_PART && (call == SIM_WRITE || call == SIM_OPEN))
        witness_wrong(self, "%s is written where readers look", path);
    else if (place == SIM_PLACE_PART)
        part_changed(self, path);
    else if (place == SIM_PLACE_RECORD)
        record_changed(self, path);
}

struct sim_hooks witness_hooks(struct witness *self) { return (struct sim_hooks){changed, self}; }

static bool record_is_there(const struct witness *self, const struct witness_record *record)
{
    char path[128];
    snprintf(path, sizeof path, CHECKPOINT "/chain/0/%016" PRId64 ".json", record->epoch);
    return disk_find(sim_disk(self->sim), path) >= 0;
}

void witness_look_again(struct witness *self)
{
    for (int32_t i = 0; i < self->file_count; i++) {
        struct witness_file *file = &self->files[i];
        int32_t number = disk_find(sim_disk(self->sim), file->path);
        if (number >= 0)
            file_appears(self, file->path, number);
        else if (file->visible)
            rows_add(self, file, -1);
        file->visible = number >= 0;
    }
    for (int32_t i = 0; i < self->record_count; i++) // a removal that was not durable is undone
        self->records[i].trimmed &= !record_is_there(self, &self->records[i]);
    while (self->record_count > 0 && !self->records[self->record_count - 1].trimmed &&
           !record_is_there(self, &self->records[self->record_count - 1]))
        self->record_count--; // what was not durable yet never was
}

/* ---- the end ---- */

int64_t witness_next(const struct witness *self, const char *topic, int32_t partition)
{
    for (int32_t r = self->record_count - 1; r >= 0; r--)
        for (int32_t i = 0; i < self->records[r].record.range_count; i++) {
            const struct chain_range *range = &self->records[r].record.ranges[i];
            if (range->partition == partition && strcmp(range->topic, topic) == 0)
                return range->to;
        }
    return 0;
}

int64_t witness_rows(const struct witness *self)
{
    int64_t rows = 0;
    for (int32_t i = 0; i < self->count_slots; i++)
        rows += self->counts[i].seen;
    return rows;
}

static bool state_is_named(const struct witness *self, const char *path)
{
    for (int32_t r = 0; r < self->record_count; r++)
        for (int32_t i = 0; !self->records[r].trimmed && i < self->records[r].record.state_count; i++)
            if (ends_with(path, self->records[r].record.states[i].path))
                return true;
    return false;
}

/* <epoch>-.. of a state file, <Q8>-<epoch>-.. of a staged one: what is above the head may still come to be named. */
static bool is_decided(const struct witness *self, const char *path)
{
    const char *epoch = strrchr(path, '/') + 1;
    if (sim_place_of(path) == SIM_PLACE_STAGED)
        epoch = strchr(epoch, '-') + 1;
    return self->record_count > 0 && strtoll(epoch, NULL, 10) <= self->records[self->record_count - 1].epoch;
}

static void leftover_look(void *context, const char *path, int32_t file)
{
    struct witness *self = context;
    enum sim_place place = sim_place_of(path);
    (void)file;
    if (place == SIM_PLACE_TEMPORARY || place == SIM_PLACE_SPILL ||
        (place == SIM_PLACE_STAGED && is_decided(self, path)))
        witness_wrong(self, "%s is left", path);
    if (place == SIM_PLACE_STATE && is_decided(self, path) && !state_is_named(self, path))
        witness_wrong(self, "%s is left, and no record names it", path);
}

static int64_t rows_of(const struct witness *self, const char *table)
{
    size_t size = strlen(table);
    int64_t rows = 0;
    for (int32_t i = 0; i < self->file_count; i++) {
        const char *name = self->files[i].path + sizeof TABLES;
        if (self->files[i].visible && strncmp(name, table, size) == 0 && name[size] == '/')
            rows += self->files[i].row_count;
    }
    return rows;
}

/* Its rows are messages: it has no folder. */
static bool is_topic(const struct chain_record *record, int32_t table)
{
    return record->transaction && strcmp(record->ledgers[table].table, "out") == 0;
}

static void ledgers_check(struct witness *self)
{
    if (self->record_count == 0)
        return;
    const struct chain_record *last = &self->records[self->record_count - 1].record;
    for (int32_t t = 0; t < last->ledger_count; t++) {
        const char *table = last->ledgers[t].table;
        int64_t out = 0;
        for (int32_t r = 0; r < self->record_count; r++)
            for (int32_t i = 0; i < self->records[r].record.ledger_count; i++)
                if (strcmp(self->records[r].record.ledgers[i].table, table) == 0)
                    out += self->records[r].record.ledgers[i].counts.out;
        if (!is_topic(last, t) && out != rows_of(self, table))
            witness_wrong(self, "the ledgers of table %s say %" PRId64 " rows, and it has %" PRId64, table, out,
                          rows_of(self, table));
    }
}

void witness_finish(struct witness *self, bool complete)
{
    for (int32_t i = 0; complete && i < self->count_slots; i++)
        if (self->compares && self->counts[i].seen != self->counts[i].expected)
            witness_wrong(self, "a row is there %d times, expected %d: %s", self->counts[i].seen,
                          self->counts[i].expected, self->counts[i].text);
    for (int32_t i = 0; complete && i < self->file_count; i++)
        if (!self->files[i].visible && self->files[i].hash != 0)
            witness_wrong(self, "%s was visible once and is gone", self->files[i].path);
    if (complete) {
        disk_walk(sim_disk(self->sim), "/sim", leftover_look, self);
        ledgers_check(self);
    }
}

void witness_init(struct witness *self) { *self = (struct witness){0}; }

void witness_expect(struct witness *self, const struct witness *calm)
{
    self->compares = true;
    for (int32_t i = 0; i < calm->count_slots; i++)
        if (calm->counts[i].key != 0)
            count_of(self, calm->counts[i].key, calm->counts[i].text)->expected = calm->counts[i].seen;
}

void witness_close(struct witness *self)
{
    for (int32_t i = 0; i < self->file_count; i++) {
        mem_free(self->files[i].path);
        mem_free(self->files[i].rows);
    }
    mem_free(self->files);
    mem_free(self->records);
    mem_free(self->counts);
    text_free(&self->wrong);
    arena_free(&self->arena);
}

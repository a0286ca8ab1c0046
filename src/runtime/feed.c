#include "runtime/feed.h"

#include <stdlib.h>
#include <strings.h>

static const char *const column_names[SOURCE_COLUMN_COUNT] = {
    [SOURCE_KEY] = "key",
    [SOURCE_VALUE] = "value",
    [SOURCE_TOPIC] = "topic",
    [SOURCE_PARTITION] = "partition",
    [SOURCE_OFFSET] = "offset",
    [SOURCE_TIMESTAMP] = "timestamp",
    [SOURCE_TIMESTAMP_TYPE] = "timestampType",
    [SOURCE_HEADERS] = "headers",
};

void feed_resume(struct feed *feed, const char *topic, const char *topic_id, int32_t partition, int64_t next)
{
    struct source_range *range = source_ranges_add(&feed->ranges, topic, partition);
    range->from = next;
    range->to = -1;
    size_t size = strnlen(topic_id, sizeof range->topic_id - 1);
    memcpy(range->topic_id, topic_id, size);
}

/* ---- opening ---- */

static enum code columns_map(struct feed *feed, bool *needed, struct error *err)
{
    for (int32_t i = 0; i < feed->schema->field_count; i++) {
        const struct type *path = feed->source->path_columns;
        int32_t found = -1;
        if (path != NULL && type_field_index(path, feed->schema->fields[i].name, true) >= 0)
            continue; // of folders: such a source stands still, and query/ reads it
        if (feed->source->tells_file && source_is_file_column(&feed->schema->fields[i])) {
            feed->columns[i] = FEED_FILE_COLUMN;
            needed[SOURCE_TOPIC] = true;
            continue;
        }
        for (int32_t c = 0; c < SOURCE_COLUMN_COUNT; c++)
            if (strcasecmp(feed->schema->fields[i].name, column_names[c]) == 0)
                found = c;
        if (found < 0)
            return fail(err, E_BUG, "source %s has no column %s", feed->source->name, feed->schema->fields[i].name);
        feed->columns[i] = found;
        needed[found] = true;
    }
    for (int32_t c = SOURCE_KEY; c <= SOURCE_TIMESTAMP; c++)
        needed[c] = true; // a reject takes its whole record along
    return E_OK;
}

/* A source of columns gives those of the node. */
static enum code columns_choose(struct feed *feed, const struct feed_spec *spec, struct source_spec *config,
                                struct error *err)
{
    if (!feed->type->columns)
        return columns_map(feed, config->needed, err);
    if (spec->node->streaming && feed->type->still)
        return fail(err, E_UNSUPPORTED, "source %s: format %s can only be read without STREAM", feed->source->name,
                    feed->source->format);
    config->schema = feed->own = feed->schema;
    config->stream = spec->node->streaming;
    feed->places = config->stream ? feed->schema->field_count : -1;
    return E_OK;
}

const char *table_folder(const struct pipeline *pipeline, const char *tables_path, const char *name,
                         struct arena *arena)
{
    for (int32_t i = 0; i < pipeline->table_count; i++)
        if (strcasecmp(pipeline->tables[i]->name, name) == 0 && pipeline->tables[i]->path != NULL)
            return pipeline->tables[i]->path;
    return arena_printf(arena, "%s/%s", tables_path, name);
}

static void limit_read(struct feed *feed, const struct run_settings *settings)
{
    feed->rows_max = settings->epoch_records_max;
    for (int32_t i = 0; i < feed->source->option_count; i++)
        if (strcasecmp(feed->source->options[i].name, "maxOffsetsPerTrigger") == 0 &&
            feed->source->options[i].value[0] != '\0')
            feed->rows_max = strtoll(feed->source->options[i].value, NULL, 10); // checked by the source's option table
}

enum code feed_open(struct feed *feed, const struct feed_spec *spec, struct error *err)
{
    const struct pipeline_source *source = spec->node->source;
    feed->source = source;
    feed->node = spec->node->id;
    feed->schema = spec->node->schema;
    feed->type = source_find(source->format);
    if (feed->type == NULL)
        return fail(err, E_UNSUPPORTED, "source %s: this version cannot read format %s", source->name, source->format);
    struct source_spec config = {
        .name = source->name,
        .buffer_bytes = spec->settings->buffer_bytes,
        .budget = spec->budget,
        .batch_rows = (int32_t)spec->settings->batch_rows,
        .store = spec->store,
        .stopping = spec->stopping,
        .stopping_context = spec->context,
        .zone = spec->pipeline->session.zone,
        .may_lack = source->of_table, // before its first epoch
        .partitioned = source->path_columns != NULL,
        .tells_file = source->tells_file,
    };
    TRY(columns_choose(feed, spec, &config, err));
    limit_read(feed, spec->settings);
    struct arena scratch = {0};
    const char **names = arena_array(&scratch, const char *, (size_t)source->option_count + 1);
    const char **values = arena_array(&scratch, const char *, (size_t)source->option_count + 1);
    for (int32_t i = 0; i < source->option_count; i++) {
        if (source->options[i].value[0] == '\0')
            continue; // "${env:NAME:-}": an empty option is one not set
        names[config.option_count] = source->options[i].name;
        values[config.option_count++] = source->options[i].value;
    }
    if (source->of_table) {
        names[config.option_count] = "path";
        values[config.option_count++] =
            table_folder(spec->pipeline, spec->settings->tables_path, source->name, &scratch);
    }
    config.option_names = names;
    config.option_values = values;
    config.group_id = arena_printf(&scratch, "leat-%.8s", spec->query_id);
    struct text folder = {0};
    text_add_string(&folder, "sources/");
    store_name_encode(bytes_of_string(source->name), &folder);
    config.folder = folder.data;
    feed->self = mem_zero(feed->type->size);
    enum code code = feed->type->open(feed->self, &config, err);
    if (code != E_OK) {
        mem_free(feed->self);
        feed->self = NULL;
        error_note(err, "source %s", source->name);
    }
    text_free(&folder);
    arena_free(&scratch);
    return code;
}

void feed_close(struct feed *feed)
{
    if (feed->self != NULL)
        feed->type->close(feed->self);
    mem_free(feed->self);
    source_ranges_free(&feed->ranges);
    source_ranges_free(&feed->begun);
    source_ranges_free(&feed->target);
    mem_free(feed->progress);
    *feed = (struct feed){0};
}

/* ---- epochs ---- */

/* Ranges may come and go: what is known of those that stay goes along. */
static void progress_follow(struct feed *feed, struct source_ranges *found)
{
    struct feed_progress *progress = mem_array(struct feed_progress, (size_t)found->count);
    for (int32_t i = 0; i < found->count; i++) {
        struct source_range *range = &found->items[i];
        const struct source_range *old = source_ranges_find(&feed->ranges, range->topic, range->partition);
        range->to = -1;
        if (old == NULL)
            continue;
        int64_t place = old - feed->ranges.items;
        progress[i].anew = (place < feed->progress_count && feed->progress[place].anew) || range->from < old->from;
        range->lost = old->lost + (range->from > old->from ? range->from - old->from : 0);
    }
    mem_free(feed->progress);
    feed->progress = progress;
    feed->progress_count = found->count;
}

const char *feed_dependency(const struct feed *feed)
{
    return feed->self == NULL || feed->type->dependency == NULL ? NULL : feed->type->dependency(feed->self);
}

/* A broker that answers, but knows no such topic, is not to blame. */
static enum code feed_blame(const struct feed *feed, struct error *err)
{
    const char *who = feed_dependency(feed);
    bool broker = who != NULL && err->code == E_BROKER;
    error_about(err, "%s%s", broker ? "" : "source ", broker ? who : feed->source->name);
    return error_note(err, "source %s", feed->source->name);
}

enum code feed_discover(struct feed *feed, struct error *err)
{
    if (feed->self == NULL)
        return E_OK;
    struct source_ranges found = {0};
    enum code code = feed->type->discover(feed->self, &feed->ranges, &found, err);
    if (code != E_OK)
        return feed_blame(feed, err);
    bool changed = feed->begun.count == 0 || found.count != feed->ranges.count;
    for (int32_t i = 0; i < found.count; i++) {
        const struct source_range *old =
            source_ranges_find(&feed->ranges, found.items[i].topic, found.items[i].partition);
        changed |= old == NULL || old->from != found.items[i].from;
    }
    progress_follow(feed, &found);
    source_ranges_free(&feed->ranges);
    feed->ranges = found;
    if (changed && feed->type->seek(feed->self, &feed->ranges, err) != E_OK)
        return feed_blame(feed, err);
    source_ranges_copy(&feed->begun, &feed->ranges);
    return E_OK;
}

void feed_fix_target(struct feed *feed) { source_ranges_copy(&feed->target, &feed->ranges); }

bool feed_bounded(const struct feed *feed) { return feed->self != NULL && feed->type->plan != NULL; }

/* The number of offsets that are planned. */
static int64_t planned_offsets(struct feed *feed)
{
    int64_t offsets = 0;
    for (int32_t i = 0; i < feed->ranges.count; i++)
        offsets += feed->ranges.items[i].to - feed->ranges.items[i].from;
    feed->done = offsets == 0;
    return offsets;
}

int64_t feed_plan(struct feed *feed, bool open)
{
    feed->done = false;
    source_ranges_copy(&feed->begun, &feed->ranges);
    for (int32_t i = 0; i < feed->progress_count; i++) {
        feed->begun.items[i].from -= feed->ranges.items[i].lost;
        feed->progress[i].rows = 0;
    }
    if (feed->self == NULL || (open && !feed_bounded(feed))) {
        for (int32_t i = 0; i < feed->ranges.count; i++)
            feed->ranges.items[i].to = -1;
        return 0;
    }
    for (int32_t i = 0; feed->target.count > 0 && i < feed->ranges.count; i++) {
        struct source_range *range = &feed->ranges.items[i];
        const struct source_range *target = source_ranges_find(&feed->target, range->topic, range->partition);
        int64_t end = target != NULL ? target->latest : range->from;
        if (range->latest > end)
            range->latest = end > range->from ? end : range->from;
    }
    if (feed_bounded(feed))
        feed->type->plan(feed->self, &feed->ranges);
    else
        source_plan(&feed->ranges, feed->rows_max);
    return planned_offsets(feed);
}

int64_t feed_narrow(struct feed *feed, double share)
{
    int64_t planned = feed->self == NULL ? 0 : planned_offsets(feed);
    if (planned <= 0 || feed_bounded(feed))
        return planned > 0 ? planned : 0;
    double rows = (double)planned * share;
    source_plan(&feed->ranges, rows < 1 ? 1 : (int64_t)rows);
    return planned_offsets(feed);
}

/* ---- slots ---- */

/* The range that the record is of. Sources deliver range by range: it is the last one or one soon after. */
static int32_t record_range(const struct feed *feed, const struct origin *origin, int64_t record, int32_t hint)
{
    struct bytes topic = column_bytes_at(&origin->topic, record);
    int32_t partition = column_values(&origin->partition, const int32_t)[record];
    for (int32_t i = 0; i < feed->ranges.count; i++) {
        int32_t at = (hint + i) % feed->ranges.count;
        const struct source_range *range = &feed->ranges.items[at];
        if (range->partition == partition && bytes_equal(bytes_of_string(range->topic), topic))
            return at;
    }
    return -1;
}

static bool same_range(const struct origin *origin, int64_t a, int64_t b)
{
    const int32_t *partitions = column_values(&origin->partition, const int32_t);
    return partitions[a] == partitions[b] &&
           bytes_equal(column_bytes_at(&origin->topic, a), column_bytes_at(&origin->topic, b));
}

static enum code slots_by_record(struct feed *feed, struct origin *origin, int64_t rows, struct error *err)
{
    origin->slots = mem_array(int32_t, (size_t)rows);
    int32_t at = 0;
    for (int64_t i = 0; i < rows; i++) {
        if (i == 0 || !same_range(origin, i - 1, i))
            at = record_range(feed, origin, i, at);
        if (at < 0)
            return fail(err, E_BUG, "source %s delivered a record of no range that was asked for", feed->source->name);
        origin->slots[i] = feed->first_slot + at;
        feed->progress[at].rows++;
    }
    return E_OK;
}

/* Mostly one range has moved, and all records are of it. */
static enum code slots_find(struct feed *feed, struct origin *origin, int64_t rows, struct error *err)
{
    int32_t moved = 0, at = 0;
    for (int32_t i = 0; i < feed->ranges.count; i++)
        if (feed->ranges.items[i].from != feed->progress[i].from) {
            at = i;
            moved++;
        }
    if (moved > 1)
        return slots_by_record(feed, origin, rows, err);
    origin->slot = feed->first_slot + at;
    feed->progress[at].rows += rows;
    return E_OK;
}

static struct origin *origin_new(const struct feed *feed)
{
    struct origin *origin = mem_new(struct origin);
    atomic_store(&origin->count, 1);
    origin->name = feed->source->name;
    return origin;
}

/* All columns as one: what a reject takes along. */
static void row_share(const struct batch *batch, struct column *out)
{
    *out = (struct column){.type = batch->schema, .rows = batch->rows, .child_count = batch->column_count};
    out->children = mem_array(struct column, (size_t)batch->column_count);
    for (int32_t i = 0; i < batch->column_count; i++)
        column_share(&out->children[i], &batch->columns[i]);
}

/* The columns of the source itself, and, of a stream, where its rows come from. */
static void own_shape(const struct feed *feed, struct batch *fetched, struct batch *out)
{
    batch_init(out, feed->schema, fetched->rows);
    for (int32_t i = 0; i < feed->schema->field_count; i++)
        out->columns[i] = column_take(&fetched->columns[i]);
    if (feed->places < 0)
        return;
    struct column *const from = fetched->columns + feed->places;
    out->source = origin_new(feed);
    out->source->topic = column_take(&from[PLACE_TOPIC]);
    out->source->partition = column_take(&from[PLACE_PARTITION]);
    out->source->offset = column_take(&from[PLACE_OFFSET]);
    out->source->timestamp = column_take(&from[PLACE_TIMESTAMP]);
    row_share(out, &out->source->row);
}

struct file_told {
    const struct feed *feed;
    const struct field *field;
};

static enum code file_tell(void *context, const char *path, int64_t rows, struct column *out, struct error *err)
{
    const struct file_told *what = context;
    struct source_file file;
    (void)err;
    if (what->feed->type->file_of(what->feed->self, path, &file))
        source_file_column(&file, what->field, rows, out);
    else
        column_all_null(out, what->field->type, rows); // a replay came so late that the source has forgotten it
    return E_OK;
}

enum code feed_file_column(const struct feed *feed, const struct column *topics, int64_t rows,
                           const struct field *field, struct column *out, struct error *err)
{
    return source_each_file(topics, rows, file_tell, &(struct file_told){feed, field}, out, err);
}

/* The fetched batch has the source's columns by enum; the graph wants the node's schema and an origin. */
static enum code batch_shape(const struct feed *feed, struct batch *fetched, struct batch *out, struct error *err)
{
    if (feed->own != NULL) {
        own_shape(feed, fetched, out);
        return E_OK;
    }
    struct column *const from = fetched->columns;
    struct origin *origin = origin_new(feed);
    struct column *const kept[] = {&origin->key,       &origin->value,  &origin->topic,
                                   &origin->partition, &origin->offset, &origin->timestamp};
    for (int32_t c = SOURCE_KEY; c <= SOURCE_TIMESTAMP; c++)
        if (c < fetched->column_count && from[c].type != NULL)
            column_share(kept[c], &from[c]);
    batch_init(out, feed->schema, fetched->rows);
    out->source = origin;
    for (int32_t i = 0; i < feed->schema->field_count; i++)
        if (feed->columns[i] != FEED_FILE_COLUMN)
            column_share(&out->columns[i], &from[feed->columns[i]]);
        else
            TRY(feed_file_column(feed, &from[SOURCE_TOPIC], fetched->rows, &feed->schema->fields[i], &out->columns[i],
                                 err));
    return E_OK;
}

enum code feed_fetch(struct feed *feed, int64_t wait_us, struct batch *out, struct error *err)
{
    if (feed->self == NULL || feed->done) {
        feed->done = true;
        return E_OK;
    }
    struct batch fetched = {0};
    for (int32_t i = 0; i < feed->progress_count; i++)
        feed->progress[i].from = feed->ranges.items[i].from;
    enum code code = feed->type->fetch(feed->self, &feed->ranges, wait_us, &fetched, &feed->done, err);
    if (code != E_OK)
        feed_blame(feed, err);
    else if (fetched.rows > 0)
        code = batch_shape(feed, &fetched, out, err);
    if (code == E_OK && out->source != NULL)
        code = slots_find(feed, out->source, out->rows, err);
    if (code != E_OK)
        batch_release(out);
    batch_release(&fetched);
    return code;
}

void feed_cut(struct feed *feed)
{
    for (int32_t i = 0; i < feed->ranges.count; i++)
        feed->ranges.items[i].to = feed->ranges.items[i].from;
    feed->done = true;
}

void feed_recorded(struct feed *feed)
{
    for (int32_t i = 0; i < feed->progress_count; i++) {
        feed->ranges.items[i].lost = 0;
        feed->progress[i].anew = false;
    }
}

int64_t feed_lag(const struct feed *feed)
{
    int64_t lag = 0;
    for (int32_t i = 0; i < feed->ranges.count; i++)
        if (feed->ranges.items[i].latest > feed->ranges.items[i].from)
            lag += feed->ranges.items[i].latest - feed->ranges.items[i].from;
    if (lag > 0 && feed->type->offsets_in_bytes)
        return -1;
    return lag;
}

enum code feed_mirror(struct feed *feed, struct error *err)
{
    return feed->self == NULL ? E_OK : feed->type->mirror(feed->self, &feed->ranges, err);
}

#include "runtime/drift.h"

#include <inttypes.h>
#include <jansson.h>
#include <string.h>

#include "base/log.h"
#include "base/os.h"

#define DRIFT_FILE "drift"
enum { FILE_MAX = 64 << 20 };

/* ---- which fields are in a schema ---- */

static const struct plan *source_below(const struct plan *plan)
{
    while (plan != NULL && plan->kind != PLAN_SOURCE)
        plan = plan->input_count > 0 ? plan_input(plan, 0) : NULL;
    return plan;
}

/* a.b.c, through arrays and maps. */
static bool type_has_path(const struct type *type, const char *path)
{
    while (type->id == TYPE_ARRAY || type->id == TYPE_MAP)
        type = type->fields[type->field_count - 1].type;
    for (int32_t i = 0; type->id == TYPE_STRUCT && i < type->field_count; i++) {
        size_t size = strlen(type->fields[i].name);
        if (strncmp(path, type->fields[i].name, size) != 0)
            continue;
        if (path[size] == '\0' || (path[size] == '.' && type_has_path(type->fields[i].type, path + size + 1)))
            return true;
    }
    return false;
}

bool drift_is_known(const struct pipeline *pipeline, const char *source, const char *path)
{
    for (int32_t i = 0; i < pipeline->node_count; i++) {
        const struct plan *node = pipeline->nodes[i], *below = node->kind == PLAN_DECODE ? source_below(node) : NULL;
        if (below != NULL && strcmp(below->source->name, source) == 0 && type_has_path(node->decode.schema, path))
            return true;
    }
    return false;
}

/* ---- the list ---- */

static struct drift_entry *entry_find(struct drift *self, const char *source, const char *path)
{
    for (int32_t i = 0; i < self->count; i++)
        if (strcmp(self->entries[i].field.path, path) == 0 && strcmp(self->entries[i].field.source, source) == 0)
            return &self->entries[i];
    return NULL;
}

static struct drift_entry *entry_add(struct drift *self, const struct drift_field *field)
{
    if (self->count == DRIFT_FIELDS_MAX)
        return NULL;
    mem_grow(self->entries, self->capacity, self->count + 1);
    struct drift_entry *entry = &self->entries[self->count++];
    *entry = (struct drift_entry){.field = *field};
    entry->field.path = arena_strdup(&self->arena, field->path);
    entry->field.source = arena_strdup(&self->arena, field->source);
    entry->field.topic = arena_strdup(&self->arena, field->topic);
    entry->field.type = arena_strdup(&self->arena, field->type);
    entry->field.example = arena_strdup(&self->arena, field->example);
    entry->before = field->count;
    return entry;
}

/* ---- the file ---- */

static const char *text_of(const json_t *object, const char *name)
{
    const char *text = json_string_value(json_object_get(object, name));
    return text != NULL ? text : "";
}

static void line_take(struct drift *self, struct bytes line)
{
    json_t *object = json_loadb((const char *)line.data, line.size, 0, NULL);
    const struct drift_field field = {
        .source = text_of(object, "source"),
        .path = text_of(object, "path"),
        .topic = text_of(object, "topic"),
        .type = text_of(object, "type"),
        .example = text_of(object, "example"),
        .partition = (int32_t)json_integer_value(json_object_get(object, "partition")),
        .offset = json_integer_value(json_object_get(object, "offset")),
        .first_us = json_integer_value(json_object_get(object, "first_us")),
        .count = json_integer_value(json_object_get(object, "count")),
    };
    if (field.path[0] != '\0' && entry_find(self, field.source, field.path) == NULL)
        entry_add(self, &field);
    json_decref(object);
}

enum code drift_load(struct drift *self, struct store *store, struct error *err)
{
    struct text file = {0};
    struct error why = {0};
    enum code code = store_get(store, DRIFT_FILE, FILE_MAX, &file, &why);
    for (size_t from = 0, to; code == E_OK && from < file.size; from = to + 1) {
        const char *end = memchr(file.data + from, '\n', file.size - from);
        to = end != NULL ? (size_t)(end - file.data) : file.size;
        line_take(self, bytes_of(file.data + from, to - from));
    }
    text_free(&file);
    if (code == E_OK || code == E_ABSENT)
        return E_OK;
    *err = why;
    return code;
}

static void line_print(const struct drift_field *field, struct text *out)
{
    json_t *line = json_pack("{s:s, s:s, s:s, s:i, s:I, s:s, s:s, s:I, s:I}", "source", field->source, "path",
                             field->path, "topic", field->topic, "partition", field->partition, "offset",
                             (json_int_t)field->offset, "type", field->type, "example", field->example, "first_us",
                             (json_int_t)field->first_us, "count", (json_int_t)field->count);
    char *dump = line != NULL ? json_dumps(line, JSON_COMPACT) : NULL; // NULL: something is no UTF-8
    if (dump != NULL)
        text_printf(out, "%s\n", dump);
    mem_free(dump);
    json_decref(line);
}

static void file_write(struct drift *self, struct store *store)
{
    struct text file = {0};
    struct error err = {0};
    for (int32_t i = 0; i < self->count; i++)
        line_print(&self->entries[i].field, &file);
    if (store_put_over(store, DRIFT_FILE, text_view(&file), &err) != E_OK)
        log_warn("what leat drift shows was not written: %s", err.text);
    else
        self->dirty = false;
    text_free(&file);
    self->written_us = os->clock_mono_us();
}

/* ---- what the lanes have met ---- */

struct collecting {
    struct drift *drift;
    const struct pipeline *pipeline;
    bool fresh;
};

enum { TOLD_MAX = 12 }; /* names in one warning */

static void field_warn(const struct drift_field *field)
{
    log_warn(
        "a new field: %s has %s, which no schema names: %s, for example %s, first in %s, partition %d, offset %" PRId64
        "; leat drift lists such fields",
        field->source, field->path, field->type, field->example, field->topic, field->partition, field->offset);
}

/* A first run meets all that its schemas leave out at once: that is one warning, not one a field. */
static void fields_warn(const struct drift *self, int32_t from, const char *source)
{
    const struct drift_field *first = NULL;
    struct text names = {0};
    int32_t count = 0;
    for (int32_t i = from; i < self->count; i++) {
        const struct drift_field *field = &self->entries[i].field;
        if (strcmp(field->source, source) != 0)
            continue;
        first = first != NULL ? first : field;
        if (count++ < TOLD_MAX)
            text_printf(&names, "%s%s", count > 1 ? ", " : "", field->path);
    }
    if (count == 1)
        field_warn(first);
    else
        log_warn("%d new fields: %s has %s%s, which no schema names, first in %s, partition %d, offset %" PRId64
                 "; leat drift lists such fields",
                 count, source, names.data, count > TOLD_MAX ? ", .." : "", first->topic, first->partition,
                 first->offset);
    text_free(&names);
}

/* Those from the entry `from` on are new: one warning a source. */
static void fresh_warn(const struct drift *self, int32_t from)
{
    for (int32_t i = from; i < self->count; i++) {
        const char *source = self->entries[i].field.source;
        int32_t before = from;
        while (strcmp(self->entries[before].field.source, source) != 0)
            before++;
        if (before == i)
            fields_warn(self, from, source);
    }
}

static void on_sighting(void *context, const struct sighting *sighting)
{
    struct collecting *self = context;
    if (entry_find(self->drift, sighting->source, sighting->path) != NULL ||
        drift_is_known(self->pipeline, sighting->source, sighting->path))
        return;
    const struct drift_field field = {
        .source = sighting->source,
        .path = sighting->path,
        .topic = sighting->topic,
        .type = sighting->type,
        .example = sighting->example,
        .partition = sighting->partition,
        .offset = sighting->offset,
        .first_us = os->clock_wall_us(),
    };
    if (entry_add(self->drift, &field) != NULL)
        self->fresh = true;
}

/* Names that the decoder does not tell apart. */
static bool is_all_others(const char *path)
{
    size_t size = strlen(path);
    return size > 0 && path[size - 1] == '*' && (size == 1 || path[size - 2] == '.');
}

static struct drift_entry *others_add(struct collecting *self, const char *source, const char *path)
{
    const struct drift_field field = {.source = source,
                                      .path = path,
                                      .topic = "",
                                      .type = "",
                                      .example = "",
                                      .partition = -1,
                                      .offset = -1,
                                      .first_us = os->clock_wall_us()};
    self->fresh = true;
    log_warn(
        "%s has fields that no schema names and that are too many, or whose names are too long, to be told apart: %s",
        source, path);
    return entry_add(self->drift, &field);
}

static void on_count(void *context, const struct plan *plan, const char *path, int64_t met)
{
    struct collecting *self = context;
    const struct plan *source = source_below(plan);
    struct drift_entry *entry = source != NULL ? entry_find(self->drift, source->source->name, path) : NULL;
    if (entry == NULL && source != NULL && is_all_others(path))
        entry = others_add(self, source->source->name, path);
    if (entry != NULL)
        entry->field.count += met;
}

int64_t drift_values(const struct drift *self)
{
    int64_t values = 0;
    for (int32_t i = 0; i < self->count; i++)
        values += self->entries[i].field.count;
    return values;
}

void drift_collect(struct drift *self, const struct pipeline *pipeline, struct graph *graph, struct store *store)
{
    struct collecting collecting = {self, pipeline, false};
    struct error err = {0};
    int64_t before = drift_values(self);
    if (!graph_has_strangers(graph))
        return;
    if (!self->loaded && drift_load(self, store, &err) != E_OK)
        log_warn("what leat drift showed could not be read: %s", err.text);
    self->loaded = true;
    int32_t known = self->count;
    graph_sightings(graph, on_sighting, &collecting);
    fresh_warn(self, known);
    for (int32_t i = 0; i < self->count; i++)
        self->entries[i].field.count = self->entries[i].before;
    graph_strangers(graph, on_count, &collecting);
    self->dirty |= drift_values(self) != before;
    if (collecting.fresh || (self->dirty && os->clock_mono_us() - self->written_us > DRIFT_WRITE_US))
        file_write(self, store);
}

void drift_close(struct drift *self, struct store *store)
{
    if (self->dirty && store != NULL)
        file_write(self, store);
    mem_free(self->entries);
    arena_free(&self->arena);
    *self = (struct drift){0};
}

/* ---- for leat drift ---- */

enum code pipeline_drift(const struct pipeline *pipeline, const struct run_settings *settings,
                         void (*each)(void *context, const struct drift_field *field), void *context, struct error *err)
{
    struct drift drift = {0};
    struct store *store;
    struct error why = {0};
    enum code code = store_look(settings->checkpoint, &store, &why);
    if (code == E_ABSENT)
        return E_OK; // it never ran
    if (code != E_OK) {
        *err = why;
        return code;
    }
    code = drift_load(&drift, store, err);
    for (int32_t i = 0; code == E_OK && i < drift.count; i++) {
        const struct drift_field *field = &drift.entries[i].field;
        if (!drift_is_known(pipeline, field->source, field->path))
            each(context, field);
    }
    drift_close(&drift, NULL);
    store_close(store);
    return code;
}

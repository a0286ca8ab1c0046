#include "runtime/quarantines.h"

#include <strings.h>

#include "runtime/runtime.h"

static const char *named(const struct pipeline *pipeline, const struct pipeline_table *table, const char *what)
{
    static const char *const both[] = {"leat.quarantine", "leat.quarantine.topic"};
    bool own = false;
    for (size_t i = 0; i < sizeof both / sizeof *both; i++)
        own |= table_property(table, both[i]) != NULL;
    const char *name = own ? table_property(table, what) : pipeline_setting(pipeline, what);
    return name != NULL && name[0] != '\0' ? name : NULL;
}

/* File systems tell upper from lower case, names of tables do not. */
static bool is_named(const struct quarantine *self, const char *name, bool is_topic)
{
    return self->is_topic == is_topic && (is_topic ? strcmp(self->name, name) : strcasecmp(self->name, name)) == 0;
}

static void add(struct quarantines *self, const char *name, bool is_topic)
{
    if (name == NULL)
        return;
    for (int32_t i = 0; i < self->count; i++)
        if (is_named(&self->items[i], name, is_topic))
            return;
    self->items[self->count++] = (struct quarantine){name, is_topic};
    self->folder_count += !is_topic;
}

static const char *folder_of(const struct pipeline *pipeline, const struct pipeline_table *table)
{
    const char *folder = named(pipeline, table, "leat.quarantine");
    bool topic = named(pipeline, table, "leat.quarantine.topic") != NULL;
    return folder != NULL || topic ? folder : QUARANTINE_DEFAULT;
}

static const char *topic_of(const struct pipeline *pipeline, const struct pipeline_table *table)
{
    return named(pipeline, table, "leat.quarantine.topic");
}

static void of_tables_find(struct arena *arena, const struct pipeline *pipeline, struct quarantines *self)
{
    self->of_table = arena_array(arena, int32_t *, (size_t)pipeline->table_count);
    self->of_table_count = arena_array(arena, int32_t, (size_t)pipeline->table_count);
    for (int32_t t = 0; t < pipeline->table_count; t++) {
        const char *folder = folder_of(pipeline, pipeline->tables[t]), *topic = topic_of(pipeline, pipeline->tables[t]);
        self->of_table[t] = arena_array(arena, int32_t, (size_t)self->count);
        for (int32_t q = 0; q < self->count; q++) {
            const char *name = self->items[q].is_topic ? topic : folder;
            if (name != NULL && is_named(&self->items[q], name, self->items[q].is_topic))
                self->of_table[t][self->of_table_count[t]++] = q;
        }
    }
}

/* Every row that a node rejects goes once into each quarantine that some table below it names. */
static void of_nodes_find(struct arena *arena, const struct pipeline *pipeline, struct quarantines *self)
{
    bool *reaches = mem_array(bool, (size_t)pipeline->node_count);
    bool *goes = mem_array(bool, (size_t)pipeline->node_count *(size_t)(self->count + 1));
    for (int32_t t = 0; t < pipeline->table_count; t++) {
        const struct pipeline_table *table = pipeline->tables[t];
        const char *folder = folder_of(pipeline, table), *topic = topic_of(pipeline, table);
        plan_reach(pipeline, table, reaches);
        for (int32_t q = 0; q < self->count; q++) {
            const char *name = self->items[q].is_topic ? topic : folder;
            bool names = name != NULL && is_named(&self->items[q], name, self->items[q].is_topic);
            for (int32_t i = 0; names && i < pipeline->node_count; i++)
                goes[(size_t)i * (size_t)self->count + (size_t)q] |= reaches[i];
        }
    }
    self->of_node = arena_array(arena, int32_t *, (size_t)pipeline->node_count);
    self->of_node_count = arena_array(arena, int32_t, (size_t)pipeline->node_count);
    for (int32_t i = 0; i < pipeline->node_count; i++) {
        self->of_node[i] = arena_array(arena, int32_t, (size_t)self->count);
        for (int32_t q = 0; q < self->count; q++)
            if (goes[(size_t)i * (size_t)self->count + (size_t)q])
                self->of_node[i][self->of_node_count[i]++] = q;
    }
    mem_free(goes);
    mem_free(reaches);
}

void quarantines_find(struct arena *arena, const struct pipeline *pipeline, struct quarantines *out)
{
    *out = (struct quarantines){.items = arena_array(arena, struct quarantine, 2 * (size_t)pipeline->table_count + 1)};
    for (int32_t t = 0; t < pipeline->table_count; t++)
        add(out, folder_of(pipeline, pipeline->tables[t]), false);
    for (int32_t t = 0; t < pipeline->table_count; t++)
        add(out, topic_of(pipeline, pipeline->tables[t]), true);
    of_nodes_find(arena, pipeline, out);
    of_tables_find(arena, pipeline, out);
}

int32_t quarantine_topics(struct arena *arena, const struct pipeline *pipeline, const struct pipeline_table *table,
                          const char *const **topics, int32_t *folders)
{
    struct quarantines all;
    quarantines_find(arena, pipeline, &all);
    const char **names = arena_array(arena, const char *, (size_t)all.count);
    int32_t count = 0;
    *folders = 0;
    for (int32_t q = 0; q < all.count; q++) {
        bool goes = table == NULL;
        for (int32_t t = 0; t < pipeline->table_count; t++)
            for (int32_t i = 0; pipeline->tables[t] == table && i < all.of_table_count[t]; i++)
                goes |= all.of_table[t][i] == q;
        if (goes && all.items[q].is_topic)
            names[count++] = all.items[q].name;
        *folders += goes && !all.items[q].is_topic;
    }
    *topics = names;
    return count;
}

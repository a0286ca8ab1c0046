#include "runtime/change.h"

#include <inttypes.h>
#include <string.h>

#include "runtime/ledger.h"
#include "runtime/plan_stage.h"

/* ---- names ---- */

const char *watermark_name(struct arena *arena, const struct plan *plan)
{
    struct text text = {0};
    text_printf(&text, "%s, delay ", plan->schema->fields[plan->watermark.column].name);
    duration_print(plan->watermark.delay_us, &text);
    const char *name = arena_strdup(arena, text.data);
    text_free(&text);
    return name;
}

/* The first table that the node's rows come to, or -1. */
static int32_t first_table(const struct pipeline *pipeline, const struct plan *plan, int64_t *paths)
{
    for (int32_t t = 0; t < pipeline->table_count; t++) {
        ledger_paths(pipeline, pipeline->tables[t], paths);
        if (paths[plan->id] != 0)
            return t;
    }
    return -1;
}

const char *stateful_name(struct arena *arena, const struct pipeline *pipeline, const struct plan *plan)
{
    int64_t *paths = mem_array(int64_t, (size_t)pipeline->node_count);
    const char *kind = plan_kind_name(plan->kind);
    int32_t table = first_table(pipeline, plan, paths), number = 1;
    for (int32_t i = 0; i < plan->id; i++) {
        const struct plan *other = pipeline->nodes[i];
        number += plan_is_stateful(other) && other->kind == plan->kind && first_table(pipeline, other, paths) == table;
    }
    mem_free(paths);
    if (table < 0)
        return kind;
    return number == 1 ? arena_printf(arena, "%s of %s", kind, pipeline->tables[table]->name)
                       : arena_printf(arena, "%s %d of %s", kind, number, pipeline->tables[table]->name);
}

const char *stateful_what(struct arena *arena, const struct plan *plan)
{
    enum { WHAT_MAX = 400 }; // it stands in every record
    struct text text = {0};
    plan_state_print(plan, &text);
    size_t size = text.size;
    bool cut = size > WHAT_MAX;
    for (size = cut ? WHAT_MAX : size; cut && ((unsigned char)text.data[size] & 0xC0) == 0x80;)
        size--; // not within a character
    const char *what = arena_printf(arena, "%.*s%s", (int)size, text.data != NULL ? text.data : "", cut ? ".." : "");
    text_free(&text);
    return what;
}

/* ---- items ---- */

static void item_add(struct arena *arena, struct change *self, enum change_kind kind, enum change_fate fate,
                     const char *name, const char *detail)
{
    if (self->count == self->capacity) {
        int32_t capacity = self->capacity * 2 + 8;
        struct change_item *items = arena_array(arena, struct change_item, (size_t)capacity);
        for (int32_t i = 0; i < self->count; i++)
            items[i] = self->items[i];
        self->items = items;
        self->capacity = capacity;
    }
    self->items[self->count++] = (struct change_item){kind, fate, name, detail};
    self->lost += change_loses(fate);
}

static bool reads_source(const struct pipeline *pipeline, const char *name)
{
    for (int32_t i = 0; i < pipeline->node_count; i++) {
        const struct plan *plan = pipeline->nodes[i];
        if (plan->kind == PLAN_SOURCE && plan->streaming && strcmp(plan->source->name, name) == 0)
            return true;
    }
    return false;
}

/* Ranges of one source stand together: the first of them speaks for all. */
static bool first_of_source(const struct chain_record *head, int32_t range)
{
    for (int32_t i = 0; i < range; i++)
        if (strcmp(head->ranges[i].source, head->ranges[range].source) == 0)
            return false;
    return true;
}

static const char *positions_text(struct arena *arena, const struct chain_record *head, const char *source)
{
    int32_t partitions = 0;
    int64_t next = 0;
    for (int32_t i = 0; i < head->range_count; i++)
        if (strcmp(head->ranges[i].source, source) == 0) {
            partitions++;
            next += head->ranges[i].to;
        }
    return arena_printf(arena, "%d partition%s, next offsets add up to %" PRId64, partitions,
                        partitions == 1 ? "" : "s", next);
}

static void find_sources(struct arena *arena, const struct pipeline *pipeline, const struct chain_record *head,
                         struct change *out)
{
    for (int32_t i = 0; i < head->range_count; i++) {
        const char *name = head->ranges[i].source, *at = positions_text(arena, head, name);
        if (!first_of_source(head, i) || strcmp(name, REPLAY_SOURCE) == 0)
            continue;
        if (reads_source(pipeline, name))
            item_add(arena, out, CHANGE_SOURCE, CHANGE_KEPT, name, arena_printf(arena, "goes on: %s", at));
        else
            item_add(arena, out, CHANGE_SOURCE, CHANGE_LOST, name,
                     arena_printf(arena, "nothing reads it any more; its place is forgotten: %s", at));
    }
    for (int32_t i = 0; i < pipeline->node_count; i++) {
        const struct plan *plan = pipeline->nodes[i];
        bool known = plan->kind != PLAN_SOURCE || !plan->streaming;
        for (int32_t r = 0; !known && r < head->range_count; r++)
            known = strcmp(head->ranges[r].source, plan->source->name) == 0;
        if (!known)
            item_add(arena, out, CHANGE_SOURCE, CHANGE_REBUILT, plan->source->name,
                     "is new: starts at startingOffsets");
    }
}

static bool same_state(const struct chain_state *state, const struct plan *plan)
{
    return state->identity != 0 && plan->identity != 0 ? state->identity == plan->identity : state->node == plan->id;
}

static bool same_watermark(const struct chain_record *head, int32_t number, const struct plan *plan)
{
    const struct chain_watermark *stored = &head->watermarks[number];
    return stored->identity != 0 && plan->identity != 0 ? stored->identity == plan->identity
                                                        : plan->watermark.node == number;
}

/* A watermark that is gone loses nothing: the W of what it led stays where it is until the new one has passed it. */
static void find_watermarks(struct arena *arena, const struct pipeline *pipeline, const struct chain_record *head,
                            struct change *out)
{
    for (int32_t i = 0; i < pipeline->node_count; i++) {
        const struct plan *plan = pipeline->nodes[i];
        if (plan->kind != PLAN_WATERMARK)
            continue;
        bool known = false;
        for (int32_t w = 0; !known && w < head->watermark_count; w++)
            known = same_watermark(head, w, plan);
        item_add(arena, out, CHANGE_WATERMARK, known ? CHANGE_KEPT : CHANGE_REBUILT, watermark_name(arena, plan),
                 known ? "goes on" : "is new: moves when its times have passed what was reached before");
    }
}

static const struct chain_state *state_kept(const struct chain_record *head, const struct plan *plan)
{
    for (int32_t s = 0; s < head->state_count; s++)
        if (same_state(&head->states[s], plan))
            return &head->states[s];
    return NULL;
}

static bool is_taken(const struct pipeline *pipeline, const struct chain_state *state)
{
    for (int32_t i = 0; i < pipeline->node_count; i++)
        if (plan_is_stateful(pipeline->nodes[i]) && same_state(state, pipeline->nodes[i]))
            return true;
    return false;
}

static bool was_reset(const struct change *change, const char *name)
{
    for (int32_t i = 0; i < change->count; i++)
        if (change->items[i].kind == CHANGE_OPERATOR && change->items[i].fate == CHANGE_RESET &&
            strcmp(change->items[i].name, name) == 0)
            return true;
    return false;
}

/* An operator that remembers something else than before is one thing that happens, not two: it is called as what the
 * checkpoint has and nothing takes up. */
static const struct chain_state *state_named(const struct pipeline *pipeline, const struct chain_record *head,
                                             const char *name)
{
    for (int32_t s = 0; s < head->state_count; s++)
        if (strcmp(head->states[s].name, name) == 0 && !is_taken(pipeline, &head->states[s]))
            return &head->states[s];
    return NULL;
}

/* "1 group", "12 waiting rows" */
static const char *entries_text(struct arena *arena, const struct chain_state *state)
{
    static const char *const nouns[][3] = {
        {"join", "waiting row", "waiting rows"}, {"deduplicate", "key", "keys"}, {"", "open group", "open groups"}};
    size_t n = 0;
    while (strncmp(state->name, nouns[n][0], strlen(nouns[n][0])) != 0)
        n++;
    return arena_printf(arena, "%" PRId64 " %s", state->entries, nouns[n][state->entries == 1 ? 1 : 2]);
}

static const char *kept_text(struct arena *arena, const struct chain_state *state)
{
    return state->entries < 0 ? "goes on with its state"
                              : arena_printf(arena, "goes on with %s", entries_text(arena, state));
}

/* Why it is another one: what it remembers, or else the rows that come to it. */
static const char *reset_text(struct arena *arena, const struct chain_state *was, const struct plan *plan)
{
    const char *open =
        was->entries < 0 ? "what was open is lost" : arena_printf(arena, "%s: lost", entries_text(arena, was));
    const char *what = stateful_what(arena, plan), *why = "it now remembers something else";
    if (was->what[0] != '\0' && strcmp(was->what, what) == 0)
        why = "the rows that come to it are made, filtered or timed in another way";
    else if (was->what[0] != '\0')
        why = arena_printf(arena, "it was %s, and is %s", was->what, what);
    return arena_printf(arena, "%s, because %s: starts empty, with the next record", open, why);
}

static const char *lost_text(struct arena *arena, const struct chain_state *state)
{
    const char *colon = state->what[0] != '\0' ? ", " : "";
    if (state->entries < 0)
        return "its state fits nothing in the project: what was open is never written";
    return arena_printf(arena, "%s%s%s: fit nothing in the project, and are never written", entries_text(arena, state),
                        colon, state->what);
}

static void find_operators(struct arena *arena, const struct pipeline *pipeline, const struct chain_record *head,
                           struct change *out)
{
    for (int32_t i = 0; i < pipeline->node_count; i++) {
        const struct plan *plan = pipeline->nodes[i];
        if (!plan_is_stateful(plan))
            continue;
        const char *name = stateful_name(arena, pipeline, plan);
        const struct chain_state *kept = state_kept(head, plan);
        const struct chain_state *was = kept != NULL ? NULL : state_named(pipeline, head, name);
        if (kept != NULL)
            item_add(arena, out, CHANGE_OPERATOR, CHANGE_KEPT, name, kept_text(arena, kept));
        else if (was != NULL)
            item_add(arena, out, CHANGE_OPERATOR, CHANGE_RESET, name, reset_text(arena, was, plan));
        else
            item_add(arena, out, CHANGE_OPERATOR, CHANGE_REBUILT, name,
                     "remembers something new: starts empty, with the next record");
    }
    for (int32_t s = 0; s < head->state_count; s++)
        if (!is_taken(pipeline, &head->states[s]) && !was_reset(out, head->states[s].name))
            item_add(arena, out, CHANGE_OPERATOR, CHANGE_LOST, head->states[s].name,
                     lost_text(arena, &head->states[s]));
}

static bool has_table(const struct pipeline *pipeline, const char *name)
{
    for (int32_t t = 0; t < pipeline->table_count; t++)
        if (strcmp(pipeline->tables[t]->name, name) == 0)
            return true;
    return false;
}

static bool record_has(const struct chain_record *head, const char *name)
{
    for (int32_t i = 0; i < head->sink_count; i++)
        if (strcmp(head->sinks[i].name, name) == 0)
            return true;
    return false;
}

static void find_tables(struct arena *arena, const struct pipeline *pipeline, const struct chain_record *head,
                        struct change *out)
{
    for (int32_t t = 0; t < pipeline->table_count; t++) {
        const char *name = pipeline->tables[t]->name;
        if (record_has(head, name))
            item_add(arena, out, CHANGE_TABLE, CHANGE_KEPT, name, "goes on");
        else
            item_add(arena, out, CHANGE_TABLE, CHANGE_REBUILT, name, "is new: starts with the next record");
    }
    for (int32_t i = 0; i < head->ledger_count; i++)
        if (!has_table(pipeline, head->ledgers[i].table))
            item_add(arena, out, CHANGE_TABLE, CHANGE_KEPT, head->ledgers[i].table,
                     "is no longer written; its files stay as they are");
}

void change_find(struct arena *arena, const struct pipeline *pipeline, const struct chain_record *head,
                 struct change *out)
{
    *out = (struct change){0};
    find_sources(arena, pipeline, head, out);
    find_watermarks(arena, pipeline, head, out);
    find_operators(arena, pipeline, head, out);
    find_tables(arena, pipeline, head, out);
}

void change_print(const struct change *change, struct text *out)
{
    static const char *const kinds[] = {"source", "watermark", "operator", "table"};
    static const char *const fates[] = {"kept", "rebuilt", "reset", "lost"};
    int wide = 4;
    for (int32_t i = 0; i < change->count; i++)
        wide = (int)strlen(change->items[i].name) > wide ? (int)strlen(change->items[i].name) : wide;
    for (int32_t i = 0; i < change->count; i++) {
        const struct change_item *item = &change->items[i];
        text_printf(out, "%-7s  %-9s  %-*s  %s\n", fates[item->fate], kinds[item->kind], wide, item->name,
                    item->detail);
    }
}

/* ---- watermarks ---- */

static const struct watermark_time *stored_time(const struct chain_record *head, const struct plan *plan)
{
    if (head->version == 1) // one W for all: the smallest of all watermarks, so no group is ahead of it
        return head->group_count > 0 ? &head->groups[0] : NULL;
    for (int32_t s = 0; s < head->state_count; s++) {
        int32_t group = head->states[s].group;
        if (group >= 0 && group < head->group_count && same_state(&head->states[s], plan))
            return &head->groups[group];
    }
    return NULL;
}

void change_watermarks(const struct pipeline *pipeline, const struct chain_record *head, struct watermarks *out)
{
    for (int32_t i = 0; i < pipeline->node_count; i++) {
        const struct plan *plan = pipeline->nodes[i];
        for (int32_t w = 0; plan->kind == PLAN_WATERMARK && w < head->watermark_count; w++)
            if (same_watermark(head, w, plan))
                out->node_us[plan->watermark.node] = head->watermarks[w].at_us;
        int32_t group = plan_is_stateful(plan) ? watermark_group_of(out, plan) : -1;
        const struct watermark_time *time = group >= 0 ? stored_time(head, plan) : NULL;
        if (time != NULL && time->next_us >= out->groups[group].next_us)
            out->groups[group] = *time;
    }
}

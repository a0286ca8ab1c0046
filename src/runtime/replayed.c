#include "runtime/replayed.h"

#include <stdlib.h>

#include "runtime/chain.h"

static int by_id(const void *a, const void *b)
{
    uint64_t x = ((const struct replayed_id *)a)->id, y = ((const struct replayed_id *)b)->id;
    return (x > y) - (x < y);
}

static void id_add(struct replayed *self, struct bytes text)
{
    char id[REPLAYED_ID_TEXT] = {0};
    if (text.size >= sizeof id)
        return;
    memcpy(id, text.data, text.size);
    mem_grow(self->ids, self->capacity, self->count + 1);
    self->ids[self->count++] = (struct replayed_id){strtoull(id, NULL, 16), self->next};
}

static enum code requests_read(struct replayed *self, struct store *store, struct error *err)
{
    struct arena arena = {0};
    const struct field field = {"id", type_of(TYPE_STRING), true};
    const struct type *schema = type_struct(&arena, &field, 1);
    struct budget budget = {0};
    int64_t end = 0;
    enum code code = replay_end(store, &end, err);
    end = end > self->taken ? end : self->taken; // a number below would never be taken
    for (self->next = 0; code == E_OK && self->next < end; self->next++) {
        struct batch request = {0};
        if (!replay_exists(store, self->next)) {
            self->missing = self->missing < 0 ? self->next : self->missing;
            continue;
        }
        code = replay_read(store, self->next, schema, &budget, &request, err);
        for (int64_t row = 0; code == E_OK && row < request.rows; row++)
            if (!column_is_null(&request.columns[0], row))
                id_add(self, column_bytes_at(&request.columns[0], row));
        batch_release(&request);
    }
    if (self->count > 1)
        qsort(self->ids, (size_t)self->count, sizeof *self->ids, by_id);
    arena_free(&arena);
    return code;
}

static enum code taken_read(struct replayed *self, struct store *store, struct error *err)
{
    struct arena arena = {0};
    struct chain *chain = NULL;
    struct chain_record head = {0};
    enum code code = chain_look(store, "0", &chain, err);
    if (code == E_OK && chain_head(chain) >= 0)
        code = chain_read(chain, chain_head(chain), &arena, &head, err);
    for (int32_t i = 0; code == E_OK && i < head.range_count; i++)
        if (strcmp(head.ranges[i].source, REPLAY_SOURCE) == 0)
            self->taken = head.ranges[i].to;
    chain_close(chain);
    arena_free(&arena);
    return code;
}

enum code replayed_read(struct replayed *self, const char *checkpoint, struct error *err)
{
    struct store *store = NULL;
    *self = (struct replayed){.missing = -1};
    enum code code = store_look(checkpoint, &store, err);
    if (code == E_OK)
        code = taken_read(self, store, err);
    if (code == E_OK)
        code = requests_read(self, store, err);
    if (store != NULL)
        store_close(store);
    if (code != E_ABSENT)
        return code;
    error_clear(err);
    return E_OK;
}

const char *replayed_state(const struct replayed *self, uint64_t id)
{
    const struct replayed_id key = {.id = id};
    const struct replayed_id *found =
        self->count > 0 ? bsearch(&key, self->ids, (size_t)self->count, sizeof *self->ids, by_id) : NULL;
    if (found == NULL)
        return NULL;
    return found->request < self->taken ? "done" : "waiting";
}

void replayed_close(struct replayed *self)
{
    mem_free(self->ids);
    *self = (struct replayed){0};
}

#include "query/overflow.h"

void rows_overflow_free(struct rows_overflow *self)
{
    if (self == NULL)
        return;
    rows_file_release(self->file);
    rows_list_free(&self->list);
    mem_free(self);
}

static enum code overflow_add(struct stored_rows *self, const struct batch *batch, struct query *query,
                              struct error *err)
{
    if (self->rows + batch->rows > QUERY_ROWS_MAX)
        return fail(err, E_UNSUPPORTED, "more than QUERY_ROWS_MAX = %lld rows in one place", (long long)QUERY_ROWS_MAX);
    if (self->overflow == NULL) {
        struct rows_file *file;
        TRY(rows_file_new(query, &file, err));
        self->overflow = mem_new(struct rows_overflow);
        self->overflow->file = file;
    }
    TRY(rows_file_put(self->overflow->file, &self->overflow->list, batch, err));
    self->rows += batch->rows;
    return E_OK;
}

enum code stored_rows_keep(struct stored_rows *self, struct batch *batch, struct budget *budget, struct query *query,
                           struct error *err)
{
    size_t size = batch_bytes(batch);
    enum code code = self->overflow != NULL ? E_MEMORY : budget_take(budget, size, "the rows of a query", err);
    if (code == E_OK)
        return stored_rows_put(self, batch, size, budget, err);
    error_clear(err);
    code = overflow_add(self, batch, query, err);
    batch_release(batch);
    return code;
}

enum code stored_rows_next(const struct stored_rows *self, int32_t *at, const struct type *schema, struct batch *out,
                           struct error *err)
{
    const struct rows_overflow *overflow = self->overflow;
    int32_t number = *at;
    if (number < self->count) {
        batch_share(out, &self->batches[number]);
    } else if (overflow != NULL && number - self->count < overflow->list.count) {
        TRY(rows_file_get(overflow->file, &overflow->list.blocks[number - self->count], schema, out, err));
    } else {
        *out = (struct batch){0};
        return E_OK;
    }
    ++*at;
    return E_OK;
}

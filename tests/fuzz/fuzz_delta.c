/* The log of a Delta table: lines of a commit, deletion vectors, checkpoints' rows as JSON, schemas. What is read is printed,
 * and read again. */
#include "delta/delta_internal.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static enum code visit(void *context, int64_t version, const struct delta_action *action, struct error *err)
{
    struct arena *arena = context;
    struct budget budget = {.limit_bytes = 16 << 20};
    char path[DELTA_PATH_SIZE];
    struct delta_schema schema;
    struct text line = {0};
    int64_t *rows, count;
    (void)version;
    if (action->kind == DELTA_METADATA && delta_schema_parse(&action->metadata, arena, &schema, err) == E_OK)
        (void)delta_schema_find(&schema, "id");
    if (action->kind == DELTA_ADD || action->kind == DELTA_REMOVE) {
        (void)!delta_path(action->file.path, "/table", path, err);
        if (action->file.vector.storage == 'i' &&
            delta_vector_read(&action->file.vector, NULL, &budget, &rows, &count, err) == E_OK)
            mem_free(rows);
        always(budget.used_bytes == 0);
    }
    if (action->kind != DELTA_OTHER && action->kind < DELTA_INFO) {
        struct delta_action again;
        delta_action_print(action, &line);
        always(delta_action_parse(text_view(&line), arena, &again, err) == E_OK && again.kind == action->kind);
        text_free(&line);
    }
    return E_OK;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena arena = {0};
    struct error err = {0};
    const struct delta_visitor visitor = {.visit = visit, .context = &arena};
    (void)!delta_lines_visit(bytes_of(data, size), 0, &visitor, &err);
    arena_free(&arena);
    return 0;
}

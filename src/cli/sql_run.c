#include "cli/sql_run.h"

#include "base/options.h"
#include "base/os.h"

static struct stored_rows *rows_new(void) { return mem_new(struct stored_rows); }

static void rows_drop(void *context, struct stored_rows *rows)
{
    struct sql_run *self = context;
    stored_rows_free(rows, &self->budget);
    mem_free(rows);
}

void sql_run_open(struct sql_run *self, const struct session *settings, size_t memory_bytes)
{
    *self = (struct sql_run){.session = sql_session_new(settings)};
    self->budget.limit_bytes = memory_bytes;
    query_files_init(&self->files, &self->budget);
    sql_session_files(self->session, &self->files.files);
}

void sql_run_close(struct sql_run *self)
{
    sql_session_free(self->session, rows_drop, self);
    *self = (struct sql_run){0};
}

/* Rows for the sink, which hears of their schema when the first are there, or the query has ended well. */
struct answer {
    const struct sql_sink *sink;
    const struct type *schema; /* NULL: the rows are not for the sink */
    const struct zone *zone;
    bool begun;
};

static void answer_begin(struct answer *self)
{
    if (self->schema != NULL && !self->begun)
        self->sink->schema(self->sink->context, self->schema, self->zone);
    self->begun = true;
}

static enum code tables_full(const struct sql_run *self, struct error *err)
{
    char limit[SIZE_TEXT_MAX];
    return fail(err, E_MEMORY,
                "[UNABLE_TO_ACQUIRE_MEMORY] the tables of the session: more than the %s that all statements may hold: "
                "raise --memory, drop tables, or name a query by CREATE TEMPORARY VIEW, which keeps no rows",
                print_size(self->budget.limit_bytes, limit));
}

/* All batches to the sink, or into `filled`. */
static enum code query_drain(struct sql_run *self, struct query *query, struct answer *answer,
                             struct stored_rows *filled, struct position *at, struct error *err)
{
    for (;;) {
        struct batch batch;
        TRY(query_next(query, &batch, at, err));
        if (batch.rows == 0) {
            batch_release(&batch);
            answer_begin(answer);
            return E_OK;
        }
        if (filled != NULL) {
            if (stored_rows_add(filled, &batch, &self->budget, err) != E_OK)
                return tables_full(self, err);
            continue;
        }
        answer_begin(answer);
        answer->sink->rows(answer->sink->context, &batch);
        batch_release(&batch);
    }
}

static enum code step_run(struct sql_run *self, const struct session_step *step, struct answer *answer,
                          struct position *at, struct error *err)
{
    const struct session *session = sql_session_settings(self->session);
    const struct query_spec spec = {.plan = step->plan,
                                    .session = session,
                                    .budget = &self->budget,
                                    .spill = &self->spill,
                                    .stopped = self->stopped,
                                    .stopped_context = self->stopped_context};
    struct stored_rows filled = {0};
    struct query *query;
    TRY(query_open(&spec, &query, err));
    answer->schema = step->action == SESSION_ROWS ? step->plan->schema : NULL;
    answer->zone = session->zone;
    bool fill = step->action == SESSION_FILL, assign = step->action == SESSION_ASSIGN;
    self->running = query;
    enum code code = query_drain(self, query, answer, fill || assign ? &filled : NULL, at, err);
    self->running = NULL;
    query_close(query);
    if (code == E_OK && fill && step->overwrite)
        stored_rows_free(step->target, &self->budget);
    for (int32_t i = 0; code == E_OK && fill && i < filled.count; i++) {
        batch_retype(&filled.batches[i], step->schema);
        code = stored_rows_add(step->target, &filled.batches[i], &self->budget, err);
    }
    if (code == E_OK && assign)
        code = sql_session_assign(self->session, step, filled.batches, filled.count, err);
    stored_rows_free(&filled, &self->budget);
    return code;
}

/* *again: files had changed before they were read, and nobody has seen a row of the answer; it is set while this is done
 * again. */
static enum code statement_try(struct sql_run *self, struct bytes text, const struct sql_sink *sink, bool *again,
                               struct error *err)
{
    struct arena arena = {0};
    struct session_step step;
    struct position at = {0};
    struct answer answer = {.sink = sink};
    enum code code = sql_session_step(self->session, &arena, text, rows_new, &step, err);
    for (int32_t i = 0; i < step.warning_count && sink->warning != NULL && !*again; i++)
        sink->warning(sink->context, step.warnings[i]);
    *again = false;
    self->made_table = self->made_table || (code == E_OK && step.in_memory);
    if (code == E_OK && step.action == SESSION_DROP)
        rows_drop(self, step.target);
    else if (code == E_OK && step.action != SESSION_NOTHING) {
        code = step_run(self, &step, &answer, &at, err);
        *again = code == E_LOST && step.action == SESSION_ROWS && !answer.begun;
        if (code != E_OK)
            code = sql_session_place(step.text.data != NULL ? step.text : text, at, err);
    }
    arena_free(&arena);
    return code;
}

enum code sql_run_statement(struct sql_run *self, struct bytes text, const struct sql_sink *sink, struct error *err)
{
    enum { TRIES = 5 }; // a leat at work merges files and replaces views: they are listed again
    bool again = false;
    enum code code;
    int attempt = 0;
    sql_session_clock(self->session, os->clock_wall_us());
    do {
        error_clear(err);
        code = statement_try(self, text, sink, &again, err);
    } while (again && ++attempt < TRIES);
    return code;
}

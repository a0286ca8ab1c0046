#include "query_kit.h"

#include <time.h>

#include "kit.h"
#include "query/query.h"

struct script {
    struct sql_session *session;
    struct budget budget;
    struct query_spill spill;
    struct text answer;
    struct stopping *stopping; /* NULL: nobody stops it */
};

/* Somebody who wants to stop a query that has worked for STOP_AFTER_US. */
enum { STOP_AFTER_US = 50000 };
struct stopping {
    int64_t begun_us, heard_us; /* of the thread's CPU time; 0 = not heard yet */
};

static int64_t cpu_us(void)
{
    struct timespec now;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

static bool is_time_to_stop(void *context)
{
    struct stopping *self = context;
    int64_t now_us = cpu_us();
    if (self->heard_us == 0 && now_us - self->begun_us > STOP_AFTER_US)
        self->heard_us = now_us;
    return self->heard_us != 0;
}

static struct stored_rows *rows_new(void) { return mem_new(struct stored_rows); }

static void rows_drop(void *context, struct stored_rows *rows)
{
    struct script *self = context;
    stored_rows_free(rows, &self->budget);
    mem_free(rows);
}

static void answer_add(struct script *self, const struct batch *batch)
{
    for (int64_t row = 0; row < batch->rows; row++) {
        text_add_string(&self->answer, self->answer.size > 0 ? "\n" : "");
        for (int32_t c = 0; c < batch->column_count; c++) {
            text_add_string(&self->answer, c > 0 ? ", " : "");
            column_print_in(&batch->columns[c], row, zone_utc(), &self->answer);
        }
    }
}

static enum code rows_run(struct script *self, const struct session_step *step, struct stored_rows *filled,
                          struct error *err)
{
    const struct query_spec spec = {.plan = step->plan,
                                    .session = sql_session_settings(self->session),
                                    .budget = &self->budget,
                                    .spill = &self->spill,
                                    .stopped = self->stopping != NULL ? is_time_to_stop : NULL,
                                    .stopped_context = self->stopping};
    struct query *query;
    struct position at;
    if (self->stopping != NULL)
        self->stopping->begun_us = cpu_us();
    enum code code = query_open(&spec, &query, err);
    if (code != E_OK)
        return code;
    for (;;) {
        struct batch batch;
        code = query_next(query, &batch, &at, err);
        if (code != E_OK || batch.rows == 0)
            break;
        batch_check(&batch);
        if (step->action != SESSION_ROWS) {
            if (step->action == SESSION_FILL)
                batch_retype(&batch, step->schema);
            code = stored_rows_add(filled, &batch, &self->budget, err);
            if (code != E_OK)
                break;
            continue;
        }
        answer_add(self, &batch);
        batch_release(&batch);
    }
    query_close(query);
    return code;
}

static enum code statement_run(struct script *self, struct bytes text, struct error *err)
{
    struct arena arena = {0};
    struct session_step step;
    text_clear(&self->answer);
    enum code code = sql_session_step(self->session, &arena, text, rows_new, &step, err);
    if (code == E_OK && step.action == SESSION_DROP)
        rows_drop(self, step.target);
    else if (code == E_OK && step.action == SESSION_ASSIGN) {
        struct stored_rows rows = {0};
        code = rows_run(self, &step, &rows, err);
        if (code == E_OK)
            code = sql_session_assign(self->session, &step, rows.batches, rows.count, err);
        stored_rows_free(&rows, &self->budget);
    } else if (code == E_OK && step.action != SESSION_NOTHING) {
        if (step.overwrite) // no statement of the tests reads what it overwrites
            stored_rows_free(step.target, &self->budget);
        code = rows_run(self, &step, step.target, err);
    }
    arena_free(&arena);
    return code;
}

static void say_error(struct script *self, const struct error *err)
{
    struct bytes condition = sql_condition(err);
    text_clear(&self->answer);
    text_add_char(&self->answer, '[');
    if (condition.size > 0)
        text_add(&self->answer, condition.data, condition.size);
    else
        text_add_string(&self->answer, err->text);
    text_add_char(&self->answer, ']');
}

/* Runs the statements; on failure the answer is the error's condition, and err says more. */
static void script_run_until(struct script *self, const char *script, size_t memory_bytes, struct stopping *stopping,
                             struct error *err)
{
    const struct session settings = {.zone = zone_utc(), .ansi = true};
    struct bytes rest = bytes_of_string(script), statement;
    *self = (struct script){.session = sql_session_new(&settings), .budget = {.limit_bytes = memory_bytes}};
    self->stopping = stopping;
    while (sql_statement_next(&rest, &statement))
        if (statement_run(self, statement, err) != E_OK) {
            say_error(self, err);
            break;
        }
}

static void script_run(struct script *self, const char *script, size_t memory_bytes, struct error *err)
{
    script_run_until(self, script, memory_bytes, NULL, err);
}

static const char *answer_of(const struct script *self) { return self->answer.size > 0 ? self->answer.data : ""; }

static void script_close(struct script *self, const char *file, int line, const char *script)
{
    text_free(&self->answer);
    sql_session_free(self->session, rows_drop, self);
    if (self->budget.used_bytes != 0)
        kit_fail(file, line, "%s: %zu bytes stay charged", script, (size_t)self->budget.used_bytes);
    if (self->spill.held_bytes != 0)
        kit_fail(file, line, "%s: %lld bytes stay on disk", script, (long long)self->spill.held_bytes);
}

void check_answer(const char *file, int line, const char *script, size_t memory_bytes, const char *want)
{
    struct script self;
    struct error err = {0};
    script_run(&self, script, memory_bytes, &err);
    if (strcmp(answer_of(&self), want) != 0)
        kit_fail(file, line, "%s\nanswers:\n%s\nexpected:\n%s\n%s", script, answer_of(&self), want, err.text);
    script_close(&self, file, line, script);
}

void check_spills(const char *file, int line, const char *script, size_t memory_bytes)
{
    struct script all, little;
    struct error err = {0}, little_err = {0};
    script_run(&all, script, (size_t)KIT_MEMORY_BYTES, &err);
    script_run(&little, script, memory_bytes, &little_err);
    if (strcmp(answer_of(&all), answer_of(&little)) != 0)
        kit_fail(file, line, "%s\nanswers:\n%s\n%s\nwithin %zu bytes:\n%s\n%s", script, answer_of(&all), err.text,
                 memory_bytes, answer_of(&little), little_err.text);
    if (all.spill.written_bytes != 0 || little.spill.written_bytes == 0)
        kit_fail(file, line, "%s: %lld bytes go to disk, and within %zu bytes %lld", script,
                 (long long)all.spill.written_bytes, memory_bytes, (long long)little.spill.written_bytes);
    script_close(&all, file, line, script);
    script_close(&little, file, line, script);
}

void check_stops(const char *file, int line, const char *script, size_t memory_bytes)
{
    struct script self;
    struct stopping stopping = {0};
    struct error err = {0};
    script_run_until(&self, script, memory_bytes, &stopping, &err);
    int64_t ended_us = cpu_us(), asked_us = stopping.begun_us + STOP_AFTER_US;
    if (err.code != E_STOPPED)
        kit_fail(file, line, "%s: was not stopped, but answers %s %s", script, answer_of(&self), err.text);
    else if (ended_us - asked_us > KIT_STOP_MOST_US)
        kit_fail(file, line, "%s: heard after %lld ms, ended after %lld ms", script,
                 (long long)(stopping.heard_us - asked_us) / 1000, (long long)(ended_us - asked_us) / 1000);
    script_close(&self, file, line, script);
}

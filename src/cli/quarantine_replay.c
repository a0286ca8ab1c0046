/* quarantine_replay.c - `leat quarantine DIR replay`: ask for rows to come back, as they are or repaired by a query.
 *
 * Repair    --with FILE holds one SELECT over the table `quarantine`, which has the rows that are meant (--where, --table,
 *           --reason) and were not asked for yet, with the columns of quarantine_rows.h and `id`. What it gives is replayed:
 *           `id` says which row, `value` and `key`, when they are among its columns, what the record is now. Rows that
 *           it leaves out stay where they are
 */
#include <inttypes.h>
#include <stdio.h>
#include <strings.h>

#include "base/hash.h"
#include "base/os.h"
#include "cli/quantity.h"
#include "cli/quarantine.h"
#include "cli/sql_run.h"

enum { WITH_FILE_MAX = 4 * 1024 * 1024 };

struct asking {
    const struct quarantine_flags *flags;
    struct replay_ask *ask;
    int64_t refused[REPLAY_REFUSALS];
    struct text why; /* of the first row without a way */
    /* with --with */
    struct sql_run run;
    struct arena arena;
    const struct type *view;
    struct stored_rows *rows; /* of the table `quarantine` */
    const struct type *rows_schema;
    struct held_row {
        char id[24]; /* "" = free */
        int32_t batch, row;
    } * held; /* of `rows`, by id: a table of held_slots places */
    int64_t held_count, held_slots;
    int32_t id, key, value; /* columns of the SELECT, -1 = not among them */
    enum code code;         /* of a sink that cannot fail by itself */
    struct error *err;
};

static enum code refusal_note(struct asking *self, enum replay_refusal refusal)
{
    self->refused[refusal]++;
    if (refusal == REPLAY_NO_WAY && self->why.size == 0)
        text_add_string(&self->why, replay_ask_why(self->ask));
    return E_OK;
}

/* ---- as they are ---- */

static enum code row_ask(void *context, const struct batch *batch, int64_t row, struct error *err)
{
    struct asking *self = context;
    enum replay_refusal refusal;
    TRY(replay_ask_add(self->ask, batch, row, false, &refusal, err));
    return refusal_note(self, refusal);
}

/* ---- repaired: the table ---- */

static struct stored_rows *rows_new(void) { return mem_new(struct stored_rows); }

static enum code statement(struct asking *self, const char *text, struct session_step *step, struct error *err)
{
    return sql_session_step(self->run.session, &self->arena, bytes_of_string(text), rows_new, step, err);
}

/* A table of the session, and the place where its rows are held. */
static enum code table_make(struct asking *self, struct error *err)
{
    struct session_step step;
    struct text create = {0};
    text_add_string(&create, "CREATE TABLE quarantine (");
    for (int32_t c = 0; c < self->view->field_count; c++) {
        text_printf(&create, "%s`%s` ", c > 0 ? ", " : "", self->view->fields[c].name);
        type_print(self->view->fields[c].type, &create);
    }
    text_add_char(&create, ')');
    enum code code = statement(self, arena_strdup(&self->arena, create.data), &step, err);
    text_free(&create);
    if (code == E_OK)
        code = statement(self, "INSERT INTO quarantine SELECT * FROM quarantine", &step, err);
    if (code == E_OK) {
        self->rows = step.target;
        self->rows_schema = step.schema;
    }
    return code;
}

static struct held_row *place_of(struct held_row *table, int64_t slots, struct bytes id)
{
    uint64_t at = hash_bytes(id.data, id.size) & (uint64_t)(slots - 1);
    while (table[at].id[0] != '\0' && !bytes_equal_string(id, table[at].id))
        at = (at + 1) & (uint64_t)(slots - 1);
    return &table[at];
}

static void places_grow(struct asking *self)
{
    if (2 * (self->held_count + 1) <= self->held_slots)
        return;
    int64_t slots = self->held_slots > 0 ? 2 * self->held_slots : 256;
    struct held_row *table = mem_array(struct held_row, (size_t)slots);
    for (int64_t i = 0; i < self->held_slots; i++)
        if (self->held[i].id[0] != '\0')
            *place_of(table, slots, bytes_of_string(self->held[i].id)) = self->held[i];
    mem_free(self->held);
    self->held = table;
    self->held_slots = slots;
}

/* False: it is there already, for the same row may lie in two quarantines. */
static bool row_note(struct asking *self, struct bytes id, int32_t batch, int32_t row)
{
    places_grow(self);
    struct held_row *place = place_of(self->held, self->held_slots, id);
    if (place->id[0] != '\0' || id.size == 0 || id.size >= sizeof place->id)
        return false;
    memcpy(place->id, id.data, id.size);
    place->batch = batch;
    place->row = row;
    self->held_count++;
    return true;
}

static enum code rows_hold(void *context, const struct batch *batch, const bool *wanted, struct error *err)
{
    struct asking *self = context;
    int32_t *rows = mem_array(int32_t, (size_t)batch->rows), count = 0;
    for (int64_t row = 0; row < batch->rows; row++) {
        if (wanted[row] && !column_is_null(&batch->columns[QUARANTINE_REPLAY], row))
            self->refused[REPLAY_ASKED]++;
        else if (wanted[row] && row_note(self, quarantine_bytes(batch, QUARANTINE_ID, row), self->rows->count, count))
            rows[count++] = (int32_t)row;
    }
    struct batch kept = {0};
    if (count > 0)
        batch_gather(&kept, batch, rows, count);
    mem_free(rows);
    if (count == 0)
        return E_OK;
    batch_retype(&kept, self->rows_schema);
    return stored_rows_add(self->rows, &kept, &self->run.budget, err);
}

/* ---- repaired: what the query gives ---- */

/* SELECT *, .. AS value gives two columns of that name: which is meant? */
static enum code check_twice(struct asking *self, const struct type *schema)
{
    static const char *const names[] = {"id", "key", "value"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        int32_t first = type_field_index(schema, names[i], true), count = 0;
        for (int32_t f = first; first >= 0 && f < schema->field_count; f++)
            count += strcasecmp(schema->fields[f].name, names[i]) == 0;
        if (count > 1)
            return fail(
                self->err, E_SQL,
                "--with %s: [COLUMN_ALREADY_EXISTS] The SELECT gives the column `%s` %d times: write SELECT * EXCEPT "
                "(%s), .. AS %s.",
                self->flags->with, names[i], count, names[i], names[i]);
    }
    return E_OK;
}

static enum code columns_check(struct asking *self, const struct type *schema)
{
    TRY(check_twice(self, schema));
    self->id = type_field_index(schema, "id", true);
    self->key = type_field_index(schema, "key", true);
    self->value = type_field_index(schema, "value", true);
    if (self->id < 0)
        return fail(self->err, E_USAGE,
                    "--with %s: the SELECT must give the column id, which says what row a value is of",
                    self->flags->with);
    const int32_t bytes[] = {self->key, self->value};
    for (size_t i = 0; i < sizeof bytes / sizeof *bytes; i++)
        if (bytes[i] >= 0 && !type_is_varlen(schema->fields[bytes[i]].type))
            return fail(self->err, E_USAGE, "--with %s: %s must be a STRING or BINARY", self->flags->with,
                        schema->fields[bytes[i]].name);
    return E_OK;
}

static void repaired_schema(void *context, const struct type *schema, const struct zone *zone)
{
    struct asking *self = context;
    (void)zone;
    self->code = columns_check(self, schema);
}

static void cell_replace(struct batch *row, enum quarantine_column column, const struct batch *from, int32_t cell,
                         int64_t at)
{
    if (cell < 0)
        return;
    struct builder builder;
    builder_init(&builder, type_of(TYPE_BINARY));
    if (column_is_null(&from->columns[cell], at))
        builder_null(&builder);
    else
        builder_bytes(&builder, column_bytes_at(&from->columns[cell], at));
    column_release(&row->columns[column]);
    builder_finish(&builder, &row->columns[column]);
    builder_release(&builder);
}

static enum code repaired_row(struct asking *self, const struct batch *batch, int64_t at)
{
    enum replay_refusal refusal;
    struct batch row;
    struct bytes id = column_is_null(&batch->columns[self->id], at) ? (struct bytes){0}
                                                                    : column_bytes_at(&batch->columns[self->id], at);
    const struct held_row *old = self->held_slots > 0 ? place_of(self->held, self->held_slots, id) : NULL;
    if (old == NULL || old->id[0] == '\0')
        return fail(self->err, E_DATA,
                    "--with %s: the SELECT gives the id \"%.*s\", which no row has that may be replayed",
                    self->flags->with, (int)id.size, (const char *)id.data);
    batch_gather(&row, &self->rows->batches[old->batch], &old->row, 1);
    cell_replace(&row, QUARANTINE_KEY, batch, self->key, at);
    cell_replace(&row, QUARANTINE_VALUE, batch, self->value, at);
    enum code code = replay_ask_add(self->ask, &row, 0, self->value >= 0, &refusal, self->err);
    batch_release(&row);
    if (code == E_OK && refusal == REPLAY_ASKED)
        return fail(self->err, E_DATA, "--with %s: the SELECT gives the id %.*s twice", self->flags->with, (int)id.size,
                    (const char *)id.data);
    return code == E_OK ? refusal_note(self, refusal) : code;
}

static void repaired_rows(void *context, const struct batch *batch)
{
    struct asking *self = context;
    for (int64_t row = 0; self->code == E_OK && row < batch->rows; row++)
        self->code = repaired_row(self, batch, row);
}

static enum code repaired_ask(struct asking *self, const struct project *project, struct error *err)
{
    struct text file = {0};
    struct bytes rest, select;
    const struct quarantine_visitor visitor = {.batch = rows_hold, .context = self};
    const struct sql_sink sink = {.schema = repaired_schema, .rows = repaired_rows, .context = self};
    self->err = err;
    enum code code = os_read_file(self->flags->with, WITH_FILE_MAX, &file, err);
    rest = text_view(&file);
    if (code == E_OK && !sql_statement_next(&rest, &select))
        code = fail(err, E_USAGE, "--with %s: there is no SELECT in it", self->flags->with);
    if (code == E_OK)
        code = table_make(self, err);
    if (code == E_OK)
        code = quarantine_visit(project, self->flags, &visitor, err);
    if (code == E_OK) {
        code = sql_run_statement(&self->run, select, &sink, err);
        code = self->code != E_OK ? self->code : code != E_OK ? error_note(err, "--with %s", self->flags->with) : E_OK;
    }
    text_free(&file);
    return code;
}

/* ---- what is told ---- */

static void refused_print(const struct asking *self)
{
    static const char *const why[REPLAY_REFUSALS] = {
        [REPLAY_ASKED] = "were asked for before",
        [REPLAY_BORN] = "were made in leat: there is no record to replay",
        [REPLAY_CUT] = "are not whole (leat.quarantine.max_value): give the value with --with",
        [REPLAY_UNPLACED] = "came out of their record in a way that cannot be found again",
        [REPLAY_NO_WAY] = "cannot get back",
    };
    char count[QUANTITY_TEXT_MAX];
    for (int i = REPLAY_FINE + 1; i < REPLAY_REFUSALS; i++)
        if (self->refused[i] > 0)
            printf("left out: %s %s %s%s%s\n", quantity_count(self->refused[i], count),
                   self->refused[i] == 1 ? "row:" : "rows:", why[i], i == REPLAY_NO_WAY ? ": " : "",
                   i == REPLAY_NO_WAY ? self->why.data : "");
}

static bool some_refused(const struct asking *self)
{
    int64_t sum = 0;
    for (int i = REPLAY_FINE + 1; i < REPLAY_REFUSALS; i++)
        sum += self->refused[i];
    return sum > 0;
}

/* `topics`: what to say where nothing was found. */
static enum code asked_print(struct asking *self, const char *topics, struct error *err)
{
    char rows[QUANTITY_TEXT_MAX];
    int64_t first, count, all = replay_ask_rows(self->ask);
    if (all > 0 && !self->flags->dry_run)
        TRY(replay_ask_commit(self->ask, &first, &count, err));
    quantity_count(all, rows);
    if (all == 0)
        printf("nothing to replay\n%s", topics);
    else if (self->flags->dry_run)
        printf("%s row%s would be replayed; without --dry-run they are\n", rows, all == 1 ? "" : "s");
    else
        printf("%s row%s will be replayed: the pipeline takes them up with its next epoch, or at the next leat run\n",
               rows, all == 1 ? "" : "s");
    refused_print(self);
    return E_OK;
}

enum code quarantine_replay(const struct project *project, const struct quarantine_flags *flags, struct error *err)
{
    struct asking self = {.flags = flags};
    struct text topics = {0};
    const struct quarantine_visitor visitor = {.row = row_ask, .context = &self};
    self.view = quarantine_view_schema(&self.arena);
    sql_run_open(&self.run, &project->session, (size_t)project->settings.memory_bytes);
    enum code code = replay_ask_new(project->pipeline, &self.ask, err);
    if (code == E_OK)
        code =
            flags->with != NULL ? repaired_ask(&self, project, err) : quarantine_visit(project, flags, &visitor, err);
    bool none = code == E_OK && replay_ask_rows(self.ask) == 0 && self.held_count == 0 && !some_refused(&self);
    if (none)
        code = quarantine_table_check(project, flags, err);
    if (code == E_OK && none)
        quarantine_topics_print(project, flags, &topics);
    if (code == E_OK)
        code = asked_print(&self, topics.size > 0 ? topics.data : "", err);
    text_free(&topics);
    sql_run_close(&self.run);
    replay_ask_free(self.ask);
    text_free(&self.why);
    mem_free(self.held);
    arena_free(&self.arena);
    return code;
}

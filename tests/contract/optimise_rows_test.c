/* The optimiser must not change a row: queries are run as they were analysed and as they were optimised, and the rows are
 * compared. Batches are literal rows; what runs is what the runtime runs: filter, project, generate, decode.
 */
#include "format/format.h"
#include "kit.h"
#include "operator/operator.h"
#include "sql/analyser.h"
#include "sql/optimise.h"
#include "sql/parse.h"

#include <stdio.h>
#include <stdlib.h>

struct runner {
    struct arena arena;
    struct session session;
    struct error err;
};

static void run(struct runner *self, const struct plan *plan, struct batch *out);

static void check_ok(struct runner *self, enum code code)
{
    if (code == E_OK)
        return;
    fprintf(stderr, "%s\n", self->err.text);
    abort();
}

/* ---- nodes ---- */

static void run_values(struct runner *self, const struct plan *plan, struct batch *out)
{
    int32_t columns = plan->schema->field_count;
    struct expr_context ctx = {&self->arena, &self->session};
    batch_init(out, plan->schema, columns > 0 ? plan->expr_count / columns : 1);
    for (int32_t i = 0; i < plan->expr_count; i++) {
        const struct expr *cell;
        check_ok(self, expr_fold(&ctx, plan->exprs[i], &cell, &self->err));
        if (out->columns[i % columns].type == NULL)
            column_all_null(&out->columns[i % columns], plan->schema->fields[i % columns].type, 0);
        column_append(&out->columns[i % columns], cell->literal, 0, 1);
    }
}

static void run_project(struct runner *self, const struct plan *plan, const struct batch *in,
                        struct batch *out)
{
    struct project *project;
    struct rejects rejects = {0};
    struct operator_counts counts = {0};
    check_ok(self, project_new(&self->arena, plan->exprs, plan->expr_count, plan->schema, &project,
                               &self->err));
    check_ok(self, project_batch(project, &self->session, in, &rejects, &counts, out, &self->err));
    rejects_free(&rejects);
    project_free(project);
}

static void run_filter(struct runner *self, const struct plan *plan, const struct batch *in,
                       struct batch *out)
{
    struct filter *filter;
    struct rejects rejects = {0};
    struct operator_counts counts = {0};
    check_ok(self, filter_new(&self->arena, plan->exprs[0], &filter, &self->err));
    check_ok(self, filter_batch(filter, &self->session, in, &rejects, &counts, out, &self->err));
    rejects_free(&rejects);
    filter_free(filter);
}

static void run_generate(struct runner *self, const struct plan *plan, const struct batch *in,
                         struct batch *out)
{
    static const enum generate_kind kinds[] = {EXPLODE, POSEXPLODE, INLINE, STACK};
    const struct plan_generate *from = &plan->generate;
    struct generate_spec spec = {.kind = kinds[from->kind],
                                 .outer = from->outer,
                                 .args = from->args,
                                 .arg_count = from->arg_count,
                                 .generated = from->generated,
                                 .schema = plan->schema,
                                 .keep = from->keep};
    struct generate *generate;
    struct rejects rejects = {0};
    struct operator_counts counts = {0};
    check_ok(self, generate_new(&self->arena, &spec, &generate, &self->err));
    check_ok(self,
             generate_batch(generate, &self->session, in, &rejects, &counts, out, &self->err));
    rejects_free(&rejects);
    generate_free(generate);
}

static void run_decode(struct runner *self, const struct plan *plan, const struct batch *in,
                       struct batch *out)
{
    const struct decoder_type *type = decoder_find(plan->decode.format);
    struct decoder_spec spec = {.schema = plan->decode.schema,
                                .needed = plan->decode.needed,
                                .mode = DECODE_PERMISSIVE,
                                .corrupt_column = plan->decode.corrupt_column,
                                .zone = self->session.zone,
                                .simd = -1};
    struct field field = {"payload", plan->exprs[0]->type, true};
    struct plan payload = {
        .exprs = plan->exprs, .expr_count = 1, .schema = type_struct(&self->arena, &field, 1)};
    struct batch text = {0};
    struct rejects rejects = {0};
    void *decoder = mem_zero(type->size);
    run_project(self, &payload, in, &text);
    check_ok(self, type->open(decoder, &spec, &self->err));
    batch_init(out, plan->schema, in->rows);
    for (int32_t i = 0; i < in->column_count; i++)
        column_share(&out->columns[i], &in->columns[i]);
    check_ok(self, type->decode(decoder, &text.columns[0], &out->columns[in->column_count],
                                &rejects, &self->err));
    type->close(decoder);
    mem_free(decoder);
    rejects_free(&rejects);
    batch_release(&text);
}

static void run_union(struct runner *self, const struct plan *plan, struct batch *out)
{
    struct batch first;
    run(self, plan_input(plan, 0), &first);
    batch_init(out, plan->schema, first.rows);
    for (int32_t i = 0; i < plan->schema->field_count; i++)
        out->columns[i] = column_take(&first.columns[i]);
    batch_release(&first);
    for (int32_t j = 1; j < plan->input_count; j++) {
        struct batch more;
        run(self, plan_input(plan, j), &more);
        for (int32_t i = 0; i < plan->schema->field_count; i++)
            column_append(&out->columns[i], &more.columns[i], 0, more.rows);
        out->rows += more.rows;
        batch_release(&more);
    }
}

static void run(struct runner *self, const struct plan *plan, struct batch *out)
{
    struct batch in = {0};
    *out = (struct batch){0};
    if (plan->kind == PLAN_VALUES) {
        run_values(self, plan, out);
        return;
    }
    if (plan->kind == PLAN_UNION) {
        run_union(self, plan, out);
        return;
    }
    run(self, plan->inputs[0], &in);
    switch (plan->kind) {
    case PLAN_PROJECT: run_project(self, plan, &in, out); break;
    case PLAN_FILTER: run_filter(self, plan, &in, out); break;
    case PLAN_GENERATE: run_generate(self, plan, &in, out); break;
    case PLAN_DECODE: run_decode(self, plan, &in, out); break;
    default: kit_fail(__FILE__, __LINE__, "the test cannot run node kind %d", (int)plan->kind);
    }
    batch_release(&in);
}

/* ---- comparing ---- */

static int by_text(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Rows as lines, sorted. */
static char *rows_of(struct runner *self, const struct plan *plan)
{
    struct batch batch;
    struct text line = {0}, all = {0};
    run(self, plan, &batch);
    char **lines = arena_array(&self->arena, char *, (size_t)batch.rows);
    for (int64_t r = 0; r < batch.rows; r++) {
        text_clear(&line);
        for (int32_t c = 0; c < batch.column_count; c++) {
            text_add_string(&line, c > 0 ? "\t" : "");
            column_print(&batch.columns[c], r, &line);
        }
        lines[r] = arena_strndup(&self->arena, line.data != NULL ? line.data : "", line.size);
    }
    qsort(lines, (size_t)batch.rows, sizeof *lines, by_text);
    for (int64_t r = 0; r < batch.rows; r++)
        text_printf(&all, "%s\n", lines[r]);
    char *shown = arena_strndup(&self->arena, all.data != NULL ? all.data : "", all.size);
    text_free(&line);
    text_free(&all);
    batch_release(&batch);
    return shown;
}

static struct plan *analysed(struct runner *self, const char *sql)
{
    struct sql_file *file = arena_new(&self->arena, struct sql_file);
    struct notes *notes = arena_new(&self->arena, struct notes);
    *file = (struct sql_file){NULL, bytes_of_string(sql)};
    *notes = (struct notes){.arena = &self->arena, .files = file, .file_count = 1};
    struct analyser analyser = {.arena = &self->arena,
                                .notes = notes,
                                .expr = {&self->arena, &self->session},
                                .err = &self->err};
    struct ast_query *query;
    struct rowset rows;
    check_ok(self, parse_query_text(&self->arena, file, notes, &query, &self->err));
    check_ok(self, analyse_query(&analyser, query, NULL, &rows));
    return rows.plan;
}

static const char ROWS[] =
    "WITH t AS (SELECT * FROM VALUES"
    " (1, 'a', '{\"x\":1,\"y\":\"p\",\"z\":[1,2],\"s\":{\"u\":5}}', array(1, 2), TIMESTAMP '2024-01-01 00:00:00'),"
    " (2, NULL, '{\"x\":-7,\"z\":[]}', array(3, NULL), NULL),"
    " (NULL, 'b', 'broken', NULL, TIMESTAMP '2024-01-02 00:00:00'),"
    " (4, 'c', '', array(), TIMESTAMP '2024-01-03 00:00:00'),"
    " (5, 'd', '{\"x\":\"bad\",\"y\":1.50,\"s\":null}', array(9), TIMESTAMP '2024-01-04 00:00:00')"
    " AS t(i, k, j, a, at)),"
    " d AS (SELECT *, from_json(j, 'x INT, y STRING, z ARRAY<INT>, s STRUCT<u: INT>, _corrupt_record STRING') AS o FROM t),"
    " v AS (SELECT d.*, o.x + i AS sum, CASE WHEN o IS NULL THEN 'none' WHEN o._corrupt_record IS NOT NULL THEN 'bad' END AS why,"
    " upper(k) AS big FROM d) ";

TEST(optimising_keeps_the_rows)
{
    static const char *const queries[] = {
        "SELECT i FROM t",
        "SELECT * FROM t",
        "SELECT * FROM v",
        "SELECT k, i + 1 AS n FROM t WHERE i > 1",
        "SELECT o.x, o.s.u FROM v WHERE why IS NULL",
        "SELECT why, j FROM v WHERE why IS NOT NULL",
        "SELECT o._corrupt_record AS c, i FROM v",
        "SELECT o IS NULL AS n, o.y FROM v WHERE o IS NOT NULL",
        "SELECT big FROM v WHERE sum > 0 AND k <> 'zz'",
        "SELECT 1 AS one FROM v WHERE why = 'bad'",
        "SELECT i, c FROM t LATERAL VIEW explode(a) e AS c",
        "SELECT k, p, c FROM t LATERAL VIEW OUTER posexplode(a) e AS p, c WHERE k > 'a'",
        "SELECT big, z FROM v LATERAL VIEW explode(o.z) e AS z WHERE i = 1",
        "SELECT explode(array(i, o.x)) AS e FROM v WHERE why IS NULL",
        "SELECT at, o FROM v WHERE at > TIMESTAMP '2024-01-01 12:00:00'",
        "SELECT stack(2, i, k, o.x, big) FROM v",
        "SELECT i FROM v WHERE why IS NULL UNION ALL SELECT length(k) FROM v WHERE why IS NOT NULL",
        "SELECT x, m FROM (SELECT o.x AS x, i * 2 AS m, k FROM v WHERE i IS NOT NULL) WHERE m > 2 AND x IS NOT NULL",
        "SELECT inline(array(o.s)) FROM v WHERE o.s IS NOT NULL",
        "SELECT count, i FROM (SELECT size(a) AS count, i, j FROM t) WHERE count >= 0",
        "SELECT w.o.y AS y, w.o.s AS s FROM (SELECT o, i FROM v WHERE i > 0) w WHERE w.o.x IS NOT NULL OR w.i = 4",
        "SELECT b, c FROM (SELECT i + 1 AS b, i + 1 AS c, uuid() AS u FROM t) WHERE b IS NOT NULL",
        "SELECT from_json(o.y, 'q INT') AS q FROM (SELECT * FROM v WHERE i = -1)",
    };
    for (size_t i = 0; i < sizeof queries / sizeof queries[0]; i++) {
        struct runner runner = {.session = {zone_utc(), true, 0}};
        struct expr_context ctx = {&runner.arena, &runner.session};
        struct plan_list nodes;
        struct group_list groups;
        char *sql = arena_printf(&runner.arena, "%s%s", ROWS, queries[i]);
        char *before = rows_of(&runner, analysed(&runner, sql));
        struct plan *plan = analysed(&runner, sql);
        const struct type *schema = plan->schema;
        optimise(&ctx, &plan, 1, &nodes, &groups);
        char *after = rows_of(&runner, plan);
        CHECK(type_equal(schema, plan->schema));
        if (strcmp(before, after) != 0)
            kit_fail(__FILE__, __LINE__, "%s\nanalysed:\n%soptimised:\n%s", queries[i], before,
                     after);
        arena_free(&runner.arena);
    }
}

/* Two queries at once, so that nodes are shared and narrowed for both. */
static void check_pair(const char *with, const char *left, const char *right)
{
    struct runner runner = {.session = {zone_utc(), true, 0}};
    struct expr_context ctx = {&runner.arena, &runner.session};
    struct plan_list nodes;
    struct group_list groups;
    struct plan *plans[2];
    char *before[2];
    // one query over both, so that they read the same views
    char *sql = arena_printf(&runner.arena, "%s, l AS (%s), r AS (%s) SELECT * FROM l, r", with,
                             left, right);
    struct plan *join = analysed(&runner, sql);
    while (join->kind != PLAN_JOIN)
        join = join->inputs[0];
    for (int j = 0; j < 2; j++) {
        plans[j] = join->inputs[j];
        before[j] = rows_of(&runner, plans[j]);
    }
    optimise(&ctx, plans, 2, &nodes, &groups);
    for (int j = 0; j < 2; j++) {
        char *after = rows_of(&runner, plans[j]);
        if (strcmp(before[j], after) != 0)
            kit_fail(__FILE__, __LINE__, "%s\nquery %d analysed:\n%soptimised:\n%s", sql, j + 1,
                     before[j], after);
    }
    arena_free(&runner.arena);
}

TEST(optimising_together_keeps_the_rows)
{
    static const char *const pairs[][2] = {
        {"SELECT o.x, o.y, big FROM v WHERE why IS NULL",
         "SELECT j, why FROM v WHERE why IS NOT NULL"},
        {"SELECT * FROM v", "SELECT o.s.u FROM v WHERE o IS NOT NULL"},
        {"SELECT k FROM v", "SELECT i, c FROM v LATERAL VIEW explode(o.z) e AS c"},
        {"SELECT i, c FROM v LATERAL VIEW explode(a) e AS c",
         "SELECT big, c FROM v LATERAL VIEW explode(a) e AS c"},
    };
    for (size_t i = 0; i < sizeof pairs / sizeof pairs[0]; i++)
        check_pair(ROWS, pairs[i][0], pairs[i][1]);
}

/* ---- random views over views ---- */

enum { COLUMNS_MAX = 40, LAYERS_MAX = 6, RUNS = 150 };
enum kind { INTEGER, STRING, STRUCTURE, LIST };

struct layer {
    char names[COLUMNS_MAX][8];
    enum kind kinds[COLUMNS_MAX];
    int count;
};
struct generator {
    struct text sql;
    struct layer layers[LAYERS_MAX + 1];
    int count, fresh, unions;
};

static int pick_one(int count)
{
    return (int)(kit_random() % (uint64_t)count);
}

static void layer_add(struct layer *layer, const char *name, enum kind kind)
{
    if (layer->count == COLUMNS_MAX)
        return;
    snprintf(layer->names[layer->count], sizeof layer->names[0], "%s", name);
    layer->kinds[layer->count++] = kind;
}

static void add_predicate(struct generator *self, const struct layer *from)
{
    static const char *const shapes[][3] = {
        [INTEGER] = {"%s > 0", "%s IS NOT NULL", "%s IS NULL OR %s < 5"},
        [STRING] = {"%s <> 'a'", "%s IS NULL", "length(%s) < 3"},
        [STRUCTURE] = {"%s IS NOT NULL", "%s.x > 0", "%s.s IS NULL AND %s.y IS NOT NULL"},
        [LIST] = {"%s IS NOT NULL", "size(%s) > 0", "%s IS NULL"},
    };
    int c = pick_one(from->count);
    const char *shape = shapes[from->kinds[c]][pick_one(3)];
    for (const char *at = shape; *at != '\0'; at++)
        if (at[0] == '%') {
            text_add_string(&self->sql, from->names[c]);
            at++;
        } else {
            text_add_char(&self->sql, *at);
        }
}

/* A column as it is, or something of it under a new name. */
static void add_item(struct generator *self, const struct layer *from, struct layer *to)
{
    static const struct {
        const char *shape;
        enum kind of, gives;
    } items[] = {{"%s + 1", INTEGER, INTEGER}, {"upper(%s)", STRING, STRING},
                 {"%s.x", STRUCTURE, INTEGER}, {"%s.y", STRUCTURE, STRING},
                 {"%s.z", STRUCTURE, LIST},    {"%s.s.u", STRUCTURE, INTEGER},
                 {"size(%s)", LIST, INTEGER},  {"coalesce(%s.x, 7)", STRUCTURE, INTEGER}};
    int c = pick_one(from->count), i = pick_one((int)(sizeof items / sizeof items[0]));
    char name[8];
    snprintf(name, sizeof name, "n%d", self->fresh++);
    text_add_string(&self->sql, to->count > 0 ? ", " : "");
    const char *at = items[i].of == from->kinds[c] ? items[i].shape : "%s";
    layer_add(to, name, items[i].of == from->kinds[c] ? items[i].gives : from->kinds[c]);
    for (; *at != '\0'; at++)
        if (at[0] == '%') {
            text_add_string(&self->sql, from->names[c]);
            at++;
        } else {
            text_add_char(&self->sql, *at);
        }
    text_printf(&self->sql, " AS %s", name);
}

static void add_layer(struct generator *self)
{
    int below = pick_one(self->count);
    const struct layer *from = &self->layers[below];
    struct layer *to = &self->layers[self->count];
    int list = -1;
    for (int c = 0; c < from->count; c++)
        list = from->kinds[c] == LIST && (list < 0 || pick_one(2) == 0) ? c : list;
    text_printf(&self->sql, ", q%d AS (SELECT ", self->count);
    to->count = 0;
    if (list >= 0 && pick_one(3) == 0) {
        *to = *from;
        char name[8];
        snprintf(name, sizeof name, "n%d", self->fresh++);
        layer_add(to, name, INTEGER);
        text_printf(&self->sql, "* FROM q%d LATERAL VIEW %sexplode(%s) g AS %s", below,
                    pick_one(2) ? "OUTER " : "", from->names[list], name);
    } else if (self->unions < 2 && pick_one(4) == 0) {
        *to = *from;
        self->unions++;
        text_printf(&self->sql, "* FROM q%d UNION ALL SELECT * FROM q%d WHERE ", below, below);
        add_predicate(self, from);
        text_add_char(&self->sql, ')');
        self->count++;
        return;
    } else {
        for (int n = 1 + pick_one(6); n > 0; n--)
            add_item(self, from, to);
        text_printf(&self->sql, " FROM q%d", below);
    }
    if (pick_one(2) == 0) {
        text_add_string(&self->sql, " WHERE ");
        add_predicate(self, from);
    }
    text_add_char(&self->sql, ')');
    self->count++;
}

TEST(optimising_random_views_keeps_the_rows)
{
    for (int run_count = 0; run_count < RUNS; run_count++) {
        struct generator *self = mem_new(struct generator);
        struct layer *first = &self->layers[0];
        text_printf(&self->sql, "%s, q0 AS (SELECT i, k, j, a, o, big FROM v)", ROWS);
        layer_add(first, "i", INTEGER);
        layer_add(first, "k", STRING);
        layer_add(first, "j", STRING);
        layer_add(first, "a", LIST);
        layer_add(first, "o", STRUCTURE);
        layer_add(first, "big", STRING);
        self->count = 1;
        for (int layers = 1 + pick_one(LAYERS_MAX);
             self->count <= layers && self->count <= LAYERS_MAX;)
            add_layer(self);
        char left[32], right[32];
        snprintf(left, sizeof left, "SELECT * FROM q%d", self->count - 1);
        snprintf(right, sizeof right, "SELECT * FROM q%d", pick_one(self->count));
        check_pair(self->sql.data, left, right);
        text_free(&self->sql);
        mem_free(self);
    }
}

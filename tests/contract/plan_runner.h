/* plan_runner.h - run a plan over literal rows, for the tests of the optimiser: what the runtime runs (filter, project,
 * generate, decode); joins are nested loops, so that they check ON taken apart, too.
 *
 * Use      struct runner runner = {.session = {zone_utc(), true, 0}};
 *          char *rows = rows_of(&runner, analysed(&runner, "SELECT .."));
 * Out      rows as lines, columns apart by tabs, sorted
 * Fails    aborts with the message
 */
#ifndef PLAN_RUNNER_H
#define PLAN_RUNNER_H

#include <stdio.h>
#include <stdlib.h>

#include "format/format.h"
#include "kit.h"
#include "operator/operator.h"
#include "sql/analyser.h"
#include "sql/optimise.h"
#include "sql/parse.h"
#include "sql/predicate.h"

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

static void run_project(struct runner *self, const struct plan *plan, const struct batch *in, struct batch *out)
{
    struct project *project;
    struct rejects rejects = {0};
    struct operator_counts counts = {0};
    check_ok(self, project_new(&self->arena, plan->exprs, plan->expr_count, plan->schema, &project, &self->err));
    check_ok(self, project_batch(project, &self->session, in, &rejects, &counts, out, &self->err));
    rejects_free(&rejects);
    project_free(project);
}

static void run_filter(struct runner *self, const struct plan *plan, const struct batch *in, struct batch *out)
{
    struct filter *filter;
    struct rejects rejects = {0};
    struct operator_counts counts = {0};
    check_ok(self, filter_new(&self->arena, plan->exprs[0], &filter, &self->err));
    check_ok(self, filter_batch(filter, &self->session, in, &rejects, &counts, out, &self->err));
    rejects_free(&rejects);
    filter_free(filter);
}

static void run_generate(struct runner *self, const struct plan *plan, const struct batch *in, struct batch *out)
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
    check_ok(self, generate_batch(generate, &self->session, in, &rejects, &counts, out, &self->err));
    rejects_free(&rejects);
    generate_free(generate);
}

static void run_decode(struct runner *self, const struct plan *plan, const struct batch *in, struct batch *out)
{
    const struct decoder_type *type = decoder_find(plan->decode.format);
    struct decoder_spec spec = {.schema = plan->decode.schema,
                                .needed = plan->decode.needed,
                                .mode = DECODE_PERMISSIVE,
                                .corrupt_column = plan->decode.corrupt_column,
                                .zone = self->session.zone,
                                .simd = -1};
    struct field field = {"payload", plan->exprs[0]->type, true};
    struct plan payload = {.exprs = plan->exprs, .expr_count = 1, .schema = type_struct(&self->arena, &field, 1)};
    struct batch text = {0};
    struct rejects rejects = {0};
    void *decoder = mem_zero(type->size);
    run_project(self, &payload, in, &text);
    check_ok(self, type->open(decoder, &spec, &self->err));
    batch_init(out, plan->schema, in->rows);
    for (int32_t i = 0; i < in->column_count; i++)
        column_share(&out->columns[i], &in->columns[i]);
    check_ok(self, type->decode(decoder, &text.columns[0], &out->columns[in->column_count], &rejects, &self->err));
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

/* ---- joins: every pair of rows ---- */

struct pairs {
    const struct plan *plan;
    struct batch sides[2], truth; /* truth: column 0 = they match, column 1 = the keys are equal */
    bool *matched[2];             /* per row of the side */
};

static void append_row(struct batch *out, int32_t first, const struct batch *from, int64_t row)
{
    for (int32_t c = 0; c < from->column_count; c++)
        column_append(&out->columns[first + c], &from->columns[c], row, row + 1);
}

static void append_nulls(struct batch *out, int32_t first, const struct type *schema)
{
    for (int32_t c = 0; c < schema->field_count; c++) {
        struct column null = {0};
        column_all_null(&null, schema->fields[c].type, 1);
        column_append(&out->columns[first + c], &null, 0, 1);
        column_release(&null);
    }
}

static void empty_batch(struct batch *out, const struct type *schema)
{
    batch_init(out, schema, 0);
    for (int32_t c = 0; c < schema->field_count; c++)
        column_all_null(&out->columns[c], schema->fields[c].type, 0);
}

/* Keys, the parts of one side and the rest as one predicate over both sides' columns. */
static const struct expr *whole_condition(struct runner *self, const struct plan *plan, const struct type *both,
                                          bool keys_only)
{
    struct expr_context ctx = {&self->arena, &self->session};
    const struct plan_join *join = &plan->join;
    int32_t left = plan->inputs[0]->schema->field_count;
    const struct expr *right_only = join->sides[1].only, *equal;
    struct list all = {0};
    list_add(&self->arena, &all, expr_boolean(&ctx, true, plan->at));
    for (int32_t i = 0; i < join->key_count; i++) {
        const struct expr *keys[2] = {join->sides[0].keys[i],
                                      predicate_shift(&ctx, join->sides[1].keys[i], left, both)};
        check_ok(self, expr_call(&ctx, join->null_safe[i] ? "<=>" : "=", keys, 2, plan->at, &equal, &self->err));
        list_add(&self->arena, &all, equal);
    }
    if (!keys_only && join->sides[0].only != NULL)
        list_add(&self->arena, &all, join->sides[0].only);
    if (!keys_only && right_only != NULL)
        list_add(&self->arena, &all, predicate_shift(&ctx, right_only, left, both));
    if (!keys_only && join->condition != NULL)
        list_add(&self->arena, &all, join->condition);
    return predicate_all(&ctx, &all);
}

static void match_pairs(struct runner *self, struct pairs *pairs)
{
    const struct plan *plan = pairs->plan;
    const struct type *left = plan->inputs[0]->schema, *right = plan->inputs[1]->schema;
    const struct type *both = schema_append(&self->arena, left, right->fields, right->field_count);
    const struct field truths[2] = {{"match", type_of(TYPE_BOOLEAN), true}, {"equal", type_of(TYPE_BOOLEAN), true}};
    const struct expr *exprs[2] = {whole_condition(self, plan, both, false), whole_condition(self, plan, both, true)};
    struct plan project = {.exprs = exprs, .expr_count = 2, .schema = type_struct(&self->arena, truths, 2)};
    struct batch product;
    empty_batch(&product, both);
    product.rows = pairs->sides[0].rows * pairs->sides[1].rows;
    for (int64_t l = 0; l < pairs->sides[0].rows; l++)
        for (int64_t r = 0; r < pairs->sides[1].rows; r++) {
            append_row(&product, 0, &pairs->sides[0], l);
            append_row(&product, left->field_count, &pairs->sides[1], r);
        }
    run_project(self, &project, &product, &pairs->truth);
    batch_release(&product);
}

/* NOT IN: a pair that is neither equal nor unequal leaves its row in doubt. */
static bool is_match(const struct pairs *pairs, int64_t pair)
{
    const struct column *match = &pairs->truth.columns[0], *equal = &pairs->truth.columns[1];
    bool in_doubt = pairs->plan->join.null_aware && !column_valid_at(equal, pair);
    return in_doubt || (column_valid_at(match, pair) && bit_get(match->values->data, pair));
}

static void emit_matches(struct pairs *pairs, bool both, struct batch *out)
{
    int64_t pair = 0;
    for (int64_t l = 0; l < pairs->sides[0].rows; l++)
        for (int64_t r = 0; r < pairs->sides[1].rows; r++, pair++) {
            if (!is_match(pairs, pair))
                continue;
            pairs->matched[0][l] = pairs->matched[1][r] = true;
            if (!both)
                continue;
            append_row(out, 0, &pairs->sides[0], l);
            append_row(out, pairs->sides[0].column_count, &pairs->sides[1], r);
            out->rows++;
        }
}

/* The rows of a side that found matches, or those that did not; with NULLs for the other side, if wanted. */
static void emit_side(const struct pairs *pairs, int side, bool matched, bool pad, struct batch *out)
{
    int32_t left = pairs->sides[0].column_count;
    for (int64_t row = 0; row < pairs->sides[side].rows; row++) {
        if (pairs->matched[side][row] != matched)
            continue;
        append_row(out, side == 0 ? 0 : left, &pairs->sides[side], row);
        if (pad)
            append_nulls(out, side == 0 ? left : 0, pairs->plan->inputs[1 - side]->schema);
        out->rows++;
    }
}

static void run_join(struct runner *self, const struct plan *plan, struct batch *out)
{
    struct pairs pairs = {.plan = plan};
    enum join_kind kind = plan->join.kind;
    for (int side = 0; side < 2; side++) {
        run(self, plan->inputs[side], &pairs.sides[side]);
        pairs.matched[side] = arena_array(&self->arena, bool, (size_t)pairs.sides[side].rows);
    }
    match_pairs(self, &pairs);
    empty_batch(out, plan->schema);
    emit_matches(&pairs, kind != JOIN_SEMI && kind != JOIN_ANTI, out);
    if (kind == JOIN_SEMI || kind == JOIN_ANTI)
        emit_side(&pairs, 0, kind == JOIN_SEMI, false, out);
    if (kind == JOIN_LEFT || kind == JOIN_FULL)
        emit_side(&pairs, 0, false, true, out);
    if (kind == JOIN_RIGHT || kind == JOIN_FULL)
        emit_side(&pairs, 1, false, true, out);
    batch_release(&pairs.sides[0]);
    batch_release(&pairs.sides[1]);
    batch_release(&pairs.truth);
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
    if (plan->kind == PLAN_JOIN) {
        run_join(self, plan, out);
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

static int by_text(const void *a, const void *b) { return strcmp(*(char *const *)a, *(char *const *)b); }

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
    struct analyser analyser = {
        .arena = &self->arena, .notes = notes, .expr = {&self->arena, &self->session}, .err = &self->err};
    struct ast_query *query;
    struct rowset rows;
    check_ok(self, parse_query_text(&self->arena, file, notes, &query, &self->err));
    check_ok(self, analyse_query(&analyser, query, NULL, &rows));
    return rows.plan;
}

#endif

/* pass.c - stages that look at one batch at a time: filter, project, generate, from_json, grouping sets, LIMIT,
 * UNION ALL, tables of a pipeline. */
#include "lower/lower.h"
#include "query/portion.h"

static enum code nothing_open(__attribute__((unused)) struct stage *base, __attribute__((unused)) struct error *err)
{
    return E_OK;
}

static void nothing_close(__attribute__((unused)) struct stage *base) {}

/* ---- filter ---- */

struct filter_pass {
    struct stage base;
    struct portions portions;
    struct filter *filter;
    bool never; /* no row can pass: none is asked for, so none can fail */
};

static struct position filter_step(const void *filter, int32_t step) { return filter_position(filter, step); }

static enum code filter_open(struct stage *base, struct error *err)
{
    struct filter_pass *self = (struct filter_pass *)base;
    struct expr_context ctx = {.arena = &base->query->arena, .session = base->query->spec.session};
    self->never = expr_never_true(&ctx, base->plan->exprs[0]);
    return filter_new(&base->query->arena, base->plan->exprs[0], &self->filter, err);
}

static enum code filter_rows(struct stage *base, const struct batch *in, struct batch *out, struct error *err)
{
    struct query *query = base->query;
    struct filter *filter = ((struct filter_pass *)base)->filter;
    TRY(filter_batch(filter, query->spec.session, in, &query->rejects, &query->counts, out, err));
    return stage_check(base, filter_step, filter, err);
}

static enum code filter_next(struct stage *base, struct batch *out, struct error *err)
{
    if (((struct filter_pass *)base)->never)
        return E_OK;
    return portions_next(&((struct filter_pass *)base)->portions, base, 0, filter_rows, out, err);
}

static void filter_close(struct stage *base)
{
    struct filter_pass *self = (struct filter_pass *)base;
    portions_close(&self->portions);
    filter_free(self->filter);
}

const struct stage_type filter_stage = {.name = "filter",
                                        .size = sizeof(struct filter_pass),
                                        .open = filter_open,
                                        .next = filter_next,
                                        .close = filter_close};

/* ---- project ---- */

struct project_pass {
    struct stage base;
    struct portions portions;
    struct computation exprs;
};

static enum code project_open(struct stage *base, struct error *err)
{
    struct project_pass *self = (struct project_pass *)base;
    return computation_open(&self->exprs, base, base->plan->exprs, base->plan->expr_count, err);
}

static enum code project_rows(struct stage *base, const struct batch *in, struct batch *out, struct error *err)
{
    struct project_pass *self = (struct project_pass *)base;
    TRY(computation_run(&self->exprs, base, in, err));
    batch_init(out, base->plan->schema, in->rows);
    for (int32_t c = 0; c < out->column_count; c++)
        out->columns[c] = column_take(&self->exprs.columns[c]);
    return E_OK;
}

static enum code project_next(struct stage *base, struct batch *out, struct error *err)
{
    return portions_next(&((struct project_pass *)base)->portions, base, 0, project_rows, out, err);
}

static void project_close(struct stage *base)
{
    struct project_pass *self = (struct project_pass *)base;
    portions_close(&self->portions);
    computation_close(&self->exprs);
}

const struct stage_type project_stage = {.name = "project",
                                         .size = sizeof(struct project_pass),
                                         .open = project_open,
                                         .next = project_next,
                                         .close = project_close};

/* ---- generate ---- */

struct generate_pass {
    struct stage base;
    struct portions portions;
    struct generate *generate;
};

static struct position generate_step(const void *generate, int32_t step) { return generate_position(generate, step); }

static enum code generate_open(struct stage *base, struct error *err)
{
    struct generate_spec spec = generate_spec_of(base->plan);
    return generate_new(&base->query->arena, &spec, &((struct generate_pass *)base)->generate, err);
}

static enum code generate_rows(struct stage *base, const struct batch *in, struct batch *out, struct error *err)
{
    struct query *query = base->query;
    struct generate *generate = ((struct generate_pass *)base)->generate;
    TRY(generate_batch(generate, query->spec.session, in, &query->rejects, &query->counts, out, err));
    return stage_check(base, generate_step, generate, err);
}

static enum code generate_next(struct stage *base, struct batch *out, struct error *err)
{
    return portions_next(&((struct generate_pass *)base)->portions, base, 0, generate_rows, out, err);
}

static void generate_close(struct stage *base)
{
    struct generate_pass *self = (struct generate_pass *)base;
    portions_close(&self->portions);
    generate_free(self->generate);
}

const struct stage_type generate_stage = {.name = "generate",
                                          .size = sizeof(struct generate_pass),
                                          .open = generate_open,
                                          .next = generate_next,
                                          .close = generate_close};

/* ---- from_json: one column more ---- */

struct decode_pass {
    struct stage base;
    struct portions portions;
    struct computation payload;
    const struct decoder_type *type;
    void *decoder;
};

static enum code decode_open(struct stage *base, struct error *err)
{
    struct decode_pass *self = (struct decode_pass *)base;
    const char *format = base->plan->decode.format;
    const struct decoder_type *type = decoder_find(format);
    if (type == NULL)
        return fail(err, E_UNSUPPORTED, "[UNSUPPORTED_FEATURE] no decoder for format %s", format);
    struct decoder_spec spec = decoder_spec_of(base->plan, base->query->spec.session->zone);
    void *decoder = arena_alloc(&base->query->arena, type->size);
    TRY(type->open(decoder, &spec, err));
    self->type = type;
    self->decoder = decoder;
    return computation_open(&self->payload, base, base->plan->exprs, 1, err);
}

static enum code decode_rows(struct stage *base, const struct batch *in, struct batch *out, struct error *err)
{
    struct decode_pass *self = (struct decode_pass *)base;
    TRY(computation_run(&self->payload, base, in, err));
    batch_init(out, base->plan->schema, in->rows);
    for (int32_t c = 0; c < in->column_count; c++)
        column_share(&out->columns[c], &in->columns[c]);
    TRY(self->type->decode(self->decoder, &self->payload.columns[0], &out->columns[in->column_count],
                           &base->query->rejects, err));
    return stage_check(base, NULL, NULL, err);
}

static enum code decode_next(struct stage *base, struct batch *out, struct error *err)
{
    return portions_next(&((struct decode_pass *)base)->portions, base, 0, decode_rows, out, err);
}

static void decode_close(struct stage *base)
{
    struct decode_pass *self = (struct decode_pass *)base;
    portions_close(&self->portions);
    if (self->decoder != NULL)
        self->type->close(self->decoder);
    computation_close(&self->payload);
}

const struct stage_type decode_stage = {.name = "from_json",
                                        .size = sizeof(struct decode_pass),
                                        .open = decode_open,
                                        .next = decode_next,
                                        .close = decode_close};

/* ---- grouping sets: a batch comes out once per set ---- */

struct expand_pass {
    struct stage base;
    struct computation keys;
    struct batch in;
    int32_t set; /* of `in`, next */
};

static enum code expand_open(struct stage *base, struct error *err)
{
    struct expand_pass *self = (struct expand_pass *)base;
    return computation_open(&self->keys, base, base->plan->exprs, base->plan->expr_count, err);
}

static void id_column(int64_t id, int64_t rows, struct column *out)
{
    *out = (struct column){.type = type_of(TYPE_INT64), .rows = rows};
    out->values = buffer_new((size_t)rows * sizeof(int64_t));
    for (int64_t i = 0; i < rows; i++)
        column_values(out, int64_t)[i] = id;
}

static enum code expand_next(struct stage *base, struct batch *out, struct error *err)
{
    struct expand_pass *self = (struct expand_pass *)base;
    const struct plan_expand *expand = &base->plan->expand;
    int32_t keys = base->plan->expr_count;
    if (self->in.rows == 0 || self->set == expand->set_count) {
        batch_release(&self->in);
        TRY(stage_pull(base, 0, &self->in, err));
        if (self->in.rows == 0)
            return E_OK;
        TRY(computation_run(&self->keys, base, &self->in, err));
        self->set = 0;
    }
    batch_init(out, base->plan->schema, self->in.rows);
    for (int32_t c = 0; c < self->in.column_count; c++)
        column_share(&out->columns[c], &self->in.columns[c]);
    for (int32_t k = 0; k < keys; k++) {
        struct column *key = &out->columns[self->in.column_count + k];
        if (expand->kept[self->set * keys + k])
            column_share(key, &self->keys.columns[k]);
        else
            column_all_null(key, self->keys.columns[k].type, self->in.rows);
    }
    id_column(expand->ids[self->set], self->in.rows, &out->columns[self->in.column_count + keys]);
    self->set++;
    return E_OK;
}

static void expand_close(struct stage *base)
{
    struct expand_pass *self = (struct expand_pass *)base;
    batch_release(&self->in);
    computation_close(&self->keys);
}

const struct stage_type expand_stage = {.name = "grouping sets",
                                        .size = sizeof(struct expand_pass),
                                        .open = expand_open,
                                        .next = expand_next,
                                        .close = expand_close};

/* ---- what another query of the pipeline gives ---- */

static enum code table_next(struct stage *base, struct batch *out, struct error *err)
{
    return stage_pull(base, 0, out, err);
}

const struct stage_type table_stage = {
    .name = "table", .size = sizeof(struct stage), .open = nothing_open, .next = table_next, .close = nothing_close};

/* ---- LIMIT, OFFSET ---- */

struct limit_pass {
    struct stage base;
    int64_t skip, left;
};

static int64_t constant_at(const struct plan *plan, int32_t i)
{
    return column_values(plan->exprs[i]->literal, int64_t)[0];
}

static enum code limit_open(struct stage *base, __attribute__((unused)) struct error *err)
{
    struct limit_pass *self = (struct limit_pass *)base;
    self->left = constant_at(base->plan, 0);
    self->skip = constant_at(base->plan, 1);
    return E_OK;
}

static enum code limit_next(struct stage *base, struct batch *out, struct error *err)
{
    struct limit_pass *self = (struct limit_pass *)base;
    while (self->left > 0) {
        struct batch in;
        TRY(stage_pull(base, 0, &in, err));
        if (in.rows == 0)
            return E_OK;
        int64_t skipped = self->skip < in.rows ? self->skip : in.rows;
        int64_t rows = in.rows - skipped < self->left ? in.rows - skipped : self->left;
        self->skip -= skipped;
        self->left -= rows;
        if (rows > 0)
            batch_slice(out, &in, skipped, skipped + rows);
        batch_release(&in);
        if (rows > 0)
            return E_OK;
    }
    return E_OK;
}

const struct stage_type limit_stage = {
    .name = "limit", .size = sizeof(struct limit_pass), .open = limit_open, .next = limit_next, .close = nothing_close};

/* ---- UNION ALL ---- */

struct union_pass {
    struct stage base;
    int32_t input;
};

static enum code union_next(struct stage *base, struct batch *out, struct error *err)
{
    struct union_pass *self = (struct union_pass *)base;
    for (; self->input < base->input_count; self->input++) {
        TRY(stage_pull(base, self->input, out, err));
        if (out->rows > 0) {
            out->schema = base->plan->schema;
            return E_OK;
        }
    }
    return E_OK;
}

const struct stage_type union_stage = {.name = "union",
                                       .size = sizeof(struct union_pass),
                                       .open = nothing_open,
                                       .next = union_next,
                                       .close = nothing_close};

/* aggregates.c - the table of aggregates, their binding, and the calls that operators make. */
#include <strings.h>

#include "base/hash.h"
#include "expr/aggregate.h"
#include "expr/coerce.h"
#include "expr/signature.h"

static const struct aggregate *const *const families[] = {
    sum_aggregates,      moment_aggregates, extreme_aggregates, pick_aggregates,    approx_aggregates,
    quantile_aggregates, mode_aggregates,   collect_aggregates, listagg_aggregates, histogram_aggregates,
    bitmap_aggregates,   vector_aggregates, variant_aggregates,
};
enum { FAMILY_COUNT = sizeof families / sizeof families[0] };

const struct aggregate *aggregate_at(int32_t index)
{
    for (int i = 0; i < FAMILY_COUNT; i++)
        for (const struct aggregate *const *at = families[i]; *at != NULL; at++)
            if (index-- == 0)
                return *at;
    return NULL;
}

static bool has_name(const struct aggregate *aggregate, const char *name)
{
    size_t size = strlen(name);
    for (const char *at = aggregate->name; *at != '\0'; at += strspn(at, " ")) {
        size_t length = strcspn(at, " ");
        if (length == size && strncasecmp(at, name, size) == 0)
            return true;
        at += length;
    }
    return false;
}

const struct aggregate *aggregate_find(const char *name)
{
    for (int32_t i = 0; aggregate_at(i) != NULL; i++)
        if (has_name(aggregate_at(i), name))
            return aggregate_at(i);
    return NULL;
}

/* ---- binding ---- */

static const struct aggregate *choose(struct expr_context *ctx, const char *name, const struct expr *const *args,
                                      int32_t count, struct fit *best)
{
    const struct aggregate *found = NULL;
    *best = (struct fit){.wrong_count = true, .misfit = -1};
    for (int32_t i = 0; aggregate_at(i) != NULL; i++) {
        const struct aggregate *row = aggregate_at(i);
        struct fit fit;
        if (!has_name(row, name))
            continue;
        if (signature_fit(ctx->arena, row->signature, args, count, ctx->session->ansi, false, &fit)) {
            if (found == NULL || fit.cost < best->cost) {
                found = row;
                *best = fit;
            }
        } else if (found == NULL && best->wrong_count) {
            *best = fit;
        }
    }
    return found;
}

static enum code bind_error(struct expr_context *ctx, const char *name, const struct fit *fit,
                            const struct expr *const *args, int32_t count, struct error *err)
{
    if (aggregate_find(name) == NULL)
        return fail(err, E_SQL, "[UNRESOLVED_ROUTINE] Cannot resolve routine `%s`", name);
    if (fit->wrong_count || count == 0)
        return fail(err, E_SQL, "[WRONG_NUM_ARGS.WITHOUT_SUGGESTION] The `%s` does not take %d parameters.", name,
                    count);
    int32_t misfit = fit->misfit >= 0 ? fit->misfit : 0;
    bool ordered = strcasecmp(name, "min") == 0 || strcasecmp(name, "max") == 0;
    struct text shown = {0};
    expr_print(args[misfit], NULL, &shown);
    enum code code = fail(err, E_SQL,
                          "[DATATYPE_MISMATCH.%s] Cannot resolve \"%s(%s)\" due to data "
                          "type mismatch: \"%s\" has the type \"%s\", which %s does not take.",
                          ordered ? "INVALID_ORDERING_TYPE" : "UNEXPECTED_INPUT_TYPE", name, shown.data, shown.data,
                          type_sql(ctx->arena, args[misfit]->type), name);
    text_free(&shown);
    return code;
}

/* min, max and the like see no difference. */
static bool cares_for_distinct(const char *name)
{
    static const char *const same[] = {"min", "max", "bool_and", "every", "bool_or", "some", "any", "collect_set"};
    for (size_t i = 0; i < sizeof same / sizeof same[0]; i++)
        if (strcasecmp(same[i], name) == 0)
            return false;
    return true;
}

static void settle(struct aggregate_call *call)
{
    if (call->state_size == 0)
        call->state_size = call->function->state_size;
    call->state_is_flat = call->function->heap == NULL;
    always(call->state_size > 0 && call->state_size % 8 == 0);
}

/* Sums and means of TIMESTAMPs are of seconds since 1970. */
static const struct expr *const *times_as_seconds(struct expr_context *ctx, const char *name,
                                                  const struct expr *const *args, int32_t count,
                                                  const struct expr **seconds)
{
    const struct aggregate sums = {.name = "sum avg mean try_sum try_avg"};
    bool times = count == 1 && args[0]->type->id == TYPE_TIMESTAMP && has_name(&sums, name);
    if (times)
        *seconds = expr_cast_implicit(ctx, args[0], type_of(TYPE_DOUBLE));
    return times ? seconds : args;
}

enum code aggregate_bind(struct expr_context *ctx, const char *name, const struct expr *const *args, int32_t count,
                         bool distinct, const struct expr *filter, struct position at,
                         const struct aggregate_call **out, struct error *err)
{
    struct fit fit = {0};
    const struct expr *seconds;
    args = times_as_seconds(ctx, name, args, count, &seconds);
    const struct aggregate *function = count <= AGGREGATE_ARGS_MAX ? choose(ctx, name, args, count, &fit) : NULL;
    if (function == NULL)
        return bind_error(ctx, name, &fit, args, count, err);
    struct aggregate_call *call = arena_new(ctx->arena, struct aggregate_call);
    *call = (struct aggregate_call){
        .function = function, .distinct = distinct, .arg_count = count, .filter = filter, .at = at};
    call->args = arena_array(ctx->arena, const struct expr *, (size_t)count + 1);
    for (int32_t i = 0; i < count; i++) {
        call->args[i] = expr_cast_implicit(ctx, args[i], fit.types[i]);
        call->arg_types[i] = call->args[i]->type;
    }
    struct aggregate_binding binding = {.ctx = ctx, .call = call, .type = fit.result};
    if (function->bind != NULL)
        TRY(function->bind(&binding, err));
    call->type = binding.type;
    settle(call);
    *out = call;
    if (!distinct || count == 0 || !cares_for_distinct(name))
        return E_OK;
    struct aggregate_call *around = arena_new(ctx->arena, struct aggregate_call);
    *around = *call;
    around->function = &aggregate_distinct;
    around->bound = call;
    around->variant = hash_mix(hash_bytes(function->name, strlen(function->name)), call->variant);
    around->ordered = false;
    around->state_size = 0;
    settle(around);
    *out = around;
    return E_OK;
}

struct bytes aggregate_name(const struct aggregate_call *call)
{
    return bytes_of(call->function->name, strcspn(call->function->name, " "));
}

/* ---- states ---- */

void aggregate_init(const struct aggregate_call *call, void *state) { memset(state, 0, call->state_size); }

void aggregate_add(const struct aggregate_rows *rows)
{
    if (rows->rows > 0)
        rows->call->function->add(rows);
}

bool aggregate_merge(const struct aggregate_call *call, void *into, const void *from, size_t *heap_bytes)
{
    const struct aggregate *function = call->function;
    if (function->heap == NULL)
        return function->merge(call, into, from);
    return function->heap->merge(call, into, from, heap_bytes);
}

bool aggregate_finish(const struct aggregate_call *call, const void *state, struct builder *out)
{
    return call->function->finish(call, state, out);
}

enum code aggregate_failed(const struct aggregate_call *call, const void *state, struct error *err)
{
    bool holds = state == NULL || (call->function->holds != NULL && call->function->holds(state));
    if (call->type->id == TYPE_DECIMAL && holds)
        return fail(err, E_DATA, "[%s] %s", reject_condition_full(REJECT_NUMERIC_RANGE),
                    reject_text(REJECT_NUMERIC_RANGE));
    if (call->function->failure != 0)
        return fail(err, E_DATA, "[%s] %s", reject_condition_full(call->function->failure),
                    reject_text(call->function->failure));
    const enum type_id id = call->arg_count > 0 ? call->arg_types[0]->id : TYPE_NULL;
    return fail(err, E_DATA, "[%s] the result of an aggregate does not fit its type",
                id == TYPE_INTERVAL_DT || id == TYPE_INTERVAL_YM ? "INTERVAL_ARITHMETIC_OVERFLOW.WITH_SUGGESTION"
                                                                 : "ARITHMETIC_OVERFLOW");
}

void aggregate_save(const struct aggregate_call *call, const void *state, struct text *out)
{
    if (call->function->heap != NULL)
        call->function->heap->save(call, state, out);
    else
        text_add(out, state, call->state_size);
}

enum code aggregate_load(const struct aggregate_call *call, struct bytes *in, void *state, size_t *heap_bytes,
                         struct error *err)
{
    aggregate_init(call, state);
    if (call->function->heap != NULL)
        return call->function->heap->load(call, in, state, heap_bytes, err);
    if (in->size < call->state_size)
        return fail(err, E_CORRUPT, "the state of %s needs %zu bytes, %zu are left", call->function->name,
                    call->state_size, in->size);
    memcpy(state, in->data, call->state_size);
    in->data += call->state_size;
    in->size -= call->state_size;
    return E_OK;
}

void aggregate_drop(const struct aggregate_call *call, void *state, size_t *heap_bytes)
{
    if (call->function->heap != NULL)
        call->function->heap->drop(call, state, heap_bytes);
}

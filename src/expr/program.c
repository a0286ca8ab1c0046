/* program.c - trees to a flat array of steps. */
#include "expr/program.h"

#include "base/hash.h"

struct compiler {
    struct arena *arena;
    struct step *steps;
    int32_t count, capacity, args_max;
    int32_t *table;      /* open addressing: step + 1 by the hash of its tree, 0 = empty */
    uint32_t table_size; /* power of two */
    uint64_t *hashes;    /* per step */
    int32_t hash_capacity;
};

/* ---- finding equal trees ---- */

static uint64_t tree_hash(const struct expr *expr)
{
    uint64_t hash = hash_mix((uint64_t)expr->kind, (uint64_t)expr->type->id);
    hash = hash_mix(hash, (uint64_t)(uint32_t)expr->index);
    hash = hash_mix(hash, (uint64_t)(uintptr_t)expr->function);
    if (expr->kind == EXPR_LITERAL && expr->literal->values != NULL)
        hash = hash_mix(hash, expr->literal->values->size);
    for (int32_t i = 0; i < expr->arg_count; i++)
        hash = hash_mix(hash, tree_hash(expr->args[i]));
    return hash;
}

static bool tree_fails(const struct expr *expr)
{
    if (expr_node_fails(expr))
        return true;
    for (int32_t i = 0; i < expr->arg_count; i++)
        if (tree_fails(expr->args[i]))
            return true;
    return false;
}

/* Whether rows of `mask` are all among the rows of `ancestor`. */
static bool mask_within(const struct compiler *c, int32_t mask, int32_t ancestor)
{
    while (mask != ancestor && mask >= 0)
        mask = c->steps[mask].mask;
    return mask == ancestor;
}

static void table_insert(struct compiler *c, uint64_t hash, int32_t step)
{
    uint32_t at = (uint32_t)hash & (c->table_size - 1);
    while (c->table[at] != 0)
        at = (at + 1) & (c->table_size - 1);
    c->table[at] = step + 1;
}

static void table_grow(struct compiler *c)
{
    mem_free(c->table);
    c->table_size = c->table_size == 0 ? 64 : c->table_size * 2;
    c->table = mem_array(int32_t, c->table_size);
    for (int32_t i = 0; i < c->count; i++)
        if (c->steps[i].kind == STEP_EXPR)
            table_insert(c, c->hashes[i], i);
}

static int32_t find_step(const struct compiler *c, const struct expr *expr, uint64_t hash, int32_t mask)
{
    if (c->table_size == 0)
        return -1;
    for (uint32_t at = (uint32_t)hash & (c->table_size - 1); c->table[at] != 0; at = (at + 1) & (c->table_size - 1)) {
        int32_t step = c->table[at] - 1;
        if (c->hashes[step] == hash && mask_within(c, mask, c->steps[step].mask) &&
            expr_equal(c->steps[step].expr, expr))
            return step;
    }
    return -1;
}

/* ---- emitting ---- */

static int32_t emit_step(struct compiler *c, struct step step, const int32_t *args, int32_t arg_count)
{
    int32_t *copy = arena_array(c->arena, int32_t, (size_t)arg_count + 1);
    for (int32_t i = 0; i < arg_count; i++)
        copy[i] = args[i];
    step.args = copy;
    step.arg_count = arg_count;
    mem_grow(c->steps, c->capacity, c->count + 1);
    mem_grow(c->hashes, c->hash_capacity, c->count + 1);
    c->steps[c->count] = step;
    c->hashes[c->count] = 0;
    if (arg_count > c->args_max)
        c->args_max = arg_count;
    return c->count++;
}

static int32_t emit_mask(struct compiler *c, enum step_kind kind, int32_t condition, int32_t parent)
{
    for (int32_t i = c->count - 1; i >= 0; i--) // the same mask is asked for by AND chains
        if (c->steps[i].kind == kind && c->steps[i].args[0] == condition && c->steps[i].mask == parent)
            return i;
    return emit_step(c, (struct step){.kind = kind, .mask = parent}, &condition, 1);
}

static int32_t compile_tree(struct compiler *c, const struct expr *expr, int32_t mask);

/* Fails nowhere: no mask needed, and every place can share it. */
static int32_t compile_arg(struct compiler *c, const struct expr *expr, int32_t mask)
{
    return compile_tree(c, expr, tree_fails(expr) ? mask : -1);
}

static bool any_fails(const struct expr *const *args, int32_t from, int32_t count)
{
    for (int32_t i = from; i < count; i++)
        if (tree_fails(args[i]))
            return true;
    return false;
}

/* WHEN c1 THEN r1 WHEN c2 THEN r2 ELSE e: r1 counts where c1 is true, all that follows where it is not. */
static void compile_case(struct compiler *c, const struct expr *expr, int32_t mask, int32_t *args)
{
    int32_t i = 0;
    for (; i + 1 < expr->arg_count; i += 2) {
        args[i] = compile_arg(c, expr->args[i], mask);
        int32_t taken = tree_fails(expr->args[i + 1]) ? emit_mask(c, STEP_MASK_TRUE, args[i], mask) : -1;
        args[i + 1] = compile_arg(c, expr->args[i + 1], taken);
        if (any_fails(expr->args, i + 2, expr->arg_count))
            mask = emit_mask(c, STEP_MASK_NOT_TRUE, args[i], mask);
    }
    if (i < expr->arg_count)
        args[i] = compile_arg(c, expr->args[i], mask);
}

/* a AND b: b counts where a is not false; a OR b: where not true; COALESCE: where all before are NULL. */
static void compile_chain(struct compiler *c, const struct expr *expr, int32_t mask, enum step_kind kind, int32_t *args)
{
    for (int32_t i = 0; i < expr->arg_count; i++) {
        args[i] = compile_arg(c, expr->args[i], mask);
        if (any_fails(expr->args, i + 1, expr->arg_count))
            mask = emit_mask(c, kind, args[i], mask);
    }
}

/* Of a function that is NULL where an argument is, NULL ends the asking; operators that divide ask for the divisor first. */
static void compile_strict(struct compiler *c, const struct expr *expr, int32_t mask, int32_t *args)
{
    int32_t count = expr->arg_count;
    bool backwards = (expr->function->flags & FN_RIGHT_FIRST) != 0;
    for (int32_t i = 0; i < count; i++) {
        int32_t at = backwards ? count - 1 - i : i;
        args[at] = compile_arg(c, expr->args[at], mask);
        bool fails = backwards ? any_fails(expr->args, 0, at) : any_fails(expr->args, at + 1, count);
        if (fails && expr->args[at]->nullable)
            mask = emit_mask(c, STEP_MASK_NOT_NULL, args[at], mask);
    }
}

static void compile_args(struct compiler *c, const struct expr *expr, int32_t mask, int32_t *args)
{
    enum lazy lazy = expr->kind == EXPR_CALL ? expr->function->lazy : LAZY_NONE;
    if (expr->kind == EXPR_CASE || lazy == LAZY_IF)
        compile_case(c, expr, mask, args);
    else if (lazy == LAZY_AND)
        compile_chain(c, expr, mask, STEP_MASK_NOT_FALSE, args);
    else if (lazy == LAZY_OR)
        compile_chain(c, expr, mask, STEP_MASK_NOT_TRUE, args);
    else if (lazy == LAZY_COALESCE)
        compile_chain(c, expr, mask, STEP_MASK_NULL, args);
    else if (expr_is_strict(expr))
        compile_strict(c, expr, mask, args);
    else
        for (int32_t i = 0; i < expr->arg_count; i++)
            args[i] = compile_arg(c, expr->args[i], mask);
}

static bool is_one_of(const struct expr *expr, const char *const *names)
{
    while (*names != NULL && !expr_is_call(expr, *names))
        names++;
    return *names != NULL;
}

/* A cast that may fail, and a division, are what may be NULL to Spark's optimiser, whatever `nullable` says. */
static bool is_null_to_spark(const struct expr *expr)
{
    static const char *const made[] = {"array", "map", "named_struct", NULL}; // hold NULLs, and are none
    static const char *const as_first[] = {"format_string", "concat_ws", NULL};
    static const char *const as_all[] = {"coalesce", "greatest", "least", NULL};
    bool call = expr->kind == EXPR_CALL, divides = call && (expr->function->flags & FN_RIGHT_FIRST) != 0;
    if ((expr->kind == EXPR_CAST || divides) && expr_node_fails(expr))
        return true;
    if (call && ((expr->function->flags & FN_NEVER_NULL) != 0 || is_one_of(expr, made)))
        return false;
    int32_t count = is_one_of(expr, as_first) ? 1 : expr->arg_count, nulls = 0;
    for (int32_t i = 0; i < count; i++)
        nulls += is_null_to_spark(expr->args[i]);
    return nulls > 0 && (nulls == count || !is_one_of(expr, as_all));
}

bool expr_null_is_known(const struct expr *expr)
{
    return !expr->nullable && tree_fails(expr) && !is_null_to_spark(expr);
}

static int32_t compile_tree(struct compiler *c, const struct expr *expr, int32_t mask)
{
    if (expr->kind == EXPR_CAST && type_equal(expr->type, expr->args[0]->type))
        return compile_tree(c, expr->args[0], mask);
    if (expr_is_strict(expr) && tree_fails(expr) && expr_always_null(expr)) {
        struct expr_context ctx = {.arena = c->arena};
        return compile_tree(c, expr_null(&ctx, expr->type, expr->at), -1);
    }
    bool is_null = expr_is_call(expr, "isnull");
    if ((is_null || expr_is_call(expr, "isnotnull")) && expr_null_is_known(expr->args[0])) {
        struct expr_context ctx = {.arena = c->arena}; // the answer is known before the question
        return compile_tree(c, expr_boolean(&ctx, !is_null, expr->at), -1);
    }
    if (expr->kind == EXPR_CALL && expr->try_cast &&
        tree_fails(expr)) { // what fails in it is NULL: no row is asked for
        struct expr_context ctx = {.arena = c->arena};
        mask = emit_mask(c, STEP_MASK_TRUE, compile_tree(c, expr_boolean(&ctx, false, expr->at), -1), -1);
    }
    uint64_t hash = tree_hash(expr);
    int32_t found = find_step(c, expr, hash, mask);
    if (found >= 0)
        return found;
    int32_t *args = mem_array(int32_t, (size_t)expr->arg_count + 1);
    compile_args(c, expr, mask, args);
    int32_t step = emit_step(c, (struct step){.kind = STEP_EXPR, .expr = expr, .mask = mask}, args, expr->arg_count);
    mem_free(args);
    c->hashes[step] = hash;
    if ((uint32_t)c->count * 2 > c->table_size)
        table_grow(c);
    else
        table_insert(c, hash, step);
    return step;
}

static void note_uses(struct program *program)
{
    for (int32_t i = 0; i < program->step_count; i++) {
        struct step *step = &program->steps[i];
        step->last_use = i;
        for (int32_t k = 0; k < step->arg_count; k++)
            if (program->steps[step->args[k]].last_use != INT32_MAX)
                program->steps[step->args[k]].last_use = i;
        if (step->mask >= 0)
            program->steps[step->mask].last_use = i;
    }
    for (int32_t i = 0; i < program->root_count; i++)
        program->steps[program->roots[i]].last_use = INT32_MAX;
    // What a FIELD borrows from must live as long as the field.
    for (int32_t i = program->step_count - 1; i >= 0; i--) {
        struct step *step = &program->steps[i];
        if (step->kind == STEP_EXPR && step->expr->kind == EXPR_FIELD &&
            program->steps[step->args[0]].last_use < step->last_use)
            program->steps[step->args[0]].last_use = step->last_use;
    }
}

static int32_t compile_root(struct compiler *c, const struct expr *root, int32_t guard)
{
    int32_t mask = guard >= 0 && tree_fails(root) ? emit_mask(c, STEP_MASK_TRUE, guard, -1) : -1;
    return compile_tree(c, root, mask);
}

enum code program_compile_guarded(struct arena *arena, const struct expr *const *roots, const int32_t *guards,
                                  int32_t count, struct program **out, struct error *err)
{
    struct compiler c = {.arena = arena};
    struct program *program = arena_new(arena, struct program);
    program->roots = arena_array(arena, int32_t, (size_t)count + 1);
    program->root_count = count;
    for (int32_t i = 0; i < count && c.count < PROGRAM_STEPS_MAX; i++)
        program->roots[i] =
            compile_root(&c, roots[i], guards != NULL && guards[i] >= 0 ? program->roots[guards[i]] : -1);
    enum code code = E_OK;
    if (c.count >= PROGRAM_STEPS_MAX) {
        code = fail(err, E_SQL, "the expressions need more than %d steps", PROGRAM_STEPS_MAX);
    } else {
        program->steps = arena_array(arena, struct step, (size_t)c.count + 1);
        if (c.count > 0)
            memcpy(program->steps, c.steps, (size_t)c.count * sizeof *c.steps);
        program->step_count = c.count;
        program->args_max = c.args_max;
        note_uses(program);
        *out = program;
    }
    mem_free(c.steps);
    mem_free(c.hashes);
    mem_free(c.table);
    return code;
}

enum code program_compile(struct arena *arena, const struct expr *const *roots, int32_t count, struct program **out,
                          struct error *err)
{
    return program_compile_guarded(arena, roots, NULL, count, out, err);
}

struct position program_step_position(const struct program *program, int32_t step)
{
    if (step < 0 || step >= program->step_count || program->steps[step].expr == NULL)
        return (struct position){0};
    return program->steps[step].expr->at;
}

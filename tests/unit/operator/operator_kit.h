/* operator_kit.h - batches from literals and back to text, for the tests of operators. */
#ifndef OPERATOR_KIT_H
#define OPERATOR_KIT_H

#include "kit.h"

#include <stdio.h>

#include "operator/operator.h"

#define NONE INT64_MIN /* a NULL, in lists of integers */

struct bench_of_one { /* what every test needs around an operator */
    struct arena arena;
    struct session session;
    struct expr_context expr;
    struct rejects rejects;
    struct operator_counts counts;
    struct error err;
};

static inline void set_up(struct bench_of_one *test)
{
    *test = (struct bench_of_one){.session = {.zone = zone_utc(), .ansi = true}};
    test->expr = (struct expr_context){&test->arena, &test->session};
}

static inline void tear_down(struct bench_of_one *test)
{
    rejects_free(&test->rejects);
    arena_free(&test->arena);
}

static inline const struct type *schema_of(struct bench_of_one *test, const char *ddl)
{
    const struct type *schema = NULL;
    size_t position;
    CHECK_INT(type_parse_ddl(&test->arena, bytes_of_string(ddl), &schema, &position, &test->err), E_OK);
    return schema;
}

static inline const struct expr *column_expr(struct bench_of_one *test, const struct type *schema, int32_t index)
{
    return expr_column(&test->expr, index, &schema->fields[index], (struct position){0});
}

static inline const struct expr *call_expr(struct bench_of_one *test, const char *name, const struct expr *a,
                                           const struct expr *b)
{
    const struct expr *args[] = {a, b}, *out = NULL;
    CHECK_INT(expr_call(&test->expr, name, args, b == NULL ? 1 : 2, (struct position){0}, &out, &test->err), E_OK);
    return out;
}

static inline const struct expr *int_expr(struct bench_of_one *test, int64_t value)
{
    return expr_int(&test->expr, type_of(TYPE_INT32), value, (struct position){0});
}

/* Fixed-width columns from integers; NONE is NULL. */
static inline void put_ints(struct column *out, const struct type *type, const int64_t *values, int64_t count)
{
    struct builder builder;
    builder_init(&builder, type);
    for (int64_t i = 0; i < count; i++) {
        if (values[i] == NONE)
            builder_null(&builder);
        else if (type->id == TYPE_DECIMAL)
            builder_int128(&builder, values[i]);
        else
            builder_int(&builder, values[i]);
    }
    builder_finish(&builder, out);
    builder_release(&builder);
}

static inline void put_strings(struct column *out, const char *const *values, int64_t count)
{
    struct builder builder;
    builder_init(&builder, type_of(TYPE_STRING));
    for (int64_t i = 0; i < count; i++) {
        if (values[i] == NULL)
            builder_null(&builder);
        else
            builder_bytes(&builder, bytes_of_string(values[i]));
    }
    builder_finish(&builder, out);
    builder_release(&builder);
}

/* "a,b;c,d": columns by comma, rows by semicolon. */
static inline const char *batch_text(struct bench_of_one *test, const struct batch *batch)
{
    struct text out = {0};
    for (int64_t row = 0; row < batch->rows; row++) {
        if (row > 0)
            text_add_char(&out, ';');
        for (int32_t c = 0; c < batch->column_count; c++) {
            if (c > 0)
                text_add_char(&out, ',');
            column_print(&batch->columns[c], row, &out);
        }
    }
    const char *kept = arena_strndup(&test->arena, out.data == NULL ? "" : out.data, out.size);
    text_free(&out);
    return kept;
}

/* A fetched batch behind the rows, so that origins can be followed. */
static inline void give_origin(struct batch *batch)
{
    batch->source = mem_new(struct origin);
    batch->source->count = 1;
}

#endif

/* analyse_distinct.c - rows that come once: SELECT DISTINCT, UNION, and the table property leat.dedup.
 *
 * DISTINCT   over a stream is a GROUP BY of all columns, as on Spark: a row comes out when the watermark
 *            passes its time
 * leat.dedup is Spark's dropDuplicates (SQL has no word for it): the first row of a key comes out at once.
 *            With leat.dedup.within_watermark = 'true' it is dropDuplicatesWithinWatermark. Each flow is
 *            on its own
 * Spec       docs/semantics.md#deduplication
 */
#include <ctype.h>

#include "sql/catalog.h"
#include "sql/select.h"

/* ---- DISTINCT ---- */

static enum code untimed(struct analyser *self, struct position at)
{
    return sql_error(self, at,
                     "put WATERMARK time DELAY OF INTERVAL .. behind the stream and keep the time in the list",
                     "[STREAMING_OUTPUT_MODE.UNSUPPORTED_OPERATION] Invalid streaming output mode: append. This "
                     "output mode is not supported for streaming aggregations without watermark: every row "
                     "would be remembered for ever.");
}

enum code check_comparable(struct analyser *self, const struct type *schema, struct position at)
{
    for (int32_t i = 0; i < schema->field_count; i++) {
        const struct field *field = &schema->fields[i];
        bool map = type_holds_map(field->type);
        if (map || !type_is_groupable(field->type))
            return sql_error(self, at, NULL,
                             "[UNSUPPORTED_FEATURE.SET_OPERATION_ON_%s_TYPE] The feature is not supported: Cannot "
                             "have %s type columns in DataFrame which calls set operations (INTERSECT, EXCEPT, "
                             "etc.), but the type of column `%s` is \"%s\".",
                             map ? "MAP" : "VARIANT", map ? "MAP" : "VARIANT", field->name,
                             type_text(self->arena, field->type));
    }
    return E_OK;
}

enum code distinct_rows(struct analyser *self, const char *what, struct position at, struct plan **plan)
{
    struct plan *input = *plan;
    const struct type *schema = input->schema;
    TRY(check_comparable(self, schema, at));
    if (!input->streaming) {
        int32_t *columns = arena_array(self->arena, int32_t, (size_t)schema->field_count);
        for (int32_t i = 0; i < schema->field_count; i++)
            columns[i] = i;
        *plan = plan_over(self->arena, PLAN_DEDUPLICATE, input, schema, at);
        (*plan)->deduplicate =
            (struct plan_deduplicate){.columns = columns, .column_count = schema->field_count, .time_column = -1};
        (*plan)->unsupported = what;
        return E_OK;
    }
    if (plan_time_column(input) == -1)
        return untimed(self, at);
    const struct expr **keys = arena_array(self->arena, const struct expr *, (size_t)schema->field_count);
    for (int32_t i = 0; i < schema->field_count; i++)
        keys[i] = column_of(self, input, i, at);
    struct group group = {.schema = schema, .keys = keys, .key_count = schema->field_count, .window = {.key = -1}};
    return group_rows(self, input, &group, at, plan);
}

/* ---- leat.dedup ---- */

static const struct ast_option *property(const struct element *table, const char *name)
{
    const struct ast_option *found = NULL;
    for (int32_t i = 0; table->statement != NULL && i < table->statement->property_count; i++)
        if (same_name(table->statement->properties[i].name, name))
            found = &table->statement->properties[i];
    return found;
}

/* The next name of a list, without blanks and backticks around it; empty at the end. */
static struct bytes next_name(const char **at)
{
    while (isspace((unsigned char)**at) || **at == ',')
        (*at)++;
    const char *start = *at, *end;
    *at += strcspn(*at, ",");
    for (end = *at; end > start && isspace((unsigned char)end[-1]);)
        end--;
    bool quoted = end - start > 2 && *start == '`' && end[-1] == '`';
    return bytes_of(start + quoted, (size_t)(end - start) - 2 * (size_t)quoted);
}

static enum code unknown_column(struct analyser *self, const struct ast_option *option, const char *name,
                                const struct type *schema)
{
    struct list names = {0};
    for (int32_t i = 0; i < schema->field_count; i++)
        list_add(self->arena, &names, schema->fields[i].name);
    const char *near = nearest_word(name, (const char *const *)names.items, (size_t)names.count);
    return sql_error(self, option->at, near != NULL ? arena_printf(self->arena, "did you mean `%s`?", near) : NULL,
                     "[UNRESOLVED_COLUMN_AMONG_FIELD_NAMES] Cannot resolve column name \"%s\" "
                     "among the columns of the query.",
                     name);
}

/* '*' is every column. */
static enum code key_columns(struct analyser *self, const struct ast_option *option, const struct type *schema,
                             struct plan_deduplicate *out)
{
    int32_t *columns = arena_array(self->arena, int32_t, (size_t)schema->field_count);
    const char *at = option->value;
    out->columns = columns;
    for (struct bytes name = next_name(&at); name.size > 0; name = next_name(&at)) {
        bool all = bytes_equal_string(name, "*");
        const char *wanted = arena_strndup(self->arena, (const char *)name.data, name.size);
        int32_t index = all ? -1 : type_field_index(schema, wanted, true);
        if (!all && index < 0)
            return unknown_column(self, option, wanted, schema);
        for (int32_t i = 0; i < schema->field_count; i++) {
            bool known = !all && i != index;
            for (int32_t k = 0; k < out->column_count; k++)
                known = known || columns[k] == i;
            if (!known)
                columns[out->column_count++] = i;
        }
    }
    if (out->column_count == 0)
        return sql_error(self, option->at, "'leat.dedup' = 'id, at'",
                         "[INVALID_PROPERTY_VALUE] leat.dedup names no column");
    for (int32_t k = 0; k < out->column_count; k++)
        if (schema->fields[columns[k]].type->id == TYPE_MAP)
            return sql_error(self, option->at, NULL,
                             "[UNSUPPORTED_FEATURE.SET_OPERATION_ON_MAP_TYPE] a MAP cannot be "
                             "compared: `%s`",
                             schema->fields[columns[k]].name);
    return E_OK;
}

static enum code read_flag(struct analyser *self, const struct ast_option *option, bool *out)
{
    *out = option != NULL && same_name(option->value, "true");
    if (option == NULL || *out || same_name(option->value, "false"))
        return E_OK;
    return sql_error(self, option->at, NULL, "[INVALID_PROPERTY_VALUE] %s is 'true' or 'false', not '%s'", option->name,
                     option->value);
}

/* The one column with event time, -1 = none. */
static enum code time_column(struct analyser *self, const struct plan *input, struct position at, int32_t *out)
{
    *out = plan_time_column(input);
    if (*out == -2)
        return sql_error(self, at, "leave one of them out of the SELECT list",
                         "[STREAM_FAILED] More than one event time columns are available. Please ensure there "
                         "is at most one event time column per stream.");
    if (*out >= 0 && input->schema->fields[*out].type->id == TYPE_STRUCT)
        return not_yet(self, at, "leat.dedup by windows: take their window_time(..)");
    return E_OK;
}

static enum code keep_within(struct analyser *self, const struct plan *input, struct position at,
                             struct plan_deduplicate *out)
{
    if (out->time_column < 0)
        return sql_error(self, at,
                         "put WATERMARK time DELAY OF INTERVAL .. behind the stream and keep the time in the list",
                         "[UNSUPPORTED_OPERATION] dropDuplicatesWithinWatermark is not supported on streaming "
                         "DataFrames/DataSets without watermark");
    out->delay_us = plan_time_source(input, out->time_column)->watermark.delay_us;
    return E_OK;
}

static void warn_endless(struct analyser *self, const struct plan *input, struct position at,
                         const struct plan_deduplicate *keys)
{
    if (keys->time_column < 0)
        notes_warn(self->notes, at, "leat.dedup without a watermark remembers every key for ever, as on Spark");
    else
        notes_warn(self->notes, at,
                   "leat.dedup remembers every key for ever, as on Spark: name `%s` too, or set "
                   "leat.dedup.within_watermark",
                   input->schema->fields[keys->time_column].name);
}

enum code flow_deduplicate(struct analyser *self, const struct element *table, struct flow *flow)
{
    const struct ast_option *named = property(table, "leat.dedup");
    const struct ast_option *within = property(table, "leat.dedup.within_watermark");
    struct plan_deduplicate keys = {0};
    if (named == NULL && within != NULL)
        return sql_error(self, within->at, "'leat.dedup' = 'id'",
                         "[INVALID_PROPERTY_VALUE] %s needs leat.dedup: which columns make a "
                         "duplicate",
                         within->name);
    if (named == NULL || !flow->plan->streaming)
        return E_OK;
    struct plan *input = flow->plan;
    TRY(read_flag(self, within, &keys.within_watermark));
    TRY(key_columns(self, named, input->schema, &keys));
    TRY(time_column(self, input, named->at, &keys.time_column));
    for (int32_t k = 0; k < keys.column_count; k++)
        keys.time_is_key = keys.time_is_key || keys.columns[k] == keys.time_column;
    if (keys.within_watermark)
        TRY(keep_within(self, input, within->at, &keys));
    else if (!keys.time_is_key)
        warn_endless(self, input, named->at, &keys);
    flow->plan = plan_over(self->arena, PLAN_DEDUPLICATE, input, input->schema, named->at);
    flow->plan->deduplicate = keys;
    return E_OK;
}

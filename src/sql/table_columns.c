/* table_columns.c - the columns of a table, and a flow's rows cast to them. */
#include "sql/catalog.h"

/* ---- the schema ---- */

static enum code declared_schema(struct analyser *self, const struct ast_statement *table, const struct type **out)
{
    struct field *fields = arena_array(self->arena, struct field, (size_t)table->column_count);
    for (int32_t i = 0; i < table->column_count; i++) {
        const struct ast_column *col = &table->columns[i];
        fields[i] = (struct field){col->name, col->type, true};
        for (int32_t j = 0; j < i; j++)
            if (same_name(fields[j].name, col->name))
                return sql_error(self, col->at, NULL,
                                 "[COLUMN_ALREADY_EXISTS] The column `%s` already exists. Choose another name "
                                 "or rename the existing column.",
                                 col->name);
        if (col->not_null)
            notes_warn(self->notes, col->at, "NOT NULL of `%s` is not enforced", col->name);
    }
    *out = type_struct(self->arena, fields, table->column_count);
    return E_OK;
}

/* Columns of all flows by name, in the order they first appear, with their common types. */
static enum code merged_schema(struct analyser *self, const struct element *table, const struct type **out)
{
    struct field *fields = NULL;
    int32_t count = 0;
    for (int32_t f = 0; f < table->flows.count; f++) {
        const struct flow *flow = table->flows.items[f];
        for (int32_t i = 0; i < flow->plan->schema->field_count; i++) {
            const struct field *field = &flow->plan->schema->fields[i];
            int32_t at = 0;
            while (at < count && !same_name(fields[at].name, field->name))
                at++;
            if (at == count)
                *array_add(self->arena, fields, count) = *field;
            const struct type *common = type_common(self->arena, fields[at].type, field->type);
            if (common == NULL)
                return sql_error(self, flow->at, NULL,
                                 "[UNABLE_TO_INFER_PIPELINE_TABLE_SCHEMA] Failed to infer the schema for table "
                                 "`%s` from its upstream flows: column `%s` is \"%s\" and \"%s\".",
                                 table->name, field->name, type_text(self->arena, fields[at].type),
                                 type_text(self->arena, field->type));
            fields[at].type = common;
            fields[at].nullable = fields[at].nullable || field->nullable || f > 0;
        }
    }
    *out = type_struct(self->arena, fields, count);
    return E_OK;
}

static enum code check_storable(struct analyser *self, const struct element *table, const struct type *schema)
{
    for (int32_t i = 0; i < schema->field_count; i++)
        if (schema->fields[i].type->id == TYPE_NULL)
            return sql_error(self, table->at, "cast it: CAST(NULL AS STRING)",
                             "[UNSUPPORTED_DATA_TYPE_FOR_DATASOURCE] the column `%s` has the type \"VOID\", "
                             "which cannot be stored.",
                             schema->fields[i].name);
    return E_OK;
}

enum code table_schema(struct analyser *self, const struct element *table, const struct type **out)
{
    const struct flow *first = table->flows.items[0];
    if (table->statement != NULL && table->statement->column_count > 0)
        TRY(declared_schema(self, table->statement, out));
    else if (table->flows.count == 1)
        *out = first->plan->schema;
    else
        TRY(merged_schema(self, table, out));
    return check_storable(self, table, *out);
}

/* ---- assignment ---- */

/* ANSI store assignment: numbers to numbers, anything to text, never text to something else. */
static bool can_store(const struct type *from, const struct type *to)
{
    if (from->id == TYPE_NULL || from->id == to->id || to->id == TYPE_STRING)
        return true;
    if (type_is_numeric(from) && type_is_numeric(to))
        return true;
    bool times = from->id >= TYPE_DATE && from->id <= TYPE_TIMESTAMP_NTZ;
    return times && to->id >= TYPE_DATE && to->id <= TYPE_TIMESTAMP_NTZ;
}

static enum code assign_column(struct analyser *self, const struct element *table, const struct flow *flow,
                               const struct field *to, const struct expr **out)
{
    const struct type *from = flow->plan->schema;
    int32_t index = type_field_index(from, to->name, true);
    if (index < 0) {
        *out = expr_null(&self->expr, to->type, flow->at);
        return E_OK;
    }
    *out = column_of(self, flow->plan, index, flow->at);
    if (type_equal((*out)->type, to->type))
        return E_OK;
    if (!can_store((*out)->type, to->type))
        return sql_error(self, flow->at, arena_printf(self->arena, "cast `%s` in the query", to->name),
                         "[INCOMPATIBLE_DATA_FOR_TABLE.CANNOT_SAFELY_CAST] Cannot write incompatible data for "
                         "the table `%s`: Cannot safely cast `%s` \"%s\" to \"%s\".",
                         table->name, to->name, type_text(self->arena, (*out)->type), type_text(self->arena, to->type));
    return placed(self, expr_cast(&self->expr, *out, to->type, false, flow->at, out, self->err), flow->at);
}

static enum code check_extra(struct analyser *self, const struct element *table, const struct flow *flow,
                             const struct type *schema)
{
    const struct type *from = flow->plan->schema;
    for (int32_t i = 0; i < from->field_count; i++)
        if (type_field_index(schema, from->fields[i].name, true) < 0)
            return sql_error(self, flow->at, NULL,
                             "[USER_SPECIFIED_AND_INFERRED_SCHEMA_NOT_COMPATIBLE] Table '%s' has a "
                             "user-specified schema that is incompatible with the schema inferred from its "
                             "query: it has no column `%s`.",
                             table->name, from->fields[i].name);
    return E_OK;
}

enum code flow_assign(struct analyser *self, const struct element *table, struct flow *flow, const struct type *schema)
{
    size_t count = (size_t)schema->field_count;
    const struct expr **exprs = arena_array(self->arena, const struct expr *, count);
    const char **names = arena_array(self->arena, const char *, count);
    bool changes = flow->plan->schema->field_count != schema->field_count;
    TRY(check_extra(self, table, flow, schema));
    for (int32_t i = 0; i < schema->field_count; i++) {
        TRY(assign_column(self, table, flow, &schema->fields[i], &exprs[i]));
        names[i] = schema->fields[i].name;
        changes = changes || exprs[i]->kind != EXPR_COLUMN || exprs[i]->index != i ||
                  strcmp(flow->plan->schema->fields[i].name, names[i]) != 0;
    }
    if (changes)
        flow->plan = plan_project(self->arena, flow->plan, exprs, names, schema->field_count, flow->at);
    return E_OK;
}

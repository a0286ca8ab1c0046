/* context.c - where a query runs: catalog, user, version, file and partition; and numbers for rows.
 *
 * leat has one catalog and one database, called as Spark calls its own, and one partition. Rows that come from files of a
 * source do not carry the file's name into expressions.
 */
#include "base/os.h"
#include "expr/function.h"
#include "expr/writer.h"

static enum code constant_text(struct binding *binding, const char *text)
{
    binding->rewritten = expr_string(binding->ctx, bytes_of_string(text), binding->at);
    return E_OK;
}

#define CONSTANT_TEXT(id, names, help_, example_, expected_, text)                                 \
    static enum code id##_bind(struct binding *binding, __attribute__((unused)) struct error *err) \
    {                                                                                              \
        return constant_text(binding, text);                                                       \
    }                                                                                              \
    SCALAR_SAME(id, names, "() -> string", help_, example_, expected_, .bind = id##_bind)

CONSTANT_TEXT(fn_current_catalog, "current_catalog", "The name of the only catalog.", "current_catalog()",
              "spark_catalog", "spark_catalog");
CONSTANT_TEXT(fn_current_schema, "current_schema current_database", "The name of the only database.",
              "current_schema()", "default", "default");
CONSTANT_TEXT(fn_current_path, "current_path", "Where names of functions are looked up.", "current_path()",
              "system.builtin,system.session,spark_catalog.default",
              "system.builtin,system.session,spark_catalog.default");
CONSTANT_TEXT(fn_version, "version", "The version of Spark whose SQL this is, and leat's.", "substr(version(), 1, 2)",
              "4.", "4.2.0 leat-" LEAT_VERSION);
CONSTANT_TEXT(fn_input_file, "input_file_name",
              "The file that a row came from, in `leat sql`; empty where no file is read.", "input_file_name()", "",
              "");

static enum code bind_user(struct binding *binding, __attribute__((unused)) struct error *err)
{
    const char *name = os_env("USER");
    return constant_text(binding, name != NULL ? name : "root");
}
SCALAR_SAME(fn_current_user, "current_user user session_user", "() -> string", "The user that leat runs as.", NULL,
            NULL, .bind = bind_user);

static enum code bind_collation(struct binding *binding, __attribute__((unused)) struct error *err)
{
    return constant_text(binding, "SYSTEM.BUILTIN.UTF8_BINARY");
}
SCALAR_SAME(fn_collation, "collation", "(string) -> string", "The collation of a text: there is one only.",
            "collation('a')", "SYSTEM.BUILTIN.UTF8_BINARY", .bind = bind_collation);

static enum code bind_block(struct binding *binding, __attribute__((unused)) struct error *err)
{
    binding->rewritten = expr_int(binding->ctx, type_of(TYPE_INT64), -1, binding->at);
    return E_OK;
}
SCALAR_SAME(fn_block, "input_file_block_start input_file_block_length", "() -> bigint",
            "Where the block that was read begins in the file, and its bytes: all of it; -1 where no file is read.",
            "input_file_block_start()", "-1", .bind = bind_block);

static enum code bind_partition(struct binding *binding, __attribute__((unused)) struct error *err)
{
    binding->rewritten = expr_int(binding->ctx, type_of(TYPE_INT32), 0, binding->at);
    return E_OK;
}
SCALAR_SAME(fn_partition, "spark_partition_id", "() -> int", "The number of the partition: there is one only.",
            "spark_partition_id()", "0", .bind = bind_partition);

SCALAR(fn_row_id, "monotonically_increasing_id", "() -> bigint", "A number for every row, larger than those before.",
       NULL, NULL, .flags = FN_PER_ROW | FN_NEVER_NULL)
{
    int64_t *next = call_memory(call, sizeof *next);
    for (int64_t i = 0; i < call->rows; i++)
        column_values(out, int64_t)[i] = (*next)++;
}

const struct function *const context_functions[] = {
    &fn_current_catalog, &fn_current_schema, &fn_current_path, &fn_version, &fn_input_file, &fn_current_user,
    &fn_collation,       &fn_block,          &fn_partition,    &fn_row_id,  NULL,
};

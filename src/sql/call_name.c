#include "sql/call_name.h"

#include <stddef.h>
#include <strings.h>

#define VARIABLE "namedlambdavariable()"
#define IS_NULL "(" VARIABLE " IS NULL)"
/* What array_sort compares by when nothing is said. */
#define BY_VALUE                                                                                                   \
    "lambdafunction((IF((" IS_NULL " AND " IS_NULL "), 0, (IF(" IS_NULL ", 1, (IF(" IS_NULL ", -1, (IF((" VARIABLE \
    " < " VARIABLE "), -1, (IF((" VARIABLE " > " VARIABLE "), 1, 0)))))))))), " VARIABLE ", " VARIABLE ")"
#define ITSELF "lambdafunction(" VARIABLE ", " VARIABLE ")"

static const struct call_name names[] = {
    {"array_sort", NULL, 1, {BY_VALUE}, 0},
    {"aggregate", NULL, 3, {ITSELF}, 0},
    {"reduce", NULL, 3, {ITSELF}, 0},
    {"locate", NULL, 2, {"1"}, 0},
    {"position", NULL, 2, {"1"}, 0},
    {"lpad", NULL, 2, {" "}, 0},
    {"rpad", NULL, 2, {" "}, 0},
    {"current_time", NULL, 0, {"6"}, 0},
    {"months_between", NULL, 2, {"true"}, 0},
    {"unix_timestamp", NULL, 0, {"current_timestamp()", "yyyy-MM-dd HH:mm:ss"}, 0},
    {"to_unix_timestamp", NULL, 1, {"yyyy-MM-dd HH:mm:ss"}, 0},
    {"from_unixtime", NULL, 1, {"yyyy-MM-dd HH:mm:ss"}, 0},
    {"mask", NULL, 1, {"X", "x", "n", "NULL"}, 0},
    {"overlay", NULL, 3, {"-1"}, 0},
    {"regexp_extract", NULL, 2, {"1"}, 0},
    {"regexp_extract_all", NULL, 2, {"1"}, 0},
    {"regexp_instr", NULL, 2, {"0"}, 0},
    {"regexp_replace", NULL, 3, {"1"}, 0},
    {"sentences", NULL, 1, {"", ""}, 0},
    {"shuffle", NULL, 1, {0}, 1},
    {"spark_partition_id", "SPARK_PARTITION_ID", 0, {0}, 0},
    {"user", "current_user", 0, {0}, 0},
    {"current_database", "current_schema", 0, {0}, 0},
    {"str_to_map", NULL, 1, {",", ":"}, 0},
    {"split", NULL, 2, {"-1"}, 0},
    {"substr", NULL, 2, {"2147483647"}, 0},
    {"substring", NULL, 2, {"2147483647"}, 0},
    {"replace", NULL, 2, {""}, 0},
    {"round", NULL, 1, {"0"}, 0},
    {"bround", NULL, 1, {"0"}, 0},
    {"sort_array", NULL, 1, {"true"}, 0},
    {"make_dt_interval", NULL, 0, {"0", "0", "0", "0.000000"}, 0},
    {"make_ym_interval", NULL, 0, {"0", "0"}, 0},
    {"make_interval", NULL, 0, {"0", "0", "0", "0", "0", "0", "0.000000"}, 0},
    {"try_make_interval", NULL, 0, {"0", "0", "0", "0", "0", "0", "0.000000"}, 0},
    {"percentile", NULL, 2, {"1"}, 0},
    {"percentile_approx", NULL, 2, {"10000"}, 0},
    {"approx_percentile", NULL, 2, {"10000"}, 0},
    {"listagg", NULL, 1, {"NULL"}, 0},
    {"string_agg", NULL, 1, {"NULL"}, 0},
    {"first", NULL, 1, {0}, 1},
    {"last", NULL, 1, {0}, 1},
    {"first_value", NULL, 1, {0}, 1},
    {"last_value", NULL, 1, {0}, 1},
    {"any_value", NULL, 1, {0}, 1},
    {"from_json", NULL, 1, {0}, 1},
    {"from_csv", NULL, 1, {0}, 1},
    {"to_json", NULL, 1, {0}, 1},
    {"to_csv", NULL, 1, {0}, 1},
    {"schema_of_json", NULL, 1, {0}, 1},
    {"schema_of_csv", NULL, 1, {0}, 1},
    {"variant_get", NULL, 2, {0}, 2},
    {"try_variant_get", NULL, 2, {0}, 2},
    {"to_varchar", "to_char", 2, {0}, 0},
    {"array_agg", "collect_list", 1, {0}, 0},
    {"vector_norm", NULL, 1, {"2.0"}, 0},
    {"vector_normalize", NULL, 1, {"2.0"}, 0},
    {"rlike", "RLIKE", 2, {0}, 0},
    {"regexp", "REGEXP", 2, {0}, 0},
    {"regexp_like", "REGEXP_LIKE", 2, {0}, 0},
    {"power", "POWER", 2, {0}, 0},
    {"acos", "ACOS", 1, {0}, 0},
    {"acosh", "ACOSH", 1, {0}, 0},
    {"asin", "ASIN", 1, {0}, 0},
    {"asinh", "ASINH", 1, {0}, 0},
    {"atan", "ATAN", 1, {0}, 0},
    {"atanh", "ATANH", 1, {0}, 0},
    {"atan2", "ATAN2", 1, {0}, 0},
    {"cbrt", "CBRT", 1, {0}, 0},
    {"cos", "COS", 1, {0}, 0},
    {"cosh", "COSH", 1, {0}, 0},
    {"cot", "COT", 1, {0}, 0},
    {"csc", "CSC", 1, {0}, 0},
    {"exp", "EXP", 1, {0}, 0},
    {"expm1", "EXPM1", 1, {0}, 0},
    {"hypot", "HYPOT", 1, {0}, 0},
    {"log", "LOG", 1, {0}, 0},
    {"log10", "LOG10", 1, {0}, 0},
    {"log1p", "LOG1P", 1, {0}, 0},
    {"log2", "LOG2", 1, {0}, 0},
    {"sec", "SEC", 1, {0}, 0},
    {"signum", "SIGNUM", 1, {0}, 0},
    {"sin", "SIN", 1, {0}, 0},
    {"sinh", "SINH", 1, {0}, 0},
    {"sqrt", "SQRT", 1, {0}, 0},
    {"tan", "TAN", 1, {0}, 0},
    {"tanh", "TANH", 1, {0}, 0},
    {"degrees", "DEGREES", 1, {0}, 0},
    {"radians", "RADIANS", 1, {0}, 0},
    {"rint", "rint", 1, {0}, 0},
    {"rank", "RANK", 0, {0}, 0},
    {"dense_rank", "DENSE_RANK", 0, {0}, 0},
    {"percent_rank", "PERCENT_RANK", 0, {0}, 0},
    {"time_bucket", NULL, 2, {"TIMESTAMP '1970-01-01 00:00:00'"}, 0},
    {"lag", NULL, 1, {"1", "NULL"}, 0},
    {"lead", NULL, 1, {"1", "NULL"}, 0},
};

const struct call_name *call_name_find(const char *name, int32_t arg_count)
{
    // with a scale they are other functions, in small letters
    static const struct call_name whole[] = {{"ceil", "CEIL", 1, {0}, 0}, {"floor", "FLOOR", 1, {0}, 0}};
    for (size_t i = 0; i < 2 && arg_count == 1; i++)
        if (strcasecmp(whole[i].name, name) == 0)
            return &whole[i];
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (strcasecmp(names[i].name, name) == 0)
            return &names[i];
    return NULL;
}

/* spark_cases_test.c - values, types and errors of some 950 expressions, against what Spark 4.2 answered (spark_cases.py). */
#include <stdio.h>

#include "base/os.h"
#include "trees.h"

/* Where leat differs on purpose or for want of better: docs/semantics.md tells users. */
static const struct deviation {
    const char *tree, *why;
} deviations[] = {
    {"(exp 1)", "Java's StrictMath has another last bit"},
    {"(- (cast date '2026-01-01') (cast date '2025-01-01'))", "INTERVAL DAY is INTERVAL DAY TO SECOND here"},
    {"(cast float 123456789)", "floats print as Java 19 and later print them; Spark ran on Java 17"},
    {"(cast string X'ff41')", "Python replaced the bytes that are no UTF-8"},
    {"(format_number 12332.123456 '##################.###')", "no DecimalFormat patterns"},
    {"(regexp_like 'ab' 'a(?=b)')", "no look-around: matching is linear"},
    {"(in 1 1 (/ 1 0))", "all items of IN are evaluated"},
    {"(raise_error 'x')", "not folded, so that it can stand in a branch"},
};

static const char *deviation_of(const char *tree_text)
{
    for (size_t i = 0; i < sizeof deviations / sizeof deviations[0]; i++)
        if (strcmp(deviations[i].tree, tree_text) == 0)
            return deviations[i].why;
    return NULL;
}

/* Spark has more names for some errors than the reject list has codes. */
static bool same_condition(const char *got, const char *want)
{
    size_t size = strcspn(got, ".");
    if (strncmp(got, want, size) == 0 && (want[size] == '\0' || want[size] == '.'))
        return true;
    static const char *const finer[][2] = {
        {"!BINARY_ARITHMETIC_OVERFLOW", "!ARITHMETIC_OVERFLOW"},
        {"!INTERVAL_ARITHMETIC_OVERFLOW", "!ARITHMETIC_OVERFLOW"},
        {"!REMAINDER_BY_ZERO", "!DIVIDE_BY_ZERO"},
        {"!INTERVAL_DIVIDED_BY_ZERO", "!DIVIDE_BY_ZERO"},
        {"!INVALID_ARRAY_INDEX_IN_ELEMENT_AT", "!INVALID_ARRAY_INDEX"},
        {"!INVALID_INDEX_OF_ZERO", "!INVALID_ARRAY_INDEX"},
        {"!INVALID_INDEX_OF_ZERO", "!INVALID_PARAMETER_VALUE"},
        {"!DUPLICATED_MAP_KEY", "!INVALID_PARAMETER_VALUE"},
        {"!NULL_MAP_KEY", "!INVALID_PARAMETER_VALUE"},
        {"!ILLEGAL_DAY_OF_WEEK", "!INVALID_PARAMETER_VALUE"},
        {"!IllegalArgumentException", "!INVALID_PARAMETER_VALUE"},
        {"!DATETIME_FIELD_OUT_OF_BOUNDS", "!CANNOT_PARSE_TIMESTAMP"},
    };
    for (size_t i = 0; i < sizeof finer / sizeof finer[0]; i++)
        if (strncmp(finer[i][0], want, strlen(finer[i][0])) == 0 && strcmp(finer[i][1], got) == 0)
            return true;
    return false;
}

static void check_case(const char *text, const char *type, const char *value, int line)
{
    const struct expr *expr = tree(text);
    char got[4096];
    snprintf(got, sizeof got, "%s", tree_value(expr));
    bool same = value[0] == '!' && got[0] == '!' ? same_condition(got, value) : strcmp(got, value) == 0;
    if (!same)
        kit_fail("spark_cases.txt", line, "%s is %s, Spark says %s  %s", text, got, value,
                 got[0] == '!' ? tree_error() : "");
    else if (value[0] != '!' && strcmp(tree_type_of(expr), type) != 0)
        kit_fail("spark_cases.txt", line, "%s has type %s, Spark says %s", text, tree_type_of(expr), type);
}

TEST(values_types_and_errors_are_sparks)
{
    struct text file = {0};
    struct error err = {0};
    if (os_read_file("tests/unit/expr/spark_cases.txt", 1 << 20, &file, &err) != E_OK) {
        kit_fail(__FILE__, __LINE__, "%s", err.text);
        return;
    }
    int line = 0;
    for (char *at = file.data, *end; (end = strchr(at, '\n')) != NULL; at = end + 1) {
        *end = '\0';
        line++;
        char *type = strchr(at, '\t'), *value = type == NULL ? NULL : strchr(type + 1, '\t');
        if (at[0] == '#' || value == NULL)
            continue;
        *type++ = '\0';
        *value++ = '\0';
        trees_open();
        if (deviation_of(at) == NULL)
            check_case(at, type, value, line);
    }
    trees_close();
    text_free(&file);
}

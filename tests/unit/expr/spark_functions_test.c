/* Every function of Spark 4.2 (spark_functions.txt, from SHOW FUNCTIONS) is in the tables, or in the list of those that are
 * not, with a reason. */
#include "expr/function.h"

#include <stdio.h>

#include "base/os.h"
#include "kit.h"

TEST(every_function_of_spark_is_there_or_listed_as_absent)
{
    struct text file = {0};
    struct error err = {0};
    int names = 0;
    if (os_read_file("tests/unit/expr/spark_functions.txt", 1 << 20, &file, &err) != E_OK) {
        kit_fail(__FILE__, __LINE__, "%s", err.text);
        return;
    }
    for (char *at = file.data, *end; (end = strchr(at, '\n')) != NULL; at = end + 1, names++) {
        *end = '\0';
        if (function_kind(at) == FUNCTION_NONE && function_absent(at) == NULL)
            kit_fail(__FILE__, __LINE__, "%s is neither there nor in absent.c", at);
    }
    CHECK(names > 500);
    text_free(&file);
}

TEST(what_is_there_is_not_called_absent)
{
    for (int32_t i = 0; function_at(i) != NULL; i++) {
        const struct function *function = function_at(i);
        char name[64];
        snprintf(name, sizeof name, "%.*s", (int)strcspn(function->name, " "), function->name);
        if ((function->flags & (FN_HIDDEN | FN_OPERATOR)) == 0 && function_absent(name) != NULL)
            kit_fail(__FILE__, __LINE__, "%s is there", name);
    }
}

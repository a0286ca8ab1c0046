#include "kit.h"
#include "query_kit.h"

#define EMP                                                                                                                  \
    "CREATE TEMPORARY VIEW emp AS SELECT * FROM VALUES ('ann', 1, 10), ('bob', 1, 20), ('cid', 2, 5) AS e(name, dept, pay);" \
    "CREATE TEMPORARY VIEW dept AS SELECT * FROM VALUES (1, 'a'), (3, 'c') AS d(id, label);"

TEST(subqueries_in_on_of_inner_joins)
{
    CHECK_ANSWER(EMP "SELECT name FROM emp JOIN dept ON dept = id AND pay IN (SELECT max(pay) FROM emp)", "bob");
    CHECK_ANSWER(
        EMP "SELECT name, label FROM emp JOIN dept ON dept = id OR NOT EXISTS (SELECT 1 FROM dept x WHERE x.id = dept) "
            "ORDER BY name, label",
        "ann, a\nbob, a\ncid, a\ncid, c");
}

TEST(subqueries_in_on_of_outer_joins_go_to_the_side_they_read)
{
    CHECK_ANSWER(EMP "SELECT name, label FROM emp LEFT JOIN dept ON dept = id AND name IN (SELECT 'bob') ORDER BY name",
                 "ann, NULL\nbob, a\ncid, NULL");
    CHECK_ANSWER(
        EMP "SELECT name, label FROM emp FULL JOIN dept ON dept = id AND id IN (SELECT dept FROM emp WHERE dept = id) "
            "ORDER BY name NULLS LAST",
        "ann, a\nbob, a\ncid, NULL\nNULL, c");
    CHECK_ANSWER(
        EMP
        "SELECT name FROM emp LEFT ANTI JOIN dept ON dept = id AND EXISTS (SELECT 1 FROM dept x WHERE x.id = pay / 10) "
        "ORDER BY name",
        "bob\ncid");
    CHECK_ANSWER(
        EMP
        "SELECT * FROM emp LEFT JOIN dept ON EXISTS (SELECT 1 FROM dept x WHERE x.id = dept AND x.label = dept.label)",
        "[UNSUPPORTED_SUBQUERY_EXPRESSION_CATEGORY.UNSUPPORTED_CORRELATED_EXPRESSION_IN_JOIN_CONDITION]");
}

TEST(aggregates_of_the_query_around)
{
    CHECK_ANSWER(
        EMP "SELECT dept FROM emp GROUP BY dept HAVING EXISTS (SELECT 1 FROM dept WHERE id * 10 < max(emp.pay))", "1");
    CHECK_ANSWER(EMP "SELECT dept, count(*) FROM emp GROUP BY dept "
                     "HAVING (SELECT count(*) FROM dept WHERE id < min(emp.pay) + dept) = 2 ORDER BY dept",
                 "1, 2\n2, 1");
}

TEST(having_and_order_by_see_the_list_and_the_keys)
{
    CHECK_ANSWER(EMP "SELECT sum(pay) FROM emp GROUP BY dept + 1 ORDER BY 1 + dept", "30\n5");
    CHECK_ANSWER(EMP "SELECT sum(pay) FROM emp GROUP BY dept HAVING pay > 1", "[UNRESOLVED_COLUMN.WITH_SUGGESTION]");
    CHECK_ANSWER(EMP "SELECT sum(pay) FROM emp GROUP BY dept ORDER BY name", "[UNRESOLVED_COLUMN.WITH_SUGGESTION]");
    CHECK_ANSWER(EMP "SELECT pay, sum(pay) FROM emp GROUP BY dept", "[MISSING_AGGREGATION]");
}

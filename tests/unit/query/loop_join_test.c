/* Joins without an equality: ON over blocks of pairs (operator/lookup_loop.h). The answers are those of pairs computed whole. */
#include "kit.h"
#include "query_kit.h"

TEST(blocks_of_pairs_have_every_pair_once)
{
    CHECK_ANSWER(
        "SELECT count(*), sum(a.id), sum(b.id) FROM range(300) a JOIN range(20000) b ON a.id * 31 % 1000 > b.id AND b.id % 7 < a.id % 5",
        "42500, 6463687, 14052857");
    CHECK_ANSWER(
        "SELECT count(*), sum(a.id), sum(b.id) FROM range(20000) a JOIN range(300) b ON a.id * 31 % 1000 > b.id * 3 OR b.id = a.id - 7",
        "3303133, 33042747572, 358826641");
}

TEST(outer_joins_in_blocks)
{
    CHECK_ANSWER(
        "SELECT count(*), count(b.id), sum(a.id), sum(b.id) FROM range(9000) a LEFT JOIN range(50) b ON a.id % 100 < b.id - 5",
        "94140, 89100, 420560460, 3088800");
    CHECK_ANSWER(
        "SELECT count(*), count(a.id), sum(b.id) FROM range(50) a RIGHT JOIN range(9000) b ON a.id - 5 > b.id % 100",
        "94140, 89100, 420560460");
    CHECK_ANSWER(
        "SELECT count(*), count(a.id), count(b.id), sum(a.id), sum(b.id) FROM range(9000) a FULL JOIN range(10000) b ON a.id > b.id + 8990",
        "19027, 9036, 10036, 40819380, 49995084");
}

TEST(semi_and_anti_joins_in_blocks)
{
    CHECK_ANSWER(
        "SELECT count(*), sum(a.id) FROM range(9000) a LEFT SEMI JOIN range(20000) b ON a.id * 3 < b.id - 3000",
        "5667, 16054611");
    CHECK_ANSWER(
        "SELECT count(*), sum(a.id) FROM range(9000) a LEFT ANTI JOIN range(20000) b ON a.id * 3 < b.id - 3000",
        "3333, 24440889");
}

TEST(nulls_texts_and_no_rows_in_blocks)
{
    CHECK_ANSWER(
        "SELECT count(*), sum(a.x), sum(b.y) FROM (SELECT IF(id % 3 = 0, NULL, id) AS x FROM range(500)) a JOIN (SELECT IF(id % 5 = 0, NULL, id) AS y FROM range(700)) b ON a.x > b.y OR a.x IS NULL AND b.y % 7 = 1",
        "79760, 22122323, 15687212");
    CHECK_ANSWER(
        "SELECT count(*), min(concat(a.s, b.p)), max(concat(a.s, b.p)) FROM (SELECT concat('name ', id) s FROM range(500)) a JOIN (SELECT concat('n%', id % 100, '7') p FROM range(1000)) b ON a.s LIKE b.p",
        "890, name 107n%07, name 97n%97");
    CHECK_ANSWER("SELECT count(*) FROM range(30) a JOIN range(0) b ON a.id > b.id", "0");
    CHECK_ANSWER(
        "SELECT count(*), sum(length(a.s)) FROM (SELECT repeat(cast(id % 10 AS STRING), 6000) AS s, id FROM range(40)) a JOIN range(900) b ON a.s > cast(b.id AS STRING)",
        "17892, 107352000");
}

/* 10 / 0 stands behind what keeps it from being asked: of the stream, of what stands still. */
TEST(a_part_that_fails_where_it_is_not_asked_for)
{
    CHECK_ANSWER("SELECT count(*), sum(b.id) FROM range(3) a JOIN range(30) b ON a.id > 0 AND 10 / a.id > b.id",
                 "15, 55");
    CHECK_ANSWER("SELECT count(*), sum(a.id) FROM range(30) a JOIN range(3) b ON b.id > 0 AND 10 / b.id > a.id",
                 "15, 55");
}

TEST(a_pair_that_fails_says_where)
{
    CHECK_ANSWER("SELECT count(*) FROM range(1, 5) a JOIN range(5) b ON a.id > 2 AND 10 / (b.id - 4) < a.id - b.id",
                 "[DIVIDE_BY_ZERO]");
    CHECK_ANSWER("SELECT count(*) FROM range(1, 5) a JOIN range(1, 5) b ON 10 / (a.id - b.id) > 2", "[DIVIDE_BY_ZERO]");
}

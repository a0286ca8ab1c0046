/* Casts, operators of all pairs of types, functions of times and intervals: what Spark 4.2 itself answered is in
 * spark_types.txt. */
#include <string.h>

#include "base/os.h"
#include "kit.h"
#include "query_kit.h"

static void ask(char *line, struct text *script)
{
    char *statement = strchr(line, '\t'), *answer = statement == NULL ? NULL : strchr(statement + 1, '\t');
    if (answer == NULL) {
        kit_fail(__FILE__, __LINE__, "not ANSI, statement, answer: %s", line);
        return;
    }
    *statement++ = '\0';
    *answer++ = '\0';
    text_clear(script);
    text_printf(script, "SET TIME ZONE 'America/Los_Angeles'; SET spark.sql.ansi.enabled=%s; %s",
                strcmp(line, "on") == 0 ? "true" : "false", statement);
    CHECK_ANSWER(script->data, answer);
}

TEST(spark_gave_the_same_answers)
{
    enum { FILE_MAX_BYTES = 1 << 20, LINES_LEAST = 500 };
    struct text file = {0}, script = {0};
    struct error err = {0};
    int asked = 0;
    if (os_read_file("tests/unit/query/spark_types.txt", FILE_MAX_BYTES, &file, &err) != E_OK) {
        kit_fail(__FILE__, __LINE__, "%s", err.text);
        return;
    }
    for (char *at = file.data, *end; (end = strchr(at, '\n')) != NULL; at = end + 1) {
        *end = '\0';
        if (*at == '#')
            continue;
        ask(at, &script);
        asked++;
    }
    CHECK(asked >= LINES_LEAST);
    text_free(&script);
    text_free(&file);
}

TEST(intervals_without_fields_keep_months_days_and_time_apart)
{
    CHECK_ANSWER("SELECT make_interval(1, 2, 3, 4, 5, 6, 7.008)",
                 "1 years 2 months 25 days 5 hours 6 minutes 7.008 seconds");
    CHECK_ANSWER("SELECT cast('-1 day 25 hours' AS INTERVAL), -make_interval(0, 1)", "-1 days 25 hours, -1 months");
    CHECK_ANSWER("SELECT count(*) FROM VALUES (make_interval(1)), (make_interval(0, 12)) AS t(a) GROUP BY a", "2");
    CHECK_ANSWER("SELECT make_interval(1) = make_interval(0, 12)", "[DATATYPE_MISMATCH.INVALID_ORDERING_TYPE]");
    CHECK_ANSWER("SELECT DATE'2020-01-31' + make_interval(0, 1), DATE'2020-03-31' - make_interval(0, 1)",
                 "2020-02-29, 2020-02-29");
    CHECK_ANSWER("SELECT DATE'2020-01-31' + make_interval(0, 0, 0, 0, 1)",
                 "[INVALID_INTERVAL_WITH_MICROSECONDS_ADDITION]");
    CHECK_ANSWER("SELECT extract(YEAR FROM make_interval(1, 14)), extract(DAY FROM make_interval(0, 0, 1, 1))", "2, 8");
    CHECK_ANSWER("SELECT coalesce(CAST(NULL AS INTERVAL), make_interval(0, 0, 0, 1))", "1 days");
    CHECK_ANSWER("SELECT make_interval(2147483647)", "[INTERVAL_ARITHMETIC_OVERFLOW.WITHOUT_SUGGESTION]");
    CHECK_ANSWER("SELECT try_make_interval(2147483647)", "NULL");
}

TEST(older_settings_give_older_answers)
{
    CHECK_ANSWER(
        "SET spark.sql.legacy.interval.enabled=true; SELECT INTERVAL 1 MONTH 2 DAYS, DATE'2020-03-01' - DATE'2020-01-31'",
        "1 months 2 days, 1 months 1 days");
    CHECK_ANSWER(
        "SET spark.sql.decimalOperations.allowPrecisionLoss=false; SELECT typeof(1.0123456789012345678901234567890123456e34BD / 1.0)",
        "decimal(38,3)");
    CHECK_ANSWER("SET spark.sql.legacy.timeParserPolicy=LEGACY; SELECT to_date('26/October/2015', 'dd/MMMMM/yyyy')",
                 "2015-10-26");
    CHECK_ANSWER("SET spark.sql.legacy.timeParserPolicy=LEGACY; SELECT to_date('2019-10-06 x', 'yyyy-MM-dd')",
                 "2019-10-06");
    CHECK_ANSWER("SELECT to_date('26/October/2015', 'dd/MMMMM/yyyy')",
                 "[INCONSISTENT_BEHAVIOR_CROSS_VERSION.DATETIME_PATTERN_RECOGNITION]");
    CHECK_ANSWER("SET TIME ZONE INTERVAL '15:40:32' HOUR TO SECOND; SELECT current_timezone()", "+15:40:32");
    CHECK_ANSWER("SET TIME ZONE INTERVAL 3 DAYS", "[INVALID_INTERVAL_FORMAT.TIMEZONE_INTERVAL_OUT_OF_RANGE]");
}

TEST(patterns_say_each_field_once)
{
    CHECK_ANSWER("SELECT to_date('12-365', 'MM-DDD'), to_date('2020-060', 'yyyy-DDD')", "1970-12-31, 2020-02-29");
    CHECK_ANSWER("SELECT to_date('11-365', 'MM-DDD')", "[CANNOT_PARSE_TIMESTAMP]");
    CHECK_ANSWER("SELECT to_date('2020 2021', 'yyyy yyyy')", "[CANNOT_PARSE_TIMESTAMP]");
    CHECK_ANSWER("SELECT to_timestamp('294248', 'y')", "[java.lang.ArithmeticException]");
    CHECK_ANSWER("SELECT to_time('12.34', 'HH.mm'), try_to_time('x', 'HH')", "12:34:00, NULL");
    CHECK_ANSWER("SELECT to_time('13-60', 'HH-mm')", "[CANNOT_PARSE_TIME]");
}

TEST(numbers_have_formats)
{
    CHECK_ANSWER("SELECT to_char(-12454.8, '99G999D9S'), to_char(5, '$999PR') || '|', to_char(78.12, '99.9')",
                 "12,454.8-, $  5  |, ##.#");
    CHECK_ANSWER("SELECT to_number('<00,454.8>', '00,000.9PR'), try_to_number('x', '99')", "-454.8, NULL");
    CHECK_ANSWER("SELECT to_number('1', '9,9,,9')", "[INVALID_FORMAT.CONT_THOUSANDS_SEPS]");
    CHECK_ANSWER("SELECT to_number('1', '9$')", "[INVALID_FORMAT.CUR_MUST_BEFORE_DIGIT]");
    CHECK_ANSWER("SELECT to_number('-34', '99')", "[INVALID_FORMAT.MISMATCH_INPUT]");
    CHECK_ANSWER("SELECT to_char(X'61', 'hex'), to_char(X'61', 'utf-8')", "61, a");
}

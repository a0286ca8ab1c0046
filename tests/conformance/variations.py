#!/usr/bin/env python3
"""Statements like those of Spark's own tests, but others: each family of functions over a grid of values, on PySpark and on leat.

    build/venv-spark/bin/python tests/conformance/variations.py --leat build/release/leat [--family NAME ..] [--share PER_CENT] [--known]

The grids are small tables below: values times types times settings. What Spark answered is kept in --answers, so that it is
asked again only for what is new. Prints each statement whose schema, rows or error condition differ and that KNOWN does not
explain; exit 1 when there are any.
"""
import argparse
import itertools
import json
import re
import sys
import zlib
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT / "tests/fuzzsql"))
from engines import Leat, Spark  # noqa: E402

TYPES = """boolean;tinyint;smallint;int;bigint;float;double;decimal(10,2);decimal(38,18);string;binary;date;timestamp;timestamp_ntz;
interval day;interval day to second;interval year to month;array<int>;map<string,int>;struct<a:int>;time;variant""".replace("\n", "").split(";")
SIMPLE = [name for name in TYPES if not name.startswith(("array", "map", "struct", "variant", "interval"))]
TEXTS = ["''", "' 1 '", "'1.5'", "'-0'", "'1e3'", "'1e400'", "'abc'", "'true'", "'T'", "'n'", "'Infinity'", "'-inf'", "'NaN'", "'1f'", "'0x1F'", "'99999999999999999999'",
         "'2020-02-30'", "'2020-2-9'", "'2020'", "'12020-01-01'", "'2020-01-01T01:02'", "'2020-01-01 01:02:03.1234567'", "'2020-01-01 24:00:00'", "'2020-01-01Z'",
         "'2020-01-01 01:02:03 Europe/Paris'", "'01:02:03'", "'T1:2:3'", "'1:02 PM'", "'epoch'", "'now '", "'1 day'", "'INTERVAL 1 DAY'", "'-1-2'", "'1-13'", "'1 02:03:04.5'",
         "'+.5'", "'5.'", "'.'", "'128'", "'127.9'", "'1,000'", "'\\t7\\n'", "'１'"]
NUMBERS = ["0", "-1", "127", "128Y", "-128", "32768", "2147483648", "9223372036854775807", "1.5", "-0.5BD", "99999999.995BD", "12345678901234567890.123BD", "1e10", "1e40D", "1.5F",
           "float('nan')", "double('-infinity')", "-0.0D", "3e38F", "0.1F"]
OTHERS = ["true", "NULL", "date'2020-02-29'", "date'0001-01-01'", "timestamp'2020-02-29 13:14:15.678901'", "timestamp'1883-11-18 12:00:00'", "timestamp_ntz'1969-12-31 23:59:59.9'",
          "interval '1 02:03:04.5' day to second", "interval '-1-2' year to month", "interval '100' day", "interval '30' second", "interval '7' month", "X'31'", "X''", "X'C328'", "array(1,NULL)", "map('a',1)",
          "named_struct('a',1,'b','x')", "time'13:14:15.5'", "parse_json('{\"a\":[1,2.5,\"x\",null]}')"]


def cast():
    for value, to in itertools.product(TEXTS, SIMPLE + ["interval day", "interval day to second", "interval year to month", "interval hour to minute", "interval month"]):
        yield f"SELECT try_cast({value} AS {to})"
        if to in ("int", "boolean", "date", "timestamp", "decimal(10,2)", "double"):
            yield f"SELECT CAST({value} AS {to})"
    for value, to in itertools.product(NUMBERS + OTHERS, TYPES):
        yield f"SELECT CAST({value} AS {to})"
    for value in NUMBERS + OTHERS:
        yield f"SELECT string({value}), typeof({value}), concat({value}, '')"


ZONED = ["timestamp'2021-03-14 10:00:00'", "timestamp'2020-02-29 13:14:15.678901'", "timestamp_ntz'2019-12-30 00:00:00.5'", "date'2020-12-31'", "date'-0044-03-15'", "date'10000-01-01'",
         "'2020-06-15 12:34:56.789'", "NULL", "'bad'"]
LETTERS = ["yyyy-MM-dd HH:mm:ss.SSSSSS", "y yy yyy yyyy yyyyy", "M MM MMM MMMM", "L LL LLL LLLL", "d dd D DDD", "E EEE EEEE", "a h hh K KK k kk H HH", "m mm s ss S SSS SSSSSSSSS", "VV", "z", "O OOOO", "X XX XXX XXXX XXXXX",
           "x xx xxx", "Z ZZZ ZZZZ ZZZZZ", "G GGGG", "Q QQ QQQ QQQQ q", "F", "''yyyy''", "'T'HH", "yyyy[-MM][-dd]", "w", "e", "A", "n", "yyyyyyy", "MMMMM", "", "b", "#", "{}", "'open"]
FIELDS = ["YEAR", "yr", "YEAROFWEEK", "QUARTER", "MONTH", "WEEK", "DAY", "DAYOFWEEK", "dow", "DAYOFWEEK_ISO", "dow_iso", "DOY", "HOUR", "MINUTE", "SECOND", "CENTURY", "EPOCH", "MILLISECONDS"]
UNITS = ["MICROSECOND", "MILLISECOND", "SECOND", "MINUTE", "HOUR", "DAY", "DAYOFYEAR", "WEEK", "MONTH", "QUARTER", "YEAR", "CENTURY"]
PARSED = [("2020-02-30", "yyyy-MM-dd"), ("20200229", "yyyyMMdd"), ("2020-2-9", "yyyy-M-d"), ("2020-2-9", "yyyy-MM-dd"), ("Feb 9 2020", "MMM d yyyy"), ("February 9, 20", "MMMM d, yy"), ("2020-060", "yyyy-DDD"),
          ("12:30 PM", "hh:mm a"), ("12:30 pm", "hh:mm a"), ("00:30 AM", "hh:mm a"), ("24:00", "kk:mm"), ("24:00", "HH:mm"), ("2020-01-01 01:02:03.123", "yyyy-MM-dd HH:mm:ss.SSS"), ("2020-01-01 01:02:03.1", "yyyy-MM-dd HH:mm:ss.SSS"),
          ("2020-01-01T01:02:03+02:30", "yyyy-MM-dd'T'HH:mm:ssXXX"), ("2020-01-01T01:02:03Z", "yyyy-MM-dd'T'HH:mm:ssXXX"), ("2020-01-01 01:02:03 America/New_York", "yyyy-MM-dd HH:mm:ss VV"), ("Mon 2020-01-06", "EEE yyyy-MM-dd"),
          ("2020-01-06 Tue", "yyyy-MM-dd EEE"), ("99", "yy"), ("1", "y"), ("2020 Q2", "yyyy 'Q'q"), ("2020-01", "yyyy-MM[-dd]"), ("2020-01-01 extra", "yyyy-MM-dd"), ("AD 2020", "G yyyy"), ("BC 0044", "G yyyy"), ("", "yyyy"), ("13", "MM"),
          ("2020-04-31", "yyyy-MM-dd"), ("+12020-01-01", "yyyyyy-MM-dd"), ("2020-01-01 7", "yyyy-MM-dd F"), ("1.5", "s.S"), ("2021-11-07 01:30:00", "yyyy-MM-dd HH:mm:ss"), ("2021-03-14 02:30:00", "yyyy-MM-dd HH:mm:ss")]


def date():
    for value in ZONED + ["1", "1.5", "true"]:
        for name in "year quarter month weekofyear day dayofweek weekday dayofyear last_day dayname monthname hour minute second unix_date date unix_micros to_date dayofmonth".split():
            yield f"SELECT {name}({value})"
        for field in FIELDS:
            yield f"SELECT extract({field} FROM {value})"
        for unit in ("YEAR", "yy", "QUARTER", "MON", "WEEK", "DD", "HOUR", "MINUTE", "SECOND", "MILLISECOND", "bad", ""):
            yield f"SELECT trunc({value}, '{unit}'), date_trunc('{unit}', {value})"
        yield f"SELECT next_day({value}, 'mo'), next_day({value}, 'Friday')"
        yield f"SELECT next_day({value}, 'x')"
        for other in ("1", "'1'", "-1Y", "1L", "1.5", "NULL", "interval 1 day", "interval 1 month", "interval '1:2' hour to minute", "date'2020-01-01'", "timestamp'2020-01-01'", "'2020-01-01'"):
            yield f"SELECT {value} + {other}"
            yield f"SELECT {value} - {other}"
            yield f"SELECT date_add({value}, {other})"
        for months in ("1", "-14", "'3'", "NULL", "2.0", "2147483647"):
            yield f"SELECT add_months({value}, {months})"
        yield f"SELECT months_between({value}, date'2020-01-31'), months_between({value}, timestamp'2019-11-30 11:22:33', false)"
        yield f"SELECT datediff({value}, date'2020-01-31'), date_from_unix_date(18000), date_diff({value}, '2019-01-01')"
        for unit in UNITS:
            yield f"SELECT dateadd({unit}, 3, {value}), datediff({unit}, {value}, timestamp'2021-01-01 00:00:00')"
    for y, m, d in itertools.product(("2020", "0", "-1", "10000", "NULL", "2020.5", "'2020'"), ("2", "13", "0"), ("29", "30", "0", "NULL")):
        yield f"SELECT make_date({y}, {m}, {d})"


def timestamp():
    for value in ZONED:
        for name in "to_timestamp to_timestamp_ntz to_timestamp_ltz unix_seconds unix_millis unix_timestamp to_unix_timestamp date_part".split():
            yield f"SELECT {name}({value})"
        for zone in ("UTC", "Asia/Kolkata", "+05:30", "GMT-8", "Bad/Zone", "UTC+3", "", "EST", "PST"):
            yield f"SELECT from_utc_timestamp({value}, '{zone}'), to_utc_timestamp({value}, '{zone}')"
            yield f"SELECT convert_timezone('{zone}', 'Asia/Tokyo', {value})"
        for other in ("timestamp'2020-02-29 00:00:00'", "timestamp_ntz'2020-02-29 00:00:00'", "date'2020-02-29'", "'2020-02-29'", "NULL", "interval '1' second", "interval 2 years", "1"):
            for op in ("+", "-", "<", "=", "<=>"):
                yield f"SELECT {value} {op} {other}"
    for n in ("0", "1.5", "-1.5D", "1e20", "9223372036854775807", "NULL", "'1'", "1230219000"):
        for name in "timestamp_seconds timestamp_millis timestamp_micros from_unixtime timestamp date_from_unix_date".split():
            yield f"SELECT {name}({n})"
    for s in ("1", "59.999999", "60", "60.5", "-1", "NULL", "1.1234567", "'7.5'"):
        for h in ("1", "24", "-1"):
            yield f"SELECT make_timestamp(2020, 2, 29, {h}, 59, {s})"
            yield f"SELECT make_timestamp(2020, 2, 29, {h}, 59, {s}, 'Asia/Tokyo'), try_make_timestamp(2020, 13, 29, {h}, 59, {s})"
            yield f"SELECT make_timestamp_ntz(2020, 2, 29, {h}, 59, {s})"


def datetime_formatting():
    for value, letters in itertools.product(ZONED + ["timestamp'1582-10-15 23:59:59.999999'", "time'13:14:15.67'"], LETTERS):
        yield "SELECT date_format(%s, '%s')" % (value, letters.replace("'", "\\'"))
    for letters in LETTERS:
        yield "SELECT from_unixtime(1600000000, '%s'), to_char(date'2020-02-09', '%s')" % (letters.replace("'", "\\'"), letters.replace("'", "\\'"))


def datetime_parsing():
    for text, pattern in PARSED + [("2020-02-09", letters) for letters in LETTERS]:
        text, pattern = text.replace("'", "\\'"), pattern.replace("'", "\\'")
        for name in ("to_timestamp", "try_to_timestamp", "to_date", "unix_timestamp", "to_timestamp_ntz", "try_to_date"):
            yield f"SELECT {name}('{text}', '{pattern}')"


INTERVALS = ["interval '1-2' year to month", "interval '-3' month", "interval '1 02:03:04.567' day to second", "interval '5' hour", "interval '-70.5' second", "interval '0' day", "interval '178956970-7' year to month",
             "interval '106751991' day", "NULL", "interval 1 year 2 days", "make_interval(1,2,3,4,5,6,7.5)", "interval '2:03' minute to second"]
INTERVAL_TEXTS = ["interval 1 day", "interval '1' day", "interval -1 day", "interval - '1 1' day to hour", "interval '1 1:1' day to minute", "interval '1-1' year to month", "interval '-1-11' year to month", "interval '1-12' year to month",
                  "interval 1 week 2 days", "interval 1.5 second", "interval 1.5 days", "interval '1.123456789' second", "interval '1.1234567891' second", "interval '24' hour", "interval '24:00' hour to minute", "interval '1 24:00' day to minute",
                  "interval 1 year 1 month", "interval 1 month 1 day", "interval '1 day 2 hours'", "interval '+1 -2 years'", "interval 1 millisecond", "interval 3 microseconds", "interval '1 02:03:04.5' day to second", "interval '61:00' minute to second",
                  "interval 'a' day", "interval '' day", "interval", "interval 1 fortnight", "interval '999999999999' day", "interval '2147483648' month", "interval -(1) day", "interval (1+2) day", "interval '1 2' year to month", "interval '1:2:3' hour to second",
                  "interval ' 1  day '", "interval '1 day ago'", "INTERVAL '-1 02:03:04.000001' DAY TO SECOND", "interval 1 day 2 day", "interval '1' years '2' months", "interval '1 year' '2' month"]


def interval():
    for text in INTERVAL_TEXTS:
        yield f"SELECT {text}"
        yield f"SELECT typeof({text}), string({text}), - {text}"
    for a, b in itertools.product(INTERVALS, INTERVALS):
        yield f"SELECT {a} + {b}"
        yield f"SELECT {a} > {b}"
    for a, n in itertools.product(INTERVALS, ("2", "0", "-1.5", "2.5D", "'3'", "'x'", "NULL", "1e300D", "float('nan')", "3.33BD", "5L", "9223372036854775807")):
        yield f"SELECT {a} * {n}"
        yield f"SELECT {n} * {a}"
        yield f"SELECT {a} / {n}"
        yield f"SELECT try_multiply({a}, {n}), try_divide({a}, {n})"
    for a in INTERVALS:
        for field in ("YEAR", "MONTH", "DAY", "HOUR", "MINUTE", "SECOND", "WEEK", "EPOCH"):
            yield f"SELECT extract({field} FROM {a})"
        yield f"SELECT abs({a}), sign({a}), -({a}), +({a})"
        yield f"SELECT sum(i), avg(i), max(i), min(i), count(i) FROM VALUES ({a}), ({a}), (NULL) AS t(i)"
        yield f"SELECT to_json(struct({a} AS i)), array({a}), struct({a}), map('k', {a})"
        yield f"SELECT to_csv(struct({a} AS i, 1 AS n))"
        yield f"SELECT date'2020-01-31' + {a}, timestamp'2020-01-31 01:02:03' - {a}, timestamp_ntz'2020-03-31 00:00:00' + {a}"
        for to in ("interval day", "interval month", "interval year", "interval hour to second", "int", "bigint", "decimal(20,3)", "string", "tinyint", "double"):
            yield f"SELECT CAST({a} AS {to})"
        yield f"SELECT if(true, {a}, interval 1 day), coalesce(NULL, {a}), nullif({a}, {a}), greatest({a}, {a})"
    for args in ("1", "1,2", "NULL", "1,2,3,4,5,6,7.123456", "0,0,0,0,0,0,-1.5", "'1'", "178956970,8", "years => 3, secs => 2.5"):
        for name in ("make_interval", "try_make_interval", "make_dt_interval", "make_ym_interval"):
            yield f"SELECT {name}({args})"


JSONS = ['{"a":1,"b":"x"}', '{"a":"1"}', '{"a":1.5}', '{"a":null}', '{}', '', '[]', '[{"a":1},{"a":2}]', '{"a":{"b":[1,2]}}', '{"a":[1,"x",null]}', '{"a":1', 'null', '1', '"s"', 'true', '{"a":true}', '{"a":1e2}', '{"a":12345678901234567890}',
         '{"a":"2020-01-01"}', '{"a":"2020-01-01T01:02:03Z"}', '{"a":NaN}', '{"a":"NaN"}', '{"a":"Infinity"}', "{'a':1}", '{a:1}', '{"a":1}/*c*/', '// c\\n{"a":1}', '{"a":01}', '{"a":"\\\\u0041"}', '{"a":"x\\\\ty"}', '{"a":1,"a":2}', ' {"A":3} ', '{"a":""}', '{"a":-0}', '{"a":.5}',
         '{"a":"P1D"}', '{"a":"INTERVAL \\\'1\\\' DAY"}', '{"a":1}{"a":2}', '{"a":"é😀"}', '{"a":1,}', '[1,2', '{"a":{"x":1,"y":2}}', '{"a":"AQI="}', '{"a":"13:14:15"}']
SCHEMAS = ["a INT", "a STRING", "a DOUBLE", "a DECIMAL(5,1)", "a BOOLEAN", "a DATE", "a TIMESTAMP", "a ARRAY<INT>", "a STRUCT<b: ARRAY<INT>>", "a MAP<STRING,INT>", "a BINARY", "a BIGINT, b STRING", "a INT, _corrupt_record STRING", "ARRAY<STRUCT<a:INT>>",
           "MAP<STRING,STRING>", "a TINYINT", "a FLOAT", "a TIMESTAMP_NTZ", "a VARIANT", "a INTERVAL DAY", "a INTERVAL YEAR TO MONTH", "a TIME", "a INTERVAL", "INT"]
JSON_OPTIONS = ["'allowComments','true'", "'allowSingleQuotes','false'", "'allowUnquotedFieldNames','true'", "'allowNumericLeadingZeros','true'", "'allowNonNumericNumbers','false'", "'allowBackslashEscapingAnyCharacter','true'", "'mode','FAILFAST'", "'mode','DROPMALFORMED'",
                "'primitivesAsString','true'", "'prefersDecimal','true'", "'dropFieldIfAllNull','true'", "'dateFormat','dd/MM/yyyy'", "'timestampFormat','dd/MM/yyyy HH:mm'", "'allowUnquotedControlChars','true'", "'locale','de'", "'timeZone','Asia/Tokyo'", "'ignoreNullFields','false'", "'pretty','true'", "'nope','x'",
                "'sortKeys','true'", "'writeNonAsciiCharacterAsCodePoint','true'", "'columnNameOfCorruptRecord','a'", "'timeFormat','HH-mm'"]
PATHS = ["$", "$.a", "$.a.b", "$.a.b[0]", "$.a[*]", "$[0]", "$[*].a", "$.*", "$..a", "a", "$['a']", "$.a[", "", "$.A", "$.a[5]", "$.'a'", "$.a.b[*]", "$[0].a", "$.a.x"]


def json_functions():
    for text, schema in itertools.product(JSONS, SCHEMAS):
        yield f"SELECT from_json('{text}', '{schema}')"
    for text, options in itertools.product(JSONS, JSON_OPTIONS):
        yield f"SELECT from_json('{text}', 'a INT, _corrupt_record STRING', map({options}))"
        if text[:1] in '{["/':
            yield f"SELECT schema_of_json('{text}', map({options}))"
    for text in JSONS:
        yield f"SELECT schema_of_json('{text}')"
        yield f"SELECT json_array_length('{text}'), json_object_keys('{text}'), json_tuple('{text}', 'a', 'b')"
        yield f"SELECT parse_json('{text}')"
        yield f"SELECT try_parse_json('{text}'), is_variant_null(try_parse_json('{text}')), variant_get(try_parse_json('{text}'), '$.a', 'string'), try_variant_get(try_parse_json('{text}'), '$.a', 'int')"
    for text, path in itertools.product(JSONS[:16], PATHS):
        yield f"SELECT get_json_object('{text}', '{path}')" if "'" not in path else f'SELECT get_json_object(\'{text}\', "{path}")'
    for value in NUMBERS + OTHERS:
        yield f"SELECT to_json(named_struct('a', {value}))"
        yield f"SELECT to_json({value})"
        for options in ("'timestampFormat','dd/MM/yyyy HH:mm'", "'ignoreNullFields','false'", "'dateFormat','d.M.yy'", "'timeZone','Asia/Tokyo'"):
            yield f"SELECT to_json(array(named_struct('v', {value}, 'n', NULL)), map({options}))"
    for schema in SCHEMAS + ["a", "a int b int", "a INT COMMENT \"x\" , b ARRAY<", "struct<a:int>", "a:int", "`x y` INT", "{}", "a INT NOT NULL", "", '{"type":"struct","fields":[]}', "void", "a VOID", "a CHAR(3)"]:
        yield f"SELECT from_json('{{\"a\":1}}', '{schema}')"
        yield f"SELECT from_csv('1,x', '{schema}')"


def csv_functions():
    for text in ("1,2", "", "a,b,c", "\"x,y\",2", "1", ",", "NULL,2", "1.5,2020-01-01", "\"a\"\"b\",1", " 1 , 2 ", "1|2", "true,13:14:15"):
        for schema in ("a INT, b INT", "a STRING, b STRING", "a DOUBLE, b DATE", "a INT, b INT, _corrupt_record STRING", "a BOOLEAN, b TIME", "a ARRAY<INT>", "a INTERVAL DAY, b INTERVAL MONTH"):
            yield f"SELECT from_csv('{text}', '{schema}')"
        for options in ("'sep','|'", "'nullValue','NULL'", "'mode','FAILFAST'", "'ignoreLeadingWhiteSpace','true'", "'quote','x'", "'escape','\\\\'", "'emptyValue','E'"):
            yield f"SELECT from_csv('{text}', 'a INT, b STRING', map({options})), schema_of_csv('{text}', map({options}))"
        yield f"SELECT schema_of_csv('{text}')"
    for value in NUMBERS + OTHERS:
        yield f"SELECT to_csv(named_struct('a', {value}, 's', 'x,y', 'q', 'a\"b'))"


STRINGS = ["'Spark SQL'", "''", "NULL", "'héß😀x'", "'  pad '", "X'616263'", "123", "'aXbXc'", "true", "date'2020-01-01'"]
ONE_TEXT = "length char_length octet_length bit_length upper lower initcap trim ltrim rtrim btrim reverse ascii base64 hex md5 sha crc32 soundex unhex unbase64 is_valid_utf8 make_valid_utf8 quote sentences space chr isnull url_encode url_decode luhn_check character_length lcase len".split()


def string_functions():
    for value, name in itertools.product(STRINGS, ONE_TEXT):
        yield f"SELECT {name}({value})"
    for value in STRINGS:
        for n in ("0", "1", "-2", "100", "NULL", "'2'", "1.9", "3L"):
            yield f"SELECT left({value}, {n}), right({value}, {n}), substr({value}, {n}), repeat({value}, {n})"
            yield f"SELECT substring({value} FROM {n} FOR 2), lpad({value}, {n}), rpad({value}, {n}, 'ab'), lpad({value}, {n}, '')"
            yield f"SELECT elt({n}, {value}, 'z'), substring_index({value}, 'X', {n}), split({value}, 'X', {n})"
            yield f"SELECT split_part({value}, 'X', {n})"
            yield f"SELECT overlay({value} PLACING '_' FROM {n}), overlay({value}, '_', 2, {n}), locate('X', {value}, {n})"
            yield f"SELECT format_number({n}, 2), format_string('%s %5.2f %d', {value}, 1.5D, 7), regexp_replace({value}, '[aX]', '-', {n})"
        for other in ("'X'", "''", "NULL", "'ark'", "X'62'", "1", "'.'", "'%'"):
            yield f"SELECT contains({value}, {other}), startswith({value}, {other}), endswith({value}, {other})"
            yield f"SELECT instr({value}, {other}), position({other} IN {value}), position({other}, {value}), locate({other}, {value})"
            yield f"SELECT {value} LIKE {other}, {value} RLIKE {other}, {value} ILIKE {other}"
            yield f"SELECT replace({value}, {other}), replace({value}, {other}, '<>'), translate({value}, {other}, 'q'), find_in_set({value}, {other})"
            yield f"SELECT concat({value}, {other}), {value} || {other}, concat_ws({other}, {value}, 'z', NULL), levenshtein({value}, {other})"
            yield f"SELECT trim(BOTH {other} FROM {value}), trim(LEADING {other} FROM {value}), ltrim({other}, {value}), rtrim({other}, {value}), btrim({value}, {other})"
            yield f"SELECT regexp_extract({value}, '(a)(.)', 2), regexp_count({value}, {other}), regexp_instr({value}, {other}), regexp_substr({value}, {other}), regexp_extract_all({value}, '(.)', 1)"
    for charset in ("'UTF-8'", "'utf-16'", "'UTF-16LE'", "'UTF-32'", "'ISO-8859-1'", "'US-ASCII'", "'windows-1252'", "'x'", "NULL", "''"):
        for value in ("'abc'", "'é'", "'日本'", "NULL"):
            yield f"SELECT hex(encode({value}, {charset}))"
        for value in ("X'616263'", "X'E9'", "X'FF'", "X''", "'abc'"):
            yield f"SELECT decode({value}, {charset})"
    for fmt in ("99", "999.99", "$99.9", "S999", "MI99", "9,999", "000", "9G999D99", "999PR", "99S", "", "abc", "L99", "$", "9.9.9", "99,99"):
        for value in ("'12'", "'-1,234.5'", "'$7.1'", "'<12>'", "'x'", "''"):
            yield f"SELECT to_number({value}, '{fmt}')"
            yield f"SELECT try_to_number({value}, '{fmt}')"
        for value in ("12", "-1234.5", "0", "0.05", "99999"):
            yield f"SELECT to_char({value}, '{fmt}')"
    for fmt in ("'hex'", "'utf-8'", "'utf8'", "'base64'", "'x'", "NULL"):
        for value in ("'abc'", "'616'", "'YWJj'", "'YW Jj'", "'zz'", "''", "NULL"):
            yield f"SELECT to_binary({value}, {fmt})"
            yield f"SELECT try_to_binary({value}, {fmt})"
    for fmt in ("%d", "%5d|", "%-5d|", "%05d", "%,d", "%x", "%X", "%o", "%e", "%.3f", "%10.2e", "%s", "%S", "%10s|", "%c", "%b", "%%", "%n", "%1$s %1$s", "%2$s", "%", "%q", "%(d", "%+d", "% d", "%h", "%g", "%a"):
        for value in ("5", "-5L", "2.5D", "'x'", "NULL", "true", "1.25BD"):
            yield f"SELECT format_string('{fmt}', {value})"


def generators():
    for call in ("explode(array(1,2))", "explode_outer(array())", "explode(array())", "explode(NULL)", "posexplode(array('a',NULL))", "posexplode_outer(map())", "explode(map('a',1,'b',2))", "posexplode(map('a',1))", "inline(array(struct(1,'x'),struct(2,'y')))",
                 "inline_outer(NULL)", "inline(array(named_struct('p',1)))", "stack(2,1,2,3)", "stack(1,'a','b')", "stack(0,1)", "stack(2,1,'x')", "json_tuple('{\"a\":1}','a','b')", "explode(1)", "explode('x')", "inline(array(1))", "stack('a',1)", "explode(array(array(1),array(2,3)))",
                 "explode(sequence(1,3))", "explode(from_json('[1,2]','array<int>'))", "stack(3,1,NULL,'3')", "posexplode(NULL)", "explode(array(NULL))", "explode(split('a,b',','))", "sql_keywords()", "range(3)", "variant_explode(parse_json('[1,2]'))"):
        yield f"SELECT {call}"
        yield f"SELECT {call}, 7 AS k"
        yield f"SELECT * FROM {call}"
        yield f"SELECT * FROM VALUES (1) AS t(x), LATERAL {call} AS g"
        yield f"SELECT * FROM VALUES (1) AS t(x) LATERAL VIEW {call} g"
        yield f"SELECT * FROM VALUES (1) AS t(x) LATERAL VIEW OUTER {call} g AS c"
        yield f"SELECT {call} AS (c, d)"
        yield f"SELECT {call} AS c"
        yield f"SELECT {call} AS c WHERE c > 1"
        yield f"SELECT x, {call} FROM VALUES (1),(2) AS t(x) ORDER BY 1, 2"
        yield f"SELECT count(*), {call} FROM VALUES (1),(2) AS t(x)"
        yield f"SELECT 1 + {call}"
        yield f"SELECT upper({call})"
        yield f"SELECT x FROM VALUES (1),(2) AS t(x) WHERE {call} = 1"
        yield f"SELECT x FROM VALUES (1),(2) AS t(x) GROUP BY x, {call}"
        yield f"SELECT DISTINCT {call}"
        yield f"SELECT {call}, {call}"
        yield f"SELECT {call} FROM VALUES (1),(2) AS t(x) LIMIT 1"


DECIMALS = ["1.10BD", "-0.005BD", "99999999999999999999.999999999999999999BD", "0BD", "1e-10BD", "12345678901234567890123456789012345678BD", "NULL", "cast(7 AS decimal(3,1))", "cast(2 AS decimal(38,0))", "0.1", "100"]


def decimal():
    for a, op, b in itertools.product(DECIMALS, ("+", "-", "*", "/", "%", "div", "=", "<"), DECIMALS + ["2L", "1.5D", "'2.5'", "true", "3Y"]):
        yield f"SELECT {a} {op} {b}"
    for a in DECIMALS:
        for n in ("0", "1", "-1", "5", "-40", "NULL"):
            yield f"SELECT round({a}, {n}), bround({a}, {n}), ceil({a}, {n}), floor({a}, {n})"
        yield f"SELECT abs({a}), -{a}, ceil({a}), floor({a}), sign({a}), round({a}), negative({a})"
        yield f"SELECT sum(d), avg(d), min(d), max(d), stddev(d), count(DISTINCT d), median(d), try_sum(d), try_avg(d) FROM VALUES ({a}), ({a}), (NULL) AS t(d)"
        yield f"SELECT try_add({a}, {a}), try_subtract({a}, 1), try_multiply({a}, {a}), try_divide({a}, 0), try_mod({a}, 0)"
        yield f"SELECT coalesce({a}, 1.123456BD), if(true, {a}, 1), greatest({a}, 2.5BD), {a} IN (1, 2.5BD), {a} BETWEEN 0 AND 100, nullif({a}, {a})"
        yield f"SELECT array({a}, 1), map({a}, 1), struct({a}), typeof({a}), hash({a}), xxhash64({a}), string({a}), sqrt({a}), pow({a}, 2), mod({a}, 3), pmod({a}, 7), width_bucket({a}, 0, 10, 5)"
        for to in ("decimal(5,2)", "decimal(38,30)", "decimal(3,3)", "int", "bigint", "tinyint", "double", "float", "boolean", "string", "timestamp"):
            yield f"SELECT CAST({a} AS {to})"
        yield f"SELECT {a} FROM VALUES (1) UNION ALL SELECT 1L UNION ALL SELECT 2.55BD"


def group_by():
    table = "VALUES (1,'a',1.5,NULL),(2,'b',2.5,true),(1,NULL,NULL,false),(NULL,'a',-1.5,true),(2,'b',2.5,NULL) AS t(k,s,d,b)"
    for f in ("count(*)", "count(d)", "count(DISTINCT s)", "count(DISTINCT k, s)", "sum(k)", "sum(d)", "avg(k)", "avg(d)", "min(s)", "max(d)", "min(b)", "bool_and(b)", "bool_or(b)", "every(b)", "any(b)", "some(b)", "first(s)", "last(s, true)", "any_value(d)", "stddev(d)",
              "stddev_pop(k)", "var_samp(d)", "variance(k)", "var_pop(d)", "corr(k, d)", "covar_pop(k, d)", "covar_samp(k, d)", "collect_set(k)", "collect_list(s)", "array_agg(d)", "max_by(s, d)", "min_by(s, k)", "percentile(d, 0.5)", "percentile(k, array(0, 0.3, 1))", "median(d)",
              "approx_percentile(k, 0.5)", "percentile_approx(d, array(0.1, 0.9), 10)", "mode(k)", "mode(s, true)", "bit_and(k)", "bit_or(k)", "bit_xor(k)", "count_if(b)", "product(k)", "regr_slope(d, k)", "regr_count(d, k)", "regr_avgx(d, k)", "approx_count_distinct(s)",
              "listagg(s, '-')", "string_agg(s)", "percentile_cont(0.25) WITHIN GROUP (ORDER BY d)", "percentile_disc(0.75) WITHIN GROUP (ORDER BY k DESC)", "histogram_numeric(d, 3)", "kurtosis(k)", "skewness(k)", "sum(DISTINCT k)", "avg(DISTINCT d)", "grouping(k)", "sum(s)", "sum(b)", "avg(s)", "max(array(k))", "max(map(k,1))", "min(struct(k,s))",
              "try_sum(k)", "try_avg(d)", "count()", "sum()", "sum(k, d)", "nosuch(k)", "sum(sum(k))", "max(count(*))", "count(t.*)", "count(DISTINCT *)", "sum(k) FILTER (WHERE d > 0)", "count(*) FILTER (WHERE b)", "collect_list(DISTINCT k) FILTER (WHERE k > 0)", "bitmap_construct_agg(k)", "count_min_sketch(k, 0.5, 0.5, 1)"):
        yield f"SELECT {f} FROM {table}"
        yield f"SELECT k, {f} FROM {table} GROUP BY k ORDER BY k"
        yield f"SELECT k, {f} AS x FROM {table} GROUP BY k HAVING x IS NOT NULL ORDER BY x, k"
        yield f"SELECT {f} FROM {table} WHERE false"
        yield f"SELECT s, k, {f} FROM {table} GROUP BY ROLLUP (s, k) ORDER BY s, k"
    for tail in ("GROUP BY 1", "GROUP BY k", "GROUP BY ALL", "GROUP BY k + 1", "GROUP BY 2", "GROUP BY 3", "GROUP BY 0", "GROUP BY -1", "GROUP BY x", "GROUP BY t.k", "GROUP BY k, k", "GROUP BY ()", "GROUP BY CUBE (k, s)", "GROUP BY GROUPING SETS ((k), (s), ())", "GROUP BY k WITH ROLLUP", "GROUP BY rand()", "GROUP BY sum(k)",
                 "GROUP BY k HAVING s = 'a'", "GROUP BY k HAVING max(s) = 'a'", "GROUP BY k ORDER BY s", "GROUP BY k ORDER BY sum(d)", "GROUP BY k ORDER BY 5", "GROUP BY array(k)", "GROUP BY map(1, k)", "GROUP BY struct(k)", "HAVING k > 1", "HAVING count(*) > 1", "GROUP BY k HAVING grouping_id() = 0", "GROUP BY NULL", "GROUP BY 'a'", "GROUP BY (k, s)", "GROUP BY k, ROLLUP (s)"):
        for head in ("k", "k AS x, count(*)", "k + 1, sum(d)", "s, count(*)", "*", "count(*), max(k)", "k, s", "k, grouping_id()", "upper(s), sum(k) + 1", "1, 2", "sum(k) AS k"):
            yield f"SELECT {head} FROM {table} {tail}"


def literals():
    for text in ("1", "1L", "1S", "1Y", "128Y", "32768S", "1.0", "1.0BD", "1e3", "1e3BD", "1.5F", "1D", "1e400D", "1e39F", ".5", "5.", "-1", "- 1", "+1", "0x1F", "9223372036854775808", "99999999999999999999999999999999999999", "999999999999999999999999999999999999999", "'a' 'b'", "'a''b'", "\"q\"", "r'\\n'", "R\"x\\y\"", "'\\u0041'", "'\\x41'", "'\\101'", "'\\z'",
                 "'\\%'", "'\\_'", "X'1'", "x'4G'", "X''", "date '2020-1-1'", "date 'x'", "date ''", "timestamp '2020-01-01'", "timestamp '2020-01-01 00:00:00 UTC'", "timestamp 'x'", "timestamp_ntz '2020-01-01 1:2:3'", "timestamp_ltz '2020-01-01'", "time '1:2:3'", "time '25:00'", "TRUE", "Null", "date 'today'", "timestamp_ntz '2020-01-01Z'", "interval 1 day", "1.e3", "1_000", "0.10", "00012", "1E-3", "-128Y", "-9223372036854775808", "-9223372036854775809", "b'x'", "x '41'", "'tab\\tx'", "'new\\nline'", "'\\''", "array()", "map()", "struct()", "1 ", "current_date = current_date()", "date'2020-01-01'::string", "'1'::int", "1::string || 'x'"):
        yield f"SELECT {text}"
        yield f"SELECT typeof({text}), {text} IS NULL"


MIXED = ["1", "1Y", "2.5", "2.5D", "1.5F", "'1'", "'x'", "true", "NULL", "date'2020-01-01'", "timestamp'2020-01-01 00:00:00'", "X'31'", "array(1)", "array('a')", "map('a',1)", "struct(1)", "interval 1 day", "interval 1 month", "1L", "array(NULL)", "array()", "time'10:00:00'", "timestamp_ntz'2020-01-01 00:00:00'"]


def coercion():
    for a, b in itertools.product(MIXED, MIXED):
        yield f"SELECT {a} = {b}"
        yield f"SELECT coalesce({a}, {b}), typeof(if(true, {a}, {b}))"
        yield f"SELECT {a} + {b}"
        yield f"SELECT typeof(array({a}, {b})), typeof(greatest({a}, {b}))"
        yield f"SELECT {a} IN ({b}), CASE {a} WHEN {b} THEN 1 END"
        yield f"SELECT concat({a}, {b})"
        yield f"SELECT typeof(c) FROM (SELECT {a} AS c UNION ALL SELECT {b})"


def collections():
    arrays = ["array(3,1,NULL,2)", "array()", "NULL", "array('b','a')", "array(array(1),NULL)", "array(1.5,2)", "'x'", "map('a',1)"]
    for a in arrays:
        for name in "size cardinality array_size array_distinct array_max array_min array_sort sort_array reverse flatten array_compact shuffle map_keys map_values map_entries map_from_entries explode to_json isnotnull isnull array_append hash".split():
            yield f"SELECT {name}({a})" if name != "shuffle" else f"SELECT size(shuffle({a}))"
        for x in ("1", "NULL", "'a'", "2.0D", "-1", "0", "10", "array(1)"):
            for name in "array_contains array_position array_remove array_append array_prepend element_at try_element_at get array_repeat".split():
                yield f"SELECT {name}({a}, {x})"
            yield f"SELECT {a}[{x}]"
            yield f"SELECT slice({a}, {x}, 2)"
            yield f"SELECT array_insert({a}, {x}, 5)"
            yield f"SELECT array_join({a}, ',', 'N'), array_join({a}, {x})"
        for b in arrays:
            for name in "array_union array_intersect array_except arrays_overlap arrays_zip concat map_from_arrays".split():
                yield f"SELECT {name}({a}, {b})"
        for body in ("x -> x + 1", "x -> x > 1", "x -> x IS NULL", "(x, i) -> i", "x -> y", "(a, b, c) -> a"):
            for name in "transform filter exists forall any_match".split():
                yield f"SELECT {name}({a}, {body})"
        yield f"SELECT aggregate({a}, 0, (s, x) -> s + x), reduce({a}, '', (s, x) -> concat(s, x), s -> upper(s)), zip_with({a}, {a}, (x, y) -> struct(x, y))"
    maps = ["map('a',1,'b',NULL)", "map()", "NULL", "map(1,'x')", "map('a',1,'a',2)", "map(NULL,1)", "map_from_arrays(array('k'),array(9))", "str_to_map('a:1,b:2')", "array(1)"]
    for m in maps:
        for name in "size map_keys map_values map_entries to_json explode cardinality map_concat".split():
            yield f"SELECT {name}({m})"
        for k in ("'a'", "1", "NULL", "'z'", "2.0D"):
            yield f"SELECT {m}[{k}]"
            yield f"SELECT element_at({m}, {k})"
            yield f"SELECT map_contains_key({m}, {k})"
        yield f"SELECT transform_keys({m}, (k, v) -> concat(k, 'x')), transform_values({m}, (k, v) -> v), map_filter({m}, (k, v) -> v IS NOT NULL)"
        yield f"SELECT map_concat({m}, map('q',5)), map_zip_with({m}, map('a',7), (k, x, y) -> y)"
    for args in ("1, 5", "5, 1", "1, 5, 2", "5, 1, -2", "1, 5, 0", "1, 5, -1", "date'2020-01-01', date'2020-01-03'", "date'2020-01-31', date'2020-04-30', interval 1 month", "timestamp'2020-01-01', timestamp'2020-01-02', interval 12 hours", "1, NULL", "'1', 3", "1Y, 3L", "1.5, 3"):
        yield f"SELECT sequence({args})"


MATH1 = "abs acos acosh asin asinh atan atanh cbrt ceil ceiling cos cosh cot csc degrees exp expm1 factorial floor hex ln log log10 log1p log2 negative positive radians rint round bround sec sign signum sin sinh sqrt tan tanh bin bit_count bit_get isnan getbit unhex double chr".split()


def math():
    for name, value in itertools.product(MATH1, NUMBERS + ["'2'", "'x'", "NULL", "true", "date'2020-01-01'"]):
        yield f"SELECT {name}({value})"
    for name, a, b in itertools.product("pow atan2 hypot mod pmod log div nanvl shiftleft shiftright shiftrightunsigned bit_get try_add try_subtract try_multiply try_divide try_mod round bround ceil floor".split(), ("1", "-7", "2.5", "0.5D", "NULL", "'3'", "127Y", "9223372036854775807"), ("0", "2", "-3", "1.5D", "NULL", "'x'")):
        yield f"SELECT {name}({a}, {b})"
    for a, op, b in itertools.product(("127Y", "32767S", "2147483647", "9223372036854775807", "1.5F", "1e308D", "-128Y", "-2147483648", "0"), ("+", "-", "*", "/", "%", "div", "&", "|", "^", "<<", ">>", ">>>"), ("1Y", "2", "-1", "0", "0.0D", "3L", "1.5")):
        yield f"SELECT {a} {op} {b}"
    for args in ("'ff',16,10", "'-ff',16,-10", "'zz',36,2", "'g',16,10", "100,2,10", "NULL,2,10", "'1',1,10", "'9223372036854775808',10,-10", "'18446744073709551616',10,16"):
        yield f"SELECT conv({args})"
    for args in ("5.3, 0.2, 10.6, 5", "-2.1, 1.3, 3.4, 3", "8.1, 0, 5.7, 4", "1, 1, 1, 3", "5, 0, 10, 0", "NULL, 0, 10, 5", "interval '1' day, interval '0' day, interval '10' day, 5"):
        yield f"SELECT width_bucket({args})"


FAMILIES = {f.__name__: f for f in (cast, date, timestamp, datetime_formatting, datetime_parsing, interval, json_functions, csv_functions, string_functions, generators, decimal, group_by, literals, coercion, collections, math)}
SETTINGS = {"ansi": ("true", "America/Los_Angeles"), "plain": ("false", "Asia/Kolkata")}


def statements(families, share):
    """Of each family the same `share` per cent every time; of these one in four without ANSI too."""
    for name in families:
        for sql in dict.fromkeys(FAMILIES[name]()):
            chance = zlib.crc32(sql.encode())
            if chance % 100 < share:
                yield name, "ansi", sql
                if chance // 100 % 4 == 0:
                    yield name, "plain", sql


def ask_all(engine, wanted):
    answers, now = {}, None
    for _, setting, sql in sorted(wanted, key=lambda item: item[1]):
        if setting != now:
            ansi, zone = SETTINGS[setting]
            engine.tell("ansi", f"SET spark.sql.ansi.enabled={ansi}")
            engine.tell("zone", f"SET spark.sql.session.timeZone={zone}")
            now = setting
        found = engine.ask(sql)
        answers[f"{setting}|{sql}"] = [found.error, found.schema, found.rows]
    return answers


# A pattern of the statement, and why its answers differ.
KNOWN = [(re.compile(pattern), reason) for pattern, reason in (
    (r"'now '", "the time of asking"),
    (r"format_string\('%s .*, X'", "Java prints the address of an array of bytes"),
    (r"unhex\(123\)", "a byte that parts the rows that Spark's side hands over"),
    (r"(first|last|any_value|min_by|max_by|mode)\(.*GROUP BY", "the first of equal rows: Spark sorts groups of texts, which turns them round"),
    (r"round\(.*, -40\), bround\(", "Spark changes the literal that four calls share; each alone gives what leat gives"),
    (r"(size|cardinality)\(map\(", "Spark counts the keys of map() without making the map, equal and NULL keys too"),
    (r"'１'", "Java takes the digits of all alphabets"),
    (r"regexp_count\('héß😀x', ''\)", "Java finds nothing between the halves of a character of UTF-16"),
    (r"'z'", "names of time zones come from Java's locale data"),
    (r"CAST\(\d{20,}.*BD AS timestamp\)", "Spark rounds the product to 34 digits before it takes the lowest 64 bits"),
    (r"schema_of_csv\(''|:NaN\}', map\('prefersDecimal'", "a bug of Spark: an internal error"),
    (r"lpad\(X'616263', -2\)", "a bug of Spark: a negative array size"),
    (r"count_min_sketch|FROM sql_keywords\(\)", "sketches and the list of Spark's keywords are out of scope"),
    (r"from_csv\(.*VARIANT", "from_csv makes no VARIANTs"),
    (r"from_json\(.*INTERVAL DAY", "a number where an interval is wanted: leat reads it as a text does"),
)]


def known(sql):
    return any(pattern.search(sql) for pattern, _ in KNOWN)


def cell(text):
    """A DOUBLE without its last digits: Java's StrictMath and the C library differ there, and JDK 17 prints one too many."""
    try:
        return f"{float(text):.14g}" if re.search(r"[.E]", text) else text
    except ValueError:
        return text


def cells(rows):
    return [[cell(text) for text in row.split("\t")] for row in rows]


def alike(spark, leat, sql):
    if spark[0] or leat[0]:  # JAVA: an exception without a condition
        return spark[0] == leat[0] or bool(leat[0] and spark[0] and spark[0].startswith("JAVA"))
    if spark[1] != leat[1]:
        return False
    order = (lambda rows: rows) if "ORDER BY" in sql and "ROLLUP" not in sql else sorted  # a ROLLUP has rows with equal keys
    rows = [order(answer[2]) for answer in (spark, leat)]
    real = "double" in spark[1] or "float" in spark[1]
    return rows[0] == rows[1] or (real and cells(rows[0]) == cells(rows[1]))


def show(answer):
    return f"[{answer[0]}]" if answer[0] else f"{answer[1]} {answer[2]}"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--leat", required=True)
    parser.add_argument("--family", action="append", choices=list(FAMILIES), help="only these families")
    parser.add_argument("--answers", default=str(ROOT / "build/variations.json"), help="what Spark answered so far")
    parser.add_argument("--share", type=int, default=100, help="per cent of the statements")
    parser.add_argument("--known", action="store_true", help="only statements that Spark has answered already: does not start it")
    arguments = parser.parse_args()
    wanted = list(statements(arguments.family or FAMILIES, arguments.share))
    kept = Path(arguments.answers)
    answers = json.loads(kept.read_text()) if kept.exists() else {}
    fresh = [item for item in wanted if f"{item[1]}|{item[2]}" not in answers]
    if fresh and not arguments.known:
        spark = Spark()
        answers.update(ask_all(spark, fresh))
        kept.write_text(json.dumps(answers))
    wanted = [item for item in wanted if f"{item[1]}|{item[2]}" in answers]
    leat = Leat(arguments.leat)
    found, differ, explained = ask_all(leat, wanted), 0, 0
    leat.close()
    for name, setting, sql in wanted:
        key = f"{setting}|{sql}"
        if alike(answers[key], found[key], sql):
            continue
        if known(sql):
            explained += 1
        else:
            differ += 1
            print(f"{name} {setting}: {sql}\n    spark {show(answers[key])}\n    leat  {show(found[key])}")
    print(f"{len(wanted)} statements, {differ} differ, {explained} differ for a known reason")
    return 1 if differ else 0


if __name__ == "__main__":
    sys.exit(main())

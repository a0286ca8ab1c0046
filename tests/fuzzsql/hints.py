"""What random arguments would not hit: formats, fields, paths, small counts; and what is not compared."""

# Never made: chance, clocks, the machine, or an answer that depends on the order in which rows come.
LEFT_OUT = set("""
    uuid rand randn random randstr uniform shuffle monotonically_increasing_id spark_partition_id input_file_name
    current_date curdate current_timestamp now localtimestamp current_time current_user user session_user current_catalog current_database
    current_schema version raise_error sleep typeof window session_window window_time from_json from_csv schema_of_json schema_of_csv
    input_file_block_start input_file_block_length aes_encrypt try_aes_encrypt aes_decrypt try_aes_decrypt
    [] between in and or not ! unix_timestamp java_method reflect try_reflect stack explode posexplode inline
    explode_outer posexplode_outer inline_outer json_tuple parse_url_tuple named_struct map grouping grouping_id
    transform filter exists forall aggregate reduce zip_with transform_keys transform_values map_filter map_zip_with
    approx_count_distinct count_min_sketch bitmap_construct_agg bitmap_or_agg bitmap_and_agg histogram_numeric mode first first_value last last_value any_value
    max_by min_by collect_list array_agg listagg string_agg variant_explode variant_explode_outer
    row_number rank dense_rank percent_rank cume_dist ntile lag lead nth_value isvariantnull decimal
    avg_distinct collect_set measure approx_top_k try_to_geography assert_true to_varchar
""".split())

# Signatures that say `any` where a random type would nearly always be refused.
OVERRIDES = {
    "array_insert": "(array<T>, int, T) -> array<T>",
    "arrays_zip": "(array<T>, array<U>) -> any",
    "nullif": "(T, T) -> T",
    "nvl2": "(any, T, T) -> T",
    "nullifzero": "(N) -> N",
    "zeroifnull": "(N) -> N",
    "greatest": "(O, O, O...) -> O",
    "map_from_arrays": "(array<K>, array<V>) -> map<K,V>",
    "map_entries": "(map<K,V>) -> any",
    "map_concat": "(map<K,V>, map<K,V>) -> map<K,V>",
    "regexp_extract_all": "(string, string, int?) -> array<string>",
    "split": "(string, string, int?) -> array<string>",
    "array": "(T, T...) -> array<T>",
    "struct": "(any, any...) -> any",
    "concat_ws": "(string, string, string...) -> string",
    "percentile": "(N, double) -> double",
    "percentile_approx": "(N, double, int?) -> N",
    "approx_percentile": "(N, double, int?) -> N",
    "median": "(N) -> double",
    "make_timestamp": "(int, int, int, int, int, decimal(18,6), string?) -> timestamp",
    "make_timestamp_ntz": "(int, int, int, int, int, decimal(18,6)) -> timestamp_ntz",
    "try_make_timestamp": "(int, int, int, int, int, decimal(18,6), string?) -> timestamp",
    "make_dt_interval": "(int?, int?, int?, decimal(18,6)?) -> interval_dt",
    "date_part": "(string, timestamp) -> any | (string, interval_dt) -> any",
    "datepart": "(string, timestamp) -> any | (string, interval_ym) -> any",
    "extract": "(string, date) -> any", "map_from_entries": "(array<struct<a:int,b:string>>) -> map<int,string>",
    "to_date": "(string, string?) -> date | (timestamp) -> date",
    "to_timestamp": "(string, string?) -> timestamp | (date) -> timestamp",
    "sequence": "(int, int, int?) -> array<int>",
    "to_json": "(struct) -> string | (map<string,int>) -> string | (array<T>) -> string",
    "count": "(any, any...) -> bigint",
    "dateadd": "(date, int) -> date", "date_add": "(date, int) -> date", "datediff": "(date, date) -> int", "date_diff": "(date, date) -> int",
}

PATTERNS = ["yyyy-MM-dd", "yyyy-MM-dd HH:mm:ss", "dd/MM/yy", "HH:mm", "EEE, d MMM yyyy", "D", "Q", "yyyy-MM-dd'T'HH:mm:ss.SSSXXX", "a h:mm",
            "MMMM y", "HH:mm:ss.SSSSSS", "e", "G", "VV", "z", "O", "yyyyy", "[HH]", "''yy", "kk", "n", "b", "", "yyyy-MM-dd HH:mm:ss.SSS", "EEEE", "u-M-d", "LLL", "d.M.y", "hh:mm:ss a", "yyyyDDD", "w",
            "x", "XXX", "ZZZZZ", "[yyyy-MM-dd][yyyy/MM/dd]", "B", "uuuu-MM-dd'T'HH:mm:ss[.SSS]", "yy-M", "h", "S", "SSSSSSSSS"]
REGEXPS = ["a", "[a-c]+", "^\\\\d+$", "(\\\\w)(\\\\w)", "b|(c)", ".*", "", "\\\\s+", "(?i)spark", "[^,]+", ",", "(a)?", "x*", "\\\\.", "[[:alpha:]]", "("]
ZONES = ["UTC", "America/Los_Angeles", "Europe/Berlin", "+05:30", "Asia/Kolkata", "GMT+1", "Nowhere/Town", "Z", "PST"]
UNITS = ["year", "quarter", "month", "week", "day", "hour", "minute", "second", "microsecond", "DD", "millisecond", "microsecond", "yy", "mon", "decade"]
FIELDS = ["year", "quarter", "month", "week", "day", "dow", "doy", "hour", "minute", "second", "yearofweek", "dayofweek_iso"]
JSONS = ['{"a":1,"b":"x"}', '{"a":{"c":[1,2,{"d":null}]}}', "[1,2,3]", '[{"a":1},{"a":"y"}]', "{}", "null", "1.50", '"t"', "{bad", '{"a":1e3,"a":2}',
         '{"b":[]}', '{"a":"2024-01-01"}']
JSONS += ['[{"a":1,"b":"x"},{"a":null}]', '{"x":1.5,"y":"2024-02-29"}', '{"1":{"a":2,"b":"z"}}', '["a",2,null]', '[[1],[2,3],null]',
          '{"a":"12","b":{"c":1.25,"d":"e"}}', '{"a":["x","y"],"b":"2024-03-10T02:30:00"}', '{"2024-01-01":1.5}', " ", '{"a":1} x', '[true,"false"]',
          '{"a":NaN,"b":"\\\\u00e9"}', "{'a':1}", '[1, 2', '{"A":1}', '["2024-01-01","x"]']
CSVS = ["1,x", "12,\"q, r\"", "a,b", "", "1", "1;y", ",", " 7 , z", "1,x,2"]
JSON_OPTIONS = ["'mode', 'FAILFAST'", "'mode', 'PERMISSIVE'", "'allowSingleQuotes', 'false'", "'timestampFormat', 'yyyy-MM-dd HH:mm:ss'",
                "'dateFormat', 'dd/MM/yyyy'", "'primitivesAsString', 'true'", "'allowUnquotedFieldNames', 'true'", "'allowNonNumericNumbers', 'false'"]
PATHS = ["$.a", "$", "$.a.c", "$.a.c[1]", "$[0]", "$[*].a", "$.b", "$..a", "a", "$['a']"]
SMALL = ["0", "1", "2", "3", "-1", "5", "-2", "10"]
BASES = ["2", "10", "16", "36", "-10", "8", "37", "1"]
NUMBER_FORMATS = ["999", "9,999.99", "$99.9", "S999", "000.00", "999PR", "MI99.9", "99.99S", "0"]
URLS = ["http://u@h.org:80/p/q?x=1&y=2#f", "https://spark.apache.org/path?query=1", "notaurl", "ftp://a.b/c"]


def texts(words):
    return ["'" + word.replace("'", "\\'") + "'" for word in words]


# name: {argument: literals that it is chosen from, always}
HINTS = {
    "repeat": {1: SMALL}, "space": {0: SMALL}, "array_repeat": {1: SMALL}, "lpad": {1: SMALL}, "rpad": {1: SMALL},
    "sequence": {0: SMALL, 1: SMALL, 2: ["1", "2", "-1", "0"]}, "format_number": {1: SMALL}, "round": {1: SMALL}, "bround": {1: SMALL},
    "ceil": {1: SMALL}, "ceiling": {1: SMALL}, "floor": {1: SMALL}, "date_format": {1: texts(PATTERNS)}, "from_unixtime": {1: texts(PATTERNS)},
    "to_timestamp": {1: texts(PATTERNS)}, "try_to_timestamp": {1: texts(PATTERNS)}, "to_timestamp_ntz": {1: texts(PATTERNS)},
    "to_unix_timestamp": {1: texts(PATTERNS)}, "to_date": {1: texts(PATTERNS)}, "try_to_date": {1: texts(PATTERNS)},
    "to_timestamp_ltz": {1: texts(PATTERNS)},
    "trunc": {1: texts(UNITS)}, "date_trunc": {0: texts(UNITS)}, "time_trunc": {0: texts(UNITS)}, "time_diff": {0: texts(UNITS)},
    "timestampadd": {0: UNITS[:9]}, "timestampdiff": {0: UNITS[:9]}, "next_day": {1: texts(["Mon", "TUESDAY", "fr", "xx", "su"])},
    "date_part": {0: texts(FIELDS)}, "datepart": {0: texts(FIELDS)}, "from_utc_timestamp": {1: texts(ZONES)},
    "to_utc_timestamp": {1: texts(ZONES)}, "make_timestamp": {6: texts(ZONES)}, "try_make_timestamp": {6: texts(ZONES)},
    "rlike": {1: texts(REGEXPS)}, "regexp": {1: texts(REGEXPS)}, "regexp_like": {1: texts(REGEXPS)}, "regexp_count": {1: texts(REGEXPS)},
    "regexp_instr": {1: texts(REGEXPS)}, "regexp_extract": {1: texts(REGEXPS), 2: ["0", "1", "2"]}, "regexp_substr": {1: texts(REGEXPS)},
    "regexp_replace": {1: texts(REGEXPS), 2: texts(["", "x", "<$1>", "$0", "\\\\$"]), 3: ["1", "2", "0"]},
    "regexp_extract_all": {1: texts(REGEXPS), 2: ["0", "1"]}, "split": {1: texts(REGEXPS), 2: ["-1", "0", "1", "2"]},
    "like": {1: texts(["%a%", "_", "%", "", "a\\\\%b%", "Spark%", "%_x"]), 2: texts(["!", "/"])},
    "ilike": {1: texts(["%A%", "_", "%", "", "A%", "%QL"]), 2: texts(["!", "/"])},
    "conv": {1: BASES, 2: BASES}, "sha2": {1: ["0", "224", "256", "384", "512", "1"]}, "encode": {1: texts(["UTF-8", "utf-8", "UTF-16", "US-ASCII", "x"])},
    "decode": {1: texts(["UTF-8", "ISO-8859-1", "UTF-16BE", "x"])}, "to_binary": {1: texts(["hex", "utf-8", "base64", "x"])},
    "try_to_binary": {1: texts(["hex", "utf-8", "base64"])}, "get_json_object": {0: texts(JSONS), 1: texts(PATHS)},
    "json_array_length": {0: texts(JSONS)}, "json_object_keys": {0: texts(JSONS)}, "parse_json": {0: texts(JSONS)},
    "try_parse_json": {0: texts(JSONS)}, "variant_get": {1: texts(PATHS), 2: texts(["int", "string", "array<int>", "struct<a:int>", "double"])},
    "try_variant_get": {1: texts(PATHS), 2: texts(["int", "string", "date", "decimal(5,2)"])},
    "to_number": {1: texts(NUMBER_FORMATS)}, "try_to_number": {1: texts(NUMBER_FORMATS)}, "to_char": {1: texts(NUMBER_FORMATS)},
    "parse_url": {0: texts(URLS), 1: texts(["HOST", "PATH", "QUERY", "PROTOCOL", "REF", "FILE", "AUTHORITY", "USERINFO", "host"]), 2: texts(["x", "y", "zz"])},
    "try_parse_url": {0: texts(URLS), 1: texts(["HOST", "PATH", "QUERY"]), 2: texts(["x"])},
    "split_part": {2: SMALL}, "substring_index": {2: SMALL}, "elt": {0: SMALL}, "format_string": {0: texts(["%s", "%s-%s", "%5d|", "%x", "%.2f", "%%", "%-5s|"])},
    "printf": {0: texts(["%s", "%d %s", "%08.3f", "%e", "%c", "%b"])}, "str_to_map": {1: texts([",", ";"]), 2: texts([":", "="])},
    "percentile": {1: ["0.5D", "0.0D", "1.0D", "0.25D"]}, "percentile_approx": {1: ["0.5D", "0.1D", "1.0D"], 2: ["100", "10000"]},
    "approx_percentile": {1: ["0.5D", "0.1D", "1.0D"], 2: ["100", "10000"]}, "from_csv": {1: texts(["a INT, b STRING"])},
    "substring": {1: SMALL, 2: SMALL}, "substr": {1: SMALL, 2: SMALL}, "left": {1: SMALL}, "right": {1: SMALL}, "element_at": {}, "slice": {},
    "convert_timezone": {0: texts(ZONES)}, "xpath": {},
    "bit_get": {1: SMALL}, "getbit": {1: SMALL}, "months_between": {2: ["true", "false"]}, "sort_array": {1: ["true", "false"]},
    "array_join": {1: texts([",", "", "--"]), 2: texts(["?", ""])}, "levenshtein": {2: SMALL}, "vector_norm": {1: ["1.0F", "2.0F"]},
    "extract": {0: FIELDS},
}

# Java may be off by the last digit from one machine to the next (Math.sin, Math.pow), or sums in another order (moments).
LAST_DIGIT = set("""
    sin cos tan sec csc cot asin acos atan atan2 sinh cosh tanh asinh acosh atanh exp expm1 ln log log10 log2 log1p pow power cbrt hypot
    var_pop var_samp variance stddev stddev_pop stddev_samp std covar_pop covar_samp corr regr_avgx regr_avgy regr_sxx regr_syy regr_sxy
    regr_slope regr_intercept regr_r2 skewness kurtosis degrees radians vector_norm vector_normalize vector_inner_product
    vector_cosine_similarity vector_l2_distance avg mean sum try_sum try_avg
""".split())

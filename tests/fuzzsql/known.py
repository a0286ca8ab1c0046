"""Differences that are meant, each with its reason."""
import re

DAY = r"\d{4}-\d\d-\d\d"


def reason(difference):
    """Why it is meant; None for one that nobody has explained."""
    for test, words in KNOWN:
        if test(difference):
            return words
    return None


def of_pattern(difference):
    """leat reads a constant pattern before it looks for rows, and for other errors."""
    mine = difference.mine.error or ""
    return difference.kind == "error" and (mine.startswith(("INVALID_DATETIME_PATTERN", "INCONSISTENT_BEHAVIOR_CROSS_VERSION.DATETIME_"))
                                           or mine == "INVALID_PARAMETER_VALUE.PATTERN") and difference.mine.error != difference.theirs.error


def pivot_twice(difference):
    keys = re.search(r" FOR k IN \((.*)\)\)$", difference.statement)
    values = re.findall(r"(?:^|, )(.*?) AS p\d+", keys[1]) if keys else []
    return difference.theirs.error == "INVALID_ARRAY_INDEX" and len(set(values)) < len(values)


def cancelled(difference):
    """Moments of values that differ by 15 digits, in the order in which a join gives its rows: what is left are rounding errors."""
    moments = r"\b(covar_|regr_|var_|variance|std|corr|skewness|kurtosis|sum|avg|mean)"
    return difference.kind == "rows" and re.search(moments, difference.statement) and any("e15" in table or "1e38" in table for table in difference.all_tables)


def first_of_rows(difference):
    """leat computes the columns of a list behind its ORDER BY, Spark before, and a join gives its rows in another order: of rows that
    fail differently another is the first."""
    places = {"INVALID_INDEX_OF_ZERO", "INVALID_ARRAY_INDEX_IN_ELEMENT_AT"}
    return re.search("ORDER BY|JOIN", difference.statement) and {difference.mine.error, difference.theirs.error} == places


def of_today(difference):
    return difference.kind == "rows" and sorted(re.sub(DAY, "#", row) for row in difference.mine.rows) == \
        sorted(re.sub(DAY, "#", row) for row in difference.theirs.rows) and re.search(r"'\d\d:\d\d:\d\d", " ".join(difference.all_tables))


def own_name(difference):
    """Only the text that names a column without AS is another."""
    return difference.kind == "schema" and sorted(difference.mine.rows) == sorted(difference.theirs.rows) and \
        difference.mine.schema.rsplit(":", 1)[1] == difference.theirs.schema.rsplit(":", 1)[1]


def negated_digits(difference):
    """Scala's BigDecimal rounds to 34 digits when its sign changes: 38 nines become 1 and 38 zeros, which do not fit."""
    return difference.mine.error is None and difference.theirs.error == "NUMERIC_VALUE_OUT_OF_RANGE.WITHOUT_SUGGESTION" and \
        re.search(r"\(- |\bnegative\(", difference.statement) and re.search(r"9{28}\.?9{6}", " ".join([difference.statement, *difference.all_tables]))


def words_of_a_row(difference):
    """Spark's format_string prints a STRUCT as the words of memory that hold it."""
    return difference.kind == "rows" and re.search(r"\b(format_string|printf)\(", difference.statement) and \
        re.search(r"\[[0-9a-f]+(,[0-9a-f]+)+\]", " ".join(difference.theirs.rows))


def of_more_digits(difference):
    """Rows that are the same but for digits of a number behind the fifth, in a text of it that is there several times."""
    cut = [sorted(re.sub(r"(\.\d{5})\d+", r"\1", row) for row in rows) for rows in (difference.mine.rows, difference.theirs.rows)]
    return difference.kind == "rows" and cut[0] == cut[1] and re.search(r"\brepeat\(", difference.statement)


def bytes_in_line(difference):
    """Spark's to_csv prints BINARY as [C3 A4] row by row, and mostly as a text when it folds the call."""
    return difference.kind == "rows" and "to_csv(" in difference.statement and "X'" in " ".join([difference.statement, *difference.all_tables]) and \
        re.search(r"\[([0-9A-F]{2}( [0-9A-F]{2})*)?\]", " ".join(difference.theirs.rows))


def shared_try(difference):
    """What several calls of try_.. have in common Spark computes once in the code that it generates,
    outside of them, where it may fail."""
    return difference.mine.error is None and difference.theirs.error == "CAST_INVALID_INPUT" and \
        len(re.findall(r"\btry_(?:add|subtract|multiply|divide|mod)\(", difference.statement)) > 1


def last_element(difference):
    """Spark negates the smallest INT to see whether the element may be NULL, and asks an array of its own for it."""
    return difference.theirs.error == "FAILED_FUNCTION_CALL" and "`between`" in difference.theirs.message and \
        re.search(r"element_at\(.*\(-2147483648\)\) BETWEEN", difference.statement)


def lost_column(difference):
    """lag() or lead() of positive(x), beside a function over another window: also SELECT lag(positive(a)) OVER (PARTITION BY b
    ORDER BY a), sum(5) OVER (PARTITION BY a ORDER BY a) fails so."""
    return difference.theirs.error == "MISSING_ATTRIBUTES.RESOLVED_ATTRIBUTE_MISSING_FROM_INPUT" and difference.mine.error is None and \
        '"_w0" missing' in difference.theirs.message and re.search(r"\b(lag|lead)\((positive\(|\(\+ )", difference.statement)


def counted_element(difference):
    """To Spark an element of an array without NULLs is never NULL, so that count() need not compute it; it even counts an element whose
    place is NULL."""
    return difference.theirs.error is None and (difference.mine.error or "").startswith("INVALID_ARRAY_INDEX") and \
        re.search(r"\bcount\(element_at\(array\(", difference.statement)


def path_first(difference):
    """Spark reads the path when it computes the call, behind all that is said of types."""
    return difference.mine.error == "INVALID_VARIANT_GET_PATH" and (difference.theirs.error or "").startswith("DATATYPE_MISMATCH")


def has(kind, pattern):
    return lambda difference: difference.kind == kind and re.search(pattern, difference.statement, re.S) is not None


KNOWN = [
    (of_today, "a text that has a time and no date is of today: Spark's answer was kept on another day"),
    (own_name, "the name of a column without AS"),
    (first_of_rows, "element_at above an ORDER BY or a JOIN: another row is the first that fails"),
    (of_pattern, "a constant pattern that is none is an error when the query is read; for times also in Spark, when it generates code, not here"),
    (words_of_a_row, "a STRUCT in format_string: Spark prints the words of memory that hold it"),
    (of_more_digits, "the text of a FLOAT or DOUBLE: before JDK 19 Java does not always print the shortest"),
    (bytes_in_line, "to_csv of BINARY: Spark prints it in two ways"),
    (negated_digits, "a DECIMAL of more than 34 digits changes its sign: Spark rounds it to 34"),
    (has("rows", r"\btime_from_seconds\("), "time_from_seconds: Spark keeps nanoseconds in a TIME(6), leat microseconds"),
    (shared_try, "a cast within several calls of try_..: Spark computes it once, outside of them, where it fails"),
    (last_element, "element_at of place -2147483648 BETWEEN: Spark fails as it asks whether that may be NULL"),
    (lost_column, "lag or lead of positive(..): Spark loses its own column _w0"),
    (counted_element, "count(element_at(array(..), place)): Spark holds the element to be never NULL and does not compute it"),
    (path_first, "a path of variant_get that is none is an error when the query is read, before the types around it"),
    (pivot_twice, "a value twice in PIVOT .. IN: Spark fails with an index of its own arrays"),
    (cancelled, "moments over values of 1e15 and more with digits behind the point: rounding depends on the order of a join's rows"),
    (lambda d: "is no regular expression here" in d.mine.message, "leat's linear-time engine refuses what only backtracking or Java has"),
    (lambda d: d.mine.error == "RECORD_TOO_BIG", "leat's ceiling of a value's size; Spark's is the JVM's largest array"),
    (lambda d: d.kind == "java", "Spark fails with a Java exception that has no condition, or its JVM dies"),
]

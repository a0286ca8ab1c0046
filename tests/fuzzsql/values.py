"""Types, literals and tables of random values, with the edges where engines differ."""
from tree import Items, Node

NUMBERS = ("tinyint", "smallint", "int", "bigint", "float", "double")
WHOLE = NUMBERS[:4]
DECIMALS = ("decimal(1,0)", "decimal(3,3)", "decimal(5,2)", "decimal(10,0)", "decimal(18,0)", "decimal(18,6)", "decimal(19,9)",
            "decimal(20,5)", "decimal(38,10)", "decimal(38,0)", "decimal(38,38)")
DAY_TIME, YEAR_MONTH = "interval day to second", "interval year to month"
PARTIAL = ("interval day", "interval hour to second", "interval minute", "interval year", "interval month")
SIMPLE = NUMBERS + DECIMALS + ("string", "binary", "boolean", "date", "timestamp", "timestamp_ntz", "time(6)", DAY_TIME, YEAR_MONTH) + PARTIAL
NESTED = ("array<int>", "array<string>", "array<double>", "array<array<int>>", "map<string,int>", "map<int,string>",
          "struct<a:int,b:string>", "array<struct<a:int,b:string>>", "array<date>", "array<decimal(18,6)>", "array<boolean>",
          "array<timestamp>", "map<string,array<int>>", "map<date,decimal(5,2)>", "array<map<string,int>>",
          "struct<a:int,b:struct<c:double,d:string>>", "struct<a:array<string>,b:timestamp_ntz>", "map<int,struct<a:int,b:string>>")
TYPES = SIMPLE + NESTED + ("variant",)
# How often a column or an argument that may be of any type is of this one.
WEIGHTS = {**{name: 3 for name in SIMPLE}, **{name: 0.6 for name in DECIMALS}, **{name: 0.4 for name in PARTIAL}, "int": 8, "bigint": 5, "string": 8,
           "double": 5, "date": 4, "timestamp": 5, "boolean": 3, "time(6)": 1, **{name: 0.6 for name in NESTED}, "array<int>": 3, "map<string,int>": 2}

BITS = {"tinyint": (8, "Y"), "smallint": (16, "S"), "int": (32, ""), "bigint": (64, "L")}
TEXTS = ["", " ", "a", "ABC", "abc", "b", "äöü", "Straße", "😀x", "  pad ", "12", "-3.5", " 7 ", "1e3", "true", "No", "null",
         "2024-02-29", "2023-02-29", "2024-03-10 02:30:00", "12:34:56.789", "a,b,c", "a%b_c", '{"a":1,"b":"x"}', "[1,2,3]", "NaN",
         "-Infinity", "0x1F", "Spark SQL", "9999999999", "1.005", "é", "zZ9", "AbCd12-#", "+1", "1-2", "1 02:03:04",
         "http://u@h.org:80/p/q?x=1&y=2#f", "\\\\", "ß", "Ω", "1970", "2024-12", "-", ".", "e\u0301a\u0308", "👨\u200d👩\u200d👧 x", "İıǅﬁ",
         "한글, 日本", "a\\tb\\nc", '[{"a":1},{"a":null}]', "1,x,", "00012", "1.50", "2024-01-01T00:00:00Z", "P1D", "tRUE", "\u00a07"]
DATES = ["0001-01-01", "1582-10-04", "1582-10-15", "1900-01-01", "1969-12-31", "1970-01-01", "2000-02-29", "2023-12-31", "2024-01-01",
         "2024-02-29", "2024-03-10", "2024-11-03", "2024-12-30", "2038-01-19", "9999-12-31"]
TIMES = ["00:00:00", "01:30:00", "02:30:00", "12:34:56.789", "23:59:59.999999", "12:00:00.1", "02:00:00", "23:30:00"]
ZONES = ["UTC", "America/Los_Angeles", "Europe/Berlin", "Asia/Kolkata", "Australia/Lord_Howe", "America/St_Johns"]


def element(type):
    """array<T> -> T"""
    return type[len("array<"):-1]


def key_value(type):
    """map<K,V> -> (K, V)"""
    inner, depth = type[len("map<"):-1], 0
    for i, char in enumerate(inner):
        depth += (char in "<(") - (char in ">)")
        if char == "," and depth == 0:
            return inner[:i], inner[i + 1:]
    raise ValueError(type)


def fields(type):
    """struct<a:T,b:U> -> [(a, T), (b, U)]"""
    inner, depth, found, start = type[len("struct<"):-1], 0, [], 0
    for i, char in enumerate(inner + ","):
        depth += (char in "<(") - (char in ">)")
        if char == "," and depth == 0:
            found.append(tuple(inner[start:i].split(":", 1)))
            start = i + 1
    return found


def orderable(type):
    return "map" not in type and "variant" not in type


def quoted(text):
    return "'" + text.replace("'", "\\'") + "'"


def decimal_of(type):
    return tuple(map(int, type[len("decimal("):-1].split(",")))


class Values:
    def __init__(self, random):
        self.random = random

    def type(self, among=TYPES):
        return self.random.choices(among, [WEIGHTS.get(name, 1) for name in among])[0]

    def literal(self, type, nulls=0.06):
        return Node([self.literal_text(type, nulls)], type=type)

    def literal_text(self, type, nulls=0.06):
        pick = self.random.choice
        if self.random.random() < nulls:
            return f"CAST(NULL AS {type})"
        if type in BITS:
            bits, suffix = BITS[type]
            top = 2 ** (bits - 1)
            number = pick([0, 1, -1, 2, 3, 5, 7, 10, -4, 12, 100, 31, top - 1, -top, self.random.randint(-20, 20)])
            return f"({number}{suffix})" if number < 0 else f"{number}{suffix}"
        if type in ("float", "double"):
            text = pick(["0", "1", "-1", "0.5", "2.5", "-2.5", "1.005", "100", "3.14159", "1e10", "-1e-5", "0.1", "123456.789",
                         "NaN", "Infinity", "-Infinity", "-0.0", "1e38", "9.007199254740993e15"])
            if text[-1] in "Ny" or text == "-0.0":
                return f"{type}({quoted(text)})"
            suffix = "F" if type == "float" else "D"
            return f"({text}{suffix})" if text[0] == "-" else text + suffix
        if type.startswith("decimal"):
            return self.decimal(type)
        if type == "string":
            return quoted(pick(TEXTS))
        if type == "binary":
            return pick(["X''", "X'00'", "X'FF80'", "X'537061726B'", "X'C3A4'", "X'313233'"])
        if type == "boolean":
            return pick(["true", "false"])
        if type == "date":
            return f"DATE'{pick(DATES)}'"
        if type in ("timestamp", "timestamp_ntz"):
            word = "TIMESTAMP" if type == "timestamp" else "TIMESTAMP_NTZ"
            return f"{word}'{pick(DATES)} {pick(TIMES)}'"
        if type.startswith("time"):
            return f"CAST('{pick(TIMES)}' AS TIME)"
        if type == DAY_TIME:
            return pick(["INTERVAL '1 02:03:04.5' DAY TO SECOND", "INTERVAL '0 00:00:00' DAY TO SECOND",
                         "INTERVAL '-1 00:00:00.000001' DAY TO SECOND", "INTERVAL '100 23:59:59' DAY TO SECOND"])
        if type == YEAR_MONTH:
            return pick(["INTERVAL '1-2' YEAR TO MONTH", "INTERVAL '-0-1' YEAR TO MONTH", "INTERVAL '0-0' YEAR TO MONTH",
                         "INTERVAL '178-11' YEAR TO MONTH"])
        if type in PARTIAL:
            return "INTERVAL '%s' %s" % (pick({"interval day": ["3", "-1", "0"], "interval hour to second": ["10:20:30.123456", "-0:00:01"],
                                               "interval minute": ["59", "-61", "100000"], "interval year": ["2", "-5", "178"],
                                               "interval month": ["11", "-13", "0"]}[type]), type[len("interval "):].upper())
        if type == "interval":
            return pick(["make_interval(1, 2, 0, 3, 4, 5, 6.5)", "make_interval(0, -1)", "make_interval(0, 0, 0, 100, -1)"])
        return self.nested(type)

    def decimal(self, type):
        digits, scale = decimal_of(type)
        kind = self.random.random()
        if kind < 0.1:
            number = 10 ** digits - 1
        elif kind < 0.7:
            number = self.random.randint(-99999, 99999)
        else:
            number = self.random.randint(0, 10 ** (digits * 2 // 3))
        number = max(-(10 ** digits) + 1, min(10 ** digits - 1, number))
        text = str(abs(number)).rjust(scale + 1, "0")
        text = ("-" if number < 0 else "") + (text[:-scale] + "." + text[-scale:] if scale else text)
        return f"CAST('{text}' AS {type})"

    def nested(self, type):
        if type.startswith("array"):
            count = self.random.choice([0, 1, 2, 3, 3, 4])
            inner = ", ".join(self.literal_text(element(type), 0.15) for _ in range(count))
            return f"array({inner})" if count else f"CAST(array() AS {type})"
        if type.startswith("map"):
            key, value = key_value(type)
            keys = list(dict.fromkeys(self.literal_text(key, 0) for _ in range(self.random.choice([0, 1, 2, 3]))))
            inner = ", ".join(f"{text}, {self.literal_text(value, 0.15)}" for text in keys)
            return f"map({inner})" if keys else f"CAST(map() AS {type})"
        if type.startswith("struct"):
            inner = ", ".join(f"'{name}', {self.literal_text(of, 0.15)}" for name, of in fields(type))
            return f"named_struct({inner})"
        if type == "variant":
            return "parse_json(%s)" % quoted(self.random.choice(['{"a":1,"b":"x"}', "[1,2,3]", "1.5", '"t"', "true", "null",
                                                                  '{"a":{"c":[1,null]}}', '"2024-01-01"', "12345678901234567890.5"]))
        return f"CAST(NULL AS {type})"


class Table:
    """A view of random rows: `id` counts them, the other columns are of random types."""

    def __init__(self, name, random):
        values = Values(random)
        self.name = name
        self.columns = [("id", "int")] + [(f"{name}c{i}", values.type()) for i in range(1, 9)]
        rows = []
        for id in range(random.randint(4, 9)):
            texts = [str(id)] + [values.literal_text(type, 0.2) for _, type in self.columns[1:]]
            rows.append(Node([f"({', '.join(texts)})"]))
        self.rows = Items(rows)
        names = ", ".join(column for column, _ in self.columns)
        self.statement = Node([f"CREATE OR REPLACE TEMPORARY VIEW {name} AS SELECT * FROM VALUES ", self.rows, f" AS t({names})"])

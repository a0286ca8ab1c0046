"""A misspelt option, at each door that takes options: told with its place and the name that was meant. What Spark would pass
over in silence is a warning and the statement runs; what only leat reads is an error. No broker."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
from trial import ORDERS_SPEC, WORK, check, finish, leat, project

LINES = WORK / "lines.csv"
LINES.write_text("id,name\n1,a\n")
(WORK / "lines.json").write_text('{"id": 1}\n')


def told(name, sql, *words, status=0, silent=False):
    done = leat("sql", "-c", sql)
    problems = done.problems(status, *words)
    if silent and "warning" in done.err:
        problems.append(f"warns without need: {done.err}")
    check(name, problems)


# ---- leat sql ----

FROM = f"SELECT * FROM csv.`{LINES}` WITH"
told("WITH", f"{FROM} (heeder = true)", f"warning: 1:{len(FROM) + 3}: option heeder", "format csv; did you mean header?")
told("WITH, and the column that is missed", f"SELECT id FROM csv.`{LINES}` WITH (heeder = true)", "did you mean header?", status=2)
told("OPTIONS", f"CREATE TEMPORARY VIEW v USING csv OPTIONS (path '{LINES}', haeder 'true'); SELECT * FROM v", "did you mean header?")
told("OPTIONS of a table", f"CREATE TABLE t (a INT) USING csv OPTIONS (spe ';') LOCATION '{LINES}'", "option spe", "did you mean sep?")
told("an option of Spark's that leat lacks", f"SELECT * FROM json.`{WORK}/lines.json` WITH (primitivesAsString = true)", "option primitivesAsString has no effect on files of format json")
told("what is heeded", f"{FROM} (header = true, inferSchema = true, SEP = ',', mode = 'PERMISSIVE', pathGlobFilter = '*')", silent=True)
told("columns named by their place", f"SELECT id FROM csv.`{LINES}`", "hint: WITH (header = true)", status=2)

for call, word, meant in (
    ("from_json('{}', 'a INT', map('moode', 'FAILFAST'))", "moode has no effect on from_json", "mode?"),
    ("from_csv('1', 'a INT', map('seep', ';'))", "seep has no effect on from_csv", "sep?"),
    ("to_json(named_struct('a', 1), map('ignoreNullFeilds', 'true'))", "ignoreNullFeilds", "ignoreNullFields?"),
    ("to_csv(named_struct('a', 1), map('qoute', 'x'))", "qoute has no effect on to_csv", "quote?"),
    ("schema_of_json('{}', map('preferDecimal', 'true'))", "preferDecimal", "prefersDecimal?"),
    ("schema_of_csv('1', map('seep', ';'))", "seep has no effect on schema_of_csv", "sep?"),
):
    told(call, f"SELECT {call}", word, "did you mean " + meant)
told("a map that is data", "SELECT to_json(map('moode', 1))", silent=True)
told(
    "options of functions that are heeded",
    "SELECT from_json('{}', 'a DATE', map('mode', 'FAILFAST', 'dateFormat', 'yyyy', 'rescuedDataColumn', 'r')),"
    " to_json(named_struct('a', 1), map('timeZone', 'UTC', 'sortKeys', 'true')),"
    " to_csv(named_struct('a', 1), map('sep', ';', 'timestampFormat', 'yyyy'))",
    silent=True,
)
once = leat("sql", "-c", "CREATE TEMPORARY VIEW v AS SELECT from_json('{}', 'a INT', map('moode', 'x')) AS j; SELECT * FROM v")
check("a view's options are told once", once.problems(0) + ([once.err] if once.err.count("warning") != 1 else []))

# ---- a project ----

SPEC = ORDERS_SPEC
TABLE = "CREATE STREAMING TABLE t {} AS\nSELECT {} FROM STREAM {};\n"


def project_told(name, status, *words, more="", properties="", column="value", stream="orders"):
    folder = project(name, SPEC + more, TABLE.format(properties, column, stream))
    check(name, leat("check", folder).problems(status, *words))


project_told("source", 2, "source orders: unknown option subscirbe; did you mean subscribe", more="  source.orders.subscirbe: x\n")
project_told("setting", 2, "leat.memry", "did you mean leat.memory?", more="  leat.memry: 1g\n")
project_told("sink", 2, "sink s: unknown option numRow; did you mean numRows", more="  sink.s.format: console\n  sink.s.from: t\n  sink.s.numRow: 1\n")
project_told("read_files", 2, "a.sql:2:", "unknown option haeder; did you mean header",
             column="*", stream=f"read_files('{WORK}', format => 'csv', schema => 'a INT', haeder => true)")
project_told("read_kafka", 2, "a.sql:2:", "unknown option subscirbe; did you mean subscribe",
             stream="read_kafka(bootstrapServers => '127.0.0.1:1', subscribe => 'a', subscirbe => 'b')")
project_told("leat property", 2, "a.sql:1:", "did you mean leat.format", properties="TBLPROPERTIES ('leat.fromat' = 'csv')")
project_told("property", 0, "warning: ", "a.sql:1:64: table t: haeder has no effect; did you mean header?",
             properties="TBLPROPERTIES ('leat.format' = 'csv', 'haeder' = 'true', 'quality' = 'silver')")
project_told("function", 0, "warning: ", "a.sql:2:", "option moode has no effect on from_json; did you mean mode?",
             column="from_json(CAST(value AS STRING), 'a INT', map('moode', 'FAILFAST')) AS j")
project_told("S3", 0, "fs.s3a.bucket.b.endpiont has no effect; did you mean fs.s3a.bucket.b.endpoint?",
             more="  spark.hadoop.fs.s3a.bucket.b.endpiont: x\n  spark.hadoop.fs.s3a.fast.upload: 'true'\n")
project_told("clean", 0, properties="TBLPROPERTIES ('leat.format' = 'csv', 'header' = 'true', 'owner' = 'me')")
finish()

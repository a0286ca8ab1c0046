"""A wrong project or command line: exit 2, all that is wrong at once, each with file:line:column, a caret and
what to try. No broker."""

import re
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
from trial import ORDERS_SPEC, WORK, check, finish, leat, project

SPEC = ORDERS_SPEC
SQL = """CREATE STREAMING TABLE bronze AS
SELECT key, value, offset FROM STREAM orders;
"""
VIEW = """CREATE TEMPORARY VIEW parsed AS
SELECT from_json(value::STRING, 'id STRING, at TIMESTAMP, amount DECIMAL(12,2)') AS o FROM STREAM orders;
"""


def table_of(select):
    return VIEW + f"CREATE STREAMING TABLE t AS\nSELECT {select} FROM STREAM parsed;\n"


count = 0


def refused(name, *words, spec=SPEC, sql=SQL, sets=(), env=None):
    """leat check leaves with 2 and says all words; no word of theirs is a crash's."""
    global count
    count += 1
    folder = project(f"{count:02}", spec, sql)
    done = leat("check", folder, *[word for pair in sets for word in ("--set", pair)], **(env or {}))
    check(name, done.problems(2, *words) + ([f"stdout has {done.out!r}"] if done.out else []))
    return done


def carets(text):
    """(source line, what is underlined) of every message."""
    found = []
    for line, marks in re.findall(r"^ *\d+ \| (.*)\n *\| (\s*\^+)$", text, re.MULTILINE):
        start = len(marks) - len(marks.lstrip())
        found.append((line, line[start : len(marks)]))
    return found


def underlined(name, done, *wanted):
    got = [mark for _, mark in carets(done.err)]
    check(
        f"{name}: caret",
        [] if got == list(wanted) else [f"{got} is underlined, want {list(wanted)}: {done.err}"],
    )


# ---- the project itself is right ----

done = leat("check", project("right", SPEC, SQL))
check("a right project", done.problems(0) + ([] if "bronze" in done.out else [done.out]))

# ---- spark-pipeline.yml ----

empty = WORK / "empty"
empty.mkdir(parents=True)
check("no spark-pipeline.yml", leat("check", empty).problems(2, "spark-pipeline.yml", "leat init"))
check("no such folder", leat("check", WORK / "nowhere").problems(2, "nowhere"))
done = refused(
    "unknown key", "spark-pipeline.yml:1:1", "nam", "did you mean name", spec=SPEC.replace("name:", "nam:")
)
underlined("unknown key", done, "nam", "n")  # and there is no name
refused(
    "unknown setting",
    "spark-pipeline.yml:8:",
    "leat.triger",
    "did you mean leat.trigger",
    spec=SPEC + "  leat.triger: once\n",
)
refused(
    "wrong type",
    "spark-pipeline.yml:4:",
    "configuration",
    "must be a mapping",
    spec=SPEC.split("configuration:")[0] + "configuration: 7\n",
)
refused("wrong value", "spark-pipeline.yml:8:", "leat.threads", "many", spec=SPEC + "  leat.threads: many\n")
refused("wrong trigger", "leat.trigger", "soon", "30 seconds", spec=SPEC + "  leat.trigger: soon\n")
refused("value out of range", "leat.threads", "1000", "64", sets=["leat.threads=1000"])
refused("not YAML", "spark-pipeline.yml:", spec=SPEC + "  - x: [\n")
refused(
    "variable that is not set",
    "spark-pipeline.yml:8:",
    "LEAT_NOT_SET",
    ".env",
    spec=SPEC + '  a: "${env:LEAT_NOT_SET}"\n',
)
refused("no SQL file", "no .sql file", "queries/**", spec=SPEC.replace("transformations", "queries"))
refused(
    "source without format",
    "source.orders",
    "format",
    spec=SPEC.replace("  source.orders.format: kafka\n", ""),
)
refused(
    "unknown source option",
    "subscripe",
    "did you mean subscribe",
    spec=SPEC.replace("subscribe", "subscripe"),
)
refused(
    "a word that is no offset",
    "spark-pipeline.yml:8:",
    "source orders",
    "erliest",
    "did you mean earliest",
    spec=SPEC + "  source.orders.startingOffsets: erliest\n",
)
refused(
    "offsets that are not JSON",
    "spark-pipeline.yml:8:",
    "startingOffsets",
    spec=SPEC + "  source.orders.startingOffsets: '{\"orders\":[]}'\n",
)
refused(
    "wrong source option",
    "source orders",
    "failOnDataLoss",
    "true or false",
    spec=SPEC + "  source.orders.failOnDataLoss: often\n",
)
refused(
    "two things at once", "leat.triger", "leat.thread", spec=SPEC + "  leat.triger: once\n  leat.thread: 1\n"
)

# ---- SQL ----

done = refused("syntax error", "a.sql:2:", "[PARSE_SYNTAX_ERROR]", sql=SQL.replace("FROM", "FORM"))
check(
    "syntax error: source line",
    [] if any("FORM STREAM" in line for line, _ in carets(done.err)) else [done.err],
)
done = refused(
    "unknown column",
    "a.sql:2:13",
    "valu",
    "Did you mean",
    "`value`",
    sql=SQL.replace("key, value", "key, valu"),
)
underlined("unknown column", done, "valu")
done = refused("unknown field", "a.sql:4:", "amont", "amount", sql=table_of("o.amont"))
done = refused(
    "unknown function",
    "a.sql:4:8",
    "[UNRESOLVED_ROUTINE]",
    "uper",
    "did you mean `upper`",
    sql=table_of("uper(o.id)"),
)
refused(
    "unknown table",
    "a.sql:2:",
    "[TABLE_OR_VIEW_NOT_FOUND]",
    "order",
    "orders",
    sql=SQL.replace("STREAM orders", "STREAM order_s"),
)
refused(
    "type error",
    "a.sql:4:",
    "[DATATYPE_MISMATCH",
    "DECIMAL(12,2)",
    "BOOLEAN",
    sql=table_of("o.amount AND true"),
)
refused(
    "type error with a time", "a.sql:4:", "[DATATYPE_MISMATCH", "TIMESTAMP", "INT", sql=table_of("o.at + 1")
)
refused(
    "cast that does not exist",
    "a.sql:4:",
    "[DATATYPE_MISMATCH",
    "DATE",
    sql=table_of("CAST(o.amount AS DATE)"),
)
refused("wrong number of arguments", "a.sql:4:", "[WRONG_NUM_ARGS", "abs", sql=table_of("abs(o.amount, 1)"))
refused("schema of from_json", "a.sql:2:", "STRIN", sql=VIEW.replace("id STRING", "id STRIN"))
refused(
    "aggregate without a watermark",
    "a.sql:4:",
    "WATERMARK",
    sql=VIEW + "CREATE STREAMING TABLE t AS\nSELECT o.id, count(*) AS n FROM STREAM parsed GROUP BY o.id;\n",
)
refused(
    "what leat cannot run yet",
    "a.sql:",
    "AUTO CDC flows",
    sql=VIEW + "CREATE STREAMING TABLE t;\n"
    "CREATE FLOW f AS AUTO CDC INTO t FROM STREAM parsed KEYS (o) SEQUENCE BY o STORED AS SCD TYPE 1;\n",
)
refused(
    "a table with the name of late rows",
    "a.sql:",
    "t_late",
    sql=VIEW + "CREATE STREAMING TABLE t TBLPROPERTIES ('leat.late' = 'table') AS SELECT o.id FROM STREAM parsed;\n"
    "CREATE STREAMING TABLE t_late AS SELECT o.id FROM STREAM parsed;\n",
)
refused(
    "a property that takes something else",
    "a.sql:",
    "leat.late",
    "drop|table",
    sql=VIEW + "CREATE STREAMING TABLE t TBLPROPERTIES ('leat.late' = 'yes') AS SELECT o.id FROM STREAM parsed;\n",
)
refused("the same table twice", "bronze", sql=SQL + SQL)
refused(
    "a cycle",
    "a.sql:",
    sql="CREATE STREAMING TABLE a AS SELECT * FROM STREAM b;\n"
    "CREATE STREAMING TABLE b AS SELECT * FROM STREAM a;\n",
)
refused("partition column that is not there", "day", sql=SQL.replace("bronze", "bronze PARTITIONED BY (day)"))
refused(
    "table property",
    "parquet.compresion",
    "did you mean parquet.compression",
    sql=SQL.replace(" AS\n", "\nTBLPROPERTIES ('parquet.compresion' = 'zstd') AS\n"),
)
refused(
    "property of files",
    "table bronze",
    "leat.files.keep",
    "many",
    sql=SQL.replace(" AS\n", "\nTBLPROPERTIES ('leat.files.keep' = 'many') AS\n"),
)
refused(
    "console option",
    "sink screen",
    "numRow",
    "did you mean numRows",
    spec=SPEC + "  sink.screen.format: console\n  sink.screen.from: bronze\n  sink.screen.numRow: 1\n",
)
done = refused(
    "an error in a view",
    "a.sql:2:",
    "[",
    sql=VIEW.replace("value", "valu")
    + SQL.replace("orders", "parsed")
    + SQL.replace("bronze", "b2").replace("orders", "parsed"),
)
check("an error in a view is told once", [] if done.err.count("valu`") == 1 else [done.err])
refused(
    "two statements, two errors",
    "valu",
    "offse",
    sql=SQL.replace("value", "valu") + SQL.replace("bronze", "b2").replace("offset", "offse"),
)
refused("nested too deeply", "a.sql:4:", sql=table_of("(" * 5000 + "1" + ")" * 5000 + " AS x"))
refused("not UTF-8", "a.sql:", sql=b"SELECT '\xff\xfe';\n")
refused("NUL in the SQL", "a.sql:", sql=SQL.replace("key", "k\0y"))
refused("unclosed text", "a.sql:", sql=SQL.replace("key", "'key"))
refused("no SQL in the file", "[RUN_EMPTY_PIPELINE]", "CREATE STREAMING TABLE", sql="-- nothing\n")

# ---- what leat has in another place ----

for name, statement, said in (
    ("a function", "CREATE OR REPLACE TEMPORARY FUNCTION f(x INT) RETURNS INT RETURN x + 1", "a TEMPORARY VIEW with a column"),
    ("a live table", "CREATE OR REFRESH STREAMING LIVE TABLE t AS SELECT 1", "Spark's words are CREATE STREAMING TABLE"),
    ("rows into a table", "INSERT INTO bronze SELECT 1", "CREATE FLOW name AS INSERT INTO"),
    ("rows that change", "MERGE INTO bronze USING x", "leat.dedup"),
    ("a table that goes", "DROP TABLE bronze", "leave its CREATE out"),
    ("files under a name", "CREATE TEMPORARY VIEW v USING csv OPTIONS (path '/x')", "read_files("),
    ("files by their path", "CREATE MATERIALIZED VIEW v AS SELECT * FROM csv.`/x`", "FROM read_files('/x', format => 'csv', schema => 'id BIGINT, ..')"),
):
    refused(name, "a.sql:3:", "hint: ", said, sql=SQL + statement + ";\n")
for statement, said in (
    ("DESCRIBE DETAIL t", "_delta_log"),
    ("DESC HISTORY t", "leat audit DIR"),
    ("SHOW PARTITIONS t", "SELECT DISTINCT"),
    ("CREATE STREAMING TABLE t AS SELECT 1", "leat init NAME"),
    ("RESTORE TABLE t TO VERSION AS OF 1", "versionAsOf"),
    ("INSERT OVERWRITE DIRECTORY '/x' USING csv SELECT 1", "--format csv"),
    ("SELECT to_date('2026-01-02', 'YYYY-MM-DD')", "write yyyy for the year and dd for the day of the month"),
):
    check(statement, leat("sql", "-c", statement).problems(2, said))
LONG = "SELECT id, uuid() AS u FROM range(1000000) ORDER BY u"
check("no folder for rows on disk", leat("sql", "--memory", "8m", "-c", LONG, TMPDIR="/nowhere").problems(1, "/nowhere", "set TMPDIR"))
check("a group that is too large", leat("sql", "--memory", "8m", "-c", "SELECT collect_list(uuid()) FROM range(1000000)").problems(1, "what one group collects", "raise --memory"))
check("tables that are too large", leat("sql", "--memory", "8m", "-c", "CREATE TABLE t AS SELECT uuid() FROM range(1000000)").problems(1, "the tables of the session", "raise --memory"))

done = leat("run", project("client", SPEC.replace("bootstrap.servers", "bootstrap.server"), SQL), "--once")
check(
    "unknown client option",
    done.problems(2, "kafka.bootstrap.server", "did you mean kafka.bootstrap.servers"),
)

# ---- command line ----

for name, words, said in (
    ("unknown command", ["chek"], ["chek", "did you mean check"]),
    ("unknown flag", ["run", "--onec"], ["--onec", "did you mean --once"]),
    ("flag without value", ["run", "--set"], ["--set"]),
    (
        "--set without =",
        ["check", project("set", SPEC, SQL), "--set", "leat.threads"],
        ["leat.threads", "KEY=VALUE"],
    ),
    ("too many arguments", ["check", "a", "b"], ["usage", "leat check --help"]),
    ("what is to be produced", ["produce", "transaction"], ["transaction", "did you mean transactions"]),
    ("init over a project", ["init", project("init", SPEC, SQL)], ["already there"]),
    ("no such .env", ["check", project("env", SPEC, SQL), "--env-file", "/nowhere/.env"], ["/nowhere/.env"]),
):
    check(name, leat(*words).problems(2, *said))

SELECT = "SELECT key FROM STREAM orders;\n"
two = "CREATE STREAMING TABLE outer_one AS\n" + SELECT + "CREATE STREAMING TABLE inner_one TBLPROPERTIES ('leat.path' = '{}') AS\n" + SELECT
refused("a table in the folder of another", "table inner_one lies inside the folder of table outer_one", sql=two.format("/x/t//./outer_one/u/"),
        sets=("leat.tables.path=/x/t",))
refused("a table in the same folder as another", "table inner_one has the folder of table outer_one", sql=two.format("/x/t/./outer_one/"),
        sets=("leat.tables.path=/x/t",))
for folder, said in (("/x/c", "the checkpoint /x/c lies in the folder of table inner_one"), ("/x", "the checkpoint /x/c lies in the folder"),
                     ("/x/c/chain", "among the files of the checkpoint"), ("/x/c/state/0", "among the files of the checkpoint")):
    refused(f"a table and the checkpoint: {folder}", said, sql=two.format(folder), sets=("leat.tables.path=/y/t", "leat.checkpoint=/x/c"))
check("tables below the checkpoint", leat("check", project("below", SPEC, two.format("/x/c/tables/u")), "--set", "leat.checkpoint=/x/c").problems(0))
for name in ("../evil", "a/b", "..", ".hidden", "_staging", "x" * 201):
    refused(f"a table that is no folder's name: {name[:9]}", "cannot be the name of a folder", sql=f"CREATE STREAMING TABLE `{name}` AS {SELECT}")
refused("a table named as the quarantine", "is where rows go that fail", sql=f"CREATE STREAMING TABLE _quarantine AS {SELECT}")
spelt = SPEC + "  source.orders.kafka.sasl.jass.config: hunter2\n"
done = refused("an option of Kafka's client", "did you mean kafka.sasl.jaas.config?", spec=spelt)
check("no secret is shown", ["hunter2 is shown"] if "hunter2" in done.err else [])
done = leat("check", project("colon", SPEC, SQL), "--set", "source.orders.kafka.sasl.password:hunter2")
check("--set with a colon", done.problems(2, "KEY=VALUE") + (["hunter2 is shown"] if "hunter2" in done.err else []))
done = leat("sql", "-c", "SELECT * FROM parquet.`s3://AKIA:hunter2@bucket/x`")
check("a password in a URL", done.problems(2, "no password") + (["hunter2 is shown"] if "hunter2" in done.err else []))
for brackets in ("[" * 400000, "{a: " * 100000):
    refused("brackets without end", "spark-pipeline.yml:", "more than 500 brackets are open", spec=SPEC + f"x: {brackets}\n")
anchors = ",".join(f"&a{i} 1" for i in range(60000))
refused("anchors without end", "spark-pipeline.yml:", "more than 1000 anchors", spec=SPEC + f"x: [{anchors}]\n")
check("a table beside another", leat("check", project("beside", SPEC, two.format("/x/t/outer_one_2")), "--set", "leat.tables.path=/x/t").problems(0))

elsewhere = SPEC.replace(f"{WORK.as_uri()}/storage", "hdfs://host/shop")
refused("storage that leat does not know", "spark-pipeline.yml:2:10: storage: hdfs://host/shop:", "s3://bucket/prefix", spec=elsewhere)
refused("tables on no local folder", "leat.tables.path: hdfs://host/x:", sets=("leat.tables.path=hdfs://host/x",))
here = [word for name in ("tables.path", "checkpoint") for word in ("--set", f"leat.{name}={WORK}/{name}")]
check("storage that leat does not use", leat("check", project("unused", elsewhere, SQL), *here).problems(0))
finish()

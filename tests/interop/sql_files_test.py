"""leat sql over files and a project's tables. DuckDB and PyArrow write the files, DuckDB answers the same queries over them;
schemas of csv and json were seen on Spark. Then: fields that no schema names, and materialized views by trigger. No broker."""

import csv
import datetime
import io
import json
import os
import subprocess
import sys
import threading
import time
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

sys.path.insert(0, str(Path(__file__).parent))
from trial import LEAT, WORK, Leat, check, finish, leat, multiset_problems, project


def ask(sql, *words, status=0, folder=None):
    """Rows as tuples of texts; or what it said, when it is to fail."""
    arguments = [LEAT, "sql"] + ([str(folder)] if folder else []) + ["-c", sql, "--format", "csv", *words]
    done = subprocess.run(arguments, capture_output=True, text=True, timeout=120, cwd=WORK)
    if done.returncode != status:
        return [("left with", str(done.returncode), done.stderr[-600:])]
    return [tuple(row) or ("",) for row in csv.reader(io.StringIO(done.stdout))] if status == 0 else done.stderr


def expect(what, sql, want, *words, **more):
    got = ask(sql, *words, **more)
    check(what, [] if got == want else [f"{sql}\n  gave {got[:6]}\n  want {want[:6]}"])


def refused(what, sql, *words):
    said = ask(sql, status=2)
    if not isinstance(said, str):
        check(what, [f"{sql}: {said}"])
        return
    check(what, [f"{sql}: does not say {w!r}: {said}" for w in words if w not in said])


# ---- Parquet, with DuckDB as the oracle ----


def duck_folder():
    folder = WORK / "sales"
    folder.mkdir()
    for f in range(3):
        duckdb.sql(
            f"""COPY (SELECT i AS id, ['food','travel','books','fuel'][1 + (hash(i) % 4)::INT] AS category,
                ['north','south',NULL][1 + (hash(i * 7) % 3)::INT] AS region, ((hash(i * 3) % 100000) / 100)::DECIMAL(10,2) AS amount,
                (hash(i * 5) % 1000) / 8.0 AS score, TIMESTAMP '2026-01-01' + to_seconds(i) AS ts, DATE '2026-01-01' + (i // 9000)::INT AS day
                FROM range({f * 20000}, {(f + 1) * 20000}) t(i)) TO '{folder}/f{f}.parquet' (FORMAT parquet, ROW_GROUP_SIZE 4096)"""
        )
    return folder


def cell(value):
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float):
        return repr(value)
    if isinstance(value, datetime.datetime):
        text = value.strftime("%Y-%m-%d %H:%M:%S")
        return text + (f".{value.microsecond:06}".rstrip("0") if value.microsecond else "")
    return str(value)


def same_as_duckdb(folder):
    queries = [
        "SELECT count(*) AS n FROM {t}",
        "SELECT category, count(*) AS n, sum(amount) AS total, min(ts) AS first, max(score) AS most FROM {t} GROUP BY category",
        "SELECT id, amount FROM {t} WHERE id BETWEEN 20100 AND 20110",
        "SELECT count(*) AS n, min(id) AS low FROM {t} WHERE ts >= TIMESTAMP '2026-01-01 12:00:00' AND ts < TIMESTAMP '2026-01-01 12:00:10'",
        "SELECT count(*) AS n FROM {t} WHERE day = DATE '2026-01-03'",
        "SELECT count(*) AS n FROM {t} WHERE region IS NULL",
        "SELECT count(*) AS n FROM {t} WHERE region IS NOT NULL AND category = 'books'",
        "SELECT count(*) AS n FROM {t} WHERE amount > 999.50 AND id < 30000",
        "SELECT count(*) AS n FROM {t} WHERE score <= 0.25 OR id = 59999",
        "SELECT count(*) AS n FROM {t} WHERE id > 60000",
        "SELECT count(*) AS n FROM {t} WHERE category < 'c' AND 59990 <= id",
        "SELECT day, region, count(*) AS n FROM {t} WHERE region = 'south' GROUP BY day, region HAVING count(*) > 10",
        "SELECT a.category, count(*) AS n FROM {t} a JOIN {t} b ON a.id = b.id + 1 AND a.category = b.category WHERE b.id < 5000 GROUP BY a.category",
        "SELECT id, rank() OVER (PARTITION BY category ORDER BY amount DESC, id) AS r FROM {t} WHERE id < 50",
        "SELECT DISTINCT category, day FROM {t}",
        "SELECT category FROM {t} WHERE id < 3 UNION ALL SELECT region FROM {t} WHERE id < 3",
        "SELECT id FROM {t} WHERE amount = (SELECT max(amount) FROM {t} WHERE id < 1000) AND id < 1000",
        "SELECT count(*) AS n FROM {t} WHERE id IN (SELECT id + 1 FROM {t} WHERE category = 'fuel' AND id < 100)",
    ]
    for query in queries:
        want = [tuple(map(cell, row)) for row in duckdb.sql(query.format(t=f"read_parquet('{folder}/*.parquet')")).fetchall()]
        got = ask(query.format(t=f"parquet.`{folder}`"))
        check(query, multiset_problems("rows", got[1:], want))


def parquet_shapes():
    folder = WORK / "shapes"
    folder.mkdir()
    table = pa.table(
        {
            "n": pa.array([1, None, 3], pa.int32()),
            "list": pa.array([[1, 2], None, []], pa.list_(pa.int64())),
            "pair": pa.array([{"a": 1, "b": "x"}, None, {"a": None, "b": "y"}]),
        }
    )
    pq.write_table(table, folder / "a.parquet")
    expect("a field of a struct", f"SELECT pair.b FROM parquet.`{folder}` ORDER BY 1", [("b",), ("",), ("x",), ("y",)])
    expect("a path of one file, with an alias", f"SELECT t.n FROM parquet.`{folder}/a.parquet` t WHERE t.n > 1", [("n",), ("3",)])
    expect("a pattern", f"SELECT count(*) FROM parquet.`{folder}/*.parquet`", [("count(1)",), ("3",)])
    expect("a relative path", "SELECT count(*) FROM parquet.`shapes`", [("count(1)",), ("3",)])
    pq.write_table(pa.table({"n": pa.array([7], pa.int32()), "more": ["z"]}), folder / "b.parquet")
    expect("columns of the first file", f"SELECT n, pair.a FROM parquet.`{folder}` WHERE n = 7", [("n", "a"), ("7", "")])
    expect("columns of all files", f"SELECT n, more FROM parquet.`{folder}` WITH (mergeSchema = true) WHERE n = 7", [("n", "more"), ("7", "z")])
    for part, rows in {"day=2026-01-01/kind=a": [1, 2], "day=2026-01-02/kind=b": [3]}.items():
        (WORK / "parts" / part).mkdir(parents=True)
        pq.write_table(pa.table({"id": rows}), WORK / "parts" / part / "f.parquet")
    expect("folders are columns", "SELECT kind, day, sum(id) FROM parquet.`parts` GROUP BY ALL ORDER BY kind", [("kind", "day", "sum(id)"), ("a", "2026-01-01", "3"), ("b", "2026-01-02", "3")])
    (WORK / "parts/day=2026-01-02/kind=b/f.parquet").write_bytes(b"no parquet")
    expect("folders that nobody wants are not opened", "SELECT id FROM parquet.`parts` WHERE day < DATE '2026-01-02' AND kind = 'a' ORDER BY id", [("id",), ("1",), ("2",)])


def memory_is_bounded(folder):
    """A file is streamed: its rows decoded at once would not fit."""
    got = ask(f"SELECT count(*), max(score) FROM parquet.`{folder}` WHERE category <> 'x'", "--memory", "32MiB")
    check("a small budget", [] if got[1][0] == "60000" else [f"gave {got}"])
    said = ask(f"SELECT collect_list(id) FROM parquet.`{folder}`", "--memory", "100kB", status=1)
    check("a budget that is too small", [] if isinstance(said, str) and "memory" in said else [f"said {said}"])


# ---- csv, json, text ----


def lines():
    folder = WORK / "lines"
    folder.mkdir()
    (folder / "a.csv").write_text('id,name,x\n1,"a, b",1.5\n2,,2\n\n3,z,\n')
    (folder / "b.csv").write_text("id,name,x\n4,q,7\n")
    expect("csv: texts without names", f"SELECT * FROM csv.`{folder}/a.csv`", [("_c0", "_c1", "_c2"), ("id", "name", "x"), ("1", "a, b", "1.5"), ("2", "", "2"), ("3", "z", "")])
    expect("csv: a header in each file", f"SELECT * FROM csv.`{folder}/*.csv` WITH (header = true) ORDER BY id", [("id", "name", "x"), ("1", "a, b", "1.5"), ("2", "", "2"), ("3", "z", ""), ("4", "q", "7")])
    view = f"CREATE TEMPORARY VIEW v USING csv OPTIONS (path '{folder}/*.csv', header true, inferSchema true); "
    expect("csv: inferred", view + "SELECT typeof(id), typeof(name), typeof(x), sum(x) FROM v GROUP BY ALL", [("typeof(id)", "typeof(name)", "typeof(x)", "sum(x)"), ("int", "string", "double", "10.5")])
    declared = f"CREATE TABLE t (k INT, n STRING) USING csv OPTIONS (header 'true') LOCATION '{folder}/a.csv'; "
    expect("csv: declared", declared + "SELECT * FROM t WHERE k > 1", [("k", "n"), ("2", ""), ("3", "z")])
    (WORK / "json/y=1").mkdir(parents=True)
    (WORK / "json/y=2").mkdir()
    (WORK / "json/y=1/a.json").write_text('{"b":1,"a":"x"}\n{"a":2,"c":{"d":[1.5]}}\n')
    (WORK / "json/y=2/b.json").write_text('{"b":2.5}\nbroken\n')
    (WORK / "json/y=2/_hidden.json").write_text('{"hidden":2.5}\n')
    expect(
        "json: inferred over all files, folders as columns",
        "SELECT *, typeof(b) FROM json.`json` ORDER BY y, a, b",
        [
            ("_corrupt_record", "a", "b", "c", "y", "typeof(b)"),
            ("", "2", "", '{"d":[1.5]}', "1", "double"),
            ("", "x", "1.0", "", "1", "double"),
            ("broken", "", "", "", "2", "double"),
            ("", "", "2.5", "", "2", "double"),
        ],
    )
    expect("json: only the wanted folders", "SELECT count(*) FROM json.`json` WHERE y = 2", [("count(1)",), ("2",)])
    (WORK / "t.txt").write_text("x\ny\r\n\nz")
    expect("text", "SELECT value FROM text.`t.txt`", [("value",), ("x",), ("y",), ("",), ("z",)])


def refusals():
    (WORK / "empty").mkdir()
    refused("nothing there", "SELECT 1 FROM parquet.`/nope`", "[PATH_NOT_FOUND]", "1:15")
    refused("nothing matches", "SELECT 1 FROM json.`nope*`", "[PATH_NOT_FOUND]")
    refused("nothing in it", "SELECT 1 FROM json.`empty`", "[UNABLE_TO_INFER_SCHEMA]", "JSON")
    refused("no path", "SELECT 1 FROM csv.``", "[INVALID_EMPTY_LOCATION]")
    refused("no files", "SELECT 1 FROM kafka.`x`", "[UNSUPPORTED_DATASOURCE_FOR_DIRECT_QUERY]")
    refused("no such format", "SELECT 1 FROM nope.`x`", "[TABLE_OR_VIEW_NOT_FOUND]")
    refused("not yet", "SELECT 1 FROM orc.`x`", "leat cannot do this yet")
    refused("a view without a path", "CREATE TEMPORARY VIEW v USING parquet", "[UNABLE_TO_INFER_SCHEMA]")
    (WORK / "log/_delta_log").mkdir(parents=True)
    (WORK / "log/day=1").mkdir()
    for path in ("log", "log/day=1", "log/*/*.parquet"):
        refused(f"a Delta table's files: {path}", f"SELECT 1 FROM parquet.`{path}`", "[DELTA_INVALID_FORMAT]", "log/_delta_log", "as delta")
    (WORK / "x.parquet").write_text("no parquet")
    said = ask("SELECT 1 FROM parquet.`x.parquet`", status=1)
    check("no Parquet file", [] if isinstance(said, str) and "no Parquet file" in said else [f"said {said}"])


def files_told():
    """_metadata and input_file_name(), as Spark 4.2 gave them over the same files."""
    folder = WORK / "told"
    folder.mkdir()
    for name, text in (("a.json", '{"id":1,"v":"x"}\n{"id":2,"v":"y"}\n'), ("b b%\u00e9.json", '{"id":3,"v":"z"}\n')):
        (folder / name).write_text(text)
        os.utime(folder / name, ns=(0, 1_700_000_000_123_456_789))
    files, at = f"json.`{folder}`", f"file:{folder}"
    names = ["file_path", "file_name", "file_size", "file_block_start", "file_block_length", "file_modification_time"]
    rows = [(f"{at}/{n}", n, s, "0", s, "2023-11-14 22:13:20.123") for n, s in (("a.json", "34"), ("a.json", "34"), ("b%20b%25\u00e9.json", "17"))]
    expect("_metadata", f"SELECT _metadata.* FROM {files} ORDER BY id", [tuple(names), *rows])
    expect("* does not show it", f"SELECT * FROM {files} WHERE _metadata.file_name = 'a.json' ORDER BY _metadata.file_size, id", [("id", "v"), ("1", "x"), ("2", "y")])
    url = [f"file://{folder}/{r[1]}" for r in rows]
    expect("input_file_name()", f"SELECT input_file_name(), input_file_block_start(), input_file_block_length() FROM {files} ORDER BY id", [("input_file_name()", "input_file_block_start()", "input_file_block_length()"), *((u, "0", r[2]) for u, r in zip(url, rows))])
    expect("over no file", "SELECT input_file_name() AS f, input_file_block_start() AS s FROM range(1)", [("f", "s"), ("", "-1")])
    expect("grouped by", f"SELECT input_file_name() AS f, count(*) AS n FROM {files} GROUP BY 1 ORDER BY 1", [("f", "n"), (url[0], "2"), (url[2], "1")])
    expect("windows", f"SELECT id, row_number() OVER (PARTITION BY _metadata.file_name ORDER BY id) AS r FROM {files} ORDER BY id", [("id", "r"), ("1", "1"), ("2", "2"), ("3", "1")])
    expect("joins", f"SELECT a.id, a._metadata.file_name AS x, b._metadata.file_size AS y FROM {files} a JOIN {files} b ON a.id = b.id - 1 ORDER BY 1", [("id", "x", "y"), ("1", "a.json", "34"), ("2", "a.json", "17")])
    expect("joins with no file", f"SELECT a.id, input_file_name() AS f FROM {files} a LEFT JOIN (SELECT 1 AS id) b USING (id) WHERE _metadata.file_size < 20", [("id", "f"), ("3", url[2])])
    expect("through a query in FROM", f"SELECT _metadata.file_name AS f, input_file_block_length() AS n FROM (SELECT id AS i FROM {files} WHERE id > 1) q ORDER BY i", [("f", "n"), ("a.json", "34"), ("b%20b%25\u00e9.json", "17")])
    expect("and is none of its columns", f"SELECT * FROM (SELECT id FROM {files}) UNION ALL SELECT _metadata.file_size FROM {files} WHERE id = 3", [("id",), ("1",), ("2",), ("3",), ("17",)])
    expect("pipes", f"FROM {files} |> WHERE id = 1 |> EXTEND _metadata.file_name AS f", [("id", "v", "f"), ("1", "x", "a.json")])
    expect("names of columns", f"SELECT j.*, _metadata.file_size AS s FROM {files} AS j(a, b) ORDER BY 1 LIMIT 1", [("a", "b", "s"), ("1", "x", "34")])
    expect("EXISTS", f"SELECT id FROM {files} a WHERE EXISTS (SELECT 1 FROM {files} b WHERE b.id = a.id AND a._metadata.file_size < 20)", [("id",), ("3",)])
    expect("views with options", f"CREATE TEMPORARY VIEW w USING json OPTIONS (path '{folder}'); SELECT max(_metadata.file_size) AS s FROM w", [("s",), ("34",)])
    expect("lateral views", f"SELECT x, t._metadata.file_name AS f FROM {files} t LATERAL VIEW explode(array(id, 0)) e AS x WHERE id = 1", [("x", "f"), ("1", "a.json"), ("0", "a.json")])
    for format, text, row in (("csv", "1,x\n", ("1", "x")), ("text", "l1\n", ("l1",))):
        (WORK / f"told-{format}" / "k=7").mkdir(parents=True)
        (WORK / f"told-{format}" / "k=7" / "f").write_text(text)
        got = ask(f"SELECT *, _metadata.file_name, _metadata.file_size FROM {format}.`{WORK}/told-{format}`")
        check(f"{format} with folders", [] if got[1:] == [(*row, "7", "f", str(len(text)))] else [f"gave {got}"])
    refused("of both sides", f"SELECT _metadata.file_name FROM {files} a, {files} b", "[AMBIGUOUS_REFERENCE]", "[`a`.`_metadata`, `b`.`_metadata`]")
    refused("two sources", f"SELECT input_file_name() FROM {files} a, {files} b", "[MULTI_SOURCES_UNSUPPORTED_FOR_EXPRESSION]")
    refused("not over WITH", f"WITH x AS (SELECT * FROM {files}) SELECT _metadata FROM x", "[UNRESOLVED_COLUMN.WITH_SUGGESTION]", "[`id`, `v`].")
    refused("not over a view", f"CREATE TEMPORARY VIEW v AS SELECT * FROM {files}; SELECT input_file_name() FROM v", "[UNSUPPORTED_FEATURE]")
    refused("not over groups", f"SELECT input_file_name() FROM (SELECT DISTINCT id FROM {files})", "[UNSUPPORTED_FEATURE]")
    refused("no such field", f"SELECT _metadata.row_index FROM {files}", "[FIELD_NOT_FOUND]", "row_index")
    (folder / "own.json").write_text('{"id":1,"_metadata":5}\n')
    expect("a column of that name", f"SELECT * FROM json.`{folder}/own.json` WHERE _metadata = 5", [("_metadata", "id"), ("5", "1")])


def rows_told(folder):
    """Row numbers count from the start of each file, whatever row groups the condition could leave out."""
    sales = f"parquet.`{folder}`"
    expect("row_index", f"SELECT id, _metadata.row_index AS r, _metadata.file_name AS f FROM {sales} WHERE id IN (3, 30000, 59999) ORDER BY id", [("id", "r", "f"), ("3", "3", "f0.parquet"), ("30000", "10000", "f1.parquet"), ("59999", "19999", "f2.parquet")])
    expect("row_index of all rows", f"SELECT count(*) AS n FROM {sales} WHERE id <> _metadata.row_index + 20000 * int(substr(_metadata.file_name, 2, 1))", [("n",), ("0",)])
    size = [(f"f{i}.parquet", str((folder / f"f{i}.parquet").stat().st_size)) for i in range(3)]
    expect("without a column of the file", f"SELECT _metadata.file_name AS f, any_value(_metadata.file_size) AS s FROM {sales} GROUP BY ALL ORDER BY 1", [("f", "s"), *size])
    deleted = Path(os.environ.get("CONFORMANCE_DIR", "")) / "delta/tables/table-with-dv-small"
    if deleted.is_dir():  # of its ten rows the first and the last are deleted
        expect("row_index of Delta", f"SELECT min(_metadata.row_index) AS a, max(_metadata.row_index) AS b, bool_and(_metadata.row_index = value) AS c FROM delta.`{deleted}`", [("a", "b", "c"), ("1", "8", "true")])
    expect("the whole struct", f"SELECT count(DISTINCT _metadata) AS n, max(_metadata).row_index AS r FROM {sales}", [("n", "r"), ("60000", "19999")])


def session_tables():
    """Names that are not there, with the ones that may be meant; and what becomes of tables: told once, not in lines."""
    created = "CREATE TABLE rates (a INT); CREATE VIEW v AS SELECT 1 AS a; "
    absent = "[TABLE_OR_VIEW_NOT_FOUND]"
    for sql in ("SELECT * FROM rate", "INSERT INTO rate VALUES (1)", "TRUNCATE TABLE rate", "DROP TABLE rate", "DESCRIBE rate"):
        refused(f"a name nearby: {sql}", created + sql, absent, "did you mean `rates`?")
    refused("no name nearby", created + "SELECT * FROM something_else", absent, "there is `rates`, `v`")
    refused("rows for a view", created + "INSERT INTO v VALUES (1)", absent, "leat sql only reads those")
    sql = "CREATE TABLE d (a INT) USING delta; CREATE TABLE p USING parquet AS SELECT 1 AS a; INSERT INTO d SELECT * FROM p"
    notes = leat("sql", "-c", sql).err.count("nothing is written to disk")
    check("tables in memory: told once", [] if notes == 1 else [f"{notes} times"])
    notes = leat("sql", "-c", "SELECT 1; CREATE TEMPORARY VIEW v AS SELECT 2").err
    check("no table: nothing told", [f"said {notes}"] if notes else [])
    line = json.dumps({"id": 1, "sql": "CREATE TABLE t (a INT) USING delta"}) + "\n"
    done = subprocess.run([LEAT, "sql", "--jsonl"], input=line, capture_output=True, text=True)
    check("tables in memory: not told in lines", [f"said {done.stderr}"] if done.stderr or done.returncode else [])


def lines_of_a_file():
    (WORK / "statements.jsonl").write_text('{"id": 1, "sql": "SELECT 1"}\n\n{"id": 2, "sql": "SELECT nothing"}\n{"id": 3, "sql": "SELECT 3"}')
    done = leat("sql", WORK / "statements.jsonl", "--jsonl")
    answers = [json.loads(line) for line in done.out.splitlines()]
    check("lines of a file", done.problems(0) + ([] if [(a["id"], a["rows"]) for a in answers] == [(1, ["1"]), (2, []), (3, ["3"])] else [done.out]))
    check("lines of -c", leat("sql", "-c", "SELECT 1", "--jsonl").problems(2, "not from -c"))


# ---- a project ----

SPEC = """name: shop
storage: {storage}
libraries: [{{glob: {{include: transformations/**}}}}]
configuration:
  leat.trigger: {trigger}
  leat.materialized_view.trigger: {views}
  leat.files.max_staleness: 50 ms
  source.orders.format: json
  source.orders.path: {feeds}
  source.orders.schema: "id STRING, category STRING, amount DOUBLE, dt DATE"
"""
SQL = """CREATE STREAMING TABLE silver PARTITIONED BY (dt) AS
  SELECT CAST(id AS INT) AS id, category, amount, dt FROM STREAM orders;
CREATE STREAMING TABLE lines TBLPROPERTIES ('leat.format' = 'csv') AS SELECT id, amount FROM STREAM orders;
CREATE MATERIALIZED VIEW totals AS SELECT category, count(*) AS n, sum(amount) AS total FROM silver GROUP BY category;
"""


def shop(name, trigger="once", views="0 seconds"):
    feeds = WORK / f"{name}-in"
    feeds.mkdir()
    storage = WORK / f"{name}-storage"
    return project(name, SPEC.format(storage=storage.as_uri(), feeds=feeds.as_uri(), trigger=trigger, views=views), SQL), feeds, storage


def feed(feeds, name, *rows):
    part = feeds / f".{name}"
    part.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows))
    part.rename(feeds / f"{name}.json")


def order(i, **more):
    return {"id": str(i), "category": ["food", "books"][i % 2], "amount": i / 2, "dt": f"2026-01-0{1 + i % 3}"} | more


def tables():
    folder, feeds, _ = shop("shop")
    expect("before the first epoch", "SELECT count(*) FROM silver; SELECT count(*) FROM _quarantine", [("count(1)",), ("0",), ("count(1)",), ("0",)], folder=folder)
    feed(feeds, "1", *[order(i) for i in range(20)], order(3) | {"id": "x"})
    check("runs", leat("run", folder).problems(0))
    check("runs again", leat("run", folder).problems(0))
    expect("a table", "SELECT dt, count(*), sum(amount) FROM silver GROUP BY dt ORDER BY dt", [("dt", "count(1)", "sum(amount)"), ("2026-01-01", "7", "31.5"), ("2026-01-02", "7", "35.0"), ("2026-01-03", "6", "28.5")], folder=folder)
    expect("a table of csv", "SELECT count(*), max(amount) FROM lines", [("count(1)", "max(amount)"), ("21", "9.5")], folder=folder)
    expect("a view", "SELECT * FROM totals ORDER BY category", [("category", "n", "total"), ("books", "10", "50.0"), ("food", "10", "45.0")], folder=folder)
    expect("the quarantine", "SELECT reason, field, tables FROM _quarantine", [("reason", "field", "tables"), ("CAST_INVALID_INPUT", "id", '["silver"]')], folder=folder)
    expect("a table beside files and the session's own", f"CREATE TEMPORARY VIEW big AS SELECT id FROM silver WHERE id > 17; SELECT b.id, o.amount FROM big b JOIN json.`{feeds}` o ON o.id = CAST(b.id AS STRING) ORDER BY 1", [("id", "amount"), ("18", "9.0"), ("19", "9.5")], folder=folder)
    expect("files of a table", "SELECT count(DISTINCT _metadata.file_name) > 0 AS a, bool_and(input_file_name() LIKE 'file:///%.parquet') AS b FROM silver", [("a", "b"), ("true", "true")], folder=folder)
    expect("files of a view", "SELECT count(*) AS n FROM totals WHERE _metadata.file_size > 0", [("n",), ("2",)], folder=folder)
    said = ask("INSERT INTO silver SELECT 1, 'a', 1.0, DATE '2026-01-01'", status=2, folder=folder)
    check("tables are not written", [] if isinstance(said, str) and "TABLE_OR_VIEW_NOT_FOUND" in said and "leat run" in said else [f"said {said}"])
    said = ask("SELECT * FROM totels", status=2, folder=folder)
    check("a project's names", [] if "did you mean `totals`?" in said else [f"said {said}"])
    timed = subprocess.run([LEAT, "sql", str(folder), "-c", "SELECT 1", "--timing"], capture_output=True, text=True)
    check("--timing", [] if "Time taken: 0." in timed.stderr and "fetched 1 row" in timed.stderr else [timed.stderr])


def drift():
    folder, feeds, _ = shop("drift")
    feed(feeds, "1", *[order(i) for i in range(5)])
    check("nothing new", leat("run", folder).problems(0))
    quiet = leat("drift", folder)
    check("nothing to list", quiet.problems(0) or ([] if "every field" in quiet.out else [quiet.out]))
    feed(feeds, "2", order(5, city="Köln", geo={"lat": 1.5}), order(6, city="Rom"), order(7))
    done = leat("run", folder)
    check("those that come together are told together", done.problems(0, "2 new fields: orders has city, geo, which no schema names") + ([] if done.err.count("new field") == 1 else [done.err]))
    feed(feeds, "3", order(8, city="Bonn", tags=["a"]))
    done = leat("run", folder)
    check("what was told is not told again", done.problems(0, "orders has tags") + ([] if done.err.count("new field") == 1 and "a new field" in done.err else [done.err]))
    listed = leat("drift", folder, "--format", "json")
    got = [(f["source"], f["path"], f["type"], f["count"], f["example"]) for f in map(json.loads, listed.out.splitlines())]
    want = [("orders", "city", "string", 3, '"Köln"'), ("orders", "geo", "struct<lat:double>", 1, '{"lat": 1.5}'), ("orders", "tags", "array<string>", 1, '["a"]')]
    check("the list", multiset_problems("fields", got, want))
    spec = (folder / "spark-pipeline.yml").read_text()
    (folder / "spark-pipeline.yml").write_text(spec.replace("dt DATE", "dt DATE, city STRING"))
    listed = leat("drift", folder)
    check("a field that a schema has by now", listed.problems(0) or ([] if "city" not in listed.out and "geo" in listed.out else [listed.out]))
    rescued = "SELECT r.a, r._rescued_data AS d FROM (SELECT from_json(v, 'a INT', map('rescuedDataColumn', '_rescued_data')) AS r FROM VALUES ('{\"a\":1,\"A\":2,\"b\":[1]}'), ('{\"a\":\"x\"}'), ('{\"a\":3}') AS t(v))"
    expect("rescued data", rescued, [("a", "d"), ("1", '{"A":2,"b":[1]}'), ("", '{"a":"x"}'), ("3", "")])


def views_by_trigger():
    """A view over a busy table is computed every two seconds, and who lists its folder never sees two of it, or none."""
    folder, feeds, storage = shop("views", trigger="continuous", views="2 seconds")
    feed(feeds, "0", order(0))
    worker = Leat("run", folder)
    seen, ended = [], threading.Event()

    def look():
        place = storage / "tables/totals"
        while not ended.is_set():
            try:
                names = [n for n in os.listdir(place) if n.startswith("part-")]
            except FileNotFoundError:
                names = []
            if names or seen:
                seen.append(tuple(sorted(names)))
            time.sleep(0.001)

    looker = threading.Thread(target=look)
    looker.start()
    begun = time.monotonic()
    for i in range(1, 40):
        feed(feeds, str(i), order(i))
        time.sleep(0.2)
    time.sleep(3)
    took = time.monotonic() - begun
    ended.set()
    looker.join()
    worker.stop()
    check("a reader sees one whole view", [f"{len(names)} files: {names}" for names in set(seen) if len(names) != 1])
    versions, most = len(set(seen)), took / 2 + 2
    check("not at every epoch", [] if 3 <= versions <= most else [f"{versions} versions in {took:.0f} s"])
    expect("the last one is of everything", "SELECT sum(n) FROM totals", [("sum(n)",), ("40",)], folder=folder)


folder = duck_folder()
same_as_duckdb(folder)
parquet_shapes()
memory_is_bounded(folder)
lines()
refusals()
files_told()
rows_told(folder)
session_tables()
lines_of_a_file()
tables()
drift()
views_by_trigger()
finish()

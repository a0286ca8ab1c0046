"""Materialized views: any query, replaced in one step for readers at any moment and whenever leat is killed, and a view that
fails stops nothing else.

Folders of Parquet, CSV and JSON, with partitions and without, and Delta tables."""

import json
import os
import sys
import threading
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
import duckdb
from deltalake import DeltaTable
from trial import WORK, Leat, check, finish, leat

READERS = {"parquet": "read_parquet", "csv": "read_csv", "json": "read_json"}
ROWS = 3000
VIEW = """CREATE STREAMING TABLE bronze AS SELECT * FROM STREAM lines;
CREATE MATERIALIZED VIEW v {where} TBLPROPERTIES ('leat.format' = '{format}', 'header' = 'true'{more}) AS
SELECT id, day, sum(n) OVER (PARTITION BY day) AS of_day, (SELECT max(round) FROM bronze) AS round
FROM (SELECT *, row_number() OVER (PARTITION BY id ORDER BY round DESC) AS newest FROM bronze) WHERE newest = 1;
"""


class Place:
    """A project whose view has ROWS rows, all of the newest round that was fed."""

    def __init__(self, name, format="parquet", partitioned=False, sql=VIEW, more="", settings=""):
        self.root, self.format = WORK / name, format
        self.table = self.root / "tables/v"
        (self.root / "in").mkdir(parents=True)
        (self.root / "project/sql").mkdir(parents=True)
        (self.root / "project/spark-pipeline.yml").write_text(f"""name: views
storage: file://{self.root}/storage
libraries:
  - glob:
      include: sql/**
configuration:
  source.lines.format: json
  source.lines.path: {self.root}/in
  source.lines.schema: id BIGINT, n BIGINT, day INT, round INT
  spark.sql.session.timeZone: UTC
  leat.trigger: once
  leat.tables.path: {self.root}/tables
  leat.checkpoint: {self.root}/checkpoint
{settings}""")
        self.write_sql(sql.format(where="PARTITIONED BY (day)" if partitioned else "", format=format, more=more))

    def write_sql(self, sql):
        (self.root / "project/sql/v.sql").write_text(sql)

    def feed(self, round, rows=ROWS):
        lines = [{"id": i, "n": round, "day": i % 3, "round": round} for i in range(rows)]
        (self.root / f"in/{round:05}.json").write_text("".join(json.dumps(line) + "\n" for line in lines))

    def run(self, **environment):
        return leat("run", self.root / "project", **environment)

    def rows(self):
        """What a reader finds now: (how many, of which rounds)."""
        if self.format == "delta":
            rounds = DeltaTable(str(self.table)).to_pyarrow_table(columns=["round"])["round"].to_pylist()
            return len(rounds), sorted(set(rounds))
        pattern = f"{self.table}/**/*.{self.format}"
        found = duckdb.connect().sql(f"SELECT count(*), list(DISTINCT round) FROM {READERS[self.format]}('{pattern}')").fetchall()[0]
        return found[0], sorted(found[1] or [])

    def audit(self):
        done = leat("audit", self.root / "project")
        return [] if done.status == 0 else [f"audit left with {done.status}: {done.out[-800:]}{done.err[-300:]}"]

    def is_whole(self, round):
        rows, rounds = self.rows()
        problems = [] if (rows, rounds) == (ROWS, [round]) else [f"{rows} rows of rounds {rounds}, want {ROWS} of {round}"]
        return problems + [f"left beside the table: {p}" for p in self.table.parent.glob(".*")]


def replaced():
    """A reader that never stops finds one round, whole, or that files have vanished since it listed them."""
    for format in (*READERS, "delta"):
        place = Place(f"replaced-{format}", format, more=", 'leat.files.max_records' = '500'" if format != "delta" else "")
        place.feed(0)
        problems = place.run().problems(0)
        mixed, looks, over = [], [0], threading.Event()

        def look():
            while not over.is_set():
                try:
                    rows, rounds = place.rows()
                except Exception:  # vanished: it lists again
                    continue
                looks[0] += 1
                if rows != ROWS or len(rounds) != 1:
                    mixed.append(f"a reader found {rows} rows of rounds {rounds}")

        reader = threading.Thread(target=look)
        reader.start()
        for round in range(1, 5):
            place.feed(round)
            problems += place.run().problems(0)
        over.set()
        reader.join()
        problems += mixed[:3] + ([] if looks[0] else ["nobody looked"])
        check(f"replaced while it is read, {format}", problems + place.is_whole(4) + place.audit())


def reshaped():
    """A Delta view gets the columns and partitions that its query has now, in the commit that replaces its rows, also when that is
    killed; older versions keep theirs."""
    head = "CREATE STREAMING TABLE bronze AS SELECT * FROM STREAM lines;\nCREATE MATERIALIZED VIEW v {} TBLPROPERTIES ('leat.format' = 'delta') AS {};\n"
    shapes = [("", "SELECT id, n, round FROM bronze", "id n round", []),
              ("PARTITIONED BY (day)", "SELECT id, day, CAST(n AS STRING) AS n, round FROM bronze", "day id n round", ["day"]),
              ("", "SELECT id AS other, round, TIMESTAMP_NTZ'2026-01-01 00:00:00' AS t FROM bronze", "other round t", []),
              ("PARTITIONED BY (round)", "SELECT id, round FROM bronze", "id round", ["round"])]
    place, problems = Place("reshaped", "delta", sql=head.format(*shapes[0][:2])), []
    place.feed(0, 100)
    for version, (where, query, names, parts) in enumerate(shapes):
        place.write_sql(head.format(where, query))
        if version > 0:
            point = ("after_record:1", "delta_before:1", "delta_put:1")[version - 1]
            done = place.run(LEAT_FAIL=f"{point}:kill")
            problems += [] if done.status == -9 else [f"{point} did not kill: {done.status} {done.err[-500:]}"]
        problems += place.run().problems(0)
        table = DeltaTable(str(place.table))
        problems += [] if table.version() == version and table.metadata().partition_columns == parts else [f"{version}: {table.version()} {table.metadata()}"]
    for version, (_, _, names, _) in enumerate(shapes):
        table = DeltaTable(str(place.table), version=version).to_pyarrow_table()
        problems += [] if sorted(table.column_names) == names.split() and table.num_rows == 100 else [f"{version}: {table.schema}"]
    files = [uri.removeprefix("file://") for uri in DeltaTable(str(place.table)).file_uris()]
    counted = duckdb.connect().sql(f"SELECT count(id), max(round) FROM read_parquet({files}, hive_partitioning = true)").fetchall()
    problems += [] if counted == [(100, 0)] else [f"DuckDB: {counted}"]
    seen = leat("sql", place.root / "project", "--format", "csv", "-c", "SELECT count(*), max(round) FROM v")
    check("reshaped, and older versions as they were", problems + place.audit() + ([] if "100,0" in seen.out else [seen.out + seen.err]))


def killed():
    """At each step of a replacement; the next start finishes or repeats it, and before that a reader finds one round."""
    # the records have an epoch of their own before the views
    folders = ("after_record:2", "swap_linked:1", "swap_done:1", "publish_done:2")
    log = ("after_record:2", "delta_before:1", "delta_put:1")
    for format in (*READERS, "delta"):
        for partitioned in (False, True):
            problems = []
            place = Place(f"killed-{format}-{partitioned}", format, partitioned)
            place.feed(0)
            problems += place.run().problems(0)
            for round, point in enumerate(log if format == "delta" else folders, 1):
                place.feed(round)
                if place.run(LEAT_FAIL=point).status != -9:
                    problems.append(f"{point} was not reached")
                rows, rounds = place.rows()
                if rows != ROWS or len(rounds) != 1:
                    problems.append(f"{point}: before the next start {rows} rows of rounds {rounds}")
                problems += place.run().problems(0)
                problems += [f"{point}: {p}" for p in place.is_whole(round) + place.audit()]
            check(f"killed, {format}{', partitions' if partitioned else ''}", problems)


def emptied():
    """A view of no rows is a table of no rows, and has some again later."""
    sql = VIEW + "CREATE MATERIALIZED VIEW odd {where} AS SELECT * FROM v WHERE round % 2 = 1;\n"
    for partitioned in (False, True):
        place, problems = Place(f"emptied-{partitioned}", partitioned=partitioned, sql=sql), []
        for round in range(4):
            place.feed(round)
            problems += place.run().problems(0)
            files = list((place.root / "tables/odd").rglob("*.parquet"))
            count = sum(duckdb.sql(f"SELECT count(*) FROM '{f}'").fetchall()[0][0] for f in files)
            want = ROWS if round % 2 else 0
            problems += [] if count == want else [f"round {round}: {count} rows, want {want}"]
        check(f"emptied{', partitions' if partitioned else ''}", problems + place.audit())


FAILING = """CREATE STREAMING TABLE bronze AS SELECT * FROM STREAM lines;
CREATE MATERIALIZED VIEW v AS SELECT id, 10 DIV (round - 1) AS q, round FROM bronze;
CREATE MATERIALIZED VIEW over_v AS SELECT count(q) AS n FROM v;
CREATE MATERIALIZED VIEW good AS SELECT max(round) AS round FROM bronze;
"""


def failing():
    """It keeps its rows, and so does the one above it; all others go on; the run ends with the error."""
    place = Place("failing", sql=FAILING)
    place.feed(0, 10)
    problems = place.run().problems(0)
    place.feed(1, 10)
    done = place.run()
    problems += done.problems(3, "sql/v.sql:2:", "DIVIDE_BY_ZERO", "materialized view v keeps its rows", "view over_v keeps")
    table = lambda name: duckdb.sql(f"SELECT * FROM '{place.root}/tables/{name}/*.parquet'").fetchall()
    problems += [] if len(table("bronze")) == 20 else ["the stream did not go on"]
    problems += [] if table("good") == [(1,)] else [f"good is {table('good')}"]
    problems += [] if table("over_v") == [(10,)] and len(table("v")) == 10 else ["a view did not keep its rows"]
    place.write_sql(FAILING.replace("round - 1)", "round + 1)"))
    problems += place.run().problems(0)
    problems += [] if table("over_v") == [(20,)] else [f"mended: {table('over_v')}"]
    check("a view that fails", problems + place.audit())
    strict = Place("failing-strict", sql=FAILING, settings="  leat.on_error: fail\n")
    strict.feed(1, 10)
    check("a view that fails, leat.on_error = fail", strict.run().problems(3, "DIVIDE_BY_ZERO"))


STARVING = """CREATE STREAMING TABLE bronze AS SELECT * FROM STREAM lines;
CREATE MATERIALIZED VIEW big AS SELECT collect_list(repeat(CAST(n AS STRING), 500000)) AS all FROM bronze;
CREATE MATERIALIZED VIEW good AS SELECT max(round) AS round FROM bronze;
"""


def starving():
    """A view that memory does not suffice for is told once, with what to do, and not tried again with every change."""
    place = Place("starving", sql=STARVING, settings="  leat.memory: 64m\n")
    place.feed(0, 300)
    worker = Leat("run", place.root / "project", "--set", "leat.trigger=100 milliseconds")
    problems = []
    for round in range(4):
        deadline, seen = time.monotonic() + 60, None
        while seen != [(round,)] and time.monotonic() < deadline:
            time.sleep(0.05)
            try:
                seen = duckdb.connect().sql(f"SELECT * FROM '{place.root}/tables/good/*.parquet'").fetchall()
            except duckdb.Error:
                pass  # it is not there yet, or changes places
        problems += [] if seen == [(round,)] else [f"round {round}: the other view is {seen}"]
        place.feed(round + 1, 300)
    done = worker.stop()
    told = [line for line in done.err.splitlines() if "view big keeps its rows" in line]
    if len(told) != 1 or "raise leat.memory" not in told[0]:
        problems.append(f"told {len(told)} times: {told[:2]}")
    check("a view that memory does not suffice for", problems)
    check("the same in a run that ends", place.run().problems(1, "view big keeps its rows", "raise leat.memory"))


os.chdir(WORK)
replaced()
reshaped()
killed()
emptied()
failing()
starving()
finish()

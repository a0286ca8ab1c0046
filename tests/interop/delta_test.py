"""Delta tables: written by leat and read by delta-rs, made by delta-rs and continued by leat, both at once."""
import datetime
import json
import os
import threading
import time
from collections import Counter
from decimal import Decimal
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
from deltalake import DeltaTable, write_deltalake
from deltalake.exceptions import DeltaError

from trial import WORK, Leat, check, finish, leat

RACE_SECONDS = float(os.environ.get("RACE_SECONDS", "20"))
SCHEMA = ("id BIGINT, name STRING, price DECIMAL(12,2), at TIMESTAMP, d DATE, f DOUBLE, ok BOOLEAN, "
          "s STRUCT<a: INT, b: ARRAY<STRING>>, region STRING")
REGIONS = (None, "a b", "ü/=%:", "eu")
UTC = datetime.timezone.utc


class Project:
    """A project over JSON files of a folder; each file is an epoch."""

    def __init__(self, name, sql, schema=SCHEMA, **settings):
        self.root = WORK / name
        self.folder, self.inputs, self.tables = self.root / "project", self.root / "in", self.root / "tables"
        (self.folder / "transformations").mkdir(parents=True)
        self.inputs.mkdir()
        lines = {"source.events.format": "json", "source.events.path": self.inputs, "source.events.schema": f'"{schema}"',
                 "source.events.maxFilesPerTrigger": '"1"', "spark.sql.session.timeZone": "Europe/Berlin",
                 "leat.trigger": "once", "leat.tables.path": self.tables, "leat.checkpoint": self.root / "checkpoint", **settings}
        (self.folder / "spark-pipeline.yml").write_text(
            f"name: {name}\nstorage: file://{self.root}/checkpoint\nlibraries:\n  - glob:\n      include: transformations/**\n"
            "configuration:\n" + "".join(f"  {key}: {value}\n" for key, value in lines.items()))
        self.write_sql(sql)
        self.next = 0

    def write_sql(self, sql):
        (self.folder / "transformations/tables.sql").write_text(sql)

    def feed(self, rows):
        """Whole when it is seen."""
        path = self.inputs / f"{self.next:06d}.json"
        part = self.root / "part"
        part.write_text("".join(json.dumps(row) + "\n" for row in rows))
        part.rename(path)
        self.next += 1

    def run(self, *flags):
        return leat("run", self.folder, *flags)

    def table(self, name):
        return DeltaTable(str(self.tables / name))


def event(n):
    return {"id": n, "name": None if n % 7 == 0 else f'näme "{n}"', "price": n * 1.25 - 100,
            "at": f"2026-01-0{1 + n % 5} 0{n % 9}:00:00.{n:06d}", "d": f"2026-02-1{n % 4}", "f": n / 3, "ok": n % 2 == 0,
            "s": {"a": n, "b": ["x", str(n)]}, "region": REGIONS[n % 4]}


def as_read(row):
    at = datetime.datetime.fromisoformat(row["at"]) - datetime.timedelta(hours=1)  # Berlin's winter
    return {**row, "price": Decimal(f"{row['price']:.2f}"), "at": at.replace(tzinfo=UTC), "d": datetime.date.fromisoformat(row["d"])}


def rows_of(table):
    return sorted(table.to_pyarrow_table().to_pylist(), key=lambda row: row["id"])


def differences(got, want):
    return [f"{len(got)} rows, want {len(want)}"] * (len(got) != len(want)) + \
        [f"got {a}, want {b}" for a, b in zip(got, want) if a != b][:2]


def statistics(table):
    """Of each file: numRecords, and least and greatest id."""
    adds = pa.table(table.get_add_actions(flatten=True)).to_pylist()
    return sorted((add["min.id"], add["max.id"], add["num_records"]) for add in adds)


# ---- what leat writes ----


def written():
    project = Project("written", """
        CREATE STREAMING TABLE plain USING delta TBLPROPERTIES ('delta.checkpointInterval' = '3') AS SELECT * FROM STREAM events;
        CREATE STREAMING TABLE parted USING delta PARTITIONED BY (region, d) AS SELECT * FROM STREAM events;
        CREATE STREAMING TABLE by_time USING delta PARTITIONED BY (at) AS SELECT id, at FROM STREAM events WHERE id % 10 = 0;
        CREATE MATERIALIZED VIEW sums USING delta AS SELECT region, count(*) AS n, sum(price) AS total FROM plain GROUP BY region;
        """)
    events = [event(n) for n in range(400)]
    for first in range(0, 400, 50):
        project.feed(events[first:first + 50])
    check("it runs", project.run("--once").problems(0))
    want = [as_read(row) for row in events]
    for name in ("plain", "parted"):
        check(f"delta-rs reads {name}", differences(rows_of(project.table(name)), want))
    check("times as partitions", differences(
        rows_of(project.table("by_time")), [{"id": row["id"], "at": row["at"]} for row in want if row["id"] % 10 == 0]))
    check("statistics", differences(statistics(project.table("plain")), [(n, n + 49, 50) for n in range(0, 400, 50)]))
    check("checkpoints", [] if list(project.tables.glob("plain/_delta_log/*.checkpoint.parquet")) else ["there is none"])
    history = project.table("plain").history()
    check("its history", differences([entry.get("readVersion") for entry in reversed(history)], [None, *range(len(history) - 1)]))
    older = DeltaTable(str(project.tables / "plain"), version=2)
    check("an older version", differences(rows_of(older), want[:150]))
    totals = {row["region"]: (row["n"], row["total"]) for row in project.table("sums").to_pyarrow_table().to_pylist()}
    groups = {region: [row["price"] for row in want if row["region"] == region] for region in REGIONS}
    check("a view is replaced in one commit", differences(
        sorted(totals.items(), key=str), sorted(((region, (len(p), sum(p))) for region, p in groups.items()), key=str)))
    check("the audit agrees", leat("audit", project.folder).problems(0))
    vacuumed = leat("vacuum", project.folder, "--dry-run")
    check("nothing is old enough for a vacuum", [] if "0 files of" in vacuumed.out else [vacuumed.out + vacuumed.err])
    grown(project, want)


def age(folder):
    """As if its files had been written long ago."""
    for path in folder.rglob("*.parquet"):
        os.utime(path, (1, 1))


def vacuumed_before_the_commit():
    """Killed between the record and the log's commit: the files are in no version, and old; they are the last epoch's."""
    project = Project("pending", "CREATE STREAMING TABLE t USING delta AS SELECT id FROM STREAM events;")
    project.feed({"id": n} for n in range(10))
    check("a table", project.run("--once").problems(0))
    project.feed({"id": n} for n in range(10, 20))
    killed = leat("run", project.folder, LEAT_FAIL="delta_before:1:kill")
    check("it is killed", [] if killed.status < 0 else [f"left with {killed.status}"])
    (project.tables / "t/stray.parquet").write_text("nobody's")
    age(project.tables)
    done = leat("vacuum", project.folder, "--keep", "1 hour")
    check("what is nobody's goes", [] if " 1 file of" in done.out else [done.out + done.err])
    check("it goes on", project.run("--once").problems(0))
    got = sorted(row["id"] for row in project.table("t").to_pyarrow_table().to_pylist())
    check("nothing is lost to a vacuum", differences(got, list(range(20))))
    for keep in ("0", "0 seconds", "1 second"):
        check(f"--keep {keep}", leat("vacuum", project.folder, "--keep", keep).problems(2, "1 hour"))
    write_deltalake(str(project.tables / "t/below/u"), ids(0, 3))
    age(project.tables)
    done = leat("vacuum", project.folder)
    check("a table below another", [] if " 0 files of" in done.out else [done.out + done.err])


def grown(project, want):
    """The query has a column more, then one of another type."""
    project.write_sql("CREATE STREAMING TABLE plain USING delta AS SELECT *, id * 2 AS twice FROM STREAM events;")
    asked = leat("sql", project.folder, "--format", "csv", "-c", "SELECT count(*) AS n, count(twice) AS t FROM plain; SELECT max(id) AS m FROM plain")
    check("before that it is NULL", asked.problems(0) + ([] if asked.out.split() == ["n,t", "400,0", "m", "399"] else [asked.out]))
    project.feed([event(400)])
    check("a new column is added", project.run("--once", "--accept").problems(0))
    rows = rows_of(project.table("plain"))
    check("and is NULL in older rows", differences(
        rows, [{**row, "twice": None} for row in want] + [{**as_read(event(400)), "twice": 800}]))
    project.write_sql("CREATE STREAMING TABLE plain USING delta AS SELECT *, CAST(id * 2 AS STRING) AS twice FROM STREAM events;")
    project.feed([event(401)])
    check("another type is refused", project.run("--once", "--accept").problems(2, "column twice is"))


# ---- what delta-rs has made ----


def ids(first, count):
    return pa.table({"id": pa.array(range(first, first + count), pa.int64()), "who": pa.array(["delta-rs"] * count, pa.string())})


CONTINUE = "CREATE STREAMING TABLE shared USING delta TBLPROPERTIES ('leat.path' = '{path}') AS SELECT id, 'leat' AS who FROM STREAM events;"


def continued():
    path = WORK / "shared-table"
    write_deltalake(str(path), ids(1_000_000, 10))
    project = Project("continued", CONTINUE.format(path=path), "id BIGINT")
    project.feed({"id": n} for n in range(5))
    check("it appends", project.run("--once").problems(0))
    check("to what was there", differences(
        [row["id"] for row in rows_of(DeltaTable(str(path)))], [*range(5), *range(1_000_000, 1_000_010)]))
    table = DeltaTable(str(path))
    table.delete("id = 1000003")
    table.optimize.compact()
    table.create_checkpoint()
    project.feed({"id": n} for n in range(5, 8))
    check("it goes on behind others", project.run("--once").problems(0))
    table = DeltaTable(str(path))
    check("and keeps what they did", differences(
        [row["id"] for row in rows_of(table)], [*range(8), *(n for n in range(1_000_000, 1_000_010) if n != 1_000_003)]))
    audited = leat("audit", project.folder)
    check("files of others are theirs", audited.problems(0) + [f"says no {word}: {audited.out}" for word in
          ("other_writer", "added by another writer, version") if word not in audited.out])
    pq.write_table(ids(7, 1), path / "stray.parquet")
    check("but one without a commit is not", leat("audit", project.folder).problems(3))
    (path / "stray.parquet").unlink()
    table.alter.add_constraint({"small": "id < 5000000"})
    project.feed([{"id": 8}])
    check("a constraint is refused by name", project.run("--once").problems(2, "checkConstraints"))


def not_null():
    path = WORK / "strict-table"
    schema = pa.schema([pa.field("id", pa.int64(), nullable=False), pa.field("who", pa.string())])
    write_deltalake(str(path), ids(100, 1).cast(schema))
    project = Project("strict", CONTINUE.format(path=path), "id BIGINT")
    project.feed([{"id": 1}, {"who": "nobody"}, {"id": 2}])
    check("a table with NOT NULL is continued", project.run("--once").problems(0))
    check("with rows that have it", differences([row["id"] for row in rows_of(DeltaTable(str(path)))], [1, 2, 100]))
    refused = [row for file in (project.tables / "_quarantine").glob("*.parquet") for row in pq.read_table(file).to_pylist()]
    check("the others are set aside", differences([row["reason"] for row in refused], ["DELTA_NOT_NULL_CONSTRAINT_VIOLATED"]))


# ---- what leat reads ----

CONFORMANCE = os.environ.get("CONFORMANCE_DIR")
VARIANT = "spark-variant-checkpoint"  # its rows are counted in tests/unit/delta


def listed():
    """The tables whose files are there, with their rows: "name version rows note" in the README."""
    for line in Path(CONFORMANCE, "delta/README.txt").read_text().splitlines():
        words = line.split(None, 3)
        whole = len(words) > 2 and words[0].startswith("tables/") and words[1].isdigit() and words[2].isdigit()
        if whole and "log only" not in line and "start state" not in line and VARIANT not in line:
            yield words[0], int(words[2])


def counted():
    wants = list(listed())
    queries = ";".join(f"SELECT count(*) AS n FROM delta.`{CONFORMANCE}/delta/{name}`" for name, _ in wants)
    done = leat("sql", "--format", "csv", "-c", queries)
    got = [int(line) for line in done.out.split() if line.isdigit()]
    check("leat reads the tables of delta-rs", [done.err[-500:]] * (len(got) != len(wants)) +
          [f"{name}: {rows} rows, want {want}" for (name, want), rows in zip(wants, got) if want != rows])
    check("and they are many", [] if len(wants) > 30 else [f"{len(wants)}"])


def mapped_by_id():
    """In the files the columns have other names than in the log: only their ids are the same."""
    path = WORK / "mapped-table"
    (path / "_delta_log").mkdir(parents=True)
    numbered = [pa.field(name, kind, metadata={"PARQUET:field_id": str(number)}) for name, kind, number in
                (("was_id", pa.int64(), 1), ("id", pa.string(), 2))]
    inner = pa.field("old", pa.int64(), metadata={"PARQUET:field_id": "4"})
    schema = pa.schema([*numbered, pa.field("s", pa.struct([inner]), metadata={"PARQUET:field_id": "3"})])
    pq.write_table(pa.table([[1, 2], ["a", "b"], [{"old": 7}, None]], schema=schema), path / "x.parquet")

    def field(name, kind, number):
        return {"name": name, "type": kind, "nullable": True, "metadata": {
            "delta.columnMapping.id": number, "delta.columnMapping.physicalName": f"col-{number}"}}

    columns = [field("id", "long", 1), field("name", "string", 2), field("late", "date", 9),
               field("s", {"type": "struct", "fields": [field("new", "long", 4)]}, 3)]
    actions = [{"protocol": {"minReaderVersion": 2, "minWriterVersion": 5}},
               {"metaData": {"id": "x", "format": {"provider": "parquet", "options": {}}, "partitionColumns": [],
                             "schemaString": json.dumps({"type": "struct", "fields": columns}),
                             "configuration": {"delta.columnMapping.mode": "id"}}},
               {"add": {"path": "x.parquet", "partitionValues": {}, "size": (path / "x.parquet").stat().st_size,
                        "modificationTime": 0, "dataChange": True}}]
    (path / f"_delta_log/{0:020d}.json").write_text("".join(json.dumps(action) + "\n" for action in actions))
    done = leat("sql", "--format", "csv", "-c",
                f"SELECT id, name, late, s.new FROM delta.`{path}` ORDER BY id; SELECT name AS n FROM delta.`{path}` WHERE id = 2")
    check("columns are found by their ids", [] if done.out.split() == ["id,name,late,new", "1,a,,7", "2,b,,", "n", "b"]
          else [done.out + done.err])


# ---- both at once ----


def race():
    path = WORK / "race-table"
    write_deltalake(str(path), ids(0, 0))
    project = Project("race", CONTINUE.format(path=path), "id BIGINT", **{"leat.trigger": "continuous", "source.events.maxFilesPerTrigger": '"100"'})
    written, unknown, ended = [], [], threading.Event()

    def other():
        """It gives up when it loses too often, and when a version slips through its listing of a folder that is written to."""
        number = 0
        while not ended.is_set():
            rows = ids(10_000_000 + number * 10, 10)
            number += 1
            try:
                write_deltalake(str(path), rows, mode="append")
                written.extend(rows["id"].to_pylist())
            except DeltaError:
                unknown.append(rows["id"].to_pylist())

    process, writer, fed = Leat("run", project.folder, "--set", "leat.files.max_staleness=10 ms"), threading.Thread(target=other), 0
    writer.start()
    begun = time.monotonic()
    while time.monotonic() - begun < RACE_SECONDS:
        project.feed({"id": n} for n in range(fed, fed + 7))
        fed += 7
        time.sleep(0.02)
    ended.set()
    writer.join()
    process.stop()
    check("the rest is read", Leat("run", project.folder, "--once").wait(120).problems(0))
    table = DeltaTable(str(path))
    got = Counter(pa.table(table.to_pyarrow_table(columns=["id"]))["id"].to_pylist())
    done = [number for rows in unknown if rows[0] in got for number in rows]
    want = Counter([*range(fed), *written, *done])
    lost, double = want - got, got - want
    commits = sorted(int(file.stem) for file in path.glob("_delta_log/*.json"))
    ours = sum('"leat/' in (path / f"_delta_log/{version:020d}.json").read_text() for version in commits)
    print(f"race of {RACE_SECONDS:.0f} s: {len(commits)} commits, {ours} of leat and {len(commits) - ours} of delta-rs, "
          f"which gave up {len(unknown)} times; lost {lost.total()}, double {double.total()}")
    check("nothing is lost or double", [f"lost {list(lost)[:3]}, double {list(double)[:3]}"] * bool(lost or double))
    check("every version is there", [] if commits == list(range(len(commits))) else [f"{len(commits)} of {commits[-1] + 1}"])
    check("both came through", [] if min(ours, len(commits) - ours) > RACE_SECONDS / 2 else [f"{ours} of {len(commits)}"])


written()
vacuumed_before_the_commit()
continued()
not_null()
mapped_by_id()
if CONFORMANCE:
    counted()
race()
finish(skipped=0 if CONFORMANCE else 2)

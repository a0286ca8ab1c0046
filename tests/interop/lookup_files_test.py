"""Streams joined with Parquet files and Delta tables: rows, re-reading, partitions, checkpoints, and what is refused by name.
CONFORMANCE_DIR: the tables of delta-rs too, by their number of rows. No broker."""

import datetime
import json
import os
import re
import sys
from decimal import Decimal
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

sys.path.insert(0, str(Path(__file__).parent))
from trial import WORK, check, finish, leat, multiset_problems, project

SQL = "CREATE STREAMING TABLE out TBLPROPERTIES ('leat.format' = 'json') AS\nSELECT {select} FROM STREAM asks a {join};\n"


class Trial:
    """A project over a folder of questions and one still relation, run once after each feed."""

    def __init__(self, name, kind, path, schema, select, join, columns="id BIGINT"):
        self.feeds = WORK / f"{name}-in"
        self.feeds.mkdir()
        self.storage = WORK / f"{name}-storage"
        spec = f"""name: lookups
storage: {self.storage.as_uri()}
libraries: [{{glob: {{include: transformations/**}}}}]
configuration:
  leat.trigger: once
  source.asks.format: json
  source.asks.path: {self.feeds.as_uri()}
  source.asks.schema: "{columns}"
  source.dim.format: {kind}
  source.dim.path: {Path(path).as_uri()}
  source.dim.schema: "{schema}"
"""
        self.folder = project(name, spec, SQL.format(select=select, join=join))
        self.number, self.seen = 0, []

    def ask(self, *rows):
        """What these rows bring into the table."""
        self.number += 1
        part = self.feeds / f".{self.number:05}"
        part.write_text("".join(json.dumps(row) + "\n" for row in rows))
        part.rename(self.feeds / f"{self.number:05}.json")
        self.done = leat("run", self.folder)
        if self.done.status != 0:
            return None
        rows = []
        for path in sorted((self.storage / "tables/out").glob("*.json")):
            rows += path.read_text().splitlines()
        fresh = list(rows)
        for row in self.seen:
            fresh.remove(row)
        self.seen = rows
        return fresh

    def expect(self, what, asked, *wanted):
        got = self.ask(*asked)
        if got is None:
            check(what, self.done.problems(0) or ["left with an error"])
            return
        parsed = [json.dumps(json.loads(row), sort_keys=True) for row in got]
        check(what, multiset_problems("rows", parsed, [json.dumps(row, sort_keys=True) for row in wanted]))

    def refused(self, what, *words):
        got = self.ask({"id": 1})
        check(what, [f"gave {got}"] if got is not None else [f"does not say {w!r}: {self.done.err[-900:]}" for w in words if w not in self.done.err])


# ---- Parquet ----


def parquet_folder():
    folder = WORK / "dim"
    for kind, rows in {"old": [1, 2], "new%20%3D": [3], "__HIVE_DEFAULT_PARTITION__": [4]}.items():
        part = folder / f"kind={kind}/day=2024-02-2{len(rows)}"
        part.mkdir(parents=True)
        table = pa.table({"ID": pa.array(rows, pa.int32()), "name": [f"n{r}" for r in rows],
                          "price": pa.array([Decimal(r) / 4 for r in rows], pa.decimal128(9, 2)),
                          "tags": [["x", None]] * len(rows), "at": pa.array([datetime.datetime(2024, 1, 1, 0, 0, r) for r in rows], pa.timestamp("ms", "UTC"))})
        pq.write_table(table, part / "part-0.parquet", compression="zstd")
        (part / "_SUCCESS").write_text("")
    trial = Trial("parquet", "parquet", folder, "id BIGINT, name STRING, price DECIMAL(10,2), tags ARRAY<STRING>, at TIMESTAMP, kind STRING, day DATE, gone INT",
                  "a.id, d.name, d.price, d.tags, d.at, d.kind, d.day, d.gone", "LEFT JOIN dim d ON a.id = d.id")
    trial.expect("parquet: rows of all partitions", [{"id": i} for i in (1, 3, 4, 5)],
                 {"id": 1, "name": "n1", "price": 0.25, "tags": ["x", None], "at": "2024-01-01T00:00:01.000Z", "kind": "old", "day": "2024-02-22"},
                 {"id": 3, "name": "n3", "price": 0.75, "tags": ["x", None], "at": "2024-01-01T00:00:03.000Z", "kind": "new =", "day": "2024-02-21"},
                 {"id": 4, "name": "n4", "price": 1.0, "tags": ["x", None], "at": "2024-01-01T00:00:04.000Z", "day": "2024-02-21"},
                 {"id": 5})
    pq.write_table(pa.table({"id": pa.array([5], pa.int64()), "name": ["n5"], "gone": pa.array([7], pa.int8())}), folder / "kind=old/more.parquet")
    trial.expect("parquet: a file more, with other columns", [{"id": 5}], {"id": 5, "name": "n5", "kind": "old", "gone": 7})
    (folder / "kind=old/more.parquet").write_bytes(b"PAR1 this is no Parquet file PAR1")
    trial.refused("parquet: a damaged file", "more.parquet")
    pq.write_table(pa.table({"id": ["one"]}), folder / "kind=old/more.parquet")
    trial.refused("parquet: a type that does not fit", "more.parquet", "column id", "string", "bigint")


# ---- Delta ----


class Delta:
    """A table whose log is written by hand."""

    def __init__(self, name, fields, partitions=(), configuration=None, protocol=None):
        self.path, self.version = WORK / name, -1
        (self.path / "_delta_log").mkdir(parents=True)
        schema = {"type": "struct", "fields": [{"name": n, "type": t, "nullable": True, "metadata": {}} for n, t in fields]}
        self.metadata = {"id": "x", "format": {"provider": "parquet", "options": {}}, "schemaString": json.dumps(schema),
                         "partitionColumns": list(partitions), "configuration": configuration or {}}
        self.protocol = protocol or {"minReaderVersion": 1, "minWriterVersion": 2}
        self.commit({"protocol": self.protocol}, {"metaData": self.metadata})

    def commit(self, *actions):
        self.version += 1
        lines = "".join(json.dumps(a) + "\n" for a in actions)
        (self.path / f"_delta_log/{self.version:020}.json").write_text(lines)

    def file(self, name, table, partition=None, uri=None, **more):
        path = self.path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        pq.write_table(table, path)
        return {"add": {"path": uri or name, "partitionValues": partition or {}, "size": path.stat().st_size, "modificationTime": 0, "dataChange": True, **more}}

    def checkpoint(self, *adds):
        rows = [{"protocol": self.protocol}, {"metaData": self.metadata}, *adds]
        text = pa.map_(pa.string(), pa.string())
        schema = pa.schema({
            "txn": pa.struct({"appId": pa.string()}),
            "add": pa.struct({"path": pa.string(), "partitionValues": text, "size": pa.int64()}),
            "metaData": pa.struct({"id": pa.string(), "schemaString": pa.string(), "partitionColumns": pa.list_(pa.string()), "configuration": text}),
            "protocol": pa.struct({"minReaderVersion": pa.int32(), "minWriterVersion": pa.int32()})})
        plain = []
        for row in rows:
            row = json.loads(json.dumps(row))
            for action in row.values():
                for name in ("partitionValues", "configuration"):
                    if name in action:
                        action[name] = list(action[name].items())
            plain.append({name: row.get(name) for name in schema.names})
        pq.write_table(pa.Table.from_pylist(plain, schema), self.path / f"_delta_log/{self.version:020}.checkpoint.parquet")


def rows_of(*pairs):
    return pa.table({"id": pa.array([p[0] for p in pairs], pa.int64()), "name": [p[1] for p in pairs]})


def delta_table():
    table = Delta("table", [("id", "long"), ("name", "string"), ("region", "string"), ("day", "date")], ["region", "day"])
    one = table.file("region=eu/a.parquet", rows_of((1, "ann"), (2, "bob")), {"region": "eu", "day": "2024-02-29"})
    two = table.file("region=a b/b.parquet", rows_of((3, "cay")), {"region": "a b", "day": None}, uri="region=a%20b/b.parquet")
    table.commit(one, two, {"commitInfo": {"operation": "WRITE"}})
    trial = Trial("delta", "delta", table.path, "id BIGINT, name STRING, region STRING, day DATE",
                  "a.id, d.name, d.region, d.day", "JOIN dim d ON a.id = d.id")
    asks = [{"id": i} for i in range(1, 6)]
    first = [{"id": 1, "name": "ann", "region": "eu", "day": "2024-02-29"}, {"id": 2, "name": "bob", "region": "eu", "day": "2024-02-29"}]
    third = {"id": 3, "name": "cay", "region": "a b"}
    trial.expect("delta: the newest version", asks, *first, third)
    four = table.file("c.parquet", rows_of((4, "dee")), {"region": "", "day": "2024-01-01"})
    table.commit({"remove": {"path": one["add"]["path"], "deletionTimestamp": 1, "dataChange": True}}, four)
    fourth = {"id": 4, "name": "dee", "day": "2024-01-01"}
    trial.expect("delta: a file removed, one added", asks, third, fourth)
    table.checkpoint(two, four)
    for version in range(table.version + 1):
        (table.path / f"_delta_log/{version:020}.json").unlink()
    trial.expect("delta: nothing but a checkpoint", asks, third, fourth)
    table.commit(one)
    trial.expect("delta: a commit behind a checkpoint", asks, *first, third, fourth)
    (table.path / "c.parquet").unlink()
    trial.refused("delta: a file of the table is gone", "c.parquet")


def delta_refusals():
    fields = [("id", "long")]
    feature = {"minReaderVersion": 3, "minWriterVersion": 7, "readerFeatures": ["deletionVectors"], "writerFeatures": ["deletionVectors"]}

    def attempt(name, table, words, schema="id BIGINT"):
        trial = Trial(name, "delta", table.path, schema, "d.*", "JOIN dim d ON a.id = d.id")
        trial.refused(f"delta: {name}", *words)

    vectors = Delta("vectors", fields, protocol=feature)
    vectors.commit(vectors.file("a.parquet", rows_of((1, "x")), deletionVector={"storageType": "u", "pathOrInlineDv": "x", "sizeInBytes": 1, "cardinality": 1}))
    attempt("dv", vectors, ["a.parquet", "deletion vector with no name of a file: x"])
    odd = Delta("odd", fields, protocol={"minReaderVersion": 3, "minWriterVersion": 7, "readerFeatures": ["someday"], "writerFeatures": []})
    attempt("feature", odd, ["someday"])
    plain = Delta("plain", fields)
    attempt("column", plain, ["no column idd"], "idd BIGINT, id BIGINT")
    (plain.path / f"_delta_log/{1:020}.json").write_text("{not json\n")
    attempt("garbage", plain, ["version 1, line 1"])
    gap = Delta("gap", fields)
    gap.version += 1
    gap.commit(gap.file("a.parquet", rows_of((1, "x"))))
    attempt("hole", gap, ["version 1 of the log is missing"])
    (WORK / "nothing").mkdir()
    trial = Trial("none", "delta", WORK / "nothing", "id BIGINT", "a.id", "JOIN dim d ON a.id = d.id")
    trial.refused("delta: no table", "no Delta table")


# ---- the tables of delta-rs ----

DDL = {"long": "BIGINT", "integer": "INT", "short": "SMALLINT", "byte": "TINYINT", "string": "STRING", "double": "DOUBLE",
       "float": "FLOAT", "boolean": "BOOLEAN", "date": "DATE", "timestamp": "TIMESTAMP", "timestamp_ntz": "TIMESTAMP_NTZ", "binary": "BINARY"}


def column_of(table):
    """Some column of the newest schema, as `name TYPE`."""
    for path in sorted((table / "_delta_log").glob("*.json"), reverse=True):
        for line in path.read_text().splitlines():
            metadata = json.loads(line).get("metaData") if line.startswith("{") else None
            for field in json.loads(metadata["schemaString"])["fields"] if metadata else []:
                if isinstance(field["type"], str) and field["type"] in DDL:
                    return f"`{field['name']}` {DDL[field['type']]}"
    return None


def conformance():
    root = os.environ.get("CONFORMANCE_DIR")
    if root is None:
        print("skipped: no CONFORMANCE_DIR for the tables of delta-rs")
        return 1
    lines = (Path(root) / "delta/README.txt").read_text().splitlines()
    for line in lines:
        row = re.match(r"tables/(\S+)\s+\d+\s+(\d+)\s*(.*)$", line)
        table = row and Path(root) / "delta/tables" / row[1]
        column = column_of(table) if table else None
        if column is None or "log only" in row[3]:
            continue
        trial = Trial(row[1].replace("/", "-"), "delta", table, column, "a.id, d.n", "JOIN (SELECT count(*) AS n FROM dim) d ON a.id = d.n OR a.id <> d.n")
        got = trial.ask({"id": -1})
        if got is None:
            known = [word for word in ("deletion vectors", "column mapping", "of version 2", "uses the feature") if word in trial.done.err]
            print(f"{row[1]}: refused: {known or trial.done.err[-300:]}")
            check(f"{row[1]}: refused by name", [] if known else [trial.done.err[-900:]])
            continue
        check(row[1], [] if [json.loads(r)["n"] for r in got] == [int(row[2])] else [f"{got}, want {row[2]} rows"])
    return 0


parquet_folder()
delta_table()
delta_refusals()
finish(conformance())

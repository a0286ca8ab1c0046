"""Parquet files and Delta tables as streams: each row once, whatever is killed; partitions, limits, what a row tells of its file, and what is
refused by name. No broker."""

import datetime
import os
import os
import random
import sys
import time
from collections import Counter
from decimal import Decimal
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
from deltalake import DeltaTable, write_deltalake

sys.path.insert(0, str(Path(__file__).parent))
from trial import WORK, Leat, check, finish, leat, project

SCHEMA = "id BIGINT, word STRING, at TIMESTAMP, price DECIMAL(9,2), tags ARRAY<STRING>"
SPEC = """name: streams
storage: {storage}
libraries: [{{glob: {{include: transformations/**}}}}]
configuration:
  leat.trigger: once
  source.rows.format: {format}
  source.rows.path: {inputs}
  source.rows.schema: "{schema}"
{more}"""
COPY = "CREATE STREAMING TABLE t AS SELECT * FROM STREAM rows;\n"
AT = datetime.datetime(2026, 1, 1, tzinfo=datetime.timezone.utc)


def rows_of(first, count):
    return [{"id": i, "word": f"w{i % 7}" if i % 11 else None, "at": AT + datetime.timedelta(seconds=i),
             "price": Decimal(i) / 100, "tags": [f"t{j}" for j in range(i % 3)]} for i in range(first, first + count)]


ARROW = pa.schema([("id", pa.int64()), ("word", pa.string()), ("at", pa.timestamp("us", "UTC")),
                   ("price", pa.decimal128(9, 2)), ("tags", pa.list_(pa.string()))])


def plain(row):
    return tuple((name, tuple(value) if isinstance(value, list) else value) for name, value in row.items())


class Place:
    """A project over a folder of Parquet files."""

    def __init__(self, name, sql=COPY, schema=SCHEMA, more=(), format="parquet"):
        self.inputs, self.storage = WORK / f"{name}-in", WORK / f"{name}-storage"
        self.inputs.mkdir()
        spec = SPEC.format(storage=self.storage.as_uri(), inputs=self.inputs.as_uri(), schema=schema, format=format,
                           more="".join(f"  {line}\n" for line in more))
        self.folder = project(name, spec, sql)
        self.number = 0

    def feed(self, rows, folder="", schema=ARROW, **options):
        """A file that appears whole."""
        self.number += 1
        place = self.inputs / folder
        place.mkdir(parents=True, exist_ok=True)
        part = place / f".{self.number:05}"
        pq.write_table(pa.Table.from_pylist(rows, schema=schema), part, **options)
        path = place / f"{self.number:05}.parquet"
        part.rename(path)
        return path

    def run(self, *flags, **environment):
        return leat("run", self.folder, *flags, **environment)

    def table(self, name="t"):
        files = sorted(path for path in (self.storage / "tables" / name).rglob("*.parquet") if "_staging" not in path.parts)
        return [row for path in files for row in pq.read_table(path, partitioning=None).to_pylist()]

    def epochs(self):
        return len(list((self.storage / "checkpoint").rglob("chain/0/*.json")))

    def whole(self, rows, name="t"):
        """What is wrong with the rows of a table."""
        got, want = Counter(map(plain, self.table(name))), Counter(map(plain, rows))
        lost, more = want - got, got - want
        return [f"lost {lost.total()}: {list(lost)[:2]}, too many {more.total()}: {list(more)[:2]}"] if lost or more else []


def one_after_the_other():
    place, rows = Place("plain"), []
    for turn in range(4):
        for _ in range(3):
            rows += rows_of(len(rows), 400)
            place.feed(rows[-400:], row_group_size=150, compression=["snappy", "zstd", "none", "gzip"][turn])
        if turn == 2:
            place.feed([])   # a file without rows takes no offsets
        problems = place.run().problems(0) + place.whole(rows)
        check(f"files of columns, turn {turn}", problems)
    epochs = place.epochs()
    check("nothing new", place.run().problems(0) + ([] if place.epochs() == epochs else ["an epoch without rows was committed"]))


def limits():
    place, rows = Place("limits", more=["source.rows.maxFilesPerTrigger: '2'"]), rows_of(0, 700)
    for first in range(0, 700, 100):
        place.feed(rows[first:first + 100])
    check("maxFilesPerTrigger", place.run().problems(0) + place.whole(rows) +
          ([] if place.epochs() == 4 else [f"{place.epochs()} epochs, want 4"]))


def partitions():
    place = Place("parted", sql="CREATE STREAMING TABLE t AS SELECT id, region, day FROM STREAM rows;\n",
                  schema="id BIGINT, region STRING, day DATE")
    rows = []
    for number, region in enumerate(("eu", "a b", None)):
        name = {None: "__HIVE_DEFAULT_PARTITION__", "a b": "a%20b"}.get(region, region)
        part = [{"id": number * 10 + i} for i in range(10)]
        place.feed(part, f"region={name}/day=2026-01-0{number + 1}", pa.schema([("id", pa.int64())]))
        rows += [{**row, "region": region, "day": datetime.date(2026, 1, number + 1)} for row in part]
    check("columns that folders name", place.run().problems(0) + place.whole(rows))


def columns_chosen():
    """By name; one that the file lacks is NULL; aggregates and watermarks over them."""
    sql = ("CREATE STREAMING TABLE t AS SELECT id + 1 AS next, missing FROM STREAM rows WHERE id % 2 = 0;\n"
           "CREATE STREAMING TABLE w AS SELECT window.start AS start, count(*) AS n FROM STREAM rows "
           "WATERMARK at DELAY OF INTERVAL 0 SECONDS GROUP BY window(at, '1 minute');\n")
    place = Place("chosen", sql, "at TIMESTAMP, ID BIGINT, missing STRING")
    place.feed(rows_of(0, 300))
    problems = place.run().problems(0)
    place.feed(rows_of(300, 300))
    problems += place.run().problems(0) + place.whole([{"next": i + 1, "missing": None} for i in range(0, 600, 2)])
    problems += place.whole([{"start": AT + datetime.timedelta(minutes=m), "n": 60} for m in range(9)], "w")
    check("columns are found by name; windows", problems)


def killed():
    """Small epochs, cut in the midst of files: continuous, with kills at random and at fail points."""
    dice = random.Random(5)
    place, rows = Place("killed", more=["leat.batch.rows: '100'", "source.rows.maxFilesPerTrigger: '1'"]), rows_of(0, 30_000)
    kills, at, points = 0, 0, ("stage_fsync", "record_put", "after_record", "publish_one")
    for turn in range(40):
        while at < len(rows) and place.number < (turn + 1) * 2:
            count = min(dice.randint(1, 900), len(rows) - at)
            place.feed(rows[at:at + count], row_group_size=dice.choice((90, 250, 10_000)))
            at += count
        if turn % 2:
            kills += place.run(LEAT_FAIL=f"{points[turn // 2 % 4]}:{dice.randint(1, 3)}:kill").status == -9
            continue
        process = Leat("run", place.folder, "--set", "leat.trigger=continuous", "--set", "leat.files.max_staleness=20 ms")
        time.sleep(dice.uniform(0.02, 0.3))
        process.process.kill()
        kills += process.wait().status == -9
    problems = [] if kills > 20 else [f"only {kills} kills"]
    check(f"{kills} kills", problems + place.run().problems(0) + place.whole(rows[:at]))


def told():
    """_metadata of files of columns and of lines, in two files of SQL; who does not ask does not see it."""
    more = ["source.lines.format: json", f"source.lines.path: {(WORK / 'told-lines').as_uri()}", "source.lines.schema: id BIGINT, v INT"]
    sql = ("CREATE STREAMING TABLE t AS SELECT id, _metadata.file_name AS f, _metadata.file_size AS s, _metadata.row_index AS r, "
           "_metadata.file_modification_time AS m FROM STREAM rows;\n"
           "CREATE STREAMING TABLE star AS SELECT * FROM STREAM rows;\n"
           "CREATE STREAMING TABLE l AS SELECT id, CAST(v AS STRING) AS v, _metadata FROM STREAM lines;\n"
           "CREATE STREAMING TABLE n AS SELECT input_file_name() AS f, id FROM STREAM lines WHERE _metadata.file_size > 10;\n"
           "CREATE MATERIALIZED VIEW mv AS SELECT _metadata.file_name AS f, count(*) AS n FROM lines GROUP BY _metadata.file_name;\n")
    (WORK / "told-lines").mkdir()
    place = Place("told", sql, "id BIGINT", more)
    (place.folder / "transformations/b.sql").write_text(
        "CREATE STREAMING TABLE all_lines AS SELECT * FROM STREAM lines;\n"
        "CREATE STREAMING TABLE groups AS SELECT window.start AS at, count(*) AS n FROM STREAM lines2 "
        "WATERMARK at DELAY OF INTERVAL 0 SECONDS GROUP BY window(at, '1 minute');\n"
        "CREATE TEMPORARY VIEW lines2 AS SELECT id, current_timestamp() AS at FROM STREAM lines;\n")
    paths = [place.feed([{"id": i * 10 + j} for j in range(3)], schema=pa.schema([("id", pa.int64())])) for i in range(2)]
    lines = []
    for name, text in (("a b.json", '{"id":1,"v":7}\n{"id":2}\n'), ("c.json", '{"id":3}')):
        lines.append(WORK / "told-lines" / name)
        lines[-1].write_text(text)

    def stamp(path):
        return datetime.datetime.fromtimestamp(path.stat().st_mtime_ns // 1_000_000 / 1000, datetime.timezone.utc)

    problems = place.run().problems(0)
    want = [{"id": i * 10 + j, "f": path.name, "s": path.stat().st_size, "r": j, "m": stamp(path)}
            for i, path in enumerate(paths) for j in range(3)]
    problems += place.whole(want) + place.whole([{"id": row["id"]} for row in want], "star")
    got = sorted((row["id"], row["v"], *row["_metadata"].values()) for row in place.table("l"))
    sizes = [(1, "7", lines[0]), (2, None, lines[0]), (3, None, lines[1])]
    expected = [(number, v, f"file:{str(path.parent)}/{path.name.replace(' ', '%20')}", path.name.replace(" ", "%20"), path.stat().st_size, 0,
                 path.stat().st_size, stamp(path)) for number, v, path in sizes]
    problems += [] if got == expected else [f"lines tell {got}, want {expected}"]
    problems += place.whole([{"f": f"file://{WORK}/told-lines/a%20b.json", "id": i} for i in (1, 2)], "n")
    problems += place.whole([{"f": "a%20b.json", "n": 2}, {"f": "c.json", "n": 1}], "mv")
    problems += place.whole([{"id": 1, "v": 7}, {"id": 2, "v": None}, {"id": 3, "v": None}], "all_lines")
    check("_metadata of streams", problems)


def rejected():
    """A row that cannot be computed tells its file and its place there."""
    sql = ("CREATE STREAMING TABLE t TBLPROPERTIES ('leat.quarantine' = 'true') AS "
           "SELECT id, CAST(word AS INT) AS n FROM STREAM rows;\n")
    place = Place("rejected", sql, "id BIGINT, word STRING")
    schema = pa.schema([("id", pa.int64()), ("word", pa.string())])
    path = place.feed([{"id": 1, "word": "7"}, {"id": 2, "word": "x"}], schema=schema)
    problems = place.run().problems(0) + place.whole([{"id": 1, "n": 7}])
    listed = leat("quarantine", "list", place.folder)
    problems += [] if path.name in listed.out else [f"the quarantine does not name the file: {listed.out[-600:]}"]
    check("a rejected row", problems)


EVERY = {"id": (pa.int64(), 1, "BIGINT"), "at": (pa.timestamp("us", "UTC"), AT + datetime.timedelta(microseconds=123456), "TIMESTAMP"),
         "local": (pa.timestamp("us"), datetime.datetime(1969, 12, 31, 23, 59, 59, 999999), "TIMESTAMP_NTZ"),
         "day": (pa.date32(), datetime.date(1900, 2, 28), "DATE"), "raw": (pa.binary(), b"\x00\xff", "BINARY"),
         "f": (pa.float32(), 0.10000000149011612, "FLOAT"), "d": (pa.float64(), 5e-324, "DOUBLE"), "inf": (pa.float64(), float("-inf"), "DOUBLE"),
         "price": (pa.decimal128(38, 20), Decimal("-0.00000000000000000001"), "DECIMAL(38,20)"), "no": (pa.bool_(), None, "BOOLEAN"),
         "m": (pa.map_(pa.string(), pa.int32()), [("k", 1), ("", None)], "MAP<STRING, INT>"),
         "by": (pa.map_(pa.timestamp("us", "UTC"), pa.date32()), [(AT + datetime.timedelta(microseconds=1), AT.date())], "MAP<TIMESTAMP, DATE>"), "value": (pa.string(), 'é"\n\\', "STRING"),
         "s": (pa.struct([("l", pa.list_(pa.string())), ("n", pa.int8())]), {"l": ["a", None], "n": None},
               "STRUCT<l: ARRAY<STRING>, n: TINYINT>")}


def replayed():
    """A rejected row has its value as JSON, of every type, and comes back repaired: once, with all else as it was. What is no such
    row is rejected again."""
    schema = pa.schema([(name, kind) for name, (kind, _, _) in EVERY.items()] + [("word", pa.string())])
    sql = ("CREATE STREAMING TABLE t AS SELECT * EXCEPT (word), CAST(word AS INT) AS n, _metadata.file_name AS f_name FROM STREAM rows;\n")
    place = Place("replayed", sql, ", ".join(f"{name} {ddl}" for name, (_, _, ddl) in EVERY.items()) + ", word STRING")
    full = {name: value for name, (_, value, _) in EVERY.items()}
    words = ["7", "eight", "nine", "ten"]
    path = place.feed([{**full, "id": i, "word": word} for i, word in enumerate(words)], schema=schema)
    problems = place.run().problems(0)
    shown = leat("quarantine", place.folder, "show", "--limit", "1").out
    problems += [] if '"word":"eight"' in shown and "field word" in shown and "^ byte" in shown else [shown]
    repair = place.folder / "repair.sql"
    repair.write_text("""SELECT id, CASE replace(get_json_object(CAST(value AS STRING), '$.word'), 'eight', '8')
        WHEN '8' THEN replace(CAST(value AS STRING), '"eight"', '"8"') WHEN 'nine' THEN replace(CAST(value AS STRING), '"nine"', '"9"')
        ELSE '{"id": "three"}' END AS value FROM quarantine""")
    asked = leat("quarantine", place.folder, "replay", "--with", repair)
    problems += [] if "3 rows will be replayed" in asked.out + asked.err else [asked.out + asked.err]
    problems += place.run().problems(0) + place.run().problems(0)
    want = [{**full, "id": i, "n": n, "f_name": path.name} for i, n in ((0, 7), (1, 8), (2, 9))]
    got = sorted(place.table("t"), key=lambda row: row["id"])
    problems += [] if [plain(row) for row in got] == [plain(row) for row in want] else [f"{got}\nwant {want}"]
    again = leat("quarantine", place.folder, "show", "--where", "attempts = 2").out
    problems += [] if "MALFORMED_RECORD" in again and "no row of the source rows as JSON" in again and '"three"' in again else [again]
    check("a rejected row comes back", problems)


def refused():
    place = Place("refused")
    good = rows_of(0, 50)
    first = place.feed(good)
    place.run()
    (place.inputs / "broken.parquet").write_bytes(first.read_bytes()[:-9])
    done = place.run()
    check("no Parquet file", done.problems(1, "broken.parquet") + place.whole(good))
    (place.inputs / "broken.parquet").unlink()
    place.feed([{"id": True}], schema=pa.schema([("id", pa.bool_())]))
    check("another type", place.run().problems(2, "column id") + place.whole(good))
    lost = Place("lost", more=["leat.batch.rows: '100'", "source.rows.maxFilesPerTrigger: '1'"])
    gone = [lost.feed(rows_of(i * 50, 50)) for i in range(3)]
    lost.run(LEAT_FAIL="after_record:1:kill")
    gone[2].unlink()
    check("a file that went before it was read", lost.run().problems(1, "was changed or removed", gone[2].name))


# ---- Delta tables ----


DELTA = pa.schema([("id", pa.int64()), ("region", pa.string()), ("at", pa.timestamp("us", "UTC"))])


class Table(Place):
    """A project over a Delta table that delta-rs writes."""

    def __init__(self, name, more=(), schema="id BIGINT, region STRING, at TIMESTAMP", sql=COPY):
        super().__init__(name, sql, schema, more, "delta")
        self.rows = []

    def append(self, count, region="eu", **options):
        rows = [{"id": i, "region": region, "at": AT + datetime.timedelta(seconds=i)} for i in range(len(self.rows), len(self.rows) + count)]
        write_deltalake(str(self.inputs), pa.Table.from_pylist(rows, schema=DELTA), mode="append", **options)
        self.rows += rows
        return rows

    def delta(self):
        return DeltaTable(str(self.inputs))


def delta_followed():
    place = Table("delta")
    place.append(100, partition_by=["region"])
    place.append(50, "a b")
    problems = place.run().problems(0) + place.whole(place.rows)
    check("Delta: first all that is there", problems)
    place.append(30, None)
    place.append(20, "eu")
    check("Delta: then what comes", place.run().problems(0) + place.whole(place.rows))
    place.delta().optimize.compact()
    place.append(10, "us")
    epochs = place.epochs()
    check("Delta: merged files bring nothing", place.run().problems(0) + place.whole(place.rows) +
          ([] if place.epochs() == epochs + 1 else ["not one epoch"]))
    for _ in range(25):   # more versions than are left untold, without a row
        place.delta().alter.set_table_properties({"delta.checkpointInterval": "100"})
    check("Delta: commits without rows", place.run().problems(0) + place.whole(place.rows))
    place.delta().create_checkpoint()
    place.append(5)
    check("Delta: and behind them", place.run().problems(0) + place.whole(place.rows))


def delta_changes():
    place = Table("changes")
    place.append(100)
    place.append(100)
    problems = place.run().problems(0) + place.whole(place.rows)
    place.delta().delete("id < 10")
    place.append(7)
    problems += place.run().problems(2, "DELTA_SOURCE_TABLE_IGNORE_CHANGES", "skipChangeCommits", "version 2") + place.whole(place.rows[:200])
    check("Delta: rows that were rewritten stop the stream", problems)
    problems = place.run("--set", "source.rows.skipChangeCommits=true").problems(0) + place.whole(place.rows)
    check("Delta: skipChangeCommits", problems)
    place.delta().delete()
    place.append(3)
    problems = place.run().problems(2, "DELTA_SOURCE_IGNORE_DELETE", "ignoreDeletes")
    problems += place.run("--set", "source.rows.ignoreDeletes=true").problems(0) + place.whole(place.rows)
    check("Delta: ignoreDeletes", problems)
    gone = Table("cleaned")
    gone.append(10)
    gone.run()
    gone.append(10)
    gone.append(10)
    gone.delta().create_checkpoint()
    (gone.inputs / "_delta_log/00000000000000000001.json").unlink()
    check("Delta: a commit that is gone before it was read", gone.run().problems(1, "version 1 is not in the table's log any more"))


def delta_from():
    for start, first in (("1", 10), ("latest", 20)):
        place = Table(f"from-{start}", [f"source.rows.startingVersion: '{start}'"])
        place.append(10)
        place.append(10)
        problems = place.run().problems(0)
        place.append(10)
        check(f"Delta: startingVersion {start}", problems + place.run().problems(0) + place.whole(place.rows[first:]))
    late = Table("from-late", ["source.rows.startingVersion: '9'"])
    late.append(1)
    check("Delta: no such version", late.run().problems(2, "no version 9"))
    still = Table("as-of", ["source.rows.versionAsOf: '0'"])
    still.append(1)
    check("Delta: versionAsOf is none for streams", still.run().problems(2, "versionAsOf"))


def delta_killed():
    dice = random.Random(9)
    place, kills = Table("delta-killed", ["leat.batch.rows: '50'", "source.rows.maxFilesPerTrigger: '2'"]), 0
    for turn in range(24):
        place.append(dice.randint(1, 300), dice.choice(("eu", "us")), **({"partition_by": ["region"]} if turn == 0 else {}))
        if turn % 5 == 4:
            place.delta().optimize.compact()
        fault = f"{dice.choice(('stage_fsync', 'record_put', 'after_record', 'publish_one'))}:{dice.randint(1, 2)}:kill"
        kills += place.run(LEAT_FAIL=fault).status == -9
    problems = [] if kills > 8 else [f"only {kills} kills"]
    check(f"Delta: {kills} kills", problems + place.run().problems(0) + place.whole(place.rows))


def delta_tables():
    """A new column, a file that comes back, rows that a deletion vector takes out."""
    place = Table("widened")
    first = place.append(10)
    place.run()
    write_deltalake(str(place.inputs), pa.table({"id": [99], "region": ["new"], "extra": [1]}), mode="append", schema_mode="merge")
    added = {"id": 99, "region": "new", "at": None}
    check("Delta: a new column", place.run().problems(0) + place.whole([*first, added]))
    place.delta().delete()
    problems = place.run("--set", "source.rows.ignoreDeletes=true").problems(0)
    place.delta().restore(1)
    problems += place.run("--set", "source.rows.ignoreDeletes=true").problems(2, "was in the table before, and has come back")
    check("Delta: a file that comes back", problems + place.whole([*first, added]))
    known = os.environ.get("CONFORMANCE_DIR")
    if known is None:
        return
    place = Table("vector", ["leat.batch.rows: '3'"], "value INT")
    place.inputs.rmdir()
    place.inputs.symlink_to(Path(known) / "delta/tables/table-with-dv-small")
    killed = place.run(LEAT_FAIL="record_put:1:kill").status
    problems = [] if killed == -9 else [f"not killed: {killed}"]
    check("Delta: deleted rows", problems + place.run().problems(0) + place.whole([{"value": i} for i in range(1, 9)]))


def delta_tells():
    """Without `schema` the table says its columns, as a source of the spec and as delta.`path`; Parquet files must be told."""
    sql = ("CREATE STREAMING TABLE t AS SELECT * FROM STREAM rows;\n"
           "CREATE STREAMING TABLE p AS SELECT *, _metadata.file_name AS f FROM STREAM {format}.`{inputs}`;\n"
           "CREATE STREAMING TABLE j AS SELECT l.id, r.region FROM STREAM rows l JOIN delta.`{inputs}` r ON l.id = r.id;\n"
           "CREATE MATERIALIZED VIEW v AS SELECT count(*) AS n FROM delta.`{inputs}` WITH (versionAsOf = 0);\n")
    place = Table("tells", schema="none")
    spec, text = place.folder / "spark-pipeline.yml", place.folder / "transformations/a.sql"
    spec.write_text("".join(line + "\n" for line in spec.read_text().splitlines() if "rows.schema" not in line))
    text.write_text(sql.format(format="delta", inputs=place.inputs))
    place.append(20)
    problems = place.run().problems(0)
    place.append(5, "us")
    problems += place.run().problems(0) + place.whole(place.rows) + place.whole([{"n": 20}], "v")
    problems += place.whole([{"id": row["id"], "region": row["region"]} for row in place.rows], "j")
    names = {row["f"] for row in place.table("p")}
    problems += [] if len(place.table("p")) == 25 and len(names) == 2 else [f"{len(place.table('p'))} rows of {names}"]
    more = pa.Table.from_pylist([{"id": 25, "region": "eu", "at": AT, "new": 1}], schema=DELTA.append(pa.field("new", pa.int64())))
    write_deltalake(str(place.inputs), more, mode="append", schema_mode="merge")
    problems += place.run().problems(0) + ([] if [row["new"] for row in place.table() if "new" in row] == [1] else ["no new column"])
    text.write_text(sql.format(format="parquet", inputs=place.inputs))
    problems += place.run().problems(2, "read_files", "schema => 'id BIGINT")
    text.write_text(sql.format(format="delta", inputs=place.inputs / "nothing"))
    problems += place.run().problems(2, "[DELTA_TABLE_NOT_FOUND]")
    check("Delta: the table says its columns", problems)


def delta_of_leat():
    """leat follows what leat writes, merges included; and a new column."""
    place = Place("writer", "CREATE STREAMING TABLE t TBLPROPERTIES ('leat.format' = 'delta') AS SELECT id, word FROM STREAM rows;\n",
                  "id BIGINT, word STRING", ["source.rows.maxFilesPerTrigger: '1'", "leat.files.target_size: 64k"])
    for first in range(0, 2000, 50):
        place.feed(rows_of(first, 50))
    problems = place.run().problems(0)
    reader = Table("follower", schema="id BIGINT, word STRING")
    reader.inputs.rmdir()
    reader.inputs.symlink_to(place.storage / "tables/t")
    problems += reader.run().problems(0)
    for first in range(2000, 4000, 50):
        place.feed(rows_of(first, 50))
    problems += place.run().problems(0) + reader.run().problems(0)
    problems += reader.whole([{"id": row["id"], "word": row["word"]} for row in rows_of(0, 4000)])
    check("Delta: leat follows leat", problems)


for case in (delta_followed, delta_changes, delta_from, delta_killed, delta_tables, delta_tells, delta_of_leat, one_after_the_other, limits, partitions, columns_chosen, killed, told, rejected, replayed,
             refused):
    case()
finish()

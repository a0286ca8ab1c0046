"""Merging small files: nothing lost, nothing double, for readers who list at any moment, and whenever leat is killed.

Plain directories of Parquet, CSV and JSON, with partitions and without; by hand and while a pipeline runs; kills at each step
of a merge; what an audit says of each."""

import json
import os
import random
import shutil
import subprocess
import sys
import threading
from collections import Counter
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
import duckdb
import pyarrow.parquet as parquet
from deltalake import DeltaTable
from trial import LEAT, WORK, check, finish, leat, leat_ok

FILES, ROWS = 60, 40
READERS = {"parquet": "read_parquet", "csv": "read_csv", "json": "read_json"}


class Place:
    """A project that reads `inputs` files of lines, one an epoch, into one table."""

    def __init__(self, name, format="parquet", partitioned=False, inputs=FILES, compact=True):
        self.root, self.format, self.rows = WORK / name, format, inputs * ROWS
        self.table = self.root / "tables/t"
        (self.root / "in").mkdir(parents=True)
        (self.root / "project/sql").mkdir(parents=True)
        for i in range(inputs):
            self.feed(i)
        (self.root / "project/spark-pipeline.yml").write_text(f"""name: small
storage: {self.root}/storage
libraries:
  - glob:
      include: sql/**
configuration:
  source.lines.format: json
  source.lines.path: {self.root}/in
  source.lines.schema: id BIGINT, word STRING, day INT
  source.lines.maxFilesPerTrigger: 1
  leat.trigger: once
  leat.tables.path: {self.root}/tables
  leat.checkpoint: {self.root}/checkpoint
  leat.compact: {str(compact).lower()}
""")
        where = "PARTITIONED BY (day)" if partitioned else ""
        (self.root / "project/sql/t.sql").write_text(
            f"CREATE STREAMING TABLE t {where} TBLPROPERTIES ('leat.format' = '{format}', 'header' = 'true')\n"
            "AS SELECT id, word, day FROM STREAM lines;\n"
        )

    def feed(self, i):
        lines = [{"id": i * ROWS + row, "word": f"w{row % 5}", "day": row % 3} for row in range(ROWS)]
        text = "".join(json.dumps(line) + "\n" for line in lines)
        (self.root / f"in/{i:05}.json").write_text(text)

    def data(self):
        """The files that count."""
        if self.format == "delta":
            return DeltaTable(str(self.table)).file_uris() if (self.table / "_delta_log").is_dir() else []
        return sorted(self.table.rglob(f"*.{self.format}"))

    def ids(self):
        """Of all files that a reader finds now."""
        if self.format == "delta":
            return Counter(DeltaTable(str(self.table)).to_pyarrow_table()["id"].to_pylist())
        pattern = f"{self.table}/**/*.{self.format}"
        return Counter(row[0] for row in duckdb.sql(f"SELECT id FROM {READERS[self.format]}('{pattern}')").fetchall())

    def whole(self):
        """What is wrong with the rows."""
        ids = self.ids()
        lost = self.rows - len(ids)
        double = sum(n - 1 for n in ids.values())
        return [f"lost {lost}, double {double} of {self.rows}"] if lost or double else []

    def run(self, **environment):
        return leat("run", self.root / "project", **environment)

    def compact(self, *flags, **environment):
        return leat("compact", self.root / "project", *flags, **environment)

    def audit(self):
        done = leat("audit", self.root / "project")
        return [] if done.status == 0 else [f"audit left with {done.status}: {done.out[-800:]}{done.err[-300:]}"]

    def beside(self):
        """What a swap has left beside the table."""
        return [str(path) for path in self.table.parent.glob(".*")]


def by_hand():
    for format in (*READERS, "delta"):
        for partitioned in (False, True):
            place = Place(f"hand-{format}-{partitioned}", format, partitioned, compact=False)
            leat_ok("run", place.root / "project")
            before = len(place.data())
            dry = place.compact("--dry-run")
            problems = [] if len(place.data()) == before and "would become" in dry.out else ["the dry run did something"]
            done = place.compact()
            problems += done.problems(0)
            after = len(place.data())
            newest = 0 if format == "delta" else 1  # of a folder the newest epoch's files stay
            want = (3 if partitioned else 1) * (1 + newest)
            problems += [] if after == want else [f"{before} files became {after}, want {want}"]
            problems += place.whole() + place.audit() + place.beside()
            again = place.compact()
            problems += [] if "nothing to merge" in again.out and len(place.data()) == after else ["again: not idle"]
            check(f"by hand, {format}{', partitions' if partitioned else ''}", problems)


def header_goes():
    """Files with a header in a table that has none any more: no header may become a row."""
    place = Place("header-goes", "csv", inputs=20, compact=False)
    leat_ok("run", place.root / "project")
    sql = place.root / "project/sql/t.sql"
    sql.write_text(sql.read_text().replace("'header' = 'true'", "'header' = 'false'"))
    for i in range(20, 40):
        place.feed(i)
    problems = place.run().problems(0)
    done = place.compact()
    problems += done.problems(0, "it has a header", "files are not merged")
    lines = [line for path in place.data() for line in path.read_text().splitlines()[1:]]
    problems += ["a header became a row"] * any(line.startswith("id,") for line in lines)
    total = sum(len(path.read_text().splitlines()) for path in place.data())
    problems += [] if total == 40 * ROWS + 20 else [f"{total} lines, want {40 * ROWS + 20}"]
    problems += [] if len(place.data()) == 22 else [f"{len(place.data())} files, want 20 with a header, one merged, the newest"]
    check("a header that goes", problems + place.audit())


def while_it_runs():
    for format in (*READERS, "delta"):
        place = Place(f"inline-{format}", format)
        problems = place.run().problems(0)
        count = len(place.data())
        problems += [] if count < 20 else [f"{count} files stay"]
        check(f"while it runs, {format}", problems + place.whole() + place.audit() + place.beside())


class Lister(threading.Thread):
    """Lists the folder in one go and reads what it found. A file that is gone by then is an error that a reader sees, and
    repeats for; rows double or missing are not."""

    def __init__(self, place):
        super().__init__()
        self.place, self.stop, self.looks, self.gone, self.problems = place, False, 0, 0, []
        self.most = 0

    def look(self):
        try:
            names = [entry.name for entry in os.scandir(self.place.table) if entry.name.endswith(".parquet")]
        except FileNotFoundError:
            return
        ids = Counter()
        for name in names:
            try:
                ids.update(parquet.read_table(self.place.table / name, partitioning=None)["id"].to_pylist())
            except FileNotFoundError:
                self.gone += 1
                return
        self.looks += 1
        if max(ids.values(), default=1) > 1:
            self.problems.append("rows twice")
        if len(ids) < self.most:
            self.problems.append(f"{len(ids)} rows, were {self.most}")
        self.most = len(ids)

    def run(self):
        while not self.stop and not self.problems:
            self.look()


def listed_meanwhile():
    place = Place("listed", inputs=150)
    lister = Lister(place)
    lister.start()
    problems = place.run().problems(0)
    lister.stop = True
    lister.join()
    problems += lister.problems + ([] if lister.looks > 3 else [f"only {lister.looks} looks"])
    check(f"listed meanwhile ({lister.looks} looks, {lister.gone} met a file gone)", problems + place.whole())


def killed():
    random.seed(7)
    place = Place("killed-delta", "delta", inputs=100)
    kills, problems = 0, []
    for turn in range(15):
        point = ("swap_linked", "swap_done", "delta_before", "delta_put", "stage_fsync")[turn % 5]
        done = place.run(LEAT_FAIL=f"{point}:{1 if 'swap' in point else random.randint(2, 8)}:kill")
        kills += done.status == -9
        problems += [f"{point}: rows twice"] if place.data() and max(place.ids().values()) > 1 else []
    problems += place.run().problems(0) + place.whole() + place.audit()
    check(f"Delta, killed {kills} times while it runs", problems + ([] if kills > 7 else [f"only {kills} kills"]))

    points = ["swap_linked", "swap_done", "stage_open", "stage_write", "stage_fsync", "record_put", "publish_one", "after_record"]
    place = Place("killed", inputs=200)
    kills = 0
    problems = []
    for turn in range(24):
        point = points[turn % len(points)]
        done = place.run(LEAT_FAIL=f"{point}:{1 if 'swap' in point else random.randint(1, 9)}:kill")
        kills += done.status == -9
        ids = place.ids() if place.data() else Counter()
        problems += [f"{point}: rows twice"] if max(ids.values(), default=1) > 1 else []
    problems += place.run().problems(0) + place.whole() + place.audit() + place.beside()
    check(f"killed {kills} times while it runs", problems + ([] if kills > 12 else ["too few kills"]))

    place = Place("killed-by-hand", partitioned=True, compact=False)
    leat_ok("run", place.root / "project")
    kills = 0
    problems = []
    for point in ("stage_open", "stage_write", "stage_fsync", "swap_linked", "swap_done"):
        for n in (1, 2, 3):
            copy = WORK / f"hand-{point}-{n}"
            shutil.copytree(place.root / "tables", copy)
            done = place.compact(LEAT_FAIL=f"{point}:{n}:kill")
            kills += done.status == -9
            problems += [f"{point}: {problem}" for problem in place.whole()]
            problems += [f"{point}: {problem}" for problem in place.compact().problems(0)]
            problems += [f"{point}: {problem}" for problem in place.whole() + place.audit() + place.beside()]
            shutil.rmtree(place.root / "tables")
            shutil.move(copy, place.root / "tables")
    check(f"killed {kills} times by hand", problems + ([] if kills >= 12 else ["too few kills"]))


def audited():
    place = Place("audited", compact=False)
    leat_ok("run", place.root / "project")
    first = place.data()[0]
    kept = first.read_bytes()
    leat_ok("compact", place.root / "project")
    merged = next(place.table.glob("merged-*"))
    for name, do, undo, want in (
        ("an input that came back", lambda: first.write_bytes(kept), first.unlink, "file_unexplained"),
        ("a merged file gone", lambda: merged.rename(WORK / "aside"), lambda: (WORK / "aside").rename(merged), "file_missing"),
        (
            "a merged file with other bytes",
            lambda: merged.write_bytes(merged.read_bytes()[:-9] + b"x" + merged.read_bytes()[-8:]),
            lambda: None,
            "file_damaged",
        ),
    ):
        do()
        done = leat("audit", place.root / "project")
        check(f"audit: {name}", [] if done.status == 3 and want in done.out else [f"{done.status}: {done.out[-900:]}"])
        undo()


def refused():
    place = Place("foreign")
    leat_ok("run", place.root / "project", "--set", "leat.compact=false")
    held = Place("holder")  # another query that writes into the same folder
    with open(place.table / "_staging/0a1b2c3d.lock", "w") as lock:
        import fcntl

        fcntl.flock(lock, fcntl.LOCK_EX)
        lock.write(f"{os.getpid():<20}\n")
        lock.flush()
        done = place.compact()
    check("another query at work", done.problems(2, "another query") if done.status == 2 else done.problems(1, "another query"))
    done = place.compact("nowhere")
    check("no such table", done.problems(2, "no table nowhere"))
    shutil.rmtree(held.root)
    other = WORK / "linked"
    place.table.rename(other)
    place.table.symlink_to(other)
    done = place.compact()
    check("a table that is a symbolic link", [] if done.status != 0 and "symbolic link" in done.err else [done.err[-500:]])
    check("and is whole", place.whole())


if __name__ == "__main__":
    by_hand()
    header_goes()
    while_it_runs()
    listed_meanwhile()
    killed()
    audited()
    refused()
    finish()

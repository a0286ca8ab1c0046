"""Two leats append to one Delta table in S3 and merge its small files meanwhile; at the end every row is counted by delta-rs and
by PyArrow, and the log is read as it lies there. On moto and on versitygw; skipped, and counted, without tools/setup s3.

    RACE_SECONDS=600 RACE_SERVERS=moto,versitygw LEAT=.. TEST_DIR=.. build/venv/bin/python tests/interop/s3_race_test.py
"""

import json
import os
import sys
import threading
import time
from collections import Counter
from pathlib import Path

import pyarrow as pa
import pyarrow.dataset as ds
from deltalake import DeltaTable
from pyarrow.fs import FileSelector, S3FileSystem

sys.path.insert(0, str(Path(__file__).parent))
import s3_servers
from trial import WORK, Leat, check, finish

SECONDS = float(os.environ.get("RACE_SECONDS", "8"))
SERVERS = os.environ.get("RACE_SERVERS", "moto,versitygw").split(",")
BUCKET, WRITERS, ROWS, PAUSE_SECONDS, LAST_SECONDS = "leat-race", 2, 5, 0.05, 300

SPEC = """name: race{number}
storage: s3://{bucket}/checkpoint-{number}
libraries:
  - glob:
      include: transformations/**
configuration:
  source.lines.format: json
  source.lines.path: {root}/in
  source.lines.schema: writer INT, id BIGINT
  leat.trigger: continuous
  leat.tables.path: s3://{bucket}/tables
  leat.files.max_staleness: 50 ms
  leat.files.target_size: 256k
  spark.hadoop.fs.s3a.endpoint: {url}
  spark.hadoop.fs.s3a.path.style.access: true
"""
SQL = "CREATE STREAMING TABLE rows USING DELTA AS SELECT writer, id FROM STREAM lines;"


class Writer:
    """A leat and the files that it reads: each has rows nobody else writes."""

    def __init__(self, server, number):
        self.root, self.number, self.fed, self.files = WORK / f"{server.name}-{number}", number, 0, 0
        self.project, self.server, self.inputs = self.root / "project", server, self.root / "in"
        (self.project / "transformations").mkdir(parents=True)
        self.inputs.mkdir()
        (self.project / "spark-pipeline.yml").write_text(SPEC.format(number=number, root=self.root, bucket=BUCKET, url=server.url))
        (self.project / "transformations/a.sql").write_text(SQL)

    def start(self, *words):
        return Leat("run", self.project, *words, **self.server.settings(), LEAT_LOG="debug")

    def feed(self):
        """Whole when it is seen."""
        part = self.root / "part"
        part.write_text("".join(json.dumps({"writer": self.number, "id": self.fed + i}) + "\n" for i in range(ROWS)))
        part.rename(self.inputs / f"{self.files:06d}.json")
        self.fed += ROWS
        self.files += 1


class Log:
    """The commits of the table, read by nobody's Delta library."""

    def __init__(self, fs):
        folder = f"{BUCKET}/tables/rows/_delta_log"
        names = sorted(f.path for f in fs.get_file_info(FileSelector(folder)) if f.path.endswith(".json"))
        self.versions = [int(Path(name).stem) for name in names]
        self.commits = [[json.loads(line) for line in fs.open_input_file(name).read().splitlines()] for name in names]

    def actions(self, commit, kind):
        return [action[kind] for action in commit if kind in action]

    def problems(self):
        found = [] if self.versions == list(range(len(self.versions))) else [f"{len(self.versions)} versions, the last {self.versions[-1]}"]
        live, ever, epochs, nonces = {}, set(), {}, Counter()
        self.merges, self.by_writer = 0, Counter()
        for version, commit in zip(self.versions, self.commits):
            adds, removes, txns = (self.actions(commit, kind) for kind in ("add", "remove", "txn"))
            nonces.update(info["txnId"] for info in self.actions(commit, "commitInfo"))
            for txn in txns:
                if txn["version"] <= epochs.get(txn["appId"], -1):
                    found.append(f"version {version}: {txn['appId']} has epoch {txn['version']} after {epochs[txn['appId']]}")
                epochs[txn["appId"]] = txn["version"]
                self.by_writer[txn["appId"]] += 1
            gone = [live.pop(remove["path"], None) for remove in removes]
            if None in gone:
                found.append(f"version {version} removes what is not in the table")
            for add in adds:
                if add["path"] in ever:
                    found.append(f"version {version}: {add['path']} comes twice")
                ever.add(add["path"])
                live[add["path"]] = json.loads(add["stats"])["numRecords"]
            if removes:
                self.merges += 1
                kept = not any(action["dataChange"] for action in adds + removes)
                if not kept or sum(gone) != sum(live[add["path"]] for add in adds) or txns:
                    found.append(f"version {version} is no merge: {commit}")
        found += [f"commit {nonce} is there {count} times" for nonce, count in nonces.items() if count > 1]
        found += [] if len(epochs) == WRITERS else [f"transactions of {list(epochs)}"]
        self.live = live
        return found


def rows_problems(who, table, want):
    got = Counter(zip(table["writer"].to_pylist(), table["id"].to_pylist()))
    lost, double = want - got, got - want
    return lost.total(), double.total(), [f"{who}: lost {list(lost)[:3]}, double {list(double)[:3]}"] * bool(lost or double)


def feed_all(writers):
    begun = time.monotonic()
    while time.monotonic() - begun < SECONDS:
        for writer in writers:
            writer.feed()
        time.sleep(PAUSE_SECONDS)


def race(kind):
    server = kind(WORK / kind.name, BUCKET)
    writers = [Writer(server, number) for number in range(1, WRITERS + 1)]
    running = [writer.start() for writer in writers]
    feed_all(writers)
    stopped = [one.stop() for one in running]
    check(f"{kind.name}: both went on to the end", [p for done in stopped for p in done.problems(0)])
    # What is left, at the same time again.
    rest = [writer.start("--once") for writer in writers]
    check(f"{kind.name}: the rest is read", [p for one in rest for p in one.wait(LAST_SECONDS).problems(0)])
    fs = S3FileSystem(access_key=s3_servers.KEY, secret_key=s3_servers.SECRET, endpoint_override=server.url, region="us-east-1")
    log = Log(fs)
    check(f"{kind.name}: every version, epoch and file once", log.problems())
    want = Counter((writer.number, n) for writer in writers for n in range(writer.fed))
    delta = DeltaTable(f"s3://{BUCKET}/tables/rows", storage_options={
        "AWS_ENDPOINT_URL": server.url, "AWS_ALLOW_HTTP": "true", "AWS_ACCESS_KEY_ID": s3_servers.KEY,
        "AWS_SECRET_ACCESS_KEY": s3_servers.SECRET, "AWS_REGION": "us-east-1"})
    names = {path.split("/tables/rows/")[1] for path in delta.file_uris()}
    check(f"{kind.name}: delta-rs sees the same files", [] if names == set(log.live) else [f"{len(names)}, {len(log.live)}"])
    lost, double, problems = rows_problems("delta-rs", pa.table(delta.to_pyarrow_table()), want)
    plain = ds.dataset([f"{BUCKET}/tables/rows/{path}" for path in log.live], filesystem=fs, format="parquet").to_table()
    problems += rows_problems("PyArrow", plain, want)[2]
    check(f"{kind.name}: nothing is lost or double", problems)
    check(f"{kind.name}: they were in each other's way", [] if log.merges and min(log.by_writer.values()) > 2 else [str(log.by_writer)])
    beaten = sum(done.err.count("is another's") for done in stopped)
    print(f"{kind.name}: {SECONDS:.0f} s, {len(log.versions)} commits ({' and '.join(map(str, log.by_writer.values()))} of the "
          f"writers' epochs, {log.merges} merges), {beaten} times another one came first, {want.total()} rows in {len(log.live)} "
          f"files; lost {lost}, double {double}", flush=True)
    server.stop()


kinds = [kind for kind in s3_servers.servers() if kind.name in SERVERS]
for kind in kinds:
    race(kind)
finish(2 - len(s3_servers.servers()))

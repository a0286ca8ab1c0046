"""Everything in S3 behind a proxy that fails requests: sources, tables of all kinds, checkpoint with state. Each run has a seed;
after it every row is counted, without the proxy. Skipped, and counted, where tools/setup s3 has not been.

    FAULT_RUNS=300 FAULT_SEED=1 FAULT_RATE=0.1 FAULT_AT_ONCE=8 FAULT_SERVERS=versitygw LEAT=.. TEST_DIR=.. build/venv/bin/python tests/interop/s3_faults_test.py
"""

import json
import os
import sys
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pyarrow as pa
import pyarrow.dataset as ds
from deltalake import DeltaTable
from pyarrow.fs import FileSelector, S3FileSystem

sys.path.insert(0, str(Path(__file__).parent))
import s3_servers
from s3_proxy import ROUGH, Proxy
from trial import WORK, Leat, check, finish

RUNS = int(os.environ.get("FAULT_RUNS", "2"))
SEED = int(os.environ.get("FAULT_SEED", str(time.time_ns() % 1_000_000)))
RATE = float(os.environ.get("FAULT_RATE", "0.1"))
AT_ONCE = int(os.environ.get("FAULT_AT_ONCE", "2"))  # mostly they wait
SERVERS = os.environ.get("FAULT_SERVERS", "moto,versitygw").split(",")
BUCKET, FILES, ROWS, RUN_SECONDS = "leat-faults", 3, 300, 240

SPEC = """name: faults
storage: s3://{bucket}/run-{seed}
libraries:
  - glob:
      include: transformations/**
configuration:
  source.lines.format: json
  source.lines.path: s3://{bucket}/in
  source.lines.schema: id BIGINT, kind INT
  source.lines.maxFilesPerTrigger: 1
  leat.trigger: once
  leat.snapshot.epochs: 2
  leat.retry.limit: 2 minutes
  spark.hadoop.fs.s3a.endpoint: {url}
  spark.hadoop.fs.s3a.path.style.access: true
  spark.hadoop.fs.s3a.connection.timeout: 1 seconds
"""
SQL = """CREATE STREAMING TABLE plain PARTITIONED BY (kind) AS SELECT id, kind FROM STREAM lines;
CREATE STREAMING TABLE lines_csv USING CSV AS SELECT id, kind FROM STREAM lines;
CREATE STREAMING TABLE versions USING DELTA AS SELECT id, kind FROM STREAM lines;
CREATE STREAMING TABLE firsts TBLPROPERTIES ('leat.dedup' = 'place') AS SELECT id % 70 AS place FROM STREAM lines;
CREATE MATERIALIZED VIEW sums TBLPROPERTIES ('leat.format' = 'delta') AS SELECT kind, count(*) AS n, sum(id) AS total FROM plain GROUP BY kind;
"""


def filesystem(server):
    return S3FileSystem(access_key=s3_servers.KEY, secret_key=s3_servers.SECRET, endpoint_override=server.url, region="us-east-1",
                        allow_delayed_open=True)


def project(name, seed, url):
    folder = WORK / name
    (folder / "transformations").mkdir(parents=True)
    (folder / "spark-pipeline.yml").write_text(SPEC.format(bucket=BUCKET, seed=seed, url=url))
    (folder / "transformations/a.sql").write_text(SQL)
    return folder


def delta_rows(server, path):
    table = DeltaTable(f"s3://{BUCKET}/{path}", storage_options={
        "AWS_ENDPOINT_URL": server.url, "AWS_ALLOW_HTTP": "true", "AWS_ACCESS_KEY_ID": s3_servers.KEY,
        "AWS_SECRET_ACCESS_KEY": s3_servers.SECRET, "AWS_REGION": "us-east-1"})
    return pa.table(table.to_pyarrow_table()).to_pylist()


def differs(name, got, want):
    got, want = Counter(got), Counter(want)
    return [] if got == want else [f"{name}: lost {list(want - got)[:3]}, double {list(got - want)[:3]}"]


def problems_of(server, seed):
    fs, tables = filesystem(server), f"run-{seed}/tables"
    ids = range(FILES * ROWS)

    def read(table, kind):
        return ds.dataset(f"{BUCKET}/{tables}/{table}", filesystem=fs, format=kind, partitioning="hive").to_table()

    found = differs("plain", read("plain", "parquet")["id"].to_pylist(), ids)
    found += differs("firsts", read("firsts", "parquet")["place"].to_pylist(), range(70))
    lines = [line for file in fs.get_file_info(FileSelector(f"{BUCKET}/{tables}/lines_csv", recursive=True)) if file.is_file
             for line in fs.open_input_file(file.path).read().splitlines()]
    found += differs("lines_csv", [int(line.split(b",")[0]) for line in lines], ids)
    found += differs("versions", [row["id"] for row in delta_rows(server, f"{tables}/versions")], ids)
    sums = Counter((kind, len(range(kind, len(ids), 5)), sum(range(kind, len(ids), 5))) for kind in range(5))
    return found + differs("sums", [(row["kind"], row["n"], row["total"]) for row in delta_rows(server, f"{tables}/sums")], sums)


starting = threading.Lock()  # each takes a number


def start(server, *words):
    with starting:
        return Leat(*words, **server.settings())


def run(server, seed):
    """Did it fail, and what was done to it?"""
    proxy = Proxy(server.port, RATE, seed, faults=ROUGH, hang_s=1.2)
    done = start(server, "run", project(f"{server.name}-{seed}", seed, proxy.url)).wait(RUN_SECONDS)
    proxy.stop()
    problems = done.problems(0) + (problems_of(server, seed) if done.status == 0 else [])
    calm = start(server, "audit", project(f"{server.name}-{seed}-calm", seed, server.url)).wait()
    problems += [] if "nothing is missing, double or damaged" in calm.out else [(calm.out + calm.err)[-300:]]
    check(f"{server.name}: FAULT_SEED={seed}", problems)
    return bool(problems), proxy.counts


kinds = [kind for kind in s3_servers.servers() if kind.name in SERVERS]
for kind in kinds:
    server = kind(WORK / kind.name, BUCKET)
    for number in range(FILES):
        with filesystem(server).open_output_stream(f"{BUCKET}/in/{number}.json") as out:
            out.write("".join(json.dumps({"id": number * ROWS + i, "kind": i % 5}) + "\n" for i in range(ROWS)).encode())
    with ThreadPoolExecutor(AT_ONCE) as pool:
        outcomes = list(pool.map(lambda seed: run(server, seed), range(SEED, SEED + RUNS)))
    failed, counts = sum(bad for bad, _ in outcomes), sum((each for _, each in outcomes), Counter())
    requests = counts.pop("requests")
    faults = {name: counts[name] for name in ROUGH}
    print(f"{kind.name}: {RUNS} runs from FAULT_SEED={SEED}, {failed} failed; {requests} requests, {sum(faults.values())} faults: {faults}",
          flush=True)
    server.stop()
finish(2 - len(s3_servers.servers()))

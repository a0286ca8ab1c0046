"""Files in S3 that leat reads: `leat sql` over paths and over a project's tables, streams, lookups. On moto and versitygw, also
through a proxy that fails requests and counts bytes. Skipped, and counted, where tools/setup s3 has not been."""

import csv
import io
import json
import os
import subprocess
import sys
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from deltalake import write_deltalake
from pyarrow.fs import S3FileSystem

sys.path.insert(0, str(Path(__file__).parent))
import s3_servers
from s3_proxy import ROUGH, Proxy
from trial import ROOT, WORK, check, finish, leat

BUCKET, ROWS = "leat-read", 60000


def options(server, endpoint=None):
    return {"AWS_ENDPOINT_URL": endpoint or server.url, "AWS_ALLOW_HTTP": "true", "AWS_ACCESS_KEY_ID": s3_servers.KEY,
            "AWS_SECRET_ACCESS_KEY": s3_servers.SECRET, "AWS_REGION": "us-east-1"}


def filesystem(server):
    return S3FileSystem(access_key=s3_servers.KEY, secret_key=s3_servers.SECRET, endpoint_override=server.url, region="us-east-1",
                        allow_delayed_open=True)  # small objects by one put: moto cannot complete PyArrow's uploads


def put(fs, name, content):
    with fs.open_output_stream(f"{BUCKET}/{name}") as out:
        out.write(content if isinstance(content, bytes) else content.encode())


def rows():
    return pa.table({"id": range(ROWS), "word": [f"w{i % 1000}" for i in range(ROWS)], "v": [i * 0.5 for i in range(ROWS)],
                     "wide": [f"{i * 7919 % 1000003:040d}" for i in range(ROWS)], "day": [i % 3 for i in range(ROWS)]})


def parquet_bytes(table, **words):
    out = io.BytesIO()
    pq.write_table(table, out, **words)
    return out.getvalue()


def units(server):
    """What they skip where there is no server."""
    program = ROOT / "build/debug/unit_source"
    if not program.exists():
        return 1
    environment = {**os.environ, **{k: v for k, v in server.settings().items() if v}, "LEAT_TEST_S3": f"s3://{BUCKET}/unit"}
    done = subprocess.run([program, "objects"], env=environment, capture_output=True, text=True, timeout=120)
    check(f"{server.name}: unit_source", [done.stdout[-600:]] if done.returncode != 0 or "skip" in done.stdout else [])
    return 0


def fill(server):
    fs, table = filesystem(server), rows()
    put(fs, "plain/one.parquet", parquet_bytes(table, row_group_size=20000))
    for day in range(3):
        part = table.filter(pc.equal(table["day"], day)).drop(["day"])
        put(fs, f"parted/day={day}/f.parquet", parquet_bytes(part))
    put(fs, "parted/_SUCCESS", "")
    for i in range(3):
        put(fs, f"json/f{i}.json", "".join(json.dumps({"id": i * 1000 + k, "name": f"n{k}"}) + "\n" for k in range(1000)))
        put(fs, f"csv/2026-0{i}/f.csv", "id,name\n" + "".join(f"{i * 100 + k},n{k}\n" for k in range(100)))
        write_deltalake(f"s3://{BUCKET}/delta", table.slice(i * 1000, 1000).select(["id", "v", "day"]), mode="append",
                        partition_by=["day"], storage_options={**options(server), "AWS_CONDITIONAL_PUT": "etag"})
    put(fs, "json/_unfinished.json", "{}")


QUERIES = {
    f"SELECT count(*), sum(id), max(word) FROM parquet.`s3://{BUCKET}/plain/one.parquet`": ["60000,1799970000,w999"],
    f"SELECT count(*), sum(id) FROM parquet.`s3a://{BUCKET}/plain/`": ["60000,1799970000"],
    f"SELECT day, count(*), sum(id) FROM parquet.`s3://{BUCKET}/parted` GROUP BY day ORDER BY day":
        ["0,20000,599970000", "1,20000,599990000", "2,20000,600010000"],
    f"SELECT count(*), min(id) FROM parquet.`s3://{BUCKET}/parted` WHERE day = 1 AND id < 1000": ["333,1"],
    f"SELECT count(*), sum(id) FROM json.`s3://{BUCKET}/json`": ["3000,4498500"],
    f"SELECT count(*), sum(id) FROM json.`s3://{BUCKET}/json/f[12].json`": ["2000,3999000"],
    f"SELECT count(*), sum(TRY_CAST(_c0 AS INT)) FROM csv.`s3://{BUCKET}/csv/2026-0[0-1]/*.csv`": ["202,19900"],
    f"SELECT count(*), sum(id) FROM delta.`s3a://{BUCKET}/delta`": ["3000,4498500"],
    f"SELECT day, count(*) FROM delta.`s3://{BUCKET}/delta` WHERE day = 2 GROUP BY day": ["2,1000"],
    f"SELECT count(*), input_file_name(), any_value(_metadata.file_path), any_value(_metadata.file_name) FROM json.`s3://{BUCKET}/json` GROUP BY 2 ORDER BY 2":
        [f"1000,s3://{BUCKET}/json/f{i}.json,s3://{BUCKET}/json/f{i}.json,f{i}.json" for i in range(3)],
    f"SELECT max(_metadata.row_index), any_value(_metadata.file_path), any_value(_metadata.file_size) > 100000 FROM parquet.`s3a://{BUCKET}/plain/`":
        [f"59999,s3://{BUCKET}/plain/one.parquet,true"],
    f"SELECT count(DISTINCT _metadata.file_name), bool_and(_metadata.file_path LIKE 's3://{BUCKET}/delta/day=%/%.parquet') FROM delta.`s3://{BUCKET}/delta`": ["9,true"],
}


def answers(server, url):
    """What is wrong with the answers; the server is at url."""
    done = leat("sql", "--format", "csv", "-c", "; ".join(QUERIES), **{**server.settings(), "AWS_ENDPOINT_URL": url})
    got, want = list(csv.reader(io.StringIO(done.out))), [line.split(",") for lines in QUERIES.values() for line in lines]
    got = [line for line in got if not line[0][0].isalpha()]
    return [] if got == want and done.status == 0 else [f"{got}: {done.err[-600:]}"]


def paths(server):
    check(f"{server.name}: paths", answers(server, server.url))
    for seed in range(2):
        proxy = Proxy(server.port, 0.1, seed, faults=ROUGH, hang_s=1)
        check(f"{server.name}: paths, and every tenth request fails, seed {seed}", answers(server, proxy.url))
        proxy.stop()


def few_bytes(server):
    """A column of a wide table, and groups of rows that no row is wanted of."""
    proxy = Proxy(server.port)
    size = len(parquet_bytes(rows(), row_group_size=20000))
    for what, query, most in (
        ("one column", "sum(v)", 0.5), ("one group of rows", "sum(length(wide))", 0.5)):
        before = proxy.counts["bytes"]
        where = " WHERE id < 100" if "group" in what else ""
        done = leat("sql", "--format", "csv", "-c", f"SELECT {query} FROM parquet.`s3://{BUCKET}/plain/one.parquet`{where}",
                    **{**server.settings(), "AWS_ENDPOINT_URL": proxy.url})
        read = proxy.counts["bytes"] - before
        check(f"{server.name}: {what} is read, not all", done.problems(0) + ([] if read < most * size else [f"{read} of {size} bytes"]))
    proxy.stop()


def few_requests(server):
    """Small row groups come together, and small files at once."""
    fs, table = filesystem(server), rows()
    put(fs, "groups/g.parquet", parquet_bytes(table, row_group_size=600))
    for i in range(20):
        put(fs, f"small/{i:02}.parquet", parquet_bytes(table.slice(i * 100, 100)))
    proxy = Proxy(server.port)
    for folder, query, answer, most in (("groups", "count(*), sum(v), max(wide)", "60000,8.99985E8,", 9), ("small", "count(*), sum(id)", "2000,1999000", 24)):
        before = proxy.counts["requests"]
        done = leat("sql", "--format", "csv", "-c", f"SELECT {query} FROM parquet.`s3://{BUCKET}/{folder}`",
                    **{**server.settings(), "AWS_ENDPOINT_URL": proxy.url})
        requests = proxy.counts["requests"] - before
        problems = done.problems(0) + ([] if answer in done.out else [done.out[-300:]])
        check(f"{server.name}: {folder} by few requests", problems + ([] if requests <= most else [f"{requests} requests, want at most {most}"]))
    proxy.stop()


def refusals(server):
    for query, words in {
        f"SELECT * FROM parquet.`s3://{BUCKET}/nowhere`": "[PATH_NOT_FOUND]",
        f"SELECT * FROM json.`s3://{BUCKET}/json/x*.json`": "[PATH_NOT_FOUND]",
        f"SELECT * FROM delta.`s3://{BUCKET}/plain`": "[DELTA_TABLE_NOT_FOUND]",
        f"SELECT * FROM parquet.`s3://{BUCKET}/json`": "it is no Parquet file",
        "SELECT * FROM parquet.`s3://no-such-bucket-here/x`": "there is no bucket no-such-bucket-here",
        "SELECT * FROM parquet.`s3:///x`": "a bucket's name",
        "SELECT * FROM parquet.`hdfs://host/x`": "read from local disks",
    }.items():
        done = leat("sql", "-c", query, **server.settings())
        check(f"{server.name}: {query}", [] if done.status != 0 and words in done.err else [done.err[-300:]])
    nobody = {**server.settings(), "AWS_ACCESS_KEY_ID": None, "AWS_SECRET_ACCESS_KEY": None}
    done = leat("sql", "-c", f"SELECT * FROM parquet.`s3://{BUCKET}/plain`", **nobody)
    check(f"{server.name}: no credentials", [] if done.status != 0 and "no credentials for S3" in done.err else [done.err[-300:]])


SPEC = """name: reading
storage: s3://{bucket}/reading
libraries:
  - glob:
      include: transformations/**
configuration:
  source.lines.format: json
  source.lines.path: s3a://{bucket}/stream/*/in
  source.lines.schema: id BIGINT, kind INT
  source.kinds.format: {format}
  source.kinds.path: s3://{bucket}/kinds-{format}
  source.kinds.schema: kind INT, title STRING
  leat.trigger: once
  spark.hadoop.fs.s3a.endpoint: {url}
  spark.hadoop.fs.s3a.path.style.access: true
"""
SQL = """CREATE STREAMING TABLE joined TBLPROPERTIES ('leat.format' = '{table}') AS
  SELECT l.id, k.title FROM STREAM lines AS l JOIN kinds AS k ON l.kind = k.kind;
"""


def kinds_put(server, fs, format):
    kinds = pa.table({"kind": pa.array(range(10), pa.int32()), "title": [f"t{i}" for i in range(10)]})
    if format == "parquet":
        put(fs, "kinds-parquet/k.parquet", parquet_bytes(kinds))
    elif format == "csv":
        put(fs, "kinds-csv/k.csv", "".join(f"{i},t{i}\n" for i in range(10)))
    elif format == "json":
        put(fs, "kinds-json/k.json", "".join(json.dumps(row) + "\n" for row in kinds.to_pylist()))
    else:
        write_deltalake(f"s3://{BUCKET}/kinds-delta", kinds, storage_options={**options(server), "AWS_CONDITIONAL_PUT": "etag"})


def pipeline(server, format, table):
    """A stream of lines in S3, joined with a relation in S3, into a table in S3, that leat sql reads by its name."""
    fs, name = filesystem(server), f"pipeline-{format}-{table}"
    folder = WORK / f"{server.name}-{name}"
    (folder / "transformations").mkdir(parents=True)
    spec = SPEC.format(bucket=BUCKET, url=server.url, format=format).replace("/reading", f"/{name}").replace("/stream", f"/{name}-in")
    (folder / "spark-pipeline.yml").write_text(spec)
    (folder / "transformations/a.sql").write_text(SQL.format(table=table))
    kinds_put(server, fs, format)
    problems, want = [], 0
    for step in range(3):
        for part in range(2):
            lines = [{"id": step * 100 + part * 50 + i, "kind": i % 10} for i in range(50)]
            put(fs, f"{name}-in/p{part}/in/{step}.json", "".join(json.dumps(line) + "\n" for line in lines))
        want += 100
        problems += leat("run", folder, **server.settings()).problems(0)
        done = leat("sql", folder, "--format", "csv", "-c", "SELECT count(*), count(DISTINCT id), max(title), sum(id) FROM joined",
                    **server.settings())
        expected = f"{want},{want},t9,{want * (want - 1) // 2}"
        problems += [] if expected in done.out else [f"step {step}: {done.out} {done.err[-400:]}"]
    again = leat("sql", folder, "--format", "csv", "-c", "SELECT count(*) FROM lines; SELECT count(*) FROM kinds", **server.settings())
    problems += [] if again.out.split()[1::2] == ["300", "10"] else [again.out + again.err[-400:]]
    check(f"{server.name}: a stream and a {format} relation into {table}", problems)


VIEWS = """CREATE MATERIALIZED VIEW in_commits TBLPROPERTIES ('leat.format' = 'delta') AS SELECT kind, count(*) AS n FROM lines GROUP BY kind;
CREATE MATERIALIZED VIEW in_files AS SELECT kind, count(*) AS n FROM lines GROUP BY kind;
"""


def views(server):
    """A view that is a Delta table is replaced by one commit; of one of plain files leat says that readers may see both."""
    fs, folder, problems = filesystem(server), WORK / f"{server.name}-views", []
    (folder / "transformations").mkdir(parents=True)
    spec = SPEC.format(bucket=BUCKET, url=server.url, format="json").replace("/reading", "/views").replace("/stream", "/views-in")
    (folder / "spark-pipeline.yml").write_text("\n".join(line for line in spec.split("\n") if "source.kinds" not in line))
    (folder / "transformations/a.sql").write_text(VIEWS)
    for step in range(3):
        put(fs, f"views-in/p/in/{step}.json", "".join(json.dumps({"id": i, "kind": i % 4}) + "\n" for i in range(40)))
        done = leat("run", folder, **server.settings())
        problems += done.problems(0, *(["make it a Delta table"] if step > 0 else []))
        for view in ("in_commits", "in_files"):
            asked = leat("sql", folder, "--format", "csv", "-c", f"SELECT count(*), min(n), max(n) FROM {view}", **server.settings())
            problems += [] if f"4,{10 * (step + 1)},{10 * (step + 1)}" in asked.out else [f"{view}: {asked.out} {asked.err[-300:]}"]
    with fs.open_input_file(f"{BUCKET}/views/tables/in_commits/_delta_log/{2:020d}.json") as commit:
        kinds = [next(iter(json.loads(line))) for line in commit.read().splitlines()]
    problems += [] if kinds.count("add") == 1 and kinds.count("remove") == 1 else [f"{kinds}"]
    check(f"{server.name}: views", problems)


STREAMS = """name: streams
storage: s3://{bucket}/{name}
libraries:
  - glob:
      include: transformations/**
configuration:
  source.rows.format: {format}
  source.rows.path: s3://{bucket}/{name}-in
{schema}  leat.trigger: once
  spark.hadoop.fs.s3a.endpoint: {url}
  spark.hadoop.fs.s3a.path.style.access: true
"""


def columns_streamed(server, format):
    """Parquet files and a Delta table in S3 as a stream, killed between the record and its files."""
    fs, name, problems = filesystem(server), f"streams-{format}", []
    folder = WORK / f"{server.name}-{name}"
    (folder / "transformations").mkdir(parents=True)
    (folder / "spark-pipeline.yml").write_text(STREAMS.format(
        bucket=BUCKET, name=name, format=format, url=server.url,
        schema="  source.rows.schema: id BIGINT, day INT\n" if format == "parquet" else ""))  # a Delta table says its columns
    (folder / "transformations/a.sql").write_text(
        "CREATE STREAMING TABLE copy AS SELECT id, day, _metadata.file_path AS f FROM STREAM rows;\n")
    for step in range(3):
        part = pa.table({"id": pa.array(range(step * 200, step * 200 + 200), pa.int64())})
        if format == "parquet":
            put(fs, f"{name}-in/day={step}/f.parquet", parquet_bytes(part, row_group_size=60))
        else:
            write_deltalake(f"s3://{BUCKET}/{name}-in", part.append_column("day", pa.array([step] * 200, pa.int32())), mode="append",
                            partition_by=["day"], storage_options={**options(server), "AWS_CONDITIONAL_PUT": "etag"})
        killed = leat("run", folder, LEAT_FAIL="after_record:1:kill", **server.settings())
        problems += [] if killed.status == -9 else [f"after_record did not kill: {killed.status} {killed.err[-300:]}"]
        problems += leat("run", folder, **server.settings()).problems(0)
        asked = "SELECT count(*), count(DISTINCT id), max(day), count(DISTINCT f), min(f) LIKE 's3://%' FROM copy"
        done = leat("sql", folder, "--format", "csv", "-c", asked, **server.settings())
        count = 200 * step + 200
        problems += [] if f"{count},{count},{step},{step + 1},true" in done.out else [f"step {step}: {done.out} {done.err[-400:]}"]
    check(f"{server.name}: {format} as a stream", problems)


kinds = s3_servers.servers()
skipped = 2 - len(kinds)
for kind in kinds:
    server = kind(WORK / kind.name, BUCKET)
    skipped += units(server)
    fill(server)
    paths(server)
    few_bytes(server)
    few_requests(server)
    refusals(server)
    for format, table in (("parquet", "parquet"), ("csv", "csv"), ("json", "json"), ("delta", "delta")):
        pipeline(server, format, table)
    for format in ("parquet", "delta"):
        columns_streamed(server, format)
    views(server)
    server.stop()
finish(skipped)

"""Tables and checkpoint in S3: on moto and versitygw, through a proxy that fails every tenth request, with two processes on
one checkpoint, with credentials that expire. Skipped, and counted, where tools/setup s3 has not been.

    SEED=n repeats the proxy's faults   RUNS=n runs through the proxy, each with the next seed (default 1)
"""

import json
import os
import subprocess
import sys
import threading
import time
from datetime import datetime, timedelta, timezone
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pyarrow.dataset as ds
from pyarrow.fs import FileSelector, S3FileSystem

sys.path.insert(0, str(Path(__file__).parent))
import s3_servers
from s3_proxy import Proxy
from trial import LEAT, ROOT, WORK, Leat, check, finish, leat, multiset_problems, produce, project, until

SEED = int(os.environ.get("SEED", str(time.time_ns() % 1_000_000)))
RUNS = int(os.environ.get("RUNS", "1"))
RECORDS, EPOCHS, BUCKET = 6000, 8, "leat-test"
UNIT = ROOT / "build/debug/unit_store"
CONTRACT = ("the_first_put_wins", "parts_are_read", "lists_are_sorted", "names_may_be_odd", "what_lies_there", "a_staged_file_appears",
            "a_published_file", "what_is_staged", "many_files", "one_bad_file", "a_reader", "a_file_may_have", "a_name_is_locked",
            "long_lists")

SPEC = """name: s3
storage: s3://{bucket}/{name}
libraries:
  - glob:
      include: transformations/**
configuration:
  source.t.format: kafka
  source.t.kafka.bootstrap.servers: "${{env:KAFKA_BOOTSTRAP_SERVERS}}"
  source.t.subscribe: {topic}
  source.t.startingOffsets: earliest
  source.t.maxOffsetsPerTrigger: {limit}
  leat.trigger: once
  leat.snapshot.epochs: 2
  leat.tables.path: s3a://{bucket}/{name}/tables
  spark.hadoop.fs.s3a.endpoint: {endpoint}
  spark.hadoop.fs.s3a.path.style.access: true
{more}
"""
SQL = """CREATE STREAMING TABLE rows AS SELECT partition, offset, CAST(value AS STRING) AS value FROM STREAM t;
CREATE STREAMING TABLE rows_csv USING CSV AS SELECT partition, offset, length(CAST(value AS STRING)) AS n FROM STREAM t;
CREATE STREAMING TABLE parted PARTITIONED BY (partition) AS SELECT partition, offset FROM STREAM t;
CREATE STREAMING TABLE firsts TBLPROPERTIES ('leat.dedup' = 'partition, place') AS
  SELECT partition, offset % 100 AS place FROM STREAM t;
"""
TOPIC = f"s3-{os.getpid()}"


def project_of(server, name, more=(), limit=RECORDS // EPOCHS, endpoint=None, prefix=None):
    """server: one at work, or the URL of what is no server of ours. prefix: of another project's tables."""
    url, where = (server, "nowhere") if isinstance(server, str) else (server.url, server.name)
    lines = "\n".join(f"  {line}" for line in more)
    spec = SPEC.format(bucket=BUCKET, name=prefix or name, topic=TOPIC, limit=limit, endpoint=endpoint or url, more=lines)
    return project(f"{where}/{name}", spec, SQL)


def filesystem(server):
    return S3FileSystem(access_key=s3_servers.KEY, secret_key=s3_servers.SECRET, endpoint_override=server.url, region="us-east-1",
                        allow_bucket_creation=False)


def rows_of(server, name, table, columns):
    """As PyArrow reads them, by S3."""
    fs = filesystem(server)
    kind = "csv" if table.endswith("_csv") else "parquet"
    data = ds.dataset(f"{BUCKET}/{name}/tables/{table}", filesystem=fs, format=kind, partitioning="hive").to_table()
    if kind == "csv":
        return data.num_rows
    return list(zip(*(data[column].to_pylist() for column in columns)))


def tables_problems(server, name):
    rows = rows_of(server, name, "rows", ("partition", "offset"))
    found = [] if len(rows) == RECORDS else [f"rows: {len(rows)}, want {RECORDS}"]
    found += multiset_problems("rows", rows, set(rows))
    found += multiset_problems("parted", rows_of(server, name, "parted", ("partition", "offset")), rows)
    want = {(partition, offset % 100) for partition, offset in rows}
    return found + multiset_problems("firsts", rows_of(server, name, "firsts", ("partition", "place")), want)


def settled(server, name, folder, **environment):
    """After the runs: the tables, and what leat says of them."""
    found = tables_problems(server, name)
    audited = leat("audit", folder, **environment)
    found += audited.problems(0)
    return found + ([] if "nothing is missing, double or damaged" in audited.out else [audited.out[-300:]])


# ---- the store itself ----


def contract(server):
    if not UNIT.exists():
        return 1
    environment = {**os.environ, **{k: v for k, v in server.settings().items() if v}, "LEAT_TEST_S3": f"s3://{BUCKET}/contract"}
    problems = []
    for test in CONTRACT[:-1] if server.name == "moto" else CONTRACT:  # a thousand puts are long on moto
        done = subprocess.run([UNIT, test], env=environment, capture_output=True, text=True, timeout=120)
        if done.returncode != 0 or " 0 failed" not in done.stdout or "skip" in done.stdout:
            problems.append(done.stdout[-600:])
    check(f"{server.name}: the contract of stores", problems)
    return 0


# ---- pipelines ----


def plain_run(server):
    name = "plain"
    folder = project_of(server, name)
    done = leat("run", folder, **server.settings())
    check(f"{server.name}: a run", done.problems(0))
    check(f"{server.name}: its tables", settled(server, name, folder, **server.settings()))
    check(f"{server.name}: plan and state", leat("plan", folder, **server.settings()).problems(0)
          + leat("state", folder, **server.settings()).problems(0))
    again = leat("run", folder, **server.settings())
    check(f"{server.name}: another run adds nothing", again.problems(0) + tables_problems(server, name))


def faulty_run(server, seed):
    name = f"faulty-{seed}"
    proxy = Proxy(server.port, 0.1, seed)
    folder = project_of(server, name, endpoint=proxy.url)
    done = leat("run", folder, "--set", "leat.retry.limit=2 minutes", **server.settings())
    check(f"{server.name}: every tenth request fails, SEED={seed}", done.problems(0) + ([] if proxy.counts.total() > 200 else ["too few"]))
    proxy.stop()
    print(f"{server.name}: {dict(proxy.counts)}")
    calm = project_of(server, name + "-calm", prefix=name)
    check(f"{server.name}: its tables after that, SEED={seed}", settled(server, name, calm, **server.settings()))


def killed_run(server):
    """Kills at every point of the path of a file and a record; the rest is ./dev crash --sink parquet-s3."""
    name = "killed"
    folder, problems = project_of(server, name, limit=RECORDS // 20), []
    for point in ("stage_open", "stage_fsync", "stage_done", "record_put", "after_record", "publish_one", "publish_done", "gc_one"):
        done = leat("run", folder, LEAT_FAIL=f"{point}:2", **server.settings())
        problems += [] if done.status in (-9, 0) else [f"{point}: left with {done.status}: {done.err[-300:]}"]
    problems += leat("run", folder, **server.settings()).problems(0)
    check(f"{server.name}: kills at every point", problems + settled(server, name, folder, **server.settings()))


def failed_run(server):
    """Operations that fail, and such whose answer is lost: leat mends that by itself."""
    for point in ("stage_open:5:eio", "stage_write:5:lost", "record_put:4:lost", "publish_one:5:lost", "publish_one:6:eio"):
        name = f"failed-{point.replace(':', '-').replace('_', '-')}"
        folder = project_of(server, name)
        problems = leat("run", folder, LEAT_FAIL=point, **server.settings()).problems(0)
        check(f"{server.name}: {point}", problems + tables_problems(server, name))


def raced_run(server):
    """Two queries append to one Delta table: no commit is lost, none is there twice."""
    table, both = f"leat.tables.path=s3://{BUCKET}/raced/tables", []
    for name in ("raced-1", "raced-2"):
        folder = project_of(server, name, limit=RECORDS // 12)
        (folder / "transformations/a.sql").write_text("CREATE STREAMING TABLE rows USING DELTA AS SELECT partition, offset FROM STREAM t;")
        both.append(Leat("run", folder, "--set", table, **server.settings()))
    problems = [problem for one in both for problem in one.wait(120).problems(0)]
    fs, root = filesystem(server), f"{BUCKET}/raced/tables/rows"
    log = sorted(f.path for f in fs.get_file_info(FileSelector(f"{root}/_delta_log")) if f.path.endswith(".json"))
    problems += [] if [int(Path(path).stem) for path in log] == list(range(len(log))) else [f"versions {log}"]
    actions = [json.loads(line) for path in log for line in fs.open_input_file(path).read().splitlines()]
    added = [action["add"]["path"] for action in actions if "add" in action]
    gone = {action["remove"]["path"] for action in actions if "remove" in action}  # merged
    data = ds.dataset([f"{root}/{path}" for path in added if path not in gone], filesystem=fs, format="parquet").to_table()
    rows = list(zip(data["partition"].to_pylist(), data["offset"].to_pylist()))
    problems += [] if len(set(rows)) == RECORDS and len(added) == len(set(added)) else [f"{len(set(rows))} rows of {RECORDS}"]
    check(f"{server.name}: two writers of one Delta table", problems + multiset_problems("rows", rows, 2 * sorted(set(rows))))


def fenced_run(server):
    """Two processes on one checkpoint: one stops, the other goes on."""
    name = "fenced"
    folder = project_of(server, name, limit=RECORDS // 10)
    frozen = Leat("run", folder, LEAT_FAIL="stage_done:4:stop", **server.settings())
    problems = until(lambda: Path(f"/proc/{frozen.process.pid}/stat").read_text().split()[2] == "T", "the frozen one")
    other = leat("run", folder, "--set", f"leat.spill.path={WORK}/spill-2", **server.settings())
    problems += other.problems(0)
    frozen.process.send_signal(18)  # SIGCONT
    done = frozen.wait()
    problems += [] if done.status == 1 and "another leat process" in done.err else [f"it left with {done.status}: {done.err[-400:]}"]
    check(f"{server.name}: a zombie is fenced", problems + settled(server, name, folder, **server.settings()))


# ---- who we are ----


class Provider:
    """A container's service of credentials, and an instance's; keys that last two seconds."""

    def __init__(self, lasts_seconds, tokens=False):
        self.asked, self.lasts, self.tokens = 0, lasts_seconds, tokens
        provider = self

        class Handler(BaseHTTPRequestHandler):
            def log_message(self, *words):
                pass

            def say(self, text):
                self.send_response(200)
                self.send_header("Content-Length", str(len(text)))
                self.end_headers()
                self.wfile.write(text.encode())

            def do_PUT(self):
                self.say("imds-token")

            def do_GET(self):
                if self.path.endswith("security-credentials/"):
                    good = self.headers.get("x-aws-ec2-metadata-token") == "imds-token"
                    return self.say("the-role\n") if good else self.send_error(401)
                provider.asked += 1
                until_text = (datetime.now(timezone.utc) + timedelta(seconds=provider.lasts)).strftime("%Y-%m-%dT%H:%M:%SZ")
                keys = {"AccessKeyId": s3_servers.KEY, "SecretAccessKey": s3_servers.SECRET, "Expiration": until_text}
                self.say(json.dumps({**keys, **({"Token": f"token-{provider.asked}"} if provider.tokens else {})}))

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()


def credential_runs(server):
    nobody = {**server.settings(), "AWS_ACCESS_KEY_ID": None, "AWS_SECRET_ACCESS_KEY": None}
    provider = Provider(lasts_seconds=2)
    for name, variables in {
        "container": {"AWS_CONTAINER_CREDENTIALS_FULL_URI": provider.url + "/creds"},
        "instance": {"AWS_EC2_METADATA_SERVICE_ENDPOINT": provider.url + "/", "AWS_EC2_METADATA_DISABLED": None},
    }.items():
        before = provider.asked
        folder = project_of(server, name, limit=RECORDS // 20)
        done = leat("run", folder, **{**nobody, **variables})
        problems = done.problems(0) + ([] if provider.asked > before else ["the service was not asked"])
        check(f"{server.name}: credentials of the {name}", problems + tables_problems(server, name))
    aws = WORK / "credentials"
    aws.write_text(f"[default]\naws_access_key_id = wrong\naws_secret_access_key = wrong\n[test]\naws_access_key_id={s3_servers.KEY}\n"
                   f"aws_secret_access_key={s3_servers.SECRET}\n")
    from_file = {**nobody, "AWS_SHARED_CREDENTIALS_FILE": str(aws), "AWS_PROFILE": "test"}
    check(f"{server.name}: credentials of a file", leat("run", project_of(server, "file"), **from_file).problems(0)
          + tables_problems(server, "file"))
    options = ('spark.hadoop.fs.s3a.access.key: "${env:THE_KEY}"', 'spark.hadoop.fs.s3a.secret.key: "${env:THE_SECRET}"')
    given = {**nobody, "THE_KEY": s3_servers.KEY, "THE_SECRET": s3_servers.SECRET, "LEAT_LOG": "debug"}
    done = leat("run", project_of(server, "options", options), **given)
    check(f"{server.name}: credentials of the spec", done.problems(0) + tables_problems(server, "options"))
    check(f"{server.name}: no secret is printed", [f"it is in {path.name}" for path in WORK.glob("leat-*.*")
                                                   if s3_servers.SECRET in path.read_text(errors="replace")])
    missing = leat("run", project_of(server, "nobody"), **nobody)
    check(f"{server.name}: no credentials", missing.problems(2, "no credentials for S3", "AWS_ACCESS_KEY_ID"))
    wrong = leat("run", project_of(server, "wrong"), **{**nobody, "AWS_ACCESS_KEY_ID": "no", "AWS_SECRET_ACCESS_KEY": "no"})
    if server.name != "moto":  # which believes everybody
        check(f"{server.name}: wrong credentials", wrong.problems(2, "refused"))


def clocks_and_sessions(server):
    """On moto, which checks neither."""
    proxy = Proxy(server.port, skew_s=3600)
    done = leat("run", project_of(server, "skewed", endpoint=proxy.url), **server.settings())
    problems = done.problems(0, "leat signs by its clock") + ([] if 0 < proxy.counts["skewed"] < 5 else [f"{proxy.counts}"])
    check("a clock an hour off", problems + tables_problems(server, "skewed"))
    proxy.stop()
    proxy, provider = Proxy(server.port, sessions=40), Provider(lasts_seconds=3600, tokens=True)
    nobody = {**server.settings(), "AWS_ACCESS_KEY_ID": None, "AWS_SECRET_ACCESS_KEY": None}
    done = leat("run", project_of(server, "sessions", endpoint=proxy.url), **nobody,
                AWS_CONTAINER_CREDENTIALS_FULL_URI=provider.url + "/creds")
    problems = done.problems(0) + ([] if provider.asked > 2 and proxy.counts["expired"] > 2 else [f"asked {provider.asked} times"])
    check("tokens that expire before their time", problems + tables_problems(server, "sessions"))
    proxy.stop()


class Careless(BaseHTTPRequestHandler):
    """A server that knows PUT and no conditions."""

    protocol_version = "HTTP/1.1"

    def log_message(self, *words):
        pass

    def do(self):
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self.send_response(204 if self.command == "DELETE" else 200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    do_PUT = do_DELETE = do_HEAD = do_GET = do_POST = do


def refusals():
    careless = ThreadingHTTPServer(("127.0.0.1", 0), Careless)
    threading.Thread(target=careless.serve_forever, daemon=True).start()
    url = f"http://127.0.0.1:{careless.server_address[1]}"
    done = leat("run", project_of(url, "careless"), **s3_servers.credentials())
    check("a server that lets a second writer in", done.problems(2, "If-None-Match", "lets a second writer replace"))
    bad = project_of("ftp://host", "bad")
    check("an endpoint that is none", leat("check", bad, **s3_servers.credentials()).problems(2, "fs.s3a.endpoint"))


kinds = s3_servers.servers()
skipped = 2 - len(kinds)
if kinds:
    produce("transactions", TOPIC, RECORDS, seed=3)
    refusals()
for kind in kinds:
    server = kind(WORK / kind.name, BUCKET)
    skipped += contract(server)
    plain_run(server)
    for seed in range(SEED, SEED + RUNS):
        faulty_run(server, seed)
    if kind is s3_servers.Moto:
        clocks_and_sessions(server)
    if kind is kinds[-1]:  # the faster one
        killed_run(server)
        failed_run(server)
        fenced_run(server)
        raced_run(server)
        credential_runs(server)
        gone = leat("run", project_of(server, "bucket"), "--set", "leat.checkpoint=s3://no-such-bucket/x", **server.settings())
        check("no such bucket", gone.problems(2, "no-such-bucket"))
    server.stop()
finish(skipped)

"""What ./dev crash runs: per sink a project, its topics, and how its outcome is read."""
import atexit
import json
import shutil
import subprocess
import time
from collections import Counter
from pathlib import Path

from confluent_kafka import Producer
from confluent_kafka.admin import AdminClient, NewTopic

import readers
import s3_servers
from readers import DeltaWatch, Findings, FolderWatch
from storm import BOOTSTRAP, LEAT, WORK, Run, Workload, wait

HERE = Path(__file__).parent
PARTITIONS = 4
RECORDS = 20_000
COLUMNS = ("topic", "partition", "offset", "value")


def numbers_fill(topic, count=RECORDS, first=0, bootstrap=BOOTSTRAP):
    """Rows (topic, partition, offset, value) as the broker acknowledged them."""
    rows, failed = [], []

    def on_delivery(error, message):
        if error:
            failed.append(str(error))
        else:
            rows.append((topic, message.partition(), message.offset(), message.value().decode()))

    producer = Producer({"bootstrap.servers": bootstrap, "linger.ms": 5, "acks": "all", "enable.idempotence": True,
                         "log_level": readers.QUIET})
    for number in range(first, first + count):
        value = json.dumps({"number": number, "filler": "x" * (number % 89)})
        producer.produce(topic, value.encode(), partition=number % PARTITIONS, on_delivery=on_delivery)
        producer.poll(0)
    producer.flush(60)
    if failed or len(rows) != count:
        raise SystemExit(f"{len(rows)} of {count} records reached {topic}: {failed[:2]}")
    return rows


def topic_create(topic, partitions=PARTITIONS, bootstrap=BOOTSTRAP, **config):
    """Replicated as the broker does it by default. Returns when all partitions have a leader."""
    admin = AdminClient({"bootstrap.servers": bootstrap})
    settings = {key.replace("_", "."): str(value) for key, value in config.items()}
    admin.create_topics([NewTopic(topic, partitions, -1, config=settings)])[topic].result(30)
    deadline = time.monotonic() + 30
    while True:
        known = admin.list_topics(topic, timeout=30).topics[topic].partitions
        if len(known) == partitions and all(partition.leader >= 0 for partition in known.values()):
            return
        if time.monotonic() > deadline:
            raise SystemExit(f"topic {topic} has no leaders after 30 s")
        time.sleep(0.02)


# ---- files ----


def readers_of(kind):
    if kind == "delta":
        return ("delta-rs", readers.delta_rows), ("DuckDB", readers.duck_delta_rows)
    return ("PyArrow", readers.arrow_rows), ("DuckDB", readers.duck_rows)


def files_check(run, kind, rows):
    """Two readers, on the plain and on the partitioned table."""
    findings = Findings()
    for table in ("records", "parted"):
        for who, read in readers_of(kind):
            try:
                got = read(run.tables / table, kind, COLUMNS)
            except Exception as error:  # a reader that cannot read is what we look for
                findings.add("torn", 1, f"{who} on {table}: {error}")
                continue
            findings.compare(f"{who} on {table}", got, rows)
    return findings


def files(kind, tag, count=RECORDS):
    topic = f"numbers-{kind}-{tag}"
    topic_create(topic)
    return files_of_rows(kind, topic, numbers_fill(topic, count))


def files_of_rows(kind, topic, rows):
    """rows: what the topic holds; may still grow."""
    def want():
        return Counter(tuple(map(str, row)) for row in rows) if kind == "csv" else Counter(rows)

    keys = {"parquet": readers.parquet_keys("partition", "offset"), "csv": readers.csv_keys(3, len(COLUMNS)),
            "json": readers.json_keys("partition", "offset"), "delta": readers.parquet_keys("partition", "offset")}[kind]

    def watch(run):
        folder = run.tables / "records"
        return DeltaWatch(folder, keys) if kind == "delta" else FolderWatch(folder, kind, keys)

    return Workload(
        name=kind,
        project=HERE / "plain",
        environment={"KAFKA_TOPIC": topic, "FORMAT": kind},
        watch=watch,
        check=lambda run: files_check(run, kind, want()),
    )


def compacted(tag):
    """Parquet files of a plain folder, merged while it is written and listed."""
    workload = files("parquet", f"compact-{tag}")
    workload.name = "parquet-compact"
    workload.environment = {**workload.environment, "COMPACT": "true", "TARGET_SIZE": "64k"}
    workload.rare_points = ("swap_linked", "swap_done")
    workload.watch = lambda run: readers.MergedWatch(run.tables / "records", readers.parquet_keys("partition", "offset"))
    return workload


# ---- the same in S3 ----


def in_s3(kind, tag):
    """On a versitygw whose bucket is the folder of all scenarios: what leat puts there by S3, readers find as files."""
    beside = WORK.parent.parent / f"s3-of-crash-{WORK.name}-{kind}"   # its own files may not lie below its buckets
    (beside / "root").mkdir(parents=True)
    (beside / "root/scenarios").symlink_to(WORK.resolve())
    server = s3_servers.Versitygw(beside, "scenarios", root=beside / "root")
    atexit.register(lambda: (server.stop(), shutil.rmtree(beside, ignore_errors=True)))
    workload = files(kind, f"s3-{tag}")
    workload.name = f"{kind}-s3"
    workload.limits = (100, 600)   # an epoch is some 20 requests
    known = {name: value for name, value in server.settings().items() if value is not None}

    def prepare(run):
        where = f"s3://{server.bucket}/{run.root.name}"
        return {**known, "OUTPUT_PATH": f"{where}/tables", "SPARK_CHECKPOINT_DIR": f"{where}/checkpoint"}

    workload.prepare = prepare
    return workload


# ---- topics ----

TOPIC_RECORDS = 8_000
AGREE_SECONDS = 10


def topics_prepare(run):
    """Two new topics of the scenario's own."""
    names = {"TOPIC_OF_ALL": f"all-{run.root.name}", "TOPIC_OF_ODD": f"odd-{run.root.name}"}
    for name in names.values():
        topic_create(name, 3)
    return names


def topics_clean(run):
    admin = AdminClient({"bootstrap.servers": BOOTSTRAP})
    for future in admin.delete_topics(topics_of(run)).values():
        future.result(30)


def topics_of(run):
    return [run.environment["TOPIC_OF_ALL"], run.environment["TOPIC_OF_ODD"]]


def topics_agree(run):
    """After a kill: a transaction is committed in both topics or in none. A consumer sees that once its markers are written."""
    every, odd = topics_of(run)
    deadline = time.monotonic() + AGREE_SECONDS
    while True:
        ours, theirs = set(run.watch.rows(odd)), {row for row in run.watch.rows(every) if row[1] % 2 == 1}
        if ours == theirs or time.monotonic() > deadline:
            break
        time.sleep(0.05)
    findings = Findings()
    findings.add("torn", len(ours ^ theirs), f"the topics do not agree: {list(ours ^ theirs)[:3]}")
    return findings


def topics_check(run, rows):
    """Each record once, epoch by epoch, in both topics and in the table."""
    findings = Findings()
    every, odd = topics_of(run)
    want = Counter((partition, offset, value) for _, partition, offset, value in rows)
    findings.compare(f"consumer of {every}", run.watch.rows(every), want)
    findings.compare(f"consumer of {odd}", run.watch.rows(odd), Counter(row for row in want if row[1] % 2 == 1))
    for who, read in (("PyArrow", readers.arrow_rows), ("DuckDB", readers.duck_rows)):
        findings.compare(f"{who} on kept", read(run.tables / "kept", "parquet", COLUMNS), rows)
    ranges = {record["epoch"]: {span["partition"]: (span["from"], span["to"]) for span in record["ranges"]}
              for record in run.records()}
    for topic in (every, odd):
        out_of_order = readers.epochs_in_order(run.watch.found[topic], ranges)
        findings.add("torn", len(out_of_order), f"{topic}: {out_of_order[:2]}")
    return findings


def topics(tag, count=TOPIC_RECORDS):
    """Kafka to Kafka in transactions, two topics at once, with a table of Parquet files beside them."""
    topic = f"numbers-topics-{tag}"
    topic_create(topic)
    return topics_of_rows("kafka", topic, numbers_fill(topic, count))


def topics_of_rows(name, topic, rows):
    return Workload(
        name=name,
        project=HERE / "topics",
        environment={"KAFKA_TOPIC": topic},
        prepare=topics_prepare,
        clean=topics_clean,
        watch=lambda run: readers.TopicWatch(BOOTSTRAP, topics_of(run)),
        between=topics_agree,
        check=lambda run: topics_check(run, Counter(rows)),
        limits=(40, 200),
    )


# ---- state ----

STATEFUL_RECORDS, STATEFUL_EPOCHS = 24_000, 60
STATEFUL_COLUMNS = {
    "per_minute": ("site", "start", "n", "least"),
    "sliding": ("ad", "start", "n", "sites"),
    "sessions": ("site", "start", "finish", "n"),
    "joined": ("impression_id", "ad_id", "click_id", "price", "clicked_at"),
    "first_of_ad": ("ad_id", "impression_id", "shown_at"),
}


def plain(value):
    """Lists are sets of collect_set here: their order is free."""
    return tuple(sorted(value)) if isinstance(value, list) else value


def stateful_rows(read, tables):
    return {table: Counter(tuple(map(plain, row)) for row in read(tables / table, "parquet", columns))
            for table, columns in STATEFUL_COLUMNS.items()}


def stateful_check(run, want):
    findings = Findings()
    for who, read in (("PyArrow", readers.arrow_rows), ("DuckDB", readers.duck_rows)):
        try:
            got = stateful_rows(read, run.tables)
        except Exception as error:
            findings.add("torn", 1, f"{who}: {error}")
            continue
        for table, rows in want[who].items():
            findings.compare(f"{who} on {table}", got[table].elements(), rows)
    return findings


def stateful(tag):
    """Windows, sessions, joins and deduplication: what an undisturbed run of the same split gives."""
    topics = {kind: f"{kind}-{tag}" for kind in ("impressions", "clicks")}
    for kind, topic in topics.items():
        subprocess.run([LEAT, "produce", kind, "--bootstrap", BOOTSTRAP, "--topic", topic, "--count", str(STATEFUL_RECORDS),
                        "--partitions", "3", "--seed", "5", "--event-rate", "80"], check=True, stderr=subprocess.DEVNULL)
    limit = STATEFUL_RECORDS // STATEFUL_EPOCHS
    workload = Workload(
        name="stateful",
        project=HERE / "stateful",
        environment={"IMPRESSIONS": topics["impressions"], "CLICKS": topics["clicks"]},
        watch=lambda run: FolderWatch(run.tables / "joined", "parquet", readers.parquet_keys("impression_id")),
        check=lambda run: stateful_check(run, want),
        limits=(limit, limit),
        split_matters=True,
    )
    undisturbed = Run(workload, f"stateful-{tag}-undisturbed")
    status = wait(undisturbed.start("--once", MAX_OFFSETS_PER_TRIGGER=limit), 120)
    want = {"PyArrow": stateful_rows(readers.arrow_rows, undisturbed.tables),
            "DuckDB": stateful_rows(readers.duck_rows, undisturbed.tables)}
    if status != 0 or not all(want["PyArrow"].values()):
        raise SystemExit(f"the undisturbed run left with {status}: {undisturbed.said()[-2000:]}")
    return workload


SINKS = {
    "parquet": lambda tag: files("parquet", tag),
    "parquet-compact": compacted,
    "csv": lambda tag: files("csv", tag),
    "json": lambda tag: files("json", tag),
    "delta": lambda tag: files("delta", tag),
    "parquet-s3": lambda tag: in_s3("parquet", tag),
    "delta-s3": lambda tag: in_s3("delta", tag),
    "kafka": topics,
    "stateful": stateful,
}

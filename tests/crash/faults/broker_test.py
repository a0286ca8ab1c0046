"""Brokers that die and stand still: three KRaft nodes, replicated topics, leat from Kafka to Kafka and to files.

Each round hurts the node that leads most: kill -9 and a later start, or SIGSTOP for longer than its session. Records keep
coming (acks=all, idempotent). Every one must come out once. Then a compacted topic: gaps that no transaction made."""
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[2]
sys.path[:0] = [str(HERE.parent), str(HERE.parent.parent / "interop")]
KAFKA = ROOT / "tools/kafka/kafka"
NAME = f"brokers-{os.getpid()}"
NODES = 3
SETTINGS = ("broker.session.timeout.ms=3000", "broker.heartbeat.interval.ms=500", "log.cleaner.backoff.ms=200",
            "log.cleaner.min.compaction.lag.ms=0")


def kafka(*words):
    return subprocess.run([KAFKA, *words, "--name", NAME], check=True, stdout=subprocess.PIPE, text=True).stdout.strip()


os.environ["KAFKA_BOOTSTRAP_SERVERS"] = kafka("start", "--nodes", str(NODES), *[w for s in SETTINGS for w in ("--set", s)])
import readers
import storm
import workloads
from confluent_kafka import Producer
from confluent_kafka.admin import AdminClient
from readers import Findings
from storm import BOOTSTRAP, Run, Workload, patience, wait
from trial import check, finish, until

SEED = int(os.environ.get("SEED", str(int(time.time()) % 1_000_000)))
ROUNDS = int(os.environ.get("ROUNDS", "3"))
WORKS_AGAIN_SECONDS = 10
STAND_SECONDS = 7  # longer than a broker's session
tag = str(os.getpid())


def node_folder(node):
    return ROOT / "build/kafka" / NAME / ("" if node == 1 else f"node-{node}")


def node_pid(node):
    return int((node_folder(node) / "pid").read_text())


def leaders(topics):
    """{node: partitions of these topics that it leads}."""
    known = AdminClient({"bootstrap.servers": BOOTSTRAP}).list_topics(timeout=30).topics
    return Counter(partition.leader for topic in topics for partition in known[topic].partitions.values())


def most_leading(run):
    """Of what leat reads and writes, and of the coordinators of its group and transaction."""
    topics = [run.environment["KAFKA_TOPIC"], "__consumer_offsets"]
    topics += [name for name in ("__transaction_state",) if "TOPIC_OF_ALL" in run.environment]
    counted = leaders(topics)
    return max((node for node in counted if node > 0), key=lambda node: counted[node])


class Feed:
    """Records that keep coming; a broker that is gone only delays them."""

    def __init__(self, topic):
        self.topic, self.rows = topic, []

    def more(self, count):
        self.rows += workloads.numbers_fill(self.topic, count, first=len(self.rows))


def started(run, limit):
    return run.start("--set", "leat.trigger=continuous", "--set", "leat.files.max_staleness=20 ms", MAX_OFFSETS_PER_TRIGGER=limit)


def goes_on(run, process, feed, what):
    """Problems when new records are not committed in time; says how long it took."""
    begun, epochs = time.monotonic(), run.epochs()
    feed.more(100)
    while run.epochs() == epochs:
        if process.poll() is not None:
            return [f"{what}: it left with {process.returncode}: {run.last_words()}"]
        if time.monotonic() - begun > 60:
            return [f"{what}: no commit for 60 s: {run.last_words()}"]
        time.sleep(0.05)
    seconds = time.monotonic() - begun
    print(f"{run.root.name}: {what}: commits again after {seconds:.1f} s", file=sys.stderr)
    return [f"{what}: the next commit took {seconds:.1f} s"] * (seconds > patience(WORKS_AGAIN_SECONDS))


def killed_leader(run, process, feed):
    node = most_leading(run)
    kafka("stop", "--kill", "--node", str(node))
    feed.more(300)
    problems = goes_on(run, process, feed, f"node {node} killed, the others take over")
    kafka("start", "--keep", "--node", str(node))
    return problems + goes_on(run, process, feed, f"node {node} is back")


def standing_leader(run, process, feed):
    node = most_leading(run)
    pid = node_pid(node)
    os.kill(pid, signal.SIGSTOP)
    try:
        time.sleep(STAND_SECONDS)
    finally:
        os.kill(pid, signal.SIGCONT)
    return goes_on(run, process, feed, f"node {node} stood for {STAND_SECONDS} s")


def all_gone(run, process, feed):
    """The whole cluster pulls its plug and comes back."""
    kafka("stop", "--kill")
    time.sleep(3)
    kafka("start", "--keep")
    return goes_on(run, process, feed, "all nodes killed and back")


def scene(kind, number):
    dice = random.Random(f"{SEED}/{kind}/{number}")
    topic = f"brokers-{kind}-{tag}"
    workloads.topic_create(topic)
    feed = Feed(topic)
    feed.more(500)
    make = workloads.topics_of_rows if kind == "kafka" else workloads.files_of_rows
    workload = make(kind, topic, feed.rows)
    run = Run(workload, f"brokers-{kind}-{number}")
    run.watch = workload.watch(run)
    run.watch.start()
    process = started(run, 200)
    problems = until(lambda: run.epochs() > 0, "the first epoch")
    for turn in range(ROUNDS):
        harm = (killed_leader, standing_leader)[turn % 2] if turn < ROUNDS - 1 else all_gone
        problems += harm(run, process, feed)
        if turn < ROUNDS - 1 and dice.random() < 0.5:
            process.kill()
            process.wait()
            process = started(run, dice.randint(50, 400))
    process.terminate()
    status = wait(process, 40)
    if status is None:
        process.kill()
        process.wait()
    problems += [] if status == 0 else [f"after SIGTERM it left with {status}: {run.last_words()}"]
    status = run.finish("--once")
    problems += [] if status == 0 else [f"the last start left with {status}: {run.last_words()}"]
    problems += run.watch.end().texts + workload.check(run).texts + storm.leftovers(run).texts
    check(f"{kind}: brokers killed and stopped, seed {SEED}", problems)


# ---- compaction ----


def compacted():
    """Only the newest record of each key is left: offsets have gaps, in the middle and at the end."""
    topic = f"compacted-{tag}"
    workloads.topic_create(topic, 2, cleanup_policy="compact", segment_bytes=1 << 20, segment_ms=200,
                           min_cleanable_dirty_ratio=0.01, delete_retention_ms=0)
    producer = Producer({"bootstrap.servers": BOOTSTRAP, "acks": "all"})
    for n in range(6000):
        producer.produce(topic, f"{n} {'x' * 200}".encode(), key=f"k{n % 50}".encode(), partition=n % 2)
        if n % 1000 == 999:
            producer.flush(30)
            time.sleep(0.3)
    producer.flush(30)

    def now():
        watch = {}
        consumer = readers.Consumer({"bootstrap.servers": BOOTSTRAP, "group.id": f"c-{time.time_ns()}",
                                     "enable.partition.eof": True, "enable.auto.commit": False})
        places = [readers.TopicPartition(topic, p, readers.OFFSET_BEGINNING) for p in (0, 1)]
        consumer.assign(places)
        ends = 0
        while ends < len(places):
            message = consumer.poll(10)
            if message is None or message.error():
                ends += 1
                continue
            watch[topic, message.partition(), message.offset(), message.value().decode()] = 1
        consumer.close()
        return Counter(watch)

    problems = until(lambda: now().total() < 3000, "compaction", 60)
    run = Run(Workload("compacted", HERE.parent / "plain", {"KAFKA_TOPIC": topic}, watch=None, check=None), "compacted")
    before = now()
    status = run.finish("--once", MAX_OFFSETS_PER_TRIGGER=700, LEAT_FAIL="after_record:2")
    problems += [] if status == -signal.SIGKILL else [f"after_record:2 did not kill: {status}"]
    status = run.finish("--once", MAX_OFFSETS_PER_TRIGGER=700)
    after = now()
    problems += [] if status == 0 else [f"it left with {status}: {run.last_words()}"]
    got = Counter(readers.arrow_rows(run.tables / "records", "parquet", workloads.COLUMNS))
    findings = Findings()
    findings.compare("PyArrow", got.elements(), after if got != before else before)  # the cleaner may work while leat reads
    print(f"compacted: {before.total()} of 6000 records are left, {got.total()} were read", file=sys.stderr)
    check("case 22: a compacted topic", problems + findings.texts)


def main():
    compacted()
    for number, kind in enumerate(("kafka", "parquet")):
        scene(kind, number)
    finish()


try:
    main()
finally:
    kafka("stop", "--kill")
    shutil.rmtree(ROOT / "build/kafka" / NAME, ignore_errors=True)

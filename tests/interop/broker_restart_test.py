"""The broker dies in mid-stream (SIGKILL) and comes back: leat says so, waits, goes on, and every record is
in the tables once."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
import oracle
import tables
from trial import ROOT, WORK, Leat, check, finish, produce, until

KAFKA = ROOT / "tools/kafka/kafka"
NAME = f"restart-{os.getpid()}"
TOPIC = "transactions"
RECORDS = 30_000


def kafka(*words):
    return subprocess.run(
        [KAFKA, *words, "--name", NAME], check=True, stdout=subprocess.PIPE, text=True
    ).stdout.strip()


def start(*words):
    """A killed broker may come back only when its session has ended."""
    return kafka(
        "start",
        "--set",
        "broker.session.timeout.ms=1500",
        "--set",
        "broker.heartbeat.interval.ms=300",
        *words,
    )


def fill(bootstrap, seed):
    produce("transactions", TOPIC, RECORDS, bootstrap, bad_ratio=0.02, seed=seed, event_rate=50)


def test(bootstrap):
    fill(bootstrap, seed=1)
    running = Leat(
        "run",
        ROOT / "examples/transactions",
        KAFKA_BOOTSTRAP_SERVERS=bootstrap,
        KAFKA_TOPIC=TOPIC,
        OUTPUT_PATH=WORK / "tables",
        SPARK_CHECKPOINT_DIR=WORK / "checkpoint",
        TRIGGER_INTERVAL="500 ms",
        MAX_OFFSETS_PER_TRIGGER=RECORDS // 6,
    )

    def committed():
        return sum(record["records"] for record in oracle.chain(WORK / "checkpoint"))

    problems = until(lambda: committed() > 0, "the first epoch")
    kafka("stop", "--kill")
    problems += until(lambda: bootstrap in running.said(), "a word about the lost broker")
    problems += [] if running.process.poll() is None else ["it left"]
    start("--keep")
    fill(bootstrap, seed=2)
    problems += until(lambda: committed() >= 2 * RECORDS, "all records", 60)
    check("waits for the broker and goes on", problems + ([running.said()[-1500:]] if problems else []))
    records = oracle.consume(bootstrap, TOPIC)
    kafka("stop", "--kill")
    check("Ctrl-C while the broker is dead", running.stop().problems(0))
    want = oracle.Expected(records, oracle.chain(WORK / "checkpoint"))
    check("nothing is lost or doubled", tables.differences(want, tables.Arrow(WORK / "tables")))


try:
    test(start())
finally:
    kafka("stop", "--kill")
    shutil.rmtree(ROOT / "build/kafka" / NAME, ignore_errors=True)
finish()

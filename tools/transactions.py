"""The example pipeline examples/transactions on this machine: its Kafka, its producer, its tables. Used by tools/demo and
tools/bench, which run with build/venv."""
import os
import signal
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path

import duckdb

ROOT = Path(__file__).resolve().parent.parent
LEAT = Path(os.environ.get("LEAT", ROOT / "build/release/leat"))
KAFKA = ROOT / "tools/kafka/kafka"
PIPELINE = ROOT / "examples/transactions"
PARTITIONS = 4
STOP_SECONDS = 30

# In the order a reader wants them; raw_csv has no header, as Spark writes it.
TABLES = {"bronze": "parquet", "silver": "parquet", "quarantine": "parquet", "gold": "parquet", "raw_csv": "csv"}


def say(text=""):
    print(text, file=sys.stderr, flush=True)


def exit_on_sigterm():
    """So that `finally` runs and nothing stays behind."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))


@contextmanager
def kafka(name):
    """A broker of our own; gives its address."""
    begin = subprocess.run([KAFKA, "start", "--name", name], check=True, stdout=subprocess.PIPE, text=True)
    try:
        yield begin.stdout.strip()
    finally:
        subprocess.run([KAFKA, "stop", "--name", name], check=False)


def create_topic(name, topic, keep_bytes=None):
    """`keep_bytes` of a partition stay at least; None: all of them."""
    kept = [] if keep_bytes is None else ["--config", f"retention.bytes={keep_bytes}", "--config", f"segment.bytes={keep_bytes // 4}"]
    subprocess.run([KAFKA, "topics", "--name", name, "--create", "--topic", topic, "--partitions", str(PARTITIONS), *kept],
                   check=True, stdout=subprocess.DEVNULL)


def stop(process, first=signal.SIGINT):
    """Ask, wait, then insist."""
    if process.poll() is None:
        process.send_signal(first)
    try:
        return process.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        return process.wait()


def settings(bootstrap, topic, output):
    """The environment that the example's spec reads."""
    return {**os.environ, "KAFKA_BOOTSTRAP_SERVERS": bootstrap, "KAFKA_TOPIC": topic,
            "OUTPUT_PATH": str(output / "tables"), "SPARK_CHECKPOINT_DIR": str(output / "checkpoints")}


def files(output, table):
    """As a glob, for DuckDB and for people."""
    return f"{output}/tables/{table}/*.{TABLES[table]}"


def relation(output, table):
    """The FROM clause that reads a table; None while it has no file."""
    pattern = files(output, table)
    if not any(Path(pattern).parent.glob(Path(pattern).name)):
        return None
    if TABLES[table] == "csv":
        return f"read_csv('{pattern}', header=false, all_varchar=true)"
    return f"read_parquet('{pattern}')"


def rows(output, table):
    source = relation(output, table)
    return duckdb.sql(f"SELECT count(*) FROM {source}").fetchall()[0][0] if source else 0

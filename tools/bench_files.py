"""./dev bench freshness and ./dev soak: a topic at a steady rate into a Delta table and a directory of Parquet files.

freshness   how long from a record's timestamp until a reader finds it, by the commits of the Delta log; and how many files
            an hour leaves once small ones are merged
soak        the same for a long time: memory, checkpoint and log must not grow with time

Both count rows at the end: none lost, none double."""
import json
import os
import signal
import statistics
import subprocess
import time
from pathlib import Path

import duckdb
import pyarrow.compute as compute
import pyarrow.parquet as parquet
from measuring import INSTANCE, OUT, fresh, history_add, history_line, last_json, machine
from transactions import LEAT, PARTITIONS, ROOT, create_topic, kafka, stop

RATE, SECONDS, WARM_UP = 100_000, 60, 10
GOAL_SECONDS, GOAL_FILES = 1.0, 60
SOAK_RATE = 150_000       # about half of what the pipeline takes on two cores that the broker and the producer share
EVERY_SECONDS = 5
TOPIC_KEEPS = 2 << 30     # bytes of a partition: what half an hour brings would fill the disk
RSS_GROWTH, KEPT_GROWTH = 0.15, 0.5   # of the second half over the first: what is still flat


class Run:
    """Broker, producer and leat at work for so many seconds; `watch` is called now and then."""

    def __init__(self, name, rate, seconds, watch=None):
        self.rate, self.records = rate, rate * seconds
        self.output, self.log = fresh(name), OUT / f"{name}.err"
        with kafka(INSTANCE) as bootstrap:
            create_topic(INSTANCE, "transactions", TOPIC_KEEPS)
            environment = {**os.environ, "KAFKA_BOOTSTRAP_SERVERS": bootstrap, "OUTPUT": str(self.output)}
            with open(self.log, "wb") as err:
                leat = subprocess.Popen([LEAT, "run", ROOT / "bench/queries/freshness"], stdout=subprocess.DEVNULL, stderr=err,
                                        env=environment)
                send = [LEAT, "produce", "transactions", "--bootstrap", bootstrap, "--rate", rate, "--count", self.records]
                producer = subprocess.Popen(list(map(str, send)), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
                try:
                    while producer.poll() is None and leat.poll() is None:
                        time.sleep(1)
                        if watch is not None:
                            watch(leat.pid, self.output)
                    self.catch_up()
                finally:
                    producer.kill()
                    status = stop(leat, signal.SIGTERM)
        if status != 0:
            raise SystemExit(f"error: leat ended with {status}; its output is in {self.log}")

    def last(self):
        return last_json(self.log.read_text(errors="replace"), "epoch")

    def catch_up(self):
        for _ in range(120):
            if self.last().get("records_total", 0) >= self.records:
                return
            time.sleep(1)
        raise SystemExit(f"error: leat has not caught up with {self.records:,} records; its output is in {self.log}")

    def wrong(self):
        """Nothing lost, nothing double."""
        problems = []
        table = self.output / "tables/lake"
        lake = ", ".join(f"'{table}/{path}'" for path in active(table))
        plain = f"'{self.output}/tables/plain/*.parquet'"
        for name, files, key in (("lake", lake, "kafka_partition * 1000000000000 + kafka_offset"), ("plain", plain, None)):
            distinct = f"count(DISTINCT {key})" if key else "count(*)"
            [(rows, different)] = duckdb.sql(f"SELECT count(*), {distinct} FROM read_parquet([{files}])").fetchall()
            if rows != self.records or different != self.records:
                problems.append(f"{name} has {rows:,} rows, {different:,} different ones, of {self.records:,}")
        return problems


def commits(table):
    """Per version of the log: when it came, and its actions."""
    for path in sorted((table / "_delta_log").glob("*.json")):
        yield path.stat().st_mtime, [json.loads(line) for line in path.read_text().splitlines()]


def active(table):
    """Files of the newest version. The log is young: no commit of it has gone yet."""
    files = {}
    for _, actions in commits(table):
        for action in actions:
            if "add" in action:
                files[action["add"]["path"]] = action["add"]["size"]
            if "remove" in action:
                files.pop(action["remove"]["path"], None)
    return files


def freshness_of(table):
    """Seconds from a record's timestamp to the commit that shows it: a mean per commit, weighted by its rows."""
    waits, began = [], None
    for at, actions in commits(table):
        for action in actions:
            add = action.get("add")
            if not add or not add["dataChange"]:
                continue
            began = began or at
            if at - began < WARM_UP:
                continue
            sent = parquet.read_table(table / add["path"], columns=["sent"])["sent"].cast("int64")
            mean = compute.mean(sent).as_py() / 1e6
            waits.append((at - mean, len(sent), at - compute.min(sent).as_py() / 1e6))
    rows = sum(n for _, n, _ in waits)
    return {"mean_s": round(sum(wait * n for wait, n, _ in waits) / rows, 3), "worst_s": round(max(w for _, _, w in waits), 3),
            "commits": len(waits)}


def bench_freshness(records, keep):
    seconds = max((records or RATE * SECONDS) // RATE, 2 * WARM_UP)
    load = os.getloadavg()[0]
    print(f"freshness, {RATE:,} records/s for {seconds} s, {PARTITIONS} partitions, {machine()['cpu']} x {os.cpu_count()}, "
          f"load before {load:.1f}", flush=True)
    run = Run("leat-freshness", RATE, seconds)
    problems = run.wrong()
    table = run.output / "tables/lake"
    figures, files = freshness_of(table), active(table)
    written = sum(1 for _, actions in commits(table) for a in actions if a.get("add", {}).get("dataChange"))
    merged = sum(1 for path in files if "merged-" in path)
    hour_bytes = sum(files.values()) / seconds * 3600
    figures |= {"files_written": written, "files": len(files), "merged": merged,
                "plain_files": len(list((run.output / "tables/plain").glob("*.parquet"))),
                "mb_an_hour": round(hour_bytes / 2**20), "files_an_hour": round(hour_bytes / (256 << 20)) + len(files)}
    print(f"  visible after {figures['mean_s']:.2f} s on average, {figures['worst_s']:.2f} s at worst, in {figures['commits']} commits\n"
          f"  {written} files were written, {len(files)} are left ({merged} merged); plain directory: {figures['plain_files']}\n"
          f"  an hour has {figures['mb_an_hour']:,} MB: {figures['files_an_hour']} files, at most")
    for problem in problems:
        print(f"  WRONG: {problem}")
    fresh_enough = figures["mean_s"] < GOAL_SECONDS
    few_enough = figures["files_an_hour"] <= GOAL_FILES
    print(f"  goal, under {GOAL_SECONDS:.0f} s on average: {'reached' if fresh_enough else 'MISSED'}; "
          f"at most {GOAL_FILES} files an hour: {'reached' if few_enough else 'MISSED'}")
    if problems:
        raise SystemExit("error: the rows are wrong, so the speed means nothing")
    if keep:
        history_add("freshness", history_line(rate=RATE, seconds=seconds, load_before=round(load, 1), **figures))


# ---- soak ----


def resident_mb(pid):
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) / 1024
    return 0


def folder_mb(folder):
    size = 0
    for path in folder.rglob("*"):
        try:
            size += path.stat().st_size
        except OSError:
            pass   # gone meanwhile
    return size / 2**20


class Watch:
    def __init__(self):
        self.rss, self.checkpoint, self.log, self.next = [], [], [], time.monotonic()

    def __call__(self, pid, output):
        if time.monotonic() < self.next:
            return
        self.next = time.monotonic() + EVERY_SECONDS
        try:
            self.rss.append(resident_mb(pid))
        except OSError:
            return
        self.checkpoint.append(folder_mb(output / "checkpoint"))
        self.log.append(len(list((output / "tables/lake/_delta_log").glob("*.json"))))


def grows(samples, share):
    """The second half's median over the first's, its warm-up left out."""
    settled = samples[len(samples) // 6:]
    half = len(settled) // 2
    before, after = statistics.median(settled[:half]), statistics.median(settled[half:])
    return after > before * (1 + share) + 4, before, after


def soak(minutes, rate):
    rate = rate or SOAK_RATE
    print(f"soak, {rate:,} records/s for {minutes} minutes, load before {os.getloadavg()[0]:.1f}", flush=True)
    watch = Watch()
    run = Run("leat-soak", rate, minutes * 60, watch)
    problems = run.wrong()
    for name, samples, share in (("resident memory, MB", watch.rss, RSS_GROWTH), ("checkpoint, MB", watch.checkpoint, KEPT_GROWTH)):
        grew, before, after = grows(samples, share)
        print(f"  {name:22} first half {before:8.1f}, second half {after:8.1f}, most {max(samples):8.1f}")
        if grew:
            problems.append(f"{name} grows")
    files = active(run.output / "tables/lake")
    print(f"  {'files of the table':22} {len(files)}; commits in its log {watch.log[-1]}; {run.last().get('epoch', -1) + 1} epochs")
    for problem in problems:
        print(f"  WRONG: {problem}")
    if problems:
        raise SystemExit("error: the soak found something")
    print("  flat")

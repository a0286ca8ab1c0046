"""The broker is gone for a while, in three ways: stopped, frozen (SIGSTOP) in mid-epoch, and never there at the start.
leat says so throughout, its memory stays flat, it works again within 10 s, and every record is in the tables once.

OUTAGE_SECONDS=60 makes the outages longer than the suite has time for."""

import json
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
import oracle
import tables
from trial import ROOT, WORK, Leat, check, finish, produce, until

KAFKA = ROOT / "tools/kafka/kafka"
NAME = f"outage-{os.getpid()}"
SECONDS = float(os.environ.get("OUTAGE_SECONDS", "12"))
BACK_WITHIN_SECONDS = 10
TOLD_EVERY_SECONDS = 7  # JSON lines come every 5 s; an attempt under way may hold one up for 3 s, once
RSS_ROOM = 6 * 1024 * 1024
RECORDS = 40_000
EPOCHS = 8


def kafka(*words):
    done = subprocess.run([KAFKA, *words, "--name", NAME], check=True, stdout=subprocess.PIPE, text=True)
    return done.stdout.strip()


def start(*words):
    return kafka(
        "start",
        "--set",
        "broker.session.timeout.ms=1500",
        "--set",
        "broker.heartbeat.interval.ms=300",
        *words,
    )


def broker_signal(number):
    os.kill(int((ROOT / "build/kafka" / NAME / "pid").read_text()), number)


def fill(bootstrap, topic, seed):
    produce("transactions", topic, RECORDS, bootstrap, bad_ratio=0.02, seed=seed, event_rate=50)


class Watched(Leat):
    """A leat whose memory and words are written down while it runs."""

    def __init__(self, topic, bootstrap):
        self.checkpoint, self.tables = WORK / topic / "checkpoint", WORK / topic / "tables"
        super().__init__(
            "run",
            ROOT / "examples/transactions",
            KAFKA_BOOTSTRAP_SERVERS=bootstrap,
            KAFKA_TOPIC=topic,
            OUTPUT_PATH=self.tables,
            SPARK_CHECKPOINT_DIR=self.checkpoint,
            TRIGGER_INTERVAL="200 ms",
            MAX_OFFSETS_PER_TRIGGER=RECORDS // EPOCHS,
        )
        self.rss = []  # (time, bytes)
        self.lines = []  # (time, JSON line about troubles)
        threading.Thread(target=self.watch, daemon=True).start()

    def watch(self):
        seen = 0
        while self.process.poll() is None:
            now = time.monotonic()
            lines = self.said().split("\n")[:-1]
            for line in lines[seen:]:
                if line.startswith("{") and "troubles" in line:
                    self.lines.append((now, json.loads(line)))
            seen = len(lines)
            try:
                status = Path(f"/proc/{self.process.pid}/status").read_text()
            except OSError:
                return
            for line in status.splitlines():
                if line.startswith("VmRSS:"):
                    self.rss.append((now, int(line.split()[1]) * 1024))
            time.sleep(0.1)

    def committed(self):
        return sum(record["records"] for record in oracle.chain(self.checkpoint))

    def told(self, begin, end, name):
        """What is wrong with what was said of `name` between two times."""
        said = [(at, line) for at, line in self.lines if begin <= at <= end + 1 and line["troubles"]]
        times = [begin, *(at for at, _ in said), end]
        gap = max(b - a for a, b in zip(times, times[1:]))
        found = [f"nothing was said for {gap:.1f} s"] if gap > TOLD_EVERY_SECONDS + 6 * (len(said) == 0) else []
        names = {trouble["name"] for _, line in said for trouble in line["troubles"]}
        found += [] if names == {name} else [f"it blames {names}, want {name}"]
        circuits = [line["troubles"][0]["circuit"] for _, line in said if line["troubles"]]
        if end - begin > 25 and not {"open", "half-open"} & set(circuits):
            found.append(f"the circuit never opened: {circuits}")
        ages = [line["troubles"][0]["failing_ms"] for _, line in said]
        found += [] if ages == sorted(ages) else [f"failing_ms goes back: {ages}"]
        return found

    def grown(self, begin, end):
        sizes = [size for at, size in self.rss if begin <= at <= end]
        if not sizes:
            return ["no sample of its memory"]
        return [] if max(sizes) - sizes[0] <= RSS_ROOM else [f"memory went from {sizes[0]} to {max(sizes)} bytes"]


def outage(name, topic, bootstrap, down, up):
    fill(bootstrap, topic, seed=1)
    running = Watched(topic, bootstrap)
    problems = until(lambda: running.committed() > 0, "the first epoch")
    down()
    gone = time.monotonic()
    time.sleep(SECONDS)
    problems += [] if running.process.poll() is None else ["it left"]
    up()
    back = time.monotonic()
    before = running.committed()
    fill(bootstrap, topic, seed=2)
    problems += until(lambda: running.committed() > before or before == 2 * RECORDS, "a commit", 30)
    took = time.monotonic() - back
    problems += until(lambda: running.committed() >= 2 * RECORDS, "all records", 60)
    check(f"{name}: goes on", problems + ([running.said()[-2000:]] if problems else []))
    check(
        f"{name}: works again within {BACK_WITHIN_SECONDS} s",
        [] if took < BACK_WITHIN_SECONDS else [f"{took:.1f} s"],
    )
    check(f"{name}: told throughout", running.told(gone, gone + SECONDS, f"kafka {bootstrap}"))
    check(f"{name}: flat memory", running.grown(gone + 1, gone + SECONDS))
    over = until(lambda: running.lines[-1][1]["troubles"] == [], "a line without troubles", 5)
    check(f"{name}: says that it is over", over + ([] if "works again after" in running.said() else ["no words"]))
    check(f"{name}: SIGTERM", stop(running).problems(0))
    want = oracle.Expected(oracle.consume(bootstrap, topic), oracle.chain(running.checkpoint))
    check(f"{name}: nothing is lost or doubled", tables.differences(want, tables.Arrow(running.tables)))
    print(f"{name}: {SECONDS:.0f} s without a broker, a commit {took:.1f} s after its return", file=sys.stderr)


def stop(running):
    running.process.send_signal(signal.SIGTERM)
    return running.wait()


def absent_at_start(bootstrap):
    """Not at the first start either, when nobody can know whether the address is right."""
    topic = "later"
    fill(bootstrap, topic, seed=1)
    kafka("stop")
    running = Watched(topic, bootstrap)
    problems = until(lambda: running.said().count("next attempt in") > 1, "a second attempt", 20)
    start("--keep")
    back = time.monotonic()
    problems += until(lambda: running.committed() > 0, "a commit", 30)
    took = time.monotonic() - back
    check("broker not there at the start", problems)
    check("broker not there at the start: found soon", [] if took < BACK_WITHIN_SECONDS else [f"{took:.1f} s"])
    check("broker not there at the start: SIGTERM", stop(running).problems(0))


def stop_while_frozen(bootstrap):
    """A frozen broker keeps its connections and answers nothing: what is under way must not hold up a stop."""
    running = Watched("frozen", bootstrap)
    problems = until(lambda: running.committed() >= 2 * RECORDS, "the records of before")
    broker_signal(signal.SIGSTOP)
    problems += until(lambda: any(line["troubles"] for _, line in running.lines), "a word", 20)
    begun = time.monotonic()
    done = stop(running)
    took = time.monotonic() - begun
    broker_signal(signal.SIGCONT)
    check("SIGTERM while the broker is frozen", problems + done.problems(0))
    check("SIGTERM while the broker is frozen: soon", [] if took < 8 else [f"{took:.1f} s"])


def test(bootstrap):
    outage("stopped", "stopped", bootstrap, lambda: kafka("stop"), lambda: start("--keep"))
    outage(
        "frozen",
        "frozen",
        bootstrap,
        lambda: broker_signal(signal.SIGSTOP),
        lambda: broker_signal(signal.SIGCONT),
    )
    stop_while_frozen(bootstrap)
    absent_at_start(bootstrap)


try:
    test(start())
finally:
    kafka("stop", "--kill")
    shutil.rmtree(ROOT / "build/kafka" / NAME, ignore_errors=True)
finish()

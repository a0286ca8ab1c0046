"""The broker is gone for a while: stopped, frozen (SIGSTOP), not there at the start, behind a network that stands still in
mid-epoch. leat says so throughout, its memory stays flat, it works again within 10 s, and every record is in the tables once.

OUTAGE_SECONDS=60 makes the outages longer than the suite has time for."""

import json
import os
import shutil
import signal
import socket
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
TOLD_EVERY_SECONDS = 9  # JSON lines come every 5 s; a frozen broker may hold one up for the 3 s of a question
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

    def __init__(self, topic, bootstrap, *flags, epoch=RECORDS // EPOCHS):
        self.checkpoint, self.tables = WORK / topic / "checkpoint", WORK / topic / "tables"
        super().__init__(
            "run",
            ROOT / "examples/transactions",
            *flags,
            KAFKA_BOOTSTRAP_SERVERS=bootstrap,
            KAFKA_TOPIC=topic,
            OUTPUT_PATH=self.tables,
            SPARK_CHECKPOINT_DIR=self.checkpoint,
            TRIGGER_INTERVAL="200 ms",
            MAX_OFFSETS_PER_TRIGGER=epoch,
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
        found = [f"nothing was said for {gap:.1f} s"] if gap > TOLD_EVERY_SECONDS else []
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
    over += [] if running.lines[-1][1]["phase"] == "reading" else [f"{running.lines[-1][1]}"]
    check(f"{name}: says that it is over", over + ([] if "works again after" in running.said() else ["no words"]))
    check(f"{name}: SIGTERM", stop(running).problems(0))
    want = oracle.Expected(oracle.consume(bootstrap, topic), oracle.chain(running.checkpoint))
    check(f"{name}: nothing is lost or doubled", tables.differences(want, tables.Arrow(running.tables)))
    print(f"{name}: {SECONDS:.0f} s without a broker, a commit {took:.1f} s after its return", file=sys.stderr)


def stop(running):
    running.process.send_signal(signal.SIGTERM)
    return running.wait()


def absent_at_start(bootstrap, proxied):
    """Not at the first start either, when nobody can know whether the address is right."""
    topic = "later"
    fill(bootstrap, topic, seed=1)
    kafka("stop")
    running = Watched(topic, bootstrap)
    problems = until(lambda: running.said().count("next attempt in") > 1, "a second attempt", 20)
    start("--keep", *proxied)
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


# ---- a network that stands still ----


class Proxy:
    """Passes bytes on between leat and a listener of the broker. After `budget` bytes from the broker everything stands
    still, connections stay: until flow() is called."""

    def __init__(self, budget):
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.target = free_port()
        self.budget, self.lock, self.flows = budget, threading.Lock(), threading.Event()
        self.flows.set()
        threading.Thread(target=self.accept, daemon=True).start()

    def flow(self):
        self.budget = 1 << 60
        self.flows.set()

    def accept(self):
        while True:
            near, _ = self.listener.accept()
            try:
                far = socket.create_connection(("127.0.0.1", self.target))
            except OSError:
                near.close()
                continue
            for source, sink, counted in ((near, far, False), (far, near, True)):
                threading.Thread(target=self.copy, args=(source, sink, counted), daemon=True).start()

    def copy(self, source, sink, counted):
        try:
            while data := source.recv(1 << 14):
                with self.lock:
                    self.budget -= len(data) if counted else 0
                    if self.budget <= 0:
                        self.flows.clear()
                self.flows.wait()
                sink.sendall(data)
        except OSError:
            pass
        for end in (source, sink):
            try:
                end.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass


def free_port():
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return found.getsockname()[1]


def listeners(bootstrap, proxy):
    """Settings of the broker with a second listener, which says that it is where the proxy is."""
    port = bootstrap.rpartition(":")[2]
    controller = (ROOT / "build/kafka" / NAME / "controller-port").read_text().strip()
    at = "://127.0.0.1:"
    return [
        "--set",
        f"listeners=BROKER{at}{port},CONTROLLER{at}{controller},PROXIED{at}{proxy.target}",
        "--set",
        f"advertised.listeners=BROKER{at}{port},PROXIED{at}{proxy.port}",
        "--set",
        "listener.security.protocol.map=BROKER:PLAINTEXT,CONTROLLER:PLAINTEXT,PROXIED:PLAINTEXT",
    ]


def still_in_mid_epoch(bootstrap, proxy):
    topic = "midway"
    fill(bootstrap, topic, seed=1)
    small_answers = ("--set", "leat.source.buffer=1m")  # else one has all records, and comes whole or not at all
    running = Watched(topic, f"127.0.0.1:{proxy.port}", *small_answers, epoch=RECORDS)
    problems = until(lambda: "the epoch ends where it stands" in running.said(), "the end of the epoch", 20)
    problems += until(lambda: running.committed() > 0, "a commit", 10)
    part = running.committed()
    problems += [] if 0 < part < RECORDS else [f"{part} records were committed"]
    check("network still in mid-epoch: what came is committed", problems + ([running.said()[-1500:]] if problems else []))
    time.sleep(3)
    proxy.flow()
    back = time.monotonic()
    late = until(lambda: running.committed() > part, "a commit", 30)
    took = time.monotonic() - back
    late += until(lambda: running.committed() >= RECORDS, "all records", 30)
    check("network still in mid-epoch: goes on", late + ([] if took < BACK_WITHIN_SECONDS else [f"after {took:.1f} s"]))
    check("network still in mid-epoch: SIGTERM", stop(running).problems(0))
    want = oracle.Expected(oracle.consume(bootstrap, topic), oracle.chain(running.checkpoint))
    check("network still in mid-epoch: nothing is lost", tables.differences(want, tables.Arrow(running.tables)))


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
    proxy = Proxy(budget=3_000_000)
    absent_at_start(bootstrap, listeners(bootstrap, proxy))
    still_in_mid_epoch(bootstrap, proxy)


try:
    test(start())
finally:
    kafka("stop", "--kill")
    shutil.rmtree(ROOT / "build/kafka" / NAME, ignore_errors=True)
finish()

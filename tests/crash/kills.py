"""What the kill tests share: a project is run in many small epochs, killed and started again until it leaves with 0, and its
tables must be those of an undisturbed run. All the while a reader that knows nothing of leat polls one table's folder: every
file it meets must be complete and must never change.

    KILLS=100 random kills (default 10)   SEED=n repeats a schedule
"""
import os
import random
import signal
import subprocess
import sys
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Callable

import pyarrow.parquet as pq

ROOT = Path(__file__).resolve().parent.parent.parent
LEAT = os.environ["LEAT"]
BOOTSTRAP = os.environ["KAFKA_BOOTSTRAP_SERVERS"]
WORK = Path(os.environ["TEST_DIR"])
KILLS = int(os.environ.get("KILLS", "10"))
SEED = int(os.environ.get("SEED", str(time.time_ns() % 1_000_000)))
POINTS = ("stage_open", "stage_write", "stage_fsync", "stage_done", "record_temp", "record_put", "after_record",
          "publish_one", "publish_done", "state_merge", "snapshot_put", "group_commit", "gc_one", "assign")
RUN_SECONDS = 60


@dataclass
class Workload:
    """contents(tables folder): {table: sorted rows}, what must not depend on kills. polled: a table, and the columns that
    name its rows."""
    project: Path
    environment: dict
    contents: Callable
    polled: str
    row_key: tuple
    times: tuple = (1, 2, 5)             # at which passage of a fail point to be killed
    reference: dict = field(default_factory=dict)


passed = failed = 0


def verdict(name, problems):
    global passed, failed
    passed, failed = passed + (not problems), failed + bool(problems)
    for problem in problems:
        print(f"{name}: {problem}")


class Run:
    """One scenario's folders and its process."""

    def __init__(self, workload, name):
        self.workload = workload
        self.root = WORK / name
        self.tables = self.root / "tables"

    def settings(self):
        return {"KAFKA_BOOTSTRAP_SERVERS": BOOTSTRAP, "OUTPUT_PATH": str(self.tables),
                "SPARK_CHECKPOINT_DIR": str(self.root / "checkpoint"), **self.workload.environment}

    def start(self, **environment):
        self.log = open(self.root.with_suffix(".log"), "ab")
        return subprocess.Popen([LEAT, "run", str(self.workload.project), "--once", "--set", "leat.snapshot.epochs=2"],
                                stdout=self.log, stderr=self.log, env={**os.environ, **self.settings(), **environment})

    def audit(self):
        """What `leat audit` finds: nothing, ever. Without a checkpoint it has nothing to look at."""
        if not (self.root / "checkpoint/query.json").exists():
            return []
        done = subprocess.run([LEAT, "audit", str(self.workload.project)], capture_output=True, text=True, timeout=RUN_SECONDS,
                              env={**os.environ, **self.settings()})
        return [] if done.returncode == 0 else [f"leat audit left with {done.returncode}: {done.stdout[-800:]}{done.stderr[-400:]}"]

    def finish(self, **environment):
        """Run to the end; the exit status."""
        process = self.start(**environment)
        try:
            return process.wait(RUN_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            return "its time was up"


class Poller(threading.Thread):
    """A plain reader of one table's folder."""

    def __init__(self, run):
        super().__init__(daemon=True)
        self.folder, self.row_key = run.tables / run.workload.polled, list(run.workload.row_key)
        self.problems, self.seen, self.files = [], {}, {}
        self.ended = threading.Event()

    def run(self):
        while not self.ended.is_set():
            self.look()
            self.ended.wait(0.005)
        self.look()

    def look(self):
        for path in self.folder.glob("*.parquet") if self.folder.exists() else ():
            stat = path.stat()
            print_of_file = (stat.st_ino, stat.st_size, stat.st_mtime_ns)
            if path.name in self.files:
                if self.files[path.name] != print_of_file:
                    self.problems.append(f"{path.name} changed after it was visible")
                continue
            self.files[path.name] = print_of_file
            try:
                data = pq.read_table(path)
            except Exception as error:  # whatever a reader says of a torn file
                self.problems.append(f"{path.name} is torn: {error}")
                continue
            for at in zip(*(data[column].to_pylist() for column in self.row_key)):
                if at in self.seen:
                    self.problems.append(f"record {at} is in {path.name} and in {self.seen[at]}")
                self.seen[at] = path.name


def compare(got, want):
    return [f"{table}: {len(got[table])} rows, want {len(want[table])}; "
            f"only here {list(set(got[table]) - set(want[table]))[:2]}, missing {list(set(want[table]) - set(got[table]))[:2]}"
            for table in want if got[table] != want[table]]


def scenario(workload, name, disturb):
    run = Run(workload, name)
    poller = Poller(run)
    poller.start()
    problems = disturb(run)
    status = run.finish()
    poller.ended.set()
    poller.join()
    problems += run.audit()
    if status != 0:
        problems.append(f"the last run left with {status}: {run.root.with_suffix('.log').read_text()[-800:]}")
    else:
        problems += compare(workload.contents(run.tables), workload.reference)
        left = [p.name for p in run.tables.rglob("*.staged")]
        problems += [f"left in staging: {left[:3]}"] if left else []
    verdict(name, problems + poller.problems[:3])


def at_point(point):
    def disturb(run):
        reached = 0
        for n in run.workload.times:
            status = run.finish(LEAT_FAIL=f"{point}:{n}")
            reached += status == -signal.SIGKILL
            if status not in (-signal.SIGKILL, 0):
                return [f"killed at {point}:{n} it left with {status}"]
            if found := run.audit():
                return [f"after {point}:{n}: {problem}" for problem in found]
        return [] if reached else [f"{point} was never reached"]
    return disturb


def failing(point, action):
    """The operation fails (or only its answer is lost): leat mends it by itself."""
    def disturb(run):
        status = run.finish(LEAT_FAIL=f"{point}:2:{action}")
        return [] if status == 0 else [f"with {point}:2:{action} it left with {status}"]
    return disturb


kills_left = KILLS
dice = random.Random(SEED)


def at_random(run):
    """Kill until the kills are used up or the topic is worked off; the caller goes on with a fresh scenario."""
    global kills_left
    while kills_left > 0:
        process = run.start()
        time.sleep(dice.uniform(0.02, 0.45))
        if process.poll() is not None:
            return []
        process.send_signal(signal.SIGKILL)
        process.wait()
        kills_left -= 1
        if found := run.audit():
            return found
    return []


def undisturbed(workload):
    """Gives the reference; whether it is what it should be is for the caller to check."""
    run = Run(workload, "undisturbed")
    if run.finish() != 0:
        raise SystemExit(run.root.with_suffix(".log").read_text()[-3000:] + "\n0 passed, 1 failed")
    workload.reference = workload.contents(run.tables)


def schedule(workload, points=POINTS):
    """Every fail point, errors and lost answers, then random kills."""
    for point in points:
        scenario(workload, f"kill at {point}", at_point(point))
    for point in ("stage_open", "stage_write", "stage_fsync", "record_put", "publish_one"):
        scenario(workload, f"eio at {point}", failing(point, "eio"))
    scenario(workload, "answer lost at record_put", failing("record_put", "lost"))
    while kills_left > 0:
        scenario(workload, f"random kills, {kills_left} to go, SEED={SEED}", at_random)


def finish():
    print(f"{passed} passed, {failed} failed")
    sys.exit(failed > 0)

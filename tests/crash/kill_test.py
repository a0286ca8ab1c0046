"""kill -9 at random moments and at every named fail point, then restart: nothing is lost, doubled or torn.

One topic, examples/transactions in many small epochs. An undisturbed run gives the reference. Each scenario then starts from
nothing, is killed and restarted until it leaves with 0, and must have: every (partition, offset) once in bronze and in
raw_csv, silver + quarantine the same, gold equal to the undisturbed run. All the while a reader that knows nothing of leat polls the
folders: every file it meets must be complete, must never change, and no record may be there twice.

    KILLS=100 random kills (default 10)   SEED=n repeats a schedule
"""
import os
import random
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pyarrow.parquet as pq

sys.path.insert(0, str(Path(__file__).parent.parent / "interop"))
import tables

ROOT = Path(__file__).resolve().parent.parent.parent
LEAT = os.environ["LEAT"]
BOOTSTRAP = os.environ["KAFKA_BOOTSTRAP_SERVERS"]
WORK = Path(os.environ["TEST_DIR"])
KILLS = int(os.environ.get("KILLS", "10"))
SEED = int(os.environ.get("SEED", str(time.time_ns() % 1_000_000)))
RECORDS, EPOCHS = 60_000, 12
POINTS = ("stage_open", "stage_write", "stage_fsync", "stage_done", "record_temp", "record_put", "after_record",
          "publish_one", "publish_done", "state_merge", "snapshot_put", "group_commit", "gc_one", "assign")
TIMES = (1, 2, 5)
RUN_SECONDS = 60
TOPIC = f"kill-{os.getpid()}"

passed = failed = 0


def verdict(name, problems):
    global passed, failed
    passed, failed = passed + (not problems), failed + bool(problems)
    for problem in problems:
        print(f"{name}: {problem}")


class Run:
    """One scenario's folders and its process."""

    def __init__(self, name):
        self.root = WORK / name
        self.tables = self.root / "tables"

    def start(self, **environment):
        settings = {"KAFKA_BOOTSTRAP_SERVERS": BOOTSTRAP, "KAFKA_TOPIC": TOPIC, "OUTPUT_PATH": str(self.tables),
                    "SPARK_CHECKPOINT_DIR": str(self.root / "checkpoint"), "MAX_OFFSETS_PER_TRIGGER": str(RECORDS // EPOCHS)}
        self.log = open(self.root.with_suffix(".log"), "ab")
        return subprocess.Popen([LEAT, "run", str(ROOT / "examples/transactions"), "--once",
                                 "--set", "leat.snapshot.epochs=2"], stdout=self.log, stderr=self.log,
                                env={**os.environ, **settings, **environment})

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
    """A plain reader of the bronze folder."""

    def __init__(self, root):
        super().__init__(daemon=True)
        self.folder, self.problems, self.seen, self.files = root / "bronze", [], {}, {}
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
                data = pq.read_table(path, columns=["partition", "offset", "value"])
            except Exception as error:  # whatever a reader says of a torn file
                self.problems.append(f"{path.name} is torn: {error}")
                continue
            for at in zip(data["partition"].to_pylist(), data["offset"].to_pylist()):
                if at in self.seen:
                    self.problems.append(f"record {at} is in {path.name} and in {self.seen[at]}")
                self.seen[at] = path.name


def contents(root):
    """What must not depend on kills."""
    reader = tables.Arrow(root)
    return {
        "bronze": sorted(reader.rows("bronze", ["partition", "offset"])),
        "silver": sorted(reader.rows("silver", ["partition", "offset", "txn_id"])),
        "quarantine": sorted(reader.rows("quarantine", ["partition", "offset", "reason"])),
        "gold": sorted(reader.rows("gold", ["card_id", "window_start", "txn_count", "sum_amount", "avg_amount", "max_amount"])),
        "raw_csv": sorted((row[3], row[4]) for row in tables.csv_rows(root, "raw_csv")),
    }


def compare(got, want):
    return [f"{table}: {len(got[table])} rows, want {len(want[table])}; "
            f"only here {list(set(got[table]) - set(want[table]))[:2]}, missing {list(set(want[table]) - set(got[table]))[:2]}"
            for table in want if got[table] != want[table]]


def scenario(name, disturb):
    run = Run(name)
    poller = Poller(run.tables)
    poller.start()
    problems = disturb(run)
    status = run.finish()
    poller.ended.set()
    poller.join()
    if status != 0:
        problems.append(f"the last run left with {status}: {run.root.with_suffix('.log').read_text()[-800:]}")
    else:
        problems += compare(contents(run.tables), reference)
        left = [p.name for p in run.tables.rglob("*.staged")]
        problems += [f"left in staging: {left[:3]}"] if left else []
    verdict(name, problems + poller.problems[:3])


def at_point(point):
    def disturb(run):
        reached = 0
        for n in TIMES:
            status = run.finish(LEAT_FAIL=f"{point}:{n}")
            reached += status == -signal.SIGKILL
            if status not in (-signal.SIGKILL, 0):
                return [f"killed at {point}:{n} it left with {status}"]
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
    return []


subprocess.run([LEAT, "produce", "transactions", "--bootstrap", BOOTSTRAP, "--topic", TOPIC, "--count", str(RECORDS),
                "--partitions", "4", "--keys", "500", "--bad-ratio", "0.02", "--late-ratio", "0.05", "--seed", "11",
                "--event-rate", str(RECORDS // 1200)], check=True, stderr=subprocess.DEVNULL)
undisturbed = Run("undisturbed")
if undisturbed.finish() != 0:
    raise SystemExit(undisturbed.root.with_suffix(".log").read_text()[-3000:] + "\n0 passed, 1 failed")
reference = contents(undisturbed.tables)
verdict("undisturbed", [] if len(reference["bronze"]) == RECORDS and reference["gold"] else ["the reference run is not whole"])
for fail_point in POINTS:
    scenario(f"kill at {fail_point}", at_point(fail_point))
for fail_point in ("stage_open", "stage_write", "stage_fsync", "record_put", "publish_one"):
    scenario(f"eio at {fail_point}", failing(fail_point, "eio"))
scenario("answer lost at record_put", failing("record_put", "lost"))
while kills_left > 0:
    scenario(f"random kills, {kills_left} to go, SEED={SEED}", at_random)
print(f"{passed} passed, {failed} failed")
sys.exit(failed > 0)

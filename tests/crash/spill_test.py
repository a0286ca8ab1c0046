"""State several times larger than leat.memory: the same rows as with memory enough, within the budget, kill -9 in between.

tests/crash/spilled keeps an entry per record in five operators (tumbling, sliding and session windows, an outer join,
deduplication), some 115 MB at its largest; the smallest leat.memory is 32 MB. What leat remembers at the end (`leat state`)
must be the same, too.
"""
import json
import os
import subprocess
import sys
import threading
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent / "interop"))
import kills
import tables
from kills import BOOTSTRAP, LEAT, ROOT, Run, Workload, at_random, compare, finish, scenario, undisturbed, verdict

RECORDS, EPOCHS, EVENT_RATE = 100_000, 10, 1000
BUDGET = 32 << 20
OVERHEAD = 128 << 20  # the program itself, Kafka's client, batches on their way, one shard's bytes a worker
ENOUGH, LITTLE = {"MEMORY": "1g"}, {"MEMORY": str(BUDGET)}
COLUMNS = {
    "tumbling": ["impression_id", "start", "n", "ad"],
    "sliding": ["impression_id", "start", "n"],
    "sessions": ["impression_id", "start", "finish", "n"],
    "joined": ["impression_id", "click_id", "clicked_at"],
    "first": ["impression_id", "ad_id", "shown_at"],
}
TOPICS = {kind: f"spill-{kind}-{os.getpid()}" for kind in ("impressions", "clicks")}


def contents(root):
    reader = tables.Arrow(root)
    return {table: sorted(reader.rows(table, columns), key=repr) for table, columns in COLUMNS.items()}


def remembered(run, **settings):
    """{operator: entries} of a stopped run's checkpoint, and the entries of one of them."""
    environment = {**os.environ, "KAFKA_BOOTSTRAP_SERVERS": BOOTSTRAP, "OUTPUT_PATH": str(run.tables),
                   "SPARK_CHECKPOINT_DIR": str(run.root / "checkpoint"), **workload.environment, **settings}
    out = subprocess.run([LEAT, "state", str(workload.project), "--format", "json", "--limit", "1000000"], env=environment,
                         capture_output=True, check=True, text=True).stdout
    lines = [json.loads(line) for line in out.splitlines()]
    counts = {line["operator"]: line["entries"] for line in lines if "entries" in line}
    entries = sorted(json.dumps(line["entry"]) for line in lines if "entry" in line and "deduplicate" not in line["operator"])
    return counts, entries


class SpillWatch(threading.Thread):
    """How much lay in the spill folder at most."""

    def __init__(self, run):
        super().__init__(daemon=True)
        self.folder, self.most, self.ended = run.root / "checkpoint/spill", 0, threading.Event()

    def run(self):
        while not self.ended.wait(0.02):
            try:
                self.most = max(self.most, sum(path.stat().st_size for path in self.folder.glob("*")))
            except FileNotFoundError:
                pass


def peak_rss(run):
    lines = run.root.with_suffix(".log").read_text().splitlines()
    return max(json.loads(line)["rss_peak_bytes"] for line in lines if '"rss_peak_bytes"' in line)


def late(run):
    """Rows said to be late: none is, as long as an epoch takes of every partition."""
    lines = run.root.with_suffix(".log").read_text().splitlines()
    return sum(table["late"] for line in lines if '"tables"' in line for table in json.loads(line)["tables"].values())


def within_budget():
    run = Run(workload, "little-memory")
    watch = SpillWatch(run)
    watch.start()
    status = run.finish()
    watch.ended.set()
    watch.join()
    if status != 0:
        return [f"left with {status}: {run.root.with_suffix('.log').read_text()[-800:]}"]
    problems = compare(contents(run.tables), workload.reference)
    if watch.most < BUDGET // 2:  # as stored it takes about a third of what it takes in memory
        problems.append(f"only {watch.most:,} bytes were on disk at once: the state is too small to test anything")
    if peak_rss(run) > BUDGET + OVERHEAD:
        problems.append(f"memory reached {peak_rss(run):,} bytes with a budget of {BUDGET:,}")
    if late(run):
        problems.append(f"{late(run)} rows were late")
    if (run.root / "checkpoint/spill").exists():
        problems.append("the spill folder is still there")
    want, got = remembered(Run(workload, "undisturbed")), remembered(run)
    if want[0] != got[0] or want[1] != got[1]:
        problems.append(f"leat state says {got[0]}, with memory enough {want[0]}")
    if sum(want[0].values()) < RECORDS:
        problems.append(f"leat state knows only {want[0]}")
    return problems


for kind, topic in TOPICS.items():
    subprocess.run([LEAT, "produce", kind, "--bootstrap", BOOTSTRAP, "--topic", topic, "--count", str(RECORDS), "--partitions",
                    "3", "--seed", "5", "--event-rate", str(EVENT_RATE)], check=True, stderr=subprocess.DEVNULL)
workload = Workload(
    project=ROOT / "tests/crash/spilled",
    environment={"IMPRESSIONS": TOPICS["impressions"], "CLICKS": TOPICS["clicks"],
                 "MAX_OFFSETS_PER_TRIGGER": str(RECORDS // EPOCHS), **ENOUGH},
    contents=contents,
    polled="joined",
    row_key=("impression_id", "click_id"),
)
undisturbed(workload)
counts = {table: len(rows) for table, rows in workload.reference.items()}
# Event time goes on for 100 seconds, W follows 40 seconds behind: what has ended by 59.999 is complete.
seconds = {"tumbling": 30, "sliding": 15 + 30 + 30, "sessions": 40, "first": 100}
verdict("undisturbed", [f"{table} has {counts[table]} rows, want {n * EVENT_RATE}" for table, n in seconds.items()
                        if counts[table] != n * EVENT_RATE])
workload.environment.update(LITTLE)
verdict("little memory", within_budget())
kills.kills_left = min(kills.KILLS, 5)
while kills.kills_left > 0:
    scenario(workload, f"little memory, random kills, {kills.kills_left} to go, SEED={kills.SEED}", at_random)
finish()

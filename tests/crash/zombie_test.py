"""Zombies with sinks of files: cases 12 and 13 of exactly-once.md, section 8 (zombies.py). Those of the Kafka sink are in
topic_cases_test.py."""
import os
import signal
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent / "interop"))
import workloads
from storm import Run, wait
from trial import check, finish
from zombies import SECONDS, beside, chosen, stopped_at, zombie

RECORDS, LIMIT = 4000, 100
tag = str(os.getpid())


def refused(workload):
    """A second process beside one at work; and a copy of the checkpoint on the same tables."""
    run = Run(workload, "two-processes")
    process = stopped_at(run, "after_record", 2, MAX_OFFSETS_PER_TRIGGER=LIMIT)
    status = run.finish("--once")
    check("a second process is refused", [] if status == 1 and "another leat works on this checkpoint" in run.last_words()
          else [f"left with {status}: {run.last_words()}"])
    copy = Run(workload, "copied-checkpoint")
    copy.checkpoint.symlink_to(run.root / "copy")
    (run.root / "copy").mkdir()
    for path in run.checkpoint.rglob("*"):
        target = run.root / "copy" / path.relative_to(run.checkpoint)
        target.mkdir() if path.is_dir() else target.write_bytes(path.read_bytes())
    copy.tables = run.tables
    status = copy.finish("--once")
    check("a copied checkpoint on the same tables is refused", [] if status == 1 and "held by process" in copy.last_words()
          else [f"left with {status}: {copy.last_words()}"])
    process.send_signal(signal.SIGCONT)
    problems = [] if wait(process, SECONDS) == 0 else ["the first process did not finish"]
    check("the first process goes on", problems + workload.check(run).texts)


def main():
    plain = workloads.files("parquet", tag, RECORDS)
    refused(plain)
    for point in chosen(("stage_done", "after_record", "publish_one", "assign", "stage_open", "stage_write", "stage_fsync",
                         "record_temp", "record_put", "publish_done", "group_commit"), 3):
        times = 1 if point == "assign" else 3
        zombie(plain, point, times, LIMIT, f"zombie at {point}")
    for point in chosen(("publish_done", "stage_done", "after_record"), 1):
        zombie(plain, point, 2, LIMIT, f"zombie at {point}, other split", others_limit=LIMIT // 2 + 7)
        zombie(plain, point, 1, LIMIT, f"zombie at {point}, long overtaken", others_limit=LIMIT // 5)
        beside(plain, point, 3, LIMIT, f"zombie at {point} beside the other")
    finish()


main()

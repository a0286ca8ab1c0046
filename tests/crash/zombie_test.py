"""A process that stood still (SIGSTOP) while its locks were lost and another did its work, and goes on (SIGCONT).

Locks are lost as a network file system loses them: the files are removed. Only the chain's put-if-absent is left to tell the
two apart. The zombie must stop and say why; whatever it does on its way, no table, no state and no record may suffer.
Cases 12 and 13 of exactly-once.md, section 8.
"""
import os
import signal
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent / "interop"))
import storm
import workloads
from storm import Run, wait
from trial import check, finish, until

RECORDS, LIMIT = 4000, 100
SECONDS = 60
tag = str(os.getpid())


def stands(process):
    return process.poll() is None and Path(f"/proc/{process.pid}/stat").read_text().rpartition(")")[2].split()[0] == "T"


def locks_lose(run):
    for path in [run.checkpoint / "lock", *run.tables.rglob("*.lock")]:
        path.unlink(missing_ok=True)


def stopped_at(run, point, times, **environment):
    """A process that stands at the point; None when it never got there."""
    process = run.start("--once", LEAT_FAIL=f"{point}:{times}:stop", **environment)
    if until(lambda: stands(process) or process.poll() is not None, point):
        process.kill()
    return process if process.poll() is None else None


def goes_on(process, run):
    """Problems with how the zombie ends."""
    before = len(run.said())
    process.send_signal(signal.SIGCONT)
    status = wait(process, SECONDS)
    said = run.said()[before:]
    if status is None:
        process.kill()
        process.wait()
        return ["the zombie did not end"]
    if status == 0:
        return ["the zombie left with 0"]
    return [] if "another leat" in said else [f"the zombie left with {status} and said {said[-600:]}"]


def sound(run, workload):
    """The tables now, and after one more start: the chain must go on."""
    problems = workload.check(run).texts
    status = run.finish("--once")
    problems += [] if status == 0 else [f"the next start left with {status}: {run.last_words()}"]
    return problems + workload.check(run).texts + storm.leftovers(run).texts


def zombie(workload, point, times, limit, name, others_limit=None):
    """Another one finishes all the work while the zombie stands."""
    run = Run(workload, name.replace(" ", "-"))
    process = stopped_at(run, point, times, MAX_OFFSETS_PER_TRIGGER=limit)
    if process is None:
        check(name, [f"{point}:{times} was never reached"])
        return
    locks_lose(run)
    status = run.finish("--once", MAX_OFFSETS_PER_TRIGGER=others_limit or limit)
    problems = [] if status == 0 else [f"the other left with {status}: {run.last_words()}"]
    check(name, problems + goes_on(process, run) + sound(run, workload))


def beside(workload, point, times, limit, name):
    """The zombie goes on while the other one is at work."""
    run = Run(workload, name.replace(" ", "-"))
    process = stopped_at(run, point, times, MAX_OFFSETS_PER_TRIGGER=limit)
    if process is None:
        check(name, [f"{point}:{times} was never reached"])
        return
    locks_lose(run)
    other = run.start("--once", MAX_OFFSETS_PER_TRIGGER=max(limit // 4, 1))
    begun = run.epochs()
    problems = until(lambda: run.epochs() > begun + 3 or other.poll() is not None, "the other one's first epochs")
    problems += goes_on(process, run)
    status = wait(other, SECONDS)
    problems += [] if status == 0 else [f"the other left with {status}"]
    check(name, problems + sound(run, workload))


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
    for point in ("assign", "stage_open", "stage_write", "stage_fsync", "stage_done", "record_temp", "record_put", "after_record",
                  "publish_one", "publish_done", "group_commit"):
        times = 1 if point == "assign" else 3
        zombie(plain, point, times, LIMIT, f"zombie at {point}")
    for point in ("stage_done", "after_record", "publish_done"):
        zombie(plain, point, 2, LIMIT, f"zombie at {point}, other split", others_limit=LIMIT // 2 + 7)
        zombie(plain, point, 1, LIMIT, f"zombie at {point}, long overtaken", others_limit=LIMIT // 5)
        beside(plain, point, 3, LIMIT, f"zombie at {point} beside the other")
    finish()


main()

"""A process that stood still (SIGSTOP) while its locks were lost and another did its work, and goes on (SIGCONT).

Locks are lost as a network file system loses them: the files are removed. Only the chain's put-if-absent, and a Kafka sink's
transactional id, are left to tell the two apart. The zombie must stop and say why; whatever it does on its way, no table, no
topic, no state and no record may suffer.
"""
import os
import signal
from pathlib import Path

import storm
from storm import Run, wait
from trial import check, until

SECONDS = 60


def chosen(items, few):
    """./dev test takes the first ones, ./dev crash --faults all."""
    return items if "ALL_CASES" in os.environ else items[:few]


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
    refused = any(words in said for words in ("another leat", "another process writes for this checkpoint"))
    return [] if refused else [f"the zombie left with {status} and said {said[-600:]}"]


def sound(run, workload):
    """After one more start: the chain must go on."""
    status = run.finish("--once")
    problems = [] if status == 0 else [f"the next start left with {status}: {run.last_words()}"]
    problems += run.watch.end().texts + workload.check(run).texts + storm.leftovers(run).texts
    workload.clean(run)
    return problems


def watched(workload, name):
    run = Run(workload, name.replace(": ", "-").replace(",", "").replace(" ", "-"))
    run.watch = workload.watch(run)
    run.watch.start()
    return run


def zombie(workload, point, times, limit, name, others_limit=None):
    """Another one finishes all the work while the zombie stands."""
    run = watched(workload, name)
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
    run = watched(workload, name)
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

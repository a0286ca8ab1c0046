"""Storms of kills: a project works a topic off in many small epochs and is killed again and again, at random moments and at
named fail points, until it leaves by itself; then its tables are read. Everything random comes from one seed.

    storm      one scenario: folders of its own, settings drawn once more for every start
    Workload   what is run and how its outcome is read (workloads.py)

A scenario's kills are drawn from its seed; when the process dies in between still depends on the machine.
"""
import json
import os
import random
import shutil
import signal
import subprocess
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Callable

from readers import Findings

LEAT = os.environ["LEAT"]
BOOTSTRAP = os.environ.get("KAFKA_BOOTSTRAP_SERVERS", "")
WORK = Path(os.environ["TEST_DIR"])
KILL_SECONDS = (0.02, 0.4)  # the upper one plus what a start takes to its first commit
KILLS_A_STORM = 25
FINISH_SECONDS = 90
EPOCHS_TO_MERGE = 60  # of so many files some must have become one
SHARE_OF_FAULTS, SHARE_OF_STOPS, SHARE_OF_CONTINUOUS, SHARE_OF_LOOKS = 0.5, 0.1, 0.15, 0.2


def patience(seconds):
    """What takes `seconds` on an idle machine takes longer where others are at work: brokers wait for a processor, too."""
    return seconds * max(1.0, os.getloadavg()[0] / os.cpu_count())


@dataclass
class Workload:
    """environment: what the project reads; prepare(run): more of it, for one scenario; clean(run): the end of that.
    watch(run): a reader that polls from start() to end(), which gives Findings. between(run): Findings after a kill.
    check(run): Findings on all that was written. split_matters: rows depend on where epochs end, so every start keeps the same
    limits and trigger."""
    name: str
    project: Path
    environment: dict
    watch: Callable
    check: Callable
    prepare: Callable = lambda run: {}
    clean: Callable = lambda run: None
    between: Callable = lambda run: Findings()
    limits: tuple = (20, 150)   # of maxOffsetsPerTrigger
    split_matters: bool = False
    rare_points: tuple = ()     # that a run of few epochs does not come to
    start_seconds: float = 0.0  # to the first commit, measured


@dataclass
class Outcome:
    findings: Findings = field(default_factory=Findings)
    kills: int = 0
    at_points: Counter = field(default_factory=Counter)   # of those: kills by LEAT_FAIL
    starts: int = 0
    epochs: int = 0
    merged: int = 0   # files that took the place of small ones, as the watch saw them
    storms: int = 0
    seconds: float = 0.0

    def merge(self, other):
        self.findings.merge(other.findings)
        self.at_points += other.at_points
        for name in ("kills", "starts", "epochs", "merged", "storms", "seconds"):
            setattr(self, name, getattr(self, name) + getattr(other, name))


def fail_points():
    listed = subprocess.run([LEAT, "run", "--list-faults"], check=True, capture_output=True, text=True).stdout
    return [line.split()[0] for line in listed.splitlines()]


def points_reached(workload):
    """Those fail points that a run of this workload passes at all: it is killed at the first passage. Measures the start, too."""
    run = Run(workload, f"{workload.name}-points-{os.getpid()}")
    found = []
    for point in fail_points():
        shutil.rmtree(run.root)
        run.root.mkdir()
        begun = time.monotonic()
        if run.finish("--once", LEAT_FAIL=f"{point}:1", MAX_OFFSETS_PER_TRIGGER=20 * workload.limits[1]) == -signal.SIGKILL:
            found.append(point)
        if point == "after_record":
            workload.start_seconds = time.monotonic() - begun
    shutil.rmtree(run.root)
    workload.clean(run)
    return found + [point for point in workload.rare_points if point not in found]


class Run:
    """A scenario's folders and its processes, one after the other."""

    def __init__(self, workload, name):
        self.workload = workload
        self.root = WORK / name
        self.tables, self.checkpoint, self.log_path = self.root / "tables", self.root / "checkpoint", self.root / "log"
        self.root.mkdir(parents=True)
        self.watch = None
        self.environment = {**workload.environment, **workload.prepare(self)}

    def start(self, *flags, under=(), **environment):
        """under: a program and its flags that runs leat."""
        with open(self.log_path, "ab") as log:
            log.write(f"---- {flags} {environment}\n".encode())
            log.flush()
            return subprocess.Popen([*under, LEAT, "run", self.workload.project, *flags], stdin=subprocess.DEVNULL, stdout=log,
                                    stderr=log, env=self.variables(environment))

    def variables(self, more):
        settings = {"KAFKA_BOOTSTRAP_SERVERS": BOOTSTRAP, "OUTPUT_PATH": self.tables,
                    "SPARK_CHECKPOINT_DIR": self.checkpoint, **self.environment, **more}
        return {**os.environ, **{name: str(value) for name, value in settings.items()}}

    def finish(self, *flags, under=(), **environment):
        """The exit status, or None when its time was up."""
        process = self.start(*flags, under=under, **environment)
        status = wait(process, FINISH_SECONDS)
        if status is None:
            process.kill()
            process.wait()
        return status

    def epochs(self):
        heads = sorted(self.checkpoint.glob("chain/0/*.json"))
        return int(heads[-1].stem) + 1 if heads else 0

    def records(self):
        """The commit records that are still there."""
        return [json.loads(path.read_text().splitlines()[0]) for path in sorted(self.checkpoint.glob("chain/0/*.json"))]

    def said(self):
        return self.log_path.read_text(errors="replace")

    def last_words(self):
        """Of the last start: what is no progress."""
        words = self.said().rpartition("\n---- ")[2].splitlines()[1:]
        return " ".join(line for line in words if not line.startswith("{"))[-800:]


# ---- one start ----


def settings_drawn(workload, dice, limit):
    """Flags and environment of a start, and whether it may end by itself."""
    sets = {"leat.threads": dice.randint(1, 3), "leat.snapshot.epochs": dice.randint(1, 5)}
    continuous = not workload.split_matters and dice.random() < SHARE_OF_CONTINUOUS
    if continuous:
        sets.update({"leat.trigger": "continuous", "leat.files.max_staleness": "20 ms"})
    if not workload.split_matters:
        sets["leat.files.per_partition"] = dice.randint(1, 2)
        limit = dice.randint(*workload.limits)
    flags = [word for name, value in sets.items() for word in ("--set", f"{name}={value}")]
    return flags + ([] if continuous else ["--once"]), {"MAX_OFFSETS_PER_TRIGGER": limit}


def fault_drawn(dice, points):
    if dice.random() >= SHARE_OF_FAULTS:
        return None
    action = dice.choices(("kill", "eio", "lost"), (6, 1, 1))[0]
    return f"{dice.choice(points)}:{1 + int(dice.expovariate(1 / 5))}:{action}"


def wait(process, seconds):
    try:
        return process.wait(seconds)
    except subprocess.TimeoutExpired:
        return None


def struck(run, dice, points, limit, outcome):
    """One start and its end. True when the topic was worked off."""
    flags, environment = settings_drawn(run.workload, dice, limit)
    fault, stop = fault_drawn(dice, points), dice.random() < SHARE_OF_STOPS
    delay = dice.uniform(KILL_SECONDS[0], KILL_SECONDS[1] + run.workload.start_seconds)
    if fault:
        environment["LEAT_FAIL"] = fault
    process = run.start(*flags, **environment)
    outcome.starts += 1
    status = wait(process, delay)
    stopped = status is None and stop
    if stopped:
        process.terminate()   # it ends its epoch, and is killed in the midst of that
        status = wait(process, dice.uniform(0, 0.02))
    if status is None:
        process.kill()
        process.wait()
        outcome.kills += 1
        return False
    if status == -signal.SIGKILL:
        outcome.kills += 1
        outcome.at_points[fault.split(":")[0]] += 1
        return False
    if stopped and status == -signal.SIGTERM:   # it had not yet come to asking for the signal
        return False
    if status in (1, 4) and fault and "injected" in run.last_words():  # at start, and when it is to stop, leat only says so
        return False
    outcome.findings.add("wrong", int(status != 0), f"with {fault} it left with {status}: {run.last_words()}")
    return status != 0 or not stopped


# ---- a scenario ----


def finished(run, outcome, limit):
    """The last start, undisturbed: to the end of the topic."""
    status = run.finish("--once", "--set", "leat.snapshot.epochs=3", MAX_OFFSETS_PER_TRIGGER=limit)
    outcome.findings.add("wrong", int(status != 0), f"the last run left with {status}: {run.last_words()}")


def leftovers(run, audit=True):
    """What no reader sees, but should not be there; and what `leat audit` says."""
    findings = Findings()
    if audit:
        done = subprocess.run([LEAT, "audit", run.workload.project], capture_output=True, text=True, env=run.variables({}),
                              timeout=FINISH_SECONDS)
        findings.add("wrong", int(done.returncode != 0), f"leat audit left with {done.returncode}: {(done.stdout + done.stderr)[-600:]}")
    staged = [path.name for path in run.tables.rglob("*.staged")]
    temporary = [path.name for path in run.checkpoint.rglob("*.tmp")]
    findings.add("wrong", len(staged) + len(temporary), f"left behind: {(staged + temporary)[:3]}")
    return findings


def storm(workload, seed, number, kills, points):
    """Scenario `number` of a seed, with at most so many kills. Keeps its folder when something is wrong."""
    begun = time.monotonic()
    dice = random.Random(f"{seed}/{workload.name}/{number}")
    limit = dice.randint(*workload.limits)
    run = Run(workload, f"{workload.name}-{seed}-{number}")
    outcome = Outcome(storms=1)
    run.watch = workload.watch(run)
    run.watch.start()
    while outcome.kills < kills and not struck(run, dice, points, limit, outcome):
        if dice.random() < SHARE_OF_LOOKS:
            outcome.findings.merge(workload.between(run))
    finished(run, outcome, limit)
    outcome.findings.merge(run.watch.end())
    outcome.findings.merge(workload.check(run))
    outcome.findings.merge(leftovers(run))
    outcome.epochs, outcome.merged = run.epochs(), len(getattr(run.watch, "merged", ()))
    few = hasattr(run.watch, "merged") and outcome.epochs >= EPOCHS_TO_MERGE and outcome.merged == 0
    outcome.findings.add("wrong", int(few), f"{outcome.epochs} epochs, and nothing was merged")
    workload.clean(run)
    if outcome.findings.texts:
        outcome.findings.texts = [f"{run.root}: {text}" for text in outcome.findings.texts]
    else:
        shutil.rmtree(run.root)
    outcome.seconds = time.monotonic() - begun
    return outcome

"""Asked to stop: SIGTERM, SIGINT and SIGHUP end the open epoch where it stands and commit it, whatever leat is doing;
a second signal or leat.stop.timeout ends it at once. Nothing is lost or doubled by any of them."""

import os
import random
import signal
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
import oracle
import tables
from trial import BOOTSTRAP, ROOT, WORK, Leat, check, finish, leat, produce, until

TOPIC = f"stop-{os.getpid()}"
RECORDS = 60_000
SLOWLY = ("--set", "leat.batch.rows=1", "--set", "leat.threads=1")  # an epoch that lasts
SOON_SECONDS = 5
ANY_TIME_RUNS = 12
SEED = int(os.environ.get("LEAT_SEED", random.randrange(1 << 30)))


class Place:
    def __init__(self, name):
        self.checkpoint, self.tables = WORK / name / "checkpoint", WORK / name / "tables"

    def start(self, *flags, **settings):
        return Leat(
            "run",
            ROOT / "examples/transactions",
            *flags,
            **{
                "KAFKA_TOPIC": TOPIC,
                "OUTPUT_PATH": self.tables,
                "SPARK_CHECKPOINT_DIR": self.checkpoint,
                "TRIGGER_INTERVAL": "100 ms",
                "MAX_OFFSETS_PER_TRIGGER": RECORDS,
                **settings,
            },
        )

    def records(self):
        return sum(record["records"] for record in oracle.chain(self.checkpoint))

    def right(self):
        """What is wrong with the tables once a last run has read the rest."""
        done = self.start("--once").wait(120)
        want = oracle.Expected(oracle.consume(BOOTSTRAP, TOPIC), oracle.chain(self.checkpoint))
        return done.problems(0) + tables.differences(want, tables.Arrow(self.tables))


def end(running, number):
    """Signal it; how it left, and what is wrong with the time that took."""
    begun = time.monotonic()
    running.process.send_signal(number)
    done = running.wait()
    took = time.monotonic() - begun
    last = done.err.splitlines()[-1] if done.err else "nothing"
    if done.status == 0 and not last.startswith('{"phase":"stopped","epochs":'):
        return done, [f"it said last: {last}"]
    return done, [] if took < SOON_SECONDS else [f"it took {took:.1f} s"]


def reads(running):
    """Wait until it is at work on its first epoch: that takes CPU time, nothing before does."""
    return until(lambda: cpu_seconds(running.process.pid) > 0.2, "any work", 20)


def cpu_seconds(pid):
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def while_reading():
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        place = Place(f"reading-{number.name}")
        running = place.start(*SLOWLY)
        problems = reads(running)
        done, late = end(running, number)
        check(f"{number.name} while reading", problems + done.problems(0) + late)
        check(f"{number.name} while reading: the open epoch was committed", [] if place.records() > 0 else ["no"])
        if number == signal.SIGTERM:
            check(f"{number.name} while reading: nothing is lost", place.right())


def while_waiting():
    place = Place("waiting")
    running = place.start(TRIGGER_INTERVAL="1 hour")
    problems = until(lambda: running.said().count('"records":') > 0, "the first commit", 60)
    done, late = end(running, signal.SIGTERM)
    check("SIGTERM while waiting", problems + done.problems(0) + late)
    place.start("--once").wait(120)
    idle = place.start("--once").wait(120)
    check("nothing new", idle.problems(0, '{"phase":"done","epochs":0,"records_total":0}'))


def while_retrying():
    """The folder of the tables is gone and something else is in its place: the disk fails."""
    place = Place("retrying")
    running = place.start()
    problems = until(lambda: running.said().count('"records":') > 0, "the first commit", 60)
    moved = place.tables.with_suffix(".moved")
    place.tables.rename(moved)
    place.tables.write_text("no folder")
    produce("transactions", TOPIC, 1000, seed=9)
    problems += until(lambda: "next attempt in" in running.said(), "a word about the folder", 20)
    done, late = end(running, signal.SIGTERM)
    check("SIGTERM while retrying", problems + done.problems(0, str(place.tables)) + late)
    place.tables.unlink()
    moved.rename(place.tables)
    check("SIGTERM while retrying: nothing is lost", place.right())


def twice():
    place = Place("twice")
    running = place.start(*SLOWLY)
    problems = reads(running)
    running.process.send_signal(signal.SIGTERM)
    time.sleep(0.005)
    running.process.send_signal(signal.SIGTERM)
    done = running.wait()
    # The epoch may have been committed between the two.
    problems += [] if done.status in (0, 128 + signal.SIGTERM) else [f"left with {done.status}: {done.err[-500:]}"]
    check("a second SIGTERM", problems)
    check("a second SIGTERM: nothing is lost", place.right())


def too_long():
    place = Place("too-long")
    running = place.start(*SLOWLY, "--set", "leat.stop.timeout=1 ms")
    problems = reads(running)
    done, late = end(running, signal.SIGTERM)
    check(
        "leat.stop.timeout",
        problems + done.problems(4, "within leat.stop.timeout", "Nothing is lost") + late,
    )
    check("leat.stop.timeout: nothing is lost", place.right())


def cannot_commit():
    """Asked to stop, but the open epoch finds no room: it says so, and leaves with 4."""
    place = Place("cannot-commit")
    if not faults():
        return 1
    running = place.start(*SLOWLY, LEAT_FAIL="stage_fsync:1:eio")
    problems = reads(running)
    done, late = end(running, signal.SIGTERM)
    check(
        "SIGTERM and a failing disk",
        problems + done.problems(4, "could not be committed", "injected fault", "Nothing is lost") + late,
    )
    check("SIGTERM and a failing disk: nothing is lost", place.right())
    return 0


def faults():
    """Is this leat built with fail points? One that is refuses a point that there is not."""
    done = leat("run", ROOT / "examples/transactions", "--once", LEAT_FAIL="no_such_point:1", KAFKA_TOPIC=TOPIC)
    return done.status == 2 and "no_such_point" in done.err


def at_any_time():
    """Starting, recovering, reading, merging, committing: whatever a random moment hits."""
    place, chance, problems = Place("any-time"), random.Random(SEED), []
    for _ in range(ANY_TIME_RUNS):
        running = place.start(MAX_OFFSETS_PER_TRIGGER=RECORDS // 10)
        time.sleep(chance.uniform(0.02, 0.5))
        done, late = end(running, signal.SIGTERM)
        # Before leat has looked at its arguments nobody takes the signal.
        problems += late + ([] if done.status in (0, -signal.SIGTERM) else [f"left with {done.status}: {done.err[-500:]}"])
    check(f"SIGTERM at any time (LEAT_SEED={SEED})", problems)
    check(f"SIGTERM at any time (LEAT_SEED={SEED}): nothing is lost", place.right())


produce("transactions", TOPIC, RECORDS, keys=5000, bad_ratio=0.02, seed=3, event_rate=500)
while_reading()
while_waiting()
too_long()
twice()
skipped = cannot_commit()
at_any_time()
while_retrying()
finish(skipped=2 * skipped)

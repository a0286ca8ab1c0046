"""The failure cases of the Kafka sink: answers that never come, fenced producers, zombies, kills around the commit of a
transaction. Cases 12, 24 and 25 of exactly-once.md, section 8. A read_committed consumer reads all the time."""
import os
import signal
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent / "interop"))
import storm
import workloads
from trial import check, finish
from zombies import beside, chosen, watched, zombie

RECORDS, LIMIT = 2000, 200
POINTS = ("kafka_offsets", "kafka_commit", "kafka_after")
tag = str(os.getpid())


def end(name, run, problems):
    """After an undisturbed start: each record once, in both topics and in the table."""
    status = run.finish("--once", MAX_OFFSETS_PER_TRIGGER=LIMIT)
    problems += [] if status == 0 else [f"the last start left with {status}: {run.last_words()}"]
    problems += run.watch.end().texts + run.workload.check(run).texts + storm.leftovers(run).texts
    run.workload.clean(run)
    check(name, problems)


def killed(workload, point, times):
    name = f"killed at {point}:{times}"
    run = watched(workload, name.replace(":", " "))
    status = run.finish("--once", MAX_OFFSETS_PER_TRIGGER=LIMIT, LEAT_FAIL=f"{point}:{times}")
    end(name, run, [] if status == -signal.SIGKILL else [f"it left with {status}"])


def killed_again_and_again(workload):
    """The start that must find out how the transaction ended is killed, too."""
    name = "killed after the commit, then at every start"
    run = watched(workload, name)
    problems = []
    for fault in ("kafka_after:3", "record_put:1", "record_put:1", "after_record:1", "publish_one:1", "kafka_commit:1",
                  "kafka_after:1", "assign:1"):
        status = run.finish("--once", MAX_OFFSETS_PER_TRIGGER=LIMIT, LEAT_FAIL=fault)
        problems += [] if status == -signal.SIGKILL else [f"{fault} did not kill: {status} {run.last_words()}"]
    end(name, run, problems)


def answer(workload, point, action, times):
    """leat mends it by itself: the outcome is unknown, so it asks the broker."""
    name = f"case 24: {action} at {point}:{times}"
    run = watched(workload, name.replace(":", ""))
    status = run.finish("--once", MAX_OFFSETS_PER_TRIGGER=LIMIT, LEAT_FAIL=f"{point}:{times}:{action}")
    problems = [] if status == 0 else [f"it left with {status}: {run.last_words()}"]
    end(name, run, problems + ([] if "injected" in run.said() else [f"{point}:{times} was not reached"]))


def main():
    topics = workloads.topics(tag, RECORDS)
    for point in chosen((*POINTS, "stage_done", "record_put", "after_record"), len(POINTS)):
        for times in chosen((3, 1), 1):
            killed(topics, point, times)
    killed_again_and_again(topics)
    for point in ("kafka_offsets", "kafka_commit"):
        for action in chosen(("lost", "eio"), 1):
            answer(topics, point, action, 3)
    for point in chosen((*POINTS, "stage_done", "after_record", "publish_done"), 3):
        zombie(topics, point, 2, LIMIT, f"case 25: zombie at {point}")
    zombie(topics, "kafka_commit", 1, LIMIT, "case 25: zombie at kafka_commit, other split", others_limit=LIMIT // 3)
    for point in chosen(("kafka_commit", "kafka_after"), 1):
        beside(topics, point, 2, LIMIT, f"case 25: zombie at {point} beside the other")
    finish()


main()

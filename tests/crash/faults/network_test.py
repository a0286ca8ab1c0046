"""A network that is slow, narrow, torn into pieces, cut and gone, between leat and Kafka (toxiproxy.py).

Each toxic is put in while leat works in small epochs, and taken out again; then a dice puts them in and out, with kills in
between. Every record must come out once; after the healing work goes on within 10 s.
"""
import os
import random
import sys
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent), str(HERE.parent.parent / "interop")]
from toxiproxy import Toxiproxy

proxy = Toxiproxy(f"network-{os.getpid()}")
os.environ["KAFKA_BOOTSTRAP_SERVERS"] = proxy.direct  # of producers and readers
import storm
import workloads
from storm import Run, patience, wait
from trial import check, finish

SEED = int(os.environ.get("SEED", str(int(time.time()) % 1_000_000)))
ILL_SECONDS, WORKS_AGAIN_SECONDS, DICE_SECONDS = 4, 10, 45
FINISH_SECONDS = 90
KINDS = os.environ.get("KINDS", "parquet,kafka").split(",")
tag = str(os.getpid())

TOXICS = {
    "latency": [("latency", "downstream", {"latency": 300, "jitter": 250})],
    "narrow": [("bandwidth", "downstream", {"rate": 40}), ("bandwidth", "upstream", {"rate": 40})],
    "in pieces": [("slicer", "downstream", {"average_size": 40, "size_variation": 30, "delay": 500}),
                  ("slicer", "upstream", {"average_size": 40, "size_variation": 30, "delay": 500})],
    "resets": [("reset_peer", "downstream", {"timeout": 120})],
    "resets of requests": [("reset_peer", "upstream", {"timeout": 60})],
    "silence": [("timeout", "downstream", {"timeout": 0})],
    "silence of requests": [("timeout", "upstream", {"timeout": 0})],
    "cut after some data": [("limit_data", "downstream", {"bytes": 30_000})],
    "cut in a request": [("limit_data", "upstream", {"bytes": 3_000})],
}


def ill(what):
    if what == "gone":
        proxy.down()
        return
    for kind, stream, attributes in TOXICS[what]:
        proxy.toxic(kind, stream, **attributes)


def started(run, limit):
    """In small epochs, for as long as it is not stopped: behind the topic's end it waits for more."""
    return run.start("--set", "leat.trigger=continuous", "--set", "leat.files.max_staleness=20 ms",
                     KAFKA_BOOTSTRAP_SERVERS=proxy.proxied, MAX_OFFSETS_PER_TRIGGER=limit)


class Feed:
    """Records that keep coming while the network is ill."""

    def __init__(self, topic):
        self.topic, self.rows = topic, []

    def more(self, count=400):
        self.rows += workloads.numbers_fill(self.topic, count, first=len(self.rows), bootstrap=proxy.direct)


def scene(name, make, script):
    """script(run, feed): the disturbance; a list of problems."""
    workload, feed = make()
    run = Run(workload, name.replace(": ", "-").replace(" ", "-"))
    run.watch = workload.watch(run)
    run.watch.start()
    problems = script(run, feed)
    proxy.heal()
    status = run.finish("--once")
    problems += [] if status == 0 else [f"the last start left with {status}: {run.last_words()}"]
    problems += run.watch.end().texts + workload.check(run).texts + storm.leftovers(run).texts
    workload.clean(run)
    check(name, problems)


def with_feed(kind):
    """A workload on a topic that grows; its check is of all that is there by then."""
    feed = Feed(f"network-{kind}-{tag}-{random.getrandbits(32):08x}")
    workloads.topic_create(feed.topic, bootstrap=proxy.direct)
    feed.more(200)
    make = workloads.topics_of_rows if kind == "kafka" else workloads.files_of_rows
    return make(kind, feed.topic, feed.rows), feed


def committed_again(run, process, epochs):
    """How long from now to the next commit; None when it never comes."""
    begun = time.monotonic()
    while time.monotonic() - begun < 60 and process.poll() is None:
        if run.epochs() > epochs:
            return time.monotonic() - begun
        time.sleep(0.02)
    return None


def one_toxic(what):
    def script(run, feed):
        process = started(run, 200)
        problems = [] if committed_again(run, process, 0) is not None else ["no first epoch"]
        ill(what)
        until = time.monotonic() + ILL_SECONDS
        while time.monotonic() < until:
            feed.more(100)
            time.sleep(0.3)
        proxy.heal()
        epochs = run.epochs()
        feed.more(100)
        again = committed_again(run, process, epochs)
        if again is None or again > patience(WORKS_AGAIN_SECONDS):
            problems.append(f"after the healing the next commit took {again} s; {run.last_words()}")
        else:
            print(f"{run.root.name}: works again after {again:.1f} s", file=sys.stderr)
        process.terminate()
        status = wait(process, 30)
        if status != 0:
            process.kill()
            process.wait()
            problems.append(f"after SIGTERM it left with {status}: {run.last_words()}")
        return problems
    return script


def by_dice(number):
    """Toxics and kills, again and again."""
    dice = random.Random(f"{SEED}/{number}")

    def script(run, feed):
        until, kills, process = time.monotonic() + DICE_SECONDS, 0, None
        while time.monotonic() < until:
            if process is None or process.poll() is not None:
                process = started(run, dice.randint(50, 400))
            ill(dice.choice([*TOXICS, "gone"]))
            time.sleep(dice.uniform(0.1, 2.5))
            if dice.random() < 0.35:
                process.kill()
                process.wait()
                kills += 1
            proxy.heal()
            feed.more(dice.randint(1, 150))
            time.sleep(dice.uniform(0, 1))
        process.kill()
        process.wait()
        print(f"{run.root.name}: {kills + 1} kills, {run.epochs()} epochs, seed {SEED}", file=sys.stderr)
        return []
    return script


def main():
    for kind in KINDS:
        for what in [*TOXICS, "gone"]:
            scene(f"{kind}: {what}", lambda kind=kind: with_feed(kind), one_toxic(what))
        for number in range(2):
            scene(f"{kind}: by dice {number}", lambda kind=kind: with_feed(kind), by_dice(f"{kind}/{number}"))
    finish()


with proxy:
    main()

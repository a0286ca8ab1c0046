"""What the interop tests share: running leat, feeding topics, counting what held.

A test calls check(name, problems) for everything it claims, problems being texts of what is wrong, and
finish() at its end."""

import os
import signal
import subprocess
import sys
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from confluent_kafka import Producer
from confluent_kafka.admin import AdminClient, NewTopic

ROOT = Path(__file__).resolve().parent.parent.parent
LEAT = os.environ["LEAT"]
BOOTSTRAP = os.environ.get("KAFKA_BOOTSTRAP_SERVERS", "")
WORK = Path(os.environ["TEST_DIR"])
RUN_SECONDS = 30

# A project that reads the topic of a broker which is not asked while it is checked.
ORDERS_SPEC = f"""name: shop
storage: {WORK.as_uri()}/storage
libraries: [{{glob: {{include: transformations/**}}}}]
configuration:
  source.orders.format: kafka
  source.orders.kafka.bootstrap.servers: 127.0.0.1:1
  source.orders.subscribe: orders
"""

results = []


def check(name, problems):
    results.append(not problems)
    for problem in problems:
        print(f"{name}: {problem}")


def finish(skipped=0):
    failed = results.count(False)
    print(f"{len(results) - failed} passed, {failed} failed" + (f", {skipped} skipped" if skipped else ""))
    sys.exit(failed > 0)


# ---- leat ----


@dataclass
class Done:
    """A leat that has left."""

    status: int
    out: str
    err: str
    seconds: float

    def problems(self, status, *words):
        """What differs from leaving with `status` and having said all `words` on stderr."""
        found = [] if self.status == status else [f"left with {self.status}, want {status}"]
        found += [f"does not say {word!r}" for word in words if word not in self.err]
        return found + [f"it said: {self.err[-1200:]}"] if found else []


class Leat:
    """A leat at work. `environment` is what its project reads; NAME=None unsets."""

    number = 0

    def __init__(self, *words, **environment):
        merged = {**os.environ, "KAFKA_BOOTSTRAP_SERVERS": BOOTSTRAP, **environment}
        Leat.number += 1
        self.out, self.err = (WORK / f"leat-{Leat.number}.{name}" for name in ("out", "err"))
        self.started = time.monotonic()
        with open(self.out, "ab") as out, open(self.err, "ab") as err:
            self.process = subprocess.Popen(
                [LEAT, *map(str, words)],
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=err,
                env={k: str(v) for k, v in merged.items() if v is not None},
                preexec_fn=lambda: signal.signal(signal.SIGHUP, signal.SIG_DFL),  # the suite may run under nohup
            )

    def said(self):
        """What is on stderr by now."""
        return self.err.read_text(errors="replace")

    def wait(self, seconds=RUN_SECONDS):
        try:
            self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        seconds = time.monotonic() - self.started
        return Done(self.process.returncode, self.out.read_text(errors="replace"), self.said(), seconds)

    def stop(self):
        """Ctrl-C, and what came of it."""
        self.process.send_signal(signal.SIGINT)
        return self.wait()


def leat(*words, **environment):
    return Leat(*words, **environment).wait()


def leat_ok(*words, **environment):
    """For the steps that are not what is tested."""
    done = leat(*words, **environment)
    if done.status != 0:
        raise SystemExit(f"{done.err[-3000:]}\nleat {words[0]} left with {done.status}\n0 passed, 1 failed")
    return done


def produce(kind, topic, count, bootstrap=BOOTSTRAP, **flags):
    """leat produce, with --name value for each of `flags`."""
    words = [word for name, value in flags.items() for word in ("--" + name.replace("_", "-"), value)]
    leat_ok(
        "produce",
        kind,
        "--bootstrap",
        bootstrap,
        "--topic",
        topic,
        "--count",
        count,
        "--partitions",
        4,
        *words,
    )


def project(name, spec, sql):
    """A folder with a project; spec and sql are texts or bytes."""
    folder = WORK / name
    (folder / "transformations").mkdir(parents=True)
    for path, content in ((folder / "spark-pipeline.yml", spec), (folder / "transformations/a.sql", sql)):
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return folder


def until(true, what, seconds=RUN_SECONDS):
    """Wait until true(); a list with the problem when it never was."""
    deadline = time.monotonic() + seconds
    while not true():
        if time.monotonic() > deadline:
            return [f"{what} did not come within {seconds} s"]
        time.sleep(0.05)
    return []


# ---- topics ----


def topic_create(name, partitions=2, **config):
    admin = AdminClient({"bootstrap.servers": BOOTSTRAP})
    settings = {key.replace("_", "."): str(value) for key, value in config.items()}
    admin.create_topics([NewTopic(name, partitions, 1, config=settings)])[name].result(20)


def topic_fill(name, records, message_bytes_max=1_000_000):
    """Produce (key, value) pairs. What was sent: {(partition, offset): value}."""
    sent, failed = {}, []

    def on_delivery(error, message):
        if error:
            failed.append(str(error))
        else:
            sent[message.partition(), message.offset()] = message.value()

    producer = Producer(
        {"bootstrap.servers": BOOTSTRAP, "message.max.bytes": message_bytes_max, "linger.ms": 5}
    )
    for key, value in records:
        producer.produce(name, value=value, key=key, on_delivery=on_delivery)
        producer.poll(0)
    producer.flush(30)
    if failed or len(sent) != len(records):
        raise SystemExit(
            f"{len(sent)} of {len(records)} records reached {name}: {failed[:2]}\n0 passed, 1 failed"
        )
    return sent


# ---- comparing ----


def multiset_problems(what, got, want):
    """Both are iterables of rows."""
    got, want = Counter(got), Counter(want)
    if got == want:
        return []
    return [
        f"{what}: {got.total()} rows, want {want.total()}; "
        f"not wanted {str(list((got - want).items())[:2])[:600]}; "
        f"missing {str(list((want - got).items())[:2])[:600]}"
    ]


def ledger_totals(records):
    """{table: sums of its ledger} over commit records, as the chain has them."""
    totals = {}
    for record in records:
        for entry in record["ledgers"]:
            total = totals.setdefault(entry["table"], Counter())
            total.update({name: value for name, value in entry.items() if isinstance(value, int)})
    return totals

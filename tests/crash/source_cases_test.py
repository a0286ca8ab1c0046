"""What may happen to a topic behind a reader's back: retention, topics made anew, new partitions, gaps, aborted transactions.

Cases 19 to 23 of exactly-once.md, section 8; compaction, which needs a broker of its own, is in faults/broker_test.py."""
import os
import signal
import sys
from collections import Counter
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent / "interop"))
import readers
import storm
import workloads
from confluent_kafka import Producer, TopicPartition
from confluent_kafka.admin import AdminClient, NewPartitions
from readers import Findings
from storm import BOOTSTRAP, Run, Workload, patience, wait
from trial import check, finish, until

RECORDS = 1200
CONTINUOUS = ("--set", "leat.trigger=continuous", "--set", "leat.files.max_staleness=50 ms")
tag = str(os.getpid())
admin = AdminClient({"bootstrap.servers": BOOTSTRAP})


class Reader(Run):
    """The plain project on a topic of this case's own."""

    def __init__(self, name, topic=None, loss="true"):
        self.topic = topic or f"{name}-{tag}"
        super().__init__(Workload(name, Path(__file__).parent / "plain", {"KAFKA_TOPIC": self.topic, "FAIL_ON_DATA_LOSS": loss},
                                  watch=None, check=None), name)

    def once(self, **environment):
        return self.finish("--once", MAX_OFFSETS_PER_TRIGGER=300, **environment)

    def rows(self):
        return Counter(readers.arrow_rows(self.tables / "records", "parquet", workloads.COLUMNS))

    def ended(self, want, got, *words):
        said = self.last_words()
        problems = [] if got == want else [f"left with {got}, want {want}: {said}"]
        return problems + [f"does not say {word!r} but {said}" for word in words if word not in said]

    def has(self, rows):
        findings = Findings()
        findings.compare("PyArrow", self.rows().elements(), Counter(rows))
        return findings.texts

    def has_once(self, rows):
        """All of them, perhaps with others beside."""
        have = self.rows()
        missing, more = [row for row in rows if row not in have], [row for row, count in have.items() if count > 1]
        return [f"{len(missing)} are missing: {missing[:2]}"] * bool(missing) + [f"{len(more)} are double: {more[:2]}"] * bool(more)

    def lost(self):
        return sum(span.get("lost", 0) for record in self.records() for span in record["ranges"])


def topic_new(name, partitions=4):
    topic = f"{name}-{tag}"
    workloads.topic_create(topic, partitions)
    return topic


def retention(topic, rows, kept=0):
    """As if all but the last `kept` records of each partition had grown too old."""
    ends = Counter(partition for _, partition, _, _ in rows)
    places = [TopicPartition(topic, partition, 1 + max(row[2] for row in rows if row[1] == partition) - kept) for partition in ends]
    for future in admin.delete_records(places).values():
        future.result(20)


def deleted(topic):
    admin.delete_topics([topic])[topic].result(30)
    return until(lambda: topic not in admin.list_topics(timeout=10).topics, "the end of the topic")


def stop(process):
    process.send_signal(signal.SIGINT)
    return wait(process, 30)


# ---- case 19: retention ----


def retention_while_down(loss):
    name = f"retention-down-{loss}"
    run = Reader(name, topic_new(name), loss)
    first = workloads.numbers_fill(run.topic, RECORDS)
    run.once()
    second = workloads.numbers_fill(run.topic, RECORDS, first=RECORDS)
    retention(run.topic, second, kept=50)
    epochs, status = run.epochs(), run.once()
    if loss == "true":
        check("case 19: retention while down, failOnDataLoss: stop",
              run.ended(1, status, run.topic, "is to be read next", "are gone", "failOnDataLoss=false") + run.has(first) +
              ([] if run.epochs() == epochs else ["an epoch was committed"]))
        return
    kept = [row for row in second if row[2] >= 1 + max(r[2] for r in second if r[1] == row[1]) - 50]
    check("case 19: retention while down, failOnDataLoss=false: the gap is told and recorded",
          run.ended(0, status, run.topic, "gone, going on at") + run.has(first + kept) +
          ([] if run.lost() == len(second) - len(kept) else [f"the chain says {run.lost()} lost"]))


def retention_overtakes(loss):
    """The reader stands still; retention goes past it."""
    name = f"retention-overtakes-{loss}"
    run = Reader(name, topic_new(name), loss)
    first = workloads.numbers_fill(run.topic, RECORDS)
    process = run.start(*CONTINUOUS)
    problems = until(lambda: sum(run.rows().values()) == len(first), "the first records")
    process.send_signal(signal.SIGSTOP)
    second = workloads.numbers_fill(run.topic, RECORDS, first=RECORDS)
    retention(run.topic, second)
    third = workloads.numbers_fill(run.topic, RECORDS, first=2 * RECORDS)
    process.send_signal(signal.SIGCONT)
    if loss == "true":
        problems += run.ended(1, wait(process, patience(30)), run.topic, "is to be read next", "are gone")
        problems += run.has_once(first) + ([] if not set(run.rows()) & set(third) else ["records behind the gap were committed"])
        check("case 19: retention overtakes the reader, failOnDataLoss: stop", problems)
    else:
        problems += until(lambda: not run.has_once(first + third), "the records behind the gap")
        problems += run.ended(0, stop(process), run.topic, "gone, going on at") + run.has_once(first + third)
        seen = len([row for row in second if row in run.rows()])
        problems += [] if run.lost() + seen == len(second) else [f"the chain says {run.lost()} lost, {seen} of {len(second)} were read"]
        check("case 19: retention overtakes the reader, failOnDataLoss=false: the gap is told and recorded", problems)
    if process.poll() is None:
        process.kill()


# ---- case 20: the topic is made anew ----


def anew_while_down(loss):
    name = f"anew-down-{loss}"
    run = Reader(name, topic_new(name), loss)
    first = workloads.numbers_fill(run.topic, RECORDS)
    run.once()
    problems = deleted(run.topic)
    topic_new(name)
    second = workloads.numbers_fill(run.topic, RECORDS // 2, first=10 * RECORDS)
    status = run.once()
    if loss == "true":
        check("case 20: topic made anew while down, failOnDataLoss: stop",
              problems + run.ended(1, status, run.topic, "the topic was made anew or cut") + run.has(first))
    else:
        check("case 20: topic made anew while down, failOnDataLoss=false: from its beginning",
              problems + run.ended(0, status, run.topic, "made anew or cut") + run.has(first + second))


def anew_while_running(loss):
    name = f"anew-running-{loss}"
    run = Reader(name, topic_new(name), loss)
    first = workloads.numbers_fill(run.topic, RECORDS)
    process = run.start(*CONTINUOUS)
    problems = until(lambda: sum(run.rows().values()) == len(first), "the first records")
    problems += deleted(run.topic)
    topic_new(name)
    second = workloads.numbers_fill(run.topic, RECORDS // 2, first=10 * RECORDS)
    if loss == "true":
        check("case 20: topic made anew while running, failOnDataLoss: stop",
              problems + run.ended(1, wait(process, 60), run.topic) + run.has(first))
    else:
        problems += until(lambda: not run.has_once(first + second), "the records of the new topic")
        check("case 20: topic made anew while running, failOnDataLoss=false: from its beginning",
              problems + run.ended(0, stop(process), run.topic) + run.has(first + second))
    if process.poll() is None:
        process.kill()


def deleted_while_running():
    run = Reader("deleted-running", topic_new("deleted-running"))
    first = workloads.numbers_fill(run.topic, RECORDS)
    process = run.start(*CONTINUOUS)
    problems = until(lambda: sum(run.rows().values()) == len(first), "the first records")
    problems += deleted(run.topic)
    check("case 20: topic deleted while running: stop",
          problems + run.ended(1, wait(process, 60), run.topic) + run.has(first))
    if process.poll() is None:
        process.kill()


# ---- case 21: partitions added ----


def fill_new(topic, partitions, count, first):
    """Into the new partitions only; rows as numbers_fill gives them."""
    rows = []
    producer = Producer({"bootstrap.servers": BOOTSTRAP})

    def on_delivery(error, message):
        rows.append((topic, message.partition(), message.offset(), message.value().decode()))
    for number in range(first, first + count):
        producer.produce(topic, str(number).encode(), partition=partitions[number % len(partitions)], on_delivery=on_delivery)
    producer.flush(30)
    return rows


def partitions_added_while_down():
    run = Reader("partitions-down", topic_new("partitions-down"))
    rows = workloads.numbers_fill(run.topic, RECORDS)
    run.once()
    admin.create_partitions([NewPartitions(run.topic, 7)])[run.topic].result(20)
    rows += fill_new(run.topic, [4, 5, 6], RECORDS, first=RECORDS) + workloads.numbers_fill(run.topic, RECORDS, first=2 * RECORDS)
    check("case 21: partitions added while down: from offset 0", run.ended(0, run.once()) + run.has(rows))


def partitions_added_while_running():
    run = Reader("partitions-running", topic_new("partitions-running"))
    rows = workloads.numbers_fill(run.topic, RECORDS)
    process = run.start(*CONTINUOUS)
    problems = until(lambda: sum(run.rows().values()) == len(rows), "the first records")
    admin.create_partitions([NewPartitions(run.topic, 6)])[run.topic].result(20)
    rows += fill_new(run.topic, [4, 5], RECORDS, first=RECORDS) + workloads.numbers_fill(run.topic, RECORDS, first=2 * RECORDS)
    problems += until(lambda: sum(run.rows().values()) == len(rows), "the records of new partitions")
    check("case 21: partitions added while running", problems + run.ended(0, stop(process)) + run.has(rows))


# ---- cases 22, 23: gaps, aborted transactions ----


def transactions():
    """Every third transaction is aborted, and the topic ends with an aborted one: control records and gaps everywhere."""
    run = Reader("aborted", topic_new("aborted"))
    producer = Producer({"bootstrap.servers": BOOTSTRAP, "transactional.id": f"aborted-{tag}"})
    producer.init_transactions(30)
    rows = []

    def fill(first, last):
        for number in range(first, last):
            sent = []
            producer.begin_transaction()
            for n in range(40):
                producer.produce(run.topic, f"{number} {n}".encode(), partition=n % 4, on_delivery=lambda e, m: sent.append(m))
            producer.flush(20)
            if number % 3 == 2:
                producer.abort_transaction(20)
                continue
            producer.commit_transaction(20)
            rows.extend((run.topic, m.partition(), m.offset(), m.value().decode()) for m in sent)
    fill(0, 12)
    status = run.once(LEAT_FAIL="after_record:2")
    problems = [] if status == -signal.SIGKILL else [f"after_record:2 did not kill: {status}"]
    check("cases 22, 23: gaps of transactions, aborted records", problems + run.ended(0, run.once()) + run.has(rows))
    fill(12, 21)
    check("cases 22, 23: and from there on", run.ended(0, run.once()) + run.has(rows))
    fill(23, 24)
    check("case 23: a transaction that was aborted alone", run.ended(0, run.once()) + run.has(rows))


def main():
    for loss in ("true", "false"):
        retention_while_down(loss)
        retention_overtakes(loss)
        anew_while_down(loss)
        anew_while_running(loss)
    deleted_while_running()
    partitions_added_while_down()
    partitions_added_while_running()
    transactions()
    finish()


main()

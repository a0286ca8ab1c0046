"""The readers of this folder are not blind: each kind of damage, done by hand to sound tables and topics, is found and named."""
import os
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent / "interop"))
import storm
import workloads
from confluent_kafka import Producer
from storm import BOOTSTRAP, Run
from trial import check, finish, until

RECORDS, LIMIT = 1000, 100
tag = str(os.getpid())


def finished(workload, name):
    run = Run(workload, name)
    run.watch = workload.watch(run)
    run.watch.start()
    status = run.finish("--once", MAX_OFFSETS_PER_TRIGGER=LIMIT)
    check(f"{name}: undisturbed", ([] if status == 0 else [f"left with {status}: {run.last_words()}"]))
    return run


def counts(findings):
    return {kind: getattr(findings, kind) for kind in ("lost", "double", "torn") if getattr(findings, kind)}


def expect(name, findings, *kinds):
    check(name, [] if set(counts(findings)) == set(kinds) else [f"found {counts(findings)}, want {kinds}: {findings.texts}"])


def files(kind):
    workload = workloads.files(kind, tag, RECORDS)
    run = finished(workload, f"{kind}-damaged")
    expect(f"{kind}: sound", workload.check(run))
    part = sorted((run.tables / "records").glob(f"part-*.{kind}"))[3]
    kept = part.read_bytes()

    part.unlink()
    expect(f"{kind}: a file is gone", workload.check(run), "lost")
    part.write_bytes(kept)

    copy = part.with_name(part.name.replace("part-", "part-x"))
    copy.write_bytes(kept)
    expect(f"{kind}: a file is there twice", workload.check(run), "double")
    check(f"{kind}: leat audit finds it, too", [] if storm.leftovers(run).wrong else ["leat audit says nothing"])
    copy.write_bytes(kept[:-5])
    found = workload.check(run)
    check(f"{kind}: a file is cut", [] if found.torn else [f"found {counts(found)}"])
    time.sleep(0.1)
    copy.unlink()

    part.write_bytes(kept)
    found = run.watch.end()
    check(f"{kind}: the poller saw all of it", [] if found.double or found.torn else [f"found {counts(found)}"])
    check(f"{kind}: the poller saw a file change", [] if any("changed" in text for text in found.texts) else found.texts)
    staged = run.tables / "records/_staging/left.staged"
    staged.write_bytes(b"x")
    check(f"{kind}: a staged file is left", [] if storm.leftovers(run, audit=False).wrong else ["nothing was found"])


def topics():
    workload = workloads.topics(tag, RECORDS)
    run = finished(workload, "topics-damaged")
    every, odd = workloads.topics_of(run)
    until(lambda: not workload.check(run).lost, "all records of both topics")
    expect("topics: sound", workload.check(run))
    producer = Producer({"bootstrap.servers": BOOTSTRAP})
    again = next(row for row in run.watch.rows(every) if row[1] % 2 == 1)
    producer.produce(every, " ".join(map(str, again)).encode(), partition=0)
    producer.produce(odd, b"0 999999 never", partition=0)
    producer.flush(20)
    until(lambda: len(run.watch.rows(every)) == RECORDS + 1, "the record again")
    until(lambda: (0, 999999, "never") in run.watch.rows(odd), "the record that is none")
    found = workload.check(run)
    check("topics: a record again, and one never produced", [] if found.double and found.torn else [f"found {counts(found)}"])
    run.watch.found[every][1].pop()
    check("topics: a record is missing", [] if workload.check(run).lost else ["nothing was found"])
    check("topics: they do not agree", [] if workloads.topics_agree(run).torn else ["nothing was found"])
    run.watch.end()
    workload.clean(run)


for format_of_files in ("parquet", "csv"):
    files(format_of_files)
topics()
finish()

"""What stands around windows and joins: who moves a watermark, what becomes of late rows, tables that stand still.

guard    event times hours ahead of their record's timestamp go to _quarantine with both times, and close no window
idle     a partition without records does not hold the watermark back
late     'leat.late' = 'table': every late row is in <table>_late once, also after a kill between two epochs; the ledger
         counts the same
still    a file that a stream is joined with is read again when it changes, before the next epoch
"""

import json
import os
import sys
import time
from pathlib import Path

from confluent_kafka import Producer

sys.path.insert(0, str(Path(__file__).parent))
from tables import quarantined
from trial import BOOTSTRAP, Leat, WORK, check, finish, leat, leat_ok, ledger_totals, multiset_problems, project, topic_create, until

TOPIC = f"event-time-{os.getpid()}"
START_S = 1767225600  # 2026-01-01T00:00:00Z
HOUR_S = 3600


def json_rows(folder):
    return [json.loads(line) for file in sorted(folder.glob("*.json")) for line in file.read_text().splitlines()]


def chain_records(folder):
    files = sorted((folder / "checkpoint/chain/0").glob("*.json"))
    return [json.loads(file.read_text().splitlines()[0]) for file in files]


# ---- Kafka: guard, idle, late ----


def iso(seconds):
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(seconds))


def send(rows):
    """(event second, record's second, key), all to partition 0: partition 1 stays empty."""
    producer = Producer({"bootstrap.servers": BOOTSTRAP})
    for event_s, record_s, key in rows:
        value = json.dumps({"at": iso(START_S + event_s), "k": key})
        producer.produce(TOPIC, value=value, partition=0, timestamp=(START_S + record_s) * 1000)
    producer.flush(30)


WINDOWS = """
CREATE TEMPORARY VIEW events AS
SELECT t.* FROM (SELECT from_json(CAST(value AS STRING), 'at TIMESTAMP, k STRING') AS t FROM STREAM topic);
CREATE STREAMING TABLE minutes TBLPROPERTIES ('leat.late' = 'table') AS
SELECT window.start AS s, k, count(*) AS n FROM STREAM events WATERMARK at DELAY OF INTERVAL 1 MINUTE
GROUP BY window(at, '1 minute'), k;
CREATE STREAMING TABLE hours AS
SELECT window.start AS s, count(*) AS n FROM STREAM events WATERMARK at DELAY OF INTERVAL 1 MINUTE
GROUP BY window(at, '1 hour');
"""
SPEC = """
name: event_time
storage: file://{folder}
libraries: [{{glob: {{include: transformations/**}}}}]
configuration:
  source.topic.format: kafka
  source.topic.kafka.bootstrap.servers: {bootstrap}
  source.topic.subscribe: {topic}
  source.topic.startingOffsets: earliest
  leat.checkpoint: {folder}/checkpoint
  leat.tables.path: {folder}/tables
  leat.trigger: once
  spark.sql.session.timeZone: UTC
  spark.sql.sources.default: json
"""


def once(folder, **environment):
    return leat("run", folder, **environment)


def kafka():
    folder = WORK / "windows"
    project("windows", SPEC.format(folder=folder, bootstrap=BOOTSTRAP, topic=TOPIC), WINDOWS)
    tables = folder / "tables"
    topic_create(TOPIC, 2)
    send([(10, 10, "a"), (20, 20, "a"), (5 * HOUR_S, 100, "future"), (HOUR_S + 30, 30, "in time")])
    first = once(folder)
    warned = first.err.count("[FUTURE_EVENT_TIME] event times more than leat.watermark.max_future ahead of their records: 1 row ")
    check("first run", first.problems(0, "docs/semantics.md") + ([] if warned == 1 else [f"warned {warned} times: {first.err}"]))
    quarantine = quarantined(tables)
    check("guard", multiset_problems("reasons", [(r["reason"], r["offset"]) for r in quarantine], [("FUTURE_EVENT_TIME", 2)]))
    words = ["2026-01-01 05:00:00", "2026-01-01 00:01:40", "leat.watermark.max_future"]
    check("guard says both times", [f"{w} is not in {r['detail']}" for r in quarantine for w in words if w not in r["detail"]])
    marks = [group["next_us"] for group in chain_records(folder)[-1]["watermarks"]["groups"]]
    want = (START_S + HOUR_S - 30) * 1_000_000
    check("guard: the refused row moves no watermark", [f"W is {m}, want {want}" for m in marks if m != want])
    got = [(r["s"], r["k"], r["n"]) for r in json_rows(tables / "minutes")]
    check("idle: the window closes", multiset_problems("minutes", got, [("2026-01-01T00:00:00.000Z", "a", 2)]))

    send([(30, 40, "late 1"), (HOUR_S + 31, 41, "a"), (40, 42, "late 2")])
    died = once(folder, LEAT_FAIL="record_put:1:kill")
    check("killed before its record", [] if died.status != 0 else ["it lived"])
    died = once(folder, LEAT_FAIL="after_record:1:kill")
    check("killed after its record", [] if died.status != 0 else ["it lived"])
    check("after the kills", once(folder).problems(0))
    late = json_rows(tables / "minutes_late")
    want = [("LATE", 4, "2026-01-01T00:00:30.000Z", "2026-01-01T00:59:30.000Z"),
            ("LATE", 6, "2026-01-01T00:00:40.000Z", "2026-01-01T00:59:30.000Z")]
    check("late", multiset_problems("late rows", [(r["reason"], r["offset"], r["event_time"], r["watermark"]) for r in late], want))
    check("late rows keep their record", [f"{r}" for r in late if "late" not in r["value"] or r["partition"] != 0])
    totals = ledger_totals(chain_records(folder))
    check("late in the ledger", [f"{t}: {totals[t]['late']} late" for t, n in (("minutes", 2), ("hours", 0)) if totals[t]["late"] != n])
    check("hours still take them", [f"{totals['hours']}"] if totals["hours"]["aggregated"] != 6 else [])
    check("only who asks has a table", [str(tables / "hours_late")] if (tables / "hours_late").exists() else [])


# ---- files: what stands still ----

LOOKUP = """
CREATE STREAMING TABLE named AS
SELECT e.n, d.name, (SELECT count(*) FROM names) AS known FROM STREAM events AS e LEFT JOIN names AS d ON e.k = d.k;
"""
FILES = """
name: still
storage: file://{folder}
libraries: [{{glob: {{include: transformations/**}}}}]
configuration:
  source.events.format: json
  source.events.path: {folder}/events
  source.events.schema: "k STRING, n INT"
  source.names.format: json
  source.names.path: {folder}/names
  source.names.schema: "k STRING, name STRING"
  leat.checkpoint: {folder}/checkpoint
  leat.tables.path: {folder}/tables
  leat.trigger: 100 ms
  spark.sql.sources.default: json
"""


def put(path, rows):
    """As a whole: readers see no half of it."""
    hidden = path.with_name("." + path.name)
    hidden.write_text("".join(json.dumps(row) + "\n" for row in rows))
    hidden.rename(path)


def still():
    folder = WORK / "still"
    project("still", FILES.format(folder=folder), LOOKUP)
    for name in ("events", "names"):
        (folder / name).mkdir()
    rows = lambda: [(r["n"], r.get("name"), r["known"]) for r in json_rows(folder / "tables/named")]
    put(folder / "names/1.json", [{"k": "a", "name": "Ann"}])
    put(folder / "events/1.json", [{"k": "a", "n": 1}, {"k": "b", "n": 2}])
    run = Leat("run", folder)
    problems = until(lambda: len(rows()) == 2, "the first epoch")
    put(folder / "names/2.json", [{"k": "b", "name": "Bob"}, {"k": "b", "name": "Bert"}])
    put(folder / "events/2.json", [{"k": "b", "n": 3}])
    problems += until(lambda: len(rows()) == 4, "the second epoch")
    put(folder / "names/1.json", [{"k": "a", "name": "Anna"}])
    (folder / "names/2.json").unlink()
    put(folder / "events/3.json", [{"k": "a", "n": 4}, {"k": "b", "n": 5}])
    problems += until(lambda: len(rows()) == 6, "the third epoch")
    check("still: stops", run.stop().problems(0))
    want = [(1, "Ann", 1), (2, None, 1), (3, "Bob", 3), (3, "Bert", 3), (4, "Anna", 1), (5, None, 1)]
    check("still: read again when it changes", problems or multiset_problems("named", rows(), want))


kafka()
still()
finish()

"""A backlog is worked off side by side: no partition runs ahead of the others, which would make their rows late.

Three partitions hold two minutes of event time; a window's watermark follows 5 seconds behind. An epoch takes about an eighth of
the backlog: if it took what comes first, its partition would be 15 seconds ahead."""
import json
import os
import subprocess
import time

from trial import BOOTSTRAP, LEAT, WORK, Leat, check, finish

RECORDS, PARTITIONS, EVENT_RATE, EPOCHS = 240_000, 3, 2000, 8
TOPIC = f"catch-up-{os.getpid()}"
SPEC = """name: catch_up
storage: file://{root}/checkpoint
libraries:
  - glob:
      include: transformations/**
configuration:
  source.impressions.format: kafka
  source.impressions.kafka.bootstrap.servers: {bootstrap}
  source.impressions.subscribe: {topic}
  source.impressions.startingOffsets: earliest
  spark.sql.session.timeZone: UTC
  leat.tables.path: {root}/tables
  leat.checkpoint: {root}/checkpoint
"""
SQL = """CREATE TEMPORARY VIEW shown AS
SELECT i.impression_id, try_cast(i.shown_at AS TIMESTAMP) AS shown_at
FROM (SELECT from_json(CAST(value AS STRING), 'impression_id STRING, shown_at STRING') AS i FROM STREAM impressions);

CREATE STREAMING TABLE per_second AS
SELECT window.start AS start, count(*) AS n
FROM STREAM shown WATERMARK shown_at DELAY OF INTERVAL 5 SECONDS
GROUP BY window(shown_at, '1 second');
"""


def project(name):
    root = WORK / name
    (root / "transformations").mkdir(parents=True)
    (root / "spark-pipeline.yml").write_text(SPEC.format(root=root, bootstrap=BOOTSTRAP, topic=TOPIC))
    (root / "transformations/tables.sql").write_text(SQL)
    return root


def epochs_of(leat):
    lines = [json.loads(line) for line in leat.said().splitlines() + leat.out.read_text().splitlines() if line.startswith("{")]
    return [line for line in lines if "epoch" in line and "tables" in line]


def late(epochs):
    return sum(epoch["tables"]["per_second"]["late"] for epoch in epochs)


def worked_off(name, root, *words):
    leat = Leat("run", root, "--set", f"leat.epoch.max_records={RECORDS // EPOCHS}", *words)
    until = time.monotonic() + 30
    while leat.process.poll() is None and time.monotonic() < until:
        if sum(epoch["records"] for epoch in epochs_of(leat)) >= RECORDS:
            leat.process.terminate()
            break
        time.sleep(0.05)
    status = leat.process.wait(20)
    epochs = epochs_of(leat)
    problems = [] if status == 0 else [f"left with {status}: {leat.said()[-600:]}"]
    records = sum(epoch["records"] for epoch in epochs)
    if records != RECORDS:
        problems.append(f"{records} records, want {RECORDS}")
    if len([epoch for epoch in epochs if epoch["records"] > 0]) < EPOCHS - 1:
        problems.append(f"only {len(epochs)} epochs: there was no backlog to divide")
    if late(epochs):
        problems.append(f"{late(epochs)} rows were late")
    check(name, problems)


subprocess.run([LEAT, "produce", "impressions", "--bootstrap", BOOTSTRAP, "--topic", TOPIC, "--count", str(RECORDS), "--partitions",
                str(PARTITIONS), "--seed", "7", "--event-rate", str(EVENT_RATE)], check=True, stderr=subprocess.DEVNULL)
worked_off("once", project("once"), "--once")
worked_off("continuous", project("continuous"), "--set", "leat.trigger=continuous")
worked_off("interval", project("interval"), "--set", "leat.trigger=200 milliseconds")
worked_off("little memory", project("little"), "--once", "--set", "leat.memory=32m")
finish()

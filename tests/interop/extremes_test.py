"""Numbers and times at the edge of their types: a total that leaves BIGINT is NULL, said on stderr, and the same however the
rows are split into epochs; a time that no window can hold goes to _quarantine and moves no watermark."""

import json
import os
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
import oracle
import tables
from trial import BOOTSTRAP, WORK, check, finish, leat, ledger_totals, multiset_problems, project, topic_create, topic_fill

SPEC = """name: extremes
storage: {storage}
libraries: [{{glob: {{include: transformations/**}}}}]
configuration:
  source.input.format: kafka
  source.input.kafka.bootstrap.servers: {bootstrap}
  source.input.subscribe: {topic}
  source.input.startingOffsets: earliest
  spark.sql.session.timeZone: UTC
"""
SQL = """CREATE STREAMING TABLE totals AS
SELECT j.k, window.start AS minute, count(*) AS c, sum(j.n) AS total
FROM (SELECT from_json(CAST(value AS STRING), 'k STRING, at TIMESTAMP, n BIGINT') AS j, j.at AS at FROM STREAM input)
     WATERMARK at DELAY OF INTERVAL 1 MINUTE
GROUP BY j.k, window(at, '1 minute');
"""
BIG = 3 * 10**18
ROWS = [("a", BIG)] * 2 + [("b", 1)] * 3 + [("a", BIG)] * 2 + [("a", -BIG)] + [("c", BIG)] * 4
FAR = "+294247-01-10T04:00:54.775807Z"


def record(key, time, number):
    return None, json.dumps({"k": key, "at": time, "n": number}).encode()


def run(name, topic, *flags):
    place = project(f"{name}-project", SPEC.format(storage=(WORK / name).as_uri(), bootstrap=BOOTSTRAP, topic=topic), SQL)
    return leat("run", place, "--once", *flags)


topic = f"extremes-{os.getpid()}"
topic_create(topic, partitions=1)
topic_fill(topic, [record(k, "2026-01-01T00:00:10Z", n) for k, n in ROWS]
           + [record("x", FAR, 1)]
           + [record("b", "2026-01-01T00:00:20Z", 1)]
           + [record("z", "2026-01-01T01:00:00Z", 1)])
for name, flags in (("one-epoch", ()), ("epochs-of-2", ("--set", "leat.epoch.max_records=2")),
                    ("one-worker", ("--set", "leat.threads=1", "--set", "leat.epoch.max_records=5"))):
    done = run(name, topic, *flags)
    check(f"{name}: goes on and says so", done.problems(0, "ARITHMETIC_OVERFLOW"))
    rows = tables.Arrow(WORK / name / "tables").rows("totals", ["k", "c", "total"])
    check(name, multiset_problems("totals", rows, [("a", 5, BIG * 3), ("b", 4, 4), ("c", 4, None)]))
    gold = ledger_totals(oracle.chain(WORK / name / "checkpoint"))["totals"]
    check(f"{name}: ledger", [] if (gold["in"], gold["aggregated"], gold["late"], gold["quarantined"]) ==
          (len(ROWS) + 3, len(ROWS) + 2, 0, 1) else [str(dict(gold))])
check("on_error fail stops", run("fail", topic, "--set", "leat.on_error=fail", "--set", "leat.epoch.max_records=2").problems(3))
finish()

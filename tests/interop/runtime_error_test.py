"""Expressions that fail on some rows, ANSI mode on: these rows land in _quarantine with reason, place in the
SQL, coordinates and bytes; the others go on; the ledger closes. leat.on_error=fail stops with 3."""

import os
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
import oracle
import tables
from trial import (
    BOOTSTRAP,
    WORK,
    check,
    finish,
    leat,
    ledger_totals,
    multiset_problems,
    project,
    topic_create,
    topic_fill,
)

TOPIC = f"runtime-error-{os.getpid()}"
SPEC = f"""name: errors
storage: {WORK.as_uri()}/unused
libraries: [{{glob: {{include: transformations/**}}}}]
configuration:
  source.input.format: kafka
  source.input.kafka.bootstrap.servers: {BOOTSTRAP}
  source.input.subscribe: {TOPIC}
  source.input.startingOffsets: earliest
  leat.tables.path: "${{env:TABLES}}"
  leat.checkpoint: "${{env:CHECKPOINT}}"
"""
SQL = """CREATE TEMPORARY VIEW texts AS
SELECT CAST(value AS STRING) AS t, timestamp, offset FROM STREAM input;

CREATE STREAMING TABLE whole AS SELECT * FROM STREAM texts;

CREATE STREAMING TABLE numbers AS
SELECT offset, CAST(t AS INT) AS n, 100 / CAST(t AS INT) AS share FROM STREAM texts;

CREATE STREAMING TABLE guarded AS
SELECT offset, CASE WHEN t IN ('0', 'x', '') THEN -1 ELSE CAST(t AS BIGINT) END AS n FROM STREAM texts;

CREATE STREAMING TABLE positive AS
SELECT offset FROM STREAM texts WHERE CAST(t AS BIGINT) > 0;

CREATE STREAMING TABLE sums AS
SELECT window.start AS day, sum(CAST(t AS BIGINT)) AS total
FROM STREAM texts WATERMARK timestamp DELAY OF INTERVAL 1 DAY
GROUP BY window(timestamp, '1 day');

CREATE STREAMING TABLE payloads AS
SELECT offset, j.a FROM (SELECT offset, from_json(CAST(CAST(t AS BIGINT) AS STRING), 'a INT') AS j FROM STREAM texts);
"""
VALUES = [b"1", b"x", b"0", b"", None, b"99999999999", b" 7 ", b"caf\xe9", b"-4", b"2147483648", b"1e3", b"x"]
NUMBERS = [(0, 1), (4, None), (6, 7), (8, -4)]  # share: 100 / n
NO_INT, NO_BIGINT, ZERO = {1, 3, 5, 7, 9, 10, 11}, {1, 3, 7, 10, 11}, {2}
PLACES = {"numbers": "a.sql:7:", "guarded": "a.sql:10:", "positive": "a.sql:13:", "sums": "a.sql:16:",
          "payloads": "a.sql:21:"}


def run(name, *flags):
    folder = WORK / name
    done = leat("run", PROJECT, "--once", *flags, TABLES=folder / "tables", CHECKPOINT=folder / "checkpoint")
    return folder, done


def quarantine_problems(lines):
    """One line per failed row and table."""
    problems = []
    for table, conditions in (
        ("numbers", {"CAST_INVALID_INPUT": NO_INT, "DIVIDE_BY_ZERO": ZERO}),
        ("guarded", {"CAST_INVALID_INPUT": {7, 10}}),
        ("positive", {"CAST_INVALID_INPUT": NO_BIGINT}),
        ("sums", {"CAST_INVALID_INPUT": NO_BIGINT}),
        ("payloads", {"CAST_INVALID_INPUT": NO_BIGINT}),
    ):
        got = [(line["reason"], line["offset"]) for line in lines if PLACES[table] in line["at"]]
        problems += multiset_problems(
            table, got, [(reason, offset) for reason, offsets in conditions.items() for offset in offsets]
        )
    for line in lines:
        value = VALUES[line["offset"]]
        record = {"source": "input", "topic": TOPIC, "partition": 0, "key": b"key", "value": value, "key_bytes": 3,
                  "value_bytes": len(value), "field": "value", "attempts": 1, "row": None}
        problems += [f"{name}: {line[name]}, want {want}" for name, want in record.items() if line[name] != want]
        problems += [f"{name} is missing: {line}" for name in ("detail", "timestamp", "node", "rejected_at") if not line[name]]
        tables_lost = [table for table, place in PLACES.items() if place in line["at"]]
        problems += [f"tables: {line['tables']}, want {tables_lost}"] if line["tables"] != tables_lost else []
    return problems


def ledger_problems(folder):
    totals = ledger_totals(oracle.chain(folder / "checkpoint"))
    problems = []
    for table, failed in (("whole", 0), ("numbers", 8), ("guarded", 2), ("positive", 5), ("sums", 5), ("payloads", 5)):
        ledger = totals[table]
        out = ledger["aggregated"] if table == "sums" else ledger["out"]
        if (
            ledger["quarantined"] != failed
            or ledger["in"] != len(VALUES)
            or ledger["in"] != out + ledger["filtered"] + failed
        ):
            problems.append(f"{table}: {dict(ledger)}")
    return problems


def numbers(folder):
    return tables.Arrow(folder / "tables").rows("numbers", ["offset", "n", "share"])


topic_create(TOPIC, partitions=1)
topic_fill(TOPIC, [(b"key", value) for value in VALUES])
PROJECT = project("project", SPEC, SQL)

folder, done = run("quarantine")
check("the flow goes on", done.problems(0))
check(
    "rows that are right",
    multiset_problems("numbers", numbers(folder), [(at, n, n and 100 / n) for at, n in NUMBERS]),
)
arrow = tables.Arrow(folder / "tables")
check(
    "what another table does",
    multiset_problems("whole", arrow.rows("whole", ["offset"]), [(i,) for i in range(len(VALUES))]),
)
check(
    "a branch that is not taken does not fail",
    multiset_problems(
        "guarded",
        arrow.rows("guarded", ["offset", "n"]),
        [
            (0, 1),
            (1, -1),
            (2, -1),
            (3, -1),
            (4, None),
            (5, 99999999999),
            (6, 7),
            (8, -4),
            (9, 2147483648),
            (11, -1),
        ],
    ),
)
check(
    "in WHERE",
    multiset_problems("positive", arrow.rows("positive", ["offset"]), [(i,) for i in (0, 5, 6, 9)]),
)
check("_quarantine", quarantine_problems(tables.quarantined(folder / "tables")))
check("ledger", ledger_problems(folder))

folder, done = run("fail", "--set", "leat.on_error=fail")
check(
    "leat.on_error=fail",
    done.problems(3, "[CAST_INVALID_INPUT]", f"topic {TOPIC} partition 0 offset", "a.sql:", "leat.on_error"),
)
check("leat.on_error=fail: nothing is committed", [f"{path}" for path in folder.rglob("part-*")])

done = leat("check", PROJECT, "--set", "spark.sql.ansi.enabled=false")
check(
    "ANSI mode cannot be switched off",
    done.problems(2, "spark.sql.ansi.enabled", "ANSI mode only", "try_cast"),
)
# ---- files: each kind of stage names the line, the field and the place in the SQL ----

FILES = """name: files
storage: {folder}/data
libraries: [{{glob: {{include: transformations/**}}}}]
configuration:
  source.orders.format: json
  source.orders.path: {folder}/in
  source.orders.schema: "id INT, price STRING, items ARRAY<STRING>, at TIMESTAMP"
  leat.trigger: once
  leat.on_error: fail
"""
GOOD = '{"id":1,"price":"1","items":["1"],"at":"2026-01-01T00:00:00Z"}'
BAD = '{"id":2,"price":"x","items":["2","q"],"at":"2026-01-01T00:00:00Z"}'
DELAYED = "SELECT * FROM STREAM orders WATERMARK at DELAY OF INTERVAL 1 DAY"
STAGES = {
    "projection": ("SELECT CAST(price AS INT) AS n FROM STREAM orders", "field price"),
    "filter": ("SELECT id FROM STREAM orders WHERE CAST(price AS INT) > 0", "field price"),
    "exploded": ("SELECT CAST(i AS INT) AS n FROM (SELECT explode(items) AS i FROM STREAM orders)", "field items[1]"),
    "generator": ("SELECT explode(sequence(1, CAST(price AS INT))) AS n FROM STREAM orders", "field price"),
    "aggregate": (
        "SELECT window.start, sum(CAST(price AS INT)) AS n FROM STREAM orders WATERMARK at DELAY OF INTERVAL 1 DAY "
        "GROUP BY window(at, '1 day')",
        "field price",
    ),
    "join": (
        f"SELECT l.id FROM ({DELAYED}) l JOIN ({DELAYED}) r ON l.at = r.at AND CAST(l.price AS INT) = CAST(r.price AS INT)",
        "field price",
    ),
    "lookup": ("SELECT id FROM STREAM orders JOIN (SELECT 1 AS n) k ON CAST(price AS INT) = k.n", "field price"),
}
for stage, (query, field) in STAGES.items():
    folder = WORK / f"files-{stage}"
    project(folder.name, FILES.format(folder=folder.as_uri()), f"CREATE STREAMING TABLE t AS\n{query};")
    (folder / "in").mkdir()
    (folder / "in/a.json").write_text(f"{GOOD}\n{BAD}\n")
    where = f"in/a.json the line at byte {len(GOOD) + 1}"
    check(f"files: {stage}", leat("run", folder).problems(3, "[CAST_INVALID_INPUT]", where, field, "a.sql:2:", "leat.on_error"))

finish()

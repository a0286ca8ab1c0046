"""10 % poison of 15 kinds: the pipeline does not stop, every ledger closes, each bad record is in quarantine once, whole, with
its reason, its field and the tables that lost it; and each comes back once when it is repaired.

    RECORDS=1000000 makes the run of the issue; the default keeps the suite short.
"""

import json
import os
import sys
from collections import Counter
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
import oracle
import tables
from trial import BOOTSTRAP, WORK, check, finish, leat, leat_ok, ledger_totals, multiset_problems, project, topic_create, topic_fill

RECORDS = int(os.environ.get("RECORDS", "100000"))
HUGE = 5_000_000
KEPT = 1 << 20  # leat.quarantine.max_value
TOPIC = f"poison-{os.getpid()}"
SPEC = f"""name: poison
storage: {WORK.as_uri()}
libraries: [{{glob: {{include: transformations/**}}}}]
configuration:
  source.input.format: kafka
  source.input.kafka.bootstrap.servers: {BOOTSTRAP}
  source.input.subscribe: {TOPIC}
  source.input.startingOffsets: earliest
  source.input.maxOffsetsPerTrigger: {RECORDS // 5}
  leat.trigger: once
  spark.sql.session.timeZone: UTC
"""
SQL = """CREATE TEMPORARY VIEW parsed AS
SELECT partition, offset, from_json(CAST(value AS STRING),
  'id BIGINT, n INT, day STRING, rate STRING, items ARRAY<INT>, at TIMESTAMP, text STRING', map('mode', 'FAILFAST')) AS t
FROM STREAM input;

CREATE TEMPORARY VIEW strict AS
SELECT partition, offset, CASE WHEN t.id IS NULL THEN raise_error('no id') ELSE t.id END AS id, 100 / t.n AS share,
  CAST(t.day AS DATE) AS day, CAST(t.rate AS DECIMAL(8, 3)) AS rate, t.items[1] AS second, t.at AS at, t.text AS text
FROM STREAM parsed;

CREATE STREAMING TABLE good AS SELECT id, partition, offset, share, day, rate, second FROM STREAM strict;

CREATE STREAMING TABLE gold TBLPROPERTIES ('leat.quarantine' = 'gold_quarantine') AS
SELECT window.start AS start, count(*) AS n FROM STREAM strict WATERMARK at DELAY OF INTERVAL 1 DAY GROUP BY window(at, '1 minute');
"""
TIME = "2026-01-01T00:00:30Z"


def fine(i, **changes):
    row = {"id": i, "n": 4, "day": "2026-01-01", "rate": "1.5", "items": [1, 2], "at": TIME, "text": "caf\u00e9"}
    return json.dumps({**row, **changes}, ensure_ascii=False).encode()


def raw(i, old, new):
    return fine(i).replace(old, new)


MALFORMED, CAST = "MALFORMED_RECORD_IN_PARSING", "CAST_INVALID_INPUT"
BOTH = ["good", "gold"]
KINDS = {  # name: (value of record i, reason, field, tables that lose it)
    "truncated": (lambda i: fine(i)[:-20], MALFORMED, "at", BOTH),
    "not JSON": (lambda i: b"hello %d" % i, MALFORMED, None, BOTH),
    "wrong type": (lambda i: fine(i, n={"a": 1}), MALFORMED, "n", BOTH),
    "overflow": (lambda i: fine(i, n=99999999999), MALFORMED, "n", BOTH),
    "bad date": (lambda i: fine(i, day="2026-13-45"), CAST, "day", BOTH),
    "bad UTF-8": (lambda i: raw(i, b"2026-01-01\"", b"2026-\xff\"") + b"\xc3\x28", CAST, "day", BOTH),
    "tombstone": (lambda i: None, "USER_RAISED_EXCEPTION", None, BOTH),
    "empty": (lambda i: b"", "USER_RAISED_EXCEPTION", None, BOTH),
    "deep": (lambda i: raw(i, b'"caf\xc3\xa9"', b"[" * 2000 + b"]" * 2000), MALFORMED, "text" + "[0]" * 31 + "..", BOTH),
    "twice": (lambda i: raw(i, b'"n": 4', b'"n": 4, "n": "x"'), MALFORMED, "n", BOTH),
    "1/0": (lambda i: fine(i, n=0), "DIVIDE_BY_ZERO", "n", BOTH),
    "bad cast": (lambda i: fine(i, rate="1,5"), CAST, "rate", BOTH),
    "too precise": (lambda i: fine(i, rate="123456789"), "NUMERIC_VALUE_OUT_OF_RANGE", "rate", BOTH),
    "array index": (lambda i: fine(i, items=[1]), "INVALID_ARRAY_INDEX", "items", BOTH),
    "future": (lambda i: fine(i, at="2099-01-01T00:00:00Z"), "FUTURE_EVENT_TIME", "at", ["gold"]),
}
NAMES = list(KINDS)
kind_of = {}  # by key


def records():
    """Every tenth is bad, the kinds in turns; ten are huge."""
    for i in range(RECORDS):
        key = b"%d" % i
        if i % 10 != 7:
            yield key, fine(i)
        elif i < 1000 and i % 100 == 7:
            kind_of[key] = "huge"
            yield key, fine(i, day="x", text="y" * HUGE)
        else:
            kind_of[key] = NAMES[i // 10 % len(NAMES)]
            yield key, KINDS[kind_of[key]][0](i)


def expected(key):
    kind = kind_of[key]
    return (CAST, "day", BOTH) if kind == "huge" else KINDS[kind][1:]


topic_create(TOPIC, partitions=4, max_message_bytes=HUGE + 10000)
sent = {}
for at, value in topic_fill(TOPIC, list(records()), HUGE + 10000).items():
    sent[at] = value
folder = project("project", SPEC, SQL)
done = leat("run", folder)
check("it does not stop", done.problems(0))
chain = oracle.chain(WORK / "checkpoint")
totals = ledger_totals(chain)
future = sum(kind == "future" for kind in kind_of.values())
for table, lost in (("good", len(kind_of) - future), ("gold", len(kind_of))):
    l = totals[table]
    kept = l["out"] if table == "good" else l["aggregated"]
    check(f"ledger of {table}", [] if (l["in"], l["quarantined"], kept) == (RECORDS, lost, RECORDS - lost)
          and l["in"] == kept + l["filtered"] + l["late"] + l["quarantined"] else [f"{dict(l)}, want {lost} quarantined"])

# ---- each bad record once, whole, with its reason ----

quarantine = {name: tables.quarantined(WORK / "tables", name) for name in ("_quarantine", "gold_quarantine")}
for name, table in (("_quarantine", "good"), ("gold_quarantine", "gold")):
    want = [(key, *expected(key)[:2], tuple(expected(key)[2])) for key in kind_of if table in expected(key)[2]]
    got = [(r["key"], r["reason"], r["field"], tuple(r["tables"])) for r in quarantine[name]]
    check(f"{name}: reasons", multiset_problems("rows", got, want))
problems = []
for row in quarantine["gold_quarantine"]:
    value = sent[row["partition"], row["offset"]]
    kept = value if value is None or len(value) <= KEPT else value[:KEPT]
    record = (row["topic"], row["source"], row["attempts"], row["value_bytes"], row["row"])
    if row["value"] != kept or record != (TOPIC, "input", 1, None if value is None else len(value), None):
        problems.append(f"{record} {str(row['value'])[:80]}")
    if row["byte"] is not None and value is not None and row["field"] and kind_of[row["key"]] not in ("truncated", "deep", "huge"):
        at = value[row["byte"]:row["byte"] + 40]
        if not at.startswith((b'"', b"{", b"[")) and not at[:1].isdigit():
            problems.append(f"byte {row['byte']} of {value[:200]} is {at}")
    if "schema_version" in row and len(row["schema_version"] or "") != 16:
        problems.append(f"schema_version {row['schema_version']}")
check("records", problems[:3])
check("memory", [f"{chain[-1]}"] if not chain else [])

# ---- the tool says the same, and brings them back ----

listed = [json.loads(line) for line in leat_ok("quarantine", folder, "list", "--format", "json").out.splitlines()]
want = Counter()
for key in kind_of:
    reason, _, lost = expected(key)
    want["gold_quarantine", reason, ", ".join(lost)] += 1
    if "good" in lost:
        want["_quarantine", reason, ", ".join(lost)] += 1
got = Counter()
for row in listed:
    got[row["quarantine"], row["reason"], row["tables"]] += row["rows"]
check("list", [] if got == want else [f"{got}, want {want}"])

REPAIR = WORK / "repair.sql"
REPAIR.write_text(f"""-- a record that is right again, whatever was wrong
SELECT id, '{fine(0).decode().replace('"id": 0', '"id": KEY')}' AS template,
  replace('{fine(0).decode().replace('"id": 0', '"id": KEY')}', 'KEY', CAST(key AS STRING)) AS value FROM quarantine""")
leat_ok("quarantine", folder, "replay", "--with", REPAIR)
done = leat("run", folder, LEAT_FAIL="record_put:1:kill")
check("killed in the replay", [] if done.status != 0 else ["it lived"])
done = leat("run", folder, LEAT_FAIL="publish_one:1:kill")
check("killed after the replay's record", [] if done.status != 0 else ["it lived"])
check("replay", leat("run", folder).problems(0))
again = leat_ok("quarantine", folder, "replay", "--with", REPAIR)
check("asked twice", [] if "nothing to replay" in again.out else [again.out])
check("nothing comes twice", leat("run", folder).problems(0))
rows = tables.Arrow(WORK / "tables").rows("good", ["id", "partition", "offset", "share"])
places = {at for at in sent}
check("every record is in good, once", multiset_problems("good", [(p, o) for _, p, o, _ in rows], places))
check("every id is in good, once", multiset_problems("ids", [i for i, *_ in rows], range(RECORDS)))
totals = ledger_totals(oracle.chain(WORK / "checkpoint"))
for table, lost in (("good", len(kind_of) - future), ("gold", len(kind_of))):
    l = totals[table]
    kept = l["out"] if table == "good" else l["aggregated"] + l["late"]
    check(f"ledger of {table} after the replay", [] if (l["replayed"], kept) == (lost, RECORDS) else [f"{dict(l)}"])
check("the quarantine has grown by nothing", [] if len(tables.quarantined(WORK / "tables")) == len(quarantine["_quarantine"])
      else ["it has"])
finish()

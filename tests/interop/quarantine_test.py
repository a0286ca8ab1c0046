"""Quarantines of tables, dead letters in Kafka, and the way back: each row goes once where it was lost, and nowhere else.

ways     shared views, siblings of an exploded row, two branches of one source, what removes duplicates, windows: while the
         process is killed at every fail point
mended   the SQL was changed: rows go back by the tables that lost them, or it is said why they cannot
live     a running pipeline takes a replay up
lines    a quarantine as lines of JSON; what is cut, what is no UTF-8
topics   dead letters: at least once, and inside the Kafka sink's transaction
fails    a quarantine that cannot be written stops the pipeline; nothing is dropped
"""

import json
import os
import shutil
import sys
from collections import Counter
from pathlib import Path

from confluent_kafka import Consumer, TopicPartition

sys.path.insert(0, str(Path(__file__).parent))
import oracle
import tables
from trial import BOOTSTRAP, WORK, Leat, check, finish, leat, leat_ok, ledger_totals, multiset_problems, project, topic_create, topic_fill, until

SCHEMA = "id INT, price STRING, at TIMESTAMP, items ARRAY<STRUCT<sku: STRING, price: STRING>>"


def files_project(name, sql, schema=SCHEMA, **settings):
    """A project over files of JSON lines in WORK/name/in."""
    folder = WORK / name
    lines = [f"name: {name}", f"storage: file://{folder}/data", "libraries: [{glob: {include: transformations/**}}]", "configuration:",
             "  source.orders.format: json", f"  source.orders.path: {folder}/in", f"  source.orders.schema: \"{schema}\"",
             "  spark.sql.session.timeZone: UTC", "  spark.sql.sources.default: json"]
    settings = {"leat__trigger": "once", **settings}
    lines += [f"  {key.replace('__', '.')}: \"{value}\"" for key, value in settings.items()]
    project(name, "\n".join(lines) + "\n", sql)
    (folder / "in").mkdir()
    return folder


def feed(folder, name, rows):
    temporary = folder / f".{name}"
    temporary.write_text("".join(row if isinstance(row, str) else json.dumps(row) + "\n" for row in rows))
    temporary.rename(folder / "in" / f"{name}.json")


def rows_of(folder, table, *columns):
    return [tuple(json.loads(line).get(c) for c in columns) for file in sorted((folder / "data/tables" / table).rglob("*.json"))
            for line in file.read_text().splitlines()]


def holds(what, folder, table, want, *columns):
    check(what, multiset_problems(table, rows_of(folder, table, *columns), want))


def replay(folder, *words, say="will be replayed"):
    done = leat("quarantine", folder, "replay", *words)
    check(f"{folder.name}: replay {' '.join(map(str, words))[-60:]}", [] if say in done.out + done.err else [done.out, done.err])
    return done


def repair(folder, name, sql):
    (folder / name).write_text(sql)
    return folder / name


def ledger_problems(folder):
    found = []
    for table, l in ledger_totals(oracle.chain(folder / "data/checkpoint")).items():
        kept = l["aggregated"] if l["aggregated"] else l["out"]
        if l["in"] + l["replayed"] + l["exploded"] != kept + l["filtered"] + l["late"] + l["null_time"] + l["quarantined"] + l["duplicates"]:
            found.append(f"{table}: {dict(l)}")
    return found


# ---- ways ----

WAYS = """CREATE TEMPORARY VIEW priced AS SELECT id, CAST(price AS DECIMAL(10, 2)) AS price, at, items FROM STREAM orders;
CREATE STREAMING TABLE plain AS SELECT id, price FROM STREAM priced;
CREATE STREAMING TABLE share TBLPROPERTIES ('leat.quarantine' = 'share_bad') AS SELECT id, 10 / price AS share FROM STREAM priced;
CREATE STREAMING TABLE lines AS
SELECT id, i.sku, CAST(i.price AS INT) AS price FROM (SELECT id, explode(items) AS i FROM STREAM orders);
CREATE STREAMING TABLE everything AS SELECT id FROM STREAM orders;
CREATE STREAMING TABLE branches AS SELECT id, branch, 100 / (n - branch) AS rest FROM (
  SELECT id, 1 AS branch, size(items) AS n FROM STREAM orders UNION ALL SELECT id, 2 AS branch, size(items) AS n FROM STREAM orders);
CREATE STREAMING TABLE singles TBLPROPERTIES ('leat.dedup' = 'id') AS SELECT id, price FROM STREAM orders;
CREATE STREAMING TABLE once AS SELECT id, CAST(price AS DOUBLE) AS price FROM STREAM singles;
CREATE STREAMING TABLE minutes AS SELECT window.start AS start, count(*) AS n, sum(price) AS total
FROM STREAM priced WATERMARK at DELAY OF INTERVAL 1 DAY GROUP BY window(at, '1 minute');
"""


def order(id, price, *prices, minute=0):
    return {"id": id, "price": price, "at": f"2026-01-01T00:{minute:02}:00Z",
            "items": [{"sku": f"s{i}", "price": p} for i, p in enumerate(prices)]}


FIX = """SELECT id, replace(replace(replace(CAST(value AS STRING), '"x"', '"70"'), '"oops"', '"2.50"'), '"0.00"', '"4.00"') AS value
FROM quarantine"""


def ways():
    folder = files_project("ways", WAYS)
    feed(folder, "1", [order(1, "1.00", "1", "x", "y"), order(2, "oops", "5", "6", "7"), order(3, "0.00", "8", "9", "10"), order(4, "5.00", "1"),
                       order(4, "5.00", "1"), order(5, "5.00", "1", "1")])
    check("ways: run", leat("run", folder).problems(0))
    lost = {"_quarantine": [("CAST_INVALID_INPUT", ("plain", "share", "minutes"), None), ("CAST_INVALID_INPUT", ("once",), None),
                            ("CAST_INVALID_INPUT", ("lines",), "1"), ("CAST_INVALID_INPUT", ("lines",), "2"),
                            ("DIVIDE_BY_ZERO", ("branches",), "u0"), ("DIVIDE_BY_ZERO", ("branches",), "u0"),
                            ("DIVIDE_BY_ZERO", ("branches",), "u1")],
            "share_bad": [("CAST_INVALID_INPUT", ("plain", "share", "minutes"), None), ("DIVIDE_BY_ZERO", ("share",), None)]}
    for name, want in lost.items():
        got = [(r["reason"], tuple(r["tables"]), r["row"]) for r in tables.quarantined(folder / "data/tables", name)]
        check(f"ways: {name}", multiset_problems("rows", got, want))

    done = replay(folder, "--with", repair(folder, "fix.sql", FIX))
    points = ["stage_open:1", "stage_write:1", "stage_done:1", "record_temp:1", "record_put:1", "after_record:1", "publish_one:2"]
    for point in points:  # the last two die with the record in: what is replayed then is in
        died = leat("run", folder, LEAT_FAIL=f"{point}:kill")
        if died.status == 0 and point not in ("publish_one:2",):
            check(f"ways: killed at {point}", [f"it lived: {died.err[-300:]}"])
    check("ways: after the kills", leat("run", folder).problems(0))
    holds("ways: plain", folder, "plain", [(1, 1.0), (2, 2.5), (3, 0.0), (4, 5.0), (4, 5.0), (5, 5.0)], "id", "price")
    holds("ways: share", folder, "share", [(1, 10.0), (2, 4.0), (3, 2.5), (4, 2.0), (4, 2.0), (5, 2.0)], "id", "share")
    holds("ways: lines", folder, "lines", [(1, 1), (1, 70), (2, 5), (2, 6), (2, 7), (3, 8), (3, 9), (3, 10), (4, 1), (4, 1), (5, 1), (5, 1)], "id", "price")
    holds("ways: everything", folder, "everything", [(1,), (2,), (3,), (4,), (4,), (5,)], "id")
    holds("ways: once", folder, "once", [(1, 1.0), (2, 2.5), (3, 0.0), (4, 5.0), (5, 5.0)], "id", "price")
    fours = [(4, 2, -100.0), (4, 2, -100.0), (5, 1, 100.0)]
    holds("ways: branches", folder, "branches", [(i, b, 100 / (3 - b)) for i in (1, 2, 3) for b in (1, 2)] + fours, "id", "branch", "rest")
    check("ways: ledgers", ledger_problems(folder))
    again = [(r["row"], r["attempts"]) for r in tables.quarantined(folder / "data/tables") if r["attempts"] > 1]
    check("ways: what fails again is there again", multiset_problems("rows", again, [("2", 2), ("u0", 2), ("u0", 2), ("u1", 2)]))

    fixed = repair(folder, "more.sql", """SELECT id, replace(CAST(value AS STRING), '"y"', '"80"') AS value FROM quarantine WHERE field = 'items[2].price'""")
    replay(folder, "--with", fixed)
    feed(folder, "2", [order(9, "1.00", "2", "2", "2", minute=59), order(9, "1.00", "2", "2", "2", minute=59) | {"at": "2026-01-09T00:00:00Z"}])
    check("ways: again", leat("run", folder).problems(0))
    got = [row for row in rows_of(folder, "lines", "id", "price") if row[0] == 1]
    check("ways: the second attempt", multiset_problems("lines", got, [(1, 1), (1, 70), (1, 80)]))
    holds("ways: windows", folder, "minutes", [("2026-01-01T00:00:00.000Z", 6, 18.5), ("2026-01-01T00:59:00.000Z", 1, 1.0)], "start", "n", "total")
    check("ways: ledgers after it", ledger_problems(folder))
    check("ways: audit", leat("audit", folder).problems(0))


# ---- mended ----

BEFORE = """CREATE STREAMING TABLE numbers AS SELECT id, CAST(price AS INT) AS n FROM STREAM orders;
CREATE STREAMING TABLE doubled AS SELECT id, 2 * CAST(price AS INT) AS n FROM STREAM orders;
CREATE STREAMING TABLE ids AS SELECT id FROM STREAM orders;
"""


def mended():
    folder = files_project("mended", BEFORE)
    sql = folder / "transformations/a.sql"
    feed(folder, "1", [order(1, "1"), order(2, "1.5"), order(3, "x")])
    check("mended: run", leat("run", folder).problems(0))
    sql.write_text(BEFORE.replace("CAST(price AS INT) AS n FROM", "CAST(try_cast(price AS DOUBLE) AS INT) AS n FROM", 1))
    replay(folder, "--table", "numbers")
    check("mended: again", leat("run", folder).problems(0))
    holds("mended: only the table that lost them", folder, "numbers", [(1, 1), (2, 1), (3, None)], "id", "n")
    holds("mended: not the other one", folder, "doubled", [(1, 2)], "id", "n")
    holds("mended: nor who lost nothing", folder, "ids", [(1,), (2,), (3,)], "id")
    check("mended: ledgers", ledger_problems(folder))
    sql.write_text("CREATE STREAMING TABLE numbers AS SELECT id FROM STREAM orders;\n")
    replay(folder, "--table", "doubled", say="is part of the project any more")
    # a request that stands already, and then its target goes
    sql.write_text(BEFORE)
    replay(folder, "--table", "doubled", "--where", "offset > 100")
    sql.write_text("CREATE STREAMING TABLE ids AS SELECT id FROM STREAM orders;\n")
    check("mended: the target is gone", leat("run", folder, "--accept").problems(0))
    gone = [(r["reason"], r["tables"], r["attempts"]) for r in tables.quarantined(folder / "data/tables") if r["attempts"] > 1]
    check("mended: it is in quarantine again", [] if gone == [("REPLAY_TARGET_GONE", ["doubled"], 2)] else [f"{gone}"])


CHAINED = """CREATE STREAMING TABLE numbers AS SELECT id, CAST(price AS INT) AS n FROM STREAM orders;
CREATE STREAMING TABLE large AS SELECT id, n FROM STREAM numbers WHERE n > 1;
CREATE STREAMING TABLE small AS SELECT id, n FROM STREAM numbers WHERE n <= 1;
"""


def chained():
    """The mended table is read by others: a row comes to them through it, once."""
    folder = files_project("chained", CHAINED)
    feed(folder, "1", [order(1, "1"), order(2, "2.5"), order(3, "x"), order(4, "0.5")])
    check("chained: run", leat("run", folder).problems(0))
    mended_sql = CHAINED.replace("CAST(price AS INT)", "CAST(try_cast(price AS DOUBLE) AS INT)")
    (folder / "transformations/a.sql").write_text(mended_sql)
    replay(folder)
    check("chained: again", leat("run", folder).problems(0))
    holds("chained: the table", folder, "numbers", [(1, 1), (2, 2), (3, None), (4, 0)], "id", "n")
    holds("chained: who reads it", folder, "large", [(2, 2)], "id", "n")
    holds("chained: who reads it, too", folder, "small", [(1, 1), (4, 0)], "id", "n")
    check("chained: ledgers", ledger_problems(folder))
    check("chained: audit", leat("audit", folder).problems(0))


# ---- live ----


def live():
    folder = files_project("live", BEFORE, leat__trigger="continuous", leat__files__max_staleness="200 ms")
    feed(folder, "1", [order(1, "1"), order(2, "oops")])
    running = Leat("run", folder)
    check("live: first rows", until(lambda: len(rows_of(folder, "ids", "id")) == 2, "both ids"))
    check("live: in quarantine", until(lambda: len(tables.quarantined(folder / "data/tables")) == 2, "two rows"))
    listed = leat_ok("quarantine", folder, "--format", "json").out
    check("live: list", [] if sum(json.loads(line)["rows"] for line in listed.splitlines()) == 2 else [listed])
    replay(folder, "--with", repair(folder, "fix.sql", "SELECT id, replace(CAST(value AS STRING), 'oops', '7') AS value FROM quarantine"))
    check("live: taken up", until(lambda: rows_of(folder, "numbers", "id", "n").count((2, 7)) == 1, "the repaired row"))
    check("live: stop", running.stop().problems(0))
    holds("live: once", folder, "doubled", [(1, 2), (2, 14)], "id", "n")
    holds("live: not the others", folder, "ids", [(1,), (2,)], "id")


# ---- lines ----


def lines():
    topic = f"quarantine-lines-{os.getpid()}"
    topic_create(topic, 1)
    folder = WORK / "lines"
    spec = f"""name: lines
storage: file://{folder}/data
libraries: [{{glob: {{include: transformations/**}}}}]
configuration:
  source.input.format: kafka
  source.input.kafka.bootstrap.servers: {BOOTSTRAP}
  source.input.subscribe: {topic}
  source.input.startingOffsets: earliest
  leat.trigger: once
  leat.quarantine.format: json
  leat.quarantine.max_value: 64
  spark.sql.sources.default: json
"""
    project("lines", spec, "CREATE STREAMING TABLE numbers AS SELECT offset, CAST(CAST(value AS STRING) AS INT) AS n FROM STREAM input;\n")
    values = [b"1", b"text", b"caf\xe9\x00\n", None, b"z" * 1000]
    topic_fill(topic, [(b"k%d" % i, value) for i, value in enumerate(values)])
    check("lines: run", leat("run", folder).problems(0))
    got = {row["offset"]: row for file in (folder / "data/tables/_quarantine").glob("*.json") for row in map(json.loads, file.open())}
    want = {1: ("text", None, 4), 2: (None, "Y2Fm6QAK", 6), 4: ("z" * 64, None, 1000)}
    check("lines: whole", multiset_problems("rows", [(at, r.get("value"), r.get("value_base64"), r["value_bytes"]) for at, r in got.items()],
                                            [(at, *w) for at, w in want.items()]))
    shown = leat_ok("quarantine", folder, "show").out
    check("lines: shown", [f"{word} is not in {shown}" for word in ("caf\\xe9\\x00\\n", "64 B of 1.0 KB kept", "key k1") if word not in shown])
    replay(folder, say="are not whole")
    check("lines: cut rows stay", leat("run", folder).problems(0))
    again = [r["offset"] for file in (folder / "data/tables/_quarantine").glob("*.json") for r in map(json.loads, file.open()) if r["attempts"] == 2]
    check("lines: the others failed again, byte by byte", multiset_problems("rows", again, [1, 2]))
    replay(folder, "--where", "value_bytes > 64", "--with", repair(folder, "fix.sql", "SELECT id, '5' AS value FROM quarantine"))
    check("lines: repaired", leat("run", folder).problems(0))
    holds("lines: all that can be", folder, "numbers", [(0, 1), (3, None), (4, 5)], "offset", "n")
    replay(folder, "--with", repair(folder, "bad.sql", "SELECT value FROM quarantine"), say="must give the column id")
    replay(folder, "--with", repair(folder, "bad2.sql", "SELECT id, nosuch AS value FROM quarantine"), say="nosuch")
    replay(folder, "--where", "nosuch = 1", say="nosuch")


# ---- topics ----


def read(topic, committed=True):
    consumer = Consumer({"bootstrap.servers": BOOTSTRAP, "group.id": "reader", "enable.partition.eof": True, "enable.auto.commit": False,
                         "isolation.level": "read_committed" if committed else "read_uncommitted"})
    consumer.assign([TopicPartition(topic, 0, 0)])
    messages = []
    while (message := consumer.poll(10)) is not None and not message.error():
        messages.append(message)
    consumer.close()
    return messages


def headers(message):
    return {name: value.decode() for name, value in message.headers()}


def topics(transactional):
    name = "topics" + ("-transaction" if transactional else "")
    source, letters, out = (f"{name}-{kind}-{os.getpid()}" for kind in ("in", "letters", "out"))
    for topic in (source, letters, out):
        topic_create(topic, 1)
    folder = WORK / name
    sink = f"\n  sink.out.format: kafka\n  sink.out.kafka.bootstrap.servers: {BOOTSTRAP}\n  sink.out.topic: {out}\n  sink.out.from: sent" if transactional else ""
    spec = f"""name: {name}
storage: file://{folder}/data
libraries: [{{glob: {{include: transformations/**}}}}]
configuration:
  source.input.format: kafka
  source.input.kafka.bootstrap.servers: {BOOTSTRAP}
  source.input.subscribe: {source}
  source.input.startingOffsets: earliest
  source.input.maxOffsetsPerTrigger: 40
  leat.trigger: once{sink}
"""
    flow = "CREATE TEMPORARY VIEW sent AS SELECT CAST(offset AS STRING) AS value FROM STREAM input;\n" if transactional else ""
    project(name, spec, f"""CREATE STREAMING TABLE numbers TBLPROPERTIES ('leat.quarantine.topic' = '{letters}') AS
SELECT offset, CAST(CAST(value AS STRING) AS INT) AS n FROM STREAM input;
CREATE STREAMING TABLE both TBLPROPERTIES ('leat.quarantine.topic' = '{letters}', 'leat.quarantine' = 'both_bad') AS
SELECT offset, 1 / CAST(CAST(value AS STRING) AS DOUBLE) AS n FROM STREAM input;
{flow}""")
    topic_fill(source, [(b"k%d" % i, b"0" if i % 5 == 0 else b"caf\xe9" if i % 5 == 1 else b"7") for i in range(100)])
    for point in ("stage_done:1", "record_put:2", "publish_one:1", "record_temp:1"):
        leat("run", folder, LEAT_FAIL=f"{point}:kill")
    check(f"{name}: run", leat("run", folder).problems(0))
    messages = read(letters)
    bad = [i for i in range(100) if i % 5 == 1]
    want = Counter([("CAST_INVALID_INPUT", "numbers", i) for i in bad] + [("CAST_INVALID_INPUT", "both", i) for i in bad] +
                   [("DIVIDE_BY_ZERO", "both", i) for i in range(0, 100, 5)])
    got = Counter((h["__connect.errors.exception.class.name"], json.loads(h["leat.tables"])[0], int(h["__connect.errors.offset"]))
                  for h in map(headers, messages))
    if transactional:
        check(f"{name}: each letter once", [] if got == want else [f"{got - want} {want - got}"])
    else:
        check(f"{name}: each letter at least once", [] if set(got) == set(want) else [f"{set(got) ^ set(want)}"])
        ids = [headers(m)["leat.id"] for m in messages]
        check(f"{name}: they are numbered", [] if all(len(i.split("/")) == 4 for i in ids) else ids[:2])
    problems = [f"{m.key()} {m.value()} {headers(m)}" for m in messages
                if (at := int(headers(m)["__connect.errors.offset"])) is not None
                and (m.key(), m.value()) != (b"k%d" % at, b"0" if at % 5 == 0 else b"caf\xe9")
                or headers(m)["__connect.errors.topic"] != source or headers(m)["leat.attempts"] != "1"]
    check(f"{name}: key and value as they came", problems[:2])
    lost = [(r["reason"], r["offset"]) for r in tables.quarantined(folder / "data/tables", "both_bad")]
    check(f"{name}: and the folder", multiset_problems("both_bad", lost, [(reason, at) for reason, table, at in want if table == "both"]))
    check(f"{name}: no other quarantine", [] if not (folder / "data/tables/_quarantine").exists() or
          not tables.quarantined(folder / "data/tables") else ["there is one"])
    audit = [json.loads(line) for line in leat("audit", folder, "--format", "json").out.splitlines()]
    counted = {line["table"]: line["out"] for line in audit if "table" in line}
    check(f"{name}: audit counts what was set aside", [] if counted.get(f"topic {letters}") == sum(want.values()) and
          counted.get("both_bad") == len(lost) and not any(line.get("note") == "table_unknown" for line in audit) else [f"{audit}"])
    told = {words: leat("quarantine", folder, *words) for words in (
        ("list", "--table", "numbers"), ("show", "--table", "numbers"), ("replay", "--table", "numbers"),
        ("list", "--table", "nubers"), ("list", "--format", "csv"))}
    check(f"{name}: a topic is named", [f"{words}: {done.out}" for words, done in told.items() if done.status == 0 and
          f"rows go to the topic {letters}: leat neither" not in done.out])
    check(f"{name}: a table that is not there",
          told["list", "--table", "nubers"].problems(2, "no table or sink of that name; did you mean numbers?"))
    check(f"{name}: list has no csv", told["list", "--format", "csv"].problems(2, "show --format csv"))
    if transactional:
        check(f"{name}: the sink", multiset_problems("out", [m.value() for m in read(out)], [b"%d" % i for i in range(100)]))


# ---- fails ----


def fails():
    folder = files_project("fails", BEFORE)
    feed(folder, "1", [order(1, "1"), order(2, "oops")])
    (folder / "data/tables").mkdir(parents=True)
    (folder / "data/tables/_quarantine").write_text("a file where the folder should be")
    done = leat("run", folder, "--set", "leat.retry.limit=1 second")
    check("fails: it stops", [] if done.status == 1 and "_quarantine" in done.err else [f"{done.status}: {done.err[-500:]}"])
    check("fails: nothing is committed", [f"{p}" for p in (folder / "data/tables").rglob("part-*")])
    (folder / "data/tables/_quarantine").unlink()
    check("fails: and goes on", leat("run", folder).problems(0))
    holds("fails: all is there", folder, "ids", [(1,), (2,)], "id")
    check("fails: the row too", [] if len(tables.quarantined(folder / "data/tables")) == 2 else ["it is not"])
    topic = files_project("fails-topic", BEFORE, leat__quarantine__topic="no-such-topic",
                          leat__quarantine__kafka__bootstrap__servers="127.0.0.1:1")
    feed(topic, "1", [order(1, "1"), order(2, "oops")])
    waiting = Leat("run", topic)
    check("fails: no broker", until(lambda: "no-such-topic" in waiting.said(), "the message"))
    waiting.stop()
    check("fails: no broker, no rows", [f"{p}" for p in (topic / "data/tables").rglob("part-*")])
    none = files_project("fails-where", BEFORE, leat__quarantine__topic="letters")
    check("fails: no cluster is known", leat("check", none).problems(2, "leat.quarantine.kafka.bootstrap.servers"))


for part in (ways, mended, chained, live, lines, fails):
    part()
topics(False)
topics(True)
finish()

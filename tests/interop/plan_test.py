"""A project that changes over its checkpoint: `leat plan` says what is kept, rebuilt and lost, `leat run` goes on with what is
kept and refuses to lose anything without --accept. The rows tell whether state really went on."""

import os
import sys
from pathlib import Path

import duckdb

sys.path.insert(0, str(Path(__file__).parent))
from trial import BOOTSTRAP, WORK, check, finish, leat, leat_ok, project, topic_create, topic_fill

TOPIC = f"plan-{os.getpid()}"
SPEC = f"""name: changing
storage: "file://{WORK}/out/checkpoint"
libraries: [{{glob: {{include: transformations/**}}}}]
configuration:
  source.taps.format: kafka
  source.taps.kafka.bootstrap.servers: "{BOOTSTRAP}"
  source.taps.subscribe: {TOPIC}
  source.taps.startingOffsets: earliest
  spark.sql.session.timeZone: UTC
  leat.tables.path: "{WORK}/out/tables"
  leat.checkpoint: "{WORK}/out/checkpoint"
"""
VIEW = """CREATE TEMPORARY VIEW tap AS
SELECT t.door, try_cast(t.tapped_at AS TIMESTAMP) AS tapped_at
FROM (SELECT from_json(CAST(value AS STRING), 'door STRING, tapped_at STRING') AS t FROM STREAM taps);
"""


def counted(size="1 minute", delay="10 SECONDS", more="", name="counted"):
    return f"""CREATE STREAMING TABLE {name} AS
SELECT door, window.start AS minute, count(*) AS taps{more}
FROM STREAM tap WATERMARK tapped_at DELAY OF INTERVAL {delay}
GROUP BY door, window(tapped_at, '{size}');
"""


def taps(*seconds, door="a"):
    return [(b"", f'{{"door":"{door}","tapped_at":"2026-01-01T00:{s // 60:02d}:{s % 60:02d}Z"}}'.encode()) for s in seconds]


folder = project("changing", SPEC, VIEW + counted())


def rewrite(sql):
    (folder / "transformations/a.sql").write_text(sql, encoding="utf-8")


def rows(table="counted", columns="door, minute, taps"):
    files = [str(path) for path in (WORK / "out/tables" / table).glob("*.parquet")]
    if not files:
        return []
    duckdb.execute("set timezone = 'UTC'")
    found = duckdb.sql(f"select {columns} from read_parquet({files}, union_by_name = true)").fetchall()
    return sorted((door, f"{minute:%H:%M}", *rest) for door, minute, *rest in found)


def fates(done):
    """(fate, kind) of every line of a plan."""
    return sorted(tuple(line.split()[:2]) for line in done.out.splitlines() if line.split()[:1] and
                  line.split()[0] in ("kept", "rebuilt", "reset", "lost"))


def equal(what, got, want):
    return [] if got == want else [f"{what}: {got}, want {want}"]


def said(done, *words):
    return [f"does not say {word!r}: {done.out}" for word in words if word not in done.out]


def run(*words):
    return leat("run", folder, "--once", *words)


topic_create(TOPIC, 1)
topic_fill(TOPIC, taps(1, 2, 3))

done = leat("plan", folder)
check("no checkpoint", done.problems(0) + equal("says", "everything starts anew" in done.out, True))
leat_ok("run", folder, "--once")  # three taps in an open window

done = leat("plan", folder)
KEPT = [("kept", "operator"), ("kept", "source"), ("kept", "table"), ("kept", "watermark")]
check("unchanged", done.problems(0) + equal("fates", fates(done), KEPT) + said(done, "goes on with 1 open group\n"))

# ---- changes that keep the state ----

rewrite(VIEW.replace("t.door,", "t.door, t.door AS same,") + "CREATE TEMPORARY VIEW other AS SELECT 1 AS x FROM STREAM tap;\n"
        + counted(more=", upper(door) AS loud") + "CREATE STREAMING TABLE raw AS SELECT door FROM STREAM tap;\n")
done = leat("plan", folder)
check("a column downstream, another table",
      done.problems(0) + equal("fates", fates(done), sorted([*KEPT, ("rebuilt", "table")])))
topic_fill(TOPIC, taps(4, 100))  # closes the window of the first minute
check("it runs", run("--set", "leat.threads=1").problems(0) + equal("rows", rows(), [("a", "00:00", 4)]))

rewrite(VIEW + counted(delay="20 SECONDS"))
done = leat("plan", folder)
check("another delay", done.problems(0) + equal("operators", [f for f in fates(done) if f[1] == "operator"], [("kept", "operator")]))
topic_fill(TOPIC, taps(101, 5, 200))  # 5 s is late: the watermark has not fallen
check("the watermark stays", run().problems(0) + equal("rows", rows(), [("a", "00:00", 4), ("a", "00:01", 2)]))

# ---- changes that lose it ----

rewrite(VIEW + counted(size="5 minutes"))
done = leat("plan", folder)
check("another window", done.problems(2, "--accept") +
      said(done, "1 open group: lost, because it was by door, window(tapped_at, 1 minute): count(1), and is by door, "
                 "window(tapped_at, 5 minutes): count(1)") +
      equal("operators", [f for f in fates(done) if f[1] == "operator"], [("reset", "operator")]))
before = rows()
done = run()
check("run refuses", done.problems(1, "aggregate of counted", "leat plan", "--accept") + equal("rows", rows(), before))
topic_fill(TOPIC, taps(210, 700))
check("run --accept", run("--accept").problems(0, "lost, as accepted") +
      equal("rows", rows(), sorted([*before, ("a", "00:00", 1)])))  # the tap at 200 s went with the lost state

done = leat("plan", folder)
check("afterwards all is kept", done.problems(0) + equal("fates", fates(done), KEPT))

rewrite(VIEW + counted(size="10 minutes"))
before = rows()
check("run --accept with nothing to read", run("--accept").problems(0, "lost, as accepted") + equal("rows", rows(), before))
check("is recorded all the same", leat("plan", folder).problems(0) + run().problems(0))

rewrite(VIEW.replace("FROM STREAM taps)", "FROM STREAM taps WHERE offset <> 3)") + counted(size="10 minutes"))
done = leat("plan", folder)
check("another filter before it", done.problems(2) + said(done, "are made, filtered or timed in another way"))
rewrite(VIEW + "CREATE STREAMING TABLE raw AS SELECT door FROM STREAM tap;\n")
done = leat("plan", folder)
check("the table is gone", done.problems(2) + said(done, "open groups, by door, window(tapped_at, 10 minutes): count(1): fit nothing"))

# ---- a field more in a struct that a key is taken from ----


def nested(fields, key="door.name"):
    return f"""CREATE TEMPORARY VIEW tap AS SELECT t.door AS door, t.tapped_at AS tapped_at
FROM (SELECT from_json(CAST(value AS STRING), 'tapped_at TIMESTAMP, door STRUCT<{fields}>') AS t FROM STREAM taps);
CREATE STREAMING TABLE nested AS SELECT {key} AS door, window.start AS minute, count(*) AS taps
FROM STREAM tap WATERMARK tapped_at DELAY OF INTERVAL 10 SECONDS GROUP BY {key}, window(tapped_at, '1 minute');
"""


def at_doors(*seconds):
    return [(b"", f'{{"door":{{"name":"n","floor":3}},"tapped_at":"2026-01-01T01:{s // 60:02d}:{s % 60:02d}Z"}}'.encode())
            for s in seconds]


rewrite(nested("name: STRING"))
topic_fill(TOPIC, at_doors(1, 2))
check("a struct", run("--accept").problems(0) + equal("rows", rows("nested"), []))
rewrite(nested("floor: INT, name: STRING"))
done = leat("plan", folder)
check("a field more beside the key", done.problems(0) + equal("fates", ("kept", "operator") in fates(done), True))
topic_fill(TOPIC, at_doors(3, 100))
check("its state goes on", run().problems(0) + equal("rows", rows("nested"), [("n", "01:00", 3)]))
rewrite(nested("floor: INT, name: STRING", key="door"))
done = leat("plan", folder)
check("the struct itself as the key", done.problems(2, "--accept") +
      equal("operators", [f for f in fates(done) if f[1] == "operator"], [("reset", "operator")]))
rewrite(nested("floor: INT, name: STRING"))

# ---- another source ----

(folder / "spark-pipeline.yml").write_text(SPEC.replace("source.taps.", "source.knocks."), encoding="utf-8")
rewrite((VIEW + counted(size="5 minutes")).replace("STREAM taps", "STREAM knocks"))
done = leat("plan", folder)
check("another name for the source", done.problems(2) + equal("source", ("lost", "source") in fates(done), True))
check("run refuses that too", run().problems(1, "taps"))

finish()

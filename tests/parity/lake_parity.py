"""The lake against Spark with Delta: `./dev parity lake`.

    written    the random tables of tests/interop/lake.py, of several seeds: Spark reads what leat has written
    changed    Spark deletes from, optimizes and widens a Delta table of leat's; leat reads it and goes on
    made       Delta tables that Spark makes, a feature each (MADE): leat reads the same rows, and appends where it says it can

Rows are compared as Arrow tables (lake.py), those of `made` as the JSON that to_json makes of them in both engines.
"""
import json
import os
import shutil
import subprocess
import sys
import threading
import time
from pathlib import Path

import pyarrow as pa

ROOT = Path(__file__).resolve().parent.parent.parent
LEAT = ROOT / "build/release/leat"
SEEDS = os.environ.get("LAKE_SEEDS", "1-3")
ANSWER_SECONDS = 180

sys.path.append(str(ROOT / "tests/interop"))
import lake  # noqa: E402

NOTHING = "id BIGINT, who STRING"
FILL = "INSERT INTO {t} SELECT id, 'spark' FROM range(0, 20, 1, 1)"
DELETE = "DELETE FROM {t} WHERE id % 7 = 0 OR id BETWEEN 500 AND 600"
MANY = "INSERT INTO {t} SELECT id, 's' FROM range(0, 1000, 1, 1)"


def table(columns=NOTHING, more="", **properties):
    listed = ", ".join(f"'delta.{name}' = '{value}'" for name, value in properties.items())
    return f"CREATE TABLE {{t}} ({columns}) USING delta {more}" + (f" TBLPROPERTIES ({listed})" if listed else "")


# name: (statements, does leat append?). {t} is the table, {base} the folder of all.
MADE = {
    "plain": ([table(), FILL], True),
    "checkpoint_parts": ([table(checkpointInterval="3"), FILL, FILL, FILL, FILL, FILL], True),
    "vectors": ([table(enableDeletionVectors="true"), MANY, DELETE], True),
    "mapped_by_name": ([table("id BIGINT, who STRING, s STRUCT<a: INT, b: STRING>", **{"columnMapping.mode": "name"}),
                        "INSERT INTO {t} SELECT id, 'm', named_struct('a', int(id), 'b', 'x') FROM range(20)",
                        "ALTER TABLE {t} RENAME COLUMN who TO name", "ALTER TABLE {t} RENAME COLUMN s.a TO z",
                        "INSERT INTO {t} SELECT id + 100, 'n', named_struct('z', 1, 'b', 'y') FROM range(5)",
                        "ALTER TABLE {t} DROP COLUMN s.b"], False),
    "mapped_by_id": ([table("id BIGINT, who STRING, l ARRAY<STRUCT<x: INT>>", **{"columnMapping.mode": "id"}),
                      "INSERT INTO {t} SELECT id, 'm', array(named_struct('x', 1)) FROM range(20)",
                      "ALTER TABLE {t} RENAME COLUMN who TO name"], False),
    "checkpoint_v2": ([table(checkpointPolicy="v2", checkpointInterval="2"), FILL, FILL, FILL, FILL, FILL], True),
    "checkpoint_v2_changed": ([table(checkpointPolicy="v2", checkpointInterval="2", enableDeletionVectors="true"), MANY, DELETE, FILL,
                               DELETE, FILL], True),
    "in_commit_times": ([table("id BIGINT, t TIMESTAMP_NTZ", enableInCommitTimestamps="true", enableChangeDataFeed="true"),
                         "INSERT INTO {t} VALUES (1, timestamp_ntz'2026-01-01 00:00:01'), (2, NULL)"], True),
    "generated": ([table("id BIGINT, twice BIGINT GENERATED ALWAYS AS (id * 2)"), "INSERT INTO {t} (id) VALUES (1), (2)"], False),
    "identity": ([table("id BIGINT GENERATED ALWAYS AS IDENTITY, who STRING"), "INSERT INTO {t} (who) VALUES ('a'), ('b')"], False),
    "widened": ([table("id INT, x FLOAT, d DECIMAL(6,2), n INT, y DATE", enableTypeWidening="true", **{"feature.timestampNtz": "supported"}),
                 "INSERT INTO {t} VALUES (1, 1.5, 2.25, 7, date'2026-01-02')", "ALTER TABLE {t} ALTER COLUMN id TYPE BIGINT",
                 "ALTER TABLE {t} ALTER COLUMN x TYPE DOUBLE", "ALTER TABLE {t} ALTER COLUMN d TYPE DECIMAL(12,4)",
                 "ALTER TABLE {t} ALTER COLUMN n TYPE DOUBLE", "ALTER TABLE {t} ALTER COLUMN y TYPE TIMESTAMP_NTZ",
                 "INSERT INTO {t} VALUES (5000000000, 2.25, 1.0001, 0.5, timestamp_ntz'2026-01-02 03:04:05')"], True),
    "clustered": ([table(more="CLUSTER BY (id)"), FILL, "OPTIMIZE {t}"], True),
    "row_tracking": ([table(enableRowTracking="true"), FILL, "OPTIMIZE {t}"], False),
    "parted": ([table("id BIGINT, p TIMESTAMP, q DECIMAL(10,2), r BOOLEAN, s STRING, y DATE, b BINARY", "PARTITIONED BY (p, q, r, s, y, b)"),
                "INSERT INTO {t} VALUES (1, timestamp'2026-01-01 00:00:01.5', 1.25, true, 'a/b=%ü', date'2026-01-01', X'41'),"
                " (2, NULL, NULL, NULL, NULL, NULL, NULL), (3, timestamp'1969-12-31 23:59:59.000001', -1, false, ' ', date'1900-01-01', X'')"],
               False),
    "not_null": ([table("id BIGINT NOT NULL, who STRING"), FILL], True),
    "checked": ([table(), FILL, "ALTER TABLE {t} ADD CONSTRAINT small CHECK (id < 1000)"], False),
    "characters": ([table("id BIGINT, c CHAR(3), v VARCHAR(4)"), "INSERT INTO {t} VALUES (1, 'abc', 'abc')"], False),
    "defaults": ([table("id BIGINT, who STRING DEFAULT 'x'", **{"feature.allowColumnDefaults": "supported"}),
                  "INSERT INTO {t} (id) VALUES (1)"], False),
    "variants": ([table("id BIGINT, v VARIANT"), """INSERT INTO {t} SELECT id, parse_json('{"a": [1, 2.5, null, "x"], "b": ' || id || '}') FROM range(20)"""],
                 True),
    "shredded": ([table("id BIGINT, v VARIANT", enableVariantShredding="true"),
                  """INSERT INTO {t} SELECT id, parse_json(CASE id % 5 WHEN 0 THEN '{"a": [1, 2.5, null, "x"], "b": ' || id || '}'"""
                  """ WHEN 1 THEN '[{"b": 1}]' WHEN 2 THEN '{"b": "text", "c": {"d": true}}' WHEN 3 THEN '{"b": 12.75}' END) FROM range(400)"""],
                 False),
    "cloned": (["CREATE TABLE delta.`{base}/origin` (id BIGINT, who STRING) USING delta TBLPROPERTIES ('delta.enableDeletionVectors' = 'true')",
                "INSERT INTO delta.`{base}/origin` SELECT id, 'o' FROM range(0, 1000, 1, 1)", "DELETE FROM delta.`{base}/origin` WHERE id % 7 = 0",
                "CREATE TABLE {t} SHALLOW CLONE delta.`{base}/origin`", FILL, "DELETE FROM {t} WHERE id = 5"], True),
    "merged": ([table(), FILL, "MERGE INTO {t} AS t USING (SELECT id + 10 AS id FROM range(20)) AS n ON t.id = n.id"
                " WHEN MATCHED THEN UPDATE SET who = 'new' WHEN NOT MATCHED THEN INSERT (id, who) VALUES (n.id, 'more')",
                "OPTIMIZE {t}", "DELETE FROM {t} WHERE id < 3"], True),
    "restored": ([table(), FILL, FILL, "DELETE FROM {t}", "RESTORE TABLE {t} TO VERSION AS OF 1"], True),
}


# Spark has no other way to say what to shred: it infers little of a few rows.
SHREDDING = {"spark.sql.variant.writeShredding.enabled": "true", "spark.sql.variant.inferShreddingSchema": "false",
             "spark.sql.variant.forceShreddingSchemaForTest": "a ARRAY<DECIMAL(9,1)>, b BIGINT, c STRUCT<d: BOOLEAN>"}


class SparkDied(Exception):
    """No answer; the text has the end of its log."""


class Spark:
    """A process of tools/spark/lake_session.py."""

    def __init__(self, folder):
        self.log = folder / "spark.log"
        with open(self.log, "wb") as log:
            self.process = subprocess.Popen([ROOT / "build/venv-spark/bin/python", ROOT / "tools/spark/lake_session.py"], cwd=folder,
                                            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log, text=True, start_new_session=True)

    def ask(self, *statements, out=None, **settings):
        """None, or what went wrong."""
        timer = threading.Timer(ANSWER_SECONDS, self.process.kill)
        timer.start()
        try:
            print(json.dumps({"sql": statements, "out": out and str(out), "settings": settings}), file=self.process.stdin, flush=True)
            line = self.process.stdout.readline()
        finally:
            timer.cancel()
        if not line:
            raise SparkDied(self.log.read_text(errors="replace")[-2000:])
        return json.loads(line)["error"]

    def close(self):
        self.process.stdin.close()
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


def leat(*words, text=None):
    return subprocess.run([LEAT, *map(str, words)], input=text, capture_output=True, text=True, timeout=120, check=False)


def leat_problems(done):
    return [f"leat left with {done.returncode}: {done.stderr[-600:]}"] if done.returncode else []


# ---- what leat writes -----------------------------------------------------------------------------------------------


def read(spark, what, out, vectorized=True):
    """(Arrow table, problems)"""
    error = spark.ask(what, out=out, **{"spark.sql.parquet.enableVectorizedReader": str(vectorized).lower()})
    if error:
        return None, [f"Spark: {error[:600]}"]
    with pa.OSFile(str(out)) as file:
        return pa.ipc.open_file(file).read_all(), []


def written(spark, folder, seed):
    made, root = lake.Lake(seed), folder / f"seed-{seed}"
    root.mkdir()
    for early in (True, False):
        if found := leat_problems(leat("run", lake.project(made, root, early))):
            return found
    found = []
    for name in lake.LAYOUTS:
        kind = "delta" if name.startswith("d_") else "parquet"
        select = "id, to_json(v) AS v" if name.endswith("variant") else "*"
        got, problems = read(spark, f"SELECT {select} FROM {kind}.`{root}/tables/{name}`", root / f"{name}.arrow", name != lake.SPLIT)
        found += problems or made.problems("Spark", name, got)
    return found


# ---- what Spark makes, or changes -----------------------------------------------------------------------------------


def as_json(spark, path, out, columns="*"):
    """(lines of Spark's, lines of leat's, problems)"""
    query = f"SELECT to_json(struct({columns})) AS j FROM delta.`{path}` ORDER BY j"
    got, problems = read(spark, query, out)
    if problems:
        return [], [], problems
    done = leat("sql", "--jsonl", text=json.dumps({"id": 0, "sql": query}) + "\n")
    answer = json.loads(done.stdout) if not done.returncode else {"error": done.stderr[-600:]}
    problems = [f"leat: {answer['error']}"] if answer["error"] else []
    return got["j"].to_pylist(), answer.get("rows") or [], problems


def same(spark, path, out):
    theirs, ours, found = as_json(spark, path, out)
    if not found and theirs != ours:
        wrong = [(a, b) for a, b in zip(theirs, ours) if a != b][:1] or [(len(theirs), len(ours))]
        found = [f"Spark has {wrong[0][0]!r:.200}, leat {wrong[0][1]!r:.200}"]
    return found, len(theirs)


def append(root, path):
    """A project that adds ten rows to the table; what it said, without an end."""
    (root / "project/transformations").mkdir(parents=True)
    (root / "ids").mkdir()
    (root / "ids/0.json").write_text("".join(json.dumps({"id": number}) + "\n" for number in range(900, 910)))
    lines = {"source.ids.format": "json", "source.ids.path": root / "ids", "source.ids.schema": "id BIGINT", "leat.trigger": "once",
             "leat.tables.path": root / "tables"}
    (root / "project/spark-pipeline.yml").write_text(
        f"name: append\nstorage: file://{root}/checkpoint\nlibraries:\n  - glob:\n      include: transformations/**\n"
        "configuration:\n" + "".join(f"  {key}: {value}\n" for key, value in lines.items()))
    (root / "project/transformations/t.sql").write_text(
        f"CREATE STREAMING TABLE t TBLPROPERTIES ('leat.format' = 'delta', 'leat.path' = '{path}') AS SELECT id FROM STREAM ids;")
    return leat("run", root / "project")


def made(spark, folder, name):
    statements, appends = MADE[name]
    path, work = folder / "made" / name, folder / "append" / name
    fill = {"t": f"delta.`{path}`", "base": str(folder / "made")}
    text = [statement.replace("{t}", fill["t"]).replace("{base}", fill["base"]) for statement in statements]
    settings = SHREDDING if name == "shredded" else {"spark.databricks.delta.checkpoint.partSize": "2"}
    if error := spark.ask(*text, **settings):
        return [f"Spark did not make it: {error[:600]}"]
    found, before = same(spark, path, folder / "made.arrow")
    done = append(work, path)
    if found:
        return found
    if done.returncode and appends:
        return leat_problems(done)
    if not appends:
        return [] if done.returncode else ["leat has appended to it"]
    found, after = same(spark, path, folder / "made.arrow")
    return found + ([] if after == before + 10 else [f"{after} rows after leat's, {before} before"])


def changed(spark, folder):
    """Spark changes leat's table, leat goes on."""
    root, path = folder / "changed", folder / "made/changed"
    found = leat_problems(append(root / "a", path))
    error = spark.ask(f"DELETE FROM delta.`{path}` WHERE id = 903", f"OPTIMIZE delta.`{path}`",
                      f"ALTER TABLE delta.`{path}` SET TBLPROPERTIES ('delta.enableDeletionVectors' = 'true')",
                      f"INSERT INTO delta.`{path}` SELECT id FROM range(0, 500, 1, 1)", f"DELETE FROM delta.`{path}` WHERE id % 3 = 1",
                      f"ALTER TABLE delta.`{path}` ADD COLUMN who STRING", f"INSERT INTO delta.`{path}` VALUES (77, 'w')")
    found += [f"Spark: {error[:600]}"] if error else []
    found += leat_problems(append(root / "b", path))
    problems, count = same(spark, path, folder / "changed.arrow")
    want = 10 + 10 + 1 - 1 + sum(number % 3 != 1 for number in range(500)) - sum(n % 3 == 1 for n in range(900, 910) if n != 903)
    return found + problems + ([] if count == want else [f"{count} rows, want {want}"])


def run(folder, show):
    """show(name, problems, seconds) for each; how many failed, and of how many."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    first, _, last = SEEDS.partition("-")
    checks = [(f"lake_seed_{seed}", lambda seed=seed: written(spark, folder, seed)) for seed in range(int(first), int(last or first) + 1)]
    checks += [("lake_changed", lambda: changed(spark, folder))]
    checks += [(f"lake_made_{name}", lambda name=name: made(spark, folder, name)) for name in MADE]
    spark, failed = Spark(folder), 0
    try:
        for name, check in checks:
            start = time.monotonic()
            problems = check()
            failed += bool(problems)
            show(name, problems, time.monotonic() - start)
    finally:
        spark.close()
    return failed, len(checks)

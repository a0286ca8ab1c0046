"""Random tables (lake.py) written by leat, read by PyArrow, DuckDB, delta-rs and leat itself. Spark reads them in
`./dev parity lake`.

    LAKE_SEEDS=100-200     more of them, or one that failed
"""
import json
import os
import subprocess
import sys

import duckdb
import pyarrow as pa
import pyarrow.dataset as ds
from deltalake import DeltaTable, QueryBuilder

import lake
from trial import LEAT, WORK, check, finish, leat_ok

FIRST, _, LAST = os.environ.get("LAKE_SEEDS", "1-4").partition("-")


def files(path):
    return [str(file) for file in sorted(path.rglob("*.parquet")) if not any(part[0] in "._" for part in file.relative_to(path).parts)]


def arrow(path):
    return ds.dataset(files(path), format="parquet").to_table()


def duck(path):
    connection = duckdb.connect()
    connection.execute("set timezone = 'UTC'")
    return connection.sql("select * from read_parquet($files, hive_partitioning = false)", params={"files": files(path)}).to_arrow_table()


def delta_rs(path):
    table = DeltaTable(str(path))
    if "v2Checkpoint" not in (table.protocol().reader_features or ()):
        return table.to_pyarrow_table()
    return pa.table(QueryBuilder().register("t", table).execute("select * from t").read_all())  # of all features


def itself(made, root):
    """{table: what leat reads of it differently than of the input}; all of a row as JSON."""
    asked = []
    for table in lake.LAYOUTS:
        kind = "delta" if table.startswith("d_") else "parquet"
        columns = made.columns(table)
        parsed = ", ".join("parse_json(j) AS v" if name == "v" else name for name in columns)
        for select, source in ((", ".join(columns), f"{kind}.`{root}/tables/{table}`"), (parsed, f"parquet.`{root}/rows`")):
            asked.append(f"SELECT id, to_json(struct({', '.join(columns)})) FROM (SELECT {select} FROM {source}) ORDER BY id")
    lines = "".join(json.dumps({"id": i, "sql": sql}) + "\n" for i, sql in enumerate(asked))
    done = subprocess.run([LEAT, "sql", "--jsonl"], input=lines, capture_output=True, text=True, check=True, timeout=60)
    answers = [json.loads(line) for line in done.stdout.split("\n") if line]
    found = {}
    for i, table in enumerate(lake.LAYOUTS):
        mine, input_rows = answers[2 * i], answers[2 * i + 1]
        found[table] = [f"leat: {answer['error']}" for answer in (mine, input_rows) if answer["error"]]
        if table == "d_evolved" and not found[table]:  # the first rows lack columns
            early = sum(lake.FILE_ROWS[:lake.FILES_BEFORE])
            mine["rows"], input_rows["rows"] = mine["rows"][early:], input_rows["rows"][early:]
        found[table] += [f"leat: {a:.300}, of the input {b:.300}" for a, b in zip(mine["rows"], input_rows["rows"]) if a != b][:2]
    return found


def seed_problems(seed):
    made = lake.Lake(seed)
    root = WORK / f"seed-{seed}"
    root.mkdir(parents=True)
    for early in (True, False):
        leat_ok("run", lake.project(made, root, early))
    own = itself(made, root)
    for table in lake.LAYOUTS:
        path, found = root / "tables" / table, own[table]
        if not table.endswith("variant"):
            readers = [delta_rs] if table.startswith("d_") else [arrow, duck]
            for reader in readers:
                found += made.problems(reader.__name__, table, reader(path), types=reader is not duck)
        check(f"{table} of seed {seed}", found)


for number in range(int(FIRST), int(LAST or FIRST) + 1):
    seed_problems(number)
try:
    finish()
except SystemExit as left:  # threads of the readers that end with Python may abort it
    sys.stdout.flush()
    os._exit(left.code)

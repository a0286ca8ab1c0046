"""./dev bench parquet: the typed transactions (silver of examples/transactions) written to Parquet by leat, PyArrow and
DuckDB in turns, one core each, the same rows from memory to memory (DuckDB: to a file in memory); and leat's file read by
leat and PyArrow. Each with its defaults, and the codec named. CPU seconds of the best of several rounds; the ratios are
what to look at, since they come from the same minute of the same machine.
"""
import json
import os
import shutil
import statistics
import subprocess
import time
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from measuring import OUT, history_add, history_line
from transactions import ROOT, say

PROGRAM = ROOT / "build/release/parquet_write_bench"
ROUNDS = 3
CODECS = ("snappy", "zstd")
COLUMNS = """{txn_id: 'VARCHAR', event_ts: 'TIMESTAMPTZ', user_id: 'VARCHAR', card_id: 'VARCHAR', merchant: 'VARCHAR',
    category: 'VARCHAR', amount: 'DECIMAL(12,2)', currency: 'VARCHAR', status: 'VARCHAR', city: 'VARCHAR',
    country: 'VARCHAR', lat: 'DOUBLE', lon: 'DOUBLE'}"""
SILVER = f"""SELECT txn_id, event_ts AS event_time, * EXCLUDE (txn_id, event_ts),
        (row_number() OVER () // 8192 % 6)::INTEGER AS partition, (row_number() OVER ())::BIGINT AS "offset"
    FROM read_json('LINES', format = 'newline_delimited', columns = {COLUMNS})"""


def table_make(folder, records):
    """The rows in PyArrow's memory, and as a file for leat to read them from."""
    lines, source = folder / "transactions.jsonl", folder / "source.parquet"
    with open(lines, "wb") as out:
        subprocess.run([PROGRAM, "lines", str(records)], stdout=out, check=True)
    table = duckdb.sql(SILVER.replace("LINES", str(lines))).to_arrow_table()
    lines.unlink()
    pq.write_table(table, source, compression="none", use_dictionary=False)
    return table, source


def best_of(*command):
    """The best round of leat's program: CPU seconds, bytes."""
    done = subprocess.run([PROGRAM, *map(str, command)], capture_output=True, text=True, check=True)
    rounds = [json.loads(line) for line in done.stdout.splitlines()]
    return min(r["cpu_s"] for r in rounds), rounds[0]["bytes"]


def cpu_of(work):
    """CPU of the whole process: no engine hides work in a thread."""
    start = time.process_time()
    work()
    return time.process_time() - start


def write_pyarrow(table, path, codec):
    seconds = cpu_of(lambda: pq.write_table(table, path, compression=codec))
    return seconds, path.stat().st_size


def write_duckdb(connection, path, codec):
    seconds = cpu_of(lambda: connection.execute(f"COPY silver TO '{path}' (FORMAT parquet, COMPRESSION {codec})"))
    return seconds, path.stat().st_size


def read_pyarrow(path):
    return cpu_of(lambda: pq.read_table(path, use_threads=False)), path.stat().st_size


def in_turns(works):
    """{name: (least seconds, bytes)}, all in the same rounds; and each one's ratios to the first's, round by round."""
    rounds = [{name: work() for name, work in works.items()} for _ in range(ROUNDS)]
    first = next(iter(works))
    return {name: {"cpu_s": round(min(r[name][0] for r in rounds), 4), "bytes": rounds[0][name][1],
                   "times_leat": round(statistics.median(r[name][0] / r[first][0] for r in rounds), 3)} for name in works}


def show(title, figures, rows):
    print(f"\n{title}")
    for name, figure in figures.items():
        print(f"  {name:22} {figure['cpu_s'] / rows * 1e9:7.1f} ns/row {figure['bytes'] / rows:8.2f} bytes/row "
              f"{figure['times_leat']:6.2f} x leat's time")


def same_rows(table, path):
    """What PyArrow reads of leat's file is what leat was given."""
    return pq.read_table(path).cast(table.schema).equals(table)


def bench_parquet(records, keep):
    records = records or 1_000_000
    subprocess.run(["cmake", "--build", ROOT / "build/release", "--target", PROGRAM.name, "--", "--quiet"], check=True)
    folder = OUT / "parquet"
    memory = f"/dev/shm/leat-bench-{os.getpid()}"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    os.mkdir(memory)
    try:
        figures = measure_all(folder, Path(memory), records)
    finally:
        shutil.rmtree(memory, ignore_errors=True)
    if keep:
        history_add("parquet", history_line(rows=records, **figures))


def measure_all(folder, memory, records):
    pa.set_cpu_count(1)
    say(f"making {records:,} rows")
    table, source = table_make(folder, records)
    connection = duckdb.connect(config={"threads": 1})
    connection.register("source", table)
    connection.execute("CREATE TABLE silver AS SELECT * FROM source")
    figures = {}
    for codec in CODECS:
        ours = folder / f"leat.{codec}.parquet"
        figures[codec] = in_turns({
            "leat": lambda: best_of("write", source, ours, f"parquet.compression={codec}"),
            "PyArrow": lambda: write_pyarrow(table, memory / "pyarrow.parquet", codec),
            "DuckDB": lambda: write_duckdb(connection, memory / "duckdb.parquet", codec)})
        show(f"writing, {codec}", figures[codec], records)
        if not same_rows(table, ours):
            raise SystemExit(f"error: PyArrow reads other rows from {ours} than leat was given")
        theirs = folder / f"pyarrow.{codec}.parquet"
        shutil.copy(memory / "pyarrow.parquet", theirs)
        for whose, path in (("leat's", ours), ("PyArrow's", theirs)):
            name = f"read_{whose[:-2].lower()}_{codec}"
            figures[name] = in_turns({"leat": lambda: best_of("read", path), "PyArrow": lambda: read_pyarrow(path)})
            show(f"reading {whose} file, {codec}", figures[name], records)
    return figures

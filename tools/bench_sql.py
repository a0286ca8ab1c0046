"""leat sql beside DuckDB, over the same Parquet files: sorts, joins, groups and windows, with memory enough and with a tenth of
what their rows take, so that they go to disk. One thread each; the answers have to agree.

    items    N rows: order_id, product, quantity, price, note
    orders   N / 4 rows: id, customer, day
"""
import subprocess
import sys
import time

import duckdb

from measuring import OUT, PeakMemory, history_add, history_line, machine
from transactions import LEAT

MEMORY = "4GiB"
LITTLE = "64MiB"  # the rows of a query take about ten times as much
DUCK_LITTLE = "256MiB"  # with less some of them fail
QUERIES = {
    "top": "SELECT order_id, price, note FROM items ORDER BY price, note, order_id, product, quantity LIMIT 1000",
    "sort all": "SELECT order_id, product, price, note FROM items ORDER BY note, price, order_id, product, quantity",
    "group": "SELECT count(*) AS n, sum(q) AS q, max(p) AS p FROM (SELECT order_id, sum(quantity) AS q, max(price) AS p FROM "
             "items GROUP BY order_id)",
    "distinct": "SELECT count(*) AS n FROM (SELECT DISTINCT order_id, product FROM items)",
    "join": "SELECT count(*) AS n, sum(i.quantity) AS q, max(o.day) AS d FROM items i JOIN orders o ON i.order_id = o.id "
            "WHERE o.customer % 3 <> 0",
    "full join": "SELECT count(*) AS n, count(a.order_id) AS a, count(b.order_id) AS b FROM (SELECT * FROM items WHERE quantity < 5) a "
                 "FULL JOIN (SELECT * FROM items WHERE quantity > 3) b ON a.order_id = b.order_id AND a.product = b.product",
    "frame": "SELECT sum(s) AS s FROM (SELECT sum(quantity) OVER (ORDER BY order_id, note ROWS BETWEEN 1000 PRECEDING AND CURRENT "
             "ROW) AS s FROM items WHERE order_id % 20 = 0)",
}
SPILLS = {"sort all", "group", "distinct", "join", "full join"}
DUCK = """
import sys, duckdb
c = duckdb.connect()
c.execute("SET threads = 1; SET memory_limit = '" + sys.argv[1] + "'; SET temp_directory = '" + sys.argv[2] + "'")
for name in ("items", "orders"):
    c.execute(f"CREATE VIEW {name} AS SELECT * FROM '{sys.argv[3]}/{name}.parquet'")
c.execute(f"COPY ({sys.argv[4]}) TO '{sys.argv[5]}' (FORMAT csv, HEADER false)")
"""


def make(folder, rows):
    folder.mkdir(parents=True, exist_ok=True)
    con = duckdb.connect()
    con.execute(f"COPY (SELECT i * 7919 % {rows // 4} AS order_id, (i * 31 % 1000)::INT AS product, (i % 9)::INT AS quantity, "
                f"((i * 101 % 99991) / 100)::DECIMAL(9,2) AS price, 'note ' || (i * 57 % 100003) AS note FROM range({rows}) t(i)) "
                f"TO '{folder}/items.parquet'")
    con.execute(f"COPY (SELECT i AS id, i * 13 % 5003 AS customer, DATE '2026-01-01' + (i % 365)::INT AS day FROM "
                f"range({rows // 4}) t(i)) TO '{folder}/orders.parquet'")


def run(command, name):
    """Seconds, peak MiB and what it wrote."""
    out = OUT / f"sql-{name}.csv"
    begun = time.monotonic()
    with open(out, "wb") as stdout:
        process = subprocess.Popen([str(part) for part in command], stdout=stdout, stdin=subprocess.DEVNULL)
        peak = PeakMemory(process.pid)
        status = process.wait()
    seconds = time.monotonic() - begun
    if status != 0:
        raise SystemExit(f"error: {name} failed: {command}")
    return seconds, peak.mib, out.read_bytes()


def leat(folder, memory, query, name):
    views = "".join(f"CREATE TEMPORARY VIEW {table} AS SELECT * FROM parquet.`{folder}/{table}.parquet`; "
                    for table in ("items", "orders"))
    seconds, mib, text = run([LEAT, "sql", "--memory", memory, "--format", "csv", "-c", views + query], f"leat-{name}")
    return seconds, mib, text.split(b"\n", 1)[1] if b"\n" in text else text  # without the header


def duck(folder, memory, query, name):
    answer = OUT / f"sql-answer-{name}.csv"
    seconds, mib, _ = run([sys.executable, "-c", DUCK, memory, OUT / "duck-tmp", folder, query, answer], f"duckdb-{name}")
    return seconds, mib, answer.read_bytes()


def bench_sql(rows, keep):
    rows = rows or 5_000_000
    folder, figures, wrong = OUT / f"sql-{rows}", {}, []
    if not (folder / "orders.parquet").exists():
        make(folder, rows)
    print(f"sql, {rows:,} rows, one thread, {machine()['cpu']}")
    print(f"{'':12}{'memory':>8}{'leat s':>9}{'DuckDB s':>10}{'ratio':>7}{'leat MiB':>10}{'DuckDB MiB':>12}", flush=True)
    for name, query in QUERIES.items():
        for memory in (MEMORY, LITTLE) if name in SPILLS else (MEMORY,):
            ours = leat(folder, memory, query, name.replace(" ", "-"))
            theirs = duck(folder, DUCK_LITTLE if memory == LITTLE else memory, query, name.replace(" ", "-"))
            if ours[2].strip() != theirs[2].strip():
                wrong.append(f"{name}, {memory}")
            print(f"{name:12}{memory:>8}{ours[0]:9.2f}{theirs[0]:10.2f}{ours[0] / theirs[0]:7.2f}{ours[1]:10.0f}{theirs[1]:12.0f}",
                  flush=True)
            figures[f"{name}, {memory}"] = {"seconds": round(ours[0], 2), "duckdb_s": round(theirs[0], 2),
                                            "rss_mib": round(ours[1]), "duckdb_mib": round(theirs[1])}
    for case in wrong:
        print(f"  WRONG: {case}: the answers differ")
    if wrong:
        raise SystemExit("error: answers differ; no history line written")
    if keep:
        history_add("sql", history_line(rows=rows, figures=figures))

"""./dev bench kernels: the 40 functions and aggregates that pipelines use most, ns/row of leat beside DuckDB's and PyArrow's for
the same work, one core each, in the same run.

    which 40    what the SQL of examples/, tests/parity and Nexmark calls most, and what bronze-to-silver pipelines consist of:
                casts of texts, comparisons, CASE and coalesce, cleaning of texts, parts of times, rounding of money, the five
                aggregates with and without groups
    leat        bench/kernels/functions_bench.c: the whole query over a table in memory, rows dropped
                off it the query that selects the arguments as they are (their columns are shared, so that is next to nothing)
    DuckDB      count(f(..)) over a table in memory, threads=1, off it count() of the arguments: the projection alone, for a
                result of a million rows costs it a copy that leat has not. Aggregates: the whole query in both
    PyArrow     pyarrow.compute over one chunk; - where it has no such function

CPU time, which other programs on the machine disturb least. Rows 1,000,000, a tenth of them NULL; the best of several rounds.
"""
import random
import shutil
import statistics
import subprocess
import time

import duckdb
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from measuring import OUT, history_add, history_line
from transactions import LEAT, say

PROGRAM = LEAT.parent / "functions_bench"
ROUNDS = 5
LEAST_NS = 0.2  # below this the clock says nothing: no ratio
WORDS = "alpha Beta  gamma DELTA epsilon zeta  Eta theta card payment refund shop.example.org Berlin New-York München".split(" ")


class Case:
    """One function: leat's expression, DuckDB's (the same when not said), PyArrow's, and the columns that it reads."""

    def __init__(self, name, columns, leat, duck=None, arrow=None, group=None):
        self.name, self.columns, self.leat, self.duck, self.arrow, self.group = name, columns, leat, duck or leat, arrow, group

    def query(self, expression):
        if self.group is None:
            return f"SELECT {expression} AS r FROM t"
        return f"SELECT {self.group}, {expression} AS r FROM t GROUP BY {self.group}" if self.group else f"SELECT {expression} AS r FROM t"

    @property
    def base(self):
        """Selecting what it reads; from aggregates nothing is taken off."""
        return None if self.group is not None else f"SELECT {', '.join(self.columns)} FROM t"

    def duck_query(self):
        return self.query(self.duck) if self.base is None else f"SELECT count({self.duck}) FROM t"

    def duck_base(self):
        return "SELECT " + ", ".join(f"count({name})" for name in self.columns) + " FROM t"


CASES = [
    Case("bigint + bigint", "b c", "b + c", arrow=lambda t: pc.add_checked(t["b"], t["c"])),
    Case("bigint * 3", "b", "b * 3", arrow=lambda t: pc.multiply_checked(t["b"], 3)),
    Case("double / double", "x y", "try_divide(x, y)", "x / y", lambda t: pc.divide(t["x"], t["y"])),
    Case("bigint % 7", "b", "b % 7"),
    Case("decimal + decimal", "d e", "d + e", arrow=lambda t: pc.add(t["d"], t["e"])),
    Case("decimal * decimal", "d e", "d * e", arrow=lambda t: pc.multiply(t["d"], t["e"])),
    Case("bigint > 500", "b", "b > 500", arrow=lambda t: pc.greater(t["b"], 500)),
    Case("text = constant", "s", "s = 'refund'", arrow=lambda t: pc.equal(t["s"], "refund")),
    Case("decimal <= decimal", "d e", "d <= e", arrow=lambda t: pc.less_equal(t["d"], t["e"])),
    Case("a AND b", "f g", "f AND g", arrow=lambda t: pc.and_kleene(t["f"], t["g"])),
    Case("IN of 3 texts", "s", "s IN ('card', 'refund', 'shop')", arrow=lambda t: pc.is_in(t["s"], pa.array(["card", "refund", "shop"]))),
    Case("IS NULL", "b", "b IS NULL", arrow=lambda t: pc.is_null(t["b"])),
    Case("CASE of 3 branches", "b c", "CASE WHEN b > 900 THEN c WHEN b > 100 THEN 1 ELSE 0 END",
         arrow=lambda t: pc.case_when(pc.make_struct(pc.greater(t["b"], 900), pc.greater(t["b"], 100)), t["c"], 1, 0)),
    Case("coalesce", "b c", "coalesce(b, c, 0)", arrow=lambda t: pc.coalesce(t["b"], t["c"], 0)),
    Case("CAST text AS INT", "n", "try_cast(n AS INT)", "try_cast(n AS INTEGER)", lambda t: pc.cast(t["n"], pa.int32())),
    Case("CAST text AS DOUBLE", "n", "try_cast(n AS DOUBLE)", arrow=lambda t: pc.cast(t["n"], pa.float64())),
    Case("CAST text AS DECIMAL", "m", "try_cast(m AS DECIMAL(12,2))", arrow=lambda t: pc.cast(t["m"], pa.decimal128(12, 2))),
    Case("CAST text AS TIMESTAMP", "w", "try_cast(w AS TIMESTAMP)", arrow=lambda t: pc.cast(t["w"], pa.timestamp("us"))),
    Case("CAST text AS DATE", "v", "try_cast(v AS DATE)", arrow=lambda t: pc.cast(t["v"], pa.date32())),
    Case("CAST BIGINT AS STRING", "b", "CAST(b AS STRING)", arrow=lambda t: pc.cast(t["b"], pa.string())),
    Case("CAST TIMESTAMP AS STRING", "z", "CAST(z AS STRING)", arrow=lambda t: pc.cast(t["z"], pa.string())),
    Case("CAST TIMESTAMP AS DATE", "z", "CAST(z AS DATE)", arrow=lambda t: pc.cast(t["z"], pa.date32(), safe=False)),
    Case("upper", "s", "upper(s)", arrow=lambda t: pc.utf8_upper(t["s"])),
    Case("trim", "s", "trim(s)", arrow=lambda t: pc.utf8_trim(t["s"], " ")),
    Case("length", "s", "length(s)", arrow=lambda t: pc.utf8_length(t["s"])),
    Case("substring", "s", "substring(s, 2, 3)", arrow=lambda t: pc.utf8_slice_codeunits(t["s"], 1, 4)),
    Case("concat", "s n", "concat(s, '-', n)", "s || '-' || n", lambda t: pc.binary_join_element_wise(t["s"], t["n"], "-")),
    Case("LIKE '%a%'", "s", "s LIKE '%et%'", arrow=lambda t: pc.match_like(t["s"], "%et%")),
    Case("replace", "s", "replace(s, 'a', 'bb')", arrow=lambda t: pc.replace_substring(t["s"], "a", "bb")),
    Case("RLIKE", "s", "s RLIKE '^[a-z]+$'", "regexp_matches(s, '^[a-z]+$')", lambda t: pc.match_substring_regex(t["s"], "^[a-z]+$")),
    Case("split_part", "w", "split_part(w, '-', 2)"),
    Case("date_trunc hour", "z", "date_trunc('HOUR', z)", arrow=lambda t: pc.floor_temporal(t["z"], unit="hour")),
    Case("year", "z", "year(z)", arrow=lambda t: pc.year(t["z"])),
    Case("date_format", "z", "date_format(z, 'yyyy-MM-dd')", "strftime(z, '%Y-%m-%d')", lambda t: pc.strftime(t["z"], "%Y-%m-%d")),
    Case("round(double, 2)", "x", "round(x, 2)", arrow=lambda t: pc.round(t["x"], 2, "half_towards_infinity")),
    Case("md5", "s", "md5(s)"),
    Case("sum, avg, min, max", "b x", "struct(sum(b), avg(x), min(b), max(b))", "struct_pack(a := sum(b), b := avg(x), c := min(b), d := max(b))",
         lambda t: (pc.sum(t["b"]), pc.mean(t["x"]), pc.min_max(t["b"])), group=""),
    Case("count, sum by 1,000", "k d", "struct(count(*), sum(d))", "struct_pack(a := count(*), b := sum(d))",
         lambda t: t.group_by("k", use_threads=False).aggregate([([], "count_all"), ("d", "sum")]), group="k"),
    Case("sum, max by 100,000", "h b", "struct(sum(b), max(c))", "struct_pack(a := sum(b), b := max(c))",
         lambda t: t.group_by("h", use_threads=False).aggregate([("b", "sum"), ("c", "max")]), group="h"),
    Case("count by text", "s", "count(*)", arrow=lambda t: t.group_by("s", use_threads=False).aggregate([([], "count_all")]), group="s"),
]


def data_make(rows):
    chance = random.Random(7)

    def column(make, type):
        return pa.array([None if chance.random() < 0.1 else make() for _ in range(rows)], type)

    def money():
        return decimal_of(chance.randrange(-100_000, 10_000_000))
    stamp = 1_767_225_600_000_000
    from decimal import Decimal

    def decimal_of(cents):
        return Decimal(cents).scaleb(-2)

    def text_time():
        return f"2026-{chance.randint(1, 12):02}-{chance.randint(1, 28):02}T{chance.randint(0, 23):02}:{chance.randint(0, 59):02}:{chance.randint(0, 59):02}.{chance.randint(0, 999):03}"
    return pa.table({
        "i": pa.array(range(rows), pa.int32()),
        "b": column(lambda: chance.randrange(1000), pa.int64()), "c": column(lambda: chance.randrange(100_000), pa.int64()),
        "x": column(lambda: chance.random() * 1000, pa.float64()), "y": column(lambda: chance.random() + 1, pa.float64()),
        "d": column(money, pa.decimal128(12, 2)), "e": column(money, pa.decimal128(12, 2)),
        "f": column(lambda: chance.random() < 0.5, pa.bool_()), "g": column(lambda: chance.random() < 0.5, pa.bool_()),
        "s": column(lambda: chance.choice(WORDS), pa.string()),
        "n": column(lambda: str(chance.randrange(-1000, 1_000_000)), pa.string()),
        "m": column(lambda: str(money()), pa.string()), "w": column(text_time, pa.string()),
        "v": column(lambda: text_time()[:10], pa.string()),
        "z": column(lambda: stamp + chance.randrange(10**13), pa.timestamp("us", tz="UTC")),
        "k": pa.array([chance.randrange(1000) for _ in range(rows)], pa.int64()),
        "h": pa.array([chance.randrange(100_000) for _ in range(rows)], pa.int64()),
    })


def best_ns(work, rows):
    best = None
    for _ in range(ROUNDS):
        start = time.process_time()
        work()
        took = time.process_time() - start
        best = took if best is None else min(best, took)
    return best * 1e9 / rows


def run_leat(path, queries):
    lines = "".join(f"{name}\t{query}\n" for name, query in queries.items())
    done = subprocess.run([PROGRAM, path], input=lines, capture_output=True, text=True, check=True)
    if done.stderr:
        say(done.stderr.rstrip())
    return {name: float(ns) for name, ns in (line.split("\t") for line in done.stdout.splitlines())}


def arrow_ns(case, table, rows):
    if case.arrow is None:
        return None
    try:
        return best_ns(lambda: case.arrow(table), rows)
    except pa.ArrowException as error:
        say(f"PyArrow, {case.name}: {str(error).splitlines()[0][:100]}")
        return None


def less_base(ns, base):
    return None if ns is None or ns < 0 else max(ns - base, LEAST_NS)


def bench_kernels(rows, history):
    rows = rows or 1_000_000
    subprocess.run(["ninja", "-C", LEAT.parent, PROGRAM.name], check=True, stdout=subprocess.DEVNULL)
    folder = OUT / "kernels"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    say(f"making {rows:,} rows")
    table = data_make(rows)
    pq.write_table(table, folder / "t.parquet", compression="none")
    connection = duckdb.connect()
    connection.execute("SET threads = 1; SET TimeZone = 'UTC'; SET preserve_insertion_order = true")
    connection.execute(f"CREATE TABLE t AS SELECT * REPLACE (z::TIMESTAMP AS z) FROM '{folder}/t.parquet'")
    pa.set_cpu_count(1)
    queries = {}
    for case in CASES:
        queries[case.name] = case.query(case.leat)
        case.columns = case.columns.split(" ")
        if case.base:
            queries["base " + case.name] = case.base
    leat = run_leat(folder / "t.parquet", queries)
    flat = table.combine_chunks()
    chunk = {name: flat[name].chunk(0) for name in flat.column_names}
    results = []
    print(f"{'ns/row':26}{'leat':>8}{'DuckDB':>9}{'PyArrow':>9}{'/DuckDB':>9}")
    for case in CASES:
        duck_base = best_ns(lambda: connection.execute(case.duck_base()).fetchall(), rows) if case.base else 0
        duck = best_ns(lambda: connection.execute(case.duck_query()).fetchall(), rows)
        ours = less_base(leat[case.name], leat.get("base " + case.name, 0))
        theirs = less_base(duck, duck_base)
        arrow = arrow_ns(case, flat if case.group else chunk, rows)
        ratio = ours / theirs if ours is not None else None
        results.append({"name": case.name, "leat": ours, "duckdb": theirs, "pyarrow": arrow, "ratio": ratio})
        print(f"{case.name:26}{shown(ours)}{shown(theirs):>9}{shown(arrow):>9}{shown(ratio):>9}", flush=True)
    ratios = [r["ratio"] for r in results if r["ratio"] is not None]
    print(f"\nmedian of {len(ratios)}: {statistics.median(ratios):.2f} of DuckDB's time; {sum(r > 1.5 for r in ratios)} over 1.5, "
          f"{sum(r > 5 for r in ratios)} over 5")
    if history:
        history_add("kernels", history_line(rows=rows, median=round(statistics.median(ratios), 3), kernels=[
            {key: round(value, 3) if isinstance(value, float) else value for key, value in r.items()} for r in results]))
    shutil.rmtree(folder, ignore_errors=True)


def shown(value):
    return f"{value:8.2f}" if value is not None else "       -"

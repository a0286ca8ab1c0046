"""Parquet files of every type as PyArrow and DuckDB read them: values, schema, statistics.

    parquet_test.py [PROGRAM]   PROGRAM writes the files (default: build/debug/parquet_write_test)
"""
import datetime
import decimal
import json
import math
import os
import re
import struct
import subprocess
import sys
import tempfile
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

import page_index

ROOT = Path(__file__).resolve().parent.parent.parent
EPOCH = datetime.datetime(1970, 1, 1)
decimal.getcontext().prec = 80

results = []


def check(name, problems):
    results.append(not problems)
    for problem in problems[:10]:
        print(f"{name}: {problem}")


# ---- values in the form of the .jsonl ----


def plain(kind, value):
    """What PyArrow hands out, as parquet_write_test renders it."""
    if value is None:
        return None
    if pa.types.is_list(kind):
        return [plain(kind.value_type, v) for v in value]
    if pa.types.is_map(kind):
        return [[plain(kind.key_type, k), plain(kind.item_type, v)] for k, v in value]
    if pa.types.is_struct(kind):
        return [plain(field.type, value[field.name]) for field in kind]
    if pa.types.is_decimal(kind):
        return str(int(value.scaleb(kind.scale)))
    if pa.types.is_timestamp(kind):
        return (value.replace(tzinfo=None) - EPOCH) // datetime.timedelta(microseconds=1)
    if pa.types.is_date(kind):
        return (value - EPOCH.date()).days
    if pa.types.is_binary(kind):
        return value.hex()
    if pa.types.is_floating(kind):
        return float(value)
    return value


def wanted(kind, value):
    """The .jsonl's value, with its floating texts as numbers."""
    if value is None:
        return None
    if pa.types.is_list(kind):
        return [wanted(kind.value_type, v) for v in value]
    if pa.types.is_map(kind):
        return [[k, wanted(kind.item_type, v)] for k, v in value]
    if pa.types.is_struct(kind):
        return [wanted(field.type, v) for field, v in zip(kind, value)]
    if pa.types.is_float32(kind):
        return struct.unpack("f", struct.pack("f", float(value)))[0]
    if pa.types.is_floating(kind):
        return float(value)
    return value


def same(a, b):
    if isinstance(a, list) and isinstance(b, list):
        return len(a) == len(b) and all(map(same, a, b))
    if isinstance(a, float) and isinstance(b, float):
        return math.isnan(a) and math.isnan(b) or a == b and math.copysign(1, a) == math.copysign(1, b)
    return a == b


def value_problems(table, rows):
    if table.num_rows != len(rows):
        return [f"{table.num_rows} rows, expected {len(rows)}"]
    problems = []
    for i, field in enumerate(table.schema):
        got = [plain(field.type, v) for v in table.column(i).to_pylist()]
        for row, (a, b) in enumerate(zip(got, rows)):
            want = wanted(field.type, b[i])
            if not same(a, want):
                problems.append(f"column {field.name} row {row}: {a!r:.200}, expected {want!r:.200}")
                break
    return problems


# ---- schema ----

SIMPLE = {"BOOLEAN": pa.bool_(), "TINYINT": pa.int8(), "SMALLINT": pa.int16(), "INT": pa.int32(), "BIGINT": pa.int64(),
          "FLOAT": pa.float32(), "DOUBLE": pa.float64(), "STRING": pa.string(), "BINARY": pa.binary(), "DATE": pa.date32(),
          "TIMESTAMP": pa.timestamp("us", "UTC"), "TIMESTAMP_NTZ": pa.timestamp("us")}


def parse_type(ddl):
    """One type off the front of the text: (type, rest)."""
    word = re.match(r"\s*(\w+)\s*", ddl)
    name, rest = word[1], ddl[word.end():]
    if name == "DECIMAL":
        numbers = re.match(r"\((\d+),(\d+)\)", rest)
        return pa.decimal128(int(numbers[1]), int(numbers[2])), rest[numbers.end():]
    if name == "ARRAY":
        element, rest = parse_type(rest[1:])
        return pa.list_(pa.field("element", element)), rest.lstrip()[1:]
    if name == "MAP":
        key, rest = parse_type(rest[1:])
        value, rest = parse_type(rest.lstrip()[1:])
        return pa.map_(key, value), rest.lstrip()[1:]
    if name == "STRUCT":
        fields, rest = parse_fields(rest[1:], ">")
        return pa.struct(fields), rest
    return SIMPLE[name], rest


def parse_fields(ddl, end):
    fields, rest = [], ddl
    while True:
        name = re.match(r"\s*(\w+)\s*:?", rest)
        kind, rest = parse_type(rest[name.end():])
        fields.append(pa.field(name[1], kind))
        rest = rest.lstrip()
        if rest[:1] != ",":
            return fields, rest[len(end):]
        rest = rest[1:]


def schema_problems(file, ddl):
    want = pa.schema(parse_fields(ddl, "")[0])
    got = file.schema_arrow
    problems = [] if got.remove_metadata().equals(want) else [f"schema {got.remove_metadata()}, expected {want}"]
    spark = json.loads(file.metadata.metadata[b"org.apache.spark.sql.parquet.row.metadata"])
    if [f["name"] for f in spark["fields"]] != want.names:
        problems.append(f"Spark's row metadata: {spark}")
    return problems


# ---- statistics ----


def comparable(kind, value):
    return value.encode() if isinstance(value, str) else value


def exactness(path):
    """{(row group, column): (least is exact, greatest is exact)}; DuckDB shows these flags, PyArrow does not."""
    rows = duckdb.execute("select row_group_id, path_in_schema, min_is_exact, max_is_exact from parquet_metadata(?)", [str(path)])
    return {(group, column): (low, high) for group, column, low, high in rows.fetchall()}


def group_problems(path, file, group, exact):
    """Each flat column: nulls are exact, every value lies within the bounds, exact bounds are values."""
    problems = []
    metadata = file.metadata.row_group(group)
    table = file.read_row_group(group)
    for i in range(metadata.num_columns):
        column = metadata.column(i)
        if "." in column.path_in_schema:
            continue
        name, statistics = column.path_in_schema, column.statistics
        values = table.column(name)
        kind, present = values.type, [comparable(values.type, v) for v in values.to_pylist() if v is not None]
        if statistics.null_count != values.null_count:
            problems.append(f"{name}: {statistics.null_count} nulls, expected {values.null_count}")
        nan = any(v != v for v in present)
        if not statistics.has_min_max:
            if present and not nan and not (present and isinstance(present[0], bytes)):
                problems.append(f"{name}: no bounds")
            continue
        if nan or not present:
            problems.append(f"{name}: bounds for NaN or nothing")
            continue
        low, high = comparable(kind, statistics.min), comparable(kind, statistics.max)
        least, greatest = min(present), max(present)
        if low > least or high < greatest:
            problems.append(f"{name}: [{low!r:.90}, {high!r:.90}] does not hold [{least!r:.90}, {greatest!r:.90}]")
        low_exact, high_exact = exact[group, name]
        if low_exact != (low == least) or high_exact != (high == greatest):
            problems.append(f"{name}: wrong about bounds being exact")
        if not isinstance(low, bytes) and (low != least or high != greatest):
            problems.append(f"{name}: bounds are not exact")
        cut = 5 if "short_bounds" in str(path) else 64
        if isinstance(low, bytes) and max(len(low), len(high)) > cut:
            problems.append(f"{name}: bounds longer than {cut} bytes")
    return problems


# ---- filters: a reader that skips by statistics must find what is there ----


def filter_problems(path, table):
    problems = []
    for field in table.schema:
        if pa.types.is_nested(field.type) or pa.types.is_floating(field.type) or pa.types.is_boolean(field.type):
            continue
        column = table.column(field.name).to_pylist()
        for value in [v for v in column[:: len(column) // 3 + 1] if v is not None]:
            count = duckdb.execute(f'select count(*) from read_parquet(?) where "{field.name}" = ?', [str(path), value]).fetchone()[0]
            if count != column.count(value):
                problems.append(f"{field.name} = {value!r:.80}: {count} rows, expected {column.count(value)}")
    return problems


def bloom_problems(path, table):
    """Every value is found; of values that are absent, few are."""
    problems, groups = [], pq.ParquetFile(path).num_row_groups
    for name in ("s", "i64", "i32", "d", "f", "day", "d10", "x"):
        kind = table.schema.field(name).type
        present = {v for v in table.column(name).to_pylist() if v is not None}
        absent = [v for v in ABSENT[name] if v not in present]
        found = [sum(bloom_probe(path, name, v) for v in some) for some in (sorted(present)[:60], absent)]
        if found[0] < len(sorted(present)[:60]):
            problems.append(f"{name} ({kind}): {found[0]} values found")
        if found[1] > groups * len(absent) / 10:
            problems.append(f"{name} ({kind}): {found[1]} of {len(absent)} absent values found")
    return problems


ABSENT = {"s": [f"absent {i}" for i in range(40)], "x": [b"absent %d" % i for i in range(40)], "i64": range(90000, 90040),
          "i32": range(90000, 90040), "d": [i + 0.123 for i in range(40)], "f": [i + 0.5 for i in range(40)],
          "day": [datetime.date(2500, 1, 1 + i) for i in range(28)], "d10": [decimal.Decimal(90000 + i) for i in range(40)]}


def bloom_probe(path, name, value):
    """In how many row groups the value may be: at least one."""
    rows = duckdb.execute("select bloom_filter_excludes from parquet_bloom_probe(?, ?, ?)", [str(path), name, value]).fetchall()
    return any(not excluded for (excluded,) in rows)


def order_problems(file):
    """Rows of each row group in the order that its metadata says."""
    problems = []
    for group in range(file.num_row_groups):
        sorting = file.metadata.row_group(group).sorting_columns
        rows = list(zip(*(file.read_row_group(group).column(s.column_index).to_pylist() for s in sorting)))
        if not sorting or any(after(a, b, sorting) for a, b in zip(rows, rows[1:])):
            problems.append(f"row group {group} is not sorted by {sorting}")
    return problems


def after(a, b, sorting):
    for x, y, by in zip(a, b, sorting):
        if x is None or y is None:
            if (x is None) != (y is None):
                return (y is None) == by.nulls_first
        elif comparable(None, x) != comparable(None, y):
            return (comparable(None, x) > comparable(None, y)) != by.descending
    return False


def file_check(path):
    name = path.stem
    lines = path.with_suffix(".jsonl").read_bytes().decode().split("\n")[:-1]
    ddl, rows = json.loads(lines[0]), [json.loads(line) for line in lines[1:]]
    file = pq.ParquetFile(path, page_checksum_verification=True)
    table = file.read()
    check(f"{name}: PyArrow", value_problems(table, rows))
    check(f"{name}: schema", schema_problems(file, ddl))
    check(f"{name}: page index", page_index.problems(path, file))
    if name == "bloom":
        check(f"{name}: Bloom filters", bloom_problems(path, table))
    if name.startswith("sorted"):
        check(f"{name}: order", order_problems(file))
    exact = exactness(path)
    check(f"{name}: statistics", [p for g in range(file.num_row_groups) for p in group_problems(path, file, g, exact)])
    duck = duckdb.read_parquet(str(path)).to_arrow_table()
    check(f"{name}: DuckDB", value_problems(duck, rows))
    if len(rows) <= 10000:
        check(f"{name}: filters", filter_problems(path, table))


def main():
    program = sys.argv[1] if len(sys.argv) > 1 else os.environ.get("LEAT_PARQUET_WRITE", ROOT / "build/debug/parquet_write_test")
    duckdb.execute("set TimeZone = 'UTC'")
    with tempfile.TemporaryDirectory(dir=os.environ.get("TEST_DIR")) as folder:
        done = subprocess.run([program], env={**os.environ, "LEAT_PARQUET_OUT": folder}, capture_output=True, text=True)
        check("writing", [] if done.returncode == 0 else [done.stdout[-3000:] + done.stderr[-3000:]])
        for path in sorted(Path(folder).glob("*.parquet")):
            try:
                file_check(path)
            except Exception as error:
                check(path.stem, [f"{type(error).__name__}: {error}"])
    failed = results.count(False)
    print(f"{len(results) - failed} passed, {failed} failed")
    return failed > 0


if __name__ == "__main__":
    sys.exit(main())

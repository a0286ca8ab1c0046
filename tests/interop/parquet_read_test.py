#!/usr/bin/env python3
"""leat reads what PyArrow writes: every type, encoding, codec and page version, and the files of parquet-testing.

Use  parquet_read_test.py [--write] [PROGRAM]   PROGRAM: parquet_read_test, which leaves NAME.read beside each NAME.parquet
CONFORMANCE_DIR: also compare the files of parquet-testing with what PyArrow reads there (skipped without it), and docs/parquet-testing.md
with what came of it; --write makes that page anew
"""
import datetime
import decimal
import json
import os
import random
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

ROOT = Path(__file__).resolve().parents[2]
EPOCH = datetime.datetime(1970, 1, 1)
ROWS = 6000
results = []


def check(name, problems):
    results.append(not problems)
    for problem in problems[:5]:
        print(f"FAIL {name}: {problem}")


# ---- what leat prints, from what PyArrow reads ----


def plain(kind, value):
    """A value in the form of tests/contract/parquet_rows.h."""
    if value is None:
        return None
    if pa.types.is_dictionary(kind):
        return plain(kind.value_type, value)
    if pa.types.is_struct(kind):
        return [plain(f.type, value[f.name]) for f in kind]
    if pa.types.is_map(kind):
        return [[plain(kind.key_type, k), plain(kind.item_type, v)] for k, v in value]
    if pa.types.is_list(kind) or pa.types.is_large_list(kind):
        return [plain(kind.value_type, v) for v in value]
    if pa.types.is_float32(kind):
        return "%.9g" % value
    if pa.types.is_floating(kind):
        return "%.17g" % value
    if pa.types.is_decimal(kind):
        return str(int(value.scaleb(kind.scale, decimal.Context(prec=60))))
    if pa.types.is_uint64(kind):
        return str(value)
    if pa.types.is_binary(kind) or pa.types.is_large_binary(kind) or pa.types.is_fixed_size_binary(kind):
        return value.hex()
    return value


def micros(table):
    """Times as integers, so that Python's datetime loses nothing."""

    def kind_of(kind):
        if pa.types.is_timestamp(kind):
            return pa.timestamp("us")
        if pa.types.is_struct(kind):
            return pa.struct([pa.field(f.name, kind_of(f.type)) for f in kind])
        if pa.types.is_map(kind):
            return pa.map_(kind_of(kind.key_type), kind_of(kind.item_type))
        if pa.types.is_list(kind):
            return pa.list_(kind_of(kind.value_type))
        return kind

    def number(kind, value):
        if value is None:
            return None
        if pa.types.is_timestamp(kind):
            return (value.replace(tzinfo=None) - EPOCH) // datetime.timedelta(microseconds=1)
        if pa.types.is_date(kind):
            return (value - EPOCH.date()).days
        if pa.types.is_struct(kind):
            return {f.name: number(f.type, value[f.name]) for f in kind}
        if pa.types.is_map(kind):
            return [(number(kind.key_type, k), number(kind.item_type, v)) for k, v in value]
        if pa.types.is_list(kind):
            return [number(kind.value_type, v) for v in value]
        return value

    columns = []
    for field, column in zip(table.schema, table.columns):
        wanted = kind_of(field.type)
        values = column.to_pylist() if wanted == field.type else column.cast(wanted, safe=False).to_pylist()
        columns.append([plain(field.type, number(wanted, v)) for v in values])
    return columns


def read_problems(path, table):
    lines = path.with_suffix(".read").read_bytes().decode(errors="surrogateescape").split("\n")[1:-1]
    if lines and lines[-1].startswith("error: "):
        return [lines[-1]]
    if len(lines) != table.num_rows:
        return [f"{len(lines)} rows, expected {table.num_rows}"]
    got = list(zip(*[json.loads(line) for line in lines])) or [()] * table.num_columns
    problems = []
    for field, have, want in zip(table.schema, got, micros(table)):
        for row, (a, b) in enumerate(zip(have, want)):
            if a != b and not (isinstance(b, str) and b.lstrip("-") == "nan" and a.lstrip("-") == "nan"):
                problems.append(f"column {field.name} ({field.type}) row {row}: {a!r:.150}, expected {b!r:.150}")
                break
    return problems


# ---- tables ----


def some(rng, make, nulls):
    return [None if rng.random() < nulls else make() for _ in range(ROWS)]


def word(rng, most=20):
    return "".join(rng.choice("abcäö€😀 z") for _ in range(rng.randrange(most)))


def flat(seed, nulls, distinct=0):
    rng = random.Random(seed)
    pool = {}

    def pick(name, make):
        if distinct == 0:
            return make
        pool[name] = [make() for _ in range(distinct)]
        return lambda: rng.choice(pool[name])

    def column(name, kind, make):
        return pa.field(name, kind), pa.array(some(rng, pick(name, make), nulls), kind)

    def digits(n, scale):
        return lambda: decimal.Decimal(rng.randrange(-(10**n) + 1, 10**n)).scaleb(-scale, decimal.Context(prec=60))

    columns = [
        column("b", pa.bool_(), lambda: rng.random() < 0.5),
        column("i8", pa.int8(), lambda: rng.randrange(-128, 128)),
        column("i16", pa.int16(), lambda: rng.randrange(-(2**15), 2**15)),
        column("i32", pa.int32(), lambda: rng.randrange(-(2**31), 2**31)),
        column("i64", pa.int64(), lambda: rng.randrange(-(2**63), 2**63)),
        column("small", pa.int64(), lambda: rng.randrange(1000)),
        column("u8", pa.uint8(), lambda: rng.randrange(256)),
        column("u16", pa.uint16(), lambda: rng.randrange(2**16)),
        column("u32", pa.uint32(), lambda: rng.randrange(2**32)),
        column("u64", pa.uint64(), lambda: rng.randrange(2**64)),
        column("f", pa.float32(), lambda: rng.choice([0.0, -0.0, float("nan"), float("inf"), rng.randrange(1000) / 8])),
        column("d", pa.float64(), lambda: rng.choice([0.0, -0.0, float("nan"), rng.random()])),
        column("s", pa.string(), lambda: word(rng)),
        column("x", pa.binary(), lambda: bytes(rng.randrange(256) for _ in range(rng.randrange(12)))),
        column("fixed", pa.binary(7), lambda: bytes(rng.randrange(256) for _ in range(7))),
        column("day", pa.date32(), lambda: EPOCH.date() + datetime.timedelta(days=rng.randrange(-100000, 100000))),
        column("us", pa.timestamp("us", "UTC"), lambda: EPOCH + datetime.timedelta(microseconds=rng.randrange(-(2**55), 2**55))),
        column("local", pa.timestamp("us"), lambda: EPOCH + datetime.timedelta(microseconds=rng.randrange(2**50))),
        column("ms", pa.timestamp("ms", "UTC"), lambda: EPOCH + datetime.timedelta(milliseconds=rng.randrange(-(2**43), 2**45))),
        column("ns", pa.timestamp("ns"), lambda: EPOCH + datetime.timedelta(microseconds=rng.randrange(-(2**50), 2**50))),
        column("d4", pa.decimal128(4, 1), digits(4, 1)),
        column("d18", pa.decimal128(18, 3), digits(18, 3)),
        column("d38", pa.decimal128(38, 10), digits(38, 10)),
    ]
    return pa.Table.from_arrays([c[1] for c in columns], schema=pa.schema([c[0] for c in columns]))


def nested(seed, nulls):
    rng = random.Random(seed)

    def maybe(make):
        return lambda: None if rng.random() < nulls else make()

    def many(make):
        return lambda: [make() for _ in range(rng.choice([0, 0, 1, 2, 3, 30]))]

    number, text = maybe(lambda: rng.randrange(100)), maybe(lambda: word(rng, 6))
    at = maybe(lambda: EPOCH + datetime.timedelta(microseconds=rng.randrange(2**50)))
    inner = pa.struct([pa.field("k", pa.string()), pa.field("l", pa.list_(pa.timestamp("us", "UTC")))])
    kinds = [
        ("a", pa.list_(pa.int32()), maybe(many(number))),
        ("s", pa.struct([pa.field("x", pa.int64()), pa.field("y", pa.struct([pa.field("z", pa.string())]))]),
         maybe(lambda: {"x": number(), "y": maybe(lambda: {"z": text()})()})),
        ("m", pa.map_(pa.string(), pa.int32()), maybe(lambda: [(f"k{i}", number()) for i in range(rng.randrange(4))])),
        ("aa", pa.list_(pa.list_(pa.string())), maybe(many(maybe(many(text))))),
        ("ast", pa.list_(inner), maybe(many(maybe(lambda: {"k": text(), "l": maybe(many(at))()})))),
        ("need", pa.list_(pa.field("element", pa.int32(), nullable=False)), maybe(many(lambda: rng.randrange(9)))),
        ("id", pa.int64(), lambda: rng.randrange(2**40)),
    ]
    return pa.table({n: pa.array([make() for _ in range(ROWS // 4)], kind) for n, kind, make in kinds})


def write_all(folder):
    tables = {"flat": flat(1, 0), "nulls": flat(2, 0.2), "few": flat(3, 0.1, 30), "void": flat(4, 1)}
    for codec in ["NONE", "SNAPPY", "GZIP", "ZSTD", "LZ4"]:
        pq.write_table(tables["nulls"], folder / f"codec_{codec}.parquet", compression=codec)
    for version in ["1.0", "2.0"]:
        for name, table in tables.items():
            options = {"data_page_version": version, "row_group_size": 2500, "data_page_size": 5000}
            pq.write_table(table, folder / f"{name}_v{version[0]}.parquet", **options)
            pq.write_table(table, folder / f"{name}_plain_v{version[0]}.parquet", use_dictionary=False, **options)
    crc = {"write_page_checksum": True, "use_deprecated_int96_timestamps": True}
    pq.write_table(tables["nulls"].drop_columns(["ms", "ns"]), folder / "int96_checksums.parquet", **crc)
    encodings = {"i32": "DELTA_BINARY_PACKED", "i64": "DELTA_BINARY_PACKED", "us": "DELTA_BINARY_PACKED",
                 "s": "DELTA_BYTE_ARRAY", "x": "DELTA_LENGTH_BYTE_ARRAY", "fixed": "DELTA_BYTE_ARRAY", "f": "BYTE_STREAM_SPLIT",
                 "d": "BYTE_STREAM_SPLIT", "small": "BYTE_STREAM_SPLIT", "d38": "BYTE_STREAM_SPLIT", "b": "RLE"}
    for name in ["flat", "nulls", "void"]:
        for version in ["1.0", "2.0"]:
            pq.write_table(tables[name], folder / f"{name}_delta_v{version[0]}.parquet", use_dictionary=False,
                           column_encoding=encodings, data_page_version=version, data_page_size=20000)
    for nulls in [0, 0.2]:
        for version in ["1.0", "2.0"]:
            pq.write_table(nested(5, nulls), folder / f"nested_{nulls}_v{version[0]}.parquet", data_page_version=version,
                           row_group_size=500, data_page_size=3000)
    required = pa.schema([f.with_nullable(False) for f in tables["flat"].schema])
    pq.write_table(tables["flat"].cast(required), folder / "required.parquet")
    pq.write_table(tables["flat"].slice(0, 0), folder / "empty.parquet")


# Files that PyArrow reads as types that Spark, and so leat, sees in another way.
OTHERS = {"map_no_value": "a map without values: leat a STRUCT of a list, as it is stored; PyArrow a list of keys"}
BEYOND = {"int96_from_spark": "times beyond PyArrow's nanoseconds", "incorrect_map_schema": "keys of a map that may be NULL",
          "nested_structs.rust": "dates beyond Python's"}
PAGE = ROOT / "docs/parquet-testing.md"
HEAD = """# The files of parquet-testing

What comes of each file of [apache/parquet-testing](https://github.com/apache/parquet-testing): `data`, also the encrypted ones, and `bad_data`. Written by
`tests/interop/parquet_read_test.py --write`, and held against what it finds by the same test.

| files | |
|---|---|
"""


def conformance(folder):
    """The good files below `good`, the bad ones below `bad`; encrypted ones are called so."""
    source = os.environ.get("CONFORMANCE_DIR")
    for kind, name in (("good", "data"), ("bad", "bad_data")):
        (folder / kind).mkdir(parents=True)
        if source is None:
            continue
        for path in sorted(Path(source, "parquet-testing", name).rglob("*.parquet*")):
            if path.suffix == ".parquet" or path.name.endswith(".parquet.encrypted"):
                shutil.copy(path, folder / kind / path.name.replace(".parquet.encrypted", ".encrypted.parquet"))
    if source is None:
        print("skipped: no CONFORMANCE_DIR for parquet-testing")


def refusal(path):
    """Why leat does not read the file; None: it does."""
    last = path.with_suffix(".read").read_bytes().decode(errors="surrogateescape").rstrip("\n").rpartition("\n")[2]
    return last.partition(".parquet: ")[2] or last if last.startswith("error: ") else None


def conformance_check(path):
    """(what came of it, problems). Compared where both read the file; what only one reads is not PyArrow's to judge."""
    why = refusal(path)
    try:
        table = pq.ParquetFile(path).read()
        table.to_pylist()
    except Exception:
        table = None
    if why is not None:
        return ("refused" if table is None else "refused, PyArrow reads it"), []
    if table is None:
        return "read, not by PyArrow in Python", []
    if path.stem in OTHERS:
        return "read as another type than PyArrow's", []
    halves = [field.name for field in table.schema if pa.types.is_float16(field.type)]
    if len(halves) == table.num_columns:
        return "read as rows without columns: all are FLOAT16", []
    if halves:
        return "read without its FLOAT16 columns, the others equal to PyArrow", read_problems(path, table.drop_columns(halves))
    return "read, equal to PyArrow", read_problems(path, table)


def page_of(outcomes):
    """outcomes: {(good or bad, what came of it): [path]}"""
    text = HEAD
    for (kind, outcome), paths in sorted(outcomes.items(), key=lambda item: (item[0][0] == "bad", -len(item[1]))):
        text += f"| {len(paths)} {kind} | {outcome} |\n"
    text += "\n| file | | why |\n|---|---|---|\n"
    for (kind, outcome), paths in sorted(outcomes.items(), key=lambda item: (item[0][0] == "bad", -len(item[1]))):
        for path in paths if outcome != "read, equal to PyArrow" else ():
            text += f"| `{path.stem}` | {kind}: {outcome} | {refusal(path) or {**OTHERS, **BEYOND}.get(path.stem, '')} |\n"
    return text


def conformance_judge(folder, write):
    outcomes = {}
    for kind in ("good", "bad"):
        for path in sorted((folder / kind).glob("*.parquet")):
            outcome, problems = conformance_check(path)
            check(path.stem, problems)
            outcomes.setdefault((kind, outcome), []).append(path)
    if not outcomes:
        return
    page = page_of(outcomes)
    if write:
        PAGE.write_text(page)
    check("docs/parquet-testing.md", [] if PAGE.exists() and PAGE.read_text() == page else ["it says something else: run with --write"])
    print(f"{sum(map(len, outcomes.values()))} files of parquet-testing")


def main():
    words = [word for word in sys.argv[1:] if word != "--write"]
    program = words[0] if words else os.environ.get("LEAT_PARQUET_READ", ROOT / "build/debug/parquet_read_test")
    with tempfile.TemporaryDirectory(dir=os.environ.get("TEST_DIR")) as name:
        ours, theirs = Path(name, "ours"), Path(name, "theirs")
        ours.mkdir()
        write_all(ours)
        conformance(theirs)
        for folder in [ours, theirs / "good", theirs / "bad"]:
            environment = {k: v for k, v in os.environ.items() if k != "CONFORMANCE_DIR"}
            done = subprocess.run([program], env={**environment, "LEAT_PARQUET_IN": str(folder)}, capture_output=True)
            check("reading", [] if done.returncode == 0 else [done.stdout[-3000:].decode() + done.stderr[-3000:].decode()])
        for path in sorted(ours.glob("*.parquet")):
            table = pq.read_table(path, coerce_int96_timestamp_unit="us", use_threads=False)
            check(path.stem, read_problems(path, table))
        conformance_judge(theirs, "--write" in sys.argv)
    failed = results.count(False)
    print(f"{len(results) - failed} passed, {failed} failed")
    return failed > 0


if __name__ == "__main__":
    sys.exit(main())

"""Tables as multisets of rows, and how two of them differ.

Times are compared in microseconds, decimals with their scale, NaN equals NaN, 0.0 differs from -0.0. Doubles must be equal;
where rows are left over on both sides they are paired again with doubles up to ULPS steps apart, because sums of doubles
depend on the order of rows, which neither engine promises.
"""
import datetime
import math
import struct
import urllib.parse
from collections import Counter

import pyarrow as pa
import pyarrow.parquet as pq

ULPS = 4
SHOWN = 4


def type_text(kind):
    if pa.types.is_struct(kind):
        return "struct<" + ", ".join(f"{f.name}: {type_text(f.type)}" for f in kind) + ">"
    if pa.types.is_map(kind):
        return f"map<{type_text(kind.key_type)}, {type_text(kind.item_type)}>"
    if pa.types.is_list(kind):
        return f"list<{type_text(kind.value_type)}>"
    return str(kind)


def plain(value):
    """A value that can be compared, hashed and shown."""
    if isinstance(value, float):
        return ("NaN",) if math.isnan(value) else (value, math.copysign(1, value)) if value == 0 else value
    if isinstance(value, datetime.datetime):
        return value.isoformat()
    if isinstance(value, dict):
        return tuple((name, plain(item)) for name, item in value.items())
    if isinstance(value, (list, tuple)):
        return tuple(plain(item) for item in value)
    return value


def sorted_list(value):
    return None if value is None else tuple(sorted(value, key=repr))


def with_folders(table, path):
    """The columns of PARTITIONED BY stand in the names of leat's folders; a pipeline of Spark's keeps them in its files."""
    for folder in path.parts[:-1]:
        name, equals, value = folder.partition("=")
        if equals:
            column = pa.array([urllib.parse.unquote(value)] * table.num_rows, pa.string())
            table = table.append_column(name, column)
    return table


class Table:
    """All Parquet files of some folders; hidden ones and those of folders that begin with _ are not read."""

    def __init__(self, folders, unordered=()):
        files = [path for folder in folders for path in sorted(folder.rglob("*.parquet"))
                 if not any(part[0] in "._" for part in path.relative_to(folder).parts)]
        self.schema, self.rows = None, Counter()
        for path in files:
            table = with_folders(pq.ParquetFile(path).read(), path)
            if self.schema is None:
                self.schema = {f.name: type_text(f.type) for f in table.schema}
            table = table.select(list(self.schema))  # flows write their columns by name
            columns = [[plain(value) for value in column.to_pylist()] for column in table.columns]
            for i, name in enumerate(table.column_names):
                if name in unordered:
                    columns[i] = [sorted_list(value) for value in columns[i]]
            self.rows.update(zip(*columns) if columns else [])

    def count(self):
        return self.rows.total()


def ordinal(value):
    """Doubles in order as integers, neighbours one apart."""
    bits = struct.unpack("<q", struct.pack("<d", value))[0]
    return bits if bits >= 0 else -(bits & 0x7FFFFFFFFFFFFFFF)


def near(a, b):
    if isinstance(a, float) and isinstance(b, float):
        return abs(ordinal(a) - ordinal(b)) <= ULPS
    if isinstance(a, tuple) and isinstance(b, tuple):
        return len(a) == len(b) and all(map(near, a, b))
    return type(a) is type(b) and a == b


def differences(name, leat, spark):
    """Texts of what differs; empty when the tables are equal."""
    found = []
    if leat.schema and spark.schema and leat.schema != spark.schema:
        pairs = [f"{key} is {leat.schema.get(key)}, on Spark {spark.schema.get(key)}"
                 for key in {**leat.schema, **spark.schema} if leat.schema.get(key) != spark.schema.get(key)]
        found.append(f"{name}: " + ("; ".join(pairs) or "the columns are in another order"))
    ours, theirs = leat.rows - spark.rows, list((spark.rows - leat.rows).elements())
    left = []
    for row in ours.elements():
        partner = next((other for other in theirs if near(row, other)), None)
        if partner is None:
            left.append(row)
        else:
            theirs.remove(partner)
    if left or theirs:
        found.append(f"{name}: {leat.count()} rows, Spark {spark.count()}; only here {len(left)}, missing {len(theirs)}")
        found += [f"    only here  {row}" for row in sorted(left, key=repr)[:SHOWN]]
        found += [f"    missing    {row}" for row in sorted(theirs, key=repr)[:SHOWN]]
    return found

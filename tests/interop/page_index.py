"""The page index of a Parquet file, read from its bytes: neither PyArrow nor DuckDB shows it.

problems(path, file) compares it with the pages it speaks of: the OffsetIndex with the headers that stand where it says,
the ColumnIndex with the values that PyArrow reads.
"""
import struct

import pyarrow as pa


class Thrift:
    """Thrift's compact protocol: structs as {field id: value}, lists as lists."""

    def __init__(self, data, at=0):
        self.data, self.at = data, at

    def byte(self):
        self.at += 1
        return self.data[self.at - 1]

    def varint(self):
        value = shift = 0
        while True:
            byte = self.byte()
            value |= (byte & 0x7F) << shift
            if byte < 0x80:
                return value
            shift += 7

    def zigzag(self):
        value = self.varint()
        return value >> 1 ^ -(value & 1)

    def value(self, kind, in_list=False):
        if kind in (1, 2):
            return self.byte() == 1 if in_list else kind == 1
        if kind == 3:
            return struct.unpack("b", bytes([self.byte()]))[0]
        if kind in (4, 5, 6):
            return self.zigzag()
        if kind == 8:
            size = self.varint()
            self.at += size
            return self.data[self.at - size : self.at]
        if kind == 9:
            head = self.byte()
            count = head >> 4 if head >> 4 < 15 else self.varint()
            return [self.value(head & 15, True) for _ in range(count)]
        if kind == 12:
            return self.struct()
        raise ValueError(f"kind {kind}")

    def struct(self):
        fields, field = {}, 0
        while True:
            head = self.byte()
            if head == 0:
                return fields
            field = field + (head >> 4) if head >> 4 else self.zigzag()
            fields[field] = self.value(head & 15)


def footer(data):
    size = struct.unpack("<I", data[-8:-4])[0]
    return Thrift(data[-8 - size : -8]).struct()


def decode(physical, kind, value):
    """A bound as what PyArrow hands out in its place: integers, floats, bytes."""
    if physical in (1, 2):
        return int.from_bytes(value, "little", signed=True)
    if physical == 0:
        return value == b"\x01"
    if physical in (4, 5):
        return struct.unpack("<f" if physical == 4 else "<d", value)[0]
    if physical == 7:
        return int.from_bytes(value, "big", signed=True)
    return value


def storage(column):
    """A flat column's values as Parquet stores them."""
    kind = column.type
    if pa.types.is_decimal(kind):
        return [None if v is None else int(v.scaleb(kind.scale)) for v in column.to_pylist()]
    if pa.types.is_timestamp(kind):
        column = column.cast(pa.int64())
    elif pa.types.is_date(kind):
        column = column.cast(pa.int32())
    values = column.to_pylist()
    return [v.encode() if isinstance(v, str) else v for v in values]


def page_problems(name, physical, kind, index, page, values):
    empty, low, high = index[1][page], index[2][page], index[3][page]
    present = [v for v in values if v is not None]
    problems = []
    if empty != (not present) or index[5][page] != len(values) - len(present):
        problems.append(f"{name} page {page}: empty {empty}, nulls {index[5][page]} of {len(values)} values")
    if present and not decode(physical, kind, low) <= min(present) <= max(present) <= decode(physical, kind, high):
        problems.append(f"{name} page {page}: [{low!r:.60}, {high!r:.60}] does not hold [{min(present)!r:.60}, {max(present)!r:.60}]")
    return problems


def order_problems(name, physical, kind, index):
    bounds = [(decode(physical, kind, low), decode(physical, kind, high))
              for empty, low, high in zip(index[1], index[2], index[3]) if not empty]
    pairs = list(zip(bounds, bounds[1:]))
    rises = all(a[0] <= b[0] and a[1] <= b[1] for a, b in pairs)
    falls = all(a[0] >= b[0] and a[1] >= b[1] for a, b in pairs)
    want = 1 if rises else 2 if falls else 0
    return [] if index[4] == want else [f"{name}: boundary order {index[4]}, expected {want}"]


def offset_problems(name, data, chunk, places, rows):
    """Pages follow each other; a header stands where each begins, and says how long it is."""
    problems, meta = [], chunk[3]
    end = places[0][1]
    if end != meta[9]:
        problems.append(f"{name}: first page at {end}, not {meta[9]}")
    for number, place in enumerate(places):
        thrift = Thrift(data, place[1])
        header = thrift.struct()
        if place[1] != end or thrift.at - place[1] + header[3] != place[2] or header[1] not in (0, 3):
            problems.append(f"{name} page {number}: {place} points at {header}")
        end = place[1] + place[2]
    start = meta.get(11, meta[9])
    if end - start != meta[7] or not 0 <= places[-1][3] < rows:
        problems.append(f"{name}: pages end at {end}, the chunk has {meta[7]} bytes from {start} on")
    return problems


def chunk_problems(data, file, chunk, group, column, rows):
    name = ".".join(part.decode() for part in chunk[3][3])
    places = Thrift(data, chunk[4]).struct()[1]
    problems = offset_problems(name, data, chunk, places, rows)
    if Thrift(data[chunk[4] : chunk[4] + chunk[5]]).struct()[1] != places:
        problems.append(f"{name}: length of the OffsetIndex")
    flat = len(chunk[3][3]) == 1
    if not flat:
        return problems
    table = column.chunk(0) if column.num_chunks == 1 else column.combine_chunks()
    kind, physical, values = column.type, chunk[3][1], storage(table)
    if 6 not in chunk:
        unbounded = any(v != v for v in values) or any(isinstance(v, bytes) and len(v) >= 3 for v in values)
        return problems if unbounded else problems + [f"{name}: no ColumnIndex"]
    index = Thrift(data[chunk[6] : chunk[6] + chunk[7]]).struct()
    firsts = [place[3] for place in places] + [rows]
    for page in range(len(places)):
        problems += page_problems(name, physical, kind, index, page, values[firsts[page] : firsts[page + 1]])
    return problems + order_problems(name, physical, kind, index)


def problems(path, file):
    data = path.read_bytes()
    found = []
    for number, group in enumerate(footer(data).get(4, [])):
        table = file.read_row_group(number)
        for chunk in group[1]:
            column = table.column(chunk[3][3][0].decode())
            found += chunk_problems(data, file, chunk, number, column, group[3])
    return found

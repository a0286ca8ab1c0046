"""Tables of random schemas and rows, written by leat in every way that it can, and what each of them must hold.

A seed gives the schema (nested three deep, decimals of 1 to 38 digits, times of both kinds, NaN and -0.0, mostly NULL,
nothing but NULL), the rows, the input files (written by PyArrow in encodings of its choice, one without rows) and the
columns of PARTITIONED BY. A project takes the ids of a file an epoch, and joins them with the files, which stand still, into
the tables of LAYOUTS. Readers hand in what they found as an Arrow table; problems() says what differs.
"""
import datetime
import json
import random
import string
import sys
from dataclasses import dataclass
from decimal import Context, Decimal
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

sys.path.append(str(Path(__file__).resolve().parent.parent / "parity"))
import rows as parity  # noqa: E402

FILE_ROWS = (1, 0, 180, 60)
FILES_BEFORE = 2  # read before the evolved table gets the rest of its columns
COLUMNS = 7
DEPTH = 3
UTC = datetime.timezone.utc
EPOCH = datetime.datetime(1970, 1, 1)

# Names of tables: their TBLPROPERTIES. Delta tables begin with d_.
LAYOUTS = {
    "p_plain": {},
    "p_zstd": {"parquet.compression": "zstd", "parquet.compression.codec.zstd.level": "9", "parquet.enable.dictionary": "false"},
    "p_gzip_v1": {"parquet.compression": "gzip", "parquet.writer.version": "v1", "parquet.page.row.count.limit": "7"},
    "p_lz4_v2": {"parquet.compression": "lz4_raw", "parquet.writer.version": "v2", "parquet.block.row.count.limit": "50"},
    "p_split": {"parquet.compression": "none", "parquet.enable.dictionary": "false", "parquet.enable.bytestreamsplit": "true"},
    "p_bloom": {"parquet.bloom.filter.enabled": "true", "parquet.sorting.columns": "id DESC", "parquet.enable.delta": "false",
                "parquet.page.size": "1kB"},
    "p_variant": {},
    "d_plain": {"delta.checkpointInterval": "2"},
    "d_parted": {"parquet.compression": "zstd", "delta.checkpointInterval": "1"},
    "d_v2": {"delta.checkpointPolicy": "v2", "delta.checkpointInterval": "2", "delta.enableInCommitTimestamps": "true"},
    "d_evolved": {"delta.checkpointInterval": "2"},
    "d_variant": {"delta.checkpointInterval": "2"},
}
SPLIT = "p_split"  # Spark reads BYTE_STREAM_SPLIT only without its vectorized reader


# ---- types and their values -----------------------------------------------------------------------------------------


@dataclass
class Kind:
    ddl: str
    arrow: pa.DataType
    value: object  # a function of the random numbers
    partition: bool = False


def text(rng):
    return "".join(rng.choices(string.ascii_letters + " ü漢😀'\"\\/=%", k=rng.choice((0, 1, 3, 8, 90))))


def real(rng, bits):
    edge = rng.choice((0.0, -0.0, float("nan"), float("inf"), float("-inf"), 1.5, -2.25))
    value = rng.choice((edge, rng.uniform(-1e6, 1e6), rng.gauss(0, 1)))
    return pa.scalar(value, pa.float32()).as_py() if bits == 32 else value


def day(rng):
    return datetime.date(1, 1, 1) + datetime.timedelta(rng.choice((0, 3652058, rng.randrange(3652058), 739000 + rng.randrange(999))))


def moment(rng):
    micros = rng.choice((0, 999_999, rng.randrange(1_000_000)))
    return datetime.datetime.combine(day(rng), datetime.time(rng.randrange(24), rng.randrange(60), rng.randrange(60), micros))


def integer(bits):
    low, high = -1 << bits - 1, (1 << bits - 1) - 1
    return lambda rng: rng.choice((low, high, 0, rng.randrange(-9, 9), rng.randrange(low, high)))


def decimal(rng):
    precision = rng.choice((1, 9, 10, 18, 19, 38, rng.randint(1, 38)))
    scale = rng.choice((0, precision, rng.randint(0, precision)))

    def value(rng):
        digits = rng.randint(1, precision)
        return Decimal(rng.choice((-1, 1)) * rng.randrange(10 ** digits)).scaleb(-scale, context=WIDE)
    return Kind(f"DECIMAL({precision},{scale})", pa.decimal128(precision, scale), value, True)


WIDE = Context(prec=80)
SIMPLE = (
    Kind("BOOLEAN", pa.bool_(), lambda rng: rng.random() < 0.5, True),
    Kind("TINYINT", pa.int8(), integer(8), True),
    Kind("SMALLINT", pa.int16(), integer(16), True),
    Kind("INT", pa.int32(), integer(32), True),
    Kind("BIGINT", pa.int64(), integer(64), True),
    Kind("FLOAT", pa.float32(), lambda rng: real(rng, 32)),
    Kind("DOUBLE", pa.float64(), lambda rng: real(rng, 64)),
    Kind("STRING", pa.string(), text, True),
    Kind("BINARY", pa.binary(), lambda rng: rng.randbytes(rng.choice((0, 1, 5, 70)))),
    Kind("DATE", pa.date32(), day, True),
    Kind("TIMESTAMP", pa.timestamp("us", "UTC"), lambda rng: moment(rng).replace(tzinfo=UTC), True),
    Kind("TIMESTAMP_NTZ", pa.timestamp("us"), moment, True),
)
KEYS = ("INT", "BIGINT", "STRING", "DATE")


def simple(rng):
    return decimal(rng) if rng.random() < 0.15 else rng.choice(SIMPLE)


def some(kind, share):
    return lambda rng: None if rng.random() < share else kind.value(rng)


def array(rng, depth):
    element = any_kind(rng, depth - 1)
    one, longest = some(element, 0.2), rng.choice((2, 5, 20))
    return Kind(f"ARRAY<{element.ddl}>", pa.list_(element.arrow), lambda rng: [one(rng) for _ in range(rng.randint(0, longest))])


def mapping(rng, depth):
    key, value = rng.choice([kind for kind in SIMPLE if kind.ddl in KEYS]), any_kind(rng, depth - 1)
    one = some(value, 0.2)
    return Kind(f"MAP<{key.ddl}, {value.ddl}>", pa.map_(key.arrow, value.arrow),
                lambda rng: list({key.value(rng): one(rng) for _ in range(rng.randint(0, 4))}.items()))


def struct(rng, depth):
    fields = {f"f{i}": any_kind(rng, depth - 1) for i in range(rng.randint(1, 3))}
    ones = {name: some(kind, 0.2) for name, kind in fields.items()}
    return Kind("STRUCT<" + ", ".join(f"{name}: {kind.ddl}" for name, kind in fields.items()) + ">",
                pa.struct([(name, kind.arrow) for name, kind in fields.items()]),
                lambda rng: {name: one(rng) for name, one in ones.items()})


def any_kind(rng, depth):
    return rng.choice((array, mapping, struct))(rng, depth) if depth > 0 and rng.random() < 0.6 else simple(rng)


def variant(rng, depth=3):
    """A JSON text; what it holds is also a VARIANT. Numbers that doubles do not change."""
    kinds = [lambda: None, lambda: rng.random() < 0.5, lambda: rng.choice((0, 127, -128, 40_000, -2**31, 2**53)),
             lambda: rng.randrange(-800, 800) / 8, lambda: text(rng)]
    if depth > 0:
        kinds += [lambda: [variant(rng, depth - 1) for _ in range(rng.randint(0, 4))],
                  lambda: {f"k{rng.randrange(9)}{text(rng)}": variant(rng, depth - 1) for _ in range(rng.randint(0, 4))}] * 2
    return rng.choice(kinds)()


# ---- a seed ---------------------------------------------------------------------------------------------------------


class Lake:
    """What a seed makes: `kinds` of the columns, `files` of rows; row `id` is unique."""

    def __init__(self, seed):
        rng = random.Random(seed)
        self.seed = seed
        self.kinds = {f"c{i}": any_kind(rng, DEPTH) for i in range(COLUMNS)}
        self.kinds["p0"], self.kinds["p1"] = rng.sample([kind for kind in SIMPLE if kind.partition], 2)
        self.partitions = ["p0", "p1"][: rng.randint(1, 2)]
        self.files, self.encodings = [], []
        shares = {name: rng.choice((0, 0.1, 0.5, 0.97, 1)) for name in self.kinds}
        few = {name: [self.kinds[name].value(rng) for _ in range(3)] + [None] for name in ("p0", "p1")}
        for count in FILE_ROWS:
            self.files.append([self.row(rng, len(self), shares, few) for _ in range(count)])
            self.encodings.append({"compression": rng.choice(("none", "snappy", "zstd", "gzip", "lz4")),
                                   "use_dictionary": rng.random() < 0.5, "data_page_version": rng.choice(("1.0", "2.0")),
                                   "data_page_size": rng.choice((200, 1 << 20)), "write_page_index": rng.random() < 0.5})

    def __len__(self):
        self.count = getattr(self, "count", -1) + 1
        return self.count

    def row(self, rng, number, shares, few):
        values = {name: rng.choice(few[name]) if name in few else some(kind, shares[name])(rng) for name, kind in self.kinds.items()}
        return {"id": number, **values, "j": json.dumps(variant(rng), ensure_ascii=rng.random() < 0.5)}

    def schema(self):
        return pa.schema([("id", pa.int64()), *((name, kind.arrow) for name, kind in self.kinds.items()), ("j", pa.string())])

    def ddl(self):
        return ", ".join(["id BIGINT", *(f"{name} {kind.ddl}" for name, kind in self.kinds.items()), "j STRING"])

    def feed(self, root, files):
        """The ids are whole when they are seen."""
        for folder in ("ids", "rows"):
            (root / folder).mkdir(exist_ok=True)
        for number in files:
            table = pa.Table.from_pylist(self.files[number], self.schema())
            pq.write_table(table, root / f"rows/{number}.parquet", **self.encodings[number])
            part = root / "part"
            part.write_text("".join(json.dumps({"id": row["id"]}) + "\n" for row in self.files[number]))
            part.rename(root / f"ids/{number}.json")

    # ---- the tables

    def partitions_of(self, table):
        return self.partitions if table == "d_parted" else []

    def columns(self, table, early=False):
        if table.endswith("variant"):
            return ["id", "v"]
        if table != "d_evolved":
            return ["id", *self.kinds]
        old = ["id", *(name for name, kind in self.kinds.items() if "NTZ" not in kind.ddl)]  # a feature does not come later
        return old[:3] if early else old

    def sql(self, early=False):
        statements = []
        for table, properties in LAYOUTS.items():
            properties = {"leat.format": "delta" if table.startswith("d_") else "parquet", **properties}
            select = ", ".join("parse_json(j) AS v" if name == "v" else name for name in self.columns(table, early))
            parted = f"PARTITIONED BY ({', '.join(self.partitions_of(table))})\n" if self.partitions_of(table) else ""
            listed = ", ".join(f"'{key}' = '{value}'" for key, value in properties.items())
            statements.append(f"CREATE STREAMING TABLE {table}\n{parted}TBLPROPERTIES ({listed})\nAS SELECT {select} FROM STREAM ids JOIN rows USING (id);\n")
        return "\n".join(statements)

    def expected(self, table):
        """{id: {column: value}}, and the types."""
        found = {}
        for number, rows in enumerate(self.files):
            early = number < FILES_BEFORE
            for row in rows:
                have = self.columns(table, early)
                found[row["id"]] = {name: None if name not in have else json.loads(row["j"]) if name == "v" else row[name]
                                    for name in self.columns(table)}
        return found

    def problems(self, reader, table, got, types=True):
        """`got` is an Arrow table, whose column v is JSON text."""
        want, schema, found = self.expected(table), self.schema(), []
        missing = set(self.columns(table)) ^ set(got.column_names)
        if missing:
            return [f"{reader}: {table}: columns differ: {missing}"]
        for name in self.columns(table):
            kind = parity.type_text(got.schema.field(name).type).replace("_view", "")
            wanted = "string" if name == "v" else parity.type_text(schema.field(name).type)
            if types and kind != wanted:
                found.append(f"{reader}: {table}.{name}: type {kind}, want {wanted}")
        if sorted(got["id"].to_pylist()) != sorted(want):
            return found + [f"{reader}: {table}: {got.num_rows} rows, want {len(want)}"]
        ids = got["id"].to_pylist()
        for name in self.columns(table):
            for number, value in zip(ids, got[name].to_pylist()):
                a, b = parity.plain(value), parity.plain(want[number][name])
                if name == "v":  # as Python's values: in any order of the keys, 1.0 equals 1
                    a, b = json.loads(value), want[number][name]
                if a != b:
                    found.append(f"{reader}: {table}.{name} row {number}: {a!r:.300}, want {b!r:.300}")
                    break
        return [f"seed {self.seed}: {problem}" for problem in found]


def project(lake, root, early):
    """The project folder at `root`, and the files of its first or of its second run."""
    folder = root / "project"
    (folder / "transformations").mkdir(parents=True, exist_ok=True)
    lines = {"source.ids.format": "json", "source.ids.path": root / "ids", "source.ids.schema": "id BIGINT",
             "source.ids.maxFilesPerTrigger": '"1"', "source.rows.format": "parquet", "source.rows.path": root / "rows",
             "source.rows.schema": f'"{lake.ddl()}"', "leat.trigger": "once", "leat.tables.path": root / "tables",
             "leat.watermark.max_future": "0", "leat.on_error": "fail"}
    (folder / "spark-pipeline.yml").write_text(
        f"name: lake\nstorage: file://{root}/checkpoint\nlibraries:\n  - glob:\n      include: transformations/**\n"
        "configuration:\n" + "".join(f"  {key}: {value}\n" for key, value in lines.items()))
    (folder / "transformations/tables.sql").write_text(lake.sql(early))
    lake.feed(root, range(FILES_BEFORE) if early else range(FILES_BEFORE, len(FILE_ROWS)))
    return folder

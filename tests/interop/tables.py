"""The tables of examples/transactions as PyArrow and DuckDB read them, and their comparison with the oracle."""
import csv
import datetime
from pathlib import Path

import duckdb
import pyarrow.dataset as ds

EPOCH = datetime.datetime(1970, 1, 1, tzinfo=datetime.timezone.utc)


def us(time):
    return (time.replace(tzinfo=time.tzinfo or datetime.timezone.utc) - EPOCH) // datetime.timedelta(microseconds=1)


class Arrow:
    name = "PyArrow"

    def __init__(self, root):
        self.root = Path(root)

    def rows(self, table, columns):
        files = [str(f) for f in sorted((self.root / table).glob("*.parquet"))]
        if not files:
            return []
        data = ds.dataset(files, format="parquet").to_table(columns=columns)
        return list(zip(*(data[c].to_pylist() for c in columns)))


class Duck:
    name = "DuckDB"

    def __init__(self, root):
        self.root = Path(root)
        self.connection = duckdb.connect()
        self.connection.execute("set timezone = 'UTC'")

    def rows(self, table, columns):
        files = [str(f) for f in sorted((self.root / table).glob("*.parquet"))]
        if not files:
            return []
        names = ", ".join(f'"{c}"' for c in columns)
        return self.connection.execute(f"select {names} from read_parquet({files!r})").fetchall()


def csv_rows(root, table):
    """The fields of every line in Spark's CSV dialect: quoted when needed, backslash escapes."""
    for path in sorted((Path(root) / table).glob("*.csv")):
        with open(path, encoding="utf-8", newline="") as file:
            yield from csv.reader(file, escapechar="\\", doublequote=False)


def duck_csv_rows(root, table, columns):
    files = [str(path) for path in sorted((Path(root) / table).glob("*.csv"))]
    spec = ", ".join(f"'{name}': '{kind}'" for name, kind in columns.items())
    return duckdb.connect().execute(f"select * from read_csv({files!r}, header = false, quote = '\"', escape = '\\', "
                                    f"columns = {{{spec}}})").fetchall()


def differences(expected, reader):
    """Texts of what differs; empty when all is equal."""
    found = []

    def same(what, got, want):
        if got != want:
            found.append(f"{reader.name}: {what}: got {str(got)[:200]}, want {str(want)[:200]}")

    bronze = reader.rows("bronze", ["partition", "offset", "key", "value"])
    same("bronze rows", len(bronze), len(expected.records))
    got = {(p, o): (k, v) for p, o, k, v in bronze}
    same("bronze offsets", len(got), len(bronze))
    wrong = [at for at, pair in expected.records.items() if got.get(at) != pair]
    same("bronze records that differ", wrong[:3], [])

    silver = reader.rows("silver", ["partition", "offset", "txn_id", "event_time", "card_id", "amount", "lat"])
    same("silver rows", len(silver), len(expected.silver))
    wrong = []
    for partition, offset, txn_id, time, card, amount, lat in silver:
        want, want_us = expected.silver.get((partition, offset), ({}, None))
        if (txn_id, card, amount, us(time), lat) != (want.get("txn_id"), want.get("card_id"), want.get("amount"), want_us,
                                                     float(want["lat"]) if want.get("lat") is not None else None):
            wrong.append((partition, offset))
    same("silver rows that differ", wrong[:3], [])

    quarantine = reader.rows("quarantine", ["partition", "offset", "reason"])
    same("quarantine", {(p, o): r for p, o, r in quarantine}, dict(expected.quarantine))
    same("quarantine rows", len(quarantine), len(expected.quarantine))

    gold = reader.rows("gold", ["card_id", "window_start", "window_end", "txn_count", "sum_amount", "avg_amount",
                                "max_amount"])
    same("gold rows", len(gold), len(expected.gold))
    got = {(card, us(start)): (count, total, average, most) for card, start, _, count, total, average, most in gold}
    wrong = [key for key, want in expected.gold.items() if got.get(key) != want]
    same("gold windows that differ", [(k, got.get(k), expected.gold[k]) for k in wrong[:2]], [])
    return found


CSV_COLUMNS = {"key": "VARCHAR", "value": "VARCHAR", "topic": "VARCHAR", "partition": "INTEGER", "offset": "BIGINT",
               "timestamp": "VARCHAR"}


def csv_differences(expected, root):
    """Broken UTF-8 is replaced by U+FFFD, as in Spark's strings; all else is the record."""
    found = []
    for name, rows in (("Python", list(csv_rows(root, "raw_csv"))), ("DuckDB", duck_csv_rows(root, "raw_csv", CSV_COLUMNS))):
        got = {(int(row[3]), int(row[4])): row[1] for row in rows}
        if len(rows) != len(expected.records):
            found.append(f"{name}: raw_csv has {len(rows)} rows, want {len(expected.records)}")
        wrong = [at for at, (_, value) in expected.records.items() if got.get(at) != value.decode("utf-8", "replace")]
        found += [f"{name}: raw_csv at {at}: got {got.get(at)!r}, want {expected.records[at][1]!r}" for at in wrong[:1]]
    return found

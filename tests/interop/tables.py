"""The tables of examples/transactions as PyArrow and DuckDB read them, and their comparison with the oracle."""
import csv
import datetime
from pathlib import Path

import duckdb
import pyarrow.dataset as ds

EPOCH = datetime.datetime(1970, 1, 1, tzinfo=datetime.timezone.utc)


def us(time):
    return (time.replace(tzinfo=time.tzinfo or datetime.timezone.utc) - EPOCH) // datetime.timedelta(microseconds=1)


def files_of(root, table, kind="parquet"):
    return [str(path) for path in sorted((Path(root) / table).glob(f"*.{kind}"))]


class Arrow:
    """File by file, so that a run of millions of records fits."""
    name = "PyArrow"

    def __init__(self, root):
        self.root = Path(root)

    def each(self, table, columns):
        for file in files_of(self.root, table):
            data = ds.dataset(file, format="parquet").to_table(columns=columns)
            yield from zip(*(data[c].to_pylist() for c in columns))

    def rows(self, table, columns):
        return list(self.each(table, columns))


class Duck:
    name = "DuckDB"

    def __init__(self, root):
        self.root = Path(root)
        self.connection = duckdb.connect()
        self.connection.execute("set timezone = 'UTC'")

    def each(self, table, columns):
        names = ", ".join(f'"{c}"' for c in columns)
        for file in files_of(self.root, table):
            yield from self.connection.execute(f"select {names} from read_parquet('{file}')").fetchall()

    def rows(self, table, columns):
        return list(self.each(table, columns))


def quarantined(root, name="_quarantine"):
    """The rows of a quarantine as dictionaries."""
    return [row for file in files_of(root, name) for row in ds.dataset(file, format="parquet").to_table().to_pylist()]


def csv_rows(root, table):
    """The fields of every line in Spark's CSV dialect: quoted when needed, backslash escapes."""
    for path in sorted((Path(root) / table).glob("*.csv")):
        with open(path, encoding="utf-8", newline="") as file:
            yield from csv.reader(file, escapechar="\\", doublequote=False)


def duck_csv_rows(root, table, columns):
    spec = ", ".join(f"'{name}': '{kind}'" for name, kind in columns.items())
    for file in files_of(root, table, "csv"):
        yield from duckdb.connect().execute(f"select * from read_csv('{file}', header = false, quote = '\"', escape = '\\', "
                                            f"columns = {{{spec}}})").fetchall()


def compare(what, rows, want):
    """rows: (key, value) pairs; each key of `want` must be there once with its value. Texts of what differs."""
    seen, wrong, count = set(), [], 0
    for key, value in rows:
        count += 1
        seen.add(key)
        if key not in want or want[key] != value:
            wrong.append((key, value, want.get(key)))
    found = [f"{what}: at {key} got {str(got)[:200]}, want {str(wanted)[:200]}" for key, got, wanted in wrong[:2]]
    if (count, len(seen)) != (len(want), len(want)):
        found.append(f"{what}: {count} rows, {len(seen)} different, want {len(want)}")
    return found


def differences(expected, reader):
    """Texts of what differs; empty when all is equal."""
    name, each = reader.name, reader.each
    return (
        compare(f"{name}: bronze", (((p, o), (k, v)) for p, o, k, v in
                                    each("bronze", ["partition", "offset", "key", "value"])), expected.records)
        + compare(f"{name}: silver", (((p, o), (txn, us(time), card, amount, lat)) for p, o, txn, time, card, amount, lat in
                                      each("silver", ["partition", "offset", "txn_id", "event_time", "card_id", "amount",
                                                      "lat"])), expected.silver)
        + compare(f"{name}: quarantine", (((p, o), reason) for p, o, reason in
                                          each("quarantine", ["partition", "offset", "reason"])), expected.quarantine)
        + compare(f"{name}: gold", (((card, us(start)), tuple(values)) for card, start, *values in
                                    each("gold", ["card_id", "window_start", "txn_count", "sum_amount", "avg_amount",
                                                  "max_amount"])), expected.gold))


CSV_COLUMNS = {"key": "VARCHAR", "value": "VARCHAR", "topic": "VARCHAR", "partition": "INTEGER", "offset": "BIGINT",
               "timestamp": "VARCHAR"}


def csv_differences(expected, root):
    """Broken UTF-8 is replaced by U+FFFD, as in Spark's strings; all else is the record."""
    want = {at: value.decode("utf-8", "replace") for at, (_, value) in expected.records.items()}
    found = []
    for name, rows in (("Python", csv_rows(root, "raw_csv")), ("DuckDB", duck_csv_rows(root, "raw_csv", CSV_COLUMNS))):
        found += compare(f"{name}: raw_csv", (((int(row[3]), int(row[4])), row[1]) for row in rows), want)
    return found

"""examples/events over a real Kafka, with bad records: console, Parquet and CSV equal an independent
computation.

once     a backlog of several days: a folder per day, FILES_PER_PARTITION and MAX_RECORDS_PER_FILE are kept
stream   TRIGGER_SECONDS=1 while records arrive in two waves; Ctrl-C ends it with 0
"""

import json
import os
import re
import sys
from collections import Counter
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.dataset as ds
import pyarrow.parquet as pq

sys.path.insert(0, str(Path(__file__).parent))
import oracle
from trial import (
    BOOTSTRAP,
    Leat,
    ROOT,
    WORK,
    check,
    finish,
    leat_ok,
    ledger_totals,
    multiset_problems,
    produce,
    until,
)

RECORDS = 20_000
SPEED = 20_000  # a record is 20 s of event time: the backlog spans more than four days
FILE_RECORDS_MAX = 700
FILES_PER_PARTITION = 2
CONSOLE_ROWS = 10  # numRows of the example
CELL_WIDTH = 20
NO_DAY = "__HIVE_DEFAULT_PARTITION__"
TOPIC = f"events-{os.getpid()}"
EXAMPLE = ROOT / "examples/events"


def fill(count, seed):
    produce("events", TOPIC, count, keys=50, bad_ratio=0.03, late_ratio=0.05, seed=seed, speed=SPEED)


# ---- what must come out: (event_id, ts in us, value, source, dt) ----


def day_of(time_us):
    return (
        None
        if time_us is None
        else str((oracle.EPOCH + oracle.datetime.timedelta(microseconds=time_us)).date())
    )


def event_of(payload):
    """The row of a record, or None when it has no event_id that can be read."""
    try:
        record = json.loads(payload.decode("utf-8"))
    except (ValueError, AttributeError):
        return None
    if not isinstance(record, dict) or record.get("event_id") is None:
        return None
    time_us = oracle.event_time_us(record.get("ts"))
    value = record.get("value")
    return (
        record["event_id"],
        time_us,
        float(value) if isinstance(value, (int, float)) else None,
        record.get("source"),
        day_of(time_us),
    )


def expected():
    rows = [event_of(value) for _, value in oracle.consume(BOOTSTRAP, TOPIC).values()]
    return [row for row in rows if row]


# ---- what came out ----


def us(time):
    return (
        None
        if time is None
        else (time.replace(tzinfo=oracle.datetime.timezone.utc) - oracle.EPOCH)
        // oracle.datetime.timedelta(microseconds=1)
    )


def arrow_rows(tables):
    hive = ds.partitioning(pa.schema([("dt", pa.string())]), flavor="hive")
    data = ds.dataset(tables / "events", format="parquet", partitioning=hive).to_table()
    return [
        (row["event_id"], us(row["ts"]), row["value"], row["source"], row["dt"]) for row in data.to_pylist()
    ]


def duck_rows(query):
    rows = duckdb.sql(query).fetchall()
    return [
        (event_id, time_us, value, source, None if dt in (None, NO_DAY) else str(dt))
        for event_id, time_us, value, source, dt in rows
    ]


def duck_parquet_rows(tables):
    return duck_rows(
        f"select event_id, epoch_us(ts), value, source, dt from "
        f"read_parquet('{tables}/events/**/*.parquet', hive_partitioning = true)"
    )


def csv_rows(tables):
    """Times are written with milliseconds, as Spark does."""
    return duck_rows(
        f"select event_id, epoch_us(ts), value, source, dt from read_csv('{tables}/events_csv/**/*.csv', "
        f"hive_partitioning = true, header = false, quote = '\"', escape = '\\', nullstr = '', columns = "
        f"{{'event_id': 'VARCHAR', 'ts': 'TIMESTAMPTZ', 'value': 'DOUBLE', 'source': 'VARCHAR'}})"
    )


def to_ms(rows):
    return [(event_id, time_us and time_us // 1000 * 1000, *rest) for event_id, time_us, *rest in rows]


def table_problems(tables, want):
    return {
        "PyArrow": multiset_problems("events", arrow_rows(tables), want),
        "DuckDB": multiset_problems("events", duck_parquet_rows(tables), want),
        "CSV": multiset_problems("events_csv", to_ms(csv_rows(tables)), to_ms(want)),
    }


def file_problems(tables, epochs):
    """Sizes, names and number of files in each folder of a day."""
    problems = []
    for table, suffix in (("events", ".snappy.parquet"), ("events_csv", ".csv")):
        files = [
            path for path in (tables / table).rglob("*") if path.is_file() and "_staging" not in path.parts
        ]
        wrong = [
            path.name
            for path in files
            if not re.fullmatch(r"dt=(\d{4}-\d\d-\d\d|" + NO_DAY + ")", path.parent.name)
            or not path.name.endswith(suffix)
        ]
        problems += [f"{table}: {name} is not what was expected" for name in wrong[:2]]
        rows = {
            path: (
                pq.read_metadata(path).num_rows
                if suffix.endswith("parquet")
                else path.read_bytes().count(b"\n")
            )
            for path in files
        }
        problems += [f"{path.name} has {n} rows" for path, n in rows.items() if n > FILE_RECORDS_MAX][:2]
        per_folder = Counter()
        for path, n in rows.items():
            per_folder[path.parent] += n
        for folder, n in per_folder.items():
            # Full files, and at most FILES_PER_PARTITION that are not, per epoch. Lanes hand in blocks, so a
            # file may close before it is full; then it must be more than half full.
            most = n // (FILE_RECORDS_MAX // 2) + FILES_PER_PARTITION * epochs
            have = sum(path.parent == folder for path in files)
            problems += (
                [f"{table}/{folder.name}: {have} files for {n} rows, want at most {most}"]
                if have > most
                else []
            )
    return problems


# ---- the console ----


def cell(value):
    text = "NULL" if value is None else value
    return text if len(text) <= CELL_WIDTH else text[: CELL_WIDTH - 3] + "..."


def time_text(time_us):
    time = oracle.EPOCH + oracle.datetime.timedelta(microseconds=time_us)
    return time.strftime("%Y-%m-%d %H:%M:%S.%f").rstrip("0").rstrip(".")


def console_row(row):
    event_id, time_us, value, source, dt = row
    return (
        cell(event_id),
        cell(None if time_us is None else time_text(time_us)),
        value,
        cell(source),
        cell(dt),
    )


def console_tables(text):
    """{batch: rows} of Spark's console format; a value is a number, cut like any text."""
    batches, current = {}, None
    for line in text.splitlines():
        if line.startswith("Batch: "):
            current = batches[int(line[7:])] = []
        elif line.startswith("|") and not line.startswith("|event_id") and "|" in line[1:]:
            cells = [part.strip() for part in line.strip("|").split("|")]
            if cells[0] != "event_id":
                value = None if cells[2] == "NULL" else float(cells[2])
                current.append((cells[0], cells[1], value, cells[3], cells[4]))
    return batches


def console_problems(text, chain, want):
    rows, batches = Counter(map(console_row, want)), console_tables(text)
    problems = []
    for record in chain:
        out = ledger_totals([record])["screen"]["out"]
        shown = batches.get(record["epoch"], [])
        if len(shown) != min(out, CONSOLE_ROWS):
            problems.append(f"batch {record['epoch']} shows {len(shown)} rows of {out}")
        problems += [
            f"batch {record['epoch']} shows {row}, which no record has" for row in shown if rows[row] == 0
        ][:2]
    more = sum(ledger_totals([record])["screen"]["out"] > CONSOLE_ROWS for record in chain)
    said = text.count(f"only showing top {CONSOLE_ROWS} rows")
    return problems + (
        [] if said == more else [f"'only showing top {CONSOLE_ROWS} rows' is there {said} times, want {more}"]
    )


def ledger_problems(chain, want, records):
    totals = ledger_totals(chain)
    return [
        f"{table}: {dict(totals[table])}"
        for table in ("events", "events_csv", "screen")
        if (totals[table]["in"], totals[table]["out"], totals[table]["filtered"])
        != (records, len(want), records - len(want))
    ]


def verdicts(name, root, screen, records):
    want, chain = expected(), oracle.chain(root / "checkpoint")
    days = {row[4] for row in want}
    check(
        f"{name}: the data has what is to be tested",
        (
            []
            if len(want) < records and None in days and len(days) > 4 and any(row[2] is None for row in want)
            else [f"{len(want)} of {records} rows, days {days}"]
        ),
    )
    for reader, problems in table_problems(root / "tables", want).items():
        check(f"{name}: {reader}", problems)
    check(f"{name}: console", console_problems(screen, chain, want))
    check(f"{name}: ledger", ledger_problems(chain, want, records))
    return chain


def settings(root):
    return {"KAFKA_TOPIC": TOPIC, "OUTPUT_PATH": root / "tables", "SPARK_CHECKPOINT_DIR": root / "checkpoint"}


def once():
    root = WORK / "once"
    done = leat_ok(
        "run",
        EXAMPLE,
        "--once",
        **settings(root),
        MAX_RECORDS_PER_FILE=FILE_RECORDS_MAX,
        FILES_PER_PARTITION=FILES_PER_PARTITION,
    )
    chain = verdicts("once", root, done.out, RECORDS)
    check("once: files", file_problems(root / "tables", len(chain)))


def stream():
    root = WORK / "stream"
    running = Leat("run", EXAMPLE, **settings(root), TRIGGER_SECONDS=1)

    def committed():
        return sum(
            json.loads(path.read_text().splitlines()[0])["records"]
            for path in root.glob("checkpoint/chain/0/*.json")
        )

    late = until(lambda: committed() >= RECORDS, "the first wave")
    fill(RECORDS // 2, seed=2)
    late += until(lambda: committed() >= RECORDS + RECORDS // 2, "the second wave")
    done = running.stop()
    check("stream: both waves are committed while it runs", late)
    check("stream: Ctrl-C", done.problems(0))
    verdicts("stream", root, done.out, RECORDS + RECORDS // 2)


duckdb.sql("set timezone = 'UTC'")
fill(RECORDS, seed=1)
once()
stream()
finish()

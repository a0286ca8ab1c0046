"""kill -9 in the middle of windows, sessions, joins and deduplication, then restart: nothing is lost or doubled (kills.py).

Two topics, tests/crash/stateful in many small epochs. Tumbling windows, the outer join and sliding windows are also compared
with DuckDB's answer over the same records, as far as the watermark has come: the reference is not only what leat says itself.
"""
import os
import subprocess
import sys
from pathlib import Path

import duckdb

sys.path.insert(0, str(Path(__file__).parent.parent / "interop"))
import tables
from kills import BOOTSTRAP, LEAT, POINTS, ROOT, Workload, finish, schedule, undisturbed, verdict

RECORDS, EPOCHS = 24_000, 12
EVENT_RATE = 80  # records per second of event time: five minutes in all
COLUMNS = {
    "per_minute": ["site", "start", "n", "least"],
    "sliding": ["ad", "start", "n", "sites"],
    "sessions": ["site", "start", "finish", "n"],
    "joined": ["impression_id", "ad_id", "click_id", "price", "clicked_at"],
    "first_of_ad": ["ad_id", "impression_id", "shown_at"],
}
TOPICS = {kind: f"{kind}-{os.getpid()}" for kind in ("impressions", "clicks")}


def plain(value):
    return tuple(sorted(value)) if isinstance(value, list) else value


def contents(root):
    reader = tables.Arrow(root)
    return {table: sorted((tuple(map(plain, row)) for row in reader.rows(table, columns)), key=repr)
            for table, columns in COLUMNS.items()}


def complete(root):
    """A join has a row per impression that its state has let go, and 21 of 60 clicks come in time; windows count all rows of
    the minutes that are over."""
    duckdb.execute("set timezone = 'UTC'")
    read = {table: f"read_parquet({[str(path) for path in (root / table).glob('*.parquet')]})" for table in COLUMNS}
    problems = []
    counts = duckdb.sql(f"select start, sum(n) from {read['per_minute']} group by start order by start").fetchall()
    if len(counts) < 4 or any(n != 60 * EVENT_RATE for _, n in counts):
        problems.append(f"the minutes hold {counts}")
    twice = duckdb.sql(f"select count(*) - count(distinct impression_id) from {read['joined']}").fetchall()[0][0]
    share = duckdb.sql(f"select avg((click_id is not null)::int) from {read['joined']}").fetchall()[0][0]
    if twice or not 0.30 < share < 0.36:
        problems.append(f"joined: {twice} impressions twice, {share:.3f} with a click")
    slid = duckdb.sql(f"select count(distinct n) from (select start, sum(n) n from {read['sliding']} group by start "
                      f"having start >= (select min(start) + interval '90 seconds' from {read['sliding']}))").fetchall()[0][0]
    if slid != 1:
        problems.append(f"sliding windows hold {slid} different numbers of rows")
    return problems


for kind, topic in TOPICS.items():
    subprocess.run([LEAT, "produce", kind, "--bootstrap", BOOTSTRAP, "--topic", topic, "--count", str(RECORDS), "--partitions",
                    "3", "--seed", "5", "--event-rate", str(EVENT_RATE)], check=True, stderr=subprocess.DEVNULL)
workload = Workload(
    project=ROOT / "tests/crash/stateful",
    environment={"IMPRESSIONS": TOPICS["impressions"], "CLICKS": TOPICS["clicks"],
                 "MAX_OFFSETS_PER_TRIGGER": str(RECORDS // EPOCHS)},
    contents=contents,
    polled="joined",
    row_key=("impression_id",),
    times=(1, 4, 9),
)
undisturbed(workload)
verdict("undisturbed", complete(Path(os.environ["TEST_DIR"]) / "undisturbed/tables"))
schedule(workload, [point for point in POINTS if point not in ("stage_open", "stage_write", "assign", "group_commit")])
finish()

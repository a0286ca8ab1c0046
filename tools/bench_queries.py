"""Benchmarks of stateful pipelines on a real Kafka: bench/queries/<pipeline>, one topic (or two), trigger once, Parquet with
snappy, exactly once. Each is measured beside a limit or a peer in the same run, because machines are noisy:

    windows   1-minute windows over 1,000,000 keys beside the same topic only decoded and counted; and over 10,000 keys a
              sliding window (1 hour by 1 minute) beside a tumbling one (1 minute)
    join      clicks to impressions, one to one, two topics, beside both topics only decoded and counted
    state     10,000,000 groups of a day's window, with memory enough and with 512 MiB (the rest spills)
    nexmark   every query of examples/nexmark over one topic: events/s, and events per second of CPU (that is, per core). q0,
              which only decodes and writes, is the limit for the others
"""
import os
import shutil

import duckdb

from measuring import (INSTANCE, fresh, history_add, history_line, last_json, machine, measure, print_header,
                       print_measure, produce)
from transactions import LEAT, PARTITIONS, ROOT, kafka

QUERIES = ROOT / "bench/queries"
NEXMARK = ROOT / "examples/nexmark"
SIDE_ROWS = 10_000


def run(bootstrap, folder, records, topics, table="result", environment=None, **configuration):
    """One pipeline's measure, and the rows of its table."""
    pipeline = folder.name
    output = fresh(f"leat-{pipeline}")
    sets = [f"--set={name.replace('_', '.')}={value}" for name, value in configuration.items()]
    environment = {**os.environ, "KAFKA_BOOTSTRAP_SERVERS": bootstrap, "OUTPUT": str(output),
                   **{f"TOPIC_{i}": topic for i, topic in enumerate(topics)}, **(environment or {})}
    result, _, stderr = measure(f"leat-{pipeline}", [LEAT, "run", folder, "--once", *sets], records, env=environment)
    files = [str(path) for path in (output / "tables" / table).rglob("*.parquet")]
    rows = duckdb.sql(f"SELECT count(*) FROM read_parquet({files})").fetchall()[0][0] if files else 0
    return result, last_json(stderr, "cpu_s").get("cpu_s", {}), rows


def show(name, result, stages, rows):
    print_measure(name, result, 0)
    parts = sorted(stages.items(), key=lambda item: -item[1])
    print(f"  {rows:,} rows; us/rec: " + ", ".join(f"{stage} {seconds / result.records * 1e6:.2f}" for stage, seconds in parts))


def expect(problems, what, got, want):
    if got != want:
        problems.append(f"{what}: {got:,} rows, expected {want:,}")


def bench_windows(bootstrap, records):
    """Figures and problems. Every key of the topic's last minutes stays open, so rows are compared between engines of the
    test suite, not here; here only the number of records that the windows took in is checked."""
    problems, figures = [], {}
    produce(bootstrap, "transactions", "many", records, "--keys", 1_000_000, "--event-rate", 30_000)
    produce(bootstrap, "transactions", "few", records, "--keys", 10_000, "--event-rate", 10_000)
    for name, pipeline, topic in [("decode, count", "counted", "many"), ("1,000,000 keys", "tumbling", "many"),
                                  ("tumbling 1 min", "tumbling", "few"), ("sliding 1 h", "sliding", "few")]:
        result, stages, rows = run(bootstrap, QUERIES / pipeline, records, [topic])
        show(name, result, stages, rows)
        figures[name] = {**result.as_json(), "rows": rows}
        if rows == 0:
            problems.append(f"{name}: no rows")
    ratio = figures["sliding 1 h"]["seconds"] / figures["tumbling 1 min"]["seconds"]
    cpu = figures["sliding 1 h"]["cpu_s"] / figures["tumbling 1 min"]["cpu_s"]
    print(f"  a sliding window costs {ratio:.2f} x the time and {cpu:.2f} x the CPU of a tumbling one")
    return figures, problems


def bench_join(bootstrap, records):
    problems, figures = [], {}
    for topic in ("impressions", "clicks"):
        produce(bootstrap, topic, topic, records, "--event-rate", 20_000)
    for name, pipeline in [("decode, count", "counted_both"), ("join", "join")]:
        result, stages, rows = run(bootstrap, QUERIES / pipeline, 2 * records, ["impressions", "clicks"])
        show(name, result, stages, rows)
        figures[name] = {**result.as_json(), "rows": rows}
    expect(problems, "join", figures["join"]["rows"], records)
    per_side = figures["join"]["records_per_s"] / 2
    print(f"  {per_side:,.0f} records/s per side")
    return figures, problems


def bench_state(bootstrap, records):
    problems, figures = [], {}
    produce(bootstrap, "transactions", "transactions", records, "--event-rate", 1_000_000)
    for name, memory in [("1536 MiB", "1536m"), ("512 MiB", "512m")]:
        result, stages, rows = run(bootstrap, QUERIES / "every_transaction", records, ["transactions"], leat_memory=memory)
        show(name, result, stages, rows)
        figures[name] = {**result.as_json(), "rows": rows}
    return figures, problems


def bench_nexmark(bootstrap, records):
    problems, figures = [], {}
    produce(bootstrap, "nexmark", "nexmark", records, "--event-rate", 10_000)
    side = fresh("nexmark-side") / "side_input.csv"
    side.write_text("key,value\n" + "".join(f"{key},value {key}\n" for key in range(SIDE_ROWS)), encoding="utf-8")
    for folder in sorted(NEXMARK.glob("q*"), key=lambda path: int(path.name[1:])):
        result, _, rows = run(bootstrap, folder, records, [], folder.name,
                              {"KAFKA_TOPIC": "nexmark", "SIDE_INPUT": str(side)})
        print_measure(folder.name, result, 0)
        print(f"  {rows:,} rows; {records / result.cpu_s:,.0f} events/s per core")
        figures[folder.name] = {**result.as_json(), "events_per_core_s": round(records / result.cpu_s), "rows": rows}
        if rows == 0:
            problems.append(f"{folder.name}: no rows")
    return figures, problems


QUERY_BENCHES = {"nexmark": (bench_nexmark, 2_000_000), "windows": (bench_windows, 10_000_000), "join": (bench_join, 5_000_000), "state": (bench_state, 10_000_000)}


def bench_query(workload, records, keep):
    bench, default = QUERY_BENCHES[workload]
    records = records or default
    print(f"{workload}, {records:,} records, {PARTITIONS} partitions, {machine()['cpu']} x {os.cpu_count()}")
    print_header()
    with kafka(INSTANCE) as bootstrap:
        figures, problems = bench(bootstrap, records)
    shutil.rmtree(ROOT / "build/kafka" / INSTANCE, ignore_errors=True)
    for problem in problems:
        print(f"  WRONG: {problem}")
    if problems:
        raise SystemExit("error: the rows are wrong, so the speed means nothing; no history line written")
    if keep:
        history_add(workload, history_line(records=records, figures=figures))

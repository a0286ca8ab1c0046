"""./dev bench latency: how long a record takes from its producer through leat to a read_committed consumer.

Kafka -> decode, filter, compute -> Kafka, continuous trigger, every epoch a transaction, on a broker of our own. One program
(bench/peers/latency.c) sends and receives, so there is one clock. First without leat, from the same topic that it writes to:
that is the limit of this machine, its broker and its other work. Both run for so many records at 50,000 a second, and five
seconds before that are not counted."""
import json
import os
import signal
import subprocess
import time

from measuring import INSTANCE, OUT, fresh, history_add, history_line, last_json, machine
from transactions import LEAT, PARTITIONS, ROOT, create_topic, kafka, stop

RATE = 50_000
WARM_UP_SECONDS = 15
DEFAULT_RECORDS = 30 * RATE
START_SECONDS = 3
GOAL_P99_MS = 100
# What others publish, p50 and p99 in ms; other machines, other payloads, and without transactions.
PUBLISHED = [
    ("Spark RTM", 1, 3, "10,000/s of 1.2 KB, stateless, at least once"),
    ("Flink", 1, 3, "10,000/s of 1.2 KB, stateless, at least once"),
]
PUBLISHED_BY = "https://github.com/databricks-solutions/latency-benchmarks"


def build():
    flags = subprocess.run(["pkg-config", "--cflags", "--libs", "rdkafka"], check=True, capture_output=True, text=True)
    subprocess.run(["cc", "-std=gnu17", "-O2", "-o", OUT / "latency", ROOT / "bench/peers/latency.c", *flags.stdout.split(),
                    "-lpthread"], check=True)


def round_trip(bootstrap, topic_in, topic_out, records):
    seconds = WARM_UP_SECONDS + max(records // RATE, 1)
    command = [OUT / "latency", bootstrap, topic_in, topic_out, RATE, seconds, WARM_UP_SECONDS]
    answer = subprocess.run(list(map(str, command)), stdout=subprocess.PIPE, text=True)
    return json.loads(answer.stdout)


def through_leat(bootstrap, records):
    output = fresh("leat-latency")
    environment = {**os.environ, "KAFKA_BOOTSTRAP_SERVERS": bootstrap, "OUTPUT": str(output), "TOPIC_IN": "in", "TOPIC_OUT": "out"}
    log = OUT / "leat-latency.err"
    with open(log, "wb") as err:
        leat = subprocess.Popen([LEAT, "run", ROOT / "bench/queries/latency"], stdout=subprocess.DEVNULL, stderr=err,
                                env=environment)
        try:
            time.sleep(START_SECONDS)
            figures = round_trip(bootstrap, "in", "out", records)
        finally:
            status = stop(leat, signal.SIGTERM)
    last = last_json(log.read_text(errors="replace"), "epoch")
    if status != 0:
        raise SystemExit(f"error: leat ended with {status}; its output is in {log}")
    figures["epochs"] = last.get("epoch", -1) + 1
    figures["leat_cpu_us_per_record"] = round(sum(last.get("cpu_s", {}).values()) / max(figures["received"], 1) * 1e6, 2)
    return figures


def show(name, figures):
    print(f"{name:24}" + "".join(f"{figures[f'{q}_ms']:9.1f}" for q in ("p50", "p95", "p99", "p999", "max")), flush=True)


def bench_latency(records, keep):
    records = records or DEFAULT_RECORDS
    build()
    load = os.getloadavg()[0]
    print(f"latency, {records:,} records at {RATE:,}/s, {PARTITIONS} partitions, {machine()['cpu']} x {os.cpu_count()}, "
          f"load before {load:.1f}")
    print(f"{'ms':24}" + "".join(f"{q:>9}" for q in ("p50", "p95", "p99", "p99.9", "max")))
    with kafka(INSTANCE) as bootstrap:
        for topic in ("plain", "in", "out"):
            create_topic(INSTANCE, topic)
        plain = round_trip(bootstrap, "plain", "plain", records)
        show("limit: without leat", plain)
        figures = through_leat(bootstrap, records)
    show("leat, exactly once", figures)
    print(f"  {figures['epochs']:,} transactions; leat's CPU {figures['leat_cpu_us_per_record']:.2f} us a record")
    for name, p50, p99, what in PUBLISHED:
        print(f"{name + ', published':24}{p50:9.1f}{'':9}{p99:9.1f}{'':18}   {what}")
    print(f"  ({PUBLISHED_BY})")
    lost = [name for name, f in (("without leat", plain), ("leat", figures)) if f["received"] != f["sent"] or f["failures"]]
    if lost:
        raise SystemExit(f"error: {', '.join(lost)}: records are missing or double, so the figures mean nothing")
    verdict = "reached" if figures["p99_ms"] < GOAL_P99_MS else "MISSED"
    print(f"  goal, p99 under {GOAL_P99_MS} ms: {verdict}")
    if keep:
        history_add("latency", history_line(records=records, rate=RATE, load_before=round(load, 1), plain=plain, leat=figures))

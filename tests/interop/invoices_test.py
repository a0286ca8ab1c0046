"""examples/invoices over a real Kafka, with bad records: one row per line item, refused invoices as they
came, equal to an independent computation.

once     a backlog
stream   micro-batches of TRIGGER_INTERVAL while records arrive in two waves; Ctrl-C ends it with 0
"""

import json
import os
import sys
from decimal import Decimal
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.dataset as ds

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
TOPIC = f"invoices-{os.getpid()}"
EXAMPLE = ROOT / "examples/invoices"
COLUMNS = (
    "invoice_number",
    "created_time",
    "store_id",
    "customer_card",
    "customer_name",
    "customer_type",
    "delivery_type",
    "city",
    "state",
    "pin_code",
    "payment_method",
    "total_amount",
    "item_code",
    "description",
    "price",
    "qty",
    "total",
)


def fill(count, seed):
    produce("invoices", TOPIC, count, keys=100, bad_ratio=0.04, seed=seed)


# ---- what must come out ----


def money(value):
    return Decimal(value).quantize(Decimal("0.01")) if isinstance(value, Decimal) else None


def item_rows(invoice, time_us):
    customer, address = invoice["customer"], invoice["delivery_address"] or {}
    head = (
        invoice["invoice_number"],
        time_us,
        invoice["store_id"],
        customer["card_no"],
        customer["name"],
        customer["type"],
        invoice["delivery_type"],
        address.get("city"),
        address.get("state"),
        address.get("pin_code"),
        invoice["payment_method"],
        money(invoice["total_amount"]),
    )
    return [
        (
            *head,
            item["item_code"],
            item["description"],
            money(item["price"]),
            int(item["qty"]),
            money(item["total"]),
        )
        for item in invoice["items"]
    ]


class Expected:
    """Rows of both tables from the topic alone."""

    def __init__(self):
        self.items, self.refused, self.priceless = [], [], 0
        self.records = oracle.consume(BOOTSTRAP, TOPIC)
        for (partition, offset), (_, value) in self.records.items():
            self.take(partition, offset, value)

    def take(self, partition, offset, value):
        try:
            invoice = json.loads(value.decode("utf-8"), parse_float=Decimal, parse_int=Decimal)
        except ValueError:
            invoice = {}
        time_us = oracle.event_time_us(invoice.get("created_time"))
        if invoice.get("invoice_number") is None or time_us is None or invoice.get("items") is None:
            self.refused.append(
                (value.decode("utf-8", "replace"), partition, offset)
            )  # a STRING is always valid
        else:
            rows = item_rows(invoice, time_us)
            self.items += rows
            self.priceless += any(row[14] is None for row in rows)


# ---- what came out ----


def arrow_items(tables):
    data = ds.dataset(tables / "invoice_items", format="parquet").to_table(columns=list(COLUMNS))
    time = data.schema.get_field_index("created_time")
    data = data.set_column(time, "created_time", data["created_time"].cast(pa.int64()))
    return list(zip(*(data[name].to_pylist() for name in COLUMNS)))


def duck_items(tables):
    names = ", ".join("epoch_us(created_time)" if name == "created_time" else f'"{name}"' for name in COLUMNS)
    return duckdb.sql(f"select {names} from read_parquet('{tables}/invoice_items/*.parquet')").fetchall()


def refused(tables):
    data = ds.dataset(tables / "refused", format="parquet").to_table()
    return list(zip(*(data[name].to_pylist() for name in ("raw_value", "partition", "offset"))))


def ledger_problems(chain, want):
    totals = ledger_totals(chain)
    records, items = totals["refused"], totals["invoice_items"]
    whole = len(want.records) - len(want.refused)
    return [
        f"{what}: {got}, want {expected}"
        for what, got, expected in (
            (
                "refused",
                (records["in"], records["out"], records["filtered"]),
                (len(want.records), len(want.refused), whole),
            ),
            ("items in", items["in"], len(want.records)),
            ("items out", items["out"], len(want.items)),
            ("items close", items["in"] + items["exploded"], items["out"] + items["filtered"]),
        )
        if got != expected
    ]


def verdicts(name, root, records):
    want = Expected()
    check(
        f"{name}: the data has what is to be tested",
        (
            []
            if len(want.records) == records and want.refused and want.priceless
            else [
                f"{len(want.records)} records, {len(want.refused)} refused, {want.priceless} without a price"
            ]
        ),
    )
    check(f"{name}: PyArrow", multiset_problems("invoice_items", arrow_items(root / "tables"), want.items))
    check(f"{name}: DuckDB", multiset_problems("invoice_items", duck_items(root / "tables"), want.items))
    check(f"{name}: refused", multiset_problems("refused", refused(root / "tables"), want.refused))
    check(f"{name}: ledger", ledger_problems(oracle.chain(root / "checkpoint"), want))


def settings(root):
    return {"KAFKA_TOPIC": TOPIC, "OUTPUT_PATH": root / "tables", "SPARK_CHECKPOINT_DIR": root / "checkpoint"}


def once():
    leat_ok("run", EXAMPLE, "--once", **settings(WORK / "once"))
    verdicts("once", WORK / "once", RECORDS)


def stream():
    root = WORK / "stream"
    running = Leat("run", EXAMPLE, **settings(root), TRIGGER_INTERVAL="500 ms")

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
    verdicts("stream", root, RECORDS + RECORDS // 2)


duckdb.sql("set timezone = 'UTC'")
fill(RECORDS, seed=1)
once()
stream()
finish()

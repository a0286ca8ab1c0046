"""What the five tables of examples/transactions must hold, computed from the topic alone, sharing no code with leat.

The topic is read with confluent-kafka (another librdkafka than leat's), payloads are parsed with Python's json, times with
datetime. Only one thing is taken from leat: where its epochs ended and which watermark each used, because late rows depend
on the split, in Spark too (docs/semantics.md). The watermarks themselves are recomputed here and compared.
"""
import datetime
import json
import re
from collections import defaultdict
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from pathlib import Path

from confluent_kafka import OFFSET_BEGINNING, Consumer, TopicPartition

EPOCH = datetime.datetime(1970, 1, 1, tzinfo=datetime.timezone.utc)
MINUTE_US = 60 * 1_000_000
DELAY_US = 5 * MINUTE_US
FIELDS = ("txn_id", "event_ts", "user_id", "card_id")


def consume(bootstrap, topic):
    """All records: {(partition, offset): (key, value)}."""
    consumer = Consumer({"bootstrap.servers": bootstrap, "group.id": "oracle", "enable.auto.commit": False,
                         "isolation.level": "read_committed", "auto.offset.reset": "earliest"})
    partitions = sorted(consumer.list_topics(topic, 20).topics[topic].partitions)
    ends = {p: consumer.get_watermark_offsets(TopicPartition(topic, p), timeout=20)[1] for p in partitions}
    consumer.assign([TopicPartition(topic, p, OFFSET_BEGINNING) for p in partitions])
    records = {}
    while (missing := sum(ends.values()) - len(records)) > 0:
        batch = consumer.consume(min(missing, 20_000), timeout=20)  # it waits until it has so many
        assert batch, f"the topic ended early: {len(records)} of {sum(ends.values())}"
        for message in batch:
            records[message.partition(), message.offset()] = (message.key(), message.value())
    consumer.close()
    return records


def event_time_us(text):
    """An ISO timestamp as microseconds since 1970 UTC, or None."""
    if not isinstance(text, str):
        return None
    try:
        time = datetime.datetime.fromisoformat(text.strip().replace("Z", "+00:00"))
    except ValueError:
        return None
    if time.tzinfo is None:
        time = time.replace(tzinfo=datetime.timezone.utc)
    return (time - EPOCH) // datetime.timedelta(microseconds=1)


def amount_of(value):
    if isinstance(value, bool) or value is None:
        return None
    try:
        amount = Decimal(str(value).strip())
    except InvalidOperation:
        return None
    if not amount.is_finite():
        return None
    amount = amount.quantize(Decimal("0.01"), ROUND_HALF_UP)
    return amount if abs(amount) < Decimal(10) ** 10 else None


def judge(value):
    """(reason or None, parsed record, event time in us)."""
    try:
        record = json.loads(value.decode("utf-8"), parse_float=str, parse_int=str)
    except (ValueError, AttributeError):
        return "malformed", None, None
    if not isinstance(record, dict):
        return "malformed", None, None
    time_us = event_time_us(record.get("event_ts"))
    if record.get("txn_id") is None:
        return "missing_txn_id", record, time_us
    if time_us is None:
        return "missing_event_ts", record, time_us
    if record.get("card_id") is None:
        return "missing_card_id", record, time_us
    amount = amount_of(record.get("amount"))
    if amount is None or amount < 0:
        return "bad_amount", record, time_us
    return None, {**record, "amount": amount}, time_us


def chain(checkpoint):
    """The commit records, in epoch order, of a checkpoint that was never trimmed."""
    records = [json.loads(path.read_text().splitlines()[0]) for path in sorted(Path(checkpoint).glob("chain/0/*.json"))]
    assert [r["epoch"] for r in records] == list(range(len(records))), "the chain has gaps"
    return records


class Expected:
    """The tables, recomputed over the epochs of `chain_records`."""

    def __init__(self, topic_records, chain_records):
        self.records = topic_records
        self.reasons = defaultdict(int)
        self.quarantine, self.silver = {}, {}
        self.gold, self.late = {}, 0
        self.open = {}
        watermark = previous = 0
        seen = None
        for record in chain_records:
            (group,) = record["watermarks"]["groups"]
            assert group["late_us"] == previous, (record["epoch"], group["late_us"], previous)
            assert group["emit_us"] == watermark, (record["epoch"], group["emit_us"], watermark)
            seen = self.epoch(record, previous, seen)
            self.emit(watermark)
            previous = watermark
            if seen is not None:
                watermark = max(watermark, seen // 1000 * 1000 - DELAY_US)

    def epoch(self, record, late_us, seen):
        for span in record["ranges"]:
            for offset in range(span["from"], span["to"]):
                at = (span["partition"], offset)
                if at in self.records:
                    seen = self.take(at, late_us, seen)
        return seen

    def take(self, at, late_us, seen):
        reason, record, time_us = judge(self.records[at][1])
        if reason:
            self.reasons[reason] += 1
            self.quarantine[at] = reason
            return seen
        lat = record.get("lat")
        self.silver[at] = (record["txn_id"], time_us, record["card_id"], record["amount"], None if lat is None else float(lat))
        start = time_us // MINUTE_US * MINUTE_US
        if start + MINUTE_US <= late_us:
            self.late += 1
        else:
            count, total, most = self.open.get((record["card_id"], start), (0, Decimal(0), record["amount"]))
            self.open[record["card_id"], start] = (count + 1, total + record["amount"], max(most, record["amount"]))
        return time_us if seen is None else max(seen, time_us)

    def emit(self, watermark):
        for key in [k for k in self.open if k[1] + MINUTE_US <= watermark]:
            count, total, most = self.open.pop(key)
            assert key not in self.gold, f"window {key} closed twice"
            average = (total / count).quantize(Decimal("0.000001"), ROUND_HALF_UP)
            self.gold[key] = (count, total, average, most)


def utf8(value):
    return None if value is None else re.sub("\ufffd", "?", value.decode("utf-8", "replace"))

"""leat audit: silent where all is there once, and every damage found and named.

Damage by hand to copies of a good checkpoint with tables; offsets that retention took and gaps of transactions; beside a busy
leat, after kill -9, and before and after the start that mends."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
import oracle
from confluent_kafka import Producer, TopicPartition
from confluent_kafka.admin import AdminClient
from trial import BOOTSTRAP, ROOT, WORK, Leat, check, finish, leat, leat_ok, produce, project, topic_create, until

EXAMPLE = ROOT / "examples/transactions"
TOPIC = f"audit-{os.getpid()}"
RECORDS = 20_000
DAMAGED, CLEAN = 3, 0


class Place:
    """The folders of one pipeline."""

    def __init__(self, name, topic=TOPIC):
        self.root, self.topic = WORK / name, topic
        self.tables, self.checkpoint = self.root / "tables", self.root / "checkpoint"
        self.settings = {
            "KAFKA_TOPIC": topic,
            "OUTPUT_PATH": self.tables,
            "SPARK_CHECKPOINT_DIR": self.checkpoint,
            "MAX_OFFSETS_PER_TRIGGER": RECORDS // 5,
        }

    def copy(self, name):
        shutil.copytree(self.root, WORK / name)
        return Place(name, self.topic)

    def audit(self, *flags):
        return leat("audit", EXAMPLE, "--format", "json", *flags, **self.settings)

    def files(self, table="bronze"):
        return sorted((self.tables / table).glob("part-*"))

    def records(self):
        return sorted((self.checkpoint / "chain/0").glob("*.json"))

    def head(self):
        """The epoch of the newest record; older ones are trimmed, so that their number says nothing."""
        return max((int(path.stem) for path in self.records()), default=-1)

    def record(self, i):
        return json.loads(self.records()[i].read_text().splitlines()[0])


def lines(done):
    return [json.loads(line) for line in done.out.splitlines()]


def problems(done, status, *kinds):
    """What differs from leaving with `status` after findings of just these kinds."""
    found = sorted({line["finding"] for line in lines(done) if "finding" in line})
    wrong = [] if done.status == status else [f"left with {done.status}, want {status}"]
    wrong += [] if found == sorted(kinds) else [f"found {found}, want {sorted(kinds)}"]
    return wrong + [f"it said: {done.out[-1500:]} {done.err[-500:]}"] if wrong else []


# ---- the seal of a record: XXH64, by its published description ----

P1, P2, P3, P4, P5 = (
    0x9E3779B185EBCA87, 0xC2B2AE3D27D4EB4F, 0x165667B19E3779F9, 0x85EBCA77C2B2AE63, 0x27D4EB2F165667C5,
)  # fmt: skip
MASK = (1 << 64) - 1


def turn(x, bits):
    return (x << bits | x >> (64 - bits)) & MASK


def mix(sum_, lane):
    return turn((sum_ + lane * P2) & MASK, 31) * P1 & MASK


def xxh64(data):
    size, at = len(data), 0
    word = lambda i, n: int.from_bytes(data[i : i + n], "little")
    if size >= 32:
        lanes = [(P1 + P2) & MASK, P2, 0, -P1 & MASK]
        while at + 32 <= size:
            lanes = [mix(lane, word(at + 8 * i, 8)) for i, lane in enumerate(lanes)]
            at += 32
        sum_ = sum(turn(lane, bits) for lane, bits in zip(lanes, (1, 7, 12, 18))) & MASK
        for lane in lanes:
            sum_ = ((sum_ ^ mix(0, lane)) * P1 + P4) & MASK
    else:
        sum_ = P5
    sum_ = (sum_ + size) & MASK
    while at + 8 <= size:
        sum_ = (turn(sum_ ^ mix(0, word(at, 8)), 27) * P1 + P4) & MASK
        at += 8
    if at + 4 <= size:
        sum_ = (turn(sum_ ^ word(at, 4) * P1 & MASK, 23) * P2 + P3) & MASK
        at += 4
    for byte in data[at:]:
        sum_ = turn(sum_ ^ byte * P5 & MASK, 11) * P1 & MASK
    sum_ = (sum_ ^ sum_ >> 33) * P2 & MASK
    sum_ = (sum_ ^ sum_ >> 29) * P3 & MASK
    return sum_ ^ sum_ >> 32


def rewrite(place, i, change):
    """Change record i as only somebody who knows its seal could."""
    path, record = place.records()[i], place.record(i)
    change(record)
    text = json.dumps(record, separators=(",", ":")).encode()
    path.write_bytes(text + f"\n{xxh64(text):016x}\n".encode())


# ---- damage by hand ----


def flip(path):
    with open(path, "r+b") as file:
        file.seek(path.stat().st_size // 2)
        byte = file.read(1)
        file.seek(-1, 1)
        file.write(bytes([byte[0] ^ 1]))


def file_deleted(place):
    place.files()[1].unlink()


def file_cut(place):
    os.truncate(place.files("raw_csv")[1], 1000)


def file_changed(place):
    flip(place.files()[1])


def file_doubled(place):
    file = place.files()[1]
    shutil.copy(file, file.with_name(file.name.replace("-00000.", "-00007.")))


def file_copied(place):
    file = place.files("gold")[-1]
    shutil.copy(file, file.with_name("copy-of-" + file.name))


def file_too_new(place):
    file = place.files()[1]
    shutil.copy(file, file.with_name(file.name.replace("-0000000001-", "-0000000999-")))


def file_foreign(place):
    file = place.files()[1]
    shutil.copy(file, file.with_name("part-0123abcd-0-0000000001-00000.snappy.parquet"))


def record_edited(place):
    flip(place.records()[2])


def record_gone(place):
    place.records()[2].unlink()


def head_gone(place):
    place.records()[-1].unlink()


def offsets_missing(place):
    def change(record):
        record["ranges"][0]["from"] += 5

    rewrite(place, 2, change)


def offsets_doubled(place):
    def change(record):
        record["ranges"][1]["from"] -= 7
        record["ranges"][1]["rows"] = record["ranges"][1]["to"] - record["ranges"][1]["from"] - 7

    rewrite(place, 2, change)


def ledger_open(place):
    def change(record):
        ledger = next(ledger for ledger in record["ledgers"] if ledger["table"] == "silver")
        ledger["filtered"] += 1
        ledger["partitions"]["filtered"][0] += 1

    rewrite(place, 2, change)


def ledger_differs(place):
    def change(record):
        columns = next(ledger for ledger in record["ledgers"] if ledger["table"] == "silver")["partitions"]
        for name in ("in", "out"):
            columns[name][0] += 1

    rewrite(place, 2, change)


def state_changed(place):
    flip(sorted(place.checkpoint.glob("state/0/*"))[-1])


def state_gone(place):
    sorted(place.checkpoint.glob("state/0/*"))[-1].unlink()


DAMAGES = {
    file_deleted: ("file_missing",),
    file_cut: ("file_damaged",),
    file_changed: ("file_damaged",),
    file_doubled: ("file_unexplained",),
    file_copied: ("file_unknown",),
    file_too_new: ("file_unexplained",),
    file_foreign: ("foreign_files",),
    record_edited: ("record_damaged",),
    record_gone: ("record_missing",),
    head_gone: ("file_unexplained",),
    offsets_missing: ("offsets_missing", "ledger_differs"),
    offsets_doubled: ("offsets_doubled",),
    ledger_open: ("ledger_open",),
    ledger_differs: ("ledger_differs",),
    state_changed: ("state_damaged",),
    state_gone: ("state_missing",),
}


def damages(good):
    for damage, kinds in DAMAGES.items():
        place = good.copy(damage.__name__)
        if damage is head_gone:   # the empty epoch that closes windows has no files
            place.records()[-1].unlink()
        damage(place)
        done = place.audit()
        check(f"damage: {damage.__name__}", problems(done, DAMAGED, *kinds))
        told = leat("audit", EXAMPLE, **place.settings)
        check(f"damage, as text: {damage.__name__}",
              [f"does not say {kind}" for kind in kinds if kind not in told.out] +
              ([] if told.status == DAMAGED else [f"left with {told.status}"]))
        shutil.rmtree(place.root)
    place = good.copy("flags")
    file_changed(place)
    check("--names-only reads no bytes", problems(place.audit("--names-only"), CLEAN))
    shutil.copy(good.files()[1], place.files()[1])
    file_foreign(place)
    check("--also allows another query", problems(place.audit("--also", "0123abcd"), CLEAN))
    shutil.rmtree(place.root)


# ---- what is no damage ----


def clean(good):
    done = good.audit()
    check("clean", problems(done, CLEAN))
    ranges = [line for line in lines(done) if "partition" in line]
    tables = {line["table"]: line for line in lines(done) if "table" in line}
    ledger = oracle.chain(good.checkpoint)
    held = {
        "ranges": sum(r["records"] for r in ranges) == RECORDS and all(r["from"] == 0 for r in ranges) and len(ranges) == 4,
        "bronze": tables["bronze"]["in"] == tables["bronze"]["rows"] == RECORDS,
        "set aside": tables["_quarantine"]["out"] == tables["_quarantine"]["rows"],
        "files": tables["bronze"]["files"] == len(good.files()),
        "epochs": lines(done)[0]["epoch"] == len(ledger) - 1,
    }
    check("clean: what it says", [f"{what}: {done.out[-2000:]}" for what, true in held.items() if not true])


def unpublished(good):
    """A crash between the record and the names: the next start sees to it."""
    place = good.copy("unpublished")
    for path in place.records()[-1:]:   # the epoch without files
        path.unlink()
    token = next(sink for sink in place.record(-1)["sinks"] if sink["name"] == "bronze")["token"]["files"][0]
    (place.tables / "bronze" / token["final"]).rename(place.tables / "bronze" / token["staged"])
    (place.tables / "bronze/_staging" / (token["staged"][9:17] + "-77-0-00c0ffee.staged")).write_text("never committed")
    done = place.audit()
    notes = sorted({line["note"] for line in lines(done) if "note" in line})
    gone = [line for line in lines(done) if line.get("finding") == "file_unexplained"]
    check("unpublished", problems(done, CLEAN) if not gone else [f"{gone[:2]}"])
    check("unpublished: notes", [] if {"file_unpublished", "leftovers"} <= set(notes) else [f"{notes}"])


def gaps():
    """Markers and aborted records of transactions are offsets without a record."""
    topic = f"{TOPIC}-gaps"
    topic_create(topic, 1)
    producer = Producer({"bootstrap.servers": BOOTSTRAP, "transactional.id": topic})
    producer.init_transactions()
    for round_ in range(6):
        producer.begin_transaction()
        for i in range(10):
            producer.produce(topic, value=b'{"txn_id":"%d-%d"}' % (round_, i))
        producer.flush(20)
        producer.abort_transaction() if round_ % 3 == 1 else producer.commit_transaction()
    place = Place("gaps", topic)
    leat_ok("run", EXAMPLE, "--once", **place.settings)
    done = place.audit()
    (range_,) = [line for line in lines(done) if "partition" in line]
    check("gaps", problems(done, CLEAN))
    check("gaps: counted", [] if (range_["records"], range_["gaps"]) == (40, 26) else [f"{range_}"])


def loss():
    """What retention took is said, where failOnDataLoss=false let leat go on."""
    topic = f"{TOPIC}-loss"
    topic_create(topic, 1)
    place = Place("loss", topic)
    produce("transactions", topic, 1000)
    leat_ok("run", EXAMPLE, "--once", **place.settings)
    produce("transactions", topic, 1000)
    admin = AdminClient({"bootstrap.servers": BOOTSTRAP})
    for future in admin.delete_records([TopicPartition(topic, 0, 1300)]).values():
        future.result(20)
    leat_ok("run", EXAMPLE, "--once", **place.settings, FAIL_ON_DATA_LOSS="false")
    done = place.audit()
    (range_,) = [line for line in lines(done) if "partition" in line]
    check("loss", problems(done, DAMAGED, "offsets_lost"))
    check("loss: counted", [] if (range_["records"], range_["lost"], range_["missing"]) == (1700, 300, 0) else [f"{range_}"])


# ---- a query that writes to Kafka ----

KAFKA_POINTS = {   # and what the audit says after a death there
    "kafka_offsets:2": {"leftovers"},
    "kafka_commit:2": {"leftovers", "transaction_open"},
    "kafka_after:2": {"leftovers", "transaction_unrecorded"},
    "after_record:2": {"leftovers", "file_unpublished"},
}


def transactions():
    """Dead at each point around the commit of a transaction: never a finding, and the note says what is up."""
    topic_create(f"{TOPIC}-out", 2)
    folder = project(
        "to-kafka",
        f"""name: to-kafka
storage: {WORK}/to-kafka-storage
libraries: [{{glob: {{include: transformations/**}}}}]
configuration:
  source.tx.format: kafka
  source.tx.kafka.bootstrap.servers: "{BOOTSTRAP}"
  source.tx.subscribe: {TOPIC}
  source.tx.startingOffsets: earliest
  source.tx.maxOffsetsPerTrigger: "2000"
  sink.out.format: kafka
  sink.out.from: lines
  sink.out.kafka.bootstrap.servers: "{BOOTSTRAP}"
  sink.out.topic: {TOPIC}-out
  spark.sql.session.timeZone: UTC
  leat.trigger: once
""",
        """CREATE STREAMING TABLE copy AS SELECT topic, partition, offset, CAST(value AS STRING) AS v FROM STREAM tx;
CREATE TEMPORARY VIEW lines AS SELECT CAST(offset AS STRING) AS key, CAST(value AS STRING) AS value FROM STREAM tx;
""",
    )
    for point, wanted in KAFKA_POINTS.items():
        died = leat("run", folder, LEAT_FAIL=point)
        done = leat("audit", folder, "--format", "json")
        notes = {line["note"] for line in lines(done) if "note" in line}
        check(f"dead at {point}", ([] if died.status == -9 else [f"left with {died.status}"]) + problems(done, CLEAN))
        check(f"dead at {point}: notes", [] if notes == wanted else [f"{notes}, want {wanted}"])
    leat_ok("run", folder)
    done = leat("audit", folder, "--format", "json")
    check("transactions, at the end", problems(done, CLEAN) + [str(line) for line in lines(done) if "note" in line])
    for path in sorted((WORK / "to-kafka-storage/checkpoint/chain/0").glob("*.json"))[-2:]:
        path.unlink()
    for path in (WORK / "to-kafka-storage/tables/copy").glob("part-*"):   # a backup of everything but the topic
        if int(path.name.split("-")[3]) > len(list((WORK / "to-kafka-storage/checkpoint/chain/0").glob("*.json"))) - 1:
            path.unlink()
    check("an older checkpoint", problems(leat("audit", folder, "--format", "json"), DAMAGED, "transaction_differs"))


# ---- beside a leat at work ----


def busy():
    topic = f"{TOPIC}-busy"
    topic_create(topic, 3)
    place = Place("busy", topic)
    feeder = subprocess.Popen(
        [os.environ["LEAT"], "produce", "transactions", "--bootstrap", BOOTSTRAP, "--topic", topic, "--count", "400000",
         "--rate", "8000", "--partitions", "3", "--keys", "500"],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    wrong, audits = [], 0
    try:
        for killed in range(5):
            work = Leat("run", EXAMPLE, **{**place.settings, "TRIGGER_INTERVAL": "100 milliseconds", "MAX_OFFSETS_PER_TRIGGER": 2000})
            before = place.head()
            wrong += until(lambda: place.head() > before + 1 or work.process.poll() is not None, "a commit")
            for _ in range(6):
                done = place.audit()
                wrong += problems(done, CLEAN)
                audits += 1
                if "holder" not in lines(done)[0]:
                    wrong.append("does not see the leat at work")
            work.process.kill()
            work.process.wait()
            done = place.audit()
            wrong += problems(done, CLEAN)
            if "holder" in lines(done)[0]:
                wrong.append("sees a dead leat at work")
    finally:
        feeder.kill()
        feeder.wait()
    check(f"beside a busy leat, {audits} times, killed 5 times", wrong[:3])
    leat_ok("run", EXAMPLE, "--once", **{**place.settings, "MAX_OFFSETS_PER_TRIGGER": ""})
    check("after the end", problems(place.audit(), CLEAN))


def main():
    topic_create(TOPIC, 4)
    produce("transactions", TOPIC, RECORDS, keys=800, bad_ratio=0.02, late_ratio=0.05, event_rate=100)
    good = Place("good")
    nothing = leat("audit", EXAMPLE, **good.settings)
    check("no checkpoint", [] if nothing.status == 1 and "audit-" not in nothing.out else [f"{nothing.status} {nothing.out}"])
    leat_ok("run", EXAMPLE, "--once", **good.settings)
    clean(good)
    damages(good)
    unpublished(good)
    gaps()
    loss()
    transactions()
    busy()
    finish()


main()

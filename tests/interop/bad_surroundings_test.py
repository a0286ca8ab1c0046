"""What leat needs and does not get: it says what, where and what to try, tries again, and loses nothing.

Broker and topic; folders that cannot be written; a disk that fills up in mid-epoch; checkpoints that are
another's or damaged. Runs in a mount namespace of its own, so that its small disks go away with it however it
ends."""

import os
import shutil
import socket
import subprocess
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
import oracle
import tables
from confluent_kafka import TopicPartition
from confluent_kafka.admin import AdminClient
from trial import BOOTSTRAP, ROOT, WORK, Leat, check, finish, leat, produce, project, topic_create, until

EXAMPLE = ROOT / "examples/transactions"
RECORDS = 60_000
EPOCHS = 6
TOPIC = f"surroundings-{os.getpid()}"
GIVE_UP = ("--set", "leat.retry.limit=4 seconds")
MIB = 1024 * 1024


def own_mounts():
    """Start over in a mount namespace. False when this machine has none for us."""
    if "LEAT_OWN_MOUNTS" in os.environ:
        return True
    unshare = ["unshare", "--mount", *([] if os.geteuid() == 0 else ["--map-root-user"])]
    if subprocess.run([*unshare, "true"], check=False).returncode != 0:
        return False
    os.execvpe("unshare", [*unshare, sys.executable, *sys.argv], {**os.environ, "LEAT_OWN_MOUNTS": "1"})


def fill(topic, count, seed=3):
    rate = RECORDS // 1200
    produce(
        "transactions", topic, count, keys=2000, bad_ratio=0.02, late_ratio=0.05, seed=seed, event_rate=rate
    )


class Place:
    """The folders of one pipeline."""

    def __init__(self, name, topic=TOPIC, tables_at=None, checkpoint_at=None):
        self.root = WORK / name
        self.root.mkdir(parents=True, exist_ok=True)
        self.tables, self.checkpoint = (
            tables_at or self.root / "tables",
            checkpoint_at or self.root / "checkpoint",
        )
        self.settings = {
            "KAFKA_TOPIC": topic,
            "OUTPUT_PATH": self.tables,
            "SPARK_CHECKPOINT_DIR": self.checkpoint,
            "MAX_OFFSETS_PER_TRIGGER": RECORDS // EPOCHS,
        }

    def start(self, *flags, example=EXAMPLE, **settings):
        return Leat("run", example, *flags, **{**self.settings, **settings})

    def once(self, *flags, **more):
        return self.start("--once", *flags, **more).wait()

    def committed(self):
        return len(list(self.checkpoint.glob("chain/0/*.json")))

    def problems(self, topic=TOPIC):
        """Tables against the topic."""
        want = oracle.Expected(oracle.consume(BOOTSTRAP, topic), oracle.chain(self.checkpoint))
        staged = [path for path in self.tables.rglob("*.staged")]
        return tables.differences(want, tables.Arrow(self.tables)) + [
            f"left in staging: {path.name}" for path in staged[:2]
        ]


# ---- broker and topic ----


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def no_broker():
    port = free_port()
    done = Place("no-broker").once(*GIVE_UP, KAFKA_BOOTSTRAP_SERVERS=f"127.0.0.1:{port}")
    check(
        "broker unreachable",
        done.problems(1, f"127.0.0.1:{port}", "(attempt 2)", "gave up after", "source transactions"),
    )
    check("broker unreachable: the limit is kept", [] if done.seconds < 15 else [f"{done.seconds:.0f} s"])
    stopped = Place("no-broker-stop").start("--once", KAFKA_BOOTSTRAP_SERVERS=f"127.0.0.1:{port}")
    late = until(lambda: "attempt 2" in stopped.said(), "the second attempt", 10)
    begun = time.monotonic()
    check("broker unreachable: Ctrl-C", late + stopped.stop().problems(0))
    check(
        "broker unreachable: Ctrl-C at once",
        [] if time.monotonic() - begun < 6 else ["it took more than 6 s"],
    )


def no_broker_to_write_to():
    """A producer's first question waits for long: for no longer than the limit leaves."""
    broker = f"127.0.0.1:{free_port()}"
    folder = project(
        "no-broker-out",
        f"""name: no_broker_out
storage: file://{WORK}/no-broker-out/data
libraries:
  - glob:
      include: transformations/**
configuration:
  source.events.format: kafka
  source.events.kafka.bootstrap.servers: {broker}
  source.events.subscribe: events
  sink.copy.format: kafka
  sink.copy.from: copied
  sink.copy.kafka.bootstrap.servers: {broker}
  sink.copy.topic: copy
""",
        "CREATE TEMPORARY VIEW copied AS SELECT value FROM STREAM events;",
    )
    done = leat("run", folder, *GIVE_UP)
    check("no broker to write to", done.problems(1, broker, "starting transactions", "gave up after"))
    check("no broker to write to: the limit is kept", [] if done.seconds < 10 else [f"{done.seconds:.0f} s"])


def no_topic():
    done = Place("no-topic", f"{TOPIC}-nowhere").once()
    check(
        "topic missing",
        done.problems(2, f"topic {TOPIC}-nowhere does not exist", BOOTSTRAP, "create it", "check the name"),
    )
    topic = f"{TOPIC}-later"
    place = Place("topic-later", topic)
    running = place.start("--once")
    late = until(lambda: "does not exist" in running.said(), "a word about the missing topic", 10)
    topic_create(topic, 4)
    check("topic made while leat waits for it", late + running.wait().problems(0))


def offsets_gone():
    """Retention was faster than we were."""
    topic = f"{TOPIC}-short"
    place = Place("offsets-gone", topic)
    fill(topic, 1000)
    place.once()
    fill(topic, 1000, seed=4)
    ends = {partition: offset + 1 for partition, offset in sorted(oracle.consume(BOOTSTRAP, topic))}
    admin = AdminClient({"bootstrap.servers": BOOTSTRAP})
    for future in admin.delete_records([TopicPartition(topic, p, end) for p, end in ends.items()]).values():
        future.result(20)
    epochs = place.committed()
    check(
        "offsets gone",
        place.once().problems(1, f"topic {topic} partition", "are gone", "failOnDataLoss=false"),
    )
    check(
        "offsets gone: nothing was committed",
        [] if place.committed() == epochs else ["an epoch was committed"],
    )
    check(
        "offsets gone: failOnDataLoss=false",
        place.once(FAIL_ON_DATA_LOSS="false").problems(0, f"topic {topic} partition", "going on at"),
    )


# ---- folders ----


def not_writable():
    file = WORK / "a-file"
    file.write_text("not a folder")
    done = Place("below-file", tables_at=file / "tables").once(*GIVE_UP)
    check("tables below a file", done.problems(1, str(file), "cannot use the folder"))
    done = Place("below-file-2", checkpoint_at=file / "checkpoint").once(*GIVE_UP)
    check("checkpoint below a file", done.problems(1, str(file), "cannot use the folder"))


def read_only():
    disk = Disk("read-only", 1)
    subprocess.run(["mount", "-o", "remount,ro", disk.path], check=True)
    place = Place("read-only-tables", tables_at=disk.path / "tables")
    check(
        "tables on a read-only disk",
        place.once(*GIVE_UP).problems(1, str(disk.path), "Read-only file system"),
    )
    check(
        "tables on a read-only disk: nothing is committed",
        [] if place.committed() == 0 else ["an epoch was committed"],
    )


class Disk:
    """A small disk. fill() leaves so many bytes free."""

    def __init__(self, name, mib):
        self.path = WORK / name
        self.path.mkdir()
        subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={mib}m", "tmpfs", self.path], check=True)

    def fill(self, free_bytes):
        size = shutil.disk_usage(self.path).free - free_bytes
        with open(self.path / "filler", "wb") as file:
            os.posix_fallocate(file.fileno(), 0, size)

    def free(self):
        (self.path / "filler").unlink()


def torn(place):
    """Every file that a reader can see is whole, and no record is there twice."""
    rows = tables.Arrow(place.tables).rows("bronze", ["partition", "offset"])
    return [] if len(rows) == len(set(rows)) else ["bronze has records twice"]


def disk_full(name, disk, free_bytes, place):
    """The disk is full in mid-epoch; leat waits; space is freed; it goes on."""
    disk.fill(free_bytes)
    running = place.start("--once")
    problems = until(
        lambda: "No space left" in running.said() and "next attempt in" in running.said(),
        "a word about the full disk",
    )
    problems += until(lambda: running.said().count("next attempt in") > 1, "a second attempt")
    problems += [] if running.process.poll() is None else ["it left"]
    check(f"{name}: says so and waits", problems + ([running.said()[-1000:]] if problems else []))
    check(f"{name}: what can be seen is whole", torn(place))
    disk.free()
    check(f"{name}: goes on when space is freed", running.wait().problems(0, str(disk.path)))
    check(f"{name}: nothing is lost", place.problems())


def disks_full():
    disk = Disk("disk-of-tables", 64)
    disk_full("disk of the tables full", disk, 6 * MIB, Place("full-tables", tables_at=disk.path / "tables"))
    disk = Disk("disk-of-checkpoint", 16)
    disk_full(
        "disk of the checkpoint full",
        disk,
        256 * 1024,
        Place("full-checkpoint", checkpoint_at=disk.path / "checkpoint"),
    )


def disk_stays_full():
    disk = Disk("disk-that-stays-full", 64)
    disk.fill(6 * MIB)
    place = Place("stays-full", tables_at=disk.path / "tables")
    check("disk stays full: gives up", place.once(*GIVE_UP).problems(1, "No space left", str(disk.path)))
    check("disk stays full: what can be seen is whole", torn(place))
    disk.free()
    check("disk stays full: the next run makes good", place.once().problems(0) + place.problems())


# ---- checkpoints ----


def another_leat(place):
    running = place.start("--once", LEAT_FAIL="after_record:1:stop")  # it stands still and holds its lock
    problems = until(lambda: place.committed() > 0, "the first epoch")
    done = place.once()
    check(
        "another leat on the checkpoint",
        problems + done.problems(1, str(place.checkpoint), f"process {running.process.pid}", "stop it first"),
    )
    running.process.kill()
    running.wait()
    check("another leat on the checkpoint: after its death", place.once().problems(0) + place.problems())


def of_another_query(place):
    done = place.once(example=ROOT / "examples/invoices", KAFKA_TOPIC=TOPIC)
    check(
        "checkpoint of another query",
        done.problems(
            1,
            str(place.checkpoint),
            "belongs to pipeline transactions",
            "pipeline invoices as it is now would lose",
            "leat.checkpoint and leat.tables.path both set to new folders",
        ),
    )


def damaged(place):
    head = max(place.checkpoint.glob("chain/0/*.json"))
    state = max(place.checkpoint.glob("state/0/*"), key=lambda path: path.stat().st_size)
    query = place.checkpoint / "query.json"
    for name, path, damage in (
        ("a flipped byte in the commit record", head, lambda b: b[:50] + bytes([b[50] ^ 1]) + b[51:]),
        ("a commit record cut off", head, lambda b: b[: len(b) // 2]),
        ("an empty commit record", head, lambda b: b""),
        ("a broken query.json", query, lambda b: b"{"),
    ):
        before, files = path.read_bytes(), sorted(place.tables.rglob("part-*"))
        path.write_bytes(damage(before))
        check(name, place.once().problems(1, str(path), "backup"))
        check(
            f"{name}: nothing is touched",
            [] if files == sorted(place.tables.rglob("part-*")) else ["files of tables changed"],
        )
        path.write_bytes(before)
    # An older whole of a shard and the changes since may say the same: then a damaged file costs nothing. Rows decide.
    for name, damage in (
        ("a flipped byte in the state", lambda b: b[:-9] + bytes([b[-9] ^ 1]) + b[-8:]),
        ("a state file cut off", lambda b: b[: len(b) // 2]),
    ):
        before = state.read_bytes()
        state.write_bytes(damage(before))
        done = place.once()
        check(name, place.problems() if done.status == 0 else done.problems(1, str(state)))
        state.write_bytes(before)
    check("after all damage is mended", place.once().problems(0) + place.problems())


disks = own_mounts()
fill(TOPIC, RECORDS)
no_broker()
no_broker_to_write_to()
no_topic()
offsets_gone()
not_writable()
if disks:
    read_only()
    disks_full()
    disk_stays_full()
place = Place("checkpoint")
another_leat(place)
of_another_query(place)
damaged(place)
finish(skipped=0 if disks else 13)

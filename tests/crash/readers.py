"""Readers that know nothing of leat: of finished tables and topics, and of those that a leat at work is writing.

What they find is counted in three kinds. lost: it was produced and is not there. double: it is there more than once.
torn: a file or a row that no reader should ever meet: unreadable, half written, changed after it was visible, never produced.
"""
import csv
import json
import os
import threading
import time
from collections import Counter
from dataclasses import dataclass, field

import duckdb
import pyarrow.dataset as ds
import pyarrow.json as pj
import pyarrow.parquet as pq
from deltalake import DeltaTable
from deltalake.exceptions import TableNotFoundError
from confluent_kafka import OFFSET_BEGINNING, Consumer, TopicPartition

TEXTS_KEPT = 12
LOOK_SECONDS = 0.01
QUIET = 2  # of librdkafka's log levels: a broker that is gone on purpose is no news
FILES_AGAIN = 25  # every so many looks the files already known are looked at again


@dataclass
class Findings:
    lost: int = 0
    double: int = 0
    torn: int = 0
    wrong: int = 0  # leat's own behaviour: exit status, leftovers
    texts: list = field(default_factory=list)

    def add(self, kind, count, text):
        if count:
            setattr(self, kind, getattr(self, kind) + count)
            if len(self.texts) < TEXTS_KEPT:
                self.texts.append(f"{kind} {count}: {text}")

    def merge(self, other):
        for kind in ("lost", "double", "torn", "wrong"):
            setattr(self, kind, getattr(self, kind) + getattr(other, kind))
        self.texts = (self.texts + other.texts)[:TEXTS_KEPT]

    def compare(self, who, got, want):
        """Multisets of rows: `got` is an iterable, `want` a Counter."""
        got = Counter(got)
        missing, more = want - got, got - want
        known = Counter({row: count for row, count in more.items() if row in want})
        foreign = more - known
        self.add("lost", missing.total(), f"{who}: {some(missing)}")
        self.add("double", known.total(), f"{who}: {some(known)}")
        self.add("torn", foreign.total(), f"{who}: never produced: {some(foreign)}")


def some(counter):
    return str([row for row, _ in counter.most_common(2)])[:300]


# ---- finished tables ----


def paths(folder, kind):
    return [str(path) for path in sorted(folder.rglob(f"*.{kind}")) if "_staging" not in path.parts]


def arrow_rows(folder, kind, columns):
    """PyArrow's dataset over all files at once."""
    files = paths(folder, kind)
    if not files:
        return []
    if kind == "csv":
        return [tuple(row) for path in files for row in csv_rows(path)]
    if kind == "json":
        rows = (row for path in files for row in pj.read_json(path).to_pylist())
        return [tuple(row[column] for column in columns) for row in rows]
    data = ds.dataset(files, format="parquet").to_table(columns=list(columns))
    return list(zip(*(data[column].to_pylist() for column in columns)))


def duck_rows(folder, kind, columns):
    files = paths(folder, kind)
    if not files:
        return []
    with duckdb.connect() as connection:
        connection.execute("set threads = 1")
        if kind == "csv":
            spec = ", ".join(f"'{column}': 'VARCHAR'" for column in columns)
            source = f"read_csv({files}, header = false, quote = '\"', escape = '\\', columns = {{{spec}}})"
        elif kind == "json":
            source = f"read_json({files}, format = 'newline_delimited')"
        else:
            source = f"read_parquet({files}, hive_partitioning = false)"
        names = ", ".join(f'"{column}"' for column in columns)
        return connection.execute(f"select {names} from {source}").fetchall()


# ---- Delta tables ----


def delta_rows(folder, kind, columns):
    """What delta-rs reads: of the newest version, by the log."""
    data = DeltaTable(str(folder)).to_pyarrow_table(columns=list(columns))
    return list(zip(*(data[column].to_pylist() for column in columns)))


def duck_delta_rows(folder, kind, columns):
    """DuckDB on the files that the log names."""
    files = [uri.removeprefix("file://") for uri in DeltaTable(str(folder)).file_uris()]
    if not files:
        return []
    names = ", ".join(f'"{column}"' for column in columns)
    with duckdb.connect() as connection:
        connection.execute("set threads = 1")
        return connection.execute(f"select {names} from read_parquet({files}, hive_partitioning = false)").fetchall()


def lines_of(path):
    """ValueError when the last one is not whole."""
    with open(path, encoding="utf-8", newline="") as file:
        text = file.read()
    if text and not text.endswith("\n"):
        raise ValueError("the last line has no end")
    return text.splitlines()


def csv_rows(path):
    """In Spark's dialect."""
    return csv.reader(lines_of(path), escapechar="\\", doublequote=False)


# ---- tables that are being written ----


class FolderWatch(threading.Thread):
    """Polls one table's folder all the time. keys(path): what names the rows of a file; raises when the file is torn."""

    def __init__(self, folder, kind, keys):
        super().__init__(daemon=True)
        self.folder, self.kind, self.keys = folder, kind, keys
        self.findings, self.seen, self.files, self.looks = Findings(), set(), {}, 0
        self.ended = threading.Event()

    def run(self):
        while not self.ended.wait(LOOK_SECONDS):
            self.look(again=self.looks % FILES_AGAIN == 0)
        self.look(again=True)

    def end(self):
        self.ended.set()
        self.join()
        return self.findings

    def look(self, again):
        self.looks += 1
        for path in self.visible(str(self.folder)):
            if path not in self.files or again:
                self.meet(path)

    def visible(self, folder):
        """What a reader's glob would find: no _staging, no other suffix."""
        try:
            entries = list(os.scandir(folder))
        except FileNotFoundError:
            return
        for entry in entries:
            if entry.is_dir():
                if not entry.name.startswith(("_", ".")):
                    yield from self.visible(entry.path)
            elif entry.name.endswith("." + self.kind):
                yield entry.path

    def meet(self, path):
        stat = os.stat(path)
        print_of_file = (stat.st_ino, stat.st_size, stat.st_mtime_ns)
        if path in self.files:
            self.findings.add("torn", int(self.files[path] != print_of_file), f"{path} changed after it was visible")
            self.files[path] = print_of_file
            return
        self.files[path] = print_of_file
        try:
            keys = self.keys(path)
        except Exception as error:  # whatever a reader says of a torn file
            self.findings.add("torn", 1, f"{path}: {error}")
            return
        twice = [key for key in keys if key in self.seen]
        self.findings.add("double", len(twice), f"{path} has {twice[:2]} again")
        self.seen.update(keys)


class MergedWatch(FolderWatch):
    """Polls a folder whose small files are merged while it does: what it lists must have no row twice and keep the rows of
    looks before; a file that went between list and open is no finding, the next look tells."""

    def __init__(self, folder, keys):
        super().__init__(folder, "parquet", keys)
        self.keys_of, self.merged, self.overtaken = {}, set(), 0

    def look(self, again):
        self.looks += 1
        files = list(self.visible(str(self.folder)))
        try:
            self.rows_check(f"look {self.looks}", files)
        except FileNotFoundError:
            self.overtaken += 1
        except Exception as error:  # whatever a reader says of a torn file
            self.findings.add("torn", 1, f"look {self.looks}: {error}")

    def rows_check(self, what, files):
        for path in files:
            if path not in self.keys_of:
                self.keys_of[path] = self.keys(path)
        rows = Counter(key for path in files for key in self.keys_of[path])
        twice = [key for key, count in rows.items() if count > 1]
        self.findings.add("double", len(twice), f"{what} has {twice[:2]} again")
        gone = self.seen - rows.keys()
        self.findings.add("lost", len(gone), f"{what} has no {list(gone)[:2]} any more")
        self.seen.update(rows)
        self.merged.update(path for path in files if os.path.basename(path).startswith("merged-"))


class DeltaWatch(MergedWatch):
    """Polls a Delta table by its log: every version must be readable, have no row twice, and keep the rows of those before;
    files may come and go, for small ones are merged."""

    def __init__(self, folder, keys):
        super().__init__(folder, keys)
        self.version = -1

    def look(self, again):
        self.looks += 1
        try:
            table = DeltaTable(str(self.folder))
            if table.version() <= self.version:
                self.findings.add("torn", self.version - table.version(), f"version {table.version()} behind {self.version}")
                return
            self.version = table.version()
            self.rows_check(f"version {self.version}", [uri.removeprefix("file://") for uri in table.file_uris()])
        except TableNotFoundError:
            return
        except Exception as error:  # whatever it says of a torn log; but its listing may miss a version that is being written
            if "found gap" not in str(error):
                self.findings.add("torn", 1, f"the log: {error}")


def parquet_keys(*columns):
    def keys(path):
        data = pq.read_table(path, partitioning=None, use_threads=False)
        return list(zip(*(data[column].to_pylist() for column in columns)))
    return keys


def csv_keys(count, width):
    """The first `count` fields of lines with `width` fields."""
    def keys(path):
        rows = list(csv_rows(path))
        short = [row for row in rows if len(row) != width]
        if short:
            raise ValueError(f"a line has {len(short[0])} fields: {short[0]}")
        return [tuple(row[:count]) for row in rows]
    return keys


def json_keys(*columns):
    def keys(path):
        return [tuple(row[column] for column in columns) for row in map(json.loads, lines_of(path))]
    return keys


# ---- topics that are being written ----


class TopicWatch(threading.Thread):
    """A read_committed consumer of some topics, from before their first record on. It keeps every record as (partition, offset,
    value) of the record that it was made of, in the order of its partition."""

    def __init__(self, bootstrap, topics):
        super().__init__(daemon=True)
        self.settings = {"bootstrap.servers": bootstrap, "group.id": f"watch-{os.getpid()}", "enable.auto.commit": False,
                         "isolation.level": "read_committed", "auto.offset.reset": "error", "fetch.wait.max.ms": 50,
                         "log_level": QUIET}
        self.topics, self.found, self.problems = topics, {topic: {} for topic in topics}, []
        self.ended = threading.Event()
        self.consumer = Consumer(self.settings)
        self.partitions = [TopicPartition(topic, partition, OFFSET_BEGINNING) for topic in topics
                           for partition in self.partitions_of(topic)]
        self.consumer.assign(self.partitions)

    def partitions_of(self, topic):
        """Of a cluster's nodes some hear of a new topic later than others."""
        deadline = time.monotonic() + 20
        while not (known := self.consumer.list_topics(topic, 20).topics[topic].partitions):
            assert time.monotonic() < deadline, f"{topic} has no partitions"
            time.sleep(0.05)
        return known

    def run(self):
        while not self.ended.is_set():
            self.look(0.1)

    def look(self, seconds):
        messages = self.consumer.consume(500, seconds)
        for message in messages:
            if message.error():
                self.problems.append(str(message.error()))
                continue
            partition, offset, value = message.value().decode().split(" ", 2)
            self.found[message.topic()].setdefault(message.partition(), []).append((int(partition), int(offset), value))
        return len(messages)

    def end(self):
        """Reads on to the end of what is committed now."""
        self.ended.set()
        self.join()
        deadline = time.monotonic() + 20
        while not self.at_end() and time.monotonic() < deadline:
            self.look(0.1)
        findings = Findings()
        findings.add("torn", len(self.problems), f"the consumer says {self.problems[:2]}")
        findings.add("wrong", int(not self.at_end()), "the consumer does not reach the end: a transaction hangs")
        self.consumer.close()
        return findings

    def at_end(self):
        """librdkafka's position stands behind control records only once it has passed them; so the end must be reached or
        nothing but control records be left."""
        places = self.consumer.position(self.partitions)
        ends = [self.consumer.get_watermark_offsets(place, timeout=10)[1] for place in self.partitions]
        return all(max(place.offset, 0) >= end for place, end in zip(places, ends))

    def rows(self, topic):
        return [row for rows in self.found[topic].values() for row in rows]


def epochs_in_order(found, ranges):
    """Texts. `ranges`: per epoch {partition: (from, to)}. In each partition of a topic the records of an epoch are neighbours,
    and epochs follow each other: what one transaction wrote."""
    epoch_of = {(partition, offset): number for number, spans in ranges.items()
                for partition, (begin, end) in spans.items() for offset in range(begin, end)}
    problems = []
    for partition, rows in found.items():
        epochs = [epoch_of[row[:2]] for row in rows if row[:2] in epoch_of]  # older records of the chain are gone
        problems += [f"partition {partition}: epoch {late} behind {early}" for early, late in zip(epochs, epochs[1:]) if late < early]
    return problems

"""The events of a parity case: feed.txt, or what feed.py prints.

    # a comment
    unordered TABLE.COLUMN          an array whose order no engine promises (collect_list): compared as a multiset
    partitions TOPIC N              1 unless said
    events {"k": "a", "v": 1}       one record to the topic CASE-events; the payload is the rest of the line, as it is
    events @2026-01-01T00:00:05Z /1 =key {"k": "a"}      with Kafka timestamp, partition, key, each of them optional
    events NULL                     a record without a value
    ---                             both engines work off what is there and stop; what follows is there for the next run

Within a run maxOffsetsPerTrigger of the source cuts epochs of so many records.
"""
import datetime
import subprocess
import sys
from dataclasses import dataclass, field

TIMESTAMP = "2026-01-01T00:00:00Z"
MILLISECOND = datetime.timedelta(milliseconds=1)
EPOCH = datetime.datetime(1970, 1, 1, tzinfo=datetime.timezone.utc)


@dataclass
class Record:
    topic: str
    partition: int
    timestamp_ms: int
    key: bytes | None
    value: bytes | None


@dataclass
class Feed:
    runs: list = field(default_factory=lambda: [[]])   # of lists of Record
    partitions: dict = field(default_factory=dict)     # {topic: count}
    unordered: set = field(default_factory=set)        # {(table, column)}


def milliseconds(text):
    return (datetime.datetime.fromisoformat(text.replace("Z", "+00:00")) - EPOCH) // MILLISECOND


def record(topic, rest):
    found = Record(topic, 0, milliseconds(TIMESTAMP), None, None)
    while rest[:1] in ("@", "/", "="):
        word, _, rest = rest.partition(" ")
        if word[0] == "@":
            found.timestamp_ms = milliseconds(word[1:])
        elif word[0] == "/":
            found.partition = int(word[1:])
        else:
            found.key = word[1:].encode()
    found.value = None if rest == "NULL" else rest.encode()
    return found


def found(folder):
    return folder / "feed.txt" if (folder / "feed.txt").exists() else folder / "feed.py"


def text_of(path):
    if path.suffix == ".txt":
        return path.read_text(encoding="utf-8")
    return subprocess.run([sys.executable, path], check=True, capture_output=True).stdout.decode()


def read(case, path):
    feed, topic_of = Feed(), f"{case}-{{}}".format
    for line in text_of(path).split("\n"):
        first, _, rest = line.partition(" ")
        if not line or first == "#":
            continue
        if first == "---":
            feed.runs.append([])
        elif first == "unordered":
            feed.unordered.add(tuple(rest.split(".")))
        elif first == "partitions":
            name, count = rest.split()
            feed.partitions[topic_of(name)] = int(count)
        else:
            feed.partitions.setdefault(topic_of(first), 1)
            feed.runs[-1].append(record(topic_of(first), rest))
    return feed

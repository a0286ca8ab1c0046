"""Records that leat writes to topics: their columns, where they go, and each of them once, whatever dies when."""

import random
import shutil
import sys
import time
from collections import Counter
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
import oracle
import pyarrow.dataset
from confluent_kafka import Consumer, ConsumerGroupTopicPartitions, KafkaException, TopicPartition
from confluent_kafka.admin import AdminClient
from kafka.partitioner.default import murmur2
from tables import quarantined
from trial import (BOOTSTRAP, WORK, Leat, check, finish, leat, leat_ok, ledger_totals, multiset_problems, produce, project,
                   topic_create, topic_fill, until)

ROWS = 4000
FENCE_SECONDS = 5
POINTS = ["stage_done", "kafka_offsets", "kafka_commit", "kafka_after", "record_temp", "record_put", "after_record",
          "publish_done"]


# ---- reading ----


def read(topic, committed=True):
    """All records of the topic, as a read_committed reader sees them (or as they lie there)."""
    consumer = Consumer({
        "bootstrap.servers": BOOTSTRAP, "group.id": "reader", "enable.auto.commit": False, "enable.partition.eof": True,
        "isolation.level": "read_committed" if committed else "read_uncommitted", "auto.offset.reset": "earliest"})
    partitions = consumer.list_topics(topic, 10).topics[topic].partitions
    consumer.assign([TopicPartition(topic, p, 0) for p in partitions])
    left, records = set(partitions), []
    while left:
        message = consumer.poll(10)
        if message is None:
            raise SystemExit(f"{topic} cannot be read to its end\n0 passed, 1 failed")
        if message.error() is None:
            records.append(message)
        elif message.error().code() == -191:  # the end of a partition
            left.discard(message.partition())
        else:
            raise KafkaException(message.error())
    consumer.close()
    return records


def group_offsets(query_id, topic, partitions):
    """{partition: (offset, metadata)} of leat's group."""
    admin = AdminClient({"bootstrap.servers": BOOTSTRAP})
    asked = ConsumerGroupTopicPartitions(f"leat-{query_id[:8]}", [TopicPartition(topic, p) for p in range(partitions)])
    answer = admin.list_consumer_group_offsets([asked], require_stable=True)
    return {at.partition: (at.offset, at.metadata) for at in list(answer.values())[0].result(20).topic_partitions}


# ---- writing ----


def spec(name, sinks, source_topic, **settings):
    lines = [f"name: {name}", f"storage: file://{WORK}/{name}/data", "libraries:", "  - glob:", "      include: transformations/**",
             "configuration:", "  source.events.format: kafka", f"  source.events.kafka.bootstrap.servers: {BOOTSTRAP}",
             f"  source.events.subscribe: {source_topic}", "  source.events.startingOffsets: earliest",
             "  source.events.includeHeaders: \"true\"", "  spark.sql.session.timeZone: UTC"]
    for sink, options in sinks.items():
        lines += [f"  sink.{sink}.format: kafka"]
        options = {"kafka.bootstrap.servers": BOOTSTRAP, **options}
        lines += [f"  sink.{sink}.{key}: \"{value}\"" for key, value in options.items()]
    settings = {"leat__trigger": "once", **settings}
    lines += [f"  {key.replace('__', '.')}: \"{value}\"" for key, value in settings.items()]
    return "\n".join(lines) + "\n"


def columns_test():
    """Every column that a record has, from what one went in as to what comes out."""
    topic_create("columns_in", 3)
    topic_create("columns_a", 5)
    topic_create("columns_b", 5)
    sent = topic_fill("columns_in", [(f"key-{i}" if i % 7 else None, f"value {i} " + "x" * (i % 50)) for i in range(ROWS)])
    sql = """
        CREATE TEMPORARY VIEW rows AS SELECT key, value, CAST(split(CAST(value AS STRING), ' ')[1] AS INT) AS i, partition AS p,
            offset AS o, timestamp AS ts FROM STREAM events;
        CREATE TEMPORARY VIEW outgoing AS SELECT key, CASE WHEN i % 100 = 3 THEN NULL ELSE value END AS value,
            CASE WHEN i % 2 = 0 THEN 'columns_a' ELSE 'columns_b' END AS topic,
            CASE WHEN i % 5 = 0 THEN i % 3 END AS partition,
            timestamp_micros(unix_micros(ts) + 1000000L * (i % 100)) AS timestamp,
            CASE WHEN i % 4 <> 0 THEN array(named_struct('key', 'at', 'value', CAST(concat(p, '/', o) AS BINARY)),
                named_struct('key', 'at', 'value', CAST(NULL AS BINARY)),
                named_struct('key', 'empty', 'value', CAST('' AS BINARY))) END AS headers,
            'not written' AS other
            FROM STREAM rows;
    """
    folder = project("columns", spec("columns", {"out": {"from": "outgoing", "kafka.compression.type": "lz4"}}, "columns_in"), sql)
    leat_ok("run", folder, "--once")
    source = {(m.partition(), m.offset()): m for m in read("columns_in")}
    by_value = {int(value.split()[1]): at for at, value in sent.items()}
    want = []
    for i, (p, o) in by_value.items():
        message = source[p, o]
        headers = [("at", f"{p}/{o}".encode()), ("at", None), ("empty", b"")] if i % 4 else None
        want.append((f"columns_{'ab'[i % 2]}", message.key(), None if i % 100 == 3 else message.value(),
                     i % 3 if i % 5 == 0 else None, message.timestamp()[1] + 1000 * (i % 100), str(headers)))
    records = read("columns_a") + read("columns_b")
    free = [(w[0], w[1], w[2], None, w[4], w[5]) for w in want]
    got = [(m.topic(), m.key(), m.value(), None, m.timestamp()[1], str(m.headers())) for m in records]
    check("columns", multiset_problems("records", got, free))
    fixed = Counter((w[0], w[1], w[2], w[3], w[4]) for w in want if w[3] is not None)
    told = Counter((m.topic(), m.key(), m.value(), m.partition(), m.timestamp()[1]) for m in records)
    check("column partition", [f"{len(fixed - told)} records are elsewhere"] if fixed - told else [])
    spread = [m for m in records if m.key() is not None and (m.topic(), m.key(), m.value(), m.partition(), m.timestamp()[1]) not in fixed]
    wrong = [m for m in spread if m.partition() != (murmur2(m.key()) & 0x7FFFFFFF) % 5]
    check("keys go where Java puts them", [f"{len(wrong)} of {len(spread)} do not"] if wrong or not spread else [])


def tables_test():
    """Two topics and a table in one pipeline, in the same epochs; the group shows progress; ledgers close."""
    topic_create("flows_in", 4)
    produce("transactions", "flows_in", ROWS, seed=5, bad_ratio=0)
    folder = project("flows", spec("flows", {"big": {"from": "large", "topic": "flows_big", "kafka.compression.type": "zstd"},
                                             "all": {"from": "everything", "topic": "flows_all",
                                                     "kafka.compression.type": "zstd"}},
                                   "flows_in", leat__epoch__max_records=700), FLOWS_SQL)
    topic_create("flows_big", 2)
    topic_create("flows_all", 3)
    leat_ok("run", folder, "--once")
    check("flows", flows_problems("flows", ROWS))
    records = oracle.chain(WORK / "flows/data/checkpoint")
    check("epochs", [] if len(records) > 4 and all(r["transaction"] for r in records) else [f"{len(records)} records"])
    query_id = records[0]["query_id"]
    offsets = group_offsets(query_id, "flows_in", 4)
    ends = {r["partition"]: r["to"] for r in records[-1]["ranges"]}
    mark = f"{query_id}/0/{records[-1]['epoch']}/{records[-1]['nonce']}"
    check("the group shows progress", [] if offsets == {p: (to, mark) for p, to in ends.items()} else [f"{offsets}, want {ends} {mark}"])


FLOWS_SQL = """
    CREATE TEMPORARY VIEW everything AS SELECT key, concat(partition, '/', offset) AS value FROM STREAM events;
    CREATE TEMPORARY VIEW large AS SELECT value FROM STREAM everything WHERE value LIKE '%7';
    CREATE STREAMING TABLE written AS SELECT partition, offset FROM STREAM events;
"""


def flows_problems(name, rows):
    """In the topics and the table of a run with FLOWS_SQL every record is once."""
    source = [f"{m.partition()}/{m.offset()}" for m in read(f"{name}_in")]
    problems = [] if len(source) == rows else [f"{len(source)} records went in"]
    problems += multiset_problems("all", [m.value().decode() for m in read(f"{name}_all")], source)
    problems += multiset_problems("big", [m.value().decode() for m in read(f"{name}_big")], [s for s in source if s[-1] == "7"])
    written = pyarrow.dataset.dataset(WORK / name / "data/tables/written").to_table().to_pylist()
    return problems + multiset_problems("table", [f"{r['partition']}/{r['offset']}" for r in written], source)


def fault_test():
    """At every fail point: the process dies, the call fails, its answer is lost. Nothing is lost, nothing is double."""
    topic_create("faults_in", 4)
    topic_create("faults_big", 2)
    topic_create("faults_all", 3)
    sinks = {"big": {"from": "large", "topic": "faults_big"}, "all": {"from": "everything", "topic": "faults_all"}}
    folder = project("faults", spec("faults", sinks, "faults_in", leat__epoch__max_records=100), FLOWS_SQL)
    died = rows = 0
    for action in ["kill", "eio", "lost"]:
        for point in POINTS:
            produce("transactions", "faults_in", 250, seed=rows, bad_ratio=0)
            rows += 250
            done = leat("run", folder, "--once", LEAT_FAIL=f"{point}:2:{action}")
            died += done.status == -9
            if done.status not in (0, -9):
                check(f"{point}:{action}", done.problems(0))
    leat_ok("run", folder, "--once")
    check("faults", flows_problems("faults", rows))
    check("faults happened", [] if died == len(POINTS) else [f"{died} of {len(POINTS)} kills"])
    lying = len(read("faults_all", committed=False)) - rows
    check("aborted records lie in the topic unseen", [] if lying > 0 else ["there are none: was nothing aborted?"])



def refused_test():
    """What no broker would take is in the quarantine, with its reason; the others are in their topics; the ledger closes."""
    topic_create("refused_in", 2)
    topic_create("refused_a", 2)
    topic_create("refused_compact", 2, cleanup_policy="compact", max_message_bytes=9000, message_timestamp_after_max_ms=86400000)
    topic_fill("refused_in", [(None, str(i)) for i in range(1000)])
    sql = """
        CREATE TEMPORARY VIEW rows AS SELECT CAST(CAST(value AS STRING) AS INT) AS i, timestamp AS ts FROM STREAM events;
        CREATE TEMPORARY VIEW outgoing AS SELECT
            CASE WHEN i % 100 = 1 THEN repeat('x', 40000) WHEN i % 100 = 10 THEN repeat('x', 10000) ELSE concat('', i) END AS value,
            CASE WHEN i % 100 = 2 THEN NULL WHEN i % 100 = 3 THEN 'no topic'
                WHEN i % 100 BETWEEN 8 AND 11 THEN 'refused_compact' ELSE 'refused_a' END AS topic,
            CASE WHEN i % 100 <> 8 THEN concat('key ', i) END AS key,
            CASE WHEN i % 100 IN (9, 12) THEN timestamp_micros(unix_micros(ts) + CAST(2 * 86400000000 AS BIGINT)) END AS timestamp,
            CASE WHEN i % 100 = 4 THEN 2 WHEN i % 100 = 5 THEN -1 WHEN i % 100 = 6 THEN 1 END AS partition,
            CASE WHEN i % 100 = 7 THEN array(named_struct('key', CAST(NULL AS STRING), 'value', CAST('v' AS BINARY))) END AS headers
            FROM STREAM rows;
    """
    folder = project("refused", spec("refused", {"out": {"from": "outgoing", "kafka.max.request.size": "20000"}}, "refused_in"), sql)
    leat_ok("run", folder, "--once")
    bad = {1: "MESSAGE_TOO_LARGE", 2: "INVALID_TOPIC", 3: "INVALID_TOPIC", 4: "UNKNOWN_TOPIC_OR_PARTITION",
           5: "UNKNOWN_TOPIC_OR_PARTITION", 7: "INVALID_HEADER", 8: "INVALID_RECORD", 9: "INVALID_TIMESTAMP", 10: "MESSAGE_TOO_LARGE", 12: "INVALID_TIMESTAMP"}
    check("refused: the others", multiset_problems("records", [m.value().decode() for m in read("refused_a") + read("refused_compact")],
                                                   [str(i) for i in range(1000) if i % 100 not in bad]))
    got = [(row["reason"], row["value"].decode(), tuple(row["tables"])) for row in quarantined(WORK / "refused/data/tables")]
    check("refused: the quarantine", multiset_problems("rows", got, [(bad[i % 100], str(i), ("out",)) for i in range(1000)
                                                                     if i % 100 in bad]))
    totals = ledger_totals(oracle.chain(WORK / "refused/data/checkpoint"))["out"]
    check("refused: the ledger", [] if (totals["in"], totals["out"], totals["quarantined"]) == (1000, 900, 100) else [str(totals)])
    done = leat("run", folder, "--once", "--set=leat.on_error=fail", f"--set=leat.checkpoint={WORK}/refused/again")
    check("refused: stop instead", done.problems(3, "table out", "leat.on_error is fail"))


def broker_refuses_test():
    """What only the broker can judge, the size of a compressed batch, stops at once and says what to do; mended, it goes on
    where it stood."""
    topic_create("size_in", 1)
    topic_create("size_out", 1, max_message_bytes=5000)
    topic_fill("size_in", [(None, random.Random(1).randbytes(20000)), (None, "small")])
    sink = {"from": "outgoing", "topic": "size_out", "kafka.compression.type": "zstd"}
    folder = project("size", spec("size", {"out": sink}, "size_in"),
                     "CREATE TEMPORARY VIEW outgoing AS SELECT value FROM STREAM events;")
    check("too large for the topic", leat("run", folder, "--once").problems(2, "max.message.bytes", "kafka.max.request.size"))
    leat_ok("run", folder, "--once", "--set=sink.out.kafka.max.request.size=4000")
    check("then in the quarantine", [] if [m.value() for m in read("size_out")] == [b"small"] else ["not only the small one"])


def wrong_test():
    """Wrong projects are told apart before anything is read."""
    view = "CREATE TEMPORARY VIEW outgoing AS SELECT {} FROM STREAM events;"
    cases = [
        ("value", "CAST(value AS STRING) AS text", {"topic": "t"}, "Required attribute 'value' not found"),
        ("topic", "value", {}, "topic option required when no 'topic' attribute is present"),
        ("type", "offset AS value", {"topic": "t"}, "value attribute unsupported type bigint. value must be a(n) string or binary"),
        ("key", "value, 1 AS key", {"topic": "t"}, "key must be a(n) string or binary"),
        ("acks", "value", {"topic": "t", "kafka.acks": "1"}, "kafka.acks=1"),
        ("id", "value", {"topic": "t", "kafka.transactional.id": "x"}, "leat makes it from the id of the checkpoint"),
        ("slip", "value", {"topic": "t", "kafka.compresion.type": "zstd"}, "did you mean kafka.compression.type"),
        ("option", "value", {"topics": "t"}, "did you mean topic"),
        ("name", "value", {"topic": "a b"}, "is no topic name"),
    ]
    for name, columns, options, words in cases:
        folder = project(f"wrong_{name}", spec(name, {"out": {"from": "outgoing", **options}}, "columns_in"), view.format(columns))
        check(f"wrong {name}", leat("check", folder).problems(2, words))


def fenced_test():
    """Two processes on copies of one checkpoint: the second fences the first, which stops and has doubled nothing."""
    topic_create("fence_in", 2)
    topic_create("fence_out", 2)
    topic_fill("fence_in", [(None, str(i)) for i in range(500)])
    options = {"out": {"from": "outgoing", "topic": "fence_out"}}
    sql = "CREATE TEMPORARY VIEW outgoing AS SELECT value FROM STREAM events;"
    folder = project("fence", spec("fence", options, "fence_in", leat__trigger="continuous"), sql)
    first = Leat("run", folder)
    late = until(lambda: len(read("fence_out")) == 500, "the first records")
    shutil.copytree(WORK / "fence/data/checkpoint", WORK / "fence_copy")
    second = Leat("run", folder, f"--set=leat.checkpoint={WORK}/fence_copy", f"--set=leat.tables.path={WORK}/fence_tables")
    time.sleep(FENCE_SECONDS)  # until it has begun; nothing on the outside tells
    topic_fill("fence_in", [(None, str(i)) for i in range(500, 1000)])
    done = first.wait(30)
    late += until(lambda: len(read("fence_out")) >= 1000, "the other records")
    second.stop()
    check("fenced", late + done.problems(1, "another process writes for this checkpoint"))
    check("fenced: once", multiset_problems("records", [m.value().decode() for m in read("fence_out")], map(str, range(1000))))


def other_cluster_test():
    """A second cluster gets each row at least once, with headers that name it; here the same broker by another name."""
    topic_create("other_in", 2)
    topic_create("other_a", 2)
    topic_create("other_b", 2)
    topic_fill("other_in", [(None, str(i)) for i in range(600)])
    elsewhere = BOOTSTRAP.replace("127.0.0.1", "localhost")
    sinks = {"a": {"from": "outgoing", "topic": "other_a"},
             "b": {"from": "outgoing", "topic": "other_b", "kafka.bootstrap.servers": elsewhere}}
    folder = project("other", spec("other", sinks, "other_in", leat__epoch__max_records=100),
                     "CREATE TEMPORARY VIEW outgoing AS SELECT value FROM STREAM events;")
    leat("run", folder, "--once", LEAT_FAIL="stage_done:3:kill")
    done = leat("run", folder, "--once")
    check("other cluster: said", done.problems(0, "at least once"))
    a, b = read("other_a"), read("other_b")
    check("first cluster: once", multiset_problems("records", [m.value().decode() for m in a], map(str, range(600))))
    origins = {dict(m.headers())["leat.origin"]: m.value() for m in b}
    problems = multiset_problems("records", [value.decode() for value in origins.values()], map(str, range(600)))
    query_id = oracle.chain(WORK / "other/data/checkpoint")[0]["query_id"]
    ids = {dict(m.headers())["leat.id"].decode() for m in b}
    problems += [] if len(ids) >= 600 and all(i.startswith(f"{query_id}/0/") for i in ids) else [f"ids such as {sorted(ids)[:2]}"]
    problems += [] if len(b) > 600 else ["nothing was sent again: was nothing killed?"]
    check("other cluster: at least once, told apart", problems)


TESTS = [columns_test, tables_test, fault_test, refused_test, broker_refuses_test, wrong_test, fenced_test, other_cluster_test]
for test in TESTS:
    if len(sys.argv) < 2 or sys.argv[1] in test.__name__:
        test()
finish()

"""examples/nexmark over a real Kafka.

conformance   the 20 persons, 40 auctions and 50 bids of the conformance data, against its expected rows
generated     what `leat produce nexmark` makes, every query against DuckDB's answer over the same records

Windows and auctions come out when the watermark has passed them, so each topic ends with records an hour later
("closers"), whose own windows stay open.
"""

import json
import os
import sys
from decimal import Decimal
from pathlib import Path

import duckdb

sys.path.insert(0, str(Path(__file__).parent))
from confluent_kafka import Consumer, TopicPartition
from trial import BOOTSTRAP, ROOT, WORK, check, finish, leat, leat_ok, multiset_problems, topic_create, topic_fill

QUERIES = ROOT / "examples/nexmark"
RECORDS = int(os.environ.get("RECORDS", 20_000))
CLOSING = 10**9  # ids of the closers
SIDE_ROWS = 10_000
TYPES = ("person", "auction", "bid")


def run(query, topic):
    """The table of a query, as a DuckDB relation's SQL."""
    output = WORK / topic / query
    side = WORK / "side_input.csv"
    done = leat("run", QUERIES / query, "--once", KAFKA_TOPIC=topic, OUTPUT=output, SIDE_INPUT=side)
    check(f"{query} runs", done.problems(0))
    files = [str(path) for path in (output / "tables" / query).rglob("*.parquet")]
    return f"read_parquet({files})" if files else None


def side_input_write():
    with open(WORK / "side_input.csv", "w", encoding="utf-8") as file:
        file.write("key,value\n")
        file.writelines(f"{key},value {key}\n" for key in range(SIDE_ROWS))


def closers(time):
    """One of each kind, that no real record is linked with."""
    later = {"date_time": time, "extra": "closer"}
    yield {"event_type": 0, "person": {"id": CLOSING, "name": "closer", "city": "", "state": "", **later}}
    yield {"event_type": 1, "auction": {"id": CLOSING, "seller": CLOSING + 1, "category": 0, "expires": time, **later}}
    yield {"event_type": 2, "bid": {"auction": CLOSING + 2, "bidder": CLOSING + 3, "price": 1, "channel": "", "url": "", **later}}


def as_pairs(events):
    return [(str(i).encode(), json.dumps(event).encode()) for i, event in enumerate(events)]


# ---- conformance ----

CONFORMANCE_SQL = {
    "q0": "select auction, bidder, price, date_time from {t} where extra <> 'closer'",
    "q1": "select auction, bidder, price, date_time from {t} where extra <> 'closer'",
    "q2": "select auction, price from {t}",
    "q3": "select name, city, state, id from {t}",
    "q4": "select category, avg(final) from {t} group by category",
    "q5": "select auction, num from {t} where auction < 1000000000",
    "q7": "select auction, price, bidder, date_time from {t} where auction < 1000000000",
    "q8": "select id, name, start_time from {t}",
}


def text_of(value):
    """Times with as many digits as needed, numbers rounded."""
    if hasattr(value, "year"):
        return value.strftime("%Y-%m-%d %H:%M:%S.%f").rstrip("0").rstrip(".")
    return number_text(str(value))


def number_text(text):
    try:
        return f"{float(text):.2f}"
    except ValueError:
        return text


def conformance_events(folder):
    events = []
    for number, kind in enumerate(TYPES):
        with open(folder / f"{kind}.ndjson", encoding="utf-8") as file:
            events += [{"event_type": number, kind: json.loads(line)} for line in file]
    events.sort(key=lambda event: event[TYPES[event["event_type"]]]["date_time"])
    return events


def fields_of(row):
    """Rows are separated by tabs or, in some queries, blanks; a time holds one blank of its own."""
    return row.replace("\t", " ").split()


def conformance():
    directory = os.environ.get("CONFORMANCE_DIR")
    if not directory:
        return 1
    folder = Path(directory) / "nexmark"
    topic = f"nexmark-conformance-{os.getpid()}"
    topic_create(topic, 1)
    topic_fill(topic, as_pairs([*conformance_events(folder), *closers("2015-07-15 02:00:00")]))
    for line in open(folder / "expected.jsonl", encoding="utf-8"):
        expected = json.loads(line)
        query = expected["query"]
        table = run(query, topic)
        rows = duckdb.sql(CONFORMANCE_SQL[query].format(t=table)).fetchall() if table else []
        got = [" ".join(map(text_of, row)) for row in rows]
        want = [" ".join(map(number_text, fields_of(row))) for row in expected["rows"]]
        check(f"conformance {query}", multiset_problems(query, got, want))
    return 0


# ---- generated ----

EVENTS = """
create table raw as select json(value) as e from records;
create table person as select (e->>'$.person.id')::bigint id, e->>'$.person.name' name, e->>'$.person.city' city,
  e->>'$.person.state' state, (e->>'$.person.date_time')::timestamp date_time from raw where e->>'$.event_type' = '0';
create table auction as select (e->>'$.auction.id')::bigint id, e->>'$.auction.item_name' item_name,
  (e->>'$.auction.initial_bid')::bigint initial_bid, (e->>'$.auction.reserve')::bigint reserve,
  (e->>'$.auction.date_time')::timestamp date_time, (e->>'$.auction.expires')::timestamp expires,
  (e->>'$.auction.seller')::bigint seller, (e->>'$.auction.category')::bigint category
  from raw where e->>'$.event_type' = '1';
create table bid as select (e->>'$.bid.auction')::bigint auction, (e->>'$.bid.bidder')::bigint bidder,
  (e->>'$.bid.price')::bigint price, e->>'$.bid.channel' channel, e->>'$.bid.url' url,
  (e->>'$.bid.date_time')::timestamp date_time, e->>'$.bid.extra' extra, arrived_at
  from (select json(value) as e, arrived_at from records) where e->>'$.event_type' = '2';
create table hop as select b.*, w.s as w from bid b,
  lateral (select time_bucket(interval '2 seconds', b.date_time) - interval '2 seconds' * i as s from range(5) r(i)) w;
"""
STATISTICS = """count(*), count(*) filter (where price < 10000), count(*) filter (where price >= 10000 and price < 1000000),
  count(*) filter (where price >= 1000000)"""
DISTINCT = ", ".join(
    f"count(distinct {column}) filter (where {where})"
    for column in ("bidder", "auction")
    for where in ("true", "price < 10000", "price >= 10000 and price < 1000000", "price >= 1000000")
)
BUCKET = "time_bucket(interval '10 seconds', date_time)"
CLOSED = "select a.*, b.auction, b.bidder, b.price, b.date_time bid_time from auction a join bid b on a.id = b.auction and b.date_time between a.date_time and a.expires"

# query: (columns of leat's table, DuckDB's own answer)
GENERATED = {
    "q0": ("auction, bidder, price, date_time, extra", "select auction, bidder, price, date_time, extra from bid"),
    "q1": ("auction, bidder, price::double", "select auction, bidder, (price * 0.908)::double from bid"),
    "q2": ("auction, price", "select auction, price from bid where auction in (1007, 1020, 2001, 2019, 2087)"),
    "q3": ("name, city, state, id",
           "select p.name, city, state, a.id from auction a join person p on a.seller = p.id where category = 10 and state in ('or', 'id', 'ca')"),
    "q4": ("id, category, final", f"select id, category, max(price) from ({CLOSED}) group by all"),
    "q5": ("window_start, auction, num",
           "select w, auction, n from (select w, auction, count(*) n from hop group by all) qualify n = max(n) over (partition by w)"),
    "q7": ("auction, price, bidder, date_time",
           f"select auction, price, bidder, date_time from bid qualify price = max(price) over (partition by {BUCKET})"),
    "q8": ("id, name, start_time",
           f"select distinct p.id, name, p.w from (select id, name, {BUCKET} w from person) p join (select seller, {BUCKET} w from auction) a on id = seller and p.w = a.w"),
    "q9": ("id, auction, bidder, price, bid_date_time",
           f"select id, auction, bidder, price, bid_time from ({CLOSED}) qualify row_number() over (partition by id order by price desc, bid_time) = 1"),
    "q10": ("auction, bidder, price, date_time, dt::varchar, hm::varchar",
            "select auction, bidder, price, date_time, strftime(date_time, '%Y-%m-%d'), strftime(date_time, '%H:%M') from bid"),
    "q11": ("bidder, bid_count, start_time, end_time",
            """select bidder, count(*), min(date_time), max(date_time) + interval '10 seconds' from
               (select *, sum(fresh) over (partition by bidder order by date_time, rowid) session from
                (select rowid, *, coalesce(date_time > lag(date_time) over (partition by bidder order by date_time, rowid) + interval '10 seconds', true)::int fresh from bid))
               group by bidder, session"""),
    "q13": ("auction, bidder, price, value", "select auction, bidder, price, 'value ' || (auction % 10000) from bid"),
    "q14": ("auction, bidder, bid_time_type, c_counts",
            """select auction, bidder, case when hour(date_time) between 8 and 18 then 'dayTime' when hour(date_time) <= 6 or hour(date_time) >= 20 then 'nightTime' else 'otherTime' end,
               length(extra) - length(replace(extra, 'c', '')) from bid where price * 0.908 > 1000000 and price * 0.908 < 50000000"""),
    "q15": ("* exclude (day)", f"select {STATISTICS}, {DISTINCT} from bid"),
    "q16": ("* exclude (day)", f"select channel, max(strftime(date_time, '%H:%M')), {STATISTICS}, {DISTINCT} from bid group by channel"),
    "q17": ("auction, total_bids, rank1_bids, rank2_bids, rank3_bids, min_price, max_price, avg_price, sum_price",
            f"select auction, {STATISTICS}, min(price), max(price), sum(price)::double / count(*), sum(price)::bigint from bid group by auction"),
    "q18": ("bidder, auction, date_time",
            f"select bidder, auction, max(date_time) from bid group by bidder, auction, {BUCKET}"),
    "q19": ("auction, price, rank_number",
            f"select auction, price, row_number() over (partition by auction, {BUCKET} order by price desc, date_time desc) n from bid qualify n <= 10"),
    "q20": ("auction, bidder, price, category, reserve",
            "select b.auction, bidder, price, category, reserve from bid b join auction a on b.auction = a.id where category = 10"),
    "q21": ("auction, bidder, channel_id",
            """select auction, bidder, case lower(channel) when 'apple' then '0' when 'google' then '1' when 'facebook' then '2' when 'baidu' then '3'
               else nullif(regexp_extract(url, '(&|^)channel_id=([^&]*)', 2), '') end c from bid where c is not null"""),
    "q22": ("auction, dir1, dir2, dir3", "select auction, split_part(url, '/', 4), split_part(url, '/', 5), split_part(url, '/', 6) from bid"),
}

def records_of(topic):
    """(value, time of arrival) of every record of partition 0."""
    consumer = Consumer({"bootstrap.servers": BOOTSTRAP, "group.id": f"{topic}-oracle", "enable.auto.commit": False})
    place = TopicPartition(topic, 0, 0)
    _, high = consumer.get_watermark_offsets(place, timeout=20)
    consumer.assign([place])
    records = []
    while len(records) < high:
        for message in consumer.consume(high - len(records), timeout=20):
            records.append((message.value().decode(), message.timestamp()[1]))
    consumer.close()
    return records


def generated():
    topic = f"nexmark-generated-{os.getpid()}"
    topic_create(topic, 1)
    leat_ok("produce", "nexmark", "--bootstrap", BOOTSTRAP, "--topic", topic, "--count", RECORDS, "--event-rate", 200)
    oracle = duckdb.connect()
    oracle.execute("set timezone = 'UTC'")
    oracle.execute("create table records(value varchar, arrived_at bigint)")
    records = records_of(topic)
    values = WORK / "records.ndjson"
    values.write_text("".join(json.dumps({"value": v, "arrived_at": at}) + "\n" for v, at in records), encoding="utf-8")
    oracle.execute(f"insert into records select value, arrived_at from read_json('{values}', columns={{value: 'varchar', arrived_at: 'bigint'}})")
    oracle.execute(EVENTS)
    topic_fill(topic, as_pairs(closers("2026-01-03 00:00:00")))
    for query, (columns, answer) in GENERATED.items():
        table = run(query, topic)
        if table is None:
            check(f"generated {query}", ["no rows at all"])
            continue
        closing = {"q0": "where auction < 1000000000", "q1": "where auction < 1000000000", "q10": "where auction < 1000000000",
                   "q13": "where auction < 1000000000", "q22": "where auction < 1000000000"}.get(query, "")
        got = oracle.execute(f"select {columns} from {table} {closing}").fetchall()
        want = oracle.execute(answer).fetchall()
        check(f"generated {query}", multiset_problems(query, map(plain, got), map(plain, want)))


def plain(row):
    """Times without their zone (all is UTC), decimals and doubles rounded: DuckDB divides otherwise."""
    return tuple(
        v.replace(tzinfo=None) if hasattr(v, "tzinfo") else round(float(v), 3) if isinstance(v, (float, Decimal)) else v
        for v in row
    )


side_input_write()
skipped = conformance()
generated()
finish(skipped)

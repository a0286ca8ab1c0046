"""Records that want to break leat, through examples/transactions: it survives, every record is in bronze and
raw_csv once and byte for byte, silver + quarantine = all, and each has the verdict that Spark's from_json
leads to."""

import csv
import json
import os
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
import oracle
import tables
from trial import ROOT, WORK, check, finish, leat, ledger_totals, topic_create, topic_fill

MIB = 1024 * 1024
MESSAGE_BYTES_MAX = 12 * MIB
TOPIC = f"bad-records-{os.getpid()}"
SILVER = "silver"


def transaction(**fields):
    """A good record but for `fields`; a value of bytes goes in as it is."""
    record = {
        "txn_id": "t",
        "event_ts": "2026-01-01T12:00:00Z",
        "user_id": "u",
        "card_id": "c",
        "merchant": "m",
        "category": "k",
        "amount": 1.5,
        "currency": "EUR",
        "status": "OK",
        "city": "Riga",
        "country": "LV",
        "lat": 56.9,
        "lon": 24.1,
        **fields,
    }
    pairs = [
        json.dumps(name).encode()
        + b": "
        + (value if isinstance(value, bytes) else json.dumps(value).encode())
        for name, value in record.items()
    ]
    return b"{" + b", ".join(pairs) + b"}"


GOOD = transaction()
LARGE = 10 * MIB

# name, value, verdict: SILVER, a reason, or None where Spark's own behaviour is not worth a promise
RECORDS = [
    ("good", GOOD, SILVER),
    # no record at all
    ("tombstone", None, "malformed"),
    ("empty", b"", "malformed"),
    ("blanks", b" \t\r\n ", "malformed"),
    ("a NUL byte", b"\0", "malformed"),
    ("many NUL bytes", b"\0" * 5000, "malformed"),
    ("HTML", b"<html>502 Bad Gateway</html>", "malformed"),
    ("Avro with a schema id", b"\0\0\0\0\7\x02\x0etxn-000", "malformed"),
    ("all bytes", bytes(range(256)), "malformed"),
    # JSON, but no object
    ("null", b"null", "malformed"),
    ("a number", b"5", "malformed"),
    ("a text", b'"txn"', "malformed"),
    ("an empty list", b"[]", "malformed"),
    ("a list of objects", b"[" + GOOD + b"]", "malformed"),
    ("an empty object", b"{}", "missing_txn_id"),
    # broken JSON
    *(
        (f"cut off at {n}", GOOD[:n], "malformed")
        for n in (1, 2, 9, 31, 32, 33, 63, 64, 65, 127, 128, len(GOOD) - 1)
    ),
    ("a comma too many", GOOD[:-1] + b",}", "malformed"),
    ("a colon too few", GOOD.replace(b'"txn_id":', b'"txn_id"'), "malformed"),
    ("a name without quotes", b"{txn_id: 1}", "malformed"),
    ("an open text", b'{"txn_id": "t', "malformed"),
    ("a backslash at the end", b'{"txn_id": "t\\', "malformed"),
    ("a bad escape", transaction(txn_id=b'"\\x41"'), "malformed"),
    ("half of \\u", transaction(txn_id=b'"\\u12"'), "malformed"),
    ("a raw NUL in a text", transaction(txn_id=b'"a\0b"'), "malformed"),
    ("a raw newline in a text", transaction(txn_id=b'"a\nb"'), "malformed"),
    # texts
    ("an escaped NUL", transaction(txn_id="a\0b"), SILVER),
    ("quotes, backslashes, newlines", transaction(txn_id='"\\\n\r\t,;"'), SILVER),
    ("invalid UTF-8 in a text", transaction(merchant=b'"caf\xe9 \xff\xfe"'), SILVER),
    ("a surrogate alone", transaction(merchant=b'"\\ud800"'), None),
    ("four-byte characters", transaction(txn_id="\U0001f4b3\U0010ffff"), SILVER),
    ("a byte order mark", b"\xef\xbb\xbf" + GOOD, None),
    # wrong types
    ("a number for a text", transaction(txn_id=5), SILVER),
    ("an object for a text", transaction(txn_id={"a": [1, 2]}), SILVER),
    ("null for a text", transaction(txn_id=None), "missing_txn_id"),
    ("null for the card", transaction(card_id=None), "missing_card_id"),
    ("a number for a time", transaction(event_ts=5), "missing_event_ts"),
    ("no such day", transaction(event_ts="2026-02-30T00:00:00Z"), "missing_event_ts"),
    ("a text for an amount", transaction(amount="12.345"), SILVER),
    ("words for an amount", transaction(amount="much"), "bad_amount"),
    ("true for an amount", transaction(amount=True), "bad_amount"),
    ("a list for an amount", transaction(amount=[1]), "bad_amount"),
    ("a negative amount", transaction(amount=-0.01), "bad_amount"),
    ("a text for a latitude", transaction(lat="north"), SILVER),
    # numbers
    ("an amount of 400 digits", transaction(amount=b"1e400"), "bad_amount"),
    ("an amount of 2^31 digits", transaction(amount=b"1e2147483647"), "bad_amount"),
    ("an exponent that overflows", transaction(amount=b"1e99999999999999999999"), None),
    ("a tiny amount", transaction(amount=b"1e-400"), SILVER),
    ("the largest amount", transaction(amount=b"9999999999.99"), SILVER),
    ("one cent more", transaction(amount=b"10000000000.00"), "bad_amount"),
    ("an amount written with a million digits", transaction(amount=b"1" * 1_000_000), None),
    ("a latitude beyond a double", transaction(lat=b"1e999"), None),
    ("NaN", transaction(lat=b"NaN"), None),
    # names and nesting
    ("a name twice: the last counts", GOOD[:-1] + b', "txn_id": "second"}', SILVER),
    ("names in other cases", GOOD.replace(b'"txn_id"', b'"TXN_ID"'), None),
    (
        "a thousand unknown names",
        GOOD[:-1] + b"".join(b', "x%d": %d' % (i, i) for i in range(1000)) + b"}",
        SILVER,
    ),
    ("a hundred levels", transaction(x=b"[" * 100 + b"]" * 100), SILVER),
    ("a hundred thousand levels", transaction(x=b"[" * 100_000 + b"]" * 100_000), "malformed"),
    ("a hundred thousand open lists", b"[" * 100_000, "malformed"),
    ("a hundred thousand open objects", b'{"a":' * 100_000, "malformed"),
    # size
    ("10 MB of text", transaction(merchant=b'"' + b"m" * LARGE + b'"'), SILVER),
    ("10 MB of escapes", transaction(merchant=b'"' + b"\\u00e9" * (LARGE // 6) + b'"'), SILVER),
    ("10 MB of an unknown field", transaction(x=b"[" + b"1," * (LARGE // 2) + b"1]"), SILVER),
    ("10 MB of garbage", b"#" * LARGE, "malformed"),
    ("10 MB of quotes", b'"' * LARGE, "malformed"),
    ("good again", transaction(txn_id="last"), SILVER),
]
KEYS = (None, b"", b"key", b"\xff\0\xfe", b"k" * 100_000)


def bronze_problems(got, sent):
    rows = {(partition, offset): (key, value) for partition, offset, key, value in got}
    wrong = [
        RECORDS[offset][0]
        for (partition, offset), pair in sent.items()
        if rows.get((partition, offset)) != pair
    ]
    return ([] if len(got) == len(sent) else [f"{len(got)} rows, want {len(sent)}"]) + [
        f"{name} is not as it came" for name in wrong
    ]


def verdict_problems(silver, quarantine):
    """Each record has one verdict, the right one."""
    problems = []
    for offset, (name, _, want) in enumerate(RECORDS):
        got = [SILVER] * silver.count(offset) + [reason for at, reason in quarantine if at == offset]
        if len(got) != 1 or (want is not None and got[0] != want):
            problems.append(f"{name} is {got}, want {want or 'one verdict'}")
    return problems


def silver_value_problems(rows):
    """What some of the strange ones look like in silver."""
    by_name = {RECORDS[offset][0]: rest for offset, *rest in rows}
    wanted = {
        "an escaped NUL": ("a\0b", "m", "1.50"),
        "a name twice: the last counts": ("second", "m", "1.50"),
        "a number for a text": ("5", "m", "1.50"),
        "an object for a text": ('{"a":[1,2]}', "m", "1.50"),
        "a text for an amount": ("t", "m", "12.35"),
        "a tiny amount": ("t", "m", "0.00"),
        "the largest amount": ("t", "m", "9999999999.99"),
        "quotes, backslashes, newlines": ('"\\\n\r\t,;"', "m", "1.50"),
        "invalid UTF-8 in a text": ("t", "caf\ufffd \ufffd\ufffd", "1.50"),
        "four-byte characters": ("\U0001f4b3\U0010ffff", "m", "1.50"),
        "10 MB of text": ("t", "m" * LARGE, "1.50"),
        "10 MB of escapes": ("t", "é" * (LARGE // 6), "1.50"),
    }
    return [
        f"{name}: {str(by_name.get(name))[:200]}, want {str(want)[:200]}"
        for name, want in wanted.items()
        if tuple(map(str, by_name.get(name, ()))) != want
    ]


csv.field_size_limit(2 * MESSAGE_BYTES_MAX)
topic_create(TOPIC, partitions=1, max_message_bytes=MESSAGE_BYTES_MAX)
keyed = [(KEYS[i % len(KEYS)], value) for i, (_, value, _) in enumerate(RECORDS)]
topic_fill(TOPIC, keyed, MESSAGE_BYTES_MAX)
sent = {(0, offset): pair for offset, pair in enumerate(keyed)}

done = leat(
    "run",
    ROOT / "examples/transactions",
    "--once",
    KAFKA_TOPIC=TOPIC,
    OUTPUT_PATH=WORK / "tables",
    SPARK_CHECKPOINT_DIR=WORK / "checkpoint",
)
check("leat survives", done.problems(0))
for reader in (tables.Arrow(WORK / "tables"), tables.Duck(WORK / "tables")):
    silver = reader.rows("silver", ["offset", "txn_id", "merchant", "amount"])
    check(
        f"{reader.name}: bronze",
        bronze_problems(reader.rows("bronze", ["partition", "offset", "key", "value"]), sent),
    )
    check(
        f"{reader.name}: verdicts",
        verdict_problems([row[0] for row in silver], reader.rows("quarantine", ["offset", "reason"])),
    )
    check(f"{reader.name}: values", silver_value_problems(silver))
offsets = sorted(int(fields[4]) for fields in tables.csv_rows(WORK / "tables", "raw_csv"))
check(
    "raw_csv has every record once", [] if offsets == list(range(len(RECORDS))) else [f"{len(offsets)} rows"]
)
total = ledger_totals(oracle.chain(WORK / "checkpoint"))
check(
    "ledger",
    (
        []
        if total["silver"]["out"] + total["quarantine"]["out"] == len(RECORDS) == total["bronze"]["out"]
        else [str(total)]
    ),
)
finish()

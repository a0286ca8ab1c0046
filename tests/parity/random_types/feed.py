"""1,500 events of 15 columns, three partitions."""
import json
import random

random.seed(5)
START_S = 1_767_225_600  # 2026-01-01


def event(topic, second, **fields):
    print(topic, json.dumps({**fields, "ts": None if second is None else START_S + second}))


def one(*values):
    return None if random.random() < 0.15 else random.choice(values)


print("partitions events 3")
for i in range(1500):
    event(f"events /{random.randrange(3)}", i // 4 - random.choice((0, 0, 0, 10, 80)), b=one(True, False), t=one(-128, 0, 127), i=one(*range(-5, 6)), l=one(-2**63, 2**62, 0, 7),
          f=one(0.5, -1.25, "NaN", 3e38), x=one(0.1, 0.0, -7.5, "Infinity", 1e-300), d=one("1.10", "-99999.99", "0", "12.345"), w=one("123456789012345678901234.5678", "-0.0001", "7"),
          s=one("", "a", "äö", "a b", "😀"), y=one("", "AA==", "AQID"), day=one("2026-01-01", "1969-12-31", "0001-01-01"), at=one("2026-01-01T00:00:00.123456Z", "1900-01-01 00:00:00"),
          a=one([], [1], [1, None], [2, 1]), st=one({"p": 1}, {"p": 1, "q": "x"}, {"q": ""}, {}))
    if i == 900:
        print("---")
print("---")
event("events", 10**6)

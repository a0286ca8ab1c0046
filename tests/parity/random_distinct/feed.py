"""1,000 events of few values, in epochs of 70."""
import json
import random

random.seed(3)
START_S = 1_767_225_600  # 2026-01-01


def event(topic, second, **fields):
    print(topic, json.dumps({**fields, "ts": None if second is None else START_S + second}))


for i in range(1000):
    event("events", max(0, i // 8 - random.choice((0, 0, 0, 10, 29, 30, 31, 45))), k=random.choice("abc"), v=random.randrange(3))
event("events", 10**6, k="z")

"""Events on two sides, some of them late, in runs of different lengths."""
import json
import random

random.seed(2)
START_S = 1_767_225_600  # 2026-01-01


def event(topic, second, **fields):
    print(topic, json.dumps({**fields, "ts": None if second is None else START_S + second}))


second = 0
for run in range(4):
    for i in range(random.choice((20, 100, 180))):
        second += random.choice((0, 1, 1, 2))
        topic = random.choice(("lefts", "rights"))
        late = random.choice((10, 40, 100)) if random.random() < 0.1 else 0
        event(topic, max(0, second - late), k=random.choice("abcdefghijklmnop"), v=random.randrange(100))
    print("---")
event("lefts", 10**6, k="y")
event("rights", 10**6, k="z")

"""Two topics at different paces, late rows in both."""
import json
import random

random.seed(4)
START_S = 1_767_225_600  # 2026-01-01


def event(topic, second, **fields):
    print(topic, json.dumps({**fields, "ts": None if second is None else START_S + second}))


second = 0
for i in range(900):
    second += random.choice((0, 0, 1, 2))
    topic = random.choice(("lefts", "lefts", "rights"))
    late = random.choice((5, 15, 25, 60)) if random.random() < 0.15 else 0
    event(topic, max(0, second - late), k=random.choice("abcdefghijkl"), g=random.randrange(5), v=random.randrange(4))
    if i == 500:
        print("---")
print("---")
event("lefts", 10**5, k="y", g=0)
event("rights", 10**5, k="z")

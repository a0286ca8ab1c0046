"""3,000 events that run up to three minutes behind, in epochs of 250."""
import json
import random

random.seed(1)
START_S = 1_767_225_600  # 2026-01-01


def event(topic, second, **fields):
    print(topic, json.dumps({**fields, "ts": None if second is None else START_S + second}))


for i in range(3000):
    if i in (1000, 1700, 2990):
        print("---")
    late = random.choice((0, 5, 30, 60, 120, 180)) if random.random() < 0.3 else 0
    second = None if random.random() < 0.01 else max(0, i // 2 - late) + random.randrange(3)
    event("events", second, k=random.choice("abcdefgh"), v=random.randrange(-50, 50), d=f"{random.randrange(10**6) / 100:.2f}")
print("---")
event("events", 10**6, k="z")

"""The events that ./dev parity runs examples/nexmark over: a small auction house whose prices and times are all different, so
that no query's answer depends on the order of ties. Ends with one record of each kind two days later, which closes windows."""
import datetime
import json
import random

EVENTS, STEP_MS = 600, 137
START = datetime.datetime(2026, 1, 1)
STATES = (("boise", "id"), ("portland", "or"), ("phoenix", "az"), ("bend", "or"), ("seattle", "wa"), ("fresno", "ca"))
CHANNELS = ("Google", "Facebook", "Baidu", "Apple", "channel-17", "channel-4711")


def instant(ms):
    return (START + datetime.timedelta(milliseconds=ms)).isoformat(timespec="milliseconds") + "Z"


def person(number, ms, dice):
    city, state = dice.choice(STATES)
    return {"event_type": 0, "person": {"id": number, "name": f"person {number}", "email_address": f"{number}@x.com",
                                        "credit_card": "0000 1111", "city": city, "state": state, "date_time": instant(ms),
                                        "extra": "p"}}


def auction(number, seller, ms, dice):
    return {"event_type": 1, "auction": {"id": number, "item_name": f"item {number}", "description": "d", "initial_bid": 100,
                                         "reserve": 1000 + number, "date_time": instant(ms),
                                         "expires": instant(ms + dice.randrange(2_000, 30_000)), "seller": seller,
                                         "category": 10 + number % 3, "extra": "a"}}


def bid(target, bidder, price, ms, dice):
    channel = dice.choice(CHANNELS)
    url = "https://www.nexmark.com/aaa/bbb/ccc/item.htm?query=1" + ("&channel_id=17" if channel == "channel-17" else "")
    return {"event_type": 2, "bid": {"auction": target, "bidder": bidder, "price": price, "channel": channel, "url": url,
                                     "date_time": instant(ms), "extra": "c" * dice.randrange(5)}}


def events():
    dice = random.Random(20260101)
    persons, auctions = [], []
    for i in range(EVENTS):
        ms = i * STEP_MS
        if i % 25 == 0:
            persons.append(1000 + len(persons))
            yield ms, person(persons[-1], ms, dice)
        elif i % 25 < 4:
            auctions.append(1000 + len(auctions))
            yield ms, auction(auctions[-1], dice.choice(persons[-6:]), ms, dice)
        else:  # prices grow by odd steps: none comes twice
            late_ms = dice.choice((0, 0, 0, 1, 2500))
            yield ms, bid(dice.choice(auctions[-8:]), dice.choice(persons), 1_000_000 + 7919 * i, max(0, ms - late_ms), dice)
    end_ms = 2 * 86_400_000
    yield end_ms, person(9_000, end_ms, dice)
    yield end_ms + 1, auction(9_000, 9_001, end_ms, dice)
    yield end_ms + 2, bid(9_002, 9_003, 1, end_ms, dice)


if __name__ == "__main__":
    for arrival_ms, event in events():
        print(f"events @{instant(arrival_ms)} {json.dumps(event)}")

#!/usr/bin/env python3
"""Random queries over random data on leat and on Spark, the answers compared. Called by ./dev fuzz-sql.

    ./dev fuzz-sql [--seed S] [--count N] [--first I] [--only I] [--most N] [--shown N] [--answers FILE] [--functions FILE] [--print]

Query I of seed S is always the same, as long as leat has the same functions (their signatures are read from `leat docs
functions`): --only I repeats one. Every BLOCK queries there are other tables, another time zone, and ANSI mode may be off.

Compared are the schema, the rows (as a multiset; in order where the query has ORDER BY) and of errors the condition. Numbers
may differ in the last digits where a function is in hints.LAST_DIGIT. What leat says it cannot do yet is counted apart. A
difference is made smaller while it stays one, and printed with the tables that it needs. known.py lists what is different on
purpose. Exit 1 when there is a difference that is not known.
"""
import argparse
import collections
import random
import re
import struct
import sys
import time
from pathlib import Path

import explain
import known
import signatures
from engines import Leat, Remembered, Spark
from generator import Generator
from hints import LAST_DIGIT, LEFT_OUT, OVERRIDES
from tree import Items, Node, minimise
from values import ZONES, Table

ROOT = Path(__file__).resolve().parent.parent.parent
BLOCK = 200
TABLES = 3
TRIES = 250  # questions that making one difference smaller may cost
REFUSED = "leat cannot do this yet"
RELATIVE = 1e-11
NUMBER = re.compile(r"-?\d+\.\d+(?:E-?\d+)?")
EXACT = 0
FLOAT_DIGITS = 9  # no FLOAT is printed with more


class Settings:
    """Of a block of queries."""

    def __init__(self, seed, block):
        self.random = random.Random(f"{seed}/block/{block}")
        self.zone = self.random.choice(ZONES)
        self.ansi = self.random.random() < 0.7
        self.tables = [Table(f"t{i}", self.random) for i in range(1, TABLES + 1)]

    def tell(self, engine):
        engine.tell("zone", f"SET TIME ZONE '{self.zone}'")
        engine.tell("ansi", f"SET spark.sql.ansi.enabled={str(self.ansi).lower()}")
        return [engine.tell(table.name, str(table.statement)) for table in self.tables]


def as_float(text):
    return struct.unpack("f", struct.pack("f", float(text)))[0] if abs(float(text)) < 3e38 else float(text)


def digits(number):
    return sum(c.isdigit() for c in number.split("E")[0])


def near(mine, theirs, relative):
    """Numbers alike; before JDK 19 Java does not always print the shortest text of a float or double."""
    a, b = NUMBER.findall(mine), NUMBER.findall(theirs)
    if len(a) != len(b) or NUMBER.sub("#", mine) != NUMBER.sub("#", theirs):
        return False
    return all((digits(y) <= FLOAT_DIGITS and as_float(x) == as_float(y)) or float(x) == float(y) or
               abs(float(x) - float(y)) <= relative * max(abs(float(x)), abs(float(y)), 1e-300) for x, y in zip(a, b))


def same_rows(statement, mine, theirs):
    if mine == theirs:
        return True
    loose = any(re.search(rf"\b{name}\(", statement) for name in LAST_DIGIT)
    ordered = "ORDER BY" in statement and "OVER (" not in statement
    if not ordered:
        mine, theirs = sorted(mine), sorted(theirs)
    if mine == theirs:
        return True
    return len(mine) == len(theirs) and all(near(a, b, RELATIVE if loose else EXACT) for a, b in zip(mine, theirs))


def verdict(statement, mine, theirs):
    """None when alike, else what differs in a word."""
    if mine.error and REFUSED in mine.message:
        return "refused"
    if mine.error and mine.error.startswith(("CRASH", "TIMEOUT")):
        return mine.error
    if theirs.error and theirs.error.startswith(("JAVA", "_LEGACY")):
        return None if mine.error else "java"  # Spark fails without a name for it: any refusal is as good
    if mine.error or theirs.error:
        return None if mine.error == theirs.error else "error"
    if mine.schema != theirs.schema and not near(mine.schema, theirs.schema, EXACT):
        return "schema"
    return None if same_rows(statement, mine.rows, theirs.rows) else "rows"


class Session:
    def __init__(self, leat, spark, functions, shown):
        self.leat, self.spark, self.functions, self.shown = leat, spark, functions, shown
        self.tally = collections.Counter()
        self.refused = collections.Counter()
        self.seen = collections.Counter()  # (kind, leat's condition, Spark's)

    def ask(self, statement):
        return self.leat.ask(statement), self.spark.ask(statement)

    def run(self, seed, index, settings):
        generator = Generator(self.functions, settings.tables, random.Random(f"{seed}/query/{index}"))
        query = generator.query()
        statement = str(query)
        mine, theirs = self.ask(statement)
        kind = verdict(statement, mine, theirs)
        self.tally["error in both" if kind is None and mine.error else "same" if kind is None else kind] += 1
        if kind == "refused":
            self.refused[mine.message.split(REFUSED + ": ")[1].splitlines()[0][:60]] += 1
        if kind is None or kind == "refused":
            return None
        plain = Difference(kind, settings, statement, mine, theirs)
        plain.reason = plain.reason or self.explained(query, plain)
        if plain.reason:
            return plain
        alike = (kind, mine.error, theirs.error)
        self.seen[alike] += 1
        if self.seen[alike] > self.shown:
            return plain
        return self.shrink(query, settings, kind)

    def explained(self, query, difference):
        """By experiments, which only errors have."""
        if difference.kind != "error":
            return None
        mine, theirs, statement = difference.mine, difference.theirs, difference.statement
        if mine.error and theirs.error and explain.by_order(Node([query]), self.leat, self.spark, mine.error, theirs.error):
            return "two errors in one statement: each engine names the one that it meets first"
        found = explain.by_rules(self.spark, statement, lambda answer: verdict(statement, mine, answer) is None)
        if found is None and explain.by_need(Node([query]), self.leat, self.spark, lambda a, b: verdict(statement, a, b) is None):
            found = "a part that fails alone in both engines: only one of them computes it"
        used = [table for table in difference.settings.tables if re.search(rf"\b{table.name}\b", statement)]
        if found is None and mine.error and theirs.error and explain.by_rows_apart(used, self.leat, self.spark, statement, mine.error, theirs.error):
            found = "two rows that fail differently: each engine meets another one first"
        return found

    def shrink(self, query, settings, kind):
        """The difference made small: the statements that show it, and both answers."""
        root = Node([query])
        last = [str(query), *self.ask(str(query))]

        def differs():
            statement = str(root)
            mine, theirs = self.ask(statement)
            if verdict(statement, mine, theirs) != kind:
                return False
            last[:] = [statement, mine, theirs]
            return True
        minimise(root, differs, TRIES)
        self.shrink_tables(root, settings, kind, last)
        return Difference(kind, settings, *last, small=True)

    def shrink_tables(self, root, settings, kind, last):
        """Rows that are not needed; afterwards the tables are as they were."""
        statement = str(root)
        used = [table for table in settings.tables if re.search(rf"\b{table.name}\b", statement)]
        for table in used:
            kept = list(table.rows.parts)

            def differs():
                for engine in (self.leat, self.spark):
                    engine.tell(table.name, str(table.statement))
                mine, theirs = self.ask(statement)
                if verdict(statement, mine, theirs) != kind:
                    return False
                last[:] = [statement, mine, theirs]
                table.shown = str(table.statement)
                return True
            minimise(Node([Items([Node([])]), table.rows]), differs, 30)
            table.shown = str(table.statement)
            table.rows.parts = kept
            for engine in (self.leat, self.spark):
                engine.tell(table.name, str(table.statement))


class Difference:
    """`small`: it was made smaller, and is shown; else others like it were."""

    def __init__(self, kind, settings, statement, mine, theirs, small=False):
        self.kind, self.settings, self.statement, self.mine, self.theirs = kind, settings, statement, mine, theirs
        self.small = small
        self.all_tables = [str(table.statement) for table in settings.tables if re.search(rf"\b{table.name}\b", statement)]
        self.tables = [table.shown for table in settings.tables if hasattr(table, "shown") and re.search(rf"\b{table.name}\b", statement)]
        for table in settings.tables:
            if hasattr(table, "shown"):
                del table.shown
        self.reason = known.reason(self)

    def show(self, seed, index):
        print(f"\n--- {self.kind}: ./dev fuzz-sql --seed {seed} --only {index}   zone {self.settings.zone}, ansi {'on' if self.settings.ansi else 'off'}")
        for table in self.tables:
            print(table + ";")
        print(self.statement + ";")
        print(f"  leat   {self.mine}\n  Spark  {self.theirs}", flush=True)


def main():
    parser = argparse.ArgumentParser(prog="./dev fuzz-sql", description=__doc__.split("\n\n")[0])
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--count", type=int, default=1000)
    parser.add_argument("--first", type=int, default=0, help="the number of the first query")
    parser.add_argument("--only", type=int, help="this query alone")
    parser.add_argument("--most", type=int, default=50, help="stop after so many differences")
    parser.add_argument("--shown", type=int, default=3, help="show so many differences with the same two conditions; count the others")
    parser.add_argument("--leat", default=str(ROOT / "build/release/leat"))
    parser.add_argument("--answers", default=str(ROOT / "build/fuzzsql.answers"), help="where Spark's answers are kept, so that nothing is asked twice")
    parser.add_argument("--functions", help="a page of `leat docs functions` of another day: the same queries as then")
    parser.add_argument("--print", action="store_true", help="print the queries, run nothing")
    args = parser.parse_args()
    functions = signatures.read(args.leat, args.functions, OVERRIDES, LEFT_OUT)
    wanted = [args.only] if args.only is not None else range(args.first, args.first + args.count)
    if args.print:
        for index in wanted:
            settings = Settings(args.seed, index // BLOCK)
            print(f"{Generator(functions, settings.tables, random.Random(f'{args.seed}/query/{index}')).query()};")
        return 0
    session = Session(Leat(args.leat), Remembered(Spark, args.answers), functions, args.shown)
    found, explained, block, start = 0, collections.Counter(), None, time.monotonic()
    for index in wanted:
        if index // BLOCK != block:
            block = index // BLOCK
            settings = Settings(args.seed, block)
            for mine, theirs in zip(settings.tell(session.leat), settings.tell(session.spark)):
                if mine.error or theirs.error:
                    print(f"the tables of block {block}: leat {mine}, Spark {theirs}")
            print(f"[{time.monotonic() - start:.0f} s] {index} queries, {found} differences", file=sys.stderr, flush=True)
        difference = session.run(args.seed, index, settings)
        if difference is None:
            continue
        if difference.reason:
            explained[difference.reason] += 1
            continue
        found += 1
        if difference.small:
            difference.show(args.seed, index)
        if found >= args.most:
            break
    session.leat.close()
    session.spark.close()
    print("\n" + ", ".join(f"{count} {kind}" for kind, count in session.tally.most_common()))
    for what, counter in (("cannot do yet", session.refused), ("known", explained)):
        for reason, count in counter.most_common(20):
            print(f"{count:6} {what}: {reason}")
    for alike, count in session.seen.most_common(30):
        print(f"{count:6} differ: {' / '.join(str(part) for part in alike)}")
    total = sum(session.tally.values())
    print(f"{time.monotonic() - start:.0f} s\n{total - found} passed, {found} failed")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())

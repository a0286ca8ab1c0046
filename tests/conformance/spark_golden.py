#!/usr/bin/env python3
"""Spark's own SQL tests, run through `leat sql --jsonl`: how many give Spark's schema, rows or error condition.

    tests/conformance/spark_golden.py --leat build/release/leat [--file NAME ..] [--failures N] [--report [PATH]]

Reads CONFORMANCE_DIR/spark-golden (README.txt there says what the fields mean). A file is one session; a statement that
reads no table, in a file that sets and declares nothing, is counted as table-free. Exit 1 when a limit (--least-free,
--least-all) is missed.
"""
import argparse
import collections
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import report

# Files whose subject leat leaves out (docs/sql.md), and those that print Spark's own plans or catalog.
OUT_OF_SCOPE = """
    udf/ udaf/ scripting/ explain describe show- show_ collations charvarchar tuplesketch thetasketch kllquantiles hll
    st-functions xml-functions sql-udf sql-session-variables view-schema identifier-clause create_view view-with-default
    change-column to_from_avro to_from_protobuf listagg-collations try_reflect
""".split()

# Tables that Spark's test program makes before every file.
TEST_TABLES = (
    "CREATE TEMPORARY VIEW testdata AS SELECT CAST(id AS INT) AS key, CAST(id AS STRING) AS value FROM range(1, 101)",
    "CREATE TEMPORARY VIEW arraydata AS SELECT * FROM VALUES (array(1, 2, 3), array(array(1, 2, 3))), "
    "(array(2, 3, 4), array(array(2, 3, 4))) AS t(arraycol, nestedarraycol)",
    "CREATE TEMPORARY VIEW mapdata AS SELECT * FROM VALUES (map(1, 'a1', 2, 'b1', 3, 'c1', 4, 'd1', 5, 'e1')), "
    "(map(1, 'a2', 2, 'b2', 3, 'c2', 4, 'd2')), (map(1, 'a3', 2, 'b3', 3, 'c3')), (map(1, 'a4', 2, 'b4')), (map(1, 'a5')) "
    "AS t(mapcol)",
    "CREATE TEMPORARY VIEW aggtest AS SELECT a, CAST(b AS FLOAT) AS b FROM VALUES (56, 7.8), (100, 99.097), (0, 0.09561), "
    "(42, 324.78) AS t(a, b)",
)


def out_of_scope(name):
    return any(name.startswith(part) or ("/" + part) in name for part in OUT_OF_SCOPE)


class Leat:
    """One session: statements in, answers out; a crash is an answer too."""

    def __init__(self, binary, ansi):
        self.command = [binary, "sql", "--jsonl", "--tz", "America/Los_Angeles", "--ansi", "on" if ansi else "off"]
        self.start()

    def start(self):
        self.process = subprocess.Popen(self.command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)

    def ask(self, sql):
        try:
            self.process.stdin.write(json.dumps({"id": 1, "sql": sql}).encode() + b"\n")
            self.process.stdin.flush()
            line = self.process.stdout.readline()
        except BrokenPipeError:
            line = b""
        if not line:
            code = self.process.wait()
            self.start()
            return {"schema": "struct<>", "rows": [], "error": f"CRASH {code}", "message": ""}
        return json.loads(line)

    def close(self):
        self.process.stdin.close()
        self.process.wait()


def same_rows(expected, rows):
    """Rows as texts, whatever their order: a line end inside a value reads as one between rows."""
    return sorted(expected.strip().split("\n")) == sorted("\n".join(rows).strip().split("\n")) or \
        sorted(line.strip() for line in expected.split("\n")) == sorted(line.strip() for line in "\n".join(rows).split("\n"))


def judge(test, answer):
    """None when it passes, else (class of failure, what)."""
    error = answer["error"]
    if test["error"]:
        if error == test["error"]:
            return None
        return ("no error", test["error"]) if error is None else ("other error", f"{test['error']} <> {error}")
    if error is not None:
        return ("error", error + reason(answer))
    if answer["schema"] != test["schema"]:
        return ("schema", f"{test['schema'][:150]} <> {answer['schema'][:150]}")
    if not same_rows(test["output"], answer["rows"]):
        return ("rows", f"{test['output'][:120]!r} <> {chr(10).join(answer['rows'])[:120]!r}")
    return None


def reason(answer):
    """What makes errors of one condition different: the routine, the feature."""
    message = answer.get("message") or ""
    for mark in ("Cannot resolve routine `", "leat cannot do this yet: "):
        if mark in message:
            return " " + message.split(mark)[1].split("\n")[0].split("`")[0][:60]
    return ""


def run_file(binary, name, tests):
    leat = Leat(binary, ansi=not name.startswith("nonansi/"))
    # Spark's runner sets these for whole folders and files; the data does not say so.
    if name.startswith("timestampNTZ/"):
        leat.ask("SET spark.sql.timestampType=TIMESTAMP_NTZ")
    if name.startswith("postgreSQL/"):
        leat.ask("SET spark.sql.legacy.interval.enabled=true")
    for statement in TEST_TABLES:
        leat.ask(statement)
    for setting in tests[0]["set"]:
        leat.ask("SET " + setting)
    results = [(test, judge(test, leat.ask(test["sql"]))) for test in tests]
    leat.close()
    return results


# What the clock, chance or the machine decides: such an example passes when it runs.
OWN_ANSWER = re.compile(r"\b(rand|randn|random|uuid|shuffle|now|curdate|current_(date|time|timestamp|timezone|user)|localtimestamp|"
                        r"session_user|user|version)\b|aes_encrypt\((?!.*'ECB')|unix_timestamp\('2016")


def same_example(example, rows):
    """The file keeps neither the order of rows nor blanks at their ends."""
    return OWN_ANSWER.search(example["query"]) or sorted(row.strip() for row in example["result"]) == sorted(row.strip() for row in rows)


def run_examples(binary, folder):
    results = []
    leat = Leat(binary, ansi=True)
    for line in open(folder / "function-examples.jsonl"):
        example = json.loads(line)
        answer = leat.ask(example["query"])
        names = [field["name"] for field in example["schema"]["fields"]]
        failure = None
        if answer["error"] is not None:
            failure = ("error", answer["error"] + reason(answer))
        elif not same_example(example, answer["rows"]):
            failure = ("rows", f"{example['result']} <> {answer['rows']}"[:200])
        results.append((example, names, failure))
    leat.close()
    return results


def report_lines(by_file, examples):
    yield f"{'file':58} {'pass':>5} {'fail':>5} {'free':>5} {'pass':>5}"
    totals = collections.Counter()
    for name, results in sorted(by_file.items()):
        passed = sum(failure is None for _, failure in results)
        free = [failure for test, failure in results if test["self_contained"]]
        free_passed = sum(failure is None for failure in free)
        scope = "out" if out_of_scope(name) else "in"
        totals.update({"all": len(results), "all passed": passed, "free": len(free), "free passed": free_passed,
                       f"free {scope}": len(free), f"free {scope} passed": free_passed,
                       f"all {scope}": len(results), f"all {scope} passed": passed})
        yield f"{name:58} {passed:5} {len(results) - passed:5} {len(free):5} {free_passed:5}{'' if scope == 'in' else '  out of scope'}"
    for what in ("free", "free in", "all", "all in"):
        if totals[what]:
            yield f"{what:10} {totals[what + ' passed']} of {totals[what]}: {100 * totals[what + ' passed'] / totals[what]:.1f} %"
    if examples:
        passed = sum(failure is None for _, _, failure in examples)
        yield f"examples   {passed} of {len(examples)}: {100 * passed / len(examples):.1f} %"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--leat", required=True)
    parser.add_argument("--file", action="append", help="only files whose name has this in it")
    parser.add_argument("--failures", type=int, default=0, help="print so many kinds of failures")
    parser.add_argument("--list", action="store_true", help="print every failure")
    parser.add_argument("--free", action="store_true", help="look at table-free statements only, in the lists of failures")
    parser.add_argument("--report", nargs="?", const=str(report.PAGE), help="write the page of results, docs/conformance.md when not said")
    parser.add_argument("--least-free", type=float, default=0, help="per cent of the table-free statements that must pass")
    arguments = parser.parse_args()
    if not os.environ.get("CONFORMANCE_DIR"):
        print("skipped: CONFORMANCE_DIR is not set")
        return 0
    folder = Path(os.environ["CONFORMANCE_DIR"]) / "spark-golden"
    files = collections.defaultdict(list)
    for line in open(folder / "queries.jsonl"):
        test = json.loads(line)
        if not arguments.file or any(part in test["file"] for part in arguments.file):
            files[test["file"]].append(test)
    by_file = {name: run_file(arguments.leat, name, tests) for name, tests in files.items()}
    examples = run_examples(arguments.leat, folder) if not arguments.file else []
    lines = list(report_lines(by_file, examples))
    if arguments.report:
        Path(arguments.report).write_text(report.page(by_file, examples, out_of_scope), encoding="utf-8")
    kinds, shown = collections.Counter(), collections.defaultdict(list)
    for name, results in by_file.items():
        for test, failure in results:
            if failure is None or out_of_scope(name) or (arguments.free and not test["self_contained"]):
                continue
            kind = f"{failure[0]}: {failure[1]}" if failure[0] in ("error", "no error", "other error") else failure[0]
            kinds[kind] += 1
            shown[kind].append(f"{name} {test['n']}: {test['sql'][:200]!r} {failure[1]}")
    for kind, count in kinds.most_common(arguments.failures):
        print(f"{count:6} {kind}   e.g. {shown[kind][0][:200]}")
    if arguments.list:
        for kind, texts in shown.items():
            for text in texts:
                print(f"[{kind[:40]}] {text}")
    for _, names, failure in examples if arguments.failures else []:
        if failure is not None and failure[0] == "error":
            kinds["example " + failure[1]] += 1
    print("\n".join(lines if not arguments.failures and not arguments.list else lines[-8:]))
    return 0


if __name__ == "__main__":
    sys.exit(main())

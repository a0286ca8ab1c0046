#!/usr/bin/env python3
"""What Spark says about golden streaming tests: the same files, the same epochs, the same SQL.

    build/venv-spark/bin/python tests/sql/spark_oracle.py [--update] [FILTER ..]

Every flow of a .slt file becomes a streaming query over file sources with maxFilesPerTrigger=1; each epoch of the test is a
file per stream (README.md). Rows are compared with `expect`, or written there with --update; `late` and `watermark` are
leat's own to check. A file that says `# spark: no` is left out: the line says why. Prints a line per file, and a diff.
"""
import json
import os
import re
import shutil
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

HERE = Path(__file__).resolve().parent
DAY = "2026-01-01"
FIRST_FILE_S = 1767312000  # ORDER FEED_START_S
TIMES = {"timestamp", "timestamp_ntz"}
BARE = re.compile(r'[^\s"\\{\[|#-][^\s"\\]*$')
VALUE = re.compile(r"\S+")


# ---- reading a test --------------------------------------------------------------------------------------------------

class Test:
    def __init__(self, path):
        self.path, self.lines = path, path.read_text().split("\n")
        if self.lines[-1] == "":
            self.lines.pop()
        self.streams, self.settings, self.sql, self.steps = {}, {}, "", []
        at = 0
        while at < len(self.lines):
            at = self.read_block(at)

    def read_block(self, at):
        line = self.lines[at]
        if not line.strip() or line.startswith("#"):
            return at + 1
        end = at + 1
        while end < len(self.lines) and self.lines[end].strip():
            end += 1
        verb, _, rest = line.partition(" ")
        backlog = verb == "then"
        if backlog:
            verb, _, rest = rest.partition(" ")
        rest, rows = rest.strip(), self.lines[at + 1:end]
        if verb in ("stream", "table"):
            self.read_stream(verb, rest, rows)
            return end if verb == "table" else at + 1
        if verb == "set":
            name, _, value = rest.partition(" ")
            self.settings[name] = value.strip()
            return at + 1
        if verb == "query":
            self.sql += f"CREATE STREAMING TABLE {rest} AS\n" + "\n".join(rows) + ";\n"
        elif verb == "sql":
            self.sql += "\n".join(rows) + "\n"
        else:
            self.steps.append((verb, rest, at, end, backlog))
        return end if verb in ("query", "sql", "feed", "expect", "error") else at + 1

    def read_stream(self, verb, text, rows):
        name, _, rest = text.partition(" ")
        depth, close = 0, 0
        for close, c in enumerate(rest):
            depth += (c == "(") - (c == ")")
            if depth == 0:
                break
        columns, _, watermark = rest[1:close].partition(", watermark ")
        words = rest[close + 1:].split()
        self.streams[name] = {
            "columns": columns, "watermark": watermark, "stands": verb == "table", "rows": rows,
            "format": next((w for w in words if "=" not in w), "json"),
            "options": dict(w.split("=", 1) for w in words if "=" in w),
        }


def value_end(text, at):
    if text[at] not in '"{[':
        return VALUE.match(text, at).end()
    depth, quoted = 0, False
    while at < len(text):
        c = text[at]
        if quoted and c == "\\":
            at += 1
        elif c == '"':
            quoted = not quoted
        elif not quoted:
            depth += (c in "{[") - (c in "}]")
        at += 1
        if not quoted and depth == 0:
            break
    return at


def feed_row(stream, fields, row):
    if row.startswith("|") or stream["format"] != "json":
        return row[row.startswith("|"):]
    parts, at = [], 0
    for field in fields:
        while at < len(row) and row[at] == " ":
            at += 1
        end = value_end(row, at)
        value, at = row[at:end], end
        kind = field.dataType.typeName()
        if value == "-":
            continue
        if value == "NULL":
            value = "null"
        elif value[0] not in '"{[' and kind not in ("byte", "short", "integer", "long", "float", "double", "boolean") \
                and not kind.startswith("decimal"):
            short = kind in TIMES and len(value) >= 5 and value[2] == ":" and "-" not in value
            value = f'"{DAY}T{value}"' if short else f'"{value}"'
        parts.append(f'"{field.name}":{value}')
    return "{" + ",".join(parts) + "}"


# ---- rows as tests show them -----------------------------------------------------------------------------------------

def members(line):
    out, at = {}, 1
    while at < len(line) and line[at] == '"':
        end = value_end(line, at)
        start = end + 1
        stop = value_end(line, start) if line[start] in '"{[' else re.compile("[^,}]*").match(line, start).end()
        out[line[at + 1:end - 1]] = line[start:stop]
        at = stop + 1
    return out


def show_time(text):
    text = text.removeprefix(DAY + "T")
    match = re.match(r"(.*)(\.\d{3})(.*)$", text)
    if not match:
        return text
    return match[1] + (match[2] if match[2] != ".000" else "") + (match[3] if match[3] != "Z" else "")


def show(kind, value):
    if value is None:
        return "NULL"
    if value[0] != '"':
        return value
    if kind in TIMES:
        return show_time(value[1:-1])
    return value[1:-1] if BARE.match(value[1:-1]) and value != '"NULL"' else value


def show_row(schema, line):
    found = members(line)
    return " ".join(show(f.dataType.typeName(), found.get(f.name)) for f in schema.fields)


# ---- running a test --------------------------------------------------------------------------------------------------

class Run:
    def __init__(self, spark, test, folder):
        self.spark, self.test, self.folder = spark, test, Path(folder)
        self.files, self.queries, self.tables, self.columns = 0, [], {}, {}

    def start(self):
        for name, value in {"spark.sql.session.timeZone": "UTC", **self.test.settings}.items():
            if name.startswith("spark."):
                self.spark.conf.set(name, value)
        for name, stream in self.test.streams.items():
            self.open_stream(name, stream)
        for statement in re.split(r";\s*(?:\n|$)", self.test.sql):
            if statement.strip():
                self.statement(statement.strip())

    def open_stream(self, name, stream):
        folder = self.folder / "feed" / name
        folder.mkdir(parents=True)
        stream["fields"] = self.spark.createDataFrame([], stream["columns"]).schema.fields
        if stream["stands"]:
            self.put(name, stream["rows"])
            reader = self.spark.read
        else:
            reader = self.spark.readStream.option("maxFilesPerTrigger", 1)
        frame = reader.schema(stream["columns"]).format(stream["format"]).options(**stream["options"]).load(str(folder))
        if not stream["watermark"]:
            frame.createOrReplaceTempView(name)
            return
        column, delay = stream["watermark"].split(" - ")
        frame.createOrReplaceTempView(name + "_files")
        self.spark.sql(f"CREATE OR REPLACE TEMPORARY VIEW {name} AS SELECT * FROM STREAM {name}_files "
                       f"WATERMARK {column} DELAY OF INTERVAL {delay}")

    def statement(self, text):
        created = re.match(r"CREATE\s+STREAMING\s+TABLE\s+(\w+)(.*?)(?:\bAS\b\s+(?=SELECT|WITH|FROM|\()(.*))?$", text, re.I | re.S)
        flow = re.match(r"CREATE\s+FLOW\s+\w+\s+AS\s+INSERT\s+INTO\s+(\w+)\s+BY\s+NAME\s+(.*)$", text, re.I | re.S)
        if created and created[3]:
            self.query(created[1], created[3], created[2])
        elif created:
            self.tables[created[1]] = []
        elif flow:
            self.query(flow[1], flow[2], "")
        else:
            self.spark.sql(re.sub(r"(?i)^CREATE\s+(TEMPORARY\s+)?VIEW", "CREATE OR REPLACE TEMPORARY VIEW", text))

    def query(self, table, sql, properties):
        rows = self.tables.setdefault(table, [])
        frame = self.spark.sql(sql)
        frame = frame.select(*self.columns.setdefault(table, frame.columns))  # flows go in by name
        dedup = re.search(r"'leat.dedup'\s*=\s*'([^']*)'", properties)
        if dedup:
            columns = None if dedup[1] == "*" else [c.strip() for c in dedup[1].split(",")]
            within = re.search(r"'leat.dedup.within_watermark'\s*=\s*'true'", properties)
            frame = frame.dropDuplicatesWithinWatermark(columns) if within else frame.dropDuplicates(columns)

        def keep(batch, _epoch):
            schema = batch.schema
            rows.extend(show_row(schema, line) for line in batch.toJSON().collect())
        number = len(self.queries)
        self.queries.append(frame.writeStream.foreachBatch(keep).outputMode("append")
                            .option("checkpointLocation", str(self.folder / f"checkpoint{number}")).start())

    def put(self, name, rows):
        stream = self.test.streams[name]
        path = self.folder / "feed" / name / f"{self.files:06d}.{stream['format']}"
        hidden = path.with_name("." + path.name)
        lines = [feed_row(stream, stream["fields"], row) for row in rows if not row.startswith("#")]
        hidden.write_text("".join(line + "\n" for line in lines))
        os.utime(hidden, (FIRST_FILE_S + self.files,) * 2)
        hidden.rename(path)
        self.files += 1

    def feed(self, steps, at):
        """The files of all epochs up to the next that waits for its forerunners; returns the step behind."""
        epochs = [{}]
        first = at
        while at < len(steps) and steps[at][0] == "feed":
            _, name, start, end, backlog = steps[at]
            if at > first and (backlog or name in epochs[-1]):
                if not backlog:
                    break
                epochs.append({})
            epochs[-1][name] = self.test.lines[start + 1:end]
            at += 1
        for epoch in epochs:
            for name, stream in self.test.streams.items():
                if not stream["stands"]:
                    self.put(name, epoch.get(name, []))
        for query in self.queries:
            query.processAllAvailable()
        return at

    def refuses(self, text):
        """What Spark says against the statements, or None."""
        started = len(self.queries)
        feeds = any(step[0] == "feed" for step in self.test.steps)
        try:
            for name, stream in self.test.streams.items():  # some rules are noticed with the first row
                if not stream["stands"] and not feeds:
                    self.put(name, [" ".join(["NULL"] * len(stream["fields"]))])
            for statement in re.split(r";\s*(?:\n|$)", text):
                if statement.strip():
                    self.statement(statement.strip())
            for query in self.queries[started:]:
                query.processAllAvailable()
        except Exception as problem:
            return str(problem).split("\n")[0]
        finally:
            for query in self.queries[started:]:
                query.stop()
            del self.queries[started:]
        return None

    def stop(self):
        for query in self.queries:
            query.stop()


def expect(run, table, rows, seen):
    """(rows that came since, the same as a multiset)"""
    came = Counter(run.tables[table]) - seen
    seen.update(came)
    return sorted(came.elements()), came == Counter(rows)


def run_test(spark, path, update):
    test = Test(path)
    reason = next((line for line in test.lines if line.startswith("# spark: no")), None)
    if reason:
        return "skipped", reason[2:]
    folder = tempfile.mkdtemp(prefix="spark-golden-")
    run = Run(spark, test, folder)
    report, replaced, seen, at = [], [], {}, 0
    kept = {name: spark.conf.get(name, None) for name in test.settings if name.startswith("spark.")}
    try:
        run.start()
        while at < len(test.steps):
            verb, name, start, end, _ = test.steps[at]
            if verb == "feed":
                at = run.feed(test.steps, at)
                continue
            at += 1
            if verb == "error":
                sql = "\n".join(test.lines[start + 1:end])
                refused = run.refuses(sql)
                if refused is None:
                    report.append(f"  {path.name}:{start + 1}: Spark takes {sql}")
                elif os.environ.get("VERBOSE"):
                    print(f"  {path.name}:{start + 1}: {refused[:300]}")
                continue
            if verb != "expect" or name.endswith("_late") or name == "_quarantine":
                continue
            wanted = test.lines[start + 1:end]
            came, same = expect(run, name, wanted, seen.setdefault(name, Counter()))
            replaced.append((start + 1, end, came))
            if not same:
                report += [f"  {path.name}:{start + 1}: {name}"]
                report += [f"    - {row}" for row in sorted((Counter(wanted) - Counter(came)).elements())]
                report += [f"    + {row}" for row in sorted((Counter(came) - Counter(wanted)).elements())]
    finally:
        run.stop()
        for name, value in kept.items():
            spark.conf.unset(name) if value is None else spark.conf.set(name, value)
        shutil.rmtree(folder, ignore_errors=True)
    if update and report:
        for start, end, rows in reversed(replaced):
            test.lines[start:end] = rows
        path.write_text("\n".join(test.lines) + "\n")
        return "updated", "\n".join(report)
    return ("differs", "\n".join(report)) if report else ("same", "")


def main():
    from pyspark.sql import SparkSession
    arguments = [a for a in sys.argv[1:] if a != "--update"]
    filters = [Path(a).name for a in arguments]
    files = [f for f in sorted(HERE.glob("*.slt")) if not filters or any(x in f.name for x in filters)]
    spark = (SparkSession.builder.master("local[1]").config("spark.ui.enabled", "false")
             .config("spark.sql.session.timeZone", "UTC").config("spark.sql.shuffle.partitions", "1")
             .config("spark.driver.extraJavaOptions", "-XX:+UseSerialGC -XX:TieredStopAtLevel=1")
             .config("spark.ui.showConsoleProgress", "false").config("spark.sql.streaming.pollingDelay", "100ms")
             .config("spark.sql.adaptive.enabled", "false").config("spark.sql.codegen.wholeStage", "false")
             .config("spark.sql.streaming.minBatchesToRetain", "2").getOrCreate())  # small batches: less to plan
    spark.sparkContext.setLogLevel("OFF")
    bad = 0
    for path in files:
        began = time.monotonic()
        try:
            verdict, text = run_test(spark, path, "--update" in sys.argv)
        except Exception as problem:
            conditions = dict.fromkeys(re.findall(r"\[[A-Z][A-Z_.]+\][^\n]{0,150}", str(problem)))
            verdict, text = "failed", "\n".join("  " + c for c in conditions) or f"  {str(problem)[:600]}"
        bad += verdict in ("differs", "failed")
        seconds = time.monotonic() - began
        print(f"{verdict:8} {path.name} {seconds:.0f} s{' ' + text if verdict == 'skipped' else ''}")
        if text and verdict != "skipped":
            print(text)
        sys.stdout.flush()
    sys.exit(bad > 0)


if __name__ == "__main__":
    main()
